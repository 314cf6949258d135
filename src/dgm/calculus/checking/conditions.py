"""Conditions and definitions of a proved step in words, as they stand beside its mark."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from dgm.calculus.checking.certificate import Certificate
from dgm.calculus.language.encoding import decode
from dgm.calculus.language.expression import Density, Expr, Mean, Named, is_scalar
from dgm.calculus.language.notation import latex

COMMON_SUPPORT = "چگالی‌ها روی یک تکیه‌گاه مشترک مثبت و امیدها و انتگرال‌ها مطلقاً همگرا"


def conditions(certificate: Certificate, sides: Iterable[Expr]) -> tuple[str, ...]:
    """The conditions under which a certificate proves the relation between ``sides``, in Persian.

    These are the hypotheses that it uses, the explicit laws under which means are taken, the names of laws that are
    printed in several ways, and, for densities, their support and convergence.
    """
    every = list(sides)
    found = [*map(_hypothesis, certificate.record["hypotheses"]), *_laws(every), *_aliases(every)]
    if not all(map(is_scalar, every)):
        found.append(COMMON_SUPPORT)
    return tuple(dict.fromkeys(found))


def _hypothesis(record: list[Any]) -> str:
    kind, law, given, term = record
    if kind == "independent":
        under = f" به شرط ${','.join(given)}$" if given else ""
        return f"اگر مؤلفه‌های $z$ زیر ${law}${under} مستقل باشند"
    sign = ">0" if kind == "positive" else "=0"
    return f"اگر ${latex(decode(term))}{sign}$"


def _laws(sides: list[Expr]) -> Iterator[str]:
    for e in _visible(sides):
        if isinstance(e, Mean) and e.name:
            own = e.name == e.law.of.name
            yield (
                f"${e.name}\\sim {latex(e.law).replace(e.law.of.name + ';', '', 1)}$"
                if own
                else f"${e.name}={latex(e.law)}$"
            )


def _aliases(sides: list[Expr]) -> Iterator[str]:
    printed: dict[str, set[str]] = {}
    for e in _visible(sides):
        if isinstance(e, Density):
            printed.setdefault(e.law, set()).add(e.symbol or e.law)
    for names in printed.values():
        if len(names) > 1:
            yield f"${'$، $'.join(sorted(names))}$ چگالی‌های یک توزیع توأم‌اند"


def definitions(sides: Iterable[Expr]) -> tuple[str, ...]:
    """The names printed in place of expressions, each as ``name := expression``, but for those at braces."""
    named = (e for e in _visible(list(sides)) if isinstance(e, Named) and not e.brace)
    return tuple(dict.fromkeys(f"${e.name}:={latex(e.body)}$" for e in named))


def _visible(sides: list[Expr]) -> Iterator[Expr]:
    """Everything inside, also inside what a name stands for."""
    for side in sides:
        yield from side.walk()
