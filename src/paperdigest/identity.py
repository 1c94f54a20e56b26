"""When are two descriptions the same paper? Identifiers, their normal forms, and match keys.

Order used to join: arXiv id without version, then DOI, then URL, then normalised title + first
author + year. Versions never make a new paper; titles are never joined by prefix.
"""

from __future__ import annotations

import re
import unicodedata
from hashlib import sha256
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

from paperdigest.types import Paper, PaperId

__all__ = [
    "arxiv_id",
    "doi_id",
    "fold",
    "keys",
    "normalise_url",
    "split_arxiv",
    "title_id",
    "title_key",
    "url_id",
]

_ARXIV_NEW = r"\d{4}\.\d{4,5}"
# Every archive that gave ids of the old form, which ended in March 2007 (stat, q-fin, eess and econ are younger);
# any other word before seven digits is a path.
_ARCHIVES = (
    "acc-phys|adap-org|alg-geom|ao-sci|astro-ph|atom-ph|bayes-an|chao-dyn|chem-ph|cmp-lg|comp-gas|cond-mat|cs|dg-ga"
    "|funct-an|gr-qc|hep-(?:ex|lat|ph|th)|math|math-ph|mtrl-th|nlin|nucl-(?:ex|th)|patt-sol|physics|plasm-ph"
    "|q-alg|q-bio|quant-ph|solv-int|supr-con"
)
_ARXIV_OLD = rf"(?:{_ARCHIVES})(?:\.[A-Z]{{2}})?/\d\d(?:0[1-9]|1[0-2])\d{{3}}"
_ARXIV = re.compile(rf"(?P<id>{_ARXIV_NEW}|{_ARXIV_OLD})(?:v(?P<version>[1-9]\d{{0,3}}))?")
_ARXIV_PREFIX = re.compile(
    r"\s*(?:oai:arxiv\.org:|arxiv:|https?://(?:[a-z]+\.)?arxiv\.org/(?:abs|pdf|html)/"
    r"|https?://(?:www\.)?huggingface\.co/papers/|https?://(?:dx\.)?doi\.org/10\.48550/arxiv\."
    r"|10\.48550/arxiv\.)",
    re.IGNORECASE,
)
_DOI = re.compile(r"\s*(?:doi:\s*|info:doi/|https?://(?:dx\.)?doi\.org/)?(?P<doi>10\.\d{4,9}/\S+)\s*\Z", re.IGNORECASE)
_TRACKING = re.compile(r"utm_\w+|fbclid|gclid|mc_cid|mc_eid|ref_src|rss", re.IGNORECASE)
_PLAIN_URL = re.compile(
    r"https?://(?P<host>[a-z0-9-]+(?:\.[a-z0-9-]+)+)(?P<path>(?:/[A-Za-z0-9._~!$&'()*+,;=:@%-]+)*)/?", re.ASCII
)
_SPACE = re.compile(r"\s")
_NOT_WORD = re.compile(r"[\W_]+")
_ASCII_WORDS = "".join(chr(code).lower() if chr(code).isalnum() else " " for code in range(128))
_MIN_TITLE_CHARS = 12


def split_arxiv(text: str) -> tuple[str, int | None] | None:
    """Read any form of an arXiv identifier: ``(id without version, version or None)``, else None.

    Understands bare ids old and new, ``arXiv:``, ``oai:arXiv.org:``, abs, pdf and html URLs, Hugging Face
    paper pages and the DOI ``10.48550/arXiv.ID``. Source: arXiv identifier scheme.
    """
    prefix = _ARXIV_PREFIX.match(text)
    rest = (text[prefix.end() :] if prefix else text).strip()
    if _ARXIV.match(rest) is None:
        return None  # almost everything that is asked about
    rest = re.split(r"[?#]", rest, maxsplit=1)[0].removesuffix(".pdf").rstrip("/")
    match = _ARXIV.fullmatch(rest)
    if match is None:
        return None
    version = match["version"]
    return match["id"], int(version) if version else None


def arxiv_id(text: str) -> PaperId | None:
    """Return the version-less ``arxiv:`` id in ``text``, or None."""
    found = split_arxiv(text)
    return PaperId(scheme="arxiv", local=found[0]) if found else None


def doi_id(text: str) -> PaperId | None:
    """Return the case-folded DOI in ``text`` (arXiv's own DOIs become ``arxiv:`` ids), or None."""
    if (own := arxiv_id(text)) is not None:
        return own
    match = _DOI.match(text)
    if match is None or len(match["doi"]) > 300:
        return None
    return PaperId(scheme="doi", local=match["doi"].casefold().rstrip(".,;"))


def normalise_url(url: str) -> str | None:
    """Return one spelling of an http(s) URL: https, host folded, tracking parameters and fragment gone.

    None when it is not an absolute http(s) URL.
    """
    url = url.strip()
    if (plain := _PLAIN_URL.fullmatch(url)) is not None:
        return f"https://{plain['host']}{plain['path'] or '/'}"
    return _normalise_unusual(url)


def _normalise_unusual(url: str) -> str | None:
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        return None
    if parts.scheme.lower() not in ("http", "https") or not parts.hostname:
        return None
    host = parts.hostname.lower() + (f":{port}" if port not in (None, 80, 443) else "")
    query = urlencode(
        [pair for pair in parse_qsl(parts.query, keep_blank_values=True) if not _TRACKING.fullmatch(pair[0])]
    )
    path = re.sub(r"\s", "%20", parts.path) or "/"
    return urlunsplit(("https", host, path if path == "/" else path.rstrip("/"), query, ""))


def url_id(url: str) -> PaperId | None:
    """Return the best id a URL gives: arXiv, DOI, else the normalised URL itself, or None."""
    if (known := doi_id(url)) is not None:
        return known
    normal = normalise_url(url)
    if normal is None or len(normal) > 2000 or _SPACE.search(normal):
        return None
    return PaperId(scheme="url", local=normal)


def fold(text: str) -> str:
    """Fold case, diacritics and punctuation away: words joined by single spaces."""
    if text.isascii():
        return " ".join(text.translate(_ASCII_WORDS).split())
    plain = unicodedata.normalize("NFKD", text)
    plain = "".join(c for c in plain if not unicodedata.combining(c))
    return _NOT_WORD.sub(" ", plain.casefold()).strip()


def title_id(title: str) -> PaperId:
    """Return the id of a paper of which only the title is known: readable, and unique by its hash."""
    folded = fold(title) or title
    digest = sha256(folded.encode("utf-8", "surrogatepass")).hexdigest()[:12]
    slug = "-".join(folded.split())[:60].strip("-")
    return PaperId(scheme="title", local=f"{slug}-{digest}" if slug else digest)


def title_key(paper: Paper) -> str | None:
    """Return the match key "title | first author's family name | year", or None when it would be vague.

    A title shorter than 12 folded characters, a missing author or a missing date give no key.
    """
    folded = fold(paper.title)
    if len(folded) < _MIN_TITLE_CHARS or not paper.authors or paper.published_at is None:
        return None
    name = paper.authors[0].name
    family = _last_word(name.partition(",")[0] if "," in name else name)
    return f"{folded}|{family}|{paper.published_at.year}" if family else None


def _last_word(text: str) -> str:
    """Return the last word of the folded text, "" when there is none."""
    if text.isascii() and (last := text.rpartition(" ")[2]).isalpha():
        return last.lower()  # as most names are
    return fold(text).rpartition(" ")[2]


def keys(paper: Paper) -> tuple[str, ...]:
    """Return every key by which this paper may be joined with another, strongest first, without repeats.

    Papers that share a key are one paper; the relation is closed transitively by the store.
    """
    found = [str(paper.id), *map(str, paper.aliases)]
    if (key := title_key(paper)) is not None:
        found.append(f"key:{key}")
    return tuple(dict.fromkeys(found))
