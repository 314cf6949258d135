"""The one error tree of :mod:`dgm`.

* DgmError

  * GraphError     -- a graph that cannot be what it is said to be (a cycle, an unknown node)
  * DataError      -- images that are missing, unreadable, or in classes that are not understood
  * ModelError     -- a model or objective given values it cannot work with
  * CalculusError  -- a density or an identity given arguments outside its domain
"""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches


class DgmError(Exception):
    """Base of every error that this package raises on purpose."""


class GraphError(DgmError):
    """A graph or a question about it does not make sense; told in one line, whatever names it repeats."""

    def __init__(self, text: str) -> None:
        super().__init__(" ".join(text.split()))


class DataError(DgmError):
    """The image data cannot be used as given."""


class ModelError(DgmError):
    """A model, objective or training setting is impossible."""


class CalculusError(DgmError):
    """A mathematical object was given arguments outside its domain."""


def nearest(value: str, valid: Iterable[str]) -> str:
    """Say which valid choice lies nearest to ``value``, as the end of an error's line.

    >>> nearest("epoch", ["beta", "epochs"])
    'nearest: epochs'
    >>> nearest("zzz", ["beta", "epochs"])
    'valid: beta, epochs'
    """
    choices = sorted(valid)
    close = get_close_matches(value, choices, n=1)
    return f"nearest: {close[0]}" if close else f"valid: {', '.join(choices)}"
