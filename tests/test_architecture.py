"""The structure that DESIGN promises: two packages that ignore each other, heavy imports only where they belong."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

SRC = Path(__file__).parent.parent / "src"
FILES = sorted(SRC.rglob("*.py"))
# each module imports only from modules before it
ENGINE = """errors clock compiler persian checks author device settings reads source inline notebook ledger
    parameters files memo witness standing fingerprint bytecode progress lock inputs cache running execute
    mathsymbols mathmacros mathcursor mathtree mathparse mathtypst mathwords
    mathitems mathspeech maths bidi document footnotes markdown homing export pdfdigest pdftext pdfpages passage pdffont
    pdfrun visual textlayer pdftags comparison pdffaults typeset bibliography lint spelling prose numbering promised
    printed proofread quote origins provenance difference resultstable
    appendix build bundle watch cli""".split()


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


@pytest.mark.parametrize("path", [p for p in FILES if p.is_relative_to(SRC / "gozaresh")], ids=named)
def test_the_engine_imports_in_one_direction(path: Path) -> None:
    if path.stem == "__init__":
        return
    own = ENGINE.index(path.stem)
    used = {name.split(".")[1] for name in imports(path) if name.startswith("gozaresh.")}
    assert not [name for name in used if name in ENGINE and ENGINE.index(name) >= own]


def test_the_sciences_fields_ignore_each_other() -> None:
    fields = ("graphs", "calculus", "disentangle", "vae")
    for path in (p for p in FILES if p.relative_to(SRC).parts[1] in fields):
        own = path.relative_to(SRC).parts[1]
        used = {name.split(".")[1] for name in imports(path) if name.startswith("dgm.")}
        lent = {"disentangle"} if own == "vae" else set()  # scores of any code, which models are measured by
        assert not used & (set(fields) - {own} - lent), named(path)
