"""report.toml as one frozen model: who, which chapters, which profiles, and where things lie."""

from __future__ import annotations

import os
import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Annotated, get_args

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError
from pydantic_core import ErrorDetails

from gozaresh.common.environment import cuda_present
from gozaresh.common.errors import Place, Problem, SettingsError, nearest, reason
from gozaresh.common.paths import THEME
from gozaresh.common.text import kind_of, printable
from gozaresh.common.toml import Toml, read_toml

Literal = str | int | float | bool
CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")
FIELDS = ("lastname", "student")  # what bundle.name may hold in braces
LONGEST_NAME = 255  # bytes of a file's name, on every common file system
LONGEST_VALUE = 80  # characters of a wrong value that are shown
CHAPTERS = (".py", ".ipynb", ".md", ".qmd", ".Rmd", ".rmd", ".markdown")  # how a chapter's file may end
BIBLIOGRAPHIES = ("latin", "persian")
OURS = ("appendix",)  # names of sheets that the engine writes itself


def _printable(text: str) -> str:
    """Text that can be set: no control character."""
    found = CONTROL.search(text)
    if found:
        raise ValueError(f"holds U+{ord(found[0]):04X}, a control character, which cannot be set")
    return text


def _not_empty(text: str) -> str:
    if not text.strip():
        raise ValueError("must not be empty")
    return text


def _relative(name: str) -> str:
    """A path inside the report's folder, so that the report can be built from its hand-in elsewhere."""
    path = Path(_printable(_not_empty(name)))
    if path.is_absolute() or ".." in path.parts:
        raise ValueError("must lie inside the report's folder, as the hand-in is built elsewhere")
    if any(len(os.fsencode(part)) > LONGEST_NAME for part in path.parts):
        raise ValueError(f"is longer than the {LONGEST_NAME} bytes that a file's name may have")
    return name


def _file_name(pattern: str) -> str:
    """A pattern of a file's name with {lastname} and {student}."""
    text = _printable(_not_empty(pattern))
    plain = re.sub(r"\{(\w+)\}", lambda found: "x" if found[1] in FIELDS else found[0], text)
    if found := re.search(r"\{[^{}]*\}|[{}]", plain):
        raise ValueError(f"{found[0]} is not known; valid: {', '.join(f'{{{name}}}' for name in FIELDS)}")
    if re.search(r'[/\\:*?"<>|]', plain) or plain.startswith((".", "-", " ")):
        raise ValueError("must be the name of a file, without a folder")
    return pattern


def _macros(text: str) -> str:
    """LaTeX macros whose braces are closed."""
    depth = 0
    for brace in re.findall(r"(?<!\\)(?:\\\\)*([{}])", text):
        depth += 1 if brace == "{" else -1
        if depth < 0:
            raise ValueError("has a closing brace without an opening one")
    if depth:
        raise ValueError(f"has {depth} braces that are not closed")
    return text


Text = Annotated[str, AfterValidator(_printable)]
Inside = Annotated[str, AfterValidator(_relative)]


class _Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


class Cover(_Section):
    """What the cover and the running heads say."""

    title: Annotated[Text, AfterValidator(_not_empty)]
    subtitle: Text = ""
    opening: Text = ""
    university: Text = ""
    faculty: Text = ""
    school: Text = ""
    course: Text = ""
    instructor: Text = ""
    author: Text = ""
    student: Text = ""
    date: Text = ""


class Bundle(_Section):
    """What the hand-in is called and what it carries beside the report's own files."""

    name: Annotated[str, AfterValidator(_file_name)] = "report_{lastname}_{student}"
    include: tuple[Inside, ...] = ()


class Execution(_Section):
    """How the chapters are run."""

    timeout: float | None = Field(default=None, gt=0, allow_inf_nan=False)  # seconds that one cell may take


class Settings(_Section):
    """All of report.toml; an unknown key is an error."""

    cover: Cover
    chapters: tuple[Inside, ...] = Field(min_length=1)
    bibliography: dict[str, Inside] = {}
    theme: Annotated[str, AfterValidator(lambda name: name and _relative(name))] = ""
    modules: tuple[Inside, ...] = ()
    assignment: Annotated[str, AfterValidator(lambda name: name and _relative(name))] = ""
    default_profile: str = ""
    cuda_profile: str = ""
    varied_profile: str = ""
    data_profiles: dict[str, str] = {}
    profiles: dict[str, dict[str, Literal]] = Field(default={"default": {}}, min_length=1)
    bundle: Bundle = Bundle()
    execute: Execution = Execution()
    macros: Annotated[str, AfterValidator(_macros)] = ""
    strict: bool = False  # whether what the house's style forbids is an error


@dataclass(frozen=True)
class Project:
    """A report's folder and its settings; every path the engine touches is asked for here."""

    root: Path
    file: Path
    settings: Settings
    toml: Toml | None = None
    bare: bool = False  # a document by itself, without report.toml

    @property
    def build(self) -> Path:
        """Where everything generated goes, figures aside."""
        return self.root / "build"

    @property
    def figures(self) -> Path:
        """Where the figures go, one file a label; those of a document by itself lie with all that is generated."""
        return self.build / "figures" if self.bare else self.root / "figures"

    @property
    def pdf(self) -> Path:
        """The finished report: the last one that was proven."""
        return self.build / "report.pdf"

    @property
    def draft(self) -> Path:
        """The PDF that is not yet proven."""
        return self.build / "report.draft.pdf"

    @property
    def theme(self) -> Path:
        """The folder of the Typst theme: the report's own or the engine's."""
        own = self.settings.theme
        return self.root / own if own else THEME

    @cached_property
    def chapters(self) -> tuple[Path, ...]:
        """The chapters' percent scripts in order.

        Raises:
            SettingsError: a chapter is named that is not there, is no script, or shares its name with another.
        """
        return tuple(self._chapter(number, name) for number, name in enumerate(self.settings.chapters))

    def _chapter(self, number: int, name: str) -> Path:
        path = _as_on_disk(self.root / name)
        place = self.place(("chapters",), name)
        if not path.is_file():
            others = [self.relative(other) for folder in {path.parent, self.root} for other in folder.glob("*.py")]
            what = kind_of(path) if path.exists() else ""
            missing = f"chapter {name!r} is {what}, no file" if what else f"no chapter {name!r}"
            raise SettingsError(f"{missing}; {nearest(name, others)}", place)
        if path.suffix not in CHAPTERS:
            raise SettingsError(f"chapter {name!r} is no script, notebook or Markdown; "
                                f"{nearest(path.suffix, CHAPTERS)}", place)
        if path.stem in OURS:
            raise SettingsError(f"chapter {name!r} has the name of a sheet that the engine writes itself", place)
        for other in self.settings.chapters[:number]:
            if _key(Path(other).stem) == _key(path.stem):
                raise SettingsError(f"chapters {other!r} and {name!r} have one name, {path.stem!r}; "
                                    "each chapter needs its own, as its notebook and its run are called by it", place)
        return path

    def place(self, where: Sequence[str | int], value: object = None) -> Place:
        """The place of a setting in report.toml, for messages."""
        return self.toml.place(where, value) if self.toml else Place(self.relative(self.file))

    def check(self) -> None:
        """See that all that the settings name is there and of the right kind.

        Raises:
            SettingsError: it is not; with report.toml's line.
        """
        _ = self.chapters
        beside = self.file.parent
        for name in self.settings.modules:
            self._demand(self.root / name, "a folder", ("modules",), name)
        for kind, name in self.settings.bibliography.items():
            if not self.settings.theme and kind not in BIBLIOGRAPHIES:
                raise SettingsError(f"no bibliography {kind!r}; {nearest(kind, BIBLIOGRAPHIES)}",
                                    self.place(("bibliography", kind)))
            self._demand(beside / name, "a file", ("bibliography", kind), name)
        if name := self.settings.assignment:
            self._demand(beside / name, "a file", ("assignment",), name)
        if name := self.settings.theme:
            self._demand(self.root / name / "theme.typ", "a file", ("theme",), f"{name}/theme.typ")
        for name in self.settings.bundle.include:
            if not (self.root / name).exists():
                raise SettingsError(f"bundle.include names {name!r}, which is not there",
                                    self.place(("bundle", "include"), name))
        self._check_profiles()
        for folder in (self.build, self.figures):
            if folder.exists() and not folder.is_dir():
                raise SettingsError(f"is {kind_of(folder)}, where a folder of this name is needed", Place(folder.name))

    def _demand(self, path: Path, kind: str, where: Sequence[str], name: str) -> None:
        try:
            found = kind_of(path)
        except OSError as error:
            raise SettingsError(f"{where[0]} names {name!r}: {reason(error)}", self.place(where, name)) from None
        if found != kind:
            raise SettingsError(f"{where[0]} names {name!r}, which is {found}, not {kind}", self.place(where, name))
        if not path.resolve().is_relative_to(self.root):
            raise SettingsError(f"{where[0]} names {name!r}, a link that leads out of the report's folder",
                                self.place(where, name))

    def _check_profiles(self) -> None:
        settings = self.settings
        named: dict[tuple[str, ...], str] = {
            ("default_profile",): settings.default_profile, ("cuda_profile",): settings.cuda_profile,
            ("varied_profile",): settings.varied_profile,
            **{("data_profiles", digest): name for digest, name in settings.data_profiles.items()}}
        for where, name in named.items():
            if name and name not in settings.profiles:
                raise SettingsError(f"no profile {name!r}; {nearest(name, settings.profiles)}", self.place(where))
            if where[0] == "data_profiles" and not re.fullmatch("[0-9a-f]{64}", where[1]):
                raise SettingsError(f"data_profiles: {where[1]!r} is no SHA-256 of a file", self.place(where))

    def relative(self, path: Path) -> str:
        """``path`` as seen from the report's folder, for messages and records."""
        return str(path.relative_to(self.root)) if path.is_relative_to(self.root) else path.name

    def profile(self, name: str, *, varied: bool = False, data: str = "") -> tuple[str, Mapping[str, Literal]]:
        """The profile called ``name`` (or the default one) and what it sets.

        ``varied`` says that parameters were given for this build, so that a default which relies on a recorded run
        does not fit; ``data`` is the SHA-256 of a data file which alone was given.

        Raises:
            SettingsError: there is no such profile.
        """
        settings = self.settings
        chosen = name or self._default_profile(varied, data)
        if chosen not in settings.profiles:
            raise SettingsError(f"no profile {chosen!r}; {nearest(chosen, settings.profiles)}",
                                Place(self.relative(self.file)))
        return chosen, settings.profiles[chosen]

    def _default_profile(self, varied: bool, data: str) -> str:
        settings = self.settings
        if settings.cuda_profile and cuda_present():
            return settings.cuda_profile
        if data in settings.data_profiles:
            return settings.data_profiles[data]
        if settings.varied_profile and varied:
            return settings.varied_profile
        return settings.default_profile or next(iter(settings.profiles))


def load_project(folder: Path) -> Project:
    """Read ``report.toml`` from ``folder`` or from its ``report/``.

    Raises:
        SettingsError: no such file, broken TOML (with its line), an unknown key (with the nearest valid one).
    """
    root = folder.resolve()
    candidates = [root / "report.toml", root / "report" / "report.toml"]
    file = next((path for path in candidates if os.path.lexists(path)), None)
    if file is None:
        raise SettingsError(f"{printable(str(folder))}: no report.toml here or in report/")
    toml = read_toml(file, str(file.relative_to(root)))
    try:
        settings = Settings.model_validate(tuples(toml.data))
    except ValidationError as error:
        raise SettingsError(problems=problems_of(error, toml, Settings)) from None
    return Project(root, file, settings, toml)


def _as_on_disk(path: Path) -> Path:
    """The path with its name as the disk has it: Persian and accented names may be written in two forms of Unicode."""
    if path.exists() or not path.parent.is_dir():
        return path
    return next((other for other in path.parent.iterdir() if _nfc(other.name) == _nfc(path.name)), path)


def _nfc(name: str) -> str:
    return unicodedata.normalize("NFC", name)


def _key(stem: str) -> str:
    """What tells chapters apart on every file system."""
    return unicodedata.normalize("NFC", stem).casefold()


def tuples(value: object) -> object:
    """TOML's lists as tuples, since a strict model of tuples takes no list."""
    if isinstance(value, list):
        return tuple(tuples(item) for item in value)
    if isinstance(value, dict):
        return {key: tuples(item) for key, item in value.items()}
    return value

WORDS = {
    "string_type": "must be text in quotes", "bool_type": "must be true or false",
    "int_type": "must be a whole number",
    "float_type": "must be a number", "tuple_type": 'must be a list, as ["a", "b"]', "dict_type": "must be a table",
    "model_type": "must be a table", "model_attributes_type": "must be a table", "too_short": "must not be empty",
    "finite_number": "must be a number", "greater_than": "must be greater than 0",
    "greater_than_equal": "must not be negative", "string_too_short": "must not be empty",
    "string_unicode": "must be text",
}


def problems_of(error: ValidationError, toml: Toml, model: type[BaseModel]) -> list[Problem]:
    """All of a model's complaints with their places, in plain words.

    A misspelt key also leaves its right spelling missing, and a wrong item its list empty; of the two only the former
    is told.
    """
    found = error.errors()
    misspelt = any(one["type"] == "extra_forbidden" for one in found)
    around = {one["loc"][:length] for one in found for length in range(1, len(one["loc"]))}
    return [_problem(one, toml, model) for one in found
            if one["loc"] not in around and not (misspelt and one["type"] == "missing")]


def _problem(found: ErrorDetails, toml: Toml, model: type[BaseModel]) -> Problem:
    where = [part for part in found["loc"] if part not in ("str", "int", "float", "bool")]
    name = printable(".".join(map(str, where)))
    place = toml.place(where, found["input"])
    if found["type"] == "extra_forbidden":
        return Problem(place, f"unknown key {name!r}; {nearest(str(where[-1]), _fields(model, where[:-1]))}")
    if found["type"] == "missing":
        return Problem(place, f"key {name!r} is missing")
    shown = repr(found["input"])
    value = shown if len(shown) <= LONGEST_VALUE else shown[:LONGEST_VALUE] + "…"
    return Problem(place, f"{name} = {value}: {_why(found)}")


def _why(found: ErrorDetails) -> str:
    """What is wrong with a value, in plain words."""
    if found["type"] == "value_error":
        return str(found["ctx"]["error"])
    if found["loc"][0] == "profiles" and len(found["loc"]) > 2:
        return "must be text, a number, true or false"
    return WORDS.get(found["type"], found["msg"])


def _fields(model: type[BaseModel], where: Sequence[str | int]) -> list[str]:
    """The keys that a table may hold."""
    for part in where:
        inner = model.model_fields[part].annotation if isinstance(part, str) and part in model.model_fields else None
        found = [one for one in (inner, *get_args(inner)) if isinstance(one, type) and issubclass(one, BaseModel)]
        model = found[0] if found else model
    return list(model.model_fields)
