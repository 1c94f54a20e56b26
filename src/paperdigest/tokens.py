"""Short signed tokens for links and envelope addresses: whoever holds one may do one thing, to one row.

A token is the row's number in 6 bytes and 128 bits of HMAC-SHA-256 over purpose and number, in base64url: 30
characters, so that a List-Unsubscribe URL stays below 78 (beyond that mail libraries mangle it). Each purpose has a
key of its own, derived from the secret: a token for one thing is worth nothing for another. The first secret
signs, all of them are accepted: a secret can be changed without breaking the links in old mails.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
from collections.abc import Sequence
from enum import StrEnum
from functools import lru_cache

from paperdigest.errors import TokenError

__all__ = ["Purpose", "Tokens"]

_NUMBER_BYTES, _PROOF_BYTES = 6, 16
_BLOCK_BYTES = 64
_LEAST_SECRET = 12
_LENGTH = 30  # no padding: 22 bytes end in a group of one byte, whose last four bits are zero


class Purpose(StrEnum):
    """What a token allows, and which row its number names."""

    UNSUBSCRIBE = "unsubscribe"
    """Stop the mails of a subscriber; never expires."""
    MANAGE = "manage"
    """See and change a subscriber's topics and schedule."""
    READ = "read"
    """Read a digest on the web, and judge its papers."""
    CONFIRM = "confirm"
    """Confirm a subscriber's address."""
    BOUNCE = "bounce"
    """Report what became of a delivery: stands in the envelope sender (VERP)."""


class Tokens:
    """Signs and reads tokens.

    Args:
        secrets: at least one; the first signs, all are accepted. 32 random bytes are best.

    Raises:
        ValueError: there is none, or one of less than 12 bytes: an empty one would let anybody sign.
    """

    def __init__(self, secrets: Sequence[bytes]) -> None:
        if not secrets or min(map(len, secrets)) < _LEAST_SECRET:
            raise ValueError(f"tokens need a secret, of at least {_LEAST_SECRET} bytes")
        self._secrets = tuple(secrets)

    def sign(self, purpose: Purpose, number: int) -> str:
        """Return the token for a row: 30 characters of ``A-Z a-z 0-9 - _``.

        Raises:
            ValueError: the number is negative or has more than 48 bits.
        """
        raw = _numbered(number)
        return _coded(raw + _proof(self._secrets[0], purpose, raw))

    def read(self, purpose: Purpose, token: str) -> int:
        """Return the number a token was signed for.

        Raises:
            TokenError: forged, damaged, or for another purpose; which of these is not said.
        """
        try:
            raw = base64.urlsafe_b64decode(token.encode("ascii") + b"==") if len(token) == _LENGTH else b""
        except (ValueError, binascii.Error):
            raw = b""
        number, proof = raw[:_NUMBER_BYTES], raw[_NUMBER_BYTES:]
        good = len(raw) == _NUMBER_BYTES + _PROOF_BYTES and _coded(raw) == token
        # Every secret is tried, so that the time taken says nothing.
        proved = [hmac.compare_digest(_proof(one, purpose, number), proof) for one in self._secrets]
        if not good or not any(proved):
            raise TokenError("this link is not valid")
        return int.from_bytes(number, "big")


def _numbered(number: int) -> bytes:
    try:
        return number.to_bytes(_NUMBER_BYTES, "big")
    except OverflowError as error:
        raise ValueError(f"a token's number has 48 bits, not {number}") from error


def _proof(secret: bytes, purpose: Purpose, number: bytes) -> bytes:
    keyed, finishing = _keyed(secret, purpose)
    inner, outer = keyed.copy(), finishing.copy()
    inner.update(number)
    outer.update(inner.digest())
    return outer.digest()[:_PROOF_BYTES]


@lru_cache(maxsize=64)
def _keyed(secret: bytes, purpose: Purpose) -> tuple[hashlib._Hash, hashlib._Hash]:
    """Return what HMAC-SHA-256 has hashed before the text (RFC 2104, 4): a copy takes a third of setting up a key."""
    key = hmac.digest(secret, f"paperdigest token: {purpose.value}".encode(), hashlib.sha256)
    inner, outer = (bytes(byte ^ pad for byte in key.ljust(_BLOCK_BYTES, b"\0")) for pad in (0x36, 0x5C))
    return hashlib.sha256(inner), hashlib.sha256(outer)


def _coded(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode("ascii")
