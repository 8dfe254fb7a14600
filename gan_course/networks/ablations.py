"""The DCGAN pair with one rule of the paper broken at a time, for the experiment of lesson 03.

With nothing broken the layers are those of networks.DCGANGenerator and DCGANDiscriminator, in the same order.

Source of the rules: Radford, Metz, Chintala (2016), section 3 ("architecture guidelines") and section 4.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import pairwise

from torch import Tensor, nn

from gan_course.networks.blocks import check_latent, doublings, initialise_dcgan
from gan_course.networks.dcgan import ToRow, ToSquare

INITIALISATIONS = ("paper", "default", "zero_batch_norm")
BATCH_NORMS = ("inside", "none", "everywhere")


@dataclass(frozen=True)
class Variant:
    """One rule broken.

    Attributes:
        rule: what the paper asks for, in words.
        generator, discriminator: arguments of AblationGenerator and AblationDiscriminator.
        settings: what differs in the recipe.
    """

    rule: str
    generator: dict = field(default_factory=dict)
    discriminator: dict = field(default_factory=dict)
    settings: dict = field(default_factory=dict)


VARIANTS = {
    "all rules kept": Variant("none is broken"),
    "pooling in D": Variant("strided convolutions in D, no pooling", {}, {"pooling": True}),
    "upsampling in G": Variant("transposed convolutions in G", {"upsample": True}),
    "no BatchNorm in G": Variant("BatchNorm in G", {"batch_norm": "none"}),
    "no BatchNorm in D": Variant("BatchNorm in D", {}, {"batch_norm": "none"}),
    "BatchNorm everywhere": Variant(
        "no BatchNorm on G's output and D's first layer", {"batch_norm": "everywhere"}, {"batch_norm": "everywhere"}
    ),
    "hidden layers": Variant("no fully connected hidden layers", {"hidden": 256}, {"hidden": 256}),
    "ReLU in D": Variant("LeakyReLU in D", {}, {"slope": 0.0}),
    "no tanh": Variant("tanh at G's output", {"tanh": False}),
    "PyTorch's initialisation": Variant(
        "weights from N(0, 0.02)", {"initialisation": "default"}, {"initialisation": "default"}
    ),
    "BatchNorm from N(0, 0.02)": Variant(
        "BatchNorm's scales from N(1, 0.02)",
        {"initialisation": "zero_batch_norm"},
        {"initialisation": "zero_batch_norm"},
    ),
    "beta1 = 0.9": Variant("Adam's beta1 at 0.5", settings={"betas": (0.9, 0.999)}),
}


class AblationGenerator(nn.Module):
    """A DCGAN generator that may break a rule.

    Args:
        image_shape: (C, H, W), square.
        width: channels of the last hidden layer.
        latent_dim: numbers in one z.
        batch_norm: "inside" as in the paper, "none", or "everywhere", the output layer included.
        kernel: of the transposed convolutions, 4 as in the course or 5 as in the paper.
        upsample: nearest-neighbour doubling and a 3x3 convolution in place of each transposed convolution.
        hidden: units of a fully connected hidden layer before the first square; 0 for none.
        tanh: whether the output passes a tanh; without it images may leave [-1, 1].
        initialisation: see `initialise`.

    Raises:
        ValueError: an unknown batch_norm or initialisation, or a size that doubling cannot reach.
    """

    def __init__(
        self,
        image_shape: tuple[int, int, int],
        width: int = 16,
        latent_dim: int = 100,
        *,
        batch_norm: str = "inside",
        kernel: int = 4,
        upsample: bool = False,
        hidden: int = 0,
        tanh: bool = True,
        initialisation: str = "paper",
    ):
        super().__init__()
        _check("batch_norm", batch_norm, BATCH_NORMS)
        self.latent_dim, self.image_shape = latent_dim, tuple(image_shape)
        side, count = doublings(image_shape[1])
        widths = [width * 2**i for i in reversed(range(count))]
        inside, everywhere = batch_norm != "none", batch_norm == "everywhere"
        layers, inputs = [], latent_dim
        if hidden:
            layers = [nn.Linear(latent_dim, hidden, bias=not inside), *_norm(nn.BatchNorm1d, hidden, inside), nn.ReLU()]
            inputs = hidden
        layers += [nn.Linear(inputs, widths[0] * side * side, bias=not inside), ToSquare(side)]
        layers += [*_norm(nn.BatchNorm2d, widths[0], inside), nn.ReLU(inplace=True)]
        for inputs, outputs in pairwise(widths):
            layers += _double(inputs, outputs, 0 if upsample else kernel, bias=not inside)
            layers += [*_norm(nn.BatchNorm2d, outputs, inside), nn.ReLU(inplace=True)]
        layers += _double(widths[-1], image_shape[0], 0 if upsample else kernel, bias=True)
        layers += _norm(nn.BatchNorm2d, image_shape[0], everywhere)
        self.layers = nn.Sequential(*layers, *([nn.Tanh()] if tanh else []))
        initialise(self, initialisation)

    def forward(self, z: Tensor) -> Tensor:
        """z (N, latent_dim) to images (N, C, H, W)."""
        check_latent(z, self.latent_dim)
        return self.layers(z)


class AblationDiscriminator(nn.Module):
    """A DCGAN discriminator that may break a rule.

    Args:
        image_shape: (C, H, W), square.
        width: channels of the first layer.
        batch_norm: "inside" as in the paper (not on the first layer), "none", or "everywhere".
        pooling: a 3x3 convolution and max-pooling in place of each strided convolution.
        slope: of the LeakyReLU for negative inputs; 0 makes it a ReLU.
        hidden: units of a fully connected hidden layer before the logit; 0 for none.
        initialisation: see `initialise`.

    Raises:
        ValueError: an unknown batch_norm or initialisation, or a size that halving cannot reach.
    """

    def __init__(
        self,
        image_shape: tuple[int, int, int],
        width: int = 16,
        *,
        batch_norm: str = "inside",
        pooling: bool = False,
        slope: float = 0.2,
        hidden: int = 0,
        initialisation: str = "paper",
    ):
        super().__init__()
        _check("batch_norm", batch_norm, BATCH_NORMS)
        side, count = doublings(image_shape[1])
        widths = [width * 2**i for i in range(count)]
        inside, everywhere = batch_norm != "none", batch_norm == "everywhere"
        layers = [*_halve(image_shape[0], width, pooling, bias=True), *_norm(nn.BatchNorm2d, width, everywhere)]
        layers.append(nn.LeakyReLU(slope, inplace=True))
        for inputs, outputs in pairwise(widths):
            layers += [*_halve(inputs, outputs, pooling, bias=not inside), *_norm(nn.BatchNorm2d, outputs, inside)]
            layers.append(nn.LeakyReLU(slope, inplace=True))
        layers.append(ToRow())
        features = widths[-1] * side * side
        if hidden:
            layers += [nn.Linear(features, hidden, bias=not inside), *_norm(nn.BatchNorm1d, hidden, inside)]
            layers.append(nn.LeakyReLU(slope))
        self.layers = nn.Sequential(*layers, nn.Linear(hidden or features, 1))
        initialise(self, initialisation)

    def forward(self, images: Tensor) -> Tensor:
        """Images (N, C, H, W) to logits (N,)."""
        return self.layers(images).squeeze(1)


def initialise(network: nn.Module, kind: str) -> None:
    """Draw a network's weights.

    Args:
        kind: "paper" for networks.initialise_dcgan; "default" to leave PyTorch's own; "zero_batch_norm" for the
            mistake of many copies, scales of BatchNorm from N(0, 0.02) in place of N(1, 0.02).

    Raises:
        ValueError: an unknown kind.
    """
    _check("initialisation", kind, INITIALISATIONS)
    if kind == "default":
        return
    network.apply(initialise_dcgan)
    if kind == "zero_batch_norm":
        for module in network.modules():
            if isinstance(module, nn.BatchNorm2d):
                nn.init.normal_(module.weight, 0.0, 0.02)


def _double(inputs: int, outputs: int, kernel: int, bias: bool) -> list[nn.Module]:
    """A layer that doubles the image: a transposed convolution, or with kernel 0 resizing and a convolution."""
    if kernel == 0:
        return [nn.Upsample(scale_factor=2), nn.Conv2d(inputs, outputs, 3, padding=1, bias=bias)]
    padding = (kernel - 1) // 2
    odd = 2 * padding + 2 - kernel
    return [nn.ConvTranspose2d(inputs, outputs, kernel, 2, padding, output_padding=odd, bias=bias)]


def _halve(inputs: int, outputs: int, pooling: bool, bias: bool) -> list[nn.Module]:
    if pooling:
        return [nn.Conv2d(inputs, outputs, 3, padding=1, bias=bias), nn.MaxPool2d(2)]
    return [nn.Conv2d(inputs, outputs, 4, stride=2, padding=1, bias=bias)]


def _norm(kind: type[nn.Module], channels: int, wanted: bool) -> list[nn.Module]:
    return [kind(channels)] if wanted else []


def _check(name: str, value: str, known: tuple[str, ...]) -> None:
    if value not in known:
        raise ValueError(f"{name} is {value!r}; use one of {', '.join(known)}.")
