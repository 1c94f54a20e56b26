"""Digests are stored many at a time and their ranked papers once, and come back as they were."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest

from paperdigest.errors import NotFoundError, StoreError
from paperdigest.store import Store
from paperdigest.store.digests import Added, Digests
from paperdigest.store.engine import connect_raw
from paperdigest.store.fragments import Fragments
from paperdigest.store.freezing import Frozen, freeze
from paperdigest.store.ledger import Ledger
from paperdigest.store.subscribers import Subscribers
from paperdigest.types import Digest, RankedPaper, Subscriber
from tests.digest_samples import paper, ranked

NOW = datetime(2026, 4, 15, 6, 0, tzinfo=UTC)
DAY = date(2026, 4, 15)
LATER = NOW + timedelta(hours=36)
TRACE, GRAPH = ranked(paper(1)), ranked(paper(1), topic="graphs", score=0.25)
OTHER = ranked(paper(2, title="a\ud800\x00\u2028é"))


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    opened = Store.open(tmp_path / "papers.db", create=True)
    yield opened
    opened.close()


@pytest.fixture
def readers(store: Store) -> list[Subscriber]:
    subscribers = Subscribers(store.database)
    return [subscribers.add(Subscriber(email=f"{number}@example.org", created_at=NOW)) for number in range(3)]


def digest(who: Subscriber, *papers: RankedPaper, edition: date = DAY) -> Digest:
    return Digest(subscriber=who, edition=edition, composed_at=NOW, ranked=papers, considered=9)


def add(store: Store, *made: Digest) -> tuple[Added, ...]:
    return Digests(store.database).add_many(made, message_id=lambda one, n: f"<{n}.{one.edition}@x>", expires_at=LATER)


def count(store: Store, table: str) -> int:
    with connect_raw(store.path) as raw:
        found: int = raw.execute(f"SELECT count(*) FROM {table}").fetchone()[0]
    return found


def change(store: Store, statement: str) -> None:
    with connect_raw(store.path) as raw:
        raw.execute(statement)


def test_many_digests_come_back_as_they_were(store: Store, readers: list[Subscriber]) -> None:
    made = [digest(readers[0], TRACE, OTHER), digest(readers[1], OTHER, GRAPH), digest(readers[2])]
    assert add(store, *made) == (Added.PLANNED,) * 3
    found = Digests(store.database).get_many([3, 1, 2, 99])
    assert found == {number: replace(one, id=number) for number, one in enumerate(made, start=1)}
    assert [one.stored.paper.id for one in found[2].ranked] == [OTHER.stored.paper.id, GRAPH.stored.paper.id]


def test_a_ranked_paper_is_stored_once_and_its_text_once(store: Store, readers: list[Subscriber]) -> None:
    add(store, digest(readers[0], TRACE), digest(readers[1], replace(TRACE)), digest(readers[2], GRAPH))
    assert count(store, "fragments") == 3  # two ranked papers and one text
    add(store, digest(readers[0], TRACE, edition=DAY + timedelta(days=1)))
    assert count(store, "fragments") == 3


def test_the_same_key_is_the_same_object(store: Store, readers: list[Subscriber]) -> None:
    add(store, digest(readers[0], TRACE, OTHER), digest(readers[1], OTHER), digest(readers[2], GRAPH))
    digests = Digests(store.database)
    found = digests.get_many([1, 2, 3])
    assert found[1].ranked[1] is found[2].ranked[0] is digests.get(2).ranked[0]
    assert found[1].ranked[0].stored is found[3].ranked[0].stored
    keys = {one.key for digest_ in found.values() for one in digest_.ranked}
    assert len(keys) == 3 and all(len(key) == 16 for key in keys)


def test_what_is_kept_is_bounded_and_what_was_dropped_is_read_again(store: Store, readers: list[Subscriber]) -> None:
    some = [ranked(paper(number)) for number in range(1, 31)]
    add(store, digest(readers[0], *some))
    keys = [one.key for one in Digests(store.database).get(1).ranked]
    few = Fragments(kept_ranked=3, kept_papers=2)
    with store.database.reading() as connection:
        for start in (0, 10, 0, 29):
            wanted = keys[start : start + 10]
            assert [few.ranked(connection, wanted)[key] for key in wanted] == some[start : start + 10]
            assert (len(few._ranked._values), len(few._papers._values)) <= (3, 2)


def test_the_key_decides_between_two_runs(store: Store, readers: list[Subscriber]) -> None:
    assert add(store, digest(readers[0], TRACE)) == (Added.PLANNED,)
    tomorrow = digest(readers[0], edition=DAY + timedelta(days=1))
    again = add(store, digest(readers[0], OTHER), digest(readers[1], OTHER), tomorrow)
    assert again == (Added.KNOWN, Added.PLANNED, Added.PLANNED)
    assert Digests(store.database).get(1).ranked == (TRACE,)
    assert count(store, "deliveries") == count(store, "digests") == 3


def test_twice_in_one_chunk_is_planned_once(store: Store, readers: list[Subscriber]) -> None:
    assert add(store, digest(readers[0], TRACE), digest(readers[0], OTHER)) == (Added.PLANNED, Added.KNOWN)
    assert Digests(store.database).get(1).ranked == (TRACE,)


def test_who_was_removed_is_told_and_the_others_are_planned(store: Store, readers: list[Subscriber]) -> None:
    Subscribers(store.database).remove(readers[1].email)
    made = [digest(who, TRACE) for who in readers]
    assert add(store, *made) == (Added.PLANNED, Added.GONE, Added.PLANNED)
    assert not list(Ledger(store.database).of(readers[1].id))


def test_nothing_of_a_chunk_is_stored_when_one_of_it_cannot_be(store: Store, readers: list[Subscriber]) -> None:
    with pytest.raises(StoreError, match="mistake in paperdigest"):
        add(store, digest(readers[0], TRACE), digest(readers[1], TRACE, TRACE))
    assert [count(store, table) for table in ("digests", "digest_items", "deliveries", "fragments")] == [0] * 4


@pytest.mark.parametrize(
    "damage",
    [
        "DELETE FROM fragments WHERE key = (SELECT fragment FROM digest_items WHERE digest_id = 2)",
        "UPDATE fragments SET frozen = 'x' WHERE key = (SELECT fragment FROM digest_items WHERE digest_id = 2)",
        "UPDATE fragments SET frozen = '{}' WHERE key = (SELECT fragment FROM digest_items WHERE digest_id = 2)",
        "UPDATE fragments SET frozen = '[]' WHERE key = (SELECT fragment FROM digest_items WHERE digest_id = 2)",
        "DELETE FROM fragments WHERE frozen LIKE '%Paper number 1%'",
        "UPDATE fragments SET frozen = '{\"paper\":1}' WHERE frozen LIKE '%Paper number 1%'",
        "UPDATE digests SET frozen = '{' WHERE id = 2",
        "UPDATE digests SET frozen = '{}' WHERE id = 2",
        "UPDATE digests SET frozen = '[1]' WHERE id = 2",
        "UPDATE digests SET frozen = replace(frozen, '@', ' ') WHERE id = 2",
    ],
)
def test_a_damaged_row_harms_its_own_digest_alone(store: Store, readers: list[Subscriber], damage: str) -> None:
    add(store, digest(readers[0], OTHER), digest(readers[1], TRACE), digest(readers[2], OTHER))
    change(store, damage)
    digests = Digests(store.database)
    assert digests.get_many([1, 2, 3]).keys() == {1, 3}
    with pytest.raises(StoreError, match=r"digest 2 in .* is damaged"):
        digests.get(2)


def test_a_digest_that_is_gone_is_not_called_damaged(store: Store) -> None:
    with pytest.raises(NotFoundError):
        Digests(store.database).get(7)


def test_a_digest_that_an_older_version_stored_whole_is_read(store: Store, readers: list[Subscriber]) -> None:
    made = digest(readers[0], TRACE)
    add(store, made)
    frozen: Frozen = freeze(made)
    whole = frozen.ranked[0].text.replace(f'"{frozen.papers[0].key.hex()}"', frozen.papers[0].text)
    with connect_raw(store.path) as raw:
        raw.execute("UPDATE digests SET frozen = ?", (f'{frozen.head[:-1]},"ranked":[{whole}]}}',))
        raw.execute("UPDATE digest_items SET fragment = NULL")
        raw.execute("DELETE FROM fragments")
    assert Digests(store.database).get(1) == replace(made, id=1)
