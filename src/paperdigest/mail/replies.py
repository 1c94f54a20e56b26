"""What SMTP servers say: replies (RFC 5321, 4.2) and the extensions they offer (RFC 5321, 4.1.1.1). Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta

from paperdigest.mail.headers import clean_line
from paperdigest.refusals import enhanced_status

__all__ = ["MAX_REPLY_BYTES", "MAX_REPLY_LINES", "Offers", "Reply", "offers_in", "reply_line"]

MAX_REPLY_LINES = 100
MAX_REPLY_BYTES = 64 * 1024
_MAX_SHOWN = 300
_MAX_WAIT = timedelta(days=1)

_LINE = re.compile(rb"([2-5][0-9]{2})(?:([ -])(.*))?\Z", re.DOTALL)
_COUNT = re.compile(r"[0-9]{1,18}\Z", re.ASCII)
# As servers put it: try again in 300 seconds; Greylisted for 5 minutes; retry after 1 hr; come back in 00:05:00.
_WAIT = re.compile(
    r"\b(?:in|for|after|wait|within)\s+(?:(?P<h>\d{1,3}):(?P<m>\d{2}):(?P<s>\d{2})\b|"
    r"(?P<number>\d{1,6})\s*(?P<unit>s|secs?|seconds?|m|mins?|minutes?|h|hrs?|hours?)\b)",
    re.IGNORECASE | re.ASCII,
)
_SECONDS = {"s": 1, "m": 60, "h": 3600}


@dataclass(frozen=True, slots=True)
class Reply:
    """What the server answered: the code, and the text of each line as it came."""

    code: int
    lines: tuple[bytes, ...]

    @property
    def good(self) -> bool:
        """Whether the command was done."""
        return self.code // 100 == 2

    @property
    def refusal(self) -> bool:
        """Whether the command was refused."""
        return self.code // 100 in (4, 5)

    @property
    def text(self) -> str:
        """Its words in one clean line of bounded length."""
        joined = b" ".join(self.lines)[: 4 * _MAX_SHOWN]
        return clean_line(joined.decode("utf-8", "replace"))[:_MAX_SHOWN]

    @property
    def status(self) -> str | None:
        """The enhanced status code; only one that begins the text and fits the code is one (RFC 2034, 4)."""
        first = self.text.partition(" ")[0]
        fits = first[:1] == str(self.code)[0] and enhanced_status(first) == first
        return first if fits else None

    @property
    def retry_after(self) -> timedelta | None:
        """How long the server asked us to wait, at most a day; None when it did not, or refused for good."""
        found = _WAIT.search(self.text) if self.code // 100 == 4 else None
        if found is None:
            return None
        if found["unit"]:
            asked = int(found["number"]) * _SECONDS[found["unit"][0].lower()]
        else:
            asked = int(found["h"]) * 3600 + int(found["m"]) * 60 + int(found["s"])
        return min(timedelta(seconds=asked), _MAX_WAIT)

    def __str__(self) -> str:
        return f"{self.code} {self.text}".rstrip()


def reply_line(line: bytes) -> tuple[int, bool, bytes] | None:
    """Return code, whether more lines follow, and text of one line without its end; None: that is not SMTP."""
    parsed = _LINE.match(line)
    return (int(parsed[1]), parsed[2] == b"-", parsed[3] or b"") if parsed else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Offers:
    """What a server can do beyond RFC 5321.

    ``size_limit`` is in bytes; 0: none is known (RFC 1870). ``logins`` are the methods of AUTH (RFC 4954).
    """

    extensions: Mapping[str, str]
    """Upper-case keyword to parameters."""
    pipelining: bool = False
    chunking: bool = False
    eight_bit: bool = False
    smtputf8: bool = False
    size: bool = False
    dsn: bool = False
    size_limit: int = 0
    logins: tuple[str, ...] = ()


def offers_in(lines: Sequence[bytes]) -> Offers:
    """Read the lines of a reply to EHLO; the first is a greeting. What makes no sense is not offered."""
    found: dict[str, str] = {}
    for line in lines[1:]:
        keyword, _, parameters = line.decode("ascii", "replace").strip().replace("AUTH=", "AUTH ", 1).partition(" ")
        known = found.get(keyword.upper(), "")
        found[keyword.upper()] = f"{known} {parameters}".strip()
    limit = found.get("SIZE", "")
    return Offers(
        extensions=found,
        pipelining="PIPELINING" in found,
        chunking="CHUNKING" in found,
        eight_bit="8BITMIME" in found,
        smtputf8="SMTPUTF8" in found,
        size="SIZE" in found,
        dsn="DSN" in found,
        size_limit=int(limit) if _COUNT.match(limit) else 0,
        logins=tuple(found.get("AUTH", "").upper().split()),
    )
