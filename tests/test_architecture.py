"""The structure that ARCHITECTURE.md promises: wings in the order of the pipeline, heavy imports where they belong."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

SRC = Path(__file__).parents[1] / "src"
FILES = sorted(SRC.rglob("*.py"))
# Each wing, a folder or a file of the package, imports only from itself and from those before it.
WINGS = {
    "gozaresh": "common settings author source maths pdf export run typeset proof uptodate provenance report "
                "build bundle watch cli",
    "dgm": "errors digits graphs calculus disentangle vae",
    "dgm/calculus": "language checking closed_forms identities",
    "dgm/vae": "common images worlds model training analysis experiments",
}


def imports(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: relative import"
            yield node.module or ""
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def named(path: Path) -> str:
    return str(path.relative_to(SRC))


@pytest.mark.parametrize("path", FILES, ids=named)
def test_packages_ignore_each_other(path: Path) -> None:
    other = "dgm" if path.is_relative_to(SRC / "gozaresh") else "gozaresh"
    assert not [name for name in imports(path) if name.split(".")[0] == other]


@pytest.mark.parametrize("path", FILES, ids=named)
def test_torch_is_imported_under_the_vae_alone(path: Path) -> None:
    if not path.is_relative_to(SRC / "dgm" / "vae"):
        assert not [name for name in imports(path) if name.split(".")[0] in ("torch", "safetensors")]


@pytest.mark.parametrize("path", FILES, ids=named)
def test_oracles_are_used_by_tests_alone(path: Path) -> None:
    assert not [name for name in imports(path) if name.split(".")[0] in ("networkx", "scipy")]


@pytest.mark.parametrize("package", WINGS)
def test_wings_import_in_one_direction(package: str) -> None:
    order, root = WINGS[package].split(), SRC / package
    backwards = []
    for path in sorted(root.rglob("*.py")):
        own = path.relative_to(root).with_suffix("").parts[0]
        if own not in ("__init__", "__main__", "notebooks"):
            used = {name.split(".")[len(root.relative_to(SRC).parts)] for name in imports(path)
                    if name.startswith(f"{package.replace('/', '.')}.")}
            backwards += [f"{named(path)} -> {wing}" for wing in sorted(used & set(order))
                          if order.index(wing) > order.index(own)]
    assert not backwards


@pytest.mark.parametrize("package", WINGS)
def test_every_wing_has_its_place_in_the_order(package: str) -> None:
    inside = {path.stem for path in (SRC / package).iterdir()
              if path.suffix == ".py" or (path.is_dir() and (path / "__init__.py").exists())}
    assert inside - {"__init__", "__main__"} == set(WINGS[package].split())


def test_the_sciences_fields_ignore_each_other() -> None:
    fields = ("graphs", "calculus", "disentangle", "vae")
    for path in (p for p in FILES if p.relative_to(SRC).parts[1] in fields):
        own = path.relative_to(SRC).parts[1]
        used = {name.split(".")[1] for name in imports(path) if name.startswith("dgm.")}
        lent = {"disentangle"} if own == "vae" else set()  # scores of any code, which models are measured by
        assert not used & (set(fields) - {own} - lent), named(path)


@pytest.mark.parametrize("document", ["README.md", "ARCHITECTURE.md", "CONTRIBUTING.md"])
def test_documents_name_files_that_are_there(document: str) -> None:
    text = (SRC.parent / document).read_text(encoding="utf-8")
    paths = set(re.findall(r"(?<![/\w])(?:src|tests|benchmarks|notebooks|report)/[\w./-]*\w", text))
    assert paths
    assert not sorted(path for path in paths if not (SRC.parent / path).exists())
