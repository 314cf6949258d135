"""The ledger of a report's equations: how each was checked, as the chapters' own runs recorded it.

A chapter shows its checks with :func:`gozaresh.author.checks`. Each numbered equation then carries a mark, and the
appendix counts them. A report that keeps a ledger keeps it whole: every numbered equation must be in it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence

from nbformat import NotebookNode

from gozaresh.common.checks import MIME, SHOWN, WAYS, Check
from gozaresh.common.errors import Place, Problem, SourceError, nearest, raise_problems
from gozaresh.source.markup import EQUATION
from gozaresh.source.notebook import options_of, place_of


def collect(notebook: NotebookNode) -> tuple[Check, ...]:
    """Every check that an executed chapter recorded, in order, and the displayed relations that none is about.

    Raises:
        SourceError: a record is not one of a check.
    """
    recorded = tuple(check for check, _ in _recorded(notebook))
    return (*recorded, *_unchecked(notebook, recorded))


def _unchecked(notebook: NotebookNode, recorded: Sequence[Check]) -> Iterator[Check]:
    """A stated step for each relation that an equation shows and no step of it is about: it was typed by hand."""
    labels = {check.label for check in recorded}
    about = {(check.label, check.statement) for check in recorded if check.statement}
    for cell in notebook.cells:
        label = options_of(cell).label if cell.cell_type == "code" and options_of(cell).kind == "eq" else ""
        for relation in (r for output in cell.get("outputs", []) for r in output.get("data", {}).get(SHOWN, [])):
            if label in labels and (label, relation["statement"]) not in about:
                yield Check(label, f"${relation['shown']}$ در متن نوشته شده و شیء برنامه نیست", "stated", "—")


def _recorded(notebook: NotebookNode) -> Iterator[tuple[Check, Place]]:
    for cell in notebook.cells:
        for output in cell.get("outputs", []):
            for record in output.get("data", {}).get(MIME, []):
                yield _check(record, place_of(cell)), place_of(cell)


def _check(record: Mapping[str, str], place: Place) -> Check:
    try:
        check = Check(record["label"], record["claim"], record["how"], record["evidence"],
                      record.get("statement", ""))
    except (KeyError, TypeError) as error:
        raise SourceError(f"a check needs label, claim, how and evidence: {error}", place) from None
    if check.how not in WAYS:
        raise SourceError(f"{check.label} is said to be {check.how!r}; {nearest(check.how, WAYS)}", place)
    return check


def marks(checks: Iterable[Check]) -> dict[str, str]:
    """How each equation was checked: as weakly as its weakest step; one of definitions alone is stated.

    >>> marks([Check("eq-a", "", "proved", ""), Check("eq-a", "", "tested", "")])
    {'eq-a': 'tested'}
    """
    found: dict[str, str] = {}
    for check in checks:
        found[check.label] = max(found.get(check.label, WAYS[0]), check.how, key=WAYS.index)
    return {label: "stated" if how == "defined" else how for label, how in found.items()}


def equations(notebook: NotebookNode) -> Iterator[tuple[str, Place]]:
    """The labels of an executed chapter's numbered equations, with their places, in order."""
    for cell in notebook.cells:
        if cell.cell_type == "markdown":
            yield from _labels(cell.source, cell)
        elif options_of(cell).kind == "eq":
            yield options_of(cell).label, place_of(cell)
        for output in cell.get("outputs", []):
            for label, _ in _labels(str(output.get("data", {}).get("text/markdown", "")), cell):
                yield label, place_of(cell)


def _labels(text: str, cell: NotebookNode) -> Iterator[tuple[str, Place]]:
    for found in EQUATION.finditer(text):
        yield found[1], place_of(cell, text[: found.start()].count("\n") + 1)


def check_complete(notebooks: Sequence[NotebookNode]) -> None:
    """See that a kept ledger is whole: every numbered equation is in it, and nothing else is.

    Raises:
        SourceError: a line for every equation that is not in the ledger, and every entry without an equation.
    """
    recorded = {check.label: place for notebook in notebooks for check, place in _recorded(notebook)}
    entries = recorded.keys()
    if not entries:
        return
    shown = {label: place for notebook in notebooks for label, place in equations(notebook)}
    raise_problems([
        *(Problem(place, f"equation {label} is not in the ledger of checks")
          for label, place in shown.items() if label not in entries),
        *(Problem(recorded[label], f"the ledger of checks speaks of {label!r}, which is no equation; "
                                   f"{nearest(label, shown)}") for label in entries if label not in shown)])
