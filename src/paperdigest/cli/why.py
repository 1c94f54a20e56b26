"""The command ``why``: every number behind a paper's place."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import click

from paperdigest.cli.output import as_json, clean, json_option, table
from paperdigest.cli.session import Session, pass_session

if TYPE_CHECKING:
    from paperdigest.ranking.explaining import Explanation, TopicExplanation

__all__ = ["why"]


@click.command()
@click.argument("paper")
@click.argument("email")
@json_option
@pass_session
def why(session: Session, paper: str, email: str, as_json_: bool) -> None:
    """Say what becomes of PAPER in the digest EMAIL would get now, with every number.

    PAPER is an identifier (arxiv:2305.17490), a web address, or a piece of a stored paper's title; also of one that
    is left out. The contributions add up to the raw score, which is mapped to [0, 1].
    """
    app = session.app()
    found = app.why(app.feedback.find(paper), email)
    if as_json_:
        as_json(_fields(found))
        return
    click.echo(f"{clean(str(found.paper.paper.id))}  {clean(found.paper.paper.title)}")
    click.echo(f"{clean(found.verdict)}\nranked {found.method}")
    for one in found.topics:
        _show(one)


def _show(one: TopicExplanation) -> None:
    click.echo("")
    if not math.isfinite(one.raw):
        click.echo(f"topic {clean(one.topic.name)}: says nothing of it")
        return
    place = f"place {one.place} of all candidates" if one.place else "no candidate"
    least = f"least score {one.threshold:.2f}"
    click.echo(f"topic {clean(one.topic.name)}: score {one.score:.3f} ({least}), raw {one.raw:+.3f}, {place}")
    rows = [(f"{reason.contribution:+.3f}", reason.keyword, reason.text) for reason in one.reasons]
    table(("adds", "for", "because"), [*rows, (f"{one.raw:+.3f}", "", "together")], wrap=2)


def _fields(found: Explanation) -> dict[str, Any]:
    return {
        "id": str(found.paper.paper.id),
        "title": found.paper.paper.title,
        "verdict": found.verdict,
        "place": found.place,
        "method": found.method,
        "topics": [
            {
                "topic": one.topic.name,
                "query": one.topic.query,
                "raw": one.raw if math.isfinite(one.raw) else None,
                "score": one.score,
                "threshold": one.threshold,
                "place": one.place,
                "reasons": [
                    {"text": reason.text, "keyword": reason.keyword, "contribution": reason.contribution}
                    for reason in one.reasons
                ],
            }
            for one in found.topics
        ],
    }
