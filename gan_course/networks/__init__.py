"""Plain modules: no losses, no optimizers. Generators end in tanh, discriminators in logits."""

from torch import nn

from gan_course.networks.blocks import initialise_dcgan
from gan_course.networks.classifier import SmallClassifier
from gan_course.networks.dcgan import DCGANDiscriminator, DCGANGenerator
from gan_course.networks.mlp import MLPDiscriminator, MLPGenerator
from gan_course.networks.toy import PointDiscriminator, PointGenerator

__all__ = [
    "DCGANDiscriminator",
    "DCGANGenerator",
    "MLPDiscriminator",
    "MLPGenerator",
    "PointDiscriminator",
    "PointGenerator",
    "SmallClassifier",
    "build",
    "initialise_dcgan",
]


def build(config: dict) -> nn.Module:
    """The network that a checkpoint's card describes: {"class": "DCGANGenerator", "arguments": {...}}.

    Raises:
        ValueError: the course has no such network, or it does not take these arguments.
    """
    name = config.get("class")
    kind = globals().get(name) if name in __all__ else None
    if not (isinstance(kind, type) and issubclass(kind, nn.Module)):
        raise ValueError(f"The course has no network called {name!r}; the card was made by another version of it.")
    try:
        return kind(**config["arguments"])
    except TypeError as error:
        raise ValueError(f"The network {name} cannot be built from this card: {error}.") from None
