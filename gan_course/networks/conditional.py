"""Generators and discriminators that are told a class.

A network with a `.classes` is called with labels too: `generator(z, labels)`, `discriminator(images, labels)`. Labels
are int64 (N,), one class a sample, or float (N, classes), shares of several classes, which is how one class is turned
into another.
"""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor, nn

from gan_course.networks.blocks import check_latent
from gan_course.networks.dcgan import DCGANDiscriminator, DCGANGenerator


def class_shares(labels: Tensor, classes: int) -> Tensor:
    """Labels as float (N, classes): a 1 in the column of its class (one-hot). Shares are returned as they are.

    Args:
        labels: int64 (N,) in 0..classes - 1, or float (N, classes).

    Raises:
        ValueError: another shape or type.
        RuntimeError, IndexError: a label out of range; on a GPU the program ends, as there nothing is read back.
    """
    if labels.is_floating_point() and labels.ndim == 2 and labels.shape[1] == classes:
        return labels
    if labels.dtype != torch.int64 or labels.ndim != 1:
        raise ValueError(
            f"Labels must be int64 of shape (N,), or float shares of shape (N, {classes}), but they are {labels.dtype} "
            f"of shape {tuple(labels.shape)}."
        )
    return torch.zeros(len(labels), classes, device=labels.device).scatter_(1, labels[:, None], 1.0)


class ConditionalBatchNorm2d(nn.Module):
    """BatchNorm whose scale and shift belong to the class of each sample.

    The batch is normalised as ever, all classes together. Then channel c of a sample of class y becomes
    scale[y, c] * x + shift[y, c].

    Args:
        features: channels C.
        classes: rows of the two tables.

    Source: Dumoulin, Shlens, Kudlur (2017), for styles of paintings and with InstanceNorm; de Vries et al. (2017), for
    BatchNorm; Miyato and Koyama (2018) use it in their generator.
    """

    def __init__(self, features: int, classes: int):
        super().__init__()
        self.norm = nn.BatchNorm2d(features, affine=False)
        self.scale = nn.Parameter(torch.empty(classes, features).normal_(1.0, 0.02))
        self.shift = nn.Parameter(torch.zeros(classes, features))

    def forward(self, x: Tensor, shares: Tensor) -> Tensor:
        """x (N, C, H, W) and shares of classes (N, classes) to (N, C, H, W)."""
        scale, shift = shares @ self.scale, shares @ self.shift  # (N, C) each: with one-hot shares a row of the table
        return self.norm(x) * scale[:, :, None, None] + shift[:, :, None, None]


class ConditionalGenerator(nn.Module):
    """z and a class to image: the DCGAN generator, told the class at its input or in each of its BatchNorms.

    Args:
        latent_dim: numbers in one z.
        classes: number of classes K.
        image_size, channels, width: as of DCGANGenerator.
        batch_norm_by_class: False: the one-hot label is joined to z, (N, latent_dim + K). True: the input is z alone,
            and every BatchNorm has a scale and a shift for each class.

    Source: Mirza and Osindero (2014), section 3.2, for the label at the input; Miyato and Koyama (2018) for the
    BatchNorms.
    """

    def __init__(
        self,
        latent_dim: int = 100,
        classes: int = 10,
        image_size: int = 28,
        channels: int = 1,
        width: int = 64,
        batch_norm_by_class: bool = False,
    ):
        super().__init__()
        self.config = {
            "latent_dim": latent_dim,
            "classes": classes,
            "image_size": image_size,
            "channels": channels,
            "width": width,
            "batch_norm_by_class": batch_norm_by_class,
        }
        self.latent_dim, self.classes = latent_dim, classes
        self.image_shape = (channels, image_size, image_size)
        self.batch_norm_by_class = batch_norm_by_class
        inputs = latent_dim if batch_norm_by_class else latent_dim + classes
        self.layers = DCGANGenerator(inputs, image_size, channels, width).layers
        if batch_norm_by_class:
            for i, layer in enumerate(self.layers):
                if isinstance(layer, nn.BatchNorm2d):
                    self.layers[i] = ConditionalBatchNorm2d(layer.num_features, classes)

    def forward(self, z: Tensor, labels: Tensor) -> Tensor:
        """z (N, latent_dim) and labels to images (N, C, H, W) in [-1, 1]."""
        check_latent(z, self.latent_dim)
        shares = class_shares(labels, self.classes).to(z.dtype)  # (N, K)
        x = z if self.batch_norm_by_class else torch.cat([z, shares], 1)
        for layer in self.layers:
            x = layer(x, shares) if isinstance(layer, ConditionalBatchNorm2d) else layer(x)
        return x


class ConcatenationDiscriminator(nn.Module):
    """Does this image go with this label? The label is joined to the image, as K planes of zeros and ones.

    (C, H, W) becomes (C + K, H, W). Plane y is all ones, so that every layer from the first on can make use of it.

    Args:
        classes: number of classes K.
        image_size, channels, width, batch_norm, hidden: as of DCGANDiscriminator.

    Source: Mirza and Osindero (2014), section 3.2; their networks for MNIST (section 4.1) are fully connected and join
    label and image after a hidden layer of each.
    """

    def __init__(self, classes: int = 10, image_size: int = 28, channels: int = 1, **more):
        super().__init__()
        self.config = {"classes": classes, "image_size": image_size, "channels": channels, **more}
        self.classes = classes
        self.body = DCGANDiscriminator(image_size, channels + classes, **more)

    def forward(self, images: Tensor, labels: Tensor) -> Tensor:
        """Images (N, C, H, W) in [-1, 1] and labels to logits (N,)."""
        shares = class_shares(labels, self.classes).to(images.dtype)  # (N, K)
        planes = shares[:, :, None, None].expand(-1, -1, *images.shape[2:])  # (N, K, H, W)
        return self.body(torch.cat([images, planes], 1))


class ProjectionDiscriminator(nn.Module):
    """Does this image go with this label? logit = f(x) + <embed(y), phi(x)>.

    phi(x) are the features before the last layer, f is that last layer, and embed(y) is a vector of the same length for
    each class. Only the product of the two knows both image and label.

    Args:
        classes: number of classes K.
        image_size, channels, width, batch_norm, hidden: as of DCGANDiscriminator.

    Source: Miyato and Koyama (2018), equation 3 and figure 1d.
    """

    def __init__(self, classes: int = 10, image_size: int = 28, channels: int = 1, **more):
        super().__init__()
        self.config = {"classes": classes, "image_size": image_size, "channels": channels, **more}
        self.classes = classes
        self.trunk, self.head = _parts(image_size, channels, **more)
        # Drawn like the last layer's weights: entries from N(0, 1), torch's habit, would drown f at the start.
        self.embedding = nn.Parameter(torch.empty(classes, self.head.in_features).normal_(0.0, 0.02))

    def features(self, images: Tensor) -> Tensor:
        """phi: images (N, C, H, W) in [-1, 1] to (N, D)."""
        return self.trunk(images)

    def forward(self, images: Tensor, labels: Tensor) -> Tensor:
        """Images (N, C, H, W) in [-1, 1] and labels to logits (N,)."""
        phi = self.features(images)  # (N, D)
        rows = class_shares(labels, self.classes).to(phi.dtype) @ self.embedding  # (N, D)
        return self.head(phi).squeeze(1) + (rows * phi).sum(1)


class AuxiliaryLogits(NamedTuple):
    """What a discriminator with two heads says: logits (N,), real or generated; class_logits (N, K), which class."""

    logits: Tensor
    class_logits: Tensor


class AuxiliaryDiscriminator(nn.Module):
    """Is this image real, and which class is it? Two heads on one trunk. It is never told the label: it must find it.

    Args:
        classes: number of classes K.
        image_size, channels, width, batch_norm, hidden: as of DCGANDiscriminator.

    Source: Odena, Olah, Shlens (2017), section 3.
    """

    def __init__(self, classes: int = 10, image_size: int = 28, channels: int = 1, **more):
        super().__init__()
        self.config = {"classes": classes, "image_size": image_size, "channels": channels, **more}
        self.trunk, self.head = _parts(image_size, channels, **more)
        self.class_head = nn.Linear(self.head.in_features, classes)
        nn.init.normal_(self.class_head.weight, 0.0, 0.02)
        nn.init.zeros_(self.class_head.bias)

    def forward(self, images: Tensor) -> AuxiliaryLogits:
        """Images (N, C, H, W) in [-1, 1] to logits (N,) and class_logits (N, K); no softmax, the loss takes it."""
        phi = self.trunk(images)  # (N, D)
        return AuxiliaryLogits(self.head(phi).squeeze(1), self.class_head(phi))


def _parts(image_size: int, channels: int, **more) -> tuple[nn.Sequential, nn.Linear]:
    """The DCGAN discriminator, cut before its last layer."""
    layers = DCGANDiscriminator(image_size, channels, **more).layers
    return layers[:-1], layers[-1]
