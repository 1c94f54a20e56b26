"""The command ``doctor``."""

from __future__ import annotations

from dataclasses import asdict

import click

from paperdigest.cli.output import as_json, json_option
from paperdigest.cli.session import Session, clean_lines, pass_session

__all__ = ["doctor"]

_COLUMNS = 16


@click.command()
@json_option
@pass_session
def doctor(session: Session, as_json_: bool) -> None:
    """Look for everything that could keep digests from arriving, and say what to do about it.

    Settings, database, disk, clock, sources, the mail server, what the DNS says of your domain (SPF, DKIM,
    DMARC), and a sample message. Nothing is changed or sent. Exit code 5 when something fails; warnings are 0.
    """
    from paperdigest.app.doctor import Level, examine

    app = session.app()
    findings = []
    for finding in examine(app.settings, app.store, app.clock()):
        findings.append(finding)
        if not as_json_:
            click.echo(clean_lines(f"{finding.level.value:<5}{finding.check:<{_COLUMNS}} {finding.what}"))
            if finding.next_step:
                click.echo(clean_lines(f"{'':<5}{'':<{_COLUMNS}} → {finding.next_step}"))
    failed = sum(finding.level is Level.FAIL for finding in findings)
    warned = sum(finding.level is Level.WARN for finding in findings)
    if as_json_:
        as_json({"failed": failed, "warned": warned, "findings": [asdict(finding) for finding in findings]})
    else:
        click.echo(f"{len(findings)} looked at, {failed} failed, {warned} warned of")
    if failed:
        raise click.exceptions.Exit(5)
