"""The proofreader finds every planted loss, names its place, and accuses no sound PDF."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import typst

from gozaresh.errors import Place
from gozaresh.proofread import Proof, SourceText, proofread, tokens
from gozaresh.textlayer import repair

ROOT = Path(__file__).parent.parent
FOLDER = ROOT / "tests" / "fixtures" / "textlayer"
PARTS = (FOLDER / "persian.txt").read_text(encoding="utf-8").strip().replace("# ", "").split("\n\n")
CAPTIONS = ["ساختارِ شبکه", "روندِ آموزشِ لایه‌ها", "نمونه‌های ساخته‌شده"]
MARKUP = """
#set document(title: "م", date: datetime(year: 2025, month: 1, day: 1))
#set page(width: 16cm, height: 16cm, header: [سربرگِ گزارش], numbering: "۱")
#set text(font: "Vazirmatn", lang: "fa", dir: rtl)
#set figure(supplement: [شکل], numbering: "۱")
#let parts = sys.inputs.text.split("\\n\\n")
#outline()
#for (at, part) in parts.enumerate() {
  if part.len() < 80 { heading(part) } else [#part#footnote[پانویسِ شمارهٔ #str(at) با توضیحی کوتاه دربارهٔ متن.]]
  parbreak()
}
#counter(figure.where(kind: "x")).update(int(sys.inputs.at("first", default: "1")) - 1)
#for caption in sys.inputs.captions.split("\\n") { figure(rect[], kind: "x", caption: caption) }
#text(dir: ltr, raw(block: true, "x = torch.randn(2, 3)\\nprint(x.mean())"))
"""
SOURCES = [SourceText(tuple(part.split()), "01.py", 10 * (at + 1)) for at, part in enumerate(PARTS)]
SOURCES += [SourceText(tuple(caption.split()), "02.py", 5 + at) for at, caption in enumerate(CAPTIONS)]
SOURCES += [SourceText(("x", "torch.randn(2,", "3)"), "02.py", 50), SourceText(("print(x.mean())",), "02.py", 51)]


def read(folder: Path, parts: list[str] = PARTS, captions: list[str] = CAPTIONS, **inputs: str) -> Proof:
    pdf = folder / "report.pdf"
    pdf.write_bytes(repair(typst.compile(
        MARKUP.encode(), font_paths=[ROOT / "src" / "gozaresh" / "theme" / "fonts"], ignore_system_fonts=True,
        sys_inputs={"text": "\n\n".join(parts), "captions": "\n".join(captions), **inputs})))
    return proofread(pdf, SOURCES)


def planted(old: str, new: str) -> list[str]:
    assert sum(part.count(old) for part in PARTS) == 1, "the loss is planted in one place"
    return [part.replace(old, new) for part in PARTS]


def place_of(old: str) -> Place:
    return next(Place(source.file, source.line) for source, part in zip(SOURCES, PARTS, strict=False) if old in part)


def test_a_sound_pdf_is_sound(tmp_path: Path) -> None:
    proof = read(tmp_path)
    assert [str(found) for found in (*proof.missing, *proof.faults)] == []
    assert proof.sound
    assert proof.words == sum(len(tokens(" ".join(source.words))) for source in SOURCES) > 700
    assert proof.sources == len(SOURCES)


@pytest.mark.parametrize(("old", "new", "word"), [
    ("مسئلهٔ استنتاج مطرح شد", "استنتاج مطرح شد", "مسئلهٔ"),  # a word
    ("تفسیر حاصلِ", "تفسیر", "حاصلِ"),
    ("نخستین بار که", "بار که", "نخستین"),  # the first word of a part
    ("معنایی نخواهد داشت.", "معنایی نخواهد.", "داشت"),  # the last
    ("کلاس‌های لایه‌لایهٔ", "کلاس‌های لایه‌لایه", "لایه‌لایهٔ"),  # a hamza
    ("لازم است کلاس‌های", "لازم است کلاسهای", "کلاس‌های"),  # a half-space
    ("برخلاف انتظار", "برخالف انتظار", "برخلاف"),  # lam-alef the wrong way round
    ("رؤیای او", "روئیای او", "رؤیای"),  # a letter
    ("حتماً، اصلاً", "حتماً، اصلا", "اصلاً"),  # a mark
    ("۱٬۲۵۰٬۰۰۰", "۱٬۲۵۰٬۰۰", "۱٬۲۵۰٬۰۰۰"),  # a digit
    ("۰٫۰۲۵", "۰٫۲۵", "۰٫۰۲۵"),
    ("Welling", "", "Welling"),  # a Latin word
    ("randn⁩ نویز", "rand⁩ نویز", "randn"),
    ("src/model.py", "src/model", "py"),
    ("برتریِ مطلق ندارد", "مطلق ندارد برتریِ", "برتریِ"),  # the order
    ("یال، وابستگیِ مستقیمِ دو متغیر را. اگر بدانیم", "یال. اگر بدانیم", "مستقیمِ"),  # several words
])
def test_a_lost_word_is_named_with_its_place(tmp_path: Path, old: str, new: str, word: str) -> None:
    proof = read(tmp_path, planted(old, new))
    found = [missing for missing in proof.missing if missing.word == word]
    assert [missing.place for missing in found] == [place_of(old)]
    assert len(proof.missing) <= 5, "one loss is not reported as many"


def test_a_lost_paragraph_is_lost_whole(tmp_path: Path) -> None:
    proof = read(tmp_path, [part for at, part in enumerate(PARTS) if at != 4])
    at_place = [missing for missing in proof.missing if missing.place == Place("01.py", 50)]
    assert len(at_place) > 0.8 * len(tokens(PARTS[4]))


def test_a_lost_heading_is_not_found_in_the_contents(tmp_path: Path) -> None:
    at = PARTS.index("لایه‌ها و لاله‌ها")
    parts = [*PARTS[:at], " ", *PARTS[at + 1:]]
    assert Place("01.py", 10 * (at + 1)) in {missing.place for missing in read(tmp_path, parts).missing}


def test_a_lost_caption_is_found(tmp_path: Path) -> None:
    proof = read(tmp_path, captions=[CAPTIONS[0], "بی‌نام", CAPTIONS[2]])
    assert [missing.word for missing in proof.missing] == ["روندِ", "آموزشِ", "لایه‌ها"]
    assert {missing.place for missing in proof.missing} == {Place("02.py", 6)}


def test_captions_are_numbered_from_one(tmp_path: Path) -> None:
    assert [fault.what for fault in read(tmp_path, first="2").faults] == ["caption «شکل 2» follows «شکل 0»"]


@pytest.mark.parametrize(("new", "what"), [
    ("شکل ؟؟", "an unresolved reference"), ("شکل ??", "an unresolved reference"),
    ("علي", "an Arabic yeh or kaf"), ("كتاب", "an Arabic yeh or kaf"), ("\ufffd", "an unreadable character (U+FFFD)"),
])
def test_a_fault_is_named_with_its_page(tmp_path: Path, new: str, what: str) -> None:
    faults = read(tmp_path, planted("نخستین بار که", f"نخستین بار که {new}")).faults
    assert what in {fault.what for fault in faults}
    assert {fault.page for fault in faults} <= {1, 2}


def test_the_message_is_one_line(tmp_path: Path) -> None:
    proof = read(tmp_path, planted("حاصلِ فرض", "فرض"))
    assert [str(missing) for missing in proof.missing] == ["01.py:30: «حاصلِ» is not in the PDF"]
    assert not proof.sound
    assert replace(proof, missing=()).sound
