"""What is written as BibTeX is read back as the same papers, whatever their titles hold."""

from __future__ import annotations

from datetime import UTC, datetime

from hypothesis import given
from hypothesis import strategies as st

from paperdigest.libraries import read_library
from paperdigest.libraries.writing import as_bibtex
from paperdigest.types import Author, Paper, PaperId
from tests.store_samples import arxiv, named, paper

TRACED = paper(
    "2604.00001",
    "Tracing {LLM} agents: 100% of $n^2$ & more_than_that",
    authors=named("Ada Lovelace", "Émilie du Châtelet", "Sand and Gravel, Inc."),
    authors_count=7,
    published_at=datetime(2026, 4, 1, tzinfo=UTC),
    primary_category="cs.SE",
    url="https://arxiv.org/abs/2604.00001",
    aliases=(PaperId(scheme="doi", local="10.1000/abc_(d)"),),
)


def test_an_entry_holds_what_a_bibliography_needs() -> None:
    written = as_bibtex([TRACED])
    assert written.startswith("@misc{arxiv:2604.00001,")
    assert "author = {Ada Lovelace and \\'Emilie du Ch\\^atelet and {Sand and Gravel, Inc.} and others}" in written
    assert "eprint = {2604.00001}" in written
    assert "archiveprefix = {arXiv}" in written
    assert "primaryclass = {cs.SE}" in written
    assert "year = {2026}" in written
    assert "doi = {10.1000/abc_(d)}" in written
    assert "100\\%" in written


def test_a_paper_that_was_published_is_an_article() -> None:
    assert as_bibtex([paper(journal_ref="J. Tracing 3 (2026) 1-9")]).startswith("@article{")


def test_a_paper_stands_in_it_once() -> None:
    assert as_bibtex([TRACED, TRACED, paper("2604.00002")]).count("@") == 2


def test_what_is_written_can_be_read_as_a_library_again() -> None:
    library = read_library(as_bibtex([TRACED, paper("2604.00002", "Äpfel und Öl")]).encode())
    assert [one.paper_id for one in library.examples] == [arxiv("2604.00001"), arxiv("2604.00002")]
    assert library.examples[1].title == "Äpfel und Öl"
    assert not library.skipped


@given(st.text(min_size=1, max_size=80).filter(str.strip), st.text(max_size=40))
def test_no_title_and_no_name_breaks_an_entry(title: str, name: str) -> None:
    authors = (Author(name=name),) if name.strip() else ()
    hostile = Paper(id=arxiv("2604.00003"), title=title, authors=authors)
    written = as_bibtex([hostile, paper("2604.00002", "A title")])
    assert written.isascii()
    library = read_library(written.encode())
    assert arxiv("2604.00002") in [one.paper_id for one in library.examples]
