"""`db prune` removes what is left of subscribers who were removed."""

from __future__ import annotations

from tests.e2e.conftest import Person
from tests.e2e.test_run import started, subscribe


def test_what_only_a_removed_subscriber_was_shown_is_pruned(person: Person) -> None:
    started(person)
    (email,) = subscribe(person, 1)
    assert person.types("send", "--json").json["sent"] == 1
    assert person.types("db", "prune", "--json").json == {
        "database": str(person.database),
        "fragments": 0,
        "vectors": 0,
    }
    assert person.types("subscriber", "remove", email, "--yes").code == 0
    pruned = person.types("db", "prune")
    assert "texts of digests and 0 vectors removed" in pruned.out
    assert ": 0 texts" not in pruned.out
    assert person.types("db", "prune", "--json").json["fragments"] == 0
    assert person.types("db", "check").code == 0
