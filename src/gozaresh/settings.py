"""report.toml as one frozen model: who, which chapters, which profiles, and where things lie."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from gozaresh.common.environment import cuda_present
from gozaresh.common.errors import SettingsError, nearest
from gozaresh.common.paths import THEME

Literal = str | int | float | bool


class _Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


class Cover(_Section):
    """What the cover and the running heads say."""

    title: str
    subtitle: str = ""
    opening: str = ""
    university: str = ""
    faculty: str = ""
    school: str = ""
    course: str = ""
    instructor: str = ""
    author: str = ""
    student: str = ""
    date: str = ""


class Bundle(_Section):
    """What the hand-in is called and what it carries beside the report's own files."""

    name: str = "report_{lastname}_{student}"
    include: tuple[str, ...] = ()


class Settings(_Section):
    """All of report.toml; an unknown key is an error."""

    cover: Cover
    chapters: tuple[str, ...] = Field(min_length=1)
    bibliography: dict[str, str] = {}
    theme: str = ""
    modules: tuple[str, ...] = ()
    assignment: str = ""
    default_profile: str = ""
    cuda_profile: str = ""
    varied_profile: str = ""
    data_profiles: dict[str, str] = {}
    profiles: dict[str, dict[str, Literal]] = {"default": {}}
    bundle: Bundle = Bundle()
    macros: str = ""


@dataclass(frozen=True)
class Project:
    """A report's folder and its settings; every path the engine touches is asked for here."""

    root: Path
    file: Path
    settings: Settings
    bare: bool = False  # a document by itself, without report.toml

    @property
    def build(self) -> Path:
        """Where everything generated goes, figures aside."""
        return self.root / "build"

    @property
    def figures(self) -> Path:
        """Where the figures go, one file a label."""
        return self.root / "figures"

    @property
    def pdf(self) -> Path:
        """The finished report."""
        return self.build / "report.pdf"

    @property
    def theme(self) -> Path:
        """The folder of the Typst theme: the report's own or the engine's."""
        own = self.settings.theme
        return self.root / own if own else THEME

    @cached_property
    def chapters(self) -> tuple[Path, ...]:
        """The chapters' percent scripts in order.

        Raises:
            SettingsError: a chapter is named that is not there.
        """
        paths = tuple(self.root / name for name in self.settings.chapters)
        for path, name in zip(paths, self.settings.chapters, strict=True):
            if not path.is_file():
                others = [str(p.relative_to(self.root)) for p in self.root.glob(str(Path(name).parent / "*.py"))]
                raise SettingsError(f"{self.relative(self.file)}: no chapter {name!r}; {nearest(name, others)}")
        return paths

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
            raise SettingsError(
                f"{self.relative(self.file)}: no profile {chosen!r}; {nearest(chosen, settings.profiles)}")
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
    file = next((path for path in candidates if path.is_file()), None)
    if file is None:
        raise SettingsError(f"{folder}: no report.toml here or in report/")
    name = str(file.relative_to(root))
    data = read_toml(file, name)
    try:
        settings = Settings.model_validate(_tuples(data))
    except ValidationError as error:
        raise SettingsError(f"{name}: {_first_problem(error)}") from None
    return Project(root, file, settings)


def read_toml(file: Path, name: str) -> dict[str, object]:
    """Read a TOML file.

    Raises:
        SettingsError: it is not UTF-8 or not TOML; the message has file and line.
    """
    try:
        return tomllib.loads(file.read_text(encoding="utf-8"))
    except tomllib.TOMLDecodeError as error:
        text = str(error)
        line = text.rpartition("at line ")[2].split(",")[0] if "at line " in text else "end"
        raise SettingsError(f"{name}:{line}: not valid TOML: {text}") from None
    except UnicodeDecodeError as error:
        raise SettingsError(f"{name}: not UTF-8 text: {error.reason} at byte {error.start}") from None


def _tuples(value: object) -> object:
    """TOML's lists as tuples, since a strict model of tuples takes no list."""
    if isinstance(value, list):
        return tuple(_tuples(item) for item in value)
    if isinstance(value, dict):
        return {key: _tuples(item) for key, item in value.items()}
    return value


def _first_problem(error: ValidationError) -> str:
    # a misspelt key also leaves its right spelling missing: the misspelling is what the author can mend
    problem = min(error.errors(), key=lambda found: found["type"] != "extra_forbidden")
    where = [str(part) for part in problem["loc"]]
    if problem["type"] == "extra_forbidden":
        return f"unknown key {'.'.join(where)!r}; {nearest(where[-1], _fields(where[:-1]))}"
    if problem["type"] == "missing":
        return f"key {'.'.join(where)!r} is missing"
    return f"{'.'.join(where)} = {problem['input']!r}: {problem['msg']}"


def _fields(where: Sequence[str]) -> list[str]:
    sections: dict[str, type[BaseModel]] = {"cover": Cover, "bundle": Bundle}
    model = sections.get(where[0], Settings) if where else Settings
    return list(model.model_fields)
