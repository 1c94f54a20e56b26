"""Which papers may stand in a subscriber's digest, and which papers they liked have changed.

A paper that a subscriber was shown, or has judged, never comes again. The one thing that brings it back is a new
version, or the withdrawal, of a paper they liked: it gets a line of its own and takes no place from the others.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from datetime import date

from paperdigest.store.digests import Shown
from paperdigest.types import Judgement, PaperId, StoredPaper

__all__ = ["MAX_REVISED", "is_news", "liked_papers", "papers_by_name", "revised_papers", "seen_papers"]

MAX_REVISED = 10
"""The most new versions in one digest; those beyond come with the next."""

_REPLACED = ("replace", "replace-cross")


def is_news(stored: StoredPaper) -> bool:
    """Say whether a paper may be shown as new: not withdrawn, and not met only as the new version of an older one."""
    replaced = [entry.announce_type in _REPLACED for entry in stored.entries]
    return not stored.paper.withdrawn and not (replaced and all(replaced))


def papers_by_name(papers: Iterable[StoredPaper]) -> dict[str, PaperId]:
    """Return the present identifier of each paper by every identifier it ever had, printed."""
    return {str(name): one.paper.id for one in papers for name in (*one.paper.aliases, one.paper.id)}


def seen_papers(
    by_name: Mapping[str, PaperId], sent: Collection[str], judgements: Iterable[Judgement]
) -> frozenset[PaperId]:
    """Return those of a batch's papers that a subscriber knows: sent to them, or judged by them (examples too).

    Args:
        by_name: the batch's (`papers_by_name`).
        sent: the papers that were sent to them, by what they were called then.
        judgements: theirs.
    """
    known = (*sent, *(str(one.paper_id) for one in judgements))
    return frozenset(by_name[name] for name in known if name in by_name)


def liked_papers(judgements: Iterable[Judgement]) -> dict[PaperId, Judgement]:
    """Return the newest judgement of each paper of which it is a like; of two of one moment the dislike counts."""
    newest: dict[PaperId, Judgement] = {}
    for one in judgements:
        known = newest.get(one.paper_id)
        if known is None or (one.judged_at, not one.liked) > (known.judged_at, not known.liked):
            newest[one.paper_id] = one
    return {paper_id: one for paper_id, one in sorted(newest.items()) if one.liked}


def revised_papers(
    papers: Iterable[StoredPaper], shown: Mapping[str, Shown], judgements: Iterable[Judgement]
) -> tuple[StoredPaper, ...]:
    """Return the liked papers that have a new version or were withdrawn since they were shown, newest change first.

    A version is new when it is higher than the one shown. Where that is not known (the source never said it, or the
    paper is an example that was never shown), when there is more than one version and the paper changed after the day
    it was shown or liked. What is told is frozen with its digest, so it is told once.

    Args:
        papers: what is stored of the liked papers (others are passed over).
        shown: what they were shown (`Digests.shown`).
        judgements: theirs.
    """
    likes = liked_papers(judgements)
    found = {
        stored.paper.id: stored
        for stored in papers
        if (like := likes.get(stored.paper.id)) is not None
        and _is_revised(stored, shown.get(str(stored.paper.id)), like)
    }
    newest_first = sorted(found.values(), key=lambda one: (-_changed_on(one).toordinal(), one.paper.id))
    return tuple(newest_first[:MAX_REVISED])


def _is_revised(stored: StoredPaper, shown: Shown | None, like: Judgement) -> bool:
    paper = stored.paper
    is_later = _changed_on(stored) > (shown.edition if shown is not None else like.judged_at.date())
    if paper.withdrawn and is_later:
        return True
    if shown is not None and shown.version is not None:
        return paper.version is not None and paper.version > shown.version
    return is_later and paper.version is not None and paper.version > 1


def _changed_on(stored: StoredPaper) -> date:
    """Return the day of a paper's last change that is known; the first of all days when none is."""
    days = [entry.listed_on for entry in stored.entries if entry.announce_type in _REPLACED]
    if stored.paper.updated_at is not None:
        days.append(stored.paper.updated_at.date())
    return max(days, default=date.min)
