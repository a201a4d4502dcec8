"""Marks the function that a reader writes in a "build it" exercise.

It says what came out and what should have; it never raises, so that a notebook runs to its end
while the function is still to be written.
"""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np


def mark(function: Callable, cases: Sequence[tuple[tuple, Any]]) -> str:
    """Try a function on prepared cases.

    Args:
        function: The reader's function.
        cases: For each case the arguments and the right result, a number or an array.

    Returns:
        One sentence: that it is right, or what differs in the first case that is wrong.
    """
    for number, (arguments, expected) in enumerate(cases, start=1):
        try:
            result = function(*arguments)
        except Exception as error:  # Whatever a first attempt raises.
            return f"Case {number}: your function raises {type(error).__name__}: {error}"
        if result is None:
            return "Your turn: the function returns nothing yet."
        try:
            values = np.asarray(result, dtype=float)
        except (TypeError, ValueError):  # A text, a generator, or rows of different lengths.
            return f"Case {number}: the function must return a number or an array of numbers."
        if values.shape != np.shape(expected):
            return (
                f"Case {number}: the shape should be {np.shape(expected)}, yours is {values.shape}."
            )
        if not np.allclose(values, expected, atol=1e-4):
            if np.ndim(expected) == 0:
                return f"Case {number}: it should be {expected}, yours is {result}."
            wrong = ~np.isclose(values, expected, atol=1e-4)
            return f"Case {number}: {wrong.sum()} of {wrong.size} values differ."
    return f"Right, in all {len(cases)} cases."
