"""What is kept of an earlier build changes nothing: every PDF is that of a build which kept nothing."""

from __future__ import annotations

import hashlib
import os
import pickle
import shutil
from dataclasses import dataclass
from pathlib import Path

import pikepdf
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gozaresh.common.digests import digest
from gozaresh.common.store import Store
from gozaresh.pdf.digest import page_digests
from gozaresh.pdf.tags import read_tagged
from gozaresh.pdf.text import read_pages
from gozaresh.source.cells import Cell
from gozaresh.typeset.textlayer import repair
from tests.conftest import edit, gozaresh

PDF = Path("build") / "report.pdf"


def built(folder: Path) -> bytes:
    done = gozaresh("build", ".", cwd=folder)
    assert done.status == 0, done.err
    return (folder / PDF).read_bytes()


def anew(folder: Path) -> bytes:
    """The PDF of the same sources, of whose pages, chapters and passages nothing is kept."""
    shutil.rmtree(folder / "build" / "store")
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


def files(folder: Path) -> list[Path]:
    return sorted(path for path in folder.rglob("*") if path.is_file())


def test_a_damaged_store_is_none(pendulum_again: Path) -> None:
    before = built(pendulum_again)
    kept = files(pendulum_again / "build" / "store")
    assert kept
    for number, file in enumerate(kept):
        data = bytearray(file.read_bytes())
        data[len(data) // 2] ^= 1
        file.write_bytes(data if number % 2 else data[:len(data) // 3])
    assert built(pendulum_again) == before


class Evil:
    """A pickle that leaves a mark where it is loaded."""

    def __init__(self, mark: str) -> None:
        self.mark = mark

    def __reduce__(self) -> tuple[object, ...]:
        return os.mkdir, (self.mark,)


def test_nothing_is_unpickled(pendulum_again: Path) -> None:
    """Whatever lies in build/ runs no code, be it whole by its own digest."""
    mark = pendulum_again / "ran"
    payload = pickle.dumps(Evil(str(mark)))
    before = built(pendulum_again)
    for file in files(pendulum_again / "build" / "store") + files(pendulum_again / "build" / "cache"):
        file.write_bytes(hashlib.sha256(payload).hexdigest().encode() + b"\n" + payload)
    (pendulum_again / "build" / "manifest.json").write_bytes(payload)
    assert gozaresh("check", ".", cwd=pendulum_again).status == 0
    assert built(pendulum_again) == before
    assert not mark.exists()
    pickle.loads(payload)
    assert mark.exists(), "the test's own pickle does something"


def test_a_page_that_was_kept_is_still_held_against_its_promises(pendulum_again: Path) -> None:
    built(pendulum_again)
    theme = pendulum_again / "build" / "chapters" / "01_pendulum.typ"
    text = theme.read_text(encoding="utf-8")
    theme.write_text(text.replace("می‌شود", "", 1), encoding="utf-8")
    assert "می‌شود" in text
    done = gozaresh("typeset", cwd=pendulum_again)
    assert done.status == 1
    assert "is not in the PDF" in done.err


def test_repair_and_readers_give_the_same_from_a_store(built_pendulum: Path, tmp_path: Path) -> None:
    raw = (built_pendulum / PDF).read_bytes()
    kept = Store(tmp_path / "store")
    first = repair(raw, kept)
    assert repair(raw, Store(tmp_path / "store")) == first == repair(raw)
    path = built_pendulum / PDF
    with pikepdf.open(path) as pdf:
        keys = page_digests(pdf)
    for store in (kept, kept, Store(tmp_path / "store")):
        assert read_tagged(path, store) == read_tagged(path)
        assert read_pages(path, store, keys) == read_pages(path)


@dataclass(frozen=True)
class Inner:
    number: float
    names: tuple[str, ...]


@dataclass(frozen=True)
class Outer:
    inner: Inner
    table: dict[int, tuple[str, bool]]
    cells: tuple[Cell, ...] = ()


TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=5)
INNER = st.builds(Inner, st.floats(allow_nan=False, allow_infinity=False), st.lists(TEXT, max_size=3).map(tuple))
OUTER = st.builds(Outer, INNER, st.dictionaries(st.integers(0, 99), st.tuples(TEXT, st.booleans()), max_size=3))


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(value=OUTER, data=st.binary(max_size=40))
def test_a_value_comes_back_as_it_was_kept(tmp_path: Path, value: Outer, data: bytes) -> None:
    Store(tmp_path).keep("a", value, Outer)
    Store(tmp_path).keep("b", (data, value.inner), tuple[bytes, Inner])
    assert Store(tmp_path).find("a", Outer) == value
    assert Store(tmp_path).find("b", tuple[bytes, Inner]) == (data, value.inner)
    assert Store(tmp_path).find("a", int) is None, "another type"
    assert Store(tmp_path).find("c", Outer) is None


def test_a_store_that_must_not_write_writes_nothing(tmp_path: Path) -> None:
    kept = Store(tmp_path / "store", writes=False)
    assert kept.get("a", lambda: 1, int) == kept.get("a", lambda: 2, int) == 1
    assert not (tmp_path / "store").exists()


def test_what_is_long_not_asked_for_is_dropped(tmp_path: Path) -> None:
    for number in range(6):
        kept = Store(tmp_path)
        kept.keep(f"new {number}", "y" * 100, str)
        os.utime(tmp_path / f"new {number}", ns=(number, number))
        kept.prune()
    assert sorted(Store(tmp_path).names()) == ["new 3", "new 4", "new 5"]


def test_keys_differ_where_values_do() -> None:
    values = [1, 1.5, "1", True, None, b"1", b"2", ["1"], [["1"]], {"a": 1}, {"a": 2}, Inner(1.0, ()), Inner(2.0, ())]
    assert len({digest(value) for value in values}) == len(values)
    assert digest("a", "b") != digest("ab")
    assert digest({"a": 1, "b": 2}) == digest({"b": 2, "a": 1})
