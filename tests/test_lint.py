from pathlib import Path

import pytest

from gozaresh.errors import SettingsError
from gozaresh.lint import lint, read_assignment, unanswered
from gozaresh.source import read_chapter

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
    return [str(problem) for problem in lint(read_chapter(path, "c.py"), {"kim2018"})]


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
    ("را ببینید", "را ببينيد", "c.py:5: Arabic letter 'ي' (U+064A) where Persian has 'ی'"),
])
def test_a_breach_is_named_with_its_line(tmp_path: Path, old: str, new: str, expected: str) -> None:
    assert expected in problems(tmp_path, GOOD.replace(old, new))


def test_an_unanswered_question_is_named(tmp_path: Path) -> None:
    path = tmp_path / "assignment.toml"
    path.write_text('[[question]]\nid = "q"\npoints = 3\nanswers = ["sec-q1"]\n', encoding="utf-8")
    questions = read_assignment(path, "assignment.toml")
    assert not unanswered(questions, ["sec-q1"], "assignment.toml")
    assert "no label 'sec-q1'; nearest: sec-q" in str(unanswered(questions, ["sec-q"], "assignment.toml")[0])


def test_a_question_needs_its_keys(tmp_path: Path) -> None:
    path = tmp_path / "assignment.toml"
    path.write_text('[[question]]\nid = "q"\n', encoding="utf-8")
    with pytest.raises(SettingsError, match="needs id, points and answers"):
        read_assignment(path, "assignment.toml")
