"""Every baseline through the one loop: steps, an exact resume, samples, checkpoints and the command line."""

import dataclasses
import json

import pytest
import torch

from gan_course import baselines, data, methods, training
from gan_course.__main__ import main
from gan_course.networks import build
from gan_course.training import checkpoint

SMALL = {
    "vae": lambda shape: baselines.ImageVAE(4, 28, 1, width=4, hidden=8),
    "rbm": lambda shape: baselines.RBM(shape, hidden=6, chain=3),
    "autoregressive": lambda shape: baselines.PixelCNN(shape, width=4, blocks=1),
    "flow": lambda shape: baselines.Flow(shape, (4, 4), (1, 1)),
    "ddpm": lambda shape: baselines.ImageDiffusion(shape, width=16, sample_steps=2),
}


def small(name):
    return dataclasses.replace(methods.RECIPES[name], generator=SMALL[name], batch_size=8)


def weights(network):
    return torch.cat([tensor.flatten().float() for tensor in network.state_dict().values()])


@pytest.mark.parametrize("name", SMALL)
def test_a_step_trains_the_model_and_its_average(name, squares):
    run = training.Run(small(name), squares, device="cpu")
    before, before_average = weights(run.generator), weights(run.sampler)
    training.train(run, steps=4, log_every=2)
    assert not torch.equal(weights(run.generator), before) and not torch.equal(weights(run.sampler), before_average)
    assert [set(row) for row in run.history] == [{"step", "seconds", "g_loss"}] * 2 and run.images_seen == 32
    assert run.g_optimizer.param_groups[0]["lr"] == pytest.approx(run.recipe.g_learning_rate / 4)


@pytest.mark.parametrize("name", SMALL)
def test_a_resumed_run_is_bit_for_bit_the_same(name, squares, tmp_path):
    recipe = small(name)
    whole = training.train(training.Run(recipe, squares, seed=5, device="cpu"), steps=6, log_every=2)

    class Save(training.callbacks.Callback):
        def on_step(self, run):
            if run.step == 3:
                checkpoint.save_run(run, tmp_path / "run.safetensors")

    training.train(training.Run(recipe, squares, seed=5, device="cpu"), steps=6, callbacks=[Save()], log_every=2)
    torch.manual_seed(99)
    second = training.Run(recipe, squares, seed=5, device="cpu")
    checkpoint.load_run(second, tmp_path / "run.safetensors")
    assert second.step == 3
    training.train(second, steps=6, log_every=2)
    assert torch.equal(weights(whole.generator), weights(second.generator))
    assert torch.equal(weights(whole.sampler), weights(second.sampler))
    assert whole.history[-1]["g_loss"] == second.history[-1]["g_loss"]


@pytest.mark.parametrize("name", SMALL)
def test_samples_depend_on_their_seed_alone_and_survive_a_file(name, squares, tmp_path):
    run = training.train(training.Run(small(name), squares, device="cpu"), steps=2)
    first = training.sample(run.sampler, 5, seed=1, batch_size=3)
    assert first.shape == (5, 1, 28, 28) and first.abs().max() <= 1 and first.dtype == torch.float32
    assert torch.allclose(first, training.sample(run.sampler, 5, seed=1), atol=1e-5)
    assert not torch.equal(first, training.sample(run.sampler, 5, seed=2))
    card = training.save_network(run.sampler, tmp_path / "generator.safetensors", checkpoint.card_of(run))
    again, _ = training.load_network(tmp_path, "cpu")
    difference = training.sample(again, 5, seed=1) - training.sample(run.sampler, 5, seed=1)
    assert difference.abs().mean() < 1e-3  # the layout in memory differs, and with it the order of sums
    assert card["recipe"]["loss"] == run.loss.__name__ and card["parameters"] > 0


@pytest.mark.parametrize("name", SMALL)
def test_the_recipe_s_own_model_is_rebuilt_from_its_config_and_small_enough_to_ship(name):
    model = methods.RECIPES[name].generator((1, 28, 28))
    again = build({"class": type(model).__name__, "arguments": model.config})
    assert {k: v.shape for k, v in again.state_dict().items()} == {k: v.shape for k, v in model.state_dict().items()}
    assert 2 * sum(tensor.numel() for tensor in model.state_dict().values()) < 3e6


@pytest.mark.parametrize("name", SMALL)
def test_parameters_are_about_those_of_dcgan_fast(name):
    """The pair has 574,362. A PixelCNN of that size would cost ten times the time: each weight works at 784 places."""
    model = methods.RECIPES[name].generator((1, 28, 28))
    count = sum(parameter.numel() for parameter in model.parameters())
    assert count < 60_000 if name == "autoregressive" else 0.85 < count / 574_362 < 1.05


@pytest.mark.parametrize("name", ["vae", "rbm", "flow", "ddpm"])
def test_colour_images_have_models_too(name):
    model = methods.RECIPES[name].generator((3, 32, 32)).eval()
    images = model(torch.randn(2, model.latent_dim, generator=torch.Generator().manual_seed(0)))
    assert images.shape == (2, 3, 32, 32) and images.abs().max() <= 1


@pytest.mark.parametrize("name", ["vae", "flow", "ddpm"])
def test_points_train_too(name):
    grid = data.toy.PointSet(data.toy.grid, name="grid of 25")
    run = training.train(training.Run(methods.RECIPES[name], grid, device="cpu"), steps=3)
    points = training.sample(run.sampler, 10, seed=1)
    assert points.shape == (10, 2) and points.isfinite().all()
    model = run.sampler
    again = build({"class": type(model).__name__, "arguments": model.config})
    again.load_state_dict(model.state_dict())
    assert torch.equal(training.sample(again, 10, seed=1), points)


def test_an_rbm_of_points_is_a_plain_error():
    grid = data.toy.PointSet(data.toy.grid, name="grid of 25")
    with pytest.raises(ValueError, match="An RBM draws bits"):
        training.Run(methods.RECIPES["rbm"], grid, device="cpu")


def test_a_pixelcnn_of_points_is_a_plain_error():
    grid = data.toy.PointSet(data.toy.grid, name="grid of 25")
    with pytest.raises(ValueError, match=r"grey images .* the shape \(2,\)"):
        training.Run(methods.RECIPES["autoregressive"], grid, device="cpu")


def test_the_rbm_starts_at_the_mean_of_the_data(squares):
    """And only in the first step; a resumed run keeps what it has learned."""
    run = training.Run(
        dataclasses.replace(small("rbm"), g_learning_rate=0.0, learning_rate_decay=False), squares, device="cpu"
    )
    training.train(run, steps=1)
    mean = squares.images.float().mean(0).flatten() / 255
    assert torch.allclose(run.generator.visible_bias.sigmoid(), mean.clamp(0.01, 0.99), atol=1e-5)
    assert torch.allclose(run.sampler.visible_bias, run.generator.visible_bias)
    with torch.no_grad():
        run.generator.visible_bias.zero_()
    training.train(run, steps=2)
    assert run.generator.visible_bias.abs().max() == 0


def test_nobody_judges(squares):
    run = training.Run(small("vae"), squares, device="cpu")
    assert sum(p.numel() for p in run.discriminator.parameters()) == 0
    with pytest.raises(RuntimeError, match="without a discriminator"):
        run.judge(torch.zeros(1, 1, 28, 28))


def test_train_resume_sample_and_evaluate_from_the_command_line(tmp_path, monkeypatch, capsys):
    monkeypatch.setitem(methods.RECIPES, "vae", small("vae"))
    folder = str(tmp_path / "run")
    assert main(["train", "vae", "--data", "fashion", "--out", folder, "--steps", "3"]) == 0
    assert main(["train", "vae", "--data", "fashion", "--out", folder, "--steps", "5", "--resume"]) == 0
    names = {path.name for path in (tmp_path / "run").iterdir()}
    assert {"samples.png", "generator.safetensors", "card.json", "run.safetensors"} <= names
    assert main(["sample", folder, "-n", "4", "--out", str(tmp_path / "x.png")]) == 0
    table = tmp_path / "rows.json"
    assert main(["evaluate", folder, "--data", "fashion", "-n", "60", "--json", str(table)]) == 0
    assert json.loads(table.read_text())[0]["frechet_distance"] > 0
    assert json.loads((tmp_path / "run" / "card.json").read_text())["steps"] == 5
