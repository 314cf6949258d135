"""The proofreader finds every planted loss, names its place, and accuses no sound PDF."""

from __future__ import annotations

import io
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import nbformat
import pikepdf
import pytest
import typst
from pikepdf import Array, Dictionary, Name

from gozaresh.common.errors import TypesetError
from gozaresh.proof import expected
from gozaresh.proof.expected import expected_chapter, expected_passages
from gozaresh.proof.page_checks import Margins, margins, unembedded_fonts
from gozaresh.proof.passage import Passage
from gozaresh.proof.proofread import Proof, proofread
from gozaresh.settings import load_project
from gozaresh.source.cells import Cell
from gozaresh.source.notebook import to_notebook
from gozaresh.typeset.textlayer import repair
from tests.conftest import ROOT, gozaresh

CHAPTER = "notebooks/01_pendulum.py"
MORE = '''
# %% [markdown]
r"""
## افزوده‌ها {#sec-more}

نیروی بازگرداننده $F=-kx$ است[^hooke] و انرژی با @eq-energy داده می‌شود، که [@koller2009] هم آورده است.
کتابخانهٔ مسئله‌ها در `pendulum.py` است؛ حتماً، اصلاً و ۱٬۲۵۰٬۰۰۰ بار دیده‌ایم که λ و FactorVAE لازم‌اند.

[^hooke]: قانون هوک برای جابه‌جایی‌های کوچک برقرار است.

$$E = \\frac{1}{2}mv^2 + mgh$$ {#eq-energy}

$$p_\\theta(x) = \\sum_{i=1}^{n} w_i$$ {#eq-sum}

1. گام نخست: مدل را بسازید.
2. گام دوم: آن را بیازمایید.

- نکتهٔ آزاد دربارهٔ @eq-sum و [@pearl1988].
"""

# %%
print("نتیجهٔ اجرا\\nepoch 1: loss 0.25")
'''


@dataclass(frozen=True)
class Small:
    """The small report, executed and exported, ready to be set again with losses in it."""

    folder: Path
    promises: tuple[Passage, ...]
    margins: Margins

    @cached_property
    def compiler(self) -> typst.Compiler:
        return typst.Compiler(self.folder / "build" / "report.typ", root=self.folder, ignore_system_fonts=True,
                              font_paths=[self.folder / "build" / "theme" / "fonts"])

    @cached_property
    def sheet(self) -> str:
        return self.path.read_text(encoding="utf-8")

    @property
    def path(self) -> Path:
        return self.folder / "build" / "chapters" / "01_pendulum.typ"

    def set(self, sheet: str) -> bytes:
        self.path.write_text(sheet, encoding="utf-8")
        try:
            return repair(self.compiler.compile())
        finally:
            self.path.write_text(self.sheet, encoding="utf-8")

    def planted(self, old: str, new: str) -> Proof:
        assert self.sheet.count(old) == 1, f"{old!r} stands {self.sheet.count(old)} times in the sheet"
        return self.read(self.set(self.sheet.replace(old, new)))

    def read(self, pdf: bytes) -> Proof:
        path = self.folder / "build" / "planted.pdf"
        path.write_bytes(pdf)
        return proofread(path, self.promises, self.margins)


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Small:
    folder = tmp_path_factory.mktemp("proof") / "pendulum"
    shutil.copytree(ROOT / "tests" / "pendulum", folder)
    shutil.copy(ROOT / "report" / "references.bib", folder)
    settings = folder / "report.toml"
    settings.write_text(settings.read_text(encoding="utf-8") + '[bibliography]\nlatin = "references.bib"\n',
                        encoding="utf-8")
    chapter = folder / CHAPTER
    chapter.write_text(chapter.read_text(encoding="utf-8") + MORE, encoding="utf-8")
    done = gozaresh("build", ".", cwd=folder)
    assert done.status == 0, done.err
    notebook = nbformat.read(folder / "build" / "executed" / "01_pendulum.ipynb", as_version=4)
    main = folder / "build" / "report.typ"  # without the appendix, which takes the most time
    main.write_text(main.read_text(encoding="utf-8").split("#appendix[")[0], encoding="utf-8")
    return Small(folder, tuple(expected_passages([expected_chapter(notebook)])),
                 margins(load_project(folder)))


def found(proof: Proof) -> list[str]:
    return [str(finding) for finding in (*proof.missing, *proof.faults)]


def line_of(text: str, folder: Path) -> int:
    return (folder / CHAPTER).read_text(encoding="utf-8").partition(text)[0].count("\n") + 1


def test_a_sound_pdf_is_sound(small: Small) -> None:
    proof = small.read(small.set(small.sheet))
    assert found(proof) == []
    assert proof.sound
    assert proof.passages == {"text": 14, "cell": 12, "equation": 3, "code": 5, "figure": 1}
    assert small.margins.left == pytest.approx(68, abs=1)


WORDS = [  # the sheet's text, what it becomes, the word that is named, and where it stands in the chapter
    ("مقدار آن برای", "آن برای", "«مقدار»", "در @fig-period مقدار"),
    ("طول‌های گوناگون رسم", "طول‌های رسم", "«گوناگون»", "در @fig-period مقدار"),
    ("طول‌های گوناگون رسم", "طول های گوناگون رسم", "«طول‌های»", "در @fig-period مقدار"),  # a half-space
    ("طول‌های گوناگون رسم", "گوناگون طول‌های رسم", "«گوناگون»", "در @fig-period مقدار"),  # the order
    ("می‌شود؛ در", "می‌شود در", "«می‌شود؛»", "دورهٔ تناوب آونگ"),  # punctuation
    ("۲٫۰۰۶ ثانیه", "۲٫۰۰۷ ثانیه", "«۲٫۰۰۶»", "برای طول یک متر"),  # a digit of a computed value
    ("۲٫۰۰۶ ثانیه", "2.006 ثانیه", "«۲٫۰۰۶»", "برای طول یک متر"),  # Latin digits
    ("۱٬۲۵۰٬۰۰۰", "۱٬۲۵۰٬۰۰", "«۱٬۲۵۰٬۰۰۰»", "کتابخانهٔ مسئله‌ها"),
    ("برابر ۹٫۸۱]", "برابر ۹٫۱۸]", "«۹٫۸۱»", ""),  # in a caption
    ("حتماً، اصلاً", "حتماً، اصلا", "«اصلاً»", "کتابخانهٔ مسئله‌ها"),  # a mark
    ("مسئله‌ها", "مساله‌ها", "«مسئله‌ها»", "کتابخانهٔ مسئله‌ها"),  # a letter
    ("برای جابه‌جایی‌های کوچک", "برای جابه‌جایی‌های", "«کوچک»", "[^hooke]:"),  # in a footnote
    ("#raw(\"pendulum.py\")", "#raw(\"pendulum\")", "«pendulum.py»", "کتابخانهٔ مسئله‌ها"),  # code in a line
    ("طول #math.equation(alt: \"ال خمیده\", $ℓ$)", "#math.equation(alt: \"ال خمیده\", $ℓ$)", "«طول»", ""),  # a head
    ("گام دوم: آن را", "گام سوم: آن را", "«دوم:»", "2. گام دوم"),  # a list
    ("محاسبهٔ دوره]", "محاسبه دوره]", "«محاسبهٔ»", "#| lst-cap"),
]


@pytest.mark.parametrize(("old", "new", "word", "where"), WORDS)
def test_a_lost_word_is_named_with_its_line(small: Small, old: str, new: str, word: str, where: str) -> None:
    proof = small.planted(old, new)
    named = [missing for missing in proof.missing if word in missing.what]
    assert named, found(proof)
    assert not where or named[0].place.line == line_of(where, small.folder)
    assert named[0].place.file == CHAPTER
    assert len(proof.missing) <= 3, "one loss is not reported as many"


THINGS = [
    ("[۱٫۵۲۱], ", "[], ", "«۱٫۵۲۱» is not in the PDF"),  # a table's cell
    ("[۰٫۶۳۴], [۰٫۵۷]", "[۰٫۵۷], [۰٫۶۳۴]", "is out of order"),  # two cells swapped
    ("[۲٫۰۵۶], [۱٫۵۲], [۲٫۴۷۷], ", "", "«۲٫۴۷۷» is not in the PDF"),
    ("return 2 * np.pi", "return 3 * np.pi", "«2» is not in the PDF"),
    ("\\n    # \u2067دوره را برمی‌گرداند\u2069", "", "the line of code «# دوره را"),
    ("    return 2 *", "  return 2 *", "«return» is not in the PDF"),  # its indentation
    ("def period(length):\\n    # \u2067دوره را برمی‌گرداند\u2069", "    # دوره را برمی‌گرداند\\ndef period(length):",
     "is out of order"),  # two lines swapped
    ("epoch 1: loss 0.25", "epoch 1: loss 0.26", "«0.25» is not in the PDF"),  # what a cell printed
    ("#xref(<tbl-period>) و #xref(<lst-f>)", "#xref(<lst-f>) و #xref(<tbl-period>)", "«جدول» is not in the PDF"),
    ("ساده با #xref(<eq-period>)", "ساده با #xref(<eq-energy>)",
     "is not in the PDF"),  # a reference to another equation
    ("#footnote[قانون هوک برای جابه‌جایی‌های کوچک برقرار است.]", "", "«۱ قانون هوک"),
    ("#cite(<koller2009>)", "#cite(<pearl1988>)", "does not have its own number"),
    ("#cite(<koller2009>)", "", "«[ ]» is not in the PDF"),
    (', alt: "منحنی صعودی دوره بر حسب طول"', ', alt: "منحنی"', "the figure «منحنی صعودی"),
    ('#image("/figures/fig-period.svg", alt: "منحنی صعودی دوره بر حسب طول")', "", "the figure «منحنی صعودی"),
    ('$F\\=−k x$', '$F\\=−x$', "«k» of a formula"),  # a glyph of a formula
    ("numbering: eq-num, $ T", "numbering: n => [(۷)], $ T", "is not in the PDF"),  # an equation's number
    ("== افزوده‌ها", "=== افزوده‌ها", "«۱.۲» is not in the PDF"),  # a heading's level
    ("numbering: eq-num, $ E", 'numbering: "(1)", $ E', "is not in the PDF"),  # Latin digits in a number
    ("دیده‌ایم", "ديده‌ايم", "an Arabic yeh or kaf"),
    ("#xref(<fig-period>)", "؟؟", "an unresolved reference"),
    ("دیده‌ایم", "دیده‌ایم \U0001d10b", "characters without a glyph"),
    ("دیده‌ایم", "دیده‌ایم افزوده", "«افزوده» is in no source"),
    ("    return 2 *", "    " + "x" * 120 + "return 2 *", "is not in the PDF"),
    ("دیده‌ایم", "#move(dx: 18cm, box[دیده‌ایم])", "reaches outside the margins"),
]


@pytest.mark.parametrize(("old", "new", "expected"), THINGS)
def test_a_lost_thing_is_found(small: Small, old: str, new: str, expected: str) -> None:
    proof = small.planted(old, new)
    assert any(expected in line for line in found(proof)), found(proof)


def blocks(sheet: str, *beginnings: str) -> list[str]:
    """The paragraphs of the sheet that begin so."""
    parts = sheet.split("\n\n")
    return [next(part for part in parts if beginning in part) for beginning in beginnings]


@pytest.mark.parametrize("beginning", ["دورهٔ تناوب آونگ", "$ E", "$ T", "نیروی"])
def test_a_lost_paragraph_is_lost_whole(small: Small, beginning: str) -> None:
    part = blocks(small.sheet, beginning)[0]
    proof = small.read(small.set(small.sheet.replace(part, "")
                                 .replace("#xref(<eq-energy>)", "۲").replace("#xref(<eq-period>)", "۱")))
    assert any("is not in the PDF" in line for line in found(proof))
    assert not proof.sound


@pytest.mark.parametrize(("first", "second"), [("$ E", "$ p"), ("دورهٔ تناوب آونگ", "برای طول یک متر")])
def test_swapped_parts_are_out_of_order(small: Small, first: str, second: str) -> None:
    one, two = blocks(small.sheet, first, second)
    swapped = small.sheet.replace(one, "\0").replace(two, one).replace("\0", two)
    assert not small.read(small.set(swapped)).sound


def test_a_part_twice_is_found(small: Small) -> None:
    part = blocks(small.sheet, "برای طول یک متر")[0].split("\n")[-1]
    assert any("is in no source, or is there twice" in line
               for line in found(small.read(small.set(small.sheet.replace(part, f"{part}\n\n{part}")))))


def test_what_the_reader_of_the_tree_leaves_out_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    """A kind of node that the page is made from and the proof does not know of would be a hole in the proof."""
    monkeypatch.setattr(expected._Reader, "_list", lambda self, kind, content: None)
    notebook = to_notebook([Cell("markdown", "متن.\n\n- بند نخست", "c.py", 1)])
    with pytest.raises(TypesetError, match=r"c\.py:1: «بند»"):
        expected_passages([expected_chapter(notebook)])


def damaged(pdf: bytes, damage: Callable[[pikepdf.Pdf], None]) -> bytes:
    out = io.BytesIO()
    with pikepdf.open(io.BytesIO(pdf)) as document:
        damage(document)
        document.save(out)
    return out.getvalue()


def tagged(element: pikepdf.Object, kind: str) -> list[pikepdf.Object]:
    kids = element.get("/K", Array())
    below = [found for kid in (kids.as_list() if isinstance(kids, Array) else [kids]) if isinstance(kid, Dictionary)
             for found in tagged(kid, kind)]
    return ([element] if element.get("/S") == kind else []) + below


def drop_alt(pdf: pikepdf.Pdf) -> None:
    del tagged(pdf.Root.StructTreeRoot, "/Figure")[0]["/Alt"]


def drop_reading(pdf: pikepdf.Pdf) -> None:
    del tagged(pdf.Root.StructTreeRoot, "/Formula")[0]["/Alt"]


def drop_font(pdf: pikepdf.Pdf) -> None:
    font = next(iter(dict(pdf.pages[2].resources["/Font"].items()).values()))
    descriptor = font["/DescendantFonts"][0]["/FontDescriptor"]
    for file in ("/FontFile2", "/FontFile3"):
        if file in descriptor:
            descriptor["/FontLost"] = descriptor[file]
            descriptor["/Flags"] = 4
            del descriptor[file]


def drop_tag(pdf: pikepdf.Pdf) -> None:
    element = tagged(pdf.Root.StructTreeRoot, "/Table")[0]
    element["/S"], element["/K"] = Name("/P"), Array()


def drop_page(pdf: pikepdf.Pdf) -> None:
    pdf.pages[2].obj["/Contents"] = pdf.make_stream(b"")


@pytest.mark.parametrize(("damage", "expected"), [
    (drop_alt, "a figure has no alternative text"), (drop_reading, "a formula has no alternative text"),
    (drop_font, "is not embedded"), (drop_tag, "«۰٫۶۳۴» is not in the PDF"), (drop_page, "is not in the PDF"),
])
def test_a_damaged_pdf_is_found(small: Small, damage: Callable[[pikepdf.Pdf], None], expected: str) -> None:
    pdf = damaged(small.set(small.sheet), damage)
    if damage is drop_font:  # a font without its program cannot be read as text either
        with pikepdf.open(io.BytesIO(pdf)) as document:
            assert any(expected in str(fault) for fault in unembedded_fonts(document))
    else:
        assert any(expected in line for line in found(small.read(pdf)))


def test_the_message_is_one_line(small: Small) -> None:
    proof = small.planted("طول‌های گوناگون رسم", "طول‌های رسم")
    assert found(proof) == [f"{CHAPTER}:6: «گوناگون» is not in the PDF"]
