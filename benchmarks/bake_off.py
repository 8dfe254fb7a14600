"""GANs beside a VAE, an RBM, a PixelCNN, a flow and a diffusion model after the same time on one core, over seeds.

    OMP_NUM_THREADS=1 python benchmarks/bake_off.py [--seconds 60] [--seeds 3] [--sets ...] [--names ...] [--most N]

Every model sees the same MNIST and Fashion-MNIST images through the one loop, and has about as many parameters as the
pair of `dcgan-fast`; `wgan-gp-fast` has half as many, and the PixelCNN a thirteenth, since each of its weights works at
all 784 places. The steps of all recipes are timed once, before the first run: `--most 0` does that alone, with nothing
else on the machine. Every run makes as many steps as fit into the budget by that measure, so what runs beside it later
does not matter.

Each run is judged once, on the test split: all metrics of as many samples as there are test images, 5,000 at most; and
where the model says one, a likelihood or a bound on it, in bits per dimension of 8-bit images. The PixelCNN's is that
of its 16 levels plus what these leave open (`bits_inside_levels`). Milliseconds a sample are processor time in batches
of 500; memory is the most that a fresh process takes for ten steps, and for 500 samples, beyond what it had with data
and model loaded.

The rows "real" and "real, 16 levels" put images of the training split in the place of samples: what a model could
reach, and what one of 16 levels could. The set "grid" is the grid of 25 points, with the point models of those families
that have one, judged by modes. Rows that the result file already holds are not run again.
"""

from __future__ import annotations

import itertools
import json
import multiprocessing
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace
from pathlib import Path

import torch
from search_toy_modes import SETS as POINT_SETS
from search_toy_modes import judged as judged_points
from table import RESULTS, before, missing, parser, rounded, seconds_a_step, spread, write

from gan_course import baselines, data, device, methods, metrics, training
from gan_course.baselines.autoregressive import bits_inside_levels
from gan_course.networks.blocks import count_parameters

IMAGES = ("dcgan-fast", "wgan-gp-fast", "vae", "rbm", "autoregressive", "flow", "ddpm")
POINTS = ("points-fast", "vae", "flow", "ddpm")
REAL = ("real", "real, 16 levels")
SETS = ("mnist", "fashion", "grid")
COMPARED, POINTS_DRAWN, DDPM_DRAWS = 5_000, 20_000, 5
POINT_BATCH = 512
METRICS = ("frechet_distance", "kernel_distance", "precision", "recall", "density", "coverage", "bits_per_dimension")
METRICS += ("modes", "high_quality", "kl", "ms_a_sample", "seconds", "steps")


def main() -> None:
    """Run what is missing, at most --most rows of it, and write all rows and their summary."""
    options = parser(__doc__, RESULTS / "bake_off.json")
    options.add_argument("--seconds", type=float, default=60)
    options.add_argument("--seeds", type=int, default=3)
    options.add_argument("--sets", nargs="+", choices=SETS, default=SETS)
    options.add_argument("--names", nargs="+", default=list(dict.fromkeys((*REAL, *IMAGES, *POINTS))))
    options.add_argument("--compared", type=int, default=COMPARED, help="samples of images, at most")
    arguments = options.parse_args()
    settings = {"seconds": arguments.seconds, "compared": arguments.compared}
    result = before(arguments.out, **settings)
    wanted = [(data, name, 0) for data in arguments.sets for name in REAL if data != "grid"]
    wanted += [
        (data, name, seed)
        for seed, data in itertools.product(range(arguments.seeds), arguments.sets)
        for name in (POINTS if data == "grid" else IMAGES)
    ]
    wanted = [key for key in missing(wanted, result["rows"], ("data", "name", "seed")) if key[1] in arguments.names]
    if not wanted:
        return print("nothing is missing")
    torch.set_num_threads(1)
    costs = result.get("costs", {})
    for data_name, name, _ in wanted:
        if name not in REAL and name not in costs.setdefault(data_name, {}):
            costs[data_name][name] = measured(data_name, name)
            print(data_name, name, json.dumps(costs[data_name][name]), flush=True)
            write(arguments.out, summary(result["rows"], settings, costs))
    for data_name, name, seed in wanted[: arguments.most]:
        cost = costs.get(data_name, {}).get(name)
        row = {"data": data_name, "name": name, "seed": seed}
        row |= judged_run(data_name, name, seed, cost, arguments) if cost else judged_real(data_name, name, arguments)
        result["rows"].append(rounded(row))
        print(json.dumps(result["rows"][-1]), flush=True)
        write(arguments.out, summary(result["rows"], settings, costs))


def training_data(name: str):
    """The images of the training split, or the points."""
    return POINT_SETS["grid"][0] if name == "grid" else data.load(name)


def recipe_of(data_name: str, name: str) -> methods.Recipe:
    """The recipe; for points the baselines have larger batches, which cost them little there."""
    recipe = methods.RECIPES[name]
    larger = data_name == "grid" and name != "points-fast"
    return replace(recipe, batch_size=POINT_BATCH) if larger else recipe


def measured(data_name: str, name: str) -> dict[str, float]:
    """What a recipe costs on this set, whatever the seed: seconds a step, parameters, and memory in MB."""
    images, recipe = training_data(data_name), recipe_of(data_name, name)
    run = training.Run(recipe, images, 99, "cpu")
    parameters = {part: count_parameters(getattr(run, part)) for part in ("generator", "discriminator")}
    memory = {f"{phase}_mb": in_a_child(data_name, name, phase) for phase in ("train", "sample")}
    return {
        "seconds_a_step": round(seconds_a_step(recipe, images), 5),
        "parameters": sum(parameters.values()),
        **memory,
    }


def in_a_child(data_name: str, name: str, phase: str) -> float:
    """`peak_memory` in a process of its own, which has done nothing else."""
    with ProcessPoolExecutor(1, multiprocessing.get_context("spawn")) as pool:
        return pool.submit(peak_memory, data_name, name, phase).result()


def peak_memory(data_name: str, name: str, phase: str) -> float:
    """The most memory in MB that ten steps, or 500 samples, take beyond data and model. Linux only.

    From /proc, since getrusage counts a parent's memory as well, and cannot forget how much the loading took.
    """
    torch.set_num_threads(1)
    run = training.Run(recipe_of(data_name, name), training_data(data_name), 0, "cpu")
    Path("/proc/self/clear_refs").write_text("5", encoding="ascii")  # VmHWM, the most so far, is VmRSS again
    before = status_mb("VmRSS")
    if phase == "train":
        training.train(run, steps=10)
    else:
        training.sample(run.sampler, 500)
    return round(status_mb("VmHWM") - before, 1)


def status_mb(key: str) -> float:
    """One line of /proc/self/status, in MB."""
    lines = Path("/proc/self/status").read_text(encoding="ascii").splitlines()
    return int(next(line for line in lines if line.startswith(key)).split()[1]) / 1024


def judged_run(data_name: str, name: str, seed: int, cost: dict, arguments) -> dict:
    """One training of as many steps as fit into the budget, and its numbers."""
    images, recipe = training_data(data_name), recipe_of(data_name, name)
    run = training.Run(recipe, images, seed, "cpu")
    started = time.process_time()
    training.train(run, steps=max(1, int(arguments.seconds / cost["seconds_a_step"])))
    row = {"steps": run.step, "images_seen": run.images_seen, "seconds": time.process_time() - started}
    test = None if data_name == "grid" else data.load(data_name, "test")
    count = POINTS_DRAWN if test is None else min(arguments.compared, len(test))
    started = time.process_time()
    samples = training.sample(run.sampler, count, seed=1)
    row["ms_a_sample"] = 1_000 * (time.process_time() - started) / count
    if test is None:
        return row | judged_points(samples, data_name)
    return row | judged_images(data.to_uint8(samples), test) | likelihood(run.sampler, images, test, count)


def judged_real(data_name: str, name: str, arguments) -> dict:
    """Images of the training split in the place of samples, as they are or with 16 grey levels."""
    images, test = data.load(data_name), data.load(data_name, "test")
    rows = torch.randperm(len(images), generator=torch.Generator().manual_seed(1))
    chosen = images.images[rows[: min(arguments.compared, len(test))]]
    if name != "real":
        chosen = data.to_uint8(baselines.PixelCNN().reduce(data.images.to_float(chosen)))
    return judged_images(chosen, test)


def judged_images(fake: torch.Tensor, test) -> dict:
    """All metrics of uint8 images against the test split."""
    return metrics.compare(test.images, fake, metrics.extractor_for(test.name, test.image_shape, torch.device("cpu")))


def log_likelihood_of(model: torch.nn.Module, rng: torch.Generator, draws: int) -> Callable | None:
    """Images in [-1, 1] to nats, exactly or by a bound (diffusion's from so many draws); None for an RBM or a GAN."""
    functions = {
        baselines.ImageVAE: lambda x: model.elbo(x, rng),
        baselines.Flow: lambda x: model.log_likelihood(x, rng),
        baselines.PixelCNN: lambda x: model.log_likelihood(x),
        baselines.ImageDiffusion: lambda x: model.elbo(x, rng, draws),
    }
    return functions.get(type(model))


@torch.inference_mode()
def likelihood(model: torch.nn.Module, images, test, count: int) -> dict:
    """Bits per dimension of 8-bit test images, exactly or by a bound, as the model can; nothing where it cannot."""
    function = log_likelihood_of(model, torch.Generator().manual_seed(1), DDPM_DRAWS)
    if function is None:
        return {}
    parts = test.images[:count].split(250)
    nats = torch.cat([function(data.images.to_float(part)) for part in parts]).double().mean()
    bits = baselines.bits_per_dimension(nats, test.image_shape).item()
    if not isinstance(model, baselines.PixelCNN):
        return {"bits_per_dimension": bits}
    inside = bits_inside_levels(images.images, test.images[:count], model.levels)
    return {"bits_per_dimension": bits + inside, "bits_of_the_levels": bits}


def summary(rows: list[dict], settings: dict, costs: dict) -> dict:
    """The whole result: provenance, mean and standard deviation of each metric, and the rows."""
    table = []
    for data_name, name in dict.fromkeys((row["data"], row["name"]) for row in rows):
        mine = [row for row in rows if (row["data"], row["name"]) == (data_name, name)]
        spreads = {m: spread([row[m] for row in mine]) for m in METRICS if m in mine[0]}
        table.append({"data": data_name, "name": name, "seeds": len(mine), **spreads})
    return {
        "script": "benchmarks/bake_off.py",
        **settings,
        "point_batch": POINT_BATCH,
        "bits_per_dimension": "of 8-bit images: vae, flow and ddpm a bound from above, autoregressive exact",
        "hardware": device.describe(torch.device("cpu")),
        "torch": torch.__version__,
        "settings": {name: methods.RECIPES[name].settings() for name in dict.fromkeys((*IMAGES, *POINTS))},
        "costs": costs,
        "table": table,
        "rows": rows,
    }


if __name__ == "__main__":
    main()
