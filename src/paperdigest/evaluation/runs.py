"""Run files: what a system found, in the six columns of TREC: ``query Q0 paper rank score tag``.

As in trec_eval, the score alone decides on the order (see `metrics.order`); rank, ``Q0`` and tag are not looked at.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import IO, TypeAlias

from paperdigest.errors import UsageError
from paperdigest.evaluation.collections import lines_of
from paperdigest.evaluation.metrics import single

__all__ = ["Run", "read_run", "write_run"]

Run: TypeAlias = Mapping[str, Mapping[str, float]]
"""The scores of papers by question and paper."""


def write_run(file: IO[str], tag: str, query: str, found: Iterable[tuple[str, float]]) -> None:
    """Write one question's papers, best first, with scores that read back to the same single-precision numbers."""
    for rank, (paper, score) in enumerate(found, start=1):
        # Nine digits name a single-precision number; rounded from more, they could name its neighbour.
        file.write(f"{query} Q0 {paper} {rank} {float(single(score)):.9g} {tag}\n")


def read_run(path: Path) -> Run:
    """Read a run file.

    Raises:
        UsageError: it is broken; names the line.
    """
    run: dict[str, dict[str, float]] = {}
    for place, line in lines_of(path):
        cells = line.split()
        if len(cells) != 6:
            raise UsageError(f"{place}: {len(cells)} columns, not 6", "Write: query Q0 paper rank score tag")
        query, _, paper, _, text, _ = cells
        try:
            score = float(text)
        except ValueError:
            score = math.nan
        if math.isnan(score):
            raise UsageError(f"{place}: the score {text!r} is no number", "Write: query Q0 paper rank score tag")
        papers = run.setdefault(query, {})
        if paper in papers:
            raise UsageError(f"{place}: {paper!r} occurs twice for {query!r}", "A run names each paper once a question")
        papers[paper] = score
    if not run:
        raise UsageError(f"{path} is empty", "Write: query Q0 paper rank score tag")
    return run
