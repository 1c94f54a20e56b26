"""Claims for tests of choosing: papers by a letter, ids in the order of the alphabet."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from paperdigest.ranking.selection import Choice, Claim, Exploration, select
from paperdigest.types import PaperId

LOT = Exploration.of("1", "2026-04-15")


def paper_id(name: str | int) -> PaperId:
    return PaperId(scheme="arxiv", local=f"{name:05}" if isinstance(name, int) else name)


def claim(name: str | int, score: float, *, topic: int = 0, is_new: bool = True) -> Claim:
    return Claim(paper_id=paper_id(name), topic=topic, score=score, raw=score * 10, is_new=is_new)


def falling(names: Iterable[str | int], *, start: float = 0.9, topic: int = 0, is_new: bool = True) -> list[Claim]:
    """Claims with falling scores: the first of ``names`` is the best."""
    return [claim(name, start - 0.001 * place, topic=topic, is_new=is_new) for place, name in enumerate(names)]


def twins(*pairs: str) -> dict[PaperId, set[PaperId]]:
    """Near-duplicates, written ``ab`` for a and b."""
    near: dict[PaperId, set[PaperId]] = {}
    for one, other in map(tuple, pairs):
        near.setdefault(paper_id(one), set()).add(paper_id(other))
        near.setdefault(paper_id(other), set()).add(paper_id(one))
    return near


def names(choices: Iterable[Choice]) -> str:
    return "".join(choice.paper_id.local for choice in choices)


def chosen(
    claims: Iterable[Claim],
    places: int,
    shares: Sequence[float] = (1.0,),
    near: Mapping[PaperId, set[PaperId]] | None = None,
) -> str:
    """The letters of the papers chosen without a lot, in order."""
    return names(select(claims, shares, places, near=near))
