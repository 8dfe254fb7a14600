"""The contextual loss against the paper's equations written out in loops; its gradient; its invariances."""

import math

import pytest
import torch

from gan_course.contextual import contextual_loss, contextual_similarity


def features(seed, n=2, channels=5, height=3, width=4, dtype=torch.float64):
    rng = torch.Generator().manual_seed(seed)
    return torch.randn(n, channels, height, width, generator=rng, dtype=dtype) + 0.5


def by_loops(output, target, bandwidth):
    """Equations 1 to 5 for one image after the other, one point after the other, in plain Python numbers."""
    losses = []
    for one, other in zip(output, target, strict=True):
        xs, ys = ([point.tolist() for point in image.flatten(1).T] for image in (one, other))
        mean = [sum(column) / len(ys) for column in zip(*ys, strict=True)]

        def distance(x, y, mean=mean):
            x, y = ([a - b for a, b in zip(point, mean, strict=True)] for point in (x, y))
            dot, length = sum(a * b for a, b in zip(x, y, strict=True)), math.dist(x, [0] * len(x))
            return 1 - dot / (length * math.dist(y, [0] * len(y)))

        best = [0.0] * len(ys)
        for x in xs:
            d = [distance(x, y) for y in ys]
            w = [math.exp((1 - value / (min(d) + 1e-5)) / bandwidth) for value in d]
            best = [max(old, new / sum(w)) for old, new in zip(best, w, strict=True)]
        losses.append(-math.log(sum(best) / len(best)))
    return sum(losses) / len(losses)


@pytest.mark.parametrize("bandwidth", [0.1, 0.5, 2.0])
@pytest.mark.parametrize("size", [(3, 4), (5, 2)])
def test_it_equals_the_equations_in_loops(bandwidth, size):
    output, target = features(0), features(1, height=size[0], width=size[1])
    expected = by_loops(output, target, bandwidth)
    assert contextual_loss(output, target, bandwidth).item() == pytest.approx(expected, rel=1e-9)
    in_single = contextual_loss(output.float(), target.float(), bandwidth).item()
    assert in_single == pytest.approx(expected, rel=1e-4)


@pytest.mark.parametrize("bandwidth", [0.2, 0.5])
def test_its_gradient_is_right(bandwidth):
    output, target = (features(seed, n=1, channels=3, height=2, width=3).requires_grad_(True) for seed in (2, 3))
    assert torch.autograd.gradcheck(lambda x, y: contextual_loss(x, y, bandwidth), (output, target), eps=1e-7)


def test_the_same_features_in_other_places_are_the_same():
    """Where a pixel loss would see two different images."""
    target = features(4)
    moved = target.flatten(2)[:, :, torch.randperm(12, generator=torch.Generator().manual_seed(0))].view_as(target)
    assert (moved - target).abs().mean() > 0.5
    assert contextual_loss(moved, target).item() == pytest.approx(0, abs=1e-6)
    output = features(5)
    assert contextual_loss(output, moved).item() == pytest.approx(contextual_loss(output, target).item())
    assert contextual_loss(output, target) > 0.5


def test_it_is_about_direction_from_the_target_s_mean():
    output, target = features(6), features(7)
    loss = contextual_loss(output, target).item()
    mean = target.mean((2, 3), keepdim=True)
    assert contextual_loss(mean + 3 * (output - mean), target).item() == pytest.approx(loss), "not about length"
    assert contextual_loss(output + 5, target + 5).item() == pytest.approx(loss), "nor about where the mean is"
    assert contextual_loss(output + 5, target).item() != pytest.approx(loss, rel=0.05)


def test_it_is_not_symmetric_and_between_its_bounds():
    """Every point of the target is to be found; a point of the output that nobody wants costs nothing by itself."""
    target, rest = features(8), features(9)
    more = torch.cat([target, rest], 3)
    assert contextual_loss(more, target).item() == pytest.approx(0, abs=1e-6)
    assert contextual_loss(target, more) > 0.3
    for seed in range(10, 20):
        similarity = contextual_similarity(features(seed, n=3), features(seed + 10, n=3))
        assert similarity.shape == (3,) and similarity.min() > 1 / 12**2 and similarity.max() <= 1


def test_following_it_brings_the_target_s_features_anywhere():
    target, output = features(30, n=1), features(31, n=1).requires_grad_(True)
    adam, first = torch.optim.Adam([output], 0.05), contextual_loss(output.detach(), target).item()
    for _ in range(150):
        adam.zero_grad()
        loss = contextual_loss(output, target)
        loss.backward()
        adam.step()
    assert loss.item() < 0.2 * first


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("value", [0.0, 0.1, 1e3])
@pytest.mark.parametrize("which", ["both", "target", "output"])
def test_features_that_are_all_equal_give_numbers(dtype, value, which):
    """No direction, no preference: each share is 1 / J, and the gradient is finite."""
    same = torch.full((2, 5, 3, 4), value, dtype=dtype)
    output = same if which in ("both", "output") else features(1, dtype=dtype)
    target = same if which in ("both", "target") else features(2, dtype=dtype)
    output, target = (x.clone().requires_grad_(True) for x in (output, target))
    loss = contextual_loss(output, target)
    loss.backward()
    if which != "output":
        assert loss.item() == pytest.approx(math.log(12), rel=1e-4)
    assert loss.isfinite() and all(x.grad.isfinite().all() and x.grad.abs().max() < 1e3 for x in (output, target))


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_a_point_at_the_target_s_mean_gets_no_gradient(dtype):
    """Nor one that is there but for the last bit: its direction would be noise, with a gradient of millions."""
    output, target = features(1, dtype=dtype), features(2, dtype=dtype)
    output[..., 0, 0] = target.mean((2, 3)) * (1 + torch.finfo(dtype).eps)
    output.requires_grad_(True)
    contextual_loss(output, target).backward()
    assert not output.grad[..., 0, 0].any() and output.grad[..., 0, 1].all() and output.grad.abs().max() < 10


def test_an_output_that_is_the_target_itself_gives_numbers():
    target = features(3, dtype=torch.float32)
    output = target.clone().requires_grad_(True)
    loss = contextual_loss(output, target)
    loss.backward()
    assert loss.item() == pytest.approx(0, abs=1e-5) and output.grad.isfinite().all()


def test_wrong_input_is_answered_plainly():
    x = features(0)
    for other in (x[:1], x[:, :3], x[0]):
        with pytest.raises(ValueError, match="Features must have the shapes"):
            contextual_loss(x, other)
    with pytest.raises(ValueError, match="With one position there is no context"):
        contextual_loss(x, x[:, :, :1, :1])
    with pytest.raises(ValueError, match="bandwidth must be positive, but it is 0"):
        contextual_loss(x, x, 0.0)
