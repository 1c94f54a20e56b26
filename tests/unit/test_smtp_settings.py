from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from paperdigest.mail import BUILTIN
from paperdigest.mail.connecting import SmtpSettings, connect
from paperdigest.mail.smtp import SmtpMailer
from paperdigest.plugins import load_plugin
from paperdigest.waiting import alone

CERTIFICATE = Path(__file__).parents[1] / "data" / "mail" / "localhost.pem"
LOGIN = {"user": "digest", "password": "correct horse"}


@pytest.mark.parametrize(
    "settings",
    [
        {},
        {"tls": "none", "host": "relay.example.org", "port": 25},
        {"tls": "implicit", "host": "relay.example.org", "port": 465, **LOGIN},
        {"tls": "implicit", "auth": "xoauth2", "user": "digest", "token_file": "/not/there/yet"},
        {"tls": "starttls", "ca_file": str(CERTIFICATE), **LOGIN},
        *({"tls": "none", "host": host, **LOGIN} for host in ("localhost", "127.0.0.1", "127.8.9.10", "::1")),
    ],
)
def test_settings_that_can_be_meant_are_taken(settings: dict[str, Any]) -> None:
    mailer = load_plugin("mailers", "smtp", BUILTIN)(settings)
    assert isinstance(mailer, SmtpMailer)
    assert "correct horse" not in repr(vars(mailer))


def test_no_connection_is_made_in_clear_because_nobody_says_whom_to_trust() -> None:
    with pytest.raises(ValueError, match="encrypted"):
        alone(connect(SmtpSettings(tls="starttls"), None, until=0))


@pytest.mark.parametrize(
    ("settings", "key", "problem"),
    [
        ({"tls": "none", "host": "relay.example.org", **LOGIN}, "", "in clear"),
        ({"tls": "none", "host": "localhost.evil.example", **LOGIN}, "", "in clear"),
        ({"tls": "none", "host": "192.0.2.7", **LOGIN}, "", "in clear"),
        ({"user": "digest"}, "", "no password"),
        ({"password": "correct horse"}, "", "no user"),
        ({"user": "a\0b", "password": "correct horse"}, "", "NUL"),
        ({"tls": "maybe"}, "tls", "starttls"),
        ({"host": ""}, "host", "match"),
        ({"host": "a host"}, "host", "match"),
        ({"host": "relay.example.org\r\n"}, "host", "match"),
        ({"port": 0}, "port", "greater"),
        ({"timeout_s": 0}, "timeout_s", "greater"),
        ({"ca_file": "/nowhere/authority.pem"}, "ca_file", "authority.pem"),
        ({"ca_file": __file__}, "ca_file", "no certificates"),
        ({"auth": "xoauth2", "user": "digest"}, "", "token_file"),
        ({"auth": "xoauth2", "token_file": "/t"}, "", "a user"),
        ({"auth": "plain", "token_file": "/t"}, "", "xoauth2"),
        ({"auth": "xoauth2", "user": "u", "token_file": "/t", "tls": "none", "host": "192.0.2.7"}, "", "in clear"),
        ({"auth": "cram"}, "auth", "plain"),
        ({"connections": 0}, "connections", "greater"),
        ({"max_messages_per_connection": 0}, "max_messages_per_connection", "greater"),
        ({"retries": 3, **LOGIN}, "retries", "not permitted"),
    ],
)
def test_settings_that_cannot_be_meant_are_refused_without_showing_the_password(
    settings: dict[str, Any], key: str, problem: str
) -> None:
    with pytest.raises(ValidationError, match=problem) as caught:
        SmtpMailer(settings)
    assert [".".join(map(str, item["loc"])) for item in caught.value.errors()] == [key]
    assert "correct horse" not in str(caught.value)
