from helpers.companions import COMPANIONS, load_companions, tabulate_companions
from helpers.places import MNIST_ONLY_LITERT, images_folder
from helpers.reading.network import Network
from helpers.reading.pictures import open_picture
from helpers.reading.preparation import prepare_digit

import numpy as np
import pytest


@pytest.fixture(scope="module")
def companions():
    return load_companions()


def test_they_have_the_shape_of_mnist_and_the_first_two_its_form(companions):
    assert companions.shape == (3, 28, 28, 1) and companions.dtype == np.uint8
    for digit in companions[:2, ..., 0]:
        assert digit.max() == 255 and digit[[0, -1]].max() == 0
        rows, columns = np.nonzero(digit)
        assert max(np.ptp(rows), np.ptp(columns)) + 1 == 20


def test_the_third_is_a_photo_that_is_merely_squeezed(companions):
    assert np.median(companions[2]) > 100 > companions[2].min()


def test_the_network_that_ships_reads_what_can_be_read(companions):
    network = Network()
    easy, ambiguous, _ = network.predict(companions)
    assert easy.argmax() == 3 and easy.max() > 0.9
    assert set(ambiguous.argsort()[-2:]) == {4, 9} and ambiguous.max() < 0.9
    prepared = prepare_digit(open_picture(images_folder() / "seven.png"))
    assert network.predict(prepared[None])[0].argmax() == 7


def test_the_photo_is_misread_by_who_has_seen_only_mnist(companions):
    assert Network(MNIST_ONLY_LITERT).predict(companions)[2].argmax() != 7


def test_the_table_names_the_answer_and_the_runner_up():
    probabilities = np.full((3, 10), 0.01)
    probabilities[[0, 1, 2], [2, 4, 8]] = [0.91, 0.5, 0.6]
    probabilities[[0, 1, 2], [3, 9, 7]] = [0.02, 0.42, 0.32]
    table = tabulate_companions(probabilities)
    assert table.index.tolist() == list(COMPANIONS)
    assert table["read as"].tolist() == [2, 4, 8]
    assert table["or as"].tolist() == [3, 9, 7]
    assert table["probability"].tolist() == [0.91, 0.5, 0.6]
    assert table["its probability"].tolist() == [0.02, 0.42, 0.32]
