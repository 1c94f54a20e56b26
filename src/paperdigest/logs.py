"""What the long-running commands say on standard error: text or JSON lines, without addresses and tokens.

Logs are copied to places that nobody thinks of as a list of subscribers. Hence whatever looks like a mail address or
a token is masked in every record, arguments and tracebacks included, and no line break or control character of a
message can begin a line of its own (OWASP ASVS 5.0, V16.4.1).
"""

from __future__ import annotations

import contextlib
import copy
import json
import logging
import re
import sys
from abc import ABC, abstractmethod
from datetime import UTC, datetime
from typing import Literal, TextIO

__all__ = ["configure", "masked"]

_ADDRESS = re.compile(r"[^\s@<>\"'(),;:\[\]]{1,256}@(?:\[[0-9a-fA-F:.]{2,60}\]|[\w-]+(?:\.[\w-]+)*\.?)")
# A token has 30 characters of base64url (`tokens`). After the path of a link any 30 are one: `/home/u/…` is a folder.
_LINK = re.compile(r"(?P<path>/[umdc]/)[A-Za-z0-9_-]{30}(?![A-Za-z0-9_-])")
# Elsewhere only those with a capital: six bytes of a number, whose first are nearly always zero, then the proof.
_TOKEN = re.compile(r"(?<![A-Za-z0-9_-])(?=[a-z0-9_-]*[A-Z])[A-Za-z0-9_-]{30}(?![A-Za-z0-9_-])")
_CONTROLS = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029]")
_NAMES = {"\n": "\\n", "\r": "\\r", "\t": "\\t"}


def masked(text: str) -> str:
    """Return a text in which mail addresses and the tokens of links cannot be read."""
    text = _ADDRESS.sub("<address>", text)
    text = _LINK.sub(r"\g<path><token>", text)
    return _TOKEN.sub("<token>", text)


def configure(form: Literal["text", "json"], *, stream: TextIO | None = None) -> logging.Handler:
    """Send the records of all loggers, from INFO on, to standard error; calling it again replaces what was set up.

    Returns:
        What writes them.
    """
    handler = _ToStderr() if stream is None else logging.StreamHandler(stream)
    handler.setFormatter(_Json() if form == "json" else _Text())
    root = logging.getLogger()
    for old in [one for one in root.handlers if isinstance(one.formatter, _Masking)]:
        root.removeHandler(old)
    root.addHandler(handler)
    root.setLevel(logging.INFO)
    # The scheduler of others tells of every job twice; what went wrong in one is told by us.
    logging.getLogger("apscheduler").setLevel(logging.CRITICAL)
    for chatty in ("urllib3", "alembic"):
        logging.getLogger(chatty).setLevel(logging.WARNING)
    return handler


class _ToStderr(logging.Handler):
    """Writes to whatever standard error is at that moment."""

    def emit(self, record: logging.LogRecord) -> None:
        """Write one record; a standard error that is gone is no reason to stop."""
        with contextlib.suppress(OSError, ValueError):
            sys.stderr.write(self.format(record) + "\n")
            sys.stderr.flush()


class _Masking(logging.Formatter, ABC):
    """Formats a copy of the record whose texts are masked and of one line each."""

    def format(self, record: logging.LogRecord) -> str:
        shown = copy.copy(record)
        shown.msg, shown.args = _one_line(masked(_message(record))), None
        trace = "\n".join(part for part in (_trace(self, record), record.stack_info) if part)
        shown.exc_info = shown.stack_info = None
        shown.exc_text = masked(trace) or None
        return self.written(shown)

    @abstractmethod
    def written(self, record: logging.LogRecord) -> str:
        """Return the line or lines of a record whose texts are masked."""


class _Text(_Masking):
    """``2026-04-15T06:00:00Z WARNING paperdigest.scheduler: …``; a traceback follows in lines that begin with ``|``."""

    def written(self, record: logging.LogRecord) -> str:
        head = f"{_moment(record)} {record.levelname} {record.name}: {record.msg}"
        trace = [f"  | {_CONTROLS.sub(' ', line)}" for line in (record.exc_text or "").splitlines()]
        return "\n".join([head, *trace])


class _Json(_Masking):
    """One JSON object a line: ``at``, ``level``, ``logger``, ``message``, and ``traceback`` where there is one."""

    def written(self, record: logging.LogRecord) -> str:
        fields = {"at": _moment(record), "level": record.levelname, "logger": record.name, "message": record.msg}
        if record.exc_text:
            fields["traceback"] = record.exc_text
        return json.dumps(fields, ensure_ascii=True)


def _message(record: logging.LogRecord) -> str:
    try:
        return record.getMessage()
    except (TypeError, ValueError, KeyError):  # arguments that do not fit would be printed unmasked
        return f"{record.msg} (with arguments that do not fit)"


def _trace(formatter: logging.Formatter, record: logging.LogRecord) -> str | None:
    return formatter.formatException(record.exc_info) if record.exc_info else record.exc_text


def _one_line(text: str) -> str:
    return _CONTROLS.sub(lambda found: _NAMES.get(found[0], f"\\u{ord(found[0]):04x}"), text)


def _moment(record: logging.LogRecord) -> str:
    return datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
