"""Which words say that a paper was withdrawn, and which only sound like it."""

from __future__ import annotations

import pytest

from paperdigest.sources.arxiv.withdrawn import says_withdrawn


@pytest.mark.parametrize(
    "comment",
    [
        "This paper has been withdrawn by the authors. A complete version can be had elsewhere",
        "This article has been withdrawn because it has been merged with an earlier one",
        "This paper has been withdrawn",
        "This papers has been withdrawn",
        "paper withdrawn by author",
        "Withdrawn",
        "Withdrawn due to an error in Lemma 8",
        "withdrawn by arXiv administrators due to plagiarism. See the list",
        "This has been withdrawn by arXiv administrators due to a dispute",
        "This paper has been withdrawn by the author(s) due to some mistakes",
        "12 pages; this submission has been withdrawn by arXiv administrators",
        "arXiv admin note: this version has been removed by arXiv administrators",
        "The manuscript is now withdrawn since the results do not hold",
        "The authors have withdrawn this paper",
        "We withdraw this article because of a gap in the proof",
        "This paper has been withdrawn from arXiv",
        "This paper (v3) was retracted by its authors",
    ],
)
def test_a_comment_can_say_it_in_many_words(comment: str) -> None:
    assert says_withdrawn(comment, "We study graphs.")


@pytest.mark.parametrize(
    "comment",
    [
        "10 pages, 3 figures",
        "Supersedes the withdrawn paper arXiv:1234.5678",
        "The previous version of this paper was withdrawn; this one is right",
        "An earlier version of the paper has been withdrawn",
        "Replaces arXiv:1234.5678, which has been withdrawn",
        "Section 3 of this paper has been withdrawn",
        "A study of the money withdrawn from Mt.Gox",
        "Accepted, then the paper was withdrawn from the conference",
        "Code for detecting retracted articles",
        "The paper was not withdrawn",
        "Data on papers withdrawn in 2010",
        "",
        None,
    ],
)
def test_a_comment_about_something_else_is_not_a_withdrawal(comment: str | None) -> None:
    assert not says_withdrawn(comment, None)


@pytest.mark.parametrize(
    "abstract",
    [
        "This paper has been withdrawn by the authors.",
        "This paper has been withdrawn due to copyright reasons.",
        "paper withdrawn due to the possible error in a calculation",
        "This paper has been removed by arXiv administrators because it repeats others.",
        "The paper has been withdrawn, its main claim is wrong.",
        "We withdraw this paper.",
    ],
)
def test_an_abstract_says_it_with_its_first_words(abstract: str) -> None:
    assert says_withdrawn(None, abstract)


@pytest.mark.parametrize(
    "abstract",
    [
        "Coins withdrawn from Mt.Gox are followed over the ledger.",
        "We follow the coins withdrawn from Mt.Gox. This paper has been a pleasure.",
        "Withdrawn drugs are compared with approved ones.",
        "Retracted articles keep being cited.",
        "The paper retracted in 2010 is cited to this day.",
        "Long after this paper has been withdrawn its claims live on.",
        "We study how often authors withdraw their papers.",
        "Troops were withdrawn by the king.",
    ],
)
def test_an_abstract_that_uses_the_word_is_left_alone(abstract: str) -> None:
    assert not says_withdrawn(None, abstract)
    assert not says_withdrawn("10 pages", abstract)
