"""The header fields by which mail programs know a list and let its readers leave (RFC 2369, RFC 8058)."""

from __future__ import annotations

import re
from dataclasses import dataclass
from urllib.parse import quote

from paperdigest.errors import MailError
from paperdigest.mail.headers import is_address

__all__ = ["ListHeaders", "feedback_id"]

_URL = re.compile(r"https?://[A-Za-z0-9.:\[\]-]+(?:/[A-Za-z0-9._~:/?#@!$&'()*+;=%-]*)?\Z")
_AS_IT_IS = re.compile(r"[A-Za-z0-9._~@+!$*-]+\Z")
_FEEDBACK = re.compile(r"(?:[A-Za-z0-9._-]{0,60}:){3}[A-Za-z0-9._-]{5,15}\Z")
_FEEDBACK_SIGNS = re.compile(r"[^A-Za-z0-9._-]+")


@dataclass(frozen=True, slots=True, kw_only=True)
class ListHeaders:
    """What a digest says of the list it belongs to; None for what there is not.

    ``unsubscribe_url`` holds a token and takes a POST (RFC 8058); any mail to the address ``unsubscribe_mailto``
    unsubscribes too. Longer URLs than 76 characters are not broken, but their line is longer than 78 then.

    Raises:
        MailError: an address or URL that could be read otherwise than it was meant; permanent.
    """

    unsubscribe_url: str | None = None
    unsubscribe_mailto: str | None = None
    help_url: str | None = None
    feedback: str | None = None

    def __post_init__(self) -> None:
        for url in (self.unsubscribe_url, self.help_url):
            if url is not None and not _URL.match(url):
                raise _unusable(url, "no web address in plain ASCII without spaces, commas and brackets")
        mailto = self.unsubscribe_mailto
        if mailto is not None and not (mailto.isascii() and is_address(mailto)):
            raise _unusable(mailto, "no plain address in ASCII")
        if self.feedback is not None and not _FEEDBACK.match(self.feedback):
            raise _unusable(self.feedback, "no Feedback-ID: that is a:b:c:sender, the sender 5 to 15 letters long")

    def fields(self) -> dict[str, str]:
        """Return the fields by name, for ``build_message(headers=...)``.

        One-click (RFC 8058) is offered only for https: exactly one such URL stands in List-Unsubscribe.
        """
        found = {}
        ways = [self.unsubscribe_url, _mailto(self.unsubscribe_mailto)]
        if leave := ", ".join(f"<{way}>" for way in ways if way is not None):
            found["List-Unsubscribe"] = leave
        if (self.unsubscribe_url or "").startswith("https://"):
            found["List-Unsubscribe-Post"] = "List-Unsubscribe=One-Click"
        if self.help_url is not None:
            found["List-Help"] = f"<{self.help_url}>"
        if self.feedback is not None:
            found["Feedback-ID"] = self.feedback
        # Not a standard, but what keeps many programs from answering (RFC 3834 is Auto-Submitted).
        found["Precedence"] = "bulk"
        found["X-Auto-Response-Suppress"] = "All"
        return found


def feedback_id(*parts: str, sender: str) -> str:
    """Return ``a:b:c:sender`` for the statistics of Gmail: never anything about one reader.

    Args:
        parts: at most three names by which to group, such as the list and the kind of mail.
        sender: what names us in all our mail, such as the domain; 5 to 15 signs of it count.
    """
    names = [_FEEDBACK_SIGNS.sub("-", part)[:60] for part in (*parts, "", "", "")[:3]]
    return ":".join([*names, _FEEDBACK_SIGNS.sub("-", sender)[:15].rstrip(".-").ljust(5, "-")])


def _mailto(address: str | None) -> str | None:
    """Return the URL that writes to an address (RFC 6068); what may stand in one as it is stays readable."""
    if address is None:
        return None
    is_plain = _AS_IT_IS.match(address) is not None  # ours are, and it is sooner seen than quoted
    return f"mailto:{address if is_plain else quote(address, safe='@+!$*')}"


def _unusable(value: str, why: str) -> MailError:
    return MailError(f"{value[:200]!r} cannot stand in a header of the list: {why}", permanent=True)
