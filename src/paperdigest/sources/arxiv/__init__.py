"""arXiv: one module per format, a calendar, and a thin source class over them."""

from __future__ import annotations

from paperdigest.sources.arxiv.source import ArxivSource

__all__ = ["ArxivSource"]
