"""Shapes, ranges, gradients and initialisation of every network."""

import pytest
import torch

from gan_course import networks
from gan_course.networks.blocks import count_parameters, doublings


@pytest.mark.parametrize("size", [28, 32, 64])
@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("hidden", [0, 16])
def test_dcgan_shapes_and_gradients(size, channels, hidden):
    generator = networks.DCGANGenerator(20, size, channels, width=8)
    discriminator = networks.DCGANDiscriminator(size, channels, width=8, hidden=hidden)
    images = generator(torch.randn(4, 20))
    assert images.shape == (4, channels, size, size) and images.abs().max() <= 1
    logits = discriminator(images)
    assert logits.shape == (4,)
    logits.square().sum().backward()
    for network in (generator, discriminator):
        for name, parameter in network.named_parameters():
            assert parameter.grad is not None and parameter.grad.abs().sum() > 0, name


def test_dcgan_layers_are_those_of_the_docstring():
    generator, shapes = networks.DCGANGenerator(), []
    for layer in generator.layers:
        if isinstance(layer, torch.nn.BatchNorm2d | torch.nn.Tanh):
            layer.register_forward_hook(lambda _m, _i, output: shapes.append(tuple(output.shape[1:])))
    generator(torch.randn(2, 100))
    assert shapes == [(128, 7, 7), (64, 14, 14), (1, 28, 28)]
    kinds = {type(layer).__name__ for layer in networks.DCGANDiscriminator().layers}
    assert "MaxPool2d" not in kinds and "AvgPool2d" not in kinds and "Sigmoid" not in kinds


def test_mlp_is_100_256_512_1024_784():
    generator, discriminator = networks.MLPGenerator(), networks.MLPDiscriminator()
    widths = [m.out_features for m in generator.modules() if isinstance(m, torch.nn.Linear)]
    assert widths == [256, 512, 1024, 784]
    slopes = {m.negative_slope for m in generator.modules() if isinstance(m, torch.nn.LeakyReLU)}
    assert slopes == {0.2}
    images = generator(torch.randn(5, 100))
    assert images.shape == (5, 1, 28, 28) and images.abs().max() <= 1
    logits = discriminator(images)
    assert logits.shape == (5,)
    logits.sum().backward()
    assert all(p.grad.abs().sum() > 0 for p in generator.parameters())
    assert count_parameters(generator) == 100 * 256 + 256 * 512 + 512 * 1024 + 1024 * 784 + 256 + 512 + 1024 + 784


def test_initialisation_of_the_dcgan_paper():
    torch.manual_seed(0)
    generator = networks.DCGANGenerator(width=64)
    for module in generator.modules():
        if isinstance(module, torch.nn.ConvTranspose2d | torch.nn.Linear):
            assert module.weight.mean().item() == pytest.approx(0, abs=0.003)
            assert module.weight.std().item() == pytest.approx(0.02, rel=0.06)
        if isinstance(module, torch.nn.BatchNorm2d):
            assert module.weight.mean().item() == pytest.approx(1, abs=0.01), "N(1, 0.02), not N(0, 0.02)"
            assert module.weight.std().item() == pytest.approx(0.02, rel=0.3)
            assert module.eps == 1e-5 and module.bias.abs().max() == 0


def test_batch_norm_can_be_left_out_of_the_critic():
    critic = networks.DCGANDiscriminator(width=4, batch_norm=False)
    assert not any(isinstance(m, torch.nn.BatchNorm2d) for m in critic.modules())
    x = torch.randn(3, 1, 28, 28)
    assert torch.allclose(critic(x)[:1], critic(x[:1]), atol=1e-6), "a sample's logit depends on it alone"


@pytest.mark.parametrize("hidden", [0, 16])
def test_a_hidden_layer_lets_d_judge_two_far_places_together(hidden):
    """Without it the logit is a sum over places, so what two corners change together is what they change alone."""
    torch.manual_seed(0)
    critic = networks.DCGANDiscriminator(width=8, batch_norm=False, hidden=hidden).double()
    for parameter in critic.parameters():
        torch.nn.init.normal_(parameter, std=0.3)
    image, a, b = torch.zeros(3, 1, 1, 28, 28, dtype=torch.float64)
    a[..., :5, :5], b[..., -5:, -5:] = 1, -1
    together = critic(image + a + b) - critic(image + a) - critic(image + b) + critic(image)
    assert (together.abs().item() > 1e-3) == bool(hidden), together


@pytest.mark.parametrize("size", [6, 27, 30, 100, 0])
def test_impossible_sizes_are_a_plain_error(size):
    with pytest.raises(ValueError, match=f"cannot give {size}"):
        doublings(size)


@pytest.mark.parametrize("generator", [networks.MLPGenerator(), networks.DCGANGenerator(width=4)])
def test_wrong_code_shape_is_a_plain_error(generator):
    with pytest.raises(ValueError, match=r"z of shape \(N, 100\), but got \(2, 100, 1, 1\)"):
        generator(torch.randn(2, 100, 1, 1))


@pytest.mark.parametrize(
    "network",
    [
        networks.MLPGenerator(10, (1, 8, 8), (16,)),
        networks.MLPDiscriminator((1, 8, 8), (16,)),
        networks.DCGANGenerator(10, 32, 3, 4),
        networks.DCGANDiscriminator(32, 3, 4, batch_norm=False, hidden=8),
        networks.SmallClassifier(32, 3, 7, 4, 16),
    ],
)
def test_config_rebuilds_the_network(network):
    again = networks.build({"class": type(network).__name__, "arguments": network.config})
    shapes = {name: tensor.shape for name, tensor in network.state_dict().items()}
    assert {name: tensor.shape for name, tensor in again.state_dict().items()} == shapes


@pytest.mark.parametrize(
    "config", [{"class": "initialise_dcgan", "arguments": {}}, {"class": "os", "arguments": {}}, {}]
)
def test_only_networks_can_be_built(config):
    with pytest.raises(ValueError, match="no network called"):
        networks.build(config)
