"""Which stretches of a paper are marked as matches."""

from __future__ import annotations

from itertools import pairwise

from hypothesis import example, given
from hypothesis import strategies as st

from paperdigest.query import Form, Keyword, parse_query
from paperdigest.query.matching import Document
from paperdigest.ranking.highlights import MAX_HIGHLIGHTS, highlights, merged
from paperdigest.types import Highlight, StoredPaper
from tests.digest_samples import NOW, paper


def document(title: str, abstract: str | None = "") -> Document:
    return Document.of(StoredPaper(paper=paper(title=title, abstract=abstract), first_seen_at=NOW))


def marks(query: str, title: str, abstract: str = "") -> list[str]:
    texts = {"title": title, "abstract": abstract}
    found = highlights(parse_query(query).keywords, document(title, abstract))
    return [f"{one.field}: {texts[one.field][one.start : one.end]}" for one in found]


def test_a_word_is_marked_in_all_its_forms_title_first() -> None:
    assert marks("trace", "Tracing a trace", "It traces.") == ["title: Tracing", "title: trace", "abstract: traces"]


def test_a_phrase_is_one_mark_and_its_single_words_are_marked_too() -> None:
    assert marks('"software traceability"', "Software traceability", "For software.") == [
        "title: Software traceability",
        "abstract: software",
    ]


def test_the_small_words_of_a_phrase_are_not_marked_alone() -> None:
    assert marks('"state of the art"', "The state of the art", "A view of the arts") == [
        "title: state of the art",
        "abstract: arts",
    ]


def test_what_was_asked_for_precisely_is_marked_as_asked_for() -> None:
    assert marks('title:"software traceability"', "Software traceability", "software") == [
        "title: Software traceability"
    ]
    assert marks("=TRACE", "TRACE and trace") == ["title: TRACE"]
    assert marks("trac*", "tracking tracks") == ["title: tracking", "title: tracks"]


def test_authors_and_categories_have_nothing_to_mark() -> None:
    assert marks("author:Example cat:cs.SE trace", "Example cs.SE trace") == ["title: trace"]


def test_several_keywords_never_overlap() -> None:
    assert marks('trace "trace links" links', "Trace links here") == ["title: Trace links"]


def test_a_paper_without_an_abstract_has_its_title_marked() -> None:
    assert highlights([Keyword(("trace",))], document("trace", None)) == (Highlight(field="title", start=0, end=5),)


def test_there_are_at_most_thirty_marks_those_of_the_title_first() -> None:
    found = highlights([Keyword(("trace",))], document("trace", "trace and " * 100))
    assert len(found) == MAX_HIGHLIGHTS == 30
    assert found[0].field == "title"
    assert highlights([Keyword(("trace",))], document("trace and trace"), most=-1) == ()


def test_an_exact_phrase_does_not_mark_its_words() -> None:
    exact = Keyword(("Software", "Traceability"), form=Form.EXACT)
    assert highlights([exact], document("Software of Traceability")) == ()


@example([("title", 0, 5), ("title", 5, 9), ("abstract", 9, 12), ("title", 2, 3)])
@given(st.lists(st.tuples(st.sampled_from(["title", "abstract", "author"]), st.integers(0, 40), st.integers(0, 40))))
def test_merged_stretches_cover_the_same_characters_and_neither_overlap_nor_touch(
    found: list[tuple[str, int, int]],
) -> None:
    joined = merged(found)
    for field in ("title", "abstract"):
        ours = [one for one in joined if one.field == field]
        covered = {place for one in ours for place in range(one.start, one.end)}
        assert covered == {place for where, start, end in found if where == field for place in range(start, end)}
        assert all(one.end < other.start for one, other in pairwise(ours))
    assert [one.field for one in joined] == sorted((one.field for one in joined), reverse=True)
