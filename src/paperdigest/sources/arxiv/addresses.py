"""The addresses of arXiv's interfaces: pure functions from settings and day to URL."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from urllib.parse import quote, urlencode

from paperdigest.sources.arxiv.settings import ArxivSettings

__all__ = ["api_url", "listing_url", "oai_resume_url", "oai_set", "oai_url", "rss_url"]

_ADDRESS = {
    "rss": "https://rss.arxiv.org/rss",
    "listing": "https://arxiv.org/list",
    "api": "https://export.arxiv.org/api/query",
    "oai": "https://oaipmh.arxiv.org/oai",
}
_WITHOUT_SUBJECTS = frozenset(
    ("gr-qc", "hep-ex", "hep-lat", "hep-ph", "hep-th", "math-ph", "nucl-ex", "nucl-th", "quant-ph")
)
_PHYSICS = _WITHOUT_SUBJECTS | {"astro-ph", "cond-mat", "nlin", "physics"}
_MINUTE = timedelta(minutes=1)


def rss_url(settings: ArxivSettings) -> str:
    """Return the one feed of all categories: ``…/rss/cs.SE+cs.AI``."""
    return f"{_address(settings)}/{'+'.join(settings.category)}"


def listing_url(settings: ArxivSettings, category: str) -> str:
    """Return the page of new papers of one category, with all of them on it."""
    return f"{_address(settings)}/{category}/new?skip=0&show=2000"


def api_url(settings: ArxivSettings, *, window: tuple[datetime, datetime], start: int, max_results: int) -> str:
    """Return a query for what was submitted in ``window`` (UTC, end excluded), oldest first.

    Oldest first because papers that turn up between two pages then stand behind both.
    Source: arXiv API user's manual, "Search query details" (``submittedDate``, minutes, GMT).
    """
    begin, end = window[0], window[1] - _MINUTE
    terms = [f"submittedDate:[{begin:%Y%m%d%H%M} TO {end:%Y%m%d%H%M}]"]
    if settings.category:
        terms.append("(" + " OR ".join(f"cat:{_wildcard(one)}" for one in settings.category) + ")")
    if settings.query:
        terms.append(f"({settings.query})")
    query = {
        "search_query": " AND ".join(reversed(terms)),
        "sortBy": "submittedDate",
        "sortOrder": "ascending",
        "start": start,
        "max_results": max_results,
    }
    return f"{_address(settings)}?{urlencode(query)}"


def oai_url(settings: ArxivSettings, *, category: str | None, day: date) -> str:
    """Return a request for the records whose datestamp is ``day``: they appear on the listing's date."""
    query = {"verb": "ListRecords", "metadataPrefix": "arXivRaw", "from": day.isoformat(), "until": day.isoformat()}
    if category is not None:
        query["set"] = oai_set(category)
    return f"{_address(settings)}?{urlencode(query)}"


def oai_resume_url(settings: ArxivSettings, token: str) -> str:
    """Return the request for the next page (OAI-PMH 2.0, 3.5: the token is the only other argument)."""
    return f"{_address(settings)}?verb=ListRecords&resumptionToken={quote(token, safe='')}"


def oai_set(category: str) -> str:
    """Return the set of a category: ``group:archive:CATEGORY``, e.g. ``cs:cs:SE``, ``physics:hep-th``."""
    archive, dot, subject = category.partition(".")
    group = "physics" if archive in _PHYSICS else archive
    if dot:
        return f"{group}:{archive}:{subject}"
    return f"{group}:{archive}" if group == "physics" else archive


def _wildcard(category: str) -> str:
    """Return the term for the API: an archive with subjects is asked for with a star."""
    return category if "." in category or category in _WITHOUT_SUBJECTS else f"{category}.*"


def _address(settings: ArxivSettings) -> str:
    return (settings.url or _ADDRESS[settings.via]).rstrip("/")
