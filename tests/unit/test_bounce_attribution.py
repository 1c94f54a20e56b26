"""Only what is signed speaks of somebody, and what is said of strangers never ends a subscription at once."""

from __future__ import annotations

import pytest

from paperdigest.bounces.addresses import bounce_address, unsubscribe_address
from paperdigest.bounces.attributing import Report, attribute
from paperdigest.bounces.notifications import Finding
from paperdigest.bounces.reading import Nature, read
from paperdigest.tokens import Purpose, Tokens
from paperdigest.types import BounceKind
from tests import bounce_samples as sample

TOKENS = Tokens([b"a secret of thirty-two characters"])
FORGER = Tokens([b"another secret, of thirty-two too"])
DOMAIN = "bounces.example.net"
VERP = bounce_address(TOKENS, 7, DOMAIN)
FORGED = bounce_address(FORGER, 7, DOMAIN)


def judged(content: bytes, *recipients: str) -> Report:
    return attribute(read(content, recipients), TOKENS)


def test_a_bounce_is_about_the_delivery_it_came_to() -> None:
    report = judged(sample.postfix(VERP))
    assert (report.delivery, report.is_forged, report.nature) == (7, False, Nature.BOUNCE)
    assert judged(sample.postfix(VERP.upper())).delivery == 7


def test_a_forged_bounce_is_about_nobody() -> None:
    report = judged(sample.postfix(FORGED))
    assert (report.delivery, report.subscriber, report.is_forged) == (None, None, True)


def test_a_bounce_without_a_token_is_about_nobody_and_not_even_forged() -> None:
    report = judged(sample.postfix("papers@example.net"))
    assert (report.delivery, report.subscriber, report.is_forged) == (None, None, False)


def test_a_bounce_to_the_visible_sender_is_known_by_the_mail_it_returns() -> None:
    told = sample.notification("papers@example.net", sample.fields(), returned=sample.returned_mail(VERP))
    assert judged(told).delivery == 7


def test_the_address_it_came_to_wins_over_the_mail_it_returns() -> None:
    other = bounce_address(TOKENS, 8, DOMAIN)
    assert judged(sample.notification(VERP, sample.fields(), returned=sample.returned_mail(other))).delivery == 7
    unnamed = sample.notification("undisclosed-recipients:;", sample.fields(), returned=sample.returned_mail(other))
    assert judged(unnamed, VERP).delivery == 7


def test_a_complaint_is_known_by_the_mail_it_returns() -> None:
    assert judged(sample.complaint("fbl@example.net", sample.returned_mail(VERP))).delivery == 7
    assert judged(sample.complaint("fbl@example.net", sample.returned_mail(FORGED))).is_forged


def test_a_complaint_is_known_by_the_links_to_unsubscribe() -> None:
    link = f"List-Unsubscribe: <https://example.net/u/{TOKENS.sign(Purpose.UNSUBSCRIBE, 3)}>\r\n"
    mail = f"List-Unsubscribe: <mailto:{unsubscribe_address(TOKENS, 3, DOMAIN)}>\r\n"
    for header in (link, mail):
        assert judged(sample.complaint("fbl@example.net", header + sample.returned_mail())).subscriber == 3
    forged = link.replace(TOKENS.sign(Purpose.UNSUBSCRIBE, 3), FORGER.sign(Purpose.UNSUBSCRIBE, 3))
    assert judged(sample.complaint("fbl@example.net", forged + sample.returned_mail())).subscriber is None


def test_a_link_to_unsubscribe_in_anything_but_a_complaint_says_nothing() -> None:
    link = f"https://example.net/u/{TOKENS.sign(Purpose.UNSUBSCRIBE, 3)}"
    report = judged(sample.wish("papers@example.net") + link.encode())
    assert (report.subscriber, report.delivery) == (None, None)


def test_whoever_writes_to_the_address_to_unsubscribe_wants_out() -> None:
    report = judged(sample.wish(unsubscribe_address(TOKENS, 3, DOMAIN)))
    assert (report.subscriber, report.wants_out) == (3, True)
    forged = judged(sample.wish(unsubscribe_address(FORGER, 3, DOMAIN)))
    assert (forged.subscriber, forged.wants_out, forged.is_forged) == (None, False, True)


def test_the_recipient_of_the_envelope_is_believed_where_the_head_says_nothing() -> None:
    assert judged(sample.postfix("undisclosed-recipients:;"), VERP).delivery == 7


def finding(recipient: str | None, kind: BounceKind | None) -> Finding:
    return Finding(recipient=recipient, kind=kind)


GONE, MAILBOX, SENDER = BounceKind.GONE, BounceKind.MAILBOX, BounceKind.SENDER


@pytest.mark.parametrize(
    ("findings", "kind"),
    [
        ((), None),
        ((finding("you@example.org", GONE),), GONE),
        ((finding(None, GONE),), GONE),
        # Forwarded: it may be one of many.
        ((finding("stranger@example.com", GONE),), MAILBOX),
        ((finding("stranger@example.com", MAILBOX),), MAILBOX),
        ((finding("stranger@example.com", SENDER),), SENDER),
        ((finding("stranger@example.com", GONE), finding("other@example.com", None)), MAILBOX),
        # What is said of the subscriber counts, whatever is said of others.
        ((finding("stranger@example.com", GONE), finding("you@example.org", None)), None),
        ((finding("stranger@example.com", GONE), finding("you@example.org", SENDER)), SENDER),
        ((finding("you@example.org", MAILBOX), finding("you@example.org", GONE)), GONE),
    ],
)
def test_of_a_stranger_it_is_never_believed_that_the_mailbox_is_gone(
    findings: tuple[Finding, ...], kind: BounceKind | None
) -> None:
    report = Report(nature=Nature.BOUNCE, delivery=7, findings=findings)
    assert report.about("You@example.org").kind is kind
