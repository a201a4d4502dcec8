"""What can be measured, each entry under a name: `make bench ENTRIES="published quick"`.

An entry gives tables: for each file of `results/` the rows that it adds. It runs in a
process of its own, so that none warms up another. `benchmarks.measuring` times a training.
"""

import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from functools import partial
from typing import Any

from benchmarks import recipes
from benchmarks.machine import in_fresh_process, machine, peak_memory_mb
from benchmarks.measuring import MILESTONES, Scoreboard, peak_gflops, time_to, training_gflops
from helpers.data import Mnist, load_mnist
from helpers.learning.evaluation import predict_over_shifts, predict_probabilities
from helpers.learning.training import BEST, QUICK, Recipe, train
from helpers.learning.trials import cross_validate, stratified_folds

import numpy as np

Tables = dict[str, list[dict]]

# So few parameters learn hardly anything by heart, so what works against that is weakened.
TINY = replace(
    QUICK, network="tiny", epochs=36, dropout=0.0, warp_strength=0.6, rethickened=0.0,
    weight_decay=0.1, label_smoothing=0.02,
)  # fmt: skip

# Our recipes for a single epoch: one as fast as any other, one that may take ten seconds.
DASH = partial(recipes.train_our_epoch, middle=(32,), last=64, normalised=False)
SPRINT = partial(recipes.train_our_epoch, middle=(32, 32), last=80, normalised=True)

# Redrawn digits and other light teach what MNIST does not hold.
BEST_ON_MNIST = replace(BEST, redrawn=0.0, relit=0.0)

# Our quick recipe without one part at a time.
ABLATIONS: dict[str, dict[str, Any]] = {
    "everything": {},
    "without warps": {"warp_strength": 0.0},
    "without changes of the strokes": {"rethickened": 0.0},
    "without dropout": {"dropout": 0.0},
    "without label smoothing": {"label_smoothing": 0.0},
    "without weight decay": {"weight_decay": 0.0},
    "without warm-up": {"warmup": 0.0},
    "batches of 512": {"batch_size": 512},
    "AdamW instead of Muon": {"optimizer": "adamw"},
    "SGD with momentum instead of Muon": {"optimizer": "sgd"},
}
ABLATION_SEEDS = 5
# The peak learning rates that each optimizer may choose from.
RATES = {
    "muon": (5e-3, 1e-2, 2e-2, 4e-2),
    "adamw": (2e-3, 5e-3, 1e-2, 2e-2),
    "sgd": (5e-2, 1e-1, 2e-1, 4e-1),
}
# Peak rate times weight decay of the quick recipe: the pull towards zero, the same for all rates.
PULL = QUICK.peak_learning_rate * QUICK.weight_decay
VALIDATION_IMAGES = 10_000


@dataclass(frozen=True)
class Entry:
    """Something to measure.

    Attributes:
        title: A description for people.
        minutes: About how long it takes on two cores.
        run: Measures it: maps the data to tables.
        needs: A package that it requires.
    """

    title: str
    minutes: float
    run: Callable[[Mnist], Tables]
    needs: str = "tensorflow"


def measure_trainings(mnist: Mnist, train_by: Callable, epochs: int, seeds: int = 1) -> Tables:
    """Train on the whole training set and score the test set after each epoch.

    Args:
        mnist: The data.
        train_by: A function of `benchmarks.recipes`.
        epochs: Number of epochs, as published.
        seeds: Number of trainings, with seeds from 0.

    Returns:
        "trainings", a row for each seed, and "epochs", a row for each seed and epoch.
    """
    tables: Tables = {"trainings": [], "epochs": []}
    for seed in range(seeds):
        peak = peak_gflops()
        board = Scoreboard(mnist.x_test[..., None], mnist.y_test)
        cost = train_by(mnist.x_train[..., None], mnist.y_train, seed, epochs, board)
        last = board.epochs[-1]
        gflops = training_gflops(cost.multiply_adds, cost.images * epochs, last["seconds"])
        tables["epochs"] += [{"seed": seed} | row for row in board.epochs]
        tables["trainings"].append(
            {"seed": seed}
            | last
            | {f"seconds to {goal:.2%}": time_to(board.epochs, goal) for goal in MILESTONES}
            | {"accuracy over shifts": board.accuracy_over_shifts()}
            | asdict(cost)
            | {"gflops": gflops, "peak gflops": peak, "share of peak": gflops / peak}
            | {"peak memory (MB)": peak_memory_mb()}
            | machine()
        )
        print(f"  seed {seed}: {last['accuracy']:.2%} in {last['seconds']:.0f} s", flush=True)
    return tables


def measure_published_folds(mnist: Mnist) -> Tables:
    """Cross-validate the published recipe: 10 epochs, batches of 32, one fold after the other."""
    images, labels = mnist.x_train[..., None], mnist.y_train
    scores, seconds = [], 0.0
    for fold, (fit_on, validate_on) in enumerate(stratified_folds(labels, folds=5, seed=0)):
        board = Scoreboard(images[validate_on], labels[validate_on])
        recipes.train_published(
            images[fit_on], labels[fit_on], fold, epochs=10, board=board, batch_size=32
        )
        scores.append(board.epochs[-1]["accuracy"])
        seconds += board.epochs[-1]["seconds"]
        print(f"  fold {fold + 1}: {scores[-1]:.2%}", flush=True)
    return {"folds": [_fold_row(np.array(scores), seconds)]}


def measure_our_folds(
    mnist: Mnist, recipe: Recipe, predict: Callable = predict_probabilities
) -> Tables:
    """Cross-validate a recipe of ours, as notebook 06 does."""
    start = time.perf_counter()
    result = cross_validate(
        mnist.x_train[..., None], mnist.y_train, seed=0, recipe=recipe, predict=predict
    )
    return {"folds": [_fold_row(result.scores, time.perf_counter() - start)]}


def _fold_row(scores: np.ndarray, seconds: float) -> dict:
    by_fold = {f"fold {fold}": score for fold, score in enumerate(scores, start=1)}
    summary = {"mean": scores.mean(), "std": scores.std(ddof=1), "seconds": seconds}
    return summary | by_fold | machine()


def measure_processes(mnist: Mnist) -> Tables:
    """Compare two folds side by side, a core each, with one after the other on both cores.

    Both ways in turn, twice, on two folds of 30,000 images and with two epochs.
    """
    images, labels = mnist.x_train[..., None], mnist.y_train
    rows = []
    for turn in range(2):
        for processes in (1, 2):
            start = time.perf_counter()
            cross_validate(
                images, labels, 0, replace(QUICK, epochs=2), folds=2, processes=processes
            )
            seconds = time.perf_counter() - start
            rows.append({"turn": turn, "processes": processes, "seconds": seconds} | machine())
    return {"processes": rows}


def measure_growth(mnist: Mnist) -> Tables:
    """Train on more and more images; above 60,000 they are repeated."""
    rows = [
        in_fresh_process(_train_on, mnist, count)
        for count in (7_500, 15_000, 30_000, 60_000, 120_000, 240_000)
    ]
    return {"growth": rows}


def _train_on(mnist: Mnist, count: int) -> dict:
    chosen = np.arange(count) % len(mnist.x_train)
    images, labels = mnist.x_train[chosen][..., None], mnist.y_train[chosen]
    _, history = train(images, labels, 0, replace(QUICK, epochs=2))
    return {
        "images": count,
        "images (MB)": images.nbytes / 1e6,
        "seconds of the first epoch": history["seconds"][0],
        "seconds of the second epoch": history["seconds"][1],
        "peak memory (MB)": peak_memory_mb(),
    } | machine()


def measure_ablation(mnist: Mnist) -> Tables:
    """Leave one part of the quick recipe out at a time; scored on held-out training digits.

    Every optimizer first chooses its own peak learning rate, on digits that are neither
    those learned from then nor those that score the table.

    Returns:
        "ablation", a row for each recipe and seed, and "rates", one for each rate tried.
    """
    images, labels, validation = held_out(mnist)
    tried = [
        {"optimizer": optimizer, "rate": rate, "val_accuracy": score_rate(images, labels, recipe)}
        for optimizer, rates in RATES.items()
        for rate in rates
        for recipe in [with_rate(replace(QUICK, optimizer=optimizer), rate)]
    ]
    rates = best_rates(tried)
    rows = []
    for seed in range(ABLATION_SEEDS):
        for name, changes in ABLATIONS.items():
            recipe = replace(QUICK, **changes)
            recipe = replace(with_rate(recipe, rates[recipe.optimizer]), **changes)
            _, history = train(images, labels, seed, recipe, validation)
            row = {"recipe": name, "seed": seed, "val_accuracy": history["val_accuracy"][-1]}
            row |= {"rate": recipe.peak_learning_rate, "seconds": sum(history["seconds"])}
            rows.append(row | machine())
            print(f"  {name}, seed {seed}: {rows[-1]['val_accuracy']:.2%}", flush=True)
    return {"ablation": rows, "rates": [row | machine() for row in tried]}


def with_rate(recipe: Recipe, rate: float) -> Recipe:
    """Give a recipe another peak learning rate, and the weight decay that pulls as much."""
    return replace(recipe, peak_learning_rate=rate, weight_decay=PULL / rate)


def score_rate(images: np.ndarray, labels: np.ndarray, recipe: Recipe) -> float:
    """Score a recipe, with a seed of its own, on the last digits of those to learn from."""
    tune = images[-VALIDATION_IMAGES:], labels[-VALIDATION_IMAGES:]
    seed = ABLATION_SEEDS  # None of those that fill the table.
    _, history = train(images[:-VALIDATION_IMAGES], labels[:-VALIDATION_IMAGES], seed, recipe, tune)
    return history["val_accuracy"][-1]


def best_rates(tried: list[dict]) -> dict[str, float]:
    """The rate with the highest accuracy, for each optimizer."""
    ranked = sorted(tried, key=lambda row: row["val_accuracy"])
    return {row["optimizer"]: row["rate"] for row in ranked}


def held_out(mnist: Mnist) -> tuple[np.ndarray, np.ndarray, tuple[np.ndarray, np.ndarray]]:
    """Hold out 10,000 training digits, always the same ones.

    Returns:
        Images (50000, 28, 28, 1) and labels (50000,) to learn from, and the held-out
        images and labels.
    """
    order = np.random.default_rng(0).permutation(len(mnist.x_train))
    images, labels = mnist.x_train[order][..., None], mnist.y_train[order]
    validation = images[:VALIDATION_IMAGES], labels[:VALIDATION_IMAGES]
    return images[VALIDATION_IMAGES:], labels[VALIDATION_IMAGES:], validation


def measure_pytorch(mnist: Mnist) -> Tables:
    """Measure PyTorch's example; imported here because PyTorch is optional."""
    from benchmarks.pytorch import train_pytorch_example

    return measure_trainings(mnist, train_pytorch_example, epochs=14)


def _trainings(train_by: Callable, epochs: int, seeds: int = 1) -> Callable[[Mnist], Tables]:
    return partial(measure_trainings, train_by=train_by, epochs=epochs, seeds=seeds)


def _ours(recipe: Recipe, seeds: int) -> Callable[[Mnist], Tables]:
    return _trainings(partial(recipes.train_ours, recipe=recipe), recipe.epochs, seeds)


_best_folds = partial(measure_our_folds, recipe=BEST_ON_MNIST, predict=predict_over_shifts)

ENTRIES = {
    "published": Entry(
        "the project that this series grew out of", 5, _trainings(recipes.train_published, 10)
    ),
    "keras-example": Entry(
        "Keras' example, Simple MNIST convnet", 4, _trainings(recipes.train_keras_example, 15)
    ),
    "one-epoch": Entry(
        "tuomaso/train_mnist_fast", 1, _trainings(recipes.train_one_epoch, 1, seeds=3)
    ),
    "pytorch-example": Entry("pytorch/examples, mnist", 10, measure_pytorch, needs="torch"),
    "dash": Entry("ours, one epoch, as fast as train_mnist_fast", 1, _trainings(DASH, 1, seeds=5)),
    "sprint": Entry("ours, one epoch in less than ten seconds", 1, _trainings(SPRINT, 1, seeds=5)),
    "quick": Entry("ours, quick", 2, _ours(QUICK, seeds=1)),
    "tiny": Entry("ours, with less than 8,000 parameters", 22, _ours(TINY, seeds=5)),
    "best": Entry("ours, best", 70, _ours(BEST_ON_MNIST, seeds=10)),
    "published-folds": Entry("its 5 folds", 20, measure_published_folds),
    "quick-folds": Entry("our 5 folds, quick", 5, partial(measure_our_folds, recipe=QUICK)),
    "best-folds": Entry("our 5 folds, best, averaged over nine positions", 30, _best_folds),
    "processes": Entry("two folds at a time or one", 3, measure_processes),
    "growth": Entry("ours, quick, on more and more images", 6, measure_growth),
    "ablation": Entry("ours, quick, one part left out at a time", 100, measure_ablation),
}


def measure(name: str) -> Tables:
    """Measure one entry on full MNIST, in a fresh process.

    It is not part of `benchmarks.__main__`, which such a process does not import.

    Raises:
        DataError: If the full MNIST is not available.
    """
    return ENTRIES[name].run(load_mnist(full=True))
