"""``fetch --from``: documents from files, folders, addresses and standard input."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator
from pathlib import Path

from paperdigest.errors import FetchError, UsageError
from paperdigest.http import HttpClient, Request
from paperdigest.pipeline.fetching import Document

__all__ = ["expand", "is_url", "read"]

STDIN = "-"


def expand(origins: Iterable[str]) -> Iterator[str]:
    """Yield the documents' names: folders become their files in order of name, the rest stays.

    Raises:
        UsageError: a file that is not there, a folder without files.
    """
    for origin in origins:
        path = Path(origin)
        if origin == STDIN or is_url(origin) or path.is_file():
            yield origin
        elif path.is_dir():
            found = sorted(str(file) for file in path.iterdir() if file.is_file() and not file.name.startswith("."))
            if not found:
                raise UsageError(f"the folder {origin} holds no files")
            yield from found
        elif path.exists():
            yield origin  # a pipe such as /dev/fd/63
        else:
            raise UsageError(f"there is no file {origin}", "Name a file, a folder, a URL, or - for standard input")


def is_url(origin: str) -> bool:
    """Say whether an origin is a web address."""
    return origin.lower().startswith(("http://", "https://"))


def read(origin: str, client: HttpClient, max_bytes: int) -> Document:
    """Read one document, capped at ``max_bytes``.

    Raises:
        FetchError: it cannot be read or is too large.
    """
    if is_url(origin):
        return Document(name=origin, body=client.get(Request(url=origin, max_body_bytes=max_bytes)).body)
    try:
        if origin == STDIN:
            body = sys.stdin.buffer.read(max_bytes + 1)
        else:
            with Path(origin).open("rb") as stream:
                body = stream.read(max_bytes + 1)
    except OSError as error:
        raise FetchError(origin, f"cannot be read: {error.strerror or error}", permanent=True) from error
    if len(body) > max_bytes:
        raise FetchError(
            origin, f"larger than {max_bytes / 1e6:.0f} MB", permanent=True, hint="see [fetch] max_body_mb"
        )
    return Document(name="standard input" if origin == STDIN else origin, body=body)
