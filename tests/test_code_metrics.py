"""What codes have found: matching against classes, and the shape of strokes on images drawn for the purpose."""

import itertools
import math

import pytest
import torch

from gan_course import data, metrics

# Matching codes with classes.


@pytest.mark.parametrize("seed", range(3))
def test_the_matching_is_the_best_of_all(seed):
    """Against every permutation of four codes."""
    rng = torch.Generator().manual_seed(seed)
    codes, labels = torch.randint(4, (2, 60), generator=rng)
    found = metrics.purity(codes, labels, 4, 4)
    tried = [(torch.tensor(order)[codes] == labels).float().mean().item() for order in itertools.permutations(range(4))]
    assert found.matched == pytest.approx(max(tried)) and found.majority >= found.matched
    assert (found.matching[codes] == labels).float().mean().item() == pytest.approx(found.matched)
    assert found.table.sum() == 60 and found.table[1, 2] == ((codes == 1) & (labels == 2)).sum()


def test_names_do_not_matter_and_chance_is_known():
    labels = torch.arange(1000) % 10
    renamed = torch.tensor([3, 1, 4, 0, 5, 9, 2, 6, 8, 7])[labels]
    assert metrics.purity(renamed, labels).matched == 1
    assert metrics.purity(torch.zeros(1000, dtype=torch.long), labels).matched == pytest.approx(0.1)
    rng = torch.Generator().manual_seed(0)
    assert 0.1 < metrics.purity(torch.randint(10, (1000,), generator=rng), labels).matched < 0.2


def test_two_codes_cannot_share_a_class():
    """Twos are split between codes 0 and 1, and code 2 holds two classes: a majority is kinder than a matching."""
    labels = torch.tensor([2, 2, 2, 2, 1, 1, 0, 0])
    codes = torch.tensor([0, 0, 1, 1, 2, 2, 2, 2])
    found = metrics.purity(codes, labels, 3, 3)
    assert (found.matched, found.majority) == (4 / 8, 6 / 8)
    more = metrics.purity(torch.tensor([0, 1, 2]), torch.tensor([0, 0, 1]), n_codes=3, n_classes=2)
    assert sorted(more.matching.tolist()) == [-1, 0, 1] and more.matched == pytest.approx(2 / 3)


@pytest.mark.parametrize(
    ("codes", "labels", "sentence"),
    [
        ([0, 1], [0], "two lists of one length"),
        ([], [], "two lists of one length"),
        ([0, 10], [0, 1], r"codes must lie in 0..9, but reach from 0 to 10"),
        ([0, 1], [0, -1], "labels must lie in"),
    ],
)
def test_impossible_codes_are_plain_errors(codes, labels, sentence):
    with pytest.raises(ValueError, match=sentence):
        metrics.purity(torch.tensor(codes, dtype=torch.long), torch.tensor(labels, dtype=torch.long))


# Strokes.


def strokes(slant=0.0, thickness=3.0, length=16.0, apart=0.0, size=28):
    """One image (1, 1, size, size) with a smooth stroke through the middle, or two that are `apart`; y counts up."""
    fine = 8  # drawn finely and averaged down, as a scanner would
    axis = (torch.arange(size * fine, dtype=torch.float64) + 0.5) / fine - size / 2
    y, x = -axis[:, None], axis[None, :]
    across = x - slant * y
    lines = [across + shift for shift in ((0.0,) if apart == 0 else (-apart / 2, apart / 2))]
    upright = (1 + slant**2) ** -0.5  # a slanted stroke is cut across its own direction
    ink = torch.stack([(line.abs() * upright < thickness / 2) & (y.abs() < length / 2) for line in lines]).any(0)
    return torch.nn.functional.avg_pool2d(ink.float()[None, None], fine) * 2 - 1


@pytest.mark.parametrize("slant", [-0.6, -0.2, 0.0, 0.3, 0.5])
@pytest.mark.parametrize("thickness", [2.0, 4.0])
def test_slant_is_pixels_to_the_right_for_each_upwards(slant, thickness):
    found = metrics.stroke_shape(strokes(slant, thickness))
    assert found.slant.item() == pytest.approx(slant, abs=0.02)


@pytest.mark.parametrize("apart", [4.0, 8.0, 12.0])
@pytest.mark.parametrize("slant", [0.0, 0.4])
def test_width_is_the_deviation_across_whatever_the_slant(apart, slant):
    """Two strokes `apart`, each 2 wide: variance (apart / 2)^2 + 2^2 / 12 of the upright ones."""
    found = metrics.stroke_shape(strokes(slant, 2.0, apart=apart)).width.item()
    across = 2.0 * (1 + slant**2) ** 0.5
    assert found == pytest.approx((apart**2 / 4 + across**2 / 12) ** 0.5, rel=0.03)


@pytest.mark.parametrize("slant", [0.0, 0.3, 0.6])
@pytest.mark.parametrize("thickness", [2.0, 3.0, 4.0, 5.0])
def test_thickness_is_area_over_half_the_outline(slant, thickness):
    found = metrics.stroke_shape(strokes(slant, thickness)).thickness.item()
    length = 16.0 * (1 + slant**2) ** 0.5
    assert found == pytest.approx(thickness * length / (length + thickness), rel=0.12)


def test_each_number_moves_alone():
    """A thicker stroke is not more slanted, a more slanted pair is not wider."""
    thin, thick = (metrics.stroke_shape(strokes(0.3, thickness)) for thickness in (2.0, 4.0))
    assert thin.slant.item() == pytest.approx(thick.slant.item(), abs=0.03) and thick.thickness > 1.6 * thin.thickness
    upright, leaning = (metrics.stroke_shape(strokes(slant, 2.0, apart=8.0)) for slant in (0.0, 0.5))
    assert upright.width.item() == pytest.approx(leaning.width.item(), rel=0.03)
    assert upright.thickness.item() == pytest.approx(leaning.thickness.item(), rel=0.1)


def test_shape_of_bytes_of_nothing_and_of_colour():
    image = strokes(0.3)
    both = metrics.stroke_shape(torch.cat([image, -torch.ones(1, 1, 28, 28)]))
    assert [part[1].item() for part in both] == [0, 0, 0] and both.slant.dtype == torch.float64
    as_bytes = metrics.stroke_shape(data.to_uint8(image))
    assert torch.allclose(torch.stack(as_bytes), torch.stack(both)[:, :1], atol=0.01)
    turned = metrics.stroke_shape(image.flip(3))
    assert turned.slant.item() == pytest.approx(-both.slant[0].item(), abs=1e-6), "mirrored, it leans the other way"
    with pytest.raises(ValueError, match=r"\(N, 1, H, W\) are needed"):
        metrics.stroke_shape(torch.zeros(2, 3, 8, 8))


def test_ones_of_mnist_lean_to_the_right_and_are_narrow():
    digits = data.load("mnist", "test")
    shapes = metrics.stroke_shape(digits.images[:2000])
    means = {d: [part[digits.labels[:2000] == d].mean().item() for part in shapes] for d in (0, 1)}
    assert means[1][0] > 0.05 and means[1][1] < 1.5 < 4 < means[0][1], means
    assert 1.5 < shapes.thickness.mean() < 4


# Correlation within groups.


def test_correlation_within_leaves_out_what_groups_differ_in():
    rng = torch.Generator().manual_seed(0)
    groups = torch.arange(3000) % 3
    a, noise = torch.randn(2, 3000, generator=rng)
    b = 0.6 * a + 0.8 * noise + 50 * groups
    assert torch.stack([a, b]).corrcoef()[0, 1].abs() < 0.1, "the groups drown it"
    assert metrics.correlation_within(a, b, groups) == pytest.approx(0.6, abs=0.03)
    assert metrics.correlation_within(a, -b, groups) == pytest.approx(-0.6, abs=0.03)
    assert metrics.correlation_within(a + 9 * groups, 9 * groups.double(), groups) == 0


def test_correlation_within_of_small_numbers_of_none_and_of_nan():
    rng = torch.Generator().manual_seed(0)
    groups = torch.arange(600) % 3
    a, b = torch.randn(2, 600, generator=rng).double()
    found = metrics.correlation_within(a, b, groups)
    assert metrics.correlation_within(1e-9 * a, 1e-12 * b, groups) == pytest.approx(found)
    assert metrics.correlation_within(a, torch.zeros(600), groups) == 0
    third = torch.ones(600).double() / 3
    assert metrics.correlation_within(third, b, groups) == 0, "not the rounding of a mean"
    a[7] = torch.nan
    assert math.isnan(metrics.correlation_within(a, b, groups))
