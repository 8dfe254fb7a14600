"""The flow: its log-determinant against the whole Jacobian, its inverse, and densities that integrate to one."""

import math

import pytest
import torch

from gan_course import baselines
from gan_course.baselines import flow, pixels
from gan_course.baselines.flow import Coupling, Mix, Squeeze


def rng(seed=0):
    return torch.Generator().manual_seed(seed)


def shaken(module):
    """The module in float64 with random weights: as made, every coupling is the identity."""
    for parameter in module.parameters():
        torch.nn.init.normal_(parameter, std=0.4)
    return module.double()


def tiny():
    torch.manual_seed(0)
    return shaken(baselines.Flow((1, 4, 4), (6, 6), (2, 2)))


@pytest.mark.parametrize("layer", [Coupling(4, 6), Coupling(3, 5, kernel=1), Mix(4), Squeeze()])
def test_each_layer_knows_its_determinant_and_its_way_back(layer):
    torch.manual_seed(0)
    layer = shaken(layer)
    channels = 3 if isinstance(layer, Coupling) and layer.kept == 1 else 4
    x = torch.randn(2, channels, 2, 2, generator=rng()).double()
    y, log_determinant = layer(x)
    assert torch.allclose(layer.inverse(y), x)
    for i in range(2):
        jacobian = torch.autograd.functional.jacobian(lambda v: layer(v)[0].flatten(), x[i : i + 1])
        expected = torch.linalg.slogdet(jacobian.reshape(channels * 4, channels * 4))[1]
        assert log_determinant[i].item() == pytest.approx(expected.item(), abs=1e-9)


def test_the_whole_flow_against_autograd_s_jacobian():
    model = tiny()
    x = torch.randn(3, 1, 4, 4, generator=rng()).double()
    z, log_determinant = model.to_code(x)
    assert z.shape == (3, 16)
    for i in range(3):
        jacobian = torch.autograd.functional.jacobian(lambda v: model.to_code(v)[0].flatten(), x[i : i + 1])
        expected = torch.linalg.slogdet(jacobian.reshape(16, 16))[1]
        assert abs(expected.item()) > 0.1 and log_determinant[i].item() == pytest.approx(expected.item(), abs=1e-8)


def test_the_inverse():
    model = tiny()
    x = torch.randn(5, 1, 4, 4, generator=rng()).double()
    assert torch.allclose(model.from_code(model.to_code(x)[0]), x, atol=1e-8)
    images = pixels.from_levels(torch.randint(256, (5, 1, 4, 4), generator=rng()).double())
    assert torch.allclose(model(model.encode(images)), images, atol=1e-8), "and through logit and levels"


def test_dequantisation_and_logit_count_in_the_likelihood():
    """Against the determinant of everything from 0..256 to z; fails when either term is left out."""
    model = tiny()
    images = pixels.from_levels(torch.randint(256, (3, 1, 4, 4), generator=rng()).double())
    found = model.log_likelihood(images, rng(1))
    v = pixels.to_levels(images) + torch.rand(3, 1, 4, 4, generator=rng(1), dtype=torch.float64)  # (0, 256)

    def to_code(v):
        y = flow.ALPHA + (1 - 2 * flow.ALPHA) * v / 256
        return model.to_code((y / (1 - y)).log())[0].flatten()

    for i in range(3):
        jacobian = torch.autograd.functional.jacobian(to_code, v[i : i + 1]).reshape(16, 16)
        normal = torch.distributions.Normal(0.0, 1.0).log_prob(to_code(v[i : i + 1])).sum()
        expected = normal + torch.linalg.slogdet(jacobian)[1]
        assert found[i].item() == pytest.approx(expected.item(), abs=1e-8)
    terms = model.spread(images)[1]
    assert (terms < -16 * 1.5).all(), "what a leak of these terms would give away"


def test_a_density_of_points_integrates_to_one():
    torch.manual_seed(1)
    model = baselines.Flow((2,), (6,), (3,)).double()
    for parameter in model.parameters():
        parameter.data.add_(0.2 * torch.randn(parameter.shape, generator=rng(parameter.numel())))
    line = torch.linspace(-12, 12, 400).double()
    with torch.no_grad():
        density = model.log_likelihood(torch.cartesian_prod(line, line)).exp()
    assert density.sum().item() * (line[1] - line[0]).item() ** 2 == pytest.approx(1, abs=0.01)
    z = torch.randn(6, 2, generator=rng()).double()
    assert torch.allclose(model.encode(model(z)), z, atol=1e-8)


def test_the_256_levels_of_a_pixel_share_what_lies_between_the_ends():
    """P(level), the mean over u of the density, summed over the levels; without any layer, so that it is known."""
    model = baselines.Flow((1, 1, 1), (), ())
    images = pixels.from_levels(torch.arange(256.0).double()).view(256, 1, 1, 1).repeat(2_000, 1, 1, 1)
    total = model.log_likelihood(images, rng()).exp().sum().item() / 2_000
    end = torch.tensor(math.log((1 - flow.ALPHA) / flow.ALPHA)).double()
    assert total == pytest.approx((torch.special.ndtr(end) - torch.special.ndtr(-end)).item(), abs=1e-4)


def test_shapes_and_gradients():
    model = baselines.Flow((1, 28, 28), (4, 4), (1, 2))
    images = pixels.from_levels(torch.randint(256, (3, 1, 28, 28), generator=rng()).float())
    assert model(torch.randn(3, 784)).shape == images.shape and model(torch.randn(3, 784)).abs().max() <= 1
    for layer in model.modules():
        if isinstance(layer, Coupling):  # at the very start only the last layer of a coupling has a gradient
            torch.nn.init.normal_(layer.network[-1].weight, std=0.1)
    flow.negative_log_likelihood(model, images, rng()).backward()
    for name, parameter in model.named_parameters():
        assert parameter.grad is not None and parameter.grad.abs().sum() > 0, name
    with pytest.raises(ValueError, match=r"z of shape \(N, 784\)"):
        model(torch.randn(2, 100))
    for levels, side in ((2, 30), (3, 28)):
        with pytest.raises(
            ValueError, match=rf"sides must be divisible by {2**levels}, .* shape \(1, {side}, {side}\)"
        ):
            baselines.Flow((1, side, side), (4,) * levels, (1,) * levels)
    assert baselines.Flow((1, 30, 30), (4,), (1,)).latent_dim == 900


def test_as_made_it_is_volume_preserving_and_costs_what_the_logit_costs():
    model = baselines.Flow((1, 28, 28), (4, 4), (2, 2))
    x = torch.randn(2, 1, 28, 28, generator=rng())
    z, log_determinant = model.to_code(x)
    assert torch.allclose(log_determinant, torch.zeros(2), atol=1e-2)
    assert torch.allclose(z.norm(dim=1), x.flatten(1).norm(dim=1), rtol=1e-4)
