"""The use case ``bounce``: read what came back, and do what follows from it; as often as you like.

For every message: read it (in a process of its own), see whom it speaks of by signature, write that down with its
consequences in one transaction, then mark the message as dealt with. Nobody is ever answered.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
from pathlib import Path
from typing import Any, Self

from paperdigest.app import storage
from paperdigest.bounces.attributing import Report, attribute
from paperdigest.bounces.inboxes import ImapFolder, Inbox, MaildirFolder
from paperdigest.bounces.isolation import Isolated
from paperdigest.bounces.reading import Nature
from paperdigest.config import Settings
from paperdigest.errors import ConfigError, Problem
from paperdigest.refusals import Consequence
from paperdigest.store import Store
from paperdigest.store.bounces import Bounces, Filed
from paperdigest.tokens import Tokens
from paperdigest.types import BounceKind

__all__ = ["BounceReport", "Intake", "bounces_of"]

ENVIRONMENT = "PAPERDIGEST_IMAP_PASSWORD"

_NO_DOMAIN = (
    "mail.bounces.domain is not set: mails leave without a signed return address, so that hardly any report can be"
    " matched to one; set it to a domain whose mail comes here"
)


@dataclass(slots=True, kw_only=True)
class BounceReport:
    """What one intake did. Every message read is counted once from ``gone`` to ``unreadable``.

    ``gone`` to ``complaint`` are what was reported of deliveries, ``unsubscribed`` wishes to be; ``ignored`` told
    nothing of a delivery of ours, ``forged`` bore an address like ours with a false signature, ``duplicate`` had been
    read before, ``unknown`` was about somebody who has been removed. Beyond these, ``suppressed`` counts whose mail
    stops for it, ``held`` whose would, were there no storm.
    """

    read: int = 0
    gone: int = 0
    mailbox: int = 0
    sender: int = 0
    message: int = 0
    delayed: int = 0
    complaint: int = 0
    unsubscribed: int = 0
    ignored: int = 0
    forged: int = 0
    duplicate: int = 0
    unknown: int = 0
    unreadable: int = 0
    suppressed: int = 0
    held: int = 0
    problems: list[str] = field(default_factory=list)

    def add(self, what: str, filed: Filed | None = None) -> None:
        """Count one message."""
        self.read += 1
        if filed is not None and not (filed.is_known and filed.is_new):
            what = "duplicate" if filed.is_known else "unknown"
        setattr(self, what, getattr(self, what) + 1)
        if filed is not None:
            self.held += filed.consequence is Consequence.HOLD
            self.suppressed += filed.consequence in (Consequence.SUPPRESS, Consequence.SUSPEND) or (
                what == "complaint" and filed.consequence is Consequence.UNSUBSCRIBE
            )

    def tell_once(self, problem: str) -> None:
        """Add a problem, unless it was told."""
        if problem not in self.problems:
            self.problems.append(problem)

    def fields(self) -> dict[str, Any]:
        """Return the JSON fields."""
        counts = {name: getattr(self, name) for name in self.__slots__ if name != "problems"}
        return counts | {"problems": list(self.problems)}

    def sentence(self) -> str:
        """Say it in words."""
        counts = {name: count for name, count in self.fields().items() if name not in ("read", "problems") and count}
        told = ", ".join(f"{count} {name}" for name, count in counts.items())
        return f"{self.read} read{': ' + told if told else ''}"


def bounces_of(settings: Settings, store: Store) -> Bounces:
    """Return the reports in a store, with the keys of the settings.

    Raises:
        ConfigError: a key cannot be read.
    """
    return Bounces(store.database, _secrets(settings))


def _secrets(settings: Settings) -> tuple[bytes, ...]:
    return (storage.secret_key(settings), *storage.previous_keys(settings))


class Intake:
    """Takes in what came back; a context manager that ends the process of the reader.

    Args:
        settings: for keys and places.
        store: where it is written down.
        clock: the time of day, UTC.
    """

    def __init__(self, settings: Settings, store: Store, clock: Callable[[], datetime]) -> None:
        self._settings, self._clock = settings, clock
        self.bounces = bounces_of(settings, store)
        self._reader = Isolated()
        self.report = BounceReport()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        self._reader.close()

    def take(self, content: bytes, recipients: tuple[str, ...] = (), name: str = "the message") -> bool:
        """Take one message in; False when it cannot be read, which is no reason to get it again.

        Raises:
            StoreError: it was not taken in, and may be given again.
        """
        reading = self._reader.read(content, recipients)
        if reading is None:
            self.report.add("unreadable")
            self.report.problems.append(f"{name} cannot be read: too large, too deep or too odd")
            return False
        what, filed = self._file(attribute(reading, self._tokens))
        self.report.add(what, filed)
        if what in ("ignored", "forged", "unknown") and not self._settings.mail.bounces.domain:
            self.report.tell_once(_NO_DOMAIN)
        return True

    def take_all(self, inbox: Inbox) -> None:
        """Take in what waits in an inbox; a message that cannot be read is flagged and named.

        Raises:
            StoreError, MailError, UsageError: what was done until then is done.
        """
        for one in inbox.arrived():
            if one.content is None:
                self.report.add("unreadable")
                self.report.problems.append(f"{one.name} cannot be read: no plain file, or not ours to read")
                continue
            inbox.done(one.name, is_odd=not self.take(one.content, name=one.name))
        self.bounces.tidy(self._clock())

    def take_maildir(self, path: Path) -> None:
        """Take in what waits in a Maildir (see `take_all`)."""
        self.take_all(MaildirFolder(path))

    def take_imap(self) -> None:
        """Take in what waits on the configured IMAP server (see `take_all`).

        Raises:
            ConfigError: none is configured.
        """
        table = self._settings.mail.bounces
        password = self._settings.secret(ENVIRONMENT, table.imap_password_file, key="mail.bounces.imap_password_file")
        missing = [key for key, value in (("imap_host", table.imap_host), ("imap_user", table.imap_user)) if not value]
        missing += ["imap_password_file"] if password is None else []
        if missing or password is None:
            problems = tuple(Problem(f"mail.bounces.{key}", "is not set") for key in missing)
            raise ConfigError(str(self._settings.path or "settings"), problems)
        with ImapFolder(
            host=table.imap_host,
            port=table.imap_port,
            user=table.imap_user,
            password=password.get_secret_value(),
            folder=table.imap_folder,
        ) as folder:
            self.take_all(folder)

    def take_configured(self) -> bool:
        """Take in from wherever the settings name; False when they name nothing."""
        table = self._settings.mail.bounces
        if table.maildir:
            self.take_maildir(self._settings.file(table.maildir, ""))
        if table.imap_host:
            self.take_imap()
        return bool(table.maildir or table.imap_host)

    @cached_property
    def _tokens(self) -> Tokens:
        return storage.tokens(self._settings)

    def _file(self, report: Report) -> tuple[str, Filed | None]:
        """Write a report down; return under what it counts, and what became of it."""
        now = self._clock()
        number = report.subscriber
        if report.wants_out and number is None and report.delivery is not None:
            number = self.bounces.subscriber_of(report.delivery)
        if report.wants_out and number is not None:
            return "unsubscribed", self.bounces.unsubscribe(number, message=report.mark, now=now)
        if report.nature is Nature.COMPLAINT and number is not None:
            return "complaint", self.bounces.complained(number, message=report.mark, now=now)
        if report.delivery is None:
            return ("forged" if report.is_forged else "ignored"), None
        if report.nature is Nature.COMPLAINT:
            return "complaint", self.bounces.record(report.delivery, BounceKind.COMPLAINT, now=now)
        address = self.bounces.address_of(report.delivery)
        if address is None:
            return "unknown", None
        said = report.about(address)
        if report.nature is not Nature.BOUNCE or said.kind is None:
            return "ignored", None
        filed = self.bounces.record(report.delivery, said.kind, status=said.status, detail=said.detail, now=now)
        return said.kind.value, filed
