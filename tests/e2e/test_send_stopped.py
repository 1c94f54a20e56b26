"""`send`, told to stop in the middle, finishes what is in flight, gives the rest back, and ends well."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from contextlib import closing

import pytest

from paperdigest.app import read_settings
from paperdigest.app.application import App
from tests.e2e.conftest import Person
from tests.e2e.test_run import SlowServer, eventually, rows, started, subscribe


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_a_signal_in_the_middle_of_sending_finishes_what_is_in_flight(person: Person, number: signal.Signals) -> None:
    with SlowServer(0.3) as server:
        smtp = {"host": "127.0.0.1", "port": server.port, "tls": "none", "connections": 2}
        started(person, mail={"mailer": "smtp", "from": "d@example.org"}, mail__smtp=smtp)
        people = subscribe(person, 30)
        command = [sys.executable, "-m", "paperdigest", "send"]
        with subprocess.Popen(command, env=dict(os.environ), stderr=subprocess.PIPE) as sender:
            eventually(lambda: len(server.taken) >= 3, "some mails are on their way")
            sender.send_signal(number)
            _, said = sender.communicate(timeout=30)
        assert sender.returncode == 0, said
        assert len(server.taken) < len(people), "it had finished before it was told to stop"
        states = dict(rows(person, "SELECT state, count(*) FROM deliveries GROUP BY state"))
        assert states == {"sent": len(server.taken), "planned": len(people) - len(server.taken)}
        server.seconds = 0
        assert person.types("send", "--json").json["sent"] == states["planned"]
    assert len(set(server.taken)) == len(server.taken) == len(people)


def test_a_wish_to_stop_while_digests_are_planned_leaves_the_others_to_the_next_run(person: Person) -> None:
    started(person)
    people = subscribe(person, 3)
    stop = threading.Event()
    stop.set()
    with closing(App.open(read_settings(None))) as app:
        report = app.send(stop=stop)
    assert (report.planned, report.sent) == (0, 0)
    assert rows(person, "SELECT count(*) FROM subscribers WHERE examined_on IS NOT NULL") == [(0,)]
    assert person.types("send", "--json").json["sent"] == len(people)
