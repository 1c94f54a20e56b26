"""A minor interest beside a major one: topics kept apart against the averaged embedding, on the same days.

A reader likes 18 papers of one subject and 2 of another. Of a day's 200 papers 18 are of the major subject, 2 of the
minor one, and the others belong to neither: relevant papers come in the proportion of the examples. What counts is
how many of the minor subject's papers stand among the ten that are shown. Ours has the examples as two topics, with
the quotas that they have by default (even ones), and with a fifth of the places for the minor one; the peer has one
library, which it knows no parts of.

Subjects are the systematic reviews of slr-screening, and pairs of subject terms of inspec-terms drawn by lot; seeds
0 to 4. Examples come from a first half of the papers, days from the second; what is left of the first is the archive.
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import permutations
from statistics import fmean

import numpy as np

from bench._peers import Averaged
from bench._quality import collections, encoder, say
from bench.timing import Row
from paperdigest.evaluation import Collection, Document, Examples
from paperdigest.pipeline.encoding import CachedEncoder
from paperdigest.ranking import Archive, ArchiveStatistics, Corpus, Ranker
from paperdigest.types import Judgement, Paper, PaperId, RankRequest, StoredPaper, Subscriber, Topic

MAJOR, MINOR, DAY, PLACES = 18, 2, 200, 10
SEEDS = range(5)
TERMS = 40
_THEN = datetime(2026, 4, 14, tzinfo=UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class Day:
    """One reader's day: examples of both subjects, the papers of the day, which of them are relevant, the archive."""

    liked: tuple[tuple[Document, ...], tuple[Document, ...]]
    papers: tuple[Document, ...]
    relevant: tuple[frozenset[str], frozenset[str]]
    archive: tuple[Document, ...]


def run() -> Iterator[Row]:
    """Compare the recall@10 of the minor subject, and of the major one."""
    with encoder() as model:
        if model is None:
            say("the averaged embedding needs the vector model; nothing is measured")
            return
        for collection in collections():
            days = {"slr-screening": _reviews, "inspec-terms": _terms}.get(collection.name)
            if days is not None:
                found = list(days(collection))
                if found:
                    yield from _compared(collection.name, found, model)


def _compared(name: str, days: Sequence[Day], model: CachedEncoder) -> Iterator[Row]:
    ours = [_ours(day, model) for day in days]
    shown = {
        "ours": [even for even, _ in ours],
        "ours, a fifth for the minor": [fifth for _, fifth in ours],
        "averaged": [_averaged(day, model) for day in days],
    }
    for subject, which in (("minor", 1), ("major", 0)):
        means = {
            system: fmean(_recall(found, day.relevant[which]) for found, day in zip(lists, days, strict=True))
            for system, lists in shown.items()
        }
        peer, least = means.pop("averaged"), 1 / (MINOR * len(days))  # none at all counts as one paper in all days
        for system, reached in means.items():
            yield Row(
                name=f"{name}: recall@{PLACES} of the {subject} subject: {system} | averaged",
                ours_s=reached,
                peer_s=peer,
                ratio=reached / max(peer, least),
                limit=3.0 if subject == "minor" else None,
                better="higher",
                unit="1",
                note=f"{len(days)} days of {DAY} papers",
            )


def _recall(shown: Sequence[str], relevant: frozenset[str]) -> float:
    return len(relevant.intersection(shown)) / min(len(relevant), PLACES)


def _ours(day: Day, model: CachedEncoder) -> tuple[list[str], list[str]]:
    """Return what two digests show, planned as digests are, with topics of examples alone: even quotas, and a fifth."""
    known = [_stored(document) for document in day.archive]
    archive = Archive(ArchiveStatistics.of(known), Corpus(known, model))
    ranker = Ranker(Corpus((_stored(document) for document in day.papers), model), archive, model)
    even, fifth = (
        [one.stored.paper.id.local for one in ranker.rank(_request(day, quota)).ranked] for quota in (None, 0.2)
    )
    return even, fifth


def _request(day: Day, quota: float | None) -> RankRequest:
    topics = (Topic(name="major", query=""), Topic(name="minor", query="", quota=quota))
    since = _THEN - timedelta(days=1)
    return RankRequest(
        subscriber=Subscriber(email="you@example.org", topics=topics, max_papers=PLACES),
        edition=_THEN.date(),
        since=since,
        new_since=since,
        judgements=tuple(
            Judgement(
                paper_id=_id(document),
                title=document.title,
                abstract=document.text or None,
                liked=True,
                judged_at=_THEN,
                topic=topic.name,
                origin="example",
            )
            for topic, side in zip(topics, day.liked, strict=True)
            for document in side
        ),
    )


def _averaged(day: Day, model: CachedEncoder) -> list[str]:
    """Return the first ten; additions of both subjects come by turns as their numbers have it."""
    library = [document for side in day.liked for document in side]
    random.Random(0).shuffle(library)
    scores = (
        Averaged(model)
        .prepare([*library, *day.papers])
        .likes(
            Examples(
                liked=np.arange(len(library)),
                disliked=np.empty(0, dtype=np.intp),
                archive=np.empty(0, dtype=np.intp),
                candidates=np.arange(len(library), len(library) + len(day.papers)),
            )
        )
    )
    return [_id(day.papers[place]).local for place in np.argsort(-scores, kind="stable")[:PLACES].tolist()]


def _reviews(collection: Collection) -> Iterator[Day]:
    """Yield the days of every review beside every other one, where both have enough papers."""
    relevant = _relevant(collection)
    prefixes = {query.id: query.candidates_prefix or "" for query in collection.queries}
    for major, minor in permutations(sorted(relevant), 2):
        around = tuple(prefixes[name] for name in (major, minor))
        papers = [document for document in collection.documents if document.id.startswith(around)]
        for seed in SEEDS:
            yield from _day(papers, relevant[major], relevant[minor], seed)


def _terms(collection: Collection) -> Iterator[Day]:
    """Yield a day for each of some pairs of terms, drawn by lot."""
    relevant = _relevant(collection)
    large = sorted(name for name, found in relevant.items() if len(found) >= 3 * MAJOR)
    for seed in SEEDS:
        lot = random.Random(seed)
        for _ in range(TERMS // len(SEEDS)):
            major, minor = lot.choice(large), lot.choice(sorted(relevant))
            if major != minor:
                yield from _day(collection.documents, relevant[major], relevant[minor], seed)


def _relevant(collection: Collection) -> dict[str, frozenset[str]]:
    return {
        query: frozenset(paper for paper, grade in grades.items() if grade > 0)
        for query, grades in collection.judgements.items()
    }


def _day(papers: Sequence[Document], major: frozenset[str], minor: frozenset[str], seed: int) -> Iterator[Day]:
    """Yield the day of two subjects, without what belongs to both; nothing when either has too few papers."""
    lot = random.Random(seed)
    shuffled = [document for document in papers if document.id not in major & minor]
    lot.shuffle(shuffled)
    past, future = shuffled[: len(shuffled) // 2], shuffled[len(shuffled) // 2 :]
    liked = tuple(
        tuple(document for document in past if document.id in subject)[:count]
        for subject, count in ((major, MAJOR), (minor, MINOR))
    )
    ahead = tuple(
        [document for document in future if document.id in subject][:count]
        for subject, count in ((major, MAJOR), (minor, MINOR))
    )
    if [len(side) for side in (*liked, *ahead)] != [MAJOR, MINOR, MAJOR, MINOR]:
        return
    others = [document for document in future if document.id not in major | minor]
    known = {document.id for side in liked for document in side}
    yield Day(
        liked=(liked[0], liked[1]),
        papers=(*ahead[0], *ahead[1], *others[: DAY - MAJOR - MINOR]),
        relevant=(_locals(ahead[0]), _locals(ahead[1])),
        archive=tuple(document for document in past if document.id not in known),
    )


def _locals(documents: Sequence[Document]) -> frozenset[str]:
    return frozenset(_id(document).local for document in documents)


def _id(document: Document) -> PaperId:
    return PaperId(scheme="document", local=document.id)


def _stored(document: Document) -> StoredPaper:
    return StoredPaper(
        paper=Paper(id=_id(document), title=document.title, abstract=document.text or None), first_seen_at=_THEN
    )
