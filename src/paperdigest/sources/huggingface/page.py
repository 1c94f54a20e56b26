"""Find what a papers page says: the JSON in its ``data-props``, else its visible cards.

The page is parsed once, by Beautiful Soup on lxml, so that attribute order, quoting and entities do not
matter. Nothing is built of it that is not needed: the props are taken from the start tag in passing, and
once they are there the cards behind them are skipped.
"""

from __future__ import annotations

from collections.abc import Mapping

from bs4 import BeautifulSoup, SoupStrainer, Tag
from bs4.element import NamespacedAttribute
from bs4.exceptions import ParserRejectedMarkup

from paperdigest.errors import ParseError

__all__ = ["Page", "read_page"]

LISTING, PAPER = "DailyPapers", "PaperContent"


class Page:
    """What was found: ``props`` (JSON text) of the element ``target``, or the ``cards`` when there are none.

    ``url`` is the address that the page gives as its own, ``title`` its title.
    """

    def __init__(self, target: str | None, props: str | None, url: str | None, soup: BeautifulSoup) -> None:
        self.target, self.props, self.url = target, props, url
        self.cards: list[Tag] = [] if props else soup.find_all("article")
        self.title = " ".join(soup.title.get_text().split())[:80] if soup.title else ""


class _Strainer(SoupStrainer):
    """Keeps the title and the cards; takes the props and the page's own address in passing."""

    def __init__(self) -> None:
        super().__init__(["article", "title"])
        self.target: str | None = None
        self.props: str | None = None
        self.url: str | None = None

    def allow_tag_creation(
        self,
        nsprefix: str | None,  # noqa: ARG002  # the signature is Beautiful Soup's
        name: str,
        attrs: Mapping[str | NamespacedAttribute, str] | None,
    ) -> bool:
        if attrs:
            target = attrs.get("data-target")
            if self.props is None and target in (LISTING, PAPER) and (props := attrs.get("data-props")):
                self.target, self.props = target, props
            if self.url is None:
                self.url = _own_address(name, attrs)
        return name == "title" or (name == "article" and self.props is None)


def _own_address(name: str, attrs: Mapping[str | NamespacedAttribute, str]) -> str | None:
    if name == "meta" and attrs.get("property") == "og:url":
        return attrs.get("content")
    if name == "link" and attrs.get("rel") == "canonical":
        return attrs.get("href")
    return None


def read_page(text: str, name: str) -> Page:
    """Return what is of use on an HTML page.

    Raises:
        ParseError: there are neither props nor ``article`` elements, so it is no papers page.
    """
    strainer = _Strainer()
    try:
        soup = BeautifulSoup(text, "lxml", parse_only=strainer)
    except (ParserRejectedMarkup, AssertionError) as error:
        raise ParseError(name, "not readable as HTML") from error
    page = Page(strainer.target, strainer.props, strainer.url, soup)
    if page.props is None and not page.cards:
        titled = f" (its title: {page.title!r})" if page.title else ""
        raise ParseError(
            name,
            f"no Daily Papers page: it has neither data-props nor paper cards{titled}",
            hint="a login or challenge page, or a new layout? The API needs no page",
        )
    return page
