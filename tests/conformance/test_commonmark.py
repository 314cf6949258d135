"""CommonMark's 652 examples, each as a chapter: built and proved, or refused in one line at its place.

The examples are taken from markdown-it-py's source distribution through pip; none is kept here.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tarfile
import tempfile
from collections import Counter
from pathlib import Path
from typing import Any

from tests.conformance.chapters import outcomes

PACKAGE = "markdown-it-py"
MEMBER = "test_cmark_spec/commonmark.json"


Example = dict[str, Any]


def specification(folder: Path) -> list[Example]:
    """The examples, each with its number, section and Markdown; the distribution is put into ``folder``."""
    subprocess.run([sys.executable, "-m", "pip", "download", "-q", "--no-deps", "--no-binary", ":all:", "-d", folder,
                    PACKAGE], check=True, capture_output=True)
    with tarfile.open(next(folder.glob("*.tar.gz"))) as archive:
        member = next(name for name in archive.getnames() if name.endswith(MEMBER))
        content = archive.extractfile(member)
        assert content is not None
        found: list[Example] = json.load(content)
    return found


def test_every_example_is_proved_or_refused_at_its_place(tmp_path: Path) -> None:
    examples = specification(tmp_path)
    assert len(examples) > 600
    done = outcomes([example["markdown"] for example in examples])
    wrong = [f"{example['example']} ({example['section']}): {outcome}"
             for example, outcome in zip(examples, done, strict=True) if not outcome.right]
    assert not wrong, "\n".join(wrong)


if __name__ == "__main__":  # the table of outcomes
    with tempfile.TemporaryDirectory() as folder:
        found = specification(Path(folder))
    results = outcomes([example["markdown"] for example in found])
    for example, outcome in zip(found, results, strict=True):
        if outcome.kind != "proved":
            print(example["example"], example["section"], outcome.kind, *outcome.lines[:3], sep=" | ")
    print(Counter(outcome.kind for outcome in results), sum(outcome.right for outcome in results), "right")
