"""Logging in to a mail server: PLAIN (RFC 4616), LOGIN, XOAUTH2, over AUTH (RFC 4954)."""

from __future__ import annotations

import base64
import json
from pathlib import Path
from typing import Literal, NoReturn

from paperdigest.errors import MailError
from paperdigest.mail.headers import clean_line
from paperdigest.mail.replies import Reply
from paperdigest.mail.wire import Wire
from paperdigest.types import MailPhase

__all__ = ["Login", "log_in"]

_MAX_TOKEN = 8 * 1024
_MAX_HINT = 200

Login = Literal["auto", "plain", "login", "xoauth2"]


async def log_in(wire: Wire, server: str, method: Login, user: str, password: str, token_file: str) -> None:
    """Log in once, by one method: servers lock accounts that try and try.

    Args:
        wire: greeted, and encrypted where it leaves this machine.
        server: its name, for messages.
        method: ``auto`` is PLAIN, or LOGIN where there is no PLAIN.
        user: the account.
        password: for all methods but ``xoauth2``.
        token_file: for ``xoauth2``; read now, so that whoever renews the token only has to write the file.

    Raises:
        MailError: no login; systemic, not permanent. Never holds a secret.
        Lost: the connection.
    """
    wire.phase = MailPhase.LOGIN
    offered = wire.offers.logins
    wanted = {"auto": ("PLAIN", "LOGIN"), "plain": ("PLAIN",), "login": ("LOGIN",), "xoauth2": ("XOAUTH2",)}[method]
    chosen = next((name for name in wanted if name in offered), None)
    if chosen is None:
        methods = " ".join(offered) or "no login at all"
        _fail(f"{server} offers {methods}; paperdigest would log in with {' or '.join(wanted)} (mail.smtp.auth)")
    if chosen == "XOAUTH2":
        password = _token(token_file)
        secrets = (_coded(f"user={user}\x01auth=Bearer {password}\x01\x01"), _coded(password), password)
        reply = await _xoauth2(wire, secrets[0])
        cure = f"check mail.smtp.user and renew the token in {token_file}"
    else:
        secrets = (_coded(f"\0{user}\0{password}"), _coded(password), password)
        reply = await wire.say(f"AUTH PLAIN {secrets[0]}") if chosen == "PLAIN" else await _login(wire, user, password)
        cure = "check mail.smtp.user and its password"
    if reply.code != 235:
        text = str(reply)
        for secret in secrets:
            text = text.replace(secret, "********")  # some servers repeat what they were sent
        _fail(f"{server} did not accept the login of {user}: {text}; {cure}", reply)


async def _login(wire: Wire, user: str, password: str) -> Reply:
    reply = await wire.say("AUTH LOGIN")
    for part in (user, password):
        if reply.code == 334:
            reply = await wire.say(_coded(part))
    return reply


async def _xoauth2(wire: Wire, response: str) -> Reply:
    """Show the token; a server that refuses it says why, as JSON after 334, and wants an empty line before its 535."""
    reply = await wire.say(f"AUTH XOAUTH2 {response}")
    if reply.code != 334:
        return reply
    hint = _hint(reply.text)
    final = await wire.say("")
    return Reply(final.code, (*final.lines, f"({hint})".encode())) if hint else final


def _hint(text: str) -> str:
    """Return the status in the JSON of a refusal, such as ``401 (scope https://mail.example/)``; empty if none."""
    try:
        told = json.loads(base64.b64decode(text, validate=True))
        return clean_line(" ".join(str(told[key]) for key in ("status", "scope") if key in told))[:_MAX_HINT]
    except (ValueError, TypeError, RecursionError):
        return ""


def _token(path: str) -> str:
    try:
        with Path(path).open("rb") as file:
            raw = file.read(_MAX_TOKEN + 1)
    except OSError as error:
        _fail(f"the token file {path} cannot be read ({error.strerror}); check mail.smtp.token_file")
    token = raw.decode("ascii", "replace").strip()
    if not token or len(raw) > _MAX_TOKEN or not all("!" <= letter <= "~" for letter in token):
        _fail(f"the token file {path} does not hold one access token; check mail.smtp.token_file")
    return token


def _coded(text: str) -> str:
    return base64.b64encode(text.encode("utf-8", "surrogateescape")).decode("ascii")


def _fail(problem: str, reply: Reply | None = None) -> NoReturn:
    raise MailError(
        problem,
        permanent=False,
        systemic=True,
        phase=MailPhase.LOGIN,
        code=reply.code if reply else None,
        status=reply.status if reply else None,
        retry_after=reply.retry_after if reply else None,
    )
