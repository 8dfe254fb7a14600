"""Gradient penalties in closed form, and the ways in which well-known code gets them wrong."""

import pytest
import torch

from gan_course import penalties


def linear_critic(weight):
    return lambda x: (x.flatten(1) * weight.flatten()).sum(1)


def test_gradient_penalty_of_a_linear_critic():
    weight = torch.randn(1, 4, 4, dtype=torch.float64)
    real, fake = torch.randn(2, 5, 1, 4, 4, dtype=torch.float64)
    penalty = penalties.gradient_penalty(linear_critic(weight), real, fake)
    assert penalty.item() == pytest.approx((weight.norm().item() - 1) ** 2)


def test_gradient_penalty_is_per_sample_and_not_over_the_batch():
    """With unit gradients the penalty is 0; a norm over a batch of 16 would be 4 and give 9."""
    weight = torch.zeros(3, 2, 2)
    weight[1, 0, 1] = 1.0
    real, fake = torch.randn(2, 16, 3, 2, 2)
    assert penalties.gradient_penalty(linear_critic(weight), real, fake).item() == pytest.approx(0, abs=1e-10)


def test_interpolation_is_one_uniform_number_a_sample():
    seen = []

    def critic(x):
        seen.append(x.detach())
        return x.flatten(1).sum(1)

    penalties.gradient_penalty(critic, torch.ones(2000, 1, 2, 2), torch.zeros(2000, 1, 2, 2))
    u = seen[0].flatten(1)
    assert (u == u[:, :1]).all(), "each sample has one number for all its pixels"
    assert u.min() >= 0 and u.max() <= 1, "uniform, not normal"
    assert u[:, 0].mean().item() == pytest.approx(0.5, abs=0.03) and u[:, 0].var().item() == pytest.approx(
        1 / 12, abs=0.01
    )


def test_gradient_penalty_reaches_the_critic_weights():
    """d/dw (|w| - 1)^2 = 2 (|w| - 1) w / |w|: a penalty whose graph was cut would give nothing."""
    weight = torch.tensor([3.0, 4.0], dtype=torch.float64, requires_grad=True)
    real, fake = torch.randn(2, 7, 2, dtype=torch.float64)
    penalties.gradient_penalty(linear_critic(weight), real, fake).backward()
    assert torch.allclose(weight.grad, 2 * (5 - 1) * weight.detach() / 5)


def test_flat_critic_has_a_finite_gradient():
    weight = torch.zeros(4, requires_grad=True)
    real, fake = torch.randn(2, 3, 4)
    penalty = penalties.gradient_penalty(linear_critic(weight), real, fake)
    penalty.backward()
    assert penalty.item() == pytest.approx(1) and weight.grad.isfinite().all()


@pytest.mark.parametrize("penalty", [penalties.r1, penalties.r2])
def test_r1_and_r2_of_a_quadratic_critic(penalty):
    """l(x) = a |x|^2 / 2 has the gradient a x, so the penalty is a^2 mean |x|^2, with slope 2 a mean |x|^2 in a."""
    a = torch.tensor(1.7, dtype=torch.float64, requires_grad=True)
    x = torch.randn(9, 3, 2, 2, dtype=torch.float64, requires_grad=True)
    logits = a * x.flatten(1).square().sum(1) / 2
    value = penalty(logits, x)
    mean_square = x.detach().flatten(1).square().sum(1).mean().item()
    assert value.item() == pytest.approx(1.7**2 * mean_square)
    assert torch.autograd.grad(value, a)[0].item() == pytest.approx(2 * 1.7 * mean_square)


def test_clipping_brings_every_weight_within_the_bound():
    network = torch.nn.Sequential(torch.nn.Linear(3, 2), torch.nn.BatchNorm1d(2))
    with torch.no_grad():
        network[0].weight.copy_(torch.tensor([[5.0, -7.0, 0.1], [0.2, -0.1, 0.3]]))
    penalties.clip_weights(network, 0.25)
    assert torch.allclose(network[0].weight, torch.tensor([[0.25, -0.25, 0.1], [0.2, -0.1, 0.25]]))
    assert (network[1].weight == 0.25).all(), "BatchNorm's scales are weights too"
    assert (network[1].running_var == 1).all(), "and its statistics are not"
    with pytest.raises(ValueError, match="must be positive"):
        penalties.clip_weights(network, -0.1)


def test_samples_without_gradient_are_a_plain_error():
    x = torch.randn(3, 2)
    with pytest.raises(ValueError, match="requires_grad=True"):
        penalties.r1(x.sum(1), x)
