# %% [markdown]
# # Wasserstein: a critic that measures a distance
#
# {{badges}}
#
# **Time** about 5 minutes of computing on a two-core laptop, two hours with the exercises; on a T4 not measured yet.
#
# **You need** lesson 01 (the game, JS, why a perfect D leaves G without a gradient) and lesson 04 (losses and failures). No
# optimal transport.
#
# In this lesson you will
# - compute the distance between two heaps of samples, by sorting and by linear programming, and see why it gives a slope
#   where JS gives none,
# - turn that distance into a critic, and measure what it estimates when it is K-Lipschitz,
# - build the three ways to keep a critic Lipschitz: clipping, gradient penalty, spectral norm, and see what each costs,
# - check the critic against the true distance while a GAN trains,
# - read tables of seven methods under the same clock, and break a penalty in three ways that much code breaks it.
#
# **Contents** 1 Set up · 2 Predict · 3 A gradient of a gradient · 4 The earth mover's distance · 5 A critic that is
# Lipschitz · 6 Build · 7 Train, with the truth beside it · 8 Pictures · 9 Digits · 10 Break it · 11 Exercises · 12 Summary

# %% [markdown]
# ## 1 Set up

# %%
# {{setup}}

# %%
import functools
import itertools
import json
import math
import time
from pathlib import Path

import torch
import torch.nn.functional as F
from scipy.optimize import linear_sum_assignment, linprog
from scipy.stats import spearmanr, wasserstein_distance
from torch import nn

from gan_course import checks, data, device, losses, methods, metrics, networks, penalties, plots, plots_2d, training
from gan_course.data import toy

device.announce(laptop="about 5 minutes on two CPU cores", gpu="not measured yet; most networks here are tiny")

RESULTS = Path(methods.__file__).parent / "assets" / "results"


def stored(name):
    """A result that ships with the course."""
    return json.loads((RESULTS / f"{name}.json").read_text(encoding="utf-8"))


# %% [markdown]
# Networks for points are so small that a GPU would only be slower. Everything before section 9 runs on the CPU.
#
# ## 2 Predict
# All real samples lie at 0, and all fakes at 3. G moves its fakes to 2. By how much does each of these two fall: the
# Jensen-Shannon divergence **JS**, and the mean distance that the fakes have to be carried, **W1**?
#
# **Exercise 1** · easy · 3 minutes · *guess, or work it out; section 4 measures it*

# %% exercise="step_closer"
### BEGIN SOLUTION
guess = (0.0, 1.0)
### STUB
# guess = None  # two numbers: (how much JS falls, how much W1 falls)
### END SOLUTION

# %%
checks.lesson05.step_closer(guess)

# %% [markdown]
# <details><summary>Hint 1</summary>
#
# JS is what the best discriminator makes of it (lesson 01). How sure can it be with the fakes at 3? And at 2?
#
# </details>
#
# <details><summary>Hint 2</summary>
#
# JS of two distributions that never overlap is log 2, wherever they are.
#
# </details>
#
# <!-- solution: step_closer -->

# %% [markdown]
# ## 3 A gradient of a gradient
# This lesson penalises a critic for being **steep**. Steepness is a gradient by the *input*. To train the critic, that
# number needs a gradient by the *weights*: a gradient of a gradient, or double backward. One page, before it is needed.
#
# Take the critic $f(x) = w x^2$ with one weight. Its slope is $f'(x) = 2 w x$. Say we want slopes of 1, and so penalise
# $(2 w x - 1)^2$. By hand, the penalty's derivative by $w$ is $2\,(2 w x - 1) \cdot 2 x$.

# %%
w = torch.tensor(2.0, requires_grad=True)
x = torch.tensor([1.0, 3.0], requires_grad=True)  # (N,) the slope is asked at the samples, so they need gradients

scores = w * x.square()  # (N,)
(slopes,) = torch.autograd.grad(scores.sum(), x, create_graph=True)  # (N,)
penalty = (slopes - 1).square().mean()
(by_w,) = torch.autograd.grad(penalty, w)

print("slopes     autograd", slopes.tolist(), "  by hand", (2 * w * x).tolist())
print("gradient   autograd", by_w.item(), "  by hand", (2 * (2 * w * x - 1) * 2 * x).mean().item())

# %% [markdown]
# Two things in it are worth a stop.
# - **`scores.sum()`**. `grad` wants one number. Each score depends on its own sample only, so the sum's derivative by
#   sample i is just the slope of score i: one call gives all N slopes. Section 10 breaks this assumption.
# - **`create_graph=True`** records how the slopes were computed, so that they can be differentiated again.
#
# **The trap.** Forget `create_graph=True`, and in most programs nothing complains: the penalty has the right value, `backward()` of
# the total loss runs, the printed curve looks plausible. Here the critic is $f(x) = w x$, whose loss $-w$ wants it steeper, with
# a penalty $10\,(w - 1)^2$ on the slope. (A penalty asks the critic anew, at points of its own. Here too, then: two forward passes.)


# %%
def slope_after_training(create_graph, steps=200):
    """Gradient descent on -w + 10 (f'(x) - 1)^2 for f(x) = w x. Returns the slope, and what the penalty said at w = 2."""
    w, x = torch.tensor(2.0, requires_grad=True), torch.ones(4, requires_grad=True)
    first = None
    for _ in range(steps):
        (slopes,) = torch.autograd.grad((w * x).sum(), x, create_graph=create_graph)
        penalty = 10 * (slopes - 1).square().mean()
        loss = -(w * x).mean() + penalty
        (by_w,) = torch.autograd.grad(loss, w)
        first = first or (penalty.item(), penalty.requires_grad, by_w.item())
        with torch.no_grad():
            w -= 0.02 * by_w
    return w.item(), first


for create_graph in (True, False):
    slope, (value, has_graph, by_w) = slope_after_training(create_graph)
    print(
        f"create_graph={create_graph!s:<5}  at w = 2: penalty {value:.1f}, requires_grad {has_graph!s:<5}, gradient of the "
        f"loss {by_w:+.1f};  slope at the end {slope:.2f}"
    )

# %% [markdown]
# The same value of 10. With the graph the gradient is -1 + 20, and the slope settles. Without it the gradient is -1: the
# penalty has become a **constant**, and the critic grows steeper for ever. So never test a penalty by its value; ask
# whether its gradient reaches the weights.
#
# > **Check yourself** The slope settled at 1.05, not at 1. Why? (Set the derivative of $-w + 10 (w-1)^2$ to 0.) Keep the
# > answer; section 5 meets it again.

# %% [markdown]
# ## 4 The earth mover's distance
# Two heaps of earth, of the same weight. Carry the one into the shape of the other. The work is weight times distance;
# the least work that does it is the **earth mover's distance**, or **Wasserstein-1 distance** W1:
#
# $$W_1(p, q) = \min_{\pi} \; \mathbb{E}_{(x, y) \sim \pi}\, \lVert x - y \rVert$$
#
# The minimum is over **plans** $\pi$: joint distributions that have p and q as their margins. A plan says how much earth
# goes from x to y.
#
# ### 4.1 On a line: sort
# For two lists of n numbers, a plan can pair them up. There are n! ways. But crossing never pays: for a ≤ b and c ≤ d,
# $|a - c| + |b - d| \le |a - d| + |b - c|$. So uncross every pair, and the smallest goes to the smallest, the second to the
# second, ...


# %%
def w1_sorted(x, y):
    """W1 of two lists of samples (n,) and (n,): the k-th smallest goes to the k-th smallest."""
    return (x.sort().values - y.sort().values).abs().mean()


rng = device.seed(0)
real, fake = torch.randn(7, generator=rng), 0.5 + 1.5 * torch.randn(7, generator=rng)  # (7,), (7,)
all_plans = [(real - fake[list(order)]).abs().mean().item() for order in itertools.permutations(range(7))]
print(
    f"{len(all_plans):,} plans: the best costs {min(all_plans):.4f}, the mean one {sum(all_plans) / len(all_plans):.4f}"
)
print(f"sorted:                     {w1_sorted(real, fake):.4f}")
print(f"scipy:                      {wasserstein_distance(real, fake):.4f}")
assert abs(w1_sorted(real, fake) - min(all_plans)) < 1e-6
assert abs(w1_sorted(real, fake) - wasserstein_distance(real, fake)) < 1e-6

# %% [markdown]
# There is a second way to see it. Walk along the line. At each spot t, the share of real earth left of t is $F_p(t)$, that
# of the fakes is $F_q(t)$. The difference has to be carried across t. So the work is the **area between the two cumulative
# distribution functions**: $W_1 = \int |F_p(t) - F_q(t)|\,dt$. It needs no lists of equal length (exercise 2). On the right in
# the figure: p is normal around 0, q around 3 and half as wide.

# %%
samples_real, samples_fake = toy.normal(2000, (0.0,), ((1.0,),))[:, 0], toy.normal(2000, (3.0,), ((0.25,),))[:, 0]
figure, axes = plots_2d.panels(2, width=4.6, height=3.0)
order_real, order_fake = real.sort().values, fake.sort().values
axes[0].plot(order_real, torch.ones(7), "o", color=plots_2d.REAL, label="real")
axes[0].plot(order_fake, torch.zeros(7), "s", color=plots_2d.FAKE, label="fake")
axes[0].plot(
    torch.stack([order_real, order_fake]), torch.tensor([[1.0], [0.0]]).expand(2, 7), color="grey", linewidth=1
)
axes[0].set(title=f"the best of {len(all_plans):,} plans never crosses", xlabel="x", yticks=[], ylim=(-0.3, 1.3))
axes[0].legend(frameon=False, loc="lower left", bbox_to_anchor=(0, 0.15))
line = torch.linspace(-4, 6, 400)
shares = [torch.searchsorted(s.sort().values, line) / len(s) for s in (samples_real, samples_fake)]
axes[1].plot(line, shares[0], color=plots_2d.REAL, label="real")
axes[1].plot(line, shares[1], color=plots_2d.FAKE, linestyle="--", label="fake")
axes[1].fill_between(line, *shares, color="grey", alpha=0.3)
area = torch.trapezoid((shares[0] - shares[1]).abs(), line)
axes[1].set(
    title=f"area {area:.3f}; sorted {w1_sorted(samples_real, samples_fake):.3f}", xlabel="t", ylabel="share left of t"
)
axes[1].legend(frameon=False, loc="upper left")
plots.show(
    figure,
    alt="Left: seven real and seven fake points on two lines, joined in order without a crossing. Right: two cumulative "
    "distribution functions, the area between them shaded; the area equals the distance by sorting.",
)

# %% [markdown]
# ### 4.2 In the plane: a linear program
# In two dimensions nothing can be sorted. But the definition is a **linear program**: the unknowns are the amounts
# $\pi_{ij} \ge 0$ from real i to fake j; the cost $\sum_{ij} \pi_{ij} c_{ij}$ is linear; so are the conditions that every
# real point gives all it has, and every fake point gets what it needs.


# %%
def plan_by_linear_program(x, y):
    """Points (n, 2), (m, 2) -> W1, the best plan (n, m), and the dual prices (n,), (m,)."""
    n, m = len(x), len(y)
    cost = torch.cdist(x.double(), y.double())  # (n, m)
    rows, columns = torch.eye(n).repeat_interleave(m, 1), torch.eye(m).repeat(1, n)  # (n, n * m), (m, n * m)
    supply = torch.cat([torch.full((n,), 1 / n), torch.full((m,), 1 / m)]).double()
    result = linprog(cost.flatten(), A_eq=torch.cat([rows, columns]), b_eq=supply)
    prices = torch.from_numpy(result.eqlin.marginals)
    return result.fun, torch.from_numpy(result.x).reshape(n, m), prices[:n], prices[n:]


few_real, few_fake = toy.ring(10, radius=1.5, std=0.2, generator=rng), 0.4 * torch.randn(7, 2, generator=rng)
few_fake = few_fake + torch.tensor([1.5, 1.0])  # (7, 2)
work, plan, real_prices, fake_prices = plan_by_linear_program(few_real, few_fake)
print(f"W1 of 10 real and 7 fake points: {work:.4f};  {(plan > 1e-9).sum()} of {plan.numel()} routes are used")

many_real, many_fake = toy.ring(300, generator=rng), torch.randn(300, 2, generator=rng)
cost = torch.cdist(many_real, many_fake)  # (300, 300)
pairs = linear_sum_assignment(cost)  # equally many points of equal weight: an assignment is a best plan
print(f"W1 of 300 and 300 points, by assignment: {cost[pairs].mean():.4f}")

# %% [markdown]
# ### 4.3 The other side: prices
# Every linear program has a twin, its **dual**. Do not carry the earth yourself, hire a carrier. For a unit it charges $u_i$ for loading
# at real point i and $v_j$ for unloading at fake j; either may be negative. You accept as long as no route is dearer than
# your own work, $u_i + v_j \le c_{ij}$. The most that the carrier can earn is W1 again. Now let both prices come from one function,
# $u = f(x)$ and $v = -f(y)$: the condition becomes $f(x) - f(y) \le \lVert x - y \rVert$, that f is nowhere steeper than 1. This is
# **Kantorovich-Rubinstein duality**:
#
# $$\boxed{\;W_1(p, q) = \max_{f \text{ 1-Lipschitz}} \; \mathbb{E}_{x \sim p} f(x) - \mathbb{E}_{y \sim q} f(y)\;}$$
#
# A function is **K-Lipschitz** if it is nowhere steeper than K: $|f(x) - f(y)| \le K \lVert x - y \rVert$.
#
# *Why no 1-Lipschitz f gets more than W1*, in one line. Take any plan $\pi$:
#
# $$\mathbb{E}_p f - \mathbb{E}_q f = \mathbb{E}_{(x,y) \sim \pi}\,[f(x) - f(y)] \le \mathbb{E}_{(x,y) \sim \pi}\,\lVert x - y \rVert .$$
#
# The left side does not depend on the plan, so it is at most the cost of the best one.
#
# *Why one f gets all of it.* The solver returned the twin's solution as well: the carrier's prices, with
# $u_i + v_j \le c_{ij}$ and $\frac1n \sum u_i + \frac1m \sum v_j = W_1$. Make a function of the whole plane out of them:
#
# $$f(x) = \min_j \big( \lVert x - y_j \rVert - v_j \big) .$$
#
# Each term is 1-Lipschitz, so their minimum is. At a real point $f(x_i) \ge u_i$ (that is the condition on the prices), at
# a fake $f(y_j) \le -v_j$ (take the j-th term). So $\mathbb{E}_p f - \mathbb{E}_q f \ge W_1$, and by the line above it is no more.
# That completes the proof for samples. Measure it:


# %%
def critic_from_prices(x):
    """Points (N, 2) -> scores (N,): the best critic for the few points, without any network."""
    return (torch.cdist(x.double(), few_fake.double()) - fake_prices).min(1).values


dual = critic_from_prices(few_real).mean() - critic_from_prices(few_fake).mean()
steepest = (torch.rand(2000, 2, 2, generator=rng) - 0.5) * 6  # (2000, 2, 2) pairs of points
rise = (critic_from_prices(steepest[:, 0]) - critic_from_prices(steepest[:, 1])).abs()
ratio = (rise / (steepest[:, 0] - steepest[:, 1]).norm(dim=1)).max()
print(f"cheapest plan {work:.6f};  E f(real) - E f(fake) {dual:.6f};  steepest slope between 2,000 pairs {ratio:.3f}")
assert abs(work - dual) < 1e-6 and ratio <= 1 + 1e-6

figure, (axis,) = plots_2d.panels(1, width=5.2, height=4.2)
spots = plots_2d.plane(-2.6, 3.0, 90)
levels = critic_from_prices(spots).reshape(90, 90)
picture = axis.contourf(spots[:90, 0], spots[:90, 0], levels, 14, cmap="PiYG", alpha=0.75)
for i, j in (plan > 1e-9).nonzero().tolist():
    start, move = few_fake[j], few_real[i] - few_fake[j]
    axis.annotate(
        "", few_real[i].tolist(), start.tolist(), arrowprops={"arrowstyle": "->", "linewidth": 25 * plan[i, j].item()}
    )
axis.plot(*few_real.T, "o", color=plots_2d.REAL, label="real")
axis.plot(*few_fake.T, "s", color=plots_2d.FAKE, label="fake")
axis.set(title=f"W1 = {work:.3f}: the plan and the critic", xlabel="x1", ylabel="x2")
axis.legend(loc="upper left")
figure.colorbar(picture, ax=axis, label="f(x)")
plots.show(
    figure,
    alt="Ten real points on a ring and seven fakes beside it; arrows of different width show which fake is carried to which "
    "real point; the critic's map rises along every arrow.",
)

# %% [markdown]
# Look along the arrows (drawn from fake to real; the work is the same both ways): the critic rises along each of them, with slope 1, by
# just the length of the arrow. **Next to a fake, on its route, a critic's gradient says in which direction the earth has to be
# carried.** This is what a generator wants to know. (Exactly at a fake this f has a tip, because it was made of seven points, and the
# earth of one fake may go several ways. A network's critic is smooth.)
#
# ### 4.4 Parallel lines: where JS is flat
# The example of Arjovsky et al. (2017). Real samples lie on the line x1 = 0 in the plane: (0, u), u uniform in [0, 1]. Fakes
# lie on the line x1 = θ. For θ ≠ 0 the two never overlap. Measure both distances from 300 samples of each: W1 by
# assignment, JS by counting samples in boxes, as lesson 01 defines it. The slopes by θ come from autograd and, for JS, by
# difference.


# %%
def on_line(theta, n=300, seed=0):
    """n points (n, 2) on the vertical line at theta."""
    u = torch.rand(n, generator=torch.Generator().manual_seed(seed))
    return torch.stack([theta + 0 * u, u], dim=1)


def w1_assigned(x, y):
    """W1 of points (n, d) and (n, d); differentiable: the pairs are fixed, their distances are not."""
    cost = torch.cdist(x, y, compute_mode="donot_use_mm_for_euclid_dist")  # (n, n)
    return cost[linear_sum_assignment(cost.detach())].mean()


def js_counted(x, y, side=0.1):
    """JS of two clouds (n, 2) in nats, from how many fall into each box."""
    boxes = torch.unique((torch.cat([x, y]) / side).floor(), dim=0, return_inverse=True)[1]
    p, q = (half.bincount(minlength=int(boxes.max()) + 1).double() / len(x) for half in boxes.split(len(x)))
    m = (p + q) / 2
    return ((torch.xlogy(p, p) - torch.xlogy(p, m) + torch.xlogy(q, q) - torch.xlogy(q, m)) / 2).sum()


print("theta      W1   its slope      JS   its slope")
for at in (-1.0, -0.5, 0.25, 0.5, 1.0, 2.0):
    theta = torch.tensor(at, requires_grad=True)
    distance = w1_assigned(on_line(theta, seed=1), on_line(0.0))
    (slope,) = torch.autograd.grad(distance, theta)
    js = [js_counted(on_line(at + step, seed=1), on_line(0.0)) for step in (-0.05, 0, 0.05)]
    print(f"{at:5.2f}  {distance:6.3f}   {slope:+9.3f}   {js[1]:.3f}   {(js[2] - js[0]) / 0.1:+9.3f}")
print(f"log 2 = {math.log(2):.3f}")

# %% [markdown]
# That settles exercise 1: JS is log 2 on either side of home, with slope 0, and W1 says how far and which way.
#
# Those are the ideal players. Do **trained** ones behave so? Take θ = 1. Train a discriminator with the loss of lesson 01, and
# a critic with the loss $\mathbb{E} f(\text{fake}) - \mathbb{E} f(\text{real})$ and the penalty that section 6 builds. G waits. As they
# train, ask each now and then: which slope by θ would G get?

# %%
PARALLEL_STEPS = device.by_profile(smoke=10, laptop=600, gpu=600)
marks = sorted({0, *(round(PARALLEL_STEPS * (i / 12) ** 2) for i in range(13))})
slopes_by_theta = {"minimax": [], "non_saturating": [], "wasserstein": []}
for loss_name, found in slopes_by_theta.items():
    torch.manual_seed(0)
    judge, loss = networks.PointDiscriminator(2, (64, 64)), losses.LOSSES[loss_name]
    optimizer = torch.optim.Adam(judge.parameters(), 3e-3, betas=(0.5, 0.9))
    for step in range(PARALLEL_STEPS + 1):
        real, fake = on_line(0.0, 128, seed=2 * step), on_line(1.0, 128, seed=2 * step + 1)
        if step in marks:
            theta = torch.tensor(1.0, requires_grad=True)
            (slope,) = torch.autograd.grad(loss.generator(judge(on_line(theta))), theta)
            found.append(abs(slope.item()))
        total = loss.discriminator(judge(real), judge(fake))
        if loss_name == "wasserstein":
            total = total + 10 * penalties.gradient_penalty(judge, real, fake)
        optimizer.zero_grad()
        total.backward()
        optimizer.step()

figure, (axis,) = plots_2d.panels(1, width=6.5, height=3.0)
for colour, style, (name, found) in zip(plots.COLOURS, ("-", "--", "-."), slopes_by_theta.items(), strict=False):
    axis.plot(marks, found, "o", linestyle=style, color=colour, label=name.replace("_", "-"), markersize=4)
    print(f"{name:>15}: G's slope is {found[0]:.2e} at the start, {found[-1]:.2e} after {marks[-1]} steps of D")
axis.axhline(1, color="grey", linestyle=":", label="slope of W1")
axis.set(yscale="log", xlabel="steps of D or of the critic", ylabel="size of the slope by θ")
axis.legend(frameon=False, fontsize=8)
plots.show(
    figure,
    alt="The slope that G gets against the steps of its opponent. With the minimax loss it falls by orders of magnitude; with "
    "the Wasserstein loss it settles near 1, the slope of the true distance.",
)

# %% [markdown]
# After the first steps: the better the discriminator, the less a minimax G learns from it. The better the critic, the nearer its
# slope is to that of W1; it ends a little above 1, because a penalty is soft (section 5). Be fair to the non-saturating loss: its
# slope does not vanish either, it grows with D's confidence. It has a gradient; what it does not have is a scale that means a
# distance.

# %% [markdown]
# ## 5 A critic that is Lipschitz
# The duality turns W1 into a game that networks can play. The **critic** f maximises $\mathbb{E}_p f - \mathbb{E}_q f$, among
# functions that are not too steep. G lowers what the critic found. The critic's output is a **score**, no probability: no
# sigmoid, no logarithm.
#
# What if the critic may be K times as steep? Then so is its best answer: if f is 1-Lipschitz, K f is K-Lipschitz. **A
# K-Lipschitz critic estimates K times W1.** Measure it where W1 is known: p = N(0, 1) and q = N(3, 1), so that W1 = 3 (all
# earth is carried by 3). Critics with the penalty $\lambda\,\mathbb{E}(\lVert \nabla f \rVert - K)^2$, and critics without
# it or held in other ways.


# %%
def draw_real(n, rng):
    """p = N(0, 1), (n, 1)."""
    return torch.randn(n, 1, generator=rng)


def draw_fake(n, rng):
    """q = N(3, 1), (n, 1)."""
    return 3 + torch.randn(n, 1, generator=rng)


def penalty_at(where, target=1.0, weight=10.0):
    """A penalty (critic, real, fake, rng) -> scalar on slopes that differ from target, at points chosen by `where`."""

    def penalty(critic, real, fake, rng):
        u = torch.rand(len(real), 1, generator=rng)
        x = {"between": u * real + (1 - u) * fake, "real": real, "fake": fake}[where].detach().requires_grad_(True)
        (slope,) = torch.autograd.grad(critic(x).sum(), x, create_graph=True)  # (N, 1)
        return weight * (slope.norm(dim=1) - target).square().mean()

    return penalty


def trained_critic(penalty=None, clip=None, critic=None, steps=None, n=512, seed=0):
    """A critic of p against q after so many steps of Adam whose rate falls to nearly 0."""
    torch.manual_seed(seed)
    rng = torch.Generator().manual_seed(seed)
    critic = critic() if critic else networks.PointDiscriminator(1, (64, 64))
    steps = steps or device.by_profile(smoke=20, laptop=400, gpu=400)
    optimizer = torch.optim.Adam(critic.parameters(), 2e-3, betas=(0.5, 0.9))
    decay = torch.optim.lr_scheduler.LinearLR(optimizer, 1.0, 0.02, steps)
    for _ in range(steps):
        real, fake = draw_real(n, rng), draw_fake(n, rng)  # (n, 1) each
        loss = critic(fake).mean() - critic(real).mean()
        if penalty:
            loss = loss + penalty(critic, real, fake, rng)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        decay.step()
        if clip:
            penalties.clip_weights(critic, clip)
    return critic.eval()


def judged(critic):
    """What the critic estimates for p against q, and its steepest slope from -3 to 6."""
    rng = torch.Generator().manual_seed(99)
    with torch.no_grad():
        estimate = (critic(draw_real(20_000, rng)).mean() - critic(draw_fake(20_000, rng)).mean()).item()
    x = torch.linspace(-3, 6, 400)[:, None].requires_grad_(True)
    (slope,) = torch.autograd.grad(critic(x).sum(), x)
    return estimate, slope.abs().max().item()


steps = device.by_profile(smoke=20, laptop=400, gpu=400)
print("penalty between, target K     estimate   estimate / K   3 (K + 3 / (2 lambda)) / K")
for target, weight in ((1.0, 10.0), (2.0, 10.0), (5.0, 10.0), (1.0, 100.0)):
    estimate, _ = judged(trained_critic(penalty_at("between", target, weight)))
    expected = 3 * (target + 3 / (2 * weight))
    print(
        f"K = {target:.0f}, lambda = {weight:3.0f} {estimate:20.3f} {estimate / target:14.3f} {expected / target:16.3f}"
    )

# %% [markdown]
# **The estimate is K times W1, and a little more.** The little more is no error of the network; you met it in section 3. The
# loss pulls the slope s up with force W1, the penalty holds it with $\lambda (s - K)^2$. They balance at
# $s = K + W_1 / (2 \lambda)$, and the estimate is s W1. So a soft penalty *aims at* K; it does not enforce it. The bias
# shrinks as the fakes come closer, and with a larger λ.
#
# > **Myth** "WGAN needs no Lipschitz constraint." "WGAN-GP only needs the constraint at samples near the data."

# %%
rows = [
    ("no constraint", {"steps": steps}),
    ("no constraint, four times as long", {"steps": 4 * steps}),
    ("clip to 0.01", {"clip": 0.01}),
    ("clip to 0.05", {"clip": 0.05}),
    ("clip to 0.2", {"clip": 0.2}),
    ("penalty at real points only", {"penalty": penalty_at("real")}),
    ("penalty at fake points only", {"penalty": penalty_at("fake")}),
    ("penalty between", {"penalty": penalty_at("between")}),
    ("spectral norm", {"critic": lambda: networks.spectral_norm(networks.PointDiscriminator(1, (64, 64)))}),
]
print(f"{'W1 = 3.000':<36}{'estimate':>10}{'steepest slope':>16}{'estimate / slope':>18}")
for name, options in rows:
    estimate, steepest = judged(trained_critic(**options))
    print(f"{name:<36}{estimate:10.3f}{steepest:16.3f}{estimate / steepest:18.3f}")

# %% [markdown]
# - **No constraint**: there is no maximum. The estimate grows as long as you train, and so would G's gradient.
#   In the last column the best critic would have 3, W1; it is less where a critic is steep in one place and flat in others.
# - **Clipping** does bound the slope, but by an unknown K: the three bounds give estimates that differ by orders of magnitude. And
#   divided by their steepest slope they are not 3 either: a clipped critic is not even the best one that is so steep. That is enough
#   to train a G, if you find a rate that fits.
# - **At real points only**, or fake points only, the critic is held where the penalty looks and climbs where it does not. The earth
#   passes in between, where nobody looks.
# - **Between**: held on the way from fake to real. The paper proves that the best critic has slope 1 on the lines between
#   points that the best plan joins. The penalty joins points at random: a stand-in for a plan that nobody knows.
# - **Spectral norm** keeps each layer's stretch at 1, so K ≤ 1 for the whole network, at every input, up to the error of the power
#   iteration. It hardly overshoots: here its estimate is a little less than W1.

# %% [markdown]
# ## 6 Build
# ### 6.1 Clipping (WGAN)
# Arjovsky et al. (2017), Algorithm 1: after every step of the critic, each weight is clamped into [-0.01, 0.01]. RMSprop with a
# rate of 5e-5, 5 critic steps for one of G. The authors' code clips before each step, and has one thing more: **100** critic
# steps in the first 25 rounds and in every 500th, so that the critic is near its best at first.


# %%
@torch.no_grad()
def clip_by_hand(critic, bound):
    """Every parameter of the critic into [-bound, bound], in place."""
    for parameter in critic.parameters():
        parameter.clamp_(-bound, bound)


def critic_steps(generator_step):
    """How often the critic is trained before G's step of this number."""
    return 100 if generator_step < 25 or generator_step % 500 == 0 else 5


torch.manual_seed(0)
mine, theirs = networks.PointDiscriminator(2, (8,)), networks.PointDiscriminator(2, (8,))
theirs.load_state_dict(mine.state_dict())
clip_by_hand(mine, 0.01)
penalties.clip_weights(theirs, 0.01)
assert all(torch.equal(a, b) for a, b in zip(mine.parameters(), theirs.parameters(), strict=True))
recipe = methods.RECIPES["wgan"]
assert [critic_steps(i) for i in range(1001)] == [recipe.critic_steps(i) for i in range(1001)]
print(f"as the package's: {recipe.optimizer}, rate {recipe.d_learning_rate}, clip {recipe.clip}")
first, then = sum(map(critic_steps, range(25))), sum(map(critic_steps, range(25, 500)))
print(f"critic steps in the first 25 rounds {first:,}, in the next 475 {then:,}")

# %% [markdown]
# Why a box of weights bounds the slope: each layer is a matrix, and a matrix with entries of at most c can stretch by at most
# c √(rows · columns). The product over the layers bounds K. It also shows the trouble: K depends on the widths and the depth, and
# nobody chose it. The paper itself calls clipping "a clearly terrible way to enforce a Lipschitz constraint" (section 3).
#
# ### 6.2 The gradient penalty (WGAN-GP)
# Gulrajani et al. (2017), equation 3. A point **between** each fake and a real sample, one uniform number a sample; the norm of
# each sample's own gradient; its squared distance from 1:
#
# $$\mathbb{E}_{\hat x}\, \big( \lVert \nabla_{\hat x} f(\hat x) \rVert_2 - 1 \big)^2, \qquad \hat x = u\,x + (1 - u)\,G(z), \quad u \sim U[0, 1]$$


# %%
def gradient_penalty_by_hand(critic, real, fake, rng):
    """Samples (N, ...) -> mean of (||grad|| - 1)^2, a scalar whose gradient reaches the critic."""
    u = torch.rand(len(real), generator=rng)  # (N,)
    u = u.view(-1, *[1] * (real.ndim - 1))  # (N, 1) for points, (N, 1, 1, 1) for images
    x = (u * real + (1 - u) * fake).detach().requires_grad_(True)  # (N, ...)
    (gradient,) = torch.autograd.grad(critic(x).sum(), x, create_graph=True)  # (N, ...)
    norm = gradient.flatten(1).norm(dim=1)  # (N,)
    return (norm - 1).square().mean()


torch.manual_seed(0)
image_critic = networks.DCGANDiscriminator(width=4, batch_norm=False)
real_images, fake_images = torch.rand(6, 1, 28, 28) * 2 - 1, torch.rand(6, 1, 28, 28) * 2 - 1
by_hand, package = (
    penalty(image_critic, real_images, fake_images, torch.Generator().manual_seed(1))
    for penalty in (gradient_penalty_by_hand, penalties.gradient_penalty)
)
assert torch.allclose(by_hand, package, atol=1e-6)
gradients = [
    torch.autograd.grad(value, list(image_critic.parameters()), allow_unused=True) for value in (by_hand, package)
]
assert all(torch.allclose(a, b, atol=1e-6) for a, b in zip(*gradients, strict=True) if a is not None)
print(f"penalty {by_hand:.4f}, the package's {package:.4f}; the same gradients too")

# %% [markdown]
# Now properties that hold whatever the code looks like. A **linear critic** $f(x) = a \cdot x$ has the gradient a everywhere, so
# the penalty is $(\lVert a \rVert - 1)^2$, and *its* gradient is $2 (\lVert a \rVert - 1)\, a / \lVert a \rVert$. And a critic that is
# differently steep at different samples tells a norm *per sample* from a norm over the batch.

# %%
a = torch.tensor([3.0, 4.0], requires_grad=True)
value = gradient_penalty_by_hand(lambda x: x @ a, torch.randn(64, 2), torch.randn(64, 2), rng)
(by_a,) = torch.autograd.grad(value, a)
print(f"linear critic, |a| = 5: penalty {value:.3f}, closed form {(5 - 1) ** 2}")
print(f"its gradient {by_a.tolist()}, closed form {(2 * (5 - 1) * a / 5).tolist()}")
assert torch.allclose(by_a, 2 * 4 * a.detach() / 5)

steep = torch.tensor([0.0, 0.5, 1.0, 2.5])  # each sample's slope
value = gradient_penalty_by_hand(lambda x: steep * x[:, 0], torch.randn(4, 2), torch.randn(4, 2), rng)
by_sample, over_batch = (steep - 1).square().mean(), (steep.norm() - 1).square()
print(f"slopes 0, 0.5, 1, 2.5: penalty {value:.4f}; by sample {by_sample:.4f}; over the batch {over_batch:.4f}")
assert torch.allclose(value, by_sample)

# %% [markdown]
# > **Myth** "WGAN-GP is a path-length method."
#
# The penalty is about how steep the *critic* is from sample to score. Path length is about how fast *G's image* moves with
# z, and belongs to G (StyleGAN2; lesson 10). Ask the gradient which network it is for:

# %%
generator, critic = networks.PointGenerator(2, 2, (16,)), networks.PointDiscriminator(2, (16,))
fake = generator(torch.randn(32, 2))
penalties.gradient_penalty(critic, torch.randn(32, 2), fake).backward()
to_critic = sum(p.grad.abs().sum().item() for p in critic.parameters() if p.grad is not None)
to_generator = sum(p.grad.abs().sum().item() for p in generator.parameters() if p.grad is not None)
print(f"the penalty's gradient: {to_critic:.3f} to the critic, {to_generator:.3f} to the generator")

# %% [markdown]
# ### 6.3 Spectral normalisation (SN-GAN)
# Miyato et al. (2018). How much can a matrix W stretch a vector? By its largest **singular value** σ. Divide each layer's
# weights by it, and no layer stretches by more than 1; ReLU and LeakyReLU do not either; so the network is 1-Lipschitz.
#
# σ is found by **power iteration**: send a vector through $W$ and back through $W^\top$, again and again. Each round trip
# multiplies its part along the most stretched direction the most, so soon that part is all there is. Then $\sigma = u^\top W v$.


# %%
def power_iteration(matrix, rounds, seed=0):
    """A matrix (m, n) -> an estimate of its largest singular value after each round, a list."""
    u = F.normalize(torch.randn(len(matrix), generator=torch.Generator().manual_seed(seed)), dim=0)  # (m,)
    found = []
    for _ in range(rounds):
        v = F.normalize(matrix.T @ u, dim=0)  # (n,)
        u = F.normalize(matrix @ v, dim=0)  # (m,)
        found.append((u @ matrix @ v).item())
    return found


torch.manual_seed(0)
layer = nn.Linear(128, 64)
exact = torch.linalg.svdvals(layer.weight.detach())  # (64,)
estimates = power_iteration(layer.weight.detach(), 100)
print(
    f"svdvals {exact[0]:.5f};  after 1, 5, 20, 100 rounds: "
    + "  ".join(f"{estimates[i - 1]:.5f}" for i in (1, 5, 20, 100))
)

normalised = networks.spectral_norm(nn.Sequential(nn.Linear(128, 64)))  # torch's own, one round a forward pass
for _ in range(100):
    normalised(torch.randn(4, 128))
print(f"largest singular value of the package's layer: {torch.linalg.svdvals(normalised[0].weight.detach())[0]:.5f}")
assert abs(estimates[-1] - exact[0]) < 1e-3 and abs(torch.linalg.svdvals(normalised[0].weight.detach())[0] - 1) < 1e-3

# %% [markdown]
# A hundred rounds in every step would be dear. The trick of the paper: the weights change little from step to step, so **one** round a
# step, from the u of the step before, follows them. For a convolution the kernel (out, in, h, w) is taken as a matrix of size
# out × (in · h · w). That is near the convolution's true stretch, not equal to it.
#
# ### 6.4 R1 and R2
# Mescheder et al. (2018) ask another question: near the solution, does the game settle or circle? For WGAN and WGAN-GP with
# alternating steps they show that it need not settle. A penalty on the squared slope, pulled to **0**, makes it: at real
# samples (**R1**, equation 9) or at fakes (**R2**, equation 10), with the ordinary loss of lesson 01.
#
# | | where | pulls the slope to | of which loss |
# |---|---|---|---|
# | WGAN-GP | between | 1 | Wasserstein |
# | R1 | real samples | 0 | any; with the non-saturating one in the paper |
# | R2 | fakes | 0 | any |
# | relativistic + R1 + R2 (R3GAN, Huang et al. 2024) | both | 0 | relativistic |


# %%
def r1_by_hand(critic, real):
    """mean of ||grad||^2 at real samples (N, ...), whose gradient reaches the critic."""
    x = real.detach().requires_grad_(True)
    (gradient,) = torch.autograd.grad(critic(x).sum(), x, create_graph=True)  # (N, ...)
    return gradient.flatten(1).square().sum(1).mean()


for name, samples, package in (("R1", real_images, penalties.r1), ("R2", fake_images, penalties.r2)):
    samples = samples.clone().requires_grad_(True)
    by_hand, theirs = r1_by_hand(image_critic, samples), package(image_critic(samples), samples)
    assert torch.allclose(by_hand, theirs)
    print(f"{name} by hand {by_hand:.3e}, the package's {theirs:.3e}")

# %% [markdown]
# ### 6.5 One round of WGAN-GP
# Everything in one place: the paper's Algorithm 1 for points in the plane, except that G is moved on the critic's last fakes and not
# on new ones. The package's loop does the same.


# %%
def round_by_hand(run):
    """n_critic steps of the critic, then one of G on the last fakes. `run` brings networks, optimizers, noise, data."""
    for _ in range(run.recipe.n_critic):
        real, _ = run.batch()  # (N, 2)
        fake = run.generator(run.noise())  # (N, 2)
        critic_loss = run.discriminator(fake.detach()).mean() - run.discriminator(real).mean()
        penalty = gradient_penalty_by_hand(run.discriminator, real, fake, run.rng)
        run.d_optimizer.zero_grad()
        (critic_loss + run.recipe.penalty_weight * penalty).backward()
        run.d_optimizer.step()
    g_loss = -run.discriminator(fake).mean()
    run.g_optimizer.zero_grad()
    g_loss.backward()
    run.g_optimizer.step()


def points_recipe(dim, widths, **changes):
    """How the small GANs of this lesson train: WGAN-GP unless changed."""
    settings = {
        "loss": "wasserstein",
        "batch_size": 256,
        "g_learning_rate": 1e-3,
        "d_learning_rate": 1e-3,
        "betas": (0.0, 0.9),
        "learning_rate_decay": True,
        "n_critic": 5,
        "penalty": methods.gradient_penalty,
        "penalty_weight": 10.0,
    }
    return methods.Recipe(
        name="points",
        source="this lesson, after Gulrajani et al. (2017), Algorithm 1",
        generator=lambda shape: networks.PointGenerator(2, dim, widths),
        discriminator=lambda shape: networks.PointDiscriminator(dim, widths),
        **settings | changes,
    )


ring_points = toy.PointSet(toy.ring, name="ring of 8")
by_hand, package = (training.Run(points_recipe(2, (32, 32)), ring_points, seed=0, device="cpu") for _ in range(2))
by_hand.set_learning_rates()
round_by_hand(by_hand)
package.set_learning_rates()
package.recipe.step(package)
for a, b in zip(by_hand.generator.parameters(), package.generator.parameters(), strict=True):
    assert torch.allclose(a, b, atol=1e-6)
for a, b in zip(by_hand.discriminator.parameters(), package.discriminator.parameters(), strict=True):
    assert torch.allclose(a, b, atol=1e-6)
print("one round by hand = one round of the package")

# %% [markdown]
# ## 7 Train, with the truth beside it
# On a line the true W1 is a matter of sorting. So train there, and lay the critic's estimate beside the truth, on the same
# samples. Real: two bumps, around -2 and 2. G starts near 0.
#
# ### 7.1 A surprise on the line
# First only a critic, against an untouched G. The best critic is known: it falls from -2 to 0 and rises from 0 to 2, like |x|.


# %%
def two_bumps(n, generator=None, device="cpu"):
    """Half around -2, half around 2: (n, 1)."""
    sign = torch.randint(2, (n, 1), generator=generator, device=device) * 2 - 1
    return 2 * sign + 0.4 * torch.randn(n, 1, generator=generator, device=device)


def one_sided_penalty(critic, real, fake, rng):
    """mean of max(0, ||grad|| - 1)^2 between real and fake: only slopes above 1 cost something."""
    u = torch.rand(len(real), 1, generator=rng)
    x = (u * real + (1 - u) * fake).detach().requires_grad_(True)  # (N, 1)
    (gradient,) = torch.autograd.grad(critic(x).sum(), x, create_graph=True)
    return (gradient.norm(dim=1) - 1).clamp_min(0).square().mean()


class BesideTheTruth:
    """Every `every` steps: the critic's estimate and the true W1, both on the same 5,000 samples."""

    def __init__(self, every):
        self.every, self.steps, self.estimates, self.truths = every, [], [], []

    def on_step(self, run):
        if run.step % self.every == 0 or run.step == 1:
            real = two_bumps(5000, torch.Generator().manual_seed(1))  # (5000, 1)
            fake = training.sample(run.generator, 5000, seed=1)  # (5000, 1)
            with torch.no_grad():
                self.estimates.append((run.discriminator(real).mean() - run.discriminator(fake).mean()).item())
            self.truths.append(w1_sorted(real[:, 0], fake[:, 0]).item())
            self.steps.append(run.step)

    def on_end(self, run):
        """Nothing is left to do."""


line_points = toy.PointSet(two_bumps, dim=1, name="two bumps")
ONE_SIDED = {"penalty": one_sided_penalty}
line = torch.linspace(-2.5, 2.5, 101)[:, None]
figure, (axis,) = plots_2d.panels(1, width=6, height=2.8)
sides = {"two-sided": {}, "one-sided": ONE_SIDED}
for colour, style, (name, changes) in zip(plots.COLOURS, ("--", "-"), sides.items(), strict=False):
    run = training.Run(points_recipe(1, (64, 64), **changes), line_points, seed=0, device="cpu")
    for _ in range(device.by_profile(smoke=5, laptop=500, gpu=500)):
        real, _ = run.batch()
        training.d_step(run, real, run.generator(run.noise()).detach())
    watch = BesideTheTruth(1)
    watch.on_step(run)
    with torch.no_grad():
        axis.plot(
            line, run.discriminator(line) - run.discriminator(0 * line), style, color=colour, label=f"penalty {name}"
        )
    print(f"{name}: estimate {watch.estimates[0]:.3f}, true W1 {watch.truths[0]:.3f}")
axis.plot(line, line.abs(), color="grey", linestyle=":", label="|x|")
axis.set(xlabel="x", ylabel="f(x) - f(0)", title="critics of two bumps against fakes near 0")
axis.legend(frameon=False, fontsize=8)
plots.show(
    figure,
    alt="Three curves: |x|, the critic with a one-sided penalty close to it, and the critic with the two-sided penalty, far off.",
)

# %% [markdown]
# With the penalty of section 6 and λ = 10 the critic is far from its best. We did not expect this. The cause: that penalty
# is **two-sided**, it charges for flat places as well. The slope has to change its sign at 0, and on a line it cannot do so
# without passing 0, where a slope costs λ. What the first weights chose, the penalty keeps. In the plane a gradient can turn
# round without shrinking; section 8 and the digits use the two-sided one without this trouble.
#
# A **one-sided** penalty charges only for slopes above 1, which is all that "1-Lipschitz" asks (Petzka et al. 2018). On the
# line we use that. So it goes in this field: what works on images may fail on a toy, for a reason that one can find.
#
# ### 7.2 Estimate and truth
# Now G learns too. Once with the one-sided penalty and once with clipping, three seeds each.

# %%
LINE_STEPS = device.by_profile(smoke=6, laptop=500, gpu=500)
WAYS = {
    "penalty": ONE_SIDED,
    "clipping": {"penalty": None, "penalty_weight": 0.0, "clip": 0.1, "optimizer": "rmsprop"},
}
watched = {}
for way, changes in WAYS.items():
    for seed in range(device.by_profile(smoke=1, laptop=3, gpu=3)):
        watch = BesideTheTruth(max(1, LINE_STEPS // 40))
        run = training.Run(points_recipe(1, (64, 64), **changes), line_points, seed=seed, device="cpu")
        training.train(run, steps=LINE_STEPS, callbacks=[watch])
        watched[way, seed] = watch
        rank = spearmanr(watch.estimates, watch.truths).statistic
        print(
            f"{way:<9} seed {seed}: true W1 {watch.truths[0]:.3f} -> {watch.truths[-1]:.3f};  estimate / truth "
            f"{watch.estimates[0] / watch.truths[0]:8.3f} -> {watch.estimates[-1] / watch.truths[-1]:8.3f};  rank correlation {rank:.2f}"
        )

# %%
figure, axes = plots_2d.panels(3, width=3.5, height=2.9)
for axis, way in zip(axes, WAYS, strict=False):
    watch = watched[way, 0]
    axis.plot(watch.steps, watch.truths, color="black", label="true W1")
    axis.plot(watch.steps, watch.estimates, color=plots.COLOURS[1], linestyle="--", label="critic's estimate")
    axis.set(title=f"{way}, seed 0", xlabel="step of G", ylabel="distance")
    axis.legend(frameon=False, fontsize=8)
for (way, seed), watch in watched.items():
    ratios = [e / t for e, t in zip(watch.estimates, watch.truths, strict=True)]
    colour, style = (plots.COLOURS[0], "-") if way == "penalty" else (plots.COLOURS[1], "--")
    axes[2].plot(watch.steps, ratios, style, color=colour, linewidth=1, label=way if seed == 0 else None)
axes[2].axhline(1, color="grey", linestyle=":")
axes[2].legend(frameon=False, fontsize=8)
axes[2].set(title="estimate / true W1, all seeds", xlabel="step of G", ylim=(-0.25, 1.25))
plots.show(
    figure,
    alt="Left: with the penalty the critic's estimate follows the true distance down. Middle: with clipping it is on another "
    "scale. Right: the ratio of estimate to truth for every seed and both ways.",
)

# %% [markdown]
# With the penalty the estimate follows the truth, from the moment when the critic has caught up, and for a while they nearly coincide.
# From about step 200 on it is a quarter to a third too low: G moves on in every round, and a critic that lags behind
# **under**estimates. (A critic can fail to find W1. It cannot find more, except for the bias of section 5.) With clipping the
# estimate lives on a scale of its own, and follows the truth less well.
#
# > **Myth** "Both players of WGAN minimise the earth mover's distance."
#
# The critic moves no sample, so it cannot change the distance at all. It **raises** its estimate, up to the distance if it
# is Lipschitz. G lowers the estimate, and with it, if the critic is good, the distance. Watch them one at a time: from an
# early state, only the critic trains; then only G, against that frozen critic.

# %%
early = training.Run(points_recipe(1, (64, 64), **ONE_SIDED), line_points, seed=0, device="cpu")
early.set_learning_rates()
truth_now = BesideTheTruth(1)
truth_now.on_step(early)
state_of = ["untouched"]
turns = device.by_profile(smoke=(5, 2), laptop=(300, 30), gpu=(300, 30))
for player, count in zip(("critic", "G"), turns, strict=True):
    for _ in range(count):
        real, _ = early.batch()
        fake = early.generator(early.noise())
        training.d_step(early, real, fake.detach()) if player == "critic" else training.g_step(early, real, fake)
    truth_now.on_step(early)
    state_of.append(f"{count} steps of {'the critic' if player == 'critic' else 'G'}")
for state, estimate, truth in zip(state_of, truth_now.estimates, truth_now.truths, strict=True):
    print(f"{state:<26} estimate {estimate:7.3f}   true W1 {truth:.3f}")

# %% [markdown]
# ## 8 Pictures
# ### 8.1 What clipping does to a critic
# Figure 1a of Gulrajani et al. (2017) trains critics to the end against a **fixed** generator: real samples plus noise of
# variance 1. Three toy sets: 8 Gaussians, 25 Gaussians, the Swiss roll, scaled as in the authors' code. The contour lines are
# the critic's level sets.

# %%
SETS = {
    "8 Gaussians": functools.partial(toy.ring, radius=2**0.5, std=0.02 / 2**0.5),
    "25 Gaussians": functools.partial(toy.grid, spacing=0.5**0.5, std=0.05 / 8**0.5),
    "Swiss roll": toy.swiss_roll,
}
WIDTHS = device.by_profile(smoke=(16, 16, 16), laptop=(128, 128, 128), gpu=(128, 128, 128))
CRITIC_STEPS = device.by_profile(smoke=10, laptop=2000, gpu=2000)


def critic_of_noisy(draw, clip=None, widths=WIDTHS, steps=CRITIC_STEPS):
    """A critic trained on real samples against real samples plus N(0, 1): clipped, or with a penalty of weight 0.1."""
    rng = device.seed(0)
    critic = networks.PointDiscriminator(2, widths)
    optimizer = torch.optim.RMSprop if clip else functools.partial(torch.optim.Adam, betas=(0.5, 0.9))
    optimizer = optimizer(critic.parameters(), 1e-3)
    decay = torch.optim.lr_scheduler.LinearLR(optimizer, 1.0, 0.05, steps)
    for _ in range(steps):
        real, fake = draw(256, generator=rng), draw(256, generator=rng)  # (256, 2) each
        fake = fake + torch.randn(256, 2, generator=rng)
        loss = critic(fake).mean() - critic(real).mean()
        if not clip:
            loss = loss + 0.1 * penalties.gradient_penalty(critic, real, fake, rng)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        decay.step()
        if clip:
            penalties.clip_weights(critic, clip)
    return critic


CLIP = 0.1
noisy_critics = {}
for name, draw in SETS.items():
    for way, clip in (("clipping", CLIP), ("penalty", None)):
        started = time.perf_counter()
        noisy_critics[name, way] = critic_of_noisy(draw, clip)
        print(f"{name:<13} {way:<9} {time.perf_counter() - started:5.1f} s")


# %%
REACH, SIDE = 2.4, 80
spots = plots_2d.plane(-REACH, REACH, SIDE)  # (6400, 2)


@torch.no_grad()
def scores_on(critic):
    """The critic's scores on the grid, (SIDE, SIDE)."""
    return critic(spots).reshape(SIDE, SIDE)


def draw_levels(axis, scores, real, fake=None):
    """The level sets of a critic, real points, and fakes if there are any."""
    axis.contour(spots[:SIDE, 0], spots[:SIDE, 0], scores, 14, cmap="viridis", linewidths=0.9)
    axis.plot(*real.T, ".", color=plots_2d.REAL, markersize=2, label="real")
    if fake is not None:
        axis.plot(*fake.T, ".", color=plots_2d.FAKE, markersize=2, label="fake")
    axis.set(xlim=(-REACH, REACH), ylim=(-REACH, REACH), xticks=[], yticks=[], aspect="equal")


figure, axes = plots_2d.panels(3, 2, width=3.0, height=3.1)
for axis, (name, way) in zip(axes, [(n, w) for w in ("clipping", "penalty") for n in SETS], strict=True):
    draw_levels(axis, scores_on(noisy_critics[name, way]), SETS[name](400, generator=torch.Generator().manual_seed(0)))
    axis.set_title(f"{name}: {way}")
plots.show(
    figure,
    alt="Level sets of critics on three toy sets. Top, with clipping: smooth, nearly straight-sided rings around the whole set. "
    "Bottom, with the penalty: an eye at each of the 8 Gaussians; on the grid and the roll a wide plateau.",
)

# %% [markdown]
# Yellow is high. The paper calls it **capacity underuse**: a clipped critic learns very simple functions, one hill for the whole set.
# With the penalty each of the 8 Gaussians has its own; on the other two sets, the next numbers show what 14 lines cannot. Look at
# the weights. And at what a critic's shape can tell a generator: how much higher does it rate real samples than points half a
# unit beside them?

# %%
figure, axes = plots_2d.panels(2, width=4.4, height=2.8)
for axis, way in zip(axes, ("clipping", "penalty"), strict=True):
    weights = torch.cat([p.detach().flatten() for p in noisy_critics["Swiss roll", way].parameters()])
    at_bounds = (weights.abs() > 0.99 * CLIP).float().mean().item()
    axis.hist(weights.numpy(), 81, color=plots.COLOURS[0 if way == "clipping" else 2])
    axis.set(title=f"{way}, Swiss roll", xlabel="weight", ylabel="how many", yscale="log")
    axis.locator_params("x", nbins=5)
    note = f"; {at_bounds:.0%} within 1% of the bounds ±{CLIP}" if way == "clipping" else ""
    print(f"{way:<9} {len(weights):,} weights from {weights.min():+.3f} to {weights.max():+.3f}{note}")
plots.show(
    figure,
    alt="Histograms of a critic's weights. Clipped: two tall bars at the bounds and little between. With the penalty: one bell.",
)
for name, draw in SETS.items():
    rng = torch.Generator().manual_seed(5)
    real, angle = draw(4000, generator=rng), torch.rand(4000, generator=rng) * 2 * math.pi
    beside = real + 0.5 * torch.stack([angle.cos(), angle.sin()], dim=1)  # (4000, 2)
    contrasts = []
    for way in ("clipping", "penalty"):
        with torch.no_grad():
            on, off = noisy_critics[name, way](real), noisy_critics[name, way](beside)  # (4000,), (4000,)
        contrasts.append(f"{way} {(on.mean() - off.mean()) / off.std():.2f}")
    print(f"{name:<13} real above points beside them, in standard deviations of the scores: {', '.join(contrasts)}")

# %% [markdown]
# Nearly all weights sit on the two bounds: with the sign alone left to choose, a layer can say little. The clipped critic sees where
# the whole set lies. It does not tell a real point from its surroundings, and so it cannot tell G either.
#
# The second failure of clipping comes with **depth**: each layer multiplies the gradient by about the same factor, so it
# vanishes or explodes exponentially. The paper's critic has 12 layers, on the Swiss roll. Here is the gradient of the critic's
# loss by the output of each layer after a short training.

# %%
DEEP = device.by_profile(smoke=(16,) * 12, laptop=(64,) * 12, gpu=(64,) * 12)
DEEP_STEPS = device.by_profile(smoke=3, laptop=150, gpu=150)
figure, (axis,) = plots_2d.panels(1, width=6.2, height=3.0)
for colour, style, clip in zip(plots.COLOURS, ("-", "--", "-.", ":"), (0.3, 0.1, 0.01, None), strict=False):
    name = f"clip {clip}" if clip else "penalty"
    deep = critic_of_noisy(toy.swiss_roll, clip, DEEP, DEEP_STEPS)
    outputs, x = [], torch.cat([toy.swiss_roll(256), toy.swiss_roll(256) + torch.randn(256, 2)])  # (512, 2)
    for module in deep.layers:
        x = module(x)
        if isinstance(module, nn.Linear) and len(outputs) < 12:
            x.requires_grad_(True) if x.is_leaf else x.retain_grad()
            outputs.append(x)
    (x[256:].mean() - x[:256].mean()).backward()
    norms = [output.grad.norm().item() for output in outputs]
    axis.semilogy(
        range(1, 13), [max(norm, 1e-30) for norm in norms], "o", linestyle=style, color=colour, label=name, markersize=4
    )
    print(f"{name:<10} gradient at layer 1 / at layer 12: {norms[0] / max(norms[-1], 1e-30):.1e}")
axis.set(xlabel="layer (12 is next to the score)", ylabel="norm of the gradient")
axis.legend(frameon=False, ncols=2)
plots.show(
    figure,
    alt="Gradient norms by layer of a 12-layer critic: towards the input they grow or fall exponentially with clipping and are about level with the penalty.",
)

# %% [markdown]
# With the bounds 0.3 and 0.1 the gradient explodes on its way back, with 0.01 it vanishes; the penalty keeps it level.
#
# ### 8.2 Whole GANs
# Now G learns as well: WGAN-GP, five critic steps a round, λ = 0.1 as in the authors' toy code (the paper says 10). Judged as in
# lesson 04: a mode is captured if a sample lies within 3 standard deviations; high quality is the share of such samples.


# %%
class Film:
    """A callback that keeps moments of a run: (step, fakes (400, 2), the critic's scores on the grid)."""

    def __init__(self, run, steps):
        self.at = [0, *(round(steps * (i / 7) ** 2) for i in range(1, 8))]  # dense at first, when most happens
        self.moments = []
        self.on_step(run)

    def on_step(self, run):
        if run.step in self.at:
            self.moments.append((run.step, training.sample(run.sampler, 400, seed=1), scores_on(run.discriminator)))

    def on_end(self, run):
        """Nothing is left to do."""


GAN_STEPS = device.by_profile(smoke=7, laptop=2000, gpu=4000)
toy_runs, films = {}, {}
for name, draw in SETS.items():
    changes = {"penalty_weight": 0.1, "ema_decay": 0.99}
    run = training.Run(points_recipe(2, WIDTHS, **changes), toy.PointSet(draw, name=name), seed=0, device="cpu")
    films[name] = Film(run, GAN_STEPS)
    toy_runs[name] = training.train(run, steps=GAN_STEPS, callbacks=[films[name], training.ProgressBar(name)])

# %%
STD = {"8 Gaussians": 0.02 / 2**0.5, "25 Gaussians": 0.05 / 8**0.5}
for name, run in toy_runs.items():
    real, more_real = (SETS[name](1000, generator=torch.Generator().manual_seed(seed)) for seed in (1, 2))
    distance, floor = w1_assigned(real, training.sample(run.sampler, 1000, seed=1)), w1_assigned(real, more_real)
    print(
        f"{name:<13} {run.step:,} rounds, {run.seconds:3.0f} s: W1 {distance:.3f}; real against real {floor:.3f}",
        end="",
    )
    if name in STD:
        found = metrics.modes_captured(training.sample(run.sampler, 2500, seed=2), real.centers, STD[name])
        print(f"; {found.modes} of {len(real.centers)} modes, {found.high_quality:.0%} high quality", end="")
    print()

figure, axes = plots_2d.panels(4, 3, width=2.5, height=2.65)
for row, (name, film) in enumerate(films.items()):
    real = SETS[name](400, generator=torch.Generator().manual_seed(1))
    for axis, index in zip(axes[4 * row : 4 * row + 4], (0, 2, 4, -1), strict=True):
        step, fake, scores = film.moments[index]
        draw_levels(axis, scores, real, fake)
        axis.set_title(f"{name}, step {step}", fontsize=9)
axes[0].legend(loc="upper left", fontsize=7, markerscale=3)
plots.show(
    figure,
    alt="Four moments of three trainings: the fakes start as a clump in the middle, spread, and end on the 8 Gaussians, on "
    "the 25 Gaussians and along the Swiss roll, with the critic's level sets around them.",
)

# %% [markdown]
# The Swiss roll in slow motion (without a running kernel: the third row above). Follow the fakes: they move across the level lines, uphill.

# %%
frames = []
for step, fake, scores in films["Swiss roll"].moments:
    frame, (axis,) = plots_2d.panels(1, width=4.2, height=4.3)
    draw_levels(axis, scores, SETS["Swiss roll"](400, generator=torch.Generator().manual_seed(1)), fake)
    axis.set_title(f"step {step}")
    frames.append(frame)
marks = [step for step, _, _ in films["Swiss roll"].moments]
plots_2d.step_slider(frames, [f"the Swiss roll at step {step}" for step in marks], "step", marks)

# %% [markdown]
# On the ring all 8 modes are found, on the grid nearly all 25, and the critic has an eye for each. But G has not arrived: about half
# of the ring's samples and most of the grid's still lie between the islands, for G is continuous and stretches one clump of z over
# all of them. Section 9.3 shows how far one gets in two minutes, and with which method.
#
# The printed lines have the first *honest distances* of this course: W1 by assignment between 1,000 fakes and 1,000 real points, beside
# what two sets of real points are apart. Two sets of samples never coincide; an estimate from samples has a floor, and it grows
# with the number of dimensions.

# %% [markdown]
# ## 9 Digits
# ### 9.1 Seven methods under one clock
# The same two networks, the same batch size, the same time on one core, three seeds; each method with the settings of its
# paper or its authors' code (R3GAN's without its schedules), and no BatchNorm where the method forbids it. All metrics use digit
# features; lesson 10 explains them. For now:
# **FD** and **KD** compare whole clouds of features, lower is better; **precision** and **density** ask whether drawn digits
# look like real ones, **recall** and **coverage** whether all kinds of real ones are drawn, higher is better. The two recipes
# that end in `-fast` are the course's own, made for minutes.

# %%
table = stored("wasserstein_table")
columns = ("frechet_distance", "kernel_distance", "precision", "recall", "density", "coverage", "steps")
print(
    f"{table['seconds']:.0f} s on one core each, seeds {table['seeds']}, {table['samples']:,} samples; mean (standard deviation)"
)
print(f"{'':<20}" + "".join(f"{name:>16}" for name in ("FD", "KD", *columns[2:])))
for name, scores in sorted(table["table"].items(), key=lambda row: row[1]["frechet_distance"]["mean"]):
    cells = ""
    for column in columns:
        places = {"steps": 0, "frechet_distance": 1, "kernel_distance": 2}.get(column, 3)
        places = 0 if scores[column]["mean"] > 1000 else places
        cells += f"{scores[column]['mean']:,.{places}f} ({scores[column]['std']:,.{places}f})".rjust(16)
    print(f"{name:<20}{cells}")

# %% [markdown]
# Read it with care. `wgan` and `wgan-gp` come last by far: their papers' rates, 5e-5 and 1e-4, are made for a hundred thousand
# steps on a GPU, and each of their steps trains the critic five times. The same idea in `wgan-gp-fast`, with larger rates that
# fall, 2 critic steps and an averaged G, is somewhere else in the table altogether. **A row compares a recipe at a budget, not an
# idea.** Real budgets do not change that: on CIFAR-10 two respected libraries report an FID (FD on other features) of 22.3
# ([mimicry](https://github.com/kwotsin/mimicry)) and of 54.0 ([StudioGAN](https://github.com/POSTECH-CVLab/PyTorch-StudioGAN))
# for WGAN-GP, more than a factor of two for one name.
#
# And `r1` and `relativistic-r1-r2`, which StyleGAN and R3GAN rely on, are behind the plain GAN here, and R1's recall hangs on the seed:
# with their papers' small rates they have only begun after a minute. The relativistic pair with fast rates and a quarter of an hour is
# in section 9.4.
#
# One row live: `wgan-gp-fast`, WGAN-GP with larger rates that fall to 0 and an averaged G, for the same time. Yours differs a
# little: a machine of another speed makes another number of steps.

# %%
digits, test_digits = data.load("mnist"), data.load("mnist", "test")
extractor = metrics.extractor_for("mnist", digits.image_shape)
known = extractor(digits.images[: device.by_profile(smoke=300, laptop=5_000, gpu=5_000)])


class QualityAlong:
    """A callback: the critic's loss and FD of 1,000 samples at moments of a run, as the recorded curves have them."""

    def __init__(self, moments=15):
        self.moments, self.points = moments, []

    def on_step(self, run):
        if run.history and run.progress * self.moments >= len(self.points) + 1:
            fake = extractor(data.to_uint8(training.sample(run.sampler, len(known) // 5, seed=1)))
            fd = metrics.frechet_distance(known, fake)
            self.points.append({"critic_loss": run.history[-1]["d_loss"], "frechet_distance": fd})

    def on_end(self, run):
        """Nothing is left to do."""


LIVE_SECONDS = device.by_profile(smoke=1, laptop=table["seconds"], gpu=table["seconds"])
count = device.by_profile(smoke=300, laptop=table["samples"], gpu=table["samples"])
along = QualityAlong()
digit_run = training.train(
    training.Run(methods.RECIPES["wgan-gp-fast"], digits, seed=0),
    seconds=LIVE_SECONDS,
    callbacks=[along, training.ProgressBar("wgan-gp-fast")],
    log_every=device.by_profile(smoke=2, laptop=20, gpu=50),
)
drawn = training.sample(digit_run.sampler, count, seed=1)  # (count, 1, 28, 28)
live = metrics.compare(test_digits.images, drawn, extractor)
mean_in_table = table["table"]["wgan-gp-fast"]["frechet_distance"]["mean"]
print(
    f"{digit_run.step} steps in {digit_run.seconds:.0f} s: FD ({live['features']}) {live['frechet_distance']:.1f},",
    end=" ",
)
print(f"in the table {mean_in_table:.1f}; precision {live['precision']:.3f}, recall {live['recall']:.3f}")

# %% [markdown]
# The shipped generator was trained by the same recipe and the same code, for longer.

# %%
shipped, card = training.load_network("wgan-gp-fast-mnist")
groups = {"real": test_digits.images[:36], "this run": drawn[:36], "shipped": training.sample(shipped, 36, seed=1)}
print(
    f"shipped: {card['steps']:,} steps, {card['seconds']:.0f} s on {card['hardware']}, FD {card['metrics']['frechet_distance']:.1f}"
)
plots.show(
    plots.comparison(groups, height=2.8),
    alt="36 real digits beside 36 drawn by the WGAN-GP of this run and 36 by the shipped one.",
)

# %% [markdown]
# ### 9.2 Does the critic's loss follow quality?
# Lesson 01 warned: a GAN's losses do not tell how good the fakes are. A critic's loss should, since minus it estimates a
# distance. The recorded runs of the table have both along the way, for the ordinary GAN and for WGAN-GP; so has your run of
# section 9.1. FD needs samples and features; the loss comes for free.

# %%
curves = [*table["critic_curve"], {"name": "wgan-gp-fast, this run", "seed": 0, "points": along.points}]
names = list(dict.fromkeys(curve["name"] for curve in curves))
figure, axes = plots_2d.panels(len(names), width=3.5, height=3.1)
looks = list(zip(plots.COLOURS, ("o-", "s--", "^-."), strict=False))
for axis, name in zip(axes, names, strict=True):
    for curve, (colour, style) in zip([curve for curve in curves if curve["name"] == name], looks, strict=False):
        value = [-point["critic_loss"] for point in curve["points"]]
        quality = [point["frechet_distance"] for point in curve["points"]]
        rank, later = (
            spearmanr(value[first:], quality[first:]).statistic if len(value) > first + 2 else math.nan
            for first in (0, 2)
        )
        print(
            f"{name:<23} seed {curve['seed']}: rank correlation of minus D's loss with FD {rank:+.2f} over {len(value)} "
            f"moments, {later:+.2f} from the third on"
        )
        axis.plot(quality, value, style, color=colour, markersize=4, linewidth=0.8, label=f"seed {curve['seed']}")
    axis.set(xscale="log", title=name, xlabel="FD (digit features); time runs to the right", ylabel="minus D's loss")
    low, high = axis.get_xlim()
    ticks = [digit * 10**power for power in range(5) for digit in (1, 2, 5) if low <= digit * 10**power <= high]
    axis.minorticks_off()
    axis.set_xticks(ticks, [f"{tick:,}" for tick in ticks])
    axis.set_xlim(high, low)  # better to the right
axes[0].legend(frameon=False)
plots.show(
    figure,
    alt="Minus D's loss against FD along the training of an ordinary GAN and of two WGAN-GPs. Time runs to the right, to lower FD.",
)

# %% [markdown]
# Within **one run** of WGAN-GP, once the critic has caught up in its first steps, minus its loss sinks as FD does, on every seed: you
# can watch it as you watch a loss in supervised learning. The ordinary D's loss tells little: after the first moments it goes up
# and down while FD falls.
#
# Two warnings. It compares moments of one run only; another width, λ or clip is another scale. And it is no measurement of W1 in
# 784 dimensions. Put it to the test with the live run: the true W1 between 1,000 fakes and 1,000 real digits, by
# assignment in the space of pixels, and the floor, real against other real digits.

# %%
n = device.by_profile(smoke=100, laptop=1000, gpu=1000)
real, more_real = (data.to_float(digits.images[part]) for part in (slice(n), slice(n, 2 * n)))  # (n, 1, 28, 28)
with torch.no_grad():
    real_score, fake_score = (
        digit_run.discriminator(part.to(digit_run.device)).mean().item() for part in (real, drawn[:n])
    )
print(f"critic's estimate, real - fake: {real_score - fake_score:6.2f}")
print(f"W1 by assignment, real to fake: {w1_assigned(real.flatten(1), drawn[:n].flatten(1)):6.2f}")
print(f"W1 by assignment, real to real: {w1_assigned(real.flatten(1), more_real.flatten(1)):6.2f}")

# %% [markdown]
# The exact number between two *finite* sets is far above the critic's: in 784 dimensions every image is far from its nearest
# twin, also among real ones. The critic, a smooth network with a bounded slope, sees a much smaller difference. Stanczuk et
# al. (2021) argue that this is why WGANs work: a true W1 of batches would be a bad teacher. What G needs from the critic
# is a useful *slope*. "It minimises the Wasserstein distance" is the idea behind the method, not what its networks compute.
#
# ### 9.3 Modes: the ring and the grid
# The protocol of PacGAN (lesson 04), with the course's small networks and two minutes on one core. Beside it what the paper reports
# for its own networks and 400 epochs, as means of ten runs. High quality is the share of samples within 3 standard deviations, KL
# is KL(q || uniform) over the modes, and 2,500 samples of an exact generator would have about 0.001 (ring) and 0.005 (grid).
#
# `points-fast` is the non-saturating GAN with R1 whose weight falls during the run, from 0.1 to 0.002: a soft D first shares the
# samples out evenly, a steep one then draws the edges. **Rejection** (Azadi et al. 2019) uses D once more, after the training. The logit
# of a D trained with cross-entropy estimates log p/q (lesson 01), and it is low on the bridges between modes. So keep a sample with
# probability exp(logit - largest logit): `training.rejection_sample`, on the same runs.

# %%
modes = stored("toy_modes")
for name, title in {"ring": "ring of 8", "grid": "grid of 25"}.items():
    print(f"{title:<32}{'modes':>12}{'high quality':>18}{'KL':>18}")
    for row in modes["summary"]:
        if row["data"] == name and row["seeds"]:
            quality, kl = row["high_quality"], row["kl"]
            label = f"{row['method']}, {row['seeds']} seeds"
            cells = (
                f"{quality['mean']:.1%} ({quality['std']:.1%})".rjust(18),
                f"{kl['mean']:.3f} ({kl['std']:.3f})".rjust(18),
            )
            print(f"{label:<32}{row['modes']['mean']:12.1f}{''.join(cells)}")
    for method in ("GAN", "PacGAN2", "PacGAN4"):
        found, quality, kl = modes["published"][method][name]
        print(f"{method + ', published':<32}{found:12.1f}{quality:18.1%}{kl:18.2f}")
    print()
exact = modes["exact_generator"]["high_quality"]
steps = [row["steps"] for row in modes["rows"]]
print(
    f"an exact generator: {exact:.1%};  {modes['seconds']} s on one core, {min(steps):,} to {max(steps):,} steps each"
)

# %% [markdown]
# Read modes and quality together, once more. The plain GAN draws good points and leaves some spots of the grid out. Packing mends that on
# the ring; on the grid, with rates chosen for R1, packs of 2 do not help and packs of 4 do not settle, while the paper's own, with
# smaller rates and longer, do. (Its networks are not ours: compare rows of one kind.) With R1 every mode is found on every seed, and what is left
# are bridges and a slightly uneven share of the grid. D knows both, and rejection by D takes most of them away.
#
# ### 9.4 A thousand modes
# **Stacked MNIST**: three random digits as the red, green and blue channel of one image, so 1,000 combinations. A classifier names the
# three digits of each drawn image; counted are the combinations met at least once in 26,000 samples, and the divergence
# KL(q || uniform).

# %%
stacked = stored("stacked_mnist")
ours, real_scores = stacked["ours"], stacked["real digits of the test split"]
print(f"{'':<36}modes of 1,000    KL")
for name, scores in stacked["published"].items():
    print(f"{name + ', published':<36}{scores['modes']:14.1f}{scores['kl']:6.2f}")
print(f"{stacked['recipe']['name'] + ', this course':<36}{ours['modes']:14.1f}{ours['kl']:6.2f}")
print(f"{'real test digits, the same judge':<36}{real_scores['modes']:14.1f}{real_scores['kl']:6.2f}")
print(f"{stacked['step']:,} steps, {stacked['seconds'] / 60:.0f} minutes on one core, seed {stacked['seed']} alone")

# %% [markdown]
# All 1,000 combinations, almost as evenly as the judge finds real digits, in a quarter of an hour. The recipe is `dcgan-fast` with the
# relativistic loss and R1 + R2. Read the comparison with care: the published numbers are those of small networks of 2017 and 2018, trained
# on 128,000 fixed images, and the classifier that counts is another. What it shows is that dropped modes are no law of GANs.
#
# ## 10 Break it
# Three mistakes from real programs. Each with a number, a cause, and one change.
#
# ### 10.1 The norm over the whole batch
# `gradient.norm()` instead of one norm a sample. It is one number for N samples, $\sqrt{N}$ times as large as each of N equal slopes. So
# it is 1 when each slope is $1/\sqrt{N}$: **the root mean square of the slopes is pulled to 1/√N, which depends on the batch size**,
# and a single slope is free. Against W1 = 3:


# %%
def norm_over_batch(critic, real, fake, rng):
    """The mistake: the penalty on one norm of all gradients together."""
    u = torch.rand(len(real), 1, generator=rng)
    x = (u * real + (1 - u) * fake).requires_grad_(True)
    (slope,) = torch.autograd.grad(critic(x).sum(), x, create_graph=True)  # (N, 1)
    return 10 * (slope.norm() - 1).square()


ways = {"one norm for the batch": norm_over_batch, "cure: a norm for each sample": penalty_at("between")}
for (name, penalty), n in itertools.product(ways.items(), (512, 64)):
    estimate, steepest = judged(trained_critic(penalty, n=n))
    print(f"{name:<29} N = {n:3}: estimate {estimate:.3f}, steepest slope {steepest:.3f};  1/√N = {n**-0.5:.3f}")

# %% [markdown]
# ### 10.2 BatchNorm in a penalised critic
# DCGAN's rules want BatchNorm in D. WGAN-GP's paper leaves it out and recommends LayerNorm (section 4): a sample's score would depend on
# the other samples of its batch, and the gradient of the sum would no longer be each sample's own. Worse, real and fake batches
# pass one after the other, and each is shifted to mean 0. Our q is p, shifted: for this critic they are *the same*.


# %%
def batch_norm_critic():
    """A critic for points on a line, with BatchNorm before each activation."""
    return nn.Sequential(
        nn.Linear(1, 64), nn.BatchNorm1d(64), nn.LeakyReLU(0.2),  # (N, 64)
        nn.Linear(64, 64), nn.BatchNorm1d(64), nn.LeakyReLU(0.2),  # (N, 64)
        nn.Linear(64, 1), nn.Flatten(0),  # (N,)
    )  # fmt: skip


def layer_norm_critic():
    """The same with LayerNorm, which normalises each sample by itself."""
    return nn.Sequential(
        nn.Linear(1, 64), nn.LayerNorm(64), nn.LeakyReLU(0.2),  # (N, 64)
        nn.Linear(64, 64), nn.LayerNorm(64), nn.LeakyReLU(0.2),  # (N, 64)
        nn.Linear(64, 1), nn.Flatten(0),  # (N,)
    )  # fmt: skip


for name, make in {"BatchNorm": batch_norm_critic, "cure: none": None, "cure: LayerNorm": layer_norm_critic}.items():
    norm_critic = trained_critic(penalty_at("between"), critic=make).train()
    estimate, _ = judged(norm_critic)
    with torch.no_grad():
        point, others = torch.zeros(1, 1), torch.randn(63, 1)
        scores = [norm_critic(torch.cat([point, others + shift]))[0].item() for shift in (0.0, 3.0)]
    moved = abs(scores[1] - scores[0])
    print(f"{name:<16} estimate {estimate:6.3f};  the score of one point moves by {moved:.3f} if the others move by 3")

# %% [markdown]
# ### 10.3 No constraint at all
# "The loss is just `fake.mean() - real.mean()`, so I left the rest out." The game of section 7, without anything that holds the critic.

# %%
FREE_STEPS = device.by_profile(smoke=4, laptop=300, gpu=300)
for name, changes in {"no constraint": {"penalty": None}, "cure: a penalty": ONE_SIDED}.items():
    free_run = training.Run(points_recipe(1, (64, 64), **changes), line_points, seed=0, device="cpu")
    free_watch = BesideTheTruth(max(1, FREE_STEPS // 3))
    training.train(free_run, steps=FREE_STEPS, callbacks=[free_watch], log_every=max(1, FREE_STEPS // 4))
    course = ", ".join(f"{row['d_loss']:.3g}" for row in free_run.history)
    print(f"{name:<18} critic's loss {course};  true W1 {free_watch.truths[0]:.2f} -> {free_watch.truths[-1]:.2f}")

# %% [markdown]
# The loss runs away: its size grows while the distance falls, so it measures nothing. That G comes closer all the same fits Adam,
# which divides by the size of the gradients (lesson 04, section 5.4); with plain gradient steps the push on G would grow along.
#
# ## 11 Exercises
# **Exercise 2** · medium · 12 minutes
#
# W1 on a line for lists of **any** lengths: three real samples hold 1/3 each, two fakes 1/2. Return a scalar tensor whose gradient
# reaches both lists.


# %% exercise="earth_movers_distance"
def earth_movers_distance(x, y):
    """Samples (n,) and (m,) on a line -> W1, a scalar tensor."""
    ### BEGIN SOLUTION
    # Cut every sample of x into m pieces and every sample of y into n: now there are n * m equal pieces of both.
    pieces_x = x.sort().values.repeat_interleave(len(y))
    pieces_y = y.sort().values.repeat_interleave(len(x))
    return (pieces_x - pieces_y).abs().mean()
    ### END SOLUTION


# %%
checks.lesson05.earth_movers_distance(earth_movers_distance)

# %% [markdown]
# <details><summary>Hint 1</summary>
#
# For equal lengths it is `w1_sorted`. Can you make the lengths equal without changing the heaps?
#
# </details>
#
# <details><summary>Hint 2</summary>
#
# A sample of weight 1/3 is the same as two samples of weight 1/6 at one spot. `repeat_interleave`.
#
# </details>
#
# <!-- solution: earth_movers_distance -->

# %% [markdown]
# **Exercise 3** · easy · 5 minutes
#
# What the critic and the generator of a WGAN minimise, from the scores of a batch.


# %% exercise="wasserstein_losses"
def wasserstein_losses(real_scores, fake_scores):
    """Scores (N,), (N,) -> (what the critic minimises, what G minimises), two scalar tensors."""
    ### BEGIN SOLUTION
    return fake_scores.mean() - real_scores.mean(), -fake_scores.mean()
    ### END SOLUTION


# %%
checks.lesson05.wasserstein_losses(wasserstein_losses)

# %% [markdown]
# <details><summary>Hint 1</summary>
#
# The critic *maximises* E f(real) - E f(fake). Optimizers minimise.
#
# </details>
#
# <details><summary>Hint 2</summary>
#
# Of that difference, G can change the fakes' part only. It wants the difference small.
#
# </details>
#
# <!-- solution: wasserstein_losses -->

# %% [markdown]
# **Exercise 4** · easy · 5 minutes
#
# Clip all parameters of a critic into [-bound, bound], in place.


# %% exercise="clip_weights"
def clip_weights(critic, bound):
    """Changes the parameters of the critic, an nn.Module; returns nothing."""
    ### BEGIN SOLUTION
    with torch.no_grad():
        for parameter in critic.parameters():
            parameter.clamp_(-bound, bound)
    ### END SOLUTION


# %%
checks.lesson05.clip_weights(clip_weights)

# %% [markdown]
# <details><summary>Hint 1</summary>
#
# Autograd refuses to change a trainable leaf in place while it is watching. `torch.no_grad()` makes it look away.
#
# </details>
#
# <details><summary>Hint 2</summary>
#
# `p.clamp(...)` makes a new tensor. `p.clamp_(...)` changes this one.
#
# </details>
#
# <!-- solution: clip_weights -->

# %% [markdown]
# **Exercise 5** · hard · 15 minutes
#
# The gradient penalty of WGAN-GP without looking at section 6.2, for samples of any shape. The critic gives one score a
# sample. The check looks at where you ask the critic, at the value for slopes that differ from sample to sample, and at the gradient.


# %% exercise="gradient_penalty"
def gradient_penalty(critic, real, fake):
    """Samples (N, ...) -> mean of (||grad|| - 1)^2 between real and fake, a scalar tensor, without a weight."""
    ### BEGIN SOLUTION
    u = torch.rand(len(real), *[1] * (real.ndim - 1))  # one number a sample
    x = (u * real + (1 - u) * fake).detach().requires_grad_(True)
    (gradient,) = torch.autograd.grad(critic(x).sum(), x, create_graph=True)
    return (gradient.flatten(1).norm(dim=1) - 1).square().mean()
    ### END SOLUTION


# %%
checks.lesson05.gradient_penalty(gradient_penalty)

# %% [markdown]
# <details><summary>Hint 1</summary>
#
# Five lines: a random number a sample; a point between; its score's gradient by the point; the norm of each sample's gradient; the
# mean squared distance from 1.
#
# </details>
#
# <details><summary>Hint 2</summary>
#
# u needs as many 1s as the samples have further axes: (N, 1) for points, (N, 1, 1, 1) for images. The gradient has the shape of
# the images; `flatten(1)` makes a row of each.
#
# </details>
#
# <details><summary>Hint 3</summary>
#
# If the check says that no gradient reaches the critic, read section 3 again.
#
# </details>
#
# <!-- solution: gradient_penalty -->

# %% [markdown]
# **Exercise 6** · medium · 12 minutes
#
# By how much can a matrix stretch a vector? Find it by power iteration, without a function that computes singular values. It must
# work for matrices of any shape, and for hundreds of rounds.


# %% exercise="largest_stretch"
def largest_stretch(matrix, rounds):
    """A matrix (m, n) -> its largest singular value, a scalar tensor."""
    ### BEGIN SOLUTION
    v = torch.randn(matrix.shape[1])
    for _ in range(rounds):
        v = matrix.T @ (matrix @ v)  # there and back: (n,)
        v = v / v.norm()
    return (matrix @ v).norm()
    ### END SOLUTION


# %%
checks.lesson05.largest_stretch(largest_stretch)

# %% [markdown]
# <details><summary>Hint 1</summary>
#
# `matrix.T @ (matrix @ v)` multiplies the part of v along the most stretched direction by σ², and every other part by less.
#
# </details>
#
# <details><summary>Hint 2</summary>
#
# Bring v back to length 1 in every round, or the numbers run out of range. Start at random: a start that happens to be
# orthogonal to the answer never finds it.
#
# </details>
#
# <!-- solution: largest_stretch -->

# %% [markdown]
# ## 12 Summary
# - W1 is the least work to carry one heap into the other: sort on a line, a linear program elsewhere. It falls as the fakes
#   come closer, while JS of heaps that do not overlap does not move.
# - Its dual is a game: the best 1-Lipschitz critic earns W1, and its slope beside a fake points where that fake should go. A
#   K-Lipschitz critic earns K times as much.
# - Clipping bounds K and does not choose it. The gradient penalty aims at K = 1 between real and fake, and lands a little above. The
#   spectral norm holds K at 1 or below for every input; for convolutions only roughly.
# - A penalty is a gradient of a gradient: `create_graph=True`, one norm a sample, one interpolation number a sample, no BatchNorm. Test
#   its gradient, not its value.
# - The critic raises its estimate; G lowers it. Within one run the critic's loss follows quality. It is not the W1 of images.
#
# **Answer without looking**
# 1. p is a point at 0, q is half at 1 and half at -1. What is W1? What is the difference of the means?
# 2. Why does a pair of crossing routes never pay on a line?
# 3. A critic with λ = 10 and K = 1 estimates 2.2. What is W1, about? (Section 5 has the formula.)
# 4. A program's penalty has the right value in a test, and the critic's slope grows all the same. What do you look for first?
# 5. Halving the batch size changed your critic's estimate by a factor of √2 or more. Which line is wrong?
# 6. Why may a critic be trained nearly to its best, and a minimax discriminator may not?
# 7. Why can a two-sided penalty freeze a critic on a line, and not in the plane?
# 8. R1 pulls slopes to 0 and WGAN-GP to 1. Would R1 with the Wasserstein loss measure W1?
#
# **Next** Lesson 06: telling a generator what to draw.
#
# **References**
# - M. Arjovsky, S. Chintala, L. Bottou: [Wasserstein GAN](https://arxiv.org/abs/1701.07875), ICML 2017. The parallel lines are its
#   example 1, the duality its equation 2, clipping its Algorithm 1; the longer warm-up is in [the authors'
#   code](https://github.com/martinarjovsky/WassersteinGAN).
# - I. Gulrajani, F. Ahmed, M. Arjovsky, V. Dumoulin, A. Courville: [Improved Training of Wasserstein
#   GANs](https://arxiv.org/abs/1704.00028), NIPS 2017. The penalty is its equation 3.
# - T. Miyato, T. Kataoka, M. Koyama, Y. Yoshida: [Spectral Normalization for Generative Adversarial
#   Networks](https://arxiv.org/abs/1802.05957), ICLR 2018.
# - L. Mescheder, A. Geiger, S. Nowozin: [Which Training Methods for GANs do actually
#   Converge?](https://arxiv.org/abs/1801.04406), ICML 2018. R1 and R2 are its equations 9 and 10.
# - N. Huang, A. Gokaslan, V. Kuleshov, J. Tompkin: [The GAN is dead; long live the GAN! A Modern GAN
#   Baseline](https://arxiv.org/abs/2501.05441), NeurIPS 2024 (R3GAN).
# - S. Azadi, C. Olsson, T. Darrell, I. Goodfellow, A. Odena: [Discriminator Rejection
#   Sampling](https://arxiv.org/abs/1810.06758), ICLR 2019.
# - Z. Lin, A. Khetan, G. Fanti, S. Oh: [PacGAN: The power of two samples in generative adversarial
#   networks](https://arxiv.org/abs/1712.04086), NeurIPS 2018. The protocols of sections 9.3 and 9.4.
# - H. Petzka, A. Fischer, D. Lukovnicov: [On the regularization of Wasserstein GANs](https://arxiv.org/abs/1709.08894), ICLR
#   2018 (the one-sided penalty).
# - J. Stanczuk, C. Etmann, L. M. Kreusser, C.-B. Schönlieb: [Wasserstein GANs Work Because They Fail (to Approximate the
#   Wasserstein Distance)](https://arxiv.org/abs/2103.01678), 2021.
# - G. Peyré, M. Cuturi: [Computational Optimal Transport](https://arxiv.org/abs/1803.00567), Foundations and Trends in Machine
#   Learning, 2019. C. Villani: *Optimal Transport: Old and New*, Springer, 2009.
