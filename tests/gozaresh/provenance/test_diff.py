"""Two reports are compared by what they say, not by how they were written."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path

import nbformat
import pytest
from PIL import Image

from gozaresh.author import Table
from gozaresh.provenance.diff import canonical_svg, differences, figure_digest
from tests.conftest import Done, edit, in_process

SCRIPT = "notebooks/01_pendulum.py"


def diff(old: Path, new: Path) -> Done:
    return in_process("diff", str(old), str(new), cwd=old.parent)


def zipped(folder: Path, target: Path) -> Path:
    with zipfile.ZipFile(target, "w") as archive:
        for file in sorted((folder / "build" / "executed").glob("*.ipynb")):
            archive.write(file, f"HW1_A_1/executed/{file.name}")
    return target


def test_a_report_equals_itself_in_every_form(built_pendulum: Path, tmp_path: Path) -> None:
    forms = [built_pendulum, built_pendulum / "build", built_pendulum / "build" / "executed",
             zipped(built_pendulum, tmp_path / "a.zip")]
    for form in forms:
        done = diff(built_pendulum, form)
        assert (done.status, done.out, done.errors) == (0, "", [])


def test_a_parameter_shows_in_everything_that_it_changed(built_pendulum: Path, moon: Path) -> None:
    done = diff(built_pendulum, moon)
    lines = done.out.splitlines()
    assert done.status == 1
    assert lines[0] == "parameter gravity of 01_pendulum: 9.81 -> 1.62"
    assert f"number {SCRIPT}:17 `gravity`: ۹٫۸۱ -> ۱٫۶۲" in lines
    assert any(line.startswith(f"number {SCRIPT}:33 ") and line.endswith("۲٫۰۰۶ -> ۴٫۹۳۷") for line in lines)
    cells = [line for line in lines if line.startswith("table tbl-period")]
    assert len(cells) == 5
    assert all("column «دوره»" in line for line in cells), "the column of lengths is the same"
    assert "figure fig-period: shows something else" in lines
    assert not [line for line in lines if "lst-f" in line]


def test_the_other_way_round_swaps_old_and_new(built_pendulum: Path, moon: Path) -> None:
    there, back = (differences(*pair) for pair in ((built_pendulum, moon), (moon, built_pendulum)))
    pairs = [line.rpartition(": ")[2].split(" -> ") for line in there if " -> " in line]
    assert [line.rpartition(": ")[2].split(" -> ") for line in back if " -> " in line] == [pair[::-1] for pair in pairs]


def test_prose_and_lines_do_not_count(pendulum_again: Path, built_pendulum: Path) -> None:
    edit(pendulum_again, "دورهٔ تناوب آونگ ساده با", "مقدمه.\n\nدورهٔ تناوب هر آونگ ساده با")
    assert in_process("build", ".", cwd=pendulum_again).status == 0
    assert differences(built_pendulum, pendulum_again) == []


def test_what_only_one_report_has(pendulum_again: Path, built_pendulum: Path) -> None:
    edit(pendulum_again, "for metres in length])", "for metres in length[:-1]])")
    edit(pendulum_again, "lengths: int = 5", "lengths: int = 5\nmass: float = 2.0")
    edit(pendulum_again, "return 2 * np.pi", "return 2.0 * np.pi")
    assert in_process("build", ".", cwd=pendulum_again).status == 0
    assert differences(built_pendulum, pendulum_again) == [
        "parameter mass of 01_pendulum: (none) -> 2.0",
        "table tbl-period, row 5 of the old: ۲٫۰۰ | ۲٫۸۳۷ -> (none)",
        "lst-f: return 2 * np.pi * (length / gravity) ** 0.5 -> return 2.0 * np.pi * (length / gravity) ** 0.5"]


@pytest.mark.parametrize(("name", "expected"), [
    ("none", "none: no such file or folder; valid: a hand-in (.zip), a report's folder, a folder as build/executed"),
    ("empty", "empty: no executed notebooks in it"), ("notes.zip", "notes.zip: cannot be read"),
    ("broken", "broken: cannot be read"), ("other", "other: cannot be read")])
def test_what_is_no_report_is_an_error(built_pendulum: Path, tmp_path: Path, name: str, expected: str) -> None:
    (tmp_path / "empty").mkdir()
    (tmp_path / "broken").mkdir()
    (tmp_path / "broken" / "a.ipynb").write_text("{", encoding="utf-8")
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "a.ipynb").write_text("{}", encoding="utf-8")
    (tmp_path / "notes.zip").write_text("no zip", encoding="utf-8")
    done = in_process("diff", str(built_pendulum), name, cwd=tmp_path)
    assert done.status == 2
    assert len(done.errors) == 1
    assert done.errors[0].startswith(f"error: {expected}")


def test_two_reports_must_be_named(tmp_path: Path) -> None:
    done = in_process("diff", "", "", cwd=tmp_path)
    assert (done.status, done.errors) == (
        2, ["error: diff: two reports are compared: make diff A=old.zip B=."])


def test_drawings_are_compared_without_their_ids() -> None:
    drawing = '<svg><!-- 12:03 --><defs><path id="{0}"/></defs><use href="#{0}"/><g clip-path="url(#{1})"/></svg>'
    one, two = drawing.format("a7", "b1"), drawing.format("x", "y").replace("12:03", "12:04")
    assert canonical_svg(one) == canonical_svg(two)
    assert canonical_svg(one) != canonical_svg(drawing.format("a7", "a7")), "which id is meant counts"
    assert figure_digest(one.encode()) == figure_digest(two.encode())
    assert figure_digest(one.encode()) != figure_digest(one.replace("<use ", '<use x="3" ').encode())


def test_images_are_compared_by_their_pixels() -> None:
    def png(image: Image.Image, level: int) -> bytes:
        out = io.BytesIO()
        image.save(out, "png", compress_level=level)
        return out.getvalue()

    image = Image.new("RGB", (10, 10), "white")
    dotted = image.copy()
    dotted.putpixel((3, 4), (0, 0, 0))
    assert png(image, 1) != png(image, 9)
    digests = [figure_digest(data) for data in (png(image, 1), png(image, 9), png(dotted, 1),
                                                png(image.resize((10, 20)), 1), b"<svg/>")]
    assert digests[0] == digests[1]
    assert len(set(digests)) == 4


def test_every_cell_of_a_table_is_compared(tmp_path: Path) -> None:
    def report(name: str, table: Table) -> Path:
        meta = {"gozaresh": {"file": "notebooks/a.py", "line": 1, "option_lines": 0,
                             "options": {"label": "tbl-a", "tbl_cap": "جدول"}}}
        shown = nbformat.v4.new_output("execute_result", {"text/markdown": repr(table)})
        cell = nbformat.v4.new_code_cell("table", metadata=meta, outputs=[shown])
        (tmp_path / name).mkdir()
        nbformat.write(nbformat.v4.new_notebook(cells=[cell]), tmp_path / name / "a.ipynb")
        return tmp_path / name

    rows = [[f"{row}", "یک", "دو"] for row in range(4)]
    one = report("one", Table(["نام", "الف", "ب"], rows))
    for row in range(4):
        for column, head in enumerate(["نام", "الف", "ب"]):
            changed = [list(cells) for cells in rows]
            changed[row][column] = "نو"
            two = report(f"{row}-{column}", Table(["نام", "الف", "ب"], changed))
            was = rows[row][column]
            assert differences(one, two) == [f"table tbl-a, row {row + 1}, column «{head}»: {was} -> نو"]
