"""From an image back to a code, and images filled in: what is known stays, what is found fits."""

import pytest
import torch

from gan_course import baselines, networks
from gan_course.baselines.diffusion import Diffusion
from gan_course.baselines.rbm import all_states


def rng(seed=0):
    return torch.Generator().manual_seed(seed)


def linear_model():
    """Two numbers to four pixels, by a matrix whose rows are known."""
    torch.manual_seed(0)
    model = networks.PointGenerator(2, 4, ()).eval()
    model.image_shape = (4,)
    return model


def test_a_code_is_found_again():
    model = linear_model()
    z = torch.randn(5, 2, generator=rng())
    found = baselines.find_codes(model, model(z).detach(), steps=300, starts=2, pull=0.0)
    assert torch.allclose(found, z, atol=0.02)
    assert all(parameter.grad is None for parameter in model.parameters()), "the model is left alone"


def test_what_is_not_known_is_not_looked_at():
    model = linear_model()
    z = torch.randn(3, 2, generator=rng())
    images, known = model(z).detach(), torch.tensor([True, True, True, False])
    spoiled = images.clone()
    spoiled[:, 3] = float("nan")
    found = baselines.find_codes(model, spoiled, known, steps=300, starts=1, pull=0.0)
    assert torch.allclose(model(found), images, atol=0.02), "three pixels say all that two numbers are"


def test_the_best_of_several_starts_is_kept():
    """x = z^3 - 3 z has two valleys for x = 3: a start on the wrong side gets stuck at z = -1."""

    class Cubic(torch.nn.Module):
        latent_dim = 1

        def __init__(self):
            super().__init__()
            self.unused = torch.nn.Parameter(torch.zeros(1))

        def forward(self, z):
            return z**3 - 3 * z

    target = torch.full((1, 1), 3.0)
    ends = [baselines.find_codes(Cubic(), target, steps=150, starts=1, pull=0.0, seed=s).item() for s in range(8)]
    assert min(ends) < 0 < max(ends)
    assert baselines.find_codes(Cubic(), target, steps=150, starts=8, pull=0.0).item() == pytest.approx(
        2.1038, abs=0.02
    )


def test_a_model_without_a_gradient_is_a_plain_error():
    model = baselines.RBM((1, 2, 2), 3, chain=2).train()
    with pytest.raises(ValueError, match="RBM passes no gradient"):
        baselines.find_codes(model, torch.zeros(1, 1, 2, 2))
    assert model.training, "it is left as it was"


def test_an_image_of_which_nothing_is_known_is_a_plain_error():
    model, known = linear_model(), torch.tensor([[True, False, False, False], [False] * 4])
    with pytest.raises(ValueError, match="nothing is known"):
        baselines.find_codes(model, torch.zeros(2, 4), known)


def test_the_pull_is_that_of_ridge_regression():
    model = linear_model()
    (weight, bias), images = model.parameters(), torch.randn(3, 4, generator=rng())
    found = baselines.find_codes(model, images, steps=400, starts=1, pull=0.5)
    ridge = weight.T @ weight / 4 + 0.5 / 2 * torch.eye(2)  # of a mean over 4 pixels, and one over 2 numbers
    expected = torch.linalg.solve(ridge, weight.T @ (images - bias).T / 4).T
    assert torch.allclose(found, expected, atol=2e-3)
    assert (expected.norm(dim=1) < 0.9 * torch.linalg.lstsq(weight, (images - bias).T)[0].norm(dim=0)).all()


def test_the_rbm_fills_in_with_the_conditional_distribution():
    torch.manual_seed(0)
    model, source = baselines.RBM((1, 2, 2), 3).double(), rng(7)
    with torch.no_grad():
        for parameter in model.parameters():  # large: then the mean of P(v | h) is far from P(v | mean of h)
            parameter.copy_(4 * torch.randn(parameter.shape, generator=source))
    images = torch.tensor([1.0, -1.0, 0.0, 0.0]).double().view(1, 1, 2, 2).repeat(20_000, 1, 1, 1)
    known = torch.tensor([[True, True], [False, False]])
    filled = model.fill(images, known, 30, rng())
    assert torch.equal(filled[:, 0, 0], images[:, 0, 0]), "the known row is as it was"
    states = all_states(4, model.weight)
    p = model.log_likelihood(states).exp() * (states[:, 0] == 1) * (states[:, 1] == 0)
    expected = p @ states / p.sum()
    assert torch.allclose((filled.flatten(1).mean(0) + 1) / 2, expected, atol=0.02)


def test_diffusion_fills_in_with_the_conditional_distribution():
    """Of two correlated normal numbers one is given: the other follows it as far as the correlation says."""
    covariance = torch.tensor([[1.0, 0.8], [0.8, 1.0]]).double()

    class ExactNoise(torch.nn.Module):
        def forward(self, x, t):
            kept = model.alpha_bar[t[0]]
            spread = kept * covariance + (1 - kept) * torch.eye(2).double()
            return (1 - kept).sqrt() * x @ spread.inverse()

    model = Diffusion(ExactNoise(), (2,)).double()
    given = torch.tensor([[1.5, float("nan")]]).double().repeat(2_000, 1)
    z = torch.randn(2_000, 2, generator=rng()).double()

    def mean(repeats):
        filled = model.fill(given, torch.tensor([True, False]), z, 50, repeats, rng(1))
        assert torch.equal(filled[:, 0], given[:, 0]) and filled.isfinite().all()
        return filled[:, 1].mean().item()

    assert mean(1) < 1.0, "it has not followed"
    assert mean(10) == pytest.approx(1.2, abs=0.1)


@pytest.mark.parametrize("model", [baselines.ImageVAE(4, 28, 1, 4, 8), baselines.Flow((1, 28, 28), (4, 4), (1, 1))])
def test_images_have_codes(model):
    images = torch.rand(2, 1, 28, 28, generator=rng()) * 2 - 1
    known = torch.zeros(28, 28, dtype=torch.bool)
    known[:14] = True
    assert baselines.find_codes(model, images, known, steps=2, starts=2).shape == (2, model.latent_dim)


def test_the_latent_explorer_takes_every_model_that_draws_in_one_go():
    from gan_course.widgets import LatentExplorer

    models = [
        baselines.ImageVAE(4, 28, 1, 4, 8),
        baselines.Flow((1, 28, 28), (4, 4), (1, 1)),
        baselines.ImageDiffusion(width=16, sample_steps=2),
    ]
    for model in models:
        explorer = LatentExplorer(model, model.latent_dim, images=1)
        explorer.sliders[0].value = 2.0
        assert explorer.error_line.error is None, type(model)
