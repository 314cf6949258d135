"""Computed values in prose and captions: `` `{python} expr` ``, evaluated where they stand, set in Persian digits.

Before a markdown cell with values, and after a code cell whose caption holds some, a small code cell is put that
shows the values; the exporter takes them back out. So plain Papermill runs the notebook whole, and a value can never
be older than the run.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Mapping, Sequence

from gozaresh.common.errors import Place, SourceError
from gozaresh.common.persian import persian

VALUE = re.compile(r"`\{python\}\s+([^`]+?)\s*`")
MIME = "application/vnd.gozaresh.values+json"
TAG = "gozaresh-values"


def expressions(text: str) -> tuple[str, ...]:
    """The expressions in ``text``, in order.

    >>> expressions("دقت `{python} acc` و `{python} f'{x:.2f}'`")
    ('acc', "f'{x:.2f}'")
    """
    return tuple(found[1] for found in VALUE.finditer(text))


def values_code(found: Iterable[str]) -> str:
    """The code of the cell that shows the values of expressions; line 3 + n holds the n-th (from 0)."""
    lines = [f"    {expression!r}: lambda: ({expression})," for expression in found]
    return "\n".join(["from gozaresh.source.inline import show_values", "show_values({", *lines, "})"])


def check_expression(expression: str, place: Place) -> None:
    """Raise :class:`SourceError` if ``expression`` is not one Python expression on one line."""
    try:
        compile(expression, str(place), "eval")
    except SyntaxError as error:
        raise SourceError(f"`{expression}` is not a Python expression: {error.msg}", place) from None


def show_values(thunks: Mapping[str, Callable[[], object]]) -> None:
    """Evaluate each expression and display the results for the exporter (runs in the kernel)."""
    from IPython.display import display

    values = {expression: persian(thunk()) for expression, thunk in thunks.items()}
    display({MIME: values, "text/plain": json.dumps(values, ensure_ascii=False)}, raw=True)


def fill(text: str, values: Mapping[str, str], place: Place) -> str:
    """Put the values in the place of their expressions.

    Raises:
        SourceError: a value was never computed (the notebook was not run).
    """
    def value(found: re.Match[str]) -> str:
        if found[1] not in values:
            raise SourceError(f"`{found[1]}` has no computed value; run the notebook before exporting it", place)
        return values[found[1]]

    return VALUE.sub(value, text)


def collect(outputs: Sequence[Mapping[str, object]]) -> dict[str, str]:
    """The values that a values cell has shown."""
    found: dict[str, str] = {}
    for output in outputs:
        data = output.get("data")
        if isinstance(data, Mapping) and MIME in data:
            found.update(data[MIME])
    return found
