"""Disk cache of expensive analyses (drawn faces, posteriors, smile classifier, walks), keyed by their inputs.

A result is a safetensors file, its tensors beside a line of JSON; nothing is ever unpickled. It is put together by the
annotated return type of the function that made it, whatever the file says.
"""

from __future__ import annotations

import ast
import hashlib
import json
import types
from collections.abc import Callable, Iterator
from dataclasses import dataclass, fields, is_dataclass
from functools import cache
from pathlib import Path
from typing import Any, TypeVar, Union, get_args, get_origin, get_type_hints

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save as serialize
from torch import Tensor, nn

import dgm
from dgm.errors import ModelError
from dgm.vae.common.console import say
from dgm.vae.common.device import arithmetic
from dgm.vae.common.files import reason, write_whole
from dgm.vae.images.faces import Faces
from dgm.vae.training.identity import code_digest

T = TypeVar("T")
PACKAGE = Path(dgm.__file__ or "").parent


@dataclass(frozen=True)
class Cache:
    """Results of functions in ``folder``, and, to be read alone, in ``shipped``, where a record keeps some.

    A result's file is found by the function, its inputs, and the code of its module and of all that this imports of
    this package. In ``folder`` it must also come from the same arithmetic (device, threads, torch), so that it is what
    would be computed bit for bit; that of ``shipped`` came with a record, from the machine that made it.
    """

    folder: Path
    shipped: Path | None = None

    def __call__(self, make: Callable[..., T], *inputs: object) -> T:
        """``make(*inputs)``, computed now or before.

        Inputs are numbers, strings, tensors, modules, and dataclasses, tuples or lists of them.
        """
        kind = get_type_hints(make)["return"]
        found = self._found(make, inputs, kind)
        return self._made(make, inputs) if found is None else found

    def _found(self, make: Callable[..., T], inputs: tuple[object, ...], kind: Any) -> T | None:
        name = _name(make, inputs)
        for place, how in ((self.folder, arithmetic(torch.device("cpu"))), (self.shipped, None)):
            if place is not None and (place / name).is_file():
                try:
                    about, tensors = _read(place / name)
                    if how in (None, about["arithmetic"]):
                        value: T = _put_together(kind, about["value"], iter(tensors))
                        return value
                except (OSError, SafetensorError, LookupError, ValueError, TypeError, RuntimeError) as error:
                    say(f"{place / name} is damaged ({reason(error)}); it is made anew")
        return None

    def _made(self, make: Callable[..., T], inputs: tuple[object, ...]) -> T:
        value, tensors = make(*inputs), list[Tensor]()
        about = {"arithmetic": arithmetic(torch.device("cpu")), "value": _take_apart(value, tensors)}
        whole = {f"{number:03}": tensor.detach().cpu().contiguous() for number, tensor in enumerate(tensors)}
        try:
            write_whole(self.folder / _name(make, inputs), serialize(whole, {"about": json.dumps(about)}))
        except OSError as error:
            say(f"{_name(make, inputs)} cannot be kept in {self.folder} ({error.strerror})")
        return value


def _name(make: Callable[..., object], inputs: tuple[object, ...]) -> str:
    asked = f"{make.__module__}.{make.__qualname__} {_code(make.__module__)} {_described(inputs)}"
    return f"{make.__name__}-{hashlib.sha256(asked.encode()).hexdigest()[:32]}.safetensors"


def _described(value: object) -> object:
    """An input as text that tells it from every other."""
    if isinstance(value, Tensor):
        return f"tensor {digest([value])}"
    if isinstance(value, nn.Module):
        state = value.state_dict()
        return f"module {value!r} {list(state)} {digest(list(state.values()))} {next(value.parameters()).device.type}"
    if isinstance(value, Faces):  # not by their pixels, which another machine may round otherwise where they are drawn
        return ["faces", value.report.fingerprint, tuple(value.images.shape)]
    if is_dataclass(value):
        return [type(value).__name__, *(_described(getattr(value, field.name)) for field in fields(value))]
    if isinstance(value, tuple | list):
        return [_described(one) for one in value]
    return repr(value)


def digest(tensors: list[Tensor]) -> str:
    """SHA-256 of shapes, types and values."""
    found = hashlib.sha256()
    for tensor in tensors:
        whole = tensor.detach().cpu().contiguous()
        found.update(f"{whole.dtype} {tuple(whole.shape)}".encode())
        found.update(whole.flatten().view(torch.uint8).numpy().tobytes())
    return found.hexdigest()


def _take_apart(value: object, tensors: list[Tensor]) -> object:
    """A value as JSON, its tensors put into the list in the order in which they are met."""
    if isinstance(value, Tensor):
        tensors.append(value)
        return "tensor"
    if isinstance(value, nn.Module):
        return {name: _take_apart(tensor, tensors) for name, tensor in value.state_dict().items()}
    if is_dataclass(value):
        return {field.name: _take_apart(getattr(value, field.name), tensors) for field in fields(value)}
    if isinstance(value, tuple):
        return [_take_apart(one, tensors) for one in value]
    return value


def _put_together(kind: Any, tree: Any, tensors: Iterator[Tensor]) -> Any:
    """The value of type ``kind`` that :func:`_take_apart` took apart."""
    if get_origin(kind) in (Union, types.UnionType):
        if tree is None:
            return None
        (kind,) = (one for one in get_args(kind) if one is not type(None))
    if kind is Tensor:
        return next(tensors)
    if get_origin(kind) is tuple:
        one, *others = get_args(kind)
        kinds = [one] * len(tree) if others == [Ellipsis] else [one, *others]
        return tuple(_put_together(its, part, tensors) for its, part in zip(kinds, tree, strict=True))
    if issubclass(kind, nn.Module):
        with torch.random.fork_rng(devices=[]):  # its first weights, which are replaced
            module = kind()
        module.load_state_dict({name: next(tensors) for name in tree})
        return module.eval()
    if is_dataclass(kind) and isinstance(kind, type):
        hints = get_type_hints(kind)
        return kind(**{name: _put_together(hints[name], part, tensors) for name, part in tree.items()})
    return kind(tree)


def _read(path: Path) -> tuple[Any, list[Tensor]]:
    with safe_open(path, "pt") as stored:
        return json.loads(stored.metadata()["about"]), [stored.get_tensor(name) for name in sorted(stored.keys())]


@cache
def _code(module: str) -> str:
    """Digest of a module's code and of that of all modules of this package that it imports, directly or not.

    Raises:
        ModelError: the module is none of this package, so that its code is not known.
    """
    if not any(place.is_file() for place in _places(module)):
        raise ModelError(f"{module} is no module of dgm; only functions of dgm are cached")
    found, waiting = set[str](), [module]
    while waiting:
        name = waiting.pop()
        if name not in found:
            found.add(name)
            waiting += _imports(name)
    places = sorted(str(_file(name).relative_to(PACKAGE).with_suffix("")) for name in found)
    return code_digest([f"../{place}" for place in places])


def _imports(module: str) -> list[str]:
    tree = ast.parse(_file(module).read_text(encoding="utf-8"))
    named = [node for node in ast.walk(tree) if isinstance(node, ast.ImportFrom) and node.module]
    names = [name for node in named if (node.module or "").startswith("dgm")
             for name in (str(node.module), *(f"{node.module}.{one.name}" for one in node.names))]
    return [name for name in names if any(place.is_file() for place in _places(name))]


def _file(name: str) -> Path:
    return next(place for place in _places(name) if place.is_file())


def _places(name: str) -> tuple[Path, Path]:
    inner = PACKAGE.parent.joinpath(*name.split("."))
    return inner.with_suffix(".py"), inner / "__init__.py"
