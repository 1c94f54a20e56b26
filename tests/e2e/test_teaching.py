"""A person teaches a topic by likes, at the prompt."""

from __future__ import annotations

import pytest

from tests.e2e.conftest import Person
from tests.e2e.test_command_line import filled

EMAIL = "you@example.org"
BIBTEX = """@article{a, title={Trace link recovery}, year=2021,
  abstract={Traceability links between requirements and source code are recovered.}}
@article{b, title={Requirements traceability in practice}, year=2020,
  abstract={Practitioners trace requirements to code.}}
"""


@pytest.fixture
def reader(person: Person) -> Person:
    filled(person)
    result = person.types("subscriber", "add", EMAIL, "--topic", "links=trace", "--confirmed")
    assert result.code == 0, result.err
    return person


def test_likes_and_dislikes_are_said_shown_and_taken_back(reader: Person) -> None:
    liked = reader.types("subscriber", "like", EMAIL, "2411.02131", "TRACED", "--json")
    assert liked.code == 0, liked.err
    assert [one["paper"] for one in liked.json["judged"]] == ["arxiv:2411.02131", "arxiv:2306.07487"]
    disliked = reader.types("subscriber", "dislike", EMAIL, "2406.16218", "--topic", "links")
    assert disliked.out.startswith("dislikes arxiv:2406.16218  Trace is the New AutoDiff")
    assert disliked.out.rstrip().endswith("[links]")
    shown = reader.types("subscriber", "show", EMAIL, "--json").json["judgements"]
    assert (shown["likes"], shown["dislikes"], len(shown["newest"])) == (2, 1, 3)
    assert set(shown["newest"][0]) == {"paper", "title", "liked", "topic", "judged_at", "origin"}
    text = reader.types("subscriber", "show", EMAIL).out
    assert "2 likes, 1 dislike; the newest:" in text
    gone = reader.types("subscriber", "like", EMAIL, "2411.02131", "--remove", "--json")
    assert [one["paper"] for one in gone.json["removed"]] == ["arxiv:2411.02131"]
    assert "no longer dislikes" in reader.types("subscriber", "dislike", EMAIL, "AutoDiff", "--remove").out
    assert reader.types("subscriber", "show", EMAIL, "--json").json["judgements"]["likes"] == 1


def test_a_topic_of_examples_alone_ranks_papers(person: Person) -> None:
    filled(person)
    (person.home / "refs.bib").write_text(BIBTEX, encoding="utf-8")
    added = person.types(
        "subscriber", "add", EMAIL, "--topic", "links=", "--examples", "refs.bib", "--confirmed", "--json"
    )
    assert added.code == 0, added.err
    assert "refs.bib: 2 examples (bibtex)" in added.err
    assert added.json["topics"][0]["query"] == ""
    assert added.json["judgements"]["likes"] == 2
    digest = person.types("--now", "2026-04-14T13:00Z", "digest", EMAIL, "--format", "json")
    assert digest.code == 0, digest.err
    ranked = digest.json["ranked"]
    assert ranked, digest.out
    assert "raceability" in ranked[0]["title"]
    assert ranked[0]["topic"] == "links"


def test_a_mistake_in_the_examples_leaves_nothing_half_done(person: Person) -> None:
    filled(person)
    for wrong in (("--examples", "missing.bib"), ("--like", "2604.99999"), ("--topic", "stars=")):
        result = person.types("subscriber", "add", EMAIL, "--topic", "links=trace", *wrong)
        assert result.code in (2, 4)
        assert "Traceback" not in result.err
    assert "neither a query nor examples" in result.err
    assert person.types("subscriber", "list", "--json").json["subscribers"] == []


def test_topics_carry_their_own_numbers(reader: Person) -> None:
    changed = reader.types(
        "subscriber", "set", EMAIL, "--quota", "links=0.3", "--weight", "2", "--threshold", "links=0.25", "--json"
    )
    (topic,) = changed.json["topics"]
    assert (topic["name"], topic["weight"], topic["quota"], topic["threshold"]) == ("links", 2.0, 0.3, 0.25)
    assert "links = trace  weight 2  quota 0.3  threshold 0.25" in reader.types("subscriber", "show", EMAIL).out
    back = reader.types("subscriber", "set", EMAIL, "--quota", "links=default", "--weight", "default", "--json")
    assert (back.json["topics"][0]["weight"], back.json["topics"][0]["quota"]) == (1.0, None)


def test_examples_are_added_to_those_there_are(reader: Person) -> None:
    (reader.home / "refs.bib").write_text(BIBTEX, encoding="utf-8")
    reader.types("subscriber", "like", EMAIL, "2411.02131")
    reader.types("subscriber", "set", EMAIL, "--examples", "refs.bib")
    again = reader.types("subscriber", "set", EMAIL, "--examples", "links=refs.bib", "--json")
    assert again.json["judgements"]["likes"] == 3


def test_the_last_example_of_a_bare_topic_may_go_with_a_warning(reader: Person) -> None:
    added = reader.types("subscriber", "set", EMAIL, "--topic", "links=", "--like", "2411.02131")
    assert added.code == 0, added.err
    assert "(examples alone)" in added.out
    gone = reader.types("subscriber", "like", EMAIL, "2411.02131", "--remove")
    assert gone.code == 0
    assert "neither a query nor examples" in gone.err


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("like", EMAIL), "Missing argument"),
        (("like", "nobody@example.org", "2411.02131"), "no subscriber"),
        (("like", EMAIL, "2604.99999"), "export.arxiv.org"),
        (("like", EMAIL, "2411.02131", "--topic", "other"), "Topics: links"),
        (("like", EMAIL, "2411.02131", "--remove"), "no like"),
        (("set", EMAIL, "--topic", "stars="), "neither a query nor examples"),
        (("set", EMAIL, "--quota", "stars=1"), "Topics: links"),
    ],
)
def test_mistakes_are_said_in_words(reader: Person, arguments: tuple[str, ...], says: str) -> None:
    result = reader.types("subscriber", *arguments)
    assert result.code in (2, 4)
    assert says in result.err
    assert "Traceback" not in result.err


def test_likes_stay_with_an_only_topic_that_is_renamed_and_others_are_told_of(reader: Person) -> None:
    assert reader.types("subscriber", "like", EMAIL, "2411.02131", "--topic", "links").code == 0
    renamed = reader.types("subscriber", "set", EMAIL, "--topic", "trace", "--json")
    assert renamed.err == ""
    assert [one["topic"] for one in renamed.json["judgements"]["newest"]] == ["trace"]
    wrong = reader.types("subscriber", "set", EMAIL, "--like", "gui=2411.02131")
    assert wrong.code == 2
    assert "there is no topic 'gui'" in wrong.err
    why = reader.types("why", "TRACED", EMAIL)
    assert why.code == 0, why.err
    assert why.out.startswith("arxiv:2306.07487  TRACED")
    apart = reader.types("subscriber", "set", EMAIL, "--topic", "vision", "--topic", "speech")
    assert "topic 'trace' teaches nothing now" in apart.err
