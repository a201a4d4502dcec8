from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

from helpers.errors import ArgumentError
from helpers.learning import trials
from helpers.learning.backend import keras
from helpers.learning.evaluation import accuracy, predict_probabilities
from helpers.learning.training import QUICK, train
from helpers.learning.trials import CrossValidation, cross_validate, stratified_folds, sweep

import numpy as np
import pandas as pd
import pytest


def one_hot(labels):
    return np.eye(10, dtype=np.float32)[labels]


def test_each_image_is_validated_once_and_never_in_its_own_training_part():
    labels = np.repeat(np.arange(10), 15)
    folds = list(stratified_folds(labels, folds=5, seed=0))
    assert len(folds) == 5
    for fit_on, validate_on in folds:
        assert sorted([*fit_on, *validate_on]) == list(range(150))
    assert sorted(np.concatenate([validate_on for _, validate_on in folds])) == list(range(150))


def test_each_fold_has_the_same_share_of_each_digit():
    labels = np.repeat(np.arange(10), np.arange(10, 60, 5))
    for _, validate_on in stratified_folds(labels, folds=5, seed=1):
        np.testing.assert_array_equal(np.bincount(labels[validate_on]), np.arange(2, 12))


def test_folds_are_drawn_by_the_seed():
    def first_fold(seed):
        return next(stratified_folds(np.repeat(np.arange(10), 15), folds=5, seed=seed))[1]

    np.testing.assert_array_equal(first_fold(seed=1), first_fold(seed=1))
    assert not np.array_equal(first_fold(seed=1), first_fold(seed=2))
    assert not np.array_equal(first_fold(seed=1) % 15 < 3, np.ones(30, bool))  # not in order


# Cross-validation with a network that knows by heart what it was trained on


@pytest.fixture
def trainings(monkeypatch):
    """Replaces `train`; collects what it was called with."""
    calls = []

    class Memory:
        def __init__(self, images, labels):
            self.known = {
                image.tobytes(): label for image, label in zip(images, labels, strict=True)
            }

        def predict(self, images, **options):
            return one_hot([self.known.get(image.tobytes(), 9) for image in images])

    def memorise(images, labels, seed, recipe, **options):
        calls.append((images, labels, options | {"seed": seed, "recipe": recipe}))
        history = {"loss": [2.0, 1.0], "accuracy": [0.5, 1.0], "seconds": [3.0, 3.0]}
        history["val_accuracy"] = [0.25, 0.75]
        return Memory(images, labels), history

    monkeypatch.setattr(trials, "train", memorise)
    return calls


@pytest.fixture
def noise():
    """100 images that nobody can tell without having seen them, and their labels."""
    images = np.random.default_rng(0).integers(0, 256, (100, 28, 28, 1), np.uint8)
    return images, np.arange(100) % 10


def test_knowing_the_training_part_by_heart_does_not_help(trainings, noise):
    result = cross_validate(*noise, seed=0, processes=1)
    np.testing.assert_allclose(result.scores, 0.1)  # it says 9 to all that it has not seen
    assert result.mean == pytest.approx(0.1)
    np.testing.assert_array_equal(result.probabilities, one_hot(np.full(100, 9)))


def test_the_last_figure_shows_all_epochs_of_all_folds(trainings, noise, monkeypatch):
    drawn = []
    monkeypatch.setattr(trials, "LiveFolds", lambda epochs: SimpleNamespace(show=drawn.append))
    cross_validate(*noise, seed=0, folds=3, processes=1, draws=True)
    assert drawn[-1] == [{1: 0.25, 2: 0.75}] * 3


def test_each_fold_gets_its_own_seed_labels_and_validation_part(trainings, noise):
    images, labels = noise
    label_of = {image.tobytes(): label for image, label in zip(images, labels, strict=True)}
    recipe = replace(QUICK, epochs=2)
    cross_validate(images, labels, seed=40, recipe=recipe, folds=4, processes=1)
    assert [options["seed"] for _, _, options in trainings] == [40, 41, 42, 43]
    for fit_images, fit_labels, options in trainings:
        assert options["recipe"] is recipe
        validation_images, validation_labels = options["validation"]
        assert (len(fit_images), len(validation_images)) == (75, 25) or (
            len(fit_images) + len(validation_images) == 100
        )
        for some_images, some_labels in (
            (fit_images, fit_labels),
            (validation_images, validation_labels),
        ):
            assert [label_of[image.tobytes()] for image in some_images] == list(some_labels)


def test_the_history_has_a_row_for_each_fold_and_epoch_counted_from_1(trainings, noise):
    history = cross_validate(*noise, seed=0, folds=3, processes=1).history
    assert history[["fold", "epoch"]].to_numpy().tolist() == [
        *([1, 1], [1, 2]),
        *([2, 1], [2, 2]),
        *([3, 1], [3, 2]),
    ]
    assert history["loss"].tolist() == [2.0, 1.0] * 3
    assert history.index.tolist() == list(range(6))


def test_a_real_fold_repeats_a_training_on_the_other_fold_alone(digits):
    images, labels = digits.images[:80], digits.labels[:80]
    recipe = replace(QUICK, epochs=1, batch_size=40)
    result = cross_validate(images, labels, seed=3, recipe=recipe, folds=2, processes=1)
    _, (fit_on, validate_on) = stratified_folds(labels, folds=2, seed=3)
    model, _ = train(images[fit_on], labels[fit_on], seed=4, recipe=recipe)
    expected = predict_probabilities(model, images[validate_on])
    np.testing.assert_array_equal(result.probabilities[validate_on], expected)
    assert result.scores[1] == accuracy(expected, labels[validate_on])
    assert result.scores.tolist() == result.history["val_accuracy"].round(6).tolist()


def test_folds_in_processes_of_their_own_give_what_they_give_in_this_one(
    digits, tmp_path, monkeypatch
):
    monkeypatch.chdir(tmp_path)
    images, labels = digits.images[:80], digits.labels[:80]
    recipe = replace(QUICK, epochs=1, batch_size=40)
    here = cross_validate(images, labels, 3, recipe, folds=2, processes=1)
    there = cross_validate(
        images, labels, 3, recipe, folds=2, processes=2, checkpoints=Path("unfinished")
    )
    assert len(list((tmp_path / "unfinished").glob("*.npz"))) == 2
    # Fewer threads add up in another order.
    np.testing.assert_allclose(there.probabilities, here.probabilities, atol=1e-3)
    assert there.history["fold"].tolist() == [1, 2]


def test_folds_are_read_in_the_way_that_is_asked_for(trainings, noise):
    def always_seven(model, images):
        return one_hot(np.full(len(images), 7))

    result = cross_validate(*noise, seed=0, processes=1, predict=always_seven)
    np.testing.assert_array_equal(result.probabilities, one_hot(np.full(100, 7)))


# Runs that are broken off

TWO_EPOCHS = replace(QUICK, epochs=2, batch_size=40)


@pytest.fixture
def power(monkeypatch):
    """Counts the epochs of each training; the power fails after as many as `lasts`."""

    class Power(keras.callbacks.Callback):
        lasts, epochs = 100, 0

        def on_epoch_begin(self, epoch, logs=None):
            if self.epochs == self.lasts:
                raise KeyboardInterrupt
            self.epochs += 1

    def counted(*arguments, **options):
        return train(*arguments, **options, callbacks=[power])

    power = Power()
    monkeypatch.setattr(trials, "train", counted)
    return power


@pytest.fixture(scope="module")
def settings(digits):
    """Those of a small cross-validation: four epochs in all."""
    arrays = {"images": digits.images[:90], "labels": digits.labels[:90]}
    return arrays | {"seed": 3, "recipe": TWO_EPOCHS, "folds": 2, "processes": 1}


@pytest.fixture(scope="module")
def undisturbed(settings):
    return cross_validate(**settings)


@pytest.mark.parametrize("lasts", [1, 3])
def test_a_cross_validation_broken_off_ends_as_if_it_had_not_been(
    settings, undisturbed, tmp_path, power, lasts
):
    power.lasts = lasts
    with pytest.raises(KeyboardInterrupt):
        cross_validate(**settings, checkpoints=tmp_path)
    power.epochs, power.lasts = 0, 100
    result = cross_validate(**settings, checkpoints=tmp_path)
    assert power.epochs == 4 - lasts  # no finished epoch is repeated
    np.testing.assert_array_equal(result.probabilities, undisturbed.probabilities)
    pd.testing.assert_frame_equal(
        result.history.drop(columns="seconds"), undisturbed.history.drop(columns="seconds")
    )


# Sweeps


def test_a_sweep_has_a_row_for_each_recipe_and_seed(trainings, noise):
    images, labels = noise
    split = np.arange(20, 100), np.arange(20)
    recipes = {"short": replace(QUICK, epochs=1), "long": replace(QUICK, epochs=2)}
    table = sweep(images, labels, split, recipes, seeds=(4, 5), processes=1)
    assert table["recipe"].tolist() == ["short", "short", "long", "long"]
    assert table["seed"].tolist() == [4, 5, 4, 5]
    assert table["val_accuracy"].tolist() == [0.75] * 4
    assert table["seconds"].tolist() == [6.0] * 4
    for (fit_images, fit_labels, options), (name, seed) in zip(
        trainings, table[["recipe", "seed"]].to_numpy(), strict=True
    ):
        np.testing.assert_array_equal(fit_images, images[20:])
        np.testing.assert_array_equal(fit_labels, labels[20:])
        np.testing.assert_array_equal(options["validation"][0], images[:20])
        assert options["seed"] == seed and options["recipe"] is recipes[name]


def test_a_sweep_gives_what_single_trainings_give(digits):
    images, labels = digits.images[:90], digits.labels[:90]
    recipe = replace(QUICK, epochs=1, batch_size=40)
    table = sweep(images, labels, (np.arange(60), np.arange(60, 90)), {"quick": recipe}, [3], 1)
    _, history = train(images[:60], labels[:60], 3, recipe, (images[60:], labels[60:]))
    assert table["val_accuracy"].tolist() == history["val_accuracy"]


@pytest.mark.parametrize(
    ("folds", "processes", "expected"),
    [
        (5, 2, [(4, 2), (1, 1)]),
        (4, 2, [(4, 2), (0, 1)]),
        (5, 3, [(5, 3), (0, 1)]),
        (3, 1, [(3, 1)]),
    ],
)
def test_a_fold_that_would_be_alone_gets_all_cores(
    trainings, noise, monkeypatch, folds, processes, expected
):
    calls = []

    def parallel(n_jobs):
        def run(jobs):
            jobs = list(jobs)
            calls.append((len(jobs), n_jobs))
            return [function(*arguments, **options) for function, arguments, options in jobs]

        return run

    monkeypatch.setattr(trials, "Parallel", parallel)
    monkeypatch.setattr(trials, "cpu_count", lambda: 2 * processes)
    threads = []
    monkeypatch.setattr(
        trials.tf.config.threading, "set_intra_op_parallelism_threads", threads.append
    )
    monkeypatch.setattr(
        trials.tf.config.threading, "set_inter_op_parallelism_threads", lambda count: None
    )
    result = cross_validate(*noise, seed=0, folds=folds, processes=processes)
    assert calls == expected
    assert threads == ([] if processes == 1 else [2] * expected[0][0])
    assert len(result.scores) == folds


def test_on_a_cluster_all_folds_are_handed_over_at_once(trainings, noise, monkeypatch):
    calls = []

    def parallel(n_jobs):
        def run(jobs):
            jobs = list(jobs)
            calls.append(len(jobs))
            return [function(*arguments, **options) for function, arguments, options in jobs]

        return run

    monkeypatch.setattr(trials, "Parallel", parallel)
    dask = SimpleNamespace(client=None)
    monkeypatch.setattr(trials, "get_active_backend", lambda: (dask, None))
    cross_validate(*noise, seed=0, folds=5, processes=2)
    assert calls == [5]


def test_mean_and_sample_standard_deviation_of_the_folds():
    result = CrossValidation(np.array([0.98, 0.99, 1.0]), pd.DataFrame(), np.empty((0, 10)))
    assert result.mean == pytest.approx(0.99)
    assert result.std == pytest.approx(0.01)  # divided by 2, not by 3


# What cannot be used


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"folds": 1}, "folds must be an integer of at least 2, but is 1"),
        ({"folds": 11}, "Each digit needs at least as many images as there are folds"),
        ({"processes": 0}, "processes must be an integer of at least 1, but is 0"),
    ],
)
def test_a_cross_validation_that_cannot_be_done_is_said_in_one_sentence(noise, options, sentence):
    with pytest.raises(ArgumentError, match=sentence):
        cross_validate(*noise, seed=0, **options)


@pytest.mark.parametrize(
    ("split", "sentence"),
    [
        ((np.arange(50), np.arange(40, 60)), "10 images are in both parts of the split"),
        ((np.arange(50), np.arange(90, 101)), "The indices to validate on must be some of 0 to 99"),
        ((np.arange(0), np.arange(10)), "The indices to train on must be some of 0 to 99"),
    ],
)
def test_a_split_that_cannot_be_used_is_said_in_one_sentence(noise, split, sentence):
    with pytest.raises(ArgumentError, match=sentence):
        sweep(*noise, split, {"quick": QUICK}, [0])
