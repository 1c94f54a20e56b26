"""What may be wrong with a digest's mail, found in the message itself: a pure function of it and of the digest.

Each rule has a source: Gmail clips HTML above about 102 KB; RFC 5322 2.1.1 allows lines of 998 bytes and asks for 78;
WCAG 2.2 1.4.3 asks for a contrast of 4.5; the HTML standard says what a parse error is (html5lib, strict).
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from email import message_from_bytes, policy
from email.message import EmailMessage
from itertools import pairwise
from urllib.parse import urlsplit

import html5lib
from lxml import etree

from paperdigest.latex import readable
from paperdigest.render.links import Links
from paperdigest.types import Digest

__all__ = ["RULES", "Finding", "contrast", "lint"]

RULES = (
    *("size", "line", "header", "html", "structure", "link", "remote", "tex", "markup", "text", "width", "contrast"),
)
_MAX_HTML, _MAX_LINE, _MAX_HEADER, _MAX_COLUMNS, _MIN_CONTRAST = 95_000, 998, 78, 78, 4.5
_TEX = re.compile(r"\$[^$\n]{1,80}\$|\\[A-Za-z]{2,}(?:\{[^}\n]*\})?|[A-Za-z0-9][_^]\{[^}\n]*\}")
_LEFTOVER = re.compile(r"</?(?:p|i|b|em|strong|sub|sup|br|a|jats:\w+)\b[^>]*>|&(?:amp|lt|gt|nbsp|quot|#\d+);")
_ONLY_ADDRESS = re.compile(r"(?:\d+\.)? *\(?(?:https?://\S+|\S+@\S+)\Z")
_SKIPPED = frozenset(("head", "title", "style", "meta"))
_WHITE = "#ffffff"


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is wrong, by rule."""

    rule: str
    detail: str


def lint(message: bytes, digest: Digest, links: Links) -> list[Finding]:
    """Return everything that is wrong with a digest's message."""
    parsed = message_from_bytes(message, policy=policy.default)
    html, text = (_body(parsed, kind) for kind in ("html", "plain"))
    found = [*_lines(message), *_size(html), *_words(html, text), *_text(text, digest, links)]
    try:
        parser = html5lib.HTMLParser(tree=html5lib.getTreeBuilder("lxml"), strict=True, namespaceHTMLElements=False)
        root = parser.parse(html).getroot()
    except html5lib.html5parser.ParseError as error:
        return [*found, Finding("html", str(error))]
    return [*found, *_structure(root), *_links(root), *_contrasts(root)]


def _body(parsed: EmailMessage, kind: str) -> str:
    part = parsed.get_body((kind,))
    return str(part.get_content()).replace("\r\n", "\n") if part is not None else ""


def _lines(message: bytes) -> Iterator[Finding]:
    if re.search(rb"(?<!\r)\n|\r(?!\n)", message):
        yield Finding("line", "an end of line is not CRLF")
    head, _, body = message.partition(b"\r\n\r\n")
    yield from (Finding("line", f"{len(line)} bytes") for line in body.split(b"\r\n") if len(line) > _MAX_LINE)
    for line in head.split(b"\r\n"):
        if len(line) > _MAX_HEADER and b" " in line.partition(b": ")[2].strip():
            yield Finding("header", f"{len(line)} bytes although it could be folded: {line[:60]!r}")
    names = [line.partition(b":")[0].lower() for line in head.split(b"\r\n") if line[:1] not in (b" ", b"\t")]
    for name in (b"from", b"to", b"subject", b"date", b"message-id"):
        if names.count(name) != 1:
            yield Finding("header", f"{name.decode()} stands {names.count(name)} times")


def _size(html: str) -> Iterator[Finding]:
    if (size := len(html.encode("utf-8"))) > _MAX_HTML:
        yield Finding("size", f"{size:,} bytes of HTML")


def _words(html: str, text: str) -> Iterator[Finding]:
    """Look for TeX that has a readable form, and for markup of sources that was not taken out."""
    shown = " ".join(_found(etree.HTML(html), "//body//text()")) if html.strip() else ""
    for where, words in (("html", shown), ("text", text)):
        for match in _TEX.finditer(words):
            if readable(match[0]) != " ".join(match[0].split()):
                yield Finding("tex", f"{where}: {match[0]}")
        yield from (Finding("markup", f"{where}: {match[0]}") for match in _LEFTOVER.finditer(words))


def _text(text: str, digest: Digest, links: Links) -> Iterator[Finding]:
    """The text part says everything that the HTML says."""
    flat = " ".join(text.split())
    left_out = re.search(r"… and (\d+) (?:papers? )?more", flat)
    for ranked in digest.ranked[: len(digest.ranked) - int(left_out[1] if left_out else 0)]:
        paper = ranked.stored.paper
        for wanted in (" ".join(paper.title.split())[:200], paper.url, paper.pdf_url):
            if wanted and "".join(wanted.split()) not in "".join(flat.split()):
                yield Finding("text", f"{paper.id}: without {wanted[:70]}")
    for url in (links.unsubscribe, links.manage, links.read):
        if url and url not in text:
            yield Finding("text", f"without {url}")
    for line in text.split("\n"):
        if len(line) > _MAX_COLUMNS and not _ONLY_ADDRESS.match(line):
            yield Finding("width", f"{len(line)} columns: {line[:60]}")


def _structure(root: etree._Element) -> Iterator[Finding]:
    if not (root.get("lang") and root.get("dir")):
        yield Finding("structure", "no language or direction")
    levels = [int(str(node.tag)[1]) for node in root.iter("h1", "h2", "h3", "h4", "h5", "h6")]
    if levels.count(1) != 1 or levels[0] != 1 or any(b - a > 1 for a, b in pairwise(levels)):
        yield Finding("structure", f"headings go {levels[:12]}")
    if any(table.get("role") != "presentation" for table in root.iter("table")):
        yield Finding("structure", "a table is not for presentation")
    for node in root.iter("p", "a", "h1", "h2", "h3", "strong", "mark", "title"):
        if not "".join(map(str, node.itertext())).strip():
            yield Finding("structure", f"an empty {node.tag}")
    if _found(root, "//img|//script|//iframe|//link|//object|//form|//*[@src or @background or @onclick]"):
        yield Finding("remote", "an element that loads something")
    if re.search(r"url\(|@import", " ".join(_found(root, "//@style|//style/text()"))):
        yield Finding("remote", "a style that loads something")


def _found(root: etree._Element, path: str) -> list[str]:
    nodes = root.xpath(path)
    return [str(one) for one in nodes] if isinstance(nodes, list) else []


def _links(root: etree._Element) -> Iterator[Finding]:
    for href in _found(root, "//@href"):
        parts = urlsplit(href)
        web = parts.scheme in ("http", "https") and parts.hostname
        if not (web or (parts.scheme == "mailto" and "@" in parts.path)):
            yield Finding("link", href[:80])


def _contrasts(root: etree._Element) -> Iterator[Finding]:
    dark = _dark_rules(" ".join(_found(root, "//style/text()")))
    for scheme, rules in (("light", {}), ("dark", dark)):
        low = {pair for pair in _colors(root, rules, "#000000", _WHITE) if contrast(*pair) < _MIN_CONTRAST}
        for color, background in sorted(low):
            yield Finding("contrast", f"{scheme}: {color} on {background} is {contrast(color, background):.2f}")


def _dark_rules(css: str) -> dict[str, dict[str, str]]:
    """Return what the dark scheme declares for each class."""
    found: dict[str, dict[str, str]] = {}
    dark = css.partition("prefers-color-scheme: dark")[2]
    for selectors, body in re.findall(r"([.][^{}]+)\{([^{}]*)\}", dark):
        for selector in selectors.split(","):
            found.setdefault(selector.strip().removeprefix("."), {}).update(_declared(body))
    return found


def _declared(style: str) -> dict[str, str]:
    pairs = (one.partition(":") for one in style.split(";") if one.strip())
    return {name.strip(): value.replace("!important", "").strip() for name, _, value in pairs}


def _colors(
    node: etree._Element, rules: Mapping[str, Mapping[str, str]], color: str, background: str
) -> Iterator[tuple[str, str]]:
    """Yield the colour and background of every text that is shown."""
    if node.tag in _SKIPPED:
        return
    style = _declared(node.get("style", ""))
    for name in str(node.get("class", "")).split():
        style |= rules.get(name, {})
    if style.get("display") == "none":
        return
    color, background = style.get("color", color), style.get("background-color", background)
    if any(text.strip() for text in _found(node, "text()")):
        yield color, background
    for child in node.iterchildren("*"):
        yield from _colors(child, rules, color, background)


def contrast(one: str, other: str) -> float:
    """Return the contrast of two colours like ``#1d2430`` (WCAG 2.2, contrast ratio), 1 to 21."""
    darker, lighter = sorted(map(_luminance, (one, other)))
    return (lighter + 0.05) / (darker + 0.05)


def _luminance(color: str) -> float:
    parts = [int(color[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue
