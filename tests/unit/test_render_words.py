"""The small pieces of text work behind a digest."""

from __future__ import annotations

import sys
import unicodedata

import pytest

from paperdigest.render.words import (
    TEXT_WIDTH,
    Span,
    clean,
    emphasised,
    http_url,
    is_visible,
    marked,
    plural,
    shorten,
    wrap,
)


def test_cleaning_takes_out_exactly_what_no_reader_should_get() -> None:
    def unwanted(point: int) -> bool:
        return (
            unicodedata.category(chr(point)) in {"Cc", "Cs", "Zl", "Zp"}
            or 0x202A <= point <= 0x202E
            or 0x2066 <= point <= 0x2069
            or 0xFDD0 <= point <= 0xFDEF
            or point & 0xFFFE == 0xFFFE
            or point == 0xFEFF
            or point > 0xFFFFF
        )

    points = [point for point in range(sys.maxunicode + 1) if not chr(point).isspace()]
    gone = {point for point in points if clean(chr(point)) == ""}
    assert gone == {point for point in points if unwanted(point)}


@pytest.mark.parametrize(
    ("given", "cleaned"),
    [
        ("a\r\nBcc: v@x", "a Bcc: v@x"),
        ("  a \t b\u00a0c\u2028d  ", "a b c d"),
        ("a\x00b\ud800c", "a b c"),
        ("\u202eevil\u2066", "evil"),
        ("family \U0001f468\u200d\U0001f469", "family \U0001f468\u200d\U0001f469"),
        ("نص \u200fعربي", "نص \u200fعربي"),
        ("=?utf-8?q?a=0aBcc:_v@x?=", "=?utf-8?q?a=0aBcc:_v@x?="),
        ("<b>{{ 7*7 }}</b>", "<b>{{ 7*7 }}</b>"),
        ("", ""),
    ],
)
def test_cleaned_text_is_one_line_that_keeps_its_words(given: str, cleaned: str) -> None:
    assert clean(given) == cleaned


def test_of_megabytes_only_the_beginning_is_read() -> None:
    assert len(clean("x" * 10_000_000)) == 20_000


@pytest.mark.parametrize("text", ["", " ", "\u200b\u200d\u2060", "\u0301", "\u200f\u00ad"])
def test_nothing_is_seen_of_zero_width_characters(text: str) -> None:
    assert not is_visible(text)


@pytest.mark.parametrize("text", ["a", "\u200b.", "é", "漢", "\U0001f600"])
def test_a_single_letter_sign_or_emoji_is_seen(text: str) -> None:
    assert is_visible(text)


@pytest.mark.parametrize(
    "url",
    [
        "https://arxiv.org/abs/2604.00001v2",
        "HTTP://example.org:8080/a?b=c&d=%20#e",
        "https://[2001:db8::1]/x",
        "https://example.org/~jane/(1);p=1",
    ],
)
def test_web_addresses_stay_as_they_are(url: str) -> None:
    assert http_url(url) == url


@pytest.mark.parametrize(
    ("url", "quoted"),
    [
        ("https://example.org/a b", "https://example.org/a%20b"),
        ('https://example.org/"><img>', "https://example.org/%22%3E%3Cimg%3E"),
        (" https://example.org/é ", "https://example.org/%C3%A9"),
    ],
)
def test_what_may_not_stand_in_an_address_is_percent_encoded(url: str, quoted: str) -> None:
    assert http_url(url) == quoted


@pytest.mark.parametrize(
    "url",
    [
        None,
        "",
        "javascript:alert(1)",
        "java\nscript:alert(1)",
        "JaVaScRiPt://example.org/%0aalert(1)",
        "data:text/html,<script>",
        "vbscript:x",
        "file:///etc/passwd",
        "mailto:v@example.org",
        "//example.org/x",
        "/abs/2604.00001",
        "arxiv.org/abs/2604.00001",
        "https:///nohost",
        "https:example.org",
        "https://good.example@evil.example/",
        "https://good.example\\@evil.example/",
        "https://example.org:port/",
        "https://example.org:99999/",
        "https://[::1/",
        "https://example.org/\x00",
        "https://example.org/\ud800",
        "https://example.org/\u202egpj.exe",
        "https://example.org/" + "a" * 2000,
        "https://example.org/" + "\U0001f600" * 1000,
    ],
)
def test_what_is_no_plain_web_address_becomes_no_link(url: str | None) -> None:
    assert http_url(url) is None


def test_a_text_that_fits_is_not_shortened() -> None:
    assert shorten("One. Two.", 9) == "One. Two."


@pytest.mark.parametrize(
    ("text", "limit", "short"),
    [
        ("First sentence here. Second sentence here.", 30, "First sentence here. …"),
        ("Is it so? Yes it is, and for many reasons.", 14, "Is it so? …"),
        (
            "We compare many methods, e.g. the older ones that nobody uses.",
            40,
            "We compare many methods, e.g. the older…",
        ),
        ("A. But then a sentence that goes on and on.", 30, "A. But then a sentence that…"),
        ("one two, three", 10, "one two…"),
        ("unbreakable" * 3, 12, "unbreakable…"),
        ("第一句。第二句很长很长很长。", 8, "第一句。 …"),
        ("Anything", 1, ""),
        ("Anything", 0, ""),
    ],
)
def test_a_text_is_cut_at_a_sentence_else_at_a_word(text: str, limit: int, short: str) -> None:
    assert shorten(text, limit) == short
    assert len(short) <= max(limit, 0)


def test_a_sentence_that_fits_to_the_last_place_keeps_its_ellipsis() -> None:
    assert shorten("abcdefgh. Jklmnop qrstuvw", 10) == "abcdefgh.…"
    assert shorten("abcdefghi. Jklmnop qrstuvw", 10) == "abcdefghi…"


def test_stars_become_emphasis() -> None:
    assert emphasised("title has *software trace* and *C++*") == (
        Span("title has "),
        Span("software trace", strong=True),
        Span(" and "),
        Span("C++", strong=True),
    )


@pytest.mark.parametrize("text", ["2 * 3 * 4", "**", "a * b", "*", "* a*"])
def test_stars_that_enclose_no_word_stay(text: str) -> None:
    assert emphasised(text) == (Span(text),)


def test_whole_words_are_marked_whatever_their_case() -> None:
    assert marked("Trace the retrace-traced trace.", {"trace"}) == (
        Span("Trace", strong=True),
        Span(" the retrace-traced "),
        Span("trace", strong=True),
        Span("."),
    )


def test_the_longest_of_several_forms_is_marked() -> None:
    spans = marked("software trace links", {"trace", "software trace"})
    assert spans == (Span("software trace", strong=True), Span(" links"))
    assert marked("trace links", {"trace", "trace links"}) == (Span("trace links", strong=True),)


@pytest.mark.parametrize("form", ["C++", "Straße", "İstanbul", "a.b", "(x", "漢字"])
def test_every_form_is_found_as_it_is_written(form: str) -> None:
    assert marked(f"x {form} y", {form}) == (Span("x "), Span(form, strong=True), Span(" y"))
    assert marked("aXb Strasse", {"a.b"}) == (Span("aXb Strasse"),)


def test_without_forms_nothing_is_marked() -> None:
    assert marked("a trace", set()) == (Span("a trace"),)
    assert marked("", set()) == marked("", {"trace"}) == ()


def test_counts_are_singular_plural_and_readable() -> None:
    assert [plural(count, "paper") for count in (0, 1, 2, 12345)] == [
        "0 papers",
        "1 paper",
        "2 papers",
        "12,345 papers",
    ]


def test_wrapped_text_has_at_most_76_columns_and_every_word() -> None:
    text = "word " * 100 + "x" * 200
    lines = wrap(text, 4, 6).split("\n")
    assert max(map(len, lines)) <= TEXT_WIDTH == 76
    assert lines[0].startswith("    word") and all(line.startswith("      ") for line in lines[1:])
    assert "".join(lines).replace(" ", "") == text.replace(" ", "")


def test_a_web_address_is_never_broken() -> None:
    url = "https://example.org/" + "long/" * 30
    assert wrap(f"PDF: {url} end", 4, 6).split("\n") == ["    PDF:", f"      {url}", "      end"]
