from helpers.reading.pictures import PictureError, open_picture
from helpers.reading.preparation import (
    centre_by_mass,
    clean_ink,
    crop_to_ink,
    dilate,
    prepare_digit,
    scale_to_box,
    thicken_strokes,
)

import numpy as np
import pytest
from PIL import Image, ImageDraw
from scipy import ndimage
from skimage.morphology import disk

WHITE, BLACK = (255, 255, 255), (0, 0, 0)


def correlation(image, other):
    return np.corrcoef(image.ravel().astype(float), other.ravel().astype(float))[0, 1]


def inverted(picture):
    return Image.eval(picture, lambda level: 255 - level)


def as_ink_layer(picture, colour):
    """The picture's ink in one colour on transparent ground."""
    layer = Image.new("RGBA", picture.size, colour)
    layer.putalpha(inverted(picture).point(lambda level: 255 if level > 127 else 0))
    return layer


def as_16_bit(picture, white):
    return Image.fromarray((np.asarray(picture) / 255 * white).astype(np.uint16))


def shaded(picture, axis, darkest):
    shape = [1, 1]
    shape[axis] = -1
    shadow = np.linspace(darkest, 1, np.asarray(picture).shape[axis]).reshape(shape)
    return Image.fromarray((np.asarray(picture) * shadow).astype(np.uint8))


def noisy(picture, spread=6):
    noise = np.random.default_rng(0).normal(0, spread, np.asarray(picture).shape)
    return Image.fromarray(np.clip(np.asarray(picture) + noise, 0, 255).astype(np.uint8))


def on_larger_paper(picture):
    page = Image.new("L", (900, 700), 235)
    page.paste(picture, (500, 40))
    return page


VARIANTS = {
    "light on dark": inverted,
    "colour": lambda picture: picture.convert("RGB"),
    "palette": lambda picture: picture.convert("P"),
    "palette of four": lambda picture: picture.quantize(4),
    "CMYK": lambda picture: picture.convert("CMYK"),
    "black and white": lambda picture: picture.convert("1", dither=Image.Dither.NONE),
    "grey with alpha": lambda picture: picture.convert("LA"),
    "dark on transparent": lambda picture: as_ink_layer(picture, (20, 20, 20)),
    "white on transparent": lambda picture: as_ink_layer(picture, (250, 250, 250)),
    "palette with transparency": lambda picture: as_ink_layer(picture, (9, 9, 9)).quantize(4),
    "16 bit": lambda picture: as_16_bit(picture, 65535),
    "16 bit of which 12 are used": lambda picture: as_16_bit(picture, 4095),
    "32 bit": lambda picture: picture.convert("I"),
    "floating point": lambda picture: picture.convert("F"),
    "shadow from the left": lambda picture: shaded(picture, axis=1, darkest=0.45),
    "shadow from above": lambda picture: shaded(picture, axis=0, darkest=0.6),
    "light on dark in shadow": lambda picture: inverted(shaded(picture, axis=1, darkest=0.6)),
    "faint": lambda picture: picture.point(lambda level: 120 + level // 3),
    "noise": noisy,
    "half the size": lambda picture: picture.resize((150, 200)),
    "ten times the size": lambda picture: picture.resize((3000, 4000)),
    "much paper around": on_larger_paper,
}


@pytest.mark.parametrize("variant", VARIANTS)
def test_the_same_drawing_gives_the_same_digit_however_it_is_stored(seven, variant):
    prepared = prepare_digit(VARIANTS[variant](seven))
    assert correlation(prepared, prepare_digit(seven)) > 0.98


@pytest.mark.parametrize("orientation", range(2, 9))
def test_the_orientation_that_a_camera_notes_is_applied(seven, tmp_path, orientation):
    # How the camera's sensor saw the page, for each value of the EXIF tag.
    undo = {
        2: Image.Transpose.FLIP_LEFT_RIGHT,
        3: Image.Transpose.ROTATE_180,
        4: Image.Transpose.FLIP_TOP_BOTTOM,
        5: Image.Transpose.TRANSPOSE,
        6: Image.Transpose.ROTATE_90,
        7: Image.Transpose.TRANSVERSE,
        8: Image.Transpose.ROTATE_270,
    }
    exif = Image.Exif()
    exif[0x0112] = orientation
    path = tmp_path / "photo.jpg"
    seven.transpose(undo[orientation]).save(path, exif=exif, quality=95)
    assert correlation(prepare_digit(open_picture(path)), prepare_digit(seven)) > 0.98


def test_a_prepared_digit_is_white_ink_on_black_and_upright(seven):
    prepared = prepare_digit(seven)
    assert prepared.shape == (28, 28)
    assert prepared.dtype == np.uint8
    assert prepared.max() == 255
    assert np.median(prepared) == 0
    assert prepared[prepared.nonzero()[0][0]].astype(bool).sum() >= 8  # the bar of the seven


def ellipse(box, size=(300, 300), width=22):
    picture = Image.new("L", size, 235)
    ImageDraw.Draw(picture).ellipse(box, outline=30, width=width)
    return picture


@pytest.mark.parametrize(
    ("box", "height", "width"),
    [((100, 20, 200, 280), 20, 8), ((20, 100, 280, 200), 8, 20), ((60, 60, 240, 240), 20, 20)],
    ids=["tall", "wide", "round"],
)
def test_the_longer_side_becomes_20_pixels_and_the_shape_is_kept(box, height, width):
    rows, columns = prepare_digit(ellipse(box)).nonzero()
    assert np.ptp(rows) + 1 == pytest.approx(height, abs=1)
    assert np.ptp(columns) + 1 == pytest.approx(width, abs=1)
    assert max(np.ptp(rows), np.ptp(columns)) + 1 == 20


def test_digits_of_mnist_on_grey_paper_come_back_like_themselves(sample):
    correlations, off_by_one = [], []
    for digit in sample.x_test[:40]:
        ink = np.asarray(Image.fromarray(digit).resize((280, 280), Image.Resampling.BICUBIC))
        page = np.full((420, 500), 190.0)
        page[90:370, 60:340] *= 1 - 0.9 * (ink / 255)
        prepared = prepare_digit(Image.fromarray(page.astype(np.uint8)))
        correlations.append(correlation(prepared, digit))
        off_by_one.append(correlation(np.roll(prepared, 1, axis=0), digit))
    assert np.median(correlations) > 0.95
    assert np.mean(correlations) > 0.92
    assert np.mean(correlations) > np.mean(off_by_one) + 0.1


def test_the_mass_of_prepared_digits_lies_in_the_middle_as_in_mnist(sample):
    for digit in sample.x_test[:40]:
        prepared = prepare_digit(Image.fromarray(digit).resize((200, 200)))
        centre = ndimage.center_of_mass(prepared)
        assert all(13.5 <= round(coordinate, 2) <= 14.5 for coordinate in centre)


@pytest.mark.parametrize(
    "blank",
    [
        Image.new("L", (100, 80), 255),
        Image.new("RGB", (100, 80), BLACK),
        Image.new("RGBA", (100, 80), (0, 0, 0, 0)),
        Image.new("I;16", (100, 80)),
        Image.new("L", (1, 1), 7),
        noisy(Image.new("L", (200, 200), 200), spread=3),
    ],
    ids=["white", "black", "transparent", "16 bit", "one pixel", "noise"],
)
def test_a_blank_picture_is_an_error(blank):
    with pytest.raises(PictureError, match="no digit found"):
        prepare_digit(blank)


# Each step


def test_cleaning_keeps_the_soft_edge_and_removes_what_lies_apart():
    ink = np.zeros((40, 40))
    ink[10:30, 18:22] = 1
    ink[10:30, 17] = ink[10:30, 22] = 0.6
    ink[2:4, 2:4] = 0.9
    strokes = ink == 1
    cleaned = clean_ink(ink, strokes)
    assert cleaned[20, 20] == 1
    assert 0 < cleaned[20, 17] < 1
    assert cleaned[2, 2] == 0


def test_strokes_fainter_than_most_of_their_surroundings_are_no_paper():
    ink = np.tile(np.linspace(0, 1, 40), (40, 1))
    strokes = np.zeros((40, 40), bool)
    strokes[10:30, 4:8] = True
    assert clean_ink(ink, strokes)[20, 4:8].min() > 0


def test_the_crop_is_the_bounding_box_of_the_ink():
    ink = np.zeros((30, 40))
    ink[5, 7] = ink[20, 33] = 0.2
    cropped = crop_to_ink(ink)
    assert cropped.shape == (16, 27)
    assert cropped[0, 0] == cropped[-1, -1] == 0.2


def test_thin_strokes_are_thickened_to_two_pixels_of_the_box_and_thick_ones_left_alone():
    thin = np.zeros((200, 100))
    thin[:, 48:52] = 1
    thickened = thicken_strokes(thin) > 0.5
    # The box of 20 pixels is a tenth of this picture: a stroke of 2 is 20 wide here.
    assert thickened[100].sum() == pytest.approx(20, abs=2)
    thick = np.zeros((200, 100))
    thick[:, 35:65] = 1
    np.testing.assert_array_equal(thicken_strokes(thick), thick)


@pytest.mark.parametrize("radius", [1, 3, 8])
def test_dilation_is_that_with_a_disk(radius):
    ink = np.random.default_rng(0).random((40, 30)).astype(np.float32)
    expected = ndimage.grey_dilation(ink, footprint=disk(radius), mode="constant")
    np.testing.assert_array_equal(dilate(ink, radius), expected)


@pytest.mark.parametrize("width", [4, 30, 90, 130])
def test_strokes_come_out_alike_however_many_pixels_a_picture_has(width):
    large = np.zeros((1200, 600), np.float32)
    large[:, 300 : 300 + width] = large[600 : 600 + width] = 1
    small = ndimage.uniform_filter(large, 6)[3::6, 3::6]
    boxes = [scale_to_box(thicken_strokes(ink)) for ink in (small, large)]
    np.testing.assert_allclose(*boxes, atol=0.25)


def test_scaling_smooths_instead_of_skipping_pixels():
    stripes = np.zeros((200, 100))
    stripes[::10] = 1  # a line in ten: picking single pixels would find all or nothing
    box = scale_to_box(stripes)
    assert box.shape == (20, 10)
    assert box[3:-3, 3:-3].min() > 0.5


@pytest.mark.parametrize(("row", "column"), [(2, 2), (3, 14), (17, 5)])
def test_the_centre_of_mass_is_moved_to_the_middle_in_each_direction(row, column):
    box = np.zeros((20, 20))
    box[6:14, 6:14] = 1e-3
    box[row, column] = 0.05
    centre = ndimage.center_of_mass(centre_by_mass(box))
    assert all(13.5 <= coordinate <= 14.5 for coordinate in centre)


def test_ink_that_would_leave_the_frame_is_kept_inside():
    box = np.full((20, 20), 1e-6)
    box[0, 19] = 1.0
    canvas = centre_by_mass(box)
    assert canvas.sum() == pytest.approx(box.sum())
    assert canvas[8, 19] == 1
