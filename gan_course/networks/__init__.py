"""Plain modules: no losses, no optimizers. Generators end in tanh, discriminators in logits."""

from torch import nn

from gan_course.networks.blocks import has_spectral_norm, initialise_dcgan, spectral_norm
from gan_course.networks.classifier import SmallClassifier
from gan_course.networks.conditional import (
    AuxiliaryDiscriminator,
    AuxiliaryLogits,
    ConcatenationDiscriminator,
    ConditionalBatchNorm2d,
    ConditionalGenerator,
    ProjectionDiscriminator,
    class_shares,
)
from gan_course.networks.correction import CorrectionGenerator, CorrectionPair
from gan_course.networks.cycle import CyclePair, PatchPair, ResNetGenerator
from gan_course.networks.dcgan import DCGANDiscriminator, DCGANGenerator
from gan_course.networks.infogan import Codes, InfoGANDiscriminator, InfoGANGenerator, Judgement
from gan_course.networks.mlp import MLPDiscriminator, MLPGenerator
from gan_course.networks.noise import InstanceNoise
from gan_course.networks.packing import PackedDiscriminator
from gan_course.networks.stargan import (
    StarGANDigitGenerator,
    StarGANDiscriminator,
    StarGANGenerator,
    StarGANLogits,
)
from gan_course.networks.toy import PointDiscriminator, PointGenerator, he_weights
from gan_course.networks.translation import NoiseDropout, PatchDiscriminator, UNetGenerator, receptive_field

__all__ = [
    "AuxiliaryDiscriminator",
    "AuxiliaryLogits",
    "Codes",
    "ConcatenationDiscriminator",
    "ConditionalBatchNorm2d",
    "ConditionalGenerator",
    "CorrectionGenerator",
    "CorrectionPair",
    "CyclePair",
    "DCGANDiscriminator",
    "DCGANGenerator",
    "InfoGANDiscriminator",
    "InfoGANGenerator",
    "InstanceNoise",
    "Judgement",
    "MLPDiscriminator",
    "MLPGenerator",
    "NoiseDropout",
    "PackedDiscriminator",
    "PatchDiscriminator",
    "PatchPair",
    "PointDiscriminator",
    "PointGenerator",
    "ProjectionDiscriminator",
    "ResNetGenerator",
    "SmallClassifier",
    "StarGANDigitGenerator",
    "StarGANDiscriminator",
    "StarGANGenerator",
    "StarGANLogits",
    "UNetGenerator",
    "build",
    "class_shares",
    "describe",
    "he_weights",
    "initialise_dcgan",
    "receptive_field",
    "spectral_norm",
]


def describe(network: nn.Module) -> dict:
    """What a checkpoint's card says of a network, enough for `build` to make it again.

    Args:
        network: one of this package, which knows its own `config`.
    """
    described = {"class": type(network).__name__, "arguments": network.config}
    return described | ({"spectral_norm": True} if has_spectral_norm(network) else {})


def build(config: dict) -> nn.Module:
    """The network that a checkpoint's card describes: {"class": "DCGANGenerator", "arguments": {...}}.

    With {"spectral_norm": true} in it, every convolution and linear layer gets its spectral norm.

    Raises:
        ValueError: the course has no such network, or it does not take these arguments.
    """
    name = config.get("class")
    kind = globals().get(name) if name in __all__ else _baseline(name)
    if not (isinstance(kind, type) and issubclass(kind, nn.Module)):
        raise ValueError(f"The course has no network called {name!r}; the card was made by another version of it.")
    try:
        network = kind(**config["arguments"])
    except TypeError as error:
        raise ValueError(f"The network {name} cannot be built from this card: {error}.") from None
    return spectral_norm(network) if config.get("spectral_norm") else network


def _baseline(name: str | None) -> type | None:
    """The model of `baselines` with this name, which a checkpoint may hold as well; None if there is none."""
    from gan_course import baselines  # here, since it is built on networks

    return getattr(baselines, name) if name in baselines.__all__ else None
