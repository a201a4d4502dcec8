"""Trains the networks that ship in `helpers/pretrained/`: `make pretrained`.

The one that reads follows the recipe `BEST` on the whole training set, once for each seed,
and that of the first seed ships. That choice is fixed beforehand, so the test set, read
once for each network, decides nothing. Beside it lies a network that has learned MNIST as
it is, by the recipe `QUICK`: notebook 01 shows what it makes of other pictures.
"""

import os
import platform
from dataclasses import asdict
from importlib.metadata import version
from pathlib import Path

from helpers import places
from helpers.data import Mnist, load_mnist
from helpers.errors import ending_in_one_sentence
from helpers.facts import sha256, write_facts
from helpers.files import atomic_write
from helpers.learning.backend import keras
from helpers.learning.checkpoints import removed_when_done
from helpers.learning.evaluation import accuracy, predict_probabilities
from helpers.learning.progress import Progress
from helpers.learning.saving import export_litert, save_model
from helpers.learning.training import BEST, QUICK, train
from helpers.places import (
    CARD_FILE,
    LITERT_FILE,
    MNIST_ONLY_LITERT,
    MNIST_ONLY_MODEL,
    MODEL_FILE,
    PRETRAINED_FOLDER,
    trained_folder,
)

import numpy as np
import yaml

SEEDS = (0, 1, 2, 3, 4)
COMMAND = "make pretrained"


def describe(model: keras.Model, scores: np.ndarray, mnist_only: float) -> dict:
    """Collect the facts of the model card.

    Args:
        model: The network that ships.
        scores: Test accuracy of the network of each seed, (seeds,), 0 to 1.
        mnist_only: Test accuracy of the network that knows only MNIST.
    """
    return {
        "task": "Read one handwritten digit, 28 x 28 pixels prepared the way MNIST was.",
        "input": "(n, 28, 28, 1) pixels, 0 background to 255 ink; scaling is part of the network",
        "output": "(n, 10) probabilities of the digits 0 to 9",
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
            "test accuracy": round(mnist_only, 4),
        },
        "machine": f"{platform.machine()}, {os.cpu_count()} cores, {platform.system()}",
        "versions": {
            "python": platform.python_version(),
            "tensorflow": version("tensorflow"),
            "keras": version("keras"),
        },
        "licence": "MIT",
        "limits": (
            "It knows nothing but digits: a letter or a scribble is given as some digit. "
            "Pictures must be prepared with helpers.reading.prepare_digit."
        ),
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
- Test accuracy: {figures["mean"]:.2%} ± {figures["std"]:.2%} (mean ± sample standard deviation
  over the seeds {figures["seeds"]}; each: {figures["scores"]}). Seed {card["seed that ships"]}
  ships; that was fixed before any was trained.
- Beside it, for comparison: `{MNIST_ONLY_MODEL.name}` and `{MNIST_ONLY_LITERT.name}`, a small
  network that has seen MNIST as it is and nothing else. Test accuracy of seed
  {mnist_only["seed"]}: {mnist_only["test accuracy"]:.2%}.
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
    """Train the network for comparison on the whole training set; score it on the test set.

    Args:
        mnist: The data.

    Returns:
        The network and its accuracy.
    """
    progress = Progress("MNIST only")
    model, _ = train(mnist.x_train, mnist.y_train, SEEDS[0], QUICK, progress=progress)
    return model, accuracy(predict_probabilities(model, mnist.x_test), mnist.y_test)


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


def publish(
    model: keras.Model, mnist_only: keras.Model, card: dict, folder: Path = PRETRAINED_FOLDER
) -> None:
    """Write to a folder the network, the one for comparison, both in both formats, and the card.

    The card gains an entry "files" with the SHA-256 of each.
    """
    names = []
    for network, kept, for_reading in (
        (model, MODEL_FILE, LITERT_FILE),
        (mnist_only, MNIST_ONLY_MODEL.name, MNIST_ONLY_LITERT.name),
    ):
        save_model(network, folder / kept)
        export_litert(network, folder / for_reading)
        names += [kept, for_reading]
    card["files"] = {name: sha256(folder / name) for name in names}
    write_facts(card, folder / CARD_FILE)
    with atomic_write(folder / "README.md") as unfinished:
        unfinished.write_text(render_card(card), encoding="utf-8")


def main() -> None:
    """Train, score and publish: `python -m helpers.series.shipping`."""
    with ending_in_one_sentence():
        places.require_project()
        mnist = load_mnist(full=True)
    with removed_when_done(trained_folder(is_full=True) / "unfinished-shipping") as checkpoints:
        mnist_only, its_score = train_on_mnist_only(mnist)
        model, scores = train_all(mnist, checkpoints)
        publish(model, mnist_only, describe(model, scores, its_score))


if __name__ == "__main__":
    main()
