"""From papers, an archive and a model to what each subscriber is shown: the way into ranking."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import date

import numpy as np

from paperdigest.errors import ModelError, QueryError
from paperdigest.protocols import Encoder
from paperdigest.ranking.archive import Archive
from paperdigest.ranking.corpus import Corpus
from paperdigest.ranking.round import Options, Round, midnight
from paperdigest.types import Ranking, RankRequest

__all__ = ["TOGETHER", "Ranker"]

TOGETHER = 2000
"""Requests that are scored together at most."""

BLOCK_BYTES = 128 * 1024 * 1024
BYTES_A_PAIR = 16
"""What the matrices of a block may take; a keyword (there are no more of them than words) and a paper take so much."""


class Ranker:
    """Ranks the papers of a corpus for any number of subscribers.

    Args:
        papers: the candidates of everybody.
        archive: what scores are measured against.
        encoder: the vector model, None to rank by words alone.
        options: see `Options`.
    """

    def __init__(
        self, papers: Corpus, archive: Archive, encoder: Encoder | None = None, options: Options | None = None
    ) -> None:
        self._papers, self._archive, self._encoder = papers, archive, encoder
        self._options = options or Options()

    def rank(self, request: RankRequest) -> Ranking:
        """Choose and order the papers of one subscriber, best first.

        Topics are ranked apart and share the places by quota; a paper stands once, under the topic where it
        scores best, and names the others. The contributions of its reasons add up to its raw score.

        Raises:
            QueryError: a topic's query cannot be read.
        """
        return self.round([request]).rank(request)

    def rank_all(self, requests: Iterable[RankRequest]) -> Iterator[tuple[RankRequest, Ranking | QueryError]]:
        """Rank for many subscribers, in any order; one whose query cannot be read stops nobody else.

        Linear in the requests: distinct keywords are scored once for every `TOGETHER` of them, and memory does
        not grow with their number.
        """
        by_day: dict[date, list[RankRequest]] = {}
        for request in requests:
            by_day.setdefault(request.since.date(), []).append(request)
        for waiting in by_day.values():
            for together in self._blocks(waiting):
                yield from self.round(together).rank_all(together)

    def _blocks(self, requests: Sequence[RankRequest]) -> Iterator[list[RankRequest]]:
        """Cut requests into blocks whose matrices of keywords and papers take about `BLOCK_BYTES`."""
        most = BLOCK_BYTES // (BYTES_A_PAIR * max(len(self._papers), 1))
        block: list[RankRequest] = []
        queries: dict[str, int] = {}
        for request in requests:
            queries |= {topic.query: len(topic.query.split()) for topic in request.subscriber.topics}
            if block and (len(block) >= TOGETHER or sum(queries.values()) > most):
                yield block
                block = []
                queries = {topic.query: len(topic.query.split()) for topic in request.subscriber.topics}
            block.append(request)
        if block:
            yield block

    def round(self, requests: Sequence[RankRequest]) -> Round:
        """Score the papers that these requests can want for all their topics."""
        start = min(midnight(request.since) for request in requests)
        recent = [column for column, one in enumerate(self._papers.papers) if one.first_seen_at >= start]
        papers = (
            self._papers if len(recent) == len(self._papers) else self._papers.only(np.array(recent, dtype=np.intp))
        )
        topics = [topic for request in requests for topic in request.subscriber.topics]
        try:
            return Round(topics, papers, self._archive, self._encoder, self._options)
        except ModelError:
            # One text that the model cannot take must not keep everybody's digest back.
            plain = Archive(self._archive.statistics, Corpus(self._archive.reference.papers))
            return Round(topics, Corpus(papers.papers), plain, None, self._options)
