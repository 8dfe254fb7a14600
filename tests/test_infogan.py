"""InfoGAN: its networks, the bound in closed form, who is moved by which step, and the known mistakes."""

import dataclasses
import json
import math
import operator

import numpy as np
import pytest
import torch

from gan_course import losses, methods, networks, training


def pair(size=28, channels=1, **arguments):
    """A small generator and discriminator with three categories and two continuous codes."""
    torch.manual_seed(0)
    generator = networks.InfoGANGenerator(5, 3, 2, size, channels, width=4, hidden=arguments.pop("first", 0))
    arguments = {"hidden": 16, "q_hidden": 8} | arguments
    return generator, networks.InfoGANDiscriminator(3, 2, size, channels, width=4, **arguments)


def gradients(network):
    """Of each parameter by its name: whether a gradient has reached it."""
    return {name: p.grad is not None and bool(p.grad.abs().sum() > 0) for name, p in network.named_parameters()}


# The networks.


@pytest.mark.parametrize("size", [28, 32, 64])
@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("arguments", [{}, {"first": 12, "learn_std": True, "batch_norm": False}])
def test_shapes_and_gradients(size, channels, arguments):
    generator, discriminator = pair(size, channels, **arguments)
    images = generator(torch.randn(6, 10))
    assert images.shape == (6, channels, size, size) and images.abs().max() <= 1
    judged = discriminator(images)
    assert [tuple(part.shape) for part in judged] == [(6,), (6, 3), (6, 2), (6, 2)]
    assert judged.log_std.any() == bool(arguments.get("learn_std"))
    sum(part.square().sum() for part in judged).backward()
    for network in (generator, discriminator):
        reached = gradients(network)
        assert all(reached.values()), reached


def test_the_sizes_of_the_paper():
    generator, discriminator = networks.InfoGANGenerator(hidden=1024), networks.InfoGANDiscriminator()
    assert generator.latent_dim == 74 and generator.parts == (62, 10, 2)
    rows = [m.out_features for m in discriminator.modules() if isinstance(m, torch.nn.Linear)]
    assert rows == [1024, 1, 128, 12]
    assert [m.out_channels for m in discriminator.modules() if isinstance(m, torch.nn.Conv2d)] == [64, 128]
    kinds = {type(module).__name__ for module in discriminator.modules()}
    assert not kinds & {"Softmax", "LogSoftmax", "Sigmoid"}, "logits only"


def test_a_normal_z_stands_for_codes_with_the_distributions_of_the_method():
    generator, _ = pair()
    codes = generator.codes(torch.randn(20_000, 10, generator=torch.Generator().manual_seed(1)))
    assert torch.bincount(codes.category, minlength=3).float() / 20_000 == pytest.approx([1 / 3] * 3, abs=0.015)
    assert codes.continuous.abs().max() < 1
    for column in codes.continuous.T:  # uniform: its quantiles lie on a line
        assert column.quantile(torch.tensor([0.1, 0.5, 0.9])) == pytest.approx([-0.8, 0, 0.8], abs=0.03)
    table = torch.stack([codes.noise[:, 0], codes.category.float(), *codes.continuous.T]).corrcoef()
    assert (table - torch.eye(4)).abs().max() < 0.03, "the codes know nothing of each other"


def test_codes_of_ones_own_draw_the_same_images():
    generator, _ = pair()
    z = torch.randn(4, 10)
    z[:, 5:8] = torch.tensor([[0.0, 2, 1], [3, 2, 1], [0, 1, 2], [-1, -3, -2]])
    z[:, 8] = torch.tensor([0.0, 1.0, -1.0, 9.0])
    codes = generator.codes(z)
    assert codes.category.tolist() == [1, 0, 2, 0]
    assert codes.continuous[:, 0].tolist() == pytest.approx([0, 0.6827, -0.6827, 1], abs=1e-4)
    generator.eval()
    assert torch.equal(generator.draw(*codes), generator(z))
    other = codes._replace(category=(codes.category + 1) % 3)
    assert not torch.equal(generator.draw(*other), generator(z))
    with pytest.raises(ValueError, match=r"z of shape \(N, 10\), but got \(4, 5\)"):
        generator(z[:, :5])


def test_a_checkpoint_and_the_sampler_need_no_special_case(tmp_path):
    generator, discriminator = pair()
    images = training.sample(generator, 5, seed=3)
    for network in (generator, discriminator):
        training.save_network(network, tmp_path / "generator.safetensors", {})
        again, _ = training.load_network(tmp_path, "cpu")
        assert type(again) is type(network)
        assert all(torch.equal(a, b) for a, b in zip(again.parameters(), network.parameters(), strict=True))
        if network is generator:
            assert torch.equal(training.sample(again, 5, seed=3), images)


def test_the_scale_of_the_category_is_that_of_its_one():
    torch.manual_seed(0)
    generator = networks.InfoGANGenerator(5, 3, 2, width=4, category_scale=8.0)
    seen = []
    generator.layers.register_forward_pre_hook(lambda module, inputs: seen.append(inputs[0]))
    codes = generator.codes(torch.randn(4, 10))
    generator.draw(*codes)
    assert torch.equal(seen[0][:, 5:8], 8 * torch.eye(3)[codes.category])
    assert torch.equal(seen[0][:, :5], codes.noise) and torch.equal(seen[0][:, 8:], codes.continuous)
    again = networks.build({"class": "InfoGANGenerator", "arguments": generator.config})
    assert again.category_scale == 8.0


@pytest.mark.parametrize("reads_only", [False, True])
def test_q_can_be_kept_from_shaping_the_trunk(reads_only):
    _, discriminator = pair(q_reads_only=reads_only)
    discriminator(torch.randn(6, 1, 28, 28)).category_logits.square().sum().backward()
    reached = gradients(discriminator)
    assert all(reached[name] for name in reached if name.startswith("q_head"))
    assert any(reached[name] for name in reached if name.startswith("trunk")) is not reads_only


# The bound, in closed form.

ERROR_RATE = 0.2


def channel(n=3, seed=0):
    """Categories (30000,) of n kinds, what a noisy channel makes of them, and the exact information in nats.

    With probability ERROR_RATE a category arrives as one of the others. The information is log n less the entropy of
    that noise.
    """
    rng = torch.Generator().manual_seed(seed)
    sent = torch.randint(n, (30_000,), generator=rng)
    wrong = torch.rand(30_000, generator=rng) < ERROR_RATE
    received = torch.where(wrong, (sent + torch.randint(1, n, (30_000,), generator=rng)) % n, sent)
    entropy = -(1 - ERROR_RATE) * math.log(1 - ERROR_RATE) - ERROR_RATE * math.log(ERROR_RATE / (n - 1))
    return sent, received, math.log(n) - entropy


def posterior(received, n=3, error_rate=ERROR_RATE):
    """Logits (N, n) of the category given what was received, for a channel with this rate of errors."""
    share = torch.full((n, n), error_rate / (n - 1)).fill_diagonal_(1 - error_rate)
    return share.log()[received]


def test_the_categorical_bound_is_the_information_for_the_true_posterior_and_less_for_any_other():
    sent, received, information = channel()
    assert losses.categorical_information(posterior(received), sent).item() == pytest.approx(information, abs=0.01)
    for other in (posterior(received, error_rate=0.02), posterior(received, error_rate=0.6), torch.zeros(30_000, 3)):
        assert losses.categorical_information(other, sent).item() < information - 0.05


@pytest.mark.parametrize("classes", [3, 10])
def test_the_categorical_bound_and_its_gradient(classes):
    logits = torch.randn(5, classes, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    category, logits = torch.arange(5) % classes, logits.requires_grad_(True)
    value = losses.categorical_information(logits, category)
    weights = logits.exp() / logits.exp().sum(1, keepdim=True)
    wanted = math.log(classes) + weights[torch.arange(5), category].log().mean()
    assert value.item() == pytest.approx(wanted.item())
    (slope,) = torch.autograd.grad(value, logits)
    one_hot = torch.eye(classes, dtype=torch.float64)[category]
    assert torch.allclose(slope, (one_hot - weights.detach()) / 5)


def test_the_categorical_bound_ranges_from_nothing_to_log_k():
    category = torch.arange(10)
    guessing, knowing, wrong = torch.zeros(10, 10), 200 * torch.eye(10), 200 * torch.eye(10).roll(1, 0)
    assert losses.categorical_information(guessing, category).item() == pytest.approx(0, abs=1e-6)
    assert losses.categorical_information(knowing, category).item() == pytest.approx(math.log(10), abs=1e-6)
    assert losses.categorical_information(wrong, category).item() == pytest.approx(math.log(10) - 200, rel=1e-6)


def test_the_gaussian_bound_and_its_gradient():
    rng = torch.Generator().manual_seed(0)
    mean, log_std, code = torch.randn(3, 4, 2, generator=rng, dtype=torch.float64)
    mean.requires_grad_(True), log_std.requires_grad_(True)
    value = losses.gaussian_information(mean, log_std, code)
    likelihood = torch.distributions.Normal(mean, log_std.exp()).log_prob(code)  # (4, 2)
    assert value.item() == pytest.approx((likelihood.sum() / 4 + 2 * math.log(2)).item())
    by_mean, by_log_std = torch.autograd.grad(value, (mean, log_std))
    error = ((code - mean) / log_std.exp()).detach()
    assert torch.allclose(by_mean, error / log_std.detach().exp() / 4)
    assert torch.allclose(by_log_std, (error.square() - 1) / 4)


def test_the_gaussian_bound_stays_below_the_information_of_a_noisy_code():
    """x = c + noise of std s: I(c; x) = h(x) - h(x | c), found by integrating; Q is the best normal one."""
    s, rng = 0.3, torch.Generator().manual_seed(0)
    c = 2 * torch.rand(200_000, 1, generator=rng) - 1
    x = c + s * torch.randn(c.shape, generator=rng)
    slope = (1 / 3) / (1 / 3 + s**2)  # the best linear guess of c, and what is left of it
    left = math.sqrt((1 - slope) / 3)
    value = losses.gaussian_information(slope * x, torch.full_like(x, math.log(left)), c).item()
    line = torch.linspace(-3, 3, 20_001, dtype=torch.float64)
    normal = torch.distributions.Normal(0.0, s)
    density = (normal.cdf(line + 1) - normal.cdf(line - 1)) / 2
    h_x = -torch.trapezoid(torch.xlogy(density, density), line)
    information = (h_x - 0.5 * math.log(2 * math.pi * math.e * s**2)).item()
    assert value < information < value + 0.2 and value > 0.5
    sure = losses.gaussian_information(slope * x, torch.zeros_like(x), c).item()
    assert sure < value and sure < math.log(2) - math.log(2 * math.pi) / 2, "with std 1 the bound stays below -0.23"


# The mistakes of well-known code: a check that the right one passes and the mistaken ones do not.


def reaches_log_k(bound):
    """A Q that knows the category must be able to say so."""
    assert bound(200 * torch.eye(10), torch.arange(10)).item() == pytest.approx(math.log(10), abs=1e-3)


def has_a_gradient(bound):
    logits = torch.zeros(10, 10, requires_grad=True)
    value = bound(logits, torch.arange(10))
    assert value.requires_grad
    (slope,) = torch.autograd.grad(value, logits)
    assert slope.diagonal().min() > 0 and slope.sum(1).abs().max() < 1e-6, "up at the true category, down elsewhere"


CATEGORICAL_MISTAKES = {
    "softmax before the cross-entropy": (
        lambda q, c: losses.categorical_information(q.softmax(1), c),
        reaches_log_k,
    ),
    "wrapped in a new tensor": (
        lambda q, c: torch.tensor([losses.categorical_information(q, c).item()]),
        has_a_gradient,
    ),
    "of the wrong sign": (lambda q, c: -losses.categorical_information(q, c), has_a_gradient),
    "accuracy in place of a likelihood": (
        lambda q, c: (q.argmax(1) == c).float().mean() + 0 * q.sum(),
        has_a_gradient,
    ),
}


def test_the_bound_is_right():
    reaches_log_k(losses.categorical_information)
    has_a_gradient(losses.categorical_information)


@pytest.mark.parametrize("name", CATEGORICAL_MISTAKES)
def test_a_mistaken_bound_is_caught(name):
    bound, check = CATEGORICAL_MISTAKES[name]
    with pytest.raises(AssertionError):
        check(bound)


def test_the_floor_of_two_softmaxes_is_a_loss_of_1_461():
    twice = CATEGORICAL_MISTAKES["softmax before the cross-entropy"][0](200 * torch.eye(10), torch.arange(10)).item()
    assert math.log(10) - twice == pytest.approx(1.461, abs=1e-3)


# The steps.


@pytest.fixture
def small_recipe():
    """InfoGAN so small that a step takes milliseconds."""
    return dataclasses.replace(
        methods.RECIPES["infogan-fast"],
        name="small",
        generator=lambda shape: networks.InfoGANGenerator(5, 3, 2, shape[1], shape[0], width=4),
        discriminator=lambda shape: networks.InfoGANDiscriminator(3, 2, shape[1], shape[0], 4, False, 16, 8),
        batch_size=16,
        g_learning_rate=4e-3,
        d_learning_rate=4e-3,
        betas=(0.0, 0.99),
        step=training.infogan_step(),
    )


def after(recipe, images, steps=1, seed=0):
    """A run after so many steps."""
    return training.train(training.Run(recipe, images, seed=seed, device="cpu"), steps=steps, log_every=1)


def flat(network):
    return torch.cat([parameter.detach().flatten() for parameter in network.parameters()])


def bound_moves_g_and_q(recipe, images):
    """One step with the bound and one without differ in G, in D's trunk and in Q; either part of it does."""
    for part in ({"continuous_weight": 0.0}, {"category_weight": 0.0}):
        nothing = training.infogan_step(0.0, 0.0)
        runs = [after(dataclasses.replace(recipe, step=s), images) for s in (training.infogan_step(**part), nothing)]
        with_bound, without = runs
        for place in ("generator", "discriminator.trunk", "discriminator.q_head"):
            moved = [flat(operator.attrgetter(place)(run)) for run in runs]
            assert not torch.equal(*moved), f"{part}: the bound does not reach {place}"
        assert with_bound.history[0]["d_loss"] == without.history[0]["d_loss"], "the same start"


def test_the_bound_reaches_g_and_q(small_recipe, squares):
    bound_moves_g_and_q(small_recipe, squares)


@pytest.mark.parametrize("name", ["categorical_information", "gaussian_information"])
def test_a_bound_without_gradient_would_be_noticed(name, small_recipe, squares, monkeypatch):
    right = getattr(losses, name)
    monkeypatch.setattr(losses, name, lambda *arguments: torch.tensor(right(*arguments).item()))
    with pytest.raises(AssertionError, match="does not reach generator"):
        bound_moves_g_and_q(small_recipe, squares)


def test_one_step_equals_the_textbook(small_recipe, squares):
    """Written out by hand with torch's own losses, from the same start; no penalty, a constant rate."""
    recipe = dataclasses.replace(small_recipe, penalty=None, learning_rate_decay=False, ema_decay=None)
    run = after(recipe, squares, seed=3)
    other = training.Run(recipe, squares, seed=3, device="cpu")
    g, d = other.generator, other.discriminator
    g_adam, d_adam = (torch.optim.Adam(network.parameters(), 4e-3, (0.0, 0.99)) for network in (g, d))
    real, _ = squares.batch(16, other.rng)
    z = torch.randn(16, 10, generator=other.rng)
    category, continuous = z[:, 5:8].argmax(1), torch.erf(z[:, 8:] / math.sqrt(2))
    bce, ce = torch.nn.functional.binary_cross_entropy_with_logits, torch.nn.functional.cross_entropy

    def q_loss(judged):
        squared = (judged.mean - continuous).square().sum(1).mean()
        return ce(judged.category_logits, category) + squared / 2

    fake = g(z)
    judged = d(fake.detach())
    (bce(d(real).logits, torch.ones(16)) + bce(judged.logits, torch.zeros(16)) + q_loss(judged)).backward()
    d_adam.step()
    g_adam.zero_grad()
    judged = d(fake)
    (bce(judged.logits, torch.ones(16)) + q_loss(judged)).backward()
    g_adam.step()
    assert torch.allclose(flat(run.generator), flat(g), atol=1e-5)
    assert torch.allclose(flat(run.discriminator), flat(d), atol=1e-5)


def test_without_the_bound_q_watches_and_changes_nothing(small_recipe, squares):
    """G and D's trunk are those of a GAN whose Q never learned; Q itself has moved."""
    watching = dataclasses.replace(
        small_recipe,
        discriminator=lambda shape: networks.InfoGANDiscriminator(
            3, 2, shape[1], shape[0], 4, False, 16, 8, q_reads_only=True
        ),
        step=training.infogan_step(bound_in_g=False),
    )
    run = after(watching, squares, steps=3)
    blind = after(dataclasses.replace(watching, step=training.infogan_step(0.0, 0.0)), squares, steps=3)
    for place in ("generator", "discriminator.trunk", "discriminator.d_head"):
        assert torch.equal(*[flat(operator.attrgetter(place)(r)) for r in (run, blind)]), place
    assert not torch.equal(flat(run.discriminator.q_head), flat(blind.discriminator.q_head))


def test_the_history_tells_the_nats(small_recipe, squares):
    run = after(small_recipe, squares, steps=40)
    first, last = run.history[0], run.history[-1]
    assert set(first) >= {"d_loss", "g_loss", "d_real", "d_fake", "category_information", "continuous_information"}
    assert abs(first["category_information"]) < 0.1 and last["category_information"] > first["category_information"]


def test_the_command_line_trains_and_samples_it(tmp_path, capsys):
    """Colour and 32 pixels, no special case on the way."""
    from gan_course.__main__ import main

    out = tmp_path / "run"
    assert main(["train", "infogan-fast", "--data", "emoji-noto", "--steps", "2", "--out", str(out)]) == 0
    assert main(["sample", str(out), "-n", "5", "--out", str(tmp_path / "x.npy")]) == 0
    assert np.load(tmp_path / "x.npy").shape == (5, 3, 32, 32)
    assert json.loads((out / "card.json").read_text())["network"]["class"] == "InfoGANGenerator"
    assert main(["sample", str(out), "--label", "3", "--out", str(tmp_path / "y.npy")]) == 1
    assert "knows no classes" in capsys.readouterr().err


@pytest.mark.parametrize("loud", [True, False])
@pytest.mark.parametrize("bound", [True, False])
def test_the_four_recipes_differ_in_loudness_and_bound_alone(loud, bound):
    name = "infogan-fast" + "-quiet" * (not loud) + "-no-bound" * (not bound)
    recipe, first = methods.RECIPES[name], methods.RECIPES["infogan-fast"]
    generator, discriminator = recipe.generator((1, 28, 28)), recipe.discriminator((1, 28, 28))
    assert generator.category_scale == (8.0 if loud else 1.0) and discriminator.q_reads_only is not bound
    same = ("loss", "batch_size", "g_learning_rate", "d_learning_rate", "betas", "ema_decay", "steps", "penalty")
    assert [getattr(recipe, key) for key in same] == [getattr(first, key) for key in same]
