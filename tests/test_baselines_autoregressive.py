"""PixelCNN: no logit depends on its own or a later pixel, the drawn image is that of the whole network, sums are 1."""

import itertools

import pytest
import torch

from gan_course import baselines
from gan_course.baselines import autoregressive, pixels
from gan_course.baselines.autoregressive import MaskedConv2d, bits_inside_levels


def rng(seed=0):
    return torch.Generator().manual_seed(seed)


def random_model(**arguments):
    torch.manual_seed(0)
    model = baselines.PixelCNN(**({"image_shape": (1, 6, 6), "width": 4, "blocks": 2, "levels": 4} | arguments))
    for parameter in model.parameters():
        torch.nn.init.normal_(parameter, std=0.4)
    return model.eval()


def influence(model):
    """(36, 36): how much the logits of pixel i move with the input pixel j, by gradient; without the rounding."""
    model.reduce = lambda images: images
    images = torch.randn(1, 1, 6, 6, generator=rng()).requires_grad_()
    logits = model.logits(images)[0].square().sum(0).flatten()
    return torch.stack([torch.autograd.grad(logit, images, retain_graph=True)[0].flatten() for logit in logits]).abs()


def test_no_logit_depends_on_its_own_or_a_later_pixel():
    moved = influence(random_model())
    assert moved.triu().max() == 0, "row i, column j >= i"
    left, above = moved[1:].diagonal(), moved[6:].diagonal()
    rows = torch.arange(1, 36)
    seen = torch.cat([left[rows % 6 != 0], above]) > 0  # all, but for ReLUs that happen to be off
    assert seen.double().mean() > 0.9, "the pixels next to it are seen"


def test_the_mask_test_would_notice():
    """With a mask of kind B in the first layer a pixel is told itself."""
    model = random_model()
    model.first.mask[3, 3] = 1
    assert influence(model).diagonal().max() > 0


def test_a_b_layer_sees_the_pixel_itself_and_an_a_layer_does_not():
    assert MaskedConv2d("A", 1, 1, 3).mask.tolist() == [[1, 1, 1], [1, 0, 0], [0, 0, 0]]
    assert MaskedConv2d("B", 1, 1, 3).mask.tolist() == [[1, 1, 1], [1, 1, 0], [0, 0, 0]]
    with pytest.raises(ValueError, match="'A' or 'B', not 'C'"):
        MaskedConv2d("C", 1, 1, 3)
    model = baselines.PixelCNN()
    kinds = [bool(layer.mask.diagonal()[len(layer.mask) // 2]) for layer in model.modules() if hasattr(layer, "mask")]
    assert kinds == [False] + [True] * 5, "A in the first layer, which sees the image, B in all others"


def test_the_probabilities_of_all_images_sum_to_one():
    model = random_model(image_shape=(1, 2, 2), levels=4, blocks=1)
    every = model.reduce(torch.tensor(list(itertools.product((-1.0, -0.3, 0.3, 1.0), repeat=4))).view(-1, 1, 2, 2))
    assert torch.allclose(model.reduce(every), every) and len(every.unique(dim=0)) == 256
    assert model.log_likelihood(every).double().exp().sum().item() == pytest.approx(1, abs=1e-5)


def test_drawing_with_kept_activations_equals_drawing_with_the_whole_network():
    model = random_model()
    z = torch.randn(5, 36, generator=rng())
    u, images = torch.special.ndtr(z).view(5, 6, 6), torch.zeros(5, 1, 6, 6)
    with torch.no_grad():
        for row, column in itertools.product(range(6), range(6)):
            chances = model.logits(images)[:, :, row, column].softmax(1).cumsum(1)
            level = (chances < u[:, row, column, None]).sum(1).clamp(max=3)
            images[:, 0, row, column] = pixels.from_levels(level.float(), 4)
    drawn = model(z)
    assert torch.equal(drawn, images) and drawn.unique().numel() == 4
    assert torch.equal(model(z[2:3]), drawn[2:3]), "a sample depends on its code alone"


def test_drawn_images_have_the_probabilities_that_the_model_says():
    model = random_model(image_shape=(1, 1, 3), levels=2, blocks=1)
    every = torch.tensor(list(itertools.product((-1.0, 1.0), repeat=3))).view(-1, 1, 1, 3)
    drawn = model(torch.randn(40_000, 3, generator=rng()))
    number = ((drawn.flatten(1) + 1) / 2) @ torch.tensor([4.0, 2, 1])
    shares = torch.bincount(number.long(), minlength=8) / 40_000
    assert torch.allclose(shares, model.log_likelihood(every).exp(), atol=0.01)


def test_what_is_given_is_kept_and_the_rest_drawn():
    model = random_model()
    given = model.reduce(torch.rand(3, 1, 6, 6, generator=rng()) * 2 - 1)
    half = given.clone()
    half[:, :, 3:] = float("nan")
    drawn = model(torch.randn(3, 36, generator=rng()), given=half)
    assert torch.equal(drawn[:, :, :3], given[:, :, :3]) and drawn.isfinite().all()
    assert not torch.equal(drawn[:, :, 3:], given[:, :, 3:])


def test_shapes_gradients_and_limits():
    model = baselines.PixelCNN(width=4, blocks=2)
    images = torch.rand(3, 1, 28, 28, generator=rng()) * 2 - 1
    assert model.logits(images).shape == (3, 16, 28, 28) and model.log_likelihood(images).shape == (3,)
    autoregressive.negative_log_likelihood(model, images).backward()
    for name, parameter in model.named_parameters():
        assert parameter.grad is not None and parameter.grad.abs().sum() > 0, name
    for shape, said in (((3, 32, 32), r"\(3, 32, 32\)"), ((2,), r"\(2,\)"), ((1,), r"\(1,\)")):
        with pytest.raises(ValueError, match=rf"grey images \(1, H, W\), but these have the shape {said}"):
            baselines.PixelCNN(shape)


@pytest.mark.parametrize("levels", [2, 4, 8, 16, 32, 64, 128, 256])
def test_levels_survive_the_way_to_images_and_back(levels):
    numbers = torch.arange(float(levels))
    assert torch.equal(pixels.to_levels(pixels.from_levels(numbers, levels), levels), numbers)
    assert baselines.PixelCNN((1, 4, 4), 4, 1, levels).levels == levels


@pytest.mark.parametrize("levels", [-2, 0, 1, 3, 10, 255, 512])
def test_other_numbers_of_levels_are_a_plain_error(levels):
    for answer in (
        lambda: baselines.PixelCNN((1, 4, 4), 4, 1, levels),
        lambda: bits_inside_levels(torch.zeros(9, dtype=torch.uint8), torch.zeros(9, dtype=torch.uint8), levels),
    ):
        with pytest.raises(ValueError, match=f"a power of two of levels, 2 to 256, but not {levels}"):
            answer()


def test_bits_inside_levels():
    """Uniform values cost all four bits; where a level has one value only, it costs next to nothing."""
    every = torch.arange(256, dtype=torch.uint8).repeat(10_000)
    assert bits_inside_levels(every, every) == pytest.approx(4)
    black = torch.zeros(100_000, dtype=torch.uint8)
    assert bits_inside_levels(black, black) == pytest.approx(0, abs=0.001)
