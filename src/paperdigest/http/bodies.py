"""Bodies as capped bytes: read raw, decompressed here, never more than allowed in memory."""

from __future__ import annotations

import zlib
from collections.abc import Iterator

from urllib3.response import BaseHTTPResponse

from paperdigest.errors import FetchError

__all__ = ["ACCEPT_ENCODING", "dismiss", "read_body"]

ACCEPT_ENCODING = "gzip, deflate"
_CHUNK = 65536
_MAX_MEMBERS = 100  # of a gzip body (RFC 1952, 2.2); each one costs a copy of the rest of the chunk
_SMALL = 16384
_GZIP, _ZLIB, _RAW = 31, 15, -15  # zlib's names for the three containers, as wbits
_CONTAINERS = {"gzip": _GZIP, "x-gzip": _GZIP, "deflate": _ZLIB}


def read_body(raw: BaseHTTPResponse, *, url: str, limit: int) -> bytes:
    """Read a reply's body to its end, decompressed.

    Raises:
        FetchError: more than ``limit`` bytes (on the wire or decompressed), an encoding we did not ask
            for, or a compressed body that is damaged or cut off.
    """
    encoding = raw.headers.get("content-encoding", "").strip().lower()
    announced = raw.headers.get("content-length", "")
    if announced.isdecimal() and len(announced) < 20 and int(announced) > limit:
        raise _too_large(url, limit)
    if encoding in {"", "identity"}:
        return b"".join(_capped(_chunks(raw), url=url, limit=limit))
    if encoding not in _CONTAINERS:
        hint = f"only {ACCEPT_ENCODING} was asked for"
        raise FetchError(url, f"the reply is encoded as {encoding[:80]!r}", hint=hint)
    wire = _capped(_chunks(raw), url=url, limit=limit)
    inflated = _inflate(wire, _CONTAINERS[encoding], url=url)
    try:
        return b"".join(_capped(inflated, url=url, limit=limit))
    except zlib.error as error:
        raise FetchError(url, f"the reply is not the {encoding} data it claims to be: {error}") from error


def dismiss(raw: BaseHTTPResponse) -> None:
    """Skip a body that nobody wants: read it when it is small, so that the connection lives on."""
    announced = raw.headers.get("content-length", "")
    if raw.status == 304 or (announced.isdecimal() and len(announced) < 10 and int(announced) <= _SMALL):
        raw.read(_SMALL, decode_content=False)
        raw.read(1, decode_content=False)  # the end is only noticed by reading past it
    else:
        raw.close()


def _chunks(raw: BaseHTTPResponse) -> Iterator[bytes]:
    while chunk := raw.read(_CHUNK, decode_content=False):
        yield chunk


def _capped(chunks: Iterator[bytes], *, url: str, limit: int) -> Iterator[bytes]:
    total = 0
    for chunk in chunks:
        total += len(chunk)
        if total > limit:
            raise _too_large(url, limit)
        yield chunk


def _inflate(wire: Iterator[bytes], wbits: int, *, url: str) -> Iterator[bytes]:
    """Decompress in steps of at most ``_CHUNK`` bytes; the caller stops us when it has had enough."""
    inflater = zlib.decompressobj(wbits)
    members, first = 1, True
    for chunk in wire:
        data = chunk
        if first and wbits == _ZLIB and not _has_zlib_head(chunk):
            inflater = zlib.decompressobj(_RAW)  # servers that say deflate and mean it
        first = False
        while data:
            if inflater.eof:
                if wbits != _GZIP or not data.startswith(b"\x1f\x8b"[: len(data)]):
                    return  # padding after the end, as gzip itself ignores it
                members += 1
                if members > _MAX_MEMBERS:
                    raise FetchError(url, f"the reply consists of more than {_MAX_MEMBERS} gzip members")
                inflater = zlib.decompressobj(wbits)
            yield inflater.decompress(data, _CHUNK)
            data = inflater.unconsumed_tail or inflater.unused_data
    if not (inflater.eof or first):
        raise FetchError(url, "the compressed reply was cut off", hint="the next run tries again")


def _has_zlib_head(chunk: bytes) -> bool:
    return len(chunk) < 2 or (chunk[0] & 0x0F == 8 and (chunk[0] << 8 | chunk[1]) % 31 == 0)


def _too_large(url: str, limit: int) -> FetchError:
    return FetchError(
        url,
        f"the reply is larger than the {limit:,} bytes that are read",
        permanent=True,
        hint="a listing of this size is a mistake or an attack",
    )
