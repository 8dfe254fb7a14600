# %% [markdown]
# # Conditional GANs: telling a generator what to draw
#
# {{badges}}
#
# **Time** about 2 minutes of computing on a two-core laptop, two hours with the exercises; on a T4 not measured yet.
#
# **You need** lessons 01 (the best D, logits), 02 (the loop) and 03 (DCGAN). The recipe's penalty is from lesson 05, and here you need not know it.
#
# In this lesson you will
# - see what the discriminator of a conditional game has to know, and prove it on a density that you can write down,
# - build three ways to tell D a class: **concatenation**, **auxiliary classifier**, **projection**; and two for G,
# - carry labels through the one training loop,
# - measure whether the condition is obeyed, and what that costs in variety,
# - turn one digit into another with the handwriting held,
# - break it in three ways: a blind referee, a label that is only added, a softmax too many.
#
# **Contents** 1 Set up · 2 Predict · 3 What D has to know · 4 Build · 5 The classifier's terms · 6 Train · 7 Is it obeyed? ·
# 8 The class slider · 9 Break it · 10 Exercises · 11 Summary

# %% [markdown]
# ## 1 Set up

# %%
# {{setup}}

# %%
import copy
import dataclasses
import json
from pathlib import Path

import torch
import torch.nn.functional as F
from torch import nn

from gan_course import checks, data, device, losses, methods, metrics, networks, plots, training, widgets

device.announce(laptop="about 2 minutes on two CPU cores", gpu="not measured yet")

RESULTS = Path(methods.__file__).parent / "assets" / "results"


def stored(name):
    """A result that ships with the course."""
    return json.loads((RESULTS / f"{name}.json").read_text(encoding="utf-8"))


digits, test_digits = data.load("mnist"), data.load("mnist", "test")
x, y = digits.batch(16, device.seed(0))  # (16, 1, 28, 28) in [-1, 1], (16,) int64
plots.show(
    plots.grid(x, "labels: " + " ".join(map(str, y.tolist())), columns=16, height=0.6),
    alt="Sixteen handwritten digits in a row, their labels in the title.",
)

# %% [markdown]
# ## 2 Predict
# Up to now the labels lay beside the images, and nobody read them. Now G gets a digit together with its code z: "a seven, please".
# D stays what it was: it sees images, real ones and drawn ones, and **no labels**. Train them. What share of the images will show
# the digit that was asked for?
#
# **Exercise 1** · easy · 2 minutes · *a number from 0 to 1; section 9 measures it*

# %% exercise="blind_referee"
### BEGIN SOLUTION
guess = 0.1
### STUB
# guess = None  # a share, from 0 to 1
### END SOLUTION

# %%
checks.lesson06.blind_referee(guess)

# %% [markdown]
# <details><summary>Hint 1</summary>
#
# All that G learns, it learns from D's answer. What does D answer to a perfect 3 for which a 7 was asked?
#
# </details>
#
# <details><summary>Hint 2</summary>
#
# To this G the label, a row of ten numbers, is only more noise. There are ten digits.
#
# </details>
#
# <!-- solution: blind_referee -->

# %% [markdown]
# ## 3 What D has to know
# So D must be told. Its question is no longer "is this image real?" but "is this **pair** of image and label real?":
#
# $$\min_G \max_D \; \mathbb{E}_{(x, y) \sim p} \log D(x, y) + \mathbb{E}_{z,\, y} \log\big(1 - D(G(z, y), y)\big)$$
#
# Nothing else in the game changes. In lesson 01 the best D knew the ratio of two densities. Here it is the ratio for pairs. With the
# labels of the fakes drawn as often as those of the data, $q(y) = p(y)$, the logit of the best D is
#
# $$\log \frac{p(x, y)}{q(x, y)} = \log \frac{p(x \mid y)}{q(x \mid y)} = \underbrace{\log \frac{p(x)}{q(x)}}_{\text{a function of } x} + \underbrace{\log \frac{p(y \mid x)}{q(y \mid x)}}_{\text{of the pair}} .$$
#
# The first part is the old question. The second is new, and it is about x and y **together**: in general no sum of a function of x
# and a function of y can replace it. (If the frequencies differ, $\log p(y)/q(y)$ is added, a function of y alone.)
#
# A case where all of it can be written down: three classes on a line, $p(x \mid y) = N(m_y, 1)$ and $q(x \mid y) = N(n_y, 1)$. Then
#
# $$\log \frac{p(x \mid y)}{q(x \mid y)} = (m_y - n_y)\,x - \tfrac12 (m_y^2 - n_y^2),$$
#
# a straight line in x, with a slope of its own for each class. Two discriminators try to learn it. Both see the features $\phi(x) = (x, 1)$.

# %%
m, n = torch.tensor([-1.0, 0.0, 2.0]), torch.tensor([0.0, 1.0, 0.5])  # (3,) means of the real and of the drawn classes


class Added(nn.Module):
    """logit = f(x) + g(y): the label adds a number, whatever the image."""

    def __init__(self):
        super().__init__()
        self.f, self.g = nn.Linear(2, 1, bias=False), nn.Parameter(torch.zeros(3))

    def forward(self, phi, label):  # (N, 2), (N,)
        return self.f(phi).squeeze(1) + self.g[label]  # (N,)


class Projected(nn.Module):
    """logit = f(x) + <v_y, phi(x)>: the label brings a vector, and it meets the image in a product."""

    def __init__(self):
        super().__init__()
        self.f, self.v = nn.Linear(2, 1, bias=False), nn.Parameter(torch.zeros(3, 2))

    def forward(self, phi, label):  # (N, 2), (N,)
        return self.f(phi).squeeze(1) + (self.v[label] * phi).sum(1)  # (N,)


rng = device.seed(0)
label = torch.arange(3).repeat(2000)  # (6000,)
real = m[label] + torch.randn(6000, generator=rng)
fake = n[label] + torch.randn(6000, generator=rng)
line = torch.linspace(-2, 2, 9).repeat(3)  # where the two are judged
its_label = torch.arange(3).repeat_interleave(9)
truth = (m - n)[its_label] * line - (m**2 - n**2)[its_label] / 2


def features(x):
    """Points (N,) to phi (N, 2)."""
    return torch.stack([x, torch.ones_like(x)], 1)


for kind in (Added, Projected):
    judge = kind()
    optimizer = torch.optim.LBFGS(judge.parameters(), max_iter=200)

    def d_loss(judge=judge, optimizer=optimizer):
        """The cross-entropy of D, on all pairs at once."""
        optimizer.zero_grad()
        loss = losses.cross_entropy_discriminator(judge(features(real), label), judge(features(fake), label))
        loss.backward()
        return loss

    optimizer.step(d_loss)
    with torch.no_grad():
        error = (judge(features(line), its_label) - truth).abs()
    print(
        f"{kind.__name__:<10} D's loss {d_loss().item():.3f};  logit against the formula: off by {error.mean():.2f} on average"
    )

# %% [markdown]
# A D that knows nothing has the loss log 4 = 1.386; the sum hardly beats it. It has one slope for all classes, and here the true ones are -1, -1
# and 1.5. The product gets there, up to the noise of 6,000 samples. Keep these two; both come
# back as networks for images, and the second one is *the projection discriminator*.

# %% [markdown]
# ## 4 Build
# ### 4.1 A label as numbers
# A network computes with its input, and the names of classes are not numbers: 8 is not twice 4. So each class gets an axis of its own
# (**one-hot**). The course's networks also take **shares** of classes, which section 8 needs.


# %%
def one_hot(labels, classes=10):  # (N,) int64
    """Labels to (N, classes): a 1 in the column of the class."""
    rows = torch.zeros(len(labels), classes)
    rows[torch.arange(len(labels)), labels] = 1.0
    return rows


print(one_hot(torch.tensor([3, 0])))
assert torch.equal(one_hot(y), networks.class_shares(y, 10)) and torch.equal(one_hot(y), F.one_hot(y, 10).float())

# %% [markdown]
# ### 4.2 The generator
# Mirza and Osindero (2014) join the label to the code; in their network for MNIST after a hidden layer of each, here at the input. Then
# come the layers of lesson 03, unchanged.


# %%
class Generator(nn.Module):
    """The DCGAN generator of lesson 03 with ten more inputs."""

    def __init__(self, latent_dim=100, classes=10, width=16):
        super().__init__()
        self.classes, self.latent_dim = classes, latent_dim
        self.body = networks.DCGANGenerator(latent_dim + classes, 28, 1, width)

    def forward(self, z, labels):  # (N, 100), (N,)
        told = torch.cat([z, one_hot(labels, self.classes)], 1)  # (N, 110)
        return self.body(told)  # (N, 1, 28, 28)


def copy_weights(source, target):
    """One network's numbers into another of the same layers."""
    values = list(source.state_dict().values())
    target.load_state_dict(dict(zip(target.state_dict(), values, strict=True)))


torch.manual_seed(0)
theirs, mine = networks.ConditionalGenerator(100, 10, 28, 1, width=16), Generator()
copy_weights(theirs, mine)
z = torch.randn(16, 100)
assert torch.allclose(mine(z, y), theirs(z, y), atol=1e-6)
apart = (mine.eval()(z, y) - mine(z, (y + 1) % 10)).abs().mean()
elsewhere = (mine(z, y) - mine(torch.randn(16, 100), y)).abs().mean()
print(f"the same images; before any training other labels change them by {apart:.4f}, other codes by {elsewhere:.4f}")

# %% [markdown]
# ### 4.3 D by concatenation
# An image has no place for a row of ten numbers. But a label can be made an image: ten **planes**, one of them all ones, stacked on the
# image like colour channels. (Mirza and Osindero had fully connected networks, and joined at a hidden layer.)


# %%
class ConcatenationCritic(nn.Module):
    """Image and label planes into one DCGAN discriminator."""

    def __init__(self, classes=10, width=16):
        super().__init__()
        self.classes = classes
        self.body = networks.DCGANDiscriminator(28, 1 + classes, width, batch_norm=False, hidden=32)

    def forward(self, images, labels):  # (N, 1, 28, 28), (N,)
        planes = one_hot(labels, self.classes)[:, :, None, None].expand(-1, -1, 28, 28)  # (N, 10, 28, 28)
        return self.body(torch.cat([images, planes], 1))  # (N, 11, 28, 28) -> (N,)


theirs = networks.ConcatenationDiscriminator(10, 28, 1, width=16, batch_norm=False, hidden=32)
concatenation = ConcatenationCritic()
copy_weights(theirs, concatenation)
assert torch.allclose(concatenation(x, y), theirs(x, y), atol=1e-6)

# %% [markdown]
# ### 4.4 D by projection
# Miyato and Koyama (2018) began with the formula of section 3. Let $p(y \mid x)$ and $q(y \mid x)$ be softmax classifiers on the same
# features $\phi(x)$ of the image: $\log p(y \mid x) = \langle v^p_y, \phi \rangle - \log Z_p(\phi)$, and q likewise. Then the second part of the
# formula is $\langle v^p_y - v^q_y, \phi \rangle$ and a function of $\phi$ alone, which joins the first part. So
#
# $$\text{logit}(x, y) = f(\phi(x)) + \langle v_y, \phi(x) \rangle$$
#
# with one learned vector $v_y$ a class. The label never goes through a convolution; it costs one inner product.


# %%
class ProjectionCritic(nn.Module):
    """f(x) + <v_y, phi(x)>."""

    def __init__(self, classes=10, width=16):
        super().__init__()
        layers = networks.DCGANDiscriminator(28, 1, width, batch_norm=False, hidden=32).layers
        self.embedding = nn.Parameter(torch.empty(classes, 32).normal_(0.0, 0.02))  # (10, 32)
        self.trunk, self.head = layers[:-1], layers[-1]

    def forward(self, images, labels):  # (N, 1, 28, 28), (N,)
        phi = self.trunk(images)  # (N, 32)
        return self.head(phi).squeeze(1) + (self.embedding[labels] * phi).sum(1)  # (N,)


theirs = networks.ProjectionDiscriminator(10, 28, 1, width=16, batch_norm=False, hidden=32)
projection = ProjectionCritic()
copy_weights(theirs, projection)
assert torch.allclose(projection(x, y), theirs(x, y), atol=1e-6)

# %% [markdown]
# ### 4.5 D with an auxiliary classifier
# Odena, Olah and Shlens (2017) turn the question round. D is not told the label: it has to **name** it. Two heads on one trunk, and so
# the network returns a named tuple.


# %%
class AuxiliaryCritic(nn.Module):
    """Real or drawn? And which digit?"""

    def __init__(self, classes=10, width=16):
        super().__init__()
        layers = networks.DCGANDiscriminator(28, 1, width, batch_norm=False, hidden=32).layers
        self.trunk, self.head, self.class_head = layers[:-1], layers[-1], nn.Linear(32, classes)

    def forward(self, images):  # (N, 1, 28, 28): no labels
        phi = self.trunk(images)  # (N, 32)
        return networks.AuxiliaryLogits(self.head(phi).squeeze(1), self.class_head(phi))  # (N,), (N, 10)


theirs = networks.AuxiliaryDiscriminator(10, 28, 1, width=16, batch_norm=False, hidden=32)
auxiliary = AuxiliaryCritic()
copy_weights(theirs, auxiliary)
for a, b in zip(auxiliary(x), theirs(x), strict=True):
    assert torch.allclose(a, b, atol=1e-6)
print({name: tuple(part.shape) for name, part in auxiliary(x)._asdict().items()})

# %% [markdown]
# ### 4.6 Does the pair count?
# Section 3 asked for a judgement of the pair. Take two images a, b and two labels. If a logit is a sum f(x) + g(y), then
# $l(a, 0) - l(a, 1) - l(b, 0) + l(b, 1) = 0$, exactly: the label shifts all images alike.


# %%
def mixed_difference(judge):
    """How much the effect of the label depends on the image. The network's weights are lost."""
    torch.manual_seed(0)
    for parameter in judge.parameters():
        nn.init.normal_(parameter, std=0.2)  # at the start all logits are about 0; make them large enough to see
    a, b, zero, one = x[:1], x[1:2], torch.tensor([0]), torch.tensor([1])
    with torch.no_grad():
        return (judge(a, zero) - judge(a, one) - judge(b, zero) + judge(b, one)).item()


class AddedCritic(ProjectionCritic):
    """The mistake: f(x) + g(y)."""

    def forward(self, images, labels):
        return self.head(self.trunk(images)).squeeze(1) + self.embedding[labels].sum(1)


for judge in (concatenation, projection, AddedCritic()):
    print(f"{type(judge).__name__:<20} mixed difference {mixed_difference(copy.deepcopy(judge)):+.4f}")
assert abs(mixed_difference(AddedCritic())) < 1e-4 < abs(mixed_difference(copy.deepcopy(projection)))

# %% [markdown]
# Concatenation passes because layers with a non-linearity come **after** the label. Join it to the last features instead, just before the
# final linear layer, and you have built `AddedCritic`. Section 9 trains it.
#
# ### 4.7 BatchNorm by class
# The second way to tell G. A BatchNorm ends with a scale and a shift for each channel. Give every class its own:
#
# $$x'_{c} = \gamma_{y, c} \, \frac{x_c - \mu_c}{\sqrt{\sigma_c^2 + \epsilon}} + \beta_{y, c}$$
#
# The mean and variance are those of the whole batch, all classes together. Were each class normalised by itself, what is typical of it (a 1 has
# little ink) would be taken away before scale and shift could use it, and of some classes a batch has only a few samples. The label is now told
# again at every BatchNorm.


# %%
def batch_norm_by_class(x, labels, scale, shift):
    """x (N, C, H, W), tables (K, C) -> (N, C, H, W)."""
    mean = x.mean((0, 2, 3), keepdim=True)  # (1, C, 1, 1)
    variance = x.var((0, 2, 3), correction=0, keepdim=True)
    normal = (x - mean) / (variance + 1e-5).sqrt()
    return normal * scale[labels][:, :, None, None] + shift[labels][:, :, None, None]  # (N, C, 1, 1) each


theirs = networks.ConditionalBatchNorm2d(4, 10)
nn.init.normal_(theirs.shift)
hidden = torch.randn(16, 4, 7, 7)
same = batch_norm_by_class(hidden, y, theirs.scale, theirs.shift)
assert torch.allclose(same, theirs(hidden, one_hot(y)), atol=1e-5)
by_class = networks.ConditionalGenerator(100, 10, 28, 1, 16, batch_norm_by_class=True)
print("where G is told:", [type(layer).__name__ for layer in by_class.layers if "Norm" in type(layer).__name__])

# %% [markdown]
# ## 5 The classifier's terms
# In the paper's words D maximises $L_S + L_C$ and G maximises $L_C - L_S$: they fight about the source, real or drawn, and **work
# together** on the class. $L_C$ is the log-likelihood of the right class, on real images and on fakes. As things to minimise, those are
# cross-entropies.

# %%
real_class_logits, fake_class_logits = torch.randn(2, 16, 10, generator=rng)  # (16, 10) each


def log_likelihood(class_logits, labels):
    """E log P(class = y): by hand, from logits."""
    log_probabilities = class_logits - class_logits.logsumexp(1, keepdim=True)  # (N, 10)
    return log_probabilities[torch.arange(len(labels)), labels].mean()


d_term = -(log_likelihood(real_class_logits, y) + log_likelihood(fake_class_logits, y))
g_term = -log_likelihood(fake_class_logits, y)
assert torch.allclose(d_term, losses.auxiliary_discriminator(real_class_logits, fake_class_logits, y))
assert torch.allclose(g_term, losses.auxiliary_generator(fake_class_logits, y))
print(
    f"D's class term {d_term:.3f}, G's {g_term:.3f}, of random logits: worse than a blind guess among ten, log 10 = {torch.tensor(10.0).log():.3f} a term"
)

# %% [markdown]
# Beside these terms the game is the old one: D minimises its loss of lesson 02 plus its class term, and so does G; both terms weigh 1 (the
# recipe's `class_weight`). Only the head for real or drawn plays against G.
#
# **What it promises and what not.** Projection and concatenation ask for $p(x \mid y)$, in full. The auxiliary classifier asks for images
# that are *recognised*. A sloppy 4 that might be a 9 is real, and yet costs G. So G may leave out what lies near the border between
# classes: Gong and others (2019) trace ACGAN's low variety to this term, which wants classes that can be told apart without error, even
# where the real ones overlap. Section 7 measures it.

# %% [markdown]
# ## 6 Train
# How do the labels travel? Real images come with theirs. The fakes are asked for **the same labels**: so both have every class equally
# often, and D cannot tell real from drawn by the label alone. Three steps by hand, for a D that is told the label; then the package's.
# (ACGAN's D gets the images alone, and its loss the labels.)


# %%
def conditional_steps_by_hand(run, steps):
    """The non-saturating game on pairs."""
    for _ in range(steps):
        real, labels = run.data.batch(run.recipe.batch_size, run.rng)  # (N, 1, 28, 28), (N,)
        fake = run.generator(run.noise(), labels)  # (N, 1, 28, 28): these classes were asked for

        run.discriminator.requires_grad_(True)
        real_logits, fake_logits = (
            run.discriminator(real, labels),
            run.discriminator(fake.detach(), labels),
        )  # (N,), (N,)
        d_loss = F.softplus(-real_logits).mean() + F.softplus(fake_logits).mean()
        run.d_optimizer.zero_grad()
        d_loss.backward()
        run.d_optimizer.step()

        run.discriminator.requires_grad_(False)
        g_loss = F.softplus(-run.discriminator(fake, labels)).mean()
        run.g_optimizer.zero_grad()
        g_loss.backward()
        run.g_optimizer.step()
    return run


# the bare game: no penalty, falling rate or average in the way
plain = dataclasses.replace(
    methods.RECIPES["projection"], penalty=None, learning_rate_decay=False, ema_decay=None, batch_size=16
)
by_hand = conditional_steps_by_hand(training.Run(plain, digits, seed=0, device="cpu"), steps=3)
by_package = training.train(training.Run(plain, digits, seed=0, device="cpu"), steps=3)
for player in ("generator", "discriminator"):
    pairs = zip(getattr(by_hand, player).parameters(), getattr(by_package, player).parameters(), strict=True)
    assert all(torch.allclose(a, b, atol=1e-5) for a, b in pairs)
print("three steps by hand and three of training.train end at the same weights")

# %% [markdown]
# Three recipes, alike in all but the way D is told: `cgan`, `acgan`, `projection`. They are `dcgan-fast` of lesson 03 and a condition, and
# so a little wider than what you have built. Each gets as many steps.

# %%
STEPS = device.by_profile(smoke=5, laptop=1_000, gpu=5_000)
log_every = device.by_profile(smoke=2, laptop=20, gpu=50)
film_of = torch.tensor([0, 2, 3, 5, 7, 9])
runs, snapshots = {}, training.Snapshots(n=6, frames=10, labels=film_of)
for name in ("cgan", "acgan", "projection"):
    watch = [snapshots] if name == "projection" else []
    runs[name] = training.train(
        training.Run(methods.RECIPES[name], digits, seed=0),
        steps=STEPS,
        callbacks=[training.ProgressBar(f"{name:<10}"), *watch],
        log_every=log_every,
    )

# %%
plots.show(
    plots.film_strip(snapshots, rows=[f"asked: {label}" for label in film_of.tolist()]),
    alt="Six rows, one code and one class a row, at ten moments of the training with projection: from grey to strokes to digits.",
)

# %% [markdown]
# Sixty digits of each method, asked for in order: columns 0 to 9, from the left. Look for columns with strangers in them.

# %%
in_order = torch.arange(10).repeat(6)  # (60,): six rows of 0 to 9
plots.show(
    plots.comparison(
        {name: training.sample(run.sampler, 60, labels=in_order) for name, run in runs.items()}, columns=10, height=3.4
    ),
    alt="Three grids, one a method: every column was asked for one digit, from 0 on the left to 9 on the right.",
)

# %% [markdown]
# Now count them.
#
# ## 7 Is it obeyed?
# A classifier that ships with the course, and that no GAN has seen, reads the drawn digits. The share that it takes for the digit asked
# for is the **accuracy**. On real test digits the classifier errs, too. A generator can score above
# them: it need only draw what is easy to recognise.

# %%
reader = metrics.extractor_for("mnist", digits.image_shape)
count = device.by_profile(smoke=300, laptop=2_000, gpu=10_000)
asked = test_digits.labels[:count]
on_real = (reader.classify(test_digits.images[:count]) == asked).float().mean()
print(f"{'real test digits':<18} {on_real:7.2%}")
drawn = {name: data.to_uint8(training.sample(run.sampler, count, seed=1, labels=asked)) for name, run in runs.items()}
for name, images in drawn.items():
    right = (reader.classify(images) == asked).float()
    worst = min(range(10), key=lambda digit: right[asked == digit].mean())
    print(f"{name:<18} {right.mean():7.2%}   the worst digit: {worst}, {right[asked == worst].mean():.1%}")

# %% [markdown]
# Accuracy is half of the answer. A generator that knows **one** flawless image a digit scores 100%. So ask for variety *inside* the
# classes.
#
# | | what it is | better |
# |---|---|---|
# | intra-class recall | share of the real digits of a class that have a drawn one of that class near them; mean over the classes | higher |
# | intra-class distance | mean distance between two drawn digits of a class, over that of two real ones | near 1 |
#
# "Near" means nearer to a drawn one than that one's fifth neighbour among the drawn ones of the class. Both are computed on the classifier's
# features. Recall over all classes together would not do: it also counts a 3 near a 3 that was asked for as an 8.
#
# Both count what was *asked for*, so a stranger in a class is far from all others and adds to the distance. The last line below puts
# strangers among real digits on purpose.

# %%
real_features = reader(test_digits.images[:count])
for name, images in drawn.items():
    inside = metrics.intra_class(real_features, asked, reader(images), asked)
    ratio = inside.distance / inside.real_distance
    print(f"{name:<18} intra-class recall {inside.recall:.2f}, distance {ratio:.2f} of the real one")
others = digits.subset(slice(0, count))
mislabelled = others.labels.clone()
mislabelled[::33] = (mislabelled[::33] + 1) % 10  # 3% of them
for name, labels in {"real digits": others.labels, "3% strangers": mislabelled}.items():
    inside = metrics.intra_class(real_features, asked, reader(others.images), labels)
    ratio = inside.distance / inside.real_distance
    print(f"{name:<18} intra-class recall {inside.recall:.2f}, distance {ratio:.2f} of the real one")

# %% [markdown]
# One seed and one machine. The table over three seeds, on digits, clothes and emoji by category, from
# `benchmarks/conditional_table.py`. `projection-cbn` tells G by BatchNorm; `dcgan-fast` is told nothing; `real` are images of the training
# split in the place of the fakes: what a perfect generator would score. (Its accuracy alone is that on the test split, since the classifier was
# trained on the other.) Above every recipe had as many steps; here each has as much time, and concatenation's steps take longer.

# %%
table = stored("conditional_table")
columns = {"accuracy": 3, "intra_recall": 2, "intra_distance": 2, "frechet_distance": 1, "recall": 2, "steps": 0}
print(
    f"{table['seconds']:g} s of one core each; FD and recall on the features of the set's own classifier; mean ± std over the seeds"
)
for set_name in dict.fromkeys(row["data"] for row in table["table"]):
    print(f"\n{set_name:<16}" + "".join(f"{name:>18}" for name in columns))
    for row in (row for row in table["table"] if row["data"] == set_name):
        cells = [
            f"{row[name]['mean']:.{digits_after}f} ± {row[name]['std']:.{digits_after}f}" if name in row else "-"
            for name, digits_after in columns.items()
        ]
        print(f"{row['name']:<16}" + "".join(f"{cell:>18}" for cell in cells))

# %% [markdown]
# Read it question by question.
#
# **Does it help to be told?** Much. On digits `dcgan-fast` gets to an FD of 21.5 in its minute, and projection, with the same layers, to
# 2.9; on clothes it is 28.6 against 13.7. Not because digits were forgotten without it: `dcgan-fast` has the highest recall of all, 0.89. A
# likely reason is that the label turns one hard question into ten easier ones, and the drawings come out cleaner.
#
# **Who is obeyed?** The auxiliary classifier, as its loss asks: on digits together with projection (97.6% and 97.5%), on clothes far ahead
# (92.7% and 88.2%). There it even passes *real* clothes (91.4%). That is no success. Real shirts are sometimes taken for coats. What it
# draws is easier to tell apart than clothes are.
#
# **Who pays?** So look at the variety. On clothes, whose classes overlap, ACGAN's intra-class recall is 0.58 where projection has 0.74, and its
# clothes of one class are more alike (0.78 of the real distance, against 0.86). Concatenation has a recall of 0.58, too, but with the lowest
# accuracy and the highest FD of the three: it is only less far. What is special about ACGAN is both at once, the best accuracy, above that of
# real clothes, and the least variety. That fits what section 5 said of the term; it does not prove it. On digits, which hardly overlap, the
# difference is small (0.82 and 0.86).
#
# **Concatenation** is behind on digits and clothes. Its first layer reads ten more channels, so the minute has fewer steps, too.
#
# **BatchNorm by class** in place of the label at G's input is worse on digits and clothes, and better on emoji. That is no rule, and these
# generators have two or three BatchNorms to tell something to; the paper's has many more.
#
# **Emoji** are what was asked for in 40% to 54%, where real ones reach 71%: the ten categories are about meaning more than about looks.
# ("Component", of which the training split has five, is never asked for.) Three seeds of one recipe differ by up to 32 in FD here, so in FD
# the order of the recipes says little; in accuracy BatchNorm by class leads by more than the seeds differ.
#
# ## 8 The class slider
# The shipped generator was trained longer, by `tools/train_checkpoints.py` and the recipe that you have just run.

# %%
generator, card = training.load_network("projection-mnist", "cpu")
print(
    f"{card['steps']:,} steps, {card['seconds']:.0f} s on {card['hardware']}; accuracy {card['metrics']['accuracy']:.2%}"
)
explorer = widgets.ClassExplorer(generator, generator.latent_dim, digits.classes)
explorer

# %% [markdown]
# *class A* changes the digit and holds the code. *A to B* mixes two classes: the label becomes shares, 60% seven and 40% one. **New style**
# takes another code.

# %%
explorer.start.value, explorer.end.value = "7", "1"
plots.show(
    explorer.figure(),
    alt="Three rows of the digits 0 to 9, one code a row, written in one style each; below, a seven that becomes a one.",
)
explorer.reset()

# %% [markdown]
# Is the *style* held, or does it only look so? Put a number on one part of it. The **ink** of an image is its mean brightness. Draw the same 500
# codes as each digit. If the code carried no style, the ink of code i as a 3 would say nothing of its ink as an 8.

# %%
z = torch.randn(device.by_profile(smoke=50, laptop=500, gpu=500), generator.latent_dim, generator=device.seed(1))
with torch.no_grad():
    ink = torch.stack([generator(z, torch.full((len(z),), digit)).mean((1, 2, 3)) for digit in range(10)])  # (10, N)
together = torch.corrcoef(ink)  # (10, 10)
pairs = together[~torch.eye(10, dtype=torch.bool)]
shuffled = torch.corrcoef(torch.stack([row[torch.randperm(len(z))] for row in ink]))[~torch.eye(10, dtype=torch.bool)]
print(
    f"correlation of ink between two digits of one code: mean {pairs.mean():+.2f}, from {pairs.min():+.2f} to {pairs.max():+.2f}"
)
print(f"with the codes shuffled:                           mean {shuffled.mean():+.2f}")

# %% [markdown]
# Nobody asked for that. D judges pairs of image and label, and a G that used z for something else in every class would win just as well.
# The sharing comes from the network: all classes pass through the same layers.
#
# ## 9 Break it
# Three mistakes. Two are trained with the same short budget, beside the network without the mistake; the third shows itself in one gradient.

# %%
SHORT = device.by_profile(smoke=3, laptop=500, gpu=2000)  # steps


def accuracy_after(recipe, steps=SHORT):
    """Train for so many steps; the share of digits that are what was asked for."""
    run = training.train(
        training.Run(recipe, digits, seed=0), steps=steps, callbacks=[training.ProgressBar(recipe.name)]
    )
    images = data.to_uint8(training.sample(run.sampler, 1000, seed=1, labels=test_digits.labels[:1000]))
    return (reader.classify(images) == test_digits.labels[:1000]).float().mean().item()


narrow = dataclasses.replace(methods.RECIPES["projection"], generator=methods.conditional_generator(16), name="sound")


def with_critic(kind, name):
    """The same recipe with another D."""
    return dataclasses.replace(narrow, discriminator=lambda shape, classes: kind(classes), name=name)


# %% [markdown]
# ### 9.1 The blind referee
# G is told, D is not. You have made your guess in section 2.


# %%
class BlindCritic(nn.Module):
    """D of lesson 03. It has no `.classes`, so the loop tells it nothing."""

    def __init__(self, classes):
        super().__init__()
        self.body = networks.DCGANDiscriminator(28, 1, 16, batch_norm=False, hidden=32)

    def forward(self, images):  # (N, 1, 28, 28)
        return self.body(images)  # (N,)


class ToldCritic(ProjectionCritic):
    """The same size, and told: the cure."""

    def __init__(self, classes):
        super().__init__(classes)
        self.classes = classes


results = {"sound: projection": accuracy_after(with_critic(ToldCritic, "sound"))}
results["blind referee"] = accuracy_after(with_critic(BlindCritic, "blind"))
for name, share in results.items():
    print(f"{name:<20} {share:.1%} of the digits are what was asked for")
print("your guess:", guess)

# %% [markdown]
# ### 9.2 A label that is only added
# The network of section 4.6. It *is* told, its vectors do get gradients, and its loss ends like the blind one's.


# %%
class AddedToldCritic(AddedCritic):
    """f(x) + g(y), in the loop."""

    def __init__(self, classes):
        super().__init__(classes)
        self.classes = classes


results["label only added"] = accuracy_after(with_critic(AddedToldCritic, "added"))
print(f"{'label only added':<20} {results['label only added']:.1%};  sound: {results['sound: projection']:.1%}")

# %% [markdown]
# g(y) shifts the logit of every image of a class alike, so its slope by the image is **zero**: whatever G draws, the label pushes it
# nowhere. That is why the referee who hears the label and only adds it is as good as blind.
#
# ### 9.3 A softmax too many
# `F.cross_entropy` takes logits; its first act is a softmax. A classifier that ends in `nn.Softmax` makes it two. Much copied code does that
# (PyTorch-GAN's ACGAN and InfoGAN, for two). The probabilities lie between 0 and 1, so the second softmax can never be sure: among ten classes its best is
# $e / (e + 9)$, and the loss never falls below $\log(e + 9) - 1 = 1.461$.

# %%
logits = torch.zeros(1, 10).index_fill(1, torch.tensor([3]), 20.0)  # as sure of class 3 as can be
three = torch.tensor([3])
print(f"the right class, one softmax:   loss {F.cross_entropy(logits, three):.4f}")
print(f"the right class, two softmaxes: loss {F.cross_entropy(logits.softmax(1), three):.4f}")
for name, twice in (("one", False), ("two", True)):
    wrong = torch.zeros(1, 10).index_fill(1, torch.tensor([7]), 8.0).requires_grad_(True)  # sure, and wrong
    (slope,) = torch.autograd.grad(F.cross_entropy(wrong.softmax(1) if twice else wrong, three), wrong)
    print(f"sure of a wrong class, {name}: the gradient at the right class is {slope[0, 3]:+.5f}")

# %% [markdown]
# The floor is only the symptom. The harm is the gradient: on images that the classifier gets *surely wrong*, where it should learn most,
# there is next to none. A test of the value of the loss would have passed at the start, where both are about log 10.

# %% [markdown]
# ## 10 Exercises
# **Exercise 2** · easy · 5 minutes
#
# Label planes for images of any size and number of channels. They come after the image's channels.


# %% exercise="with_planes"
def with_planes(images, labels, classes):
    """Images (N, C, H, W), labels (N,) -> (N, C + classes, H, W)."""
    ### BEGIN SOLUTION
    rows = F.one_hot(labels, classes).to(images.dtype)  # (N, K)
    planes = rows[:, :, None, None].expand(-1, -1, *images.shape[2:])  # (N, K, H, W)
    return torch.cat([images, planes], 1)
    ### END SOLUTION


# %%
checks.lesson06.with_planes(with_planes)

# %% [markdown]
# <details><summary>Hint 1</summary>
#
# One number a class for each image; then the same number at every pixel.
#
# </details>
#
# <details><summary>Hint 2</summary>
#
# `[:, :, None, None]` adds two dimensions of size 1, and `expand` repeats along them without a copy.
#
# </details>
#
# <!-- solution: with_planes -->

# %% [markdown]
# **Exercise 3** · medium · 8 minutes
#
# The projection logit, from the features. `head` is an `nn.Linear(D, 1)`, `embedding` an `nn.Embedding(K, D)`. Mind the shapes: one mistake
# is so common that the check has a name for it.


# %% exercise="projection_logit"
def projection_logit(phi, labels, head, embedding):
    """phi (N, D), labels (N,) -> logits (N,): f(x) + <embed(y), phi(x)>."""
    ### BEGIN SOLUTION
    return head(phi).squeeze(1) + (embedding(labels) * phi).sum(1)
    ### END SOLUTION


# %%
checks.lesson06.projection_logit(projection_logit)

# %% [markdown]
# <details><summary>Hint 1</summary>
#
# `embedding(labels)` is (N, D): one row a sample. The inner product of two rows is a product and a sum.
#
# </details>
#
# <details><summary>Hint 2</summary>
#
# (N, 1) plus (N,) is (N, N), without a warning: torch spreads both. Look at the shape of `head(phi)`.
#
# </details>
#
# <!-- solution: projection_logit -->

# %% [markdown]
# **Exercise 4** · medium · 8 minutes
#
# What the class adds to the losses of ACGAN's two players, both to be minimised. The labels are those of the real images, and what the fakes
# were asked to be.


# %% exercise="class_terms"
def class_terms(real_class_logits, fake_class_logits, labels):
    """Class logits (N, K), (N, K), labels (N,) -> (D's term, G's term), two scalar tensors."""
    ### BEGIN SOLUTION
    on_fake = F.cross_entropy(fake_class_logits, labels)
    return F.cross_entropy(real_class_logits, labels) + on_fake, on_fake
    ### END SOLUTION


# %%
checks.lesson06.class_terms(class_terms)

# %% [markdown]
# <details><summary>Hint 1</summary>
#
# D names the class of real images and of fakes. G can change only its fakes.
#
# </details>
#
# <details><summary>Hint 2</summary>
#
# Neither term has a minus sign: both players want the class to be recognised. And give the cross-entropy logits (section 9.3).
#
# </details>
#
# <!-- solution: class_terms -->

# %% [markdown]
# **Exercise 5** · medium · 10 minutes
#
# BatchNorm by class in training mode, without looking at section 4.7. `scale` and `shift` are tables with a row a class.


# %% exercise="conditional_batch_norm"
def conditional_batch_norm(x, labels, scale, shift):
    """x (N, C, H, W), labels (N,), tables (K, C) -> (N, C, H, W)."""
    ### BEGIN SOLUTION
    normal = F.batch_norm(x, None, None, training=True)  # the batch as a whole, channel by channel
    return normal * scale[labels][:, :, None, None] + shift[labels][:, :, None, None]
    ### END SOLUTION


# %%
checks.lesson06.conditional_batch_norm(conditional_batch_norm)

# %% [markdown]
# <details><summary>Hint 1</summary>
#
# Over which dimensions is the mean taken, so that one number a channel is left?
#
# </details>
#
# <details><summary>Hint 2</summary>
#
# The class comes in only after that: `scale[labels]` is (N, C).
#
# </details>
#
# <!-- solution: conditional_batch_norm -->

# %% [markdown]
# **Exercise 6** · medium · 10 minutes
#
# The walk from one class to another in one style. `generator(z, shares)` takes shares of classes (N, K). Return the images of `steps` even
# steps, both ends included.


# %% exercise="morph"
def morph(generator, z, start, end, classes, steps):
    """One code (1, latent_dim), two labels -> images (steps, C, H, W) from class `start` to class `end`."""
    ### BEGIN SOLUTION
    t = torch.linspace(0, 1, steps)[:, None]  # (steps, 1)
    first, last = torch.eye(classes)[start], torch.eye(classes)[end]  # (K,), (K,)
    return generator(z.expand(steps, -1), (1 - t) * first + t * last)
    ### END SOLUTION


# %%
checks.lesson06.morph(morph)

# %% [markdown]
# <details><summary>Hint 1</summary>
#
# From 1 to 3 there is no 2 on the way. What can be mixed are the one-hot rows.
#
# </details>
#
# <details><summary>Hint 2</summary>
#
# The style is the code: the same z at every step.
#
# </details>
#
# <!-- solution: morph -->

# %% [markdown]
# ## 11 Summary
# - D has to judge pairs. Its best logit is a part about the image plus a part about image *and* label; a label that is only added has no slope
#   by the image and teaches G nothing.
# - **Concatenation** makes the label an input, before layers that can mix it with the image. **Projection** builds the product that the formula
#   asks for. The **auxiliary classifier** is not told, it names; G and D work together on that term, and it asks for images that are recognised,
#   which is not the same as all images of a class.
# - G can be told at its input or in each BatchNorm.
# - Fakes are asked for the labels of the real batch, so that both have the same classes equally often.
# - Two numbers: is it obeyed (accuracy of a classifier that saw no fake), and is there variety inside a class (intra-class recall and distance).
#
# **Answer without looking**
# 1. Why can a D with the logit f(x) + g(y) not make G obey?
# 2. In a batch all real images are threes and all fakes are asked to be eights. What does D learn?
# 3. The class term of your ACGAN's G stays at 1.47. What do you look for?
# 4. D's loss is fine, and the logits have the shape (64, 64). What happened?
# 5. A method reaches an accuracy of 100% and an intra-class recall of 0.05. What does it draw?
# 6. Why is the mean in a BatchNorm by class taken over all classes?
# 7. Why must real and drawn labels have the same frequencies in the formula of section 3? What is added to the logit if not?
#
# **Next** Lesson 07: a generator that finds the classes by itself.
#
# **References**
# - M. Mirza, S. Osindero: [Conditional Generative Adversarial Nets](https://arxiv.org/abs/1411.1784), 2014.
# - A. Odena, C. Olah, J. Shlens: [Conditional Image Synthesis with Auxiliary Classifier GANs](https://arxiv.org/abs/1610.09585), ICML 2017.
# - T. Miyato, M. Koyama: [cGANs with Projection Discriminator](https://arxiv.org/abs/1802.05637), ICLR 2018.
# - M. Gong, Y. Xu, C. Li, K. Zhang, K. Batmanghelich: [Twin Auxiliary Classifiers GAN](https://arxiv.org/abs/1907.02690), NeurIPS 2019.
# - V. Dumoulin, J. Shlens, M. Kudlur: [A Learned Representation for Artistic Style](https://arxiv.org/abs/1610.07629), ICLR 2017, and H. de
#   Vries, F. Strub, J. Mary, H. Larochelle, O. Pietquin, A. Courville: [Modulating early visual processing by
#   language](https://arxiv.org/abs/1707.00683), NIPS 2017: scales and shifts that depend on a condition.
