"""Train the small classifiers that the course's metrics take their features from, and write their model cards.

    python tools/train_features.py [digits] [fashion] [emoji]

The test split judges each of them once, at the end; nothing is chosen by it.
"""

from __future__ import annotations

import argparse
import dataclasses
import time

import torch
import torch.nn.functional as F
from torch import Tensor

from gan_course import data, device, networks, training
from gan_course.training.checkpoint import CHECKPOINT_FOLDER


@dataclasses.dataclass(frozen=True)
class Plan:
    """How one classifier is trained: the sets it learns from, its width, epochs over them, and augmentation."""

    sets: tuple[str, ...]
    width: int
    epochs: int
    flip: bool
    shift: int = 2
    batch_size: int = 128
    learning_rate: float = 3e-3
    weight_decay: float = 1e-2
    seed: int = 0


PLANS = {
    "digits": Plan(("mnist",), width=16, epochs=6, flip=False),
    "fashion": Plan(("fashion",), width=16, epochs=25, flip=True),
    "emoji": Plan(("emoji-noto", "emoji-twemoji"), width=24, epochs=40, flip=True),
}


def main() -> None:
    """Train the named classifiers, by default all."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("names", nargs="*", metavar="digits|fashion|emoji", default=list(PLANS))
    for name in parser.parse_args().names:
        train_classifier(name, PLANS[name])


def train_classifier(name: str, plan: Plan) -> None:
    """Train one classifier with AdamW and a one-cycle schedule, judge it on the test split, and save it."""
    place = device.get()
    rng = device.seed(plan.seed, place)
    images, labels, classes = gather(plan.sets, "train", place)
    channels, size = images.shape[1], images.shape[2]
    network = networks.SmallClassifier(size, channels, len(classes), plan.width).to(place)
    network = network.to(memory_format=torch.channels_last)
    optimizer = torch.optim.AdamW(network.parameters(), plan.learning_rate, weight_decay=plan.weight_decay)
    steps = plan.epochs * (len(images) // plan.batch_size)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, plan.learning_rate, total_steps=steps)
    started = time.perf_counter()
    for step in range(steps):
        rows = torch.randint(len(images), (plan.batch_size,), generator=rng, device=place)
        batch = augment(data.to_float(images[rows]), plan, rng)
        loss = F.cross_entropy(network(batch), labels[rows], label_smoothing=0.05)
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        optimizer.step()
        schedule.step()
        if step % 200 == 0:
            print(f"{name}: step {step} of {steps}, loss {loss.item():.3f}", flush=True)
    seconds = time.perf_counter() - started
    test_images, test_labels, _ = gather(plan.sets, "test", place)
    accuracy = accuracy_of(network, test_images, test_labels)
    card = {
        "what": f"classifier of {name}; its 128 features before the last layer are what the metrics are computed on",
        "script": "tools/train_features.py",
        "plan": dataclasses.asdict(plan),
        "steps": steps,
        "seed": plan.seed,
        "seconds": round(seconds, 1),
        "hardware": device.describe(place),
        "classes": classes,
        "metrics": {"test_accuracy": round(accuracy, 4), "test_images": len(test_images)},
    }
    training.save_network(network, CHECKPOINT_FOLDER / f"features-{name}.safetensors", card, half=True)
    print(f"{name}: {accuracy:.2%} of {len(test_images):,} test images, {seconds:.0f} s", flush=True)


def gather(names: tuple[str, ...], split: str, place: torch.device) -> tuple[Tensor, Tensor, list[str]]:
    """The images (uint8), labels and class names of several sets, one after the other."""
    sets = [data.load(name, split, place) for name in names]
    return torch.cat([s.images for s in sets]), torch.cat([s.labels for s in sets]), sets[0].classes


def augment(batch: Tensor, plan: Plan, rng: torch.Generator) -> Tensor:
    """Shift each batch by up to `shift` pixels, and mirror every image with probability one half if `flip`."""
    dx, dy = torch.randint(-plan.shift, plan.shift + 1, (2,), generator=rng, device=batch.device).tolist()
    padded = F.pad(batch, [plan.shift] * 4, mode="replicate")
    size = batch.shape[-1]
    top, left = plan.shift + dy, plan.shift + dx
    batch = padded[:, :, top : top + size, left : left + size]
    if plan.flip:
        mirrored = torch.rand(len(batch), 1, 1, 1, generator=rng, device=batch.device) < 0.5
        batch = torch.where(mirrored, batch.flip(-1), batch)
    return batch.contiguous(memory_format=torch.channels_last)


@torch.inference_mode()
def accuracy_of(network: torch.nn.Module, images: Tensor, labels: Tensor) -> float:
    """The share of images whose most likely class is the right one."""
    network.eval()
    guesses = torch.cat([network(data.to_float(part)).argmax(1) for part in images.split(500)])
    return (guesses == labels).double().mean().item()


if __name__ == "__main__":
    main()
