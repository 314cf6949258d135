"""Independent checker of certificates: replays every step by rules of its own.

It imports neither the kernel nor the search, reads the JSON of a certificate as nested tuples, and does its arithmetic
in another way: a value is one polynomial over another, and two values are equal where multiplying out gives 0.  What
is wrong in the kernel and what is wrong here must coincide before a false statement passes both.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable
from fractions import Fraction
from functools import reduce
from itertools import permutations
from math import comb, factorial, floor
from typing import Any

Term = tuple[Any, ...]
Rational = int | Fraction
Poly = dict[frozenset[tuple[Any, Rational]], Rational]
Value = tuple[Poly, Poly]

UNIT: frozenset[tuple[Any, Rational]] = frozenset()
ONE: Poly = {UNIT: 1}
WORK, HIGHEST_POWER, LONGEST_GAP = 200_000, 200, 12
VARIABLES = {"x", "z", "z_j"}
RANDOM = {
    "Density",
    "Unknown",
    "Expectation",
    "Integral",
    "Divergence",
    "Entropy",
    "MutualInformation",
    "TotalCorrelation",
}
# the places of a term at which an equal one may be put: (field, position in a tuple field or None)
PLACES = {
    "Sum": None,
    "Product": None,
    "Negative": (1,),
    "Quotient": (1, 2),
    "Power": (1, 2),
    "Call": (2,),
    "Expectation": (2,),
    "Integral": (2,),
    "SumOver": (1,),
    "Mean": (2,),
    "Derivative": (1,),
}


class InvalidCertificateError(Exception):
    """The certificate does not prove its statement."""


def require(good: object, why: str) -> None:
    """Refuse unless a condition holds."""
    if not good:
        raise InvalidCertificateError(why)


# ---- terms


def exact(text: Any) -> Rational:
    """A rational number, an integer where it is whole."""
    value = Fraction(text)
    return int(value) if value.denominator == 1 else value


def num(value: Rational) -> Term:
    """A number."""
    return ("Number", str(Fraction(value)))


def total(*terms: Term) -> Term:
    """A sum."""
    return ("Sum", tuple(terms))


def times(*factors: Term) -> Term:
    """A product."""
    return ("Product", tuple(factors))


def neg(t: Term) -> Term:
    """A term subtracted."""
    return ("Negative", t)


def power(t: Term, r: Rational) -> Term:
    """A term to a rational power."""
    return ("Power", t, num(r))


def call(name: str, t: Term) -> Term:
    """A function of a term."""
    return ("Call", name, t)


def density(law: str, of: Iterable[str], given: Iterable[str] = (), bar: bool = False) -> Term:
    """A density of a law; of no variable, 1."""
    return ("Density", law, tuple(sorted(of)), tuple(sorted(given)), "", bar) if of else num(1)


def tuples(value: Any) -> Any:
    """JSON lists as tuples."""
    return tuple(map(tuples, value)) if isinstance(value, list) else value


def plain(t: Any) -> Any:
    """A term without names, printed symbols, and the order of variables."""
    if not isinstance(t, tuple) or not t:
        return t
    if t[0] == "Named":
        return plain(t[1])
    if t[0] == "Density":
        return (*t[:2], tuple(sorted(t[2])), tuple(sorted(t[3])), "", t[5])
    if t[0] == "Unknown":
        return (*t[:2], tuple(sorted(t[2])))
    if t[0] == "MutualInformation":
        return (*t[:2], *sorted(t[2:]))
    if t[0] == "Mean":
        return ("Mean", plain(t[1]), plain(t[2]), "")
    return tuple(map(plain, t))


def is_term(value: Any) -> bool:
    """True for the tuple of an expression."""
    return (
        isinstance(value, tuple)
        and bool(value)
        and isinstance(value[0], str)
        and value[0][:1].isupper()
        and len(value) > 1
    )


def inside(t: Term) -> list[Term]:
    """Every term directly inside, whatever its place."""
    found: list[Term] = []
    for field in t[1:]:
        if is_term(field):
            found.append(field)
        elif isinstance(field, tuple):
            found += [part for part in field if is_term(part)]
    return found


def places(t: Term) -> list[Term]:
    """The terms at which an equal one may be put."""
    where = PLACES.get(t[0], ())
    return list(t[1]) if where is None else [t[i] for i in where]


def replaced(t: Term, path: tuple[int, ...], new: Term) -> Term:
    """A term with the one at a path replaced."""
    if not path:
        return new
    i, rest = path[0], path[1:]
    where = PLACES.get(t[0], ())
    if where is None:
        return (t[0], (*t[1][:i], replaced(t[1][i], rest, new), *t[1][i + 1 :]))
    k = where[i]
    return (*t[:k], replaced(t[k], rest, new), *t[k + 1 :])


def holds(t: Any, what: Term) -> bool:
    """True if a term stands anywhere inside another."""
    return t == what or (isinstance(t, tuple) and any(holds(part, what) for part in t))


def shut(variables: Iterable[str]) -> set[str]:
    """Variables, and with z its coordinate."""
    every = set(variables)
    return every | {"z_j"} if "z" in every else every


def depends(t: Term) -> set[str]:
    """The random variables that the value of a term depends on."""
    tag = t[0]
    if tag == "Density":
        return {*t[2], *t[3]}
    if tag == "Unknown":
        return set(t[2])
    if tag == "Expectation":
        return (depends(t[2]) - shut(t[1][2])) | set(t[1][3])
    if tag == "Integral":
        return depends(t[2]) - shut((t[1],))
    if tag == "Divergence" and t[1][0] == "Density":
        return (depends(t[1]) | depends(t[2])) - shut(t[1][2])
    if tag == "Entropy":
        return set(t[1][3])
    if tag == "MutualInformation":
        return set()
    found = set().union(*map(depends, inside(t))) if inside(t) else set()
    return (found - {"z_j"}) | {"z"} if tag == "SumOver" and "z_j" in found else found


def indexed(t: Any) -> bool:
    """True if the index j stands free: in z_j or in a symbol, not inside a sum over j."""
    if isinstance(t, str):
        return t == "z_j"
    if not isinstance(t, tuple) or t[:1] == ("SumOver",):
        return False
    return "_j" in t[1] if t[:1] == ("Symbol",) else any(map(indexed, t))


def bound_in(t: Term) -> set[Term]:
    """The variables that means and divergences of explicit laws bind inside."""
    own = {t[1][1]} if t[0] in ("Mean", "Divergence") and t[1][0] in ("Normal", "Laplace") else set()
    return own.union(*map(bound_in, inside(t))) if inside(t) else own


def laws_in(t: Any) -> set[str]:
    """The names of the laws that a term speaks of."""
    if not isinstance(t, tuple):
        return set()
    own = {t[1]} if t[:1] in (("Density",), ("MutualInformation",), ("TotalCorrelation",)) and len(t) > 1 else set()
    return own.union(*map(laws_in, t)) if t else own


def meaning(t: Term) -> Term:
    """The definition of a named quantity."""
    tag = t[0]
    if tag == "Divergence":
        gap = total(call("log", t[1]), neg(call("log", t[2])))
        return ("Expectation", t[1], gap) if t[1][0] == "Density" else ("Mean", t[1], gap, "")
    if tag == "Entropy":
        return neg(("Expectation", t[1], call("log", t[1])))
    if tag == "MutualInformation":
        return ("Divergence", density(t[1], t[2:]), times(density(t[1], t[2:3]), density(t[1], t[3:])))
    if tag == "TotalCorrelation":
        return ("Divergence", density(t[1], ("z",)), density(t[1], ("z",), (), True))
    if tag == "Normal":
        squared = ("Quotient", power(total(t[1], neg(t[2])), 2), times(num(2), power(t[3], 2)))
        return (
            "Quotient",
            call("exp", neg(squared)),
            times(t[3], power(times(num(2), ("Constant", "\\pi")), Fraction(1, 2))),
        )
    require(tag == "Laplace", "nothing to unfold")
    away = ("Quotient", call("abs", total(t[1], neg(t[2]))), t[3])
    return ("Quotient", call("exp", neg(away)), times(num(2), t[3]))


# ---- polynomials


def plus(a: Poly, b: Poly, factor: Rational = 1) -> Poly:
    """The sum of a polynomial and a multiple of another."""
    out = dict(a)
    for m, c in b.items():
        out[m] = out.get(m, 0) + factor * c
    return {m: c for m, c in out.items() if c}


def primes(c: Fraction) -> dict[int, int]:
    """The primes of a positive rational number with their exponents."""
    found: dict[int, int] = {}
    for k, side in ((c.numerator, 1), (c.denominator, -1)):
        p = 2
        while k > 1:
            p = p if p * p <= k else k
            while k % p == 0:
                k //= p
                found[p] = found.get(p, 0) + side
            p += 1
            require(p < 10**5 or k < 10**10, "a number is too large")
    return found


def single(x: Any, r: Rational = 1) -> Poly:
    """The polynomial of one irreducible quantity to a power."""
    return {frozenset({(x, r)}): 1}


class Checker:
    """Values, signs, well-formedness and rules, under the hypotheses of one certificate."""

    def __init__(self, hypotheses: tuple[Term, ...] = ()) -> None:
        self.hypotheses = hypotheses
        self.work = WORK
        self._values: dict[Term, Value] = {}
        self._signs: dict[Term, str] = {}
        self._good: set[tuple[Term, frozenset[Term]]] = set()

    # ---- values

    def product(self, a: Poly, b: Poly) -> Poly:
        """The product of two polynomials."""
        self.work -= len(a) * len(b)
        require(self.work >= 0, "too much arithmetic")
        out: Poly = {}
        for m, c in a.items():
            for k, e in b.items():
                out = self._added(out, m, k, c * e)
        return {m: c for m, c in out.items() if c}

    def _added(self, out: Poly, m: Iterable[Any], k: Iterable[Any], c: Rational) -> Poly:
        exponents = dict(m)
        for x, r in k:
            exponents[x] = exponents.get(x, 0) + r
        extra = ONE
        for x, r in list(exponents.items()):
            if x[0] == "prime":
                c, exponents[x] = c * Fraction(x[1]) ** floor(r), r - floor(r)
            elif x[0] == "root" and r > 0 and r.denominator == 1:
                extra, exponents[x] = self.raised(extra, dict(x[1]), int(r)), 0
        key = frozenset((x, r) for x, r in exponents.items() if r)
        if extra is ONE:
            out[key] = out.get(key, 0) + c
            return out
        return plus(out, self.product({key: c}, extra))

    def raised(self, start: Poly, p: Poly, n: int) -> Poly:
        """A polynomial times a power of another."""
        require(n <= HIGHEST_POWER, "a power is too large")
        for _ in range(n):
            start = self.product(start, p)
        return start

    def value(self, t: Term) -> Value:
        """The value of a term, remembered."""
        if t not in self._values:
            self._values[t] = self._value(t)
        return self._values[t]

    def _value(self, t: Term) -> Value:
        tag = t[0]
        if tag == "Number":
            c = exact(t[1])
            return ({UNIT: c} if c else {}), ONE
        if tag == "Constant" and t[1] == "e":
            return self.value(call("exp", num(1)))
        if tag == "Sum":
            return reduce(self._sum, map(self.value, t[1]))
        if tag == "Negative":
            n, d = self.value(t[1])
            return {m: -c for m, c in n.items()}, d
        if tag in ("Product", "Quotient"):
            factors = (
                map(self.value, t[1]) if tag == "Product" else (self.value(t[1]), self.to_power(self.value(t[2]), -1))
            )
            return reduce(self._times, factors)
        if tag == "Power":
            return self._power(t)
        if tag == "Call":
            return self._call(t[1], t[2])
        return single(t), ONE

    def _sum(self, a: Value, b: Value) -> Value:
        if a[1] == b[1]:
            return plus(a[0], b[0]), a[1]
        return plus(self.product(a[0], b[1]), self.product(b[0], a[1])), self.product(a[1], b[1])

    def _times(self, a: Value, b: Value) -> Value:
        return self.product(a[0], b[0]), self.product(a[1], b[1])

    def _power(self, t: Term) -> Value:
        n, d = self.value(t[2])
        if d == ONE and set(n) <= {UNIT}:
            return self.to_power(self.value(t[1]), n.get(UNIT, 0))
        require(self.sign(t[1]) == "+", "power of what is not positive")
        return self.value(call("exp", times(t[2], call("log", t[1]))))

    def _call(self, name: str, t: Term) -> Value:
        if name == "sqrt":
            return self.to_power(self.value(t), Fraction(1, 2))
        if name == "log":
            return self.log(t)
        n, d = self.value(t)
        if name == "exp":
            return self._exp(n, d)
        require(name == "abs", "unknown function")
        if self.sign(t) or not n:
            return n, d
        lead = min(n.items(), key=lambda item: repr(sorted(item[0], key=repr)))[1]
        side = 1 if lead > 0 else -1
        return single(("abs", frozenset((m, side * c) for m, c in n.items()), frozenset(d.items()))), ONE

    def _exp(self, n: Poly, d: Poly) -> Value:
        out: Value = (ONE, ONE)
        for m, c in n.items():
            x: Any = ("",)
            r: Rational = 0
            if len(m) == 1:
                x, r = next(iter(m))
            if d == ONE and r == 1 and x[0] == "log" and len(x) == 2:
                out = self._times(out, self.to_power((dict(x[1]), ONE), c))
            else:
                out = self._times(out, (single(("exp", m, frozenset(d.items())), c), ONE))
        return out

    def to_power(self, v: Value, r: Rational) -> Value:
        """A value to a rational power."""
        require(-HIGHEST_POWER <= r <= HIGHEST_POWER, "a power is too large")
        n, d = v
        if r.denominator == 1 and r >= 0:
            return self.raised(ONE, n, int(r)), self.raised(ONE, d, int(r))
        if r.denominator == 1:
            require(n, "division by zero")
            if len(n) > 1:
                return self.raised(ONE, d, int(-r)), self.raised(ONE, n, int(-r))
            ((m, c),) = n.items()
            inverse: Poly = {frozenset((x, -e) for x, e in m): Fraction(1) / c}
            return self.raised(ONE, self.product(d, inverse), int(-r)), ONE
        require(d == ONE, "root of a quotient")
        if len(n) == 1:
            ((m, c),) = n.items()
            if c > 0 and all(self.atom(x) == "+" for x, _ in m):
                own: Poly = {frozenset((("prime", p), e * r) for p, e in primes(Fraction(c)).items()): 1}
                return self.product(self.product(ONE, own), {frozenset((x, e * r) for x, e in m): 1}), ONE
        return single(("root", frozenset(n.items())), r), ONE

    def log(self, t: Term) -> Value:
        """A logarithm as a sum; each factor that is taken out is positive."""
        if t[0] == "Product" and all(self.sign(k) == "+" for k in t[1]):
            return reduce(self._sum, map(self.log, t[1]))
        if t[0] == "Quotient" and self.sign(t[1]) == "+" == self.sign(t[2]):
            return self._sum(self.log(t[1]), self._times(({UNIT: -1}, ONE), self.log(t[2])))
        if t[0] == "Power" and t[2][0] == "Number" and self.sign(t[1]) == "+":
            return self._times(({UNIT: exact(t[2][1])} if exact(t[2][1]) else {}, ONE), self.log(t[1]))
        if t[0] == "Call" and t[1] == "exp":
            return self.value(t[2])
        n, d = self.value(t)
        if self.poly_sign(d) != "+":
            return single(("log", frozenset(n.items()), frozenset(d.items()))), ONE
        return self._sum(self._log_poly(n), self._times(({UNIT: -1}, ONE), self._log_poly(d)))

    def _log_poly(self, p: Poly) -> Value:
        require(p, "logarithm of zero")
        common = {x: min(dict(m).get(x, 0) for m in p) for m in p for x, _ in m if self.atom(x) == "+"}
        rest = self.product(p, {frozenset((x, -e) for x, e in common.items() if e): 1})
        lead = min(rest.items(), key=lambda item: repr(sorted(item[0], key=repr)))[1]
        rest = {m: exact(Fraction(c) / lead) for m, c in rest.items()}
        if lead <= 0 or self.poly_sign(rest) != "+":
            return single(("log", frozenset(p.items()))), ONE
        out: Value = ({} if rest == ONE else single(("log", frozenset(rest.items()))), ONE)
        for x, e in [*common.items(), *((("prime", q), n) for q, n in primes(Fraction(lead)).items())]:
            if e:
                out = self._sum(out, self._times(({UNIT: e}, ONE), self._log_atom(x)))
        return out

    def _log_atom(self, x: Any) -> Value:
        if x[0] == "root":
            return self._log_poly(dict(x[1]))
        if x[0] == "exp":
            return {x[1]: 1}, dict(x[2])
        whole = {(UNIT, x[1])} if x[0] == "prime" else {(frozenset({(x, 1)}), 1)}
        return single(("log", frozenset(whole))), ONE

    def same(self, a: Term, b: Term) -> bool:
        """True where two terms have one value."""
        if a == b:
            return True
        (n, d), (m, e) = self.value(a), self.value(b)
        return not plus(self.product(n, e), self.product(m, d), -1)

    # ---- signs: "+" positive, "0" nonnegative, "" not known

    def atom(self, x: Any) -> str:
        """The sign of an irreducible quantity."""
        if x[0] in ("exp", "prime"):
            return "+"
        if x[0] == "root":
            return "+" if self.poly_sign(dict(x[1])) == "+" else "0"
        if x[0] in ("abs", "log"):
            return "0" if x[0] == "abs" else ""
        return self.sign(x)

    def poly_sign(self, p: Poly) -> str:
        """The sign that a polynomial shows."""
        others = [(m, c) for m, c in p.items() if m]
        if len(others) == 1 and p.get(UNIT) == 1:
            m, c = others[0]
            if c == -1 and all(r > 0 and (x[0] == "Unknown" or (x[0] == "Symbol" and x[3])) for x, r in m):
                return "+"
        if not p or any(c <= 0 for c in p.values()):
            return ""
        if not all(self.atom(x) for m in p for x, r in m if r < 0 or r % 2):
            return ""
        return "+" if any(all(self.atom(x) == "+" for x, _ in m) for m in p) else "0"

    def sign(self, t: Term) -> str:
        """The sign of a term, remembered."""
        if t not in self._signs:
            self._signs[t] = ""
            self._signs[t] = self._sign(t)
        return self._signs[t]

    def _sign(self, t: Term) -> str:
        tag = t[0]
        if tag == "Number":
            return "+" if Fraction(t[1]) > 0 else "" if Fraction(t[1]) else "0"
        if tag in ("Constant", "Density", "Unknown", "Normal", "Laplace") or t[:2] == ("Call", "exp"):
            return "+"
        if tag == "Symbol":
            return "+" if t[2] or t[3] else ""
        if tag in ("Divergence", "MutualInformation", "TotalCorrelation"):
            return "0"
        if tag in ("Expectation", "Integral", "Mean"):
            return self.sign(t[2])
        if tag == "SumOver":
            return self.sign(t[1])
        if tag == "Call":
            return self._sign_of_call(t[1], t[2])
        if tag == "Power":
            return self._sign_of_power(t)
        return self._sign_of_sum(t) or self._sign_by_value(t)

    def _sign_of_call(self, name: str, t: Term) -> str:
        if name == "abs":
            return "+" if self.apart(t) else "0"
        if name == "sqrt":
            return self.sign(t)
        if t[0] == "Sum" and num(1) in t[1]:
            i = t[1].index(num(1))
            signs = [self.sign(k) for k in (*t[1][:i], *t[1][i + 1 :])]
            return "" if "" in signs else "+" if "+" in signs else "0"
        return self.sign(total(t, num(-1)))

    def _sign_of_power(self, t: Term) -> str:
        base, even = self.sign(t[1]), False
        if t[2][0] != "Number":
            return "+" if base == "+" else ""
        r = Fraction(t[2][1])
        even = r.denominator == 1 and r % 2 == 0
        if base == "+" or r == 0 or (even and self.apart(t[1])):
            return "+"
        return "0" if r > 0 and (even or base) else ""

    def _sign_of_sum(self, t: Term) -> str:
        if t[0] == "Product":
            signs = [self.sign(k) for k in t[1]]
            return "" if "" in signs else "0" if "0" in signs else "+"
        if t[0] == "Quotient":
            return self.sign(t[1]) if self.sign(t[2]) == "+" else ""
        if t[0] != "Sum":
            return ""
        rest = list(t[1])
        group = self._gap(rest)
        while group:
            rest = [k for i, k in enumerate(rest) if i not in group]
            group = self._gap(rest)
        signs = [self.sign(k) for k in rest]
        return "0" if not rest else "" if "" in signs else "+" if "+" in signs else "0"

    def _gap(self, terms: list[Term]) -> tuple[int, ...]:
        """Positions of terms that make up a quantity known to be nonnegative."""
        for size in (2, 3) if len(terms) <= LONGEST_GAP else ():
            for chosen in permutations(range(len(terms)), size):
                if self._is_gap(*(terms[i] for i in chosen)):
                    return chosen
        return ()

    def _is_gap(self, last: Term, a: Term, b: Term | None = None) -> bool:
        """``last`` is subtracted.

        E log f from log E f; 1 from e^t; e^u from 1; log u from u and -1; |a - b| from a and b.
        """
        if b is None and last == num(-1):
            last = neg(num(1))
        if last[0] != "Negative":
            return False
        body = last[1]
        if b is None and body == num(1):
            return a[:2] == ("Call", "exp") and bool(self.sign(a[2]))
        if b is None and body[:2] == ("Call", "exp"):
            return a == num(1) and bool(self.sign(neg(body[2])))
        if b is None:
            jensen = body[0] == "Expectation" and body[2][:2] == ("Call", "log") and self.sign(body[2][2]) == "+"
            return jensen and a == call("log", ("Expectation", body[1], body[2][2]))
        if body[:2] == ("Call", "log"):
            return a in (num(-1), neg(num(1))) and self.sign(body[2]) == "+" and self.same(b, body[2])
        kink = body[:2] == ("Call", "abs") and bool(self.sign(a)) and bool(self.sign(b))
        return kink and self.same(body[2], total(a, neg(b)))

    def _sign_by_value(self, t: Term) -> str:
        if any(h[0] == "positive" and self.same(t, h[3]) for h in self.hypotheses):
            return "+"
        n, d = self.value(t)
        return self.poly_sign(n) if self.poly_sign(d) == "+" else ""

    def apart(self, t: Term) -> bool:
        """Proved to differ from zero."""
        n, d = self.value(t)
        if self.sign(t) == "+" or (self.poly_sign({m: -c for m, c in n.items()}) == "+" == self.poly_sign(d)):
            return True
        if t[0] == "Product":
            return all(map(self.apart, t[1]))
        if t[0] == "Power":
            return t[2][0] == "Number" and Fraction(t[2][1]) != 0 and self.apart(t[1])
        return t[0] in ("Negative", "Quotient") and self.apart(t[1])

    # ---- well formed

    def check(self, t: Term, bound: frozenset[Term] = frozenset()) -> None:
        """Refuse a term that need not be defined."""
        if (t, bound) in self._good:
            return
        checks: dict[str, Callable[[Term, frozenset[Term]], None]] = {
            "Density": self._check_density,
            "Divergence": self._check_divergence,
            "Expectation": self._check_average,
            "Integral": self._check_average,
            "Mean": self._check_mean,
            "Normal": self._check_law,
            "Laplace": self._check_law,
            "Derivative": self._check_derivative,
            "MutualInformation": self._check_information,
            "Unknown": self._check_unknown,
            "Entropy": lambda e, _: self._check_density(e[1], bound),
            "Symbol": self._check_symbol,
        }
        known = {
            "Number",
            "Constant",
            "Sum",
            "Product",
            "Negative",
            "Quotient",
            "Power",
            "Call",
            "SumOver",
            "TotalCorrelation",
        }
        require(t[0] in checks or t[0] in known, f"no term: {t[0]}")
        if t[0] in checks:
            checks[t[0]](t, bound)
        else:
            for part in inside(t):
                self.check(part, bound)
            self._check_domain(t)
        self._good.add((t, bound))

    def _check_domain(self, t: Term) -> None:
        if t[0] == "Quotient":
            require(self.apart(t[2]), "a denominator that may be zero")
        elif t[0] == "Call":
            require(t[1] in ("log", "exp", "sqrt", "abs"), "unknown function")
            require(t[1] != "log" or self.sign(t[2]) == "+", "logarithm of what may not be positive")
            require(t[1] != "sqrt" or self.sign(t[2]), "root of what may be negative")
        elif t[0] == "Power":
            base = self.sign(t[1])
            if t[2][0] != "Number":
                return require(base == "+", "power of what may not be positive")
            r = Fraction(t[2][1])
            whole = r.denominator == 1 and (r >= 0 or self.apart(t[1]))
            require(whole or base == "+" or (r > 0 and base), "power of what may not allow it")
        elif t[0] in ("Sum", "Product"):
            require(t[1], "an empty sum")
        return None

    def _check_symbol(self, t: Term, bound: frozenset[Term]) -> None:
        require(re.match(r"(?:\\?[A-Za-z]|\\(?:bar|hat|tilde)\{)", t[1]), "no name of a symbol")

    def _check_unknown(self, t: Term, bound: frozenset[Term]) -> None:
        require(t[2] and set(t[2]) <= VARIABLES, "a function of no variable")

    def _check_density(self, t: Term, bound: frozenset[Term]) -> None:
        every = (*t[2], *t[3])
        good = t[2] and len(set(every)) == len(every) and set(every) <= VARIABLES and not {"z", "z_j"} <= set(every)
        require(good and (not t[5] or (t[2] == ("z",) and not t[3])), "no density")

    def _check_information(self, t: Term, bound: frozenset[Term]) -> None:
        self._check_density(density(t[1], t[2:]), bound)
        require(t[2] != t[3], "information of a variable and itself")

    def _check_average(self, t: Term, bound: frozenset[Term]) -> None:
        over = t[1][2] if t[0] == "Expectation" else (t[1],)
        if t[0] == "Expectation":
            require(t[1][0] == "Density", "an expectation under no density")
            self._check_density(t[1], bound)
        self.check(t[2], bound)
        found = depends(t[2])
        require("z_j" not in over or "z" not in found, "z_j is averaged, z is not")
        require(t[0] == "Expectation" or t[1] in found, "an integral over what is not there")

    def _check_divergence(self, t: Term, bound: frozenset[Term]) -> None:
        q, p = t[1], t[2]
        if q[0] in ("Normal", "Laplace"):
            require(p[0] in ("Normal", "Laplace") and p[1] == q[1], "laws of two variables")
            return self.check(meaning(t), bound)
        self._check_density(q, bound)
        of, given = self._density(p)
        require(of == set(q[2]) and not shut(given) & shut(of), "densities over other variables")
        return None

    def _density(self, p: Term) -> tuple[set[str], set[str]]:
        """What a density is of and what it is given."""
        if p[0] == "Quotient" and p[2][0] == "Integral" and p[2][2] == p[1]:
            self.check(p)
            require(self.sign(p[1]) == "+", "normalised, not positive")
            return {p[2][1]}, depends(p[1]) - shut((p[2][1],))
        parts = p[1] if p[0] == "Product" else (p,)
        require(all(part[0] == "Density" for part in parts), "no density")
        for part in parts:
            self._check_density(part, frozenset())
        ordered = any(self._chain(order) for order in permutations(parts)) if len(parts) < 6 else False
        require(ordered, "a product of densities in no chain order")
        of = {v for part in parts for v in part[2]}
        require(not {"z", "z_j"} <= of, "z and its coordinate")
        return of, {v for part in parts for v in part[3]} - of

    @staticmethod
    def _chain(order: tuple[Term, ...]) -> bool:
        """Every factor is given nothing that a later one, or itself, is of, and no two are of one variable."""
        for i, part in enumerate(order):
            if any(shut(part[3]) & shut(later[2]) for later in order[i:]):
                return False
            if any(shut(part[2]) & shut(later[2]) for later in order[i + 1 :]):
                return False
        return True

    def _check_law(self, t: Term, bound: frozenset[Term]) -> None:
        require(t[1][0] == "Symbol" and not t[1][2] and not t[1][3], "a law of no real variable")
        require(not holds(t[2], t[1]) and not holds(t[3], t[1]), "parameters that speak of the variable")
        self.check(t[2], bound)
        self.check(t[3], bound)
        require(self.sign(t[3]) == "+", "a scale that may not be positive")

    def _check_mean(self, t: Term, bound: frozenset[Term]) -> None:
        require(t[1][0] in ("Normal", "Laplace"), "a mean under no explicit law")
        of = t[1][1]
        require(of not in bound and of not in bound_in(t[2]), "a variable bound twice")
        self._check_law(t[1], bound)
        self.check(t[2], bound | {of})
        self.closed(t)

    def _check_derivative(self, t: Term, bound: frozenset[Term]) -> None:
        require(t[2][0] == "Symbol" and t[2] not in bound_in(t[1]), "a derivative by what is bound")
        self.check(t[1], bound)
        self.check(self.closed(t), bound)

    # ---- means and slopes

    def closed(self, t: Term) -> Term:
        """A term with its means and derivatives carried out."""
        if t[0] in ("Normal", "Laplace") or (t[0] == "Divergence" and t[1][0] != "Density"):
            return self.closed(meaning(t))
        where = PLACES.get(t[0], ())
        if where is None:
            t = (t[0], tuple(map(self.closed, t[1])))
        else:
            t = tuple(self.closed(part) if i in where else part for i, part in enumerate(t))
        if t[0] == "Mean":
            return self.mean(t[1], t[2])
        return self.slope(t[1], t[2]) if t[0] == "Derivative" else t

    def back(self, p: Poly) -> Term:
        """A polynomial as a term."""
        return total(num(0), *(times(num(c), *(power(self._atom_back(x), r) for x, r in m)) for m, c in p.items()))

    def _atom_back(self, x: Any) -> Term:
        if x[0] == "prime":
            return num(x[1])
        if x[0] == "exp":
            return call("exp", times(self.back({x[1]: 1}), power(self.back(dict(x[2])), -1)))
        if x[0] in ("root", "log", "abs"):
            body = times(self.back(dict(x[1])), *(power(self.back(dict(d)), -1) for d in x[2:]))
            return body if x[0] == "root" else call(x[0], body)
        return tuple(x)

    def mean(self, law: Term, body: Term) -> Term:
        """``E`` of a sum of ``c v^k |v - loc|^a exp(l v)``: the variable is ``loc + l scale^2`` plus noise."""
        n, d = self.value(body)
        bottom = self.back(d)
        require(not holds(bottom, law[1]), "the mean of a quotient")
        out = [num(0)]
        for m, c in n.items():
            out += self._mean_of(law, m, [num(c), power(bottom, -1)], d)
        return total(*out)

    def _mean_of(self, law: Term, m: Iterable[Any], left: list[Term], bottom: Poly) -> list[Term]:
        kind, v, location, scale = law
        k, a, rates = 0, 0, [num(0)]
        for x, e in m:
            here = self._atom_back(x)
            if x == v:
                require(e.denominator == 1 and e > 0, "a power that is not whole")
                k = int(e)
            elif not holds(here, v):
                left = [*left, power(here, e)]
            elif x[0] == "abs":
                require(e.denominator == 1 and e > 0 and self._centred(here[2], v, location), "another kink")
                a = int(e)
            else:
                rates.append(self._rate(kind, x, e, v))
        rate = total(*rates)
        require(not a or self.same(rate, num(0)), "a kink and an exponential")
        square = power(scale, 2)
        left = [*left, call("exp", total(times(rate, location), times(num(Fraction(1, 2)), power(rate, 2), square)))]
        shift = total(location, times(rate, square))
        return [
            times(*left, num(comb(k, i)), power(shift, k - i), power(scale, i + a), self._noise(kind, i + a))
            for i in range(0, k + 1, 2)
        ]

    def _centred(self, t: Term, v: Term, location: Term) -> bool:
        away = total(v, neg(location))
        return self.same(t, away) or self.same(t, neg(away))

    def _rate(self, kind: str, x: Any, e: Rational, v: Term) -> Term:
        require(kind == "Normal" and x[0] == "exp" and x[2] == frozenset(ONE.items()), "no mean of this")
        require(dict(x[1]).get(v) == 1, "an exponent that is not linear")
        rate = self.back({frozenset(pair for pair in x[1] if pair[0] != v): e})
        require(not holds(rate, v), "an exponent that is not linear")
        return rate

    @staticmethod
    def _noise(kind: str, k: int) -> Term:
        if kind == "Laplace":
            return num(factorial(k))
        h = k // 2
        if k % 2 == 0:
            return num(Fraction(factorial(k), 2**h * factorial(h)))
        return times(num(2**h * factorial(h)), power(times(num(2), power(("Constant", "\\pi"), -1)), Fraction(1, 2)))

    def slope(self, t: Term, s: Term) -> Term:
        """The derivative by a symbol."""
        if t == s:
            return num(1)
        if not holds(t, s) or (t[0] == "Power" and t[2] == num(0)):
            return num(0)
        tag = t[0]
        if tag == "Sum":
            return total(*(self.slope(k, s) for k in t[1]))
        if tag == "Product":
            return total(
                *(times(*(self.slope(k, s) if i == j else k for j, k in enumerate(t[1]))) for i in range(len(t[1])))
            )
        if tag == "Negative":
            return neg(self.slope(t[1], s))
        if tag == "Quotient":
            return total(
                ("Quotient", self.slope(t[1], s), t[2]),
                neg(("Quotient", times(t[1], self.slope(t[2], s)), power(t[2], 2))),
            )
        if tag == "Power" and t[2][0] == "Number":
            return times(t[2], power(t[1], Fraction(t[2][1]) - 1), self.slope(t[1], s))
        if tag == "Power":
            return times(t, self.slope(times(t[2], call("log", t[1])), s))
        if tag == "SumOver":
            return self._slope_of_sum(t[1], s)
        require(tag == "Call" and t[1] in ("exp", "log", "sqrt"), "no slope")
        outer = {"exp": t, "log": power(t[2], -1), "sqrt": times(num(Fraction(1, 2)), power(t[2], Fraction(-1, 2)))}[
            t[1]
        ]
        return times(outer, self.slope(t[2], s))

    def _slope_of_sum(self, body: Term, s: Term) -> Term:
        if "_j" not in s[1]:
            return ("SumOver", self.slope(body, s))
        require(not self._in_inner_sum(body, s), "a sum in a sum")
        return self.slope(body, s)

    def _in_inner_sum(self, t: Term, s: Term) -> bool:
        return (t[0] == "SumOver" and holds(t, s)) or any(self._in_inner_sum(part, s) for part in inside(t))

    # ---- rules

    def apply(self, rule: str, t: Term, out: Term) -> Term:
        """What a rule makes of a term; arithmetic makes any term of the same value."""
        if rule == "arithmetic":
            require(self.same(t, out), "not the same value")
            return out
        rules: dict[str, Callable[[Term], Term]] = {
            "unfold": self._unfold,
            "bayes": self._bayes,
            "split": self._split,
            "linear": self._linear,
            "drop": self._drop,
            "narrow": self._narrow,
            "tower": self._tower,
            "exchange": self._exchange,
            "integrate": self._integrate,
            "as_expectation": self._as_expectation,
            "as_integral": self._as_integral,
            "mean": self._mean,
            "differentiate": self._differentiate,
        }
        require(rule in rules, f"no rule {rule!r}")
        return rules[rule](t)

    def _unfold(self, t: Term) -> Term:
        return meaning(t)

    def _mean(self, t: Term) -> Term:
        require(t[0] == "Mean", "no mean")
        return self.mean(t[1], t[2])

    def _differentiate(self, t: Term) -> Term:
        require(t[0] == "Derivative", "no derivative")
        return self.slope(t[1], t[2])

    def _bayes(self, t: Term) -> Term:
        require(t[0] == "Density" and t[3], "nothing given")
        return ("Quotient", density(t[1], t[2] + t[3]), density(t[1], t[3]))

    def _split(self, t: Term) -> Term:
        require(t[:2] == ("Call", "log") and t[2][0] == "Density", "no log of a density")
        _, law, of, given, _, bar = t[2]
        if bar:
            return ("SumOver", call("log", density(law, ("z_j",))))
        rest = tuple(sorted(v for v in of if v != "z"))
        known = any(h[0] == "independent" and h[1] == law and tuple(sorted(h[2])) == rest for h in self.hypotheses)
        require("z" in of and not given and known, "independence")
        one = call("log", density(law, (*rest, "z_j")))
        if not rest:
            return ("SumOver", one)
        base = call("log", density(law, rest))
        return total(base, ("SumOver", total(one, neg(base))))

    def _constant(self, t: Term, factor: Term) -> bool:
        if t[0] == "SumOver":
            return not indexed(factor)
        bound = t[1][2] if t[0] == "Expectation" else (t[1],)
        return not shut(depends(factor)) & shut(bound)

    def _linear(self, t: Term) -> Term:
        require(t[0] in ("Expectation", "Integral", "SumOver", "Mean"), "not linear")
        i = 1 if t[0] == "SumOver" else 2
        body = t[i]
        if body[0] == "Sum":
            return total(*((*t[:i], k, *t[i + 1 :]) for k in body[1]))
        require(t[0] != "Mean", "a factor of a mean")
        factors = body[1] if body[0] == "Product" else (body,)
        stay = [k for k in factors if not self._constant(t, k)]
        require(stay or t[0] == "SumOver", "nothing stays")
        inner = num(1) if not stay else stay[0] if len(stay) == 1 else times(*stay)
        return times(*(k for k in factors if k not in stay), (*t[:i], inner, *t[i + 1 :]))

    def _drop(self, t: Term) -> Term:
        require(t[0] == "Expectation" and self._constant(t, t[2]), "depends on the variable")
        return tuple(t[2])

    def _narrow(self, t: Term) -> Term:
        require(t[0] == "Expectation", "no expectation")
        _, law, of, given, _, bar = t[1]
        found = depends(t[2])
        if bar:
            require("z_j" in found and "z" not in found, "depends on all of z")
            return ("Expectation", density(law, ("z_j",)), t[2])
        kept = {"z_j" if v == "z" and "z" not in found else v for v in of if shut((v,)) & found}
        require(kept, "nothing is kept")
        return ("Expectation", density(law, kept, given), t[2])

    def _tower(self, t: Term) -> Term:
        require(t[0] == "Expectation" and t[2][0] == "Expectation", "no tower")
        outer, inner = t[1], t[2][1]
        good = outer[1] == inner[1] and not outer[5] and not inner[5] and set(inner[3]) == {*outer[2], *outer[3]}
        require(good, "no tower")
        return ("Expectation", density(outer[1], outer[2] + inner[2], outer[3]), t[2][2])

    def _exchange(self, t: Term) -> Term:
        require(t[0] == "Expectation" and t[2][0] == "SumOver", "no expectation of a sum")
        require("z_j" not in t[1][2] + t[1][3], "speaks of j")
        return ("SumOver", ("Expectation", t[1], t[2][1]))

    def _integrate(self, t: Term) -> Term:
        require(t[0] == "Integral" and t[2][0] == "Density", "no integral of a density")
        _, law, of, given, _, bar = t[2]
        require(t[1] in of, "no density of the variable")
        return num(1) if bar else density(law, [v for v in of if v != t[1]], given)

    def _as_expectation(self, t: Term) -> Term:
        require(t[0] == "Integral" and t[2][0] == "Product", "no integral of a product")
        weights = [i for i, k in enumerate(t[2][1]) if k[0] == "Density" and t[1] in k[2]]
        require(len(weights) == 1, "not one density")
        weight = t[2][1][weights[0]]
        rest = [k for i, k in enumerate(t[2][1]) if i != weights[0]]
        body = num(1) if not rest else rest[0] if len(rest) == 1 else times(*rest)
        require(not weight[3], "a conditional density")
        if weight[5]:
            return ("Expectation", weight, body)
        others = tuple(v for v in weight[2] if v != t[1])
        return times(density(weight[1], others), ("Expectation", density(weight[1], (t[1],), others), body))

    def _as_integral(self, t: Term) -> Term:
        require(t[0] == "Expectation" and len(t[1][2]) == 1, "no expectation over one variable")
        return ("Integral", t[1][2][0], times(t[1], t[2]))


# ---- replay


def replay(certificate: str) -> None:
    """Check a certificate step by step.

    Raises:
        InvalidCertificateError: it is not whole, or a step, a side condition or the statement itself does not hold.
    """
    try:
        _replay({key: tuples(value) for key, value in json.loads(certificate).items()})
    except (LookupError, TypeError, ValueError, AttributeError, ArithmeticError, RecursionError) as error:
        raise InvalidCertificateError(f"not a certificate: {type(error).__name__}") from None


def _replay(record: dict[str, Any]) -> None:
    hypotheses = tuple((kind, law, given, plain(term)) for kind, law, given, term in record["hypotheses"])
    checker = Checker(hypotheses)
    for h in hypotheses:
        require(h[0] in ("independent", "positive", "zero"), "no hypothesis")
        checker.check(h[3])
    left, right = plain(record["left"]), plain(record["right"])
    checker.check(left)
    checker.check(right)
    now = _difference(checker, left, record["relation"], right, record["slack"], record["zeros"])
    for path, rule, out in record["steps"]:
        now = _stepped(checker, now, path, rule, out)
    require(not checker.value(now)[0], "the difference is not zero")


def _difference(checker: Checker, left: Term, relation: str, right: Term, slack: Term | None, zeros: Any) -> Term:
    require(relation in ("=", ">=", "<=", ">") and (slack is None) == (relation == "="), "no relation, or no slack")
    big, small = (right, left) if relation == "<=" else (left, right)
    terms = [big, neg(small)]
    if slack is not None:
        bare = plain(slack)
        checker.check(bare)
        require(checker.sign(bare) in (("+",) if relation == ">" else ("+", "0")), "the slack may be negative")
        terms.append(neg(bare))
    for factor, position in zeros:
        require(
            factor in (1, -1) and position >= 0 and checker.hypotheses[position][0] == "zero", "no hypothesis of zero"
        )
        terms.append(times(num(-factor), checker.hypotheses[position][3]))
    return total(*terms)


def _stepped(checker: Checker, now: Term, path: tuple[int, ...], rule: str, out: Term) -> Term:
    here, bound = now, frozenset[Term]()
    for i in path:
        require(i >= 0, "no such place")
        bound = bound | {here[1][1]} if here[0] == "Mean" else bound
        here = places(here)[i]
    checker.check(out, bound)
    require(checker.same(checker.apply(rule, here, out), out), f"the rule {rule} does not give this")
    return replaced(now, path, out)
