"""Read assignment.toml: the questions of the sheet, and which of them the chapters answer."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from gozaresh.common.errors import Place, Problem, SettingsError, nearest
from gozaresh.common.toml import line_of, read_toml
from gozaresh.settings import Text, problems_of, tuples


@dataclass(frozen=True)
class Question:
    """A question of the assignment, and the labels that answer it; ``line`` is the one of its id."""

    id: str
    points: int
    answers: tuple[str, ...]
    bonus: bool = False
    line: int = 1


class _Question(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    id: Text = Field(min_length=1)
    points: int = Field(ge=0)
    answers: tuple[Text, ...]
    bonus: bool = False


class Assignment(BaseModel):
    """All of assignment.toml."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    question: tuple[_Question, ...] = ()


def read_assignment(path: Path, name: str) -> tuple[Question, ...]:
    """Read the assignment's questions.

    Raises:
        SettingsError: broken TOML, an unknown key, a question without its keys, no question, an id used twice.
    """
    toml = read_toml(path, name)
    try:
        found = Assignment.model_validate(tuples(toml.data)).question
    except ValidationError as error:
        raise SettingsError(problems=problems_of(error, toml, Assignment)) from None
    if not found:
        raise SettingsError("holds no question; one begins with [[question]]", Place(name))
    first: dict[str, int] = {}
    for number, question in enumerate(found):
        if question.id in first:
            place, other = (toml.place(("question", at, "id")) for at in (number, first[question.id]))
            raise SettingsError(f"question {question.id!r} stands at {other} already", place)
        first[question.id] = number
    return tuple(Question(**dict(question), line=line_of(toml.text, ("question", number, "id")) or 1)
                 for number, question in enumerate(found))


def unanswered(questions: Iterable[Question], labels: Iterable[str], name: str) -> tuple[Problem, ...]:
    """The questions whose labels are not all in the report."""
    known = set(labels)
    return tuple(Problem(Place(name, question.line), f"question {question.id} is not answered: no label {label!r}; "
                                         f"{nearest(label, known)}")
                 for question in questions for label in question.answers if label not in known)


def points(questions: Iterable[Question], labels: Iterable[str]) -> tuple[int, int]:
    """The points of the questions whose labels are all in the report, and of all questions."""
    known, every = set(labels), list(questions)
    return sum(question.points for question in every if known.issuperset(question.answers)), sum(
        question.points for question in every)
