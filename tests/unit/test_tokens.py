"""Tokens: whoever holds one may do one thing to one row, and nobody can make or turn one."""

from __future__ import annotations

import base64
import hmac
import re
import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from paperdigest.errors import TokenError
from paperdigest.tokens import Purpose, Tokens

TOKENS = Tokens([b"a secret of this installation"])
_SIGNS = string.ascii_letters + string.digits + "-_"


@given(st.sampled_from(Purpose), st.integers(0, 2**48 - 1))
def test_a_token_is_short_fit_for_urls_and_read_back(purpose: Purpose, number: int) -> None:
    token = TOKENS.sign(purpose, number)
    assert re.fullmatch(r"[A-Za-z0-9_-]{30}", token)
    assert TOKENS.read(purpose, token) == number
    assert TOKENS.sign(purpose, number) == token


@given(st.binary(min_size=12, max_size=200), st.sampled_from(Purpose), st.integers(0, 2**48 - 1))
def test_a_token_is_the_number_and_the_library_s_hmac_of_it(secret: bytes, purpose: Purpose, number: int) -> None:
    raw = number.to_bytes(6, "big")
    key = hmac.digest(secret, f"paperdigest token: {purpose.value}".encode(), "sha256")
    wanted = raw + hmac.digest(key, raw, "sha256")[:16]
    assert base64.urlsafe_b64decode(Tokens([secret]).sign(purpose, number) + "==") == wanted


@pytest.mark.parametrize("number", [-1, 2**48, 2**70])
def test_a_number_that_does_not_fit_is_refused(number: int) -> None:
    with pytest.raises(ValueError, match="48 bits"):
        TOKENS.sign(Purpose.READ, number)


@pytest.mark.parametrize("signed", Purpose)
@pytest.mark.parametrize("asked", Purpose)
def test_a_token_for_one_thing_is_worth_nothing_for_another(signed: Purpose, asked: Purpose) -> None:
    token = TOKENS.sign(signed, 7)
    if signed is asked:
        assert TOKENS.read(asked, token) == 7
    else:
        with pytest.raises(TokenError):
            TOKENS.read(asked, token)


def test_every_purpose_and_number_has_a_token_of_its_own() -> None:
    made = {TOKENS.sign(purpose, number) for purpose in Purpose for number in range(500)}
    assert len(made) == 500 * len(Purpose)


@pytest.mark.parametrize("position", range(30))
def test_a_token_changed_in_any_position_is_worth_nothing(position: int) -> None:
    token = TOKENS.sign(Purpose.UNSUBSCRIBE, 123_456)
    for sign in set(_SIGNS) - {token[position]}:
        with pytest.raises(TokenError):
            TOKENS.read(Purpose.UNSUBSCRIBE, token[:position] + sign + token[position + 1 :])


def test_another_number_with_the_same_proof_is_worth_nothing() -> None:
    raw = base64.urlsafe_b64decode(TOKENS.sign(Purpose.MANAGE, 1) + "==")
    forged = base64.urlsafe_b64encode((2).to_bytes(6, "big") + raw[6:]).rstrip(b"=").decode()
    with pytest.raises(TokenError):
        TOKENS.read(Purpose.MANAGE, forged)


@given(st.text(max_size=40))
def test_what_is_no_token_is_refused_and_nothing_else_happens(text: str) -> None:
    with pytest.raises(TokenError, match="not valid"):
        TOKENS.read(Purpose.READ, text)


@given(st.text(st.sampled_from(_SIGNS + "=+/ \n\x00é\ud800"), min_size=30, max_size=30))
def test_what_looks_like_a_token_is_refused_in_the_same_words(text: str) -> None:
    with pytest.raises(TokenError, match=r"^this link is not valid$"):
        TOKENS.read(Purpose.READ, text)


def test_a_token_has_one_spelling_only() -> None:
    token = TOKENS.sign(Purpose.READ, 5)
    last = _SIGNS.index(token[-1])
    for other in (token + "==", token + "=", f" {token}", token + "\n", token[:-1] + _SIGNS[last + 1 : last + 2]):
        with pytest.raises(TokenError):
            TOKENS.read(Purpose.READ, other)


def test_a_new_secret_signs_and_the_old_one_is_still_read() -> None:
    old, new = b"the secret of last year", b"the secret of this year"
    earlier = Tokens([old]).sign(Purpose.UNSUBSCRIBE, 9)
    rotated = Tokens([new, old])
    assert rotated.read(Purpose.UNSUBSCRIBE, earlier) == 9
    assert rotated.sign(Purpose.UNSUBSCRIBE, 9) == Tokens([new]).sign(Purpose.UNSUBSCRIBE, 9) != earlier
    for retired in (Tokens([new]), Tokens([b"another installation's"])):
        with pytest.raises(TokenError):
            retired.read(Purpose.UNSUBSCRIBE, earlier)


@pytest.mark.parametrize("secrets", [[], [b""], [b"short"], [b"long enough, this one is", b""]])
def test_without_a_proper_secret_there_are_no_tokens(secrets: list[bytes]) -> None:
    with pytest.raises(ValueError, match="secret"):
        Tokens(secrets)


def test_a_secret_is_not_shown_by_what_holds_it() -> None:
    assert "secret of this installation" not in repr(TOKENS) + repr(vars(TOKENS).keys())
