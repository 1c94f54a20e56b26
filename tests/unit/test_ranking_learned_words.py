"""What was learned, in words."""

from __future__ import annotations

import pytest

from paperdigest.ranking.learned_words import learned_reasons, shortened, what_changed
from paperdigest.ranking.learning import Learned, Profile, nearest
from paperdigest.types import Judgement, PaperId
from tests.learning_samples import BACKGROUND, NOW, SPACE, said, space_of, texts, title

LIKE, DISLIKE = said(title(0, 30)), said(title(1, 30), liked=False, local="1901.00001")
PAPERS = texts(SPACE, [title(0, 25), title(1, 25), title(2, 26)])


def learned_of(likes: list[Judgement], dislikes: list[Judgement]) -> Learned:
    liked, disliked = (texts(SPACE, [one.title for one in side]) for side in (likes, dislikes))
    return Profile.of(BACKGROUND, liked, disliked).score(PAPERS)


def test_the_nearest_like_and_dislike_are_named_with_what_they_add() -> None:
    learned = learned_of([LIKE], [DISLIKE])
    assert nearest(PAPERS, texts(SPACE, [LIKE.title])).tolist() == [0, -1, -1]
    for place in range(3):
        reasons = learned_reasons(learned, place, LIKE, DISLIKE)
        assert sum(reason.contribution for reason in reasons) == pytest.approx(learned.weight * learned.score[place])
        assert {reason.keyword for reason in reasons} == {"likes"}
    near = learned_reasons(learned, 0, LIKE, DISLIKE)
    assert near[0].text == f"like 2305.17490 ({LIKE.title})"
    assert near[1].text == f"unlike 1901.00001 ({DISLIKE.title}), which you disliked"
    away = learned_reasons(learned, 1, LIKE, DISLIKE)
    assert away[0].contribution < near[0].contribution
    assert away[-1].text == f"near 1901.00001 ({DISLIKE.title}), which you disliked"
    assert away[-1].contribution < 0


def test_without_a_nearest_judgement_the_words_stay_general() -> None:
    learned = learned_of([LIKE], [DISLIKE])
    assert [reason.text for reason in learned_reasons(learned, 0, None)] == [
        "near what you liked",
        "unlike what you disliked",
    ]
    assert learned_reasons(learned_of([], []), 0, None) == ()


def test_what_pulls_down_is_said_too() -> None:
    learned = learned_of([LIKE, LIKE, LIKE], [])
    assert learned.score[2] < 0
    assert [reason.text for reason in learned_reasons(learned, 2, LIKE)] == ["unlike what you liked"]


@pytest.mark.parametrize(
    ("paper_id", "name", "words"),
    [
        (PaperId(scheme="arxiv", local="2305.17490"), "Tracing", "like 2305.17490 (Tracing)"),
        (PaperId(scheme="doi", local="10.1/x"), "Tracing", "like 10.1/x (Tracing)"),
        (PaperId(scheme="title", local="tracing-123456"), "Tracing", "like “Tracing”"),
        (PaperId(scheme="arxiv", local="2305.17490"), "", "like “arxiv:2305.17490”"),
    ],
)
def test_a_judged_paper_is_named_so_that_it_can_be_found(paper_id: PaperId, name: str, words: str) -> None:
    like = Judgement(paper_id=paper_id, title=name, liked=True, judged_at=NOW)
    assert learned_reasons(learned_of([LIKE], []), 0, like)[0].text == words


def test_titles_are_shortened_between_words() -> None:
    assert shortened("  A short\n title ") == "A short title"
    long = shortened("Recovering the links, between requirements and source code with large language models")
    assert long == "Recovering the links, between requirements and source code with…"
    assert shortened("x" * 100) == "x" * 69 + "…"
    assert len(shortened("word " * 50)) <= 70


def test_what_changed_names_words_that_the_likes_share_and_the_title_they_stand_in() -> None:
    titles = ["Trace link recovery for requirements", "Galaxies and trace link recovery", "Proteins"]
    space = space_of([*titles, *titles])
    judged = [said(one) for one in titles[:2]]
    rows = texts(space, titles[:2])
    assert what_changed(space, rows, judged) == (
        "more like trace link recovery because you liked “Galaxies and trace link recovery”"
    )
    assert what_changed(space, rows, judged, known={"trace", "link", "recoveri"}) in (
        "more like recovery for requirements because you liked “Trace link recovery for requirements”",
        "more like requirements because you liked “Trace link recovery for requirements”",
        "more like Galaxies because you liked “Galaxies and trace link recovery”",
    )
    assert what_changed(space, texts(space, []), []) is None
    everything = set(space.stems)
    assert what_changed(space, rows, judged, known=everything) is None


def test_what_changed_speaks_of_dislikes_as_less() -> None:
    space = space_of(["Galaxies", "Galaxies again"])
    disliked = said("The galaxies", liked=False)
    assert what_changed(space, texts(space, ["The galaxies"]), [disliked]) == (
        "less like galaxies because you disliked “The galaxies”"
    )


def test_what_changed_names_no_word_of_a_single_paper() -> None:
    space = space_of(["Galaxies", "Galaxies again", "Zyzzyva galaxies"])
    judged = [said("Zyzzyva galaxies")]
    assert what_changed(space, texts(space, ["Zyzzyva galaxies"]), judged) == (
        "more like galaxies because you liked “Zyzzyva galaxies”"
    )
