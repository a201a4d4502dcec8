from helpers.learning.pairs import train_pair_network
from helpers.learning.saving import export_litert
from helpers.reading.network import PairNetwork
from helpers.series.pairs import draw_pairs

import numpy as np
import pytest


@pytest.fixture(scope="module")
def drawn(sample):
    return draw_pairs(sample.x_train, sample.y_train, count=600, seed=0)


def test_it_learns_to_tell_two_digits_from_one_and_litert_reads_the_same(drawn, tmp_path):
    windows, _, are_two = drawn
    pair_network = train_pair_network(*(np.concatenate([part] * 5) for part in drawn), seed=0)
    export_litert(pair_network, tmp_path / "pairs.tflite")
    probabilities, sure_of_two = PairNetwork(tmp_path / "pairs.tflite").judge(windows)
    expected = pair_network.predict(windows[..., None], verbose=0)
    np.testing.assert_allclose(probabilities, expected["digits"], atol=1e-4)
    np.testing.assert_allclose(sure_of_two, expected["two"][:, 0], atol=1e-4)
    assert np.mean((sure_of_two > 0.5) == are_two) > 0.8


def test_a_training_repeats_with_its_seed(drawn):
    once, again = (train_pair_network(*drawn, seed=0).get_weights() for _ in range(2))
    for first, second in zip(once, again, strict=True):
        np.testing.assert_array_equal(first, second)
