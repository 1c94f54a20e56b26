import pytest

from paperdigest.mail.replies import Reply, offers_in


def test_what_a_server_offers_is_read_whatever_its_case() -> None:
    offers = offers_in(
        [b"relay.test Hello", b"size 35882577", b"8bitmime", b"Pipelining", b"CHUNKING", b"SMTPUTF8", b"DSN",
         b"AUTH PLAIN login", b"AUTH=CRAM-MD5", b"", b"\xff\xfe"]
    )  # fmt: skip
    assert (offers.pipelining, offers.chunking, offers.eight_bit, offers.smtputf8, offers.dsn) == (True,) * 5
    assert (offers.size, offers.size_limit) == (True, 35882577)
    assert offers.logins == ("PLAIN", "LOGIN", "CRAM-MD5")


def test_a_greeting_offers_nothing() -> None:
    offers = offers_in([b"PIPELINING"])
    assert not offers.pipelining
    assert offers.logins == ()


@pytest.mark.parametrize("size", [b"SIZE", b"SIZE 0", b"SIZE -1", b"SIZE x", "SIZE ٣".encode(), b"SIZE " + b"9" * 5000])
def test_a_size_that_is_no_number_is_no_limit(size: bytes) -> None:
    assert offers_in([b"x", size]).size_limit == 0


def test_a_reply_is_one_clean_line_of_bounded_length() -> None:
    reply = Reply(550, (b"5.1.1 a\xff", b" b\x00\x1b[1m", b"c" * 70_000))
    assert reply.text.startswith("5.1.1 a\ufffd b [1m c")
    assert len(str(reply)) < 310
    assert reply.status == "5.1.1"
