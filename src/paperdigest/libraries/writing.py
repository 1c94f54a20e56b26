"""Papers as BibTeX, for a reader's own library: plain ASCII, one entry a paper, readable by every BibTeX there is."""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import lru_cache

from bibtexparser.entrypoint import write_string
from bibtexparser.library import Library
from bibtexparser.model import Entry, Field
from pylatexenc.latexencode import unicode_to_latex

from paperdigest.types import Paper

__all__ = ["as_bibtex"]

_MAX_CHARS = 2_000
_MAX_AUTHORS = 200
_KEY_SIGNS = re.compile(r"[^A-Za-z0-9.:-]+")
_WORDS = re.compile(r"[^\W\d_]+")
_URL_SIGNS = re.compile(r"[^!#$%&'()*+,./0-9:;=?@A-Z\[\]_a-z~-]")


def as_bibtex(papers: Iterable[Paper]) -> str:
    """Return one entry for each paper, in their order; of papers with the same identifier only the first.

    Keys are identifiers (``arxiv:2604.00001``), so that a paper has the same key in every digest. A title's
    capitals are kept by braces; what ASCII lacks is written in TeX. What has no TeX is left out.
    """
    entries = {str(paper.id): _entry(paper) for paper in papers}
    library = Library(list(entries.values()))
    return write_string(library)


@lru_cache(maxsize=1024)
def _entry(paper: Paper) -> Entry:
    fields = {
        "title": f"{{{_tex(paper.title)}}}",
        "author": _authors(paper),
        "year": str(paper.published_at.year) if paper.published_at else "",
        "eprint": paper.id.local if paper.id.scheme == "arxiv" else "",
        "archiveprefix": "arXiv" if paper.id.scheme == "arxiv" else "",
        "primaryclass": _tex(paper.primary_category or "") if paper.id.scheme == "arxiv" else "",
        "doi": _doi(paper),
        "journal": _tex(paper.journal_ref or ""),
        "url": _URL_SIGNS.sub("", paper.url or ""),
    }
    kind = "article" if fields["journal"] else "misc"
    key = _KEY_SIGNS.sub("-", str(paper.id))
    return Entry(kind, key, [Field(name, value) for name, value in fields.items() if value])


def _tex(text: str) -> str:
    """Return text as ASCII TeX in which every brace has its partner."""
    found: str = unicode_to_latex(text[:_MAX_CHARS], unknown_char_policy="ignore", unknown_char_warning=False)
    return " ".join(found.split())


def _authors(paper: Paper) -> str:
    """Return the authors as BibTeX parts them; a name in braces is not taken apart."""
    names = [author.name for author in paper.authors[:_MAX_AUTHORS]]
    written = [f"{{{_tex(name)}}}" if re.search(r"\band\b|,", name) else _tex(name) for name in names]
    more = ["others"] if names and (paper.authors_count or 0) > len(names) else []
    return " and ".join([name for name in written if _WORDS.search(name)] + more)


def _doi(paper: Paper) -> str:
    found = next((one.local for one in (paper.id, *paper.aliases) if one.scheme == "doi"), "")
    return _URL_SIGNS.sub("", found)
