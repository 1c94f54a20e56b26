"""Parsing: well-formed Atom against feedparser, a Daily Papers page against parsing its HTML alone."""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import feedparser
from bs4 import BeautifulSoup, Tag

from bench.timing import Row, paired
from paperdigest.protocols import ParseContext, Source
from paperdigest.sources.arxiv import ArxivSource
from paperdigest.sources.feed import FeedSource
from paperdigest.sources.huggingface import HuggingFaceSource
from paperdigest.types import Paper

ENTRIES = 2000
ROOT = Path(__file__).resolve().parents[1]
PAGES = "data/hf-page-reconstructed"  # beside the checkout or absent: real data in the form of a page
RETRIEVED_AT = datetime(2026, 4, 15, 6, 0, tzinfo=UTC)

_TEXT = """
trace model learning graph data method results of the a in for with we show neural software analysis robust sparse
attention language retrieval bounds proof network inference causal field theory quantum measurement and to on from
"""
_WORDS = _TEXT.split()
_NAMES = ("Ada", "Grace", "Emmy", "Sofia", "Mary", "Hypatia", "Émilie", "Wang", "Chien", "Maryam")

_HEAD = """<?xml version="1.0" encoding="UTF-8"?>
<feed xmlns="http://www.w3.org/2005/Atom" xmlns:arxiv="http://arxiv.org/schemas/atom"
 xmlns:opensearch="http://a9.com/-/spec/opensearch/1.1/">
<id>{id}</id><title>{title}</title><updated>2026-04-14T00:00:00Z</updated>
<opensearch:itemsPerPage>{count}</opensearch:itemsPerPage><opensearch:totalResults>{count}</opensearch:totalResults>
<opensearch:startIndex>0</opensearch:startIndex>
"""


def run() -> Iterator[Row]:
    """Yield the rows; every comparison first asserts that both sides read the same fields."""
    arxiv = ArxivSource("bench", {"category": "cs.SE", "via": "api"})
    yield _atom(arxiv, _feed(_arxiv_entry, "https://arxiv.org/api/bench"), "arXiv API")
    yield _atom(FeedSource("bench", {"url": "https://journal.example/feed"}), _feed(_general_entry, "urn:x"), "general")
    yield _page()
    yield from map(_page_without_cards, sorted((ROOT.parent / "shared" / PAGES).glob("*.html")))


def _atom(source: Source, body: bytes, kind: str) -> Row:
    _compare(source, body)
    timing = paired(lambda: _read(source, body), lambda: feedparser.parse(body), pairs=5)
    return timing.times_faster(8, f"Atom, {kind}, {ENTRIES} entries | feedparser")


def _compare(source: Source, body: bytes) -> None:
    ours, peer = _read(source, body), feedparser.parse(body)
    assert not peer.bozo
    assert len(ours) == len(peer.entries) == ENTRIES
    for paper, entry in zip(ours, peer.entries, strict=True):
        assert _our_fields(paper) == _peer_fields(entry), (_our_fields(paper), _peer_fields(entry))


def _read(source: Source, body: bytes, name: str = "bench.xml", day: date | None = None) -> Sequence[Paper]:
    context = ParseContext(source="bench", retrieved_at=RETRIEVED_AT, name=name, listed_on=day)
    return [entry.paper for entry in source.parse(body, context).entries]


def _our_fields(paper: Paper) -> tuple[object, ...]:
    assert paper.published_at is not None
    version = f"v{paper.version}" if paper.version else ""  # kept apart from an arXiv address
    return (
        paper.title,
        paper.abstract,
        tuple(author.name for author in paper.authors),
        paper.published_at.timetuple()[:6],
        paper.updated_at.timetuple()[:6] if paper.updated_at else None,
        paper.categories,
        f"{(paper.url or '').removesuffix(version)}{version}",
    )


def _peer_fields(entry: feedparser.FeedParserDict) -> tuple[object, ...]:
    return (
        " ".join(entry.title.split()),
        " ".join(BeautifulSoup(entry.summary, "lxml").get_text().split()),
        tuple(author.name for author in entry.authors),
        tuple(entry.published_parsed)[:6],
        tuple(entry.updated_parsed)[:6],
        tuple(tag.term for tag in entry.tags),
        entry.link,
    )


def _page() -> Row:
    """Compare reading the page of `paperdigest demo`, cards and all, with the least a page reader does: its tree."""
    (file,) = (ROOT / "src" / "paperdigest" / "sample").glob("*.html")
    body = file.read_bytes()
    ours, count = _reading(body, file.name)
    timing = paired(ours, lambda: BeautifulSoup(body, "lxml"), pairs=11, repeat=3)
    return timing.at_most(1.3, f"Daily Papers page, {count} papers | bs4 + lxml alone", f"{len(body) // 1000} kB")


def _page_without_cards(file: Path) -> Row:
    """Compare where the tree is next to nothing and the data are all: with the tree and the data as JSON values."""
    body = file.read_bytes()
    ours, count = _reading(body, file.name)
    timing = paired(ours, lambda: _json_of(body), pairs=11, repeat=3)
    return timing.shown(f"page without cards, {count} papers | bs4 + lxml + json", f"{len(body) // 1000} kB")


def _reading(body: bytes, name: str) -> tuple[Callable[[], Sequence[Paper]], int]:
    source = HuggingFaceSource("bench", {})
    papers = _read(source, body, name)
    assert papers
    assert all(paper.title and paper.abstract for paper in papers)
    return (lambda: _read(source, body, name)), len(papers)


def _json_of(body: bytes) -> object:
    element = BeautifulSoup(body, "lxml").find(True, attrs={"data-target": "DailyPapers"})
    assert isinstance(element, Tag)
    return json.loads(str(element["data-props"]))


def _feed(entry: Callable[[int, random.Random], str], feed_id: str) -> bytes:
    draw = random.Random(20260414)
    entries = "".join(entry(number, draw) for number in range(ENTRIES))
    return (_HEAD.format(id=feed_id, title="Bench", count=ENTRIES) + entries + "</feed>\n").encode()


def _arxiv_entry(number: int, draw: random.Random) -> str:
    local = f"2604.{number:05}v1"
    authors = "".join(f"<author><name>{name}</name></author>\n" for name in _people(draw))
    return f"""<entry>
<id>http://arxiv.org/abs/{local}</id><title>{_prose(draw, 9)}</title>
<updated>{_when(number)}</updated><published>{_when(number)}</published>
<link href="https://arxiv.org/abs/{local}" rel="alternate" type="text/html"/>
<link href="https://arxiv.org/pdf/{local}" rel="related" type="application/pdf" title="pdf"/>
<summary>{_prose(draw, 180)}</summary>
<category term="cs.SE" scheme="http://arxiv.org/schemas/atom"/><category term="cs.LG" scheme="http://arxiv.org/schemas/atom"/>
<arxiv:comment>{draw.randrange(5, 40)} pages</arxiv:comment><arxiv:primary_category term="cs.SE"/>
{authors}</entry>
"""


def _general_entry(number: int, draw: random.Random) -> str:
    authors = "".join(f"<author><name>{name}</name></author>" for name in _people(draw))
    return f"""<entry>
<id>urn:example:{number}</id><title type="text">{_prose(draw, 9)}</title>
<updated>{_when(number)}</updated><published>{_when(number)}</published>
<link href="https://journal.example/articles/{number}"/>
<summary type="html">&lt;p&gt;{_prose(draw, 90)}&lt;/p&gt; &lt;p&gt;{_prose(draw, 90)}&lt;/p&gt;</summary>
<category term="tracing"/><category term="methods"/>
{authors}</entry>
"""


def _prose(draw: random.Random, words: int) -> str:
    """Return words in lines as feeds break them."""
    chosen = draw.choices(_WORDS, k=words)
    return "\n".join(" ".join(chosen[start : start + 12]) for start in range(0, words, 12))


def _people(draw: random.Random) -> list[str]:
    return [f"{name} {draw.choice(_NAMES)}son" for name in draw.sample(_NAMES, k=draw.randrange(1, 7))]


def _when(number: int) -> str:
    return f"{datetime(2026, 4, 14, tzinfo=UTC) - timedelta(minutes=number):%Y-%m-%dT%H:%M:%SZ}"
