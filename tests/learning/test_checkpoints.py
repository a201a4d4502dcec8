from dataclasses import fields, replace

from helpers.learning import checkpoints
from helpers.learning.backend import keras
from helpers.learning.checkpoints import Checkpoint, fingerprint, removed_when_done
from helpers.learning.training import QUICK, train

import numpy as np
import pytest

RECIPE = replace(QUICK, epochs=3, batch_size=32, redrawn=0.2, relit=0.5)


class Lights(keras.callbacks.Callback):
    """Goes out in a given epoch, after a given batch, and counts the epochs until then."""

    def __init__(self, epoch=None, batch=0):
        super().__init__()
        self.epoch, self.batch = epoch, batch
        self.begun = []

    def on_epoch_begin(self, epoch, logs=None):
        self.begun.append(epoch)

    def on_train_batch_end(self, batch, logs=None):
        if (self.begun[-1], batch) == (self.epoch, self.batch):
            raise KeyboardInterrupt


@pytest.fixture
def run(digits, tmp_path):
    """Trains on a few digits with checkpoints in `tmp_path`."""

    def run(lights, seed=5, recipe=RECIPE, images=digits.images, folder=tmp_path):
        return train(
            images, digits.labels, seed, recipe, digits.validation, callbacks=[lights],
            checkpoints=folder,
        )  # fmt: skip

    return run


@pytest.fixture(scope="module")
def undisturbed(digits):
    """The network, and its history, of a training that was left alone."""
    return train(digits.images, digits.labels, 5, RECIPE, digits.validation)


def test_a_training_broken_off_twice_ends_as_if_it_had_not_been(run, undisturbed):
    expected_model, expected = undisturbed
    for epoch, batch, begun in ((1, 0, [0, 1]), (2, 7, [1, 2])):
        lights = Lights(epoch, batch)
        with pytest.raises(KeyboardInterrupt):
            run(lights)
        assert lights.begun == begun
    lights = Lights()
    model, history = run(lights)
    assert lights.begun == [2]  # from the last epoch that was finished
    assert all(map(np.array_equal, model.get_weights(), expected_model.get_weights()))
    assert history.keys() == expected.keys()
    for measure in history.keys() - {"seconds"}:
        assert history[measure] == expected[measure]
    assert len(history["seconds"]) == 3


def test_a_finished_training_is_not_repeated(run):
    first, expected = run(Lights())
    lights = Lights()
    again, history = run(lights)
    assert lights.begun == []
    assert history == expected
    assert all(map(np.array_equal, first.get_weights(), again.get_weights()))


def test_an_interruption_in_the_first_epoch_leaves_no_checkpoint(run, tmp_path):
    with pytest.raises(KeyboardInterrupt):
        run(Lights(epoch=0))
    assert list(tmp_path.iterdir()) == []


@pytest.fixture(scope="module")
def model():
    """A compiled network of two weights."""
    model = keras.Sequential([keras.Input((1,)), keras.layers.Dense(1)])
    model.compile("adam", "mse")
    return model


@pytest.fixture
def kept(model, tmp_path, monkeypatch):
    """A checkpoint of that network after one epoch of seven seconds."""
    clock = iter([100.0, 107.0])
    monkeypatch.setattr(checkpoints.time, "perf_counter", lambda: next(clock))
    path = tmp_path / "kept.npz"
    checkpoint = Checkpoint(path)
    checkpoint.set_model(model)
    model.optimizer.build(model.trainable_variables)
    checkpoint.on_train_begin()
    checkpoint.on_epoch_begin(0)
    checkpoint.on_epoch_end(0, {"loss": 0.5})
    return path


def test_weights_history_and_the_seconds_of_each_epoch_come_back(model, kept):
    before = model.get_weights()
    model.set_weights([weights + 1 for weights in before])
    checkpoint = Checkpoint(kept)
    assert checkpoint.restore(model) == 1
    assert all(map(np.array_equal, model.get_weights(), before))
    assert checkpoint.history == {"loss": [0.5], "seconds": [7.0]}


@pytest.mark.parametrize("damage", [lambda whole: b"", lambda whole: whole[:-500], lambda _: b"PK"])
def test_a_damaged_checkpoint_costs_its_epochs_alone(model, kept, damage):
    kept.write_bytes(damage(kept.read_bytes()))
    before = [weights + 1 for weights in model.get_weights()]
    model.set_weights(before)
    assert Checkpoint(kept).restore(model) == 0
    assert all(map(np.array_equal, model.get_weights(), before))


def test_a_checkpoint_is_never_unpickled(model, kept, tmp_path):
    class Canary:
        def __reduce__(self):
            return (tmp_path / "executed").touch, ()

    np.savez(kept, measures=np.array([Canary()], object))
    (tmp_path / "executed").unlink(missing_ok=True)
    assert Checkpoint(kept).restore(model) == 0
    assert not (tmp_path / "executed").exists()


# Who finds it again


OTHER_VALUES = {int: 7, float: 0.123, "network": "large", "optimizer": "adamw"}


@pytest.mark.parametrize("field", [field.name for field in fields(QUICK)])
def test_each_field_of_a_recipe_counts(field):
    other = OTHER_VALUES.get(field) or OTHER_VALUES[type(getattr(QUICK, field))]
    assert fingerprint(replace(QUICK, **{field: other})) != fingerprint(QUICK)


@pytest.mark.parametrize(
    "other",
    [
        np.zeros((2, 3), np.int8),
        np.zeros((3, 2), np.uint8),
        np.eye(2, 3, dtype=np.uint8),
        np.zeros((2, 3), np.uint8).tolist(),
    ],
    ids=["dtype", "shape", "values", "no array"],
)
def test_arrays_count_with_dtype_shape_and_values(other):
    assert fingerprint(other) != fingerprint(np.zeros((2, 3), np.uint8))


def test_the_order_of_an_array_in_memory_does_not_count():
    array = np.arange(6).reshape(2, 3)
    assert fingerprint(np.asfortranarray(array)) == fingerprint(array)


def test_code_and_libraries_count(monkeypatch, tmp_path):
    before = fingerprint(1)
    assert fingerprint(1) == before
    monkeypatch.setattr(checkpoints, "version", lambda library: "0.1")
    assert fingerprint(1) != before
    monkeypatch.undo()
    (tmp_path / "training.py").write_text("pass")
    monkeypatch.setattr(checkpoints, "CODE", [tmp_path / "training.py"])
    other_code = fingerprint(1)
    assert other_code != before
    (tmp_path / "training.py").write_text("pass  # changed")
    assert fingerprint(1) != other_code


def test_the_code_that_counts_is_that_of_learning():
    counted = {path.stem for path in checkpoints.CODE}
    assert {"training", "models", "augmentation", "handwriting", "muon", "layout"} <= counted
    assert not counted & {"pad", "command", "segmentation", "plots", "execution"}


# The folder


def test_checkpoints_go_when_all_is_done(tmp_path):
    with removed_when_done(tmp_path / "unfinished") as folder:
        folder.mkdir()
        (folder / "a.npz").touch()
    assert not folder.exists()


def test_checkpoints_stay_after_an_interruption(tmp_path):
    with pytest.raises(KeyboardInterrupt), removed_when_done(tmp_path) as folder:
        (folder / "a.npz").touch()
        raise KeyboardInterrupt
    assert (folder / "a.npz").exists()


def test_without_a_single_checkpoint_there_is_nothing_to_remove(tmp_path):
    with removed_when_done(tmp_path / "unfinished") as folder:
        pass
    assert not folder.exists()


def test_what_cannot_be_written_costs_the_checkpoint_and_not_the_training(run, tmp_path, capsys):
    (tmp_path / "file").touch()
    _, history = run(Lights(), folder=tmp_path / "file" / "folder")
    assert len(history["loss"]) == RECIPE.epochs
    assert capsys.readouterr().err.count("so this training starts over if it is interrupted") == 1
