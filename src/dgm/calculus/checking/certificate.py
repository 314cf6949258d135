"""Certificates of proofs: records in JSON, and the one-to-one form of an expression in them.

An expression is written as ``[class, field, …]``, with a rational number as ``"p/q"``.  The form is generic, so that
nothing of an expression is interpreted, and :func:`decode` gives back the same expression.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass, fields
from fractions import Fraction
from typing import Any, Literal

from dgm.calculus.language import expression
from dgm.calculus.language.expression import Expr

Steps = Iterable[tuple[tuple[int, ...], str, Expr]]


@dataclass(frozen=True)
class Hypothesis:
    """A condition under which a proof holds.

    ``independent``: the coordinates of z are independent under ``law``, given ``given``; ``positive``: ``term`` is
    greater than 0; ``zero``: ``term`` is 0.
    """

    kind: Literal["independent", "positive", "zero"]
    law: str = ""
    given: tuple[str, ...] = ()
    term: Expr = expression.Number(Fraction(0))


def encode(value: object) -> Any:
    """A value of an expression's field, or an expression, as JSON.

    >>> encode(expression.Symbol("a") + 1)
    ['Sum', [['Symbol', 'a', False, False], ['Number', '1']]]
    """
    if isinstance(value, Expr):
        return [type(value).__name__, *(encode(getattr(value, f.name)) for f in fields(value))]  # type: ignore[arg-type]
    if isinstance(value, Fraction):
        return str(value)
    return [encode(part) for part in value] if isinstance(value, tuple) else value


def decode(record: Any) -> Expr:
    """The expression of a record.

    >>> decode(encode(expression.Symbol("a") + 1)) == expression.Symbol("a") + 1
    True
    """
    name, *values = record
    kind = getattr(expression, name)
    return kind(*(_field(f.name, value) for f, value in zip(fields(kind), values, strict=True)))  # type: ignore[no-any-return]


def _field(name: str, value: Any) -> object:
    if name == "value":
        return Fraction(value)
    if not isinstance(value, list):
        return value
    is_expression = bool(value) and isinstance(value[0], str) and hasattr(expression, value[0])
    return decode(value) if is_expression else tuple(_field("", part) for part in value)


@dataclass(frozen=True)
class Certificate:
    """A proof as JSON text: the statement, its hypotheses, its slack and the steps that take its difference to 0."""

    text: str

    @classmethod
    def of(cls, left: Expr, relation: str, right: Expr, hypotheses: tuple[Hypothesis, ...], slack: Expr | None,
           zeros: tuple[tuple[int, int], ...], steps: Steps) -> Certificate:
        """The certificate of a finished proof."""
        record = {
            "left": encode(left), "relation": relation, "right": encode(right),
            "hypotheses": _records(hypotheses),
            "slack": None if slack is None else encode(slack), "zeros": [list(zero) for zero in zeros],
            "steps": [[list(path), rule, encode(result)] for path, rule, result in steps],
        }
        return cls(json.dumps(record, separators=(",", ":")))

    @property
    def record(self) -> dict[str, Any]:
        """The certificate as a mapping."""
        loaded: dict[str, Any] = json.loads(self.text)
        return loaded

    def speaks_of(self, left: Expr, relation: str, right: Expr, hypotheses: tuple[Hypothesis, ...]) -> bool:
        """True if this is a certificate of that very statement, from no other hypotheses."""
        record, allowed = self.record, _records(hypotheses)
        same = [record["left"], record["relation"], record["right"]] == [encode(left), relation, encode(right)]
        return same and all(h in allowed for h in record["hypotheses"])


def _records(hypotheses: tuple[Hypothesis, ...]) -> list[list[Any]]:
    return [[h.kind, h.law, list(h.given), encode(h.term)] for h in hypotheses]
