"""What TeX's names stand for: pylatexenc's tables where they have it, corrected and completed by ours."""

from __future__ import annotations

from functools import cache


def _names(text: str) -> frozenset[str]:
    return frozenset(text.split())


UP = dict(
    zip(
        "0123456789+-=()abcdefghijklmnoprstuvwxyzABDEGHIJKLMNOPRTUVW",
        "⁰¹²³⁴⁵⁶⁷⁸⁹⁺⁻⁼⁽⁾ᵃᵇᶜᵈᵉᶠᵍʰⁱʲᵏˡᵐⁿᵒᵖʳˢᵗᵘᵛʷˣʸᶻᴬᴮᴰᴱᴳᴴᴵᴶᴷᴸᴹᴺᴼᴾᴿᵀᵁⱽᵂ",
        strict=True,
    )
)
DOWN = dict(zip("0123456789+-=()aehijklmnoprstuvxβγρφχ", "₀₁₂₃₄₅₆₇₈₉₊₋₌₍₎ₐₑₕᵢⱼₖₗₘₙₒₚᵣₛₜᵤᵥₓᵦᵧᵨᵩᵪ", strict=True))
RAISED_AS_IT_IS = {"*": "*", "∗": "*", "∘": "°", "°": "°", "⊤": "ᵀ", "†": "†", "‡": "‡"}
DOUBLE_STRUCK = dict(zip("CHNPQRZ", "ℂℍℕℙℚℝℤ", strict=True))

# Combining characters by the name of the accent, in text and in maths.
ACCENTS = dict(
    zip(
        "'`^\"~=.cvuHkrdb",
        "\u0301\u0300\u0302\u0308\u0303\u0304\u0307\u0327\u030c\u0306\u030b\u0328\u030a\u0323\u0331",
        strict=True,
    )
)
MATHS_ACCENTS = {
    "acute": "\u0301",
    "bar": "\u0304",
    "breve": "\u0306",
    "check": "\u030c",
    "ddot": "\u0308",
    "dot": "\u0307",
    "grave": "\u0300",
    "hat": "\u0302",
    "mathring": "\u030a",
    "tilde": "\u0303",
    "vec": "\u20d7",
    "widehat": "\u0302",
    "widetilde": "\u0303",
}
CONTROL_SYMBOLS = {**dict.fromkeys("\\ ,;:>", " "), **dict.fromkeys("-/@!", ""), "|": "‖"}

# Macros that only change the look of their argument: True and False say that it is maths or text,
# None that it is what surrounds it.
STYLES: dict[str, bool | None] = {
    **dict.fromkeys(
        _names(
            "mathrm mathbf mathit mathsf mathtt mathcal mathscr mathfrak mathnormal boldsymbol bm pmb bold overline "
            "overbrace underbrace overrightarrow overleftarrow boxed operatorname protect uppercase lowercase uline"
        ),
        None,
    ),
    **dict.fromkeys(
        _names(
            "text textbf textit textsc textrm textsl textsf texttt textup textmd textnormal emph underline mbox hbox"
        ),
        False,
    ),
    "ensuremath": True,
}
DELIMITERS = _names("left right middle")
SWITCHES = DELIMITERS | _names(
    "em it bf sc sf tt rm sl bfseries itshape scshape ttfamily tiny scriptsize footnotesize small normalsize large "
    "Large LARGE huge Huge displaystyle textstyle scriptstyle limits nolimits noindent centering "
    "big Big bigg Bigg bigl bigr Bigl Bigr biggl biggr Biggl Biggr"
)
SPACES = {
    **dict.fromkeys(_names("xspace allowbreak nobreak relax null ignorespaces"), ""),
    **dict.fromkeys(_names("quad qquad newline linebreak par item smallskip bigskip enspace thinspace space"), " "),
}
# Macros whose first group is no prose, by what it is.
RAW = {
    **dict.fromkeys(_names("url nolinkurl path"), "address"),
    **dict.fromkeys(_names("cite citep citet citeauthor ref eqref cref Cref autoref label"), "key"),
    **dict.fromkeys(_names("color textcolor"), "colour"),
    **dict.fromkeys(_names("begin end hspace vspace"), "dropped"),
    "href": "link",
}
_OPERATORS = _names("arg argmax argmin det deg dim gcd hom ker mod Pr LaTeX TeX")
_OURS = {
    "ast": "*",
    "bmod": "mod",
    "colon": ":",
    "dag": "†",
    "degree": "°",
    "epsilon": "ε",
    "eg": "e.g.",
    "etal": "et al.",
    "etc": "etc.",
    "eth": "ð",
    "ie": "i.e.",
    "iff": "⟺",
    "implies": "⟹",
    "land": "∧",
    "lnot": "¬",
    "lor": "∨",
    "ne": "≠",
    "neg": "¬",
    "phi": "φ",
    "prime": "′",
    "sim": "~",
    "textasciicircum": "^",
    "textasciitilde": "~",
    "textbackslash": "\\",
    "textdegree": "°",
    "textregistered": "®",
    "texttrademark": "™",
    "top": "⊤",
}


@cache
def symbols() -> dict[str, str]:
    """Return macro name to text: pylatexenc's plain replacements, corrected by our own."""
    from pylatexenc.latex2text import get_default_latex_context_db  # noqa: PLC0415 - only who meets TeX pays for it

    database = get_default_latex_context_db()
    found: dict[str, str] = {}
    for category in ("advanced-symbols", "latex-base"):
        for name, spec in database.d[category]["macros"].items():
            text = spec.simplify_repl
            if isinstance(text, str) and text.strip() and "%" not in text and name != "today":
                found[name] = text
    return {**found, **{name: name for name in _OPERATORS}, **_OURS}


def is_word(text: str) -> bool:
    """Say whether a replacement is letters for words (``log``, ``e.g.``) rather than a sign."""
    return text.isascii() and text[0].isalpha()
