"""Scores of a recipe: cross-validation and sweeps, several trainings side by side.

Trainings run in processes of their own, on this machine or on a Dask cluster. A single
network is scored by `helpers.learning.evaluation`.
"""

import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from helpers.checks import as_images, as_labels, check_number
from helpers.errors import ArgumentError
from helpers.learning.backend import keras, tf
from helpers.learning.evaluation import accuracy, predict_probabilities
from helpers.learning.live import LiveFolds
from helpers.learning.progress import ReportedProgress, watched
from helpers.learning.training import QUICK, Recipe, history_frame, train

import numpy as np
import pandas as pd
from joblib import Parallel, cpu_count, delayed
from joblib.externals.loky import get_reusable_executor
from joblib.parallel import get_active_backend
from sklearn.model_selection import StratifiedKFold

# Default limit on trainings at the same time: each needs about 1 GB of memory.
MOST_PROCESSES = 4

Predictor = Callable[[keras.Model, np.ndarray], np.ndarray]


@dataclass(frozen=True)
class CrossValidation:
    """The outcome of a cross-validation.

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
        folds: Number of parts, at least 2; each serves for validation once.
        seed: Decides which image falls into which part.

    Yields:
        For each fold the indices to train on and those to validate on: all n together,
        none twice.
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
    predict: Predictor = predict_probabilities,
    draws: bool = False,
) -> CrossValidation:
    """Score a recipe by stratified k-fold cross-validation.

    A fresh network is trained for each fold, on the other folds alone, and scored after its
    last epoch: no epoch is picked by looking at the fold.

    Args:
        images: (n, 28, 28) or (n, 28, 28, 1), 0 to 255.
        labels: (n,) integers, 0 to 9.
        seed: Decides the folds; fold k is trained with `seed + k`, k from 0.
        recipe: How each network is trained.
        folds: Number of folds, at least 2.
        processes: How many folds are trained at the same time, each in a process of its
            own that needs about 1 GB; by default one per core, at most 4. Two small
            networks with a core each finish sooner than one after the other with both
            cores. With 1, everything happens in this process. Under
            `joblib.parallel_config("dask")`, the processes are the workers of a cluster,
            and a training has the threads of its worker.
        checkpoints: A folder from which an interrupted run resumes; see `train`.
        predict: How a trained network reads its validation part: network and images to
            (n, 10) probabilities.
        draws: Whether to draw the curves of the folds in a notebook, anew after each epoch.

    Raises:
        ArgumentError: If images, labels or numbers are unusable, or if there are fewer
            images of a digit than folds.
    """
    images = as_images(images)
    labels = as_labels(labels, len(images))
    check_number(folds, "folds", 2, whole=True)
    check_number(seed, "seed", 0, 2**32 - folds, whole=True)
    _check_images_per_fold(labels, folds)
    splits = list(stratified_folds(labels, folds, seed))
    trials = [_Trial(*split, seed + fold, recipe) for fold, split in enumerate(splits)]
    run_trial = partial(_run_trial, checkpoints=_absolute(checkpoints), predict=predict)
    figure = LiveFolds(recipe.epochs) if draws else None
    trained = _run_side_by_side(
        partial(delayed(run_trial), images, labels), trials, processes, "cross-validation",
        "folds", figure.show if figure else None,
    )  # fmt: skip
    if figure:  # Once more, with the epochs of an interrupted run.
        figure.show(
            [
                dict(zip(history["epoch"], history["val_accuracy"], strict=True))
                for _, history in trained
            ]
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
    """Train by several recipes with several seeds each, all scored on the same digits.

    Args:
        images: (n, 28, 28) or (n, 28, 28, 1), 0 to 255.
        labels: (n,) integers, 0 to 9.
        split: Indices to train on, and indices to validate on, none in both.
        recipes: The recipes by name.
        seeds: Seeds for each recipe.
        processes: How many networks are trained at the same time; see `cross_validate`.
        checkpoints: A folder from which an interrupted sweep resumes; see `train`.

    Returns:
        A row for each recipe and seed, in this order: "recipe", "seed",
        "val_accuracy" after the last epoch (0 to 1) and "seconds" of training.

    Raises:
        ArgumentError: If images, labels or the split are unusable.
    """
    images = as_images(images)
    labels = as_labels(labels, len(images))
    split = _checked_split(split, len(images))
    named = [(name, seed) for name in recipes for seed in seeds]
    if not named:
        raise ArgumentError("A sweep needs at least one recipe and one seed.")
    trials = [_Trial(*split, seed, recipes[name]) for name, seed in named]
    run_trial = partial(_run_trial, checkpoints=_absolute(checkpoints))
    trained = _run_side_by_side(
        partial(delayed(run_trial), images, labels), trials, processes, "sweep", "networks"
    )
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


def _check_images_per_fold(labels: np.ndarray, folds: int) -> None:
    digits, counts = np.unique(labels, return_counts=True)
    if counts.min() < folds:
        rarest = digits[counts.argmin()]
        raise ArgumentError(
            f"Each digit needs at least as many images as there are folds ({folds}), but there "
            f"are {counts.min()} of the digit {rarest}: use fewer folds or more images."
        )


def _checked_split(
    split: tuple[np.ndarray, np.ndarray], count: int
) -> tuple[np.ndarray, np.ndarray]:
    if len(split) != 2:
        raise ArgumentError("split must be a pair: indices to train on, and to validate on.")
    split = np.asarray(split[0]), np.asarray(split[1])
    for part, name in zip(split, ("train", "validate"), strict=True):
        if part.dtype.kind not in "ui" or not len(part) or part.min() < 0 or part.max() >= count:
            raise ArgumentError(
                f"The indices to {name} on must be some of 0 to {count - 1}, the {count} images."
            )
    if shared := np.intersect1d(*split).size:
        raise ArgumentError(
            f"{shared} images are in both parts of the split: what is trained on must not be "
            "validated on."
        )
    return split


@dataclass(frozen=True)
class _Trial:
    """A training: indices to train on and to validate on, seed, recipe."""

    train_on: np.ndarray
    validate_on: np.ndarray
    seed: int
    recipe: Recipe


Outcome = tuple[np.ndarray, pd.DataFrame]


def _run_side_by_side(
    delayed_trial: Callable,
    trials: list[_Trial],
    processes: int | None,
    label: str,
    unit: str,
    on_scores: Callable[[list[dict[int, float]]], None] | None = None,
) -> list[Outcome]:
    """Run trials in several processes and show how far they are, as so many units.

    Args:
        delayed_trial: Prepares `_run_trial` for joblib; takes its keyword arguments but for
            those bound already.
        trials: What to train.
        processes: How many at the same time; see `cross_validate`.
        label: What the trials are together.
        unit: What each of them is, in the plural.
        on_scores: Gets their scores while they run; see `watched`.
    """
    if processes is not None:
        check_number(processes, "processes", 1, whole=True)
    cores = cpu_count()
    processes = processes or min(len(trials), cores, MOST_PROCESSES)

    def run_all(jobs: list[tuple[_Trial, Path]], processes: int, threads: int | None) -> list:
        return Parallel(n_jobs=processes)(
            delayed_trial(trial=trial, report=report, threads=threads) for trial, report in jobs
        )

    with watched(len(trials), label, unit, on_scores) as reports:
        jobs = list(zip(trials, reports, strict=True))
        if processes == 1 or _is_on_cluster():
            return run_all(jobs, processes, None)
        # A last trial that would run alone gets all cores, in this process.
        together = len(jobs) - (len(jobs) % processes == 1)
        with _workers_stopped():
            outcomes = run_all(jobs[:together], processes, max(1, cores // processes))
        return outcomes + run_all(jobs[together:], 1, None)


def _run_trial(
    images: np.ndarray,
    labels: np.ndarray,
    *,
    trial: _Trial,
    report: Path,
    threads: int | None,
    checkpoints: Path | None,
    predict: Predictor = predict_probabilities,
) -> Outcome:
    """Train on one part and predict the other, in a worker with as many threads as it may use."""
    _limit_threads(_threads_of_dask_worker() or threads)
    progress = ReportedProgress(report)
    model, history = train(
        images[trial.train_on],
        labels[trial.train_on],
        trial.seed,
        trial.recipe,
        validation=(images[trial.validate_on], labels[trial.validate_on]),
        progress=progress,
        checkpoints=checkpoints,
    )
    progress.finish()
    return predict(model, images[trial.validate_on]), history_frame(history)


@contextmanager
def _workers_stopped() -> Iterator[None]:
    """Stop joblib's processes at the end: idle, they would keep 1 GB each for five minutes."""
    try:
        yield
    finally:
        get_reusable_executor().shutdown()


def _absolute(folder: Path | None) -> Path | None:
    # A worker may have another working folder.
    return None if folder is None else Path(folder).resolve()


def _limit_threads(threads: int | None) -> None:
    if threads:
        with suppress(RuntimeError):  # A worker that has trained before keeps its number.
            tf.config.threading.set_intra_op_parallelism_threads(threads)
            tf.config.threading.set_inter_op_parallelism_threads(threads)


def _is_on_cluster() -> bool:
    """Whether joblib has been told to use Dask."""
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
