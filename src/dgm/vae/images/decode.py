"""An image file of any kind as a square of pixels."""

from __future__ import annotations

import io
import struct
import warnings

import numpy as np
from PIL import Image, ImageOps, UnidentifiedImageError

MAX_PIXELS = 100_000_000  # an image beyond this is not decoded at all
# what Pillow's decoders raise on damaged files
UNREADABLE = (OSError, ValueError, SyntaxError, ArithmeticError, LookupError, TypeError, EOFError, struct.error,
              Image.DecompressionBombError)
FORMATS = ("JPEG", "PNG", "BMP", "GIF", "TIFF", "WEBP", "PPM")  # none that runs another program


def decode(content: bytes, size: int) -> np.ndarray:
    """An image file as a square RGB array, uint8 (size, size, 3), its middle cut out.

    Grey, 16-bit, CMYK, palette and transparent images become RGB; of an animation the first image is taken.

    Raises:
        one of UNREADABLE: the file is damaged, too large or no image.
    """
    # no warnings: a file either gives an image or is reported as skipped
    with (warnings.catch_warnings(action="ignore"),
          Image.open(io.BytesIO(content), formats=FORMATS) as opened):
        if opened.width * opened.height > MAX_PIXELS:
            raise ValueError(f"{opened.width}x{opened.height} pixels are too many")
        opened.draft("RGB", (2 * size, 2 * size))  # a JPEG may be decoded at a fraction of its size
        image = _rgb(ImageOps.exif_transpose(opened) or opened)
    return np.asarray(ImageOps.fit(image, (size, size), Image.Resampling.BICUBIC))


def _rgb(image: Image.Image) -> Image.Image:
    if image.mode.startswith("I"):  # 16 bits a pixel; 65535 / 257 = 255
        grey = np.asarray(image).astype(np.float64) / 257
        return Image.fromarray(grey.clip(0, 255).round().astype(np.uint8)).convert("RGB")
    if image.mode in ("RGBA", "LA", "PA") or "transparency" in image.info:
        layered = image.convert("RGBA")
        white = Image.new("RGBA", layered.size, "white")
        return Image.alpha_composite(white, layered).convert("RGB")
    return image.convert("RGB")


def reason(error: Exception, content: bytes) -> str:
    """Why a file could not be decoded, in a few words."""
    if not content:
        return "empty, too large or damaged"
    if isinstance(error, UnidentifiedImageError):
        return "not an image"
    return (str(error).splitlines() or [type(error).__name__])[0][:80]
