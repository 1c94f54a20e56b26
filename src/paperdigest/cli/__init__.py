"""The command line: arguments in, exit codes and output out; the use cases do the rest.

Every command lives in a module of its own that is imported only when the command runs, so that
``--help`` and shell completion cost little more than starting Python.
"""

from __future__ import annotations

import sys
from importlib import import_module
from typing import ClassVar

import click

from paperdigest import __version__

__all__ = ["main", "root"]

_CONTEXT = {"help_option_names": ["-h", "--help"], "max_content_width": 100}

_EPILOG = """
\b
Exit codes: 0 good · 2 wrong arguments or settings · 3 a source is partial, stale or failed
            4 the database · 5 mail · 70 a defect of paperdigest

\b
Shell completion: eval "$(_PAPERDIGEST_COMPLETE=bash_source paperdigest)"   (or zsh_source, fish_source)
"""


class LazyGroup(click.Group):
    """A group whose commands are imported when asked for; the table holds their one-line help."""

    commands_in: ClassVar[dict[str, tuple[str, str]]] = {
        "demo": ("demo:demo", "Run the whole pipe offline on a packaged sample listing."),
        "init": ("settings:init", "Write config.toml, the database and a key; needs no account."),
        "fetch": ("fetch:fetch", "Read listings from sources, files, URLs or standard input."),
        "papers": ("papers:papers", "Search the stored papers."),
        "rank": ("papers:rank", "Rank stored papers for topics, without a subscriber."),
        "why": ("why:why", "Say what becomes of a paper in a subscriber's digest, with every number."),
        "subscriber": ("subscriber:subscriber", "Add, change, list, show and remove subscribers."),
        "digest": ("digest:digest", "Preview a subscriber's next digest; nothing is stored or sent."),
        "send": ("digest:send", "Plan what is due and deliver what is waiting; made for cron."),
        "run": ("run:run", "Fetch, send and take in bounces whenever something is due."),
        "bounce": ("bounce:bounce", "Take in bounces, complaints and wishes to be unsubscribed."),
        "outbox": ("outbox:outbox", "Show what waits, what is in doubt; try deliveries again."),
        "sources": ("sources:sources", "List and check the configured sources; OPML in and out."),
        "eval": ("evaluate:evaluate", "Measure the ranking on relevance collections, or on own likes."),
        "model": ("model:model", "Install the vector model that ranks by meaning; show what ranking uses."),
        "doctor": ("doctor:doctor", "Look for everything that could keep digests from arriving."),
        "db": ("database:db", "Check, back up and upgrade the database."),
        "config": ("settings:config", "Show and check the settings."),
    }

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the commands in the order in which a person meets them."""
        return list(self.commands_in)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import and return one command."""
        if cmd_name not in self.commands_in:
            return None
        module, _, attribute = self.commands_in[cmd_name][0].partition(":")
        command = getattr(import_module(f"paperdigest.cli.{module}"), attribute)
        assert isinstance(command, click.Command)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Print the table without importing any command."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, text) for name, (_, text) in self.commands_in.items()])


@click.group(cls=LazyGroup, context_settings=_CONTEXT, epilog=_EPILOG)
@click.option("--config", "config_file", metavar="FILE", help="Settings (default: ~/.config/paperdigest/config.toml).")
@click.option("--now", metavar="ISO8601", help="Pretend that it is this moment, e.g. 2026-04-15T06:00:00Z.")
@click.option("-v", "--verbose", is_flag=True, help="Show where an error comes from.")
@click.version_option(__version__, prog_name="paperdigest")
@click.pass_context
def root(ctx: click.Context, config_file: str | None, now: str | None, verbose: bool) -> None:
    """Read daily paper listings, rank them for each subscriber's topics, mail one digest worth opening.

    Start with `paperdigest demo`, then `paperdigest init` and `paperdigest fetch`.
    """
    from paperdigest.cli.session import Session

    ctx.obj = Session(config_file=config_file, now_text=now, verbose=verbose)
    ctx.call_on_close(ctx.obj.close)


def main() -> None:
    """Run the command line and exit; the one place where unexpected errors are caught and shown."""
    from paperdigest.cli.session import clean_lines
    from paperdigest.errors import PaperDigestError

    verbose = "-v" in sys.argv or "--verbose" in sys.argv
    try:
        code = root.main(prog_name="paperdigest", standalone_mode=False)
        sys.exit(code if isinstance(code, int) else 0)
    except click.ClickException as error:
        error.show()
        sys.exit(error.exit_code)
    except (click.Abort, KeyboardInterrupt):
        click.echo("stopped; what was finished is stored, and the next run goes on from there", err=True)
        sys.exit(130)
    except BrokenPipeError:
        # The reader went away (`paperdigest papers | head`): that is its right, not an error.
        sys.stderr.close()
        sys.exit(141)
    except PaperDigestError as error:
        if verbose:
            import traceback

            traceback.print_exc()
        click.echo(clean_lines(f"paperdigest: {error}"), err=True)
        sys.exit(error.exit_code)
    except Exception as error:  # noqa: BLE001 - the outermost boundary: a defect must still be said in words
        import traceback

        traceback.print_exc()
        click.echo(clean_lines(f"paperdigest: a defect of its own ({type(error).__name__}: {error})"), err=True)
        sys.exit(70)
