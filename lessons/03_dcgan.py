# %% [markdown]
# # DCGAN: convolutions, and the rules that made them train
#
# {{badges}}
#
# **Time** 3 to 6 minutes of computing on a two-core laptop, about two hours with the exercises; on a T4 not measured yet.
#
# **You need** lesson 02 (the two steps of a GAN, the loop) and what a convolution is.
#
# In this lesson you will
# - write both networks of the DCGAN layer by layer and know every shape without counting,
# - find out which rules of the paper matter here, by breaking them one at a time,
# - measure what a straight walk between two codes does wrong, do arithmetic with codes, and switch single units off,
# - see checkerboards in a spectrum, and what removes them,
# - understand what makes the recipe `dcgan-fast` different from the paper's.
#
# **Contents** 1 Set up · 2 Predict · 3 Build · 4 Train · 5 Against lesson 02's GAN · 6 Break the rules · 7 Time against
# quality · 8 Walk between codes · 9 Arithmetic with codes · 10 What single units draw · 11 Checkerboards · 12 Break it ·
# 13 Exercises · 14 Summary

# %% [markdown]
# ## 1 Set up

# %%
# {{setup}}

# %%
import dataclasses
import json
import math
from functools import partial
from pathlib import Path
from statistics import mean, stdev

import torch
import torch.nn.functional as F
from matplotlib.figure import Figure
from torch import nn

from gan_course import checks, data, device, methods, metrics, networks, plots, training, widgets
from gan_course.networks import ablations

device.announce(laptop="3 to 6 minutes on two CPU cores", gpu="not measured yet, less than on a CPU")

RESULTS = Path(methods.__file__).parent / "assets" / "results"
digits, test_digits = data.load("mnist"), data.load("mnist", "test")
extractor = metrics.extractor_for("mnist", digits.image_shape)
count = device.by_profile(smoke=300, laptop=5_000, gpu=10_000)
real_features = extractor(test_digits.images[:count])

# %% [markdown]
# A few small helpers that the whole lesson uses. FD (digit features) was introduced in lesson 00: lower is better, and a number
# belongs to its features and to its number of samples.


# %%
def draw(generator, codes, batch_size=500):
    """Codes (N, latent_dim) to images (N, 1, 28, 28) on the CPU, with the generator in evaluation mode."""
    with torch.inference_mode(), widgets.raster.eval_mode(generator):
        return torch.cat([generator(part.to(device.get())).float().cpu() for part in codes.split(batch_size)])


def fd(images):
    """FD (digit features) of float images (N, 1, 28, 28) against as many test digits."""
    return metrics.frechet_distance(real_features, extractor(data.to_uint8(images)))


def log_axis(axis, values):
    """A logarithmic axis for FDs, with round numbers at its ticks."""
    low, high = 0.8 * min(values), 1.25 * max(values)
    axis.set_xscale("log")
    axis.minorticks_off()
    ticks = [digit * 10**power for power in range(5) for digit in (1, 2, 5) if low <= digit * 10**power <= high]
    axis.set_xticks(ticks, [f"{tick:,}" for tick in ticks], rotation=45)
    axis.set_xlim(low, high)


def codes_from(seed, n, latent_dim=100):
    """n codes from N(0, 1): (n, latent_dim)."""
    return torch.randn(n, latent_dim, generator=torch.Generator().manual_seed(seed))


# %% [markdown]
# ## 2 Predict
# In 2015 GANs with convolutions mostly failed to train. Radford, Metz and Chintala tried many architectures and wrote
# down what the ones that worked had in common: their DCGAN. Their rules, and one way to break each:

# %%
for name, variant in ablations.VARIANTS.items():
    print(
        f"{name:<28} breaks the rule: {variant.rule}" if name != "all rules kept" else f"{name:<28} the paper's rules"
    )

# %% [markdown]
# Commit yourself before you read on. Replace each `None`. The answers come in sections 6 and 8.
# 1. Which broken rule makes the result **worst** on MNIST? Write its name as above.
# 2. Codes with 100 numbers from N(0, 1) are about 10 long. How long is the point **halfway on the straight line** between
#    two of them?

# %%
worst_guess = None  # for example "pooling in D"
halfway_guess = None  # for example 10

# %% [markdown]
# ## 3 Build
# ### 3.1 Sizes
# A convolution with kernel $k$, stride $s$ and padding $p$ turns a side of $n$ pixels into
#
# $$ n' = \left\lfloor \frac{n + 2p - k}{s} \right\rfloor + 1 . $$
#
# A **transposed** convolution goes the other way. With output padding $q$ its output has
#
# $$ n' = (n - 1)\,s - 2p + k + q $$
#
# pixels. With $k = 4, s = 2, p = 1$ the first halves every even side and the second doubles every side. That is all the
# resizing that a DCGAN does. Trust no formula, try it:

# %%
for n, k, s, p in [(28, 4, 2, 1), (14, 4, 2, 1), (28, 3, 1, 1), (28, 5, 2, 2), (13, 5, 3, 0)]:
    down = nn.Conv2d(1, 1, k, s, p)(torch.zeros(1, 1, n, n)).shape[-1]
    up = nn.ConvTranspose2d(1, 1, k, s, p)(torch.zeros(1, 1, n, n)).shape[-1]
    assert down == (n + 2 * p - k) // s + 1 and up == (n - 1) * s - 2 * p + k
    print(f"n {n:2}, kernel {k}, stride {s}, padding {p}:  convolution {down:2}, transposed {up:2}")

# %% [markdown]
# Is the transposed convolution an inverse? No. It is the **transpose** of the matrix that the convolution is: for
# every $x$ and $y$, $\langle \mathrm{conv}(x), y \rangle = \langle x, \mathrm{conv}^\top(y) \rangle$. So it is also what
# backpropagation computes for the input of a convolution.

# %%
weight = torch.randn(3, 2, 4, 4, generator=torch.Generator().manual_seed(0))  # (out, in, kernel, kernel) for conv2d
x = torch.randn(1, 2, 28, 28, generator=torch.Generator().manual_seed(1))
y = torch.randn(1, 3, 14, 14, generator=torch.Generator().manual_seed(2))
left = (F.conv2d(x, weight, stride=2, padding=1) * y).sum()
right = (x * F.conv_transpose2d(y, weight, stride=2, padding=1)).sum()
assert torch.allclose(left, right, rtol=1e-3)
round_trip = F.conv_transpose2d(F.conv2d(x, weight, stride=2, padding=1), weight, stride=2, padding=1)
print(f"<conv(x), y> = {left:.3f}   <x, conv^T(y)> = {right:.3f}")
print(f"but conv^T(conv(x)) is not x: they differ by {(round_trip - x).abs().mean():.1f} a pixel on average")

# %% [markdown]
# ### 3.2 The generator
# A code becomes a small square with many channels. Then each step doubles the square and halves the channels. Read the
# comments like a table: they are the shapes.


# %%
class Generator(nn.Module):
    """z (N, 100) to images (N, 1, 28, 28) in [-1, 1]."""

    def __init__(self, latent_dim=100, width=64):
        super().__init__()
        self.width = width
        self.project = nn.Linear(latent_dim, 2 * width * 7 * 7, bias=False)
        self.norm1 = nn.BatchNorm2d(2 * width)
        self.up1 = nn.ConvTranspose2d(2 * width, width, 4, stride=2, padding=1, bias=False)
        self.norm2 = nn.BatchNorm2d(width)
        self.up2 = nn.ConvTranspose2d(width, 1, 4, stride=2, padding=1)

    def forward(self, z):  # (N, 100)
        x = self.project(z)  # (N, 6272)
        x = x.view(len(z), 7, 7, 2 * self.width).permute(0, 3, 1, 2)  # (N, 128, 7, 7)
        x = F.relu(self.norm1(x))  # (N, 128, 7, 7)
        x = self.up1(x)  # (N, 64, 14, 14)
        x = F.relu(self.norm2(x))  # (N, 64, 14, 14)
        x = self.up2(x)  # (N, 1, 28, 28)
        return torch.tanh(x)  # (N, 1, 28, 28), in [-1, 1]


# %% [markdown]
# Three details.
# - The **first layer** is called a transposed convolution of a 1 x 1 image in many programs. It is the same map as this linear
#   layer, which is faster.
# - **No bias before BatchNorm**: BatchNorm subtracts the mean, and with it any bias.
# - **The last layer** has a bias, a tanh and no BatchNorm. The mean and the contrast of the images are for the generator
#   to choose, not for a normalisation.
#
# Is it the package's network? Copy the weights and compare.


# %%
def copy_weights(source, target):
    """Give target the numbers of source: both must have the same tensors in the same order."""
    values = [tensor.clone() for tensor in source.state_dict().values()]
    target.load_state_dict(dict(zip(target.state_dict(), values, strict=True)))


torch.manual_seed(0)
theirs = networks.DCGANGenerator(latent_dim=100, image_size=28, channels=1, width=64)
mine = Generator()
copy_weights(theirs, mine)
z = codes_from(0, 8)
assert torch.allclose(mine(z), theirs(z), atol=1e-6)
print(f"the same images, from {networks.blocks.count_parameters(mine):,} parameters")

# %% [markdown]
# **BatchNorm** is one line. Each channel is brought to mean 0 and variance 1 over the batch and all its pixels, then gets a
# scale and a shift that are learned. (While training; in evaluation mode it uses running averages instead. Section 12.)

# %%
x = 3 + 5 * torch.randn(16, 4, 7, 7, generator=torch.Generator().manual_seed(0))  # (N, C, H, W)
norm = nn.BatchNorm2d(4)
centre, spread = x.mean((0, 2, 3), keepdim=True), x.var((0, 2, 3), keepdim=True, correction=0)  # (1, C, 1, 1)
by_hand = (x - centre) / (spread + norm.eps).sqrt() * norm.weight.view(1, 4, 1, 1) + norm.bias.view(1, 4, 1, 1)
assert torch.allclose(by_hand, norm(x), atol=1e-5)
print(
    f"before: mean {x.mean():.2f}, standard deviation {x.std():.2f};  after: {by_hand.mean():.2f}, {by_hand.std():.2f}"
)

# %% [markdown]
# ### 3.3 The discriminator
# The way back: each step halves the square and doubles the channels. A strided convolution does the halving, so that the
# network learns how to shrink an image. It ends in one number, the **logit**, not in a sigmoid (lesson 02 says why).


# %%
class Discriminator(nn.Module):
    """Images (N, 1, 28, 28) to logits (N,)."""

    def __init__(self, width=64):
        super().__init__()
        self.down1 = nn.Conv2d(1, width, 4, stride=2, padding=1)
        self.down2 = nn.Conv2d(width, 2 * width, 4, stride=2, padding=1, bias=False)
        self.norm2 = nn.BatchNorm2d(2 * width)
        self.judge = nn.Linear(2 * width * 7 * 7, 1)

    def forward(self, images):  # (N, 1, 28, 28)
        x = F.leaky_relu(self.down1(images), 0.2)  # (N, 64, 14, 14)
        x = self.down2(x)  # (N, 128, 7, 7)
        x = F.leaky_relu(self.norm2(x), 0.2)  # (N, 128, 7, 7)
        x = x.permute(0, 2, 3, 1).flatten(1)  # (N, 6272)
        return self.judge(x).squeeze(1)  # (N,)


torch.manual_seed(0)
their_critic = networks.DCGANDiscriminator(image_size=28, channels=1, width=64)
my_critic = Discriminator()
copy_weights(their_critic, my_critic)
some_digits = data.to_float(test_digits.images[:8])  # (8, 1, 28, 28)
assert torch.allclose(my_critic(some_digits), their_critic(some_digits), atol=1e-6)

my_critic.requires_grad_(False)  # as in G's step
my_critic(mine(z)).sum().backward()
assert all(p.grad is not None and p.grad.abs().sum() > 0 for p in mine.parameters())
assert all(p.grad is None for p in my_critic.parameters())
print("the same logits; the gradient reaches every weight of G and none of the frozen D")

# %% [markdown]
# > **Myth** "DCGAN's discriminator shrinks the image with pooling."
#
# It has no pooling layer; strided convolutions replace it. That is the first rule of section 3 of the paper, and the idea
# is older (Springenberg et al.). The package's network agrees, and section 6 measures what pooling would do.

# %%
kinds = sorted({type(layer).__name__ for layer in their_critic.modules() if not list(layer.children())})
print("the discriminator's layers:", ", ".join(kinds), "(ToRow is the course's Flatten)")
assert not any("Pool" in kind for kind in kinds)

# %% [markdown]
# > **Myth** "The DCGAN paper is by Sutskever and others, NeurIPS 2015."
#
# It is by Alec Radford, Luke Metz and Soumith Chintala. It appeared on arXiv in November 2015
# ([1511.06434](https://arxiv.org/abs/1511.06434)) and was presented at ICLR 2016.

# %% [markdown]
# ### 3.4 Initialisation
# The paper draws all weights from N(0, 0.02), where 0.02 is the *standard deviation*. The authors' code draws the scales of
# BatchNorm from N(**1**, 0.02). Much code that copied the rule draws them from N(0, 0.02) too. Section 12 measures whether that does harm.


# %%
def initialise(module):
    """The paper's initialisation of one layer, for network.apply."""
    if isinstance(module, nn.Conv2d | nn.ConvTranspose2d | nn.Linear):
        nn.init.normal_(module.weight, 0.0, 0.02)
        if module.bias is not None:
            nn.init.zeros_(module.bias)
    elif isinstance(module, nn.BatchNorm2d):
        nn.init.normal_(module.weight, 1.0, 0.02)
        nn.init.zeros_(module.bias)


torch.manual_seed(1)
mine.apply(initialise)
torch.manual_seed(1)
theirs.apply(networks.initialise_dcgan)
assert all(torch.equal(a, b) for a, b in zip(mine.parameters(), theirs.parameters(), strict=True))
for name, parameter in mine.named_parameters():
    spread = parameter.std(correction=0)
    print(f"{name:<15} {tuple(parameter.shape)!s:<18} mean {parameter.mean():+.3f}  standard deviation {spread:.3f}")

# %% [markdown]
# ## 4 Train
# The loop is the one of lesson 02, and nothing in it knows that the networks are convolutional. Here it is once more by
# hand, three steps of the paper's recipe, and equal to the package's.


# %%
def train_by_hand(run, steps):
    """The non-saturating GAN: one step of D, one of G on the same fakes."""
    for _ in range(steps):
        real, _ = run.data.batch(run.recipe.batch_size, run.rng)  # (N, 1, 28, 28)
        fake = run.generator(run.noise())  # (N, 1, 28, 28)

        run.discriminator.requires_grad_(True)
        real_logits, fake_logits = run.discriminator(real), run.discriminator(fake.detach())  # (N,), (N,)
        d_loss = F.softplus(-real_logits).mean() + F.softplus(fake_logits).mean()
        run.d_optimizer.zero_grad()
        d_loss.backward()
        run.d_optimizer.step()

        run.discriminator.requires_grad_(False)
        g_loss = F.softplus(-run.discriminator(fake)).mean()
        run.g_optimizer.zero_grad()
        g_loss.backward()
        run.g_optimizer.step()
    return run


small = dataclasses.replace(methods.RECIPES["dcgan"], generator=methods.dcgan_generator(8), batch_size=16)
by_hand = train_by_hand(training.Run(small, digits, seed=0, device="cpu"), steps=3)
by_package = training.train(training.Run(small, digits, seed=0, device="cpu"), steps=3)
for a, b in zip(by_hand.generator.parameters(), by_package.generator.parameters(), strict=True):
    assert torch.allclose(a, b, atol=1e-6)
print("three steps by hand and three of training.train end at the same weights")

# %% [markdown]
# Now for real, with the course's recipe `dcgan-fast`: the same two networks, changed where section 7 says. First the digits.

# %%
SECONDS = device.by_profile(smoke=1, laptop=60, gpu=60)
log_every = device.by_profile(smoke=2, laptop=20, gpu=50)

snapshots = training.Snapshots(n=6, frames=10)
digit_run = training.train(
    training.Run(methods.RECIPES["dcgan-fast"], digits, seed=0),
    seconds=SECONDS,
    callbacks=[training.ProgressBar("digits"), snapshots],
    log_every=log_every,
)

# %%
plots.show(
    plots.film_strip(snapshots),
    alt="Six rows of digits, one row a code, at ten moments of the training: from grey over blobs to readable digits.",
)

# %% [markdown]
# Then clothes. Not one setting is changed.

# %%
clothes, test_clothes = data.load("fashion"), data.load("fashion", "test")
clothes_run = training.train(
    training.Run(methods.RECIPES["dcgan-fast"], clothes, seed=0),
    seconds=SECONDS,
    callbacks=[training.ProgressBar("clothes")],
    log_every=log_every,
)

# %%
plots.show(
    plots.comparison(
        {
            "real digits": test_digits.images[:36],
            "drawn": training.sample(digit_run.sampler, 36),
            "real clothes": test_clothes.images[:36],
            "drawn ": training.sample(clothes_run.sampler, 36),
        },
        height=2.6,
    ),
    alt="Four grids of 36 images: real digits, drawn digits, real clothes from Fashion-MNIST, drawn clothes.",
)

# %% [markdown]
# What do the curves say? Less than you would like. Both players learn, so neither loss has to fall. What you can read off:
# D's answers to real and to drawn images stay apart (D has not lost) and are not 1 and 0 (G has not lost). A run at so high a
# rate may have a spike: for a moment D confuses the two, both losses jump, and it recovers by itself.

# %%
plots.show(
    plots.curves(digit_run.history, "digits"),
    alt="Left the losses of D and G against steps, right D's mean answers to real and to drawn digits.",
)

# %% [markdown]
# ## 5 Against lesson 02's GAN
# Two multi-layer perceptrons against two convolutional networks. A step of the one costs another time than a step of the
# other, so the fair budget is **wall time** on one machine. The table is made by `benchmarks/equal_time.py` and loaded here.
#
# | | what it is | better |
# |---|---|---|
# | FD | Frechet distance between the features of drawn and real images | lower |
# | KD | kernel distance, another one, without the assumption of normal distributions | lower |
# | precision | share of drawn images that lie among real ones | higher |
# | recall | share of real images that lie among drawn ones | higher |
#
# Lesson 10 takes all four to pieces. The clothes have their own features, so never compare numbers across the two sets.

# %%
equal_time = json.loads((RESULTS / "equal_time.json").read_text(encoding="utf-8"))
print(
    f"{equal_time['seconds']:g} s of training each, seeds {equal_time['seeds']}, {equal_time['hardware']}; mean ± std"
)
print(f"{'data':<8} {'recipe':<11} {'steps':>6} {'FD':>15} {'KD':>15} {'precision':>13} {'recall':>13}")
for row in equal_time["summary"]:
    cells = [
        f"{row[name]['mean']:{width}.{digits_after}f} ± {row[name]['std']:.{digits_after}f}"
        for name, width, digits_after in (
            ("frechet_distance", 8, 1), ("kernel_distance", 8, 2), ("precision", 6, 2), ("recall", 6, 2)
        )
    ]  # fmt: skip
    print(f"{row['data']:<8} {row['recipe']:<11} {row['steps']:6} " + " ".join(f"{cell:>14}" for cell in cells))

# %%
figure = Figure(figsize=(9, 3.2), layout="constrained", facecolor="white")
for axis, set_name in zip(figure.subplots(1, 2), ("mnist", "fashion"), strict=True):
    for position, (recipe, colour) in enumerate(zip(("vanilla", "dcgan", "dcgan-fast"), plots.COLOURS, strict=False)):
        values = [
            row["frechet_distance"] for row in equal_time["rows"] if (row["data"], row["recipe"]) == (set_name, recipe)
        ]
        axis.plot(values, [position] * len(values), "o", color=colour, markersize=8, alpha=0.7)
    axis.set(yticks=range(3), yticklabels=["vanilla", "dcgan", "dcgan-fast"], ylim=(2.5, -0.5))
    log_axis(axis, [row["frechet_distance"] for row in equal_time["rows"] if row["data"] == set_name])
    axis.set_xlabel("FD, lower is better (log scale)")
    axis.set_title(f"{set_name}, {equal_time['seconds']:g} s, one dot a seed")
    axis.grid(alpha=0.3, which="both")
plots.show(
    figure, alt="Two panels, MNIST and Fashion-MNIST: the FD of vanilla, dcgan and dcgan-fast, one dot for each seed."
)

# %% [markdown]
# Look at the two comparisons apart.
# - **vanilla against dcgan** changes the architecture and keeps the paper's learning rate. A step of the wide convolutions takes
#   several times as long. On the digits they come out ahead all the same. On the clothes the FD is level, and the *recall* tells
#   the two apart: next to no real image has a neighbour among those that the MLP draws. One number would have hidden it.
# - **dcgan against dcgan-fast** keeps convolutions, and changes their width, D's layers and how both are trained. Section 7 asks
#   what makes the difference.
#
# Is `dcgan` worse, or only slower? The budget decides what such a table says. Both recipes ship a generator that was trained
# for longer:

# %%
for name in ("dcgan-mnist", "dcgan-fast-mnist"):
    _, its_card = training.load_network(name)
    found = its_card["metrics"]
    print(
        f"{name:<17} {its_card['steps']:,} steps of {its_card['recipe']['batch_size']}, {its_card['seconds']:,.0f} s on "
        f"{its_card['hardware']}: FD {found['frechet_distance']:.1f}, precision {found['precision']:.2f}, "
        f"recall {found['recall']:.2f}"
    )

# %% [markdown]
# With more time `dcgan` improves, but even after a like number of images it is far behind. How far it would get in a day, these two
# do not say.
#
# ## 6 Break the rules
# Each row below breaks one rule and keeps the others. Three seeds each, the same number of steps for all, made by
# `benchmarks/dcgan_rules.py`. The base is narrower than the paper's and learns faster, so that a short run gets somewhere.

# %%
rules = json.loads((RESULTS / "dcgan_rules.json").read_text(encoding="utf-8"))
scores = {name: [] for name in ablations.VARIANTS}
for row in rules["rows"]:
    scores[row["name"]].append(row["frechet_distance"])
base = scores["all rules kept"]
print(f"{rules['steps']} steps, width {rules['width']}, batch {rules['settings']['batch_size']}, {rules['hardware']}")
print(f"{'':<28}{'FD: mean ± std':>17}   {'each seed':<24} against all rules")
for name, values in sorted(scores.items(), key=lambda item: mean(item[1])):
    apart = "" if name == "all rules kept" else "worse" if min(values) > max(base) else "overlaps"
    apart = "better" if max(values) < min(base) else apart
    print(f"{name:<28}{mean(values):9.1f} ± {stdev(values):5.1f}   {', '.join(map(str, values)):<24} {apart}")

# %% [markdown]
# *worse* means that every seed is worse than every seed of the unbroken network; *overlaps*, that three seeds cannot tell.

# %%
order = sorted(scores, key=lambda name: mean(scores[name]))
figure = Figure(figsize=(8, 4.2), layout="constrained", facecolor="white")
axis = figure.subplots()
axis.axvspan(min(base), max(base), color=plots.COLOURS[0], alpha=0.15, label="range of all rules kept")
for position, name in enumerate(order):
    colour = plots.COLOURS[0] if name == "all rules kept" else plots.COLOURS[1]
    axis.plot(scores[name], [position] * len(scores[name]), "o", color=colour, alpha=0.75)
axis.set(yticks=range(len(order)), yticklabels=order, xlabel="FD (digit features), log scale, lower is better")
log_axis(axis, [value for values in scores.values() for value in values])
axis.invert_yaxis()
axis.grid(alpha=0.3, which="both")
axis.legend(frameon=False)
plots.show(
    figure,
    alt="One row a broken rule, one dot a seed: the FD after the same number of steps, the best rule-set on top.",
)

# %%
print(f"the worst on average: {order[-1]}")
print("your guess:", worst_guess or "none yet, see section 2")
if worst_guess in order:
    print(f"it is number {order.index(worst_guess) + 1} of {len(order)}, counted from the best")

# %% [markdown]
# Do not take it on trust: one row again, here and now. Change the name to try another.


# %%
def recipe_without(name):
    """The recipe of benchmarks/dcgan_rules.py with one rule broken."""
    variant = ablations.VARIANTS[name]
    settings = rules["settings"] | variant.settings
    return dataclasses.replace(
        methods.RECIPES["dcgan"],
        name=name,
        generator=partial(ablations.AblationGenerator, width=rules["width"], **variant.generator),
        discriminator=partial(ablations.AblationDiscriminator, width=rules["width"], **variant.discriminator),
        **(settings | {"betas": tuple(settings["betas"])}),
    )


again = "no BatchNorm in G"
rule_steps = device.by_profile(smoke=3, laptop=rules["steps"], gpu=rules["steps"])
rule_run = training.Run(recipe_without(again), digits, seed=0)
training.train(rule_run, steps=rule_steps, callbacks=[training.ProgressBar(again)])
print(f"{again}, seed 0: FD {fd(training.sample(rule_run.generator, count, seed=1)):.1f}; stored: {scores[again]}")

# %% [markdown]
# (The same seed, and another number: another number of threads adds in another order, and a GAN enlarges that until it counts
# like another seed.)
#
# How to read such a table honestly:
# - **Three broken rules wreck the run**: BatchNorm everywhere, no tanh, and Adam's beta1 at 0.9. With the last two the seeds lie
#   far apart: sometimes it goes half well. One seed would have told you a story.
# - **BatchNorm inside helps, in both networks**, clearly and not dramatically. Without it in G the small weights of N(0, 0.02)
#   shrink the signal from layer to layer, and the gradient on its way back.
# - **A rule that "overlaps" is not refuted.** This is MNIST, two doublings deep, a short run, one learning rate. The
#   authors worked with deeper networks on 64 x 64 colour images.
# - **Breaking a rule may help.** Pooling and ReLU in D do, here. Pooling costs more time a step (it convolves at full size, then
#   throws three quarters away), and a table at equal *steps* does not show that. What a table holds fixed decides who wins it.
# - The paper gives no such table. It reports what worked. "Each rule is necessary" is a claim that it does not make.
#
# What the rules are meant for:
#
# | rule | the idea behind it |
# |---|---|
# | strided and transposed convolutions | the network learns its own resizing |
# | BatchNorm inside | the signal keeps its size, whatever the weights are |
# | none at G's output and D's input | mean and contrast of images are information (section 12) |
# | no hidden linear layers | fewer weights; the logit reads the last square directly |
# | LeakyReLU in D | no unit is ever quite off, so a gradient always reaches G |
# | tanh | drawn images have the range of real ones from the start |
# | beta1 = 0.5 | an average over old gradients misleads when the opponent has moved on |

# %% [markdown]
# ## 7 Time against quality
# What does `dcgan-fast` do differently from `dcgan`? Ask the recipes.

# %%
paper, fast = methods.RECIPES["dcgan"], methods.RECIPES["dcgan-fast"]
settings = {name: recipe.settings() for name, recipe in (("dcgan", paper), ("dcgan-fast", fast))}
print(f"{'':<26}{'dcgan':>18}{'dcgan-fast':>18}")
for key in dict.fromkeys([*settings["dcgan"], *settings["dcgan-fast"]]):
    pair = [str(settings[name].get(key)) for name in settings]
    if pair[0] != pair[1] and key not in ("name", "source"):
        print(f"{key:<26}{pair[0]:>18}{pair[1]:>18}")
for what in ("generator", "discriminator"):
    pair = [getattr(recipe, what)(digits.image_shape) for recipe in (paper, fast)]
    print(f"{what + ': parameters':<26}" + "".join(f"{networks.blocks.count_parameters(n):>18,}" for n in pair))
    for key in pair[0].config:
        if pair[0].config[key] != pair[1].config[key]:
            print(f"{'  ' + key:<26}" + "".join(f"{n.config[key]!s:>18}" for n in pair))

# %% [markdown]
# And what a step costs on your machine:

# %%
for recipe in (methods.RECIPES["vanilla"], paper, fast):
    speed_run = training.Run(recipe, digits, seed=0)
    training.train(speed_run, steps=2)  # the first steps are slower: memory is fetched, kernels are chosen
    before = speed_run.seconds
    training.train(speed_run, steps=2 + device.by_profile(smoke=1, laptop=16, gpu=200))
    seconds = (speed_run.seconds - before) / (speed_run.step - 2)
    print(
        f"{recipe.name:<11} {1000 * seconds:6.1f} ms a step, {recipe.batch_size / seconds:6,.0f} images/s, "
        f"{60 / seconds:7,.0f} steps a minute"
    )

# %% [markdown]
# Read the two tables together.
# - **Width.** Halving the width quarters the work of the layers between hidden layers. In a short time a narrow network sees more
#   images. In a long time the wide one catches up: what is best depends on the budget.
# - **Learning rate, and its decay.** Where few steps fit, each has to count. A high rate moves fast but ends in a
#   tremble around the target; letting it fall on a line to 0 brings it to rest at the end of the budget.
# - **No BatchNorm in D, a lazy R1 penalty instead.** R1 is the mean of $\|\nabla_x D(x)\|^2$ over real images (Mescheder et al.):
#   D may not get steep where the data are, which a high learning rate would make it. It is about single images, and with
#   BatchNorm each answer depends on the whole batch. *Lazy* means on every k-th step and k times as strong (Karras et
#   al. 2020), which costs little. Lesson 05 builds it.
# - **beta1 = 0 and beta2 = 0.99.** Section 6 warns of a long memory of old gradients; this recipe keeps none of the direction,
#   and a shorter one of the size. Section 6 compared 0.5 with 0.9, at another rate: it did not say that 0.5 is the best.
# - **Smaller batches**: half as many images a step, so more steps.
# - **A hidden layer in D.** Without it D's logit is a sum of what each place of the last square
#   says. With it, D can judge how the strokes of a digit belong together. That breaks one of the paper's rules on purpose.
# - **An average of the weights (EMA).** Two players circle around each other. While the rate is high, the mean of many
#   positions of G is nearer to the centre than any of them. It is for drawing only; training never sees it.
#
# Does the average still matter once the learning rate has come down to 0? Measure it on the run of section 4.

# %%
print(f"digits, {digit_run.step} steps in {digit_run.seconds:.0f} s, seed 0")
print(f"live weights      FD {fd(training.sample(digit_run.generator, count, seed=1)):.1f}")
print(f"averaged weights  FD {fd(training.sample(digit_run.sampler, count, seed=1)):.1f}")

# %% [markdown]
# Hardly: at the end of the run the decay has done what the average is for. It would matter if you stopped half way.
#
# How were the settings found? By trying: `benchmarks/search_dcgan_fast.py`, judged on a part of the *training* split, so that
# the test split stays untouched. One seed each, so do not read small differences,
# and its first round (60 s) had half the time of the second (120 s), so compare rows of the same time only. The names say what
# was changed: *norm* is BatchNorm in D, *R1* the penalty instead and *weight* its weight, *4e-3* both learning rates, *average*
# the EMA's memory, *hidden* the units of D's hidden layer, *second* the second round. The best and the worst of its rows:

# %%
lines = (RESULTS / "search_dcgan_fast.jsonl").read_text(encoding="utf-8").splitlines()
trials = sorted(map(json.loads, filter(str.strip, lines)), key=lambda trial: trial["frechet_distance"])
for trial in trials[:5] + trials[-5:]:
    print(
        f"{trial['name']:<48} FD {trial['frechet_distance']:6.1f} after {trial['seconds']} s ({trial['steps']:,} steps)"
    )

# %% [markdown]
# ## 8 Walk between codes
# From here on the shipped generator is used: the same recipe and the same code as in section 4, trained longer.

# %%
generator, card = training.load_network("dcgan-fast-mnist")
print(
    f"{card['recipe']['name']}: {card['steps']:,} steps, {card['seconds']:.0f} s on {card['hardware']}, seed {card['seed']}"
)
explorer = widgets.LatentExplorer(generator, generator.latent_dim, codes=codes_from(11, 1))
explorer

# %%
plots.show(
    explorer.figure(),
    alt="Four strips in which one code moves along a random direction each, and a fifth from digit A to digit B.",
)

# %% [markdown]
# Random directions change a bit of everything. Section 9 looks for directions with a meaning. First the walk from A to B:
# along which path?
#
# A code has $d = 100$ independent numbers from N(0, 1). Its length follows the chi distribution, with the mean
#
# $$ \sqrt{2}\;\frac{\Gamma\left(\frac{d+1}{2}\right)}{\Gamma\left(\frac d2\right)} \approx \sqrt{d}, $$
#
# and hardly varies: the codes lie in a thin shell. Halfway on a **straight line** between two independent codes, each
# number is $(a + b)/2$, with variance $1/2$. So the point halfway is shorter by a factor of $\sqrt 2$. The **spherical** walk (slerp) follows the arc:
#
# $$ \mathrm{slerp}(a, b, t) = \frac{\sin((1-t)\,\theta)}{\sin\theta}\,a + \frac{\sin(t\,\theta)}{\sin\theta}\,b, \qquad
# \theta = \text{the angle between } a \text{ and } b . $$

# %%
d = generator.latent_dim
chi_mean = math.sqrt(2) * math.exp(math.lgamma((d + 1) / 2) - math.lgamma(d / 2))
start, end = codes_from(1, 2_000, d), codes_from(2, 2_000, d)
halfway = {
    "random codes": start,
    "straight, halfway": (start + end) / 2,
    "slerp, halfway": widgets.slerp(start, end, torch.full((2_000,), 0.5)),
}
print(
    f"mean of the chi distribution with {d} degrees of freedom: {chi_mean:.2f}; divided by sqrt(2): {chi_mean / 2**0.5:.2f}"
)
for name, z in halfway.items():
    print(f"{name:<18} length {z.norm(dim=1).mean():5.2f} ± {z.norm(dim=1).std():.2f}")
print("your guess for halfway on the line:", "none yet" if halfway_guess is None else halfway_guess)

# %%
figure = Figure(figsize=(8, 3), layout="constrained", facecolor="white")
axis = figure.subplots()
for (name, z), colour in zip(halfway.items(), plots.COLOURS, strict=False):
    style = {"histtype": "step", "linewidth": 2, "linestyle": "--" if name == "slerp, halfway" else "-"}
    axis.hist(z.norm(dim=1).tolist(), bins=60, range=(4, 13), color=colour, label=name, **style)
axis.axvline(chi_mean, color="#666666", linestyle=":", label="mean of the chi distribution")
axis.set(xlabel="length of the code", ylabel="codes")
axis.set_ylim(top=1.45 * axis.get_ylim()[1])
axis.legend(frameon=False, loc="upper left", ncols=2)
plots.show(
    figure,
    alt="Histograms of code lengths: random codes and slerp midpoints lie around 10, straight midpoints around 7.",
)

# %% [markdown]
# So the straight walk leads through a place from which the generator has hardly ever seen a code. Does it *matter*? Draw many images from
# the points halfway, and compare them with real digits, over several seeds.

# %%
fds = {name: [] for name in halfway}
for seed in range(device.by_profile(smoke=1, laptop=3, gpu=5)):
    start, end = codes_from(1_000 + seed, count, d), codes_from(2_000 + seed, count, d)
    fds["random codes"].append(fd(draw(generator, codes_from(3_000 + seed, count, d))))
    fds["straight, halfway"].append(fd(draw(generator, (start + end) / 2)))
    fds["slerp, halfway"].append(fd(draw(generator, widgets.slerp(start, end, torch.full((count,), 0.5)))))
for name, values in fds.items():
    print(f"{name:<18} FD {mean(values):5.1f}   each seed: {', '.join(f'{value:.1f}' for value in values)}")

# %% [markdown]
# Halfway along the arc the drawn images are as good as any others, and halfway on the line they are worse. Be fair to the line:
# the digits do not fall apart, and a walk that only has to look smooth can do with it. The arc costs nothing, though.
#
# Look at the way as well: how far do the features of the drawn image move in each of twelve steps?

# %%
pairs = device.by_profile(smoke=20, laptop=200, gpu=500)
start, end, t = codes_from(5, pairs, d), codes_from(6, pairs, d), torch.linspace(0, 1, 13)
walks = {
    "straight line": (1 - t)[None, :, None] * start[:, None] + t[None, :, None] * end[:, None],  # (pairs, 13, 100)
    "slerp": widgets.slerp(start[:, None], end[:, None], t[None].expand(pairs, -1)),
}
figure = Figure(figsize=(9, 3.2), layout="constrained", facecolor="white")
code_axis, feature_axis = figure.subplots(1, 2)
for (name, z), colour, style in zip(walks.items(), plots.COLOURS, ("-", "--"), strict=False):
    features = extractor(data.to_uint8(draw(generator, z.flatten(0, 1)))).unflatten(0, (pairs, 13))  # (pairs, 13, 128)
    steps = (features[:, 1:] - features[:, :-1]).norm(dim=2)  # (pairs, 12)
    code_axis.plot(t, z.norm(dim=2).mean(0), color=colour, linestyle=style, label=name)
    feature_axis.plot(t[1:] - 1 / 24, steps.mean(0), color=colour, linestyle=style, label=name)
    by_step = steps.mean(0)  # (12,)
    ratio = by_step[4:8].mean() / by_step[[0, 1, 10, 11]].mean()
    print(
        f"{name:<14} whole path in feature space {steps.sum(1).mean():5.1f}; steps in the middle / at the ends {ratio:.2f}"
    )
code_axis.set(xlabel="way from A to B", ylabel="mean length of the code", ylim=(0, None))
feature_axis.set(xlabel="way from A to B", ylim=(0, None))
feature_axis.set_ylabel("change of the features in one step", labelpad=8)
code_axis.legend(frameon=False)
feature_axis.legend(frameon=False)
plots.show(
    figure,
    alt="Left: the code's length dips on the straight line and stays level with slerp. Right: how far the features move in each step.",
)

# %% [markdown]
# The whole way is about as long. But on the line the middle is crossed faster: there the codes are short, and the same step turns a
# short code further than a long one. The arc turns evenly.

# %% [markdown]
# ## 9 Arithmetic with codes
# The paper's most famous picture computes "man with glasses - man + woman" with codes of faces. Each of the three is the mean of
# a few codes, picked by hand, because single codes turned out to be unstable. Here a classifier does the picking: it names the
# digit that each of thousands of codes draws, and codes of one digit are averaged. The generator never saw a label.

# %%
classifier, classifier_card = training.load_network("features-digits")
print(f"the classifier is right on {classifier_card['metrics']['test_accuracy']:.1%} of the real test digits")


@torch.inference_mode()
def classify(images):
    """Float images (N, 1, 28, 28) to digits 0..9, (N,)."""
    pixels = data.to_float(data.to_uint8(images))
    return torch.cat([classifier(part.to(device.get())).argmax(1).cpu() for part in pixels.split(500)])


many = codes_from(20, device.by_profile(smoke=800, laptop=8_000, gpu=20_000), d)
what = classify(draw(generator, many))  # (N,)
means = torch.stack([many[what == digit].mean(0) for digit in range(10)])  # (10, 100)
print("drawn of each digit:   ", what.bincount(minlength=10).tolist())
print("length of the mean code:", [round(length, 1) for length in means.norm(dim=1).tolist()])
print(
    "the mean codes, brought to the usual length, draw:",
    classify(draw(generator, F.normalize(means) * chi_mean)).tolist(),
)

# %% [markdown]
# The mean of 800 random codes would be about $10/\sqrt{800} = 0.35$ long. These means are short too, but not that short: each
# points to its digit. Now the arithmetic: `code of a j - mean j + mean k`, times an amount. How often does the classifier see a k?
# The control is an arrow of the same length in a random direction.

# %%
fresh = codes_from(21, device.by_profile(smoke=200, laptop=1_500, gpu=5_000), d)
was = classify(draw(generator, fresh))
rng = torch.Generator().manual_seed(0)
target = (was + torch.randint(1, 10, was.shape, generator=rng)) % 10  # another digit for each
arrow = means[target] - means[was]  # (N, 100)
random_arrow = F.normalize(torch.randn(arrow.shape, generator=rng)) * arrow.norm(dim=1, keepdim=True)
for amount in (0.5, 1, 2, 3, 5):
    hits = (classify(draw(generator, fresh + amount * arrow)) == target).float().mean()
    control = (classify(draw(generator, fresh + amount * random_arrow)) == target).float().mean()
    print(f"{amount:>4} times the arrow: the wanted digit in {hits:4.0%}; random arrow of that length: {control:4.0%}")

# %% [markdown]
# It works, and it is not exact. One arrow alone is often too short. With a longer one most codes arrive, some never do: the codes
# of a digit are no ball around a mean, and a difference of means is only the best *straight* guess.
#
# Now something that has no label: **slant**. Measure it from the pixels, find the mean code of slanted and of upright
# **ones**, and add the difference to codes of *other* digits.


# %%
def slant(images):
    """How far a stroke leans to the right, in pixels a pixel of height: (N, 1, 28, 28) -> (N,). 0 is upright."""
    ink = (images[:, 0] + 1) / 2  # (N, 28, 28) in [0, 1]
    y, x = torch.meshgrid(torch.arange(28.0), torch.arange(28.0), indexing="ij")
    total = ink.sum((1, 2)).clamp_min(1e-6)
    dx = x - ((ink * x).sum((1, 2)) / total)[:, None, None]
    dy = y - ((ink * y).sum((1, 2)) / total)[:, None, None]
    return -(ink * dx * dy).sum((1, 2)) / (ink * dy * dy).sum((1, 2)).clamp_min(1e-6)


ones = many[what == 1]
lean = slant(draw(generator, ones))
order_of_lean, third = lean.argsort(), len(ones) // 3
slant_arrow = ones[order_of_lean[-third:]].mean(0) - ones[order_of_lean[:third]].mean(0)  # slanted - upright
random_arrow = F.normalize(codes_from(22, 1, d)) * slant_arrow.norm()
print(f"{len(ones)} ones, slant {lean.mean():.2f} ± {lean.std():.2f}; the arrow is {slant_arrow.norm():.1f} long")
print(f"{'digit':>5} {'slant now':>10} {'- arrow':>9} {'+ arrow':>9} {'random arrow':>13} {'still this digit':>18}")
for digit in range(10):
    z = fresh[was == digit][: device.by_profile(smoke=10, laptop=100, gpu=300)]
    drawn = [
        draw(generator, z + amount * a)
        for amount, a in ((0, slant_arrow), (-1, slant_arrow), (1, slant_arrow), (1, random_arrow))
    ]
    leans = [f"{slant(images).mean():9.2f}" for images in drawn]
    same = torch.cat([classify(images) == digit for images in drawn[1:3]]).float().mean()
    print(f"{digit:>5}  {leans[0]} {leans[1]} {leans[2]} {leans[3]:>13} {same:>17.0%}")

# %%
row_codes = [fresh[was == digit][0] + amount * slant_arrow for digit in (1, 4, 7, 9) for amount in (-2, -1, 0, 1, 2)]
plots.show(
    plots.grid(
        draw(generator, torch.stack(row_codes)),
        "a 1, a 4, a 7, a 9: minus two arrows ... plus two",
        columns=5,
        height=4,
    ),
    alt="Four digits, one a row, with the slant arrow of the ones subtracted on the left and added on the right.",
)

# %% [markdown]
# An arrow that was found on ones alone tips the other digits too, so the space of codes holds something like *slant* for all. It is not clean:
# the last column of the table says how often the digit stays what it was. Attributes share directions. That is called
# **entanglement**, and lesson 07 trains a generator in which slant has a number of its own.

# %% [markdown]
# ## 10 What single units draw
# The last hidden layer has one 14 x 14 map a unit (channel). From there to the image there is one transposed convolution,
# which is **linear**, and a tanh. So before the tanh, the image is exactly a sum of one picture a unit, and a bias.


# %%
@torch.inference_mode()
def pictures_of_units(generator, codes):
    """What each unit of the last hidden layer adds, before the tanh: (units, N, 1, 28, 28); and the bias (1,)."""
    last = [layer for layer in generator.modules() if isinstance(layer, nn.ConvTranspose2d)][-1]
    seen = []
    hook = last.register_forward_pre_hook(lambda _, inputs: seen.append(inputs[0].clone()))
    generator(codes.to(device.get()))
    hook.remove()
    maps = seen[0]  # (N, units, 14, 14)
    parts = [
        F.conv_transpose2d(maps[:, [unit]], last.weight[[unit]], None, last.stride, last.padding, last.output_padding)
        for unit in range(maps.shape[1])
    ]
    return torch.stack(parts).cpu(), last.bias.cpu()


z = fresh[: device.by_profile(smoke=20, laptop=200, gpu=500)]
parts, bias = pictures_of_units(generator, z)  # (units, N, 1, 28, 28), (1,)
images = draw(generator, z)
assert torch.allclose(torch.tanh(parts.sum(0) + bias.view(1, -1, 1, 1)), images, atol=1e-4)
print(f"{len(parts)} units; the tanh of the sum of their pictures and the bias {bias.item():.2f} is the image")

# %% [markdown]
# Now take one unit away, or make it three times as strong, and see what becomes of the image. Two numbers each: how far the
# pixels move, and how often the classifier changes its mind.

# %%
labels_before = classify(images)
effects = []
for unit in range(len(parts)):
    without = torch.tanh(parts.sum(0) - parts[unit] + bias.view(1, -1, 1, 1))
    triple = torch.tanh(parts.sum(0) + 2 * parts[unit] + bias.view(1, -1, 1, 1))
    ink, background = images > 0, images < -0.9
    effects.append(
        {
            "unit": unit,
            "pixels": (without - images).abs().mean().item(),
            "ink": (without - images)[ink].mean().item(),
            "background": (without - images)[background].mean().item(),
            "other digit without": (classify(without) != labels_before).float().mean().item(),
            "other digit at triple": (classify(triple) != labels_before).float().mean().item(),
        }
    )
effects.sort(key=lambda row: -row["pixels"])
print("unit  pixels move   in ink  in background   another digit: without   at triple")
for row in effects[:6] + effects[-2:]:
    print(
        f"{row['unit']:4} {row['pixels']:12.3f} {row['ink']:+8.2f} {row['background']:+14.2f} "
        f"{row['other digit without']:24.0%} {row['other digit at triple']:11.0%}"
    )

# %%
strongest = [row["unit"] for row in effects[:6]]
figure = Figure(figsize=(10, 4.6), layout="constrained", facecolor="white")
axes = figure.subplots(3, 7)
reach = parts[strongest, 0].abs().max().item()
for column, unit in enumerate([None, *strongest]):
    total = parts.sum(0)[0] + bias.view(-1, 1, 1)
    rows = (
        [images[0]] * 3
        if unit is None
        else [parts[unit, 0], torch.tanh(total - parts[unit, 0]), torch.tanh(total + 2 * parts[unit, 0])]
    )
    for row, picture in enumerate(rows):
        signed = row == 0 and unit is not None
        limits = (-reach, reach) if signed else (-1, 1)
        axes[row, column].imshow(picture[0], cmap="PuOr" if signed else "gray", vmin=limits[0], vmax=limits[1])
        axes[row, column].set(xticks=[], yticks=[])
    axes[0, column].set_title("image" if unit is None else f"unit {unit}")
for row, label in enumerate(("adds", "without it", "three times")):
    axes[row, 0].set_ylabel(label)
figure.suptitle(
    "Six units: what each adds (orange: darker, violet: brighter), the image without it, and with three times of it",
    fontsize=10,
)
plots.show(
    figure,
    alt="For one digit and six units: what the unit adds before the tanh, the digit without it, and with it tripled.",
)

# %% [markdown]
# What you see is spread out. Taking away one unit mostly dims the ink, in places a piece of a stroke goes, and the classifier seldom changes its mind: many
# units share the work, and none of the six draws a stroke with a name. In the background nearly nothing shows, since there the tanh
# is at its end and a little more or less before it makes no difference. In the paper the authors looked one layer further in, for
# maps that fire on the windows of bedrooms; it took dropping many maps together to make the windows go.

# %% [markdown]
# ## 11 Checkerboards
# A transposed convolution adds a copy of its kernel for each input pixel. Where copies overlap, more is added. How many
# reach each output pixel? Feed ones to a kernel of ones and read the counts.


# %%
def copies(kernel, size=8):
    """How many input pixels reach each output pixel of a transposed convolution with stride 2: (side, side)."""
    ones = torch.ones(1, 1, size, size)
    return F.conv_transpose2d(ones, torch.ones(1, 1, kernel, kernel), stride=2)[0, 0]


figure = Figure(figsize=(9, 3.2), layout="constrained", facecolor="white")
for axis, kernel in zip(figure.subplots(1, 3), (3, 4, 5), strict=True):
    counts = copies(kernel)
    inner = counts[4:-4, 4:-4]
    print(f"kernel {kernel}, stride 2, away from the border: counts {sorted(set(inner.flatten().int().tolist()))}")
    picture = axis.imshow(counts, cmap="viridis", vmin=0, vmax=9)
    axis.set_title(f"kernel {kernel}, stride 2")
    axis.set(xticks=[], yticks=[])
figure.colorbar(picture, ax=figure.axes, label="copies that reach a pixel")
plots.show(
    figure,
    alt="Maps of overlap counts: a chequered pattern for kernels 3 and 5, even for kernel 4 away from the border.",
)

# %% [markdown]
# Where the stride divides the kernel (4 by 2), all pixels away from the border get equally many. Where it does not (3 or 5 by 2),
# neighbours get different numbers: a checkerboard is built in, and the weights have to learn to undo it (Odena et al.). The
# paper's kernels are 5 wide; this course's are 4.
#
# Are equal counts enough? Each output pixel of a stride-2 layer sees one of **four** sub-kernels, by whether its row and its column
# are even or odd. With kernel 4 each has 2 x 2 weights, but four *different* sets of them, so their sums differ, unless they have
# learned otherwise. The cure: **resize, then convolve**. There every pixel meets the same weights.
#
# See it in the spectrum. A pattern that alternates from pixel to pixel sits at the highest frequency there is, 1/2 a pixel, named after
# Nyquist. Which share of an image's power lies there?


# %%
def power(images):
    """Mean power at each frequency, without the mean of each image: (N, 1, H, W) -> (H, W)."""
    centred = images[:, 0] - images[:, 0].mean((1, 2), keepdim=True)
    return torch.fft.fft2(centred.double()).abs().square().mean(0)


def nyquist_share(images):
    """Share of the power where the row frequency or the column frequency is 1/2 a pixel."""
    spectrum, middle = power(images), images.shape[-1] // 2
    at_limit = spectrum[middle].sum() + spectrum[:, middle].sum() - spectrum[middle, middle]
    return (at_limit / spectrum.sum()).item()


stripes = torch.tensor([1.0, -1.0]).repeat(14).expand(1, 1, 28, 28)  # the next pixel is always the opposite
wave = torch.cos(2 * math.pi * torch.arange(28) / 28).expand(1, 1, 28, 28)
assert nyquist_share(stripes) > 0.999 and nyquist_share(wave) < 0.001
print(f"real digits {nyquist_share(data.to_float(test_digits.images[:count])):.4f}   (white noise: {55 / 783:.4f})")

# %% [markdown]
# First untrained networks, so that nothing but the architecture speaks. Compare kernel 4 with kernel 5: did the equal counts help?

# %%
KINDS = {"kernel 5, stride 2": {"kernel": 5}, "kernel 4, stride 2": {}, "resize, convolve": {"upsample": True}}
spectra = {"real digits": power(data.to_float(test_digits.images[:1000]))}
for name, arguments in KINDS.items():
    shares, total = [], 0
    for seed in range(device.by_profile(smoke=3, laptop=20, gpu=20)):
        torch.manual_seed(seed)
        untrained = ablations.AblationGenerator((1, 28, 28), **arguments)
        with torch.no_grad():
            images = untrained(codes_from(seed, 64))
        shares.append(nyquist_share(images))
        total = total + power(images) / power(images).sum()
    spectra[name] = total
    print(f"untrained, {name:<20} Nyquist share {mean(shares):.3f} ± {stdev(shares):.3f} over {len(shares)} seeds")

# %%
figure = Figure(figsize=(10, 3), layout="constrained", facecolor="white")
for axis, (name, spectrum) in zip(figure.subplots(1, 4), spectra.items(), strict=True):
    decibel = 10 * torch.log10(torch.fft.fftshift(spectrum / spectrum.sum()) + 1e-9)
    picture = axis.imshow(decibel, cmap="magma", vmin=-60, vmax=-10, extent=(-0.5, 0.5, 0.5, -0.5))
    axis.set_title(name if name == "real digits" else f"untrained:\n{name}", fontsize=10)
    axis.set(xlabel="column frequency", xticks=[-0.5, 0, 0.5], yticks=[-0.5, 0, 0.5])
figure.axes[0].set_ylabel("row frequency")
figure.colorbar(picture, ax=figure.axes, label="share of power, dB")
plots.show(
    figure,
    alt="Spectra: real digits have their power in the middle; untrained transposed convolutions have bright spots at the edge.",
)

# %% [markdown]
# The middle of each picture is frequency 0, its left and upper edges are the Nyquist frequency. The small bright spots in the middle
# of the left edge, of the upper edge, and in the corner between them are the checkerboard; *resize, convolve* has none. The
# spots half-way come from the first doubling, which the second one has stretched.
#
# While the weights are random, their four sums differ far more than the counts do, so equal counts are no cure: they only make it
# *possible* for the weights to add up evenly everywhere. Resizing makes it impossible for them not to.
#
# Does training remove it? From `benchmarks/checkerboards.py`, three seeds each:

# %%
boards = json.loads((RESULTS / "checkerboards.json").read_text(encoding="utf-8"))
print(f"{boards['steps']} steps, {boards['hardware']}; real digits: Nyquist share {boards['real']:.4f}")
for name in KINDS:
    mine = [row for row in boards["rows"] if row["name"] == name]
    trained, untrained = [row["trained"] for row in mine], [row["untrained"] for row in mine]
    print(
        f"{name:<20} untrained {mean(untrained):.3f}   trained {mean(trained):.4f} ± {stdev(trained):.4f}   "
        f"FD {mean(row['frechet_distance'] for row in mine):5.1f} ± {stdev(row['frechet_distance'] for row in mine):.1f}"
    )
shipped_share = nyquist_share(draw(generator, codes_from(30, 1_000, d)))
print(f"{'shipped generator':<20} (kernel 4, trained longer)  {shipped_share:.4f}")

# %% [markdown]
# Compare every row with the real digits. A trained network has largely unlearned the pattern that it started with. *Resize,
# convolve* ends above the real digits too, though it builds no such pattern in: hard edges also have power at this frequency, so the
# share is an upper bound for the checkerboard. Whether that is
# the whole story depends on the data: MNIST has large plain areas, in which a checkerboard is easy for D to see and the tanh
# flattens it. In large photographs traces remain, and detectors of generated images use them (Durall et al.).

# %% [markdown]
# ## 12 Break it
# ### BatchNorm on every layer
# BatchNorm is good, so put it everywhere: on G's output and on D's first layer as well. Section 6 says what becomes of the FD. Why? Both
# runs below differ in nothing else.

# %%
break_steps = device.by_profile(smoke=3, laptop=200, gpu=200)
broken_images = {"real digits": data.to_float(test_digits.images[:1000])}
for name in ("BatchNorm everywhere", "all rules kept"):
    broken_run = training.train(training.Run(recipe_without(name), digits, seed=0), steps=break_steps)
    broken_images[name] = training.sample(broken_run.generator, count, seed=1)
for name, images in broken_images.items():
    quality = f"   FD after {break_steps} steps {fd(images):,.0f}" if name in scores else ""
    print(
        f"{name:<22} mean {images.mean():+.2f}, nearly black {(images < -0.95).float().mean():4.0%} of the pixels{quality}"
    )

# %%
plots.show(
    plots.comparison({name: images[:36] for name, images in broken_images.items()}, height=2.8),
    alt="Real digits on black; with BatchNorm everywhere blotches on dark grey; with all rules kept strokes on a darker ground.",
)

# %% [markdown]
# **Cause.** Four of five pixels of a real digit are black. A BatchNorm at G's output brings the average pixel to 0 before the tanh, and it takes
# a long time to learn scale and shift that undo this. A BatchNorm behind D's first layer brings the real batch and the drawn batch to the
# same mean and contrast, each by its own numbers: D can hardly see that the ground is grey. **Cure:** take it off these two
# layers. That is why the paper's rule has its exception.
#
# ### A trap that looks worse than it is
# Section 3.4 warned of BatchNorm scales from N(0, 0.02). At the start it looks like a disaster:


# %%
def wrong_initialise(module):
    """What much copied code does: N(0, 0.02) for the scales of BatchNorm as well."""
    initialise(module)
    if isinstance(module, nn.BatchNorm2d):
        nn.init.normal_(module.weight, 0.0, 0.02)


for name, function in {"scales from N(0, 0.02)": wrong_initialise, "scales from N(1, 0.02)": initialise}.items():
    torch.manual_seed(0)
    fresh_generator = Generator(width=16).apply(function)
    z = codes_from(0, 64).requires_grad_(True)
    images = fresh_generator(z)  # (64, 1, 28, 28)
    images.square().sum().backward()
    between = images.std(0).mean()  # how much the images differ from each other
    print(f"{name}: images of different codes differ by {between:.1e} a pixel, gradient at z {z.grad.norm():.1e}")

# %%
for name in ("BatchNorm from N(0, 0.02)", "all rules kept"):
    short_run = training.train(training.Run(recipe_without(name), digits, seed=0), steps=break_steps)
    early = fd(training.sample(short_run.generator, count, seed=1))
    print(f"{name:<28} FD after {break_steps} steps {early:7.1f};   after {rules['steps']}, stored: {scores[name]}")

# %% [markdown]
# Nearly the same grey for every code, and thousands of times less gradient at z. Yet the run does not fail. Scales are learned, Adam
# moves every weight by about its learning rate whatever the size of the gradient, and this network multiplies only two such factors. A timid
# start can even be ahead for a while; in the long run the table does not favour it. Keep to N(1, 0.02), for a deeper network multiplies more
# factors, but do not repeat "it kills training" without having measured it. We did not expect this either.
#
# ### Forgotten: `generator.eval()`
# While training, BatchNorm uses the mean and variance of the **batch**. Leave it in that mode, and each image depends on the images
# beside it. The same codes, with other companions:

# %%
z = codes_from(40, count // 4 * 4, d)
with torch.inference_mode():
    generator.train()
    saved = {name: tensor.clone() for name, tensor in generator.state_dict().items()}
    forgotten = torch.cat([generator(part.to(device.get())).cpu() for part in z.split(2)])  # (N, 1, 28, 28)
    shifted = torch.cat([generator(part.to(device.get())).cpu() for part in z.roll(1, 0).split(2)]).roll(-1, 0)
    generator.load_state_dict(saved)  # drawing in training mode also moved the running averages
    generator.eval()
cured = draw(generator, z)
print(
    f"train mode, batches of 2: an image changes by {(forgotten - shifted).abs().mean():.3f} a pixel with its companion"
)
moved = (cured - draw(generator, z.roll(1, 0)).roll(-1, 0)).abs().mean()
print(f"eval mode: an image changes by {moved:.3f} a pixel with its companion")
print(f"train mode FD {fd(forgotten):.1f};   one change, generator.eval(): FD {fd(cured):.1f}")
grids = {
    "train mode": forgotten[:36],
    "other companions": shifted[:36],
    "their difference": (forgotten - shifted)[:36].abs() - 1,
    "eval mode": cured[:36],
}
plots.show(
    plots.comparison(grids, height=2.6),
    alt="The same 36 codes: in training mode with two different companions, the difference of these two, which shows the "
    "strokes' outlines, and in evaluation mode.",
)

# %% [markdown]
# The FD hardly shouts: a set of images can be fine while each of them is not reproducible. If a drawn image changes when you draw others beside it,
# look for the mode first.

# %% [markdown]
# ## 13 Exercises
# **Exercise 1** · easy · 6 minutes
#
# How large is the output? Write both formulas of section 3.1, without output padding, as one function that returns an `int`.


# %% exercise="output_side"
def output_side(side, kernel, stride, padding, transposed):
    """Pixels of the output's side, of a convolution, or of a transposed one if `transposed` is True."""
    ### BEGIN SOLUTION
    if transposed:
        return (side - 1) * stride - 2 * padding + kernel
    return (side + 2 * padding - kernel) // stride + 1
    ### END SOLUTION


# %%
checks.lesson03.output_side(output_side)

# %% [markdown]
# <details><summary>Hint 1</summary>
#
# A kernel that fits exactly once gives an output of 1. So the formula of the convolution ends in `+ 1`.
#
# </details>
#
# <details><summary>Hint 2</summary>
#
# The last pixel of a transposed convolution's input puts its kernel at `(side - 1) * stride`, and the kernel reaches `kernel` pixels from there.
# Padding is cut off at both ends.
#
# </details>
#
# <!-- solution: output_side -->

# %% [markdown]
# **Exercise 2** · medium · 8 minutes
#
# Initialise one layer in place as DCGAN does, for `network.apply(initialise_layer)`: convolutions, transposed convolutions and linear
# layers, and BatchNorm with the scale that does not switch it off. All biases, where there are any, start at 0. Leave layers of
# other kinds alone.


# %% exercise="initialise_layer"
def initialise_layer(module):
    """Draw the weights of one layer as DCGAN does; returns nothing."""
    ### BEGIN SOLUTION
    if isinstance(module, nn.Conv2d | nn.ConvTranspose2d | nn.Linear):
        nn.init.normal_(module.weight, 0.0, 0.02)
        if module.bias is not None:
            nn.init.zeros_(module.bias)
    elif isinstance(module, nn.BatchNorm2d):
        nn.init.normal_(module.weight, 1.0, 0.02)
        nn.init.zeros_(module.bias)
    ### END SOLUTION


# %%
checks.lesson03.initialise_layer(initialise_layer)

# %% [markdown]
# <details><summary>Hint 1</summary>
#
# `isinstance(module, nn.Conv2d | nn.ConvTranspose2d | nn.Linear)` asks for three kinds at once. Functions of `torch.nn.init` whose names end in an
# underscore work in place.
#
# </details>
#
# <details><summary>Hint 2</summary>
#
# A BatchNorm scale multiplies what was normalised. Around which number must it lie to leave the signal as large as it is?
# Not every layer has a bias: test for `None`.
#
# </details>
#
# <!-- solution: initialise_layer -->

# %% [markdown]
# **Exercise 3** · medium · 8 minutes
#
# Write one block of a DCGAN generator: it doubles height and width, changes the channels from `inputs` to `outputs`, and has
# normalisation and activation as the paper's rules want them inside the generator, and no parameter that has no effect.


# %% exercise="up_block"
def up_block(inputs, outputs):
    """An nn.Module: (N, inputs, H, W) -> (N, outputs, 2 * H, 2 * W)."""
    ### BEGIN SOLUTION
    return nn.Sequential(
        nn.ConvTranspose2d(inputs, outputs, 4, stride=2, padding=1, bias=False),
        nn.BatchNorm2d(outputs),
        nn.ReLU(),
    )
    ### END SOLUTION


# %%
checks.lesson03.up_block(up_block)

# %% [markdown]
# <details><summary>Hint 1</summary>
#
# Three layers in an `nn.Sequential`, in this order: what makes it larger, what normalises, what bends.
#
# </details>
#
# <details><summary>Hint 2</summary>
#
# Kernel 4, stride 2, padding 1 doubles. BatchNorm subtracts every bias that comes before it, so the layer before needs none.
#
# </details>
#
# <!-- solution: up_block -->

# %% [markdown]
# **Exercise 4** · medium · 12 minutes
#
# Walk on the sphere: return the code at `t` between 0 and 1 on the arc from `start` to `end`. The codes are not of length 1, and you need not
# care for codes that point in the same or in opposite directions.


# %% exercise="on_the_arc"
def on_the_arc(start, end, t):
    """Codes (latent_dim,), (latent_dim,) and a number t -> the code (latent_dim,) at t on the arc."""
    ### BEGIN SOLUTION
    angle = torch.acos((start @ end) / (start.norm() * end.norm()))
    return (torch.sin((1 - t) * angle) * start + torch.sin(t * angle) * end) / torch.sin(angle)
    ### END SOLUTION


# %%
checks.lesson03.on_the_arc(on_the_arc)

# %% [markdown]
# <details><summary>Hint 1</summary>
#
# The cosine of the angle between two vectors is their inner product, divided by both lengths.
#
# </details>
#
# <details><summary>Hint 2</summary>
#
# At t = 0 the weights must be 1 and 0: `sin((1 - t) * angle) / sin(angle)` is the first of them.
#
# </details>
#
# <!-- solution: on_the_arc -->

# %% [markdown]
# **Exercise 5** · hard · 12 minutes
#
# Explain the checkerboard by counting. In one dimension: how many input pixels reach each output pixel of a transposed convolution without padding?
# Return the counts as a list or tensor of whole numbers, without calling a convolution.


# %% exercise="copies_in_a_row"
def copies_in_a_row(inputs, kernel, stride):
    """How often each output pixel is reached: ((inputs - 1) * stride + kernel) whole numbers."""
    ### BEGIN SOLUTION
    counts = [0] * ((inputs - 1) * stride + kernel)
    for position in range(inputs):
        for offset in range(kernel):
            counts[position * stride + offset] += 1
    return counts
    ### END SOLUTION


# %%
checks.lesson03.copies_in_a_row(copies_in_a_row)

# %% [markdown]
# <details><summary>Hint 1</summary>
#
# Input pixel number i puts its kernel at output pixels `i * stride`, `i * stride + 1`, ... How many of them?
#
# </details>
#
# <details><summary>Hint 2</summary>
#
# Start with a list of zeros of the right length, and add 1 in two nested loops.
#
# </details>
#
# <!-- solution: copies_in_a_row -->

# %% [markdown]
# **Exercise 6** · hard · 10 minutes
#
# A run went wrong: the generator learns, but more slowly than the paper's, and nobody sees why. Its author printed how large the signal is
# after each layer at the start. Below is her generator and what she saw, beside the one of section 3. **Which line did it?**


# %%
def her_generator():
    return nn.Sequential(
        nn.Linear(100, 128 * 7 * 7, bias=False),  # line 1
        nn.Unflatten(1, (128, 7, 7)),  # line 2
        nn.BatchNorm2d(128),  # line 3
        nn.ReLU(),  # line 4
        nn.ConvTranspose2d(128, 64, 4, stride=2, padding=1, bias=False),  # line 5
        nn.BatchNorm2d(64, 0.8),  # line 6
        nn.ReLU(),  # line 7
        nn.ConvTranspose2d(64, 1, 4, stride=2, padding=1),  # line 8
        nn.Tanh(),  # line 9
    ).apply(initialise)


symptoms = []
for seed in range(3):
    torch.manual_seed(seed)
    x, sizes = codes_from(seed, 64), []
    for layer in her_generator():
        x = layer(x)
        sizes.append(x.std().item())
    symptoms.append(sizes)
print("standard deviation after each line, three seeds")
for line, sizes in enumerate(zip(*symptoms, strict=True), 1):
    print(f"line {line}: " + "  ".join(f"{size:.3f}" for size in sizes))

# %%
torch.manual_seed(0)
x = codes_from(0, 64)
reference_generator = networks.DCGANGenerator()
for line, layer in enumerate(reference_generator.layers, 1):
    x = layer(x)
    print(f"the paper's, layer {line}, {type(layer).__name__:<16} {x.std():.3f}")

# %% exercise="culprit"
### BEGIN SOLUTION
culprit = 6
### STUB
# culprit = None  # the number of the line
### END SOLUTION

# %%
checks.lesson03.culprit(culprit)

# %% [markdown]
# <details><summary>Hint 1</summary>
#
# Go down both columns. The first line where they differ much is the culprit.
#
# </details>
#
# <details><summary>Hint 2</summary>
#
# What does a BatchNorm promise about the standard deviation of its output? Look up the order of its arguments.
#
# </details>
#
# <!-- solution: culprit -->
#
# <details><summary>Why it is this line</summary>
#
# The second argument of `BatchNorm2d` is `eps`, the small number that is added to the variance before dividing. Its author
# wanted `momentum=0.8`. Weights of N(0, 0.02) make a signal whose variance is far below 0.8, so the division by
# $\sqrt{\mathrm{var} + 0.8}$ hardly enlarges it: the layer that should bring the signal to size 1 leaves it small. The line
# stands like this in a well-known collection of GAN code.
#
# </details>

# %% [markdown]
# ## 14 Summary
# - A DCGAN resizes only with convolutions: kernel 4, stride 2, padding 1 halves, its transpose doubles.
# - Its rules are what worked, found by trying. Here three of them matter much, two somewhat, for four the seeds cannot tell, and two
#   cost quality. Such a table, an *ablation study*, holds for its data, its budget and its seeds.
# - At equal wall time on MNIST, convolutions brought the FD from 162 to 108, and the changes of `dcgan-fast` together from 108 to 15.
#   Which of these does how much, this lesson has not measured one by one.
# - Codes live in a thin shell. The arc stays in it, the straight line does not. Differences of mean codes move attributes, not cleanly.
# - Before the tanh the image is a sum of one picture a unit.
# - A transposed convolution starts with a checkerboard, training largely unlearns it, and resizing before convolving does not build it in.
#
# **Answer without looking**
# 1. What side has the output of a transposed convolution with kernel 5, stride 2, padding 2 for a side of 7? What would make it 14?
# 2. Why has the layer before a BatchNorm no bias, and why has G's last layer one?
# 3. Why must BatchNorm not stand at G's output and D's input? What did the images show?
# 4. How long is the point halfway between two codes of 400 numbers, on the line and on the arc?
# 5. Kernel 4 and stride 2 overlap evenly. Why can an untrained generator show a checkerboard all the same?
# 6. Two tables compare the same two architectures and name different winners. What do you ask first?
#
# **Next** Lesson 04: what the loss does, and a laboratory of failures.
#
# **References**
# - A. Radford, L. Metz, S. Chintala: [Unsupervised Representation Learning with Deep Convolutional Generative Adversarial
#   Networks](https://arxiv.org/abs/1511.06434), ICLR 2016.
# - S. Ioffe, C. Szegedy: [Batch Normalization](https://arxiv.org/abs/1502.03167), ICML 2015.
# - J. T. Springenberg, A. Dosovitskiy, T. Brox, M. Riedmiller: [Striving for Simplicity: The All Convolutional
#   Net](https://arxiv.org/abs/1412.6806), ICLR 2015 workshop.
# - V. Dumoulin, F. Visin: [A guide to convolution arithmetic for deep learning](https://arxiv.org/abs/1603.07285), 2016.
# - T. White: [Sampling Generative Networks](https://arxiv.org/abs/1609.04468), 2016 (spherical interpolation of codes).
# - A. Odena, V. Dumoulin, C. Olah: [Deconvolution and Checkerboard
#   Artifacts](https://distill.pub/2016/deconv-checkerboard/), Distill 2016.
# - R. Durall, M. Keuper, J. Keuper: [Watch your Up-Convolution](https://arxiv.org/abs/2003.01826), CVPR 2020.
# - L. Mescheder, A. Geiger, S. Nowozin: [Which Training Methods for GANs do actually
#   Converge?](https://arxiv.org/abs/1801.04406), ICML 2018 (the R1 penalty).
# - T. Karras, S. Laine, M. Aittala, J. Hellsten, J. Lehtinen, T. Aila: [Analyzing and Improving the Image Quality of
#   StyleGAN](https://arxiv.org/abs/1912.04958), CVPR 2020 (lazy regularisation).
# - H. Xiao, K. Rasul, R. Vollgraf: [Fashion-MNIST](https://arxiv.org/abs/1708.07747), 2017.
