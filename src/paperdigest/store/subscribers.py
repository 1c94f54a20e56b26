"""Subscribers in the database."""

from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache
from typing import Any

from email_validator import EmailNotValidError, validate_email
from sqlalchemy import Connection, delete, insert, select, update

from paperdigest.errors import AlreadyExistsError, NotFoundError, UsageError
from paperdigest.store.chunking import chunks
from paperdigest.store.delivery_tables import subscribers, topics
from paperdigest.store.engine import Database
from paperdigest.store.ranking_tables import learning
from paperdigest.store.standing import schedule_of
from paperdigest.store.tables import from_stored
from paperdigest.types import OnEmpty, Subscriber, SubscriberStatus, Topic

__all__ = ["Subscribers", "normalised_address", "stored_address"]

_INVISIBLE = re.compile("[\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180f\u2800\ufe00-\ufe0f\U000e0100-\U000e01ef]")
"""Characters without a form that Unicode counts among letters, marks and symbols; the others are controls to it."""

_MAX_LOCAL_BYTES = 64  # RFC 5321, 4.5.3.1.1

_TOPICS = """
SELECT subscriber_id, name, query, weight, quota, threshold FROM topics
WHERE subscriber_id IN (SELECT value FROM json_each(?)) ORDER BY subscriber_id, position
"""
_SUBSCRIBERS = """
SELECT id, email, name, status, days, at, tz, pause_until, max_papers, created_at, on_empty, attach_bibtex
FROM subscribers WHERE id IN (SELECT value FROM json_each(?))
"""


def normalised_address(email: str) -> str:
    """Return the one spelling of an address: the domain in lower case and as A-labels; no DNS is asked.

    The part before the @ may be in any script (RFC 6531), composed (NFC, RFC 6532, 3.1). What cannot be seen in it, or
    looks like something else, is refused as in identifiers (RFC 8264, 4.2.3): two such addresses are told apart by
    nobody, and a mark of direction turns around what is printed after it.

    Raises:
        UsageError: it is not an address that mail can be sent to.
    """
    try:
        # test_environment admits "@example.test" and the like; whether mail arrives there is not ours to guess.
        found = validate_email(email, check_deliverability=False, allow_smtputf8=True, test_environment=True)
    except EmailNotValidError as error:
        raise UsageError(f"{email!a} is not an e-mail address: {error}") from error
    if found.ascii_email:
        return found.ascii_email
    local = found.local_part  # composed by the validator
    if unicodedata.normalize("NFKC", local) != local or _INVISIBLE.search(local):
        raise UsageError(
            f"{email!a} is not an e-mail address: it holds characters that are invisible or look like others"
        )
    if len(local.encode("utf-8")) > _MAX_LOCAL_BYTES:
        raise UsageError(f"{email!r} is not an e-mail address: more than {_MAX_LOCAL_BYTES} bytes stand before the @")
    return f"{local}@{found.ascii_domain}"


class Subscribers:
    """The subscribers of one database. Every method may raise StoreError."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def add(self, subscriber: Subscriber) -> Subscriber:
        """Store a new subscriber and return them with their ``id``.

        Raises:
            AlreadyExistsError: the address is stored already.
            UsageError: it is not an address.
        """
        row = _row(subscriber)
        with self._database.writing() as connection:
            if connection.execute(select(subscribers.c.id).where(subscribers.c.email == row["email"])).first():
                hint = "Change them with `paperdigest subscriber set EMAIL`"
                raise AlreadyExistsError("subscriber", row["email"], hint)
            number = connection.execute(insert(subscribers).values(row).returning(subscribers.c.id)).scalar_one()
            _write_topics(connection, number, subscriber.topics)
            return _load(connection, [number])[0]

    def spelt_otherwise(self, email: str) -> str | None:
        """Return an address that is stored and differs from this one by case alone; None when there is none."""
        alike = subscribers.c.email.collate("NOCASE") == email
        with self._database.reading() as connection:
            other = select(subscribers.c.email).where(alike, subscribers.c.email != email)
            found: str | None = connection.execute(other).scalar()
        return found

    def update(self, subscriber: Subscriber) -> Subscriber:
        """Store a subscriber's new values; they are known by their ``id``.

        Raises:
            NotFoundError: they were removed in the meantime.
        """
        with self._database.writing() as connection:
            row = {key: value for key, value in _row(subscriber).items() if key != "created_at"}
            row["examined_papers"] = None  # an edition that was empty before may have something now
            changed = connection.execute(update(subscribers).where(subscribers.c.id == subscriber.id).values(row))
            if changed.rowcount == 0:
                raise NotFoundError("subscriber", subscriber.email)
            _write_topics(connection, subscriber.id, subscriber.topics)
            # What was found out about learning was found out with the topics as they were.
            connection.execute(delete(learning).where(learning.c.subscriber_id == subscriber.id))
            return _load(connection, [subscriber.id])[0]

    def get(self, email: str) -> Subscriber:
        """Return the subscriber with that address.

        Raises:
            NotFoundError: there is none.
        """
        with self._database.reading() as connection:
            return _load(connection, [_number(connection, email)])[0]

    def all(self) -> tuple[Subscriber, ...]:
        """Return every subscriber, by address."""
        with self._database.reading() as connection:
            numbers = connection.execute(select(subscribers.c.id).order_by(subscribers.c.email)).scalars().all()
            return _load(connection, numbers)

    def get_many(self, numbers: Sequence[int]) -> dict[int, Subscriber | UsageError]:
        """Return subscribers by number; those who are gone are left out, an error stands for who cannot be read."""
        with self._database.reading() as connection:
            return dict(_each(connection, numbers))

    def remove(self, email: str) -> None:
        """Remove a subscriber with their topics, judgements, digests and deliveries.

        Raises:
            NotFoundError: there is none.
        """
        with self._database.writing() as connection:
            connection.execute(delete(subscribers).where(subscribers.c.id == _number(connection, email)))


def stored_address(email: str) -> str:
    """Return the spelling under which an address would be stored; what is none is simply not found under itself."""
    try:
        return normalised_address(email)
    except UsageError:
        return email.encode("utf-8", "replace").decode("utf-8")  # a database takes no bytes that are no text


def _number(connection: Connection, email: str) -> int:
    address = stored_address(email)
    found = connection.execute(select(subscribers.c.id).where(subscribers.c.email == address)).scalar()
    if found is None:
        raise NotFoundError("subscriber", email, "See `paperdigest subscriber list`")
    return int(found)


def _row(subscriber: Subscriber) -> dict[str, Any]:
    schedule = subscriber.schedule
    if subscriber.created_at is None:
        raise ValueError("a stored subscriber has a moment of creation")
    return {
        "email": normalised_address(subscriber.email),
        "name": subscriber.name,
        "status": subscriber.status.value,
        "days": "".join(str(day) for day in sorted(schedule.days)),
        "at": schedule.at.strftime("%H:%M"),
        "tz": schedule.tz,
        "pause_until": schedule.pause_until,
        "max_papers": subscriber.max_papers,
        "on_empty": subscriber.on_empty.value,
        "attach_bibtex": subscriber.attach_bibtex,
        "created_at": subscriber.created_at,
    }


def _write_topics(connection: Connection, number: int, wanted: Sequence[Topic]) -> None:
    connection.execute(delete(topics).where(topics.c.subscriber_id == number))
    rows = [
        {
            "subscriber_id": number,
            "position": position,
            "name": topic.name,
            "query": topic.query,
            "weight": topic.weight,
            "quota": topic.quota,
            "threshold": topic.threshold,
        }
        for position, topic in enumerate(wanted, start=1)
    ]
    if rows:
        connection.execute(insert(topics), rows)


def _load(connection: Connection, numbers: Sequence[int]) -> tuple[Subscriber, ...]:
    """Return subscribers in the order of ``numbers``; those who are gone are left out.

    Raises:
        UsageError: one cannot be read.
    """
    found = dict(_each(connection, numbers))
    for one in found.values():
        if isinstance(one, UsageError):
            raise one
    known = (found.get(number) for number in numbers)
    return tuple(one for one in known if isinstance(one, Subscriber))


def _each(connection: Connection, numbers: Sequence[int]) -> Iterator[tuple[int, Subscriber | UsageError]]:
    """Yield subscribers by number, with two queries for each thousand of them."""
    for some in chunks(numbers, 1000):
        wanted: dict[int, list[Sequence[Any]]] = {}
        for number, *topic in connection.exec_driver_sql(_TOPICS, (json.dumps(some),)):
            wanted.setdefault(number, []).append(topic)
        for row in connection.exec_driver_sql(_SUBSCRIBERS, (json.dumps(some),)):
            try:
                yield row[0], _subscriber(row, wanted.get(row[0], ()))
            except (TypeError, ValueError) as error:
                yield row[0], UsageError(f"what is stored of subscriber {row[0]} cannot be read ({error})")


def _subscriber(row: Sequence[Any], wanted: Iterable[Sequence[Any]]) -> Subscriber:
    number, email, name, status, days, at, tz, pause_until, most, created_at, on_empty, attach_bibtex = row
    return Subscriber(
        id=number,
        email=email,
        name=name,
        status=SubscriberStatus(status),
        schedule=schedule_of(days, at, tz, pause_until),
        topics=tuple(_topic(*topic) for topic in wanted),
        max_papers=most,
        on_empty=OnEmpty(on_empty),
        attach_bibtex=bool(attach_bibtex),
        created_at=from_stored(created_at),
    )


@lru_cache(maxsize=20_000)
def _topic(name: str, query: str, weight: float, quota: float | None, threshold: float | None) -> Topic:
    """Return a topic; equal ones of many subscribers are one object."""
    return Topic(name=name, query=query, weight=weight, quota=quota, threshold=threshold)
