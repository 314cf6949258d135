"""Every result is traced, in the record, in the answer of ``gozaresh why`` and in the PDF."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import nbformat
import pikepdf
import pytest

from gozaresh.pdf.tags import read_tagged
from gozaresh.pdf.text import read_pages
from gozaresh.proof.actual import actual_passages
from gozaresh.provenance import record as origins
from gozaresh.provenance.trace import Chapter, trace
from gozaresh.source.cells import read_chapter
from gozaresh.source.parameters import read_parameters
from tests.conftest import edit, in_process

SCRIPT = "notebooks/01_pendulum.py"


def asked(folder: Path, what: str) -> dict[str, str]:
    done = in_process("why", what, cwd=folder)
    assert done.status == 0, done.err
    return {line[2:13].strip(): line[14:] for line in done.out.splitlines() if line.startswith("  ")}


def executed(folder: Path) -> Chapter:
    cells = read_chapter(folder / SCRIPT, SCRIPT)
    notebook = nbformat.read(folder / "build" / "executed" / "01_pendulum.ipynb", as_version=4)
    return Chapter("01_pendulum", read_parameters(cells), notebook)


def test_every_label_and_every_value_is_traced_to_its_line(built_pendulum: Path) -> None:
    text = (built_pendulum / SCRIPT).read_text(encoding="utf-8")
    lines = text.split("\n")
    found = trace([executed(built_pendulum)], "default").origins
    labels = set(re.findall(r"(?:label: |\{#)((?:fig|tbl|lst|eq|sec)-\w+)", text))
    assert {o.name for o in found if not o.is_value} == labels
    assert sum(o.is_value for o in found) == text.count("`{python}")
    for origin in found:
        assert origin.name in lines[origin.line - 1], f"{origin.name} does not stand on line {origin.line}"
    assert [o.line for o in found] == sorted(o.line for o in found)


def test_the_digest_changes_with_the_code_above_and_with_nothing_else(built_pendulum: Path) -> None:
    chapter = executed(built_pendulum)
    before = {o.name: o.code for o in trace([chapter], "").origins}
    for cell in chapter.executed.cells:
        if cell.cell_type == "markdown":
            cell.source += "\n\nمتن دیگر."
        elif "tbl-period" in cell.source:
            cell.source += "\n1"
    after = {o.name: o.code for o in trace([chapter], "").origins}
    assert {name for name in before if before[name] != after[name]} == {"tbl-period", "lst-f"}


@pytest.mark.parametrize(("what", "place"), [
    ("fig-period", "16"), ("tbl-period", "37"), ("lst-f", "44"), (f"{SCRIPT}:33", "33"), ("01_pendulum.py:33", "33"),
    ("01_pendulum:40", "37")])
def test_why_answers_from_the_last_build(built_pendulum: Path, what: str, place: str) -> None:
    answer = asked(built_pendulum, what)
    assert answer.get("made at", answer.get("stands at")) == f"{SCRIPT}:{place}"
    assert {"code", "inputs", "profile", "parameters", "data", "seed", "device", "date"} <= set(answer)
    assert re.match(r"[0-9a-f]{12} ", answer["code"])


def test_a_value_is_told_with_what_the_page_says(built_pendulum: Path) -> None:
    done = in_process("why", f"{SCRIPT}:33", cwd=built_pendulum)
    assert done.out.splitlines()[0] == '`f"{2 * np.pi / gravity ** 0.5:.3f}"` = ۲٫۰۰۶'


def test_what_an_author_wrote_has_no_code(built_pendulum: Path) -> None:
    assert asked(built_pendulum, "eq-period") == {"stands at": f"{SCRIPT}:8", "code": "none: the author wrote it"}


@pytest.mark.parametrize(("what", "expected"), [
    ("fig-perod", "LABEL: no result 'fig-perod'; nearest: fig-period"),
    (f"{SCRIPT}:55", f"LABEL: no result stands at {SCRIPT}:55; nearest: {SCRIPT}:44"),
    ("notebooks/01_pendulm.py:33", f"LABEL: no chapter 'notebooks/01_pendulm.py'; nearest: {SCRIPT}"),
])
def test_a_wrong_question_names_the_nearest(built_pendulum: Path, what: str, expected: str) -> None:
    done = in_process("why", what, cwd=built_pendulum)
    assert done.status == 1
    assert done.errors == [f"error: {expected}"]


def test_without_a_build_there_is_no_answer(pendulum: Path) -> None:
    done = in_process("why", "fig-period", cwd=pendulum)
    assert done.errors == ["error: build/provenance.json: no build is recorded yet; run 'gozaresh build' first"]


def test_parameters_and_later_saves_are_told(pendulum_again: Path) -> None:
    edit(pendulum_again, "lengths: int = 5", "lengths: int = 5\nseed: int = 7")
    assert in_process("build", ".", "--set", "gravity=1.62", cwd=pendulum_again).status == 0
    answer = asked(pendulum_again, "fig-period")
    assert (answer["parameters"], answer["seed"]) == ("gravity=1.62", "seed=7")
    assert "note" not in answer
    edit(pendulum_again, "آونگ ساده با", "آونگ با")
    assert "was saved after this build" in asked(pendulum_again, "fig-period")["note"]


def test_why_loads_no_heavy_module(built_pendulum: Path) -> None:
    code = ("import sys; from gozaresh.cli import main; main(['why', 'fig-period']);"
            "print(sorted({name.partition('.')[0] for name in sys.modules}))")
    done = subprocess.run([sys.executable, "-c", code], cwd=built_pendulum, capture_output=True, text=True, check=True)
    loaded = set(re.findall(r"'(\w+)'", done.stdout.splitlines()[-1]))
    assert not loaded & {"torch", "papermill", "nbconvert", "nbformat", "jupytext", "pydantic", "yaml", "matplotlib"}


def test_the_record_is_read_as_it_was_written(built_pendulum: Path) -> None:
    build = built_pendulum / "build"
    assert origins.to_json(origins.read(build)) == (build / origins.FILE).read_text(encoding="utf-8")


def test_the_appendix_lists_what_code_made_and_captions_lead_there(built_pendulum: Path) -> None:
    pdf = built_pendulum / "build" / "report.pdf"
    pages = read_pages(pdf)
    cells = {passage.text.strip() for passage in actual_passages(read_tagged(pdf).root) if passage.kind == "cell"}
    for origin in origins.read(built_pendulum / "build").origins:
        assert not origin.code or any(origin.code[:8] in cell for cell in cells), origin.name
    with pikepdf.open(pdf) as opened:
        at = {page.objgen: number for number, page in enumerate(opened.pages)}
        targets = [at[link.Dest[0].objgen] for page in list(opened.pages)[1:-1] for link in page.get("/Annots", [])
                   if isinstance(link.get("/Dest"), pikepdf.Array)]
    assert targets.count(len(pages) - 1) >= 3, "the figure's, the table's and the listing's caption"
