"""The restricted Boltzmann machine: an energy over pairs of visible and hidden bits, trained by short Gibbs chains."""

from __future__ import annotations

import itertools
import math

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from gan_course.baselines.step import model_step, uniform_like
from gan_course.networks.blocks import check_latent
from gan_course.training.run import Run

MOST_BITS = 20  # a sum over 2^20 states is what enumeration may cost
BLOCK = 4096  # states that are held at a time


class RBM(nn.Module):
    """p(v, h) = exp(v W h + v b + h c) / Z over bits; given one side, the bits of the other are independent.

    A pixel in [-1, 1] is the probability of its bit, (x + 1) / 2. Called with codes it runs a Gibbs chain for each from
    a random start, and returns the probabilities of the last visible bits as an image; so a sample has grey levels.

    Args:
        image_shape: (C, H, W), or (bits,).
        hidden: how many hidden bits.
        chain: Gibbs steps of a sample.

    Source: Smolensky (1986); Hinton (2002).
    """

    def __init__(self, image_shape: tuple[int, ...] = (1, 28, 28), hidden: int = 730, chain: int = 500):
        super().__init__()
        self.config = {"image_shape": list(image_shape), "hidden": hidden, "chain": chain}
        self.image_shape, self.chain = tuple(image_shape), chain
        self.visible, self.hidden = math.prod(image_shape), hidden
        self.latent_dim = self.visible + hidden
        self.weight = nn.Parameter(0.01 * torch.randn(self.visible, hidden))
        self.visible_bias = nn.Parameter(torch.zeros(self.visible))
        self.hidden_bias = nn.Parameter(torch.zeros(hidden))

    @torch.no_grad()
    def start_at(self, mean: Tensor) -> None:
        """Set the visible biases so that, before anything is learned, each bit is 1 as often as in the data.

        Without it half of all bits are on in most of the states that the machine allows. A short chain that starts at
        the data never gets there, so nothing tells the machine that they are wrong, and a long one never gets out.

        Args:
            mean: of each pixel, in [0, 1], of `visible` numbers; kept off 0 and 1 by a hundredth.

        Source: Hinton (2010), where it is about the first weights and biases.
        """
        self.visible_bias.copy_(mean.flatten().clamp(0.01, 0.99).logit())

    def bits(self, images: Tensor, rng: torch.Generator | None = None) -> Tensor:
        """Images (N, ...) in [-1, 1] to visible bits (N, visible), each drawn with its pixel's probability."""
        probability = ((images + 1) / 2).flatten(1)
        return (uniform_like(probability, rng) < probability).to(probability.dtype)

    def hidden_probability(self, v: Tensor) -> Tensor:
        """P(h = 1 | v): visible (N, visible) to (N, hidden)."""
        return torch.sigmoid(v @ self.weight + self.hidden_bias)

    def visible_probability(self, h: Tensor) -> Tensor:
        """P(v = 1 | h): hidden (N, hidden) to (N, visible)."""
        return torch.sigmoid(h @ self.weight.T + self.visible_bias)

    def free_energy(self, v: Tensor) -> Tensor:
        """F(v) = -v b - sum softplus(v W + c), (N,) in nats; p(v) = exp(-F(v)) / Z.

        Source: Hinton (2010), A practical guide to training restricted Boltzmann machines.
        """
        return -(v @ self.visible_bias) - F.softplus(v @ self.weight + self.hidden_bias).sum(1)

    @torch.no_grad()
    def gibbs_step(self, v: Tensor, rng: torch.Generator | None = None) -> Tensor:
        """Draw hidden bits given v (N, visible), then visible bits given those: new bits (N, visible)."""
        h = self.hidden_probability(v)
        h = (uniform_like(h, rng) < h).to(v.dtype)
        v = self.visible_probability(h)
        return (uniform_like(v, rng) < v).to(v.dtype)

    @torch.no_grad()
    def forward(self, z: Tensor) -> Tensor:
        """z (N, latent_dim) from N(0, 1) to images (N, C, H, W) in [-1, 1], after `chain` Gibbs steps.

        z decides all: the uniform numbers of step t are those of one fixed sequence, shifted round the unit interval by
        an amount that is z's own. So each chain gets fresh uniform numbers in every step, as a Gibbs chain should, and
        the same z always gives the same image, alone or in a batch. The sequence is the same on every device.
        """
        check_latent(z, self.latent_dim)
        shift = torch.special.ndtr(z)  # uniform on [0, 1]
        rng = torch.Generator().manual_seed(0)
        probability = torch.full_like(z[:, : self.visible], 0.5)
        for _ in range(self.chain + 1):
            u = (torch.rand(self.latent_dim, generator=rng).to(z.device) + shift).frac()  # (N, latent_dim)
            for_v, for_h = u.split((self.visible, self.hidden), dim=1)
            h = self.hidden_probability((for_v < probability).to(z.dtype))
            probability = self.visible_probability((for_h < h).to(z.dtype))
        return (2 * probability - 1).unflatten(1, self.image_shape)

    @torch.no_grad()
    def fill(self, images: Tensor, known: Tensor, steps: int = 200, rng: torch.Generator | None = None) -> Tensor:
        """Images of which a part is known, with the rest from a Gibbs chain in which the known bits are held.

        Args:
            images: (N, C, H, W) in [-1, 1]. known: bool, (H, W) or of the images' shape.
            steps: Gibbs steps; what is not known starts at random.
        """
        known = known.expand_as(images).flatten(1)
        bits = self.bits(images, rng)
        v = torch.where(known, bits, (uniform_like(bits, rng) < 0.5).to(bits.dtype))
        for _ in range(steps):
            v = torch.where(known, bits, self.gibbs_step(v, rng))
        h = self.hidden_probability(v)
        probability = self.visible_probability((uniform_like(h, rng) < h).to(v.dtype))
        return torch.where(known, images.flatten(1), 2 * probability - 1).view_as(images)

    def log_partition(self) -> Tensor:
        """log Z, exactly, by a sum over all states of the smaller side.

        Under torch.no_grad() a block of them is held at a time; a gradient needs all.

        Raises:
            ValueError: it has more than 20 bits.
        """
        if min(self.visible, self.hidden) > MOST_BITS:
            raise ValueError(
                f"Z of {self.visible} visible and {self.hidden} hidden bits cannot be summed; one side must have "
                f"{MOST_BITS} bits or fewer."
            )
        if self.hidden < self.visible:
            own, other, weight, bits = self.hidden_bias, self.visible_bias, self.weight.T, self.hidden
        else:
            own, other, weight, bits = self.visible_bias, self.hidden_bias, self.weight, self.visible
        parts = all_states(bits, weight).split(BLOCK)
        return torch.stack([(s @ own + F.softplus(s @ weight + other).sum(1)).logsumexp(0) for s in parts]).logsumexp(0)

    def log_likelihood(self, v: Tensor) -> Tensor:
        """log p(v) of visible bits (N, visible): (N,) in nats. Only for small machines, see `log_partition`."""
        return -self.free_energy(v) - self.log_partition()


def all_states(bits: int, like: Tensor) -> Tensor:
    """All states of so many bits, (2^bits, bits), on the device and of the type of `like`."""
    return torch.tensor(list(itertools.product((0, 1), repeat=bits)), dtype=like.dtype, device=like.device)


def contrastive_divergence(model: RBM, v: Tensor, k: int = 1, rng: torch.Generator | None = None) -> Tensor:
    """A scalar whose gradient is that of CD-k: mean F(v) - mean F(v after k Gibbs steps), the latter held fixed.

    The value itself means nothing: it is not a loss that would fall. As k grows, the gradient becomes that of the mean
    negative log-likelihood.

    Args:
        v: visible bits (N, visible), the data.
        k: Gibbs steps, which start at the data.

    Source: Hinton (2002), Training products of experts by minimizing contrastive divergence.
    """
    model_v = v
    for _ in range(k):
        model_v = model.gibbs_step(model_v, rng)
    return model.free_energy(v).mean() - model.free_energy(model_v).mean()


def rbm_step(run: Run) -> dict[str, Tensor]:
    """The step that all baselines share; the first of them begins by setting the visible biases to the data's mean."""
    if run.step == 0:
        images = run.data.images
        total = sum(part.sum(0) for part in images.split(1_000))  # sum() makes int64 of uint8, so not of all at once
        mean = total / (255 * len(images))
        for model in {run.generator, run.sampler}:
            model.start_at(mean)
    return model_step(run)
