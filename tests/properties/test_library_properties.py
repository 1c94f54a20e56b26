"""Collections of references, whatever is in them."""

from __future__ import annotations

from hypothesis import example, given
from hypothesis import strategies as st

from paperdigest.errors import ParseError
from paperdigest.libraries import read_library

BIBTEX = ["@article{", "a,", "title", "=", "{", "}", '"', "#", "\\", "@string{a=", "\\{", "doi"]
OTHERS = ["TY  - ", "TI  - ", "ER  - ", "\n", "\r", "Title,Url\n", ",", ";", " ", "\0", "\ud800", "ü", "$", "x"]
PIECES = st.sampled_from([*BIBTEX, *OTHERS, "10.1000/x", "arXiv:2305.17490", "2020"])


@given(st.lists(PIECES, max_size=60).map("".join))
@example("@string{a=a}@article{x,title=a}")
@example("@article{x,title={\ud800}}")
def test_any_text_gives_examples_or_says_why_not(text: str) -> None:
    try:
        library = read_library(text.encode("utf-8", "surrogatepass"), "refs", limit=5)
    except ParseError as error:
        assert "refs" in str(error)
        return
    assert len(library.examples) <= 5
    for one in library.examples:
        assert one.title == " ".join(one.title.split())
        assert one.title.encode()
        assert one.abstract is None or one.abstract.encode()
    assert len({one.paper_id for one in library.examples}) == len(library.examples)


@given(st.binary(max_size=300))
def test_any_bytes_give_examples_or_say_why_not(body: bytes) -> None:
    try:
        assert read_library(body).kind in ("bibtex", "csv", "ris")
    except ParseError as error:
        assert str(error)
