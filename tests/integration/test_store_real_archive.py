"""The real archive of daily listings: every paper once, nothing new the second time."""

from __future__ import annotations

import tarfile
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from paperdigest.errors import ParseError
from paperdigest.plugins import load_plugin
from paperdigest.protocols import ParseContext
from paperdigest.sources import BUILTIN
from paperdigest.store import Store
from paperdigest.types import Listing
from tests.store_samples import arxiv, picture

pytestmark = pytest.mark.real
NOW = datetime(2026, 5, 1, tzinfo=UTC)


@pytest.fixture(scope="module")
def archive(shared: Path) -> tuple[Listing, ...]:
    """The listings of all well-formed days."""
    source = load_plugin("sources", "huggingface", BUILTIN)("hf", {})

    def listings() -> Iterator[Listing]:
        with tarfile.open(shared / "data" / "hf-daily-archive" / "dev-days.tar.xz") as packed:
            for member in packed:
                if (body := packed.extractfile(member)) is not None and member.name.endswith(".json"):
                    context = ParseContext(source="hf", retrieved_at=NOW, name=Path(member.name).name)
                    try:
                        yield source.parse(body.read(), context)
                    except ParseError:
                        continue

    return tuple(sorted(listings(), key=lambda listing: listing.listed_on))


def test_the_archive_is_stored_once_whatever_the_order_and_the_batches(
    archive: tuple[Listing, ...], tmp_path: Path
) -> None:
    assert len(archive) == 415
    forward, backward = (Store.open(tmp_path / name, create=True) for name in ("forward.db", "backward.db"))
    for start in range(0, len(archive), 25):
        forward.record_all([(listing, 2) for listing in archive[start : start + 25]])
    for listing in reversed(archive):
        backward.record(listing, authority=2)
    counts = forward.counts()
    assert (counts["papers"], counts["entries"], counts["listings"]) == (6301, 6302, 415)
    assert [entry.listed_on.day for entry in forward.paper(arxiv("2604.07429")).entries] == [10, 16]
    assert picture(forward) == picture(backward)
    again = forward.record_all([(listing, 2) for listing in archive])
    assert {(one.new, one.updated) for one in again} == {(0, 0)}
    assert picture(forward) == picture(backward)
    assert forward.check() == backward.check() == ()
    assert len(forward.papers_first_seen(NOW, NOW + timedelta(days=1))) == 6301
    forward.close()
    backward.close()
