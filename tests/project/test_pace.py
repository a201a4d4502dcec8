"""The rules of the page, counted; `tests.project.pace` says how."""

import re

from helpers.scoreboard import STORED_ROWS
from tests.project.pace import (
    FROM_A_RUN,
    NOTEBOOKS,
    NUMBER,
    exercises_by_level,
    is_hidden,
    measure,
    printed,
    truth_values,
    words_before,
    words_of,
)

import nbformat
import pandas as pd
import pytest


@pytest.fixture(
    params=sorted(NOTEBOOKS.glob("*.ipynb")), ids=lambda path: path.stem, scope="module"
)
def notebook(request):
    return nbformat.read(request.param, as_version=4)


def code_cells(notebook):
    return [cell for cell in notebook.cells if cell.cell_type == "code"]


def test_no_line_is_only_true_or_false(notebook):
    assert truth_values(notebook) == []


def test_numbers_from_a_run_are_the_stored_ones(notebook):
    outputs = {cell.id: set(NUMBER.findall(printed(cell))) for cell in code_cells(notebook)}
    for cell in notebook.cells:
        if cell.cell_type == "markdown":
            for number, source in FROM_A_RUN.findall(cell.source):
                assert number in outputs[source], f"{cell.id}: {number} is not printed by {source}"


def test_texts_and_code_are_short(notebook):
    for cell in notebook.cells:
        if cell.cell_type == "markdown":
            assert words_of(cell.source) <= 120, cell.id
    counted = measure(notebook)
    assert counted["visible code, median (lines)"] <= 6
    assert counted["visible code, longest (lines)"] <= 15


def test_a_question_opens_it_and_a_figure_comes_soon(notebook):
    assert "?" in notebook.cells[0].source.splitlines()[0]
    assert measure(notebook)["words before the first figure"] <= 150


def test_the_readers_own_digits_come_first_of_all():
    first = nbformat.read(NOTEBOOKS / "01_loading.ipynb", as_version=4)
    assert words_before(first, lambda cell: "TenPad()" in cell.source) <= 150
    assert words_before(first, lambda cell: "predict" in cell.source) <= 150


def test_checks_are_folded_and_nothing_else_asserts(notebook):
    for cell in code_cells(notebook):
        tags = cell.metadata.get("tags", [])
        assert is_hidden(cell) == ("hide-cell" in tags or "hide-input" in tags), cell.id
        assert ("hide-cell" in tags) == bool(re.search(r"^\s*assert ", cell.source, re.M)), cell.id
        if "hide-cell" in tags:
            assert not cell.outputs, f"{cell.id}: a check says nothing"
    assert is_hidden(code_cells(notebook)[0])


def test_the_project_that_it_grew_out_of_is_linked():
    first = nbformat.read(NOTEBOOKS / "01_loading.ipynb", as_version=4)
    text = "".join(cell.source for cell in first.cells)
    assert "github.com/Joy2469/Deep-Learning-MNIST---Handwritten-Digit-Recognition" in text


def test_exercises_have_four_levels(notebook):
    assert exercises_by_level(notebook) == {"questions": 5, "predict": 2, "build": 1, "open": 1}


def test_the_stored_rows_of_the_scoreboard_are_those_of_the_notebooks():
    rows = pd.read_csv(STORED_ROWS, dtype=str)
    for _, row in rows.iterrows():
        (path,) = NOTEBOOKS.glob(f"{int(row['notebook']):02}_*.ipynb")
        cells = code_cells(nbformat.read(path, as_version=4))
        board = "\n".join(printed(cell) for cell in cells if ".add(" in cell.source)
        line = next(line for line in board.splitlines() if line.startswith(row["classifier"]))
        for value in (row["right"], row["scored_on"]):
            assert value in line, f"{path.stem}: {row['classifier']}, {value}"
        for value in (row["squeezed"], row["prepared"]):
            assert value in board, f"{path.stem}: {row['classifier']}, {value}"
