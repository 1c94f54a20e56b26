"""Addresses that name what they are about: ``b+TOKEN@domain`` for bounces, ``unsub+TOKEN@domain`` to unsubscribe.

Each mail has an envelope sender of its own (VERP), so that a report is about one delivery, however little it says; and
since the token is signed, a forged report is about nothing. Some mail servers lower-case what stands before the @
(RFC 5321, 2.4 forbids it): base64url would not survive that. So a token stands here in base32 (RFC 4648, 6) of small
letters, and is read in either case: 36 characters, 42 with ``unsub+``; 64 are allowed (RFC 5321, 4.5.3.1.1).
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Iterable
from typing import Literal, NamedTuple

from paperdigest.errors import TokenError
from paperdigest.tokens import Purpose, Tokens

__all__ = ["BOUNCE", "UNSUBSCRIBE", "Named", "bounce_address", "find_named", "read_named", "unsubscribe_address"]

Word = Literal["b", "unsub"]
BOUNCE: Word = "b"
UNSUBSCRIBE: Word = "unsub"

_PURPOSES: dict[str, Purpose] = {BOUNCE: Purpose.BOUNCE, UNSUBSCRIBE: Purpose.UNSUBSCRIBE}
# Some servers are set to another sign than + between an address and its extension, and rewrite it.
_NAMED = re.compile(r"(?<![a-z0-9.])(b|unsub)[+=-]([a-z2-7]{36})@", re.IGNORECASE)
_MAX_FOUND = 20


class Named(NamedTuple):
    """What stands before the @ of one of our addresses; ``code`` proves nothing before it is read."""

    word: str
    code: str


def bounce_address(tokens: Tokens, delivery_id: int, domain: str) -> str:
    """Return the envelope sender of a delivery: reports about it arrive there."""
    return f"{BOUNCE}+{_code(tokens.sign(Purpose.BOUNCE, delivery_id))}@{domain}"


def unsubscribe_address(tokens: Tokens, subscriber_id: int, domain: str) -> str:
    """Return the address to which any mail unsubscribes a subscriber (RFC 2369, mailto)."""
    return f"{UNSUBSCRIBE}+{_code(tokens.sign(Purpose.UNSUBSCRIBE, subscriber_id))}@{domain}"


def find_named(text: str) -> tuple[Named, ...]:
    """Return what looks like our addresses in a text, in order, each once, at most 20; nothing is checked."""
    found: dict[Named, None] = {}
    for match in _NAMED.finditer(text):
        found[Named(match[1].lower(), match[2].lower())] = None
        if len(found) == _MAX_FOUND:
            break
    return tuple(found)


def read_named(tokens: Tokens, candidates: Iterable[Named], word: Word) -> int | None:
    """Return the number of the first address that is signed for ``word``; None when none is."""
    for one in candidates:
        if one.word == word and (number := _number(tokens, one)) is not None:
            return number
    return None


def _number(tokens: Tokens, one: Named) -> int | None:
    try:
        raw = base64.b32decode(one.code.upper() + "====")
        signed = base64.urlsafe_b64encode(raw).rstrip(b"=").decode("ascii")
        # One code a token: the last letter has bits that say nothing.
        return tokens.read(_PURPOSES[one.word], signed) if _code(signed) == one.code else None
    except (binascii.Error, TokenError):
        return None


_LETTERS = "abcdefghijklmnopqrstuvwxyz234567"
_PAIRS = tuple(first + second for first in _LETTERS for second in _LETTERS)
_SHIFTS = tuple(range(170, -1, -10))


def _code(token: str) -> str:
    """Return a token of 22 bytes in base32; by pairs of letters, in half of the library's time."""
    bits = int.from_bytes(base64.urlsafe_b64decode(token + "=="), "big") << 4  # 176 bits in 18 pairs of 10
    return "".join([_PAIRS[bits >> shift & 1023] for shift in _SHIFTS])
