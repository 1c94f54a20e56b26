"""A frozen digest thaws to the same digest: that is what makes a resend the same."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable
from dataclasses import asdict, replace
from datetime import UTC, time
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from paperdigest.render import Renderer
from paperdigest.store.freezing import Fragment, Freezer, Frozen, freeze, opened, thaw
from paperdigest.types import (
    ANNOUNCE_TYPES,
    Appearance,
    Author,
    Digest,
    Highlight,
    OnEmpty,
    Paper,
    PaperId,
    Placement,
    RankedPaper,
    Reason,
    Schedule,
    StoredPaper,
    Subscriber,
    SubscriberStatus,
    Topic,
)
from tests.digest_samples import digest, paper, ranked, subscriber


def lonely(text: str) -> bool:
    """No high surrogate stands before a low one: JSON has one spelling for the two and for their character."""
    return re.search("[\ud800-\udbff][\udc00-\udfff]", text) is None


TEXT = st.text(st.characters(), max_size=20).filter(lonely)
NAME = TEXT.filter(str.strip)
MOMENT = st.datetimes(timezones=st.just(UTC)).map(lambda at: at.replace(fold=0))  # UTC has no hour twice
COUNT = st.none() | st.integers(0, 2**63)
IDS = st.builds(
    PaperId,
    scheme=st.sampled_from(["arxiv", "doi", "url"]),
    local=st.text(st.characters(), min_size=1, max_size=20).filter(lonely).map(lambda text: re.sub(r"\s", "_", text)),
)


def maybe(strategy: st.SearchStrategy[object]) -> st.SearchStrategy[object]:
    return st.none() | strategy


def tuples(strategy: st.SearchStrategy[object]) -> st.SearchStrategy[tuple[object, ...]]:
    return st.lists(strategy, max_size=2).map(tuple)


PAPERS = st.builds(
    Paper,
    id=IDS,
    title=TEXT,
    abstract=maybe(TEXT),
    title_source=maybe(TEXT),
    abstract_source=maybe(TEXT),
    authors=tuples(st.builds(Author, name=NAME, affiliation=maybe(TEXT))),
    authors_count=st.none() | st.integers(2, 10**6),
    published_at=maybe(MOMENT),
    updated_at=maybe(MOMENT),
    version=st.none() | st.integers(1, 10**6),
    url=maybe(TEXT),
    pdf_url=maybe(TEXT),
    code_url=maybe(TEXT),
    primary_category=maybe(TEXT),
    categories=tuples(TEXT),
    comment=maybe(TEXT),
    journal_ref=maybe(TEXT),
    withdrawn=st.booleans(),
    aliases=tuples(IDS),
)
APPEARANCES = st.builds(
    Appearance,
    source=TEXT,
    listed_on=st.dates(),
    rank=st.none() | st.integers(1, 10**6),
    upvotes=COUNT,
    comments=COUNT,
    announce_type=st.sampled_from([None, *ANNOUNCE_TYPES]),
)
STORED = st.builds(StoredPaper, paper=PAPERS, first_seen_at=MOMENT, entries=tuples(APPEARANCES))
RANKED = st.builds(
    RankedPaper,
    stored=STORED,
    also=tuples(TEXT),
    placement=st.sampled_from(Placement),
    propensity=st.none() | st.floats(0, 1, exclude_min=True),
    highlights=tuples(
        st.builds(
            Highlight, field=st.sampled_from(["title", "abstract"]), start=st.integers(0, 9), end=st.integers(10, 99)
        )
    ),
    score=st.floats(0, 1),
    topic=TEXT,
    reasons=tuples(
        st.builds(
            Reason,
            text=TEXT,
            keyword=TEXT,
            contribution=st.floats(allow_nan=False),
            where=st.sampled_from([None, "title"]),
        )
    ),
)
TOPICS = st.builds(
    Topic,
    name=NAME,
    query=TEXT,
    weight=st.floats(0, exclude_min=True, allow_infinity=False),
    quota=st.none() | st.floats(0, 1, exclude_min=True),
    threshold=st.none() | st.floats(0, 1, exclude_max=True),
)
SUBSCRIBERS = st.builds(
    Subscriber,
    email=st.from_regex(r"\A[^\s\x00-\x1f]{1,9}@[^\s\x00-\x1f]{1,9}\Z"),
    name=maybe(TEXT),
    status=st.sampled_from(SubscriberStatus),
    schedule=st.builds(
        Schedule,
        days=st.frozensets(st.integers(0, 6), min_size=1),
        at=st.times().map(lambda at: at.replace(fold=0)),  # nor has a schedule
        tz=st.sampled_from(["UTC", "Europe/Berlin"]),
        pause_until=maybe(st.dates()),
    ),
    topics=st.lists(TOPICS, max_size=2, unique_by=lambda topic: topic.name).map(tuple),
    max_papers=st.integers(1, 100),
    on_empty=st.sampled_from(OnEmpty),
    attach_bibtex=st.booleans(),
    created_at=maybe(MOMENT),
    id=st.integers(0, 2**63 - 1),
)
DIGESTS = st.builds(
    Digest,
    subscriber=SUBSCRIBERS,
    edition=st.dates(),
    composed_at=MOMENT,
    ranked=tuples(RANKED),
    revised=tuples(STORED),
    notes=tuples(TEXT),
    quiet=tuples(TEXT),
    method=TEXT,
    considered=st.integers(0, 10**6),
    id=st.integers(1, 2**63 - 1),
)


def sample() -> Digest:
    return digest(ranked(paper(title="a\ud800\x00\u2028é\U0001f600")))


def edited(frozen: Frozen, path: str, change: Callable[[dict[str, Any]], object]) -> Frozen:
    """Change one place of what was frozen: in the ``head``, in the first of the ``ranked`` or of the ``papers``."""
    part, *steps = path.split(".")
    old = frozen.head if part == "head" else getattr(frozen, part)[0].text
    raw = place = json.loads(old)
    for step in steps:
        place = place[int(step) if step.isdigit() else step]
    change(place)
    if part == "head":
        return replace(frozen, head=json.dumps(raw))
    known, *rest = getattr(frozen, part)
    pieces = (Fragment(key=known.key, text=json.dumps(raw)), *rest)
    return replace(frozen, ranked=pieces) if part == "ranked" else replace(frozen, papers=pieces)


@given(DIGESTS)
@settings(max_examples=100, deadline=None)
@example(sample())
@example(replace(sample(), subscriber=replace(subscriber(), schedule=Schedule(at=time(23, 59, 59, 999999)))))
def test_thawing_what_was_frozen_gives_the_same_digest(made: Digest) -> None:
    frozen = freeze(made)
    thawed = thaw(frozen, number=made.id)
    assert thawed == made
    keyless = replace(thawed, ranked=tuple(replace(one, key=b"") for one in thawed.ranked))
    assert repr(keyless) == repr(made)  # the same types throughout: tuples, not lists; members of enumerations
    for text in (frozen.head, *(one.text for one in (*frozen.ranked, *frozen.papers))):
        assert text.isascii() and "\x00" not in text
    assert freeze(thawed) == frozen


@given(DIGESTS)
@settings(max_examples=50, deadline=None)
def test_a_ranked_paper_knows_the_key_of_its_fragment_and_the_fragment_that_of_its_text(made: Digest) -> None:
    frozen = freeze(made)
    thawed = thaw(frozen, number=made.id)
    assert [one.key for one in thawed.ranked] == [one.key for one in frozen.ranked]
    assert [opened(one.text)[0] for one in frozen.ranked] == [one.key for one in frozen.papers]
    for one in (*frozen.ranked, *frozen.papers):
        assert one.key == hashlib.blake2b(one.text.encode(), digest_size=16).digest()


@given(DIGESTS, DIGESTS, st.integers(1, 3))
@settings(max_examples=50, deadline=None)
def test_what_a_freezer_remembers_changes_nothing(one: Digest, other: Digest, kept: int) -> None:
    freezer = Freezer(kept)
    for made in (one, other, replace(other, ranked=one.ranked), one):
        assert freezer.freeze(made) == freeze(made)


def test_the_key_is_no_part_of_a_ranked_paper() -> None:
    (one,) = sample().ranked
    assert replace(one, key=b"x") == one
    assert freeze(replace(sample(), ranked=(replace(one, key=b"x"),))) == freeze(sample())


def test_a_thawed_digest_is_drawn_as_the_one_that_was_frozen() -> None:
    made = sample()
    renderer = Renderer()
    assert renderer.digest(thaw(freeze(made), number=made.id)) == renderer.digest(made)


def test_freezing_does_not_depend_on_the_order_of_a_set() -> None:
    orders = [frozenset([0, 3, 6]), frozenset([6, 3, 0])]
    made = [replace(sample(), subscriber=replace(subscriber(), schedule=Schedule(days=days))) for days in orders]
    assert freeze(made[0]) == freeze(made[1])
    assert '"days":[0,3,6]' in freeze(made[0]).head


@pytest.mark.parametrize(
    "path",
    ["head", "head.subscriber", "head.subscriber.schedule", "ranked", "ranked.reasons.0", "papers", "papers.paper"],
)
def test_a_field_that_a_newer_version_froze_is_passed_over(path: str) -> None:
    frozen = edited(freeze(sample()), path, lambda place: place.update(not_known_yet=1))
    assert thaw(frozen, number=7) == sample()


def without(*names: str) -> Callable[[dict[str, Any]], object]:
    return lambda place: [place.pop(name) for name in names]


def test_a_field_that_an_older_version_did_not_freeze_gets_its_default() -> None:
    frozen = freeze(sample())
    frozen = edited(frozen, "papers.paper", without("withdrawn"))
    frozen = edited(frozen, "papers.entries.0", without("comments"))
    frozen = edited(frozen, "head.subscriber", without("max_papers", "on_empty", "attach_bibtex"))
    frozen = edited(frozen, "head", without("revised", "notes", "quiet", "method"))
    frozen = edited(frozen, "ranked", without("also", "placement", "propensity", "highlights"))
    thawed = thaw(frozen, number=7)
    who = thawed.subscriber
    assert (who.max_papers, who.on_empty, who.attach_bibtex) == (10, OnEmpty.SKIP, False)
    assert thawed.ranked[0].stored.paper.withdrawn is False
    assert thawed.ranked[0].stored.entries[0].comments is None
    assert (thawed.revised, thawed.notes, thawed.quiet, thawed.method) == ((), (), (), "")
    (one,) = thawed.ranked
    assert (one.also, one.placement, one.propensity, one.highlights) == ((), Placement.NEW, None, ())


@given(DIGESTS)
@settings(max_examples=50, deadline=None)
def test_a_digest_frozen_in_one_piece_by_an_older_version_still_thaws(made: Digest) -> None:
    def plain(value: object) -> object:
        return sorted(value) if isinstance(value, frozenset) else value.isoformat()  # type: ignore[attr-defined]  # dates

    whole = asdict(made)
    for one in whole["ranked"]:
        del one["key"]
    assert thaw(Frozen(head=json.dumps(whole, default=plain)), number=made.id) == made
