"""Where images come from: the sets that ship, a folder of your own, and torchvision's where there is a network."""

from __future__ import annotations

import hashlib
import io
import json
import os
import warnings
from dataclasses import replace
from pathlib import Path
from typing import BinaryIO

import torch

from gan_course.data import domains
from gan_course.data.images import ImageSet
from gan_course.data.pairs import ImagePairs, outlines

DATA_FOLDER = Path(__file__).resolve().parent.parent / "assets" / "data"
MANIFEST = DATA_FOLDER / "manifest.json"
SHIPPED = ("mnist", "fashion", "emoji-noto", "emoji-twemoji")
MADE = ("digit-domains",)  # of MNIST, when it is loaded
PAIRS = ("emoji-outlines", "emoji-styles")
TORCHVISION = ("cifar10", "celeba", "fashion-full")
SPLITS = ("train", "test")
TEST_EVERY = 10


def load(
    name: str | os.PathLike,
    split: str = "train",
    device: torch.device | str | None = None,
    *,
    size: int | None = None,
    channels: int = 3,
) -> ImageSet | ImagePairs:
    """A set of images by name, or from a folder; or pairs of images for a translation.

    Args:
        name: "mnist", "fashion", "emoji-noto", "emoji-twemoji" ship with the course; of these are made the pairs
            "emoji-outlines", from outline to Noto emoji, and "emoji-styles", from Noto to Twemoji, and the set
            "digit-domains", MNIST's digits drawn in five ways (see `data.domains`); "cifar10", "celeba" and
            "fashion-full" are downloaded by torchvision; anything else is the path of a folder of images.
        split: "train" or "test". Of a folder every tenth file, in the order of their names, is the test split; a
            folder of fewer than ten images is all in both.
        device: where the images are kept (default: the CPU).
        size: for a folder and "celeba": images are cropped in the middle and scaled to size x size (default 32; 64).
        channels: for a folder: 3 for RGB, 1 for grey.

    Raises:
        ValueError: an unknown name or split, or a folder without usable images.
        FileNotFoundError: a file that ships is missing.
        RuntimeError: a file that ships is damaged, or a download failed.
    """
    if split not in SPLITS:
        raise ValueError(f"The split is {split!r}; use 'train' or 'test'.")
    if channels not in (1, 3):
        raise ValueError(f"channels is {channels}; use 1 for grey or 3 for RGB.")
    key = str(name)
    if key in SHIPPED:
        images = _shipped(key, split)
    elif key in PAIRS:
        images = _pairs(key, split)
    elif key in MADE:
        make = domains.training_set if split == "train" else domains.test_set
        images = make(_shipped("mnist", split))
    elif key in TORCHVISION:
        images = _torchvision(key, split, size)
    else:
        images = _folder(Path(name).expanduser(), split, size or 32, channels)
    return images.to(device) if device is not None else images


def verify(folder: Path = DATA_FOLDER) -> dict[str, str]:
    """What is wrong with each shipped set: {} when all is well, else {file: one sentence}."""
    problems = {}
    for file in json.loads((folder / "manifest.json").read_text(encoding="utf-8")):
        try:
            _read_checked(folder, file)
        except (FileNotFoundError, RuntimeError) as error:
            problems[file] = str(error)
    return problems


def _shipped(name: str, split: str) -> ImageSet:
    import numpy as np

    content = _read_checked(DATA_FOLDER, f"{name}.npz")
    with np.load(io.BytesIO(content)) as arrays:
        return ImageSet(
            images=torch.from_numpy(arrays[f"{split}_images"]),
            labels=torch.from_numpy(arrays[f"{split}_labels"]).long(),
            classes=arrays["classes"].tolist(),
            names=arrays[f"{split}_names"].tolist() if f"{split}_names" in arrays else [],
            name=name,
        )


def _pairs(name: str, split: str) -> ImagePairs:
    """Outline and emoji, or one emoji in two styles of drawing."""
    noto = _shipped("emoji-noto", split)
    if name == "emoji-styles":
        return ImagePairs(noto, _shipped("emoji-twemoji", split), name)
    return ImagePairs(replace(noto, images=outlines(noto.images), name="outlines of emoji-noto"), noto, name)


def _read_checked(folder: Path, file: str) -> bytes:
    """The bytes of a shipped file, once its checksum is found to be right."""
    restore = f"Restore it with `git checkout -- gan_course/assets/data/{file}`, or download the course again."
    path = folder / file
    try:
        content = path.read_bytes()
    except OSError:
        raise FileNotFoundError(f"{file}, which ships with the course, is missing. {restore}") from None
    expected = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))[file]["sha256"]
    if hashlib.sha256(content).hexdigest() != expected:
        hint = " It is a Git LFS pointer, not the file." if content.startswith(b"version https://git-lfs") else ""
        raise RuntimeError(f"{file} is damaged: its checksum is not the one in manifest.json.{hint} {restore}")
    return content


def _folder(folder: Path, split: str, size: int, channels: int) -> ImageSet:
    """Every image below `folder`. Sub-folders name the classes when all images lie in sub-folders."""
    if not folder.is_dir():
        raise ValueError(
            f"{str(folder)!r} is neither a folder nor a set that the course knows. "
            f"The sets are {', '.join(SHIPPED + PAIRS + MADE + TORCHVISION)}; a folder must exist and hold images."
        )
    from PIL import Image

    known = Image.registered_extensions()
    files = [f for f in folder.rglob("*") if f.suffix.lower() in known and f.is_file() and f.name[0] != "."]
    files.sort(key=lambda file: file.relative_to(folder).as_posix())
    images, kept = _read_images(files, size, channels)
    if not images:
        raise ValueError(
            f"No usable image was found in {str(folder)!r} ({len(files)} files looked like images); "
            "put PNG, JPEG, WebP or other image files there."
        )
    groups = [file.relative_to(folder).parts[0] if file.parent != folder else None for file in kept]
    classes = sorted(set(groups)) if None not in groups else []
    whole = ImageSet(
        images=torch.stack(images),
        labels=torch.tensor([classes.index(group) for group in groups]) if classes else None,
        classes=classes,
        names=[file.relative_to(folder).as_posix() for file in kept],
        name=folder.resolve().name,
    )
    if len(whole) < TEST_EVERY:
        return whole
    is_test = torch.arange(len(whole)) % TEST_EVERY == TEST_EVERY - 1
    return whole.subset(is_test if split == "test" else ~is_test)


def _read_images(files: list[Path], size: int, channels: int) -> tuple[list[torch.Tensor], list[Path]]:
    """The images that could be read, and their files; each broken file is named in a warning and skipped."""
    from tqdm import tqdm

    images, kept = [], []
    for file in tqdm(files, desc="reading images", disable=len(files) < 500):
        try:
            images.append(read_image(file, size, channels))
            kept.append(file)
        except Exception as error:  # Pillow's decoders raise nearly anything on a broken file
            reason = str(error).replace(str(file), file.name)
            warnings.warn(f"Skipped {file.name}: it cannot be read as an image ({reason}).", stacklevel=4)
    return images, kept


def read_image(file: Path | BinaryIO, size: int, channels: int) -> torch.Tensor:
    """One image as uint8 (channels, size, size): upright, on white where transparent, the middle square of it.

    Raises:
        Exception: of nearly any kind, by Pillow's decoders, where it cannot be read as an image.
    """
    import numpy as np
    from PIL import Image, ImageOps

    with Image.open(file) as opened:
        image = ImageOps.exif_transpose(opened)
        if image.mode.startswith("I") or image.mode == "F":
            # 16 bits and more: Pillow's own conversion would clip everything above 255 to white.
            values = np.asarray(image, dtype=np.float64)
            top = 65535.0 if image.mode.startswith("I") else max(values.max(), 1e-12)
            image = Image.fromarray((values / top * 255).clip(0, 255).astype(np.uint8))
        if image.has_transparency_data:
            image = image.convert("RGBA")
            page = Image.new("RGBA", image.size, "white")
            page.alpha_composite(image)
            image = page
        image = image.convert("RGB" if channels == 3 else "L")
    image = ImageOps.fit(image, (size, size), Image.Resampling.LANCZOS)
    return torch.from_numpy(np.array(image).reshape(size, size, channels)).permute(2, 0, 1).contiguous()


def _torchvision(name: str, split: str, size: int | None) -> ImageSet:
    """CIFAR-10, CelebA or the full Fashion-MNIST, downloaded once (torchvision shows progress, checks the sums)."""
    import torchvision

    root = os.environ.get("GAN_COURSE_DATA") or Path.home() / ".cache" / "gan_course"
    try:
        if name == "celeba":
            return _celeba(torchvision.datasets.CelebA(root, split=split, download=True), size or 64)
        kind = {"cifar10": "CIFAR10", "fashion-full": "FashionMNIST"}[name]
        raw = getattr(torchvision.datasets, kind)(root, train=split == "train", download=True)
    except Exception as error:
        raise RuntimeError(
            f"{name} could not be downloaded ({type(error).__name__}: {error}). It needs a network and free disk "
            f"space under {root}; without one use a set that ships: {', '.join(SHIPPED)}."
        ) from error
    data = torch.as_tensor(raw.data)
    images = data.permute(0, 3, 1, 2).contiguous() if data.ndim == 4 else data[:, None]
    return ImageSet(images, torch.as_tensor(raw.targets).long(), list(raw.classes), name=name)


def _celeba(raw, size: int) -> ImageSet:
    """CelebA's faces, the middle 178x178 of each scaled to size x size, without labels."""
    import numpy as np
    from PIL import Image, ImageOps
    from tqdm import tqdm

    images = torch.empty(len(raw), 3, size, size, dtype=torch.uint8)
    for i in tqdm(range(len(raw)), desc="reading CelebA"):
        image = ImageOps.fit(raw[i][0], (size, size), Image.Resampling.LANCZOS)
        images[i] = torch.from_numpy(np.array(image)).permute(2, 0, 1)
    return ImageSet(images, name="celeba")
