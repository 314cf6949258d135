"""The text layer: what is copied from the PDF is what was written, and what is seen does not change."""

from __future__ import annotations

import io
import re
import shutil
import subprocess
import unicodedata
from collections import Counter
from difflib import SequenceMatcher
from pathlib import Path

import numpy as np
import pikepdf
import pypdfium2
import pytest
import typst

from gozaresh.common.errors import TypesetError
from gozaresh.pdf.content import Run, find_runs
from gozaresh.pdf.font import Font, parse_to_unicode, to_unicode
from gozaresh.pdf.tags import read_tagged
from gozaresh.pdf.text import clean, outline, read_pages, words
from gozaresh.typeset.textlayer import clear_ends, repair

ROOT = Path(__file__).parents[3]
FONTS = ROOT / "src" / "gozaresh" / "theme" / "fonts"
FOLDER = ROOT / "tests" / "fixtures" / "textlayer"
PROSE = (FOLDER / "persian.txt").read_text(encoding="utf-8").replace("# ", "")
PERSIAN = re.compile("[\u0620-\u065f\u066e-\u06ef\u200c]+")


def compiled(source: Path | bytes) -> bytes:
    return bytes(typst.compile(source, root=ROOT, font_paths=[FONTS], ignore_system_fonts=True,
                               pdf_standards=["ua-1", "a-2a"]))


def small(body: str) -> bytes:
    head = """#set document(title: "م", date: datetime(year: 2025, month: 1, day: 1))
        #set text(font: "Vazirmatn", lang: "fa", dir: rtl)\n"""
    return compiled((head + body).encode())


def extracted(pdf: bytes) -> str:
    with pypdfium2.PdfDocument(pdf) as document:
        return clean("\n".join(page.get_textpage().get_text_range() for page in document))


def persian(text: str) -> list[str]:
    return [word for word in words(text) if PERSIAN.fullmatch(word)]


@pytest.fixture(scope="module")
def typeset() -> bytes:
    return compiled(FOLDER / "persian.typ")


@pytest.fixture(scope="module")
def repaired(typeset: bytes) -> bytes:
    return repair(typeset)


@pytest.fixture
def file(repaired: bytes, tmp_path: Path) -> Path:
    path = tmp_path / "report.pdf"
    path.write_bytes(repaired)
    return path


def test_the_sample_is_a_fair_one() -> None:
    assert len(words(PROSE)) >= 600
    assert all(char in PROSE for char in "ۀأؤئإآءًٌٍَُِّ\u200c×٫٬−٪«»؛؟")
    assert "هٔ" in PROSE


def test_every_persian_word_is_extracted_in_order(repaired: bytes) -> None:
    source, found = persian(PROSE), persian(extracted(repaired))
    matcher = SequenceMatcher(None, source, found, autojunk=False)
    lost = [source[a:b] for tag, a, b, _, _ in matcher.get_opcodes() if tag in ("replace", "delete")]
    assert lost == []


def test_every_latin_word_and_number_is_extracted(repaired: bytes) -> None:
    """Letters and digits apart: pdfium itself reads Conv2d in a Persian line as d2Conv."""
    atoms = re.compile("[A-Za-z]+|[0-9]+|[\u06f0-\u06f9٫٬]+")
    assert not Counter(atoms.findall(PROSE)) - Counter(atoms.findall(extracted(repaired)))


def test_the_repair_is_what_brings_it_about(typeset: bytes) -> None:
    lost = Counter(persian(PROSE)) - Counter(persian(extracted(typeset)))
    assert lost.total() > 100


@pytest.mark.parametrize("text", [
    "پانویسی دربارهٔ لایه‌های لازم و مسئلهٔ اصلی", "واژهٔ پررنگِ لایه‌ها و واژهٔ مؤکّدِ مسئله", "جملهٔ بازسازی",
    "موردِ نخست با لایه‌ای تازه و عددِ ۱۲٫۵", "مقایسهٔ خطاهای مدل‌ها برای مؤلّفه‌های گوناگون", "مدلِ لایه‌ای",
    "نمونه‌برداری با ترفندِ بازپارامتری‌سازی", "def reparameterize(mu, logvar):",
    "چارچوبی ساده برای نمایشِ لایه‌ها", "نشانیِ کلاس‌ها", "معادلهٔ",
    "return mu + std * torch.randn_like(std)",
])
def test_what_stands_round_the_prose_is_extracted(repaired: bytes, text: str) -> None:
    assert text in " ".join(extracted(repaired).split())


@pytest.mark.parametrize("word", [
    "لایه", "کلاً", "می‌لرزد", "خانهٔ", "خانۀ", "لأجل", "لإجراء", "الآن", "مُعَلِّم", "اللّه", "ضَرَبَ", "لِأنّ", "بچّه‌ها", "پیشِ‌رو",
    "شیء", "رأس", "لؤلؤ", "ایلّ", "کلّاً", "به‌لاله‌ها", "سه‌لایه‌ای", "الله", "بالا"])
@pytest.mark.parametrize("place", ["{}", "{}، {}. ({}) {}؛ {}: {}", "{}\u200c{}"])
def test_a_word_comes_back_whatever_stands_beside_it(word: str, place: str) -> None:
    text = place.replace("{}", word)
    assert persian(extracted(repair(small(text)))) == persian(text)


def test_the_page_looks_the_same(typeset: bytes, repaired: bytes) -> None:
    """Ink may differ where pdfium rounds a glyph to another pixel (it drops fractions of widths), not elsewhere."""
    for before, after in zip(pypdfium2.PdfDocument(typeset), pypdfium2.PdfDocument(repaired), strict=True):
        old, new = (page.render(scale=100 / 72).to_numpy().astype(int) for page in (before, after))
        assert abs(old.mean() - new.mean()) < 0.01
        assert np.mean(np.abs(old - new) > 64) < 5e-4


def test_the_same_bytes_give_the_same_bytes(typeset: bytes, repaired: bytes) -> None:
    assert repair(typeset) == repaired


def test_a_repaired_pdf_extracts_as_before_when_repaired_again(repaired: bytes) -> None:
    assert extracted(repair(repaired)) == extracted(repaired)


def test_every_new_code_says_one_character_beside_those_without_a_shape(repaired: bytes) -> None:
    """Joiners and direction marks share a code with the character that follows them in visual order."""
    invisible = "\u200c\u200d\u200f\u061c\u2060"
    with pikepdf.open(io.BytesIO(repaired)) as pdf:
        fonts = [font for page in pdf.pages for font in page.resources.get("/Font", {}).values()]
        new = [text for font in fonts if "Vazirmatn" in str(font.BaseFont) for text in new_sayings(font)]
    assert {len(text.strip(invisible)) for text in new} == {0, 1}
    assert any(text[0] == "\u200c" and len(text) > 1 for text in new)


def new_sayings(font: pikepdf.Object) -> list[str]:
    """What the codes say that do not stand for the glyph of their own number."""
    glyphs = font.DescendantFonts[0].CIDToGIDMap.read_bytes()
    said = parse_to_unicode(font.ToUnicode.read_bytes())
    return [text for code, text in said.items() if int.from_bytes(glyphs[2 * code:2 * code + 2], "big") != code]


def written(pdf: bytes) -> list[list[tuple[str, float, float]]]:
    """What each code of each right-to-left run says, where it begins and where it ends, in ems."""
    runs = []
    with pikepdf.open(io.BytesIO(pdf)) as document:
        for page in document.pages:
            fonts = {name: Font(font) for name, font in page.resources.get("/Font", {}).items()}
            said = {name: parse_to_unicode(page.resources.Font[name].ToUnicode.read_bytes()) for name in fonts}
            code = [item for item in pikepdf.parse_content_stream(page)
                    if isinstance(item, pikepdf.ContentStreamInstruction)]
            runs += [[(said[run.font_name][glyph.code], glyph.x / run.size, glyph.x / run.size
                       + run.font.width(glyph.code)) for glyph in run.glyphs]
                     for run in find_runs(code, fonts) if isinstance(run, Run) and run.right_to_left]
    return runs


def shown(said: str) -> bool:
    """Whether a code has a letter's or a space's width to fill: no mark, no direction mark."""
    return not any(map(unicodedata.combining, said)) and said.strip("\u200c\u200f\u061c") != ""


def test_no_code_ends_in_a_character_that_pdf_js_drops(repaired: bytes) -> None:
    """A joiner alone, or after a letter, would be lost with the letter."""
    codes = [said for run in written(repaired) for said, _, _ in run]
    assert any(said.startswith("\u200c") for said in codes)
    assert not any(said.endswith("\u200c") for said in codes)


def test_no_gap_stands_between_a_mark_and_its_letter(repaired: bytes) -> None:
    """pdf.js compares each letter's place with the end of the last code that is neither mark nor space."""
    for run in written(repaired):
        end = None
        for at, (said, x, stop) in enumerate(run):
            if not shown(said) or said.isspace():
                continue
            if end is not None and at and any(map(unicodedata.combining, run[at - 1][0])):
                assert x - end < 0.102, run
            end = stop


def test_a_letter_reaches_no_further_than_the_next_word(repaired: bytes) -> None:
    """poppler joins words that are closer than three hundredths of an em."""
    for run in written(repaired):
        for at, (said, _, _) in enumerate(run[1:-1], 1):
            if said == " ":
                before = max(stop for _, _, stop in run[:at])
                after = next((x for text, x, _ in run[at:] if shown(text) and not text.isspace()), None)
                assert after is None or after - before > 0.03, run


def test_code_is_copied_without_direction_marks(repaired: bytes) -> None:
    with pypdfium2.PdfDocument(repaired) as document:
        raw = "".join(page.get_textpage().get_text_range() for page in document)
    line = next(line for line in raw.splitlines() if "torch.randn_like" in line and "return" in line)
    assert line.isascii()


def test_a_joiner_without_a_letter_does_no_harm() -> None:
    assert persian(extracted(repair(small("\u200cها\u200c، خانه\u200c. \u200c")))) == ["ها", "خانه"]


@pytest.mark.skipif(shutil.which("pdftotext") is None, reason="poppler is not installed")
def test_poppler_finds_every_persian_word_in_order(file: Path) -> None:
    done = subprocess.run(["pdftotext", str(file), "-"], capture_output=True, check=True)
    source, found = persian(PROSE), persian(clean(done.stdout.decode()))
    blocks = SequenceMatcher(None, source, found, autojunk=False).get_matching_blocks()
    assert sum(block.size for block in blocks) == len(source)


def test_no_stream_ends_in_a_carriage_return() -> None:
    with pikepdf.new() as pdf:
        pdf.add_blank_page()
        for at, end in enumerate((b"a\r", b"b\n", b"c")):
            pdf.Root[f"/Stream{at}"] = pdf.make_stream(end)
        out = io.BytesIO()
        pdf.save(out, compress_streams=False)
    assert b"\r\nendstream" in out.getvalue()
    cleared = clear_ends(out.getvalue())
    assert b"\r\nendstream" not in cleared
    with pikepdf.open(io.BytesIO(cleared)) as pdf:
        assert [pdf.Root[f"/Stream{at}"].read_bytes() for at in range(3)] == [b"a\r", b"b\n", b"c"]


def test_the_tags_name_only_marked_content_that_is_there(repaired: bytes) -> None:
    with pikepdf.open(io.BytesIO(repaired)) as pdf:
        there = {(page.obj.objgen, int(item.operands[1].MCID)) for page in pdf.pages
                 for item in pikepdf.parse_content_stream(page, "BDC")
                 if isinstance(item.operands[1], pikepdf.Dictionary) and "/MCID" in item.operands[1]}
        named = set(tagged(pdf.Root.StructTreeRoot))
    assert named == there


def tagged(element: pikepdf.Object) -> list[tuple[tuple[int, int], int]]:
    if not isinstance(element, pikepdf.Dictionary) or "/K" not in element:
        return []
    kids = list(element.K) if isinstance(element.K, pikepdf.Array) else [element.K]
    own = [(element.Pg.objgen, int(kid)) for kid in kids if isinstance(kid, int)]
    return own + [span for kid in kids if not isinstance(kid, int) for span in tagged(kid)]


def test_direction_controls_are_not_copied(repaired: bytes) -> None:
    with pypdfium2.PdfDocument(repaired) as document:
        raw = "".join(page.get_textpage().get_text_range() for page in document)
    assert not re.search("[\u2066-\u2069]", raw)


def test_what_is_no_pdf_is_one_line() -> None:
    with pytest.raises(TypesetError, match="cannot be read") as error:
        repair(b"no pdf")
    assert "\n" not in str(error.value)


def test_cmaps_round_trip() -> None:
    said = {1: "ا", 2: "لا", 700: "\U0001d4dd", 65535: "\u200c"}
    assert parse_to_unicode(to_unicode(said)) == said
    assert parse_to_unicode(b"1 beginbfrange <0003> <0005> <0041> endbfrange") == {3: "A", 4: "B", 5: "C"}


def test_pages_outline_and_glyphs_are_read(file: Path) -> None:
    pages = read_pages(file)
    assert [page.number for page in pages] == list(range(1, len(pages) + 1))
    assert "لایه‌ها و لاله‌ها" in " ".join(outline(file))
    assert not any(page.missing_glyphs for page in read_tagged(file).pages)


def test_a_character_without_a_glyph_is_found(tmp_path: Path) -> None:
    path = tmp_path / "tofu.pdf"
    markup = '#set text(fallback: false, font: "Vazirmatn")\nab 漢字'
    path.write_bytes(typst.compile(markup.encode(), font_paths=[FONTS], ignore_system_fonts=True))
    assert [sum(page.missing_glyphs.values()) for page in read_tagged(path).pages] == [2]
