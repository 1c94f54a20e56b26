"""The settings: the example is the reference, mistakes come all at once, secrets stay out."""

from __future__ import annotations

from pathlib import Path

import pytest

from paperdigest.config import Settings, data_dir, load_settings
from paperdigest.errors import ConfigError, Problem
from tests.conftest import ROOT


def write(folder: Path, text: str) -> Path:
    path = folder / "config.toml"
    path.write_text(text, encoding="utf-8")
    return path


def problems(path: Path) -> dict[str, str]:
    with pytest.raises(ConfigError) as caught:
        load_settings(path)
    return {problem.key: problem.message for problem in caught.value.problems}


def test_the_example_holds_exactly_the_defaults() -> None:
    assert load_settings(ROOT / "config.example.toml").model_dump() == Settings().model_dump()


def test_the_example_names_every_setting() -> None:
    text = (ROOT / "config.example.toml").read_text(encoding="utf-8")

    def keys(value: object) -> list[str]:
        if isinstance(value, dict):
            return [key for name, part in value.items() for key in (name, *keys(part))]
        return [key for part in value for key in keys(part)] if isinstance(value, tuple) else []

    named = set(keys(Settings().model_dump(by_alias=True)))
    assert {key for key in named if key not in text} == set()


def test_all_mistakes_are_reported_at_once_with_their_key_path(tmp_path: Path) -> None:
    path = write(
        tmp_path,
        '[store]\nurll = 1\n[fetch]\nworkers = "many"\n[mail]\nmailer = 3\n'
        '[[sources]]\nname = "a"\nkind = "feed"\n[[sources]]\nname = "b c"\n',
    )
    assert set(problems(path)) == {"store.urll", "fetch.workers", "mail.mailer", "sources[1].name", "sources[1].kind"}


def test_unknown_keys_of_mail_are_reported_with_all_others(tmp_path: Path) -> None:
    path = write(
        tmp_path,
        '[store]\nurll = 1\n[mail]\nmailr = "smtp"\npassword = "x"\nmax_per_s = -1\n[mail.smpt]\nhost = "a"\n'
        "[mail.smtp]\nport = 0\nhostt = 1\n",
    )
    found = problems(path)
    assert set(found) == {
        "store.urll",
        "mail.mailr",
        "mail.password",
        "mail.max_per_s",
        "mail.smpt",
        "mail.smtp.port",
        "mail.smtp.hostt",
    }
    assert "is not a setting" in found["mail.mailr"]
    assert "secrets do not belong" in found["mail.password"]
    assert "no mailer in use" in found["mail.smpt"]


def test_a_mailer_that_is_a_plug_in_has_a_table_of_its_own_name(tmp_path: Path) -> None:
    path = write(tmp_path, '[mail]\nmailer = "pigeon"\n[mail.pigeon]\nloft = "north"\n')
    assert load_settings(path).mail.model_extra == {"pigeon": {"loft": "north"}}


def test_what_settings_name_is_looked_at_when_something_else_is_wrong(tmp_path: Path) -> None:
    """Who only searches papers need not be able to read the password of the mail server."""

    def besides(_raw: object) -> list[Problem]:
        return [Problem("mail.smtp.password_file", "cannot be read")]

    assert load_settings(write(tmp_path, "[mail]\n"), besides=besides).mail == Settings().mail
    with pytest.raises(ConfigError) as caught:
        load_settings(write(tmp_path, "[fetch]\nworkers = 0\n"), besides=besides)
    assert [problem.key for problem in caught.value.problems] == ["fetch.workers", "mail.smtp.password_file"]


@pytest.mark.parametrize(
    ("table", "key", "value"),
    [
        ("mail.bounces", "domain", "not a domain"),
        ("mail.dkim", "selector", "a b"),
        ("alarms", "email", "foo"),
        ("alarms", "webhook", "file:///etc/passwd"),
        ("web", "base_url", "http://digest.example.org"),
        ("run", "fetch_at", ["25:00"]),
    ],
)
def test_what_would_fail_later_is_refused_at_once(tmp_path: Path, table: str, key: str, value: object) -> None:
    found = problems(write(tmp_path, f"[{table}]\n{key} = {value!r}\n"))
    assert list(found) == [f"{table}.{key}"]
    assert "pattern" not in found[f"{table}.{key}"]


def test_a_secret_in_the_settings_is_refused(tmp_path: Path) -> None:
    found = problems(write(tmp_path, '[mail.smtp]\npassword = "hunter2"\n'))
    assert "password_file" in found["mail.smtp.password"]
    assert "hunter2" not in str(found)


def test_plug_ins_report_their_mistakes_together_with_ours(tmp_path: Path) -> None:
    path = write(tmp_path, "[fetch]\nworkers = 0\n")
    with pytest.raises(ConfigError) as caught:
        load_settings(path, check=lambda raw: [Problem("sources[0].url", "is missing")])
    assert {problem.key for problem in caught.value.problems} == {"fetch.workers", "sources[0].url"}


def test_two_sources_may_not_share_a_name(tmp_path: Path) -> None:
    table = '[[sources]]\nname = "a"\nkind = "feed"\n'
    assert "'a'" in problems(write(tmp_path, table + table))["sources"]


def test_broken_toml_names_the_line(tmp_path: Path) -> None:
    assert "line 2" in problems(write(tmp_path, "[store]\nurl = \n"))["TOML"]


def test_a_missing_named_file_is_a_mistake(tmp_path: Path) -> None:
    assert "init" in problems(tmp_path / "nowhere.toml")["file"]


def test_a_missing_default_file_means_the_defaults(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("PAPERDIGEST_CONFIG", raising=False)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    assert load_settings() == Settings()


def test_paths_are_xdg_unless_said_otherwise(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    assert data_dir() == tmp_path / "data" / "paperdigest"
    assert Settings().store_url() == f"sqlite:///{tmp_path}/data/paperdigest/paperdigest.db"


def test_relative_paths_count_from_the_settings_file(tmp_path: Path) -> None:
    settings = load_settings(write(tmp_path, '[store]\nurl = "papers.db"\n'))
    assert settings.store_url() == f"sqlite:///{tmp_path}/papers.db"


def test_the_environment_wins_over_a_secret_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    settings = load_settings(write(tmp_path, '[mail.smtp]\npassword_file = "pw"\n'))
    (tmp_path / "pw").write_text("from-file\n", encoding="utf-8")
    file = settings.mail.smtp.password_file
    monkeypatch.delenv("PAPERDIGEST_SMTP_PASSWORD", raising=False)
    from_file = settings.secret("PAPERDIGEST_SMTP_PASSWORD", file, key="mail.smtp.password_file")
    monkeypatch.setenv("PAPERDIGEST_SMTP_PASSWORD", "from-environment")
    from_environment = settings.secret("PAPERDIGEST_SMTP_PASSWORD", file, key="mail.smtp.password_file")
    assert from_file is not None and from_file.get_secret_value() == "from-file"
    assert from_environment is not None and from_environment.get_secret_value() == "from-environment"
    assert "from" not in repr(from_file)


def test_an_unreadable_secret_file_is_named(tmp_path: Path) -> None:
    settings = load_settings(write(tmp_path, '[mail.smtp]\npassword_file = "nowhere"\n'))
    with pytest.raises(ConfigError, match=r"mail\.smtp\.password_file: .*nowhere cannot be read"):
        settings.secret("PAPERDIGEST_UNSET", settings.mail.smtp.password_file, key="mail.smtp.password_file")
