"""The keys that sign messages: made, read, and told to the DNS."""

from __future__ import annotations

import base64
import os
from pathlib import Path
from typing import Literal

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, generate_private_key
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
)

from paperdigest.errors import UsageError

__all__ = ["Private", "algorithm", "dns_record", "dns_strings", "load_key", "make_key"]

Private = RSAPrivateKey | Ed25519PrivateKey

_BITS = range(1024, 4097)  # less is refused by receivers (RFC 8301), more need not be read by them (RFC 6376, 3.3.3)
_MAX_FILE = 65_536
_MAX_STRING = 255  # RFC 1035, 3.3.14


def algorithm(key: Private) -> str:
    """Return the name of a signature by this key: the tag ``a=``."""
    return "rsa-sha256" if isinstance(key, RSAPrivateKey) else "ed25519-sha256"


def load_key(path: Path) -> Private:
    """Read a private key (PEM, without a password) that nobody else can read.

    As with ssh, only our own file's mode is the question: somebody else's file that we were let to read may be its
    group's.

    Raises:
        UsageError: in words, with what to do.
    """
    pem = _read(path)
    try:
        key = load_pem_private_key(pem, password=None)
    except TypeError as error:
        hint = f"Take it off: openssl pkey -in {path} -out NEW"
        raise UsageError(f"the key {path} is locked by a password", hint) from error
    except (ValueError, UnsupportedAlgorithm) as error:
        raise UsageError(f"{path} holds no private key that can be read", _MAKE) from error
    if isinstance(key, Ed25519PrivateKey):
        return key
    if not isinstance(key, RSAPrivateKey):
        raise UsageError(f"the key {path} is neither an RSA nor an Ed25519 key", _MAKE)
    if key.key_size not in _BITS:
        raise UsageError(f"the key {path} has {key.key_size} bits; DKIM takes 1024 to 4096, best 2048", _MAKE)
    return key


def make_key(path: Path, kind: Literal["rsa", "ed25519"] = "rsa") -> Private:
    """Make a new key (RSA: of 2048 bits) and write it, for the eyes of its owner only.

    Raises:
        UsageError: there is a file already, or it cannot be written.
    """
    key = generate_private_key(public_exponent=65537, key_size=2048) if kind == "rsa" else Ed25519PrivateKey.generate()
    pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            file.write(pem)
            file.flush()
            os.fsync(file.fileno())
    except FileExistsError as error:
        raise UsageError(f"{path} is there already", "A key is never overwritten: choose another name") from error
    except OSError as error:
        raise UsageError(f"{path} cannot be written: {error.strerror}") from error
    return key


def dns_record(key: Private) -> str:
    """Return the text of the TXT record at ``SELECTOR._domainkey.DOMAIN`` (RFC 6376, 3.6.1; RFC 8463, 4)."""
    public = key.public_key()
    if isinstance(key, RSAPrivateKey):
        kind, raw = "rsa", public.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    else:
        kind, raw = "ed25519", public.public_bytes(Encoding.Raw, PublicFormat.Raw)
    return f"v=DKIM1; k={kind}; p={base64.b64encode(raw).decode('ascii')}"


def dns_strings(record: str) -> tuple[str, ...]:
    """Return a record in the strings of at most 255 characters of which a TXT record consists."""
    return tuple(record[start : start + _MAX_STRING] for start in range(0, len(record), _MAX_STRING))


_MAKE = "Make one: openssl genrsa -out FILE 2048 && chmod 600 FILE"


def _read(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            found = os.fstat(file.fileno())
            others = 0o077 if found.st_uid == os.getuid() else 0o007
            if found.st_mode & others:
                problem = f"the key {path} can be read or changed by others (mode {found.st_mode & 0o777:03o})"
                raise UsageError(problem, f"Whoever has it can sign as you: chmod 600 {path}")
            return file.read(_MAX_FILE)
    except OSError as error:
        raise UsageError(f"the key {path} cannot be read: {error.strerror}") from error
