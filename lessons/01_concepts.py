# %% [markdown]
# # Concepts: the game behind every GAN
#
# {{badges}}
#
# **Time** about a minute of computing on a two-core laptop, 90 minutes with the exercises; on a T4 not measured yet.
#
# **You need** lesson 00; probability densities, expected values, derivatives; a training step in PyTorch.
#
# In this lesson you will
# - say what a generative model is, and tell models with a density from models without one,
# - derive what the best discriminator answers and what the game is worth then, and verify both in numbers,
# - train a GAN on one and on two dimensions, where nothing is hidden: densities, D's answers, every push on a fake,
# - make a generator stand still on purpose, measure why, and set it going again with one change.
#
# **Contents** 1 Set up · 2 Predict · 3 Generative models · 4 The game and what it is worth · 5 Build · 6 Train in one
# dimension · 7 Train in two · 8 Latent space · 9 Break it · 10 Ten years in one figure · 11 Exercises · 12 Summary

# %% [markdown]
# ## 1 Set up

# %%
# {{setup}}

# %%
import functools
import math

import torch
import torch.nn.functional as F
from torch import nn

from gan_course import checks, device, losses, methods, networks, plots, plots_2d, training, widgets
from gan_course.data import toy

place = device.get()
device.announce(laptop="about a minute on two CPU cores", gpu="not measured yet; these networks are tiny")

# %% [markdown]
# ## 2 Predict
# A **discriminator** D looks at a sample and answers with a number between 0 (generated) and 1 (real). Take some spot x
# where real samples are **three times as dense** as generated ones, and as many real as generated samples are shown in
# all. D is as good as it can be. What does it answer at x?
#
# **Exercise 1** · easy · 1 minute · *guess first; section 4 derives the answer*

# %% exercise="best_answer"
### BEGIN SOLUTION
guess = 0.75
### STUB
# guess = None  # replace None by a number between 0 and 1
### END SOLUTION

# %%
checks.lesson01.best_answer(guess)

# %% [markdown]
# <details><summary>Hint 1</summary>
#
# Whatever D answers, some of the samples at x are real and some are generated. It cannot be right about all of them.
#
# </details>
#
# <details><summary>Hint 2</summary>
#
# Of four samples that fall close to x, how many are real on average?
#
# </details>
#
# <!-- solution: best_answer -->

# %% [markdown]
# ## 3 Generative models
# A **generative model** describes how data come about: a distribution from which new samples can be drawn. A classifier
# answers "which label has this x?"; a generative model answers "what x are there, and how often?".
#
# The variable may be of three kinds:
# - **discrete**: one of a list of values, each with a probability (a die, a word, a label);
# - **continuous**: any value in a range, described by a density (a height, the brightness of a pixel);
# - **hybrid**: both at once. Rain on a day is exactly 0 with some probability, otherwise any positive amount. A labelled
#   image is hybrid too: a discrete label and continuous pixels.
#
# Fitting a model means to choose its parameters from data. For these three, **maximum likelihood** (make the observed
# data as probable as possible) has an answer in closed form: shares, mean and standard deviation, share of dry days and
# mean amount.

# %%
rng = device.seed(0)  # seeds everything, and gives a generator of its own
days = 400

faces = torch.multinomial(
    torch.tensor([0.1, 0.1, 0.1, 0.1, 0.2, 0.4]), days, replacement=True, generator=rng
)  # (400,) loaded die
heights = 170 + 8 * torch.randn(days, generator=rng)  # (400,) centimetres
wet = torch.rand(days, generator=rng) < 0.4  # (400,) which days have rain
rain = torch.where(
    wet, -5 * torch.log(1 - torch.rand(days, generator=rng)), 0.0
)  # (400,) millimetres, exponential when wet

shares = faces.bincount(minlength=6) / days  # the likelihood's maximum: the observed shares
mean, std = heights.mean(), heights.std(correction=0)  # divided by N, not N - 1
dry, amount = (rain == 0).float().mean(), rain[rain > 0].mean()
print("discrete  :", " ".join(f"P({face + 1}) = {share:.2f}" for face, share in enumerate(shares)))
print(f"continuous: mean {mean:.1f} cm, standard deviation {std:.1f} cm")
print(f"hybrid    : dry with probability {dry:.2f}, otherwise {amount:.1f} mm on average")

# %% [markdown]
# A fitted model can be sampled, and that is the point of it. The samples below are new: no day among them was observed.

# %%
new_faces = torch.multinomial(shares, days, replacement=True, generator=rng)
new_heights = mean + std * torch.randn(days, generator=rng)
new_rain = torch.where(
    torch.rand(days, generator=rng) < dry, 0.0, -amount * torch.log(1 - torch.rand(days, generator=rng))
)

figure, axes = plots_2d.panels(3, width=3.3)
names = {
    "discrete: a loaded die": (faces + 1, new_faces + 1),
    "continuous: a height": (heights, new_heights),
    "hybrid: rain": (rain, new_rain),
}
bins = [
    torch.arange(0.5, 7),
    torch.linspace(145, 195, 21),
    torch.cat([torch.tensor([-1.0]), torch.linspace(1e-6, 25, 26)]),
]
for axis, (name, samples), edges, unit in zip(
    axes, names.items(), bins, ("face", "centimetres", "millimetres"), strict=True
):
    for values, label, colour in zip(samples, ("observed", "drawn from the model"), plots.COLOURS, strict=False):
        axis.hist(values.numpy(), edges.numpy(), histtype="step", linewidth=1.6, color=colour, label=label)
    axis.set(title=name, xlabel=unit, ylabel="how many of 400")
axes[2].annotate(
    "exactly 0", (0, (rain == 0).sum().item()), (6, 0.9 * (rain == 0).sum().item()), arrowprops={"arrowstyle": "->"}
)
axes[1].legend(frameon=False, fontsize=8, loc="upper left")
axes[1].set_ylim(top=1.35 * axes[1].get_ylim()[1])
plots.show(
    figure,
    alt="Three histograms, each of observed data and of samples drawn from the fitted model, which agree: a "
    "die that shows 6 most often, bell-shaped heights, and rain with a tall bar at exactly 0 and a "
    "falling tail.",
)

# %% [markdown]
# ### Explicit and implicit densities
# The normal above has an **explicit** density: put in a height, get out how probable it is. You can fit it by maximum
# likelihood because you can compute the likelihood.
#
# A generator is another kind of model. It draws a simple random number z, and puts it through a function: x = g(z). The
# result is a distribution too, the **pushforward** of z by g. You can draw from it as often as you like. But how
# probable is a given x?
#
# In one dimension, with an invertible g, the answer is the **change of variables**. Where g stretches the line, samples
# thin out by the same factor:
#
# $$q(x) = p_z\big(g^{-1}(x)\big)\,\left|\frac{d\,g^{-1}(x)}{dx}\right|$$
#
# Take g(z) = sinh(z) and z from N(0, 1). The inverse is arsinh(x), with the derivative $1/\sqrt{1 + x^2}$.


# %%
def normal_density(x, mean=0.0, std=1.0):
    """The density of N(mean, std^2) at x, any shape."""
    return torch.exp(-0.5 * ((x - mean) / std) ** 2) / (std * math.sqrt(2 * math.pi))


line = torch.linspace(-400, 400, 400_001, dtype=torch.float64)  # wide: sinh has heavy tails
q_formula = normal_density(line.asinh()) / (1 + line**2).sqrt()
pushed = torch.sinh(torch.randn(200_000, generator=rng))  # (200000,)

print(f"the formula integrates to      {torch.trapezoid(q_formula, line):.6f}")
inside = (line > 1) & (line < 2)
print(f"it says  P(1 < x < 2) =        {torch.trapezoid(q_formula[inside], line[inside]):.4f}")
print(f"samples: P(1 < x < 2) =        {((pushed > 1) & (pushed < 2)).float().mean():.4f}")

# %% [markdown]
# That needs an inverse. A generator of images has none that we could use: 100 numbers go in, 784 come out. Its images
# lie on a sheet of at most 100 dimensions inside a space of 784. A sheet has volume 0, and so *there is no density* to
# compute. The smallest case you can draw: one number in, two out, a curve in the plane.
#
# Here is a test of whether a cloud has a density. Cover the plane with boxes and add up the area of those that are hit.
# With ever smaller boxes, the area of a cloud with a density settles; that of a curve halves each time the side does.


# %%
def curve(z):
    """z (N, 1) -> points (N, 2) on a bent line: a pushforward without a density."""
    return torch.cat([1.5 * torch.tanh(z), torch.cos(2 * z)], dim=1)


def area_hit(points, side):
    """The area of the boxes of this side that hold at least one of the points (N, 2)."""
    column, row = (points / side).floor().long().T  # (N,) each
    return len(torch.unique(column * 10_000 + row)) * side**2


on_curve = curve(torch.rand(200_000, 1, generator=rng) * 3 - 1.5)  # (200000, 2)
noise = (torch.rand(on_curve.shape, generator=rng) - 0.5) * 0.6  # (200000, 2)
blurred = on_curve + noise  # noise on both axes gives it a density
for side in (0.2, 0.1, 0.05, 0.025):
    thin, thick = area_hit(on_curve, side), area_hit(blurred, side)
    print(f"boxes of side {side:5.3f}: curve {thin:.3f}, blurred curve {thick:.3f}")

# %% [markdown]
# The figure compares the two kinds on the same data. The explicit model, a normal fitted by maximum likelihood, can tell
# you the density of any point, and its shape is wrong. The implicit one has the right shape, and cannot tell you the
# density of anything. (It is no contest of quality: the normal was fitted, while the curve is the very function that made the
# data. To *learn* such a function from samples is what the rest of the course is about.)

# %%
data_points = on_curve[:600] + 0.05 * torch.randn(600, 2, generator=rng)  # (600, 2)
fitted = torch.distributions.MultivariateNormal(data_points.mean(0), data_points.T.cov(correction=0))
held_out = on_curve[600:1200] + 0.05 * torch.randn(600, 2, generator=rng)
print(f"explicit model: mean log-density of held-out points {fitted.log_prob(held_out).mean():.3f}")

figure, axes = plots_2d.panels(3, width=3.3, sharex=True, sharey=True)
spots = plots_2d.plane(-2.6, 2.6, 80)
axes[1].contourf(spots[:80, 0], spots[:80, 0], fitted.log_prob(spots).exp().reshape(80, 80), levels=8, cmap="Blues")
clouds = {
    "data": data_points,
    "explicit: a normal, with density": fitted.sample((300,)),
    "implicit: x = g(z), samples only": on_curve[:300],
}
for axis, (name, cloud) in zip(axes, clouds.items(), strict=True):
    axis.scatter(*cloud.T, s=5, color=plots.COLOURS[1 if axis is not axes[0] else 0])
    axis.set(title=name, xlabel="x1", xlim=(-2.6, 2.6), ylim=(-2.6, 2.6))
axes[0].set_ylabel("x2")
plots.show(
    figure,
    alt="Data along an arch; a fitted normal whose density is a wide oval that misses the arch's shape; and "
    "samples on a thin line with the arch's shape.",
)

# %% [markdown]
# How do you train a model whose likelihood does not exist? **You compare samples with samples.** And who is to compare?
# A second network, trained for just that. This is the seed from which everything in this course grows.
#
# ## 4 The game and what it is worth
# Two players. The **generator** G turns z, drawn from a fixed noise, into a fake x = G(z); call the distribution of its
# fakes q. The **discriminator** D is shown real samples (density p) and fakes, and answers with D(x) in (0, 1): how sure
# it is that x is real. One number is both players' score, the **value** of Goodfellow et al. (2014), equation 1:
#
# $$\min_G \max_D \; V(D, G), \qquad V(D, G) = \mathbb{E}_{x \sim p}\,\log D(x) + \mathbb{E}_{z}\,\log\big(1 - D(G(z))\big)$$
#
# D wants both terms large: D near 1 on real samples, near 0 on fakes. G enters the second term only, and wants it small.
# Both change their **parameters** and nothing else; x and z are only sampled.
#
# ### What is the best D? In four steps
# **Step 1, integrals.** Let the fakes have a density q. (In this section they do, so that we can compute.) An expected
# value over G(z) is one over q:
#
# $$V = \int \big[\, p(x) \log D(x) + q(x) \log(1 - D(x)) \,\big]\, dx$$
#
# **Step 2, one x at a time.** D may answer at each x as it likes, so maximise what is under the integral for each x
# alone. With $a = p(x)$, $b = q(x)$, $d = D(x)$, let $f(d) = a \log d + b \log(1 - d)$. Then
#
# $$f'(d) = \frac{a}{d} - \frac{b}{1 - d} = 0 \;\Longleftrightarrow\; a(1 - d) = b\,d
# \;\Longleftrightarrow\; d = \frac{a}{a + b},$$
#
# $$f''(d) = -\frac{a}{d^2} - \frac{b}{(1 - d)^2} < 0 .$$
#
# So it is a maximum, and the only one:
#
# $$\boxed{\,D^*(x) = \frac{p(x)}{p(x) + q(x)}\,}$$
#
# Networks put out a **logit**, the number $l$ in $D = \mathrm{sigmoid}(l) = 1/(1 + e^{-l})$, which may be any number. Solved
# for $l$ that is $l = \log D - \log(1 - D)$, so for the best D it is $\log p(x) - \log q(x)$: **the best discriminator knows
# the ratio of two densities, though it has only ever seen samples.** (Where both densities are 0 no sample falls, and any answer is as
# good.)
#
# **Step 3, put it back.** Let $m = (p + q)/2$ be the mixture, so that $D^* = p/(2m)$ and $1 - D^* = q/(2m)$:
#
# $$V(D^*) = \int p \log \frac{p}{2m} + \int q \log \frac{q}{2m}
# = \int p \log\frac{p}{m} + \int q \log\frac{q}{m} - 2 \log 2 .$$
#
# **Step 4, name it.** The two integrals are Kullback-Leibler divergences, $\mathrm{KL}(p\,\|\,m) = \int p \log (p/m)$, and half
# of their sum is the **Jensen-Shannon divergence** $\mathrm{JS}(p, q) = \tfrac12 \mathrm{KL}(p\,\|\,m) + \tfrac12 \mathrm{KL}(q\,\|\,m)$. Hence
#
# $$\boxed{\,V(D^*) = 2\,\mathrm{JS}(p, q) - \log 4\,}$$
#
# A KL divergence is never negative, and is 0 only for equal densities (Jensen's inequality: the logarithm is concave).
# So against a perfect D the generator's best is **q = p**, and the game is then worth $-\log 4 \approx -1.386$. The
# other end: if p and q never overlap, each KL is $\log 2$, so JS is $\log 2$ and V is 0. Keep that end in mind; section
# 9 is about it.
#
# That was paper. Now two densities that we know, and an integral on a fine grid. D comes as logits. With
# $\mathrm{softplus}(t) = \log(1 + e^t)$, a smooth version of max(0, t), the two logarithms are
# $\log D = -\mathrm{softplus}(-l)$ and $\log(1 - D) = -\mathrm{softplus}(l)$. You will meet them in every loss of this course.


# %%
x = torch.linspace(-16, 16, 8001, dtype=torch.float64)  # (8001,) the grid of every integral below


def integral(values):
    """The integral over x of a function given on the grid (8001,), by the trapezoidal rule."""
    return torch.trapezoid(values, x)


def value(logits, p, q):
    """V of the discriminator with these logits: log D = -softplus(-l), log(1 - D) = -softplus(l); all (8001,)."""
    return -integral(p * F.softplus(-logits) + q * F.softplus(logits))


def jensen_shannon(p, q):
    """JS(p, q) in nats, by its definition; xlogy makes 0 log 0 the 0 that it should be."""
    m = (p + q) / 2
    kl_p = torch.xlogy(p, p) - torch.xlogy(p, m)
    kl_q = torch.xlogy(q, q) - torch.xlogy(q, m)
    return integral(kl_p + kl_q) / 2


p = 0.5 * normal_density(x, -1.5, 0.6) + 0.5 * normal_density(x, 1.5, 0.6)  # two bumps
q = normal_density(x, 0.5, 1.2)  # one wide bump
best_logits = p.log() - q.log()
print(f"both integrate to 1:  {integral(p):.6f}  {integral(q):.6f}")
print(f"V(D*)               = {value(best_logits, p, q):+.6f}")
print(f"2 JS(p, q) - log 4  = {2 * jensen_shannon(p, q) - math.log(4):+.6f}")

# %% [markdown]
# Is D* really the maximum? Two tests. The slope of V with respect to each logit must be 0 there. And every other D must score less:
# try many around it, each D* with a wave added to its logit.

# %%
logits = best_logits.clone().requires_grad_(True)
(slope,) = torch.autograd.grad(value(logits, p, q), logits)
print(f"largest slope of V at D*: {slope.abs().max():.1e}")

shortfall = [
    value(best_logits, p, q) - value(best_logits + size * torch.sin(frequency * x + phase), p, q)
    for size in (0.01, 0.1, 1.0)
    for frequency in (0.0, 0.5, 2.0, 7.0)
    for phase in (0.5, 2.0, 4.0)
]
print(f"{len(shortfall)} other discriminators fall short of it by {min(shortfall):.1e} to {max(shortfall):.2f}")
assert min(shortfall) > 0

# %% [markdown]
# > **Myth** "The discriminator maximises log(1 - D(x)) on real data."
#
# > **Myth** "The generator maximises the objective and the discriminator minimises it."
#
# The first puts a wrong sign into V, the second lets each player pull the wrong way. For the first, the next cell searches
# the best answer at one x by brute force: with the right V, and with log(1 - D) on the real samples. The wrong one makes a D
# that calls real samples fake; its answer is q/(p+q). Against the second: the cell above has shown that D* is where V is
# *largest*, so D maximises; and the curve "V(D*) against the distance" at the end of this section will show that V(D*) is
# *smallest* where q = p, so G minimises.

# %%
density_real, density_fake = 3.0, 1.0  # the spot of exercise 1
d = torch.linspace(0.001, 0.999, 999)
right = density_real * d.log() + density_fake * (1 - d).log()
turned = density_real * (1 - d).log() + density_fake * d.log()
share = density_real / (density_real + density_fake)
print(f"p log D + q log(1 - D) is largest at D = {d[right.argmax()]:.3f}; p/(p+q) = {share:.3f}")
print(f"p log(1 - D) + q log D is largest at D = {d[turned.argmax()]:.3f}: real samples called fake")

# %% [markdown]
# ### Now a network, from samples alone
# D* came from knowing p and q. A real discriminator is shown samples only. Train one until it improves no more, with the
# loss -V (it *minimises* the negative of what it wants to maximise): `softplus(-logit)` on real, `softplus(logit)` on
# fake samples. Then lay it over p/(p+q). Once more with p against p, where nothing can be learned.


# %%
def draw_p(n, rng):
    """n samples of p, (n, 1)."""
    sign = torch.randint(2, (n, 1), generator=rng) * 2 - 1
    return 1.5 * sign + 0.6 * torch.randn(n, 1, generator=rng)


def draw_q(n, rng):
    """n samples of q, (n, 1)."""
    return 0.5 + 1.2 * torch.randn(n, 1, generator=rng)


def trained_discriminator(draw_real, draw_fake, seed=0, n=1024):
    """A discriminator trained to (nearly) its optimum against two fixed distributions."""
    rng = device.seed(seed)
    steps = device.by_profile(smoke=30, laptop=2000, gpu=4000)
    judge = networks.PointDiscriminator(dim=1, widths=(64, 64)).to(place)
    optimizer = torch.optim.Adam(judge.parameters(), 5e-3)
    decay = torch.optim.lr_scheduler.LinearLR(optimizer, 1.0, 0.01, steps)
    for _ in range(steps):
        real, fake = draw_real(n, rng).to(place), draw_fake(n, rng).to(place)  # (n, 1) each
        loss = F.softplus(-judge(real)).mean() + F.softplus(judge(fake)).mean()  # an estimate of -V
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        decay.step()
    return judge


@torch.no_grad()
def logits_on_grid(judge):
    """The judge's logits at the grid x, float64 (8001,)."""
    return judge(x.float()[:, None].to(place)).cpu().double()


learned = {"p against q": (q, logits_on_grid(trained_discriminator(draw_p, draw_q)))}
learned["p against p"] = (p, logits_on_grid(trained_discriminator(draw_p, draw_p)))

# %%
print("               V of the network   2 JS - log 4   largest error of D where samples fall")
for name, (other, found) in learned.items():
    bound = 2 * jensen_shannon(p, other) - math.log(4)
    seen = p + other > 0.02
    error = (found.sigmoid() - p / (p + other)).abs()[seen].max()
    print(f"{name:>12}   {value(found, p, other):+16.4f}   {bound:+12.4f}   {error:.3f}")
    assert value(found, p, other) <= bound + 1e-6, "no discriminator can beat D*"
print(f"-log 4 = {-math.log(4):.4f}")

figure, axes = plots_2d.panels(2, width=4.8, height=3.0)
for axis, (name, (other, found)) in zip(axes, learned.items(), strict=True):
    axis.fill_between(x, p, color=plots.COLOURS[0], alpha=0.3, label="p")
    axis.fill_between(x, other, color=plots.COLOURS[1], alpha=0.3, label="q" if other is q else "q = p")
    axis.plot(x, p / (p + other), color="black", linewidth=3, alpha=0.35, label="D* = p/(p+q)")
    axis.plot(x, found.sigmoid(), color=plots.COLOURS[2], linestyle="--", label="the network, from samples")
    axis.set(title=name, xlabel="x", ylabel="density; D(x)", xlim=(-4.5, 4.5), ylim=(0, 1.05))
axes[0].legend(frameon=False, fontsize=8, loc="upper right")
plots.show(
    figure,
    alt="Left: two densities, the curve p/(p+q), and the trained network's answer, which lies on it wherever "
    "samples fall. Right: p against itself, where both are flat at one half.",
)

# %% [markdown]
# Wherever samples fall, the network has found the ratio of two densities that it was never told. In the tails, where
# next to no sample falls, it guesses. And with q = p it answers 1/2, worth -log 4.
#
# > **Myth** "The discriminator should learn to fool itself to 0.5."
#
# D never aims at 0.5. It does its best, and answering 0.5 everywhere is worth -log 4: the *least* that the best D can be
# brought down to. If D can do no better than 0.5, that is because G has won. The slider moves q away from p; watch D* and the value.
# (The figure under it shows the same without a kernel.)


# %%
def apart(distance):
    """p = N(0, 1), q = N(distance, 1), and V(D*) between them."""
    one, other = normal_density(x, 0.0), normal_density(x, distance)
    return one, other, 2 * jensen_shannon(one, other) - math.log(4)


def draw_apart(distance):
    """One figure: both densities, D*, and the value."""
    one, other, worth = apart(distance)
    figure, (axis,) = plots_2d.panels(1, width=5.5, height=2.8)
    axis.fill_between(x, one, color=plots.COLOURS[0], alpha=0.3, label="p")
    axis.fill_between(x, other, color=plots.COLOURS[1], alpha=0.3, label="q")
    axis.plot(x, one / (one + other), color=plots.COLOURS[2], label="D*")
    axis.set(title=f"distance {distance}: V(D*) = {worth:.3f}", xlabel="x", ylim=(0, 1.05), xlim=(-4, 8))
    axis.legend(frameon=False, loc="center left")
    return figure


distances = [0, 0.5, 1, 2, 3, 4, 6]
distance_figures = [draw_apart(distance) for distance in distances]
plots_2d.step_slider(
    distance_figures, [f"p and q at distance {distance}, and D*" for distance in distances], "distance", distances
)

# %%
ruler = torch.linspace(-6, 6, 61)
worth = torch.stack([apart(distance.item())[2] for distance in ruler])
figure, axes = plots_2d.panels(3, width=3.4)
for axis, distance in zip(axes, (1, 4), strict=False):
    one, other, _ = apart(distance)
    axis.fill_between(x, one, color=plots.COLOURS[0], alpha=0.3, label="p")
    axis.fill_between(x, other, color=plots.COLOURS[1], alpha=0.3, label="q")
    axis.plot(x, one / (one + other), color=plots.COLOURS[2], label="D*")
    axis.set(title=f"distance {distance}", xlabel="x", ylim=(0, 1.05), xlim=(-4, 8))
axes[0].set_ylabel("density; D(x)")
axes[0].legend(frameon=False, loc="center right")
axes[2].plot(ruler, worth, color=plots.COLOURS[0])
axes[2].axhline(-math.log(4), color="grey", linestyle=":", label="-log 4")
axes[2].axhline(0, color="grey", linestyle="--", label="0: no overlap")
axes[2].set(title="V(D*) against the distance", xlabel="distance of q from p", ylabel="V(D*)", ylim=(-1.5, 0.45))
axes[2].legend(frameon=False, loc="upper center", fontsize=8, ncols=2)
plots.show(
    figure,
    alt="Left and middle: D* falls gently from 1 to 0 between overlapping densities and steeply between "
    "distant ones. Right: V(D*) is -log 4 at distance 0, its only minimum, and levels off near 0 beyond "
    "distance 4.",
)

# %% [markdown]
# Two things to take along. V(D*) has its minimum where q lies on p. And far away it is **flat**: moving q a little
# changes next to nothing. A flat landscape has no slope to walk down.

# %% [markdown]
# ## 5 Build
# Both players, written out, for points with one coordinate. No tanh at the end of G: a point may lie anywhere. No
# sigmoid at the end of D: it returns the logit l, with D(x) = sigmoid(l), and the losses work on logits.

# %%
torch.manual_seed(0)
my_generator = nn.Sequential(
    nn.Linear(1, 32),  # z (n, 1) -> (n, 32)
    nn.LeakyReLU(0.2),
    nn.Linear(32, 32),  # -> (n, 32)
    nn.LeakyReLU(0.2),
    nn.Linear(32, 1),  # -> (n, 1) a point
)
my_discriminator = nn.Sequential(
    nn.Linear(1, 32), nn.LeakyReLU(0.2),  # point (n, 1) -> (n, 32)
    nn.Linear(32, 32), nn.LeakyReLU(0.2),  # -> (n, 32)
    nn.Linear(32, 1), nn.Flatten(0),  # -> (n, 1) -> (n,) logits
)  # fmt: skip

torch.manual_seed(0)
generator = networks.PointGenerator(latent_dim=1, dim=1, widths=(32, 32))
discriminator = networks.PointDiscriminator(dim=1, widths=(32, 32))
z = torch.randn(5, 1)
assert torch.equal(my_generator(z), generator(z))
assert torch.equal(my_discriminator(generator(z)), discriminator(generator(z)))
print("the same as the package's, with the same seed")

# %% [markdown]
# One **step of the game**: D moves, then G moves. Two lines deserve a second look.
# - `fake.detach()` in D's part cuts the way back to G: D's loss must not move G.
# - In G's part the gradient flows *through* D into G, and only G's optimizer steps. What D computes there is thrown away by
#   `zero_grad` at D's next turn. (The package freezes D instead, which saves the work.)
#
# For G the code uses the **non-saturating** loss, -E log D(G(z)), from the same paper. Section 9 shows why.


# %%
def step_by_hand(generator, discriminator, g_optimizer, d_optimizer, real, z):
    """One step of each player on real (n, dim) and z (n, latent_dim)."""
    fake = generator(z)  # (n, dim)
    # D: real samples up, fakes down. Both, in the same step.
    d_loss = F.softplus(-discriminator(real)).mean() + F.softplus(discriminator(fake.detach())).mean()
    d_optimizer.zero_grad()
    d_loss.backward()
    d_optimizer.step()
    # G: its fakes up, judged by the D that has just moved.
    g_loss = F.softplus(-discriminator(fake)).mean()
    g_optimizer.zero_grad()
    g_loss.backward()
    g_optimizer.step()
    return d_loss.item(), g_loss.item()


# How the package trains: a `Recipe` lists the choices, a `Run` holds what changes (networks, optimizers, random numbers, a
# history of losses), and `training.train` calls the recipe's `step` with the run, again and again.


def alternate(run):
    """The same step from the package's two halves; a recipe takes it as its `step`."""
    real, _ = run.data.batch(run.recipe.batch_size, run.rng)
    fake = run.generator(run.noise())
    return training.d_step(run, real, fake.detach()) | training.g_step(run, real, fake)


# %%
line_points = toy.PointSet(functools.partial(toy.normal, mean=(4.0,), covariance=((1.0,),)), dim=1, name="N(4, 1)")


def recipe(latent_dim, step=alternate, loss="non_saturating"):
    """How the small GANs of this lesson train. D learns four times as fast as G, so that it keeps up with the fakes."""
    return methods.Recipe(
        name="points",
        source="this lesson",
        generator=lambda shape: networks.PointGenerator(latent_dim, shape[0], (32, 32)),
        discriminator=lambda shape: networks.PointDiscriminator(shape[0], (32, 32)),
        loss=loss,
        batch_size=256,
        g_learning_rate=1e-3,
        d_learning_rate=4e-3,
        betas=(0.5, 0.9),
        learning_rate_decay=True,
        step=step,
    )


# On the CPU, where the package calculates in full float32 precision as the step by hand does.
mine, package = (training.Run(recipe(1), line_points, seed=0, device="cpu") for _ in range(2))
real, _ = mine.data.batch(256, mine.rng)  # (256, 1)
z = mine.noise()  # (256, 1)
step_by_hand(mine.generator, mine.discriminator, mine.g_optimizer, mine.d_optimizer, real, z)
package.recipe.step(package)  # draws the same real samples and the same z: the same seed
for theirs, ours in zip(package.generator.parameters(), mine.generator.parameters(), strict=True):
    assert torch.allclose(theirs, ours, atol=1e-6)
for theirs, ours in zip(package.discriminator.parameters(), mine.discriminator.parameters(), strict=True):
    assert torch.allclose(theirs, ours, atol=1e-6)
print("one step by hand = one step of the package")

# %% [markdown]
# Then the property that matters: **each loss reaches its own player.** Take D's loss alone, and ask every parameter for
# its gradient.

# %%
fake = generator(torch.randn(64, 1))
d_loss = F.softplus(-discriminator(torch.randn(64, 1) + 4)).mean() + F.softplus(discriminator(fake.detach())).mean()
d_loss.backward()
assert all(parameter.grad is None for parameter in generator.parameters()), "D's loss reached G"
assert all(parameter.grad.abs().sum() > 0 for parameter in discriminator.parameters())
F.softplus(-discriminator(fake)).mean().backward()
assert all(parameter.grad.abs().sum() > 0 for parameter in generator.parameters())
print("D's loss moves D only; G's loss reaches every parameter of G")

# %% [markdown]
# ## 6 Train in one dimension
# Real samples come from N(4, 1). The generator starts close to 0. A small callback (an object that the loop calls after
# every step) looks at the game at chosen steps: where fixed codes land, what D answers along the line, and **where each
# fake is pushed**: along minus the gradient of G's loss with respect to that fake.


# %%
class Watch:
    """A callback of the training loop that keeps moments of a game."""

    def __init__(self, run, where, steps, count=600):
        # Dense at first, when most happens.
        self.at = sorted({0, *(round(steps * (i / 11) ** 2.5) for i in range(12))})
        self.where, self.moments = where, []
        same_each_time = torch.Generator().manual_seed(0)
        self.z = torch.randn(count, run.generator.latent_dim, generator=same_each_time)
        self.on_step(run)

    def on_step(self, run):
        if run.step in self.at:
            parts = run.generator, run.discriminator, self.z, self.where
            self.moments.append(plots_2d.moment(*parts, run.recipe.loss, run.step))

    def on_end(self, run):
        """Nothing is left to do."""


STEPS = device.by_profile(smoke=30, laptop=1500, gpu=1500)
x_line = torch.linspace(-2, 8, 161)  # (161,)
run = training.Run(recipe(1), line_points, seed=0)
watch = Watch(run, x_line[:, None], STEPS)
log_every = device.by_profile(smoke=2, laptop=10, gpu=10)
run = training.train(run, steps=STEPS, callbacks=[watch, training.ProgressBar()], log_every=log_every)

# %%
p_line = normal_density(x_line, 4.0, 1.0)


def draw_moments(moments, columns=3):
    """The given moments of the game on the line, side by side."""
    figure, axes = plots_2d.panels(columns, -(-len(moments) // columns), width=3.5, height=2.5, sharey=True)
    for axis, now in zip(axes, moments, strict=False):
        plots_2d.draw_line(axis, now, x_line, p_line)
    figure.legend(*axes[0].get_legend_handles_labels(), loc="outside upper center", ncols=4, frameon=False, fontsize=8)
    return figure


frames = [draw_moments([now], columns=1) for now in watch.moments]
steps = [now.step for now in watch.moments]
plots_2d.step_slider(frames, [f"the game at step {step}" for step in steps], "step", steps)

# %%
chosen = [watch.moments[i] for i in torch.linspace(0, len(watch.moments) - 1, 6).round().long().tolist()]
plots.show(
    draw_moments(chosen),
    alt="Six moments. The fakes start as a narrow peak near 0, D is high on the real samples, and arrows push "
    "the fakes to the right; "
    "at the end both densities lie on each other, D is close to one half and the arrows are short.",
)

# %% [markdown]
# Follow one cause to its effect. D is a slope between the fakes and the real samples. The arrows point **up D's slope**,
# because that is all that G ever learns: not where the real samples are, but which way D would be a little less sure that
# this is a fake. So the fakes run up the slope as one narrow peak and even past the middle (step 120); D's slope turns round,
# and they come back and spread. When the densities meet, D has nothing left to tell apart; it flattens near 1/2 and the
# arrows shrink.
#
# ### What the curve means
# D's loss is an estimate of -V. So `-d_loss` can be laid beside what the *best* D would get, 2 JS - log 4, with q
# estimated from the recorded fakes.

# %%
grid_x = torch.linspace(-4, 12, 1601)
p_grid = normal_density(grid_x, 4.0, 1.0)
best = []
for now in watch.moments:
    q_grid = plots_2d.kernel_density(now.fake[:, 0], grid_x)
    m_grid = (p_grid + q_grid) / 2
    kl = torch.xlogy(p_grid, p_grid / m_grid) + torch.xlogy(q_grid, q_grid / m_grid)
    best.append(torch.trapezoid(kl.nan_to_num(0), grid_x) - math.log(4))

figure, (axis,) = plots_2d.panels(1, width=7, height=3)
axis.plot(
    [row["step"] for row in run.history],
    [-row["d_loss"] for row in run.history],
    color=plots.COLOURS[0],
    label="-d_loss: what this D gets",
)
axis.plot(
    [now.step for now in watch.moments],
    best,
    "o",
    color=plots.COLOURS[1],
    label="2 JS - log 4: what the best D would get",
)
axis.axhline(-math.log(4), color="grey", linestyle=":", label="-log 4: q = p")
axis.set(xlabel="step", ylabel="value of the game")
axis.legend(frameon=False)
plots.show(figure, alt="The value that D gets, against steps, with dots for the best D's value. Both end near -log 4.")

# %% [markdown]
# Look at steps 90 to 120. The line crosses -log 4 there, as if the game were over, and even dips below it: this D is worse
# than one that always answers 1/2, since the fakes have just moved to where it was sure of real samples. The dots say that
# the best D would still tell them apart easily. A D's loss near log 4 therefore has **two** possible causes: fakes that are
# right, or a D that is not at its best. The loss alone cannot say which. That is why a GAN's losses are no measure of quality, and why lesson 10 exists.
#
# ### Together, apart, on real samples only
# > **Myth** "The discriminator and the generator are trained independently, and then combined."
#
# > **Myth** "The discriminator is updated on real examples only."
#
# Try both, with the same budget. *Apart*: the first half of the steps trains D alone against the untrained G; the second
# half trains G alone against that D. *Real only*: as usual, but D's loss lacks the term with the fakes. Three seeds
# each.


# %%
def separately(run):
    """D alone in the first half of the budget, G alone in the second."""
    real, _ = run.data.batch(run.recipe.batch_size, run.rng)
    fake = run.generator(run.noise())
    return training.d_step(run, real, fake.detach()) if run.progress < 0.5 else training.g_step(run, real, fake)


def real_only(run):
    """D learns to accept real samples, and never sees a fake."""
    real, _ = run.data.batch(run.recipe.batch_size, run.rng)
    run.discriminator.requires_grad_(True)
    loss = F.softplus(-run.discriminator(real)).mean()
    run.d_optimizer.zero_grad()
    loss.backward()
    run.d_optimizer.step()
    return training.g_step(run, real, run.generator(run.noise()))


print("wanted: mean 4.00, standard deviation 1.00\n")
finished = {}
for name, step in {"alternating": alternate, "apart": separately, "real only": real_only}.items():
    finished[name] = [
        training.train(training.Run(recipe(1, step), line_points, seed=seed), steps=STEPS) for seed in range(3)
    ]
    for trained in finished[name]:
        drawn = training.sample(trained.generator, 5000)  # (5000, 1)
        answer = trained.discriminator(drawn.to(place)).sigmoid().mean().item()
        moments = f"mean {drawn.mean():7.2f}, standard deviation {drawn.std():5.2f}"
        print(f"{name:>11}, seed {trained.seed}: {moments}, D(fake) {answer:.2f}")

# %% [markdown]
# *Apart* fails because D's slope is knowledge about the fakes **of that moment**. D has only learned to tell samples near 0
# from samples near 4, and is sure of "real" from about 1 on (D(fake) is 1). So the fakes stop there, far short of 4, and no
# D tells them that they are fakes still. *Real only* fails because "everything is real" costs such a D nothing: it says so about the
# fakes too, and its slope means nothing. They are trained **together, in turns, D on both kinds of samples**.

# %% [markdown]
# ## 7 Train in two dimensions
# The same game in the plane, where D is a map and the pushes are a field of arrows. Real samples come from a tilted
# normal. Nothing in the code changes but the sizes.

# %%
MEAN, COVARIANCE = (2.0, 1.5), ((1.0, 0.6), (0.6, 0.5))
plane_points = toy.PointSet(
    functools.partial(toy.normal, mean=MEAN, covariance=COVARIANCE), dim=2, name="a tilted normal"
)
STEPS_2D = device.by_profile(smoke=30, laptop=2500, gpu=2500)
where = plots_2d.plane(-3.0, 5.0)  # (1600, 2)
run_2d = training.Run(recipe(2), plane_points, seed=0)
watch_2d = Watch(run_2d, where, STEPS_2D, count=250)
run_2d = training.train(run_2d, steps=STEPS_2D, callbacks=[watch_2d, training.ProgressBar()], log_every=10)

# %%
shown = toy.normal(250, MEAN, COVARIANCE, generator=torch.Generator().manual_seed(1))  # (250, 2)


def draw_moments_2d(moments, columns=3):
    """The given moments of the game in the plane."""
    figure, axes = plots_2d.panels(
        columns, -(-len(moments) // columns), width=3.4, height=3.3, sharex=True, sharey=True
    )
    for axis, now in zip(axes, moments, strict=False):
        picture = plots_2d.draw_plane(axis, now, where, shown)
        axis.label_outer()
    axes[0].legend(frameon=True, fontsize=7, loc="lower right", markerscale=2)
    figure.colorbar(picture, ax=axes, label="D(x)", shrink=0.8)
    return figure


frames = [draw_moments_2d([now], columns=1) for now in watch_2d.moments]
steps = [now.step for now in watch_2d.moments]
plots_2d.step_slider(frames, [f"the game in the plane at step {step}" for step in steps], "step", steps)

# %%
chosen = [watch_2d.moments[min(i, len(watch_2d.moments) - 1)] for i in (0, 2, 3, 5, 6, 11)]
plots.show(
    draw_moments_2d(chosen),
    alt="Six moments in the plane. The fakes start as a small cloud near the origin; D's map is green on the "
    "real cloud and pink on the fakes; "
    "arrows push the fakes over; at the end both clouds cover each other and the map is pale around them.",
)
drawn = training.sample(run_2d.generator, 5000)  # (5000, 2)
print("mean        real", list(MEAN), " fakes", [round(number, 2) for number in drawn.mean(0).tolist()])
print(
    "covariance  real",
    [list(row) for row in COVARIANCE],
    " fakes",
    [[round(n, 2) for n in row] for row in drawn.T.cov().tolist()],
)

# %% [markdown]
# The fakes do not spread over the real cloud at once. They set off as a lump, come to lie on one side of the cloud, and are
# pushed back, too far, as D's map turns round (move the slider from step 35 to 808 and watch where the green is). Two
# learners that chase each other need not walk straight to the solution. Lesson 04 takes up from here.

# %% [markdown]
# ## 8 Latent space
# The **latent space** is where z lives. G is a map from it into the space of data, and in one dimension you can draw the
# whole map. Which functions turn N(0, 1) into N(4, 1)? Two straight lines do: 4 + z and 4 - z. Here is what three
# generators found.

# %%
z_line = torch.linspace(-3, 3, 121)[:, None]  # (121, 1)
figure, (axis,) = plots_2d.panels(1, width=6, height=3.2)
for sign, style in ((1, ":"), (-1, "-.")):
    axis.plot(z_line, 4 + sign * z_line, color="black", linestyle=style, label=f"x = 4 {'+' if sign > 0 else '-'} z")
for colour, trained in zip(plots.COLOURS, finished["alternating"], strict=False):
    with torch.no_grad():
        axis.plot(z_line, trained.generator(z_line.to(place)).cpu(), color=colour, label=f"G, seed {trained.seed}")
axis.fill_between(
    z_line[:, 0], 0, 3 * normal_density(z_line[:, 0]), color="grey", alpha=0.3, label="how often z is drawn"
)
axis.set(xlabel="z", ylabel="x = G(z)", ylim=(0, 9.5))
axis.legend(frameon=False, fontsize=8, ncols=2, loc="upper center")
plots.show(
    figure,
    alt="Two straight lines, one rising and one falling, and three learned maps; each follows one of the "
    "lines where z is likely.",
)

# %% [markdown]
# Nothing in the game prefers one direction to the other; the start decides. So **the meaning of a latent direction is an
# accident of the run**, unless something in the loss ties it down (lessons 06 and 07).
#
# For images the map cannot be drawn, but it can be visited. This is the generator that ships with the course, as in lesson
# 00, and a flat sheet of its 100-dimensional latent space: one code in the centre, two directions. (The codes in the corners
# are longer than usual, by a factor of about 1.7, and lesson 00 has shown what that does to strokes.)

# %%
digits, card = training.load_network("dcgan-fast-mnist")
codes = torch.randn(
    3, digits.latent_dim, generator=torch.Generator().manual_seed(11)
)  # (3, 100): a middle, two directions
reach = torch.linspace(-1, 1, 9)
sheet = codes[0] + reach[:, None, None] * codes[1] + reach[None, :, None] * codes[2]  # (9, 9, 100)
with torch.no_grad():
    drawn_digits = digits(sheet.flatten(0, 1).to(place)).cpu()  # (81, 1, 28, 28)
plots.show(
    plots.grid(drawn_digits, "a sheet of the latent space", columns=9, height=4.0),
    alt="Nine by nine digits that change smoothly from one to the next in both directions.",
)

# %%
explorer = widgets.LatentExplorer(digits, digits.latent_dim, seed=5)
explorer

# %%
plots.show(
    explorer.figure(), alt="Five strips of digits: four directions in the latent space, and a walk between two codes."
)

# %% [markdown]
# ## 9 Break it
# > **Myth** "The discriminator is trained until it converges, and then it is the generator's turn."
#
# The theory of section 4 seems to ask for just that: best D first, then a step of G down V(D*). Do it exactly. Let p =
# N(0, 1), and let the generator have a single parameter: G(z) = z + θ, so that q = N(θ, 1). The best D is known: its
# logit is $\log p - \log q = \theta^2/2 - \theta x$. Freeze it, and compute the slope of G's loss with respect to θ, as
# an integral over z:
#
# - with the **minimax** loss E log(1 - D(G(z))), the slope is $\theta\, \mathbb{E}\,D(G(z))$;
# - with the **non-saturating** loss -E log D(G(z)), it is $\theta\,\big(1 - \mathbb{E}\,D(G(z))\big)$.
#
# (Each is the derivative with respect to the logit, times the logit's slope -θ, averaged.)


# %%
def slope_at_best(theta, loss):
    """The slope of G's loss with respect to theta, while D stays the best one against this very theta."""
    moving = torch.tensor(theta, dtype=torch.float64, requires_grad=True)
    fake = x + moving  # the grid x serves as z here
    logits = theta**2 / 2 - theta * fake  # D*, frozen: `theta` is a plain number
    per_z = {"minimax": -F.softplus(logits), "non_saturating": F.softplus(-logits)}[loss]
    (slope,) = torch.autograd.grad(integral(normal_density(x) * per_z), moving)
    return slope.item()


def worth_at(theta):
    """V(D*) between N(0, 1) and N(theta, 1)."""
    return apart(theta)[2]


print("distance   D(fake)     minimax   slope of V(D*)   non-saturating")
for theta in (1.0, 2.0, 4.0, 6.0, 8.0, 10.0):
    doubt = integral(normal_density(x, theta) * torch.sigmoid(theta**2 / 2 - theta * x))  # E D(G(z))
    by_difference = (worth_at(theta + 1e-4) - worth_at(theta - 1e-4)) / 2e-4
    minimax, cure = slope_at_best(theta, "minimax"), slope_at_best(theta, "non_saturating")
    assert abs(minimax - theta * doubt) < 1e-9 and abs(cure - theta * (1 - doubt)) < 1e-9
    print(f"{theta:8.0f}   {doubt:.1e}   {minimax:.2e}   {by_difference:14.2e}   {cure:14.2f}")

# %% [markdown]
# The third and the fourth column agree: at the best D, the minimax slope **is** the slope of 2 JS - log 4. And that
# landscape was flat far from home (section 4). The better D is, the surer it rejects the fakes, and the minimax gradient
# is *proportional to its doubt*. The generator needs help most where it gets least.
#
# **The cure is one change: the non-saturating loss.** Same D, same fixed point, but a gradient proportional to D's
# certainty. Walk down both.

# %%
figure, axes = plots_2d.panels(2, width=4.8, height=3.1)
for colour, style, loss in zip(plots.COLOURS, ("-", "--"), ("minimax", "non_saturating"), strict=False):
    path = [10.0]
    for _ in range(200):
        path.append(path[-1] - 0.1 * slope_at_best(path[-1], loss))
    axes[0].plot(path, color=colour, linestyle=style, label=loss)
    print(f"{loss:>15}: distance {path[0]:.3f} at the start, {path[-1]:.3f} after 200 steps")
axes[0].set(title="G against the best D", xlabel="step of gradient descent", ylabel="distance θ", ylim=(-0.5, 11))
axes[0].legend(frameon=False)

# The same with networks: G does not move; D has trained for more and more steps; what gradient would G get?
marks = device.by_profile(
    smoke=(0, 1, 5), laptop=(0, 1, 3, 10, 30, 100, 300, 1000, 2000), gpu=(0, 1, 3, 10, 30, 100, 300, 1000, 2000)
)
seeds = device.by_profile(smoke=2, laptop=5, gpu=5)
norms = {loss: torch.zeros(seeds, len(marks)) for loss in ("minimax", "non_saturating")}
for seed in range(seeds):
    frozen = training.Run(recipe(1), line_points, seed=seed)
    z = frozen.noise(1000)
    for step in range(marks[-1] + 1):
        if step in marks:
            for loss, found in norms.items():
                g_loss = losses.LOSSES[loss].generator(frozen.discriminator(frozen.generator(z)))
                slopes = torch.autograd.grad(g_loss, list(frozen.generator.parameters()))
                found[seed, marks.index(step)] = torch.cat([slope.flatten() for slope in slopes]).norm()
        frozen.progress = step / marks[-1]  # D's rate falls on a line to 0, so that D comes to rest
        frozen.set_learning_rates()
        real, _ = frozen.data.batch(256, frozen.rng)
        training.d_step(frozen, real, frozen.generator(frozen.noise(256)).detach())
for colour, style, (loss, found) in zip(plots.COLOURS, ("-", "--"), norms.items(), strict=False):
    turns = [mark + 1 for mark in marks]
    axes[1].loglog(turns, found.median(0).values, "o", linestyle=style, color=colour, label=f"{loss}, median")
    axes[1].loglog(turns, found.T, color=colour, linewidth=0.6, alpha=0.5)
axes[1].set(title="Networks: D trains, G waits", xlabel="steps of D + 1", ylabel="norm of G's gradient")
axes[1].legend(frameon=False)
plots.show(
    figure,
    alt="Left: with the minimax loss the distance stays at 10, with the non-saturating loss it falls to 0. "
    "Right: as D trains, the norm of G's minimax gradient falls by orders of magnitude and the non-saturating one "
    "does not; thin lines are single seeds.",
)
for loss, found in norms.items():
    first, last = found[:, 0].median(), found[:, -1].median()
    print(f"{loss:>15}, median of {seeds} seeds: {first:.1e} at first, {last:.1e} after {marks[-1]} steps of D")

# %% [markdown]
# Arjovsky and Bottou (2017) did this on images and found the same fall. Five notes, so that you do not learn too much
# from it:
# - Single runs, the thin lines, differ, and one hardly falls: a few fakes on which D is less sure are enough to keep the
#   minimax norm up. Even the median of five may rise at one point. Read the trend and not a point.
# - The non-saturating gradient does not only survive, it *grows*, by a factor of hundreds. Against a D that is much too good it
#   is large and unsteady: one more reason not to train D to the end.
# - It is the minimax gradient that vanishes, and it does so where D(G(z)) is near **0**, not near 1.
# - Adam divides by the size of recent gradients, which hides a small gradient for a while. That is why the walk above is
#   plain gradient descent.
# - In practice D and G alternate in small steps, and D is never at its best. Both remedies are in use at once.
#
# So what of the myth? With the minimax loss, "first the best D, then G" stands still when the two start far apart. With the
# non-saturating loss it works here (on the left, D was at its best in every step), where the best D is a formula and costs
# nothing. A network needs hundreds of steps to come close to it, for one step of G, and what it has learned is stale after
# that step. Nobody trains like this: they alternate. (*Apart*, in section 6, was the myth taken at its word.)
#
# There is the opposite way to break it: a D that says 0.5 everywhere. That is not a D that has lost; it is one that
# gives **no** direction.

# %%
flat = networks.PointDiscriminator(1, (8,))
nn.init.zeros_(flat.layers[-1].weight)
nn.init.zeros_(flat.layers[-1].bias)
indifferent = plots_2d.moment(generator, flat, torch.randn(100, 1), x_line[:, None], "non_saturating")
low, high = indifferent.answers.aminmax()
print(f"D answers {low:.2f} to {high:.2f}; the largest push on a fake is {indifferent.push.abs().max():.1f}")

# %% [markdown]
# ## 10 Ten years in one figure
# > **Myth** "GANs were proposed by Goodfellow and LeCun."
#
# The paper is by Ian Goodfellow, Jean Pouget-Abadie, Mehdi Mirza, Bing Xu, David Warde-Farley, Sherjil Ozair, Aaron
# Courville and Yoshua Bengio ([arXiv 1406.2661](https://arxiv.org/abs/1406.2661), NIPS 2014). Yann LeCun is not among
# them.
#
# The figure dates each work by its **first version on arXiv** (the first four digits of its number are year and month),
# not by the conference, which often came a year later. The one exception is R3GAN, shown at NeurIPS in December 2024;
# its arXiv number is of January 2025.

# %%
HISTORY = [  # arXiv number, name, authors, kind
    ("1406.2661", "GAN", "Goodfellow et al.", "game"),
    ("1411.1784", "conditional GAN", "Mirza, Osindero", "control"),
    ("1511.06434", "DCGAN", "Radford, Metz, Chintala", "networks"),
    ("1606.03657", "InfoGAN", "Chen et al.", "control"),
    ("1611.07004", "pix2pix", "Isola et al.", "control"),
    ("1701.07875", "WGAN", "Arjovsky, Chintala, Bottou", "game"),
    ("1703.10593", "CycleGAN", "Zhu et al.", "control"),
    ("1704.00028", "WGAN-GP", "Gulrajani et al.", "game"),
    ("1706.08500", "TTUR, and the FID", "Heusel et al.", "game"),
    ("1710.10196", "Progressive GAN", "Karras et al.", "networks"),
    ("1711.09020", "StarGAN", "Choi et al.", "control"),
    ("1802.05957", "SNGAN", "Miyato et al.", "game"),
    ("1809.11096", "BigGAN", "Brock, Donahue, Simonyan", "networks"),
    ("1812.04948", "StyleGAN", "Karras, Laine, Aila", "networks"),
    ("1912.04958", "StyleGAN2", "Karras et al.", "networks"),
    ("2006.06676", "StyleGAN2-ADA", "Karras et al.", "game"),
    ("2006.11239", "DDPM, a diffusion model", "Ho, Jain, Abbeel", "no GAN"),
    ("2106.12423", "StyleGAN3", "Karras et al.", "networks"),
    ("2303.05511", "GigaGAN", "Kang et al.", "networks"),
    ("2412", "R3GAN", "Huang et al., NeurIPS 2024", "game"),
]
KINDS = {
    "game": "the game: losses, training, judging",
    "control": "what is drawn: conditions, codes, translation",
    "networks": "networks and scale",
    "no GAN": "for contrast: no GAN",
}

figure, (axis,) = plots_2d.panels(1, width=9.5, height=6)
for row, (number, name, authors, kind) in enumerate(HISTORY):
    year = 2000 + int(number[:2]) + (int(number[2:4]) - 0.5) / 12
    colour = plots.COLOURS[list(KINDS).index(kind)] if kind != "no GAN" else "grey"
    axis.plot(year, row, "s" if kind == "no GAN" else "o", color=colour)
    late = year > 2018.5
    axis.text(
        year + (-0.15 if late else 0.15),
        row,
        f"{name} ({authors})",
        ha="right" if late else "left",
        va="center",
        fontsize=9,
    )
for index, (kind, label) in enumerate(KINDS.items()):
    axis.plot(
        [],
        [],
        "s" if kind == "no GAN" else "o",
        color="grey" if kind == "no GAN" else plots.COLOURS[index],
        label=label,
    )
axis.set(xlim=(2014, 2025.3), ylim=(len(HISTORY), -1), xlabel="first version", yticks=[], xticks=range(2014, 2026))
axis.grid(axis="x", alpha=0.3)
axis.legend(frameon=True, loc="upper right", fontsize=9)
plots.show(
    figure,
    alt="A timeline: " + ", ".join(f"20{number[:2]} {name} by {authors}" for number, name, authors, _ in HISTORY) + ".",
)

# %% [markdown]
# Read it by colours. First the game was found, and within half a year the first way to say what is drawn (conditional
# GAN). Then networks that could play it well (DCGAN), and more ways to steer it (InfoGAN, pix2pix, CycleGAN). 2017 repaired
# the game (WGAN, WGAN-GP) and gave it a measure (FID); from 2018 it grew. After 2020 diffusion models took over most of image synthesis (lesson 11); GANs kept what needs one fast
# pass, and R3GAN showed how far the plain recipe reaches with a sound loss.

# %% [markdown]
# ## 11 Exercises
# **Exercise 2** · easy · 5 minutes
#
# Write the best discriminator. `p` and `q` are the densities of real and generated samples at the same spots, never both 0.


# %% exercise="optimal_discriminator"
def optimal_discriminator(p, q):
    """Densities of real and of generated samples, (N,) each -> D* in [0, 1], (N,)."""
    ### BEGIN SOLUTION
    return p / (p + q)
    ### END SOLUTION


# %%
checks.lesson01.optimal_discriminator(optimal_discriminator)

# %% [markdown]
# <details><summary>Hint 1</summary>
#
# Which share of the samples that fall at this spot is real? Your answer to exercise 1 is one case of it.
#
# </details>
#
# <details><summary>Hint 2</summary>
#
# Each spot for itself: no sum over the spots, no normalising.
#
# </details>
#
# <!-- solution: optimal_discriminator -->

# %% [markdown]
# **Exercise 3** · medium · 10 minutes
#
# Write the value of the game against the best discriminator, V(D*), from two densities on a grid whose points are `dx`
# apart. Approximate the integral by a sum times `dx`. Mind the places where one density is 0, or both: what is 0 log 0
# to be?


# %% exercise="value_at_best"
def value_at_best(p, q, dx):
    """Densities (N,) on a grid with spacing dx -> V(D*), a scalar tensor."""
    ### BEGIN SOLUTION
    best = torch.where(p + q > 0, p / (p + q), 0.5)  # where both are 0 any answer will do
    return (torch.xlogy(p, best) + torch.xlogy(q, 1 - best)).sum() * dx
    ### END SOLUTION


# %%
checks.lesson01.value_at_best(value_at_best)

# %% [markdown]
# <details><summary>Hint 1</summary>
#
# Step 1 of section 4 is the integral. Put D* into it; the Jensen-Shannon divergence is not needed.
#
# </details>
#
# <details><summary>Hint 2</summary>
#
# `torch.xlogy(a, b)` is a log b, and 0 where a is 0. A plain `0 * torch.log(0)` is NaN. `torch.where(condition, x, y)`
# helps where D* is 0/0.
#
# </details>
#
# <!-- solution: value_at_best -->

# %% [markdown]
# **Exercise 4** · medium · 10 minutes
#
# Write both players' losses of the **minimax** game, as optimizers want them: each is *minimised* by its player. Inputs
# are logits, not probabilities. Your losses must stay exact at logits of ±120, where `torch.log(torch.sigmoid(l))` does
# not.


# %% exercise="minimax_losses"
def minimax_losses(real_logits, fake_logits):
    """Logits (N,), (N,) -> (what D minimises, what G minimises), two scalar tensors."""
    ### BEGIN SOLUTION
    d_loss = F.softplus(-real_logits).mean() + F.softplus(fake_logits).mean()
    g_loss = -F.softplus(fake_logits).mean()
    return d_loss, g_loss
    ### END SOLUTION


# %%
checks.lesson01.minimax_losses(minimax_losses)

# %% [markdown]
# <details><summary>Hint 1</summary>
#
# D maximises E log D(x) + E log(1 - D(G(z))). To minimise instead, turn the sign. G minimises the second term as it stands.
#
# </details>
#
# <details><summary>Hint 2</summary>
#
# log sigmoid(l) = -softplus(-l), and log(1 - sigmoid(l)) = -softplus(l).
#
# </details>
#
# <!-- solution: minimax_losses -->

# %% [markdown]
# **Exercise 5** · hard · 15 minutes
#
# Some methods give D more turns than G (lesson 05). Write one round: D moves once on each pair `reals[i]`, `codes[i]`;
# then G moves **once**, on the last codes, with the non-saturating loss. Every gradient must reach the right player
# only, and none may be left over from an earlier turn.


# %% exercise="one_round"
def one_round(generator, discriminator, g_optimizer, d_optimizer, reals, codes):
    """Reals (k, n, dim), codes (k, n, latent_dim): k steps of D, then one of G. Returns the last (d_loss, g_loss)."""
    ### BEGIN SOLUTION
    for real, z in zip(reals, codes, strict=True):
        fake = generator(z)  # (n, dim)
        d_loss = F.softplus(-discriminator(real)).mean() + F.softplus(discriminator(fake.detach())).mean()
        d_optimizer.zero_grad()
        d_loss.backward()
        d_optimizer.step()
    g_loss = F.softplus(-discriminator(fake)).mean()
    g_optimizer.zero_grad()
    g_loss.backward()
    g_optimizer.step()
    return d_loss.item(), g_loss.item()
    ### END SOLUTION


# %%
checks.lesson01.one_round(one_round)

# %% [markdown]
# <details><summary>Hint 1</summary>
#
# Section 5 has a round with k = 1. Which of its lines go into a loop, and which stand after it?
#
# </details>
#
# <details><summary>Hint 2</summary>
#
# `zero_grad` before every `backward`. `detach` in D's part; no `detach` in G's, or G gets no gradient.
#
# </details>
#
# <!-- solution: one_round -->

# %% [markdown]
# **Exercise 6** · hard · 10 minutes
#
# Here is a run that went wrong. Somebody wrote the step below; the lines of its body are numbered. Run the cell, read
# the numbers, and find **the one line** that did it.


# %%
def suspicious_step(generator, discriminator, g_optimizer, d_optimizer, real, z):
    """One step of each player, with one line that is wrong."""
    fake = generator(z)  # line 1
    d_loss = F.softplus(-discriminator(real)).mean() + F.softplus(discriminator(fake.detach())).mean()  # line 2
    d_optimizer.zero_grad(), d_loss.backward(), d_optimizer.step()  # line 3
    fake_logits = discriminator(fake)  # line 4
    g_loss = F.softplus(fake_logits).mean()  # line 5
    g_optimizer.zero_grad(), g_loss.backward(), g_optimizer.step()  # line 6
    return d_loss.item(), fake_logits.sigmoid().mean().item()


wrong = training.Run(recipe(1), line_points, seed=0)
parts = wrong.generator, wrong.discriminator, wrong.g_optimizer, wrong.d_optimizer
print("step   D's loss   D(fake)   mean of the fakes (real: 4.00)")
for step in range(301):
    real, _ = wrong.data.batch(256, wrong.rng)
    z = wrong.noise()
    d_loss, answer = suspicious_step(*parts, real, z)
    if step % 50 == 0:
        print(f"{step:4d}   {d_loss:8.4f}   {answer:7.4f}   {wrong.generator(z).mean().item():.2f}")

# %% exercise="which_line"
### BEGIN SOLUTION
guilty = 5
### STUB
# guilty = None  # replace None by the number of the line, 1 to 6
### END SOLUTION

# %%
checks.lesson01.which_line(guilty)

# %% [markdown]
# <details><summary>Hint 1</summary>
#
# Do the fakes stand still, or do they move? In which direction: towards the real samples or away from them?
#
# </details>
#
# <details><summary>Hint 2</summary>
#
# G's loss should become small when D(fake) is near 1. Try each line's loss with a logit of +5 and of -5.
#
# </details>
#
# <!-- solution: which_line -->

# %% [markdown]
# ## 12 Summary
# - A generative model is something that you can sample. Its density may be explicit or, as in a GAN, only implied by
#   samples.
# - The best discriminator answers p/(p+q). The game is then worth 2 JS(p, q) - log 4, at least -log 4, and just that
#   where q = p.
# - G never sees a real sample. It learns from D's slope at its own fakes.
# - The players alternate. Each loss reaches its own player, and D sees real and generated samples in every step.
# - Against a perfect D the minimax gradient vanishes where real and fake hardly overlap, because it is proportional to D's
#   doubt. The non-saturating loss mends it.
#
# **Answer without looking**
# 1. Which of these have an explicit density: a fitted normal, a DCGAN, a fitted die?
# 2. Derive D* for one x. Where does the logarithm of 4 come from?
# 3. D's loss is 1.386. Name two very different states of the game in which that happens.
# 4. Why does D have to see fakes? Why does it have to see *new* fakes?
# 5. What is D(G(z)) where the minimax gradient vanishes, and why?
#
# **Next** Lesson 02: the same game with images, built from nothing.
#
# **References**
# - I. Goodfellow, J. Pouget-Abadie, M. Mirza, B. Xu, D. Warde-Farley, S. Ozair, A. Courville, Y. Bengio:
#   [Generative Adversarial Networks](https://arxiv.org/abs/1406.2661), NIPS 2014. The value function is equation 1, the best
#   discriminator proposition 1, the value at the optimum theorem 1.
# - M. Arjovsky, L. Bottou: [Towards Principled Methods for Training Generative Adversarial
#   Networks](https://arxiv.org/abs/1701.04862), ICLR 2017. The vanishing gradient against a nearly perfect discriminator.
# - S. Mohamed, B. Lakshminarayanan: [Learning in Implicit Generative Models](https://arxiv.org/abs/1610.03483), 2016.
#   Explicit and implicit models.
# - The history figure: [conditional GAN](https://arxiv.org/abs/1411.1784), [DCGAN](https://arxiv.org/abs/1511.06434),
#   [InfoGAN](https://arxiv.org/abs/1606.03657), [pix2pix](https://arxiv.org/abs/1611.07004),
#   [WGAN](https://arxiv.org/abs/1701.07875), [CycleGAN](https://arxiv.org/abs/1703.10593),
#   [WGAN-GP](https://arxiv.org/abs/1704.00028), [TTUR and FID](https://arxiv.org/abs/1706.08500), [Progressive
#   GAN](https://arxiv.org/abs/1710.10196), [StarGAN](https://arxiv.org/abs/1711.09020),
#   [SNGAN](https://arxiv.org/abs/1802.05957), [BigGAN](https://arxiv.org/abs/1809.11096),
#   [StyleGAN](https://arxiv.org/abs/1812.04948), [StyleGAN2](https://arxiv.org/abs/1912.04958),
#   [ADA](https://arxiv.org/abs/2006.06676), [DDPM](https://arxiv.org/abs/2006.11239),
#   [StyleGAN3](https://arxiv.org/abs/2106.12423), [GigaGAN](https://arxiv.org/abs/2303.05511),
#   [R3GAN](https://arxiv.org/abs/2501.05441).
