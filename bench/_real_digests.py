"""Digests of real days: the listings of the archive beside the checkout, ranked for three topics."""

from __future__ import annotations

import tarfile
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path

from paperdigest.errors import ParseError
from paperdigest.plugins import load_plugin
from paperdigest.protocols import ParseContext
from paperdigest.ranking import Archive, ArchiveStatistics, Corpus, Ranker
from paperdigest.sources import BUILTIN
from paperdigest.types import (
    Appearance,
    Digest,
    Listing,
    RankedPaper,
    RankRequest,
    StoredPaper,
    Subscriber,
    SubscriberStatus,
    Topic,
)

__all__ = ["DAYS", "digests", "listings"]

DAYS = Path(__file__).resolve().parents[2] / "shared" / "data" / "hf-daily-archive" / "dev-days.tar.xz"
_TOPICS = (("agents", 'agent "tool use" planning'), ("video", "video diffusion generation"))
_PLACES = 40


def listings(packed: Path = DAYS, *, most: int | None = None) -> Iterator[Listing]:
    """Yield the listings of the archive that can be read, spread evenly over it when there are more than wanted."""
    source = load_plugin("sources", "huggingface", BUILTIN)("hf", {})
    with tarfile.open(packed) as archive:
        members = sorted((one for one in archive if one.name.endswith(".json")), key=lambda one: one.name)
        step = 1 if most is None else max(1, len(members) // (most + most // 10 + 1))
        given = 0
        for member in members[::step]:
            body = archive.extractfile(member)
            if body is None or (most is not None and given >= most):
                continue
            context = ParseContext(source="hf", retrieved_at=datetime.now(UTC), name=Path(member.name).name)
            try:
                listing = source.parse(body.read(), context)
            except ParseError:
                continue
            if listing.entries:
                given += 1
                yield listing


def digests(listing: Listing) -> tuple[Digest, Digest]:
    """Return a digest of a listing's best papers for three topics, and one of all its papers."""
    then = datetime.combine(listing.listed_on, datetime.min.time(), UTC)
    papers = [
        StoredPaper(
            paper=entry.paper,
            first_seen_at=then,
            entries=(
                Appearance(source="hf", listed_on=listing.listed_on, upvotes=entry.upvotes, comments=entry.comments),
            ),
        )
        for entry in listing.entries
    ]
    reader = Subscriber(
        id=1,
        email="reader@example.org",
        status=SubscriberStatus.ACTIVE,
        topics=(*(Topic(name=name, query=query) for name, query in _TOPICS), _followed(papers)),
    )
    plain = Digest(subscriber=reader, edition=listing.listed_on, composed_at=then, considered=len(papers), id=1)
    everything = tuple(RankedPaper(stored=one, score=0.0, topic="all of the day") for one in papers)
    return replace(plain, ranked=_ranked(papers, reader, listing.listed_on, then)), replace(plain, ranked=everything)


def _followed(papers: Sequence[StoredPaper]) -> Topic:
    """Follow somebody who has written a paper of the day, so that there is one to be marked."""
    names = [author.name for one in papers for author in one.paper.authors[-1:] if '"' not in author.name]
    return Topic(name="people", query=f'author:"{names[0]}" reasoning' if names else "reasoning")


def _ranked(papers: Sequence[StoredPaper], reader: Subscriber, day: date, then: datetime) -> tuple[RankedPaper, ...]:
    corpus = Corpus(papers)
    asked = RankRequest(subscriber=reader, edition=day, since=then, new_since=then, places=_PLACES)
    return Ranker(corpus, Archive(ArchiveStatistics.of(papers), corpus)).rank(asked).ranked
