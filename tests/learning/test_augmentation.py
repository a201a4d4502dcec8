from helpers.learning.augmentation import (
    SHIFT,
    affine_matrices,
    random_affine,
    random_thickness,
    training_batches,
)
from helpers.learning.backend import keras, tf

import numpy as np
import pytest
from scipy import ndimage


def matrix(rotation=0.0, zoom_x=0.0, zoom_y=0.0, shear=0.0, shift_x=0.0, shift_y=0.0):
    values = [np.array([v], np.float32) for v in (rotation, zoom_x, zoom_y, shear)]
    shifts = [np.array([v], np.float32) for v in (shift_x, shift_y)]
    return affine_matrices(*values, *shifts).numpy()[0]


def source_of(matrix, x, y):
    """The point that a point of the warped image is read from."""
    return matrix[0] * x + matrix[1] * y + matrix[2], matrix[3] * x + matrix[4] * y + matrix[5]


@pytest.fixture
def dots():
    """200 equal images: a soft dot in the middle."""
    image = np.zeros((28, 28), np.float32)
    image[12:16, 12:16] = 200
    return np.tile(image[None, ..., None], (200, 1, 1, 1))


def centres(images):
    """Centre of mass of each image, (n, 2), row before column."""
    return np.array([ndimage.center_of_mass(image[..., 0]) for image in np.asarray(images)])


def test_no_change_is_the_identity_matrix():
    np.testing.assert_array_equal(matrix(), [1, 0, 0, 0, 1, 0, 0, 0])


@pytest.mark.parametrize(
    "change", [{"rotation": 0.3}, {"zoom_x": 0.2, "zoom_y": -0.1}, {"shear": 1}]
)
def test_the_centre_of_the_image_stays_where_it_is(change):
    assert source_of(matrix(**change), 13.5, 13.5) == pytest.approx((13.5, 13.5), abs=1e-4)


@pytest.mark.parametrize(
    ("change", "source"),
    [
        ({"shift_x": 2}, (10, 4)),
        ({"shift_y": -3}, (8, 1)),
        ({"zoom_x": 0.25}, (10, 4)),
        ({"zoom_y": 0.25}, (8, 5)),
        ({"shear": 0.5}, (10, 4)),
        ({"rotation": np.pi / 2}, (-4, 8)),
    ],
    ids=str,
)
def test_a_point_right_below_the_centre_is_read_from_the_right_place(change, source):
    x, y = source_of(matrix(**change), 13.5 + 8, 13.5 + 4)
    assert (x - 13.5, y - 13.5) == pytest.approx(source, abs=1e-4)


def test_a_matrix_is_applied_to_columns_and_rows_as_meant():
    image = np.zeros((1, 28, 28, 1), np.float32)
    image[0, 10, 20] = 1
    right_and_up = matrix(shift_x=3, shift_y=-5)[None]
    warped = keras.ops.image.affine_transform(image, right_and_up).numpy()[0, ..., 0]
    assert np.argwhere(warped > 0.5).tolist() == [[15, 17]]


def test_strength_0_leaves_the_images_alone(digits):
    warped = random_affine(digits.images[:20], (1, 2), strength=0.0).numpy()
    assert warped.dtype == np.float32
    np.testing.assert_allclose(warped, digits.images[:20], atol=0.01)


def test_one_seed_warps_alike_and_another_differently(digits):
    first = random_affine(digits.images[:5], (1, 2)).numpy()
    np.testing.assert_array_equal(random_affine(digits.images[:5], (1, 2)).numpy(), first)
    assert np.abs(random_affine(digits.images[:5], (1, 3)).numpy() - first).max() > 10


def test_each_image_of_a_batch_gets_its_own_warp(dots):
    warped = random_affine(dots, (1, 2)).numpy()
    assert len(np.unique(warped.reshape(200, -1), axis=0)) == 200


@pytest.mark.parametrize("strength", [1.0, 0.4])
def test_shifts_fill_their_limits_in_both_directions_and_keep_to_them(dots, strength):
    moved = centres(random_affine(dots, (3, 4), strength)) - 13.5
    assert np.abs(moved).max() < strength * SHIFT * 1.2  # shifts are made before zoom
    assert (moved.max(axis=0) > strength * SHIFT * 0.85).all()
    assert (moved.min(axis=0) < -strength * SHIFT * 0.85).all()
    assert abs(np.corrcoef(moved.T)[0, 1]) < 0.25  # x and y are drawn apart


def test_what_comes_in_from_outside_is_background():
    full = np.full((50, 28, 28, 1), 255, np.uint8)
    warped = random_affine(full, (5, 6)).numpy()
    assert warped.min() == 0
    assert warped.max() <= 255.01
    assert warped[:, 14, 14].min() == pytest.approx(255, abs=0.01)


def test_warped_digits_are_still_themselves(digits):
    images = digits.images[:50].astype(np.float32)
    warped = random_affine(images, (7, 8)).numpy()
    mass = warped.sum(axis=(1, 2, 3)) / images.sum(axis=(1, 2, 3))
    assert 0.7 < mass.min() < mass.max() < 1.4
    to_own = np.corrcoef(warped.reshape(50, -1), images.reshape(50, -1))[:50, 50:]
    transposed = images.transpose(0, 2, 1, 3).reshape(50, -1)
    to_transposed = np.corrcoef(warped.reshape(50, -1), transposed)[:50, 50:]
    assert np.diag(to_own).mean() > np.diag(to_transposed).mean() + 0.2


# Stroke thickness


def ink(images):
    """Pixels with ink in each image, (n,)."""
    return (np.asarray(images) > 100).sum(axis=(1, 2, 3))


def test_thickness_changes_the_share_of_images_that_it_should(dots):
    changes = ink(random_thickness(dots, (1, 2), share=0.5)) - ink(dots)
    thicker, thinner = (changes > 0).mean(), (changes < 0).mean()
    assert 0.15 < thicker < 0.35 and 0.15 < thinner < 0.35
    assert set(np.unique(changes)) == {3 * 3 - 4 * 4, 0, 5 * 5 - 4 * 4}


def test_a_changed_stroke_is_moved_at_its_edge_and_not_blurred(digits):
    images = digits.images[:50].astype(np.float32)
    changed = random_thickness(images, (1, 2), share=1.0).numpy()
    for image, other in zip(images, changed, strict=True):
        assert not np.array_equal(image, other)
        assert set(np.unique(other)) <= set(np.unique(image))


def test_no_share_of_thickness_leaves_the_images_alone(dots):
    np.testing.assert_array_equal(random_thickness(dots, (1, 2), share=0.0), dots)


def test_thickness_follows_its_seed(dots):
    first = random_thickness(dots, (1, 2)).numpy()
    np.testing.assert_array_equal(random_thickness(dots, (1, 2)), first)
    assert not np.array_equal(random_thickness(dots, (1, 3)), first)


@pytest.fixture
def numbered():
    """70 images whose brightness is their number, which also decides their label."""
    numbers = np.arange(70, dtype=np.uint8)
    return np.tile(numbers[:, None, None, None], (1, 28, 28, 1)), numbers % 10


def one_epoch(batches):
    """Numbers and labels in the order in which they come."""
    pairs = [(images.numpy()[:, 14, 14, 0], labels.numpy()) for images, labels in batches]
    return (np.concatenate(part).round().astype(int) for part in zip(*pairs, strict=True))


def test_each_epoch_brings_every_image_once_with_its_own_label(numbered):
    batches = training_batches(*numbered, batch_size=32, seed=0, warp_strength=0.0, rethickened=0.0)
    for _ in range(2):
        numbers, labels = one_epoch(batches)
        assert sorted(numbers) == list(range(70))
        np.testing.assert_array_equal(labels, numbers % 10)


def test_images_are_shuffled_across_the_whole_set_and_anew_in_each_epoch(numbered):
    batches = training_batches(*numbered, batch_size=32, seed=0, warp_strength=0.0, rethickened=0.0)
    first, _ = one_epoch(batches)
    second, _ = one_epoch(batches)
    assert first[:32].max() > 50
    assert not np.array_equal(first, np.arange(70))
    assert not np.array_equal(first, second)


def test_the_number_of_batches_is_known_and_only_the_last_is_smaller(numbered):
    batches = training_batches(*numbered, batch_size=32, seed=0)
    assert len(batches) == 3
    assert [len(labels) for _, labels in batches] == [32, 32, 6]


def test_an_image_is_warped_differently_in_each_epoch_and_batch(digits):
    same_image = np.repeat(digits.images[:1], 6, axis=0)
    batches = training_batches(same_image, np.zeros(6, int), batch_size=2, seed=0)
    warped = np.concatenate([images.numpy() for _ in range(3) for images, _ in batches])
    assert len(np.unique(warped.reshape(18, -1), axis=0)) == 18


def test_one_seed_gives_the_same_stream_and_another_seed_another(digits):
    def stream(seed):
        batches = training_batches(digits.images[:40], digits.labels[:40], 16, seed)
        return np.concatenate([images.numpy() for _ in range(2) for images, _ in batches])

    first = stream(seed=3)
    np.testing.assert_array_equal(stream(seed=3), first)
    assert not np.array_equal(stream(seed=4), first)


def test_other_hands_draw_their_share_anew_in_each_epoch(digits):
    same_image = np.repeat(digits.images[:1], 400, axis=0)
    batches = training_batches(
        same_image, np.full(400, 3), 100, seed=0, warp_strength=0.0, rethickened=0.0, redrawn=0.3
    )
    epochs = [np.concatenate([images.numpy() for images, _ in batches]) for _ in range(2)]
    for epoch in epochs:
        redrawn = (np.abs(epoch - same_image) > 1).any(axis=(1, 2, 3))
        assert 0.2 < redrawn.mean() < 0.4
    assert not np.array_equal(*epochs)


def test_other_hands_keep_the_label_of_each_image(numbered):
    batches = training_batches(
        *numbered, batch_size=32, seed=0, warp_strength=0.0, rethickened=0.0, redrawn=0.5
    )
    # The drawing of an image without contrast is of full ink; those left alone show their number.
    numbers, labels = one_epoch(batches)
    assert (numbers < 70).sum() > 20
    np.testing.assert_array_equal(labels[numbers < 70], numbers[numbers < 70] % 10)


def test_a_variable_changes_the_share_under_other_light_from_epoch_to_epoch(digits):
    same_image = np.repeat(digits.images[:1], 200, axis=0)
    share = tf.Variable(0.0)
    batches = training_batches(
        same_image, np.full(200, 3), 100, seed=0, warp_strength=0.0, rethickened=0.0, relit=share
    )

    def relit():
        epoch = np.concatenate([images.numpy() for images, _ in batches])
        return (np.abs(epoch - same_image) > 1).any(axis=(1, 2, 3)).mean()

    assert relit() == 0
    share.assign(0.5)
    assert 0.35 < relit() < 0.65
