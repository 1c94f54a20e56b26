"""The query language: what is read, what is printed, and refusals that point at the column and say what to write."""

from __future__ import annotations

import pytest

from paperdigest.errors import QueryError
from paperdigest.query import Clause, Field, Form, Keyword, Occur, Query, parse_query

A, B, C = Keyword(("a1",)), Keyword(("b2",)), Keyword(("c3",))


def only(text: str) -> Keyword:
    """The one keyword of a query of one clause that asks nothing special."""
    query = parse_query(text)
    (keyword,) = query.keywords
    assert query == Query((Clause((keyword,)),))
    return keyword


def test_words_and_phrases_are_told_apart() -> None:
    assert parse_query('trace "software traceability"').keywords == (
        Keyword(("trace",)),
        Keyword(("software", "traceability")),
    )


@pytest.mark.parametrize(
    ("text", "keyword"),
    [
        ("trac*", Keyword(("trac",), Form.PREFIX)),
        ("=TRACE", Keyword(("TRACE",), Form.EXACT)),
        ('="Exact  Phrase"', Keyword(("Exact", "Phrase"), Form.EXACT)),
        ('="A*"', Keyword(("A*",), Form.EXACT)),
        ("title:trace", Keyword(("trace",), field=Field.TITLE)),
        ("ABSTRACT:trac*", Keyword(("trac",), Form.PREFIX, Field.ABSTRACT)),
        ("title:=TRACE", Keyword(("TRACE",), Form.EXACT, Field.TITLE)),
        ('title:="Exact Phrase"', Keyword(("Exact", "Phrase"), Form.EXACT, Field.TITLE)),
        ('Author:"Jane Doe"', Keyword(("Jane", "Doe"), field=Field.AUTHOR)),
        ('author:"Doe, Jane"', Keyword(("Doe,", "Jane"), field=Field.AUTHOR)),
        ("cat:cs.SE", Keyword(("cs.SE",), field=Field.CATEGORY)),
        ("cat:cs.*", Keyword(("cs",), field=Field.CATEGORY)),
        ("cat:cs.S*", Keyword(("cs.S",), Form.PREFIX, Field.CATEGORY)),
        ('source:"my feed"', Keyword(("my", "feed"), field=Field.SOURCE)),
        ("“software traceability”", Keyword(("software", "traceability"))),
        ("title:AND", Keyword(("AND",), field=Field.TITLE)),
    ],
)
def test_a_keyword_has_a_form_and_a_field(text: str, keyword: Keyword) -> None:
    assert only(text) == keyword


@pytest.mark.parametrize(
    ("text", "clause"),
    [
        ("+a1", Clause((A,), Occur.MUST)),
        ("a1^2", Clause((A,), weight=2)),
        ("+a1^0.5", Clause((A,), Occur.MUST, 0.5)),
        ('"a b"^1e1', Clause((Keyword(("a", "b")),), weight=10)),
        ("R^2", Clause((Keyword(("R",)),), weight=2)),
        ("a1^.5", Clause((A,), weight=0.5)),
        ("( a1 OR b2 )", Clause((A, B))),
        ("(a1 OR b2)", Clause((A, B))),
        ("(a1 OR b2 )^3", Clause((A, B), weight=3)),
        ("+(a1 OR(b2 OR c3))", Clause((A, B, C), Occur.MUST)),
        ("(a1 OR a1 OR b2)", Clause((A, B))),
        ("((a1))", Clause((A,))),
        (
            'title:(a1 OR =B OR "c d")',
            Clause(
                (
                    Keyword(("a1",), field=Field.TITLE),
                    Keyword(("B",), Form.EXACT, Field.TITLE),
                    Keyword(("c", "d"), field=Field.TITLE),
                )
            ),
        ),
        ("(title:a1 OR f(x))", Clause((Keyword(("a1",), field=Field.TITLE), Keyword(("f(x)",))))),
    ],
)
def test_a_clause_has_a_sign_a_weight_and_alternatives(text: str, clause: Clause) -> None:
    assert parse_query(text).clauses == (clause,)


def test_what_is_left_out_is_no_keyword_that_scores() -> None:
    query = parse_query('trace -hardware -(a1 OR "b c")')
    assert query.keywords == (Keyword(("trace",)),)
    assert [clause.occur for clause in query.clauses] == [Occur.MAY, Occur.NEVER, Occur.NEVER]


@pytest.mark.parametrize(
    "text", ["trace trace", "trace^2 trace^0.5 trace^2", "+trace trace", "(a OR b) (b OR a)", "TRACE TRACE"]
)
def test_what_is_said_twice_counts_once_with_the_stronger_sign_and_weight(text: str) -> None:
    (clause,) = parse_query(text).clauses
    assert clause.occur is (Occur.MUST if "+" in text else Occur.MAY)
    assert clause.weight == (2 if "^" in text else 1)


WORDS = [
    "state-of-the-art", "C++", "f(x)", "GPT-4o", "R^2D2", "don't", "TCP/IP", "a=b", "x>=1", "O(n^2)", "and", "or",
    "not", "http://example.org/a?b=c", "a:b", "std::vector", "Note:", "C:", "1e-5", "ORACLE", "@home", "#1",
]  # fmt: skip


@pytest.mark.parametrize("text", WORDS)
def test_signs_inside_a_word_are_part_of_it(text: str) -> None:
    assert only(text) == Keyword((text,))
    assert str(parse_query(text)) == text


@pytest.mark.parametrize(
    "word",
    ["AND", "OR", "NOT", "+a", "-a", "=a", "(a", "a)", "f(", "a*", "*a", "a^2", "^a", "a^", "title:x", "auther:x"],
)
def test_quotes_take_every_meaning_from_a_sign_and_the_printer_keeps_them(word: str) -> None:
    assert only(f'"{word}"') == Keyword((word,))
    assert only(f'="{word}"') == Keyword((word,), Form.EXACT)
    for keyword in (Keyword((word,)), Keyword((word,), Form.EXACT, Field.TITLE)):
        other = Keyword(("b",))
        query = Query((Clause((other, keyword), Occur.MUST, 0.25), Clause((keyword,))))
        assert parse_query(str(query)) == query


REFUSED = [
    ("", 1, "empty", "trace"),
    ("   ", 1, "empty", "trace"),
    ('trace "open', 7, "never closed", '"software traceability"'),
    ('""', 1, "empty phrase", "words"),
    ('"…"', 1, "empty phrase", "words"),
    ("( a OR b", 1, "never closed", "( a OR b )"),
    ("a )", 3, "closes nothing", "( a OR b )"),
    ("( a b )", 5, "OR between", "+c ( a OR b )"),
    ("( a or b )", 5, "'or' is not OR", "( a OR b )"),
    ("(a | b)", 4, "not OR", "( a OR b )"),
    ("( )", 3, "missing", "( a OR b )"),
    ("( a OR )", 8, "missing", "( a OR b )"),
    ("( OR a )", 3, "missing", "( a OR b )"),
    ("( +a OR b )", 3, "'+' within a group", "+( a OR b )"),
    ("( a^2 OR b )", 4, "weight in a group", "( a OR b )^2"),
    ("( a OR AND )", 8, "AND is not an operator", "+word"),
    ("(" * 1000, 21, "20 deep", "( a OR b OR c )"),
    ("a AND b", 3, "AND is not an operator", "Did you mean +word"),
    ("a OR b", 3, "OR is not an operator", "( a OR b )"),
    ("NOT b", 1, "NOT is not an operator", "Did you mean -word"),
    ("a && b", 3, "no letter or digit", "Did you mean +word"),
    ("a || b", 3, "no letter or digit", "( a OR b )"),
    ("-a", 1, "nothing to look for", "trace -hardware"),
    ("a b -a", 5, "wanted and left out", "one of the two"),
    ("a + b", 3, "stands alone", "+word, without a space"),
    ("a - b", 3, "stands alone", "-word, without a space"),
    ("+-a", 2, "'-' follows '+'", "one sign"),
    ("auther:doe", 1, "no field auther:", "Did you mean author:?"),
    ("titel:x", 1, "no field titel:", "Did you mean title:?"),
    ("au:doe", 1, "no field au:", "Did you mean author:?"),
    ('journal:"x y"', 1, "no field journal:", "The fields are title:, abstract:, author:, cat:, source:"),
    ("a title: x", 8, "nothing follows title:", "without a space"),
    ("title:author:x", 7, "author: within title:", "title:word author:word"),
    ("title:-x", 7, "before the field", "-title:word"),
    ("title:( a OR author:b )", 14, "author: within title:", "title:word author:word"),
    ("=title:x", 1, "before title:", "title:=WORD"),
    ("= x", 1, "nothing follows =", "=WORD"),
    ("==x", 2, "follows =", '="=word"'),
    ("=(a OR b)", 1, "nothing follows =", "=WORD"),
    ("=trac*", 6, "exact word has no prefix", "trac*"),
    ("t*ce", 2, "at the end of a word", '"t*ce"'),
    ("C++*", 4, "follows a letter", '="C++*"'),
    ("b f(x*", 3, "other half", '"f(x*"'),
    ('"a b"*', 6, "a phrase has no prefix", "trac*"),
    ("a ***", 3, "no letter", "quote"),
    ("trace^0", 6, "from 0.01 to 100", "word^2"),
    ("trace^101", 6, "from 0.01 to 100", "word^2"),
    ("trace^-1", 6, "from 0.01 to 100", "word^2"),
    ("trace^inf", 6, "from 0.01 to 100", "word^2"),
    ("trace^nan", 6, "from 0.01 to 100", "word^2"),
    ("trace^1.2.3", 6, "from 0.01 to 100", "word^2"),
    ("trace^", 6, "from 0.01 to 100", "word^2"),
    ('"a b"^x', 6, "from 0.01 to 100", "word^2"),
    ('"a b"^٣', 6, "from 0.01 to 100", "word^2"),
    ("b -a^2", 5, "left out", "word^2"),
    ("^2", 1, "stands apart", "without a space"),
    ('a"b"', 2, "space is missing", "between"),
    ('"a"b', 4, "space is missing", "between"),
    ("x " * 1001, 1, "longer", "Split"),
    (" ".join(f"w{i}" for i in range(101)), 1, "more than 100", "Split"),
    ("(" + " OR ".join(f"w{i}" for i in range(101)) + ")", 1, "more than 100", "Split"),
]


@pytest.mark.parametrize(("text", "column", "says", "hint"), REFUSED)
def test_what_cannot_be_meant_is_refused_with_its_column_and_a_hint(
    text: str, column: int, says: str, hint: str
) -> None:
    with pytest.raises(QueryError) as caught:
        parse_query(text)
    assert says in caught.value.problem
    assert hint in (caught.value.hint or "")
    assert caught.value.column == column
    assert str(caught.value).splitlines()[2].index("^") == column + 1


def test_a_query_on_two_lines_is_shown_on_one_so_that_the_column_is_right() -> None:
    with pytest.raises(QueryError) as caught:
        parse_query("trace\nnew\tOR x")
    assert str(caught.value).splitlines()[1:3] == ["  trace new OR x", " " * 12 + "^"]
