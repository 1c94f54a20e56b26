"""Ranking with everything it needs: the archive's statistics, the vector model and the settings."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime
from functools import cached_property

from paperdigest.config import Settings
from paperdigest.errors import ModelError
from paperdigest.pipeline.candidates import is_news
from paperdigest.pipeline.encoding import CachedEncoder
from paperdigest.protocols import Encoder
from paperdigest.query import parse_query
from paperdigest.ranking import Archive, ArchiveStatistics, Corpus, Options, Ranker
from paperdigest.ranking.explaining import Explanation, explain
from paperdigest.store import Store, archive
from paperdigest.store.statistics import Statistics
from paperdigest.types import Ranking, RankRequest, StoredPaper, Subscriber, Topic

__all__ = ["REFERENCE", "Rankings"]

REFERENCE = 2000
"""The newest papers, with which every score is compared: more would change nothing, 500 would cost a little.

These at least have vectors after a fetch."""

GROWN_UP = 1000
"""How many papers an archive has for which the settings' threshold holds; a smaller one has less of it."""

_NOBODY = Subscriber(email="nobody@localhost")
_EVER = datetime.min.replace(tzinfo=UTC)


class Rankings:
    """Makes rankers, against the archive as it is then. ``problems`` say why it is not the model that ranks."""

    def __init__(self, settings: Settings, store: Store, encoder: CachedEncoder | None) -> None:
        self._settings, self._store, self._installed = settings, store, encoder
        self.problems: tuple[str, ...] = ()
        self._known: tuple[tuple[int, ...], Archive] | None = None

    def ranker(self, papers: Iterable[StoredPaper]) -> Ranker:
        """Return what ranks these papers for subscribers."""
        settings = self._settings.ranking
        # A young archive cannot tell what is ordinary: until it can, little is asked of a paper.
        archived = self._archive
        age = min(1.0, len(archived.reference) / GROWN_UP)
        options = Options(threshold=settings.threshold * age, explore=settings.explore, popularity=settings.popularity)
        return Ranker(Corpus(papers, self._encoder), archived, self._encoder, options)

    def ad_hoc(self, queries: Sequence[str], papers: Sequence[StoredPaper], limit: int, on: date) -> Ranking:
        """Rank papers for topics that no subscriber has; each query is one, named after itself.

        Raises:
            QueryError: a query cannot be read.
        """
        topics = tuple(dict.fromkeys(Topic(name=query, query=str(parse_query(query))) for query in queries))
        request = RankRequest(
            subscriber=replace(_NOBODY, topics=topics), edition=on, since=_EVER, new_since=_EVER, places=limit
        )
        options = Options(is_digest=False)
        return Ranker(Corpus(papers, self._encoder), self._archive, self._encoder, options).rank(request)

    def why(self, request: RankRequest, papers: Sequence[StoredPaper], paper: StoredPaper) -> Explanation:
        """Say what becomes of a paper, candidate or not, among these papers.

        Raises:
            QueryError: a topic's query cannot be read.
        """
        ranker = self.ranker([*papers, paper])
        if not is_news(paper):
            request = replace(request, seen=request.seen | {paper.paper.id})
        return explain(ranker.round([replace(request, since=_EVER)]), request, paper, is_news=is_news(paper))

    @cached_property
    def _encoder(self) -> Encoder | None:
        """The model, if it works: a digest by words alone is better than none."""
        try:
            if self._installed is not None:
                self._installed.check()
        except ModelError as error:
            self.problems = (f"ranked by words alone: {error}",)
            return None
        return self._installed

    @property
    def _archive(self) -> Archive:
        """The archive as it is now: read again when papers have come, for this object may live for months."""
        statistics = Statistics(self._store.database)
        changed = statistics.update()
        mark = statistics.mark()
        if changed or self._known is None or self._known[0] != mark:
            counts = statistics.load()
            archived = Archive(
                ArchiveStatistics(
                    documents=counts.documents,
                    average_length=counts.average_length,
                    document_frequency=counts.document_frequency,
                ),
                Corpus(archive.reference(self._store.database, REFERENCE), self._encoder),
            )
            self._known = mark, archived
        return self._known[1]
