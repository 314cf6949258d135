"""Identity of a training: digests of all that its result depends on.

A stored result is used when, and only when, its identity is that of the training asked for.
"""

from __future__ import annotations

import ast
import hashlib
import json
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, fields, replace
from pathlib import Path

import torch

from dgm.errors import ModelError
from dgm.vae.common.device import arithmetic
from dgm.vae.images.faces import Faces, Split
from dgm.vae.training.factor import FactorConfig
from dgm.vae.training.trainer import TrainingConfig

FACTOR = ("model/dense", "model/discriminator", "training/factor")  # those that decide a FactorVAE's result besides
# the modules whose code matters
DECIDING = ("images/decode", "worlds/faces", "model/layers", "images/augment", "images/loader", "model/vae",
            "model/objective", "training/trainer")


@dataclass(frozen=True)
class Identity:
    """The inputs of a training; two equal ones mean the same result, on processors of one kind to the last bit.

    ``data``, ``split`` and ``code`` are SHA-256; ``arithmetic`` is that of :func:`dgm.vae.common.device.arithmetic`.
    """

    data: str
    image_size: int
    split: str
    config: TrainingConfig
    code: str
    arithmetic: str

    @property
    def digest(self) -> str:
        """SHA-256 over all fields."""
        return hashlib.sha256(json.dumps(asdict(self), sort_keys=True).encode()).hexdigest()

    @property
    def inputs(self) -> str:
        """SHA-256 over all but the arithmetic: of what must be the same for the same result up to rounding."""
        return replace(self, arithmetic="").digest

    @property
    def recorded(self) -> dict[str, object]:
        """The same as records keep it, to be read and compared."""
        config = {field.name: getattr(self.config, field.name) for field in fields(TrainingConfig)}
        return {"data": self.data, "image_size": self.image_size, "split": self.split, "config": config,
                "code": self.code}

    def is_of(self, recorded: object) -> bool:
        """Tell if a record's ``inputs`` are these; a setting that it does not name had its default."""
        try:
            known = dict(recorded)  # type: ignore[call-overload]
            return {**known, "config": asdict(TrainingConfig(**known["config"]))} == self.recorded
        except (TypeError, ValueError, KeyError, ModelError):
            return False


def identify(faces: Faces, split: Split, config: TrainingConfig, device: torch.device) -> Identity:
    """The identity of a training on these faces."""
    parts = hashlib.sha256()
    for part in (split.train, split.valid):
        parts.update(f"{len(part)} {part.tolist()}".encode())
    plain = replace(config, learning_rate=float(config.learning_rate), beta=float(config.beta),  # 1 is 1.0
                    sigma=float(config.sigma), dropout=float(config.dropout), averaging=float(config.averaging))
    return Identity(faces.report.fingerprint, faces.images.shape[-1], parts.hexdigest(), plain, code_digest(),
                    arithmetic(device))


@dataclass(frozen=True)
class FactorIdentity(Identity):
    """The identity of a FactorVAE's training: what :class:`Identity` holds, the discriminator's part, and its code."""

    gamma: float
    discriminator: tuple[float, ...]  # width, layers, learning rate
    network: str
    factor_code: str


def identify_factor(faces: Faces, split: Split, factor: FactorConfig, device: torch.device) -> FactorIdentity:
    """The identity of a FactorVAE's training on these faces."""
    plain = identify(faces, split, factor.training, device)
    discriminator = (factor.discriminator_width, factor.discriminator_layers,
                     float(factor.discriminator_learning_rate))
    return FactorIdentity(plain.data, plain.image_size, plain.split, plain.config, plain.code, plain.arithmetic,
                          float(factor.gamma), discriminator, factor.network, code_digest(FACTOR))


def code_digest(modules: Sequence[str] = DECIDING) -> str:
    """SHA-256 over the code that decides a result; comments, docstrings, annotations, imports and layout do not count.

    A module is named by its path from ``dgm/vae`` on, without ``.py``.
    """
    folder = Path(__file__).parents[1]
    trees = [ast.parse((folder / f"{name}.py").read_text(encoding="utf-8")) for name in modules]
    return hashlib.sha256("\n".join(" ".join(_tokens(tree)) for tree in trees).encode()).hexdigest()


def _tokens(node: object) -> Iterator[str]:
    """A syntax tree as words that are the same under every version of Python; ``ast.dump``'s are not."""
    if isinstance(node, list):
        for one in node:
            if not isinstance(one, (ast.Import, ast.ImportFrom)):  # a module that moves computes what it computed
                yield from _tokens(one)
        yield ";"
    elif isinstance(node, ast.AST):
        yield type(node).__name__
        for name, value in sorted(ast.iter_fields(node)):
            if name not in ("annotation", "returns", "kind", "ctx", "type_comment") and value not in (None, []):
                yield f".{name}"
                yield from _tokens(_without_docstring(node, name, value))
    else:
        yield repr(node)


def _without_docstring(node: ast.AST, name: str, value: object) -> object:
    holds_one = isinstance(node, (ast.Module, ast.ClassDef, ast.FunctionDef)) and name == "body"
    if holds_one and isinstance(value, list) and _is_string(value[0]):
        return value[1:]
    return value


def _is_string(node: object) -> bool:
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str)
