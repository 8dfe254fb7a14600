"""Networks that turn images into images: shapes, gradients, receptive fields, skips, noise; a card rebuilds them."""

import pytest
import torch

from gan_course import networks, training
from gan_course.networks.blocks import count_parameters

MAKERS = {
    "unet": lambda size, a, b: networks.UNetGenerator(size, a, b, width=4),
    "unet without skips": lambda size, a, b: networks.UNetGenerator(size, a, b, width=4, skips=False),
    "resnet": lambda size, a, b: networks.ResNetGenerator(size, a, b, width=4, blocks=2),
    "cycle": lambda size, a, b: networks.CyclePair(size, a, b, width=4, blocks=1),
}
ALIKE = {"correction": lambda size, a, b: networks.CorrectionGenerator(size, a, width=4, blocks=2)}


def images(size, channels, n=2, seed=0):
    return torch.rand(n, channels, size, size, generator=torch.Generator().manual_seed(seed)) * 2 - 1


@pytest.mark.parametrize("size", [28, 32, 64])
@pytest.mark.parametrize(("inputs", "outputs"), [(1, 1), (1, 3), (3, 1), (3, 3)])
@pytest.mark.parametrize("name", MAKERS)
def test_generators_shapes_and_gradients(name, inputs, outputs, size):
    generator = MAKERS[name](size, inputs, outputs)
    x = images(size, inputs).requires_grad_(True)
    y = generator(x)
    assert y.shape == (2, outputs, size, size) and y.abs().max() <= 1
    assert generator.input_shape == (inputs, size, size) and generator.image_shape == (outputs, size, size)
    (y - 0.3).square().sum().backward()
    assert x.grad.abs().sum() > 0
    trained = generator.there if name == "cycle" else generator
    for key, parameter in trained.named_parameters():
        assert parameter.grad is not None and parameter.grad.abs().sum() > 0, key


def test_a_generator_with_a_mask_begins_as_a_copy():
    torch.manual_seed(0)
    generator, x = networks.ResNetGenerator(32, 3, 3, width=8, blocks=1, mask=True), images(32, 3)
    y = generator(x.requires_grad_(True))
    assert y.shape == x.shape and y.abs().max() <= 1
    assert (y - x).abs().mean() < 0.15 < (networks.ResNetGenerator(32, 3, 3, width=8)(x) - x).abs().mean()
    (y + 0.3).square().sum().backward()
    assert all(parameter.grad.abs().sum() > 0 for parameter in generator.parameters()) and x.grad.abs().sum() > 0
    with torch.no_grad():
        generator.layers[-1].bias[-1] = -20.0
    assert torch.allclose(generator(x), torch.tanh(generator.layers(x)[:, :3]), atol=1e-6), "nothing is kept"
    with pytest.raises(ValueError, match="has 1 channels, not 3"):
        networks.ResNetGenerator(32, 1, 3, mask=True)


@pytest.mark.parametrize("size", [28, 32])
@pytest.mark.parametrize("channels", [1, 3])
def test_a_correction_is_nothing_at_the_start(size, channels):
    """The output is the input itself; the gradient reaches the last layer, and all others once that is not 0."""
    generator, x = networks.CorrectionGenerator(size, channels, width=4, blocks=2), images(size, channels)
    assert torch.equal(generator(x), x) and generator.input_shape == generator.image_shape == (channels, size, size)
    (generator(x) - 0.3).square().sum().backward()
    reached = {name for name, p in generator.named_parameters() if p.grad is not None and p.grad.abs().sum() > 0}
    assert reached == {"last.weight", "last.bias"}
    torch.manual_seed(0)
    for parameter in generator.parameters():
        torch.nn.init.normal_(parameter, 0.0, 0.2)
    (generator(x.requires_grad_(True)) - 0.3).square().sum().backward()
    assert all(parameter.grad.abs().sum() > 0 for parameter in generator.parameters()) and x.grad.abs().sum() > 0


def test_a_correction_is_cut_off_only_after_training():
    """Cut off in training too, a white pixel that is made whiter would have no gradient, and would stay white."""
    generator, white = networks.CorrectionGenerator(width=4, blocks=1), torch.ones(1, 3, 32, 32)
    torch.nn.init.constant_(generator.last.bias, 0.5)
    drawn = generator(white)
    assert torch.equal(drawn, torch.full_like(white, 1.5)) and torch.equal(generator.eval()(white), white)
    drawn.sum().backward()
    assert generator.last.bias.grad.tolist() == [1024.0] * 3


def test_a_correction_knows_the_border_but_keeps_colours():
    """Blocks of an even picture: the same inside, other at the border. And no norm takes the brightness away."""
    torch.manual_seed(0)
    generator = networks.CorrectionGenerator(32, 3, width=4, blocks=1)
    torch.nn.init.normal_(generator.last.weight, 0.0, 0.2)
    grey, dark = (generator(torch.full((1, 3, 32, 32), value)) - value for value in (0.0, -0.5))
    assert torch.allclose(grey[..., 10:22, 10:22], grey[..., 16:17, 16:17].expand(-1, -1, 12, 12), atol=1e-6)
    assert (dark[..., 0, 16] - dark[..., 16, 16]).abs().max() > 1e-3
    assert (dark[..., 16, 16] - grey[..., 16, 16]).abs().max() > 1e-3


def test_without_norm_a_patch_discriminator_sees_brightness():
    """Instance norm takes away what all pixels have in common; and the logits of a new D are not all but 0."""
    torch.manual_seed(0)
    x = images(32, 3)
    moved = {}
    for norm in (True, False):
        discriminator = networks.PatchPair(3, 3, width=8, norm=norm).targets
        logits, brighter = discriminator(x), discriminator(x + 0.5)
        moved[norm] = ((logits - brighter)[..., 3:-3, 3:-3].abs().mean() / logits.std()).item()
        assert norm or logits.std() > 0.1
    assert moved[False] > 1.5 * moved[True], moved


@pytest.mark.parametrize("kind", ["resnet", "correction"])
def test_a_cycle_has_its_way_back(kind):
    pair = networks.CyclePair(28, 1, 3, width=4, blocks=1) if kind == "resnet" else networks.CorrectionPair(28, 1)
    x = images(28, 1)
    y = pair.there(x)
    assert torch.equal(pair(x), y) and pair.back(y).shape == x.shape
    assert not set(pair.there.parameters()) & set(pair.back.parameters())


@pytest.mark.parametrize("size", [28, 32, 64])
@pytest.mark.parametrize("channels", [1, 3, 6])
@pytest.mark.parametrize("layers", [0, 1, 2])
def test_patch_discriminator_shapes_and_gradients(layers, channels, size):
    discriminator = networks.PatchDiscriminator(channels, width=4, layers=layers)
    logits = discriminator(images(size, channels))
    side = {0: size, 1: size // 2 - 2, 2: size // 4 - 2}[layers]
    assert logits.shape == (2, 1, side, side)
    logits.square().sum().backward()
    assert all(p.grad.abs().sum() > 0 for p in discriminator.parameters())


@pytest.mark.parametrize(("layers", "field"), [(0, 1), (1, 16), (2, 34), (3, 70)])
def test_receptive_field_against_a_gradient_probe(layers, field):
    """Which input pixels move the logit in the middle: a square with this side, far from any border."""
    torch.manual_seed(0)
    discriminator = networks.PatchDiscriminator(1, width=4, layers=layers, norm=False)
    assert discriminator.receptive_field == field
    x = torch.randn(1, 1, 128, 128, requires_grad=True)
    logits = discriminator(x)
    middle = logits.shape[-1] // 2
    (gradient,) = torch.autograd.grad(logits[0, 0, middle, middle], x)
    seen = gradient[0, 0] != 0
    rows, columns = seen.any(1).nonzero().flatten(), seen.any(0).nonzero().flatten()
    assert len(rows) == len(columns) == field
    assert rows[-1] - rows[0] == columns[-1] - columns[0] == field - 1 and seen.sum() == field**2


def test_receptive_field_in_closed_form():
    assert networks.receptive_field([(3, 1)] * 4) == 9
    assert networks.receptive_field([(4, 2), (4, 2), (4, 2), (4, 1), (4, 1)]) == 70, "the paper's 70x70"


def test_a_patch_does_not_know_where_it_is():
    """Away from the borders, a shifted image has shifted logits."""
    torch.manual_seed(0)
    discriminator = networks.PatchDiscriminator(3, width=4, norm=False)
    x = images(64, 3, 1)
    a, b = discriminator(x), discriminator(x.roll((8, 4), (2, 3)))
    assert torch.allclose(a[..., 10:16, 10:16], b[..., 14:20, 12:18], atol=1e-6)


def unet(**arguments):
    torch.manual_seed(0)
    network = networks.UNetGenerator(32, 3, 3, width=4, dropout=0.0, **arguments)
    with torch.no_grad():  # weights of the start are so small that hardly anything would be seen
        for parameter in network.parameters():
            if parameter.ndim == 4:
                parameter.mul_(10)
    return network.eval()


@pytest.mark.parametrize("level", range(4))
def test_every_skip_carries(level):
    """What a layer of the encoder gives is knocked out on its way over, but not on its way down."""
    network, x = unet(), images(32, 3)
    widths = [4, 8, 16, 16]
    encoded = []
    watch = network.down[level].register_forward_hook(lambda _m, _i, output: encoded.append(output))
    whole = network(x)
    layer = network.up[len(network.down) - 1 - level]

    def knock_out(_layer, arguments):
        joined, size = arguments
        assert torch.equal(joined[:, widths[level] :], encoded[-1]), "it is what the encoder had at this size"
        return torch.cat([joined[:, : widths[level]], torch.zeros_like(joined[:, widths[level] :])], 1), size

    handle = layer.register_forward_pre_hook(knock_out)
    assert (network(x) - whole).abs().mean() > 1e-3
    handle.remove()
    watch.remove()
    assert torch.equal(network(x), whole)


def test_without_skips_all_goes_through_the_middle():
    """With the smallest layer's output held at 0, a U-Net still sees its input; an autoencoder is blind."""
    for skips in (True, False):
        network = unet(skips=skips)
        network.down[-1].register_forward_hook(lambda _m, _i, output: torch.zeros_like(output))
        moved = (network(images(32, 3, seed=1)) - network(images(32, 3, seed=2))).abs().max().item()
        assert (moved > 0.01) == skips, moved


def test_dropout_is_the_noise_and_can_be_switched_off():
    torch.manual_seed(0)
    network, x = networks.UNetGenerator(32, 3, 3, width=8).eval(), images(32, 3)
    assert not torch.equal(network(x), network(x)), "as in the paper, it stays on after training"
    noise = [module for module in network.modules() if isinstance(module, networks.NoiseDropout)]
    assert len(noise) == 2
    for module in noise:
        module.always = False
    assert torch.equal(network(x), network(x))
    assert not torch.equal(network.train()(x), network(x)), "an ordinary dropout now"


@pytest.mark.parametrize("name", [*MAKERS, *ALIKE, "patch"])
def test_an_image_does_not_depend_on_its_batch(name):
    torch.manual_seed(0)
    network = networks.PatchDiscriminator(3, 4) if name == "patch" else (MAKERS | ALIKE)[name](32, 3, 3)
    for module in network.modules():
        if isinstance(module, networks.NoiseDropout):
            module.p = 0.0
    x = images(32, 3, 4)
    alone = torch.cat([network(image[None]) for image in x])
    assert torch.allclose(network(x), alone, atol=1e-5) and torch.allclose(network.eval()(x), alone, atol=1e-5)


@pytest.mark.parametrize(
    "network",
    [
        networks.UNetGenerator(28, 1, 3, width=4, skips=False, dropout=0.2),
        networks.ResNetGenerator(28, 1, 3, width=4, blocks=1),
        networks.CyclePair(28, 1, 3, width=4, blocks=1),
        networks.CyclePair(28, 3, 3, width=4, blocks=1, mask=True),
        networks.CorrectionGenerator(28, 1, width=4, blocks=2),
        networks.CorrectionPair(28, 3, width=4, blocks=1),
        networks.PatchDiscriminator(4, 4, layers=2, norm=False),
        networks.PatchPair(1, 3, width=4, layers=2),
        networks.PatchPair(1, 3, width=4, norm=False),
    ],
    ids=lambda network: type(network).__name__,
)
def test_a_card_rebuilds_the_network(network, tmp_path):
    training.save_network(network, tmp_path / "network.safetensors", {})
    again, _ = training.load_network(tmp_path / "network.safetensors", "cpu")
    assert again.config == network.config
    assert all(
        torch.equal(a, b) for a, b in zip(again.state_dict().values(), network.state_dict().values(), strict=True)
    )


def test_what_ships_fits_into_three_megabytes():
    """In float16, two bytes a number."""
    for network in (networks.UNetGenerator(), networks.CyclePair()):
        assert 2 * count_parameters(network) < 2.9e6


def test_wrong_images_are_plain_errors():
    with pytest.raises(ValueError, match=r"of shape \(N, 1, 28, 28\), but got \(2, 3, 28, 28\)"):
        networks.UNetGenerator(28, 1, 3, width=4)(images(28, 3))
    with pytest.raises(ValueError, match=r"of shape \(N, 3, 32, 32\), but got \(3, 32, 32\)"):
        networks.ResNetGenerator(width=4)(images(32, 3)[0])
    with pytest.raises(ValueError, match="a multiple of 4 from 12, not 30"):
        networks.ResNetGenerator(30)
    with pytest.raises(ValueError, match="must be even, not 31"):
        networks.CorrectionGenerator(31)
    with pytest.raises(ValueError, match="4 pixels are the least, not 3"):
        networks.UNetGenerator(3)
