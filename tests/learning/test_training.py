import random
from dataclasses import replace

from helpers.errors import ArgumentError
from helpers.learning import training
from helpers.learning.augmentation import training_batches
from helpers.learning.backend import keras
from helpers.learning.evaluation import accuracy, predict_probabilities
from helpers.learning.models import build_cnn
from helpers.learning.muon import ConvolutionMuon
from helpers.learning.progress import Progress
from helpers.learning.training import QUICK, history_frame, one_cycle, train

import numpy as np
import pytest


def same_weights(model, other):
    return all(map(np.array_equal, model.get_weights(), other.get_weights()))


@pytest.mark.parametrize("warmup", [0.1, 0.25, 0.5])
def test_the_learning_rate_rises_to_its_peak_then_falls_to_0_at_the_very_end(warmup):
    schedule = one_cycle(peak=0.004, steps=200, warmup=warmup)
    rates = np.array([float(schedule(step)) for step in range(201)])
    peak = round(200 * warmup)
    assert rates[0] == 0
    assert rates[peak] == rates.max() == pytest.approx(0.004)
    assert (np.diff(rates[: peak + 1]) > 0).all()
    assert (np.diff(rates[peak:]) < 0).all()
    assert rates[peak // 2] == pytest.approx(0.004 * (peak // 2) / peak, rel=1e-3)
    assert rates[(peak + 200) // 2] == pytest.approx(0.002, rel=1e-3)
    assert 0 < rates[199] < 1e-5
    assert rates[200] == pytest.approx(0, abs=1e-9)


@pytest.mark.parametrize(("steps", "warmup"), [(1, 0.25), (2, 0.0), (3, 1.0)])
def test_the_shortest_schedules_stay_within_0_and_the_peak(steps, warmup):
    schedule = one_cycle(0.004, steps, warmup)
    assert all(0 <= float(schedule(step)) <= 0.0041 for step in range(steps + 1))


def test_one_seed_gives_the_same_network_whether_or_not_it_is_validated(trained, digits):
    keras.utils.set_random_seed(99)  # what was set before does not matter
    model, history = train(digits.images, digits.labels, seed=7, recipe=trained.recipe)
    assert same_weights(model, trained.model)
    assert history["loss"] == trained.history["loss"]
    assert set(history) == {"loss", "accuracy", "seconds"}


def test_other_threads_that_draw_from_chance_do_not_matter(trained, digits, monkeypatch):
    """A cluster's workers, for one, draw from Python's `random` whenever they like."""

    def draw_and_build(*arguments):
        random.random()
        np.random.random()  # noqa: NPY002
        return build_cnn(*arguments)

    monkeypatch.setattr(training, "build_cnn", draw_and_build)
    model, _ = train(digits.images, digits.labels, seed=7, recipe=trained.recipe)
    assert same_weights(model, trained.model)


def test_another_seed_gives_another_network(trained, digits):
    shorter = replace(QUICK, epochs=1, batch_size=32)
    model, history = train(digits.images, digits.labels, seed=8, recipe=shorter)
    assert not same_weights(model, trained.model)
    assert len(history["loss"]) == 1


def test_the_history_has_a_value_for_each_measure_and_epoch(trained):
    epochs = trained.recipe.epochs
    assert {name: len(values) for name, values in trained.history.items()} == {
        "loss": epochs,
        "accuracy": epochs,
        "val_loss": epochs,
        "val_accuracy": epochs,
        "seconds": epochs,
    }
    assert min(trained.history["seconds"]) > 0


def test_a_few_epochs_on_a_few_digits_teach_a_lot(trained, digits):
    assert trained.history["loss"][-1] < 0.5 * trained.history["loss"][0]
    images, labels = digits.validation
    assert accuracy(predict_probabilities(trained.model, images), labels) > 0.6


def test_the_last_validation_figure_is_the_returned_networks(trained, digits):
    images, labels = digits.validation
    probabilities = predict_probabilities(trained.model, images)
    assert trained.history["val_accuracy"][-1] == pytest.approx(accuracy(probabilities, labels))
    smoothed = 0.95 * np.eye(10)[labels] + 0.05 / 10
    loss = -(smoothed * np.log(probabilities)).sum(axis=1).mean()
    assert trained.recipe.label_smoothing == 0.05
    assert trained.history["val_loss"][-1] == pytest.approx(loss, rel=1e-3)


def test_the_schedule_ends_with_the_last_step_and_not_before(trained, digits):
    optimizer = trained.model.optimizer
    steps = trained.recipe.epochs * -(-len(digits.images) // trained.recipe.batch_size)
    assert int(optimizer.iterations) == steps
    assert float(optimizer.learning_rate) == pytest.approx(0, abs=1e-9)
    schedule = optimizer._learning_rate
    assert float(schedule(steps - 1)) > 0
    assert float(schedule(round(steps * trained.recipe.warmup))) == pytest.approx(
        trained.recipe.peak_learning_rate
    )


def test_training_gives_no_warnings(trained):
    assert [str(warning.message) for warning in trained.warnings] == []


def test_adamw_can_take_the_place_of_muon():
    recipe = replace(QUICK, optimizer="adamw")
    optimizer = training.make_optimizer(recipe, steps=100)
    assert type(optimizer) is keras.optimizers.AdamW
    assert optimizer.weight_decay == recipe.weight_decay
    assert type(training.make_optimizer(QUICK, steps=100)) is ConvolutionMuon
    optimizer = training.make_optimizer(replace(QUICK, optimizer="sgd"), steps=100)
    assert type(optimizer) is keras.optimizers.SGD
    assert (optimizer.momentum, optimizer.weight_decay) == (0.9, QUICK.weight_decay)


def test_a_history_becomes_a_table_with_epochs_from_1():
    frame = history_frame({"loss": [0.5, 0.25], "accuracy": [0.8, 0.9]})
    assert frame.columns.tolist() == ["epoch", "loss", "accuracy"]
    assert frame["epoch"].tolist() == [1, 2]
    assert frame["loss"].tolist() == [0.5, 0.25]


class StopError(Exception):
    pass


@pytest.fixture
def trained_until(monkeypatch):
    """Returns what `train` hands to one of its parts, and stops there."""

    def handed_to(owner, name, recipe, **more):
        seen = {}

        def part(*arguments, **options):
            seen.update(options, arguments=arguments)
            raise StopError

        monkeypatch.setattr(owner, name, part)
        images, labels = np.zeros((10, 28, 28), np.uint8), np.arange(10)  # without a channel
        with pytest.raises(StopError):
            train(images, labels, seed=5, recipe=recipe, **more)
        return seen

    return handed_to


def test_batch_size_seed_and_augmentation_reach_the_batches(trained_until):
    recipe = replace(QUICK, epochs=1, batch_size=3, warp_strength=0.7, rethickened=0.2, redrawn=0.4)
    seen = trained_until(training, "training_batches", recipe)
    assert seen["arguments"][2:] == (3, 5)
    changes = {"warp_strength": 0.7, "rethickened": 0.2, "redrawn": 0.4}
    assert {name: seen[name] for name in changes} == changes


def test_fewer_images_are_under_other_light_in_the_last_fifth_of_the_epochs(digits, monkeypatch):
    class Watch(keras.callbacks.Callback):
        def on_epoch_end(self, epoch, logs=None):
            seen.append(float(handed["relit"]))

    seen, handed = [], {}

    def batches(*arguments, **options):
        handed.update(options)
        return training_batches(*arguments, **options)

    monkeypatch.setattr(training, "training_batches", batches)
    recipe = replace(QUICK, epochs=5, batch_size=32, relit=0.5)
    train(digits.images[:32], digits.labels[:32], 3, recipe, callbacks=[Watch()])
    assert seen == pytest.approx([0.5] * 4 + [0.2])


def test_labels_reach_the_batches_as_one_hot_rows(trained_until):
    seen = trained_until(training, "training_batches", replace(QUICK, epochs=1))
    np.testing.assert_array_equal(seen["arguments"][1], np.eye(10))


def test_label_smoothing_reaches_the_loss(trained_until):
    recipe = replace(QUICK, epochs=1, label_smoothing=0.2)
    seen = trained_until(training.keras.losses, "CategoricalCrossentropy", recipe)
    assert seen["label_smoothing"] == 0.2


def test_weight_decay_and_learning_rate_reach_the_optimizer(trained_until):
    recipe = replace(
        QUICK, epochs=4, batch_size=5, peak_learning_rate=0.01, weight_decay=0.3, warmup=0.5
    )
    seen = trained_until(training, "ConvolutionMuon", recipe)
    assert seen["weight_decay"] == seen["adam_weight_decay"] == 0.3
    (schedule,) = seen["arguments"]
    assert float(schedule(4)) == pytest.approx(0.01)  # half of 4 × 2 steps
    assert float(schedule(8)) == pytest.approx(0, abs=1e-9)


def test_size_and_dropout_reach_the_network(trained_until):
    recipe = replace(QUICK, epochs=1, network="large", dropout=0.45)
    assert trained_until(training, "build_cnn", recipe)["arguments"] == ("large", 0.45, 5)


def test_callbacks_and_progress_are_called(digits, capsys):
    class Epochs(keras.callbacks.Callback):
        def on_epoch_end(self, epoch, logs=None):
            seen.append(epoch)

    seen, progress = [], Progress("seed 3")
    recipe = replace(QUICK, epochs=2, batch_size=32)
    train(
        digits.images[:64], digits.labels[:64], 3, recipe, progress=progress, callbacks=[Epochs()]
    )
    assert seen == [0, 1]
    assert capsys.readouterr().out.startswith("seed 3: 1.0 of 2 epochs")


def test_all_that_decides_a_training_reaches_its_fingerprint(trained_until, tmp_path):
    validation = np.full((1, 28, 28, 1), 9, np.uint8), np.array([4])
    recipe = replace(QUICK, epochs=1)
    seen = trained_until(
        training, "fingerprint", recipe, validation=validation, checkpoints=tmp_path
    )
    images, labels, seed, seen_recipe, *seen_validation = seen["arguments"]
    np.testing.assert_array_equal(images, np.zeros((10, 28, 28, 1)))
    np.testing.assert_array_equal(labels, np.arange(10))
    assert (seed, seen_recipe) == (5, recipe)
    np.testing.assert_array_equal(seen_validation[0], validation[0])
    np.testing.assert_array_equal(seen_validation[1], validation[1])


# What cannot be trained on

IMAGES, LABELS = np.full((20, 28, 28), 200, np.uint8), np.arange(20) % 10


@pytest.mark.parametrize(
    ("images", "labels", "sentence"),
    [
        (IMAGES / 255, LABELS, "must be raw pixels from 0 to 255, but the brightest is 0.78"),
        (IMAGES * np.nan, LABELS, "must be finite, but some pixels are NaN"),
        (IMAGES.astype(int) - 201, LABELS, "must lie between 0 and 255, but lie between -1 and -1"),
        (IMAGES.astype(str), LABELS, "must be numbers, but have the dtype"),
        (IMAGES.reshape(-1, 784), LABELS, r"but have \(20, 784\): use reshape\(-1, 28, 28\)"),
        (IMAGES[:0], LABELS[:0], "must hold at least one image"),
        (IMAGES, LABELS[:19], "labels must match the 20 images, but there are 19"),
        (IMAGES, LABELS + 0.7, "labels must be integers from 0 to 9, but have the dtype float64"),
        (IMAGES, LABELS - 1, "labels must be integers from 0 to 9, but go from -1 to 8"),
        (IMAGES, LABELS + 1, "labels must be integers from 0 to 9, but go from 1 to 10"),
        (IMAGES, np.eye(10)[LABELS], r"labels must have the shape \(n,\).*use argmax"),
    ],
)
def test_data_that_cannot_be_trained_on_is_named_in_one_sentence(images, labels, sentence):
    for data, validation in (((images, labels), None), ((IMAGES, LABELS), (images, labels))):
        with pytest.raises(ArgumentError, match=sentence):
            train(*data, seed=0, validation=validation)


@pytest.mark.parametrize("seed", [-1, 0.5, "one"])
def test_a_seed_that_cannot_be_used_is_named(seed):
    with pytest.raises(ArgumentError, match=r"seed must be an integer from 0 to .*, but is"):
        train(IMAGES, LABELS, seed=seed)


def test_the_first_step_is_translated_into_a_graph_once(digits, monkeypatch):
    step, translations = keras.Model.train_step, []

    def counted(model, batch):
        translations.append(model)
        return step(model, batch)

    monkeypatch.setattr(keras.Model, "train_step", counted)
    train(digits.images, digits.labels, 0, replace(QUICK, epochs=1))
    assert len(translations) == 1


@pytest.mark.parametrize(
    ("setting", "sentence"),
    [
        ({"label_smoothing": 1.5}, "label_smoothing must be a number from 0 to below 1"),
        ({"weight_decay": -1}, "weight_decay must be a number of at least 0, but is -1"),
        ({"peak_learning_rate": np.nan}, "peak_learning_rate must be a number .*, but is nan"),
        ({"dropout": 1.0}, "dropout must be a number from 0 to below 1, but is 1.0"),
        ({"batch_size": 0}, "batch_size must be an integer of at least 1, but is 0"),
        ({"epochs": 2.5}, "epochs must be an integer of at least 1, but is 2.5"),
        ({"epochs": True}, "epochs must be an integer of at least 1, but is True"),
        ({"redrawn": 1.2}, "redrawn must be a number from 0 to 1, but is 1.2"),
        ({"network": "huge"}, "network must be one of tiny, small, large, not 'huge'"),
        ({"optimizer": "lion"}, "optimizer must be one of muon, adamw, sgd, not 'lion'"),
    ],
)
def test_a_recipe_checks_itself_when_it_is_made(setting, sentence):
    with pytest.raises(ArgumentError, match=sentence):
        replace(QUICK, **setting)
