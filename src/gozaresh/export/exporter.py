"""Step 3: an nbconvert exporter of executed notebooks to Typst; ``jupyter nbconvert --to gozaresh x.ipynb`` uses it."""

from __future__ import annotations

from functools import partial
from typing import Any

from nbconvert.exporters.base import Exporter
from nbformat import NotebookNode
from traitlets import Unicode

from gozaresh.common.paths import THEME
from gozaresh.export.document import to_document
from gozaresh.export.error_places import place_in
from gozaresh.export.ledger import collect, marks
from gozaresh.export.reading import Reading, read_chapter
from gozaresh.export.resolve import Conventions
from gozaresh.export.typst_writer import write


class TypstExporter(Exporter):
    """Typst markup of one chapter; figures and, unless another theme is named, the theme come as resources."""

    export_from_notebook = "Typst (Gozaresh)"
    output_mimetype = "text/x-typst"
    theme = Unicode("", help="Path of the theme as Typst sees it; empty: the engine's theme is written beside.").tag(
        config=True)
    figure_path = Unicode("figures", help="Folder of the figures as Typst sees it.").tag(config=True)
    macros = Unicode("", help="LaTeX macros put before every formula.").tag(config=True)

    reading: Reading | None = None  # the notebook as it was read already

    def _file_extension_default(self) -> str:
        return ".typ"

    def from_notebook_node(  # type: ignore[override]  # nbconvert's base says NotebookNode, its exporters return str
        self, nb: NotebookNode, resources: dict[str, Any] | None = None, **kw: Any
    ) -> tuple[str, dict[str, Any]]:
        """Convert an executed notebook.

        Raises:
            SourceError, TypesetError: see :mod:`gozaresh.export.document` and
                :mod:`gozaresh.export.typst_writer`.
        """
        nb, resources = super().from_notebook_node(nb, resources, **kw)
        document = to_document(nb, self.figure_path)
        outputs = {f"figures/{figure.name}": figure.data for figure in document.figures}
        if self.theme:
            opening = f'#import "{self.theme}": *\n'
        else:
            outputs["theme.typ"] = (THEME / "theme.typ").read_bytes()
            opening = '#import "theme.typ": *\n#show: styled\n'
        resources.setdefault("outputs", {}).update(outputs)
        reading = self.reading or read_chapter(nb, Conventions(macros=self.macros, own=self.figure_path))
        markup = write(reading.blocks, self.macros, marks(collect(nb)), partial(place_in, nb))
        return f"{opening}\n{markup}", resources
