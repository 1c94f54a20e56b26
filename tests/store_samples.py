"""Papers and listings for tests of the store, and a picture of everything it holds, free of row numbers."""

from __future__ import annotations

import contextlib
import json
from datetime import UTC, date, datetime, timedelta

from paperdigest.store import Store
from paperdigest.store.engine import connect_raw
from paperdigest.store.knowledge_rows import load_knowledge
from paperdigest.types import Author, Entry, Listing, ListingState, Paper, PaperId, Period

MOMENT = datetime(2026, 4, 15, 6, 0, tzinfo=UTC)
DAY = date(2026, 4, 15)


def arxiv(local: str) -> PaperId:
    return PaperId(scheme="arxiv", local=local)


def paper(local: str = "2604.00001", title: str = "A study of something", **fields: object) -> Paper:
    """A paper by its arXiv id; ``fields`` as of `Paper`."""
    return Paper(id=arxiv(local), title=title, **fields)  # type: ignore[arg-type]  # keywords are checked by the call


def named(*names: str) -> tuple[Author, ...]:
    return tuple(Author(name=name) for name in names)


def listing(
    *entries: Entry | Paper,
    source: str = "hf",
    day: date = DAY,
    hours: int = 0,
    state: ListingState = ListingState.COMPLETE,
    **fields: object,
) -> Listing:
    """A listing of papers or entries, read ``hours`` after `MOMENT`."""
    return Listing(
        source=source,
        kind="huggingface",
        listed_on=day,
        retrieved_at=MOMENT + timedelta(hours=hours),
        state=state,
        entries=tuple(one if isinstance(one, Entry) else Entry(paper=one) for one in entries),
        **fields,  # type: ignore[arg-type]  # keywords are checked by the call
    )


def picture(store: Store) -> str:
    """Everything papers and listings hold, with keys in place of row numbers, as one comparable text."""
    with contextlib.closing(connect_raw(store.path)) as connection:
        cursor = connection.cursor()
        keys = dict(cursor.execute("SELECT id, key FROM papers").fetchall())
        papers = []
        for number, known in load_knowledge(cursor, keys).items():
            fields = known.fields._asdict()
            # A stamp that the leader gave and one that is written out say the same; a missing value has none.
            stamps = {
                name: known.stamps.get(index, known.lead)
                for index, (name, value) in enumerate(fields.items())
                if value is not None and name != "published_at"
            }
            authority = known.stamps.get(fields_index("published_at"), known.lead)[0]
            seen = (known.first_seen_at, sorted(known.versions.items()))
            said = (fields, stamps, authority if known.fields.published_at else None)
            papers.append((keys[number], known.lead, said, sorted(known.keys), seen))
        listings = {
            number: tuple(key)
            for number, *key in cursor.execute("SELECT id, source, period, listed_on FROM listings").fetchall()
        }
        columns = "kind, state, retrieved_at, attempted_at, announced_count, dropped, note, url"
        heads = cursor.execute(f"SELECT id, {columns} FROM listings").fetchall()
        places = cursor.execute(
            "SELECT listing_id, paper_id, rank, announce_type, placed_at, upvotes, comments, voted_at, confirmed"
            " FROM entries"
        ).fetchall()
        votes = cursor.execute("SELECT listing_id, paper_id, upvotes, comments, observed_at FROM votes").fetchall()
        told = cursor.execute("SELECT * FROM validators").fetchall()
    whole = {
        "papers": sorted(papers, key=lambda one: one[0]),
        "listings": sorted(json.dumps((listings[number], *rest)) for number, *rest in heads),
        "entries": sorted(json.dumps((listings[number], keys[one], *rest)) for number, one, *rest in places),
        "votes": sorted(json.dumps((listings[number], keys[one], *rest)) for number, one, *rest in votes),
        "validators": sorted(json.dumps(row) for row in told),
    }
    return json.dumps(whole, indent=1)


def fields_index(name: str) -> int:
    from paperdigest.store.merging import Fields

    return Fields._fields.index(name)


def week(day: date = DAY) -> dict[str, object]:
    return {"period": Period.WEEK, "day": day}
