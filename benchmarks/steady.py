"""Reads the same pictures in other clothes: `python -m benchmarks.steady PICTURE_OR_FOLDER …`.

A picture is scaled, turned, saved again, inverted, darkened, … and read again; the same digits
must come out, in the same rows, right or wrong. Such a metamorphic test (Chen and others,
"Metamorphic testing: a review of challenges and opportunities", 2018) needs no labels, so it can
be run on anyone's own pictures.
"""

import argparse
import io
import sys
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

from benchmarks.pages import read_rows
from helpers.errors import UserError, print_error
from helpers.reading.command import MODEL_OPTION, pictures_in
from helpers.reading.network import Network
from helpers.reading.pictures import PictureError, open_picture, to_grey
from helpers.reading.reader import DigitReader

import numpy as np
import pandas as pd
from PIL import Image

# Maps a grey picture to a copy; None if that would be too small or too large.
Change = Callable[[Image.Image], Image.Image | None]

# A copy with a shorter side below this many pixels cannot hold a digit, and one with a longer
# side above the other limit takes long to make.
LEAST_SIDE, MOST_SIDE = 20, 5000
ANGLE = 5  # degrees
MARGIN = 0.3  # share of the longer side
NOISE = 10  # standard deviation in grey levels
DARKEST = 0.45  # of the light, at the darker side


def scaled(factor: float) -> Change:
    """Scale by a factor."""

    def change(picture: Image.Image) -> Image.Image | None:
        width, height = (round(side * factor) for side in picture.size)
        if min(width, height) < LEAST_SIDE or max(width, height) > MOST_SIDE:
            return None
        return picture.resize((width, height), Image.Resampling.BICUBIC, reducing_gap=3)

    return change


def saved_as(picture_format: str, quality: int) -> Change:
    """Save in a format that loses something, and open it again."""

    def change(picture: Image.Image) -> Image.Image:
        file = io.BytesIO()
        picture.save(file, picture_format, quality=quality)
        return Image.open(file)

    return change


def turned(degrees: float) -> Change:
    """Turn on paper that goes on around."""
    return lambda picture: picture.rotate(
        degrees, Image.Resampling.BICUBIC, expand=True, fillcolor=_paper(picture)
    )


def noisy(picture: Image.Image) -> Image.Image:
    """Add noise like that of a sensor."""
    grain = np.random.default_rng(0).normal(0, NOISE, (picture.height, picture.width))
    return _as_picture(np.asarray(picture) + grain)


def in_falling_light(picture: Image.Image) -> Image.Image:
    """Let the light fall off from left to right."""
    return _as_picture(np.asarray(picture) * np.linspace(1, DARKEST, picture.width))


def with_half_the_contrast(picture: Image.Image) -> Image.Image:
    """Bring all brightness nearer to grey."""
    return picture.point(lambda level: 64 + level // 2)


def with_margins(picture: Image.Image) -> Image.Image:
    """Add paper on all sides."""
    margin = round(MARGIN * max(picture.size))
    page = Image.new("L", (picture.width + 2 * margin, picture.height + 2 * margin))
    page.paste(_paper(picture), (0, 0, *page.size))
    page.paste(picture, (margin, margin))
    return page


def inverted(picture: Image.Image) -> Image.Image:
    """Exchange dark and bright."""
    return picture.point(lambda level: 255 - level)


CHANGES: dict[str, Change] = {
    **{f"scaled by {factor}": scaled(factor) for factor in (0.5, 0.7, 1.5, 2, 4)},
    **{f"JPEG at quality {quality}": saved_as("JPEG", quality) for quality in (75, 30)},
    "WebP at quality 50": saved_as("WEBP", 50),
    f"turned by {ANGLE}°": turned(ANGLE),
    f"turned by −{ANGLE}°": turned(-ANGLE),
    f"noise of {NOISE}": noisy,
    f"light falling to {DARKEST:.0%}": in_falling_light,
    "half the contrast": with_half_the_contrast,
    "margins added": with_margins,
    "inverted": inverted,
}
QUALITIES = (95, 85, 75, 50, 40, 20)


def saved_again() -> dict[str, Change]:
    """Each way to save in each size, for the steadiness of a whole sheet."""
    return {
        f"{picture_format} at quality {quality}, scaled by {factor}": _one_after_the_other(
            scaled(factor), saved_as(picture_format, quality)
        )
        for factor in (0.6, 1, 2, 3)
        for picture_format in ("JPEG", "WEBP")
        for quality in QUALITIES
    }


def _one_after_the_other(first: Change, second: Change) -> Change:
    def change(picture: Image.Image) -> Image.Image | None:
        copy = first(picture)
        return None if copy is None else second(copy)

    return change


def _paper(picture: Image.Image) -> int:
    grey = np.asarray(picture)
    return int(np.median(np.concatenate([grey[0], grey[-1], grey[:, 0], grey[:, -1]])))


def _as_picture(grey: np.ndarray) -> Image.Image:
    return Image.fromarray(np.clip(np.round(grey), 0, 255).astype(np.uint8))


def compare(
    reader: DigitReader, picture: Image.Image, changes: dict[str, Change]
) -> list[tuple[str, list[str], list[str]]]:
    """Read a picture and its changed copies.

    Args:
        reader: Reads all of them.
        picture: In any of Pillow's modes.
        changes: By their names; copies that would be too small or too large are left out.

    Returns:
        For each change its name, what is read in the picture, and what is read in the copy;
        a text for each row.
    """
    grey = (
        picture.convert("L")
        if picture.mode in ("L", "RGB")
        else _as_picture(to_grey(picture) * 255)
    )
    original = read_rows(reader, grey)
    copies = ((name, change(grey)) for name, change in changes.items())
    return [(name, original, read_rows(reader, copy)) for name, copy in copies if copy is not None]


def measure(reader: DigitReader, paths: Iterable[Path], changes: dict[str, Change]) -> pd.DataFrame:
    """Compare all pictures with their copies; files that are no pictures are left out.

    Returns:
        A row for each pair: "file", "change", "picture", "copy" (what was read in both, rows
        separated by " / "), "same".
    """
    rows = []
    for path in paths:
        try:
            picture = open_picture(path)
        except PictureError as error:
            print_error(error)
            continue
        for name, original, copy in compare(reader, picture, changes):
            rows.append(
                {
                    "file": str(path),
                    "change": name,
                    "picture": " / ".join(original),
                    "copy": " / ".join(copy),
                    "same": original == copy,
                }
            )
    return pd.DataFrame(rows, columns=["file", "change", "picture", "copy", "same"])


def summarise(pairs: pd.DataFrame) -> pd.DataFrame:
    """Count by change and in all: "pairs", "same", "share (%)"."""
    groups = pairs.groupby("change", sort=False)["same"]
    table = pd.DataFrame({"pairs": groups.size(), "same": groups.sum()})
    table.loc["all"] = table.sum()
    table["share (%)"] = (100 * table["same"] / table["pairs"]).round(1)
    return table


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.steady",
        description="Read pictures and changed copies of them; the same digits must come out.",
    )
    parser.add_argument("places", metavar="PLACE", nargs="+", type=Path, help="picture or folder")
    parser.add_argument(
        "--saved", action="store_true", help=f"save each in {len(saved_again())} ways instead"
    )
    parser.add_argument("--lost", action="store_true", help="list the copies read differently")
    parser.add_argument("--model", **MODEL_OPTION)
    return parser


def main(arguments: Sequence[str] | None = None) -> int:
    """Read everything and print the shares that stay the same.

    Returns:
        The exit status: 0, or 2 if the model cannot be used or there is no picture.
    """
    options = _parser().parse_args(arguments)
    try:
        reader = DigitReader(Network(options.model))
    except UserError as error:
        print_error(error)
        return 2
    paths = [
        path
        for place in options.places
        for path in (pictures_in(place) if place.is_dir() else [place])
    ]
    pairs = measure(reader, paths, saved_again() if options.saved else CHANGES)
    if pairs.empty:
        print_error("no picture was found; name pictures or folders of them.")
        return 2
    if options.lost:
        print(pairs[~pairs["same"]].to_string(index=False))
    print(summarise(pairs).to_string())
    return 0


if __name__ == "__main__":
    sys.exit(main())
