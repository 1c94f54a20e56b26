"""How much memory choosing for a crowd takes: prints two peaks, in bytes above the libraries.

The first is that of the matrices, the second that of everything. In a process of its own, which has nothing else
in it: ``python -m bench._crowd_memory``.
"""

from __future__ import annotations

import re
from pathlib import Path

from bench._crowd import KEYWORDS, PLACES, TOPICS, context, matrix, topics
from paperdigest.ranking.matching import best_columns


def peak() -> int:
    """Return the most memory that this process ever held, in bytes, as Linux has it."""
    match = re.search(r"VmHWM:\s+(\d+) kB", Path("/proc/self/status").read_text(encoding="ascii"))
    assert match is not None
    return int(match[1]) * 1024


def main() -> None:
    """Make the matrices, choose, print both peaks."""
    libraries = peak()
    rows, scores, joined = topics(TOPICS), matrix(KEYWORDS), context(TOPICS)
    matrices = peak()
    best = best_columns(rows, scores, PLACES, context=joined)
    assert (best.columns >= 0).all()
    print(matrices - libraries, peak() - libraries)


if __name__ == "__main__":
    main()
