"""Find what a papers page says: the JSON in its ``data-props``, else its visible cards."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from bs4 import BeautifulSoup, Tag

from paperdigest.sources.html import attribute, soup

__all__ = ["PAPER", "Page", "read_page"]

LISTING, PAPER = "DailyPapers", "PaperContent"
_DATA = f'[data-target="{LISTING}"], [data-target="{PAPER}"]'
_OWN_ADDRESS = 'meta[property="og:url"][content], link[rel~="canonical"][href]'


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """What was found: ``props`` (JSON text) of the element ``target``, or the ``cards`` when there are none.

    ``url`` is the address that the page gives as its own, ``title`` its title.
    """

    target: str | None = None
    props: str | None = None
    cards: tuple[Tag, ...] = ()
    url: str = ""
    title: str = ""


def read_page(text: str, name: str) -> Page:
    """Return what is of use on an HTML page; its cards are looked at only when it holds no data.

    Raises:
        ParseError: see `soup`.
    """
    head = soup(text, name, only=_may_hold_data)
    url = _own_address(head)
    for element in head.select(_DATA):
        if props := attribute(element, "data-props"):
            return Page(target=attribute(element, "data-target"), props=props, url=url)
    page = soup(text, name)
    cards = tuple(card for card in page.find_all("article") if all(parent.name != "article" for parent in card.parents))
    title = page.title.get_text() if page.title else ""
    return Page(cards=cards, url=url, title=" ".join(title.split())[:80])


def _may_hold_data(tag: str, attributes: Mapping[str, str]) -> bool:
    return "data-props" in attributes or tag in ("meta", "link")


def _own_address(page: BeautifulSoup) -> str:
    found = page.select_one(_OWN_ADDRESS)
    return (attribute(found, "content") or attribute(found, "href")).strip() if found else ""
