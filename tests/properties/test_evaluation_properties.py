"""Measures and run files against trec_eval itself (pytrec_eval), on drawn runs."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pytest
import pytrec_eval
from hypothesis import given
from hypothesis import strategies as st

from paperdigest.evaluation import Document, Query, Setup, compare, measure_run, read_run, write_run
from paperdigest.evaluation.collections import Collection
from paperdigest.evaluation.metrics import average_precision, descending_places, ndcg, order, recall

IDS = st.text(st.sampled_from("abzAé0-:"), min_size=1, max_size=3)
# Many equal scores, and some that only double precision tells apart.
SCORES = st.one_of(
    st.sampled_from([0.0, 1.0, 1.00000001, -2.5]), st.floats(-1e30, 1e30, allow_subnormal=False), st.just(float("inf"))
)
RUNS = st.dictionaries(IDS, SCORES, max_size=30)
# trec_eval itself means something else by grades below -1 (and crashes on them).
QRELS = st.dictionaries(IDS, st.integers(-1, 4), min_size=1, max_size=15)


def trec_eval(qrels: dict[str, int], run: dict[str, float], least: int) -> dict[str, float]:
    measures = {"ndcg_cut.2,10", "map", "recall.2,10,100"}
    oracle = pytrec_eval.RelevanceEvaluator({"q": qrels}, measures, relevance_level=least)
    found: dict[str, float] = oracle.evaluate({"q": run})["q"]
    return found


@given(QRELS, RUNS, st.integers(1, 3))
def test_every_measure_is_that_of_trec_eval(qrels: dict[str, int], run: dict[str, float], least: int) -> None:
    ids, judged = list(run), list(qrels.values())
    ranked = [qrels.get(ids[index], 0) for index in order(list(run.values()), descending_places(ids))]
    ours = {f"ndcg_cut_{k}": ndcg(ranked, judged, k) for k in (2, 10)}
    ours |= {f"recall_{k}": recall(ranked, judged, k, least) for k in (2, 10, 100)}
    ours["map"] = average_precision(ranked, judged, least)
    assert ours == pytest.approx(trec_eval(qrels, run, least), abs=1e-9)


@given(QRELS.filter(lambda grades: max(grades.values()) > 0), RUNS)
def test_a_run_is_measured_as_by_trec_eval(qrels: dict[str, int], run: dict[str, float]) -> None:
    documents = tuple(Document(id=name, title=name) for name in sorted({*qrels, *run}))
    made = Collection(name="made", documents=documents, queries=(Query(id="q", text="?"),), judgements={"q": qrels})
    means = measure_run(made, {"q": run}, Setup()).means
    theirs = trec_eval(qrels, run, 1)
    assert means == pytest.approx(
        {"ndcg_10": theirs["ndcg_cut_10"], "map": theirs["map"], "recall_100": theirs["recall_100"]}, abs=1e-9
    )


@given(st.dictionaries(IDS, st.floats(allow_nan=False), min_size=1, max_size=20))
def test_a_run_that_is_written_and_read_has_the_same_order(run: dict[str, float]) -> None:
    ids, places = list(run), descending_places(list(run))
    before = order(list(run.values()), places)
    file = io.StringIO()
    write_run(file, "tag", "q", [(ids[index], run[ids[index]]) for index in before])
    read = {cells[2]: float(cells[4]) for line in file.getvalue().splitlines() if (cells := line.split())}
    assert order([read[name] for name in ids], places).tolist() == before.tolist()
    with np.errstate(over="ignore"):
        assert {name: np.float32(score) for name, score in read.items()} == {
            name: np.float32(score) for name, score in run.items()
        }


def test_pytrec_eval_reads_what_is_written(tmp_path: Path) -> None:
    path = tmp_path / "a.run"
    with path.open("w", encoding="utf-8") as file:
        write_run(file, "tag", "q", [("b", 1.5), ("a", 0.25)])
    with path.open(encoding="utf-8") as file:
        assert pytrec_eval.parse_run(file) == read_run(path) == {"q": {"b": 1.5, "a": 0.25}}


VALUES = st.dictionaries(st.text("abcdefgh", min_size=1, max_size=3), st.floats(0, 1), min_size=1, max_size=14)


@given(VALUES)
def test_a_comparison_turns_round_with_its_sides(ours: dict[str, float]) -> None:
    theirs = dict(zip(ours, reversed(list(ours.values())), strict=True))
    there, back = compare(ours, theirs), compare(theirs, ours)
    assert there.difference == pytest.approx(-back.difference, abs=1e-12)
    assert (there.wins, there.losses, there.ties) == (back.losses, back.wins, back.ties)
    assert there.wins + there.losses + there.ties == there.queries == len(ours)
    assert there.p_random == pytest.approx(back.p_random) and 0 < there.p_random <= 1
    assert compare(dict(reversed(ours.items())), theirs) == there
