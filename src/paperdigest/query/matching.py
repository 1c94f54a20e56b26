"""What a query means to a paper; the one place where it is said, for search and ranking alike.

A keyword without a field matches in the title or the abstract; neither words nor phrases reach from one
into the other. By form:

- stemmed (``trace``, ``"software traceability"``): the words' stems stand next to each other, see `text`;
- prefix (``trac*``): a word begins so, case and diacritics aside;
- exact (``=TRACE``): the very characters, as whole words, see `exact`.

``author:`` asks for a name, see `names` (exact: as printed; prefix: a part of it). ``cat:cs.SE`` is the category, and
``cat:cs`` any of the archive; ``source:`` is a source that listed the paper by its configured name; case does not
count for both unless exact.

A query matches a paper when every ``+`` clause matches, no ``-`` clause does, and at least one clause that is not
``-`` does; a group matches when one of its alternatives does.
"""

from __future__ import annotations

import contextlib
from bisect import bisect_left
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import cached_property, lru_cache

from paperdigest.query import text as texts
from paperdigest.query.exact import exact_places, stands_exactly
from paperdigest.query.names import Name, agree, parts_of
from paperdigest.query.syntax import Clause, Field, Form, Keyword, Occur, Query
from paperdigest.query.text import STOP_WORDS, find_run
from paperdigest.types import StoredPaper

__all__ = ["Document", "admits", "keyword_matches", "matcher", "matches", "spans", "word_spans"]

_TEXT_FIELDS = (Field.TITLE, Field.ABSTRACT)


class Document:
    """A paper as queries see it. What a kind of keyword needs is prepared when the first of that kind comes."""

    def __init__(
        self,
        title: str = "",
        abstract: str = "",
        authors: Iterable[str] = (),
        categories: Iterable[str] = (),
        sources: Iterable[str] = (),
    ) -> None:
        self.title, self.abstract = title, abstract
        self.authors, self.categories, self.sources = tuple(authors), tuple(categories), tuple(sources)

    @classmethod
    def of(cls, stored: StoredPaper) -> Document:
        """Take from a stored paper what queries ask for."""
        paper = stored.paper
        return cls(
            paper.title,
            paper.abstract or "",
            [author.name for author in paper.authors],
            dict.fromkeys((*paper.categories, *filter(None, (paper.primary_category,)))),
            dict.fromkeys(entry.source for entry in stored.entries),
        )

    @cached_property
    def fields(self) -> dict[Field, _Text]:
        """Title and abstract."""
        return {Field.TITLE: _Text(self.title), Field.ABSTRACT: _Text(self.abstract)}

    @cached_property
    def names(self) -> tuple[Name, ...]:
        """The authors' names, read."""
        return tuple(map(Name.of, self.authors))

    @cached_property
    def name_parts(self) -> frozenset[str]:
        """Every spelling of every part of the authors' names."""
        return frozenset(spelling for name in self.names for part in name.parts for spelling in part)

    @cached_property
    def archives(self) -> frozenset[str]:
        """The categories and what is above them: of ``cs.SE`` also ``cs``, case folded."""
        found = (category.casefold().split(".") for category in self.categories)
        return frozenset(".".join(steps[:end]) for steps in found for end in range(1, len(steps) + 1))


class _Text:
    """A title or abstract."""

    def __init__(self, text: str) -> None:
        self.text = text

    @cached_property
    def stems(self) -> tuple[str, ...]:
        return texts.stems(self.text)

    @cached_property
    def distinct_stems(self) -> frozenset[str]:
        return frozenset(self.stems)

    @cached_property
    def words(self) -> tuple[str, ...]:
        return texts.words(self.text)

    @cached_property
    def sorted_words(self) -> list[str]:
        return sorted(set(self.words))

    @cached_property
    def spelled(self) -> texts.Field:
        return texts.Field.of(self.text)


def keyword_matches(keyword: Keyword, document: Document) -> bool:
    """Say whether a keyword matches; for many documents `matcher` is faster."""
    return matcher(keyword)(document)


@lru_cache(maxsize=1 << 14)
def matcher(keyword: Keyword) -> Callable[[Document], bool]:
    """Return what says of a document whether the keyword matches it; remembered, so that nothing is prepared twice."""
    if keyword.field is Field.AUTHOR:
        return _author_matcher(keyword)
    if keyword.field is Field.CATEGORY:
        return _category_matcher(keyword)
    if keyword.field is Field.SOURCE:
        return _source_matcher(keyword)
    fields = (keyword.field,) if keyword.field else _TEXT_FIELDS
    stands = _text_matcher(keyword)
    return lambda document: any(stands(document.fields[field]) for field in fields)


def matches(query: Query, document: Document) -> bool:
    """Say whether a search finds the paper."""
    return admits(query, document) and any(_clause_matches(clause, document) for clause in query.scored)


def admits(query: Query, document: Document) -> bool:
    """Say whether the paper has every must and no never: what ranking demands of each."""
    return all(
        _clause_matches(clause, document) is (clause.occur is Occur.MUST)
        for clause in query.clauses
        if clause.occur is not Occur.MAY
    )


def spans(keyword: Keyword, document: Document) -> Iterator[tuple[str, int, int]]:
    """Yield the places where a keyword matches: field, start and end in its printed text, title first.

    They follow one another and do not overlap. Nothing for ``author:``, ``cat:`` and ``source:``.
    """
    for field in _TEXT_FIELDS:
        if keyword.field in (None, field):
            for start, end in _places(keyword, document.fields[field]):
                yield field.value, start, end


def word_spans(keyword: Keyword, document: Document) -> Iterator[tuple[str, int, int]]:
    """Yield the places of `spans` and, of a stemmed phrase, those of its single words without stop words.

    The words of ``state-of-the-art`` are the phrase's too. In no order, and they may overlap.
    """
    yield from spans(keyword, document)
    for word in _content_words(keyword):
        yield from spans(word, document)


@lru_cache(maxsize=1 << 14)
def _content_words(keyword: Keyword) -> tuple[Keyword, ...]:
    """Return the single words, without stop words, that a stemmed phrase is made of; none of any other keyword."""
    words = texts.words(" ".join(keyword.words)) if keyword.form is Form.STEMMED else ()
    distinct = dict.fromkeys(words) if len(words) > 1 else ()
    return tuple(Keyword((word,), field=keyword.field) for word in distinct if word not in STOP_WORDS)


def _clause_matches(clause: Clause, document: Document) -> bool:
    return any(matcher(keyword)(document) for keyword in clause.keywords)


def _text_matcher(keyword: Keyword) -> Callable[[_Text], bool]:
    if keyword.form is Form.EXACT:
        # Most texts hold nothing of the kind, which is seen soonest by the longest run of letters.
        probe = max(texts.letters(" ".join(keyword.words)), key=len, default="")
        return lambda text: _may_hold(probe, text.text) and stands_exactly(keyword.words, text.text)
    if keyword.form is Form.PREFIX:
        *before, start = texts.words(" ".join(keyword.words)) or ("",)
        return lambda text: bool(start) and _has_prefix(tuple(before), start, text)
    run = texts.stems(" ".join(keyword.words))
    if len(run) == 1:
        return lambda text: run[0] in text.distinct_stems
    wanted = frozenset(run)
    return lambda text: bool(run) and wanted <= text.distinct_stems and find_run(run, text.stems) >= 0


def _may_hold(probe: str, text: str) -> bool:
    return probe in text or not (probe.isascii() and text.isascii())


def _has_prefix(before: tuple[str, ...], start: str, text: _Text) -> bool:
    at = bisect_left(text.sorted_words, start)
    if at == len(text.sorted_words) or not text.sorted_words[at].startswith(start):
        return False
    return not before or next(_prefix_runs(before, start, text.words), None) is not None


def _prefix_runs(before: tuple[str, ...], start: str, words: Sequence[str]) -> Iterator[int]:
    """Yield the indices at which the words ``before`` stand and then one that begins with ``start``."""
    for at in range(len(words) - len(before)):
        if words[at + len(before)].startswith(start) and tuple(words[at : at + len(before)]) == before:
            yield at


def _places(keyword: Keyword, text: _Text) -> Iterator[tuple[int, int]]:
    if keyword.form is Form.EXACT:
        yield from exact_places(keyword.words, text.text)
        return
    typed = " ".join(keyword.words)
    if keyword.form is Form.PREFIX:
        *before, start = texts.words(typed) or ("",)
        width = len(before) + 1
        found = _prefix_runs(tuple(before), start, text.spelled.words) if start else iter(())
    else:
        run = _run_of(typed)
        width = len(run)
        found = _runs(run, text.spelled.stems)
    free = 0
    for at in found:
        if at >= free:
            yield text.spelled.places[at][0], text.spelled.places[at + width - 1][1]
            free = at + width


_run_of = lru_cache(maxsize=1 << 14)(texts.stems)


def _runs(run: tuple[str, ...], stems: tuple[str, ...]) -> Iterator[int]:
    """Yield the indices at which ``run`` stands, word for word."""
    if not run:
        return
    at, end = -1, max(len(stems) - len(run) + 1, 0)
    with contextlib.suppress(ValueError):  # there is no further one
        while True:
            at = stems.index(run[0], at + 1, end)
            if stems[at : at + len(run)] == run:
                yield at


def _author_matcher(keyword: Keyword) -> Callable[[Document], bool]:
    typed = " ".join(keyword.words)
    if keyword.form is Form.EXACT:
        return lambda document: any(stands_exactly(keyword.words, name) for name in document.authors)
    if keyword.form is Form.PREFIX:
        starts = tuple(spelling for part in parts_of(typed)[-1:] for spelling in part)
        before = parts_of(typed)[:-1]
        return lambda document: bool(starts) and _has_name_with_prefix(before, starts, document)
    wanted = Name.of(typed)

    def has_author(document: Document) -> bool:
        # Some part is written out in both names, so most papers need no comparing of names.
        if all(part.isdisjoint(document.name_parts) for part in wanted.parts):
            return False
        return any(agree(wanted, name) for name in document.names)

    return has_author


def _has_name_with_prefix(before: Sequence[frozenset[str]], starts: tuple[str, ...], document: Document) -> bool:
    if not any(part.startswith(starts) for part in document.name_parts):
        return False
    width = len(before)
    return any(
        any(spelling.startswith(starts) for spelling in name.parts[at + width])
        and all(one & other for one, other in zip(before, name.parts[at:], strict=False))
        for name in document.names
        for at in range(len(name.parts) - width)
    )


def _category_matcher(keyword: Keyword) -> Callable[[Document], bool]:
    typed = " ".join(keyword.words)
    if keyword.form is Form.EXACT:
        return lambda document: typed in document.categories
    folded = typed.casefold()
    if keyword.form is Form.PREFIX:
        return lambda document: any(one.casefold().startswith(folded) for one in document.categories)
    return lambda document: folded in document.archives


def _source_matcher(keyword: Keyword) -> Callable[[Document], bool]:
    typed = " ".join(keyword.words)
    if keyword.form is Form.EXACT:
        return lambda document: typed in document.sources
    folded = typed.casefold()
    if keyword.form is Form.PREFIX:
        return lambda document: any(one.casefold().startswith(folded) for one in document.sources)
    return lambda document: any(one.casefold() == folded for one in document.sources)
