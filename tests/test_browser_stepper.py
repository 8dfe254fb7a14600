"""The GAN stepper as a learner meets it: JupyterLab, a real browser, the mouse and the keyboard."""

from __future__ import annotations

import pytest
from jupyter_server import WidgetCell, ask_kernel

pytestmark = [pytest.mark.browser, pytest.mark.timeout(100), pytest.mark.xdist_group("browser")]

GOOD_CELL = """
import time
from torch.nn.utils import parameters_to_vector
from gan_course.widgets import GANStepper

def weights(network):
    return round(parameters_to_vector(network.parameters()).abs().double().sum().item(), 9)

stepper = GANStepper("ring")
stepper
"""
SLOW_CELL = """
slow = GANStepper("ring", steps=1)
advance = slow.game.advance
slow.game.advance = lambda *arguments: (time.sleep(0.3), advance(*arguments))
slow
"""
FRAMES = "stepper.game.g_steps"


class Stepper(WidgetCell):
    """The stepper of one cell in an open page."""

    def __init__(self, page, cell_number: int) -> None:
        super().__init__(page, cell_number, "A GAN on the data")

    def ask(self, expression: str) -> str:
        return ask_kernel(self.page, expression)

    def weights(self) -> tuple[str, str]:
        return self.ask("weights(stepper.run.discriminator)"), self.ask("weights(stepper.run.generator)")

    def expect_button(self, name: str) -> None:
        self.expect(self.cell.get_by_role("button", name=name, exact=True)).to_be_visible()

    def wait_for_frames(self, count: int) -> None:
        """Wait until the picture has changed so many times."""
        for _ in range(count):
            self.expect_other_src(self.src())


@pytest.fixture(scope="module")
def page(open_in_lab):
    """A notebook with a stepper, and with one whose kernel is slow."""
    return open_in_lab([GOOD_CELL, SLOW_CELL])


@pytest.fixture(scope="module")
def first(page):
    """The weights and the picture of the stepper before anything was touched."""
    stepper = Stepper(page, 0)
    return stepper.weights(), stepper.src()


@pytest.fixture
def stepper(page, first):
    """The stepper, reset."""
    stepper = Stepper(page, 0)
    stepper.click("Reset")
    stepper.expect_src(first[1])
    return stepper


def test_step_d_changes_d_alone_and_the_picture(stepper, first):
    (d, g), src = first
    stepper.click("Step D")
    stepper.expect_other_src(src)
    now = stepper.weights()
    assert now[0] != d and now[1] == g
    stepper.expect(stepper.cell).to_contain_text("steps of D1steps of G0")


def test_step_g_changes_g_alone_and_the_picture(stepper, first):
    (d, g), src = first
    stepper.click("Step G")
    stepper.expect_other_src(src)
    now = stepper.weights()
    assert now[0] == d and now[1] != g
    stepper.expect(stepper.cell).to_contain_text("steps of D0steps of G1")


def test_run_makes_frames_until_pause_and_reset_starts_again(stepper, first):
    stepper.click("Run")
    stepper.expect_button("Pause")
    stepper.wait_for_frames(5)
    assert stepper.ask("2 ** 5") == "32"  # the kernel answers in between
    assert int(stepper.ask(FRAMES)) >= 5
    stepper.click("Pause")
    stepper.expect_button("Run")
    made, src = stepper.ask(FRAMES), stepper.src()
    stepper.page.wait_for_timeout(500)
    assert stepper.ask(FRAMES) == made
    stepper.expect_src(src)
    stepper.click("Run")
    stepper.wait_for_frames(2)
    assert int(stepper.ask(FRAMES)) > int(made)
    stepper.click("Reset")
    stepper.expect_src(first[1])
    assert stepper.weights() == first[0]
    stepper.expect_button("Run")


def test_the_loss_changes_while_it_runs(stepper):
    stepper.click("Run")
    stepper.wait_for_frames(2)
    stepper.cell.get_by_label("loss", exact=True).select_option("wasserstein")
    stepper.expect(stepper.cell).to_contain_text("critic lowest here")
    stepper.wait_for_frames(2)
    assert stepper.ask("stepper.run.loss.name, stepper.running") == "('wasserstein', True)"
    stepper.click("Pause")
    stepper.cell.get_by_label("loss", exact=True).select_option("non saturating")
    stepper.expect(stepper.cell).to_contain_text("D(x) = 0")


def test_a_bad_point_and_a_divergence_are_shown(stepper, first):
    expect = stepper.expect
    stepper.cell.get_by_label("data", exact=True).select_option("your points")
    points = stepper.cell.get_by_role("textbox", name="points (x, y)")
    points.fill("0, 0; one, 1")
    points.press("Enter")
    expect(stepper.alert).to_contain_text("'one, 1' is not a point: write x, y for each point")
    points.fill("0, 0; 1, 1")
    points.press("Enter")
    expect(stepper.alert).to_have_count(0)
    stepper.ask("stepper.run.generator.layers[0].weight.data.fill_(float('nan')) is None")
    stepper.click("Run")
    expect(stepper.alert).to_contain_text("Training diverged")
    stepper.expect_button("Run")
    stepper.click("Reset")
    expect(stepper.alert).to_have_count(0)
    stepper.cell.get_by_label("data", exact=True).select_option("ring")
    stepper.expect_src(first[1])


def test_a_slow_kernel_is_never_more_than_one_frame_behind(page):
    slow = Stepper(page, 1)
    slow.click("Run")
    slow.wait_for_frames(3)
    slow.click("Pause")
    made = int(slow.ask("slow.game.g_steps"))  # asked at once: at most the frame in hand is still to come
    page.wait_for_timeout(1200)
    assert int(slow.ask("slow.game.g_steps")) <= made + 1
    assert slow.ask("slow.running") == "False"
