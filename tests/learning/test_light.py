from helpers.learning.backend import tf
from helpers.learning.light import (
    CONTRAST,
    HEADROOM,
    INVERTED,
    NOISE,
    random_contrast,
    random_covers,
    random_light,
    random_noise,
    random_polarity,
    random_shades,
)

import numpy as np
import pytest

STEPS = [random_polarity, random_shades, random_noise, random_covers, random_contrast]
SEED = (3, 4)


@pytest.fixture
def grey():
    """400 equal grey images in 0 to 1."""
    return tf.fill((400, 28, 28, 1), 0.25)


@pytest.fixture
def pixels(digits):
    return tf.cast(np.repeat(digits.images[:20], 20, axis=0), tf.float32)


def spread(images):
    """Standard deviation of the pixels of each image, (n,)."""
    return np.std(images, axis=(1, 2, 3))


@pytest.mark.parametrize("step", STEPS)
def test_a_seed_decides_a_step_and_each_image_changes_in_its_own_way(step, pixels):
    images = pixels / 255
    first = step(images, SEED).numpy()
    np.testing.assert_array_equal(first, step(images, SEED))
    assert not np.array_equal(first, step(images, (3, 5)))
    assert len(np.unique((first - images.numpy()).reshape(400, -1).round(4), axis=0)) > 20


def test_some_images_become_dark_ink_on_light_paper(pixels):
    images = (pixels / 255).numpy()
    changed = random_polarity(images, SEED).numpy()
    is_inverted = np.isclose(changed, 1 - images).all(axis=(1, 2, 3))
    assert INVERTED - 0.1 < is_inverted.mean() < INVERTED + 0.1
    np.testing.assert_array_equal(changed[~is_inverted], images[~is_inverted])


def test_shades_are_smooth_and_go_both_ways(grey):
    changed = random_shades(grey, SEED).numpy()
    assert changed.min() < 0 and changed.max() > 0.75
    steps = np.abs(np.diff(changed, axis=1)).mean(axis=(1, 2, 3))
    uneven = spread(changed) > 0.01
    assert 0.7 < uneven.mean() < 0.97  # none of three scales in an eighth of the images
    assert np.all(steps[uneven] < spread(changed)[uneven])


def test_noise_differs_from_pixel_to_pixel_up_to_its_limit(grey):
    deviations = spread(random_noise(grey, SEED))
    assert 0.5 < (deviations > 0.001).mean() < 0.7
    assert 0.8 * NOISE < deviations.max() < 1.1 * NOISE


def test_covers_hide_a_part_behind_one_grey(grey):
    changed = random_covers(grey, SEED).numpy()
    hidden = (changed != 0.25).mean(axis=(1, 2, 3))
    assert 0.6 < (hidden > 0).mean() < 0.85  # two bars, each in half of the images
    assert 0.01 < hidden[hidden > 0].mean() < 0.2
    assert all(len(np.unique(image)) <= 3 for image in changed)


def test_contrast_keeps_the_order_of_pixels_between_0_and_1(grey):
    ramp = tf.ones_like(grey) * tf.linspace(-1.0, 2.0, 28)[:, None]
    changed = random_contrast(ramp, SEED).numpy()
    assert changed.min() >= 0 and changed.max() <= 1
    ranges = np.ptp(changed, axis=(1, 2, 3))
    assert CONTRAST <= ranges.min() < CONTRAST + 0.05 and 0.95 < ranges.max() <= 1
    assert np.all(np.diff(changed, axis=1) >= 0)
    is_clipped = np.isclose(changed[:, 1:, 0, 0], changed[:, :-1, 0, 0])
    beyond = np.linspace(-1, 2, 28)[1:] <= -HEADROOM
    assert is_clipped[:, beyond].all()


@pytest.mark.parametrize(("share", "changed"), [(0.0, (0, 0)), (0.3, (0.2, 0.4)), (1.0, (1, 1))])
def test_the_share_of_images_under_other_light(pixels, share, changed):
    relit = random_light(pixels, SEED, share)
    assert relit.shape == pixels.shape and relit.dtype == pixels.dtype
    assert tf.reduce_min(relit) >= 0 and tf.reduce_max(relit) <= 255
    low, high = changed
    assert low <= np.mean((np.abs(relit - pixels) > 0.01).any(axis=(1, 2, 3))) <= high
