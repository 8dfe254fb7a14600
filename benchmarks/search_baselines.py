"""The search behind the recipes of lesson 11: rates and batches after so many seconds on one core, on held-out digits.

    OMP_NUM_THREADS=1 python benchmarks/search_baselines.py NAME ... [--seconds 30] [--seed 100]

Trained on the first 50,000 images of MNIST's training split and judged on the other 10,000, so the test split plays no
part: FD, precision and recall of 500 samples, and bits per dimension of 250 images where the model says them (the
PixelCNN's are those of its 16 levels). Each result is a line of assets/results/search_baselines.jsonl. One seed and 500
samples: small differences may be chance. A second is one of the processor's time.
"""

from __future__ import annotations

import argparse
import time
from dataclasses import replace

import torch
from bake_off import log_likelihood_of
from table import RESULTS, append, rounded, seconds_a_step

from gan_course import baselines, data, methods, metrics, training
from gan_course.baselines import rbm

FILE = RESULTS / "search_baselines.jsonl"
SAMPLES, JUDGED, HELD_OUT = 500, 5_000, 50_000


def rate(value: float, **more) -> dict:
    """A learning rate, and what else differs from the recipe."""
    return {"g_learning_rate": value, **more}


def latent(numbers: int) -> dict:
    """A VAE with so many numbers in a code."""
    return {"generator": lambda shape: baselines.ImageVAE(numbers, shape[1], shape[0], hidden=176)}


def gibbs_steps(k: int) -> dict:
    """An RBM trained by CD-k."""
    return {"loss": lambda model, x, rng: rbm.contrastive_divergence(model, model.bits(x, rng), k, rng)}


CANDIDATES = {
    "vae": ("vae", {}),
    "vae, rate 2e-3": ("vae", rate(2e-3)),
    "vae, rate 8e-3": ("vae", rate(8e-3)),
    "vae, 16 numbers": ("vae", latent(16)),
    "vae, 64 numbers": ("vae", latent(64)),
    "rbm": ("rbm", {}),
    "rbm, 1 Gibbs step": ("rbm", gibbs_steps(1)),
    "rbm, 5 Gibbs steps": ("rbm", gibbs_steps(5)),
    "rbm, 5 Gibbs steps, rate 3e-3": ("rbm", gibbs_steps(5) | rate(3e-3)),
    "rbm, 5 Gibbs steps, rate 2e-2": ("rbm", gibbs_steps(5) | rate(2e-2)),
    "autoregressive": ("autoregressive", {}),
    "autoregressive, rate 2e-3, batch 32": ("autoregressive", rate(2e-3, batch_size=32)),
    "autoregressive, rate 8e-3": ("autoregressive", rate(8e-3)),
    "flow": ("flow", {}),
    "flow, batch 32": ("flow", {"batch_size": 32}),
    "flow, batch 64": ("flow", {"batch_size": 64}),
    "flow, batch 32, rate 4e-3": ("flow", rate(4e-3, batch_size=32)),
    "ddpm": ("ddpm", {}),
    "ddpm, rate 2e-3": ("ddpm", rate(2e-3)),
    "ddpm, rate 4e-3": ("ddpm", rate(4e-3)),
    "ddpm, rate 2e-3, batch 64": ("ddpm", rate(2e-3, batch_size=64)),
}


def main() -> None:
    """Train each named candidate and append its line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("names", nargs="+", choices=CANDIDATES)
    parser.add_argument("--seconds", type=float, default=30)
    parser.add_argument("--seed", type=int, default=100)
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    whole = data.load("mnist")
    images, held_out = whole.subset(slice(0, HELD_OUT)), whole.images[HELD_OUT:]
    extractor = metrics.extractor_for("mnist", images.image_shape, torch.device("cpu"))
    known = extractor(held_out[:JUDGED])
    for name in arguments.names:
        base, changes = CANDIDATES[name]
        recipe = replace(methods.RECIPES[base], **changes)
        steps = int(arguments.seconds / seconds_a_step(recipe, images, 1.5))
        run, started = training.Run(recipe, images, arguments.seed, "cpu"), time.process_time()
        training.train(run, steps=steps)
        row = {"name": name, "seed": arguments.seed, "steps": steps, "seconds": time.process_time() - started}
        row |= judged(run.sampler, known, held_out, extractor)
        append(FILE, rounded(row))


@torch.no_grad()
def judged(model: torch.nn.Module, known: torch.Tensor, held_out: torch.Tensor, extractor) -> dict:
    """FD, precision and recall on the held-out images, and bits per dimension where the model says them."""
    features = extractor(data.to_uint8(training.sample(model, SAMPLES, seed=1)))
    found = metrics.prdc(known[:2_000], features)
    row = {"frechet_distance": metrics.frechet_distance(known, features)}
    row |= {"precision": found.precision, "recall": found.recall}
    function = log_likelihood_of(model, torch.Generator().manual_seed(0), draws=1)
    if function is None:
        return row
    nats = function(data.images.to_float(held_out[:250]))
    return row | {"bits_per_dimension": baselines.bits_per_dimension(nats.mean(), model.image_shape).item()}


if __name__ == "__main__":
    main()
