"""A month is the same month however it is driven: hour by hour by cron, or by one process that never ends."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path

import pytest

from paperdigest.app import App, sending
from paperdigest.app.letters import Letters
from paperdigest.config import Settings
from paperdigest.protocols import OutgoingMessage
from paperdigest.schedule import parse_days
from paperdigest.types import (
    Delivery,
    Digest,
    Entry,
    Listing,
    ListingState,
    OnEmpty,
    Paper,
    PaperId,
    Schedule,
    Subscriber,
    SubscriberStatus,
    Topic,
)

BEGIN = datetime(2026, 3, 9, 0, 0, tzinfo=UTC)  # a Monday; clocks change in Berlin on the 29th, in Lord Howe on 5 April
DAYS = 30
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
FETCHED = timedelta(hours=4, minutes=20)
WORDS = ("trace", "tracing", "graph", "matrix", "model", "software", "requirement", "causal", "bandit", "link", "query")
Action = Callable[[App], object]


def subscribers() -> Iterator[Subscriber]:
    def one(name: str, query: str, at: time, tz: str, days: str = "daily", **more: object) -> Subscriber:
        return Subscriber(
            email=f"{name}@example.org",
            status=SubscriberStatus.ACTIVE,
            schedule=Schedule(days=parse_days(days), at=at, tz=tz),
            topics=tuple(Topic(name=part, query=part) for part in query.split(",")),
            created_at=BEGIN,
            **more,  # type: ignore[arg-type]  # keywords are checked by the call
        )

    yield one("berlin", "trace", time(7), "Europe/Berlin")
    yield one("weekdays", "trace,graph matrix", time(6, 30), "Europe/Berlin", "mon-fri", max_papers=5)
    yield one("weekly", "causal,bandit", time(9), "UTC", "mon", max_papers=20)
    yield one("gap", "model", time(2, 30), "Europe/Berlin")
    yield one("cairo", "software requirement", time(12), "Africa/Cairo", on_empty=OnEmpty.NOTE)
    yield one("howe", "link", time(10, 15), "Australia/Lord_Howe", attach_bibtex=True)
    yield one("apia", "tracing", time(23, 45), "Pacific/Apia", "sat,sun,tue")
    yield one("rare", "xylophone", time(8), "UTC", on_empty=OnEmpty.NOTE)
    yield one("none", "xylophone", time(8), "UTC")
    yield one("mover", "query", time(7), "America/New_York")
    yield one("rester", "matrix", time(7), "Asia/Kolkata")
    yield one("away", "graph", time(7), "UTC")


def moved(app: App) -> None:
    known = app.subscribers.get("mover@example.org")
    app.subscribers.update(replace(known, schedule=replace(known.schedule, tz="Asia/Tokyo")))


def paused(app: App) -> None:
    known = app.subscribers.get("rester@example.org")
    app.subscribers.update(replace(known, schedule=replace(known.schedule, pause_until=date(2026, 3, 24))))


def left(app: App) -> None:
    app.subscribers.update(replace(app.subscribers.get("away@example.org"), status=SubscriberStatus.PAUSED))


def returned(app: App) -> None:
    app.subscribers.update(replace(app.subscribers.get("away@example.org"), status=SubscriberStatus.ACTIVE))


def fetched(day: date) -> Action:
    """Record what is announced on a day: on weekdays some papers, on one of them nothing but a failure."""

    def record(app: App) -> None:
        draw = random.Random(day.toordinal())
        entries = tuple(
            Entry(paper=_paper(draw, f"{day:%y%m}.{day.day:02}{number:03}"), rank=number)
            for number in range(1, draw.randint(4, 9))
        )
        has_failed = day == date(2026, 3, 18)
        is_quiet = day.weekday() >= 5
        state = ListingState.FAILED if has_failed else ListingState.QUIET if is_quiet else ListingState.COMPLETE
        app.store.record(
            Listing(
                source="huggingface",
                kind="huggingface",
                listed_on=day,
                retrieved_at=app.clock(),
                state=state,
                entries=() if has_failed or is_quiet else entries,
            ),
            authority=2,
        )

    return record


def _paper(draw: random.Random, local: str) -> Paper:
    title, abstract = (" ".join(draw.choices(WORDS, k=size)) for size in (6, 30))
    return Paper(
        id=PaperId(scheme="arxiv", local=local), title=title, abstract=abstract, url=f"https://arxiv.org/abs/{local}"
    )


def life() -> dict[datetime, Action]:
    """What happens besides sending, and when."""
    happens: dict[datetime, Action] = {
        BEGIN + number * DAY + FETCHED: fetched((BEGIN + number * DAY).date()) for number in range(DAYS)
    }
    happens[BEGIN + 4 * DAY + 15 * HOUR] = moved
    happens[BEGIN + 6 * DAY + 15 * HOUR] = paused
    happens[BEGIN + 8 * DAY + 15 * HOUR] = left
    happens[BEGIN + 14 * DAY + 15 * HOUR] = returned
    return happens


def hourly() -> list[datetime]:
    return [BEGIN + number * HOUR for number in range(24 * DAYS + 1)]


def odd_minutes() -> list[datetime]:
    """Beats of a clock that keeps no hours: every 23 to 59 minutes."""
    draw, now, beats = random.Random(5), BEGIN, []
    while now <= BEGIN + DAYS * DAY:
        beats.append(now)
        now += timedelta(minutes=draw.randint(23, 59), seconds=draw.randint(0, 59))
    return beats


class Clock:
    now = BEGIN

    def __call__(self) -> datetime:
        return self.now


class Plain:
    """In place of the letters: the same ledger, without drawing a thousand mails."""

    def __init__(self, settings: Settings) -> None:
        self._letters = Letters(settings)
        self.message_id = self._letters.message_id

    def check(self) -> None: ...

    def begin(self, digest: Digest, delivery: Delivery) -> Callable[[], OutgoingMessage]:
        return lambda: OutgoingMessage(
            sender="paperdigest@example.org",
            recipient=digest.subscriber.email,
            message_id=delivery.message_id,
            content=f"Message-ID: {delivery.message_id}\r\n\r\n{digest.edition} {digest.ranked!r}\r\n".encode(),
        )


def drive(home: Path, beats: Iterable[datetime], *, opens_each_time: bool) -> App:
    """Live through the month below ``home``; return the application, open."""
    home.mkdir()
    settings = Settings.model_validate(
        {
            "store": {"url": f"sqlite:///{home / 'papers.db'}"},
            "ranking": {"threshold": 0.2, "explore": True},
            "mail": {"maildir": {"path": str(home / "Maildir")}, "secret_key_file": str(home.parent / "key")},
        }
    )
    clock = Clock()
    app = App.open(settings, create=True, clock=clock)
    for one in subscribers():
        app.subscribers.add(one)
    happens = life()
    for moment in sorted({*beats, *happens}):
        if opens_each_time:
            app.close()
            app = App.open(settings, clock=clock)
        clock.now = moment
        if moment in happens:
            happens[moment](app)
        else:
            report = app.sending.send()
            assert report.problems == ()
    return app


def editions(app: App) -> list[tuple[object, ...]]:
    """Who got which papers in which edition, and why they stand there."""
    return _rows(
        app,
        "SELECT s.email, d.edition, i.position, i.paper_key, i.placement, i.score, i.topic FROM digests d"
        " JOIN subscribers s ON s.id = d.subscriber_id LEFT JOIN digest_items i ON i.digest_id = d.id"
        " ORDER BY s.email, d.edition, i.position",
    )


def ledger(app: App) -> list[tuple[object, ...]]:
    """Every delivery with its message, when it was made, and what is frozen."""
    return _rows(
        app,
        "SELECT s.email, d.edition, v.message_id, v.state, v.attempts, v.sent_at, d.composed_at, d.frozen"
        " FROM deliveries v JOIN digests d ON d.id = v.digest_id JOIN subscribers s ON s.id = d.subscriber_id"
        " ORDER BY v.id",
    )


def mails(home: Path) -> list[bytes]:
    return sorted(one.read_bytes() for one in (home / "Maildir" / "new").iterdir())


def _rows(app: App, query: str) -> list[tuple[object, ...]]:
    with app.store.database.reading() as connection:
        return [tuple(row) for row in connection.exec_driver_sql(query)]


@pytest.fixture(autouse=True)
def by_words_alone(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PAPERDIGEST_MODEL", str(tmp_path / "no model"))


def by_reader(app: App) -> dict[str, list[date]]:
    found: dict[str, list[date]] = {one.email.partition("@")[0]: [] for one in subscribers()}
    rows = _rows(app, "SELECT s.email, d.edition FROM digests d JOIN subscribers s ON s.id = d.subscriber_id")
    for email, edition in sorted(rows, key=str):
        found[str(email).partition("@")[0]].append(date.fromisoformat(str(edition)))
    return found


@pytest.mark.slow
def test_a_month_is_the_same_hour_by_hour_in_one_go_and_at_odd_minutes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sending, "Letters", Plain)
    one_go = drive(tmp_path / "one go", hourly(), opens_each_time=False)
    by_hour = drive(tmp_path / "hour by hour", hourly(), opens_each_time=True)
    odd = drive(tmp_path / "odd", odd_minutes(), opens_each_time=False)
    assert editions(by_hour) == editions(odd) == editions(one_go)
    assert ledger(by_hour) == ledger(one_go)
    assert mails(tmp_path / "hour by hour") == mails(tmp_path / "one go")
    assert len(mails(tmp_path / "odd")) == len(mails(tmp_path / "one go")) == len(ledger(one_go))
    _holds_what_it_should(one_go)
    for app in (one_go, by_hour, odd):
        assert app.store.check() == ()
        app.close()


def test_some_days_with_real_mails_are_the_same_to_the_byte(tmp_path: Path) -> None:
    beats = [one for one in hourly() if BEGIN + 3 * HOUR < one < BEGIN + 2 * DAY and one.hour in (5, 6, 8, 12, 20)]
    apps = [drive(tmp_path / name, beats, opens_each_time=name == "b") for name in ("a", "b")]
    assert ledger(apps[0]) == ledger(apps[1]) != []
    assert mails(tmp_path / "a") == mails(tmp_path / "b") != []
    for app in apps:
        app.close()


def _holds_what_it_should(app: App) -> None:
    found = by_reader(app)
    days = [(BEGIN + number * DAY).date() for number in range(DAYS + 1)]
    # Notes fill every day of who wants them, and nobody else has an empty one.
    assert found["rare"] == days[:-1]
    assert found["none"] == []
    assert set(found["weekly"]) <= {one for one in days if one.weekday() == 0} and len(found["weekly"]) >= 4
    assert all(one.weekday() < 5 for one in found["weekdays"]) and len(found["weekdays"]) >= 15
    assert all(one.weekday() in (5, 6, 1) for one in found["apia"]) and found["apia"]
    assert not [one for one in found["rester"] if date(2026, 3, 15) < one < date(2026, 3, 24)]
    assert date(2026, 3, 24) in found["rester"]
    assert not [one for one in found["away"] if date(2026, 3, 17) < one < date(2026, 3, 23)]
    for some in found.values():
        assert len(set(some)) == len(some)
    sent = [(row[0], row[3]) for row in editions(app) if row[3] is not None]
    assert len(set(sent)) == len(sent) > 200  # no paper twice to anybody
    assert _rows(app, "SELECT id FROM digests WHERE frozen LIKE '%could not be read on %'")
