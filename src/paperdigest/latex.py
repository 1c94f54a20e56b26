"""Readable Unicode from the TeX of titles and abstracts, on one line, without losing a word."""

from __future__ import annotations

import re

__all__ = ["readable"]

_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]")


def readable(text: str) -> str:
    """Return ``text`` as plain Unicode text on one line; text without TeX only has its white space collapsed.

    Never raises, and takes time linear in the length of the text.
    """
    if not text.isprintable():
        text = _CONTROL.sub(" ", text)
    return " ".join(text.split())
