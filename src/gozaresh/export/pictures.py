"""Pictures that an author names: by path, as an attachment of a notebook's cell, as a ``data:`` address, on the web."""

from __future__ import annotations

import base64
import binascii
import hashlib
import io
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import unquote, unquote_to_bytes

import lxml.etree

from gozaresh.common.digests import file_digest

FORMATS = ((b"\x89PNG\r\n\x1a\n", "png"), (b"\xff\xd8\xff", "jpg"), (b"GIF8", "gif"))
WEB = re.compile(r"^(?:https?:)?//", re.I)
SCHEME = re.compile(r"^[A-Za-z][A-Za-z0-9+.-]+:")


@dataclass(frozen=True)
class Picture:
    """A picture's bytes in a format that can be set; ``why`` says why there are none."""

    data: bytes = b""
    suffix: str = ""
    why: str = ""

    @property
    def name(self) -> str:
        """A file name that tells two pictures apart."""
        return f"{hashlib.sha256(self.data).hexdigest()[:16]}.{self.suffix}"


@dataclass(frozen=True)
class Gallery:
    """Where the pictures of a chapter are looked for."""

    folders: Sequence[Path] = ()

    def find(self, address: str, attachments: Mapping[str, Mapping[str, str]]) -> Picture:
        """The picture of an address."""
        if address.startswith("data:"):
            return _of_data(address)
        if address.startswith("attachment:"):
            return _attached(unquote(address.removeprefix("attachment:")), attachments)
        if SCHEME.match(address) and not address.lower().startswith("file:"):
            return Picture(why="an address that is no file's")
        path = self.path(address)
        if path is None:
            return Picture(why="there is no such file")
        try:
            return readable(path.read_bytes())
        except OSError as error:
            return Picture(why=error.strerror or "the file cannot be read")

    def state(self, address: str) -> str:
        """The digest of the file that an address names; empty where it names none."""
        path = self.path(address)
        return file_digest(path) if path else ""

    def path(self, address: str) -> Path | None:
        """The file that an address names, seen from the first of the folders that has it."""
        for path in self.candidates(address):
            try:
                if path.is_file():
                    return path
            except (OSError, ValueError):
                continue
        return None

    def candidates(self, address: str) -> list[Path]:
        """The files that an address may name; none for an address of the web or of a place in the document."""
        if address.startswith(("#", "//")) or (SCHEME.match(address) and not address.lower().startswith("file:")):
            return []
        plain = re.sub(r"^file:/*", "", address, flags=re.I)
        names = dict.fromkeys((plain, unquote(plain), unquote(re.split(r"[?#]", plain)[0]), plain.replace("\\", "/")))
        return [folder / name.lstrip("/") for folder in self.folders for name in names if name.strip("/")]


def is_on_web(address: str) -> bool:
    """Test if an address is one of the web, from where nothing is fetched."""
    return bool(WEB.match(address))


def _of_data(address: str) -> Picture:
    about, _, data = address.removeprefix("data:").partition(",")
    try:
        return readable(base64.b64decode(unquote(data)) if ";base64" in about else unquote_to_bytes(data))
    except (binascii.Error, ValueError):
        return Picture(why="the data in its address is damaged")


def _attached(name: str, attachments: Mapping[str, Mapping[str, str]]) -> Picture:
    forms = attachments.get(name)
    if not forms:
        return Picture(why="the cell has no such attachment")
    mime, data = next(iter(forms.items()))
    try:
        return readable(data.encode() if mime == "image/svg+xml" and data.lstrip().startswith("<")
                        else base64.b64decode(data))
    except (binascii.Error, ValueError):
        return Picture(why="the attachment is damaged")


def readable(data: bytes) -> Picture:
    """Bytes as a picture that Typst can read: PNG, JPEG, GIF, WebP or SVG; others as PNG."""
    suffix = next((suffix for start, suffix in FORMATS if data.startswith(start)), "")
    if data[:4] == b"RIFF" and data[8:12] == b"WEBP":
        suffix = "webp"
    if not suffix and b"<svg" in data[:4000].lower():
        return _drawing(data)
    return _raster(data, suffix)


def _drawing(data: bytes) -> Picture:
    try:
        lxml.etree.fromstring(data, lxml.etree.XMLParser(resolve_entities=False, no_network=True, huge_tree=True))
    except lxml.etree.XMLSyntaxError:
        return Picture(why="the SVG is damaged")
    return Picture(data, "svg")


def _raster(data: bytes, suffix: str) -> Picture:
    from PIL import Image, UnidentifiedImageError

    try:
        with Image.open(io.BytesIO(data)) as image:
            image.load()
            if suffix and not (suffix == "jpg" and image.mode == "CMYK"):
                return Picture(data, suffix)
            out = io.BytesIO()
            image.convert("RGBA" if "A" in image.getbands() or "transparency" in image.info else "RGB").save(out, "PNG")
            return Picture(out.getvalue(), "png")
    except (UnidentifiedImageError, OSError, ValueError, SyntaxError, Image.DecompressionBombError):
        return Picture(why="the file holds no picture that can be read")
