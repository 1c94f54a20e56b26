"""Every source of ours keeps the contract that plug-in authors can run."""

from __future__ import annotations

from pathlib import Path

from paperdigest.protocols import Source
from paperdigest.sources.text_dump import TextDumpSource
from paperdigest.testing.contract import SourceContract

DATA = Path(__file__).resolve().parents[1] / "data"


class TestTextDumpKeepsTheContract(SourceContract):
    good = (((DATA / "text_dump" / "page.txt").read_bytes(), 4),)
    bad = (b"", b"<html><body>Daily Papers</body></html>", b'{"dailyPapers": []}', b"Dear all,\n\nno papers today.\n")

    def make(self) -> Source:
        return TextDumpSource("copied", {})
