"""Every output of a cell is set in its best form, or refused with what to do; text is as a terminal shows it."""

from __future__ import annotations

import base64
import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from nbformat import NotebookNode

from gozaresh.export.outputs import OutputError, Picture, Printed, forms
from gozaresh.export.terminal import as_shown
from gozaresh.source.cells import Cell, Options
from tests.conformance.chapters import Outcome, Workshop
from tests.conformance.grammar import FILE, SVG, filled, output, png

PNG = base64.b64encode(png(4, 4)).decode()
ADDRESS = "<__main__.Thing at 0x7f00aabbccdd>"
FRAME = ('<div><style scoped>th {}</style><table><thead><tr><th></th><th colspan="2">گروه</th></tr>'
         "<tr><th>نام</th><th>x</th><th>y</th></tr></thead><tbody><tr><th rowspan='2'>الف</th><td>-1.5</td>"
         "<td>a&lt;b</td></tr><tr><td>NaN</td><td></td></tr></tbody></table><p>2 rows × 2 columns</p></div>")


@pytest.fixture(scope="module")
def workshop(tmp_path_factory: pytest.TempPathFactory) -> Workshop:
    return Workshop(tmp_path_factory.mktemp("outputs"))


def value(data: dict[str, object], kind: str = "execute_result") -> NotebookNode:
    return output(kind, data, **({"execution_count": 1} if kind == "execute_result" else {}))


def cell(*outputs: NotebookNode, code: str = "x") -> NotebookNode:
    return NotebookNode(cell_type="code", source=code, outputs=list(outputs), metadata=NotebookNode())


def outcome(workshop: Workshop, *outputs: NotebookNode, options: Options | None = None) -> Outcome:
    cells = [Cell("markdown", "# بخش\n\nمتن.", FILE, 1), Cell("code", "x", FILE, 8, (), options or Options())]
    return workshop.outcome_of(filled(cells, [list(outputs)]))


@pytest.mark.parametrize("data", [
    {"text/html": FRAME, "text/plain": "x"}, {"image/png": PNG}, {"image/svg+xml": SVG}, {"text/latex": "$x^2$"},
    {"text/markdown": "**متن** $x$"}, {"application/json": {"نام": [1, 2]}}, {"text/plain": "['سیب', 2]"},
    {"text/html": "<b>نتیجه</b><ul><li>یک<li>دو</ul>"}, {"text/plain": "x" * 5000},
    {"text/html": "<input><label>Model</label>", "text/plain": "Model()"},
    {"application/vnd.plotly.v1+json": {}, "text/html": "<script></script>", "image/png": PNG},
], ids=lambda data: next(iter(data)))
def test_a_form_that_can_be_set_is_set_and_proved(workshop: Workshop, data: dict[str, object]) -> None:
    assert outcome(workshop, value(data)).lines == ()


def test_tables_and_several_pictures_share_the_label_of_their_cell(workshop: Workshop) -> None:
    shown = [value({"image/png": PNG}, "display_data"), value({"image/svg+xml": SVG}, "display_data")]
    options = Options(label="fig-a", fig_cap="دو نمودار", fig_alt="نمودار")
    assert outcome(workshop, *shown, options=options).lines == ()
    assert (workshop.root / "figures" / "fig-a.png").exists()
    assert (workshop.root / "figures" / "fig-a-1.svg").exists()
    table = Options(label="tbl-a", tbl_cap="جدولی با DataFrame")
    assert outcome(workshop, value({"text/html": FRAME}), options=table).lines == ()


@pytest.mark.parametrize(("data", "said"), [
    ({"application/vnd.vegalite.v5+json": {}, "text/plain": "<VegaLite 5 object>"}, "vegalite"),
    ({"application/vnd.never.seen+json": {}, "text/plain": "<Thing object>"}, "application/vnd.never.seen+json"),
    ({"text/html": "<div><script>x</script></div>", "text/plain": "Chart()"}, "JavaScript"),
    ({"application/vnd.plotly.v1+json": {}, "text/html": "<script>x</script>"}, "fig.show('svg')"),
    ({"text/plain": ADDRESS}, "Thing"), ({"audio/wav": "", "text/plain": "<Audio object>"}, "audio/wav"),
    ({"image/png": "تصویر"}, "base64"), ({"text/plain": "x" * 200_000}, "200,000"),
], ids=lambda value: next(iter(value)) if isinstance(value, dict) else "")
def test_what_cannot_be_set_is_refused_at_its_cell(workshop: Workshop, data: dict[str, object], said: str) -> None:
    found = outcome(workshop, value(data))
    assert found.kind == "refused"
    assert [line.startswith(f"{FILE}:8: ") for line in found.lines] == [True]
    assert said in found.lines[0]


def test_a_label_whose_kind_is_not_shown_is_refused(workshop: Workshop) -> None:
    found = outcome(workshop, value({"text/plain": "7"}), options=Options(label="fig-a", fig_cap="x", fig_alt="x"))
    assert found.lines == (f"{FILE}:8: fig-a is the label of a figure, and the cell shows text",)


@given(st.dictionaries(st.from_regex(r"(image|text|application|x-y)/[a-z.+-]{1,12}", fullmatch=True),
                       st.sampled_from([PNG, SVG, "<b>متن</b>", "$x$", ADDRESS, "متن"]), min_size=1))
def test_no_output_is_lost_or_shown_as_an_address(data: dict[str, object]) -> None:
    try:
        found = forms(cell(value(data)))
    except OutputError:
        return
    assert len(found) == 1
    assert not isinstance(found[0], Printed) or "0x" not in found[0].text


@pytest.mark.parametrize(("returned", "code"), [
    ("[<matplotlib.lines.Line2D at 0x7f00aabbccdd>]", "plt.plot(x)"), ("Text(0.5, 0, 'زمان')", "ax.set_xlabel('زمان')"),
    ("(array([1.]), array([0.]), <BarContainer object of 1 artists>)", "plt.hist(x)"), ("(0.0, 1.0)", "plt.xlim(0, 1)"),
    ("<Axes: title={'center': 'x'}>", "frame.plot()"),
])
def test_what_a_plotting_call_returns_is_left_out_beside_its_plot(returned: str, code: str) -> None:
    plot, result = value({"image/png": PNG}, "display_data"), value({"text/plain": returned})
    assert [type(form) for form in forms(cell(plot, result, code=code))] == [Picture]


@pytest.mark.parametrize(("written", "shown"), [
    ("10%\r100%\n", "100%\n"), ("ab\bc", "ac"), ("\x1b[31mقرمز\x1b[0m", "قرمز"), ("a\nb\x1b[1A\x1b[2KZ\n", " Z\nb"),
    ("\x1b]8;;http://a.b\x1b\\link\x1b]8;;\x1b\\", "link"), ("a\tb", "a       b"), ("x\x07\x00y", "xy"),
    ("\u0633\u0644\u0627\u200cم\rب", "\u0628\u0644\u0627\u200cم"), ("abc\x1b[2Dx\x1b[K", "ax"),
])
def test_text_is_as_a_terminal_shows_it_at_the_end(written: str, shown: str) -> None:
    assert as_shown(written) == shown


@given(st.text(alphabet=st.sampled_from("ab سم\u200c\n\r\b\t\x1b[;0123ABCDJKHm]\x07\\"), max_size=60))
def test_no_control_character_is_left(text: str) -> None:
    assert not re.search("[\x00-\x09\x0b-\x1f\x7f-\x9f]", as_shown(text))


@given(st.text(alphabet=st.characters(exclude_categories=["Cc", "Cs"])))
def test_text_without_controls_stays(text: str) -> None:
    assert as_shown(text) == text


def test_fifty_megabytes_end_at_once(tmp_path: Path) -> None:
    with pytest.raises(OutputError, match="50,000,000 characters"):
        forms(cell(output("stream", "x" * 50_000_000)))
