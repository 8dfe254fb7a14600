# %% [markdown]
# # pix2pix: from one picture to another
#
# {{badges}}
#
# **Time** about 3 minutes of computing on a two-core laptop, two hours with the exercises; on a T4 not measured yet.
#
# **You need** lessons 01 (the best D, logits) and 02 (the loop); lesson 06 (a D that is told) helps.
#
# In this lesson you will
# - see why a loss on pixels blurs or erases what it cannot know, in numbers, on a picture of eight pixels,
# - build the two networks of **pix2pix**: a **U-Net** and a **PatchGAN**, and measure how far a logit of the latter sees,
# - train outline to emoji three ways, L1 alone, the GAN alone, both, and judge them on pairs that were held out,
# - take out skip connections, and find out which one carries what,
# - measure what is left of the noise,
# - break it in two ways: a D that does not see the input, and pairs that are none.
#
# **Contents** 1 Set up · 2 Predict · 3 What a loss does when it cannot know · 4 Pairs · 5 Build · 6 Train · 7 Analyse · 8 Before and
# after · 9 Break it · 10 Exercises · 11 Summary

# %% [markdown]
# ## 1 Set up

# %%
# {{setup}}

# %%
import copy
import dataclasses
import json
from pathlib import Path

import matplotlib.pyplot as plt
import torch
import torch.nn.functional as F
from torch import nn

from gan_course import checks, data, device, losses, methods, metrics, networks, plots, training, widgets

device.announce(laptop="about 3 minutes on two CPU cores", gpu="not measured yet")

ASSETS = Path(methods.__file__).parent / "assets"
pairs, held_out = data.load("emoji-outlines"), data.load("emoji-outlines", "test")
print(pairs)
print(held_out)
inputs, targets = pairs.batch(10, device.seed(4))  # (10, 1, 32, 32), (10, 3, 32, 32) in [-1, 1]
plots.show(
    plots.grid(torch.cat([inputs.expand(-1, 3, -1, -1), targets]), "outlines, and the emoji they belong to", 10, 2.0),
    alt="Ten outlines of emoji in black on white, and under each the coloured emoji.",
)

# %% [markdown]
# A **translation** turns an image x into another image y of the same scene: outline to drawing, map to aerial photo, day to night. Here
# it is learned from pairs (x, y).
#
# ## 2 Predict
# An outline does not say everything. Suppose that in the training pairs a certain pixel is white (+1) in 60 of 100 pictures whose outline
# looks just like this one, and black (-1) in the other 40. A generator learns from such pairs with the **L1 loss alone**, the mean of
# |output - target|. It has seen enough of them and is large enough. What does it put there?
#
# **Exercise 1** · easy · 3 minutes · *a number from -1 to 1; section 3 measures it*

# %% exercise="coin_flip"
### BEGIN SOLUTION
guess = 1.0
### STUB
# guess = None  # from -1 (black) to 1 (white)
### END SOLUTION

# %%
checks.lesson08.coin_flip(guess)

# %% [markdown]
# <details><summary>Hint 1</summary>
#
# One number v for all 100 pictures. Write down the mean of |v - target| for v = 0.2, and for v = 1.
#
# </details>
#
# <details><summary>Hint 2</summary>
#
# Move v up by a little: it comes nearer to 60 targets and goes away from 40.
#
# </details>
#
# <!-- solution: coin_flip -->

# %% [markdown]
# ## 3 What a loss does when it cannot know
# A picture of eight pixels, and an input that tells nothing. On the left four pixels of one colour: white in 60 of 100 cases, else black.
# On the right a thin dark line on white, one pixel wide, in one of four places. So there are 2 x 4 = 8 true answers. Three generators
# look for one: by the squared error (L2), by L1, and by a GAN (lesson 05's small one with R1, and a z of two numbers).
#
# What must come out of the first two can be said before. In L2 each target pulls with a force that grows with its distance; the pulls
# balance at the **mean**. In L1 all pull equally, however far they are; they balance where as many lie above as below, at the
# **median**.

# %%
ANSWERS = torch.ones(2, 4, 8)  # colour of the area, place of the line, pixel
ANSWERS[1, :, :4] = -1
ANSWERS[:, range(4), range(4, 8)] = -1
ANSWERS = ANSWERS.flatten(0, 1)  # (8, 8)
chances = torch.tensor([0.6, 0.4]).repeat_interleave(4) / 4  # (8,)


def true_pictures(n, generator=None, device="cpu"):
    """n pictures (n, 8), drawn with their chances."""
    return ANSWERS[torch.multinomial(chances, n, replacement=True, generator=generator)]


rng = device.seed(0)
truth = true_pictures(20_000, rng)
outputs = {}
for name, loss in (("L2", lambda v: (v - truth).square().mean()), ("L1", lambda v: (v - truth).abs().mean())):
    picture = torch.zeros(8, requires_grad=True)  # the input says nothing, so a generator is eight numbers
    optimizer = torch.optim.Adam([picture], lr=0.02)
    for _ in range(300):
        optimizer.zero_grad()
        loss(picture).backward()
        optimizer.step()
    outputs[name] = picture.detach().expand(2000, 8)
    print(f"{name}: " + " ".join(f"{value:+.2f}" for value in picture.tolist()))
print("your guess:", guess)

recipe = dataclasses.replace(methods.RECIPES["points-fast"], batch_size=64, ema_decay=0.99)
run = training.train(
    training.Run(recipe, data.toy.PointSet(true_pictures, dim=8), seed=0, device="cpu"),
    steps=device.by_profile(smoke=50, laptop=2000, gpu=2000),
)
with torch.no_grad():
    outputs["GAN"] = run.sampler(torch.randn(2000, 2, generator=rng))

# %%
outputs = {"truth": true_pictures(2000, rng)} | outputs
figure, axes = plt.subplots(1, 4, figsize=(8.4, 2.4), layout="constrained", facecolor="white")
for axis, (name, rows) in zip(axes, outputs.items(), strict=True):
    axis.imshow(rows[:8], cmap="gray", vmin=-1, vmax=1)
    axis.set_title(name)
    axis.set_xticks([])
    axis.set_yticks([])
    for row in range(7):
        axis.axhline(row + 0.5, color=plots.COLOURS[0], linewidth=2)
figure.supxlabel("eight pictures each, one a row", fontsize=9)
plt.close(figure)
plots.show(
    figure,
    alt="Eight answers each, one a row. Truth: an area in black or white and one dark pixel. L2: two shades of grey. L1: all white. GAN: like the truth.",
)
for name, rows in outputs.items():
    sharp = ((rows.abs() - 1).abs() < 0.1).float().mean()
    distance = torch.cdist(rows, ANSWERS).min(1).values.mean()
    l1, l2 = losses.l1(rows, truth[:2000]), (rows - truth[:2000]).square().mean()
    nearest = torch.cdist(rows, ANSWERS).argmin(1).bincount(minlength=8) / len(rows)
    print(
        f"{name:<6} pixels that are black or white {sharp:4.0%};  distance to the nearest true answer {distance:.2f};  "
        f"to the answer of a case at random: L1 {l1:.2f}, L2 {l2:.2f}"
    )
    print("       nearest to each of the eight:", " ".join(f"{share:.0%}" for share in nearest.tolist()))

# %% [markdown]
# **L2 answers with the mean**: the area is 0.6 - 0.4 = 0.2, a grey that no true picture has, and the line is smeared over four places.
#
# **L1 answers with the median**, pixel by pixel. The area is a clean white, always: that is your guess of section 2. But look at the
# line. Each of the four places is white in three of four cases, so the median is white everywhere and **the line is gone**. Whatever is
# thin, and at no place likelier than not, L1 erases. Where a pixel may have many values the median is one in the middle of them, and so
# L1 gives dull colours and soft edges, too.
#
# **The GAN chooses**: nearly all its pixels are black or white, and its pictures are near a true one. Its D has seen that no real picture
# has a grey area, or no line. (Choosing is not yet choosing with the right chances: see how often each of the eight is drawn.)
#
# Now look at L1 and L2. In L2 the L2 answer wins, in L1 the L1 answer, and the GAN wins neither, *although its answers are the only ones
# that could be true*: the truth itself, drawn afresh, does hardly better than the GAN. A choice can be wrong, a compromise cannot be very
# wrong. There is a theorem about it: below some mean distance to the right answer, the smaller it is to be, the easier even the best
# method's answers are to tell from real ones (Blau and Michaeli, 2018). Remember it when you read PSNR in section 7.
#
# > **Myth** "L1 blurs because it averages."
#
# L2 averages. L1 takes the median, which is a different failure: it keeps what most cases agree on and erases the rest.
#
# ## 4 Pairs
# Real pairs of photos are costly. Pairs for learning can be made: it is easy to get from the emoji to its outline, and so the way *back*
# has as many examples as there are emoji. `data.outlines` draws a black line where the slope of the image, by Sobel's filter, is steep
# and a ridge. The pairs of the test split are other emoji than those of the training split. (But Noto draws a few things alike: two of
# the 382 are, to the last pixel, also in training.)
#
# What is lost on the way, the generator has to guess: colours above all.


# %%
def overlap(a, b):
    """Of the pixels that are a line in either outline, the share that is a line in both; uint8 (N, 1, H, W) each."""
    a, b = a == 0, b == 0
    return ((a & b).sum((1, 2, 3)) / (a | b).sum((1, 2, 3)).clamp_min(1)).float().mean().item()


again = data.outlines(data.to_uint8(targets))  # (10, 1, 32, 32)
assert torch.equal(data.to_float(again), inputs)
hearts = [held_out.targets.names.index(f"{colour} heart") for colour in ("orange", "green", "purple")]
plots.show(
    plots.grid(plots.beside(held_out.inputs.images[hearts], held_out.targets.images[hearts]), "", 6, 0.7),
    alt="An orange, a green and a purple heart, each beside its outline: the three outlines are nearly the same.",
)
drawn = held_out.inputs.images
print(f"of the line's pixels the first two outlines share {overlap(drawn[hearts[:1]], drawn[hearts[1:2]]):.0%};")
print(f"two strangers share {overlap(drawn, drawn.roll(1, 0)):.0%} on average")

# %% [markdown]
# Nearly the same outline, and a colour that nobody can know: section 3 in a real data set.
#
# ## 5 Build
# ### 5.1 U-Net
# **pix2pix** (Isola and others, 2017) is a conditional GAN whose condition is an image. Its generator starts from that image, and not
# from noise. It is a **U-Net** (Ronneberger and others, 2015): it halves the image until one pixel of many channels is left, which has
# seen everything, and doubles it again. But where a line runs need not go through that eye of a needle: on the way up each layer gets,
# beside the layer below, **what the encoder had at this size**. These are the skip connections, and drawn on paper the network looks
# like a U.


# %%
def halve(inputs, outputs, norm=True):
    """(N, inputs, H, W) -> (N, outputs, H/2, W/2)."""
    layers = [nn.LeakyReLU(0.2), nn.Conv2d(inputs, outputs, 4, stride=2, padding=1, bias=not norm)]
    return nn.Sequential(*layers, *([nn.InstanceNorm2d(outputs, affine=True)] if norm else []))


def double(inputs, outputs, dropout=0.0):
    """(N, inputs, H, W) -> (N, outputs, 2H, 2W)."""
    return nn.Sequential(
        nn.ReLU(),
        nn.ConvTranspose2d(inputs, outputs, 4, stride=2, padding=1, bias=False),
        nn.InstanceNorm2d(outputs, affine=True),
        networks.NoiseDropout(dropout),
    )


class UNet(nn.Module):
    """An outline (N, 1, 32, 32) to a picture (N, 3, 32, 32)."""

    def __init__(self):
        super().__init__()
        self.down = nn.ModuleList(
            [
                nn.Conv2d(1, 24, 4, stride=2, padding=1),  # (N, 24, 16, 16)
                halve(24, 48),  # (N, 48, 8, 8)
                halve(48, 96),  # (N, 96, 4, 4)
                halve(96, 96),  # (N, 96, 2, 2)
                halve(96, 96, norm=False),  # (N, 96, 1, 1)
            ]
        )
        self.up = nn.ModuleList(
            [
                double(96, 96, dropout=0.5),  # (N, 96, 2, 2)
                double(96 + 96, 96, dropout=0.5),  # (N, 96, 4, 4)
                double(96 + 96, 48),  # (N, 48, 8, 8)
                double(48 + 48, 24),  # (N, 24, 16, 16)
                nn.Sequential(nn.ReLU(), nn.ConvTranspose2d(24 + 24, 3, 4, stride=2, padding=1), nn.Tanh()),
            ]
        )

    def forward(self, x):  # (N, 1, 32, 32)
        encoded = []
        for layer in self.down:
            x = layer(x)
            encoded.append(x)
        x = self.up[0](x)
        for layer, skip in zip(self.up[1:], encoded[-2::-1], strict=True):
            x = layer(torch.cat([x, skip], 1))  # twice the channels
        return x  # (N, 3, 32, 32)


def copy_weights(source, target):
    """One network's numbers into another of the same layers."""
    values = list(source.state_dict().values())
    target.load_state_dict(dict(zip(target.state_dict(), values, strict=True)))


torch.manual_seed(0)
theirs, mine = networks.UNetGenerator(32, input_channels=1, channels=3, width=24), UNet()
copy_weights(theirs, mine)
for network in (theirs, mine):
    torch.manual_seed(1)  # the same dropout in both
    print(type(network).__name__, tuple(network(inputs).shape), f"first pixel {network(inputs)[0, 0, 0, 0].item():.6f}")
torch.manual_seed(1)
made = mine(inputs)
torch.manual_seed(1)
assert torch.allclose(made, theirs(inputs), atol=1e-6)

# %% [markdown]
# Three details.
#
# - **Where is z?** The paper gave the generator noise at first, and it learned to ignore it. What is left is dropout after the first two
#   layers on the way up, and it stays on after training. Section 7.4 measures how much noise that is.
# - **Instance norm**: each channel of each image is normalised by its own mean and variance over its pixels. So an output never depends
#   on what else is in the batch. (The paper has BatchNorm with the statistics of the batch in hand, in use as in training; with a batch
#   of 1 that is the same thing.)
# - The activation comes *before* the convolution, so a skip carries numbers that are not yet activated. (`inplace=True` would overwrite
#   them. Here the decoder's ReLU would hide it; with another activation it would not.)
#
# A property check. Hold the one pixel at the bottom at zero. A U-Net must still see its input, a network without skips must be blind.

# %%
for skips in (True, False):
    torch.manual_seed(0)
    network = networks.UNetGenerator(32, 1, 3, width=24, skips=skips, dropout=0.0)
    network.down[-1].register_forward_hook(lambda layer, given, output: torch.zeros_like(output))
    with torch.no_grad():
        moved = (network(inputs) - network(inputs.roll(1, 0))).abs().mean().item()
    print(f"skips {skips!s:<5}  another input moves the output by {moved:.4f}")
    assert (moved > 0) == skips

# %% [markdown]
# ### 5.2 PatchGAN
# L1 takes care of what is where, roughly. D is wanted for what L1 cannot do: edges, lines, clean areas. Such things can be seen in a
# small window. So D has few layers and ends, not in one logit, but in a **square of logits**, each of which judges one patch. It is a
# small D that is moved over the image, and the loss averages over all patches.
#
# What it judges is a *pair*: input and output, stacked along the channels.


# %%
class PatchGAN(nn.Module):
    """A pair (N, 1 + 3, 32, 32) to logits (N, 1, 14, 14)."""

    def __init__(self, norm=True):
        super().__init__()
        self.layers = nn.Sequential(
            nn.Conv2d(4, 32, 4, stride=2, padding=1),  # (N, 32, 16, 16)
            nn.LeakyReLU(0.2),
            nn.Conv2d(32, 64, 4, stride=1, padding=1, bias=not norm),  # (N, 64, 15, 15)
            *([nn.InstanceNorm2d(64, affine=True)] if norm else []),
            nn.LeakyReLU(0.2),
            nn.Conv2d(64, 1, 4, stride=1, padding=1),  # (N, 1, 14, 14)
        )

    def forward(self, pair):
        return self.layers(pair)


theirs, judge = networks.PatchDiscriminator(channels=4, width=32, layers=1), PatchGAN()
copy_weights(theirs, judge)
pair = torch.cat([inputs, targets], 1)  # (10, 4, 32, 32)
assert torch.allclose(judge(pair), theirs(pair), atol=1e-6)
print("logits", tuple(judge(pair).shape))

# %% [markdown]
# **How large is a patch?** Walk from the logit to the image. One logit has seen 4x4 of the layer before it. A square of side r in front
# of a convolution with kernel k and stride s has seen $(r - 1)\,s + k$ pixels: the first window is k wide, and each further one begins s
# later.

# %%
side = 1
for kernel, stride in ((4, 1), (4, 1), (4, 2)):  # the last layer first
    side = (side - 1) * stride + kernel
    print(f"kernel {kernel}, stride {stride}: {side} x {side}")
assert side == theirs.receptive_field == 16

# %% [markdown]
# Half of the image's height. With two layers of stride 2 it is 34, with three 70, the paper's famous number (for images of 256 pixels).
# That was arithmetic. Now ask the network: which pixels have a gradient from the logit in the middle?

# %%
probes = {}
for norm in (False, True):
    torch.manual_seed(0)
    network = PatchGAN(norm)
    x = pair[:1].clone().requires_grad_(True)
    (slope,) = torch.autograd.grad(network(x)[0, 0, 7, 7], x)
    strength = slope[0].abs().amax(0)  # (32, 32)
    seen = strength > 0
    rows, columns = seen.any(1).nonzero().flatten(), seen.any(0).nonzero().flatten()
    name = "instance norm" if norm else "no norm"
    outside = strength.clone()
    outside[9:25, 9:25] = 0  # the patch of logit (7, 7)
    print(
        f"{name:<14} pixels with a gradient: {seen.sum().item():4d}, rows {rows[0]} to {rows[-1]}, columns {columns[0]} to "
        f"{columns[-1]};  share of the gradient outside the patch {outside.sum() / strength.sum():.1%}"
    )
    probes[name] = strength
assert (probes["no norm"] > 0).sum() == 16 * 16

# %%
figure, axes = plt.subplots(1, 2, figsize=(7.2, 3.2), layout="constrained", facecolor="white")
for axis, (name, strength) in zip(axes, probes.items(), strict=True):
    shown = axis.imshow((strength / strength.max()).clamp_min(1e-6).log10(), cmap="cividis", vmin=-4, vmax=0)
    axis.set_title(name)
    axis.set_xticks([])
    axis.set_yticks([])
figure.colorbar(shown, ax=axes, label="log10 (gradient / largest)")
plt.close(figure)
plots.show(
    figure,
    alt="Which pixels move the middle logit. Without a norm: exactly a square of 16 by 16. With instance norm: that square, and faintly the whole image.",
)

# %% [markdown]
# > **Myth** "A logit of a PatchGAN depends on its patch and on nothing else."
#
# Only without a norm. Instance norm divides by a standard deviation that is taken over the **whole image**, and so every logit feels,
# through the mean and this number, two for a channel, what happens far away. The receptive field of 16 is what the *convolutions* see.
# (BatchNorm, which the authors' code has, even lets a logit feel the other images, where a batch holds more than one.)
#
# ### 5.3 The two losses
# $$\min_G \max_D \; \mathbb{E}_{x, y} \log D(x, y) + \mathbb{E}_{x} \log\big(1 - D(x, G(x))\big) \;+\; \lambda \, \mathbb{E}_{x, y} \lVert y - G(x) \rVert_1$$
#
# with $\lambda = 100$, the L1 norm as a mean over all numbers of the image, and the non-saturating loss for G, as in lesson 02. D(x, y)
# stands for one patch; the loss is the mean over all 14 x 14. Three steps by hand, then the package's.


# %%
def pix2pix_steps_by_hand(run, steps, weight=100.0):
    """D judges pairs; G wants its pairs to pass, and its output to be near the target."""
    for _ in range(steps):
        x, y = run.batch()  # (N, 1, 32, 32), (N, 3, 32, 32)
        fake = run.generator(x)

        run.discriminator.requires_grad_(True)
        on_real = run.discriminator(torch.cat([x, y], 1))  # (N, 1, 14, 14)
        on_fake = run.discriminator(torch.cat([x, fake.detach()], 1))
        d_loss = F.softplus(-on_real).mean() + F.softplus(on_fake).mean()
        run.d_optimizer.zero_grad()
        d_loss.backward()
        run.d_optimizer.step()

        run.discriminator.requires_grad_(False)
        adversarial = F.softplus(-run.discriminator(torch.cat([x, fake], 1))).mean()
        g_loss = adversarial + weight * (fake - y).abs().mean()
        run.g_optimizer.zero_grad()
        g_loss.backward()
        run.g_optimizer.step()
    return run


small = dataclasses.replace(methods.RECIPES["pix2pix"], ema_decay=None, learning_rate_decay=False, batch_size=4)
by_hand = pix2pix_steps_by_hand(training.Run(small, pairs, seed=0, device="cpu"), steps=3)
by_package = training.train(training.Run(small, pairs, seed=0, device="cpu"), steps=3)
for player in ("generator", "discriminator"):
    both = zip(getattr(by_hand, player).parameters(), getattr(by_package, player).parameters(), strict=True)
    assert all(torch.allclose(a, b, atol=1e-5) for a, b in both)
print("three steps by hand and three of training.train end at the same weights")

# %% [markdown]
# ## 6 Train
# Three generators, alike in all but the loss: **L1 alone** (its D is never asked), the **GAN alone** ($\lambda = 0$), and **both**. Each
# makes as many steps. The two alone are what $\lambda$ leads to at either end: with $\lambda$ huge D's term is lost beside L1's, and Adam,
# which divides by the gradient's size, makes the steps of L1 alone.

# %%
STEPS = device.by_profile(smoke=3, laptop=1500, gpu=6000)
log_every = device.by_profile(smoke=1, laptop=50, gpu=100)
shown = torch.linspace(0, len(held_out) - 1, 10).long()  # ten held-out pairs, evenly over the set
judged = held_out.subset(slice(0, device.by_profile(smoke=24, laptop=len(held_out), gpu=len(held_out))))
snapshots = training.Snapshots(inputs=held_out.inputs.images[shown], frames=8)
runs = {}
for name, key in (("L1 alone", "pix2pix-l1"), ("GAN alone", "pix2pix-gan"), ("both", "pix2pix")):
    watch = [snapshots] if name == "both" else []
    runs[name] = training.train(
        training.Run(methods.RECIPES[key], pairs, seed=0),
        steps=STEPS,
        callbacks=[training.ProgressBar(f"{name:<9}"), *watch],
        log_every=log_every,
    )

# %% [markdown]
# Eight moments of the training with both losses, on six outlines that it does not train on (the first six columns of the figure after
# the next):

# %%
plots.show(
    plots.film_strip(snapshots, frames=8, images=6),
    alt="Six rows, one for each held-out outline, at eight moments of the training: from grey through blurred colours to drawings.",
)

# %% [markdown]
# And the three side by side:

# %%
answers = {name: training.translate(run.sampler, held_out.inputs.images[shown]) for name, run in runs.items()}
rows = [data.to_uint8(images) for images in answers.values()]  # (10, 3, 32, 32) each
outlines = held_out.inputs.images[shown].expand(-1, 3, -1, -1)
plots.show(
    plots.grid(
        torch.cat([outlines, *rows, held_out.targets.images[shown]]),
        f"rows: outline, {', '.join(answers)}, target",
        10,
        4.6,
    ),
    alt="Ten columns, five rows: outlines; the pale and soft answers of L1 alone; those of the GAN alone, sharp and often of another colour; those of both; the targets.",
)

# %%
plots.show(
    plots.curves(runs["both"].history, "both"),
    alt="Left: the losses of D and G against steps. Right: what D answers to real and to generated pairs.",
)

# %% [markdown]
# In the legend x is a real *pair*, and G(z) the pair with G's output, each a mean over the patches. G's loss is shown without the L1
# term. For some hundred steps D gets ever better at finding the fakes, while G does what L1 wants: with $\lambda = 100$ that decides most
# of what G does. Then G begins to catch up. How much say either term has, its gradient by G's output tells.

# %%
for name in ("GAN alone", "both"):
    run = runs[name]
    x, y = held_out.batch(32, device.seed(0))
    x, y = x.to(run.device), y.to(run.device)
    fake = run.generator(x).detach().requires_grad_(True)
    adversarial = F.softplus(-run.discriminator(torch.cat([x, fake], 1))).mean()
    (by_d,) = torch.autograd.grad(adversarial, fake)
    (by_l1,) = torch.autograd.grad(100 * losses.l1(fake, y), fake)
    print(
        f"{name:<10} length of the gradient by the output: adversarial {by_d.norm():.3f}, 100 x L1 {by_l1.norm():.3f}"
    )

# %% [markdown]
# L1 pushes every number by the same 100/n, however near it is, so its length is always 0.32; compare D's push with that. ("GAN alone"
# lacks the L1 term; its length stands there for comparison.)
#
# ## 7 Analyse
# ### 7.1 Numbers on held-out pairs
# | | what it is | better |
# |---|---|---|
# | PSNR | $10 \log_{10}(\text{range}^2 / \text{mean squared error})$ in dB; 3 dB more is half the squared error | higher |
# | SSIM | agreement of means, variances and patterns in small windows, 1 at most | higher |
# | L1 | mean absolute difference, on the scale of [-1, 1] | lower |
# | pixel accuracy | share of pixels that are right to within 16 of 255 in every colour | higher |
# | feature distance | between the features of a classifier of emoji: does it look like the same *thing*? | lower |
# | sharpness | power of the image's waves shorter than 4 pixels, over that of the targets | near 1 |
#
# The first row is a **copy of the input**: what doing nothing scores. Then the gain of "both" over it, where + is better whatever the
# score, with a bootstrap interval: pairs are drawn with replacement 10,000 times, and the interval holds the middle 95% of the mean
# gains. It says how much the choice of the test pairs matters, and nothing of another training. (Sharpness has no gain: it is not of a
# pair.)

# %%
SCORES = ("psnr", "ssim", "l1", "pixel_accuracy", "feature_distance", "sharpness")


def print_scores(rows):
    """One line a method."""
    print(f"{'':<18}" + "".join(f"{name:>17}" for name in SCORES))
    for row in rows:
        print(f"{row['checkpoint']:<18}" + "".join(f"{row[name]:17.3f}" for name in SCORES))


def print_gains(row):
    """By how much a method beats a copy of the input, score by score."""
    for name, gain in row["over_copying"].items():
        print(f"{name:<18} {gain['mean']:+.3f}, 95% interval {gain['low']:+.3f} to {gain['high']:+.3f}")


scores, pictures = metrics.compare_translations({name: run.sampler for name, run in runs.items()}, judged)
print_scores(scores)
print("\n'both' better than a copy of the outline, by")
print_gains(scores[-1])

# %% [markdown]
# Read it with section 3 in mind. **L1 alone** wins PSNR, SSIM and, of course, L1, and has the least sharpness: it fills most outlines
# with one dull brown, the median of many colours. **The GAN alone** has as much fine detail as the targets, and loses whatever is
# compared pixel by pixel. **Both** lies between the two in all of these. By *features*, both and the GAN alone are about as near to the
# targets, and L1 is further off. No row wins everything, and by the theorem of section 3 none can be expected to.
#
# And doing nothing is not beaten everywhere. A copy of the outline has more pixels that are right than any of the three. All that it has
# right is the white ground, and there a generator can only lose.
#
# Mind what sharpness does *not* say. It counts power, whatever it is the power of. The copied outline has thirty times the fine detail
# of the targets, and nobody would call it right. And look at the pictures again: a part of the GAN's detail is noise and a grid of dots
# that no emoji has. Above 1 is not better than 1.
#
# > **Myth** "A higher PSNR means a better-looking translation."
#
# It means a smaller squared error. Of two answers, one of which could be true and is not, and one that could not be, PSNR often prefers
# the second.
#
# ### 7.2 Where the detail went
# The same by wavelength. An image is a sum of waves, and its power spectrum says how strong they are; with k cycles across the image a
# wave is 32/k pixels long. The number "sharpness" is everything to the right of the thin line, over the same of the targets.


# %%
def spectrum(images):
    """uint8 (N, 3, 32, 32) -> power of all waves with k cycles across or down, the mean over images, k = 0..16, (17,)."""
    grey = (
        data.to_float(data.to_uint8(images) if images.is_floating_point() else images).double().mean(1)
    )  # (N, 32, 32)
    power = torch.fft.fft2(grey, norm="forward").abs().square().mean(0)  # (32, 32)
    cycles = (torch.fft.fftfreq(32).abs() * 32).round().long()  # (32,)
    ring = torch.maximum(cycles[:, None], cycles[None])  # (32, 32)
    return torch.stack([power[ring == k].sum() for k in range(17)])


spectra = {name: spectrum(pictures[name]) for name in ("target", *runs)}
assert torch.allclose(spectra["target"][9:].sum(), metrics.fine_detail(pictures["target"]).mean())
figure, axis = plt.subplots(figsize=(6.4, 3.4), layout="constrained", facecolor="white")
for (name, power), style, colour in zip(
    spectra.items(), ("-", "--", "-.", ":"), ("#000000", *plots.COLOURS), strict=False
):
    axis.semilogy(range(1, 17), power[1:], linestyle=style, color=colour, label=name)
axis.axvline(8.5, color="grey", linewidth=0.8)
axis.set_xlabel("cycles across the image")
axis.set_ylabel("power")
axis.legend(frameon=False)
axis.grid(alpha=0.3)
plt.close(figure)
plots.show(
    figure,
    alt="Power against frequency, on a logarithmic scale. The curve of L1 alone lies far below the targets'; the GAN's is close to it and crosses it at the shortest waves; both is between.",
)

# %% [markdown]
# L1 alone loses power at all wavelengths and most of it in fine detail. The GAN alone stays close to the targets up to 12 cycles. Beyond,
# where emoji have next to nothing, it has more than they: that is the grid of dots.
#
# ### 7.3 Over seeds, on two sets of pairs
# One seed in a few minutes decides little. The table from `benchmarks/pix2pix_table.py`: outline to emoji, and one style of emoji to
# another (Noto to Twemoji), three seeds, the mean and the standard deviation. `pix2pix-no-skips` is both losses and a generator without
# skip connections.

# %%
table = json.loads((ASSETS / "results" / "pix2pix_table.json").read_text(encoding="utf-8"))
print(f"{table['steps']:,} steps each; {table['hardware']}")
for set_name in dict.fromkeys(row["data"] for row in table["table"]):
    print(f"\n{set_name:<18}" + "".join(f"{name:>17}" for name in SCORES))
    for row in (row for row in table["table"] if row["data"] == set_name):
        cells = [f"{row[name]['mean']:.3f} ± {row[name]['std']:.3f}" for name in SCORES]
        print(f"{row['name']:<18}" + "".join(f"{cell:>17}" for cell in cells))

# %% [markdown]
# - **On outlines** the order of 7.1 holds on every seed: L1 alone is first in PSNR, SSIM and L1 and has a third of the targets' fine
#   detail; the GAN alone is last in the three and has all of it. By features "both" is nearest. In pixel accuracy L1 and both are level.
# - **From one style to the other** the same order, and a rival that is hard to beat: the copy is nearer in *features*, and has as many
#   right pixels, as any of the four after 2,000 steps. The GAN alone is worse than doing nothing in every measure.
# - **Without skips** more than 1 dB is lost, and SSIM falls from 0.51 to 0.38 and from 0.40 to 0.29. But there is *as much* fine detail
#   as before, nearly. What a skip carries is not detail but its place.
#
# All these differences are many times the seeds' standard deviation, but for those that were called level.
#
# ### 7.4 What is left of the noise
# The dropout is the only z. Translate each outline eight times. How far apart are eight answers to **one** outline, and how far are they
# from the truth? (A generator that drew from all true answers would have a ratio of about 0.9, for values that spread like a bell, to 1
# or more, for two values.)

# %%
some, their_targets = judged.inputs.images[::4], data.to_float(judged.targets.images[::4])  # every fourth pair
for name, run in runs.items():
    several = torch.stack([training.translate(run.sampler, some, seed=i) for i in range(8)])  # (8, N, 3, 32, 32)
    spread = several.std(0).mean()
    away = (several - their_targets).abs().mean()
    print(
        f"{name:<10} standard deviation of a pixel over eight answers {spread:.3f};  distance to the target {away:.3f};  "
        f"ratio {spread / away:.2f}"
    )
eight = torch.cat(
    [training.translate(runs["GAN alone"].sampler, held_out.inputs.images[[i] * 8], seed=i) for i in hearts]
)
plots.show(
    plots.grid(eight, "GAN alone: eight answers to each of the three hearts", 8, 2.4),
    alt="Three rows of eight answers to one heart's outline each; within a row they differ only a little.",
)

# %% [markdown]
# > **Myth** "The dropout makes pix2pix give many different answers."
#
# It gives nearly one, as the paper says itself. The spread is a fraction of what the generator does not know. Eight hearts of eight
# colours would be right, and training has hearts of eight colours. But each *exact* outline comes with one emoji, a G that always answers
# the same pays nothing for its lack of variety, and L1 punishes it for choosing otherwise. Methods that want variety have to ask for it:
# BicycleGAN (Zhu and others, 2017) makes the code recoverable from the output, which is InfoGAN's idea in lesson 07.
#
# ### 7.5 Which skip carries what
# Knock them out one at a time, in the trained generator "both": what the encoder sends over at one size is set to zero.


# %%
@torch.no_grad()
def without_skip(generator, level, images):
    """Translate with the skip from encoder layer `level` at zero; 0 is the one at 16x16. None leaves all in place."""
    generator = copy.deepcopy(generator).cpu().eval()
    if level is not None:
        layer = generator.up[len(generator.down) - 1 - level]
        width = generator.down[level][-1].weight.shape[0]  # channels that came over

        def knock_out(layer, given):
            joined, size = given
            return torch.cat([joined[:, :-width], torch.zeros_like(joined[:, -width:])], 1), size

        layer.register_forward_pre_hook(knock_out)
    return training.translate(generator, images)


extractor = metrics.extractor_for("emoji-outlines", held_out.image_shape)
print(f"{'skip taken away':<18}" + "".join(f"{name:>17}" for name in SCORES))
strips = []
for level, name in ((None, "none"), (0, "16x16"), (1, "8x8"), (2, "4x4"), (3, "2x2")):
    made = without_skip(runs["both"].sampler, level, judged.inputs.images)
    row = metrics.compare_pairs(made, judged.targets.images, extractor)
    print(f"{name:<18}" + "".join(f"{row[score]:17.3f}" for score in SCORES))
    strips.append(without_skip(runs["both"].sampler, level, held_out.inputs.images[shown]))
plots.show(
    plots.grid(torch.cat(strips), "rows: all skips; without that at 16x16, 8x8, 4x4, 2x2", 10, 4.6),
    alt="Ten columns, five rows: the answers of the whole generator, and of the same with one skip connection set to zero.",
)

# %% [markdown]
# The skips at 8x8 and 4x4 are missed most, the one at 2x2 hardly at all: what four numbers a channel can say, the one pixel at the bottom
# says as well. Without the one at 16x16 lines get softer and all colours shift, for it carries more than lines. (A knocked-out skip is
# not a network that was trained without it; for that see `pix2pix-no-skips` in the table.)
#
# ## 8 Before and after
# The shipped generator was trained longer, by `tools/train_checkpoints.py` and the recipe `pix2pix-fast`: both losses as above, five
# times the learning rates, which fall to 0 in the second half, an average of G, and half of the pairs mirrored. Move the slider over the
# held-out pairs. **Your picture** takes a file of yours: its middle square is made 32x32, its outline is drawn, and the generator
# colours it in. Clear shapes on a plain ground work best. **Other noise** draws the dropout afresh (you will hardly see it, as in 7.4).


# %%
def shipped(name):
    """A generator that ships with the course."""
    generator, card = training.load_network(name, "cpu")
    print(f"{name}: {card['steps']:,} steps, {card['seconds']:.0f} s on {card['hardware']}")
    return generator


generator = shipped("pix2pix-outlines")
explorer = widgets.TranslationExplorer(generator, held_out, prepare=data.outlines)
explorer

# %%
plots.show(
    explorer.figure(),
    alt="Three rows: ten held-out outlines, what the shipped generator makes of them, and the targets.",
)
longer, _ = metrics.compare_translations({"shipped": generator}, judged)
print_scores(longer)
print("\nbetter than a copy of the outline, by")
print_gains(longer[-1])

# %% [markdown]
# Against "both" of section 7.1 everything is better: a dB of PSNR, SSIM, features, and nearly all of the fine detail is there. Pixel
# accuracy now beats the copy, too. Faces, skies and the sea have their colours; what may have any colour has a mottled one, and no
# training will mend that. (How much of it is the length and how much the other settings, this does not say.)
#
# A copy of an outline is an easy rival. From one *style* of emoji to the other a copy is often nearly right, and much harder to beat.

# %%
other_style = data.load("emoji-styles", "test").subset(slice(0, len(judged)))
restyle = shipped("pix2pix-styles")
restyled, _ = metrics.compare_translations({"shipped": restyle}, other_style)
print_scores(restyled)
print("\nbetter than a copy of the Noto emoji, by")
print_gains(restyled[-1])
style_explorer = widgets.TranslationExplorer(restyle, other_style)
plots.show(
    style_explorer.figure(), alt="Three rows: ten Noto emoji, the shipped generator's answers, the Twemoji emoji."
)

# %% [markdown]
# Better than the copy in four scores, and a little *worse* in the fifth: a classifier of emoji makes more of a clean emoji in the wrong
# style than of a washed-out one in the right style. Ask the pixels, and pairs help; ask the classifier, and you had better done nothing.
# Remember both for lesson 09, which sees no pairs.

# %% [markdown]
# ## 9 Break it
# ### 9.1 A D that does not see the input
# D gets the output alone: is it a real emoji? Nothing crashes. Train both kinds without L1, and compare the two D's on two pairs that one
# which sees the input should tell apart: an outline with its own emoji, and the same emoji beside another outline. Then the two G's:
# "outline kept" is the share of line pixels in common (section 4) of the outline given and that of what G drew.

# %%
SHORT = device.by_profile(smoke=3, laptop=600, gpu=2000)


class BlindCritic(networks.PatchDiscriminator):
    """It is handed the pair, and looks at the last three channels only."""

    def __init__(self):
        super().__init__(channels=3, width=32, layers=1)

    def forward(self, pair):  # (N, 1 + 3, 32, 32)
        return super().forward(pair[:, -3:])


blind = dataclasses.replace(
    methods.RECIPES["pix2pix-gan"], name="blind", discriminator=lambda inputs, outputs: BlindCritic()
)
tried = {}
for name, recipe in (("told", methods.RECIPES["pix2pix-gan"]), ("blind", blind)):
    tried[name] = training.train(
        training.Run(recipe, pairs, seed=0),
        steps=SHORT,
        callbacks=[training.ProgressBar(f"{name:<5}")],
        log_every=min(SHORT, 50),
    )

# %%
x, y = (data.to_float(side.images) for side in (judged.inputs, judged.targets))


for name, run in tried.items():
    judge = copy.deepcopy(run.discriminator).cpu()
    with torch.no_grad():
        right, wrong = judge(torch.cat([x, y], 1)).mean(), judge(torch.cat([x.roll(1, 0), y], 1)).mean()
    made = training.translate(run.sampler, judged.inputs.images)
    row = metrics.compare_pairs(made, judged.targets.images, extractor)
    drawn = data.outlines(data.to_uint8(made))
    print(
        f"{name:<6} D's loss {run.history[-1]['d_loss']:.2f}, its logit for a real pair {right:+.2f}, beside a wrong outline "
        f"{wrong:+.2f};  "
        f"G: outline kept {overlap(drawn, judged.inputs.images):.2f} "
        f"(a stranger's: {overlap(drawn, judged.inputs.images.roll(1, 0)):.2f}), features {row['feature_distance']:.1f}, "
        f"PSNR {row['psnr']:.2f}"
    )
theirs = [training.translate(run.sampler, held_out.inputs.images[shown]) for run in tried.values()]
plots.show(
    plots.grid(torch.cat([data.to_float(outlines), *theirs]), "rows: outline; D is told; D is blind", 10, 2.8),
    alt="Ten columns, three rows: outlines; the answers of a GAN whose D sees them, which fill them; those of one whose D is blind, which run across the lines.",
)

# %% [markdown]
# The blind D gives both pairs the same logit, to the last digit: it has no way to know. So nothing in its G's loss says that the picture
# should fit the outline. It must only look like *some* emoji, and every outline may lead to the same one. That the lines shine through at
# all is the work of the skip connections, which hand them over whether anybody asks or not. In the whole pix2pix the L1 term still ties
# output to target, and so the mistake is easily overlooked: the game runs, and D does half of its work. Exercise 4 has a check for it.
#
# ### 9.2 Pairs that are none
# This mistake needs no code: two folders whose files are listed in different orders ("img10" comes before "img2"). Every batch loads,
# every shape is right. Here the targets are moved on by one, or shuffled. L1 alone, so that its loss can be read.

# %%
BRIEF = device.by_profile(smoke=3, laptop=400, gpu=1000)
orders = {
    "right pairs": torch.arange(len(pairs)),
    "moved by one": torch.arange(len(pairs)).roll(1),
    "shuffled": torch.randperm(len(pairs), generator=device.seed(0)),
}
strips = []
print(f"{'':<14}{'L1 in training: first':>22}{'last':>8}{'PSNR held out':>16}{'features':>12}")
for name, order in orders.items():
    its_pairs = dataclasses.replace(pairs, targets=pairs.targets.subset(order))
    run = training.train(
        training.Run(methods.RECIPES["pix2pix-l1"], its_pairs, seed=0), steps=BRIEF, log_every=min(BRIEF, 50)
    )
    row = metrics.compare_pairs(training.translate(run.sampler, judged.inputs.images), judged.targets.images, extractor)
    first, last = run.history[0]["l1"], run.history[-1]["l1"]
    print(f"{name:<14}{first:22.3f}{last:8.3f}{row['psnr']:16.2f}{row['feature_distance']:12.1f}")
    strips.append(training.translate(run.sampler, held_out.inputs.images[shown]))
plots.show(
    plots.grid(torch.cat(strips), "rows: " + ", ".join(orders), 10, 2.8),
    alt="Ten columns, three rows: with right pairs brown shapes of the outlines' form; moved by one nearly the same, softer; shuffled ten times the same pale disc.",
)

# %% [markdown]
# The loss falls in all three, and no shape is wrong. **Shuffled**, the outline says nothing of the target, and every answer is the median
# emoji of section 3: a pale disc. **Moved by one** is the treacherous case. Emoji are listed by kind, so that a face stands next to a
# face and a flag next to a flag, and the answers look like those of right pairs, a little softer and worse by half a dB to one dB. With
# nothing to compare with you would think that it needs more training.
#
# The cure is to look: draw ten pairs before you train, as section 1 did.

# %% [markdown]
# ## 10 Exercises
# **Exercise 2** · easy · 5 minutes
#
# Section 5.2 walked through three layers. Now any chain of convolutions: how many pixels wide is the square that one output has seen?


# %% exercise="receptive_field"
def receptive_field(layers):
    """[(kernel, stride), ...], the first layer first -> the side of the square, a whole number."""
    ### BEGIN SOLUTION
    side = 1
    for kernel, stride in reversed(layers):
        side = (side - 1) * stride + kernel
    return side
    ### END SOLUTION


# %%
checks.lesson08.receptive_field(receptive_field)

# %% [markdown]
# <details><summary>Hint 1</summary>
#
# Begin with a square of side 1 at the output, and walk towards the image.
#
# </details>
#
# <details><summary>Hint 2</summary>
#
# r outputs side by side have seen one whole kernel, and r - 1 steps of the stride.
#
# </details>
#
# <!-- solution: receptive_field -->

# %% [markdown]
# **Exercise 3** · medium · 8 minutes
#
# One step up in a U-Net, for images of *any* size. `layer` is an `nn.ConvTranspose2d` with stride 2, kernel 4, padding 1. On the way down
# 7 became 3; on the way up 3 becomes 6, and the skip is 7 wide. Let the layer make the size of the skip, then join the two: first what
# comes from below, then the skip.


# %% exercise="up_and_join"
def up_and_join(layer, x, skip):
    """x (N, A, h, w), skip (N, B, H, W) -> (N, C + B, H, W), C the channels that `layer` gives."""
    ### BEGIN SOLUTION
    up = layer(x, output_size=skip.shape[-2:])
    return torch.cat([up, skip], 1)
    ### END SOLUTION


# %%
checks.lesson08.up_and_join(up_and_join)

# %% [markdown]
# <details><summary>Hint 1</summary>
#
# With stride 2, images of 6 and of 7 pixels both become 3. Going back, the layer has to be told which of the two you mean.
#
# </details>
#
# <details><summary>Hint 2</summary>
#
# `layer(x, output_size=...)`, with the height and width of the skip.
#
# </details>
#
# <!-- solution: up_and_join -->

# %% [markdown]
# **Exercise 4** · medium · 10 minutes
#
# Both losses of pix2pix, to be minimised. D sees input and output stacked along the channels, the input first. For G take the
# non-saturating loss.


# %% exercise="pix2pix_losses"
def pix2pix_losses(discriminator, inputs, targets, outputs, weight):
    """Images (N, A, H, W), (N, B, H, W), (N, B, H, W); weight of L1 -> (D's loss, G's loss), two scalar tensors."""
    ### BEGIN SOLUTION
    on_real = discriminator(torch.cat([inputs, targets], 1))
    on_fake = discriminator(torch.cat([inputs, outputs.detach()], 1))
    d_loss = F.softplus(-on_real).mean() + F.softplus(on_fake).mean()
    adversarial = F.softplus(-discriminator(torch.cat([inputs, outputs], 1))).mean()
    return d_loss, adversarial + weight * (outputs - targets).abs().mean()
    ### END SOLUTION


# %%
checks.lesson08.pix2pix_losses(pix2pix_losses)

# %% [markdown]
# <details><summary>Hint 1</summary>
#
# D's loss must not reach G: which tensor has to be detached, and in which of the two losses?
#
# </details>
#
# <details><summary>Hint 2</summary>
#
# softplus(-logit) is -log D, softplus(logit) is -log(1 - D); a mean over all patches and images. L1 is a mean, too.
#
# </details>
#
# <!-- solution: pix2pix_losses -->

# %% [markdown]
# **Exercise 5** · medium · 8 minutes
#
# PSNR of each pair, in dB, for images in [-1, 1]: ten times the decimal logarithm of the squared range over the mean squared error.


# %% exercise="psnr"
def psnr(outputs, targets):
    """Images (N, C, H, W) in [-1, 1] -> (N,) dB."""
    ### BEGIN SOLUTION
    error = (outputs - targets).square().mean((1, 2, 3))  # (N,)
    return 10 * torch.log10(4 / error)
    ### END SOLUTION


# %%
checks.lesson08.psnr(psnr)

# %% [markdown]
# <details><summary>Hint 1</summary>
#
# How far apart are black and white?
#
# </details>
#
# <details><summary>Hint 2</summary>
#
# One error an image: a mean over channels and pixels, and not over the batch. The logarithm comes after that.
#
# </details>
#
# <!-- solution: psnr -->

# %% [markdown]
# **Exercise 6** · medium · 8 minutes
#
# How much noise is left? `translate(images)` gives another answer each time it is called. Return the standard deviation of a pixel over
# `times` answers to the **same** input, averaged over pixels and images.


# %% exercise="spread"
def spread(translate, inputs, times):
    """inputs (N, C, H, W) -> one number, 0 for a generator without noise."""
    ### BEGIN SOLUTION
    answers = torch.stack([translate(inputs) for _ in range(times)])  # (times, N, C, H, W)
    return answers.std(0).mean()
    ### END SOLUTION


# %%
checks.lesson08.spread(spread)

# %% [markdown]
# <details><summary>Hint 1</summary>
#
# Answers to *different* inputs differ anyhow. Over which dimension is the standard deviation taken?
#
# </details>
#
# <details><summary>Hint 2</summary>
#
# `torch.stack` puts the answers along a new first dimension.
#
# </details>
#
# <!-- solution: spread -->

# %% [markdown]
# ## 11 Summary
# - A translation is a generator that starts from an image. Where the input does not decide, L2 answers with the mean, L1 with the median
#   of each pixel, and a GAN with a choice. The choice looks right and scores worse.
# - **U-Net**: down to one pixel and up again, with skip connections, so that *where* need not pass through the middle.
# - **PatchGAN**: a square of logits, each for a patch. Its convolutions see 16 pixels here, 70 in the paper; an instance norm sees the
#   whole image.
# - D judges **pairs**, input and output. A D that sees the output alone cannot tell whether one belongs to the other.
# - G: adversarial + 100 x L1. More L1 is softer, less is sharper and more often wrong.
# - The noise is dropout, and hardly any.
# - A number about pairs needs a rival: copying the input.
#
# **Answer without looking**
# 1. The target is a thin line in one of five places. What does L1 alone draw? And L2?
# 2. Two layers with kernel 3, the first with stride 2: how wide is the receptive field?
# 3. Your D has an instance norm, and its middle logit moves when you paint a corner of the image. Is that a bug?
# 4. Why does D see the input, when G is trained with L1 as well?
# 5. Method A has a PSNR of 20 dB and a sharpness of 0.2, method B 18 dB and 0.9. Which would you ship? What would you ask first?
# 6. Your PSNR is 6 dB lower than the library's. What did you take for the range?
# 7. In which sense is L1 alone a pix2pix with a very large weight?
#
# **Next** Lesson 09: the same without pairs.
#
# **References**
# - P. Isola, J.-Y. Zhu, T. Zhou, A. A. Efros: [Image-to-Image Translation with Conditional Adversarial
#   Networks](https://arxiv.org/abs/1611.07004), CVPR 2017.
# - O. Ronneberger, P. Fischer, T. Brox: [U-Net: Convolutional Networks for Biomedical Image
#   Segmentation](https://arxiv.org/abs/1505.04597), MICCAI 2015.
# - M. Mathieu, C. Couprie, Y. LeCun: [Deep Multi-Scale Video Prediction beyond Mean Square Error](https://arxiv.org/abs/1511.05440), ICLR
#   2016: the squared error blurs, and what can be done.
# - Y. Blau, T. Michaeli: [The Perception-Distortion Tradeoff](https://arxiv.org/abs/1711.06077), CVPR 2018.
# - J.-Y. Zhu, R. Zhang, D. Pathak, T. Darrell, A. A. Efros, O. Wang, E. Shechtman: [Toward Multimodal Image-to-Image
#   Translation](https://arxiv.org/abs/1711.11586), NIPS 2017.
# - Z. Wang, A. C. Bovik, H. R. Sheikh, E. P. Simoncelli: [Image Quality Assessment: From Error Visibility to Structural
#   Similarity](https://doi.org/10.1109/TIP.2003.819861), IEEE Transactions on Image Processing, 2004.
