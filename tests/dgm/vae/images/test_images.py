"""Folders and zips as students have them, good and bad."""

from __future__ import annotations

import contextlib
import io
import struct
import zipfile
import zlib
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from dgm.errors import DataError
from dgm.vae.images import decoded as cache
from dgm.vae.images.decode import UNREADABLE, decode
from dgm.vae.images.faces import LoadReport, Repeated, is_smile_class, load_faces, stratified_split
from dgm.vae.worlds.faces import RANGES, Factors, render, sample_factors, synthetic_faces


def png(mode: str = "RGB", size: tuple[int, int] = (20, 20), colour: object = None, kind: str = "PNG") -> bytes:
    stream = io.BytesIO()
    Image.new(mode, size, colour if colour is not None else 0).save(stream, kind)
    return stream.getvalue()


def folder(tmp_path: Path, **extra: bytes) -> Path:
    root = tmp_path / "faces"
    for name in ("smile", "non_smile"):
        (root / name).mkdir(parents=True)
        for k in range(12):
            (root / name / f"{k}.png").write_bytes(png(colour=(20 * k, 0, 0)))
    for name, content in extra.items():
        path = root / name.replace("__", "/")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    return root


def zipped(root: Path, top: str = "") -> Path:
    path = root.with_suffix(".zip")
    with zipfile.ZipFile(path, "w") as archive:
        for file in sorted(root.rglob("*.png")):
            archive.write(file, f"{top}{file.relative_to(root).as_posix()}")
    return path


def test_a_folder_and_its_zip_are_the_same_faces(tmp_path: Path) -> None:
    root = folder(tmp_path)
    one, other, nested = load_faces(root, 16), load_faces(zipped(root), 16), load_faces(zipped(root, "faces/"), 16)
    assert one.images.shape == (24, 3, 16, 16)
    assert one.images.dtype == torch.uint8
    assert torch.equal(one.images, other.images)
    assert torch.equal(one.smiling, other.smiling)
    assert one.report.fingerprint == nested.report.fingerprint


@pytest.mark.parametrize(("name", "smiling"), [
    ("smile", True), ("Smiling", True), ("SMILES", True), ("non_smile", False), ("non-smile", False),
    ("NonSmiling", False), ("not smiling", False), ("no_smile", False), ("unsmiling", False), ("neutral", False),
    ("happy", True), ("cats", None), ("train", None),
    ("face_non_smile", False), ("faces-not-smiling", False), ("smile_no", False), ("Neutral faces", False),
    ("snow smile", True), ("1_smile_faces", True),
])
def test_class_names_are_matched_loosely(name: str, smiling: bool | None) -> None:
    assert is_smile_class(name) is smiling


def test_a_damaged_entry_of_a_zip_is_skipped(tmp_path: Path) -> None:
    path = zipped(folder(tmp_path))
    raw = bytearray(path.read_bytes())
    with zipfile.ZipFile(path) as archive:
        entry = archive.infolist()[0]
    start = entry.header_offset + 30 + len(entry.filename)
    raw[start : start + 8] = b"\xff" * 8
    path.write_bytes(raw)
    assert [file.name for file in load_faces(path, 16).report.skipped] == [entry.filename]


def test_a_compressed_entry_whose_stream_is_broken_is_skipped(tmp_path: Path) -> None:
    path = tmp_path / "faces.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name in ("smile", "non_smile"):
            for k in range(12):
                archive.writestr(f"{name}/{k}.bmp", png(kind="BMP"))
        entry = archive.infolist()[0]
    raw = bytearray(path.read_bytes())
    start = entry.header_offset + 30 + len(entry.filename)
    raw[start : start + 4] = b"\xff" * 4  # no such kind of deflate block
    path.write_bytes(raw)
    assert [file.name for file in load_faces(path, 16).report.skipped] == [entry.filename]


def test_windows_separators_in_a_zip_are_understood(tmp_path: Path) -> None:
    path = tmp_path / "faces.zip"
    with zipfile.ZipFile(path, "w") as archive:
        for name in ("smile", "non_smile"):
            for k in range(3):
                archive.writestr(f"faces\\{name}\\{k}.png", png())
    assert len(load_faces(path, 16)) == 6


def test_a_top_folder_that_sounds_like_a_class_is_not_one(tmp_path: Path) -> None:
    root = folder(tmp_path, **{"preview.png": png(), "notes.txt": b"x"})
    root = root.rename(tmp_path / "smile-data")
    report = load_faces(root, 16)
    assert [(file.name, file.reason) for file in report.report.skipped] == [
        ("smile-data/preview.png", "outside the classes' folders")]
    assert int(report.smiling.sum()) == 12


def test_the_fingerprint_is_that_of_the_classes_alone(tmp_path: Path) -> None:
    root = folder(tmp_path)
    one, other = load_faces(root, 16), load_faces(root.rename(tmp_path / "other"), 16)
    assert one.report.fingerprint == other.report.fingerprint
    (tmp_path / "other" / "smile" / "0.png").write_bytes(png(colour=(1, 2, 3)))
    assert load_faces(tmp_path / "other", 16).report.fingerprint != one.report.fingerprint


def test_photographs_are_turned_upright(tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6  # taken with the camera's right side up: show it turned clockwise
    pixels = np.zeros((20, 20, 3), dtype=np.uint8)
    pixels[:10] = 255
    stream = io.BytesIO()
    Image.fromarray(pixels).save(stream, "JPEG", exif=exif, quality=95)
    image = load_faces(folder(tmp_path, **{"smile__z.jpg": stream.getvalue()}), 16).images[-1].float()
    assert image[:, :, 10:].mean() > 240
    assert image[:, :, :6].mean() < 15


def test_damage_anywhere_in_a_file_never_stops_the_loading(tmp_path: Path) -> None:
    generator = np.random.default_rng(0)
    kinds = [png(kind=kind) for kind in ("JPEG", "PNG", "TIFF", "GIF", "BMP", "WEBP")]
    for content in kinds * 40:
        damaged = bytearray(content)
        for place in generator.integers(0, len(damaged), 4):
            damaged[place] = generator.integers(256)
        with contextlib.suppress(UNREADABLE):
            decode(bytes(damaged), 16)


def test_system_files_are_ignored(tmp_path: Path) -> None:
    root = folder(tmp_path, **{"smile__.DS_Store": b"x", "__MACOSX__smile__a.png": b"x", "README.txt": b"x"})
    assert load_faces(root, 16).report.skipped == ()


@pytest.mark.parametrize(("mode", "colour", "expected"), [
    ("L", 100, (100, 100, 100)), ("I;16", 25700, (100, 100, 100)), ("RGBA", (255, 0, 0, 0), (255, 255, 255)),
    ("RGBA", (200, 0, 0, 255), (200, 0, 0)), ("LA", (0, 255), (0, 0, 0)), ("P", 0, None), ("1", 1, (255, 255, 255)),
])
def test_other_kinds_of_images_become_rgb(tmp_path: Path, mode: str, colour: object, expected) -> None:
    root = folder(tmp_path, **{"smile__z.png": png(mode, colour=colour)})
    faces = load_faces(root, 16)
    assert not faces.report.skipped
    if expected is not None:
        image = faces.images[faces.smiling][-1]  # sorted by name: the last of its class
        assert tuple(image[:, 8, 8].tolist()) == expected


def test_cmyk_becomes_rgb(tmp_path: Path) -> None:
    root = folder(tmp_path, **{"smile__z.jpg": png("CMYK", colour=(0, 0, 0, 0), kind="JPEG")})
    assert load_faces(root, 16).images[-1].min() > 250


def test_the_middle_is_cut_out(tmp_path: Path) -> None:
    wide = Image.fromarray(np.concatenate([np.zeros((20, 30, 3)), np.full((20, 20, 3), 255), np.zeros((20, 30, 3))], 1)
                           .astype(np.uint8))
    stream = io.BytesIO()
    wide.save(stream, "PNG")
    root = folder(tmp_path, **{"smile__z.png": stream.getvalue()})
    assert load_faces(root, 16).images[-1].float().mean() > 240


@pytest.mark.parametrize("content", [b"", b"no image at all", png()[:45]])
def test_a_broken_file_is_skipped_counted_and_named(tmp_path: Path, content: bytes) -> None:
    skipped = load_faces(folder(tmp_path, **{"smile__bad.png": content}), 16).report.skipped
    assert [file.name for file in skipped] == ["faces/smile/bad.png"]
    assert skipped[0].reason


def test_a_huge_image_is_skipped_without_decoding(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("dgm.vae.images.decode.MAX_PIXELS", 500)
    skipped = load_faces(folder(tmp_path, **{"smile__bad.png": png(size=(30, 20))}), 16).report.skipped
    assert [(file.name, file.reason) for file in skipped] == [("faces/smile/bad.png", "30x20 pixels are too many")]


def chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def bomb() -> bytes:
    header = struct.pack(">IIBBBBB", 30_000, 30_000, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(b"")) + chunk(b"IEND", b"")


def truncated_jpeg() -> bytes:
    stream = io.BytesIO()
    pixels = np.random.default_rng(0).integers(0, 255, (60, 60, 3), dtype=np.uint8)
    Image.fromarray(pixels).save(stream, "JPEG")
    return stream.getvalue()[:1500]


@pytest.mark.parametrize("content", [bomb(), truncated_jpeg(), b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n1 0 obj"])
def test_what_is_no_whole_image_of_a_sane_size_is_skipped(tmp_path: Path, content: bytes) -> None:
    skipped = load_faces(folder(tmp_path, **{"smile__bad.jpg": content}), 16).report.skipped
    assert [file.name for file in skipped] == ["faces/smile/bad.jpg"]


def test_an_animation_gives_its_first_image(tmp_path: Path) -> None:
    stream = io.BytesIO()
    first, second = (Image.new("RGB", (20, 20), colour) for colour in ("red", "blue"))
    first.save(stream, "GIF", save_all=True, append_images=[second])
    image = load_faces(folder(tmp_path, **{"smile__z.gif": stream.getvalue()}), 16).images[-1]
    assert tuple(image[:, 8, 8].tolist()) == (255, 0, 0)


def test_a_transparent_palette_lies_on_white(tmp_path: Path) -> None:
    stream = io.BytesIO()
    palette = Image.new("P", (20, 20), 1)
    palette.putpalette([0, 0, 0, 200, 0, 0])
    palette.save(stream, "PNG", transparency=1)
    faces = load_faces(folder(tmp_path, **{"smile__z.png": stream.getvalue()}), 16)
    assert faces.images[-1].min() == 255


def test_names_with_spaces_and_persian_letters_in_nested_folders(tmp_path: Path) -> None:
    root = folder(tmp_path, **{"smile__چهرهٔ خندان __عکس ۱ (2).png": png(), "smile__Thumbs.db": b"x"})
    faces, again = load_faces(root, 16), load_faces(zipped(root), 16)
    assert len(faces) == 25
    assert torch.equal(faces.images, again.images)
    assert faces.report == LoadReport("faces", False, again.report.fingerprint, (), faces.report.repeated)


def test_files_of_one_content_are_named_and_whether_their_labels_differ(tmp_path: Path) -> None:
    root = folder(tmp_path)  # holds the same twelve images in both classes
    for k in range(1, 12):
        (root / "non_smile" / f"{k}.png").write_bytes(png(colour=(0, 20 * k, 0)))
    (root / "smile" / "again.png").write_bytes(png(colour=(100, 0, 0)))
    assert load_faces(root, 16).report.repeated == (
        Repeated(("faces/non_smile/0.png", "faces/smile/0.png"), True),
        Repeated(("faces/smile/5.png", "faces/smile/again.png"), False))
    content = load_faces(root, 16).content
    assert content is not None
    assert len(content.unique()) == len(content) - 2


def test_a_rare_class_is_in_both_parts_and_its_share_is_known(tmp_path: Path) -> None:
    root = folder(tmp_path)
    for k in range(2, 12):
        (root / "smile" / f"{k}.png").unlink()
    faces = load_faces(root, 16)
    split = stratified_split(faces.smiling, 0.8, 0)
    assert faces.rarer_share == pytest.approx(2 / 14)
    assert [int(faces.smiling[part].sum()) for part in (split.train, split.valid)] == [1, 1]


def test_the_cache_gives_the_same_faces_and_decodes_nothing_twice(tmp_path: Path, monkeypatch) -> None:
    root = folder(tmp_path, **{"smile__bad.png": b"x"})
    kept = tmp_path / "cache"
    plain, first = load_faces(root, 16), load_faces(root, 16, kept)
    monkeypatch.setattr(cache, "decode", lambda *_: pytest.fail("decoded again"))
    second = load_faces(root, 16, kept)
    for other in (first, second):
        assert torch.equal(other.images, plain.images)
        assert torch.equal(other.smiling, plain.smiling)
        assert other.report == plain.report
    second.images[0] = 0  # stays in memory
    assert torch.equal(load_faces(root, 16, kept).images, plain.images)


def test_the_cache_knows_changed_contents_other_sizes_and_damage(tmp_path: Path) -> None:
    root, kept = folder(tmp_path), tmp_path / "cache"
    load_faces(root, 16, kept)
    assert load_faces(root, 32, kept).images.shape[-1] == 32
    (root / "smile" / "0.png").write_bytes(png(colour=(1, 2, 3)))
    assert torch.equal(load_faces(root, 16, kept).images, load_faces(root, 16).images)
    for path in kept.glob("*.u8"):
        path.write_bytes(path.read_bytes()[:-1])
    assert torch.equal(load_faces(root, 16, kept).images, load_faces(root, 16).images)


def test_without_a_place_for_the_cache_the_faces_are_read_all_the_same(tmp_path: Path, capsys) -> None:
    root = folder(tmp_path)
    (tmp_path / "file").write_text("")
    assert torch.equal(load_faces(root, 16, tmp_path / "file" / "cache").images, load_faces(root, 16).images)
    assert "decoded images cannot be kept in" in capsys.readouterr().err


def remove(root: Path, name: str) -> Path:
    for file in (root / name).iterdir():
        file.unlink()
    return root


def renamed(root: Path, name: str, new: str) -> Path:
    (root / name).rename(root / new)
    return root


def evil_zip(root: Path, name: str) -> Path:
    path = zipped(root)
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr(name, png())
    return path


def many_bad(root: Path) -> Path:
    for k in range(5):
        (root / "smile" / f"bad{k}.png").write_bytes(b"x")
    return root


@pytest.mark.parametrize(("spoil", "message"), [
    (lambda root: root / "none", "no such file or folder"),
    (lambda root: remove(remove(root, "smile"), "non_smile"), "no images; two folders are needed"),
    (lambda root: remove(root, "non_smile"), "only one class; the folder 'non_smile' is missing or empty"),
    (lambda root: renamed(root, "non_smile", "grumpy"), "class name 'grumpy' is not understood"),
    (lambda root: renamed(root, "smile", "smlie"), "class name 'smlie' is not understood; nearest: smile"),
    (many_bad, "5 of 29 files are no usable images, more than a tenth; the first is faces/smile/bad0.png"),
    (lambda root: evil_zip(root, "../smile/x.png"), "refused, the name '../smile/x.png' leads outside"),
    (lambda root: evil_zip(root, "/smile/x.png"), "refused"),
    (lambda root: evil_zip(root, "C:/smile/x.png"), "refused"),
    (lambda root: "", "DATA is empty"),
    (lambda root: root / "smile" / "0.png", "neither a folder nor a readable .zip"),
])
def test_bad_data_is_one_clear_line(tmp_path: Path, spoil, message: str) -> None:
    path = spoil(folder(tmp_path))
    with pytest.raises(DataError) as caught:
        load_faces(path, 16)
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)


@given(st.integers(2, 400), st.integers(2, 400), st.floats(0.1, 0.9), st.integers(0, 9))
@settings(max_examples=40, deadline=None)
def test_the_split_is_stratified_and_loses_nothing(smiles: int, others: int, share: float, seed: int) -> None:
    smiling = torch.arange(smiles + others) < smiles
    split = stratified_split(smiling, share, seed)
    assert sorted([*split.train.tolist(), *split.valid.tolist()]) == list(range(smiles + others))
    for one_class, count in ((smiling, smiles), (~smiling, others)):
        assert abs(int(one_class[split.train].sum()) - share * count) <= 1
        assert 0 < int(one_class[split.train].sum()) < count
    again = stratified_split(smiling, share, seed)
    assert torch.equal(split.train, again.train)


def test_no_copy_of_a_training_image_is_among_the_validation_images() -> None:
    smiling, content = torch.arange(400) % 2 == 0, torch.randint(0, 300, (400,), generator=torch.manual_seed(0))
    split = stratified_split(smiling, 0.7, 0, content)
    assert sorted([*split.train.tolist(), *split.valid.tolist()]) == list(range(400))
    assert not set(content[split.train].tolist()) & set(content[split.valid].tolist())
    with pytest.raises(DataError, match="no validation image left"):
        stratified_split(smiling, 0.7, 0, torch.zeros(400, dtype=torch.int64))


@pytest.mark.parametrize("share", [0.0, 1.0, -1.0, float("nan")])
def test_an_impossible_split_is_refused(share: float) -> None:
    with pytest.raises(DataError, match="train_fraction"):
        stratified_split(torch.tensor([True, False]), share, 0)


def test_synthetic_faces_depend_on_their_seed_alone() -> None:
    one, same, other = (synthetic_faces(20, 32, seed) for seed in (1, 1, 2))
    assert torch.equal(one.images, same.images)
    assert not torch.equal(one.images, other.images)
    assert one.report.synthetic
    assert one.report.fingerprint != other.report.fingerprint


def test_a_face_does_not_depend_on_its_neighbours() -> None:
    factors = sample_factors(5, torch.Generator().manual_seed(0))
    together = render(factors, 32)
    torch.testing.assert_close(render(Factors(factors.values[3:4]), 32), together[3:4])


def mouth_corner_height(smile: float) -> float:
    """How many rows the lips' red lies higher at the mouth's corner than at its middle."""
    values = torch.zeros(1, len(RANGES))
    values[0, list(RANGES).index("smile")] = smile
    values[0, list(RANGES).index("eye_opening")] = 0.8
    image = render(Factors(values), 128)[0]
    red = (image[0] - image[1] - 0.25).clamp(min=0)  # (S, S)
    red[:70] = 0
    left = int((red.sum(0) > 0.05).nonzero()[0])
    corner, middle = red[:, left : left + 4].sum(1), red[:, 60:68].sum(1)
    rows = torch.arange(128)
    return float((middle * rows).sum() / middle.sum() - (corner * rows).sum() / corner.sum())


def test_the_mouths_corners_rise_with_the_smile() -> None:
    heights = [mouth_corner_height(smile) for smile in (-1.0, -0.5, 0.5, 1.0)]
    assert heights == sorted(heights)
    assert heights[0] < 0 < heights[-1]


@pytest.mark.parametrize("name", list(RANGES))
def test_every_factor_changes_the_picture(name: str) -> None:
    values = torch.stack([(torch.tensor(list(RANGES.values())).mean(1))] * 2)
    values[:, 0] = 0.5
    values[0, list(RANGES).index(name)], values[1, list(RANGES).index(name)] = RANGES[name]
    one, other = render(Factors(values), 64)
    assert (one - other).abs().max() > 0.1
