from helpers.reading import pictures
from helpers.reading.pictures import PictureError, open_picture, open_reduced_picture, to_grey

import numpy as np
import pytest
from PIL import Image

WHITE, BLACK = (255, 255, 255), (0, 0, 0)


# Reading files


def test_a_picture_file_is_read_with_all_its_pixels(seven, tmp_path):
    seven.save(tmp_path / "seven.png")
    picture = open_picture(tmp_path / "seven.png")
    (tmp_path / "seven.png").unlink()
    np.testing.assert_array_equal(np.asarray(picture), np.asarray(seven))


def test_a_picture_is_turned_as_the_camera_was_held(seven, tmp_path):
    held = Image.Exif()
    held[0x0112] = 6  # the top of the picture is at the right
    seven.save(tmp_path / "held.png", exif=held)
    upright = seven.transpose(Image.Transpose.ROTATE_270)
    np.testing.assert_array_equal(
        np.asarray(open_picture(tmp_path / "held.png")), np.asarray(upright)
    )


def missing(path):
    pass


def a_text(path):
    path.write_text("not a picture")


def empty(path):
    path.touch()


def truncated(path):
    Image.effect_noise((200, 200), 80).save(path)
    path.write_bytes(path.read_bytes()[:5000])


def a_folder(path):
    path.mkdir()


@pytest.mark.parametrize("make", [missing, a_text, empty, truncated, a_folder])
def test_what_is_no_readable_picture_is_named(tmp_path, make):
    path = tmp_path / "photo.png"
    make(path)
    with pytest.raises(
        PictureError, match=r"is not a picture|cannot be|is an unreadable folder"
    ) as caught:
        open_picture(path)
    assert str(path) in str(caught.value)


def test_a_picture_of_absurd_size_is_refused_with_what_to_do(tmp_path, monkeypatch):
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 1000)
    Image.new("L", (100, 100)).save(tmp_path / "huge.png")
    with pytest.raises(PictureError, match=r"huge\.png is too large; scale it down"):
        open_picture(tmp_path / "huge.png")


# The single steps


def test_brightness_runs_from_black_0_to_white_1():
    picture = Image.new("RGB", (3, 1))
    for x, colour in enumerate([BLACK, (51, 51, 51), WHITE]):
        picture.putpixel((x, 0), colour)
    grey = to_grey(picture)
    np.testing.assert_allclose(grey, [[0, 0.2, 1]], atol=1e-6)
    assert grey.dtype == np.float32


@pytest.mark.parametrize(
    ("size", "shape"),
    [((2400, 600), (300, 1200)), ((300, 4800), (1200, 75)), ((900, 50), (50, 900))],
)
def test_only_large_pictures_are_scaled_down_and_keep_their_shape(size, shape):
    assert to_grey(Image.new("L", size)).shape == shape


def test_a_picture_can_be_made_smaller_than_usual():
    assert to_grey(Image.new("RGB", (1000, 500)), longest=200).shape == (100, 200)


@pytest.mark.parametrize(("side", "reduced"), [(1100, 1), (2399, 1), (2400, 2), (4800, 4)])
def test_a_large_jpeg_is_decoded_no_finer_than_it_is_read(tmp_path, side, reduced):
    path = tmp_path / "photo.jpg"
    Image.linear_gradient("L").resize((side, side // 4)).save(path)
    picture, factor = open_reduced_picture(path)
    assert factor == reduced
    assert picture.size == (side // reduced, -(-(side // 4) // reduced))
    whole = open_picture(path).resize(picture.size, Image.Resampling.BOX)
    np.testing.assert_allclose(np.asarray(picture, int), np.asarray(whole, int), atol=4)


def test_other_formats_are_decoded_whole(tmp_path):
    Image.new("L", (2400, 10)).save(tmp_path / "page.png")
    picture, reduced = open_reduced_picture(tmp_path / "page.png")
    assert (picture.size, reduced) == ((2400, 10), 1)


@pytest.mark.parametrize(("ink", "paper"), [(0.1, 1), (0.9, 0)])
def test_transparent_parts_become_the_paper_that_the_ink_stands_out_from(ink, paper):
    layer = np.zeros((4, 4, 4), np.uint8)
    layer[1:3, 1] = (*[round(255 * ink)] * 3, 255)
    grey = to_grey(Image.fromarray(layer))
    np.testing.assert_allclose(grey[1:3, 1], ink, atol=0.01)
    np.testing.assert_array_equal(grey[:, 2:], paper)


def test_a_transparent_picture_may_have_half_as_many_pixels(tmp_path, monkeypatch):
    monkeypatch.setattr(pictures, "MOST_PIXELS", 1000)
    for mode in ("L", "LA"):
        Image.new(mode, (30, 30)).save(tmp_path / f"{mode}.png")
    assert open_picture(tmp_path / "L.png").size == (30, 30)
    with pytest.raises(PictureError, match=r"LA\.png is too large: 30 × 30 pixels"):
        open_picture(tmp_path / "LA.png")
