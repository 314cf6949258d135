"""Persian and Latin references in one report, set by the theme alone."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path

import pytest
import typst

import gozaresh
from gozaresh.common.errors import Place, SettingsError
from gozaresh.export.bibliography import Entry, read_bibliography
from gozaresh.pdf.text import read_pages
from gozaresh.proof.passage import Passage
from gozaresh.proof.proofread import proofread
from gozaresh.typeset.textlayer import repair

PERSIAN = """@book{one, author={احمدی، رضا and محمدی، سارا}, title={یادگیری ماشین}, publisher={نشر نمونه}, year={1402}}
@article{two, author={رضایی، علی}, title={شبکه‌های بیزی}, journal={مجلهٔ آزمایش}, volume={3}, year={1400}}"""
LATIN = """@article{three, author={Doe, Jane}, title={A Trial}, journal={Journal of Trials}, year={2020}}
@article{four, author={Roe, Jan}, title={A Try}, journal={Journal of Trials}, year={2021}}"""
REPORT = """#import "/theme/theme.typ": *
#show: report.with(cover: (title: "آزمایش"))
نخست @one و سپس @two @three و پس از آن @three @two @four پایان.
#references(persian: "/fa.bib", latin: "/en.bib")"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("references")
    theme = Path(gozaresh.__file__).parent / "theme"
    shutil.copytree(theme, folder / "theme")
    for name, text in (("fa.bib", PERSIAN), ("en.bib", LATIN), ("main.typ", REPORT)):
        (folder / name).write_text(text, encoding="utf-8")
    pdf = typst.compile(folder / "main.typ", root=folder, font_paths=[folder / "theme" / "fonts"],
                        ignore_system_fonts=True)
    (folder / "main.pdf").write_bytes(repair(bytes(pdf)))
    return folder


@pytest.fixture(scope="module")
def pages(folder: Path) -> list[str]:
    return [page.text for page in read_pages(folder / "main.pdf")]


def test_persian_entries_have_persian_punctuation_and_digits(pages: list[str]) -> None:
    text = " ".join(pages[-1].split())
    for words in ("احمدی", "یادگیری ماشین", "نشر نمونه", "۱۴۰۲", "جلد ۳", "شبکه‌های بیزی"):
        assert words in text
    persian = text[:text.index("Doe")]
    assert "," not in persian
    assert "vol" not in persian
    assert "and" not in persian
    assert "Journal of Trials" in text


def test_citations_of_both_kinds_share_one_numbering(pages: list[str]) -> None:
    body = next(text for text in pages if "نخست" in text)
    assert "," not in body
    assert set(digits_of(body.partition("نخست")[2].partition("پایان")[0])) == set("۱۲۳۴")


def digits_of(text: str) -> str:
    return "".join(character for character in text if character.isdigit())


@pytest.mark.parametrize(("text", "words"), [
    ('@book{k, title = "A {B}: C", year = 1999}', "a b c 1999"),
    ("@Article{k,\n  title = {{Deep} {\\'e}tude of $x$ things},\n  date={2020-05-01}, }", "deep étude of things 2020"),
    ("@misc{k, author={X, title}, title={یادگیری ژرف}, year={1402}}", "یادگیری ژرف 1402"),
    ("@string{a = {b}}\n@misc{k, note={no title}}", ""),
    ('@string{g = "Graphs"}\n@book{k, title = g # " and more", year = 1999}', "graphs and more 1999"),
    ("@comment{a @book{x, title={no}}}\n@book{k, title={Yes}, year=1999}", "yes 1999"),
])
def test_an_entry_promises_the_words_of_its_title_and_its_year(tmp_path: Path, text: str, words: str) -> None:
    (tmp_path / "a.bib").write_text(text, encoding="utf-8")
    found = read_bibliography([tmp_path / "a.bib"])
    assert list(found) == ["k"]
    assert " ".join(found["k"].words) == words


@pytest.mark.parametrize(("text", "line"), [
    ("@book{k, title={a}}\n@book(b, title={b})", 2), ("@book{k,\n title={a\n", 2)])
def test_what_is_no_bibtex_is_named_with_its_line(tmp_path: Path, text: str, line: int) -> None:
    (tmp_path / "a.bib").write_text(text, encoding="utf-8")
    with pytest.raises(SettingsError) as told:
        read_bibliography([tmp_path / "a.bib"], tmp_path)
    assert told.value.place == Place("a.bib", line)


def lost(folder: Path, entries: dict[str, Entry]) -> list[str]:
    """What the proof misses in the bibliography, if a text cites all the entries."""
    passage = Passage("text", "", (), tuple(entries), place=Place("a.py", 3))
    proof = proofread(folder / "main.pdf", [passage], entries=entries)
    return [str(missing) for missing in proof.missing if "is not in the bibliography" in str(missing)]


def test_a_source_that_the_list_does_not_show_whole_is_missed(folder: Path) -> None:
    entries = dict(read_bibliography([folder / "fa.bib", folder / "en.bib"]))
    assert lost(folder, entries) == []
    three = entries["three"]
    assert lost(folder, entries | {"three": replace(three, words=(*three.words[:-1], "2022"))}) == [
        "a.py:3: «2022» of the source three is not in the bibliography"]
    assert len(lost(folder, entries | {"five": Entry("five", ("nowhere", "2020"))})) == 1
