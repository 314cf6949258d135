"""Running text as it is set: what is bracketed once, what stays together at a line's end, and that it is all there."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest
import typst
from nbformat.v4 import new_markdown_cell, new_notebook

from gozaresh.export.exporter import TypstExporter
from gozaresh.pdf.tags import TaggedPdf, read_tagged
from gozaresh.pdf.text import outline
from gozaresh.proof.actual import actual_passages
from gozaresh.proof.comparison import compare
from gozaresh.proof.expected import expected_chapter, expected_passages
from gozaresh.typeset.textlayer import repair
from tests.conftest import ROOT

THEME = "/src/gozaresh/theme/theme.typ"
EQUATIONS = "\n\n$$a=b$$ {#eq-a}\n\n$$c=d \\tag{*}$$ {#eq-b}\n"


def typeset(markdown: str, folder: Path, width: str = "12cm") -> TaggedPdf:
    """The text as a report's page of some width shows it; the proof must find it whole."""
    cell = new_markdown_cell(markdown, metadata={"gozaresh": {"file": "notebooks/01_x.py", "line": 7, "options": {}}})
    notebook = new_notebook(cells=[cell])
    sheet, _ = TypstExporter(theme=THEME).from_notebook_node(notebook)
    head = f"""#import "{THEME}": styled
        #set document(title: "م", date: datetime(year: 2025, month: 1, day: 1))
        #set page(width: {width}, margin: 0pt)\n#show: styled\n"""
    pdf = typst.compile((head + sheet).encode(), root=ROOT, ignore_system_fonts=True, pdf_standards=["ua-1", "a-2a"],
                        font_paths=[ROOT / "src" / "gozaresh" / "theme" / "fonts"])
    path = folder / "set.pdf"
    path.write_bytes(repair(bytes(pdf)))
    found = read_tagged(path)
    assert compare(expected_passages([expected_chapter(notebook)]), actual_passages(found.root)) == ([], [])
    return found


@pytest.mark.parametrize(("prose", "shown"), [
    ("از @eq-a و (بنا بر @eq-a) است", "از معادلهٔ (۱) و (بنا بر معادلهٔ ۱) است"),
    ("از (-@eq-a) و (@eq-a، @eq-a و **@eq-a**) است", "از (۱) و (معادلهٔ ۱، معادلهٔ ۱ و معادلهٔ (۱)) است"),
    ("۱) گام و @eq-a", "۱) گام و معادلهٔ (۱)"),
    ("در (@eq-b) است", "در (معادلهٔ (*)) است"),
])
def test_an_equation_s_number_within_brackets_has_none_of_its_own(tmp_path: Path, prose: str, shown: str) -> None:
    text = "".join(page.text for page in typeset(prose + EQUATIONS, tmp_path).pages)
    assert "".join(shown.split()) in "".join(text.split())


def test_a_hyphened_word_stays_on_one_line_and_is_copied_as_it_is_written(tmp_path: Path) -> None:
    words = ["β-VAE", "σ-VAE", "I-map", "Jensen–Shannon", "GPT-4", "(β-VAE)"]
    prose = "# مدل β-VAE و I-map\n\n" + "\n\n".join(f"این {word} است، آن {word}، نه {word}." for word in words)
    for width in range(100, 180, 6):
        found = typeset(prose, tmp_path, f"{width}pt")
        lines = [line for page in found.pages for line in page.text.split("\n")]
        assert not [line for line in lines if line.endswith(("-", "–"))], width
        text = "".join("".join(lines).split())
        assert [text.count(word) for word in words] == [prose.count(word) for word in words]
    assert outline(tmp_path / "set.pdf") == ["۱ مدل β-VAE و I-map"]


def test_a_long_chain_of_words_may_break(tmp_path: Path) -> None:
    word = "Auto-Encoding-Variational-Bayes-Reparameterisation"
    assert typeset(f"روش {word} است.", tmp_path, "100pt")


def test_a_chapter_s_heading_stands_above_the_figure_that_floats_to_the_top_of_its_page(tmp_path: Path) -> None:
    source = f"""#import "{THEME}": styled\n#set document(title: "م", date: datetime(year: 2025, month: 1, day: 1))
        #set page(width: 12cm, height: 14cm)\n#show: styled\n= سرفصل <sec-a>\nمتن پیش از شکل.
        #figure(kind: image, caption: [نمودار], rect(height: 3cm, width: 4cm)) <fig-a>\n{"متن پس از شکل. " * 60}"""
    pdf = typst.compile(source.encode(), root=ROOT, ignore_system_fonts=True,
                        font_paths=[ROOT / "src" / "gozaresh" / "theme" / "fonts"])
    path = tmp_path / "set.pdf"
    path.write_bytes(repair(bytes(pdf)))
    heights = {word: run.start[1] for run in read_tagged(path).pages[0].runs
               for word in ("سرفصل", "نمودار", "پیش") if word in run.text}
    assert heights["سرفصل"] > heights["نمودار"] > heights["پیش"]


NAMES = ["فصل{}دو", "الف{}ب{}ج", "داده{}۱", "{}الف", "الف{}", "الف{}b{}ج", "الف{}12{}ب", "فصل{}my_name",
         "فصل{}یک.py", "x{}دو"]


def out_of_order(signs: Sequence[str], folder: Path) -> list[str]:
    """The signs that part «فصل» and «دو» in copied text; the proof compares all names, in paragraphs and in cells."""
    names = [name.replace("{}", sign) for sign in signs for name in NAMES]
    prose = "\n\n".join(f"نام `{name}` است." for name in names)
    cells = "\n".join(f"| `{name}` | `{name}` |" for name in names)
    found = typeset(f"# سرفصل\n\n{prose}\n\n| نام | نام |\n|---|---|\n{cells}\n", folder)
    text = "".join("".join(page.text for page in found.pages).split())
    return [sign for sign in signs if text.count(f"فصل{sign}دو") < 3]


def test_persian_words_of_code_that_a_sign_joins_are_read_in_their_order(tmp_path: Path) -> None:
    assert out_of_order(["_", "__", "=", "#"], tmp_path) == []
