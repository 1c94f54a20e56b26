"""Reports in the database: once each, points a day, rests, storms, and hashes that outlive a subscriber."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import select

from paperdigest.refusals import BELIEVED_AFTER, PROBE_AFTER, STORM_CALM, Consequence, blame
from paperdigest.store import Store
from paperdigest.store.alarms import Alarms
from paperdigest.store.bounces import REFUSED, Bounces, Filed
from paperdigest.store.operation_tables import alarms, bounces
from paperdigest.store.pauses import Pauses
from paperdigest.store.standing import Standing, Standings
from paperdigest.store.storms import ALARM
from paperdigest.store.subscribers import Subscribers
from paperdigest.store.suppressions import Suppressions, harmless
from paperdigest.types import BounceKind, SubscriberStatus, SuppressionReason
from tests.bounce_samples import DAY, NOW, WHO, arrives, mailed, reader

SECRET = b"a secret of thirty-two characters"
HOUR = timedelta(hours=1)
GONE, MAILBOX = BounceKind.GONE, BounceKind.MAILBOX


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    opened = Store.open(tmp_path / "papers.db", create=True)
    yield opened
    opened.close()


@pytest.fixture
def kept(store: Store) -> Bounces:
    return Bounces(store.database, [SECRET])


def rows(store: Store) -> list[tuple[str, str | None]]:
    with store.database.reading() as connection:
        return [(row.kind, row.detail) for row in connection.execute(select(bounces).order_by(bounces.c.id))]


def raised(store: Store) -> dict[str, str]:
    with store.database.reading() as connection:
        return {row.name: row.detail for row in connection.execute(select(alarms))}


def fails(
    kept: Bounces, store: Store, days: int, since: datetime = NOW, every: timedelta = DAY, email: str = WHO
) -> list[Consequence]:
    """Mail fails on several days, an hour after it was sent each time."""
    who = Subscribers(store.database).get(email)
    said = []
    for number in range(days):
        sent_at = since + number * every
        delivery = mailed(store, who, sent_at)
        said.append(kept.record(delivery, MAILBOX, status="4.2.2", now=sent_at + HOUR).consequence)
    return said


def test_a_mailbox_that_is_gone_is_suppressed_at_once(store: Store, kept: Bounces) -> None:
    who = reader(store)
    filed = kept.record(mailed(store, who), GONE, status="5.1.1", detail="550 5.1.1 <you@example.org> unknown", now=NOW)
    assert filed.consequence is Consequence.SUPPRESS
    found = kept.suppressions.of("You@EXAMPLE.org")
    assert found is not None
    assert (found.reason, found.until_at, found.detail) == (
        SuppressionReason.GONE,
        None,
        "5.1.1",
    )
    assert found.holds(NOW + 3650 * DAY)
    assert rows(store) == [("gone", "550 5.1.1 <<address>> unknown")]


def test_the_same_report_twice_counts_once(store: Store, kept: Bounces) -> None:
    delivery = mailed(store, reader(store))
    assert kept.record(delivery, MAILBOX, now=NOW).is_new
    again = kept.record(delivery, MAILBOX, now=NOW + DAY)
    assert (again.is_new, again.consequence) == (False, Consequence.NOTHING)
    assert rows(store) == [("mailbox", None)]


def test_a_report_about_nobody_is_not_kept(store: Store, kept: Bounces) -> None:
    assert not kept.record(4711, GONE, now=NOW).is_known
    assert not kept.complained(4711, message="m", now=NOW).is_known
    assert not kept.unsubscribe(4711, now=NOW).is_known
    assert (kept.address_of(4711), kept.subscriber_of(4711)) == (None, None)
    assert rows(store) == []


def test_five_days_of_failure_give_a_mailbox_a_rest(store: Store, kept: Bounces) -> None:
    reader(store)
    assert fails(kept, store, 5) == [Consequence.POINT] * 4 + [Consequence.SUSPEND]
    found = kept.suppressions.of(WHO)
    assert found is not None
    assert found.reason is SuppressionReason.SUSPENDED
    assert found.until_at == NOW + 4 * DAY + HOUR + PROBE_AFTER
    assert found.holds(NOW + 33 * DAY)
    assert not found.holds(NOW + 35 * DAY)


def test_each_mailbox_has_its_own_points_and_arrivals(store: Store, kept: Bounces) -> None:
    reader(store)
    other = reader(store, "other@example.org")
    third = reader(store, "third@example.org")
    fails(kept, store, 4)
    assert fails(kept, store, 1, since=NOW + 4 * DAY, email=third.email) == [Consequence.POINT]
    for number in range(4):
        mailed(store, other, NOW + number * DAY)  # nothing comes back of these
    assert fails(kept, store, 1, since=NOW + 9 * DAY, email=other.email) == [Consequence.POINT]
    assert fails(kept, store, 1, since=NOW + 9 * DAY) == [Consequence.SUSPEND]


def test_many_failures_on_one_day_count_once(store: Store, kept: Bounces) -> None:
    who = reader(store)
    deliveries = [mailed(store, who, NOW - number * DAY) for number in range(8)]
    assert {kept.record(one, MAILBOX, now=NOW).consequence for one in deliveries} == {Consequence.POINT}


def test_failures_that_lie_far_apart_never_add_up(store: Store, kept: Bounces) -> None:
    reader(store)
    assert set(fails(kept, store, 12, every=4 * DAY)) == {Consequence.POINT}


def test_a_mail_that_arrived_forgives_what_was_before(store: Store, kept: Bounces) -> None:
    who = reader(store)
    fails(kept, store, 4)
    mailed(store, who, NOW + 4 * DAY)  # nothing comes back of this one
    after = NOW + 4 * DAY + BELIEVED_AFTER + HOUR
    assert fails(kept, store, 5, since=after) == [Consequence.POINT] * 4 + [Consequence.SUSPEND]


def test_a_mail_that_was_only_just_accepted_forgives_nothing_yet(store: Store, kept: Bounces) -> None:
    """A relay accepts mail for full mailboxes too, and says so days later."""
    who = reader(store)
    fails(kept, store, 4)
    mailed(store, who, NOW + 4 * DAY)
    assert fails(kept, store, 1, since=NOW + 5 * DAY) == [Consequence.SUSPEND]


def refused(kept: Bounces, delivery: int, code: int, status: str | None, now: datetime) -> Filed:
    """A refusal at RCPT, as it is written down while mail is sent."""
    return kept.record(delivery, BounceKind(blame(code, status).value), status=status, detail="no", now=now)


def test_a_server_that_only_lets_us_wait_never_suspends(store: Store, kept: Bounces) -> None:
    who = reader(store)
    for number in range(12):
        sent_at = NOW + number * DAY
        delivery = mailed(store, who, sent_at, is_sent=False)
        assert refused(kept, delivery, 450, "4.2.0", sent_at).consequence is Consequence.POINT
        arrives(store, delivery, sent_at + timedelta(minutes=5))
    assert kept.suppressions.of(WHO) is None


def test_a_mail_that_had_to_wait_and_comes_back_nevertheless_counts(store: Store, kept: Bounces) -> None:
    delivery = mailed(store, reader(store), is_sent=False)
    refused(kept, delivery, 450, "4.2.0", NOW)
    arrives(store, delivery, NOW + HOUR)
    assert kept.record(delivery, MAILBOX, status="5.2.2", now=NOW + DAY).is_new
    assert not kept.record(delivery, MAILBOX, status="5.2.2", now=NOW + 2 * DAY).is_new


def test_after_the_rest_one_failure_suspends_anew_and_one_arrival_forgives(store: Store, kept: Bounces) -> None:
    who = reader(store)
    fails(kept, store, 5)
    tried = NOW + 40 * DAY
    assert fails(kept, store, 1, since=tried) == [Consequence.SUSPEND]
    found = kept.suppressions.of(WHO)
    assert found is not None
    assert found.until_at == tried + HOUR + PROBE_AFTER
    mailed(store, who, tried + 40 * DAY)
    assert fails(kept, store, 1, since=tried + 50 * DAY) == [Consequence.POINT]


@pytest.mark.parametrize(
    ("code", "status", "consequence", "reason"),
    [
        (550, "5.1.1", Consequence.SUPPRESS, SuppressionReason.GONE),
        (452, "4.2.2", Consequence.POINT, None),
        (550, "5.7.26", Consequence.TELL, None),
        (552, "5.3.4", Consequence.NOTHING, None),
        (550, None, Consequence.POINT, None),
    ],
)
def test_a_refusal_at_the_door_has_the_consequences_of_a_bounce(
    store: Store,
    kept: Bounces,
    code: int,
    status: str | None,
    consequence: Consequence,
    reason: SuppressionReason | None,
) -> None:
    delivery = mailed(store, reader(store), is_sent=False)
    assert refused(kept, delivery, code, status, NOW).consequence is consequence
    found = kept.suppressions.of(WHO)
    assert (found.reason if found else None) is reason


def test_who_does_not_like_our_mail_blames_no_subscriber_but_tells_the_operator(store: Store, kept: Bounces) -> None:
    who = reader(store)
    for number in range(9):
        delivery = mailed(store, who, NOW + number * DAY)
        filed = kept.record(delivery, BounceKind.SENDER, status="5.7.515", detail="5.7.515 no", now=NOW + number * DAY)
        assert filed.consequence is Consequence.TELL
    assert kept.suppressions.of(WHO) is None
    assert "5.7.515" in raised(store)[REFUSED]
    kept.tidy(NOW + 9 * DAY - HOUR)
    assert REFUSED in raised(store)
    kept.tidy(NOW + 9 * DAY + HOUR)
    assert raised(store) == {}


def test_a_complaint_ends_the_subscription_for_good(store: Store, kept: Bounces) -> None:
    who = reader(store)
    assert kept.record(mailed(store, who), BounceKind.COMPLAINT, now=NOW).consequence is Consequence.UNSUBSCRIBE
    assert Subscribers(store.database).get(WHO).status is SubscriberStatus.UNSUBSCRIBED
    found = kept.suppressions.of(WHO)
    assert found is not None
    assert (found.reason, found.until_at) == (SuppressionReason.COMPLAINT, None)
    # A weaker reason never takes its place.
    kept.record(mailed(store, who, NOW + DAY), GONE, now=NOW + DAY)
    assert kept.suppressions.of(WHO) == found


def test_a_complaint_of_which_only_the_subscriber_is_known_counts_once(store: Store, kept: Bounces) -> None:
    who = reader(store)
    assert kept.complained(who.id, message="m", now=NOW).is_new
    assert not kept.complained(who.id, message="m", now=NOW).is_new
    assert rows(store) == [("complaint", "m")]


def test_a_wish_to_be_unsubscribed_suppresses_nobody(store: Store, kept: Bounces) -> None:
    who = reader(store)
    assert kept.unsubscribe(who.id, now=NOW).is_new
    assert not kept.unsubscribe(who.id, now=NOW).is_new
    assert Subscribers(store.database).get(WHO).status is SubscriberStatus.UNSUBSCRIBED
    assert kept.suppressions.of(WHO) is None


def test_a_lifted_address_gets_mail_again_and_old_reports_do_not_count_anew(store: Store, kept: Bounces) -> None:
    delivery = mailed(store, reader(store))
    kept.record(delivery, GONE, now=NOW)
    before = kept.suppressions.lift(WHO)
    assert before is not None
    assert before.reason is SuppressionReason.GONE
    assert kept.suppressions.of(WHO) is None
    assert kept.suppressions.lift(WHO) is None
    assert not kept.record(delivery, GONE, now=NOW).is_new
    assert kept.suppressions.of(WHO) is None


def moved(store: Store, email: str) -> None:
    """The subscriber has another address from now on."""
    kept = Subscribers(store.database)
    kept.update(replace(kept.get(WHO), email=email))


@pytest.mark.parametrize("kind", [GONE, MAILBOX])
def test_what_is_said_of_an_earlier_address_suppresses_nobody(store: Store, kept: Bounces, kind: BounceKind) -> None:
    who = reader(store)
    deliveries = [mailed(store, who, NOW + number * DAY) for number in range(6)]
    moved(store, "new@example.org")
    for number, one in enumerate(deliveries):
        assert kept.address_of(one) == WHO
        filed = kept.record(one, kind, status="5.1.1", now=NOW + number * DAY + HOUR)
        assert filed == Filed(consequence=Consequence.NOTHING)
    assert [kept.suppressions.of(one) for one in (WHO, "new@example.org")] == [None, None]
    assert not kept.record(deliveries[0], kind, now=NOW + 9 * DAY).is_new
    assert rows(store) == [(kind.value, None)] * 6


def test_days_of_failure_of_an_earlier_address_do_not_count_for_the_present_one(store: Store, kept: Bounces) -> None:
    reader(store)
    fails(kept, store, 4)
    moved(store, "new@example.org")
    later = NOW + 4 * DAY
    assert fails(kept, store, 1, since=later, email="new@example.org") == [Consequence.POINT]


def test_a_letter_in_another_case_is_no_other_address(store: Store, kept: Bounces) -> None:
    delivery = mailed(store, reader(store))
    moved(store, "You@example.org")
    assert kept.record(delivery, GONE, now=NOW).consequence is Consequence.SUPPRESS


def test_a_complaint_from_an_earlier_address_stops_mail_to_that_address_alone(store: Store, kept: Bounces) -> None:
    delivery = mailed(store, reader(store))
    moved(store, "new@example.org")
    assert kept.record(delivery, BounceKind.COMPLAINT, now=NOW).consequence is Consequence.NOTHING
    assert Subscribers(store.database).get("new@example.org").status is SubscriberStatus.ACTIVE
    assert kept.suppressions.of("new@example.org") is None
    found = kept.suppressions.of(WHO)
    assert found is not None
    assert found.reason is SuppressionReason.COMPLAINT
    seen = Standings(store.database).active(NOW, after=0, limit=9)[0][1]
    assert isinstance(seen, Standing)
    assert not seen.is_suppressed


def test_a_complaint_from_an_earlier_address_stops_mail_to_whoever_has_it_now(store: Store, kept: Bounces) -> None:
    delivery = mailed(store, reader(store))
    moved(store, "new@example.org")
    other = reader(store)
    kept.record(delivery, BounceKind.COMPLAINT, now=NOW)
    seen = dict(Standings(store.database).active(NOW, after=0, limit=9))
    told = {number: one.is_suppressed for number, one in seen.items() if isinstance(one, Standing)}
    assert told == {other.id: True, other.id - 1: False}


def test_a_digest_that_cannot_be_read_went_to_the_present_address(store: Store, kept: Bounces) -> None:
    delivery = mailed(store, reader(store))
    with sqlite3.connect(store.path) as connection:
        connection.execute("UPDATE digests SET frozen = '{'")
    assert kept.address_of(delivery) == WHO
    assert kept.record(delivery, GONE, now=NOW).consequence is Consequence.SUPPRESS


def test_a_complaint_that_is_read_again_counts_no_more_after_it_was_lifted(store: Store, kept: Bounces) -> None:
    who = reader(store)
    assert kept.complained(who.id, message="first", now=NOW).is_new
    kept.suppressions.lift(WHO)
    assert not kept.complained(who.id, message="first", now=NOW + DAY).is_new
    assert kept.suppressions.of(WHO) is None
    assert kept.complained(who.id, message="second", now=NOW + DAY).is_new
    assert kept.suppressions.of(WHO) is not None
    assert not kept.complained(who.id, message="third", now=NOW + DAY).is_new
    kept.suppressions.lift(WHO)
    assert not kept.complained(who.id, message="third", now=NOW + DAY).is_new


def test_a_wish_that_is_read_again_does_not_end_a_new_subscription(store: Store, kept: Bounces) -> None:
    who = reader(store)
    everybody = Subscribers(store.database)
    assert kept.unsubscribe(who.id, message="first", now=NOW).is_new
    assert not kept.unsubscribe(who.id, message="again", now=NOW).is_new
    everybody.update(replace(everybody.get(WHO), status=SubscriberStatus.ACTIVE))
    for message in ("first", "again"):
        assert not kept.unsubscribe(who.id, message=message, now=NOW + DAY).is_new
    assert everybody.get(WHO).status is SubscriberStatus.ACTIVE
    assert kept.unsubscribe(who.id, message="another", now=NOW + DAY).is_new
    assert everybody.get(WHO).status is SubscriberStatus.UNSUBSCRIBED


def test_a_suppressed_address_stays_so_when_the_subscriber_is_removed(store: Store, kept: Bounces) -> None:
    kept.record(mailed(store, reader(store)), GONE, now=NOW)
    Subscribers(store.database).remove(WHO)
    found = kept.suppressions.of(WHO)
    assert found is not None
    assert found.reason is SuppressionReason.GONE


def test_a_hash_tells_nothing_without_the_secret_and_is_known_under_an_old_one(store: Store, kept: Bounces) -> None:
    kept.record(mailed(store, reader(store)), GONE, now=NOW)
    assert Suppressions(store.database, [b"another secret"]).of(WHO) is None
    rotated = Suppressions(store.database, [b"another secret", SECRET])
    assert rotated.of(WHO) is not None
    assert rotated.lift(WHO) is not None
    assert kept.suppressions.of(WHO) is None


def test_the_planner_sees_who_is_suppressed_and_until_when(store: Store, kept: Bounces) -> None:
    reader(store)
    fails(kept, store, 5)
    seen = [Standings(store.database).active(NOW + days * DAY, after=0, limit=9)[0][1] for days in (5, 34, 35)]
    assert [isinstance(one, Standing) and one.is_suppressed for one in seen] == [True, True, False]


def crowd(store: Store, count: int) -> list[int]:
    return [mailed(store, reader(store, f"reader{number}@example.org")) for number in range(count)]


def suppressed(store: Store) -> int:
    with sqlite3.connect(store.path) as connection:
        return int(connection.execute("SELECT count(*) FROM suppressions").fetchone()[0])


def test_in_a_storm_nobody_is_suppressed_and_the_operator_is_told(store: Store, kept: Bounces) -> None:
    deliveries = crowd(store, 60)
    said = [kept.record(one, GONE, now=NOW + HOUR).consequence for one in deliveries[:40]]
    assert said == [Consequence.SUPPRESS] * 19 + [Consequence.HOLD] * 21
    assert suppressed(store) == 0  # those of its rise are taken back
    assert ALARM in raised(store)
    storm = kept.storms.at(NOW + HOUR)
    assert storm is not None
    assert (storm.held, storm.until_at) == (40, NOW + HOUR + STORM_CALM)


def test_bounces_that_come_slowly_or_from_many_mails_are_no_storm(store: Store, kept: Bounces) -> None:
    slowly = crowd(store, 60)
    for number, one in enumerate(slowly[:40]):
        assert kept.record(one, GONE, now=NOW + number * timedelta(minutes=4)).consequence is Consequence.SUPPRESS
    assert kept.storms.at(NOW + HOUR) is None


def test_what_a_small_share_of_a_large_list_brings_back_is_no_storm(store: Store, kept: Bounces) -> None:
    deliveries = crowd(store, 500)
    said = [kept.record(one, GONE, now=NOW + HOUR).consequence for one in deliveries[:26]]
    assert said == [Consequence.SUPPRESS] * 25 + [Consequence.HOLD]


def test_a_small_list_is_protected_too(store: Store, kept: Bounces) -> None:
    said = [kept.record(one, GONE, now=NOW + HOUR).consequence for one in crowd(store, 10)]
    assert said == [Consequence.SUPPRESS] * 5 + [Consequence.HOLD] * 5


def test_what_people_say_themselves_counts_in_a_storm_too(store: Store, kept: Bounces) -> None:
    deliveries = crowd(store, 30)
    kept.record(deliveries[29], BounceKind.COMPLAINT, now=NOW + HOUR)
    for one in deliveries[:25]:
        kept.record(one, GONE, now=NOW + HOUR)
    assert suppressed(store) == 1
    assert kept.record(deliveries[28], BounceKind.COMPLAINT, now=NOW + HOUR).consequence is Consequence.UNSUBSCRIBE


def test_in_a_storm_no_mailbox_is_suspended(store: Store, kept: Bounces) -> None:
    reader(store)
    fails(kept, store, 4)
    at = NOW + 4 * DAY + HOUR
    for one in crowd(store, 25):
        kept.record(one, GONE, now=at)
    assert fails(kept, store, 1, since=NOW + 4 * DAY) == [Consequence.HOLD]


def test_an_accepted_storm_suppresses_nobody_for_an_earlier_address(store: Store, kept: Bounces) -> None:
    deliveries = crowd(store, 30)
    everybody = Subscribers(store.database)
    everybody.update(replace(everybody.get("reader3@example.org"), email="new@example.org"))
    for one in deliveries[:25]:
        kept.record(one, GONE, now=NOW + HOUR)
    assert kept.storms.end(NOW + HOUR, accept=True) == 24
    assert kept.suppressions.of("new@example.org") is None


@pytest.mark.parametrize(("accept", "count"), [(True, 25), (False, 0)])
def test_the_operator_ends_a_storm_either_way(store: Store, kept: Bounces, accept: bool, count: int) -> None:
    deliveries = crowd(store, 30)
    for one in deliveries[:25]:
        kept.record(one, GONE, now=NOW + HOUR)
    soon = NOW + HOUR + timedelta(minutes=10)
    assert kept.storms.end(soon, accept=accept) == count
    assert suppressed(store) == count
    assert kept.storms.at(soon) is None
    assert {one.name for one in Alarms(store.database).standing()} == set()
    assert kept.storms.end(soon, accept=True) == 0
    # What was looked at does not make the next one.
    assert kept.record(deliveries[28], GONE, now=soon + HOUR / 6).consequence is Consequence.SUPPRESS


def storms_in(store: Store, kept: Bounces, at: datetime, who: str) -> None:
    """Let 25 mails come back at once, and one of a subscriber whose mailbox fails in the storm."""
    for number in range(25):
        stranger = reader(store, f"{at:%d%H}-{number}@example.org")
        kept.record(mailed(store, stranger, at - HOUR), GONE, now=at)
    delivery = mailed(store, Subscribers(store.database).get(who), at - HOUR)
    assert kept.record(delivery, MAILBOX, now=at).consequence is not Consequence.SUSPEND


@pytest.mark.parametrize(("judged", "after"), [("dismiss", 5), ("accept", 3), ("nobody looks", 5)])
def test_days_of_a_storm_count_only_when_it_was_accepted(store: Store, kept: Bounces, judged: str, after: int) -> None:
    reader(store)
    for number in (0, 1):
        storms_in(store, kept, NOW + 2 * number * DAY, WHO)
        if judged != "nobody looks":
            kept.storms.end(NOW + 2 * number * DAY + HOUR, accept=judged == "accept")
    later = NOW + 5 * DAY  # the last storm is over, whoever looked at it
    assert fails(kept, store, after, since=later) == [Consequence.POINT] * (after - 1) + [Consequence.SUSPEND]


def test_storms_of_long_ago_are_forgotten(store: Store, kept: Bounces) -> None:
    reader(store)
    for number in range(3):
        storms_in(store, kept, NOW + 20 * number * DAY, WHO)
        kept.storms.end(NOW + 20 * number * DAY + HOUR, accept=False)
    with sqlite3.connect(store.path) as connection:
        assert connection.execute("SELECT count(*) FROM pauses").fetchone() == (1,)
    assert [one.name for one in Pauses(store.database).open(NOW + 41 * DAY)] == []


def test_a_storm_that_nobody_looks_at_lasts_as_long_as_it_rages_and_a_day(store: Store, kept: Bounces) -> None:
    deliveries = crowd(store, 60)
    for one in deliveries[:25]:
        kept.record(one, GONE, now=NOW)
    later = NOW + 23 * HOUR
    for one in deliveries[25:50]:
        assert kept.record(one, GONE, now=later).consequence is Consequence.HOLD
    storm = kept.storms.at(later + 20 * HOUR)
    assert storm is not None
    assert (storm.held, storm.until_at) == (50, later + STORM_CALM)
    over = later + STORM_CALM + HOUR
    kept.tidy(over)
    assert raised(store) == {}
    assert kept.record(deliveries[55], GONE, now=over).consequence is Consequence.SUPPRESS


def test_what_a_server_says_is_kept_on_one_short_line_without_addresses() -> None:
    assert harmless("550 <you@example.org>:\r\n no\x1b[31m") == "550 <<address>>: no [31m"
    assert harmless(None) is None
    assert harmless(" \n") is None
    assert len(harmless("x" * 10_000) or "") == 300
    assert harmless("half \ud800") == "half"
