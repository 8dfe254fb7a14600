# %% [markdown]
# # Other generative models: what a GAN is compared with
#
# {{badges}}
#
# **Time** about 5 minutes of computing on a two-core laptop, three hours with the exercises; on a T4 not measured yet.
#
# **You need** lessons 01 (densities, the game), 02 (the loop) and 03 (DCGAN). The metrics of lesson 10 are explained in a line each; lessons
# 05 (where two of the GANs come from) and 08 (blur, U-Net) help.
#
# In this lesson you will
# - write down the five families that a GAN competes with, each on one page: **VAE**, **RBM**, **autoregressive model**, **normalising
#   flow**, **diffusion model**; and test of each the one thing that makes it work,
# - train all five on the same digits by the one loop,
# - read the bake-off: two GANs and the five at equal time and about equal size, on digits and clothes, and four on a grid of 25 points,
# - move through the codes of a VAE and a GAN with the same sliders,
# - bring images back from codes, with an encoder and without one,
# - look for outliers, and see a model prefer them to what it was trained on,
# - fill in half an image,
# - break three of the five.
#
# **Contents** 1 Set up · 2 Predict · 3 One task, five answers · 4 Train · 5 The bake-off · 6 The grid of 25 · 7 Analyse · 8 Break it ·
# 9 Exercises · 10 Summary

# %% [markdown]
# ## 1 Set up

# %%
# {{setup}}

# %%
import copy
import dataclasses
import itertools
import json
import math
from pathlib import Path

import torch
import torch.nn.functional as F
from torch import nn

from gan_course import baselines, checks, data, device, methods, metrics, plots, plots_2d, training, widgets
from gan_course.data import toy

device.announce(laptop="about 5 minutes on two CPU cores", gpu="not measured yet")

RESULTS = Path(methods.__file__).parent / "assets" / "results"
digits, test_digits = data.load("mnist"), data.load("mnist", "test")
clothes, test_clothes = data.load("fashion"), data.load("fashion", "test")
x, _ = digits.batch(16, device.seed(0))  # (16, 1, 28, 28) in [-1, 1]
plots.show(
    plots.strips({"digits": test_digits.images[:12], "clothes": test_clothes.images[:12]}),
    alt="Twelve handwritten digits, and below them twelve pieces of clothing from Fashion-MNIST.",
)

# %% [markdown]
# ## 2 Predict
# A GAN draws, and cannot say how likely an image is. Most of its competitors can, and are judged by it: how likely does the model find
# images that it has not seen? The unit is **bits per dimension**, $-\log_2 p(x)$ divided by the number of pixels. Lower is better; a blind
# guess among 256 grey levels costs 8.
#
# Take a very good model of digits, and spoil it. In 99 of 100 cases the spoilt model draws television noise, and only in one of
# 100 what the good model would have drawn. By how many bits a pixel is it worse on real digits of 784 pixels, at most?
#
# **Exercise 1** · easy · 4 minutes · *a number, guessed or worked out; section 5.3 measures it*

# %% exercise="noise_share"
### BEGIN SOLUTION
guess = math.log2(100) / 784
### STUB
# guess = None  # bits a pixel
### END SOLUTION

# %%
checks.lesson11.noise_share(guess)

# %% [markdown]
# <details><summary>Hint 1</summary>
#
# The density of the spoilt model is $0.99\,p_{\text{noise}}(x) + 0.01\,p_{\text{good}}(x)$. Leave one of the two terms out: is the
# sum larger or smaller than what is left?
#
# </details>
#
# <details><summary>Hint 2</summary>
#
# $\log_2 (0.01\, p) = \log_2 p - \log_2 100$: so many bits for a whole image. And how many for one pixel?
#
# </details>
#
# <!-- solution: noise_share -->

# %% [markdown]
# ## 3 One task, five answers
# The task is that of lesson 01: there are samples of $p_{\text{data}}$, and a model should draw more of them. A GAN never writes its
# density down. Each of the others has found a way to write one down that it can also work with.
#
# | | in code | its density | is trained by | draws in | the code of an image |
# |---|---|---|---|---|---|
# | GAN | `gan` (here `dcgan-fast`) | is never written down | a game | one pass | has to be searched for |
# | VAE | `vae` | an integral over codes; a **bound** can be computed | the bound | one pass | a guess, by the encoder |
# | RBM | `rbm` | $e^{-F(x)} / Z$, where nobody knows Z | contrastive divergence | a chain of hundreds of steps | bits that are drawn |
# | autoregressive (PixelCNN) | `autoregressive` | a product, one factor a pixel: **exact** | the likelihood | one step a pixel | none that is shorter than the image |
# | flow | `flow` | of the code, times how space is stretched: **exact** (for whole grey levels a bound) | the likelihood | one pass, the other way round | exactly one |
# | diffusion (DDPM) | `ddpm` | a bound again | finding noise | tens of passes | exactly one, in the limit of small steps |
#
# Here is each on one page: the formula, the code that matters, and the test that it is right. Where an exercise of section 9 asks for a
# piece, it is called from the package. All live in `gan_course/baselines`. All are trained by the one loop of lesson 02 and share one step,
# `baselines.model_step`. (The RBM's first step also sets its visible biases, so that each pixel starts with its mean in the data.) And all
# draw from codes z ~ N(0, I), so everything in this course that takes a generator takes them too. (The RBM's code fixes the uniform numbers
# of its chain.)
#
# ### 3.1 VAE
# A decoder draws as a GAN's generator does, but it says no image: it says a *distribution* around one, $p(x \mid z)$. With the codes' own
# distribution $p(z) = N(0, I)$, the **prior**, $p(x) = \int p(x \mid z)\, p(z)\, dz$, which nobody can compute, for almost no z leads to
# this x. The distribution of those that do, $p(z \mid x)$, is called the **posterior**, and nobody knows that either. So a second network,
# the **encoder**, is asked which z it could have been. It answers with a normal distribution $q(z \mid x)$.
#
# For every z, $p(x) = p(x \mid z)\, p(z) / p(z \mid x)$. Take logarithms (natural ones, which count in **nats**; one is 1.44 bits), add and
# subtract $\log q(z \mid x)$, and average over q:
#
# $$\log p(x) = \underbrace{\mathbb{E}_{q(z \mid x)} \log p(x \mid z)}_{\text{reconstruction}} - \underbrace{\mathrm{KL}\big(q(z \mid x) \,\|\, N(0, I)\big)}_{\text{what the code costs}} + \mathrm{KL}\big(q(z \mid x) \,\|\, p(z \mid x)\big)$$
#
# The last term nobody knows, but it is never negative (lesson 01). So the other two are a bound from below, the evidence lower bound,
# **ELBO**, and both networks climb it. The KL of these normals is $\tfrac12 \sum (\mu^2 + \sigma^2 - \log \sigma^2 - 1)$, over the numbers
# of the code. One trick is needed: z is drawn by chance, and chance has no gradient. But $z = \mu + \sigma\,\varepsilon$ with
# $\varepsilon \sim N(0, I)$ is the same draw, and has one to $\mu$ and $\sigma$. That is the **reparameterisation**.
#
# A pixel is one of 256 levels. Its distribution is a logistic curve around the decoder's answer; a level gets the area that lies nearest to
# it, and black and white get all that lies beyond.


# %%
def log_probability_of_levels(images, middle, log_scale):
    """log P of 8-bit pixels under logistic curves around `middle`: (N,) in nats."""
    images, middle, scale = images.double(), middle.double(), log_scale.double().exp()
    below_upper_edge = torch.sigmoid((images + 1 / 255 - middle) / scale)
    below_lower_edge = torch.sigmoid((images - 1 / 255 - middle) / scale)
    below_upper_edge = torch.where(images > 1 - 1 / 255, 1.0, below_upper_edge)  # white owns what lies beyond
    below_lower_edge = torch.where(images < 1 / 255 - 1, 0.0, below_lower_edge)
    return (below_upper_edge - below_lower_edge).log().flatten(1).sum(1).float()


torch.manual_seed(0)
vae = baselines.ImageVAE()  # dcgan-fast's networks: its discriminator turned into an encoder, its generator the decoder
mean, log_variance = vae.encoder(x).chunk(2, 1)  # (16, 32) each
z = baselines.vae.reparameterise(mean, log_variance, device.seed(1))  # (16, 32): exercise 2
middle = 2 * vae.decoder(z)  # (16, 1, 28, 28) in [-2, 2]: beyond 1, the decoder is sure of white
reconstruction = log_probability_of_levels(x, middle, vae.log_scale)  # (16,)
kl = baselines.vae.kl_to_prior(mean, log_variance)  # (16,)
elbo = reconstruction - kl  # exercise 3
assert torch.allclose(elbo, vae.elbo(x, device.seed(1)), rtol=1e-4)
bits = baselines.bits_per_dimension(elbo.mean(), x.shape[1:])
print(f"an untrained VAE: reconstruction {reconstruction.mean():.0f}, KL {kl.mean():.4f} nats; {bits:.2f} bits a pixel")

# %% [markdown]
# Untrained, 10.3 bits is worse than a blind guess's 8: the decoder is sure of the wrong greys.
#
# **How far off is the bound?** By the last term, the encoder's answer against the truth. A case where all of it is known:
# $z \sim N(0, 1)$, $x \mid z \sim N(z, 1/4)$. Then $x \sim N(0, 5/4)$ and $z \mid x \sim N(\tfrac45 x, \tfrac15)$.

# %%
from torch.distributions import Normal, kl_divergence

value, prior, posterior = torch.tensor(1.2), Normal(0.0, 1.0), Normal(0.8 * 1.2, 0.2**0.5)
truth = Normal(0.0, 1.25**0.5).log_prob(value)
print(f"log p(x) = {truth:.4f}")
for name, q in (
    ("the posterior itself", posterior),
    ("mean too small by 0.3", Normal(0.66, 0.2**0.5)),
    ("twice as wide", Normal(0.96, 2 * 0.2**0.5)),
    ("the prior: x ignored", Normal(0.0, 1.0)),
):
    expected = Normal(0.0, 0.5).log_prob(value - q.mean) - q.variance / (2 * 0.25)  # E of log p(x|z), in closed form
    bound = expected - kl_divergence(q, prior)
    print(f"  encoder says {name:<22} ELBO {bound:.4f}, gap {(truth - bound).abs():.4f}")
    assert torch.allclose(truth - bound, kl_divergence(q, posterior), atol=1e-5)

# %% [markdown]
# A VAE draws the middle of each pixel's distribution. Where the code leaves an edge open, that middle is a compromise between all possible
# edges, hence blur (lesson 08, section 3): a reason why a VAE is soft.
#
# ### 3.2 RBM
# The oldest of the five. Pixels are bits v, and there are hidden bits h. A **restricted Boltzmann machine** gives each pair an energy,
#
# $$E(v, h) = -v^\top W h - b^\top v - c^\top h, \qquad p(v, h) = e^{-E(v, h)} / Z, \qquad p(v) = e^{-F(v)} / Z$$
#
# with the free energy $F(v) = -b^\top v - \sum_j \mathrm{softplus}(v^\top W + c)_j$, for
# $\sum_h e^{-E(v, h)} = e^{b^\top v} \prod_j \big(1 + e^{(v^\top W + c)_j}\big) = e^{-F(v)}$. *Restricted* means: no weight
# joins two visible or two hidden bits. So, given one side, the bits of the other are independent coins, and can all be drawn at once
# (one weight between two hidden bits, and each would have to know the other first):
# $P(h_j = 1 \mid v) = \sigma(v^\top W + c)_j$ and $P(v_i = 1 \mid h) = \sigma(W h + b)_i$. Drawing h, then v, is one **Gibbs step**,
# and after enough of them v is a sample. Z is a sum over $2^{784}$ images, and nobody knows it.

# %%
torch.manual_seed(0)
machine = baselines.RBM((6,), hidden=4)  # so small that all of it can be summed
with torch.no_grad():
    for parameter in machine.parameters():
        parameter.normal_()
W, b, c = machine.weight, machine.visible_bias, machine.hidden_bias  # (6, 4), (6,), (4,)


def free_energy(v):
    return -(v @ b) - F.softplus(v @ W + c).sum(1)  # (N,)


v = (torch.rand(50, 6) < 0.3).float()  # 50 "images"
assert torch.allclose(free_energy(v), machine.free_energy(v), atol=1e-5)
everything = torch.tensor(list(itertools.product((0.0, 1.0), repeat=6)))  # (64, 6)
print(f"all 64 images together have probability {(-free_energy(everything) - machine.log_partition()).exp().sum():.6f}")

# %% [markdown]
# **How it learns.** $-\nabla \log p(v) = \nabla F(v) + \nabla \log Z$, and $\nabla \log Z = -\sum_{v'} p(v')\, \nabla F(v')$: the slope of
# $F$ at the data minus its mean at the machine's own samples. Lower the energy of what is real, raise it for what you dream. The second
# half needs samples, and so a long chain for each step. Hinton (2002) starts the chain *at the data* and stops it after k steps:
# **contrastive divergence**, CD-k. Here the truth can be summed up, and k steps held against it.


# %%
def slope(loss):
    return torch.autograd.grad(loss, W)[0].flatten()


exact = slope(-machine.log_likelihood(v).mean())
for k in (1, 5, 50):
    rng, chain = device.seed(3), v.repeat(400, 1)
    for _ in range(k):
        chain = machine.gibbs_step(chain, rng)  # exercise 4
    estimate = slope(free_energy(v).mean() - free_energy(chain).mean())
    print(
        f"CD-{k:<3} off by {(estimate - exact).norm() / exact.norm():4.0%}, "
        f"angle to the truth {torch.rad2deg(torch.acos(F.cosine_similarity(estimate, exact, dim=0))):.0f} degrees"
    )

# %% [markdown]
# Few steps give a direction that is biased, and usable (the 1% at k = 5 and 50 is the noise of 20,000 chains). This small machine forgets
# its start quickly; one that has learned digits does not. The course's RBM for images takes CD-20. In the search for settings it had an FD
# of 78 (the distance of lesson 10, lower is better). CD-5 had 282 at the same rate, and 205 at the best of three (30 s and one seed each;
# `benchmarks/search_baselines.py`). It learns from bits, drawn anew in each batch with the grey level as their probability, and what it
# shows as a sample are the probabilities of the last bits.
#
# ### 3.3 Autoregressive
# No bound, no Z: the rule of conditional probabilities, applied 783 times, in reading order.
#
# $$p(x) = \prod_i p(x_i \mid x_1, \ldots, x_{i-1})$$
#
# Each factor is a choice among grey levels, so a softmax, and training is 784 classifications an image. All can be done **at once**, if a
# convolution is kept from looking ahead: its kernel is masked, and sees the rows above and, in its own row, the left. The first layer must
# not see the pixel itself either (mask A); later ones may (mask B), for what they see at this place does not know the pixel. That is
# PixelCNN (van den Oord and others, 2016). Ours has 16 grey levels and not 256, to be quick.


# %%
class MaskedConv(nn.Conv2d):
    """A convolution that does not look ahead."""

    def __init__(self, kind, inputs, outputs, kernel):
        super().__init__(inputs, outputs, kernel, padding=kernel // 2)
        mask = torch.zeros(kernel, kernel)
        mask[: kernel // 2] = 1  # the rows above
        mask[kernel // 2, : kernel // 2] = 1  # to the left
        mask[kernel // 2, kernel // 2] = float(kind == "B")  # the place itself
        self.register_buffer("mask", mask, persistent=False)

    def forward(self, x):
        return F.conv2d(x, self.weight * self.mask, self.bias, padding=self.padding)


class Block(nn.Module):
    """Half the channels, a look around, all the channels again; with a way past it."""

    def __init__(self, width):
        super().__init__()
        self.narrow, self.widen = nn.Conv2d(2 * width, width, 1), nn.Conv2d(width, 2 * width, 1)
        self.look = MaskedConv("B", width, width, 3)

    def forward(self, x):  # (N, 2 * width, H, W)
        return x + self.widen(self.look(self.narrow(x.relu()).relu()).relu())


class PixelCNN(nn.Module):
    """Images with a few grey levels (N, 1, H, W) -> logits of each pixel's level (N, levels, H, W)."""

    def __init__(self, width=24, blocks=5, levels=16):
        super().__init__()
        self.first = MaskedConv("A", 1, 2 * width, 7)
        self.blocks = nn.Sequential(*[Block(width) for _ in range(blocks)])
        self.head = nn.Sequential(
            nn.ReLU(), nn.Conv2d(2 * width, 2 * width, 1), nn.ReLU(), nn.Conv2d(2 * width, levels, 1)
        )

    def forward(self, x):
        return self.head(self.blocks(self.first(x)))


torch.manual_seed(0)
theirs, mine = baselines.PixelCNN(), PixelCNN()
mine.load_state_dict(dict(zip(mine.state_dict(), theirs.state_dict().values(), strict=True)))  # the same weights
level = ((x + 1) * 127.5).round().long() // 16  # (16, 1, 28, 28), 0..15
reduced = level / 7.5 - 1
assert torch.allclose(mine(reduced), theirs.logits(x), atol=1e-5)
log_p = -F.cross_entropy(mine(reduced), level.squeeze(1), reduction="none").sum((1, 2))  # (16,)
assert torch.allclose(log_p, theirs.log_likelihood(x), rtol=1e-5)
bits = baselines.bits_per_dimension(log_p.mean(), x.shape[1:])
print(f"untrained: {bits:.2f} bits a pixel; a blind guess among 16 levels costs 4")

# %% [markdown]
# **Does it look ahead?** Ask the gradient. The logits of one pixel, by all pixels:

# %%
probe = reduced[:1].clone().requires_grad_(True)
(seen,) = torch.autograd.grad(mine(probe)[0, :, 14, 14].square().sum(), probe)
seen = seen[0, 0].abs()  # (28, 28)
order = torch.arange(28 * 28).view(28, 28)
assert (seen[order >= order[14, 14]] == 0).all() and seen[14, 13] > 0
figure, (axis,) = plots_2d.panels(1, width=5.0, height=2.8)
shown = axis.imshow(seen.where(seen > 0, torch.nan).log10(), cmap="cividis", vmin=-10)  # white: exactly 0
axis.plot(14, 14, "x", color=plots.COLOURS[1], markersize=8)
stairs = [(16.5 + up, 14.5 - row) for up in range(1, 6) for row in (up, up + 1)]  # one pixel less in each row
axis.plot(*torch.tensor([*stairs, (22.5, 8.5), (22.5, 13.5), stairs[0]]).T, color=plots.COLOURS[1])
axis.set(xticks=[], yticks=[], xlim=(3.5, 24.5), ylim=(17.5, 4.5), title="what the pixel at the cross looks at")
figure.colorbar(shown, ax=axis, label="gradient, power of ten")
plots.show(
    figure,
    alt="A heat map, white where the gradient is 0: the pixel at the cross depends on a wedge of pixels above it and to its left, on nothing below or to the right, and not on an outlined triangle above to the right.",
)

# %% [markdown]
# Nothing of what comes later, as it must be. The first layer reaches 3 pixels, and each of the five blocks one more: 8. Within that, a
# triangle above to the right is missing: the **blind spot**, for each block reaches one pixel further to the right only by going up one
# row. The gated PixelCNN (van den Oord and others, 2016b) splits the layers in two to mend it.
#
# Drawing takes the pixels one by one: the price of this product is 784 steps that cannot be taken at once. Here a code's 784 normal numbers
# stand for the chances: with $\Phi$, the distribution function of N(0, 1), $u = \Phi(z)$ is uniform, and picks the first level at which the
# summed chances reach u.
#
# ### 3.4 Normalising flow
# A flow has one network for both ways: an **invertible** map f from images to codes. Then the density is that of the code, times how much f
# stretches space there:
#
# $$\log p(x) = \log N\big(f(x);\, 0, I\big) + \log \left| \det \frac{\partial f(x)}{\partial x} \right|$$
#
# First each square of 2x2 pixels becomes one pixel of 4 channels (`Squeeze`), which stretches nothing. Then two layers with a determinant
# that costs next to nothing are enough. A **coupling** (Dinh and others, 2017) leaves half of the channels alone, and they say by how much
# the other half is scaled and shifted, through a network that need not be invertible. Put the kept numbers first, and the matrix of slopes
# is triangular, so its determinant is the product of the scales. To go back, note that the kept half is still there: ask the network again
# and undo, $(y - \text{shift})\, e^{-\text{log scale}}$ (exercise 5). A **1x1 convolution** (Kingma and Dhariwal, 2018) mixes the channels,
# so that the next coupling finds others; it is one small matrix, used at each of $h \cdot w$ places.


# %%
def coupling_forward(x, network):
    """x (N, C, H, W) -> y of the same shape, log-determinant (N,)."""
    kept, changed = x.chunk(2, 1)
    log_scale, shift = network(kept).chunk(2, 1)
    log_scale = 2 * torch.tanh(log_scale / 2)  # so that no scale is larger than e^2
    return torch.cat([kept, changed * log_scale.exp() + shift], 1), log_scale.flatten(1).sum(1)


def mix_forward(x, weight, bias):
    """The same for a 1x1 convolution with a matrix (C, C)."""
    y = F.conv2d(x, weight[:, :, None, None], bias)
    return y, x.shape[2] * x.shape[3] * torch.linalg.slogdet(weight)[1].expand(len(x))


torch.manual_seed(0)
coupling, mix, hidden = baselines.flow.Coupling(8, 16), baselines.flow.Mix(8), torch.randn(5, 8, 3, 3)
nn.init.normal_(coupling.network[-1].weight, std=0.1)  # at the start a coupling changes nothing
with torch.no_grad():
    mix.weight.add_(0.3 * torch.randn(8, 8))  # and a mix is a rotation, perhaps with a reflection
for layer, by_hand in (
    (coupling, coupling_forward(hidden, coupling.network)),
    (mix, mix_forward(hidden, *mix.parameters())),
):
    for expected, found in zip(by_hand, layer(hidden), strict=True):
        assert torch.allclose(found, expected, atol=1e-5)
    back = layer.inverse(layer(hidden)[0])
    print(f"{type(layer).__name__:<9} there and back: off by {(back - hidden).abs().max():.0e}")

# %% [markdown]
# **Is the determinant right?** On images of 4x4, let autograd make the whole 16 x 16 matrix of slopes and take its determinant.

# %%
torch.manual_seed(0)
flow = baselines.Flow((1, 4, 4), width=(8, 8), steps=(2, 2)).double()
for layer in flow.layers:
    if isinstance(layer, baselines.flow.Coupling):
        nn.init.normal_(layer.network[-1].weight, std=0.2)
        nn.init.normal_(layer.network[-1].bias, std=0.2)
small = torch.randn(1, 1, 4, 4, dtype=torch.float64)
matrix = torch.autograd.functional.jacobian(lambda image: flow.to_code(image)[0], small).view(16, 16)
(code, log_determinant), by_autograd = flow.to_code(small), torch.linalg.slogdet(matrix)[1]
print(f"log-determinant: layer by layer {log_determinant.item():.6f}, by autograd {by_autograd.item():.6f}")
assert torch.allclose(log_determinant[0], by_autograd)
assert torch.allclose(flow.from_code(code), small)

# %% [markdown]
# Pixels are whole numbers, and a density on whole numbers could be made as high as one likes: a needle on each. So noise is added that
# fills each level, $(\text{level} + u) / 256$ with u uniform in [0, 1), which is called dequantisation, and what comes out is a bound for
# the levels (Theis and others, 2016), by Jensen's inequality, for log is concave:
# $\mathbb{E}_u \log p(\text{level} + u) \le \log \int p(\text{level} + u)\, du$. With $y = (\text{level} + u) / 256$,
# the logit $\log \frac{y}{1 - y}$ then spreads [0, 1] over the whole line; its slope counts too, and so does the factor 256.
#
# ### 3.5 Diffusion
# Drown an image in noise, in T = 1,000 small steps $x_t = \sqrt{1 - \beta_t}\, x_{t-1} + \sqrt{\beta_t}\, \varepsilon_t$, with $\beta$ on a
# line from 0.0001 to 0.02. All of them at once are one formula (Ho and others, 2020, equation 4),
#
# $$x_t = \sqrt{\bar\alpha_t}\, x_0 + \sqrt{1 - \bar\alpha_t}\; \varepsilon, \qquad \bar\alpha_t = \prod_{i \le t} (1 - \beta_i),$$
#
# by induction: if the noise in $x_{t-1}$ has the variance $1 - \bar\alpha_{t-1}$, that in $x_t$ has
# $(1 - \beta_t)(1 - \bar\alpha_{t-1}) + \beta_t = 1 - \bar\alpha_t$. At t = 1,000 next to nothing of the image is left (0.6%).
#
# A network sees $x_t$ and t, and says **which noise it was**; the loss is the mean squared error of its answer (equation 14). Under squared
# error the best answer is the mean of all noises that it could have been, $\mathbb{E}[\varepsilon \mid x_t]$. No second player, no bound
# in sight. (There is one behind it: with other weights for the times, this loss is minus an ELBO, up to a constant and the last step.)

# %%
beta = torch.cat([torch.zeros(1), torch.linspace(1e-4, 0.02, 1000)])  # (1001,): beta[0] belongs to the image itself
alpha_bar = (1 - beta).cumprod(0)


def drown(x, t, noise):
    """x_t of images (N, 1, H, W), t int64 (N,)."""
    kept = alpha_bar[t].view(-1, 1, 1, 1)
    return kept.sqrt() * x + (1 - kept).sqrt() * noise


torch.manual_seed(0)
ddpm = baselines.ImageDiffusion()
rng = device.seed(4)
t = (torch.rand(16, generator=rng) * 1000).long() + 1  # (16,), 1..1000: a time for each image
noise = torch.randn(x.shape, generator=rng)
loss = (ddpm.noise(drown(x, t, noise), t) - noise).square().mean()
assert torch.allclose(drown(x, t, noise), ddpm.q_sample(x, t, noise), atol=1e-4)
assert torch.allclose(loss, baselines.diffusion.noise_error(ddpm, x, device.seed(4)), rtol=1e-4)
times = torch.tensor([0, 50, 100, 200, 300, 400, 500, 700, 1000])
drowning = drown(x[:1].expand(9, -1, -1, -1), times, noise[:1].expand(9, -1, -1, -1))
plots.show(
    plots.strips({"x_t": drowning.clamp(-1, 1)}, [f"t={t}" for t in times], size=0.8),
    alt="A digit at nine times: clear at 0, grainy at 100, hardly to be seen at 400, pure noise at 1,000.",
)
print("share of the image", [f"{a:.3f}" for a in alpha_bar[times].sqrt().tolist()])

# %% [markdown]
# **Drawing** goes the other way. Put the network's answer $\hat\varepsilon$ into the formula and solve for the image:
# $\hat x = (x_t - \sqrt{1 - \bar\alpha_t}\,\hat\varepsilon) / \sqrt{\bar\alpha_t}$. It is a poor one while t is large. So do not go there:
# go to an earlier time s, along the same noise, $x_s = \sqrt{\bar\alpha_s}\, \hat x + \sqrt{1 - \bar\alpha_s}\; \hat\varepsilon$, as
# in exercise 6. That is **DDIM** (Song and others, 2021), and the steps can be long. DDPM takes all 1,000, and adds fresh noise in each but
# the last. (For images the package does one thing more: it brings $\hat x$ back into [-1, 1], as the authors of DDPM do, and takes the noise
# that fits to it.)
#
# Is the sampler right? Take data of which the best network is known. For $x_0 \sim N(m, \tau^2)$ the expected noise is
# $\sqrt{1 - \bar\alpha_t}\,(x_t - \sqrt{\bar\alpha_t}\, m) / (\bar\alpha_t \tau^2 + 1 - \bar\alpha_t)$. Let it draw.


# %%
class KnowsTheAnswer(nn.Module):
    """The best that any network could say of N(0.5, 0.2^2)."""

    def forward(self, x_t, t):  # (N, 1), (N,)
        kept = alpha_bar[t][:, None]
        return (1 - kept).sqrt() * (x_t - kept.sqrt() * 0.5) / (kept * 0.2**2 + 1 - kept)


z = torch.randn(20_000, 1, generator=device.seed(5))
package = baselines.diffusion.Diffusion(KnowsTheAnswer(), (1,))
for n_steps in (1, 5, 25, 100, 1000):
    drawn = package.ddim_sample(z, n_steps)
    print(f"{n_steps:>4} steps: mean {drawn.mean():.3f}, standard deviation {drawn.std():.3f}")
print("  truth:      mean 0.500, standard deviation 0.200")

# %% [markdown]
# From pure noise, the best guess at the image is the mean of all images, and that is no image: all 20,000 points come out near 0.5. The
# spread comes closer to 0.2 as steps get shorter; the mean is off by 0.003 because that of these 20,000 numbers z is
# not quite 0.
#
# Where all is noise, saying it again is no art, and a network should not have to learn it. So the output of the course's network for images
# is read as $v = \sqrt{\bar\alpha_t}\,\varepsilon - \sqrt{1 - \bar\alpha_t}\,x_0$ (another v than the RBM's; Salimans and Ho, 2022), and
# $\hat\varepsilon = \sqrt{1 - \bar\alpha_t}\, x_t + \sqrt{\bar\alpha_t}\, \hat v$. The loss stays that of the noise.

# %% [markdown]
# ## 4 Train
# All five, by `training.train` and their recipes, on the same images. Where a GAN has a discriminator they have a stand-in without
# parameters, and their step is three lines: a batch, a loss, a step down. Read it:

# %%
import inspect

print(inspect.getsource(baselines.model_step))

# %%
STEPS = {
    "vae": device.by_profile(smoke=3, laptop=1000, gpu=10_000),
    "rbm": device.by_profile(smoke=3, laptop=500, gpu=6000),
    "autoregressive": device.by_profile(smoke=3, laptop=450, gpu=8000),
    "flow": device.by_profile(smoke=3, laptop=450, gpu=8000),
    "ddpm": device.by_profile(smoke=3, laptop=450, gpu=8000),
}
runs, films = {}, {}
for name, steps in STEPS.items():
    films[name] = training.Snapshots(n=1, frames=8, seed=2)
    runs[name] = training.train(
        training.Run(methods.RECIPES[name], digits, seed=0),
        steps=steps,
        callbacks=[training.ProgressBar(f"{name:<14}"), films[name]],
        log_every=device.by_profile(smoke=1, laptop=25, gpu=100),
    )

# %% [markdown]
# One code of each, at eight moments of the training, closer together at the start; above, the share of the steps made:

# %%
moments = [f"{step / films['vae'].steps[-1]:.0%}" for step in films["vae"].steps]
plots.show(
    plots.strips({name: film.stack()[:, 0] for name, film in films.items()}, columns=moments),
    alt="Five rows, one for each model, from the first step to the last: the VAE's grey becomes strokes, the RBM's noise a digit, the noise of the others pieces of strokes.",
)

# %%
figure, axes = plots_2d.panels(5, width=2.3, height=2.3)
labels = {"ddpm": "mean squared error", "rbm": "F(data) - F(chain)", "autoregressive": "bits a pixel, 16 levels"}
for axis, (name, run) in zip(axes, runs.items(), strict=True):
    steps, losses_seen = zip(*[(row["step"], row["g_loss"]) for row in run.history], strict=True)
    axis.plot(steps, losses_seen, color=plots.COLOURS[0], marker="o", markersize=2.5)
    axis.set(title=name, xlabel="step", ylabel=labels.get(name, "bits a pixel"))
    axis.grid(alpha=0.3)
plots.show(
    figure,
    alt="Five loss curves that fall and flatten; the RBM's, a difference of free energies, goes on below zero.",
)

# %% [markdown]
# The RBM's curve is a difference between data and chain and need not fall; only its gradient counts. The others fall. For VAE, PixelCNN and
# flow this number, on test images, is how such models are compared (the PixelCNN's with the bits inside its levels added, section 5.1);
# diffusion's squared error is not, its bound is. The course's GANs have no such curve.
#
# ### Trained longer
# From here on, wherever a cell does not train its own or say otherwise, the models that ship are used: the same recipes with more steps
# (`tools/train_checkpoints.py`), and lesson 03's GAN.


# %%
models, cards = {}, {}
for name in ("gan", *runs):
    file = "dcgan-fast-mnist" if name == "gan" else f"{name}-mnist"
    models[name], cards[name] = training.load_network(file, "cpu")
    card = cards[name]
    drawing = models[name].decoder if name == "vae" else models[name]  # the VAE's encoder has no part in it
    parameters = sum(p.numel() for p in drawing.parameters())
    trained = f"{card['steps']:>6,} steps, {card['seconds']:,.0f} s on {card['hardware']}"
    print(f"{file:<21} {trained}; {parameters:,} parameters that draw")
drawn = {name: training.sample(model, 12, seed=3) for name, model in models.items()}
plots.show(
    plots.strips({"real": test_digits.images[:12]} | drawn),
    alt="Seven rows of twelve digits: real ones, those of the GAN, of the VAE, of the RBM, of the PixelCNN, of the flow and of the diffusion model.",
)

# %% [markdown]
# Each family has faults of its own kind.
# - The **GAN** draws whole strokes with sharp edges. Some are no digit.
# - The **VAE** is soft, and most of its samples come in pieces. Section 7.2 finds out why.
# - The **RBM** shows probabilities, so it is smooth, without the noise of bits. A chain that stands between two digits shows a grey mixture.
# - The **PixelCNN** draws strokes that are natural over some pixels, and has no plan for the whole, probably since 8 pixels is how far it
#   sees.
# - The **flow**'s edges are ragged, and some of its digits are in pieces.
# - **Diffusion** draws mostly whole strokes, and about half of these twelve make a digit.
#
# ## 5 The bake-off
# ### 5.1 How it was made
# Two GANs, `dcgan-fast` and the best recipe with a critic of lesson 05, `wgan-gp-fast`, and the five others, on MNIST and on Fashion-MNIST,
# by `benchmarks/bake_off.py`. All have three seeds, as many steps as fitted into 60 s of one core when timed alone (the runs then took 51
# to 73 s), and about as many parameters (`wgan-gp-fast` half as many, the PixelCNN a thirteenth). What draws differs more: of a GAN's
# parameters D's have no part in it, of the VAE's the encoder's. Judged are 5,000 samples against the 10,000 test digits, 2,000 against the
# 2,000 test clothes, and 20,000 points. (So few samples do not come near all test digits: even real ones have a coverage of 0.83.) Rates
# were chosen on a part of the training split, the test split judges once. A budget of one minute is a choice, and it is the table's most
# important one; 5.4 comes back to it.
#
# | | what it is | better |
# |---|---|---|
# | FD, KD | distance of the two clouds of features: as of normal distributions; by a kernel | lower |
# | precision, recall | share of samples near real images; of real images near samples | higher |
# | density, coverage | the same two, made robust against outliers | higher |
# | bits | bits a pixel of 8-bit test images; of VAE, flow and diffusion an upper bound; of the PixelCNN exact: bits of its level, plus bits of the grey value inside the level as counted on training images | lower |
# | MB, ms a sample | the most memory beyond data and model, in ten steps and in drawing 500; processor time for one sample, in batches of 500 | lower |
#
# "real" are training images in the place of samples, the best that can be hoped for; "real, 16 levels" are the same with 16 grey levels,
# the best that the PixelCNN could do.
#
# ### 5.2 The table

# %%
NUMBERS = (
    ("FD", "frechet_distance", ".1f"),
    ("KD", "kernel_distance", ".2f"),
    *((name, name, ".2f") for name in ("precision", "recall", "density", "coverage")),
    ("bits", "bits_per_dimension", ".2f"),
    ("modes", "modes", ".1f"),
    ("near a mode", "high_quality", ".3f"),
    ("KL", "kl", ".3f"),
)


def print_lines(*lines):
    """Cells under one another."""
    for first, *others in lines:
        print(f"{first:<16}" + "".join(f"{cell:>14}" for cell in others))


def cell(row, key, form):
    """Mean and standard deviation over the seeds."""
    spread = row.get(key)
    mean = f"{round(spread['mean'], int(form[1])) + 0.0:{form}}" if spread else "-"  # + 0.0: no -0.00
    return f"{mean} ± {spread['std']:{form}}" if spread and row["seeds"] > 1 else mean


def print_table(rows, costs):
    """How good the samples are, and what a run and a sample cost; one line a model."""
    columns = [column for column in NUMBERS if any(column[1] in row for row in rows)]
    print_lines(["", *(title for title, *_ in columns)])
    print_lines(*[[row["name"], *(cell(row, key, form) for _, key, form in columns)] for row in rows])
    print()
    print_lines(["costs", "weights", "ms a step", "steps", "MB to train", "MB to draw", "ms a sample"])
    for row in (row for row in rows if row["name"] in costs):
        cost, steps, draw = costs[row["name"]], row["steps"]["mean"], row["ms_a_sample"]["mean"]
        memory = [f"{cost[phase]:.0f}" for phase in ("train_mb", "sample_mb")]
        step = f"{1000 * cost['seconds_a_step']:.1f}"
        print_lines([row["name"], f"{cost['parameters']:,}", step, f"{steps:,.0f}", *memory, f"{draw:.2g}"])


bake_off = json.loads((RESULTS / "bake_off.json").read_text(encoding="utf-8"))
print(f"{bake_off['seconds']:.0f} s each; {bake_off['hardware']}")
for set_name, what in (("mnist", "digits"), ("fashion", "clothes")):
    rows = [row for row in bake_off["table"] if row["data"] == set_name]
    print(f"\n{what}, {max(row['seeds'] for row in rows)} seeds")
    print_table(rows, bake_off["costs"][set_name])

# %%
figure, axes = plots_2d.panels(2, width=4.6, height=3.6, sharey=True)
for axis, (set_name, what) in zip(axes, (("mnist", "digits"), ("fashion", "clothes")), strict=True):
    trained = [row for row in bake_off["table"] if row["data"] == set_name and "ms_a_sample" in row]
    for row, marker, colour in zip(trained, "osD^vP*", plots.COLOURS, strict=True):
        fd, ms = row["frechet_distance"], row["ms_a_sample"]
        style = {"marker": marker, "color": colour, "linestyle": "none", "capsize": 2}
        axis.errorbar(ms["mean"], fd["mean"], fd["std"], label=row["name"], **style)
    axis.set(xscale="log", yscale="log", xlabel="ms a sample", ylabel="FD", title=what, yticks=(20, 50, 100, 200))
    for side in (axis.xaxis, axis.yaxis):  # 0.1, 1, 10 and not powers
        side.set_major_formatter("{x:g}")
        side.set_minor_formatter("")
    axis.grid(alpha=0.3)
axes[1].legend(frameon=False, fontsize=8, loc="center left", bbox_to_anchor=(1.0, 0.5))
plots.show(
    figure,
    alt="FD against milliseconds a sample, both on logarithmic scales, for seven models on digits and on clothes. dcgan-fast lies lowest in both, diffusion farthest to the right.",
)

# %% [markdown]
# What it shows:
# - **After a minute, `dcgan-fast` draws best, on both sets**, by FD and KD. Density and coverage put the RBM before it on digits. A part of
#   the GAN's lead may come from its search: its recipe was chosen for a minute or two, in 34 trials (lesson 03), and the five had 3 to 5
#   short ones each.
# - **Who comes next depends on the data.** On digits it is the RBM by FD, level with `wgan-gp-fast` by KD; PixelCNN, VAE and diffusion
#   share a place that three seeds do not divide (diffusion's spread is 18). On clothes it is `wgan-gp-fast`, then the VAE, and the RBM is
#   last by FD and KD. A likely cause: its world is made of bits; a digit is nearly that, and a grey coat is not. By density it is second
#   even there, by coverage it shares that place with `wgan-gp-fast`. Smooth, typical images lie near real ones; what they lack, and FD
#   counts, is probably texture.
# - **There are two ways to be bad.** The PixelCNN's digits have a recall of 0.92 and a precision of 0.19: near most real digits there is
#   some sample, and hardly a sample is near a digit. Diffusion on clothes has it the other way round, 0.14 and 0.86: near real ones, with
#   little variety, of kinds or of texture. An FD alone would not tell.
# - **Bits give another order.** The PixelCNN has the fewest by far, on both sets, and its number is exact, the others' are bounds. By FD it
#   is in the middle on digits and last but one on clothes. Diffusion, whose bound is the worst, is before it on clothes. The RBM's
#   likelihood is hidden behind its Z, and a GAN has none.
# - **What a sample costs differs more than 400 times**: one pass (GAN, VAE) takes less than 0.1 ms, the flow's deeper one 0.7, 784 pixels
#   2.5, 1,000 half steps of the RBM 10 or 11, 25 passes of a U-Net (lesson 08) 20 or 21.
#
# So what is each good for, as far as this table goes? A GAN for images, soon and quickly drawn. A PixelCNN for a likelihood, as in
# compression. A VAE for codes at once, and it has the cheapest step. A flow where both ways have to be exact. An RBM where data are bits.
# Diffusion is not ready after a minute; wait for 5.4.
#
# **The digits again**, with fewer steps and fewer samples: the models that you trained in section 4. FD depends on the number of samples
# (lesson 10), so "real" stands beside them with as many.

# %%
COMPARED = device.by_profile(smoke=40, laptop=500, gpu=2000)
extractor = metrics.extractor_for("mnist", test_digits.image_shape)
judged = test_digits.images[:COMPARED]
samples = {"real": digits.images[torch.randperm(len(digits), generator=device.seed(0))[:COMPARED]]}
samples |= {name: training.sample(run.sampler, COMPARED, seed=1) for name, run in runs.items()}
print_lines(["", "steps", "FD", "precision", "recall"])
for name, images in samples.items():
    row = metrics.compare(judged, images, extractor)
    found = [f"{row['frechet_distance']:.1f}", f"{row['precision']:.2f}", f"{row['recall']:.2f}"]
    print_lines([name, f"{STEPS[name]:,}" if name in STEPS else "-", *found])

# %% [markdown]
# ### 5.3 Likelihood is not quality
# Section 2 asked what it costs to draw noise in 99 of 100 cases. The PixelCNN says its density exactly, so it can be spoilt exactly: noise,
# with all 16 levels equally likely, has the density $16^{-784}$.


# %%
@torch.no_grad()
def in_batches(function, images, size=100):
    """A function of float images (N, 1, 28, 28), on uint8 images of any number."""
    return torch.cat([function(data.to_float(part)) for part in images.split(size)])


def as_bits(nats):
    """Mean bits a pixel."""
    return baselines.bits_per_dimension(nats.mean(), (1, 28, 28)).item()


pixelcnn = models["autoregressive"]
good = in_batches(pixelcnn.log_likelihood, judged)  # (N,) nats
noise_density = torch.full_like(good, -784 * math.log(16))
spoilt = torch.logaddexp(math.log(0.01) + good, math.log(0.99) + noise_density)
bits = [as_bits(nats) for nats in (good, spoilt)]
print(f"bits a pixel, of 16 levels: good {bits[0]:.4f}, spoilt {bits[1]:.4f}, worse by {bits[1] - bits[0]:.4f}")
print("your guess:", guess)
its_own = training.sample(pixelcnn, COMPARED, seed=1)
is_noise = torch.rand(COMPARED, generator=device.seed(6)) < 0.99
tv = torch.randint(16, its_own.shape, generator=device.seed(7)) / 7.5 - 1
its_spoilt = torch.where(is_noise[:, None, None, None], tv, its_own)
for name, samples in (("good", its_own), ("spoilt", its_spoilt)):
    print(f"FD {metrics.compare(judged, samples, extractor)['frechet_distance']:8.1f}  {name}")

# %% [markdown]
# > **Myth** "The better the likelihood, the better the pictures."
#
# A model that draws television noise 99 times of 100 loses $\log_2 100 / 784 = 0.0085$ bits a pixel, less than any two models of the table
# differ by. Nor do good pictures mean a good likelihood: a model that draws its training images, and nothing else, draws perfectly, and
# finds every test image impossible. And a small lead says nothing: a model may be a little behind the spoilt one in bits and draw digits.
# In high dimensions, likelihood and the look of samples are largely independent (Theis and others, 2016, whose examples these two are).
# Bits are the right number for compression. For pictures, judge pictures.
#
# ### 5.4 With more time
# The same models on the same digits: after the table's 60 s, and as they ship, trained for longer. (FD of 5,000 samples left, of 10,000
# right; bits on fewer test images at the right.)


# %%
def likelihoods_of(models, rng):
    """How likely models find images, exactly or by a bound: {name: images (N, 1, 28, 28) -> (N,) in nats}."""
    functions = {
        "vae": lambda x: models["vae"].elbo(x, rng),
        "autoregressive": lambda x: models["autoregressive"].log_likelihood(x),
        "flow": lambda x: models["flow"].log_likelihood(x, rng),
        "ddpm": lambda x: models["ddpm"].elbo(x, rng, draws=5),
    }
    return {name: function for name, function in functions.items() if name in models}


likelihoods = likelihoods_of(models, device.seed(12))
inside = baselines.autoregressive.bits_inside_levels(digits.images, judged, pixelcnn.levels)
rows = {row["name"]: row for row in bake_off["table"] if row["data"] == "mnist"}
print_lines(["", "steps in 60 s", "FD", "bits", "steps", "FD", "bits"])
for name, card in cards.items():
    row = rows["dcgan-fast" if name == "gan" else name]
    before = [cell(row, "frechet_distance", ".1f"), cell(row, "bits_per_dimension", ".2f")]
    after = [f"{card['steps']:,}", f"{card['metrics']['frechet_distance']:.1f}"]
    bits = "-"
    if name in likelihoods:
        found = as_bits(in_batches(likelihoods[name], judged)) + (inside if name == "autoregressive" else 0.0)
        bits = f"{found:.2f}"
    print_lines([name, f"{row['steps']['mean']:,.0f}", *before, *after, bits])

# %% [markdown]
# One run each, so compare only what differs by more than the spreads; and not at equal times: by the table's time for a step, about 3
# minutes of one core for GAN and VAE, 4 for the RBM, 7 to 11 for the others.
# - **Diffusion** goes from the last places to the second, and its bits fall by 0.9.
# - **The flow**'s FD falls by 80, and it passes the VAE in bits. By FD the two are level now.
# - **The GAN** more than halves its FD, and stays first.
# - **PixelCNN and VAE** gain less (and the VAE had only 3 times its steps). Time may not be all that limits them: the one is small and sees
#   8 pixels far; for the other see 7.2.
# - **The RBM**'s FD is worse by 8, two spreads. Its card says more: recall rises from 0.67 to 0.87. (Coverage rises too, but more samples
#   alone raise it, lesson 10, so do not compare that one.)
#
# So the table of one minute is not that of ten, and neither is that of a day with networks to match. What time does not change is the cost
# of a sample: in batches of 500, diffusion still draws 300 times as slowly as the GAN.
#
# **Do 25 passes spoil diffusion's row?** In section 3.5 they drew points that lie too close together. Here are more passes, from the same
# codes, with fewer samples (so FD is larger, lesson 10).

# %%
z = torch.randn(COMPARED // 2, models["ddpm"].latent_dim, generator=device.seed(14))
for passes in device.by_profile(smoke=(2, 3), laptop=(10, 25, 50), gpu=(10, 25, 50, 100)):
    images = torch.cat([models["ddpm"].ddim_sample(part, passes) for part in z.split(125)])
    row = metrics.compare(judged, data.to_uint8(images), extractor)
    print(f"{passes:>4} passes: FD {row['frechet_distance']:.1f}, precision {row['precision']:.2f}")

# %% [markdown]
# Hardly, for the model that ships: twice as many passes take about 1 off FD, fewer than 25 cost more. So it is the network much more than
# the length of the steps that the table judges.
#
# ### 5.5 Beside the literature
# With far larger networks and budgets, on the colour photographs of CIFAR-10:
#
# | family | bits per dimension | FID (an FD on the features of the Inception network, lesson 10) |
# |---|---|---|
# | autoregressive | 3.14 PixelCNN, 3.03 gated PixelCNN, 2.92 PixelCNN++ | |
# | flow | 3.49 Real NVP, 3.35 Glow | |
# | VAE | 3.11 with inverse autoregressive flow, 2.91 NVAE, 2.87 very deep VAE | |
# | diffusion | at most 3.75 DDPM; the same network by an exact density of dequantised pixels: 3.28 | 3.17 DDPM |
# | GAN | none | 2.92 StyleGAN2 with ADA; 16.8 SNGAN and 22.3 WGAN-GP, with residual networks, in the library mimicry |
# | RBM | none: hardly anybody trains one on such images any more | |
#
# Each number is of the paper that is named (references at the end), but for mimicry's (Lee and Town, 2020), who trained these GANs anew;
# the 3.28 is by Y. Song and others (2021). Only DDPM has both numbers. In bits it is behind every autoregressive model and VAE of the
# table; in FID it is far ahead of two of the GANs and close to the third. So a middling likelihood does not forbid good pictures. What was
# *not* close is the time to draw: 50,000 images of 32x32 took about 20 hours from a DDPM, and less than a minute from a GAN on the same GPU
# (J. Song and others, 2021, whose DDIM closed a part of that gap).
#
# On MNIST, flows of the literature reach 1.06 (Real NVP), 1.05 (Glow) and 0.99 bits a pixel (FFJORD; all as Grathwohl and others, 2019,
# report them). Ours has 1.59 after a minute and 1.28 as it ships (section 5.4). FD on this course's features has no counterpart in papers.
#
# ## 6 The grid of 25
# Points in the plane, where modes can be counted: 25 normal distributions on a grid. RBM and PixelCNN have no form for it (bits, grey
# levels); the others train here for some seconds.

# %%
points = toy.PointSet(toy.grid, name="grid of 25")
POINT_STEPS = {
    "points-fast": device.by_profile(smoke=3, laptop=2500, gpu=5000),  # the GAN of lesson 05
    "vae": device.by_profile(smoke=3, laptop=2500, gpu=5000),
    "flow": device.by_profile(smoke=3, laptop=300, gpu=3000),
    "ddpm": device.by_profile(smoke=3, laptop=2000, gpu=5000),
}
clouds = {"truth": toy.grid(2000, generator=device.seed(0))}
for name, steps in POINT_STEPS.items():
    recipe = methods.RECIPES[name]
    if name != "points-fast":
        recipe = dataclasses.replace(recipe, batch_size=512)
    run = training.train(training.Run(recipe, points, seed=0, device="cpu"), steps=steps)
    clouds[name] = training.sample(run.sampler, 2000, seed=1)
    print(f"{name:<12} {steps:>6,} steps, {run.seconds:5.1f} s")

# %%
figure, axes = plots_2d.panels(5, width=2.3, height=2.5)
for axis, (name, cloud) in zip(axes, clouds.items(), strict=True):
    axis.scatter(*cloud.T, s=2, color=plots.COLOURS[0], alpha=0.5, linewidths=0)
    found = metrics.modes_captured(cloud, toy.grid_centers(), 0.05)
    axis.set(
        xlim=(-5.5, 5.5), ylim=(-5.5, 5.5), title=f"{name}\n{found.modes} modes, {found.high_quality:.0%} near one"
    )
    axis.set_aspect("equal")
plots.show(
    figure,
    alt="Five clouds of points: the true grid of 25 spots; after some seconds the GAN's streaks, the VAE's heap in the middle, the flow's smeared square, and diffusion's 25 spots with thin bridges.",
)
print(f"after {bake_off['seconds']:.0f} s each:")
print_table([row for row in bake_off["table"] if row["data"] == "grid"], bake_off["costs"]["grid"])

# %% [markdown]
# After some seconds only diffusion has found the spots. After a minute the GAN has, too: 90% of its points are near a mode, 94% of
# diffusion's, and both give each mode its share (KL). VAE and flow still put three of four points between the modes. After the minute all
# four have all 25 modes: one point near a mode is enough for that, so ask as well how many are near one.
#
# All four are continuous maps of one heap, so none can tear it; they differ in how thin a bridge they can make. A coupling of the flow
# scales by at most $e^2$, which is one likely reason; a GAN's slopes have no limit; diffusion composes 100 short steps, for which it pays
# with about 300 times the GAN's time.
#
# ## 7 Analyse
# ### 7.1 Two spaces of codes, the same sliders
# The codes of the VAE have 32 numbers, those of the GAN 100. Which directions should sliders move along? Not random ones, of which most do
# little. For each model take the four that change its images *most*: with $J$ the slopes of the pixels by the code, the leading
# eigenvectors of $\mathbb{E}\, J^\top J$ (the directions in which the images change most, second most, ...), here from finite differences
# at random codes.


# %%
@torch.no_grad()
def moving_directions(model, step=0.5):
    """Eigenvalues (falling) and eigenvectors, in columns, of E[J^T J]: (d,), (d, d)."""
    d, codes = model.latent_dim, device.by_profile(smoke=2, laptop=24, gpu=64)
    total = torch.zeros(d, d)
    for z in torch.randn(codes, d, generator=device.seed(8)):
        slopes = (model(z + step * torch.eye(d)) - model(z[None])).flatten(1) / step  # (d, 784)
        total += slopes @ slopes.T / codes
    values, vectors = torch.linalg.eigh(total)
    return values.flip(0), vectors.flip(1)


spaces = {name: moving_directions(models[name]) for name in ("vae", "gan")}
for name, (values, _) in spaces.items():
    share = values.cumsum(0) / values.sum()
    half, most = (int((share < part).sum()) + 1 for part in (0.5, 0.99))
    print(f"{name}: half of all change lies in {half} of {len(share)} directions, 99% in {most}")

# %%
with torch.no_grad():
    mean, log_variance = models["vae"].encode(data.to_float(test_digits.images[:500]))
    cost = 0.5 * (mean**2 + log_variance.exp() - log_variance - 1).mean(0)  # (32,) nats
print("what each of the VAE's 32 numbers tells about an image at most, in nats:")
print(" ".join(f"{value:.2f}" for value in cost.sort(descending=True).values.tolist()))

# %% [markdown]
# In the VAE every number of the code has a price, the KL, and one that does not earn it is switched off: four of the 32 tell next to
# nothing, 0.06 nats or less. Nothing in a GAN charges for a number. Yet there, too, few directions do much: half of all change lies in 3 of
# 100, in the VAE in 6 of 32.
#
# Now the sliders. Left the VAE, right the GAN; slider k moves each along its own k-th direction, and 1 is one standard deviation of the
# codes. **New random** takes new codes for both.


# %%
class SideBySide:
    """One code for both: the left model's, the right one's, and four numbers that the sliders move."""

    def __init__(self, left, right, left_directions, right_directions):
        self.models = (left, right)
        self.directions = (left_directions, right_directions)  # (d, 4) each, orthonormal columns
        self.latent_dim = left.latent_dim + right.latent_dim + 4

    def __call__(self, z):  # (N, 136) -> (N, 1, 28, 63): two images, and white on the right
        codes = z[:, :-4].split([model.latent_dim for model in self.models], 1)
        images = []
        for model, code, directions in zip(self.models, codes, self.directions, strict=True):
            # along these four, the sliders' numbers take the place of the code's own
            code = code - code @ directions @ directions.T + z[:, -4:] @ directions.T
            images.append(model(code))
        return torch.cat([images[0], torch.ones(len(z), 1, 28, 1), images[1], torch.ones(len(z), 1, 28, 6)], 3)


both = SideBySide(models["vae"], models["gan"], spaces["vae"][1][:, :4], spaces["gan"][1][:, :4])
explorer = widgets.LatentExplorer(
    both,
    both.latent_dim,
    directions=torch.eye(both.latent_dim)[-4:],
    labels=[f"{k}: VAE | GAN" for k in range(1, 5)],
    seed=1,
    device="cpu",
)
explorer

# %%
plots.show(
    explorer.figure(),
    alt="Five rows of pairs of images, the VAE's left and the GAN's right: four directions from -3 to +3, and a walk from one code to another.",
)

# %% [markdown]
# Both change without a jump, and pass from one digit to another: the GAN's first direction leads from a 1 to a 0, the VAE's from an 8 to
# pieces. The difference is what lies between. Here most of the GAN's codes are digits, or nearly; the VAE's are digits in some places, and
# in between there is land where nothing lives, and its walk ends there. Take new codes a few times. The precision on the two model
# cards says the same of all codes: 0.83 and 0.56. Why, the next section asks.
#
# ### 7.2 There and back: reconstruction
# Is there a code for *this* image? The VAE's encoder answers at once, the flow has exactly one, the RBM draws hidden bits and goes back. A
# GAN has no way back. But a generator has a gradient: start at random codes and descend, in z, the distance to the image (Zhu and others,
# 2016). The weights stay as they are.


# %%
def invert(generator, images, steps, rate=0.1, pull=1e-3):
    """Codes whose images come close to images (N, 1, 28, 28): a descent from one random start each."""
    z = torch.randn(len(images), generator.latent_dim, generator=torch.Generator().manual_seed(0)).requires_grad_(True)
    optimizer = torch.optim.Adam([z], rate)
    for _ in range(steps):
        error = (generator(z) - images).square().mean((1, 2, 3))  # (N,)
        loss = (error + pull * z.square().mean(1)).sum()  # the pull keeps codes where the generator was trained
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    return z.detach()


few = data.to_float(test_digits.images[:4])
z_mine = invert(models["gan"], few, 15)
z_theirs = baselines.find_codes(models["gan"], few, steps=15, starts=1)
assert torch.allclose(models["gan"](z_mine), models["gan"](z_theirs), atol=1e-3)

SEARCH = device.by_profile(smoke=5, laptop=200, gpu=500)


@torch.no_grad()
def rebuilt(images):
    """Reconstructions of float images (N, 1, 28, 28) by five ways."""
    vae, gan, flow, rbm = (models[name] for name in ("vae", "gan", "flow", "rbm"))
    with torch.enable_grad():
        searched = {
            name: baselines.find_codes(model, images, steps=SEARCH) for name, model in (("vae", vae), ("gan", gan))
        }
    hidden_bits = rbm.hidden_probability(rbm.bits(images, device.seed(9))).bernoulli(generator=device.seed(9))
    return {
        "GAN, searched": gan(searched["gan"]),
        "VAE, encoder": vae.reconstruct(images),
        "VAE, searched": vae(searched["vae"]),
        "RBM, one step": (2 * rbm.visible_probability(hidden_bits) - 1).view_as(images),
        "flow": flow(flow.encode(images)),
    }


def root_mean_square(a, b):
    return (a - b).square().mean().sqrt().item()


count = device.by_profile(smoke=4, laptop=24, gpu=100)
originals = {
    "digits": data.to_float(test_digits.images[:count]),
    "clothes": data.to_float(test_clothes.images[:count]),
    "the GAN's own": training.sample(models["gan"], count, seed=4),
}
reconstructions = {name: rebuilt(images) for name, images in originals.items()}
print(f"{'root mean square error':<24}" + "".join(f"{name:>16}" for name in originals))
for way in reconstructions["digits"]:
    errors = [root_mean_square(reconstructions[name][way], originals[name]) for name in originals]
    print(f"{way:<24}" + "".join(f"{error:16.3f}" for error in errors))

# %%
shown = {"original": torch.cat([originals[name][:4] for name in originals])}
shown |= {way: torch.cat([reconstructions[name][way][:4] for name in originals]) for way in reconstructions["digits"]}
plots.show(
    plots.strips(shown, columns=[name if i == 0 else "" for name in originals for i in range(4)]),
    alt="Six rows: four digits, four pieces of clothing and four samples of the GAN, and below what five ways bring back of them. Only the flow brings back the clothing to the pixel.",
)

# %% [markdown]
# > **Myth** "A GAN has no encoder, so it cannot bring an image back."
#
# It can, at the price of a search, and on digits it comes nearer than the VAE's encoder, which answers at once. The last column tells two
# failures apart. The GAN's own samples *have* a code; what the search leaves over there (0.07) is the search's fault. On real digits it is
# 0.09. If the search errs as much there, more than half of that squared error is the search's too, and the rest the generator's. The same
# search improves on the VAE's encoder, too: its guess is quick, and not the best.
#
# That a model brings back an image does not mean that it would ever draw it. The GAN, trained on digits, finds codes for something like a
# shirt; the flow brings back the shoe to the pixel, for it is a map that can be turned round, trained or not. Two models are missing: for
# the PixelCNN an image is a code already, and the way back of diffusion is exact only in the limit of small steps.
#
# **Which half of the VAE is to blame?** It brings digits back well, and draws badly. Both times the same decoder draws, from other codes.
# So give it three kinds: from N(0, I), as it should; from the normal distribution with the mean and the covariance that the codes of
# training digits really have; and the codes of training digits themselves, one draw of the encoder for each.

# %%
rng = device.seed(13)
some = data.to_float(digits.images[: device.by_profile(smoke=COMPARED, laptop=5000, gpu=20_000)])
with torch.no_grad():
    of_digits = torch.cat([baselines.vae.reparameterise(*models["vae"].encode(part), rng) for part in some.split(500)])
    center, factor = of_digits.mean(0), torch.linalg.cholesky(of_digits.T.cov())
    normal = torch.randn(COMPARED, models["vae"].latent_dim, generator=rng)
    codes = {
        "N(0, I)": normal,
        "N(mean, covariance) of digits' codes": center + normal @ factor.T,
        "codes of training digits": of_digits[:COMPARED],
    }
    print(
        f"of digits' codes: largest mean {center.abs().max():.2f}, standard deviations {of_digits.std(0).mean():.2f}\n"
    )
    print(f"{'the VAE draws from':<38}      FD   precision")
    for name, z in codes.items():
        row = metrics.compare(judged, data.to_uint8(models["vae"](z)), extractor)
        print(f"{name:<38}{row['frechet_distance']:8.1f}{row['precision']:12.2f}")

# %% [markdown]
# > **Myth** "A VAE draws badly because its decoder blurs."
#
# From codes of digits this decoder has an FD of 12; as many real digits have 10.7 (section 5.2). That is its best case, since it rebuilds
# training digits, and it is no way to draw new ones. But it shows what the decoder can do: it is a little soft, and that costs little. What
# costs is *where the codes come from*. N(0, I) is asked of the encoder image by image, and as a price, not as a duty; that all codes
# together fill N(0, I) evenly does not follow. A normal distribution with the right mean and covariance halves the FD, and the rest is what
# no normal distribution can say. So a second model, of the codes, could mend most of it without a word to the decoder, and the simplest one
# mends half (Ghosh and others, 2020, with this and with mixtures of normals; Dai and Wipf, 2019, with a second VAE). The table of section 5
# has the plain VAE: it is judged by what it draws.
#
# ### 7.3 Outliers
# An image that does not belong: can the models tell? They have seen digits only. Show them digits that are new to them, and clothes. Each
# gives a score; a good score is higher for clothes.
#
# - VAE, diffusion, flow: the bound, with the sign turned; PixelCNN: $-\log p(x)$; RBM: the free energy, which lacks only a constant;
# - GAN: how far the nearest image is that it can draw (AnoGAN, Schlegl and others, 2017, began with that);
# - and a rival that has learned nothing: the **mean brightness**.
#
# The **ROC curve** draws all thresholds, the share of clothes that are found against the share of digits that are blamed, and the area under
# it is the chance that a random piece of clothing scores higher than a random digit: 1 is perfect, 0.5 is a coin.


# %%
def roc(normal, outlier):
    """Shares blamed of normal images and found of outliers, for every threshold, and the area: (K,), (K,), float."""
    scores = torch.cat([normal, outlier]).double()
    is_outlier = torch.cat([torch.zeros(len(normal)), torch.ones(len(outlier))])[scores.argsort(descending=True)]
    blamed = torch.cat([torch.zeros(1), (1 - is_outlier).cumsum(0) / len(normal)])
    found = torch.cat([torch.zeros(1), is_outlier.cumsum(0) / len(outlier)])
    return blamed, found, torch.trapezoid(found, blamed).item()


def scores_of(models, images):
    """A score for each of uint8 images (N, 1, 28, 28) from each model: the higher, the stranger. {name: (N,)}"""
    rng = device.seed(10)
    found = {name: -in_batches(function, images) for name, function in likelihoods_of(models, rng).items()}
    if "rbm" in models:
        found["rbm"] = in_batches(lambda x: models["rbm"].free_energy(models["rbm"].bits(x, rng)), images)
    return found


def miss(generator, images):
    """(N,): the mean squared error that a search leaves over."""
    codes = baselines.find_codes(generator, images, steps=SEARCH // 2, starts=2)
    with torch.no_grad():
        return (generator(codes) - images).square().mean((1, 2, 3))


count = device.by_profile(smoke=12, laptop=200, gpu=1000)
shown_images = {"normal": test_digits.images[-count:], "outlier": test_clothes.images[-count:]}
scores = {kind: scores_of(models, images) for kind, images in shown_images.items()}
for kind, images in shown_images.items():
    scores[kind]["gan"] = miss(models["gan"], data.to_float(images))
    scores[kind]["brightness"] = images.float().mean((1, 2, 3))
figure, (axis,) = plots_2d.panels(1, width=6.4, height=3.6)
widths = (8, 6.5, 5, 3.5, 2, 1.5, 1.5)  # so that curves that lie on one another can all be seen
for (name, normal), colour, width in zip(scores["normal"].items(), plots.COLOURS, widths, strict=True):
    blamed, found, area = roc(normal, scores["outlier"][name])
    axis.plot(blamed, found, color=colour, linewidth=width, label=f"{name} {area:.3f}")
axis.set_xscale("symlog", linthresh=0.01)
axis.set(xlim=(-0.0005, 1.1), xticks=(0, 0.01, 0.1, 1), xticklabels=("0", "1%", "10%", "100%"))
axis.set(
    xlabel="digits that are blamed", ylabel="clothes that are found", title="trained on digits: are clothes strange?"
)
axis.legend(frameon=False, fontsize=8, title="area", loc="center left", bbox_to_anchor=(1.0, 0.5))
axis.grid(alpha=0.3)
plots.show(
    figure,
    alt="ROC curves: five models find nearly all clothes without blaming a digit. Before it blames 1% of the digits, the GAN finds few, and brightness more than half.",
)

# %% [markdown]
# On this pair of sets, each of the five ranks nearly all clothes above all digits: areas of 1.000, rounded. The GAN's is 0.95. It can draw
# something like a shirt, as you saw, and its search, shorter here, may miss some digits. But mind the rival: brightness, which has learned
# nothing at all, has 0.92, and as long as few digits are blamed it finds more clothes than the GAN. A task that one number solves nearly as
# well tells little about the others.
#
# **Now the other way round.** Train the flow and the VAE on clothes, briefly, and show them clothes that are new to them, and digits. Guess
# first: which will they find more likely?

# %%
on_clothes = {}
for name, steps in (
    ("vae", device.by_profile(smoke=3, laptop=500, gpu=5000)),
    ("flow", device.by_profile(smoke=3, laptop=200, gpu=3000)),
):
    run = training.train(
        training.Run(methods.RECIPES[name], clothes, seed=0),
        steps=steps,
        callbacks=[training.ProgressBar(f"{name:<5}")],
    )
    on_clothes[name] = copy.deepcopy(run.sampler).cpu().eval()
turned = {kind: scores_of(on_clothes, images) for kind, images in shown_images.items()}
figure, axes = plots_2d.panels(2, width=4.2, height=3.0)
for axis, name in zip(axes, on_clothes, strict=True):
    *_, area = roc(turned["outlier"][name], turned["normal"][name])  # here digits are the outliers
    bits = {kind: scores[name] / (784 * math.log(2)) for kind, scores in turned.items()}
    edges = torch.histogram(torch.cat(list(bits.values())), 30).bin_edges  # the same for both
    for what, kind, colour, style in (
        ("clothes, as in training", "outlier", plots.COLOURS[0], "-"),
        ("digits", "normal", plots.COLOURS[1], "--"),
    ):
        axis.hist(bits[kind], bins=edges, histtype="step", color=colour, linestyle=style, linewidth=1.5, label=what)
    axis.set(xlabel="bits a pixel", title=f"{name}, trained on clothes: area {area:.3f}")
axes[0].set_ylabel("images")
axes[0].legend(frameon=False, fontsize=8)
plots.show(
    figure,
    alt="Histograms of bits a pixel for a VAE and a flow trained on clothes: digits lie mostly left of clothes, at fewer bits; for the VAE the two overlap widely.",
)

# %% [markdown]
# > **Myth** "What a model finds likely is what looks like its training data."
#
# Both models of clothes find digits *more* likely than clothes: areas of 0.19 and 0.01, far worse than a coin. Nalisnick and others (2019)
# found it with a flow on this pair of sets, and with flows, VAEs and PixelCNNs on photographs. A digit is mostly black, and black pixels
# are probably cheap for both models. A likelihood says how many bits an image costs, and a plain image costs few wherever it comes from. So
# the perfect curves of the first direction may owe more to clothes being *complicated* than to their being strange; look at the brightness
# again. Ask of any detector of outliers what it does the other way round.
#
# ### 7.4 Half an image
# The upper half is known. What could the lower be? Each family has its own way:
#
# - PixelCNN: the known pixels are its first 392; it goes on from there. Exact.
# - RBM: hold the known bits in a Gibbs chain and let the others go.
# - diffusion: in each step, put the known half back with as much noise as belongs there (RePaint, Lugmayr and others, 2022).
# - GAN, VAE, flow: search the code whose image agrees on the known half (Yeh and others, 2017), and take the rest with it.


# %%
def filled(images, known):
    """Float images (N, 1, 28, 28) of which `known` (28, 28) says what may be looked at; one completion by each of six models."""
    rng, n = device.seed(11), len(images)
    hidden_away = images.masked_fill(~known, float("nan"))
    codes = {name: torch.randn(n, models[name].latent_dim, generator=rng) for name in ("autoregressive", "ddpm")}
    answers = {
        "autoregressive": models["autoregressive"](codes["autoregressive"], given=hidden_away),
        "rbm": models["rbm"].fill(images, known, device.by_profile(smoke=20, laptop=500, gpu=500), rng),
        "ddpm": models["ddpm"].fill(
            images, known, codes["ddpm"], n_steps=device.by_profile(smoke=3, laptop=25, gpu=50), repeats=3, rng=rng
        ),
    }
    for name, steps in (("gan", SEARCH), ("vae", SEARCH), ("flow", SEARCH // 4)):
        found = baselines.find_codes(models[name], hidden_away, known, steps=steps, starts=1 if name == "flow" else 4)
        with torch.no_grad():
            answers[name] = torch.where(known, images, models[name](found))
    return answers


count = device.by_profile(smoke=4, laptop=50, gpu=100)
whole, their_labels = data.to_float(test_digits.images[100 : 100 + count]), test_digits.labels[100 : 100 + count]
halves = {"upper half known": torch.arange(28)[:, None].expand(28, 28) < 14}
halves["lower half known"] = ~halves["upper half known"]
completions = {which: filled(whole, known) for which, known in halves.items()}
for which, known in halves.items():
    shown = {"original": whole[:10], "known": whole[:10].masked_fill(~known, 0.0)}
    shown |= {name: images[:10] for name, images in completions[which].items()}
    plots.show(
        plots.strips(shown),
        alt=f"{which}: ten digits, their known halves, and what six models make of them.",
    )

# %%
print(f"read as the right digit by the classifier, of {count}:")
print(f"{'':<18}" + "".join(f"{name:>16}" for name in completions["upper half known"]))
for which, answers in completions.items():
    right = [(extractor.classify(data.to_uint8(images)) == their_labels).float().mean() for images in answers.values()]
    print(f"{which:<18}" + "".join(f"{share:16.0%}" for share in right))

# %% [markdown]
# The second picture turns one model's order into its weakness. The PixelCNN draws from top to bottom and each pixel looks at those before
# it; what is known *below* comes too late, and the upper half is drawn as if nothing were known. The others do not care where the hole is.
#
# In the table GAN, VAE and RBM get nearly four of five right, diffusion six of ten, the flow about half; the PixelCNN half of them with the
# upper half known, and 38% with the lower. (Of 50 images: a difference of less than 20 points says little. So it is the picture, and not
# the 38%, that shows the PixelCNN's weakness.) It is no fair comparison either. The flow, which draws more slowly, got a search of 50 steps
# from one start, where GAN and VAE got 200 from four. A search looks for the one best answer, where the others draw one of many. And
# "right" is not the only right: the upper half of a 7 may be a 9.
#
# ## 8 Break it
# ### 8.1 A draw without a gradient
# `torch.normal(mean, std)` draws z as well. Autograd gives it a gradient of zero: no error, no None. So the reconstruction no longer
# reaches the encoder, which now knows one term only, the KL. Nothing crashes.

# %%
SHORT = device.by_profile(smoke=3, laptop=400, gpu=2000)


class CutVAE(baselines.ImageVAE):
    """Draws its codes without the reparameterisation."""

    def bound(self, images, rng=None):
        mean, log_variance = self.encode(images)
        z = torch.normal(mean, (log_variance / 2).exp())
        likelihood = self.likelihood(images, self.location(z), self.log_scale)
        return baselines.vae.Bound(likelihood, baselines.vae.kl_to_prior(mean, log_variance))


whole_and_cut = {}
for name, kind in (("reparameterised", baselines.ImageVAE), ("cut", CutVAE)):
    recipe = dataclasses.replace(
        methods.RECIPES["vae"], name=name, generator=lambda shape, kind=kind: kind(width=16, hidden=64)
    )
    run = training.train(training.Run(recipe, digits, seed=0, device="cpu"), steps=SHORT, log_every=min(SHORT, 50))
    whole_and_cut[name] = training.sample(run.sampler, 10, seed=0)
    with torch.no_grad():
        bound = run.sampler.eval().bound(data.to_float(judged))
    first, last = run.history[0], run.history[-1]
    print(
        f"{name:<16} loss {first['g_loss']:.2f} bits at step {first['step']}, {last['g_loss']:.2f} at {last['step']}; "
        f"KL {bound.kl.mean().abs():7.3f} nats, reconstruction {bound.reconstruction.mean():.0f} nats"
    )
plots.show(
    plots.strips(whole_and_cut),
    alt="Ten samples each of a VAE after 400 steps, which are different strokes, and of the cut one: ten times nearly the same blur.",
)

# %% [markdown]
# The loss falls, and yet: the cut encoder does the only thing that it is paid for, it says N(0, I) of every image. Its KL is 0, its code is
# noise, and the decoder can only learn one image for all. So look at *both* terms, not at the sum alone. (A KL of 0 also comes about
# without a bug, when a decoder is so strong that it needs no code: posterior collapse.)
#
# ### 8.2 A likelihood that is too good
# One letter: the first layer of the PixelCNN gets mask B.


# %%
def with_first_mask(kind):
    """A PixelCNN whose first layer has this mask."""
    model = baselines.PixelCNN(width=12, blocks=2)
    model.first = baselines.autoregressive.MaskedConv2d(kind, 1, 24, 7)
    return model


peeking = {}
for kind in "AB":
    recipe = dataclasses.replace(
        methods.RECIPES["autoregressive"], name=kind, generator=lambda shape, kind=kind: with_first_mask(kind)
    )
    run = training.train(training.Run(recipe, digits, seed=0, device="cpu"), steps=3 * SHORT // 4)
    peeking[f"mask {kind}"] = training.sample(run.sampler, 10, seed=0)
    nats = in_batches(run.sampler.log_likelihood, judged[:100]).mean()
    print(
        f"mask {kind}: {baselines.bits_per_dimension(nats, (1, 28, 28)):.3f} bits a pixel of 16 levels, on test images"
    )
plots.show(
    plots.strips(peeking),
    alt="Two rows of ten samples: with mask A clumsy strokes, with mask B nothing that is like a digit.",
)

# %% [markdown]
# After 300 short steps, mask B has less than half the bits of the shipped PixelCNN after 8,000 (0.44, section 5.3), and its samples are
# nothing. In training, the first layer sees the very pixel that is to be predicted, so the task is to copy. When it draws, the pixel is not
# there yet. The cure is the test of section 3.3: ask the gradient. **A result that is too good is a bug until it is proved to be none.**
#
# ### 8.3 A flow without its determinant
# Leave the log-determinant out, and the loss wants nothing but codes near 0. On points this takes some seconds to see.


# %%
def density_of_code_alone(model, points, rng=None):
    """The mistake: -log N(f(x); 0, I), as if nothing were stretched."""
    return (0.5 * model.to_code(points)[0].square()).sum(1).mean()


scattered = {}
for name, loss in (("whole", methods.RECIPES["flow"].loss), ("no determinant", density_of_code_alone)):
    recipe = dataclasses.replace(methods.RECIPES["flow"], name=name, loss=loss, batch_size=256)
    run = training.train(training.Run(recipe, toy.PointSet(toy.moons), seed=0, device="cpu"), steps=SHORT)
    with torch.no_grad():
        codes = run.sampler.encode(toy.moons(500, generator=device.seed(1)))
    print(f"{name:<15} the codes of real points have a standard deviation of {codes.std(0).mean():.4f}; N(0, I) has 1")
    scattered[name] = training.sample(run.sampler, 1000, seed=0)
figure, axes = plots_2d.panels(2, width=3.0, height=2.6)
for axis, (name, cloud) in zip(axes, scattered.items(), strict=True):
    axis.scatter(*cloud.T, s=3, color=plots.COLOURS[0], alpha=0.5, linewidths=0)
    axis.set(title=f"{name}\nup to {cloud.abs().max():.3g} from 0")
plots.show(
    figure,
    alt="Samples of two flows: with the determinant two half moons, without it two streaks that reach beyond 200,000.",
)

# %% [markdown]
# All real points go to one spot, where the density of codes is highest. The way back then blows up whatever is not there: look at the
# ranges. The determinant is the fee for squeezing space. The VAE pays the same fee as the $-\tfrac12 \log \sigma^2$ in its KL, and the RBM
# as $\log Z$: every density has to answer for the places where it is *not*. In a GAN that is D's work.
#
# ## 9 Exercises
# **Exercise 2** · easy · 5 minutes
#
# The draw with a gradient, for an encoder that says the logarithm of the variance. The noise is handed to you.


# %% exercise="reparameterise"
def reparameterise(mean, log_variance, noise):
    """mean, log_variance, noise (N, d), noise from N(0, I) -> codes z (N, d) from N(mean, variance)."""
    ### BEGIN SOLUTION
    return mean + (0.5 * log_variance).exp() * noise
    ### END SOLUTION


# %%
checks.lesson11.reparameterise(reparameterise)

# %% [markdown]
# <details><summary>Hint 1</summary>
#
# The encoder says the logarithm of the variance, so that any number is allowed. The noise has to be multiplied by a standard deviation.
#
# </details>
#
# <details><summary>Hint 2</summary>
#
# $\sqrt{e^{l}} = e^{l / 2}$
#
# </details>
#
# <!-- solution: reparameterise -->

# %% [markdown]
# **Exercise 3** · medium · 8 minutes
#
# The bound of each image, from what the decoder found and what the encoder said.


# %% exercise="elbo"
def elbo(reconstruction, mean, log_variance):
    """reconstruction = log p(x|z) (N,) in nats; mean, log_variance of q(z|x) (N, d) -> the bound (N,)."""
    ### BEGIN SOLUTION
    kl = 0.5 * (mean**2 + log_variance.exp() - log_variance - 1).sum(1)  # (N,)
    return reconstruction - kl
    ### END SOLUTION


# %%
checks.lesson11.elbo(elbo)

# %% [markdown]
# <details><summary>Hint 1</summary>
#
# The numbers of a code are independent under q and under the prior, so their KLs add up. The images do not.
#
# </details>
#
# <details><summary>Hint 2</summary>
#
# The KL of N(0, I) from itself must be 0, and every other one larger. For one number: $\tfrac12 (\mu^2 + \sigma^2 - \log \sigma^2 - 1)$.
#
# </details>
#
# <!-- solution: elbo -->

# %% [markdown]
# **Exercise 4** · medium · 10 minutes
#
# One Gibbs step. `rng` is a `torch.Generator`; draw by it, so that a seed gives the same bits again. The check compares how often each state
# occurs with the probabilities of a machine that can be summed.


# %% exercise="gibbs_step"
def gibbs_step(v, weight, visible_bias, hidden_bias, rng):
    """v (N, visible) bits, weight (visible, hidden), biases -> new v (N, visible), bits as floats."""
    ### BEGIN SOLUTION
    h = torch.sigmoid(v @ weight + hidden_bias)  # (N, hidden), probabilities
    h = (torch.rand(h.shape, generator=rng) < h).float()
    v = torch.sigmoid(h @ weight.T + visible_bias)
    return (torch.rand(v.shape, generator=rng) < v).float()
    ### END SOLUTION


# %%
checks.lesson11.gibbs_step(gibbs_step)

# %% [markdown]
# <details><summary>Hint 1</summary>
#
# Two half steps of the same form: probabilities of one side given the other, then bits. Both sides are drawn.
#
# </details>
#
# <details><summary>Hint 2</summary>
#
# A uniform number is less than p with probability p. `torch.bernoulli(p, generator=rng)` does it too.
#
# </details>
#
# <!-- solution: gibbs_step -->

# %% [markdown]
# **Exercise 5** · medium · 10 minutes
#
# A coupling's way back, and its log-determinant in this direction. The first half of the channels stayed. `network` takes a half and
# returns two tensors of its shape, used as they are: nothing is chunked or bounded.


# %% exercise="coupling_inverse"
def coupling_inverse(y, network):
    """y (N, C, H, W), C even; network(half) -> (log_scale, shift) -> x (N, C, H, W), log |det dx/dy| (N,)."""
    ### BEGIN SOLUTION
    kept, changed = y.chunk(2, 1)  # (N, C/2, H, W) each
    log_scale, shift = network(kept)
    x = torch.cat([kept, (changed - shift) * (-log_scale).exp()], 1)
    return x, -log_scale.flatten(1).sum(1)
    ### END SOLUTION


# %%
checks.lesson11.coupling_inverse(coupling_inverse)

# %% [markdown]
# <details><summary>Hint 1</summary>
#
# On the way there, the second half was multiplied and then shifted. What is undone first? And which half do both directions know?
#
# </details>
#
# <details><summary>Hint 2</summary>
#
# There and back together stretch nothing, so the two determinants multiply to 1. What does that say of their logarithms?
#
# </details>
#
# <!-- solution: coupling_inverse -->

# %% [markdown]
# **Exercise 6** · medium · 10 minutes
#
# One step of DDIM, from $x_t$ to an earlier $x_s$. Each image of the batch has its own t and s.


# %% exercise="ddim_step"
def ddim_step(network, x_t, t, s, alpha_bar):
    """x_t (N, C, H, W); t, s int64 (N,), s < t; alpha_bar (T + 1,); network(x_t, t) -> noise -> x_s (N, C, H, W)."""
    ### BEGIN SOLUTION
    now, then = alpha_bar[t][:, None, None, None], alpha_bar[s][:, None, None, None]  # (N, 1, 1, 1)
    noise = network(x_t, t)
    image = (x_t - (1 - now).sqrt() * noise) / now.sqrt()
    return then.sqrt() * image + (1 - then).sqrt() * noise
    ### END SOLUTION


# %%
checks.lesson11.ddim_step(ddim_step)

# %% [markdown]
# <details><summary>Hint 1</summary>
#
# Two formulas of section 3.5 in a row: the guess of the image, with what belongs to t; then $x_s$ from it, with what belongs to s. The
# network is asked once.
#
# </details>
#
# <details><summary>Hint 2</summary>
#
# `alpha_bar[t]` has the shape (N,). Times an image of shape (N, C, H, W) it meets the *last* dimension, and if W is N, without a
# word.
#
# </details>
#
# <!-- solution: ddim_step -->

# %% [markdown]
# ## 10 Summary
# - **VAE**: an encoder guesses the code, and the two share a bound. Draws in one pass, and badly where N(0, I) is not where its codes are.
# - **RBM**: an energy; exact conditionals, an unknown Z, samples from a chain.
# - **Autoregressive**: a product of conditionals. Exact, and one step a pixel; it cannot look ahead.
# - **Flow**: an invertible map and its determinant. Exact both ways, and a code as long as the image.
# - **Diffusion**: find the noise at every strength, then walk back. A simple loss; many passes to draw.
# - **GAN**: no density; one pass; a way back only by search.
# - A table is about its budget. Likelihood, the look of samples, speed and the use of codes are four questions, and no family wins them all.
# - A likelihood counts bits. It is no measure of how good samples look, nor of how much an image is like the training data.
#
# **Answer without looking**
# 1. By exactly what does the ELBO miss $\log p(x)$?
# 2. Your VAE's loss falls, and its KL is 0.001 nats. Name two causes.
# 3. Why can all hidden bits of an RBM be drawn at once? What would one weight between two of them change?
# 4. Your PixelCNN reaches 0.05 bits a pixel on test images. What do you test?
# 5. Why does a coupling layer show its network only half of the channels?
# 6. A flow rebuilds a shoe exactly, and was trained on digits. What does that say about its samples?
# 7. In diffusion, what does a single step from pure noise draw, and why?
# 8. A detector of outliers has an area of 0.99 on digits against clothes. Which two experiments do you ask for?
# 9. Model A has 0.01 bits a pixel more than model B. Can A's samples be far worse? And far better?
#
# **Next** Lesson 12, what all of this is used for, is not written yet. Until then, train one of these models on a folder of your own
# images: `python -m gan_course train vae --data FOLDER --out runs/mine`.
#
# **References**
# - D. P. Kingma, M. Welling: [Auto-Encoding Variational Bayes](https://arxiv.org/abs/1312.6114), ICLR 2014. D. P. Kingma and others:
#   [Improved Variational Inference with Inverse Autoregressive Flow](https://arxiv.org/abs/1606.04934), NIPS 2016.
# - G. E. Hinton: [Training Products of Experts by Minimizing Contrastive Divergence](https://doi.org/10.1162/089976602760128018), Neural
#   Computation, 2002; and *A Practical Guide to Training Restricted Boltzmann Machines*, technical report, Toronto, 2010.
# - A. van den Oord, N. Kalchbrenner, K. Kavukcuoglu: [Pixel Recurrent Neural Networks](https://arxiv.org/abs/1601.06759), ICML 2016. A. van
#   den Oord and others: [Conditional Image Generation with PixelCNN Decoders](https://arxiv.org/abs/1606.05328), NIPS 2016. T. Salimans, A.
#   Karpathy, X. Chen, D. P. Kingma: [PixelCNN++](https://arxiv.org/abs/1701.05517), ICLR 2017.
# - L. Dinh, J. Sohl-Dickstein, S. Bengio: [Density Estimation Using Real NVP](https://arxiv.org/abs/1605.08803), ICLR 2017. D. P. Kingma,
#   P. Dhariwal: [Glow](https://arxiv.org/abs/1807.03039), NeurIPS 2018. W. Grathwohl and others:
#   [FFJORD](https://arxiv.org/abs/1810.01367), ICLR 2019.
# - J. Ho, A. Jain, P. Abbeel: [Denoising Diffusion Probabilistic Models](https://arxiv.org/abs/2006.11239), NeurIPS 2020. J. Song, C. Meng,
#   S. Ermon: [Denoising Diffusion Implicit Models](https://arxiv.org/abs/2010.02502), ICLR 2021. T. Salimans, J. Ho: [Progressive
#   Distillation for Fast Sampling of Diffusion Models](https://arxiv.org/abs/2202.00512), ICLR 2022. Y. Song, J. Sohl-Dickstein, D. P.
#   Kingma, A. Kumar, S. Ermon, B. Poole: [Score-Based Generative Modeling through Stochastic Differential
#   Equations](https://arxiv.org/abs/2011.13456), ICLR 2021.
# - A. Vahdat, J. Kautz: [NVAE](https://arxiv.org/abs/2007.03898), NeurIPS 2020. R. Child: [Very Deep
#   VAEs](https://arxiv.org/abs/2011.10650), ICLR 2021. T. Karras and others: [Training Generative Adversarial Networks with Limited
#   Data](https://arxiv.org/abs/2006.06676), NeurIPS 2020 (ADA).
# - K. S. Lee, C. Town: [Mimicry](https://arxiv.org/abs/2005.02494), 2020.
# - P. Ghosh, M. S. M. Sajjadi, A. Vergari, M. Black, B. Schölkopf: [From Variational to Deterministic
#   Autoencoders](https://arxiv.org/abs/1903.12436), ICLR 2020. B. Dai, D. Wipf: [Diagnosing and Enhancing VAE
#   Models](https://arxiv.org/abs/1903.05789), ICLR 2019.
# - L. Theis, A. van den Oord, M. Bethge: [A Note on the Evaluation of Generative Models](https://arxiv.org/abs/1511.01844), ICLR 2016.
# - E. Nalisnick, A. Matsukawa, Y. W. Teh, D. Gorur, B. Lakshminarayanan: [Do Deep Generative Models Know What They Don't
#   Know?](https://arxiv.org/abs/1810.09136), ICLR 2019. T. Schlegl and others: [Unsupervised Anomaly Detection with Generative
#   Adversarial Networks to Guide Marker Discovery](https://arxiv.org/abs/1703.05921), IPMI 2017 (AnoGAN).
# - J.-Y. Zhu, P. Krähenbühl, E. Shechtman, A. A. Efros: [Generative Visual Manipulation on the Natural Image
#   Manifold](https://arxiv.org/abs/1609.03552), ECCV 2016. R. A. Yeh and others: [Semantic Image Inpainting with Deep Generative
#   Models](https://arxiv.org/abs/1607.07539), CVPR 2017. A. Lugmayr and others: [RePaint](https://arxiv.org/abs/2201.09865), CVPR 2022.
#
# **Further reading** J. M. Tomczak, *Deep Generative Modeling*, Springer, 2022: one chapter a family, with code. C. M. Bishop, H. Bishop:
# [Deep Learning](https://www.bishopbook.com), Springer, 2024, chapters 17 to 20.
