"""The recipe that trains the network of this series, and the function that follows it.

`train` always builds a fresh network, so nothing leaks from one training into the next.
`helpers.learning.evaluation` judges the result.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from helpers.checks import CLASSES, as_images, as_labels, check_number
from helpers.errors import ArgumentError
from helpers.learning.augmentation import RETHICKENED, training_batches
from helpers.learning.backend import keras, tf
from helpers.learning.checkpoints import Checkpoint, fingerprint
from helpers.learning.models import NETWORKS, build_cnn
from helpers.learning.muon import ConvolutionMuon
from helpers.learning.progress import Progress

import numpy as np
import pandas as pd

OPTIMIZERS = ("muon", "adamw", "sgd")


@dataclass(frozen=True)
class Recipe:
    """Everything that `train` needs to know besides the data.

    Attributes:
        epochs: Passes through the training set, at least 1.
        network: "tiny", "small" or "large"; see `helpers.learning.models.build_cnn`.
        peak_learning_rate: The highest learning rate of the one-cycle schedule.
        dropout: Share of the last feature map zeroed during training; see `build_cnn`.
        batch_size: Images for each step of the optimizer, at least 1.
        warmup: Share of all steps in which the learning rate rises, 0 to 1.
        weight_decay: Decoupled weight decay, multiplied by the learning rate.
        label_smoothing: Probability taken from the label and spread over all digits, 0 to
            below 1.
        warp_strength: Strength of the random warps; 0 switches them off.
        rethickened: Share of images whose strokes are made thicker or thinner, 0 to 1.
        redrawn: Share of images redrawn with other pens, and ones with a flag, 0 to 1.
        relit: Share of images shown under other light, on other paper, noisy or partly covered,
            0 to 1; see `helpers.learning.light`. In the last epochs it is less; see `relit_share`.
        optimizer: "muon" (for convolutions, AdamW for the rest), or for everything "adamw" or
            "sgd", which has a momentum of 0.9.

    Raises:
        ArgumentError: If one of them is out of range.
    """

    epochs: int
    network: str
    peak_learning_rate: float
    dropout: float
    batch_size: int = 128
    warmup: float = 0.25
    weight_decay: float = 0.5
    label_smoothing: float = 0.05
    warp_strength: float = 1.0
    rethickened: float = RETHICKENED
    redrawn: float = 0.0
    relit: float = 0.0
    optimizer: str = "muon"

    def __post_init__(self) -> None:
        for name, choices in (("network", NETWORKS), ("optimizer", OPTIMIZERS)):
            value = getattr(self, name)
            if not isinstance(value, str) or value not in choices:
                raise ArgumentError(f"{name} must be one of {', '.join(choices)}, not {value!r}.")
        for name in ("epochs", "batch_size"):
            check_number(getattr(self, name), name, 1, whole=True)
        for name in ("peak_learning_rate", "weight_decay", "warp_strength"):
            check_number(getattr(self, name), name, 0)
        for name in ("warmup", "rethickened", "redrawn", "relit"):
            check_number(getattr(self, name), name, 0, 1)
        for name in ("dropout", "label_smoothing"):
            check_number(getattr(self, name), name, 0, 1, below=True)


# One recipe for repeating an experiment, one for the network that is kept.
QUICK = Recipe(epochs=6, network="small", peak_learning_rate=1e-2, dropout=0.2)
BEST = Recipe(
    epochs=9, network="large", peak_learning_rate=8e-3, dropout=0.3, redrawn=0.12, relit=0.5
)

# Keras 3.15 creates two iterators per epoch and consumes only the first.
ITERATORS_PER_EPOCH = 2


def relit_share(recipe: Recipe, epoch: int) -> float:
    """Share of images under other light in an epoch, counted from 0.

    In the last fifth of the epochs it falls to 0.4 of what the recipe says: as the learning
    rate falls, the network settles on digits as MNIST shows them.
    """
    is_late = recipe.epochs - epoch <= round(recipe.epochs / 5)
    return recipe.relit * (0.4 if is_late else 1.0)


class Relighting(keras.callbacks.Callback):
    """Sets the share of images under other light when an epoch begins.

    Attributes:
        share: A variable for `training_batches`; Keras reads the batches of an epoch after that.
    """

    def __init__(self, recipe: Recipe) -> None:
        """Begin with the share of the first epoch of a recipe."""
        super().__init__()
        self.recipe = recipe
        self.share = tf.Variable(relit_share(recipe, epoch=0))

    def on_epoch_begin(self, epoch: int, logs: dict | None = None) -> None:
        """Set the share of this epoch."""
        self.share.assign(relit_share(self.recipe, epoch))


def one_cycle(peak: float, steps: int, warmup: float) -> keras.optimizers.schedules.CosineDecay:
    """Learning rate that rises linearly from 0 to its peak, then falls to 0 along a cosine.

    A variant of the schedule of Smith and Topin, "Super-convergence", 2017
    (arXiv:1708.07120), whose rate rises and falls along straight lines.

    Args:
        peak: The highest learning rate.
        steps: Optimizer steps in the whole training.
        warmup: Share of the steps in which the rate rises, between 0 and 1.

    Returns:
        A schedule: the learning rate by the number of the step.

    Raises:
        ArgumentError: If one of them is out of range.
    """
    check_number(peak, "peak", 0)
    check_number(steps, "steps", 1, whole=True)
    check_number(warmup, "warmup", 0, 1)
    rising = max(1, round(warmup * steps))
    return keras.optimizers.schedules.CosineDecay(
        0.0, decay_steps=max(1, steps - rising), warmup_target=peak, warmup_steps=rising
    )


def train(
    images: np.ndarray,
    labels: np.ndarray,
    seed: int,
    recipe: Recipe = QUICK,
    validation: tuple[np.ndarray, np.ndarray] | None = None,
    progress: Progress | None = None,
    callbacks: Sequence[keras.callbacks.Callback] = (),
    checkpoints: Path | None = None,
) -> tuple[keras.Model, dict[str, list[float]]]:
    """Train a fresh network by a recipe.

    Args:
        images: Training images, (n, 28, 28) or (n, 28, 28, 1), 0 to 255.
        labels: Their labels, (n,) integers, 0 to 9.
        seed: Decides initial weights, order, augmentation and dropout: two runs with the
            same seed on the same machine give the same network. It also seeds Python,
            NumPy and TensorFlow as a whole.
        recipe: Epochs, network, optimizer, regularisation and augmentation.
        validation: Images and labels to score after each epoch, never trained on.
        progress: Shows how far the training is; by default a line of its own.
        callbacks: Passed on to `fit`.
        checkpoints: A folder for the state after each epoch. An interrupted training
            resumes from there and ends with the same network as an uninterrupted one; see
            `helpers.learning.checkpoints`.

    Returns:
        The trained network, and for each measure its value after each epoch:
        "loss", "accuracy" and "seconds", with validation data also "val_loss" and
        "val_accuracy".

    Raises:
        ArgumentError: If images, labels, validation, recipe or seed are unusable.
    """
    images = as_images(images)
    labels = as_labels(labels, len(images))
    if validation is not None:
        validation = _checked_validation(validation)
    if not isinstance(recipe, Recipe):
        raise ArgumentError(f"recipe must be a Recipe, but is a {type(recipe).__name__}.")
    check_number(seed, "seed", 0, 2**32 - 1, whole=True)
    # Seeds Python, NumPy, TensorFlow and Keras; on a CPU, a training then repeats to the bit.
    keras.utils.set_random_seed(seed)
    model = build_cnn(recipe.network, recipe.dropout, seed)
    relighting = Relighting(recipe)
    batches = training_batches(
        images,
        one_hot(labels),
        recipe.batch_size,
        seed,
        warp_strength=recipe.warp_strength,
        rethickened=recipe.rethickened,
        redrawn=recipe.redrawn,
        relit=relighting.share if recipe.relit else 0.0,
    )
    model.compile(
        optimizer=make_optimizer(recipe, steps=len(batches) * recipe.epochs),
        loss=keras.losses.CategoricalCrossentropy(label_smoothing=recipe.label_smoothing),
        metrics=[keras.metrics.CategoricalAccuracy("accuracy")],
    )
    # Variables of the optimizer, or of a metric given by name, would be created while Keras
    # translates the first step into a graph, and then it would translate the step once more.
    model.optimizer.build(model.trainable_variables)
    path = None
    if checkpoints is not None:
        key = fingerprint(images, labels, seed, recipe, *(validation or ()))
        path = Path(checkpoints) / f"{key}.npz"
    checkpoint = Checkpoint(path)
    epochs_done = checkpoint.restore(model)
    # Each iterator draws its own shuffle and augmentation seeds: skip those of finished epochs.
    for _ in range(epochs_done * ITERATORS_PER_EPOCH):
        iter(batches)
    if epochs_done < recipe.epochs:
        model.fit(
            batches,
            validation_data=validation and (validation[0], one_hot(validation[1])),
            validation_batch_size=1000,
            initial_epoch=epochs_done,
            epochs=recipe.epochs,
            callbacks=[checkpoint, relighting, progress or Progress(), *callbacks],
            shuffle=False,  # The batches are shuffled already.
            verbose=0,
        )
    return model, checkpoint.history


def make_optimizer(recipe: Recipe, steps: int) -> keras.optimizers.Optimizer:
    """Make the optimizer of a recipe, on a one-cycle schedule over so many steps."""
    schedule = one_cycle(recipe.peak_learning_rate, steps, recipe.warmup)
    decay = recipe.weight_decay
    if recipe.optimizer == "adamw":
        return keras.optimizers.AdamW(schedule, weight_decay=decay)
    if recipe.optimizer == "sgd":
        return keras.optimizers.SGD(schedule, momentum=0.9, weight_decay=decay)
    return ConvolutionMuon(schedule, weight_decay=decay, adam_weight_decay=decay)


def one_hot(labels: np.ndarray) -> np.ndarray:
    """Turn labels (n,) into rows (n, 10) float32 with a 1 at the label, as smoothing needs."""
    return keras.utils.to_categorical(labels, CLASSES)


def history_frame(history: dict[str, list[float]]) -> pd.DataFrame:
    """Turn the history of a training into a table with the column "epoch", from 1.

    Args:
        history: For each measure its value after each epoch, as `train` returns it.

    Returns:
        A row for each epoch, a column for each measure.
    """
    frame = pd.DataFrame(history)
    frame.insert(0, "epoch", np.arange(1, len(frame) + 1))
    return frame


def _checked_validation(
    validation: tuple[np.ndarray, np.ndarray],
) -> tuple[np.ndarray, np.ndarray]:
    if not isinstance(validation, tuple | list) or len(validation) != 2:
        raise ArgumentError("validation must be a pair: images, and their labels.")
    images, labels = validation
    images = as_images(images, "validation images")
    return images, as_labels(labels, len(images), "validation labels")
