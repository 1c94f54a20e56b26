"""Addresses of subscribers: in any script, in one spelling, and nothing that deceives who reads them."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from paperdigest.errors import AlreadyExistsError, NotFoundError, UsageError
from paperdigest.mail.headers import is_address
from paperdigest.store import Store
from paperdigest.store.personal import Personal
from paperdigest.store.subscribers import Subscribers, normalised_address
from paperdigest.store.suppressions import Suppression, Suppressions
from paperdigest.types import Subscriber, SuppressionReason

NOON = datetime(2026, 4, 14, 12, tzinfo=UTC)
COMPOSED, DECOMPOSED = "j\u00fcrgen@example.org", "ju\u0308rgen@EXAMPLE.org"


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    store = Store.open(tmp_path / "p.db", create=True)
    yield store
    store.close()


def somebody(email: str) -> Subscriber:
    return Subscriber(email=email, created_at=NOON)


@pytest.mark.parametrize(
    ("typed", "stored"),
    [
        (COMPOSED, COMPOSED),
        (DECOMPOSED, COMPOSED),
        ("\u7528\u6237@\u4f8b\u5b50.\u516c\u53f8", "\u7528\u6237@xn--fsqu00a.xn--55qx5d"),
        ("\u03b4\u03bf\u03ba\u03b9\u03bc\u03ae@example.org", "\u03b4\u03bf\u03ba\u03b9\u03bc\u03ae@example.org"),
        ("Jane.Doe+x@B\u00fccher.example", "Jane.Doe+x@xn--bcher-kva.example"),
    ],
)
def test_an_address_has_one_spelling(typed: str, stored: str) -> None:
    assert normalised_address(typed) == stored
    assert normalised_address(stored) == stored


@pytest.mark.parametrize(
    "hidden",
    [
        *("\u202e", "\u2067", "\u200f", "\u200b", "\u2060", "\ufeff", "\u00ad"),  # marks of direction, no width
        *("\x00", "\x1b", "\x7f", "\x85", "\udcff", "\ue000", "\U0010ffff"),  # controls, halves, nobody's
        *(" ", "\u00a0", "\u2003", "\u3000", "\u2028", "\u2800", "\u3164", "\u115f", "\uffa0"),  # blanks
        *("\u034f", "\u180b", "\ufe0f", "\U000e0100"),  # no form at all
        *("\uff20", "\uff0e", "\u2024", "\uff41", "\ufb01", "\u00b2"),  # other characters in disguise
    ],
)
@pytest.mark.parametrize("shape", ["a{}b@example.org", "{}\u00e4b@example.org", "\u00e4b{}@example.org"])
def test_what_is_invisible_or_in_disguise_is_refused(hidden: str, shape: str) -> None:
    with pytest.raises(UsageError, match="is not an e-mail address") as refused:
        normalised_address(shape.format(hidden))
    assert str(refused.value).isprintable()


def test_an_address_is_as_long_as_a_server_must_take_at_most() -> None:
    assert normalised_address("\u00fc" * 32 + "@example.org")
    with pytest.raises(UsageError, match="64 bytes"):
        normalised_address("\u00fc" * 33 + "@example.org")


@given(st.text(min_size=1, max_size=12))
def test_whatever_is_taken_can_stand_in_a_mail(local: str) -> None:
    try:
        found = normalised_address(f"{local}@example.org")
    except UsageError:
        return
    assert is_address(found)
    assert found.isprintable()
    assert normalised_address(found) == found


def test_nobody_subscribes_twice_by_spelling_a_letter_differently(store: Store) -> None:
    people = Subscribers(store.database)
    stored = people.add(somebody(DECOMPOSED))
    with pytest.raises(AlreadyExistsError):
        people.add(somebody(COMPOSED))
    assert people.get(COMPOSED) == people.get(DECOMPOSED) == stored


def test_a_suppression_is_found_by_any_spelling(store: Store) -> None:
    number = Subscribers(store.database).add(somebody("\u00c4rger@example.org")).id
    suppressions = Suppressions(store.database, [b"s" * 32])
    said = Suppression(reason=SuppressionReason.GONE, since_at=NOON, until_at=None, detail=None)
    with store.database.writing() as connection:
        suppressions.put_address(connection, "\u00c4rger@example.org", said)
    assert suppressions.standing(NOON) == {number: said}
    for spelt in ("A\u0308rger@example.org", "\u00e4rger@EXAMPLE.org"):
        assert suppressions.of(spelt) == said


def test_bytes_that_are_no_text_name_nobody(store: Store) -> None:
    for ask in (Subscribers(store.database).get, Personal(store.database).export, Subscribers(store.database).remove):
        with pytest.raises(NotFoundError):
            ask("\udcff@example.org")
    assert Suppressions(store.database, [b"s" * 32]).of("\udcff@example.org") is None
