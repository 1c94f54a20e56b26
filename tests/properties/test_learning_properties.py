"""Learning, whatever is judged: finite, additive, and independent of order and company."""

from __future__ import annotations

from random import Random

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from paperdigest.ranking.learning import Learned, Profile, nearest
from paperdigest.ranking.replaying import replay
from paperdigest.ranking.spaces import Background, Texts
from tests.learning_samples import AROUND, SUBJECTS, TITLES, space_of, texts

WORDS = [*AROUND, *(word for subject in SUBJECTS for word in subject), "unheard", "the", "Über"]
A_TITLE = st.lists(st.sampled_from(WORDS), max_size=6).map(" ".join)
MANY = st.lists(A_TITLE, max_size=14)


def scored(archive: list[str], likes: list[str], dislikes: list[str], papers: list[str], *, model: bool) -> Learned:
    space = space_of(archive)

    def of(titles: list[str]) -> Texts:
        return texts(space, titles, with_vectors=model)

    return Profile.of(Background(of(archive)), of(likes), of(dislikes)).score(of(papers))


@given(MANY, MANY, MANY, MANY, st.booleans())
def test_scores_are_finite_and_add_up(
    archive: list[str], likes: list[str], dislikes: list[str], papers: list[str], model: bool
) -> None:
    found = scored(archive, likes, dislikes, papers, model=model)
    assert found.score.shape == (len(papers),)
    for values in (found.score, found.liked, found.disliked, *found.parts.values()):
        assert np.isfinite(values).all()
    assert np.allclose(sum(found.parts.values(), np.zeros(len(papers))), found.score)
    assert np.allclose(found.liked + found.disliked, found.score)
    if not likes:
        assert (found.score <= 0).all()


@given(MANY, MANY, MANY, st.booleans(), st.randoms(use_true_random=False))
def test_no_order_plays_a_part(
    likes: list[str], dislikes: list[str], papers: list[str], model: bool, random: Random
) -> None:
    def mixed(titles: list[str]) -> list[str]:
        return random.sample(titles, len(titles))

    order = random.sample(range(len(papers)), len(papers))
    plain = scored(TITLES, likes, dislikes, papers, model=model)
    other = scored(mixed(TITLES), mixed(likes), mixed(dislikes), [papers[place] for place in order], model=model)
    assert plain.score[np.array(order, dtype=np.intp)].tolist() == other.score.tolist()


@given(MANY, MANY, st.lists(A_TITLE, min_size=1, max_size=8), st.booleans())
def test_a_paper_scores_the_same_in_any_company(
    likes: list[str], dislikes: list[str], papers: list[str], model: bool
) -> None:
    together = scored(TITLES, likes, dislikes, papers, model=model)
    alone = [scored(TITLES, likes, dislikes, [paper], model=model).score[0] for paper in papers]
    assert together.score.tolist() == alone


@given(MANY, MANY, st.booleans())
def test_a_replay_is_made_of_ranks(likes: list[str], dislikes: list[str], model: bool) -> None:
    space = space_of(TITLES)
    judged = texts(space, likes, with_vectors=model)
    found = replay(
        Background(texts(space, TITLES, with_vectors=model)),
        judged,
        texts(space, dislikes, with_vectors=model),
        keywords_of_likes=np.zeros(len(likes)),
        keywords_of_reference=np.array([number % 2 for number in range(len(TITLES))], dtype=np.float64),
    )
    assert 0 <= found.before <= 1
    assert 0 <= found.after <= 1
    assert found.kept == (found.held_back == 0 or found.after > found.before)


@given(MANY, MANY)
def test_the_nearest_is_one_of_the_judged_or_none(papers: list[str], judged: list[str]) -> None:
    space = space_of(TITLES)
    found = nearest(texts(space, papers), texts(space, judged))
    assert found.shape == (len(papers),)
    assert all(-1 <= place < len(judged) for place in found.tolist())
