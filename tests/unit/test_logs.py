"""What the long-running commands say: no addresses, no tokens, nothing that begins a line of its own."""

from __future__ import annotations

import io
import json
import logging
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from paperdigest import logs
from paperdigest.tokens import Purpose, Tokens

TOKENS = Tokens([b"k" * 32])
LOG = logging.getLogger("paperdigest.tests")


@pytest.fixture(params=["text", "json"])
def stream(request: pytest.FixtureRequest) -> Iterator[io.StringIO]:
    """Standard error, in both forms."""
    root = logging.getLogger()
    before, level = list(root.handlers), root.level
    stream = io.StringIO()
    logs.configure(request.param, stream=stream)
    yield stream
    root.handlers[:] = before
    root.setLevel(level)


def test_an_address_in_an_argument_is_masked(stream: io.StringIO) -> None:
    LOG.warning("to %s refused: %s", "jane.doe+x@example.org", {"rcpt": "<ben@xn--bcher-kva.example>"})
    said = stream.getvalue()
    assert "@" not in said
    assert said.count("<address>") == 2


def test_an_address_in_a_traceback_is_masked(stream: io.StringIO) -> None:
    try:
        int("no mail for jane@example.org\nForged: line")
    except ValueError:
        LOG.exception("a defect")
    said = stream.getvalue()
    assert "jane" not in said
    assert "ValueError" in said
    assert not any(line.startswith("Forged") for line in said.splitlines())


def test_a_token_is_masked_alone_and_in_a_link(stream: io.StringIO) -> None:
    token = TOKENS.sign(Purpose.UNSUBSCRIBE, 7)
    LOG.info("https://digest.example.org/u/%s and %s and b+%s@bounces.example.org", token, token, token)
    assert token not in stream.getvalue()


def test_a_line_break_in_a_message_begins_no_line(stream: io.StringIO) -> None:
    LOG.info("title %s", "a\r\n2026-01-01T00:00:00Z INFO root: forged\x1b[2J\u2028x")
    said = stream.getvalue()
    assert len(said.splitlines()) == 1
    assert "\x1b" not in said


def test_arguments_that_do_not_fit_are_no_way_around_the_mask(capsys: pytest.CaptureFixture[str]) -> None:
    root, stream = logging.getLogger(), io.StringIO()
    before, level = list(root.handlers), root.level
    handler = logs.configure("text", stream=stream)
    root.handlers[:] = before
    root.setLevel(level)
    record = logging.LogRecord("x", logging.INFO, __file__, 1, "two %s %s", ("jane@example.org",), None)
    handler.handle(record)
    assert "do not fit" in stream.getvalue()
    assert "jane" not in stream.getvalue() + capsys.readouterr().err


def test_json_lines_are_objects_with_a_moment() -> None:
    root, stream = logging.getLogger(), io.StringIO()
    before, level = list(root.handlers), root.level
    try:
        logs.configure("json", stream=stream)
        LOG.error("broken: %s", "disk")
    finally:
        root.handlers[:] = before
        root.setLevel(level)
    said = json.loads(stream.getvalue())
    assert (said["level"], said["logger"], said["message"]) == ("ERROR", "paperdigest.tests", "broken: disk")
    assert said["at"].endswith("Z")


def test_to_configure_twice_says_everything_once() -> None:
    root = logging.getLogger()
    before, level = list(root.handlers), root.level
    first, second = io.StringIO(), io.StringIO()
    try:
        logs.configure("text", stream=first)
        logs.configure("json", stream=second)
        LOG.info("once")
    finally:
        root.handlers[:] = before
        root.setLevel(level)
    assert first.getvalue() == ""
    assert second.getvalue().count("once") == 1


@given(st.integers(min_value=0, max_value=2**24 - 1), st.sampled_from(Purpose))
def test_every_token_of_a_young_database_is_masked(number: int, purpose: Purpose) -> None:
    token = TOKENS.sign(purpose, number)
    assert logs.masked(f"({token})") == "(<token>)"


@pytest.mark.parametrize(
    "text",
    [
        "source arxiv-se: https://arxiv.org/list/cs.SE/new, <abc@ is no address, run_the_thing_of_thirty_letters",
        "/home/u/paperdigest/config.toml, /srv/m/templates-of-ours, /mnt/d/a_folder_of_31_characters_in_all/x",
        "https://example.org/c/conferences/2026",
    ],
)
def test_what_is_no_token_stays_readable(text: str) -> None:
    assert logs.masked(text) == text


@pytest.mark.parametrize("page", ["u", "m", "d", "c"])
def test_a_token_without_capitals_is_known_by_the_path_of_its_link(page: str) -> None:
    link = f"https://digest.example.org/{page}/{'a1b2c3' * 5}"
    assert logs.masked(f"GET {link}?x=1") == f"GET https://digest.example.org/{page}/<token>?x=1"
