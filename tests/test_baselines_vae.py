"""The VAE: its bound against closed forms, the gradient through the draw, and the likelihood of 8-bit pixels."""

import math

import pytest
import torch

from gan_course import baselines
from gan_course.baselines import pixels
from gan_course.baselines.vae import VAE, kl_to_prior, linear_gaussian_log_likelihood, negative_bound, reparameterise


def rng(seed=0):
    return torch.Generator().manual_seed(seed)


def linear_gaussian():
    """x = W z + b + std * noise, with the posterior's exact mean and variances from its encoder; in float64."""
    torch.manual_seed(0)
    weight, bias, log_std = torch.randn(3, 2).double(), torch.randn(3).double(), torch.tensor(-0.7).double()
    decoder = torch.nn.Linear(2, 3).double()
    precision = torch.eye(2).double() + weight.T @ weight / torch.exp(2 * log_std)
    covariance = precision.inverse()

    class Posterior(torch.nn.Module):
        def forward(self, x):
            mean = (x - bias) @ weight @ covariance / torch.exp(2 * log_std)
            return torch.cat([mean, covariance.diagonal().log().expand(len(x), 2)], 1)

    model = VAE(Posterior(), decoder, 2, (3,), pixels.normal_log_density).double()
    with torch.no_grad():
        decoder.weight.copy_(weight)
        decoder.bias.copy_(bias)
        model.log_scale.fill_(log_std)
    points = torch.randn(5, 2).double() @ weight.T + bias
    return model, points, (weight, bias, log_std)


def expected_bound(points, parts, mean, variance):
    """E_q log p(x | z) - KL(q, p), with the expectation over a diagonal normal q in closed form."""
    weight, bias, log_std = parts
    residual = (points - mean @ weight.T - bias).square().sum(1) + (weight.square() @ variance.T).sum(0)
    reconstruction = -0.5 * (residual / torch.exp(2 * log_std) + 3 * (2 * log_std + math.log(2 * math.pi)))
    return reconstruction - 0.5 * (mean.square() + variance - variance.log() - 1).sum(1)


def test_the_bound_of_a_linear_gaussian_is_its_closed_form():
    model, points, parts = linear_gaussian()
    with torch.no_grad():
        mean, log_variance = model.encode(points)
        many = points.repeat_interleave(20_000, 0)
        estimate = model.elbo(many, rng()).view(5, -1)
    exact = expected_bound(points, parts, mean, log_variance.exp())
    error = estimate.std(1) / 20_000**0.5
    assert ((estimate.mean(1) - exact).abs() < 4 * error).all()
    likelihood = linear_gaussian_log_likelihood(points, *parts)
    assert (exact < likelihood).all(), "a bound from below"


def test_the_bound_is_tight_where_the_posterior_is_exact():
    """With orthogonal columns the true posterior is diagonal, and then every single draw gives log p(x) on average."""
    _, points, (weight, bias, log_std) = linear_gaussian()
    weight = torch.linalg.qr(weight)[0] * torch.tensor([1.5, 0.5]).double()
    covariance = (torch.eye(2).double() + weight.T @ weight / torch.exp(2 * log_std)).inverse()
    mean = (points - bias) @ weight @ covariance / torch.exp(2 * log_std)
    bound = expected_bound(points, (weight, bias, log_std), mean, covariance.diagonal().expand(5, 2))
    assert torch.allclose(bound, linear_gaussian_log_likelihood(points, weight, bias, log_std))
    normal = torch.distributions.MultivariateNormal(bias, weight @ weight.T + torch.exp(2 * log_std) * torch.eye(3))
    assert torch.allclose(linear_gaussian_log_likelihood(points, weight, bias, log_std), normal.log_prob(points))


def test_kl_is_that_of_torch_and_never_negative():
    mean, log_variance = torch.randn(50, 4, generator=rng()), torch.randn(50, 4, generator=rng(1))
    q = torch.distributions.Normal(mean, (0.5 * log_variance).exp())
    expected = torch.distributions.kl_divergence(q, torch.distributions.Normal(0.0, 1.0)).sum(1)
    assert torch.allclose(kl_to_prior(mean, log_variance), expected, atol=1e-5)
    assert kl_to_prior(mean, log_variance).min() > 0
    assert kl_to_prior(torch.zeros(1, 4), torch.zeros(1, 4)).item() == 0
    near = 1e-4 * torch.randn(2_000, 1, generator=rng(2))
    exact = 0.5 * (near.double().exp() - near.double() - 1).sum(1).float()
    found = kl_to_prior(torch.zeros(2_000, 1), near)
    assert found.min() >= 0 and torch.allclose(found, exact, atol=1e-11), "near the prior, too, in float32"


def test_a_draw_has_the_right_moments_and_a_gradient():
    mean, log_variance = torch.tensor([[1.0, -2.0]]).requires_grad_(), torch.tensor([[0.0, -1.0]]).requires_grad_()
    z = reparameterise(mean.expand(50_000, 2), log_variance.expand(50_000, 2), rng())
    assert torch.allclose(z.mean(0), mean[0], atol=0.02) and torch.allclose(z.var(0), log_variance[0].exp(), rtol=0.03)
    z.square().mean(0).sum().backward()  # E z^2 = mean^2 + variance
    assert torch.allclose(mean.grad, 2 * mean, atol=0.05)
    assert torch.allclose(log_variance.grad, log_variance.exp(), atol=0.05)


def test_the_gradient_of_the_bound_is_that_of_its_closed_form():
    """Fails when the draw has no gradient, or the KL the wrong sign."""
    model, points, parts = linear_gaussian()
    shift = torch.zeros(2).double().requires_grad_()
    stretch = torch.zeros(2).double().requires_grad_()
    mean, log_variance = (values.detach() + 0.5 for values in model.encode(points))  # not the best there is
    model.encode = lambda x: tuple(v.repeat(4_000, 1) for v in (mean + shift, log_variance + stretch))
    model.elbo(points.repeat(4_000, 1), rng()).mean().backward()
    found = (shift.grad.clone(), stretch.grad.clone())
    shift.grad, stretch.grad = None, None
    expected_bound(points, parts, mean + shift, (log_variance + stretch).exp()).mean().backward()
    assert shift.grad.abs().min() > 0.05 and stretch.grad.abs().max() > 0.05
    assert torch.allclose(found[0], shift.grad, atol=0.05) and torch.allclose(found[1], stretch.grad, atol=0.05)


@pytest.mark.parametrize("likelihood", [pixels.discretised_logistic, pixels.discretised_normal])
def test_the_probabilities_of_256_levels_sum_to_one(likelihood):
    levels = pixels.from_levels(torch.arange(256.0).double())[:, None]
    for mean in (-1.0, -0.3, 0.0, 0.997):
        for log_std in (-6.0, -3.0, 0.0):
            log_p = likelihood(levels, torch.full_like(levels, mean), torch.tensor(log_std).double())
            assert log_p.exp().sum().item() == pytest.approx(1, abs=1e-9)


@pytest.mark.parametrize("likelihood", [pixels.discretised_logistic, pixels.discretised_normal])
def test_far_pixels_keep_a_finite_log_probability_and_a_gradient(likelihood):
    mean = torch.tensor([[0.9], [-0.9]]).requires_grad_()
    images = pixels.from_levels(pixels.to_levels(torch.tensor([[-0.9], [0.9]])))
    log_p = likelihood(images, mean, torch.tensor(-4.0))
    log_p.sum().backward()
    assert log_p.isfinite().all() and (log_p < -50).all()
    assert mean.grad[0] < -10 and mean.grad[1] > 10, "towards the pixel"


def test_a_smooth_likelihood_is_the_density_times_a_level():
    images, mean = pixels.from_levels(torch.tensor([[100.0, 130.0]]).double()), torch.zeros(1, 2).double()
    log_std = torch.tensor(-1.0).double()
    density = pixels.normal_log_density(images, mean, log_std)
    assert pixels.discretised_normal(images, mean, log_std).item() == pytest.approx(
        (density + 2 * math.log(2 / 255)).item(), abs=1e-4
    )


def test_levels_there_and_back():
    images = torch.arange(256, dtype=torch.float32) / 127.5 - 1
    assert torch.equal(pixels.to_levels(images), torch.arange(256.0))
    assert torch.allclose(pixels.from_levels(pixels.to_levels(images)), images, atol=1e-6)
    sixteen = pixels.to_levels(images, 16)
    assert sixteen.unique(return_counts=True)[1].tolist() == [16] * 16
    assert pixels.from_levels(sixteen, 16).unique().tolist() == pytest.approx([i / 7.5 - 1 for i in range(16)])
    assert pixels.bits_per_dimension(torch.tensor(-784 * math.log(256)), (1, 28, 28)).item() == pytest.approx(8)


def test_shapes_and_gradients():
    model = baselines.ImageVAE(5, 28, 1, width=4, hidden=8)
    images = pixels.from_levels(torch.randint(256, (6, 1, 28, 28), generator=rng()).float())
    mean, log_variance = model.encode(images)
    assert mean.shape == log_variance.shape == (6, 5)
    assert model.reconstruct(images).shape == images.shape and model.elbo(images).shape == (6,)
    reconstruction, kl = model.bound(images, rng())
    assert torch.allclose(model.elbo(images, rng()), reconstruction - kl)
    negative_bound(model, images, rng()).backward()
    for name, parameter in model.named_parameters():
        assert parameter.grad is not None and parameter.grad.abs().sum() > 0, name
    with pytest.raises(ValueError, match=r"z of shape \(N, 5\)"):
        model(torch.randn(2, 6))


def test_a_decoder_can_be_sure_of_black_and_white():
    """At the end of the scale a pixel costs next to nothing; with its location held at -1 it would cost a whole bit."""
    model = baselines.ImageVAE(4, 28, 1, width=4, hidden=8).eval()
    images = torch.full((1, 1, 28, 28), -1.0)
    log_scale = torch.tensor(-2.0)
    held = pixels.discretised_logistic(images, images, log_scale)
    sure = pixels.discretised_logistic(images, 2 * images, log_scale)
    assert pixels.bits_per_dimension(held, (1, 28, 28)) > 0.95 and pixels.bits_per_dimension(sure, (1, 28, 28)) < 0.01
    torch.nn.init.normal_(model.decoder.layers[-2].weight, std=30.0)
    z = torch.randn(20, 4, generator=rng())
    assert model.location(z).abs().max() > 1 and model(z).abs().max() <= 1


def test_points_are_learned():
    """A noisy line in the plane: the bound comes close to the true log-density."""
    torch.manual_seed(0)
    model = baselines.PointVAE(1, 2, (16,))
    adam = torch.optim.Adam(model.parameters(), 2e-2)
    weight, bias = torch.tensor([[1.0], [2.0]]), torch.tensor([0.5, -1.0])
    true = (weight, bias, torch.tensor(-1.0))
    source = rng()
    for _ in range(500):
        noise = torch.randn(128, 2, generator=source) * math.exp(-1)
        points = torch.randn(128, 1, generator=source) @ weight.T + bias + noise
        adam.zero_grad()
        negative_bound(model, points, source).backward()
        adam.step()
    gap = linear_gaussian_log_likelihood(points, *true).mean() - model.elbo(points, source).mean()
    assert -0.1 < gap.item() < 0.4
