"""The command ``bounce``."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from paperdigest.cli.output import as_json, json_option
from paperdigest.cli.session import Session, pass_session
from paperdigest.errors import PaperDigestError, UsageError

__all__ = ["bounce"]

EX_TEMPFAIL = 75
"""Of sysexits.h: a mail server that pipes a message to us keeps it and tries again."""

_DRAINED_BYTES = 100_000_000


@click.command()
@click.option("--recipient", "recipients", multiple=True, metavar="ADDRESS", help="Whom the envelope names.")
@click.option("--maildir", type=click.Path(file_okay=False, path_type=Path), help="Take in what waits in a Maildir.")
@click.option("--imap", is_flag=True, help="Take in what waits on the IMAP server of [mail.bounces].")
@click.option("--storm", type=click.Choice(["show", "accept", "dismiss"]), help="Look at a bounce storm, or end it.")
@json_option
@pass_session
def bounce(
    session: Session,
    recipients: tuple[str, ...],
    maildir: Path | None,
    imap: bool,
    storm: str | None,
    as_json_: bool,
) -> None:
    """Take in mails that came back, complaints, and wishes to be unsubscribed.

    Without an option one message is read from standard input, as a mail server pipes it: exit code 75 asks it to try
    again later. All of it may be repeated: the same report twice counts once.
    """
    if sum((maildir is not None, imap, storm is not None)) > 1:
        raise UsageError("--maildir, --imap and --storm are different things", "Give one of them")
    if storm is not None:
        _storm(session, storm, as_json_=as_json_)
    elif maildir is not None or imap:
        _collect(session, maildir, as_json_=as_json_)
    else:
        _one(session, recipients, as_json_=as_json_)


def _one(session: Session, recipients: tuple[str, ...], *, as_json_: bool) -> None:
    from paperdigest.app.bounces import Intake
    from paperdigest.bounces.reading import MAX_BYTES

    if sys.stdin.isatty():
        raise UsageError("no message on standard input", "Write `paperdigest bounce < MESSAGE`, or name --maildir")
    content = sys.stdin.buffer.read(MAX_BYTES)
    _drain()
    try:
        app = session.app()
        with Intake(app.settings, app.store, app.clock) as intake:
            intake.take(content, recipients)
    except (PaperDigestError, OSError) as error:
        # Whatever is wrong is ours to mend: any other code would make the mail server return the report, to nobody.
        session.say(f"paperdigest: {error}")
        raise click.exceptions.Exit(EX_TEMPFAIL) from error
    _tell(session, intake.report.fields(), intake.report.sentence(), as_json_=as_json_)


def _drain() -> None:
    """Read on to the end: a mail server may take a closed pipe for a failure."""
    left = _DRAINED_BYTES
    while left > 0 and (chunk := sys.stdin.buffer.read(65_536)):
        left -= len(chunk)


def _collect(session: Session, maildir: Path | None, *, as_json_: bool) -> None:
    from paperdigest.app.bounces import Intake

    app = session.app()
    with Intake(app.settings, app.store, app.clock) as intake:
        try:
            if maildir is not None:
                intake.take_maildir(maildir)
            else:
                intake.take_imap()
        finally:
            _tell(session, intake.report.fields(), intake.report.sentence(), as_json_=as_json_)


def _tell(session: Session, fields: dict[str, object], sentence: str, *, as_json_: bool) -> None:
    if as_json_:
        as_json(fields)
    else:
        click.echo(sentence)
    for problem in fields["problems"] if isinstance(fields["problems"], list) else []:
        session.say(problem)


def _storm(session: Session, wish: str, *, as_json_: bool) -> None:
    from paperdigest.app.bounces import bounces_of

    app = session.app()
    storms = bounces_of(app.settings, app.store).storms
    now = app.clock()
    found = storms.at(now)
    suppressed = storms.end(now, accept=wish == "accept") if wish != "show" else 0
    if as_json_:
        as_json(
            {
                "storm": {"since_at": found.since_at, "until_at": found.until_at, "held": found.held}
                if found
                else None,
                "suppressed": suppressed,
                "ended": found is not None and wish != "show",
            }
        )
    elif found is None:
        click.echo("there is no bounce storm")
    elif wish == "show":
        click.echo(
            f"since {found.since_at:%Y-%m-%d %H:%MZ} too many mails come back; {found.held} mailboxes are called gone"
        )
        click.echo("is the mail server broken?   paperdigest bounce --storm dismiss   (nobody is suppressed)")
        click.echo("are they really gone?        paperdigest bounce --storm accept    (no mail to them any more)")
        click.echo(f"otherwise it is over at {found.until_at:%Y-%m-%d %H:%MZ}, and whoever is gone bounces again")
    else:
        click.echo(f"the storm is over; {suppressed} suppressed")
