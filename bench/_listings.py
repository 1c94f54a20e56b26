"""Listings to store: the real days that lie beside the checkout, else generated ones of the same sizes."""

from __future__ import annotations

import random
import tarfile
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

from paperdigest.errors import ParseError
from paperdigest.protocols import ParseContext
from paperdigest.sources.huggingface import HuggingFaceSource
from paperdigest.types import Author, Entry, Listing, ListingState, Paper, PaperId

__all__ = ["daily_listings"]

REAL = Path(__file__).resolve().parents[2] / "shared" / "data" / "hf-daily-archive" / "dev-days.tar.xz"
_DAYS, _PER_DAY, _WORDS_PER_ABSTRACT, _MAX_AUTHORS = 415, 15, 135, 20
_FIRST_DAY = date(2024, 5, 27)
_TEXT = "tra ce mo del lear ning gra ph da ta me thod sul net work cau sal the ory bou nd pro of ker nel"
_SYLLABLES = _TEXT.split()


def daily_listings() -> tuple[list[Listing], str]:
    """Return the listings, oldest first, and what they are, in a word."""
    if REAL.exists():
        return list(_real()), "real days"
    return list(_generated()), "generated days"


def _real() -> Iterator[Listing]:
    source = HuggingFaceSource("daily", {})
    with tarfile.open(REAL) as archive:
        names = sorted(member.name for member in archive if member.isfile())
        for name in names:
            stream = archive.extractfile(name)
            assert stream is not None
            day = date.fromisoformat(Path(name).stem)
            context = ParseContext(source="daily", retrieved_at=_moment(day), listed_on=day, name=name)
            try:
                yield source.parse(stream.read(), context)
            except ParseError:
                continue  # 21 of the files are damaged


def _generated() -> Iterator[Listing]:
    draw = random.Random(20240527)
    words = sorted({"".join(draw.choices(_SYLLABLES, k=draw.randrange(1, 5))) for _ in range(8000)})
    for number in range(_DAYS):
        day = _FIRST_DAY + timedelta(days=number)
        yield Listing(
            source="daily",
            kind="huggingface",
            listed_on=day,
            retrieved_at=_moment(day),
            state=ListingState.COMPLETE,
            entries=tuple(_entry(draw, words, day, rank) for rank in range(1, _PER_DAY + 1)),
        )


def _entry(draw: random.Random, words: list[str], day: date, rank: int) -> Entry:
    local = f"{day:%y%m}.{day.day * 100 + rank:05}"
    people = range(draw.randrange(1, _MAX_AUTHORS + 1))
    paper = Paper(
        id=PaperId(scheme="arxiv", local=local),
        title=" ".join(draw.choices(words, k=9)),
        abstract=" ".join(draw.choices(words, k=_WORDS_PER_ABSTRACT)),
        authors=tuple(Author(name=f"{draw.choice(words).title()} {draw.choice(words).title()}") for _ in people),
        published_at=_moment(day),
        url=f"https://arxiv.org/abs/{local}",
    )
    return Entry(paper=paper, rank=rank, upvotes=draw.randrange(200), comments=draw.randrange(20))


def _moment(day: date) -> datetime:
    return datetime(day.year, day.month, day.day, 23, tzinfo=UTC)
