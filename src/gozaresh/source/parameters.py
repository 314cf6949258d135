"""The parameters of chapters: read from the literals of the ``parameters`` cell, overridden, and type-checked."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from gozaresh.common.data import check_data
from gozaresh.common.errors import Place, SettingsError, SourceError, nearest, reason
from gozaresh.common.persian import latin_digits
from gozaresh.common.text import printable
from gozaresh.settings import Literal
from gozaresh.source.cells import Cell

TYPES: dict[str, type] = {"int": int, "float": float, "str": str, "bool": bool, "Path": str}
TRUTH = {"true": True, "yes": True, "1": True, "false": False, "no": False, "0": False}


@dataclass(frozen=True)
class Parameter:
    """One line ``name: annotation = default`` of a parameters cell."""

    name: str
    annotation: str
    default: Literal
    place: Place

    @property
    def is_path(self) -> bool:
        """Test if the value names an input file or folder, which the cache then fingerprints."""
        return self.annotation == "Path"

    def parse(self, text: str) -> Literal:
        """The value that ``text`` from a command line stands for.

        Raises:
            SettingsError: the text is not of the parameter's type.
        """
        plain = latin_digits(text)
        try:
            if self.annotation == "bool":
                return TRUTH[plain.lower()]
            return text if TYPES[self.annotation] is str else TYPES[self.annotation](plain)
        except (ValueError, KeyError):
            raise SettingsError(f"P: {self.name}={text!r} is not of type {self.annotation}", self.place) from None

    def check(self, value: Literal, origin: str = "") -> Literal:
        """``value`` if it has the parameter's type; a whole number is a float too.

        Raises:
            SettingsError: it has not.
        """
        wanted = TYPES[self.annotation]
        if wanted is float and isinstance(value, int) and not isinstance(value, bool):
            return float(value)
        if type(value) is not wanted:
            raise SettingsError(f"{origin}{self.name} = {value!r} is not of type {self.annotation}", self.place)
        return value


def read_parameters(cells: Sequence[Cell]) -> tuple[Parameter, ...]:
    """The parameters of a chapter; none if it has no parameters cell.

    Raises:
        SourceError: the cell holds something else than annotated literals.
    """
    return tuple(parameter for cell in cells if "parameters" in cell.tags for parameter in _parameters(cell))


def _parameters(cell: Cell) -> Iterable[Parameter]:
    try:
        body = ast.parse(cell.source).body
    except SyntaxError as error:
        raise SourceError(error.msg, Place(cell.file, cell.line + (error.lineno or 1) - 1)) from None
    for node in body:
        place = Place(cell.file, cell.line + node.lineno - 1)
        if not (isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name) and node.value):
            raise SourceError("the parameters cell holds lines of 'name: type = literal' only", place)
        yield _parameter(node.target.id, node.annotation, node.value, place)


def _parameter(name: str, annotation: ast.expr, value: ast.expr, place: Place) -> Parameter:
    kind = ast.unparse(annotation).strip("'\"")
    if kind not in TYPES:
        raise SourceError(f"parameter {name} has type {kind!r}; {nearest(kind, TYPES)}", place)
    try:
        default = ast.literal_eval(value)
    except ValueError:
        raise SourceError(f"parameter {name} needs a literal value", place) from None
    parameter = Parameter(name, kind, default, place)
    parameter.check(default)
    return parameter


@dataclass(frozen=True)
class Overrides:
    """What the profile and the command line set; the command line wins. Every name belongs to some chapter."""

    profile: Mapping[str, Literal]
    given: Mapping[str, str]

    def resolve(self, parameters: Sequence[Parameter], root: Path) -> dict[str, Literal]:
        """The values of one chapter's parameters that differ from their defaults, paths seen from ``root``.

        Raises:
            SettingsError: a value has the wrong type, or a path does not exist.
        """
        values: dict[str, Literal] = {}
        for parameter in parameters:
            if parameter.name in self.given:
                values[parameter.name] = parameter.parse(self.given[parameter.name])
            elif parameter.name in self.profile:
                values[parameter.name] = parameter.check(self.profile[parameter.name], "profile: ")
            if parameter.is_path:
                _check_path(parameter, str(values.get(parameter.name, parameter.default)), root)
        return {name: value for name, value in values.items()
                if value != next(p.default for p in parameters if p.name == name)}


def _check_path(parameter: Parameter, value: str, root: Path) -> None:
    if not value:
        return
    try:
        check_data(root / value)
    except FileNotFoundError:
        raise SettingsError(f"{parameter.name}={printable(value)}: no such file or folder", parameter.place) from None
    except (OSError, ValueError) as error:
        where = printable(str(getattr(error, "filename", None) or value))
        told = f"{where}: {reason(error)}" if isinstance(error, OSError) else str(error)
        raise SettingsError(f"{parameter.name}={printable(value)}: {told}", parameter.place) from None


def check_names(overrides: Overrides, parameters: Iterable[Parameter], origin: str) -> None:
    """Hold every overridden name against all the chapters' parameters.

    Raises:
        SettingsError: no chapter has a parameter of that name; the nearest one is named.
    """
    known = {parameter.name for parameter in parameters}
    for source, names in ((f"{origin}: profile", overrides.profile), ("P", overrides.given)):
        for name in names:
            if name not in known:
                raise SettingsError(f"{source}: no chapter has a parameter {name!r}; {nearest(name, known)}")


def parse_assignments(words: Iterable[str]) -> dict[str, str]:
    """Read ``beta=4 epochs=50``.

    Raises:
        SettingsError: a word has no ``=``.
    """
    given: dict[str, str] = {}
    for word in words:
        name, sign, value = word.partition("=")
        if not sign or not name.isidentifier():
            raise SettingsError(f"P: {word!r} is not of the form name=value")
        given[name] = value
    return given
