"""Reads generated pages whose digits are known: `python -m benchmarks.pages`, three minutes.

Each run draws other pages, from a new seed that it prints, so that nothing can be tuned to them.
A page is digits of MNIST in rows, dark on unevenly lit paper: plain, on lines or squares as dark
as the ink, half in a hard shadow, with print shining through from the back, or on a table of
grained wood; or in chalk; or two digits that touch. Choose with the training digits, which it
draws from unless asked for `--test`.
"""

import argparse
import difflib
import secrets
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import groupby

from helpers.data import load_mnist
from helpers.errors import UserError, ending_in_one_sentence
from helpers.layout import pushed_together
from helpers.reading.command import MODEL_OPTION
from helpers.reading.digits import Digit
from helpers.reading.network import Network
from helpers.reading.reader import DigitReader

import numpy as np
import pandas as pd
from PIL import Image
from scipy.ndimage import gaussian_filter

# The last training digits, as many as `helpers.series.shipping` leaves out; its import would bring
# TensorFlow.
HELD_OUT = 10_000
# All ranges are drawn from evenly.
SCALES = (1.5, 4)  # pixels of the page for each of the 28 of a digit
ROWS, COLUMNS = (1, 4), (3, 7)
PITCH = (0.9, 1.5)  # from digit to digit and from row to row, as shares of 28 pixels
SLOPE, STEEP = (-0.05, 0.05), (-0.2, 0.2)
JITTER = 0.06  # share of 28 pixels by which a digit leaves its place
PAPER, INK = (170, 240), (20, 80)  # grey levels
LIGHT = (0, 0.35)  # share of the light that is lost across the page
GRAIN = 3  # standard deviation of the paper's grain, in grey levels
LINE_WIDTH = (1, 2.6)  # pixels of the page
LINE_PITCH, SQUARE_PITCH = (0.9, 1.6), (0.45, 0.9)  # shares of 28 pixels
SHADOW, PENUMBRA = (0.4, 0.65), (1, 10)  # share of the light that is left, width in pixels
# Print from the back: share of the ink that shines through, and its blur in pixels.
SHINING, DIFFUSE = (0.08, 0.25), (0.7, 2)
TABLE, MARGIN = (50, 130), (0.4, 1.2)  # grey levels, and shares of 28 pixels around the sheet
WOOD, WOOD_PERIOD, BENT = (3, 10), (12, 38), 0.05  # the wood's grain: grey levels, pixels, radians
TURNED = 8  # degrees by which a sheet lies aslant on its table
BOARD, CHALK, DUSTY = (30, 80), (170, 230), 0.6  # grey levels, and the least share of chalk
MOST_OVERLAP = 2  # pixels of MNIST by which the digits of a pair run into each other


@dataclass(frozen=True)
class Page:
    """A page and what it says.

    Attributes:
        picture: Grey.
        rows: Its digits, a text for each row.
    """

    picture: Image.Image
    rows: list[str]


class Drawer:
    """Draws pages from the digits of a set."""

    def __init__(self, images: np.ndarray, labels: np.ndarray, seed: int):
        """Take the digits.

        Args:
            images: (n, 28, 28) uint8, 0 paper to 255 ink.
            labels: (n,), 0 to 9.
            seed: Another one draws other pages.
        """
        self.images, self.labels = images, labels
        self.rng = np.random.default_rng(seed)

    def plain(self) -> Page:
        """Draw rows of digits that do not touch."""
        ink, rows, _ = self._written()
        return Page(self._on_paper(ink), rows)

    def sloping(self) -> Page:
        """Draw rows of different lengths that slope by up to 11°, on unlined paper."""
        ink, rows, _ = self._written(STEEP, is_ragged=True)
        return Page(self._on_paper(ink), rows)

    def ruled(self) -> Page:
        """Draw rows of digits on lines, which run through many of them."""
        ink, rows, scale = self._written()
        self._rule(ink, self.rng.uniform(*LINE_PITCH) * 28 * scale)
        return Page(self._on_paper(ink), rows)

    def squared(self) -> Page:
        """Draw rows of digits on squared paper."""
        ink, rows, scale = self._written()
        pitch = self.rng.uniform(*SQUARE_PITCH) * 28 * scale
        self._rule(ink, pitch)
        self._rule(ink.T, pitch)
        return Page(self._on_paper(ink), rows)

    def shadow(self) -> Page:
        """Draw rows of digits, a part of them in a shadow with a straight edge."""
        ink, rows, _ = self._written()
        grey, rng = self._lit(ink, PAPER, INK), self.rng
        angle, left = rng.uniform(0, np.pi), rng.uniform(*SHADOW)
        down, right = (np.arange(side) - side * rng.uniform(0.3, 0.7) for side in ink.shape)
        distance = down[:, None] * np.cos(angle) + right * np.sin(angle)
        light = np.clip(0.5 + distance / rng.uniform(*PENUMBRA), 0, 1)
        return Page(self._photographed(grey * (left + (1 - left) * light)), rows)

    def through(self) -> Page:
        """Draw rows of digits, with others shining through from the back of the paper."""
        ink, rows, _ = self._written()
        back = self._written()[0][:, ::-1]
        height, width = np.minimum(ink.shape, back.shape)
        faint = np.zeros_like(ink)
        faint[:height, :width] = back[:height, :width]
        faint = self.rng.uniform(*SHINING) * gaussian_filter(faint, self.rng.uniform(*DIFFUSE))
        return Page(self._on_paper(np.maximum(ink, faint)), rows)

    def table(self) -> Page:
        """Draw a sheet with rows of digits, aslant on a darker table of grained wood."""
        ink, rows, scale = self._written()
        margin = round(28 * scale * self.rng.uniform(*MARGIN))
        angle = self.rng.uniform(-TURNED, TURNED)

        def turned(picture: Image.Image) -> Image.Image:
            return picture.rotate(angle, Image.Resampling.BILINEAR, expand=True)

        sheet = Image.fromarray(self._lit(ink, PAPER, INK).astype(np.float32))
        shape = turned(Image.new("L", sheet.size, 255))
        width, height = (side + 2 * margin for side in shape.size)
        picture = Image.fromarray(self._wood(height, width))
        picture.paste(turned(sheet), (margin, margin), shape)
        return Page(self._photographed(np.asarray(picture)), rows)

    def _wood(self, height: int, width: int) -> np.ndarray:
        """Grey levels of wood whose grain runs from left to right: (height, width) float32."""
        rng = self.rng
        bent = np.cumsum(rng.normal(0, BENT, width))
        phase = 2 * np.pi * np.arange(height)[:, None] / rng.uniform(*WOOD_PERIOD) + bent
        return (rng.uniform(*TABLE) + rng.uniform(*WOOD) * np.sin(phase)).astype(np.float32)

    def chalk(self) -> Page:
        """Draw rows of digits in chalk, which leaves dark dots, on a board."""
        ink, rows, _ = self._written()
        dusty = ink * self.rng.uniform(DUSTY, 1, ink.shape)
        return Page(self._photographed(self._lit(dusty, BOARD, CHALK)), rows)

    def touching(self) -> Page:
        """Draw two digits pushed together until they touch or overlap."""
        (left, first), (right, second) = self._digit(), self._digit()
        pair = pushed_together(left, right, int(self.rng.integers(0, MOST_OVERLAP + 1)))
        scale = self.rng.uniform(*SCALES)
        ink = np.pad(_enlarged(pair, scale), round(8 * scale))
        return Page(self._on_paper(ink), [f"{first}{second}"])

    def _digit(self) -> tuple[np.ndarray, int]:
        index = int(self.rng.integers(len(self.images)))
        return self.images[index] / 255, int(self.labels[index])

    def _written(
        self, slopes: tuple[float, float] = SLOPE, is_ragged: bool = False
    ) -> tuple[np.ndarray, list[str], float]:
        """Rows of digits: ink (height, width), their text, and the scale of a digit."""
        rng = self.rng
        scale, slope = rng.uniform(*SCALES), rng.uniform(*slopes)
        side = round(28 * scale)
        lines, columns = int(rng.integers(*ROWS)), int(rng.integers(*COLUMNS))
        across, down = side * rng.uniform(*PITCH), side * (rng.uniform(*PITCH) + 0.2)
        lean = abs(slope) * columns * across
        ink = np.zeros((round(lines * down + lean) + 2 * side, round(columns * across) + 2 * side))
        rows = []
        for line in range(lines):
            text = ""
            stop = int(rng.integers(1, columns + 1)) if is_ragged else columns
            for column in range(stop):
                digit, label = self._digit()
                drawn = _enlarged(digit, scale)
                top = side / 2 + line * down + slope * column * across + lean * (slope < 0)
                left = side / 2 + column * across
                place = np.array([top, left]) + rng.normal(0, JITTER * side, 2)
                place = np.clip(place, 0, np.subtract(ink.shape, drawn.shape))
                row, first = place.round().astype(int)
                window = ink[row : row + drawn.shape[0], first : first + drawn.shape[1]]
                np.maximum(window, drawn, out=window)
                text += str(label)
            rows.append(text)
        return ink, rows, scale

    def _rule(self, ink: np.ndarray, pitch: float) -> None:
        """Draw lines from side to side, a distance of `pitch` pixels apart, into the ink."""
        half = self.rng.uniform(*LINE_WIDTH) / 2
        slope = self.rng.uniform(-0.01, 0.01)
        rows = np.arange(ink.shape[0])[:, None] - slope * np.arange(ink.shape[1])[None, :]
        distance = np.abs((rows + self.rng.uniform(0, pitch)) % pitch - pitch / 2)
        np.maximum(ink, np.clip(half + 0.5 - distance, 0, 1), out=ink)

    def _on_paper(self, ink: np.ndarray) -> Image.Image:
        return self._photographed(self._lit(ink, PAPER, INK))

    def _lit(
        self, ink: np.ndarray, papers: tuple[float, float], pens: tuple[float, float]
    ) -> np.ndarray:
        """Give paper and ink a grey level each, and let the light fall from the left."""
        paper, pen = self.rng.uniform(*papers), self.rng.uniform(*pens)
        light = 1 - self.rng.uniform(*LIGHT) * np.linspace(0, 1, ink.shape[1])
        return (paper + (pen - paper) * ink) * light

    def _photographed(self, grey: np.ndarray) -> Image.Image:
        grainy = grey + self.rng.normal(0, GRAIN, grey.shape)
        return Image.fromarray(np.clip(grainy, 0, 255).astype(np.uint8))


def _enlarged(digit: np.ndarray, scale: float) -> np.ndarray:
    height, width = (round(side * scale) for side in digit.shape)
    drawn = Image.fromarray(digit.astype(np.float32)).resize(
        (width, height), Image.Resampling.BICUBIC
    )
    return np.clip(np.asarray(drawn), 0, 1)


KINDS: dict[str, Callable[[Drawer], Page]] = {
    "plain": Drawer.plain,
    "sloping": Drawer.sloping,
    "ruled": Drawer.ruled,
    "squared": Drawer.squared,
    "shadow": Drawer.shadow,
    "through": Drawer.through,
    "table": Drawer.table,
    "chalk": Drawer.chalk,
    "touching": Drawer.touching,
}


def as_rows(digits: Sequence[Digit]) -> list[str]:
    """Write what was read as a text for each row."""
    rows = groupby(digits, key=lambda digit: digit.row)
    return ["".join(str(digit.digit) for digit in row) for _, row in rows]


def read_rows(reader: DigitReader, picture: Image.Image) -> list[str]:
    """Read a picture; no rows if no digit is found."""
    try:
        return as_rows(reader.read(picture))
    except UserError:
        return []


def digits_right(written: list[str], read: list[str]) -> int:
    """Count the digits that were read right, in the right order and row.

    Both are compared as one text each, with the rows' ends in it, by their longest common
    blocks (`difflib.SequenceMatcher`).
    """
    truth, found = "/".join(written), "/".join(read)
    matcher = difflib.SequenceMatcher(None, truth, found, autojunk=False)
    same = "".join(truth[block.a : block.a + block.size] for block in matcher.get_matching_blocks())
    return len(same.replace("/", ""))


def measure(reader: DigitReader, drawer: Drawer, kind: str, pages: int) -> dict:
    """Draw and read pages of one kind.

    Returns:
        "kind", "pages", the shares of "pages right" and "digits right" in %.
    """
    right = written = exact = 0
    for _ in range(pages):
        page = KINDS[kind](drawer)
        rows = read_rows(reader, page.picture)
        exact += rows == page.rows
        right += digits_right(page.rows, rows)
        written += sum(map(len, page.rows))
    return {
        "kind": kind,
        "pages": pages,
        "pages right (%)": 100 * exact / pages,
        "digits right (%)": 100 * right / written,
    }


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.pages", description="Read generated pages with known digits."
    )
    parser.add_argument("kinds", nargs="*", metavar="KIND", help=f"of {', '.join(KINDS)}")
    parser.add_argument("--pages", type=int, default=300, help="of each kind; default: 300")
    parser.add_argument("--seed", type=int, help="repeats a run; default: a new one")
    parser.add_argument("--test", action="store_true", help="draw from the test digits")
    parser.add_argument("--model", **MODEL_OPTION)
    return parser


def main(arguments: Sequence[str] | None = None) -> None:
    """Draw, read and print: `python -m benchmarks.pages [KIND …]`."""
    parser = _parser()
    options = parser.parse_args(arguments)
    if unknown := [kind for kind in options.kinds if kind not in KINDS]:
        parser.error(f"there is no kind {unknown[0]!r}; choose from {', '.join(KINDS)}")
    seed = secrets.randbelow(2**32) if options.seed is None else options.seed
    with ending_in_one_sentence():
        reader = DigitReader(Network(options.model))
        mnist = load_mnist(full=True)
    if options.test:
        images, labels = mnist.x_test, mnist.y_test
    else:
        images, labels = mnist.x_train[-HELD_OUT:], mnist.y_train[-HELD_OUT:]
    kinds = options.kinds or list(KINDS)
    rows = [
        measure(reader, Drawer(images, labels, seed + number), kind, options.pages)
        for number, kind in enumerate(kinds)
    ]
    print(pd.DataFrame(rows).round(1).to_string(index=False))
    print(f"\nseed {seed}")


if __name__ == "__main__":
    main()
