"""The way back from an image to a code, for models that have no encoder, and images of which only a part is known."""

from __future__ import annotations

import torch
from torch import Tensor, nn


def find_codes(
    model: nn.Module,
    images: Tensor,
    known: Tensor | None = None,
    steps: int = 200,
    rate: float = 0.1,
    starts: int = 4,
    pull: float = 1e-3,
    seed: int = 0,
) -> Tensor:
    """Codes (N, latent_dim) whose images come close to the given ones, found by descending from random codes.

    What is lowered is the mean squared error over the known pixels, plus `pull` times the mean square of the code,
    which keeps the code where the model was trained. Of several starts an image keeps the one that ends lowest.

    Args:
        model: codes to images, with a gradient: a generator, a VAE, a flow; in evaluation mode while it is used.
        images: (N, C, H, W) in [-1, 1].
        known: bool, (H, W) or of the images' shape; None for all. What is not known is not looked at.
        steps, rate: of Adam.
        starts: random codes tried for each image.
        seed: of these codes.

    Raises:
        ValueError: the model passes no gradient to its codes, or of an image nothing is known.

    Source: Zhu et al. (2016), Generative visual manipulation on the natural image manifold, without its encoder and its
    distance of features; for the known part Yeh et al. (2017), Semantic image inpainting, without their discriminator's
    term.
    """
    place = next(model.parameters()).device
    images = images.to(place)
    weight = torch.ones_like(images) if known is None else known.to(images).expand_as(images)
    if not weight.flatten(1).any(1).all():
        raise ValueError("Of at least one image nothing is known, so any code would do.")
    images, weight = (x.repeat_interleave(starts, 0) for x in (images.nan_to_num(), weight))  # (N * starts, C, H, W)
    rng = torch.Generator().manual_seed(seed)
    z = torch.randn(len(images), model.latent_dim, generator=rng).to(place).requires_grad_(True)
    adam = torch.optim.Adam([z], rate)
    was_training = model.training
    model.eval()
    try:
        for _ in range(steps + 1):
            made = model(z)
            if not made.requires_grad:
                raise ValueError(
                    f"A {type(model).__name__} passes no gradient to its codes, so they cannot be searched."
                )
            error = ((made - images).square() * weight).flatten(1).sum(1) / weight.flatten(1).sum(1)
            loss = error + pull * z.square().mean(1)  # (N * starts,)
            found, ends = z.detach().clone(), loss.detach()
            (z.grad,) = torch.autograd.grad(loss.sum(), z)
            adam.step()
    finally:
        model.train(was_training)
    best = ends.view(-1, starts).argmin(1)  # (N,)
    return found.view(-1, starts, model.latent_dim)[torch.arange(len(best)), best]
