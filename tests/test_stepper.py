"""The GAN stepper: what its buttons and controls do to the game, and what its picture shows of it."""

from __future__ import annotations

import base64
import dataclasses
import io
import re
import threading
import time

import numpy as np
import pytest
import torch
from PIL import Image
from torch import nn

from gan_course import methods, metrics, networks, training
from gan_course.data import toy
from gan_course.losses import LOSSES
from gan_course.widgets import GANStepper, raster_2d
from gan_course.widgets.raster import PlainError
from gan_course.widgets.raster_2d import Window, draw_game, draw_warp
from gan_course.widgets.stepper import PENALTIES
from gan_course.widgets.stepper_data import DATA, parse_points, point_set
from gan_course.widgets.stepper_game import RECIPE, Game
from gan_course.widgets.stepper_look import Onlooker, code_lines, pushes, scale_of

SMALL = dataclasses.replace(
    RECIPE,
    generator=lambda shape: networks.PointGenerator(2, 2, (16,)),
    discriminator=lambda shape: networks.PointDiscriminator(2, (16,)),
    batch_size=32,
)


def weights(network: nn.Module) -> torch.Tensor:
    return nn.utils.parameters_to_vector(network.parameters()).detach().clone()


def both(game) -> tuple[torch.Tensor, torch.Tensor]:
    return weights(game.run.discriminator), weights(game.run.generator)


def decoded(stepper: GANStepper) -> np.ndarray:
    """The colours of the big picture, (800, 800, 3)."""
    data = re.search(r"base64,([^\"]+)", stepper.picture.value).group(1)
    return np.asarray(Image.open(io.BytesIO(base64.b64decode(data))).convert("RGB"))


@pytest.fixture
def stepper() -> GANStepper:
    return GANStepper("ring", SMALL)


def click(stepper: GANStepper, description: str) -> None:
    (button,) = [child for child in stepper.panel.children[0].children if child.description == description]
    button.click()
    if stepper.error:
        raise stepper.error


def page_answers(stepper: GANStepper) -> None:
    """What the page does when a picture has arrived: it sends the counter back."""
    stepper._arrived.value = stepper._sent.value


# Steps.


def test_step_d_moves_d_alone_and_step_g_moves_g_alone(stepper):
    d, g = both(stepper)
    picture = stepper.picture.value
    click(stepper, "Step D")
    d1, g1 = both(stepper)
    assert not torch.equal(d, d1) and torch.equal(g, g1)
    assert stepper.picture.value != picture
    assert (stepper.game.d_steps, stepper.game.g_steps) == (1, 0)
    for _ in range(2):  # on D's samples, then on new ones
        click(stepper, "Step G")
    d2, g2 = both(stepper)
    assert torch.equal(d1, d2) and not torch.equal(g1, g2)
    assert (stepper.game.d_steps, stepper.game.g_steps) == (1, 2)


@pytest.mark.parametrize("penalty", list(PENALTIES))
@pytest.mark.parametrize("loss", list(LOSSES))
def test_steps_by_hand_are_the_steps_of_training(loss, penalty):
    function, weight = PENALTIES[penalty]
    recipe = dataclasses.replace(SMALL, loss=loss, penalty=function, penalty_weight=weight, n_critic=2)
    trained = training.train(training.Run(recipe, point_set("ring"), seed=3, device="cpu"), steps=4)
    stepped, ran = (Game(recipe, "ring", seed=3) for _ in range(2))
    for _ in range(4):
        for move in (stepped.step_d, stepped.step_d, stepped.step_g):
            move()
    ran.advance(3)
    ran.advance(1)
    for game in (stepped, ran):
        assert torch.equal(weights(game.run.generator), weights(trained.generator))
        assert torch.equal(weights(game.run.discriminator), weights(trained.discriminator))
        assert (game.d_steps, game.g_steps, game.run.step) == (8, 4, 4)
        assert torch.equal(game.run.rng.get_state(), trained.rng.get_state())


def test_looking_changes_nothing_and_a_run_of_the_stepper_is_training():
    torch.manual_seed(5)
    state = torch.get_rng_state()
    stepper = GANStepper("grid", SMALL, seed=1, steps=10)
    click(stepper, "Run")
    for _ in range(3):
        page_answers(stepper)
    stepper.pause()
    made = stepper.game.g_steps
    assert made >= 4 and len(stepper.run.history) == 4
    trained = training.train(training.Run(SMALL, point_set("grid"), seed=1, device="cpu"), steps=made)
    assert torch.equal(weights(stepper.run.generator), weights(trained.generator))
    assert torch.equal(weights(stepper.run.discriminator), weights(trained.discriminator))
    torch.set_rng_state(state)
    GANStepper("ring", SMALL)
    assert torch.equal(torch.get_rng_state(), state)


def test_reset_starts_again_and_leaves_the_controls(stepper):
    first, picture = both(stepper), stepper.picture.value
    stepper.advance(5)
    once = both(stepper)
    stepper.reset()
    assert all(torch.equal(a, b) for a, b in zip(first, both(stepper), strict=True))
    assert stepper.picture.value == picture and stepper.game.d_steps == stepper.game.g_steps == 0
    stepper.advance(5)
    assert all(torch.equal(a, b) for a, b in zip(once, both(stepper), strict=True))
    stepper.loss.value = "hinge"
    click(stepper, "Reset")
    assert stepper.loss.value == "hinge" and stepper.run.loss.name == "hinge" and stepper.run.recipe.loss == "hinge"


def test_a_frame_stops_when_its_time_is_over():
    game = Game(SMALL, "ring")
    assert game.advance(50, seconds=0.0) == 1
    assert game.advance(7) == 7


# A run, frame by frame.


def test_each_answer_of_the_page_makes_one_frame_until_pause(stepper):
    stepper.speed.value = 1
    click(stepper, "Run")
    assert stepper.running and stepper.game.g_steps == 1
    page_answers(stepper)
    page_answers(stepper)
    assert stepper.game.g_steps == 3
    stepper._arrived.value = 1  # an old answer
    assert stepper.game.g_steps == 3
    click(stepper, "Pause")
    page_answers(stepper)
    assert not stepper.running and stepper.game.g_steps == 3
    click(stepper, "Run")
    assert stepper.game.g_steps == 4


def test_a_run_without_a_page_makes_one_frame(stepper):
    click(stepper, "Run")
    assert stepper.game.g_steps <= stepper.speed.value and stepper._sent.value == 1


@pytest.mark.parametrize("press", [lambda stepper: click(stepper, "Reset"), GANStepper.reset])
def test_a_reset_in_another_thread_waits_for_the_frame_in_hand(stepper, press):
    first, advance, inside = both(stepper), stepper.game.advance, threading.Event()

    def slow(*arguments) -> None:
        inside.set()
        time.sleep(0.2)
        advance(*arguments)

    stepper.game.advance = slow
    frame = threading.Thread(target=click, args=(stepper, "Run"))
    frame.start()
    inside.wait(10)
    press(stepper)
    frame.join()
    assert not stepper.running and stepper.game.g_steps == 0
    assert all(torch.equal(a, b) for a, b in zip(first, both(stepper), strict=True))


# Controls: each changes what it says, and nothing else.

CHANGES = {
    "loss": ("least_squares", {"loss": "least_squares"}),
    "penalty": ("R1 + R2", {"penalty": methods.r1_r2, "penalty_weight": PENALTIES["R1 + R2"][1]}),
    "d_rate": (1e-4, {"d_learning_rate": 1e-4}),
    "g_rate": (1e-2, {"g_learning_rate": 1e-2}),
    "n_critic": (4, {"n_critic": 4}),
}


@pytest.mark.parametrize("control", CHANGES)
def test_a_control_changes_its_part_of_the_living_run_alone(stepper, control):
    stepper.advance(2)
    before, run, recipe, state = both(stepper), stepper.run, stepper.run.recipe, stepper.run.rng.get_state()
    value, fields = CHANGES[control]
    getattr(stepper, control).value = value
    assert stepper.error is None and stepper.run is run
    assert run.recipe == dataclasses.replace(recipe, **fields)
    assert run.loss is LOSSES[run.recipe.loss]
    assert all(torch.equal(a, b) for a, b in zip(before, both(stepper), strict=True))
    assert torch.equal(run.rng.get_state(), state) and run.data.name == "ring" and run.step == 2
    stepper.advance(1)
    rates = run.d_optimizer.param_groups[0]["lr"], run.g_optimizer.param_groups[0]["lr"]
    assert rates == (run.recipe.d_learning_rate, run.recipe.g_learning_rate)
    assert stepper.game.d_steps == 2 + run.recipe.n_critic


def test_a_changed_run_equals_a_run_changed_by_hand(stepper):
    stepper.advance(3)
    stepper.loss.value, stepper.penalty.value, stepper.g_rate.value = "relativistic", "gradient penalty", 3e-3
    stepper.advance(3)
    run = training.Run(SMALL, point_set("ring"), seed=0, device="cpu")
    training.train(run, steps=3)
    penalty, weight = PENALTIES["gradient penalty"]
    run.recipe = dataclasses.replace(
        SMALL, loss="relativistic", penalty=penalty, penalty_weight=weight, g_learning_rate=3e-3
    )
    run.loss = LOSSES["relativistic"]
    training.train(run, steps=6)
    assert torch.equal(weights(run.generator), weights(stepper.run.generator))
    assert torch.equal(weights(run.discriminator), weights(stepper.run.discriminator))


@pytest.mark.parametrize("name", DATA)
def test_every_data_set_can_be_chosen_and_stepped(stepper, name):
    before = both(stepper)
    stepper.data.value = name
    assert stepper.error is None and all(torch.equal(a, b) for a, b in zip(before, both(stepper), strict=True))
    real, _ = stepper.run.data.batch(500, torch.Generator().manual_seed(0))
    assert stepper._onlooker.window.inside(real).all()  # all the data are in the picture
    click(stepper, "Step D")
    assert f"'{name}'" in stepper.alt
    assert ("modes captured" in stepper.alt) == (name in ("ring", "grid"))


# What the recipe brings along.


def test_fields_go_into_the_recipe_and_the_controls_show_them():
    stepper = GANStepper(
        "grid", SMALL, loss="wasserstein", penalty="gradient penalty", n_critic=3, d_learning_rate=3e-4
    )
    shown = stepper.data.value, stepper.loss.value, stepper.penalty.value, stepper.n_critic.value, stepper.d_rate.value
    assert shown == ("grid", "wasserstein", "gradient penalty", 3, 3e-4)
    assert stepper.run.recipe.penalty_weight == 0.1
    with pytest.raises(ValueError, match="no penalty called 'R3'; use one of none, gradient penalty, R1"):
        GANStepper(penalty="R3")
    with pytest.raises(ValueError, match="no data called 'circle'; use one of ring"):
        GANStepper("circle")


def test_a_recipe_and_data_of_your_own_keep_a_name_in_the_lists():
    def own_penalty(discriminator, real, fake, rng):
        return discriminator(real).square().mean()

    own_loss = dataclasses.replace(LOSSES["non_saturating"], name="smoothed")
    data = toy.PointSet(lambda n, generator=None, device="cpu": torch.rand(n, 2, generator=generator), name="square")
    stepper = GANStepper(data, SMALL, loss=own_loss, penalty=own_penalty, penalty_weight=2.0)
    assert stepper.data.value == stepper.penalty.value == "the recipe's" and stepper.loss.value is own_loss
    click(stepper, "Step D")
    for control, other in ((stepper.penalty, "R1"), (stepper.loss, "hinge"), (stepper.data, "moons")):
        first, control.value = control.value, other
        control.value = first
    assert stepper.run.recipe == stepper.game.recipe
    assert (stepper.run.loss, stepper.run.recipe.penalty, stepper.run.recipe.penalty_weight) == (
        own_loss,
        own_penalty,
        2,
    )
    assert stepper.run.data.name == "square" and stepper.error is None
    with pytest.raises(ValueError, match="dimension 1"):
        GANStepper(toy.PointSet(toy.ring, dim=1))


# Points typed in.


@pytest.mark.parametrize(
    ("text", "points"),
    [
        ("0, 0; 1, 0.5", [(0, 0), (1, 0.5)]),
        ("1 2; -3e-1 .5;", [(1, 2), (-0.3, 0.5)]),
        ("(0, 0), (1, 0.5)", [(0, 0), (1, 0.5)]),
        ("[[0, 0], [1, 0.5]]", [(0, 0), (1, 0.5)]),
        ("0,0\n1,1\n0,0", [(0, 0), (1, 1)]),
    ],
)
def test_points_are_read_in_the_forms_people_write(text, points):
    assert parse_points(text) == points


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("", "'' is not a point: write x, y"),
        ("0, 0; one, 2", "'one, 2' is not a point: write x, y for each point and a semicolon between points"),
        ("1, 2, 3", "'1, 2, 3' is not a point"),
        ("0, 0, 1, 1", "'0, 0, 1, 1' is not a point"),
        ("5", "'5' is not a point"),
        ("nan, 0", "'nan, 0' is too far out"),
        ("0, inf", "too far out"),
        ("0, 1e9", "within 1000 of 0"),
        ("; ".join(f"{i}, 0" for i in range(201)), "These are 201 points; 200 are the most"),
    ],
)
def test_a_bad_text_is_answered_by_one_sentence(text, sentence):
    with pytest.raises(PlainError, match=re.escape(sentence)) as caught:
        parse_points(text)
    assert "\n" not in str(caught.value)


def test_typed_points_become_the_data_and_a_bad_text_leaves_them(stepper):
    assert stepper.points.layout.display == "none"
    stepper.data.value = "your points"
    assert stepper.points.layout.display is None
    stepper.points.value = "3, 0; 0, 3"
    real, _ = stepper.run.data.batch(200, torch.Generator().manual_seed(0))
    assert torch.cdist(real, torch.tensor([[3.0, 0], [0, 3]])).amin(1).max() < 0.3
    assert "of 2" in stepper.alt
    picture, before = stepper.picture.value, both(stepper)
    stepper.points.value = "3, 0; zero, 3"
    message = stepper.error_line.widget.value
    assert "&#x27;zero, 3&#x27; is not a point: write x, y" in message and "Error" not in message
    assert stepper.picture.value == picture and stepper.run.data.draw.keywords["centers"] == [(3, 0), (0, 3)]
    stepper.points.value = "1, 1"
    assert stepper.error is None and all(torch.equal(a, b) for a, b in zip(before, both(stepper), strict=True))
    from_the_start = GANStepper([(0, 0), (1, 0.5)], SMALL)
    assert from_the_start.data.value == "your points" and from_the_start.points.value == "0, 0; 1, 0.5"


# Errors.


def test_a_frame_does_not_wipe_away_what_a_control_was_answered(stepper):
    click(stepper, "Run")
    stepper.data.value = "your points"
    stepper.points.value = "zero, 0"
    page_answers(stepper)
    assert stepper.running and "is not a point" in stepper.error_line.widget.value
    stepper.points.value = "0, 0"
    assert stepper.error is None and stepper.error_line.widget.value == ""


def test_divergence_is_said_ends_the_run_and_stays_until_reset(stepper):
    click(stepper, "Run")
    picture, alt = stepper.picture.value, stepper.alt
    with torch.no_grad():
        stepper.run.generator.layers[0].weight.fill_(float("nan"))
    page_answers(stepper)
    assert "Training diverged: after" in stepper.error_line.widget.value and isinstance(stepper.error, PlainError)
    assert "PlainError" not in stepper.error_line.widget.value
    assert not stepper.running and stepper._run_button.description == "Run"
    assert stepper.picture.value == picture and stepper.alt.split(".")[0] == alt.split(".")[0]
    for provoke in (
        lambda: setattr(stepper.loss, "value", "hinge"),
        lambda: setattr(stepper.g_rate, "value", 1e-5),
        lambda: stepper.panel.children[0].children[0].click(),
        lambda: stepper.panel.children[0].children[1].click(),
    ):
        provoke()
        assert "Training diverged" in stepper.error_line.widget.value
    click(stepper, "Reset")
    assert stepper.error is None and stepper.error_line.widget.value == ""


def test_rates_far_too_high_really_diverge_and_are_said_to():
    stepper = GANStepper("grid", SMALL, loss="least_squares", d_learning_rate=1.0, g_learning_rate=1.0, steps=50)
    click(stepper, "Run")
    # A slider ends at 1, where Adam only makes huge weights; this overflows.
    stepper.game.change(d_learning_rate=1e20, g_learning_rate=1e20)
    for _ in range(5):
        page_answers(stepper)
    assert "Training diverged" in stepper.error_line.widget.value and not stepper.running


def test_an_error_of_a_network_is_shown_and_ends_the_run(stepper):
    click(stepper, "Run")
    stepper.run.discriminator.forward = lambda points: 1 / 0
    page_answers(stepper)
    assert "ZeroDivisionError: division by zero" in stepper.error_line.widget.value and not stepper.running


def test_a_discriminator_of_packs_is_refused_in_words():
    packed = dataclasses.replace(
        SMALL,
        discriminator=lambda shape: networks.PackedDiscriminator(networks.PointDiscriminator(4, (8,)), 2),
    )
    with pytest.raises(PlainError, match="this D judges several at once"):
        GANStepper("ring", packed)


# What the picture shows.


def test_the_window_maps_points_to_pixels():
    window = Window(1.0, -1.0, 2.0, 101)
    points = torch.tensor([[1.0, -1.0], [-1.0, 1.0], [3.0, -3.0]])
    assert window.pixels(points).tolist() == [[50, 50], [0, 0], [100, 100]]
    assert window.inside(torch.tensor([[2.9, -1.0], [3.1, -1.0]])).tolist() == [True, False]
    grid = window.grid(3)
    assert grid[0].tolist() == [-1, 1] and grid[1].tolist() == [1, 1] and grid[-1].tolist() == [3, -3]


def draw(answers, real=(), fake=(), push=(), **options) -> np.ndarray:
    parts = (torch.tensor(part, dtype=torch.float32).reshape(-1, 2) for part in (real, fake, push))
    return draw_game(Window(0.0, 0.0, 1.0, 400), answers, *parts, **options)


def test_the_map_follows_d():
    ramp = torch.linspace(0, 1, 48).expand(48, 48)  # grows to the right
    page = draw(ramp, middle=False)
    assert page[200, 0] == 0 and page[200, -1] == raster_2d.MAP_LEVELS - 1
    assert (np.diff(page[100].astype(int)) >= 0).all() and (page == page[:1]).all()
    with_line = draw(ramp)
    columns = np.unique(np.nonzero(with_line == raster_2d.GREY)[1])
    assert abs(columns.mean() - 199.5) < 3 and len(columns) <= 2
    upward = draw(ramp.T.flip(0), middle=False)  # the first row is the top
    assert upward[0, 0] == raster_2d.MAP_LEVELS - 1 and upward[-1, 0] == 0


def test_points_and_arrows_are_where_they_should_be():
    page = draw(torch.full((48, 48), 0.5), real=[(-0.5, 0.5)], fake=[(0.0, 0.0)], push=[(9.0, 0.0)])
    assert page[100, 100] == raster_2d.REAL
    rows, columns = np.nonzero(page == raster_2d.BLACK)
    assert columns.min() >= 199 and abs(rows.mean() - 199.5) < 2  # to the right, level
    assert abs(columns.max() - (199.5 + 0.9 * 0.25 * 199.5)) < 3  # p / (1 + p) of an eighth of the window
    _, up_columns = np.nonzero(
        draw(torch.full((48, 48), 0.5), fake=[(0, 0)], push=[(0.0, 9.0)])[:190] == raster_2d.BLACK
    )
    assert len(up_columns) > 10
    calm = draw(torch.full((48, 48), 0.5), fake=[(0, 0)], push=[(1e-3, 0.0)])
    assert not (calm == raster_2d.BLACK).any() and (calm == raster_2d.FAKE).any()
    far = draw(torch.full((48, 48), 0.5), fake=[(1e30, 0)], push=[(1.0, 0.0)])
    assert not (far == raster_2d.FAKE).any()


def test_the_warp_draws_both_families():
    line = torch.linspace(-0.5, 0.5, 5)
    level = torch.stack([line, torch.zeros(5)], 1)[None]
    page = draw_warp(Window(0.0, 0.0, 1.0, 250), level, level.flip(2), torch.tensor([[0.9, 0.9]]))
    rows, columns = np.nonzero(page == raster_2d.FIRST)
    assert np.ptp(rows) <= 1 and np.ptp(columns) > 100
    rows, columns = np.nonzero(page == raster_2d.SECOND)
    assert np.ptp(columns) <= 1 and np.ptp(rows) > 100


def test_code_lines_move_one_number_each():
    first, second = code_lines(3)
    first, second = first.reshape(13, 41, 3), second.reshape(13, 41, 3)
    assert (first[:, :, 1] == first[:, :1, 1]).all() and (first.diff(dim=1)[:, :, 0] > 0).all()
    assert (second[:, :, 0] == second[:, :1, 0]).all() and (second.diff(dim=1)[:, :, 1] > 0).all()
    assert (first[..., 2] == 0).all() and code_lines(1)[0].shape == (13 * 41, 1)


@pytest.mark.parametrize("name", list(LOSSES))
def test_the_push_is_minus_the_slope_of_the_generators_loss(name):
    torch.manual_seed(0)
    discriminator, loss = networks.PointDiscriminator(2, (8,)).double(), LOSSES[name]
    fake, real = torch.randn(2, 5, 2, dtype=torch.float64)
    push = pushes(discriminator, loss, fake, real)
    small = 1e-6
    for i in range(5):
        for axis in range(2):
            values = []
            for sign in (1, -1):
                moved = fake[i : i + 1].clone()
                moved[0, axis] += sign * small
                logits = discriminator(moved), discriminator(real[i : i + 1])
                values.append(loss.generator(*logits).item())
            assert push[i, axis].item() == pytest.approx(-(values[0] - values[1]) / (2 * small), rel=1e-4, abs=1e-8)
    assert all(parameter.grad is None for parameter in discriminator.parameters())


def test_the_picture_follows_the_networks(stepper):
    onlooker = Onlooker(stepper.game)
    look = onlooker.look()
    with torch.no_grad():
        says = stepper.run.discriminator(onlooker.window.grid(48)).sigmoid().reshape(48, 48)
        drawn = stepper.run.generator(torch.randn(2500, 2, generator=torch.Generator().manual_seed(0)))
    torch.testing.assert_close(look.answers, says)
    torch.testing.assert_close(look.fake, drawn[:300])
    assert look.modes == metrics.modes_captured(drawn, toy.ring_centers(), 0.01) and look.centers == 8
    with torch.no_grad():
        stepper.run.discriminator.layers[-1].bias.fill_(40.0)
    stepper._draw()
    corner = decoded(stepper)[0, 0].tolist()
    assert corner == raster_2d.PALETTE[raster_2d.MAP_LEVELS - 1].tolist()  # all real: green
    with torch.no_grad():
        stepper.run.discriminator.layers[-1].bias.fill_(-40.0)
    stepper._draw()
    assert decoded(stepper)[0, 0].tolist() == raster_2d.PALETTE[0].tolist()


def test_a_critic_without_a_zero_is_shown_from_its_lowest_to_its_highest():
    logits = torch.tensor([-7.0, 3.0, 13.0])
    for name in ("wasserstein", "relativistic"):
        scale = scale_of(LOSSES[name])
        assert scale.read(logits).tolist() == [0, 0.5, 1] and not scale.has_middle
    assert scale_of(LOSSES["hinge"]).read(torch.tensor([-2.0, 0.0, 1.0])).tolist() == [0, 0.5, 1]
    assert scale_of(LOSSES["least_squares"]).read(torch.tensor([-1.0, 0.5, 2.0])).tolist() == [0, 0.5, 1]
    assert scale_of(LOSSES["minimax"]).read(torch.zeros(1)).item() == 0.5


def test_the_picture_says_its_state(stepper):
    stepper.penalty.value = "R1"
    stepper.advance(3)
    alt = stepper.alt
    for words in ("data 'ring'", "loss non saturating, penalty r1", "steps of D 3; steps of G 3", "modes captured"):
        assert words in alt
    assert re.search(r"D answers 0\.\d\d to real and 0\.\d\d to generated points", alt)
    assert f'alt="{alt}"'.replace("'", "&#x27;") in stepper.picture.value
    assert "KL from even" in stepper.picture.value


def test_the_last_expression_of_a_cell_shows_the_widget_and_says_something_without_it(stepper):
    bundle = stepper._repr_mimebundle_(include=None, exclude=None)
    assert bundle["application/vnd.jupyter.widget-view+json"]["model_id"] == stepper.panel.model_id
    assert bundle["text/plain"].startswith("GANStepper: A GAN on the data 'ring'")


def test_the_figure_shows_the_same_picture(stepper):
    stepper.advance(2)
    figure = stepper.figure()
    main, warp = (np.asarray(axis.images[0].get_array()) for axis in figure.axes)
    assert np.array_equal(main, decoded(stepper)) and warp.shape == (500, 500, 3)
    window = stepper._onlooker.window
    left, right, bottom, top = figure.axes[0].images[0].get_extent()
    assert window.pixels(torch.tensor([[left, top], [right, bottom]])).round().tolist() == [[0, 0], [799, 799]]
    assert "steps of D 2" in figure.get_suptitle() and figure.get_facecolor() == (1, 1, 1, 1)
