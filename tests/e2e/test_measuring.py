"""A person measures the ranking, at the prompt."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from tests.e2e.conftest import Person
from tests.e2e.test_command_line import filled
from tests.evaluation_samples import TINY

EMAIL = "you@example.org"


def lines(path: Path, records: list[dict[str, object]]) -> None:
    path.write_text("".join(json.dumps(record) + "\n" for record in records), encoding="utf-8")


@pytest.fixture
def several(person: Person) -> Person:
    """A person with three collections: keywords, a subscriber, and a review."""
    folder = person.home / "collections"
    shutil.copytree(TINY, folder / "tiny")
    papers: list[dict[str, object]] = [
        {"_id": f"r:{number}", "title": f"Trace links {number}" if number % 3 == 0 else f"Sleep of bees {number}"}
        for number in range(45)
    ]
    questions: dict[str, dict[str, object]] = {
        "reader": {"keywords": ["trace links", "requirements"]},
        "review": {"candidates_prefix": "r:"},
    }
    for name, metadata in questions.items():
        (folder / name).mkdir()
        lines(folder / name / "corpus.jsonl", papers)
        lines(folder / name / "queries.jsonl", [{"_id": "q", "text": "trace links", "metadata": metadata}])
        grades = "".join(f"q\tr:{number}\t{int(number % 3 == 0)}\n" for number in range(45))
        (folder / name / "qrels.tsv").write_text(grades, encoding="utf-8")
    return person


def test_a_collection_is_measured(person: Person) -> None:
    result = person.types("eval", "ranking", str(TINY), "--json")
    assert result.code == 0, result.err
    found = result.json["collections"]["tiny"]
    assert set(found) >= {"queries", "ndcg_10", "map", "recall_100"}
    assert found["queries"] == 2
    assert 0.5 < found["ndcg_10"] <= 1
    assert result.json["model"] is None
    assert "ranking by words alone (no vector model is installed" in result.err


def test_a_folder_of_collections_is_measured_each_by_its_protocol(several: Person) -> None:
    found = several.types("eval", "ranking", "collections", "--likes", "3", "--dislikes", "2", "--json")
    assert found.code == 0, found.err
    collections = found.json["collections"]
    assert {name: one["protocol"] for name, one in collections.items()} == {
        "reader": "subscribers",
        "review": "likes",
        "tiny": "keywords",
    }
    assert (collections["review"]["likes"], collections["review"]["dislikes"]) == (3, 2)
    assert collections["review"]["ndcg_10"] == collections["reader"]["ndcg_10"] == 1
    shown = several.types("eval", "ranking", "collections", "--likes", "3").out
    assert "3 likes" in shown
    assert "subscribers" in shown
    assert "nDCG@10" in shown


def test_likes_alone_can_be_asked_of_a_plain_collection(several: Person) -> None:
    plain = several.home / "collections" / "review" / "queries.jsonl"
    lines(plain, [{"_id": "q", "text": "trace links"}])
    keywords = several.types("eval", "ranking", "collections/review", "--json").json["collections"]["review"]
    likes = several.types("eval", "ranking", "collections/review", "--likes", "2", "--json").json["collections"]
    assert (keywords["protocol"], likes["review"]["protocol"]) == ("keywords", "likes")


def test_a_run_is_written_and_compared_with(several: Person) -> None:
    written = several.types("eval", "ranking", "collections", "--run-out", "runs")
    assert written.code == 0, written.err
    assert sorted(path.name for path in (several.home / "runs").iterdir()) == ["reader.run", "review.run", "tiny.run"]
    first = (several.home / "runs" / "tiny.run").read_text(encoding="utf-8").splitlines()[0].split()
    assert (first[0], first[1], first[3], first[5]) == ("q1", "Q0", "1", "paperdigest-lexical")
    compared = several.types("eval", "ranking", "collections", "--compare", "runs", "--json").json["collections"]
    for one in compared.values():
        assert one["compared"]["ndcg_10"]["difference"] == 0
        assert one["compared"]["ndcg_10"]["p_random"] == 1


def test_a_run_of_another_program_is_compared_with(person: Person) -> None:
    (person.home / "other.run").write_text("q1 Q0 d5 1 9.5 other\nq2 Q0 d4 1 1 other\n", encoding="utf-8")
    result = person.types("eval", "ranking", str(TINY), "--compare", "other.run", "--run-out", "ours.run")
    assert result.code == 0, result.err
    assert "p (random)" in result.out
    assert (person.home / "ours.run").read_text(encoding="utf-8").startswith("q1 Q0 ")
    told = person.types("eval", "ranking", str(TINY), "--compare", "other.run", "--json").json
    ndcg = told["collections"]["tiny"]["compared"]["ndcg_10"]
    assert ndcg["wins"] >= 1
    assert ndcg["difference"] > 0


def test_keywords_are_measured_as_alerts(person: Person) -> None:
    found = person.types("eval", "ranking", str(TINY), "--alert", "--json").json["collections"]["tiny"]["alert"]
    assert set(found) == {"100", "200", "500"}
    assert found["100"]["recall_10"] > 0
    assert "papers a day" in person.types("eval", "ranking", str(TINY), "--alert").out


def test_with_a_model_vectors_are_kept_between_runs(person: Person, model: Path) -> None:
    person.settings(f'[semantic]\nfolder = "{model}"\n')
    first = person.types("eval", "ranking", str(TINY), "--cache", "deep/vectors.db", "--against", "lexical", "--json")
    assert first.code == 0, first.err
    assert "tiny: making the vectors of 6 papers" in first.err
    assert first.json["model"] == "all-MiniLM-L6-v2/int8/256"
    assert first.json["collections"]["tiny"]["compared"]["map"]["queries"] == 2
    again = person.types("eval", "ranking", str(TINY), "--cache", "deep/vectors.db", "--json")
    assert "making the vectors" not in again.err
    fields = ("ndcg_10", "map", "recall_100")
    assert [again.json["collections"]["tiny"][key] for key in fields] == [
        first.json["collections"]["tiny"][key] for key in fields
    ]
    words = person.types("eval", "ranking", str(TINY), "--lexical", "--json")
    assert "ranking by words alone, as asked" in words.err
    assert words.json["model"] is None


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("ranking",), "Missing argument"),
        (("ranking", "nowhere"), "nowhere cannot be read"),
        (("ranking", "."), "is no collection and holds none"),
        (("ranking", str(TINY), "--compare", "no.run"), "no.run cannot be read"),
        (("ranking", str(TINY), "--compare", "no.run", "--against", "lexical"), "two comparisons"),
        (("ranking", str(TINY), "--run-out", "config.toml/x/a.run"), "cannot be written"),
        (("ranking", str(TINY), "--likes", "50"), "no question can be measured"),
        (("ranking", str(TINY), "--likes", "0"), "--likes"),
    ],
)
def test_a_mistake_is_said_in_words(person: Person, arguments: tuple[str, ...], says: str) -> None:
    (person.home / "config.toml").write_text("", encoding="utf-8")
    result = person.types("eval", *arguments)
    assert result.code == 2
    assert says in result.err
    assert "Traceback" not in result.err


def test_own_likes_are_held_back_and_ranked(person: Person) -> None:
    filled(person)
    person.types("subscriber", "add", EMAIL, "--topic", "links=trace", "--topic", "bees=bees", "--confirmed")
    none = person.types("eval", "mine", EMAIL)
    assert none.code == 0, none.err
    assert "links: no likes yet" in none.out
    person.types("subscriber", "like", EMAIL, "2411.02131", "--topic", "links")
    one = person.types("eval", "mine", EMAIL, "--json").json
    assert one["topics"][0]["note"] == "one like: there is no other to learn from"
    assert one["topics"][0]["keywords"]["percentile"] > 0
    assert one["topics"][0]["learned"] is None
    person.types("subscriber", "like", EMAIL, "TRACED", "--topic", "links")
    person.types("subscriber", "dislike", EMAIL, "2406.16218", "--topic", "links")
    found = person.types("eval", "mine", EMAIL, "--json").json
    links, bees = found["topics"]
    assert (links["topic"], links["query"], links["likes"], links["dislikes"]) == ("links", "trace", 2, 1)
    assert (links["tried"], links["note"]) == (2, "only 2 likes: the figures may be chance")
    assert set(links["keywords"]) == set(links["learned"]) == {"percentile", "mrr", "recall_10"}
    assert links["compared"]["queries"] == 2
    assert (bees["likes"], bees["keywords"], bees["note"]) == (0, None, "no likes yet")
    assert found["papers"] == one["papers"] - 2
    text = person.types("eval", "mine", EMAIL).out
    assert "with the other likes" in text
    assert "links: learning moved" in text


def test_own_likes_of_nobody_are_refused(person: Person) -> None:
    filled(person)
    result = person.types("eval", "mine", "nobody@example.org")
    assert result.code == 4
    assert "no subscriber" in result.err
