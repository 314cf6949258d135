"""Checks kept by their content: a derivation that was verified is not verified again while nothing changed.

The key of an entry holds the derivation itself, the source of every module of this package, and the versions
of SymPy, mpmath and NumPy.  A changed sign, rule or library is therefore a miss.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterable
from dataclasses import asdict
from functools import cache
from importlib.metadata import version
from pathlib import Path

from dgm.calculus.checking.verification import verify
from dgm.calculus.language.derivation import Derivation
from dgm.calculus.language.ledger import Step

FOLDER = Path("build/proofs")
CALCULUS = Path(__file__).parents[1]


def verified(derivations: Iterable[Derivation], folder: Path = FOLDER) -> tuple[Step, ...]:
    """The steps of derivations, each verified now or taken from an earlier verification of the very same.

    Raises:
        CalculusError: a step is false; nothing is kept of that derivation.
    """
    return tuple(step for derivation in derivations for step in _kept(derivation, folder))


def _kept(derivation: Derivation, folder: Path) -> tuple[Step, ...]:
    path = folder / f"{_key(derivation)}.json"
    try:
        return tuple(Step(**record) for record in json.loads(path.read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError):  # not there, or not whole: check anew
        steps = verify(derivation)
    _write(json.dumps([asdict(step) for step in steps], ensure_ascii=False), path)
    return steps


def _write(text: str, path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(f".{path.name}.{os.getpid()}")
    partial.write_text(text, encoding="utf-8")
    partial.replace(path)


def _key(derivation: Derivation) -> str:
    return hashlib.sha256(f"{_checker()}\n{derivation!r}".encode()).hexdigest()[:32]


@cache
def _checker() -> str:
    """A digest of what does the checking."""
    digest = hashlib.sha256()
    for path in sorted(CALCULUS.rglob("*.py")):
        digest.update(path.relative_to(CALCULUS).as_posix().encode() + b"\0" + path.read_bytes())
    for package in ("sympy", "mpmath", "numpy"):
        digest.update(f"{package} {version(package)}".encode())
    return digest.hexdigest()
