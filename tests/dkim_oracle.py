"""What another program, dkimpy, says of the signatures of a message; the DNS is a dictionary."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from types import SimpleNamespace
from typing import Any

import dkim  # type: ignore[import-untyped]  # has no types
import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

__all__ = ["believes"]


class _BadSignatureError(Exception):
    pass


class _VerifyKey:
    """The one class of PyNaCl that dkimpy uses to verify, on a library that is there anyway."""

    def __init__(self, raw: bytes, encoder: object) -> None:
        self._key = Ed25519PublicKey.from_public_bytes(base64.b64decode(raw))

    def verify(self, message: bytes, signature: bytes) -> bytes:
        try:
            self._key.verify(signature, message)
        except InvalidSignature as error:
            raise _BadSignatureError from error
        return message


_NACL = SimpleNamespace(
    signing=SimpleNamespace(VerifyKey=_VerifyKey),
    encoding=SimpleNamespace(Base64Encoder=None),
    exceptions=SimpleNamespace(BadSignatureError=_BadSignatureError, ValueError=ValueError),
)


def believes(message: bytes, zone: Mapping[str, str], number: int = 0) -> bool:
    """Say whether dkimpy finds the message's signature of that number good."""

    def txt(name: bytes | str, timeout: float = 5) -> bytes | None:
        asked = (name.decode("ascii") if isinstance(name, bytes) else name).rstrip(".")
        found = zone.get(asked)
        return found.encode("ascii") if found is not None else None

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(dkim, "nacl", _NACL, raising=False)
        checked: Any = dkim.DKIM(message)
        try:
            return bool(checked.verify(idx=number, dnsfunc=txt))
        except dkim.DKIMException:
            return False
