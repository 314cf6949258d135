"""The engine on a report of another subject, as its author would use it."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest

from gozaresh.pdf.text import heading_pages, read_pages
from tests.conftest import captions, edit, gozaresh, in_process


def text_of(folder: Path) -> str:
    return " ".join("\n".join(page.text for page in read_pages(folder / "build" / "report.pdf")).split())


def test_the_pdf_says_what_the_source_says(built_pendulum: Path) -> None:
    text = text_of(built_pendulum)
    assert captions(text, "شکل") == [1]
    assert captions(text, "جدول") == [1, 2, 3, 4, 5, 6]
    for words in ("آونگ ساده", "دورهٔ تناوب آونگ ساده", "۲٫۰۰۶", "طول‌های گوناگون",
                  "def period(length):"):
        assert words in text
    assert "??" not in text
    assert "؟؟" not in text


def test_code_is_copied_without_its_line_numbers(built_pendulum: Path) -> None:
    pages = read_pages(built_pendulum / "build" / "report.pdf")
    lines = [line.strip() for page in pages for line in page.text.splitlines()]
    at = lines.index("def period(length):")
    assert lines[at + 2] == "return 2 * np.pi * (length / gravity) ** 0.5"


def test_a_labelled_heading_is_found_on_its_page(built_pendulum: Path) -> None:
    pdf = built_pendulum / "build" / "report.pdf"
    pages = [page.text for page in read_pages(pdf)]
    found = heading_pages(pdf)
    for label, heading in (("sec-period", "دورهٔ تناوب"), ("sec-numbers", "عددها")):
        assert heading in pages[found[label] - 1]
    assert not heading_pages(pdf.with_name("none.pdf"))


def test_figures_are_named_by_their_labels(built_pendulum: Path) -> None:
    assert [path.name for path in (built_pendulum / "figures").iterdir()] == ["fig-period.svg"]


def test_a_second_build_runs_nothing_and_gives_the_same_bytes(pendulum_again: Path) -> None:
    before = (pendulum_again / "build" / "report.pdf").read_bytes()
    (pendulum_again / "build" / "manifest.json").unlink()
    done = gozaresh("build", ".", cwd=pendulum_again)
    assert "unchanged" in done.err
    assert "running" not in done.err
    assert (pendulum_again / "build" / "report.pdf").read_bytes() == before


def test_a_prose_edit_runs_nothing_and_shows(pendulum_again: Path) -> None:
    edit(pendulum_again, "داده می‌شود؛", "به‌سادگی داده می‌شود؛")
    done = in_process("build", ".", cwd=pendulum_again)
    assert "running" not in done.err
    assert "به‌سادگی داده می‌شود" in text_of(pendulum_again)


def handed_in(folder: Path) -> dict[str, bytes]:
    """All that lies in the folders that a hand-in is made from."""
    return {path.relative_to(folder).as_posix(): path.read_bytes() for kind in ("figures", "build/executed", "build")
            for path in (folder / kind).iterdir() if path.is_file() and path.name != "manifest.json"}


def test_a_parameter_runs_again_and_gives_to_the_byte_what_a_clean_build_on_another_path_gives(
        pendulum_again: Path, moon: Path) -> None:
    done = gozaresh("build", ".", "--set", "gravity=1.62", cwd=pendulum_again)
    assert "running" in done.err, done.err
    assert "۱٫۶۲" in text_of(pendulum_again)
    record = nbformat.read(pendulum_again / "build" / "executed" / "01_pendulum.ipynb", as_version=4)
    assert record.metadata.gozaresh.parameters == {"gravity": 1.62}
    made = handed_in(pendulum_again)
    assert {"build/report.pdf", "build/executed/01_pendulum.ipynb", "figures/fig-period.svg"} <= set(made)
    assert made == handed_in(moon)
    text = (pendulum_again / "build" / "chapters" / "appendix.typ").read_text(encoding="utf-8")
    assert "در این اجرا ۱ پارامتر مقداری جز پیش‌فرض دارد" in text


def test_a_parameter_set_to_its_default_is_not_counted_as_changed(pendulum_again: Path) -> None:
    assert gozaresh("build", ".", "--set", "gravity=9.81", cwd=pendulum_again).status == 0
    text = (pendulum_again / "build" / "chapters" / "appendix.typ").read_text(encoding="utf-8")
    assert "مقدار پیش‌فرض خود را دارند" in text


def test_nbconvert_knows_the_exporter(built_pendulum: Path, tmp_path: Path) -> None:
    notebook = built_pendulum / "build" / "executed" / "01_pendulum.ipynb"
    subprocess.run([sys.executable, "-m", "jupyter", "nbconvert", "--to", "gozaresh", "--output-dir", str(tmp_path),
                    str(notebook)], check=True, capture_output=True)
    assert "#import" in (tmp_path / "01_pendulum.typ").read_text(encoding="utf-8")
    assert (tmp_path / "figures" / "fig-period.svg").is_file()
    assert (tmp_path / "theme.typ").is_file()


def test_papermill_runs_the_notebook(built_pendulum: Path, tmp_path: Path) -> None:
    notebook = built_pendulum / "build" / "notebooks" / "01_pendulum.ipynb"
    out = tmp_path / "out.ipynb"
    subprocess.run([sys.executable, "-m", "papermill", str(notebook), str(out), "-p", "gravity", "3.7"], check=True,
                   capture_output=True)
    assert "۳٫۷" in json.dumps(nbformat.read(out, as_version=4), ensure_ascii=False)


@pytest.mark.parametrize(("old", "new", "expected"), [
    ("@fig-period مقدار", "@fig-perod مقدار",
     "notebooks/01_pendulum.py:6: no label 'fig-perod'; nearest: fig-period"),
    ("{#sec-numbers}", "{#sec-period}", "notebooks/01_pendulum.py:31: label sec-period is already used"),
    ("#| tbl-cap: دوره برای چند طول، @sec-period را ببینید.\n", "",
     "notebooks/01_pendulum.py:37: tbl-period has no caption"),
    ("length = np.linspace", "length = np.linspce",
     "notebooks/01_pendulum.py:23: AttributeError: module 'numpy' has no attribute 'linspce'"),
    ("`{python} f\"{2 * np.pi", "`{python} f\"{2 * nq.pi", "notebooks/01_pendulum.py:33: NameError: name 'nq'"),
    (r"\sqrt{\frac{\ell}{g}}", r"\sqroot{\frac{\ell}{g}}", "sqroot"),
])
def test_a_fault_is_one_line_at_its_place(pendulum: Path, old: str, new: str, expected: str) -> None:
    edit(pendulum, old, new)
    done = in_process("build", ".", cwd=pendulum)
    assert done.status == 1
    assert len(done.errors) == 1, done.err
    assert expected in done.errors[0]
    assert "Traceback" not in done.err
    assert not (pendulum / "build" / "report.pdf").exists()


def test_an_image_without_label_is_an_error(pendulum: Path) -> None:
    for line in ('#| label: fig-period\n', '#| fig-cap: "دورهٔ تناوب برای $g$ برابر `{python} gravity`"\n',
                 '#| fig-alt: "منحنی صعودی دوره بر حسب طول"\n', "در @fig-period مقدار"):
        edit(pendulum, line, "" if line.startswith("#") else "در مقدار")
    done = in_process("build", ".", cwd=pendulum)
    assert done.errors == ["error: notebooks/01_pendulum.py:16: a figure needs '#| label: fig-…'"]
    assert list((pendulum / "build" / "cache").iterdir()), "what was computed is kept"


@pytest.mark.parametrize(("arguments", "expected"), [
    (["--set", "gravty=1"], "no chapter has a parameter 'gravty'; nearest: gravity"),
    (["--set", "gravity=heavy"], "notebooks/01_pendulum.py:12: P: gravity='heavy' is not of type float"),
    (["--profile", "defalt"], "no profile 'defalt'; nearest: default"),
    (["--data", "x.zip"], "no chapter has a parameter 'data'"),
])
def test_a_wrong_choice_is_one_line(pendulum: Path, arguments: list[str], expected: str) -> None:
    done = in_process("build", ".", *arguments, cwd=pendulum)
    assert done.status == 1
    assert len(done.errors) == 1
    assert expected in done.errors[0]
    assert not (pendulum / "build").exists(), "nothing is computed before the choice is known to be right"


def test_a_word_lost_on_the_way_stops_the_build(pendulum_again: Path) -> None:
    good = (pendulum_again / "build" / "report.pdf").read_bytes()
    sheet = pendulum_again / "build" / "chapters" / "01_pendulum.typ"
    sheet.write_text(sheet.read_text(encoding="utf-8").replace("گوناگون", ""), encoding="utf-8")
    done = in_process("typeset", cwd=pendulum_again)
    assert done.status == 1
    assert done.errors == ["error: notebooks/01_pendulum.py:6: «گوناگون» is not in the PDF",
                           "error: the PDF is kept as build/report.unproven.pdf"]
    assert (pendulum_again / "build" / "report.pdf").read_bytes() == good, "the last good one stays"
    assert (pendulum_again / "build" / "report.unproven.pdf").is_file()
