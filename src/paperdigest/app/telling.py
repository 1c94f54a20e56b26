"""Tell the operator: in the log, by mail through the mailer that digests leave by, and by a webhook.

Whatever fails here is said in the log and stops nothing. Each way is bounded in time.
"""

from __future__ import annotations

import hashlib
import html
import json
import logging
import socket
from collections.abc import Callable, Sequence
from datetime import datetime
from email.utils import parseaddr
from ipaddress import ip_address
from urllib.parse import urlsplit

from paperdigest.app import plugging
from paperdigest.app.signing import signer_of
from paperdigest.config import Settings
from paperdigest.errors import ConfigError, PaperDigestError
from paperdigest.http.posting import post_json
from paperdigest.mail.dkim import Signer
from paperdigest.mail.message import Mailbox, build_message
from paperdigest.protocols import OutgoingMessage
from paperdigest.store.alarms import Alarm

__all__ = ["tell"]

_LOG = logging.getLogger(__name__)
_DEADLINE_S = 15.0

Way = Callable[[Settings, Sequence[Alarm], datetime], None]


def tell(
    settings: Settings, alarms: Sequence[Alarm], now: datetime, *, is_mail_broken: bool, logged: dict[str, str]
) -> bool:
    """Tell of alarms by every way that is configured; say whether one of them led to the operator.

    Without any, the log is the way. While mail is broken, mail is no way.

    Args:
        settings: whom to tell, and how.
        alarms: what.
        now: the moment.
        is_mail_broken: whether it is.
        logged: what this process has said in the log already, by name: what cannot be told is tried again and again.
    """
    for one in alarms:
        if logged.get(one.name) == one.detail:
            continue
        logged[one.name] = one.detail
        if one.is_over:
            _LOG.info("over: %s", one.name)
        else:
            _LOG.error("alarm: %s: %s", one.name, one.detail)
    ways: dict[str, Way] = {}
    if settings.alarms.webhook:
        ways["webhook"] = _by_webhook
    if settings.alarms.email and not is_mail_broken:
        ways["mail"] = _by_mail
    if not settings.alarms.webhook and not settings.alarms.email:
        return True
    tried = [_tried(name, way, settings, alarms, now) for name, way in ways.items()]
    return any(tried)


def _tried(name: str, way: Way, settings: Settings, alarms: Sequence[Alarm], now: datetime) -> bool:
    try:
        way(settings, alarms, now)
    except (PaperDigestError, OSError) as error:
        _LOG.warning("the operator could not be told by %s: %s", name, error)
        return False
    return True


def _by_webhook(settings: Settings, alarms: Sequence[Alarm], now: datetime) -> None:
    """POST the alarms; ``text`` is what chat programs show.

    A host that is written as an address, or as localhost, is what the operator means; a name must lead to the public
    Internet, so that nobody who has a hand in the DNS makes us speak to a service of our own network.
    """
    url = settings.alarms.webhook
    body = {
        "program": "paperdigest",
        "host": socket.gethostname(),
        "at": _moment(now),
        "text": _subject(alarms) + "\n" + "\n".join(_lines(alarms)),
        "alarms": [
            {"name": one.name, "detail": one.detail, "since": _moment(one.raised_at), "over": one.is_over}
            for one in alarms
        ],
    }
    content = json.dumps(body).encode("utf-8")
    post_json(url, content, allow_private=_is_spelt_out(url), deadline_s=_DEADLINE_S)


def _is_spelt_out(url: str) -> bool:
    host = urlsplit(url).hostname or ""
    try:
        ip_address(host)
    except ValueError:
        return host == "localhost"
    return True


def _by_mail(settings: Settings, alarms: Sequence[Alarm], now: datetime) -> None:
    mailer = plugging.make_mailer(_impatient(settings))
    name, address = parseaddr(settings.mail.from_)
    lines = _lines(alarms)
    told = json.dumps([[one.name, one.detail, _moment(one.raised_at)] for one in alarms])
    mark = hashlib.sha256(f"{socket.gethostname()} {_moment(now)} {told}".encode()).hexdigest()[:32]
    text = "\n\n".join([*lines, "paperdigest doctor looks for causes."]) + "\n"
    content = build_message(
        sender=Mailbox(address, name or None),
        recipient=Mailbox(settings.alarms.email),
        subject=_subject(alarms),
        html=(f"<html><body><pre>{html.escape(text)}</pre></body></html>\n",),
        text=(text,),
        sent_at=now,
        message_id=f"<alarm.{mark}@{address.rpartition('@')[2]}>",
        signer=_signer(settings),
    )
    message = OutgoingMessage(
        sender=address, recipient=settings.alarms.email, message_id=f"<alarm.{mark}>", content=content
    )
    with mailer.lane() as lane:
        lane.send(message, lambda: True)


def _signer(settings: Settings) -> Signer | None:
    """Return what signs digests, too. A key that cannot be used may be what the operator must be told of."""
    try:
        return signer_of(settings)
    except ConfigError as error:
        _LOG.warning("an alarm is mailed without a signature: %s", error)
        return None


def _impatient(settings: Settings) -> Settings:
    """Return the settings with a mailer that gives up soon: nobody waits for an alarm."""
    timeouts = {name: min(getattr(settings.mail.smtp, name), _DEADLINE_S) for name in ("timeout_s", "answer_timeout_s")}
    smtp = settings.mail.smtp.model_copy(update=timeouts)
    return settings.model_copy(update={"mail": settings.mail.model_copy(update={"smtp": smtp})})


def _subject(alarms: Sequence[Alarm]) -> str:
    lasting = [one.name for one in alarms if not one.is_over]
    what = f"{len(lasting)} alarms" if len(lasting) > 1 else lasting[0] if lasting else "all is well again"
    return f"paperdigest on {socket.gethostname()}: {what}"


def _lines(alarms: Sequence[Alarm]) -> list[str]:
    return [
        f"over: {one.name}" if one.is_over else f"{one.name} (since {one.raised_at:%Y-%m-%d %H:%MZ}): {one.detail}"
        for one in alarms
    ]


def _moment(moment: datetime) -> str:
    return moment.isoformat(timespec="seconds").replace("+00:00", "Z")
