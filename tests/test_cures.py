"""Packing, instance noise, smoothed labels, unrolling: values, gradients, and what they say when used wrongly."""

import math

import pytest
import torch
from torch import nn

from gan_course import losses, methods, networks, training
from gan_course.data import toy
from gan_course.losses import LOSSES, smoothed


class Sum(nn.Module):
    """Logit: the weighted sum of everything in one input."""

    def __init__(self, inputs):
        super().__init__()
        self.weights = nn.Parameter(torch.arange(1.0, inputs + 1))

    def forward(self, x):
        return x.flatten(1) @ self.weights


def test_a_pack_joins_neighbours_along_their_features():
    points = torch.tensor([[1.0, 10.0], [100.0, 1000.0], [2.0, 0.0], [0.0, 3.0]], requires_grad=True)
    logits = networks.PackedDiscriminator(Sum(4), 2)(points)
    assert logits.tolist() == [1 + 2 * 10 + 3 * 100 + 4 * 1000, 2 + 4 * 3]
    (slope,) = torch.autograd.grad(logits[0], points)
    assert slope.tolist() == [[1, 2], [3, 4], [0, 0], [0, 0]]  # every sample of the pack, and no other


def test_a_pack_of_images_is_an_image_with_more_channels():
    seen = []
    inner = nn.Sequential(nn.Conv2d(6, 1, 4), nn.Flatten(0))
    inner.register_forward_pre_hook(lambda _, inputs: seen.append(inputs[0]))
    images = torch.randn(4, 3, 4, 4).contiguous(memory_format=torch.channels_last)
    assert networks.PackedDiscriminator(inner, 2)(images).shape == (2,)
    assert torch.equal(seen[0], torch.stack([torch.cat([images[0], images[1]]), torch.cat([images[2], images[3]])]))


def test_a_batch_that_cannot_be_packed_is_told_in_words():
    with pytest.raises(ValueError, match=r"5 cannot be cut into packs of 2.*multiple of 2"):
        networks.PackedDiscriminator(Sum(4), 2)(torch.zeros(5, 2))
    with pytest.raises(ValueError, match="at least 1"):
        networks.PackedDiscriminator(Sum(4), 0)


def test_instance_noise_has_its_strength_and_lets_the_gradient_through():
    torch.manual_seed(0)
    network = networks.InstanceNoise(nn.Identity(), std=0.3)
    samples = torch.ones(50_000, 2, requires_grad=True)
    seen = network(samples)
    assert (seen - 1).std().item() == pytest.approx(0.3, rel=0.02) and seen.mean().item() == pytest.approx(1, abs=0.01)
    assert not torch.equal(seen, network(samples)), "the noise is drawn afresh each time"
    (slope,) = torch.autograd.grad(seen.sum(), samples)
    assert torch.equal(slope, torch.ones_like(slope))
    network.std = 0.0
    assert torch.equal(network(samples), samples)
    network.std = 0.3
    assert torch.equal(network.eval()(samples), samples)
    with pytest.raises(ValueError, match="negative"):
        networks.InstanceNoise(nn.Identity(), -1.0)


@pytest.mark.parametrize("logit", [-100.0, -3.0, 0.0, 2.0, 100.0])
def test_smoothed_labels_against_the_definition(logit):
    """-t log D(x) - (1 - t) log(1 - D(x)); its slope by the logit is D(x) - t."""
    real = torch.tensor([logit], dtype=torch.float64, requires_grad=True)
    fake = torch.tensor([0.4], dtype=torch.float64, requires_grad=True)
    loss = smoothed("non_saturating", 0.9).discriminator(real, fake)
    minus_log_d = max(-logit, 0) + math.log1p(math.exp(-abs(logit)))
    expected = 0.9 * minus_log_d + 0.1 * (minus_log_d + logit) + math.log1p(math.exp(0.4))
    assert loss.item() == pytest.approx(expected, rel=1e-9)
    real_slope, fake_slope = torch.autograd.grad(loss, (real, fake))
    d = 1 / (1 + math.exp(-logit))
    assert real_slope.item() == pytest.approx(d - 0.9, abs=1e-9)
    assert fake_slope.item() == pytest.approx(1 / (1 + math.exp(-0.4)))  # the fakes' target is still 0


def test_smoothing_leaves_the_generator_alone_and_knows_its_losses():
    assert smoothed("minimax").generator is LOSSES["minimax"].generator
    assert "0.9" in smoothed(LOSSES["minimax"]).name
    logits = torch.randn(5), torch.randn(5)
    assert smoothed("minimax", 1.0).discriminator(*logits) == LOSSES["minimax"].discriminator(*logits)
    with pytest.raises(ValueError, match="hinge"):
        smoothed("hinge")
    with pytest.raises(ValueError, match=r"above 0\.5"):
        smoothed("minimax", 0.3)


def run_on_ring(**changes):
    settings = {
        "generator": lambda shape: networks.PointGenerator(2, shape[0], (16,)),
        "discriminator": lambda shape: networks.PointDiscriminator(shape[0], (16,)),
        "batch_size": 32,
    }
    recipe = methods.Recipe(name="points", source="this test", **{**settings, **changes})
    return training.Run(recipe, toy.PointSet(toy.ring), seed=3, device="cpu")


def g_gradient(run, g_step):
    """The gradient that one step gave G, on a fixed batch, as one vector."""
    rng = torch.Generator().manual_seed(0)
    dtype = next(run.generator.parameters()).dtype
    real, z = run.data.batch(32, rng)[0].to(dtype), torch.randn(32, 2, generator=rng).to(dtype)
    g_step(run, real, run.generator(z))
    return torch.cat([parameter.grad.flatten() for parameter in run.generator.parameters()])


def test_no_unrolled_step_is_the_ordinary_step():
    ordinary = g_gradient(run_on_ring(), training.g_step)
    assert torch.allclose(g_gradient(run_on_ring(), training.unrolled_g_step(0)), ordinary)


def test_unrolling_goes_through_the_discriminators_steps():
    """G's gradient equals the numerical slope of its loss against the D that two steps of descent lead to."""
    run = run_on_ring()
    run.generator.double(), run.discriminator.double()
    rng = torch.Generator().manual_seed(0)
    real, z = run.data.batch(32, rng)[0].double(), torch.randn(32, 2, generator=rng).double()

    def looked_ahead():
        weights = {n: p.detach().clone().requires_grad_(True) for n, p in run.discriminator.named_parameters()}
        fake = run.generator(z).detach()
        for _ in range(2):
            logits = [torch.func.functional_call(run.discriminator, weights, (x,)) for x in (real, fake)]
            slopes = torch.autograd.grad(run.loss.discriminator(*logits), list(weights.values()))
            weights = {
                n: (p - 0.5 * s).detach().requires_grad_(True)
                for (n, p), s in zip(weights.items(), slopes, strict=True)
            }
        return run.loss.generator(torch.func.functional_call(run.discriminator, weights, (fake,))).item()

    weight = run.generator.layers[-1].weight
    numerical = []
    for sign in (1, -1):
        with torch.no_grad():
            weight[0, 3] += sign * 1e-5
        numerical.append(looked_ahead())
        with torch.no_grad():
            weight[0, 3] -= sign * 1e-5
    before = [parameter.clone() for parameter in run.discriminator.parameters()]
    run.g_optimizer = torch.optim.SGD(run.generator.parameters(), 0.0)
    training.unrolled_g_step(2, 0.5)(run, real, run.generator(z))
    slope = (numerical[0] - numerical[1]) / 2e-5
    assert weight.grad[0, 3].item() == pytest.approx(slope, rel=1e-3)
    assert all(torch.equal(a, b) for a, b in zip(before, run.discriminator.parameters(), strict=True))
    first_order = g_gradient(run, training.g_step)
    assert not torch.allclose(first_order, g_gradient(run, training.unrolled_g_step(2, 0.5)), rtol=1e-2)


def test_noise_fades_to_nothing_at_its_share_of_the_budget():
    run = run_on_ring(
        discriminator=lambda shape: networks.InstanceNoise(networks.PointDiscriminator(shape[0], (16,)), 9.0),
        step=training.fading_noise(0.4, until=0.5),
    )
    seen = []
    watcher = training.callbacks.Callback()
    watcher.on_step = lambda run: seen.append(run.discriminator.std)
    training.train(run, steps=8, callbacks=[watcher])
    assert seen == pytest.approx([0.4, 0.3, 0.2, 0.1, 0, 0, 0, 0])


@pytest.mark.parametrize(
    "changes",
    [
        {"loss": losses.smoothed("non_saturating")},
        {"g_step": training.unrolled_g_step(2)},
        {"discriminator": lambda s: networks.PackedDiscriminator(networks.PointDiscriminator(2 * s[0], (16,)), 2)},
    ],
    ids=["smoothed", "unrolled", "packed"],
)
def test_each_cure_trains_both_networks(changes):
    run = run_on_ring(**changes)
    before = [p.clone() for network in (run.generator, run.discriminator) for p in network.parameters()]
    training.train(run, steps=2)
    after = [p for network in (run.generator, run.discriminator) for p in network.parameters()]
    assert not any(torch.equal(a, b) for a, b in zip(before, after, strict=True))
    assert isinstance(run.recipe.settings(), dict)
