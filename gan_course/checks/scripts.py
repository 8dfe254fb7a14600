"""Training scripts of lesson 02, watched from outside: the learner's mended one, and five that were recorded."""

from __future__ import annotations

from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.optim.optimizer import register_optimizer_step_post_hook

from gan_course.checks.framework import NotYet, attempt, check, expect
from gan_course.networks import MLPDiscriminator, MLPGenerator
from gan_course.symptoms import Watch

LINES = {
    "A": 7,
    "B": 10,
    "C": 0,
    "D": 1,
    "E": 8,
}  # recording: the wrong line of the script in the lesson, 0 for the healthy one


def tiny_pair() -> tuple[nn.Module, nn.Module]:
    """A generator (N, 3) -> (N, 1, 2, 4) and its discriminator, always with the same weights."""
    torch.default_generator.manual_seed(1)
    return MLPGenerator(3, (1, 2, 4), (6,)), MLPDiscriminator((1, 2, 4), (6,))


def weights(network: nn.Module) -> Tensor:
    """All weights of a network in one tensor."""
    return torch.cat([parameter.detach().flatten() for parameter in network.parameters()])


@check
def mended(function: Any) -> None:
    """The mended training function, watched from outside on a tiny pair."""
    generator, discriminator = tiny_pair()
    pixels = torch.randint(0, 256, (24, 1, 2, 4), dtype=torch.uint8)
    pixels[:, 0, 0, 0], pixels[:, 0, 0, 1] = 0, 255
    before = pixels.clone()
    with Watch(generator, discriminator) as seen, _Pull(generator, discriminator) as pull:
        _train(function, generator, discriminator, pixels, 3, 8)
    expect(
        torch.equal(pixels, before),
        "your function changed the pixels that it was given.",
        "Make a new tensor of floats.",
    )
    counts = seen.counts()
    expect(
        not (counts.get("D+G") and not counts.get("G")),
        f"{counts.get('D+G', 0)} optimizer steps moved D and G together: D is trained in G's step, on wrong labels.",
        "G's optimizer should hold generator.parameters() and nothing else.",
    )
    expect(counts.get("D") and counts.get("G"), f"one of the two was not trained alone; the steps moved {counts}.")
    expect(
        "D+G" not in counts,
        f"{counts.get('D+G')} steps moved both networks.",
        "One optimizer each.",
    )
    expect(seen.real_shown > 0, "D was shown no real image.", "D needs real images and fakes in each of its steps.")
    expect(seen.fake_range is not None, "D was shown no fakes.", "D needs real images and fakes in each of its steps.")
    _expect_range(seen)
    _expect_epochs(seen, counts)
    expect(
        pull.change > 0,
        "G's steps made D *surer* that G's images are fakes: G helps D.",
        "G minimises softplus(-discriminator(fake)): mind the minus.",
    )


def _train(function: Any, *arguments: Any) -> None:
    """Call an answer that need not return anything."""
    try:
        attempt(function, *arguments)
    except NotYet as error:
        if "returned nothing" not in error.problem:
            raise


class _Pull:
    """Adds up by how much the optimizer steps that move G alone raise D's mean logit for images from fixed codes."""

    def __init__(self, generator: nn.Module, discriminator: nn.Module):
        self.generator, self.discriminator, self.change = generator, discriminator, 0.0
        self.z = torch.randn(64, 3, generator=torch.Generator().manual_seed(0))

    def __enter__(self) -> _Pull:
        self._before = self._look()
        self._handle = register_optimizer_step_post_hook(self._after_step)
        return self

    def __exit__(self, *_) -> None:
        self._handle.remove()

    @torch.no_grad()
    def _look(self) -> tuple[Tensor, float]:
        """D's weights, and its mean logit; `forward` itself, so that no hook counts these images."""
        logits = self.discriminator.forward(self.generator.forward(self.z))
        return weights(self.discriminator), logits.mean().item()

    def _after_step(self, *_) -> None:
        now = self._look()
        if torch.equal(now[0], self._before[0]):
            self.change += now[1] - self._before[1]
        self._before = now


def _expect_range(seen: Watch) -> None:
    low, high = seen.real_range
    expect(
        not (low >= 0 and high <= 1.001),
        f"the real images reach from {low:.2f} to {high:.2f}: the range [0, 1]; the generator draws in [-1, 1].",
        "0 should become -1 and 255 should become 1.",
    )
    expect(
        abs(low + 1) < 0.02 and abs(high - 1) < 0.02,
        f"the real images reach from {low:.4g} to {high:.4g}; the generator draws in [-1, 1].",
        "pixels.float() / 127.5 - 1",
    )


def _expect_epochs(seen: Watch, counts: dict[str, int]) -> None:
    expect(
        seen.distinct_real > 8,
        f"D has seen only {seen.distinct_real} different images of 24: the first batch, again and again.",
        "Take other rows in each step, for example those of torch.randperm(len(images)).split(batch_size).",
    )
    expect(
        counts["D"] > 3,
        f"3 epochs made {counts['D']} steps of D. An epoch is one pass over all 24 images, 3 steps of 8.",
        "You need a loop over the batches inside the loop over the epochs.",
    )
    expect(
        counts["D"] == 9 and counts["G"] == 9,
        f"3 epochs of 24 images in batches of 8 are 9 steps of each network; yours made {counts['D']} of D and "
        f"{counts['G']} of G.",
        "Each batch: one step of D, then one of G.",
    )
    expect(
        seen.times_shown == [3] * 24,
        f"in 3 epochs D was shown {seen.distinct_real} of 24 images, one of them {max(seen.times_shown)} times; each "
        "should be shown once in an epoch.",
        "Every step takes a whole batch, and an epoch takes every image: torch.randperm, not torch.randint.",
    )
    alternating = all(first != second for first, second in zip(seen.moved, seen.moved[1:], strict=False))
    expect(
        alternating,
        "the networks do not take turns: one is trained for a while, then the other.",
        "D's step, G's step.",
    )


def recordings(pixels: Tensor, epochs: int) -> dict[str, str]:
    """Train five small pairs, four of them with one wrong line, and describe what the instruments saw.

    Args:
        pixels: uint8 (N, 1, 28, 28).
    """
    return {letter: _record(line, pixels.cpu(), epochs) for letter, line in LINES.items()}


def _record(wrong_line: int, pixels: Tensor, epochs: int, batch_size: int = 64) -> str:
    """One training of the numbered script of the lesson, in which one line may be wrong."""
    with torch.random.fork_rng(devices=[]):
        torch.default_generator.manual_seed(0)
        generator, discriminator = MLPGenerator(16, widths=(64,)), MLPDiscriminator(widths=(64,))
        g_weights = [*generator.parameters(), *(discriminator.parameters() if wrong_line == 1 else ())]
        g_optimizer = torch.optim.Adam(g_weights, lr=1e-3)
        d_optimizer = torch.optim.Adam(discriminator.parameters(), lr=1e-3)
        images = pixels.float() / 127.5 - 1
        fixed = torch.randn(batch_size, 16)
        squeeze = torch.sigmoid if wrong_line == 8 else lambda logits: logits
        with Watch(generator, discriminator) as seen:
            for _ in range(epochs):
                for rows in torch.randperm(len(images)).split(batch_size):
                    fake = generator(fixed[: len(rows)] if wrong_line == 7 else torch.randn(len(rows), 16))
                    real_logits, fake_logits = discriminator(images[rows]), discriminator(fake.detach())
                    d_loss = F.softplus(-squeeze(real_logits)).mean() + F.softplus(squeeze(fake_logits)).mean()
                    d_optimizer.zero_grad()
                    d_loss.backward()
                    d_optimizer.step()
                    logits = discriminator(fake)
                    g_loss = F.softplus(logits if wrong_line == 10 else -logits).mean()
                    g_optimizer.zero_grad()
                    g_loss.backward()
                    g_optimizer.step()
    return (
        f"{seen}\n"
        f"losses at the end    D {d_loss.item():.3f}, G {g_loss.item():.3f}\n"
        f"answers at the end   D(x) {real_logits.sigmoid().mean().item():.3f}, "
        f"D(G(z)) {fake_logits.sigmoid().mean().item():.3f}"
    )
