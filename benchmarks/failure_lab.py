"""The failure laboratory over three seeds: every failure and its cure, and every cure on both collapses.

    python benchmarks/failure_lab.py [--seeds 0 1 2] [--most ROWS]

Run on one core. Every row is written to assets/results/failure_lab.json when it is done, and not run again; `--most`
ends the script after so many new rows. The failures were searched for on seeds 100 and above.
"""

from __future__ import annotations

import itertools
import json
import math
import statistics
import time
from dataclasses import replace

import torch
from table import RESULTS, missing, parser, stored, write

from gan_course import device, failures

COLLAPSES = ("ring-collapse", "grid-collapse")


def main() -> None:
    """Run what is missing, and write after every row."""
    options = parser(__doc__, RESULTS / "failure_lab.json")
    options.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2])
    arguments = options.parse_args()
    torch.set_num_threads(1)
    rows = stored(arguments.out)
    pairs = [*itertools.product(failures.FAILURES, ("broken", "cured"))]
    tries = [*itertools.product(COLLAPSES, failures.CURES)]
    wanted = [(*what, seed) for seed in arguments.seeds for what in (*pairs, *tries)]
    for name, side, seed in missing(wanted, rows, ("failure", "side", "seed"))[: arguments.most]:
        rows.append(measured(name, side, seed))
        print(json.dumps(rows[-1]), flush=True)
        write(arguments.out, result(rows, arguments.seeds))


def measured(name: str, side: str, seed: int) -> dict:
    """One row. `side` is "broken", "cured", or one of failures.CURES, which then replaces the failure's own cure."""
    failure = failures.FAILURES[name]
    if side in failures.CURES:
        failure = replace(failure, cured=replace(failure.broken, name=side, **failures.CURES[side]))
    started = time.process_time()
    outcome = failures.train(failure, "broken" if side == "broken" else "cured", seed)
    numbers = {key: None if math.isnan(value) else float(f"{value:.4g}") for key, value in outcome.numbers.items()}
    seconds = round(time.process_time() - started, 1)
    return {"failure": name, "side": side, "seed": seed, **numbers, "verdict": outcome.verdict, "cpu_seconds": seconds}


def result(rows: list[dict], seeds: list[int]) -> dict:
    """The whole file: provenance, what decides each failure, means and spreads, the matrix, and the rows."""
    return {
        "script": "benchmarks/failure_lab.py",
        "seeds": seeds,
        "hardware": device.describe(torch.device("cpu")),
        "threads": 1,
        "torch": torch.__version__,
        "failures": {name: described(failure) for name, failure in failures.FAILURES.items()},
        "summary": [spread(rows, name, side) for name in failures.FAILURES for side in ("broken", "cured")],
        "matrix": [spread(rows, name, cure) for name in COLLAPSES for cure in failures.CURES],
        "rows": rows,
    }


def described(failure: failures.Failure) -> dict:
    """What decides, and the settings in which the two sides differ."""
    described = {key: getattr(failure, key) for key in ("title", "change", "steps", "number", "fails", "heals")}
    return described | {"data": failure.data.name, "differences": failure.differences()}


def spread(rows: list[dict], name: str, side: str) -> dict:
    """Mean and standard deviation of every number over the seeds; None where no seed has the number."""
    mine = [row for row in rows if (row["failure"], row["side"]) == (name, side)]
    table = {"failure": name, "side": side, "seeds": len(mine), "verdicts": [row["verdict"] for row in mine]}
    for key in mine[0] if mine else ():
        values = [row[key] for row in mine if isinstance(row[key], int | float)]
        if key != "seed" and values:
            deviation = statistics.stdev(values) if len(values) > 1 else 0.0
            table[key] = {"mean": float(f"{statistics.mean(values):.4g}"), "std": float(f"{deviation:.3g}")}
    return table


if __name__ == "__main__":
    main()
