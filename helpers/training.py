"""The recipe by which the network of this series is trained, and one function that follows it.

`train` always makes a fresh network, so nothing leaks from one training to the
next. Judging the result is the business of `helpers.evaluation`.
"""

from dataclasses import dataclass

from helpers.augmentation import training_batches
from helpers.backend import keras
from helpers.models import build_cnn
from helpers.progress import Progress

import numpy as np


@dataclass(frozen=True)
class Recipe:
    """What `train` needs to know besides the data.

    Attributes:
        epochs: Passes through the training set.
        batch_size: Images for each step of the optimizer.
        peak_learning_rate: The highest learning rate of the one-cycle schedule.
        warmup: Share of all steps in which the learning rate rises.
        weight_decay: Decoupled weight decay of AdamW.
        dropout: Share of the last feature map zeroed during training.
        augmentation: Strength of the random warps; 0 switches them off.
    """

    epochs: int
    batch_size: int = 128
    peak_learning_rate: float = 8e-3
    warmup: float = 0.25
    weight_decay: float = 0.5
    dropout: float = 0.3
    augmentation: float = 1.0


# Differ in patience alone: one for repeating an experiment, one for the network that is kept.
QUICK = Recipe(epochs=4)
BEST = Recipe(epochs=8)


def one_cycle(peak: float, steps: int, warmup: float) -> keras.optimizers.schedules.CosineDecay:
    """Learning rate that rises linearly from 0 to its peak, then falls to 0 along a cosine.

    After Smith and Topin, "Super-convergence", 2018 (arXiv:1708.07120), as far as
    the learning rate goes.

    Args:
        peak: The highest learning rate.
        steps: Optimizer steps in the whole training.
        warmup: Share of the steps in which the rate rises, between 0 and 1.
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
    label: str = "training",
) -> tuple[keras.Model, dict[str, list[float]]]:
    """Train a fresh network by a recipe.

    Args:
        images: Training images, (n, 28, 28, 1) uint8, 0 to 255.
        labels: Their labels, (n,) integers, 0 to 9.
        seed: Decides initial weights, order, warps and dropout; two runs with one
            seed on one machine give the same network.
        recipe: Epochs, batch size, learning rate and regularisation.
        validation: Images and labels to score after each epoch, never trained on.
        label: What the progress line calls this training.

    Returns:
        The trained network, and for each measure its value after each epoch:
        "loss" and "accuracy", with a validation part also "val_loss" and
        "val_accuracy", and "seconds".
    """
    # Also makes TensorFlow's own operations repeat to the bit.
    keras.utils.set_random_seed(seed)
    model = build_cnn(recipe.dropout)
    batches = training_batches(images, labels, recipe.batch_size, seed, recipe.augmentation)
    steps = len(batches) * recipe.epochs
    model.compile(
        optimizer=keras.optimizers.AdamW(
            one_cycle(recipe.peak_learning_rate, steps, recipe.warmup),
            weight_decay=recipe.weight_decay,
        ),
        loss="sparse_categorical_crossentropy",
        metrics=["accuracy"],
    )
    progress = Progress(label)
    history = model.fit(
        batches,
        validation_data=validation,
        validation_batch_size=1000,
        epochs=recipe.epochs,
        callbacks=[progress],
        shuffle=False,  # The batches shuffle themselves.
        verbose=0,
    )
    return model, {**history.history, "seconds": progress.seconds}
