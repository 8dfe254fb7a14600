"""pix2pix and CycleGAN on the one loop: losses, who is trained by what, pools, pairs that are not used, resuming."""

import dataclasses

import pytest
import torch

from gan_course import data, losses, methods, networks, training
from gan_course.training import checkpoint
from gan_course.training.translation import joined

PAIRED = ("pix2pix", "pix2pix-l1", "pix2pix-gan", "pix2pix-no-skips", "pix2pix-fast")
CYCLES = ("cyclegan", "cyclegan-no-cycle", "cyclegan-no-identity", "cyclegan-no-pool", "cyclegan-fast")


@pytest.fixture
def pairs() -> data.ImagePairs:
    """Forty pairs of 16x16: a grey square somewhere, and the same in colour."""
    inputs = torch.full((40, 1, 16, 16), 255, dtype=torch.uint8)
    for i in range(40):
        inputs[i, 0, i % 8 : i % 8 + 7, i // 8 : i // 8 + 7] = i * 5
    targets = torch.cat([inputs, 255 - inputs, inputs // 2], 1)
    return data.ImagePairs(data.ImageSet(inputs), data.ImageSet(targets), "squares")


@pytest.fixture
def styles(pairs) -> data.ImagePairs:
    """The same in colour on both sides."""
    inputs = pairs.targets.images.flip(1)
    return data.ImagePairs(data.ImageSet(inputs), pairs.targets, "styles")


def tiny(name, **changes):
    """The recipe with networks so small that a step takes milliseconds, an average, and a pool that is soon full."""
    recipe = methods.RECIPES[name]
    if recipe.translation.paired:
        generator = methods.unet_generator(4, skips=name != "pix2pix-no-skips")
        discriminator = methods.pair_discriminator(4)
    else:
        correction = methods.correction_generator(4, blocks=1)
        generator = correction if name == "cyclegan-fast" else methods.cycle_generator(4, blocks=1)
        discriminator = methods.cycle_discriminator(4, norm=name != "cyclegan-fast")
    translation = dataclasses.replace(recipe.translation, pool=min(recipe.translation.pool, 10))
    settings = {"generator": generator, "discriminator": discriminator, "translation": translation, "batch_size": 4}
    return dataclasses.replace(recipe, **(settings | {"ema_decay": 0.9} | changes))


def weights(network):
    return torch.cat([tensor.flatten().float() for tensor in network.state_dict().values()])


def image(seed, channels=3, n=2):
    return torch.rand(n, channels, 16, 16, generator=torch.Generator().manual_seed(seed)) * 2 - 1


# Losses, against a computation written out, and their gradients.


def test_l1_and_its_gradient():
    output, target = image(0).requires_grad_(True), image(1)
    value = losses.l1(output, target)
    written_out = sum(abs(a - b) for a, b in zip(output.flatten().tolist(), target.flatten().tolist(), strict=True))
    assert value.item() == pytest.approx(written_out / output.numel(), rel=1e-5)
    (gradient,) = torch.autograd.grad(value, output)
    assert torch.allclose(gradient, (output - target).sign() / output.numel())
    with pytest.raises(ValueError, match=r"got \(2, 3, 16, 16\) and \(2, 1, 16, 16\)"):
        losses.l1(output, image(1, channels=1))


@pytest.mark.parametrize("loss", [losses.cycle_consistency, losses.identity_mapping])
def test_cycle_and_identity_and_their_gradients(loss):
    """Two means, one a side, even where the sides differ in size; each image is compared with its own."""
    inputs, targets = image(0, channels=1), image(1)
    inputs_made, targets_made = image(2, channels=1).requires_grad_(True), image(3).requires_grad_(True)
    value = loss(inputs, inputs_made, targets, targets_made)
    by_hand = (inputs - inputs_made).abs().sum() / 512 + (targets - targets_made).abs().sum() / 1536
    assert value.item() == pytest.approx(by_hand.item(), rel=1e-5)
    gradients = torch.autograd.grad(value, (inputs_made, targets_made))
    assert torch.allclose(gradients[0], (inputs_made - inputs).sign() / 512)
    assert torch.allclose(gradients[1], (targets_made - targets).sign() / 1536)
    assert loss(inputs, inputs, targets, targets) == 0


# Steps, against the same thing written out.


def fresh(name, pairs, **changes):
    return training.Run(tiny(name, ema_decay=None, **changes), pairs, seed=3, device="cpu")


def no_noise(run):
    for module in run.generator.modules():
        if isinstance(module, networks.NoiseDropout):
            module.p = 0.0
    return run


def test_a_pix2pix_step_equals_the_textbook(pairs):
    run, other = (no_noise(fresh("pix2pix", pairs)) for _ in range(2))
    training.pix2pix_step(run)
    bce = torch.nn.functional.binary_cross_entropy_with_logits
    g, d = other.generator, other.discriminator
    x, y = other.batch()
    fake = g(x)
    g_adam, d_adam = (torch.optim.Adam(network.parameters(), 2e-4, (0.5, 0.999)) for network in (g, d))
    on_real, on_fake = d(torch.cat([x, y], 1)), d(torch.cat([x, fake.detach()], 1))
    assert on_real.shape == (4, 1, 6, 6)
    (bce(on_real, torch.ones_like(on_real)) + bce(on_fake, torch.zeros_like(on_fake))).backward()
    d_adam.step()
    g_adam.zero_grad()
    again = d(torch.cat([x, fake], 1))
    (bce(again, torch.ones_like(again)) + 100 * (fake - y).abs().mean()).backward()
    g_adam.step()
    assert torch.allclose(weights(run.generator), weights(g), atol=1e-6)
    assert torch.allclose(weights(run.discriminator), weights(d), atol=1e-6)


def test_a_cyclegan_step_equals_the_textbook(styles):
    """Written out one image set at a time, where the package sends two together; the pool is not yet full."""
    run, other = fresh("cyclegan", styles), fresh("cyclegan", styles)
    measured = training.cyclegan_step(run)
    there, back, d = other.generator.there, other.generator.back, other.discriminator
    x, y = other.batch()
    g_adam, d_adam = (torch.optim.Adam(n.parameters(), 2e-4, (0.5, 0.999)) for n in (other.generator, d))
    fake_y, fake_x = there(x), back(y)
    d_loss = (d.targets(y) - 1).square().mean() + d.targets(fake_y.detach()).square().mean()
    d_loss = d_loss + (d.inputs(x) - 1).square().mean() + d.inputs(fake_x.detach()).square().mean()
    d_loss.backward()
    d_adam.step()
    g_adam.zero_grad()
    adversarial = (d.targets(fake_y) - 1).square().mean() + (d.inputs(fake_x) - 1).square().mean()
    cycle = (back(fake_y) - x).abs().mean() + (there(fake_x) - y).abs().mean()
    identity = (there(y) - y).abs().mean() + (back(x) - x).abs().mean()
    (adversarial + 10 * cycle + 5 * identity).backward()
    g_adam.step()
    for name, value in {"d_loss": d_loss, "g_loss": adversarial, "cycle": cycle, "identity": identity}.items():
        assert measured[name].item() == pytest.approx(value.item(), abs=1e-5), name
    assert torch.allclose(weights(run.generator), weights(other.generator), atol=1e-6)
    assert torch.allclose(weights(run.discriminator), weights(d), atol=1e-6)


@pytest.mark.parametrize("name", [*PAIRED, *CYCLES])
def test_every_recipe_trains_and_says_what_it_measured(name, pairs, styles):
    recipe = tiny(name)
    run = training.Run(recipe, pairs if recipe.translation.paired else styles, device="cpu")
    before = [weights(network) for network in (run.generator, run.discriminator)]
    training.train(run, steps=4, log_every=2)
    terms = {"pix2pix-l1": {"l1"}, "cyclegan": {"cycle", "identity"}, "cyclegan-no-pool": {"cycle", "identity"}}
    terms |= {"cyclegan-no-cycle": {"identity"}, "cyclegan-no-identity": {"cycle"}}
    terms["cyclegan-fast"] = {"cycle", "identity"}
    players = set() if name == "pix2pix-l1" else {"d_loss", "d_real", "d_fake", "g_loss"}
    assert set(run.history[0]) == {"step", "seconds"} | players | terms.get(name, {"l1"})
    assert run.images_seen == 16 and (run.pools is not None) == (name in CYCLES and name != "cyclegan-no-pool")
    moved = [not torch.equal(a, weights(b)) for a, b in zip(before, (run.generator, run.discriminator), strict=True)]
    assert moved == [True, name != "pix2pix-l1"], "without its term, D is not trained"
    assert not any(p.grad is not None and p.requires_grad for p in run.discriminator.parameters()), "D is frozen in G's"


def gradients_of_a_step(name, data_set, monkeypatch):
    """Which of G's and D's parameters have a gradient when either optimizer steps: [(player, G's, D's), ...]."""
    run, seen = fresh(name, data_set), []
    for player, optimizer in (("D", run.d_optimizer), ("G", run.g_optimizer)):
        optimizer.register_step_pre_hook(
            lambda *_, player=player: seen.append((player, *map(has_gradient, networks_of)))
        )
    networks_of = (run.generator, run.discriminator)
    run.recipe.step(run)
    return seen


def has_gradient(network):
    return any(p.grad is not None and p.grad.abs().sum() > 0 for p in network.parameters())


def reaches_its_own_player(seen):
    """D's step comes first and its loss does not reach G. G's loss reaches G; D has only what its own step left."""
    assert [(player, g) for player, g, _ in seen] == [("D", False), ("G", True)]


@pytest.mark.parametrize("name", ["pix2pix", "cyclegan", "cyclegan-no-pool", "cyclegan-fast"])
def test_each_step_reaches_its_own_player(name, pairs, styles, monkeypatch):
    reaches_its_own_player(gradients_of_a_step(name, styles, monkeypatch))


# Traps of well-known code. Each is put in, and the test that guards against it must fail.


def test_a_forgotten_detach_is_noticed(styles, monkeypatch):
    monkeypatch.setattr(torch.Tensor, "detach", lambda self: self)
    monkeypatch.setattr(training.loop, "descend", keep_graph)
    monkeypatch.setattr(training.translation, "descend", keep_graph)
    with pytest.raises(AssertionError):
        reaches_its_own_player(gradients_of_a_step("pix2pix", styles, monkeypatch))


def keep_graph(optimizer, loss):
    """descend() that does not free the graph, so that the mistake is not found by chance."""
    optimizer.zero_grad(set_to_none=True)
    loss.backward(retain_graph=True)
    optimizer.step()


def d_judges_the_pair(step, pairs):
    """D's answer to one and the same output must depend on the input beside it."""
    run, seen = fresh("pix2pix", pairs), []
    run.discriminator.register_forward_pre_hook(lambda _m, arguments: seen.append(arguments[0].detach().clone()))
    step(run)
    assert len(seen) == 3, "real, fake for D, fake for G"
    inputs = [images[:, :1] for images in seen]
    assert all(torch.equal(inputs[0], other) for other in inputs) and inputs[0].std() > 0.01
    assert torch.equal(seen[1], seen[2]) and not torch.equal(seen[0], seen[1]), "one batch of fakes for both players"


def test_d_judges_input_and_output_together(pairs):
    d_judges_the_pair(training.pix2pix_step, pairs)


@pytest.mark.parametrize("mistake", ["D is not shown the input", "D is shown other inputs beside the fakes"])
def test_a_d_without_the_input_is_noticed(mistake, pairs, monkeypatch):
    blind = mistake == "D is not shown the input"
    calls = []

    def wrong(inputs, outputs):
        calls.append(1)
        if blind:
            return joined(torch.zeros_like(inputs), outputs)
        return joined(inputs.flip(0) if len(calls) > 1 else inputs, outputs)

    monkeypatch.setattr(training.translation, "joined", wrong)
    with pytest.raises(AssertionError):
        d_judges_the_pair(training.pix2pix_step, pairs)


def test_g_is_not_judged_by_the_pool(styles):
    """G must learn from what it has just made; old fakes carry no graph, and their loss would teach nobody."""
    run, judged = fresh("cyclegan", styles), []
    for _ in range(6):
        training.cyclegan_step(run)
    run.discriminator.targets.register_forward_pre_hook(lambda _m, arguments: judged.append(arguments[0]))
    for _ in range(6):
        training.cyclegan_step(run)
    from_pool, new = judged[1::3], judged[2::3]
    assert all(images.requires_grad for images in new) and not any(images.requires_grad for images in from_pool)
    same = [torch.equal(a, b) for old, fake in zip(from_pool, new, strict=True) for a, b in zip(old, fake, strict=True)]
    assert 4 < sum(same) < 20, "about half of 24 come from the pool"


# The pairing.


def test_cyclegan_never_uses_the_pairing(styles):
    """One side shuffled before: training is bit for bit the same. For pix2pix it is not."""
    mixed = torch.randperm(40, generator=torch.Generator().manual_seed(5))
    for name, side in (("cyclegan", "targets"), ("cyclegan", "inputs"), ("pix2pix", "targets")):
        shuffled = dataclasses.replace(styles, **{side: getattr(styles, side).subset(mixed)})
        runs = [training.Run(tiny(name), data_set, seed=1, device="cpu") for data_set in (styles, shuffled)]
        for run in runs:
            training.train(run, steps=5)
        assert torch.equal(*(weights(run.generator) for run in runs)) == (name == "cyclegan")
        assert torch.equal(*(weights(run.discriminator) for run in runs)) == (name == "cyclegan")


def test_cyclegan_trains_with_sides_of_unequal_length(styles):
    """No pairs could be made of these."""
    unequal = dataclasses.replace(styles, inputs=styles.inputs.subset(slice(17)), paired=False)
    assert training.train(training.Run(tiny("cyclegan"), unequal, device="cpu"), steps=2).step == 2


def test_the_wrong_kind_of_data_is_a_plain_error(pairs, squares):
    for name in ("pix2pix", "cyclegan"):
        with pytest.raises(ValueError, match=f"'{name}' turns images into other images, but 'squares' holds single"):
            training.Run(tiny(name), squares)
    with pytest.raises(ValueError, match="'dcgan' starts from noise, but 'squares' holds pairs"):
        training.Run(methods.RECIPES["dcgan"], pairs)
    with pytest.raises(ValueError, match=r"identity term.*\(1, 16, 16\) and \(3, 16, 16\)"):
        training.Run(tiny("cyclegan"), pairs)
    assert training.train(training.Run(tiny("cyclegan-no-identity"), pairs, device="cpu"), steps=1).step == 1


def test_cyclegan_fast_begins_as_a_copy_and_is_soon_none(styles):
    """The copy costs no cycle and no identity; D must drive it away. While it trains, outputs may leave [-1, 1]."""
    run = training.Run(tiny("cyclegan-fast"), styles, seed=1, device="cpu")
    x = styles.inputs.images[:4]
    assert torch.equal(training.translate(run.sampler, x), data.to_float(x)), "at the start"
    training.train(run, steps=40, log_every=20)
    assert (training.translate(run.sampler, x) - data.to_float(x)).abs().mean() > 0.01
    assert training.translate(run.sampler, x).abs().max() <= 1
    assert run.history[0]["identity"] < run.history[-1]["identity"], "it grows from nothing"


# Schedules, samples, checkpoints.


@pytest.mark.parametrize(("name", "rate"), [("cyclegan", 2e-4), ("cyclegan-fast", 1e-3), ("pix2pix-fast", 1e-3)])
def test_the_learning_rate_falls_in_the_second_half(name, rate, styles):
    run, rates = training.Run(tiny(name), styles, device="cpu"), []
    for progress in (0.0, 0.25, 0.5, 0.75, 1.0):
        run.progress = progress
        run.set_learning_rates()
        rates.append(run.g_optimizer.param_groups[0]["lr"])
    assert rates == pytest.approx([rate, rate, rate, rate / 2, 0])


@pytest.mark.parametrize("name", ["pix2pix", "cyclegan", "cyclegan-fast"])
def test_a_resumed_run_is_bit_for_bit_the_same(name, styles, tmp_path):
    """The dropout's noise, the pool's images and the draws from it included; the pool of 10 is full at the stop."""
    whole = training.train(training.Run(tiny(name), styles, seed=5, device="cpu"), steps=9, log_every=3)
    first = training.Run(tiny(name), styles, seed=5, device="cpu")

    class Stop(training.callbacks.Callback):
        def on_step(self, run):
            if run.step == 6:
                checkpoint.save_run(run, tmp_path / "run.safetensors")

    training.train(first, steps=9, callbacks=[Stop()])
    torch.manual_seed(99)
    second = training.Run(tiny(name), styles, seed=5, device="cpu")
    checkpoint.load_run(second, tmp_path / "run.safetensors")
    if name in CYCLES:
        assert second.pools["targets"].count == 10 and second.pools["targets"].images.std() > 0
    training.train(second, steps=9, log_every=3)
    for a, b in ((whole.generator, second.generator), (whole.discriminator, second.discriminator)):
        assert torch.equal(weights(a), weights(b))
    assert torch.equal(weights(whole.sampler), weights(second.sampler))


def test_a_checkpoint_without_its_pool_would_be_noticed(styles, tmp_path, monkeypatch):
    monkeypatch.setattr(checkpoint, "_networks", lambda run: {"generator": run.generator, "average": run.ema.network})
    with pytest.raises(AssertionError):
        test_a_resumed_run_is_bit_for_bit_the_same("cyclegan", styles, tmp_path)


def test_translate_is_repeatable_and_leaves_the_random_numbers_alone(styles):
    run = training.train(training.Run(tiny("pix2pix"), styles, device="cpu"), steps=3)
    torch.manual_seed(4)
    expected = torch.rand(1)
    torch.manual_seed(4)
    x = styles.inputs.images[:5]
    first = training.translate(run.generator, x, seed=1)
    assert torch.equal(torch.rand(1), expected)
    assert first.shape == (5, 3, 16, 16) and first.abs().max() <= 1 and run.generator.training
    assert torch.equal(first, training.translate(run.generator, data.to_float(x), seed=1)), "uint8 or float"
    assert not torch.equal(first, training.translate(run.generator, x, seed=2)), "the dropout is the noise"


def test_a_translation_comes_back_from_its_file(styles, tmp_path):
    run = training.train(training.Run(tiny("cyclegan"), styles, device="cpu"), steps=3)
    training.save_network(run.sampler, tmp_path / "generator.safetensors", checkpoint.card_of(run))
    network, card = training.load_network(tmp_path, "cpu")
    assert card["input_shape"] == [3, 16, 16] and card["recipe"]["translation"]["cycle"] == 10.0
    x = styles.inputs.images[:3]
    assert torch.allclose(training.translate(network, x), training.translate(run.sampler, x))
    assert torch.allclose(training.translate(network.back, x), training.translate(run.sampler.back, x))
