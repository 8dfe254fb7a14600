"""Damage: nothing at strength 0, more with more strength, the same for the same seed, and what each one does."""

import pytest
import torch
from torch.nn import functional

from gan_course import damage, data, metrics


@pytest.fixture(scope="module")
def digits():
    return data.load("mnist", "test").subset(slice(400))


@pytest.fixture(scope="module")
def features():
    return metrics.extractor_for("mnist", (1, 28, 28), torch.device("cpu"))


@pytest.mark.parametrize("name", damage.DAMAGES)
def test_strength_0_is_no_damage_and_more_strength_is_more(name, digits):
    images = digits.images[:60]
    spoiled = [damage.DAMAGES[name](images, strength, digits.labels[:60]) for strength in (0.0, 0.3, 0.6, 1.0)]
    changes = [(images.float() - x.float()).abs().mean().item() for x in spoiled]
    assert changes[0] == 0 and changes == sorted(set(changes)), changes
    assert all(x.dtype == torch.uint8 and x.shape == images.shape for x in spoiled)


@pytest.mark.parametrize("name", damage.DAMAGES)
def test_damage_is_the_same_every_time_and_touches_neither_input_nor_global_numbers(name, digits):
    images, state = digits.images[:40].clone(), torch.get_rng_state()
    first, again = (damage.DAMAGES[name](images, 0.5, digits.labels[:40], seed=3) for _ in range(2))
    assert torch.equal(first, again) and torch.equal(images, digits.images[:40])
    assert torch.equal(state, torch.get_rng_state())
    assert damage.DAMAGES[name](images, 0.0, digits.labels[:40]).data_ptr() != images.data_ptr()


@pytest.mark.parametrize("name", damage.DAMAGES)
def test_colours_and_oblong_images(name):
    images = torch.randint(256, (5, 3, 12, 20), generator=torch.Generator().manual_seed(0)).to(torch.uint8)
    assert damage.DAMAGES[name](images, 0.7, torch.arange(5)).shape == images.shape


def test_blur_is_a_gaussian_that_keeps_the_light():
    dot = torch.zeros(1, 1, 27, 27, dtype=torch.uint8)
    dot[0, 0, 13, 13] = 255
    flat = torch.full((1, 1, 27, 27), 77, dtype=torch.uint8)
    assert torch.equal(damage.blur(flat, 1.0), flat)
    spread = damage.blur(dot, 0.5)[0, 0].double()
    place = torch.arange(27.0).double() - 13
    assert (spread.sum(0) * place**2).sum() / spread.sum() == pytest.approx(1.0, abs=0.1), "1 pixel at half strength"


def test_noise_has_the_deviation_that_is_said():
    grey = torch.full((4, 3, 32, 32), 128, dtype=torch.uint8)
    assert (damage.noise(grey, 0.5).float() - 128).std() == pytest.approx(0.5 * 0.2 * 255, rel=0.05)


def test_rotation_turns_to_the_left_by_the_angle():
    images = torch.zeros(1, 1, 41, 41, dtype=torch.uint8)
    images[0, 0, 20, 20:38] = 255  # a bar from the middle to the right
    turned = damage.rotation(images, 1.0)[0, 0].double()
    rows, columns = torch.meshgrid(torch.arange(41.0), torch.arange(41.0), indexing="ij")
    x, y = ((turned * part).sum() / turned.sum() for part in (columns - 20, 20 - rows))  # y upwards
    assert torch.atan2(y, x).rad2deg() == pytest.approx(30, abs=1.5)
    oblong = torch.zeros(1, 1, 31, 61, dtype=torch.uint8)
    oblong[0, 0, 15, 30:50] = 255
    assert damage.rotation(oblong, 1.0).float().sum() == pytest.approx(oblong.float().sum().item(), rel=0.05)


def test_classes_dropped_are_gone_and_the_rest_stays(digits):
    named = digits.images.clone()
    named[:, 0, 0, 0] = digits.labels.to(torch.uint8)  # the class, written into a corner
    for strength, left in ((0.1, 9), (0.5, 5), (1.0, 1)):
        classes = damage.drop_classes(named, strength, digits.labels)[:, 0, 0, 0]
        assert classes.unique().tolist() == list(range(left))
        stays = digits.labels < left
        assert torch.equal(classes[stays].long(), digits.labels[stays])
    with pytest.raises(ValueError, match="labels"):
        damage.drop_classes(named, 0.5)


def test_one_image_is_repeated(digits):
    spoiled = damage.repeat_one(digits.images, 0.25)
    same = (spoiled == digits.images[0]).flatten(1).all(1).sum().item()
    assert 100 <= same <= 101
    assert (damage.repeat_one(digits.images, 1.0) == digits.images[0]).all()


@pytest.mark.parametrize("strength", [-0.1, 1.1, float("nan")])
def test_a_wrong_strength_is_named(strength, digits):
    with pytest.raises(ValueError, match="between 0 and 1"):
        damage.blur(digits.images[:2], strength)
    with pytest.raises(ValueError, match="uint8 images"):
        damage.noise(data.to_float(digits.images[:2]), 0.5)


@pytest.mark.parametrize("name", ["blur", "noise", "JPEG", "rotation", "classes dropped", "one image repeated"])
def test_the_frechet_distance_grows_with_the_damage(name, digits, features):
    real = features(data.load("mnist", "test").images[400:1400])
    values = [
        metrics.frechet_distance(real, features(damage.DAMAGES[name](digits.images, strength, digits.labels)))
        for strength in (0.0, 0.5, 1.0)
    ]
    assert values[0] < values[1] < values[2], values


def test_fidelity_and_variety_are_seen_apart(digits, features):
    """Dropped classes cost recall and coverage but no precision; noise costs precision."""
    real = features(data.load("mnist", "test").images[400:1400])
    honest = metrics.prdc(real, features(digits.images))
    dropped = metrics.prdc(real, features(damage.drop_classes(digits.images, 0.8, digits.labels)))
    noisy = metrics.prdc(real, features(damage.noise(digits.images, 0.8)))
    assert dropped.precision > honest.precision - 0.1
    assert dropped.coverage < 0.5 * honest.coverage and dropped.recall < 0.5 * honest.recall
    assert noisy.precision < 0.5 * honest.precision


def test_recall_is_fooled_by_one_image_repeated_and_coverage_is_not(digits, features):
    """Nine in ten samples are one image. The balls of the few others are so wide that together they hold all."""
    real = features(data.load("mnist", "test").images[400:1400])
    honest = metrics.prdc(real, features(digits.images))
    repeated = metrics.prdc(real, features(damage.repeat_one(digits.images, 0.9)))
    assert repeated.recall > honest.recall and repeated.precision > honest.precision
    assert repeated.coverage < 0.4 * honest.coverage


def test_memorisation_is_seen_by_its_own_test_alone(features):
    """Copies of the training set are as near to the test set as honest samples: FD and precision do not notice."""
    digits = data.load("mnist", "test").images
    training, honest, held_out = (features(digits[start : start + 600]) for start in (0, 600, 1200))
    assert metrics.memorisation(training, training, held_out).z < -10
    assert abs(metrics.memorisation(honest, training, held_out).z) < 4
    copied, fair = (metrics.frechet_distance(held_out, samples) for samples in (training, honest))
    assert copied == pytest.approx(fair, rel=0.5)
    assert functional.l1_loss(*(torch.tensor(metrics.prdc(held_out, x)) for x in (training, honest))) < 0.1
