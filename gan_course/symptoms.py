"""What a training function really does to two networks, seen from outside: the instruments of lesson 02's bug hunt.

    with Watch(generator, discriminator) as seen:
        train(generator, discriminator, pixels)
    print(seen)

Nothing in the function has to change for it, so it also works on a script that somebody else wrote.
"""

from __future__ import annotations

from collections import Counter

import torch
from torch import Tensor, nn
from torch.optim.optimizer import register_optimizer_step_post_hook


class Watch:
    """Records what D is shown, what G is fed, and which network each optimizer step moves. Slow: for short runs.

    An image that D is shown counts as generated if G has just put it out unchanged, else as real.

    Args:
        generator, discriminator: the networks that the watched function will be given.

    Attributes:
        moved: for every optimizer step, which networks it moved: "D", "G", "D+G" or "nothing".
        real_shown: how many real images D was shown, each time counted.
        real_range, fake_range: smallest and largest value that D was shown; None before the first image.
    """

    def __init__(self, generator: nn.Module, discriminator: nn.Module):
        self.networks = {"D": discriminator, "G": generator}
        self.moved: list[str] = []
        self.real_shown = 0
        self.real_range: tuple[float, float] | None = None
        self.fake_range: tuple[float, float] | None = None
        self._real, self._fake, self._codes = Counter(), set(), set()
        self._handles: list = []

    def __enter__(self) -> Watch:
        self._weights = {name: _copy(network) for name, network in self.networks.items()}
        self._handles = [
            self.networks["G"].register_forward_hook(self._on_generator),
            self.networks["D"].register_forward_pre_hook(self._on_discriminator),
            register_optimizer_step_post_hook(self._on_optimizer),
        ]
        return self

    def __exit__(self, *_) -> None:
        for handle in self._handles:
            handle.remove()

    @property
    def distinct_real(self) -> int:
        """How many different real images D was shown."""
        return len(self._real)

    @property
    def times_shown(self) -> list[int]:
        """How often D was shown each of the different real images."""
        return list(self._real.values())

    def was_fed(self, z: Tensor) -> bool:
        """Whether these codes (N, latent_dim), and no others, were fed to the generator."""
        return self._codes == set(_fingerprints(z))

    @property
    def distinct_codes(self) -> int:
        """How many different codes z the generator was fed."""
        return len(self._codes)

    def counts(self) -> dict[str, int]:
        """How many optimizer steps moved "D", "G", "D+G" or "nothing"."""
        return dict(Counter(self.moved))

    def __str__(self) -> str:
        steps = ", ".join(f"{count} moved {which}" for which, count in sorted(self.counts().items())) or "none"
        return (
            f"optimizer steps      {steps}\n"
            f"real images shown    {self.real_shown:,}, {self.distinct_real:,} different ones\n"
            f"codes z fed to G     {self.distinct_codes:,} different ones\n"
            f"values in real ones  {_range(self.real_range)}\n"
            f"values in generated  {_range(self.fake_range)}"
        )

    def _on_generator(self, _, inputs: tuple[Tensor, ...], images: Tensor) -> None:
        self._codes.update(_fingerprints(inputs[0]))
        self._fake.update(_fingerprints(images))

    def _on_discriminator(self, _, inputs: tuple[Tensor, ...]) -> None:
        images, keys = inputs[0].detach(), _fingerprints(inputs[0])
        generated = torch.tensor([key in self._fake for key in keys], device=images.device)
        real = [key for key in keys if key not in self._fake]
        self._real.update(real)
        self.real_shown += len(real)
        self.real_range = _wider(self.real_range, images[~generated])
        self.fake_range = _wider(self.fake_range, images[generated])

    def _on_optimizer(self, *_) -> None:
        now = {name: _copy(network) for name, network in self.networks.items()}
        moved = [name for name in now if not torch.equal(now[name], self._weights[name])]
        self.moved.append("+".join(moved) or "nothing")
        self._weights = now


def _copy(network: nn.Module) -> Tensor:
    """All weights of a network in one new tensor."""
    return torch.cat([parameter.detach().flatten() for parameter in network.parameters()]).clone()


def _fingerprints(rows: Tensor) -> list[int]:
    """One number a row, the same for the same row in another batch."""
    return [hash(row.tobytes()) for row in rows.detach().flatten(1).float().cpu().numpy()]


def _wider(old: tuple[float, float] | None, images: Tensor) -> tuple[float, float] | None:
    if not len(images):
        return old
    low, high = images.min().item(), images.max().item()
    return (low, high) if old is None else (min(old[0], low), max(old[1], high))


def _range(values: tuple[float, float] | None) -> str:
    return "none shown" if values is None else f"{values[0]:.2f} to {values[1]:.2f}"
