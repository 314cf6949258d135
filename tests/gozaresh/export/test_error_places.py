"""Every kind of error names the chapter's line, and the line stands below the message."""

from __future__ import annotations

from pathlib import Path

import pytest

from gozaresh.common.errors import Place, Problem, SourceError, quoted
from tests.conftest import ROOT, edit, in_process

LAST = "جدول و برنامه:"  # the last cell, whose text is line 53
ALT = '#| fig-alt: "منحنی صعودی دوره بر حسب طول"\n'
FAULTS = {
    "Typst, raw markup": (
        LAST, f"متن.\n\n`#nosuch(1)`{{=typst}} {LAST}", "55: typst: unknown variable: nosuch"),
    "Typst, an option": (ALT, ALT + "#| fig-width: wide\n", "19: typst: unknown variable: wide"),
    "Typst, a caption": (
        "#| lst-cap: محاسبهٔ دوره", "#| lst-cap: محاسبهٔ دوره `#nosuch`{=typst}", "45: typst: unknown variable: nosuch"),
    "pandoc, a warning": (
        LAST, f"[^a]: یک\n\n[^a]: دو\n\n{LAST}[^a]", "55: pandoc: Duplicate note reference 'a'"),
    "pandoc, an open block": (LAST, f"متن.\n\n:::: x\n\n{LAST}", "55: pandoc: Div unclosed, closing implicitly."),
    "Markdown that has no rule": (
        LAST, f"متن.\n\n```{{=typst}}\n#x\n```\n\n{LAST}", "55: no rule for a Markdown block of kind RawBlock"),
    "papermill, a cell that raises": (
        "length = np.linspace", "length = np.linspce", "23: AttributeError: module 'numpy' has no attribute 'linspce'"),
    "YAML, not valid": ("#| tbl-cap: دوره", '#| tbl-cap: "دوره', "38: cell options are not valid YAML"),
    "YAML, unknown option": ("#| echo: true", "#| ecko: true", "46: unknown cell option 'ecko'; nearest: echo"),
    "YAML, wrong type": ("#| echo: true", "#| echo: often", "46: option echo is true or false, not 'often'"),
    "an inline value that raises": ('`{python} f"{2 * np.pi', '`{python} f"{2 * nq.pi', "33: NameError: name 'nq'"),
    "an inline value that is no expression": (
        "`{python} gravity`", "`{python} gravity +`", "17: `gravity +` is not a Python expression"),
    "a caption's value": ("`{python} gravity`", "`{python} gravty`", "17: NameError: name 'gravty' is not defined"),
    "a formula": (r"\sqrt{\frac", r"\sqroot{\frac", r"8: in the formula"),
    "computed text": (
        '** 0.5:.3f}")] for', '** 0.5:.3f}") + " @fig-zzz"] for', "41: computed text refers to 'fig-zzz'"),
    "a footnote": (
        LAST, f"متن[^not].\n\n[^note]: یک[^two]\n\n{LAST}[^note]\n\n[^two]: د", "53: no footnote 'not'; nearest: note"),
    "a footnote of a caption": (
        "#| lst-cap: محاسبهٔ دوره", "#| lst-cap: محاسبهٔ دوره[^a]", "45: no footnote 'a'; valid: none"),
    "a footnote of computed text": (
        '** 0.5:.3f}")] for', '** 0.5:.3f}") + "[^zzz]"] for', "41: no footnote 'zzz'; valid: none"),
    "a reference": ("@fig-period مقدار", "@fig-perod مقدار", "6: no label 'fig-perod'; nearest: fig-period"),
}


@pytest.mark.parametrize("kind", FAULTS)
def test_an_error_names_its_line_and_shows_it(pendulum_again: Path, kind: str) -> None:
    old, new, expected = FAULTS[kind]
    edit(pendulum_again, old, new)
    done = in_process("build", ".", cwd=pendulum_again)
    assert done.status == 1
    assert len(done.errors) == 1, done.err
    assert done.errors[0].startswith(f"error: notebooks/01_pendulum.py:{expected}"), done.errors[0]
    number = int(expected.partition(":")[0])
    line = (pendulum_again / "notebooks" / "01_pendulum.py").read_text(encoding="utf-8").split("\n")[number - 1]
    assert line.strip()
    assert f"{done.errors[0]}\n  {number} | {line}\n" in done.err


def test_missing_pictures_are_named_all_at_once_and_the_draft_is_kept(pendulum_again: Path) -> None:
    edit(pendulum_again, LAST, f"![متن](nope.png)\n\n![متن](no.svg)\n\n{LAST}")
    done = in_process("build", ".", cwd=pendulum_again)
    assert done.status == 1
    assert [line.partition(": there")[0] for line in done.errors] == [
        "error: notebooks/01_pendulum.py:53: picture that is not there: nope.png",
        "error: notebooks/01_pendulum.py:55: picture that is not there: no.svg",
        "error: the PDF is kept as build/report.unproven.pdf"]
    assert (pendulum_again / "build" / "report.unproven.pdf").is_file()


def test_the_bibliography_and_the_settings_are_shown_too(pendulum_again: Path) -> None:
    edit(pendulum_again, 'title = "آونگ ساده"', 'title = آونگ', chapter="report.toml")
    done = in_process("build", ".", cwd=pendulum_again)
    assert done.errors[0].startswith("error: report.toml:4: not valid TOML")
    assert "  4 | title = آونگ\n" in done.err
    edit(pendulum_again, "title = آونگ", 'title = "آونگ"', chapter="report.toml")
    with (pendulum_again / "report.toml").open("a", encoding="utf-8") as settings:
        settings.write('[bibliography]\nlatin = "books.bib"\n')
    (pendulum_again / "books.bib").write_text("@book{koller2009,\n  title = {Graphs},\n  year = 2009\n\n@book{x\n",
                                        encoding="utf-8")
    done = in_process("build", ".", cwd=pendulum_again)
    assert len(done.errors) == 1, done.err
    assert done.errors[0].startswith("error: books.bib:"), done.errors[0]


def test_a_parameter_is_shown_where_it_is_declared(pendulum_again: Path) -> None:
    done = in_process("build", ".", "--set", "gravity=heavy", cwd=pendulum_again)
    assert done.errors[0].startswith("error: notebooks/01_pendulum.py:12: P: gravity='heavy'")
    assert done.err.endswith("\n  12 | gravity: float = 9.81\n")


def test_what_cannot_be_shown_is_left_out(tmp_path: Path) -> None:
    gone = SourceError(problems=[Problem(Place("notebooks/none.py", 3), "gone"), Problem(None, "no place: x")])
    assert list(quoted(gone, tmp_path)) == ["error: notebooks/none.py:3: gone", "error: no place: x"]
    beyond = SourceError("beyond", Place("tests/conftest.py", 100000))
    assert list(quoted(beyond, ROOT)) == ["error: tests/conftest.py:100000: beyond"]
