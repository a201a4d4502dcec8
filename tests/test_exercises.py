from helpers.exercises import mark

import numpy as np
import pytest

CASES = [((np.arange(4.0),), np.arange(4.0) * 2), ((np.ones(3),), 2 * np.ones(3))]


def test_a_right_function_is_praised():
    assert mark(lambda values: 2 * values, CASES) == "Right, in all 2 cases."


def test_an_unwritten_one_is_awaited():
    assert mark(lambda values: None, CASES).startswith("Your turn")


@pytest.mark.parametrize(
    ("function", "message"),
    [
        (lambda values: values, "Case 1: 3 of 4 values differ."),
        (lambda values: 2 * values[:3], "Case 1: the shape should be (4,), yours is (3,)."),
        (lambda values: values / "2", "Case 1: your function raises"),
        (lambda values: [[1, 2], [3]], "Case 1: the function must return a number"),
        (lambda values: (2 * value for value in values), "Case 1: the function must return"),
        (lambda values: 2 * values if len(values) == 4 else values, "Case 2: 3 of 3"),
    ],
)
def test_the_first_wrong_case_is_named(function, message):
    assert mark(function, CASES).startswith(message)


def test_numbers_are_shown():
    assert mark(lambda: 3, [((), 4)]) == "Case 1: it should be 4, yours is 3."
