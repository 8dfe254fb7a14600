"""A diffusion model: images are drowned in noise step by step, and a network learns to say which noise it was."""

from __future__ import annotations

import math
from itertools import pairwise

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from gan_course.baselines import pixels
from gan_course.baselines.step import normal_like, uniform_like
from gan_course.baselines.unet import PointDenoiser, UNet
from gan_course.networks.blocks import check_latent, check_sides

T = 1000  # steps of the forward process, and the ends of its linear schedule: Ho et al. (2020), section 4
FIRST_BETA, LAST_BETA = 1e-4, 0.02


class Diffusion(nn.Module):
    """x_t = sqrt(alpha_bar_t) x_0 + sqrt(1 - alpha_bar_t) noise for t = 1..T, and a network that finds the noise.

    t counts as in the paper: alpha_bar[0] = 1 is the image itself, and alpha_bar[t] is the product of 1 - beta_1 to
    1 - beta_t. Called with codes, which are x_T, it draws by DDIM in `sample_steps` steps; nothing there is random.

    Args:
        network: (x_t, t) -> the noise in x_t; t int64 (N,), 1..T.
        image_shape: (C, H, W), or (dim,) for points.
        sample_steps: of DDIM, when it is called with codes.
        scale: data are divided by it before the first step, so that they are about as large as the noise.

    Source: Ho, Jain, Abbeel (2020), Denoising diffusion probabilistic models; Song, Meng, Ermon (2021), Denoising
    diffusion implicit models.
    """

    def __init__(self, network: nn.Module, image_shape: tuple[int, ...], sample_steps: int = 25, scale: float = 1.0):
        super().__init__()
        self.network, self.image_shape = network, tuple(image_shape)
        self.sample_steps, self.scale = sample_steps, scale
        self.latent_dim, self.is_image = math.prod(image_shape), len(image_shape) == 3
        beta = torch.linspace(FIRST_BETA, LAST_BETA, T, dtype=torch.float64)
        beta = torch.cat([torch.zeros(1, dtype=torch.float64), beta])  # (T + 1,): beta[0] = 0 belongs to the image
        alpha_bar = (1 - beta).cumprod(0)
        variance = beta[1:] * (1 - alpha_bar[:-1]) / (1 - alpha_bar[1:])  # of q(x_t-1 | x_t, x_0), equation 7
        chance = 1 / torch.arange(2, T + 1, dtype=torch.float64)  # (T - 1,): of t = 2..T, when the bound is estimated
        tables = {"beta": beta, "alpha_bar": alpha_bar, "variance": F.pad(variance, (1, 0))}
        tables["chance"] = chance / chance.sum()
        for name, values in tables.items():
            self.register_buffer(name, values.float(), persistent=False)

    def q_sample(self, x: Tensor, t: Tensor, noise: Tensor) -> Tensor:
        """x_t of images x (N, ...), in one step: q(x_t | x_0).

        Args:
            t: int64 (N,), 0..T.
            noise: in the shape of x.

        Source: Ho et al. (2020), equation 4.
        """
        kept = _column(self.alpha_bar[t], x)
        return kept.sqrt() * x + (1 - kept).sqrt() * noise

    def noise(self, x_t: Tensor, t: Tensor) -> Tensor:
        """What the model takes for the noise in x_t (N, ...), in the same shape."""
        return self.network(x_t, t)

    def guess(self, x_t: Tensor, t: Tensor, noise: Tensor) -> Tensor:
        """The image x_0 that this noise leads back to; brought into [-1, 1] where it is an image.

        Source: equation 4, solved for x_0. The authors' code clips as well.
        """
        kept = _column(self.alpha_bar[t], x_t)
        x = (x_t - (1 - kept).sqrt() * noise) / kept.sqrt()
        return x.clamp(-1, 1) if self.is_image else x

    @torch.no_grad()
    def ddim_sample(self, z: Tensor, n_steps: int | None = None, eta: float = 0.0, rng=None) -> Tensor:
        """z (N, latent_dim) from N(0, 1) to images (N, C, H, W) in `n_steps` passes of the network.

        Args:
            n_steps: 1 to T times, evenly spaced; by default `sample_steps`.
            eta: 0 adds no noise on the way (DDIM); 1, with all T steps, is the sampler of DDPM.
            rng: of the noise on the way.

        Raises:
            ValueError: as many steps as there are not.

        Source: Song et al. (2021), equations 12 and 16.
        """
        check_latent(z, self.latent_dim)
        x = z.view(-1, *self.image_shape)
        for now, then in pairwise(_times(self.sample_steps if n_steps is None else n_steps)):
            x = self._ddim_step(x, now, then, eta, rng)
        return x * self.scale

    def _ddim_step(self, x: Tensor, now: int, then: int, eta: float = 0.0, rng=None) -> Tensor:
        """x_now to x_then, an earlier time."""
        t = torch.full((len(x),), now, device=x.device)
        image = self.guess(x, t, self.noise(x, t))
        kept_now, kept_then = self.alpha_bar[now], self.alpha_bar[then]
        noise = (x - kept_now.sqrt() * image) / (1 - kept_now).sqrt()
        variance = eta**2 * (1 - kept_then) / (1 - kept_now) * (1 - kept_now / kept_then)
        x = kept_then.sqrt() * image + (1 - kept_then - variance).clamp(min=0).sqrt() * noise
        return x + variance.sqrt() * normal_like(x, rng) if eta and then else x

    @torch.no_grad()
    def ddpm_sample(self, z: Tensor, rng: torch.Generator | None = None) -> Tensor:
        """z (N, latent_dim), which is x_T, to images (N, C, H, W) in all T steps, with fresh noise in each.

        Source: Ho et al. (2020), Algorithm 2, with the variance of equation 7, the lower of the two that section 3.2
        allows; with the guess clipped, as in the authors' code.
        """
        check_latent(z, self.latent_dim)
        x = z.view(-1, *self.image_shape)
        for now in range(T, 0, -1):
            t = torch.full((len(x),), now, device=x.device)
            x = self.posterior_mean(self.guess(x, t, self.noise(x, t)), x, t)
            if now > 1:
                x = x + self.variance[now].sqrt() * normal_like(x, rng)
        return x * self.scale

    @torch.no_grad()
    def fill(self, images: Tensor, known: Tensor, z: Tensor, n_steps: int = 50, repeats: int = 5, rng=None) -> Tensor:
        """Images of which a part is known, with the rest drawn to go with it.

        In every step the known part is put back, with as much noise as belongs to that step. One such step is too short
        for the rest to follow what was put back, so each is repeated: the noise of the step is added again, and taken
        away again.

        Args:
            images: (N, C, H, W) in [-1, 1]. known: bool, (H, W) or of the images' shape.
            z: (N, latent_dim) from N(0, 1), the start of the rest.

        Source: Lugmayr et al. (2022), RePaint, Algorithm 1, with longer steps.
        """
        x, known = images / self.scale, known.expand_as(images)
        drawn = z.view_as(x)
        for now, then in pairwise(_times(n_steps)):
            for turn in range(repeats):
                back = self._ddim_step(drawn, now, then, 1.0, rng)
                at = torch.full((len(x),), then, device=x.device)
                back = torch.where(known, self.q_sample(x, at, normal_like(x, rng)), back)
                if turn < repeats - 1 and then:
                    kept = self.alpha_bar[now] / self.alpha_bar[then]
                    drawn = kept.sqrt() * back + (1 - kept).sqrt() * normal_like(x, rng)
            drawn = back
        return drawn * self.scale

    def posterior_mean(self, x: Tensor, x_t: Tensor, t: Tensor) -> Tensor:
        """The mean of q(x_t-1 | x_t, x_0 = x). Source: Ho et al. (2020), equation 7."""
        kept, before, beta = (_column(values, x) for values in (self.alpha_bar[t], self.alpha_bar[t - 1], self.beta[t]))
        return (before.sqrt() * beta * x + (1 - beta).sqrt() * (1 - before) * x_t) / (1 - kept)

    def forward(self, z: Tensor) -> Tensor:
        """As `ddim_sample(z)`: one image for each z, so that it can be drawn from and explored like a generator."""
        return self.ddim_sample(z)

    def elbo(self, images: Tensor, rng: torch.Generator | None = None, draws: int = 1) -> Tensor:
        """A bound from below on log p(x), (N,) in nats, estimated from 1 + `draws` of its T terms an image.

        The last step, from x_1 to the image, is always among them. Of the others, t is drawn with a probability in
        proportion to 1 / t, since they fall about so, and its term is divided by that probability: the mean is right,
        and its spread falls as draws grow.

        Source: Ho et al. (2020), equations 5, 8 and 13, with the variance of equation 7 and beta_1 in the last step;
        for the unequal chances Nichol and Dhariwal (2021), section 3.3, who estimate them.
        """
        x = images / self.scale
        first = torch.ones(len(x), dtype=torch.int64, device=x.device)
        total = -self._prior_kl(x) - self._last_step(x, first, normal_like(x, rng))
        for i in range(draws):
            u = (uniform_like(x.flatten(1)[:, 0], rng) + i) / draws  # one of each of `draws` equal parts of [0, 1)
            t = torch.searchsorted(self.chance.cumsum(0), u).clamp(max=T - 2) + 2  # (N,), 2..T
            total = total - self._step_kl(x, t, normal_like(x, rng)) / (draws * self.chance[t - 2])
        if not self.is_image:  # the density of x and not of x / scale
            total = total - self.latent_dim * math.log(self.scale)
        return total

    def _prior_kl(self, x: Tensor) -> Tensor:
        """KL of q(x_T | x_0) from N(0, I), (N,) in nats: next to nothing."""
        kept = self.alpha_bar[T]
        return 0.5 * (kept * x.square() - kept - torch.log1p(-kept)).flatten(1).sum(1)

    def _guess_at(self, x: Tensor, t: Tensor, noise: Tensor) -> Tensor:
        """What the network takes x for, when it sees x_t."""
        x_t = self.q_sample(x, t, noise)
        return self.guess(x_t, t, self.noise(x_t, t))

    def _step_kl(self, x: Tensor, t: Tensor, noise: Tensor) -> Tensor:
        """KL of q(x_t-1 | x_t, x_0) from p(x_t-1 | x_t), t = 2..T, (N,) in nats: two normals of one variance."""
        weight = self.alpha_bar[t - 1] * (self.beta[t] / (1 - self.alpha_bar[t])).square() / (2 * self.variance[t])
        return weight * (x - self._guess_at(x, t, noise)).square().flatten(1).sum(1)

    def _last_step(self, x: Tensor, t: Tensor, noise: Tensor) -> Tensor:
        """-log p(x_0 | x_1), (N,) in nats; t is 1 throughout."""
        likelihood = pixels.discretised_normal if self.is_image else pixels.normal_log_density
        return -likelihood(x, self._guess_at(x, t, noise), 0.5 * self.beta[1].log())


class ImageDiffusion(Diffusion):
    """Diffusion with a small U-Net, which is asked only for what a straight line cannot say.

    The noise is sqrt(1 - alpha_bar) x_t + sqrt(alpha_bar) v, and v is the network's answer: where x_t is almost all
    noise, nothing has to be learned to see that.

    Source: for v Salimans and Ho (2022), Progressive distillation for fast sampling of diffusion models, appendix D.

    Args:
        image_shape: (C, H, W), both sides divisible by 4.
        width: channels at half the side; three times as many at a quarter.
        sample_steps: of DDIM, when it is called with codes.

    Raises:
        ValueError: a side cannot be halved twice.
    """

    def __init__(self, image_shape: tuple[int, int, int] = (1, 28, 28), width: int = 32, sample_steps: int = 25):
        check_sides(image_shape, 4)
        super().__init__(UNet(image_shape[0], width), image_shape, sample_steps)
        self.config = {"image_shape": list(image_shape), "width": width, "sample_steps": sample_steps}

    def noise(self, x_t: Tensor, t: Tensor) -> Tensor:
        """What the model takes for the noise in x_t (N, C, H, W), in the same shape."""
        kept = _column(self.alpha_bar[t], x_t)
        return (1 - kept).sqrt() * x_t + kept.sqrt() * self.network(x_t, t)


class PointDiffusion(Diffusion):
    """Diffusion for points (dim,), with fully connected layers.

    Args:
        dim: numbers in one point.
        width: units of the hidden layers.
        sample_steps: of DDIM.
        scale: about the standard deviation of the points.
    """

    def __init__(self, dim: int = 2, width: int = 128, sample_steps: int = 100, scale: float = 1.0):
        super().__init__(PointDenoiser(dim, width), (dim,), sample_steps, scale)
        self.config = {"dim": dim, "width": width, "sample_steps": sample_steps, "scale": scale}


def _times(n_steps: int) -> list[int]:
    """T, ..., 0 in so many steps of equal length.

    Raises:
        ValueError: as many steps as there are not.
    """
    if not 1 <= n_steps <= T:
        raise ValueError(f"There are 1 to {T} steps, not {n_steps}.")
    return [round(T * i / n_steps) for i in range(n_steps, -1, -1)]


def _column(values: Tensor, x: Tensor) -> Tensor:
    """(N,) to (N, 1, ..., 1), as many dimensions as x."""
    return values.view(-1, *[1] * (x.ndim - 1))


def noise_error(model: Diffusion, images: Tensor, rng: torch.Generator | None = None) -> Tensor:
    """The diffusion model's loss: the mean squared error of the noise, at one random t an image.

    Source: Ho et al. (2020), equation 14 and Algorithm 1; the mean over pixels in the place of their sum.
    """
    x = images / model.scale
    t = (uniform_like(x.flatten(1)[:, 0], rng) * T).long().clamp(max=T - 1) + 1  # (N,), 1..T
    noise = normal_like(x, rng)
    return F.mse_loss(model.noise(model.q_sample(x, t, noise), t), noise)
