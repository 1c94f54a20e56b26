"""The smtp mailer against a mail server that others wrote."""

from __future__ import annotations

import socket
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session

from paperdigest.errors import MailError
from paperdigest.mail.message import Mailbox, build_message
from paperdigest.mail.smtp import SmtpMailer
from paperdigest.protocols import OutgoingMessage

DATA = Path(__file__).parents[1] / "data" / "mail"


class Inbox:
    """Keeps what was delivered."""

    def __init__(self) -> None:
        self.envelopes: list[Envelope] = []

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        self.envelopes.append(envelope)
        return "250 2.0.0 kept"


def authenticator(
    server: SMTP, session: Session, envelope: Envelope, mechanism: str, login: LoginPassword
) -> AuthResult:
    return AuthResult(success=login == LoginPassword(b"digest", "schlüssel".encode()), handled=False)


@contextmanager
def relay(inbox: Inbox, **settings: Any) -> Iterator[int]:
    """Run the server on a free port; the controller cannot find one itself."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port: int = free.getsockname()[1]
    controller = Controller(inbox, hostname="127.0.0.1", port=port, server_hostname="relay.test", **settings)
    controller.start()
    try:
        yield port
    finally:
        controller.stop()


@pytest.fixture
def certificate() -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(DATA / "localhost.pem", DATA / "localhost.key")
    return context


def digest(number: int = 1, text: str = "Two papers.") -> OutgoingMessage:
    message_id = f"<{number}@example.org>"
    content = build_message(
        sender=Mailbox("digest@example.org", "paperdigest"),
        recipient=Mailbox("you@example.net"),
        subject="Gödel, in two papers",
        html=f"<p>{text}</p>",
        text=text,
        sent_at=datetime(2026, 4, 15, 6, 0, tzinfo=UTC),
        message_id=message_id,
    )
    return OutgoingMessage(
        sender="bounces@example.org", recipient="you@example.net", message_id=message_id, content=content
    )


def yes() -> bool:
    return True


def test_digests_arrive_byte_by_byte() -> None:
    inbox = Inbox()
    messages = [digest(number, text=f".\n..\n.hidden\n{'word ' * 500}\n.") for number in range(3)]
    with relay(inbox) as port, SmtpMailer({"host": "127.0.0.1", "port": port, "tls": "none"}).lane() as lane:
        assert [lane.send(message, yes) for message in messages] == ["250 2.0.0 kept"] * 3
    assert [envelope.original_content for envelope in inbox.envelopes] == [message.content for message in messages]
    assert inbox.envelopes[0].mail_from == "bounces@example.org"
    assert inbox.envelopes[0].rcpt_tos == ["you@example.net"]


def test_a_login_over_starttls_is_taken(certificate: ssl.SSLContext) -> None:
    inbox = Inbox()
    settings = {"tls": "starttls", "ca_file": str(DATA / "localhost.pem"), "user": "digest", "password": "schlüssel"}
    with (
        relay(
            inbox, tls_context=certificate, require_starttls=True, authenticator=authenticator, auth_required=True
        ) as port,
        SmtpMailer({"host": "127.0.0.1", "port": port, "timeout_s": 20, **settings}).lane() as lane,
    ):
        for number in range(3):
            lane.send(digest(number), yes)
        wrong = SmtpMailer({"host": "127.0.0.1", "port": port, **settings, "password": "schloss"}).lane()
        with pytest.raises(MailError, match="did not accept the login of digest: 535") as caught:
            wrong.send(digest(), yes)
    assert (caught.value.permanent, caught.value.code) == (False, 535)
    assert "schloss" not in str(caught.value)
    assert len(inbox.envelopes) == 3


def test_the_servers_limit_is_kept() -> None:
    inbox = Inbox()
    with (
        relay(inbox, data_size_limit=2000) as port,
        SmtpMailer({"host": "127.0.0.1", "port": port, "tls": "none"}).lane() as lane,
    ):
        with pytest.raises(MailError, match="at most 2,000") as caught:
            lane.send(digest(1, text="word " * 1000), yes)
        lane.send(digest(2), yes)
    assert caught.value.permanent
    assert len(inbox.envelopes) == 1
