"""Translations on the command line: train, go on, evaluate; and what is said of the wrong data."""

import json

import pytest
from PIL import Image

from gan_course import data, plots, training
from gan_course.__main__ import main


def run(*arguments):
    return main([str(argument) for argument in arguments])


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    out = tmp_path_factory.mktemp("outlines") / "run"
    assert run("train", "pix2pix", "--data", "emoji-outlines", "--out", out, "--steps", 2) == 0
    return out


def test_train_writes_all_that_another_recipe_does(trained):
    assert {"generator.safetensors", "card.json", "samples.png", "log.jsonl"} <= {p.name for p in trained.iterdir()}
    card = json.loads((trained / "card.json").read_text())
    assert card["input_shape"] == [1, 32, 32] and card["image_shape"] == [3, 32, 32] and card["steps"] == 2
    assert card["recipe"]["translation"]["l1"] == 100 and card["network"]["class"] == "UNetGenerator"


def test_samples_are_inputs_outputs_and_targets(trained):
    """The first column holds test inputs, the third the targets."""
    pairs = data.load("emoji-outlines", "test")
    with Image.open(trained / "samples.png") as image:
        assert image.size == (2 * (12 * 34 - 2), 2 * (8 * 34 - 2)) and image.mode == "RGB"
        first, third = (image.crop((x, 0, x + 64, 64)).resize((32, 32), 0) for x in (0, 136))
    assert first.tobytes() == plots.to_pil(data.images.in_colour(pairs.inputs.images[:1])[0]).tobytes()
    assert third.tobytes() == plots.to_pil(pairs.targets.images[0]).tobytes()


def test_a_run_goes_on(tmp_path):
    assert run("train", "cyclegan", "--data", "emoji-styles", "--out", tmp_path, "--steps", 1) == 0
    assert run("train", "cyclegan", "--data", "emoji-styles", "--out", tmp_path, "--steps", 2, "--resume") == 0
    assert json.loads((tmp_path / "card.json").read_text())["steps"] == 2


def test_evaluate_judges_on_the_test_pairs(trained, tmp_path, capsys):
    numbers, page = tmp_path / "numbers.json", tmp_path / "page.html"
    assert run("evaluate", trained, "--data", "emoji-outlines", "--json", numbers, "--html", page) == 0
    out = capsys.readouterr().out
    assert "the input, copied" in out and "PSNR" in out and "On 382 pairs of emoji-outlines's test split" in out
    assert "above 0 where it is better: PSNR " in out
    rows = json.loads(numbers.read_text())
    assert [row["pairs"] for row in rows] == [382, 382]
    assert set(rows[1]["over_copying"]) == {"psnr", "ssim", "l1", "pixel_accuracy", "feature_distance"}
    assert page.read_text(encoding="utf-8").count("<img alt=") == 3


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (
            ("train", "dcgan-fast", "--data", "emoji-styles", "--out", "OUT"),
            "starts from noise, but 'emoji-styles' hol",
        ),
        (("train", "pix2pix", "--data", "mnist", "--out", "OUT"), "turns images into other images, but 'mnist' holds"),
        (("train", "cyclegan", "--data", "emoji-outlines", "--out", "OUT"), "or a recipe without this term"),
        (("sample", "TRAINED", "--out", "OUT.png"), "it has no samples of its own; judge it on pairs"),
        (("evaluate", "TRAINED", "--data", "emoji-noto"), "judge it on pairs (emoji-outlines, emoji-styles)"),
        (("evaluate", "TRAINED", "--data", "emoji-styles"), "but 'emoji-styles' holds pairs of (3, 32, 32)"),
        (("evaluate", "dcgan-mnist", "--data", "emoji-styles"), "there are no pairs to judge it on"),
        (("evaluate", "features-emoji", "--data", "emoji-styles"), "is a SmallClassifier, not a generator"),
    ],
)
def test_bad_input_is_one_sentence(arguments, message, trained, tmp_path, capsys):
    arguments = (a.replace("OUT", str(tmp_path / "out")).replace("TRAINED", str(trained)) for a in arguments)
    assert run(*arguments) == 1
    error = capsys.readouterr().err
    assert error.startswith("error: ") and error.count("\n") == 1 and message in error, error


def test_snapshots_of_a_translation():
    from gan_course import methods

    pairs = data.load("emoji-styles").subset(slice(0, 8))
    state = training.Run(methods.RECIPES["pix2pix-l1"], pairs, device="cpu")
    snapshots = training.Snapshots(n=3, frames=3, inputs=pairs.inputs.images[:3])
    training.train(state, steps=3, callbacks=[snapshots])
    assert snapshots.stack().shape[1:] == (3, 3, 32, 32)
    with pytest.raises(ValueError, match="starts from images and not from noise"):
        training.sample(state.sampler, 3)


def test_beside_puts_groups_in_turn():
    pairs = data.load("emoji-outlines", "test").subset(slice(0, 2))
    images = plots.beside(pairs.inputs.images, data.to_float(pairs.targets.images), pairs.targets.images)
    assert images.shape == (6, 3, 32, 32)
    assert (images[0] == pairs.inputs.images[0]).all() and (images[3] == pairs.inputs.images[1]).all()
    assert (images[4] == pairs.targets.images[1]).all() and (images[2] == pairs.targets.images[0]).all()
