"""The packages of the extra ``semantic``, which may be absent."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec

from paperdigest.errors import ModelError

__all__ = ["check_extra", "needing_extra"]

_HINT = 'Run: pip install "paperdigest[semantic]"'


def check_extra(*packages: str) -> None:
    """Look whether packages are there without importing them, which takes a while.

    Raises:
        ModelError: one is not installed.
    """
    absent = [name for name in packages if find_spec(name) is None]
    if absent:
        raise ModelError(f"the vector model needs {' and '.join(absent)}, not installed here", _HINT)


@contextmanager
def needing_extra() -> Iterator[None]:
    """Say in words what is missing when an import inside fails.

    Raises:
        ModelError: a package is not installed or cannot be loaded.
    """
    try:
        yield
    except ImportError as error:
        raise ModelError(f"a package that the vector model needs cannot be loaded ({error})", _HINT) from error
