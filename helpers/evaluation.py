"""How good a recipe or a network is, honestly: folds, intervals, calibration.

Nothing here looks at the test set on its own accord; what is scored is what the
caller hands over.
"""

import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import partial
from itertools import product
from pathlib import Path
from typing import NamedTuple

from helpers.backend import keras, tf
from helpers.progress import ReportedProgress, watched
from helpers.training import QUICK, Recipe, train

import numpy as np
import pandas as pd
from joblib import Parallel, cpu_count, delayed
from joblib.externals.loky import get_reusable_executor
from joblib.parallel import get_active_backend
from scipy.ndimage import shift
from scipy.stats import binomtest
from sklearn.model_selection import StratifiedKFold

# Trainings at the same time, by default: each needs about 1 GB of memory.
MOST_PROCESSES = 4
# Pixels by which an image is moved, along rows and columns, before it is looked at again.
SHIFTS = tuple(product((-0.5, 0.0, 0.5), repeat=2))


def predict_probabilities(model: keras.Model, images: np.ndarray) -> np.ndarray:
    """Predict in large batches: (n, 28, 28, 1) in 0 to 255 gives (n, 10) float32."""
    return model.predict(images, batch_size=1000, verbose=0)


def predict_over_shifts(model: keras.Model, images: np.ndarray) -> np.ndarray:
    """Predict images in nine positions and average: `average_over_shifts` of a network."""
    return average_over_shifts(partial(predict_probabilities, model), images)


def average_over_shifts(
    predict: Callable[[np.ndarray], np.ndarray], images: np.ndarray
) -> np.ndarray:
    """Predict images as they are and moved by half a pixel in eight directions, and average.

    This is test-time augmentation, as in Krizhevsky, Sutskever and Hinton, "ImageNet
    classification with deep convolutional neural networks", 2012, section 4.1. Between
    pixels an image is interpolated, as the warped images of the training are. It takes
    nine times as long.

    Args:
        predict: Turns images into (n, 10) probabilities or logits.
        images: (n, 28, 28, 1) in 0 to 255; what is moved in at an edge is 0.

    Returns:
        (n, 10), the mean of the nine.
    """
    moved = (
        shift(images, (0, row, column, 0), output=np.float32, order=1, mode="grid-constant")
        for row, column in SHIFTS
    )
    return np.mean([predict(view) for view in moved], axis=0)


@dataclass(frozen=True)
class CrossValidation:
    """What a cross-validation found.

    Attributes:
        scores: Validation accuracy after the last epoch of each fold, (folds,), 0 to 1.
        history: A row for each fold and epoch (both from 1), with the columns
            "fold", "epoch", "loss", "accuracy", "val_loss", "val_accuracy" and
            "seconds".
        probabilities: For each image the prediction of the one network that was
            not trained on it, (n, 10) float32.
    """

    scores: np.ndarray
    history: pd.DataFrame
    probabilities: np.ndarray

    @property
    def mean(self) -> float:
        """Mean accuracy over the folds, 0 to 1."""
        return float(self.scores.mean())

    @property
    def std(self) -> float:
        """Sample standard deviation of the accuracy over the folds."""
        return float(self.scores.std(ddof=1))


def stratified_folds(
    labels: np.ndarray, folds: int, seed: int
) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Split a training set into parts with the same share of each digit.

    Args:
        labels: (n,) integers.
        folds: Number of parts; each serves for validation once.
        seed: Decides which image falls into which part.

    Yields:
        For each fold the indices to train on and those to validate on; together
        they are all n, and no index is in both.
    """
    splitter = StratifiedKFold(folds, shuffle=True, random_state=seed)
    yield from splitter.split(np.zeros(len(labels)), labels)


def cross_validate(
    images: np.ndarray,
    labels: np.ndarray,
    seed: int,
    recipe: Recipe = QUICK,
    folds: int = 5,
    processes: int | None = None,
    checkpoints: Path | None = None,
    predict: Callable[[keras.Model, np.ndarray], np.ndarray] = predict_probabilities,
) -> CrossValidation:
    """Score a recipe by stratified k-fold cross-validation.

    A fresh network is trained for each fold, on the other folds alone, and scored
    after its last epoch: no epoch is picked by looking at the fold.

    Args:
        images: (n, 28, 28, 1) uint8, 0 to 255.
        labels: (n,) integers, 0 to 9.
        seed: Decides the folds; fold k is trained with `seed + k`, k from 0.
        recipe: How each network is trained.
        folds: Number of folds, at least 2.
        processes: How many folds are trained at the same time, each in a process of
            its own that needs about 1 GB; by default one a core, at most 4. Two
            small networks with a core each are done sooner than one after the other
            with both. With 1 all happens in this process. Under
            `joblib.parallel_config("dask")` the processes are the workers of a
            cluster, however many there are, and a training has the threads of its
            worker.
        checkpoints: A folder from which a run that was broken off goes on; see `train`.
        predict: How a trained network reads its validation part; takes the network
            and images, gives (n, 10) probabilities.

    Raises:
        ValueError: If there are fewer images of a digit than folds.
    """
    splits = list(stratified_folds(labels, folds, seed))
    runs = [_Run(*split, seed + fold, recipe) for fold, split in enumerate(splits)]
    trained = _train_side_by_side(
        images, labels, runs, "cross-validation", "folds", processes, checkpoints, predict
    )
    probabilities = np.empty((len(labels), 10), np.float32)
    for (_, validate_on), (predicted, _) in zip(splits, trained, strict=True):
        probabilities[validate_on] = predicted
    scores = [accuracy(probabilities[part], labels[part]) for _, part in splits]
    histories = [history.assign(fold=fold) for fold, (_, history) in enumerate(trained, start=1)]
    return CrossValidation(np.array(scores), pd.concat(histories, ignore_index=True), probabilities)


def sweep(
    images: np.ndarray,
    labels: np.ndarray,
    split: tuple[np.ndarray, np.ndarray],
    recipes: Mapping[str, Recipe],
    seeds: Sequence[int],
    processes: int | None = None,
    checkpoints: Path | None = None,
) -> pd.DataFrame:
    """Train by several recipes with several seeds each, all judged by the same digits.

    Args:
        images: (n, 28, 28, 1) uint8, 0 to 255.
        labels: (n,) integers, 0 to 9.
        split: Indices to train on, and indices to validate on.
        recipes: The recipes by name.
        seeds: Seeds that each recipe is trained with.
        processes: How many networks are trained at the same time; see `cross_validate`.
        checkpoints: A folder from which a sweep that was broken off goes on; see `train`.

    Returns:
        A row for each recipe and seed, in this order: "recipe", "seed",
        "val_accuracy" after the last epoch (0 to 1) and "seconds" of training.
    """
    named = [(name, seed) for name in recipes for seed in seeds]
    runs = [_Run(*split, seed, recipes[name]) for name, seed in named]
    trained = _train_side_by_side(images, labels, runs, "sweep", "networks", processes, checkpoints)
    rows = [
        {
            "recipe": name,
            "seed": seed,
            "val_accuracy": history["val_accuracy"].iloc[-1],
            "seconds": history["seconds"].sum(),
        }
        for (name, seed), (_, history) in zip(named, trained, strict=True)
    ]
    return pd.DataFrame(rows)


class _Run(NamedTuple):
    """A training: indices to train on and to validate on, seed, recipe."""

    fit_on: np.ndarray
    validate_on: np.ndarray
    seed: int
    recipe: Recipe


def _train_side_by_side(
    images: np.ndarray, labels: np.ndarray, runs: list[_Run], label: str, unit: str,
    processes: int | None, checkpoints: Path | None,
    predict: Callable[[keras.Model, np.ndarray], np.ndarray] = predict_probabilities,
) -> list[tuple[np.ndarray, pd.DataFrame]]:  # fmt: skip
    """Train a network a run; for each its predictions of the validation part and its history."""
    cores = cpu_count()
    processes = processes or min(len(runs), cores, MOST_PROCESSES)
    # Other processes may work in another folder.
    checkpoints = checkpoints and checkpoints.resolve()

    def train_all(jobs: list, processes: int, threads: int | None) -> list:
        return Parallel(n_jobs=processes)(
            delayed(_train_and_predict)(images, labels, run, report, threads, checkpoints, predict)
            for run, report in jobs
        )

    with watched(len(runs), label, unit) as reports, _workers_stopped():
        jobs = list(zip(runs, reports, strict=True))
        if processes == 1 or _is_on_cluster():
            return train_all(jobs, processes, None)
        # A last run that would be alone gets all cores, in this process.
        together = len(jobs) - (len(jobs) % processes == 1)
        threads = max(1, cores // processes)
        return train_all(jobs[:together], processes, threads) + train_all(jobs[together:], 1, None)


@contextmanager
def _workers_stopped() -> Iterator[None]:
    """Stop joblib's processes at the end: idle, they would keep 1 GB each for five minutes."""
    try:
        yield
    finally:
        get_reusable_executor().shutdown()


def _train_and_predict(
    images: np.ndarray, labels: np.ndarray, run: _Run, report: Path, threads: int | None,
    checkpoints: Path | None, predict: Callable[[keras.Model, np.ndarray], np.ndarray],
) -> tuple[np.ndarray, pd.DataFrame]:  # fmt: skip
    """Train on one part and predict the other; in a worker, with as many threads as it may use."""
    threads = _threads_of_dask_worker() or threads
    if threads:
        with suppress(RuntimeError):  # A worker that trained before keeps the number it had.
            tf.config.threading.set_intra_op_parallelism_threads(threads)
            tf.config.threading.set_inter_op_parallelism_threads(threads)
    progress = ReportedProgress(report)
    model, history = train(
        images[run.fit_on],
        labels[run.fit_on],
        run.seed,
        run.recipe,
        validation=(images[run.validate_on], labels[run.validate_on]),
        progress=progress,
        checkpoints=checkpoints,
    )
    progress.finish()
    return predict(model, images[run.validate_on]), history_frame(history)


def _is_on_cluster() -> bool:
    """Whether joblib has been told to hand its work to Dask."""
    backend, _ = get_active_backend()
    return hasattr(backend, "client")


def _threads_of_dask_worker() -> int | None:
    """How many threads this process has as a worker of a Dask cluster; None if it is none."""
    if "distributed" not in sys.modules:
        return None
    from distributed import get_worker

    try:
        return get_worker().state.nthreads
    except ValueError:
        return None


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


def accuracy(probabilities: np.ndarray, labels: np.ndarray) -> float:
    """Share of images, 0 to 1, whose most probable digit is their label."""
    return float(np.mean(probabilities.argmax(axis=1) == labels))


def accuracy_interval(
    probabilities: np.ndarray, labels: np.ndarray, confidence: float = 0.95
) -> tuple[float, float]:
    """Wilson's confidence interval of an accuracy (Wilson 1927, by SciPy).

    It tells how far the accuracy on other digits of the same kind may lie off by
    the chance of which digits are in this set; not what another training gives.

    Args:
        probabilities: (n, classes), rows sum to 1.
        labels: (n,) integers.
        confidence: Of 100 such intervals this share holds the true accuracy, 0 to 1.

    Returns:
        Lower and upper end, 0 to 1.
    """
    correct = int(np.sum(probabilities.argmax(axis=1) == labels))
    test = binomtest(correct, len(labels))
    low, high = test.proportion_ci(confidence_level=confidence, method="wilson")
    return float(low), float(high)


def expected_calibration_error(
    probabilities: np.ndarray, labels: np.ndarray, bins: int = 10
) -> float:
    """Mean gap between confidence and accuracy, weighted by the images in each bin.

    After Guo et al., "On calibration of modern neural networks", 2017
    (arXiv:1706.04599). The bins hold equally many images, since most
    probabilities of a good network crowd near 1.

    Args:
        probabilities: (n, classes), rows sum to 1.
        labels: (n,) integers.
        bins: Number of bins.

    Returns:
        Between 0 (a digit given with 90 % is right 9 times in 10) and 1.
    """
    confidence = probabilities.max(axis=1)
    correct = probabilities.argmax(axis=1) == labels
    order = np.argsort(confidence)
    gaps = [
        abs(confidence[part].mean() - correct[part].mean()) * len(part)
        for part in np.array_split(order, bins)
        if len(part)
    ]
    return float(sum(gaps) / len(labels))
