"""`App`: the use cases with everything they need, made from the settings."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import UTC, date, datetime
from functools import cached_property
from importlib.resources import files
from math import inf
from pathlib import Path
from threading import Event
from typing import Any, Self

from paperdigest.app import documents, plugging, semantic, storage
from paperdigest.app.feedback import Feedback
from paperdigest.app.ranking import Rankings
from paperdigest.app.running import Running
from paperdigest.app.sending import Sending, SendReport
from paperdigest.app.watching import Watch
from paperdigest.config import Settings
from paperdigest.errors import SourceError, UsageError
from paperdigest.http import HttpClient
from paperdigest.pipeline import encoding, fetching
from paperdigest.pipeline.encoding import CachedEncoder
from paperdigest.pipeline.fetching import ConfiguredSource, FetchReport, Job, ListingReport, Progress
from paperdigest.protocols import Source
from paperdigest.query import parse_query
from paperdigest.ranking.explaining import Explanation
from paperdigest.store import SearchResult, Store
from paperdigest.store.runs import FETCH, SEND
from paperdigest.store.subscribers import Subscribers
from paperdigest.types import ListingState, Ranking, StoredPaper

__all__ = ["App", "SourceOverview"]

Clock = Callable[[], datetime]


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceOverview:
    """A configured source and its last listing."""

    name: str
    kind: str
    enabled: bool
    listed_on: date | None = None
    state: ListingState | None = None
    note: str | None = None

    def fields(self) -> dict[str, Any]:
        """Return the JSON fields."""
        return asdict(self)


class App:
    """The application, open: settings, store and clock. ``created`` says that the database is new."""

    def __init__(self, settings: Settings, store: Store, clock: Clock, *, created: bool) -> None:
        self.settings, self.store, self.clock, self.created = settings, store, clock, created
        self.subscribers = Subscribers(store.database)
        self.feedback = Feedback(store, clock)
        self._client: HttpClient | None = None

    @classmethod
    def open(cls, settings: Settings, *, create: bool = False, clock: Clock | None = None) -> Self:
        """Open the store and make the application.

        Raises:
            StoreError: the database is missing (and not to be created), foreign, damaged or of another version.
        """
        url = settings.store_url()
        existed = Path(url.removeprefix("sqlite:///")).exists()
        store = Store.open(url, create=create)
        return cls(settings, store, clock or (lambda: datetime.now(UTC)), created=not existed)

    def close(self) -> None:
        """Keep what servers asked for, for the next run, and close the connections and the store."""
        try:
            if self._client is not None:
                self._client.close()
                self.store.save_waits(self._client.waits)
        finally:
            self.store.close()

    @cached_property
    def rankings(self) -> Rankings:
        """Ranking, against the archive in the store."""
        return Rankings(self.settings, self.store, self.encoder)

    @cached_property
    def sending(self) -> Sending:
        """Planning, previewing and sending digests."""
        return Sending(self.settings, self.store, self.clock, self.rankings)

    @cached_property
    def running(self) -> Running:
        """The runs of this database: who is at what, and how it ended."""
        return Running(self.settings, self.store, self.clock)

    def send(self, *, dry_run: bool = False, stop: Event | None = None, at_most_s: float = inf) -> SendReport:
        """Plan what is due and deliver what is waiting, as a run that others see (see `Sending.send`)."""
        if dry_run:
            return self.sending.send(dry_run=True)
        with self.running.recorded(SEND) as detail:
            report = self.sending.send(stop=stop, at_most_s=at_most_s)
            detail.update(report.counts())
            if alarm := next((problem for problem in report.problems if problem.startswith("ALARM")), None):
                detail["alarm"] = alarm
        return report

    def watch(self) -> None:
        """Look for troubles that the operator must know of, tell them, and write the figures; nothing fails here."""
        Watch(self.settings, self.store, self.clock, self.running).look()

    @property
    def store_path(self) -> Path:
        """The database file."""
        return self.store.path

    @property
    def maildir_path(self) -> Path:
        """Where the ``maildir`` mailer puts digests."""
        return self.settings.file(self.settings.mail.maildir.path, "Maildir")

    def ensure_secret_key(self) -> None:
        """Make the key that signs message ids, unless there is one."""
        storage.ensure_secret_key(self.settings)

    @cached_property
    def encoder(self) -> CachedEncoder | None:
        """The vector model with the vectors kept in the store; None when it cannot be used."""
        return semantic.encoder(self.settings, self.store)

    @property
    def method(self) -> str:
        """What ranking goes by, in words: words alone (and why), or words and vectors of a model."""
        return semantic.look(self.settings).method

    def unencoded(self, new: int) -> tuple[str, ...]:
        """Return the texts of the newest papers, ``new`` of them at least, that have no vector; none without a model.

        Raises:
            StoreError: in words.
        """
        return self.encoder.without_vector(semantic.newest_texts(self.store, new)) if self.encoder else ()

    def encode(self, texts: Sequence[str], progress: Callable[[str], None]) -> None:
        """Make and keep the vectors of texts, when there is a model.

        Raises:
            ModelError, StoreError: in words; what was made before is kept.
        """
        if self.encoder:
            encoding.encode(texts, self.encoder, progress)

    @property
    def client(self) -> HttpClient:
        """The one HTTP client, which knows what servers asked for in earlier runs."""
        if self._client is None:
            fetch = self.settings.fetch
            self._client = HttpClient(
                contact=fetch.contact or None,
                clock=self.clock,
                waits=self.store.waits(),
                deadline_s=fetch.deadline_s,
            )
        return self._client

    def jobs(self, names: tuple[str, ...], *, since: date | None = None, until: date | None = None) -> tuple[Job, ...]:
        """Return what there is to fetch (see `pipeline.fetching.jobs_for`).

        Raises:
            UsageError: an unknown source; a past day of a source that cannot be asked for one.
        """
        chosen = plugging.configured_sources(self.settings, names)
        if since is not None:
            without = [one.source.name for one in chosen if not one.source.has_days()]
            if names and without:
                raise UsageError(f"source {without[0]!r} cannot be asked for past days", "Leave --date and --since out")
        return tuple(
            fetching.jobs_for(
                chosen,
                self.store,
                now=self.clock(),
                since=since,
                until=until,
                repair_days=self.settings.fetch.repair_days,
            )
        )

    def fetch(self, jobs: Sequence[Job], progress: Progress | None = None) -> FetchReport:
        """Fetch, judge and record, as a run that others see."""
        today = self.clock().date()
        current = sorted({configured.source.name for configured, day in jobs if day in (None, today)})
        with self.running.recorded(FETCH, {"sources": current}) as detail:
            report = self._fetched(jobs, progress)
            detail.update(_counted(report))
        return report

    def fetch_due(self, progress: Progress | None = None) -> FetchReport | None:
        """Fetch the sources whose time has come, unless somebody else does; None when there is nothing to do."""
        run = self.running.begin_fetch()
        if run is None:
            return None
        with self.running.ending(run) as detail:
            report = self._fetched(self.jobs(tuple(run.detail["sources"])), progress)
            detail.update(_counted(report))
        return report

    def _fetched(self, jobs: Sequence[Job], progress: Progress | None) -> FetchReport:
        return fetching.fetch(
            jobs,
            self.store,
            self.client,
            now=self.clock(),
            workers=self.settings.fetch.workers,
            progress=progress,
        )

    def source_for_documents(self, name: str | None, kind: str | None) -> Source:
        """Return the source that documents are read for: a configured one, or one named after its kind.

        Raises:
            UsageError: the source is unknown, or of another kind.
            PluginError: the kind is unknown.
        """
        if name is not None:
            source = plugging.configured_sources(self.settings, (name,))[0].source
            if kind is not None and kind != source.kind:
                raise UsageError(f"source {name!r} is of kind {source.kind}, not {kind}", "Leave --as out")
            return source
        assert kind is not None  # the command line asks for one of the two
        return plugging.make_reader(kind)

    def expand(self, origins: Sequence[str]) -> tuple[str, ...]:
        """Return the documents that ``--from`` names; folders become their files."""
        return tuple(documents.expand(origins))

    def read_document(
        self, source: Source, origin: str, day: date | None = None, *, allow_private: bool = False
    ) -> ListingReport:
        """Read one document into the store; trouble with it is a value in the report."""
        limit = int(self.settings.fetch.max_body_mb * 1e6)
        try:
            document = documents.read(origin, self.client.view(allow_private=allow_private), limit)
        except SourceError as error:
            return fetching.unreadable(source, day, error)
        return fetching.read_document(source, document, self.store, now=self.clock(), day=day)

    def read_sample(self) -> ListingReport:
        """Read the packaged listing, by the same parser as the live page."""
        body = files("paperdigest").joinpath("sample/daily-papers.html").read_bytes()
        document = fetching.Document(name="the packaged listing", body=body)
        return fetching.read_document(plugging.make_reader("huggingface"), document, self.store, now=self.clock())

    def search(self, query: str | None, limit: int) -> SearchResult:
        """Search titles, abstracts and authors.

        Raises:
            QueryError: the query cannot be read.
        """
        return self.store.search(parse_query(query) if query is not None else None, limit)

    def rank_ad_hoc(self, queries: Sequence[str], since: date | None, limit: int) -> Ranking:
        """Rank stored papers for topics that no subscriber has; each query is one, named after itself.

        Raises:
            QueryError: a query cannot be read.
        """
        first = datetime.combine(since, datetime.min.time(), UTC) if since else datetime.min.replace(tzinfo=UTC)
        papers = self.store.papers_first_seen(first)
        return self.rankings.ad_hoc(queries, papers, limit, self.clock().date())

    def why(self, paper: StoredPaper, email: str) -> Explanation:
        """Say what becomes of a paper in the digest a subscriber would get now.

        Raises:
            NotFoundError: no such subscriber.
        """
        return self.sending.why(email, paper)

    def sources_overview(self) -> tuple[SourceOverview, ...]:
        """Return every configured source with its last listing."""
        rows = []
        for table in self.settings.sources:
            stored = self.store.listings(table.name, period=None)
            last = stored[-1] if stored else None
            row = SourceOverview(name=table.name, kind=table.kind, enabled=table.enabled)
            rows.append(
                replace(row, listed_on=last.listed_on, state=last.state, note=last.note) if last is not None else row
            )
        return tuple(rows)

    def check_sources(self, names: tuple[str, ...]) -> FetchReport:
        """Ask each source for its current listing and store nothing."""
        chosen = plugging.configured_sources(self.settings, names)
        return FetchReport(listings=tuple(self._check(one) for one in chosen))

    def _check(self, configured: ConfiguredSource) -> ListingReport:
        return fetching.look(configured, self.client, now=self.clock())


def _counted(report: FetchReport) -> dict[str, int]:
    """Return how many listings came into which state, and how many papers were new."""
    states = Counter(one.state.value for one in report.listings)
    return {**states, "new": sum(one.new for one in report.listings)}
