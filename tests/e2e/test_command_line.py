"""What a person meets at the prompt: help, mistakes said in words, exit codes, one moment for all."""

from __future__ import annotations

import json
import subprocess
import sys
from importlib.resources import files
from pathlib import Path

import pytest

from paperdigest.cli import LazyGroup
from tests.e2e.conftest import Person

SAMPLE = str(files("paperdigest").joinpath("sample/daily-papers.html"))


def filled(person: Person) -> Person:
    """A person who has fetched the packaged listing on its own day."""
    result = person.types("--now", "2026-04-14T12:00Z", "fetch", "--from", SAMPLE, "--as", "huggingface")
    assert result.code == 0, result.err
    return person


@pytest.mark.parametrize("command", list(LazyGroup.commands_in))
def test_every_command_explains_itself(person: Person, command: str) -> None:
    result = person.types(command, "--help")
    assert result.code == 0
    assert f"paperdigest {command}" in result.out
    assert "--help" in result.out


def test_the_top_level_help_names_every_command_and_the_exit_codes(person: Person) -> None:
    out = person.types("--help").out
    assert all(name in out for name in LazyGroup.commands_in)
    assert "Exit codes" in out


def test_the_module_runs_as_a_program() -> None:
    result = subprocess.run(
        [sys.executable, "-m", "paperdigest", "--version"], capture_output=True, text=True, check=True
    )
    assert result.stdout.startswith("paperdigest, version")


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_the_shells_can_complete(shell: str) -> None:
    result = subprocess.run(
        [str(Path(sys.executable).parent / "paperdigest")],
        env={"_PAPERDIGEST_COMPLETE": f"{shell}_source", "PATH": "/usr/bin:/bin"},
        capture_output=True,
        text=True,
        check=True,
    )
    assert "_PAPERDIGEST_COMPLETE" in result.stdout


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("nonsense",), "No such command"),
        (("fetch", "--date", "yesterday"), "2026-04-15"),
        (("fetch", "--since", "2026-04-02", "--until", "2026-04-01"), "--since 2026-04-01 --until 2026-04-02?"),
        (("fetch", "--until", "2026-04-01"), "--since"),
        (("fetch", "--date", "2026-04-01", "--since", "2026-04-01"), "--date is one day"),
        (("fetch", "--from", "nowhere.json", "--as", "huggingface"), "nowhere.json"),
        (("fetch", "--from", SAMPLE), "--as"),
        (("fetch", "--as", "feed"), "--from"),
        (
            ("fetch", "--from", SAMPLE, "--as", "nonsense"),
            "no such kind of source. Known: arxiv, feed, huggingface, text-dump",
        ),
        (("fetch", "--from", SAMPLE, "other.html", "--as", "feed"), "--from FOLDER for all files of a folder"),
        (("fetch", "--from", SAMPLE, "a.html", "b.html"), "'a.html', 'b.html' would be the names of sources"),
        (("fetch", "--from", SAMPLE, "journal"), "of the source 'journal', which is not configured"),
        (("fetch", "--from", SAMPLE, "huggingface", "other.html"), "'other.html' would be the name"),
        (("fetch", "--from", SAMPLE, "--as", "feed", "--since", "2026-04-01"), "Leave --since and --until out"),
        (("fetch", "--allow-private"), "allow_private = true"),
        (("fetch", "2026-04-01"), "A day is named by --date 2026-04-01"),
        (("fetch", "https://example.org/feed"), "--from https://example.org/feed --as KIND"),
        (("--now", "2026-04-14", "fetch", "--date", "2026-04-16"), "--date 2026-04-16 is in the future"),
        (("--now", "2026-04-14", "fetch", "--since", "2026-04-01", "--until", "2026-05-01"), "is in the future"),
        (("fetch", "elsewhere"), "Configured: huggingface"),
        (("--now", "soon", "fetch"), "2026-04-15T06:00:00Z"),
        (("subscriber", "add", "you@example.org", "--confirmed"), "--topic"),
        (("subscriber", "add", "you", "--topic", "trace"), "not an e-mail address"),
        (("subscriber", "add", "you@example.org", "--topic", 'a "b'), "column 3"),
        (("subscriber", "add", "you@example.org", "--topic", "a", "--tz", "Europe/Berlni"), "Europe/Berlin"),
        (("subscriber", "add", "you@example.org", "--topic", "a", "--at", "25:00"), "HH:MM"),
        (("subscriber", "add", "you@example.org", "--topic", "a", "--days", "someday"), "mon-fri"),
    ],
)
def test_a_mistake_is_said_in_words_with_exit_code_2(person: Person, arguments: tuple[str, ...], says: str) -> None:
    result = person.types(*arguments)
    assert result.code == 2
    assert says in result.err
    assert "Traceback" not in result.err


@pytest.mark.parametrize(
    ("enabled", "arguments", "says"),
    [
        ("false", ("fetch",), "no source is enabled"),
        ("true", ("fetch", "--since", "2026-04-01", "--until", "2026-04-02"), "from 2026-04-01 to 2026-04-02"),
        ("true", ("--now", "2026-04-14", "fetch", "--since", "2026-04-01"), "a source without past days"),
    ],
)
def test_that_there_is_nothing_to_fetch_is_said_with_its_cause(
    person: Person, enabled: str, arguments: tuple[str, ...], says: str
) -> None:
    feed = f'[[sources]]\nname = "j"\nkind = "feed"\nurl = "http://127.0.0.1:1/"\nenabled = {enabled}\n'
    person.settings(feed)
    result = person.types(*arguments)
    assert (result.code, result.out) == (0, "")
    assert says in result.err


@pytest.mark.parametrize("arguments", [("papers",), ("rank", "x"), ("db", "check"), ("subscriber", "list"), ("send",)])
def test_without_a_database_the_next_step_is_named(person: Person, arguments: tuple[str, ...]) -> None:
    result = person.types(*arguments)
    assert result.code == 4
    assert "paperdigest init" in result.err


def test_broken_settings_are_reported_all_at_once(person: Person) -> None:
    person.settings('[fetch]\nworkers = 0\n[[sources]]\nname = "j"\nkind = "feed"\nlink = "x"\n')
    result = person.types("config", "check")
    assert result.code == 2
    for key in ("fetch.workers", "sources[0].url", "sources[0].link"):
        assert key in result.err


def test_mistakes_are_reported_as_json_too(person: Person) -> None:
    person.settings("[fetch]\nworkers = 0\n")
    result = person.types("config", "check", "--json")
    assert result.code == 2
    assert [problem["key"] for problem in result.json["problems"]] == ["fetch.workers"]


@pytest.mark.parametrize(
    ("settings", "key"),
    [
        ('[fetch]\ncontact = "Ærø <a@b>"\n', "fetch.contact"),
        ('[mail]\nfrom = "x <a@bücher.example>"\n', "mail.from"),
        ('[mail]\nmailer = "smtp"\n[mail.smtp]\nuser = "me"\n', "mail.smtp"),
        ('[mail]\nmailer = "smtp"\n[mail.smtp]\nhost = "a b"\n', "mail.smtp.host"),
    ],
)
def test_what_would_fail_later_is_found_by_the_check(person: Person, settings: str, key: str) -> None:
    person.settings(settings)
    result = person.types("config", "check")
    assert result.code == 2
    assert key in result.err


@pytest.mark.parametrize(
    "arguments", [("demo", "--out", "/proc/nowhere"), ("--config", "/proc/nowhere/c.toml", "init")]
)
def test_a_place_that_cannot_be_written_is_named(person: Person, arguments: tuple[str, ...]) -> None:
    result = person.types(*arguments)
    assert result.code == 2
    assert "/proc/nowhere" in result.err
    assert "Traceback" not in result.err


def test_a_relative_database_url_counts_from_the_settings(person: Person) -> None:
    person.settings('[store]\nurl = "sqlite:///mine.db"\n')
    person.types("init")
    assert (person.home / "config" / "paperdigest" / "mine.db").exists()


def test_init_is_harmless_twice_and_keeps_the_settings(person: Person) -> None:
    first = person.types("init", "--json").json
    Path(first["config"]).write_text("[fetch]\nworkers = 3\n", encoding="utf-8")
    second = person.types("init", "--json").json
    assert (first["config_written"], second["config_written"]) == (True, False)
    assert person.types("config", "show", "--json").json["fetch"]["workers"] == 3
    assert person.database.stat().st_mode & 0o077 == 0


def test_config_show_masks_what_is_secret(person: Person, monkeypatch: pytest.MonkeyPatch) -> None:
    person.types("init")
    monkeypatch.setenv("PAPERDIGEST_SMTP_PASSWORD", "hunter2")
    result = person.types("config", "show")
    assert "hunter2" not in result.out + result.err
    assert "********" in result.out


def test_the_packaged_listing_is_stored_and_found(person: Person) -> None:
    found = filled(person).types("papers", '"software traceability"', "--json").json
    assert found["total"] == 2
    assert set(found["papers"][0]) >= {
        *("id", "title", "abstract", "authors", "authors_count", "published_at", "first_seen_at", "url", "version"),
        "entries",
    }
    assert set(found["papers"][0]["entries"][0]) >= {"source", "listed_on", "rank", "upvotes", "comments"}
    assert found["papers"][0]["first_seen_at"] == "2026-04-14T12:00:00Z"


def test_fetch_reports_each_listing_as_one_json_object(person: Person) -> None:
    result = person.types("--now", "2026-04-14T12:00Z", "fetch", "--from", SAMPLE, "--as", "huggingface", "--json")
    (listing,) = result.json["listings"]
    assert set(listing) >= {
        *("source", "kind", "listed_on", "state", "announced", "entries", "new", "updated", "unchanged"),
        *("error", "elapsed_s"),
    }
    assert (listing["source"], listing["listed_on"], listing["state"]) == ("huggingface", "2026-04-14", "complete")
    assert listing["entries"] == listing["new"] > 40


def test_rank_gives_places_scores_topics_and_reasons(person: Person) -> None:
    ranked = filled(person).types("rank", "trace", '"software traceability"', "--json").json["ranked"]
    assert {one["topic"] for one in ranked} == {"trace", '"software traceability"'}
    assert all(0 < one["score"] <= 1 and one["reasons"] for one in ranked)


def test_a_search_that_finds_nothing_says_so_and_is_no_error(person: Person) -> None:
    result = filled(person).types("papers", "xylophone")
    assert result.code == 0
    assert "0 of 0 papers" in result.out
    assert "author:NAME" in result.err


@pytest.mark.parametrize(
    ("narrow", "wide"),
    [
        ("+trace +software", "trace software"),
        ('trace -"software traceability"', "trace"),
        ("=TRACE", "trace"),
        ("title:trace", "trac*"),
        ("source:nowhere trace +author:nobody", "trace"),
        ('="Software Traceability"', '"software traceability"'),
    ],
)
def test_a_search_that_asks_for_more_finds_fewer(person: Person, narrow: str, wide: str) -> None:
    filled(person)
    few, many = (person.types("papers", query, "--limit", "1000", "--json").json["papers"] for query in (narrow, wide))
    assert {one["id"] for one in few} < {one["id"] for one in many}


def test_a_query_that_cannot_be_meant_is_shown_with_its_column_and_a_hint(person: Person) -> None:
    result = filled(person).types("papers", "trace auther:doe")
    assert result.code == 2
    assert "query, column 7: there is no field auther:" in result.err
    assert "Did you mean author:?" in result.err


def test_a_topic_is_stored_as_it_was_read(person: Person) -> None:
    person.types("init")
    result = person.types(
        "subscriber",
        "add",
        "a@example.org",
        "--topic",
        "acronym==TRACE  +( author:“Jane Doe”  OR cat:cs.* )^2.0",
        "--json",
    )
    (topic,) = result.json["topics"]
    assert (topic["name"], topic["query"]) == ("acronym", '=TRACE +(author:"Jane Doe" OR cat:cs)^2')


def test_a_title_cannot_drive_the_terminal(person: Person) -> None:
    feed = (
        '<rss version="2.0"><channel><title>t</title><item><title>Red &#x9b;31m herring &#27;[2J</title>'
        "<link>https://example.org/1</link></item></channel></rss>"
    )
    person.types("fetch", "--from", "-", "--as", "feed", stdin=feed.encode())
    out = person.types("papers").out
    assert "herring" in out
    assert "\x1b" not in out
    assert "\x9b" not in out


def test_a_backup_is_a_database_of_its_own(person: Person) -> None:
    copy = person.home / "copy.db"
    before = filled(person).types("papers", "trace", "--json").json
    assert person.types("db", "backup", str(copy)).code == 0
    assert person.types("db", "backup", str(copy)).code == 4
    person.settings(f'[store]\nurl = "{copy}"\n')
    assert person.types("papers", "trace", "--json").json == before
    assert before["total"] >= 13


def test_what_a_server_says_cannot_drive_the_terminal(person: Person) -> None:
    body = json.dumps({"error": "\x1b]0;owned\x07"}).encode()
    result = person.types("fetch", "--from", "-", "--as", "huggingface", "--json", stdin=body)
    assert result.code == 3
    assert "\x1b" not in result.err
    assert "\x07" not in result.err


def test_sources_can_leave_and_come_as_opml(person: Person) -> None:
    person.settings('[[sources]]\nname = "j"\nkind = "feed"\nurl = "https://example.org/f?a=1&b=2"\n')
    out = person.types("sources", "export").out
    (person.home / "feeds.opml").write_text(out, encoding="utf-8")
    tables = person.types("sources", "import", str(person.home / "feeds.opml")).out
    assert 'url = "https://example.org/f?a=1&b=2"' in tables
    person.settings(tables)
    assert person.types("config", "check").code == 0


def test_a_reader_that_goes_away_is_no_error(person: Person) -> None:
    filled(person)
    program = Path(sys.executable).parent / "paperdigest"
    result = subprocess.run(
        ["bash", "-c", f"{program} papers --limit 50 | head -1"], capture_output=True, text=True, check=False
    )
    assert result.stderr == ""
