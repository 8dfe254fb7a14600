"""Each loss against its closed form: values and gradients, at extreme logits too."""

import math

import pytest
import torch
from torch.nn.functional import binary_cross_entropy_with_logits

from gan_course.losses import LOSSES

LOGITS = [-100.0, -30.0, -2.0, -0.5, 0.0, 0.7, 3.0, 30.0, 100.0]


def sigmoid(x):
    return 1 / (1 + math.exp(-x)) if x >= 0 else math.exp(x) / (1 + math.exp(x))


def softplus(x):
    return max(x, 0) + math.log1p(math.exp(-abs(x)))


# name: value of the real term, the fake term and the generator's loss at one logit, then their three derivatives.
CLOSED_FORMS = {
    "minimax": (
        lambda r: softplus(-r),
        lambda f: softplus(f),
        lambda f: -softplus(f),
        lambda r: -sigmoid(-r),
        lambda f: sigmoid(f),
        lambda f: -sigmoid(f),
    ),
    "non_saturating": (
        lambda r: softplus(-r),
        lambda f: softplus(f),
        lambda f: softplus(-f),
        lambda r: -sigmoid(-r),
        lambda f: sigmoid(f),
        lambda f: -sigmoid(-f),
    ),
    "least_squares": (
        lambda r: (r - 1) ** 2,
        lambda f: f**2,
        lambda f: (f - 1) ** 2,
        lambda r: 2 * (r - 1),
        lambda f: 2 * f,
        lambda f: 2 * (f - 1),
    ),
    "hinge": (
        lambda r: max(0, 1 - r),
        lambda f: max(0, 1 + f),
        lambda f: -f,
        lambda r: -1.0 if r < 1 else 0.0,
        lambda f: 1.0 if f > -1 else 0.0,
        lambda f: -1.0,
    ),
    "wasserstein": (
        lambda r: -r,
        lambda f: f,
        lambda f: -f,
        lambda r: -1.0,
        lambda f: 1.0,
        lambda f: -1.0,
    ),
}


def leaf(value):
    return torch.tensor([value], dtype=torch.float64, requires_grad=True)


@pytest.mark.parametrize("logit", LOGITS)
@pytest.mark.parametrize("name", CLOSED_FORMS)
def test_value_and_gradient_at_one_logit(name, logit):
    real_value, fake_value, g_value, real_slope, fake_slope, g_slope = CLOSED_FORMS[name]
    loss = LOSSES[name]
    real, fake, other = leaf(logit), leaf(logit), leaf(-0.3)

    d_loss = loss.discriminator(real, other)
    assert d_loss.item() == pytest.approx(real_value(logit) + fake_value(-0.3), rel=1e-7, abs=1e-12)
    assert torch.autograd.grad(d_loss, real)[0].item() == pytest.approx(real_slope(logit), rel=1e-7, abs=1e-40)

    d_loss = loss.discriminator(other, fake)
    assert d_loss.item() == pytest.approx(real_value(-0.3) + fake_value(logit), rel=1e-7, abs=1e-12)
    assert torch.autograd.grad(d_loss, fake)[0].item() == pytest.approx(fake_slope(logit), rel=1e-7, abs=1e-40)

    g_loss = loss.generator(fake)
    assert g_loss.item() == pytest.approx(g_value(logit), rel=1e-7, abs=1e-12)
    assert torch.autograd.grad(g_loss, fake)[0].item() == pytest.approx(g_slope(logit), rel=1e-7, abs=1e-40)


@pytest.mark.parametrize("difference", LOGITS)
def test_relativistic_pairs(difference):
    loss = LOSSES["relativistic"]
    real, fake = leaf(1.5), leaf(1.5 - difference)
    d_loss, g_loss = loss.discriminator(real, fake), loss.generator(fake, real)
    assert d_loss.item() == pytest.approx(softplus(-difference), rel=1e-7, abs=1e-12)
    assert g_loss.item() == pytest.approx(softplus(difference), rel=1e-7, abs=1e-12)
    d_real, d_fake = torch.autograd.grad(d_loss, (real, fake))
    g_fake, g_real = torch.autograd.grad(g_loss, (fake, real))
    assert d_real.item() == pytest.approx(-sigmoid(-difference), rel=1e-6, abs=1e-40)
    assert d_fake.item() == pytest.approx(sigmoid(-difference), rel=1e-6, abs=1e-40)
    assert g_fake.item() == pytest.approx(-sigmoid(difference), rel=1e-6, abs=1e-40)
    assert g_real.item() == pytest.approx(sigmoid(difference), rel=1e-6, abs=1e-40)


def test_relativistic_pairs_by_position_and_not_all_with_all():
    real = torch.tensor([0.0, 10.0], dtype=torch.float64)
    fake = torch.tensor([0.0, 10.0], dtype=torch.float64)
    assert LOSSES["relativistic"].discriminator(real, fake).item() == pytest.approx(math.log(2))


@pytest.mark.parametrize("name", LOSSES)
@pytest.mark.parametrize("shape", [(6,), (2, 1, 3, 5)])
def test_losses_average_over_any_shape(name, shape):
    loss, rng = LOSSES[name], torch.Generator().manual_seed(0)
    real = torch.randn(shape, generator=rng, dtype=torch.float64)
    fake = torch.randn(shape, generator=rng, dtype=torch.float64)
    each_d = [loss.discriminator(r, f).item() for r, f in zip(real.view(-1, 1), fake.view(-1, 1), strict=True)]
    each_g = [loss.generator(f, r).item() for r, f in zip(real.view(-1, 1), fake.view(-1, 1), strict=True)]
    assert loss.discriminator(real, fake).item() == pytest.approx(sum(each_d) / len(each_d))
    assert loss.generator(fake, real).item() == pytest.approx(sum(each_g) / len(each_g))


@pytest.mark.parametrize("name", LOSSES)
def test_float32_gradients_are_right_at_plus_and_minus_100(name):
    """The trap of log(sigmoid(x) + 1e-8): there the gradient dies where it should be strongest."""
    for logit in (-100.0, 100.0):
        exact, single = leaf(logit), torch.tensor([logit], requires_grad=True)
        for loss in (LOSSES[name].generator(single, torch.zeros(1)),):
            slope = torch.autograd.grad(loss, single)[0].item()
            reference = LOSSES[name].generator(exact, torch.zeros(1, dtype=torch.float64))
            assert slope == pytest.approx(torch.autograd.grad(reference, exact)[0].item(), rel=1e-6, abs=1e-38)


def test_cross_entropy_agrees_with_torch():
    real, fake = torch.randn(50), torch.randn(50)
    ours = LOSSES["non_saturating"].discriminator(real, fake)
    theirs = binary_cross_entropy_with_logits(real, torch.ones(50)) + binary_cross_entropy_with_logits(
        fake, torch.zeros(50)
    )
    assert ours.item() == pytest.approx(theirs.item(), rel=1e-5)


def test_minimax_saturates_and_non_saturating_does_not():
    """Where D is sure of a fake (D(G(z)) near 0) minimax has no gradient left, the other has all of it."""
    fake = leaf(-30.0)
    minimax = torch.autograd.grad(LOSSES["minimax"].generator(fake), fake)[0].abs().item()
    heuristic = torch.autograd.grad(LOSSES["non_saturating"].generator(fake), fake)[0].abs().item()
    assert minimax < 1e-12 and heuristic == pytest.approx(1)


def test_relativistic_says_what_it_misses():
    with pytest.raises(ValueError, match="pass real_logits"):
        LOSSES["relativistic"].generator(torch.zeros(3))
    with pytest.raises(ValueError, match="one shape"):
        LOSSES["relativistic"].discriminator(torch.zeros(3), torch.zeros(4))
