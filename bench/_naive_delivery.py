"""How a digest is usually mailed, written from the description of a dozen scripts and small services.

For each digest in turn: draw the templates with Jinja, inline the styles (css-inline), build an ``EmailMessage``, sign
it (dkimpy), open a connection (smtplib), send, and write into the database that it was sent. The views that the
templates read are given ready-made, and the database is asked for durability only at checkpoints (WAL,
synchronous=NORMAL): what is measured is not made slower than it has to be.
"""

from __future__ import annotations

import smtplib
import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from pathlib import Path

import css_inline
import dkim  # type: ignore[import-untyped]  # has no types
from jinja2 import Environment, FileSystemLoader

from paperdigest.render.papers import ABSTRACT_CHARS
from paperdigest.render.templates import PAGE, TEXT
from paperdigest.render.view import DigestView, digest_view
from paperdigest.render.wanted import Cut, Wanted
from paperdigest.render.words import numbering, plural, wrap
from paperdigest.types import Digest

__all__ = ["Letter", "Naive", "letter"]

_TEMPLATES = Path(__file__).resolve().parents[1] / "templates"
_MARK = "UPDATE deliveries SET state = 'sent', sent_at = '2026-04-15T06:00:00.000000Z' WHERE digest_id = ?"
_SIGNED = (
    *(b"from", b"from", b"to", b"subject", b"date", b"message-id", b"list-id", b"list-unsubscribe"),
    *(b"list-unsubscribe-post", b"mime-version", b"content-type"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Letter:
    """What a digest's message is made of."""

    number: int
    email: str
    view: DigestView
    message_id: str
    sent_at: datetime
    unsubscribe: str


def letter(wanted: Wanted, message_id: str) -> Letter:
    """Return what the naive pipeline is given of a digest: its texts cut, cleaned and marked already."""
    digest: Digest = wanted.digest
    return Letter(
        number=digest.id,
        email=digest.subscriber.email,
        view=digest_view(wanted, Cut(ABSTRACT_CHARS, len(digest.ranked)), title="paperdigest", postal_address="Lane 1"),
        message_id=message_id,
        sent_at=digest.composed_at,
        unsubscribe=wanted.links.unsubscribe or "",
    )


class Naive:
    """The pipeline, for one database and server."""

    def __init__(self, database: Path, key: Path, port: int) -> None:
        self._templates = Environment(
            loader=FileSystemLoader(_TEMPLATES), autoescape=lambda name: not (name or "").endswith(".txt.j2"),
            trim_blocks=True, lstrip_blocks=True,
        )  # fmt: skip
        self._templates.filters |= {"wrap": wrap, "plural": plural, "number": "{:,}".format, "numbering": numbering}
        self._inliner = css_inline.CSSInliner(load_remote_stylesheets=False, keep_at_rules=True)
        self._key, self._port = key.read_bytes(), port
        self._database = sqlite3.connect(database)
        self._database.execute("PRAGMA journal_mode = WAL")
        self._database.execute("PRAGMA synchronous = NORMAL")

    def deliver(self, letters: Sequence[Letter]) -> None:
        """Send all of them."""
        for one in letters:
            content = self.message(one)
            with smtplib.SMTP("127.0.0.1", self._port, local_hostname="digest.example.org") as server:
                server.sendmail("papers@digest.example.org", [one.email], content)
            self._database.execute(_MARK, (one.number,))
            self._database.commit()

    def message(self, one: Letter) -> bytes:
        """Return the signed message."""
        html = self._inliner.inline(self._templates.get_template(PAGE).render(digest=one.view))
        text = self._templates.get_template(TEXT).render(digest=one.view)
        message = EmailMessage(policy=SMTP)
        message["From"] = Address("Paper digest", addr_spec="papers@digest.example.org")
        message["To"] = one.email
        message["Subject"] = one.view.subject
        message["Date"] = one.sent_at
        message["Message-ID"] = one.message_id
        message["List-Id"] = "<paperdigest.digest.example.org>"
        message["List-Unsubscribe"] = f"<{one.unsubscribe}>"
        message["List-Unsubscribe-Post"] = "List-Unsubscribe=One-Click"
        message.set_content(text)
        message.add_alternative(html, subtype="html")
        raw = message.as_bytes()
        signature: bytes = dkim.sign(
            raw, b"pd", b"digest.example.org", self._key, include_headers=list(_SIGNED),
            canonicalize=(b"relaxed", b"simple"),
        )  # fmt: skip
        return signature + raw
