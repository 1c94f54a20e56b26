"""Which of the ranked papers a digest shows: shared places, the queue, near-duplicates and one place by lot.

What wants a place are claims: this paper, for this topic, with this score. They are heard in four groups:

1. new papers,
2. new papers that are near-duplicates of one already chosen,
3. papers that waited: they missed an earlier cut by lack of places,
4. those of them that are near-duplicates of one already chosen.

A later group only gets what the earlier ones leave, so nothing old ever crowds out something new, and of two
papers that say the same the second comes only if there is room. Within a group the topics share the places by
quota (`quota.apportion`), counting what each got before; what a topic cannot use is given on. Whoever gets no
place stays in the queue: nothing is remembered here, the next choice hears the same claims again.

Exploration: when papers nearly missed the cut, one of them, drawn by lot, may stand in the last place, so that a
ranking that learns from judgements also hears of what it would not have shown. Every paper of the pool has the
same chance, which is kept with the choice (`Choice.propensity`), as unbiased learning from such a log needs it
(D. G. Horvitz and D. J. Thompson, 1952: weigh what was drawn by the inverse of its propensity).
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Container, Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from hashlib import blake2b
from itertools import islice
from typing import Protocol, Self

from paperdigest.ranking.quota import apportion
from paperdigest.types import PaperId, Placement

__all__ = ["FLOOR", "LEAST_PLACES", "POOL", "Choice", "Claim", "Exploration", "Near", "Selection", "select"]

POOL = 20
"""How many of the papers that come next are in the draw: ranks 11 to 30 of a digest of ten."""

LEAST_PLACES = 5
"""A digest of fewer places gives none away: one in five is the most that anybody's digest spends on exploring."""

FLOOR = 0.5
"""A paper nearly missed the cut when it has at least this part of the score of the last one that made it."""


class Near(Protocol):
    """Which papers each is a near-duplicate of; both of a pair are named. A dict will do."""

    def get(self, paper_id: PaperId, /) -> Container[PaperId] | None:
        """Return the near-duplicates of a paper, None when it has none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    """A paper that qualifies for a topic.

    ``topic`` is an index of the subscriber's topics. ``score`` in [0, 1] compares topics, ``raw`` (finite) parts
    equal scores. ``is_new`` says that the paper was first seen since the last digest; otherwise it has waited.
    """

    paper_id: PaperId
    topic: int
    score: float
    raw: float
    is_new: bool = True

    def __post_init__(self) -> None:
        if not 0 <= self.score <= 1:
            raise ValueError(f"{self.paper_id}: a score lies in [0, 1], not {self.score}")
        if not math.isfinite(self.raw):
            raise ValueError(f"{self.paper_id}: a raw score is finite, not {self.raw}")
        if self.topic < 0:
            raise ValueError(f"{self.paper_id}: a topic is an index, not {self.topic}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """A paper that gets a place, under the topic where it scores best; ``also`` are its other topics, best first.

    ``propensity`` is the chance with which an explored paper was drawn, None for the others.
    """

    paper_id: PaperId
    topic: int
    score: float
    raw: float
    also: tuple[int, ...] = ()
    placement: Placement = Placement.NEW
    propensity: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Exploration:
    """The lot: the same ``key`` draws the same paper from the same pool, on every machine."""

    key: str

    @classmethod
    def of(cls, subscriber: str, edition: str) -> Self:
        """Return the lot of one digest, of the subscriber's id or address and the edition (ISO date)."""
        return cls(key=f"{subscriber}\n{edition}")

    def draw(self, pool: Iterable[PaperId]) -> PaperId:
        """Return the paper whose number, made of ``key`` and its id (blake2b, 128 bits), is the lowest.

        Each has the same chance, whatever the order; one that joins or leaves the pool changes nothing among the
        others, so that a preview mostly shows what will be sent.

        Raises:
            ValueError: the pool is empty.
        """
        key = blake2b(self.key.encode("utf-8", "surrogatepass"), digest_size=16).digest()
        return min(pool, key=lambda one: (blake2b(str(one).encode(), digest_size=16, key=key).digest(), one))


def select(
    claims: Iterable[Claim],
    shares: Sequence[float],
    places: int,
    *,
    explore: Exploration | None = None,
    near: Near | None = None,
) -> tuple[Choice, ...]:
    """Choose the papers of a digest: new ones best first, then those that waited, then the explored one.

    The order of the claims changes nothing; of several for the same paper and topic the best counts. A paper is
    new when any of its claims says so. Equal scores go by raw score, then by id. Near-duplicates that came in all
    the same stand after the others of their kind.

    Args:
        claims: what qualifies. Worse ones than a topic's best ``places`` and `POOL` more, near-duplicates apart,
            cannot be chosen and need not be given.
        shares: each topic's share of the places, above 0 (`quota.shares_of`).
        places: how many papers at most; below 1 gives none.
        explore: the lot, None to leave nothing to it.
        near: see `duplicates.Neighbours`.

    Raises:
        IndexError: a claim's topic has no share.
    """
    return Selection(claims, shares, places, near=near).choices(explore)


class Selection:
    """A choice up to the lot, which may then be drawn for any number of readers with the same claims.

    Args and errors as of `select`.
    """

    def __init__(
        self, claims: Iterable[Claim], shares: Sequence[float], places: int, *, near: Near | None = None
    ) -> None:
        self._wanted, self._places, self._near = _Wanted(claims), places, near
        table = _Table(places, shares, self._wanted)
        for is_new in (True, False):
            late = table.seat([one for one in self._wanted.claims if self._wanted.is_new[one.paper_id] is is_new], near)
            table.seat(late, None)
        self._certain = tuple(self._wanted.choice(one) for one in table.taken)
        self._drawn: dict[PaperId, Choice] = {}

    def choices(self, explore: Exploration | None) -> tuple[Choice, ...]:
        """Return what is chosen, with the last place given to the lot if there is one."""
        if explore is None or self._places < LEAST_PLACES or not self._pool:
            return self._certain
        one = explore.draw(self._pool)
        if one not in self._drawn:
            self._drawn[one] = self._wanted.choice(one, drawn_of=len(self._pool))
        return (*self._kept, self._drawn[one])

    @cached_property
    def _spared(self) -> Choice | None:
        """The last choice whose paper is not the only one of any of its topics: its place may go to the lot."""
        of_topic = Counter(topic for one in self._certain for topic in (one.topic, *one.also))
        return next(
            (one for one in reversed(self._certain) if all(of_topic[topic] > 1 for topic in (one.topic, *one.also))),
            None,
        )

    @cached_property
    def _kept(self) -> tuple[Choice, ...]:
        return tuple(one for one in self._certain if one is not self._spared)

    @cached_property
    def _pool(self) -> tuple[PaperId, ...]:
        """The best papers without a place that nearly missed the cut, empty when there is no place to give.

        Near enough to the cut (`FLOOR`), no near-duplicates of those shown, and none that waited unless one that
        waited gives up the place.
        """
        spared = self._spared
        if spared is None:
            return ()
        shown = {one.paper_id: one.score for one in self._kept}
        least = FLOOR * min(shown.values())
        missed = (
            one
            for one, homes in self._wanted.homes.items()
            if one not in shown
            and one != spared.paper_id
            and next(iter(homes.values())).score >= least
            and (self._wanted.is_new[one] or spared.placement is Placement.WAITED)
            and not _is_behind(one, shown, self._near)
        )
        return tuple(islice(missed, POOL))


class _Wanted:
    """The claims, best first, and what they say together of each paper.

    ``homes`` holds for each paper its topics with their claims, best first; the papers stand in it best first too.
    """

    def __init__(self, claims: Iterable[Claim]) -> None:
        self.homes: dict[PaperId, dict[int, Claim]] = {}
        self.is_new: dict[PaperId, bool] = {}
        self.claims: list[Claim] = []
        for claim in sorted(claims, key=lambda one: (-one.score, -one.raw, one.paper_id, one.topic)):
            if self.homes.setdefault(claim.paper_id, {}).setdefault(claim.topic, claim) is claim:
                self.claims.append(claim)
            self.is_new[claim.paper_id] = claim.is_new or self.is_new.get(claim.paper_id, False)
        self.place = {one: place for place, one in enumerate(self.homes)}

    def choice(self, one: PaperId, *, drawn_of: int = 0) -> Choice:
        """Return a paper's choice: for sure, or drawn out of so many."""
        home, *others = self.homes[one].values()
        waited_or_new = Placement.NEW if self.is_new[one] else Placement.WAITED
        return Choice(
            paper_id=one,
            topic=home.topic,
            score=home.score,
            raw=home.raw,
            also=tuple(claim.topic for claim in others),
            placement=Placement.EXPLORED if drawn_of else waited_or_new,
            propensity=1 / drawn_of if drawn_of else None,
        )


class _Table:
    """The places; ``taken`` says who has one and for which topic: group after group, the best of each first."""

    def __init__(self, places: int, shares: Sequence[float], wanted: _Wanted) -> None:
        self._places, self._shares, self._wanted = places, shares, wanted
        self.taken: dict[PaperId, int] = {}

    def seat(self, claims: Sequence[Claim], near: Near | None) -> list[Claim]:
        """Hear claims, best first, and return those of papers that step back behind one that has a place.

        In the first round each topic may take what is left of its share of all places, in the others its share of
        what is left. Every round but the first seats a paper or sends one back.
        """
        seated: dict[PaperId, int] = {}
        late: set[PaperId] = set()
        waiting, room = list(claims), self._room_of_all(claims)
        while waiting and (left := self._places - len(self.taken) - len(seated)) > 0:
            for claim in waiting:
                one = claim.paper_id
                if one in seated or one in late:
                    continue
                if _is_behind(one, self.taken, near) or _is_behind(one, seated, near):
                    late.add(one)
                elif room[claim.topic] > 0 and left > 0:
                    seated[one] = claim.topic
                    room[claim.topic] -= 1
                    left -= 1
            waiting = [claim for claim in waiting if claim.paper_id not in seated and claim.paper_id not in late]
            room = apportion(left, {claim.topic: self._shares[claim.topic] for claim in waiting})
        self.taken |= {one: seated[one] for one in sorted(seated, key=self._wanted.place.__getitem__)}
        return [claim for claim in claims if claim.paper_id in late]

    def _room_of_all(self, claims: Sequence[Claim]) -> dict[int, int]:
        """Return what is left of each topic's share of all places, among the topics that have some or want some."""
        used = Counter(self.taken.values())
        topics = dict.fromkeys([claim.topic for claim in claims] + list(used))
        parts = apportion(max(self._places, 0), {topic: self._shares[topic] for topic in topics})
        return {topic: parts[topic] - used[topic] for topic in topics}


def _is_behind(one: PaperId, chosen: Iterable[PaperId], near: Near | None) -> bool:
    """Say whether a paper is a near-duplicate of one of those chosen."""
    neighbours = near.get(one) if near is not None else None
    if not neighbours:  # most papers have none: then nothing need be gone through
        return False
    return any(other in neighbours for other in chosen)
