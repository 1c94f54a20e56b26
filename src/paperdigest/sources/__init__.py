"""Where listings come from. Each kind is one file (or folder) with a pure parser and a thin class.

Adding a kind is one line in `BUILTIN`; third parties register the entry point
``paperdigest.sources`` instead.
"""

from __future__ import annotations

__all__ = ["BUILTIN"]

BUILTIN = {
    "arxiv": "paperdigest.sources.arxiv:ArxivSource",
    "feed": "paperdigest.sources.feed:FeedSource",
    "huggingface": "paperdigest.sources.huggingface:HuggingFaceSource",
    "text-dump": "paperdigest.sources.text_dump:TextDumpSource",
}
