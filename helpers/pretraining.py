"""Trains the network that ships in `helpers/pretrained/`: `make pretrained`.

It follows the recipe of the notebooks on the whole full training set, once for
each seed, and ships the network of the first seed, which is fixed beforehand:
the test set is read once a network and decides nothing.
"""

import os
import platform
import sys
from dataclasses import asdict
from importlib.metadata import version
from pathlib import Path

from helpers.backend import keras
from helpers.checkpoints import removed_when_done
from helpers.data import DataError, Mnist, load_mnist
from helpers.evaluation import accuracy, predict_probabilities
from helpers.files import written_whole
from helpers.progress import Progress
from helpers.saving import (
    CARD_FILE,
    LITERT_FILE,
    MODEL_FILE,
    PRETRAINED_FOLDER,
    export_litert,
    save_model,
    sha256,
    trained_folder,
    write_facts,
)
from helpers.training import BEST, train

import numpy as np

SEEDS = (0, 1, 2, 3, 4)
COMMAND = "make pretrained"


def describe(model: keras.Model, scores: np.ndarray) -> dict:
    """Collect the facts of the model card.

    Args:
        model: The network that ships.
        scores: Test accuracy of the network of each seed, (seeds,), 0 to 1.
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
        "machine": f"{platform.machine()}, {os.cpu_count()} cores, {platform.system()}",
        "versions": {
            "python": platform.python_version(),
            "tensorflow": version("tensorflow"),
            "keras": version("keras"),
        },
        "licence": "MIT",
        "limits": (
            "It knows nothing but digits: a letter or a scribble is given as some digit. "
            "Pictures must be prepared with helpers.preparation."
        ),
    }


def render_card(card: dict) -> str:
    """Write the facts of a model card as a Markdown page for people."""
    figures = card["test accuracy"]
    recipe = ", ".join(
        f"{name.replace('_', ' ')} {value}" for name, value in card["recipe"].items()
    )
    files = "\n".join(f"- `{name}`: SHA-256 `{digest}`" for name, digest in card["files"].items())
    return f"""# The network that ships

{card["task"]}

- Input: {card["input"]}.
- Output: {card["output"]}.
- Parameters: {card["parameters"]:,}.
- Trained on {card["training data"]}, by `{card["command"]}`.
- Recipe: {recipe}.
- Test accuracy: {figures["mean"]:.2%} ± {figures["std"]:.2%} (mean ± sample standard deviation
  over the seeds {figures["seeds"]}; each: {figures["scores"]}). Seed {card["seed that ships"]}
  ships; that was fixed before any was trained.
- Machine: {card["machine"]}.
- Versions: {", ".join(f"{name} {number}" for name, number in card["versions"].items())}.
- Limits: {card["limits"]}
- Licence: {card["licence"]}.

## Files

{files}
"""


def train_all(mnist: Mnist, checkpoints: Path) -> tuple[keras.Model, np.ndarray]:
    """Train one network a seed on the whole training set and score each on the test set once.

    Args:
        mnist: The data.
        checkpoints: A folder from which a run that was broken off goes on.

    Returns:
        The network of the first seed, and the accuracies (seeds,).
    """
    x_train, x_test = mnist.x_train[..., None], mnist.x_test[..., None]
    shipped, scores = None, []
    for seed in SEEDS:
        model, _ = train(
            x_train,
            mnist.y_train,
            seed=seed,
            recipe=BEST,
            progress=Progress(f"seed {seed}"),
            checkpoints=checkpoints,
        )
        scores.append(accuracy(predict_probabilities(model, x_test), mnist.y_test))
        shipped = model if shipped is None else shipped
        print(f"seed {seed}: test accuracy {scores[-1]:.2%}", flush=True)
    return shipped, np.array(scores)


def publish(model: keras.Model, card: dict, folder: Path = PRETRAINED_FOLDER) -> None:
    """Write the network in both formats and its card into a folder.

    The card gets an entry "files": the SHA-256 of both.
    """
    save_model(model, folder / MODEL_FILE)
    export_litert(model, folder / LITERT_FILE)
    card["files"] = {name: sha256(folder / name) for name in (MODEL_FILE, LITERT_FILE)}
    write_facts(card, folder / CARD_FILE)
    with written_whole(folder / "README.md") as unfinished:
        unfinished.write_text(render_card(card), encoding="utf-8")


def main() -> None:
    """Train, score and publish: `python -m helpers.pretraining`."""
    os.environ["MNIST_DATA"] = "full"
    try:
        mnist = load_mnist()
    except DataError as error:
        sys.exit(f"error: {error}")
    with removed_when_done(trained_folder(is_full=True) / "unfinished-pretraining") as checkpoints:
        model, scores = train_all(mnist, checkpoints)
        publish(model, describe(model, scores))


if __name__ == "__main__":
    main()
