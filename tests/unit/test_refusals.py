"""Who is to blame for a refusal, by the codes that servers really use, and what follows from it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from paperdigest.refusals import Blame, Consequence, blame, consequence, enhanced_status, points, storm_threshold
from paperdigest.types import BounceKind

NOW = datetime(2026, 4, 15, 6, 0, tzinfo=UTC)
DAY = timedelta(days=1)

GONE, MAILBOX, SENDER, MESSAGE = Blame.GONE, Blame.MAILBOX, Blame.SENDER, Blame.MESSAGE


@pytest.mark.parametrize(
    ("code", "status", "expected"),
    [
        # There is no such mailbox, domain or server.
        (550, "5.1.1", GONE),
        (550, "5.1.2", GONE),
        (553, "5.1.3", GONE),
        (550, "5.1.6", GONE),
        (556, "5.1.10", GONE),
        (550, "5.2.1", GONE),
        (None, "5.1.1", GONE),
        # It cannot take mail now, or it is not clear that it never will.
        (452, "4.2.2", MAILBOX),
        (552, "5.2.2", MAILBOX),
        (450, "4.2.0", MAILBOX),
        (450, "4.2.1", MAILBOX),
        (451, "4.3.0", MAILBOX),
        (452, "4.3.1", MAILBOX),
        (550, "5.3.0", MAILBOX),
        (554, "5.3.2", MAILBOX),
        (451, "4.4.1", MAILBOX),
        (451, "4.4.7", MAILBOX),
        (550, "5.4.1", MAILBOX),
        (None, "5.4.4", MAILBOX),
        (None, "5.4.6", MAILBOX),
        (550, "5.1.0", MAILBOX),
        (550, "5.1.4", MAILBOX),
        (451, "4.1.1", MAILBOX),
        (550, "5.2.4", MAILBOX),
        (550, "5.0.0", MAILBOX),
        (450, "4.0.0", MAILBOX),
        (550, None, MAILBOX),
        (551, None, MAILBOX),
        (553, None, MAILBOX),
        (521, None, MAILBOX),
        (556, None, MAILBOX),
        (450, None, MAILBOX),
        (451, None, MAILBOX),
        (452, None, MAILBOX),
        # They do not like us.
        (421, "4.7.0", SENDER),
        (421, None, SENDER),
        (421, "4.4.2", SENDER),
        (421, "4.3.2", SENDER),
        (450, "4.7.1", SENDER),
        (451, "4.7.1", SENDER),
        (454, "4.7.0", SENDER),
        (454, None, SENDER),
        (530, "5.7.0", SENDER),
        (530, None, SENDER),
        (534, None, SENDER),
        (535, "5.7.8", SENDER),
        (535, None, SENDER),
        (550, "5.7.1", SENDER),
        (554, "5.7.1", SENDER),
        (554, "5.7.9", SENDER),
        (550, "5.7.515", SENDER),
        (550, "5.7.606", SENDER),
        (571, None, SENDER),
        (553, "5.1.7", SENDER),
        (553, "5.1.8", SENDER),
        (451, "4.1.8", SENDER),
        (None, None, SENDER),
        *[(421, f"4.7.{detail}", SENDER) for detail in (23, 24, 25, 26, 27, 28, 29, 30, 31, 32)],
        *[(550, f"5.7.{detail}", SENDER) for detail in (25, 26, 27, 28, 29, 30, 31, 32)],
        # This message will not do.
        (552, "5.3.4", MESSAGE),
        (552, "5.2.3", MESSAGE),
        (552, None, MESSAGE),
        (500, "5.5.1", MESSAGE),
        (501, "5.5.4", MESSAGE),
        (555, "5.5.4", MESSAGE),
        (550, "5.6.0", MESSAGE),
        (554, "5.6.2", MESSAGE),
        (500, None, MESSAGE),
        (554, None, MESSAGE),
        (554, "5.0.0", MESSAGE),
    ],
)
def test_a_code_says_whose_trouble_it_is(code: int | None, status: str | None, expected: Blame) -> None:
    assert blame(code, status) is expected


@pytest.mark.parametrize(
    "text",
    [
        "Message rejected as spam",
        "Service unavailable; client host blocked using a DNSBL",
        "192.0.2.1 is on our blocklist",
        "rejected for policy reasons",
        "SPF check failed",
        "DMARC policy of example.net",
        "reverse DNS of your server is missing",
    ],
)
def test_words_count_where_the_code_says_nothing_and_only_in_favour_of_the_subscriber(text: str) -> None:
    assert blame(550, None, text) is SENDER
    assert blame(550, "5.0.0", text) is SENDER
    assert blame(550, "5.2.2", text) is MAILBOX
    assert blame(550, "5.1.1", text) is GONE


def test_words_never_make_a_mailbox_gone() -> None:
    assert blame(550, None, "no such user, user unknown, mailbox does not exist") is MAILBOX


@pytest.mark.parametrize(
    ("text", "status"),
    [
        ("550 5.1.1 unknown", "5.1.1"),
        ("550-5.7.26 first\n550 5.7.26 second", "5.7.26"),
        ("#5.2.2>", "5.2.2"),
        ("it is 4.2.2.", "4.2.2"),
        ("[5.1.1.7] refused", None),
        ("from 10.5.1.1", None),
        ("version 15.1.10", None),
        ("2.0.0 taken", "2.0.0"),
        ("host 5.1.1.9 said 550 5.7.1 no", "5.7.1"),
        ("", None),
    ],
)
def test_a_status_is_told_from_an_address(text: str, status: str | None) -> None:
    assert enhanced_status(text) == status


@pytest.mark.parametrize(
    ("kind", "days", "probing", "storm", "expected"),
    [
        (BounceKind.GONE, 0, False, False, Consequence.SUPPRESS),
        (BounceKind.GONE, 0, False, True, Consequence.HOLD),
        (BounceKind.MAILBOX, 1, False, False, Consequence.POINT),
        (BounceKind.MAILBOX, 4, False, False, Consequence.POINT),
        (BounceKind.MAILBOX, 5, False, False, Consequence.SUSPEND),
        (BounceKind.MAILBOX, 5, False, True, Consequence.HOLD),
        (BounceKind.MAILBOX, 1, True, False, Consequence.SUSPEND),
        (BounceKind.MAILBOX, 1, True, True, Consequence.HOLD),
        (BounceKind.MAILBOX, 1, False, True, Consequence.POINT),
        (BounceKind.SENDER, 9, True, False, Consequence.TELL),
        (BounceKind.MESSAGE, 9, True, False, Consequence.NOTHING),
        (BounceKind.DELAYED, 9, True, False, Consequence.NOTHING),
        (BounceKind.COMPLAINT, 0, False, False, Consequence.UNSUBSCRIBE),
        (BounceKind.COMPLAINT, 0, False, True, Consequence.UNSUBSCRIBE),
    ],
)
def test_each_kind_has_its_consequence(
    kind: BounceKind, days: int, probing: bool, storm: bool, expected: Consequence
) -> None:
    assert consequence(kind, days=days, probing=probing, storm=storm) is expected


def test_a_day_counts_once_and_for_two_weeks() -> None:
    moments = [NOW, NOW - timedelta(hours=5), NOW - DAY, NOW - 13 * DAY, NOW - 14 * DAY, NOW - 20 * DAY]
    assert points(moments, NOW) == 3
    assert points([NOW + timedelta(seconds=1)], NOW) == 0
    assert points([], NOW) == 0


@pytest.mark.parametrize(
    ("mails", "threshold"),
    [(0, 5), (8, 5), (10, 6), (30, 16), (38, 20), (40, 20), (399, 20), (400, 21), (100_000, 5001)],
)
def test_a_storm_is_more_than_twenty_and_a_twentieth_or_more_than_half_of_few(mails: int, threshold: int) -> None:
    assert storm_threshold(mails) == threshold
