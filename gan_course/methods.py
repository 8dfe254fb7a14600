"""One recipe per method: which networks, losses, penalty, optimizers, and how many critic steps. Nothing else."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import torch
from torch import Tensor, nn

from gan_course import networks, penalties, training
from gan_course.losses import AdversarialLoss
from gan_course.training import distributed

Shape = tuple[int, int, int]


@dataclass(frozen=True)
class Recipe:
    """How a GAN is trained. To vary one: `dataclasses.replace(RECIPES["dcgan"], loss="hinge", name="dcgan-hinge")`.

    Attributes:
        name: its key in RECIPES.
        source: paper and section.
        generator, discriminator: image shape (C, H, W) -> a new network.
        loss: a key of losses.LOSSES, or a loss of your own.
        batch_size: images in a batch; of several processes together.
        optimizer: "adam", or "rmsprop" with PyTorch's defaults, which reads no betas.
        g_learning_rate, d_learning_rate, betas: of the two optimizers.
        learning_rate_decay: whether the learning rates fall on a line to 0 at the end of the budget.
        n_critic: steps of the discriminator for one of the generator: a number, or a function of how many steps of the
            generator are done. Read it by `critic_steps(generator_step)`.
        clip: every weight of the discriminator is brought into [-clip, clip] after each of its steps; None for never.
        penalty: (discriminator, real, fake, rng) -> scalar, times its weight, on every penalty_every-th step.
        penalty_weight, last_penalty_weight: at the start of the budget and, by the same factor a step, at its end; None
            for a constant weight. Read it by `weight_of_penalty(progress)`.
        ema_decay: of the averaged generator; None for no average.
        steps: the budget when none is given.
        d_step, g_step, step: what one step is; the loop's own unless the method needs more.
    """

    name: str
    source: str
    generator: Callable[[Shape], nn.Module]
    discriminator: Callable[[Shape], nn.Module]
    loss: str | AdversarialLoss = "non_saturating"
    batch_size: int = 128
    optimizer: str = "adam"
    g_learning_rate: float = 2e-4
    d_learning_rate: float = 2e-4
    betas: tuple[float, float] = (0.5, 0.999)
    learning_rate_decay: bool = False
    n_critic: int | Callable[[int], int] = 1
    clip: float | None = None
    penalty: Callable[..., Tensor] | None = None
    penalty_weight: float = 0.0
    last_penalty_weight: float | None = None
    penalty_every: int = 1
    ema_decay: float | None = None
    steps: int = 5000
    d_step: Callable = training.d_step
    g_step: Callable = training.g_step
    step: Callable = training.gan_step

    def critic_steps(self, generator_step: int) -> int:
        """Steps of the discriminator before the generator's step of this number, which starts at 0."""
        return self.n_critic(generator_step) if callable(self.n_critic) else self.n_critic

    def weight_of_penalty(self, progress: float) -> float:
        """The weight when this share of the budget is used, 0 to 1."""
        if self.last_penalty_weight is None:
            return self.penalty_weight
        return self.penalty_weight * (self.last_penalty_weight / self.penalty_weight) ** progress

    def settings(self) -> dict:
        """The numbers and names of the recipe, for a model card; of a function or a loss, its name."""
        plain = {key: value for key, value in vars(self).items() if isinstance(value, str | int | float | tuple)}
        named = {"loss": self.loss, "penalty": self.penalty, "n_critic": self.n_critic}
        return plain | {key: value if isinstance(value, int) else _name(value) for key, value in named.items()}


def _name(value) -> str | None:
    """How a card calls a loss or a function."""
    if value is None or isinstance(value, str):
        return value
    return getattr(value, "name", None) or getattr(value, "__name__", type(value).__name__)


def wgan_schedule(generator_step: int) -> int:
    """How often the critic of the first WGAN is trained: 100 steps at the start and now and then, else 5.

    Source: the authors' code, main.py of martinarjovsky/WassersteinGAN; the paper's Algorithm 1 has 5 throughout.
    """
    return 100 if generator_step < 25 or generator_step % 500 == 0 else 5


def gradient_penalty(discriminator: nn.Module, real: Tensor, fake: Tensor, rng) -> Tensor:
    """The penalty of WGAN-GP as a recipe wants it. Several processes share one draw, as they share a batch."""
    u = torch.rand(len(real) * distributed.size(), generator=rng, device=real.device, dtype=real.dtype)
    return penalties.gradient_penalty(discriminator, real, fake, u=distributed.part(u))


def r1(discriminator: nn.Module, real: Tensor, fake: Tensor, rng) -> Tensor:
    """The R1 penalty as a recipe wants it."""
    real = real.detach().requires_grad_(True)
    return penalties.r1(discriminator(real), real)


def r2(discriminator: nn.Module, real: Tensor, fake: Tensor, rng) -> Tensor:
    """The R2 penalty as a recipe wants it."""
    fake = fake.detach().requires_grad_(True)
    return penalties.r2(discriminator(fake), fake)


def r1_r2(discriminator: nn.Module, real: Tensor, fake: Tensor, rng) -> Tensor:
    """R1 and R2 together, with one weight for both."""
    return r1(discriminator, real, fake, rng) + r2(discriminator, real, fake, rng)


def dcgan_generator(width: int, latent_dim: int = 100) -> Callable[[Shape], nn.Module]:
    """A maker of DCGAN generators of this width for any square image."""
    return lambda shape: networks.DCGANGenerator(latent_dim, shape[1], shape[0], width)


def dcgan_discriminator(width: int, batch_norm: bool = True, hidden: int = 0) -> Callable[[Shape], nn.Module]:
    """A maker of DCGAN discriminators of this width for any square image."""
    return lambda shape: networks.DCGANDiscriminator(shape[1], shape[0], width, batch_norm, hidden)


def spectral_discriminator(width: int, hidden: int = 0) -> Callable[[Shape], nn.Module]:
    """A maker of DCGAN discriminators with a spectral norm on every layer and no BatchNorm, which would undo it."""
    make = dcgan_discriminator(width, batch_norm=False, hidden=hidden)
    return lambda shape: networks.spectral_norm(make(shape))


def mlp_generator(shape: Shape) -> nn.Module:
    """The multi-layer perceptron of lesson 02 for images of this shape."""
    return networks.MLPGenerator(image_shape=shape)


def mlp_discriminator(shape: Shape) -> nn.Module:
    """The other player, mirrored."""
    return networks.MLPDiscriminator(image_shape=shape)


def small_generator(shape: Shape | tuple[int]) -> nn.Module:
    """Five hidden layers of 64 units, for points (dim,) or for images (C, H, W): depth makes sharp edges."""
    if len(shape) == 1:
        return networks.he_weights(networks.PointGenerator(2, shape[0], (64,) * 5))
    return networks.he_weights(networks.MLPGenerator(image_shape=shape, widths=(64,) * 5))


def small_discriminator(shape: Shape | tuple[int]) -> nn.Module:
    """The other player, with three hidden layers."""
    if len(shape) == 1:
        return networks.he_weights(networks.PointDiscriminator(shape[0], (64,) * 3))
    return networks.he_weights(networks.MLPDiscriminator(image_shape=shape, widths=(64,) * 3))


# The row "gan" of lesson 05's table. The methods beside it share its networks, its batch size and all else that they do
# not change themselves. D has no BatchNorm where the method needs that. Nothing averages the generator, so that the
# table compares losses and constraints alone.
GAN = Recipe(
    name="gan",
    source="Goodfellow et al. (2014), the non-saturating loss; networks and Adam of Radford et al. (2016), smaller",
    generator=dcgan_generator(16),
    discriminator=dcgan_discriminator(16, hidden=64),
    batch_size=64,
)
PENALISED = replace(GAN, discriminator=dcgan_discriminator(16, batch_norm=False, hidden=64))

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
        GAN,
        replace(
            GAN,
            name="lsgan",
            source="Mao et al. (2017), with targets 0 and 1; Adam 2e-4 with beta1 0.5, as in the authors' code for "
            "written characters",
            loss="least_squares",
        ),
        replace(
            GAN,
            name="wgan",
            source="Arjovsky, Chintala, Bottou (2017), Algorithm 1: RMSprop 5e-5, clip 0.01, 5 critic steps; 100 of "
            "them at the start and at times, as in the authors' code",
            loss="wasserstein",
            optimizer="rmsprop",
            g_learning_rate=5e-5,
            d_learning_rate=5e-5,
            clip=0.01,
            n_critic=wgan_schedule,
        ),
        replace(
            PENALISED,
            name="wgan-gp",
            source="Gulrajani et al. (2017), Algorithm 1: Adam 1e-4 with betas (0, 0.9), lambda 10, 5 critic steps",
            loss="wasserstein",
            g_learning_rate=1e-4,
            d_learning_rate=1e-4,
            betas=(0.0, 0.9),
            n_critic=5,
            penalty=gradient_penalty,
            penalty_weight=10.0,
        ),
        replace(
            PENALISED,
            name="wgan-gp-fast",
            source="the course: wgan-gp for minutes in place of hours, with the larger, falling learning rates and the "
            "average of dcgan-fast, and 2 critic steps",
            loss="wasserstein",
            g_learning_rate=2e-3,
            d_learning_rate=2e-3,
            betas=(0.0, 0.9),
            learning_rate_decay=True,
            n_critic=2,
            penalty=gradient_penalty,
            penalty_weight=10.0,
            ema_decay=0.998,
        ),
        replace(
            GAN,
            name="sngan",
            source="Miyato et al. (2018): hinge loss (equations 16 and 17), Adam 2e-4 with betas (0.5, 0.999) and "
            "one step of D, one of the settings of its Table 1",
            discriminator=spectral_discriminator(16, hidden=64),
            loss="hinge",
        ),
        replace(
            PENALISED,
            name="r1",
            source="Mescheder, Geiger, Nowozin (2018): equation 9 with gamma 10 as in the paper (the authors' "
            "code leaves out the factor 1/2); RMSprop 1e-4 with alpha 0.99 as in their code",
            optimizer="rmsprop",
            g_learning_rate=1e-4,
            d_learning_rate=1e-4,
            penalty=r1,
            penalty_weight=5.0,
        ),
        replace(
            PENALISED,
            name="relativistic-r1-r2",
            source="Huang et al. (2024), R3GAN: the relativistic loss with R1 and R2; Adam 2e-4 with beta1 0. "
            "The authors' code schedules rate, beta2 and gamma; constant here, and gamma 1 is the course's choice "
            "(their presets: 0.05 to 0.005 for CIFAR-10, 2 to 0.2 for FFHQ-64)",
            loss="relativistic",
            betas=(0.0, 0.99),
            penalty=r1_r2,
            penalty_weight=0.5,
        ),
        Recipe(
            name="points-fast",
            source="the course: the non-saturating loss with R1 (Mescheder et al., 2018) for points of the plane; "
            "chosen by benchmarks/search_toy_modes.py for two minutes on one CPU core",
            generator=small_generator,
            discriminator=small_discriminator,
            g_learning_rate=2e-3,
            d_learning_rate=2e-3,
            betas=(0.0, 0.99),
            learning_rate_decay=True,
            penalty=r1,
            penalty_weight=0.1,
            last_penalty_weight=0.002,
            penalty_every=8,
            ema_decay=0.999,
            steps=40_000,
        ),
    )
}
