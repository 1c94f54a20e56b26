"""What counts as a word, which words are one stem, and what a keyword looks for."""

from __future__ import annotations

import threading

import pytest

from paperdigest.query import text as text_module
from paperdigest.query.text import Field, Terms, find_run, prepare, stems, terms


@pytest.mark.parametrize("form", ["trace", "traces", "traced", "tracing", "TRACE", "Tracing", "trácé"])
def test_the_inflections_of_a_word_are_one_stem(form: str) -> None:
    assert stems(form) == ("trace",)


@pytest.mark.parametrize("form", ["traceability", "Traceable", "tracer"])
def test_a_longer_word_is_another_stem(form: str) -> None:
    assert stems(form) != ("trace",)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", ()),
        ("  …  --  ", ()),
        ("state-of-the-art", ("state", "of", "the", "art")),
        ("k_best GPT-4o's", ("k", "best", "gpt", "4o", "s")),
        ("C++ (ISO)", ("c", "iso")),
        ("Café naïve Gödel", ("cafe", "naiv", "godel")),
        ("cafe\N{COMBINING ACUTE ACCENT}", ("cafe",)),
        ("e\N{LATIN SMALL LIGATURE FFI}cient", ("effici",)),
        ("Straße", ("strass",)),
        ("VLM² H₂O", ("vlm", "h", "o")),
        ("Шрёдингер α-β", ("шрёдингер", "α", "β")),
        ("Brand™ ℝⁿ", ("brand", "ℝ")),
        ("OS is as us μs", ("os", "is", "as", "us", "μ")),
        ("possibly ontologies technology technological", ("possibl", "ontolog", "technolog", "technolog")),
        ("s", ("s",)),
        ("a" * 70 + "ing", ("a" * 70 + "ing",)),
    ],
)
def test_words_are_runs_of_letters_and_digits_without_case_and_diacritics(text: str, words: tuple[str, ...]) -> None:
    assert stems(text) == words


@pytest.mark.parametrize(
    "text",
    ["Plain ASCII text", "e\N{LATIN SMALL LIGATURE FFI}cient Café ½ x² Straße", "cafe\N{COMBINING ACUTE ACCENT}s"],
)
def test_a_field_has_the_same_stems_as_its_text(text: str) -> None:
    assert Field.of(text).stems == stems(text)


def test_the_forms_of_a_stem_are_given_as_printed_and_once_each() -> None:
    field = Field.of("Traces and TRACED traces: Traces, a “trácé” of traceability")
    assert field.forms("trace") == ("Traces", "TRACED", "traces", "trácé")
    assert field.forms("nothing") == ()


def test_a_run_of_stems_is_given_as_printed_on_one_line() -> None:
    field = Field.of("A state-of-the-\n art in Software\n  Traceability.")
    assert field.run(("softwar", "traceabl")) == "Software Traceability"
    assert field.run(("state", "of", "the", "art")) == "state-of-the- art"
    assert field.run(("traceabl", "softwar")) is None


def test_a_decomposed_accent_stays_with_its_letter() -> None:
    text = "cafe\N{COMBINING ACUTE ACCENT} culture"
    assert Field.of(text).run(("cafe", "cultur")) == text
    assert Field.of(text).forms("cafe") == ("cafe\N{COMBINING ACUTE ACCENT}",)


def test_the_stems_that_are_remembered_are_not_more_than_memory_allows(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(text_module._Stems, "MOST", 10)
    assert stems(" ".join(f"tracings{number}x" for number in range(100)) + " traces")[-1] == "trace"
    assert len(text_module._STEMS) <= 10


@pytest.mark.parametrize(
    ("run", "field", "place"),
    [
        (("a", "b"), ("a", "b", "a", "b"), 0),
        (("a", "b"), ("a", "a", "b"), 1),
        (("a", "b"), ("b", "a"), -1),
        (("a", "b"), ("a",), -1),
        (("a", "b"), (), -1),
        (("a", "b", "c"), ("a", "b", "a", "b", "c"), 2),
    ],
)
def test_a_run_is_found_where_it_first_stands_whole(run: tuple[str, ...], field: tuple[str, ...], place: int) -> None:
    assert find_run(run, field) == place


@pytest.mark.parametrize(
    ("words", "wanted"),
    [
        (("traces",), Terms(words=(("trace", 1),))),
        (("software", "traceability"), Terms(words=(("softwar", 1), ("traceabl", 1)), phrase=("softwar", "traceabl"))),
        (("state-of-the-art",), Terms(words=(("state", 1), ("art", 1)), phrase=("state", "of", "the", "art"))),
        (("the", "trace"), Terms(words=(("trace", 1),), phrase=("the", "trace"))),
        (("it",), Terms(words=(("it", 1),))),
        (("to", "be"), Terms(words=(("to", 1), ("be", 1)), phrase=("to", "be"))),
        (("trace", "of", "traces"), Terms(words=(("trace", 2),), phrase=("trace", "of", "trace"))),
        (("one", "two", "three", "four", "five"), Terms(
            words=(("on", 1), ("two", 1), ("three", 1), ("four", 1), ("five", 1)),
            phrase=("on", "two", "three", "four", "five"))),
        (("…",), Terms(words=())),
    ],
)  # fmt: skip
def test_a_keyword_looks_for_its_words_without_stop_words_and_for_the_whole_phrase(
    words: tuple[str, ...], wanted: Terms
) -> None:
    assert terms(words) == wanted


def test_six_words_are_a_sentence_and_no_phrase() -> None:
    assert terms(("one", "two", "three", "four", "five", "six")).phrase == ()


def test_the_title_counts_twice_in_the_length() -> None:
    assert prepare("two words", "and three more").length == 7
    assert prepare("two words", None).length == 4
    assert prepare("", "").length == 0


def test_threads_may_stem_at_the_same_time() -> None:
    found: list[tuple[str, ...]] = []
    text = " ".join(f"tracing{number} traces" for number in range(300))
    threads = [threading.Thread(target=lambda: found.append(stems(text))) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == [stems(text)] * 4
