"""The commands ``papers`` and ``rank``: search, and ranking without a subscriber."""

from __future__ import annotations

from datetime import date

import click

from paperdigest.cli.fetch import IsoDate
from paperdigest.cli.output import as_json, json_option, paper_fields, table
from paperdigest.cli.session import Session, pass_session
from paperdigest.types import RankedPaper, StoredPaper

__all__ = ["papers", "rank", "ranked_fields", "show_ranked"]


_LANGUAGE = """\b
Queries:
  trace                    the word and its inflections, in title or abstract
  trac*                    words that begin so
  =TRACE ="Exact Words"    letter by letter
  "software traceability"  words next to each other
  title:trace abstract:"large model" author:"Jane Doe" cat:cs.SE source:NAME
  +must -never word^2 ( this OR that )
Keywords add up: any may match. ^2 counts for ranking only.
"""


@click.command(epilog=_LANGUAGE)
@click.argument("query", required=False)
@click.option("--limit", default=20, show_default=True, type=click.IntRange(1, 100_000), help="At most so many papers.")
@json_option
@pass_session
def papers(session: Session, query: str | None, limit: int, as_json_: bool) -> None:
    """Search the stored papers, best match first; without QUERY the newest.

    Quote the query for the shell: 'trace "software traceability" -hardware'.
    """
    found = session.app().search(query, limit)
    if as_json_:
        as_json({"total": found.total, "papers": [paper_fields(stored) for stored in found.papers]})
        return
    table(
        ("id", "published", "title", "listed in"),
        [(stored.paper.id, _day(stored), stored.paper.title, _sources(stored)) for stored in found.papers],
        wrap=2,
    )
    click.echo(f"{len(found.papers)} of {found.total} papers")
    if query is not None and not found.total:
        session.say("words are looked for in title and abstract; an author is found with author:NAME")


@click.command(epilog=_LANGUAGE)
@click.argument("queries", metavar="QUERY...", nargs=-1, required=True)
@click.option("--since", type=IsoDate(), help="Only papers first seen on this day or later (default: all).")
@click.option("--limit", default=10, show_default=True, type=click.IntRange(1, 1000), help="At most so many papers.")
@json_option
@pass_session
def rank(session: Session, queries: tuple[str, ...], since: date | None, limit: int, as_json_: bool) -> None:
    """Rank stored papers for ad-hoc topics: each QUERY is one topic."""
    app = session.app()
    ranking = app.rank_ad_hoc(queries, since, limit)
    if as_json_:
        as_json({"ranked": [ranked_fields(one) for one in ranking.ranked]})
    else:
        show_ranked(ranking.ranked)
    session.say(f"ranked {ranking.method}")
    for problem in app.rankings.problems:
        session.say(problem)


def ranked_fields(one: RankedPaper) -> dict[str, object]:
    """Return the JSON fields of a ranked paper (fixed: other programs rely on them)."""
    paper = one.stored.paper
    return {
        "id": str(paper.id),
        "title": paper.title,
        "score": round(one.score, 6),
        "topic": one.topic,
        "reasons": [reason.text for reason in one.deciding],
    }


def show_ranked(ranked: tuple[RankedPaper, ...]) -> None:
    """Print places, scores and reasons."""
    if not ranked:
        click.echo("no stored paper matches; try other words, or `paperdigest fetch` first")
        return
    rows = [
        (
            place,
            f"{one.score:.2f}",
            one.topic,
            f"{one.stored.paper.title} — {'; '.join(reason.text for reason in one.deciding)}",
        )
        for place, one in enumerate(ranked, start=1)
    ]
    table(("", "score", "topic", "paper — why"), rows, wrap=3)


def _day(stored: StoredPaper) -> str:
    published = stored.paper.published_at
    return published.date().isoformat() if published else "unknown"


def _sources(stored: StoredPaper) -> str:
    return ", ".join(sorted({entry.source for entry in stored.entries}))
