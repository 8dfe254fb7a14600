"""The class explorer as a learner meets it: JupyterLab, a real browser, the keyboard and the mouse."""

from __future__ import annotations

import pytest
from jupyter_server import WidgetCell

pytestmark = [pytest.mark.browser, pytest.mark.timeout(100), pytest.mark.xdist_group("browser")]

CELL = """
import torch
from gan_course import networks
from gan_course.widgets import ClassExplorer

torch.manual_seed(0)
network = networks.ConditionalGenerator(6, 3, 8, width=4)
for parameter in network.parameters():
    torch.nn.init.normal_(parameter, std=0.3)
network.eval()

def generate(z, shares):
    if shares[0, 2] > 0.99:
        raise RuntimeError("no <birds> here")
    return network(z, shares)

ClassExplorer(generate, 6, ["cat", "dog", "bird"])
"""
CLASS_A, CLASS_B, WALK = range(3)


class Explorer(WidgetCell):
    """The explorer of one cell in an open page."""

    def __init__(self, page) -> None:
        super().__init__(page, 0, "Generated image")


@pytest.fixture(scope="module")
def page(open_in_lab):
    """A notebook with the explorer, run in JupyterLab."""
    return open_in_lab([CELL])


@pytest.fixture(scope="module")
def first_src(page):
    """The picture before anything was touched."""
    return Explorer(page).src()


@pytest.fixture
def explorer(page, first_src):
    """The explorer, reset."""
    explorer = Explorer(page)
    explorer.click("Reset")
    explorer.expect_src(first_src)
    return explorer


def test_the_class_slider_moved_by_the_keyboard_changes_the_class(explorer, first_src):
    explorer.press(CLASS_A, "ArrowRight")
    explorer.expect_alt("Generated image: dog")
    explorer.expect_other_src(first_src)
    explorer.press(CLASS_A, "ArrowLeft")
    explorer.expect_src(first_src)


def test_one_class_is_turned_into_another_and_back(explorer, first_src):
    explorer.press(WALK, "ArrowRight", "ArrowRight")
    explorer.expect_alt("Generated image: cat, 8% dog")
    explorer.expect_other_src(first_src)
    explorer.press(WALK, "Home")
    explorer.expect_src(first_src)


def test_another_style_and_back(explorer, first_src):
    explorer.click("New style")
    explorer.expect_other_src(first_src)
    explorer.click("Reset")
    explorer.expect_src(first_src)


def test_an_error_is_shown_and_the_picture_stays(explorer):
    explorer.press(CLASS_A, "ArrowRight")
    explorer.expect_alt("Generated image: dog")
    last = explorer.src()
    explorer.press(CLASS_A, "ArrowRight")
    explorer.expect(explorer.alert).to_contain_text("RuntimeError: no <birds> here")
    explorer.expect_src(last)
    explorer.press(CLASS_A, "ArrowLeft")
    explorer.expect(explorer.alert).to_have_count(0)
