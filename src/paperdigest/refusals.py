"""Who is to blame when mail is not taken, and what follows from it? Pure functions of codes and counts.

Asked of the replies of mail servers and of bounces alike, so that both have the same consequences. A mailbox that is
gone is nothing like a server that does not like our mail: the one ends a subscription, the other is the operator's
to mend and must never end anybody's.

===================================================  ===========  =======================================
status (x: any), or reply code without one           blame        consequence
===================================================  ===========  =======================================
5.1.1 5.1.2 5.1.3 5.1.6 5.1.10 5.2.1                 GONE         suppressed at once
5.2.2 5.3.x 5.4.x, other 5.1.x 5.2.x 5.0.x 4.x.x     MAILBOX      a point a day; suspended at five
x.7.x, 421, logins (530-538), 571, x.1.7 x.1.8       SENDER       the operator is told
x.5.x x.6.x x.2.3 x.3.4, other 5xx without a status  MESSAGE      nothing
===================================================  ===========  =======================================

Source: RFC 3463 (the codes), RFC 7505 (5.1.10), RFC 7372 and the rules for bulk senders of Gmail and Outlook.com
(4.7.23-32, 5.7.25-32, 5.7.515: all of them x.7.x, so all of them ours).
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import datetime, timedelta
from enum import StrEnum

from paperdigest.types import BounceKind

__all__ = [
    "BELIEVED_AFTER",
    "POINTS_STALE_AFTER",
    "POINTS_TO_SUSPEND",
    "PROBE_AFTER",
    "STORM_BOUNCES",
    "STORM_CALM",
    "STORM_DAY",
    "STORM_FEWEST",
    "STORM_SHARE",
    "STORM_WINDOW",
    "Blame",
    "Consequence",
    "blame",
    "consequence",
    "enhanced_status",
    "points",
    "storm_threshold",
]

POINTS_TO_SUSPEND = 5
"""On so many days a mailbox may fail before it gets a rest."""
POINTS_STALE_AFTER = timedelta(days=14)
"""A day of failure counts for so long."""
PROBE_AFTER = timedelta(days=30)
"""So long a suspended mailbox rests; then mail is tried again, and one failure suspends it anew."""
BELIEVED_AFTER = timedelta(days=5)
"""A mail of which nothing came back for so long has arrived: servers give up after four to five days (RFC 5321,
4.5.4.1). Before that, our own relay's 250 says nothing: it is given for a full mailbox too."""

STORM_BOUNCES = 20
STORM_WINDOW = timedelta(hours=1)
STORM_SHARE = 0.05
"""More than this share of the mails of `STORM_DAY`, and `STORM_BOUNCES` at least, within `STORM_WINDOW`: then something
is broken on the way, not that many mailboxes. Lists that are looked after lose under one mail in a hundred."""
STORM_FEWEST = 5
"""Of few mails so many at least, and more than half, are a storm too: a small list is as worth protecting."""
STORM_DAY = timedelta(hours=24)
STORM_CALM = timedelta(hours=24)
"""A storm is over when so long no bounce has met its measure."""

# Not part of an IP address or a version ("5.1.1.7", "12.5.1.1").
_STATUS = re.compile(r"(?<![\d.])([245])\.(\d{1,3})\.(\d{1,3})(?!\.?\d)")
_GONE = frozenset({"5.1.1", "5.1.2", "5.1.3", "5.1.6", "5.1.10", "5.2.1"})
_LOGIN = frozenset({421, 454, 530, 534, 535, 538, 571})
_OF_THE_SENDER = frozenset({"1.7", "1.8"})
_OF_THE_MESSAGE = frozenset({"2.3", "3.4"})
_POLICY = re.compile(
    r"\b(?:spam|junk|(?:black|block|deny)[- ]?list\w*|block(?:ed|ing)|dnsbl|rbl|reputation|polic(?:y|ies)|spf|dkim|"
    r"dmarc|unsolicited|authenticat\w+|not authori[sz]ed|rate[- ]limit\w*|reverse dns|ptr|relay\w*|"
    r"sender (?:verify|rejected|denied)|administrative prohibition)\b",
    re.IGNORECASE,
)


class Blame(StrEnum):
    """Whose trouble a refusal is."""

    GONE = "gone"
    """There is no such mailbox any more: mail to it must stop at once."""
    MAILBOX = "mailbox"
    """The mailbox or its server cannot take mail now (full, down, greylisted): counts against it, a point a day."""
    SENDER = "sender"
    """They do not like us: policy, authentication, reputation, rate. Never counts against a subscriber."""
    MESSAGE = "message"
    """This message is too large or malformed; the next one may be fine."""


class Consequence(StrEnum):
    """What is to be done about the subscriber (or, for TELL, by the operator)."""

    NOTHING = "nothing"
    POINT = "point"
    """The day counts against the mailbox."""
    SUSPEND = "suspend"
    """No mail for `PROBE_AFTER`."""
    SUPPRESS = "suppress"
    """No mail any more: there is no such mailbox."""
    UNSUBSCRIBE = "unsubscribe"
    """No mail any more, whoever asks for it: they called it spam."""
    TELL = "tell"
    HOLD = "hold"
    """Would suspend or suppress, but too many come back at once for it to be the mailboxes' fault."""


def enhanced_status(text: str) -> str | None:
    """Return the first enhanced status code (RFC 3463) in a reply or a bounce, such as ``5.1.1``."""
    found = _STATUS.search(text)
    return found[0] if found else None


def blame(code: int | None, status: str | None, text: str = "") -> Blame:
    """Say whose trouble a refusal is.

    Args:
        code: the reply's code (RFC 5321), None when there was no reply.
        status: the enhanced status, None when none was given.
        text: the reply's words; heard only where the codes do not say it, and only in favour of the subscriber.
    """
    if status in _GONE:
        return Blame.GONE
    kind, _, rest = (status or "").partition(".")
    area = rest.partition(".")[0]
    if area == "7" or rest in _OF_THE_SENDER or code in _LOGIN or (code is None and status is None):
        return Blame.SENDER
    if area in ("5", "6") or rest in _OF_THE_MESSAGE:
        return Blame.MESSAGE
    if kind == "4" or area in ("1", "2", "3", "4"):
        return Blame.MAILBOX
    return _without_status(code, text)


def _without_status(code: int | None, text: str) -> Blame:
    """Judge by the reply code; a status like 5.0.0 says no more than it."""
    if _POLICY.search(text):
        return Blame.SENDER
    if code is None or code < 500 or code in (521, 550, 551, 553, 556):
        return Blame.MAILBOX  # it may mean either: a point a day, and after five days a rest
    return Blame.MESSAGE


def consequence(kind: BounceKind, *, days: int = 0, probing: bool = False, storm: bool = False) -> Consequence:
    """Say what follows from a report.

    Args:
        kind: what was reported.
        days: on how many different days the mailbox has failed (`points`), this one included.
        probing: it had been suspended, and this was about a mail that tried it again.
        storm: too much comes back at once (`storm_threshold`).
    """
    if kind is BounceKind.COMPLAINT:
        return Consequence.UNSUBSCRIBE  # a person said it: no broken server does
    if kind is BounceKind.SENDER:
        return Consequence.TELL
    if kind is BounceKind.GONE:
        return Consequence.HOLD if storm else Consequence.SUPPRESS
    if kind is BounceKind.MAILBOX:
        if days >= POINTS_TO_SUSPEND or probing:
            return Consequence.HOLD if storm else Consequence.SUSPEND
        return Consequence.POINT
    return Consequence.NOTHING


def points(failed_at: Iterable[datetime], now: datetime) -> int:
    """Return on how many calendar days (UTC) of the last `POINTS_STALE_AFTER` a mailbox failed."""
    return len({moment.date() for moment in failed_at if now - POINTS_STALE_AFTER < moment <= now})


def storm_threshold(mails: int) -> int:
    """Return how many bounces within `STORM_WINDOW` are too many, when so many mails left within `STORM_DAY`."""
    many = max(STORM_BOUNCES, int(mails * STORM_SHARE) + 1)
    return min(many, max(STORM_FEWEST, mails // 2 + 1))
