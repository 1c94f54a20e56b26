"""Find what a papers page says: the JSON in its ``data-props``, else its visible cards.

The page is parsed once, by lxml itself and not through Beautiful Soup: its tree is bounded in depth
(libxml2 goes no deeper than 255 elements), where 4,000 elements nested in each other cost Beautiful Soup
20 seconds, and attribute order, quoting and entities do not matter to it either.
"""

from __future__ import annotations

from dataclasses import dataclass

from lxml import etree

from paperdigest.errors import ParseError

__all__ = ["PAPER", "Element", "Page", "read_page", "text_of"]

Element = etree._Element  # noqa: SLF001  # the only name that lxml gives the type of its elements

LISTING, PAPER = "DailyPapers", "PaperContent"
_WITH_PROPS = etree.XPath(f"(//*[@data-props != ''][@data-target = '{LISTING}' or @data-target = '{PAPER}'])[1]")
_OUTERMOST_CARDS = etree.XPath("//article[not(ancestor::article)]")
_OWN_ADDRESS = etree.XPath("string(//meta[@property = 'og:url']/@content | //link[@rel = 'canonical']/@href)")
_TITLE = etree.XPath("string(//title)")


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """What was found: ``props`` (JSON text) of the element ``target``, or the ``cards`` when there are none.

    ``url`` is the address that the page gives as its own, ``title`` its title.
    """

    target: str | None = None
    props: str | None = None
    cards: tuple[Element, ...] = ()
    url: str = ""
    title: str = ""


def read_page(text: str, name: str) -> Page:
    """Return what is of use on an HTML page.

    Raises:
        ParseError: it is nothing that can be read as HTML.
    """
    parser = etree.HTMLParser(encoding="utf-8", remove_comments=True, remove_pis=True)
    try:
        root: Element | None = etree.fromstring(text.encode("utf-8"), parser)
    except etree.LxmlError as error:
        raise ParseError(name, "not readable as HTML") from error
    if root is None:
        return Page()
    url = str(_OWN_ADDRESS(root)).strip()
    found = _WITH_PROPS(root)
    if isinstance(found, list) and found and isinstance(element := found[0], Element):
        return Page(target=element.get("data-target"), props=element.get("data-props"), url=url)
    articles = _OUTERMOST_CARDS(root)
    cards = tuple(card for card in articles if isinstance(card, Element)) if isinstance(articles, list) else ()
    return Page(cards=cards, url=url, title=" ".join(str(_TITLE(root)).split())[:80])


def text_of(element: Element) -> str:
    """Return the text inside an element."""
    return "".join(str(text) for text in element.itertext())
