"""Read back the signatures of a message as it would leave (DKIM, RFC 6376), by the public half of our keys.

Nothing here is shared with what signs: a mistake there is not repeated here.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import re
from collections.abc import Iterator, Mapping

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric import padding
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.hashes import SHA256

from paperdigest.app.doctor.findings import Finding, fail, good
from paperdigest.mail.dkim_keys import Private

__all__ = ["check_signatures"]

_FIELD_END = re.compile(rb"\r\n(?![ \t])")
_VALUE_OF_B = re.compile(rb"(?<![a-zA-Z])b=[^;]*\Z")
_MUST_BE_SIGNED = ("from", "list-unsubscribe", "list-unsubscribe-post")


def check_signatures(content: bytes, keys: Mapping[str, Private]) -> Iterator[Finding]:
    """Check that each key's signature stands on the message, holds, and covers what receivers ask for.

    Args:
        content: the message.
        keys: by selector.
    """
    head, _, body = content.partition(b"\r\n\r\n")
    fields = [_split(text) for text in _FIELD_END.split(head)]
    for selector, key in keys.items():
        found = next((raw for name, raw in fields if name == "dkim-signature" and _tags(raw)["s"] == selector), None)
        problem = "is not there" if found is None else _problem(found, fields, body, key)
        if problem is not None:
            yield fail("signature", f"that of {selector} {problem}", "Report it: this is a defect")
        else:
            yield good("signature", f"that of {selector} holds")


def _problem(raw: bytes, fields: list[tuple[str, bytes]], body: bytes, key: Private) -> str | None:
    tags = _tags(raw)
    head_form, _, body_form = tags["c"].partition("/")
    names = [name.strip().lower() for name in tags["h"].split(":")]
    if head_form != "relaxed" or body_form not in ("simple", "relaxed"):
        return f"has an unknown form: c={tags['c']}"
    there = {name for name, _ in fields}
    if uncovered := [name for name in _MUST_BE_SIGNED if name in there and name not in names]:
        return f"does not cover {', '.join(uncovered)}"
    if names.count("from") < 2:
        return "would let a second From be added"
    if _hash(body, is_relaxed=body_form == "relaxed") != tags["bh"]:
        return "does not fit the body"
    signed = b"".join(_relaxed(name, value) + b"\r\n" for name, value in _chosen(names, fields))
    signed += _relaxed("dkim-signature", _VALUE_OF_B.sub(b"b=", raw))
    return None if _holds(signed, tags["b"], key) else "does not hold"


def _chosen(names: list[str], fields: list[tuple[str, bytes]]) -> Iterator[tuple[str, bytes]]:
    """Yield the fields that ``h=`` names, the last one of a name first (RFC 6376, 5.4.2); what is not there is none."""
    left = {name: [raw for other, raw in fields if other == name] for name in names}
    for name in names:
        if left[name]:
            yield name, left[name].pop()


def _holds(signed: bytes, coded: str, key: Private) -> bool:
    try:
        raw = base64.b64decode(coded, validate=True)
        if isinstance(key, RSAPrivateKey):
            key.public_key().verify(raw, signed, padding.PKCS1v15(), SHA256())
        else:
            key.public_key().verify(raw, hashlib.sha256(signed).digest())
    except (InvalidSignature, binascii.Error):
        return False
    return True


def _hash(body: bytes, *, is_relaxed: bool) -> str:
    lines = body.split(b"\r\n")
    if is_relaxed:
        lines = [re.sub(rb"[ \t]+", b" ", line).rstrip(b" ") for line in lines]
    while lines and not lines[-1]:
        lines.pop()
    whole = b"".join(line + b"\r\n" for line in lines)
    if not whole and not is_relaxed:
        whole = b"\r\n"
    return base64.b64encode(hashlib.sha256(whole).digest()).decode("ascii")


def _split(text: bytes) -> tuple[str, bytes]:
    name, _, value = text.partition(b":")
    return name.strip().lower().decode("ascii", "replace"), value


def _relaxed(name: str, value: bytes) -> bytes:
    return name.encode("ascii") + b":" + re.sub(rb"[ \t]+", b" ", value.replace(b"\r\n", b"")).strip(b" ")


def _tags(raw: bytes) -> dict[str, str]:
    pairs = (part.partition("=") for part in raw.decode("ascii", "replace").split(";"))
    found = {name.strip(): "".join(value.split()) for name, mark, value in pairs if mark}
    return {"s": "", "c": "simple/simple", "h": "", "b": "", "bh": ""} | found
