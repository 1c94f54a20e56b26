"""Collections of references, as people export them."""

from __future__ import annotations

import csv

import pytest

from paperdigest.errors import ParseError
from paperdigest.libraries import Example, Library, read_library, reading

BIBTEX = r"""
% exported by hand
@string{lab = "A Laboratory"}
@article{doe_links_2023,
  title = {{Recovering {T}race {L}inks \& Other \emph{Stories}}},
  author = {Doe, Jane and M{\"u}ller, Bob and others},
  abstract = {We recover links with 34\% fewer
    errors.},
  date = {2023-05-28},
  eprint = {2305.17490v2},
  archiveprefix = {arXiv},
  url = {https://example.org/paper.pdf},
}
@inproceedings(roe2020, title = "On " # {Tracing} # " Requirements", year = 2020, doi = {https://doi.org/10.1000/ABC.1},
  publisher = lab)
@misc{scholar, title={Tracing more}, journal={arXiv preprint arXiv:1706.03762}, year={2017}}
@online{page, title = {A page about tracing}, url = {https://www.example.org/tracing/?utm_source=x}, year = 1999}
@book{bare, title = {A Book Without Any Identifier}}
@comment{not an entry}
"""

ZOTERO_CSV = """\ufeff"Key","Item Type","Author","Title","DOI","Url","Abstract Note","Date","Date Added","Extra"
"A1","preprint","Doe, Jane; Roe, Richard","Recovering, ""quoted"" links","","http://example.org/x","We recover
links.","2023-05-28","2024-01-02 10:00:00","arXiv:2305.17490 [cs]"
"B2","journalArticle","Müller, Bob","On tracing","10.1000/abc.1","","","2020","2024-03-04 10:00:00",""
"C3","attachment","","","","","","","2024-03-05 10:00:00",""
"""

RIS = """TY  - JOUR
TI  - Recovering links
  over two lines
AU  - Doe, Jane
AU  - Roe, Richard
PY  - 2023/05/28/
AB  - We recover links.
DO  - 10.48550/arXiv.2305.17490
ER  -\x20

TY  - CONF
T1  - On tracing
Y1  - 2020
UR  - https://example.org/on-tracing
TY  - CONF
T1  - Never ended
"""


def read(text: str, **kwargs: int) -> Library:
    return read_library(text.encode(), "refs", **kwargs)


def by_id(library: Library) -> dict[str, Example]:
    return {str(example.paper_id): example for example in library.examples}


def test_bibtex_is_read_with_its_tex_made_readable() -> None:
    library = read(BIBTEX)
    assert library.kind == "bibtex"
    assert library.skipped == ()
    found = by_id(library)
    assert found["arxiv:2305.17490"] == Example(
        paper_id=found["arxiv:2305.17490"].paper_id,
        title="Recovering Trace Links & Other Stories",
        abstract="We recover links with 34% fewer errors.",
        authors=("Jane Doe", "Bob Müller"),
        year=2023,
        dated="2023-05-28",
    )
    assert found["doi:10.1000/abc.1"].title == "On Tracing Requirements"
    assert found["doi:10.1000/abc.1"].year == 2020
    assert found["arxiv:1706.03762"].title == "Tracing more"
    assert found["url:https://www.example.org/tracing"].year == 1999
    assert [one for one in found if one.startswith("title:a-book-without-any-identifier-")]
    assert len(found) == 5


def test_a_foreign_eprint_is_no_arxiv_id() -> None:
    (example,) = read("@article{a, title={T}, eprint={2305.17490}, eprinttype={jstor}}").examples
    assert example.paper_id.scheme == "title"


def test_a_title_keeps_escaped_braces_and_its_subtitle() -> None:
    (example,) = read(r"@article{a, title={Sets \{a, b\}}, subtitle={A {S}tudy}}").examples
    assert example.title == "Sets {a, b}: A Study"


def test_broken_entries_are_counted_and_the_rest_is_read() -> None:
    text = "@article{a, title={Never closed\n@article{b, title={Fine}}\n@article{b, title={Same key}}\n"
    text += "@article{c, title={Twice}, title={Named}}\n@article{d, year=2020}\n@article{e, title={fine}}"
    library = read(text)
    assert {example.title for example in library.examples} == {"Fine", "Same key", "Twice"}
    assert [(one.reason, one.count, one.first) for one in library.skipped] == [
        ("broken BibTeX", 1, "line 1"),
        ("without a title", 1, "d, line 5"),
        ("the same paper again", 1, "e, line 6"),
    ]
    assert library.sentences()[0] == "1 skipped: broken BibTeX (first: line 1)"


def test_a_zotero_table_is_read() -> None:
    library = read(ZOTERO_CSV)
    assert library.kind == "csv"
    newest, oldest = library.examples
    assert (str(newest.paper_id), newest.authors) == ("doi:10.1000/abc.1", ("Bob Müller",))
    assert str(oldest.paper_id) == "arxiv:2305.17490"
    assert oldest.title == 'Recovering, "quoted" links'
    assert oldest.abstract == "We recover links."
    assert oldest.authors == ("Jane Doe", "Richard Roe")
    assert [(one.reason, one.count) for one in library.skipped] == [("without a title", 1)]


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_any_table_with_a_column_of_titles_is_read(delimiter: str) -> None:
    text = f"Year{delimiter}TITLE{delimiter}arXiv_ID\r\n2020{delimiter}On tracing{delimiter}2305.17490\r\n\r\n"
    (example,) = read(text).examples
    assert (example.title, str(example.paper_id), example.year) == ("On tracing", "arxiv:2305.17490", 2020)


def test_a_long_note_in_a_table_changes_no_limit_of_others() -> None:
    limit = csv.field_size_limit()
    (example,) = read(f"Title,Notes\nOn tracing,{'x' * 200_000}\n").examples
    assert example.title == "On tracing"
    assert csv.field_size_limit() == limit


def test_ris_is_read() -> None:
    library = read(RIS)
    assert library.kind == "ris"
    found = by_id(library)
    assert found["arxiv:2305.17490"].title == "Recovering links over two lines"
    assert found["arxiv:2305.17490"].authors == ("Jane Doe", "Richard Roe")
    assert found["arxiv:2305.17490"].abstract == "We recover links."
    assert found["arxiv:2305.17490"].year == 2023
    assert found["url:https://example.org/on-tracing"].title == "On tracing"
    assert "Never ended" in {example.title for example in library.examples}


@pytest.mark.parametrize(
    "body",
    [
        "Title\nÜber Café\n".encode(),
        b"\xef\xbb\xbf" + "Title\nÜber Café\n".encode(),
        "Title\nÜber Café\n".encode("latin-1"),
        b"\xff\xfe" + "Title\nÜber Café\n".encode("utf-16-le"),
        b"\xfe\xff" + "Title\nÜber Café\n".encode("utf-16-be"),
    ],
)
def test_encodings_are_seen(body: bytes) -> None:
    (example,) = read_library(body).examples
    assert example.title == "Über Café"


def test_the_newest_are_used_and_the_rest_is_counted() -> None:
    text = "".join(f"@article{{a{year}, title={{Paper of {year}}}, year={year}}}\n" for year in (1999, 2024, 2010))
    library = read(text, limit=2)
    assert [example.year for example in library.examples] == [2024, 2010]
    assert library.cut == 1
    assert library.sentences() == ["the 2 newest are used, 1 older ones are not"]


@pytest.mark.parametrize(
    ("body", "says"),
    [
        (b"", "empty"),
        (b"\xff\xfe", "empty"),
        (b"Hello, this is a letter.", "neither BibTeX nor RIS nor a CSV"),
        (b"Name,Year\nx,2020", "column Title"),
        (b"%PDF-1.7 \x00\x01", "Export it as BibTeX"),
    ],
)
def test_what_is_no_collection_is_refused(body: bytes, says: str) -> None:
    with pytest.raises(ParseError) as caught:
        read_library(body, "refs.xyz")
    assert says in str(caught.value)
    assert "refs.xyz" in str(caught.value)


def test_a_file_or_a_collection_beyond_the_bounds_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reading, "MAX_RECORDS", 3)
    for text in ("Title\na\nb\nc\nd\n", "@a{a, title={x}}" * 4, "@" * 16 + "a{b"):
        with pytest.raises(ParseError, match="more than 3 entries"):
            read(text)
    assert len(read("Title\naa\nbb\ncc\n").examples) == 3
    monkeypatch.setattr(reading, "MAX_BYTES", 10)
    with pytest.raises(ParseError, match="larger than"):
        read("Title\nlonger than ten bytes")


def test_a_title_that_is_no_title_is_skipped() -> None:
    library = read(f"Title\n{'x' * 1001}\n...\nFine\n")
    assert [example.title for example in library.examples] == ["Fine"]
    assert [one.reason for one in library.skipped] == [
        "with a title of more than 1000 characters",
        "without a title",
    ]


def test_a_row_of_another_table_is_skipped() -> None:
    assert [one.reason for one in read("Title,Year\nFine,2020\ntotal\n").skipped] == ["a row of another table"]
