"""Three ways to tell a GAN a class, after the same time on one core, on three sets and over several seeds.

    OMP_NUM_THREADS=1 python benchmarks/conditional_table.py [--seconds 60] [--seeds 3] [--sets ...] [--most N]

The recipes are `dcgan-fast` and a condition: concatenation (`cgan`), an auxiliary classifier (`acgan`), projection
(`projection`), and projection with a BatchNorm of G by class (`projection-cbn`); `dcgan-fast` itself, which is told
nothing, stands beside them. The sets are MNIST, Fashion-MNIST, and the Noto emoji by category.

The steps of each recipe on each set are timed once, before the first run and with nothing else on the machine, and
every run makes as many as fit into the budget by that measure: the result does not depend on what runs beside it later.
Each run is judged once. Accuracy is the share of 10,000
images that the shipped classifier takes for the class asked for; classes are asked for as often as the test split has
them. Of the first images, as many as there are test images and 5,000 at most, come FD, recall and the variety inside a
class, against the test split. The row "real" puts images of the training split, with the same classes, in the place of
the fakes: what a generator could reach; only its accuracy is that of the classifier on the test split, since it was
trained on the other. Rows that the result file already holds are not run again.
"""

from __future__ import annotations

import itertools
import json
import time

import torch
from table import RESULTS, before, missing, parser, rounded, seconds_a_step, spread, write

from gan_course import data, device, methods, metrics, training

NAMES = ("cgan", "acgan", "projection", "projection-cbn", "dcgan-fast")
SETS = ("mnist", "fashion", "emoji-noto")
METRICS = ("accuracy", "intra_recall", "intra_distance", "recall", "precision", "frechet_distance", "steps")
ASKED, COMPARED = 10_000, 5_000


def main() -> None:
    """Run what is missing, at most --most rows of it, and write all rows and their summary."""
    options = parser(__doc__, RESULTS / "conditional_table.json")
    options.add_argument("--seconds", type=float, default=60)
    options.add_argument("--seeds", type=int, default=3)
    options.add_argument("--sets", nargs="+", default=SETS)
    arguments = options.parse_args()
    result = before(arguments.out, seconds=arguments.seconds)
    rows = result["rows"]
    wanted = [(0, name, "real") for name in arguments.sets]
    wanted += itertools.product(range(arguments.seeds), arguments.sets, NAMES)
    wanted = missing(wanted, rows, ("seed", "data", "name"))
    if not wanted:
        return print("nothing is missing")
    torch.set_num_threads(1)
    sets = {name: (data.load(name), data.load(name, "test")) for name in arguments.sets}
    steps = result.get("steps_in_budget") or steps_in_budget(sets, arguments.seconds)
    for seed, set_name, name in wanted[: arguments.most]:
        train, test = sets[set_name]
        row = {"name": name, "data": set_name, "seed": seed}
        if name == "real":
            row |= judged(real_images(train, asked_labels(test)), test, obeys=True)
            row["accuracy"] = accuracy(test.images, test.labels, test)
        else:
            row |= judged_run(methods.RECIPES[name], train, test, seed, steps[set_name][name])
        rows.append(rounded(row))
        print(json.dumps(rows[-1]), flush=True)
        write(arguments.out, summary(rows, arguments.seconds, steps))


def steps_in_budget(sets: dict, seconds: float) -> dict[str, dict[str, int]]:
    """How many steps of each recipe fit into the budget, by set and recipe."""
    return {
        set_name: {name: max(1, int(seconds / seconds_a_step(methods.RECIPES[name], train))) for name in NAMES}
        for set_name, (train, _) in sets.items()
    }


def judged_run(recipe, train, test, seed: int, steps: int) -> dict:
    """One training and its metrics on the test split."""
    run = training.Run(recipe, train, seed, "cpu")
    started = time.process_time()
    training.train(run, steps=steps)
    row = {"steps": steps, "images_seen": run.images_seen, "seconds": time.process_time() - started}
    told = recipe.condition is not None
    fake = training.sample(run.sampler, ASKED, seed=1, labels=asked_labels(test) if told else None)
    return row | judged(fake, test, obeys=told)


def asked_labels(test) -> torch.Tensor:
    """The labels of ASKED samples: those of the test split, again and again."""
    return test.labels[torch.arange(ASKED) % len(test)]


def real_images(train, labels: torch.Tensor) -> torch.Tensor:
    """Images of the training split with these labels, each used again only where its class has no more."""
    rng, images = torch.Generator().manual_seed(1), train.images.new_empty(len(labels), *train.image_shape)
    for label in labels.unique():
        rows = (train.labels == label).nonzero().flatten()
        rows = rows[torch.randperm(len(rows), generator=rng)]
        places = (labels == label).nonzero().flatten()
        images[places] = train.images[rows[torch.arange(len(places)) % len(rows)]]
    return images


def judged(fake: torch.Tensor, test, obeys: bool) -> dict:
    """All metrics of ASKED samples; those that need the class asked for only where the generator was told one."""
    extractor = metrics.extractor_for(test.name, test.image_shape, torch.device("cpu"))
    fake = fake if fake.dtype == torch.uint8 else data.to_uint8(fake)
    labels, compared = asked_labels(test), min(COMPARED, len(test))
    real_features, features = extractor(test.images), extractor(fake[:compared])
    found = metrics.prdc(real_features, features)
    row = {"features": extractor.name, "compared": compared}
    row |= {"frechet_distance": metrics.frechet_distance(real_features, features)}
    row |= {"precision": found.precision, "recall": found.recall}
    if obeys:
        inside = metrics.intra_class(real_features, test.labels, features, labels[:compared])
        row |= {"accuracy": accuracy(fake, labels, test)}
        row |= {"intra_recall": inside.recall, "intra_distance": inside.distance / inside.real_distance}
    return row


def accuracy(images: torch.Tensor, labels: torch.Tensor, test) -> float:
    """The share of images that the shipped classifier of this set takes for their labels."""
    extractor = metrics.extractor_for(test.name, test.image_shape, torch.device("cpu"))
    return (extractor.classify(images) == labels).double().mean().item()


def summary(rows: list[dict], seconds: float, steps: dict) -> dict:
    """The whole result: provenance, mean and standard deviation of each metric, and the rows."""
    table = []
    for set_name, name in itertools.product(SETS, ("real", *NAMES)):
        mine = [row for row in rows if (row["data"], row["name"]) == (set_name, name)]
        if mine:
            spreads = {m: spread([row[m] for row in mine]) for m in METRICS if m in mine[0]}
            table.append({"data": set_name, "name": name, "seeds": len(mine), **spreads})
    return {
        "script": "benchmarks/conditional_table.py",
        "seconds": seconds,
        "steps_in_budget": steps,
        "asked": ASKED,
        "intra_distance": "mean distance of two fakes of a class, over that of two test images of the class",
        "hardware": device.describe(torch.device("cpu")),
        "torch": torch.__version__,
        "settings": {name: methods.RECIPES[name].settings() for name in NAMES},
        "table": table,
        "rows": rows,
    }


if __name__ == "__main__":
    main()
