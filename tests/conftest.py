"""What several test files share: an isolated environment and one trained network.

Only the fixtures that train import TensorFlow, so that tests of everything else start fast.
"""

import hashlib
import re
import socket
import sys
import warnings
from dataclasses import replace
from types import SimpleNamespace

import helpers.data
from helpers.data import load_sample

import matplotlib
import numpy as np
import pytest
from PIL import Image, ImageDraw

matplotlib.use("agg")

# What a test module imports if it needs TensorFlow.
TENSORFLOW = re.compile(
    r"helpers\.learning|helpers\.series(\.| import )(shipping|pages|browser|sliders|outliers|pairs)"
    r"|built_site"
    r"|benchmarks\.(corruptions|measuring|reading|refusing)|from benchmarks import|tests\.faults"
)


def pytest_addoption(parser):
    parser.addoption(
        "--without-tensorflow", action="store_true", help="leave out what needs TensorFlow"
    )


def pytest_ignore_collect(collection_path, config):
    """Leave out the modules that need TensorFlow, which takes seconds to import."""
    if config.getoption("without_tensorflow") and collection_path.name.startswith("test_"):
        return bool(TENSORFLOW.search(collection_path.read_text(encoding="utf-8"))) or None
    return None


@pytest.fixture(autouse=True)
def no_tensorflow_if_left_out(pytestconfig):
    yield
    if pytestconfig.getoption("without_tensorflow"):
        assert "tensorflow" not in sys.modules, "the test imports TensorFlow: see TENSORFLOW above"


@pytest.fixture(autouse=True)
def developers_environment_does_not_matter(monkeypatch, tmp_path):
    for name in ("MNIST_PATH", "MNIST_DATA", "MNIST_MODELS", "MNIST_TEN"):
        monkeypatch.setenv(name, "")  # set first, so that it is restored in any case
        monkeypatch.delenv(name)
    for name in ("NO_PROXY", "no_proxy"):
        monkeypatch.setenv(name, "*")
    monkeypatch.setattr(helpers.data, "default_cache", lambda: tmp_path / "default_cache")


@pytest.fixture(autouse=True)
def no_network(monkeypatch):
    """Fail a test that contacts another machine, even if it would catch the error."""
    real_connect, real_lookup = socket.socket.connect, socket.getaddrinfo

    def connect(self, address):
        if self.family in (socket.AF_INET, socket.AF_INET6) and address[0] != "127.0.0.1":
            pytest.fail(f"the test connects to {address}")
        return real_connect(self, address)

    def getaddrinfo(host, *arguments, **options):
        if host not in ("127.0.0.1", "localhost", None):
            pytest.fail(f"the test looks up {host}")
        return real_lookup(host, *arguments, **options)

    monkeypatch.setattr(socket.socket, "connect", connect)
    monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)


@pytest.fixture(scope="session")
def sample():
    """5,000 real digits."""
    return load_sample()


@pytest.fixture(scope="session")
def digits(sample):
    """A few real digits to train on, and others to validate on."""
    return SimpleNamespace(
        images=sample.x_train[:256, ..., None],
        labels=sample.y_train[:256],
        validation=(sample.x_test[:100, ..., None], sample.y_test[:100]),
    )


@pytest.fixture(scope="session")
def trained(digits):
    """A network trained with seed 7 on a few digits, its history, and the warnings."""
    from helpers.learning.training import QUICK, train

    # Small enough to train in a second, long enough to learn something.
    recipe = replace(QUICK, epochs=4, batch_size=32, warp_strength=0.5)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        model, history = train(
            digits.images, digits.labels, seed=7, recipe=recipe, validation=digits.validation
        )
    return SimpleNamespace(model=model, history=history, recipe=recipe, warnings=caught)


@pytest.fixture(scope="session")
def litert_file(trained, tmp_path_factory):
    """The trained network in LiteRT's format."""
    from helpers.learning.saving import export_litert

    path = tmp_path_factory.mktemp("litert") / "digits.tflite"
    export_litert(trained.model, path)
    return path


@pytest.fixture(scope="session")
def built_site(tmp_path_factory):
    """The folder of the site's pages, as `make html` builds them."""
    from helpers.places import project_folder
    from helpers.series.pages import write_site

    return write_site(project_folder(), tmp_path_factory.mktemp("site"))


@pytest.fixture
def seven():
    """A dark seven on light paper, off centre: a PIL picture, 300 wide, 400 high."""
    picture = Image.new("L", (300, 400), 235)
    pen = ImageDraw.Draw(picture)
    for stroke in ([(60, 70), (200, 76), (120, 330)], [(100, 215), (210, 215)]):
        pen.line(stroke, fill=40, width=26, joint="curve")
    return picture


@pytest.fixture
def made_set(monkeypatch):
    """Random arrays in MNIST's layout that pass for the full set during a test."""
    rng = np.random.default_rng(0)
    arrays = {
        "x_train": rng.integers(0, 256, (30, 28, 28), np.uint8),
        "y_train": rng.integers(0, 10, 30, np.uint8),
        "x_test": rng.integers(0, 256, (20, 28, 28), np.uint8),
        "y_test": rng.integers(0, 10, 20, np.uint8),
    }
    digests = {name: hashlib.sha256(array.tobytes()).hexdigest() for name, array in arrays.items()}
    monkeypatch.setattr(helpers.data, "SHA256", digests)
    shapes = {name: array.shape for name, array in arrays.items()}
    monkeypatch.setattr(helpers.data, "SHAPES", shapes)
    return arrays
