"""Held-back likes, ranked without and with what was learned."""

from __future__ import annotations

import math

import numpy as np
import pytest

from paperdigest.ranking.learning import Profile
from paperdigest.ranking.replaying import MAX_HELD_BACK, blend, replay
from paperdigest.ranking.spaces import Background
from tests.learning_samples import BACKGROUND, SPACE, TITLES, texts, title

NONE = texts(SPACE, [])
TRACING = [title(0, number) for number in range(30, 34)]


def zeros(count: int) -> np.ndarray:
    return np.zeros(count)


def test_likes_of_one_subject_are_found_again_by_each_other() -> None:
    keywords = np.array([0.2 if number % 3 == 1 else 0.0 for number in range(len(TITLES))])
    found = replay(
        BACKGROUND,
        texts(SPACE, TRACING),
        NONE,
        keywords_of_likes=zeros(4),
        keywords_of_reference=keywords,
    )
    assert found.kept
    assert found.held_back == 4
    assert found.after > found.before
    # Twenty papers have the keyword and forty are as good as the held-back like: it stands in the middle of those.
    assert found.before == pytest.approx(1 / math.log2(1 + 1 + 20 + 20))


def test_likes_that_have_nothing_in_common_teach_nothing() -> None:
    likes = texts(SPACE, [title(0, 30), title(1, 31), title(2, 32)])
    found = replay(
        BACKGROUND,
        likes,
        NONE,
        keywords_of_likes=np.array([0.3, 0.3, 0.3]),
        keywords_of_reference=zeros(len(TITLES)),
    )
    assert found.before == 1
    assert found.after < 1
    assert not found.kept


def test_what_is_no_better_is_not_kept() -> None:
    found = replay(
        BACKGROUND,
        texts(SPACE, TRACING),
        NONE,
        keywords_of_likes=np.full(4, 100.0),
        keywords_of_reference=zeros(len(TITLES)),
    )
    assert (found.before, found.after, found.kept) == (1, 1, False)


def test_a_topic_of_examples_alone_keeps_what_it_learned() -> None:
    likes = texts(SPACE, [title(0, 30), title(1, 31), title(2, 32)])
    found = replay(BACKGROUND, likes, NONE, keywords_of_likes=zeros(3), keywords_of_reference=zeros(len(TITLES)))
    assert found.kept
    assert found.held_back == 3


@pytest.mark.parametrize("count", [0, 1])
def test_one_like_cannot_be_replayed_and_stays(count: int) -> None:
    found = replay(
        BACKGROUND,
        texts(SPACE, TRACING[:count]),
        NONE,
        keywords_of_likes=zeros(count),
        keywords_of_reference=np.ones(len(TITLES)),
    )
    assert (found.kept, found.held_back, found.before, found.after) == (True, 0, 0, 0)


def test_an_empty_archive_has_nothing_to_rank_among() -> None:
    found = replay(
        Background(NONE), texts(SPACE, TRACING), NONE, keywords_of_likes=zeros(4), keywords_of_reference=zeros(0)
    )
    assert (found.kept, found.held_back) == (True, 0)


def test_nothing_is_ranked_among_papers_that_were_judged_themselves() -> None:
    likes = texts(SPACE, [TITLES[0], TITLES[3]])
    arguments = {"keywords_of_likes": np.ones(2), "keywords_of_reference": np.full(len(TITLES), 2.0)}
    arguments["keywords_of_reference"][6:] = 0
    among_all = replay(BACKGROUND, likes, NONE, **arguments)
    among_others = replay(BACKGROUND, likes, NONE, **arguments, judged=range(6))
    assert among_all.before == pytest.approx(1 / math.log2(8))
    assert among_others.before == 1


def test_of_very_many_likes_the_last_are_held_back() -> None:
    likes = texts(SPACE, [title(0, number % 40) for number in range(MAX_HELD_BACK + 3)])
    keywords = np.r_[np.full(3, -5.0), np.full(MAX_HELD_BACK, 5.0)]
    found = replay(BACKGROUND, likes, NONE, keywords_of_likes=keywords, keywords_of_reference=np.zeros(len(TITLES)))
    assert (found.held_back, found.before) == (MAX_HELD_BACK, 1)


def test_keywords_and_learning_add_up_by_weight() -> None:
    learned = Profile.of(BACKGROUND, texts(SPACE, TRACING), NONE).score(texts(SPACE, TITLES))
    assert blend(np.ones(60), learned) == pytest.approx(1 + 4 / 9 * learned.score)


def test_the_direction_takes_no_part_because_it_knows_the_rivals() -> None:
    titles = [title(0, number) for number in range(28, 40)]
    likes = texts(SPACE, titles)
    keywords = np.linspace(0, 3, len(TITLES))
    found = replay(BACKGROUND, likes, NONE, keywords_of_likes=zeros(len(titles)), keywords_of_reference=keywords)
    gains = []
    for row in range(len(titles)):
        others = likes.take([other for other in range(len(titles)) if other != row])
        profile = Profile.of(BACKGROUND, others, NONE, with_direction=False)
        own = blend(zeros(1), profile.score(likes.take([row])))[0]
        gains.append(1 / math.log2(2 + np.count_nonzero(blend(keywords, profile.score(BACKGROUND.texts)) > own)))
    assert found.after == pytest.approx(np.mean(gains))
