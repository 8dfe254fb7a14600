"""InfoGAN: its networks, the bound in closed form, who is moved by which step, and the known mistakes."""

import pytest
import torch

from gan_course import networks, training


def pair(size=28, channels=1, **arguments):
    """A small generator and discriminator with three categories and two continuous codes."""
    torch.manual_seed(0)
    generator = networks.InfoGANGenerator(5, 3, 2, size, channels, width=4, hidden=arguments.pop("first", 0))
    arguments = {"hidden": 16, "q_hidden": 8} | arguments
    return generator, networks.InfoGANDiscriminator(3, 2, size, channels, width=4, **arguments)


def gradients(network):
    """Of each parameter by its name: whether a gradient has reached it."""
    return {name: p.grad is not None and bool(p.grad.abs().sum() > 0) for name, p in network.named_parameters()}


# The networks.


@pytest.mark.parametrize("size", [28, 32, 64])
@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("arguments", [{}, {"first": 12, "learn_std": True, "batch_norm": False}])
def test_shapes_and_gradients(size, channels, arguments):
    generator, discriminator = pair(size, channels, **arguments)
    images = generator(torch.randn(6, 10))
    assert images.shape == (6, channels, size, size) and images.abs().max() <= 1
    judged = discriminator(images)
    assert [tuple(part.shape) for part in judged] == [(6,), (6, 3), (6, 2), (6, 2)]
    assert judged.log_std.any() == bool(arguments.get("learn_std"))
    sum(part.square().sum() for part in judged).backward()
    for network in (generator, discriminator):
        reached = gradients(network)
        assert all(reached.values()), reached


def test_the_sizes_of_the_paper():
    generator, discriminator = networks.InfoGANGenerator(hidden=1024), networks.InfoGANDiscriminator()
    assert generator.latent_dim == 74 and generator.parts == (62, 10, 2)
    rows = [m.out_features for m in discriminator.modules() if isinstance(m, torch.nn.Linear)]
    assert rows == [1024, 1, 128, 12]
    assert [m.out_channels for m in discriminator.modules() if isinstance(m, torch.nn.Conv2d)] == [64, 128]
    kinds = {type(module).__name__ for module in discriminator.modules()}
    assert not kinds & {"Softmax", "LogSoftmax", "Sigmoid"}, "logits only"


def test_a_normal_z_stands_for_codes_with_the_distributions_of_the_method():
    generator, _ = pair()
    codes = generator.codes(torch.randn(20_000, 10, generator=torch.Generator().manual_seed(1)))
    assert torch.bincount(codes.category, minlength=3).float() / 20_000 == pytest.approx([1 / 3] * 3, abs=0.015)
    assert codes.continuous.abs().max() < 1
    for column in codes.continuous.T:  # uniform: its quantiles lie on a line
        assert column.quantile(torch.tensor([0.1, 0.5, 0.9])) == pytest.approx([-0.8, 0, 0.8], abs=0.03)
    table = torch.stack([codes.noise[:, 0], codes.category.float(), *codes.continuous.T]).corrcoef()
    assert (table - torch.eye(4)).abs().max() < 0.03, "the codes know nothing of each other"


def test_codes_of_ones_own_draw_the_same_images():
    generator, _ = pair()
    z = torch.randn(4, 10)
    z[:, 5:8] = torch.tensor([[0.0, 2, 1], [3, 2, 1], [0, 1, 2], [-1, -3, -2]])
    z[:, 8] = torch.tensor([0.0, 1.0, -1.0, 9.0])
    codes = generator.codes(z)
    assert codes.category.tolist() == [1, 0, 2, 0]
    assert codes.continuous[:, 0].tolist() == pytest.approx([0, 0.6827, -0.6827, 1], abs=1e-4)
    generator.eval()
    assert torch.equal(generator.draw(*codes), generator(z))
    other = codes._replace(category=(codes.category + 1) % 3)
    assert not torch.equal(generator.draw(*other), generator(z))
    with pytest.raises(ValueError, match=r"z of shape \(N, 10\), but got \(4, 5\)"):
        generator(z[:, :5])


def test_a_checkpoint_and_the_sampler_need_no_special_case(tmp_path):
    generator, discriminator = pair()
    images = training.sample(generator, 5, seed=3)
    for network in (generator, discriminator):
        training.save_network(network, tmp_path / "generator.safetensors", {})
        again, _ = training.load_network(tmp_path, "cpu")
        assert type(again) is type(network)
        assert all(torch.equal(a, b) for a, b in zip(again.parameters(), network.parameters(), strict=True))
        if network is generator:
            assert torch.equal(training.sample(again, 5, seed=3), images)


@pytest.mark.parametrize("reads_only", [False, True])
def test_q_can_be_kept_from_shaping_the_trunk(reads_only):
    _, discriminator = pair(q_reads_only=reads_only)
    discriminator(torch.randn(6, 1, 28, 28)).category_logits.square().sum().backward()
    reached = gradients(discriminator)
    assert all(reached[name] for name in reached if name.startswith("q_head"))
    assert any(reached[name] for name in reached if name.startswith("trunk")) is not reads_only
