"""What is kept of an earlier build changes nothing: every PDF is that of a build which kept nothing."""

from __future__ import annotations

import shutil
from pathlib import Path

import pikepdf
import pytest

from gozaresh.common.memo import Memo, engine, key
from gozaresh.pdf.digest import page_digests
from gozaresh.pdf.tags import read_tagged
from gozaresh.pdf.text import read_pages
from gozaresh.typeset.textlayer import repair
from tests.conftest import edit, gozaresh

PDF = Path("build") / "report.pdf"


def built(folder: Path) -> bytes:
    done = gozaresh("build", ".", cwd=folder)
    assert done.status == 0, done.err
    return (folder / PDF).read_bytes()


def anew(folder: Path) -> bytes:
    """The PDF of the same sources, of whose pages, chapters and passages nothing is kept."""
    shutil.rmtree(folder / "build" / "memo")
    return built(folder)


@pytest.mark.parametrize(("old", "new"), [
    ("داده می‌شود؛", "به‌سادگی داده می‌شود؛"),  # a word more
    ("داده می‌شود؛", "داده می‌شود و حتماً ژرف است؛"),  # letters and marks that need new codes
    ("{#sec-numbers}", "{#sec-figures}"),  # a label
])
def test_an_edit_gives_the_pdf_of_a_clean_build(pendulum_again: Path, old: str, new: str) -> None:
    before = built(pendulum_again)
    edit(pendulum_again, old, new)
    after = built(pendulum_again)
    assert after == anew(pendulum_again)
    edit(pendulum_again, new, old)
    assert built(pendulum_again) == before
    assert after != before or old.startswith("{")


def test_a_damaged_memo_is_none(pendulum_again: Path) -> None:
    before = built(pendulum_again)
    for number, file in enumerate(sorted((pendulum_again / "build" / "memo").iterdir())):
        data = bytearray(file.read_bytes())
        data[len(data) // 2] ^= 1
        file.write_bytes(data if number % 2 else data[:len(data) // 3])
    assert built(pendulum_again) == before


def test_a_page_that_was_kept_is_still_held_against_its_promises(pendulum_again: Path) -> None:
    built(pendulum_again)
    theme = pendulum_again / "build" / "chapters" / "01_pendulum.typ"
    text = theme.read_text(encoding="utf-8")
    theme.write_text(text.replace("می‌شود", "", 1), encoding="utf-8")
    assert "می‌شود" in text
    done = gozaresh("typeset", cwd=pendulum_again)
    assert done.status == 1
    assert "is not in the PDF" in done.err


def test_repair_and_readers_give_the_same_from_a_memo(built_pendulum: Path, tmp_path: Path) -> None:
    raw = (built_pendulum / PDF).read_bytes()
    kept = Memo(tmp_path / "memo")
    first = repair(raw, kept)
    kept.save()
    assert repair(raw, Memo(tmp_path / "memo")) == first == repair(raw)
    path = built_pendulum / PDF
    with pikepdf.open(path) as pdf:
        keys = page_digests(pdf)
    for _ in range(2):
        assert read_tagged(path, kept) == read_tagged(path)
        assert read_pages(path, kept, keys) == read_pages(path)


def test_a_memo_is_of_one_engine(tmp_path: Path) -> None:
    file = tmp_path / "memo"
    kept = Memo(file)
    kept.keep(key("a", 1), "found")
    kept.save()
    assert Memo(file).find(key("a", 1)) == "found"
    data = file.read_bytes()
    assert data.startswith(engine())
    file.write_bytes(bytes(len(engine())) + data[len(engine()):])
    assert Memo(file).find(key("a", 1)) is None


def test_what_is_long_not_asked_for_is_dropped(tmp_path: Path) -> None:
    kept = Memo(tmp_path / "memo")
    kept.keep("old", 1)
    for number in range(5):
        kept.keep("new", number)
        kept.save()
    assert kept.find("old") is None
    assert Memo(tmp_path / "memo").find("new") == 4
