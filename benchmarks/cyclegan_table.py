"""CycleGAN whole, without its cycle, its identity term or its pool, and the fast recipe, over seeds (lesson 09).

    OMP_NUM_THREADS=1 python benchmarks/cyclegan_table.py [--steps 1500] [--seeds 3] [--most N] [--out FILE]

Every row is one training of the recipe on the two emoji styles, never with their pairing, for the same number of steps.
Each is judged once, on the test pairs, as benchmarks/pix2pix_table.py judges: PSNR, SSIM, L1, pixels that match and the
distance of the emoji features to the true answer, with the gain over a copy of the input, and the sharpness. Beside
these, mean absolute differences on the scale of [-1, 1]:
- cycle: between test images and what comes back of them, the mean over both sides;
- identity: between test images and what the generator that leads to their own side makes of them, likewise;
- change: between inputs and their translations; 0 is a copy.
The row "copy" is the input itself. For seed 0 the answers to 16 test pairs are kept as one picture a row beside the
result file. Rows that the result file already holds are not run again.
"""

from __future__ import annotations

import itertools
import json
import time
from pathlib import Path

import table
import torch
from pix2pix_table import METRICS, save_row, shown

from gan_course import data, device, losses, methods, metrics, training

RESULT = table.RESULTS / "cyclegan_table.json"
NAMES = ("cyclegan", "cyclegan-no-cycle", "cyclegan-no-identity", "cyclegan-no-pool", "cyclegan-fast")
OWN = ("cycle", "identity", "change")


def main() -> None:
    """Run what is missing, at most --most rows of it, and write all rows and their summary."""
    options = table.parser(__doc__, RESULT)
    options.add_argument("--steps", type=int, default=1_500)
    options.add_argument("--seeds", type=int, default=3)
    arguments = options.parse_args()
    rows = table.before(arguments.out, steps=arguments.steps)["rows"]
    wanted = [("copy", 0), *((name, seed) for seed, name in itertools.product(range(arguments.seeds), NAMES))]
    torch.set_num_threads(1)
    for name, seed in table.missing(wanted, rows, ("name", "seed"))[: arguments.most]:
        row = copied() if name == "copy" else trained(name, seed, arguments.steps, arguments.out.with_suffix(""))
        rows.append({"name": name, "seed": seed, **row})
        print(json.dumps(rows[-1]), flush=True)
        table.write(arguments.out, summary(rows, arguments.steps))


def copied() -> dict:
    """What the inputs score as they are; a copy comes back, and leaves alone, to the last bit."""
    test = data.load("emoji-styles", "test")
    (row,), _ = metrics.compare_translations({}, test)
    return {"steps": 0, "seconds": 0.0, **{metric: round(row[metric], 4) for metric in METRICS}} | dict.fromkeys(
        OWN, 0.0
    )


def trained(name: str, seed: int, steps: int, pictures: Path) -> dict:
    """One training and its scores on the test pairs."""
    test = data.load("emoji-styles", "test")
    run, started = training.Run(methods.RECIPES[name], data.load("emoji-styles"), seed, "cpu"), time.process_time()
    training.train(run, steps=steps)
    seconds = time.process_time() - started
    (_, row), images = metrics.compare_translations({name: run.sampler}, test)
    if seed == 0:
        save_row(images[name][shown(test)], pictures / f"{name}.png")
    gains = {score: table.rounded(gain) for score, gain in row["over_copying"].items()}
    scores = table.rounded({metric: row[metric] for metric in METRICS} | own_terms(run.sampler, test))
    return {"steps": steps, "seconds": round(seconds, 1), **scores, "over_copying": gains}


def own_terms(pair, test: data.ImagePairs) -> dict[str, float]:
    """How far the pair is from coming back, from leaving alone, and from a copy, on images it was not trained on."""
    x, y = data.to_float(test.inputs.images), data.to_float(test.targets.images)
    fake_y, fake_x = training.translate(pair.there, x), training.translate(pair.back, y)
    x_again, y_again = training.translate(pair.back, fake_y), training.translate(pair.there, fake_x)
    same_x, same_y = training.translate(pair.back, x), training.translate(pair.there, y)
    return {
        "cycle": losses.cycle_consistency(x, x_again, y, y_again).item() / 2,
        "identity": losses.identity_mapping(x, same_x, y, same_y).item() / 2,
        "change": losses.l1(fake_y, x).item(),
    }


def summary(rows: list[dict], steps: int) -> dict:
    """The whole result: provenance, mean and standard deviation of each number over the seeds, and the rows."""
    spreads = []
    for name in ("copy", *NAMES):
        mine = [row for row in rows if row["name"] == name]
        if mine:
            numbers = {key: table.spread([row[key] for row in mine]) for key in (*METRICS, *OWN)}
            spreads.append({"name": name, "seeds": len(mine), **numbers})
    return {
        "script": "benchmarks/cyclegan_table.py",
        "data": "emoji-styles",
        "steps": steps,
        "shown": shown(data.load("emoji-styles", "test")).tolist(),
        "hardware": device.describe(torch.device("cpu")),
        "torch": torch.__version__,
        "settings": {name: methods.RECIPES[name].settings() for name in NAMES},
        "table": spreads,
        "rows": rows,
    }


if __name__ == "__main__":
    main()
