"""What a recipe says: how a GAN is trained."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from torch import Tensor, nn

from gan_course import training
from gan_course.losses import AdversarialLoss

Shape = tuple[int, int, int]


@dataclass(frozen=True)
class Translation:
    """What a recipe that turns images into images needs beside the rest.

    Attributes:
        paired: whether it learns from pairs. If not, the run draws inputs and targets apart from one another.
        adversarial, l1, cycle, identity: weights of the terms of G's loss; 0 leaves a term out, and it costs nothing.
            Without the adversarial term the discriminator is not trained. `identity` is the whole weight.
        pool: how many generated images of each side D's step chooses from; 0 for only the newest.
        mirrored: whether half of the images are turned left to right, both of a pair together.
    """

    paired: bool = True
    adversarial: float = 1.0
    l1: float = 0.0
    cycle: float = 0.0
    identity: float = 0.0
    pool: int = 0
    mirrored: bool = False


@dataclass(frozen=True)
class Recipe:
    """How a GAN is trained. To vary one: `dataclasses.replace(RECIPES["dcgan"], loss="hinge", name="dcgan-hinge")`.

    Attributes:
        name: its key in RECIPES.
        source: paper and section.
        generator, discriminator: image shape (C, H, W) -> a new network; (image shape, number of classes) -> one where
            there is a condition; (input shape, image shape) -> one where images are translated.
        condition: how the networks are told the class of a sample, in words; None where they are told nothing.
        translation: for methods that turn images into images; None for those that start from noise.
        loss: a key of losses.LOSSES, or a loss of your own; of a baseline, which nobody judges:
            (model, images, rng) -> scalar.
        batch_size: images in a batch; of several processes together.
        optimizer: "adam", or "rmsprop" with PyTorch's defaults, which reads no betas.
        g_learning_rate, d_learning_rate, betas: of the two optimizers.
        learning_rate_decay: whether the learning rates fall on a line to 0 at the end of the budget.
        decay_from: the share of the budget after which they begin to fall.
        n_critic: steps of the discriminator for one of the generator: a number, or a function of how many steps of the
            generator are done. Read it by `critic_steps(generator_step)`.
        clip: every weight of the discriminator is brought into [-clip, clip] after each of its steps; None for never.
        penalty: (discriminator, real, fake, rng) -> scalar, times its weight, on every penalty_every-th step.
        penalty_weight, last_penalty_weight: at the start of the budget and, by the same factor a step, at its end; None
            for a constant weight. Read it by `weight_of_penalty(progress)`.
        class_weight: of the class terms beside the adversarial loss, for methods with a classifier.
        ema_decay: of the averaged generator; None for no average.
        steps: the budget when none is given.
        d_step, g_step, step: what one step is; the loop's own unless the method needs more.
    """

    name: str
    source: str
    generator: Callable[..., nn.Module]
    discriminator: Callable[..., nn.Module]
    condition: str | None = None
    translation: Translation | None = None
    loss: str | AdversarialLoss | Callable[..., Tensor] = "non_saturating"
    batch_size: int = 128
    optimizer: str = "adam"
    g_learning_rate: float = 2e-4
    d_learning_rate: float = 2e-4
    betas: tuple[float, float] = (0.5, 0.999)
    learning_rate_decay: bool = False
    decay_from: float = 0.0
    n_critic: int | Callable[[int], int] = 1
    clip: float | None = None
    penalty: Callable[..., Tensor] | None = None
    penalty_weight: float = 0.0
    last_penalty_weight: float | None = None
    penalty_every: int = 1
    class_weight: float | None = None
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
        if not self.decay_from:
            del plain["decay_from"]
        if self.translation:
            plain["translation"] = vars(self.translation)
        named = {"loss": self.loss, "penalty": self.penalty, "n_critic": self.n_critic}
        return plain | {key: value if isinstance(value, int) else _name(value) for key, value in named.items()}


def _name(value) -> str | None:
    """How a card calls a loss or a function."""
    if value is None or isinstance(value, str):
        return value
    return getattr(value, "name", None) or getattr(value, "__name__", type(value).__name__)
