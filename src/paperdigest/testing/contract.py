"""The contract of a source, as tests that the author of any plug-in can run.

Subclass `SourceContract` in a test module of your own, under a name that pytest collects::

    class TestMySource(SourceContract):
        good = ((b'[{"title": "A paper"}]', 1),)
        bad = (b"<html>", b"null")

        def make(self) -> Source:
            return MySource("mine", {"url": "https://example.org/papers.json"})

The tests need no network and no clock, and are the same on every run. They hold a parser to what the
pipeline relies on: the same listing from the same bytes, a `ParseError` that names the input for
everything else, and nothing but these two for damaged input.
"""

# ruff: noqa: D102 - the names of the tests are sentences already

from __future__ import annotations

import random
import unicodedata
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from typing import ClassVar

from paperdigest.errors import ParseError
from paperdigest.protocols import ParseContext, Source
from paperdigest.types import Listing, ListingState

__all__ = ["SourceContract"]

_NAME = "contract-input.bin"
_MOMENT = datetime(2026, 4, 15, 6, 0, tzinfo=UTC)
_DAMAGED_CHARS = 64 * 1024
_HOSTILE = (
    b"\x00" * 64,
    b"\xff\xfe",
    b"\xef\xbb\xbf",
    b"<" * 5000,
    b"[" * 5000,
    b"{" * 5000,
    b'{"a":' * 5000,
    b"<!DOCTYPE html><html><body>Please log in</body></html>",
    b"<?xml version='1.0'?><rss/>",
    b'"text"',
    b"[]",
    b"{}",
    b"null",
    b"NaN",
    b"9" * 5000,
    "Ünïcödé \N{BULLET} \N{LINE SEPARATOR}".encode(),
    "\ud800".encode("utf-16-le", "surrogatepass"),
)


class SourceContract:
    """What every source must hold. ``good`` are bodies with their number of entries, ``bad`` are refused ones.

    Give small bodies: each is damaged in some three hundred ways.
    """

    good: ClassVar[tuple[tuple[bytes, int], ...]] = ()
    bad: ClassVar[tuple[bytes, ...]] = ()

    def make(self) -> Source:
        """Return a new source; called once a test."""
        raise NotImplementedError

    def context(self, listed_on: date | None = None) -> ParseContext:
        """Return what the parser may know; override to add what your format needs."""
        return ParseContext(source=self.make().name, retrieved_at=_MOMENT, listed_on=listed_on, name=_NAME)

    # What it is.

    def test_it_is_a_source(self) -> None:
        source = self.make()
        assert isinstance(source, Source), f"{type(source).__name__} lacks a member of paperdigest.protocols.Source"
        assert source.kind, "kind is the registered name"
        assert source.kind == type(source).kind, "kind belongs to the class"
        assert source.authority in range(4), "authority is 0 (copied text) to 3 (the archive itself)"
        assert source.name, "name is the first argument of the constructor"

    def test_it_knows_its_calendar(self) -> None:
        source = self.make()
        for days in range(366):
            answer = source.announces_on(date(2026, 1, 1) + timedelta(days=days))
            assert answer is None or isinstance(answer, bool), "announces_on answers True, False or None"
        assert isinstance(source.has_days(), bool), "has_days answers True or False"

    # What it makes of good bodies.

    def test_the_contract_has_good_bodies(self) -> None:
        assert self.good, "give at least one good body, so that there is something to hold the parser to"

    def test_good_bodies_have_their_entries(self) -> None:
        for body, count in self.good:
            listing = self.make().parse(body, self.context())
            assert len(listing.entries) == count, f"{len(listing.entries)} entries, not {count}, in {body[:80]!r}"
            self.check(listing)

    def test_parsing_is_a_pure_function(self) -> None:
        used = self.make()
        first = [used.parse(body, self.context()) for body, _ in self.good]
        for body in (*self.bad, *_HOSTILE):
            self._parse(body, used)
        assert [used.parse(body, self.context()) for body, _ in self.good] == first, "the parser remembers something"
        assert [self.make().parse(body, self.context()) for body, _ in self.good] == first, "another instance differs"

    def test_a_day_that_was_asked_for_is_taken_or_refused(self) -> None:
        for body, _ in self.good:
            self._parse(body, listed_on=date(2026, 4, 14))
            self._parse(body, listed_on=date(2024, 2, 29))

    # What it makes of everything else.

    def test_bad_bodies_are_refused_by_name(self) -> None:
        for body in self.bad:
            assert self._parse(body) is None, f"not refused: {body[:80]!r}"

    def test_an_empty_body_is_refused_or_an_empty_listing(self) -> None:
        for body in (b"", b" \r\n\t "):
            listing = self._parse(body)
            assert listing is None or not listing.entries, "there are no entries in an empty body"

    def test_hostile_bodies_are_refused_or_read(self) -> None:
        for body in _HOSTILE:
            self._parse(body)

    def test_damaged_bodies_are_refused_or_read(self) -> None:
        for body, _ in self.good:
            for damaged in _damage(body):
                self._parse(damaged)

    def _parse(self, body: bytes, source: Source | None = None, listed_on: date | None = None) -> Listing | None:
        """Parse to a checked listing, or None for a `ParseError`; any other exception fails the test."""
        context = self.context(listed_on)
        refusal = None
        try:
            listing = (source or self.make()).parse(body, context)
        except ParseError as error:
            refusal = str(error)
        if refusal is None:
            self.check(listing)
            return listing
        assert context.name in refusal, f"the error does not name {context.name}: {refusal}"
        return None

    def check(self, listing: Listing) -> None:
        """Assert what holds for every listing that a parser returns."""
        context = self.context()
        assert listing.source == context.source, "source is the context's"
        assert listing.kind == self.make().kind, "kind is the class's"
        assert listing.retrieved_at == context.retrieved_at, "retrieved_at is the context's: a parser has no clock"
        assert listing.state is not ListingState.FAILED, "what failed is raised as a ParseError"
        assert listing.dropped >= 0, "dropped is a count"
        complete = listing.state is ListingState.COMPLETE
        short = listing.announced_count is not None and listing.announced_count > len(listing.entries)
        assert not (complete and short), "fewer entries than announced are no complete listing"
        assert not (complete and listing.dropped), "a listing with unreadable entries is not complete"
        for validators in listing.validators:
            assert validators.url.startswith(("http://", "https://")), f"no URL: {validators.url!r}"
        ranks = [entry.rank for entry in listing.entries if entry.rank is not None]
        assert all(a < b for a, b in pairwise(ranks)), f"ranks do not rise: {ranks}"
        ids = [entry.paper.id for entry in listing.entries]
        assert len(set(ids)) == len(ids), "a paper stands in a listing once"
        for entry in listing.entries:
            for text in (entry.paper.title, entry.paper.abstract or "x"):
                assert _is_line(text), f"no readable line of text: {text[:80]!r}"


def _is_line(text: str) -> bool:
    return bool(text.strip()) and not any(unicodedata.category(char) in ("Cc", "Zl", "Zp") for char in text)


def _damage(body: bytes) -> Iterator[bytes]:
    """Yield the body cut, with bytes changed, removed, doubled and moved; the same ones for the same body."""
    body = body[:_DAMAGED_CHARS]
    chance = random.Random(len(body))
    places = [chance.randrange(len(body) + 1) for _ in range(60)]
    for place in places:
        other = chance.choice(places)
        start, stop = min(place, other), max(place, other)
        yield body[:place]
        yield body[place:]
        yield body[:place] + bytes([chance.randrange(256)]) + body[place + 1 :]
        yield body[:start] + body[stop:]
        yield body[:stop] + body[start:]
    yield body + body
    yield body[::-1]
    yield body.replace(b"\n", b"\r\n")
