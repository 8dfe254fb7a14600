"""What ships meets its card: each file from a fresh load, and one metric of each recomputed."""

import json

import pytest
import torch

from gan_course import data, metrics, training
from gan_course.data.images import to_float
from gan_course.training.checkpoint import CHECKPOINT_FOLDER, shipped

CARDS = {name: json.loads((CHECKPOINT_FOLDER / f"{name}.json").read_text(encoding="utf-8")) for name in shipped()}
TRANSLATIONS = [name for name, card in CARDS.items() if card.get("data") in data.PAIRS]
DOMAINS = [name for name, card in CARDS.items() if card.get("data") == "digit-domains"]
GENERATORS = [name for name in shipped() if not name.startswith("features-") and name not in TRANSLATIONS + DOMAINS]
CLASSIFIERS = {"features-digits": (["mnist"], 0.99), "features-fashion": (["fashion"], 0.89)}
CLASSIFIERS["features-emoji"] = (["emoji-noto", "emoji-twemoji"], 0.6)


def test_the_promised_checkpoints_ship():
    assert {
        "dcgan-mnist",
        "dcgan-fast-mnist",
        "wgan-gp-fast-mnist",
        *CLASSIFIERS,
        "projection-mnist",
        "infogan-fast-mnist",
        *(f"{name}-mnist" for name in ("vae", "rbm", "autoregressive", "flow", "ddpm")),
    } <= set(shipped())


def test_checkpoints_are_small():
    sizes = [path.stat().st_size for path in CHECKPOINT_FOLDER.glob("*.safetensors")]
    assert max(sizes) <= 3e6 and sum(sizes) <= 20e6


@pytest.mark.parametrize("name", shipped())
def test_each_has_a_card_that_says_how_it_was_made(name):
    card = CARDS[name]
    for key in (
        "network",
        "parameters",
        "steps",
        "seed",
        "seconds",
        "hardware",
        "metrics",
        "sha256",
        "torch",
        "script",
    ):
        assert key in card, key


@pytest.mark.parametrize("name", CLASSIFIERS)
def test_classifiers_are_as_accurate_as_their_cards_say(name):
    sets, least = CLASSIFIERS[name]
    network, card = training.load_network(name, "cpu")
    tests = [data.load(s, "test") for s in sets]
    images, labels = torch.cat([t.images for t in tests]), torch.cat([t.labels for t in tests])
    with torch.inference_mode():
        guesses = torch.cat([network(to_float(part)).argmax(1) for part in images.split(500)])
    accuracy = (guesses == labels).double().mean().item()
    assert accuracy == pytest.approx(card["metrics"]["test_accuracy"], abs=0.003) and accuracy > least


def asked_for(generator, real, stated):
    """The card's samples as uint8, and their classes where the generator is told one: as often as in the test split."""
    n = stated["fake_images"]
    labels = real.labels[torch.arange(n) % len(real)] if hasattr(generator, "classes") else None
    return data.to_uint8(training.sample(generator, n, stated["seed"], labels=labels)), labels


@pytest.mark.parametrize("name", GENERATORS)
def test_a_metric_of_each_card_within_5_percent(name):
    generator, card = training.load_network(name, "cpu")
    real = data.load(card["data"], "test")
    extractor = metrics.extractor_for(real.name, real.image_shape, torch.device("cpu"))
    stated = card["metrics"] | card["metrics"].get("check", {})
    fake, _ = asked_for(generator, real, stated)
    value = metrics.frechet_distance(extractor(real.images), extractor(fake))
    assert value == pytest.approx(stated["frechet_distance"], rel=0.05) and extractor.name == stated["features"]


def test_the_best_conditional_generator_draws_what_it_is_asked_for():
    generator, card = training.load_network("projection-mnist", "cpu")
    real = data.load("mnist", "test")
    fake, labels = asked_for(generator, real, card["metrics"])
    seen = metrics.extractor_for("mnist", real.image_shape, torch.device("cpu")).classify(fake)
    accuracy = (seen == labels).double().mean().item()
    assert len(fake) == 10_000 and accuracy > 0.98
    assert accuracy == pytest.approx(card["metrics"]["accuracy"], abs=0.002)


def test_the_categories_of_infogan_are_as_pure_as_its_card_says():
    generator, card = training.load_network("infogan-fast-mnist", "cpu")
    stated = card["metrics"]
    z = torch.randn(10_000, generator.latent_dim, generator=torch.Generator().manual_seed(stated["seed"]))
    fake = data.to_uint8(training.sample(generator, 10_000, stated["seed"]))
    seen = metrics.extractor_for("mnist", generator.image_shape, torch.device("cpu")).classify(fake)
    assert metrics.purity(generator.codes(z).category, seen).matched == pytest.approx(stated["purity"], abs=0.005)


@pytest.mark.parametrize("name", TRANSLATIONS)
def test_translations_score_on_the_test_pairs_what_their_cards_say(name):
    generator, card = training.load_network(name, "cpu")
    stated = card["metrics"]
    (_, row), _ = metrics.compare_translations({name: generator}, data.load(card["data"], "test"), stated["seed"])
    for score in metrics.PairScores._fields:
        assert row[score] == pytest.approx(stated[score], rel=0.01), score
        assert row["over_copying"][score] == pytest.approx(stated["over_copying"][score], rel=0.05, abs=0.01), score


@pytest.mark.parametrize("name", DOMAINS)
def test_translations_between_domains_are_as_near_the_truth_as_their_cards_say(name):
    generator, card = training.load_network(name, "cpu")
    stated, digits = card["metrics"], data.load("mnist", "test")
    found = metrics.compare_domains(generator, digits.subset(slice(200)))
    for score in ("l1", "l1_of_strokes", "ssim", "obeyed", "digit"):
        assert found[score] == pytest.approx(stated[score], rel=0.05), score
    copied = metrics.compare_domains(lambda images, *_: images, digits.subset(slice(200)))
    ways = [(i, j) for i in range(len(found["l1_by_pair"])) for j in range(len(found["l1_by_pair"])) if i != j]
    for i, j in ways:  # slanted digits go only a part of the way (lesson 09, section 10.4), but that they go
        assert found["l1_by_pair"][i][j] < copied["l1_by_pair"][i][j], (i, j)
    assert found["l1_of_strokes"] < 0.7 * copied["l1_of_strokes"]
