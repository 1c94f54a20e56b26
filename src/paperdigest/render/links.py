"""The addresses a mail links to: they carry tokens, so they differ from recipient to recipient."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["Links"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Links:
    """Where a digest leads back to; None for what there is not.

    ``read`` is the digest on the web (``{base}/d/TOKEN``): below it lie ``/POSITION/like`` and ``/POSITION/less``,
    counted from 1 in the order of `Digest.ranked`. ``unsubscribe`` and ``manage`` are web addresses too;
    ``unsubscribe_mailto`` is the mail address to which an empty mail unsubscribes.
    """

    unsubscribe: str | None = None
    manage: str | None = None
    read: str | None = None
    unsubscribe_mailto: str | None = None
