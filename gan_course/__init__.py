"""The package behind the GAN course: data, networks, losses, one training loop, metrics, plots and widgets."""

__version__ = "0.1.0"
