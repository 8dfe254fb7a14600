"""The loop: who is trained by which step, what stays on the device, and that a stopped run goes on bit for bit."""

import dataclasses
import json
import os
import signal
import threading
import time

import pytest
import torch
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

from gan_course import data, losses, methods, networks, training
from gan_course.training import checkpoint


def weights(network):
    return torch.cat([tensor.flatten().float() for tensor in network.state_dict().values()])


def fakes(run):
    return run.generator(run.noise())


def test_d_step_trains_d_alone(tiny_recipe, squares):
    run = training.Run(tiny_recipe, squares, device="cpu")
    before_g, before_d = weights(run.generator), weights(run.discriminator)
    real, _ = squares.batch(8, run.rng)
    with torch.no_grad():
        fake = fakes(run)
    before_g = weights(run.generator)
    training.d_step(run, real, fake)
    assert all(p.grad is None for p in run.generator.parameters())
    assert all(p.grad is not None for p in run.discriminator.parameters())
    assert torch.equal(weights(run.generator), before_g)
    assert not torch.equal(weights(run.discriminator), before_d)


def test_g_step_trains_g_alone(tiny_recipe, squares):
    run = training.Run(tiny_recipe, squares, device="cpu")
    before_g = [p.detach().clone() for p in run.generator.parameters()]
    before_d = [p.detach().clone() for p in run.discriminator.parameters()]
    real, _ = squares.batch(8, run.rng)
    training.g_step(run, real, fakes(run))
    assert all(p.grad is None for p in run.discriminator.parameters())
    assert all(p.grad is not None and p.grad.abs().sum() > 0 for p in run.generator.parameters())
    assert all(torch.equal(a, b) for a, b in zip(before_d, run.discriminator.parameters(), strict=True))
    assert not any(torch.equal(a, b) for a, b in zip(before_g, run.generator.parameters(), strict=True))


def test_one_step_equals_the_textbook(tiny_recipe, squares):
    """The same update as four lines written out by hand with binary cross-entropy, from the same start."""
    recipe = dataclasses.replace(tiny_recipe, ema_decay=None, learning_rate_decay=False)
    run = training.Run(recipe, squares, seed=3, device="cpu")
    other = training.Run(recipe, squares, seed=3, device="cpu")
    training.gan_step(run)

    bce = torch.nn.functional.binary_cross_entropy_with_logits
    g, d = other.generator, other.discriminator
    real, _ = squares.batch(8, other.rng)
    fake = g(other.noise())
    g_adam, d_adam = (torch.optim.Adam(n.parameters(), 2e-4, (0.5, 0.999)) for n in (g, d))
    (bce(d(real), torch.ones(8)) + bce(d(fake.detach()), torch.zeros(8))).backward()
    d_adam.step()
    g_adam.zero_grad()
    bce(d(fake), torch.ones(8)).backward()
    g_adam.step()
    assert torch.allclose(weights(run.generator), weights(g), atol=1e-6)
    assert torch.allclose(weights(run.discriminator), weights(d), atol=1e-6)


@pytest.mark.parametrize("loss", ["minimax", "non_saturating", "least_squares", "hinge", "wasserstein", "relativistic"])
def test_every_loss_trains(loss, tiny_recipe, squares):
    run = training.train(
        training.Run(dataclasses.replace(tiny_recipe, loss=loss), squares, device="cpu"), steps=4, log_every=2
    )
    assert run.step == 4 and [row["step"] for row in run.history] == [2, 4]
    assert set(run.history[0]) == {"step", "seconds", "d_loss", "g_loss", "d_real", "d_fake"}


def test_critic_steps_and_lazy_penalty(tiny_recipe, squares):
    calls = []

    def penalty(discriminator, real, fake, rng):
        calls.append(real.shape)
        return methods.r1(discriminator, real, fake, rng)

    recipe = dataclasses.replace(tiny_recipe, n_critic=3, penalty=penalty, penalty_weight=1.0, penalty_every=2)
    run = training.train(training.Run(recipe, squares, device="cpu"), steps=4)
    assert len(calls) == 6, "on steps 0 and 2, in each of three critic steps"
    assert run.d_optimizer.state_dict()["state"][0]["step"] == 12
    assert run.g_optimizer.state_dict()["state"][0]["step"] == 4


def test_r1_pulls_the_gradient_down(tiny_recipe, squares):
    def gradient(weight):
        recipe = dataclasses.replace(
            tiny_recipe,
            discriminator=lambda s: networks.DCGANDiscriminator(s[1], s[0], 4, batch_norm=False),
            d_learning_rate=1e-2,
            penalty=methods.r1,
            penalty_weight=weight,
        )
        run = training.train(training.Run(recipe, squares, device="cpu"), steps=30)
        real = squares.batch(64, torch.Generator().manual_seed(0))[0]
        return methods.r1(run.discriminator.requires_grad_(True), real, None, None).item()

    assert gradient(10.0) < 0.2 * gradient(0.0)


def test_the_weight_of_a_penalty_falls_by_the_same_factor_each_step(tiny_recipe, squares, monkeypatch):
    """The penalty is 1 whatever D is, so that the total less the loss is its weight."""
    totals = []
    monkeypatch.setattr(training.loop, "descend", lambda optimizer, loss: totals.append(loss.item()))
    recipe = dataclasses.replace(
        tiny_recipe, penalty=lambda *_: torch.ones(()), penalty_weight=8.0, last_penalty_weight=0.5, penalty_every=2
    )
    run = training.Run(recipe, squares, device="cpu")
    weights = []
    for step, progress in enumerate((0.0, 0.25, 0.5, 0.75, 1.0)):
        run.step, run.progress = 2 * step, progress
        loss = training.d_step(run, *[squares.batch(8, torch.Generator().manual_seed(0))[0]] * 2)["d_loss"].item()
        weights.append((totals[-1] - loss) / 2)  # taken every second step, it weighs twice as much
    assert weights == pytest.approx([8, 4, 2, 1, 0.5], rel=1e-4)
    assert dataclasses.replace(recipe, last_penalty_weight=None).weight_of_penalty(0.7) == 8


def test_learning_rates_fall_on_a_line(tiny_recipe, squares):
    run = training.Run(tiny_recipe, squares, device="cpu")
    seen = []

    class Watch(training.callbacks.Callback):
        def on_step(self, run):
            seen.append(run.g_optimizer.param_groups[0]["lr"])

    training.train(run, steps=4, callbacks=[Watch()])
    assert seen == pytest.approx([2e-4, 1.5e-4, 1e-4, 0.5e-4])


def test_the_critic_schedule_of_the_first_wgan():
    assert [methods.wgan_schedule(step) for step in (0, 24, 25, 499, 500, 501, 1000)] == [100, 100, 5, 5, 100, 5, 100]


def test_a_schedule_of_critic_steps_is_followed_and_counted(tiny_recipe, squares):
    recipe = dataclasses.replace(tiny_recipe, n_critic=lambda step: 4 if step < 2 else 1)
    run = training.train(training.Run(recipe, squares, device="cpu"), steps=5)
    assert run.d_optimizer.state_dict()["state"][0]["step"] == 4 + 4 + 1 + 1 + 1
    assert run.g_optimizer.state_dict()["state"][0]["step"] == 5
    assert run.images_seen == checkpoint.card_of(run)["images_seen"] == 11 * 8
    assert tiny_recipe.critic_steps(0) == 1


def test_images_a_second_are_true_for_a_schedule(tiny_recipe, squares, capsys):
    recipe = dataclasses.replace(tiny_recipe, n_critic=lambda step: 50 if step == 0 else 3)
    run = training.Run(recipe, squares, device="cpu")
    bar = training.ProgressBar()
    run.step, run.images_seen, run.seconds = 1, 400, 10.0
    bar.on_step(run)
    run.step, run.images_seen, run.seconds = 101, 400 + 100 * 3 * 8, 12.0
    bar.on_end(run)
    assert "1,200 images/s" in capsys.readouterr().out


def test_the_critic_is_clipped_after_each_of_its_steps(tiny_recipe, squares):
    """Every parameter of D, BatchNorm's included, and none of G."""
    recipe = dataclasses.replace(tiny_recipe, loss="wasserstein", optimizer="rmsprop", clip=0.01, n_critic=2)
    run = training.train(training.Run(recipe, squares, device="cpu"), steps=3)
    largest = [parameter.abs().max().item() for parameter in run.discriminator.parameters()]
    assert max(largest) <= 0.01 + 1e-9 and largest.count(max(largest)) > 3, "the bound is reached, and kept"
    assert max(parameter.abs().max().item() for parameter in run.generator.parameters()) > 0.5
    assert isinstance(run.g_optimizer, torch.optim.RMSprop) and isinstance(run.d_optimizer, torch.optim.RMSprop)


def test_an_unknown_optimizer_is_a_plain_error(tiny_recipe, squares):
    with pytest.raises(ValueError, match="'sgd' is not known"):
        training.Run(dataclasses.replace(tiny_recipe, optimizer="sgd"), squares, device="cpu")


def test_a_loss_of_ones_own_trains_and_has_a_name(tiny_recipe, squares):
    doubled = losses.AdversarialLoss(
        "doubled", lambda real, fake: 2 * (fake - real).mean(), lambda fake, real=None: -2 * fake.mean(), "a test"
    )
    recipe = dataclasses.replace(tiny_recipe, loss=doubled, n_critic=methods.wgan_schedule, penalty=methods.r1_r2)
    settings = json.loads(json.dumps(recipe.settings()))
    assert (settings["loss"], settings["n_critic"], settings["penalty"]) == ("doubled", "wgan_schedule", "r1_r2")
    run = training.Run(dataclasses.replace(recipe, n_critic=1), squares, device="cpu")
    assert training.train(run, steps=2).step == 2


@pytest.mark.parametrize("name", methods.RECIPES)
def test_every_recipe_can_be_written_on_a_card(name):
    settings = methods.RECIPES[name].settings()
    assert json.loads(json.dumps(settings))["name"] == name and "loss" in settings and "n_critic" in settings


class OnlyMeta(TorchDispatchMode):
    """Fails when an operation makes or reads a tensor that is not on the meta device.

    Adam's own step is left out: the fused Adam of a GPU does not run on meta, and the plain one that stands in for it
    keeps its step counter on the CPU.
    """

    def __init__(self, *optimizers):
        super().__init__()
        self.inside_adam = False
        for optimizer in optimizers:
            optimizer.register_step_pre_hook(lambda *_: setattr(self, "inside_adam", True))
            optimizer.register_step_post_hook(lambda *_: setattr(self, "inside_adam", False))

    def __torch_dispatch__(self, function, types, args=(), kwargs=None):
        if self.inside_adam:
            return function(*args, **(kwargs or {}))
        for value in tree_leaves((args, kwargs or {})):
            self._check(function, value)
        result = function(*args, **(kwargs or {}))
        for value in tree_leaves(result):
            self._check(function, value)
        return result

    def _check(self, function, value):
        if isinstance(value, torch.Tensor) and value.device.type != "meta":
            raise AssertionError(f"{function} met a tensor on {value.device}")


def meta_run(recipe, monkeypatch):
    monkeypatch.setattr(training.loop.devices, "get", lambda name=None: torch.device("meta"))
    labels = torch.zeros(16, dtype=torch.long)
    images = data.ImageSet(torch.zeros(16, 1, 28, 28, dtype=torch.uint8), labels, classes=["a", "b"])
    return training.Run(recipe, data.ImagePairs(images, images) if recipe.translation else images, device="meta")


@pytest.mark.parametrize("name", methods.RECIPES)
def test_a_step_makes_no_cpu_tensor_and_reads_nothing_back(name, monkeypatch):
    """What can be proved without a GPU: on the meta device there are no numbers to read, and no CPU to fall back on."""
    recipe = methods.RECIPES[name]
    run = meta_run(dataclasses.replace(recipe, batch_size=4, n_critic=min(2, recipe.critic_steps(0))), monkeypatch)
    with OnlyMeta(run.g_optimizer, run.d_optimizer):
        for _ in range(2):
            run.recipe.step(run)
            run.step += 1


@pytest.mark.parametrize("mistake", [lambda x: x.cpu(), lambda x: x + torch.ones(3), lambda x: x.mean().item()])
def test_the_meta_test_would_notice(mistake, monkeypatch, tiny_recipe):
    def faulty_step(run, real, fake):
        mistake(torch.ones(3, device=real.device))
        return training.g_step(run, real, fake)

    run = meta_run(dataclasses.replace(tiny_recipe, g_step=faulty_step), monkeypatch)
    with pytest.raises((AssertionError, RuntimeError, NotImplementedError)), OnlyMeta(run.g_optimizer, run.d_optimizer):
        run.recipe.step(run)


def resumable(name, tiny_recipe):
    """Recipes whose state differs in kind: an average, lazy R1, RMSprop and clipping, a spectral norm in D and G."""
    wgan = dataclasses.replace(
        tiny_recipe, name="wgan", optimizer="rmsprop", clip=0.01, n_critic=lambda step: 1 + step % 3
    )
    spectral = dataclasses.replace(
        tiny_recipe,
        name="spectral",
        generator=lambda shape: networks.spectral_norm(tiny_recipe.generator(shape)),
        discriminator=lambda shape: networks.spectral_norm(tiny_recipe.discriminator(shape)),
    )
    return {"tiny": tiny_recipe, "dcgan-fast": methods.RECIPES["dcgan-fast"], "wgan": wgan, "spectral": spectral}[name]


@pytest.mark.parametrize("name", ["tiny", "dcgan-fast", "wgan", "spectral"])
def test_a_resumed_run_is_bit_for_bit_the_same(name, tiny_recipe, squares, tmp_path):
    recipe = resumable(name, tiny_recipe)
    whole = training.train(training.Run(recipe, squares, seed=5, device="cpu"), steps=8, log_every=2)
    first = training.Run(recipe, squares, seed=5, device="cpu")

    class Stop(training.callbacks.Callback):
        def on_step(self, run):
            if run.step == 4:
                checkpoint.save_run(run, tmp_path / "run.safetensors")
                os.kill(os.getpid(), signal.SIGINT)

    training.train(first, steps=8, callbacks=[Stop()], log_every=2)
    assert first.step == 4, "Ctrl-C stopped it after the step"
    torch.manual_seed(99)  # whatever the new process did before must not matter
    second = training.Run(recipe, squares, seed=5, device="cpu")
    checkpoint.load_run(second, tmp_path / "run.safetensors")
    training.train(second, steps=8, log_every=2)
    assert torch.equal(weights(whole.generator), weights(second.generator))
    assert torch.equal(weights(whole.discriminator), weights(second.discriminator))
    assert torch.equal(weights(whole.sampler), weights(second.sampler))
    assert whole.images_seen == second.images_seen
    strip = [{k: v for k, v in row.items() if k != "seconds"} for row in whole.history]
    assert strip == [{k: v for k, v in row.items() if k != "seconds"} for row in second.history]


def test_resume_refuses_another_run(tiny_recipe, squares, tmp_path):
    run = training.Run(tiny_recipe, squares, seed=1, device="cpu")
    checkpoint.save_run(run, tmp_path / "run.safetensors")
    with pytest.raises(ValueError, match="seed 1, but 2 was asked for"):
        checkpoint.load_run(training.Run(tiny_recipe, squares, seed=2, device="cpu"), tmp_path / "run.safetensors")
    (tmp_path / "broken.safetensors").write_bytes(b"\x00" * 40)
    with pytest.raises(ValueError, match="is damaged"):
        checkpoint.load_run(run, tmp_path / "broken.safetensors")


def test_a_callback_in_a_thread_does_not_catch_signals(tiny_recipe, squares):
    done = []
    worker = threading.Thread(
        target=lambda: done.append(training.train(training.Run(tiny_recipe, squares, device="cpu"), steps=2).step)
    )
    worker.start()
    worker.join(60)
    assert done == [2]


def test_seconds_are_a_budget(tiny_recipe, squares):
    started = time.perf_counter()
    run = training.train(training.Run(tiny_recipe, squares, device="cpu"), seconds=0.5)
    assert 0.5 <= run.seconds < 1.5 and time.perf_counter() - started < 5 and run.step > 5


def test_divergence_is_said_and_the_checkpoint_stays_good(tiny_recipe, squares, tmp_path):
    def exploding(run, real, fake):
        measured = training.g_step(run, real, fake)
        return measured | {"g_loss": measured["g_loss"] * float("nan")}

    run = training.Run(dataclasses.replace(tiny_recipe, g_step=exploding), squares, device="cpu")
    with pytest.raises(FloatingPointError, match="g_loss is no longer a number"):
        training.train(run, steps=10, log_every=5)


def test_average_in_closed_form():
    live = torch.nn.Linear(1, 1, bias=False)
    torch.nn.init.zeros_(live.weight)
    average = training.ExponentialMovingAverage(live, 0.5)
    expected = 0.0
    for n in range(5):
        with torch.no_grad():
            live.weight.fill_(n + 1.0)
        average.update()
        decay = min(0.5, (1 + n) / (10 + n))
        expected = decay * expected + (1 - decay) * (n + 1)
        assert average.network.weight.item() == pytest.approx(expected)
    assert not average.network.weight.requires_grad and live.weight.requires_grad


def test_average_takes_batch_norm_statistics_along():
    live = torch.nn.BatchNorm1d(3)
    average = training.ExponentialMovingAverage(live, 0.9)
    for _ in range(20):
        live(torch.randn(50, 3) + 7)
        average.update()
    assert average.network.running_mean.mean() > 3
    with pytest.raises(ValueError, match="at least 0 and below 1"):
        training.ExponentialMovingAverage(live, 1.0)


def test_an_averaged_spectral_norm_is_one():
    """A mean of unit vectors is shorter than 1, and with it the averaged network's singular value would be off."""
    live = networks.spectral_norm(torch.nn.Sequential(torch.nn.Linear(6, 5)))
    average = training.ExponentialMovingAverage(live, 0.9)
    for _ in range(60):
        with torch.no_grad():
            live[0].parametrizations.weight.original.add_(torch.randn(5, 6))
        live(torch.randn(2, 6))
        average.update()
    vectors = average.network[0].parametrizations.weight[0]
    assert vectors._u.norm().item() == pytest.approx(1, abs=1e-5)
    assert vectors._v.norm().item() == pytest.approx(1, abs=1e-5)
    assert not torch.equal(
        average.network[0].parametrizations.weight.original, live[0].parametrizations.weight.original
    )


def test_samples_depend_on_their_seed_alone(tiny_recipe, squares):
    run = training.Run(tiny_recipe, squares, device="cpu")
    first = training.sample(run.generator, 7, seed=1, batch_size=3)
    torch.randn(3)
    assert torch.equal(first, training.sample(run.generator, 7, seed=1, batch_size=3))
    assert torch.allclose(first, training.sample(run.generator, 7, seed=1), atol=1e-6)
    assert not torch.equal(first, training.sample(run.generator, 7, seed=2))
    assert run.generator.training, "sampling leaves the training mode as it was"


def test_saved_network_comes_back(tmp_path, tiny_recipe, squares):
    run = training.train(training.Run(tiny_recipe, squares, device="cpu"), steps=2)
    card = training.save_network(run.sampler, tmp_path / "generator.safetensors", checkpoint.card_of(run))
    assert card["steps"] == 2 and card["images_seen"] == 16 and len(card["sha256"]) == 64
    for path in (tmp_path, tmp_path / "generator.safetensors"):
        network, again = training.load_network(path, "cpu")
        assert torch.equal(weights(network), weights(run.sampler)) and again == card
    (tmp_path / "card.json").unlink()
    network, again = training.load_network(tmp_path, "cpu")
    assert again["recipe"]["name"] == "tiny", "the card is in the file's header too"
    assert sorted(p.name for p in tmp_path.iterdir()) == ["generator.safetensors"], "no temporary file is left"


def test_a_network_with_a_spectral_norm_comes_back(tmp_path):
    network = networks.spectral_norm(networks.DCGANDiscriminator(width=2, hidden=8))
    images = torch.randn(4, 1, 28, 28)
    network(images)
    network.eval()
    card = training.save_network(network, tmp_path / "critic.safetensors", {})
    again, _ = training.load_network(tmp_path / "critic.safetensors", "cpu")
    assert card["network"]["spectral_norm"] is True
    assert torch.equal(again(images), network(images))


def test_damaged_networks_are_plain_errors(tmp_path):
    with pytest.raises(FileNotFoundError, match="neither a file"):
        training.load_network(tmp_path / "nothing")
    broken = tmp_path / "x.safetensors"
    broken.write_bytes(b"not a checkpoint at all")
    with pytest.raises(ValueError, match=r"x\.safetensors is damaged or is not a checkpoint"):
        training.load_network(broken)
    training.save_network(networks.DCGANGenerator(4, width=2), tmp_path / "g.safetensors", {})
    content = bytearray((tmp_path / "g.safetensors").read_bytes())
    content[-1] ^= 1
    (tmp_path / "g.safetensors").write_bytes(bytes(content))
    with pytest.raises(ValueError, match="checksums differ"):
        training.load_network(tmp_path / "g.safetensors")


def test_snapshots_make_a_film(tiny_recipe, squares, tmp_path):
    from PIL import Image

    from gan_course import plots

    snapshots = training.Snapshots(n=4, frames=3)
    training.train(training.Run(tiny_recipe, squares, device="cpu"), steps=9, callbacks=[snapshots])
    assert snapshots.stack().shape[1:] == (4, 1, 28, 28) and snapshots.steps[-1] == 9
    plots.film(snapshots, tmp_path / "film.gif")
    with Image.open(tmp_path / "film.gif") as film:
        assert film.n_frames >= 2


def test_a_run_of_an_older_version_is_a_plain_error(tiny_recipe, squares, tmp_path):
    from safetensors import safe_open
    from safetensors.torch import load_file, save_file

    run = training.train(training.Run(tiny_recipe, squares, device="cpu"), steps=1)
    path = tmp_path / "run.safetensors"
    checkpoint.save_run(run, path)
    with safe_open(path, "pt") as file:
        facts = json.loads(file.metadata()["run"])
    del facts["images_seen"]
    save_file(load_file(path), path, {"run": json.dumps(facts)})
    with pytest.raises(ValueError, match="older version of the course; train into another folder"):
        checkpoint.load_run(training.Run(tiny_recipe, squares, device="cpu"), path)
