"""StarGAN on five domains of digits: all terms, only those about domains, all but those (lesson 09).

    OMP_NUM_THREADS=1 python benchmarks/stargan_table.py [--steps 700] [--seeds 3] [--most N] [--out FILE]

Each row is one training of `stargan-fast` or of the same without some of its terms; the adversarial ones are in all.
Then 500 held-out digits, in each of the five domains, are brought to each of the other four, 10,000 translations, and
each is compared with the true answer, which is known by construction:
- l1: mean absolute difference from the true answer, of images in [-1, 1]; l1_of_strokes: the same over the pairs of
  domains that are both light on dark, where leaving the image as it is comes much nearer; ssim: structural similarity;
- obeyed: the share whose nearest true answer, in l1, is that of the domain asked for;
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
import json
import time

import torch
from table import RESULTS, before, missing, parser, rounded, spread, write
from torch import Tensor

from gan_course import data, device, methods, metrics, networks, training

FAST = methods.RECIPES["stargan-fast"]
RECIPES = {
    "full": FAST,
    # neither the reconstruction nor the identity term: nothing holds on to the image
    "only domain terms": dataclasses.replace(FAST, step=training.stargan_step(0.0, identity_weight=0.0)),
    "no domain terms": dataclasses.replace(FAST, class_weight=0.0),
}
METRICS = ("l1", "l1_of_strokes", "ssim", "obeyed", "domain", "digit", "thickness", "slant", "brightness", "cycle")
DIGITS = 500


def main() -> None:
    """Run what is missing, at most --most rows of it, and write all rows and their summary."""
    options = parser(__doc__, RESULTS / "stargan_table.json")
    options.add_argument("--steps", type=int, default=700)
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
            row |= examiner.scores(run.sampler)
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
        self.digits = data.load("mnist", split).subset(slice(first, first + DIGITS))
        self.answers = data.domains.in_every_domain(self.digits.images)  # (domain, n, 1, H, W), uint8
        self.judge = metrics.FeatureExtractor("domain features", domain_classifier())
        images, labels = self.answers.flatten(0, 1), torch.arange(len(self.answers)).repeat_interleave(DIGITS)
        self.judge_accuracy = (self.judge.classify(images) == labels).double().mean().item()

    def copy(self, images: Tensor, source: int, target: int) -> Tensor:
        """What is to be translated, left as it is."""
        return images

    def truth(self, images: Tensor, source: int, target: int) -> Tensor:
        """The true answer."""
        return self.answers[target]

    def scores(self, translate) -> dict[str, float | list]:
        """The means of METRICS over all ways from a domain to another, and l1 by way.

        Args:
            translate: a generator, or (images, from, to) -> images, such as `copy` and `truth` of this class.
        """
        found = metrics.compare_domains(translate, self.digits, self.compared)
        by_pair = [[round(value, 4) for value in row] for row in found["l1_by_pair"]]
        return {name: found[name] for name in METRICS} | {"l1_by_pair": by_pair}

    def compared(self, fake: Tensor, true: Tensor, target: int) -> dict[str, float]:
        """What the package does not measure of one way's translations."""
        shape, true_shape = (metrics.stroke_shape(metrics.domains.upright(x, target)) for x in (fake, true))
        light, true_light = (data.to_float(x).mean((1, 2, 3)) for x in (fake, true))
        return {
            "domain": (self.judge.classify(fake) == target).double().mean().item(),
            "thickness": (shape.thickness - true_shape.thickness).abs().mean().item(),
            "slant": (shape.slant - true_shape.slant).abs().mean().item(),
            "brightness": (light - true_light).abs().mean().item(),
        }


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
