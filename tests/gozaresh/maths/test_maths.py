"""LaTeX mathematics to Typst: what is known is set, what is not known is named."""

# ruff: noqa: E501  # a formula stands on one line
from __future__ import annotations

import io
import json
import tomllib
from pathlib import Path

import pikepdf
import pypdfium2
import pytest
import typst
from hypothesis import given
from hypothesis import strategies as st
from nbformat.v4 import new_markdown_cell, new_notebook

import gozaresh
from gozaresh.common.errors import MathsError, TypesetError
from gozaresh.export.exporter import TypstExporter
from gozaresh.export.reading import read_chapter
from gozaresh.export.resolve import Conventions
from gozaresh.export.typst_writer import to_typst as chapter
from gozaresh.maths.macros import expand
from gozaresh.maths.parser import KNOWN, parse
from gozaresh.maths.translate import Formula, to_typst
from gozaresh.maths.typst import formula as typeset

CONSTRUCTS = r"""
\log p_\theta(x) \ge \mathbb{E}_{q_\phi(z \mid x)}\bigl[ \log p_\theta(x, z) - \log q_\phi(z \mid x) \bigr]
D_{\mathrm{KL}}\!\left( q_\phi(z \mid x) \,\middle\|\, p(z) \right) = \sum_{i=1}^{N} \int q \log\frac{q}{p}\, dz
\underbrace{\mathbb{E}[\log p(x\mid z)]}_{\text{بازسازی}} - \overbrace{\beta D}^{\text{KL}}
\hat\theta = \operatorname*{arg\,min}_{\theta \in \Theta} \mathcal{L}(\theta), \quad \operatorname{diag}(\sigma^2)
X \perp\!\!\!\perp Y \mid Z, \quad X \not\perp\!\!\!\perp Y, \quad X \perp Y
f(x) = \begin{cases} x^2 & \text{اگر } x > 0 \\ 0 & \text{در غیر این صورت} \end{cases}
\begin{bmatrix} \sigma_1^2 & \cdots & 0 \\ \vdots & \ddots & \vdots \\ 0 & \cdots & \sigma_d^2 \end{bmatrix}
\begin{vmatrix} a & b \\ c & d \end{vmatrix} + \begin{Vmatrix} a & b \\ c & d \end{Vmatrix}
\begin{pmatrix} 1 & 2 \\ 3 & 4 \end{pmatrix} \begin{matrix} a & b \end{matrix}
\begin{array}{c|c} a & b \\ c & d \end{array}
\mathbf{z} = \boldsymbol{\mu} + \boldsymbol{\sigma} \odot \boldsymbol{\epsilon}, \quad \epsilon \sim \mathcal{N}(\mathbf{0}, \mathbf{I})
\left\| x_i - \hat{x}_i \right\|_2^2 + \|x\|_1 + D(q \| p)
\sqrt{2\pi} + \sqrt[3]{x} + \frac12 + \tfrac{1}{2} + \dfrac{a}{b} + \binom{n}{k}
x' + x''_i + f'(x)^2 + {}_a^b
\lim_{n \to \infty} \sup_{x} \max_i \min_j \inf \Pr(A)
\sum\nolimits_{i} a_i + \int\limits_0^1 f
a \ne b \neq c \not= d \notin E \subseteq F \cup G \cap H \setminus I \emptyset
\forall x \exists y : x \le y \Rightarrow y \geq x \iff x \to \infty
\Bigl( \bigl[ \biggl\{ \Biggl| x \Biggr| \biggr\} \bigr] \Bigr)
\lvert x \rvert + \lVert x \rVert + \langle x, y \rangle + \lfloor x \rfloor + \lceil y \rceil
\overline{x} + \bar{x} + \tilde{x} + \vec{x} + \dot{x} + \ddot{x} + \widehat{xy} + \underline{x}
\xrightarrow{d} + \xrightarrow[n]{p} + \stackrel{d}{=} + \overset{!}{=} + \underset{x}{y}
\sum_{\substack{i < j \\ j < k}} a_{ij}
\boxed{x = y} \quad \blacksquare
\mathrm{KL}, \mathsf{T}, \mathtt{x}, \mathit{door}, \mathfrak{g}, \mathscr{L}
\text{متن با $x^2$ میان آن}, \textbf{مهم}, \text{50\%}
۱۲٫۵ + 12.5 + ۳
a \equiv b \pmod{n}, \quad a \bmod b
\left. \frac{\partial F}{\partial \varepsilon} \right|_{\varepsilon = 0} = \nabla_\theta
\Gamma \Delta \Theta \Lambda \alpha \beta \gamma \varepsilon \phi \varphi \ell \hbar
a, b; c: d / e ! f * g < h > i
x_{i_j}^{k^l} \quad x^\top \quad x^* \quad x_\mathrm{KL}
\displaystyle \frac{a}{b} \quad \textstyle \sum_i
\{ x \mid x > 0 \} \quad \left\{ x \right\} \quad [0, 1) \quad (0, 1]
\prod_{j} q(z_j) \bigotimes_{i} \bigcup_{k} \coprod \oint \iint
\cancel{x} + \phantom{x} + x\ y~z\,w\;v\:u\quad t
""".strip().splitlines()
ALIGNED = [
    r"\begin{aligned} a &= b \\ &\le c \end{aligned}",
    r"\begin{align} a &= b + c \\[2pt] &\ge d \label{eq-x} \end{align}",
    r"L = \left\{ \begin{aligned} a &= b \\ c &= d \end{aligned} \right.",
    r"\begin{gathered} a \\ b \end{gathered}",
]


GOLDEN = tomllib.loads((Path(__file__).parents[2] / "fixtures" / "maths_golden.toml").read_text(encoding="utf-8"))["construct"]
THEME = Path(gozaresh.__file__).parent / "theme"
NUMBERED = r"""
$$\begin{align}
a &= b \label{eq-a}\\
&\ge c \tag{$*$} \label{eq-b}\\
\intertext{و چون $x > 0$ است،}
a + b + c &= d && \text{پایان} \label{eq-c}
\end{align}$$

@eq-a، @eq-b، @eq-c
"""


# what LaTeX means by each, in Typst's words
MEANINGS = {
    r"\mathrm{KL}(q)": r'upright("KL")\(q\)',  # a word, and no gap before its bracket
    r"\tfrac12": "inline(frac(1, 2))",
    r"x^12": "x^(1)2",
    r"f'(x)": r"f'\(x\)",
    r"f^{\prime}": "f'",
    r"X \perp_P Y": "X scripts(⟂)_(P)Y",
    r"\not\!\perp\!\!\!\perp": 'scripts(class("relation", cancel(⫫)))',
    r"a \not\in B": "a scripts(∉)B",
    r"\left. x \right|_0": r'lr(""x\|)_(0)',
    r"\operatorname*{\mathbb{E}}_x": "op(bb(E), limits: #true)_(x)",
    r"\operatorname*{arg\,min}_x": 'op("arg\u2009min", limits: #true)_(x)',
    r"\text{اگر } x": '"اگر"#h(0.25em)x',
    r"\text{s.t.}": '#text(dir: ltr, "s.t.")',
    r"\text{اگر $x$ باشد}": '"باشد"#h(0.25em)x#h(0.25em)"اگر"',  # from the right
    r"۰٫۵ + ۵۰٪": '"۰٫۵"+"۵۰٪"',
    r"1{,}000": r'1 class("normal", \,)000',
    r"{ab}^2": 'class("normal", a b)^(2)',
    r"a \dots b + \dots + c": "a…b+⋯+c",
    r"\begin{align} a &= b && c \\ d \end{align}": "a&\\=b&#h(1em)&c \\\nd",
    "a\n\n= b % left out\n": r"a\=b",
}


def compiled(tmp_path: Path, bodies: list[str]) -> list[str]:
    path = tmp_path / "page.typ"
    path.write_text("\n\n".join(bodies), encoding="utf-8")
    _, warnings = typst.compile_with_warnings(path, ignore_system_fonts=True)
    return [warning.message for warning in warnings if "font" not in warning.message]


@pytest.mark.parametrize("tex", [*CONSTRUCTS, *ALIGNED])
def test_typst_takes_what_comes_out(tex: str, tmp_path: Path) -> None:
    formulas = [Formula(tex, display) for display in (True, False) if display or "begin{a" not in tex]
    assert compiled(tmp_path, [done.body for done in to_typst(formulas).values()]) == []


@pytest.mark.parametrize("tex", [*CONSTRUCTS, *ALIGNED])
def test_no_latex_is_left(tex: str) -> None:
    body = to_typst([Formula(tex, True)])[Formula(tex, True)].body
    assert "\\begin" not in body
    assert "\\text" not in body
    assert "\\frac" not in body


@pytest.mark.parametrize(("tex", "message"), [
    (r"\sqroot{x}", r"the command \\sqroot is not known; nearest: \\sqrt"),
    (r"\begin{tikzcd} a \end{tikzcd}", "the environment 'tikzcd' is not known"),
    (r"\frac{a", "it ends too early|stands where"),
    (r"a } b", "stands alone"),
    (r"a & b", "stands outside an alignment"),
    (r"\left( x", "it ends too early|needed"),
    (r"x^a^b", r"two '\^' on one base"),
    (r"\color{rde} x", "no colour 'rde' is known"),
    (r"\genfrac{(}{)}{thin}{0}{a}{b}", "takes a thickness"),
    (r"\let\a\nought \a", "nought is not known"),
    (r"\text{\foo}", "inside .*text is not known"),
    (r"\left x y \right)", "is no delimiter"),
    (r"\begin{align} a \label{eq-a} \tag{1} \tag{2} \\ b \end{align}", "two of 1, 2; a formula, or a line"),
    (r"x + \begin{align} a \label{eq-a} \\ \label{eq-b} b \end{align}", "two of eq-a, eq-b"),
    (r"\begin{align} a \label{eq-a} \\ b \end{align} + c", "need the align to be the whole formula"),
    (r"\begin{align} a \label{eq-a} \\ b \end{align} \label{eq-c}", "without a label or tag of its own"),
    (r"\begin{aligned} a \\ \intertext{b} c \end{aligned}", "stands at the head of a line of an align"),
    (r"\frac{a \tag{1}}{b}", "stands inside a part"),
    (r"\begin{array}{cxc} a & b \end{array}", "columns cxc are not understood"),
    (r"\begin{array}{c} a & b \end{array}", "more cells than its columns"),
    (r"\sum_{\substack{a & b}} c", "stands outside an alignment"),
    (r"\begin{equation} x \end{equation} y", "is not closed at the formula's end"),
])
def test_what_is_not_known_is_one_line(tex: str, message: str) -> None:
    with pytest.raises(MathsError, match=message) as caught:
        to_typst([Formula(tex, True)])
    assert "\n" not in str(caught.value)
    assert "in the formula" in str(caught.value)


@pytest.mark.parametrize(("tex", "typst_body"), MEANINGS.items())
def test_meaning_is_kept(tex: str, typst_body: str) -> None:
    assert to_typst([Formula(tex, False)])[Formula(tex, False)].body == f"${typst_body}$"


def uses(name: str) -> list[str]:
    """Formulas one of which uses a command as its syntax wants it."""
    after = ["", "{a}", "{a}{b}", "{1em}", "{1em}{1em}", "{1em}{a}", "{a}{b}{c}{d}", "{red}{a}", "{red}{red}{a}", "{red}",
             "{(}{)}{}{0}{a}{b}", "{x61}", "|a|", r"{5}{\metre}", r"{\metre}", r"(a\right)", r"{matrix}a\end{matrix}"]
    return [rf"\left(\{name}|\right)", *(rf"\{name}{rest}" for rest in after)]


@pytest.mark.parametrize("name", sorted(KNOWN))
def test_every_known_command_is_set_by_typst_or_says_what_it_lacks(name: str) -> None:
    for tex in uses(name):
        try:
            body = typeset(parse(tex).body)
        except MathsError:
            continue
        typst.compile(f"#set page(width: auto)\n$ {body} $".encode(), ignore_system_fonts=True)
        return
    raise AssertionError(f"{name} cannot be used at all")


def test_own_commands_are_replaced() -> None:
    macros = r"\newcommand{\E}[2]{\mathbb{E}_{#1}[#2]}\def\x{\mathbf x}\DeclareMathOperator*{\am}{arg\,min}"
    assert expand(macros + r"\am_a \E{q}{\x y}") == r"\operatorname*{arg\,min}_a \mathbb{E}_{q}[\mathbf xy]"
    formula = Formula(macros + r"\x = 1", True)
    assert to_typst([formula])[formula].alt == "ایکس پررنگ برابر است با ۱"
    with pytest.raises(MathsError, match="calls itself"):
        expand(r"\newcommand{\a}{\a} \a")


def test_label_tag_and_alternative_text_are_kept() -> None:
    formula = Formula("x = y\n \\tag{الف} \\label{eq-a}", True)
    done = to_typst([formula])[formula]
    assert (done.number, done.label) == ('[#"("#"الف"#")"]', "eq-a")
    assert done.alt == "ایکس برابر است با وای؛ برچسب الف"


@given(st.lists(st.sampled_from([*"abxyz012+-=,;:.()[]|/!<>'", r"\alpha ", r"\{", r"\}", "{a}", "^2", " "]),
                max_size=12).map("".join))
def test_no_shorthand_of_typst_arises_by_chance(tex: str) -> None:
    try:
        body = to_typst([Formula(tex, False)])[Formula(tex, False)].body
    except MathsError:
        return
    for shorthand in ("->", "=>", "<=", ">=", "!=", ":=", "...", "//", "/*", "::"):
        assert shorthand not in body


def page(markup: str, tmp_path: Path) -> bytes:
    """A page in the report's look, as PDF/UA-1, without a warning."""
    for part in (*THEME.glob("*.typ"), *THEME.glob("*.csl")):
        (tmp_path / part.name).write_bytes(part.read_bytes())
    path = tmp_path / "page.typ"
    path.write_text('#import "theme.typ": *\n#set document(title: "x")\n#show: styled\n' + markup, encoding="utf-8")
    pdf, warnings = typst.compile_with_warnings(
        path, font_paths=[THEME / "fonts"], ignore_system_fonts=True, pdf_standards=["ua-1", "a-2a"])
    assert not warnings
    return bytes(pdf)


def test_the_golden_page_is_as_it_was_when_it_was_looked_at() -> None:
    assert len(GOLDEN) >= 120
    for construct in GOLDEN:
        formula = Formula(construct["latex"], True)
        assert to_typst([formula])[formula].body == f"$ {construct['typst']} $"


def test_the_golden_page_is_set_without_a_warning(tmp_path: Path) -> None:
    page(chapter("\n\n".join(f"$${construct['latex']}$$" for construct in GOLDEN)), tmp_path)


def test_lines_of_an_align_have_numbers_of_their_own(tmp_path: Path) -> None:
    markup = chapter(NUMBERED)
    pdf = page(markup, tmp_path)
    text = pypdfium2.PdfDocument(pdf)[0].get_textpage().get_text_bounded()
    assert "چون" in text
    assert [text.count(number) for number in "۱∗۲۳"] == [2, 2, 2, 0]  # beside its line and in a reference; a tag counts not


def test_each_numbered_line_is_tagged_with_its_own_reading(tmp_path: Path) -> None:
    with pikepdf.open(io.BytesIO(page(chapter(NUMBERED), tmp_path))) as pdf:
        readings = [str(item.Alt) for item in pdf.objects
                    if isinstance(item, pikepdf.Dictionary) and item.get("/S") == "/Formula" and "/Alt" in item]
    for reading in ("آ برابر است با بی", "بزرگ‌تر یا برابر است با سی؛ برچسب ستاره", "ایکس بزرگ‌تر است از ۰"):
        assert reading in readings


def test_cells_of_numbered_lines_stand_under_each_other(tmp_path: Path) -> None:
    pdf = pypdfium2.PdfDocument(page(chapter(
        r"$$\begin{align} a + b + c &= 1 \label{eq-a} \\ d &= 2 + 3 + 4 \label{eq-b} \end{align}$$"), tmp_path))
    found = pdf[0].get_textpage()
    left = [found.get_charbox(at)[0] for at in range(found.count_chars()) if found.get_text_range(at, 1) == "="]
    assert len(left) == 2
    assert left[0] == pytest.approx(left[1], abs=0.01)


def test_lines_and_the_whole_cannot_both_have_a_label() -> None:
    with pytest.raises(TypesetError, match="eq-w: the lines of this align have their own numbers"):
        chapter(r"$$\begin{align} a \label{eq-a} \\ b \end{align}$$ {#eq-w}")


def test_one_label_round_an_align_gives_one_number() -> None:
    assert chapter(r"$$\begin{align} a &= b \\ &= c \end{align}$$ {#eq-w}").count("eq-num") == 1
    assert chapter(r"$$\begin{aligned} a &= b \\ &= c \label{eq-w} \end{aligned}$$").count("<eq-w>") == 1


def test_a_formula_that_cannot_be_set_is_named_with_its_line() -> None:
    notebook = new_notebook(cells=[new_markdown_cell(
        "متن\n\nدوم $x$\n$$\n\\foo\n$$", metadata={"gozaresh": {"file": "notebooks/a.py", "line": 7}})])
    exporter = TypstExporter()
    exporter.reading = read_chapter(notebook, Conventions(strict=True))
    with pytest.raises(TypesetError, match=r"^notebooks/a.py:10: in the formula .*foo is not known"):
        exporter.from_notebook_node(notebook)


def test_a_formula_that_cannot_be_set_is_set_as_its_source_with_advice_at_its_line() -> None:
    cell = new_markdown_cell("متن $x$\n\n$$\n\\foo{1}\n$$", metadata={"gozaresh": {"file": "a.md", "line": 7}})
    reading = read_chapter(new_notebook(cells=[cell]), Conventions(strict=False, bare=True))
    assert [str(found.place) for found in reading.findings] == ["a.md:10"]
    assert "\\foo{1}" in json.dumps([part.blocks for part in reading.parts]).replace("\\\\", "\\")
