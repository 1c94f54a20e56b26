"""Recording listings: papers, entries, votes and validators, all in the caller's one transaction.

Three steps, each for all papers at once: find what is known (one query; a paper seen before exactly so needs
no more), join what is new with what is stored (pure, `merging`), write the differences.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from sqlite3 import Cursor

from paperdigest.store import bridging, indexing, knowledge_rows, network, recounting
from paperdigest.store.listing_rows import record_listing
from paperdigest.store.matching import groups
from paperdigest.store.merging import Knowledge, Stamp, join_all
from paperdigest.store.observing import Observation, observe
from paperdigest.types import Entry, Listing, ListingState

__all__ = ["Recorded", "record_all"]

_LOOK_UP = """
SELECT k.key, k.paper_id, v.authority, v.version, v.observed_at, v.digest
FROM paper_keys k JOIN provenance v ON v.paper_id = k.paper_id
WHERE k.key IN (SELECT value FROM json_each(?))
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Recorded:
    """What recording a listing did; ``new + updated + unchanged == entries``, the papers in that listing.

    ``updated`` counts known papers of which a reader now sees something else: content, identifiers, another
    appearance, other votes. ``state`` is the stored listing's, which a worse reading does not change.
    """

    new: int
    updated: int
    unchanged: int
    entries: int
    state: ListingState


@dataclass(slots=True)
class _Plan:
    """What is to be written of papers; ``numbers`` gives each observation's paper, in order."""

    numbers: list[int]
    new: dict[int, Knowledge] = field(default_factory=dict)
    changed: dict[int, tuple[Knowledge, Knowledge]] = field(default_factory=dict)
    merged: dict[int, list[int]] = field(default_factory=dict)
    seen_again: dict[int, str] = field(default_factory=dict)

    def visibly_changed(self) -> set[int]:
        """The known papers whose content or identifiers are not what they were."""
        return set(self.merged) | {
            number for number, (old, new) in self.changed.items() if _visible(old) != _visible(new)
        }


def record_all(cursor: Cursor, readings: Iterable[tuple[Listing, int]]) -> tuple[Recorded, ...]:
    """Record listings, each with the authority of its source's kind."""
    observed = [(listing, list(observe(listing, authority))) for listing, authority in readings]
    plan = _plan(cursor, [observation for _, pairs in observed for _, observation in pairs])
    _write(cursor, plan)
    changed, fresh, numbers = plan.visibly_changed(), set(plan.new), iter(plan.numbers)
    results = []
    for listing, pairs in observed:
        entries = [(next(numbers), entry) for entry, _ in pairs]
        results.append(_record_one(cursor, listing, entries, changed, fresh))
        fresh.difference_update(number for number, _ in entries)
    return tuple(results)


def _record_one(
    cursor: Cursor, listing: Listing, entries: list[tuple[int, Entry]], changed: set[int], fresh: set[int]
) -> Recorded:
    state, appeared = record_listing(cursor, listing, entries)
    network.save_validators(cursor, listing.validators, listing.retrieved_at)
    papers = {number for number, _ in entries}
    new = [number for number in papers if number in fresh]
    updated = sum(number not in fresh and (number in changed or number in appeared) for number in papers)
    return Recorded(
        new=len(new),
        updated=updated,
        unchanged=len(papers) - len(new) - updated,
        entries=len(papers),
        state=ListingState(state),
    )


def _plan(cursor: Cursor, observations: Sequence[Observation]) -> _Plan:
    known = _look_up(cursor, {observation.key for observation in observations})
    same: dict[int, list[Observation]] = {}  # by paper, as long as all of them only repeat what leads there
    other: list[Observation] = []
    for observation in observations:
        number, lead = known.get(observation.key, (0, None))
        if lead is not None and _repeats(observation.stamp, lead):
            same.setdefault(number, []).append(observation)
        else:
            other.append(observation)
    plan = _Plan(numbers=[])
    by_key = _plan_others(cursor, plan, other, same, known) if other else {}
    for number, repeated in same.items():
        latest = max(observation.stamp[2] for observation in repeated)
        lead = known[repeated[0].key][1]
        if lead is not None and latest > lead[2]:
            plan.seen_again[number] = latest
    moved = {old: keep for keep, gone in plan.merged.items() for old in gone}
    for observation in observations:
        number = by_key.get(observation.key) or known[observation.key][0]
        plan.numbers.append(moved.get(number, number))
    return plan


def _repeats(stamp: Stamp, lead: Stamp) -> bool:
    return stamp[:2] == lead[:2] and stamp[3] == lead[3] and stamp[2] >= lead[2]


def _look_up(cursor: Cursor, keys: Iterable[str]) -> dict[str, tuple[int, Stamp | None]]:
    found = cursor.execute(_LOOK_UP, (json.dumps(list(keys)),)) if keys else ()
    return {key: (number, (authority, version, at, digest)) for key, number, authority, version, at, digest in found}


def _plan_others(
    cursor: Cursor,
    plan: _Plan,
    observations: Sequence[Observation],
    same: dict[int, list[Observation]],
    known: dict[str, tuple[int, Stamp | None]],
) -> dict[str, int]:
    """Join observations with one another and with stored papers that share a key; return each key's paper.

    A paper that is joined here takes its mere repetitions (``same``) along. ``known`` is what was found
    of the observations' own keys, so that only the others are looked up here.
    """
    keyed = [(observation, observation.keys()) for observation in observations]
    every = [key for _, keys in keyed for key in keys]
    own = {observation.key for observation in observations}
    found = {key: known[key] for key in every if key in known}
    found |= _look_up(cursor, [key for key in every if key not in known and key not in own])
    following = knowledge_rows.next_paper_id(cursor)
    if not found and len(set(every)) == len(every):  # nothing known, nothing shared: a day that was never read
        for number, (observation, keys) in enumerate(keyed, start=following):
            plan.new[number] = observation.knowledge(keys)
        return {observation.key: number for number, (observation, _) in enumerate(keyed, start=following)}
    links: list[tuple[str | int, ...]] = [keys for _, keys in keyed]
    links += [(key, number) for key, (number, _) in found.items()]
    parts = groups(links)
    part_of = {node: place for place, part in enumerate(parts) for node in part}
    members: list[list[Knowledge]] = [[] for _ in parts]
    for observation, keys in keyed:
        members[part_of[keys[0]]].append(observation.knowledge(keys))
    stored = knowledge_rows.load_knowledge(cursor, {number for number, _ in found.values()})
    for part, told in zip(parts, members, strict=True):
        numbers = sorted(node for node in part if isinstance(node, int))
        told += [one.knowledge(one.keys()) for number in numbers for one in same.pop(number, ())]
        number = numbers[0] if numbers else following
        following += not numbers
        joined = join_all([*(stored[old] for old in numbers), *told])
        if not numbers:
            plan.new[number] = joined
        elif joined != stored[number]:
            plan.changed[number] = (stored[number], joined)
        if len(numbers) > 1:
            plan.merged[number] = numbers[1:]
        for node in part:
            if isinstance(node, str):
                part_of[node] = number
    return {node: number for node, number in part_of.items() if isinstance(node, str)}


def _write(cursor: Cursor, plan: _Plan) -> None:
    retold = [number for number, (old, new) in plan.changed.items() if _texts(old) != _texts(new)]
    merged = [number for gone in plan.merged.values() for number in gone]
    if retold or merged:
        recounting.keep_counted(cursor, [*retold, *merged])
        highest = indexing.highest_indexed(cursor)  # later papers wait to be indexed as they will be then
        retold = [number for number in retold if number <= highest]
        indexing.delete_texts(cursor, [*retold, *(number for number in merged if number <= highest)])
    for keep, gone in plan.merged.items():
        for number in gone:
            bridging.absorb(cursor, keep, number)
    if plan.changed:
        knowledge_rows.save_changed(cursor, plan.changed)
    if plan.new:
        knowledge_rows.save_new(cursor, plan.new)
    if retold:
        indexing.index_texts(cursor, retold)
    if plan.new:
        indexing.index_waiting(cursor, at_least=indexing.BATCH)
    if plan.seen_again:
        cursor.executemany(
            "UPDATE provenance SET observed_at = ? WHERE paper_id = ?",
            [(moment, number) for number, moment in plan.seen_again.items()],
        )


def _texts(known: Knowledge) -> tuple[object, ...]:
    title, abstract, authors, *_ = known.fields
    return title[0], abstract and abstract[0], authors and [name for name, _ in authors[0]]


def _visible(known: Knowledge) -> tuple[object, ...]:
    return known.fields, known.keys, known.versions.keys(), known.first_seen_at
