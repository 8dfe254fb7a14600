"""The GAN stepper: a GAN on points of the plane, moved one step at a time, watched and changed while it lives."""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Callable
from typing import TYPE_CHECKING

import ipywidgets

from gan_course import methods
from gan_course.losses import LOSSES
from gan_course.widgets import stepper_view as view
from gan_course.widgets.panel import Panel, with_tooltip
from gan_course.widgets.raster import ErrorLine
from gan_course.widgets.stepper_data import DATA, YOUR_POINTS, Data, parse_points
from gan_course.widgets.stepper_game import RECIPE, Game
from gan_course.widgets.stepper_look import Look, Onlooker

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from gan_course.training import Run

PENALTIES = {
    "none": (None, 0.0),
    "gradient penalty": (methods.gradient_penalty, 0.1),
    "R1": (methods.r1, 0.05),
    "R1 + R2": (methods.r1_r2, 0.05),
}
OWN = "the recipe's"  # a loss, a penalty or data that no list here has
FRAME_SECONDS = 0.05  # steps that do not fit wait for the next frame, so that ten frames a second are shown


def one_at_a_time(method: Callable) -> Callable:
    """Let a method of the stepper wait until callbacks in other threads have ended."""

    @functools.wraps(method)
    def alone(self: GANStepper, *arguments: object, **named: object) -> object:
        with self.error_line.lock:
            return method(self, *arguments, **named)

    return alone


class GANStepper(Panel):
    """Buttons that move a GAN in the plane one step at a time, and controls that change it while it runs.

    The last expression of a cell shows it: `GANStepper("ring")`. The picture has the real points, the generated ones,
    D as a map, the arrows along which the fakes are pushed, and beside it what G makes of a square grid of codes.
    'Step D' and 'Step G' move one player once; 'Run' goes on until 'Pause'; 'Reset' takes the first weights again and
    leaves the controls. Losses, penalties, rates, critic steps and data change under the living networks. An error is
    shown in red, and ends a run; the last good picture stays.

    How a run goes on: a frame raises a counter, the page sends that number back, and only this makes the next frame.
    So no thread is started, a closed page ends the run, and a slow kernel is never sent more than one frame ahead.
    What a page sends is handled in the kernel's threads one at a time (`ErrorLine.guard`), and what you call in a cell
    waits too: a 'Reset' comes after the frame in hand.

    Args:
        data: a name of `stepper_data.DATA` ("ring", "grid", "moons", "spiral", "swiss roll", "normal"), a list of
            (x, y) to scatter around, or your own `toy.PointSet`.
        recipe: how it is trained; for points of the plane. Default: networks of three hidden layers of 64 units.
        seed: of the weights, the noise and the batches; global random numbers are left alone.
        steps: of the game between two pictures of a run; fewer where they take too long for ten pictures a second.
        fields: of the recipe, to be other than there: `loss="minimax"`, `n_critic=5`, `penalty="R1"`, ...

    Attributes:
        data, points, loss, penalty, d_rate, g_rate, n_critic, speed, error_line: the parts; `panel`: holds them all.

    Raises:
        ValueError: no such data or penalty, or points that are not in the plane. KeyError: no such loss.
    """

    def __init__(
        self, data: Data = "ring", recipe: methods.Recipe = RECIPE, *, seed: int = 0, steps: int = 5, **fields: object
    ) -> None:
        if isinstance(fields.get("penalty"), str):
            name = fields["penalty"]
            if name not in PENALTIES:
                raise ValueError(f"There is no penalty called {name!r}; use one of {', '.join(PENALTIES)}.")
            fields["penalty"], weight = PENALTIES[name]
            fields.setdefault("penalty_weight", weight)
        self._first = dataclasses.replace(recipe, **fields)
        self.game = Game(self._first, data, seed)
        self._first_data = self.game.data
        self._onlooker = Onlooker(self.game)
        self._running = False
        self._look: Look | None = None
        self._build_controls(steps)
        self._build_panel()
        self._draw()

    @property
    def run(self) -> Run:
        """The living run: its networks, optimizers, recipe, and a history with a row for each picture of a run."""
        return self.game.run

    @property
    def running(self) -> bool:
        """Whether it goes on by itself."""
        return self._running

    # What the buttons do. Called from Python these raise; behind a button the error is shown instead.

    @one_at_a_time
    def step_d(self) -> None:
        """Move D alone, once."""
        self.game.step_d()
        self._draw()

    @one_at_a_time
    def step_g(self) -> None:
        """Move G alone, once."""
        self.game.step_g()
        self._draw()

    @one_at_a_time
    def advance(self, steps: int) -> None:
        """Make whole steps of the recipe, then draw: `stepper.advance(500)` without a click."""
        self.game.advance(steps)
        self._draw()

    @one_at_a_time
    def pause(self) -> None:
        """Stop a run; nothing that is on its way from the page makes another frame."""
        self._set_running(False)

    @one_at_a_time
    def reset(self) -> None:
        """Take the first weights and random numbers again; data and recipe stay as they are now."""
        self.pause()
        self.game.reset()
        self._draw()

    @one_at_a_time
    def figure(self) -> Figure:
        """Draw what is shown now without the controls: the map with points and arrows, and the warped grid.

        Returns:
            A matplotlib figure that pyplot does not know; `plots.show(stepper.figure(), alt=stepper.alt)` shows it.
        """
        return view.figure(self.game, self._onlooker, self._look)

    @property
    def alt(self) -> str:
        """What the picture shows, in words and numbers."""
        return view.alt(self.game, self._look)

    def _draw(self) -> None:
        """Show the game as it is. On an error the last picture stays."""
        look = self._onlooker.look()
        self.picture.value = view.page(self.game, self._onlooker, look)
        self._look = look

    def _frame(self) -> None:
        """One picture of a run. The counter comes last: the page answers it when the picture has arrived."""
        try:
            self.game.advance(self.speed.value, FRAME_SECONDS)
            self._draw()
        except Exception:
            self._set_running(False)
            raise
        self._sent.value += 1

    def _on_run(self) -> None:
        self._set_running(not self._running)
        if self._running:
            self._frame()

    def _on_arrival(self, change: dict) -> None:
        if self._running and change["new"] == self._sent.value:
            self._frame()

    def _set_running(self, running: bool) -> None:
        self._running = running
        self._run_button.description = "Pause" if running else "Run"

    def _on_data(self, _: object) -> None:
        typed = self.data.value == YOUR_POINTS
        self.points.layout.display = None if typed else "none"
        own = self.data.value == OWN
        self.game.choose(parse_points(self.points.value) if typed else self._first_data if own else self.data.value)
        self._onlooker = Onlooker(self.game)
        self._draw()

    def _on_penalty(self, _: object) -> None:
        penalty, weight = self._penalties[self.penalty.value]
        self._change(penalty=penalty, penalty_weight=weight)

    def _change(self, **fields: object) -> None:
        self.game.change(**fields)
        self._draw()

    def _build_controls(self, steps: int) -> None:
        self.error_line, self.picture = ErrorLine(), ipywidgets.HTML()
        self._sent, self._arrived = ipywidgets.IntText(0), ipywidgets.IntText(0)
        self._link = ipywidgets.jsdlink((self._sent, "value"), (self._arrived, "value"))
        # A frame must not wipe away what a person has just been told, so its success clears no error.
        self._arrived.observe(self.error_line.guard(self._on_arrival, clears=False), names="value")
        self._build_choices()
        recipe = self.game.recipe
        rate = {"base": 10, "min": -5, "max": 0, "step": 0.1, "readout_format": ".1e"}
        self.d_rate = self._control(ipywidgets.FloatLogSlider, "D's learning rate", recipe.d_learning_rate, **rate)
        self.g_rate = self._control(ipywidgets.FloatLogSlider, "G's learning rate", recipe.g_learning_rate, **rate)
        critic_steps = recipe.critic_steps(0)
        self.n_critic = self._control(
            ipywidgets.IntSlider, "steps of D per G", critic_steps, min=1, max=max(10, critic_steps)
        )
        choices = sorted({1, 2, 5, 10, 20, 50, steps})
        self.speed = self._control(ipywidgets.SelectionSlider, "steps a picture", steps, options=choices)
        self._observe(self.d_rate, lambda change: self._change(d_learning_rate=change["new"]))
        self._observe(self.g_rate, lambda change: self._change(g_learning_rate=change["new"]))
        self._observe(self.n_critic, lambda change: self._change(n_critic=change["new"]))

    def _build_choices(self) -> None:
        """The lists: data, loss, penalty. What the recipe brings and no list has gets a name of its own."""
        recipe, data = self.game.recipe, self.game.data
        named = data.name if data.name in (*DATA, YOUR_POINTS) else OWN
        self.data = self._control(
            ipywidgets.Dropdown, "data", named, options=[*DATA, YOUR_POINTS, *([OWN] if named == OWN else [])]
        )
        typed = "; ".join(f"{x:g}, {y:g}" for x, y in data.draw.keywords["centers"]) if named == YOUR_POINTS else ""
        self.points = self._control(
            ipywidgets.Text, "points (x, y)", typed or "-1, 0; 0, 1; 1, 0", continuous_update=False
        )
        self.points.layout.display = None if named == YOUR_POINTS else "none"
        self._observe(self.data, self._on_data)
        self._observe(self.points, self._on_data)
        losses = {name.replace("_", " "): name for name in LOSSES}
        if recipe.loss not in LOSSES:
            losses[OWN] = recipe.loss
        self.loss = self._control(ipywidgets.Dropdown, "loss", recipe.loss, options=list(losses.items()))
        self._observe(self.loss, lambda change: self._change(loss=change["new"]))
        self._penalties = dict(PENALTIES)
        mine = (recipe.penalty, recipe.penalty_weight if recipe.penalty else 0.0)
        name = next((name for name, (penalty, _) in PENALTIES.items() if penalty == recipe.penalty), OWN)
        self._penalties[name] = mine
        weights = {name: weight for name, (_, weight) in self._penalties.items()}
        labels = [(f"{name}, weight {weight:g}" if weight else name, name) for name, weight in weights.items()]
        self.penalty = self._control(ipywidgets.Dropdown, "penalty", name, options=labels)
        self._observe(self.penalty, self._on_penalty)

    def _control(self, kind: type, description: str, value: object, **settings: object) -> ipywidgets.Widget:
        style = {"style": {"description_width": "112px"}, "layout": {"width": "auto"}}
        control = kind(value=value, description=description, **settings, **style)
        return with_tooltip(control)

    def _observe(self, control: ipywidgets.Widget, callback: Callable[[dict], None]) -> None:
        control.observe(self.error_line.guard(callback), names="value")

    def _build_panel(self) -> None:
        step_d = self._button("Step D", self.step_d, "Move the discriminator once")
        step_g = self._button("Step G", self.step_g, "Move the generator once")
        self._run_button = self._button("Run", self._on_run, "Go on by itself, or stop")
        reset = self._button("Reset", self.reset, "The first weights again; the controls stay")
        row = {"flex_flow": "row wrap"}
        buttons = ipywidgets.HBox([step_d, step_g, self._run_button, reset], layout=row)
        choices = [self.data, self.points, self.loss, self.penalty, self.d_rate, self.g_rate, self.n_critic, self.speed]
        controls = ipywidgets.VBox(choices, layout={"flex": "1 1 300px", "max_width": "400px", "min_width": "0"})
        self.picture.layout = {"margin": "2px 16px 2px 2px"}
        body = ipywidgets.HBox([self.picture, controls], layout={**row, "align_items": "flex-start"})
        hidden = ipywidgets.HBox([self._sent, self._arrived], layout={"display": "none"})
        self.panel = ipywidgets.VBox([buttons, self.error_line.widget, body, hidden])

    def __repr__(self) -> str:
        return f"GANStepper: {self.alt} Run this cell for its buttons; .figure() draws it without them."
