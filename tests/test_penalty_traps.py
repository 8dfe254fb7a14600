"""The mistakes of well-known code that concern penalties and norms. The course's own passes; each mistake is caught.

A check here is a function that takes a penalty and asserts one property. The course's own must pass all of them, and
each mistake must fail the check named beside it.
"""

import pytest
import torch
from torch.nn import functional as F

from gan_course import methods, networks, penalties

# ----------------------------------------------------------------------------------------------- the gradient penalty


def closed_form(penalty):
    """A linear critic w x has the gradient w everywhere: (|w| - 1)^2 for a batch of any size, images or rows."""
    for shape in ((3, 4, 4), (6,)):
        weight = torch.randn(shape, dtype=torch.float64)
        weight *= 5 / weight.norm()
        real, fake = torch.randn(2, 7, *shape, dtype=torch.float64)
        value = penalty(lambda x, w=weight: (x * w).flatten(1).sum(1), real, fake)
        assert value.item() == pytest.approx(16.0)


def unequal_slopes(penalty):
    """A critic a |x|^2 / 2 has the gradient a x, of another length at each sample; real = fake fixes the points.

    The penalty is mean (a |x_i| - 1)^2, and its derivative by a is mean 2 (a |x_i| - 1) |x_i|.
    """
    a = torch.tensor(0.7, dtype=torch.float64, requires_grad=True)
    directions = F.normalize(torch.randn(5, 3, 2, 2, dtype=torch.float64).flatten(1)).view(5, 3, 2, 2)
    lengths = torch.tensor([0.1, 0.5, 1.0, 3.0, 9.0], dtype=torch.float64)  # slopes a |x| below and above 1
    x = directions * lengths.view(5, 1, 1, 1)
    value = penalty(lambda x: a * x.flatten(1).square().sum(1) / 2, x, x.clone())
    assert value.item() == pytest.approx((0.7 * lengths - 1).square().mean().item())
    assert value.requires_grad, "the penalty's gradient must reach the critic"
    (slope,) = torch.autograd.grad(value, a)
    assert slope.item() == pytest.approx((2 * (0.7 * lengths - 1) * lengths).mean().item())


def one_uniform_number(penalty):
    """Between real (1) and fake (0) a point shows its interpolation number in every pixel."""
    seen = []

    def critic(x):
        seen.append(x.detach().flatten(1))
        return x.flatten(1).sum(1)

    penalty(critic, torch.ones(2000, 1, 2, 2), torch.zeros(2000, 1, 2, 2))
    u = seen[0]
    assert (u == u[:, :1]).all(), "one number for all pixels of a sample"
    assert u[:, 0].unique().numel() > 1900, "each sample has its own"
    assert u.min() >= 0 and u.max() <= 1, "between the two"
    for quantile in (0.1, 0.5, 0.9):
        assert u[:, 0].quantile(quantile).item() == pytest.approx(quantile, abs=0.04), "uniform"


def interpolated(number):
    """A gradient penalty whose points are drawn with `number(real)`."""

    def penalty(critic, real, fake):
        u = number(real)
        return penalty_at(critic, u * real + (1 - u) * fake)

    return penalty


def penalty_at(critic, x, norm=lambda g: g.flatten(1).norm(dim=1), create_graph=True, reduce=torch.sum):
    x = x.detach().requires_grad_(True)
    (gradient,) = torch.autograd.grad(reduce(critic(x)), x, create_graph=create_graph)
    return (norm(gradient) - 1).square().mean()


def uniform(real):
    return torch.rand(len(real), *(1,) * (real.ndim - 1), dtype=real.dtype)


def with_norm(norm):
    return lambda critic, real, fake: penalty_at(critic, uniform(real) * (real - fake) + fake, norm)


PENALTY_CHECKS = (closed_form, unequal_slopes, one_uniform_number)
PENALTY_MISTAKES = {
    "norm over the whole batch": (with_norm(lambda g: g.norm()), closed_form),
    "norm over the whole batch, unequal": (with_norm(lambda g: g.norm()), unequal_slopes),
    "norm(2, dim=1) on 4-D gradients": (with_norm(lambda g: g.norm(2, dim=1)), closed_form),
    "the batch's mean gradient": (with_norm(lambda g: g.mean(0).norm()), unequal_slopes),
    "squared norm": (with_norm(lambda g: g.flatten(1).square().sum(1)), closed_form),
    "one-sided": (with_norm(lambda g: g.flatten(1).norm(dim=1).clamp_min(1)), unequal_slopes),
    "mean of the logits": (
        lambda critic, real, fake: penalty_at(critic, uniform(real) * (real - fake) + fake, reduce=torch.mean),
        closed_form,
    ),
    "no graph of the gradient": (
        lambda critic, real, fake: penalty_at(critic, uniform(real) * (real - fake) + fake, create_graph=False),
        unequal_slopes,
    ),
    "wrapped in a new tensor": (
        lambda critic, real, fake: torch.tensor(penalties.gradient_penalty(critic, real, fake).item()),
        unequal_slopes,
    ),
    "real points only": (lambda critic, real, fake: penalty_at(critic, real), one_uniform_number),
    "from a normal": (interpolated(lambda real: torch.randn_like(uniform(real))), one_uniform_number),
    "per pixel": (interpolated(torch.rand_like), one_uniform_number),
    "one for the batch": (interpolated(lambda real: torch.rand((), dtype=real.dtype)), one_uniform_number),
}


@pytest.mark.parametrize("check", PENALTY_CHECKS)
@pytest.mark.parametrize(
    "penalty", [penalties.gradient_penalty, lambda d, r, f: methods.gradient_penalty(d, r, f, None)]
)
def test_the_gradient_penalty_is_right(penalty, check):
    check(penalty)


@pytest.mark.parametrize("name", PENALTY_MISTAKES)
def test_a_mistaken_gradient_penalty_is_caught(name):
    penalty, check = PENALTY_MISTAKES[name]
    with pytest.raises(AssertionError):
        check(penalty)


# ---------------------------------------------------------------------------------------------------------- R1 and R2


def zero_centred(penalty):
    """Of a critic a |x|^2 / 2: a^2 mean |x_i|^2, with the derivative 2 a mean |x_i|^2 by a."""
    a = torch.tensor(1.7, dtype=torch.float64, requires_grad=True)
    x = torch.randn(9, 3, 2, 2, dtype=torch.float64) * torch.arange(1, 10).view(9, 1, 1, 1)
    value = penalty(lambda x: a * x.flatten(1).square().sum(1) / 2, x)
    mean_square = x.flatten(1).square().sum(1).mean().item()
    assert value.item() == pytest.approx(1.7**2 * mean_square)
    assert value.requires_grad
    assert torch.autograd.grad(value, a)[0].item() == pytest.approx(2 * 1.7 * mean_square)


def slopes_at(critic, x, create_graph=True):
    x = x.detach().requires_grad_(True)
    return torch.autograd.grad(critic(x).sum(), x, create_graph=create_graph)[0]


R1_MISTAKES = {
    "norm over the whole batch": lambda critic, x: slopes_at(critic, x).norm().square(),
    "mean over the pixels": lambda critic, x: slopes_at(critic, x).square().mean(),
    "not squared": lambda critic, x: slopes_at(critic, x).flatten(1).norm(dim=1).mean(),
    "norm(2, dim=1) on 4-D gradients": lambda critic, x: slopes_at(critic, x).norm(2, dim=1).square().mean(),
    "no graph of the gradient": lambda critic, x: slopes_at(critic, x, False).flatten(1).square().sum(1).mean(),
}


@pytest.mark.parametrize(
    "penalty",
    [lambda critic, x: methods.r1(critic, x, None, None), lambda critic, x: methods.r2(critic, None, x, None)],
    ids=["r1", "r2"],
)
def test_r1_and_r2_are_right(penalty):
    zero_centred(penalty)


@pytest.mark.parametrize("name", R1_MISTAKES)
def test_a_mistaken_r1_is_caught(name):
    with pytest.raises(AssertionError):
        zero_centred(R1_MISTAKES[name])


def test_r1_is_at_real_samples_r2_at_fakes_and_both_together_add():
    """Of a critic |x|^2 / 2 the penalty is the mean square of the points at which it was taken."""

    def critic(x):
        return x.flatten(1).square().sum(1) / 2

    real, fake = torch.full((4, 1, 2, 2), 1.0), torch.full((4, 1, 2, 2), 3.0)
    assert methods.r1(critic, real, fake, None).item() == pytest.approx(4 * 1)
    assert methods.r2(critic, real, fake, None).item() == pytest.approx(4 * 9)
    assert methods.r1_r2(critic, real, fake, None).item() == pytest.approx(4 * 10)
    assert not real.requires_grad and not fake.requires_grad, "what the penalty needs, it leaves behind on nobody"


# ------------------------------------------------------------------------------------ BatchNorm in a penalised critic


def judges_each_alone(discriminator):
    """The logit of a sample must not depend on the others, or "its gradient" is no gradient of one sample."""
    x = torch.randn(4, 1, 28, 28, requires_grad=True)
    logits = discriminator(x)
    (gradient,) = torch.autograd.grad(getattr(logits, "logits", logits)[0], x)
    assert gradient[0].abs().max() > 0 and gradient[1:].abs().max() == 0


# Those that are told a class are in test_conditional.py.
PENALISED = [name for name, recipe in methods.RECIPES.items() if recipe.penalty and recipe.condition is None]


def test_there_are_penalised_recipes():
    assert {"dcgan-fast", "wgan-gp", "r1", "relativistic-r1-r2"} <= set(PENALISED)


@pytest.mark.parametrize("name", PENALISED)
def test_a_penalised_critic_judges_each_sample_alone(name):
    judges_each_alone(methods.RECIPES[name].discriminator((1, 28, 28)))


def test_batch_norm_in_a_critic_is_caught():
    with pytest.raises(AssertionError):
        judges_each_alone(networks.DCGANDiscriminator(width=4, batch_norm=True))


# ------------------------------------------------------------------------------------------------------ spectral norm


def divided_by_its_singular_value(make):
    """The effective weight is the original over its largest singular value, of the matrix (out channels, the rest)."""
    torch.manual_seed(0)
    for layer, out_axis, x in (
        (torch.nn.Conv2d(3, 5, 4), 0, torch.randn(2, 3, 8, 8)),
        (torch.nn.ConvTranspose2d(3, 5, 4), 1, torch.randn(2, 3, 8, 8)),
        (torch.nn.Linear(6, 4), 0, torch.randn(2, 6)),
    ):
        original = layer.weight.detach().clone()
        network = make(torch.nn.Sequential(layer))
        for _ in range(100):
            network(x)
        largest = torch.linalg.svdvals(original.transpose(0, out_axis).flatten(1))[0]
        assert torch.allclose(network[0].weight, original / largest, rtol=1e-3, atol=1e-6)


def only_linear(network):
    for module in network:
        if isinstance(module, torch.nn.Linear):
            torch.nn.utils.parametrizations.spectral_norm(module)
    return network


def along_the_wrong_axis(network):
    for module in network:
        torch.nn.utils.parametrizations.spectral_norm(module, dim=0)
    return network


@torch.no_grad()
def by_frobenius(network):
    for module in network:
        module.weight /= module.weight.norm()
    return network


def test_spectral_norm_divides_by_the_singular_value():
    divided_by_its_singular_value(networks.spectral_norm)


@pytest.mark.parametrize("mistake", [lambda network: network, only_linear, along_the_wrong_axis, by_frobenius])
def test_a_mistaken_spectral_norm_is_caught(mistake):
    with pytest.raises(AssertionError):
        divided_by_its_singular_value(mistake)


def test_sngan_normalises_every_layer_and_has_no_batch_norm():
    discriminator = methods.RECIPES["sngan"].discriminator((1, 28, 28))
    layers = [m for m in discriminator.modules() if isinstance(m, torch.nn.Conv2d | torch.nn.Linear)]
    assert len(layers) == 4 and all(torch.nn.utils.parametrize.is_parametrized(layer, "weight") for layer in layers)
    judges_each_alone(discriminator)
    with pytest.raises(ValueError, match="has a spectral norm already"):
        networks.spectral_norm(discriminator)
    with pytest.raises(ValueError, match="no convolution and no linear layer"):
        networks.spectral_norm(torch.nn.ReLU())
