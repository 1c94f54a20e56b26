"""The commands ``subscriber export``, ``erase`` and ``unsuppress``, and what others say of suppressed addresses."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

import click

from paperdigest.cli.output import as_json, clean, json_option
from paperdigest.cli.session import Session, pass_session
from paperdigest.errors import AlreadyExistsError, UsageError
from paperdigest.types import Subscriber, SubscriberStatus

if TYPE_CHECKING:
    from paperdigest.app import App
    from paperdigest.store.suppressions import Suppression

__all__ = [
    "admit",
    "confirm_removal",
    "erase",
    "export",
    "how_to_lift",
    "suppressed_now",
    "suppression_fields",
    "unsuppress",
]


@click.command()
@click.argument("email")
@pass_session
def export(session: Session, email: str) -> None:
    """Print everything that is stored about one subscriber, as JSON."""
    from paperdigest.store.personal import Personal

    app = session.app()
    stored = Personal(app.store.database).export(email)
    as_json({"email": email, "exported_at": app.clock(), "stored": stored})


@click.command()
@click.argument("email")
@click.option("--yes", is_flag=True, help="Do not ask; needed where there is no terminal to ask on.")
@json_option
@pass_session
def erase(session: Session, email: str, yes: bool, as_json_: bool) -> None:
    """Remove a subscriber and every trace of the address, down to the bytes of the database file.

    What stays when the address was suppressed is a keyed hash of it, so that nobody mails it again by mistake. Backups,
    and mails that have left, are beyond reach.
    """
    from paperdigest.store.personal import Personal

    app = session.app()
    if not yes and not confirm_removal(app, email):
        hint = f"If you mean it: paperdigest subscriber erase {clean(email)} --yes"
        raise UsageError("nothing is erased: there is no terminal to ask on", hint)
    kept = suppression_of(app, email) is not None
    erased = Personal(app.store.database).erase(email)
    if as_json_:
        as_json({"erased": erased, "hash_kept": kept})
        return
    click.echo("erased: " + ", ".join(f"{count} of {name}" for name, count in erased.items()))
    if kept:
        click.echo("kept: a keyed hash of the address, so that no mail goes there (subscriber unsuppress EMAIL)")


def confirm_removal(app: App, email: str) -> bool:
    """Ask whether somebody is to be removed for good; False where there is no terminal to ask on.

    Raises:
        NotFoundError: there is nobody of that address.
        click.exceptions.Exit: the answer was no.
    """
    known = app.subscribers.get(email)
    if not sys.stdin.isatty():
        return False
    question = f"Remove {clean(known.email)} with everything stored about them? There is no way back"
    if not click.confirm(question, err=True):
        click.echo("nothing is removed", err=True)
        raise click.exceptions.Exit(130)
    return True


@click.command()
@click.argument("email")
@json_option
@pass_session
def unsuppress(session: Session, email: str, as_json_: bool) -> None:
    """Let mail go to an address again to which it had stopped.

    Do so when its owner asks for it: after a complaint it is their word that counts.
    """
    from paperdigest.app.bounces import bounces_of

    app = session.app()
    lifted = bounces_of(app.settings, app.store).suppressions.lift(email)
    if as_json_:
        as_json({"email": email, "lifted": suppression_fields(lifted)})
    elif lifted is None:
        click.echo(f"{clean(email)} was not suppressed")
    else:
        click.echo(f"mail goes to {clean(email)} again; what stood against it: {clean(lifted.sentence())}")


def admit(app: App, email: str, *, lift: bool) -> None:
    """See that an address may be added; with ``lift`` whatever stood against it is forgotten.

    Raises:
        AlreadyExistsError: it is there, spelt otherwise: the same mailbox nearly everywhere, and two mails a day.
        UsageError: mail to it has stopped.
    """
    from paperdigest.app.bounces import bounces_of

    if (other := app.subscribers.spelt_otherwise(email)) is not None:
        raise AlreadyExistsError("subscriber", other, "Change them with `paperdigest subscriber set EMAIL`")
    suppressions = bounces_of(app.settings, app.store).suppressions
    found = suppressions.of(email)
    if found is None:
        return
    if lift:
        suppressions.lift(email)
    elif found.holds(app.clock()):
        raise UsageError(found.sentence(), "If its owner asks for it now: subscriber add … --lift")


def suppressed_now(app: App) -> dict[int, Suppression]:
    """Return why no mail goes to subscribers now, by number; the others are left out."""
    from paperdigest.app.bounces import bounces_of

    return bounces_of(app.settings, app.store).suppressions.standing(app.clock())


def how_to_lift(one: Subscriber) -> str:
    """Say how mail is let go to a suppressed subscriber again."""
    again = f" and subscriber set {one.email} --confirmed" * (one.status is SubscriberStatus.UNSUBSCRIBED)
    return f"when they ask for mail: subscriber unsuppress {one.email}{again}"


def suppression_of(app: App, email: str) -> Suppression | None:
    """Return why no mail goes to an address now; None when it does."""
    from paperdigest.app.bounces import bounces_of

    found = bounces_of(app.settings, app.store).suppressions.of(email)
    return found if found is not None and found.holds(app.clock()) else None


def suppression_fields(found: Suppression | None) -> dict[str, Any] | None:
    """Return the JSON fields of a suppression."""
    if found is None:
        return None
    return {
        "reason": found.reason,
        "since_at": found.since_at,
        "until_at": found.until_at,
        "detail": found.detail,
    }
