"""Ranking quality: ours and the peers' on the same relevance collections, in the same run.

nDCG@10 by the protocols of ``paperdigest eval ranking``; the model's vectors are kept where that keeps them, so that
only the first run takes minutes. ``python -m bench.quality DIR...`` measures other collections.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

from bench.__main__ import report
from bench._quality import collections, encoder, peers
from bench.timing import Row
from paperdigest.app.evaluating import ProductSystem
from paperdigest.evaluation import Collection, Kind, Measured, Setup, System, kind_of, measure

SETUPS = tuple(Setup(likes=likes, dislikes=dislikes) for likes, dislikes in ((1, 0), (3, 0), (5, 0), (10, 0), (5, 10)))

LEAST = {
    ("inspec-terms", ""): (0.52, 0.47),
    ("cacm", ""): (0.55, 0.49),
    ("cisi", ""): (0.44, 0.39),
    ("inspec-subscribers", ""): (0.60, None),
    ("csfcube", ""): (0.564, None),
    ("slr-screening", ", 1 like"): (0.473, None),
    ("slr-screening", ", 3 likes"): (0.490, None),
    ("slr-screening", ", 5 likes"): (0.519, None),
    ("slr-screening", ", 10 likes"): (0.575, None),
    ("slr-screening", ", 5 likes and 10 dislikes"): (0.530, None),
}
"""What was once reached by the best of many designs, with a model and by words alone."""


def run(*folders: Path) -> Iterator[Row]:
    """Compare our nDCG@10 with each peer's, and with what it must be."""
    with encoder() as model:
        systems = [ProductSystem(None)]
        others = peers(model)
        if model is not None:
            systems.insert(0, ProductSystem(model))
        for collection in collections(*folders):
            for setup in SETUPS if kind_of(collection, Setup()) is Kind.LIKES else (Setup(),):
                yield from _measured(collection, setup, systems, others)


def _measured(
    collection: Collection, setup: Setup, systems: Sequence[ProductSystem], others: Sequence[System]
) -> Iterator[Row]:
    """Compare the better of ours with the peers, and both with what they must be."""
    what = _words(setup) if kind_of(collection, setup) is Kind.LIKES else ""
    least = dict(
        zip(("paperdigest", "paperdigest-lexical"), LEAST.get((collection.name, what), (None, None)), strict=True)
    )
    best = 0.0
    for system in systems:
        ours = measure(collection, system, setup)
        reached = ours.means["ndcg_10"]
        best = best or reached
        target = least[system.name]
        yield _row(f"{collection.name}{what}: {system.name} | at least", reached, target, _note(ours))
    for peer in others:
        measured = measure(collection, peer, setup)
        if theirs := measured.means["ndcg_10"]:
            yield _row(
                f"{collection.name}{what}: {systems[0].name} | {peer.name}", best, theirs, f"its {_note(measured)}"
            )


def _row(name: str, ours: float, peer: float | None, note: str) -> Row:
    limit = None if peer is None else 1.0
    peer = ours if peer is None else peer
    return Row(
        name=name, ours_s=ours, peer_s=peer, ratio=ours / peer, limit=limit, better="higher", unit="1", note=note
    )


def _note(measured: Measured) -> str:
    means = measured.means
    return f"MAP {means['map']:.3f}, recall@100 {means['recall_100']:.3f}"


def _words(setup: Setup) -> str:
    likes = f", {setup.likes} like{'s' * (setup.likes > 1)}"
    return f"{likes} and {setup.dislikes} dislikes" if setup.dislikes else likes


if __name__ == "__main__":
    sys.exit(report(("quality", row) for row in run(*map(Path, sys.argv[1:]))))
