"""Sources in every kind of trouble, replayed on loopback: the right state, words and exit code, and no other harmed."""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from email.utils import format_datetime
from pathlib import Path
from typing import Any

import pytest

from paperdigest.testing.replay import ReplayServer, Reply
from tests.e2e.conftest import Person

TUESDAY, WEDNESDAY, SATURDAY = "2026-04-14T12:00Z", "2026-04-15T12:00Z", "2026-04-18T12:00Z"
RSS = {"Content-Type": "application/rss+xml"}


@pytest.fixture
def server() -> Iterator[ReplayServer]:
    with ReplayServer() as running:
        yield running


def rss(day: str, numbers: Sequence[int], title: str = "cs.SE updates on arXiv.org") -> bytes:
    """An arXiv announcement feed in the service's own form (pubDate is midnight Eastern)."""
    items = "".join(
        f"<item><title>Tracing paper number {n}</title><link>https://arxiv.org/abs/2604.{n:05d}</link>"
        f"<description>arXiv:2604.{n:05d}v1 Announce Type: new \nAbstract: We trace {n}.</description>"
        f'<guid isPermaLink="false">oai:arXiv.org:2604.{n:05d}v1</guid>'
        f"<arxiv:announce_type>new</arxiv:announce_type><dc:creator>Ada Lovelace, Alan Turing</dc:creator></item>"
        for n in numbers
    )
    return (
        '<?xml version="1.0" encoding="UTF-8"?><rss xmlns:arxiv="http://arxiv.org/schemas/atom" '
        'xmlns:dc="http://purl.org/dc/elements/1.1/" version="2.0"><channel>'
        f"<title>{title}</title><link>http://rss.arxiv.org/rss/cs.SE</link><description>{title}</description>"
        f"<lastBuildDate>{day} 00:00:00 -0400</lastBuildDate><pubDate>{day} 00:00:00 -0400</pubDate>"
        f"<skipDays><day>Sunday</day><day>Saturday</day></skipDays>{items}</channel></rss>"
    ).encode()


def feed(title: str = "A steady neighbour") -> bytes:
    return (
        f'<rss version="2.0"><channel><title>{title}</title><item><title>{title} speaks</title>'
        "<link>https://example.org/steady</link></item></channel></rss>"
    ).encode()


def configure(person: Person, server: ReplayServer, *, extra: str = "", kind: str = "feed", path: str = "/x") -> None:
    """One source in trouble, and a steady neighbour that must not be harmed."""
    server.answer("/steady", Reply(body=feed(), headers=RSS))
    person.settings(
        "[fetch]\ndeadline_s = 2\nmax_body_mb = 4\nrepair_days = 0\n"
        f'[[sources]]\nname = "troubled"\nkind = "{kind}"\nurl = "{server.url(path)}"\n{extra}\n'
        + ("" if "allow_private" in extra else "allow_private = true\n")
        + f'[[sources]]\nname = "steady"\nkind = "feed"\nurl = "{server.url("/steady")}"\nallow_private = true\n'
    )


def fetched(person: Person, now: str = WEDNESDAY) -> tuple[int, dict[str, Any]]:
    """Fetch everything; return the exit code and the troubled source's report. The neighbour must be well."""
    result = person.types("--now", now, "fetch", "--json")
    listings = {one["source"]: one for one in result.json["listings"]}
    assert listings["steady"]["state"] == "complete"
    assert "Traceback" not in result.err
    return result.code, listings["troubled"]


def arxiv(person: Person, server: ReplayServer, **more: str) -> None:
    configure(person, server, kind="arxiv", path="/rss", extra='category = "cs.SE"', **more)


def test_yesterdays_batch_served_again_is_stale(person: Person, server: ReplayServer) -> None:
    arxiv(person, server)
    server.answer(
        "/rss/cs.SE",
        Reply(body=rss("Tue, 14 Apr 2026", range(1, 4)), headers=RSS),
        Reply(body=rss("Wed, 15 Apr 2026", range(1, 4)), headers=RSS),
    )
    assert fetched(person, TUESDAY)[1]["state"] == "complete"
    code, report = fetched(person, WEDNESDAY)
    assert (code, report["state"], report["new"]) == (3, "stale", 0)
    assert "served again" in report["note"]


def test_the_very_same_old_page_on_the_next_day_is_stale(person: Person, server: ReplayServer) -> None:
    arxiv(person, server)
    server.answer("/rss/cs.SE", Reply(body=rss("Tue, 14 Apr 2026", range(1, 4)), headers=RSS, etag='"a"'))
    assert fetched(person, TUESDAY)[0] == 0
    code, report = fetched(person, WEDNESDAY)
    assert (code, report["state"]) == (3, "stale")
    assert "2026-04-15" in report["note"]


def test_a_weekend_is_quiet(person: Person, server: ReplayServer) -> None:
    arxiv(person, server)
    server.answer("/rss/cs.SE", Reply(body=rss("Sat, 18 Apr 2026", ()), headers=RSS))
    code, report = fetched(person, SATURDAY)
    assert (code, report["state"], report["entries"]) == (0, "quiet", 0)
    assert "weekend" in report["note"]


def test_an_error_that_comes_as_a_feed_is_failed(person: Person, server: ReplayServer) -> None:
    arxiv(person, server)
    body = rss("Wed, 15 Apr 2026", (), title="Feed error for query: cs.XX")
    server.answer("/rss/cs.SE", Reply(body=body, headers=RSS))
    code, report = fetched(person)
    assert (code, report["state"]) == (3, "failed")
    assert "Feed error for query" in report["error"]


@pytest.mark.parametrize(
    ("status", "headers", "until"),
    [
        (429, {"Retry-After": "7200"}, "2026-04-15 14:00"),
        (
            429,
            {"Retry-After": format_datetime(datetime(2026, 4, 15, 15, 30, tzinfo=UTC), usegmt=True)},
            "2026-04-15 15:30",
        ),
        (429, {"RateLimit": '"api";r=0;t=600'}, "2026-04-15 12:10"),
        (503, {"Retry-After": "60"}, "2026-04-15 12:01"),
    ],
    ids=["seconds", "date", "RateLimit", "503"],
)
def test_a_server_that_asks_for_patience_gets_it_in_this_run_and_the_next(
    person: Person, server: ReplayServer, status: int, headers: dict[str, str], until: str
) -> None:
    configure(person, server)
    server.answer("/x", Reply(status=status, headers=headers), Reply(body=feed("Back again"), headers=RSS))
    # The neighbour stands on the same host here, so it is asked for the same patience: it is fetched first.
    result = person.types("--now", WEDNESDAY, "fetch", "troubled", "--json")
    report = result.json["listings"][0]
    assert (result.code, report["state"]) == (3, "failed")
    assert until in report["error"]
    asked = len(server.requests)
    again = person.types("--now", "2026-04-15T12:00:30Z", "fetch", "troubled", "--json")
    assert (again.code, len(server.requests)) == (3, asked)
    later = person.types("--now", "2026-04-15T16:00Z", "fetch", "troubled", "--json")
    assert (later.code, later.json["listings"][0]["new"]) == (0, 1)


def test_patience_asked_of_a_check_holds_for_the_next_run(person: Person, server: ReplayServer) -> None:
    configure(person, server)
    server.answer("/x", Reply(status=429, headers={"Retry-After": "7200"}))
    assert person.types("--now", WEDNESDAY, "sources", "check", "troubled").code == 3
    asked = len(server.requests)
    again = person.types("--now", "2026-04-15T12:30Z", "fetch", "troubled", "--json")
    assert (again.code, len(server.requests)) == (3, asked)


def test_a_permanent_redirect_is_remembered(person: Person, server: ReplayServer) -> None:
    configure(person, server)
    server.answer("/x", Reply(status=301, headers={"Location": "/y"}))
    server.answer("/y", Reply(status=308, headers={"Location": "/z"}))
    server.answer("/z", Reply(body=feed("At home"), headers=RSS))
    assert fetched(person)[0] == 0
    fetched(person)
    paths = [request.path for request in server.requests if request.path != "/steady"]
    assert paths == ["/x", "/y", "/z", "/z"]


def test_what_is_gone_is_not_asked_again(person: Person, server: ReplayServer) -> None:
    configure(person, server)
    server.answer("/x", Reply(status=410))
    code, report = fetched(person)
    assert (code, report["state"]) == (3, "failed")
    assert "410" in report["error"]
    fetched(person)
    assert [request.path for request in server.requests].count("/x") == 1


def test_a_private_address_is_refused_unless_the_source_allows_it(person: Person, server: ReplayServer) -> None:
    configure(person, server, extra="allow_private = false")
    server.answer("/x", Reply(body=feed("Inside"), headers=RSS))
    code, report = fetched(person)
    assert (code, report["state"]) == (3, "failed")
    assert "allow_private" in report["error"]
    assert [request.path for request in server.requests] == ["/steady"]


@pytest.mark.parametrize(
    ("reply", "state", "says"),
    [
        (
            Reply(body=b"<!doctype html><title>Log in</title><p>please", headers={"Content-Type": "text/html"}),
            "failed",
            "HTML",
        ),
        (Reply(body=b""), "failed", "empty"),
        (Reply(body=feed()[:100], headers=RSS), "partial", "could not be read"),
        (Reply(body=feed(), headers=RSS, cut_after=60), "failed", "broke off after 60 of"),
        (Reply(body=gzip.compress(bytes(64_000_000)), headers={"Content-Encoding": "gzip"}), "failed", "larger than"),
        (Reply(body=feed() * 50, headers=RSS, drip_s=1), "failed", "not done in time"),
        (Reply(status=500), "failed", "500"),
        (Reply(status=302, headers={"Location": "file:///etc/passwd"}), "failed", "http"),
        (Reply(status=302, headers={"Location": "/x"}), "failed", "circle"),
    ],
    ids=["html", "empty", "truncated", "cut", "gzip bomb", "one byte a second", "500", "to a file", "in a circle"],
)
def test_a_body_that_is_no_listing_costs_one_clear_error(
    person: Person, server: ReplayServer, reply: Reply, state: str, says: str
) -> None:
    configure(person, server)
    server.answer("/x", reply)
    code, report = fetched(person)
    assert (code, report["state"]) == (3, state)
    assert says in (report["error"] or report["note"])


def test_a_half_updated_listing_adds_and_takes_nothing_away(person: Person, server: ReplayServer, shared: Path) -> None:
    day = json.loads((shared / "data/hf-daily-archive/sample-dev/2026-02-10.json").read_text(encoding="utf-8"))
    configure(person, server, kind="huggingface", path="/api", extra="limit = 100")
    full, half = (Reply(body=json.dumps(items).encode()) for items in (day, day[:1]))
    asked = set()
    for page in ("?date=2026-02-10&limit=100", "?date=2026-02-10&limit=100&p=0"):
        server.answer(f"/api{page}", full, half)
        asked.add(page)
    first = person.types("--now", "2026-02-11T12:00Z", "fetch", "troubled", "--date", "2026-02-10", "--json")
    second = person.types("--now", "2026-02-12T12:00Z", "fetch", "troubled", "--date", "2026-02-10", "--json")
    assert (first.code, first.json["listings"][0]["new"]) == (0, 33), [r.path for r in server.requests]
    assert (second.code, second.json["listings"][0]["state"]) == (3, "partial")
    assert "33 were read before" in second.json["listings"][0]["note"]
    assert person.types("papers", "--limit", "1", "--json").json["total"] == 33
    assert (
        person.types("--now", "2026-02-12T12:00Z", "sources", "list", "--json").json["sources"][0]["state"]
        == "complete"
    )


def test_a_page_that_was_cut_is_partial_with_the_count(person: Person, server: ReplayServer, shared: Path) -> None:
    page = (shared / "data/arxiv-listing-html/arxiv_listing_sample.html").read_bytes()
    cut = page[: page.rindex(b"<dt>")]
    configure(person, server, kind="arxiv", path="/list", extra='category = "cs.AI"\nvia = "listing"')
    html = {"Content-Type": "text/html"}
    path = "/list/cs.AI/new?skip=0&show=2000"
    server.answer(path, Reply(body=cut, headers=html, etag='"cut"'), Reply(body=page, headers=html, etag='"whole"'))
    code, report = fetched(person, "2026-08-12T12:00Z")
    assert (code, report["state"], report["entries"], report["announced"]) == (3, "partial", 5, 6)
    assert "5 of 6" in report["note"]
    code, report = fetched(person, "2026-08-12T13:00Z")
    assert (code, report["state"], report["entries"], report["new"]) == (0, "complete", 6, 1)


def test_a_run_without_change_costs_next_to_nothing(person: Person, server: ReplayServer, shared: Path) -> None:
    day = (shared / "data/hf-daily-archive/sample-dev/2026-02-10.json").read_bytes()
    configure(person, server, kind="huggingface", path="/api", extra="limit = 100")
    server.answer("/api?date=2026-02-10&limit=100", Reply(body=day, etag='W/"abc"'))
    arguments = ("fetch", "troubled", "--date", "2026-02-10", "--json")
    person.types("--now", "2026-02-11T12:00Z", *arguments)
    before = server.bytes_sent
    again = person.types("--now", "2026-02-11T13:00Z", *arguments)
    assert again.json["listings"][0]["unchanged"] == 33
    assert server.bytes_sent - before <= 0.005 * before


def test_days_left_missing_or_partial_are_repaired_by_the_next_run(
    person: Person, server: ReplayServer, shared: Path
) -> None:
    day = (shared / "data/hf-daily-archive/sample-dev/2026-02-10.json").read_bytes()
    configure(person, server, kind="huggingface", path="/api", extra="limit = 100")
    settings = person.home / "config" / "paperdigest" / "config.toml"
    settings.write_text(settings.read_text(encoding="utf-8").replace("repair_days = 0", "repair_days = 2"), "utf-8")
    for quiet in ("2026-02-09", "2026-02-11", "2026-02-12"):
        server.answer(f"/api?date={quiet}&limit=100", Reply(body=b"[]"))
    server.answer("/api?date=2026-02-10&limit=100", Reply(status=500), Reply(body=day))
    first = person.types("--now", "2026-02-11T12:00Z", "fetch", "troubled", "--json").json["listings"]
    second = person.types("--now", "2026-02-12T12:00Z", "fetch", "troubled", "--json").json["listings"]
    assert {one["listed_on"]: one["state"] for one in first}["2026-02-10"] == "failed"
    assert {one["listed_on"]: one["new"] for one in second}["2026-02-10"] == 33


def test_a_back_fill_without_an_end_goes_up_to_today(person: Person, server: ReplayServer) -> None:
    configure(person, server, kind="huggingface", path="/api", extra="limit = 100")
    days = ("2026-04-13", "2026-04-14", "2026-04-15")
    for day in days:
        server.answer(f"/api?date={day}&limit=100", Reply(body=b"[]"))
    result = person.types("--now", WEDNESDAY, "fetch", "troubled", "--since", "2026-04-13", "--json")
    assert [one["listed_on"] for one in result.json["listings"]] == list(days)


def test_a_back_fill_goes_on_where_it_stopped(person: Person, server: ReplayServer, shared: Path) -> None:
    day = (shared / "data/hf-daily-archive/sample-dev/2026-02-10.json").read_bytes()
    configure(person, server, kind="huggingface", path="/api", extra="limit = 100")
    server.answer("/api?date=2026-02-10&limit=100", Reply(body=day))
    server.answer("/api?date=2026-02-11&limit=100", Reply(status=500), Reply(body=b"[]"))
    arguments = ("fetch", "troubled", "--since", "2026-02-10", "--until", "2026-02-11", "--json")
    first = person.types("--now", "2026-03-01T12:00Z", *arguments).json["listings"]
    second = person.types("--now", "2026-03-01T12:05Z", *arguments).json["listings"]
    third = person.types("--now", "2026-03-01T12:10Z", *arguments)
    assert {one["listed_on"]: one["state"] for one in first} == {"2026-02-10": "complete", "2026-02-11": "failed"}
    assert [(one["listed_on"], one["state"]) for one in second] == [("2026-02-11", "quiet")]
    assert (third.code, third.json["listings"]) == (0, [])
