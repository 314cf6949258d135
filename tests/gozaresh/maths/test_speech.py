"""What is read aloud: every formula has a reading of Persian words, and different formulas have different readings."""

# ruff: noqa: E501  # a formula stands on one line
from __future__ import annotations

import re
from pathlib import Path

import jupytext
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gozaresh.common.errors import MathsError
from gozaresh.maths import persian_names as mathwords
from gozaresh.maths.parser import KNOWN, parse
from gozaresh.maths.speech import spoken
from gozaresh.maths.symbols import TEXT_FONTS
from gozaresh.maths.translate import Formula, to_typst
from gozaresh.maths.typst import formula as typeset
from tests.gozaresh.maths.test_maths import uses

CHAPTERS = sorted((Path(__file__).parents[3] / "notebooks").glob("*.py"))
TAKES_TEXT = {"verb", "colorbox", "fcolorbox", "fbox", "raisebox"}
MATHS = re.compile(r"\$\$(.+?)\$\$|(?<![\\$\w`])\$([^$\n`]{1,200}?)\$", re.S)

READINGS = {
    r"\log p_\theta(x)": "لگاریتم پی با زیرنویس تتا از ایکس",
    r"p(x \mid z)\,p(z)": "پی از ایکس به شرط زد، پی از زد",
    r"q_\phi(z | x, y)": "کیو با زیرنویس فی از زد به شرط ایکس و وای",
    r"\tfrac12 + \frac{a}{b}": "یک دوم به‌اضافهٔ کسر آ بر بی",
    r"\frac{a+1}{b}": "کسر صورت آ به‌اضافهٔ ۱ مخرج بی پایان کسر",
    r"x^2 - y_i^{-1}": "ایکس به توان ۲ منهای وای با زیرنویس آی به توان منفی ۱",
    r"e^{-x^2}": "ای به توان عبارت منفی ایکس به توان ۲ پایان توان",
    r"\sqrt{2\pi} = \sqrt[3]{x}": "رادیکال عبارت ۲ پی یونانی پایان رادیکال برابر است با رادیکال با فرجهٔ ۳ از ایکس",
    r"\sum_{j=1}^{d} z_j": "جمع روی ژی از ۱ تا دی از زد با زیرنویس ژی",
    r"\prod_j q(z_j)": "حاصل‌ضرب روی ژی از کیو از زد با زیرنویس ژی",
    r"\int_0^\infty f(x)\,dx": "انتگرال از ۰ تا بی‌نهایت از اف از ایکس دی ایکس",
    r"\lim_{n \to \infty} a_n": "حد وقتی عبارت ان میل می‌کند به بی‌نهایت پایان کران از آ با زیرنویس ان",
    r"\mathbb{E}_{q}[f]": "امید ریاضی زیر کیو از اف",
    r"\mathbb{E}_{q}\bigl[\log p\bigr]": "امید ریاضی زیر کیو از کروشه باز لگاریتم پی کروشه بسته",
    r"D_{\mathrm{KL}}(q\Vert p)": "واگرایی کولبک–لایبلر کیو از پی",
    r"D_{\mathrm{KL}}\!\left(q \,\middle\|\, p\right) \ge 0": "واگرایی کولبک–لایبلر کیو از پی بزرگ‌تر یا برابر است با ۰",
    r"\lVert x \rVert_2^2 \le |x-y|": "نرم ایکس با زیرنویس ۲ به توان ۲ کوچک‌تر یا برابر است با قدر مطلق عبارت ایکس منهای وای پایان قدر مطلق",
    r"\bar q(z) \propto \hat{\theta}": "کیو بار از زد متناسب است با تتا کلاه",
    r"X \perp Y \mid Z, \quad X \perp Y": "ایکس بزرگ مستقل از وای بزرگ به شرط زد بزرگ ویرگول ایکس بزرگ عمود بر وای بزرگ",
    r"\{x \mid x > 0\}": "آکولاد باز ایکس به طوری که ایکس بزرگ‌تر است از ۰ آکولاد بسته",
    r"\begin{pmatrix} 1 & 0 \\ a & b \end{pmatrix}": "ماتریس ۲ در ۲؛ سطر ۱: ۱، ۰؛ سطر ۲: آ، بی؛ پایان ماتریس",
    r"\begin{cases} 1 & \text{اگر } x > 0 \\ 0 \end{cases}": "حالت‌ها: حالت ۱: ۱، اگر ایکس بزرگ‌تر است از ۰؛ حالت ۲: ۰؛ پایان حالت‌ها",
    r"\begin{aligned} a &= b \\ &\quad + c. \end{aligned}": "سطر ۱: آ برابر است با بی؛ سطر ۲: به‌اضافهٔ سی",
    r"\mathbf{z}^\top \boldsymbol{\mu}": "زد پررنگ ترانهاده مو پررنگ",
    r"\underbrace{a+b}_{\text{خطا}}": "عبارت آ به‌اضافهٔ بی پایان عبارت با آکولاد زیر با نام خطا",
    r"\left. f \right|_{x=0}": "مقدار اف به‌ازای عبارت ایکس برابر است با ۰ پایان مقدار",
    r"z^{(i)} = q^\star": "زد با بالانویس آی در پرانتز برابر است با کیو ستاره",
    r"a \notin B, \quad c \not\equiv d": "آ عضو نیست در بی بزرگ ویرگول سی هم‌ارز نیست با دی",
    r"12.5\% \to ۰٫۵": "۱۲٫۵ درصد میل می‌کند به ۰٫۵",
    r"x \tag{۲}": "ایکس؛ برچسب ۲",
    r"\binom{n}{k} + f'(x)": "انتخاب کا از ان به‌اضافهٔ اف پریم از ایکس",
    r"\stackrel{d}{=}": "برابر است با، با نوشتهٔ دی در بالا",
}


def reading(tex: str) -> str:
    formula = Formula(tex, True)
    return to_typst([formula])[formula].alt


@pytest.mark.parametrize(("tex", "words"), READINGS.items())
def test_is_read_as_a_teacher_would(tex: str, words: str) -> None:
    assert reading(tex) == words


@pytest.mark.parametrize("chapter", CHAPTERS, ids=lambda path: path.stem)
def test_the_reports_formulas_are_read_in_persian(chapter: Path) -> None:
    cells = jupytext.read(chapter, fmt="py:percent").cells
    prose = "\n\n".join(cell.source for cell in cells if cell.cell_type == "markdown")
    for found in MATHS.finditer(prose):
        tex = found[1] or found[2]
        words = reading(tex)
        assert words
        assert not re.search(r"[\\$_^{}&0-9]", words), (tex, words)
        texts = re.findall(r"\\text\w*\{([^}]*)\}", tex)
        for latin in re.findall(r"[A-Za-z]+", words):
            assert len(latin) > 1 or any(latin in text for text in texts), (tex, words)


@pytest.mark.parametrize("name", sorted(KNOWN))
def test_what_can_be_set_can_be_read(name: str) -> None:
    for tex in uses(name):
        try:
            body = parse(tex).body
            typeset(body)
        except MathsError:
            continue
        assert name in {*TEXT_FONTS, *TAKES_TEXT} or not re.search(r"[A-Za-z\\]", spoken(body))
        return
    raise AssertionError(name)


def test_no_two_signs_share_a_name() -> None:
    tables = (mathwords.LATIN, mathwords.CAPITALS, mathwords.GREEK, mathwords.ITALIC_CAPITALS, mathwords.THINGS,
              mathwords.BETWEEN, mathwords.LARGE)
    names = [name for table in tables for sign, name in table.items() if sign not in "⋯⋆"]
    assert len(names) == len(set(names))


def test_a_sign_without_a_name_is_said() -> None:
    with pytest.raises(MathsError, match="has no Persian name"):
        reading("x ⌘ y".replace("⌘", "⌬"))


# A random formula: an atom, or one of TeX's constructs round smaller formulas.
ATOMS = st.sampled_from(["x", "y", "p", "2", r"\theta ", r"\hat{x}", r"\mathbf{x}", r"\infty "])
SHAPES = [
    "{0}{1}", "{0}+{1}", "{0}-{1}", "{0}={1}", "{0},{1}", "-{0}", r"\frac{{{0}}}{{{1}}}", "x_{{{0}}}", "x^{{{0}}}",
    "x_{{{0}}}^{{{1}}}", "{{({0})}}^{{{1}}}", r"\sqrt{{{0}}}", r"\sqrt[{{{0}}}]{{{1}}}", "p({0})", r"p({0}\mid {1})", "p({0},{1})",
    "({0})", r"\sum_{{{0}}}{1}", r"\sum_{{x={0}}}^{{{1}}}y", r"\sum_{{{0}}}^{{{1}}}y", r"\int_{{{0}}}^{{{1}}}x",
    r"\log {0}", r"\log_{{{0}}}{1}", r"\max_{{{0}}}{1}", r"\mathbb{{E}}_{{{0}}}[{1}]", r"\mathbb{{E}}[{0}]",
    r"\lVert {0}\rVert ", r"\lvert {0}\rvert ", r"\hat{{{0}}}", r"\overline{{{0}}}", r"\mathbf{{{0}}}", "{{{0}}}_{{{1}}}", "{{{0}}}^{{{1}}}",
    r"\binom{{{0}}}{{{1}}}", r"D_{{\mathrm{{KL}}}}({0}\Vert {1})", r"\underbrace{{{0}}}_{{{1}}}", r"{0}\mid {1}", "{0};{1}",
    r"\begin{{pmatrix}}{0}&{1}\end{{pmatrix}}", r"\begin{{pmatrix}}{0}\\{1}\end{{pmatrix}}", "{0}!", "x'_{{{0}}}",
    r"\begin{{cases}}{0}&{1}\end{{cases}}", r"\overset{{{0}}}{{{1}}}", r"\{{{0}\mid {1}\}}", "{0}/{1}", r"x^{{({0})}}",
]
FORMULAS = st.recursive(ATOMS, lambda inner: st.builds(
    lambda shape, first, second: shape.format(first, second), st.sampled_from(SHAPES), inner, inner), max_leaves=6)


@settings(max_examples=60, deadline=None)
@given(st.lists(FORMULAS, min_size=40, max_size=40))
def test_different_structures_are_read_differently(formulas: list[str]) -> None:
    readings: dict[str, str] = {}
    for tex in formulas:
        same = readings.setdefault(spoken(parse(tex).body), tex)
        assert typeset(parse(same).body).replace(" ", "") == typeset(parse(tex).body).replace(" ", "")
