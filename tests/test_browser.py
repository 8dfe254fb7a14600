"""The latent explorer as a learner meets it: JupyterLab, a real browser, the keyboard and the mouse."""

from __future__ import annotations

import pytest
from jupyter_server import WidgetCell

pytestmark = [pytest.mark.browser, pytest.mark.timeout(100), pytest.mark.xdist_group("browser")]

GOOD_CELL = """
import torch
from gan_course.widgets import LatentExplorer

torch.manual_seed(0)
network = torch.nn.Sequential(torch.nn.Linear(8, 144), torch.nn.Tanh(), torch.nn.Unflatten(1, (1, 12, 12)))
LatentExplorer(network, 8)
"""
RAISING_CELL = """
def generate(z):
    if z[0, 0] > 1:
        raise RuntimeError("the code <z> went too far")
    return network(z)

LatentExplorer(generate, 8, directions=torch.eye(8)[:1], codes=torch.zeros(1, 8))
"""


class Explorer(WidgetCell):
    """The explorer of one cell in an open page."""

    def __init__(self, page, cell_number: int) -> None:
        super().__init__(page, cell_number, "Generated image")

    def expect_slider(self, slider_number: int, value: str) -> None:
        self.expect(self.sliders.nth(slider_number)).to_have_attribute("aria-valuenow", value)


@pytest.fixture(scope="module")
def page(open_in_lab):
    """A notebook with two explorers, run in JupyterLab."""
    return open_in_lab([GOOD_CELL, RAISING_CELL])


@pytest.fixture(scope="module")
def first_src(page):
    """The picture of the good explorer before anything was touched."""
    return Explorer(page, 0).src()


@pytest.fixture
def explorer(page, first_src):
    """The good explorer, reset."""
    explorer = Explorer(page, 0)
    explorer.click("Reset")
    explorer.expect_src(first_src)
    return explorer


def test_a_slider_moved_by_the_keyboard_changes_the_image(explorer, first_src):
    explorer.press(0, "ArrowRight", "ArrowRight", "ArrowRight")
    explorer.expect_slider(0, "0.3")
    explorer.expect_other_src(first_src)
    explorer.expect_alt("Generated image; direction 1 +0.3")


def test_new_random_changes_the_image_and_reset_restores_it(explorer, first_src):
    explorer.press(1, "ArrowLeft", "ArrowLeft")
    explorer.expect_alt("Generated image; direction 2 -0.2")
    moved = explorer.src()
    explorer.click("New random")
    explorer.expect_other_src(moved)
    explorer.expect_slider(1, "-0.2")
    explorer.click("Reset")
    explorer.expect_src(first_src)
    explorer.expect_slider(1, "0.0")


def test_play_walks_from_a_to_b(explorer, first_src):
    path = explorer.sliders.count() - 1
    explorer.click("New random")
    explorer.expect_other_src(first_src)
    end = explorer.src()
    explorer.click("Keep as B")
    explorer.press(path, "ArrowRight")
    explorer.expect_slider(path, "4.0")
    explorer.expect_other_src(end)
    assert explorer.src() != first_src
    explorer.cell.locator(".widget-play button").first.click()
    explorer.expect_slider(path, "100.0")
    explorer.expect_src(end)


def test_an_error_is_shown_and_the_image_stays_until_the_next_success(page):
    explorer = Explorer(page, 1)
    expect = explorer.expect
    expect(explorer.alert).to_have_count(0)
    explorer.press(0, *["ArrowRight"] * 10)
    explorer.expect_slider(0, "1.0")
    explorer.expect_alt("Generated image; direction 1 +1.0")
    last_good = explorer.src()
    explorer.press(0, "ArrowRight")
    expect(explorer.alert).to_contain_text("RuntimeError: the code <z> went too far")
    expect(explorer.alert).to_be_visible()
    explorer.expect_src(last_good)
    explorer.press(0, "ArrowLeft", "ArrowLeft")
    expect(explorer.alert).to_have_count(0)
    explorer.expect_other_src(last_good)
