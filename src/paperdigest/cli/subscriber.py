"""The command ``subscriber``."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import date
from typing import TYPE_CHECKING, Any

import click

from paperdigest.cli.fetch import IsoDate
from paperdigest.cli.judgements import (
    check_bare,
    dislike,
    judgement_fields,
    judgement_lines,
    like,
    prepare_seeds,
    seed_options,
)
from paperdigest.cli.output import as_json, clean, json_option, table
from paperdigest.cli.personal import (
    admit,
    confirm_removal,
    erase,
    export,
    how_to_lift,
    suppressed_now,
    suppression_fields,
    unsuppress,
)
from paperdigest.cli.session import Session, pass_session
from paperdigest.cli.topics import changed_topics
from paperdigest.errors import UsageError
from paperdigest.schedule import DAY_NAMES, format_days, parse_at, parse_days, parse_zone
from paperdigest.types import Judgement, OnEmpty, Schedule, Subscriber, SubscriberStatus

if TYPE_CHECKING:
    from paperdigest.store.suppressions import Suppression

__all__ = ["subscriber"]

_USUAL = {"weight": 1.0, "quota": None, "threshold": None}
_NUMBERS = tuple(_USUAL)


@click.group()
def subscriber() -> None:
    """Add, change, pause, list, show and remove subscribers."""


subscriber.add_command(like)
subscriber.add_command(dislike)
subscriber.add_command(export)
subscriber.add_command(erase)
subscriber.add_command(unsuppress)


def _shared_options(command: Any) -> Any:
    options = (
        click.option("--topic", "topics", multiple=True, metavar="[NAME=]QUERY", help="One topic; repeat for several."),
        seed_options,
        _number_option("weight", "How much a topic's scores count (new topics: 1)."),
        _number_option("quota", "A topic's share of the digest's places, 0 to 1 (default: an even share)."),
        _number_option("threshold", "The least score, 0 to 1, that a topic shows (default: the settings' own)."),
        click.option("--name", help="The name shown beside the address."),
        click.option("--at", metavar="HH:MM", help="Local hour of the digest (new subscribers: 07:00)."),
        click.option("--tz", metavar="ZONE", help="IANA time zone, e.g. Europe/Berlin (new subscribers: UTC)."),
        click.option("--days", metavar="DAYS", help="daily, mon-fri, or e.g. mon,wed,fri (new subscribers: daily)."),
        click.option("--max-papers", type=click.IntRange(1, 100), help="At most so many papers a digest."),
        click.option(
            "--on-empty",
            type=click.Choice([one.value for one in OnEmpty]),
            help="On a day without papers: skip it, or send a note that says why (new subscribers: skip).",
        ),
        click.option(
            "--bibtex/--no-bibtex", default=None, help="Attach the papers as a BibTeX file (new subscribers: no)."
        ),
        json_option,
    )
    for option in reversed(options):
        command = option(command)
    return command


def _number_option(name: str, text: str) -> Any:
    return click.option(f"--{name}", f"{name}s", multiple=True, metavar="TOPIC=NUMBER", help=text)


@subscriber.command("add")
@click.argument("email")
@_shared_options
@click.option("--confirmed", is_flag=True, help="They have asked for it: no confirmation is waited for.")
@click.option(
    "--lift", is_flag=True, help="Also when mail to the address had stopped (it bounced, or they complained)."
)
@pass_session
def add(session: Session, /, email: str, confirmed: bool, lift: bool, as_json_: bool, **given: Any) -> None:
    """Add a subscriber.

    Example: subscriber add you@example.org --topic 'trace "software traceability"' --at 07:00
    --tz Europe/Berlin --days mon-fri --confirmed
    """
    if not given["topics"]:
        raise UsageError("a subscriber needs at least one topic", "Add --topic 'words \"and phrases\"'")
    app = session.app(create=True)
    status = SubscriberStatus.ACTIVE if confirmed else SubscriberStatus.PENDING
    fresh = Subscriber(
        email=_address(email), status=status, created_at=session.now, max_papers=app.settings.digest.max_papers
    )
    wanted = _changed(fresh, given)
    said = prepare_seeds(session, given, wanted.topics)
    check_bare(wanted.topics, said)
    admit(app, email, lift=lift)
    stored = app.subscribers.add(wanted)
    app.feedback.add(stored, said)
    _show(stored, app.feedback.of(stored), as_json_=as_json_)
    if not confirmed:
        session.say("pending: no digest is sent before it is confirmed (subscriber set EMAIL --confirmed)")


@subscriber.command("set")
@click.argument("email")
@_shared_options
@click.option(
    "--confirmed", is_flag=True, help="Make one active who is pending or unsubscribed: they have asked for it."
)
@pass_session
def set_(session: Session, /, email: str, confirmed: bool, as_json_: bool, **given: Any) -> None:
    """Change a subscriber; what is not named stays. --topic replaces all topics.

    A topic's number is taken back by NAME=default. Likes and other examples are added to those there are.
    """
    app = session.app()
    known = app.subscribers.get(email)
    if confirmed and known.status in (SubscriberStatus.PENDING, SubscriberStatus.UNSUBSCRIBED):
        known = replace(known, status=SubscriberStatus.ACTIVE)
    wanted = _changed(known, given)
    said = prepare_seeds(session, given, wanted.topics)
    check_bare(wanted.topics, (*app.feedback.of(known), *said))
    stored = app.subscribers.update(wanted)
    orphans = app.feedback.follow(known, stored)
    app.feedback.add(stored, said)
    for name in orphans:
        session.say(f"what was judged for topic {clean(name)!r} teaches nothing now: no topic has that name")
    _show(stored, app.feedback.of(stored), as_json_=as_json_)


@subscriber.command("pause")
@click.argument("email")
@click.option("--until", type=IsoDate(), help="The first day, by their calendar, on which digests come again.")
@json_option
@pass_session
def pause(session: Session, email: str, until: date | None, as_json_: bool) -> None:
    """Send no digests to a subscriber until a day, or until `subscriber resume`.

    The first digest afterwards, one, catches up with what came meanwhile.
    """
    app = session.app()
    known = app.subscribers.get(email)
    _check_confirmed(known)
    if until is None:
        paused = replace(known, status=SubscriberStatus.PAUSED)
    else:
        if until <= session.now.astimezone(parse_zone(known.schedule.tz)).date():
            raise UsageError(f"{until} is no day to come", "Name the first day on which digests come again")
        paused = replace(known, status=SubscriberStatus.ACTIVE, schedule=replace(known.schedule, pause_until=until))
    stored = app.subscribers.update(paused)
    _show(stored, app.feedback.of(stored), as_json_=as_json_)


@subscriber.command("resume")
@click.argument("email")
@json_option
@pass_session
def resume(session: Session, email: str, as_json_: bool) -> None:
    """End a pause now: the next digest catches up with what came meanwhile."""
    app = session.app()
    known = app.subscribers.get(email)
    _check_confirmed(known)
    schedule = replace(known.schedule, pause_until=None)
    stored = app.subscribers.update(replace(known, status=SubscriberStatus.ACTIVE, schedule=schedule))
    _show(stored, app.feedback.of(stored), as_json_=as_json_)


@subscriber.command("list")
@json_option
@pass_session
def list_(session: Session, as_json_: bool) -> None:
    """List the subscribers, and to whom no mail goes although they are active."""
    app = session.app()
    found, stopped = app.subscribers.all(), suppressed_now(app)
    if as_json_:
        rows = [subscriber_fields(one) | {"suppressed": suppression_fields(stopped.get(one.id))} for one in found]
        as_json({"subscribers": rows})
        return
    table(
        ("address", "status", "when", "topics"),
        [
            (one.email, _status(one, stopped.get(one.id)), _when(one), "; ".join(topic.query for topic in one.topics))
            for one in found
        ],
        wrap=3,
    )
    if stopped:
        click.echo("no mail goes to whoever is suppressed; why, and how to undo it: subscriber show EMAIL")


@subscriber.command("show")
@click.argument("email")
@json_option
@pass_session
def show(session: Session, email: str, as_json_: bool) -> None:
    """Show one subscriber, how many papers they like and dislike, and why no mail goes to them."""
    app = session.app()
    one = app.subscribers.get(email)
    stopped = suppressed_now(app).get(one.id)
    if as_json_:
        fields = subscriber_fields(one) | {"judgements": judgement_fields(app.feedback.of(one))}
        as_json(fields | {"suppressed": suppression_fields(stopped)})
        return
    _show(one, app.feedback.of(one), as_json_=False, stopped=stopped)
    if stopped is not None:
        click.echo(f"  {clean(stopped.sentence())}; {clean(how_to_lift(one))}")


@subscriber.command("remove")
@click.argument("email")
@click.option("--yes", is_flag=True, help="Do not ask, also on a terminal.")
@json_option
@pass_session
def remove(session: Session, email: str, yes: bool, as_json_: bool) -> None:
    """Remove a subscriber with everything stored about them; on a terminal you are asked first."""
    from paperdigest.store.personal import Personal

    app = session.app()
    if not yes:
        confirm_removal(app, email)
    Personal(app.store.database).erase(email)
    if as_json_:
        as_json({"removed": email})
    else:
        click.echo(f"{clean(email)} is removed")


def subscriber_fields(one: Subscriber) -> dict[str, Any]:
    """Return the JSON fields of a subscriber."""
    return {
        "email": one.email,
        "name": one.name,
        "status": one.status,
        "at": one.schedule.at.strftime("%H:%M"),
        "tz": one.schedule.tz,
        "days": [DAY_NAMES[day] for day in sorted(one.schedule.days)],
        "pause_until": one.schedule.pause_until,
        "max_papers": one.max_papers,
        "on_empty": one.on_empty,
        "attach_bibtex": one.attach_bibtex,
        "created_at": one.created_at,
        "topics": [
            {
                "name": topic.name,
                "query": topic.query,
                "weight": topic.weight,
                "quota": topic.quota,
                "threshold": topic.threshold,
            }
            for topic in one.topics
        ],
    }


def _changed(one: Subscriber, given: dict[str, Any]) -> Subscriber:
    schedule = one.schedule
    schedule = Schedule(
        days=parse_days(given["days"]) if given["days"] else schedule.days,
        at=parse_at(given["at"]) if given["at"] else schedule.at,
        tz=parse_zone(given["tz"]).key if given["tz"] else schedule.tz,
        pause_until=schedule.pause_until,
    )
    return replace(
        one,
        schedule=schedule,
        name=given["name"] if given["name"] is not None else one.name,
        max_papers=given["max_papers"] or one.max_papers,
        on_empty=OnEmpty(given["on_empty"]) if given["on_empty"] else one.on_empty,
        attach_bibtex=one.attach_bibtex if given["bibtex"] is None else given["bibtex"],
        topics=changed_topics(one.topics, given["topics"], {name: given[f"{name}s"] for name in _NUMBERS}),
    )


def _address(email: str) -> str:
    if "@" not in email or any(char.isspace() for char in email):
        raise UsageError(f"{clean(email)!r} is not an e-mail address")
    return email


def _check_confirmed(one: Subscriber) -> None:
    """Refuse to pause or resume who does not get mail anyway: resuming must not confirm an address."""
    if one.status not in (SubscriberStatus.ACTIVE, SubscriberStatus.PAUSED):
        hint = "When they have asked for it (again): subscriber set EMAIL --confirmed"
        raise UsageError(f"{clean(one.email)} is {one.status}: there is no digest to pause or resume", hint)


def _when(one: Subscriber) -> str:
    when = f"{format_days(one.schedule.days)} {one.schedule.at:%H:%M} {one.schedule.tz}"
    return when if one.schedule.pause_until is None else f"{when} from {one.schedule.pause_until} on"


def _status(one: Subscriber, stopped: Suppression | None) -> str:
    return one.status if stopped is None else f"{one.status}, suppressed since {stopped.since_at:%Y-%m-%d}"


def _show(
    one: Subscriber, judgements: Sequence[Judgement], *, as_json_: bool, stopped: Suppression | None = None
) -> None:
    if as_json_:
        as_json(subscriber_fields(one) | {"judgements": judgement_fields(judgements)})
        return
    extras = ", a note on quiet days" * (one.on_empty is OnEmpty.NOTE) + ", with BibTeX" * one.attach_bibtex
    click.echo(f"{clean(one.email)}  {_status(one, stopped)}  {_when(one)}  at most {one.max_papers} papers{extras}")
    for topic in one.topics:
        name = "" if topic.name == topic.query else f"{clean(topic.name)} = "
        numbers = {field: getattr(topic, field) for field in _NUMBERS}
        told = "".join(f"  {field} {value:g}" for field, value in numbers.items() if value not in (None, _USUAL[field]))
        click.echo(f"  topic  {name}{clean(topic.query) or '(examples alone)'}{told}")
    for line in judgement_lines(judgements):
        click.echo(line)
