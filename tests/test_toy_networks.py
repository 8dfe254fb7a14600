"""The networks for points: shapes, gradients, rebuilding from a card, and a run on points."""

import functools

import pytest
import torch

from gan_course import methods, networks, training
from gan_course.data import toy


@pytest.mark.parametrize("dim", [1, 2, 3])
def test_shapes_and_gradients(dim):
    generator, discriminator = networks.PointGenerator(4, dim, (8, 8)), networks.PointDiscriminator(dim, (8,))
    points = generator(torch.randn(5, 4))
    logits = discriminator(points)
    assert points.shape == (5, dim) and logits.shape == (5,)
    logits.square().sum().backward()
    for network in (generator, discriminator):
        for name, parameter in network.named_parameters():
            assert parameter.grad is not None and parameter.grad.abs().sum() > 0, name


def test_points_may_lie_anywhere_and_logits_too():
    generator, discriminator = networks.PointGenerator(), networks.PointDiscriminator()
    points = generator(1000 * torch.randn(100, 2))
    assert points.abs().max() > 2 and discriminator(1000 * points).abs().max() > 2
    slopes = {m.negative_slope for m in [*generator.layers, *discriminator.layers] if hasattr(m, "negative_slope")}
    assert slopes == {0.2}


@pytest.mark.parametrize("network", [networks.PointGenerator(3, 1, (8, 4)), networks.PointDiscriminator(3, (8,))])
def test_a_card_rebuilds_the_network(network):
    twin = networks.build({"class": type(network).__name__, "arguments": network.config})
    twin.load_state_dict(network.state_dict())
    inputs = torch.randn(6, 3)
    assert torch.equal(twin(inputs), network(inputs))


def test_wrong_shapes_are_told_in_words():
    with pytest.raises(ValueError, match=r"points of shape \(N, 2\), not \(5, 3\)"):
        networks.PointDiscriminator(2)(torch.zeros(5, 3))
    with pytest.raises(ValueError, match=r"z of shape \(N, 2\)"):
        networks.PointGenerator(2)(torch.zeros(5, 3))


def alternate(run):
    """One step of each player, on points of any dimension."""
    real, _ = run.data.batch(run.recipe.batch_size, run.rng)
    fake = run.generator(run.noise())
    return training.d_step(run, real, fake.detach()) | training.g_step(run, real, fake)


def test_a_recipe_trains_on_points():
    recipe = methods.Recipe(
        name="points",
        source="this test",
        generator=lambda shape: networks.PointGenerator(2, shape[0], (16,)),
        discriminator=lambda shape: networks.PointDiscriminator(shape[0], (16,)),
        g_learning_rate=2e-3,
        d_learning_rate=2e-3,
        step=alternate,
    )
    far = toy.PointSet(functools.partial(toy.normal, mean=(4.0, 0.0), covariance=((1.0, 0.0), (0.0, 1.0))))
    run = training.Run(recipe, far, seed=0)
    before = training.sample(run.generator, 500).mean(0)
    training.train(run, steps=150)
    after = training.sample(run.generator, 500).mean(0)
    assert before[0] < 1 and after[0] > before[0] + 1, "the fakes must move towards the points"
