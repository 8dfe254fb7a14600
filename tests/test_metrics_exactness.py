"""Frechet, kernel distance and neighbours where arithmetic is hard: singular, identical, tied, far from the origin."""

import numpy as np
import pytest
import torch

from gan_course import metrics
from gan_course.metrics import distances, frechet


def normals(n, d, seed, shift=0.0, decay=0.0):
    rng = torch.Generator().manual_seed(seed)
    scales = torch.arange(1, d + 1, dtype=torch.float64) ** -decay
    return torch.randn(n, d, generator=rng, dtype=torch.float64) * scales + shift


def exact(x, y):
    """By the factors alone, the way that needs no covariance."""
    a, b = (frechet._factor(s, s.mean(0)) for s in (x, y))
    trace = torch.linalg.svdvals(a @ b.T).sum()
    return float((x.mean(0) - y.mean(0)).square().sum() + a.square().sum() + b.square().sum() - 2 * trace)


def traces(x, y):
    return sum(float(s.var(0).sum()) for s in (x, y))


@pytest.mark.parametrize("decay", [0.0, 1.0, 2.0, 4.0])
@pytest.mark.parametrize("shift", [0.0, 100.0])
def test_both_ways_of_frechet_agree_however_fast_the_spectrum_falls(decay, shift):
    x, y = normals(400, 60, 0, shift, decay), normals(300, 60, 1, shift + 0.01, decay) * 1.1
    assert metrics.frechet_distance(x, y) == pytest.approx(exact(x, y), rel=1e-6, abs=1e-6 * traces(x, y))


@pytest.mark.parametrize("n", [30, 200])
def test_frechet_with_features_that_are_constant(n):
    """Constant in both, in one, and zero: such a column adds its shift and the other's variance, as by definition."""
    x, y = normals(n, 12, 0), normals(n, 12, 1)
    x[:, 0], y[:, 0] = 0.0, 0.0
    x[:, 1], y[:, 1] = 3.3, 3.3
    x[:, 2], y[:, 3] = 1.7, -0.1
    rest = metrics.frechet_distance(x[:, 4:], y[:, 4:])
    alone = (1.7 - y[:, 2].mean()) ** 2 + y[:, 2].var() + (-0.1 - x[:, 3].mean()) ** 2 + x[:, 3].var()
    assert metrics.frechet_distance(x, y) == pytest.approx(rest + float(alone), rel=1e-6)
    assert metrics.frechet_distance(x[:, :2], y[:, :2]) == 0


@pytest.mark.parametrize(
    "x",
    [
        normals(200, 8, 0),
        normals(500, 40, 0, shift=1e4, decay=3.0),
        normals(10, 64, 0, shift=5.0),
        torch.ones(20, 5) * 0.1,
        normals(300, 4, 0).repeat(1, 3),
        normals(300, 20, 0).relu() * (torch.arange(20) > 4),
        torch.full((6, 3), 7.7).index_fill(0, torch.tensor([2]), 1e-9),
    ],
    ids=["plain", "far off, falling", "few samples", "constant", "repeated columns", "dead features", "one differs"],
)
def test_frechet_of_identical_sets_is_exactly_zero(x):
    order = torch.randperm(len(x), generator=torch.Generator().manual_seed(1))
    assert metrics.frechet_distance(x, x.clone()) == 0
    assert metrics.frechet_distance(x, x[order]) == 0


def test_a_small_distance_is_not_taken_for_rounding():
    x = normals(300, 10, 0)
    assert metrics.frechet_distance(x, x + 1e-6) == pytest.approx(10e-12, rel=1e-4, abs=0)
    assert metrics.frechet_distance(x - x.mean(0), (x - x.mean(0)) * 1.0001) == pytest.approx(
        1e-8 * float(x.var(0).sum()), rel=1e-5, abs=0
    )


def test_a_small_distance_of_a_falling_spectrum_is_exact():
    """By the covariances alone its fifth digit is wrong, as the small eigenvalues drown in rounding."""
    turn = torch.linalg.qr(normals(60, 60, 1)).Q  # or the order of the scales would help
    x = normals(500, 60, 0, decay=3.0) @ turn
    x -= x.mean(0)
    assert metrics.frechet_distance(x, 1.0001 * x) == pytest.approx(1e-8 * float(x.var(0).sum()), rel=1e-6, abs=0)


def test_frechet_of_one_point_repeated():
    x = normals(100, 6, 0)
    one = x[:1].repeat(50, 1)
    expected = (x.mean(0) - x[0]).square().sum() + x.var(0).sum()
    assert metrics.frechet_distance(x, one) == pytest.approx(float(expected), rel=1e-9)


@pytest.mark.parametrize("d", [30, 700])
def test_covariance_is_numpys(d):
    x = normals(1100, d, 0, shift=50.0)
    ours = frechet.covariance(x, x.mean(0))
    assert np.allclose(ours, np.cov(x.numpy(), rowvar=False), rtol=1e-10, atol=1e-12)
    assert torch.equal(ours, ours.T) or (ours - ours.T).abs().max() < 1e-14


def test_frechet_against_torch_fidelity():
    from torch_fidelity import metric_fid

    x, y = normals(400, 30, 0, decay=1.0), normals(500, 30, 1, shift=0.1, decay=1.0)
    stats = [{"mu": s.mean(0).numpy(), "sigma": np.cov(s.numpy(), rowvar=False)} for s in (x, y)]
    theirs = metric_fid.fid_statistics_to_metric(*stats, verbose=False)["frechet_inception_distance"]
    assert metrics.frechet_distance(x, y) == pytest.approx(theirs, abs=1e-6 * traces(x, y))


def test_kernel_distance_over_torchmetrics_subsets():
    """As many rows as cross the blocks of the symmetric sums, on the very subsets that the seed draws."""
    from torchmetrics.image.kid import poly_mmd

    x, y = normals(700, 12, 0), normals(650, 12, 1, shift=0.2)
    rng, theirs = torch.Generator().manual_seed(5), []
    for _ in range(4):
        rows = [torch.randperm(len(s), generator=rng)[:600] for s in (x, y)]
        theirs.append(float(poly_mmd(x[rows[0]], y[rows[1]], 3, None, 1.0)))
    mean, std = metrics.kernel_distance(x, y, subsets=4, subset_size=600, seed=5)
    assert mean == pytest.approx(np.mean(theirs), rel=1e-6) and std == pytest.approx(np.std(theirs), rel=1e-6)


def test_kernel_distance_against_torch_fidelity():
    from torch_fidelity import metric_kid

    x, y = normals(300, 9, 0), normals(300, 9, 1, shift=0.3)
    options = {"kid_kernel": "poly", "kid_kernel_poly_degree": 3, "kid_kernel_poly_gamma": None}
    theirs = metric_kid.kernel_mmd(x.numpy(), y.numpy(), **options, kid_kernel_poly_coef0=1.0)
    assert metrics.kernel_distance(x, y) == pytest.approx(float(theirs), rel=1e-6)


def test_kernel_distance_of_two_points_each():
    x, y = torch.tensor([[1.0], [2.0]]), torch.tensor([[0.0], [3.0]])
    expected = 3**3 + 1 - 2 * (1 + 4**3 + 1 + 7**3) / 4
    assert metrics.kernel_distance(x, y) == pytest.approx(expected)


def test_prdc_across_blocks_against_its_authors_library():
    import prdc as library

    x, y = normals(2300, 5, 0, shift=20.0), normals(1100, 5, 1, shift=20.2)
    theirs = library.compute_prdc(x.numpy(), y.numpy(), nearest_k=5)
    assert metrics.prdc(x, y, 5)._asdict() == pytest.approx(theirs, abs=1e-12)


def test_prdc_precision_and_recall_against_torch_fidelity():
    from torch_fidelity import metric_prc

    x, y = normals(300, 5, 0), normals(280, 5, 1, shift=0.3)
    precision, recall = metric_prc.calculate_precision_recall_full(y, x, neighborhood=3)
    ours = metrics.prdc(x, y, 3)
    assert (ours.precision, ours.recall) == pytest.approx((precision, recall), abs=1e-6)


def test_prdc_where_a_ball_has_no_size():
    """k + 1 copies of a point: its ball has radius 0, and nothing lies inside, not even by rounding."""
    x = torch.full((20, 3), 0.1, dtype=torch.float64) * torch.tensor([1.0, 7.0, 1e3])
    assert metrics.prdc(x, x.clone()) == (0, 0, 0, 0)
    real = normals(200, 3, 0)
    collapsed = metrics.prdc(real, real[:1].repeat(100, 1))
    assert collapsed.precision == 1 and collapsed.recall == 0


def test_prdc_of_copies_far_from_the_middle():
    for far in normals(5, 130, 1, shift=1e3):
        real = torch.cat([normals(1100, 130, 0), far.repeat(9, 1)])
        assert metrics.prdc(real, far.repeat(30, 1)).precision == 0


def brute_prdc(x, y, k):
    """By the definition, every distance from its difference in float64."""
    between, own = (x[:, None] - y[None]).square().sum(2), [(s[:, None] - s[None]).square().sum(2) for s in (x, y)]
    real_radii, fake_radii = (s.sort(1).values[:, k] for s in own)
    in_real, in_fake = between < real_radii[:, None], between < fake_radii
    return (
        in_real.any(0).double().mean().item(),
        in_fake.any(1).double().mean().item(),
        in_real.double().sum(0).mean().item() / k,
        in_real.any(1).double().mean().item(),
    )


CLOSE = normals(20, 3, 5).repeat_interleave(30, 0)
BITS = [(torch.rand(400, 8, generator=torch.Generator().manual_seed(seed)) < 0.5).double() for seed in (0, 1)]


@pytest.mark.parametrize(
    ("x", "y"),
    [
        (normals(700, 3, 0), normals(650, 3, 1, shift=0.5)),
        (normals(600, 3, 0, shift=1e6), normals(600, 3, 1, shift=1e6)),
        (torch.cat([normals(600, 3, 0), torch.full((1, 3), 1e5)]), normals(550, 3, 1)),
        (normals(40, 3, 0).round(decimals=1).repeat(15, 1), normals(600, 3, 1).round(decimals=1)),
        (CLOSE + 1e-6 * normals(600, 3, 6), CLOSE + 1e-6 * normals(600, 3, 7)),
        (CLOSE + 1e-9 * normals(600, 3, 6), CLOSE + 1e-9 * normals(600, 3, 7)),
        BITS,
        (torch.cat([normals(300, 3, 0), CLOSE[:300]]), CLOSE[:300].flip(0)),
        (1e-100 * normals(80, 3, 0), 1e-100 * normals(80, 3, 1)),
        (normals(20, 3, 0), normals(7, 3, 1)),
    ],
    ids=[
        "plain",
        "far from 0",
        "an outlier",
        "on a lattice",
        "below float32",
        "below float64",
        "bits",
        "copies",
        "tiny",
        "few",
    ],
)
@pytest.mark.parametrize("k", [1, 5])
def test_prdc_is_exact_although_float32_does_the_work(x, y, k):
    assert tuple(metrics.prdc(x, y, k)) == pytest.approx(brute_prdc(x, y, k), abs=1e-12)


def test_density_of_a_set_with_itself_is_exactly_one():
    """Its k-th neighbour lies on the edge of each ball, and the edge is outside, whatever the rounding."""
    x = normals(1200, 40, 0)
    assert metrics.prdc(x, x.clone()) == (1, 1, 1, 1)
    order = torch.randperm(1200, generator=torch.Generator().manual_seed(0))
    assert metrics.prdc(x, x[order]) == (1, 1, 1, 1)


def test_radii_without_float32():
    before = torch.get_float32_matmul_precision()
    x, y = normals(300, 6, 0), normals(300, 6, 1)
    expected = metrics.prdc(x, y)
    try:
        torch.set_float32_matmul_precision("medium")  # may round products to bfloat16
        assert distances.Points(x, x.mean(0), 1.0).fast.dtype == torch.float64
        assert metrics.prdc(x, y) == expected
    finally:
        torch.set_float32_matmul_precision(before)
