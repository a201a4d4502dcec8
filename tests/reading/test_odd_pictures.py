"""Odd inputs from people and programs: each ends in one sentence, never in a traceback."""

import io
import os
import struct
import zlib

from helpers.reading import reader
from helpers.reading.command import main
from helpers.reading.pictures import MOST_PIXELS, PictureError, open_picture

import numpy as np
import pytest
from PIL import Image, PngImagePlugin

needs_unix = pytest.mark.skipif(os.name == "nt", reason="Windows has no such names")


def seven(mode="L", paper=235, ink=40, size=(300, 400)):
    """A drawn seven in one of Pillow's modes."""
    picture = np.full((400, 300), paper, np.uint8)
    picture[70:95, 60:210] = ink
    for row in range(95, 330):
        middle = 195 - round((row - 95) * 0.35)
        picture[row, middle - 13 : middle + 13] = ink
    return Image.fromarray(picture).resize(size).convert(mode)


def png_chunk(kind, data):
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def png_that_claims(width, height, data=b""):
    header = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + png_chunk(b"IHDR", header) + png_chunk(b"IDAT", data)


def encoded(picture, picture_format, **options):
    content = io.BytesIO()
    picture.save(content, picture_format, **options)
    return content.getvalue()


def float_tiff(value):
    values = np.asarray(seven("F")).copy()
    values[:40] = value
    return encoded(Image.fromarray(values), "TIFF")


def with_text_bomb():
    text = PngImagePlugin.PngInfo()
    text.add_text("comment", "x" * 70_000_000, zip=True)
    return encoded(seven(), "PNG", pnginfo=text)


def with_orientation(number):
    exif = Image.Exif()
    exif[0x0112] = number
    return encoded(seven(), "JPEG", exif=exif)


def noise(size):
    return Image.fromarray(np.random.default_rng(0).integers(0, 256, size, np.uint8))


SEVEN_PNG = encoded(seven(), "PNG")
SEVEN_JPEG = encoded(seven(), "JPEG")

# Pictures of a seven: read, whatever they are packed in.
READABLE = {
    "grey PNG": SEVEN_PNG,
    "colour PNG": encoded(seven("RGB"), "PNG"),
    "PNG with a palette": encoded(seven("P"), "PNG"),
    "PNG of one bit": encoded(seven("1"), "PNG"),
    "16-bit PNG": encoded(Image.fromarray(np.asarray(seven("L"), np.uint16) * 257), "PNG"),
    "16-bit TIFF": encoded(Image.fromarray(np.asarray(seven("L"), np.uint16) * 257), "TIFF"),
    "32-bit TIFF": encoded(seven("I"), "TIFF"),
    "TIFF of floating point": encoded(seven("F"), "TIFF"),
    "CMYK JPEG": encoded(seven("CMYK"), "JPEG"),
    "CMYK TIFF": encoded(seven("CMYK"), "TIFF"),
    "YCbCr JPEG": encoded(seven("YCbCr"), "JPEG"),
    "LAB TIFF": encoded(seven("LAB"), "TIFF"),
    "PNG with opacity": encoded(seven("RGBA"), "PNG"),
    "grey PNG with opacity": encoded(seven("LA"), "PNG"),
    "PNG with a transparent colour": encoded(seven("P"), "PNG", transparency=0),
    "GIF": encoded(seven("P"), "GIF"),
    "animated GIF": encoded(seven(), "GIF", save_all=True, append_images=[noise((400, 300))]),
    "animated PNG": encoded(seven(), "PNG", save_all=True, append_images=[noise((400, 300))]),
    "TIFF of two pages": encoded(seven(), "TIFF", save_all=True, append_images=[seven()]),
    "progressive JPEG": encoded(seven(), "JPEG", progressive=True),
    "JPEG with a turned-camera note of nonsense": with_orientation(77),
    "BMP": encoded(seven(), "BMP"),
    "WebP": encoded(seven(), "WEBP"),
    "portable grey map": encoded(seven(), "PPM"),
    "light on dark": encoded(seven(paper=15, ink=220), "PNG"),
    "small": encoded(seven(size=(21, 28)), "PNG"),
    "large": encoded(seven(size=(3000, 4000)), "PNG"),
    "PNG with bytes behind its end": SEVEN_PNG + b"and more" * 100,
    "JPEG that says it is a PNG": SEVEN_JPEG,
}

# No picture, or none of a digit: named.
REFUSED = {
    "PNG with a text of 70 MB": with_text_bomb(),
    "empty": b"",
    "one byte": b"\x89",
    "text": b"not a picture at all\n" * 20,
    "HTML": b"<!DOCTYPE html><html><body>404 Not Found</body></html>",
    "zeros": bytes(5000),
    "random bytes": np.random.default_rng(1).bytes(5000),
    "start of a PNG": SEVEN_PNG[:40],
    "truncated PNG": SEVEN_PNG[: len(SEVEN_PNG) // 2],
    "truncated JPEG": SEVEN_JPEG[: len(SEVEN_JPEG) // 2],
    "PNG with a damaged checksum": SEVEN_PNG[:30] + b"\xff" + SEVEN_PNG[31:],
    "PNG of no width": png_that_claims(0, 10),
    "PNG that claims 30,000 × 30,000": png_that_claims(30_000, 30_000),
    "PNG that claims 2 billion × 2 billion": png_that_claims(2**31 - 1, 2**31 - 1),
    "PNG that unpacks to more than it claims": png_that_claims(
        8, 8, zlib.compress(bytes(50_000_000))
    ),
    "PostScript": b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 10 10\nshowpage\n",
    "PDF": b"%PDF-1.4\n1 0 obj\n<<>>\nendobj\n",
    "SVG": b'<svg xmlns="http://www.w3.org/2000/svg"><circle r="5"/></svg>',
    "archive": b"PK\x03\x04" + bytes(100),
    "1 × 1": encoded(Image.new("L", (1, 1), 0), "PNG"),
    "1 × 10,000": encoded(Image.new("L", (1, 10_000), 255), "PNG"),
    "10,000 × 1": encoded(Image.new("L", (10_000, 1), 255), "PNG"),
    "all white": encoded(Image.new("L", (300, 400), 255), "PNG"),
    "all black": encoded(Image.new("L", (300, 400), 0), "PNG"),
    "28 × 28, a level below white": encoded(Image.new("L", (28, 28), 254), "PNG"),
    "all transparent": encoded(Image.new("RGBA", (300, 400), (0, 0, 0, 0)), "PNG"),
    "all NaN": encoded(Image.fromarray(np.full((40, 30), np.nan, np.float32)), "TIFF"),
    "all infinite": encoded(Image.fromarray(np.full((40, 30), np.inf, np.float32)), "TIFF"),
}

# Whatever comes of them, it is no crash.
EITHER = {
    "noise": encoded(noise((300, 400)), "PNG"),
    "noise of two colours": encoded(noise((300, 400)).convert("1"), "PNG"),
    "TIFF with some NaN": float_tiff(np.nan),
    "TIFF with some infinite values": float_tiff(np.inf),
    "TIFF with some negative values": float_tiff(-1e30),
    "lying on its side": with_orientation(6),
}


@pytest.fixture
def read(tmp_path, capfd):
    """Reads a file of this content by the command line: exit status, output, errors."""

    def read(content, name="picture.png"):
        path = tmp_path / name
        path.write_bytes(content)
        status = main([str(path)])
        seen = capfd.readouterr()
        return status, seen.out, seen.err

    return read


@pytest.mark.parametrize("kind", READABLE)
def test_a_seven_is_read_whatever_it_is_packed_in(read, kind):
    status, out, err = read(READABLE[kind])
    assert err == ""
    assert status == 0 and ": 7 (" in out


@pytest.mark.parametrize("kind", REFUSED)
def test_what_shows_no_digit_gets_one_sentence(read, kind):
    status, out, err = read(REFUSED[kind])
    assert status == 1 and out == ""
    (sentence,) = err.splitlines()
    assert sentence.startswith("error: ") and "picture.png" in sentence
    assert sentence.endswith(".") and len(sentence) < 300 + len(str(read))


@pytest.mark.parametrize("kind", EITHER)
def test_what_may_or_may_not_show_a_digit_is_no_crash(read, kind):
    status, out, err = read(EITHER[kind])
    assert (status, len(out.splitlines())) == (0, 1) or (status, len(err.splitlines())) == (1, 1)


@pytest.mark.parametrize(
    "name",
    [
        "a seven.png",
        pytest.param("seven\nnew line.png", marks=needs_unix),
        "七.png",
        "семь.PNG",
        "'; rm -rf $HOME;.png",
        "-seven.png",
        "seven.png.txt",
        "seven",
        "s" * 200 + ".png",
    ],
)
def test_a_file_may_have_any_name(tmp_path, monkeypatch, capfd, name):
    (tmp_path / name).write_bytes(SEVEN_PNG)
    monkeypatch.chdir(tmp_path)
    assert main(["--", name]) == 0
    assert f"{name}: 7 (" in capfd.readouterr().out


# What is not a regular file


@needs_unix
def test_a_pipe_does_not_keep_anybody_waiting(tmp_path):
    os.mkfifo(tmp_path / "pipe.png")
    with pytest.raises(
        PictureError, match=r"pipe\.png is not a regular file; name a picture, or -"
    ):
        open_picture(tmp_path / "pipe.png")


@needs_unix
@pytest.mark.parametrize("device", ["/dev/null", "/dev/zero", "/dev/urandom"])
def test_a_device_is_no_picture(capfd, device):
    assert main([device]) == 1
    assert capfd.readouterr().err.startswith(f"error: {device} is not a regular file")


def test_a_file_that_may_not_be_read_is_named(tmp_path, monkeypatch):
    (tmp_path / "locked.png").write_bytes(SEVEN_PNG)

    def open_locked(path, *arguments, **options):
        raise PermissionError(13, "Permission denied", str(path))

    monkeypatch.setattr(Image, "open", open_locked)  # root may read any file
    with pytest.raises(PictureError, match=r"locked\.png cannot be read: Permission denied\."):
        open_picture(tmp_path / "locked.png")


def test_a_file_that_goes_away_meanwhile_is_named(tmp_path, monkeypatch, capfd):
    for name in ("a.png", "b.png", "c.png"):
        (tmp_path / name).write_bytes(SEVEN_PNG)
    real_read = reader.open_reduced_picture

    def remove_and_read(source, name):
        if source.name == "b.png":
            source.unlink()
        return real_read(source, name)

    monkeypatch.setattr(reader, "open_reduced_picture", remove_and_read)
    assert main([str(tmp_path)]) == 1
    seen = capfd.readouterr()
    names = [line.split(": ")[0] for line in seen.out.splitlines()]
    assert names == [str(tmp_path / name) for name in ("a.png", "c.png")]
    assert seen.err == f"error: {tmp_path / 'b.png'} cannot be read: No such file or directory.\n"


def test_a_file_that_shrinks_while_it_is_read_is_named(tmp_path, monkeypatch):
    path = tmp_path / "seven.png"
    path.write_bytes(encoded(noise((400, 300)), "PNG"))
    real_load = PngImagePlugin.PngImageFile.load

    def shrink_and_load(picture):
        os.truncate(path, 2000)
        return real_load(picture)

    monkeypatch.setattr(PngImagePlugin.PngImageFile, "load", shrink_and_load)
    with pytest.raises(PictureError, match=r"seven\.png cannot be read"):
        open_picture(path)


# Size


def test_a_picture_beyond_the_limit_is_refused_before_it_is_unpacked(tmp_path):
    side = int(MOST_PIXELS**0.5) + 1
    (tmp_path / "huge.png").write_bytes(png_that_claims(side, side))
    with pytest.raises(
        PictureError, match=rf"huge\.png is too large: {side} × {side} pixels, where"
    ):
        open_picture(tmp_path / "huge.png")
