"""Every loss of the course on the same networks and the same budget, with and without a penalty on D, over three seeds.

    python benchmarks/loss_table.py [--seeds 0 1 2] [--most ROWS]

Networks, batch, average and decay are those of `dcgan-fast`, on MNIST. Its learning rates were found for one loss with
a penalty, so a gentler rate is taken for all, fixed before the first run; nothing was tuned after it. Each row trains
for the same number of steps on one CPU thread, so that a busy machine changes only how long it takes. The test split
judges once: 2,000 samples against its first 2,000 digits. Rows are added to assets/results/loss_table.json one by one;
a row that is there is not run again (delete the file for that). `--most` ends it after so many new rows.
"""

from __future__ import annotations

import argparse
import itertools
import json
from dataclasses import replace
from pathlib import Path

import torch

from gan_course import data, device, losses, methods, metrics, training
from gan_course.files import write_atomically

RESULT = Path(methods.__file__).parent / "assets" / "results" / "loss_table.json"
STEPS = 800
SAMPLES = 2_000
LEARNING_RATE = 1e-3
PENALTIES = ("none", "r1")
METRICS = ("frechet_distance", "kernel_distance", "precision", "recall")


def recipe(loss: str, penalty: str) -> methods.Recipe:
    """`dcgan-fast` with this loss, a gentler learning rate, and its R1 penalty or none."""
    return replace(
        methods.RECIPES["dcgan-fast"],
        name=f"{loss}, penalty {penalty}",
        loss=loss,
        g_learning_rate=LEARNING_RATE,
        d_learning_rate=LEARNING_RATE,
        penalty=methods.r1 if penalty == "r1" else None,
    )


def main() -> None:
    """Train and judge what is missing in the result."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2])
    parser.add_argument("--most", type=int, default=99)
    parser.add_argument("--out", type=Path, default=RESULT)
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    images, test = data.load("mnist", "train"), data.load("mnist", "test").images[:SAMPLES]
    made = 0
    for seed, penalty, loss in itertools.product(arguments.seeds, PENALTIES, losses.LOSSES):
        key = {"loss": loss, "penalty": penalty, "seed": seed}
        if made == arguments.most or key in keys(read(arguments.out, images, test)):
            continue
        row = key | judge(recipe(loss, penalty), seed, images, test)
        print(json.dumps(row), flush=True)
        result = read(arguments.out, images, test)  # anew, because another process may have added to it meanwhile
        if key not in keys(result):
            result["rows"].append(row)
            write_atomically(arguments.out, (json.dumps(result, indent=1) + "\n").encode())
        made += 1


def keys(result: dict) -> list[dict]:
    """What each row is of."""
    return [{name: row[name] for name in ("loss", "penalty", "seed")} for row in result["rows"]]


def judge(recipe: methods.Recipe, seed: int, images, test: torch.Tensor) -> dict:
    """Train a recipe from this seed and compare what it draws with the test images; None if a loss was no number."""
    run = training.Run(recipe, images, seed, "cpu")
    try:
        training.train(run, steps=STEPS)
        compared = compare(test, training.sample(run.sampler, len(test), seed=1))
    except FloatingPointError:
        compared = dict.fromkeys(METRICS)
    last = run.history[-1] if run.history else {}
    seen = {name: round(last[name], 4) for name in ("d_loss", "g_loss", "d_real", "d_fake") if name in last}
    return compared | seen | {"train_seconds": round(run.seconds, 1)}


def compare(real: torch.Tensor, other: torch.Tensor) -> dict[str, float]:
    """The four metrics, rounded, on digit features."""
    extractor = metrics.extractor_for("mnist", tuple(real.shape[1:]), torch.device("cpu"))
    compared = metrics.compare(real, other, extractor)
    return {name: round(compared[name], 4) for name in METRICS}


def read(path: Path, images, test: torch.Tensor) -> dict:
    """The result so far, or a new one without rows."""
    if path.is_file():
        return json.loads(path.read_text(encoding="utf-8"))
    settings = recipe("non_saturating", "r1").settings()
    return {
        "script": "benchmarks/loss_table.py",
        "steps": STEPS,
        "samples": SAMPLES,
        "features": "digit features",
        "settings": {key: value for key, value in settings.items() if key not in ("name", "source", "loss", "penalty")},
        "hardware": device.describe(torch.device("cpu")),
        "torch": torch.__version__,
        "real": compare(test, images.images[:SAMPLES]),
        "rows": [],
    }


if __name__ == "__main__":
    main()
