"""One recipe per method: which networks, losses, penalty, optimizers, and how many critic steps. Nothing else."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from torch import Tensor, nn

from gan_course import networks, penalties, training

Shape = tuple[int, int, int]


@dataclass(frozen=True)
class Recipe:
    """How a GAN is trained. To vary one: `dataclasses.replace(RECIPES["dcgan"], loss="hinge", name="dcgan-hinge")`.

    Attributes:
        name: its key in RECIPES.
        source: paper and section.
        generator, discriminator: image shape (C, H, W) -> a new network.
        loss: a key of losses.LOSSES.
        batch_size: images in a batch.
        g_learning_rate, d_learning_rate, betas: of the two Adams.
        learning_rate_decay: whether the learning rates fall on a line to 0 at the end of the budget.
        n_critic: steps of the discriminator for one of the generator.
        penalty: (discriminator, real, fake, rng) -> scalar, times penalty_weight, on every penalty_every-th step.
        ema_decay: of the averaged generator; None for no average.
        steps: the budget when none is given.
        d_step, g_step, step: what one step is; the loop's own unless the method needs more.
    """

    name: str
    source: str
    generator: Callable[[Shape], nn.Module]
    discriminator: Callable[[Shape], nn.Module]
    loss: str = "non_saturating"
    batch_size: int = 128
    g_learning_rate: float = 2e-4
    d_learning_rate: float = 2e-4
    betas: tuple[float, float] = (0.5, 0.999)
    learning_rate_decay: bool = False
    n_critic: int = 1
    penalty: Callable[..., Tensor] | None = None
    penalty_weight: float = 0.0
    penalty_every: int = 1
    ema_decay: float | None = None
    steps: int = 5000
    d_step: Callable = training.d_step
    g_step: Callable = training.g_step
    step: Callable = training.gan_step

    def settings(self) -> dict:
        """The numbers and names of the recipe, for a model card."""
        plain = {key: value for key, value in vars(self).items() if isinstance(value, str | int | float | tuple)}
        return plain | {"penalty": self.penalty.__name__ if self.penalty else None}


def r1(discriminator: nn.Module, real: Tensor, fake: Tensor, rng) -> Tensor:
    """The R1 penalty as a recipe wants it."""
    real = real.detach().requires_grad_(True)
    return penalties.r1(discriminator(real), real)


def dcgan_generator(width: int, latent_dim: int = 100) -> Callable[[Shape], nn.Module]:
    """A maker of DCGAN generators of this width for any square image."""
    return lambda shape: networks.DCGANGenerator(latent_dim, shape[1], shape[0], width)


def dcgan_discriminator(width: int, batch_norm: bool = True, hidden: int = 0) -> Callable[[Shape], nn.Module]:
    """A maker of DCGAN discriminators of this width for any square image."""
    return lambda shape: networks.DCGANDiscriminator(shape[1], shape[0], width, batch_norm, hidden)


def mlp_generator(shape: Shape) -> nn.Module:
    """The multi-layer perceptron of lesson 02 for images of this shape."""
    return networks.MLPGenerator(image_shape=shape)


def mlp_discriminator(shape: Shape) -> nn.Module:
    """The other player, mirrored."""
    return networks.MLPDiscriminator(image_shape=shape)


RECIPES: dict[str, Recipe] = {
    recipe.name: recipe
    for recipe in (
        Recipe(
            name="vanilla",
            source="Goodfellow et al. (2014): two multi-layer perceptrons and the non-saturating loss; with Adam as "
            "in Radford et al. (2016) in place of the paper's momentum, and LeakyReLU in place of maxout",
            generator=mlp_generator,
            discriminator=mlp_discriminator,
        ),
        Recipe(
            name="dcgan",
            source="Radford, Metz, Chintala (2016), sections 3 and 4: the paper's settings, for small images",
            generator=dcgan_generator(64),
            discriminator=dcgan_discriminator(64),
        ),
        Recipe(
            name="dcgan-fast",
            source="the course: chosen by benchmarks/search_dcgan_fast.py for quality after two minutes on two "
            "CPU cores",
            generator=dcgan_generator(24),
            discriminator=dcgan_discriminator(24, batch_norm=False, hidden=128),
            batch_size=64,
            g_learning_rate=4e-3,
            d_learning_rate=4e-3,
            betas=(0.0, 0.99),
            learning_rate_decay=True,
            penalty=r1,
            penalty_weight=0.5,
            penalty_every=8,
            ema_decay=0.998,
        ),
    )
}
