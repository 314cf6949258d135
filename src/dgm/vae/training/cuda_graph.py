"""Training on a CUDA card with one launch a step: forward and backward pass are captured as a graph, then replayed.

A step of this model is some hundred short kernels, which a card ends sooner than Python can launch them. A graph runs
the same kernels on the same memory, so nothing but the speed differs.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from dgm.vae.common.console import say
from dgm.vae.common.files import reason
from dgm.vae.model.vae import draw_dropout_from
from dgm.vae.training.trainer import Trainer, forward, metrics_of

WARM_UP = 3  # passes before a capture, in which libraries choose their kernels
Pass = Callable[[], Tensor]


class GraphedTrainer(Trainer):
    """:class:`Trainer` whose passes are replayed; where they cannot be captured it says so and launches them."""

    _replay: Pass | None = None
    _tried = False

    def _set_gradients(self, x: Tensor, noise: Tensor, beta: float) -> Tensor:
        if not self._tried and self.micro_batches == 1:
            self._tried = True
            self._prepare(x, noise)
        if self._replay is None or self.micro_batches > 1:
            return super()._set_gradients(x, noise, beta)
        self._x.copy_(x)
        self._noise.copy_(noise)
        self._beta.fill_(beta)
        return self._replay().clone()

    def _prepare(self, x: Tensor, noise: Tensor) -> None:
        """Lay out the graph's inputs and capture it; the model and the noise are afterwards as they were."""
        self._x, self._noise = x.clone(), noise.clone()
        self._beta = torch.ones((), device=x.device)
        self._fixed = torch.tensor(self.config.sigma**2, device=x.device) if self.config.sigma else None
        statistics = {name: tensor.clone() for name, tensor in self.model.state_dict().items()}
        chance = self.noise.get_state()
        try:
            self._replay = captured(self._pass, self._forget, self.noise)
        except RuntimeError as error:  # torch's errors of memory and of the card are such
            say(f"the training step cannot be captured as a CUDA graph ({reason(error)}); "
                "its kernels are launched one by one")
            self.noise = torch.Generator(x.device)  # a capture that failed may never let the other one go
            draw_dropout_from(self.model, self.noise)
        finally:
            self.model.load_state_dict(statistics)
            self.noise.set_state(chance)

    def _pass(self) -> Tensor:
        """Forward and backward on the graph's inputs; gives the metrics (3,)."""
        terms = forward(self.model, self._x, self._noise, self._fixed)
        terms.loss(self._beta).backward()  # beta is read anew at each replay
        return metrics_of(terms)

    def _forget(self) -> None:
        self.optimizer.zero_grad(set_to_none=True)


def captured(work: Pass, forget: Callable[[], None], chance: torch.Generator) -> Pass:
    """A replay of ``work`` as a CUDA graph that draws from ``chance``; ``forget`` drops the gradients before it.

    The gradients that the capture makes are the graph's own memory, which each replay writes anew.

    Raises:
        RuntimeError: the work cannot be captured, or does not fit into the memory.
    """
    aside = torch.cuda.Stream()
    aside.wait_stream(torch.cuda.current_stream())
    with torch.cuda.stream(aside):
        for _ in range(WARM_UP):
            forget()
            work()
    torch.cuda.current_stream().wait_stream(aside)
    forget()
    graph = torch.cuda.CUDAGraph()
    graph.register_generator_state(chance)
    with torch.cuda.stream(torch.cuda.current_stream()), torch.cuda.graph(graph):  # back to it if the capture fails
        metrics = work()

    def replay() -> Tensor:
        graph.replay()
        return metrics

    return replay
