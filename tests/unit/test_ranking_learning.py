"""Learning from likes and dislikes."""

from __future__ import annotations

import numpy as np
import pytest

from paperdigest.query.text import prepare
from paperdigest.ranking.bt import ArchiveStatistics
from paperdigest.ranking.learning import Learned, Profile, nearest, weight_of
from paperdigest.ranking.spaces import WORD_GRID, Background, Texts, WordSpace
from tests.learning_samples import BACKGROUND, SPACE, TITLES, WORDS_ONLY, space_of, texts, title

NONE = texts(SPACE, [])
TRACING = [title(0, number) for number in range(30, 40)]
STARS = [title(1, number) for number in range(30, 33)]
NEW = [title(subject, number) for subject in range(3) for number in range(25, 28)]


def learned(
    likes: list[str], dislikes: list[str] | None = None, papers: list[str] = NEW, *, model: bool = True
) -> Learned:
    def of(titles: list[str]) -> Texts:
        return texts(SPACE, titles, with_vectors=model)

    profile = Profile.of(BACKGROUND if model else WORDS_ONLY, of(likes), of(dislikes or []))
    return profile.score(of(papers))


@pytest.mark.parametrize(("likes", "weight"), [(0, 0.0), (1, 1 / 6), (3, 3 / 8), (5, 0.5), (10, 2 / 3)])
def test_the_weight_of_likes_is_k_of_k_and_five(likes: int, weight: float) -> None:
    assert weight_of(likes) == pytest.approx(weight)
    assert weight_of(likes, dislikes=7) == pytest.approx(weight if likes else 1.75 / 6.75)


@pytest.mark.parametrize("model", [True, False])
@pytest.mark.parametrize("count", [1, 3, 10])
def test_papers_of_the_liked_subject_come_first(count: int, model: bool) -> None:
    found = learned(TRACING[:count], model=model)
    assert found.score[:3].mean() > max(1, found.score[3:].max())


@pytest.mark.parametrize("model", [True, False])
def test_a_disliked_subject_goes_down_and_the_others_keep_their_order(model: bool) -> None:
    plain, found = learned(TRACING[:3], model=model), learned(TRACING[:3], STARS, model=model)
    assert (found.disliked[3:6] < 0).all()
    assert (found.score[3:6] - plain.score[3:6]).max() < (found.score[6:] - plain.score[6:]).min()
    assert found.score[:3].min() > found.score[6:].max()


@pytest.mark.parametrize("model", [True, False])
def test_dislikes_alone_only_push_down(model: bool) -> None:
    found = learned([], STARS, model=model)
    assert (found.score[3:6] < -0.5).all()
    assert (found.score <= 0).all()
    assert found.score[3:6].max() < min(found.score[:3].min(), found.score[6:].min())
    assert learned([], STARS, ["requirements code"], model=model).score.tolist() == [0]
    assert 0 < found.weight < weight_of(1)


def test_without_judgements_nothing_is_said() -> None:
    found = learned([])
    assert not found.score.any()
    assert found.weight == 0
    assert found.parts == {}


def test_the_direction_joins_from_ten_likes_on() -> None:
    assert set(learned(TRACING[:9]).parts) == {"words", "meaning"}
    assert set(learned(TRACING).parts) == {"words", "meaning", "direction"}
    assert set(learned(TRACING, model=False).parts) == {"words", "direction"}
    assert set(learned(TRACING[:9], model=False).parts) == {"words"}


@pytest.mark.parametrize("dislikes", [[], STARS])
def test_the_direction_is_fishers_in_the_space_of_words(dislikes: list[str]) -> None:
    likes, papers = texts(SPACE, TRACING), texts(SPACE, NEW)
    archive = BACKGROUND.texts.words.toarray() / WORD_GRID
    mean = archive.mean(axis=0)
    away = likes.words.toarray().mean(axis=0) / WORD_GRID - mean
    if dislikes:
        away -= 0.25 * (texts(SPACE, dislikes).words.toarray().mean(axis=0) / WORD_GRID - mean)
    covariance = np.cov(archive.T, bias=True)
    direction = np.linalg.solve(covariance + 0.03 * np.eye(len(covariance)), away)
    expected, reference = papers.words.toarray() @ direction, archive @ direction * WORD_GRID
    found = (
        Profile.of(BACKGROUND, likes, texts(SPACE, dislikes)).score(texts(SPACE, [*NEW, *TITLES])).parts["direction"]
    )
    assert np.corrcoef([*expected, *reference], found)[0, 1] == pytest.approx(1, abs=1e-6)


def test_the_parts_are_weighed_by_the_number_of_likes() -> None:
    for count in (1, 4, 12):
        found = learned([*TRACING, *TRACING][:count], papers=TITLES)
        alone = {name: Profile.of(BACKGROUND, texts(SPACE, [*TRACING, *TRACING][:count]), NONE) for name in found.parts}
        weights = {part.name: part.weight for part in alone["words"].parts}
        assert weights == {"words": count**2 / (count**2 + 1.5), "meaning": 1.0} | (
            {"direction": 1.0} if count > 9 else {}
        )
        for part in alone["words"].parts:
            pro, against = part.scores(texts(SPACE, TITLES))
            assert found.parts[part.name] == pytest.approx((pro + against) * part.weight / sum(weights.values()))


def test_words_are_weighed_by_log_and_rarity_and_titles_count_twice() -> None:
    space = WordSpace(ArchiveStatistics(documents=9, document_frequency={"rare": 1, "often": 4, "gone": 0, "the": 9}))
    row = space.texts([prepare("rare the", "often often gone unknown")]).words.toarray()[0] / WORD_GRID
    raw = {"often": (1 + np.log(2)) * (1 + np.log(10 / 5)), "rare": (1 + np.log(2)) * (1 + np.log(10 / 2))}
    length = np.hypot(*raw.values())
    assert space.stems == ("often", "rare")
    assert row == pytest.approx([raw["often"] / length, raw["rare"] / length], abs=1e-5)


def test_scores_are_standard_scores_over_the_archive() -> None:
    found = learned(TRACING[:3], papers=TITLES)
    assert np.mean(found.score) == pytest.approx(0, abs=1e-9)
    weight = 9 / (9 + 1.5)  # of the words of three likes, beside the 1 of the meaning
    words = found.parts["words"] * (1 + weight) / weight
    with_dislikes = learned(TRACING[:3], [*TRACING[3:6], *STARS], TITLES).parts["words"] * (1 + weight) / weight
    assert np.std(with_dislikes) == pytest.approx(1, abs=0.1)
    assert np.std(words) == pytest.approx(1, abs=0.1)  # the imagined papers change the spread a little


def test_parts_and_sides_add_up_to_the_score() -> None:
    found = learned(TRACING, STARS, [*NEW, "", "unheard"])
    assert sum(found.parts.values()) == pytest.approx(found.score)
    assert found.liked + found.disliked == pytest.approx(found.score)


def test_a_paper_without_a_vector_is_ordinary_in_meaning() -> None:
    like, candidates = texts(SPACE, TRACING[:1]), texts(SPACE, [NEW[0], "model data unheard"])
    assert candidates.vectors is not None
    candidates.vectors[:] = 0
    found = Profile.of(BACKGROUND, like, NONE).score(candidates)
    alone = Profile.of(WORDS_ONLY, texts(SPACE, TRACING[:1], with_vectors=False), NONE).score(candidates)
    assert found.score == pytest.approx(
        alone.score * 0.4 / 1.4
    )  # the words of one like count .4 beside the 1 of meaning
    assert found.parts["meaning"].tolist() == [0, 0]


def test_likes_without_vectors_leave_the_meaning_out() -> None:
    like = texts(SPACE, TRACING[:1])
    assert like.vectors is not None
    like.vectors[:] = 0
    assert set(Profile.of(BACKGROUND, like, NONE).score(texts(SPACE, NEW)).parts) == {"words"}


@pytest.mark.parametrize("model", [True, False])
def test_empty_texts_and_an_empty_archive_give_numbers(model: bool) -> None:
    for titles in ([], [""], [TITLES[0]]):
        space = space_of(titles)
        background = Background(texts(space, titles, with_vectors=model))
        likes = texts(space, ["", TITLES[0]] * 6, with_vectors=model)
        found = Profile.of(background, likes, texts(space, [""], with_vectors=model)).score(
            texts(space, ["", "x", TITLES[0]], with_vectors=model)
        )
        assert np.isfinite(found.score).all()
        assert np.abs(found.score).max() <= 20


def test_one_like_twelve_times_is_no_more_than_numbers() -> None:
    found = learned([TRACING[0]] * 12)
    assert np.isfinite(found.score).all()
    assert found.score[:3].mean() > found.score[3:].max()


def test_the_nearest_like_is_named() -> None:
    judged = texts(SPACE, [STARS[0], TRACING[0], STARS[1]])
    assert nearest(texts(SPACE, [TRACING[0], STARS[1], "unheard"]), judged).tolist() == [1, 2, -1]
    assert nearest(texts(SPACE, NEW), NONE).tolist() == [-1] * len(NEW)
    assert nearest(texts(SPACE, []), judged).tolist() == []


def test_the_nearest_like_may_be_near_in_meaning_alone() -> None:
    papers, judged = texts(SPACE, [TRACING[1], STARS[1]]), texts(SPACE, [STARS[0], TRACING[0]])
    wordless = [Texts(one.words * 0, one.vectors) for one in (papers, judged)]
    assert nearest(*wordless).tolist() == [1, 0]
    assert nearest(wordless[0], Texts(judged.words, None)).tolist() == [-1, -1]
