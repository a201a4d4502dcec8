import json

from benchmarks import corruptions
from benchmarks.corruptions import (
    READ,
    SHIPS,
    CorruptionsError,
    load_corruptions,
    plot_clean_against_corrupted,
    read_pictures,
    summarise,
)
from helpers.reading.reader import DigitReader

import numpy as np
import pandas as pd
import pytest


@pytest.fixture
def arrays(sample):
    images = sample.x_test[:40]
    return {"identity": images, "fog": images // 2 + 100, "labels": sample.y_test[:40]}


def save_archive(arrays, path):
    np.savez(path / "mnist_c.npz", **arrays)
    return path / "mnist_c.npz"


def save_folder(arrays, path):
    for name in ("identity", "fog"):
        (path / name).mkdir()
        np.save(path / name / "test_images.npy", arrays[name][..., None])
        np.save(path / name / "test_labels.npy", arrays["labels"])
    return path


@pytest.mark.parametrize("save", [save_archive, save_folder])
def test_both_forms_of_the_collection_are_understood(arrays, tmp_path, save):
    loaded, labels = load_corruptions(save(arrays, tmp_path))
    assert list(loaded) == ["identity", "fog"] or list(loaded) == ["fog", "identity"]
    np.testing.assert_array_equal(loaded["fog"], arrays["fog"])
    np.testing.assert_array_equal(labels, arrays["labels"])


@pytest.mark.parametrize("missing", ["labels", "identity", "fog"])
def test_a_collection_that_is_not_whole_is_named(arrays, tmp_path, missing):
    del arrays[missing]
    with pytest.raises(CorruptionsError, match=r"mnist_c\.npz (is not MNIST-C|must hold)"):
        load_corruptions(save_archive(arrays, tmp_path))


def test_a_missing_collection_is_named(tmp_path):
    with pytest.raises(CorruptionsError, match="nowhere is not MNIST-C"):
        load_corruptions(tmp_path / "nowhere")


def test_prepared_digits_are_read_and_blank_ones_count_as_unread(arrays):
    images = np.concatenate([arrays["identity"], np.full((1, 28, 28), 90, np.uint8)])
    read = read_pictures(DigitReader(), images)
    assert np.mean(read[:-1] == arrays["labels"]) > 0.9
    assert read[-1] == corruptions.UNREAD


def test_the_command_scores_stores_and_prints(arrays, tmp_path, monkeypatch, capsys):
    stored = {}
    monkeypatch.setattr(corruptions, "store", lambda name, tables: stored.update({name: tables}))
    corruptions.main([str(save_archive(arrays, tmp_path)), "--ships"])
    assert set(stored) == {SHIPS, READ}
    for tables in stored.values():
        rows = tables["corruptions"]
        assert {row["corruption"] for row in rows} == {"identity", "fog"}
        assert all(0 <= row["accuracy"] <= 1 and row["cores"] for row in rows)
        json.dumps(rows)
    assert "worst is" in capsys.readouterr().out


def test_a_summary_has_the_mean_and_the_worst_without_the_clean_digits():
    scores = {"identity": 1.0, "fog": 0.5, "stripe": 0.9}
    table = pd.DataFrame(
        [{"entry": "a", "corruption": name, "accuracy": score} for name, score in scores.items()]
    )
    row = summarise(table).loc["a"]
    assert (row["clean"], row["worst"], row["worst is"]) == (100, 50, "fog")
    assert row["mean"] == pytest.approx(70)
    figure = plot_clean_against_corrupted(summarise(table.replace({"accuracy": {1.0: 0.99}})))
    assert figure.axes[0].lines[0].get_xdata() == pytest.approx([1])
