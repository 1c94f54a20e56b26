"""A body becomes a listing: which of the forms it has, which day it is of, and how far it can be trusted.

==============  ===============================  ==========================================
form            recognised by                    period and day
==============  ===============================  ==========================================
API body        a JSON list                      day by the items; others by the URL
day, week and   props ``periodType`` and         ``dateString``; a week's Monday,
month page      ``dateString``                   a month's first
trending page   its URL                          the day of retrieval
search page     props ``query``, else its URL    the day that its head shows
paper page      props of ``PaperContent``        the day on which it was listed (a search of one)
cards           no props at all                  by the URL
==============  ===============================  ==========================================
"""

from __future__ import annotations

from datetime import date

from paperdigest.errors import ParseError
from paperdigest.protocols import ParseContext
from paperdigest.sources.huggingface.cards import read_cards
from paperdigest.sources.huggingface.days import Span, agreed_day, choose_day, span_from_text, span_in_url
from paperdigest.sources.huggingface.items import Items, read_items
from paperdigest.sources.huggingface.page import PAPER, Page, read_page
from paperdigest.sources.huggingface.wire import Json, Record, decode, load_json
from paperdigest.types import Listing, ListingState, Period

__all__ = ["read_listing"]

_API_CAPS = (50, 100)
_PAGE_CAP = 105
_PERIODS = {"day": Period.DAY, "week": Period.WEEK, "month": Period.MONTH}


def read_listing(body: bytes, context: ParseContext) -> tuple[Listing, int]:
    """Return the listing in ``body`` and the number of items that stood there, dropped and repeated ones too.

    Raises:
        ParseError: see `HuggingFaceSource.parse`.
    """
    text = decode(body, context.name)
    start = text.lstrip()[:1]
    if start == "<":
        return _of_page(read_page(text, context.name), context)
    if start not in ("[", "{"):
        raise ParseError(context.name, f"neither JSON nor HTML: it begins with {text.lstrip()[:20]!r}")
    value = load_json(text, context.name)
    if isinstance(value, dict):
        return _of_object(Record(value, context.name, "the body"), context)
    return _of_api(value, context)


def _of_object(body: Record, context: ParseContext) -> tuple[Listing, int]:
    if "dailyPapers" in body.fields:
        return _of_props(body, None, context)
    if isinstance(error := body.fields.get("error"), str):
        raise ParseError(context.name, f"the API answered with an error: {error[:200]}")
    keys = ", ".join(list(body.fields)[:6])[:120]
    raise ParseError(context.name, f"the body is an object ({keys}), expected a list of entries")


def _of_api(value: Json, context: ParseContext) -> tuple[Listing, int]:
    items = read_items(value, context.name)
    span = span_in_url(context.name) or Span(Period.DAY)
    if span.period is Period.DAY:
        span = Span(Period.DAY, _proven_day(items, context))
    return _made(context, items, span, cap_note=_api_cut(items.size)), items.size


def _proven_day(items: Items, context: ParseContext) -> date | None:
    """The items prove a day when they agree; when they do not, they still disprove one that none of them is of."""
    days, asked = items.submitted_on, context.listed_on
    if (agreed := agreed_day(days, items.size)) is not None:
        return agreed
    if asked and days and asked not in days:
        problem = f"asked for {asked}, but the entries were listed from {min(days)} to {max(days)}"
        raise ParseError(context.name, problem)
    return None


def _api_cut(size: int) -> str | None:
    if size not in _API_CAPS:
        return None
    which = "default" if size == min(_API_CAPS) else "largest"
    return f"exactly {size} entries, the API's {which} limit: the listing may be cut"


def _of_page(page: Page, context: ParseContext) -> tuple[Listing, int]:
    in_url = span_in_url(context.name) or span_in_url(page.url)
    if page.props is None:
        return _of_cards(page, in_url or Span(Period.DAY), context)
    value = load_json(page.props, f"{context.name}, data-props")
    props = Record.of(value, context.name, "data-props")
    return _of_paper(props, context) if page.target == PAPER else _of_props(props, in_url, context)


def _of_props(props: Record, in_url: Span | None, context: ParseContext) -> tuple[Listing, int]:
    shown = _shown(props)
    query = props.record("query")
    if query is not None and query.text("q") and "searchResults" in props.fields:
        items = read_items(props.fields["searchResults"], context.name, "'searchResults'")
        return _made(context, items, Span(Period.SEARCH, shown.starts_on)), items.size
    items = read_items(props.fields.get("dailyPapers"), context.name, "'dailyPapers'")
    if in_url and in_url.period is Period.SEARCH:
        if shown.starts_on and agreed_day(items.submitted_on, items.size) == shown.starts_on:
            problem = f"asked for a search, but this is the whole listing of {shown.starts_on}"
            raise ParseError(context.name, problem, hint="the site did not filter it")
        return _made(context, items, Span(Period.SEARCH, shown.starts_on)), items.size
    if in_url and in_url.period is Period.TRENDING:
        return _made(context, items, Span(Period.TRENDING)), items.size
    span = shown if shown.starts_on or in_url is None else in_url
    cut = span.period is not Period.DAY and items.size >= _PAGE_CAP
    note = f"{items.size} entries: the site cuts its {span.period} pages near {_PAGE_CAP}" if cut else None
    return _made(context, items, span, cap_note=note), items.size


def _shown(props: Record) -> Span:
    """What the page says it is of: ``periodType`` decides, ``dateString`` gives the first day."""
    named, text = props.text("periodType"), props.text("dateString")
    if named is not None and named not in _PERIODS:
        problem = f"data-props: 'periodType' is {named[:40]!r}, expected day, week or month"
        raise ParseError(props.name, problem)
    span = span_from_text(text) if text is not None else None
    if text is not None and span is None:
        problem = f"data-props: 'dateString' is {text[:40]!r}, expected a date such as 2026-04-14"
        raise ParseError(props.name, problem)
    if span is None:
        return Span(_PERIODS[named] if named else Period.DAY)
    return Span(_PERIODS[named], span.starts_on) if named else span


def _of_paper(props: Record, context: ParseContext) -> tuple[Listing, int]:
    """One paper's page, such as the paper of the day: kept apart from the day's listing, of which it is a part."""
    item: dict[str, Json] = {"paper": props.fields.get("paper")}
    if "numComments" in props.fields:
        item["numComments"] = props.fields["numComments"]
    items = read_items([item], context.name)
    if not items.entries:
        raise ParseError(context.name, "the paper on this page has no id or no title")
    span = Span(Period.SEARCH, agreed_day(items.submitted_on, 1))
    return _made(context, items, span, note="one paper's own page"), items.size


def _of_cards(page: Page, span: Span, context: ParseContext) -> tuple[Listing, int]:
    listed_on = choose_day(context, span)
    items = read_cards(page.cards, listed_on=listed_on, with_abstracts=span.period is Period.SEARCH)
    if not items.size:
        titled = f" (its title: {page.title!r})" if page.title else ""
        raise ParseError(
            context.name,
            f"no Daily Papers page: it has neither data-props nor paper cards{titled}",
            hint="a login or challenge page, or a new layout? The API needs no page",
        )
    note = "read from the visible cards, which name no authors: the page has no data-props"
    return _made(context, items, span, cap_note=note), items.size


def _made(
    context: ParseContext, items: Items, span: Span, *, cap_note: str | None = None, note: str | None = None
) -> Listing:
    """Judge by the body alone: partial when items are missing for sure or maybe, quiet when there are none."""
    state = ListingState.COMPLETE
    if items.dropped:
        state, note = ListingState.PARTIAL, f"{items.dropped} entries without id or title were dropped"
    elif cap_note is not None:
        state, note = ListingState.PARTIAL, cap_note
    elif not items.size:
        state, note = ListingState.QUIET, "the source lists nothing"
    return Listing(
        source=context.source,
        kind="huggingface",
        listed_on=choose_day(context, span),
        retrieved_at=context.retrieved_at,
        state=state,
        entries=items.entries,
        period=span.period,
        dropped=items.dropped,
        note=note,
        url=context.name if span_in_url(context.name) else None,
    )
