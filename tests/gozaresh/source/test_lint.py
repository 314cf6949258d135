from pathlib import Path

import pytest

from gozaresh.common.errors import SettingsError
from gozaresh.provenance.appendix import labels
from gozaresh.source.assignment import Question, points, read_assignment, unanswered
from gozaresh.source.cells import read_chapter
from gozaresh.source.lint import half_spaces, lint, typed_results

GOOD = '''# %% [markdown]
r"""
# فصل {#sec-a}

@fig-a و @eq-b و [@kim2018] را ببینید؛ نشانی a@b.org و `@fig-none` و $x@y$ ارجاع نیست.

$$x = y$$ {#eq-b}
"""

# %%
#| label: fig-a
#| fig-cap: شکلی برای @sec-a
#| fig-alt: شکل
draw()
'''


def problems(tmp_path: Path, text: str) -> list[str]:
    path = tmp_path / "c.py"
    path.write_text(text, encoding="utf-8")
    return [str(problem) for problem in lint(read_chapter(path, "c.py"), {"kim2018"}, labels(1))]


def test_a_good_chapter_has_no_problem(tmp_path: Path) -> None:
    assert problems(tmp_path, GOOD) == []


@pytest.mark.parametrize(("old", "new", "expected"), [
    ("@eq-b و", "@eq-c و", "c.py:5: no label 'eq-c'; nearest: eq-b"),
    ("@kim2018", "@kin2018", "c.py:5: no bibliography entry 'kin2018'; nearest: kim2018"),
    ("برای @sec-a", "برای @sec-z", "c.py:12: no label 'sec-z'; nearest: sec-a"),
    ("{#eq-b}", "{#sec-a}", "c.py:7: label sec-a is already used at c.py:3"),
    ("#| fig-cap: شکلی برای @sec-a\n", "", "c.py:11: fig-a has no caption: '#| fig-cap: …'"),
    ("#| fig-alt: شکل\n", "", "c.py:11: fig-a has no alternative text: '#| fig-alt: …'"),
    ("#| label: fig-a\n", "", "c.py:11: a fig-cap needs '#| label: fig-…'"),
    ("{#eq-b}", "\n\n{#eq-b}", "c.py:9: label eq-b stands alone: write {#eq-b} after the closing $$ of its equation, "
     "on the same line"),
    ("{#sec-a}", "{#tbl-parameters}", "c.py:3: label tbl-parameters is one of the appendix, which every report gets; "
     "choose another"),
    ("را ببینید", "را ببينيد", "c.py:5: Arabic letter 'ي' (U+064A) where Persian has 'ی'"),
])
def test_a_breach_is_named_with_its_line(tmp_path: Path, old: str, new: str, expected: str) -> None:
    assert expected in problems(tmp_path, GOOD.replace(old, new))


@pytest.mark.parametrize(("old", "new", "expected"), [
    ("@fig-a و", "", "c.py:11: no text refers to fig-a: write @fig-a where it is spoken of"),
    ("$$x = y$$ {#eq-b}", "$$x = y$$ {#eq-b}\n\n### زیر\n",
     "c.py:9: a heading of level 3 stands below one of level 1; write ##"),
])
def test_structure_is_held(tmp_path: Path, old: str, new: str, expected: str) -> None:
    assert problems(tmp_path, GOOD.replace(old, new)) == [expected]


def test_a_figure_may_be_spoken_of_by_computed_text(tmp_path: Path) -> None:
    assert problems(tmp_path, GOOD.replace("@fig-a و", "") + "\n# %%\nmarkdown('در @fig-a')\n") == []


@pytest.mark.parametrize(("text", "found"), [
    ("دقت ۹۳٫۵٪ شد", "۹۳٫۵٪"), ("خطا 0.25 است", "0.25"), ("افت ۱۲٪", "۱۲٪"), ("با `{python} x` و $0.5$ و ۳۲ تصویر", ""),
    ("نسخهٔ 3.11.2 و v0.5", ""),
])
def test_typed_results_are_pointed_out(tmp_path: Path, text: str, found: str) -> None:
    path = tmp_path / "c.py"
    path.write_text(GOOD.replace("را ببینید؛", f"را ببینید؛ {text}؛"), encoding="utf-8")
    told = [str(problem) for problem in typed_results(read_chapter(path, "c.py"))]
    assert [line.split("«")[1].split("»")[0] for line in told] == ([found] if found else [])
    assert all(line.startswith("c.py:5: ") for line in told)


def test_the_points_are_counted() -> None:
    questions = [Question("a", 15, ("sec-a",)), Question("b", 10, ("sec-b", "sec-c"), bonus=True)]
    assert points(questions, ["sec-a", "sec-b"]) == (15, 25)
    assert points(questions, ["sec-a", "sec-b", "sec-c"]) == (25, 25)


def test_an_unanswered_question_is_named(tmp_path: Path) -> None:
    path = tmp_path / "assignment.toml"
    path.write_text('[[question]]\nid = "q"\npoints = 3\nanswers = ["sec-q1"]\n', encoding="utf-8")
    questions = read_assignment(path, "assignment.toml")
    assert not unanswered(questions, ["sec-q1"], "assignment.toml")
    assert "no label 'sec-q1'; nearest: sec-q" in str(unanswered(questions, ["sec-q"], "assignment.toml")[0])


def test_a_question_needs_its_keys(tmp_path: Path) -> None:
    path = tmp_path / "assignment.toml"
    path.write_text('[[question]]\nid = "q"\n', encoding="utf-8")
    with pytest.raises(SettingsError, match=r"assignment\.toml:1: key 'question\.0\.points' is missing"):
        read_assignment(path, "assignment.toml")


@pytest.mark.parametrize(("text", "advice"), [
    ("این نمودار بالا می رود.", ["«می رود» wants a half-space: «می‌رود»"]),
    ("و نمی توان گفت", ["«نمی توان» wants a half-space: «نمی‌توان»"]),
    ("کتاب ها و رنگ های تند", ["«کتاب ها» wants a half-space: «کتاب‌ها»", "«رنگ های» wants a half-space: «رنگ‌های»"]),
    ("بزرگ تر است", ["«بزرگ تر» wants a half-space: «بزرگ‌تر»"]),
    ("می‌شود، کتاب‌ها، بزرگ‌تر، قدیمی است، `می رود`، هایی", []),
])
def test_a_forgotten_half_space_is_advised(tmp_path: Path, text: str, advice: list[str]) -> None:
    (tmp_path / "c.py").write_text(f'# %% [markdown]\nr"""\n{text}\n"""\n', encoding="utf-8")
    found = [str(problem) for problem in half_spaces(read_chapter(tmp_path / "c.py", "c.py"))]
    assert found == [f"c.py:3: {line}" for line in advice]
