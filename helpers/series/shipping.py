"""Trains the networks that ship in `helpers/pretrained/`: `make pretrained`.

The one that reads follows the recipe `BEST` on the whole training set, once for each seed,
and that of the first seed ships. That choice is fixed beforehand, so the test set, read
once for each network, decides nothing. Beside it lies a network that has learned MNIST as
it is, by the recipe `QUICK`: notebook 01 shows what it makes of other pictures.

The one that reads gets a head that tells digits from what is none, and at its side a network
reads two digits that touch. `python -m helpers.series.shipping --only head` trains the first
alone, on the network that ships already, and `--only pairs` the second.
"""

import argparse
import os
import platform
from collections.abc import Sequence
from dataclasses import asdict
from importlib.metadata import version
from pathlib import Path

from helpers import places
from helpers.data import Mnist, load_mnist
from helpers.errors import ending_in_one_sentence
from helpers.facts import read_facts, sha256, write_facts
from helpers.files import atomic_write
from helpers.learning.backend import keras
from helpers.learning.checkpoints import removed_when_done
from helpers.learning.evaluation import accuracy, predict_probabilities
from helpers.learning.likeness import train_head, with_head
from helpers.learning.pairs import train_pair_network
from helpers.learning.progress import Progress
from helpers.learning.saving import export_litert, load_model, save_model
from helpers.learning.training import BEST, QUICK, train
from helpers.places import (
    CARD_FILE,
    HEAD_FILE,
    LITERT_FILE,
    MNIST_ONLY_LITERT,
    MNIST_ONLY_MODEL,
    MODEL_FILE,
    PAIRS_FILE,
    PRETRAINED_FOLDER,
    trained_folder,
)
from helpers.series.outliers import draw_outliers, redraw_digits
from helpers.series.pairs import draw_pairs

import numpy as np
import yaml

SEEDS = (0, 1, 2, 3, 4)
COMMAND = "make pretrained"
SHIPPED = (
    MODEL_FILE, HEAD_FILE, LITERT_FILE, MNIST_ONLY_MODEL.name, MNIST_ONLY_LITERT.name, PAIRS_FILE,
)  # fmt: skip
ONLY = "python -m helpers.series.shipping --only"
# What the head learns from. As many digits again are taken as they come.
REDRAWN_DIGITS, OUTLIERS = 12_000, 24_000
# What the network for pairs learns from, half of them pairs; the last training digits are left for
# `benchmarks.pages`.
WINDOWS, HELD_OUT = 40_000, 10_000


def describe(model: keras.Model, scores: np.ndarray, mnist_only: float) -> dict:
    """Collect the facts of the model card.

    Args:
        model: The network that ships.
        scores: Test accuracy of the network of each seed, (seeds,), 0 to 1.
        mnist_only: Accuracy on the validation part of the network that knows only MNIST.
    """
    return {
        "task": "Read one handwritten digit, 28 x 28 pixels prepared the way MNIST was.",
        "input": "(n, 28, 28, 1) pixels, 0 background to 255 ink; scaling is part of the network",
        "output": (
            f"(n, 10) probabilities of the digits 0 to 9; {LITERT_FILE} also gives (n, 1), how "
            "much it is like a digit at all, 0 to 1"
        ),
        "parameters": model.count_params(),
        "training data": "the 60,000 digits of the MNIST training set",
        "recipe": asdict(BEST),
        "command": COMMAND,
        "seed that ships": SEEDS[0],
        "test accuracy": {
            "seeds": list(SEEDS),
            "scores": [round(score, 4) for score in scores.tolist()],
            "mean": round(float(scores.mean()), 5),
            "std": round(float(scores.std(ddof=1)), 5),
        },
        "mnist only": {
            "recipe": asdict(QUICK),
            "seed": SEEDS[0],
            "training data": "the MNIST training set without the 5,000 validation digits",
            "validation accuracy": round(mnist_only, 4),
        },
        "machine": f"{platform.machine()}, {os.cpu_count()} cores, {platform.system()}",
        "versions": {
            "python": platform.python_version(),
            "tensorflow": version("tensorflow"),
            "keras": version("keras"),
        },
        "licence": "MIT",
        "limits": (
            "The probabilities know nothing but digits: a letter or a scribble is some digit to "
            "them, and only the head objects, not always. Pictures must be prepared with "
            "helpers.reading.prepare_digit."
        ),
    }


def describe_head(head: keras.Model) -> dict:
    """Collect what the model card says of the head."""
    return {
        "parameters": head.count_params(),
        "sees": "the network's last feature map and its probabilities; the network stays as it is",
        "learned from": (
            f"{REDRAWN_DIGITS:,} training digits as they are, as many drawn with other pens, and "
            f"{OUTLIERS:,} drawings of what is none: signs of the fonts of Matplotlib unlike any "
            "digit, lines, halves of digits, two in one, digits turned or mirrored"
        ),
        "command": f"{ONLY} head",
    }


def describe_pairs(pair_network: keras.Model) -> dict:
    """Collect what the model card says of the network for pairs."""
    return {
        "parameters": pair_network.count_params(),
        "input": "(n, 28, 56, 1) pixels, 0 background to 255 ink",
        "output": (
            "(n, 2, 10) probabilities of the left and of the right digit if there are two, and "
            "(n, 1), how sure it is that there are"
        ),
        "learned from": (
            f"{WINDOWS:,} drawings, half of them two digits that touch, of all training digits "
            f"but the last {HELD_OUT:,}"
        ),
        "command": f"{ONLY} pairs",
    }


def render_card(card: dict) -> str:
    """Write a model card as a Markdown page, with the YAML head that the Hugging Face hub reads."""
    figures, mnist_only = card["test accuracy"], card["mnist only"]
    recipe = ", ".join(
        f"{name.replace('_', ' ')} {value}" for name, value in card["recipe"].items()
    )
    files = "\n".join(f"- `{name}`: SHA-256 `{digest}`" for name, digest in card["files"].items())
    return f"""---
{yaml.safe_dump(_hub_metadata(card), sort_keys=False)}---

# The network that ships

{card["task"]}

- Input: {card["input"]}.
- Output: {card["output"]}.
- Parameters: {card["parameters"]:,}.
- Trained on {card["training data"]}, by `{card["command"]}`.
- Recipe: {recipe}.
- Head, in `{LITERT_FILE}` and by itself in `{HEAD_FILE}`: {card["head"]["parameters"]:,}
  parameters. It sees {card["head"]["sees"]}. It
  learned from {card["head"]["learned from"]}. `{card["head"]["command"]}` trains it anew.
- For two digits that touch, in `{PAIRS_FILE}`: a network of {card["pairs"]["parameters"]:,}
  parameters, from {card["pairs"]["input"]}, to {card["pairs"]["output"]}. It learned from
  {card["pairs"]["learned from"]}. `{card["pairs"]["command"]}` trains it anew.
- Test accuracy: {figures["mean"]:.2%} ± {figures["std"]:.2%} (mean ± sample standard deviation
  over the seeds {figures["seeds"]}; each: {figures["scores"]}). Seed {card["seed that ships"]}
  ships; that was fixed before any was trained.
- Beside it, for comparison: `{MNIST_ONLY_MODEL.name}` and `{MNIST_ONLY_LITERT.name}`, a small
  network that has seen MNIST as it is and nothing else: {mnist_only["training data"]}.
  Accuracy of seed {mnist_only["seed"]} on the others: {mnist_only["validation accuracy"]:.2%}.
- Machine: {card["machine"]}.
- Versions: {", ".join(f"{name} {number}" for name, number in card["versions"].items())}.
- Limits: {card["limits"]}
- Licence: {card["licence"]}.

## Files

{files}
"""


def _hub_metadata(card: dict) -> dict:
    """What https://huggingface.co/docs/hub/model-cards asks for in the head of a card."""
    figures = card["test accuracy"]
    shipped = figures["scores"][figures["seeds"].index(card["seed that ships"])]
    result = {
        "task": {"type": "image-classification"},
        "dataset": {"type": "ylecun/mnist", "name": "MNIST", "split": "test"},
        "metrics": [{"type": "accuracy", "value": shipped}],
    }
    return {
        "license": card["licence"].lower(),
        "library_name": "keras",
        "pipeline_tag": "image-classification",
        "tags": ["mnist", "handwritten-digits", "litert"],
        "datasets": ["ylecun/mnist"],
        "metrics": ["accuracy"],
        "model-index": [{"name": "mnist-notebooks", "results": [result]}],
    }


def train_on_mnist_only(mnist: Mnist) -> tuple[keras.Model, float]:
    """Train the network for comparison, and score it on the validation part.

    The notebooks show it that part in many ways, so it must not have learned from it.

    Args:
        mnist: The data.

    Returns:
        The network and its accuracy.
    """
    images, labels, judge = mnist.x_train, mnist.y_train, mnist.judge
    progress = Progress("MNIST only")
    model, _ = train(images[mnist.learn], labels[mnist.learn], SEEDS[0], QUICK, progress=progress)
    return model, accuracy(predict_probabilities(model, images[judge]), labels[judge])


def train_all(mnist: Mnist, checkpoints: Path) -> tuple[keras.Model, np.ndarray]:
    """Train a network for each seed on the whole training set; score each once on the test set.

    Args:
        mnist: The data.
        checkpoints: A folder from which an interrupted run resumes.

    Returns:
        The network of the first seed, and the accuracies (seeds,).
    """
    models, scores = [], []
    for seed in SEEDS:
        model, _ = train(
            mnist.x_train,
            mnist.y_train,
            seed=seed,
            recipe=BEST,
            progress=Progress(f"seed {seed}"),
            checkpoints=checkpoints,
        )
        models.append(model)
        scores.append(accuracy(predict_probabilities(model, mnist.x_test), mnist.y_test))
        print(f"seed {seed}: test accuracy {scores[-1]:.2%}", flush=True)
    return models[0], np.array(scores)


def train_its_head(model: keras.Model, images: np.ndarray, labels: np.ndarray) -> keras.Model:
    """Draw what a head learns from, and train it: two minutes.

    Args:
        model: The finished network.
        images: Its training digits, (n, 28, 28) uint8.
        labels: Their labels, (n,).

    Returns:
        The head, for `helpers.learning.likeness.with_head`.
    """
    few = images[:REDRAWN_DIGITS]
    redrawn = redraw_digits(images[-REDRAWN_DIGITS:], labels[-REDRAWN_DIGITS:], SEEDS[0])
    outliers = draw_outliers(images, labels, OUTLIERS, SEEDS[0])
    return train_head(model, np.concatenate([few, redrawn]), outliers, SEEDS[0])


def train_for_pairs(images: np.ndarray, labels: np.ndarray) -> keras.Model:
    """Draw what the network for pairs learns from, and train it: ten minutes.

    Args:
        images: Training digits, (n, 28, 28) uint8.
        labels: Their labels, (n,).
    """
    drawn = draw_pairs(images[:-HELD_OUT], labels[:-HELD_OUT], WINDOWS, SEEDS[0])
    return train_pair_network(*drawn, SEEDS[0], Progress("pairs"))


def publish(
    model: keras.Model,
    head: keras.Model,
    pair_network: keras.Model,
    mnist_only: keras.Model,
    card: dict,
    folder: Path = PRETRAINED_FOLDER,
) -> None:
    """Write to a folder the network, its head, those beside it, and the card.

    The card gains the entries "head", "pairs", and "files" with the SHA-256 of each file.
    """
    save_model(model, folder / MODEL_FILE)
    save_model(mnist_only, folder / MNIST_ONLY_MODEL.name)
    export_litert(mnist_only, folder / MNIST_ONLY_LITERT.name)
    _publish_head(model, head, card, folder)
    _publish_pairs(pair_network, card, folder)
    _publish_card(card, folder)


def _publish_head(model: keras.Model, head: keras.Model, card: dict, folder: Path) -> None:
    save_model(head, folder / HEAD_FILE)
    export_litert(with_head(model, head), folder / LITERT_FILE)
    card["head"] = describe_head(head)


def _publish_pairs(pair_network: keras.Model, card: dict, folder: Path) -> None:
    export_litert(pair_network, folder / PAIRS_FILE)
    card["pairs"] = describe_pairs(pair_network)


def _publish_card(card: dict, folder: Path) -> None:
    card["files"] = {name: sha256(folder / name) for name in SHIPPED}
    write_facts(card, folder / CARD_FILE)
    with atomic_write(folder / "README.md") as unfinished:
        unfinished.write_text(render_card(card), encoding="utf-8")


def main(arguments: Sequence[str] | None = None) -> None:
    """Train, score and publish: `python -m helpers.series.shipping`."""
    parser = argparse.ArgumentParser(
        prog="python -m helpers.series.shipping", description="Train the networks that ship."
    )
    parser.add_argument(
        "--only",
        choices=("head", "pairs"),
        help="train only the head of the one that ships already, or only the one for pairs",
    )
    options = parser.parse_args(arguments)
    with ending_in_one_sentence():
        places.require_project()
        mnist = load_mnist(full=True)
        if options.only:
            card = read_facts(PRETRAINED_FOLDER / CARD_FILE)
            if options.only == "head":
                model = load_model(PRETRAINED_FOLDER / MODEL_FILE)
                head = train_its_head(model, mnist.x_train, mnist.y_train)
                _publish_head(model, head, card, PRETRAINED_FOLDER)
            else:
                pair_network = train_for_pairs(mnist.x_train, mnist.y_train)
                _publish_pairs(pair_network, card, PRETRAINED_FOLDER)
            _publish_card(card, PRETRAINED_FOLDER)
            return
    with removed_when_done(trained_folder(is_full=True) / "unfinished-shipping") as checkpoints:
        mnist_only, its_score = train_on_mnist_only(mnist)
        model, scores = train_all(mnist, checkpoints)
        head = train_its_head(model, mnist.x_train, mnist.y_train)
        pair_network = train_for_pairs(mnist.x_train, mnist.y_train)
        publish(model, head, pair_network, mnist_only, describe(model, scores, its_score))


if __name__ == "__main__":
    main()
