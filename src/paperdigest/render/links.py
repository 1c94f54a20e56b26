"""The addresses a mail links to: they carry tokens, so they differ from recipient to recipient."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache
from urllib.parse import quote

from paperdigest.render.words import http_url

__all__ = ["NO_LINKS", "Links", "checked", "less_end", "like_end", "mailto"]

_ADDRESS_CHARS = 254  # RFC 5321, 4.5.3.1.3, without the angle brackets
_ADDRESS = re.compile(r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~.-]+@[A-Za-z0-9.-]+\Z")  # RFC 5322, 3.4.1, unquoted
# What our own pages' addresses look like; looking closer takes ten times as long.
_OURS = re.compile(r"https?://[A-Za-z0-9.-]+(?::[1-9][0-9]{0,3})?(?:/[A-Za-z0-9._~/-]*)?\Z")


@dataclass(frozen=True, slots=True, kw_only=True)
class Links:
    """Where a digest leads back to; None for what there is not.

    ``read`` is the digest on the web (``{base}/d/TOKEN``): below it lie ``/POSITION/like`` and ``/POSITION/less``,
    counted from 1 in the order of `Digest.ranked`. ``unsubscribe`` and ``manage`` are web addresses too;
    ``unsubscribe_mailto`` is the mail address to which an empty mail unsubscribes.
    """

    unsubscribe: str | None = None
    manage: str | None = None
    read: str | None = None
    unsubscribe_mailto: str | None = None


NO_LINKS = Links()


def checked(links: Links) -> Links:
    """Return the links that are plain web addresses or a mail address; what is something else is left out."""
    if links is NO_LINKS:
        return links
    address = links.unsubscribe_mailto or ""
    return Links(
        unsubscribe=_web(links.unsubscribe),
        manage=_web(links.manage),
        read=_web(links.read),
        unsubscribe_mailto=address if len(address) <= _ADDRESS_CHARS and _ADDRESS.match(address) else None,
    )


def _web(url: str | None) -> str | None:
    if url is not None and len(url) < 500 and _OURS.match(url):
        return url
    return http_url(url)


def mailto(address: str) -> str:
    """Return the URL that writes a mail with the subject ``unsubscribe`` (RFC 6068)."""
    return f"mailto:{quote(address, safe='@')}?subject=unsubscribe"


@lru_cache(maxsize=1024)
def like_end(position: int) -> str:
    """Return what follows ``read`` where more like a digest's paper is asked for."""
    return f"/{position}/like"


@lru_cache(maxsize=1024)
def less_end(position: int) -> str:
    """Return what follows ``read`` where less like it is asked for."""
    return f"/{position}/less"
