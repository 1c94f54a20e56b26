"""Quoted-printable in pieces: whatever the pieces, a reader gets their text back."""

import quopri
import random

from hypothesis import example, given, settings
from hypothesis import strategies as st

from paperdigest.mail.quoting import clean_body, quoted
from paperdigest.types import LINK, Pieces, Recurring

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


def _check(pieces: list[str], link: str = "") -> None:
    text = Pieces(tuple(pieces), link)
    coded = quoted(text)
    wanted = clean_body(str(text)).replace("\n", "\r\n").encode("utf-8")
    assert quopri.decodestring(coded) == wanted + b"\r\n"
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
    assert quopri.decodestring(quoted(Pieces(tuple(cut)))) == quopri.decodestring(quoted(Pieces((text,))))


def test_a_recurring_piece_is_encoded_once_and_gives_the_same_bytes_as_any_other() -> None:
    text = "<p>" + "words and words " * 20 + "é</p>\n"
    piece = Recurring(text)
    first = quoted(Pieces((piece, "token")))
    kept = piece.coded
    assert kept
    assert quoted(Pieces((piece, "token"))) == first == quoted(Pieces((text, "token")))
    assert piece.coded is kept


_WITH_LINKS = st.lists(st.one_of(_TRICKY, _PIECE, st.just(LINK)), max_size=8).map("".join)


@given(st.lists(_WITH_LINKS, max_size=6), _PIECE)
@settings(max_examples=500, deadline=None)
@example([f"<a href='{LINK}/like'>", f"{LINK}{LINK}", LINK], "https://example.org/d/" + "t" * 30)
@example([LINK, f".{LINK}.", f"\n{LINK}"], ".From ")
@example([f"a\r{LINK}\nb"], "x")
@example([f"a {LINK}"], "\n")
@example([f"a {LINK}", " "], "")
@example(["x" * 75 + LINK + "x" * 75], "y" * 200 + " ")
def test_the_reader_s_link_stands_where_its_sign_stood(pieces: list[str], link: str) -> None:
    kept = [Recurring(one) for one in pieces]
    for _ in range(2):
        _check(list(kept), link)


def test_the_sign_is_no_sign_in_text_that_does_not_recur() -> None:
    coded = quoted(Pieces((f"a{LINK}b", Recurring(f"c{LINK}d")), "x"))
    assert quopri.decodestring(coded).decode() == f"a{LINK}bcxd\r\n"
