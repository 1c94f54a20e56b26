"""Ranking a crowd: 100,000 topics of three keywords, 15,000 of them distinct, the ten best of 500 papers each.

Processor time of one core, after the keyword matrices. The peers run by turns with ours: the loop of the usual
digest script, which lowers a paper's text and counts the keywords in it, timed for some of the topics and
multiplied; and one pass over the memory that is gathered, which nothing can be faster than.
"""

from __future__ import annotations

import heapq
import subprocess
import sys
from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from bench._crowd import KEYWORDS, PAPERS, PLACES, TOPICS, context, keywords, matrix, papers, topics
from bench.timing import Paired, Row, paired
from paperdigest.ranking.bt import ArchiveStatistics, BtScorer
from paperdigest.ranking.matching import best_columns
from paperdigest.ranking.topic_rows import TopicRows

if TYPE_CHECKING:
    from numpy.typing import NDArray

ROOT = Path(__file__).resolve().parents[1]
_SAMPLE = 200
_BLOCK = 256
_CROWD = f"top {PLACES} of {PAPERS} papers for {TOPICS:,} topics"


def run() -> Iterator[Row]:
    """Compare with a second, a loop, a pass over the memory, smaller crowds, and 300 MB."""
    scores, rows, joined = matrix(KEYWORDS), topics(TOPICS), context(TOPICS)
    plain = partial(best_columns, rows, scores, PLACES)
    whole = partial(best_columns, rows, scores, PLACES, context=joined)

    once = paired(whole, partial(_gather, rows, scores, joined.near))
    yield _against_a_second(once, f"{_CROWD}, joined words included | one second")
    yield once.at_most(
        10, "the same | one pass over the gathered memory", "rows copied into a buffer that stays in the cache"
    )
    once = paired(plain, partial(_gather, rows, scores))
    yield _against_a_second(once, f"{_CROWD}, keywords alone | one second")
    yield once.at_most(10, "the same | one pass over the gathered memory")

    texts = [f"{stored.paper.title}. {stored.paper.abstract}" for stored in papers()]
    names = [" ".join(keyword.words) for keyword in keywords()]
    wanted = [[names[place] for place in places] for places in rows.clauses[:_SAMPLE].tolist()]
    note = f"the loop timed for {_SAMPLE} topics and multiplied by {TOPICS // _SAMPLE}"
    loop = _scaled(paired(plain, partial(_script, wanted, texts), pairs=3), TOPICS / _SAMPLE)
    yield loop.times_faster(500, "keywords alone | the loop of a script", note)
    lowered = [text.lower() for text in texts]
    loop = _scaled(paired(plain, partial(_substrings, wanted, lowered), pairs=3), TOPICS / _SAMPLE)
    yield replace(loop.times_faster(500, "keywords alone | the same loop over lowered texts", note), limit=None)

    for few in (10_000, 30_000):
        smaller = partial(best_columns, topics(few), scores, PLACES, context=context(few))
        grown = _scaled(paired(whole, smaller, pairs=3), TOPICS / few)
        yield grown.at_most(1.25, f"{TOPICS:,} topics | {few:,} topics, times {TOPICS / few:.3g}", "1 is linear")
    yield _memory()
    yield _lexical()


def _against_a_second(timed: Paired, name: str) -> Row:
    return Row(name=name, ours_s=timed.ours_s, peer_s=1.0, ratio=timed.ours_s, limit=1.0)


def _scaled(timed: Paired, factor: float) -> Paired:
    """Return the comparison with the peer's task done ``factor`` times."""
    return Paired(ours_s=timed.ours_s, peer_s=timed.peer_s * factor, ratio=timed.ratio / factor)


def _gather(rows: TopicRows, scores: NDArray[np.float32], near: NDArray[np.float32] | None = None) -> None:
    """Copy every row that is asked for, once."""
    buffer = np.empty((_BLOCK, scores.shape[1]), dtype=np.float32)
    count = len(rows.clauses)
    for start in range(0, count, _BLOCK):
        block = rows.clauses[start : start + _BLOCK]
        for slot in block.T:
            np.take(scores, slot, axis=0, out=buffer[: len(block)], mode="clip")
        if near is not None:
            np.copyto(buffer[: len(block)], near[start : start + len(block)])


def _script(wanted: Sequence[Sequence[str]], texts: Sequence[str]) -> None:
    """Count each topic's keywords in every text and keep the ten texts that have most."""
    for names in wanted:
        hits = [_hits(names, text) for text in texts]
        heapq.nlargest(PLACES, range(len(texts)), key=hits.__getitem__)


def _hits(names: Sequence[str], text: str) -> int:
    lowered = text.lower()
    return sum(lowered.count(name) for name in names)


def _substrings(wanted: Sequence[Sequence[str]], texts: Sequence[str]) -> None:
    """Do the same with texts that are lowered already."""
    for names in wanted:
        hits = [sum(text.count(name) for name in names) for text in texts]
        heapq.nlargest(PLACES, range(len(texts)), key=hits.__getitem__)


def _memory() -> Row:
    """Measure in a process of its own, which has nothing else in it."""
    command = [sys.executable, "-m", "bench._crowd_memory"]
    printed = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True).stdout.split()
    matrices, whole = (int(number) for number in printed)
    return Row(
        name="memory above the libraries, matrices included | 300 MB",
        ours_s=whole,
        peer_s=300e6,
        ratio=whole / 300e6,
        limit=1.0,
        unit="B",
        note=f"of which the matrices {matrices / 1e6:.0f} MB",
    )


def _lexical() -> Row:
    """Time the lexical half of the keyword matrix, beside the crowd that it serves."""
    read, asked = papers(), keywords()
    scorer = BtScorer(ArchiveStatistics.of(read))
    nothing = partial(sum, ())
    timed = paired(partial(scorer.score, asked, read), nothing, pairs=3)
    name = f"lexical scores of {KEYWORDS:,} keywords for {PAPERS} papers | one second"
    return replace(_against_a_second(timed, name), limit=None)
