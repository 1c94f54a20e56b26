"""Fault 19: endless abstracts, thousands of authors, half characters, injected headers: what comes out is small."""

from __future__ import annotations

import re

import pytest

from paperdigest.render import MAX_HTML_BYTES, Links, Rendered, Renderer
from paperdigest.render.samples import SAMPLE_LINKS
from paperdigest.render.stretches import hole
from paperdigest.render.words import clean
from paperdigest.types import Highlight
from tests.digest_samples import digest, named, paper, ranked, subscriber
from tests.html_pages import hrefs, parsed, tags

SIGNS = "".join(map(hole, range(256)))
TEXTS = {
    "ten megabytes": "A sentence of words. " * 500_000,
    "ten megabytes without a space": "x" * 10_000_000,
    "ten megabytes of markup": "<b>&amp;" * 1_250_000,
    "ten megabytes of stars": "*a* " * 2_500_000,
    "from right to left": "نص عربي \u202e\u2067reversed\u2069 טקסט",
    "of no width": "\u200b\u200d\u2060\ufeff" * 1_000,
    "emoji": "\U0001f468\u200d\U0001f469\u200d\U0001f467" * 1_000,
    "half a character": "a\ud800b\udfff" * 100,
    "NUL": "a\x00b" * 100,
    "an encoded header": "=?utf-8?q?a=0aBcc:_v@x?=",
    "a header": "a\r\nBcc: v@example.org\r\n\r\nbody",
    "a script": "</title></style><script>alert(1)</script><img src=x onerror=alert(1)>",
    "a template": "{{ 7*7 }}{% include '/etc/passwd' %}",
    "our own signs": SIGNS,
    "accents on one letter": "a" + "\u0301" * 100_000,
}
PLAIN_TAGS = set(tags(parsed(Renderer().digest(digest(ranked()), SAMPLE_LINKS[-1]).html_page))) | {
    "mark",
    "strong",
    "code",
    "br",
}


def sound(done: Rendered) -> Rendered:
    assert len(done.html_page.encode("utf-8")) <= MAX_HTML_BYTES
    assert len(done.text_page.encode("utf-8")) <= 200_000
    assert len(done.subject) <= 110 and done.subject == clean(done.subject)
    assert set(tags(parsed(done.html_page))) <= PLAIN_TAGS
    assert not re.search("[\U00100000-\U0010ffff\ud800-\udfff\x00]", done.html_page + done.text_page)
    assert "Bcc" not in re.findall(r"^\w*", done.text_page, re.MULTILINE)
    return done


@pytest.mark.parametrize("name", TEXTS)
def test_a_hostile_text_in_every_place_gives_a_small_and_valid_mail(name: str) -> None:
    text = TEXTS[name]
    one = ranked(
        paper(title=text, abstract=text, authors=named(f"n{text[:100_000]}"), primary_category=text, comment=text),
        topic=f"t{text[:100_000]}",
        reasons=(text, text),
    )
    made = digest(one, to=subscriber(topics=(f"t{text[:100_000]}",)))
    for links in SAMPLE_LINKS:
        done = sound(Renderer(title=text, postal_address=text[:2_000]).digest(made, links))
        assert done.html_page.count("You get this because") == done.text_page.count("You get this because") == 1


def test_five_thousand_authors_of_long_names_are_counted() -> None:
    names = named(*(f"Author{number} {'Long' * 500}" for number in range(5_000)))
    to = subscriber()
    assert "+ 4,996 more" in sound(Renderer().digest(digest(ranked(paper(authors=names)), to=to))).text_page


def test_ten_thousand_marks_in_a_long_abstract_are_no_trouble() -> None:
    marks = tuple(Highlight(field="abstract", start=at, end=at + 1) for at in range(0, 20_000, 2))
    one = ranked(paper(abstract="a " * 10_000))
    object.__setattr__(one, "highlights", marks)
    assert sound(Renderer().digest(digest(one))).html_page.count("<mark") <= 300


@pytest.mark.parametrize(
    "url",
    [
        "javascript:alert(1)",
        "JAVASCRIPT:alert(1)",
        "data:text/html,x",
        "\x01javascript:x",
        f"https://example.org/{SIGNS}",
    ],
)
def test_addresses_that_do_something_are_no_links(url: str) -> None:
    one = ranked(paper(url=url, pdf_url=url, code_url=url, abstract=f"[code]({url}) {url}github.com/a/b"))
    done = sound(Renderer().digest(digest(one), Links(unsubscribe=url, read=url, manage=url)))
    assert [href for href in hrefs(parsed(done.html_page)) if not href.startswith("https://github.com/a/b")] == []


def test_a_hundred_papers_of_the_worst_kind_still_have_their_footer() -> None:
    worst = "&<>\"'" * 4_000
    papers = [
        ranked(paper(number, title=worst, abstract=worst, authors=named(*[worst] * 9)), topic=f"{number}{worst}")
        for number in range(1, 101)
    ]
    done = sound(Renderer(postal_address="1 Road").digest(digest(*papers), SAMPLE_LINKS[-1]))
    assert "1 Road" in done.html_page and "read them on the web" in done.html_page
