r"""One pass over the tokens of one text, converting as it goes.

Two modes, as in TeX: in maths, braces group and ``^ _`` are scripts; in text, both may be meant as they
stand (``{1, 2}``, ``snake_case``), so there only what surely is TeX is touched.
"""

from __future__ import annotations

import re
import unicodedata
from typing import NamedTuple

from paperdigest.latex import symbols
from paperdigest.latex.line import Line, bracketed, scripted
from paperdigest.latex.tokens import SINGLE_QUOTED, Tokens

__all__ = ["Reader"]

MAX_DEPTH = 24
_QUOTE_ESCAPE = re.compile(r'\\"(?![A-Za-z{\\])')
_APOSTROPHE_ENDING = re.compile(r"(?:s|t|d|m|re|ll|ve)(?![A-Za-z])")
_NUMBER_RANGE = re.compile(r"\d[A-Za-z%]{0,2}~\d")
_PLAIN_SCRIPT = re.compile(r"\d+(?!\w)|\d|\*")
_WORD = re.compile(r"[^\W\d_]{3,}")
_NOT_SLASH = "\u0338"


class _Scope(NamedTuple):
    """Where the part being read ends (a token's place), whether it is maths, and how deep it is nested."""

    end: int
    maths: bool
    depth: int


class Reader:
    """One text and a place in it that only moves forward, which is what makes the time linear."""

    __slots__ = ("_at", "_open_quotes", "_quote_ends", "_quotes_escaped", "_source", "_tokens")

    def __init__(self, text: str) -> None:
        self._source = Tokens(text)
        self._tokens = self._source.tokens
        self._quote_ends = {match.end() - 1 for match in SINGLE_QUOTED.finditer(text)}
        self._quotes_escaped = _QUOTE_ESCAPE.search(text) is not None
        self._open_quotes = 0
        self._at = 0

    def convert(self) -> str:
        """Return the whole text, converted; white space is not collapsed."""
        return self._read(_Scope(len(self._tokens), maths=False, depth=0))

    def _read(self, scope: _Scope) -> str:
        line = Line()
        while self._at < scope.end:
            here, token = self._at, self._tokens[self._at]
            self._at += 1
            first = token[:1]
            if not scope.maths and (close := self._source.maths.get(here, scope.end)) < scope.end:
                line.add(self._group(close, scope, maths=True).strip())
            elif first == "\\":
                self._macro(line, token[1:], scope)
            elif first in ("{", "}"):
                self._brace(line, token, here, scope)
            elif first in ("^", "_"):
                self._script(line, token, scope)
            elif first == "~":
                line.add(self._tie(line.last, here))
            elif first in ("`", "'"):
                line.add(self._quote(token, here, line.last, scope))
            else:
                line.add(token.replace("&", " ") if scope.maths else token)
        self._at = scope.end
        return str(line)

    # What comes next.

    def _next(self, end: int) -> str:
        return self._tokens[self._at] if self._at < end else ""

    def _take(self, count: int) -> str:
        """Step over the first characters of the next token and return them."""
        token = self._tokens[self._at]
        self._tokens[self._at] = token[count:]
        self._at += len(token) <= count
        return token[:count]

    def _skip_space(self, end: int) -> None:
        if self._next(end).startswith(" "):
            self._take(1)

    def _group_end(self, scope: _Scope) -> int | None:
        """Return where the group that starts here closes; None if none does, or too deep to follow."""
        close = self._source.braces.get(self._at, scope.end) if self._at < scope.end else scope.end
        return close if close < scope.end and scope.depth < MAX_DEPTH else None

    def _group(self, close: int, scope: _Scope, *, maths: bool) -> str:
        """Convert up to the closing token and step over it."""
        inner = self._read(_Scope(close, maths=maths, depth=scope.depth + 1))
        self._at = close + 1
        return inner

    def _argument(self, scope: _Scope, *, maths: bool | None = None, one: bool = False) -> str:
        """Convert a macro's argument: the group, the one character or the one macro that comes next.

        TeX takes one character from an unbraced word, too; unless ``one`` insists, a word stays whole.
        """
        maths = scope.maths if maths is None else maths
        self._skip_space(scope.end)
        if (close := self._group_end(scope)) is not None:
            self._at += 1
            return self._group(close, scope, maths=maths)
        following = self._next(scope.end)
        if following[:1] == "\\" and scope.depth < MAX_DEPTH:
            return self._read(_Scope(self._at + 1, maths=maths, depth=scope.depth + 1))
        if following[:1] in "\\{}$^_~`'":
            return ""
        word = None if one else _WORD.match(following)
        return self._take(word.end() if word else 1)

    def _raw_argument(self, scope: _Scope) -> str | None:
        """Return a group's text as it stands in the source, for addresses and keys."""
        if (close := self._group_end(scope)) is None:
            return None
        starts = self._source.starts
        raw = self._source.text[starts[self._at] + 1 : starts[close]]
        self._at = close + 1
        return raw.replace("\\", "")

    # Special characters.

    def _brace(self, line: Line, token: str, here: int, scope: _Scope) -> None:
        r"""Braces group in maths and around macros (``{\em x}``, ``{}``, ``{=}``); elsewhere they stay."""
        unread = scope.maths or scope.depth >= MAX_DEPTH
        self._at = here
        close = self._group_end(scope) if token == "{" else None  # noqa: S105 - a brace
        self._at = here + 1
        if close is None:
            line.add("" if unread else token)
            return
        content = self._next(close)
        macro = content[:1] == "\\" and content not in ("\\{", "\\")
        sign = close == here + 2 and len(content) == 1 and not content.isalnum()
        if scope.maths or macro or not content or sign:
            line.add(self._group(close, scope, maths=scope.maths))
        else:
            line.add(token)

    def _script(self, line: Line, sign: str, scope: _Scope) -> None:
        """``x^2`` and ``x_{ij}``; outside maths only after something, and only what cannot be a name."""
        if not scope.maths:
            attached = line.last.isalnum() or line.last in (")", "]", "}", "|")
            plain = _PLAIN_SCRIPT.match(self._next(scope.end)) if sign == "^" and attached else None
            if plain:
                line.attach(scripted(sign, self._take(plain.end()), glued=False))
                return
            if not attached or self._group_end(scope) is None:
                line.add(sign)
                return
        grouped = self._group_end(scope) is not None
        argument = self._argument(scope, one=True)
        line.attach(scripted(sign, argument, glued=grouped and self._next(scope.end)[:1].isalnum()))

    def _attach_script(self, line: Line, sign: str, argument: str, scope: _Scope) -> None:
        line.attach(scripted(sign, argument, glued=self._next(scope.end)[:1].isalnum()))

    def _tie(self, last: str, here: int) -> str:
        """``Fig.~3`` is a space; ``(~50%``, ``1M~4M`` and ``/~user`` are not."""
        following = self._next(len(self._tokens))[:1]
        start = self._source.starts[here]
        if following in ("", " ") or _NUMBER_RANGE.search(self._source.text, max(0, start - 3), start + 2):
            return "~"
        return " " if last.isalnum() or last in (".", ",", ")", ":", "]", "”") else "~"

    def _quote(self, token: str, here: int, last: str, scope: _Scope) -> str:
        if scope.maths:
            return token.replace("'", "′")
        opens = self._next(len(self._tokens))[:1] not in ("", " ") and not last.isalnum()
        start = self._source.starts[here]
        match token:
            case "``" if opens:
                self._open_quotes += 1
                return "“"
            case "''" if self._open_quotes:
                self._open_quotes -= 1
                return "”"
            case "`" if opens and SINGLE_QUOTED.match(self._source.text, start):
                return "‘"
            case "'" if start in self._quote_ends:
                return "’"
        return token

    # Macros.

    def _macro(self, line: Line, name: str, scope: _Scope) -> None:
        if name in symbols.ACCENTS and not (name == '"' and self._quotes_escaped):
            self._accent(line, name, scope)
        elif not (name.isascii() and name.isalpha()):
            line.add(symbols.CONTROL_SYMBOLS.get(name, name))
        elif name in symbols.SWITCHES:
            self._skip_space(scope.end)
            if name in symbols.DELIMITERS and self._next(scope.end).startswith("."):
                self._take(1)
        elif name in symbols.STYLES:
            line.add(self._argument(scope, maths=symbols.STYLES[name]))
        elif name in symbols.SPACES:
            line.add(symbols.SPACES[name])
        elif name in symbols.MATHS_ACCENTS:
            argument = self._argument(scope)
            mark = symbols.MATHS_ACCENTS[name] if len(argument) == 1 and argument.isalpha() else ""
            line.add(unicodedata.normalize("NFC", argument + mark))
        elif not (self._construct(line, name, scope) or self._raw_construct(line, name, scope)):
            self._symbol(line, name, scope)

    def _construct(self, line: Line, name: str, scope: _Scope) -> bool:
        """Macros with arguments of their own kind; False when ``name`` is none of them."""
        match name:
            case "frac" | "dfrac" | "tfrac" | "cfrac" | "nicefrac" | "sfrac":
                above = self._argument(scope)
                line.add(f"{bracketed(above)}/{bracketed(self._argument(scope))}")
            case "binom" | "dbinom" | "tbinom":
                above = self._argument(scope)
                line.add(f"binom({above}, {self._argument(scope)})")
            case "sqrt":
                line.add("√" + bracketed(self._argument(scope)))
            case "mathbb":
                argument = self._argument(scope)
                line.add(symbols.DOUBLE_STRUCK.get(argument, argument))
            case "overset" | "underset" | "stackrel":
                mark = self._argument(scope)
                line.add(self._argument(scope))
                self._attach_script(line, "_" if name == "underset" else "^", mark, scope)
            case "textsuperscript" | "textsubscript":
                self._attach_script(line, "^" if name == "textsuperscript" else "_", self._argument(scope), scope)
            case "footnote":
                line.add(f" ({self._argument(scope)})")
            case "pmod":
                line.add(f" (mod {self._argument(scope)})")
            case "not":
                line.add(unicodedata.normalize("NFC", self._argument(scope) + _NOT_SLASH))
            case _:
                return False
        return True

    def _raw_construct(self, line: Line, name: str, scope: _Scope) -> bool:
        """Macros whose first group is no prose: addresses and keys stay as they are, the rest is dropped."""
        kind = symbols.RAW.get(name)
        if kind is None or (raw := self._raw_argument(scope)) is None:
            return False
        match kind:
            case "address":
                line.add(raw)
            case "link":
                label = self._argument(scope)
                line.add(raw if label in ("", raw) else f"{raw} ({label})")
            case "key":
                line.add(f"[{raw}]")
            case "colour":
                line.add(self._argument(scope) if self._group_end(scope) is not None else "")
            case _:
                line.add(" ")
        return True

    def _symbol(self, line: Line, name: str, scope: _Scope) -> None:
        """A name that stands for a sign or a word, or one that nobody knows, which then is the word."""
        sign = "°" if name == "deg" and not scope.maths else symbols.symbols().get(name)
        if sign is None or symbols.is_word(sign):
            word = sign or name
            line.word(word[:-1] if word[-1] == "." == self._next(scope.end)[:1] else word)
            if sign is None and (close := self._group_end(scope)) is not None and close > self._at + 1:
                line.add(" " + self._argument(scope))
            return
        # TeX swallows the space after a name; a reader wants it wherever there was one before, too.
        inside_word = sign.isalpha() and line.last.isalpha()
        if inside_word or (scope.maths and line.last not in ("", " ")):
            self._skip_space(scope.end)
        line.add(sign)

    def _accent(self, line: Line, name: str, scope: _Scope) -> None:
        r"""``\'e``, ``\c{c}``: one composed letter, else the sign or name itself before what follows."""
        following = self._next(scope.end)
        grouped = self._group_end(scope) is not None
        if name.isalpha() and not grouped and not (following[:1] == " " and following[1:2].isalpha()):
            self._symbol(line, name, scope)
            return
        apostrophe = name == "'" and line.last.isalpha() and _APOSTROPHE_ENDING.match(following)
        letter = grouped or name.isalpha() or following[:1].isalpha() or following[:1] == "\\"
        if apostrophe or not letter:
            line.add(name)
            return
        base = self._argument(scope, one=True)
        if following[:1] == "\\":
            self._skip_space(scope.end)
        undotted = {"ı": "i", "ȷ": "j"}.get(base, base)
        composed = unicodedata.normalize("NFC", undotted + symbols.ACCENTS[name])
        line.add(composed if base and len(composed) == 1 else name + base)
