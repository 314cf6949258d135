"""The one-to-one form of an expression in JSON: ``[class, field, …]``, with a rational number as ``"p/q"``.

The form is generic, so that nothing of an expression is interpreted, and :func:`decode` gives back the same expression.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import fields
from fractions import Fraction
from typing import Any

from dgm.calculus.language import expression
from dgm.calculus.language.expression import Expr


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


def digest(left: Any, relation: str, right: Any) -> str:
    """A digest of a relation between two encoded expressions, by which a displayed relation finds its proof."""
    text = json.dumps([left, relation, right], separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()[:20]
