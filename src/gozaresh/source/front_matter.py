"""The YAML head of a document: its title, its authors, its date, and how its code is shown and run."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import yaml

from gozaresh.common.errors import Place, SourceError

HEAD = re.compile(r"\A---[ \t]*\n(?P<yaml>.*?)^(?:---|\.\.\.)[ \t]*(?:\n|\Z)", re.S | re.M)
SHOWN = ("echo", "output", "eval", "error")  # options of all cells that a head may set


@dataclass(frozen=True)
class FrontMatter:
    """What a document says of itself."""

    title: str = ""
    subtitle: str = ""
    author: str = ""
    date: str = ""
    options: Mapping[str, bool] = field(default_factory=dict)  # of every code cell
    lines: int = 0  # how many lines of the document the head takes


def read_front_matter(text: str, name: str) -> FrontMatter:
    """The YAML head that a text begins with; an empty one where it begins with none.

    Raises:
        SourceError: it is not valid YAML.
    """
    found = HEAD.match(text)
    if found is None:
        return FrontMatter()
    try:
        told = yaml.safe_load(found["yaml"])
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        mark = getattr(error, "problem_mark", None)
        problem = getattr(error, "problem", None) or "not YAML"
        place = Place(name, 2 + (mark.line if mark else 0))
        raise SourceError(f"the head is not valid YAML: {problem}", place) from None
    if not isinstance(told, Mapping):
        return FrontMatter()  # a rule, text, and a rule again
    return FrontMatter(_text(told.get("title")), _text(told.get("subtitle")),
                       _names(told.get("author", told.get("authors"))), _text(told.get("date")),
                       _options(told.get("execute")), found[0].count("\n"))


def _text(value: object) -> str:
    return "" if value is None or isinstance(value, Mapping | list) else " ".join(str(value).split())


def _names(value: object) -> str:
    """One author or several, each a text or a mapping with a name."""
    if isinstance(value, list):
        return "، ".join(filter(None, map(_names, value)))
    return _names(value.get("name")) if isinstance(value, Mapping) else _text(value)


def _options(value: object) -> dict[str, bool]:
    told: Mapping[str, Any] = value if isinstance(value, Mapping) else {}
    return {name: told[name] for name in SHOWN if isinstance(told.get(name), bool)}
