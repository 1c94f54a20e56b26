"""The commands ``digest`` (a preview) and ``send``."""

from __future__ import annotations

import logging
import sys

import click

from paperdigest.cli.output import as_json, json_option
from paperdigest.cli.papers import ranked_fields
from paperdigest.cli.session import Session, pass_session
from paperdigest.cli.stopping import stopped_by_signals

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
    """Preview what a subscriber would get now: their digest, or the note of a quiet day. Nothing is stored or sent.

    When no mail would go to them, standard error says so and why.
    """
    app = session.app()
    preview = app.sending.preview(email)
    composed = preview.digest
    if as_json_ or form == "json":
        as_json(
            {
                "email": composed.subscriber.email,
                "edition": composed.edition,
                "considered": composed.considered,
                "ranked": [ranked_fields(one) for one in composed.ranked],
                "quiet": list(preview.quiet),
                "obstacles": list(preview.obstacles),
            }
        )
        return
    for why in preview.obstacles:
        session.say(f"no mail would be sent: {why}")
    if preview.quiet and not composed.quiet:
        for sentence in preview.quiet:
            session.say(f"  {sentence}")
        return
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
