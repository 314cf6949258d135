"""Mutants of the rules and judgements: each loses one side condition, and the tests of single rules find it."""

from __future__ import annotations

import inspect
import textwrap
from types import ModuleType

import pytest

from dgm.calculus.checking import arithmetic, checker, judgements, kernel
from tests.dgm.calculus.test_rules import (
    checker_faults,
    checker_sign,
    edges,
    ill_formed,
    kernel_faults,
    kernel_sign,
    sign_faults,
)

KERNEL: tuple[tuple[ModuleType, str, str, str], ...] = (
    (kernel, "narrow", "kept and kept != density.of", "kept"),
    (kernel, "integrate", "variable in density.of", "True"),
    (kernel, "tower", "set(inner.given) == {*outer.of, *outer.given}", "True"),
    (kernel, "tower", "outer.law == inner.law and", ""),
    (kernel, "exchange", '"z_j" not in (*e.density.of, *e.density.given)', "True"),
    (kernel, "as_expectation", "not density.given", "True"),
    (kernel, "drop", "is_constant(e, e.body)", "True"),
    (kernel, "split", "assumed in judge.hypotheses", "True"),
    (kernel, "bayes", "(*e.of, *e.given)", "e.of"),
    (kernel, "is_constant", "return index_free(e)", "return True"),
    (kernel, "is_constant", "closure(bound) & closure(free_variables(e))", "set(bound) & set(free_variables(e))"),
    (judgements, "index_free", "return not e.indexed", "return True"),
    (judgements, "index_free", 'return "z_j" not in (*of, *given)', "return True"),
    (judgements, "in_chain_order", "return False", "return True"),
    (judgements, "Judge._sign_of_power", "r.denominator == 1 and r % 2 == 0", "True"),
    (
        judgements,
        "Judge._check_domain",
        'require(self.sign(argument) == "+", "the logarithm',
        'require(True, "the logarithm',
    ),
    (judgements, "Judge._check_domain", "require(self.nonzero(bottom)", "require(True"),
    (judgements, "Judge._check_domain", 'require(self.sign(argument), "the root', 'require(True, "the root'),
    (judgements, "Judge._check_domain", "require(good,", "require(True,"),
    (judgements, "Judge._tangent", "self.same(t, v)", "True"),
    (judgements, "Judge._smaller", "self.sign(terms[j])\n            and self.sign(terms[k])", "True"),
    (judgements, "Judge._smaller", "self.same(difference, Sum((terms[j], Negative(terms[k]))))", "True"),
    (judgements, "Judge._inequalities", "if self.sign(u):", "if True:"),
    (judgements, "Judge._inequalities", "if self.sign(Negative(u)):", "if True:"),
    (judgements, "Judge._inequalities", "if other == whole", "if isinstance(other, Call)"),
    (judgements, "Judge._sign_of_polynomial", "any(c <= 0 for c in form.numerator.values())", "False"),
    (judgements, "Judge._sign_of_monomial", "n > 0 and (even or own)", "n > 0"),
    (judgements, "Judge._sign_of_log", "return self.sign(Sum((argument, MINUS_ONE)))", "return self.sign(argument)"),
    (arithmetic, "Arithmetic._normal_abs", "self.sign(argument) or", "True or"),
    (arithmetic, "Arithmetic._monomial_power", "c > 0 and self._all_positive(form, m, r)", "c > 0"),
    (arithmetic, "Arithmetic.is_one_minus_unit", "and in_unit_interval(e)", ""),
    (arithmetic, "Arithmetic.is_one_minus_unit", "form.numerator.get(ONE_MONOMIAL) != 1", "False"),
)
CHECKER = (
    ("Checker._narrow", "if bar:", "if False:"),
    ("Checker._integrate", "t[1] in of", "True"),
    ("Checker._tower", "and set(inner[3]) == {*outer[2], *outer[3]}", ""),
    ("Checker._tower", "outer[1] == inner[1] and", ""),
    ("Checker._exchange", '"z_j" not in t[1][2] + t[1][3]', "True"),
    ("Checker._as_expectation", "not weight[3]", "True"),
    ("Checker._drop", "self._constant(t, t[2])", "True"),
    ("Checker._split", "and known", ""),
    ("Checker._bayes", "t[2] + t[3]", "t[2]"),
    ("Checker._constant", "return not indexed(factor)", "return True"),
    ("Checker._constant", "shut(depends(factor)) & shut(bound)", "set(depends(factor)) & set(bound)"),
    ("indexed", 'return t == "z_j"', "return False"),
    ("indexed", '"_j" in t[1] if', "False if"),
    ("Checker._density", "ordered,", "True,"),
    ("Checker._sign_of_power", "r.denominator == 1 and r % 2 == 0", "True"),
    ("Checker._check_domain", 't[1] != "log" or', "True or"),
    ("Checker._check_domain", 't[1] != "sqrt" or', "True or"),
    ("Checker._check_domain", "require(self.apart(t[2])", "require(True"),
    ("Checker._check_domain", "whole or", "True or"),
    ("Checker._is_gap", "and self.same(b, body[2])", ""),
    ("Checker._is_gap", "and bool(self.sign(a)) and bool(self.sign(b))", ""),
    ("Checker._is_gap", "and self.same(body[2], total(a, neg(b)))", ""),
    ("Checker._is_gap", "and bool(self.sign(a[2]))", ""),
    ("Checker._is_gap", "and bool(self.sign(neg(body[2])))", ""),
    ("Checker._is_gap", 'and a == call("log", ("Expectation", body[1], body[2][2]))', 'and a[:2] == ("Call", "log")'),
    ("Checker.poly_sign", "any(c <= 0 for c in p.values())", "False"),
    ("Checker.poly_sign", "r < 0 or r % 2", "False"),
    ("Checker.poly_sign", 'and (x[0] == "Unknown" or (x[0] == "Symbol" and x[3]))', ""),
)


def mutate(patch: pytest.MonkeyPatch, module: ModuleType, name: str, old: str, new: str) -> None:
    """Put a changed function, or method, into a module."""
    owner, _, method = name.rpartition(".")
    holder = getattr(module, owner) if owner else module
    source = textwrap.dedent(
        inspect.getsource(inspect.getattr_static(holder, method) if owner else getattr(module, method))
    )
    assert old in source, f"{name} has no {old!r}"
    space = dict(vars(module))
    exec(compile(source.replace(old, new), name, "exec"), space)
    patch.setattr(holder, method, space[method])
    if module is kernel and method in kernel.RULES:
        patch.setitem(kernel.RULES, method, space[method])
    if module is judgements and hasattr(kernel, method):
        patch.setattr(kernel, method, space[method])


@pytest.mark.parametrize(("module", "name", "old", "new"), KERNEL, ids=[f"{name} {old}" for _, name, old, _ in KERNEL])
def test_every_mutant_of_the_kernel_is_found(
    module: ModuleType, name: str, old: str, new: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    mutate(monkeypatch, module, name, old, new)
    terms = (*ill_formed(), *edges())
    assert next(sign_faults(terms, kernel_sign), None) or next(kernel_faults(terms), None)


@pytest.mark.parametrize(("name", "old", "new"), CHECKER, ids=[f"{name} {old}" for name, old, _ in CHECKER])
def test_every_mutant_of_the_checker_is_found(name: str, old: str, new: str, monkeypatch: pytest.MonkeyPatch) -> None:
    mutate(monkeypatch, checker, name, old, new)
    terms = (*ill_formed(), *edges())
    assert next(sign_faults(terms, checker_sign), None) or next(checker_faults(terms), None)
