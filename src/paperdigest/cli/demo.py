"""The command ``demo``: the whole pipe on a packaged listing, offline, in a folder of its own."""

from __future__ import annotations

import dataclasses
import tempfile
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from paperdigest.cli.output import as_json, json_option
from paperdigest.cli.papers import ranked_fields, show_ranked
from paperdigest.cli.session import writing_to

if TYPE_CHECKING:
    from paperdigest.app import App
    from paperdigest.config import Settings
    from paperdigest.types import Digest

__all__ = ["demo"]

EMAIL = "you@example.org"
TOPIC = "trace"
SAMPLE_DAY = datetime(2026, 4, 14, 12, 0, tzinfo=UTC)


@click.command()
@click.option("--out", metavar="DIR", default="demo-out", show_default=True, help="Where the digest is written.")
@json_option
def demo(out: str, as_json_: bool) -> None:
    """Run the whole pipe offline: fetch a packaged listing, rank it for "trace", write the digest.

    Your settings and database are not touched: the demo works in a temporary folder and leaves only the
    digest behind, as HTML, text and .eml.
    """
    from paperdigest.app import App
    from paperdigest.types import Subscriber, SubscriberStatus, Topic

    folder = Path(out)
    with tempfile.TemporaryDirectory(prefix="paperdigest-demo-") as scratch:
        app = App.open(_settings(Path(scratch)), create=True, clock=lambda: SAMPLE_DAY)
        try:
            listing = app.read_sample()
            subscriber = Subscriber(
                email=EMAIL,
                status=SubscriberStatus.ACTIVE,
                created_at=SAMPLE_DAY,
                topics=(Topic(name=TOPIC, query=TOPIC),),
            )
            app.subscribers.add(subscriber)
            report = app.sending.send()
            digest = app.sending.last_digest(EMAIL)
            assert digest is not None  # the packaged listing holds papers on the topic: a test sees to it
            with writing_to(folder):
                written = _write(app, digest, folder)
            ranked, method = digest.ranked, app.method
        finally:
            app.close()
    if as_json_:
        as_json(
            {
                "listing": dataclasses.asdict(listing),
                "send": report.fields(),
                "method": method,
                "ranked": [ranked_fields(one) for one in ranked],
                "files": [str(path) for path in written],
            }
        )
        return
    click.echo(f"fetched   {listing.entries} entries of the packaged listing of {listing.listed_on}: {listing.state}")
    click.echo(f"ranked    by {method}")
    click.echo(f"sent      {report.sent} digest to {EMAIL}, topic {TOPIC}, into a Maildir\n")
    show_ranked(ranked)
    click.echo("\nthe digest:")
    for path in written:
        click.echo(f"  {path}")


def _settings(scratch: Path) -> Settings:
    from paperdigest.config import Settings

    return Settings.model_validate(
        {
            "store": {"url": str(scratch / "paperdigest.db")},
            "mail": {"maildir": {"path": str(scratch / "Maildir")}, "secret_key_file": str(scratch / "secret.key")},
        }
    )


def _write(app: App, digest: Digest, folder: Path) -> list[Path]:
    """Write the digest in its three forms; the mail is the very file that was delivered."""
    folder.mkdir(parents=True, exist_ok=True)
    (mail,) = (app.maildir_path / "new").iterdir()
    contents = {
        "digest.html": app.sending.rendered(digest, "html"),
        "digest.txt": app.sending.rendered(digest, "text"),
        "digest.eml": mail.read_bytes(),
    }
    for name, content in contents.items():
        (folder / name).write_bytes(content)
    return [folder / name for name in contents]
