"""Read assignment.toml: the questions of the sheet, and which of them the chapters answer."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from gozaresh.common.errors import Place, Problem, SettingsError, nearest
from gozaresh.settings import read_toml


@dataclass(frozen=True)
class Question:
    """A question of the assignment, and the labels that answer it."""

    id: str
    points: int
    answers: tuple[str, ...]
    bonus: bool = False


def read_assignment(path: Path, name: str) -> tuple[Question, ...]:
    """Read the assignment's questions.

    Raises:
        SettingsError: broken TOML, or a question without its keys.
    """
    questions = read_toml(path, name).get("question", [])
    if not isinstance(questions, list):
        raise SettingsError("'question' must be a list of tables: [[question]]", Place(name))
    return tuple(_question(entry, name) for entry in questions)


def _question(entry: Mapping[str, object], name: str) -> Question:
    try:
        return Question(str(entry["id"]), int(str(entry["points"])), tuple(entry["answers"]),  # type: ignore[arg-type]
                        bool(entry.get("bonus", False)))
    except (KeyError, TypeError, ValueError) as error:
        raise SettingsError(f"a question needs id, points and answers: {error}", Place(name)) from None


def unanswered(questions: Iterable[Question], labels: Iterable[str], name: str) -> tuple[Problem, ...]:
    """The questions whose labels are not all in the report."""
    known = set(labels)
    return tuple(Problem(Place(name), f"question {question.id} is not answered: no label {label!r}; "
                                         f"{nearest(label, known)}")
                 for question in questions for label in question.answers if label not in known)


def points(questions: Iterable[Question], labels: Iterable[str]) -> tuple[int, int]:
    """The points of the questions whose labels are all in the report, and of all questions."""
    known, every = set(labels), list(questions)
    return sum(question.points for question in every if known.issuperset(question.answers)), sum(
        question.points for question in every)
