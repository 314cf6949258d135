"""Certificates kept from earlier runs: a kept proof is replayed, so that a stale or forged one proves nothing."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterable
from pathlib import Path

from dgm.calculus.checking.arithmetic import RefusalError
from dgm.calculus.checking.certificate import Certificate, Hypothesis
from dgm.calculus.checking.checker import InvalidCertificateError, replay
from dgm.calculus.checking.kernel import Relation
from dgm.calculus.checking.ledger import Step
from dgm.calculus.checking.search import find
from dgm.calculus.checking.verification import verify
from dgm.calculus.language.derivation import Derivation
from dgm.calculus.language.expression import Expr

FOLDER = Path("build/proofs")


def verified(derivations: Iterable[Derivation], folder: Path = FOLDER) -> tuple[Step, ...]:
    """The steps of derivations, each with a certificate found now or kept from an earlier run.

    Raises:
        CalculusError: a step is not proved.
    """
    store = ProofStore(folder)
    return tuple(step for derivation in derivations for step in verify(derivation, store.find))


class ProofStore:
    """A folder of certificates, one file a statement, named by the statement's content."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def find(
        self,
        left: Expr,
        relation: Relation,
        right: Expr,
        hypotheses: tuple[Hypothesis, ...] = (),
        slack: Expr | None = None,
    ) -> Certificate:
        """The kept certificate of a statement if it replays, else a new one, which is kept.

        Raises:
            RefusalError: there is none, and none is found.
        """
        path = self.path(left, relation, right, hypotheses, slack)
        kept = _kept(path)
        if kept is not None and _proves(kept, left, relation, right, hypotheses):
            return kept
        certificate = find(left, relation, right, hypotheses, slack)
        _write(certificate.text, path)
        return certificate

    def path(
        self, left: Expr, relation: Relation, right: Expr, hypotheses: tuple[Hypothesis, ...], slack: Expr | None
    ) -> Path:
        """The file of a statement's certificate."""
        return self._folder / f"{_key(left, relation, right, hypotheses, slack)}.json"


def _kept(path: Path) -> Certificate | None:
    try:
        return Certificate(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None


def _proves(
    certificate: Certificate, left: Expr, relation: Relation, right: Expr, hypotheses: tuple[Hypothesis, ...]
) -> bool:
    """True if a kept file is a certificate of this statement that holds."""
    try:
        replay(certificate.text)
        return certificate.speaks_of(left, relation, right, hypotheses)
    except (InvalidCertificateError, RefusalError):
        return False


def _write(text: str, path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(f".{path.name}.{os.getpid()}")
    partial.write_text(text, encoding="utf-8")
    partial.replace(path)


def _key(*statement: object) -> str:
    return hashlib.sha256(repr(statement).encode()).hexdigest()[:32]
