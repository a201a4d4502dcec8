"""The frames of the site's sliders, held against what the notebooks show."""

import inspect
import re

from helpers.errors import UserError
from helpers.places import project_folder
from helpers.series import sliders
from helpers.series.sliders import (
    SLIDERS,
    between_4_and_9,
    draw_weights,
    film_of_learning,
    levels_of,
    shoot_film,
    walk_through_the_preparation,
)

import matplotlib.pyplot as plt
import nbformat
import numpy as np
import pytest
from matplotlib.colors import Normalize


def cell_of(notebook, name):
    path = project_folder() / "notebooks" / f"{notebook}.ipynb"
    return next(cell for cell in nbformat.read(path, as_version=4).cells if cell.id == name)


def printed_by(notebook, name):
    return "".join(output.get("text", "") for output in cell_of(notebook, name).outputs)


@pytest.fixture(scope="module")
def made():
    return {place: make() for place, make in SLIDERS.items()}


@pytest.mark.parametrize("place", SLIDERS)
def test_the_knobs_are_those_of_the_notebook(made, place):
    source = cell_of(*place).source
    *definition, call = source.splitlines()
    names = {}
    exec("\n".join(line for line in definition if not line.startswith("by_")), names)
    (function,) = (value for value in names.values() if inspect.isfunction(value))
    starts = {name: each.default for name, each in inspect.signature(function).parameters.items()}
    ranges = {name: (int(a), int(b)) for name, a, b in re.findall(r"(\w+)=\((\d+), (\d+)\)", call)}
    knobs = made[place].knobs
    assert {knob.label: knob.start for knob in knobs} == starts
    assert {knob.label: (knob.first, knob.last) for knob in knobs} == ranges


@pytest.mark.parametrize("place", SLIDERS)
def test_there_is_a_frame_and_a_caption_for_each_place_of_the_knobs(made, place):
    frames = made[place]
    count = np.prod([knob.last - knob.first + 1 for knob in frames.knobs])
    assert len(frames.captions) == count
    assert frames.picture.height % count == 0
    assert len(frames.probabilities) in (0, count)


def test_the_film_tells_what_the_notebook_tells():
    captions = film_of_learning().captions
    told = cell_of("04_learning_by_hand", "film-table").outputs[0].data["text/plain"]
    rows = re.findall(r"^(\d+) +\d\.\d+ +(\d+\.\d)", told, re.MULTILINE)
    assert [int(step) for step, _ in rows] == [0, 1, 10, 200]
    for step, right in rows:
        assert captions[int(step)] == f"Step {step}: {right}% of the validation digits are right."


def test_the_walk_reads_as_many_digits_after_each_step_as_the_notebook():
    said = walk_through_the_preparation().probabilities.argmax(axis=1).reshape(10, 6)
    right = (said == np.arange(10)[:, np.newaxis]).sum(axis=0)
    told = re.findall(r": (\d+) of 10", printed_by("08_predicting", "up-to-figure"))
    assert right.tolist() == [int(count) for count in told]


def test_the_gap_closes_as_in_the_notebook():
    chances = between_4_and_9().probabilities
    told = re.findall(
        r"(\d+) pixels: 4 (\d+)%, 9 (\d+)%", printed_by("08_predicting", "closing-figure")
    )
    assert len(told) == 3
    for count, four, nine in told:
        assert 100 * chances[int(count), [4, 9]] == pytest.approx([int(four), int(nine)], abs=0.6)


def test_weights_have_the_colours_of_the_figure():
    weights = np.random.default_rng(0).normal(size=(784, 10))
    drawn = np.asarray(draw_weights(levels_of(weights)[3]).convert("RGB"))
    limit = 0.7 * np.abs(weights).max()
    shares = Normalize(-limit, limit)(weights[:, 3].reshape(28, 28))
    expected = plt.get_cmap("RdBu_r", 17)(shares)[..., :3]
    np.testing.assert_allclose(drawn, 255 * expected, atol=1)


def test_a_film_is_made_by_the_cells_of_the_notebook(sample, tmp_path, monkeypatch):
    monkeypatch.setattr(sliders, "load_mnist", lambda full: sample)
    shoot_film(tmp_path)
    monkeypatch.setattr(sliders, "film_folder", lambda: tmp_path)
    frames = film_of_learning()
    assert len(frames.captions) == 201
    height = frames.picture.height // 201
    first, second = (np.asarray(frames.picture)[i * height :][: height - 2] for i in (0, 1))
    assert set(np.unique(first)) == {8, 128, 255}
    assert len(np.unique(second)) > 10


def test_whoever_misses_the_film_is_told_how_to_make_it(tmp_path, monkeypatch):
    monkeypatch.setattr(sliders, "film_folder", lambda: tmp_path)
    with pytest.raises(UserError, match=r"python -m helpers\.series\.sliders"):
        film_of_learning()


def test_the_command_films_to_where_the_site_looks(monkeypatch):
    folders = []
    monkeypatch.setattr(sliders, "shoot_film", folders.append)
    sliders.main()
    assert folders == [project_folder() / "site" / "film"]
