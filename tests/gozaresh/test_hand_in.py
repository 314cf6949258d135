"""The hand-in: only of the PDF that stands for these very files, only what the report shows, all that it needs."""

from __future__ import annotations

import re
import shutil
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.conftest import ROOT, Done, edit, gozaresh

NAMES = ("--lastname", "Ahmadi", "--student", "81")


def handed_in(folder: Path, *arguments: str) -> Done:
    return gozaresh("zip", *NAMES, *arguments, cwd=folder)


def unpacked(folder: Path, target: Path) -> Path:
    """The hand-in of a report, unpacked where nothing of the report is."""
    made = next((folder / "build").glob("*.zip"))
    with zipfile.ZipFile(made) as archive:
        archive.extractall(target)
    return target / made.stem


@pytest.fixture(scope="module")
def rich(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A built report with a module, a data file, a file that code reads, a picture, and a parameter of this build."""
    folder = tmp_path_factory.mktemp("rich") / "گزارش من"
    shutil.copytree(ROOT / "tests" / "pendulum", folder)
    (folder / "lib").mkdir()
    (folder / "lib" / "helper.py").write_text("from pathlib import Path\nTEXT = Path('lib/word.txt').read_text()\n",
                                              encoding="utf-8")
    for name, text in (("lib/word.txt", "x"), ("numbers.csv", "1,2\n"), ("unused.csv", "3\n"), ("seen.txt", "7"),
                       ("figures/mine.txt", "an author's own")):
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_text(text, encoding="utf-8")
    settings = (folder / "report.toml").read_text(encoding="utf-8")
    (folder / "report.toml").write_text(f'modules = ["lib"]\n{settings}', encoding="utf-8")
    edit(folder, "lengths: int = 5", 'lengths: int = 5\ntable: "Path" = "numbers.csv"')
    edit(folder, "import numpy as np", "import helper\nopen('seen.txt').read()\nimport numpy as np")
    done = gozaresh("build", ".", "--set", "gravity=1.62", cwd=folder)
    assert done.status == 0, done.err
    return folder


@pytest.fixture
def report(rich: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The report where it was built, as it was, whatever a test does to it."""
    kept = shutil.copytree(rich, tmp_path / "kept")
    yield rich
    shutil.rmtree(rich)
    shutil.copytree(kept, rich)


def test_a_hand_in_is_built_again_from_itself_to_the_same_bytes(report: Path, tmp_path: Path) -> None:
    done = handed_in(report)
    assert done.status == 0, done.err
    assert "as in the last build: gravity=1.62" in done.err
    folder = unpacked(report, tmp_path / "elsewhere")
    names = {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}
    assert {"report.toml", "notebooks/01_pendulum.py", "lib/helper.py", "lib/word.txt", "numbers.csv", "seen.txt",
            "figures/fig-period.svg", "executed/01_pendulum.ipynb", "report.pdf"} <= names
    assert not {"unused.csv", "figures/mine.txt"} & names
    again = gozaresh("build", ".", "--set", "gravity=1.62", cwd=folder)
    assert again.status == 0, again.err
    assert (folder / "build" / "report.pdf").read_bytes() == (folder / "report.pdf").read_bytes()
    compared = gozaresh("diff", str(next((report / "build").glob("*.zip"))), str(folder), cwd=tmp_path)
    assert (compared.status, compared.out) == (0, "")
    assert "no difference" in compared.err
    other = gozaresh("build", ".", cwd=folder)
    assert other.status == 0, other.err
    compared = gozaresh("diff", str(next((report / "build").glob("*.zip"))), ".", cwd=folder)
    assert compared.status == 1, "a folder is what was built last in it, not what was handed in"
    assert "gravity" in compared.out


def spoilt(path: Path) -> None:
    path.write_bytes(path.read_bytes() + b"\n")


CHANGES: dict[str, Callable[[Path], object]] = {
    "notebooks/01_pendulum.py": lambda folder: edit(folder, "گوناگون", "دیگر"),
    "report.toml": lambda folder: spoilt(folder / "report.toml"),
    "lib/helper.py": lambda folder: spoilt(folder / "lib" / "helper.py"),
    "numbers.csv": lambda folder: spoilt(folder / "numbers.csv"),
    "seen.txt": lambda folder: (folder / "seen.txt").unlink(),
    "build/executed/01_pendulum.ipynb": lambda folder: spoilt(folder / "build" / "executed" / "01_pendulum.ipynb"),
    "build/report.pdf": lambda folder: spoilt(folder / "build" / "report.pdf"),
    "figures/fig-period.svg": lambda folder: (folder / "figures" / "fig-period.svg").unlink(),
}


@pytest.mark.parametrize("name", CHANGES)
def test_a_pdf_that_is_not_the_report_of_these_files_is_not_handed_in(report: Path, name: str) -> None:
    CHANGES[name](report)
    done = handed_in(report)
    assert done.status == 1
    assert len(done.errors) == 1
    assert f"{name} changed since build/report.pdf was proven" in done.errors[0]
    assert not list((report / "build").glob("*.zip"))


def test_another_choice_than_that_of_the_pdf_is_refused(report: Path) -> None:
    done = handed_in(report, "--set", "gravity=9")
    assert done.errors == ["error: build/report.pdf was built with gravity=1.62, and not with what is asked for now: "
                           "build it again"]
    assert handed_in(report, "--set", "gravity=1.62").status == 0


def test_a_failed_build_keeps_the_last_good_pdf_and_hands_nothing_in(report: Path) -> None:
    before = (report / "build" / "report.pdf").read_bytes()
    edit(report, "import helper", "import helper; 1 / 0")
    assert gozaresh("build", ".", "--again", cwd=report).status == 1
    assert (report / "build" / "report.pdf").read_bytes() == before
    assert "notebooks/01_pendulum.py" in handed_in(report).errors[0]


def test_a_figure_of_another_name_goes_and_an_authors_file_stays(report: Path) -> None:
    edit(report, "fig-period", "fig-other")
    done = gozaresh("build", ".", "--again", cwd=report)
    assert done.status == 0, done.err
    assert "as in the last build: gravity=1.62" in done.err
    assert {path.name for path in (report / "figures").iterdir()} == {"fig-other.svg", "mine.txt"}


@pytest.mark.parametrize(("lastname", "message"), [
    ("x" * 300, "a file's name may have"), ("`id`", "is not a name"), ("$(id)", "is not a name"),
    ("a\nb", "is not a name"), ("", "is not a name"),
])
def test_a_name_that_no_file_can_have_is_one_line(report: Path, lastname: str, message: str) -> None:
    done = gozaresh("zip", "--lastname", lastname, "--student", "81", cwd=report)
    assert done.status == 1
    assert len(done.errors) == 1
    assert message in done.errors[0]


def test_a_name_in_another_form_of_unicode_is_a_name(report: Path) -> None:
    done = gozaresh("zip", "--lastname", "Mu\u0308ller", "--student", "81", cwd=report)
    assert done.status == 0, done.err
    assert re.search("M\u00fcller", str([path.name for path in (report / "build").glob("*.zip")]))
