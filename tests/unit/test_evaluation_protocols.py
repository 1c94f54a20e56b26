"""What is asked of a system, and what its answers come to, worked out by hand."""

from __future__ import annotations

import io
from dataclasses import replace
from math import log2

import numpy as np
import pytest

from paperdigest.errors import UsageError
from paperdigest.evaluation import (
    Collection,
    Kind,
    Measured,
    Query,
    Setup,
    kind_of,
    measure,
    measure_run,
    read_collection,
)
from paperdigest.evaluation.measuring import measure_alert
from paperdigest.evaluation.tasks import questions
from tests.evaluation_samples import TINY, Counting, collection

# Of "trace" the paper d2 has three, d1 two and d3 one; d4 and d2 have one "parser" each, and d4 is the greater id.
NDCG = {"q1": (1 / log2(3) + 1 / 2) / (1 + 1 / log2(3)), "q2": 2 / (2 + 1 / log2(3))}


def test_keywords_are_measured_over_all_papers() -> None:
    found = measure(read_collection(TINY), Counting(), Setup())
    assert found.kind is Kind.KEYWORDS
    assert found.by_query["ndcg_10"] == pytest.approx(NDCG)
    assert found.by_query["map"] == pytest.approx({"q1": (1 / 2 + 2 / 3) / 2, "q2": 1 / 2})
    assert found.by_query["recall_100"] == pytest.approx({"q1": 1, "q2": 1 / 2})
    assert found.means == pytest.approx({"ndcg_10": sum(NDCG.values()) / 2, "map": 13 / 24, "recall_100": 3 / 4})
    assert (found.queries, found.tasks) == (2, {"q1": 1, "q2": 1})


def test_a_run_has_the_papers_in_their_order_and_measures_the_same() -> None:
    file, tiny = io.StringIO(), read_collection(TINY)
    measured = measure(tiny, Counting(), Setup(), file)
    assert file.getvalue().splitlines() == [
        "q1 Q0 d2 1 3 counting",
        "q1 Q0 d1 2 2 counting",
        "q1 Q0 d3 3 1 counting",
        "q2 Q0 d4 1 1 counting",
        "q2 Q0 d2 2 1 counting",
    ]
    run: dict[str, dict[str, float]] = {}
    for query, _, paper, _, score, _ in map(str.split, file.getvalue().splitlines()):
        run.setdefault(query, {})[paper] = float(score)
    assert measure_run(tiny, run, Setup()) == measured


def test_a_question_that_a_run_leaves_out_counts_zero() -> None:
    found = measure_run(read_collection(TINY), {"q2": {"d4": 1.0, "unknown": 2.0}}, Setup())
    assert found.by_query["ndcg_10"] == pytest.approx({"q1": 0, "q2": (2 / log2(3)) / (2 + 1 / log2(3))})


def test_a_run_of_other_questions_is_refused() -> None:
    with pytest.raises(UsageError, match="knows none of the 2 rankings of tiny, like 'q1'"):
        measure_run(read_collection(TINY), {"other": {"d1": 1.0}}, Setup())


def test_relevant_papers_that_the_collection_lacks_count_as_not_found() -> None:
    made = collection({"a": "trace", "b": "other"}, [Query(id="q", text="trace")], {"q": {"a": 1, "gone": 1}})
    assert measure(made, Counting(), Setup()).means["recall_100"] == pytest.approx(1 / 2)


def test_the_kind_follows_from_the_questions() -> None:
    def kind(*queries: Query, setup: Setup | None = None) -> Kind:
        return kind_of(collection({"a": ""}, queries, {}), setup or Setup())

    assert kind(Query(id="1", text="x")) is Kind.KEYWORDS
    assert kind(Query(id="1", text="x", keywords=("x",))) is Kind.SUBSCRIBERS
    assert kind(Query(id="1", text="x", liked=("a",))) is Kind.ONE_LIKE
    assert kind(Query(id="1", text="x", candidates_prefix="")) is Kind.LIKES
    assert kind(Query(id="1", text="x", keywords=("x",)), Query(id="2", text="x")) is Kind.KEYWORDS
    assert kind(Query(id="1", text="x"), setup=Setup(by_likes=True)) is Kind.LIKES


def subscribers() -> Collection:
    texts = {f"p{number}": "trace" if number % 3 == 0 else "heap" for number in range(7)}
    query = Query(id="s", text="trace ; graph", keywords=("trace", "graph"))
    return collection(texts, [query], {"s": {"p0": 2, "p3": 1, "p1": 1}})


def test_subscribers_get_the_shuffled_papers_in_days() -> None:
    (asked,) = questions(subscribers(), Setup(day=3))
    assert asked.topic == ("trace", "graph")
    # RandomState(1) shuffles seven papers to 6 2 1 0 4 3 5; on the last day there is nothing to find.
    assert [(task.id, task.columns.tolist(), task.grades.tolist()) for task in asked.tasks] == [
        ("s/0", [6, 2, 1], [0, 0, 1]),
        ("s/1", [0, 4, 3], [2, 0, 1]),
    ]


def test_days_without_anything_to_find_are_left_out() -> None:
    made = subscribers()
    (asked,) = questions(replace(made, judgements={"s": {"p0": 2, "p6": 0}}), Setup(day=3))
    assert [task.id for task in asked.tasks] == ["s/1"]


def test_subscribers_are_measured_by_day() -> None:
    system = Counting()
    found = measure(subscribers(), system, Setup(day=7))
    # p6, p3 and p0 all hold "trace" once: the greater id comes first; p1 does not hold it.
    gained = 1 / log2(3) + 2 / log2(4)
    assert found.means["ndcg_10"] == pytest.approx(gained / (2 + 1 / log2(3) + 1 / 2))
    assert found.means["recall_10"] == pytest.approx(2 / 3)
    assert set(found.means) == {"ndcg_10", "map", "recall_100", "recall_10", "recall_20"}
    assert system.prepared == [7]


def test_a_collection_of_subscribers_is_the_mean_over_days_and_others_over_questions() -> None:
    by_query, tasks = {"ndcg_10": {"a": 0.2, "b": 0.8}}, {"a": 3, "b": 1}
    assert Measured(kind=Kind.SUBSCRIBERS, by_query=by_query, tasks=tasks).means["ndcg_10"] == pytest.approx(0.35)
    assert Measured(kind=Kind.LIKES, by_query=by_query, tasks=tasks).means["ndcg_10"] == pytest.approx(0.5)


def test_a_day_with_more_than_can_be_shown_is_measured_by_what_could_be() -> None:
    texts = {f"p{number:02}": "trace" if number < 25 else "bees" for number in range(40)}
    query = Query(id="s", text="trace", keywords=("trace",))
    found = measure(collection(texts, [query], {"s": dict.fromkeys(list(texts)[:25], 1)}), Counting(), Setup())
    assert (found.means["recall_10"], found.means["recall_20"]) == (1, 1)


def reviews(relevant: int = 12, others: int = 28) -> Collection:
    texts = {f"r:{number}": f"trace links {number}" for number in range(relevant)}
    texts |= {f"r:{relevant + number}": f"bees sleep {relevant + number}" for number in range(others)}
    texts |= {"x:1": "of another review"}
    grades = {name: int("trace" in text) for name, text in texts.items() if name.startswith("r:")}
    return collection(texts, [Query(id="r", text="?", candidates_prefix="r:")], {"r": grades})


def test_likes_are_drawn_from_the_past_and_the_future_is_ranked() -> None:
    system, setup = Counting(), Setup(likes=3, dislikes=2)
    found = measure(reviews(), system, setup)
    assert found.kind is Kind.LIKES
    assert found.means["ndcg_10"] == 1  # whoever likes a "trace" finds the others
    assert system.prepared == [40]
    assert len(system.asked) == found.tasks["r"] > 1
    for examples in system.asked:
        parts = [examples.liked, examples.disliked, examples.archive, examples.candidates]
        assert [len(part) for part in parts] == [3, 2, 15, 20]
        assert sorted(np.concatenate(parts).tolist()) == list(range(40))
        assert (examples.liked < 12).all() and (examples.disliked >= 12).all()
    assert len({tuple(examples.candidates.tolist()) for examples in system.asked}) == found.tasks["r"]


def test_the_same_draws_are_made_again() -> None:
    first, second = Counting(), Counting()
    measure(reviews(), first, Setup(likes=3))
    measure(reviews(), second, Setup(likes=3))
    assert [each.liked.tolist() for each in first.asked] == [each.liked.tolist() for each in second.asked]


def test_a_review_without_enough_likes_is_refused_with_a_hint() -> None:
    with pytest.raises(UsageError, match="no question can be measured") as caught:
        measure(reviews(relevant=4), Counting(), Setup(likes=5))
    assert "fewer --likes" in str(caught.value)


def test_a_draw_with_fewer_than_three_papers_to_find_is_left_out() -> None:
    tasks = [task for asked in questions(reviews(relevant=6), Setup(likes=1)) for task in asked.tasks]
    assert all(np.count_nonzero(task.grades > 0) >= 3 for task in tasks)
    assert 0 < len(tasks) < len(Setup().seeds)


def test_beside_one_like_the_judged_papers_are_ranked_and_the_others_are_archive() -> None:
    texts = {"l": "trace links", "a": "trace links", "b": "links", "c": "bees", "x": "other", "y": "other"}
    queries = [Query(id="q", text="?", liked=("l",)), Query(id="lost", text="?", liked=("gone",))]
    made = collection(texts, queries, {"q": {"a": 2, "b": 1, "c": 0, "l": 3}, "lost": {"a": 1}})
    system = Counting()
    found = measure(made, system, Setup())
    (examples,) = system.asked
    assert (examples.liked.tolist(), examples.candidates.tolist()) == ([0], [1, 2, 3])
    assert examples.archive.tolist() == [4, 5]
    assert (found.means["ndcg_10"], found.least) == (1, 2)
    assert found.means["map"] == 1  # of grade 2 there is one, at the first place


def test_keywords_as_alerts_are_measured_on_days_of_each_size() -> None:
    texts = {f"p{number:03}": "trace" if number < 30 else "bees" for number in range(250)}
    made = collection(texts, [Query(id="q", text="trace")], {"q": {f"p{number:03}": 1 for number in range(15, 30)}})
    found = measure_alert(made, Counting())
    assert list(found) == [100, 200, 500]
    # All papers in one day: thirty hold "trace", and the greater ids, the relevant ones, come first.
    assert found[500] == pytest.approx({"ndcg_10": 1, "recall_10": 10 / 15, "recall_20": 1, "all_in_10": 0})
    assert found[100]["recall_20"] == 1


def test_a_system_that_answers_with_no_number_is_found_out() -> None:
    class Broken(Counting):
        def prepare(self, documents: object) -> object:  # type: ignore[override]  # a broken system on purpose
            class Prepared:
                def topics(self, topics: object) -> object:
                    yield np.array([np.nan] * 6)

            return Prepared()

    with pytest.raises(ValueError, match="not a number"):
        measure(read_collection(TINY), Broken(), Setup())  # type: ignore[arg-type]  # a broken system on purpose
