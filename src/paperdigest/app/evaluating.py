"""Our ranking as a system to be measured on relevance collections, with vectors kept between runs."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Self

import numpy as np
from platformdirs import user_cache_path

from paperdigest.app.semantic import look
from paperdigest.config import Settings
from paperdigest.errors import SchemaVersionError, UsageError
from paperdigest.evaluation import Collection, Document, Examples, System
from paperdigest.pipeline.encoding import CachedEncoder, encode
from paperdigest.protocols import Encoder
from paperdigest.query import Keyword
from paperdigest.ranking import Archive, ArchiveStatistics, Batch, Corpus
from paperdigest.ranking.lessons import Learner
from paperdigest.ranking.scores import KeywordScores
from paperdigest.store import Store
from paperdigest.store.vectors import Vectors
from paperdigest.types import Judgement, Paper, PaperId, StoredPaper, Topic

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["Evaluation", "ProductSystem"]

_THEN = datetime(2000, 1, 1, tzinfo=UTC)
_BLOCK_BYTES = 64 * 1024 * 1024


class ProductSystem:
    """Ranks as digests are ranked, by words alone or with a vector model; an `evaluation.System`.

    Scores are compared with all the papers of a collection, of which the archive's are a part in the likes protocols.
    """

    def __init__(self, encoder: Encoder | None) -> None:
        self._encoder = encoder
        self.name = "paperdigest-lexical" if encoder is None else "paperdigest"

    def prepare(self, documents: Sequence[Document]) -> PreparedProduct:
        """Read the papers."""
        return PreparedProduct(documents, self._encoder)


class PreparedProduct:
    """`ProductSystem` that has read its papers; columns are in the order in which they were given."""

    def __init__(self, documents: Sequence[Document], encoder: Encoder | None) -> None:
        self._encoder = encoder
        # The corpus is in the order of the ids, and these are in the order of the documents.
        self._corpus = Corpus((_stored(number, one) for number, one in enumerate(documents)), encoder)

    def topics(self, topics: Sequence[tuple[str, ...]]) -> Iterator[NDArray[np.float64]]:
        """Yield the raw scores of each topic, shape (papers,); -inf where it says nothing of a paper.

        Raises:
            QueryError: the keywords of a topic of several cannot be written as a query.
        """
        archive = Archive(ArchiveStatistics.of_stems(self._corpus.stems), self._corpus)
        at_once = max(1, _BLOCK_BYTES // (16 * max(len(self._corpus), 1)))
        for start in range(0, len(topics), at_once):
            yield from self._scored(topics[start : start + at_once], archive)

    def likes(self, examples: Examples) -> NDArray[np.float64]:
        """Return what is learned from the examples alone, shape (candidates,)."""
        past = np.concatenate([examples.archive, examples.liked, examples.disliked])
        candidates = np.unique(examples.candidates)
        archive = Archive(
            ArchiveStatistics.of_stems(self._corpus.stems[column] for column in past.tolist()),
            self._corpus.only(np.sort(examples.archive)),
        )
        judged = [
            self._judgement(column, liked=liked)
            for columns, liked in ((examples.liked, True), (examples.disliked, False))
            for column in columns.tolist()
        ]
        learner = Learner(self._corpus.only(candidates), archive, self._encoder)
        scores = learner.lesson(Topic(name="likes", query=""), judged, kept=True).scores
        found: NDArray[np.float64] = scores[np.searchsorted(candidates, examples.candidates)]
        return found

    def _scored(self, topics: Sequence[tuple[str, ...]], archive: Archive) -> Iterator[NDArray[np.float64]]:
        singles = [Keyword(tuple(topic[0].split()) or ("?",)) for topic in topics if len(topic) == 1]
        scores = KeywordScores(singles, self._corpus, archive, self._encoder)
        queries = {topic: _query(topic) for topic in topics if len(topic) != 1}
        batch = Batch((Topic(name=query, query=query) for query in queries.values()), *self._against(archive))
        place = iter(singles)
        for topic in topics:
            if topic in queries:
                yield batch.raw(batch.plan(queries[topic])).astype(np.float64)
            else:
                yield scores.standard[scores.row[next(place)]].astype(np.float64)

    def _against(self, archive: Archive) -> tuple[Corpus, Archive, Encoder | None]:
        return self._corpus, archive, self._encoder

    def _judgement(self, column: int, *, liked: bool) -> Judgement:
        paper = self._corpus.papers[column].paper
        return Judgement(
            paper_id=paper.id, title=paper.title, abstract=paper.abstract, liked=liked, judged_at=_THEN, topic=None
        )


class Evaluation:
    """What is measured with: the model if it is there and wanted, and the vectors of earlier runs.

    Use as a context manager; ``lexical`` leaves the model out, ``cache`` is the file for vectors (default: in the
    user's cache folder).

    Raises:
        StoreError, UsageError: the file cannot be used.
    """

    def __init__(self, settings: Settings, *, lexical: bool = False, cache: Path | None = None) -> None:
        state = look(settings)
        self.method = "words alone, as asked" if lexical else state.method
        self._encoder: CachedEncoder | None = None
        self._store: Store | None = None
        if state.encoder is not None and not lexical:
            self._store = _open(cache or user_cache_path("paperdigest") / "evaluation.db")
            self._encoder = CachedEncoder(Vectors(self._store.database), state.encoder)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        if self._store is not None:
            self._store.close()

    @property
    def model(self) -> str | None:
        """The name of the model that is used, None when it is words alone."""
        return self._encoder.name if self._encoder else None

    @property
    def system(self) -> System:
        """Our ranking."""
        return ProductSystem(self._encoder)

    @property
    def lexical(self) -> System:
        """Our ranking by words alone."""
        return ProductSystem(None)

    def unencoded(self, collection: Collection) -> tuple[str, ...]:
        """Return the papers' texts of which there is no vector yet; none without a model.

        Raises:
            StoreError: in words.
        """
        if self._encoder is None:
            return ()
        texts = (_stored(number, one).paper.text for number, one in enumerate(collection.documents))
        return self._encoder.without_vector(list(texts))

    def encode(self, texts: Sequence[str], progress: Callable[[str], None]) -> None:
        """Make and keep vectors; a run that is stopped goes on from there.

        Raises:
            ModelError, StoreError: in words.
        """
        if self._encoder is not None:
            encode(texts, self._encoder, progress)


def _open(path: Path) -> Store:
    try:
        return Store.open(path, create=True)
    except SchemaVersionError as error:
        raise UsageError(
            f"the vectors in {path} were kept by another version of paperdigest",
            "Delete the file, or name another with --cache; nothing is lost but time",
        ) from error


def _stored(number: int, document: Document) -> StoredPaper:
    """Return a paper of a collection as ranking knows papers; the ids sort by number."""
    paper = Paper(
        id=PaperId(scheme="document", local=f"{number:09d}"),
        title=document.title,
        abstract=document.text or None,
    )
    return StoredPaper(paper=paper, first_seen_at=_THEN)


def _query(keywords: Iterable[str]) -> str:
    """Write keywords as a topic: each one a phrase in quotes."""
    return " ".join(f'"{_unquoted(keyword)}"' for keyword in keywords)


def _unquoted(text: str) -> str:
    return " ".join(text.translate(_QUOTES).split())


_QUOTES = str.maketrans(dict.fromkeys('"“”„‟«»', " "))
