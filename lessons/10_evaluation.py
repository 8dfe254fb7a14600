# %% [markdown]
# # Evaluation: how good is a GAN?
#
# {{badges}}
#
# **Time** about a minute of computing on a two-core laptop, two and a half hours with the exercises;
# on a T4 not measured yet.
#
# **You need** lessons 01 (the best D) and 03 (DCGAN, and the four numbers FD, KD, precision, recall); lesson 05 (earth mover's distance)
# helps.
#
# In this lesson you will
# - derive and write out every number that GANs are judged by: **Inception Score**, **Frechet distance**, **kernel distance**,
#   **precision and recall**, **density and coverage**, the **precision-recall curve**, **path length**, **diversity**, **nearest
#   neighbours**, the **two-sample test**, and accuracy by **pixels** for pairs; nearly all are written out here and proved equal to
#   the package's,
# - put them on trial: damage real digits and see which number notices, which does not, and which is pleased,
# - find out what a number depends on besides quality: how many samples, which features, how the images were resized, and changes that
#   nobody sees,
# - judge all models of the course by one report,
# - get a better number without a better model, three times, and learn how to catch it.
#
# **Contents** 1 Set up · 2 Predict · 3 From images to features · 4 Two sets, one number · 5 Variety, smoothness, copies and a judge ·
# 6 Metrics on trial · 7 What a number depends on · 8 All models, one report · 9 The damage slider · 10 Break it · 11 Summary. The six
# exercises stand where their formulas do, in sections 2, 4 and 5.

# %% [markdown]
# ## 1 Set up

# %%
# {{setup}}

# %%
import copy
import json
from pathlib import Path
from statistics import mean, stdev

import matplotlib.pyplot as plt
import torch
import torch.nn.functional as F

from gan_course import checks, damage, data, device, methods, metrics, plots, report, training, trial, widgets
from gan_course.metrics import curve as curves

device.announce(laptop="about a minute on two CPU cores", gpu="not measured yet")

RESULTS = Path(methods.__file__).parent / "assets" / "results"
CPU = torch.device("cpu")


def stored(name):
    """A result that ships with the course."""
    return json.loads((RESULTS / f"{name}.json").read_text(encoding="utf-8"))


digits, test_digits = data.load("mnist"), data.load("mnist", "test")
extractor = metrics.extractor_for("mnist", digits.image_shape, CPU)

# %% [markdown]
# Three sets of real digits play different parts, all in a random order:
#
# | name | what | part |
# |---|---|---|
# | `real` | of the test split | what samples are compared with |
# | `trained_on` | of the first half of the training split | what a generator may have copied |
# | `honest` | of the second half | what a perfect generator would draw: real, new, and no copies |

# %%
COUNT = device.by_profile(smoke=300, laptop=4_000, gpu=10_000)
order = torch.randperm(10_000, generator=device.seed(0))
real_set = test_digits.subset(order[:COUNT])
real_images = real_set.images  # uint8 (COUNT, 1, 28, 28)
honest_set = digits.subset(30_000 + torch.randperm(30_000, generator=device.seed(1))[:COUNT])
honest_images = honest_set.images
trained_on_images = digits.images[torch.randperm(30_000, generator=device.seed(2))[:COUNT]]
real, honest, trained_on = (
    extractor(x).double() for x in (real_images, honest_images, trained_on_images)
)  # (COUNT, 128)
generators = {
    name: training.load_network(f"{name}-mnist", CPU)[0]
    for name in ("dcgan-fast", "dcgan", "projection", "infogan-fast")
}
drawn = {name: data.to_uint8(training.sample(generators[name], COUNT, seed=1)) for name in ("dcgan-fast", "dcgan")}
plots.show(
    plots.comparison({"real": real_images[:36]} | {name: images[:36] for name, images in drawn.items()}, height=2.6),
    alt="Three grids of 36 digits: real ones, mostly clean ones drawn by dcgan-fast, many broken ones drawn by dcgan.",
)

# %% [markdown]
# ## 2 Predict
# A colleague sends you 10,000 samples of a wonderful new GAN. In truth there is no GAN: the file holds 10,000 **training images**. You
# compute everything you know, against the test split. Which of these will be clearly worse than for new real digits?
#
# FD · KD · precision · recall · density · coverage · Inception Score · nearest training image
#
# (Density and coverage are variants of precision and recall. The Inception Score asks a classifier whether samples are clear and of
# all classes. "Nearest training image": how near each sample lies to the nearest training image, compared with how near held-out
# images lie.)
#
# **Exercise 1** · easy · 3 minutes · *a list of names; section 5.3 measures it*

# %% exercise="who_notices"
### BEGIN SOLUTION
guess = ["nearest training image"]
### STUB
# guess = None  # for example ["FD", "recall"]
### END SOLUTION

# %%
checks.lesson10.who_notices(guess)

# %% [markdown]
# <details><summary>Hint 1</summary>
#
# To which question does each number know the answer? Most of them only ever see two sets: the samples, and the *test* images.
#
# </details>
#
# <details><summary>Hint 2</summary>
#
# Training images and test images were drawn by the same people. What would a fake have to be, to differ from both in the same way?
#
# </details>
#
# <!-- solution: who_notices -->

# %% [markdown]
# ## 3 From images to features
# A generator defines a distribution over images, and nobody can write down its density. All we have are two heaps of images. "Are they
# alike?" needs a distance between images first, and pixels are a bad one. Below, a digit is moved, or blurred, or replaced by another
# of its class; a digit of another class is the unit of distance.

# %%
few = min(500, COUNT)
labels = real_set.labels[:few]
same = (labels[:, None] == labels) & ~torch.eye(few, dtype=torch.bool)  # (few, few)
other = labels[:, None] != labels
changed = {
    "moved by two pixels": real_images[:few].roll(2, 3),
    "blurred a little": damage.blur(real_images[:few], 0.25),
}
print(f"{'':<22}" + "".join(f"{name:>22}" for name in (*changed, "another of its class")))
for name, see in (("pixels", lambda x: x.flatten(1).double()), ("digit features", lambda x: extractor(x).double())):
    points = see(real_images[:few])
    apart = torch.cdist(points, points)  # (few, few)
    unit = apart[other].mean()
    row = [(see(x) - points).norm(dim=1).mean() / unit for x in changed.values()] + [apart[same].mean() / unit]
    print(f"{name:<22}" + "".join(f"{value:22.2f}" for value in row))
plots.show(
    plots.grid(torch.cat([x[:10] for x in (real_images, *changed.values())]), "digits; moved; blurred", 10, 1.8),
    alt="Ten digits, the same moved to the right by two pixels, and blurred.",
)

# %% [markdown]
# In pixels a digit that moved by two pixels is nearly as far from itself as from *another* digit of its class. So images first become
# **features**: the 128 numbers before the last layer of a classifier of digits. (It was shown digits moved by up to two pixels while it
# learned; that is one reason why it does not mind.)
#
# **How strong is a damage?** In this lesson 100% is a blur of σ = 2 pixels, noise of a fifth of the range, JPEG at quality 5, a rotation
# by 30 degrees. The blur above is one of 25%.
#
# A number then belongs to its features. Of Inception's 2,048 features the Frechet distance is called FID, the kernel distance KID. Of
# ours we say **FD and KD (digit features)**. Section 7.2 shows what other features make of the same images.
#
# ## 4 Two sets, one number
# ### 4.1 Inception Score
# The oldest of those made for GANs and still in use (Salimans and others, 2016) looks at the samples alone. A classifier turns each into
# probabilities $p(y \mid x)$. Two wishes: of each sample it should be sure, and over all samples every class should come up, so that the
# mean $p(y)$ is flat. Both at once:
#
# $$\mathrm{IS} = \exp \; \mathbb{E}_x \, \mathrm{KL}\big(p(y \mid x) \,\|\, p(y)\big), \qquad
# \mathbb{E}_x \, \mathrm{KL} = \mathbb{E}_x \sum_y p(y \mid x) \log p(y \mid x) - \sum_y p(y) \log p(y) = H(y) - \mathbb{E}_x H(y \mid x).$$
#
# That is the mutual information of image and class, from lesson 07, and the exponential makes it "how many classes": 1 at least, K at most.
#
# **Exercise 2** · easy · 5 minutes · *Write it; a probability may be exactly 0. (Four more formulas will be yours, too. Each check compares
# with the package's, which later cells use.)*


# %% exercise="inception_score"
def score_of(probs):
    """Probabilities (N, K), rows sum to 1 -> one number from 1 to K."""
    ### BEGIN SOLUTION
    marginal = probs.mean(0)  # (K,)
    kl = torch.special.xlogy(probs, probs).sum(1) - torch.special.xlogy(probs, marginal).sum(1)  # (N,)
    return kl.mean().exp().item()
    ### END SOLUTION


# %%
checks.lesson10.inception_score(score_of)

# %% [markdown]
# <details><summary>Hint 1</summary>
#
# KL(p(y|x) || p(y)) of each sample is a sum over classes. Then comes the mean over samples, and the exponential last.
#
# </details>
#
# <details><summary>Hint 2</summary>
#
# 0 log 0 is 0, but `0 * torch.log(0)` is nan. `torch.special.xlogy(p, q)` is p log q, and knows.
#
# </details>
#
# <!-- solution: inception_score -->


# %%
@torch.inference_mode()
def probabilities(features):
    """What the digit classifier makes of its own features: (N, 128) -> (N, 10)."""
    return extractor.network.head(features.float()).softmax(1).double()


surest = [probabilities(real)[:, digit].argmax().item() for digit in range(10)]  # one picture a class
subjects = {
    "real digits": real,
    "dcgan": extractor(drawn["dcgan"]).double(),
    "ten pictures, again and again": real[surest].repeat(COUNT // 10, 1),
    "a single picture": real[surest[:1]].repeat(COUNT, 1),
}
for name, features in subjects.items():
    score = metrics.inception_score(probabilities(features))
    print(f"{name:<30} inception score (digit classes) {score:6.3f} of at most 10")

# %% [markdown]
# **It does not know the data.** Ten pictures in an endless loop beat all of MNIST: the score asks for clear and equally frequent classes,
# and has no idea of variety inside them. (Nothing reaches 10, because this classifier was trained with smoothed labels, never to be quite
# sure: the score belongs to its classifier, too.) Nor is it clear what it says of images that have nothing to do with the classifier's
# classes (Barratt and Sharma, 2018).
#
# ### 4.2 Frechet distance
# Compare two *distributions* of features. The earth mover's distance of lesson 05 is hard in many dimensions, except for normal
# distributions: there the best map is affine, and with squared distances (so it is the Wasserstein-**2** distance) the cost is a formula.
# The mean squared distance of a pair $(x, y)$ is
#
# $$\mathbb{E} \|x - y\|^2 = \|m_1 - m_2\|^2 + \operatorname{tr} S_1 + \operatorname{tr} S_2 - 2 \operatorname{tr} C ,$$
#
# and C, the covariance of x with y, is all that the transport can choose. In one dimension C is at most $s_1 s_2$, and the cost is
# $(m_1 - m_2)^2 + (s_1 - s_2)^2$. In D dimensions $C = S_1^{1/2} K S_2^{1/2}$ with $\|K\| \le 1$ (a correlation), so that
# $\operatorname{tr} C = \operatorname{tr}(K\, S_2^{1/2} S_1^{1/2})$ is at most the sum of the singular values of
# $A = S_2^{1/2} S_1^{1/2}$, and those are the roots of the eigenvalues of $A^\top A = S_1^{1/2} S_2 S_1^{1/2}$ (Dowson and Landau, 1982):
#
# $$d^2 = \|m_1 - m_2\|^2 + \operatorname{tr}\Big(S_1 + S_2 - 2 \big(S_1^{1/2} S_2 S_1^{1/2}\big)^{1/2}\Big).$$
#
# Papers write $\operatorname{tr}(S_1 S_2)^{1/2}$: that product is not symmetric, but has the same eigenvalues. Heusel and others (2017)
# take this for features as if they were normal: the FID. (It is a *squared* distance, whatever its name says.)
#
# **Exercise 3** · hard · 12 minutes · *Covariances over N - 1. One trap: the root of a matrix is not the root of its entries.*


# %% exercise="frechet_distance"
def frechet(real, fake):
    """Features (N, D), (M, D), float64 -> one number."""
    ### BEGIN SOLUTION
    s1, s2 = torch.cov(real.T), torch.cov(fake.T)
    values, vectors = torch.linalg.eigh(s1)
    half = (vectors * values.clamp_min(0).sqrt()) @ vectors.T
    cross = torch.linalg.eigvalsh(half @ s2 @ half).clamp_min(0).sqrt().sum()
    shift = (real.mean(0) - fake.mean(0)).square().sum()
    return (shift + s1.trace() + s2.trace() - 2 * cross).item()
    ### END SOLUTION


# %%
checks.lesson10.frechet_distance(frechet)

# %% [markdown]
# <details><summary>Hint 1</summary>
#
# `torch.linalg.eigh` of a symmetric matrix gives values and vectors. The root has the same vectors and the roots of the values.
#
# </details>
#
# <details><summary>Hint 2</summary>
#
# Of the last root you need only the *trace*: the sum of the roots of the eigenvalues of $S_1^{1/2} S_2 S_1^{1/2}$. It is symmetric, so
# `torch.linalg.eigvalsh` may be used.
#
# </details>
#
# <!-- solution: frechet_distance -->

# %%
# In one dimension the best transport joins the sorted samples: the formula against the transport itself.
rng = device.seed(0)
x, y = torch.randn(20_000, 1, generator=rng).double(), 1 + 2 * torch.randn(20_000, 1, generator=rng).double()
by_sorting, by_formula = (x.sort(0).values - y.sort(0).values).square().mean(), metrics.frechet_distance(x, y)
print(f"1-D: by sorting {by_sorting:.3f}, by the formula {by_formula:.3f}, exact (0 - 1)^2 + (1 - 2)^2 = 2")

fakes = {
    "honest": honest,
    "blurred": extractor(damage.blur(honest_images, 0.4)).double(),
    "half of the classes gone": extractor(damage.drop_classes(honest_images, 0.5, labels=honest_set.labels)).double(),
    "dcgan-fast": extractor(drawn["dcgan-fast"]).double(),
    "dcgan": subjects["dcgan"],
}
for name, fake in fakes.items():
    fd, by_means = metrics.frechet_distance(real, fake), (real.mean(0) - fake.mean(0)).square().sum().item()
    print(f"{name:<26} FD (digit features) {fd:7.2f}, of it {by_means:6.2f} by the means, the rest by the covariances")

# %% [markdown]
# The FD of honest digits is not 0. They come from other writers than the test digits, the classifier has seen them in its training, and
# there are only a few thousand of them (section 7.1). **That** is the number to compare a generator with, not 0.
#
# ### 4.3 Kernel distance
# Another way to compare distributions: take all products of up to three features, and compare their means over the two sets. There are
# hundreds of thousands of such products, but nobody has to form them. The kernel $k(x, y) = \big(x \cdot y / D + 1\big)^3$ is the inner
# product of the two lists (suitably weighted), so the squared distance of the two mean lists is
#
# $$\mathrm{MMD}^2 = \mathbb{E}\, k(x, x') + \mathbb{E}\, k(y, y') - 2\, \mathbb{E}\, k(x, y).$$
#
# $x'$ is **another** sample of the same set. That is all there is to "unbiased": a sample must not meet itself, since $k(x, x)$ is large,
# and its share of N in N² pairs would make the distance of few samples too large. Bińkowski and others (2018) call it KID.
#
# **Exercise 4** · medium · 8 minutes · *Write it: unbiased, no sample meets itself.*


# %% exercise="kernel_distance"
def unbiased_kernel_distance(real, fake):
    """Features (N, D), (M, D) -> the squared MMD, which may come out below 0."""

    ### BEGIN SOLUTION
    def kernel(x, y):
        return (x @ y.T / x.shape[1] + 1) ** 3

    def within(x):
        table = kernel(x, x)
        return (table.sum() - table.trace()) / (len(x) * (len(x) - 1))

    return (within(real) + within(fake) - 2 * kernel(real, fake).mean()).item()
    ### END SOLUTION


# %%
checks.lesson10.kernel_distance(unbiased_kernel_distance)

# %% [markdown]
# <details><summary>Hint 1</summary>
#
# Three tables of kernels: real with real, fake with fake, real with fake. In two of them the diagonal has to go.
#
# </details>
#
# <details><summary>Hint 2</summary>
#
# Without the diagonal there are N (N - 1) pairs left, and that is what the sum is divided by.
#
# </details>
#
# <!-- solution: kernel_distance -->

# %%
for name, fake in fakes.items():
    whole = metrics.kernel_distance(real, fake)
    size = min(500, COUNT // 2)
    average, spread = metrics.kernel_distance(real, fake, subsets=20, subset_size=size)
    print(f"{name:<26} KD (digit features) {whole:7.3f};  20 subsets of {size}: {average:6.3f} ± {spread:.3f}")

# %% [markdown]
# A KD may come out below 0, as in section 4.6. Where the truth is about 0, an estimate without bias must often fall below it. Do not clip
# it.
#
# > **Myth** "KID is for non-differentiable settings."
#
# It is an unbiased estimate of a squared MMD, and has nothing to do with derivatives. What sets it apart from FID: no normal distribution
# is assumed, moments up to the third are compared in place of two, and its expectation does not depend on the number of samples, so a
# few hundred give a fair, if noisy, number.
#
# ### 4.4 Precision and recall, density and coverage
# FD and KD mix two failures: bad images, and missing ones. Kynkäänniemi and others (2019) ask two questions. Put a ball around each real
# point that reaches to its k-th nearest real neighbour. All balls together are a guess at where real images live.
#
# - **precision**: the share of fakes inside at least one real ball (fidelity),
# - **recall**: the share of reals inside at least one *fake* ball (variety).
#
# **Exercise 5** · medium · 10 minutes · *Write both.*


# %% exercise="precision_recall"
def precision_recall(real, fake, k):
    """Features (N, D), (M, D) -> (precision, recall), from 0 to 1 each."""

    ### BEGIN SOLUTION
    def radii(points):
        return torch.cdist(points, points).kthvalue(k + 1, dim=1).values

    apart = torch.cdist(real, fake)  # (N, M)
    precision = (apart < radii(real)[:, None]).any(0).double().mean()
    recall = (apart < radii(fake)[None]).any(1).double().mean()
    return precision.item(), recall.item()
    ### END SOLUTION


# %%
checks.lesson10.precision_recall(precision_recall)

# %% [markdown]
# <details><summary>Hint 1</summary>
#
# Precision needs the balls of the real points, recall those of the fakes. The nearest point to a point is the point itself.
#
# </details>
#
# <details><summary>Hint 2</summary>
#
# A share of *fakes* is a mean over fakes: is there any ball (`.any` over the reals) that holds it?
#
# </details>
#
# <!-- solution: precision_recall -->
#
# One outlier among the reals makes one huge ball, and every fake in it counts as perfect. Naeem and others (2020) change both:
#
# - **density**: in how many real balls a fake lies, on average, over k: an outlier's ball is one ball among many; may exceed 1,
# - **coverage**: the share of *real* balls with a fake in them, so no balls around fakes, which may be outliers, are needed.


# %%
def density_and_coverage(real, fake, k=5):  # (N, D), (M, D)
    """Both by the balls of the real points, to their k-th neighbours; the first of k + 1 is the point itself."""
    radii = torch.cdist(real, real).kthvalue(k + 1, dim=1).values  # (N,)
    inside = torch.cdist(real, fake) < radii[:, None]  # (N, M): ball i holds fake j
    return inside.sum(0).double().mean().item() / k, inside.any(1).double().mean().item()


print(f"{'':<26}" + "".join(f"{name:>11}" for name in metrics.PRDC._fields))
for name, fake in fakes.items():
    found = metrics.prdc(real[:1000], fake[:1000])
    mine = density_and_coverage(real[:1000], fake[:1000])
    assert all(abs(a - b) < 2e-3 for a, b in zip(mine, (found.density, found.coverage), strict=True))
    print(f"{name:<26}" + "".join(f"{value:11.3f}" for value in found))

cloud = torch.randn(400, 2, generator=device.seed(0)).double()
with_outlier = torch.cat([cloud[:200], torch.tensor([[20.0, 20.0]]).double()])  # 200 honest points and one stray
nonsense = metrics.prdc(with_outlier, 12 + 0.5 * cloud[200:])  # a heap where no real point is
print(f"\n{'a heap beside an outlier':<26}" + "".join(f"{value:11.3f}" for value in nonsense))

# %% [markdown]
# The heap where no real point is has a precision of 1: all of it lies in the one ball of the stray point. Density says 0.2, one ball of
# k = 5, and coverage says next to nothing.
#
# Mind the row *honest*. Precision and recall of real digits are not 1, so 1 is not what a generator should be compared with. The row
# *half of the classes gone* has a fine precision and a poor recall: fidelity and variety are apart now. Not cleanly: a bad drawing fills
# no place either, so blur, which leaves out no digit, lowers recall even more.
#
# Coverage grows with the number of fakes (a ball needs one visitor), and recall can fall as the fake balls shrink. So compare at equal
# numbers, and at equal k.
#
# ### 4.5 The curve
# Earlier, in 2018, Sajjadi and others had defined precision and recall differently, as a whole **curve**. Cut the space into K cells (by
# k-means on both sets together); real samples fall into them with shares $p_i$, fakes with $q_i$. For every slope $\lambda > 0$
#
# $$\text{precision}(\lambda) = \sum_i \min(\lambda p_i, q_i), \qquad
# \text{recall}(\lambda) = \sum_i \min(p_i, q_i / \lambda) = \text{precision}(\lambda) / \lambda.$$
#
# The ends are easy: a huge $\lambda$ gives the share of fakes in cells that real samples visit *at all*, a tiny one the share of reals in
# cells that fakes visit at all. In the middle, at $\lambda = 1$, both are one minus the total variation distance of p and q. Two numbers
# sum the curve up, the largest $F_\beta = (1 + \beta^2)\, P R / (\beta^2 P + R)$ on it: $F_8$ weighs recall, $F_{1/8}$ precision.


# %%
def curve_of(p, q, angles=1001):  # (K,), (K,)
    """precision and recall (angles,), for slopes at equal angles."""
    slopes = torch.linspace(1e-10, torch.pi / 2 - 1e-10, angles, dtype=torch.float64).tan()
    precision = torch.minimum(slopes[:, None] * p, q).sum(1)
    return precision, precision / slopes


groups = curves.k_means(torch.cat([real, fakes["dcgan"]]), 20)  # (2 COUNT,), which cell
p, q = (torch.bincount(part, minlength=20).double() / COUNT for part in groups.split(COUNT))
precision, recall = curve_of(p, q)
for mine, theirs in zip((precision, recall), curves.curve_of_shares(p, q), strict=True):
    assert torch.allclose(mine.clamp_max(1), theirs)
middle = len(precision) // 2  # 45 degrees, slope 1
print(
    f"at slope 1: precision {precision[middle]:.4f}, recall {recall[middle]:.4f}, 1 - total variation {1 - (p - q).abs().sum() / 2:.4f}"
)

judged = {
    "honest": honest,
    "copies of training digits": trained_on,
    **{name: fakes[name] for name in ("half of the classes gone", "blurred", "dcgan")},
}
some = min(COUNT, 2_000)
figure, axis = plt.subplots(figsize=(8.4, 4.0), layout="constrained", facecolor="white")
lines = ("-", (0, (2, 2)), "-.", ":", "--")
for (name, fake), colour, line in zip(judged.items(), plots.COLOURS, lines, strict=False):
    found = metrics.precision_recall_curve(real[:some], fake[:some], runs=device.by_profile(smoke=1, laptop=5, gpu=10))
    axis.plot(
        found.recall,
        found.precision,
        color=colour,
        linestyle=line,
        linewidth=2,
        label=f"{name}: $F_8$ {found.f8:.2f}, $F_{{1/8}}$ {found.f1_8:.2f}",
    )
axis.set(xlabel="recall", ylabel="precision", xlim=(0, 1.02), ylim=(0, 1.02))
axis.legend(frameon=False, fontsize=8, loc="upper left", bbox_to_anchor=(1.01, 1))
axis.grid(alpha=0.3)
plt.close(figure)
plots.show(
    figure,
    alt="Precision against recall. The curves of honest digits and of copies lie on each other and reach into the upper right corner; without half of the classes precision stays high up to a recall of one half; those of blurred digits and of dcgan fall off slowly, dcgan's far lower.",
)

# %% [markdown]
# > **Myth** "A falling precision curve means overfitting."
#
# Look at "copies of training digits": it lies on that of honest ones. Copies have the curve of a perfect generator. Neither number sees
# memorisation. (Precision that falls *in the course of training* says that samples get worse: the generator diverges.)
#
# ### 4.6 What each of them sees
# FD compares two moments, KD three, precision and recall none but *places*. So build a fake that has the right moments and is wrong
# everywhere: the ring of eight points of lesson 05 against a normal distribution with the ring's mean and covariance.

# %%
some = device.by_profile(smoke=400, laptop=4_000, gpu=4_000)
rng = device.seed(3)
on_ring, on_ring_too = (data.toy.ring(some, std=0.05, generator=rng).double() for _ in range(2))
same_moments = torch.randn(some, 2, generator=rng).double() * (0.5 + 0.05**2) ** 0.5
figure, axis = plt.subplots(figsize=(3.2, 3.2), layout="constrained", facecolor="white")
axis.scatter(*same_moments[:800].T, s=6, color=plots.COLOURS[1], label="normal", alpha=0.5)
axis.scatter(*on_ring[:800].T, s=6, color=plots.COLOURS[0], label="ring")
axis.set(xlim=(-2.6, 2.6), ylim=(-2.6, 2.6), aspect="equal")
axis.legend(frameon=False, fontsize=8, loc="upper right")
plt.close(figure)
plots.show(figure, alt="Eight tight spots on a circle, and a round cloud that fills the circle and its surroundings.")
for name, fake in (("another ring", on_ring_too), ("the normal cloud", same_moments)):
    found = metrics.prdc(on_ring[:1000], fake[:1000])
    tells = metrics.classifier_two_sample(on_ring, fake, "neighbour").accuracy
    print(
        f"{name:<18} FD {metrics.frechet_distance(on_ring, fake):.4f}  KD {metrics.kernel_distance(on_ring, fake):+.4f}  precision {found.precision:.2f}  "
        f"recall {found.recall:.2f}  density {found.density:.2f}  coverage {found.coverage:.2f}  a neighbour tells {tells:.0%}"
    )

# %% [markdown]
# FD and KD call the cloud as good as a second ring. It is no accident: the moments of eight points on a circle agree with those of the
# circle up to order seven, and up to order three with those of the normal distribution. Precision and density see it at once; recall
# sees nothing, because the cloud fills the ring, too. **Features make this rarer, not impossible**: a network bends space so that what
# matters to *its* task shows in the means.
#
# ## 5 Variety, smoothness, copies and a judge
# ### 5.1 Diversity
# Four ways to ask "how different are the samples from one another?", whatever the real ones look like:
#
# - The **mean distance** of two samples, in features.
# - **MS-SSIM** of random pairs: structural similarity (lesson 08) at several scales. Odena and others (2017) took it for class-wise
#   collapse: the mean of pairs is high when all images are alike. (The package has torchmetrics compute it.)
# - **Modes** drawn: how many classes a classifier finds, and how unevenly, as
#   $\mathrm{KL}(q \,\|\, \text{uniform}) = \sum_k q_k \log (q_k K)$.
# - Recall and coverage, above.


# %%
def mean_distance(features):  # (N, D)
    """Of all pairs of different samples."""
    return torch.pdist(features).mean().item()


def classes_and_kl(labels, k):  # int64 (N,)
    """How many classes, and sum q log(q K)."""
    q = torch.bincount(labels, minlength=k).double() / len(labels)
    return int((q > 0).sum()), torch.special.xlogy(q, q * k).sum().item()


assert abs(mean_distance(real[:500]) - metrics.mean_pairwise_distance(real[:500])) < 1e-6
print(f"{'':<26}{'mean distance':>15}{'MS-SSIM':>10}{'classes':>9}{'KL':>8}")
for name, images in {
    "honest": honest_images,
    "half are one picture": damage.repeat_one(honest_images, 0.5),
    "half of the classes gone": damage.drop_classes(honest_images, 0.5, labels=honest_set.labels),
    "with noise": damage.noise(honest_images, 0.5),
    "dcgan": drawn["dcgan"],
}.items():
    features, found = extractor(images[:1000]).double(), extractor.classify(images[:1000])
    assert classes_and_kl(found, 10) == tuple(metrics.classes_captured(found, 10))
    modes, kl = classes_and_kl(found, 10)
    similar = metrics.ms_ssim(images, pairs=device.by_profile(smoke=50, laptop=500, gpu=1000))
    print(f"{name:<26}{mean_distance(features):15.2f}{similar:10.3f}{modes:9d}{kl:8.3f}")

# %% [markdown]
# Noise lowers MS-SSIM a little: noisy images are unlike one another, and the number calls that variety. (In section 6 its interval still
# meets that of honest digits.) Diversity without fidelity is cheap. And modes are as good as the classifier that counts: five classes are
# left, and it finds seven, as one mistake opens a class; noise misleads it so much that its KL is the largest of all.
#
# With ten classes, counting modes is too easy. **Stacked MNIST** (three random digits in one colour image) has 1,000: lesson 05, section
# 9.4, where ours finds them all. Mind its caveat: the published numbers there are of small networks of 2017 and 2018, counted by other
# classifiers.
#
# ### 5.2 Path length
# Karras, Laine and Aila (2019) asked something else: how **smooth** is the map from codes to images? Walk from one code to another, and
# at a random place t take a tiny step of $\epsilon = 10^{-4}$ of the way. How far does the image move?
#
# $$\ell = \mathbb{E}\; \frac{1}{\epsilon^2}\, d\Big(G\big(\mathrm{slerp}(z_1, z_2; t)\big),\; G\big(\mathrm{slerp}(z_1, z_2; t + \epsilon)\big)\Big)$$
#
# Their $d$ is LPIPS, a distance of features that is quadratic, hence the $\epsilon^2$; then it is called *perceptual* path length, PPL.
# Ours is $\|f(x) - f(x')\|^2$ in digit features, and so we say "path length". $\mathrm{slerp}$ walks along the sphere (lesson 03), where
# codes live. (Theirs are scaled to length 1; ours only lie near a sphere.)


# %%
def slerp(a, b, t):  # (N, D), (N, D), (N,)
    """Turn from a to b: t of the angle."""
    angle = torch.acos(F.cosine_similarity(a, b, dim=1))[:, None]  # (N, 1)
    t = t[:, None]
    return (torch.sin((1 - t) * angle) * a + torch.sin(t * angle) * b) / torch.sin(angle)


@torch.inference_mode()
def path_lengths(generator, n, epsilon=1e-4, seed=0):
    """The length of n steps (n,), in float64."""
    draw, features = copy.deepcopy(generator).double().eval(), copy.deepcopy(extractor.network).double().features
    rng = device.seed(seed)
    a, b = torch.randn(2, n, generator.latent_dim, generator=rng, dtype=torch.float64)
    t = torch.rand(n, generator=rng, dtype=torch.float64)
    here, there = (features(draw(slerp(a, b, t + step))) for step in (0.0, epsilon))  # (n, 128) each
    return (there - here).square().sum(1) / epsilon**2


g, steps = generators["dcgan-fast"], device.by_profile(smoke=10, laptop=100, gpu=500)
mine, found = path_lengths(g, steps), metrics.path_length(g, extractor, steps)
assert torch.allclose(mine, found.lengths, rtol=1e-3)
in_8_bits = metrics.path_length(
    lambda z: data.to_float(data.to_uint8(g(z.float()))).double(), extractor, steps, latent_dim=g.latent_dim
)
one_image = metrics.path_length(lambda z: 0 * z, lambda x: x, steps, latent_dim=100)
for name, result in (("dcgan-fast", found), ("the same, rounded to 8 bits", in_8_bits), ("one image only", one_image)):
    print(
        f"{name:<28} {steps} steps: {result.mean:7,.0f} ± {result.error:6,.0f}, median {result.lengths.median():6,.0f}"
    )

# %% [markdown]
# The mean lies far above the median: a few long steps make it (± is the standard error). And images must stay **float** for this. Rounded
# to 256 levels, nearly every pixel stands still for so small a step, and some jump by a whole level. Both are artefacts.
#
# Now the five GANs of digits that ship, 500 steps each, three seeds. The numbers are stored; section 8 has the whole table.

# %%
models = stored("all_models")
by_model = {
    name: [row for row in models["rows"] if row["checkpoint"] == name]
    for name in dict.fromkeys(row["checkpoint"] for row in models["rows"])
}
for name, rows in by_model.items():
    if "path_length" in rows[0]:
        lengths = ", ".join(f"{row['path_length']:,.0f}" for row in rows)
        fd = mean(row["frechet_distance"] for row in rows)
        print(f"{name:<20} FD {fd:5.1f};  path length of three seeds: {lengths}")

# %% [markdown]
# > **Myth** "PPL measures visual quality."
#
# It measures how smoothly images follow codes. The smoothest generator of all draws one image and has the length 0. `dcgan-mnist` draws
# far worse than `dcgan-fast-mnist` (an FD of 58.5 against 9.5) and has the *shorter* paths, about 4,000 against 5,900. Karras and others
# (2020, StyleGAN2) found that a low PPL goes with good images, and add a penalty that makes paths even, by another formula. That is a
# correlation of their generators. It does not make the length a measure of quality.
#
# **A path with a cliff.** And the 149 million of `infogan-fast-mnist`, in one seed of three? Its z holds ten numbers of which the largest
# chooses the category. Look at the steps one by one.

# %%
g, steps = generators["infogan-fast"], device.by_profile(smoke=20, laptop=500, gpu=500)
found, rng = metrics.path_length(g, extractor, steps, seed=1), device.seed(1)
a, b = torch.randn(2, steps, g.latent_dim, generator=rng, dtype=torch.float64)
t = torch.rand(steps, generator=rng, dtype=torch.float64)
switches = g.codes(slerp(a, b, t)).category != g.codes(slerp(a, b, t + 1e-4)).category  # (steps,) bool
rest, worst = found.lengths[~switches], found.lengths.argmax().item()
print(f"mean {found.mean:,.0f} ± {found.error:,.0f}, the median {found.lengths.median():,.0f}")
print(f"the category changes on {switches.sum()} of {steps} steps; on the longest: {switches[worst]}")
print(f"the mean without them: {rest.mean():,.0f} ± {rest.std() / len(rest) ** 0.5:,.0f}")
print(
    f"the longest step moves the features by {found.lengths[worst].sqrt() * 1e-4:.1f}; "
    f"two random digits lie {metrics.mean_pairwise_distance(real[:1000]):.1f} apart"
)
with torch.inference_mode():
    pair = torch.cat([g(slerp(a, b, t + step)[[worst]].float()) for step in (0.0, 1e-4)])
plots.show(
    plots.grid(pair, "before and after the longest step", 2, 1.4), alt="Two digits on either side of the longest step."
)

# %% [markdown]
# The map has a **cliff**. At the border of two categories the features jump by a fixed distance d, however small the step: here by as much
# as from one random digit to another. Divided by $\epsilon^2$ that is $d^2 / \epsilon^2$; a step meets a border with a chance proportional
# to $\epsilon$; so the expectation grows like $1/\epsilon$. At each $\epsilon$ there is a mean, and it is nearly all cliff. With three
# seeds you saw the cliff once, with one seed perhaps never. The cure: hold the category while you walk, and look at the lengths before
# you average them. (Karras and others leave out the shortest and longest percent in their code, which hides it.)
#
# ### 5.3 Copies
# For memorisation we need a third set. A sample is suspicious, not when it is near a training image (good digits are), but when it is
# **nearer than a held-out image is**. Meehan, Chaudhuri and Dasgupta (2020): take the distance of each sample to its nearest training
# image, the same for held-out images, and ask how often the sample is the closer of the two. Without copying, one half.
#
# **Exercise 6** · medium · 8 minutes · *The detector: of all pairs of a sample and a held-out image, in which share does the sample lie
# closer to its nearest training image? Ties count half.*


# %% exercise="closer_to_training"
def closer_to_training(samples, training, held_out):
    """Features (N, D), (M, D), (K, D) -> a share; about 0.5 if nothing is copied, 1 if all is."""
    ### BEGIN SOLUTION
    a = torch.cdist(samples, training).min(1).values  # (N,)
    b = torch.cdist(held_out, training).min(1).values  # (K,)
    wins, ties = (a[:, None] < b).double(), (a[:, None] == b).double()  # (N, K)
    return (wins + ties / 2).mean().item()
    ### END SOLUTION


# %%
checks.lesson10.closer_to_training(closer_to_training)

# %% [markdown]
# <details><summary>Hint 1</summary>
#
# Two lists of distances, both to the *training* set: one of the samples, one of the held-out images.
#
# </details>
#
# <details><summary>Hint 2</summary>
#
# `a[:, None] < b` compares each with each. A mean of the two lists is not asked for.
#
# </details>
#
# <!-- solution: closer_to_training -->
#
# How far from one half can chance lead? The share of N samples and K held-out images, as a U-statistic (Mann and Whitney, 1947), gives a
# **score**, $\big(\tfrac12 - \text{share}\big) \sqrt{12\, N K / (N + K + 1)}$. (Meehan and others call it Z; here z is a code.) It is about
# standard normal when samples lie as near as held-out images do, far *below* 0 when much is copied, far above 0 when samples are bad.
# (Ties, as of copies that all have the distance 0, make its spread smaller. The package minds that.)

# %%
half, some = COUNT // 2, 2 * COUNT // 5
suspects = {
    "honest": honest,
    "copies": trained_on,
    "copies, moved by 2 pixels": extractor(trained_on_images.roll(2, 3)).double(),
    "half copies, half honest": torch.cat([trained_on[:half], honest[half:]]),
    "dcgan": fakes["dcgan"],
    "40% copies, 60% by dcgan": torch.cat([trained_on[:some], fakes["dcgan"][some:]]),
}
print(
    f"{'':<28}{'FD':>8}{'KD':>9}{'precision':>11}{'recall':>8}{'density':>9}{'coverage':>10}{'IS':>7}   {'closer':>6}{'score':>9}"
)
for name, fake in suspects.items():
    found, copies = metrics.prdc(real, fake), metrics.memorisation(fake, trained_on, real)
    if name == "honest":
        assert abs((0.5 - copies.closer) * (12 * COUNT**2 / (2 * COUNT + 1)) ** 0.5 - copies.z) < 1e-2
    print(
        f"{name:<28}{metrics.frechet_distance(real, fake):8.2f}{metrics.kernel_distance(real, fake):9.3f}{found.precision:11.3f}{found.recall:8.3f}"
        f"{found.density:9.3f}{found.coverage:10.3f}{metrics.inception_score(probabilities(fake)):7.2f}   {copies.closer:6.2f}{copies.z:9.1f}"
    )
print("\nyour guess:", guess)

# %% [markdown]
# That answers section 2. Copies have the FD, KD, precision, recall, density, coverage and Inception Score of honest digits, up to chance.
# Only the last two columns notice, because only they are shown the training set.
#
# The test can be fooled, too. *40% copies, 60% by dcgan*: the copies are too near, the bad drawings too far, and in one number the two
# nearly cancel out. Meehan and others therefore make the test in each cell of a partition. And every digit in *moved by 2 pixels* is a
# copy, while the share says the opposite: moving carries features farther than a new digit lies from its nearest. Finding the original
# and noticing the copying are two things:

# %%
few = min(300, COUNT)
moved = trained_on_images[:few].roll(2, 3)
for name, see in (("pixels", lambda x: x.flatten(1).float()), ("digit features", lambda x: extractor(x).double())):
    row = torch.cdist(see(moved), see(trained_on_images)).argmin(1)
    hits = (row == torch.arange(few)).double().mean()
    print(f"a copy moved by two pixels; by {name:<15} its original is found for {hits:.0%}")
asked = drawn["dcgan-fast"][:10]
found = torch.cdist(extractor(asked).double(), trained_on).argmin(1)
plots.show(
    trial.exhibits({"drawn by dcgan-fast": asked, "nearest training digit": trained_on_images[found]}),
    alt="Ten drawn digits, and under each the nearest of the training digits, by features: mostly of the same class, in another handwriting.",
)

# %% [markdown]
# A picture like this one, samples and their nearest neighbours, stands in many papers as a proof that nothing is copied. With distances in
# *pixels* it proves little: a copy that moved by two pixels is already missed.
#
# ### 5.4 A judge that learns
# Train a classifier to tell real from generated samples on one half, and count how often it is right on the other (Lopez-Paz and Oquab,
# 2017). Where it is right half of the time, it found no difference. You know this judge: it is a discriminator, of lesson 01, trained to
# the end and asked about samples that it has not seen. The best one reaches an accuracy of $\tfrac12 + \tfrac12\, \mathrm{TV}(p, q)$, TV
# being the total variation distance of section 4.5.


# %%
def neighbour_accuracy(real, fake, seed=0):  # equally many of both
    """The simplest classifier: what is the nearest sample of the known half?"""
    rng = torch.Generator().manual_seed(seed)
    real, fake = (x[torch.randperm(len(x), generator=rng)] for x in (real, fake))
    half = len(real) // 2
    known, asked = torch.cat([real[:half], fake[:half]]), torch.cat([real[half:], fake[half:]])
    says_fake = torch.cdist(asked, known).argmin(1) >= half
    is_fake = torch.arange(len(asked)) >= len(asked) // 2
    return (says_fake == is_fake).double().mean().item()


some = min(COUNT, 1_000)
theirs = metrics.classifier_two_sample(real[:some], fakes["dcgan"][:some], "neighbour").accuracy
assert abs(neighbour_accuracy(real[:some], fakes["dcgan"][:some]) - theirs) < 2e-3

# Two normals, one apart: TV = 0.383, so the best accuracy is 0.691.
line = torch.randn(2, 20_000, 1, generator=device.seed(5)).double()
print(
    f"two normals: accuracy {metrics.classifier_two_sample(line[0], line[1] + 1).accuracy:.3f}, the best possible is 0.691\n"
)
print(f"{'':<28}{'linear classifier':>18}{'p':>10}{'nearest neighbour':>20}")
for name in ("honest", "blurred", "half of the classes gone", "dcgan-fast", "dcgan"):
    linear, neighbour = (metrics.classifier_two_sample(real, fakes[name], kind) for kind in ("logistic", "neighbour"))
    print(f"{name:<28}{linear.accuracy:18.3f}{linear.p_value:10.1g}{neighbour.accuracy:20.3f}")

# %% [markdown]
# Report the **accuracy**, which says how different the sets are, and not p, which says how sure you may be that they differ *at all*. With
# enough samples they always do: even real digits of the training and of the test split can be told apart a little. They are by different
# writers, and the classifier behind the features has seen only one of the two.
#
# Two judges need not agree: a linear one sees shifts along some direction of the features, the neighbour sees places.
#
# ### 5.5 Where there is one right answer
# In lessons 08 and 09 each input had its target. Then no set is compared with a set: each output is compared with **its** target, and the
# plainest number is the **pixel accuracy**, the share of pixels that are right to within 16 of 255 in every colour. Four outputs for the
# emoji of the test split, none of them by a generator, and what the numbers of lesson 08 say (the tolerance of 16 is after Liu and
# others, 2017, on maps).


# %%
def pixel_accuracy(outputs, targets):  # uint8 (N, 3, H, W)
    """(N,): right to within 16 in the worst colour."""
    return ((outputs.int() - targets.int()).abs().amax(1) <= 16).double().mean((1, 2))


pairs = data.load("emoji-styles", "test")
pairs = pairs.subset(slice(0, device.by_profile(smoke=16, laptop=len(pairs), gpu=len(pairs))))
targets, emoji_features = pairs.targets.images, metrics.extractor_for("emoji-styles", pairs.image_shape, CPU)
outputs = {
    "the input, copied": pairs.inputs.images,
    "the target, moved by one pixel": targets.roll(1, 3),
    "the target, blurred": damage.blur(targets, 0.4),
    "white paper": torch.full_like(targets, 255),
}
print(f"{'':<32}" + "".join(f"{name:>18}" for name in metrics.PairScores._fields))
for name, images in outputs.items():
    scores = metrics.pair_scores(images, targets, emoji_features)
    assert torch.allclose(pixel_accuracy(images, targets), scores.pixel_accuracy)
    print(f"{name:<32}" + "".join(f"{values.mean():18.3f}" for values in scores))
plots.show(
    trial.exhibits({"the target": targets, **outputs}),
    alt="Ten emoji, five rows: the targets, the other drawing style, the targets moved by a pixel, blurred, and white paper, which is white all over.",
)

# %% [markdown]
# By pixel accuracy **white paper beats the copied input** (0.355 against 0.347): a good third of the picture is white, or nearly. A number
# needs a rival that does nothing. And which is better, the target moved by one pixel, which nobody would notice, or blurred? PSNR and SSIM
# say blurred; pixel accuracy and features say moved. Where the input does not decide every pixel (lesson 08, section 3), compare sets as
# well.
#
# ## 6 Metrics on trial
# Now they are the accused. Each row of a trial spoils honest digits in one way, or replaces them; it is drawn again and again from 30,000
# digits (or other codes), and an interval holds the draws. Where the interval of a row does not meet that of honest digits, the metric has
# **noticed**: ▼ if it calls the row worse, ▲ if it calls it *better than real digits*. The columns are the numbers of sections 4 and 5,
# without path length, KL of the classes, the judge by neighbours, and those for pairs; "copies" is the share of exercise 6, where only more
# than honest digits have counts as noticed, as less means that nothing was copied.
#
# First put a fake of **your own** on trial: change one line of `my_fake` and run the cell again.


# %%
def my_fake(images, labels, seed):
    """Spoil honest digits, uint8 (N, 1, 28, 28), or put others in their place."""
    return images.roll(1, 3)  # moved by one pixel. Try images.flip(3), damage.noise(images, 0.1, seed=seed), ...


TRIAL, DRAWS = device.by_profile(smoke=(150, 2), laptop=(1_000, 4), gpu=(5_000, 4))  # samples a draw, draws
near_of_held_out = metrics.nearest_training(real, trained_on).distance


def testify(images):
    """Every metric of one set of samples, by the names of the stored table."""
    fake, real_part = extractor(images).double(), real[: len(images)]
    curve = metrics.precision_recall_curve(real_part, fake, runs=2)
    near = metrics.nearest_training(fake, trained_on).distance
    return {
        "frechet_distance": metrics.frechet_distance(real, fake),
        "kernel_distance": metrics.kernel_distance(real, fake),
        **metrics.prdc(real_part, fake)._asdict(),
        "curve_f8": curve.f8,
        "curve_f1_8": curve.f1_8,
        "inception_score_digits": metrics.inception_score(probabilities(fake)),
        "pairwise_distance": metrics.mean_pairwise_distance(fake),
        "ms_ssim": metrics.ms_ssim(images, pairs=device.by_profile(smoke=25, laptop=100, gpu=500)),
        "closer_than_held_out": metrics.compare_nearest(near, near_of_held_out).closer,
        "two_sample_logistic": metrics.classifier_two_sample(real, fake).accuracy,
    }


heard = {"honest": [], "your fake": []}
for draw in range(DRAWS):
    rows = 30_000 + torch.randperm(30_000, generator=device.seed(draw))[:TRIAL]
    heard["honest"].append(testify(digits.images[rows]))
    heard["your fake"].append(testify(my_fake(digits.images[rows], digits.labels[rows], draw)))
print(f"{TRIAL:,} samples a row, {DRAWS} draws; ▼ worse than honest digits, ▲ better, by intervals that do not meet")
plots.show(
    trial.figure([{"row": name, "metrics": trial.intervals(draws)} for name, draws in heard.items()]),
    alt="A table in colours: honest digits and your fake, one column a metric; which metrics call your fake worse, and which better.",
)

# %% [markdown]
# A digit moved by one pixel is as good a digit, and most of the columns call it worse: what they notice is only where it stands.
#
# (Both rows hold the same digits, so with `return images` they are equal, number by number. Were they drawn apart and equally good, four
# draws against four would miss each other once in 35 times, 2 · 4! · 4! / 8!, and with 13 columns about one table in three would have an
# arrow by chance.)
#
# And the whole trial, from `benchmarks/metric_trial.py`: 5,000 samples a row, ten draws, two strengths of each damage, copies, a collapsed
# GAN (`vanilla`, with a D that learns too slowly), two generators that ship, few against many samples, and FD by two other networks.
# First some of it in numbers, with the middle 95% of the draws:

# %%
whole = stored("metric_trial")
print(f"{whole['data']}, {whole['real']}; {whole['hardware']}")
shown = {"frechet_distance": "FD", "kernel_distance": "KD", "precision": "precision", "recall": "recall"}
print(f"{'':<30}" + "".join(f"{title:>26}" for title in shown.values()))
for row in whole["rows"]:
    found = [{part: trial.short(value) for part, value in row["metrics"][key].items()} for key in shown]
    cells = (f"{value['mean']} [{value['low']}, {value['high']}]" for value in found)
    print(f"{row['row']:<30}" + "".join(f"{cell:>26}" for cell in cells))
plots.show(
    trial.figure(whole["rows"]),
    alt="The whole trial: one row a damage or a generator, one column a metric, in the colours of the figure above.",
)

# %% [markdown]
# **Copies.** *The training set itself* has one arrow, in the column made for it. By every other number it is what honest digits are: they
# are honest digits. A generator that has learned its training set by heart gets the best table there is.
#
# **One image again and again.** It is a real digit, so precision and density find nothing wrong with it: 0.90 and 0.82 on average, anything
# from 0.2 to 1 and from 0.05 to 2, as the image happens to be. If only *half* of the samples are that image, recall does not see it either
# (0.94), as the other half still covers the digits. All other columns do, except "copies".
#
# **One class of ten is gone.** Precision, recall (0.90 for 0.94; the intervals meet), density, MS-SSIM and "copies" see nothing. FD sees it
# plainly, 22.9 for 0.8, and so do KD, coverage and $F_8$. With half of the classes gone, density is even *pleased* (▲), and "copies" is alarmed for nothing: it compares with held-out
# digits of all classes, and the classes that are left simply lie closer together. That test presupposes the right mixture.
#
# **Blur.** Soft digits lie near the middle of the cloud: at 25% precision does not mind, and density is pleased. The distances, recall and
# coverage are not.
#
# **Noise, JPEG, a rotation by half** of what the slider can do: nearly all notice, as with the two generators. MS-SSIM compares samples with
# each other and with nothing real; it notices only what makes them alike: strong blur, repetition, collapse.
#
# **Number of samples.** Nothing is wrong with 100 honest digits, but their FD is 20.1, worse than that of 5,000 samples of `dcgan-fast`
# (9.7). $F_8$ and $F_{1/8}$ fall too. KD, precision, recall and the two-sample test stay where they are, within intervals that are now
# wide. With 10,000 samples the FD of the random network is even *pleased* (▲): the digits are no better, only more. The next section is
# about that.
#
# **The collapsed GAN** is found by all columns but "copies" (its images lie far from every digit), though by the mean distance only just,
# 22.3 for 25.4 (`dcgan` has 19.9): features of images that are no digits can lie far apart. So: **no number by itself.** FD or KD for the whole, precision and recall to say what is wrong, a test for copies, and eyes.
#
# ## 7 What a number depends on
# ### 7.1 How many samples
# Take two sets of N samples of **one** distribution. The true distance is 0. What does the formula of section 4.2 give? The means differ
# by chance, and by how much is exact: $\mathbb{E} \|\hat m_1 - \hat m_2\|^2 = \operatorname{tr} S \,(1/N + 1/M)$. The covariances differ
# by chance, too, and add a term that falls like 1/N as well. So FD is too large, by about a constant over N, and **the constant depends
# on the generator** (Chong and Forsyth, 2020). KD meets no sample with itself, and has no such bias.
#
# Below, the smaller sets are parts of one set. The means of N of them are expected to add what those of all add, and
# $\operatorname{tr} S\,(1/N - 1/\text{all})$. (A minus, because they are parts; the plus above is for two sets drawn apart.)

# %%
SIZES = device.by_profile(
    smoke=(150, 300), laptop=(250, 500, 1_000, 2_000, 4_000), gpu=(250, 500, 1_000, 2_000, 4_000, 10_000)
)
trace = honest.var(0).sum().item()  # of S, over N - 1


def by_means(x):
    """What the means add to the FD."""
    return (real.mean(0) - x.mean(0)).square().sum().item()


print(f"{'N':>6}{'FD':>16}{'of it the means':>18}{'expected':>10}{'KD':>18}")
for size in SIZES:
    draws = [honest[torch.randperm(COUNT, generator=device.seed(i))[:size]] for i in range(5)]
    fd, kd = ([f(real, x) for x in draws] for f in (metrics.frechet_distance, metrics.kernel_distance))
    expected = by_means(honest) + trace * (1 / size - 1 / COUNT)
    print(
        f"{size:6,}{mean(fd):9.2f} ± {stdev(fd):4.2f}{mean(by_means(x) for x in draws):18.2f}{expected:10.2f}"
        f"{mean(kd):11.3f} ± {stdev(kd):5.3f}"
    )
print("\nFD (digit features) on a line to 1/N = 0, where samples never end:")
for name in ("honest", "dcgan-fast"):
    fits = [metrics.extrapolated_frechet(real, fakes[name], 8, max(150, COUNT // 4), seed=i) for i in range(5)]
    values = [fit.value for fit in fits]
    print(
        f"{name:<12} {fits[0].distances[-1]:6.2f} at N = {COUNT:,}, {mean(values):6.2f} ± {stdev(values):.2f} at 1/N = 0"
    )

# %% [markdown]
# A quarter of the fakes means about four times *their* bias; FD itself grows by less, as what the real side adds stays. So **FDs of
# different numbers of samples must not be compared**, and the number belongs beside every FD. (The last row takes all there are, so it has
# no spread.)
#
# If the bias is a line in 1/N, one can follow the line to 1/N = 0, as the last two lines do; ± is over five choices of the smaller sets.
# Only the number of *fakes* goes to infinity there; the real ones stay as many as they are, and their part of the bias stays with them. Stored, over more sizes, five draws and three
# sets of samples (`benchmarks/metric_limits.py`):

# %%
limits = stored("metric_limits")
sizes = {}
for row in limits["rows"]:
    if row["kind"] == "size":
        sizes.setdefault(row["name"], []).append(row)
figure, axes = plt.subplots(1, 2, figsize=(9, 3.2), layout="constrained", facecolor="white")
for axis, key, title in zip(axes, ("frechet_distance", "kernel_distance"), ("FD", "KD"), strict=True):
    for (name, rows), colour, marker in zip(sizes.items(), plots.COLOURS, "osv", strict=False):
        for row in rows:
            label = name if row is rows[0] else None
            axis.plot(row["sizes"], row[key], color=colour, marker=marker, markersize=3, linewidth=0.7, label=label)
    axis.set(xscale="log", xlabel="N", title=f"{title} (digit features)")
    axis.set_yscale("log" if title == "FD" else "linear")
    axis.grid(alpha=0.3)
plt.close(figure)
axes[0].legend(frameon=False, fontsize=8)
plots.show(
    figure,
    alt="Left: FD falls with the number of samples, for all three sets. Right: KD does not, but its draws lie closer together.",
)
for name, rows in sizes.items():
    few, many = (mean(row["frechet_distance"][i] for row in rows) for i in (0, -1))
    endless = mean(row["extrapolated"] for row in rows)
    print(
        f"{name:<18} FD at {row['sizes'][0]:,}: {few:.2f}, at {row['sizes'][-1]:,}: {many:.2f}, at 1/N = 0: {endless:.2f}"
    )

# %% [markdown]
# With 250 samples honest digits have an FD of 7.6, with 10,000 one of 0.63, and at 1/N = 0 there are 0.46 left: in part the bias of the real
# side (about 0.2, if 10,000 real digits add what 10,000 fakes do), in part the difference between the two splits (section 4.2). `dcgan-fast`
# falls from 16.1 to 9.6, and to 9.4 at 1/N = 0; `dcgan` from 64 to 57.5. So the constant is nearly the same for all three here, and the
# order never changes. What does change is what one would conclude: 6 points are more than three seeds of training of `dcgan-fast` differ by
# (14.1 to 16.2 in lesson 03). For `dcgan` the fit says nothing: its draws still have a standard deviation of 0.7 at 10,000, more than the
# bias there. KD stays where it is from 250 to 10,000, and only its spread falls, of honest digits from 0.08 to 0.01.
#
# ### 7.2 Which features
# The same images, and three networks: the classifier of digits, one of **clothes**, and one that was never trained and has random weights.

# %%
N = device.by_profile(smoke=150, laptop=1_000, gpu=5_000)
accused = {
    "blur 25%": damage.blur(honest_images[:N], 0.25),
    "noise 25%": damage.noise(honest_images[:N], 0.25),
    "half of the classes gone": damage.drop_classes(honest_images[:N], 0.5, labels=honest_set.labels[:N]),
    "dcgan-fast": drawn["dcgan-fast"][:N],
    "dcgan": drawn["dcgan"][:N],
}
print(f"{'FD over that of honest digits':<30}" + "".join(f"{name:>30}" for name in accused))
for kind in ("mnist", "fashion", "none"):
    see = metrics.extractor_for(kind, (1, 28, 28), CPU)
    theirs, unspoiled = see(real_images[:N]).double(), see(honest_images[:N]).double()
    unit = metrics.frechet_distance(theirs, unspoiled)
    row = {name: metrics.frechet_distance(theirs, see(images).double()) / unit for name, images in accused.items()}
    ranks = {name: rank for rank, name in enumerate(sorted(row, key=row.get), 1)}
    print(f"{see.name:<30}" + "".join(f"{value:20.1f}, rank {ranks[name]}  " for name, value in row.items()))

# %% [markdown]
# Rank 1 is the best of the five. With 1,000 samples, digit features put the missing classes last, those of clothes the noise, and the
# random network the blur, while it hardly sees the noise. Each order is "right", for its question. Inception was taught 1,000 classes of
# photographs, and with its FID you inherit *their* question: Kynkäänniemi and others (2023) lower it a good deal by matching the histogram
# of ImageNet classes, with no image getting better.
#
# Inception's own weights do not ship (about 90 MB). Where you have a network, turn this on:

# %%
INCEPTION = False  # True: downloads the weights once, and needs `pip install torch-fidelity`

if INCEPTION:
    from torch_fidelity.feature_extractor_inceptionv3 import FeatureExtractorInceptionV3

    inception = FeatureExtractorInceptionV3("inception-v3-compat", ["2048"])

    def inception_features(images):  # uint8 (N, 1, 28, 28); it enlarges them to 299 x 299 itself
        """(N, 2048)."""
        return torch.cat([inception(part.expand(-1, 3, -1, -1).contiguous())[0] for part in images.split(50)]).double()

    theirs = inception_features(real_images[:N])
    for key, images in accused.items():
        print(f"{key:<26} FID of {N:,} samples {metrics.frechet_distance(theirs, inception_features(images)):8.2f}")
else:
    print(
        "FID is left out: set INCEPTION = True to compute it. (Of fewer samples than its 2,048 features it is mostly bias.)"
    )

# %% [markdown]
# ### 7.3 Resizing and JPEG
# Parmar, Zhang and Zhu (2022) found FIDs that differ between libraries because images are *shrunk* differently on the way to the network.
# A filter that looks at a few pixels only, however far it shrinks, leaves out the others: **aliasing**. Here the same honest digits are
# shrunk to 14 x 14 in five ways. The real ones were shrunk in the first way. All are enlarged alike.

# %%
FILTERS = {
    "bicubic, antialiased": {"mode": "bicubic", "antialias": True},
    "bilinear, antialiased": {"mode": "bilinear", "antialias": True},
    "mean of 2 x 2": {"mode": "area"},
    "bicubic, not antialiased": {"mode": "bicubic"},
    "nearest pixel": {"mode": "nearest-exact"},
}


def shrunk(images, options):  # uint8 (N, 1, 28, 28)
    """To 14 x 14 with these options, to 8 bits, and back with the first filter."""
    for size, how in ((14, options), (28, FILTERS["bicubic, antialiased"])):
        images = F.interpolate(images.float(), (size, size), **how).round().clamp(0, 255)
    return images.to(torch.uint8)


reference = extractor(shrunk(real_images[:N], FILTERS["bicubic, antialiased"])).double()
print(f"{'shrunk by':<26}{f'FD of {N:,}':>14}{'stored, 10,000':>20}   (digit features)")
for name, options in FILTERS.items():
    fd = metrics.frechet_distance(reference, extractor(shrunk(honest_images[:N], options)).double())
    values = [row["frechet_distance"] for row in limits["rows"] if (row["kind"], row["name"]) == ("resizing", name)]
    print(f"{name:<26}{fd:14.2f}{mean(values):13.2f} ± {stdev(values):4.2f}")
untouched = extractor(real_images[:N]).double()
print("\nsaved as JPEG")
for name, strength in {
    "not saved": 0,
    "quality 100": 1e-6,
    **{f"quality {q}": (100 - q) / 95 for q in (95, 75, 50, 25)},
}.items():
    fd = metrics.frechet_distance(untouched, extractor(damage.jpeg(honest_images[:N], strength)).double())
    print(f"{name:<26}{fd:14.2f}")
plots.show(
    trial.exhibits({"digits": real_images} | {name: shrunk(real_images[:10], how) for name, how in FILTERS.items()}),
    alt="Ten digits, and five ways to shrink and enlarge them; the bilinear one is the softest, the nearest pixel jagged.",
)

# %% [markdown]
# At a factor of two only the nearest pixel leaves out pixels, and it is not what costs most here. That is the antialiased bilinear filter,
# with a stored FD of 18.4, which blurs more than the first. Then come the nearest pixel with 14.9 and the bicubic filter without
# antialiasing with 4.8; the mean of 2 x 2 costs almost nothing (1.05; the same filter on both sides 0.56). Where images shrink more, or
# have finer detail, as photographs do, expect aliasing to cost more. And JPEG at the quality that many programs choose, 75, nearly doubles
# the distance.
#
# Nothing about any *generator* was measured here. So: real and generated images must go the same way to the network, and the way belongs
# to the number. The authors' `clean-fid` does that for Inception.
#
# ### 7.4 Changes that nobody sees
# How far does a number move when each pixel changes by at most $\epsilon$ of 255? Random signs are one way. One can also look for the
# direction that harms *most*: follow the sign of a gradient (Goodfellow, Shlens and Szegedy, 2015). FD has no gradient for a single image,
# so take that of the squared distance of its features from the mean of the real ones.

# %%
few = device.by_profile(smoke=150, laptop=1_000, gpu=2_000)
images, middle = data.to_float(honest_images[:few]), real.mean(0).float()


def worst_signs(x):  # (N, 1, 28, 28)
    """The sign of the gradient of each image's squared distance from the real mean, in features."""
    x = x.clone().requires_grad_(True)
    return torch.autograd.grad((extractor.network.features(x) - middle).square().sum(), x)[0].sign()


directions = {
    "at random": torch.randn(images.shape, generator=device.seed(0)).sign(),
    "against the features": torch.cat([worst_signs(part) for part in images.split(250)]),
}
rows = {"unchanged": data.to_uint8(images)}
for epsilon in (1, 4, 16):
    for name, signs in directions.items():
        rows[f"{name}, {epsilon} of 255"] = data.to_uint8((images + 2 * epsilon / 255 * signs).clamp(-1, 1))
for name, moved in rows.items():
    print(f"{name:<34} FD (digit features) {metrics.frechet_distance(real, extractor(moved).double()):8.2f}")
plots.show(
    trial.exhibits({name: moved for name, moved in rows.items() if name == "unchanged" or "16" in name}),
    alt="Ten digits, and the same with changes of at most 16 of 255 in each pixel: a visible grain on the black background at random, a fainter one against the features.",
)

# %% [markdown]
# At 16 of 255 even random signs cost more than all that dcgan does wrong (58). ("At random" is no change of mean 0 here: the background is
# black, and what would be blacker than black is cut off, so there pixels only get lighter.) On black one does see a grain of 16; of 4, look
# for yourself: put "4 of" in the place of "16" in the cell's last lines.
#
# Stored, with one more judge, the D of `dcgan-fast` after 1,500 steps: how far does its logit move, in standard deviations over honest
# digits, when the gradient of the logit is followed?

# %%
rows = [row for row in limits["rows"] if row["kind"] == "perturbation"]
print(f"unchanged: FD {mean(row['frechet_distance_unchanged'] for row in rows):.2f}")
for name in ("random", "against the features", "logit up", "logit down"):
    for i, epsilon in enumerate(rows[0]["epsilons"]):
        fd, shift = ([row[name][key][i] for row in rows] for key in ("frechet_distance", "logit_shift"))
        print(
            f"{name:<24} epsilon {epsilon:3d}: FD {mean(fd):9.2f} ± {stdev(fd):5.2f}, logit {mean(shift):+7.2f} ± {stdev(shift):.2f}"
        )

# %% [markdown]
# Unchanged, these 2,000 digits have an FD of 1.4. Changes of 1 of 255 hardly matter, whichever way. At 4, random signs double it (2.6) and
# the aimed ones quadruple it (5.9); at 16 they cost 79 and 119. Of what is *added* to the 1.4, the aimed change has nearly five times as
# much as the random one at 1 of 255, and one and a half times at 16: the larger the change, the less it matters that it was aimed. D can be
# moved, too: 16 of 255 at random lower its logit by a third of a standard deviation. Along its own gradient they lower it by 1.5, but raise
# it by 0.6 only: *this* D is more easily put off than won over (the cut-off at black may help). And the two do not fear the same: what
# costs FD most moves the logit by 0.24.
#
# Alfarra and others (2022) do the same to Inception: real photographs, changed so that nobody sees it, get a poor FID, and images of low
# quality get a very good score. A metric is a network, and can be attacked like one. Nobody attacks yours on purpose, but a *generator
# that is trained or selected by the metric's own features* does.
#
# ## 8 All models, one report
# The five GANs of digits that ship, beside real training digits in the place of samples, from `benchmarks/all_models.py`: 5,000
# samples each against the 10,000 test digits, three seeds of the codes. Mean and standard deviation over the seeds; every checkpoint was
# trained once.

# %%
SHOWN = {
    "frechet_distance": ("FD", 1),
    "kernel_distance": ("KD", 2),
    "precision": ("precision", 2),
    "recall": ("recall", 2),
    "density": ("density", 2),
    "coverage": ("coverage", 2),
    "classes_kl": ("KL", 3),
    "pairwise_distance": ("distance", 1),
    "ms_ssim": ("MS-SSIM", 3),
    "closer_than_held_out": ("copies", 2),
    "two_sample_accuracy": ("two-sample", 2),
}
print(f"{models['samples']:,} samples; {models['features']}; {models['hardware']}\n")
print(f"{'':<20}" + "".join(f"{title:>14}" for title, _ in SHOWN.values()))
for name, rows in by_model.items():
    cells = [
        f"{mean(row[key] for row in rows):.{n}f} ± {stdev(row[key] for row in rows):.{n}f}"
        for key, (_, n) in SHOWN.items()
    ]
    print(f"{name:<20}" + "".join(f"{cell:>14}" for cell in cells))

# %%
figure, axes = plt.subplots(1, 2, figsize=(9.5, 3.6), layout="constrained", facecolor="white")
for (name, rows), colour, marker in zip(by_model.items(), (plots.COLOURS[6], *plots.COLOURS), "*osv^D", strict=False):
    for axis, (x_key, y_key) in zip(axes, (("recall", "precision"), ("coverage", "density")), strict=True):
        axis.scatter(
            [row[x_key] for row in rows], [row[y_key] for row in rows], color=colour, marker=marker, s=40, label=name
        )
        axis.set(xlabel=x_key, ylabel=y_key)
        axis.grid(alpha=0.3)
axes[1].legend(frameon=False, fontsize=8, loc="upper left", bbox_to_anchor=(1.01, 1))
plt.close(figure)
plots.show(
    figure,
    alt="Precision against recall, and density against coverage, of five generators and of real training digits; three dots each.",
)

# %% [markdown]
# **By FD** the order is projection (1.6), InfoGAN (2.6), dcgan-fast (9.5), wgan-gp-fast (37.7), dcgan (58.5); KD agrees. Real digits of the
# training split stand at 0.8, so an FD of 1.6 is close.
#
# **But two numbers see a trade.** `infogan-fast-mnist` has the precision of real digits (0.93) and *more* density than they have (0.96
# against 0.91), with a recall of 0.81 where real digits have 0.94. It draws typical digits and leaves out odd ones. `projection-mnist`
# has the reverse: less precision (0.90), more recall (0.90). Which is better depends on what you want, and FD has decided for you.
#
# **No sign of copying, in these features.** A copy would be closer to the training set than held-out digits in all pairs, as the training
# digits are (1.00). The generators lie between 0.08 and 0.49: *farther* away than held-out digits, because they are worse, or as near.
# `infogan-fast-mnist` has the 0.49; its high density need not come from copies. Section 5.3 showed what this test would miss.
#
# **The judge**: a linear classifier tells dcgan from real in 84% of cases, projection in 56%; and real training digits from real test
# digits in 52%, with p between 0.004 and 0.015. A p below 0.01 is no proof of a bad generator: the writers differ, and the classifier
# behind the features has seen the one and not the other.
#
# **Mind the numbers of samples**: coverage of real digits is 0.83 here, because 5,000 samples cannot visit 10,000 balls as well as 10,000
# could.
#
# The same table for *your* checkpoints is one command, and with `--html` it writes a page with pictures that needs nothing else:
#
# ```
# python -m gan_course evaluate dcgan-fast-mnist projection-mnist infogan-fast-mnist --data mnist --html report.html
# ```
#
# What it does, in a few lines: draw, judge, write.

# %%
rows, pictures = [], {"real": real_images[:64]}
for name in ("dcgan-fast", "projection", "infogan-fast"):
    like_real = real_set.labels if name == "projection" else None  # a conditional G is asked for the real labels
    numbers, samples = metrics.judge(generators[name], real, extractor, n=COUNT, seed=0, labels=like_real, title=name)
    rows.append({"checkpoint": f"{name}-mnist", "data": "mnist", "seed": 0, **numbers})
    pictures[name] = samples
print(report.text(rows))
page = report.html(rows, pictures)
print(
    f"\nthe HTML page: {len(page) / 1000:,.0f} kB, {page.count('<img')} pictures inside, {page.count('http')} links to elsewhere"
)

# %% [markdown]
# ## 9 The damage slider
# Now you are the judge of the judges. Choose a damage, move the slider, and watch which number moves first. Real digits are on both
# sides, so what moves with the slider is the damage. Try: at which strength do *you* notice the noise, and at which does FD? Drop classes
# and watch precision.

# %%
size = device.by_profile(smoke=60, laptop=500, gpu=1_000)
panel = widgets.DamagePanel(honest_set.subset(slice(0, size)), real_set.subset(slice(0, size)), extractor)
panel

# %%
plots.show(
    panel.figure(steps=device.by_profile(smoke=2, laptop=5, gpu=5)),
    alt="Six rows, one a damage: digits without, with half and with full damage; beside them FD and KD, and precision, recall, density and coverage, against the strength.",
)

# %% [markdown]
# ## 10 Break it
# ### 10.1 A better number without a better model
# No weight changes in this section, and the numbers do. **First**: the truncation trick. Brock and others (2019) draw every number of a
# code again until it lies within a threshold; here, more simply, codes are drawn from N(0, s²) with s below 1. They lie nearer to the
# middle, where the density of codes is highest (but see below).

# %%
N = device.by_profile(smoke=150, laptop=1_000, gpu=5_000)
scales = device.by_profile(smoke=(0.6, 1.0), laptop=(0.5, 0.6, 0.7, 0.8, 0.9, 1.0), gpu=(0.5, 0.6, 0.7, 0.8, 0.9, 1.0))
columns = ("FD", "precision", "recall", "density", "coverage")
figure, axes = plt.subplots(1, 2, figsize=(9, 3.1), layout="constrained", facecolor="white", sharey=True)
for axis, name in zip(axes, ("projection", "dcgan-fast"), strict=True):
    g = generators[name]
    z, told = (
        torch.randn(N, g.latent_dim, generator=device.seed(0)),
        (real_set.labels[:N],) if name == "projection" else (),
    )
    truncated = []
    for scale in scales:
        with torch.inference_mode():
            features = torch.cat(
                [
                    extractor(data.to_uint8(g(*part)))
                    for part in zip((scale * z).split(250), *(y.split(250) for y in told), strict=True)
                ]
            )
        truncated.append(
            (metrics.frechet_distance(real, features.double()), *metrics.prdc(real[:N], features.double()))
        )
        print(
            f"{name:<12} s {scale:.1f}  "
            + "  ".join(f"{column} {value:.2f}" for column, value in zip(columns, truncated[-1], strict=True))
        )
    for i, (colour, line) in enumerate(zip(plots.COLOURS, ("-", "--", "-.", ":"), strict=False), 1):
        axis.plot(scales, [row[i] for row in truncated], color=colour, linestyle=line, label=columns[i])
    axis.set(xlabel="s, the scale of the codes", title=f"{name}-mnist", ylim=(0, None))
    axis.grid(alpha=0.3)
axes[0].legend(frameon=False, fontsize=8)
plt.close(figure)
plots.show(
    figure,
    alt="Precision, recall, density and coverage against the scale of the codes. Projection: precision and density rise and recall falls as the scale falls. dcgan-fast: all of them fall.",
)

# %% [markdown]
# With `projection-mnist` it does what the paper's trick does: precision and density rise, above those of real digits, and recall pays for
# it. A paper that shows truncated pictures beside an untruncated FD has shown you two generators. FD is *not* pleased: it takes the
# missing variety for what it is.
#
# With `dcgan-fast-mnist` the trick does not work at all: precision falls, too. That short codes are safe is no law. In a hundred
# dimensions hardly any code of the training is that short (lesson 03), and a network need not do well where it has never been.
#
# **Second**: more samples. **Third**: the best of several seeds. Here is the FD of `dcgan-fast-mnist` four times.

# %%
g, everything = generators["dcgan-fast"], fakes["dcgan-fast"]
settings = {
    f"{min(500, COUNT)} samples": metrics.frechet_distance(real, everything[:500]),
    f"{COUNT:,} samples": metrics.frechet_distance(real, everything),
    f"{COUNT:,} samples, extrapolated": metrics.extrapolated_frechet(
        real, everything, points=8, smallest=max(150, COUNT // 4)
    ).value,
    f"the best of 5 seeds of {min(500, COUNT)}": min(
        metrics.frechet_distance(real, extractor(data.to_uint8(training.sample(g, min(500, COUNT), seed=i))).double())
        for i in range(5)
    ),
}
for name, value in settings.items():
    print(f"{name:<40} FD (digit features) {value:6.2f}")

# %% [markdown]
# **How to catch it**: a number without its N, its features, its truncation and its spread over seeds is not a number. Ask for precision
# *and* recall beside it. Rerun the rival under the same protocol, in the same run.
#
# ### 10.2 The wrong range
# `images / 2 + 0.5` is how one shows tanh images with matplotlib. Hand those to the metric by mistake: they lie in [0, 1], which is
# inside [-1, 1], and no range check can complain.

# %%
floats = training.sample(g, N, seed=1)  # float in [-1, 1]
right = metrics.compare(real_images[:N], floats, extractor)
wrong = metrics.compare(real_images[:N], floats / 2 + 0.5, extractor)
for name, row in (("in [-1, 1]", right), ("in [0, 1], by mistake", wrong)):
    print(f"{name:<24} FD {row['frechet_distance']:8.2f}, precision {row['precision']:.2f}, recall {row['recall']:.2f}")
background = {
    name: x.amin().item()
    for name, x in (("right", floats), ("wrong", floats / 2 + 0.5), ("real", data.to_float(real_images)))
}
print("the darkest pixel:", {name: round(value, 2) for name, value in background.items()})
plots.show(
    plots.comparison({"right": floats[:16], "wrong": (floats / 2 + 0.5)[:16]}, height=1.8),
    alt="Sixteen digits on black, and the same on grey: what the metric was shown.",
)

# %% [markdown]
# The cure is one line, and it comes before any metric: print the smallest and the largest value of both sets, and **draw what the metric is
# given**: the images after `data.to_uint8`, which the metric uses itself. A test helps, too: real images in the place of fakes, through
# the same code, must give the FD of honest images.
#
# ## 11 Summary
# | number | question | blind to | needs |
# |---|---|---|---|
# | Inception Score | clear and evenly frequent classes? | the data, variety inside a class | a classifier |
# | FD (FID) | same mean and covariance of features? | all else; mixes fidelity and variety | many samples, always the same number |
# | KD (KID) | same moments up to the third? | the rest; mixes both | few samples; subsets give the spread |
# | precision, density | do fakes lie among reals? | what is missing; copies | equal numbers, a k |
# | recall, coverage | do fakes reach all reals? | copies, and bad fakes beside the good | equal numbers, a k |
# | precision-recall curve | same shares of the same cells? | what happens inside a cell; copies | as many real as fake |
# | mean distance, MS-SSIM, modes | are samples unlike one another? | whether they are any good | classes, for modes |
# | path length | does the image follow the code smoothly? | quality | float images, a look at the lengths |
# | nearest training image | nearer than held-out images? | copies that are far in these features | the training set *and* held-out images |
# | two-sample test | can a classifier tell? | what this classifier cannot see | a half for training |
# | pixel accuracy, PSNR, SSIM | is each output its target? | that other answers could be right | pairs, and a rival that does nothing |
#
# - Every number belongs to its features, its number of samples, and the way the images took.
# - Compare with real images in the place of the fakes, not with 0 or 1.
# - Two numbers at least: one for fidelity, one for variety. A third for copies. And look at the samples.
#
# **Answer without looking**
# 1. A generator has an FD of 12 from 50,000 samples, its rival 14 from 5,000. Which is better?
# 2. Your KD is -0.003. What do you write into the table?
# 3. Precision rose from 0.7 to 0.9 and recall fell from 0.6 to 0.2. Name two changes, one of which needs no training.
# 4. Ten pictures, again and again, get an Inception Score of 9.3 of 10, and real digits 7.3. Which number says what is wrong?
# 5. FD is 0, and a child sees that the images are wrong. How can that be?
# 6. Your samples are all 0.1 away from a training image. Is that copying? What do you need to know?
# 7. Why does the code ask for the (k+1)-th smallest distance when it takes the radius of a ball?
# 8. A classifier tells your samples from real ones with an accuracy of 0.52 and p = 0.001. Good or bad?
# 9. What does the mean path length of a generator with a categorical code tend to, as the step gets smaller?
#
# **Next** Lesson 11: other generative models, by the same numbers.
#
# **References**
# - T. Salimans, I. Goodfellow, W. Zaremba, V. Cheung, A. Radford, X. Chen: [Improved Techniques for Training
#   GANs](https://arxiv.org/abs/1606.03498), NIPS 2016: the Inception Score, section 4.
# - M. Heusel, H. Ramsauer, T. Unterthiner, B. Nessler, S. Hochreiter: [GANs Trained by a Two Time-Scale Update Rule Converge to a Local
#   Nash Equilibrium](https://arxiv.org/abs/1706.08500), NIPS 2017: the FID.
# - D. C. Dowson, B. V. Landau: [The Fréchet Distance between Multivariate Normal
#   Distributions](https://doi.org/10.1016/0047-259X(82)90077-X), Journal of Multivariate Analysis, 1982.
# - M. Bińkowski, D. J. Sutherland, M. Arbel, A. Gretton: [Demystifying MMD GANs](https://arxiv.org/abs/1801.01401), ICLR 2018: the KID.
# - M. S. M. Sajjadi, O. Bachem, M. Lucic, O. Bousquet, S. Gelly: [Assessing Generative Models via Precision and
#   Recall](https://arxiv.org/abs/1806.00035), NeurIPS 2018: the curve.
# - T. Kynkäänniemi, T. Karras, S. Laine, J. Lehtinen, T. Aila: [Improved Precision and Recall Metric for Assessing Generative
#   Models](https://arxiv.org/abs/1904.06991), NeurIPS 2019.
# - M. F. Naeem, S. J. Oh, Y. Uh, Y. Choi, J. Yoo: [Reliable Fidelity and Diversity Metrics for Generative
#   Models](https://arxiv.org/abs/2002.09797), ICML 2020: density and coverage.
# - T. Karras, S. Laine, T. Aila: [A Style-Based Generator Architecture for Generative Adversarial
#   Networks](https://arxiv.org/abs/1812.04948), CVPR 2019: the path length, section 4.1; and T. Karras, S. Laine, M. Aittala, J. Hellsten,
#   J. Lehtinen, T. Aila: [Analyzing and Improving the Image Quality of StyleGAN](https://arxiv.org/abs/1912.04958), CVPR 2020.
# - Z. Wang, E. P. Simoncelli, A. C. Bovik: [Multiscale Structural Similarity for Image Quality
#   Assessment](https://doi.org/10.1109/ACSSC.2003.1292216), Asilomar Conference, 2003; and A. Odena, C. Olah, J. Shlens: [Conditional
#   Image Synthesis with Auxiliary Classifier GANs](https://arxiv.org/abs/1610.09585), ICML 2017.
# - C. Meehan, K. Chaudhuri, S. Dasgupta: [A Non-Parametric Test to Detect Data-Copying in Generative
#   Models](https://arxiv.org/abs/2004.05675), AISTATS 2020.
# - H. B. Mann, D. R. Whitney: On a Test of Whether One of Two Random Variables Is Stochastically Larger than the Other, Annals of
#   Mathematical Statistics, 1947.
# - R. Zhang, P. Isola, A. A. Efros, E. Shechtman, O. Wang: [The Unreasonable Effectiveness of Deep Features as a Perceptual
#   Metric](https://arxiv.org/abs/1801.03924), CVPR 2018: LPIPS.
# - D. Lopez-Paz, M. Oquab: [Revisiting Classifier Two-Sample Tests](https://arxiv.org/abs/1610.06545), ICLR 2017.
# - M. J. Chong, D. Forsyth: [Effectively Unbiased FID and Inception Score and Where to Find Them](https://arxiv.org/abs/1911.07023), CVPR
#   2020.
# - G. Parmar, R. Zhang, J.-Y. Zhu: [On Aliased Resizing and Surprising Subtleties in GAN
#   Evaluation](https://arxiv.org/abs/2104.11222), CVPR 2022.
# - M. Alfarra, J. C. Pérez, A. Frühstück, P. H. S. Torr, P. Wonka, B. Ghanem: [On the Robustness of Quality Measures for
#   GANs](https://arxiv.org/abs/2201.13019), ECCV 2022; and I. Goodfellow, J. Shlens, C. Szegedy: [Explaining and Harnessing Adversarial
#   Examples](https://arxiv.org/abs/1412.6572), ICLR 2015.
# - M.-Y. Liu, T. Breuel, J. Kautz: [Unsupervised Image-to-Image Translation Networks](https://arxiv.org/abs/1703.00848), NIPS 2017: the
#   tolerance of 16.
#
# **Further reading**
# - L. Theis, A. van den Oord, M. Bethge: [A Note on the Evaluation of Generative Models](https://arxiv.org/abs/1511.01844), ICLR 2016: why
#   likelihood, samples and nearest neighbours can all disagree.
# - S. Barratt, R. Sharma: [A Note on the Inception Score](https://arxiv.org/abs/1801.01973), 2018.
# - A. Brock, J. Donahue, K. Simonyan: [Large Scale GAN Training for High Fidelity Natural Image
#   Synthesis](https://arxiv.org/abs/1809.11096), ICLR 2019: the truncation trick.
# - T. Kynkäänniemi, T. Karras, M. Aittala, T. Aila, J. Lehtinen: [The Role of ImageNet Classes in Fréchet Inception
#   Distance](https://arxiv.org/abs/2203.06026), ICLR 2023.
# - G. Stein and others: [Exposing Flaws of Generative Model Evaluation Metrics and Their Unfair Treatment of Diffusion
#   Models](https://arxiv.org/abs/2306.04675), NeurIPS 2023.
