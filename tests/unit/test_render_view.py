"""What a digest says: subject line, sections, authors, facts, badges, links and reasons."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime

import pytest

from paperdigest.render.links import NO_LINKS
from paperdigest.render.papers import PaperView, paper_view
from paperdigest.render.people import authors_spans
from paperdigest.render.subjects import subject_of
from paperdigest.render.view import DigestView, digest_view
from paperdigest.render.wanted import Cut, Wanted
from paperdigest.types import Appearance, Digest, Paper
from tests.digest_samples import BADGE, digest, named, paper, ranked, subscriber


def view_of(**fields: object) -> PaperView:
    return paper_view(ranked(paper(**fields)))  # type: ignore[arg-type]  # fields of Paper


def whole_view(made: Digest) -> DigestView:
    whole = Cut(600, len(made.ranked))
    return digest_view(Wanted(digest=made, links=NO_LINKS), whole, title="t", postal_address="")


def authors_line(one: Paper) -> str:
    return "".join(span.text for span in authors_spans(one))


def test_the_subject_says_how_many_for_what_and_the_best_title() -> None:
    one, two = ranked(paper(1, title="Best of all")), ranked(paper(2))
    assert subject_of(digest(one)) == "1 paper for trace: Best of all"
    assert subject_of(digest(one, two)) == "2 papers for trace: Best of all"


def test_the_subject_names_two_topics_and_counts_the_others() -> None:
    papers = [ranked(paper(number), topic=f"topic {number}") for number in range(1, 6)]
    assert subject_of(digest(*papers[:2])) == "2 papers for topic 1, topic 2: Paper number 1"
    assert subject_of(digest(*papers)) == "5 papers for topic 1, topic 2 and 3 more: Paper number 1"


def test_a_digest_without_papers_says_so() -> None:
    assert subject_of(digest()) == "No papers for 15 April 2026"


@pytest.mark.parametrize("topics", [1, 2, 3, 100])
def test_the_subject_has_at_most_110_characters_and_something_of_the_title(topics: int) -> None:
    papers = [ranked(paper(n, title="Word " * 2000), topic=f"{n} topic " * 1000) for n in range(1, topics + 1)]
    subject = subject_of(digest(*papers))
    assert 90 <= len(subject) <= 110
    assert subject.endswith("Word…")


def test_a_subject_stays_one_line_and_is_never_empty_of_words() -> None:
    made = digest(ranked(paper(title="\u200b\r\n\x00"), topic="\x00\u200d"))
    assert subject_of(made) == "1 paper for a topic without a name: arxiv:2604.00001"


def test_there_is_a_section_a_topic_that_of_the_best_paper_first() -> None:
    papers = [
        ranked(paper(1), topic="former", score=0.95),
        ranked(paper(2), topic="graphs", score=0.9),
        ranked(paper(3), topic="trace", score=0.8),
        ranked(paper(4), topic="graphs", score=0.7),
        ranked(paper(5), topic="older", score=0.6),
    ]
    made = digest(*papers, to=subscriber(topics=("trace", "empty", "graphs")))
    sections = whole_view(made).sections
    assert [section.topic for section in sections] == ["former", "graphs", "trace", "older"]
    assert [one.title for one in sections[1].papers] == ["Paper number 2", "Paper number 4"]


def test_the_preview_holds_the_next_best_titles() -> None:
    made = digest(*(ranked(paper(number)) for number in range(1, 6)))
    view = whole_view(made)
    assert view.preview == "Paper number 2 · Paper number 3 · Paper number 4"


@pytest.mark.parametrize(
    ("names", "count", "line"),
    [
        (("Ada",), None, "Ada"),
        (("Ada", "Ben", "Cy", "Di"), None, "Ada, Ben, Cy, Di"),
        (("Ada", "Ben", "Cy", "Di", "Eve"), None, "Ada, Ben, Cy, Di, Eve"),
        (("Ada", "Ben", "Cy", "Di", "Eve", "Flo"), None, "Ada, Ben, Cy, Di + 2 more"),
        (("Ada", "Ben"), 3000, "Ada, Ben + 2,998 more"),
        (("Ada", "\x00\u200b"), None, "Ada + 1 more"),
        (("\x00",), 1, "1 author"),
        ((), 1, "1 author"),
        ((), 7, "7 authors"),
        ((), 0, ""),
        ((), None, ""),
    ],
)
def test_the_authors_line_names_the_first_and_counts_the_others(
    names: tuple[str, ...], count: int | None, line: str
) -> None:
    assert authors_line(paper(authors=named(*names), authors_count=count)) == line


def test_five_thousand_authors_make_one_short_line() -> None:
    line = authors_line(paper(authors=named(*("Author " * 50 + str(n) for n in range(5000)))))
    assert line.endswith("+ 4,996 more") and len(line) < 300


def test_the_facts_are_day_version_and_category() -> None:
    assert view_of(version=3, primary_category="cs.SE").facts == "13 April 2026 · version 3 · cs.SE"


def test_a_first_version_and_what_is_not_known_are_not_mentioned() -> None:
    assert view_of(version=1).facts == "13 April 2026"
    assert view_of(published_at=None).facts == ""


def test_days_are_written_alike_in_every_year() -> None:
    assert view_of(published_at=datetime(1, 1, 1, tzinfo=UTC)).facts == "1 January 1"


def badges(*entries: Appearance) -> list[tuple[str, str]]:
    return [(badge.source, badge.detail) for badge in paper_view(ranked(entries=entries)).badges]


def test_a_badge_says_source_upvotes_and_comments() -> None:
    assert badges(BADGE) == [("hf", "12 upvotes · 1 comment")]
    assert badges(replace(BADGE, upvotes=1, comments=0)) == [("hf", "1 upvote")]
    assert badges(replace(BADGE, upvotes=None, comments=None)) == [("hf", "")]


def test_each_source_has_one_badge_from_its_newest_listing_the_most_upvoted_first() -> None:
    older = replace(BADGE, listed_on=date(2026, 4, 1), upvotes=99)
    arxiv = Appearance(source="arxiv", listed_on=date(2026, 4, 13), announce_type="new")
    assert badges(arxiv, BADGE, older) == [("hf", "12 upvotes · 1 comment"), ("arxiv", "")]


@pytest.mark.parametrize(
    ("announced", "detail"),
    [
        ("new", ""),
        ("cross", "cross-list"),
        ("replace", "new version"),
        ("replace-cross", "cross-list · new version"),
        (None, ""),
    ],
)
def test_a_badge_says_how_arxiv_announced_it(announced: str | None, detail: str) -> None:
    assert badges(Appearance(source="arxiv", listed_on=date(2026, 4, 13), announce_type=announced)) == [
        ("arxiv", detail)
    ]


def test_there_are_at_most_four_badges() -> None:
    assert len(badges(*(replace(BADGE, source=f"source {number}") for number in range(9)))) == 4


def test_a_long_abstract_ends_at_a_sentence() -> None:
    abstract = "".join(span.text for span in view_of(abstract="This is a sentence of a paper. " * 100).abstract)
    assert 500 < len(abstract) <= 600
    assert abstract.endswith("paper. …")


def test_the_words_that_the_reasons_name_are_marked_in_the_abstract() -> None:
    view = paper_view(
        ranked(
            paper(abstract="Traces help. We trace a Software Trace."),
            reasons=("abstract has *traces*, *trace*", "phrase *software trace* in the abstract"),
        )
    )
    assert [span.text for span in view.abstract if span.strong] == ["Traces", "trace", "Software Trace"]
    assert [[span.text for span in reason if span.strong] for reason in view.reasons] == [
        ["traces", "trace"],
        ["software trace"],
    ]


def test_at_most_three_reasons_are_given_and_none_is_endless() -> None:
    reasons = paper_view(ranked(reasons=("word " * 5000,) * 5)).reasons
    assert [len("".join(span.text for span in reason)) <= 200 for reason in reasons] == [True] * 3


def test_links_are_named_and_checked() -> None:
    view = view_of(pdf_url="javascript:alert(1)", code_url="https://example.org/code")
    assert [(link.label, link.url) for link in view.links] == [
        ("Abstract", "https://arxiv.org/abs/2604.00001"),
        ("Code", "https://example.org/code"),
    ]
    assert view_of(url="ftp://example.org").url is None


def test_a_title_that_cannot_be_seen_gives_way_to_the_id() -> None:
    assert view_of(title="\u200b\u2060").title == "arxiv:2604.00001"
    assert view_of(title="").title == "arxiv:2604.00001"


def test_an_address_is_printed_as_long_as_addresses_can_be() -> None:
    made = [digest(to=subscriber(email=f"{'a' * length}@example.org")) for length in (242, 243)]
    emails = [whole_view(one).because.split()[4] for one in made]
    assert emails[0] == made[0].subscriber.email
    assert emails[1] != made[1].subscriber.email and len(emails[1]) <= 254


def test_the_footer_lists_the_topics_as_one_would_say_them() -> None:
    names = [f"t{number}" for number in range(12)]
    said = {
        "": (),
        " on a": ("a",),
        " on a, b and c": ("a", "b", "c"),
        f" on {', '.join(names[:10])} and 2 more": names,
    }
    for line, topics in said.items():
        view = whole_view(digest(to=subscriber(topics=tuple(topics))))
        assert view.because == f"You get this because you@example.org asked for papers{line}."
