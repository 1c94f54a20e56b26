"""Digests on the terminal, for trying out: what would be sent, and nothing leaves."""

from __future__ import annotations

import re
import sys
from collections.abc import Mapping
from email import policy
from email.message import EmailMessage
from email.parser import BytesParser
from typing import Any, Self, TextIO

from pydantic import BaseModel, ConfigDict

from paperdigest.errors import MailError
from paperdigest.mail.headers import clean_line
from paperdigest.mail.message import clean_body
from paperdigest.protocols import BeforeFinal, OutgoingMessage

__all__ = ["ConsoleLane", "ConsoleMailer", "ConsoleSettings"]

_PARSER = BytesParser(EmailMessage, policy=policy.default)
# Terminals obey these as well: C1 controls, and the marks that reorder what a reader sees.
_TERMINAL_CONTROLS = re.compile("[\x80-\x9f\u202a-\u202e\u2066-\u2069]")


class ConsoleSettings(BaseModel):
    """The ``console`` mailer has no settings."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class ConsoleMailer:
    """Writes From, To, Subject and the text part of each message to a stream.

    Args:
        settings: none are known.
        stream: where to write; if None standard error, because standard output is for results.
    """

    lanes = 1

    def __init__(self, settings: Mapping[str, Any], *, stream: TextIO | None = None) -> None:
        ConsoleSettings.model_validate(dict(settings))
        self._stream = stream

    def lane(self) -> ConsoleLane:
        """Return a writer to the stream."""
        return ConsoleLane(self._stream)


class ConsoleLane:
    """One writer to a stream; None is standard error as it is when a message is shown."""

    def __init__(self, stream: TextIO | None) -> None:
        self._stream = stream

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        """The stream is not ours to close."""

    def send(self, message: OutgoingMessage, before_final: BeforeFinal) -> str | None:
        """Show the message; control characters that a terminal would obey are replaced.

        Raises:
            MailError: the stream cannot be written (a closed pipe); not permanent.
        """
        shown = _shown(message.content)
        if not before_final():
            return None
        stream = self._stream or sys.stderr
        encoding = stream.encoding or "utf-8"
        try:
            stream.write(shown.encode(encoding, "replace").decode(encoding))
            stream.flush()
        except (OSError, ValueError) as error:  # ValueError: the stream was closed
            raise MailError(f"the message could not be shown: {error}", permanent=False, systemic=True) from error
        return "shown"


def _shown(content: bytes) -> str:
    mail = _PARSER.parsebytes(content)
    head = [f"{name}: {clean_line(str(mail[name] or ''))}" for name in ("From", "To", "Subject")]
    part = mail.get_body(("plain",))
    raw = part.get_payload(decode=True) if part is not None else None
    text = raw.decode("utf-8", "replace") if isinstance(raw, bytes) else "(no text part)"
    return "\n".join((*head, "", _TERMINAL_CONTROLS.sub("\ufffd", clean_body(text)).rstrip("\n"), "", ""))
