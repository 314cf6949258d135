"""LaTeX mathematics to Typst: what is known is set, what is not known is named."""

# ruff: noqa: E501  # a formula stands on one line
from __future__ import annotations

from pathlib import Path

import pytest
import typst
from hypothesis import given
from hypothesis import strategies as st

from gozaresh.errors import MathsError
from gozaresh.mathmacros import expand
from gozaresh.mathparse import KNOWN, parse
from gozaresh.maths import Formula, to_typst
from gozaresh.mathtypst import formula as typeset

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
    (r"\color{red} x", r"\\color is not known"),
    (r"\text{\foo}", "inside .*text is not known"),
    (r"\left x y \right)", "is no delimiter"),
])
def test_what_is_not_known_is_one_line(tex: str, message: str) -> None:
    with pytest.raises(MathsError, match=message) as caught:
        to_typst([Formula(tex, True)])
    assert "\n" not in str(caught.value)
    assert "in the formula" in str(caught.value)


@pytest.mark.parametrize(("tex", "typst_body"), MEANINGS.items())
def test_meaning_is_kept(tex: str, typst_body: str) -> None:
    assert to_typst([Formula(tex, False)])[Formula(tex, False)].body == f"${typst_body}$"


@pytest.mark.parametrize("name", sorted(KNOWN))
def test_every_known_command_is_set_by_typst_or_says_what_it_lacks(name: str) -> None:
    for tex in (rf"\{name}", rf"\{name}{{a}}", rf"\{name}{{a}}{{b}}", rf"\{name}{{1em}}", rf"\{name}(a\right)",
                rf"\left(\{name}|\right)", rf"\{name}{{matrix}}a\end{{matrix}}"):
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
