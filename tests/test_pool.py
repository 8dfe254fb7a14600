"""The image pool: what it keeps, what it hands out, how old that is, and that it is saved."""

import pytest
import torch

from gan_course.training.pool import ImagePool


def numbered(numbers):
    """One image of 1x2x2 a number, all of it that number."""
    return torch.as_tensor(numbers, dtype=torch.float32)[:, None, None, None].expand(-1, 1, 2, 2).contiguous()


def numbers(images):
    return images[:, 0, 0, 0].tolist()


def test_until_it_is_full_all_are_kept_and_handed_out():
    pool = ImagePool(6, (1, 2, 2))
    for start in (0, 3):
        batch = numbered(range(start, start + 3))
        assert torch.equal(pool.exchange(batch), batch)
    assert numbers(pool.images) == [0, 1, 2, 3, 4, 5]


def test_a_batch_that_just_overflows():
    """Two fit, three must change places or pass."""
    pool, rng = ImagePool(5, (1, 2, 2)), torch.Generator().manual_seed(0)
    pool.exchange(numbered(range(3)), rng)
    out = numbers(pool.exchange(numbered(range(3, 8)), rng))
    assert out[:2] == [3, 4], "there was room for two"
    assert sorted(out + numbers(pool.images)) == sorted([0, 1, 2, 3, 4, 3, 4, 5, 6, 7]), "and none is lost or doubled"


def test_half_are_old_and_their_age_is_twice_the_capacity():
    """An image leaves a full pool of 50 with probability 1/2 * 1/50 for each new one: after 100 on average."""
    pool, rng = ImagePool(50, (1, 2, 2)), torch.Generator().manual_seed(0)
    ages, old, shown = [], 0, 0
    for step in range(4000):
        batch = numbered(range(step * 4, step * 4 + 4))
        handed_out = torch.tensor(numbers(pool.exchange(batch, rng)))
        if step < 500:
            continue
        # The age counts the images shown since: of the same batch an image has age 0.
        age = torch.tensor(numbers(batch)) - handed_out
        ages += age[age > 0].tolist()
        old, shown = old + (age > 0).sum().item(), shown + 4
    assert old / shown == pytest.approx(0.5, abs=0.02)
    mean, std = torch.tensor(ages).mean().item(), torch.tensor(ages).std().item()
    assert mean == pytest.approx(100, rel=0.06) and std == pytest.approx(100, rel=0.1), "a geometric distribution"


def test_no_image_is_lost_or_doubled():
    pool, rng = ImagePool(10, (1, 2, 2)), torch.Generator().manual_seed(1)
    pool.exchange(numbered(range(10)), rng)
    inside = numbers(pool.images)
    for step in range(50):
        batch = list(range(10 + 7 * step, 17 + 7 * step))
        out = numbers(pool.exchange(numbered(batch), rng))
        assert sorted(inside + batch) == sorted(out + numbers(pool.images))
        inside = numbers(pool.images)


def test_no_gradient_comes_out():
    pool, fakes = ImagePool(2, (1, 2, 2)), numbered([1, 2]).requires_grad_(True)
    for _ in range(3):
        assert not pool.exchange(fakes).requires_grad
    assert not pool.images.requires_grad and not list(pool.parameters())


@pytest.mark.parametrize("shown", [3, 20])
def test_it_comes_back_with_its_state(shown):
    pool, rng = ImagePool(8, (1, 2, 2)), torch.Generator().manual_seed(2)
    for number in range(shown):
        pool.exchange(numbered([number]), rng)
    again = ImagePool(8, (1, 2, 2))
    again.load_state_dict(pool.state_dict())
    assert again.count == pool.count == min(shown, 8)
    outs = [p.exchange(numbered([90, 91, 92]), torch.Generator().manual_seed(3)) for p in (pool, again)]
    assert torch.equal(*outs) and torch.equal(pool.images, again.images)


def test_a_batch_larger_than_the_pool_is_a_plain_error():
    with pytest.raises(ValueError, match="A batch of 3 is more than the pool holds, 2"):
        ImagePool(2, (1, 2, 2)).exchange(numbered([1, 2, 3]))
    with pytest.raises(ValueError, match="at least 1 image, not 0"):
        ImagePool(0, (1, 2, 2))
