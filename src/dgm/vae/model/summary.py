"""A model's layers with their output shapes and parameters."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from dgm.vae.model.layers import UpConv2d
from dgm.vae.model.vae import VAE, parameter_count


@dataclass(frozen=True)
class LayerRow:
    """One layer: where it stands (``encoder`` or ``decoder``), its kind, one image's output shape, its parameters."""

    part: str
    layer: str
    shape: tuple[int, ...]
    parameters: int


def summary(model: VAE) -> tuple[LayerRow, ...]:
    """A row for each layer in the order of the forward pass; the parameters add up to the model's."""
    rows: list[LayerRow] = []
    layers = {layer: name.split(".")[0] for name, layer in model.named_modules() if _is_layer(layer)}
    inner = {layer.conv for layer in layers if isinstance(layer, UpConv2d)}

    def note(layer: nn.Module, _: object, output: Tensor) -> None:
        rows.append(LayerRow(layers[layer], _described(layer), tuple(output.shape[1:]), parameter_count(layer)))

    hooks = [layer.register_forward_hook(note) for layer in layers if layer not in inner]
    mode, image = model.training, torch.zeros(1, 3, model.image_size, model.image_size)
    with torch.no_grad():
        device = next(model.parameters()).device
        model.eval()(image.to(device), torch.zeros(1, model.latent_dim, device=device))
    model.train(mode)
    for hook in hooks:
        hook.remove()
    return tuple(rows)


def _is_layer(module: nn.Module) -> bool:
    return isinstance(module, UpConv2d) or not list(module.children())


def _described(layer: nn.Module) -> str:
    """As its author would write it: ``Conv2d(3, 32, stride 2)``."""
    name = type(layer).__name__
    if isinstance(layer, UpConv2d):
        return f"{name}({layer.conv.in_channels}, {layer.conv.out_channels})"
    if isinstance(layer, nn.Conv2d):
        return f"{name}({layer.in_channels}, {layer.out_channels}, stride {layer.stride[0]})"
    if isinstance(layer, nn.Linear):
        return f"{name}({layer.in_features}, {layer.out_features})"
    return name
