"""Who is due, out of any number of subscribers, and in which order they are planned.

The subscribers are gone through once, a few thousand at a time; of those who are due four numbers each are kept.
They are planned by the day from which papers count for them and then by what they ask for: whoever asks for the
same stands together, so that what ranking and freezing remember is small and nearly always at hand.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta

import numpy as np

from paperdigest import schedule
from paperdigest.errors import UsageError
from paperdigest.store.standing import Standing, Standings
from paperdigest.types import Schedule

__all__ = ["DueSubscribers", "newest_due"]

AT_ONCE = 2000
"""Subscribers that are looked at together."""

Starts = Callable[[dict[int, date], datetime], dict[int, datetime]]
_Slots = dict[Schedule, schedule.Due | UsageError | None]


@dataclass(slots=True)
class DueSubscribers:
    """Those whose hour has come, some bytes for each, and how many others there are.

    ``active`` counts everybody who gets mail; ``waiting`` those of them whose hour has not come; ``suppressed`` those
    who are due and whose address no mail goes to; ``unchanged`` those whose edition was found empty and for whom no
    paper has come since; ``broken`` says why some cannot be planned, by number.
    """

    active: int = 0
    waiting: int = 0
    suppressed: int = 0
    unchanged: int = 0
    broken: dict[int, UsageError] = field(default_factory=dict)
    earliest: datetime | None = None
    _rows: np.ndarray[tuple[int, int], np.dtype[np.int64]] = field(
        default_factory=lambda: np.empty((0, 4), dtype=np.int64)
    )

    def __len__(self) -> int:
        return len(self._rows)

    @classmethod
    def find(
        cls,
        standings: Standings,
        starts: Starts,
        look_back: timedelta,
        now: datetime,
        *,
        papers: int,
        stop: Callable[[], bool] = lambda: False,
    ) -> DueSubscribers:
        """Go through all active subscribers.

        Args:
            standings: where they are.
            starts: says from when on papers count for some of them (`Composer.starts`).
            look_back: how old a slot may be that is caught up with.
            now: the moment of the run.
            papers: how many there are (`Standings.papers`).
            stop: asked whether to go no further.
        """
        found, last = cls(), 0
        slots: _Slots = {}
        parts = [found._rows]
        while not stop() and (some := standings.active(now, after=last, limit=AT_ONCE)):
            last = some[-1][0]
            due = dict(found._sorted_out(some, slots, look_back, now, papers))
            if due:
                begin = starts(due, now)
                found.earliest = min([*begin.values(), *([found.earliest] if found.earliest else ())])
                interests = standings.interests(list(due))
                parts.append(
                    np.array(
                        [(begin[one].toordinal(), interests[one], one, due[one].toordinal()) for one in due],
                        dtype=np.int64,
                    )
                )
        rows = np.concatenate(parts)
        found._rows = rows[np.lexsort(rows.T[2::-1])]
        return found

    def chunks(self, size: int) -> Iterator[dict[int, date]]:
        """Yield the editions that are due, by subscriber, so many subscribers at a time."""
        for start in range(0, len(self._rows), size):
            some = self._rows[start : start + size, 2:].tolist()
            yield {number: date.fromordinal(edition) for number, edition in some}

    def _sorted_out(
        self,
        some: tuple[tuple[int, Standing | UsageError], ...],
        slots: _Slots,
        look_back: timedelta,
        now: datetime,
        papers: int,
    ) -> Iterator[tuple[int, date]]:
        """Count everybody and yield those who are due."""
        for number, standing in some:
            self.active += 1
            try:
                if isinstance(standing, UsageError):
                    raise standing
                edition = newest_due(standing, look_back, now, slots)
            except UsageError as error:
                self.broken[number] = error
                continue
            if edition is None:
                self.waiting += 1
            elif standing.is_suppressed:
                self.suppressed += 1
            elif edition == standing.examined_on and standing.examined_papers == papers:
                self.unchanged += 1
            else:
                yield number, edition


def newest_due(standing: Standing, look_back: timedelta, now: datetime, slots: _Slots | None = None) -> date | None:
    """Return the newest edition whose hour has come and that was not planned; days of downtime give one, not three.

    One that was looked at and found empty is looked at again on its own local date only: papers that come on
    Saturday are no reason to mail somebody who wants mail from Monday to Friday. What was planned by a clock that ran
    ahead is not planned again, but does not keep the editions before it from being planned.

    Args:
        standing: the subscriber's.
        look_back: how old a slot may be.
        now: the moment of the run.
        slots: the newest slots of schedules at this moment, as far as they are known; more are put in.

    Raises:
        UsageError: the subscriber's zone is unknown.
    """
    timetable = standing.schedule
    slots = {} if slots is None else slots
    if timetable not in slots:
        try:
            slots[timetable] = schedule.latest(timetable, now - look_back, now)
        except UsageError as error:
            slots[timetable] = error
    slot = slots[timetable]
    if isinstance(slot, UsageError):
        raise slot
    if slot is None:
        return None
    zone = schedule.parse_zone(timetable.tz)
    # Their first day counts from its midnight, so that the first digest does not wait for tomorrow.
    joined = datetime.combine(standing.created_at.astimezone(zone).date(), time.min, zone).astimezone(UTC)
    if slot.at < joined:
        return None
    is_planned = slot.edition == standing.newest or (standing.planned is not None and slot.edition <= standing.planned)
    was_empty = standing.examined_on is not None and slot.edition <= standing.examined_on
    if is_planned or (was_empty and slot.edition < now.astimezone(zone).date()):
        return None
    return slot.edition
