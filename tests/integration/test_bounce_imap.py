"""Bounces from an IMAP server: only over TLS that is verified, marked as seen when they are recorded, not before."""

from __future__ import annotations

import ssl
from collections.abc import Iterator
from pathlib import Path

import pytest

from paperdigest.app.bounces import Intake
from paperdigest.app.storage import secret_key
from paperdigest.bounces.addresses import bounce_address
from paperdigest.bounces.inboxes import ImapFolder
from paperdigest.bounces.isolation import Isolated
from paperdigest.bounces.reading import MAX_BYTES
from paperdigest.config import Settings
from paperdigest.errors import MailError, StoreError
from paperdigest.store import Store
from paperdigest.tokens import Tokens
from tests import bounce_samples as sample
from tests.bounce_samples import NOW, WHO
from tests.scripted_imap import ScriptedImap, certificate


@pytest.fixture(scope="module")
def pem(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return certificate(tmp_path_factory.mktemp("tls"))


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    opened = Store.open(tmp_path / "papers.db", create=True)
    yield opened
    opened.close()


def folder(server: ScriptedImap, pem: Path, **other: str) -> ImapFolder:
    context = ssl.create_default_context(cafile=str(pem))
    wanted = {"host": "localhost", "user": "papers", "password": 'pass "word"', "folder": "INBOX"} | other
    return ImapFolder(port=server.port, context=context, timeout_s=10, **wanted)


def test_what_is_not_seen_yet_is_given_out_and_marked_when_it_is_done(pem: Path) -> None:
    with ScriptedImap(pem, {3: b"To: a\r\n\r\nx", 7: b"To: b\r\n\r\ny"}) as server:
        server.flags[3].add("\\Seen")
        with folder(server, pem) as inbox:
            (one,) = inbox.arrived()
            assert (one.name, one.content) == ("7", b"To: b\r\n\r\ny")
            assert server.flags[7] == set()
            inbox.done("7")
            assert server.flags[7] == {"\\Seen"}
            assert list(inbox.arrived()) == []
            inbox.done("3", is_odd=True)
            assert server.flags[3] == {"\\Seen", "\\Flagged"}


def test_no_more_than_the_limit_is_fetched(pem: Path) -> None:
    with ScriptedImap(pem, {1: b"x" * (MAX_BYTES + 10)}) as server, folder(server, pem) as inbox:
        (one,) = inbox.arrived()
        assert len(one.content or b"") == MAX_BYTES


def test_names_and_passwords_may_hold_anything(pem: Path) -> None:
    with ScriptedImap(pem, {}) as server, folder(server, pem, folder='Mail\\"Box'):
        pass
    assert 'SELECT "Mail\\\\\\"Box"' in server.said
    assert any(line.startswith("LOGIN") and '\\"word\\"' in line for line in server.said)


@pytest.mark.parametrize(
    ("cut", "says"),
    [
        ({"refuse": "LOGIN"}, "refuses: not today"),
        ({"refuse": "SELECT"}, "refuses: not today"),
        ({"refuse": "UID SEARCH"}, "refuses"),
        ({"refuse": "UID FETCH"}, "refuses"),
        ({"drop_at": "LOGIN"}, "localhost"),
        ({"drop_at": "UID SEARCH"}, "localhost"),
        ({"drop_at": "UID FETCH"}, "localhost"),
    ],
)
def test_trouble_with_the_server_is_said_in_words(pem: Path, cut: dict[str, str], says: str) -> None:
    server = ScriptedImap(pem, {1: b"x"}, **cut)
    with server, pytest.raises(MailError, match=says), folder(server, pem) as inbox:
        list(inbox.arrived())


def test_a_server_that_cannot_prove_who_it_is_gets_no_password(pem: Path, tmp_path: Path) -> None:
    foreign = certificate(tmp_path, "mail.example.org")
    with ScriptedImap(foreign, {}) as server:
        with pytest.raises(MailError, match="cannot prove who it is"), folder(server, foreign):
            pass  # the name is another
        with pytest.raises(MailError, match="cannot prove who it is"), folder(server, pem):
            pass  # nobody vouches for it
    assert server.said == []


def test_a_server_that_is_not_there_is_named(pem: Path) -> None:
    with ScriptedImap(pem, {}) as server:
        inbox = folder(server, pem)
    with pytest.raises(MailError, match=r"localhost:.*cannot be reached"), inbox:
        pass


def test_bounces_are_taken_in_from_imap_and_those_that_cannot_be_read_are_flagged(
    store: Store, pem: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("PAPERDIGEST_SECRET_KEY", raising=False)
    monkeypatch.setenv("PAPERDIGEST_IMAP_PASSWORD", "secret")
    monkeypatch.setenv("SSL_CERT_FILE", str(pem))
    settings = Settings.model_validate({"mail": {"secret_key_file": str(tmp_path / "key")}})
    delivery = sample.mailed(store, sample.reader(store))
    verp = bounce_address(Tokens([secret_key(settings)]), delivery, "bounces.example.net")
    read = Isolated.read
    monkeypatch.setattr(
        Isolated, "read", lambda self, content, to: None if content == b"odd" else read(self, content, to)
    )
    with ScriptedImap(pem, {1: b"odd", 2: sample.postfix(verp), 3: sample.postfix(verp)}) as server:
        table = {"imap_host": "localhost", "imap_port": server.port, "imap_user": "papers"}
        mail = {"secret_key_file": str(tmp_path / "key"), "bounces": table}
        with Intake(Settings.model_validate({"mail": mail}), store, lambda: NOW) as intake:
            assert intake.take_configured()
            counted = intake.report
        assert (counted.read, counted.gone, counted.duplicate, counted.unreadable) == (3, 1, 1, 1)
        assert server.flags == {1: {"\\Seen", "\\Flagged"}, 2: {"\\Seen"}, 3: {"\\Seen"}}
        assert intake.bounces.suppressions.of(WHO) is not None


def test_what_cannot_be_recorded_is_not_marked(store: Store, pem: Path, tmp_path: Path) -> None:
    settings = Settings.model_validate({"mail": {"secret_key_file": str(tmp_path / "key")}})
    delivery = sample.mailed(store, sample.reader(store))
    verp = bounce_address(Tokens([secret_key(settings)]), delivery, "bounces.example.net")
    with ScriptedImap(pem, {1: sample.postfix(verp)}) as server:
        with Intake(settings, store, lambda: NOW) as intake, folder(server, pem) as inbox:
            store.close()
            hidden = store.path.rename(store.path.with_suffix(".away"))
            with pytest.raises(StoreError):
                intake.take_all(inbox)
            hidden.rename(store.path)
            assert server.flags == {1: set()}
            intake.take_all(inbox)
        assert server.flags == {1: {"\\Seen"}}
