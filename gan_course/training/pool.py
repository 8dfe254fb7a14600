"""A history of generated images for the discriminator (the image pool of CycleGAN)."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from gan_course.training import distributed


class ImagePool(nn.Module):
    """Keeps the last images that it was shown, more or less, and hands out old ones in the place of half of the new.

    Until it is full it keeps every image and hands out the same. Then each new image is handed out as it is with
    probability one half; else it changes places with a random image of the pool. So half of the fakes that D learns
    from are earlier ones, made 2 * capacity images ago on average, and G cannot win by what D has just forgotten.

    It is a module without weights: a run's checkpoint holds its images, and a stopped run goes on with them. Several
    processes have a pool each, of their own fakes, and draw the same random numbers; a checkpoint holds the first's.

    Args:
        capacity: how many images; 50 in the paper.
        shape: (C, H, W) of an image.

    Raises:
        ValueError: the capacity is below 1.

    Source: Shrivastava et al. (2017), section 2.3; Zhu et al. (2017), section 4, and their code. The images of one
    batch change places with different images of the pool; theirs come one after another.
    """

    def __init__(self, capacity: int, shape: tuple[int, int, int]):
        super().__init__()
        if capacity < 1:
            raise ValueError(f"A pool holds at least 1 image, not {capacity}.")
        self.capacity = capacity
        self.register_buffer("images", torch.zeros(capacity, *shape))
        self.count = 0  # a number and not a tensor: reading it does not wait for a GPU

    def get_extra_state(self) -> Tensor:
        return torch.tensor(self.count)

    def set_extra_state(self, state: Tensor) -> None:
        self.count = int(state)

    def exchange(self, fakes: Tensor, rng: torch.Generator | None = None) -> Tensor:
        """For each image of a batch either itself or an old one, (N, C, H, W), without a gradient.

        Raises:
            ValueError: the batch is larger than the pool.
        """
        fakes = fakes.detach()
        if len(fakes) > self.capacity:
            raise ValueError(
                f"A batch of {len(fakes)} is more than the pool holds, {self.capacity}: give it more room."
            )
        room = min(self.capacity - self.count, len(fakes))
        self.images[self.count : self.count + room] = fakes[:room].to(self.images.dtype)
        new = fakes[room:]
        handed_out = torch.cat([fakes[:room], self._swap(new, rng)]) if len(new) else fakes
        self.count += room
        return handed_out

    def _swap(self, new: Tensor, rng: torch.Generator | None) -> Tensor:
        """Old images for about half of the new ones, which take their places."""
        total = len(new) * distributed.size()
        takes_old = distributed.part(torch.rand(total, generator=rng, device=new.device) < 0.5)[:, None, None, None]
        # Different places, so that no old image is handed out twice, and no new one overwrites another.
        places = torch.randperm(self.capacity, generator=rng, device=new.device)[: len(new)]
        old = self.images[places]
        self.images[places] = torch.where(takes_old, new.to(old.dtype), old)
        return torch.where(takes_old, old.to(new.dtype), new)
