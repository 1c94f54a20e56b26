"""The command ``fetch``."""

from __future__ import annotations

import dataclasses
from collections import Counter
from collections.abc import Iterator
from datetime import date
from typing import TYPE_CHECKING, Any

import click

from paperdigest.cli.fetch_arguments import FetchArguments
from paperdigest.cli.output import as_json, json_option, progress_bar, table
from paperdigest.cli.session import Session, pass_session
from paperdigest.errors import ModelError, PluginError, StoreError, UsageError

if TYPE_CHECKING:
    from paperdigest.app import App
    from paperdigest.pipeline.fetching import FetchReport, ListingReport

__all__ = ["fetch"]


class IsoDate(click.ParamType[date]):
    """A calendar date, YYYY-MM-DD."""

    name = "YYYY-MM-DD"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> date:
        """Read the date or fail in words."""
        if isinstance(value, date):
            return value
        try:
            return date.fromisoformat(value)
        except ValueError:
            self.fail(f"{value!r} is no date; write it like 2026-04-15", param, ctx)


@click.command()
@click.argument("names", metavar="[SOURCE]...", nargs=-1)
@click.option("--date", "day", type=IsoDate(), help="The day of the listing (with --from: the day of the document).")
@click.option("--since", type=IsoDate(), help="Back-fill from this day on; days that are well stored are left out.")
@click.option("--until", type=IsoDate(), help="Back-fill up to this day (default: today).")
@click.option(
    "--from", "origins", metavar="FILE|DIR|URL|-", multiple=True, help="Read documents instead of asking the source."
)
@click.option("--as", "kind", metavar="KIND", help="What they are: huggingface, arxiv, feed, text-dump, or a plug-in.")
@click.option("--allow-private", is_flag=True, help="With --from URL: the address may lie in a local network.")
@json_option
@pass_session
def fetch(
    session: Session,
    names: tuple[str, ...],
    day: date | None,
    since: date | None,
    until: date | None,
    origins: tuple[str, ...],
    kind: str | None,
    allow_private: bool,
    as_json_: bool,
) -> None:
    """Read listings into the store.

    Without arguments every enabled source is asked for its current listing, and days of the last week
    that are missing, partial or failed are fetched again. Exit code 3 says that at least one listing is
    partial, stale or failed; the others are stored all the same.

    \b
    paperdigest fetch                                        what cron runs
    paperdigest fetch huggingface --since 2026-01-01         back-fill; run again to go on
    paperdigest fetch --from page.html --as huggingface      a saved page, or a folder of them
    curl -s URL | paperdigest fetch --from - --as feed
    """  # noqa: D301 - click needs the real backspace character
    given = FetchArguments(
        names=names, day=day, since=since, until=until, origins=origins, kind=kind, allow_private=allow_private
    )
    given.check(session.now.date())
    given.check_names([table.name for table in session.settings.sources])
    from paperdigest import logs

    app = session.app(create=True)
    if origins:
        report = _from_documents(session, names, day, origins, kind, allow_private=allow_private)
    else:
        if day is not None:
            since = until = day
        jobs = app.jobs(names, since=since, until=until)
        if not jobs:
            session.say(_nothing(session, given))
        with progress_bar(len(jobs), "fetching") as step:
            report = app.fetch(jobs, progress=lambda done: step(f"{done.source} {done.listed_on}"))
    _encode(session, app, sum(listing.new for listing in report.listings))
    if as_json_:
        as_json({"listings": [listing_fields(listing) for listing in report.listings]})
        for listing in report.listings:
            if listing.error:
                session.say(listing.error)
    else:
        show(report)
    if not origins:
        logs.configure(session.settings.log.format)
        app.watch()
    if not report.is_good:
        raise click.exceptions.Exit(3)


def _encode(session: Session, app: App, new: int) -> None:
    """Give new papers their vectors. Trouble with it is told and is no trouble of the fetch."""
    try:
        texts = app.unencoded(new)
        with progress_bar(len(texts), "encoding") as step:
            app.encode(texts, lambda _text: step("encoding"))
    except (ModelError, StoreError) as error:
        session.say(f"the papers are stored, but not all of them have vectors: {error}")


def _nothing(session: Session, given: FetchArguments) -> str:
    """Say why there is nothing to fetch."""
    if not given.names and not any(table.enabled for table in session.settings.sources):
        return "nothing to fetch: no source is enabled; the settings name them in [[sources]] tables"
    if given.since is None:
        return "nothing to fetch"
    days = f"from {given.since} to {given.until or session.now.date()}"
    return f"nothing to fetch {days}: each day is stored well, has no listing, or belongs to a source without past days"


def _from_documents(
    session: Session,
    names: tuple[str, ...],
    day: date | None,
    origins: tuple[str, ...],
    kind: str | None,
    *,
    allow_private: bool,
) -> FetchReport:
    from paperdigest.pipeline.fetching import FetchReport

    app = session.app(create=True)
    try:
        source = app.source_for_documents(names[0] if names else None, kind)
    except PluginError as error:
        if not error.known:
            raise
        raise UsageError(f"--as {kind}: there is no such kind of source", f"Known: {', '.join(error.known)}") from error
    places = tuple(app.expand(origins))
    if day is not None and len(places) > 1:
        hint = "Leave --date out: as a rule a document says its day; or read them one by one"
        raise UsageError(f"--date is the day of one document, and --from names {len(places)}", hint)

    def reports() -> Iterator[ListingReport]:
        with progress_bar(len(places), "reading") as step:
            for place in places:
                report = app.read_document(source, place, day, allow_private=allow_private)
                step(place)
                yield report

    return FetchReport(listings=tuple(reports()))


def listing_fields(report: ListingReport) -> dict[str, Any]:
    """Return the JSON fields of one listing (fixed: other programs rely on them)."""
    return dataclasses.asdict(report)


def show(report: FetchReport) -> None:
    """Print what became of each listing; many good ones are summed up."""
    listings = report.listings
    if not listings:
        return
    shown = [one for one in listings if one.state != "complete"] if len(listings) > 40 else list(listings)
    rows = [
        (one.source, one.listed_on, one.state, one.entries, one.new, one.updated, one.error or one.note)
        for one in shown
    ]
    if rows:
        table(("source", "listed on", "state", "entries", "new", "updated", "note"), rows, wrap=6)
    if len(listings) > 1:
        states = Counter(str(one.state) for one in listings)
        click.echo(
            f"{len(listings)} listings: {', '.join(f'{count} {state}' for state, count in sorted(states.items()))}; "
            f"{sum(one.entries for one in listings)} entries, {sum(one.new for one in listings)} new papers, "
            f"{sum(one.updated for one in listings)} updated"
        )
