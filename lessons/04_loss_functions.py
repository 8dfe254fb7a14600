# %% [markdown]
# # Loss functions, and a laboratory of failures
#
# {{badges}}
#
# **Time** about 2 minutes of computing on a two-core laptop; on a T4 not measured yet.
#
# **You need** lessons 01 to 03: the game, its two steps, the non-saturating loss, and a DCGAN.
#
# In this lesson you will
# - write out six losses, and read off their slopes what each of them asks of G and of D,
# - see the same networks trained with each, and find out how much the choice matters,
# - cause the famous failures on purpose, see each in a number, and mend each with one change,
# - steer a GAN by hand, one step of D or of G at a time,
# - diagnose recorded trainings from their curves.
#
# **Contents** 1 Set up · 2 Predict · 3 Six losses · 4 The same networks with each loss · 5 The failure laboratory · 6 What
# mode collapse does not come from · 7 The GAN stepper · 8 Read the curves · 9 Exercises · 10 Summary

# %% [markdown]
# ## 1 Set up

# %%
# {{setup}}

# %%
import dataclasses
import json
import math
from pathlib import Path
from statistics import mean, stdev

import torch
import torch.nn.functional as F

from gan_course import (
    checks,
    data,
    device,
    failures,
    losses,
    methods,
    metrics,
    plots,
    plots_2d,
    training,
    widgets,
)
from gan_course.data import toy

device.announce(laptop="about 2 minutes on two CPU cores", gpu="not measured yet, less than on a CPU")

RESULTS = Path(methods.__file__).parent / "assets" / "results"


def stored(name):
    """A result that ships with the course."""
    return json.loads((RESULTS / f"{name}.json").read_text(encoding="utf-8"))


# %% [markdown]
# ## 2 Predict
# D is nearly sure that a certain image is a fake: D(G(z)) = 0.01. D's last layer gives a logit l, and D = sigmoid(l). How
# steeply does G's loss at this image change with the logit? Two numbers: first for the **minimax** loss log(1 - D), then for
# the **non-saturating** loss -log D.
#
# **Exercise 1** · easy · 3 minutes · *guess, or calculate; section 3.2 draws the answer*

# %% exercise="two_slopes"
### BEGIN SOLUTION
guess = (-0.01, -0.99)
### STUB
# guess = (None, None)  # two numbers: the slope of log(1 - D), and that of -log D, by the logit, at D = 0.01
### END SOLUTION

# %%
checks.lesson04.two_slopes(guess)

# %% [markdown]
# <details><summary>Hint 1</summary>
#
# Both losses fall when D(G(z)) rises, so both slopes are negative.
#
# </details>
#
# <details><summary>Hint 2</summary>
#
# The slope by D is -1/(1 - D) for the first loss. By the logit it is that times sigmoid'(l) = D (1 - D).
#
# </details>
#
# <!-- solution: two_slopes -->

# %% [markdown]
# Three more guesses, without a check. Sections 4 to 6 answer them.

# %%
my_best_loss = (
    None  # which loss gives the best digits in the same time? "minimax", "non_saturating", "least_squares", ...
)
my_gap = None  # how many times as large is the worst loss's Frechet distance as the best one's? For example 1.5
my_cure = None  # what stops mode collapse: "a smaller learning rate", "a larger generator", or neither?

# %% [markdown]
# ## 3 Six losses
# A discriminator of this course puts out a logit l, any number. Only the **loss** says what the number means: how sure D is,
# a score, a height. Every loss is two functions, one for each player, and **both players minimise**. Means over the batch, no
# factor of one half.
#
# ### 3.1 Written out
#
# | loss | D minimises: real term + fake term | G minimises | the idea |
# |---|---|---|---|
# | minimax | -log D(x) - log(1 - D(G(z))) | log(1 - D(G(z))) | the game itself |
# | non-saturating | the same | -log D(G(z)) | G's loss turned round, so that it is steep where G is bad |
# | least squares | (l(x) - 1)² + l(G(z))² | (l(G(z)) - 1)² | logits should *be* 1 and 0 |
# | hinge | (exercise 2) | -l(G(z)) | right by a margin is right enough |
# | Wasserstein | l(G(z)) - l(x) | -l(G(z)) | no probability: the difference of two mean scores. Such a D is called a **critic** |
# | relativistic | softplus(l(G(z)) - l(x)) | softplus(l(x) - l(G(z))) | is this real sample more real than this fake? |
#
# The first two are made of the **cross-entropy**; in logits, -log D = softplus(-l) and -log(1 - D) = softplus(l) (lesson 02).
# The third is the **mean squared error**.


# %%
def cross_entropy_d(real, fake):
    """Logits (N,), (N,) -> scalar. D's loss of the first two GANs."""
    return F.softplus(-real).mean() + F.softplus(fake).mean()


MINE = {  # name: (D's loss of (real, fake), G's loss of (fake, real)); logits (N,) -> scalar
    "minimax": (cross_entropy_d, lambda fake, real: -F.softplus(fake).mean()),
    "non_saturating": (cross_entropy_d, lambda fake, real: F.softplus(-fake).mean()),
    "least_squares": (
        lambda real, fake: (real - 1).square().mean() + fake.square().mean(),
        lambda fake, real: (fake - 1).square().mean(),
    ),
    "wasserstein": (lambda real, fake: fake.mean() - real.mean(), lambda fake, real: -fake.mean()),
    "relativistic": (
        lambda real, fake: F.softplus(fake - real).mean(),  # one real and one fake make a pair
        lambda fake, real: F.softplus(real - fake).mean(),
    ),
}

# %% [markdown]
# Are they the package's? Equal values do not prove it: a loss that is cut off from its logits has the right value too. So
# compare the **gradients** as well, at ordinary logits, at extreme ones, and for logits in the shape of a map (lesson 08).


# %%
def value_and_slopes(loss, *logits):
    """The loss at these logits, and its gradient by each of them."""
    logits = [tensor.clone().requires_grad_(True) for tensor in logits]
    value = loss(*logits)
    return value, torch.autograd.grad(value, logits, allow_unused=True, materialize_grads=True)


def same(ours, theirs, *logits):
    """Whether two losses agree in value and in gradient."""
    (value, slopes), (other, others) = value_and_slopes(ours, *logits), value_and_slopes(theirs, *logits)
    return torch.allclose(value, other) and all(map(torch.allclose, slopes, others))


torch.manual_seed(0)
cases = [torch.randn(2, 64), torch.tensor([[-120.0, 0.0, 120.0], [120.0, 0.0, -120.0]]), torch.randn(2, 8, 1, 3, 3)]
for name, (d_loss, g_loss) in MINE.items():
    package = losses.LOSSES[name]
    for real, fake in cases:
        assert same(d_loss, package.discriminator, real, fake) and same(g_loss, package.generator, fake, real), name
    print(f"{name:<15} equal to the package's, value and gradient; from {package.source}")

real, fake = cases[0]
entropy, ones, zeros = F.binary_cross_entropy_with_logits, torch.ones(64), torch.zeros(64)
assert torch.allclose(cross_entropy_d(real, fake), entropy(real, ones) + entropy(fake, zeros))
assert torch.allclose(MINE["least_squares"][0](real, fake), F.mse_loss(real, ones) + F.mse_loss(fake, zeros))
print("cross-entropy with labels 1 and 0, and mean squared error to 1 and 0, are PyTorch's too")

# %% [markdown]
# **Exercise 2** · medium · 8 minutes
#
# Write the sixth, the **hinge** loss. A real sample costs D nothing if its logit is at least +1; below, it costs what is missing
# to +1. A fake costs nothing if its logit is at most -1; above, it costs the excess. Means of both, added. G minimises minus
# the mean of its logits.


# %% exercise="hinge_losses"
def hinge_losses(real_logits, fake_logits):
    """Logits (N,), (N,) -> (what D minimises, what G minimises), two scalar tensors."""
    ### BEGIN SOLUTION
    d_loss = F.relu(1 - real_logits).mean() + F.relu(1 + fake_logits).mean()
    g_loss = -fake_logits.mean()
    return d_loss, g_loss
    ### END SOLUTION


# %%
checks.lesson04.hinge_losses(hinge_losses)

# %% [markdown]
# <details><summary>Hint 1</summary>
#
# `F.relu(t)` is t where t is positive, else 0. What is missing to +1 is 1 - l.
#
# </details>
#
# <details><summary>Hint 2</summary>
#
# First relu for each sample, then the mean. G's loss has no relu: where D is sure of a fake, G needs its push most.
#
# </details>
#
# <!-- solution: hinge_losses -->

# %% [markdown]
# ### 3.2 The push on a fake
# G never sees its loss, only its **slope**. The chain rule goes: loss → logit → image → weights of G. The first link is all
# that the choice of loss changes for G. Call minus the slope by a fake's logit its *push*: how hard the loss pulls this logit up.


# %%
line = torch.linspace(-8, 8, 321)  # (321,) logits of fakes


def push(name, logits, partner=0.0):
    """Minus the slope of G's loss by each fake's own logit (N,); `partner` is the logit of the paired real samples."""
    logits = logits.clone().requires_grad_(True)
    partners = torch.full_like(logits, partner)
    loss = losses.LOSSES[name].generator(logits, partners) * len(logits)  # undo the mean
    return -torch.autograd.grad(loss, logits)[0]


shown = {  # label: (loss, logit of the paired real sample, style)
    "minimax": ("minimax", 0.0, "-"),
    "non-saturating": ("non_saturating", 0.0, "--"),
    "least squares": ("least_squares", 0.0, "-."),
    "hinge, Wasserstein": ("hinge", 0.0, ":"),
    "relativistic, real logit 4": ("relativistic", 4.0, (0, (4, 1, 1, 1, 1, 1))),
}
figure, axes = plots_2d.panels(3, width=3.5, height=3.4)
for colour, (label, (name, partner, style)) in zip(plots.COLOURS, shown.items(), strict=False):
    value = torch.stack([losses.LOSSES[name].generator(one[None], torch.full((1,), partner)) for one in line])
    axes[0].plot(line, value, color=colour, linestyle=style, label=label)
    axes[1].plot(line, push(name, line, partner), color=colour, linestyle=style)
    if name in ("minimax", "non_saturating"):
        axes[2].plot(line.sigmoid(), push(name, line), color=colour, linestyle=style, label=label)
axes[0].set(title="G's loss", xlabel="logit of a fake", ylim=(-9, 9))
axes[1].set(title="the push on the logit", xlabel="logit of a fake", ylim=(-2, 5))
axes[2].set(title="the push against D's answer", xlabel="D(G(z))", ylim=(-0.05, 1.15))
axes[2].axvspan(0, 0.1, color="grey", alpha=0.25)
axes[2].annotate(
    "fakes that D is\nsure of are here", (0.08, 0.04), (0.3, -0.01), arrowprops={"arrowstyle": "->"}, fontsize=8
)
for axis in axes:
    axis.grid(alpha=0.3)
figure.legend(*axes[0].get_legend_handles_labels(), loc="outside lower center", ncols=3, frameon=False, fontsize=9)
plots.show(
    figure,
    alt="Left: G's losses against the logit of a fake. Middle: the push. The minimax push is 0 at negative logits and rises "
    "to 1; the non-saturating one does the opposite; least squares falls on a line through 0 at logit 1; hinge and "
    "Wasserstein are constant at 1; the relativistic one falls around the logit of its real partner. Right: against "
    "D(G(z)) the first two are the straight lines D and 1 - D, and fakes that D is sure of lie near 0.",
)

# %%
print("  logit   D(G(z))   minimax   non-saturating   least squares   hinge, Wasserstein   relativistic (real at 4)")
for logit in (-8.0, -4.6, -2.0, 0.0, 2.0, 8.0):
    at = torch.tensor([logit])
    row = [push(name, at, partner).item() for name, partner, _ in shown.values()]
    print(
        f"{logit:7.1f}   {at.sigmoid().item():7.4f}   {row[0]:7.4f}   {row[1]:14.4f}   {row[2]:13.1f}   {row[3]:18.1f}   {row[4]:.4f}"
    )

# %% [markdown]
# Read it slowly; half of this lesson is in it.
# - **Minimax** pushes with strength D(G(z)). Where D is sure of a fake, D(G(z)) is near **0**, and there the
#   push is next to nothing: the loss *saturates*. You will read "vanishing gradient when D(G(z)) is near 1". That is the wrong end:
#   near 1 the minimax push is at its strongest.
# - **Non-saturating** pushes with strength 1 - D(G(z)): hard where G is bad, gently where it is good. Near 1 *it* saturates,
#   and there nothing is left to do.
# - **Least squares** pushes in proportion to the distance from 1, without limit, and pulls a fake *back* that D rates above 1.
# - **Hinge** and **Wasserstein** push every fake equally. Their difference lies in D alone.
# - **Relativistic** has its bend not at a fixed logit but at the logit of the real partner. It asks to reach the real
#   samples, wherever D puts them.
#
# A push is not yet a gradient of G: it is multiplied by the slope of D at the image. A loss with a steady push is of no use
# if D is flat there, and Wasserstein's push is steady only because its D may be as steep as it likes. Section 5 measures
# whole gradients.
#
# ### 3.3 What D is asked for
# For D the same game: how hard is a real sample's logit pulled up, and a fake's pulled down?

# %%
figure, axes = plots_2d.panels(2, width=4.6, height=3.3)
for colour, style, name in zip(
    plots.COLOURS, ("-", "-.", ":", "--"), ("non_saturating", "least_squares", "hinge", "wasserstein"), strict=False
):
    for axis, side in zip(axes, ("real", "fake"), strict=True):
        moving, other = line.clone().requires_grad_(True), torch.zeros_like(line)
        pair = (moving, other) if side == "real" else (other, moving)
        loss = losses.LOSSES[name].discriminator(*pair) * len(line)
        pull = -torch.autograd.grad(loss, moving)[0]
        label = "cross-entropy (minimax, non-saturating)" if name == "non_saturating" else name.replace("_", " ")
        label = label.replace("wasserstein", "Wasserstein")
        axis.plot(line, pull, color=colour, linestyle=style, label=label)
for axis, side in zip(axes, ("real", "fake"), strict=True):
    axis.axhline(0, color="grey", linewidth=0.6)
    axis.set(title=f"pull on the logit of a {side} sample", xlabel="its logit", ylim=(-3, 3))
    axis.grid(alpha=0.3)
figure.legend(*axes[0].get_legend_handles_labels(), loc="outside lower center", ncols=4, frameon=False, fontsize=9)
plots.show(
    figure,
    alt="Two panels of D's pulls. For real samples: cross-entropy falls smoothly from 1 to 0; least squares falls on a line "
    "through 0 at logit 1; hinge is 1 below logit 1 and 0 above; Wasserstein is 1 everywhere. For fakes the mirror image.",
)

# %% [markdown]
# Cross-entropy never quite stops: a D that is right with certainty still pulls a little, and its logits grow and grow. Hinge
# stops at its margin. Least squares turns back. And Wasserstein never slackens: multiply all logits by ten, and D's loss is ten
# times better.
#
# Where does D come to rest, then? Take exercise 1 of lesson 01 again, a spot where real samples are three times as
# dense as fakes, and let each loss choose D's best logit there.

# %%
p, q = 3.0, 1.0  # densities of real samples and of fakes at one spot
fine = torch.linspace(-6, 6, 1201)  # (1201,) logits to choose from


def price(name, logits):
    """What D pays at this spot for each of these logits (N,): p times the real term plus q times the fake term."""
    d, zero = losses.LOSSES[name].discriminator, torch.zeros(1)
    return torch.stack([p * d(one, zero) + q * d(zero, one) for one in logits[:, None]])  # the zeros add a constant


best = {
    name: fine[price(name, fine).argmin()].item()
    for name in ("non_saturating", "least_squares", "hinge", "wasserstein")
}
print(f"cross-entropy: best logit {best['non_saturating']:.3f}, and log(p/q) = {math.log(p / q):.3f}: D is p/(p + q)")
print(
    f"least squares: best logit {best['least_squares']:.3f}, and p/(p + q) = {p / (p + q):.3f}: the logit itself is the probability"
)
print(f"hinge:         best logit {best['hinge']:.3f}: only which of the two is denser")
print(f"Wasserstein:   best logit {best['wasserstein']:.3f}, the end of the range searched: there is no best one")
assert abs(best["non_saturating"] - math.log(3)) < 1e-2 and abs(best["least_squares"] - 0.75) < 1e-2

# %% [markdown]
# So the logits of different losses mean different things, and so do their curves. **Never compare the loss curves of two
# different losses.** Wasserstein needs something else besides: a limit on how steep D may be. Then its loss becomes a distance,
# and lesson 05 is about that.
#
# The relativistic loss has no best logit at a spot either, for another reason: only *differences* between a real and a fake
# logit count. Shift all logits by the same number and nothing changes. And it needs its pairs, in G's loss too:

# %%
relativistic = losses.LOSSES["relativistic"]
real, fake = torch.randn(2, 64)
shift = 100.0
print(
    f"D's loss {relativistic.discriminator(real, fake):.4f}; all logits + 100: {relativistic.discriminator(real + shift, fake + shift):.4f}"
)
for arguments in ((fake,), (fake, real[:32])):
    try:
        relativistic.generator(*arguments)
    except ValueError as error:
        print("ValueError:", error)

# %% [markdown]
# ## 4 The same networks with each loss
# Papers propose a loss, show better images, and change three other things on the way. So hold everything else fixed: the
# networks, batch and average of `dcgan-fast`, one learning rate for all, the same number of steps, three seeds. Twice:
# without any penalty on D, and with the **R1** penalty of lesson 03. The table comes from `benchmarks/loss_table.py`.
#
# FD, KD, precision and recall are the four numbers of lesson 03: lower is better for the first two, higher for the others.

# %%
table = stored("loss_table")
PENALTIES = {"none": "no penalty", "r1": "R1"}
print(f"{table['steps']} steps of batch {table['settings']['batch_size']}, learning rate {table['settings']['g_learning_rate']}, "
      f"{table['hardware']}; mean ± std of {len({row['seed'] for row in table['rows']})} seeds")  # fmt: skip
print(f"{'loss':<15} {'penalty':<10} {'FD':>15} {'KD':>15} {'precision':>13} {'recall':>13}")
for penalty, label in PENALTIES.items():
    for loss in losses.LOSSES:
        rows = [row for row in table["rows"] if (row["loss"], row["penalty"]) == (loss, penalty)]
        cells = []
        for key, digits_after in (("frechet_distance", 1), ("kernel_distance", 2), ("precision", 2), ("recall", 2)):
            values = [row[key] for row in rows if row[key] is not None]
            cells.append(
                f"{mean(values):.{digits_after}f} ± {stdev(values):.{digits_after}f}" if len(values) > 1 else "diverged"
            )
        print(f"{loss:<15} {label:<10} {cells[0]:>15} {cells[1]:>15} {cells[2]:>13} {cells[3]:>13}")
real = table["real"]
print(
    f"{'real digits':<26} {real['frechet_distance']:15.1f} {real['kernel_distance']:15.2f} {real['precision']:13.2f} {real['recall']:13.2f}"
)

# %%
figure, (axis,) = plots_2d.panels(1, width=8, height=3.6)
every = [row["frechet_distance"] for row in table["rows"] if row["frechet_distance"] is not None]
for offset, (penalty, label), colour, marker in zip(
    (-0.15, 0.15), PENALTIES.items(), plots.COLOURS, "os", strict=False
):
    for position, loss in enumerate(losses.LOSSES):
        found = [row["frechet_distance"] for row in table["rows"] if (row["loss"], row["penalty"]) == (loss, penalty)]
        found = [value for value in found if value is not None]
        axis.plot(
            found,
            [position + offset] * len(found),
            marker,
            color=colour,
            alpha=0.75,
            label=label if position == 0 else None,
        )
axis.set(yticks=range(len(losses.LOSSES)), yticklabels=[name.replace("_", " ") for name in losses.LOSSES], xscale="log")
ticks = [
    tick for tick in (10, 20, 50, 70, 100, 150, 200, 500, 1000, 2000) if 0.7 * min(every) < tick < 1.4 * max(every)
]
axis.minorticks_off()
axis.set_xticks(ticks, [f"{tick:,}" for tick in ticks])
axis.set_xlabel("FD (digit features), log scale, lower is better; one dot a seed")
axis.invert_yaxis()
axis.grid(alpha=0.3)
axis.legend(frameon=False)
plots.show(
    figure,
    alt="One row a loss, one dot a seed, without a penalty and with R1: four losses mixed between 70 and 101, relativistic around "
    "115, Wasserstein at 210 to 230 without and 110 to 150 with R1.",
)

# %%
average = {
    (loss, penalty): mean(
        row["frechet_distance"] for row in table["rows"] if (row["loss"], row["penalty"]) == (loss, penalty)
    )
    for loss in losses.LOSSES
    for penalty in PENALTIES
}
for penalty, label in PENALTIES.items():
    order = sorted(losses.LOSSES, key=lambda loss: average[loss, penalty])
    print(f"{label}: " + ", ".join(f"{loss} {average[loss, penalty]:.0f}" for loss in order)
          + f"; the worst is {average[order[-1], penalty] / average[order[0], penalty]:.1f} times the best")  # fmt: skip
print(f"your guesses: {my_best_loss or 'none yet'}, {my_gap or 'none yet'} times")

# %% [markdown]
# What the table says, and what it does not:
# - **Four of the six cannot be told apart.** Minimax, non-saturating, least squares and hinge differ by no more than their own
#   seeds do. Lucic et al. (2018) found something like it with far more computing: with enough tuning and restarts, most models
#   reach similar scores, and none was consistently better than the non-saturating GAN.
# - **Minimax does not fail here.** With equal rates D stays unsure: at the end D(G(z)) is about 0.4. Saturation needs the loss
#   *and* the situation. Section 5.2 makes the situation.
# - **Wasserstein alone fails.** Nothing bounds its critic; without a penalty its logits are in the ten thousands at the end. Even R1,
#   which is not made for it, helps a lot. Lesson 05 gives it what it needs.
# - **Relativistic is behind in so short a run.** From this it does not follow that it is behind in a long one; lesson 05 compares it
#   again, with the two penalties that it is used with today.
# - **R1 changes little for the other five** at this gentle learning rate. `dcgan-fast` has it together with a rate four times as
#   high. What a penalty is worth depends on what it has to hold back.
# - 800 steps of 64 images are less than one pass over the training images. So no FD comes near the 15 of lesson 03.
# - One learning rate for all is *fair* only in the sense of being equal. Another rate might favour another loss.
#
# One row again, here and now:

# %%
again = {"loss": "hinge", "penalty": "r1"}  # change them to try another row
settings = table["settings"]
recipe = dataclasses.replace(
    methods.RECIPES["dcgan-fast"],
    name="again",
    loss=again["loss"],
    penalty=methods.r1 if again["penalty"] == "r1" else None,
    g_learning_rate=settings["g_learning_rate"],
    d_learning_rate=settings["d_learning_rate"],
)
digits, test_digits = data.load("mnist"), data.load("mnist", "test")
row_steps = device.by_profile(smoke=3, laptop=table["steps"], gpu=table["steps"])
run = training.Run(recipe, digits, seed=0)
training.train(
    run,
    steps=row_steps,
    callbacks=[training.ProgressBar(again["loss"])],
    log_every=device.by_profile(smoke=1, laptop=25, gpu=25),
)
count = device.by_profile(smoke=300, laptop=table["samples"], gpu=table["samples"])
drawn = training.sample(run.sampler, count, seed=1)  # (2000, 1, 28, 28)
extractor = metrics.extractor_for("mnist", digits.image_shape)
here = metrics.frechet_distance(extractor(test_digits.images[:count]), extractor(data.to_uint8(drawn)))
there = [row["frechet_distance"] for row in table["rows"] if {key: row[key] for key in again} == again]
print(
    f"{again['loss']}, {PENALTIES[again['penalty']]}, seed 0: FD {here:.1f} here; in the table {', '.join(f'{value:.1f}' for value in there)}"
)
plots.show(
    plots.comparison(
        {"real": test_digits.images[:36], f"{again['loss']}, {PENALTIES[again['penalty']]}": drawn[:36]}, height=2.6
    ),
    alt="36 real digits beside 36 that the re-run row has drawn.",
)

# %% [markdown]
# On one thread the row comes out as stored. More threads add in another order, and a GAN enlarges small differences.

# %% [markdown]
# ## 5 The failure laboratory
# > **Myth** "GANs work out of the box, with little to know."
#
# Every failure below is a GAN that works, with **one setting** changed. The toy sets have known modes and a known middle, so that a
# failure is not a matter of taste but a number. The laboratory is a part of the package: `gan_course/failures` holds pairs of recipes,
# broken and cured, and a test proves over three seeds that each pair fails and heals.

# %%
lab = stored("failure_lab")


def cell(name, side):
    """The number that decides, mean ± std over the stored seeds."""
    row = next(row for row in lab["summary"] if (row["failure"], row["side"]) == (name, side))
    found = row.get(failures.FAILURES[name].number)
    return f"{found['mean']:.3g} ± {found['std']:.2g}" if found else "no number"


print(f"{lab['summary'][0]['seeds']} seeds, {lab['hardware']}; mean ± std of the number that decides\n")
print(f"{'failure':<20} {'number':<20} {'broken':>17} {'cured':>17}   the one change")
for name, failure in failures.FAILURES.items():
    print(f"{name:<20} {failure.number:<20} {cell(name, 'broken'):>17} {cell(name, 'cured'):>17}   {failure.change}")

# %% [markdown]
# The numbers, of 2,500 samples (spread: of 500):
#
# | number | what it is | better |
# |---|---|---|
# | modes | how many modes have at least one sample within 3 standard deviations | higher |
# | high_quality | share of the samples within 3 standard deviations of some mode; an exact generator has 0.989 | higher |
# | kl | how unevenly the high-quality samples fall on the modes: KL(q ‖ uniform), in nats; nan if there are none | lower |
# | spread | mean distance between two fakes, divided by that between two real points | near 1 |
# | g_gradient, d_gradient | norm of the gradient that a player's step goes down, over all its weights: of the first step in *saturation*, at the end in *exploding-gradients*, of the first ten steps where it says `at_first` | neither 0 nor huge |
# | distance | from the mean of the samples to the mean of the real points | lower |
# | gap, real_logit, flat, leak | of D: how far its two mean answers are apart; its mean logit for real points; at how many fakes its slope is 0; how much one answer hangs on the other samples of the batch | lower |
#
# One function does every pair: it trains both sides from the same seed and measures along the way. A second one draws the ends side
# by side, over D as a map: green where it says real, pink where it says generated.


# %%
class Along(training.callbacks.Callback):
    """Measures a failure's number about twenty times on the way."""

    def __init__(self, failure, steps):
        self.failure, self.every, self.seen = failure, max(10, steps // 20), []

    def on_step(self, run):
        if run.step % self.every == 0:
            self.seen.append((run.step, self.failure.measure(run)[self.failure.number]))


def train_pair(name, seed=0):
    """Both sides of a failure: {side: (outcome, [(step, number), ...])}."""
    failure, sides = failures.FAILURES[name], {}
    steps = device.by_profile(smoke=20, laptop=failure.steps, gpu=failure.steps)
    for side in ("broken", "cured"):
        along = Along(failure, steps)
        sides[side] = failures.train(failure, side, seed, steps, callbacks=[along]), along.seen
    print(f"{failure.title}. The one change: {failure.change}\n{failure.why}")
    for side, (outcome, _) in sides.items():
        numbers = ", ".join(f"{key} {value:.3g}" for key, value in outcome.numbers.items())
        print(f"{side:>7}: {numbers}   -> {outcome.verdict}   (stored: {failure.number} {cell(name, side)})")
    return sides


EARLY = ("saturation", "bad-initialisation")  # what decides is measured in the first steps


def draw_pair(name, sides, curve=None):
    """The ends of both sides in the plane; beside them the number along the way, or a `curve` of the history."""
    failure = failures.FAILURES[name]
    critic = failure.broken.loss == "wasserstein"  # its scores are no logits: drawn from the lowest to the highest
    early = "\nof the first step; the picture is the end" if name in EARLY else ""
    real = failure.data.batch(400, torch.Generator().manual_seed(0))[0]  # (400, 2)
    middle, reach = real.mean(0), 1.4 * (real - real.mean(0)).abs().max().clamp_min(1.0).item()
    where = plots_2d.plane(-reach, reach) + middle  # (1600, 2)
    box = [value for x in middle.tolist() for value in (x - reach, x + reach)]  # left, right, bottom, top
    figure, axes = plots_2d.panels(3, width=3.5, height=3.3)
    for axis, (side, (outcome, _)) in zip(axes, sides.items(), strict=False):
        run = outcome.run
        judge, fakes = run.discriminator, training.sample(run.sampler, 400, seed=1)  # (400, 2)
        with torch.no_grad(), widgets.raster.eval_mode(judge):
            answers = judge(where).reshape(40, 40)
        answers = (answers - answers.min()) / (answers.max() - answers.min()) if critic else answers.sigmoid()
        axis.imshow(answers, extent=box, origin="lower", cmap="PiYG", vmin=0, vmax=1, alpha=0.7)
        axis.scatter(*real.T, s=5, color=plots_2d.REAL, label="real")
        axis.scatter(*fakes.T, s=5, color=plots_2d.FAKE, label="fake")
        outside = ((fakes - middle).abs() > reach).any(1).float().mean()
        hidden = f"\n{outside:.0%} of the fakes out of view" if outside > 0.02 else ""
        number = outcome.numbers[failure.number]
        axis.set_title(f"{side}: {failure.number} {number:.3g}{early}{hidden}", fontsize=10)
        axis.set(xlim=box[:2], ylim=box[2:], aspect="equal")
    axes[0].legend(frameon=True, fontsize=7, loc="upper right", markerscale=2)
    for (side, (outcome, seen)), colour, style in zip(
        sides.items(), (plots_2d.FAKE, plots.COLOURS[2]), ("-", "--"), strict=True
    ):
        history = outcome.run.history
        points = [(row["step"], row[curve]) for row in history] if curve else seen
        axes[2].plot(*zip(*points, strict=True), color=colour, linestyle=style, label=side)
    axes[2].set(
        title=curve or failure.number, xlabel="step", yscale="log" if curve and "gradient" in curve else "linear"
    )
    axes[2].legend(fontsize=8)
    axes[2].grid(alpha=0.3)
    return figure


# %% [markdown]
# ### 5.1 Mode collapse

# %%
sides = train_pair("ring-collapse")
plots.show(
    draw_pair("ring-collapse", sides),
    alt="Broken: all fakes in one clump near the ring of 8. Cured: fakes on all eight modes. Beside them the modes along the way.",
)

# %% [markdown]
# Nothing in G's loss asks for variety. Each fake is pushed on its own, by the same D, and at any moment there is one spot that D
# likes best. So all run there. D learns ten times more slowly than G: by the time it has turned against the spot, the fakes have
# run on, together. Collapse is not a state but a chase; section 7 lets you watch it. A D that answers in time makes a spot bad as
# soon as it is crowded, and then it pays to be elsewhere.
#
# D's loss stays close to log 4 on *both* sides, so the loss does not show this failure. The samples do.

# %%
for side, (outcome, _) in sides.items():
    row = outcome.run.history[-1]
    print(
        f"{side:>7}: D's loss {row['d_loss']:.2f}, G's loss {row['g_loss']:.2f}, D's answers {row['d_real']:.2f} and {row['d_fake']:.2f}"
    )

# %% [markdown]
# The same on the grid of 25:

# %%
sides = train_pair("grid-collapse")
plots.show(
    draw_pair("grid-collapse", sides),
    alt="The grid of 25: broken, all fakes in one small clump between the modes; cured, they reach all over the grid. Beside them the modes.",
)

# %% [markdown]
# Two things to learn here. A collapsed G need not sit *on* a mode: the clump may be anywhere, for where a D that hardly learns is
# highest says little about the data. And the cured side has 25 modes (24 on one of the stored seeds) with most of its samples
# between them: one sample is enough for a mode to count. Read `modes` and `high_quality` together. (With a longer budget and a
# better recipe both come right: lesson 05.)

# %% [markdown]
# ### 5.2 Saturation

# %%
sides = train_pair("saturation")
plots.show(
    draw_pair("saturation", sides, curve="g_gradient"),
    alt="Loose clouds of fakes on both sides. Beside them G's gradient: minimax starts four orders of magnitude lower, and catches up.",
)

# %% [markdown]
# Both sides begin with the same D, 2,000 steps ahead, and the same fakes. D(G(z)) is tiny, and the two first gradients differ by a
# factor of ten thousands, as section 3.2 promised: the pushes are D and 1 - D.
#
# Now follow the curve on the right. The minimax gradient does *not* stay small: Adam divides by the gradient's own size, so a tiny
# gradient makes steps as long as a large one, in the right direction, and after ten steps G is out. In this small game the
# saturated side ends no worse. Do not learn from it that saturation is harmless: plain gradient descent does not get out (lesson
# 01, section 9), and in section 8 you will meet a DCGAN that does not, with Adam too. There D keeps running ahead.
#
# > **Myth** "D is trained until it converges, and then it is G's turn."
#
# This pair does just that for the first turn. A D at its best leaves the minimax G almost no gradient. The non-saturating G has one,
# and it is knowledge about the fakes *of this moment*, worthless once they have moved (lesson 01 tried that: training
# them one after the other ends nowhere). The players alternate, in small steps. Only where D is kept from being steep may it run
# ahead: lesson 05 trains a critic five steps for each of G.

# %% [markdown]
# ### 5.3 A discriminator that wins too early

# %%
sides = train_pair("early-winner")
plots.show(
    draw_pair("early-winner", sides),
    alt="Broken: D's map is one colour with small spots. Cured: it is pale everywhere. Beside them the gap between D's answers.",
)

# %% [markdown]
# Both sides use the minimax loss and train D ten times as often as G, and the modes are thin (standard deviation 0.01). The fakes
# lie loosely around them, and a steep D can tell them apart almost everywhere: its map is one colour, with eight small spots. So
# the gap between its answers grows, and most fakes get no direction. R1 charges D for being steep at real points. The map in the
# middle is pale, has a slope everywhere, and the gap closes.

# %% [markdown]
# ### 5.4 Exploding gradients

# %%
sides = train_pair("exploding-gradients")
plots.show(
    draw_pair("exploding-gradients", sides, curve="g_gradient"),
    alt="The fakes lie on the ring on both sides. Beside them G's gradient: broken, it grows to hundreds; cured, it stays near 1.",
)

# %% [markdown]
# The learning rates are the same on both sides. What differs is whether anything bounds the critic. Without a bound, D gains by
# multiplying its logits, G's gradient is multiplied along, and the curve on the right goes up by two orders of magnitude.
#
# With this seed the points do not show it yet: both sides lie on the ring, and the high-quality shares are alike. Again it is Adam, which
# does not care about the size of a gradient. Watch the gradient anyway: the critic's scale is running away. With the other two stored
# seeds the broken side has 2 and 3 modes left, the cured side 8 each time. A second term in G's loss would soon be drowned, and half
# precision ends at 65,504. On MNIST the same loss without a bound was the worst of section 4.

# %% [markdown]
# ### 5.5 Built badly
# Three failures that are there before the first step: units that are dead, weights that are too small, and a BatchNorm that tells D
# the wrong thing.

# %%
sides = train_pair("dead-units")
plots.show(
    draw_pair("dead-units", sides),
    alt="Broken: D is one flat colour and the fakes have not moved. Cured: fakes on the ring. Beside them the share of fakes without a slope.",
)

# %%
sides = train_pair("bad-initialisation")
plots.show(
    draw_pair("bad-initialisation", sides, curve="g_gradient"),
    alt="Broken: the fakes lie on a line. Cured: they spread over the ring. Beside them G's gradient, which starts far lower when broken.",
)

# %%
sides = train_pair("batch-statistics")
plots.show(
    draw_pair("batch-statistics", sides),
    alt="Broken: the fakes are somewhere else, most out of view. Cured: they lie around the ring. Beside them the distance of the means.",
)

# %% [markdown]
# - **Dead units.** With ReLU, units whose biases start at -0.5 are off for every sample in sight. A unit that is off has slope 0, so it
#   never gets a gradient that could switch it on. D is flat, and G gets no direction at all. LeakyReLU has a slope on both sides, and
#   starts from the same biases without harm. This is why D has LeakyReLU in the DCGAN's rules.
# - **Weights too small.** N(0, 0.02) in layers without BatchNorm shrinks the signal on its way forward and the gradient on its way
#   back, layer by layer: it starts a thousand times shorter. He's initialisation (weights scaled so that a signal keeps its size;
#   He et al. 2015) keeps both. Adam gets this small network going in some forty steps, but what got going is a G that has hardly
#   bent the plane yet: its fakes lie on a line.
# - **BatchNorm in D.** It subtracts the mean of the batch. If real and generated samples come in batches of their own, the difference
#   between the two means is gone before D has seen it. D cannot tell that the whole ring is in the wrong place. One batch for both
#   mends that, and not all of it: each answer still hangs on the other samples of the batch (`leak`), and the fakes are restless, as
#   the curve of the distance shows.
#
# Three more pairs are in the first table of this section: *overconfidence*, *far-rate* and *restless*. Run one with `train_pair`.

# %% [markdown]
# ### 5.6 The cures
# What each of them changes, and where it comes from:
#
# - **One-sided label smoothing** (Salimans et al. 2016). D is told "0.9 real" in place of "real". On a sample that is surely real its
#   best logit is then log 9 ≈ 2.2, and more certainty costs. It bounds D's logits, not its slope. Exercise 4.
# - **Instance noise** (Sønderby et al. 2017, Arjovsky and Bottou 2017). Noise is added to everything that D sees, real and
#   generated. Two thin clouds that never meet now overlap, so D cannot be perfect, and its slope leads from one to the other. Usually
#   the noise fades as training goes on.
# - **Packing** (Lin et al. 2018). D judges m samples at once. A generator that has collapsed hands in packs of look-alikes, which packs
#   of real samples are not. Exercise 5.
# - **Unrolling** (Metz et al. 2017). G minimises its loss against the D that would answer, k steps ahead, and its gradient runs
#   through those k steps. To rush to one spot does not pay for a G that foresees D's answer. Each step costs k more steps of D.
# - **Two time scales** (Heusel et al. 2017). Different learning rates for the two players, so that G changes slowly and D can
#   follow. The paper proves convergence to a local equilibrium under assumptions, on the rates among others. Usually D gets the
#   larger rate; the paper's own DCGANs give it the smaller one, so a rate is not yet a speed.
# - **Spectral normalisation** (Miyato et al. 2018). Every weight matrix of D is divided by its largest singular value, which bounds
#   how steep D can be anywhere. Lesson 05 builds it.
# - **Gradient penalties** (Gulrajani et al. 2017; R1: Mescheder et al. 2018). D pays for being steep: at points between real and fake, or
#   at real samples. Lesson 05 builds them.
# - **Averaging weights** (Yazıcı et al. 2019). Two players who circle around the solution never reach it; the mean of their positions
#   is near it. It changes the generator that you keep, and nothing about the training.
#
# And the oldest ones: the right loss, a sound initialisation, LeakyReLU in D (Maas et al. 2013: a unit that is negative still
# passes a fifth of the gradient, in our networks), BatchNorm with care (lesson 03), a learning rate that is not too far.

# %% [markdown]
# Which cure helps against which collapse? Each was tried on its own, with all else as in the broken recipe, three seeds each
# (`benchmarks/failure_lab.py`). The first one, two time scales, simply takes back the broken setting: it is the yardstick. A cure
# that takes many modes may still be poor: read both numbers.

# %%
collapses = list(dict.fromkeys(row["failure"] for row in lab["matrix"]))
for name in collapses:
    print(f"{failures.FAILURES[name].title}: mean ± std over {lab['matrix'][0]['seeds']} seeds")
    print(f"  {'cure':<24} {'modes':>14} {'high quality':>16} {'kl [of so many seeds]':>22} {'seconds':>8}   cured")
    for row in (row for row in lab["matrix"] if row["failure"] == name):
        cells = [
            f"{row[key]['mean']:.3g} ± {row[key]['std']:.2g}" if key in row else "none"
            for key in ("modes", "high_quality", "kl")
        ]
        each = [one["kl"] for one in lab["rows"] if (one["failure"], one["side"]) == (name, row["side"])]
        without = each.count(None)  # no sample near any mode: such a seed has no KL
        cells[2] += f" [{len(each) - without}]" if 0 < without < len(each) else ""
        healed = f"{row['verdicts'].count('cured')} of {row['seeds']}"
        print(
            f"  {row['side']:<24} {cells[0]:>14} {cells[1]:>16} {cells[2]:>22} {row['cpu_seconds']['mean']:8.1f}   {healed}"
        )

# %%
figure, axes = plots_2d.panels(len(collapses), width=5.0, height=3.8)
for axis, name in zip(axes, collapses, strict=True):
    rows = sorted((row for row in lab["matrix"] if row["failure"] == name), key=lambda row: row["modes"]["mean"])
    most = 8 if "ring" in name else 25
    for position, row in enumerate(rows):
        each = [one["modes"] for one in lab["rows"] if (one["failure"], one["side"]) == (name, row["side"])]
        colour = plots.COLOURS[1] if row["side"] == "nothing" else plots.COLOURS[0]
        axis.plot(
            each, [position + 0.2 * (seed - 1) for seed in range(len(each))], "o", color=colour, markersize=5, alpha=0.8
        )
    axis.axvline(most, color="grey", linestyle=":")
    axis.set(
        yticks=range(len(rows)),
        yticklabels=[row["side"] for row in rows],
        xlabel=f"modes of {most}, one dot a seed",
        title=name,
        xlim=(-0.5, most + 0.8),
    )
    axis.grid(alpha=0.3)
plots.show(
    figure, alt="One row a cure, one dot a seed: how many modes each cure captures where the untreated GAN collapses."
)

# %% [markdown]
# Look for the pattern. What helps makes D *answer* in time (two time scales), shows it the crowd at once (packing), or lets G foresee the
# answer (unrolling, at several times the cost). A pack of 4 is harder to judge than one of 2, and this D is too slow for it. On the grid,
# where D is ten times slower again, packing and unrolling help less. What
# does not help holds D back: smoothing, noise, spectral norm and penalties keep D from being steep or sure, and this D is too slow
# already. Averaging cannot help either, because all the positions that it averages are collapsed.
#
# So a cure is not "good" or "bad". R1 closes the gap of section 5.3 (there with ten times the weight) and does nothing here.
# **Ask for the cause first, then choose.**

# %% [markdown]
# ## 6 What mode collapse does not come from
# > **Myth** "Mode collapse and exploding gradients come from large weight updates, or from a generator that is too simple."
#
# It sounds plausible, so test it. Take the collapse of section 5.1. If large updates were the cause, updates a tenth as large, and
# ten times as many, would cure it. If a simple generator were, a generator with fifteen times the weights would; and a cured
# run would collapse again with a generator of a thirteenth of them. From `benchmarks/collapse_causes.py`, three seeds each:

# %%
causes = stored("collapse_causes")
for variant in dict.fromkeys(row["variant"] for row in causes["rows"]):
    rows = [row for row in causes["rows"] if row["variant"] == variant]
    modes, quality = ([row[key] for row in rows] for key in ("modes", "high_quality"))
    print(
        f"{variant:<26} {rows[0]['steps']:6,} steps, G has {rows[0]['generator_weights']:6,} weights: modes "
        f"{mean(modes):.1f} ± {stdev(modes):.1f}, high quality {mean(quality):.2f} ± {stdev(quality):.2f}"
    )
print(f"the cure: {causes['change']}")
print(f"your guess in section 2: {my_cure or 'none yet'}")

# %% [markdown]
# Neither does. With a tenth of the step for both players the collapse is the same, only slower in steps. With fifteen times the weights G
# collapses just as thoroughly. And a G with a thirteenth of the weights captures the whole ring, if D answers in time. The
# cause is in the *game*: all fakes follow one D, and D is too slow to make a crowded spot bad.
#
# Mind the last row. A smaller rate *for G alone* does cure it. Somebody who tries only that will say "the updates were too large".
# The second row shows that they were not: it is the *ratio* of the two rates that counts.
#
# And exploding gradients: in section 5.4 a bound on D cured them, and the learning rates stayed as they were.

# %% [markdown]
# ## 7 The GAN stepper
# Until now you have watched finished runs. Now be the training loop yourself. The map is D's answer (green: real), blue points are
# real, orange ones are generated, and the arrows show where G's loss pushes them. Beside it, what G makes of a square grid of codes.

# %%
stepper = widgets.GANStepper("ring")
stepper

# %% [markdown]
# Three things to try:
# 1. **One player at a time.** Reset, and set D's learning rate to 1e-2. Press *Step D* ten times and watch the map: only D
#    learns, and no fake moves. Choose the loss *minimax* and look at the arrows where the map is darkest: they shrink. Choose
#    *non saturating*: they are back, though no network has changed. Then press *Step G* ten times, and see the fakes follow the
#    arrows while the map stands still.
# 2. **Collapse and recovery.** Set D's learning rate to about 1e-4 and G's to 1e-3, and press *Run*. The fakes gather and wander. Now
#    raise D's rate to 4e-3 while it runs.
# 3. **A critic without a leash.** Reset, choose the loss *wasserstein*, penalty *none*, and run: the arrows grow and grow, and nothing
#    settles. Choose *gradient penalty* while it runs. Lesson 05 explains what you see.
#
# Without a running kernel the stepper shows nothing. Here is the second one, done by the code and drawn without the controls:

# %%
chase = device.by_profile(smoke=10, laptop=800, gpu=800)
rates = {"D's rate 1e-4": 1e-4, "D's rate raised to 4e-3": 4e-3}
played = widgets.GANStepper("ring", d_learning_rate=1e-4, g_learning_rate=1e-3)
for name, rate in rates.items():
    played.d_rate.value = rate  # as the slider would
    played.advance(chase)
    print(f"{name}: {played.alt}")
    plots.show(played.figure(), alt=played.alt)

# %% [markdown]
# ## 8 Read the curves
# Six trainings, recorded by `benchmarks/record_runs.py`. Five are small DCGANs on MNIST, C is a small GAN on the ring of 8. All use
# cross-entropy losses. Which of them is
#
# - **healthy**: G's samples are about as varied as real ones, and neither player rejects the other for good;
# - **collapsed**: G's samples have fallen together, on one or a few;
# - **saturated**: D rejects everything, G's loss is at its flat end, and no gradient is left;
# - **overpowered**: D rejects everything, G's gradient is large, and it does G no good?
#
# From top to bottom: the losses; D's mean answers; the norm of G's gradient; the **spread**, which is the mean distance between two
# fakes, divided by that between two real samples, so that real samples have 1. The last two on a log scale.

# %%
recorded = checks.recordings.runs()
figure, axes = plots_2d.panels(len(recorded), 4, width=2.05, height=1.75, sharex=True)
rows = [axes[i * len(recorded) : (i + 1) * len(recorded)] for i in range(4)]
for column, (letter, one) in enumerate(recorded.items()):
    curve = one["columns"]
    for row, names in enumerate((("d_loss", "g_loss"), ("d_real", "d_fake"), ("g_gradient",), ("spread",))):
        for name, colour, style in zip(names, plots.COLOURS, ("-", "--"), strict=False):
            rows[row][column].plot(curve["step"], curve[name], color=colour, linestyle=style, label=name)
    rows[0][column].set_title(letter, fontweight="bold")
    rows[1][column].set_ylim(-0.05, 1.05)
    rows[2][column].set(yscale="log", ylim=(1e-6, 1e3))
    rows[3][column].set(yscale="log", ylim=(3e-4, 30), xlabel="step")
    rows[3][column].axhline(1, color="grey", linestyle=":")
for row, label in zip(rows, ("losses", "D's answers", "G's gradient", "spread"), strict=True):
    row[0].set_ylabel(label)
    for axis in row:
        axis.grid(alpha=0.3)
        axis.tick_params(labelsize=7)
rows[0][0].legend(frameon=False, fontsize=7)
rows[1][0].legend(frameon=False, fontsize=7)
plots.show(
    figure,
    alt="Six columns, A to F, of four curves each: losses, D's answers, the norm of G's gradient, and the spread of the fakes.",
)
print("mean of the last 100 steps\n           " + "".join(f"{letter:>10}" for letter in recorded))
for name in ("d_loss", "g_loss", "d_real", "d_fake", "g_gradient", "spread"):
    print(f"{name:<11}" + "".join(f"{checks.recordings.ends(letter)[name]:10.2g}" for letter in recorded))

# %% [markdown]
# **Exercise 3** · hard · 12 minutes

# %% exercise="read_the_curves"
### BEGIN SOLUTION
verdicts = {"A": "healthy", "B": "overpowered", "C": "collapsed", "D": "saturated", "E": "healthy", "F": "collapsed"}
### STUB
# # one of "healthy", "collapsed", "saturated", "overpowered" for each; a word may be used more than once
# verdicts = {"A": None, "B": None, "C": None, "D": None, "E": None, "F": None}
### END SOLUTION

# %%
checks.lesson04.read_the_curves(verdicts)

# %% [markdown]
# <details><summary>Hint 1</summary>
#
# Start with the last row. Which runs never had varied samples, which have them now, and which had them and lost them?
#
# </details>
#
# <details><summary>Hint 2</summary>
#
# Two runs whose D is sure of everything differ by a factor of hundreds of thousands in one row. What does each loss look like at
# a logit of -12?
#
# </details>
#
# <!-- solution: read_the_curves -->

# %% [markdown]
# Answer first. Then run the next cell: it shows what each of them drew at the end.

# %%
import base64
import io

from PIL import Image

figure, axes = plots_2d.panels(len(recorded), width=2.05, height=2.45)
for axis, (letter, one) in zip(axes, recorded.items(), strict=True):
    if "points" in one:
        axis.scatter(*toy.ring_centers().T, s=30, facecolors="none", edgecolors=plots_2d.REAL)
        axis.scatter(*zip(*one["points"], strict=True), s=6, color=plots_2d.FAKE)
        axis.set(xlim=(-1.7, 1.7), ylim=(-1.7, 1.7), aspect="equal", xticks=(-1, 0, 1), yticks=(-1, 0, 1))
        judged = f"{one['modes']} of 8 modes"
    else:
        axis.imshow(Image.open(io.BytesIO(base64.b64decode(one["picture"]))), cmap="gray", vmin=0, vmax=255)
        axis.axis("off")
        judged = f"FD {one['frechet_distance']:,.0f}"
    axis.set_title(f"{letter}: {judged}", fontsize=10)
plots.show(
    figure,
    alt="What each recorded run drew at the end: digits, noise, a clump of points, noise, digits, one pattern again and again.",
)

# %% [markdown]
# - **A, healthy.** D leads at first, then G catches up; the answers come close to each other and stay apart, the spread reaches 1.
# - **B, overpowered.** G's learning rate is 3e-5, D's 1e-3. D is certain after 30 steps. The loss is non-saturating, so G's gradient
#   is long all the time, and useless: it says how to climb D here, and D's slope this far from any digit points nowhere.
# - **C, collapsed.** After step 100: losses near 1.4 and 0.7, answers near 0.5, as calm as E. G is fifty times as fast as D, and all
#   points sit on one clump that D is too slow to reject. From then on only the spread tells. (E has the same two learning rates and
#   does not collapse: whether a ratio is bad depends on the game.)
# - **D, saturated.** The minimax loss against a fast D. Its D is as certain as B's, and G's gradient is shorter by a factor of hundreds
#   of thousands: the loss has come to its flat end.
# - **E, healthy.** Nothing seems to happen: D's loss is log 4 from the first step to the last, and G's gradient is as short as F's. Yet
#   its digits are better than A's. Adam divides a gradient by its usual size, so a short one makes steps as long as any other. A
#   gradient is too short when it goes on shrinking and the samples do not change, as in D, not when it is small.
# - **F, collapsed.** Around step 110 all images become one. D notices later, from about step 150 on, and then wins; between 230 and
#   260 G comes to life once more, and falls together again. D's victory is the *consequence*. The loss is not to blame for the
#   short gradient, for at 4.7 it is steep. Look at the pixels: black or white, the flat ends of the tanh.
#
# The spread is abnormal in all four sick runs, the losses in three. If you watch one number besides the losses, watch how varied
# the samples are.

# %% [markdown]
# ## 9 Exercises
# Exercises 1 and 2 stand in sections 2 and 3, exercise 3 in section 8.
#
# **Exercise 4** · medium · 10 minutes
#
# **One-sided label smoothing.** Tell D that a real sample is real with probability `target`, say 0.9, so that it is never paid for
# more certainty than that. Fakes keep the target 0. Write D's loss, the cross-entropy with these targets, on logits; the mean over
# real samples plus the mean over fakes.


# %% exercise="smoothed_loss"
def smoothed_loss(real_logits, fake_logits, target):
    """Logits (N,), (N,) and the target of real samples, in (0.5, 1] -> what D minimises, a scalar tensor."""
    ### BEGIN SOLUTION
    real_term = target * F.softplus(-real_logits) + (1 - target) * F.softplus(real_logits)
    return real_term.mean() + F.softplus(fake_logits).mean()
    ### END SOLUTION


# %%
checks.lesson04.smoothed_loss(smoothed_loss)

# %% [markdown]
# <details><summary>Hint 1</summary>
#
# The cross-entropy between a target t and an answer D is -t log D - (1 - t) log(1 - D). With t = 1 only the first term is left.
#
# </details>
#
# <details><summary>Hint 2</summary>
#
# -log D = softplus(-l) and -log(1 - D) = softplus(l). Or give `F.binary_cross_entropy_with_logits` a tensor full of targets.
#
# </details>
#
# <!-- solution: smoothed_loss -->

# %% [markdown]
# Why one-sided? Let D's best answer speak. At a spot with densities p and q it minimises -p (t log D + (1 - t) log(1 - D)) - q log(1 - D),
# which is least at D = t p/(p + q). Smooth the fakes too, with target s, and it is (t p + s q)/(p + q): where there are only fakes, D
# would say s and not 0, and a fake far from all data would be called slightly real.

# %% [markdown]
# **Exercise 5** · medium · 8 minutes
#
# **Packing.** Lay `pack` samples side by side, so that D judges them together. Each sample goes into exactly one pack, and stays
# whole. The number of samples is a multiple of `pack`.


# %% exercise="packed"
def packed(samples, pack):
    """Samples (N, dim) -> packs (N / pack, pack * dim)."""
    ### BEGIN SOLUTION
    return samples.reshape(len(samples) // pack, pack * samples.shape[1])
    ### END SOLUTION


# %%
checks.lesson04.packed(packed)

# %% [markdown]
# <details><summary>Hint 1</summary>
#
# (x1, y1) and (x2, y2) become (x1, y1, x2, y2). How do the numbers of an (N, 2) tensor lie in memory?
#
# </details>
#
# <details><summary>Hint 2</summary>
#
# `reshape` never changes the order of the numbers, and N and dim come in the right order already.
#
# </details>
#
# <!-- solution: packed -->

# %% [markdown]
# **Exercise 6** · hard · 12 minutes
#
# Build the instrument of this lesson: **the norm of G's gradient**. All gradients of G's loss by G's weights, as one long vector, have
# one length. A measurement must leave no trace: no weight moves, and the gradients that are stored in `.grad`, of G as of D, stay as
# they were, because the next step of a training may use them.


# %% exercise="gradient_norm"
def gradient_norm(generator, discriminator, z, loss_of):
    """Codes z (N, latent_dim), and loss_of(fake_logits) -> scalar: the norm of G's gradient, one number."""
    ### BEGIN SOLUTION
    loss = loss_of(discriminator(generator(z)))
    gradients = torch.autograd.grad(loss, list(generator.parameters()))
    return torch.cat([gradient.flatten() for gradient in gradients]).norm().item()
    ### END SOLUTION


# %%
checks.lesson04.gradient_norm(gradient_norm)

# %% [markdown]
# <details><summary>Hint 1</summary>
#
# `backward()` adds to `.grad`, of D's weights as well. Which function returns gradients instead of storing them?
#
# </details>
#
# <details><summary>Hint 2</summary>
#
# `torch.autograd.grad(loss, list(generator.parameters()))` gives one tensor for each parameter. Flatten them, join them, take the norm.
#
# </details>
#
# <!-- solution: gradient_norm -->

# %% [markdown]
# ## 10 Summary
# - A loss is two functions of logits, and G feels only its slope. Minimax pushes with D(G(z)), non-saturating with 1 - D(G(z)): the
#   first vanishes where D is sure of the fakes, the second where it takes them for real.
# - Losses of different kinds give logits different meanings. Their curves cannot be compared.
# - With equal networks, learning rates and steps, four of six losses could not be told apart on MNIST. The loss decides less than
#   what bounds D.
# - Each failure has a number that shows it, and the number is rarely the loss: modes or spread for a collapse, G's gradient for
#   saturation and explosion, the gap of D's answers for a D that wins.
# - A collapse is made by the game: all fakes chase the spot that a slow D likes best. Neither small steps nor a large G mend it.
# - A cure changes what D sees (noise, packing), how steep or sure D may be (penalties, spectral norm, smoothing), how fast D answers (two
#   time scales, unrolling), or only which G you keep (averaging).
# - Curves say who is winning. Whether the samples vary, only the samples say: put a number of variety beside every curve.
#
# **Answer without looking**
# 1. D(G(z)) is 0.001. How hard do minimax, non-saturating, hinge and least squares push?
# 2. Why has Wasserstein's D no best logit, and why has the relativistic one none?
# 3. D's loss is 1.386 and does not move. Name a good and a bad reason, and the number that tells them apart.
# 4. Somebody cures collapse with a smaller learning rate. What would you measure before you believe it?
# 5. Why is label smoothing one-sided?
# 6. Which cure changes the data that D sees, which changes D's steepness, which changes what G is told, and which changes only the
#    generator that you keep?
#
# **Next** Lesson 05: the distance behind the Wasserstein loss, and how to keep a critic from getting too steep.
#
# **References**
# - I. Goodfellow et al.: [Generative Adversarial Networks](https://arxiv.org/abs/1406.2661), NIPS 2014 (minimax and non-saturating).
# - X. Mao, Q. Li, H. Xie, R. Lau, Z. Wang, S. Smolley: [Least Squares Generative Adversarial
#   Networks](https://arxiv.org/abs/1611.04076), ICCV 2017.
# - J. H. Lim, J. C. Ye: [Geometric GAN](https://arxiv.org/abs/1705.02894), 2017 (hinge).
# - M. Arjovsky, S. Chintala, L. Bottou: [Wasserstein GAN](https://arxiv.org/abs/1701.07875), ICML 2017.
# - A. Jolicoeur-Martineau: [The relativistic discriminator: a key element missing from standard
#   GAN](https://arxiv.org/abs/1807.00734), ICLR 2019.
# - M. Lucic, K. Kurach, M. Michalski, S. Gelly, O. Bousquet: [Are GANs Created Equal? A Large-Scale
#   Study](https://arxiv.org/abs/1711.10337), NeurIPS 2018.
# - M. Arjovsky, L. Bottou: [Towards Principled Methods for Training Generative Adversarial
#   Networks](https://arxiv.org/abs/1701.04862), ICLR 2017 (vanishing gradients, instance noise).
# - C. K. Sønderby, J. Caballero, L. Theis, W. Shi, F. Huszár: [Amortised MAP Inference for Image
#   Super-resolution](https://arxiv.org/abs/1610.04490), ICLR 2017 (instance noise).
# - T. Salimans, I. Goodfellow, W. Zaremba, V. Cheung, A. Radford, X. Chen: [Improved Techniques for Training
#   GANs](https://arxiv.org/abs/1606.03498), NIPS 2016 (one-sided label smoothing: section 3.4).
# - Z. Lin, A. Khetan, G. Fanti, S. Oh: [PacGAN: The power of two samples in generative adversarial
#   networks](https://arxiv.org/abs/1712.04086), NeurIPS 2018.
# - L. Metz, B. Poole, D. Pfau, J. Sohl-Dickstein: [Unrolled Generative Adversarial Networks](https://arxiv.org/abs/1611.02163),
#   ICLR 2017.
# - M. Heusel, H. Ramsauer, T. Unterthiner, B. Nessler, S. Hochreiter: [GANs Trained by a Two Time-Scale Update Rule Converge to
#   a Local Nash Equilibrium](https://arxiv.org/abs/1706.08500), NIPS 2017.
# - T. Miyato, T. Kataoka, M. Koyama, Y. Yoshida: [Spectral Normalization for Generative Adversarial
#   Networks](https://arxiv.org/abs/1802.05957), ICLR 2018.
# - I. Gulrajani, F. Ahmed, M. Arjovsky, V. Dumoulin, A. Courville: [Improved Training of Wasserstein
#   GANs](https://arxiv.org/abs/1704.00028), NIPS 2017.
# - L. Mescheder, A. Geiger, S. Nowozin: [Which Training Methods for GANs do actually
#   Converge?](https://arxiv.org/abs/1801.04406), ICML 2018 (R1, R2).
# - Y. Yazıcı, C.-S. Foo, S. Winkler, K.-H. Yap, G. Piliouras, V. Chandrasekhar: [The Unusual Effectiveness of Averaging in GAN
#   Training](https://arxiv.org/abs/1806.04498), ICLR 2019.
# - K. He, X. Zhang, S. Ren, J. Sun: [Delving Deep into Rectifiers](https://arxiv.org/abs/1502.01852), ICCV 2015 (initialisation).
# - A. L. Maas, A. Y. Hannun, A. Y. Ng: Rectifier Nonlinearities Improve Neural Network Acoustic Models, ICML workshop 2013
#   (LeakyReLU).
