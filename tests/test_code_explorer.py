"""The code explorer's Python side, and a page in which it is moved by the keyboard."""

import re

import pytest
import torch

from gan_course import networks
from gan_course.widgets import CodeExplorer
from gan_course.widgets.raster import BadImagesError


@pytest.fixture
def generator():
    """An InfoGAN of random weights, large enough that every code shows, in training mode."""
    torch.manual_seed(0)
    network = networks.InfoGANGenerator(4, 3, 2, 28, 1, width=4)
    for parameter in network.parameters():
        torch.nn.init.normal_(parameter, std=0.3)
    return network


def test_each_slider_sets_its_code_in_all_the_images(generator):
    explorer = CodeExplorer(generator, images=3, labels=["slant", "width"])
    before = explorer.images
    explorer.category.value = 2
    explorer.sliders[1].value = -0.5
    codes = explorer.codes
    assert codes.category.tolist() == [2, 2, 2] and codes.continuous.tolist() == [[0.0, -0.5]] * 3
    generator.eval()
    assert torch.allclose(explorer.images, generator.draw(*codes), atol=1e-6)
    assert not torch.equal(explorer.images, before)
    alt = re.search('alt="([^"]*)"', explorer.picture.value).group(1)
    assert alt == "Generated images; category 2; slant +0.0; width -0.5"
    assert (explorer.sliders[0].min, explorer.sliders[0].max, explorer.category.max) == (-1.5, 1.5, 2)


def test_new_noise_leaves_the_sliders_and_reset_brings_the_first_picture(generator):
    explorer = CodeExplorer(generator, images=2)
    noise, picture = explorer.codes.noise, explorer.picture.value
    explorer.category.value, explorer.sliders[0].value = 1, 1.5
    explorer.new_noise()
    assert not torch.equal(explorer.codes.noise, noise) and explorer.category.value == 1
    explorer.reset()
    assert torch.equal(explorer.codes.noise, noise) and explorer.picture.value == picture
    assert explorer.category.value == 0 and [slider.value for slider in explorer.sliders] == [0, 0]
    assert generator.training, "the generator's own mode is left as it was"


def test_the_seed_fixes_the_noise_and_global_randomness_is_left_alone(generator):
    torch.manual_seed(7)
    state = torch.get_rng_state()
    first, second = (CodeExplorer(generator, seed=3) for _ in range(2))
    first.new_noise(), second.new_noise()
    assert torch.equal(first.codes.noise, second.codes.noise)
    assert torch.equal(torch.get_rng_state(), state)


def test_an_error_is_shown_and_the_picture_stays(generator):
    explorer = CodeExplorer(generator)
    right, picture, noise = generator.draw, explorer.picture.value, explorer.codes.noise
    generator.draw = lambda *codes: right(*codes) + 5
    explorer.category.value = 1
    assert "images must lie in [-1, 1]" in explorer.error_line.widget.value
    assert isinstance(explorer.error, BadImagesError) and explorer.picture.value == picture
    with pytest.raises(BadImagesError):
        explorer.new_noise()
    assert torch.equal(explorer.codes.noise, noise)
    generator.draw = right
    explorer.category.value = 2
    assert explorer.error is None and explorer.picture.value != picture
    with pytest.raises(ValueError, match="2 continuous codes need as many labels, not 1"):
        CodeExplorer(generator, labels=["one"])


def test_the_figure_holds_a_row_for_each_code_and_noise(generator):
    explorer = CodeExplorer(generator, labels=["a", "b"])
    explorer.category.value = 1
    figure = explorer.figure(columns=5)
    assert [axis.get_ylabel() for axis in figure.axes] == ["category"] * 2 + ["a"] * 2 + ["b"] * 2
    below = [[text.get_text() for text in axis.get_xticklabels()] for axis in figure.axes]
    assert below[1] == ["0", "1", "2", "0", "1"] and below[5] == ["-1.5", "-0.8", "+0.0", "+0.8", "+1.5"]
    assert figure.axes[0].images[0].get_array().shape == (28, 5 * 28 + 4)
    assert explorer.category.value == 1 and "category 1" in figure.get_suptitle()


CELL = """
import torch
from gan_course import networks
from gan_course.widgets import CodeExplorer

torch.manual_seed(0)
network = networks.InfoGANGenerator(4, 3, 2, 28, 1, width=4)
for parameter in network.parameters():
    torch.nn.init.normal_(parameter, std=0.3)
CodeExplorer(network)
"""


@pytest.mark.browser
@pytest.mark.timeout(100)
@pytest.mark.xdist_group("browser")
def test_the_sliders_work_in_a_page(open_in_lab):
    from jupyter_server import WidgetCell

    page = open_in_lab([CELL])
    explorer = WidgetCell(page, 0, "Generated images")
    first = explorer.src()
    explorer.press(0, "ArrowRight")
    explorer.expect_alt("Generated images; category 1; code 1 +0.0; code 2 +0.0")
    explorer.press(2, "ArrowLeft")
    explorer.expect_alt("Generated images; category 1; code 1 +0.0; code 2 -0.1")
    explorer.expect_other_src(first)
    explorer.click("Reset")
    explorer.expect_src(first)
