"""Persian and Latin references in one report, set by the theme alone."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
import typst

import gozaresh
from gozaresh.pdftext import read_pages
from gozaresh.textlayer import repair

PERSIAN = """@book{one, author={احمدی، رضا and محمدی، سارا}, title={یادگیری ماشین}, publisher={نشر نمونه}, year={1402}}
@article{two, author={رضایی، علی}, title={شبکه‌های بیزی}, journal={مجلهٔ آزمایش}, volume={3}, year={1400}}"""
LATIN = """@article{three, author={Doe, Jane}, title={A Trial}, journal={Journal of Trials}, year={2020}}
@article{four, author={Roe, Jan}, title={A Try}, journal={Journal of Trials}, year={2021}}"""
REPORT = """#import "/theme/theme.typ": *
#show: report.with(cover: (title: "آزمایش"))
نخست @one و سپس @two @three و پس از آن @three @two @four پایان.
#references(persian: "/fa.bib", latin: "/en.bib")"""


@pytest.fixture(scope="module")
def pages(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    folder = tmp_path_factory.mktemp("references")
    theme = Path(gozaresh.__file__).parent / "theme"
    shutil.copytree(theme, folder / "theme")
    for name, text in (("fa.bib", PERSIAN), ("en.bib", LATIN), ("main.typ", REPORT)):
        (folder / name).write_text(text, encoding="utf-8")
    pdf = typst.compile(folder / "main.typ", root=folder, font_paths=[folder / "theme" / "fonts"],
                        ignore_system_fonts=True)
    (folder / "main.pdf").write_bytes(repair(bytes(pdf)))
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
