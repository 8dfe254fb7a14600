"""Recipes that turn images into images: pix2pix from pairs, CycleGAN without, and both with a piece taken out."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from torch import nn

from gan_course import networks, training
from gan_course.recipes.recipe import Recipe, Shape, Translation


def unet_generator(width: int, **arguments) -> Callable[[Shape, Shape], nn.Module]:
    """A maker of U-Nets of this width for any pair of square images of one size; `arguments` are UNetGenerator's."""
    return lambda inputs, outputs: networks.UNetGenerator(outputs[1], inputs[0], outputs[0], width, **arguments)


def pair_discriminator(width: int, **arguments) -> Callable[[Shape, Shape], nn.Module]:
    """A maker of PatchGANs that see input and output together; `arguments` are those of PatchDiscriminator."""
    return lambda inputs, outputs: networks.PatchDiscriminator(inputs[0] + outputs[0], width, **arguments)


def cycle_generator(width: int, blocks: int, mask: bool = False) -> Callable[[Shape, Shape], nn.Module]:
    """A maker of both generators of a CycleGAN, there and back; the arguments are those of CyclePair."""
    return lambda inputs, outputs: networks.CyclePair(outputs[1], inputs[0], outputs[0], width, blocks, mask)


def correction_generator(width: int, blocks: int) -> Callable[[Shape, Shape], nn.Module]:
    """A maker of both generators of a CycleGAN that begin as copies, for sides of one shape, which must be equal."""
    return lambda inputs, outputs: networks.CorrectionPair(outputs[1], outputs[0], width, blocks)


def cycle_discriminator(width: int, layers: int = 1, norm: bool = True) -> Callable[[Shape, Shape], nn.Module]:
    """A maker of both discriminators of a CycleGAN, which see one image each."""
    return lambda inputs, outputs: networks.PatchPair(inputs[0], outputs[0], width, layers, norm)


PIX2PIX = Recipe(
    name="pix2pix",
    source="Isola et al. (2017), sections 3, 4.2 and appendix 6: L1 weight 100, Adam 2e-4 with beta1 0.5, dropout as "
    "the noise. For 32 pixels and a CPU: narrower, five halvings for eight, patches of 16 pixels for 70, batches of 8",
    generator=unet_generator(24),
    discriminator=pair_discriminator(32),
    translation=Translation(l1=100.0),
    batch_size=8,
    step=training.pix2pix_step,
)
CYCLEGAN = Recipe(
    name="cyclegan",
    source="Zhu et al. (2017), sections 4, 5.2 and appendix 7: least squares, cycle 10, identity 0.5 of it (in the "
    "paper for some tasks), a pool of 50, Adam 2e-4, falling on a line to 0 in the second half, with beta1 0.5 as in "
    "the authors' code. For 32 pixels and a CPU: narrower, 4 residual blocks for 6 or 9, patches of 16 pixels for 70, "
    "batches of 4",
    generator=cycle_generator(16, blocks=4),
    discriminator=cycle_discriminator(32),
    translation=Translation(paired=False, cycle=10.0, identity=5.0, pool=50),
    loss="least_squares",
    batch_size=4,
    learning_rate_decay=True,
    decay_from=0.5,
    step=training.cyclegan_step,
)


def changed(recipe: Recipe, suffix: str, how: str, **changes) -> Recipe:
    """The recipe with terms of its loss, or its pool, changed; name and source say so."""
    return replace(
        recipe,
        name=f"{recipe.name}-{suffix}",
        source=f"{recipe.source}; here {how}",
        translation=replace(recipe.translation, **changes),
    )


CYCLEGAN_FAST = replace(
    changed(CYCLEGAN, "fast", "", cycle=2.0, identity=1.0, mirrored=True),
    source="the course: chosen by benchmarks/search_translation.py, to beat a copy of the input in minutes. Zhu et al. "
    "(2017), but G adds a correction to its input and normalises nothing, nor does D; a fifth of the paper's weights "
    "of cycle and identity, Adam 1e-3, an average of G, and half of the images mirrored",
    generator=correction_generator(16, blocks=3),
    discriminator=cycle_discriminator(32, norm=False),
    g_learning_rate=1e-3,
    d_learning_rate=1e-3,
    ema_decay=0.995,
)
PIX2PIX_FAST = replace(
    PIX2PIX,
    name="pix2pix-fast",
    source="the course: chosen by benchmarks/search_translation.py. pix2pix with Adam 1e-3, falling on a line to 0 in "
    "the second half, an average of G, and half of the pairs mirrored",
    translation=replace(PIX2PIX.translation, mirrored=True),
    g_learning_rate=1e-3,
    d_learning_rate=1e-3,
    learning_rate_decay=True,
    decay_from=0.5,
    ema_decay=0.998,
)

TRANSLATION = (
    PIX2PIX,
    changed(PIX2PIX, "l1", "L1 alone, and no discriminator", adversarial=0.0),
    changed(PIX2PIX, "gan", "the conditional GAN alone, without L1", l1=0.0),
    replace(
        PIX2PIX,
        name="pix2pix-no-skips",
        source=f"{PIX2PIX.source}; here without skip connections",
        generator=unet_generator(24, skips=False),
    ),
    PIX2PIX_FAST,
    CYCLEGAN,
    changed(CYCLEGAN, "no-cycle", "without the cycle", cycle=0.0),
    changed(CYCLEGAN, "no-identity", "without the identity term", identity=0.0),
    changed(CYCLEGAN, "no-pool", "without the pool", pool=0),
    CYCLEGAN_FAST,
)
