from pathlib import Path

import pytest

from gozaresh.common.errors import Place, SettingsError, SourceError
from gozaresh.source import inline
from gozaresh.source.cells import read_chapter
from gozaresh.source.notebook import to_notebook
from gozaresh.source.parameters import Overrides, check_names, parse_assignments, read_parameters

CHAPTER = '''# %% [markdown]
r"""
# عنوان {#sec-a}

مقدار `{python} x + 1` است.
"""

# %% tags=["parameters"]
x: int = 3
rate: float = 0.5
data: "Path" = ""

# %%
#| label: fig-a
#| fig-cap: "برای `{python} rate`"
#| fig-alt: نمودار
y = x
draw(y)

# %% [markdown]
# یک خط با نشان.
# خط دوم.
'''


@pytest.fixture
def chapter(tmp_path: Path) -> Path:
    path = tmp_path / "a.py"
    path.write_text(CHAPTER, encoding="utf-8")
    return path


def test_every_cell_knows_its_line(chapter: Path) -> None:
    lines = CHAPTER.splitlines()
    for cell in read_chapter(chapter, "a.py"):
        first = cell.source.splitlines()[0]
        assert first in lines[cell.line - 1]


def test_nothing_of_the_script_is_lost(chapter: Path) -> None:
    cells = read_chapter(chapter, "a.py")
    kept = {word for cell in cells for word in cell.source.split()}
    marks = {"#", "%%", "[markdown]", 'r"""', '"""', 'tags=["parameters"]'}
    assert set(CHAPTER.split()) - marks <= kept


def test_options_are_read(chapter: Path) -> None:
    options = read_chapter(chapter, "a.py")[2].options
    assert (options.label, options.caption, options.echo, options.output) == (
        "fig-a", "برای `{python} rate`", False, True)


def test_values_stand_before_prose_and_after_captions(chapter: Path) -> None:
    cells = to_notebook(read_chapter(chapter, "a.py")).cells
    kinds = ["values" if inline.TAG in c.metadata.get("tags", ()) else c.cell_type for c in cells]
    assert kinds == ["values", "markdown", "code", "code", "values", "markdown"]


def test_a_prose_edit_leaves_the_code_as_it_is(chapter: Path) -> None:
    def code(text: str) -> list[str]:
        chapter.write_text(text, encoding="utf-8")
        return [c.source for c in to_notebook(read_chapter(chapter, "a.py")).cells if c.cell_type == "code"]

    assert code(CHAPTER) == code(CHAPTER.replace("است.", "بود.\n\nو بندی دیگر."))


@pytest.mark.parametrize(("old", "new", "line", "message"), [
    ("#| fig-cap:", "#| figcap:", 15, "unknown cell option 'figcap'; nearest: fig-cap"),
    ("#| label: fig-a", "#| label: شکل", 14, "must look like"),
    ("#| fig-alt: نمودار", "#| echo: maybe", 16, "true or false"),
    ("#| fig-alt: نمودار", "#| fig-alt: [", 0, "not valid YAML"),
    ("`{python} x + 1`", "`{python} x +`", 5, "not a Python expression"),
])
def test_a_wrong_option_is_named_with_its_line(chapter: Path, old: str, new: str, line: int, message: str) -> None:
    chapter.write_text(CHAPTER.replace(old, new), encoding="utf-8")
    with pytest.raises(SourceError, match=message) as caught:
        to_notebook(read_chapter(chapter, "a.py"))
    assert "\n" not in str(caught.value)
    if line:
        assert str(caught.value).startswith(f"a.py:{line}:")


def test_parameters_are_read_with_their_places(chapter: Path) -> None:
    parameters = read_parameters(read_chapter(chapter, "a.py"))
    assert [(p.name, p.annotation, p.default) for p in parameters] == [
        ("x", "int", 3), ("rate", "float", 0.5), ("data", "Path", "")]
    assert parameters[1].place == Place("a.py", 10)


@pytest.mark.parametrize(("given", "message"), [
    ({"epoch": "3"}, "no chapter has a parameter 'epoch'"),
    ({"rat": "3"}, "nearest: rate"),
])
def test_an_unknown_parameter_names_the_nearest(chapter: Path, given: dict[str, str], message: str) -> None:
    parameters = read_parameters(read_chapter(chapter, "a.py"))
    with pytest.raises(SettingsError, match=message):
        check_names(Overrides({}, given), parameters, "report.toml")


@pytest.mark.parametrize(("profile", "given", "message"), [
    ({}, {"x": "many"}, "not of type int"), ({}, {"x": "1.5"}, "not of type int"),
    ({"x": "3"}, {}, "not of type int"), ({"x": True}, {}, "not of type int"),
    ({}, {"data": "no/such/folder"}, "no such file or folder"),
])
def test_an_ill_typed_parameter_is_refused(chapter: Path, profile, given, message: str, tmp_path: Path) -> None:
    parameters = read_parameters(read_chapter(chapter, "a.py"))
    with pytest.raises(SettingsError, match=message):
        Overrides(profile, given).resolve(parameters, tmp_path)


def test_the_command_line_beats_the_profile(chapter: Path, tmp_path: Path) -> None:
    parameters = read_parameters(read_chapter(chapter, "a.py"))
    values = Overrides({"x": 7, "rate": 1}, {"x": "۹"}).resolve(parameters, tmp_path)
    assert values == {"x": 9, "rate": 1.0}


def test_a_default_value_given_again_changes_nothing(chapter: Path, tmp_path: Path) -> None:
    parameters = read_parameters(read_chapter(chapter, "a.py"))
    assert Overrides({"x": 3}, {"rate": "0.5"}).resolve(parameters, tmp_path) == {}


@pytest.mark.parametrize("word", ["beta", "=3", "4=4", "be ta=3"])
def test_an_assignment_needs_a_name_and_a_value(word: str) -> None:
    with pytest.raises(SettingsError, match="not of the form"):
        parse_assignments([word])


def test_statements_in_the_parameters_cell_are_refused(chapter: Path) -> None:
    chapter.write_text(CHAPTER.replace("x: int = 3", "x = 3"), encoding="utf-8")
    with pytest.raises(SourceError, match=r"a\.py:9: the parameters cell holds"):
        read_parameters(read_chapter(chapter, "a.py"))
