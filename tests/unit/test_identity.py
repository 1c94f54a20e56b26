"""When are two descriptions the same paper?"""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from paperdigest.identity import (
    arxiv_id,
    doi_id,
    fold,
    keys,
    normalise_url,
    split_arxiv,
    title_id,
    title_key,
    url_id,
)
from paperdigest.types import Author, Paper, PaperId

PUBLISHED = datetime(2023, 5, 27, tzinfo=UTC)


def paper(title: str = "A Title That Is Long Enough", **more: object) -> Paper:
    fields = {"id": title_id(title), "authors": (Author(name="Ada Lovelace"),), "published_at": PUBLISHED, **more}
    return Paper(title=title, **fields)  # type: ignore[arg-type]  # the fields are given by keyword


@pytest.mark.parametrize(
    ("text", "local", "version"),
    [
        ("2305.17490", "2305.17490", None),
        ("2305.17490v2", "2305.17490", 2),
        ("arXiv:0704.0001v1", "0704.0001", 1),
        ("http://arxiv.org/abs/astro-ph/0601001v3", "astro-ph/0601001", 3),
        ("quant-ph/0201082v1", "quant-ph/0201082", 1),
        ("math.GT/0309136", "math.GT/0309136", None),
        ("math-ph/0309136", "math-ph/0309136", None),
        ("https://arxiv.org/abs/cmp-lg/9404001v1", "cmp-lg/9404001", 1),
        ("https://arxiv.org/pdf/2305.17490v2.pdf", "2305.17490", 2),
        ("https://arxiv.org/pdf/2305.17490?download=1", "2305.17490", None),
        ("oai:arXiv.org:2305.17490v12", "2305.17490", 12),
        ("https://huggingface.co/papers/2305.17490", "2305.17490", None),
        ("https://doi.org/10.48550/arXiv.2305.17490", "2305.17490", None),
    ],
)
def test_every_form_of_an_arxiv_id_is_one_id(text: str, local: str, version: int | None) -> None:
    assert split_arxiv(text) == (local, version)
    assert arxiv_id(text) == PaperId(scheme="arxiv", local=local)


@pytest.mark.parametrize(
    "text", ["", "0", "2305", "2305.1", "https://example.org/abs/2305.17490", "arxiv:abc", "12.345v0"]
)
def test_what_is_no_arxiv_id_is_none(text: str) -> None:
    assert arxiv_id(text) is None


@pytest.mark.parametrize("text", ["article/0309136", "news/9901070", "the-math/0309136", "math/1234567"])
def test_a_word_and_seven_digits_are_no_arxiv_id_unless_arxiv_gave_such_ids(text: str) -> None:
    assert arxiv_id(text) is None


@pytest.mark.parametrize(
    "text", ["10.1101/2020.01.01.123456", "doi:10.1101/2020.01.01.123456", "https://DOI.org/10.1101/2020.01.01.123456"]
)
def test_dois_are_folded_and_lose_their_resolver(text: str) -> None:
    assert doi_id(text) == PaperId(scheme="doi", local="10.1101/2020.01.01.123456")


def test_a_doi_is_case_insensitive() -> None:
    assert doi_id("10.1000/ABC") == doi_id("10.1000/abc")


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("http://Example.org/a/", "https://example.org/a"),
        ("https://example.org/a?utm_source=x&b=1", "https://example.org/a?b=1"),
        ("https://example.org:443/a#top", "https://example.org/a"),
    ],
)
def test_spellings_of_a_url_are_one(one: str, other: str) -> None:
    assert normalise_url(one) == normalise_url(other) is not None


@pytest.mark.parametrize(
    "text", ["", "ftp://example.org/a", "/relative", "https://", "http://[broken", "https://a:b/c"]
)
def test_what_is_no_web_address_has_no_normal_form(text: str) -> None:
    assert normalise_url(text) is None


def test_a_url_that_hides_a_better_id_gives_that() -> None:
    assert str(url_id("https://arxiv.org/abs/2305.17490v2")) == "arxiv:2305.17490"
    assert str(url_id("https://doi.org/10.1000/x")) == "doi:10.1000/x"
    assert str(url_id("https://example.org/p?id=1")) == "url:https://example.org/p?id=1"


def test_titles_are_joined_whole_and_never_by_prefix() -> None:
    first = title_key(paper("TRACE: Capability-Targeted Agentic Training"))
    second = title_key(paper("TRACE: Task-Adaptive Reasoning"))
    assert first is not None and second is not None and first != second


def test_case_accents_and_punctuation_do_not_tell_titles_apart() -> None:
    assert title_key(paper("Résumé -- Parsing, Revisited")) == title_key(paper("resume parsing revisited"))


def test_without_author_or_date_a_title_is_no_key() -> None:
    assert title_key(paper(authors=())) is None
    assert title_key(paper(published_at=None)) is None


def test_a_vague_title_is_no_key() -> None:
    assert title_key(paper("0")) is None


def test_names_in_both_orders_give_the_same_key() -> None:
    assert title_key(paper(authors=(Author(name="Lovelace, Ada"),))) == title_key(paper())


def test_the_keys_of_a_paper_are_id_aliases_and_title_key() -> None:
    found = keys(
        paper(id=PaperId(scheme="arxiv", local="2305.17490"), aliases=(PaperId(scheme="doi", local="10.1/x"),))
    )
    assert found == ("arxiv:2305.17490", "doi:10.1/x", "key:a title that is long enough|lovelace|2023")


schemes = st.from_regex(r"[a-z][a-z0-9-]{0,10}", fullmatch=True)
locals_ = st.text(st.characters(exclude_categories=("Z", "Cs", "Cc")), min_size=1, max_size=60).filter(
    lambda text: not any(char.isspace() for char in text)
)


@given(schemes, locals_)
def test_a_paper_id_prints_and_parses_back(scheme: str, local: str) -> None:
    identifier = PaperId(scheme=scheme, local=local)
    assert PaperId.parse(str(identifier)) == identifier


@pytest.mark.parametrize("text", ["", "arxiv", ":x", "arxiv:", "Arxiv:x", "arxiv:a b"])
def test_a_broken_paper_id_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="paper id"):
        PaperId.parse(text)


@given(st.text(max_size=300))
def test_folding_is_idempotent_and_every_text_is_read_or_none(text: str) -> None:
    assert fold(fold(text)) == fold(text)
    assert split_arxiv(text) is None or arxiv_id(text) is not None
    doi_id(text)
    normal = normalise_url(text)
    assert normal is None or normalise_url(normal) == normal


@given(st.text(min_size=1, max_size=3000))
def test_every_title_has_an_id(title: str) -> None:
    assert title_id(title) == title_id(title.upper().lower()) or fold(title) != fold(title.upper().lower())
    assert PaperId.parse(str(title_id(title))) == title_id(title)
