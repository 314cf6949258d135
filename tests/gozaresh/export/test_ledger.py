"""The ledger of a report's equations: kept whole, marked in the PDF, counted in the appendix."""

from __future__ import annotations

from pathlib import Path

import nbformat
import pytest
from nbformat import NotebookNode

from gozaresh.author import checks
from gozaresh.common.checks import MIME, SHOWN, WAYS, Check
from gozaresh.common.errors import SourceError
from gozaresh.export.document import to_document
from gozaresh.export.ledger import check_complete, collect, equations, marks
from gozaresh.export.typst_writer import to_typst

RECORD = {"label": "eq-a", "claim": "گام", "how": "proved", "evidence": "نمادین"}


def notebook(*records: dict[str, str], prose: str = "$$a=b$$ {#eq-a}", option: str = "") -> NotebookNode:
    """A notebook of one prose cell and one that shows checks."""
    meta = {"gozaresh": {"file": "notebooks/01_x.py", "line": 7, "options": {"label": option} if option else {}}}
    shown = nbformat.v4.new_output("display_data", {MIME: list(records), "text/markdown": "| a |"})
    code = nbformat.v4.new_code_cell("checks(…)", outputs=[shown] if records else [], metadata=meta)
    return nbformat.v4.new_notebook(cells=[nbformat.v4.new_markdown_cell("متن\n\n" + prose, metadata=meta), code])


def test_a_report_without_checks_needs_no_ledger() -> None:
    check_complete([notebook()])


def test_every_numbered_equation_must_be_in_a_kept_ledger() -> None:
    check_complete([notebook(RECORD)])
    with pytest.raises(SourceError, match=r"notebooks/01_x.py:9: equation eq-b is not in the ledger"):
        check_complete([notebook(RECORD), notebook(prose="$$c$$ {#eq-b}")])


def test_an_entry_without_an_equation_is_refused() -> None:
    with pytest.raises(SourceError, match="'eq-aa', which is no equation; nearest: eq-a"):
        check_complete([notebook(RECORD, RECORD | {"label": "eq-aa"})])


@pytest.mark.parametrize("wrong", [{"how": "prooved"}, {"how": "PROVED"}])
def test_an_unknown_way_is_refused(wrong: dict[str, str]) -> None:
    with pytest.raises(SourceError, match=r"nearest: proved|valid: .*proved"):
        collect(notebook(RECORD | wrong))


def test_a_record_that_lacks_something_is_refused() -> None:
    with pytest.raises(SourceError, match="a check needs label"):
        collect(notebook({"label": "eq-a"}))


@pytest.mark.parametrize(("ways", "mark"), [(WAYS[:2], "proved"), (WAYS[:3], "tested"), (WAYS, "stated"),
                                            (("stated", "proved"), "stated"), (("proved",), "proved"),
                                            (("defined",), "stated")])
def test_a_mark_is_as_weak_as_the_weakest_step(ways: tuple[str, ...], mark: str) -> None:
    assert marks(Check("eq-a", "", way, "") for way in ways) == {"eq-a": mark}


def test_equations_are_found_in_prose_computed_text_and_labelled_cells() -> None:
    found = notebook(RECORD, option="eq-c")
    found.cells[1].outputs[0]["data"]["text/markdown"] = "$$x$$ {#eq-b}"
    assert [label for label, _ in equations(found)] == ["eq-a", "eq-c", "eq-b"]


def test_the_mark_stands_at_the_equation_s_number_and_nowhere_else() -> None:
    text = to_typst("$$a$$ {#eq-a}\n\n$$b$$ {#eq-b}\n\n$$c$$", marks={"eq-a": "tested"})
    assert text.count("marked.with") == 1
    assert text.index('marked.with("tested")') < text.index("<eq-a>") < text.index("eq-num") < text.index("<eq-b>")


def test_a_table_of_checks_names_each_equation_once() -> None:
    shown = checks([RECORD, RECORD, RECORD | {"label": "eq-b", "how": "stated"}])._repr_mimebundle_()
    assert str(shown["text/markdown"]).count("@eq-a") == 1
    assert shown[MIME] == [RECORD, RECORD, RECORD | {"label": "eq-b", "how": "stated"}]


def test_a_relation_that_no_step_is_about_is_stated() -> None:
    shown = notebook(RECORD | {"label": "eq-c", "statement": "1"}, option="eq-c")
    shown.cells[1].outputs[0]["data"][SHOWN] = [{"statement": "1", "shown": "a=b"}]
    assert marks(collect(shown))["eq-c"] == "proved"
    shown.cells[1].outputs[0]["data"][SHOWN].append({"statement": "", "shown": "b=c"})
    assert marks(collect(shown))["eq-c"] == "stated"
    assert "$b=c$" in collect(shown)[-1].claim


def test_what_an_object_says_of_itself_in_latex_becomes_a_numbered_equation() -> None:
    one = notebook(option="eq-c")
    said = {"text/latex": r"$\displaystyle a^2$", "text/plain": "x"}
    one.cells[1].outputs = [nbformat.v4.new_output("execute_result", said)]
    assert "$$\na^2\n$$ {#eq-c}" in to_document(one, "figures").markdown
    one.cells[1].outputs = [nbformat.v4.new_output("execute_result", {"text/plain": "3"})]
    with pytest.raises(SourceError, match="eq-c is the label of an equation"):
        to_document(one, "figures")


def test_the_homework_s_ledger_is_whole(homework: Path) -> None:
    """The smoke report's own ledger: the build checks it; nothing that is proved is only stated."""
    notebooks = [nbformat.read(path, 4) for path in sorted((homework / "build" / "executed").glob("*.ipynb"))]
    check_complete(notebooks)
    every = [check for each in notebooks for check in collect(each)]
    proved = {check.label for check in every if check.how == "proved"}
    assert len(proved) >= 30
    assert {check.how for check in every} == set(WAYS)
