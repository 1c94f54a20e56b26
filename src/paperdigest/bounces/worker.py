"""The process that reads hostile messages: ``python -m paperdigest.bounces.worker``, talked to by `isolation`.

It has limits of memory and of processor time, no secret and no database. Each request is eight hexadecimal digits and
so many bytes; each answer one line of JSON.
"""

from __future__ import annotations

import json
import resource
import sys
from dataclasses import asdict
from typing import BinaryIO

from paperdigest.bounces.reading import read

__all__ = ["serve"]

MEMORY_BYTES = 1 << 30
CPU_S = 600
"""For all the messages of one process; a single one has the time limit of `isolation`."""


def serve(requests: BinaryIO, answers: BinaryIO) -> None:
    """Answer until the requests end."""
    while size := requests.read(8):
        recipients, content = json.loads(requests.read(int(size, 16))), requests.read(int(requests.read(8), 16))
        reading = read(content, tuple(recipients))
        answers.write(json.dumps(asdict(reading)).encode("ascii") + b"\n")
        answers.flush()


if __name__ == "__main__":
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES, MEMORY_BYTES))
    resource.setrlimit(resource.RLIMIT_CPU, (CPU_S, CPU_S))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    serve(sys.stdin.buffer, sys.stdout.buffer)
