"""What several failures are made of: the recipe they start from, networks that are built badly, and measurements."""

from __future__ import annotations

import copy
from collections.abc import Callable
from dataclasses import replace
from functools import partial

import torch
from torch import Tensor, nn

from gan_course import metrics, networks, training
from gan_course.data import toy
from gan_course.methods import Recipe

SAMPLES = 2_500
RING_STD, GRID_STD = 0.05, 0.1
# Wider modes than in PacGAN's protocol, so that seconds of training are enough to tell a failure from a cure.
RING = toy.PointSet(partial(toy.ring, std=RING_STD), name="ring of 8")
GRID = toy.PointSet(partial(toy.grid, std=GRID_STD), name="grid of 25")
SHARP_RING = toy.PointSet(toy.ring, name="ring of 8, thin modes")


def watched(g_step: Callable = training.g_step) -> Callable:
    """A generator's step that also measures the norms of both gradients: `g_gradient` and `d_gradient` in the history.

    Args:
        g_step: the step to watch; it is not changed.
    """

    def step(run, real: Tensor, fake: Tensor) -> dict[str, Tensor]:
        measured = g_step(run, real, fake)
        return measured | {
            "g_gradient": gradient_norm(run.generator),
            "d_gradient": gradient_norm(run.discriminator),
        }

    return step


def gradient_norm(network: nn.Module) -> Tensor:
    """The Euclidean norm of the gradient that a network's last step went down, over all its weights: a scalar."""
    gradients = [parameter.grad for parameter in network.parameters() if parameter.grad is not None]
    return torch.linalg.vector_norm(torch.stack(torch._foreach_norm(gradients)))


def generator(widths: tuple[int, ...] = (64, 64)) -> Callable:
    """A maker of generators from codes of 2 numbers."""
    return lambda shape: networks.PointGenerator(2, shape[0], widths)


def discriminator(widths: tuple[int, ...] = (64, 64)) -> Callable:
    """A maker of discriminators."""
    return lambda shape: networks.PointDiscriminator(shape[0], widths)


PLAIN = Recipe(
    name="plain",
    source="the failure laboratory's starting point: the non-saturating GAN with the momentum of DCGAN",
    generator=generator(),
    discriminator=discriminator(),
    batch_size=128,
    g_learning_rate=1e-3,
    d_learning_rate=1e-3,
    g_step=watched(),
)
HEALTHY = replace(PLAIN, name="healthy", d_learning_rate=2e-3)


def normal_weights(make: Callable, std: float) -> Callable:
    """The same networks with weights from N(0, std^2) and biases 0."""

    def initialise(module: nn.Module) -> None:
        if isinstance(module, nn.Linear):
            nn.init.normal_(module.weight, 0.0, std)
            nn.init.zeros_(module.bias)

    return lambda shape: make(shape).apply(initialise)


def he_weights(make: Callable) -> Callable:
    """The same networks with the weights of `networks.he_weights`."""
    return lambda shape: networks.he_weights(make(shape))


def biased(make: Callable, bias: float, rectifier: nn.Module | None = None) -> Callable:
    """The same networks with every bias set to `bias`, and with another activation where one is given."""

    def made(shape) -> nn.Module:
        network = make(shape)
        for i, layer in enumerate(network.layers):
            if isinstance(layer, nn.Linear):
                nn.init.constant_(layer.bias, bias)
            elif rectifier is not None:
                network.layers[i] = rectifier
        return network

    return made


def batch_norm_discriminator(shape) -> nn.Module:
    """PointDiscriminator with BatchNorm after every hidden layer, the first one included."""
    network = networks.PointDiscriminator(shape[0], (64, 64))
    layers: list[nn.Module] = []
    for layer in network.layers:
        layers += [nn.BatchNorm1d(64), layer] if isinstance(layer, nn.LeakyReLU) else [layer]
    network.layers = nn.Sequential(*layers)
    return network


def joint_d_step(run, real: Tensor, fake: Tensor) -> dict[str, Tensor]:
    """D's step on one batch that holds real and generated samples, so that BatchNorm gives both the same statistics."""
    run.discriminator.requires_grad_(True)
    real_logits, fake_logits = run.discriminator(torch.cat([real, fake])).chunk(2)
    loss = run.loss.discriminator(real_logits, fake_logits)
    training.descend(run.d_optimizer, loss)
    return {
        "d_loss": loss.detach(),
        "d_real": real_logits.detach().sigmoid().mean(),
        "d_fake": fake_logits.detach().sigmoid().mean(),
    }


def joint_g_step(run, real: Tensor, fake: Tensor) -> dict[str, Tensor]:
    """G's step on the same kind of batch."""
    run.discriminator.requires_grad_(False)
    real_logits, fake_logits = run.discriminator(torch.cat([real, fake])).chunk(2)
    loss = run.loss.generator(fake_logits, real_logits)
    training.descend(run.g_optimizer, loss)
    return {"g_loss": loss.detach()}


def mode_numbers(centers: Tensor, std: float) -> Callable[[training.Run], dict[str, float]]:
    """A `measure`: modes, high-quality share and KL(q || uniform) of 2,500 samples.

    Where no sample lies near a mode there is no q, and the kl is nan.
    """

    def measure(run: training.Run) -> dict[str, float]:
        captured = metrics.modes_captured(training.sample(run.sampler, SAMPLES, seed=1), centers, std)
        return {key: float(value) for key, value in captured._asdict().items()}

    return measure


ring_numbers = mode_numbers(toy.ring_centers(), RING_STD)
grid_numbers = mode_numbers(toy.grid_centers(), GRID_STD)
sharp_ring_numbers = mode_numbers(toy.ring_centers(), 0.01)


def latest(run: training.Run, name: str, rows: int = 10) -> float:
    """The mean of the last rows of the history."""
    values = [row[name] for row in run.history[-rows:]]
    return sum(values) / len(values)


def distance_of_means(run: training.Run) -> float:
    """How far the middle of 2,500 samples lies from the middle of as many real points."""
    real, _ = run.data.batch(SAMPLES, torch.Generator().manual_seed(1))
    return (training.sample(run.sampler, SAMPLES, seed=1).mean(0) - real.mean(0)).norm().item()


def flat_share(run: training.Run) -> float:
    """The share of fakes at which D has no slope at all, so that it cannot tell them where to go."""
    fake = training.sample(run.generator, SAMPLES, seed=1).clone().requires_grad_(True)
    (slope,) = torch.autograd.grad(run.discriminator(fake).sum(), fake)
    return (slope.abs().sum(1) == 0).double().mean().item()


@torch.no_grad()
def batch_leak(run: training.Run) -> float:
    """How far D's mean answer to the same real points moves, between 0 and 1, when fakes share their batch."""
    judge = copy.deepcopy(run.discriminator).train()
    real, _ = run.data.batch(SAMPLES, torch.Generator().manual_seed(1))
    fake = training.sample(run.generator, SAMPLES, seed=1)
    alone, mixed = judge(real).sigmoid(), judge(torch.cat([real, fake]))[:SAMPLES].sigmoid()
    return (alone - mixed).abs().mean().item()
