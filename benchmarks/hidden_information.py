"""What a CycleGAN hides in its translations: the way back from them, disturbed and undisturbed (lesson 09).

    OMP_NUM_THREADS=1 python benchmarks/hidden_information.py CHECKPOINT [--data emoji-styles] [--most N] [--out FILE]

CHECKPOINT is a CyclePair: a name that ships, a file or a run's folder. On the held-out pairs, once from the inputs and
back, once from the targets and back:
- rows: the mean absolute difference between image and reconstruction, with the translation left as it is, rounded to
  8 bits, under noise of growing strength, blurred, and replaced by the true target; each with the size of the change;
- imposed: how near the reconstruction of a translation comes to another image when each of its numbers may change by
  4 of 255 steps, against a random change as large.
All on the scale of [-1, 1]. It says what the networks of one checkpoint do; other seeds are other checkpoints.
"""

from __future__ import annotations

import argparse
import json
import time
from pathlib import Path

import torch
from torch import Tensor

from gan_course import data, device, metrics, training
from gan_course.files import write_atomically

RESULT = Path(metrics.__file__).parent.parent / "assets" / "results" / "hidden_information.json"


def main() -> None:
    """Measure both ways, print, write."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("checkpoint")
    parser.add_argument("--data", default="emoji-styles")
    parser.add_argument("--most", type=int, default=1_000, help="of the held-out pairs")
    parser.add_argument("--out", type=Path, default=RESULT)
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    pair, card = training.load_network(arguments.checkpoint, "cpu")
    held_out, started = data.load(arguments.data, "test").subset(slice(arguments.most)), time.process_time()
    inputs, targets = (data.to_float(side.images) for side in (held_out.inputs, held_out.targets))
    result = {
        "script": "benchmarks/hidden_information.py",
        "checkpoint": {key: card.get(key) for key in ("file", "sha256", "data", "steps", "seed")},
        "data": arguments.data,
        "pairs": len(held_out),
        "from the inputs": measured(pair.there, pair.back, inputs, targets),
        "from the targets": measured(pair.back, pair.there, targets, inputs),
        "seconds": round(time.process_time() - started, 1),
        "hardware": device.describe(torch.device("cpu")),
        "torch": torch.__version__,
    }
    print(json.dumps(result, indent=1))
    write_atomically(arguments.out, (json.dumps(result, indent=1) + "\n").encode())


def measured(there, back, images: Tensor, targets: Tensor) -> dict:
    """One way there and back. Each image is asked for in the place of its neighbour."""
    found = metrics.disturbed_cycle(there, back, images, targets)
    with torch.no_grad():
        translations = there(images)
    _, imposed = metrics.impose_code(back, translations, images, images.roll(1, 0))
    return {
        "rows": [{"name": name, **rounded(row._asdict())} for name, row in found.items()],
        "imposed": rounded(imposed._asdict()),
    }


def rounded(row: dict[str, float]) -> dict[str, float]:
    """All numbers with five decimals."""
    return {name: round(value, 5) for name, value in row.items()}


if __name__ == "__main__":
    main()
