"""The restricted Boltzmann machine: its gradient against enumeration, and its chain against its own distribution."""

import pytest
import torch

from gan_course import baselines, training
from gan_course.baselines.rbm import all_states, contrastive_divergence


def rng(seed=0):
    return torch.Generator().manual_seed(seed)


@pytest.fixture
def machine():
    """Four visible and three hidden bits with weights large enough to matter, in float64."""
    torch.manual_seed(0)
    model = baselines.RBM((4,), 3).double()
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.copy_(2 * torch.randn(parameter.shape, generator=rng(parameter.numel())))
    return model


def energy(model, v, h):
    return -((v @ model.weight) * h).sum(1) - v @ model.visible_bias - h @ model.hidden_bias


def test_free_energy_and_partition_against_a_sum_over_all_128_states(machine):
    v, h = all_states(4, machine.weight), all_states(3, machine.weight)
    energies = torch.stack([energy(machine, v, row.expand(16, 3)) for row in h], 1)  # (16, 8)
    assert torch.allclose(machine.free_energy(v), -(-energies).logsumexp(1))
    assert torch.allclose(machine.log_partition(), (-energies).flatten().logsumexp(0))
    assert machine.log_likelihood(v).exp().sum().item() == pytest.approx(1)
    turned = baselines.RBM((3,), 4).double()  # the same machine with its sides exchanged, summed over the other side
    with torch.no_grad():
        turned.weight.copy_(machine.weight.T)
        turned.visible_bias.copy_(machine.hidden_bias)
        turned.hidden_bias.copy_(machine.visible_bias)
    assert torch.allclose(turned.log_partition(), machine.log_partition())
    with pytest.raises(ValueError, match="784 visible and 730 hidden bits cannot be summed"):
        baselines.RBM().log_partition()


def test_conditionals_against_the_joint(machine):
    v, h = all_states(4, machine.weight), all_states(3, machine.weight)
    for row in range(16):
        joint = (-energy(machine, v[row].expand(8, 4), h)).softmax(0)  # p(h | v)
        assert torch.allclose(machine.hidden_probability(v[row]), joint @ h)
    for row in range(8):
        joint = (-energy(machine, v, h[row].expand(16, 3))).softmax(0)
        assert torch.allclose(machine.visible_probability(h[row]), joint @ v)


def gradient(machine, loss):
    return torch.cat([g.flatten() for g in torch.autograd.grad(loss, list(machine.parameters()))])


def test_cd_k_becomes_the_exact_gradient_as_k_grows(machine):
    """The exact one by enumeration of Z. CD-1 is biased, by far more than the noise; CD-30 is not."""
    data = torch.tensor([[1, 1, 0, 0], [1, 1, 0, 0], [0, 0, 1, 1], [0, 1, 1, 1]]).double().repeat(5_000, 1)
    exact = gradient(machine, -machine.log_likelihood(data).mean())
    error = {k: (gradient(machine, contrastive_divergence(machine, data, k, rng())) - exact).norm() for k in (1, 5, 60)}
    assert exact.norm() > 0.5
    assert error[60] < 0.02 < 0.1 < error[1] and error[5] < error[1], error


def test_the_gradient_is_the_correlation_of_the_data_less_that_of_the_chain(machine):
    """Hinton's update, <v h> under the data less <v h> after the chain, with the hidden bits by their probability."""
    data = all_states(4, machine.weight)
    found = torch.autograd.grad(-contrastive_divergence(machine, data, 1, rng()), machine.weight)[0]
    chain = machine.gibbs_step(data, rng())

    def correlation(v):
        return v.T @ machine.hidden_probability(v) / len(v)

    assert torch.allclose(found, correlation(data) - correlation(chain))


def test_a_gibbs_step_keeps_the_distribution(machine):
    """p(v) after one step from p(v) is p(v), from 200,000 draws; and a step from one state is not."""
    states = all_states(4, machine.weight)
    p = machine.log_likelihood(states).exp().detach()
    start = states[torch.multinomial(p, 200_000, replacement=True, generator=rng())]

    def shares(v):
        return torch.bincount((v @ torch.tensor([8.0, 4, 2, 1]).double()).long(), minlength=16) / len(v)

    assert (shares(machine.gibbs_step(start, rng(1))) - p).abs().max() < 0.004
    assert (shares(machine.gibbs_step(states[:1].expand(200_000, 4), rng(1))) - p).abs().max() > 0.05


def test_samples_have_the_distribution_of_the_machine(machine):
    """The mean of the visible probabilities, over chains of 40 steps started at random, each with its own shift."""
    machine.chain = 40
    z = torch.randn(20_000, machine.latent_dim, generator=rng()).double()
    states = all_states(4, machine.weight)
    p = machine.log_likelihood(states).exp()
    bits = (machine(z) + 1) / 2
    assert torch.allclose(bits.mean(0), p @ states, atol=0.012)
    for column in bits.T:
        assert torch.corrcoef(torch.stack([column[:-1], column[1:]]))[0, 1].abs() < 0.03, "chains are no copies"
    assert bits.std(0).max() > 0.05


def test_a_sample_depends_on_its_code_alone():
    torch.manual_seed(0)
    model = baselines.RBM((1, 4, 4), 6, chain=5)
    z = torch.randn(7, model.latent_dim, generator=rng())
    images = model(z)
    assert images.shape == (7, 1, 4, 4) and images.abs().max() <= 1
    assert torch.allclose(model(z[3:4]), images[3:4], atol=1e-6)
    assert torch.allclose(training.sample(model, 6, seed=2, batch_size=4), training.sample(model, 6, seed=2), atol=1e-6)


def test_bits_follow_the_grey_level():
    model = baselines.RBM((1, 2, 2), 3)
    images = torch.tensor([-1.0, -0.5, 0.5, 1.0]).view(1, 1, 2, 2).expand(20_000, 1, 2, 2)
    assert torch.allclose(model.bits(images, rng()).mean(0), torch.tensor([0, 0.25, 0.75, 1]), atol=0.02)


def test_training_raises_the_exact_likelihood():
    torch.manual_seed(0)
    model = baselines.RBM((4,), 3)
    data = torch.tensor([[1.0, 1, 0, 0], [0, 0, 1, 1]]).repeat(50, 1)
    adam, source = torch.optim.Adam(model.parameters(), 0.05), rng()
    before = model.log_likelihood(data).mean().item()
    for _ in range(300):
        adam.zero_grad()
        contrastive_divergence(model, data, 5, source).backward()
        adam.step()
    assert before < -2.5 and model.log_likelihood(data).mean().item() > -1.1, "log 1/2 = -0.69 is the best"


@pytest.mark.parametrize(("visible", "hidden"), [(4, 3), (3, 4)])
def test_z_is_summed_a_block_at_a_time(visible, hidden, monkeypatch):
    torch.manual_seed(0)
    model, rows = baselines.RBM((visible,), hidden).double(), []
    whole, softplus = model.log_partition().item(), torch.nn.functional.softplus
    monkeypatch.setattr(baselines.rbm, "BLOCK", 3)
    monkeypatch.setattr(torch.nn.functional, "softplus", lambda x: rows.append(len(x)) or softplus(x))
    assert model.log_partition().item() == pytest.approx(whole, rel=1e-12) and rows == [3, 3, 2]


def test_the_sequence_of_a_sample_is_drawn_on_the_cpu(monkeypatch):
    """So that it is the same for a code on a GPU."""
    model, made, generator = baselines.RBM((1, 2, 2), 3, chain=2), [], torch.Generator
    monkeypatch.setattr(torch, "Generator", lambda *place: made.append(place) or generator(*place))
    model(torch.zeros(1, 7))
    assert made == [()]
