"""Two processes train as one would: the same weights from the same global batch, noise and interpolation numbers."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from gan_course.training import distributed

SCRIPT = Path(__file__).with_name("distributed_run.py")
TORCHRUN = ("-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2")


@pytest.fixture(scope="module")
def folders(tmp_path_factory):
    """The folders that one process and two processes wrote, started at the same time."""
    environment = os.environ | {
        "OMP_NUM_THREADS": "1",
        "GLOO_SOCKET_IFNAME": "lo",
        "PYTHONPATH": os.pathsep.join([str(SCRIPT.parent.parent), os.environ.get("PYTHONPATH", "")]),
    }
    one, two = tmp_path_factory.mktemp("one"), tmp_path_factory.mktemp("two")
    commands = [[sys.executable, SCRIPT, one], [sys.executable, *TORCHRUN, SCRIPT, two]]
    started = [subprocess.Popen(command, env=environment, stderr=subprocess.PIPE, text=True) for command in commands]
    for process in started:
        _, errors = process.communicate(timeout=240)
        assert process.returncode == 0, errors
    return one, two


def weights(folder: Path, part: str) -> torch.Tensor:
    return torch.cat([tensor.flatten() for tensor in load_file(folder / f"{part}-0.safetensors").values()])


def facts(folder: Path) -> dict:
    return json.loads((folder / "facts.json").read_text(encoding="utf-8"))


@pytest.mark.parametrize("run", ["right", "told"])
@pytest.mark.parametrize("part", ["generator", "discriminator"])
def test_two_processes_equal_one(folders, run, part):
    one, two = (weights(folder / run, part) for folder in folders)
    assert torch.allclose(one, two, atol=1e-5, rtol=0), (one - two).abs().max()


def test_two_processes_have_the_average_of_one(folders):
    one, two = (weights(folder / "right", "sampler") for folder in folders)
    assert torch.allclose(one, two, atol=1e-5, rtol=0), (one - two).abs().max()


@pytest.mark.parametrize("mistake", ["no_average", "own_numbers", "labels_of_others"])
@pytest.mark.parametrize("part", ["generator", "discriminator"])
def test_the_mistakes_would_be_noticed(folders, mistake, part):
    """Gradients that are not averaged; interpolation numbers that both processes draw alike for different images;
    labels that are those of the first process."""
    one, two = (weights(folder / mistake, part) for folder in folders)
    assert (one - two).abs().max() > 1e-4


def test_two_processes_report_the_losses_and_images_of_the_whole_batch(folders):
    one, two = (facts(folder / "right") for folder in folders)
    assert (one["processes"], two["processes"]) == (1, 2)
    assert one["images_seen"] == two["images_seen"] == 6 * 2 * 16
    for row, other in zip(one["history"], two["history"], strict=True):
        assert row["step"] == other["step"]
        assert row["d_loss"] == pytest.approx(other["d_loss"], abs=1e-5)
        assert row["g_loss"] == pytest.approx(other["g_loss"], abs=1e-5)


def test_the_first_process_alone_writes(folders):
    names = sorted(path.name for path in (folders[1] / "right").glob("*.safetensors"))
    assert names == ["discriminator-0.safetensors", "generator-0.safetensors", "sampler-0.safetensors"]


def test_a_batch_is_divided_evenly_or_not_at_all(monkeypatch):
    monkeypatch.setattr(distributed, "size", lambda: 2)
    monkeypatch.setattr(distributed.dist, "get_rank", lambda: 1)
    assert torch.equal(distributed.part(torch.arange(6)), torch.tensor([3, 4, 5]))
    with pytest.raises(ValueError, match="A batch of 7 cannot be divided among 2 processes"):
        distributed.part(torch.arange(7))


def test_alone_there_is_nothing_to_do():
    batch = torch.arange(7)
    assert distributed.part(batch) is batch and distributed.size() == 1 and distributed.is_first()
    assert distributed.agree(3.5, True) == (3.5, True)
