"""Planning and delivering: everybody who is due gets one digest, trouble with one stops no other."""

from __future__ import annotations

import time as time_module
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime, time, timedelta
from pathlib import Path

import pytest
from sqlalchemy import func, select

from paperdigest.errors import MailError, RenderError, UsageError
from paperdigest.pipeline.delivering import DeliveryReport, DeliveryTerms, backoff, deliver
from paperdigest.pipeline.planning import PlanReport, RankAll, Terms, plan
from paperdigest.protocols import BeforeFinal, OutgoingMessage
from paperdigest.store import Store
from paperdigest.store.delivery_tables import deliveries
from paperdigest.store.ledger import LEASE, Ledger
from paperdigest.store.subscribers import Subscribers
from paperdigest.types import (
    Delivery,
    Digest,
    Entry,
    RankedPaper,
    Ranking,
    RankRequest,
    Schedule,
    StoredPaper,
    Subscriber,
    SubscriberStatus,
    Topic,
)
from tests.own_lane import OwnLane
from tests.store_samples import listing, paper
from tests.written import written

NOON = datetime(2026, 4, 15, 12, 0, tzinfo=UTC)
DAY = timedelta(days=1)


class Postbox(OwnLane):
    """A mailer that keeps what it is given, and can be told to refuse."""

    def __init__(self) -> None:
        self.received: list[OutgoingMessage] = []
        self.refusals: dict[str, list[MailError]] = {}

    def send(self, message: OutgoingMessage, before_final: BeforeFinal) -> str | None:
        waiting = self.refusals.get(message.recipient)
        if waiting and not waiting[0].after_dot:
            raise waiting.pop(0)
        if not before_final():
            return None
        if waiting:
            raise waiting.pop(0)
        self.received.append(message)
        return "250 ok"


class Office:
    """A store with two papers, and the use cases at a moment that can be moved."""

    def __init__(self, path: Path) -> None:
        self.store = Store.open(path, create=True)
        self.store.record(listing(paper("2604.00001", "Tracing one"), paper("2604.00002", "Tracing two")), authority=2)
        self.subscribers = Subscribers(self.store.database)
        self.postbox = Postbox()
        self.now = NOON
        self.broken: set[str] = set()

    def add(self, email: str = "you@example.org", query: str = "tracing", **more: object) -> Subscriber:
        fields: dict[str, object] = {
            "status": SubscriberStatus.ACTIVE,
            "created_at": NOON,
            "topics": (Topic(name=query, query=query),),
        }
        return self.subscribers.add(Subscriber(email=email, **{**fields, **more}))  # type: ignore[arg-type]  # by keyword

    def prepare(self, papers: Sequence[StoredPaper]) -> RankAll:
        """Rank by whether a word of the title is asked for."""

        def rank_all(requests: Iterable[RankRequest]) -> Iterator[tuple[RankRequest, Ranking | UsageError]]:
            for request in requests:
                topics = request.subscriber.topics
                if any(topic.query == "broken" for topic in topics):
                    yield request, UsageError("this query cannot be read")
                    continue
                fresh = [
                    one for one in papers if one.first_seen_at >= request.since and one.paper.id not in request.seen
                ]
                words = {topic.query for topic in topics}
                found = [one for one in fresh if words & set(one.paper.title.casefold().split())]
                ranked = [RankedPaper(stored=one, score=0.5, topic=topics[0].name) for one in found]
                yield request, Ranking(ranked=tuple(ranked), considered=len(fresh))

        return rank_all

    def plan(self, *, dry_run: bool = False) -> PlanReport:
        terms = Terms(queue=7 * DAY, expires_after=timedelta(hours=36))
        return plan(
            self.store,
            self.prepare,
            lambda made, number: f"<{number}.{made.edition}@x>",
            terms,
            now=self.now,
            dry_run=dry_run,
        )

    def render(self, digest: Digest, delivery: Delivery) -> OutgoingMessage:
        if delivery.email in self.broken:
            raise RenderError("digest.html.j2", "is broken for this one")
        titles = "|".join(one.stored.paper.title for one in digest.ranked)
        return OutgoingMessage(
            sender="paperdigest@x",
            recipient=delivery.email,
            message_id=delivery.message_id,
            content=f"{delivery.message_id} {digest.composed_at} {titles}".encode(),
        )

    def deliver(self, on_in_doubt: str = "resend") -> DeliveryReport:
        return deliver(
            self.store,
            self.postbox,
            written(self.render),
            clock=lambda: self.now,
            terms=DeliveryTerms(on_in_doubt=on_in_doubt),
            monotonic=self.elapsed_s,
        )

    def elapsed_s(self) -> float:
        return (self.now - NOON).total_seconds()

    def await_heartbeat(self) -> None:
        """Wait until the run under way has renewed its leases."""
        wanted = select(func.min(deliveries.c.lease_until)).where(deliveries.c.state == "leased")
        for _ in range(500):
            with self.store.database.reading() as connection:
                if connection.execute(wanted).scalar_one() > self.now + LEASE / 2:
                    return
            time_module.sleep(0.01)
        raise AssertionError("no heartbeat")


@pytest.fixture
def office(tmp_path: Path) -> Iterator[Office]:
    opened = Office(tmp_path / "papers.db")
    yield opened
    opened.store.close()


def test_a_digest_is_planned_and_delivered_once(office: Office) -> None:
    office.add()
    assert (office.plan().planned, office.deliver().sent) == (1, 1)
    assert (office.plan().planned, office.deliver().sent) == (0, 0)
    assert [message.recipient for message in office.postbox.received] == ["you@example.org"]


def test_candidates_are_planned_or_excluded_for_a_reason(office: Office) -> None:
    office.add("a@example.org")
    office.add("b@example.org", query="xylophone")
    office.add("c@example.org", query="broken")
    office.add("d@example.org", schedule=Schedule(at=time(23, 0)))
    office.add("e@example.org", status=SubscriberStatus.PENDING)
    report = office.plan()
    assert (report.candidates, report.waiting) == (3, 1)
    assert report.planned + report.excluded.total() == report.candidates
    assert dict(report.excluded) == {"nothing matched": 1, "cannot be planned": 1}
    assert len(report.problems) == 1
    assert "example.org" not in report.problems[0]


def test_a_dry_run_stores_nothing(office: Office) -> None:
    office.add()
    assert office.plan(dry_run=True).planned == 1
    assert office.deliver().sent == 0
    assert office.plan().planned == 1


def test_days_of_downtime_give_one_digest_and_not_three(office: Office) -> None:
    office.add(created_at=NOON - 10 * DAY)
    assert (office.plan().planned, office.deliver().sent) == (1, 1)


def test_an_empty_edition_may_fill_on_its_own_day_but_not_on_the_next(office: Office) -> None:
    office.now = NOON + timedelta(days=2)  # Friday
    office.add(query="ten", created_at=office.now, schedule=Schedule(days=frozenset({4})))
    assert dict(office.plan().excluded) == {"nothing matched": 1}
    office.now += timedelta(hours=1)
    assert dict(office.plan().excluded) == {"nothing new since it was last looked at": 1}
    office.store.record(listing(paper("2604.00010", "Tracing ten"), source="other", hours=55), authority=2)
    assert office.plan(dry_run=True).planned == 1
    office.now += DAY  # Saturday
    assert (office.plan().planned, office.plan().waiting) == (0, 1)
    office.now += 6 * DAY  # the next Friday
    assert (office.plan().planned, office.deliver().sent) == (1, 1)


def test_an_edition_that_nobody_looked_at_is_caught_up_with_later(office: Office) -> None:
    office.now = NOON + timedelta(days=2)  # Friday, but nothing runs
    office.add(created_at=office.now, schedule=Schedule(days=frozenset({4})))
    office.now += DAY
    assert (office.plan().planned, office.deliver().sent) == (1, 1)


def test_what_was_sent_is_not_sent_again_but_new_papers_are(office: Office) -> None:
    office.add()
    office.plan()
    office.deliver()
    office.now = NOON + DAY
    assert dict(office.plan().excluded) == {"no new papers": 1}
    office.store.record(listing(paper("2604.00003", "Tracing three"), source="other", hours=20), authority=2)
    assert (office.plan().planned, office.deliver().sent) == (1, 1)
    assert office.postbox.received[-1].content.endswith(b" Tracing three")


def test_a_weekly_digest_that_comes_late_misses_nothing(office: Office) -> None:
    office.now = NOON - timedelta(hours=12)
    office.store.record(listing(paper("2604.00009", "Tracing nine"), source="first", hours=-24), authority=2)
    weekly = Schedule(days=frozenset({2}), at=time(0, 0))
    office.add(created_at=office.now, schedule=weekly)
    assert office.plan().planned == 1
    office.deliver()
    office.now += 8 * DAY  # a day later than the week before
    assert (office.plan().planned, office.deliver().sent) == (1, 1)
    assert office.postbox.received[-1].content.endswith(b" Tracing one|Tracing two")


def test_papers_first_seen_long_ago_are_no_news(office: Office) -> None:
    office.now = NOON + 8 * DAY
    office.add(created_at=office.now)
    assert dict(office.plan().excluded) == {"no new papers": 1}


def test_withdrawn_papers_are_not_sent(office: Office) -> None:
    withdrawn = (
        paper("2604.0000" + n, f"Tracing {word}", withdrawn=True, version=2) for n, word in (("1", "one"), ("2", "two"))
    )
    office.store.record(listing(*withdrawn, hours=1), authority=3)
    office.add()
    assert office.plan().planned == 0


def test_a_new_version_of_a_paper_never_met_before_is_no_news(office: Office) -> None:
    office.add()
    office.plan()
    office.deliver()
    office.now = NOON + DAY
    replaced = Entry(paper=paper("2401.00009", "Tracing nine", version=3), announce_type="replace")
    crossed = Entry(paper=paper("2604.00010", "Tracing ten"), announce_type="cross")
    office.store.record(listing(replaced, crossed, source="arxiv", hours=20), authority=3)
    assert (office.plan().planned, office.deliver().sent) == (1, 1)
    assert office.postbox.received[-1].content.endswith(b" Tracing ten")


def test_a_paused_subscriber_waits_for_the_day_of_their_return(office: Office) -> None:
    office.add(schedule=Schedule(pause_until=(NOON + DAY).date()))
    assert office.plan().planned == 0
    office.now = NOON + DAY
    assert office.plan().planned == 1


def test_who_unsubscribes_between_plan_and_delivery_gets_nothing(office: Office) -> None:
    known = office.add()
    office.plan()
    office.subscribers.update(
        Subscriber(email=known.email, id=known.id, status=SubscriberStatus.UNSUBSCRIBED, created_at=NOON)
    )
    report = office.deliver()
    assert (report.sent, report.skipped) == (0, 1)
    assert office.postbox.received == []


def test_a_template_that_fails_for_one_delays_that_one_only(office: Office) -> None:
    for email in ("a@example.org", "b@example.org", "c@example.org"):
        office.add(email)
    office.broken = {"b@example.org"}
    office.plan()
    report = office.deliver()
    assert (report.sent, report.deferred) == (2, 1)
    assert "is broken" in report.problems[0]
    office.broken.clear()
    office.now += timedelta(minutes=5)
    assert office.deliver().sent == 1


@pytest.mark.parametrize(
    ("error", "outcome"),
    [
        (MailError("450 later", permanent=False, code=450), "deferred"),
        (MailError("550 nobody", permanent=True, code=550), "failed"),
        (MailError("gone after the dot", permanent=False, after_dot=True), "in_doubt"),
    ],
    ids=["4xx", "5xx", "after the dot"],
)
def test_a_refusal_becomes_a_state_and_the_others_arrive(office: Office, error: MailError, outcome: str) -> None:
    for email in ("a@example.org", "b@example.org"):
        office.add(email)
    office.postbox.refusals["a@example.org"] = [error]
    office.plan()
    report = office.deliver()
    assert (getattr(report, outcome), report.sent) == (1, 1)
    assert "a@example.org" not in " ".join(report.problems)


def test_when_the_server_itself_is_in_trouble_the_run_ends_and_nobody_is_lost(office: Office) -> None:
    for number in range(5):
        office.add(f"reader{number}@example.org")
    office.postbox.refusals["reader1@example.org"] = [MailError("no connection", permanent=False, systemic=True)]
    office.plan()
    report = office.deliver()
    assert (report.sent, report.deferred) == (1, 1)
    counts = Ledger(office.store.database).counts()
    assert (counts["deferred"], counts["planned"]) == (1, 3)
    assert office.deliver().sent == 0  # the others wait as well
    office.now += timedelta(minutes=7)
    assert office.deliver().sent == 4


def test_a_deferred_digest_is_tried_again_with_the_same_bytes(office: Office) -> None:
    office.add()
    office.postbox.refusals["you@example.org"] = [MailError("450 later", permanent=False)]
    office.plan()
    assert office.deliver().deferred == 1
    assert office.deliver().sent == 0
    office.now += timedelta(minutes=7)
    assert office.deliver().sent == 1
    first = office.postbox.received[0]
    assert str(NOON).encode() in first.content


@pytest.mark.parametrize(("policy", "mails"), [("resend", 1), ("hold", 0), ("assume_sent", 0)])
def test_a_mail_in_doubt_goes_the_way_of_the_policy(office: Office, policy: str, mails: int) -> None:
    office.add()
    office.postbox.refusals["you@example.org"] = [MailError("no answer", permanent=False, after_dot=True)]
    office.plan()
    assert office.deliver(policy).in_doubt == 1
    office.now += LEASE * 2
    office.deliver(policy)
    assert len(office.postbox.received) == mails


def test_a_mail_in_doubt_is_sent_again_after_a_wait_and_three_times_at_most(office: Office) -> None:
    office.add()
    doubt = MailError("no answer", permanent=False, after_dot=True)
    office.postbox.refusals["you@example.org"] = [doubt] * 100
    office.plan()
    tried = []
    for minutes in range(0, 36 * 60, 5):
        office.now = NOON + timedelta(minutes=minutes)
        if office.deliver().in_doubt:
            tried.append(minutes)
    assert tried == [0, 5, 15]
    assert Ledger(office.store.database).counts()["in_doubt"] == 1


def test_a_slow_batch_is_not_sent_twice_and_a_lost_outcome_is_told(office: Office) -> None:
    office.add("a@example.org")
    office.add("b@example.org")
    office.plan()
    others: list[DeliveryReport] = []
    send = office.postbox.send

    def slow(message: OutgoingMessage, before_final: BeforeFinal) -> str | None:
        office.now += timedelta(seconds=190)
        office.await_heartbeat()
        if message.recipient == "b@example.org" and not others:
            others.append(office.deliver())
        return send(message, before_final)

    office.postbox.send = slow  # type: ignore[method-assign]  # the same server, only slower
    report = office.deliver()
    assert (report.sent, others[0].sent, report.problems) == (2, 0, [])
    assert [message.recipient for message in office.postbox.received] == ["a@example.org", "b@example.org"]


def test_an_outcome_that_comes_too_late_is_told(office: Office) -> None:
    office.add()
    office.plan()
    send = office.postbox.send

    def stuck(message: OutgoingMessage, before_final: BeforeFinal) -> str | None:
        office.now += LEASE * 2
        Ledger(office.store.database).recover(office.now, on_in_doubt="hold", wait=backoff)
        return send(message, before_final)

    office.postbox.send = stuck  # type: ignore[method-assign]  # the same server, only slower
    report = office.deliver()
    assert report.sent == 0
    assert "taken over by another run" in report.problems[0]


def test_who_was_overtaken_after_the_dot_says_that_it_may_arrive_twice(office: Office) -> None:
    office.add()
    office.plan()
    send, ledger = office.postbox.send, Ledger(office.store.database)

    def overtaken(message: OutgoingMessage, before_final: BeforeFinal) -> str | None:
        answer = send(message, before_final)
        for _ in range(2):
            office.now += timedelta(hours=1)
            ledger.recover(office.now, on_in_doubt="resend", wait=backoff)
        assert len(ledger.claim(office.now, owner="another")) == 1
        return answer

    office.postbox.send = overtaken  # type: ignore[method-assign]  # the same server, and a process stopped for long
    (problem,) = office.deliver().problems
    assert "taken over by another run before its outcome was written down" in problem
    assert "may arrive twice" in problem


def test_a_refusal_that_names_the_address_is_told_without_it(office: Office) -> None:
    office.add()
    refusal = MailError("refused the recipient you@example.org: 550 <YOU@example.org> is nobody", permanent=True)
    office.postbox.refusals["you@example.org"] = [refusal]
    office.plan()
    (problem,) = office.deliver().problems
    assert "is nobody" in problem
    assert "example.org" not in problem


def test_an_attempt_sends_the_first_ones_bytes_whatever_has_changed(office: Office) -> None:
    office.add()
    office.postbox.refusals["you@example.org"] = [MailError("no answer", permanent=False, after_dot=True)]
    office.plan()
    office.deliver()
    office.broken = {"you@example.org"}  # a template edited in between
    office.now += LEASE * 2
    assert office.deliver().sent == 1
    assert office.postbox.received[0].content.endswith(b"Tracing one|Tracing two")


def test_what_a_dead_process_held_is_delivered_by_the_next_one(office: Office) -> None:
    office.add()
    office.plan()
    Ledger(office.store.database).claim(office.now, owner="dead")
    assert office.deliver().sent == 0
    office.now += LEASE + timedelta(seconds=1)
    assert office.deliver().sent == 1


def test_a_digest_that_cannot_be_delivered_expires_and_its_papers_come_with_the_next_one(office: Office) -> None:
    office.add()
    office.postbox.refusals["you@example.org"] = [MailError("450", permanent=False)] * 3
    office.plan()
    office.deliver()
    office.now += timedelta(hours=37)
    assert office.deliver().expired == 1
    assert (office.plan().planned, office.deliver().deferred) == (1, 1)


def test_after_days_without_a_mail_server_everybody_gets_one_mail(office: Office) -> None:
    office.add()
    office.postbox.refusals["you@example.org"] = [MailError("down", permanent=False, systemic=True) for _ in range(3)]
    for _ in range(4):
        office.plan()
        office.deliver()
        office.now += timedelta(hours=24)
    (mail,) = office.postbox.received
    assert b"2026-04-18" in mail.content
    assert mail.content.endswith(b"Tracing one|Tracing two")
    assert office.deliver().sent == 0


@pytest.mark.parametrize(("attempts", "minutes"), [(1, 5), (2, 10), (3, 20), (4, 40), (5, 66), (50, 66), (0, 5)])
def test_the_waits_between_attempts_grow_and_then_stay(attempts: int, minutes: int) -> None:
    assert backoff(attempts) == timedelta(minutes=minutes)
    assert backoff(attempts, 1) == 1.2 * backoff(attempts)
    assert backoff(attempts, -1) == 0.8 * backoff(attempts)
