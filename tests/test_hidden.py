"""What a cycle hides, on two pairs of functions: one hides its image on purpose, one shows it."""

import math

import pytest
import torch

from gan_course import data, metrics
from gan_course.metrics import hidden

FAINT = 0.003  # less than half of one of the 255 steps of an 8-bit image


def hide(images):
    """All translations look alike: grey, with the image written into it too faintly for any eye, or any file."""
    return FAINT * images


def find(translations):
    return translations / FAINT


def show(images):
    """A translation in which everything can be seen: mirrored, with less contrast."""
    return 0.8 * images.flip(3)


def unshow(translations):
    return translations.flip(3) / 0.8


@pytest.fixture(scope="module")
def images():
    return data.to_float(data.load("emoji-noto", "test").images[:24])


def test_both_reconstruct_perfectly_and_only_one_is_disturbed(images):
    secret, honest = (metrics.disturbed_cycle(*pair, images) for pair in ((hide, find), (show, unshow)))
    assert list(secret) == [*hidden.DISTURBANCES]
    assert secret["nothing"].error < 1e-4 and honest["nothing"].error < 1e-4
    assert secret["nothing"].change == honest["nothing"].change == 0
    for name in ("8 bits", "noise 0.01", "noise 0.1"):
        assert secret[name].error > 0.15 and secret[name].error > 10 * secret[name].change, name
        assert honest[name].error <= 1.3 * honest[name].change + 1e-6, name
    assert honest["8 bits"].change < hidden.LEVEL / 2


def test_more_noise_more_error(images):
    found = metrics.disturbed_cycle(hide, find, images)
    errors = [found[f"noise {std:g}"].error for std in (0.005, 0.01, 0.02, 0.05)]
    assert errors == sorted(errors)
    blurred = metrics.disturbed_cycle(show, unshow, images)
    assert blurred["blur 0.3"].error < blurred["blur 0.5"].error < blurred["blur 0.7"].error


def test_the_true_target_shows_what_a_translation_should_tell(images):
    """A true translation into grey tells nothing; a true mirrored one tells all."""
    secret = metrics.disturbed_cycle(hide, find, images, targets=torch.zeros_like(images))["the true target"]
    honest = metrics.disturbed_cycle(show, unshow, images, targets=show(images))["the true target"]
    assert secret.error == pytest.approx(images.abs().mean().item(), abs=1e-6) and secret.change < FAINT
    assert honest.error < 1e-6 and honest.change == 0


def test_a_code_can_be_imposed_where_one_is_read(images):
    wanted = images.roll(1, 0)
    changed, secret = metrics.impose_code(find, hide(images), images, wanted, bound=2 * FAINT)
    assert (changed - hide(images)).abs().max() <= 2 * FAINT + 1e-6 and not changed.requires_grad
    assert secret.after < 0.05 * secret.before and secret.from_own > 0.9 * secret.before
    assert secret.by_chance > 0.5 * secret.before, "not by any change of this size"
    _, honest = metrics.impose_code(unshow, show(images), images, wanted, bound=2 * FAINT)
    assert honest.before - honest.after < 2 * 2 * FAINT / 0.8 and honest.from_own < 0.02
    assert secret.before == pytest.approx((wanted - images).abs().mean().item(), abs=1e-4)


def test_disturbances_keep_the_range_and_are_as_large_as_they_say(images):
    rng = torch.Generator().manual_seed(0)
    grey = torch.zeros(50, 3, 32, 32)
    assert hidden.noise(0.05)(grey, rng).std().item() == pytest.approx(0.05, rel=0.01)
    assert hidden.noise(0.5)(images, rng).abs().max() == 1
    assert torch.equal(hidden.eight_bits(images), images), "data are 8-bit already"
    assert hidden.eight_bits(images + 0.3 * hidden.LEVEL).sub(images).abs().max() < 1e-6
    dot = torch.full((1, 2, 9, 9), -1.0)
    dot[:, :, 4, 4] = 1.0
    soft = hidden.blur(0.5)(dot)
    assert soft.mean().item() == pytest.approx(dot.mean().item(), abs=1e-6) and soft.amax() < 0.5
    assert ((soft[0, 0, 4, 5] + 1) / (soft[0, 0, 4, 4] + 1)).item() == pytest.approx(math.exp(-2), rel=1e-4)
    assert torch.allclose(soft, soft.transpose(2, 3)) and torch.allclose(hidden.blur(0.7)(grey + 0.3), grey + 0.3)


def test_the_same_seed_gives_the_same_numbers(images):
    first, again = (metrics.disturbed_cycle(hide, find, images[:4]) for _ in range(2))
    other = metrics.disturbed_cycle(hide, find, images[:4], seed=1)
    assert first == again and first["noise 0.01"] != other["noise 0.01"]
