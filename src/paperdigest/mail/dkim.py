"""Sign messages so that receivers can tell they are ours and unaltered (DKIM, RFC 6376 and RFC 8463).

Two signatures at most: rsa-sha256, which everybody reads, and ed25519-sha256. Both algorithms are deterministic, and
the time of signing is the message's: a resend has the same bytes. The body is signed whole (no ``l=``).

The body counts as it is ("simple") unless "relaxed" is wanted: our quoted-printable has no blanks at line ends that
a server on the way would take off.
"""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import Literal

from cryptography.hazmat.primitives.asymmetric import padding
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.hashes import SHA256

from paperdigest.errors import MailError
from paperdigest.mail.dkim_keys import Private, algorithm
from paperdigest.mail.headers import field

__all__ = ["SIGNED", "Signer", "SigningKey"]

SIGNED = (
    *(b"from", b"from", b"to", b"subject", b"date", b"message-id", b"list-id", b"list-unsubscribe"),
    *(b"list-unsubscribe-post", b"feedback-id", b"mime-version", b"content-type"),
)
"""The fields that are signed where they are there. From stands twice: so that no second one can be added."""

_DOMAIN = re.compile(r"(?=.{1,253}\Z)[A-Za-z0-9_](?:[A-Za-z0-9_-]{0,62})(?:\.[A-Za-z0-9_][A-Za-z0-9_-]{0,62})*\Z")
_BLANKS = re.compile(rb"[ \t]+")
_FOLD = "\r\n "
_B_CHARS = 72
_PADDING, _SHA256 = padding.PKCS1v15(), SHA256()


@dataclass(frozen=True, slots=True, kw_only=True)
class SigningKey:
    """A private key and the selector under which its public half stands in the DNS."""

    selector: str
    private: Private


class Signer:
    """Signs messages for one domain; may be used by many threads at once.

    Args:
        domain: ``d=``: the domain of From, or one above it.
        keys: one signature each, the first stands first.
        body: how the body is made canonical.

    Raises:
        MailError: the domain or a selector is no name of the DNS.
    """

    def __init__(
        self, domain: str, keys: Sequence[SigningKey], *, body: Literal["simple", "relaxed"] = "simple"
    ) -> None:
        for name in (domain, *(key.selector for key in keys)):
            if not _DOMAIN.match(name):
                problem = f"{name!r} cannot stand in a DKIM signature: it is no name of the DNS"
                raise MailError(problem, permanent=True, systemic=True)
        self._is_relaxed = body == "relaxed"
        self._keys = tuple((_signing(key.private), _first_lines(key, domain, body)) for key in keys)

    def begin(self, head: Sequence[bytes], body: bytes, signed_at: datetime) -> Callable[[], tuple[bytes, ...]]:
        """Prepare a DKIM-Signature field for each key, to stand above the head; who is returned makes them.

        That takes most of the time and lets go of Python's lock; it may be done by any thread.

        Args:
            head: the fields, as `headers.field` writes them, each name once.
            body: what follows the empty line.
            signed_at: ``t=``.
        """
        values = dict(map(_name_and_value, head))
        names = tuple([name for name in SIGNED if name in values])
        signed = b"".join([b"%b:%b" % (name, values[name]) for name in dict.fromkeys(names)])
        last = f"{_listed(names)}\r\n t={int(signed_at.timestamp())}; bh={self._body_hash(body)};\r\n b="
        return lambda: tuple([_signature(sign, first + last, signed) for sign, first in self._keys])

    def _body_hash(self, body: bytes) -> str:
        whole = _BLANKS.sub(b" ", body).replace(b" \r\n", b"\r\n") if self._is_relaxed else body
        if whole[-4:] == b"\r\n\r\n" or len(whole) <= 2:  # empty lines at the end do not count (RFC 6376, 3.4.3)
            whole = whole.rstrip(b"\r\n")
            whole += b"" if self._is_relaxed and not whole else b"\r\n"
        return base64.b64encode(hashlib.sha256(whole).digest()).decode("ascii")


def _first_lines(key: SigningKey, domain: str, body: str) -> str:
    """Return the beginning of a signature, which is the same in every message."""
    tags = f"v=1; a={algorithm(key.private)}; c=relaxed/{body}; d={domain}; s={key.selector};"
    return field("DKIM-Signature", tags).decode("ascii").removesuffix("\r\n")


def _signing(key: Private) -> Callable[[bytes], bytes]:
    if isinstance(key, RSAPrivateKey):
        return lambda text: key.sign(text, _PADDING, _SHA256)
    return lambda text: key.sign(hashlib.sha256(text).digest())  # RFC 8463, 3


def _signature(sign: Callable[[bytes], bytes], lines: str, signed: bytes) -> bytes:
    """Sign the fields and the signature itself, its ``b=`` being empty (RFC 6376, 3.7); it is the end of ``lines``."""
    tags = lines.replace(_FOLD, " ").removeprefix("DKIM-Signature: ")
    raw = sign(signed + b"dkim-signature:" + tags.encode("ascii"))
    coded = base64.b64encode(raw).decode("ascii")
    chunks = [coded[start : start + _B_CHARS] for start in range(0, len(coded), _B_CHARS)]
    return (lines + _FOLD.join(chunks) + "\r\n").encode("ascii")


def _name_and_value(raw: bytes) -> tuple[bytes, bytes]:
    """Return a field's name and its value in their canonical form (RFC 6376, 3.4.2); blanks are single already."""
    name, _, value = raw.partition(b": ")
    return name.lower(), value.replace(b"\r\n ", b" ")


@lru_cache(maxsize=64)
def _listed(names: tuple[bytes, ...]) -> str:
    """Return the ``h=`` tag, in lines that follow the first."""
    lines, line = [""], "h="
    for name in map(bytes.decode, names):
        if len(line) + len(name) + 2 > 70:
            lines.append(line)
            line = ""
        line += f"{name}:"
    return _FOLD.join([*lines, line])[:-1] + ";"
