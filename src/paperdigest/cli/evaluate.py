"""The commands ``eval ranking`` and ``eval mine``: how good the ranking is, in numbers."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from paperdigest.cli.output import as_json, clean, json_option, progress_bar, table
from paperdigest.cli.session import Session, pass_session, writing_to
from paperdigest.errors import UsageError

if TYPE_CHECKING:
    from paperdigest.app.evaluating import Evaluation
    from paperdigest.app.own_likes import OwnLikes
    from paperdigest.evaluation import Collection, Compared, Measured, Setup

__all__ = ["evaluate"]


@click.group("eval")
def evaluate() -> None:
    """Measure the ranking: on relevance collections, or on a subscriber's own likes."""


@evaluate.command("ranking")
@click.argument("folders", metavar="DIR...", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option(
    "--likes",
    type=click.IntRange(1, 1000),
    help="Where a collection is measured by likes: so many (default: 5).",
)
@click.option(
    "--dislikes", default=0, show_default=True, type=click.IntRange(0, 1000), help="And so many dislikes beside them."
)
@click.option("--lexical", is_flag=True, help="Rank by words alone, even if a vector model is installed.")
@click.option("--alert", is_flag=True, help="Also measure keywords on days of 100, 200 and 500 papers.")
@click.option(
    "--run-out",
    metavar="FILE",
    type=click.Path(path_type=Path),
    help="Write what was found in TREC format; for several collections a folder of NAME.run files.",
)
@click.option(
    "--compare",
    "compared_run",
    metavar="FILE",
    type=click.Path(path_type=Path),
    help="Compare with a run, written so or by another program (paired tests).",
)
@click.option("--against", type=click.Choice(["lexical"]), help="Compare with our own ranking by words alone.")
@click.option("--cache", metavar="FILE", type=click.Path(path_type=Path), help="Keep the papers' vectors here.")
@json_option
@pass_session
def eval_ranking(
    session: Session,
    /,
    folders: tuple[Path, ...],
    likes: int | None,
    dislikes: int,
    lexical: bool,
    alert: bool,
    run_out: Path | None,
    compared_run: Path | None,
    against: str | None,
    cache: Path | None,
    as_json_: bool,
) -> None:
    """Measure the ranking on relevance collections.

    Each DIR holds corpus.jsonl, queries.jsonl and qrels.tsv (the layout of BEIR), or several such folders. What is
    measured follows from the questions: keywords or sentences over all papers; a subscriber's keywords on days of
    200 papers (metadata.keywords); likes drawn from the past half (metadata.candidates_prefix); one liked paper
    (metadata.liked). The model's vectors are kept, so that the next run is quick.
    """
    from paperdigest.app.evaluating import Evaluation
    from paperdigest.evaluation import find_collections, read_collection

    if against and compared_run:
        raise UsageError("--against and --compare are two comparisons", "Ask for one of them")
    collections = [read_collection(folder) for folder in find_collections(folders)]
    setup = _setup(collections, likes, dislikes)
    reports: dict[str, dict[str, Any]] = {}
    with Evaluation(session.settings, lexical=lexical, cache=cache) as evaluation:
        session.say(f"ranking by {evaluation.method}")
        for collection in collections:
            for note in collection.notes:
                session.say(f"{collection.name}: {note}")
            _encode(session, evaluation, collection)
            measured = _measure(evaluation, collection, setup, _run_file(run_out, collection, collections))
            other = _other(evaluation, collection, setup, _run_file(compared_run, collection, collections), against)
            report = _report(measured, setup, _compared(measured, other))
            if alert and measured.kind == "keywords":
                from paperdigest.evaluation.measuring import measure_alert

                report["alert"] = measure_alert(collection, evaluation.system)
            reports[collection.name] = report
        method, model = evaluation.method, evaluation.model
    if as_json_:
        as_json({"collections": reports, "method": method, "model": model})
        return
    _show(reports)


def _setup(collections: list[Collection], likes: int | None, dislikes: int) -> Setup:
    """Return how to measure; ``--likes`` is for collections that say where likes come from, if there is one."""
    from paperdigest.evaluation import Kind, Setup, kind_of

    plain = Setup()
    meant = likes is not None and not any(kind_of(one, plain) is Kind.LIKES for one in collections)
    return Setup(likes=likes or plain.likes, dislikes=dislikes, by_likes=meant)


def _encode(session: Session, evaluation: Evaluation, collection: Collection) -> None:
    texts = evaluation.unencoded(collection)
    if not texts:
        return
    session.say(f"{collection.name}: making the vectors of {len(texts)} papers")
    with progress_bar(len(texts), collection.name) as step:
        evaluation.encode(texts, lambda _text: step(collection.name))


def _measure(evaluation: Evaluation, collection: Collection, setup: Setup, run_out: Path | None) -> Measured:
    from paperdigest.evaluation import measure

    with ExitStack() as stack:
        file = None
        if run_out is not None:
            stack.enter_context(writing_to(run_out))
            run_out.parent.mkdir(parents=True, exist_ok=True)
            file = stack.enter_context(run_out.open("w", encoding="utf-8"))
        return measure(collection, evaluation.system, setup, file)


def _other(
    evaluation: Evaluation, collection: Collection, setup: Setup, run: Path | None, against: str | None
) -> Measured | None:
    """Measure what is to be compared with."""
    from paperdigest.evaluation import measure, measure_run, read_run

    if run is not None:
        return measure_run(collection, read_run(run), setup)
    return measure(collection, evaluation.lexical, setup) if against else None


def _run_file(path: Path | None, collection: Collection, collections: list[Collection]) -> Path | None:
    """Return the run file of a collection: the one named, or one in the folder named when there are several."""
    if path is None or (len(collections) == 1 and not path.is_dir()):
        return path
    return path / f"{collection.name}.run"


def _compared(measured: Measured, other: Measured | None) -> dict[str, Compared]:
    from paperdigest.evaluation import compare

    if other is None:
        return {}
    return {name: compare(values, other.by_query[name]) for name, values in measured.by_query.items()}


def _report(measured: Measured, setup: Setup, compared: Mapping[str, Compared]) -> dict[str, Any]:
    """Return the JSON fields of one collection (the first four are fixed: other programs rely on them)."""
    means = {name: round(value, 6) for name, value in measured.means.items()}
    report: dict[str, Any] = {"queries": measured.queries, **means}
    report |= {"protocol": str(measured.kind), "rankings": sum(measured.tasks.values())}
    report["map_from_grade"] = measured.least
    if measured.kind == "likes":
        report |= {"likes": setup.likes, "dislikes": setup.dislikes}
    if compared:
        report["compared"] = {name: asdict(one) for name, one in compared.items()}
    return report


_NAMES = {
    "ndcg_10": "nDCG@10",
    "map": "MAP",
    "recall_100": "R@100",
    "recall_10": "R@10",
    "recall_20": "R@20",
}


def _show(reports: Mapping[str, Mapping[str, Any]]) -> None:
    head = ("collection", "measured by", "questions", *_NAMES.values())
    rows = [
        (name, _protocol(one), one["queries"], *(f"{one[key]:.3f}" if key in one else "" for key in _NAMES))
        for name, one in reports.items()
    ]
    table(head, rows, wrap=1)
    compared = [(name, one["compared"]) for name, one in reports.items() if "compared" in one]
    if compared:
        click.echo()
        _show_compared(compared)
    alerts = [(name, size, one) for name, report in reports.items() for size, one in report.get("alert", {}).items()]
    if alerts:
        click.echo()
        head = ("collection", "papers a day", "nDCG@10", "R@10", "R@20", "all in 10")
        keys = ("ndcg_10", "recall_10", "recall_20", "all_in_10")
        table(head, [(name, size, *(f"{one[key]:.3f}" for key in keys)) for name, size, one in alerts], wrap=0)


def _protocol(report: Mapping[str, Any]) -> str:
    if report["protocol"] != "likes":
        return str(report["protocol"])
    likes, dislikes = (f"{report[key]} {key[:-1] if report[key] == 1 else key}" for key in ("likes", "dislikes"))
    return f"{likes}, {dislikes}" if report["dislikes"] else likes


def _show_compared(compared: list[tuple[str, Mapping[str, Any]]]) -> None:
    head = ("collection", "measure", "ours", "other", "difference", "p (random)", "p (t)", "won", "lost", "tied")
    rows = [
        (
            name,
            _NAMES[measure],
            f"{one['mean']:.3f}",
            f"{one['other_mean']:.3f}",
            f"{one['difference']:+.4f}",
            f"{one['p_random']:.4f}",
            "—" if one["p_t"] is None else f"{one['p_t']:.4f}",
            one["wins"],
            one["losses"],
            one["ties"],
        )
        for name, measures in compared
        for measure, one in measures.items()
    ]
    table(head, rows, wrap=0)


@evaluate.command("mine")
@click.argument("email")
@json_option
@pass_session
def eval_mine(session: Session, email: str, as_json_: bool) -> None:
    """Measure a subscriber's topics on their own likes.

    Each like is held back in turn and ranked among the newest papers of the archive: by the topic's keywords
    alone, and with what is learned from the other likes and the dislikes.
    """
    from paperdigest.app.own_likes import own_likes

    app = session.app()
    subscriber = app.subscribers.get(email)
    texts = app.unencoded(0)
    if texts:
        session.say(f"making the vectors of {len(texts)} papers")
        with progress_bar(len(texts), "papers") as step:
            app.encode(texts, lambda _text: step("papers"))
    found = own_likes(app.store, app.rankings, subscriber, session.now.date())
    if as_json_:
        as_json({"email": email, "method": app.method, "papers": found.papers, "topics": _topic_fields(found)})
        return
    click.echo(f"ranking by {app.method}; likes among the {found.papers} newest papers that were not judged")
    _show_topics(found)


def _topic_fields(found: OwnLikes) -> list[dict[str, Any]]:
    return [
        {
            "topic": one.topic.name,
            "query": one.topic.query,
            "likes": one.likes,
            "dislikes": one.dislikes,
            "tried": one.tried,
            "keywords": asdict(one.keywords) if one.keywords else None,
            "learned": asdict(one.learned) if one.learned else None,
            "compared": asdict(one.compared) if one.compared else None,
            "note": one.note,
        }
        for one in found.topics
    ]


def _show_topics(found: OwnLikes) -> None:
    rows: list[tuple[object, ...]] = []
    for one in found.topics:
        for name, standing in (("keywords alone", one.keywords), ("with the other likes", one.learned)):
            if standing is not None:
                figures = (standing.percentile, standing.mrr, standing.recall_10)
                rows.append((one.topic.name, one.likes, name, *(f"{value:.3f}" for value in figures)))
    if rows:
        table(("topic", "likes", "ranked by", "stand before", "MRR", "in first 10"), rows, wrap=0)
    for one in found.topics:
        if one.compared is not None:
            told = one.compared
            click.echo(
                f"{clean(one.topic.name)}: learning moved {told.wins} up and {told.losses} down,"
                f" MRR {told.difference:+.3f}, p = {told.p_random:.3f}"
            )
        if one.note is not None:
            click.echo(f"{clean(one.topic.name)}: {one.note}")
