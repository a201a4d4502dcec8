from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

from helpers import evaluation
from helpers.backend import keras
from helpers.evaluation import (
    CrossValidation,
    accuracy,
    accuracy_interval,
    cross_validate,
    expected_calibration_error,
    history_frame,
    predict_probabilities,
    stratified_folds,
    sweep,
)
from helpers.training import QUICK, train

import numpy as np
import pandas as pd
import pytest

# Probabilities of four images, whose most probable digits are 3, 1, 1 and 0.
FOUR = np.full((4, 10), 0.01)
FOUR[[0, 1, 2, 3], [3, 1, 1, 0]] = [0.9, 0.8, 0.6, 0.5]


def one_hot(labels):
    return np.eye(10, dtype=np.float32)[labels]


# Folds


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

    monkeypatch.setattr(evaluation, "train", memorise)
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


def test_folds_in_processes_of_their_own_give_what_they_give_in_this_one(digits):
    images, labels = digits.images[:80], digits.labels[:80]
    recipe = replace(QUICK, epochs=1, batch_size=40)
    here, there = (
        cross_validate(images, labels, seed=3, recipe=recipe, folds=2, processes=processes)
        for processes in (1, 2)
    )
    # Fewer threads add up in another order.
    np.testing.assert_allclose(there.probabilities, here.probabilities, atol=1e-3)
    assert there.history["fold"].tolist() == [1, 2]


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
    monkeypatch.setattr(evaluation, "train", counted)
    return power


@pytest.fixture(scope="module")
def settings(digits):
    """Those of a small cross-validation: four epochs in all."""
    arrays = {"images": digits.images[:90], "labels": digits.labels[:90]}
    return arrays | {"seed": 3, "recipe": TWO_EPOCHS, "folds": 2, "processes": 1}


@pytest.fixture(scope="module")
def undisturbed(settings):
    return cross_validate(**settings)


@pytest.mark.parametrize("lasts", [1, 2, 3])
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


def test_checkpoints_may_lie_in_a_relative_folder(digits, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    images, labels = digits.images[:60], digits.labels[:60]
    recipe = replace(QUICK, epochs=1)
    cross_validate(images, labels, 0, recipe, folds=2, processes=2, checkpoints=Path("unfinished"))
    assert len(list((tmp_path / "unfinished").glob("*.npz"))) == 2


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
            return [function(*arguments) for function, arguments, _ in jobs]

        return run

    monkeypatch.setattr(evaluation, "Parallel", parallel)
    monkeypatch.setattr(evaluation, "cpu_count", lambda: 2 * processes)
    threads = []
    monkeypatch.setattr(
        evaluation.tf.config.threading, "set_intra_op_parallelism_threads", threads.append
    )
    monkeypatch.setattr(
        evaluation.tf.config.threading, "set_inter_op_parallelism_threads", lambda count: None
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
            return [function(*arguments) for function, arguments, _ in jobs]

        return run

    monkeypatch.setattr(evaluation, "Parallel", parallel)
    dask = SimpleNamespace(client=None)
    monkeypatch.setattr(evaluation, "get_active_backend", lambda: (dask, None))
    cross_validate(*noise, seed=0, folds=5, processes=2)
    assert calls == [5]


def test_mean_and_sample_standard_deviation_of_the_folds():
    result = CrossValidation(np.array([0.98, 0.99, 1.0]), pd.DataFrame(), np.empty((0, 10)))
    assert result.mean == pytest.approx(0.99)
    assert result.std == pytest.approx(0.01)  # divided by 2, not by 3


# Figures


def test_a_history_becomes_a_table_with_epochs_from_1():
    frame = history_frame({"loss": [0.5, 0.25], "accuracy": [0.8, 0.9]})
    assert frame.columns.tolist() == ["epoch", "loss", "accuracy"]
    assert frame["epoch"].tolist() == [1, 2]
    assert frame["loss"].tolist() == [0.5, 0.25]


def test_predictions_come_in_the_order_of_the_images_also_beyond_one_batch(trained, sample):
    images = sample.x_train[:1003, ..., None]
    probabilities = predict_probabilities(trained.model, images)
    assert probabilities.shape == (1003, 10)
    for index in (0, 999, 1002):
        alone = trained.model(images[[index]].astype(np.float32)).numpy()[0]
        np.testing.assert_allclose(probabilities[index], alone, atol=1e-5)


@pytest.mark.parametrize(
    ("labels", "expected"), [([3, 1, 1, 0], 1.0), ([3, 1, 2, 5], 0.5), ([4, 2, 2, 1], 0.0)]
)
def test_accuracy_is_the_share_of_right_digits(labels, expected):
    assert accuracy(FOUR, np.array(labels)) == expected


def wilson(correct, total, z):
    middle = (correct + z**2 / 2) / (total + z**2)
    half = z / (total + z**2) * np.sqrt(correct * (total - correct) / total + z**2 / 4)
    return middle - half, middle + half


@pytest.mark.parametrize(("confidence", "z"), [(0.95, 1.959964), (0.99, 2.575829)])
@pytest.mark.parametrize("correct", [0, 50, 198, 200])
def test_the_interval_is_wilsons(correct, confidence, z):
    labels = np.zeros(200, int)
    predicted = np.where(np.arange(200) < correct, 0, 1)
    interval = accuracy_interval(one_hot(predicted), labels, confidence)
    assert interval == pytest.approx(wilson(correct, 200, z), abs=1e-6)


def test_calibration_of_four_images_in_two_bins_agrees_with_a_count_by_hand():
    labels = np.array([3, 1, 7, 0])  # right, right, wrong, right
    # Least sure: 0.5 and 0.6, half of them right; surest: 0.8 and 0.9, both right.
    expected = abs(0.55 - 0.5) * 0.5 + abs(0.85 - 1.0) * 0.5
    assert expected_calibration_error(FOUR, labels, bins=2) == pytest.approx(expected)


@pytest.mark.parametrize(("labels", "expected"), [(np.zeros(40), 0.0), (np.ones(40), 1.0)])
def test_calibration_error_of_full_confidence_is_0_if_right_and_1_if_wrong(labels, expected):
    probabilities = one_hot(np.zeros(40, int))
    assert expected_calibration_error(probabilities, labels) == pytest.approx(expected)


def test_a_calibration_with_more_bins_than_images_still_counts_each_image_once():
    expected = np.mean([0.1, 0.2, 0.6, 0.5])
    labels = np.array([3, 1, 7, 0])
    assert expected_calibration_error(FOUR, labels, bins=50) == pytest.approx(expected)


# Averages over shifts


def pixels_as_they_come(images):
    return images.reshape(len(images), -1).astype(float)


# Where the light of one pixel goes: along each axis it stays, or half of it moves by a pixel.
NEAR = np.outer([1 / 6, 2 / 3, 1 / 6], [1 / 6, 2 / 3, 1 / 6])


def test_an_average_over_shifts_moves_by_half_a_pixel_in_each_direction():
    image = np.zeros((1, 28, 28, 1), np.uint8)
    image[0, 5, 7] = 180
    average = evaluation.average_over_shifts(pixels_as_they_come, image).reshape(28, 28)
    expected = np.zeros((28, 28))
    expected[4:7, 6:9] = 180 * NEAR
    assert np.allclose(average, expected)


def test_what_is_shifted_over_an_edge_does_not_come_back_at_the_other():
    image = np.zeros((1, 28, 28, 1), np.uint8)
    image[0, 0, 27] = 180
    average = evaluation.average_over_shifts(pixels_as_they_come, image).reshape(28, 28)
    expected = np.zeros((28, 28))
    expected[:2, -2:] = 180 * NEAR[1:, :2]
    assert np.allclose(average, expected)


def test_a_network_is_asked_for_each_position(trained, digits):
    images = digits.validation[0]
    averaged = evaluation.predict_over_shifts(trained.model, images)
    assert averaged.shape == (len(images), 10)
    assert np.allclose(averaged.sum(axis=1), 1, atol=1e-5)
    assert not np.allclose(averaged, evaluation.predict_probabilities(trained.model, images))


def test_folds_are_read_in_the_way_that_is_asked_for(digits):
    once = replace(QUICK, epochs=1, batch_size=64)
    plain, averaged = (
        evaluation.cross_validate(
            digits.images, digits.labels, 0, once, folds=2, processes=1, **how
        ).probabilities
        for how in ({}, {"predict": evaluation.predict_over_shifts})
    )
    assert not np.allclose(plain, averaged)
