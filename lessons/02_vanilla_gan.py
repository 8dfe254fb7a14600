# %% [markdown]
# # Vanilla GAN
#
# {{badges}}
#
# **Time** 2 to 6 minutes of computing on a two-core laptop, about two hours with the exercises; on a T4 not measured yet.
#
# **You need** lessons 00 and 01: the game of generator and discriminator, and what D answers when it plays perfectly.
#
# In this lesson you will
# - build a GAN for handwritten digits from nothing, and prove each piece equal to the course's package,
# - train it, and learn what its curves say about its images (less than you would think),
# - set an unequal pair against each other, and be surprised by a number,
# - hunt the classic bugs of GAN scripts with instruments instead of staring at the code.
#
# **Contents** 1 Set up · 2 Predict · 3 Build it by hand · 4 Train · 5 How good is it? · 6 Reading the curves ·
# 7 An unequal pair · 8 The space of codes · 9 Bug hunt · 10 Break it · 11 Exercises · 12 Summary

# %% [markdown]
# ## 1 Set up

# %%
# {{setup}}

# %%
import copy
import json
import math
from dataclasses import replace
from pathlib import Path

import torch
import torch.nn.functional as F
from matplotlib.figure import Figure
from torch import nn

from gan_course import checks, data, device, losses, methods, metrics, networks, plots, training, widgets
from gan_course.symptoms import Watch

device.announce(laptop="2 to 6 minutes on two CPU cores", gpu="not measured yet, less than on a CPU")

# %% [markdown]
# ## 2 Predict
# You are going to train two networks against each other for a few minutes. At the end the generator's images will be far
# better than at the beginning. **What will the generator's loss have done by then?** Write `"fell"`, `"rose"` or
# `"stayed"`. And when D can do no better than to guess: **what is D's loss then**, a number? Section 3.4 answers the
# second question, section 6 the first.

# %%
my_guess_g_loss = None  # "fell", "rose" or "stayed"
my_guess_d_loss = None  # a number

# %% [markdown]
# ## 3 Build it by hand
# "Vanilla" is what people call the GAN of the first paper: two **multi-layer perceptrons**, networks of fully connected
# layers. An image is to them a row of 784 numbers; that neighbouring pixels belong together they must find out.
#
# Every cell below builds one piece in plain PyTorch. The `assert` after it compares the piece with the package. For the
# comparison everything is on the CPU; the training in section 4 uses whatever your machine has.
#
# ### 3.1 The generator
# 100 random numbers in, 784 pixels out. The layers grow: 100, 256, 512, 1024, 784. Between them stands LeakyReLU(0.2),
# which passes positive numbers and a fifth of negative ones. The tanh at the end keeps every pixel within [-1, 1].


# %%
def make_generator():
    """z (N, 100) -> images (N, 1, 28, 28) in [-1, 1]."""
    return nn.Sequential(
        nn.Linear(100, 256), nn.LeakyReLU(0.2),  # (N, 256)
        nn.Linear(256, 512), nn.LeakyReLU(0.2),  # (N, 512)
        nn.Linear(512, 1024), nn.LeakyReLU(0.2),  # (N, 1024)
        nn.Linear(1024, 784), nn.Tanh(),  # (N, 784)
        nn.Unflatten(1, (1, 28, 28)),  # (N, 1, 28, 28)
    )  # fmt: skip


generator = make_generator()
package_generator = networks.MLPGenerator(latent_dim=100, image_shape=(1, 28, 28))
package_generator.layers.load_state_dict(generator.state_dict())  # copy our weights into it

z = torch.randn(128, 100)
assert torch.equal(generator(z), package_generator(z))
print("the same images from the same weights:", tuple(generator(z).shape))

# %% [markdown]
# ### 3.2 The discriminator
# The mirror image: 784, 1024, 512, 256, and one number at the end. That number is a **logit**, any number from minus to
# plus infinity, and D(x) = sigmoid(logit) is the probability "real". The sigmoid is no layer of the network; section 3.4
# shows what goes wrong if it is.


# %%
def make_discriminator():
    """Images (N, 1, 28, 28) -> logits (N,)."""
    return nn.Sequential(
        nn.Flatten(),  # (N, 784)
        nn.Linear(784, 1024), nn.LeakyReLU(0.2),  # (N, 1024)
        nn.Linear(1024, 512), nn.LeakyReLU(0.2),  # (N, 512)
        nn.Linear(512, 256), nn.LeakyReLU(0.2),  # (N, 256)
        nn.Linear(256, 1), nn.Flatten(0),  # (N, 1), then (N,)
    )  # fmt: skip


discriminator = make_discriminator()
package_discriminator = networks.MLPDiscriminator(image_shape=(1, 28, 28))
package_discriminator.layers.load_state_dict(discriminator.state_dict())

drawn = generator(z).detach()  # (128, 1, 28, 28)
assert torch.equal(discriminator(drawn), package_discriminator(drawn))
for name, network in {"generator": generator, "discriminator": discriminator}.items():
    print(f"{name}: {sum(p.numel() for p in network.parameters()):,} weights")

# %% [markdown]
# ### 3.3 The weights at the start
# Neither network has seen a digit, so its weights are random. Which random numbers? We leave that to `nn.Linear`. A layer
# with n inputs draws every weight and every bias evenly between -1/√n and 1/√n. In PyTorch's source it is called
# `kaiming_uniform_` with a = √5. Kaiming's bound is gain · √(3/n) with gain = √(2/(1 + a²)); put a = √5 in, and 1/√n
# comes out.


# %%
def weights_by_hand(inputs, outputs):
    """Weights (outputs, inputs) and biases (outputs,) of a fresh linear layer, from the uniform distribution."""
    bound = 1 / math.sqrt(inputs)
    return torch.empty(outputs, inputs).uniform_(-bound, bound), torch.empty(outputs).uniform_(-bound, bound)


torch.manual_seed(0)
by_hand = [weights_by_hand(*sizes) for sizes in ((100, 256), (256, 512), (512, 1024), (1024, 784))]
torch.manual_seed(0)
package_layers = [m for m in networks.MLPGenerator().layers if isinstance(m, nn.Linear)]

for (weight, bias), layer in zip(by_hand, package_layers, strict=True):
    assert torch.allclose(weight, layer.weight) and torch.allclose(bias, layer.bias)
    print(
        f"{layer.in_features:4} inputs: bound {layer.in_features**-0.5:.4f}, largest weight {layer.weight.abs().max():.4f}"
    )

# %% [markdown]
# What does such a network draw before it has learned anything? The variance of such a weight is bound²/3 = 1/(3n). A sum
# of n terms then has a third of the mean square of its inputs, plus 1/(3n) for the bias. LeakyReLU leaves (1 + 0.2²)/2 =
# 52% of the mean square of a number that is as often positive as negative. So the signal shrinks from layer to layer.
# Calculate it, then measure it:

# %%
square = 1.0  # mean square of z
signal = torch.randn(2000, 100, generator=torch.Generator().manual_seed(0))  # (2000, 100)
with torch.no_grad():
    for layer in networks.MLPGenerator().layers:
        signal = layer(signal)
        if isinstance(layer, nn.Linear):
            expected = square / 3 + 1 / (3 * layer.in_features)
            print(f"after {layer.in_features:4} -> {layer.out_features:4}: calculated {expected**0.5:.3f}, "
                  f"measured {signal.square().mean() ** 0.5:.3f}")  # fmt: skip
            square = expected * (1 + 0.2**2) / 2
print(f"pixels lie between {signal.min():.2f} and {signal.max():.2f} of a possible -1 to 1: plain grey")

# %% [markdown]
# That is why every training film starts with a grey square. Nothing is wrong with it: the tanh is steepest near 0, so the
# gradient passes well. (The DCGAN of lesson 03 brings its own initialisation, N(0, 0.02).)
#
# ### 3.4 The losses, on logits
# D should answer "real" to real images and "fake" to drawn ones. With the logit l and D = sigmoid(l):
#
# - the surprise of a real image is -log D(x) = -log sigmoid(l) = **softplus(-l)**,
# - the surprise of a fake is -log(1 - D(G(z))) = -log sigmoid(-l) = **softplus(l)**,
#
# where softplus(t) = log(1 + eᵗ). D minimises the sum of both means.


# %%
def d_loss_by_hand(real_logits, fake_logits):
    """Logits (N,) and (N,) -> scalar: the mean surprise of D at real images plus that at fakes."""
    return F.softplus(-real_logits).mean() + F.softplus(fake_logits).mean()


package_loss = losses.LOSSES["non_saturating"]
real_logits, fake_logits = torch.randn(2, 128)
assert torch.allclose(d_loss_by_hand(real_logits, fake_logits), package_loss.discriminator(real_logits, fake_logits))

guessing = torch.zeros(128)  # D(x) = sigmoid(0) = 0.5 for every image
print(f"D's loss when it always answers 0.5: {d_loss_by_hand(guessing, guessing):.4f}, and log 4 = {math.log(4):.4f}")

# %% [markdown]
# **log 4 = 1.386 is the mark to remember for D.** At 1.386 it does no better than a coin. Below, it sees a difference.
# Above, it is worse than a coin.
#
# Why not write `-torch.log(torch.sigmoid(l) + 1e-8)`, as many scripts do? The 1e-8 is there because log(0) is minus
# infinity. It also swallows what G needs most: the gradient at an image that D is sure about. The true slope of -log
# sigmoid(l) is D - 1, so almost -1 for every clear fake.

# %%
logits = torch.tensor([0.0, -10.0, -20.0, -30.0, -100.0], requires_grad=True)
good = torch.autograd.grad(F.softplus(-logits).sum(), logits)[0]
naive = torch.autograd.grad((-torch.log(torch.sigmoid(logits) + 1e-8)).sum(), logits)[0]
print("logit   slope of softplus(-l)   slope of -log(sigmoid(l) + 1e-8)")
for logit, a, b in zip(logits.tolist(), good.tolist(), naive.tolist(), strict=True):
    print(f"{logit:5.0f}   {a:21.6f}   {b:32.6f}")

# %% [markdown]
# With logits of -30 the naive generator has stopped learning: no error, no NaN, only a slope of zero. Now it is your turn.
#
# **Exercise 1** · easy · 4 minutes
#
# G wants its images to be taken for real: it minimises the mean of -log D(G(z)). This is the **non-saturating** loss
# (lesson 04 compares it with the minimax one of lesson 01). Write it on logits, so that it is right at any logit.


# %% exercise="g_loss"
def g_loss(fake_logits):
    """D's logits for drawn images, (N,) -> scalar: the mean of -log D(G(z))."""
    ### BEGIN SOLUTION
    return F.softplus(-fake_logits).mean()
    ### END SOLUTION


# %%
checks.lesson02.g_loss(g_loss)

# %% [markdown]
# <details><summary>Hint 1</summary>
#
# It is the same surprise that D has at a real image: look at the first term of `d_loss_by_hand`.
#
# </details>
#
# <details><summary>Hint 2</summary>
#
# -log sigmoid(l) = softplus(-l). Mind the minus, and take the mean.
#
# </details>
#
# <!-- solution: g_loss -->

# %% [markdown]
# ### 3.5 D's step
# One step of D: show it real images and fakes, take the loss, move D's weights. The fakes come without their history
# (`detach`), so the gradient ends at the pixels and never reaches G.


# %%
def d_step(discriminator, optimizer, real, fake):
    """One step of D on real (N, 1, 28, 28) and detached fakes (N, 1, 28, 28); its loss."""
    discriminator.requires_grad_(True)
    loss = d_loss_by_hand(discriminator(real), discriminator(fake))
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    return loss.item()


generator, discriminator = make_generator(), make_discriminator()
d_optimizer = torch.optim.Adam(discriminator.parameters(), lr=2e-4, betas=(0.5, 0.999))
real = torch.rand(128, 1, 28, 28) * 2 - 1  # any images will do for this test
with Watch(generator, discriminator) as seen:
    fake = generator(torch.randn(128, 100))
    d_step(discriminator, d_optimizer, real, fake.detach())

assert seen.moved == ["D"]
assert all(p.grad is None for p in generator.parameters())
assert all(p.grad is not None for p in discriminator.parameters())
print("the step moved", seen.moved[0], "and gave G no gradient at all")

# %% [markdown]
# `Watch` is the first instrument of this lesson. It notes which network each optimizer step moves, without any help from
# the code that it watches.
#
# ### 3.6 G's step
# G has no loss of its own. Its gradient comes *through* D: how would D's answer to this fake change if this pixel were
# lighter? So D takes part in the calculation, but its weights stay as they are. The very fakes that D has just seen are
# used again, this time with their history.


# %%
def g_step(discriminator, optimizer, fake):
    """One step of G through the frozen D, on fakes (N, 1, 28, 28) with their history; its loss."""
    discriminator.requires_grad_(False)
    loss = F.softplus(-discriminator(fake)).mean()
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    return loss.item()


g_optimizer = torch.optim.Adam(generator.parameters(), lr=2e-4, betas=(0.5, 0.999))
d_optimizer.zero_grad()  # sets D's gradients to None again
with Watch(generator, discriminator) as seen:
    g_step(discriminator, g_optimizer, fake)

assert seen.moved == ["G"]
assert all(p.grad is None for p in discriminator.parameters())
assert all(p.grad is not None for p in generator.parameters())
print("the step moved", seen.moved[0], "and gave D no gradient at all")

# %% [markdown]
# > **Myth** "D must be frozen in G's step, or it is trained on the wrong labels."
#
# What trains a network is its *optimizer*. G's optimizer holds G's weights only. If D is not frozen, it collects gradients
# that nobody uses, and D's next step clears them with `zero_grad`. That costs time and changes nothing; the next cell
# trains both ways and compares. D is trained on the wrong labels only if its weights are in the wrong optimizer, or if
# nobody clears its gradients. Section 9 hunts for that.


# %%
def three_steps(freeze):
    """All weights of both networks after three steps on the same data, with D frozen in G's step or not."""
    torch.manual_seed(0)
    generator, discriminator = make_generator(), make_discriminator()
    d_adam = torch.optim.Adam(discriminator.parameters(), lr=2e-4, betas=(0.5, 0.999))
    g_adam = torch.optim.Adam(generator.parameters(), lr=2e-4, betas=(0.5, 0.999))
    for _ in range(3):
        fake = generator(torch.randn(128, 100))
        d_step(discriminator, d_adam, real, fake.detach())
        if freeze:
            g_step(discriminator, g_adam, fake)
        else:
            loss = F.softplus(-discriminator(fake)).mean()
            g_adam.zero_grad()
            loss.backward()
            g_adam.step()
    return torch.cat([p.detach().flatten() for p in [*generator.parameters(), *discriminator.parameters()]])


difference = (three_steps(freeze=True) - three_steps(freeze=False)).abs().max()
print(f"largest difference of a weight, D frozen or not: {difference:.1e}")
assert difference < 1e-6

# %% [markdown]
# > **Myth** "G minimises its loss with respect to the noise vectors."
#
# G minimises with respect to its *weights*. The noise is drawn anew for every batch, and no gradient is asked for it:
# that is why one G can draw any number of different images afterwards.

# %%
z = torch.randn(128, 100)
before, z_before = copy.deepcopy(generator.state_dict()), z.clone()
g_step(discriminator, g_optimizer, generator(z))
moved = max((p - before[name]).abs().max().item() for name, p in generator.named_parameters())
print(f"the codes: moved by {(z - z_before).abs().max():.6f}, gradient {z.grad}")
print(f"G's weights: moved by up to {moved:.6f}")
assert z.grad is None and torch.equal(z, z_before) and moved > 0

# %% [markdown]
# ### 3.7 The loop
# Now the pieces in their order: a batch of real images, a batch of codes, fakes, D's step, G's step. Then the claim
# "this is what the package does" is put to the test: the same seed must give the same losses, gradients and weights.

# %%
images = data.load("mnist")
pixels = images.images.cpu()  # uint8 (60000, 1, 28, 28)


def train_by_hand(steps, seed=0):
    """A GAN from nothing. Returns both networks and the losses of each step."""
    torch.manual_seed(seed)  # for the weights
    generator, discriminator = make_generator(), make_discriminator()
    rng = torch.Generator().manual_seed(seed)  # for the batches and the codes
    g_optimizer = torch.optim.Adam(generator.parameters(), lr=2e-4, betas=(0.5, 0.999), fused=True)
    d_optimizer = torch.optim.Adam(discriminator.parameters(), lr=2e-4, betas=(0.5, 0.999), fused=True)
    history = []
    for _ in range(steps):
        rows = torch.randint(len(pixels), (128,), generator=rng)  # 128 random images
        real = pixels[rows].float() / 127.5 - 1  # (128, 1, 28, 28) in [-1, 1]
        fake = generator(torch.randn(128, 100, generator=rng))  # (128, 1, 28, 28)
        d_loss = d_step(discriminator, d_optimizer, real, fake.detach())
        history.append((d_loss, g_step(discriminator, g_optimizer, fake)))
    return generator, discriminator, history


generator, discriminator, history = train_by_hand(steps=5)
run = training.Run(methods.RECIPES["vanilla"], images, seed=0, device="cpu")
training.train(run, steps=5, log_every=1)

for (d_loss, g_loss_here), row in zip(history, run.history, strict=True):
    assert math.isclose(d_loss, row["d_loss"], rel_tol=1e-5) and math.isclose(g_loss_here, row["g_loss"], rel_tol=1e-5)
    print(
        f"step {row['step']}: D's loss {d_loss:.4f} (package {row['d_loss']:.4f}), G's {g_loss_here:.4f} ({row['g_loss']:.4f})"
    )
for mine, theirs in ((generator, run.generator.layers), (discriminator, run.discriminator.layers)):
    for a, b in zip(mine.parameters(), theirs.parameters(), strict=True):
        assert torch.allclose(a, b, atol=1e-6) and torch.allclose(a.grad, b.grad, atol=1e-6)
print("losses, gradients and weights agree after 5 steps")

# %% [markdown]
# From here on the package trains. It does just this, on a GPU too, and it draws curves and saves what it has done.
# Its loop has about 150 lines: `gan_course/training/loop.py`. You have now written its core.

# %% [markdown]
# ## 4 Train
# The progress bar shows the losses. Three times on the way the losses, D's mean answers and 16 fixed codes are drawn, and
# after every chunk of steps the next cell measures the **Frechet distance** (FD), as in lesson 00: *two sets of images
# compared by the mean and the covariance of what a small digit classifier sees in them; lower is better, 0 means that
# they cannot be told apart this way; it belongs to its features and needs thousands of images.*

# %%
count = device.by_profile(smoke=200, laptop=5_000, gpu=10_000)
steps = device.by_profile(smoke=24, laptop=3_000, gpu=12_000)
chunk = steps // 12

test_digits = data.load("mnist", "test").images[:count]
extractor = metrics.extractor_for("mnist", images.image_shape)
real_features = extractor(test_digits)  # (count, 128)


def fd(generator):
    """FD (digit features) between what a generator draws and real test digits."""
    return metrics.frechet_distance(real_features, extractor(data.to_uint8(training.sample(generator, count))))


class LiveView:
    """Measures FD after each chunk; three times it shows the run so far and keeps both networks for later."""

    def __init__(self):
        self.fd, self.pairs = [], {}

    def on_step(self, run):
        if run.step % chunk:
            return
        self.fd.append(fd(run.sampler))
        if run.step in (chunk, steps // 3, steps):
            self.pairs[run.step] = copy.deepcopy((run.generator, run.discriminator))
            curves = plots.curves(run.history, f"step {run.step}, FD {self.fd[-1]:,.0f}")
            drawn = plots.grid(training.sample(run.sampler, 16), columns=16, height=0.6)
            plots.show(curves, alt="Losses and D's answers so far.")
            plots.show(drawn, alt="What 16 fixed codes have become.")

    def on_end(self, run):
        pass


# %%
run = training.Run(methods.RECIPES["vanilla"], images, seed=0)
untrained = copy.deepcopy(run.generator)
live, snapshots = LiveView(), training.Snapshots(n=8, frames=12)
training.train(run, steps=steps, callbacks=[training.ProgressBar(), live, snapshots], log_every=chunk)
print(
    f"{run.step} steps in {run.seconds:.0f} s: each image was shown to D {run.step * 128 / len(images):.1f} times on average"
)

# %% [markdown]
# ## 5 How good is it?
# One row is one code, one column a moment of the training. First grey, as calculated. Then strokes in the middle of the
# image, where digits have them. Then shapes of which some are digits.

# %%
plots.show(
    plots.film_strip(snapshots),
    alt="A table of small images: one row a code, one column a moment. Grey on the left, rough digits on the right.",
)

# %%
plots.show(
    plots.comparison({"real digits": test_digits[:36], "drawn by your GAN": training.sample(run.sampler, 36)}),
    alt="36 real digits beside 36 that the GAN has drawn, which are noisier, with loose white pixels around the strokes.",
)
candidates = {"other real digits": images.images[:count], "untrained": untrained, "your GAN": run.sampler}
for name, candidate in candidates.items():
    number = (
        fd(candidate)
        if isinstance(candidate, nn.Module)
        else metrics.frechet_distance(real_features, extractor(candidate))
    )
    print(f"{name:>18}: FD ({extractor.name}) {number:9,.1f}")

# %% [markdown]
# Some can be read, but look closely: loose white pixels, and no smooth edges. The network sets every pixel by itself
# and has no idea of a neighbour. Lesson 03 gives it one. (Do not be alarmed that the FD was better *before* training than
# in the first live view: to the digit classifier plain grey looks less strange than the noise of the first steps.)
#
# ## 6 Reading the curves

# %%
history = run.history
plots.show(
    plots.curves(history, "Vanilla GAN"),
    alt="Left: D's loss falls below log 4 and stays there; G's loss rises early. Right: D's answer to real images is high, to fakes low.",
)
early, late = history[0], history[-1]
change = (
    "fell" if late["g_loss"] < 0.9 * early["g_loss"] else "rose" if late["g_loss"] > 1.1 * early["g_loss"] else "stayed"
)
print(
    f"G's loss {change}: {early['g_loss']:.2f} in the first {chunk} steps, {late['g_loss']:.2f} in the last. You guessed: {my_guess_g_loss}"
)
print(f"FD over the same time: {live.fd[0]:,.0f} to {live.fd[-1]:,.0f}")
print(f"D's loss, if it only guesses: log 4 = {math.log(4):.3f}. You guessed: {my_guess_d_loss}")
print(
    f"D's loss in the last {chunk} steps: {late['d_loss']:.3f}; its answer to fakes: {early['d_fake']:.2f} at first, {late['d_fake']:.2f} at last"
)

# %% [markdown]
# In most of machine learning a falling loss is good news. Here each loss is a score *against the opponent of the moment*. D
# learns too, so better images can meet a stricter judge. Three tests:
#
# **Does G's loss follow the quality?** If it did, the order of the moments by loss would be the order by FD. The rank
# correlation (Spearman's) compares the two orders: +1 for the same, 0 for no relation, -1 for the opposite.


# %%
def rank_correlation(a, b):
    """Spearman's rank correlation of two lists of different numbers."""
    ranks = torch.stack([torch.tensor(values).argsort().argsort().double() for values in (a, b)])  # (2, n)
    return torch.corrcoef(ranks)[0, 1].item()


for name, label in {"g_loss": "G's loss", "d_loss": "D's loss", "d_real": "D(x)", "d_fake": "D(G(z))"}.items():
    print(
        f"{label:>8} and FD over {len(history)} moments: {rank_correlation([row[name] for row in history], live.fd):+.2f}"
    )

# %% [markdown]
# **No** for G's loss: its order has little to do with the order by quality. Now read D(G(z)): at the end the images are at
# their best, and D is *surer* that they are fakes than it was of the grey and the blobs of the beginning. A low D(G(z)) does
# not say "bad images". It says "this D can tell". If D's numbers go with the FD a little in your run, remember that everything
# drifts while a network learns, and that two things which drift correlate. In a run that fails D's loss falls just the same
# (lesson 04).
#
# **Can the same losses mean different quality?** Search the run for the two moments whose losses are most alike while one
# FD is at least twice the other.

# %%
pairs = [
    (i, j)
    for i in range(len(history))
    for j in range(i)
    if max(live.fd[i], live.fd[j]) > 2 * min(live.fd[i], live.fd[j])
]


def gap(pair):
    """How far the losses of two moments are apart."""
    a, b = history[pair[0]], history[pair[1]]
    return abs(a["d_loss"] - b["d_loss"]) + abs(a["g_loss"] - b["g_loss"])


for i in sorted(min(pairs, key=gap, default=())):
    row = history[i]
    print(f"step {row['step']:5}: D's loss {row['d_loss']:.2f}, G's loss {row['g_loss']:.2f}, FD {live.fd[i]:8,.0f}")

# %% [markdown]
# **Who is the judge?** Three generators and three discriminators were kept: from the first chunk, from a third of the way,
# and from the end. Let every D judge every G. Read a column: the same images, three verdicts. (A field shows one moment,
# the curves the mean over many steps, so the diagonal need not agree with them.)


# %%
@torch.no_grad()
def answer(discriminator, generator, n=1000):
    """The mean of D(G(z)) over n codes."""
    drawn = training.sample(generator, n).to(device.get())  # (n, 1, 28, 28)
    return discriminator(drawn).sigmoid().mean().item()


table = torch.tensor([[answer(d, g) for g, _ in live.pairs.values()] for _, d in live.pairs.values()])  # (3 D, 3 G)
figure = Figure(figsize=(5.4, 3.6), layout="constrained", facecolor="white")
axis = figure.subplots()
picture = axis.imshow(table, cmap="cividis", vmin=0, vmax=1)
for i, row in enumerate(table.tolist()):
    for j, value in enumerate(row):
        axis.text(j, i, f"{value:.2f}", ha="center", va="center", color="black" if value > 0.5 else "white")
names = [f"step {step:,}" for step in live.pairs]
axis.set_xticks(range(len(names)), names)
axis.set_yticks(range(len(names)), names)
axis.set_xlabel("images of G from")
axis.set_ylabel("judged by D from")
figure.colorbar(picture, label="mean of D(G(z))")
plots.show(
    figure, alt="A table of three discriminators against three generators with the mean answer D(G(z)) in each field."
)

# %% [markdown]
# Above the diagonal an old D meets newer images than it has ever been trained on, and takes many of them for real. Below it,
# a newer D mostly sees through the older G. The same images, and the answer depends on who is asked. The curves show one field of
# the table at a time, each G before its own D. So, what can you read from them?
#
# | you see | it says | it does not say |
# |---|---|---|
# | D's loss near 1.386 | D cannot tell, or has not learned yet | that the images are good |
# | D's loss near 0, D(x) near 1, D(G(z)) near 0 | D wins every time | that G has stopped learning: the non-saturating slope is then at its largest |
# | G's loss rises | D finds it easier | that the images get worse |
# | both losses fall towards 0 | the two are not playing against each other: a bug (section 11) | |
# | the losses are level | the two keep pace | that the images are done |
#
# To know the quality, look at samples from fixed codes and measure a distance such as FD.

# %% [markdown]
# ## 7 An unequal pair
# Take D's fully connected layers away and give it two convolutions: 64, then 128 filters of 5x5, stride 2, each with
# LeakyReLU(0.2) and Dropout(0.3). G remains as it is. Such a D knows that pixels have neighbours, which its opponent does
# not. **Guess:** does the better judge crush the generator, teach it, or something else?


# %%
class ConvDiscriminator(nn.Module):
    """Images (N, 1, 28, 28) -> logits (N,), through two strided convolutions."""

    def __init__(self):
        super().__init__()
        self.layers = nn.Sequential(
            nn.Conv2d(1, 64, 5, stride=2, padding=2), nn.LeakyReLU(0.2), nn.Dropout(0.3),  # (N, 64, 14, 14)
            nn.Conv2d(64, 128, 5, stride=2, padding=2), nn.LeakyReLU(0.2), nn.Dropout(0.3),  # (N, 128, 7, 7)
            nn.Flatten(), nn.Linear(128 * 7 * 7, 1), nn.Flatten(0),  # (N, 6272), (N, 1), (N,)
        )  # fmt: skip

    def forward(self, x):
        return self.layers(x)


mlp_cost = sum(m.weight.numel() for m in run.discriminator.modules() if isinstance(m, nn.Linear))
conv_cost = 14 * 14 * 64 * 25 + 7 * 7 * 128 * 64 * 25 + 128 * 7 * 7  # places x filters x inputs of a filter
print(f"multiplications for one image: MLP {mlp_cost / 1e6:.1f} million, convolutions {conv_cost / 1e6:.1f} million")

unequal_steps = device.by_profile(smoke=4, laptop=150, gpu=600)
recipe = replace(methods.RECIPES["vanilla"], name="vanilla-conv-d", discriminator=lambda shape: ConvDiscriminator())
unequal = training.Run(recipe, images, seed=0)
training.train(unequal, steps=unequal_steps, callbacks=[training.ProgressBar()], log_every=max(1, unequal_steps // 6))
print(f"FD ({extractor.name}) after {unequal_steps} steps against the convolutional D: {fd(unequal.sampler):,.0f}")
if chunk in live.pairs:
    print(f"for comparison, the MLP pair of section 4 after {chunk} steps: {fd(live.pairs[chunk][0]):,.0f}")

# %% [markdown]
# By this number the convolutional D is the better teacher by far. Now look at what G draws from 36 *different* codes.

# %%
plots.show(
    plots.comparison({
        f"MLP against MLP, {steps:,} steps": training.sample(run.sampler, 36),
        f"convolutional D, {unequal_steps:,} steps": training.sample(unequal.sampler, 36),
    }),
    alt="36 different digits of the MLP pair, beside 36 times the same shape drawn against a convolutional discriminator.",
)  # fmt: skip
real_std = data.to_float(test_digits).std(0).mean()  # standard deviation of a pixel over the images, mean over pixels
for name, generator in {"MLP against MLP": run.sampler, "convolutional D": unequal.sampler}.items():
    print(f"spread, as a share of that of real digits, {name}: {training.sample(generator, 1000).std(0).mean() / real_std:.0%}")

# %% [markdown]
# One shape for every code. The **spread**, the standard deviation of a pixel over the samples, says in a number what you see:
# G ignores z. This is **mode collapse**. The FD, which took one stroke-like shape for better than many grey smears, did not
# warn you. Is that bad luck? One run is an anecdote. The course ran both pairs over three seeds; the numbers ship with it,
# and the script is `benchmarks/unequal_pair.py`.

# %%
results = json.loads((Path(methods.__file__).parent / "assets/results/unequal_pair.json").read_text())
print(f"{results['script']}, seeds {results['seeds']}, {results['samples']:,} samples, {results['hardware']}")
for name, value in results["frechet_distance"].items():
    print(f"{name:>27}: FD ({results['features']}) {value['mean']:8,.0f} +- {value['std']:,.0f}")

figure = Figure(figsize=(9, 3.4), layout="constrained", facecolor="white")
axes = figure.subplots(1, 2)
labels = {"vanilla": "MLP against MLP", "vanilla-conv-d": "convolutional D against MLP"}
for axis, quantity in zip(axes, ("frechet_distance", "spread"), strict=True):
    for (name, label), colour, marker in zip(labels.items(), plots.COLOURS, "os", strict=False):
        for row in [row for row in results["rows"] if row["name"] == name]:
            points = [(s["step"], s[quantity]) for s in row["snapshots"]]
            once = label if row["seed"] == 0 else None  # one entry in the legend
            axis.plot(*zip(*points, strict=True), color=colour, marker=marker, markersize=4, label=once)
    axis.set_xlabel("step")
    axis.grid(alpha=0.3)
axes[0].set(ylabel="FD (digit features)", yscale="log")
axes[1].set(ylabel="spread, as a share of real digits'", ylim=(0, 1))
axes[1].legend(frameon=False, loc="center right", bbox_to_anchor=(1, 0.3))
plots.show(
    figure,
    alt="Two panels against steps, three seeds a pair. Left, FD: low from the start with the convolutional D, where it "
    "stays, while the MLP pair falls from far above to the same height or below. Right, spread: near 0 with the convolutional D, "
    "rising with the MLP pair.",
)

# %% [markdown]
# No bad luck: all three seeds. The convolutional D's gradient says where strokes are, so G soon draws one; but all codes get
# the same push, and this G never leaves the shape that it fell into. The equal pair starts much worse and goes on improving, with
# setbacks.
# Two lessons: a better judge alone makes no better pupil, for the two have to fit; and **one number is not enough**, look at
# the samples. (Lesson 03 gives G convolutions too; lesson 04 makes collapse on purpose, and cures it.)
#
# ## 8 The space of codes
# Move the sliders. Each pushes the code along one of the directions in which the image changes most at the start code. (No
# sliders? Run the cell; the figure under it shows the same.)


# %%
def strongest_directions(generator, z, count=4):
    """The directions in which a small step from z (latent_dim,) changes the image most: (count, latent_dim)."""
    step = 0.01
    moved = generator(z + step * torch.eye(len(z), device=z.device))  # (100, 1, 28, 28)
    slopes = (moved - generator(z[None])).flatten(1) / step  # (100, 784)
    return torch.linalg.svd(slopes.T, full_matrices=False).Vh[:count].cpu()


start = torch.randn(1, 100, generator=torch.Generator().manual_seed(2))  # (1, 100)
with torch.no_grad():
    directions = strongest_directions(run.sampler, start[0].to(device.get()))
explorer = widgets.LatentExplorer(run.sampler, 100, directions=directions, codes=start)
explorer

# %%
plots.show(
    explorer.figure(),
    alt="Strips of drawn digits: along each direction the digit changes gradually, and the last strip walks from one to another.",
)

# %% [markdown]
# A small step in the code is a small change of the image, even where the image is no digit: smooth is not the same as good.
# Which digits does it draw? Count what the course's digit classifier sees in its samples, beside the real test digits.


# %%
def shares(images_):
    """The share of each of the ten classes in a set of images, as the digit classifier sees them: (10,)."""
    with torch.inference_mode():
        place = next(extractor.network.parameters()).device
        found = torch.cat(
            [extractor.network(data.to_float(part.to(place))).argmax(1).cpu() for part in images_.split(500)]
        )
    return torch.bincount(found, minlength=10) / len(found)


real_shares, drawn_shares = shares(test_digits), shares(data.to_uint8(training.sample(run.sampler, count)))
figure = Figure(figsize=(7, 3), layout="constrained", facecolor="white")
axis = figure.subplots()
axis.bar(torch.arange(10) - 0.2, real_shares, 0.4, color=plots.COLOURS[0], label="real")
axis.bar(
    torch.arange(10) + 0.2, drawn_shares, 0.4, color=plots.COLOURS[1], hatch="//", edgecolor="white", label="drawn"
)
axis.set(xlabel="digit that the classifier sees", ylabel="share", xticks=range(10))
axis.legend(frameon=False)
plots.show(
    figure, alt="Bars: the share of each digit among real images, about a tenth each, and among drawn ones, very uneven."
)
print(f"shares of the drawn digits: from {drawn_shares.min():.1%} to {drawn_shares.max():.1%}")

# %% [markdown]
# A digit that is drawn much too rarely, or never, is a warning: some **modes** of the data are missing. Lesson 04 makes that
# failure on purpose. (But mistrust a tall bar: the classifier has learned clean digits, and may take many speckled shapes for
# the same one. Compare with the samples of section 5.)
#
# ## 9 Bug hunt
# Here is a training script as one meets them. It runs without an error, the losses are numbers, and it prints
# "done". It has **four** bugs. Read it once, note what you suspect, and then let the instruments speak.


# %%
def broken_training(generator, discriminator, pixels, epochs, batch_size):
    """Trains a GAN on uint8 pixels (N, 1, 28, 28). Or does it?"""
    everything = [*generator.parameters(), *discriminator.parameters()]
    d_optimizer = torch.optim.Adam(discriminator.parameters(), lr=1e-3)
    g_optimizer = torch.optim.Adam(everything, lr=1e-3)
    images = pixels.float() / 255
    for _ in range(epochs):
        real = images[:batch_size]
        fake = generator(torch.randn(len(real), generator.latent_dim))
        d_loss = F.softplus(-discriminator(real)).mean() + F.softplus(discriminator(fake.detach())).mean()
        d_optimizer.zero_grad()
        d_loss.backward()
        d_optimizer.step()
        g_loss = F.softplus(-discriminator(fake)).mean()
        g_optimizer.zero_grad()
        g_loss.backward()
        g_optimizer.step()


def small_pair(latent_dim=16):
    """A small generator and discriminator, always with the same start."""
    torch.manual_seed(0)
    return networks.MLPGenerator(latent_dim, widths=(64,)), networks.MLPDiscriminator(widths=(64,))


digits = pixels[:1280]  # uint8 (1280, 1, 28, 28)
generator, discriminator = small_pair()
with Watch(generator, discriminator) as seen:
    broken_training(generator, discriminator, digits, epochs=20, batch_size=64)
print(seen)

# %% [markdown]
# Five lines of readings, four symptoms. Take them one by one.
#
# **Symptom 1: how many different images has D seen?** `images[:batch_size]` is the first batch, every time.
#
# > **Myth** "The batch is taken inside the loop, so every step sees new images."

# %%
print(f"D was shown {seen.real_shown:,} real images, but only {seen.distinct_real} different ones of {len(digits):,}")
assert seen.distinct_real == 64

# %% [markdown]
# A D that knows 64 images by heart calls every other digit a fake, and G can do no better than to copy these 64.
#
# **Symptom 2: how often did it go through the data?**
#
# > **Myth** "20 epochs are 20 trips round this loop."
#
# An **epoch** is one pass over all images. This loop makes one step, and calls it an epoch.

# %%
d_updates = seen.counts().get("D", 0)
needed = 20 * len(digits) // 64
print(f"epochs asked for: 20; images shown / images there: {seen.real_shown / len(digits):.2f} passes")
print(f"steps made: {d_updates}; steps that 20 epochs take: {needed}")
assert d_updates == 20 and needed == 400

# %% [markdown]
# **Symptom 3: do the two players see the same range?**
#
# > **Myth** "Pixels divided by 255 are in [-1, 1]."
#
# They are in [0, 1]. A tanh generator draws in [-1, 1], and half of that range is one where no real pixel ever is. D
# needs to learn nothing about digits. Here is a D without any training: one rule, "a negative pixel is a fake".

# %%
wrong, right = digits.float() / 255, digits.float() / 127.5 - 1
drawn = training.sample(small_pair()[0], 500)  # float (500, 1, 28, 28)
print(
    f"pixels / 255 reach from {wrong.min():.0f} to {wrong.max():.0f}, pixels / 127.5 - 1 from {right.min():.0f} to {right.max():.0f}"
)
for name, real in {"/ 255": wrong, "/ 127.5 - 1": right}.items():
    has_negative = [(part.flatten(1).amin(1) < 0).float().mean().item() for part in (real, drawn)]
    print(
        f"{name:>11}: images with a negative pixel: {has_negative[0]:.0%} of the real ones, {has_negative[1]:.0%} of the drawn ones"
    )

# %% [markdown]
# **Symptom 4: who moves in whose step?** Every second step moved D *and* G. G's optimizer holds D's weights too, and G's
# loss asks for "fake is real": D is taught the opposite of what it learned a moment ago.

# %%
print("the first six optimizer steps moved:", seen.moved[:6])


def logit_before_and_after(broken):
    """D's mean logit for fakes, before and after one of G's steps in which G itself has learning rate 0."""
    generator, discriminator = small_pair()
    groups = [{"params": generator.parameters(), "lr": 0.0}]
    groups += [{"params": discriminator.parameters(), "lr": 1e-3}] if broken else []
    optimizer, z = torch.optim.Adam(groups), torch.randn(64, 16)
    before = discriminator(generator(z)).mean()
    F.softplus(-discriminator(generator(z))).mean().backward()
    optimizer.step()
    return before.item(), discriminator(generator(z)).mean().item()


for broken in (True, False):
    before, after = logit_before_and_after(broken)
    print(
        f"D in G's optimizer: {broken!s:>5}. The very same fakes look real to D by a logit of {before:+.3f}, then {after:+.3f}"
    )

# %% [markdown]
# The images are the same, to the pixel. If D's opinion of them rises, then not because they got better.
#
# **A fifth one, from another script.** It comes from libraries in which a network has its own `train_on_batch(inputs,
# targets)`:
#
# > **Myth** "To train G, call `discriminator.train_on_batch(z, ones)`."
#
# Two things are wrong. D takes images, and z is none: (64, 16) numbers do not fit into 784 inputs. And `train_on_batch`
# trains the network that it is called on, which is D. The next cell writes that call out. To get past the first error it
# gives z 784 numbers.


# %%
def train_on_batch(network, optimizer, inputs, targets):
    """What such a method does: one step of `network` towards the targets."""
    loss = F.binary_cross_entropy_with_logits(network(inputs), targets)
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()


generator, discriminator = small_pair()
try:
    discriminator(torch.randn(64, 16))
except RuntimeError as error:
    print("with 16 numbers:", error)

generator, discriminator = small_pair(latent_dim=784)
optimizer = torch.optim.Adam(discriminator.parameters(), lr=1e-3)
with Watch(generator, discriminator) as seen:
    for _ in range(20):
        train_on_batch(discriminator, optimizer, torch.randn(64, 784), torch.ones(64))
print("with 784 numbers: 20 steps,", seen.counts(), "- G was called", seen.distinct_codes, "times")
assert seen.counts() == {"D": 20}

# %% [markdown]
# G has never been called, and D has learned that noise is real. The chain must be z, then G, then D, and the optimizer
# must be G's: `g_step` of section 3.6.
#
# **Exercise 2** · medium · 10 minutes
#
# Mend the script. All four bugs are still in it. The check watches a training of yours on a tiny pair and images of eight
# pixels.


# %% exercise="mended"
def mended(generator, discriminator, pixels, epochs, batch_size):
    """Train both networks on uint8 pixels (N, C, H, W), in `epochs` passes over all of them. Returns nothing that counts."""
    ### BEGIN SOLUTION
    d_optimizer = torch.optim.Adam(discriminator.parameters(), lr=1e-3)
    g_optimizer = torch.optim.Adam(generator.parameters(), lr=1e-3)
    images = pixels.float() / 127.5 - 1
    for _ in range(epochs):
        for rows in torch.randperm(len(images)).split(batch_size):
            real = images[rows]
            fake = generator(torch.randn(len(real), generator.latent_dim))
            d_loss = F.softplus(-discriminator(real)).mean() + F.softplus(discriminator(fake.detach())).mean()
            d_optimizer.zero_grad()
            d_loss.backward()
            d_optimizer.step()
            g_loss = F.softplus(-discriminator(fake)).mean()
            g_optimizer.zero_grad()
            g_loss.backward()
            g_optimizer.step()
    ### STUB
    # raise NotImplementedError  # delete this line, then mend the rest
    # everything = [*generator.parameters(), *discriminator.parameters()]
    # d_optimizer = torch.optim.Adam(discriminator.parameters(), lr=1e-3)
    # g_optimizer = torch.optim.Adam(everything, lr=1e-3)
    # images = pixels.float() / 255
    # for _ in range(epochs):
    #     real = images[:batch_size]
    #     fake = generator(torch.randn(len(real), generator.latent_dim))
    #     d_loss = F.softplus(-discriminator(real)).mean() + F.softplus(discriminator(fake.detach())).mean()
    #     d_optimizer.zero_grad()
    #     d_loss.backward()
    #     d_optimizer.step()
    #     g_loss = F.softplus(-discriminator(fake)).mean()
    #     g_optimizer.zero_grad()
    #     g_loss.backward()
    #     g_optimizer.step()
    ### END SOLUTION


# %%
checks.lesson02.mended(mended)

# %% [markdown]
# <details><summary>Hint 1</summary>
#
# Two bugs are one-line repairs: which weights belong to G's optimizer, and which formula brings 0 to -1 and 255 to 1?
#
# </details>
#
# <details><summary>Hint 2</summary>
#
# An epoch needs a second loop. `torch.randperm(len(images)).split(batch_size)` gives the row numbers of each batch, in a
# new order each time.
#
# </details>
#
# <!-- solution: mended -->

# %% [markdown]
# ## 10 Break it
# How much harm does one of these bugs do to the real training? Take the range: everything is as in section 4, with the
# same seed, but the real images lie in [0, 1]. The cause is one line. The numbers: FD at the same step, and the share of
# drawn pixels below 0, where no real pixel is.


# %%
class WrongRange:
    """The same images, but in [0, 1]. A run takes anything that has `image_shape`, `to` and `batch`."""

    def __init__(self, images):
        self.images, self.image_shape = images, images.image_shape

    def to(self, place):
        return WrongRange(self.images.to(place))

    def batch(self, n, generator=None):
        x, labels = self.images.batch(n, generator)
        return (x + 1) / 2, labels


broken = training.Run(methods.RECIPES["vanilla"], WrongRange(images), seed=0)
training.train(broken, steps=steps // 3, callbacks=[training.ProgressBar()], log_every=chunk)
healthy = live.pairs[steps // 3][0]  # the generator of section 4 at the same step

undone = (training.sample(broken.sampler, count) * 255).round().clamp(0, 255).to(torch.uint8)  # the wrong range, undone
print(f"FD ({extractor.name}) after {steps // 3} steps")
print(f"  real images in [0, 1], taken for [-1, 1]: {fd(broken.sampler):8,.0f}")
print(f"  real images in [0, 1], range undone:      {metrics.frechet_distance(real_features, extractor(undone)):8,.0f}")
print(f"  cured, real images in [-1, 1]:            {fd(healthy):8,.0f}")
drawn = training.sample(broken.sampler, 1000)
real_backgrounds = (pixels[:1000] == 0).float().mean()
print(
    f"pixels below 0 among those drawn by the broken run: {(drawn < 0).float().mean():.0%}; among its real images: 0%"
)
backgrounds = {
    "real": real_backgrounds,
    "broken": ((drawn * 255).round() == 0).float().mean(),
    "cured": (data.to_uint8(training.sample(healthy, 1000)) == 0).float().mean(),
}
print("pixels that are exactly background:", ", ".join(f"{name} {share:.0%}" for name, share in backgrounds.items()))
plots.show(
    plots.comparison({"real images in [0, 1]": drawn[:36], "cured: [-1, 1]": training.sample(healthy, 36)}),
    alt="36 images on a grey, speckled background from the broken run, beside 36 on black from the cured one.",
)

# %% [markdown]
# Look at the first two numbers. They judge the same generator; only the way from its output to pixels differs. So G did
# follow its wrong data, because tanh can reach every number in [0, 1]. (One seed, one early moment: whether *undone* or
# *cured* is ahead here means nothing.) The disaster is that everything after it, the picture grid and the metric alike,
# expects [-1, 1].
#
# And D's cheap rule of symptom 3, "a negative pixel is a fake"? It pushes G's pixels up, and G obeys until they lie *around* 0.
# It cannot do better: a real background is exactly 0, where the tanh is steepest, so every tremble of G's weights puts some
# pixels below. At -1 the tanh is flat, and there it is easier to draw plain background: compare the last line, early as it is.
# The cure is one line: `pixels / 127.5 - 1`.

# %% [markdown]
# ## 11 Exercises
# **Exercise 3** · medium · 8 minutes
#
# Do not look at section 3.5, and write D's step from a blank cell. You are given codes this time, not fakes. Make **one**
# step of D on `real` and on what G draws from `z`; the loss is the course's (the sum of two means, on logits). G must not
# change and must not get a gradient, and nothing that is left over in D's gradients may matter. Return the loss.


# %% exercise="d_step_from_codes"
def d_step_from_codes(generator, discriminator, d_optimizer, real, z):
    """One step of D on real (N, C, H, W) and on G's images from z (N, latent_dim); returns the loss."""
    ### BEGIN SOLUTION
    with torch.no_grad():
        fake = generator(z)
    loss = F.softplus(-discriminator(real)).mean() + F.softplus(discriminator(fake)).mean()
    d_optimizer.zero_grad()
    loss.backward()
    d_optimizer.step()
    return loss.detach()
    ### END SOLUTION


# %%
checks.lesson02.d_step_from_codes(d_step_from_codes)

# %% [markdown]
# <details><summary>Hint 1</summary>
#
# Five things in this order: fakes, loss, `zero_grad`, `backward`, `step`.
#
# </details>
#
# <details><summary>Hint 2</summary>
#
# Either draw the fakes inside `with torch.no_grad():`, or pass `fake.detach()` to D.
#
# </details>
#
# <!-- solution: d_step_from_codes -->

# %% [markdown]
# **Exercise 4** · medium · 8 minutes
#
# Build your own instrument. `action` is a function without arguments; it may make a training step, or many, or none. Call
# it once and return the set of the names of those networks whose weights it changed: `set()`, `{"G"}`, `{"D"}` or `{"G",
# "D"}`.


# %% exercise="who_moved"
def who_moved(generator, discriminator, action):
    """Call action() once; return the set of "G" and "D" whose weights are different afterwards."""
    ### BEGIN SOLUTION
    networks_ = {"G": generator, "D": discriminator}
    before = {name: [p.detach().clone() for p in network.parameters()] for name, network in networks_.items()}
    action()
    return {
        name
        for name, network in networks_.items()
        if any(not torch.equal(old, new) for old, new in zip(before[name], network.parameters(), strict=True))
    }
    ### END SOLUTION


# %%
checks.lesson02.who_moved(who_moved)

# %% [markdown]
# <details><summary>Hint 1</summary>
#
# You need the weights from before. An optimizer changes a tensor in place: a second name for it, or `.detach()`, shows the
# new numbers too.
#
# </details>
#
# <details><summary>Hint 2</summary>
#
# `p.detach().clone()` is a copy. `torch.equal(old, new)` compares two tensors. One changed tensor is enough.
#
# </details>
#
# <!-- solution: who_moved -->

# %% [markdown]
# **Exercise 5** · hard · 12 minutes
#
# Below are the recordings of five trainings with this script, in which the lines are numbered. One training was healthy.
# In each of the others just one line was wrong, a different one each time. **Which line did it?**
#
# ```python
#  1  g_optimizer = Adam(generator.parameters(), lr=1e-3)
#  2  d_optimizer = Adam(discriminator.parameters(), lr=1e-3)
#  3  images = pixels.float() / 127.5 - 1
#  4  for _ in range(epochs):
#  5      for rows in torch.randperm(len(images)).split(batch_size):
#  6          real = images[rows]
#  7          fake = generator(torch.randn(len(real), generator.latent_dim))
#  8          d_loss = softplus(-discriminator(real)).mean() + softplus(discriminator(fake.detach())).mean()
#  9          d_optimizer.zero_grad(); d_loss.backward(); d_optimizer.step()
# 10          g_loss = softplus(-discriminator(fake)).mean()
# 11          g_optimizer.zero_grad(); g_loss.backward(); g_optimizer.step()
# ```

# %%
for letter, recording in checks.lesson02.recordings(
    digits, epochs=device.by_profile(smoke=2, laptop=20, gpu=20)
).items():
    print(f"recording {letter}\n{recording}\n")

# %% exercise="which_line"
### BEGIN SOLUTION
lines = {"A": 7, "B": 10, "C": 0, "D": 1, "E": 8}
### STUB
# lines = {"A": None, "B": None, "C": None, "D": None, "E": None}  # the number of the wrong line, 0 for the healthy one
### END SOLUTION

# %%
checks.lesson02.which_line(lines)

# %% [markdown]
# <details><summary>Hint 1</summary>
#
# First the counts: how many real images, how many different codes, and who moved? 20 epochs of 1,280 images in batches of
# 64 are 400 steps of each network, and 25,600 codes. In two recordings one of the counts is off.
#
# </details>
#
# <details><summary>Hint 2</summary>
#
# Then the losses. Two players cannot both win: in which recording do both losses go to 0? And calculate -log D(x) - log(1
# - D(G(z))) from the answers: in which recording is D's loss far above it?
#
# </details>
#
# <!-- solution: which_line -->

# %% [markdown]
# (Read on when you have solved exercise 5.) Where does the odd number of recording E come from? A sigmoid that stands in front of `softplus` squeezes every logit
# into 0 to 1. A perfect D then reaches softplus(-1) for real images and softplus(0) for fakes, and never less.

# %%
print(f"the least that D's loss can be with a sigmoid too many: {F.softplus(torch.tensor([-1.0, 0.0])).sum():.4f}")

# %% [markdown]
# ## 12 Summary
# - A vanilla GAN is two small fully connected networks, two losses on logits, two optimizers, and steps in turn.
# - What trains a network is its optimizer. `detach` keeps D's gradient from G; G's optimizer holds G's weights only.
# - Losses are functions of logits: softplus is exact where `log(sigmoid(l) + 1e-8)` has no gradient left.
# - The curves are scores against an opponent that changes. 1.386 is D's score for guessing. Quality needs
#   samples and a distance.
# - D is G's only teacher, and the two have to fit. An MLP generator against a convolutional D collapsed to one shape, and its
#   FD looked good for a while: one number is not enough.
# - Bugs that raise no error are found by instruments: count the images, print the ranges, see who moves.
#
# **Answer without looking**
# 1. Why does the untrained generator draw plain grey?
# 2. D's loss is 1.386 from the first step to the last. Name two very different reasons.
# 3. G's loss has doubled. What do you look at before you stop the run?
# 4. Where would `detach` be wrong: in D's step or in G's?
# 5. Which single line of output would have shown each of the four bugs?
#
# **Next** Lesson 03: networks that know that pixels have neighbours.
#
# **References**
# - I. Goodfellow, J. Pouget-Abadie, M. Mirza, B. Xu, D. Warde-Farley, S. Ozair, A. Courville, Y. Bengio:
#   [Generative Adversarial Networks](https://arxiv.org/abs/1406.2661), NIPS 2014. Section 3 has the non-saturating loss. Its networks
#   on MNIST were multi-layer perceptrons too, with other activations and momentum instead of Adam.
# - D. P. Kingma, J. Ba: [Adam: A Method for Stochastic Optimization](https://arxiv.org/abs/1412.6980), ICLR 2015.
# - A. Radford, L. Metz, S. Chintala: [Unsupervised Representation Learning with Deep Convolutional Generative Adversarial
#   Networks](https://arxiv.org/abs/1511.06434), ICLR 2016 (the Adam settings that are used here).
# - K. He, X. Zhang, S. Ren, J. Sun: [Delving Deep into Rectifiers](https://arxiv.org/abs/1502.01852), ICCV 2015 (the initialisation
#   that `kaiming_uniform_` is named after).
# - M. Heusel, H. Ramsauer, T. Unterthiner, B. Nessler, S. Hochreiter: [GANs Trained by a Two Time-Scale Update Rule Converge to a
#   Local Nash Equilibrium](https://arxiv.org/abs/1706.08500), NIPS 2017 (the Frechet distance for GANs).
