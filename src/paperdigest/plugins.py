"""Find a plug-in by name: the built-in ones by a table, everybody else's by entry point.

A table entry is ``"module:attribute"`` and is imported only when asked for, so that ``--help`` pays
for no parser. Entry points are looked at only when the table does not know the name: scanning them
costs as much as starting Python.
"""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module
from importlib.metadata import entry_points
from typing import Any

from paperdigest.errors import PluginError

__all__ = ["known_plugins", "load_plugin"]


def load_plugin(group: str, name: str, builtin: Mapping[str, str]) -> Any:
    """Return the class registered as ``name`` in ``builtin`` or in the entry-point group ``paperdigest.<group>``.

    Args:
        group: ``sources``, ``scorers`` or ``mailers``.
        name: the registered name.
        builtin: name to ``"module:attribute"``.

    Raises:
        PluginError: unknown name, or the plug-in's own import failed.
    """
    if (path := builtin.get(name)) is not None:
        module, _, attribute = path.partition(":")
        return getattr(import_module(module), attribute)
    for point in entry_points(group=f"paperdigest.{group}", name=name):
        try:
            return point.load()
        except (ImportError, AttributeError) as error:
            raise PluginError(group, name, f"cannot be loaded from {point.value}: {error}") from error
    raise PluginError(group, name, "is not known", known_plugins(group, builtin))


def known_plugins(group: str, builtin: Mapping[str, str]) -> tuple[str, ...]:
    """Return every name that `load_plugin` would find, sorted."""
    return tuple(sorted({*builtin, *(point.name for point in entry_points(group=f"paperdigest.{group}"))}))
