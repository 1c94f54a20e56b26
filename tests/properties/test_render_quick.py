"""Digests drawn from pieces that are kept are, byte for byte, digests of which each is drawn anew."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from paperdigest.render import Links, Rendered, Renderer
from paperdigest.render import quick as quick_module
from paperdigest.render.links import NO_LINKS
from paperdigest.render.samples import SAMPLE_LINKS, SAMPLES
from paperdigest.types import Digest, Placement
from tests.digest_samples import chosen, digest, paper, ranked, subscriber
from tests.hostile_digests import FRAGMENTS, LINKS, digests, keyed

EVIL = "".join(FRAGMENTS)
QUICK, PLAIN = (Renderer(title=EVIL, postal_address=EVIL, quick=quick) for quick in (True, False))
PLAIN_OURS = Renderer(quick=False)
ALL = SAMPLE_LINKS[-1]


def whole(done: Rendered) -> tuple[str, str, str]:
    return done.subject, done.html_page, done.text_page


def crowd(count: int, *, length: int = 10, key: bytes = b"k") -> Digest:
    """A digest of papers that look like those of others of the same ``length``."""
    papers = (
        replace(
            ranked(paper(number, abstract="A sentence about traces. " * length), topic=f"topic {number % 3}"),
            key=key + number.to_bytes(2, "big") + length.to_bytes(2, "big"),
        )
        for number in range(1, count + 1)
    )
    return digest(*papers)


@given(st.lists(st.tuples(digests().map(keyed), LINKS, st.booleans()), min_size=1, max_size=3))
@settings(max_examples=60, deadline=None)
@example([(keyed(chosen()), ALL, True), (keyed(chosen()), NO_LINKS, False), (keyed(chosen()), ALL, False)])
def test_what_is_kept_changes_no_byte(wanted: Sequence[tuple[Digest, Links, bool]]) -> None:
    for made, links, preview in (*wanted, wanted[0]):
        done, plain = (one.digest(made, links, preview=preview) for one in (QUICK, PLAIN))
        assert whole(done) == whole(plain)


@pytest.mark.parametrize("links", SAMPLE_LINKS, ids=["no links", "mail", "web"])
@pytest.mark.parametrize("made", SAMPLES, ids=["full", "quiet", "versions", "empty"])
def test_every_sample_is_drawn_alike(made: Digest, links: Links) -> None:
    assert whole(QUICK.digest(made, links)) == whole(PLAIN.digest(made, links))


@pytest.mark.parametrize("count", [0, 1, 10, 45, 60, 100])
@pytest.mark.parametrize("links", [NO_LINKS, ALL], ids=["no links", "all links"])
def test_digests_that_have_to_be_cut_are_cut_alike(count: int, links: Links) -> None:
    made = crowd(count, length=60)
    done, plain = (Renderer(quick=quick).digest(made, links) for quick in (True, False))
    assert whole(done) == whole(plain)


def test_a_digest_is_the_same_whatever_was_drawn_before() -> None:
    made = crowd(20)
    fresh = Renderer().digest(made, ALL)
    used = Renderer()
    for number in range(1, 40):
        used.digest(crowd(number % 7, length=number), ALL if number % 2 else NO_LINKS, preview=number % 3 == 0)
    assert used.digest(made, ALL) == fresh == used.digest(made, ALL), "the same pieces, not only the same bytes"


def test_papers_of_one_key_are_the_same_objects_in_every_digest() -> None:
    renderer = Renderer()
    one, other = crowd(20), replace(crowd(20), subscriber=subscriber("other@example.org"), id=8)
    for_one = renderer.digest(one, ALL)
    for_other = renderer.digest(other, replace(ALL, read="https://digest.example.org/d/other"))
    known = {id(piece) for piece in (*for_one.html.pieces, *for_one.text.pieces)}
    new = [piece for piece in (*for_other.html.pieces, *for_other.text.pieces) if id(piece) not in known and piece]
    assert max(set(new), key=len) == "You get this because other@example.org asked for papers on trace."
    assert sum(map(len, set(new))) < 600


def test_nothing_of_one_reader_stands_in_the_mail_of_another() -> None:
    renderer = Renderer()
    secret = "https://digest.example.org/d/SECRET"
    first = replace(
        crowd(3),
        subscriber=subscriber("SECRET@example.org", topics=("SECRET topic",), name="SECRET"),
        revised=(ranked(paper(9, title="SECRET version")).stored,),
        notes=("SECRET note",),
        method="SECRET method",
        considered=7654321,
    )
    links = Links(unsubscribe=secret, manage=secret, read=secret, unsubscribe_mailto="SECRET@example.org")
    assert "SECRET" in renderer.digest(first, links, preview=True).text_page
    quiet = replace(digest(), quiet=("SECRET sentence",), subscriber=first.subscriber)
    renderer.digest(quiet, links)
    for made in (crowd(3), replace(digest(), quiet=("Nothing matched.",)), digest()):
        for other in (ALL, NO_LINKS, replace(ALL, read=None)):
            for preview in (True, False):
                done = "".join(whole(renderer.digest(made, other, preview=preview)))
                assert "SECRET" not in done and "7,654,321" not in done


def test_papers_of_one_key_and_other_readers_links_or_followed_authors_are_not_mixed_up() -> None:
    one = replace(ranked(paper(1)), key=b"k" * 16)
    follower = subscriber("follower@example.org")
    follower = replace(follower, topics=(replace(follower.topics[0], query='trace author:"Ben Example"'),))
    made = digest(one, replace(one, key=b"l" * 16, placement=Placement.WAITED))
    for to in (made.subscriber, follower, made.subscriber):
        for links in (NO_LINKS, ALL, NO_LINKS):
            mine = replace(made, subscriber=to)
            done, plain = (renderer.digest(mine, links) for renderer in (QUICK, PLAIN))
            assert whole(done) == whole(plain)
            assert (">Ben Example</strong>" in done.html_page) == (to is follower)
            assert ("/d/x/2/less" in done.text_page) == (links is ALL)


def test_a_paper_that_is_printed_and_chosen_at_other_places_is_judged_and_numbered_there() -> None:
    first, second, third = (replace(ranked(paper(number)), key=bytes([number]) * 16) for number in (1, 2, 3))
    apart, second_apart = replace(second, topic="graphs", key=b"g" * 16), replace(first, topic="graphs", key=b"h" * 16)
    renderer = Renderer()
    for order in ((first, apart, third), (first, third, apart), (first, second, third), (second_apart, third, first)):
        made = digest(*order)
        assert whole(renderer.digest(made, ALL)) == whole(PLAIN_OURS.digest(made, ALL))


def test_what_is_kept_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(quick_module, "KEPT_PAPERS", 10)
    monkeypatch.setattr(quick_module, "KEPT_PLACED", 20)
    monkeypatch.setattr(quick_module, "KEPT_ROWS", 3)
    renderer = Renderer()
    for number in range(60):
        renderer.digest(crowd(5, length=number % 20, key=bytes([number])), ALL)
    drafter = renderer._drafter
    assert isinstance(drafter, quick_module.Quick)
    assert 10 <= len(drafter._papers) <= 20 <= len(drafter._placed) <= 40
    for form in (drafter._page, drafter._text):
        assert 3 <= len(form._others) <= 6
        assert len(form._shells) == 1


def test_a_paper_without_a_key_is_never_taken_for_another() -> None:
    renderer = Renderer()
    first, second = (digest(ranked(paper(number))) for number in (1, 2))
    assert "Paper number 1" in renderer.digest(first).html_page
    assert "Paper number 1" not in renderer.digest(second).html_page
