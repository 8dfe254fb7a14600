"""Rejection sampling by a discriminator, against densities that are known."""

import pytest
import torch
from torch import nn

from gan_course import training


class Uniform(nn.Module):
    """G: draws from the uniform distribution on [0, 1], (N, 1)."""

    latent_dim = 1

    def __init__(self) -> None:
        super().__init__()
        self.one = nn.Parameter(torch.ones(()))

    def forward(self, z):
        return self.one * torch.special.ndtr(z)


class LogRatio(nn.Module):
    """D at its best where real samples have the density power * x^(power - 1) on [0, 1]."""

    def __init__(self, power: float) -> None:
        super().__init__()
        self.power = nn.Parameter(torch.tensor(power))

    def forward(self, x):
        return (self.power.log() + (self.power - 1) * x.log()).squeeze(1)


@pytest.mark.parametrize("power", [1.0, 2.0, 4.0])
def test_kept_samples_have_the_density_of_the_real_ones(power):
    kept = training.rejection_sample(Uniform(), LogRatio(power), 20_000, seed=3)
    assert kept.shape == (20_000, 1) and kept.dtype == torch.float32
    for moment in (1, 2, 3):  # E x^k = power / (power + k)
        assert kept.pow(moment).mean().item() == pytest.approx(power / (power + moment), abs=0.01)


def test_a_discriminator_without_an_opinion_keeps_all():
    kept = training.rejection_sample(Uniform(), LogRatio(1.0), 300, seed=5)
    assert torch.equal(kept, training.sample(Uniform(), 300, seed=6))


def test_a_seed_repeats_it_and_nothing_else_is_touched():
    generator, discriminator = Uniform().train(), LogRatio(2.0).train()
    state = torch.random.get_rng_state()
    first, second, other = (training.rejection_sample(generator, discriminator, 50, seed=seed) for seed in (0, 0, 1))
    assert torch.equal(first, second) and not torch.equal(first, other)
    assert torch.equal(state, torch.random.get_rng_state()) and generator.training and discriminator.training


def test_a_discriminator_that_lets_nothing_pass_is_said_to():
    discriminator = LogRatio(1e6)
    with pytest.raises(RuntimeError, match=r"Of 150 samples the discriminator let .* 50 were asked for"):
        training.rejection_sample(Uniform(), discriminator, 50, patience=3)
    assert discriminator.training
