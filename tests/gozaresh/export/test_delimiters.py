"""LaTeX's own delimiters become dollars; escaped brackets, code and what stands in dollars already stay."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gozaresh.export.delimiters import in_dollars
from tests.conformance.chapters import Workshop

FORMULAS = {
    r"مقدار \(u+1\) و \( x \).": "مقدار $u+1$ و $x$.",
    r"\\(a_i\\) و \\[a = b\\]": "$a_i$ و $$a = b$$",
    "متن:\n\\[y = 2 + v\\]\nپس": "متن:\n$$y = 2 + v$$\nپس",
    "متن\n\n\\begin{align}\na &= b \\\\\nc &= d\n\\end{align}\n\nپس":
        "متن\n\n$$\\begin{align}\na &= b \\\\\nc &= d\n\\end{align}$$\n\nپس",
    r"بنا بر \eqref{eq-loss} و \ref{fig-a}": "بنا بر @eq-loss و @fig-a",
    r"\[\text{سود} = x\]": r"$$\text{سود} = x$$",
}
KEPT = [r"\[۱\] و \[منبع\]", r"\(در پرانتز\)", r"`\(x+1\)`", "```\n\\[a = b\\]\n```", r"$$\text{\(a+b\)}$$",
        r"\[x\] کار", r"$\left\[a\right\]$", r"\begin{itemize} \end{itemize}", r"\\", r"\[ ] باز"]


@pytest.mark.parametrize(("markdown", "dollars"), FORMULAS.items())
def test_formulas_are_put_between_dollars(markdown: str, dollars: str) -> None:
    assert in_dollars(markdown) == dollars


@pytest.mark.parametrize("markdown", KEPT)
def test_what_is_no_formula_stays(markdown: str) -> None:
    assert in_dollars(markdown) == markdown


@given(st.lists(st.sampled_from([*FORMULAS, *KEPT, "متن", "`a", "$5", "\\", "\n\n", "```\n", "$$"]), max_size=6).map(
    "\n".join))
def test_lines_stay_as_many_as_they_were(markdown: str) -> None:
    assert in_dollars(markdown).count("\n") == markdown.count("\n")


def test_every_delimiter_is_proved(tmp_path_factory: pytest.TempPathFactory) -> None:
    workshop = Workshop(tmp_path_factory.mktemp("delimiters"))
    for markdown in FORMULAS:
        assert workshop.outcome(markdown.replace("\\eqref{eq-loss} و \\ref{fig-a}", "")).lines == ()
