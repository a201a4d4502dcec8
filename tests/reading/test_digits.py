from helpers.reading.digits import SURE, Digit

import numpy as np
import pytest


@pytest.mark.parametrize(("probability", "is_sure"), [(SURE - 0.01, False), (SURE, True)])
def test_an_answer_is_the_most_probable_digit_and_sure_above_a_threshold(probability, is_sure):
    probabilities = np.full(10, (1 - probability) / 9)
    probabilities[4] = probability
    answer = Digit(0, (0, 0, 9, 9), np.zeros((28, 28), np.uint8), probabilities)
    assert (answer.digit, answer.probability, answer.is_sure) == (4, probability, is_sure)
    assert answer.mark == ("" if is_sure else "?")
