"""Quoted-printable in pieces: whatever the pieces, a reader gets their text back."""

import quopri
import random

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from paperdigest.mail.quoting import Recent, clean_body, quoted

# What is apt to go wrong: line ends that may be cut in two, blanks, dots, escapes, characters of several bytes.
_TRICKY = st.sampled_from(
    [
        *("\r", "\n", "\r\n", " ", "\t", ".", "..", "=", "=3D", "=\r\n", "From ", "F", "é", "\u20ac", "😀", "\ud83d"),
        "\x00",
    ]
)
_WORDS = st.one_of(_TRICKY, st.text(st.characters(), max_size=20), st.integers(60, 160).map(lambda n: "x" * n))
_PIECE = st.lists(_WORDS, max_size=8).map("".join)
_PIECES = st.lists(_PIECE, max_size=8)


@given(_PIECES)
@settings(max_examples=500, deadline=None)
@example([])
@example([""])
@example(["a\r", "\nb"])
@example(["a\r", "", "\n", "\nb"])
@example(["x" * 76, "x" * 76])
@example(["x" * 75, "é", " "])
@example([" ", "\n"])
@example(["a ", "\r\n", "."])
@example(["=", "3D", "=" * 30])
@example(["." + "x" * 200])
@example(["From " + "x" * 71 + "\n", "From ", ".\n.\n"])
@example(["y" * 72 + "é"])
@example(["y" * 73 + "é" * 100])
@example(["\n", "\n"])
@example(["\r\r"])
@example(["a\r\r", "", "\n\r", "\r\n"])
@example(["x" * 225 + "."])
@example(["x" * 74 + " \r"])
@example(["x" * 75 + "\t\n"])
@example(["x" * 73 + " ", "y"])
@example(["From " + "x" * 66 + "é"])
@example(["x" * 130 + "\r", "\n" + "y" * 130])
def test_pieces_read_back_as_their_cleaned_text(pieces: list[str]) -> None:
    _check(pieces)


def test_many_random_bodies_whose_lines_are_just_as_long_as_may_be() -> None:
    draw = random.Random(7)
    signs = ["x", "y z", " ", "\t", "\r", "\n", "\r\n", ".", "=", "é", "😀", "From ", "x" * 10, "x" * 25, "\ud800"]
    for _ in range(15_000):
        pieces = ["".join(draw.choices(signs, k=draw.randrange(14))) for _ in range(draw.randrange(4))]
        edge = "x" * draw.randrange(68, 82) + "".join(draw.choices(signs, k=2))
        _check([*pieces, edge] if draw.random() < 0.3 else pieces)


def _check(pieces: list[str]) -> None:
    chunks = quoted(pieces)
    coded = b"".join(chunks)
    wanted = clean_body("".join(pieces)).replace("\n", "\r\n").encode("utf-8")
    assert quopri.decodestring(coded) == wanted + b"\r\n"
    assert all(chunk[-2:] in (b"\r\n", b"") for chunk in chunks)
    lines = coded.split(b"\r\n")
    assert max(map(len, lines)) <= 76
    assert not any(line.endswith((b" ", b"\t")) or line.startswith((b".", b"From ")) for line in lines)
    assert coded.isascii()
    assert all(32 <= byte < 127 or byte == 9 for line in lines for byte in line)
    assert not coded.endswith(b"=\r\n")


@given(st.lists(_PIECE, min_size=1, max_size=4), st.integers(0, 2**32))
@settings(max_examples=300, deadline=None)
def test_it_does_not_matter_where_the_pieces_begin(pieces: list[str], seed: int) -> None:
    text, chance = "".join(pieces), random.Random(seed)
    cuts = sorted(chance.choices(range(len(text) + 1), k=6))
    cut = [text[start:end] for start, end in zip([0, *cuts], [*cuts, len(text)], strict=True)]
    assert quopri.decodestring(b"".join(quoted(cut))) == quopri.decodestring(b"".join(quoted([text])))


def test_a_recurring_piece_is_encoded_once_and_gives_the_same_bytes() -> None:
    piece = "<p>" + "words and words " * 20 + "é</p>\n"
    first, second = quoted([piece, "token", piece])[0::2][:2]
    assert first is second
    assert quoted([piece])[0] is first


@pytest.mark.parametrize("size", [1, 3, 100])
def test_what_is_kept_stays_bounded_and_right(size: int) -> None:
    calls: list[str] = []

    def function(key: str) -> bytes:
        calls.append(key)
        return key.encode() * size

    recent = Recent(function, limit_bytes=5_000)
    for number in range(200):
        assert recent.each(["hot", str(number), ""]) == [b"hot" * size, str(number).encode() * size, b""]
    assert calls.count("hot") == 1
    kept = [*recent._young.items(), *recent._old.items()]
    assert sum(len(key) + len(value) for key, value in kept) <= 2 * 5_000
    assert len(kept) < 100
