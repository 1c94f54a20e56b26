"""Which observations and stored papers are one paper: the transitive closure of "shares a key" (pure)."""

from __future__ import annotations

from collections.abc import Hashable, Iterable

__all__ = ["groups"]


def groups(links: Iterable[tuple[Hashable, ...]]) -> list[set[Hashable]]:
    """Return the connected components of nodes, given tuples of nodes that belong together.

    In the order in which each component first appears; nearly linear time (union-find, halved paths).
    """
    parent: dict[Hashable, Hashable] = {}

    def root(node: Hashable) -> Hashable:
        parent.setdefault(node, node)
        while parent[node] != node:
            parent[node] = node = parent[parent[node]]
        return node

    for first, *others in links:
        top = root(first)
        for other in others:
            low = root(other)
            if low != top:
                parent[low] = top
    found: dict[Hashable, set[Hashable]] = {}
    for node in parent:
        found.setdefault(root(node), set()).add(node)
    return list(found.values())
