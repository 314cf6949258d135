"""A training that goes on from its record, where no checkpoint is left."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import fields

import torch
from torch import Tensor

from dgm.vae.loader import FaceLoader
from dgm.vae.trainer import Measure, State, Trainer

History = Mapping[str, Mapping[str, Sequence[float]]]  # of "train" and "valid", a list for each field of Measure


def restart_state(trainer: Trainer, weights: Mapping[str, Tensor], history: History) -> State:
    """The state after the epochs of ``history``, as far as a record tells it, for a new ``trainer``.

    The batches' order is the one that the training would have had. Three things are not: the weights are rounded as the
    record keeps them, Adam's moments begin from zero, and the noise is drawn from another seed.
    """
    epochs, config = len(history["train"][fields(Measure)[0].name]), trainer.config
    order = torch.Generator().manual_seed(config.seed)
    loader = FaceLoader(trainer.data, trainer.split.train, config.batch_size, order)
    for _ in range(epochs):
        loader.batches()
    fresh = trainer.state()
    known = {f"model.{name}": tensor for name, tensor in weights.items()}
    known |= {"order": order.get_state(), "train": _table(history["train"]), "valid": _table(history["valid"]),
              "noise": torch.Generator(trainer.data.device).manual_seed(config.seed + 1 + epochs).get_state()}
    return State({**fresh.tensors, **known}, fresh.numbers)


def _table(measures: Mapping[str, Sequence[float]]) -> Tensor:  # float64 (E, 3), as Trainer keeps it
    return torch.tensor([measures[field.name] for field in fields(Measure)], dtype=torch.float64).T.contiguous()
