"""Scores of translations against the true answers, each against a direct computation; intervals; sharpness."""

import numpy as np
import pytest
import torch

from gan_course import data, metrics
from gan_course.metrics import paired
from gan_course.metrics.translations import COPY


@pytest.fixture(scope="module")
def test_pairs():
    return data.load("emoji-styles", "test").subset(slice(0, 40))


@pytest.fixture(scope="module")
def extractor(test_pairs):
    return metrics.extractor_for("emoji-twemoji", test_pairs.image_shape)


@pytest.fixture(scope="module")
def scores(test_pairs, extractor):
    return metrics.pair_scores(test_pairs.inputs.images, test_pairs.targets.images, extractor)


def test_psnr_l1_and_pixel_accuracy_by_hand(test_pairs, scores):
    for i in (0, 7, 39):
        a, b = (side.images[i].numpy().astype(float) for side in (test_pairs.inputs, test_pairs.targets))
        assert scores.psnr[i].item() == pytest.approx(10 * np.log10(255**2 / ((a - b) ** 2).mean()), abs=1e-6)
        assert scores.l1[i].item() == pytest.approx(np.abs(a - b).mean() / 127.5, abs=1e-9)
        right = sum((np.abs(a[:, y, x] - b[:, y, x]) <= 16).all() for y in range(32) for x in range(32))
        assert scores.pixel_accuracy[i].item() == pytest.approx(right / 1024)


def test_ssim_against_its_definition(test_pairs, scores):
    """The mean of the map that scipy's Gaussian windows give."""
    from scipy.ndimage import correlate1d

    window = np.exp(-0.5 * (np.arange(-5, 6) / 1.5) ** 2)
    window /= window.sum()

    def blurred(image):
        return correlate1d(correlate1d(image, window, axis=-1, mode="mirror"), window, axis=-2, mode="mirror")

    for i in (0, 21):
        a, b = (side.images[i].numpy().astype(float) for side in (test_pairs.inputs, test_pairs.targets))
        mean_a, mean_b = blurred(a), blurred(b)
        var_a, var_b = blurred(a * a) - mean_a**2, blurred(b * b) - mean_b**2
        covariance = blurred(a * b) - mean_a * mean_b
        c1, c2 = (0.01 * 255) ** 2, (0.03 * 255) ** 2
        whole = (2 * mean_a * mean_b + c1) * (2 * covariance + c2)
        whole /= (mean_a**2 + mean_b**2 + c1) * (var_a + var_b + c2)
        assert scores.ssim[i].item() == pytest.approx(whole.mean(), abs=1e-4)


def test_feature_distance_by_hand(test_pairs, scores, extractor):
    a, b = (extractor(side.images[3:4])[0].tolist() for side in (test_pairs.inputs, test_pairs.targets))
    by_hand = sum((x - y) ** 2 for x, y in zip(a, b, strict=True)) ** 0.5
    assert scores.feature_distance[3].item() == pytest.approx(by_hand, rel=1e-4)


def test_a_perfect_answer_scores_perfectly_and_stays_finite(test_pairs, extractor):
    x = test_pairs.targets.images[:6]
    perfect = metrics.pair_scores(data.to_float(x), x, extractor)
    assert perfect.psnr.tolist() == [60] * 6 and perfect.pixel_accuracy.tolist() == [1] * 6
    assert perfect.l1.abs().max() == 0 and perfect.feature_distance.max() == 0
    assert torch.allclose(perfect.ssim, torch.ones(6, dtype=torch.float64), atol=5e-4)


def test_floats_are_rounded_as_they_would_be_kept(test_pairs, extractor):
    x, y = data.to_float(test_pairs.inputs.images[:4]), test_pairs.targets.images[:4]
    moved = metrics.pair_scores((x + 0.003).clamp(-1, 1), y, extractor)  # less than half a step of 8 bits
    for a, b in zip(moved, metrics.pair_scores(x, y, extractor), strict=True):
        assert torch.equal(a, b)


def test_the_tolerance_is_16_in_every_colour():
    x = torch.full((3, 3, 32, 32), 100, dtype=torch.uint8)
    y = x.clone()
    y[0, :, 0, 0], y[1, 2, 0, 0], y[2, 0, 0, 0] = 116, 117, 84
    found = metrics.pair_scores(x, y, metrics.extractor_for("emoji-noto", (3, 32, 32))).pixel_accuracy
    assert found.tolist() == [1, 1023 / 1024, 1]


def test_many_pairs_are_scored_a_part_at_a_time(test_pairs, scores, extractor, monkeypatch):
    seen, whole = [], paired._scores
    monkeypatch.setattr(paired, "PAIRS", 16)
    monkeypatch.setattr(paired, "_scores", lambda *parts: seen.append(len(parts[0])) or whole(*parts))
    parts = metrics.pair_scores(test_pairs.inputs.images, test_pairs.targets.images, extractor)
    assert seen == [16, 16, 8]
    for one, other in zip(parts, scores, strict=True):
        assert one.shape == (40,) and torch.allclose(one, other, rtol=1e-5)


def test_other_shapes_are_a_plain_error(test_pairs, extractor):
    with pytest.raises(ValueError, match="Pairs have one shape"):
        metrics.pair_scores(test_pairs.inputs.images[:2], test_pairs.targets.images[:3], extractor)


def wave(period):
    x = torch.arange(32) * (2 * torch.pi / period)
    return x.cos().expand(1, 3, 32, 32)


def test_fine_detail_is_the_power_of_short_waves():
    """A wave of amplitude 1 has the mean square 1/2; in 8 bits, nearly so."""
    for period, power in ((16, 0), (8, 0), (4, 0), (32 / 9, 0.5), (3.2, 0.5)):
        assert metrics.fine_detail(wave(period)).item() == pytest.approx(power, abs=3e-3), period
        assert metrics.fine_detail(wave(period).mT).item() == pytest.approx(power, abs=3e-3), period
    assert metrics.fine_detail(wave(2)).item() == pytest.approx(1, abs=1e-6), "+1, -1, +1"


def test_blur_lowers_sharpness_and_noise_raises_it(test_pairs):
    x = data.to_float(test_pairs.targets.images)
    blurred = torch.nn.functional.avg_pool2d(x, 3, 1, 1, count_include_pad=False)
    noisy = (x + 0.3 * torch.randn(x.shape, generator=torch.Generator().manual_seed(0))).clamp(-1, 1)
    assert metrics.sharpness(x, x) == 1
    assert metrics.sharpness(blurred, x) < 0.3 and metrics.sharpness(noisy, x) > 1.1
    for flat in (torch.zeros(2, 3, 32, 32), torch.full((2, 3, 30, 30), 200, dtype=torch.uint8)):
        with pytest.raises(ValueError, match="no fine detail"):
            metrics.sharpness(x[:2], flat)


def test_bootstrap_interval_of_a_normal_difference():
    """Of n differences with standard deviation s, 95 % of means lie within 1.96 s / sqrt(n)."""
    rng = torch.Generator().manual_seed(0)
    common = 10 * torch.randn(400, generator=rng)  # what both methods find hard; it must cancel
    first, second = common + 1 + torch.randn(400, generator=rng), common
    found = metrics.bootstrap_difference(first, second)
    difference = first - second
    half = 1.96 * difference.std().item() / 20
    assert found.mean == pytest.approx(difference.mean().item(), abs=1e-5)
    assert found.low == pytest.approx(found.mean - half, abs=0.1 * half)
    assert found.high == pytest.approx(found.mean + half, abs=0.1 * half)
    assert found == metrics.bootstrap_difference(first, second), "a seed, an interval"
    reverse = metrics.bootstrap_difference(second, first)
    assert (reverse.low, reverse.high) == pytest.approx((-found.high, -found.low))


def test_bootstrap_refuses_what_is_no_pair():
    for first, second in ((torch.rand(5), torch.rand(6)), (torch.rand(1), torch.rand(1)), (torch.rand(2, 2),) * 2):
        with pytest.raises(ValueError, match="of the same pairs"):
            metrics.bootstrap_difference(first, second)


class Halfway(torch.nn.Module):
    """A translation that is surely better than a copy: it knows the answers, and moves half of the way."""

    input_shape = image_shape = (3, 32, 32)

    def __init__(self, targets):
        super().__init__()
        self.targets = torch.nn.Parameter(targets)

    def forward(self, images):
        return (images + self.targets) / 2


def test_translations_are_compared_with_copies(test_pairs):
    generators = {"halfway": Halfway(data.to_float(test_pairs.targets.images))}
    rows, pictures = metrics.compare_translations(generators, test_pairs)
    assert [row["checkpoint"] for row in rows] == [COPY, "halfway"] and "over_copying" not in rows[0]
    assert rows[0]["psnr"] < rows[1]["psnr"] and rows[0]["l1"] == pytest.approx(2 * rows[1]["l1"], rel=0.02)
    for score, gain in rows[1]["over_copying"].items():
        assert 0 < gain["low"] < gain["mean"] < gain["high"], score
    assert rows[1]["over_copying"]["psnr"]["mean"] == pytest.approx(rows[1]["psnr"] - rows[0]["psnr"])
    assert rows[1]["features"] == "emoji features" and rows[1]["pairs"] == 40
    assert set(pictures) == {"input", "target", "halfway"}


def test_a_grey_input_is_copied_in_grey():
    pairs = data.load("emoji-outlines", "test").subset(slice(0, 8))
    rows, pictures = metrics.compare_translations({}, pairs)
    assert pictures["input"].shape == (8, 3, 32, 32) and rows[0]["psnr"] < 15
    wrong = Halfway(torch.zeros(8, 3, 32, 32))
    with pytest.raises(ValueError, match=r"shape \(3, 32, 32\) into \(3, 32, 32\), but 'emoji-outlines' holds pairs"):
        metrics.compare_translations({"wrong": wrong}, pairs)
