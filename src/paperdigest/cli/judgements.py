"""The commands ``subscriber like`` and ``subscriber dislike``, and what seeds a topic."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import click

from paperdigest.cli.output import as_json, clean, json_option
from paperdigest.cli.session import Session, pass_session
from paperdigest.errors import UsageError
from paperdigest.types import Judgement, Subscriber, Topic

__all__ = ["check_bare", "dislike", "judgement_fields", "judgement_lines", "like", "prepare_seeds", "seed_options"]

_NEWEST = 5


def seed_options(command: Any) -> Any:
    """Add the options that seed topics with examples."""
    options = (
        click.option("--like", "likes", multiple=True, metavar="[TOPIC=]PAPER", help="A liked paper, as an example."),
        click.option("--dislike", "dislikes", multiple=True, metavar="[TOPIC=]PAPER", help="A disliked paper."),
        click.option(
            "--examples",
            "files",
            multiple=True,
            metavar="[TOPIC=]FILE",
            help="Likes from BibTeX, RIS or a Zotero export (CSV or BibTeX).",
        ),
        click.option(
            "--papers-of",
            "authors",
            multiple=True,
            metavar="[TOPIC=]NAME",
            help="Likes: the stored papers of an author, say your own.",
        ),
    )
    for option in reversed(options):
        command = option(command)
    return command


def prepare_seeds(session: Session, given: dict[str, Any], topics: Sequence[Topic]) -> tuple[Judgement, ...]:
    """Read what was given by `seed_options`, and say what came of files and authors; nothing is stored yet.

    Raises:
        UsageError, NotFoundError, ParseError: see `app.feedback.Feedback.seeded`.
    """
    from paperdigest.app.feedback import Seeds

    seeds = Seeds(**{name: given[name] for name in ("likes", "dislikes", "files", "authors")})
    if not seeds:
        return ()
    seeded = session.app().feedback.seeded(topics, seeds)
    for note in seeded.notes:
        session.say(note)
    return seeded.judgements


def check_bare(topics: Sequence[Topic], judgements: Sequence[Judgement]) -> None:
    """Refuse a topic without a query that has no likes either: it could never show anything.

    Raises:
        UsageError: there is one.
    """
    taught = {one.topic for one in judgements if one.liked}
    for topic in topics:
        if not topic.query and not taught & {None, topic.name}:
            raise UsageError(
                f"topic {topic.name!r} has neither a query nor examples",
                f"Give it a query, or add --examples '{topic.name}=FILE' or --like '{topic.name}=PAPER'",
            )


def judgement_fields(judgements: Sequence[Judgement]) -> dict[str, Any]:
    """Return the JSON fields of a subscriber's judgements; ``judgements`` come newest first."""
    likes = sum(one.liked for one in judgements)
    return {
        "likes": likes,
        "dislikes": len(judgements) - likes,
        "newest": [_fields(one) for one in judgements[:_NEWEST]],
    }


def judgement_lines(judgements: Sequence[Judgement]) -> list[str]:
    """Say what a subscriber likes and dislikes: how many, and the newest."""
    if not judgements:
        return []
    likes = sum(one.liked for one in judgements)
    lines = [f"{_counted(likes, 'like')}, {_counted(len(judgements) - likes, 'dislike')}; the newest:"]
    return lines + [f"  {_line(one)}" for one in judgements[:_NEWEST]]


@click.command()
@click.argument("email")
@click.argument("papers", metavar="PAPER...", nargs=-1, required=True)
@click.option("--topic", metavar="NAME", help="For this topic alone (default: for all).")
@click.option("--remove", is_flag=True, help="Take the likes back.")
@json_option
@pass_session
def like(
    session: Session, email: str, papers: tuple[str, ...], topic: str | None, remove: bool, as_json_: bool
) -> None:
    """Say that a subscriber likes papers, so that more like them come.

    PAPER is an identifier (arxiv:2305.17490), a web address, or a piece of a stored paper's title.
    """
    _judge(session, email, papers, topic, liked=True, remove=remove, as_json_=as_json_)


@click.command()
@click.argument("email")
@click.argument("papers", metavar="PAPER...", nargs=-1, required=True)
@click.option("--topic", metavar="NAME", help="For this topic alone (default: for all).")
@click.option("--remove", is_flag=True, help="Take the dislikes back.")
@json_option
@pass_session
def dislike(
    session: Session, email: str, papers: tuple[str, ...], topic: str | None, remove: bool, as_json_: bool
) -> None:
    """Say that a subscriber dislikes papers, so that fewer like them come.

    PAPER is an identifier (arxiv:2305.17490), a web address, or a piece of a stored paper's title.
    """
    _judge(session, email, papers, topic, liked=False, remove=remove, as_json_=as_json_)


def _judge(
    session: Session,
    email: str,
    papers: tuple[str, ...],
    topic: str | None,
    *,
    liked: bool,
    remove: bool,
    as_json_: bool,
) -> None:
    app = session.app()
    feedback = app.feedback
    subscriber = app.subscribers.get(email)
    act = feedback.withdraw if remove else feedback.judge
    said = act(subscriber, papers, liked=liked, topic=topic)
    if remove:
        _warn_of_bare(subscriber, feedback.of(subscriber), session)
    if as_json_:
        key = "removed" if remove else "judged"
        as_json({"email": subscriber.email, key: [_fields(one) for one in said]})
        return
    for one in said:
        click.echo(f"{'no longer ' * remove}{_line(one)}")


def _warn_of_bare(subscriber: Subscriber, judgements: Sequence[Judgement], session: Session) -> None:
    """Warn of a topic of examples alone that has lost its last one."""
    try:
        check_bare(subscriber.topics, judgements)
    except UsageError as error:
        session.say(f"{error}")


def _fields(one: Judgement) -> dict[str, Any]:
    return {
        "paper": str(one.paper_id),
        "title": one.title,
        "liked": one.liked,
        "topic": one.topic,
        "judged_at": one.judged_at,
        "origin": one.origin,
    }


def _line(one: Judgement) -> str:
    verb = "likes" if one.liked else "dislikes"
    where = f"  [{clean(one.topic)}]" if one.topic else ""
    return f"{verb} {clean(str(one.paper_id))}  {clean(one.title)}{where}"


def _counted(count: int, what: str) -> str:
    return f"{count} {what}{'s' * (count != 1)}"
