import json
import shutil

from helpers.data import Mnist
from helpers.facts import read_facts, sha256
from helpers.learning.likeness import train_head
from helpers.learning.pairs import build_pair_network
from helpers.learning.saving import load_model
from helpers.places import CARD_FILE, PRETRAINED_FOLDER
from helpers.series import shipping
from helpers.series.shipping import SEEDS, describe, publish, render_card, train_all

import numpy as np
import pytest
import yaml

NETWORKS = (
    "digits.keras", "likeness.keras", "digits.tflite", "mnist_only.keras", "mnist_only.tflite",
    "pairs.tflite",
)  # fmt: skip


@pytest.fixture(scope="module")
def head(trained, digits):
    noise = np.random.default_rng(0).integers(0, 256, (100, 28, 28))
    return train_head(trained.model, digits.images, noise, seed=0)


@pytest.fixture(scope="module")
def published(trained, head, tmp_path_factory):
    folder = tmp_path_factory.mktemp("published")
    scores = np.array([0.996, 0.995, 0.994])
    card = describe(trained.model, scores, 0.99)
    publish(trained.model, head, build_pair_network(), trained.model, card, folder)
    return folder


def test_both_formats_and_the_card_are_written(published, trained, digits):
    names = {path.name for path in published.iterdir()}
    assert names == {*NETWORKS, "card.json", "README.md"}
    images = digits.images[:5]
    expected = trained.model.predict(images, verbose=0)
    reloaded = load_model(published / "digits.keras")
    np.testing.assert_array_equal(reloaded.predict(images, verbose=0), expected)


def test_the_card_states_the_true_checksums_size_and_scores(published, trained):
    card = json.loads((published / "card.json").read_text(encoding="utf-8"))
    assert card["files"] == {name: sha256(published / name) for name in NETWORKS}
    assert card["parameters"] == trained.model.count_params()
    assert card["test accuracy"]["mean"] == pytest.approx(0.995)
    assert card["test accuracy"]["std"] == pytest.approx(0.001)


@pytest.mark.parametrize(
    ("part", "files"),
    [("head", {"likeness.keras", "digits.tflite"}), ("pairs", {"pairs.tflite"})],
)
def test_a_part_is_renewed_alone_beside_the_network_that_ships(
    published, tmp_path, monkeypatch, sample, part, files
):
    shutil.copytree(published, tmp_path / "pretrained")
    monkeypatch.setattr(shipping, "PRETRAINED_FOLDER", tmp_path / "pretrained")
    monkeypatch.setattr(shipping, "REDRAWN_DIGITS", 50)
    monkeypatch.setattr(shipping, "OUTLIERS", 100)
    monkeypatch.setattr(shipping, "WINDOWS", 200)
    monkeypatch.setattr(shipping, "HELD_OUT", 10)
    monkeypatch.setattr(shipping, "load_mnist", lambda full: sample)
    shipping.main(["--only", part])
    before, after = (
        json.loads((folder / "card.json").read_text())["files"]
        for folder in (published, tmp_path / "pretrained")
    )
    assert {name for name in NETWORKS if before[name] != after[name]} == files


def test_the_page_for_people_says_what_the_card_says(published):
    page = (published / "README.md").read_text(encoding="utf-8")
    assert "99.50% ± 0.10%" in page
    assert sha256(published / "digits.tflite") in page
    assert "make pretrained" in page


def test_the_network_of_the_first_seed_ships_whatever_the_others_score(monkeypatch, capsys):
    trained_on = []

    class Constant:
        """Gives one digit for all images."""

        def __init__(self, digit):
            self.digit = digit

        def predict(self, images, **options):
            return np.tile(np.eye(10)[self.digit], (len(images), 1))

    def constant(images, labels, seed, **options):
        trained_on.append((len(images), options.get("validation"), options["checkpoints"]))
        return Constant(seed), {}

    monkeypatch.setattr(shipping, "train", constant)
    images = np.zeros((10, 28, 28), np.uint8)
    test_labels = np.array([0, 1, 1, 1, 2, 2, 5, 5, 4, 4])
    mnist = Mnist(images, np.arange(10), images, test_labels, source="cache")
    model, scores = train_all(mnist, checkpoints="a folder")
    assert model.digit == SEEDS[0]
    assert scores.tolist() == [0.1, 0.3, 0.2, 0.0, 0.2]
    assert trained_on == [(10, None, "a folder")] * len(SEEDS)  # the test set takes no part


def test_the_card_of_the_network_that_ships_says_what_we_would_write_today(trained):
    card, today = read_facts(PRETRAINED_FOLDER / CARD_FILE), describe(trained.model, np.ones(2), 1)
    for fact in ("task", "input", "output", "training data", "limits"):
        assert card[fact] == today[fact]


def test_the_page_of_the_network_that_ships_is_that_of_its_card():
    card = read_facts(PRETRAINED_FOLDER / CARD_FILE)
    page = (PRETRAINED_FOLDER / "README.md").read_text(encoding="utf-8")
    assert page == render_card(card)


def test_the_page_has_the_head_that_the_hugging_face_hub_reads(published):
    _, head, _ = (published / "README.md").read_text(encoding="utf-8").split("---\n", 2)
    metadata = yaml.safe_load(head)
    assert metadata["license"] == "mit" and metadata["library_name"] == "keras"
    (result,) = metadata["model-index"][0]["results"]
    assert result["metrics"] == [{"type": "accuracy", "value": 0.996}]  # of seed 0, which ships
