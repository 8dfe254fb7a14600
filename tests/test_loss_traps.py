"""The mistakes of well-known code that concern losses: the course's own pass, and a check catches each mistake."""

import pytest
import torch
from torch.nn import functional as F

from gan_course.losses import LOSSES, AdversarialLoss


def slopes(function, logit):
    logit = torch.tensor([float(logit)], requires_grad=True)
    value = function(logit)
    if not value.requires_grad:
        return 0.0
    return torch.autograd.grad(value, logit)[0].item()


def hinge_pushes_apart(loss):
    """Inside the margin D is pushed up on reals and down on fakes, by 1; beyond it, not at all."""
    for logit, real_slope, fake_slope in ((0.0, -1, 1), (3.0, 0, 1), (-3.0, -1, 0)):
        constant = torch.zeros(1)
        zero_at = [slopes(lambda x, c=constant: loss.discriminator(x, c - 5), logit)]
        zero_at.append(slopes(lambda x, c=constant: loss.discriminator(c + 5, x), logit))
        assert zero_at == pytest.approx([real_slope, fake_slope])
    assert slopes(loss.generator, -3.0) == pytest.approx(-1)


def never_saturates(loss):
    """The further D rejects a fake, the closer is G's gradient to -1; at -120 too."""
    for logit in (-5.0, -30.0, -120.0):
        assert slopes(loss.generator, logit) == pytest.approx(-1 / (1 + torch.tensor(logit).exp().item()), rel=1e-3)


def critic_has_no_margin(loss):
    """A Wasserstein critic is pushed apart at any logit; a hinge stops at 1."""
    for logit in (-50.0, 0.0, 50.0):
        constant = torch.zeros(1)
        assert slopes(lambda x, c=constant: loss.discriminator(x, c), logit) == pytest.approx(-1)
        assert slopes(lambda x, c=constant: loss.discriminator(c, x), logit) == pytest.approx(1)


def own(discriminator=None, generator=None):
    base = LOSSES["non_saturating"]
    return AdversarialLoss("mistake", discriminator or base.discriminator, generator or base.generator, "a mistake")


INVERTED_HINGE = own(lambda r, f: F.relu(1 + r).mean() + F.relu(1 - f).mean(), lambda f, r=None: f.mean())
LOSS_MISTAKES = {
    "hinge sign inverted": (INVERTED_HINGE, hinge_pushes_apart),
    "hinge of one side for both": (
        own(lambda r, f: F.relu(1 - r).mean() + F.relu(1 - f).mean(), LOSSES["hinge"].generator),
        hinge_pushes_apart,
    ),
    "a WGAN whose loss is hinge": (LOSSES["hinge"], critic_has_no_margin),
    "minimax called non-saturating": (LOSSES["minimax"], never_saturates),
    "log(sigmoid + 1e-8)": (own(generator=lambda f, r=None: -(f.sigmoid() + 1e-8).log().mean()), never_saturates),
    "BCELoss of a sigmoid": (
        own(generator=lambda f, r=None: F.binary_cross_entropy(f.sigmoid(), torch.ones_like(f))),
        never_saturates,
    ),
    "wrapped in a new tensor": (
        own(generator=lambda f, r=None: torch.tensor([F.softplus(-f).mean().item()])),
        never_saturates,
    ),
}


@pytest.mark.parametrize(
    "name, check",
    [("hinge", hinge_pushes_apart), ("non_saturating", never_saturates), ("wasserstein", critic_has_no_margin)],
)
def test_the_losses_are_right(name, check):
    check(LOSSES[name])


@pytest.mark.parametrize("name", LOSS_MISTAKES)
def test_a_mistaken_loss_is_caught(name):
    loss, check = LOSS_MISTAKES[name]
    with pytest.raises(AssertionError):
        check(loss)
