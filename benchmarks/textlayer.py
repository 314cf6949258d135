"""What readers copy from a report's PDF: python benchmarks/textlayer.py [FOLDER]

The texts in benchmarks/textlayer/ were not used in making the text layer, but for one word of the first («الله»). They
are set as any report is, the PDF is read by every reader that is installed, and the words are held against the
source's, letter by letter: NFC, half-spaces and marks included, direction marks not, for readers put in their own.

Readers: pdfium (pypdfium2), poppler (pdftotext), mupdf (mutool or the package pymupdf), pdf.js (node and the package
pdfjs-dist, below the working folder or NODE_PATH). With FOLDER, a built report, the repair of its text layer is timed.
"""

from __future__ import annotations

import importlib.util
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from pathlib import Path

import nbformat
import pikepdf
import typst
from gozaresh.proof.words import PERSIAN, source_texts, tokens

from gozaresh.pdf.text import read_pages
from gozaresh.typeset.textlayer import repair

TEXT = Path(__file__).parent / "textlayer"
HALF_SPACE = "\u200c"
RUNS = 3
PDFJS = """
const require = (await import('module')).createRequire(process.cwd() + '/');
const {getDocument} = await import(require.resolve('pdfjs-dist/legacy/build/pdf.mjs'));
if (process.argv[1]) {
  const data = new Uint8Array(require('fs').readFileSync(process.argv[1]));
  const pdf = await getDocument({data, verbosity: 0}).promise;
  for (let number = 1; number <= pdf.numPages; number++) {
    const content = await (await pdf.getPage(number)).getTextContent();
    console.log(content.items.map(item => item.str + (item.hasEOL ? '\\n' : '')).join(''));
  }
}
"""
Reader = Callable[[Path], str]


@dataclass(frozen=True)
class Score:
    """How much of the source a reader gives back; shares from 0 to 1."""

    words: float  # Persian words that come back, in order
    half_spaces: float
    others: float  # Latin words and numbers, in any order
    order: float  # of all that come back, what stands in the source's order
    seconds: float


def output(*command: str) -> str:
    """What a command prints; empty if it fails."""
    done = subprocess.run(command, capture_output=True, check=False)
    return done.stdout.decode("utf-8", "replace") if done.returncode == 0 else ""


def node(*arguments: str) -> str:
    """What node prints when it runs PDFJS."""
    script = PDFJS + "\nconsole.log('');"
    return output("node", "--input-type=module", "-e", script, *arguments)


def pymupdf(path: Path) -> str:
    """The text as the package gives it."""
    import pymupdf as package

    with package.open(path) as pdf:
        return "\n".join(page.get_text() for page in pdf)


def readers() -> Iterator[tuple[str, Reader | None]]:
    """Every reader by its name; None if it is not installed."""
    mutool: Reader | None = lambda path: output("mutool", "draw", "-q", "-F", "text", str(path))  # noqa: E731
    mupdf = pymupdf if importlib.util.find_spec("pymupdf") else None
    yield "pdfium", lambda path: "\n".join(page.text for page in read_pages(path))
    yield "poppler", (lambda path: output("pdftotext", str(path), "-")) if shutil.which("pdftotext") else None
    yield "mupdf", mutool if shutil.which("mutool") else mupdf
    yield "pdf.js", (lambda path: node(str(path))) if shutil.which("node") and node() else None


def build(folder: Path) -> Path:
    """Set the text in a copy of its folder, and return the copy."""
    copy = folder / "report"
    shutil.copytree(TEXT, copy, ignore=shutil.ignore_patterns("build"))
    command = [sys.executable, "-m", "gozaresh.cli", "build", str(copy)]
    done = subprocess.run(command, capture_output=True, text=True, check=False,
                          env={**os.environ, "SOURCE_DATE_EPOCH": "1735689600"})
    if done.returncode:
        sys.exit(done.stderr)
    return copy


def wanted(report: Path) -> list[str]:
    """The words and numbers of the source, in order."""
    chapters = [nbformat.read(path, as_version=4) for path in sorted((report / "build" / "executed").glob("*.ipynb"))]
    return [word for chapter in chapters for text in source_texts(chapter) for word in text.words]


def score(source: Sequence[str], text: str, seconds: float) -> Score:
    """Hold what a reader gives against the source."""
    found = tokens(text)
    persian, theirs = ([word for word in words if PERSIAN.fullmatch(word)] for words in (source, found))
    blocks = SequenceMatcher(None, persian, theirs, autojunk=False).get_matching_blocks()
    ordered = [word for block in blocks for word in persian[block.a:block.a + block.size]]
    there = Counter(persian) & Counter(theirs)
    others = Counter(source) - Counter(persian)
    return Score(len(ordered) / len(persian),
                 sum(word.count(HALF_SPACE) for word in there.elements()) / "".join(persian).count(HALF_SPACE),
                 (others & Counter(found)).total() / others.total(), len(ordered) / there.total(), seconds)


def table(pdf: Path, source: Sequence[str]) -> None:
    """Print a line a reader."""
    print(f"{'':<9} Persian words  half-spaces  Latin, numbers  in order  seconds")
    for name, reader in readers():
        if reader is None:
            print(f"{name:<9} is not installed")
            continue
        begun = time.perf_counter()
        text = reader(pdf)
        got = score(source, text, time.perf_counter() - begun)
        print(f"{name:<9} {got.words:13.2%} {got.half_spaces:12.2%} {got.others:15.2%} {got.order:9.2%} "
              f"{got.seconds:8.2f}")


def time_repair(folder: Path) -> None:
    """Set a built report anew and time the repair of its text layer."""
    sheet = folder / "build" / "report.typ"
    raw = bytes(typst.compile(sheet, root=folder, font_paths=[folder / "build" / "theme" / "fonts"],
                              ignore_system_fonts=True, pdf_standards=["ua-1", "a-2a"]))
    times = []
    for _ in range(RUNS):
        begun = time.process_time()
        repair(raw)
        times.append(time.process_time() - begun)
    with tempfile.NamedTemporaryFile(suffix=".pdf") as file:
        file.write(raw)
        file.flush()
        with pikepdf.open(file.name) as pdf:
            pages = len(pdf.pages)
    print(f"the repair of {pages} pages takes {min(times):.2f} s of processor time (best of {RUNS})")


def main() -> None:
    """Build, read, print."""
    with tempfile.TemporaryDirectory() as folder:
        report = build(Path(folder))
        source = wanted(report)
        persian = [word for word in source if PERSIAN.fullmatch(word)]
        print(f"{len(persian)} Persian words with {''.join(persian).count(HALF_SPACE)} half-spaces, "
              f"{len(source) - len(persian)} Latin words and numbers")
        table(report / "build" / "report.pdf", source)
    for folder in sys.argv[1:]:
        time_repair(Path(folder).resolve())


if __name__ == "__main__":
    main()
