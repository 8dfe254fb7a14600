"""What several networks share: initialisation, and the ladder of sizes from a small square to the image."""

from __future__ import annotations

from torch import Tensor, nn
from torch.nn.utils import parametrizations, parametrize


class Reshape(nn.Module):
    """(N, ...) to (N, *shape)."""

    def __init__(self, *shape: int):
        super().__init__()
        self.shape = shape

    def forward(self, x: Tensor) -> Tensor:
        return x.reshape(len(x), *self.shape)


def initialise_dcgan(module: nn.Module) -> None:
    """The initialisation of the DCGAN paper; use it as `network.apply(initialise_dcgan)`.

    Weights of convolutions and linear layers are drawn from N(0, 0.02), scales of BatchNorm from N(1, 0.02);
    biases are 0. N(0, 0.02) for a BatchNorm scale, as many copies have it, would nearly switch the layer off.

    Source: Radford, Metz, Chintala (2016), section 4; the BatchNorm part is in the authors' code.
    """
    if isinstance(module, nn.Conv2d | nn.ConvTranspose2d | nn.Linear):
        nn.init.normal_(module.weight, 0.0, 0.02)
        if module.bias is not None:
            nn.init.zeros_(module.bias)
    elif isinstance(module, nn.BatchNorm2d) and module.affine:
        nn.init.normal_(module.weight, 1.0, 0.02)
        nn.init.zeros_(module.bias)


def initialise_he(module: nn.Module) -> None:
    """Weights of convolutions such that signals keep their size through LeakyReLU(0.2), and biases of 0.

    Source: He, Zhang, Ren, Sun (2015), equations 14 and 15.
    """
    if isinstance(module, nn.Conv2d | nn.ConvTranspose2d):
        nn.init.kaiming_normal_(module.weight, a=0.2)
        if module.bias is not None:
            nn.init.zeros_(module.bias)


def spectral_norm(network: nn.Module) -> nn.Module:
    """Divide the weight of every convolution and linear layer by its largest singular value; returns the network.

    The singular value is followed by one power iteration in every forward pass in training mode. The kernel of a
    convolution is taken as a matrix (out channels, in channels * kh * kw), as in the paper; a transposed one by its own
    out channels.

    Raises:
        ValueError: there is no such layer, or the network has its spectral norm already.

    Source: Miyato et al. (2018), section 2.1 and Algorithm 1, in torch's implementation.
    """
    if has_spectral_norm(network):
        raise ValueError("This network has a spectral norm already; a second one would only cost time.")
    layers = [module for module in network.modules() if isinstance(module, nn.Conv2d | nn.ConvTranspose2d | nn.Linear)]
    if not layers:
        raise ValueError("There is no convolution and no linear layer that a spectral norm could be set on.")
    for layer in layers:
        parametrizations.spectral_norm(layer)
    return network


def has_spectral_norm(network: nn.Module) -> bool:
    """Whether `spectral_norm` was called on this network."""
    return any(parametrize.is_parametrized(module) for module in network.modules())


def doublings(image_size: int) -> tuple[int, int]:
    """How an image is grown: (side of the first square, number of doublings).

    28 = 7 * 2 * 2, 32 = 4 * 2 * 2 * 2, 64 = 4 * 2 * 2 * 2 * 2.

    Raises:
        ValueError: the size cannot be reached by doubling a square of 4 to 7 pixels.
    """
    side, count = image_size, 0
    while side >= 8 and side % 2 == 0:
        side, count = side // 2, count + 1
    if not 4 <= side <= 7 or count == 0:
        raise ValueError(
            f"A DCGAN doubles a square of 4 to 7 pixels until it is an image, which cannot give {image_size}; "
            "use a size such as 28, 32, 48 or 64."
        )
    return side, count


def check_sides(image_shape: tuple[int, ...], divisor: int) -> None:
    """Raise a ValueError unless both sides of images (C, H, W) are divisible by a number."""
    if any(side % divisor for side in image_shape[1:]):
        raise ValueError(
            f"Both sides must be divisible by {divisor}, but the images have the shape {tuple(image_shape)}."
        )


def check_latent(z: Tensor, latent_dim: int) -> None:
    """Raise a ValueError in plain words unless z has the shape (N, latent_dim)."""
    if z.ndim != 2 or z.shape[1] != latent_dim:
        raise ValueError(f"The generator expects z of shape (N, {latent_dim}), but got {tuple(z.shape)}.")


def count_parameters(module: nn.Module) -> int:
    """How many numbers training can change."""
    return sum(parameter.numel() for parameter in module.parameters() if parameter.requires_grad)
