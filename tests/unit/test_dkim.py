"""DKIM: another program must believe our signatures, and stop when anything signed is changed."""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)

from paperdigest.errors import MailError, UsageError
from paperdigest.mail.dkim import SIGNED, Signer, SigningKey
from paperdigest.mail.dkim_keys import Private, dns_record, dns_strings, load_key, make_key
from paperdigest.mail.lists import ListHeaders
from paperdigest.mail.message import Attachment, Mailbox, build_message
from tests.dkim_oracle import believes

SENT = datetime(2026, 4, 15, 6, 0, tzinfo=UTC)
Body = Literal["simple", "relaxed"]


@dataclass(frozen=True)
class Keys:
    rsa: Private
    ed25519: Private

    @property
    def zone(self) -> Mapping[str, str]:
        return {
            "a._domainkey.example.org": dns_record(self.rsa),
            "b._domainkey.example.org": dns_record(self.ed25519),
        }

    def signer(self, which: str = "both", body: Body = "simple") -> Signer:
        both = [SigningKey(selector="a", private=self.rsa), SigningKey(selector="b", private=self.ed25519)]
        return Signer("example.org", {"rsa": both[:1], "ed25519": both[1:], "both": both}[which], body=body)


@pytest.fixture(scope="module")
def keys() -> Keys:
    return Keys(rsa.generate_private_key(public_exponent=65537, key_size=2048), Ed25519PrivateKey.generate())


def _message(signer: Signer | None, **changes: object) -> bytes:
    arguments: dict[str, object] = {
        "sender": Mailbox("digest@example.org", "Paper digest"),
        "recipient": Mailbox("you@example.net", "Žofia"),
        "subject": "5 papers: attention — and more of it, in a line that has to be folded somewhere",
        "html": ("<p>é  two blanks </p>\n", "<b>x</b>\n\n\n"),
        "text": ("a\n.\n\tb  \n", "= \n", "\n\n"),
        "sent_at": SENT,
        "message_id": "<1.abc@example.org>",
        "list_id": "paperdigest.example.org",
        "headers": ListHeaders(
            unsubscribe_url="https://example.org/u/" + "t" * 30,
            unsubscribe_mailto="unsub+token@example.org",
            feedback="daily:digest::example.org",
        ).fields(),
        "signer": signer,
    }
    return build_message(**(arguments | changes))  # type: ignore[arg-type]  # a table of overrides


@pytest.mark.parametrize("body", ["simple", "relaxed"])
@pytest.mark.parametrize("which", ["rsa", "ed25519", "both"])
def test_another_program_believes_every_signature(keys: Keys, which: str, body: Body) -> None:
    raw = _message(keys.signer(which, body))
    count = raw.count(b"DKIM-Signature: ")
    assert count == (2 if which == "both" else 1)
    assert all(believes(raw, keys.zone, number) for number in range(count))
    assert f"c=relaxed/{body};".encode() in raw


def test_a_message_with_a_file_and_one_in_utf8_are_signed_as_well(keys: Keys) -> None:
    bibliography = Attachment(name="papers.bib", media_type="text/x-bibtex", text="@misc{a,}\n")
    raw = _message(keys.signer(), recipient=Mailbox("žofia@example.net", "Žofia"), attachments=(bibliography,))
    assert 'To: "Žofia" <žofia@example.net>\r\n'.encode() in raw
    assert believes(raw, keys.zone, 0)
    assert believes(raw, keys.zone, 1)


@pytest.mark.parametrize("which", ["rsa", "ed25519"])
@pytest.mark.parametrize(
    ("old", "new"),
    [
        (b"List-Unsubscribe=One-Click", b"List-Unsubscribe=Two-Click"),
        (b"<https://example.org/u/t", b"<https://example.com/u/t"),
        (b"Feedback-ID: d", b"Feedback-ID: e"),
        (b"Content-Type: multipart/alternative", b"Content-Type: multipart/mixed"),
        (b"MIME-Version: 1.0", b"MIME-Version: 1.1"),
        (b"Subject: =?utf-8?Q?5", b"Subject: =?utf-8?Q?6"),
        (b"Date: Wed", b"Date: Thu"),
        (b"Message-ID: <1", b"Message-ID: <2"),
        (b"To: =", b"Cc: ="),
        (b"<b>x</b>", b"<b>y</b>"),
        (b"\r\nFrom: ", b"\r\nFrom: evil@example.com\r\nFrom: "),
        (b"\r\nTo: ", b"\r\nFrom: evil@example.com\r\nTo: "),
        (b"t=1776232800", b"t=1776232801"),
        (b"d=example.org", b"d=example.com"),
    ],
)
def test_nobody_believes_it_when_something_signed_was_changed(keys: Keys, which: str, old: bytes, new: bytes) -> None:
    raw = _message(keys.signer(which))
    zone = dict(keys.zone) | {name.replace(".org", ".com"): record for name, record in keys.zone.items()}
    assert believes(raw, zone)
    changed = raw.replace(old, new, 1)
    assert changed != raw
    assert not believes(changed, zone)


def test_what_relays_may_do_to_a_message_does_not_break_a_relaxed_signature(keys: Keys) -> None:
    raw = _message(keys.signer("rsa", "relaxed"))
    head, _, body = raw.partition(b"\r\n\r\n")
    refolded = head.replace(b"Date: Wed, ", b"date:   Wed,\r\n\t ").replace(b"List-Id: ", b"LIST-ID:\t ")
    blanks = body.replace(b"</b>\r\n", b"</b>  \r\n") + b"\r\n\r\n"
    assert believes(b"Received: from a by b; now\r\n" + refolded + b"\r\n\r\n" + blanks, keys.zone)
    assert b"</b>  \r\n" in blanks


def test_the_same_message_has_the_same_signatures_and_no_length_tag(keys: Keys) -> None:
    assert _message(keys.signer()) == _message(keys.signer())
    assert _message(keys.signer()).endswith(_message(None))
    signatures = _message(keys.signer()).partition(b"\r\nFrom: ")[0]
    assert not re.search(rb"[;\s]l=", signatures)
    assert max(len(line) for line in signatures.split(b"\r\n")) <= 78


def test_every_field_that_counts_is_signed_and_from_twice(keys: Keys) -> None:
    raw = _message(keys.signer("rsa"))
    listed = re.search(rb"h=([^;]+);", raw)
    assert listed is not None
    names = re.sub(rb"\s", b"", listed[1]).split(b":")
    assert tuple(names) == SIGNED
    assert names.count(b"from") == 2
    bare = re.search(rb"h=([^;]+);", _message(keys.signer("rsa"), headers=None, list_id=None))
    assert bare is not None
    assert b"list" not in bare[1]
    assert b"feedback" not in bare[1]


def test_long_names_of_the_dns_stay_within_the_line(keys: Keys) -> None:
    domain = ".".join(["long-label-of-a-domain"] * 3)
    signer = Signer(domain, [SigningKey(selector="selector-of-the-year-2026", private=keys.rsa)])
    raw = _message(signer)
    assert max(len(line) for line in raw.partition(b"\r\nFrom:")[0].split(b"\r\n")) <= 78
    assert believes(raw, {f"selector-of-the-year-2026._domainkey.{domain}": dns_record(keys.rsa)})


@pytest.mark.parametrize(
    "name", ["", "a b", "a;b=c", "exämple.org", "a\r\nBcc: x", ".org", "x" * 64, "a..b", "a" * 300]
)
def test_what_is_no_name_of_the_dns_is_refused(keys: Keys, name: str) -> None:
    with pytest.raises(MailError, match="no name of the DNS"):
        Signer(name, [])
    with pytest.raises(MailError, match="no name of the DNS"):
        Signer("example.org", [SigningKey(selector=name, private=keys.rsa)])


@pytest.mark.parametrize(("body", "canonical"), [("simple", b"\r\n"), ("relaxed", b"")])
@pytest.mark.parametrize("empty", [b"", b"\r\n", b"\r\n\r\n\r\n"])
def test_an_empty_body_counts_as_the_standard_says(keys: Keys, body: Body, canonical: bytes, empty: bytes) -> None:
    field = keys.signer("ed25519", body).begin([b"From: a@example.org\r\n"], empty, SENT)()[0]
    assert base64.b64encode(hashlib.sha256(canonical).digest()) in field
    assert believes(field + b"From: a@example.org\r\n\r\n" + empty, keys.zone)


@pytest.mark.parametrize("kind", ["rsa", "ed25519"])
def test_a_key_that_was_made_can_be_read_by_its_owner_only(tmp_path: Path, kind: Literal["rsa", "ed25519"]) -> None:
    path = tmp_path / "key.pem"
    made = make_key(path, kind)
    assert path.stat().st_mode & 0o777 == 0o600
    assert dns_record(load_key(path)) == dns_record(made)
    with pytest.raises(UsageError, match="is there already"):
        make_key(path, kind)
    with pytest.raises(UsageError, match="cannot be written"):
        make_key(tmp_path / "none" / "key.pem", kind)


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o620, 0o666])
def test_a_key_that_others_can_read_is_refused_with_what_to_do(tmp_path: Path, mode: int) -> None:
    path = tmp_path / "key.pem"
    make_key(path, "ed25519")
    path.chmod(mode)
    with pytest.raises(UsageError, match=f"chmod 600 {path}"):
        load_key(path)


def _pem(key: rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey, password: bytes = b"") -> bytes:
    lock = BestAvailableEncryption(password) if password else NoEncryption()
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, lock)


def _unusable() -> dict[str, tuple[bytes, str]]:
    curve = ec.generate_private_key(ec.SECP256R1())
    public = curve.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    return {
        "empty": (b"", "no private key"),
        "noise": (b"\x00\xff" * 900, "no private key"),
        "public": (public, "no private key"),
        "curve": (_pem(curve), "neither an RSA nor an Ed25519"),
        "locked": (_pem(curve, b"secret"), "locked by a password"),
        "cut": (_pem(curve)[:100], "no private key"),
    }


@pytest.mark.parametrize("kind", ["empty", "noise", "public", "curve", "locked", "cut"])
def test_a_file_that_holds_no_usable_key_is_refused_in_words(tmp_path: Path, kind: str) -> None:
    pem, words = _unusable()[kind]
    path = tmp_path / "key.pem"
    path.write_bytes(pem)
    path.chmod(0o600)
    with pytest.raises(UsageError, match=words) as caught:
        load_key(path)
    assert "secret" not in str(caught.value)
    assert caught.value.hint


def _of_mersenne_primes(one: int, other: int) -> rsa.RSAPrivateKey:
    """Return a key of a size that a library does not make, or takes long to."""
    p, q = 2**one - 1, 2**other - 1
    private = pow(65537, -1, (p - 1) * (q - 1))
    rest = (private % (p - 1), private % (q - 1), pow(q, -1, p))
    return rsa.RSAPrivateNumbers(p, q, private, *rest, rsa.RSAPublicNumbers(65537, p * q)).private_key()


@pytest.mark.parametrize(("exponents", "bits"), [((521, 127), 648), ((607, 127), 734), ((607, 521), 1128)])
@pytest.mark.parametrize("most", [1100, 4096])
def test_keys_have_the_size_that_receivers_take(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, exponents: tuple[int, int], bits: int, most: int
) -> None:
    monkeypatch.setattr("paperdigest.mail.dkim_keys._BITS", range(1024, most + 1))  # to read a larger one takes seconds
    path = tmp_path / "key.pem"
    path.write_bytes(_pem(_of_mersenne_primes(*exponents)))
    path.chmod(0o600)
    if 1024 <= bits <= most:
        assert "k=rsa" in dns_record(load_key(path))
    else:
        with pytest.raises(UsageError, match=f"has {bits} bits; DKIM takes 1024"):
            load_key(path)


def test_a_key_that_is_missing_is_named(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"none\.pem cannot be read: No such file"):
        load_key(tmp_path / "none.pem")


def test_the_record_is_split_for_the_dns_and_nothing_is_lost(keys: Keys) -> None:
    record = dns_record(keys.rsa)
    strings = dns_strings(record)
    assert len(strings) == 2
    assert "".join(strings) == record
    assert max(map(len, strings)) <= 255
    assert dns_strings(dns_record(keys.ed25519)) == (dns_record(keys.ed25519),)
