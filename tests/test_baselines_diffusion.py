"""Diffusion: the forward process, both samplers and the bound on normal distributions, where all is known exactly."""

import math

import pytest
import torch

from gan_course import baselines
from gan_course.baselines import diffusion, pixels
from gan_course.baselines.diffusion import Diffusion, T

MEAN = torch.tensor([0.7, -0.4]).double()
COVARIANCE = torch.tensor([[0.5, 0.3], [0.3, 0.4]]).double()


def rng(seed=0):
    return torch.Generator().manual_seed(seed)


class ExactNoise(torch.nn.Module):
    """E[noise | x_t] when x_0 is normal: what a network with no limits would learn."""

    def __init__(self, off_by=0):
        super().__init__()
        self.off_by, self.alpha_bar = off_by, (1 - torch.linspace(1e-4, 0.02, 1000).double()).cumprod(0)

    def forward(self, x, t):
        kept = self.alpha_bar[(t[0] - 1 + self.off_by).clamp(max=T - 1)]
        spread = kept * COVARIANCE + (1 - kept) * torch.eye(2).double()
        return (1 - kept).sqrt() * (x - kept.sqrt() * MEAN) @ spread.inverse()


def exact(off_by=0):
    return Diffusion(ExactNoise(off_by), (2,)).double()


def test_the_schedule_is_that_of_the_paper():
    model = exact()
    assert len(model.beta) == len(model.alpha_bar) == T + 1
    assert model.beta[1].item() == pytest.approx(1e-4) and model.beta[T].item() == pytest.approx(0.02)
    assert model.alpha_bar[0] == 1 and model.alpha_bar[1].item() == pytest.approx(1 - 1e-4)
    product = 1.0
    for t in range(1, T + 1):
        product *= 1 - (1e-4 + (0.02 - 1e-4) * (t - 1) / 999)
        assert model.alpha_bar[t].item() == pytest.approx(product, rel=1e-4)
    assert model.alpha_bar[T] < 1e-4, "next to nothing of the image is left"


@pytest.mark.parametrize("t", [0, 1, 2, 50, 1000])
def test_one_step_to_x_t_equals_t_small_steps(t):
    """The small steps of equation 2, one after the other, against the closed form: mean and variance."""
    model, x = exact(), torch.tensor([[1.5, -0.5]]).double()
    small, source = x.repeat(20_000, 1), rng()
    for i in range(1, t + 1):
        noise = torch.randn(small.shape, generator=source).double()
        small = (1 - model.beta[i]).sqrt() * small + model.beta[i].sqrt() * noise
    noise = torch.randn(20_000, 2, generator=source).double()
    at_once = model.q_sample(x.expand(20_000, 2), torch.full((20_000,), t), noise)
    for found in (small, at_once):
        kept = model.alpha_bar[t]
        assert torch.allclose(found.mean(0), kept.sqrt() * x[0], atol=0.03)
        assert torch.allclose(found.var(0), (1 - kept).expand(2), rtol=0.05, atol=1e-9)


def test_q_sample_takes_another_time_for_each_image():
    model, x = exact(), torch.ones(3, 2).double()
    found = model.q_sample(x, torch.tensor([0, 10, 1000]), torch.zeros(3, 2).double())
    assert torch.allclose(found[:, 0], model.alpha_bar[[0, 10, 1000]].sqrt())


def test_guess_undoes_q_sample():
    model, x, noise = exact(), torch.randn(4, 2, generator=rng()).double(), torch.randn(4, 2, generator=rng(1)).double()
    t = torch.tensor([1, 30, 400, 900])
    assert torch.allclose(model.guess(model.q_sample(x, t, noise), t, noise), x)


def moments(samples):
    return samples.mean(0), torch.cov(samples.T)


def test_ddim_gives_the_known_distribution():
    mean, covariance = moments(exact().ddim_sample(torch.randn(20_000, 2, generator=rng()).double(), T))
    assert torch.allclose(mean, MEAN, atol=0.02) and torch.allclose(covariance, COVARIANCE, atol=0.02)


def test_ddpm_gives_the_known_distribution():
    mean, covariance = moments(exact().ddpm_sample(torch.randn(20_000, 2, generator=rng()).double(), rng(1)))
    assert torch.allclose(mean, MEAN, atol=0.02) and torch.allclose(covariance, COVARIANCE, atol=0.02)


def test_ddim_with_few_steps_comes_close_and_closer_with_more():
    model, z = exact(), torch.randn(20_000, 2, generator=rng()).double()
    error = {n: (moments(model.ddim_sample(z, n))[1] - COVARIANCE).norm().item() for n in (5, 25, 250)}
    assert error[5] > error[25] > error[250] and error[25] < 0.15, error
    for steps in (1001, 0, -1):
        with pytest.raises(ValueError, match=f"1 to 1000 steps, not {steps}"):
            model.ddim_sample(z, steps)


def test_the_samplers_would_notice_a_wrong_schedule():
    """A network that thinks itself 25 steps further along: the covariance is off by more than the tolerance above."""
    samples = exact(off_by=25).ddim_sample(torch.randn(20_000, 2, generator=rng()).double(), T)
    assert not torch.allclose(moments(samples)[1], COVARIANCE, atol=0.02)


def test_ddim_with_noise_and_all_steps_is_ddpm():
    """eta = 1 has the mean and the variance of equation 7 in every step, so the same noise gives the same samples."""
    model, z = exact(), torch.randn(50, 2, generator=rng()).double()
    assert torch.allclose(model.ddim_sample(z, T, eta=1.0, rng=rng(1)), model.ddpm_sample(z, rng(1)), atol=1e-3)


def test_ddim_depends_on_the_code_alone():
    model, z = exact(), torch.randn(6, 2, generator=rng()).double()
    assert torch.equal(model(z), model(z)) and torch.allclose(model(z)[2:3], model(z[2:3]))


def expected_bound(model):
    """The mean bound over normal data, when the network knows E[noise | x_t]: all expectations are traces."""

    def error(t):  # E |x - guess|^2: what x_t leaves open about x
        kept = model.alpha_bar[t]
        gain = kept * COVARIANCE @ (kept * COVARIANCE + (1 - kept) * torch.eye(2).double()).inverse()
        return (COVARIANCE - gain @ COVARIANCE).trace()

    last = 0.5 * (error(1) / model.beta[1] + 2 * (2 * math.pi * model.beta[1]).log())
    kept = model.alpha_bar[T]
    prior = 0.5 * (kept * (COVARIANCE.trace() + MEAN.square().sum()) - 2 * kept - 2 * torch.log1p(-kept))
    steps = 0.0
    for t in range(2, T + 1):
        weight = model.alpha_bar[t - 1] * (model.beta[t] / (1 - model.alpha_bar[t])) ** 2
        steps += weight / (2 * model.variance[t]) * error(t)
    return (-prior - last - steps).item()


def test_the_bound_of_normal_data_has_its_closed_form():
    torch.manual_seed(0)
    normal = torch.distributions.MultivariateNormal(MEAN, COVARIANCE)
    model, points = exact(), normal.sample((2_000,))

    class EachTime(torch.nn.Module):  # the exact noise where every row has its own t
        def forward(self, x, t):
            kept = model.alpha_bar[t][:, None, None]
            spread = kept * COVARIANCE + (1 - kept) * torch.eye(2).double()
            off = (x[..., None] - kept.sqrt() * MEAN[:, None]) * (1 - kept).sqrt()
            return torch.linalg.solve(spread, off).squeeze(2)

    bound = Diffusion(EachTime(), (2,)).double().elbo(points, rng(), draws=20)
    error = bound.std().item() / 2_000**0.5
    assert error < 0.1 and bound.mean().item() == pytest.approx(expected_bound(model), abs=4 * error)
    assert -1.5 < expected_bound(model) + normal.entropy().item() < 0, "a bound from below, and not a loose one"


def test_the_bound_s_terms_are_kls_between_normals():
    model, x = exact(), torch.tensor([[0.3, -0.2]]).double()
    for time in (2, 7, 500, 1000):
        t, noise = torch.tensor([time]), torch.randn(1, 2, generator=rng()).double()
        x_t = model.q_sample(x, t, noise)
        guess = model.guess(x_t, t, model.network(x_t, t))
        std = model.variance[time].sqrt()
        truth = torch.distributions.Normal(model.posterior_mean(x, x_t, t), std)
        learned = torch.distributions.Normal(model.posterior_mean(guess, x_t, t), std)
        kl = torch.distributions.kl_divergence(truth, learned).sum()
        assert model._step_kl(x, t, noise).item() == pytest.approx(kl.item(), rel=1e-4)


def test_the_posterior_is_bayes_rule():
    """q(x_t-1 | x_t, x_0) of equation 7 against the product of q(x_t | x_t-1) and q(x_t-1 | x_0), on a fine line."""
    model, x, x_t, t = exact(), 0.8, 0.1, 300
    line = torch.linspace(-3, 3, 20_001).double()
    step = torch.distributions.Normal((1 - model.beta[t]).sqrt() * line, model.beta[t].sqrt()).log_prob(
        torch.tensor(x_t).double()
    )
    before = torch.distributions.Normal(model.alpha_bar[t - 1].sqrt() * x, (1 - model.alpha_bar[t - 1]).sqrt())
    weight = (step + before.log_prob(line)).softmax(0)
    mean = (weight * line).sum()
    found = model.posterior_mean(torch.tensor([[x]]).double(), torch.tensor([[x_t]]).double(), torch.tensor([t]))
    assert found.item() == pytest.approx(mean.item(), abs=1e-5)
    assert model.variance[t].item() == pytest.approx((weight * (line - mean).square()).sum().item(), rel=1e-3)


def test_the_last_step_gives_256_levels_a_probability_each():
    class Net(torch.nn.Module):
        def forward(self, x, t):
            return 0.3 * x

    model = Diffusion(Net(), (1, 1, 1)).double()
    x, kept = pixels.from_levels(torch.arange(256.0).double()).view(256, 1, 1, 1), model.alpha_bar[1]
    for x_1 in (-1.2, 0.2, 1.0):
        noise = (x_1 - kept.sqrt() * x) / (1 - kept).sqrt()  # all of them lead to this one x_1
        p = (-model._last_step(x, torch.ones(256, dtype=torch.int64), noise)).exp()
        assert p.sum().item() == pytest.approx(1, abs=1e-9)


def test_the_scale_of_points_counts_in_samples_and_bound():
    plain, scaled = exact(), Diffusion(ExactNoise(), (2,), scale=3.0).double()
    z = torch.randn(4, 2, generator=rng()).double()
    assert torch.allclose(scaled(z), 3 * plain(z))
    x = torch.randn(1, 2, generator=rng()).double()
    assert torch.allclose(scaled.elbo(3 * x, rng()), plain.elbo(x, rng()) - 2 * math.log(3))


def test_loss_shapes_and_gradients():
    torch.manual_seed(0)
    model = baselines.ImageDiffusion(width=16, sample_steps=3)
    images = torch.rand(4, 1, 28, 28, generator=rng()) * 2 - 1
    t = torch.tensor([1, 10, 500, 1000])
    straight = (1 - model.alpha_bar[t]).sqrt()[:, None, None, None] * images
    assert torch.equal(model.noise(images, t), straight), "as made, the network adds nothing to the straight line"
    drawn = model(torch.randn(2, 784, generator=rng()))
    assert drawn.shape == (2, 1, 28, 28) and drawn.abs().max() <= 1 and model.elbo(images, rng(), 2).shape == (4,)
    torch.nn.init.normal_(model.network.leave[-1].weight, std=0.1)  # as made, the last layer stops all gradients
    diffusion.noise_error(model, images, rng()).backward()
    for name, parameter in model.named_parameters():
        assert parameter.grad is not None and parameter.grad.abs().sum() > 0, name
    with pytest.raises(ValueError, match=r"z of shape \(N, 784\)"):
        model(torch.randn(2, 100))
    for shape in ((1, 30, 28), (1, 28, 30)):
        with pytest.raises(ValueError, match=rf"sides must be divisible by 4, .* shape \(1, {shape[1]}, {shape[2]}\)"):
            baselines.ImageDiffusion(shape)


def test_the_target_is_the_noise():
    """A network that returns the noise exactly has no loss; one that returns the image has."""
    images = torch.rand(64, 2, generator=rng()).double()
    seen = []

    class Cheat(torch.nn.Module):
        def forward(self, x_t, t):
            kept = model.alpha_bar[t][:, None]
            seen.append(t)
            return (x_t - kept.sqrt() * images) / (1 - kept).sqrt()

    model = Diffusion(Cheat(), (2,)).double()
    assert diffusion.noise_error(model, images, rng()).item() < 1e-12
    for seed in range(20):
        diffusion.noise_error(model, images, rng(seed))
    times = torch.cat(seen)
    assert times.min() >= 1 and times.max() <= T and times.double().mean().item() == pytest.approx(500, rel=0.06)
