"""The command line as a user types it: train, stop, go on, sample, evaluate, doctor, and every kind of bad input."""

import json
import os
import signal
import subprocess
import sys
import time

import numpy as np
import pytest
import torch
from PIL import Image

from gan_course.__main__ import main


def run(*arguments):
    return main([str(argument) for argument in arguments])


@pytest.fixture
def pictures(tmp_path):
    folder = tmp_path / "pictures"
    folder.mkdir()
    rng = np.random.default_rng(0)
    for i in range(40):
        array = np.full((48, 64, 3), i * 6, np.uint8)
        array[rng.integers(30) :, : rng.integers(1, 60)] = rng.integers(256, size=3)
        Image.fromarray(array).save(folder / f"{i:02d}.png")
    return folder


def test_from_a_folder_of_pictures_to_samples_and_numbers(pictures, tmp_path, capsys):
    out = tmp_path / "run"
    assert run("train", "dcgan-fast", "--data", pictures, "--out", out, "--steps", 3) == 0
    assert {"generator.safetensors", "card.json", "samples.png", "log.jsonl"} <= {p.name for p in out.iterdir()}
    card = json.loads((out / "card.json").read_text())
    assert card["steps"] == 3 and card["image_shape"] == [3, 32, 32] and card["data"] == "pictures"
    with Image.open(out / "samples.png") as grid:
        assert grid.width > 300 and grid.mode == "RGB"

    assert run("sample", out, "-n", 5, "--out", tmp_path / "five.npy") == 0
    array = np.load(tmp_path / "five.npy")
    assert array.shape == (5, 3, 32, 32) and array.dtype == np.float32 and np.abs(array).max() <= 1
    assert run("sample", out / "generator.safetensors", "-n", 5, "--out", tmp_path / "again.npy") == 0
    assert np.array_equal(array, np.load(tmp_path / "again.npy")), "one seed, one set of samples"

    capsys.readouterr()
    # A folder this small is its own test split in part: 4 of 40 files; k = 5 neighbours need more.
    assert run("evaluate", out, "--data", pictures, "-n", 50) == 1
    assert "at least 6 are needed" in capsys.readouterr().err


def test_evaluate_writes_a_table_json_and_a_page(tmp_path, capsys):
    numbers, page = tmp_path / "numbers.json", tmp_path / "page.html"
    arguments = ("evaluate", "dcgan-fast-mnist", "dcgan-mnist", "--data", "mnist", "-n", 300)
    assert run(*arguments, "--json", numbers, "--html", page) == 0
    out = capsys.readouterr().out
    assert "On digit features: 300 generated images" in out and "FID" not in out
    rows = json.loads(numbers.read_text())
    assert [row["checkpoint"] for row in rows] == ["dcgan-fast-mnist", "dcgan-mnist"]
    assert rows[0]["frechet_distance"] > 0 and rows[0]["features"] == "digit features"
    text = page.read_text(encoding="utf-8")
    assert text.count("<img alt=") == 3 and 'src="http' not in text and "dcgan-mnist" in text


def start_training(out, *more):
    command = [sys.executable, "-m", "gan_course", "train", "dcgan-fast", "--data", "mnist", "--out", str(out), *more]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)


def wait_for(path, process, seconds=100):
    deadline = time.monotonic() + seconds
    while not path.exists():
        assert process.poll() is None and time.monotonic() < deadline, process.stdout.read()
        time.sleep(0.1)


def test_ctrl_c_loses_nothing(tmp_path):
    process = start_training(tmp_path, "--seconds", "300")
    wait_for(tmp_path / "plan.json", process)
    time.sleep(2)
    process.send_signal(signal.SIGINT)
    out, _ = process.communicate(timeout=100)
    assert process.returncode == 130, out
    assert "Stopped by hand" in out and "--resume" in out and "Traceback" not in out
    assert (tmp_path / "generator.safetensors").exists() and (tmp_path / "run.safetensors").exists()


@pytest.mark.skipif(os.name == "nt", reason="Windows has no SIGKILL")
def test_killed_run_goes_on_from_its_checkpoint(tmp_path, capsys):
    process = start_training(tmp_path, "--steps", "100000", "--seed", "3", "--checkpoint-every", "1")
    wait_for(tmp_path / "run.safetensors", process)
    process.kill()
    process.communicate(timeout=60)
    assert not (tmp_path / "generator.safetensors").exists(), "it had no time to finish"
    assert run("train", "dcgan-fast", "--data", "mnist", "--out", tmp_path, "--steps", 1000000) == 1
    assert "holds a run already; go on with it by --resume" in capsys.readouterr().err
    from gan_course import data, methods, training
    from gan_course.training import checkpoint

    state = training.Run(methods.RECIPES["dcgan-fast"], data.load("mnist"), seed=3, device="cpu")
    checkpoint.load_run(state, tmp_path / "run.safetensors")
    assert state.step > 0
    goal = state.step + 2
    assert run("train", "dcgan-fast", "--data", "mnist", "--out", tmp_path, "--resume", "--steps", goal) == 0
    assert f"Going on after step {state.step}." in capsys.readouterr().out
    assert json.loads((tmp_path / "card.json").read_text())["steps"] == goal


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("train", "dcgna", "--data", "mnist", "--out", "OUT"), "the recipes are vanilla, dcgan, dcgan-fast"),
        (("train", "dcgan", "--data", "mnits", "--out", "OUT"), "neither a folder nor a set"),
        (("train", "dcgan", "--data", "mnist", "--out", "OUT", "--resume"), "holds no run to go on with"),
        (("sample", "nothing", "--out", "OUT.png"), "is no checkpoint.*dcgan-fast-mnist"),
        (("sample", "dcgan-fast-mnist", "--out", "OUT.jpg"), r"must end in \.png for a grid or \.npy"),
        (("sample", "dcgan-fast-mnist", "--out", "OUT.png", "--label", "3"), "knows no classes"),
        (("sample", "features-digits", "--out", "OUT.png"), "is a SmallClassifier, not a generator"),
        (("evaluate", "dcgan-fast-mnist", "--data", "emoji-noto"), r"draws images of shape \(1, 28, 28\), but"),
    ],
)
def test_bad_input_is_one_sentence(arguments, message, tmp_path, capsys):
    assert run(*(str(a).replace("OUT", str(tmp_path / "out")) for a in arguments)) == 1
    error = capsys.readouterr().err
    assert error.startswith("error: ") and error.count("\n") == 1
    import re

    assert re.search(message, error), error


@pytest.mark.parametrize("steps", ["0", "-3", "many", "nan"])
def test_bad_numbers_are_refused(steps, tmp_path, capsys):
    with pytest.raises(SystemExit):
        run("train", "dcgan", "--data", "mnist", "--out", tmp_path, "--seconds", steps)
    assert "is not a number above 0" in capsys.readouterr().err


def test_doctor_examines_everything(capsys, monkeypatch):
    assert run("doctor") == 0
    out = capsys.readouterr().out
    for name in ("Python", "torch", "device", "memory", "disk", "files", "speed", "training"):
        assert f"{name} " in out
    from gan_course.data import sources

    monkeypatch.setattr(sources, "verify", lambda: {"mnist.npz": "mnist.npz is damaged."})
    assert run("doctor") == 1
    assert "PROBLEM" in capsys.readouterr().out


def test_evaluate_draws_the_samples_of_sample_and_compares_as_compare(tmp_path):
    """One pass in batches, with a bar, gives the numbers of all samples at once."""
    from gan_course import data, metrics, training

    numbers = tmp_path / "numbers.json"
    arguments = ("--data", "mnist", "-n", 700, "--seed", 5, "--json", numbers)
    assert run("evaluate", "projection-mnist", *arguments) == 0
    (row,) = json.loads(numbers.read_text())
    generator, _ = training.load_network("projection-mnist")
    real = data.load("mnist", "test")
    rows = torch.randint(len(real), (700,), generator=torch.Generator().manual_seed(5))
    fake = training.sample(generator, 700, 5, labels=real.labels[rows])
    wanted = metrics.compare(real.images, fake, metrics.extractor_for("mnist", (1, 28, 28)))
    assert row["features"] == wanted.pop("features")
    assert {key: row[key] for key in wanted} == pytest.approx(wanted, rel=1e-6)


def test_a_judged_generator_keeps_its_mode_even_when_the_features_fail():
    from gan_course import metrics, training

    generator, _ = training.load_network("dcgan-fast-mnist", "cpu")
    extractor = metrics.extractor_for("emoji-noto", (3, 32, 32), torch.device("cpu"))
    generator.train()
    with pytest.raises(ValueError, match="made for images of shape"):
        metrics.judge(generator, torch.zeros(10, 128), extractor, n=20)
    assert generator.training
