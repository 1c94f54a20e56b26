"""Measured comparisons: ``python -m bench [NAME...]`` prints ratios to a peer timed in the same run.

A benchmark is a module of this folder with ``run() -> Iterable[Row]``. Exits 1 when a ratio misses its limit.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Sequence
from importlib import import_module
from pathlib import Path

from bench.timing import Row

_NOT_BENCHMARKS = frozenset({"__main__", "__init__", "timing"})
_HEAD = ("what", "ours", "peer", "ratio", "limit", "")


def main(arguments: Sequence[str]) -> int:
    """Run the named benchmarks, or all; print one table; return the exit code."""
    known = sorted(
        path.stem
        for path in Path(__file__).parent.glob("*.py")
        if path.stem not in _NOT_BENCHMARKS and not path.stem.startswith("_")
    )
    if unknown := sorted(set(arguments) - set(known)):
        print(f"no benchmark {', '.join(unknown)}; there are: {', '.join(known)}", file=sys.stderr)
        return 2
    return report((name, row) for name in arguments or known for row in import_module(f"bench.{name}").run())


def report(measured: Iterable[tuple[str, Row]]) -> int:
    """Print each benchmark's rows as they come and then as a table; return 1 when a limit is missed."""
    rows: list[Row] = []
    for name, row in measured:
        print(f"{name}: {row.name}: {_ratio(row.ratio)}", file=sys.stderr, flush=True)
        rows.append(row)
    print(table(rows))
    missed = sum(not row.met for row in rows)
    bounded = sum(row.limit is not None for row in rows)
    print(f"{bounded - missed} of {bounded} within their limits (medians of pairs, processor time unless noted)")
    return 1 if missed else 0


def table(rows: Sequence[Row]) -> str:
    """Return the rows as aligned text."""
    lines = [_HEAD, *(_cells(row) for row in rows)]
    widths = [max(len(line[column]) for line in lines) for column in range(len(_HEAD))]
    return "\n".join(
        "  ".join(
            cell.ljust(width) if column in (0, 5) else cell.rjust(width)
            for column, (cell, width) in enumerate(zip(line, widths, strict=True))
        ).rstrip()
        for line in lines
    )


def _cells(row: Row) -> tuple[str, ...]:
    sign = "<=" if row.better == "lower" else ">="
    verdict = "" if row.limit is None else "ok" if row.met else "MISSED"
    note = f"{verdict:6}  {row.note}".rstrip()
    limit = "none" if row.limit is None else f"{sign} {row.limit:g}"
    amount = {"s": _time, "B": _bytes, "1": _number}[row.unit]
    return (row.name, amount(row.ours_s), amount(row.peer_s), _ratio(row.ratio), limit, note)


def _time(seconds: float) -> str:
    return f"{seconds:.2f} s" if seconds >= 1 else f"{seconds * 1000:.1f} ms"


def _bytes(count: float) -> str:
    return f"{count / 1000:,.1f} kB"


def _number(number: float) -> str:
    return f"{number:.3f}"


def _ratio(ratio: float) -> str:
    return f"{ratio:.2f}" if ratio >= 0.1 else f"{ratio:.4f}"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
