"""Certificates of proofs, as records in JSON."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from fractions import Fraction
from typing import Any, Literal

from dgm.calculus.language.encoding import encode
from dgm.calculus.language.expression import Expr, Number

Steps = Iterable[tuple[tuple[int, ...], str, Expr]]


NOTHING = Number(Fraction(0))


@dataclass(frozen=True)
class Hypothesis:
    """A condition under which a proof holds.

    ``independent``: the coordinates of z are independent under ``law``, given ``given``; ``positive``: ``term`` is
    greater than 0; ``zero``: ``term`` is 0.
    """

    kind: Literal["independent", "positive", "zero"]
    law: str = ""
    given: tuple[str, ...] = ()
    term: Expr = NOTHING


@dataclass(frozen=True)
class Certificate:
    """A proof as JSON text: the statement, its hypotheses, its slack and the steps that take its difference to 0."""

    text: str

    @classmethod
    def of(
        cls,
        left: Expr,
        relation: str,
        right: Expr,
        hypotheses: tuple[Hypothesis, ...],
        slack: Expr | None,
        zeros: tuple[tuple[int, int], ...],
        steps: Steps,
    ) -> Certificate:
        """The certificate of a finished proof."""
        record = {
            "left": encode(left),
            "relation": relation,
            "right": encode(right),
            "hypotheses": _records(hypotheses),
            "slack": None if slack is None else encode(slack),
            "zeros": [list(zero) for zero in zeros],
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
