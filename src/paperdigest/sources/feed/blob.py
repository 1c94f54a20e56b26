"""Fields that some feeds write into one description: labels such as ``Authors:`` and ``Abstract:``."""

from __future__ import annotations

import re
from typing import NamedTuple

__all__ = ["Blob", "unpack"]

_ARXIV = re.compile(
    r"arXiv:\S+ Announce Type: (?P<type>new|cross|replace|replace-cross) Abstract: (?P<abstract>.*)", re.DOTALL
)
_LABELLED = re.compile(
    r"Authors?: (?P<authors>.{1,30000}?) (?:(?:Up)?votes: (?P<upvotes>\d{1,6}) )?"
    r"(?:Summary|Abstract): (?P<abstract>.+)",
    re.DOTALL,
)


class Blob(NamedTuple):
    """What a description says besides the abstract; None where it does not."""

    abstract: str
    authors: str | None = None
    upvotes: int | None = None
    announce_type: str | None = None


def unpack(text: str) -> Blob:
    """Part a description that carries labels; any other is all abstract.

    Understood: arXiv's announcement feeds, and feeds made from Hugging Face's Daily Papers
    (``Authors: … Upvotes: … Summary: …``).
    """
    if (match := _ARXIV.fullmatch(text)) is not None:
        return Blob(abstract=match["abstract"], announce_type=match["type"])
    if (match := _LABELLED.fullmatch(text)) is not None:
        votes = match["upvotes"]
        return Blob(abstract=match["abstract"], authors=match["authors"], upvotes=int(votes) if votes else None)
    return Blob(abstract=text)
