"""Mail lint: messages of 200 real days, two digests a day, looked through for whatever may be wrong with them.

Each day gives a digest of its best papers for three topics and one of all its papers, each with web links and
without. Ours is the number of findings of a rule; a finding is a miss. What is found stands on standard error.
"""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime

from bench._mail_lint import RULES, Finding, lint
from bench._real_digests import DAYS, digests, listings
from bench.timing import Row
from paperdigest.mail.message import Mailbox, build_message
from paperdigest.render import Links, Renderer
from paperdigest.types import Digest

__all__ = ["ALL_LINKS", "found_in", "run"]

_DAYS = 200
_SHOWN = 10
_BASE = "https://digest.example.org"
_TOKEN = "AAAAAAAAB1wq0dWfNn3H2c8mTz5KxQ"  # as long as one, and worth nothing
ALL_LINKS = Links(
    unsubscribe=f"{_BASE}/u/{_TOKEN}",
    manage=f"{_BASE}/m/{_TOKEN}",
    read=f"{_BASE}/d/{_TOKEN}",
    unsubscribe_mailto=f"unsub+{_TOKEN}@example.org",
)


def run() -> Iterator[Row]:
    """Count the findings of each rule."""
    if not DAYS.is_file():
        print(f"the real listings are not at {DAYS}; nothing is looked through", file=sys.stderr)
        return
    renderer = Renderer(postal_address="1 Example Road, Example Town")
    found: list[Finding] = []
    mails = days = largest = 0
    for listing in listings(most=_DAYS):
        days += 1
        for digest in digests(listing):
            for links in (ALL_LINKS, Links()):
                findings, size = found_in(digest, links, renderer)
                found += [Finding(one.rule, f"{listing.listed_on} {one.detail}") for one in findings]
                mails, largest = mails + 1, max(largest, size)
    by_rule = Counter(one.rule for one in found)
    for rule in (*RULES, "stable"):
        for one in [one for one in found if one.rule == rule][:_SHOWN]:
            print(f"{rule}: {one.detail}", file=sys.stderr)
        yield Row(
            name=f"{rule}: findings in {mails} mails of {days} days",
            ours_s=by_rule[rule],
            peer_s=0,
            ratio=by_rule[rule],
            limit=0,
            unit="1",
        )
    yield Row(name="largest page", ours_s=largest, peer_s=95_000, ratio=largest / 95_000, limit=1, unit="B")


def found_in(digest: Digest, links: Links, renderer: Renderer) -> tuple[list[Finding], int]:
    """Return what is wrong with a digest's mail, and the size of its HTML."""
    message, size = _message(digest, links, renderer)
    found = lint(message, digest, links)
    if _message(digest, links, Renderer(postal_address="1 Example Road, Example Town"))[0] != message:
        found.append(Finding("stable", "the same digest gives other bytes"))
    return found, size


def _message(digest: Digest, links: Links, renderer: Renderer) -> tuple[bytes, int]:
    drawn = renderer.digest(digest, links)
    message = build_message(
        sender=Mailbox("digest@example.org", "paperdigest"),
        recipient=Mailbox(digest.subscriber.email, "A Reader"),
        subject=drawn.subject,
        html=drawn.html,
        text=drawn.text,
        sent_at=datetime(2026, 4, 15, tzinfo=UTC),
        message_id="<1.2.3@example.org>",
        list_id="paperdigest.example.org",
        list_name="paperdigest",
    )
    return message, len(drawn.html_page.encode("utf-8"))
