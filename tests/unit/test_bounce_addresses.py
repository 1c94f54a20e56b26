"""Addresses that name a delivery or a subscriber: short, whatever the case, and worth nothing when forged."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from paperdigest.bounces.addresses import (
    BOUNCE,
    UNSUBSCRIBE,
    Named,
    bounce_address,
    find_named,
    read_named,
    unsubscribe_address,
)
from paperdigest.tokens import Tokens

TOKENS = Tokens([b"a secret of thirty-two characters"])
NUMBERS = st.integers(min_value=0, max_value=2**48 - 1)


@given(NUMBERS)
def test_an_address_names_its_number_in_small_and_in_large_letters(number: int) -> None:
    for make, word in ((bounce_address, BOUNCE), (unsubscribe_address, UNSUBSCRIBE)):
        address = make(TOKENS, number, "bounces.example.org")
        local = address.partition("@")[0]
        assert len(local) <= 64
        assert address == address.lower()
        for spelling in (address, address.upper(), address.title(), f"<{address}>", address.replace("+", "-", 1)):
            assert read_named(TOKENS, find_named(spelling), word) == number


@given(NUMBERS, st.integers(min_value=0, max_value=35), st.sampled_from("abcdefghijklmnopqrstuvwxyz234567"))
def test_an_address_with_another_letter_is_nobody_s(number: int, place: int, letter: str) -> None:
    named = find_named(bounce_address(TOKENS, number, "example.org"))[0]
    changed = Named(named.word, named.code[:place] + letter + named.code[place + 1 :])
    assert (read_named(TOKENS, [changed], BOUNCE) == number) is (changed == named)
    assert changed == named or read_named(TOKENS, [changed], BOUNCE) is None


def test_a_token_for_bounces_unsubscribes_nobody() -> None:
    bounce = find_named(bounce_address(TOKENS, 7, "example.org"))[0]
    assert read_named(TOKENS, [Named(UNSUBSCRIBE, bounce.code)], UNSUBSCRIBE) is None
    assert read_named(TOKENS, [bounce], UNSUBSCRIBE) is None


def test_an_old_key_still_reads_its_addresses() -> None:
    old = bounce_address(Tokens([b"the key of last year"]), 7, "example.org")
    assert read_named(TOKENS, find_named(old), BOUNCE) is None
    assert read_named(Tokens([b"the key of now", b"the key of last year"]), find_named(old), BOUNCE) == 7


def test_the_first_signed_address_wins_over_forged_ones_before_it() -> None:
    text = f"b+{'a' * 36}@example.org, {bounce_address(TOKENS, 8, 'example.org')}"
    assert len(find_named(text)) == 2
    assert read_named(TOKENS, find_named(text), BOUNCE) == 8


@pytest.mark.parametrize(
    "text",
    [
        "",
        "b+@example.org",
        f"b+{'a' * 35}@x",
        f"b+{'a' * 37}@x",
        f"bb+{'a' * 36}@x",
        f"b+{'a' * 35}1@x",
        f"b+{'a' * 36}",
    ],
)
def test_what_only_resembles_an_address_is_none(text: str) -> None:
    assert find_named(text) == ()


def test_only_twenty_addresses_are_looked_at() -> None:
    many = " ".join(f"b+{letter * 36}@x" for letter in "abcdefghijklmnopqrstuvwxyz")
    assert len(find_named(many)) == 20


def test_an_address_has_one_spelling_only() -> None:
    """The last letter holds bits that no token has: with others of them it would read as the same number."""
    named = find_named(bounce_address(TOKENS, 7, "example.org"))[0]
    others = [letter for letter in "abcdefghijklmnopqrstuvwxyz234567" if letter != named.code[-1]]
    assert [read_named(TOKENS, [Named(named.word, named.code[:-1] + letter)], BOUNCE) for letter in others] == [
        None
    ] * 31
