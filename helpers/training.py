"""The recipe by which the network of this series is trained, and one function that follows it.

`train` always makes a fresh network, so nothing leaks from one training to the
next. Judging the result is the business of `helpers.evaluation`.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from helpers.augmentation import training_batches
from helpers.backend import keras
from helpers.checkpoints import Checkpoint, fingerprint
from helpers.models import CLASSES, build_cnn
from helpers.muon import ConvolutionMuon
from helpers.progress import Progress

import numpy as np


@dataclass(frozen=True)
class Recipe:
    """What `train` needs to know besides the data.

    Attributes:
        epochs: Passes through the training set.
        network: The size that `helpers.models.build_cnn` takes.
        peak_learning_rate: The highest learning rate of the one-cycle schedule.
        dropout: Share of the last feature map zeroed during training, see `build_cnn`.
        batch_size: Images for each step of the optimizer.
        warmup: Share of all steps in which the learning rate rises.
        weight_decay: Decoupled weight decay, a factor on the learning rate.
        label_smoothing: Probability taken from the label and given to all digits alike.
        augmentation: Strength of the random warps; 0 switches them off.
        thickness: Share of images whose strokes are made thicker or thinner.
        other_hands: Share of images drawn anew with other pens, ones with a flag.
    """

    epochs: int
    network: str
    peak_learning_rate: float
    dropout: float
    batch_size: int = 128
    warmup: float = 0.25
    weight_decay: float = 0.5
    label_smoothing: float = 0.05
    augmentation: float = 1.0
    thickness: float = 1 / 3
    other_hands: float = 0.0


# One for repeating an experiment, one for the network that is kept.
QUICK = Recipe(epochs=6, network="small", peak_learning_rate=1e-2, dropout=0.2)
BEST = Recipe(epochs=9, network="large", peak_learning_rate=8e-3, dropout=0.4, other_hands=0.12)

# Keras 3.15 begins a pass through the batches at both ends of an epoch, and uses the first.
KERAS_PASSES = 2


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
    """
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
        images: Training images, (n, 28, 28, 1) uint8, 0 to 255.
        labels: Their labels, (n,) integers, 0 to 9.
        seed: Decides initial weights, order, warps and dropout; two runs with one
            seed on one machine give the same network. It is also set for Python, NumPy
            and TensorFlow as a whole.
        recipe: Epochs, batch size, learning rate and regularisation.
        validation: Images and labels to score after each epoch, never trained on.
        progress: Shows how far the training is; by default a line of its own.
        callbacks: Called by `fit` besides that.
        checkpoints: A folder in which to keep the state after each epoch. A training
            that was broken off is taken up there, and ends with the network that it
            would have ended with; see `helpers.checkpoints`.

    Returns:
        The trained network, and for each measure its value after each epoch:
        "loss" and "accuracy", with a validation part also "val_loss" and
        "val_accuracy", and "seconds".
    """
    # Of Python, NumPy, TensorFlow and Keras: on a processor, a training then repeats to the bit.
    keras.utils.set_random_seed(seed)
    model = build_cnn(recipe.network, recipe.dropout, seed)
    batches = training_batches(
        images,
        one_hot(labels),
        recipe.batch_size,
        seed,
        recipe.augmentation,
        recipe.thickness,
        recipe.other_hands,
    )
    steps = len(batches) * recipe.epochs
    model.compile(
        optimizer=ConvolutionMuon(
            one_cycle(recipe.peak_learning_rate, steps, recipe.warmup),
            weight_decay=recipe.weight_decay,
            adam_weight_decay=recipe.weight_decay,
        ),
        loss=keras.losses.CategoricalCrossentropy(label_smoothing=recipe.label_smoothing),
        metrics=["accuracy"],
    )
    key = checkpoints and fingerprint(images, labels, seed, recipe, *(validation or ()))
    checkpoint = Checkpoint(key and checkpoints / f"{key}.npz")
    epochs_done = checkpoint.restore(model)
    # Each pass through the batches draws its own order and changes: the next ones are due.
    for _ in range(epochs_done * KERAS_PASSES):
        iter(batches)
    if epochs_done < recipe.epochs:
        model.fit(
            batches,
            validation_data=validation and (validation[0], one_hot(validation[1])),
            validation_batch_size=1000,
            initial_epoch=epochs_done,
            epochs=recipe.epochs,
            callbacks=[progress or Progress(), *callbacks, checkpoint],
            shuffle=False,  # The batches shuffle themselves.
            verbose=0,
        )
    return model, checkpoint.history


def one_hot(labels: np.ndarray) -> np.ndarray:
    """Turn labels (n,) into rows (n, 10) float32 with a 1 at the label: what smoothing needs."""
    return keras.utils.to_categorical(labels, CLASSES)
