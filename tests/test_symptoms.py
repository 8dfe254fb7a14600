import pytest
import torch
from torch import nn

from gan_course.symptoms import Watch


class Tiny(nn.Module):
    """One linear layer; as a generator (3 -> 4) or a discriminator (4 -> 1)."""

    def __init__(self, inputs, outputs):
        super().__init__()
        self.layer = nn.Linear(inputs, outputs)

    def forward(self, x):
        return self.layer(x.flatten(1)).squeeze(1)


@pytest.fixture
def pair():
    torch.manual_seed(0)
    return Tiny(3, 4), Tiny(4, 1)


def sgd(*networks):
    return torch.optim.SGD([p for network in networks for p in network.parameters()], lr=0.1)


def step(optimizer, loss):
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()


def test_it_says_which_network_each_step_moved(pair):
    generator, discriminator = pair
    z = torch.randn(5, 3)
    with Watch(*pair) as seen:
        step(sgd(discriminator), discriminator(generator(z).detach()).mean())
        step(sgd(generator), -discriminator(generator(z)).mean())
        step(sgd(generator, discriminator), -discriminator(generator(z)).mean())
        step(torch.optim.SGD(generator.parameters(), lr=0.0), -discriminator(generator(z)).mean())
    assert seen.moved == ["D", "G", "D+G", "nothing"]
    assert seen.counts() == {"D": 1, "G": 1, "D+G": 1, "nothing": 1}


def test_it_counts_images_and_codes_and_knows_real_from_generated(pair):
    generator, discriminator = pair
    real = torch.linspace(-1, 1, 24).reshape(6, 4)
    z = torch.randn(5, 3)
    with Watch(*pair) as seen:
        fake = generator(z)
        discriminator(real[:4])
        discriminator(torch.cat([real[2:], fake]))  # in one batch, in other places
        discriminator(fake.detach())
        generator(z[:2])
    assert (seen.real_shown, seen.distinct_real, seen.distinct_codes) == (8, 6, 5)
    assert seen.real_range == (-1.0, 1.0)
    assert seen.fake_range == (fake.min().item(), fake.max().item())
    assert "8, 6 different" in str(seen) and "-1.00 to 1.00" in str(seen)


def test_it_leaves_nothing_behind(pair):
    generator, discriminator = pair
    with pytest.raises(ZeroDivisionError), Watch(*pair) as seen:
        raise ZeroDivisionError
    step(sgd(discriminator), discriminator(generator(torch.randn(2, 3))).mean())
    assert seen.moved == [] and seen.real_shown == 0 and seen.real_range is None
    assert "none shown" in str(seen)


def test_it_changes_nothing_in_what_it_watches(pair):
    generator, discriminator = pair
    start = {name: p.clone() for name, p in discriminator.named_parameters()}

    def run(watched):
        discriminator.load_state_dict(start)
        torch.manual_seed(1)
        optimizer = sgd(discriminator)
        if watched:
            with Watch(*pair):
                for _ in range(3):
                    step(optimizer, discriminator(generator(torch.randn(5, 3)).detach()).mean())
        else:
            for _ in range(3):
                step(optimizer, discriminator(generator(torch.randn(5, 3)).detach()).mean())
        return discriminator.layer.weight.clone()

    assert torch.equal(run(True), run(False))
