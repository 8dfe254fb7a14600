# %% [markdown]
# # CycleGAN: a translation without pairs
#
# {{badges}}
#
# **Time** about 5 minutes of computing on a two-core laptop, two hours with the exercises; on a T4 not measured yet.
#
# **You need** lesson 08 (pix2pix, PatchGAN, PSNR, SSIM), 04 (least squares), 05 (R1) and 01 (the best D). For the last part, 06.
#
# In this lesson you will
# - see why two sets of images do not say which translation you want: neither D nor a cycle can tell, in numbers,
# - build CycleGAN: a ResNet generator with instance norm, the cycle loss, the identity loss, a pool of old fakes,
# - prove that the pairing is never used, and then use it where few CycleGANs can be judged: on true answers,
# - look for what a cycle hides in an image, too faintly to be seen,
# - meet a loss that does not care where in an image something is,
# - build a small StarGAN: one generator for five ways to draw a digit,
# - break both.
#
# **Contents** 1 Set up · 2 Predict · 3 Why it is ill-posed · 4 Build · 5 The pairing is never used · 6 Train · 7 Against the true
# answers · 8 What the cycle hides · 9 A loss without places · 10 StarGAN · 11 Break it · 12 Exercises · 13 Summary

# %% [markdown]
# ## 1 Set up

# %%
# {{setup}}

# %%
import dataclasses
import json
import math
from pathlib import Path
from statistics import mean

import torch
import torch.nn.functional as F
from torch import nn

from gan_course import (
    checks,
    data,
    device,
    losses,
    methods,
    metrics,
    networks,
    penalties,
    plots,
    plots_2d,
    training,
    widgets,
)
from gan_course.contextual import contextual_loss

place = device.get()
device.announce(laptop="about 5 minutes on two CPU cores", gpu="not measured yet")
RESULTS = Path(methods.__file__).parent / "assets" / "results"


def stored(name):
    """A result that ships with the course."""
    return json.loads((RESULTS / f"{name}.json").read_text(encoding="utf-8"))


def shipped(name):
    """A checkpoint that ships with the course, on the CPU."""
    return training.load_network(name, "cpu")[0]


styles, test_styles = data.load("emoji-styles"), data.load("emoji-styles", "test")
print(styles)
some = torch.linspace(0, len(test_styles) - 1, 14).long()
x_shown, y_shown = test_styles.inputs.images[some], test_styles.targets.images[some]  # uint8 (14, 3, 32, 32)
plots.show(
    plots.strips({"Noto": x_shown, "Twemoji": y_shown}),
    alt="Two rows of fourteen emoji: above in Google's Noto style, below the same emoji in Twitter's Twemoji style, flatter and with other outlines.",
)

# %% [markdown]
# Two companies have drawn the same 1,911 things: 1,529 to train, 382 held out. Lesson 08 learned one style from the other *with the
# pairs*. Here the two sets are thrown into two separate bags. It is how most such sets come: nobody has a photograph of the spot
# where Monet sat, from that spot, on that day.
#
# ## 2 Predict
# A generator G draws a perfect emoji in the other style, and mirrors it left to right, always. A second one, F, brings emoji
# back just as perfectly, and mirrors too. x is an image in [-1, 1]. What is the **cycle loss**, the mean of $|F(G(x)) - x|$?
# (In the code G is called `there` and F `back`; the `F` of the code is torch's.)
#
# **Exercise 1** · easy · 2 minutes · *a number*

# %% exercise="mirrored_cycle"
### BEGIN SOLUTION
guess = 0
### STUB
# guess = None  # a number
### END SOLUTION

# %%
checks.lesson09.mirrored_cycle(guess)

# %% [markdown]
# <details><summary>Hint 1</summary>
#
# Take an arrow that points to the right. Where does it point after G? Where after F?
#
# </details>
#
# <details><summary>Hint 2</summary>
#
# The loss never looks at G(x). It compares the start with the end.
#
# </details>
#
# <!-- solution: mirrored_cycle -->

# %% [markdown]
# And a guess to keep for section 7: which is nearer to the true target, pixel by pixel: what a CycleGAN makes of the input after
# a few minutes, or the **input itself, left as it is**?
#
# ## 3 Why it is ill-posed
# ### 3.1 Many maps, one distribution
# An adversarial loss compares *sets*: do the outputs of G look like the targets, all in all? That says nothing about which input
# became which output. Of mappings with the same outputs, all in all, "there are infinitely many", write Zhu and others (section
# 1).
#
# Let us have a case where the true answer is known. An "image" is a point of the plane, its **content**, drawn from N(0, I). The
# other style shows the same content. So the true translation leaves the content as it is. Some others:


# %%
def turned(points, angle):
    """Points (N, 2), each turned about the origin by an angle: one for all, or (N,)."""
    angle = torch.as_tensor(angle)
    x, y = points.T
    return torch.stack([x * angle.cos() - y * angle.sin(), x * angle.sin() + y * angle.cos()], 1)


mirror = torch.tensor([-1.0, 1.0])
rng = device.seed(0)
# name: the map, and the best way back from it
MAPS = {
    "the truth": (lambda c: c, lambda c: c),
    "turned by 120 degrees": (lambda c: turned(c, 2 * math.pi / 3), lambda c: turned(c, -2 * math.pi / 3)),
    "mirrored": (lambda c: mirror * c, lambda c: mirror * c),
    "stirred": (lambda c: turned(c, 3 * c.norm(dim=1)), lambda c: turned(c, -3 * c.norm(dim=1))),
    "a random partner": (lambda c: torch.randn(c.shape, generator=rng), lambda c: 0 * c),
    "always the same": (lambda c: 0 * c + 0.5, lambda c: 0 * c),
}


def landmarks(axis, there):
    """The letters A, B and C where a map of points (N, 2) brings three of them."""
    for letter, spot in zip("ABC", there(torch.tensor([[1.8, 0.0], [0.0, 1.8], [-1.3, -1.3]])), strict=True):
        axis.text(*spot.tolist(), letter, ha="center", va="center", weight="bold", bbox={"fc": "white", "pad": 1.5})


content = torch.randn(800, 2, generator=rng)
colour = torch.atan2(content[:, 1], content[:, 0])
figure, axes = plots_2d.panels(6, width=1.9, height=2.2)
for axis, (name, (there, _)) in zip(axes, MAPS.items(), strict=True):
    axis.scatter(*there(content).T, c=colour, cmap="twilight", s=5)
    axis.set(xlim=(-3.5, 3.5), ylim=(-3.5, 3.5), xticks=[], yticks=[])
    axis.set_title(name, fontsize=10)
    axis.set_aspect("equal")
    landmarks(axis, there)
plots.show(
    figure,
    alt="Six clouds of points, coloured by the direction in which each point started, with the letters A, B and C at three of them. In the first they are in order; then turned, mirrored, stirred into a spiral, mixed at random, and last all on one spot, under the letter C. All but the last have the same shape.",
)

# %% [markdown]
# The colour is where a point came from; A, B and C are three points to follow. D is colour-blind and cannot read: it sees
# positions. (The fifth map draws each partner by lot. CycleGAN's generators have no noise to do so; it stands for one that
# ignores its input.)
#
# ### 3.2 What D says, what the cycle says
# Give D every chance: for each map, hold G fixed and train a D to its best. At a loss of log 4 = 1.386 it can only guess (lesson
# 01); on fresh points it can come out a little above.


# %%
def mlp(inputs, outputs):
    """A small fully connected network."""
    return nn.Sequential(
        nn.Linear(inputs, 64), nn.LeakyReLU(0.2), nn.Linear(64, 64), nn.LeakyReLU(0.2), nn.Linear(64, outputs)
    )


def best_d_loss(there, steps):
    """The cross-entropy, on fresh points, of a D that was trained against a fixed map."""
    judge = mlp(2, 1)
    adam = torch.optim.Adam(judge.parameters(), 2e-3)
    for step in range(steps + 1):
        n = 256 if step < steps else 20_000
        real, fake = torch.randn(n, 2, generator=rng), there(torch.randn(n, 2, generator=rng))  # no pairs
        loss = losses.cross_entropy_discriminator(judge(real), judge(fake))
        if step < steps:
            adam.zero_grad()
            loss.backward()
            adam.step()
    return loss.item()


many = torch.randn(20_000, 2, generator=rng)
print("map                     the best D's loss    cycle    from the true answer")
for name, (there, back) in MAPS.items():
    d_loss = best_d_loss(there, steps=device.by_profile(smoke=3, laptop=300, gpu=300))
    moved = there(many)
    print(f"{name:<24} {d_loss:15.3f} {losses.l1(back(moved), many):9.3f} {losses.l1(moved, many):15.3f}")

# %% [markdown]
# - **D** rejects the last one only. For all the others it is as good as a coin.
# - **The cycle** rejects the last two: what went in cannot be had back. That is what it is for. It forbids that inputs share an
#   output, and outputs that have nothing to do with the input.
# - **Nobody** rejects turned, mirrored and stirred. They are 0.8 to 1.4 away from the true answer, a random partner 1.1, and
#   pass every test that CycleGAN knows.
#
# > **Myth** "Cycle consistency is an identity mapping, and it makes G diverse."
#
# G is no identity: of the four maps with a cycle loss of 0 only one is. And the cycle adds no variety; it forbids *losing* some.
# What is called identity loss is another loss. Next.
#
# ### 3.3 The identity loss
# Zhu and others add it, after Taigman and others (2017), for the way from paintings to photographs, where G liked to change the
# tint (section 5.2): show each generator an image that **is** already on its own side, and ask it to leave it alone:
# $|G(y) - y| + |F(x) - x|$.
#
# By itself that says nothing about $G(x)$. It works through the *network*: one that has to leave y alone will, if it can, treat
# an x that is like y in the same way. So let the toy have a style: a third number, about -1 for inputs and about +1 for targets.
# Now train. Two small generators, two Ds, least squares, nine times: three losses, three seeds.


# %%
def two_sides(n, rng):
    """n inputs and n targets (n, 3), no pairs: two numbers of content, one of style."""
    x, y = torch.randn(n, 3, generator=rng), torch.randn(n, 3, generator=rng)
    x[:, 2], y[:, 2] = -1 + 0.1 * x[:, 2], 1 + 0.1 * y[:, 2]
    return x, y


def toy_cyclegan(cycle, identity, seed, steps):
    """Both generators of a CycleGAN on these points."""
    rng = device.seed(seed)
    there, back, on_inputs, on_targets = mlp(3, 3), mlp(3, 3), mlp(3, 1), mlp(3, 1)
    players = [[*there.parameters(), *back.parameters()], [*on_inputs.parameters(), *on_targets.parameters()]]
    g_adam, d_adam = (torch.optim.Adam(player, 2e-3, (0.5, 0.99)) for player in players)
    for step in range(steps):
        for adam in (g_adam, d_adam):
            adam.param_groups[0]["lr"] = 2e-3 * min(1, 2 * (1 - step / steps))
        x, y = two_sides(256, rng)
        fake_y, fake_x = there(x), back(y)
        d_loss = 0
        for judge, real, fake in ((on_targets, y, fake_y), (on_inputs, x, fake_x)):
            real = real.clone().requires_grad_(True)
            logits = judge(real)
            d_loss = d_loss + losses.least_squares_discriminator(logits, judge(fake.detach()))
            d_loss = d_loss + 0.1 * penalties.r1(logits, real)  # lesson 05: it keeps D smooth
        d_adam.zero_grad()
        d_loss.backward()
        d_adam.step()
        g_loss = losses.least_squares_generator(on_targets(fake_y)) + losses.least_squares_generator(on_inputs(fake_x))
        if cycle:
            g_loss = g_loss + cycle * losses.cycle_consistency(x, back(fake_y), y, there(fake_x))
        if identity:
            g_loss = g_loss + identity * losses.identity_mapping(x, back(x), y, there(y))
        g_adam.zero_grad()
        g_loss.backward()
        g_adam.step()
    return there, back


TOY_STEPS = device.by_profile(smoke=2, laptop=800, gpu=800)
TOY_SEEDS = device.by_profile(smoke=1, laptop=3, gpu=3)
x, _ = two_sides(1500, device.seed(9))
colour = torch.atan2(x[:, 1], x[:, 0])
print("losses                    seed    cycle    from the true answer    turns by    mirrors")
drawn = {}
for name, cycle, identity in (("GAN", 0, 0), ("GAN + cycle", 10, 0), ("GAN + cycle + identity", 10, 5)):
    for seed in range(TOY_SEEDS):
        there, back = toy_cyclegan(cycle, identity, seed, TOY_STEPS)
        with torch.no_grad():
            y = there(x)
            again = back(y)
        fit = torch.linalg.lstsq(x[:, :2], y[:, :2]).solution  # (2, 2): the nearest linear map of the content
        angle, area = math.degrees(math.atan2(fit[0, 1], fit[0, 0])), torch.linalg.det(fit)
        drawn[f"{name}, seed {seed}"] = y, there
        print(
            f"{name:<25} {seed:>4} {losses.l1(again, x):8.3f} {losses.l1(y[:, :2], x[:, :2]):15.3f} "
            f"{angle:16.0f}° {'yes' if area < 0 else 'no':>10}"
        )

figure, axes = plots_2d.panels(TOY_SEEDS, 3, width=2.1, height=2.4)
for axis, (name, (y, there)) in zip(axes, drawn.items(), strict=True):
    axis.scatter(y[:, 0], y[:, 1], c=colour, cmap="twilight", s=3)
    axis.set(xlim=(-3.5, 3.5), ylim=(-3.5, 3.5), xticks=[], yticks=[])
    axis.set_title(name.replace(", ", "\n"), fontsize=9)
    axis.set_aspect("equal")
    with torch.no_grad():
        landmarks(axis, lambda points, there=there: there(F.pad(points, (0, 1), value=-1.0))[:, :2])
plots.show(
    figure,
    alt="Nine clouds of translated points, coloured by the direction of the input, with three letters to follow. With the GAN alone the colours are bent and turned; with the cycle they are turned or mirrored as a whole, differently for each seed; with cycle and identity they are in the original order.",
)

# %% [markdown]
# This is the lesson in one picture. (Where a map mirrors, "turns by" is the angle of one axis only.)
# - **The GAN alone** finds the cloud, by some map or other, once even one near the truth; and F, which was never asked to, does not
#   undo it.
# - **With the cycle** F undoes G. Which map it is, is an accident of the seed: turned by some angle, mirrored or not.
# - **With the identity loss** it is the true one on every seed.
#
# But do not read too much into the last row. The toy was built so that "change as little as you can" *is* the answer. The
# identity loss does not know the truth; it has an opinion, and so has the network. Where the true translation moves things, that
# opinion is wrong.
#
# ## 4 Build
# ### 4.1 Instance norm
# BatchNorm takes mean and variance over the batch. **Instance norm** takes them of each image and channel by itself, over its
# pixels alone. An image's contrast is gone after the first one, and style is contrast and colour to a good part; and nothing
# depends on what else happens to be in the batch, which in CycleGAN's paper is nothing: its batches hold one image.


# %%
def instance_norm(x, scale, shift):
    """x (N, C, H, W) -> mean 0 and variance 1 over each image's pixels, then scale and shift (C,)."""
    mean = x.mean((2, 3), keepdim=True)  # (N, C, 1, 1)
    variance = x.var((2, 3), keepdim=True, unbiased=False)
    return (x - mean) / (variance + 1e-5).sqrt() * scale[:, None, None] + shift[:, None, None]


layer = nn.InstanceNorm2d(8, affine=True)
x = torch.randn(4, 8, 16, 16, generator=rng)
assert torch.allclose(instance_norm(x, layer.weight, layer.bias), layer(x), atol=1e-5)
assert torch.allclose(layer(3 * x + 5), layer(x), atol=1e-4), "contrast and brightness are gone"
assert torch.allclose(layer(x)[:1], layer(x[:1]), atol=1e-6), "the batch does not matter"
print("the same as torch's; contrast and brightness leave no trace, nor do the other images")

# %% [markdown]
# ### 4.2 The ResNet generator
# Not lesson 08's U-Net, but after Johnson and others (2016): halve twice, then **residual blocks** $x + f(x)$, each of which
# adds to what it gets instead of drawing it anew, then double twice. No skip connection around it all: everything passes the
# small middle, (64, 8, 8) here, which still holds more numbers than the image.


# %%
def convolve(inputs, outputs, kernel, stride=1):
    """A convolution that keeps the size (or halves it), padded by reflection where it keeps it, with norm and ReLU."""
    padding = [nn.ReflectionPad2d(kernel // 2)] if stride == 1 else []
    layer = nn.Conv2d(inputs, outputs, kernel, stride, 0 if stride == 1 else 1, bias=False)
    return [*padding, layer, nn.InstanceNorm2d(outputs, affine=True), nn.ReLU()]


class Block(nn.Module):
    """x + f(x)."""

    def __init__(self, channels):
        super().__init__()
        self.layers = nn.Sequential(*convolve(channels, channels, 3), *convolve(channels, channels, 3)[:-1])

    def forward(self, x):  # (N, C, H, W)
        return x + self.layers(x)


class MyGenerator(nn.Module):
    """Image (N, 3, 32, 32) to image (N, 3, 32, 32)."""

    def __init__(self, width=16, blocks=4):
        super().__init__()
        self.layers = nn.Sequential(
            *convolve(3, width, 7),  # (N, 3, 32, 32) -> (N, 16, 32, 32)
            *convolve(width, 2 * width, 3, stride=2),  # -> (N, 32, 16, 16)
            *convolve(2 * width, 4 * width, 3, stride=2),  # -> (N, 64, 8, 8)
            *[Block(4 * width) for _ in range(blocks)],
            nn.ConvTranspose2d(4 * width, 2 * width, 3, 2, 1, output_padding=1, bias=False),  # -> (N, 32, 16, 16)
            nn.InstanceNorm2d(2 * width, affine=True), nn.ReLU(),
            nn.ConvTranspose2d(2 * width, width, 3, 2, 1, output_padding=1, bias=False),  # -> (N, 16, 32, 32)
            nn.InstanceNorm2d(width, affine=True), nn.ReLU(),
            nn.ReflectionPad2d(3), nn.Conv2d(width, 3, 7),  # -> (N, 3, 32, 32)
        )  # fmt: skip

    def forward(self, images):
        return torch.tanh(self.layers(images))


def with_weights_of(mine, theirs):
    """My network with the weights of the package's, in their order."""
    mine.load_state_dict(dict(zip(mine.state_dict(), theirs.state_dict().values(), strict=True)))
    return mine


theirs = networks.ResNetGenerator(width=16, blocks=4)
images = data.to_float(x_shown)
assert torch.allclose(with_weights_of(MyGenerator(), theirs)(images), theirs(images), atol=1e-5)
print(f"the same as the package's; {sum(p.numel() for p in theirs.parameters()):,} weights")

# %% [markdown]
# Both discriminators are PatchGANs of lesson 08, but each sees **one** image, not a pair: with an input beside it, an unpaired D
# would have nothing real to look at. Their loss is **least squares** (lesson 04): $(l - 1)^2$ for real, $l^2$ for fake. Zhu and
# others found training more stable with it.
#
# ### 4.3 Cycle and identity
# $$L_{cyc} = \mathbb{E}_x |F(G(x)) - x| + \mathbb{E}_y |G(F(y)) - y| \qquad L_{id} = \mathbb{E}_y |G(y) - y| + \mathbb{E}_x |F(x) - x|$$
#
# They look alike and are not. One goes round, the other stays on its side. (Exercise 3: write them.) Measure both, on pairs
# (G, F) whose faults are known:

# %%
x, y = data.to_float(test_styles.inputs.images[:100]), data.to_float(test_styles.targets.images[:100])


print("G, F                        cycle   identity")
for name, there, back in (
    ("both leave all as it is", lambda images: images, lambda images: images),
    ("both mirror", lambda images: images.flip(3), lambda images: images.flip(3)),
    ("both invert the colours", lambda images: -images, lambda images: -images),
    ("half the contrast, and double", lambda images: images / 2, lambda images: images * 2),
    ("grey, and grey", *2 * (lambda images: images.mean(1, keepdim=True).expand_as(images),)),
):
    cycle = losses.cycle_consistency(x, back(there(x)), y, there(back(y)))
    identity = losses.identity_mapping(x, back(x), y, there(y))
    print(f"{name:<29} {cycle:.3f}   {identity:.3f}")

# %% [markdown]
# The cycle is 0 four times; the identity once. Only the first line pleases both, and it is the one that translates nothing:
# against **copies**, only D speaks up. Keep that for section 11.
#
# > **Myth** "The cycle loss ties G to D."
#
# It ties G to F, the two *generators*: its gradient reaches both, and no discriminator stands in it. Look:

# %%
pair, judges = networks.CyclePair(width=4, blocks=1), networks.PatchPair(width=4)


def reached_by(loss):
    """Which networks a loss has a gradient for."""
    parts = {"G": pair.there, "F": pair.back, "D of inputs": judges.inputs, "D of targets": judges.targets}
    found = {}
    for name, part in parts.items():
        slopes = torch.autograd.grad(loss, list(part.parameters()), retain_graph=True, allow_unused=True)
        found[name] = any(slope is not None and slope.abs().sum() > 0 for slope in slopes)
    return [name for name, is_reached in found.items() if is_reached]


some_x, some_y = x[:4], y[:4]
forward_cycle = losses.l1(pair.back(pair.there(some_x)), some_x)
print("|F(G(x)) - x| moves", reached_by(forward_cycle))
print("|G(y) - y| moves   ", reached_by(losses.l1(pair.there(some_y), some_y)))
on_fakes = losses.least_squares_generator(judges.targets(pair.there(some_x)))
print("(D(G(x)) - 1)^2 has a gradient for", reached_by(on_fakes), "and G's optimizer steps G")
assert reached_by(forward_cycle) == ["G", "F"]

# %% [markdown]
# ### 4.4 The pool
# A D that sees only the newest fakes forgets, and G can go round in circles: leave a mistake, and come back when D no longer
# knows it. So D is shown **old fakes** too (Shrivastava and others, 2017). The pool holds 50. While it has room it keeps every
# image. Then, for each new image: heads, D sees it; tails, D sees a random image of the pool, and the new one takes its place.
# (Exercise 4: write it.) How old is what D sees? Send numbers through it:

# %%
pool, rng = training.ImagePool(50, (1, 1, 1)), device.seed(0)
ages = []
for step in range(device.by_profile(smoke=300, laptop=1500, gpu=1500)):
    numbers = torch.arange(4 * step, 4 * step + 4.0).view(4, 1, 1, 1)  # an image that is its own number
    handed_out = pool.exchange(numbers, rng)
    if step > 200:
        ages.append((numbers - handed_out).flatten())
ages = torch.cat(ages)  # how many images ago it was made
old = ages[ages > 0]
print(
    f"old: {len(old) / len(ages):.1%} of what D is shown; made {old.mean():.0f} images ago on average, at most {old.max():.0f}"
)

figure, (axis,) = plots_2d.panels(1, width=5.5, height=2.5)
axis.hist(old, bins=40, density=True, color=plots.COLOURS[0], alpha=0.6, label="measured")
line = torch.linspace(0, 600, 100)
axis.plot(line, torch.exp(-line / 100) / 100, color="black", linestyle=":", label="exponential, mean 100")
axis.set(xlabel="age of an old fake, in images", ylabel="density", xlim=(0, 600))
axis.legend(frameon=False)
plots.show(figure, alt="Histogram of the ages of old fakes: it falls like an exponential with mean 100.")

# %% [markdown]
# An image of a full pool leaves it with probability ½ · 1/50 for every new one, so it stays for 100 images: twice the capacity.
# At 4 images a step that is 25 steps.
#
# ### 4.5 One step
# Put together, with the paper's weights: cycle 10, and identity half of that where they use it. `extra` is for section 9.


# %%
def step_by_hand(run, extra=None):
    """One step of both discriminators, then one of both generators; images (N, 3, 32, 32)."""
    x, y = run.batch()  # no pairs
    there, back, on_x, on_y = (
        run.generator.there,
        run.generator.back,
        run.discriminator.inputs,
        run.discriminator.targets,
    )
    fake_y, fake_x = there(x), back(y)

    run.discriminator.requires_grad_(True)
    old_x = run.pools["inputs"].exchange(fake_x, run.rng)
    old_y = run.pools["targets"].exchange(fake_y, run.rng)
    d_loss = ((on_x(x) - 1) ** 2).mean() + (on_x(old_x) ** 2).mean()
    d_loss = d_loss + ((on_y(y) - 1) ** 2).mean() + (on_y(old_y) ** 2).mean()
    run.d_optimizer.zero_grad()
    d_loss.backward()
    run.d_optimizer.step()

    run.discriminator.requires_grad_(False)
    passes = ((on_y(fake_y) - 1) ** 2).mean() + ((on_x(fake_x) - 1) ** 2).mean()  # the new fakes, not the pool's
    cycle = losses.cycle_consistency(x, back(fake_y), y, there(fake_x))
    identity = losses.identity_mapping(x, back(x), y, there(y))
    g_loss = passes + 10 * cycle + 5 * identity
    if extra:
        g_loss = g_loss + extra(x, fake_y)
    run.g_optimizer.zero_grad()
    g_loss.backward()
    run.g_optimizer.step()
    return {
        "d_loss": d_loss.detach(),
        "g_loss": passes.detach(),
        "cycle": cycle.detach(),
        "identity": identity.detach(),
    }


PAPER = methods.RECIPES["cyclegan"]
plain = dataclasses.replace(PAPER, ema_decay=None)
mine, package = (training.Run(plain, styles, seed=0, device="cpu") for _ in range(2))
step_by_hand(mine)
package.recipe.step(package)
for player in ("discriminator", "generator"):
    pairs = zip(getattr(mine, player).parameters(), getattr(package, player).parameters(), strict=True)
    assert all(torch.allclose(ours.grad, theirs.grad, rtol=1e-3, atol=1e-5) for ours, theirs in pairs), player
print("one step by hand = one step of the package")

# %% [markdown]
# ## 5 The pairing is never used
# That is a claim, so test it. Shuffle one side of the training pairs, and train again with the same seed: **bit for bit the same
# weights**. (A run of an unpaired recipe sorts each side by its bytes, so that not even the order is left to tell.) For pix2pix,
# which learns from pairs, the weights must differ.

# %%
mixed = torch.randperm(len(styles), generator=torch.Generator().manual_seed(5))
shuffled = dataclasses.replace(styles, targets=styles.targets.subset(mixed))
for name in ("cyclegan", "pix2pix"):
    weights = []
    for pairs in (styles, shuffled):
        run = training.Run(methods.RECIPES[name], pairs, seed=1, device="cpu")
        training.train(run, steps=device.by_profile(smoke=2, laptop=10, gpu=10))
        weights.append(torch.cat([p.detach().flatten() for p in run.generator.parameters()]))
    difference = (weights[0] - weights[1]).abs().max().item()
    print(f"{name:<9} largest difference of any weight after shuffling: {difference:g}")
    assert (difference == 0) == (name == "cyclegan")

# %% [markdown]
# One caveat: the two bags hold the same 1,529 things. In most unpaired sets not even that is so.
#
# ## 6 Train
# A minute or two, with `cyclegan-fast`, this course's recipe for small images that are alike. The step is the one above. What
# differs from the recipe `cyclegan` of section 4: G **adds a correction to its input**, so that it begins as a copy, halves the image
# once and has a skip; neither G nor D has a norm, so colours stay what they are; cycle and identity have a fifth of their weights
# (section 11.2 says why); both learning rates are 1e-3; half of the images are mirrored; and G is averaged. You see six held-out
# inputs, and what becomes of them.

# %%
CYCLEGAN = methods.RECIPES["cyclegan-fast"]
STEPS = device.by_profile(smoke=6, laptop=1500, gpu=20_000)
snapshots = training.Snapshots(frames=device.by_profile(smoke=2, laptop=9, gpu=9), inputs=x_shown[:6])
live = training.train(
    training.Run(CYCLEGAN, styles, seed=0),
    steps=STEPS,
    callbacks=[training.ProgressBar("cyclegan"), snapshots],
    log_every=device.by_profile(smoke=1, laptop=25, gpu=100),
)
plots.show(
    plots.film_strip(snapshots, images=6),
    alt="Six emoji, one a row, and what the generator makes of them as training goes on: it begins as a copy, and moves slowly towards the other style.",
)

# %%
figure, axes = plots_2d.panels(2, width=4.6, height=2.8)
steps = [row["step"] for row in live.history]
for axis, names in zip(axes, (("d_loss", "g_loss"), ("cycle", "identity")), strict=True):
    for colour, style, name in zip(plots.COLOURS, ("-", "--"), names, strict=False):
        axis.plot(steps, [row[name] for row in live.history], style, color=colour, label=name)
    axis.set(xlabel="step", ylim=(0, None))
    axis.legend(frameon=False)
axes[0].axhline(1, color="grey", linewidth=0.7, linestyle=":")
plots.show(
    figure,
    alt="Curves against steps. Left, the losses of D and of G; right, cycle and identity loss, which stay near 0, where a copy is, for 300 steps and then rise to a few hundredths.",
)

# %% [markdown]
# A D that can only guess answers ½ everywhere: its loss is then ¼ four times, 1, and G's ½. (The grey line is 1.) Cycle and
# identity begin at 0, where a copy is. All that they rise by is what G pays for translating.
#
# In the stored run D's loss comes down to 1 within 300 steps and stays a little below it. For 300 steps cycle and identity are a
# thousandth: G is a copy. Then it begins to pay, a few hundredths, and for what, the strip shows: yellow gets paler, shades get
# weaker, and hardly anything else in 1,500 steps. That is the direction of Twemoji's flat colours, and it is no more than a start.
# (In section 7 you will also see dark shadows beside flags.)
#
# ## 7 Against the true answers
# Most papers on unpaired translation ask people, or segment the result, or show what looks good, as there is mostly nothing to
# compare with. Zhu and others test on paired sets too (section 5.1), with pix2pix as the mark to reach. So do we: the held-out
# emoji have their partners. Five measures, each against the true target: PSNR and SSIM (lesson 08; higher is better), the mean
# difference l1, the share of pixels that match to within 16 of 255 in all colours, and the distance of the emoji features. (The
# sixth column, sharpness, compares no pairs.)
#
# Two rows to beat. **A copy of the input** costs nothing, and is a better translation than it sounds: most of a sun is a sun in
# either style. And **pix2pix**, which was told the pairs, is what one might hope to come near.

# %%
contestants = {"cyclegan, a few minutes": live.sampler}
contestants |= {name: shipped(name) for name in ("cyclegan-styles", "pix2pix-styles")}
rows, pictures = metrics.compare_translations(contestants, test_styles)
SCORES = ("psnr", "ssim", "l1", "pixel_accuracy", "feature_distance", "sharpness")
print(f"{'':<26}" + "".join(f"{score:>18}" for score in SCORES))
for row in rows:
    print(f"{row['checkpoint']:<26}" + "".join(f"{row[score]:18.3f}" for score in SCORES))
print("\nby how much better than a copy, with the 95% bootstrap interval over the test pairs (below 0: worse)")
for row in rows[1:]:
    for score, gain in row["over_copying"].items():
        print(f"{row['checkpoint']:<26}{score:>18}  {gain['mean']:+.3f}  [{gain['low']:+.3f}, {gain['high']:+.3f}]")

# %%
plots.show(
    plots.strips({name: images[some] for name, images in pictures.items()}),
    alt="Rows of fourteen held-out emoji: the inputs, the true targets, and below what each generator makes of the inputs.",
)

# %% [markdown]
# The interval is about the choice of *test pairs*. It says nothing of another training; for that there are seeds, below.
#
# **The shipped CycleGAN beats the copy in all five**, and all five intervals are clear of 0: +1.2 dB, and 2.8 points more right
# pixels. Look where: flags get flatter, the green sign begins to turn blue, faces get paler. What it cannot know (a seal of another
# breed, a bat that leans the other way) stays as it was.
#
# **pix2pix**, which was told the pairs, is ahead pixel by pixel, and *behind the copy* in features. It knows more of where things go,
# and pays in blur; this CycleGAN changes what it is sure of. (They are different networks, too: only one begins as a copy.)
#
# > **Myth** "CycleGAN is by Szegedy, and turns images into text."
#
# You can read that. It is by Zhu, Park, Isola and Efros (ICCV 2017), and turns images into images.
#
# ### 7.1 What each piece does
# The recipe with one piece taken out, three seeds each, after the same number of steps (`benchmarks/cyclegan_table.py`). Beside
# the scores: the pair's own cycle and identity error *on test images*, and how much it changes an input at all. Guess before you
# look: which column gets worse without the cycle, which without the identity?

# %%
ablation = stored("cyclegan_table")
print(f"{ablation['steps']:,} steps each, {ablation['hardware']}\n")
columns = ("psnr", "ssim", "l1", "pixel_accuracy", "feature_distance", "cycle", "identity", "change")
print(f"{'':<22}" + "".join(f"{column:>20}" for column in columns))
for row in ablation["table"]:
    cells = [f"{row[column]['mean']:.3f} ± {row[column]['std']:.3f}" for column in columns]
    print(f"{row['name']:<22}" + "".join(f"{cell:>20}" for cell in cells))

# %% [markdown]
# - **Without the identity loss** the three seeds end in three places, with a PSNR of 7.9, 12.1 and 10.0 (the large ± says so). That
#   is section 3 with real pictures: nothing but an accident decides which of the many maps it becomes.
# - **Without the cycle** the cycle error is higher, 0.22 against 0.19, and everything else a little *better*. What holds the content
#   in its place here, after so few steps, is the identity loss and the network. The cycle proves nothing of the kind.
# - **Without the pool** nothing changes that three seeds would show. It is against a D that forgets, in a longer game.
# - **All four of the paper's kind lose to the copy** in features, SSIM and right pixels. They have to draw the whole image anew and in
#   1,500 steps they have not learned to. `cyclegan-fast` begins as a copy; it is ahead of it in all five, on every seed.
#
# ### 7.2 Play
# Held-out emoji by their number, and a picture of your own. Small and centred on white is what it knows.

# %%
explorer = widgets.TranslationExplorer(shipped("cyclegan-styles"), test_styles)
explorer

# %%
plots.show(
    explorer.figure(),
    alt="Ten held-out emoji in three rows: the input, the translation and the true target.",
)

# %% [markdown]
# ## 8 What the cycle hides
# Chu, Zhmoginov and Sandler (2017) trained CycleGAN between aerial photographs and street maps. A map shows a roof as a plain
# patch. And yet in the photograph that came back the roof had its dark dots. They found how: G writes what F
# will need into the map, as a **faint pattern of high frequency** that hardly any eye sees, while the map looks real to D. The
# cycle loss is paid in full, by cheating.
#
# Why should it? Here the translation *must* lose something: a map has less in it than a photograph. The cycle forbids to lose it.
# So it goes where D does not look.
#
# ### 8.1 A gauge
# What can be *seen* in a translation is still there under a little noise. So disturb the translation in ways that an eye hardly
# notices, and let F do its work. First on two pairs of functions that we know: one shows its image (mirrored, with less
# contrast), one hides it: its translation is plain grey to the eye, with the image in it, divided by 300.

# %%
FAINT = 1 / 300
known = {
    "shown": (lambda images: 0.8 * images.flip(3), lambda images: images.flip(3) / 0.8),
    "hidden": (lambda images: FAINT * images, lambda images: (images / FAINT).clamp(-1, 1)),
}
found = {name: metrics.disturbed_cycle(*pair, x) for name, pair in known.items()}
print("the translation is disturbed by     by so much: shown   hidden     the reconstruction errs by: shown   hidden")
for name in found["shown"]:
    shown, hidden = found["shown"][name], found["hidden"][name]
    print(f"{name:<36} {shown.change:16.4f} {hidden.change:8.4f} {shown.error:35.4f} {hidden.error:8.4f}")

# %% [markdown]
# Undisturbed, both are perfect. Rounded to the 256 levels that a file can hold, a change of 0.001 to 0.003, one errs by less than
# one level, and the other by 0.23: every number of it has become -1 or 1. So the gauge works. And whoever keeps a translation as
# a file has rounded it.
#
# ### 8.2 Two styles that hold as much
# Now the same with the shipped pair. The last row puts the **true target** in the translation's place: a reconstruction from an
# honest drawing, with nothing hidden in it.

# %%
pair = shipped("cyclegan-styles")
mixed = torch.randperm(len(test_styles), generator=torch.Generator().manual_seed(0))  # neighbours are alike
mixed = mixed[: device.by_profile(smoke=20, laptop=200, gpu=382)]
x, y = (data.to_float(side.images[mixed]) for side in (test_styles.inputs, test_styles.targets))


def print_disturbed(named):
    """A row for each disturbance: its size, and the error of the reconstruction; {name: what disturbed_cycle gives}."""
    print(f"{'the translation is disturbed by':<32}" + "".join(f"{name + ': by':>30}{'error':>9}" for name in named))
    for name in next(iter(named.values())):
        print(
            f"{name:<32}" + "".join(f"{found[name].change:30.4f}{found[name].error:9.4f}" for found in named.values())
        )


print_disturbed(
    {
        "Noto, and back": metrics.disturbed_cycle(pair.there, pair.back, x, y),
        "Twemoji, and back": metrics.disturbed_cycle(pair.back, pair.there, y, x),
    }
)

# %% [markdown]
# **Nothing faint is hidden here.** Rounding costs nothing, and noise makes the reconstruction worse by less than its own size. It
# need not be otherwise: the two styles hold about as much as one another, and this G adds to its input, which goes round everything
# else. (The true target is reconstructed badly for another reason: it is another drawing.)
#
# A second test, also after Chu and others: if F reads a faint code, it can be made to read another one. Move every number of
# a translation by at most 4 of the 255 steps of an image file, downhill, until F reconstructs **another emoji**. Two controls: a
# random change of the same size; and the same attack on the **true targets**, in which nothing is hidden. For a network can be
# fooled without any code, too (lesson 10): only what goes beyond the second control speaks for one.

# %%
n = device.by_profile(smoke=6, laptop=30, gpu=60)
IMPOSE_STEPS = device.by_profile(smoke=3, laptop=50, gpu=50)
with torch.no_grad():
    translated = pair.there(x[:n])
_, imposed = metrics.impose_code(pair.back, translated, x[:n], x[:n].roll(1, 0), steps=IMPOSE_STEPS)
_, honest = metrics.impose_code(pair.back, y[:n], x[:n], x[:n].roll(1, 0), steps=IMPOSE_STEPS)
print("             translations   true targets")
for name, value in imposed._asdict().items():
    print(f"{name:<12} {value:12.4f} {getattr(honest, name):14.4f}")

# %% [markdown]
# `before`, `after` and `by_chance` are distances of what came back from the other emoji; `from_own` is the distance from its own
# image. `after` is hardly below `before`, and no further below than for true targets. Again: no faint code.
#
# ### 8.3 Emoji and outlines: hidden in plain sight
# So take a translation that **must** lose something: from an emoji to its outline, lesson 08's pairs as two bags. An outline has
# no colours. The cycle wants them back. `cyclegan-outlines` was trained so, for 5,000 steps with the paper's weights (without
# the identity loss: an outline has one channel, an emoji three). What will it do?

# %%
artist = shipped("cyclegan-outlines")
colourful = data.load("emoji-outlines", "test").subset(mixed)
outlines, emoji = (data.to_float(side.images) for side in (colourful.inputs, colourful.targets))
print_disturbed({"emoji, and back": metrics.disturbed_cycle(artist.back, artist.there, emoji, outlines)})
with torch.no_grad():
    drawn = artist.back(emoji[:12])
    parts = {
        "emoji": emoji[:12],
        "drawn from it": drawn,
        "back from that": artist.there(drawn),
        "the true outline": outlines[:12],
        "back from that one": artist.there(outlines[:12]),
    }
plots.show(
    plots.strips({name: part.expand(-1, 3, -1, -1) for name, part in parts.items()}),
    alt="Five rows of twelve emoji: the emoji; black lines on white that hardly look like them; the emoji again, soft but in the right shapes and mostly in their colours; the true outlines; and splashes of wrong colours that were made of those.",
)

# %% [markdown]
# The second row is no outline of the first. It is made of the *right kind* of lines, so that D, which sees 16 pixels at a time,
# is content. And it is a **script that only F can read**: of these scribbles F makes the shape back, and mostly the colours. The
# cycle is paid, and D is, and nothing is translated. Give F an honest outline, and it is lost: an error of 0.48 in place of 0.18.
#
# This code is not faint. Rounding and noise do not touch it; the last row of the table does. So no gauge finds everything: a look
# at the pictures and the true answers did.
#
# What follows from it? A small cycle loss is **no** proof that a translation shows everything, or anything. Against the faint kind,
# noise on the translation before the way back takes the channel away: an experiment of one line, for you.
#
# ## 9 A loss without places
# All losses so far compare pixels in their places, or ask D. The **contextual loss** (Mechrez, Talmi and Zelnik-Manor, 2018)
# compares images by their *features, wherever they are*. Take a feature map of a fixed network. Each position is a point; forget
# where it was. Then:
#
# - d(i, j): the cosine distance of point i of the output and point j of the target, seen from the target's mean,
# - d': that, divided by the distance of i's nearest (equation 2): what counts is how near j is *compared with the others*,
# - w = exp((1 - d') / h), shared out over j, so that each i spends a whole (equations 3 and 4),
# - each j asks for the largest share any i has for it; the mean over j is the similarity (equation 1), and minus its logarithm
#   the loss.
#
# h, the bandwidth, is 0.5 in the authors' `config.py`.


# %%
def contextual_by_hand(output, target, h=0.5):
    """Features (N, C, h, w) twice -> a scalar."""
    found = []
    for a, b in zip(output.flatten(2), target.flatten(2), strict=True):  # (C, I), (C, J)
        middle = b.mean(1, keepdim=True)
        a, b = F.normalize(a - middle, dim=0), F.normalize(b - middle, dim=0)
        d = 1 - a.T @ b  # (I, J)
        relative = d / (d.min(1, keepdim=True).values + 1e-5)
        w = torch.exp((1 - relative) / h)
        shares = w / w.sum(1, keepdim=True)  # (I, J), each row a whole
        found.append(-torch.log(shares.max(0).values.mean()))
    return torch.stack(found).mean()


extractor = metrics.extractor_for("emoji-noto", (3, 32, 32), torch.device("cpu"))
feature_map = extractor.network.trunk[:7]  # two convolutions and a halving: (N, 3, 32, 32) -> (N, 24, 16, 16)
with torch.no_grad():
    of_x, of_y = feature_map(x[:6]), feature_map(y[:6])
assert torch.isclose(contextual_by_hand(of_x, of_y), contextual_loss(of_x, of_y), rtol=1e-3)
places = torch.randperm(256, generator=torch.Generator().manual_seed(0))
elsewhere = of_y.flatten(2)[:, :, places].view_as(of_y)
print("features against those of the target    contextual       L1")
for name, features in (
    ("themselves", of_y),
    ("themselves, in other places", elsewhere),
    ("those of the other style", of_x),
):
    print(f"{name:<38} {contextual_loss(features, of_y):11.4f} {losses.l1(features, of_y):8.3f}")

# %% [markdown]
# What that is good for: two drawings of one thing hardly ever lie on one another. Shift the *true target* a little, and compare
# it with itself; and, for scale, with another emoji altogether.

# %%
n = device.by_profile(smoke=10, laptop=100, gpu=100)
with torch.no_grad():
    target = y[:n]
    print("target against                  L1 of pixels    contextual")
    for name, other in (
        ("itself", target),
        ("itself, one pixel to the right", target.roll(1, 3)),
        ("itself, two pixels to the right", target.roll(2, 3)),
        ("its partner in the other style", x[:n]),
        ("another emoji of its own style", target.roll(1, 0)),
    ):
        value = contextual_loss(feature_map(other), feature_map(target))
        print(f"{name:<34} {losses.l1(other, target):10.3f} {value:13.3f}")

# %% [markdown]
# Read each column by its first and its last row. Two pixels to the right is 30% of the way to another emoji for L1, and 5% for
# the contextual loss. But one pixel is *worse* than two, 31%: the features were halved, so two pixels are one place of the map,
# and one pixel falls between. A loss can ignore places only as far as its features do. And for these features the
# partner in the other style is further off (67%) than for L1 (59%): style is a feature too.
#
# (An image is not at 0 from itself: the white around an emoji is many equal points, so none is the clear favourite of any.)
#
# As an **option**: add it to G's loss, between an input and its translation, as one more thing that should survive. It needs no
# pair. One line: the `extra` of section 4.5. Does it move what it should?

# %%
CX_STEPS = device.by_profile(smoke=2, laptop=60, gpu=300)


def keeps_features(x, fake_y):
    """The contextual loss of a translation by its input."""
    return contextual_loss(feature_map(fake_y), feature_map(x))


for name, extra in (("without", None), ("with the contextual loss", keeps_features)):
    recipe = dataclasses.replace(plain, name=name, step=lambda run, extra=extra: step_by_hand(run, extra))
    run = training.train(training.Run(recipe, styles, seed=0, device="cpu"), steps=CX_STEPS)
    with torch.no_grad():
        fake_y = run.generator(x[:n])
        print(
            f"{name:<25} contextual {keeps_features(x[:n], fake_y):.3f}, from the target {losses.l1(fake_y, y[:n]):.3f}"
        )

# %% [markdown]
# It falls when it is asked to. Whether the translation gets *better* by it, after so few steps and on one seed, this does not
# say, and the course has not measured it.
#
# ## 10 StarGAN: one generator, many domains
# For five styles, CycleGAN would need two generators for each of ten couples: twenty. **StarGAN** (Choi and others, 2018) has
# one. It is told where to go, as a conditional GAN is told a digit.
#
# ### 10.1 Five ways to draw a digit
# Plain, thin, thick, slanted, inverted: each a fixed function of the plain digit. Training digits are divided: **no digit is in
# two domains**, so there are no pairs to learn from. But of a held-out digit we can compute the true answer in every domain.

# %%
domains = data.load("digit-domains")
NAMES = data.domains.NAMES
held_out = data.load("mnist", "test").images[: device.by_profile(smoke=30, laptop=300, gpu=2000)]
answers = data.domains.in_every_domain(held_out)  # uint8 (5, N, 1, 28, 28)
print(domains)
plots.show(
    plots.strips({name: answers[k, :14] for k, name in enumerate(NAMES)}, size=0.5),
    alt="Fourteen digits in five rows: plain, thin, thick, slanted to the left, and dark on light.",
)


# %% [markdown]
# ### 10.2 Two networks, three terms and one more
# G gets the image and, as K planes of zeros and ones, the domain to go to (lesson 06). D has **two heads on one trunk**: real or
# generated, and which of the K domains. It is never told: it has to name. (Lesson 06's auxiliary classifier, on another duty.)
#
# The paper's networks, for 128 pixels and a day of a GPU, are `networks.StarGANGenerator` (with `first_norm=True`) and
# `StarGANDiscriminator`; the recipe `stargan` has them. The course's recipe for minutes has four things that theirs do not; section
# 10.5 takes some of them out again.
# - D's first head says one thing of the whole image, not one of each patch, and there are instance norms in its trunk.
# - G knows the **place** of each pixel, two planes more: what leans moves further, the further up it is.
# - G always **sees light on dark**: an image x of mean m comes in as tanh(-10 m) x, which is x itself or its negative.
# - And it is a U-Net in small (lesson 08): the first layer's features are joined again before the last.
#
# The third is a large hint: that a digit and its negative are one thing, G need not find out, only where to draw which of them.


# %%
def with_planes(images, labels, classes=5):
    """Images (N, C, H, W) and domains (N,) -> (N, C + K, H, W)."""
    planes = F.one_hot(labels, classes).float()[:, :, None, None].expand(-1, -1, *images.shape[2:])
    return torch.cat([images, planes], 1)


def generated_by_hand(generator, images, labels):
    """What a StarGANDigitGenerator does: images (N, 1, 28, 28) and domains (N,) -> images."""
    images = torch.tanh(-10 * images.mean((1, 2, 3), keepdim=True)) * images  # light on dark
    line = torch.linspace(-1, 1, 28)
    place = torch.stack([line[:, None].expand(28, 28), line.expand(28, 28)]).expand(len(images), 2, 28, 28)
    fine = generator.first(torch.cat([with_planes(images, labels), place], 1))  # (N, 16, 28, 28)
    coarse = generator.coarse(fine)  # -> (N, 32, 14, 14) -> residual blocks -> (N, 16, 28, 28)
    return torch.tanh(generator.last(generator.join(torch.cat([fine, coarse], 1))))  # (N, 1, 28, 28)


class MyDiscriminator(nn.Module):
    """Image (N, 1, 28, 28) to a logit (N, 1, 1, 1) and domain logits (N, 5)."""

    def __init__(self, width=32):
        super().__init__()
        self.trunk = nn.Sequential(
            nn.Conv2d(1, width, 4, 2, 1), nn.LeakyReLU(0.01),  # -> (N, 32, 14, 14)
            nn.Conv2d(width, 2 * width, 4, 2, 1), nn.InstanceNorm2d(2 * width, affine=True), nn.LeakyReLU(0.01),  # 7 x 7
            nn.Conv2d(2 * width, 4 * width, 4, 2, 1), nn.InstanceNorm2d(4 * width, affine=True), nn.LeakyReLU(0.01),
        )  # fmt: skip
        self.head = nn.Conv2d(4 * width, 1, 3, bias=False)  # (N, 128, 3, 3) -> (N, 1, 1, 1)
        self.class_head = nn.Conv2d(4 * width, 5, 3, bias=False)

    def forward(self, images):
        features = self.trunk(images)
        return self.head(features), self.class_head(features).flatten(1)


STARGAN = methods.RECIPES["stargan-fast"]
plain_star = dataclasses.replace(STARGAN, penalty=None, ema_decay=None, n_critic=1)
star = training.Run(plain_star, domains, seed=0, device="cpu")
images, source = star.batch()  # (32, 1, 28, 28), (32,)
target = (source + 1) % 5
assert torch.allclose(star.generator(images, target), generated_by_hand(star.generator, images, target), atol=1e-5)
my_discriminator = with_weights_of(MyDiscriminator(), star.discriminator)
for a, b in zip(my_discriminator(images), star.discriminator(images), strict=True):
    assert torch.allclose(a, b, atol=1e-5)
print("the same as the package's; D returns", [tuple(part.shape) for part in star.discriminator(images)])

# %% [markdown]
# $$L_D = L_{game} + \lambda_{cls}\, \mathbb{E}[-\log D_{cls}(c' \mid x)] \qquad
# L_G = L_{game} + \lambda_{cls}\, \mathbb{E}[-\log D_{cls}(c \mid G(x, c))] + \lambda_{rec}\, \mathbb{E}\,|x - G(G(x, c), c')|$$
#
# x is a real image of domain c', and c the domain that it is asked to go to. (The paper's equations 1 to 6, with λ 1 and 10. Its
# game is WGAN-GP, section 4; this course's recipe for minutes has the non-saturating loss and R1, both λ are 1, D takes 2 steps for
# each of G's (theirs 5), and G is averaged. Below it is one step of each, without R1 and average.)
#
# - **D learns domains from real images only.** A fake is asked to be thick, but early in training it is not: as a label that
#   would be a lie.
# - **G is paid for being named as the domain asked for**, and
# - for the way **back**: the same G, told the old domain. That is the cycle loss with one network. Without it any thick digit
#   would do.
# - One term more, CycleGAN's **identity**, which StarGAN's authors do without: of those images that happen to be asked to stay
#   where they are, E|x - G(x, c')|, with the weight 1. Nothing else says that "plain, please" of a plain digit is the digit.


# %%
def stargan_step_by_hand(run):
    """One step of D, then one of G."""
    real, source = run.batch()
    target = torch.randint(5, (len(real),), generator=run.rng)
    fake = run.generator(real, target)

    run.discriminator.requires_grad_(True)
    on_real, on_fake = run.discriminator(real), run.discriminator(fake.detach())
    d_loss = F.softplus(-on_real.logits).mean() + F.softplus(on_fake.logits).mean()
    run.d_optimizer.zero_grad()
    (d_loss + F.cross_entropy(on_real.class_logits, source)).backward()
    run.d_optimizer.step()

    run.discriminator.requires_grad_(False)
    on_fake = run.discriminator(fake)
    again = run.generator(fake, source)
    g_loss = F.softplus(-on_fake.logits).mean() + F.cross_entropy(on_fake.class_logits, target)
    stay = source == target  # about a fifth of the batch
    held = (again - real).abs().mean() + (fake - real).abs()[stay].mean()
    run.g_optimizer.zero_grad()
    (g_loss + held).backward()
    run.g_optimizer.step()


mine, package = (training.Run(star.recipe, domains, seed=0, device="cpu") for _ in range(2))
stargan_step_by_hand(mine)
package.recipe.step(package)
for player in ("discriminator", "generator"):
    pairs = zip(getattr(mine, player).parameters(), getattr(package, player).parameters(), strict=True)
    assert all(torch.allclose(ours.grad, theirs.grad, rtol=1e-3, atol=1e-5) for ours, theirs in pairs), player
print("one step by hand = one step of the package")

# %% [markdown]
# ### 10.3 Train
# About a minute. One digit is asked for in all five domains; look which domain comes first, and which hardly comes.

# %%
STAR_STEPS = device.by_profile(smoke=4, laptop=500, gpu=5000)
asked = torch.arange(5)
star_shots = training.Snapshots(
    frames=device.by_profile(smoke=2, laptop=9, gpu=9), inputs=answers[0, [1] * 5], labels=asked
)
star = training.train(
    training.Run(STARGAN, domains, seed=0),
    steps=STAR_STEPS,
    callbacks=[training.ProgressBar("stargan-fast"), star_shots],
    log_every=device.by_profile(smoke=1, laptop=25, gpu=100),
)
plots.show(
    plots.film_strip(star_shots, images=5, rows=NAMES),
    alt="A plain digit, asked for in five domains, one a row, and what the generator makes of them as training goes on.",
)

# %% [markdown]
# ### 10.4 Against the true answers
# Held-out digits, in each domain, to each of the other four. Because the true answers are known, obedience needs no classifier:
# **which of the five true answers is the translation nearest to?** If it is the one asked for, G obeyed.


# %%
def star_scores(translate):
    """Of (images uint8 (N, 1, 28, 28), from, to) -> images: mean l1 over all twenty ways, shares obeyed by domain."""
    distances, obeyed = [], [[] for _ in NAMES]
    for source in range(5):
        for target in range(5):
            if source != target:
                fake = data.to_float(translate(answers[source], source, target))
                truths = data.to_float(answers.flatten(0, 1)).view(5, *fake.shape)
                apart = (fake - truths).abs().mean((2, 3, 4))  # (5, N)
                distances.append(apart[target].mean())
                obeyed[target].append((apart.argmin(0) == target).float().mean().item())
    return torch.stack(distances).mean().item(), dict(zip(NAMES, map(mean, obeyed), strict=True))


def by(generator):
    """The generator as `star_scores` wants it."""
    return lambda images, _, target: data.to_uint8(training.translate(generator, images, labels=target))


print(f"{'':<28} from the truth (l1)   obeyed:" + "".join(f"{name:>10}" for name in ("all", *NAMES)))
for name, translate in (
    ("the truth itself", lambda images, _, target: answers[target]),
    ("a copy of the input", lambda images, *_: images),
    (f"stargan-fast, {STAR_STEPS:,} steps", by(star.sampler)),
    ("stargan-digits, as it ships", by(shipped("stargan-digits"))),
):
    distance, shares = star_scores(translate)
    cells = "".join(f"{share:10.1%}" for share in (mean(shares.values()), *shares.values()))
    print(f"{name:<28} {distance:19.3f}          {cells}")

rows = {"input": answers[0, :14]}
for k in range(1, 5):
    rows[f"{NAMES[k]}, live"] = by(star.sampler)(answers[0, :14], 0, k)
    rows[f"{NAMES[k]}, shipped"] = by(shipped("stargan-digits"))(answers[0, :14], 0, k)
    rows[f"{NAMES[k]}, the truth"] = answers[k, :14]
plots.show(
    plots.strips(rows, size=0.5),
    alt="Fourteen plain digits; below, for each of four domains, what the live and the shipped generator make of them, and the true answers.",
)

# %% [markdown]
# Thin, thick and inverted are there, with the right digit, after less than two minutes, from *no pair at all*. **Slanted is not**: of
# the way to the true answer G goes a part, and stops, it seems, where D takes the digit for slanted. Digits lean by nature, some more,
# some less, and one that leans a little more than most passes for one of the other domain. It stops there after 6,000 steps, too: D
# judges domains, and nobody in this game knows the true answer. (Plain, thin and thick are far from 100% in the table for two reasons:
# an image that comes in slanted stays slanted, and that is one in four; and thin or thick digits are often brought back to plain only a
# part of the way.)
#
# And the stored table of `benchmarks/stargan_table.py`: all terms; without those that hold on to the image ("only domain terms");
# without the domain terms; three seeds each, and the adversarial terms in all. `domain` is the share that a classifier, trained on real
# images and not part of the game, takes for the domain asked for; `digit` the share in which the right digit is read; thickness and
# slant are errors of the stroke; `l1_of_strokes` is the l1 among the four domains that are light on dark; `cycle` is the error of the
# way there and back. Guess first: what goes without the reconstruction?

# %%
table = stored("stargan_table")
columns = ("l1", "l1_of_strokes", "ssim", "obeyed", "domain", "digit", "thickness", "slant", "cycle")
print(f"{table['steps']:,} steps each, {table['hardware']}\n")
print(f"{'':<20}" + "".join(f"{column:>16}" for column in columns))
for row in table["table"]:
    cells = [f"{row[column]['mean']:.3f} ± {row[column]['std']:.3f}" for column in columns]
    print(f"{row['name']:<20}" + "".join(f"{cell:>16}" for cell in cells))

# %% [markdown]
# - **The domain terms make G obey.** Without them 5% of the translations are nearest to what was asked for.
# - **Neither the reconstruction nor the identity term holds the digit, here.** The row "only domain terms" has neither of the two, and
#   97% are still read as the right one. What holds the digit is the network, whose skip hands the strokes on. What the two terms cost
#   is obedience: 55% with them, 70% without. A likely reason: to change less is the cheapest answer to both. Only what the reconstruction
#   asks for itself, the cycle error, is clearly better with them. The authors' G, for faces, has neither that skip nor an identity term.
# - **A classifier is easily content.** It takes 94% of the translations for the domain asked for, and of the true answers 97%. Yet
#   only 55% are nearest to the true answer that was asked for. Most papers can report the first number only.
#
# ### 10.5 What made it work in minutes
# From the search for the recipe, on digits of the training split that were held out (`benchmarks/search_stargan.py`): each row is
# the recipe with something else, one run; "weights 5" gives the reconstruction and the identity term the weight 5 each, for 1.

# %%
scores = ("l1", "obeyed", "domain", "digit", "slant", "cycle")
print(f"{'700 steps each, seed 100':<31}" + "".join(f"{score:>10}" for score in scores))
for line in (RESULTS / "search_stargan.jsonl").read_text(encoding="utf-8").splitlines():
    row = json.loads(line)
    print(f"{row['name']:<31}" + "".join(f"{row[score]:10.3f}" for score in scores))

# %% [markdown]
# (One run each: small differences may be chance.)
#
# - **The paper's networks**, smaller (narrower, one halving, no first norm), with its weight of 10 and no identity term, but this recipe's
#   game and one step of D, lose the digit in a third of the images, and are far from the truth: light turns dark here and not there. That
#   is a wrong map that turns back well (`cycle`: 0.07, the recipe's 0.08), section 3 once more. The recipe's G cannot make that mistake.
# - With a D that judges **patches** the true answers are missed by a little more, though the classifier is more content. **Without the
#   identity term** nothing is clearly lost; the term is there for those who ask "plain, please" of a plain digit.
# - **The smaller the weights, the better G obeys**: 49.9%, 53.6%, 54.5% and 57.9% for weights of 5, 2, 1 and 0.2. The recipe has 1.
#
# ## 11 Break it
# ### 11.1 A deaf generator
# A plane of ones is a constant. A convolution adds up its inputs, so away from the border a domain shifts **a whole channel by
# one number**. And what does an instance norm do with a number that is added to a whole channel? Section 4.1: it leaves no trace.
#
# In the paper's network the first layer has an instance norm all the same. It hears the domain only because its convolution pads
# with *zeros*: at the image's edge the planes end. Pad by reflection, as CycleGAN's generator does, and two harmless choices
# together make a generator that **cannot** obey:


# %%
def loudness(generator):
    """The largest change of any pixel when another domain is asked for."""
    images = data.to_float(answers[0, :8]).to(next(generator.parameters()).device)
    with torch.no_grad():
        outputs = torch.stack([generator(images, torch.full((8,), k, device=images.device)) for k in range(5)])
    return (outputs.amax(0) - outputs.amin(0)).max().item()


print("first norm   padding    a domain changes a pixel by at most")
for first_norm in (True, False):
    for padding in ("reflect", "zeros"):
        torch.manual_seed(0)
        untrained = networks.StarGANGenerator(
            width=16, blocks=3, halvings=1, first_norm=first_norm, padding_mode=padding
        )
        print(f"{first_norm!s:<12} {padding:<10} {loudness(untrained):.6f}")

# %% [markdown]
# Nobody raises an error. Train the deaf one, and the same with one change:

# %%
DEAF_STEPS = device.by_profile(smoke=2, laptop=150, gpu=1000)
for name, first_norm in (("deaf: first norm, reflection", True), ("one change: no first norm", False)):
    make = methods.stargan_generator(16, 3, halvings=1, first_norm=first_norm, padding_mode="reflect")
    recipe = dataclasses.replace(STARGAN, name=name, generator=make)
    run = training.train(training.Run(recipe, domains, seed=0), steps=DEAF_STEPS, log_every=max(1, DEAF_STEPS // 6))
    terms = run.history[-1]
    distance, shares = star_scores(by(run.sampler))
    print(
        f"{name:<30} G's domain term {terms['g_class_loss']:.2f} (log 5 = {math.log(5):.2f}), "
        f"reconstruction {terms['reconstruction']:.3f}, obeyed {mean(shares.values()):.1%}"
    )

# %% [markdown]
# The number to watch is **G's domain term**: a generator that cannot hear cannot bring it below log 5 = 1.61 on average, as
# whatever it draws, four of five requests are missed. (D's answers to the five possible requests have a mean of -log p of at
# least log 5, whatever the image. A single batch can be lucky.) Its reconstruction tells much less: 0.35 against 0.30.
#
# ### 11.2 The copy that everybody likes
# Back to CycleGAN. Emoji in two styles are alike, so let G begin as a copy and learn only the differences: a **mask**, one more
# channel, says how much of each input pixel is kept (Pumarola and others, 2018); here it starts at 88%. It sounds like a gift. This
# is what became of it, and of the recipe of section 6, in the search for settings, on a part of the training pairs
# (`benchmarks/search_translation.py`):

# %%
for line in (RESULTS / "search_translation.jsonl").read_text(encoding="utf-8").splitlines():
    row = json.loads(line)
    if row["recipe"] == "cyclegan" and row["name"].startswith(("mask", "correction")):
        gains = ", ".join(f"{score} {round(gain, 4) + 0.0:+.4f}" for score, gain in row["over_copying"].items())
        print(f"{row['name']:<31} seed {row['seed']}, {row['steps']:,} steps; over a copy: {gains}")

# %% [markdown]
# Begin with the mask. A gain of 0.000 in all five measures is no bad translation. It is **none at all**: the mask went to 1
# everywhere. (One seed of two settings, after 700 steps. The mask's authors met this too, and make a large mask cost something,
# section 4.2; that was left out here.) Ask the losses of section 4.3 why: a copy has the cycle 0 and the
# identity 0, both exactly, and with weights of 10 and 5 every step away from it costs at once, while D pays later, if ever.
# "Change as little as you can", the opinion that saved the toy of section 3, is here the trap.
#
# Check it yourself: the price of a copy, and that of the run from section 6.

# %%
with torch.no_grad():
    for name, there, back in (
        ("a copy", lambda images: images, lambda images: images),
        ("the live run", live.sampler.to("cpu").eval().there, live.sampler.back),
    ):
        judges = live.discriminator.to("cpu")
        fake_y, fake_x = there(x[:50]), back(y[:50])
        passes = losses.least_squares_generator(judges.targets(fake_y)) + losses.least_squares_generator(
            judges.inputs(fake_x)
        )
        cycle = losses.cycle_consistency(x[:50], back(fake_y), y[:50], there(fake_x))
        identity = losses.identity_mapping(x[:50], back(x[:50]), y[:50], there(y[:50]))
        weights = live.recipe.translation
        total = passes + weights.cycle * cycle + weights.identity * identity
        print(
            f"{name:<13} D {passes:.3f} + {weights.cycle:g} x cycle {cycle:.3f} "
            f"+ {weights.identity:g} x identity {identity:.3f} = {total:.3f}"
        )

# %% [markdown]
# The live run pays about what a copy would: what it wins from D, cycle and identity take away. With five times the weights there is
# nothing to be won.
#
# **The cure** is to make standing still less comfortable: a fifth of the weights. `correction` above has them, begins as a copy
# too, and leaves it: better than the copy in four of the measures on pairs that it never saw, and level in right pixels. The row *the
# paper's weights* is the same with that one change taken back: +0.01 dB in place of +0.58. It all but stays a copy. (The mask's rows
# differ in more: how G is built, and that D has a norm. Mirrored or not makes no difference that these rows would show. The shipped pair
# had 20,000 steps, and all training pairs; it is judged on other pairs, so compare only roughly.)
#
# ## 12 Exercises
# **Exercise 2** · medium · 10 minutes
#
# Write a wrong map that nobody can tell from the true one: of points (N, 2) from N(0, I), such that D is blind, the cycle is 0,
# and most points end far from where they belong. With `back=True` it goes the way back. (The kinds of section 3.1 count; finding
# another one is the better exercise.)


# %% exercise="impostor"
def impostor(points, back=False):
    """points (N, 2) -> (N, 2): the map, or with back=True the way back."""
    ### BEGIN SOLUTION
    angle = torch.tensor(-1.0 if back else 1.0)
    x, y = points.T
    return torch.stack([x * angle.cos() - y * angle.sin(), x * angle.sin() + y * angle.cos()], 1)
    ### END SOLUTION


# %%
checks.lesson09.impostor(impostor)

# %% [markdown]
# <details><summary>Hint 1</summary>
#
# Section 3.1 shows three. What they have in common: no point changes its distance from the middle. There are more such moves.
#
# </details>
#
# <details><summary>Hint 2</summary>
#
# A single minus sign can be enough, and then the way back is the way there.
#
# </details>
#
# <!-- solution: impostor -->

# %% [markdown]
# **Exercise 3** · easy · 10 minutes
#
# Write both losses. `there` and `back` are functions of images, G and F. Each term is a mean over everything, and each loss the
# sum of both sides.


# %% exercise="two_losses"
def two_losses(there, back, x, y):
    """G and F, inputs x (N, C, H, W) and targets y (N, C, H, W), no pairs -> (cycle, identity), two scalar tensors."""
    ### BEGIN SOLUTION
    cycle = (back(there(x)) - x).abs().mean() + (there(back(y)) - y).abs().mean()
    identity = (there(y) - y).abs().mean() + (back(x) - x).abs().mean()
    return cycle, identity
    ### END SOLUTION


# %%
checks.lesson09.two_losses(two_losses)

# %% [markdown]
# <details><summary>Hint 1</summary>
#
# Write for each term what the image is compared with. x and y never meet.
#
# </details>
#
# <details><summary>Hint 2</summary>
#
# G leads to the side of y. Which images are there already?
#
# </details>
#
# <!-- solution: two_losses -->

# %% [markdown]
# **Exercise 4** · medium · 15 minutes
#
# The pool, for one image. `pool` is a list of images, which you change in place. Return what D is to see, without a graph. While
# fewer than `capacity` are in it, keep the new image and return it. Then with probability ½ return the new image, else a random
# one of the pool, whose place the new one takes. `torch.rand(1, generator=rng).item()` draws from [0, 1),
# `torch.randint(n, (1,), generator=rng).item()` from 0 to n - 1.


# %% exercise="exchange"
def exchange(pool, fake, capacity, rng):
    """pool: list of images (C, H, W); fake (C, H, W), with a graph -> the image for D, (C, H, W), without."""
    ### BEGIN SOLUTION
    fake = fake.detach()
    if len(pool) < capacity:
        pool.append(fake)
        return fake
    if torch.rand(1, generator=rng).item() < 0.5:
        return fake
    spot = torch.randint(capacity, (1,), generator=rng).item()
    old, pool[spot] = pool[spot], fake
    return old
    ### END SOLUTION


# %%
checks.lesson09.exchange(exchange)

# %% [markdown]
# <details><summary>Hint 1</summary>
#
# Once the pool is full, none may be in two places. Count: one comes in, one goes out.
#
# </details>
#
# <details><summary>Hint 2</summary>
#
# Take the old one out before you write the new one into its place.
#
# </details>
#
# <!-- solution: exchange -->

# %% [markdown]
# **Exercise 5** · hard · 20 minutes
#
# StarGAN's losses for faces, where several domains may hold **at once**: dark hair, glasses, a smile. The domains of an image then
# are K attributes, zeros and ones, and each is a question by itself: a *binary* cross-entropy of its logit, summed over the
# attributes, the mean over the images. And take the paper's own game: D is a Wasserstein critic (lesson 05; leave its penalty
# out). `on_real` and `on_fake` are what D returns for real images and for fakes: `.logits` (N, 1, h, w) and `.class_logits`
# (N, K). `source` are the attributes that each real image has, `target` those that it was asked to get, `again` the fake brought
# back. The reconstruction is the mean absolute difference between `again` and `real`, and the critic's terms are means over all logits.
# The weights are 1 for the attributes and 10 for the reconstruction; there is no identity term. Return (d_loss, g_loss).


# %% exercise="stargan_losses"
def stargan_losses(on_real, on_fake, source, target, real, again):
    """What D returned twice, float attributes (N, K) twice, images (N, C, H, W) twice -> (d_loss, g_loss)."""
    ### BEGIN SOLUTION
    n = len(real)
    named = F.binary_cross_entropy_with_logits(on_real.class_logits, source, reduction="sum") / n
    obeyed = F.binary_cross_entropy_with_logits(on_fake.class_logits, target, reduction="sum") / n
    d_loss = on_fake.logits.mean() - on_real.logits.mean() + named
    return d_loss, -on_fake.logits.mean() + obeyed + 10 * (again - real).abs().mean()
    ### END SOLUTION


# %%
checks.lesson09.stargan_losses(stargan_losses)

# %% [markdown]
# <details><summary>Hint 1</summary>
#
# Of which images are the attributes certain? Only these can teach D.
#
# </details>
#
# <details><summary>Hint 2</summary>
#
# `F.binary_cross_entropy_with_logits` takes logits, and by default the mean over everything. A critic's losses have no softplus.
#
# </details>
#
# <!-- solution: stargan_losses -->

# %% [markdown]
# ## 13 Summary
# - Two sets of images do not say which translation is meant. D compares sets; the cycle only asks that the way back exists. A
#   mirror passes both.
# - What decides is what the network and the identity loss prefer: to change little. That is an assumption about the task, not
#   knowledge.
# - Cycle and identity are two losses. The cycle ties G to F. Both are exactly 0 for a copy.
# - The pool shows D old fakes: half of the fakes it sees, 2 x 50 images old on average.
# - That no pair is used can be proved: shuffle one side, and every weight stays the same.
# - Judge a translation on true answers where there are any, and against a copy of the input always.
# - A small cycle error does not mean that the translation shows everything. It may be written where nobody looks.
# - StarGAN: the domain is an input of G and an answer of D. D learns it from real images only. Check that G can hear it.
#
# **Answer without looking**
# 1. Which of D, cycle and identity loss says what about a G that mirrors?
# 2. Why does the identity loss say nothing about G(x) by itself, and why does it help all the same?
# 3. Your CycleGAN has a cycle loss of 0.001 after an hour. Name two bad reasons.
# 4. Why is G not judged on the images from the pool?
# 5. G maps photographs to maps. Why does it have a motive to cheat, and G from maps to photographs less?
# 6. StarGAN's D is taught domains on fakes too. What goes wrong, and when?
# 7. Why does an instance norm right after the domain planes matter?
#
# **Next** Lesson 10: how to judge what a GAN draws.
#
# **References**
# - J.-Y. Zhu, T. Park, P. Isola, A. A. Efros: [Unpaired Image-to-Image Translation using Cycle-Consistent Adversarial
#   Networks](https://arxiv.org/abs/1703.10593), ICCV 2017. The cycle is its equation 2, the whole objective equation 3; the
#   identity loss is in section 5.2, the pool in section 4.
# - J. Johnson, A. Alahi, L. Fei-Fei: [Perceptual Losses for Real-Time Style Transfer and
#   Super-Resolution](https://arxiv.org/abs/1603.08155), ECCV 2016: the generator.
# - D. Ulyanov, A. Vedaldi, V. Lempitsky: [Instance Normalization: The Missing Ingredient for Fast
#   Stylization](https://arxiv.org/abs/1607.08022), 2016.
# - A. Shrivastava, T. Pfister, O. Tuzel, J. Susskind, W. Wang, R. Webb: [Learning from Simulated and Unsupervised Images through
#   Adversarial Training](https://arxiv.org/abs/1612.07828), CVPR 2017: the history of fakes, section 2.3.
# - Y. Taigman, A. Polyak, L. Wolf: [Unsupervised Cross-Domain Image Generation](https://arxiv.org/abs/1611.02200), ICLR 2017: the
#   identity loss.
# - C. Chu, A. Zhmoginov, M. Sandler: [CycleGAN, a Master of Steganography](https://arxiv.org/abs/1712.02950), NIPS 2017 Workshop
#   on Machine Deception.
# - R. Mechrez, I. Talmi, L. Zelnik-Manor: [The Contextual Loss for Image Transformation with Non-Aligned
#   Data](https://arxiv.org/abs/1803.02077), ECCV 2018, and [the authors' code](https://github.com/roimehrez/contextualLoss).
# - Y. Choi, M. Choi, M. Kim, J.-W. Ha, S. Kim, J. Choo: [StarGAN: Unified Generative Adversarial Networks for Multi-Domain
#   Image-to-Image Translation](https://arxiv.org/abs/1711.09020), CVPR 2018.
# - A. Pumarola, A. Agudo, A. M. Martinez, A. Sanfeliu, F. Moreno-Noguer: [GANimation: Anatomically-aware Facial Animation from a
#   Single Image](https://arxiv.org/abs/1807.09251), ECCV 2018: the mask.
