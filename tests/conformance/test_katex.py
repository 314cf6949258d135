"""KaTeX's table of supported functions: each is set, has a Persian reading, and survives the proof.

``katex.tsv`` lists the functions, each with a formula that uses it where its name alone is none. What is about HTML and
the web is refused.
"""

from __future__ import annotations

from pathlib import Path

from tests.conformance.chapters import outcomes

FUNCTIONS = Path(__file__).with_name("katex.tsv")
REFUSED = frozenset({"\\htmlClass", "\\htmlData", "\\htmlId", "\\htmlStyle", "\\href", "\\url", "\\includegraphics"})
ENOUGH = 0.95


def functions() -> list[tuple[str, str]]:
    """Each function's name with a formula that uses it."""
    lines = FUNCTIONS.read_text(encoding="utf-8").splitlines()
    return [(name, formula or name) for name, _, formula in (line.partition("\t") for line in lines)]


def test_the_functions_are_set_and_proved() -> None:
    found = functions()
    for shown in ("متن\n\n$$\n{}\n$$\n", "متن ${}$ پایان"):
        done = outcomes([shown.format(formula) for _, formula in found], strict=True)
        failed = [f"{name}: {outcome}" for (name, _), outcome in zip(found, done, strict=True)
                  if outcome.kind != "proved"]
        assert len(failed) <= (1 - ENOUGH) * len(found), "\n".join(failed)
        assert not REFUSED - {failure.split(":")[0] for failure in failed}
        assert not [failure for failure in failed if "unproven" in failure or "broken" in failure]
