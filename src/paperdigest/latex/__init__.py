r"""Readable Unicode from the TeX of titles and abstracts, on one line, without losing a word.

A reader's TeX, not TeX: one pass over a list of tokens, so time is linear, and whatever is not understood
stays as it was written. What the symbols look like comes from pylatexenc's tables; its own reader is
not used, because it cuts text at ``%``, takes every ``$`` for maths and fails on bare braces, all of
which real abstracts have ("Earn $1 Million", ``34.43%``, maths that lost its dollars).

What "no word is lost" means: fold input and output to NFKD without combining marks (so that ``\mathbb{R}``
may become ``ℝ`` and ``x^{th}`` ``xᵗʰ``). Then the input's runs of letters, macro names aside, stand in the
output in their order, those of three letters and more unbroken. The names of environments and colours, and
lengths, are TeX's and go; the two arguments of ``\overset`` and its like change places.
"""

from __future__ import annotations

import re

from paperdigest.latex.reader import Reader

__all__ = ["may_hold_tex", "readable"]

MAX_TEX_CHARS = 100_000
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]")


def readable(text: str) -> str:
    r"""Return ``text`` as readable Unicode on one line, every plain word of it kept (see module docstring).

    ``$\mathcal{O}(n^2)$`` becomes ``O(n²)``, ``caf\'e`` becomes ``café``, TeX's double quotes become ``“”``,
    an unknown ``\our`` becomes ``our``. White space collapses and control characters become spaces; text
    without TeX is otherwise returned as it is. Never raises; time is linear in the length, and of texts
    longer than any abstract (``MAX_TEX_CHARS``) the TeX stays as it is.
    """
    text = text.replace("\n", " ").strip(" ")
    if not text.isprintable():
        text = " ".join(_CONTROL.sub(" ", text).split())
    if "  " in text:  # parted there, not at every space: most texts have few such runs
        text = " ".join(filter(None, map(str.strip, text.split("  "))))
    if len(text) <= MAX_TEX_CHARS and may_hold_tex(text):
        return " ".join(Reader(text).convert().split())
    return text


def may_hold_tex(text: str) -> bool:
    """Say whether a sign of TeX stands in ``text``: when none does, `readable` only collapses white space.

    Ten times as fast as a pattern, and most texts are plain.
    """
    return (
        "\\" in text or "$" in text or "{" in text or "}" in text or "^" in text or "_" in text or "~" in text
        or "`" in text
    )  # fmt: skip
