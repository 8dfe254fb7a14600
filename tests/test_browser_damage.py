"""The damage panel as a learner meets it: JupyterLab, a real browser, the keyboard and the mouse."""

from __future__ import annotations

import pytest
from jupyter_server import WidgetCell

pytestmark = [pytest.mark.browser, pytest.mark.timeout(100), pytest.mark.xdist_group("browser")]

CELL = """
import torch
from gan_course import data
from gan_course.widgets import DamagePanel

def images(seed):
    pixels = torch.randint(256, (40, 1, 8, 8), generator=torch.Generator().manual_seed(seed)).to(torch.uint8)
    return data.ImageSet(pixels, torch.arange(40) % 4, list("abcd"))

def features(x):
    if (x == x[0]).all():
        raise RuntimeError("all <alike>")
    return x.flatten(1).float() / 255

DamagePanel(images(0), images(1), features)
"""


class Panel(WidgetCell):
    """The panel of one cell in an open page."""

    def __init__(self, page) -> None:
        super().__init__(page, 0, "Samples")
        self.kind = self.cell.get_by_role("combobox")
        self.now = self.cell.locator("tr:has(th:text-is('FD')) td").nth(1)


@pytest.fixture(scope="module")
def page(open_in_lab):
    """A notebook with the panel, run in JupyterLab."""
    return open_in_lab([CELL])


@pytest.fixture(scope="module")
def first_src(page):
    """The picture before anything was touched."""
    return Panel(page).src()


@pytest.fixture
def panel(page, first_src):
    """The panel, with the first damage chosen and undone."""
    panel = Panel(page)
    panel.click("Reset")
    panel.kind.select_option("blur")
    panel.expect_src(first_src)
    return panel


def test_the_slider_moved_by_the_keyboard_spoils_the_images_and_moves_the_numbers(panel, first_src):
    before = panel.now.inner_text()
    panel.press(0, "ArrowRight", "ArrowRight", "ArrowRight", "ArrowRight")
    panel.expect_alt("Samples with damage: blur, 20 %")
    panel.expect_other_src(first_src)
    panel.expect(panel.now).not_to_have_text(before)
    panel.press(0, "Home")
    panel.expect_src(first_src)
    panel.expect(panel.now).to_have_text(before)


def test_another_damage_of_the_same_strength(panel, first_src):
    panel.press(0, "ArrowRight", "ArrowRight")
    panel.expect_alt("Samples with damage: blur, 10 %")
    blurred = panel.src()
    panel.kind.select_option("noise")
    panel.expect_alt("Samples with damage: noise, 10 %")
    panel.expect_other_src(blurred)
    panel.click("Reset")
    panel.expect_src(first_src)


def test_an_error_is_shown_and_the_picture_stays(panel):
    panel.press(0, "ArrowRight")
    panel.expect_alt("Samples with damage: blur, 5 %")
    panel.kind.select_option("one image repeated")
    panel.expect_alt("Samples with damage: one image repeated, 5 %")  # or the kernel may see End before the choice
    last = panel.src()
    panel.press(0, "End")
    panel.expect(panel.alert).to_contain_text("RuntimeError: all <alike>")
    panel.expect_src(last)
    panel.press(0, "ArrowLeft")
    panel.expect(panel.alert).to_have_count(0)
    panel.expect_alt("Samples with damage: one image repeated, 95 %")
