"""The DCGAN pair with rules broken: nothing broken is the DCGAN, and each flag breaks what it says."""

import pytest
import torch
from torch import nn

from gan_course import networks
from gan_course.networks.ablations import VARIANTS, AblationDiscriminator, AblationGenerator, initialise

SHAPE = (1, 28, 28)


def kinds(network):
    return [type(module).__name__ for module in network.modules()]


def test_with_all_rules_kept_both_are_the_dcgan():
    images, z = torch.randn(4, *SHAPE).clamp(-1, 1), torch.randn(4, 100)
    for ours, theirs, x in (
        (AblationGenerator, lambda: networks.DCGANGenerator(width=16), z),
        (AblationDiscriminator, lambda: networks.DCGANDiscriminator(width=16), images),
    ):
        torch.manual_seed(0)
        first = theirs() if ours is None else ours(SHAPE)
        torch.manual_seed(0)
        second = theirs()
        assert torch.equal(first(x), second(x))


@pytest.mark.parametrize("name", VARIANTS)
def test_every_variant_trains(name):
    variant = VARIANTS[name]
    generator = AblationGenerator(SHAPE, width=4, **variant.generator)
    discriminator = AblationDiscriminator(SHAPE, width=4, **variant.discriminator)
    images = generator(torch.randn(8, 100))
    assert images.shape == (8, *SHAPE)
    logits = discriminator(images)
    assert logits.shape == (8,)
    logits.square().sum().backward()
    for network in (generator, discriminator):
        assert all(p.grad is not None and p.grad.isfinite().all() for p in network.parameters())


def test_each_flag_breaks_its_rule_and_no_other():
    assert "BatchNorm2d" not in kinds(AblationGenerator(SHAPE, batch_norm="none"))
    assert isinstance(AblationGenerator(SHAPE, batch_norm="everywhere").layers[-2], nn.BatchNorm2d)
    assert "ConvTranspose2d" not in kinds(AblationGenerator(SHAPE, upsample=True))
    assert kinds(AblationGenerator(SHAPE, hidden=32)).count("Linear") == 2
    assert "Tanh" not in kinds(AblationGenerator(SHAPE, tanh=False))
    assert AblationGenerator(SHAPE, kernel=5)(torch.zeros(2, 100)).shape == (2, *SHAPE)
    assert AblationGenerator(SHAPE, kernel=5).layers[-2].kernel_size == (5, 5)
    assert kinds(AblationDiscriminator(SHAPE, pooling=True)).count("MaxPool2d") == 2
    assert all(
        m.stride in (1, (1, 1)) for m in AblationDiscriminator(SHAPE, pooling=True).modules() if hasattr(m, "groups")
    )
    assert isinstance(AblationDiscriminator(SHAPE, batch_norm="everywhere").layers[1], nn.BatchNorm2d)
    assert {
        m.negative_slope for m in AblationDiscriminator(SHAPE, slope=0.0).modules() if hasattr(m, "negative_slope")
    } == {0.0}
    assert kinds(AblationDiscriminator(SHAPE, hidden=32)).count("Linear") == 2


def test_initialisations():
    torch.manual_seed(0)
    wrong = AblationGenerator(SHAPE, width=64, initialisation="zero_batch_norm")
    scales = torch.cat([m.weight for m in wrong.modules() if isinstance(m, nn.BatchNorm2d)])
    assert scales.mean().item() == pytest.approx(0, abs=0.01) and scales.std().item() == pytest.approx(0.02, rel=0.2)
    default = AblationGenerator(SHAPE, width=64, initialisation="default")
    assert default.layers[0].weight.std() > 0.04, "PyTorch's own: uniform in +-1/sqrt(100)"
    with pytest.raises(ValueError, match="initialisation is 'he'"):
        initialise(wrong, "he")
    with pytest.raises(ValueError, match="batch_norm is 'some'"):
        AblationDiscriminator(SHAPE, batch_norm="some")
