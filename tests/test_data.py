"""The sets that ship, folders of any images, torchvision's sets, and every kind of bad input."""

import hashlib
import json
import math
import time

import numpy as np
import pytest
import torch
from PIL import Image

from gan_course import data
from gan_course.data import sources, toy


@pytest.mark.parametrize(
    ("name", "shape", "train", "test"),
    [
        ("mnist", (1, 28, 28), 60_000, 10_000),
        ("fashion", (1, 28, 28), 10_000, 2_000),
        ("emoji-noto", (3, 32, 32), 1_529, 382),
        ("emoji-twemoji", (3, 32, 32), 1_529, 382),
    ],
)
def test_shipped_sets(name, shape, train, test):
    for split, count in (("train", train), ("test", test)):
        images = data.load(name, split)
        assert len(images) == count and images.image_shape == shape and images.images.dtype == torch.uint8
        assert len(images.labels) == count and images.labels.dtype == torch.int64
        assert len(images.classes) == 10 and images.labels.min() >= 0 and images.labels.max() < 10
        assert images.images.min() == 0 and images.images.max() == 255


def test_a_set_loads_in_a_second():
    best = math.inf
    for _ in range(3):
        started = time.perf_counter()
        data.load("mnist")
        best = min(best, time.perf_counter() - started)
    assert best < 1.5, "0.3 s when nothing else runs"


def test_mnist_is_the_real_one():
    train = data.load("mnist", "train")
    assert train.labels[:10].tolist() == [5, 0, 4, 1, 9, 2, 1, 3, 1, 4]
    assert train.labels.bincount().tolist() == [5923, 6742, 5958, 6131, 5842, 5421, 5918, 6265, 5851, 5949]
    assert train.images.float().mean().item() / 255 == pytest.approx(0.1307, abs=1e-4)


def test_emoji_styles_are_aligned():
    for split in ("train", "test"):
        noto, twemoji = data.load("emoji-noto", split), data.load("emoji-twemoji", split)
        assert noto.names == twemoji.names and torch.equal(noto.labels, twemoji.labels)
    train, test = (set(data.load("emoji-noto", split).names) for split in ("train", "test"))
    assert len(train & test) < 5, "an emoji is in one split only (a few share a name)"


def test_all_assets_are_small_and_whole():
    assert sources.verify() == {}
    assert sum(file.stat().st_size for file in sources.DATA_FOLDER.glob("*.npz")) <= 21e6
    for entry in json.loads(sources.MANIFEST.read_text()).values():
        assert entry["licence"] and entry["source"] and entry["authors"]


def test_damaged_and_missing_assets_are_named(tmp_path, monkeypatch):
    content = b"not really an archive"
    manifest = {"mnist.npz": {"sha256": hashlib.sha256(b"the original").hexdigest()}}
    (tmp_path / "manifest.json").write_text(json.dumps(manifest))
    monkeypatch.setattr(sources, "DATA_FOLDER", tmp_path)
    with pytest.raises(
        FileNotFoundError, match=r"mnist\.npz, which ships with the course, is missing\. Restore it with `git"
    ):
        data.load("mnist")
    (tmp_path / "mnist.npz").write_bytes(content)
    with pytest.raises(RuntimeError, match=r"mnist\.npz is damaged: its checksum"):
        data.load("mnist")
    assert list(sources.verify(tmp_path)) == ["mnist.npz"]


def test_conversion_is_exact_both_ways():
    levels = torch.arange(256, dtype=torch.uint8).reshape(1, 1, 16, 16)
    x = data.to_float(levels)
    assert x.min() == -1 and x.max() == 1 and torch.equal(data.to_uint8(x), levels)
    assert data.to_uint8(torch.tensor([-3.0, 3.0])).tolist() == [0, 255]
    dark = torch.full((2, 1, 4, 4), -0.5)
    assert data.to_uint8(dark).unique().tolist() == [64], "never stretched by minimum and maximum"
    with pytest.raises(TypeError, match="expects uint8"):
        data.to_float(x)
    with pytest.raises(TypeError, match="expects float"):
        data.to_uint8(levels)


def test_batches_are_random_pairs_and_repeatable(squares):
    x, y = squares.batch(500, torch.Generator().manual_seed(1))
    again, _ = squares.batch(500, torch.Generator().manual_seed(1))
    assert torch.equal(x, again) and x.shape == (500, 1, 28, 28) and x.min() == -1 and x.max() == 1
    rows = [(data.to_uint8(image) == squares.images).flatten(1).all(1).nonzero()[0].item() for image in x[:50]]
    assert squares.labels[rows].tolist() == y[:50].tolist()
    assert len({image.numpy().tobytes() for image in x}) > 50


def test_subset_keeps_rows_together():
    images = data.load("emoji-noto", "test")
    part = images.subset(images.labels == 3)
    assert (part.labels == 3).all() and len(part.names) == len(part)
    assert part.names == [n for n, label in zip(images.names, images.labels.tolist(), strict=True) if label == 3]


def test_an_image_set_checks_itself():
    with pytest.raises(ValueError, match="uint8 images"):
        data.ImageSet(torch.zeros(2, 1, 4, 4))
    with pytest.raises(ValueError, match="2 images but 3 labels"):
        data.ImageSet(torch.zeros(2, 1, 4, 4, dtype=torch.uint8), torch.zeros(3, dtype=torch.long))


@pytest.fixture
def folder(tmp_path):
    """Images of many modes, sizes and formats, one broken, one that is no image."""
    for sub in ("cats", "dogs"):
        (tmp_path / sub).mkdir()
    red = Image.new("RGB", (60, 40), "red")
    red.save(tmp_path / "cats" / "a_rgb.jpg", quality=95)
    red.convert("P").save(tmp_path / "cats" / "b_palette.gif")
    red.convert("CMYK").save(tmp_path / "cats" / "c_cmyk.tiff")
    Image.new("RGBA", (10, 90), (255, 0, 0, 0)).save(tmp_path / "cats" / "d_transparent.png")
    Image.new("L", (33, 33), 128).save(tmp_path / "dogs" / "e_grey.png")
    Image.new("1", (8, 8), 1).save(tmp_path / "dogs" / "f_bilevel.bmp")
    Image.fromarray(np.full((20, 30), 32768, np.uint16)).save(tmp_path / "dogs" / "g_16_bit.png")
    Image.new("LA", (5, 5), (0, 255)).save(tmp_path / "dogs" / "h_grey_alpha.webp", lossless=True)
    (tmp_path / "dogs" / "i_broken.png").write_bytes(b"\x89PNG\r\n\x1a\nand then nothing")
    (tmp_path / "notes.txt").write_text("no image")
    return tmp_path


def test_a_folder_of_anything(folder):
    with pytest.warns(UserWarning, match=r"Skipped i_broken\.png: it cannot be read as an image"):
        images = data.load(folder, size=16)
    assert images.images.shape == (8, 3, 16, 16) and images.classes == ["cats", "dogs"]
    assert images.labels.tolist() == [0, 0, 0, 0, 1, 1, 1, 1]
    middle = {
        name.split("/")[1][0]: image[:, 8, 8].tolist() for name, image in zip(images.names, images.images, strict=True)
    }
    assert middle["d"] == [255, 255, 255], "transparent is white"
    assert middle["e"] == [128, 128, 128] and middle["f"] == [255, 255, 255] and middle["h"] == [0, 0, 0]
    assert middle["g"] == pytest.approx([127, 127, 127], abs=1), "16 bits are scaled, not clipped"
    for name in "abc":
        assert middle[name] == pytest.approx([254, 0, 0], abs=12), name


@pytest.mark.filterwarnings("ignore:Skipped")
def test_grey_on_request(folder):
    assert data.load(folder, size=16, channels=1).images.shape == (8, 1, 16, 16)


def test_folder_is_cropped_in_the_middle_and_upright(tmp_path):
    wide = np.zeros((20, 60, 3), np.uint8)
    wide[:, 20:40] = 255
    Image.fromarray(wide).save(tmp_path / "wide.png")
    assert data.load(tmp_path, size=20).images.min() == 255
    top_white = Image.fromarray(np.vstack([np.full((16, 32, 3), 255, np.uint8), np.zeros((16, 32, 3), np.uint8)]))
    exif = Image.Exif()
    exif[0x0112] = 3  # upside down
    (tmp_path / "wide.png").unlink()
    top_white.save(tmp_path / "turned.jpg", exif=exif)
    image = data.load(tmp_path, size=32).images[0, 0]
    assert image[2, 16] < 20 and image[30, 16] > 235


def test_folder_split_is_fixed_and_disjoint(tmp_path):
    for i in range(25):
        Image.new("L", (4, 4), i * 10).save(tmp_path / f"{i:02d}.png")
    train, test = data.load(tmp_path, "train", size=8), data.load(tmp_path, "test", size=8)
    assert len(train) == 23 and test.names == ["09.png", "19.png"] and not set(train.names) & set(test.names)
    assert train.labels is None and train.classes == []


def test_bad_folders_and_names_are_plain_errors(tmp_path):
    with pytest.raises(ValueError, match=r"No usable image was found in .* \(0 files looked like images\)"):
        data.load(tmp_path)
    with pytest.raises(ValueError, match="neither a folder nor a set that the course knows"):
        data.load("mnits")
    with pytest.raises(ValueError, match="use 'train' or 'test'"):
        data.load("mnist", "validation")
    with pytest.raises(ValueError, match="1 for grey or 3"):
        data.load(tmp_path, channels=4)


def test_torchvision_sets_arrive_as_image_sets(monkeypatch):
    import torchvision

    class Cifar:
        classes = ("plane", "car")
        targets = (0, 1, 1)
        data = np.arange(3 * 32 * 32 * 3, dtype=np.uint32).astype(np.uint8).reshape(3, 32, 32, 3)

        def __init__(self, root, train, download):
            assert download and train is False

    monkeypatch.setattr(torchvision.datasets, "CIFAR10", Cifar)
    images = data.load("cifar10", "test")
    assert images.image_shape == (3, 32, 32) and images.labels.tolist() == [0, 1, 1]
    assert images.images[1, 2, 5, 7] == Cifar.data[1, 5, 7, 2]


def test_without_a_network_the_error_says_what_ships(monkeypatch, tmp_path):
    import torchvision

    def no_network(*_, **__):
        raise OSError("name resolution failed")

    monkeypatch.setenv("GAN_COURSE_DATA", str(tmp_path))
    monkeypatch.setattr(torchvision.datasets, "CIFAR10", no_network)
    with pytest.raises(
        RuntimeError, match=r"cifar10 could not be downloaded .*name resolution failed.* mnist, fashion"
    ):
        data.load("cifar10")


def test_ring_has_eight_different_modes():
    """linspace(0, 2 pi, 8) would put the first and the last on one spot."""
    centers = toy.ring_centers(8)
    distances = torch.cdist(centers, centers) + torch.eye(8) * 9
    assert distances.min().item() == pytest.approx(2 * math.sin(math.pi / 8), rel=1e-5)
    samples = toy.ring(4000, generator=torch.Generator().manual_seed(0))
    nearest = torch.cdist(samples, samples.centers).min(1)
    assert nearest.indices.bincount(minlength=8).min() > 400
    assert nearest.values.square().mean().item() == pytest.approx(2 * 0.01**2, rel=0.1)


def test_grid_reaches_from_minus_4_to_4():
    samples = toy.grid(5000)
    assert samples.shape == (5000, 2) and samples.centers.shape == (25, 2)
    assert samples.centers.min() == -4 and samples.centers.max() == 4
    assert len({tuple(center) for center in samples.centers.tolist()}) == 25


@pytest.mark.parametrize("draw", [toy.moons, toy.spiral, toy.swiss_roll])
def test_curves_without_modes(draw):
    samples = draw(1000, generator=torch.Generator().manual_seed(0))
    assert samples.shape == (1000, 2) and samples.centers is None and samples.abs().max() < 2.2
    assert torch.equal(samples, draw(1000, generator=torch.Generator().manual_seed(0)))


def test_the_swiss_roll_grows_by_its_angle_from_0_63_to_1_88():
    x, y = toy.swiss_roll(4000, std=0.0, generator=torch.Generator().manual_seed(0)).T
    radius = (x.square() + y.square()).sqrt()  # t / 7.5, with the angle t
    assert radius.min() == pytest.approx(1.5 * torch.pi / 7.5, abs=0.01)
    assert radius.max() == pytest.approx(4.5 * torch.pi / 7.5, abs=0.01)
    assert torch.allclose(radius * torch.cos(7.5 * radius), x, atol=1e-4)


def test_your_own_points():
    samples = toy.points(100, [(0, 0), (5, 5)], std=0.01)
    assert samples.centers.tolist() == [[0, 0], [5, 5]] and samples.shape == (100, 2)
    for bad in ([], [1, 2, 3], [(1, 2, 3)], [(0, float("nan"))], "points"):
        with pytest.raises(ValueError, match=r"list of finite \(x, y\) pairs"):
            toy.points(10, bad)


def test_normal_has_the_mean_and_the_covariance_asked_for():
    covariance = ((2.0, 0.9), (0.9, 0.5))
    samples = toy.normal(50_000, (1.0, -3.0), covariance, generator=torch.Generator().manual_seed(0))
    assert samples.shape == (50_000, 2) and samples.dtype == torch.float32
    assert torch.allclose(samples.mean(0), torch.tensor([1.0, -3.0]), atol=0.03)
    assert torch.allclose(samples.T.cov(), torch.tensor(covariance), atol=0.04)
    assert toy.normal(7, (0.0,), ((4.0,),)).shape == (7, 1)


def test_a_point_set_draws_every_batch_afresh_and_repeats_with_the_seed():
    points = toy.PointSet(toy.ring, name="ring")
    assert points.image_shape == (2,) and points.to("meta").device == "meta" and points.device == "cpu"
    rng = torch.Generator().manual_seed(3)
    (first, labels), (second, _) = points.batch(10, rng), points.batch(10, rng)
    assert labels is None and first.shape == (10, 2) and not torch.equal(first, second)
    assert torch.equal(points.batch(10, torch.Generator().manual_seed(3))[0], first)
