"""Planning any number of subscribers: everybody who is due gets one digest or a reason, chunk by chunk."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from typing import Any

import pytest

from paperdigest.errors import StoreError, UsageError
from paperdigest.pipeline import due, planning
from paperdigest.pipeline.planning import PlanReport, RankAll, Terms, plan
from paperdigest.store import Store
from paperdigest.store.digests import Digests
from paperdigest.store.engine import connect_raw
from paperdigest.store.judgements import Judgements
from paperdigest.store.ledger import Ledger
from paperdigest.store.outbox import Outbox
from paperdigest.store.subscribers import Subscribers
from paperdigest.types import (
    DeliveryState,
    Digest,
    Entry,
    Judgement,
    ListingState,
    OnEmpty,
    RankedPaper,
    Ranking,
    RankRequest,
    Schedule,
    StoredPaper,
    Subscriber,
    SubscriberStatus,
    Topic,
)
from tests.store_samples import listing, paper

NOON = datetime(2026, 4, 15, 12, 0, tzinfo=UTC)
DAY = timedelta(days=1)


def daily(tz: str) -> Schedule:
    return Schedule(days=frozenset(range(7)), at=time(0, 5), tz=tz)


class Desk:
    """A store with two papers, and planning at a moment that can be moved; ranks by a word of the title."""

    def __init__(self, path: Path) -> None:
        self.store = Store.open(path, create=True)
        self.store.record(listing(paper("2604.00001", "Tracing one"), paper("2604.00002", "Tracing two")), authority=2)
        self.subscribers = Subscribers(self.store.database)
        self.now = NOON
        self.terms = Terms(queue=7 * DAY, expires_after=timedelta(hours=36))
        self.asked: list[list[int]] = []
        self.forgotten: set[int] = set()

    def add(self, email: str = "you@example.org", query: str = "tracing", **more: object) -> Subscriber:
        fields: dict[str, object] = {
            "status": SubscriberStatus.ACTIVE,
            "created_at": NOON,
            "topics": (Topic(name=query, query=query),),
        }
        return self.subscribers.add(Subscriber(email=email, **{**fields, **more}))  # type: ignore[arg-type]  # by keyword

    def prepare(self, papers: Sequence[StoredPaper]) -> RankAll:
        def rank_all(requests: Iterable[RankRequest]) -> Iterator[tuple[RankRequest, Ranking | UsageError]]:
            some = list(requests)
            self.asked.append([one.subscriber.id for one in some])
            for request in some:
                if request.subscriber.id not in self.forgotten:
                    yield request, self.rank(request, papers)

        return rank_all

    def rank(self, request: RankRequest, papers: Sequence[StoredPaper]) -> Ranking | UsageError:
        (topic,) = request.subscriber.topics
        if topic.query == "broken":
            return UsageError("this query cannot be read")
        fresh = [one for one in papers if one.first_seen_at >= request.since and one.paper.id not in request.seen]
        found = [one for one in fresh if topic.query in one.paper.title.casefold().split()]
        score = 0.5
        if not found and topic.threshold == 0.0:
            found, score = fresh[:1], 0.25
        ranked = tuple(RankedPaper(stored=one, score=score, topic=topic.name) for one in found)
        return Ranking(ranked=ranked, considered=len(fresh))

    def plan(self, *, dry_run: bool = False, stop: Callable[[], bool] = lambda: False) -> PlanReport:
        def message_id(made: object, number: int) -> str:
            return f"<{number}@x>"

        return plan(self.store, self.prepare, message_id, self.terms, now=self.now, dry_run=dry_run, stop=stop)

    def arrive(self) -> None:
        """Everything that was planned has arrived."""
        self.execute("UPDATE deliveries SET state = 'sent' WHERE state IN ('planned', 'deferred')")

    def titles(self, one: Subscriber) -> list[str]:
        """The papers of the newest digest."""
        digest = Digests(self.store.database).latest(one.id)
        return [] if digest is None else sorted(ranked.stored.paper.title for ranked in digest.ranked)

    def editions(self, one: Subscriber) -> list[date]:
        return sorted(Ledger(self.store.database).of(one.id))

    def execute(self, statement: str) -> None:
        with connect_raw(self.store.path) as raw:
            raw.execute(statement)


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    opened = Desk(tmp_path / "papers.db")
    yield opened
    opened.store.close()


# Everybody, whatever the chunks


@pytest.mark.parametrize("together", [1, 2, 3, 100])
def test_the_size_of_the_chunks_changes_nothing(desk: Desk, together: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(planning, "TOGETHER", together)
    monkeypatch.setattr(due, "AT_ONCE", together)
    some = [desk.add(f"{number}@example.org", query=["tracing", "two", "none"][number % 3]) for number in range(9)]
    report = desk.plan()
    assert (report.candidates, report.planned, dict(report.excluded)) == (9, 6, {"nothing matched": 3})
    assert [desk.titles(one) for one in some] == [["Tracing one", "Tracing two"], ["Tracing two"], []] * 3
    assert sorted(number for chunk in desk.asked for number in chunk) == [one.id for one in some]
    assert max(map(len, desk.asked)) <= together
    assert desk.plan().planned == 0


def test_digests_of_very_many_papers_are_stored_a_few_at_a_time(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(planning, "PAPERS", 4)
    sizes: list[int] = []
    add_many = Digests.add_many

    def counted(self: Digests, made: Sequence[Digest], **more: Any) -> object:
        sizes.append(len(made))
        return add_many(self, made, **more)

    monkeypatch.setattr(Digests, "add_many", counted)
    some = [desk.add(f"{number}@example.org") for number in range(5)]
    assert desk.plan().planned == 5
    assert sizes == [2, 2, 1]
    assert [desk.titles(one) for one in some] == [["Tracing one", "Tracing two"]] * 5


@pytest.mark.parametrize("after", [0, 1, 2, 3, 5, 8, 13, 21])
def test_planning_that_is_told_to_stop_leaves_the_rest_to_the_next_run(
    desk: Desk, after: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whenever it is told: before it has gone through the subscribers, between chunks, or in one."""
    monkeypatch.setattr(planning, "TOGETHER", 4)
    monkeypatch.setattr(due, "AT_ONCE", 4)
    some = [desk.add(f"{number}@example.org", query=["tracing", "two", "none"][number % 3]) for number in range(9)]
    asked = iter(range(1000))
    first = desk.plan(stop=lambda: next(asked) >= after)
    left = first.excluded["left to the next run, because it was told to stop"]
    assert first.candidates == first.planned + first.excluded.total()
    assert not [one for one in first.problems if "ALARM" in one]
    assert left > 0 or after in (0, 21)
    second = desk.plan()
    assert first.planned + second.planned == 6
    assert first.excluded["nothing matched"] + second.excluded["nothing matched"] == 3
    assert [desk.titles(one) for one in some] == [["Tracing one", "Tracing two"], ["Tracing two"], []] * 3


def test_those_who_ask_for_the_same_are_planned_together(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(planning, "TOGETHER", 3)
    for number in range(9):
        desk.add(f"{number}@example.org", query=["tracing", "two", "none"][number % 3])
    desk.plan()
    assert sorted(desk.asked) == [[1, 4, 7], [2, 5, 8], [3, 6, 9]]


def test_candidates_are_planned_or_excluded_for_a_reason(desk: Desk) -> None:
    desk.add("a@example.org")
    desk.add("b@example.org", query="xylophone")
    desk.add("c@example.org", query="broken")
    desk.add("d@example.org", schedule=Schedule(at=time(23, 0)))
    desk.add("e@example.org", status=SubscriberStatus.PENDING)
    desk.add("f@example.org", status=SubscriberStatus.PAUSED)
    report = desk.plan()
    assert (report.candidates, report.waiting, report.planned) == (3, 1, 1)
    assert dict(report.excluded) == {"nothing matched": 1, "cannot be planned": 1}
    assert report.problems == ("subscriber 3: this query cannot be read",)


def test_whoever_is_lost_on_the_way_is_an_alarm(desk: Desk) -> None:
    desk.add("a@example.org")
    lost = desk.add("b@example.org")
    desk.forgotten = {lost.id}
    report = desk.plan()
    assert (report.candidates, report.planned) == (2, 1)
    (problem,) = report.problems
    assert problem.startswith("ALARM: 2 subscribers were due, but 1 are accounted for")


@pytest.mark.parametrize(
    "change",
    [
        "tz = 'Mars/Olympus'",
        "at = 'noon'",
        "days = 'x'",
        "days = ''",
        "created_at = 'yesterday'",
        "max_papers = 0",
        "pause_until = 'soon'",
        "on_empty = 'shout'",
        "examined_on = '2026-02-30'",
    ],
)
def test_one_whose_row_is_broken_stops_nobody_else(desk: Desk, change: str) -> None:
    for number in range(3):
        desk.add(f"{number}@example.org")
    desk.execute(f"UPDATE subscribers SET {change} WHERE id = 2")
    report = desk.plan()
    assert (report.candidates, report.planned, dict(report.excluded)) == (3, 2, {"cannot be planned": 1})
    assert report.problems[0].startswith("subscriber 2: ")
    assert "example.org" not in report.problems[0]


def test_one_whose_topic_is_broken_stops_nobody_else(desk: Desk) -> None:
    for number in range(3):
        desk.add(f"{number}@example.org")
    desk.execute("UPDATE topics SET weight = -1 WHERE subscriber_id = 2")
    assert (desk.plan().planned, desk.plan().excluded["cannot be planned"]) == (2, 1)


def test_many_problems_are_counted_and_the_first_are_told(desk: Desk) -> None:
    for number in range(30):
        desk.add(f"{number}@example.org", schedule=Schedule(tz="Mars/Olympus"))
    report = desk.plan()
    assert report.excluded["cannot be planned"] == 30
    assert len(report.problems) == planning.TOLD + 1
    assert report.problems[-1] == "and 10 more like these"


def test_a_suppressed_address_is_not_planned_for_until_it_may_be_tried_again(desk: Desk) -> None:
    gone, late = desk.add("a@example.org"), desk.add("b@example.org")
    for one, until in ((gone, "NULL"), (late, "'2026-04-16T00:00:00.000000Z'")):
        desk.execute(
            "INSERT INTO suppressions (address_hash, subscriber_id, reason, since_at, until_at)"
            f" VALUES (x'0{one.id}', {one.id}, 'gone', '2026-04-01T00:00:00.000000Z', {until})"
        )
    report = desk.plan()
    assert (report.candidates, report.planned) == (2, 0)
    assert dict(report.excluded) == {"no mail goes to the address": 2}
    desk.now += DAY
    assert (desk.plan().planned, desk.editions(late)) == (1, [date(2026, 4, 16)])


def test_who_unsubscribes_or_is_removed_while_others_are_planned_is_told_apart(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second, third = (desk.add(f"{number}@example.org") for number in range(3))
    get_many = Subscribers.get_many

    def late(self: Subscribers, numbers: Sequence[int]) -> object:
        desk.subscribers.update(replace(first, status=SubscriberStatus.UNSUBSCRIBED))
        desk.subscribers.remove(second.email)
        return get_many(self, numbers)

    monkeypatch.setattr(Subscribers, "get_many", late)
    report = desk.plan()
    assert (report.candidates, report.planned, dict(report.excluded)) == (3, 1, {"gone meanwhile": 2})
    assert desk.titles(third) == ["Tracing one", "Tracing two"]


def test_who_is_removed_while_being_ranked_stops_nobody_else(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    _, second = desk.add("a@example.org"), desk.add("b@example.org")
    rank = desk.rank

    def slow(request: RankRequest, papers: Sequence[StoredPaper]) -> Ranking | UsageError:
        if request.subscriber.id == second.id:
            desk.subscribers.remove(second.email)
        return rank(request, papers)

    monkeypatch.setattr(desk, "rank", slow)
    report = desk.plan()
    assert (report.planned, dict(report.excluded)) == (1, {"gone meanwhile": 1})


def test_what_another_run_has_planned_meanwhile_is_left_as_it_is(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    one, other = desk.add("a@example.org"), desk.add("b@example.org")
    rank = desk.rank
    rivals: list[PlanReport] = []

    def slow(request: RankRequest, papers: Sequence[StoredPaper]) -> Ranking | UsageError:
        if not rivals:
            monkeypatch.setattr(desk, "rank", rank)
            rivals.append(desk.plan())
        return rank(request, papers)

    monkeypatch.setattr(desk, "rank", slow)
    report = desk.plan()
    assert (rivals[0].planned, report.planned) == (2, 0)
    assert dict(report.excluded) == {"planned by another run": 2}
    assert desk.editions(one) == desk.editions(other) == [NOON.date()]


def test_a_chunk_is_planned_whole_or_not_at_all(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(planning, "TOGETHER", 2)
    some = [desk.add(f"{number}@example.org") for number in range(4)]

    with pytest.raises(StoreError):
        plan(desk.store, desk.prepare, lambda _, number: f"<{number % 3}@x>", desk.terms, now=desk.now)
    assert [len(desk.editions(one)) for one in some] == [1, 1, 0, 0]
    desk.execute("UPDATE deliveries SET message_id = '<old' || id || '@x>'")
    assert desk.plan().planned == 2


def test_a_dry_run_stores_nothing(desk: Desk) -> None:
    desk.add("a@example.org")
    desk.add("b@example.org", query="none", on_empty=OnEmpty.NOTE)
    desk.add("c@example.org", query="none")
    before = b"".join(repr(row).encode() for row in connect_raw(desk.store.path).execute("SELECT * FROM subscribers"))
    report = desk.plan(dry_run=True)
    assert (report.planned, report.notes, report.excluded.total()) == (2, 1, 1)
    with connect_raw(desk.store.path) as raw:
        assert b"".join(repr(row).encode() for row in raw.execute("SELECT * FROM subscribers")) == before
        for table in ("digests", "digest_items", "fragments", "deliveries"):
            assert raw.execute(f"SELECT count(*) FROM {table}").fetchone() == (0,)


# Empty editions


def test_an_empty_edition_is_ranked_again_only_when_papers_have_come(desk: Desk) -> None:
    one = desk.add(query="three")
    assert dict(desk.plan().excluded) == {"nothing matched": 1}
    for _ in range(3):
        desk.now += timedelta(minutes=15)
        report = desk.plan()
        assert (report.candidates, dict(report.excluded)) == (1, {"nothing new since it was last looked at": 1})
    assert len(desk.asked) == 1
    desk.store.record(listing(paper("2604.00008", "Something else"), source="b", hours=6), authority=2)
    assert dict(desk.plan().excluded) == {"nothing matched": 1}
    desk.store.record(listing(paper("2604.00003", "Tracing three"), source="c", hours=7), authority=2)
    assert dict(desk.plan().excluded) == {"nothing new since it was last looked at": 1}  # by this clock it is to come
    desk.now += timedelta(hours=1)
    assert (desk.plan().planned, desk.titles(one)) == (1, ["Tracing three"])


ZONES = ("America/Los_Angeles", "Pacific/Auckland", "Asia/Kolkata", "UTC")
"""West and east of Greenwich: by the first two, midnight of UTC falls into the middle of a local day."""


def test_midnight_of_utc_hides_no_papers_from_an_edition_that_was_empty(desk: Desk) -> None:
    """As many papers came as are, since midnight, too old to be looked at."""
    some = [desk.add(f"{zone[-4:]}@example.org", "three", schedule=daily(zone)) for zone in ZONES]
    desk.now = datetime(2026, 6, 14, 23, 50, tzinfo=UTC)  # the desk's papers came sixty days before
    assert len(desk.plan().excluded) == 1
    desk.store.record(
        listing(paper("2604.00003", "Tracing three"), paper("2604.00004", "Else"), source="b", hours=60 * 24 + 18),
        authority=2,
    )
    desk.now += timedelta(minutes=20)
    desk.plan()
    assert [desk.titles(one) for one in some] == [["Tracing three"]] * len(ZONES)


def test_at_midnight_of_utc_nothing_is_ranked_again_for_nothing(desk: Desk) -> None:
    for zone in ZONES[:2]:
        desk.add(f"{zone[-4:]}@example.org", "three", schedule=daily(zone))
    desk.now = datetime(2026, 6, 14, 23, 50, tzinfo=UTC)
    desk.plan()
    desk.now += timedelta(minutes=20)
    assert dict(desk.plan().excluded) == {"nothing new since it was last looked at": 2}
    assert len(desk.asked) == 1


def test_a_paper_that_turns_out_to_be_another_does_not_hide_one_that_came(desk: Desk) -> None:
    one = desk.add(query="three")
    desk.plan()
    with connect_raw(desk.store.path) as raw:  # as when two turn out to be one
        raw.execute("PRAGMA foreign_keys = OFF")
        raw.execute("DELETE FROM papers WHERE title = 'Tracing two'")
    desk.store.record(listing(paper("2604.00003", "Tracing three"), source="b", hours=1), authority=2)
    assert (desk.plan().planned, desk.titles(one)) == (1, ["Tracing three"])


def test_an_empty_edition_is_ranked_again_when_the_topics_have_changed(desk: Desk) -> None:
    one = desk.add(query="three")
    desk.plan()
    desk.subscribers.update(replace(one, topics=(Topic(name="two", query="two"),)))
    assert (desk.plan().planned, desk.titles(one)) == (1, ["Tracing two"])


def test_papers_that_come_while_an_edition_is_ranked_are_looked_at_by_the_next_run(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    one = desk.add(query="three")
    late = listing(paper("2604.00003", "Tracing three"), source="b", hours=5)
    rank = desk.rank

    def slow(request: RankRequest, papers: Sequence[StoredPaper]) -> Ranking | UsageError:
        desk.store.record(late, authority=2)
        return rank(request, papers)

    monkeypatch.setattr(desk, "rank", slow)
    assert dict(desk.plan().excluded) == {"nothing matched": 1}
    assert (desk.plan().planned, desk.titles(one)) == (1, ["Tracing three"])


# What was sent, and what was not


def test_what_was_sent_under_another_name_is_not_sent_again(desk: Desk) -> None:
    one = desk.add()
    desk.plan()
    desk.arrive()
    desk.execute("UPDATE digest_items SET paper_key = 'doi:10.1/one' WHERE paper_key = 'arxiv:2604.00001'")
    desk.execute("INSERT INTO paper_keys (key, paper_id) SELECT 'doi:10.1/one', id FROM papers WHERE key LIKE '%00001'")
    desk.now += DAY
    assert dict(desk.plan().excluded) == {"no new papers": 1}
    assert desk.editions(one) == [NOON.date()]


@pytest.mark.parametrize(
    ("state", "again"),
    [
        *((state, 1) for state in ("expired", "failed", "skipped", "planned", "deferred")),
        *((state, 0) for state in ("sent", "in_doubt", "leased", "sending")),
    ],
)
def test_papers_of_a_digest_that_never_arrived_come_with_the_next(desk: Desk, state: str, again: int) -> None:
    one = desk.add()
    desk.plan()
    assert DeliveryState(state)
    desk.execute(f"UPDATE deliveries SET state = '{state}'")
    desk.now += DAY
    assert desk.plan().planned == again
    assert len(desk.editions(one)) == 1 + again


def states(desk: Desk, one: Subscriber) -> list[str]:
    """Of the deliveries, the oldest edition first."""
    found = Ledger(desk.store.database).of(one.id)
    return [found[edition].state.value for edition in sorted(found)]


def test_a_digest_that_still_waits_is_taken_over_by_the_next_edition(desk: Desk) -> None:
    one = desk.add()
    for _ in range(3):
        report = desk.plan()
        desk.now += DAY
    assert (report.planned, report.taken_over) == (1, 1)
    assert states(desk, one) == ["expired", "expired", "planned"]
    assert desk.titles(one) == ["Tracing one", "Tracing two"]
    detail = Ledger(desk.store.database).of(one.id)[NOON.date()].detail
    assert detail == "taken over: its papers were ranked again for the edition of 2026-04-16"
    assert desk.store.check() == ()


def test_what_was_in_doubt_once_is_left_to_be_sent_again(desk: Desk) -> None:
    one = desk.add()
    desk.plan()
    desk.execute("UPDATE deliveries SET state = 'deferred', attempts = 1, lease_epoch = 1")
    desk.execute("INSERT INTO attempts (delivery_id, number, ended_at, state) VALUES (1, 1, '2026', 'in_doubt')")
    desk.now += DAY
    assert dict(desk.plan().excluded) == {"no new papers": 1}
    assert states(desk, one) == ["deferred"]


def test_what_an_operator_wants_tried_again_is_not_taken_over(desk: Desk) -> None:
    one = desk.add()
    desk.plan()
    desk.execute("UPDATE deliveries SET state = 'failed', attempts = 1, lease_epoch = 1")
    desk.now += DAY
    expires_at = desk.now + desk.terms.expires_after
    assert Outbox(desk.store.database).retry([1], now=desk.now, expires_at=expires_at).retried == (1,)
    assert dict(desk.plan().excluded) == {"no new papers": 1}
    assert states(desk, one) == ["deferred"]


def test_a_digest_that_is_claimed_while_its_papers_are_ranked_anew_is_not_taken_over(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    one, other = desk.add(), desk.add("other@example.org")
    desk.plan()
    desk.now += DAY
    rank = desk.rank

    def slow(request: RankRequest, papers: Sequence[StoredPaper]) -> Ranking | UsageError:
        Ledger(desk.store.database).claim(desk.now, owner="another", limit=1)
        monkeypatch.undo()
        return rank(request, papers)

    monkeypatch.setattr(desk, "rank", slow)
    report = desk.plan()
    assert (report.planned, report.taken_over) == (1, 1)
    assert dict(report.excluded) == {"the edition before is just being delivered": 1}
    assert (states(desk, one), states(desk, other)) == (["leased"], ["expired", "planned"])
    assert dict(desk.plan().excluded) == {"no new papers": 1}


def test_a_digest_waits_on_when_the_next_edition_has_nothing_to_say(desk: Desk) -> None:
    one = desk.add()
    desk.plan()
    desk.subscribers.update(replace(one, topics=(Topic(name="none", query="none"),)))
    desk.now += DAY
    assert (desk.plan().planned, states(desk, one)) == (0, ["planned"])


def test_a_digest_of_a_clock_that_ran_ahead_is_not_taken_over(desk: Desk) -> None:
    one = desk.add()
    desk.now += 2 * DAY
    desk.plan()
    desk.now -= DAY
    desk.plan()
    assert "expired" not in states(desk, one)


@pytest.mark.parametrize("state", ["deferred", "expired"])
def test_papers_that_waited_in_the_queue_are_not_too_old_after_a_digest_was_lost(desk: Desk, state: str) -> None:
    one = desk.add(created_at=NOON - DAY)
    desk.now = NOON + 7 * DAY - timedelta(hours=7)
    desk.plan()
    desk.execute(f"UPDATE deliveries SET state = '{state}'")
    desk.now += DAY
    assert (desk.plan().planned, desk.titles(one)) == (1, ["Tracing one", "Tracing two"])


def test_new_versions_of_liked_papers_are_taken_over_too(desk: Desk) -> None:
    one = desk.add(query="none")
    liked = Judgement(paper_id=paper("2604.00001").id, title="Tracing one", liked=True, judged_at=NOON)
    Judgements(desk.store.database).add(one.id, [liked])
    changed = Entry(paper=paper("2604.00001", "Tracing one", version=2), announce_type="replace")
    desk.store.record(listing(changed, source="b", day=date(2026, 4, 16), hours=20), authority=2)
    for _ in range(2):
        desk.now += DAY
        assert desk.plan().planned == 1
        digest = Digests(desk.store.database).latest(one.id)
        assert digest is not None
        assert [stored.paper.version for stored in digest.revised] == [2]
    assert states(desk, one) == ["expired", "planned"]


def test_a_dry_run_takes_nothing_over(desk: Desk) -> None:
    one = desk.add()
    desk.plan()
    desk.now += DAY
    assert desk.plan(dry_run=True).taken_over == 1
    assert states(desk, one) == ["planned"]


# Time


def test_a_pause_ends_with_one_digest_that_catches_up(desk: Desk) -> None:
    paused = desk.add("a@example.org", schedule=Schedule(pause_until=date(2026, 4, 20)))
    for days in range(1, 8):
        desk.store.record(
            listing(paper(f"2604.0001{days}", f"Tracing day {days}"), source="b", hours=6 + 24 * days - 2), authority=2
        )
        desk.now = NOON + days * DAY
        desk.plan()
        desk.plan()
    assert desk.editions(paused) == [date(2026, 4, 20 + days) for days in range(3)]
    first = Digests(desk.store.database).get(1)
    assert sorted(one.stored.paper.title for one in first.ranked) == [
        *(f"Tracing day {days}" for days in range(1, 6)),
        "Tracing one",
        "Tracing two",
    ]


def test_three_days_of_downtime_are_caught_up_with_once(desk: Desk) -> None:
    one = desk.add(created_at=NOON - 10 * DAY)
    desk.now = NOON - DAY
    desk.plan()
    desk.now = NOON + 3 * DAY
    assert [desk.plan().planned for _ in range(3)] == [1, 0, 0]
    assert desk.editions(one) == [date(2026, 4, 18)]


def test_a_clock_that_ran_ahead_and_came_back_neither_skips_nor_repeats(desk: Desk) -> None:
    one = desk.add(schedule=Schedule(at=time(7, 0)), created_at=NOON - 3 * DAY)
    seven = NOON - timedelta(hours=5)
    for hours in (1, 25, 0, 1, -23, 2, 24, 25, 26, 49, 25, 48, 50):
        number = len(desk.asked)
        desk.store.record(listing(paper(f"2604.01{number:03}", f"Tracing {number}"), source="b", hours=1), authority=2)
        desk.now = seven + timedelta(hours=hours)
        desk.plan()
    assert desk.editions(one) == [date(2026, 4, 15 + days) for days in range(3)]


def test_who_moves_to_another_zone_gets_each_local_date_once(desk: Desk) -> None:
    zones = ["Pacific/Auckland", "Pacific/Honolulu", "Europe/Berlin", "Pacific/Apia", "America/New_York", "UTC"]
    one = desk.add(schedule=Schedule(at=time(7, 0), tz="UTC"), created_at=NOON)
    editions: list[date] = []
    for hour in range(24 * 12):
        desk.now = NOON + timedelta(hours=hour)
        if hour % 31 == 30:
            known = desk.subscribers.get(one.email)
            zone = zones[hour // 31 % len(zones)]
            desk.subscribers.update(replace(known, schedule=replace(known.schedule, tz=zone)))
        desk.store.record(
            listing(paper(f"2604.1{hour:04}", f"Tracing hour {hour}"), source="b", hours=6 + hour), authority=2
        )
        desk.plan()
    editions = desk.editions(one)
    days = (editions[-1] - editions[0]).days + 1
    assert editions == [editions[0] + number * DAY for number in range(days)]
    assert days >= 12


# Quiet days


def note(desk: Desk, one: Subscriber) -> tuple[str, ...]:
    digest = Digests(desk.store.database).latest(one.id)
    assert digest is not None
    assert digest.ranked == ()
    return digest.quiet


def test_who_wants_a_note_learns_what_came_and_what_came_nearest(desk: Desk) -> None:
    one = desk.add(query="xylophone", on_empty=OnEmpty.NOTE)
    silent = desk.add("b@example.org", query="xylophone")
    report = desk.plan()
    assert (report.planned, report.notes, dict(report.excluded)) == (1, 1, {"nothing matched": 1})
    assert note(desk, one) == (
        "2 papers came since Wednesday, 8 April, but nothing matched your topic.",
        "What came nearest, but not near enough, was “Tracing one” (25% for xylophone).",
    )
    assert desk.editions(silent) == []


def test_a_note_is_the_edition_and_what_comes_later_that_day_is_in_the_next(desk: Desk) -> None:
    one = desk.add(query="three", on_empty=OnEmpty.NOTE)
    assert desk.plan().notes == 1
    desk.store.record(listing(paper("2604.00003", "Tracing three"), source="b", hours=7), authority=2)
    desk.now += timedelta(hours=2)
    assert desk.plan().planned == 0
    desk.now += DAY
    assert (desk.plan().planned, desk.titles(one)) == (1, ["Tracing three"])
    assert desk.editions(one) == [date(2026, 4, 15), date(2026, 4, 16)]


def test_a_note_says_when_everything_was_sent_before(desk: Desk) -> None:
    one = desk.add(on_empty=OnEmpty.NOTE)
    desk.plan()
    desk.arrive()
    desk.now += DAY
    desk.plan()
    assert note(desk, one) == (
        "No new papers have come since Wednesday, 15 April.",
        "2 papers of the last days went to you before.",
    )


@pytest.mark.parametrize(
    ("zone", "day"),
    [("Pacific/Auckland", "Thursday, 16"), ("America/Los_Angeles", "Tuesday, 14"), ("UTC", "Wednesday, 15")],
)
def test_a_note_names_days_as_its_reader_counts_them(desk: Desk, zone: str, day: str) -> None:
    desk.now = NOON if "Auckland" in zone else NOON - timedelta(hours=5.5)  # 00:00 of the 16th, 23:30 of the 14th
    schedule = replace(daily(zone), at=time(0, 0))
    one = desk.add(on_empty=OnEmpty.NOTE, created_at=desk.now, schedule=schedule)
    assert desk.plan().planned == 1
    desk.arrive()
    desk.now += DAY
    desk.plan()
    assert note(desk, one)[0] == f"No new papers have come since {day} April."


@pytest.mark.parametrize(
    ("state", "said"),
    [
        (
            ListingState.FAILED,
            "b could not be read on Wednesday, 15 April; its last good listing is that of Monday, 13 April.",
        ),
        (ListingState.STALE, "b has announced nothing new yet; its last listing is that of Wednesday, 15 April."),
        (ListingState.QUIET, "b announced nothing on Wednesday, 15 April."),
        (ListingState.PARTIAL, "b could only be read in part on Wednesday, 15 April; the rest may come later."),
    ],
)
def test_a_note_says_what_is_the_matter_with_a_source(desk: Desk, state: ListingState, said: str) -> None:
    for days, was in ((13, ListingState.COMPLETE), (14, state), (15, state)):
        desk.store.record(listing(source="b", day=date(2026, 4, days), state=was), authority=2)
    one = desk.add(query="xylophone", on_empty=OnEmpty.NOTE)
    desk.plan()
    assert note(desk, one)[-1] == said


def test_a_note_says_that_a_source_keeps_the_weekend(desk: Desk) -> None:
    desk.terms = replace(desk.terms, calendars={"hf": lambda day: day.weekday() < 5, "feed": lambda day: None})
    desk.now = NOON + 3 * DAY
    one = desk.add(query="xylophone", on_empty=OnEmpty.NOTE, created_at=desk.now)
    desk.plan()
    assert note(desk, one)[2:] == (
        "feed has no listing of the last days.",
        "hf announces nothing on Saturday, 18 April: weekend or holiday.",
        "hf has not been read since Wednesday, 15 April.",
    )
