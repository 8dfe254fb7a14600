"""InfoGAN's pair: a generator whose z holds codes, and a discriminator with a second head that reads them back."""

from __future__ import annotations

import math
from itertools import pairwise
from typing import NamedTuple

import torch
from torch import Tensor, nn

from gan_course.networks.blocks import check_latent, doublings, initialise_dcgan
from gan_course.networks.dcgan import DCGANGenerator, ToRow


class Codes(NamedTuple):
    """What one z stands for: noise (N, noise_dim) from N(0, 1); category (N,), int64, each as likely as any other;
    continuous (N, continuous), uniform on [-1, 1].
    """

    noise: Tensor
    category: Tensor
    continuous: Tensor


class Judgement(NamedTuple):
    """What the discriminator returns: logits (N,), real or generated; and Q's distribution of the codes, that is
    category_logits (N, categories), and mean and log_std (N, continuous) of a normal distribution for each code.
    """

    logits: Tensor
    category_logits: Tensor
    mean: Tensor
    log_std: Tensor


class InfoGANGenerator(nn.Module):
    """Noise, one category and a few continuous codes to an image.

    z is standard normal, as for every generator of the course, so whatever samples or explores one needs no special
    case. `codes` turns z into what the method asks for: the largest of `categories` numbers chooses the category (all
    are equally likely, since the numbers are alike), and the normal distribution function makes uniform numbers of
    normal ones. `draw` takes codes that you choose yourself.

    Args:
        noise_dim: numbers of z that are left as they are.
        categories: values of the categorical code.
        continuous: how many continuous codes.
        image_size: height and width; 28, 32, 64 or another doubling of 4 to 7.
        channels: 1 for grey, 3 for RGB.
        width: channels of the last hidden layer, as in DCGANGenerator.
        hidden: units of a fully connected layer before the first square, 0 for none; the paper has 1024.
        category_scale: what a one is in the one-hot row of the category. At 1, as in the paper, 62 numbers of noise
            drown it at the start (the paper's are uniform, a third as strong); at 62^(1/2) both weigh the same.

    Source: Chen et al. (2016), section 7.2 for the codes, appendix C.1 for the layers.
    """

    def __init__(
        self,
        noise_dim: int = 62,
        categories: int = 10,
        continuous: int = 2,
        image_size: int = 28,
        channels: int = 1,
        width: int = 64,
        hidden: int = 0,
        category_scale: float = 1.0,
    ):
        super().__init__()
        self.config = {
            "noise_dim": noise_dim,
            "categories": categories,
            "continuous": continuous,
            "image_size": image_size,
            "channels": channels,
            "width": width,
            "hidden": hidden,
            "category_scale": category_scale,
        }
        self.category_scale = category_scale
        self.parts = (noise_dim, categories, continuous)
        self.latent_dim = sum(self.parts)
        self.image_shape = (channels, image_size, image_size)
        layers = [DCGANGenerator(hidden or self.latent_dim, image_size, channels, width)]
        if hidden:
            layers = [nn.Linear(self.latent_dim, hidden, bias=False), nn.BatchNorm1d(hidden), nn.ReLU(), *layers]
        self.layers = nn.Sequential(*layers)
        self.apply(initialise_dcgan)

    def codes(self, z: Tensor) -> Codes:
        """z (N, latent_dim) from N(0, 1) to the codes it stands for."""
        check_latent(z, self.latent_dim)
        noise, scores, normal = z.split(self.parts, dim=1)
        return Codes(noise, scores.argmax(1), torch.erf(normal / math.sqrt(2)))

    def draw(self, noise: Tensor, category: Tensor, continuous: Tensor) -> Tensor:
        """Images (N, C, H, W) in [-1, 1] of codes you choose; see `Codes` for their shapes. Use it as `draw(*codes)`.

        A continuous code may lie beyond [-1, 1], where the generator has never been trained.
        """
        one_hot = noise.new_zeros(len(noise), self.parts[1])  # (N, categories)
        one_hot = one_hot.scatter(1, category[:, None], self.category_scale)
        return self.layers(torch.cat([noise, one_hot, continuous], 1))

    def forward(self, z: Tensor) -> Tensor:
        """z (N, latent_dim) from N(0, 1) to images (N, C, H, W) in [-1, 1]."""
        return self.draw(*self.codes(z))


class InfoGANDiscriminator(nn.Module):
    """Image to a logit and to a distribution over the codes: two heads, D and Q, on one trunk.

    The trunk is DCGANDiscriminator's, up to its hidden layer. Q is one more hidden layer and a linear one. There is no
    softmax at its end: a cross-entropy takes logits.

    Args:
        categories, continuous: as in InfoGANGenerator.
        image_size: height and width.
        channels: 1 for grey, 3 for RGB.
        width: channels of the first layer.
        batch_norm: in the trunk (not on the first layer) and in Q.
        hidden: units of the trunk's fully connected layer.
        q_hidden: units of Q's own.
        learn_std: whether Q also says how sure it is of a continuous code; without, log_std is 0, as in the authors'
            code.
        q_reads_only: whether Q's gradient stops before the trunk, so that Q watches, and D and G are what they would be
            without it.

    Source: Chen et al. (2016), appendix C.1, with LeakyReLU(0.2) in place of 0.1.
    """

    def __init__(
        self,
        categories: int = 10,
        continuous: int = 2,
        image_size: int = 28,
        channels: int = 1,
        width: int = 64,
        batch_norm: bool = True,
        hidden: int = 1024,
        q_hidden: int = 128,
        learn_std: bool = False,
        q_reads_only: bool = False,
    ):
        super().__init__()
        self.config = {
            "categories": categories,
            "continuous": continuous,
            "image_size": image_size,
            "channels": channels,
            "width": width,
            "batch_norm": batch_norm,
            "hidden": hidden,
            "q_hidden": q_hidden,
            "learn_std": learn_std,
            "q_reads_only": q_reads_only,
        }
        self.learn_std, self.q_reads_only = learn_std, q_reads_only
        self.parts = (categories, continuous) + (continuous,) * learn_std
        side, count = doublings(image_size)
        widths = [width * 2**i for i in range(count)]
        layers = [nn.Conv2d(channels, width, 4, stride=2, padding=1), nn.LeakyReLU(0.2, inplace=True)]
        for inputs, outputs in pairwise(widths):
            layers += _block(nn.Conv2d(inputs, outputs, 4, 2, 1, bias=not batch_norm), nn.BatchNorm2d, batch_norm)
        layers += [ToRow(), *_dense(widths[-1] * side * side, hidden, batch_norm)]
        self.trunk = nn.Sequential(*layers)
        self.d_head = nn.Linear(hidden, 1)
        self.q_head = nn.Sequential(*_dense(hidden, q_hidden, batch_norm), nn.Linear(q_hidden, sum(self.parts)))
        self.apply(initialise_dcgan)

    def forward(self, images: Tensor) -> Judgement:
        """Images (N, C, H, W) in [-1, 1] to both heads' answers."""
        features = self.trunk(images)  # (N, hidden)
        found = self.q_head(features.detach() if self.q_reads_only else features)
        category_logits, mean, *log_std = found.split(self.parts, dim=1)
        return Judgement(
            self.d_head(features).squeeze(1), category_logits, mean, *(log_std or [torch.zeros_like(mean)])
        )


def _dense(inputs: int, outputs: int, batch_norm: bool) -> list[nn.Module]:
    return _block(nn.Linear(inputs, outputs, bias=not batch_norm), nn.BatchNorm1d, batch_norm)


def _block(layer: nn.Module, norm: type[nn.Module], batch_norm: bool) -> list[nn.Module]:
    """The layer, BatchNorm where it is wanted, and LeakyReLU(0.2)."""
    return [layer, *([norm(layer.weight.shape[0])] if batch_norm else []), nn.LeakyReLU(0.2, inplace=True)]
