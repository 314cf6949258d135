"""The whole homework at its smallest, built and read back as its reader would."""

from __future__ import annotations

import errno
import json
import re
import shutil
import tomllib
import zipfile
from pathlib import Path

import nbformat
import pypdfium2
import pytest

from gozaresh import build, cli
from gozaresh.bundle import bundle_name
from gozaresh.common.errors import BundleError
from gozaresh.common.persian import persian
from gozaresh.pdf.text import heading_pages, read_pages
from gozaresh.provenance import record as origins
from gozaresh.typeset.typeset import LABEL
from tests.conftest import ROOT, captions, gozaresh, in_process

MARGIN = 75.0  # points from the page's edge within which a line that reaches the margin of 2.4 cm ends
KINDS = {"شکل": "figures", "جدول": "tables", "برنامهٔ": "listings"}


@pytest.fixture(scope="module")
def pages(homework: Path) -> list[str]:
    return [page.text for page in read_pages(homework / "build" / "report.pdf")]


@pytest.mark.parametrize("noun", KINDS)
def test_captions_are_numbered_in_order(pages: list[str], noun: str) -> None:
    body = "\n".join(pages)
    numbers = captions(body, noun)
    assert numbers == list(range(1, len(numbers) + 1))
    assert len(numbers) >= 5


def test_every_figure_and_table_of_the_sources_has_its_caption(homework: Path, pages: list[str]) -> None:
    chapters = "\n".join(path.read_text(encoding="utf-8") for path in (homework / "build" / "chapters").glob("*.typ"))
    body = "\n".join(pages)
    for noun, kind in (("شکل", "image"), ("جدول", "table"), ("برنامهٔ", "raw")):
        assert len(captions(body, noun)) == chapters.count(f"#figure(kind: {kind}")


def test_a_dimension_is_told_from_after_by_its_mark() -> None:
    """«بُعد» is a dimension; «بعد» is "after", as in «گام بعد» and «به بعد»."""
    for path in sorted((ROOT / "notebooks").glob("*.py")):
        text = path.read_text(encoding="utf-8")
        assert set(re.findall(r"(\S+)\s+بعد(?!\w)", text)) <= {"گام", "به"}, path.name
        assert not re.search(r'["«(}]بعد(?!\w)', text), path.name


def test_every_label_of_the_report_is_traced(homework: Path) -> None:
    sheets = [path for path in (homework / "build" / "chapters").glob("*.typ") if path.stem != "appendix"]
    labels = {label for path in sheets for label in LABEL.findall(path.read_text(encoding="utf-8"))}
    traced = origins.read(homework / "build").origins
    assert labels == {origin.name for origin in traced if not origin.is_value}
    made = {origin.name for origin in traced if origin.code}
    assert {label for label in labels if label.startswith(("fig-", "tbl-", "lst-"))} <= made


def test_nothing_is_unresolved_or_without_glyph(homework: Path, pages: list[str]) -> None:
    for text in pages:
        assert "??" not in text
        assert "؟؟" not in text
        assert "\ufffd" not in text
        assert not re.search("[يك]", text), "Arabic letters in Persian words"


def test_pages_read_from_the_right(homework: Path) -> None:
    """Of the lines with Persian words that reach one margin alone, most reach the right one.

    They are the last lines of paragraphs, headings and items; tables and the contents have lines of either kind.
    """
    right = left = 0
    with pypdfium2.PdfDocument(homework / "build" / "report.pdf") as pdf:
        for page in list(pdf)[1:]:
            text, lines = page.get_textpage(), {}
            for box in (text.get_rect(number) for number in range(text.count_rects())):
                if re.search("[آ-ی]{2}", text.get_text_bounded(*box)):
                    lines.setdefault(round((box[1] + box[3]) / 12), []).append(box)
            for boxes in lines.values():
                starts = min(box[0] for box in boxes) < MARGIN
                ends = max(box[2] for box in boxes) > page.get_width() - MARGIN
                right, left = right + (ends and not starts), left + (starts and not ends)
    assert right > 2 * left


def test_page_numbers_are_persian(pages: list[str]) -> None:
    for number, text in enumerate(pages[1:], start=2):
        assert text.split()[-1] == persian(number)


def test_every_question_is_answered_on_a_page_of_the_report(homework: Path, pages: list[str]) -> None:
    questions = tomllib.loads((ROOT / "report" / "assignment.toml").read_text(encoding="utf-8"))["question"]
    where = heading_pages(homework / "build" / "report.pdf")
    assert all(1 <= where[label] <= len(pages) for question in questions for label in question["answers"])
    told = in_process("check", ".", cwd=homework).err
    total = sum(question["points"] for question in questions)
    assert f"{total} of {total} points answered" in told
    for question in questions:
        page = where[question["answers"][0]]
        assert re.search(rf"{question['id']}: {question['points']} points, .*, page {page}", told)


def test_figures_are_files_named_by_their_labels(homework: Path) -> None:
    names = {path.stem for path in (homework / "figures").iterdir()}
    sources = "\n".join(path.read_text(encoding="utf-8") for path in (homework / "notebooks").glob("*.py"))
    assert names == set(re.findall(r"^#\| label: (fig-[\w-]+)", sources, re.M))


def test_the_report_says_that_its_faces_are_synthetic(homework: Path) -> None:
    executed = nbformat.read(homework / "build" / "executed" / "04_vae.ipynb", as_version=4)
    assert "ساختگی" in json.dumps(executed, ensure_ascii=False)


def test_every_inline_number_comes_from_the_run(homework: Path) -> None:
    for path in (homework / "build" / "executed").glob("*.ipynb"):
        for cell in nbformat.read(path, as_version=4).cells:
            assert not [output for output in cell.get("outputs", ()) if output.output_type == "error"]


def test_no_folder_of_this_machine_is_in_the_executed_notebooks(homework: Path) -> None:
    for path in (homework / "build" / "executed").glob("*.ipynb"):
        assert str(homework) not in path.read_text(encoding="utf-8")


def test_the_handin_is_complete_private_and_reproducible(homework: Path) -> None:
    command = ("zip", "--lastname", "Ahmadi", "--student", "۸۱۰۱۰۲۱۲۳", "--profile", "smoke")
    done = gozaresh(*command, cwd=homework)
    assert done.status == 0, done.err
    path = homework / "build" / "HW1_Ahmadi_810102123.zip"
    first = path.read_bytes()
    assert gozaresh(*command, cwd=homework).status == 0
    assert path.read_bytes() == first
    with zipfile.ZipFile(path) as archive:
        names = [name.removeprefix("HW1_Ahmadi_810102123/") for name in archive.namelist()]
        assert archive.testzip() is None
    for needed in ("report.pdf", "notebooks/04_vae.py", "executed/04_vae.ipynb", "src/dgm/vae/model/vae.py", "Makefile",
                   "pyproject.toml", "runs/vae/run.json", "SOURCES.md", "figures/fig-room.svg", "report/report.toml"):
        assert needed in names
    hidden = [name for name in names if re.search(r"(^|/)(\.|__pycache__)", name)]
    assert not hidden
    heavy = [name for name in names if name.endswith((".safetensors", ".pyc", ".zip"))]
    records = [path.relative_to(ROOT).as_posix() for path in (ROOT / "report" / "runs").rglob("*.safetensors")]
    assert sorted(heavy) == sorted(records)
    spy = homework / "notebooks" / "spy.txt"
    spy.write_text(f"see {homework}/data", encoding="utf-8")
    done = gozaresh(*command, cwd=homework)
    spy.unlink()
    assert len(done.errors) == 1
    assert "notebooks/spy.txt:1: names a folder of this machine" in done.errors[0]


@pytest.mark.parametrize(("lastname", "student", "message"), [
    ("Ahmadi", "81x", "STUDENT='81x' is not a number"), ("Ahmadi", "", "is not a number"),
    ("Ah/madi", "81", "LASTNAME='Ah/madi' is not a name"), ("..", "81", "is not a name"), ("", "81", "is not a name"),
])
def test_a_wrong_name_is_one_line(lastname: str, student: str, message: str) -> None:
    with pytest.raises(BundleError, match=re.escape(message)):
        bundle_name("HW1_{lastname}_{student}", lastname, student)


def test_a_persian_name_is_a_name() -> None:
    assert bundle_name("HW1_{lastname}_{student}", "توسلی‌پور", "۱۲") == "HW1_توسلی‌پور_12"


@pytest.mark.parametrize(("arguments", "expected"), [
    (["--data", "nothing.zip"], r"notebooks/04_vae\.py:\d+: .*data=nothing\.zip: no such file or folder"),
    (["--set", "epoch=3"], "no chapter has a parameter 'epoch'; nearest: epochs"),
    (["--set", "epochs=three"], r"notebooks/04_vae\.py:\d+: .*epochs='three' is not of type int"),
    (["--profile", "papr"], "no profile 'papr'; nearest: paper"),
])
def test_a_wrong_choice_is_one_line(homework: Path, arguments: list[str], expected: str) -> None:
    done = in_process("check", ".", *arguments, cwd=homework)
    assert (done.status, len(done.errors)) == (1, 1)
    assert re.search(expected, done.errors[0])
    assert "Traceback" not in done.err


def test_the_chapter_runs_on_other_data_and_with_another_gamma(homework: Path, tmp_path: Path) -> None:
    folder, empty = shutil.copytree(homework, tmp_path / "homework", symlinks=True), tmp_path / "faces"
    (empty / "smile").mkdir(parents=True)
    done = in_process("execute", "04_vae", "--data", str(empty), "--profile", "smoke", cwd=folder)
    assert (done.status, len(done.errors)) == (1, 1)
    assert "notebooks/04_vae.py:" in done.errors[0]
    assert "DataError: DATA=faces: no images; two folders are needed" in done.errors[0]
    done = in_process("execute", "04_vae", "--set", "gamma=2.5", "--set", "epochs=1", "--profile", "smoke", cwd=folder)
    assert done.status == 0, done.err
    executed = nbformat.read(folder / "build" / "executed" / "04_vae.ipynb", as_version=4)
    assert "در دورهٔ پایانی همبستگی کل را" in json.dumps(executed, ensure_ascii=False)


def test_a_full_disk_is_one_line(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device", "build/x")

    monkeypatch.setattr(build, "check", full)
    monkeypatch.chdir(ROOT)
    assert cli.main(["check"]) == 1
    assert re.fullmatch("error: build/x: the disk is full; .* kept in build/\n", capsys.readouterr().err)
