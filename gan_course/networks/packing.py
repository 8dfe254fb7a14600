"""A discriminator that judges several samples at once (PacGAN)."""

from __future__ import annotations

from torch import Tensor, nn


class PackedDiscriminator(nn.Module):
    """Joins `packing` samples into one input, so that the discriminator sees how they differ from one another.

    A generator that has collapsed draws packs of look-alikes, which packs of real samples are not: what one sample
    cannot give away, a pack does. The samples of a pack are joined along their first dimension, features or channels.
    A batch must be a multiple of `packing`, and so must each part of it that is judged alone.

    Args:
        discriminator: takes samples with `packing` times as many features (N, packing * dim) or channels
            (N, packing * C, H, W), and returns (N,) logits.
        packing: samples in a pack; 1 changes nothing.

    Raises:
        ValueError: packing is below 1.

    Source: Lin, Khetan, Fanti, Oh (2018), PacGAN, section 2.
    """

    def __init__(self, discriminator: nn.Module, packing: int = 2):
        super().__init__()
        if packing < 1:
            raise ValueError(f"A pack holds at least 1 sample, not {packing}.")
        self.discriminator = discriminator
        self.packing = packing

    def forward(self, samples: Tensor) -> Tensor:
        """Samples (N, ...) to one logit a pack, (N / packing,).

        Raises:
            ValueError: N is no multiple of packing.
        """
        packs, rest = divmod(len(samples), self.packing)
        if rest:
            raise ValueError(
                f"A batch of {len(samples)} cannot be cut into packs of {self.packing}: choose a batch size that is a "
                f"multiple of {self.packing}."
            )
        # (N, dim, ...) to (N / packing, packing * dim, ...): neighbours in the batch become one input.
        return self.discriminator(samples.reshape(packs, self.packing * samples.shape[1], *samples.shape[2:]))
