"""The commands ``digest`` (a preview) and ``send``."""

from __future__ import annotations

import logging
import sys

import click

from paperdigest.cli.output import as_json, json_option
from paperdigest.cli.papers import ranked_fields
from paperdigest.cli.session import Session, pass_session
from paperdigest.cli.stopping import stopped_by_signals
from paperdigest.types import OnEmpty

__all__ = ["digest", "send"]


@click.command()
@click.argument("email")
@click.option(
    "--format",
    "form",
    type=click.Choice(["text", "html", "eml", "json"]),
    default="text",
    show_default=True,
    help="What to print.",
)
@click.option("--json", "as_json_", is_flag=True, help="Same as --format json.")
@pass_session
def digest(session: Session, email: str, form: str, as_json_: bool) -> None:
    """Preview the digest a subscriber would get now. Nothing is stored or sent."""
    app = session.app()
    composed = app.sending.preview(email)
    if as_json_ or form == "json":
        as_json(
            {
                "email": composed.subscriber.email,
                "edition": composed.edition,
                "considered": composed.considered,
                "ranked": [ranked_fields(one) for one in composed.ranked],
            }
        )
        return
    if not composed.ranked:
        wants_note = composed.subscriber.on_empty is OnEmpty.NOTE
        instead = "a note would say so" if wants_note else "no digest would be sent"
        session.say(f"nothing matched among {composed.considered} papers: {instead}")
    sys.stdout.buffer.write(app.sending.rendered(composed, form))
    sys.stdout.flush()


@click.command()
@click.option("--dry-run", is_flag=True, help="Count what would be planned and delivered; do neither.")
@json_option
@pass_session
def send(session: Session, dry_run: bool, as_json_: bool) -> None:
    """Plan what is due, then deliver what is waiting.

    Made for cron: run it as often as you like, two at once do no harm. Each subscriber gets one digest
    per local date; what could not be delivered is tried again later. SIGTERM and Ctrl-C let mails in flight
    be finished and leave the rest to the next run. Exit code 5 when a delivery failed for good or was given up.
    """
    from paperdigest import logs

    logs.configure(session.settings.log.format)
    app = session.app()
    with stopped_by_signals() as stop:
        report = app.send(dry_run=dry_run, stop=stop)
    if as_json_:
        as_json(report.fields())
    else:
        for line in report.sentences():
            click.echo(line)
    for problem in report.problems:
        _tell(session, problem)
    if not dry_run:
        app.watch()
    if report.failed or report.expired:
        raise click.exceptions.Exit(5)


def _tell(session: Session, problem: str) -> None:
    """Say what went wrong: to a person in plain words, else as a record of the log."""
    if session.settings.log.format == "text":
        from paperdigest.logs import masked

        session.say(masked(problem))
    else:
        logging.getLogger(__name__).warning("%s", problem)
