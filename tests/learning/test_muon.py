import math

from helpers.learning.backend import keras
from helpers.learning.muon import ConvolutionMuon

import numpy as np
import pytest

RATE = 0.01


def after_one_step(shape, gradient, **options):
    """How a variable of zeros of some shape changes in the first step."""
    variable = keras.Variable(np.zeros(shape, np.float32))
    optimizer = ConvolutionMuon(RATE, weight_decay=0.0, adam_weight_decay=0.0, **options)
    optimizer.apply([keras.ops.convert_to_tensor(gradient)], [variable])
    return variable.numpy()


@pytest.fixture
def gradient():
    """A gradient for a kernel with very unequal directions."""
    directions = np.random.default_rng(0).normal(size=(3 * 3 * 8, 16))
    left, _, right = np.linalg.svd(directions, full_matrices=False)
    return ((left * np.geomspace(100, 0.1, 16)) @ right).reshape(3, 3, 8, 16).astype(np.float32)


def test_a_kernel_changes_in_all_directions_about_alike(gradient):
    change = after_one_step(gradient.shape, gradient).reshape(72, 16)
    sizes = np.linalg.svd(change, compute_uv=False) / (RATE * 0.2 * math.sqrt(72))
    assert sizes[:12].min() > 0.6 and sizes.max() < 1.3


def test_a_kernel_changes_against_its_gradient_and_keeps_its_directions(gradient):
    change = after_one_step(gradient.shape, gradient)
    assert (change * gradient).sum() < 0
    left, _, right = np.linalg.svd(gradient.reshape(72, 16), full_matrices=False)
    in_its_directions = left.T @ -change.reshape(72, 16) @ right.T
    off_diagonal = in_its_directions - np.diag(np.diag(in_its_directions))
    assert np.abs(off_diagonal).max() < 1e-3 * np.diag(in_its_directions).max()


def test_the_size_of_the_gradient_does_not_matter(gradient):
    np.testing.assert_allclose(
        after_one_step(gradient.shape, gradient),
        after_one_step(gradient.shape, 1000 * gradient),
        rtol=1e-3, atol=1e-7,
    )  # fmt: skip


@pytest.mark.parametrize("shape", [(3, 3, 1, 4), (3, 3, 2, 64)], ids=["tall", "wide"])
def test_tall_and_wide_kernels_are_scaled_by_their_longer_side(shape):
    gradient = np.random.default_rng(1).normal(size=shape).astype(np.float32)
    change = after_one_step(shape, gradient).reshape(-1, shape[-1])
    longer = max(change.shape)
    sizes = np.linalg.svd(change, compute_uv=False) / (RATE * 0.2 * math.sqrt(longer))
    assert 0.6 < sizes.min() <= sizes.max() < 1.3


@pytest.mark.parametrize("shape", [(5,), (20, 10)], ids=["bias", "dense"])
def test_everything_else_is_left_to_adamw(shape):
    gradient = np.random.default_rng(2).normal(size=shape).astype(np.float32)
    change = after_one_step(shape, gradient)
    np.testing.assert_allclose(change, -RATE * np.sign(gradient), rtol=1e-3)  # Adam's first step


def test_without_scaling_a_step_is_left_as_it_is():
    step = np.ones((3, 3, 1, 2), np.float32)
    np.testing.assert_array_equal(ConvolutionMuon(rms_rate=None).lr_adjust(step), step)


def test_a_compiled_network_can_be_saved_and_loaded(tmp_path):
    model = keras.Sequential([keras.layers.Input((8, 8, 1)), keras.layers.Conv2D(2, 3)])
    model.compile(ConvolutionMuon(0.01), "mse")
    model.optimizer.build(model.trainable_variables)
    model.save(tmp_path / "compiled.keras")
    loaded = keras.saving.load_model(tmp_path / "compiled.keras")
    assert isinstance(loaded.optimizer, ConvolutionMuon)
