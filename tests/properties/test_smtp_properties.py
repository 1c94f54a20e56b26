"""Whatever a server sends, a message ends with a result or a MailError, and doubt is told exactly when there is any."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from paperdigest.errors import MailError
from paperdigest.mail.envelope import refuse_unsendable, stuffed
from paperdigest.mail.replies import offers_in
from paperdigest.mail.smtp import SmtpMailer
from paperdigest.protocols import OutgoingMessage
from paperdigest.types import MailPhase
from tests.scripted_smtp import Deed, ScriptedSmtp

CONTENT = b"Subject: Papers\r\n\r\n" + b"Two papers.\r\n" * 100
MESSAGE = OutgoingMessage(sender="a@example.org", recipient="b@example.net", message_id="<1@x>", content=CONTENT)

codes = st.sampled_from([b"250", b"354", b"220", b"421", b"450", b"451", b"503", b"550", b"554", b"199", b"999", b"25"])
texts = st.sampled_from([b" ok", b" 5.1.1 no", b"", b"-", b" try again in 300 seconds", b"\x00", b" \xff\xfe", b"\t"])
lines = st.builds(lambda code, text: code + text, codes, texts)
several = st.lists(lines, min_size=1, max_size=4).map(b"\r\n".join)
usual = st.just(None)
answers = st.one_of(usual, usual, usual, several, st.binary(max_size=40), st.sampled_from([Deed.DROP, Deed.RESET]))
scripts = st.fixed_dictionaries(
    dict.fromkeys(("GREETING", "EHLO", "MAIL", "RCPT", "DATA", "BDAT", "BODY", "DOT"), answers)
)
offers = st.sets(st.sampled_from(["PIPELINING", "CHUNKING", "8BITMIME", "SIZE 9999", "SIZE 5", "DSN"]))


@settings(max_examples=250, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(offers, scripts, st.booleans())
def test_a_message_ends_with_a_result_or_a_mail_error_and_doubt_is_exact(
    offered: set[str], script: dict[str, bytes | Deed | None], leave: bool
) -> None:
    asked: list[bool] = []

    def before_final() -> bool:
        asked.append(leave)
        return leave

    error = result = None
    with ScriptedSmtp(*sorted(offered)) as server:
        for command, answer in script.items():
            if answer is not None:
                server.next(command, answer)
        patience = {"timeout_s": 0.15, "answer_timeout_s": 0.3}
        made = SmtpMailer({"host": "127.0.0.1", "port": server.port, "tls": "none", **patience})
        with made.lane() as lane:
            try:
                result = lane.send(MESSAGE, before_final)
            except MailError as caught:
                error = caught
    whole = len(server.messages) > 0
    assert len(asked) <= 1
    assert len(server.messages) <= 1
    if error is None:
        assert asked == [leave]
        assert (result is not None) is leave
    elif error.after_dot:
        assert asked == [True]
        assert (error.permanent, error.systemic, error.code, error.phase) == (False, False, None, MailPhase.DOT)
    else:
        # Without doubt: it was never whole, or the server said no.
        assert not whole or (error.code is not None and error.phase == MailPhase.DOT)
    assert whole <= (asked == [True])


pieces = st.lists(st.sampled_from([b"\r\n", b"\r", b"\n", b".", b"a", b"\0", b"\xff"]), max_size=12).map(b"".join)


@given(pieces)
def test_a_message_may_leave_exactly_if_cr_and_lf_stand_only_together(content: bytes) -> None:
    pairs = content.count(b"\r\n")
    clean = content.count(b"\r") == content.count(b"\n") == pairs and b"\0" not in content
    message = replace(MESSAGE, content=content)
    if clean:
        refuse_unsendable(message)
        lines = stuffed(content).split(b"\r\n")
        assert all(line[:1] != b"." or line[:2] == b".." for line in lines)
        assert b"\r\n".join(line.removeprefix(b".") for line in lines) == content
    else:
        with pytest.raises(MailError):
            refuse_unsendable(message)


@given(st.lists(st.binary(max_size=60), max_size=20))
def test_any_answer_to_ehlo_is_read(found: list[bytes]) -> None:
    assert offers_in(found).size_limit >= 0
