"""Generators and discriminators that are told a class: shapes, gradients, formulas, and how labels flow."""

from __future__ import annotations

import dataclasses

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from gan_course import data, losses, methods, metrics, networks, training
from gan_course.__main__ import main
from gan_course.networks import class_shares
from gan_course.training.checkpoint import card_of

DISCRIMINATORS = [
    networks.ConcatenationDiscriminator,
    networks.ProjectionDiscriminator,
    networks.AuxiliaryDiscriminator,
]
NAMES = ["cgan", "acgan", "projection", "projection-cbn"]


def small(name: str) -> methods.Recipe:
    """A conditional recipe whose step takes milliseconds."""
    kinds = dict(zip(NAMES, [*DISCRIMINATORS[:1], DISCRIMINATORS[2], *DISCRIMINATORS[1:2] * 2], strict=True))
    return dataclasses.replace(
        methods.RECIPES[name],
        generator=methods.conditional_generator(4, name == "projection-cbn", latent_dim=8),
        discriminator=methods.conditional_discriminator(kinds[name], 4, 8),
        batch_size=8,
        ema_decay=0.9,
    )


def answers(discriminator: nn.Module, images: torch.Tensor, labels: torch.Tensor) -> list[torch.Tensor]:
    """All that a discriminator says of images."""
    if hasattr(discriminator, "classes"):
        return [discriminator(images, labels)]
    return list(discriminator(images))


# Networks.


@pytest.mark.parametrize("size", [28, 32, 64])
@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("by_class", [False, True])
@pytest.mark.parametrize("kind", DISCRIMINATORS)
def test_shapes_and_gradients(size, channels, by_class, kind):
    torch.manual_seed(0)
    generator = networks.ConditionalGenerator(12, 5, size, channels, 8, by_class)
    discriminator = kind(5, size, channels, width=8, batch_norm=False, hidden=16)
    labels = torch.arange(10) % 5
    images = generator(torch.randn(10, 12), labels)
    assert images.shape == (10, channels, size, size) and images.abs().max() <= 1
    said = answers(discriminator, images, labels)
    assert [tuple(part.shape) for part in said] == [(10,), (10, 5)][: len(said)]
    sum(part.square().sum() for part in said).backward()
    for network in (generator, discriminator):
        for name, parameter in network.named_parameters():
            assert parameter.grad is not None and parameter.grad.abs().sum() > 0, name
            if parameter.shape[0] == 5 and parameter.ndim == 2:  # a table with a row a class
                assert (parameter.grad.abs().sum(1) > 0).all(), name


@pytest.mark.parametrize("by_class", [False, True])
def test_the_same_code_with_another_label_is_another_image(by_class):
    generator = networks.ConditionalGenerator(12, 5, width=8, batch_norm_by_class=by_class).eval()
    for parameter in generator.parameters():
        nn.init.normal_(parameter, std=0.3)
    z = torch.randn(1, 12).expand(5, -1)
    images = generator(z, torch.arange(5))
    for i in range(5):
        for j in range(i):
            assert (images[i] - images[j]).abs().max() > 1e-3
    again = generator(z, torch.full((5,), 3))
    torch.testing.assert_close(again[0], images[3])


@pytest.mark.parametrize("by_class", [False, True])
def test_shares_at_the_ends_are_classes_and_between_is_between(by_class):
    torch.manual_seed(0)
    generator = networks.ConditionalGenerator(12, 5, width=8, batch_norm_by_class=by_class).eval()
    z = torch.randn(1, 12).expand(3, -1)
    amount = torch.tensor([[0.0], [0.5], [1.0]])
    shares = (1 - amount) * class_shares(torch.tensor([1]), 5) + amount * class_shares(torch.tensor([4]), 5)
    start, middle, end = generator(z, shares)
    torch.testing.assert_close(torch.stack([start, end]), generator(z[:2], torch.tensor([1, 4])))
    assert (middle - start).norm() < (end - start).norm() and (middle - end).norm() < (end - start).norm()


def test_conditional_batch_norm_is_batch_norm_with_the_scale_and_shift_of_each_class():
    layer = networks.ConditionalBatchNorm2d(3, 4)
    nn.init.normal_(layer.shift)
    x, labels = torch.randn(6, 3, 5, 5), torch.tensor([0, 1, 2, 3, 3, 0])
    found = layer(x, class_shares(labels, 4))
    mean, var = x.mean((0, 2, 3)), x.var((0, 2, 3), unbiased=False)
    for i, label in enumerate(labels):
        for c in range(3):
            normal = (x[i, c] - mean[c]) / (var[c] + 1e-5).sqrt()
            torch.testing.assert_close(found[i, c], normal * layer.scale[label, c] + layer.shift[label, c])
    assert layer.scale.mean().item() == pytest.approx(1, abs=0.05), "N(1, 0.02), not N(0, 0.02)"
    one_class = nn.BatchNorm2d(3)
    one_class.weight.data, one_class.bias.data = layer.scale[2].detach(), layer.shift[2].detach()
    torch.testing.assert_close(layer(x, class_shares(torch.full((6,), 2), 4)), one_class(x))


def test_projection_is_its_formula():
    discriminator = networks.ProjectionDiscriminator(5, width=4, batch_norm=False, hidden=8)
    nn.init.normal_(discriminator.embedding)
    images, labels = torch.randn(6, 1, 28, 28), torch.tensor([4, 0, 1, 2, 3, 4])
    logits = discriminator(images, labels)
    for i, label in enumerate(labels):
        phi = discriminator.features(images[i : i + 1])[0]
        f = (discriminator.head.weight[0] * phi).sum() + discriminator.head.bias[0]
        torch.testing.assert_close(logits[i], f + torch.dot(discriminator.embedding[label], phi))
    (slope,) = torch.autograd.grad(logits[1], discriminator.embedding)
    torch.testing.assert_close(slope[0], discriminator.features(images[1:2])[0])
    assert slope[1:].abs().max() == 0, "a sample teaches the vector of its own class alone"


@pytest.mark.parametrize("kind", DISCRIMINATORS[:2])
def test_image_and_label_are_judged_together(kind):
    """f(x) + g(y) would rate each image alike under every label, up to a constant: it knows no pairs."""
    torch.manual_seed(0)
    discriminator = kind(3, width=8, batch_norm=False, hidden=16).double()
    for parameter in discriminator.parameters():
        nn.init.normal_(parameter, std=0.3)
    a, b = torch.randn(2, 1, 1, 28, 28, dtype=torch.float64)
    zero, one = torch.tensor([0]), torch.tensor([1])
    mixed = discriminator(a, zero) - discriminator(a, one) - discriminator(b, zero) + discriminator(b, one)
    assert mixed.abs().item() > 1e-3


@pytest.mark.parametrize("kind", DISCRIMINATORS)
def test_a_penalised_critic_judges_each_sample_alone(kind):
    discriminator = kind(4, width=4, batch_norm=False, hidden=8)
    x = torch.randn(4, 1, 28, 28, requires_grad=True)
    for part in answers(discriminator, x, torch.arange(4)):
        (gradient,) = torch.autograd.grad(part[0].sum(), x, retain_graph=True)
        assert gradient[0].abs().max() > 0 and gradient[1:].abs().max() == 0


@pytest.mark.parametrize(
    "labels",
    [
        torch.tensor([1.0, 2.0]),
        torch.tensor([[1], [2]]),
        torch.ones(2, 4),
        torch.tensor([1, 2], dtype=torch.int32),
    ],
)
def test_labels_of_another_kind_are_a_plain_error(labels):
    with pytest.raises(ValueError, match=r"int64 of shape \(N,\), or float shares of shape \(N, 5\)"):
        class_shares(labels, 5)


def test_a_label_out_of_range_is_no_class():
    for label in (-1, 5):
        with pytest.raises((RuntimeError, IndexError)):
            class_shares(torch.tensor([label]), 5)
    assert class_shares(torch.tensor([4, 0]), 5).tolist() == [[0, 0, 0, 0, 1], [1, 0, 0, 0, 0]]


@pytest.mark.parametrize(
    "network",
    [
        networks.ConditionalGenerator(10, 7, 32, 3, 4),
        networks.ConditionalGenerator(10, 7, 32, 3, 4, batch_norm_by_class=True),
        *(kind(7, 32, 3, width=4, batch_norm=False, hidden=8) for kind in DISCRIMINATORS),
    ],
)
def test_a_description_rebuilds_the_network(network):
    again = networks.build(networks.describe(network))
    shapes = {name: tensor.shape for name, tensor in network.state_dict().items()}
    assert {name: tensor.shape for name, tensor in again.state_dict().items()} == shapes


# ACGAN's terms.


def test_the_class_terms_are_cross_entropies_of_logits():
    real, fake = torch.tensor([[2.0, 0.0, 0.0]]), torch.tensor([[0.0, 1.0, 0.0]])
    labels = torch.tensor([0])
    e = torch.e
    wanted_real = -torch.log(torch.tensor(e**2 / (e**2 + 2)))
    wanted_fake = -torch.log(torch.tensor(1 / (e + 2)))
    torch.testing.assert_close(losses.auxiliary_discriminator(real, fake, labels), wanted_real + wanted_fake)
    torch.testing.assert_close(losses.auxiliary_generator(fake, labels), wanted_fake)


def test_a_sure_classifier_costs_nothing_and_learns_from_its_mistakes():
    """After a softmax of one's own, ten classes cost at least log(e + 9) - 1 = 1.461."""
    labels = torch.tensor([3])
    sure = torch.full((1, 10), -100.0)
    sure[0, 3] = 100.0
    assert losses.auxiliary_generator(sure, labels).item() < 1e-6
    assert F.cross_entropy(sure.softmax(1), labels).item() == pytest.approx(1.461, abs=1e-3), "the trap"
    wrong = (-sure).requires_grad_(True)
    (slope,) = torch.autograd.grad(losses.auxiliary_generator(wrong, labels), wrong)
    assert slope[0, 3].item() == pytest.approx(-1)
    (slope,) = torch.autograd.grad(losses.auxiliary_discriminator(sure, wrong, labels), wrong)
    assert slope[0, 3].item() == pytest.approx(-1), "D learns from the fakes as well"


def can_be_sure(discriminator: nn.Module):
    """Whatever the images, a head that is pushed far enough names class 3, and that costs nothing."""
    with torch.no_grad():
        discriminator.class_head.bias[3] = 100.0
    class_logits = discriminator(torch.randn(2, 1, 28, 28)).class_logits
    assert losses.auxiliary_generator(class_logits, torch.tensor([3, 3])) < 1e-3


def test_the_class_head_ends_in_logits():
    can_be_sure(networks.AuxiliaryDiscriminator(10, width=4, batch_norm=False, hidden=8))


def test_a_softmax_in_the_network_is_caught():
    class Softmaxed(networks.AuxiliaryDiscriminator):
        def forward(self, images):
            logits, class_logits = super().forward(images)
            return networks.AuxiliaryLogits(logits, class_logits.softmax(1))

    with pytest.raises(AssertionError):
        can_be_sure(Softmaxed(10, width=4, batch_norm=False, hidden=8))


# Labels in the one loop.


@pytest.mark.parametrize("name", NAMES)
def test_every_conditional_recipe_trains(name, squares):
    run = training.Run(small(name), squares, seed=1, device="cpu")
    before = [p.detach().clone() for p in (*run.generator.parameters(), *run.discriminator.parameters())]
    training.train(run, steps=3, log_every=1)
    after = [*run.generator.parameters(), *run.discriminator.parameters()]
    assert all(not torch.equal(a, b) for a, b in zip(before, after, strict=True))
    assert len(run.history) == 3 and {"d_loss", "g_loss"} <= set(run.history[0])
    assert ("d_class_loss" in run.history[0]) == (name == "acgan")


@pytest.mark.parametrize("name", NAMES[:3])
def test_fakes_are_drawn_and_judged_with_the_labels_of_the_real_batch(name, squares):
    run = training.Run(dataclasses.replace(small(name), penalty=None), squares, seed=1, device="cpu")
    seen = {"generator": [], "discriminator": []}
    for key in seen:
        getattr(run, key).register_forward_pre_hook(
            lambda _m, _args, kwargs, key=key: seen[key].append(kwargs.get("labels")), with_kwargs=True
        )
    run.recipe.step(run)
    assert len(seen["generator"]) == 1 and len(seen["discriminator"]) == 3
    assert torch.equal(seen["generator"][0], run.labels) and run.labels.unique().numel() > 1
    for labels in seen["discriminator"]:
        assert labels is None if name == "acgan" else torch.equal(labels, run.labels)


def test_the_labels_belong_to_the_real_images(squares):
    run = training.Run(small("cgan"), squares, seed=1, device="cpu")
    kept = {}
    run.recipe = dataclasses.replace(
        run.recipe, d_step=lambda run, real, fake: kept.update(real=real, labels=run.labels) or {}
    )
    run.recipe.step(run)
    known = squares.images.float() / 127.5 - 1
    for image, label in zip(kept["real"], kept["labels"], strict=True):
        rows = (known == image).flatten(1).all(1).nonzero().flatten()
        assert label in squares.labels[rows]


def test_penalties_and_relativistic_losses_are_told_the_labels_too(squares):
    recipe = dataclasses.replace(
        small("projection"), loss="relativistic", penalty=methods.r1_r2, penalty_every=1, n_critic=2
    )
    run = training.train(training.Run(recipe, squares, seed=1, device="cpu"), steps=2, log_every=1)
    assert run.history[-1]["d_loss"] > 0
    acgan = dataclasses.replace(small("acgan"), loss="wasserstein", penalty=methods.gradient_penalty, penalty_every=1)
    training.train(training.Run(acgan, squares, seed=1, device="cpu"), steps=2)


def test_the_class_term_teaches_g_its_label(squares):
    """G's class loss falls when nothing but it is trained, which needs its gradient to reach G through D."""
    recipe = dataclasses.replace(
        small("acgan"),
        d_step=lambda run, real, fake: {},
        g_learning_rate=2e-2,
        learning_rate_decay=False,
        batch_size=32,
    )
    run = training.Run(recipe, squares, seed=1, device="cpu")
    for parameter in run.discriminator.parameters():
        nn.init.normal_(parameter, std=0.3)
    training.train(run, steps=30, log_every=10)
    assert run.history[-1]["g_class_loss"] < 0.2 < 1.0 < run.history[0]["g_class_loss"]


def test_data_without_labels_are_a_plain_error(squares):
    without = dataclasses.replace(squares, labels=None)
    with pytest.raises(ValueError, match="'squares' has no labels"):
        training.Run(small("cgan"), without, device="cpu")


def test_an_unconditional_run_is_told_nothing(tiny_recipe, squares):
    run = training.Run(tiny_recipe, squares, device="cpu")
    assert run.generate is run.generator and run.judge is run.discriminator
    assert "condition" not in tiny_recipe.settings() and "class_weight" not in tiny_recipe.settings()
    assert "classes" not in card_of(run)


# Samples.


class Telltale(nn.Module):
    """A generator whose images say their label: every pixel is label / 10."""

    latent_dim, classes, image_shape = 3, 4, (1, 2, 2)

    def __init__(self):
        super().__init__()
        self.zero = nn.Parameter(torch.zeros(()))

    def forward(self, z, labels):
        return (self.zero + labels / 10).reshape(-1, 1, 1, 1).expand(-1, 1, 2, 2)


def drawn(*arguments, **more):
    return (training.sample(Telltale(), *arguments, **more)[:, 0, 0, 0] * 10).round().long().tolist()


def test_samples_are_of_the_labels_asked_for():
    assert drawn(3, labels=2) == [2, 2, 2]
    assert drawn(4, labels=torch.tensor([3, 0, 1, 1]), batch_size=3) == [3, 0, 1, 1]
    free = drawn(400)
    assert free == drawn(400) != drawn(400, seed=1)
    assert all(60 < free.count(label) < 140 for label in range(4))


def test_a_seed_gives_the_same_codes_with_any_label():
    generator = networks.ConditionalGenerator(6, 4, width=4)
    seen = []
    generator.register_forward_pre_hook(lambda _m, inputs: seen.append(inputs[0]))
    for labels in (None, 1, torch.tensor([3, 2])):
        training.sample(generator, 2, seed=5, labels=labels)
    assert torch.equal(seen[0], seen[1]) and torch.equal(seen[0], seen[2])


@pytest.mark.parametrize(
    ("labels", "message"),
    [
        (4, "no class 4: the generator knows 4, 0 to 3"),
        (-1, "no class -1"),
        (torch.tensor([1, 2]), "3 samples need 3 labels"),
        (torch.tensor([1.0, 2.0, 3.0]), "int64, but got torch.float32"),
    ],
)
def test_labels_that_are_no_classes_are_a_plain_error(labels, message):
    with pytest.raises(ValueError, match=message):
        training.sample(Telltale(), 3, labels=labels)


def test_a_generator_without_classes_cannot_be_told_one():
    with pytest.raises(ValueError, match="knows no classes"):
        training.sample(networks.DCGANGenerator(4, width=4), 2, labels=1)


# The command line.


def run(*arguments):
    return main([str(argument) for argument in arguments])


def test_train_and_sample_by_label(tmp_path, capsys):
    out = tmp_path / "run"
    assert run("train", "cgan", "--data", "mnist", "--out", out, "--steps", 2) == 0
    generator, card = training.load_network(out, "cpu")
    assert generator.classes == 10 and card["classes"] == list("0123456789")
    assert card["recipe"]["condition"] == "concatenation"
    assert run("sample", out, "-n", 3, "--label", 7, "--out", tmp_path / "seven.npy") == 0
    import numpy as np

    wanted = training.sample(generator, 3, labels=7)
    assert np.array_equal(np.load(tmp_path / "seven.npy"), wanted.numpy())
    assert run("sample", out, "-n", 3, "--out", tmp_path / "any.png") == 0
    capsys.readouterr()
    assert run("sample", out, "--label", 10, "--out", tmp_path / "ten.png") == 1
    error = capsys.readouterr().err
    assert error.startswith("error: --label is 10, but") and "knows 10 classes, 0 to 9: 0 0, 1 1" in error
    assert error.count("\n") == 1 and not (tmp_path / "ten.png").exists()


def test_evaluate_asks_for_classes_as_often_as_the_data_have_them(squares, tmp_path, monkeypatch, capsys):
    torch.manual_seed(0)
    training.save_network(networks.ConditionalGenerator(6, 4, width=4), tmp_path / "generator.safetensors", {})
    rare = dataclasses.replace(squares, labels=(torch.arange(64) == 0).long() * 3)
    asked = {}
    monkeypatch.setattr(data, "load", lambda *_, **__: rare)
    judge = metrics.judge

    def noted(*arguments, **keywords):
        asked["labels"] = arguments[5]
        return judge(*arguments, **keywords)

    monkeypatch.setattr(metrics, "judge", noted)
    assert run("evaluate", tmp_path, "--data", "squares", "-n", 200) == 0
    counts = asked["labels"].bincount(minlength=4).tolist()
    assert counts[0] + counts[3] == 200 and 0 < counts[3] < 12, counts


def test_a_folder_without_labels_is_a_plain_error(tmp_path, capsys):
    from PIL import Image

    for i in range(3):
        Image.new("RGB", (32, 32), (i, i, i)).save(tmp_path / f"{i}.png")
    assert run("train", "acgan", "--data", tmp_path, "--out", tmp_path / "out") == 1
    assert "has no labels: take a set with labels" in capsys.readouterr().err


# Metrics.


def two_classes(spread: float, n: int = 60):
    """Features of two classes, far apart, each a cloud of this spread; and their labels."""
    rng = torch.Generator().manual_seed(int(spread * 100))
    labels = torch.arange(n) % 2
    return spread * torch.randn(n, 3, generator=rng).double() + 50.0 * labels[:, None], labels


def test_variety_inside_the_classes_in_closed_form():
    real, labels = two_classes(1.0)
    same = metrics.intra_class(real, labels, real, labels)
    assert same.recall == 1 and same.distance == same.real_distance and same.classes == 2
    mean = sum(torch.cdist(part, part).sum() / (30 * 29) for part in (real[::2], real[1::2])) / 2
    assert same.distance == pytest.approx(mean.item(), rel=1e-5)
    tenth, its_labels = two_classes(0.1)
    narrow = metrics.intra_class(real, labels, tenth, its_labels)
    assert narrow.distance / narrow.real_distance == pytest.approx(0.1, rel=0.15) and narrow.recall < 0.1
    swapped = metrics.intra_class(real, labels, real, 1 - labels)
    assert swapped.recall == 0, "the right images under the wrong labels"
    assert metrics.prdc(real, real).recall == 1, "which recall over all classes does not see"


def test_small_classes_are_left_out_and_missing_ones_are_said():
    real, labels = two_classes(1.0)
    few = torch.cat([labels[:-3], torch.full((3,), 7)])
    assert metrics.intra_class(real, few, real, labels).classes == 2
    with pytest.raises(ValueError, match="Class 1 has 0 fakes"):
        metrics.intra_class(real, labels, real, torch.zeros_like(labels))
    with pytest.raises(ValueError, match="No class has more than 5"):
        metrics.intra_class(real[:8], torch.arange(8), real, labels)


def test_the_shipped_classifier_names_digits():
    test = data.load("mnist", "test").subset(slice(300))
    judge = metrics.extractor_for("mnist", test.image_shape, torch.device("cpu"))
    assert (judge.classify(test.images) == test.labels).float().mean() > 0.97
    strange = metrics.extractor_for("folder", (1, 28, 28), torch.device("cpu"))
    with pytest.raises(ValueError, match="random network knows no classes"):
        strange.classify(test.images)


def test_a_film_shows_what_was_asked_for(squares):
    from gan_course import plots

    asked = torch.tensor([2, 0, 3])
    run = training.Run(dataclasses.replace(small("projection"), ema_decay=None), squares, device="cpu")
    run.generator.layers[0].weight.data[:, 8:] *= 100  # so that a label changes what is seen
    snapshots = training.Snapshots(n=3, frames=2, labels=asked)
    training.train(run, steps=2, callbacks=[snapshots])
    last, other = (data.to_uint8(training.sample(run.sampler, 3, 0, labels=row)) for row in (asked, asked.flip(0)))
    assert torch.equal(snapshots.stack()[-1], last) and not torch.equal(last, other)
    figure = plots.film_strip(snapshots, rows=[f"asked: {label}" for label in asked.tolist()])
    assert [text.get_text() for text in figure.axes[0].texts] == ["asked: 2", "asked: 0", "asked: 3"]
