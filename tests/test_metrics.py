"""Each metric against a closed form, an independent library, and degenerate input."""

import subprocess
import sys

import numpy as np
import pytest
import scipy.linalg
import torch

from gan_course import data, metrics
from gan_course.data import toy
from gan_course.metrics import inputs


def normals(n, d, seed, scale=1.0, shift=0.0):
    rng = torch.Generator().manual_seed(seed)
    mix = torch.randn(d, d, generator=rng, dtype=torch.float64) / d**0.5
    return scale * torch.randn(n, d, generator=rng, dtype=torch.float64) @ mix + shift


def frechet_by_scipy(x, y):
    x, y = x.numpy(), y.numpy()
    s1, s2 = np.cov(x, rowvar=False), np.cov(y, rowvar=False)
    root = scipy.linalg.sqrtm(s1 @ s2)
    return ((x.mean(0) - y.mean(0)) ** 2).sum() + np.trace(s1 + s2 - 2 * root.real)


def traces(x, y):
    return sum(float(torch.cov(s.T).trace()) for s in (x, y))


@pytest.mark.parametrize("d", [3, 40])
def test_frechet_against_scipy(d):
    x, y = normals(500, d, 0), normals(400, d, 1, scale=1.3, shift=0.2)
    assert metrics.frechet_distance(x, y) == pytest.approx(frechet_by_scipy(x, y), rel=1e-6)


def test_frechet_against_torchmetrics():
    """torchmetrics takes any module for its features: here the images are the features."""
    from torchmetrics.image import fid

    class Flat(torch.nn.Module):
        num_features = 12

        def forward(self, x):
            return x.flatten(1)

    x, y = normals(300, 12, 0), normals(300, 12, 1, shift=0.5)
    theirs = fid.FrechetInceptionDistance(feature=Flat(), normalize=False, input_img_size=(3, 2, 2)).double()
    theirs.set_dtype(torch.float64)
    for features, is_real in ((x, True), (y, False)):
        theirs.update(features.reshape(-1, 3, 2, 2), real=is_real)
    assert metrics.frechet_distance(x, y) == pytest.approx(theirs.compute().item(), rel=1e-6)


def test_frechet_of_shifted_and_scaled_copies_in_closed_form():
    x = normals(1000, 6, 0)
    shift = torch.arange(6.0, dtype=torch.float64)
    assert metrics.frechet_distance(x, x + shift) == pytest.approx(float(shift.square().sum()), rel=1e-9)
    # S2 = 9 S1, so the traces give (1 + 9 - 2 * 3) tr S1 = 4 tr S1.
    centred = x - x.mean(0)
    assert metrics.frechet_distance(centred, 3 * centred) == pytest.approx(4 * float(torch.cov(x.T).trace()), rel=1e-9)


@pytest.mark.parametrize(
    "x",
    [normals(200, 8, 0), normals(10, 64, 0), torch.ones(20, 5), torch.cat([normals(50, 4, 0), torch.zeros(50, 3)], 1)],
    ids=["plain", "fewer samples than dimensions", "constant", "some constant"],
)
def test_frechet_of_a_set_with_itself_is_zero_and_not_negative(x):
    value = metrics.frechet_distance(x, x.flip(0))
    assert 0 <= value <= 1e-6 * max(traces(x.double(), x.double()), 1e-9)


def test_frechet_with_fewer_samples_than_dimensions():
    x, y = normals(12, 30, 0), normals(9, 30, 1)
    s1, s2 = torch.cov(x.T), torch.cov(y.T)
    eigenvalues, vectors = torch.linalg.eigh(s1)
    root = vectors @ torch.diag(eigenvalues.clamp_min(0).sqrt()) @ vectors.T
    trace = torch.linalg.eigvalsh(root @ s2 @ root).clamp_min(0).sqrt().sum()
    expected = (x.mean(0) - y.mean(0)).square().sum() + s1.trace() + s2.trace() - 2 * trace
    assert metrics.frechet_distance(x, y) == pytest.approx(float(expected), abs=1e-6 * traces(x, y))


def test_kernel_distance_by_definition():
    x, y = normals(7, 3, 0), normals(5, 3, 1, shift=1)
    k = lambda a, b: (float(a @ b) / 3 + 1) ** 3  # noqa: E731
    xx = sum(k(x[i], x[j]) for i in range(7) for j in range(7) if i != j) / 42
    yy = sum(k(y[i], y[j]) for i in range(5) for j in range(5) if i != j) / 20
    xy = sum(k(a, b) for a in x for b in y) / 35
    assert metrics.kernel_distance(x, y) == pytest.approx(xx + yy - 2 * xy, rel=1e-9)


def test_kernel_distance_against_torchmetrics():
    from torchmetrics.image import kid

    x, y = normals(300, 10, 0), normals(300, 10, 1, shift=0.3)
    theirs = kid.poly_mmd(x, y, degree=3, gamma=None, coef=1.0)
    assert metrics.kernel_distance(x, y) == pytest.approx(float(theirs), rel=1e-6)


def test_kernel_distance_is_unbiased():
    """Over small samples of one distribution its mean is 0 within the error of the mean; a biased one is above."""
    rng = torch.Generator().manual_seed(0)
    draw = lambda: torch.randn(20, 4, generator=rng)  # noqa: E731
    values = torch.tensor([metrics.kernel_distance(draw(), draw()) for _ in range(600)])
    assert abs(values.mean()) < 4 * values.std() / 600**0.5
    assert (values < 0).float().mean() > 0.3


def test_kernel_distance_over_subsets():
    x, y = normals(400, 5, 0), normals(400, 5, 0, shift=0.2)
    mean, std = metrics.kernel_distance(x, y, subsets=20, subset_size=100)
    assert mean == pytest.approx(metrics.kernel_distance(x, y), abs=3 * std) and std > 0
    assert metrics.kernel_distance(x, y, subsets=20, subset_size=100) == (mean, std), "the seed fixes the subsets"
    whole, spread = metrics.kernel_distance(x, y, subsets=3, subset_size=400)
    assert whole == pytest.approx(metrics.kernel_distance(x, y)) and spread == pytest.approx(0, abs=1e-12)
    with pytest.raises(ValueError, match="smaller subset_size"):
        metrics.kernel_distance(x, y, subsets=2, subset_size=500)
    for subsets, size in ((0, 100), (-2, 100), (3, 1), (3, 0), (3, -1)):
        with pytest.raises(ValueError, match=f"{subsets} subsets of {size} rows give no distance"):
            metrics.kernel_distance(x, y, subsets, size)


@pytest.mark.parametrize("k", [1, 3, 5])
def test_prdc_against_its_authors_library(k):
    import prdc as library

    x, y = normals(1500, 6, 0), normals(1300, 6, 0, scale=0.9, shift=0.3)
    theirs = library.compute_prdc(x.numpy(), y.numpy(), nearest_k=k)
    assert metrics.prdc(x, y, k)._asdict() == pytest.approx(theirs, abs=1e-12)


def test_prdc_of_extreme_cases():
    x = normals(200, 4, 0)
    far = metrics.prdc(x, x + 100)
    assert far == (0, 0, 0, 0)
    same = metrics.prdc(x, x.clone())
    assert same.precision == same.recall == same.coverage == 1
    collapsed = metrics.prdc(x, x[:1].repeat(200, 1))
    assert collapsed.precision == 1 and collapsed.recall == 0 and collapsed.coverage < 0.2


def test_prdc_of_10000_by_10000_stays_within_one_gigabyte():
    """In a process of its own, since a peak of memory cannot be taken back."""
    pytest.importorskip("resource", reason="peak memory is not measured on Windows")
    code = (
        "import resource, torch; from gan_course import metrics\n"
        "x = torch.randn(10000, 16); y = torch.randn(10000, 16)\n"
        "metrics.prdc(x[:100], y[:100])\n"
        "before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss\n"
        "metrics.prdc(x, y)\n"
        "print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before)\n"
    )
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    unit = 1 if sys.platform == "darwin" else 1024
    assert int(out) * unit < 2**30


def test_modes_of_a_perfect_and_of_a_collapsed_generator():
    samples = toy.ring(20_000, generator=torch.Generator().manual_seed(0))
    result = metrics.modes_captured(samples, samples.centers, 0.01)
    assert result.modes == 8
    assert result.high_quality == pytest.approx(0.9889, abs=0.003)
    assert result.kl == pytest.approx(0, abs=0.002)
    one = samples.centers[:1].repeat(50, 1)
    result = metrics.modes_captured(one, samples.centers, 0.01)
    assert (result.modes, result.high_quality) == (1, 1) and result.kl == pytest.approx(np.log(8))


def test_kl_of_uneven_modes_in_closed_form():
    centers = torch.tensor([[0.0, 0.0], [10.0, 0.0]])
    samples = torch.cat([centers[:1].repeat(3, 1), centers[1:].repeat(1, 1), torch.full((4, 2), 50.0)])
    result = metrics.modes_captured(samples, centers, 0.1)
    expected = 0.75 * np.log(0.75 * 2) + 0.25 * np.log(0.25 * 2)
    assert result.modes == 2 and result.high_quality == 0.5 and result.kl == pytest.approx(expected)


def test_modes_without_any_good_sample():
    result = metrics.modes_captured(torch.full((5, 2), 99.0), toy.ring_centers(), 0.01)
    assert result.modes == 0 and result.high_quality == 0 and np.isnan(result.kl)


@pytest.mark.parametrize("metric", [metrics.frechet_distance, metrics.kernel_distance, metrics.prdc])
def test_bad_input_is_named(metric):
    good = normals(20, 4, 0)
    broken = good.clone()
    broken[7, 2] = float("nan")
    with pytest.raises(ValueError, match="fake features hold NaN or infinity, first in row 7"):
        metric(good, broken)
    with pytest.raises(ValueError, match="real features have 1 rows"):
        metric(good[:1], good)
    with pytest.raises(ValueError, match="4 dimensions but fake ones 3"):
        metric(good, good[:, :3])
    with pytest.raises(ValueError, match=r"shape \(N, D\)"):
        metric(good.reshape(20, 2, 2), good)


@pytest.mark.parametrize("metric", [metrics.frechet_distance, metrics.kernel_distance, metrics.prdc])
def test_order_does_not_matter(metric):
    x, y = normals(120, 5, 0), normals(130, 5, 1)
    order = torch.randperm(120, generator=torch.Generator().manual_seed(3))
    assert metric(x[order], y) == pytest.approx(metric(x, y), rel=1e-9)


def test_features_name_themselves_and_refuse_other_images():
    digits = metrics.extractor_for("mnist", (1, 28, 28), torch.device("cpu"))
    assert digits.name == "digit features"
    assert digits(torch.zeros(3, 1, 28, 28, dtype=torch.uint8)).shape == (3, 128)
    with pytest.raises(ValueError, match=r"made for images of shape \(1, 28, 28\)"):
        digits(torch.zeros(3, 3, 32, 32))
    with pytest.raises(ValueError, match=r"must lie in \[-1, 1\]"):
        digits(torch.full((3, 1, 28, 28), 200.0))
    x = torch.randint(256, (4, 1, 28, 28), dtype=torch.uint8)
    assert torch.allclose(digits(x), digits(data.to_float(x))), "uint8 and float of one image are one image"


def test_random_features_are_the_same_every_time():
    first = metrics.extractor_for("holiday photos", (3, 32, 32), torch.device("cpu"))
    metrics.extractor_for.cache_clear()
    torch.randn(5)
    again = metrics.extractor_for("holiday photos", (3, 32, 32), torch.device("cpu"))
    x = torch.rand(3, 3, 32, 32) * 2 - 1
    assert first.name == "random-network features" and torch.equal(first(x), again(x))


def test_compare_sees_that_noise_is_not_digits():
    real = data.load("mnist", "test").images[:600]
    extractor = metrics.extractor_for("mnist", (1, 28, 28), torch.device("cpu"))
    half = metrics.compare(real[:300], real[300:], extractor)
    noise = metrics.compare(real[:300], torch.rand(300, 1, 28, 28) * 2 - 1, extractor)
    assert half["features"] == "digit features"
    assert noise["frechet_distance"] > 10 * half["frechet_distance"] and noise["precision"] < 0.1 < half["precision"]


WRONG_IMAGES = {
    "NaN": torch.zeros(8, 1, 28, 28).index_fill(0, torch.tensor([5]), float("nan")),
    "0..255": torch.rand(8, 1, 28, 28, generator=torch.Generator().manual_seed(0)) * 255,
}


class Diverged(torch.nn.Module):
    latent_dim = 2

    def __init__(self, images):
        super().__init__()
        self.images = torch.nn.Parameter(images)

    def forward(self, z):
        return self.images[: len(z)]


@pytest.mark.parametrize("kind", WRONG_IMAGES)
def test_rounding_hides_no_diverged_generator(kind):
    """As uint8, NaN would be black, and 0..255 white: images with finite scores."""
    wrong, good = WRONG_IMAGES[kind], torch.rand(8, 1, 28, 28) * 2 - 1
    extractor = metrics.extractor_for("mnist", (1, 28, 28), torch.device("cpu"))
    for answer in (
        lambda: metrics.judge(Diverged(wrong), extractor(good), extractor, n=8),
        lambda: metrics.compare(good, wrong, extractor),
        lambda: metrics.compare(wrong, good, extractor),
        lambda: metrics.ms_ssim(wrong),
        lambda: metrics.pair_scores(wrong, good, extractor),
        lambda: metrics.sharpness(wrong, good),
    ):
        with pytest.raises(ValueError, match=r"must lie in .-1, 1., but these reach from .*diverged"):
            answer()


def test_images_a_little_outside_are_rounded_as_ever():
    images = torch.tensor([-1.005, 0.0, 1.005]).view(3, 1, 1, 1)
    assert inputs.eight_bit(images).flatten().tolist() == [0, 128, 255]
    assert inputs.eight_bit(torch.tensor([[7]], dtype=torch.uint8)).item() == 7
    assert len(inputs.eight_bit(images[:0])) == 0


def test_a_random_network_leaves_the_random_numbers_of_a_gpu_alone(monkeypatch):
    monkeypatch.setattr(torch.cuda, "manual_seed_all", lambda seed: pytest.fail("it would seed every GPU"))
    metrics.extractor_for.__wrapped__("holiday photos", (3, 32, 32), torch.device("cpu"))
