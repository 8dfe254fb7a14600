"""Lesson 02's MLP generator against two discriminators: its own mirror image, and a convolutional one.

    python benchmarks/unequal_pair.py [--seeds 3] [--most ROWS] [--out FILE]

Everything but the discriminator is the recipe `vanilla`. A convolutional step costs several times as much, so this pair
gets fewer steps; after every 150 steps 5,000 samples are judged by FD (digit features) against the first 5,000 test
images, and by their spread: the standard deviation of a pixel over the samples, averaged over the pixels, as a share of
that of the test images (0: all samples are one image). Nothing is chosen by either. Rows that the result file already
holds are not run again.
"""

from __future__ import annotations

import itertools
import json
from dataclasses import replace

import torch
from table import RESULTS, missing, parser, spread, stored, write
from torch import Tensor, nn

from gan_course import data, device, methods, metrics, training

SAMPLES = 5_000
EVERY = 150  # steps from one snapshot to the next


class ConvDiscriminator(nn.Module):
    """(N, 1, 28, 28) to logits (N,): 64, then 128 filters of 5x5 with stride 2, LeakyReLU(0.2), Dropout(0.3)."""

    def __init__(self):
        super().__init__()
        self.layers = nn.Sequential(
            nn.Conv2d(1, 64, 5, stride=2, padding=2), nn.LeakyReLU(0.2), nn.Dropout(0.3),
            nn.Conv2d(64, 128, 5, stride=2, padding=2), nn.LeakyReLU(0.2), nn.Dropout(0.3),
            nn.Flatten(), nn.Linear(128 * 7 * 7, 1),
        )  # fmt: skip

    def forward(self, images: Tensor) -> Tensor:
        return self.layers(images).squeeze(1)


EQUAL = methods.RECIPES["vanilla"]
UNEQUAL = replace(EQUAL, name="vanilla-conv-d", discriminator=lambda shape: ConvDiscriminator())
STEPS = {EQUAL.name: 2_100, UNEQUAL.name: 600}


def main() -> None:
    """Run what is missing, then write all rows and their summary."""
    options = parser(__doc__, RESULTS / "unequal_pair.json")
    options.add_argument("--seeds", type=int, default=3)
    arguments = options.parse_args()
    rows = stored(arguments.out)
    recipes = {recipe.name: recipe for recipe in (EQUAL, UNEQUAL)}
    wanted = missing(itertools.product(range(arguments.seeds), recipes), rows, ("seed", "name"))
    images, test = data.load("mnist"), data.load("mnist", "test").images[:SAMPLES]
    extractor = metrics.extractor_for("mnist", images.image_shape, torch.device("cpu"))
    for seed, name in wanted[: arguments.most]:
        snapshots = judged_run(recipes[name], images, seed, extractor, test)
        rows.append({"name": name, "seed": seed, "snapshots": snapshots})
        print(name, seed, json.dumps(snapshots[-1]), flush=True)
        write(arguments.out, summary(rows))


def judged_run(recipe, images, seed, extractor, test) -> list[dict[str, float]]:
    """One training; for every EVERY steps the mean losses and answers, FD, spread, training seconds."""
    run, rows = training.Run(recipe, images, seed, "cpu"), []
    real_features, real_spread = extractor(test), data.to_float(test).std(0).mean().item()
    for stop in range(EVERY, STEPS[recipe.name] + 1, EVERY):
        training.train(run, steps=stop, log_every=EVERY)
        fake = training.sample(run.sampler, SAMPLES, seed=1)
        distance = metrics.frechet_distance(real_features, extractor(data.to_uint8(fake)))
        spread_share = fake.std(0).mean().item() / real_spread
        row = {**run.history[-1], "frechet_distance": distance, "spread": spread_share}
        rows.append({key: round(value, 3) for key, value in row.items()})
    return rows


def summary(rows: list[dict]) -> dict:
    """The whole result: provenance, FD after a few steps and at the end over the seeds, and the rows."""
    checked = (2 * EVERY, *STEPS.values())
    return {
        "script": "benchmarks/unequal_pair.py",
        "steps": STEPS,
        "seeds": sorted({row["seed"] for row in rows}),
        "features": "digit features",
        "samples": SAMPLES,
        "hardware": device.describe(torch.device("cpu")),
        "torch": torch.__version__,
        "frechet_distance": {
            f"{name}, {steps} steps": distance_after(rows, name, steps)
            for name in STEPS
            for steps in sorted({steps for steps in checked if steps <= STEPS[name]})
        },
        "rows": rows,
    }


def distance_after(rows: list[dict], name: str, steps: int) -> dict[str, float] | None:
    """Mean and standard deviation over the seeds of FD after so many steps; None without any."""
    snapshots = [snapshot for row in rows if row["name"] == name for snapshot in row["snapshots"]]
    values = [snapshot["frechet_distance"] for snapshot in snapshots if snapshot["step"] == steps]
    return spread(values, 1) if values else None


if __name__ == "__main__":
    main()
