"""Several digits in one picture: which strokes belong together, and in which order to read them.

Patches of ink are put together to digits, and digits to rows. Where two readings are
possible, one digit in two parts or two digits, the network decides: both are put
before it, and the more probable one is taken. That is the over-segmentation of LeCun
et al., "Gradient-based learning applied to document recognition", 1998, section V,
with a search over neighbouring patches only. Two digits that touch are read as one.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from helpers.images import ImageError
from helpers.ink import TOUCHING
from helpers.preparation import prepare_strokes

import numpy as np
from scipy import ndimage

# All shares are of the height of a digit.
LEAST_HEIGHT = 0.5  # what is lower is part of a digit, not one of its own
WIDEST_GAP = 0.3  # between parts of one digit that lie beside each other
LOW_PART = 0.3  # what is lower and lies above or below the rest belongs to it
TALLEST_GAP = 0.25  # between parts that lie above each other
FARTHEST_PART = 0.4  # of a low patch from the row that it belongs to
WIDEST_DIGIT = 1.6
SAME_ROW = 0.6  # difference in height of the middles of neighbours in one row
LEAST_SHARED_WIDTH = 0.3  # of the narrower of two parts that lie above each other
MOST_PARTS = 3  # beside each other in one digit

# A page of digits has fewer patches of ink; a texture has more.
MOST_PATCHES = 300

Classifier = Callable[[np.ndarray], np.ndarray]


@dataclass(frozen=True)
class Patch:
    """Ink that belongs together.

    Attributes:
        numbers: Of the connected components that it consists of.
        top, left, bottom, right: Its bounding box in pixels; bottom and right lie outside.
    """

    numbers: tuple[int, ...]
    top: int
    left: int
    bottom: int
    right: int

    @property
    def height(self) -> int:
        """Of the bounding box, in pixels."""
        return self.bottom - self.top

    @property
    def width(self) -> int:
        """Of the bounding box, in pixels."""
        return self.right - self.left

    @property
    def middle(self) -> float:
        """Half way between top and bottom."""
        return (self.top + self.bottom) / 2

    def merged_with(self, other: "Patch") -> "Patch":
        """Both together."""
        return Patch(
            self.numbers + other.numbers,
            min(self.top, other.top),
            min(self.left, other.left),
            max(self.bottom, other.bottom),
            max(self.right, other.right),
        )


@dataclass(frozen=True)
class Found:
    """A digit found in a picture.

    Attributes:
        box: Left, top, right, bottom in pixels of the ink; right and bottom lie outside.
        pixels: The digit prepared as MNIST was, (28, 28) uint8.
        probabilities: What the network says of it, (10,) float32.
    """

    box: tuple[int, int, int, int]
    pixels: np.ndarray
    probabilities: np.ndarray


def find_digits(ink: np.ndarray, strokes: np.ndarray, classify: Classifier) -> list[list[Found]]:
    """Find the digits of a picture in reading order.

    Args:
        ink: (height, width) float, 0 paper to 1 ink.
        strokes: (height, width) bool, True on strokes.
        classify: Takes (n, 28, 28) uint8, gives (n, 10) probabilities.

    Returns:
        Rows from top to bottom, in each the digits from left to right.

    Raises:
        ImageError: If there are too many patches of ink to be digits.
    """
    return _Search(ink, strokes, classify).rows()


def bounding_box(strokes: np.ndarray) -> tuple[int, int, int, int]:
    """Left, top, right and bottom of all strokes; right and bottom lie outside."""
    rows, columns = strokes.any(axis=1).nonzero()[0], strokes.any(axis=0).nonzero()[0]
    return int(columns[0]), int(rows[0]), int(columns[-1]) + 1, int(rows[-1]) + 1


class _Search:
    """The search in one picture, which looks at nothing twice."""

    def __init__(self, ink, strokes, classify):
        self.ink, self.classify = ink, classify
        self.components, count = ndimage.label(strokes, structure=TOUCHING)
        if count > MOST_PATCHES:
            raise ImageError(f"no digit found: {count} patches of ink are a texture, not writing.")
        self.seen: dict[frozenset[int], Found] = {}

    def rows(self) -> list[list[Found]]:
        patches = self.stacked(
            [
                Patch((number,), rows.start, columns.start, rows.stop, columns.stop)
                for number, (rows, columns) in enumerate(
                    ndimage.find_objects(self.components), start=1
                )
            ]
        )
        return [self.best_split(row) for row in into_rows(patches)]

    def look_at(self, patches: Sequence[Patch]) -> list[Found]:
        """Prepare and classify patches, all new ones in one batch."""
        new = {
            key: patch for patch in patches if (key := frozenset(patch.numbers)) not in self.seen
        }
        if new:
            prepared = np.stack([self.prepared(patch) for patch in new.values()])
            for (key, patch), pixels, probabilities in zip(
                new.items(), prepared, self.classify(prepared), strict=True
            ):
                box = (patch.left, patch.top, patch.right, patch.bottom)
                self.seen[key] = Found(box, pixels, probabilities)
        return [self.seen[frozenset(patch.numbers)] for patch in patches]

    def prepared(self, patch: Patch) -> np.ndarray:
        margin = 3  # soft edges of the strokes
        window = np.s_[
            max(patch.top - margin, 0) : patch.bottom + margin,
            max(patch.left - margin, 0) : patch.right + margin,
        ]
        own = np.isin(self.components[window], patch.numbers)
        return prepare_strokes(self.ink[window], own)

    def log_probability(self, *patches: Patch) -> float:
        """Logarithm of the probability that all of these are read right, if they are digits."""
        found = self.look_at(patches)
        return sum(float(np.log(digit.probabilities.max())) for digit in found)

    def stacked(self, patches: list[Patch]) -> list[Patch]:
        """Put parts together that lie above each other, such as the bar of a 5."""
        apart = set()
        while pair := next(_stacked_pairs(patches, apart), None):
            upper, lower = pair
            together = upper.merged_with(lower)
            is_low = min(upper.height, lower.height) < LOW_PART * together.height
            if is_low or self.log_probability(together) >= self.log_probability(upper, lower):
                patches = [patch for patch in patches if patch not in pair] + [together]
            else:
                apart.add(pair)
        return patches

    def best_split(self, row: list[Patch]) -> list[Found]:
        """Divide a row, from left to right, into the digits that are together most probable."""
        candidates = list(_candidates(row))
        self.look_at([patch for _, _, patch in candidates])
        best = {0: (0.0, [])}
        for end in range(1, len(row) + 1):
            best[end] = max(
                (
                    (best[start][0] + self.log_probability(patch), [*best[start][1], patch])
                    for start, stop, patch in candidates
                    if stop == end
                ),
                key=lambda split: split[0],
            )
        return self.look_at(best[len(row)][1])


def _stacked_pairs(patches: list[Patch], apart: set) -> Iterator[tuple[Patch, Patch]]:
    """Pairs of patches that lie above each other and near, the nearest first."""
    tops, lefts, bottoms, rights = np.array(
        [(patch.top, patch.left, patch.bottom, patch.right) for patch in patches]
    ).T
    gaps = tops[None, :] - bottoms[:, None]
    heights = np.maximum(bottoms[None, :], bottoms[:, None]) - tops[:, None]
    shared = np.minimum(rights[None, :], rights[:, None]) - np.maximum(
        lefts[None, :], lefts[:, None]
    )
    widths = rights - lefts
    is_above = (tops[:, None] < tops[None, :]) | (
        (tops[:, None] == tops[None, :]) & np.triu(np.ones_like(gaps, bool), k=1)
    )
    is_near = gaps < TALLEST_GAP * heights
    overlaps = shared >= LEAST_SHARED_WIDTH * np.minimum(widths[None, :], widths[:, None])
    pairs = np.argwhere(is_above & is_near & overlaps)
    for upper, lower in sorted(pairs.tolist(), key=lambda pair: gaps[tuple(pair)]):
        pair = (patches[upper], patches[lower])
        if pair not in apart:
            yield pair


def into_rows(patches: Sequence[Patch]) -> list[list[Patch]]:
    """Sort patches into rows from top to bottom, in each from left to right.

    A digit belongs to the row whose last digit so far is nearest in height, so that a
    row may slope. What is too low for a digit joins the nearest row as a part, or is
    left out if it lies too far from any.
    """
    tallest = max(patch.height for patch in patches)
    height = float(np.median([p.height for p in patches if p.height >= LEAST_HEIGHT * tallest]))
    by_left = sorted(patches, key=lambda patch: patch.left)
    rows: list[list[Patch]] = []
    for digit in (patch for patch in by_left if patch.height >= LEAST_HEIGHT * height):
        nearest = min(rows, key=lambda row: abs(row[-1].middle - digit.middle), default=None)
        if nearest and abs(nearest[-1].middle - digit.middle) < SAME_ROW * height:
            nearest.append(digit)
        else:
            rows.append([digit])
    for part in (patch for patch in by_left if patch.height < LEAST_HEIGHT * height):
        distance, row = min(
            ((_distance(part, digit), row) for row in rows for digit in row),
            key=lambda candidate: candidate[0],
        )
        if distance < FARTHEST_PART * height:
            row.append(part)
    rows.sort(key=lambda row: np.mean([patch.middle for patch in row]))
    return [sorted(row, key=lambda patch: patch.left) for row in rows]


def _distance(patch: Patch, other: Patch) -> int:
    """Gap between two bounding boxes, across or upright, whichever is larger."""
    across = max(patch.left, other.left) - min(patch.right, other.right)
    upright = max(patch.top, other.top) - min(patch.bottom, other.bottom)
    return max(across, upright, 0)


def _candidates(row: list[Patch]) -> Iterator[tuple[int, int, Patch]]:
    """What may be a digit: neighbours in a row, from the first up to before the last number."""
    height = max(patch.height for patch in row)
    for start, patch in enumerate(row):
        yield start, start + 1, patch
        for stop in range(start + 2, min(start + MOST_PARTS, len(row)) + 1):
            part = row[stop - 1]
            gap, patch = part.left - patch.right, patch.merged_with(part)
            if gap > WIDEST_GAP * height or patch.width > WIDEST_DIGIT * height:
                break
            yield start, stop, patch
