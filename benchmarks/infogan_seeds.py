"""What InfoGAN's codes find on MNIST without labels, over several seeds, with the bound and without it (lesson 07).

    OMP_NUM_THREADS=1 python benchmarks/infogan_seeds.py [NAME ...] [--steps 3000] [--seeds 5] [--most N]

Each row is one training of one of four recipes: with the bound in G's loss or without it, and with a category that
weighs as much as the noise in G's input (`infogan-fast`) or the paper's, which the noise drowns (`-quiet`). It says
- how far the categorical code agrees with the digits, under the best matching: the code that was asked for against what
  the course's classifier sees in 10,000 generated images, and the code that Q reads in the 10,000 real test images
  against their labels;
- the two bounds in nats, their mean over the last 200 steps;
- what the continuous codes do: within a category, the correlation of each code with slant, width and thickness over the
  generated images; and how much each shape changes, in units of its standard deviation, when the code alone goes from
  -1 to 1;
- the usual metrics of 5,000 generated against the test images.
Rows that the result file already holds are not run again.
"""

from __future__ import annotations

import json
import statistics
import time

import torch
from table import RESULTS, missing, parser, rounded, spread, stored, write

from gan_course import data, device, methods, metrics, training

NAMES = ("infogan-fast", "infogan-fast-no-bound", "infogan-fast-quiet", "infogan-fast-quiet-no-bound")
SAMPLES, JUDGED, SWEPT = 10_000, 5_000, 1_000
SUMMARISED = (
    "purity_generated",
    "purity_real",
    "category_information",
    "continuous_information",
    "strongest_effect",
    "frechet_distance",
    "precision",
    "recall",
)


def main() -> None:
    """Run what is missing, at most --most rows of it, and write all rows and their summary."""
    options = parser(__doc__, RESULTS / "infogan_seeds.json")
    options.add_argument("names", nargs="*", default=NAMES)
    options.add_argument("--steps", type=int, default=3_000)
    options.add_argument("--seeds", type=int, default=5)
    arguments = options.parse_args()
    rows = stored(arguments.out)
    wanted = [(name, seed) for seed in range(arguments.seeds) for name in arguments.names]
    wanted = missing(wanted, rows, ("name", "seed"))
    if not wanted:
        return print("nothing is missing")
    torch.set_num_threads(1)
    images, test = data.load("mnist"), data.load("mnist", "test")
    for name, seed in wanted[: arguments.most]:
        rows.append(judged_run(methods.RECIPES[name], images, test, seed, arguments.steps))
        print(json.dumps({key: value for key, value in rows[-1].items() if key != "table"}), flush=True)
        write(arguments.out, summary(rows, arguments.steps))


def judged_run(recipe, images, test, seed: int, steps: int, samples: int = SAMPLES) -> dict:
    """One training, and all that is asked of it."""
    run, started = training.Run(recipe, images, seed, "cpu"), time.process_time()
    training.train(run, steps=steps)
    seconds = time.process_time() - started
    generator = run.sampler.eval()
    drawn, codes = with_codes(generator, samples, seed=1)
    extractor = metrics.extractor_for("mnist", test.image_shape, torch.device("cpu"))
    on_generated = metrics.purity(codes.category, extractor.classify(data.to_uint8(drawn)))
    on_real = metrics.purity(q_of(run.discriminator, test.images), test.labels)
    shapes, effects = metrics.stroke_shape(drawn), effect_of_codes(generator)
    correlations = [
        [metrics.correlation_within(code, shape, codes.category) for shape in shapes] for code in codes.continuous.T
    ]
    row = {"name": recipe.name, "seed": seed, "steps": run.step, "seconds": seconds}
    row |= {"purity_generated": on_generated.matched, "purity_real": on_real.matched}
    row |= {name: mean_of_last(run.history, name) for name in ("category_information", "continuous_information")}
    row |= {"strongest_effect": effects.abs().max().item(), **metrics.compare(test.images, drawn[:JUDGED], extractor)}
    return rounded(row) | {
        "shapes": list(shapes._fields),
        "correlations": [[round(value, 3) for value in code] for code in correlations],
        "effects": [[round(value, 3) for value in code] for code in effects.tolist()],
        "matching": on_generated.matching.tolist(),
        "table": on_generated.table.tolist(),
    }


def with_codes(generator, n: int, seed: int):
    """`n` images and the codes that drew them."""
    z = torch.randn(n, generator.latent_dim, generator=torch.Generator().manual_seed(seed))
    return training.sample(generator, n, seed), generator.codes(z)


@torch.inference_mode()
def q_of(discriminator, images: torch.Tensor) -> torch.Tensor:
    """The category that Q reads in real images (N, 1, H, W), uint8; int64 (N,)."""
    discriminator.eval()
    found = [discriminator(data.to_float(part)).category_logits.argmax(1) for part in images.split(250)]
    discriminator.train()
    return torch.cat(found)


@torch.inference_mode()
def effect_of_codes(generator, n: int = SWEPT) -> torch.Tensor:
    """Mean change of slant, width and thickness when one code goes from -1 to 1, (codes, 3).

    In units of each shape's standard deviation within a category, so that pixels and slants can be compared.
    """
    z = torch.randn(n, generator.latent_dim, generator=torch.Generator().manual_seed(2))
    codes, effects = generator.codes(z), []
    shapes = torch.stack(metrics.stroke_shape(generator(z)))  # (3, n)
    within = (
        torch.stack([shapes[:, codes.category == category].var(1) for category in codes.category.unique()])
        .mean(0)
        .sqrt()
    )  # (3,)
    for code in range(codes.continuous.shape[1]):
        ends = []
        for value in (-1.0, 1.0):
            moved = codes.continuous.clone()
            moved[:, code] = value
            ends.append(torch.stack(metrics.stroke_shape(generator.draw(codes.noise, codes.category, moved))))
        effects.append((ends[1] - ends[0]).mean(1) / within)
    return torch.stack(effects)


def mean_of_last(history: list[dict], name: str, rows: int = 4) -> float:
    """The mean over the last rows of a history, of 50 steps each."""
    return statistics.mean(row[name] for row in history[-rows:])


def summary(rows: list[dict], steps: int) -> dict:
    """The whole result: provenance, mean and standard deviation of each number, and the rows."""
    table = {}
    for name in NAMES:
        mine = [row for row in rows if row["name"] == name]
        if mine:
            table[name] = {key: with_ends([row[key] for row in mine]) for key in SUMMARISED}
    return {
        "script": "benchmarks/infogan_seeds.py",
        "data": "mnist",
        "steps": steps,
        "seeds": sorted({row["seed"] for row in rows}),
        "samples": SAMPLES,
        "hardware": device.describe(torch.device("cpu")),
        "torch": torch.__version__,
        "settings": {name: methods.RECIPES[name].settings() for name in NAMES},
        "table": table,
        "rows": rows,
    }


def with_ends(values: list[float]) -> dict[str, float]:
    """Mean and standard deviation over the seeds, and both ends."""
    return spread(values, 3) | {"min": round(min(values), 3), "max": round(max(values), 3)}


if __name__ == "__main__":
    main()
