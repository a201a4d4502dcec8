from helpers.reading.digits import LIKE_A_DIGIT, SURE, Digit

import numpy as np
import pytest


@pytest.mark.parametrize(("probability", "is_sure"), [(SURE - 0.01, False), (SURE, True)])
def test_an_answer_is_the_most_probable_digit_and_sure_above_a_threshold(probability, is_sure):
    probabilities = np.full(10, (1 - probability) / 9)
    probabilities[4] = probability
    answer = Digit(0, (0, 0, 9, 9), np.zeros((28, 28), np.uint8), probabilities)
    assert (answer.digit, answer.probability, answer.is_sure) == (4, probability, is_sure)
    assert answer.mark == ("" if is_sure else "?")


@pytest.mark.parametrize(
    ("probability", "likeness", "verdict", "text"),
    [
        (0.99, LIKE_A_DIGIT, "digit", "4"),
        (0.3, 1.0, "unsure", "4?"),
        (0.99, LIKE_A_DIGIT - 0.01, "no digit", "–"),
        (0.3, 0.0, "no digit", "–"),
    ],
)
def test_there_are_three_answers_and_what_is_no_digit_is_not_unsure(
    probability, likeness, verdict, text
):
    probabilities = np.full(10, (1 - probability) / 9)
    probabilities[4] = probability
    answer = Digit(0, (0, 0, 9, 9), np.zeros((28, 28), np.uint8), probabilities, likeness)
    assert (answer.verdict, answer.text) == (verdict, text)
    assert answer.is_sure == (verdict == "digit")
