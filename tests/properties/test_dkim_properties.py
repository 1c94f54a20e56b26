"""Another program believes the signature of any message, and of none that was changed anywhere that is signed."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Literal

from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from paperdigest.mail.dkim import Signer, SigningKey
from paperdigest.mail.dkim_keys import dns_record
from paperdigest.mail.lists import ListHeaders
from paperdigest.mail.message import Attachment, Mailbox, build_message
from tests.dkim_oracle import believes

_RSA, _ED25519 = rsa.generate_private_key(public_exponent=65537, key_size=1024), Ed25519PrivateKey.generate()
_KEYS = (SigningKey(selector="a", private=_RSA), SigningKey(selector="b", private=_ED25519))
_ZONE = {"a._domainkey.example.org": dns_record(_RSA), "b._domainkey.example.org": dns_record(_ED25519)}
_TEXT = st.one_of(
    st.text(st.characters(), max_size=200),
    st.lists(st.sampled_from([*" \t\r\n.=", "  ", "\r\n\r\n", "é", "From ", "word"]), max_size=60).map("".join),
)
_PIECES = st.lists(_TEXT, max_size=4)
_BODIES = st.sampled_from(["simple", "relaxed"])


def _signed(
    body: Literal["simple", "relaxed"], subject: str, name: str, text: list[str], html: list[str], bib: str | None
) -> bytes:
    return build_message(
        sender=Mailbox("digest@example.org", name),
        recipient=Mailbox("žofia@example.net" if bib else "you@example.net", name),
        subject=subject,
        text=text,
        html=html,
        sent_at=datetime(2026, 4, 15, 6, 0, tzinfo=UTC),
        message_id="<1.abc@example.org>",
        list_id="paperdigest.example.org",
        list_name=name,
        headers=ListHeaders(unsubscribe_url="https://example.org/u/t", feedback="a:b:c:example").fields(),
        attachments=() if bib is None else (Attachment(name="papers.bib", media_type="text/x-bibtex", text=bib),),
        signer=Signer("example.org", _KEYS, body=body),
    )


@given(_BODIES, _TEXT, _TEXT, _PIECES, _PIECES, st.none() | _TEXT)
@settings(max_examples=150, deadline=None)
def test_both_signatures_of_any_message_are_believed(
    body: Literal["simple", "relaxed"], subject: str, name: str, text: list[str], html: list[str], bib: str | None
) -> None:
    raw = _signed(body, subject, name, text, html, bib)
    assert believes(raw, _ZONE, 0)
    assert believes(raw, _ZONE, 1)


@given(_TEXT, _PIECES, st.data())
@settings(max_examples=150, deadline=None)
def test_a_changed_byte_of_the_body_is_noticed(subject: str, text: list[str], data: st.DataObject) -> None:
    raw = _signed("simple", subject, "Reader", text, text, None)
    start = raw.index(b"\r\n\r\n") + 4
    place = data.draw(st.integers(start, len(raw) - 1))
    byte = data.draw(st.integers(33, 126))
    assume(raw[place] != byte)
    changed = raw[:place] + bytes([byte]) + raw[place + 1 :]
    assert not believes(changed, _ZONE, 0)
    assert not believes(changed, _ZONE, 1)
