"""What is asked of a rendering: a digest with its links, and how much of it is to be shown."""

from __future__ import annotations

from dataclasses import dataclass

from paperdigest.render.links import Links
from paperdigest.types import Digest, RankedPaper

__all__ = ["Cut", "Wanted"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """A digest, where it leads back to (checked), and whether it is a preview for the operator."""

    digest: Digest
    links: Links
    preview: bool = False


@dataclass(frozen=True, slots=True)
class Cut:
    """How much of a digest is shown: abstracts of so many characters at most, of the first so many papers."""

    abstract_chars: int
    papers: int

    def placed(self, digest: Digest) -> list[tuple[str, list[tuple[int, RankedPaper]]]]:
        """Return the topics of the papers shown and the papers of each with their position, counted from 1.

        The topic of the best paper comes first; the papers of each come as they were chosen.
        """
        by_topic: dict[str, list[tuple[int, RankedPaper]]] = {}
        for position, ranked in enumerate(digest.ranked[: self.papers], start=1):
            by_topic.setdefault(ranked.topic, []).append((position, ranked))
        return list(by_topic.items())
