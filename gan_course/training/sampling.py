"""Images from a generator, outside of training."""

from __future__ import annotations

from collections.abc import Iterator

import torch
from torch import Tensor, nn

from gan_course.data.images import to_float


def sample(
    generator: nn.Module, n: int, seed: int = 0, batch_size: int = 500, labels: Tensor | int | None = None
) -> Tensor:
    """`n` images from a generator in evaluation mode, float32 (n, C, H, W) on the CPU, in [-1, 1].

    The codes are drawn on the CPU, so that a seed gives the same codes on every device, whatever the labels. For a
    generator that starts from images there is `translate`.

    Args:
        labels: for a generator that is told a class: one for all, or int64 (n,); None draws each with equal chances.

    Raises:
        ValueError: a label that is no class, as many labels as not n, or labels for a generator that knows no classes;
            or the generator starts from images.
    """
    return torch.cat(list(sample_batches(generator, n, seed, batch_size, labels)))


@torch.inference_mode()
def sample_batches(
    generator: nn.Module, n: int, seed: int = 0, batch_size: int = 500, labels: Tensor | int | None = None
) -> Iterator[Tensor]:
    """The images of `sample` batch by batch, for those who need not hold them all."""
    if not hasattr(generator, "latent_dim"):
        raise ValueError("This generator starts from images and not from noise; show it some with training.translate.")
    place = next(generator.parameters()).device
    rng = torch.Generator().manual_seed(seed)
    inputs = [torch.randn(n, generator.latent_dim, generator=rng)]
    if hasattr(generator, "classes"):
        inputs.append(checked_labels(labels, n, generator.classes, rng))
    elif labels is not None:
        raise ValueError("This generator knows no classes, so it cannot be told a label.")
    was_training = generator.training
    generator.eval()
    try:
        for part in zip(*(values.split(batch_size) for values in inputs), strict=True):
            yield generator(*(values.to(place) for values in part)).float().cpu()
    finally:
        generator.train(was_training)


def checked_labels(labels: Tensor | int | None, n: int, classes: int, rng: torch.Generator | None = None) -> Tensor:
    """The labels of n samples, int64 (n,) on the CPU; None draws them.

    Raises:
        ValueError: a label is no class, or there are not n of them.
    """
    if labels is None:
        return torch.randint(classes, (n,), generator=rng)
    labels = torch.as_tensor(labels).cpu()
    labels = labels.expand(n) if labels.ndim == 0 else labels
    if labels.shape != (n,) or labels.dtype != torch.int64:
        raise ValueError(f"{n} samples need {n} labels, int64, but got {labels.dtype} of shape {tuple(labels.shape)}.")
    wrong = labels[(labels < 0) | (labels >= classes)]
    if len(wrong):
        raise ValueError(f"There is no class {wrong[0].item()}: the generator knows {classes}, 0 to {classes - 1}.")
    return labels


@torch.inference_mode()
def translate(
    generator: nn.Module, inputs: Tensor, seed: int = 0, batch_size: int = 250, labels: Tensor | int | None = None
) -> Tensor:
    """What a generator in evaluation mode makes of images: float32 (N, C, H, W) on the CPU, in [-1, 1].

    Args:
        generator: images to images: a U-Net, a ResNet, a CyclePair for the way there (`.back` for the way back), or a
            StarGANGenerator.
        inputs: (N, C, H, W), uint8 or float in [-1, 1].
        seed: of the noise that a generator of pix2pix has in its dropout; nothing else is random.
        labels: for a generator that is told a domain: the one to go to, one for all or int64 (N,).

    Raises:
        ValueError: a label that is no domain, as many labels as not N, none where one is needed, or the other way
            round.
    """
    if hasattr(generator, "classes") != (labels is not None):
        raise ValueError(
            f"This generator knows {generator.classes} domains: say by labels= which one to go to."
            if labels is None
            else "This generator knows no domains, so it cannot be told a label."
        )
    more = () if labels is None else (checked_labels(labels, len(inputs), generator.classes).split(batch_size),)
    place = next(generator.parameters()).device
    was_training = generator.training
    generator.eval()
    with torch.random.fork_rng([place] if place.type == "cuda" else []):
        torch.manual_seed(seed)
        outputs = []
        for images, *told in zip(inputs.split(batch_size), *more, strict=True):
            images = images.to(place)
            images = images if images.is_floating_point() else to_float(images)
            images = images.contiguous(memory_format=torch.channels_last)
            outputs.append(generator(images, *(part.to(place) for part in told)).float().cpu())
    generator.train(was_training)
    return torch.cat(outputs).contiguous()


@torch.inference_mode()
def rejection_sample(
    generator: nn.Module, discriminator: nn.Module, n: int, seed: int = 0, trial: int = 10_000, patience: int = 1_000
) -> Tensor:
    """`n` images that the discriminator lets pass, float32 (n, ...) on the CPU.

    The logit of a discriminator trained with the cross-entropy estimates log p/q, how much denser real samples are than
    generated ones. So a generated sample is kept with probability exp(logit - largest logit), the largest of `trial`
    samples: were D at its best, and that the true bound, those kept would have the density p.

    Args:
        discriminator: trained against this generator, with the minimax or the non-saturating loss.
        seed: of the codes and of the choice.
        trial: samples that the largest logit is taken from; they are not kept.
        patience: how many times n samples may be drawn before it gives up.

    Raises:
        RuntimeError: so many samples gave fewer than n.

    Source: Azadi, Olsson, Darrell, Goodfellow, Odena (2019), Discriminator Rejection Sampling, section 3.1.
    """
    was_training = discriminator.training
    discriminator.eval()
    place = next(discriminator.parameters()).device

    def drawn(count: int, its_seed: int) -> tuple[Tensor, Tensor]:
        images = sample(generator, count, its_seed)
        return images, torch.cat([discriminator(part.to(place)).float().cpu() for part in images.split(500)])

    largest = drawn(trial, seed)[1].max()
    rng, kept, count = torch.Generator().manual_seed(seed), [], 0
    for turn in range(1, patience + 1):
        images, logits = drawn(n, seed + turn)
        kept.append(images[torch.rand(n, generator=rng) < (logits - largest).exp()])
        count += len(kept[-1])
        if count >= n:
            discriminator.train(was_training)
            return torch.cat(kept)[:n]
    discriminator.train(was_training)
    raise RuntimeError(
        f"Of {patience * n:,} samples the discriminator let {count:,} pass, and {n:,} were asked for: it finds hardly "
        "any as good as its best. Train longer, or use sample()."
    )
