"""Train the generators that ship with the course, judge each once on the test split, and write their model cards.

    python tools/train_checkpoints.py [NAME ...] [--runs DIR]

A run that was stopped goes on from its last checkpoint in DIR (default: runs/shipped).
"""

from __future__ import annotations

import argparse
from dataclasses import dataclass
from pathlib import Path

import torch

from gan_course import data, methods, metrics, training
from gan_course.training import checkpoint


@dataclass(frozen=True)
class Plan:
    """What is trained for one checkpoint: recipe, data, steps and seed."""

    recipe: str
    data: str
    steps: int
    seed: int = 0


CHECKED = 512  # samples of a card's second, smaller judgement
PLANS = {
    "dcgan-mnist": Plan("dcgan", "mnist", steps=2_500),
    "dcgan-fast-mnist": Plan("dcgan-fast", "mnist", steps=6_000),
    "wgan-gp-fast-mnist": Plan("wgan-gp-fast", "mnist", steps=4_000),
    "projection-mnist": Plan("projection", "mnist", steps=6_000),
    "infogan-fast-mnist": Plan("infogan-fast", "mnist", steps=6_000),
    "pix2pix-outlines": Plan("pix2pix-fast", "emoji-outlines", steps=20_000),
    "pix2pix-styles": Plan("pix2pix-fast", "emoji-styles", steps=20_000),
    "cyclegan-styles": Plan("cyclegan-fast", "emoji-styles", steps=20_000),
    "cyclegan-outlines": Plan("cyclegan-no-identity", "emoji-outlines", steps=5_000),  # hides colours: lesson 09
    "stargan-digits": Plan("stargan-fast", "digit-domains", steps=6_000),
    "vae-mnist": Plan("vae", "mnist", steps=10_000),
    "rbm-mnist": Plan("rbm", "mnist", steps=6_000),
    "autoregressive-mnist": Plan("autoregressive", "mnist", steps=8_000),
    "flow-mnist": Plan("flow", "mnist", steps=8_000),
    "ddpm-mnist": Plan("ddpm", "mnist", steps=8_000),
}


def main() -> None:
    """Train the named checkpoints, by default all."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("names", nargs="*", default=list(PLANS))
    parser.add_argument("--runs", type=Path, default=Path("runs/shipped"))
    arguments = parser.parse_args()
    for name in arguments.names:
        train(name, PLANS[name], arguments.runs / name)


def train(name: str, plan: Plan, folder: Path) -> None:
    """Train one checkpoint, or go on with it; then judge and save it in float16."""
    run = training.Run(methods.RECIPES[plan.recipe], data.load(plan.data), plan.seed)
    state = folder / checkpoint.RUN_FILE
    if state.exists():
        checkpoint.load_run(run, state)
    training.train(run, plan.steps, callbacks=[training.ProgressBar(name), training.Checkpoints(folder)])
    if run.progress < 1:
        return
    sampler, test = rounded(run.sampler), data.load(plan.data, "test")
    if run.recipe.translation:
        result = judged_pairs(sampler, test)
    elif plan.data == "digit-domains":
        result = judged_domains(sampler)
    else:
        result = judged_samples(run, sampler, test)
    card = checkpoint.card_of(run) | {"script": "tools/train_checkpoints.py", "metrics": {"seed": 1, **result}}
    training.save_network(sampler, checkpoint.CHECKPOINT_FOLDER / f"{name}.safetensors", card, half=True)
    print(name, result)


def judged_pairs(sampler: torch.nn.Module, test: data.ImagePairs) -> dict:
    """The scores of a translation on the test pairs, and of each the gain over a copy of the input."""
    rows, _ = metrics.compare_translations({"it": sampler}, test, seed=1)
    row = {key: value for key, value in rows[1].items() if key not in ("checkpoint", "data", "seed")}
    gains = {score: shortened(gain) for score, gain in row.pop("over_copying").items()}
    return shortened(row) | {"over_copying": gains}


def judged_domains(sampler: torch.nn.Module, digits: int = 500) -> dict:
    """The mean scores of all twenty ways between the domains, on the first digits of the test split."""
    found = metrics.compare_domains(sampler, data.load("mnist", "test").subset(slice(digits)))
    found["l1_by_pair"] = [[round(value, 4) for value in row] for row in found["l1_by_pair"]]
    return {"features": "digit features", "digits": digits} | shortened(found)


def judged_samples(run: training.Run, sampler: torch.nn.Module, test: data.ImageSet) -> dict:
    """The metrics of 10,000 samples against the test images."""
    extractor = metrics.extractor_for(test.name, test.image_shape, run.device)
    # A generator that is told a class is asked for each as often as the test split has it.
    labels = test.labels[torch.arange(10_000) % len(test)] if run.recipe.condition else None
    fake = training.sample(sampler, 10_000, seed=1, labels=labels)
    result = metrics.compare(test.images, fake, extractor)
    # What tests repeat, so that a model that is slow to draw from does not keep them waiting.
    few = metrics.compare(test.images, fake[:CHECKED], extractor)
    result["check"] = {"fake_images": CHECKED, "frechet_distance": round(few["frechet_distance"], 4)}
    if labels is not None:
        result["accuracy"] = (extractor.classify(data.to_uint8(fake)).cpu() == labels.cpu()).double().mean().item()
    if hasattr(sampler, "codes"):  # how far the categories of an InfoGAN are the classes, under the kindest naming
        z = torch.randn(10_000, sampler.latent_dim, generator=torch.Generator().manual_seed(1))
        category = sampler.codes(z).category
        result["purity"] = metrics.purity(category, extractor.classify(data.to_uint8(fake))).matched
    return shortened(result)


def shortened(numbers: dict) -> dict:
    """The same with four digits after the point."""
    return {key: round(value, 4) if isinstance(value, float) else value for key, value in numbers.items()}


@torch.no_grad()
def rounded(network: torch.nn.Module) -> torch.nn.Module:
    """The network with its weights rounded to float16, as they are stored, so that what ships is what is judged."""
    for tensor in network.state_dict().values():  # which leaves out what is not stored, such as a noise schedule
        if tensor.is_floating_point():
            tensor.copy_(tensor.half().float())
    return network.eval()


if __name__ == "__main__":
    main()
