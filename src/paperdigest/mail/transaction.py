"""One message over an SMTP connection: pipelined (RFC 2920), by DATA or in chunks (RFC 3030), never half.

::

    PIPELINING      [RSET] MAIL RCPT DATA      | message; leave; dot
    and CHUNKING    [RSET] MAIL RCPT BDAT head | leave; BDAT LAST end
    neither         each command waits for its answer

A cell is one write and one wait. "Leave" is ``before_final``: asked only when every answer until then was good.
Where RCPT was refused and DATA nevertheless accepted, the connection is given up: a lone dot, as RFC 2920 (3.1)
suggests, would be a message of its own to a server that has lost count.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NoReturn

from paperdigest import watchdog
from paperdigest.errors import MailError
from paperdigest.failpoints import failpoint
from paperdigest.mail.envelope import stuffed
from paperdigest.mail.replies import Offers, Reply
from paperdigest.mail.wire import Lost, Wire
from paperdigest.protocols import AsyncBeforeFinal, OutgoingMessage
from paperdigest.types import MailPhase

__all__ = ["Refused", "StaleError", "UnfitError", "transact"]

_LAST_CHUNK = 512
_RESET = (MailPhase.MAIL, b"RSET\r\n")

_Step = tuple[MailPhase, bytes]


class StaleError(Exception):
    """The connection was kept too long: the server was leaving before it heard of this message."""


class UnfitError(MailError):
    """The server cannot take this message; nothing was said."""


@dataclass
class Refused(Exception):  # noqa: N818  an answer, which the lane turns into an error
    """The server said no, during ``phase``. ``usable``: the connection is in step, and may carry the next message."""

    reply: Reply
    phase: MailPhase
    usable: bool


async def transact(
    wire: Wire, server: str, message: OutgoingMessage, before_final: AsyncBeforeFinal, *, kept: bool
) -> Reply | None:
    """Hand over one message and return the answer to its end; None when ``before_final`` said no: then close.

    Args:
        wire: logged in.
        server: its name, for messages.
        message: one that `refuse_unsendable` let pass.
        before_final: as in `paperdigest.protocols.Lane.send`.
        kept: the connection was made for an earlier message.

    Raises:
        Refused: the server said no.
        Lost: the connection; ``wire.phase`` and ``wire.in_doubt`` say what that means.
        StaleError: only on a kept connection; the message is unharmed.
        UnfitError: the server cannot take this message; nothing was said.
    """
    wire.phase = MailPhase.MAIL
    content = message.content if message.content.endswith(b"\r\n") else message.content + b"\r\n"
    steps = _envelope(wire.offers, server, message, content)
    if not wire.offers.chunking:
        await _open(wire, [*steps, (MailPhase.DATA, b"DATA\r\n")], kept=kept)
        wire.phase = MailPhase.BODY
        if not await wire.write(content if message.has_safe_lines else stuffed(content), heeding=True):
            await _interrupted(wire)
        return await _finish(wire, b".\r\n", before_final)
    head, end = content[:-_LAST_CHUNK], content[-_LAST_CHUNK:]
    if head:
        steps.append((MailPhase.BODY, b"BDAT %d\r\n%b" % (len(head), head)))
    await _open(wire, steps, kept=kept)
    wire.phase = MailPhase.BODY
    return await _finish(wire, b"BDAT %d LAST\r\n%b" % (len(end), end), before_final)


def _envelope(offers: Offers, server: str, message: OutgoingMessage, content: bytes) -> list[_Step]:
    """Return MAIL and RCPT with what the server must know beforehand (RFC 1870, 3461, 6152, 6531)."""
    mail, rcpt = f"MAIL FROM:<{message.sender}>", f"RCPT TO:<{message.recipient}>"
    if 0 < offers.size_limit < len(content):
        problem = f"the message has {len(content):,} bytes, but {server} takes at most {offers.size_limit:,}"
        raise _unfit(problem, "5.3.4")
    if offers.size:
        mail += f" SIZE={len(content)}"
    is_ascii = (message.has_safe_lines and not message.needs_smtputf8) or content.isascii()
    if not is_ascii:
        if not offers.eight_bit:
            raise _unfit(f"the message is not plain ASCII, and {server} takes nothing else (no 8BITMIME)", "5.6.3")
        mail += " BODY=8BITMIME"
    if message.needs_smtputf8:
        if not offers.smtputf8:
            raise _unfit(f"an address or header is not ASCII, and {server} takes no such mail (no SMTPUTF8)", "5.6.7")
        mail += " SMTPUTF8"
    if offers.dsn:  # a report when it fails, not when it is late, and without the whole text
        mail, rcpt = f"{mail} RET=HDRS", f"{rcpt} NOTIFY=FAILURE"
    return [(MailPhase.MAIL, mail.encode() + b"\r\n"), (MailPhase.RCPT, rcpt.encode() + b"\r\n")]


def _unfit(problem: str, status: str) -> UnfitError:
    return UnfitError(problem, permanent=True, phase=MailPhase.MAIL, status=status)


async def _open(wire: Wire, steps: list[_Step], *, kept: bool) -> None:
    """Say everything up to the message, or to its last chunk; return when all of it was welcome."""
    wire.sent += 1
    if wire.soiled:
        steps = [_RESET, *steps]
    refused: Refused | None = None
    is_whole = True
    try:
        await _in_turn(wire)
        if wire.offers.pipelining:
            is_whole = await wire.write(b"".join([command for _, command in steps]))
        for step in steps:
            if refused is None:
                wire.phase = step[0]
            refused = await _say(wire, step, refused)
            if refused is not None and (not wire.offers.pipelining or refused.reply.code == 421):
                break
    except Lost:
        if refused is None:
            if kept and wire.phase is MailPhase.MAIL:
                raise StaleError from None
            raise
        refused.usable = False  # the first answer counts, whatever happened after it
    if not is_whole and refused is None:
        wire.close()
        raise Lost("the server answered what it had not heard")
    if refused is not None:
        if kept and refused.phase is MailPhase.MAIL and _leaving(refused.reply, reset=wire.soiled):
            raise StaleError
        refused.usable = refused.usable and is_whole  # or what comes next would be taken for the rest of a chunk
        raise refused
    wire.soiled = False


async def _say(wire: Wire, step: _Step, refused: Refused | None) -> Refused | None:
    """Hear the answer to one step (said here, unless pipelined before); return the first refusal."""
    phase, command = step
    is_whole = True
    if not wire.offers.pipelining:
        await _in_turn(wire)
        is_whole = await wire.write(command)
    reply = await wire.reply()
    if reply.code == 354 if phase is MailPhase.DATA else reply.good:
        if not is_whole:
            _senseless(wire, reply)
        if step is _RESET:
            wire.soiled = False
        elif refused is not None and phase is MailPhase.DATA:
            refused.usable = False  # it waits for a message now
        return refused
    in_step = reply.refusal and reply.code != 421 and is_whole
    if refused is None:
        return Refused(reply, phase, usable=in_step)
    refused.usable = refused.usable and in_step
    return refused


async def _in_turn(wire: Wire) -> None:
    """Make sure that the next answer belongs to the next command: what was said before answers nothing of ours."""
    if await wire.spoken():
        wire.close()
        raise Lost("the server spoke out of turn")


def _leaving(reply: Reply, *, reset: bool) -> bool:
    """Say whether the connection has outlived its use; a 421 4.7.x asks for patience instead, and is passed on."""
    return reset or (reply.code == 421 and not (reply.status or "").startswith("4.7."))


async def _finish(wire: Wire, end: bytes, before_final: AsyncBeforeFinal) -> Reply | None:
    """Ask for leave, send what makes the message whole, and return the answer.

    Between the two there is no wait: who is stopped (SIGSTOP) in it would send that long after the leave.
    """
    if await wire.room():
        await _interrupted(wire)
    if not await before_final():
        return None
    wire.until = wire.clock() + wire.answer_timeout_s
    if await wire.spoken() or not await wire.write(end, at_once=True):
        await _interrupted(wire)
    watchdog.disarm()  # who is stopped from here on does no harm by going on
    wire.phase, wire.in_doubt = MailPhase.DOT, True
    failpoint("after_dot")
    reply = await wire.reply()
    if not reply.good and not reply.refusal:
        _senseless(wire, reply)
    wire.in_doubt = False
    if not reply.good:
        raise Refused(reply, MailPhase.DOT, usable=reply.code != 421)
    return reply


async def _interrupted(wire: Wire) -> NoReturn:
    """Hear what the server says before the message is whole: it does not have it, whatever it says.

    Raises:
        Refused, Lost: always; in mid-message no further command would be understood.
    """
    reply = await wire.reply()
    if reply.refusal:
        raise Refused(reply, MailPhase.BODY, usable=False)
    _senseless(wire, reply)


def _senseless(wire: Wire, reply: Reply) -> NoReturn:
    wire.close()
    raise Lost(f"the server's answer makes no sense: {reply}")
