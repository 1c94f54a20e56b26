r"""TeX to readable text: a table of what real titles and abstracts hold, and what they must never lose."""

from __future__ import annotations

import pytest

from paperdigest.latex import readable

TABLE = {
    # Plain text.
    "": "",
    "  wrapped\n  title ": "wrapped title",
    "0": "0",
    "50% of what we do costs #1 & more": "50% of what we do costs #1 & more",
    "bell\x07 nul\x00 tab\t line\u2028sep\u2029end\x85": "bell nul tab line sep end",
    # Escapes; a per cent sign never cuts.
    r"34.43\% to 65.61\%, then more": "34.43% to 65.61%, then more",
    r"R\&D with \#1 and a\_b, \{x\}": "R&D with #1 and a_b, {x}",
    r"20% of 30\% $x$% remain": "20% of 30% x% remain",
    # Dollars that are money, and dollars that are maths.
    "Can they Earn $1 Million from real work?": "Can they Earn $1 Million from real work?",
    "Chatting for 1$ a day": "Chatting for 1$ a day",
    r"\$OneMillion-Bench: \$2,000 and \$148K": "$OneMillion-Bench: $2,000 and $148K",
    "between $5 and $10, or US$20-$30": "between $5 and $10, or US$20-$30",
    "costs $5 and 10$ each": "costs $5 and 10$ each",
    "under $1,000 with $n$ samples": "under $1,000 with n samples",
    "$5M/$10M in $k$ rounds": "$5M/$10M in k rounds",
    "A preference modelling$ (PM) that costs $3": "A preference modelling$ (PM) that costs $3",
    "only $50$ tests": "only 50 tests",
    "a price$(low) and a quality that rises$ with it": "a price$(low) and a quality that rises$ with it",
    "pay in US $ or HK $ now": "pay in US $ or HK $ now",
    r"$x \text{ for every sample}$ and $y$": "x for every sample and y",
    r"$\sim$50 models, $\times$2, $>$90%, 3$\times$": "~50 models, ×2, >90%, 3×",
    "$": "$",
    "$$": "$$",
    "$$E=mc^2$$": "E=mc²",
    r"\( O(n^3) \) and \[ x^2 \]": "O(n³) and x²",
    "$ x $ and $ a = b $": "x and a = b",
    # Scripts.
    r"$\mathcal{O}(n^2)$": "O(n²)",
    r"$\tilde{O}(\varepsilon^{-22})$-query": "Õ(ε⁻²²)-query",
    "VLM$^2$-Bench": "VLM²-Bench",
    "VLM^2-Bench, GUI-G^2, M^*": "VLM²-Bench, GUI-G², M*",
    r"$\text{Transformer}^2$: (SL$^{2}$A-INR)": "Transformer²: (SL²A-INR)",
    r"$x_i^{\top} A^T A^{-1} p^{(t+1)} x_{t-1}$": "xᵢᵀ Aᵀ A⁻¹ p⁽ᵗ⁺¹⁾ xₜ₋₁",
    r"$d_{\text{model}} x_{i,j} N_E e_\theta$": "d_model x_(i,j) N_E e_θ",
    r"$d_{model}x$ $2^{supervised}$ $x_Nk$": "d_(model)x 2^supervised x_Nk",
    r"$f'$ and $f''(x)$, $90^\circ$": "f′ and f′′(x), 90°",
    "$1^{st}$ and $n^{th}$": "1ˢᵗ and nᵗʰ",
    r"H\textsubscript{2}O, 1\textsuperscript{st}": "H₂O, 1ˢᵗ",
    # Symbols and functions.
    r"$a \leq b$, $a\leq b$, $X \sim N(0, 1)$": "a ≤ b, a≤b, X ~ N(0, 1)",
    r"$O(n\log n)$, $\log_2 n$, $\sin\theta$, $\max_{x} f$": "O(n log n), log₂ n, sin θ, maxₓ f",
    r"$f\colon\mathbb R^n\to\mathbb R$, $\mathbb{E}[x]$": "f:ℝⁿ→ℝ, E[x]",
    r"$u,v\in V$, $\{1, \dots, n\}$, $\ell_1$-norm": "u,v∈V, {1, …, n}, ℓ₁-norm",
    r"$O\left(\frac{\sqrt{n}}{\varepsilon_2^2}\right)$": "O((√n)/ε₂²)",
    r"$\frac{1}{2}$, $\frac12$, $\frac{a+b}{c}$, $\sqrt2$": "1/2, 1/2, (a+b)/c, √2",
    r"$\binom{n}{k}$, $a \not= b$, $\overset{!}{=}$": "binom(n, k), a ≠ b, =^!",
    r"$\hat{x}$, $\hat\theta$, $\overline{AB}$, $\|x\|$": "x̂, θ̂, AB, ‖x‖",
    r"360{\deg} views, ({\Delta}G), $\deg f$": "360° views, (ΔG), deg f",
    r"LLM$\times$MapReduce, $\tau$-bench": "LLM×MapReduce, τ-bench",
    r"10\,000 steps, 1{,}879 items, $\gamma{=}4$": "10 000 steps, 1,879 items, γ=4",
    # Styles, with and without braces.
    r"through the lens of {\em dynamical stability} (Wu)": "through the lens of dynamical stability (Wu)",
    r"\textsc{Foo}: {\bf bold}, \emph{not} {\it vs.} \texttt{a_b}": "Foo: bold, not vs. a_b",
    r"$\textit{Trans-LoRA}$: towards": "Trans-LoRA: towards",
    r"\textbf{a \emph{b \textit{c}}} d": "a b c d",
    r"{\color{red}{a} warning} and \textcolor{blue}{b}": "a warning and b",
    # Names that nobody but the authors knows.
    r"we call it \our, and \our{} works": "we call it our, and our works",
    r"\method-Bench beats \sysName{X} by \ours": "method-Bench beats sysName X by ours",
    r"(\eg, this; \ie that), \etc. And \LaTeX, \etal": "(e.g., this; i.e. that), etc. And LaTeX, et al.",
    # Accents; apostrophes and quotes that were escaped by other programs.
    r"caf\'e, na\"{\i}ve, H\"older, Garc\'{\i}a, Garc\'\i a": "café, naïve, Hölder, García, García",
    r"\c{c}a, \v{S}, \~n, \^o, \H{o}, \k{a}, \AA, \o": "ça, Š, ñ, ô, ő, ą, Å, ø",
    r"Schr\"odinger, stra\ss e, \L{}ukasz, Erd\H os": "Schrödinger, straße, Łukasz, Erdős",
    r"don\'t, the model\'s and we\'re": "don't, the model's and we're",
    r"so called \"attention\" is": 'so called "attention" is',
    r"range of \~8B and \^ or \'": "range of ~8B and ^ or '",
    # Quotation marks.
    "``tracer'' and `single' and rock 'n' roll": "“tracer” and ‘single’ and rock 'n' roll",
    "'mostly or 'totally' do `don't'": "'mostly or 'totally' do ‘don't’",
    "```code``` and `x": "```code``` and `x",
    # Ties are spaces, tildes are not.
    "Fig.~3, Models~(LLMs), 0.8~ms, work~\\cite{a1}": "Fig. 3, Models (LLMs), 0.8 ms, work [a1]",
    "~50%, (~60%), 1M~4M tokens, 3~5x, x.org/~me": "~50%, (~60%), 1M~4M tokens, 3~5x, x.org/~me",
    # Addresses.
    r"\url{https://x.org/a_b~c%20} \href{https://y.org/a_b}{here}": "https://x.org/a_b~c%20 https://y.org/a_b (here)",
    "see https://x.org/a_b/{https://x.org/a_b/}.": "see https://x.org/a_b/{https://x.org/a_b/}.",
    # What already lost its dollars and backslashes stays or gets better.
    "2/eta and 1{N}cdot |{X}": "2/eta and 1{N}cdot |{X}",
    "R^{N times d}, Omega(T^{2/3}), varepsilon-best": "R^(N times d), Omega(T^(2/3)), varepsilon-best",
    "O(n^2), V_{0.5}, LaSOT_{ext}, (1^{+1.39}_{-0.59})": "O(n²), V_(0.5), LaSOT_ext, (1^(+1.39)_(-0.59))",
    "textbf{2AI}, {sim}11%, 360^circ, x_i, 10^(-10)": "textbf{2AI}, {sim}11%, 360^circ, x_i, 10^(-10)",
    "sets {-1, 0, 1}, UCGM-{T,S} and snake_case": "sets {-1, 0, 1}, UCGM-{T,S} and snake_case",
    # Damage.
    "\\": "",
    r"\frac": "/",
    "{": "{",
    "a } b { c": "a } b { c",
    r"$x^{$ and \textbf{open": "x and {open",
    "^_~": "^_~",
    "\ud800 $x^2$": "\ud800 x²",
}


@pytest.mark.parametrize(("source", "expected"), TABLE.items())
def test_tex_reads_as_a_reader_would_write_it(source: str, expected: str) -> None:
    assert readable(source) == expected


@pytest.mark.parametrize("expected", TABLE.values())
def test_what_is_readable_is_on_one_line(expected: str) -> None:
    assert "\n" not in expected
    assert expected == " ".join(expected.split())


@pytest.mark.parametrize(
    "unit",
    ["{", "}", "{}", "$", "$$", "\\", "\\{", "^{", "_{", "^", "$x$", "\\frac", "\\frac{", "\\sqrt{", "\\textbf{\\em ",
     "`", "''", "``a'' ", "`a' ", "\\(", "\\'", "\\c ", "\\unknown{", "$\\text{", "\\href{", "~a", "{\\em ", "$5 and ",
     "\\hat", "x^{2", "\\footnote", "&", "' "],
)  # fmt: skip
def test_ten_thousand_of_anything_are_read_without_a_word_of_complaint(unit: str) -> None:
    text = unit * 10_000
    assert "end" in readable(f"{text}. The end")
    assert "deep" in readable(f"{text}. deep{'}' * 10_000}")


def test_the_same_title_of_two_sources_becomes_the_same_text() -> None:
    assert readable("Free$^2$Guide: $\\tau$") == readable("Free^2Guide: τ")
