"""Starting: what a person waits for before the program does anything."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from bench.timing import Row, paired


def run() -> Iterator[Row]:
    """Compare ``paperdigest --help`` with an interpreter that does nothing."""
    program = Path(sys.executable).with_name("paperdigest")

    def help_page() -> None:
        subprocess.run([program, "--help"], check=True, stdout=subprocess.DEVNULL)

    def nothing() -> None:
        subprocess.run([sys.executable, "-c", "pass"], check=True)

    yield paired(help_page, nothing, pairs=11, repeat=3).at_most(6, "paperdigest --help | python -c pass")
