# %% [markdown]
# # Start here
#
# {{badges}}
#
# **Time** about 30 minutes, of which 1 to 2 are computing on a two-core laptop; on a T4 not measured yet.
#
# **You need** basic Python and PyTorch: tensors, a network, a training step.
#
# In this lesson you will
# - steer a trained GAN by hand, and see what it has and has not learned,
# - train one yourself, on this machine, in under a minute,
# - find out how lessons, exercises and profiles work.
#
# **Contents** 1 Set up · 2 Predict · 3 Steer a GAN · 4 Train one yourself · 5 Are these copies? · 6 Break it ·
# 7 How this course works · 8 Exercises · 9 Summary

# %% [markdown]
# ## 1 Set up
# Run the next two cells. They find the course, and say what this machine is, how long the lesson will take, and in which
# *profile* it runs, that is at which size (section 7).

# %%
# {{setup}}

# %%
import torch

from gan_course import checks, data, device, methods, metrics, plots, training, widgets

device.announce(laptop="about a minute on two CPU cores", gpu="not measured yet, less than on a CPU")

# %% [markdown]
# ## 2 Predict
# A **generator** is a network that takes a list of random numbers, the **code** *z*, and draws an image from it. The one
# that you are about to meet draws handwritten digits of 28 x 28 pixels. It was trained with 60,000 real ones and
# no labels: nobody told it what a 3 is. It never saw one of the real ones itself; section 4 says how that can work.
#
# Before you go on, guess: **how many random numbers does it take to draw one digit?** Write your guess into the cell,
# run it, and let the check answer. A wrong guess costs nothing, and you remember better what you have guessed first.
#
# **Exercise 1** · easy · 1 minute

# %% exercise="how_many_numbers"
### BEGIN SOLUTION
guess = 100
### STUB
# guess = None  # replace None by a number: 10, 100, 784, ...
### END SOLUTION

# %%
checks.lesson00.how_many_numbers(guess)

# %% [markdown]
# <details><summary>Hint</summary>
#
# 10 is the number of digits, 784 the number of pixels. Section 3 shows the answer, or come back here afterwards.
#
# </details>
#
# <!-- solution: how_many_numbers -->

# %% [markdown]
# ## 3 Steer a GAN
# The generator comes with the course. It is a small DCGAN, a GAN made of convolutions (lesson 03), and was trained by the
# recipe `dcgan-fast`; a **recipe** is the list of everything that has to be chosen for a training. The generator's **model
# card** says how it was made; every network that ships has one.

# %%
generator, card = training.load_network("dcgan-fast-mnist")

print(f"recipe {card['recipe']['name']}, {card['steps']:,} steps in {card['seconds']:.0f} s on {card['hardware']}")
print(f"a code of {generator.latent_dim} numbers in, an image of {generator.image_shape} out")
print(f"{card['parameters']:,} parameters, {card['bytes'] / 1e6:.1f} MB (stored as 16-bit numbers)")

# %% [markdown]
# Now move the sliders. Each one pushes the code along one direction, by up to three standard deviations of the
# numbers in a code. Then walk: *Reset*, *Keep as A*, *New random*, *Keep as B*, and play; the digits in between were never
# drawn by anybody. *New random* leaves the sliders where they are, *Reset* goes back to the first code. (No sliders to be
# seen? Run the cell. The figure below it shows the same without a running kernel.)
#
# The directions are not random ones. They are those along which the drawing changes most at the start code.
# (You need not understand the next cell: it nudges each number of the code, sees how the pixels change, and a singular value
# decomposition finds the four mixtures of numbers that change them most.)


# %%
def strongest_directions(generator, z, count=4):
    """The directions in which a small step from z (latent_dim,) changes the image most: (count, latent_dim)."""
    step = 0.01
    moved = generator(z + step * torch.eye(len(z), device=z.device))  # (100, 1, 28, 28): one number of z moved in each
    slopes = (moved - generator(z[None])).flatten(1) / step  # (100, 784)
    return torch.linalg.svd(slopes.T, full_matrices=False).Vh[:count].cpu()


z = torch.randn(1, generator.latent_dim, generator=torch.Generator().manual_seed(17))  # (1, 100)
directions = strongest_directions(generator, z[0].to(device.get()))
explorer = widgets.LatentExplorer(generator, generator.latent_dim, directions=directions, codes=z, seed=1)
explorer

# %%
plots.show(
    explorer.figure(),
    alt="Five strips of generated digits. In the first four one code moves along one direction each and the digit "
    "changes smoothly into others; the fifth walks from digit A to digit B.",
)

# %% [markdown]
# Look for three things:
# 1. **The change is smooth.** A small step in the code is a small step in the image. No loss asks for that.
# 2. **Between two digits lie strokes that are no digit.** The space of codes has no gaps, the set of digits has.
# 3. **One direction does several things at once**: shape, slant, thickness. To take them apart is lesson 07.

# %% [markdown]
# ## 4 Train one yourself
# The **discriminator** is the second network. It sees real digits and drawn ones, and learns to tell them apart; the
# generator learns to be taken for real. It never sees a real image: all it gets is the discriminator's gradient, which says
# how each of its drawings should change to look more real. They take turns, and that is the whole idea. Here it runs on
# your machine, from random weights, with the same recipe as above.

# %%
images = data.load("mnist")
print(images)

run = training.Run(methods.RECIPES["dcgan-fast"], images, seed=0)
snapshots = training.Snapshots(n=6, frames=10)
run = training.train(
    run,
    seconds=device.by_profile(smoke=1, laptop=45, gpu=45),
    callbacks=[training.ProgressBar(), snapshots],
    log_every=device.by_profile(smoke=2, laptop=20, gpu=50),
)

# %% [markdown]
# Each row is one code, drawn again and again while the generator learned. Plain grey first, then blobs and strokes, then
# mostly digits. Towards the end the pictures hardly change any more: what is drawn is an average of the generator over many
# steps (lesson 03), and the steps get smaller.

# %%
plots.show(
    plots.film_strip(snapshots),
    alt="A table of small images: one row a code, one column a moment of the training. On the left plain grey, "
    "on the right digits that can be read.",
)

# %%
plots.show(
    plots.comparison(
        {
            "real digits": images.images[:36],
            f"yours, after {run.seconds:.0f} s": training.sample(run.sampler, 36),
            f"shipped, after {card['seconds']:.0f} s": training.sample(generator, 36),
        }
    ),
    alt="Three grids of 36 digits: real ones, those of the generator just trained, and those of the shipped one.",
)

# %% [markdown]
# How good is it, in a number? The **Frechet distance** (FD) compares two sets of images by the mean and covariance of
# what a small digit classifier sees in them. *Lower is better; 0 means that the two cannot be told apart this way.* Two
# sets of real digits are not at 0 either, because both are finite: the first row is the mark to reach.
# Training stopped after a fixed time, so on a slower machine yours has made fewer steps and its FD is higher. Lesson 10
# takes the FD to pieces. Until then remember that it needs thousands of images, and that it belongs to its features:
# an FD on digit features is not the FID of a paper (Fréchet *Inception* distance: the same formula on the features of
# Inception, a network that was trained on photographs).

# %%
count = device.by_profile(smoke=500, laptop=5_000, gpu=10_000)
test_digits = data.load("mnist", "test").images[:count]
extractor = metrics.extractor_for("mnist", images.image_shape)
real_features = extractor(test_digits)

candidates = {
    "other real digits": images.images[:count],
    "shipped generator": data.to_uint8(training.sample(generator, count)),
    "yours": data.to_uint8(training.sample(run.sampler, count)),
    "an untrained generator": data.to_uint8(training.sample(training.Run(run.recipe, images, seed=1).generator, count)),
}
for name, candidate in candidates.items():
    print(f"{name:>23}: FD ({extractor.name}) {metrics.frechet_distance(real_features, extractor(candidate)):8.1f}")

# %% [markdown]
# ## 5 Are these copies?
# > **Myth** "A GAN stores its training images and pastes them together."
#
# Look at the evidence: for each of 500 drawn digits, the nearest of all 60,000 training images, by pixel distance.

# %%
drawn = training.sample(generator, 500, seed=3)  # (500, 1, 28, 28)
rows = data.to_float(images.images).flatten(1)  # (60000, 784)
distances = torch.cdist(drawn.flatten(1), rows)  # (500, 60000)
nearest = images.images[distances[:8].argmin(1)]
of_real = torch.cdist(data.to_float(test_digits[:500]).flatten(1), rows).amin(1)

for name, found in {"drawn": distances.amin(1), "real test": of_real}.items():
    print(f"{name:>9} digit to its nearest training digit: {found.mean():.1f} on average, {found.amin():.1f} at least")
plots.show(
    plots.grid(
        torch.cat([data.to_uint8(drawn[:8]), nearest]),
        "drawn (above), nearest training image (below)",
        columns=8,
        height=2.2,
    ),
    alt="Eight drawn digits above, and below each its nearest training image: alike in kind, different in stroke.",
)

# %% [markdown]
# A copy would have the distance 0. Compare the two averages: do drawn digits lie closer to the training set than new real
# digits do? Relatives, not copies. (A bad drawing is far from everything, pixel distance would miss a shifted copy, and
# large models on small sets do memorise. Lesson 10 puts this test itself on trial.)

# %% [markdown]
# ## 6 Break it
# The generator learned on codes from a standard normal distribution. What if the numbers are two, three, six times as
# large? Codes that are too large are the cause, the FD is the number, and the cure comes after the figure. (N(0, s²) is the
# normal distribution with mean 0 and standard deviation s.)


# %%
@torch.inference_mode()
def fd_of_codes(scale):
    """FD (digit features) of what the generator draws from codes of N(0, scale^2)."""
    z = scale * torch.randn(count, generator.latent_dim, generator=torch.Generator().manual_seed(0))
    drawn = torch.cat([generator(part.to(device.get())).cpu() for part in z.split(500)])  # (count, 1, 28, 28)
    return metrics.frechet_distance(real_features, extractor(data.to_uint8(drawn)))


for scale in (1, 2, 3, 6):
    print(f"codes {scale} times as large: FD ({extractor.name}) {fd_of_codes(scale):8.1f}")

z = torch.randn(36, generator.latent_dim, generator=torch.Generator().manual_seed(0)).to(device.get())
with torch.inference_mode():
    drawn = {f"codes from N(0, {scale}²)": generator(scale * z).cpu() for scale in (1, 3, 6)}
plots.show(
    plots.comparison(drawn),
    alt="Three grids of the same 36 codes, as they are, three times and six times as large: the strokes get harder, "
    "break, and lose their digit.",
)

# %% [markdown]
# It does not fall apart at once. The generator never got a gradient for such codes, so what it draws there is an accident of
# its weights: here harder and broken strokes, and an FD several times as large. The cure is one factor: draw codes from the
# distribution that it was trained with. You will meet this again as the *truncation trick*, which uses it the other way
# round: smaller codes for safer pictures with less variety (a later lesson).

# %% [markdown]
# ## 7 How this course works
# **Lessons** follow one pattern: you predict, build each piece by hand, train, analyse, break it on purpose, mend it. What
# the lesson builds by hand is asserted equal to the package `gan_course`, and later lessons import it from there.
#
# **Profiles** decide how large a lesson runs. `laptop` trains for at most five minutes, `gpu` is full size, `smoke` only
# proves that the code runs. The course chooses; the environment variable `GAN_COURSE_PROFILE` overrides.

# %%
print("this profile:", device.profile())
print("steps for a tiny demonstration:", device.by_profile(smoke=1, laptop=100, gpu=10_000))

# %% [markdown]
# **Exercises** have a difficulty, minutes, hints that you unfold one after the other, and a solution. The check under an
# exercise says *passed*, *not yet* with what is wrong, or *not attempted*. It tests what your answer does and not how it is
# written, and it never stops the notebook.

# %% [markdown]
# ## 8 Exercises
# **Exercise 2** · easy · 5 minutes
#
# Images are stored as whole numbers from 0 (black) to 255 (white). The generator ends in a tanh and draws in [-1, 1]. Both
# networks must see real images in that range too. Write the conversion: `pixels` is a uint8 tensor of any shape; return a float
# tensor of the same shape in which 0 has become -1 and 255 has become 1.


# %% exercise="to_minus_one_one"
def to_minus_one_one(pixels):
    """uint8 pixels in 0..255, any shape -> float in [-1, 1], the same shape."""
    ### BEGIN SOLUTION
    return pixels.float() / 127.5 - 1
    ### END SOLUTION


# %%
checks.lesson00.to_minus_one_one(to_minus_one_one)

# %% [markdown]
# <details><summary>Hint 1</summary>
#
# Dividing by 255 gives [0, 1]. What must be done to [0, 1] to make it [-1, 1]?
#
# </details>
#
# <details><summary>Hint 2</summary>
#
# uint8 cannot hold negative numbers or halves. `pixels.float()` comes first.
#
# </details>
#
# <!-- solution: to_minus_one_one -->

# %% [markdown]
# **Exercise 3** · medium · 8 minutes
#
# *Keep as A*, *Keep as B*, play: write the walk yourself. Given two codes of shape `(latent_dim,)` and a number of steps, return
# the codes on the way, one a row, both ends included.


# %% exercise="walk"
def walk(start, end, steps):
    """Codes from start to end: (latent_dim,), (latent_dim,), number -> (steps, latent_dim)."""
    ### BEGIN SOLUTION
    t = torch.linspace(0, 1, steps)[:, None]  # (steps, 1)
    return (1 - t) * start + t * end
    ### END SOLUTION


# %%
checks.lesson00.walk(walk)

# %% [markdown]
# <details><summary>Hint 1</summary>
#
# With one number t: `(1 - t) * start + t * end` is `start` at t = 0 and `end` at t = 1.
#
# </details>
#
# <details><summary>Hint 2</summary>
#
# A column of t of shape (steps, 1) times a code of shape (latent_dim,) gives (steps, latent_dim).
#
# </details>
#
# <!-- solution: walk -->

# %% [markdown]
# The next cell draws two walks between the same codes: the straight line above, and below the arc on a sphere round 0, by the
# course's own `slerp` (spherical interpolation). The line cuts through codes that are shorter than nearly all that the generator was trained on (lesson 03). Compare the middle
# of both rows: the difference is small, and you may have to look for it. To draw your own, replace `straight` by
# `walk(ends[0], ends[1], 12)`.

# %%
ends = torch.randn(2, generator.latent_dim, generator=torch.Generator().manual_seed(18))
t = torch.linspace(0, 1, 12)
straight = torch.lerp(ends[:1], ends[1:], t[:, None])  # (12, 100)
arc = widgets.slerp(ends[0], ends[1], t)  # (12, 100)
with torch.inference_mode():
    drawn = generator(torch.cat([straight, arc]).to(device.get())).cpu()  # (24, 1, 28, 28)
plots.show(
    plots.grid(drawn, "from one code to another: straight (above), along the arc (below)", columns=12, height=1.7),
    alt="Two rows of twelve digits with the same first and last digit; each changes step by step into the last.",
)

# %% [markdown]
# ## 9 Summary
# - A generator turns a code of random numbers into an image; close codes give similar images.
# - It learns by trying to be taken for real by a discriminator, which learns at the same time. No labels are needed.
# - It draws well only from codes like those it was trained with.
# - "Looks good" is not a number. FD is one, and it always belongs to a set of features.
#
# **Answer without looking**
# 1. What goes into this generator, and what comes out? Give both shapes.
# 2. Why does the generator never see a training image, and still learn what they look like?
# 3. Why is an FD of 20 on digit features not comparable with an FID of 20?
# 4. What would you have to change to have the digits drawn in [0, 1]?
#
# **Next** Lesson 01: the concepts behind it, with every claim tried out.
#
# **References**
# - I. Goodfellow, J. Pouget-Abadie, M. Mirza, B. Xu, D. Warde-Farley, S. Ozair, A. Courville, Y. Bengio:
#   [Generative Adversarial Networks](https://arxiv.org/abs/1406.2661), NIPS 2014.
# - A. Radford, L. Metz, S. Chintala: [Unsupervised Representation Learning with Deep Convolutional Generative Adversarial
#   Networks](https://arxiv.org/abs/1511.06434), ICLR 2016.
# - M. Heusel, H. Ramsauer, T. Unterthiner, B. Nessler, S. Hochreiter: [GANs Trained by a Two Time-Scale Update Rule Converge
#   to a Local Nash Equilibrium](https://arxiv.org/abs/1706.08500), NIPS 2017 (the Frechet distance for GANs).
# - Y. LeCun, L. Bottou, Y. Bengio, P. Haffner: Gradient-Based Learning Applied to Document Recognition, Proceedings of the
#   IEEE 86(11), 1998 (MNIST).
