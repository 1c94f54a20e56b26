"""The top-k kernel against a slow reference that adds and sorts one topic at a time."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from paperdigest.ranking.matching import best_columns
from paperdigest.ranking.topic_rows import Best, Context, TopicRows

if TYPE_CHECKING:
    from numpy.typing import NDArray


@dataclass(frozen=True, kw_only=True)
class Case:
    """A batch; scores are small multiples of a quarter, so that sums are exact and ties frequent."""

    rows: TopicRows
    scores: NDArray[np.float32]
    k: int
    context: Context | None
    gates: NDArray[np.bool_] | None
    excluded: tuple[NDArray[np.intp], NDArray[np.intp]] | None

    def best(self, block_bytes: int = 1) -> Best:
        return best_columns(
            self.rows,
            self.scores,
            self.k,
            context=self.context,
            gates=self.gates,
            excluded=self.excluded,
            block_bytes=block_bytes,
        )


@st.composite
def cases(draw: st.DrawFn) -> Case:
    random = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    clauses, slots = draw(st.integers(1, 6)), draw(st.integers(0, 4))
    topics = draw(st.integers(0, 9))
    papers = draw(st.sampled_from([0, 1, 2, 7, 30, 63, 64, 65, 127, 128, 129, 200, 500]))
    levels = draw(st.sampled_from([1, 2, 40, 4000]))
    scores = random.integers(-levels // 3, levels, (clauses, papers)).astype(np.float32) / np.float32(4)
    scores[random.random(scores.shape) < draw(st.sampled_from([0, 0.1, 0.99]))] = -np.inf
    wanted = random.integers(0, clauses, (topics, slots))
    wanted[random.random(wanted.shape) < 0.3] = -1
    gates = random.random((3, papers)) < 0.5 if draw(st.booleans()) else None
    rows = TopicRows(
        clauses=wanted,
        weights=random.choice([0.5, 1, 2], wanted.shape).astype(np.float32) if draw(st.booleans()) else None,
        gates=random.integers(-1, 3, topics) if gates is not None else None,
    )
    return Case(
        rows=rows,
        scores=scores,
        k=draw(st.sampled_from([0, 1, 3, 10, 70])),
        context=draw(contexts(random, topics, papers)),
        gates=gates,
        excluded=draw(pairs(random, topics, papers)),
    )


@st.composite
def contexts(draw: st.DrawFn, random: np.random.Generator, topics: int, papers: int) -> Context | None:
    if draw(st.booleans()):
        return None
    texts = draw(st.integers(0, 3))
    return Context(
        texts=random.integers(-1, texts, topics),
        near=random.integers(-8, 8, (texts, papers)).astype(np.float32) / np.float32(8),
    )


@st.composite
def pairs(
    draw: st.DrawFn, random: np.random.Generator, topics: int, papers: int
) -> tuple[NDArray[np.intp], NDArray[np.intp]] | None:
    share = draw(st.sampled_from([None, 0, 0.2, 1]))
    if share is None:
        return None
    rows, columns = np.nonzero(random.random((topics, papers)) < share)
    shuffled = random.permutation(len(rows))
    return rows[shuffled], columns[shuffled]


def reference(case: Case) -> list[list[tuple[int, float]]]:
    """Return each topic's (column, raw) pairs by the definition, one paper at a time."""
    out = set(zip(*(side.tolist() for side in case.excluded), strict=True)) if case.excluded else set()
    found = []
    for topic, slots in enumerate(case.rows.clauses.tolist()):
        scored = []
        for column in range(case.scores.shape[1]):
            raw = raw_score(case, topic, slots, column)
            if np.isfinite(raw) and (topic, column) not in out and admitted(case, topic, column):
                scored.append((column, raw))
        found.append(sorted(scored, key=lambda pair: (-pair[1], pair[0]))[: case.k])
    return found


def raw_score(case: Case, topic: int, slots: list[int], column: int) -> float:
    weights = case.rows.weights[topic].tolist() if case.rows.weights is not None else [1.0] * len(slots)
    scored = sorted(
        (
            float(case.scores[clause, column]) * weight
            for clause, weight in zip(slots, weights, strict=True)
            if clause >= 0
        ),
        reverse=True,
    )
    raw = scored[0] + 0.5 * sum(max(other, 0) for other in scored[1:]) if scored else -np.inf
    if case.context is not None and (text := int(case.context.texts[topic])) >= 0:
        raw += float(case.context.near[text, column])
    return raw


def admitted(case: Case, topic: int, column: int) -> bool:
    if case.gates is None or case.rows.gates is None or case.rows.gates[topic] < 0:
        return True
    return bool(case.gates[case.rows.gates[topic], column])


def as_pairs(best: Best) -> list[list[tuple[int, float]]]:
    return [
        [(column, raw) for column, raw in zip(columns, raws, strict=True) if column >= 0]
        for columns, raws in zip(best.columns.tolist(), best.raw.tolist(), strict=True)
    ]


@given(cases())
def test_the_best_columns_are_those_of_the_definition(case: Case) -> None:
    assert as_pairs(case.best()) == reference(case)


@given(cases(), st.sampled_from([100, 4000, 50_000, 2**21]))
def test_the_size_of_the_blocks_changes_nothing(case: Case, block_bytes: int) -> None:
    alone, together = case.best(), case.best(block_bytes)
    np.testing.assert_array_equal(alone.columns, together.columns)
    np.testing.assert_array_equal(alone.raw, together.raw)


@given(cases())
def test_places_that_nobody_fills_come_last_and_are_marked(case: Case) -> None:
    best = case.best(2**16)
    assert best.columns.shape == best.raw.shape == (len(case.rows.clauses), case.k)
    np.testing.assert_array_equal(best.columns == -1, best.raw == -np.inf)
    empty = best.columns == -1
    assert not (empty[:, :-1] & ~empty[:, 1:]).any()
    assert not np.isnan(best.raw).any()


@given(cases(), st.integers(0, 2**32 - 1))
def test_topics_keep_their_places_whatever_order_they_come_in(case: Case, seed: int) -> None:
    order = np.random.default_rng(seed).permutation(len(case.rows.clauses))
    rows = TopicRows(
        clauses=case.rows.clauses[order],
        weights=None if case.rows.weights is None else case.rows.weights[order],
        gates=None if case.rows.gates is None else case.rows.gates[order],
    )
    context = case.context and replace(case.context, texts=case.context.texts[order])
    excluded = case.excluded and (np.argsort(order)[case.excluded[0]], case.excluded[1])
    shuffled = replace(case, rows=rows, context=context, excluded=excluded).best(10_000)
    whole = case.best(10_000)
    np.testing.assert_array_equal(shuffled.columns, whole.columns[order])
    np.testing.assert_array_equal(shuffled.raw, whole.raw[order])


@pytest.mark.parametrize("k", [1, 10, 100])
def test_real_numbers_are_chosen_like_a_full_sort_chooses(k: int) -> None:
    random = np.random.default_rng(7)
    scores = random.normal(size=(40, 500)).astype(np.float32)
    rows = TopicRows(clauses=random.integers(0, 40, (300, 1)))
    best = best_columns(rows, scores, k)
    expected = np.argsort(-scores[rows.clauses[:, 0]], axis=1, kind="stable")[:, :k]
    np.testing.assert_array_equal(best.columns, expected)
