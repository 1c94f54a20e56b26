"""How a choice is shown: marks, why a paper stands there, other topics, new versions, what changed."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from paperdigest.render import Renderer
from paperdigest.render.papers import paper_view, revised_view
from paperdigest.render.subjects import subject_of
from paperdigest.render.view import notes_view
from paperdigest.render.words import Span, clean, highlighted, listed, shorten
from paperdigest.types import Digest, Highlight, Placement, RankedPaper, Reason, StoredPaper
from tests.digest_samples import NOW, chosen, digest, paper, ranked
from tests.html_pages import elements, of_class, only, parsed, tags, words


def html(made: Digest, *, preview: bool = False) -> str:
    return Renderer().digest(made, preview=preview).html_page


def text(made: Digest, *, preview: bool = False) -> str:
    return Renderer().digest(made, preview=preview).text_page


def marked_in(one: RankedPaper, *, abstract_chars: int = 600) -> tuple[list[str], list[str]]:
    """The strong stretches of title and abstract."""
    view = paper_view(one, abstract_chars)
    return [span.text for span in view.title_spans if span.strong], [span.text for span in view.abstract if span.strong]


def with_places(title: str, abstract: str, *places: tuple[str, int, int]) -> RankedPaper:
    found = tuple(Highlight(field=field, start=start, end=end) for field, start, end in places)
    return replace(ranked(paper(title=title, abstract=abstract), reasons=("has *Other*",)), highlights=found)


# Marks


def test_matches_are_marked_in_title_and_abstract() -> None:
    root = parsed(html(chosen()))
    assert [words(node) for node in root.iter("mark")][:4] == ["Tracing", "trace", "trace", "software traceability"]
    first = only(of_class(root, "paper-title")[0], "a")
    assert words(first) == "Tracing the trace"
    assert words(of_class(root, "abstract")[0]) == "A trace of software traceability. It traces traces."


def test_only_the_places_given_are_marked_and_not_the_words_of_the_reasons() -> None:
    one = with_places("Other title", "Other words, other marks.", ("abstract", 6, 11))
    assert marked_in(one) == ([], ["words"])


def test_marks_keep_their_place_in_a_text_that_had_to_be_cleaned() -> None:
    one = with_places("  A\x00\u202e trace \n of", "", ("title", 5, 11), ("title", 0, 3), ("title", 3, 5))
    view = paper_view(one)
    assert view.title_spans == (Span("A", strong=True), Span(" "), Span("trace", strong=True), Span(" of"))


def test_a_place_that_shortening_cuts_off_is_not_marked() -> None:
    abstract = "One trace. " * 60
    places = [("abstract", start, start + 5) for start in range(4, len(abstract), 11)]
    one = with_places("Title", abstract.strip(), *places)
    shown = paper_view(one, 100)
    assert "".join(span.text for span in shown.abstract) == shorten(abstract.strip(), 100)
    assert marked_in(one, abstract_chars=100)[1] == ["trace"] * 9


@pytest.mark.parametrize("kept", [17, 18, 19, 20, 21])
def test_no_mark_reaches_into_the_ellipsis(kept: int) -> None:
    spans = highlighted("alpha beta gamma delta", kept, [(0, 5), (6, 10), (11, 16), (17, 22)])
    assert [span.text for span in spans if span.strong] == ["alpha", "beta", "gamma"]
    assert spans[-1].text.endswith("…")


def test_places_that_overlap_or_lie_outside_are_dropped() -> None:
    spans = highlighted("one two three", 100, [(4, 7), (5, 9), (9, 9), (8, 99), (0, 3)])
    assert spans == (Span("one", strong=True), Span(" "), Span("two", strong=True), Span(" three"))


def test_no_entity_is_torn_by_a_mark() -> None:
    page = html(digest(with_places("a & b < c", "x &amp; y", ("title", 2, 3), ("abstract", 3, 5))))
    assert '<mark class="hit"' in page
    root = parsed(page)
    assert words(of_class(root, "paper-title")[0]) == "a & b < c"
    assert words(of_class(root, "abstract")[0]) == "x &amp; y"
    assert [words(node) for node in root.iter("mark")] == ["&", "am"]


def test_a_title_that_cannot_be_seen_gives_way_to_the_id_whatever_is_marked() -> None:
    assert paper_view(with_places("\u200b\u2060", "", ("title", 0, 1))).title_spans == (Span("arxiv:2604.00001"),)


def test_without_places_the_words_that_the_reasons_name_are_marked() -> None:
    assert marked_in(ranked(paper(title="A trace", abstract="The trace."))) == ([], ["trace"])


def test_the_text_part_names_matches_in_the_reasons_alone() -> None:
    page = text(chosen())
    assert "1.  Tracing the trace\n" in page and "    A trace of software traceability. It traces traces.\n" in page
    assert "    Why: title matches *trace*; close to *software traceability*\n" in page


# Reasons


def test_the_three_reasons_that_did_most_are_told_and_none_that_spoke_against() -> None:
    said = (("a", 1.0), ("against", -9.0), ("b", 4.0), ("nothing", 0.0), ("c", 3.0), ("d", 2.0))
    reasons = tuple(Reason(text=name, keyword="k", contribution=share) for name, share in said)
    view = paper_view(replace(ranked(), reasons=reasons))
    assert ["".join(span.text for span in reason) for reason in view.reasons] == ["b", "c", "d"]


def test_reasons_that_did_nothing_are_not_told_although_there_would_be_room() -> None:
    said = (("helped", 2.0), ("nothing", 0.0), ("against", -1.0))
    reasons = tuple(Reason(text=name, keyword="k", contribution=share) for name, share in said)
    assert len(paper_view(replace(ranked(), reasons=reasons)).reasons) == 1


# Why it stands there


def test_papers_that_waited_or_were_drawn_say_so_and_new_ones_do_not() -> None:
    made = chosen()
    assert [words(node) for node in of_class(parsed(html(made)), "placement")] == [
        "you nearly missed this: drawn by lot",
        "from the last days",
    ]
    page = text(made)
    assert page.count("[from the last days]") == page.count("[you nearly missed this: drawn by lot]") == 1
    assert of_class(parsed(html(digest(ranked()))), "placement") == []


def test_every_placement_has_its_words() -> None:
    for placement in Placement:
        view = paper_view(replace(ranked(), placement=placement))
        assert bool(view.placement) == (placement is not Placement.NEW)


def test_a_paper_of_several_topics_stands_once_and_names_the_others() -> None:
    made = chosen()
    assert html(made).count("Also matches:") == text(made).count("Also matches:") == 1
    assert "    Also matches: graphs and testing\n" in text(made)
    many = replace(ranked(), also=tuple(f"topic {number}" for number in range(9)))
    assert paper_view(many).also == "topic 0, topic 1, topic 2, topic 3, topic 4 and 4 more"


def test_lists_of_names_read_as_one_would_say_them() -> None:
    assert [listed(["a", "b", "c"][:count], 2) for count in range(4)] == ["", "a", "a and b", "a, b and 1 more"]


# New versions


def test_new_versions_of_liked_papers_have_lines_of_their_own() -> None:
    root = parsed(html(chosen()))
    assert [words(node) for node in of_class(root, "revised")] == [
        "Paper number 4 version 3 of 12 April 2026",
        "Paper number 5 Withdrawn by its authors.",
    ]
    assert [words(node) for node in of_class(root, "topic-name")][-2:] == [
        "New versions of papers you liked",
        "What changed",
    ]
    assert tags(root).count("h3") == 3, "they take no place from the others"
    page = text(chosen())
    assert "* Paper number 4\n    version 3 of 12 April 2026\n    https://arxiv.org/abs/2604.00004\n" in page
    assert "* Paper number 5\n    Withdrawn by its authors.\n\n" in page


@pytest.mark.parametrize(
    ("fields", "news"),
    [
        ({"version": 2}, "version 2"),
        ({"version": 2, "updated_at": datetime(2026, 4, 1, tzinfo=UTC)}, "version 2 of 1 April 2026"),
        ({"updated_at": datetime(2026, 4, 1, tzinfo=UTC)}, "of 1 April 2026"),
        ({}, "changed"),
        ({"withdrawn": True}, ""),
        ({"withdrawn": True, "version": 4}, "version 4"),
    ],
)
def test_what_is_known_of_a_change_is_said(fields: dict[str, object], news: str) -> None:
    stored = StoredPaper(paper=paper(**fields), first_seen_at=NOW)  # type: ignore[arg-type]  # fields of Paper
    assert revised_view(stored).news == news


def test_a_withdrawn_version_says_both() -> None:
    stored = StoredPaper(paper=paper(withdrawn=True, version=4), first_seen_at=NOW)
    assert "    version 4. Withdrawn by its authors.\n" in text(replace(digest(ranked()), revised=(stored,)))


def test_very_many_new_versions_are_counted_not_listed() -> None:
    many = tuple(StoredPaper(paper=paper(number), first_seen_at=NOW) for number in range(1, 1024))
    made = replace(digest(), revised=many)
    assert len(of_class(parsed(html(made)), "revised")) == 20
    assert "… and 1,003 more." in html(made) and "… and 1,003 more." in text(made)


def test_a_digest_of_new_versions_alone_says_so_in_its_subject() -> None:
    made = replace(digest(), revised=chosen().revised)
    assert subject_of(made) == "2 new versions of papers you liked: Paper number 4"
    long = StoredPaper(paper=paper(title="Word " * 500), first_seen_at=NOW)
    assert 90 <= len(subject_of(replace(made, revised=(long,)))) <= 110


def test_new_versions_do_not_change_the_subject_of_new_papers() -> None:
    assert subject_of(chosen()) == "3 papers for trace, graphs: Tracing the trace"


# What changed, and by what was ranked


def test_what_the_ranking_has_learned_is_told() -> None:
    assert "more like <strong" in html(chosen())
    assert "* more like *trace* because you liked Paper number 9\n" in text(chosen())
    endless = replace(digest(ranked()), notes=("word " * 5000,) * 9 + ("",))
    notes = notes_view(endless.notes)
    assert [len("".join(span.text for span in note)) <= 200 for note in notes] == [True] * 5


def test_only_the_operators_preview_says_by_what_was_ranked() -> None:
    line = "Ranked by words and by the vector model MiniLM."
    made = chosen()
    assert line not in html(made) and line not in text(made)
    assert line in html(made, preview=True) and line in text(made, preview=True)
    assert "Ranked" not in html(replace(made, method=""), preview=True)
    assert Renderer().digest(made, preview=True).subject == Renderer().digest(made).subject


def test_a_preview_is_not_larger_than_mail_may_be() -> None:
    made = digest(*(ranked(paper(number, abstract="long " * 200)) for number in range(1, 101)))
    crowded = replace(made, revised=chosen().revised * 10, notes=("note " * 100,) * 9, method="method " * 900)
    done = Renderer().digest(crowded, preview=True)
    assert len(done.html_page.encode()) <= 95_000
    assert all(len(line) <= 76 or "https://" in line for line in done.text_page.split("\n"))


def test_hostile_notes_and_titles_stay_where_they_belong() -> None:
    evil = "</p></td></table><script>alert(1)</script>{{ 7*7 }}\x00\u202e"
    made = replace(
        chosen(),
        notes=(evil,),
        method=evil,
        revised=(StoredPaper(paper=paper(title=evil, url="javascript:alert(1)"), first_seen_at=NOW),),
        ranked=(replace(ranked(), also=(evil,)),),
    )
    root = parsed(html(made, preview=True))
    assert set(tags(root)) <= set(tags(parsed(html(chosen(), preview=True))))
    assert clean(evil) in words(of_class(root, "revised")[0])
    assert not [node for node in elements(root) if "javascript" in str(node.get("href", ""))]
