r"""For any text: a line comes out, no plain word is lost, nothing is ever raised."""

from __future__ import annotations

import json
import re
import tarfile
import unicodedata
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from paperdigest.latex import MAX_TEX_CHARS, readable
from paperdigest.latex.symbols import symbols

# Macros whose arguments change places or are no prose are left out; the table in test_latex has them.
MACRO_LIST = r"""
\alpha \leq \our \method \mathcal \mathbb \mathbf \textbf \emph \text \em \bf \frac \sqrt \hat \vec \left \right
\log \max \binom \operatorname \footnote \textsuperscript \ell \times \cdot \deg \item \quad \xspace \not \pmod
\% \$ \& \_ \{ \} \\ \, \! \| \( \) \[ \] \' \" \^ \~ \c \v \i \o \ss \ldots \eg \url \cite
"""
MACROS = MACRO_LIST.split()
WORDS = ("trace", "Trace", "of", "a", "N", "Größe", "naïve", "x", "learning", "42", "3.5", "—", "ﬁnd", "世界")
FRAGMENTS = st.sampled_from(
    (*MACROS, *WORDS, "{", "}", "$", "$$", "^", "_", "~", "`", "``", "'", "''", "%", "&", " ", " ", "(", ")")
)
TEX = st.lists(FRAGMENTS, max_size=60).map("".join)
ANYTHING = st.text(st.characters(exclude_categories=()), max_size=300)
PLAIN = st.text(st.characters(exclude_categories=(), exclude_characters="\\${}^_~`"), max_size=300)


def fold(text: str) -> str:
    plain = unicodedata.normalize("NFKD", text)
    return "".join(char for char in plain if not unicodedata.combining(char)).replace("ı", "i").replace("ȷ", "j")


def plain_words(text: str) -> Iterator[str]:
    """The words that must stand in the output; of runs of one or two letters, each letter."""
    without_macros = re.sub(r"\\(?:color\{\w*\}|[A-Za-z]+|.)", " ", text, flags=re.DOTALL)
    for word in re.findall(r"[^\W\d_]+", fold(without_macros)):
        yield from (word,) if len(word) > 2 else word


def lost(text: str) -> str | None:
    """The first plain word of a text that does not stand, in its order, in what is readable of it."""
    line, at = fold(readable(text)), 0
    for word in plain_words(text):
        if (found := line.find(word, at)) < 0:
            return word
        at = found + len(word)
    return None


@given(st.one_of(TEX, ANYTHING))
@example("x_ABC^Def")
@example(r"\frac end")
@example(r"\c end \'{of} it")
@example("$x^{trace}$y")
@example(r"$\deg^trace$")
def test_every_plain_word_stands_in_the_output_in_its_order(text: str) -> None:
    assert lost(text) is None


@given(st.one_of(TEX, ANYTHING))
@example("\ud800\x00\u2028$x$\x85")
def test_the_output_is_one_line_without_control_characters(text: str) -> None:
    line = readable(text)
    assert line == " ".join(line.split())
    assert not any(unicodedata.category(char) in ("Cc", "Zl", "Zp") for char in line)


@given(PLAIN)
def test_text_without_tex_only_has_its_white_space_collapsed(text: str) -> None:
    spaced = "".join(" " if unicodedata.category(char) in ("Cc", "Zl", "Zp") else char for char in text)
    assert readable(text) == " ".join(spaced.split())
    assert readable(readable(text)) == readable(text)


@given(st.from_regex(r"[A-Za-z]{4,12}", fullmatch=True).filter(lambda name: name not in symbols()))
def test_an_unknown_macro_is_its_own_name(name: str) -> None:
    assert readable(f"use \\zq{name} here") == f"use zq{name} here"
    assert readable(f"$x=\\zq{name}$-Bench") == f"x=zq{name}-Bench"


def test_text_longer_than_any_abstract_keeps_its_tex() -> None:
    text = "$x^2$ " * (MAX_TEX_CHARS // 5)
    assert readable(text) == text.strip()


@pytest.mark.real
def test_no_word_of_the_archive_is_lost_and_almost_no_tex_is_left(shared: Path) -> None:
    with tarfile.open(shared / "data" / "hf-daily-archive" / "dev-days.tar.xz") as archive:
        days = [json.load(file) for member in archive if (file := archive.extractfile(member)) is not None]
    papers = [item["paper"] for day in days for item in day if isinstance(item, dict)]
    assert len(papers) == 6302
    texts = [text for paper in papers for text in (paper["title"], paper["summary"])]
    assert [text for text in texts if lost(text) is not None] == []
    left = [text for text in map(readable, texts) if "\\" in text or re.search(r"\$[^$]*[\\^_{][^$]*\$", text)]
    assert len(left) <= 3
