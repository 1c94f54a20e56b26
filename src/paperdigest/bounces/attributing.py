"""Whom a message speaks of: only what is signed counts, whatever else it says.

A report without a valid token is about nobody. A report with one may yet speak of another recipient than ours: somebody
forwards our mail, and it failed there. If their forwarding is all there is, the mailbox is as good as gone; if it is a
list of several people, the others go on reading. We cannot tell; so what is said of a stranger never ends a
subscription at once, but counts as a day of failure: after five of them mail rests, and is tried again.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from paperdigest.bounces.addresses import BOUNCE, UNSUBSCRIBE, Named, read_named
from paperdigest.bounces.notifications import Finding
from paperdigest.bounces.reading import Nature, Reading
from paperdigest.errors import TokenError
from paperdigest.tokens import Purpose, Tokens
from paperdigest.types import BounceKind

__all__ = ["Report", "attribute"]

_WORST_FIRST = (
    BounceKind.GONE,
    BounceKind.MAILBOX,
    BounceKind.SENDER,
    BounceKind.MESSAGE,
    BounceKind.DELAYED,
    None,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """What a message says, and of whom by signature: a delivery, a subscriber, or nobody (both None).

    ``wants_out``: it is a wish to be unsubscribed. ``is_forged``: it uses addresses like ours, and none is signed.
    ``mark``: of the message (`reading.Reading`).
    """

    nature: Nature
    delivery: int | None = None
    subscriber: int | None = None
    findings: tuple[Finding, ...] = ()
    wants_out: bool = False
    is_forged: bool = False
    mark: str = ""

    def about(self, address: str) -> Finding:
        """Return what is said of the mail to an address: the worst of it, softened where it speaks of strangers."""
        own = [one for one in self.findings if one.recipient in (None, address.lower())]
        said = min(own or self.findings, key=lambda one: _WORST_FIRST.index(one.kind), default=Finding())
        if not own and said.kind is BounceKind.GONE:
            return replace(said, kind=BounceKind.MAILBOX)
        return said


def attribute(reading: Reading, tokens: Tokens) -> Report:
    """Say whom a message speaks of.

    The address that it came to is asked first: it is ours alone. For what is sent to one address for all (feedback
    reports, and bounces of servers that answer to From) the mail that it returns is asked.
    """
    candidates = (*reading.addressed, *reading.quoted)
    if (subscriber := read_named(tokens, reading.addressed, UNSUBSCRIBE)) is not None:
        return Report(nature=reading.nature, subscriber=subscriber, wants_out=True, mark=reading.mark)
    delivery = read_named(tokens, candidates, BOUNCE)
    subscriber = None
    if delivery is None and reading.nature in (Nature.COMPLAINT, Nature.OPT_OUT):
        subscriber = _unsubscriber(tokens, candidates, reading.links)
    is_forged = delivery is None and subscriber is None and bool(candidates)
    return Report(
        nature=reading.nature,
        delivery=delivery,
        subscriber=subscriber,
        findings=reading.findings,
        wants_out=reading.nature is Nature.OPT_OUT,
        is_forged=is_forged,
        mark=reading.mark,
    )


def _unsubscriber(tokens: Tokens, candidates: tuple[Named, ...], links: tuple[str, ...]) -> int | None:
    """Return the subscriber whose unsubscribe address or link stands in a returned mail."""
    if (found := read_named(tokens, candidates, UNSUBSCRIBE)) is not None:
        return found
    for link in links:
        try:
            return tokens.read(Purpose.UNSUBSCRIBE, link)
        except TokenError:
            continue
    return None
