"""Pairs of images: aligned where they are pairs, and without a trace of it where they are not; and outlines."""

import pytest
import torch

from gan_course import data


@pytest.fixture
def numbered() -> data.ImagePairs:
    """Twenty pairs: input i is all i, target i is all 100 + i."""
    numbers = torch.arange(20, dtype=torch.uint8)[:, None, None, None]
    inputs = data.ImageSet(numbers.expand(20, 1, 8, 8).contiguous())
    return data.ImagePairs(inputs, data.ImageSet((100 + numbers).expand(20, 3, 8, 8).contiguous()), "numbered")


def drawn(pairs, n, seed=0):
    x, y = pairs.batch(n, torch.Generator().manual_seed(seed))
    return data.to_uint8(x)[:, 0, 0, 0].long(), data.to_uint8(y)[:, 0, 0, 0].long()


def test_a_batch_holds_pairs(numbered):
    x, y = numbered.batch(5)
    assert x.shape == (5, 1, 8, 8) and y.shape == (5, 3, 8, 8) and x.dtype == torch.float32
    x, y = drawn(numbered, 500)
    assert torch.equal(x + 100, y) and len(x.unique()) == 20


def test_unpaired_sides_are_drawn_apart(numbered):
    x, y = drawn(numbered.unpaired(), 4000)
    assert len(x.unique()) == 20 and len(y.unique()) == 20
    assert (x + 100 == y).double().mean().item() == pytest.approx(1 / 20, abs=0.02)
    assert torch.corrcoef(torch.stack([x, y]).double())[0, 1].abs() < 0.05
    with pytest.raises(AssertionError):  # what this test would say of pairs
        x, y = drawn(numbered, 4000)
        assert (x + 100 == y).double().mean().item() == pytest.approx(1 / 20, abs=0.02)


def test_shuffling_one_side_changes_nothing_when_unpaired(numbered):
    mixed = torch.randperm(20, generator=torch.Generator().manual_seed(1))
    shuffled = data.ImagePairs(numbered.inputs, numbered.targets.subset(mixed), "numbered")
    first, second = drawn(numbered.unpaired(), 100), drawn(shuffled.unpaired(), 100)
    assert all(torch.equal(a, b) for a, b in zip(first, second, strict=True))
    assert not torch.equal(drawn(numbered, 100)[1], drawn(shuffled, 100)[1]), "pairs are another matter"


def test_mirrored_pairs_are_turned_together_and_unpaired_sides_apart():
    left = torch.zeros(1, 1, 8, 8, dtype=torch.uint8)
    left[..., 0] = 255  # a line at the left border
    pairs = data.ImagePairs(data.ImageSet(left), data.ImageSet(left), mirrored=True)
    for set_of_pairs, together in ((pairs, 1.0), (pairs.unpaired(), 0.5)):
        x, y = set_of_pairs.batch(4000, torch.Generator().manual_seed(0))
        turned = torch.stack([side[:, 0, 0, -1] == 1 for side in (x, y)])  # the line is at the right one
        assert ((x == 1).sum((1, 2, 3)) == 8).all(), "turned, and not changed"
        assert turned.double().mean().item() == pytest.approx(0.5, abs=0.03)
        assert (turned[0] == turned[1]).double().mean().item() == pytest.approx(together, abs=0.03)


def test_pairs_of_unequal_length_are_refused(numbered):
    with pytest.raises(ValueError, match="20 inputs but 7 targets, so they are no pairs"):
        data.ImagePairs(numbered.inputs, numbered.targets.subset(slice(7)))
    assert data.ImagePairs(numbered.inputs, numbered.targets.subset(slice(7)), paired=False).batch(30)[0].shape[0] == 30


def test_a_subset_stays_paired(numbered):
    some = numbered.subset([3, 5])
    assert len(some) == 2 and some.inputs.images[1, 0, 0, 0] == 5 and some.targets.images[1, 0, 0, 0] == 105
    assert "numbered: 2 pairs, 1x8x8 to 3x8x8" in repr(some)


@pytest.mark.parametrize("name", data.PAIRS)
def test_the_pairs_that_ship(name):
    train, test = data.load(name), data.load(name, "test")
    assert len(train) == 1529 and len(test) == 382 and train.name == name
    for pairs in (train, test):
        assert pairs.inputs.names == pairs.targets.names and pairs.image_shape == (3, 32, 32)
    other = data.load("emoji-noto" if name == "emoji-outlines" else "emoji-twemoji")
    assert torch.equal(train.targets.images, other.images)
    if name == "emoji-styles":
        assert torch.equal(train.inputs.images, data.load("emoji-noto").images)


def test_the_outline_of_a_square_is_a_thin_square():
    images = torch.full((1, 3, 16, 16), 255, dtype=torch.uint8)
    images[:, 1:, 4:12, 4:12] = 0  # a red square on white
    lines = data.outlines(images)
    assert lines.shape == (1, 1, 16, 16) and set(lines.unique().tolist()) == {0, 255}
    black = lines[0, 0] == 0
    assert black[8].sum() == 2 and black[:, 8].sum() == 2, "a row through the middle meets two lines, one pixel wide"
    assert not black[6:10, 6:10].any() and not black[:3].any()
    assert torch.equal(data.outlines(images.flip(1)), lines), "the colour does not matter"


def test_faint_edges_are_not_drawn():
    images = torch.full((2, 3, 16, 16), 200, dtype=torch.uint8)
    images[0, :, :, 8:] = 220  # a step of 8 % of the range
    images[1, :, :, 8:] = 235  # 14 %
    assert [(lines == 0).sum().item() > 0 for lines in data.outlines(images)] == [False, True]


def test_outlines_show_the_emoji_and_not_its_colours():
    lines = data.load("emoji-outlines", "test").inputs.images
    share = (lines == 0).double().mean().item()
    assert lines.shape == (382, 1, 32, 32) and 0.15 < share < 0.25, share
