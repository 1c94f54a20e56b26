"""`send` looks whether its templates will do when there is something to send, and once."""

from __future__ import annotations

from contextlib import closing

import pytest

from paperdigest.app import read_settings
from paperdigest.app.application import App
from paperdigest.app.letters import Letters
from tests.e2e.conftest import Person
from tests.e2e.test_run import rows, started, subscribe


@pytest.fixture
def looks(monkeypatch: pytest.MonkeyPatch) -> list[Letters]:
    """Every look at the templates."""
    seen: list[Letters] = []
    check = Letters.check

    def counted(letters: Letters) -> None:
        seen.append(letters)
        check(letters)

    monkeypatch.setattr(Letters, "check", counted)
    return seen


def test_templates_are_looked_at_once_when_somebody_is_due_and_not_when_nobody_is(
    person: Person, looks: list[Letters]
) -> None:
    started(person)
    with closing(App.open(read_settings(None))) as app:
        app.send()
        assert looks == []
        subscribe(person, 1)
        assert (app.send().sent, len(looks)) == (1, 1)
        assert (app.send().sent, len(looks)) == (0, 1)
    with closing(App.open(read_settings(None))) as app:
        assert (app.send().sent, len(looks)) == (0, 1)


def test_a_template_that_broke_while_mail_waited_stops_the_run(person: Person, looks: list[Letters]) -> None:
    smtp = {"host": "127.0.0.1", "port": 1, "tls": "none"}
    started(person, mail={"mailer": "smtp", "from": "d@example.org"}, mail__smtp=smtp)
    subscribe(person, 1)
    person.types("send")
    template = person.home / "templates" / "mail" / "digest.txt.j2"
    template.parent.mkdir(parents=True)
    template.write_text("{{ digest.no_such_thing }}", encoding="utf-8")
    started(person, digest={"templates": str(person.home / "templates")})
    assert person.types("outbox", "retry", "1").code == 0
    checked = person.types("config", "check", "--json")
    assert checked.code == 2
    assert [one["key"] for one in checked.json["problems"]] == ["digest.templates"]
    broken = person.types("send")
    assert broken.code == 5
    assert "digest.txt.j2" in broken.err
    assert rows(person, "SELECT state FROM deliveries") == [("deferred",)]
    assert len(looks) == 3
