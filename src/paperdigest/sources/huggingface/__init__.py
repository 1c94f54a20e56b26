"""Hugging Face Daily Papers: the JSON API and the pages of huggingface.co/papers.

``wire`` refuses bytes of the wrong shape, ``items`` makes entries of API items, ``page`` and ``cards``
read HTML, ``days`` finds out which day a body is of, ``source`` puts them together.
"""

from __future__ import annotations

from paperdigest.sources.huggingface.source import HuggingFaceSource

__all__ = ["HuggingFaceSource"]
