"""StarGAN: its networks, its step against one written out by hand, who is moved by which term, the known mistakes."""

import dataclasses
import json

import pytest
import torch
import torch.nn.functional as F

from gan_course import data, methods, networks, penalties, training
from gan_course.training import distributed

DOMAINS = 4  # as the fixture `squares` has classes


def pair(size=28, channels=1, **arguments):
    """A small generator and discriminator for four domains."""
    torch.manual_seed(0)
    generator = networks.StarGANGenerator(DOMAINS, size, channels, width=4, blocks=1, **arguments)
    return generator, networks.StarGANDiscriminator(DOMAINS, size, channels, width=4)


@pytest.fixture
def recipe() -> methods.Recipe:
    """`stargan-fast`, so small that a step takes milliseconds."""
    return dataclasses.replace(
        methods.RECIPES["stargan-fast"],
        generator=methods.stargan_generator(4, 1),
        discriminator=methods.stargan_discriminator(4),
        batch_size=8,
    )


@pytest.fixture
def plain(recipe) -> methods.Recipe:
    """The paper's step once for D, with its weight of 10, and no penalty, average or falling rates."""
    plain_settings = {"penalty": None, "ema_decay": None, "learning_rate_decay": False, "n_critic": 1}
    return dataclasses.replace(recipe, step=training.stargan_step(10.0), **plain_settings)


def after(recipe, images, steps=1, seed=3):
    return training.train(training.Run(recipe, images, seed, "cpu"), steps=steps, log_every=1)


def flat(network) -> torch.Tensor:
    return torch.cat([p.detach().flatten() for p in network.parameters()])


# The networks.


@pytest.mark.parametrize("size", [28, 32, 64])
@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("arguments", [{}, {"first_norm": True}, {"padding_mode": "reflect", "halvings": 1}])
def test_shapes_and_gradients(size, channels, arguments):
    generator, discriminator = pair(size, channels, **arguments)
    images, labels = torch.rand(3, channels, size, size) * 2 - 1, torch.tensor([0, 3, 1])
    images.requires_grad_(True)
    fake = generator(images, labels)
    assert fake.shape == images.shape and fake.abs().max() <= 1
    judged = discriminator(fake)
    side = {28: 3, 32: 2, 64: 2}[size]
    assert [tuple(part.shape) for part in judged] == [(3, 1, side, side), (3, DOMAINS)]
    sum(part.square().sum() for part in judged).backward()
    for network in (generator, discriminator):
        reached = {name: bool(p.grad is not None and p.grad.abs().sum() > 0) for name, p in network.named_parameters()}
        assert all(reached.values()), reached
    assert images.grad.abs().sum() > 0


def test_the_sizes_of_the_paper():
    generator, discriminator = networks.StarGANGenerator(image_size=128, channels=3), networks.StarGANDiscriminator()
    convolutions = [m for m in generator.modules() if isinstance(m, torch.nn.Conv2d | torch.nn.ConvTranspose2d)]
    assert [m.out_channels for m in convolutions] == [64, 128, *[256] * 13, 128, 64, 3]
    assert [m.kernel_size[0] for m in convolutions] == [7, 4, 4, *[3] * 12, 4, 4, 7]
    assert convolutions[0].in_channels == 3 + 5
    trunk = networks.StarGANDiscriminator(image_size=128, channels=3, width=64).trunk
    assert [m.out_channels for m in trunk if isinstance(m, torch.nn.Conv2d)] == [64, 128, 256, 512, 1024, 2048]
    assert trunk[:4](torch.zeros(1, 3, 128, 128)).shape == (1, 128, 32, 32)
    kinds = {type(module).__name__ for network in (generator, discriminator) for module in network.modules()}
    assert not kinds & {"Softmax", "LogSoftmax", "Sigmoid", "BatchNorm2d"}
    assert {type(m).__name__ for m in discriminator.modules()} & {"InstanceNorm2d"} == set(), "none in D"


def test_each_image_goes_to_its_own_domain():
    """Whatever else is in the batch, in training as in evaluation."""
    generator, _ = pair()
    images = torch.rand(4, 1, 28, 28) * 2 - 1
    together = generator(images, torch.tensor([0, 1, 2, 3]))
    for i in range(4):
        alone = generator.eval()(images[i : i + 1], torch.tensor([i]))
        assert torch.allclose(together[i : i + 1], alone, atol=1e-5)
    shares = torch.eye(DOMAINS)
    assert torch.equal(generator(images, shares), generator(images, torch.arange(4)))


def loudness(generator) -> float:
    """How much the output depends on the domain: the largest change of a pixel from one domain to another."""
    images = torch.rand(2, 1, 28, 28, generator=torch.Generator().manual_seed(1)) * 2 - 1
    with torch.no_grad():
        outputs = torch.stack([generator(images, torch.full((2,), k)) for k in range(DOMAINS)])
    return (outputs.amax(0) - outputs.amin(0)).max().item()


def test_reflection_and_a_first_norm_make_the_generator_deaf():
    """A plane of ones is a constant then, which the norm takes out; zeros beyond the edge let a little through."""
    assert loudness(pair(first_norm=True, padding_mode="reflect")[0]) < 1e-5
    for arguments in ({}, {"first_norm": True}, {"padding_mode": "reflect"}):
        assert loudness(pair(**arguments)[0]) > 1e-2, arguments


def for_digits(size=28, channels=1):
    torch.manual_seed(0)
    return networks.StarGANDigitGenerator(DOMAINS, size, channels, width=4, blocks=1)


@pytest.mark.parametrize(("size", "channels"), [(28, 1), (32, 3)])
def test_the_digit_generator_reaches_everything(size, channels):
    generator, images = for_digits(size, channels), torch.rand(3, channels, size, size) * 2 - 1
    fake = generator(images, torch.tensor([0, 3, 1]))
    assert fake.shape == images.shape and fake.abs().max() <= 1 and loudness(for_digits()) > 1e-2
    fake.square().sum().backward()
    assert all(p.grad is not None and p.grad.abs().sum() > 0 for p in generator.parameters())
    assert "place" not in generator.state_dict(), "a constant is not stored"
    with pytest.raises(ValueError, match="even and 8 or more, not 29"):
        for_digits(29)


def test_an_image_and_its_negative_are_the_same_to_the_digit_generator():
    generator, images = for_digits(), torch.where(torch.rand(5, 1, 28, 28) < 0.8, -1.0, 1.0)
    asked = torch.tensor([0, 1, 0, 2, 3])
    assert torch.allclose(generator(images, asked), generator(-images, asked), atol=1e-5)
    assert not torch.allclose(generator(images, asked), generator(images.flip(3), asked), atol=1e-2)


def test_the_place_is_the_row_and_the_column():
    row, column = for_digits().place[0]
    assert row[0].unique().tolist() == [-1] and row[27].unique().tolist() == [1]
    assert torch.equal(column, row.T)


def test_a_discriminator_of_the_whole_image(size=28):
    torch.manual_seed(0)
    discriminator = networks.StarGANDiscriminator(DOMAINS, size, width=4, patches=False, norm=True)
    images = torch.rand(2, 1, size, size).requires_grad_(True)
    judged = discriminator(images)
    assert judged.logits.shape == (2, 1, 1, 1) and judged.class_logits.shape == (2, DOMAINS)
    (seen,) = torch.autograd.grad(judged.logits[0].sum(), images)
    assert seen[1].abs().max() == 0, "an instance norm knows of no other image"
    assert (seen[0].abs().sum(0) > 0).float().mean() > 0.95, "of the image it sees all"
    kinds = [type(module).__name__ for module in discriminator.trunk]
    assert kinds == ["Conv2d", "LeakyReLU", *["Conv2d", "InstanceNorm2d", "LeakyReLU"] * 2]


def test_a_checkpoint_brings_both_back(tmp_path):
    for network in (*pair(32, 3, padding_mode="reflect"), for_digits()):
        training.save_network(network, tmp_path / "generator.safetensors", {})
        again, _ = training.load_network(tmp_path, "cpu")
        assert type(again) is type(network) and again.config == network.config
        assert torch.equal(flat(again), flat(network))


def test_wrong_input_is_answered_plainly():
    generator, _ = pair()
    with pytest.raises(ValueError, match=r"shape \(N, 1, 28, 28\), but got \(2, 3, 28, 28\)"):
        generator(torch.zeros(2, 3, 28, 28), torch.tensor([0, 1]))
    with pytest.raises(ValueError, match="Labels must be int64"):
        generator(torch.zeros(2, 1, 28, 28), torch.zeros(2))
    with pytest.raises(
        ValueError, match="After 2 halvings there must be whole pixels, at least 4, which cannot be for 30"
    ):
        networks.StarGANGenerator(image_size=30)


def test_translate_tells_the_domain():
    generator, _ = pair()
    images = torch.randint(0, 256, (7, 1, 28, 28), dtype=torch.uint8)
    labels = torch.tensor([0, 1, 2, 3, 0, 1, 2])
    mixed = training.translate(generator, images, batch_size=3, labels=labels)
    for k in range(DOMAINS):
        one = training.translate(generator, images, labels=k)
        assert torch.allclose(one[labels == k], mixed[labels == k], atol=1e-5)
    with pytest.raises(ValueError, match="knows 4 domains: say by labels="):
        training.translate(generator, images)
    with pytest.raises(ValueError, match="no class 4"):
        training.translate(generator, images, labels=4)
    with pytest.raises(ValueError, match="knows no domains"):
        training.translate(networks.ResNetGenerator(28, 1, 1, 4, 1), images, labels=1)


# The step.


def by_hand(recipe, images, seed=3, d_learns_fakes=False, back_to="source", class_weight=1.0, weight=10.0):
    """One step from the same start, with torch's own losses; two known mistakes can be switched on.

    Returns generator, discriminator, and the values of all terms by the names of the history.
    """
    run = training.Run(recipe, images, seed, "cpu")
    g, d = run.generator, run.discriminator
    g_adam, d_adam = (torch.optim.Adam(network.parameters(), 1e-3, (0.5, 0.99)) for network in (g, d))
    real, source = images.batch(recipe.batch_size, run.rng)
    target = torch.randint(DOMAINS, (recipe.batch_size,), generator=run.rng)
    fake = g(real, target)
    on_real, on_fake = d(real), d(fake.detach())
    d_loss = F.softplus(-on_real.logits).mean() + F.softplus(on_fake.logits).mean()
    d_class_loss = F.cross_entropy(on_real.class_logits, source)
    d_total = d_loss + class_weight * d_class_loss
    if d_learns_fakes:
        d_total = d_total + class_weight * F.cross_entropy(on_fake.class_logits, target)
    d_total.backward()
    d_adam.step()
    g_adam.zero_grad()
    judged = d(fake)
    g_loss, g_class_loss = F.softplus(-judged.logits).mean(), F.cross_entropy(judged.class_logits, target)
    reconstruction = F.l1_loss(g(fake, {"source": source, "target": target}[back_to]), real)
    (g_loss + class_weight * g_class_loss + weight * reconstruction).backward()
    g_adam.step()
    terms = {"d_loss": d_loss, "d_class_loss": d_class_loss, "g_loss": g_loss, "g_class_loss": g_class_loss}
    terms |= {"reconstruction": reconstruction}
    return g, d, {name: term.item() for name, term in terms.items()}


def test_one_step_equals_the_one_by_hand(plain, squares):
    run, (g, d, terms) = after(plain, squares), by_hand(plain, squares)
    assert torch.allclose(flat(run.generator), flat(g), atol=1e-5)
    assert torch.allclose(flat(run.discriminator), flat(d), atol=1e-5)
    for name, value in terms.items():
        assert run.history[0][name] == pytest.approx(value, abs=1e-5), name


@pytest.mark.parametrize(
    ("mistake", "who"),
    [({"d_learns_fakes": True}, "discriminator"), ({"back_to": "target"}, "generator"), ({"weight": 1.0}, "generator")],
    ids=["D names its fakes", "back to the target", "another weight"],
)
def test_the_known_mistakes_are_not_this_step(plain, squares, mistake, who):
    run = after(plain, squares)
    network = dict(zip(("generator", "discriminator"), by_hand(plain, squares, **mistake)[:2], strict=True))[who]
    assert not torch.allclose(flat(getattr(run, who)), flat(network), atol=1e-4)


def test_the_domain_head_learns_from_real_images_alone(plain, squares, monkeypatch):
    """What D's domain head got its gradient from: the real images' features, and nothing of the fakes."""
    run = training.Run(plain, squares, 3, "cpu")
    seen = []
    run.discriminator.class_head.register_forward_hook(lambda module, inputs, output: seen.append(output))
    kept = []
    monkeypatch.setattr(
        training.stargan,
        "descend",
        lambda optimizer, loss: kept.append(torch.autograd.grad(loss, seen, retain_graph=True, allow_unused=True)),
    )
    run.recipe.step(run)
    on_real, on_fake = kept[0]
    assert on_real.abs().sum() > 0 and (on_fake is None or not on_fake.any())


def test_weights_switch_the_terms_off(plain, squares):
    start = training.Run(plain, squares, 3, "cpu")
    run = after(dataclasses.replace(plain, class_weight=0.0), squares)
    assert torch.equal(run.discriminator.class_head.weight, start.discriminator.class_head.weight)
    assert not torch.equal(run.discriminator.head.weight, start.discriminator.head.weight)
    without = after(dataclasses.replace(plain, step=training.stargan_step(0.0)), squares)
    assert "reconstruction" not in without.history[0] and not torch.equal(flat(without.generator), flat(run.generator))
    g, _, _ = by_hand(plain, squares, weight=0.0)
    assert torch.allclose(flat(without.generator), flat(g), atol=1e-5)


def test_the_identity_term_is_of_the_images_asked_to_stay(plain, squares):
    """Its weight times the mean over those alone, beside the rest; a batch in which none is asked to stay has 0."""
    run = training.Run(plain, squares, 3, "cpu")
    real, source = run.batch()
    target = torch.where(torch.arange(8) < 3, source, (source + 1) % DOMAINS)
    grads = {}
    for weight in (0.0, 7.0):
        run.generator.zero_grad()
        fake = run.generator(real, target)
        fake.retain_grad()
        run.g_optimizer.step = lambda: None
        measured = training.stargan._g_step(run, real, source, target, fake, 0.0, weight)
        grads[weight] = fake.grad
    expected = (fake - real).abs()[:3].mean()
    assert measured["identity"].item() == pytest.approx(expected.item(), abs=1e-6)
    added = torch.zeros_like(fake)
    added[:3] = 7 * (fake - real).sign()[:3] / fake[:3].numel()
    assert torch.allclose(grads[7.0] - grads[0.0], added, atol=1e-6)
    none = training.stargan._g_step(run, real, source, (source + 1) % DOMAINS, run.generator(real, target), 0.0, 7.0)
    assert none["identity"] == 0


def test_g_s_step_leaves_d_alone_and_moves_g_through_both_passes(plain, squares):
    """Reconstruction alone: its gradient reaches G through the second pass and, through the fake, the first."""
    run = training.Run(plain, squares, 3, "cpu")
    real, source = run.batch()
    fake = run.generator(real, (source + 1) % DOMAINS)
    fake.retain_grad()
    before = flat(run.discriminator)
    training.stargan._g_step(run, real, source, (source + 1) % DOMAINS, fake, 10.0, 0.0)
    assert torch.equal(flat(run.discriminator), before)
    assert all(p.grad is None for p in run.discriminator.parameters())
    assert fake.grad.abs().sum() > 0


def test_the_paper_s_recipe_makes_five_steps_of_a_penalised_critic(squares, monkeypatch):
    paper = methods.RECIPES["stargan"]
    assert (paper.loss, paper.critic_steps(0), paper.penalty_weight, paper.class_weight) == (
        "wasserstein",
        5,
        10.0,
        1.0,
    )
    small = dataclasses.replace(
        paper,
        generator=methods.stargan_generator(4, 1, first_norm=True),
        discriminator=methods.stargan_discriminator(4),
    )
    run = training.Run(small, squares, 0, "cpu")
    calls, penalty = [], penalties.gradient_penalty

    def counted(critic, real, fake, **more):
        calls.append(critic(real).shape)
        return penalty(critic, real, fake, **more)

    monkeypatch.setattr(penalties, "gradient_penalty", counted)
    training.train(run, steps=2)
    assert calls == [(16, 1, 3, 3)] * 10 and run.images_seen == 2 * 5 * 16


def test_targets_are_drawn_evenly_and_for_each_image(plain, squares):
    run = training.Run(dataclasses.replace(plain, batch_size=4_000), squares, 0, "cpu")
    counts = training.stargan.draw_targets(run).bincount(minlength=DOMAINS)
    assert counts.tolist() == pytest.approx([1_000] * 4, abs=120)


def test_several_processes_divide_one_draw(plain, squares, monkeypatch):
    whole = training.stargan.draw_targets(training.Run(plain, squares, 0, "cpu"))
    parts = []
    for rank in range(2):
        run = training.Run(plain, squares, 0, "cpu")
        with monkeypatch.context() as two:
            two.setattr(distributed, "size", lambda: 2)
            two.setattr(distributed.dist, "get_rank", lambda rank=rank: rank)
            parts.append(training.stargan.draw_targets(run))
    assert torch.equal(torch.cat(parts), whole) and len(parts[0]) == len(whole) // 2


def test_it_needs_labels(recipe, squares):
    with pytest.raises(ValueError, match="has no labels"):
        training.Run(recipe, dataclasses.replace(squares, labels=None), device="cpu")


def test_the_command_line_trains_it_and_snapshots_show_it(tmp_path, recipe, monkeypatch, squares):
    from PIL import Image

    from gan_course.__main__ import main

    monkeypatch.setitem(methods.RECIPES, "stargan-fast", recipe)
    out = tmp_path / "run"
    assert main(["train", "stargan-fast", "--data", "digit-domains", "--steps", "2", "--out", str(out)]) == 0
    card = json.loads((out / "card.json").read_text())
    assert card["network"]["class"] == "StarGANGenerator" and card["classes"] == list(data.domains.NAMES)
    with Image.open(out / "samples.png") as grid:
        assert grid.width < grid.height, "sixteen rows of an image and its five translations"
    inputs, labels = squares.images[:3], torch.tensor([0, 1, 3])
    snapshots = training.Snapshots(frames=2, inputs=inputs, labels=labels)
    run = training.train(training.Run(recipe, squares, 0, "cpu"), steps=2, callbacks=[snapshots])
    last = data.to_uint8(training.translate(run.sampler, inputs, labels=labels))
    assert snapshots.stack().shape == (2, 3, 1, 28, 28) and torch.equal(snapshots.stack()[-1], last)


def test_a_few_steps_bring_an_image_back(plain, squares):
    """And D learns to name the domains of real images; the history says so."""
    run = after(dataclasses.replace(plain, g_learning_rate=4e-3), squares, steps=60)
    first, last = run.history[0], run.history[-1]
    assert last["reconstruction"] < 0.5 * first["reconstruction"]
    assert last["d_class_loss"] < 0.8 * first["d_class_loss"]
