"""The command ``outbox``: what waits, what is in doubt, what was given up, and what to try again."""

from __future__ import annotations

from dataclasses import asdict
from datetime import datetime
from typing import TYPE_CHECKING

import click

from paperdigest.cli.output import as_json, clean, json_option, table
from paperdigest.cli.session import Session, pass_session
from paperdigest.errors import UsageError
from paperdigest.types import Delivery, DeliveryState

if TYPE_CHECKING:
    from paperdigest.app.outbox import DeliveryView, OutboxDesk
    from paperdigest.store.outbox import Overview, Retried

__all__ = ["outbox"]


@click.group(invoke_without_command=True)
@json_option
@click.pass_context
def outbox(context: click.Context, as_json_: bool) -> None:
    """Show how many deliveries are in each state, what waits, and what is paused."""
    if context.invoked_subcommand is not None:
        if as_json_:
            raise UsageError("--json belongs behind the subcommand", "Write e.g. `paperdigest outbox doubt --json`")
        return
    overview = _desk(context.find_object(Session)).overview()
    if as_json_:
        as_json(
            {
                "counts": dict(overview.counts),
                "due": overview.due,
                "oldest_at": overview.oldest_at,
                "pauses": [asdict(one) for one in overview.pauses],
                "waiting": [asdict(one) for one in overview.waiting],
            }
        )
    else:
        _show_overview(overview)


def _show_overview(overview: Overview) -> None:
    from paperdigest.store.pauses import MAIL
    from paperdigest.store.storms import STORM

    paused = {MAIL: "all sending is paused", STORM: "bounce storm (paperdigest bounce --storm show)"}
    table(
        ("state", "deliveries"), [(state.replace("_", " "), count) for state, count in overview.counts.items()], wrap=0
    )
    for pause in overview.pauses:
        since, until = _moment(pause.since_at), _moment(pause.until_at)
        what = paused.get(pause.name, f"{pause.name} is paused")
        click.echo(f"{clean(what)}, since {since} until {until}: {clean(pause.reason)}")
    if overview.oldest_at is not None:
        waiting = sum(overview.counts[state.value] for state in (DeliveryState.PLANNED, DeliveryState.DEFERRED))
        is_paused = any(one.name == MAIL for one in overview.pauses)
        due = f"{waiting} wait for that, or for paperdigest outbox resume" if is_paused else f"{overview.due} due now"
        click.echo(f"{due}; the oldest that waits was composed at {_moment(overview.oldest_at)}")
    if overview.waiting:
        click.echo("")
        rows = [(one.deliveries, one.state, _moment(one.next_attempt_at), one.reason) for one in overview.waiting]
        table(("waiting", "state", "next attempt", "what for"), rows, wrap=3)
    if overview.counts[DeliveryState.IN_DOUBT.value]:
        click.echo("what is in doubt, and what to do: paperdigest outbox doubt")
    if overview.counts[DeliveryState.FAILED.value] or overview.counts[DeliveryState.EXPIRED.value]:
        click.echo("what was given up, and why: paperdigest outbox failed")


@outbox.command("doubt")
@json_option
@pass_session
def doubt(session: Session, as_json_: bool) -> None:
    """List the mails that may or may not have arrived, and what to do about each."""
    found = _desk(session).doubts()
    if as_json_:
        as_json({"doubts": [one.fields() for one in found]})
        return
    if not found:
        click.echo("nothing is in doubt")
        return
    rows = [
        (
            one.doubt.delivery.id,
            one.doubt.delivery.edition,
            one.doubt.delivery.email,
            one.doubt.delivery.attempts,
            _moment(one.doubt.since_at),
            one.advice,
        )
        for one in found
    ]
    table(("id", "edition", "subscriber", "attempts", "since", "what to do"), rows, wrap=5)


@outbox.command("failed")
@json_option
@pass_session
def failed(session: Session, as_json_: bool) -> None:
    """List the mails that failed or expired, the newest hundred, and why."""
    found = _desk(session).given_up()
    if as_json_:
        as_json({"deliveries": [_shown(one) for one in found]})
        return
    if not found:
        click.echo("nothing failed, and nothing expired")
        return
    rows = [
        (one.id, one.edition, one.email, one.state.value, _answer(one.phase, one.code, one.status, one.detail))
        for one in found
    ]
    table(("id", "edition", "subscriber", "state", "last answer"), rows, wrap=4)


def _shown(delivery: Delivery) -> dict[str, object]:
    names = (
        "id",
        "email",
        "edition",
        "state",
        "attempts",
        "expires_at",
        "message_id",
        "phase",
        "code",
        "status",
        "detail",
    )
    return {name: getattr(delivery, name) for name in names}


@outbox.command("arrived")
@click.argument("numbers", metavar="ID...", nargs=-1, required=True, type=click.IntRange(min=1))
@json_option
@pass_session
def arrived(session: Session, numbers: tuple[int, ...], as_json_: bool) -> None:
    """Take mails in doubt for sent: you have asked, and they came. Others are refused (exit code 4)."""
    found = _desk(session).arrived(numbers)
    if as_json_:
        refused = [{"id": number, "reason": reason} for number, reason in found.refused]
        as_json({"arrived": list(found.arrived), "refused": refused})
    else:
        for number, reason in found.refused:
            click.echo(f"delivery {number} {reason}", err=True)
        click.echo(f"{len(found.arrived)} in doubt no more: sent")
    if found.refused:
        raise click.exceptions.Exit(4)


@outbox.command("resume")
@json_option
@pass_session
def resume(session: Session, as_json_: bool) -> None:
    """Let sending go on at once, when what made it rest is mended.

    What recipients' servers asked to have later keeps its time.
    """
    pause, hastened = _desk(session).resume()
    if as_json_:
        as_json({"ended": None if pause is None else asdict(pause), "hastened": hastened})
        return
    if pause is None:
        click.echo("sending is not paused")
    else:
        click.echo(f"sending goes on with the next `paperdigest send`; it rested for: {clean(pause.reason)}")
    if hastened:
        click.echo(f"{hastened} that waited for a later try are due now")


@outbox.command("retry")
@click.argument("numbers", metavar="ID...", nargs=-1, type=click.IntRange(min=1))
@click.option("--failed", "every", flag_value=DeliveryState.FAILED, type=DeliveryState, help="All that failed.")
@click.option("--doubt", "every", flag_value=DeliveryState.IN_DOUBT, type=DeliveryState, help="All that are in doubt.")
@json_option
@pass_session
def retry(session: Session, numbers: tuple[int, ...], every: DeliveryState | None, as_json_: bool) -> None:
    """Let deliveries be tried again at the next run, also those given up.

    What was sent, or goes to somebody who gets no mail now, is refused (exit code 4); --failed and --doubt leave the
    latter out. The papers of a digest that was given up may have come in a later one.
    """
    if bool(numbers) == (every is not None):
        problem = "deliveries and a state are named at once" if numbers else "nothing is named to be tried again"
        raise UsageError(problem, "Name deliveries by their id, or --failed, or --doubt")
    desk = _desk(session)
    retried = desk.retry_all(every) if every is not None else desk.retry(numbers)
    _show_retried(retried, as_json_=as_json_)
    if retried.retried and not as_json_ and (pause := desk.pause()) is not None:
        click.echo(f"all sending is paused until {_moment(pause.until_at)}; to end that: paperdigest outbox resume")
    if retried.refused:
        raise click.exceptions.Exit(4)


def _show_retried(retried: Retried, *, as_json_: bool) -> None:
    if as_json_:
        refused = [{"id": number, "reason": reason} for number, reason in retried.refused]
        as_json({"retried": list(retried.retried), "refused": refused, "left_out": retried.left_out})
        return
    for number, reason in retried.refused:
        click.echo(f"delivery {number} {reason}", err=True)
    click.echo(f"{len(retried.retried)} to be tried at the next `paperdigest send`")
    if retried.left_out:
        click.echo(f"{retried.left_out} left out: their subscribers are suppressed or not active (subscriber list)")


@outbox.command("show")
@click.argument("number", metavar="ID", type=click.IntRange(min=1))
@json_option
@pass_session
def show(session: Session, number: int, as_json_: bool) -> None:
    """Show everything about one delivery: its state, attempts, papers and headers."""
    found = _desk(session).show(number)
    if as_json_:
        as_json(found.fields())
    else:
        _show_delivery(found)


def _show_delivery(found: DeliveryView) -> None:
    delivery = found.delivery
    click.echo(
        f"delivery {delivery.id}: edition {delivery.edition} for {clean(delivery.email)}, {delivery.state.value}"
    )
    lines = {
        "attempts": delivery.attempts,
        "sent": _moment(delivery.sent_at),
        "next attempt": _moment(delivery.next_attempt_at) if delivery.sent_at is None else None,
        "expires": _moment(delivery.expires_at) if delivery.sent_at is None else None,
        "last answer": _answer(delivery.phase, delivery.code, delivery.status, delivery.detail),
    }
    for name, value in lines.items():
        if value:
            click.echo(f"  {name}: {value}")
    if found.attempts:
        click.echo("\nAttempts that did not simply succeed")
        rows = [
            (one.number, _moment(one.ended_at), one.state.value, _answer(one.phase, one.code, one.status, one.detail))
            for one in found.attempts
        ]
        table(("no.", "ended", "state", "answer"), rows, wrap=3)
    click.echo("\nPapers")
    papers = [
        (one.position, one.paper, one.topic or one.placement, found.titles.get(one.position, "")) for one in found.items
    ]
    table(("no.", "paper", "topic", "title"), papers, wrap=3)
    click.echo(f"\nHeaders ({'as it was sent' if found.is_kept else 'as it would be sent now'})")
    for name, value in found.headers:
        click.echo(f"  {clean(name)}: {clean(value)}")
    if found.problem:
        click.echo(f"  {clean(found.problem)}")


def _answer(phase: object, code: int | None, status: str | None, detail: str | None) -> str:
    parts = [str(part) for part in (phase, code, status) if part]
    return clean(" ".join([*parts, detail or ""]).strip())


def _moment(moment: datetime | None) -> str | None:
    return None if moment is None else f"{moment:%Y-%m-%d %H:%M} UTC"


def _desk(session: Session | None) -> OutboxDesk:
    from paperdigest.app.outbox import OutboxDesk

    assert session is not None  # the root command makes it
    app = session.app()
    return OutboxDesk(app.settings, app.store, app.clock)
