import signal
import subprocess
import sys
import warnings
import zipfile
from pathlib import Path

from helpers.errors import ModelFileError
from helpers.learning.backend import keras, layers
from helpers.learning.saving import export_litert, load_model, save_model

import numpy as np
import pytest
from PIL import Image


@pytest.fixture(scope="module")
def saved(trained, tmp_path_factory):
    path = tmp_path_factory.mktemp("saved") / "digits.keras"
    save_model(trained.model, path)
    return path


@pytest.fixture
def copy(saved, tmp_path):
    """A copy of the saved network that a test may damage."""
    path = tmp_path / "copy.keras"
    path.write_bytes(saved.read_bytes())
    return path


# Keras' format


def test_a_reloaded_network_predicts_the_same_to_the_bit(trained, saved, digits):
    images = digits.images[:50]
    expected = trained.model.predict(images, verbose=0)
    np.testing.assert_array_equal(load_model(saved).predict(images, verbose=0), expected)


def test_the_optimizer_stays_out_of_the_file(trained, saved, tmp_path):
    trained.model.save(tmp_path / "with_optimizer.keras")
    assert saved.stat().st_size < 0.7 * (tmp_path / "with_optimizer.keras").stat().st_size
    with zipfile.ZipFile(saved) as archive:
        assert b"Muon" not in archive.read("config.json")
        assert b"optimizer" not in archive.read("model.weights.h5")


def test_saving_leaves_the_network_itself_as_it_was(trained, tmp_path):
    before = trained.model.get_weights()
    save_model(trained.model, tmp_path / "digits.keras")
    assert trained.model.optimizer is not None
    assert all(map(np.array_equal, trained.model.get_weights(), before))


@pytest.fixture
def fails_half_way(monkeypatch):
    def write_half(self, path, *arguments, **options):
        Path(path).write_bytes(b"half")
        raise OSError("no space left on device")

    monkeypatch.setattr(keras.Model, "save", write_half)
    monkeypatch.setattr(keras.Model, "export", write_half)


@pytest.mark.parametrize(
    ("write", "name"), [(save_model, "digits.keras"), (export_litert, "digits.tflite")]
)
def test_a_write_that_fails_leaves_the_older_file(trained, tmp_path, fails_half_way, write, name):
    (tmp_path / name).write_text("older")
    with pytest.raises(OSError, match="no space"):
        write(trained.model, tmp_path / name)
    assert (tmp_path / name).read_text() == "older"
    assert [path.name for path in tmp_path.iterdir()] == [name]


def test_a_missing_file_is_named_with_what_to_do(tmp_path):
    with pytest.raises(ModelFileError, match="does not exist; train and save") as caught:
        load_model(tmp_path / "digits.keras")
    assert str(tmp_path / "digits.keras") in str(caught.value)


def truncate(path):
    path.write_bytes(path.read_bytes()[:-2000])


def replace_by_text(path):
    path.write_text("<html>not found</html>")


def replace_by_another_archive(path):
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("config.json", "{}")


def flip_bits_of_the_weights(path):
    content = bytearray(path.read_bytes())
    middle = len(content) // 2
    content[middle : middle + 64] = bytes(64)
    path.write_bytes(content)


def spoil_the_configuration(path):
    with zipfile.ZipFile(path) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    members["config.json"] = b"{not json"
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in members.items():
            archive.writestr(name, content)


def empty(path):
    path.write_bytes(b"")


def replace_by_a_picture(path):
    Image.new("L", (28, 28)).save(path, "PNG")


def replace_by_the_older_format(path):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        older = path.with_suffix(".h5")
        keras.Sequential([layers.Input((28, 28, 1)), layers.Flatten(), layers.Dense(10)]).save(
            older
        )
    older.replace(path)


def add_a_way_out(path):
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr("../../planted.py", "print('planted')")


def claim_to_be_enormous(path):
    with zipfile.ZipFile(path) as archive:
        members = {name: archive.read(name) for name in ("config.json", "model.weights.h5")}
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
        with archive.open("metadata.json", "w", force_zip64=True) as member:
            for _ in range(600):
                member.write(bytes(1_000_000))


@pytest.mark.parametrize(
    "damage",
    [
        empty,
        replace_by_a_picture,
        replace_by_the_older_format,
        add_a_way_out,
        claim_to_be_enormous,
        truncate,
        replace_by_text,
        replace_by_another_archive,
        flip_bits_of_the_weights,
        spoil_the_configuration,
    ],
)
def test_a_damaged_file_is_named(copy, damage):
    damage(copy)
    # Only what is a whole archive is left to Keras.
    said = "cannot be loaded" if damage is spoil_the_configuration else "not a Keras 3 model"
    with pytest.raises(ModelFileError, match=said) as caught:
        load_model(copy)
    assert str(copy) in str(caught.value)


def test_code_that_a_file_brings_is_not_run(tmp_path):
    path, canary = tmp_path / "foreign.keras", str(tmp_path / "executed")

    inputs = layers.Input((28, 28, 1))
    touching = layers.Lambda(lambda x: (__import__("pathlib").Path(canary).touch(), x)[1])
    keras.Sequential([inputs, touching, layers.Flatten(), layers.Dense(10)]).save(path)
    Path(canary).unlink()
    with pytest.raises(ModelFileError, match=r"foreign\.keras cannot be loaded safely"):
        load_model(path)
    assert not Path(canary).exists()
    keras.saving.load_model(path, compile=False, safe_mode=False)
    assert Path(canary).exists()  # so it would have been run


def test_nothing_is_unpacked_beside_a_foreign_file(copy, tmp_path):
    add_a_way_out(copy)
    before = sorted(tmp_path.parent.rglob("*"))
    with pytest.raises(ModelFileError):
        load_model(copy)
    assert sorted(tmp_path.parent.rglob("*")) == before


def test_a_network_of_two_inputs_is_refused(tmp_path):
    inputs = [layers.Input((28, 28, 1)), layers.Input((28, 28, 1))]
    both = layers.Flatten()(layers.Concatenate()(inputs))
    save_model(keras.Model(inputs, layers.Dense(10)(both)), tmp_path / "pairs.keras")
    with pytest.raises(ModelFileError, match=r"pairs\.keras is not a digit network"):
        load_model(tmp_path / "pairs.keras")


def test_a_network_without_shapes_is_refused(tmp_path):
    with pytest.warns(UserWarning, match="not yet been built"):
        keras.Sequential([layers.Dense(10)]).save(tmp_path / "unbuilt.keras")
    with pytest.raises(ModelFileError, match=r"unbuilt\.keras is not a digit network"):
        load_model(tmp_path / "unbuilt.keras")


@pytest.mark.skipif(not hasattr(signal, "SIGXFSZ"), reason="needs a limit on the size of files")
def test_a_full_disk_leaves_the_older_files(saved, tmp_path):
    targets = {"save_model": tmp_path / "digits.keras", "export_litert": tmp_path / "digits.tflite"}
    for target in targets.values():
        target.write_text("older")
    # A limit on the size of files stands in for the end of the disk.
    script = f"""
import resource
from pathlib import Path
from helpers.learning.saving import export_litert, load_model, save_model
model = load_model(Path({str(saved)!r}))
resource.setrlimit(resource.RLIMIT_FSIZE, (50_000, 50_000))
for write, target in ((save_model, {str(targets["save_model"])!r}),
                      (export_litert, {str(targets["export_litert"])!r})):
    try:
        write(model, Path(target))
    except OSError:
        print("OSError")
"""
    run = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert run.stdout.splitlines()[-2:] == ["OSError", "OSError"]
    assert {path.name: path.read_text() for path in tmp_path.iterdir()} == {
        "digits.keras": "older", "digits.tflite": "older",
    }  # fmt: skip


@pytest.mark.parametrize(("size", "classes"), [(32, 10), (28, 26)])
def test_a_network_of_another_shape_is_refused(tmp_path, size, classes):
    inputs = layers.Input((size, size, 1))
    model = keras.Sequential([inputs, layers.Flatten(), layers.Dense(classes)])
    save_model(model, tmp_path / "letters.keras")
    with pytest.raises(ModelFileError, match=rf"letters\.keras is not a digit .*{size}.*{classes}"):
        load_model(tmp_path / "letters.keras")


# LiteRT
