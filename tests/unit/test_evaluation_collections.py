"""Collections are read as they are, and broken files are named with their line."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from paperdigest.errors import UsageError
from paperdigest.evaluation import Document, Query, find_collections, read_collection, read_run
from tests.evaluation_samples import TINY


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    return Path(shutil.copytree(TINY, tmp_path / "tiny"))


def test_a_collection_is_read() -> None:
    found = read_collection(TINY)
    assert found.name == "tiny"
    assert found.documents[3] == Document(id="d4", title="A parser for mail", text="")
    assert found.queries[0] == Query(id="q1", text="trace")
    assert found.judgements == {"q1": {"d1": 1, "d3": 1, "d5": 0}, "q2": {"d4": 2, "d6": 1, "d2": -1}}
    assert found.notes == ()


def test_metadata_say_what_a_question_is(copy: Path) -> None:
    (copy / "queries.jsonl").write_text(
        '{"_id": 1, "text": "a ; b", "metadata": {"keywords": ["a", "b", "a"], "n": 3}}\n\n'
        '{"_id": "2", "metadata": {"liked": ["d1"]}}\n'
        '{"_id": "3", "text": null, "metadata": {"candidates_prefix": "d"}}\n',
        encoding="utf-8",
    )
    (copy / "qrels.tsv").write_text("1\td1\t1\n", encoding="utf-8")
    assert read_collection(copy).queries == (
        Query(id="1", text="a ; b", keywords=("a", "b")),
        Query(id="2", text="", liked=("d1",)),
        Query(id="3", text="", candidates_prefix="d"),
    )


def test_a_byte_order_mark_and_foreign_line_ends_do_no_harm(copy: Path) -> None:
    for name in ("corpus.jsonl", "queries.jsonl", "qrels.tsv"):
        text = (copy / name).read_text(encoding="utf-8")
        (copy / name).write_bytes(b"\xef\xbb\xbf" + text.replace("\n", "\r\n").encode())
    assert read_collection(copy).judgements == read_collection(TINY).judgements


def test_judgements_may_lie_where_beir_puts_them(copy: Path) -> None:
    (copy / "qrels").mkdir()
    (copy / "qrels.tsv").rename(copy / "qrels" / "test.tsv")
    assert read_collection(copy).judgements == read_collection(TINY).judgements


def test_judgements_of_what_is_not_there_are_told(copy: Path) -> None:
    (copy / "qrels.tsv").write_text("q1\td1\t1\nq1\tx\t1\nq7\td1\t1\nq8\td1\t1\n", encoding="utf-8")
    found = read_collection(copy)
    assert found.judgements == {"q1": {"d1": 1, "x": 1}}
    assert found.notes[0].startswith("2 judgements are of questions")
    assert found.notes[1].startswith("1 judgements are of papers")


def test_a_folder_stands_for_the_collections_in_it(tmp_path: Path) -> None:
    for name in ("b", "a"):
        shutil.copytree(TINY, tmp_path / name)
    (tmp_path / "notes").mkdir()
    assert [path.name for path in find_collections([tmp_path])] == ["a", "b"]
    assert find_collections([tmp_path / "a", tmp_path]) == (tmp_path / "a", tmp_path / "b")


def test_two_collections_of_one_name_are_refused(tmp_path: Path) -> None:
    for name in ("one", "two"):
        shutil.copytree(TINY, tmp_path / name / "tiny")
    with pytest.raises(UsageError, match="have the same name"):
        find_collections([tmp_path / "one", tmp_path / "two"])


@pytest.mark.parametrize("name", ["missing", "empty"])
def test_a_folder_without_a_collection_is_refused(tmp_path: Path, name: str) -> None:
    (tmp_path / "empty").mkdir()
    with pytest.raises(UsageError, match=r"cannot be read|is no collection and holds none") as caught:
        find_collections([tmp_path / name])
    assert "corpus.jsonl, queries.jsonl and qrels.tsv" in str(caught.value)


@pytest.mark.parametrize(
    ("name", "content", "says"),
    [
        ("corpus.jsonl", '{"_id": "a"}\n{"_id": "b"\n', "corpus.jsonl, line 2: no JSON"),
        ("corpus.jsonl", "[" * 100_000, "corpus.jsonl, line 1: no JSON"),
        ("corpus.jsonl", "[1]\n", "line 1: JSON, but no object"),
        ("corpus.jsonl", '\n\n{"title": "x"}\n', "line 3: _id is missing"),
        ("corpus.jsonl", '{"_id": "a b"}\n', "line 1: _id is missing, empty or has white space"),
        ("corpus.jsonl", '{"_id": ["a"]}\n', "line 1: _id is missing"),
        ("corpus.jsonl", '{"_id": "a"}\n{"_id": "a"}\n', "line 2: the _id 'a' occurs twice"),
        ("corpus.jsonl", '{"_id": "a", "title": 3}\n', "line 1: title is no text"),
        ("corpus.jsonl", "\n", "corpus.jsonl is empty"),
        ("queries.jsonl", '{"_id": "a", "metadata": "x"}\n', "line 1: metadata is no object"),
        ("queries.jsonl", '{"_id": "a", "metadata": {"keywords": [1]}}\n', "line 1: keywords is no list of texts"),
        ("queries.jsonl", '{"_id": "a", "metadata": {"candidates_prefix": 1}}\n', "candidates_prefix is no text"),
        ("qrels.tsv", "q\td\tscore\nq1 d1 1\n", "qrels.tsv, line 2: not a question, a paper and a grade"),
        ("qrels.tsv", "q1\td1\t1\nq1\td1\tone\n", "qrels.tsv, line 2: not a question"),
        ("qrels.tsv", "q1\td1\t1\nq1\td1\t2\n", "line 2: 'd1' has two grades for 'q1'"),
        ("qrels.tsv", "q1\td1\t999999\n", "line 1: a grade beyond 1000"),
        ("qrels.tsv", "q1\td1\t0\n", "calls no paper relevant"),
        ("qrels.tsv", "", "calls no paper relevant"),
    ],
)
def test_a_broken_file_is_named_with_its_line_and_a_next_step(copy: Path, name: str, content: str, says: str) -> None:
    (copy / name).write_text(content, encoding="utf-8")
    with pytest.raises(UsageError) as caught:
        read_collection(copy)
    assert says in str(caught.value)
    assert caught.value.hint


def test_a_file_that_is_missing_or_of_another_encoding_is_named(copy: Path) -> None:
    (copy / "qrels.tsv").unlink()
    with pytest.raises(UsageError, match=r"qrels\.tsv cannot be read: No such file"):
        read_collection(copy)
    (copy / "corpus.jsonl").write_bytes('{"_id": "a", "title": "é"}'.encode("latin-1"))
    with pytest.raises(UsageError, match=r"corpus\.jsonl is not UTF-8"):
        read_collection(copy)


def test_a_line_beyond_all_measure_is_refused(copy: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("paperdigest.evaluation.collections.MAX_LINE_CHARS", 50)
    with pytest.raises(UsageError, match="line 1: longer than 50 characters"):
        read_collection(copy)


@pytest.mark.parametrize(
    ("content", "says"),
    [
        ("q Q0 d 1 0.5\n", "line 1: 5 columns, not 6"),
        ("q Q0 d 1 0.5 tag\nq Q0 e 2 high tag\n", "line 2: the score 'high' is no number"),
        ("q Q0 d 1 nan tag\n", "line 1: the score 'nan' is no number"),
        ("q Q0 d 1 2 tag\nq Q0 d 2 1 tag\n", "line 2: 'd' occurs twice for 'q'"),
        ("", "is empty"),
    ],
)
def test_a_broken_run_is_named_with_its_line(tmp_path: Path, content: str, says: str) -> None:
    path = tmp_path / "a.run"
    path.write_text(content, encoding="utf-8")
    with pytest.raises(UsageError, match=says):
        read_run(path)
