"""Which of an entry's links is the paper's page, and what a relative one means."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeGuard
from urllib.parse import urljoin, urlsplit

__all__ = ["LinkChoice", "absolute", "is_web"]

_PAGES = frozenset({"text/html", "html", "application/xhtml+xml", "xhtml"})
_MAX_CHARS = 2000
_WEB = re.compile(r"https?://[^\s/?#@\x00-\x1f]+(?:[/?#][^\s\x00-\x1f]*)?", re.IGNORECASE)


@dataclass(slots=True)
class LinkChoice:
    """Picks among the links offered in document order: the last alternate that is a page, else the first alternate."""

    _page: str | None = None
    _other: str | None = None

    def offer(self, href: str, rel: str | None, kind: str | None, *, base: Callable[[], str | None]) -> None:
        """Offer one link; ``base`` is asked only when ``href`` is relative."""
        if (rel or "alternate").lower() != "alternate":
            return
        if not href.startswith(("https://", "http://")):
            href = absolute(href, base())
        if (kind or "text/html").lower() in _PAGES:
            self._page = href
        elif self._other is None:
            self._other = href

    @property
    def best(self) -> str | None:
        """The chosen link, None when there was none."""
        return self._page or self._other


def absolute(href: str, base: str | None) -> str:
    """Resolve ``href`` against ``base``; unchanged when there is no base or either cannot be read."""
    try:
        return urljoin(base, href) if base else href
    except ValueError:
        return href


def is_web(url: str | None) -> TypeGuard[str]:
    """Say whether ``url`` is an absolute http(s) URL of a sane length: the only ones that are kept.

    One with a user name in it is not: it shows another host than it leads to.
    """
    if not url or len(url) > _MAX_CHARS or _WEB.fullmatch(url) is None:
        return False
    if "[" not in url:
        return True
    try:
        return bool(urlsplit(url).hostname)
    except ValueError:
        return False
