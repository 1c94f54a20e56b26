"""Whatever titles, abstracts and names hold: nothing breaks out of its place and nothing raises."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import UTC, date, datetime
from urllib.parse import urlsplit

from hypothesis import example, given, settings
from hypothesis import strategies as st

from paperdigest.render import MAX_HTML_BYTES, Links, Renderer
from paperdigest.render.repositories import code_url_in
from paperdigest.render.words import Span, clean, emphasised, highlighted, http_url, is_visible, marked, shorten, wrap
from paperdigest.types import Author, Digest, Highlight
from tests.digest_samples import digest, paper, ranked, subscriber
from tests.hostile_digests import ANY_TEXT, ANY_URL, FRAGMENTS, digests
from tests.html_pages import elements, hrefs, of_class, only, parsed, tags, words

EVIL = "".join(FRAGMENTS)
RENDERER = Renderer()
EVILLY_SET = Renderer(title=EVIL, postal_address=EVIL)
EVIL_LINKS = Links(unsubscribe=EVIL, manage=EVIL, read=EVIL, unsubscribe_mailto="unsub+'&=?`{|}~@example.org")

ALLOWED = set(
    tags(
        parsed(
            Renderer(postal_address="x")
            .digest(digest(ranked(paper(withdrawn=True, code_url="https://x.org"))), Links(unsubscribe_mailto="a@b.c"))
            .html_page
        )
    )
) | {"code", "br", "mark"}
ATTRIBUTES = {
    *("lang", "dir", "style", "charset", "name", "content", "class", "role", "width", "cellpadding", "cellspacing"),
    *("border", "align", "aria-hidden", "aria-label", "href"),
}


def evil() -> Digest:
    one = ranked(paper(title=EVIL, abstract=EVIL, authors=(Author(name=EVIL),), url=EVIL), topic=EVIL, reasons=(EVIL,))
    marks = tuple(Highlight(field="title", start=start, end=start + 3) for start in range(0, 400, 5))
    one = replace(one, also=(EVIL,), highlights=marks)
    return replace(
        digest(one, to=subscriber(topics=(EVIL,), name=EVIL)), revised=(one.stored,), notes=(EVIL,), method=EVIL
    )


@given(digests(), st.booleans())
@settings(max_examples=100, deadline=None)
@example(evil(), True)
@example(digest(), False)
@example(replace(digest(), quiet=(" .",)), False)
def test_no_text_breaks_out_of_its_place(made: Digest, evil: bool) -> None:
    done = EVILLY_SET.digest(made, EVIL_LINKS, preview=True) if evil else RENDERER.digest(made)
    root = parsed(done.html_page)
    papers = [one.stored.paper for one in made.ranked]
    revised = [one.paper for one in made.revised]

    assert set(tags(root)) <= ALLOWED
    assert {str(name) for node in elements(root) for name in node.attrib} <= ATTRIBUTES
    assert tags(root).count("table") == 2 and tags(root).count("h1") == tags(root).count("style") == 1
    assert tags(root).count("h3") == len(papers)
    told = [note for note in made.notes if clean(note)]
    assert len(of_class(root, "topic")) == len({one.topic for one in made.ranked}) + bool(revised) + bool(told)

    wanted = [http_url(url) for one in papers for url in (one.url, one.url, one.pdf_url)]
    wanted += [http_url(one.code_url) or code_url_in(one.abstract) for one in papers]
    wanted += [http_url(one.url) for one in revised]
    mailto = [href for href in hrefs(root) if href.startswith("mailto:")]
    assert len(mailto) == evil
    assert sorted(set(hrefs(root)) - set(mailto)) == sorted({url for url in wanted if url})
    assert len(hrefs(root)) - len(mailto) == sum(url is not None for url in wanted)

    shown = sorted(words(node) for node in root.iter("h3"))
    titles = [shorten(clean(one.title), 300) for one in papers]
    assert shown == sorted(t if is_visible(t) else str(p.id) for t, p in zip(titles, papers, strict=True))
    assert words(only(root, "title")) == done.subject

    assert len(done.html_page.encode("utf-8")) <= MAX_HTML_BYTES
    assert len(done.subject) <= 110 and done.subject == clean(done.subject)
    assert "\r" not in done.text_page
    for line in done.text_page.split("\n"):
        assert len(line) <= 76 or re.match(r"(?:\d+\.)? *\(?https?://\S+$", line)
        assert clean(line).split() == line.split()


@given(digests())
@settings(max_examples=20, deadline=None)
def test_rendering_is_a_function_of_the_digest(made: Digest) -> None:
    assert RENDERER.digest(made) == RENDERER.digest(made)


@given(ANY_URL.filter(bool))
@settings(max_examples=300, deadline=None)
def test_a_link_is_absolute_web_address_of_plain_ascii(raw: str) -> None:
    url = http_url(raw)
    if url is not None:
        parts = urlsplit(url)
        assert parts.scheme in ("http", "https") and parts.hostname
        assert re.fullmatch(r"[!-~]{1,2000}", url) and not re.search(r"[<>\"\\^`{|}]", url)
        assert http_url(url) == url


@given(ANY_TEXT)
def test_cleaning_twice_is_cleaning_once(text: str) -> None:
    once = clean(text)
    assert clean(once) == once
    assert once.encode("utf-8").decode("utf-8") == once
    assert "\n" not in once and once == once.strip()


@given(ANY_TEXT.map(clean), st.integers(0, 700))
@settings(max_examples=300)
def test_a_shortened_text_is_a_beginning_within_its_limit(text: str, limit: int) -> None:
    short = shorten(text, limit)
    assert len(short) <= limit
    if short != text:
        assert short == "" or (short.endswith("…") and text.startswith(short[:-1].rstrip()))
        assert limit < 2 or len(short) * 2 >= limit - 4 or short == "…"


def whole(spans: tuple[Span, ...]) -> str:
    return "".join(span.text for span in spans)


@given(ANY_TEXT.map(clean), st.lists(ANY_TEXT.map(clean).filter(bool), max_size=4))
@settings(max_examples=300, deadline=None)
def test_marking_changes_no_letter(text: str, forms: list[str]) -> None:
    assert whole(marked(text, forms)) == text
    lowered = {form.casefold() for form in forms}
    assert all(span.text for span in marked(text, forms))
    if text.isascii():
        assert all(span.text.casefold() in lowered for span in marked(text, forms) if span.strong)


@given(ANY_TEXT, st.integers(0, 300), st.lists(st.tuples(st.integers(0, 80), st.integers(0, 80)), max_size=6))
@settings(max_examples=300, deadline=None)
def test_highlighting_changes_no_letter_and_marks_only_what_stands_there(
    text: str, limit: int, places: list[tuple[int, int]]
) -> None:
    spans = highlighted(text, limit, places)
    assert whole(spans) == shorten(clean(text), limit)
    originals = {clean(text[start:end]) for start, end in places}
    assert all(clean(span.text) in originals for span in spans if span.strong)


@given(ANY_TEXT.map(clean))
def test_emphasis_takes_only_its_stars_out(text: str) -> None:
    assert whole(emphasised(text)).replace("*", "") == text.replace("*", "")


@given(ANY_TEXT.map(clean), st.integers(0, 8), st.integers(0, 8))
@settings(deadline=None)
def test_wrapping_loses_nothing(text: str, indent: int, hanging: int) -> None:
    wrapped = wrap(text, indent, hanging)
    assert "".join(wrapped.split()) == "".join(text.split())
    for number, line in enumerate(wrapped.split("\n") if text else ()):
        assert line.startswith(" " * (hanging if number else indent))
        assert len(line) <= 76 or re.match(r" *\(?https?://\S+$", line)


@given(st.dates(), st.datetimes(timezones=st.just(UTC)))
@settings(max_examples=30, deadline=None)
@example(date.min, datetime.min.replace(tzinfo=UTC))
@example(date.max, datetime.max.replace(tzinfo=UTC))
def test_every_day_of_the_calendar_can_be_written(edition: date, published_at: datetime) -> None:
    done = RENDERER.digest(replace(digest(ranked(paper(published_at=published_at))), edition=edition))
    assert f", {edition.day} " in done.text_page
    assert f"{published_at.year} · hf" in done.text_page
