"""The deep convolutional pair of Radford, Metz and Chintala (2016), for small images."""

from __future__ import annotations

from itertools import pairwise

from torch import Tensor, nn

from gan_course.networks.blocks import check_latent, doublings, initialise_dcgan


class ToSquare(nn.Module):
    """(N, side * side * C) to (N, C, side, side), laid out in memory as convolutions like it best (channels last)."""

    def __init__(self, side: int):
        super().__init__()
        self.side = side

    def forward(self, x: Tensor) -> Tensor:
        return x.view(len(x), self.side, self.side, -1).permute(0, 3, 1, 2)


class ToRow(nn.Module):
    """(N, C, side, side) to (N, side * side * C), the way back; without a copy, and so are its gradients."""

    def forward(self, x: Tensor) -> Tensor:
        return x.permute(0, 2, 3, 1).flatten(1)


class DCGANGenerator(nn.Module):
    """z to image: a projection to a small square, then transposed convolutions that double it.

    At 28x28 and width 64 the shapes are z (100) -> (128, 7, 7) -> (64, 14, 14) -> (1, 28, 28); at 32x32
    z -> (256, 4, 4) -> (128, 8, 8) -> (64, 16, 16) -> (C, 32, 32). BatchNorm and ReLU inside, tanh at the end.

    Args:
        latent_dim: numbers in one z.
        image_size: height and width; 28, 32, 64 or another doubling of 4 to 7.
        channels: 1 for grey, 3 for RGB.
        width: channels of the last hidden layer; every layer before it has twice as many.

    Source: the guidelines in section 3 of the paper.
    """

    def __init__(self, latent_dim: int = 100, image_size: int = 28, channels: int = 1, width: int = 64):
        super().__init__()
        self.config = {"latent_dim": latent_dim, "image_size": image_size, "channels": channels, "width": width}
        self.latent_dim = latent_dim
        self.image_shape = (channels, image_size, image_size)
        side, count = doublings(image_size)
        widths = [width * 2**i for i in reversed(range(count))]
        # A linear layer and not a transposed convolution of a 1x1 image: the same map, several times faster.
        layers = [
            nn.Linear(latent_dim, widths[0] * side * side, bias=False),
            ToSquare(side),
            nn.BatchNorm2d(widths[0]),
            nn.ReLU(inplace=True),
        ]
        for inputs, outputs in pairwise(widths):
            layers += [
                nn.ConvTranspose2d(inputs, outputs, 4, stride=2, padding=1, bias=False),
                nn.BatchNorm2d(outputs),
                nn.ReLU(inplace=True),
            ]
        layers += [nn.ConvTranspose2d(widths[-1], channels, 4, stride=2, padding=1), nn.Tanh()]
        self.layers = nn.Sequential(*layers)
        self.apply(initialise_dcgan)

    def forward(self, z: Tensor) -> Tensor:
        """z (N, latent_dim) to images (N, C, H, W) in [-1, 1]."""
        check_latent(z, self.latent_dim)
        return self.layers(z)


class DCGANDiscriminator(nn.Module):
    """Image to logit: strided convolutions (no pooling) that halve the image, LeakyReLU(0.2), BatchNorm inside.

    At 28x28 and width 64: (1, 28, 28) -> (64, 14, 14) -> (128, 7, 7) -> logit.

    Args:
        image_size: height and width.
        channels: 1 for grey, 3 for RGB.
        width: channels of the first layer; every layer after it has twice as many.
        batch_norm: as in the paper (not on the first layer); switch it off for a critic with a gradient penalty,
            which is about single images.
        hidden: units of a fully connected layer between the last square and the logit, 0 for none. Without it the logit
            is a sum of what each place of the square says; with it D can judge how the strokes of an image belong
            together. InfoGAN's discriminator for MNIST has one (Chen et al. 2016, appendix C.1).
    """

    def __init__(
        self,
        image_size: int = 28,
        channels: int = 1,
        width: int = 64,
        batch_norm: bool = True,
        hidden: int = 0,
    ):
        super().__init__()
        self.config = {
            "image_size": image_size,
            "channels": channels,
            "width": width,
            "batch_norm": batch_norm,
            "hidden": hidden,
        }
        side, count = doublings(image_size)
        widths = [width * 2**i for i in range(count)]
        layers = [nn.Conv2d(channels, width, 4, stride=2, padding=1), nn.LeakyReLU(0.2, inplace=True)]
        for inputs, outputs in pairwise(widths):
            layers.append(nn.Conv2d(inputs, outputs, 4, stride=2, padding=1, bias=not batch_norm))
            if batch_norm:
                layers.append(nn.BatchNorm2d(outputs))
            layers.append(nn.LeakyReLU(0.2, inplace=True))
        layers.append(ToRow())
        features = widths[-1] * side * side
        if hidden:
            layers += [nn.Linear(features, hidden), nn.LeakyReLU(0.2, inplace=True)]
        layers.append(nn.Linear(hidden or features, 1))
        self.layers = nn.Sequential(*layers)
        self.apply(initialise_dcgan)

    def forward(self, images: Tensor) -> Tensor:
        """Images (N, C, H, W) in [-1, 1] to logits (N,)."""
        return self.layers(images).squeeze(1)
