"""The script behind lesson 11's table, at its smallest: rows, what they hold, and that none is run twice."""

import dataclasses
import importlib
import json
import mmap
import sys
import types
from pathlib import Path

import pytest

from gan_course import baselines, data, methods
from tools import make_readme_table

BENCHMARKS = str(Path(__file__).resolve().parent.parent / "benchmarks")
SMALL = {
    "vae": lambda shape: baselines.ImageVAE(4, 28, 1, width=4, hidden=8),
    "flow": lambda shape: baselines.Flow(shape, (4, 4), (1, 1)),
    "autoregressive": lambda shape: baselines.PixelCNN(shape, width=4, blocks=1),
    "ddpm": lambda shape: baselines.ImageDiffusion(shape, width=16, sample_steps=2),
    "rbm": lambda shape: baselines.RBM(shape, hidden=6, chain=3),
}


@pytest.fixture
def bake_off(monkeypatch):
    """The script with models, data and timings so small that a row takes a moment."""
    monkeypatch.syspath_prepend(BENCHMARKS)
    script = importlib.import_module("bake_off")
    for name, maker in SMALL.items():
        monkeypatch.setitem(
            methods.RECIPES, name, dataclasses.replace(methods.RECIPES[name], generator=maker, batch_size=8)
        )
    few = {split: data.load("fashion", split).subset(slice(0, 40)) for split in ("train", "test")}
    monkeypatch.setattr(script.data, "load", lambda name, split="train": few[split])
    monkeypatch.setattr(script, "in_a_child", lambda *_: 1.0)
    monkeypatch.setattr(script, "seconds_a_step", lambda *_: 0.5)
    return script


def run(script, monkeypatch, out, *options):
    monkeypatch.setattr(sys, "argv", ["bake_off.py", "--out", str(out), "--compared", "20", *options])
    script.main()
    return json.loads(out.read_text(encoding="utf-8"))


def test_rows_are_made_once_and_say_what_the_model_can(bake_off, monkeypatch, tmp_path, capsys):
    options = ("--seconds", "1", "--seeds", "1", "--sets", "fashion", "--names", "real, 16 levels", *SMALL)
    out = tmp_path / "rows.json"
    first = run(bake_off, monkeypatch, out, *options, "--most", "2")
    assert [row["name"] for row in first["rows"]] == ["real, 16 levels", "vae"] and set(
        first["costs"]["fashion"]
    ) == set(SMALL)
    result = run(bake_off, monkeypatch, out, *options)
    rows = {row["name"]: row for row in result["rows"]}
    assert len(result["rows"]) == 6 and result["rows"][:2] == first["rows"]
    assert all(rows[name]["steps"] == 2 and rows[name]["fake_images"] == 20 for name in SMALL)
    assert "bits_per_dimension" not in rows["rbm"]
    for name in ("vae", "flow", "autoregressive", "ddpm"):
        assert 1 < rows[name]["bits_per_dimension"] < 30, name
    level_bits = rows["autoregressive"]["bits_of_the_levels"]
    assert 3 < level_bits < 5 and rows["autoregressive"]["bits_per_dimension"] - level_bits < 4
    assert {row["name"]: row["seeds"] for row in result["table"]} == dict.fromkeys(rows, 1)
    run(bake_off, monkeypatch, out, *options)
    assert "nothing is missing" in capsys.readouterr().out
    with pytest.raises(SystemExit, match=r"was made with seconds 1\.0 and not 2\.0"):
        run(bake_off, monkeypatch, out, *options, "--seconds", "2")


def test_memory_is_read_from_the_system(bake_off):
    if not Path("/proc/self/status").exists():
        pytest.skip("only Linux has /proc")
    before = bake_off.status_mb("VmRSS")
    with mmap.mmap(-1, 50 * 2**20) as block:  # memory of its own; torch may have some left over from other tests
        block.write(b"x" * len(block))
        assert bake_off.status_mb("VmRSS") - before > 40
    assert bake_off.status_mb("VmHWM") >= bake_off.status_mb("VmRSS") - 1


@pytest.fixture
def as_shipped(monkeypatch):
    """The script as it is, and the result that ships."""
    monkeypatch.syspath_prepend(BENCHMARKS)
    script = importlib.import_module("bake_off")
    return script, json.loads((script.RESULTS / "bake_off.json").read_text(encoding="utf-8"))


def test_the_shipped_table_follows_from_its_rows_and_none_is_missing(as_shipped):
    script, result = as_shipped
    settings = {"seconds": result["seconds"], "compared": result["compared"]}
    again = json.loads(json.dumps(script.summary(result["rows"], settings, result["costs"])))
    made_elsewhere = ("hardware", "torch")  # of the machine that the table was made on
    assert {key: value for key, value in again.items() if key not in made_elsewhere} == {
        key: value for key, value in result.items() if key not in made_elsewhere
    }
    seeds = {(row["data"], row["name"]): row["seeds"] for row in result["table"]}
    images = {(data_name, name): 3 for data_name in ("mnist", "fashion") for name in script.IMAGES}
    real = {(data_name, name): 1 for data_name in ("mnist", "fashion") for name in script.REAL}
    assert seeds == images | real | {("grid", name): 3 for name in script.POINTS}
    keys = [(row["data"], row["name"], row["seed"]) for row in result["rows"]]
    assert len(set(keys)) == len(keys) == 58


def test_the_readme_shows_the_shipped_table(as_shipped):
    text = (Path(BENCHMARKS).parent / "README.md").read_text(encoding="utf-8")
    assert make_readme_table.filled(text, as_shipped[1]) == text, "run python tools/make_readme_table.py"
    assert "| dcgan-fast | " in text
    with pytest.raises(SystemExit, match="needs a line '<!-- bake-off -->'"):
        make_readme_table.filled("# no marks", as_shipped[1])


def test_a_shipped_row_is_made_again_and_one_with_fewer_steps_is_worse(as_shipped):
    script, result = as_shipped
    rows = {(row["data"], row["name"], row["seed"]): row for row in result["rows"]}
    arguments = types.SimpleNamespace(seconds=3.0, compared=result["compared"])
    shipped = rows["fashion", "real", 0]
    real = script.judged_real("fashion", "real", arguments)
    for metric in ("frechet_distance", "kernel_distance", "precision", "recall", "density", "coverage"):
        assert real[metric] == pytest.approx(shipped[metric], abs=2e-3), metric
    cost = result["costs"]["fashion"]["vae"]
    short, full = script.judged_run("fashion", "vae", 0, cost, arguments), rows["fashion", "vae", 0]
    assert short["steps"] == pytest.approx(full["steps"] / 20, abs=1)
    assert short["frechet_distance"] > 1.5 * full["frechet_distance"] > 10 * real["frechet_distance"]
    assert 8 > short["bits_per_dimension"] > full["bits_per_dimension"] + 0.05
