"""The shortcuts for common spellings give what the long way gives."""

from __future__ import annotations

import re

from hypothesis import given
from hypothesis import strategies as st

from paperdigest import identity

PIECES = [
    "http://",
    "https://",
    "HTTPS://",
    "journal.example",
    "Journal.Example",
    "a",
    "..",
    "/",
    "//",
    "/a-b_c.d/",
    "%20",
]
PIECES += [
    ";p",
    ":80",
    ":8080",
    "user@",
    "?",
    "?utm_source=x",
    "&a=b",
    "#f",
    " ",
    "\t",
    "é",
    "[::1]",
    "2305.17490",
    "v2",
]


@given(st.lists(st.sampled_from(PIECES), max_size=8).map("".join))
def test_a_plain_url_is_normalised_like_any_other(url: str) -> None:
    assert identity.normalise_url(url) == identity._normalise_unusual(url.strip())


@given(st.text(st.characters(max_codepoint=127)))
def test_ascii_text_is_folded_like_any_other(text: str) -> None:
    assert identity.fold(text) == re.sub(r"[\W_]+", " ", text.casefold()).strip()


@given(st.text(st.sampled_from("abZé -,.'1\t\xa0")))
def test_the_last_word_is_that_of_the_folded_text(text: str) -> None:
    assert identity._last_word(text) == ["", *identity.fold(text).split()][-1]
