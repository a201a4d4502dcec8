import os
import subprocess
import sys
from dataclasses import replace
from functools import partial
from pathlib import Path
from types import SimpleNamespace

from benchmarks import __main__ as command
from benchmarks import entries, figures, measuring, recipes, results
from benchmarks.measuring import Scoreboard, time_to, training_gflops
from helpers.learning.training import QUICK

import numpy as np
import pandas as pd
import pytest

PROJECT = Path(__file__).parents[2]


# The clock


@pytest.fixture
def clock(monkeypatch):
    """Clocks that stand still unless a test moves them."""
    clock = SimpleNamespace(now=50.0, cpu=7.0)
    monkeypatch.setattr(measuring.time, "perf_counter", lambda: clock.now)
    monkeypatch.setattr(measuring.time, "process_time", lambda: clock.cpu)
    return clock


def test_scoring_is_not_on_the_clock(clock):
    def slow_prediction(images):
        clock.now += 100
        clock.cpu += 200
        return np.eye(10)[[3, 1, 1, 5]]

    board = Scoreboard(np.zeros((4, 28, 28, 1), np.uint8), np.array([3, 1, 2, 5]))
    for _ in range(2):
        clock.now += 4
        clock.cpu += 6
        board.score(slow_prediction)
    assert board.epochs == [
        {"epoch": 1, "seconds": 4, "cpu_seconds": 6, "accuracy": 0.75},
        {"epoch": 2, "seconds": 8, "cpu_seconds": 12, "accuracy": 0.75},
    ]


def test_the_last_network_is_scored_over_shifts(clock):
    images = np.zeros((2, 28, 28, 1), np.uint8)
    images[:, 10, 10] = 255
    board = Scoreboard(images, np.array([7, 3]))
    board.score(lambda images: np.eye(10)[[7, 3]])
    # Right about both as they are, about none once they are moved.
    board.score(lambda images: np.eye(10)[[7, 3] if images[0, 10, 10] == 255 else [0, 0]])
    assert board.epochs[-1]["accuracy"] == 1
    assert board.accuracy_over_shifts() == 0


@pytest.mark.parametrize(("goal", "expected"), [(0.97, 10), (0.99, 20), (0.995, 40), (0.999, None)])
def test_the_time_to_an_accuracy_is_that_of_the_first_epoch_to_reach_it(goal, expected):
    scores = (0.98, 0.99, 0.985, 0.996)
    epochs = [{"seconds": 10 * (i + 1), "accuracy": score} for i, score in enumerate(scores)]
    assert time_to(epochs, goal) == expected


def test_operations_a_second_agree_with_a_count_by_hand():
    # 1,000,000 multiply-adds × 2 operations × 3 passes × 500 images in 10 s
    assert training_gflops(1_000_000, 500, 10.0) == pytest.approx(0.3)


def test_the_peak_is_no_less_than_what_one_product_reaches(monkeypatch):
    monkeypatch.setattr(measuring, "PEAK_SIZE", 256)
    assert 0.1 < measuring.peak_gflops() < 100_000


# The recipes


@pytest.mark.parametrize(
    ("training", "parameters", "batches"),
    [
        (recipes.train_published, 159_254, 256),
        (recipes.train_keras_example, 34_826, 230),
        (recipes.train_one_epoch, 215_194, 256),
        (entries.DASH, 29_258, 256),
        (entries.SPRINT, 44_714, 256),
        (partial(recipes.train_ours, recipe=QUICK), None, 256),
    ],
)
def test_a_recipe_trains_and_reports_each_epoch(digits, training, parameters, batches):
    board = Scoreboard(*digits.validation)
    cost = training(digits.images, digits.labels, 0, 2, board)
    assert [row["epoch"] for row in board.epochs] == [1, 2]
    assert 0 < board.epochs[0]["seconds"] < board.epochs[1]["seconds"]
    assert cost.images == batches
    assert cost.parameters == parameters or parameters is None
    assert cost.multiply_adds > 500_000


def test_the_published_points_name_the_parameters_that_our_versions_have():
    literature = pd.read_csv(figures.LITERATURE).set_index("name")["parameters"]
    assert literature["project that this series grew out of"] == 159_254
    assert literature["tuomaso/train_mnist_fast"] == 215_194
    assert literature["pytorch/examples"] == 1_199_882


def test_pytorchs_example_trains_and_reports_each_epoch(digits):
    pytest.importorskip("torch", reason="an optional extra")
    from benchmarks.pytorch import train_pytorch_example

    board = Scoreboard(*digits.validation)
    cost = train_pytorch_example(digits.images, digits.labels, 0, 2, board)
    assert len(board.epochs) == 2
    assert cost.parameters == 1_199_882


@pytest.mark.parametrize("change", entries.ABLATIONS.values(), ids=entries.ABLATIONS)
def test_each_ablation_changes_the_quick_recipe(change):
    assert (replace(QUICK, **change) == QUICK) == (not change)


def test_every_optimizer_of_the_ablation_chooses_its_own_rate(monkeypatch, digits):
    favourites = {"muon": 1e-2, "adamw": 5e-3, "sgd": 2e-1}
    trained = []

    def training(images, labels, seed, recipe, validation):
        trained.append((len(images), seed, recipe))
        is_favourite = recipe.peak_learning_rate == favourites[recipe.optimizer]
        return None, {"val_accuracy": [0.5, 0.9 + 0.05 * is_favourite], "seconds": [1.0, 2.0]}

    monkeypatch.setattr(entries, "train", training)
    monkeypatch.setattr(entries, "VALIDATION_IMAGES", 100)
    mnist = SimpleNamespace(x_train=np.zeros((1000, 28, 28), "uint8"), y_train=np.zeros(1000, int))
    tables = entries.measure_ablation(mnist)

    choosing = sum(map(len, entries.RATES.values()))
    assert len(tables["rates"]) == choosing
    assert {count for count, _, _ in trained[:choosing]} == {800}
    assert {count for count, _, _ in trained[choosing:]} == {900}
    seeds_of_the_table = {seed for _, seed, _ in trained[choosing:]}
    assert len(seeds_of_the_table) == entries.ABLATION_SEEDS >= 5
    assert seeds_of_the_table.isdisjoint(seed for _, seed, _ in trained[:choosing])
    assert len(tables["ablation"]) == entries.ABLATION_SEEDS * len(entries.ABLATIONS)
    for _, _, recipe in trained[choosing:]:
        assert recipe.peak_learning_rate == favourites[recipe.optimizer]
    decays = {row["recipe"]: recipe.weight_decay for row, (_, _, recipe) in
              zip(tables["ablation"], trained[choosing:], strict=True)}  # fmt: skip
    assert decays["without weight decay"] == 0
    assert decays["everything"] * 1e-2 == pytest.approx(decays["AdamW instead of Muon"] * 5e-3)


# Results


def test_a_new_result_replaces_that_of_its_entry_alone(tmp_path):
    results.store("quick", {"folds": [{"mean": 0.5}]}, tmp_path)
    results.store("best", {"folds": [{"mean": 0.7}]}, tmp_path)
    results.store("quick", {"folds": [{"mean": 0.6}, {"mean": 0.8}]}, tmp_path)
    table = results.load("folds", tmp_path)
    assert table.columns.tolist() == ["entry", "mean"]
    assert table.to_numpy().tolist() == [["best", 0.7], ["quick", 0.6], ["quick", 0.8]]


@pytest.mark.skipif(os.name == "nt", reason="the memory of a process is not known there")
def test_trainings_become_rows_with_machine_and_versions(digits, monkeypatch):
    monkeypatch.setattr(measuring, "PEAK_SIZE", 64)

    def training(images, labels, seed, epochs, board):
        board.score(lambda images: np.eye(10)[np.zeros(len(images), int)])
        return recipes.Cost(parameters=10, multiply_adds=20, images=len(images))

    images, labels = digits.validation
    mnist = SimpleNamespace(
        x_train=images[..., 0], y_train=labels, x_test=images[..., 0], y_test=labels
    )
    tables = entries.measure_trainings(mnist, training, epochs=1, seeds=2)
    assert [row["seed"] for row in tables["epochs"]] == [0, 1]
    for row in tables["trainings"]:
        assert row["accuracy"] == np.mean(labels == 0)
        assert row["seconds to 99.13%"] is None
        assert row["share of peak"] == pytest.approx(row["gflops"] / row["peak gflops"])
        assert row["cores"] == os.cpu_count() and row["processor"] and row["tensorflow"]
        assert row["peak memory (MB)"] > 100


def test_figures_are_drawn_from_the_results(tmp_path):
    epochs = [
        {"entry": name, "seed": seed, "epoch": epoch, "seconds": 9 * epoch, "accuracy": 0.99}
        for name in figures.NAMES
        for seed in range(2)
        for epoch in (1, 2)
    ]
    pd.DataFrame(epochs).to_csv(tmp_path / "epochs.csv", index=False)
    trainings = pd.DataFrame(epochs).query("epoch == 2").assign(parameters=50_000)
    trainings.to_csv(tmp_path / "trainings.csv", index=False)
    figures.draw_figures(results=tmp_path, folder=tmp_path)
    for name in ("error_against_time.png", "accuracy_against_size.png"):
        assert (tmp_path / name).stat().st_size > 5000
    curves = figures.plot_error_against_time(pd.DataFrame(epochs)).axes[0].lines
    assert len(curves) == len(figures.NAMES)
    assert all(len(curve.get_xdata()) == 2 for curve in curves)  # the first seed alone


def test_our_points_are_means_over_seeds():
    trainings = pd.DataFrame(
        {
            "entry": ["sprint", "published", "best", "best"],
            "epoch": [1, 10, 9, 9],
            "accuracy": [0.994, 0.99, 0.996, 0.998],
            "parameters": [50_000, 1, 170_000, 170_000],
        }
    )
    axis = figures.plot_accuracy_against_size(pd.read_csv(figures.LITERATURE), trainings).axes[0]
    ours = axis.containers[1].lines[0]
    assert sorted(ours.get_xdata()) == [50_000, 170_000]
    assert sorted(ours.get_ydata()) == pytest.approx([99.4, 99.7])
    texts = [text.get_text() for text in axis.texts]
    assert "sprint, 1 epoch" in texts and "best, 9 epochs" in texts


# The command


needs_unix = pytest.mark.skipif(os.name == "nt", reason="the benchmark does")


@needs_unix
def test_without_names_all_entries_are_measured():
    assert command.parse([]) == list(entries.ENTRIES)


@needs_unix
def test_an_unknown_entry_is_refused_with_the_known_ones():
    refused = subprocess.run(
        [sys.executable, "-m", "benchmarks", "quickest"], cwd=PROJECT, capture_output=True,
        text=True, timeout=120,
    )  # fmt: skip
    assert refused.returncode == 2
    assert "there is no entry 'quickest'; choose from published, " in refused.stderr
    assert "Traceback" not in refused.stderr


@needs_unix
def test_without_the_full_data_an_entry_stops_with_one_sentence(tmp_path):
    # Unlike the others, this one starts the process that measures.
    stopped = subprocess.run(
        [sys.executable, "-m", "benchmarks", "quick"], cwd=PROJECT, capture_output=True, text=True,
        timeout=120, env=os.environ | {"MNIST_PATH": str(tmp_path / "none.npz")},
    )  # fmt: skip
    assert stopped.returncode == 1
    assert stopped.stderr.startswith("error: ") and "none.npz does not exist" in stopped.stderr
    assert "Traceback" not in stopped.stderr


def test_an_entry_whose_package_is_missing_is_left_out(monkeypatch, capsys):
    measured = []
    entry = entries.Entry("a title", 1, None, needs="no_such_package")
    monkeypatch.setitem(command.ENTRIES, "absent", entry)
    monkeypatch.setattr(command, "parse", lambda: ["absent", "quick"])
    monkeypatch.setattr(command, "in_fresh_process", lambda function, name: name)
    monkeypatch.setattr(command, "store", lambda name, tables: measured.append(tables))
    monkeypatch.setattr(command, "draw_figures", lambda: None)
    command.main()
    assert measured == ["quick"]
    printed = capsys.readouterr().out
    assert "absent: left out, since it needs the package no_such_package" in printed
    assert "quick: ours, quick, about" in printed
