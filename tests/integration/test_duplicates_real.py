"""Near-duplicates among two years of real daily papers: few, and those that are."""

from __future__ import annotations

import tarfile
from collections.abc import Iterator
from datetime import UTC, datetime
from itertools import chain
from pathlib import Path

import pytest

from paperdigest.errors import ParseError
from paperdigest.plugins import load_plugin
from paperdigest.protocols import ParseContext
from paperdigest.ranking.corpus import Corpus
from paperdigest.ranking.duplicates import Neighbours
from paperdigest.sources import BUILTIN
from paperdigest.types import StoredPaper

pytestmark = pytest.mark.real
NOW = datetime(2026, 5, 1, tzinfo=UTC)


def daily_papers(packed: Path) -> Iterator[StoredPaper]:
    source = load_plugin("sources", "huggingface", BUILTIN)("hf", {})
    with tarfile.open(packed) as archive:
        for member in archive:
            if (body := archive.extractfile(member)) is not None and member.name.endswith(".json"):
                try:
                    listing = source.parse(
                        body.read(), ParseContext(source="hf", retrieved_at=NOW, name=Path(member.name).name)
                    )
                except ParseError:
                    continue
                yield from (StoredPaper(paper=entry.paper, first_seen_at=NOW) for entry in listing.entries)


def test_three_pairs_of_6301_daily_papers_share_half_of_their_words(shared: Path) -> None:
    corpus = Corpus(daily_papers(shared / "data" / "hf-daily-archive" / "dev-days.tar.xz"))
    found = Neighbours(corpus)
    pairs = {(str(one.paper.id), str(other)) for one in corpus.papers for other in found.get(one.paper.id)}
    assert len(corpus) == 6301
    assert pairs == set(
        chain.from_iterable(
            ((one, other), (other, one))
            for one, other in (
                ("arxiv:2512.10739", "arxiv:2512.10756"),
                ("arxiv:2507.02592", "arxiv:2509.13305"),
                ("arxiv:2506.04308", "arxiv:2512.13660"),
            )
        )
    )
