"""StarGAN on five domains of digits: all terms, without reconstruction, without the domain terms (lesson 09).

    OMP_NUM_THREADS=1 python benchmarks/stargan_table.py [--steps 2000] [--seeds 3] [--most N] [--out FILE]

Each row is one training of `stargan-fast` or of the same without one term. Then 500 held-out digits, in each of the
five domains, are brought to each of the other four, 10,000 translations, and each is compared with the true answer,
which is known by construction:
- l1: mean absolute difference from the true answer, of images in [-1, 1]; l1_of_strokes: the same over the pairs of
  domains that are both light on dark, where leaving the image as it is comes much nearer; ssim: structural similarity;
- domain: the share that a domain classifier takes for the domain asked for. It is trained on the real images of the
  training split when the script starts, and is not D;
- digit: the share in which the course's digit classifier reads the right digit, inverted ones turned back first;
- thickness and slant: mean absolute difference from the true answer's, of the stroke; brightness: that of the image;
- cycle: mean absolute difference between an image and its translation brought back.
The row "copy" leaves each image as it is, the row "truth" is the true answer itself: the floor and the ceiling.
Rows that the result file already holds are not run again.
"""

from __future__ import annotations

import dataclasses
import itertools
import json
import statistics
import time
from collections.abc import Callable

import torch
from table import RESULTS, before, missing, parser, rounded, spread, write
from torch import Tensor

from gan_course import data, device, methods, metrics, networks, training

FAST = methods.RECIPES["stargan-fast"]
RECIPES = {
    "full": FAST,
    "no reconstruction": dataclasses.replace(FAST, step=training.stargan_step(reconstruction_weight=0.0)),
    "no domain terms": dataclasses.replace(FAST, class_weight=0.0),
}
METRICS = ("l1", "l1_of_strokes", "ssim", "domain", "digit", "thickness", "slant", "brightness", "cycle")
DIGITS, INVERTED = 500, data.domains.NAMES.index("inverted")


def main() -> None:
    """Run what is missing, at most --most rows of it, and write all rows and their summary."""
    options = parser(__doc__, RESULTS / "stargan_table.json")
    options.add_argument("--steps", type=int, default=FAST.steps)
    options.add_argument("--seeds", type=int, default=3)
    arguments = options.parse_args()
    rows = before(arguments.out, steps=arguments.steps)["rows"]
    wanted = [("copy", 0), ("truth", 0), *((name, seed) for seed in range(arguments.seeds) for name in RECIPES)]
    wanted = missing(wanted, rows, ("name", "seed"))
    if not wanted:
        return print("nothing is missing")
    torch.set_num_threads(1)
    train, examiner = data.load("digit-domains"), Examiner()
    for name, seed in wanted[: arguments.most]:
        row = {"name": name, "seed": seed}
        if name in RECIPES:
            run, started = training.Run(RECIPES[name], train, seed, "cpu"), time.process_time()
            training.train(run, steps=arguments.steps)
            row |= {"steps": run.step, "seconds": time.process_time() - started}
            row |= examiner.scores(translator(run.sampler))
        else:
            row |= examiner.scores(examiner.copy if name == "copy" else examiner.truth)
        rows.append(rounded(row))
        print(json.dumps(rows[-1]), flush=True)
        write(arguments.out, summary(rows, arguments.steps, examiner.judge_accuracy))


class Examiner:
    """Asks for every translation of held-out digits and compares it with the true answer.

    Args:
        split, first: which digits of MNIST: DIGITS of this split, from this one on. Settings are chosen on digits of
            the training split that `data.load("digit-domains")` leaves out, from number 50,000 on.
    """

    def __init__(self, split: str = "test", first: int = 0):
        mnist = data.load("mnist", split).subset(slice(first, first + DIGITS))
        self.digits = mnist.labels
        self.answers = data.domains.in_every_domain(mnist.images)  # (domain, n, 1, H, W), uint8
        self.reader = metrics.extractor_for("mnist", mnist.image_shape, torch.device("cpu"))
        self.judge = metrics.FeatureExtractor("domain features", domain_classifier())
        images, labels = self.answers.flatten(0, 1), torch.arange(len(self.answers)).repeat_interleave(DIGITS)
        self.judge_accuracy = (self.judge.classify(images) == labels).double().mean().item()

    def copy(self, source: int, target: int) -> Tensor:
        """What is to be translated, left as it is."""
        return self.answers[source]

    def truth(self, source: int, target: int) -> Tensor:
        """The true answer."""
        return self.answers[target]

    def scores(self, translate: Callable) -> dict[str, float | dict]:
        """The means of METRICS over all pairs of domains, and l1 by pair.

        Args:
            translate: (images, domain) -> the images there, uint8; or `copy` or `truth` of this class.
        """
        domains, found = range(len(self.answers)), {}
        for source, target in itertools.permutations(domains, 2):
            if translate in (self.copy, self.truth):
                fake, back = translate(source, target), self.answers[source]
            else:
                fake = translate(self.answers[source], target)
                back = translate(fake, source)
            row = self.compared(fake, target) | {"cycle": l1(back, self.answers[source])}
            found[source, target] = row | ({} if INVERTED in (source, target) else {"l1_of_strokes": row["l1"]})
        means = {name: statistics.mean(row[name] for row in found.values() if name in row) for name in METRICS}
        by_pair = [[round(found[a, b]["l1"], 4) if a != b else 0.0 for b in domains] for a in domains]
        return means | {"l1_by_pair": by_pair}

    def compared(self, fake: Tensor, target: int) -> dict[str, float]:
        """One pair's translations against the true answers."""
        true = self.answers[target]
        upright, true_upright = (255 - x if target == INVERTED else x for x in (fake, true))
        shape, true_shape = metrics.stroke_shape(upright), metrics.stroke_shape(true_upright)
        light, true_light = (data.to_float(x).mean((1, 2, 3)) for x in (fake, true))
        return {
            "l1": l1(fake, true),
            "ssim": metrics.pair_scores(fake, true, self.reader).ssim.mean().item(),
            "domain": (self.judge.classify(fake) == target).double().mean().item(),
            "digit": (self.reader.classify(upright) == self.digits).double().mean().item(),
            "thickness": (shape.thickness - true_shape.thickness).abs().mean().item(),
            "slant": (shape.slant - true_shape.slant).abs().mean().item(),
            "brightness": (light - true_light).abs().mean().item(),
        }


def translator(generator) -> Callable[[Tensor, int], Tensor]:
    """(images, domain) -> the images there; uint8 (N, C, H, W) both."""
    return lambda images, target: data.to_uint8(training.translate(generator, images, labels=target))


def l1(a: Tensor, b: Tensor) -> float:
    """Mean absolute difference of two sets of uint8 images, in the units of [-1, 1]."""
    return (data.to_float(a) - data.to_float(b)).abs().mean().item()


def domain_classifier(steps: int = 400, seed: int = 0):
    """A small classifier of domains, trained on the real images of the training split."""
    train, rng = data.load("digit-domains"), torch.Generator().manual_seed(seed)
    torch.manual_seed(seed)
    network = networks.SmallClassifier(classes=len(train.classes), width=8, feature_dim=32)
    optimizer = torch.optim.Adam(network.parameters(), 3e-3)
    for _ in range(steps):
        images, labels = train.batch(64, rng)
        loss = torch.nn.functional.cross_entropy(network(images), labels)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    return network.eval().requires_grad_(False)


def summary(rows: list[dict], steps: int, judge_accuracy: float) -> dict:
    """The whole result: provenance, mean and standard deviation of each measure, and the rows."""
    table = []
    for name in ("truth", "copy", *RECIPES):
        mine = [row for row in rows if row["name"] == name]
        if mine:
            table.append({"name": name, "seeds": len(mine), **{m: spread([row[m] for row in mine]) for m in METRICS}})
    return {
        "script": "benchmarks/stargan_table.py",
        "steps": steps,
        "domains": list(data.domains.NAMES),
        "translations": DIGITS * len(data.domains.NAMES) * (len(data.domains.NAMES) - 1),
        "judge_accuracy": round(judge_accuracy, 4),
        "hardware": device.describe(torch.device("cpu")),
        "torch": torch.__version__,
        "settings": {name: recipe.settings() for name, recipe in RECIPES.items()},
        "table": table,
        "rows": rows,
    }


if __name__ == "__main__":
    main()
