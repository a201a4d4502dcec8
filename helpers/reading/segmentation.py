"""Tells the digits of a picture apart and puts them in reading order.

Connected components of ink form digits, and digits form rows. Where two readings are
possible, one digit in two parts or two digits, the network scores both and the more
probable one wins. That is the over-segmentation of LeCun et al., "Gradient-based learning
applied to document recognition", 1998, section V. A wide component of which the network is unsure
may be digits that touch; `helpers.reading.cutting` tells how they are cut.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import count

from helpers.reading.cutting import (
    SURE_OF_TWO,
    Piece,
    agreement,
    best_sequence,
    could_be_three,
    could_be_two,
    cut_up,
    ink_crossed,
    is_readable,
    pieces_between,
    score,
)
from helpers.reading.digits import Box, Digit
from helpers.reading.ink import TOUCHING, middle_of_the_whole
from helpers.reading.pictures import PictureError
from helpers.reading.preparation import prepare_pair, prepare_strokes

import numpy as np
from scipy import ndimage

# All lengths are shares of the height of a digit.
LEAST_HEIGHT = 0.5  # anything lower is part of a digit
WIDEST_GAP = 0.3  # between parts of one digit beside each other
LOW_PART = 0.3  # anything lower, above or below another part, belongs to it
TALLEST_GAP = 0.25  # between parts above each other
FARTHEST_PART = 0.4  # from a low component to its row
WIDEST_DIGIT = 1.6
SAME_ROW = 0.6  # vertical distance between the middles of neighbours in a row
LEAST_SHARED_WIDTH = 0.3  # of the narrower of two parts above each other
JUMP = 0.2  # vertical distance between digits of a row, along its slope
MOST_PARTS = 3  # beside each other in one digit

# Slopes of rows, in pixels down for each pixel to the right. A steeper row must bring more pairs
# of digits to one level.
SLOPES = np.linspace(-0.3, 0.3, 25)
SLOPE_COST = 2.0

# A page of digits has fewer components; a texture has more.
MOST_COMPONENTS = 300
SOFT_EDGE = 3  # pixels around a stroke

Classifier = Callable[[np.ndarray], tuple[np.ndarray, np.ndarray]]
PairReader = Callable[[np.ndarray], tuple[np.ndarray, np.ndarray]]


@dataclass(frozen=True)
class Component:
    """A connected component of ink, or several taken together.

    Attributes:
        numbers: The numbers of its connected components.
        top: First row of its bounding box, in pixels.
        left: First column.
        bottom: The row below its last one.
        right: The column right of its last one.
    """

    numbers: tuple[int, ...]
    top: int
    left: int
    bottom: int
    right: int

    @property
    def height(self) -> int:
        """Height of the bounding box in pixels."""
        return self.bottom - self.top

    @property
    def width(self) -> int:
        """Width of the bounding box in pixels."""
        return self.right - self.left

    @property
    def middle(self) -> float:
        """The row half way between top and bottom."""
        return (self.top + self.bottom) / 2

    @property
    def centre(self) -> float:
        """The column half way between left and right."""
        return (self.left + self.right) / 2

    def merged_with(self, other: "Component") -> "Component":
        """Take both together."""
        return Component(
            self.numbers + other.numbers,
            min(self.top, other.top),
            min(self.left, other.left),
            max(self.bottom, other.bottom),
            max(self.right, other.right),
        )


# Pieces of a component, and what is read in them, by the places at their ends.
Parts = dict[tuple[int, int], tuple[Piece, Component, Digit]]


def find_digits(
    ink: np.ndarray, strokes: np.ndarray, classify: Classifier, read_pairs: PairReader
) -> list[Digit]:
    """Find the digits of a picture.

    Args:
        ink: (height, width) float, 0 paper to 1 ink.
        strokes: (height, width) bool, True on strokes.
        classify: Maps (n, 28, 28) uint8 to (n, 10) probabilities, and (n,), how much each is
            like a digit, 0 to 1.
        read_pairs: Maps (n, 28, 56) uint8 to (n, 2, 10) probabilities, and (n,), how sure it is
            that there are two digits, 0 to 1.

    Returns:
        The digits in reading order: by row from top to bottom, then from left to right.

    Raises:
        PictureError: If there are too many components of ink to be digits.
    """
    search = _Search(ink, strokes, classify, read_pairs)
    return [
        replace(digit, row=number)
        for number, row in enumerate(into_rows(search.stacked(search.components())))
        for digit in search.best_split(row)
    ]


def read_single_digit(ink: np.ndarray, strokes: np.ndarray, classify: Classifier) -> Digit:
    """Read all strokes as one digit; for the arguments see `find_digits`."""
    pixels = prepare_strokes(ink, strokes)
    probabilities, likeness = classify(pixels[None])
    return Digit(0, bounding_box(strokes), pixels, probabilities[0], float(likeness[0]))


def bounding_box(strokes: np.ndarray) -> Box:
    """The bounding box of all strokes, at least one pixel."""
    rows, columns = np.flatnonzero(strokes.any(axis=1)), np.flatnonzero(strokes.any(axis=0))
    return int(columns[0]), int(rows[0]), int(columns[-1]) + 1, int(rows[-1]) + 1


class _Search:
    """The search in one picture, which classifies nothing twice."""

    def __init__(
        self, ink: np.ndarray, strokes: np.ndarray, classify: Classifier, read_pairs: PairReader
    ):
        self.ink, self.classify, self.read_pairs = ink, classify, read_pairs
        self.labels, components = ndimage.label(strokes, structure=TOUCHING)
        if components > MOST_COMPONENTS:
            raise PictureError(
                f"no digit found: {components} specks of ink are a texture, not writing."
            )
        self.seen: dict[frozenset[int], Digit] = {}
        self.numbers = count(components + 1)  # for pieces of components

    def components(self) -> list[Component]:
        """The connected components of the strokes."""
        boxes = enumerate(ndimage.find_objects(self.labels), start=1)
        return [
            Component((number,), rows.start, columns.start, rows.stop, columns.stop)
            for number, (rows, columns) in boxes
        ]

    def classified(self, components: Sequence[Component]) -> list[Digit]:
        """Prepare and classify components, all new ones in one batch."""
        new = {
            key: component
            for component in components
            if (key := frozenset(component.numbers)) not in self.seen
        }
        if new:
            prepared = np.stack([self.prepared(component) for component in new.values()])
            for (key, component), pixels, probabilities, likeness in zip(
                new.items(), prepared, *self.classify(prepared), strict=True
            ):
                box = (component.left, component.top, component.right, component.bottom)
                self.seen[key] = Digit(0, box, pixels, probabilities, float(likeness))
        return [self.seen[frozenset(component.numbers)] for component in components]

    def alone(self, component: Component) -> tuple[np.ndarray, np.ndarray]:
        """The ink around a component, and which of its pixels are the component's own."""
        window = np.s_[
            max(component.top - SOFT_EDGE, 0) : component.bottom + SOFT_EDGE,
            max(component.left - SOFT_EDGE, 0) : component.right + SOFT_EDGE,
        ]
        return self.ink[window], np.isin(self.labels[window], component.numbers)

    def prepared(self, component: Component) -> np.ndarray:
        """The component alone, prepared the way MNIST was: (28, 28) uint8."""
        return prepare_strokes(*self.alone(component))

    def log_probability(self, *components: Component) -> float:
        """Logarithm of the probability that all of these are read right, if they are digits."""
        found = self.classified(components)
        return sum(float(np.log(digit.probabilities.max())) for digit in found)

    def stacked(self, components: list[Component]) -> list[Component]:
        """Merge parts above each other, such as the bar of a 5 with its bowl."""
        apart: set[tuple[Component, Component]] = set()
        while pair := next(_stacked_pairs(components, apart), None):
            upper, lower = pair
            together = upper.merged_with(lower)
            is_low = min(upper.height, lower.height) < LOW_PART * together.height
            if is_low or self.log_probability(together) >= self.log_probability(upper, lower):
                components = [part for part in components if part not in pair] + [together]
            else:
                apart.add(pair)
        return components

    def best_split(self, row: list[Component]) -> list[Digit]:
        """Divide a row, from left to right, into the most probable sequence of digits."""
        candidates = {(start, stop): component for start, stop, component in _candidates(row)}
        self.classified(list(candidates.values()))
        scores = {ends: self.log_probability(part) for ends, part in candidates.items()}
        _, best = best_sequence(scores, np.zeros(len(row) + 1))
        return self.classified([part for ends in best for part in self.apart(candidates[ends])])

    def apart(self, component: Component) -> list[Component]:
        """Cut digits that touch apart, from left to right; the component itself if it is one."""
        (whole,) = self.classified([component])
        sure_of_one = whole.confidence
        if not could_be_two(sure_of_one, component.height, component.width):
            return [component]
        probabilities, sure_of_two = self.read_pairs(prepare_pair(*self.alone(component))[None])
        are_two = sure_of_two[0] >= SURE_OF_TWO
        are_three = could_be_three(component.height, component.width)
        if not are_two and not are_three:
            return [component]
        parts, crossed = self.pieces(component)
        found = _readable(parts, crossed) if are_three else []
        if are_two and len(found) < 3:
            found = self.as_read(parts, crossed, probabilities[0], float(sure_of_two[0]))
        return found or [component]

    def as_read(
        self, parts: Parts, crossed: np.ndarray, probabilities: np.ndarray, sure_of_two: float
    ) -> list[Component]:
        """Choose the two pieces that read as the two digits of a pair; none if no cut makes two."""
        last = len(crossed) - 1
        left, right = probabilities
        agreements = {
            place: agreement(parts[0, place][2].probabilities, left)
            + agreement(parts[place, last][2].probabilities, right)
            - float(crossed[place])
            for place in range(1, last)
            if (0, place) in parts and (place, last) in parts
        }
        if not agreements:
            return []
        place = max(agreements, key=lambda place: agreements[place])
        two = []
        for ends, its_probabilities in (((0, place), left), ((place, last), right)):
            _, part, found = parts[ends]
            self.seen[frozenset(part.numbers)] = replace(
                found, probabilities=its_probabilities, likeness=sure_of_two
            )
            two.append(part)
        return two

    def pieces(self, component: Component) -> tuple[Parts, np.ndarray]:
        """Cut a component at many places, and read all pieces, by the places at their ends.

        The second result is the ink that is crossed at each place, as from `ink_crossed`.
        """
        box = np.s_[component.top : component.bottom, component.left : component.right]
        strokes = np.isin(self.labels[box], component.numbers)
        places = cut_up(strokes)
        pieces = list(pieces_between(strokes, places))
        parts = self.classified_pieces(component, [piece.strokes for piece in pieces])
        by_ends = {
            (piece.start, piece.stop): (piece, part, found)
            for piece, part, found in zip(pieces, parts, self.classified(parts), strict=True)
        }
        return by_ends, ink_crossed(strokes, places)

    def classified_pieces(
        self, component: Component, pieces: Sequence[np.ndarray]
    ) -> list[Component]:
        """Prepare and classify pieces of a component, each a mask in its box, as new components."""
        margin = ((SOFT_EDGE, SOFT_EDGE), (SOFT_EDGE, SOFT_EDGE))
        around = np.pad(self.ink, SOFT_EDGE)[
            component.top : component.bottom + 2 * SOFT_EDGE,
            component.left : component.right + 2 * SOFT_EDGE,
        ]
        if not pieces:
            return []
        prepared = np.stack([prepare_strokes(around, np.pad(piece, margin)) for piece in pieces])
        parts = []
        for piece, pixels, probabilities, likeness in zip(
            pieces, prepared, *self.classify(prepared), strict=True
        ):
            left, top, right, bottom = bounding_box(piece)
            down, across, number = component.top, component.left, next(self.numbers)
            part = Component((number,), top + down, left + across, bottom + down, right + across)
            box = (part.left, part.top, part.right, part.bottom)
            digit = Digit(0, box, pixels, probabilities, float(likeness))
            self.seen[frozenset(part.numbers)] = digit
            parts.append(part)
        return parts


def _readable(parts: Parts, crossed: np.ndarray) -> list[Component]:
    """Choose pieces from end to end that all can be read; none if there are no such pieces."""
    scores = {
        ends: score(piece, found.probability, found.likeness)
        for ends, (piece, _, found) in parts.items()
        if is_readable(found.probability, found.likeness)
    }
    _, best = best_sequence(scores, crossed)
    return [parts[ends][1] for ends in best]


def _stacked_pairs(
    components: list[Component], apart: set[tuple[Component, Component]]
) -> Iterator[tuple[Component, Component]]:
    """Yield pairs of components above each other and close, the closest first."""
    tops, lefts, bottoms, rights = np.array(
        [(part.top, part.left, part.bottom, part.right) for part in components]
    ).T
    gaps = tops[None, :] - bottoms[:, None]
    shared = np.minimum(rights[None, :], rights[:, None]) - np.maximum(
        lefts[None, :], lefts[:, None]
    )
    widths = rights - lefts
    is_above = (tops[:, None] < tops[None, :]) | (
        (tops[:, None] == tops[None, :]) & np.triu(np.ones_like(gaps, bool), k=1)
    )
    is_near = gaps < TALLEST_GAP * typical_height(components)
    overlaps = shared >= LEAST_SHARED_WIDTH * np.minimum(widths[None, :], widths[:, None])
    pairs = np.argwhere(is_above & is_near & overlaps)
    for upper, lower in sorted(pairs.tolist(), key=lambda pair: gaps[tuple(pair)]):
        pair = (components[upper], components[lower])
        if pair not in apart:
            yield pair


def typical_height(components: Sequence[Component]) -> float:
    """The height of a digit: half of the components, weighted by their heights, are taller.

    Hence neither many small parts nor one tall component, such as two digits of different
    rows that touch, decides.
    """
    return middle_of_the_whole([part.height for part in components])


def into_rows(components: Sequence[Component]) -> list[list[Component]]:
    """Sort components into rows from top to bottom, each from left to right.

    Rows may slope. Along their common slope, a digit joins the row whose last digit so far is
    most nearly level with it, so a row may also bend. A component too low for a digit joins the
    nearest row as a part, or is left out if it lies too far from any.
    """
    height = typical_height(components)
    by_left = sorted(components, key=lambda part: part.left)
    digits = [part for part in by_left if part.height >= LEAST_HEIGHT * height]
    slope = slope_of_rows(digits, height)

    def level(part: Component) -> float:
        return part.middle - slope * part.centre

    rows: list[list[Component]] = []
    for digit in digits:
        nearest = min(rows, key=lambda row: abs(level(row[-1]) - level(digit)), default=None)
        if nearest and abs(level(nearest[-1]) - level(digit)) < SAME_ROW * height:
            nearest.append(digit)
        else:
            rows.append([digit])
    for part in (part for part in by_left if part.height < LEAST_HEIGHT * height):
        distance, row = min(
            ((_distance(part, digit), row) for row in rows for digit in row),
            key=lambda candidate: candidate[0],
        )
        if distance < FARTHEST_PART * height:
            row.append(part)
    rows.sort(key=lambda row: np.mean([level(part) for part in row]))
    return [sorted(row, key=lambda part: part.left) for row in rows]


def slope_of_rows(digits: Sequence[Component], height: float) -> float:
    """The slope along which most digits lie level with each other.

    A projection profile as in Postl, "Detection of linear oblique structures and skew scan in
    digitized documents", 1986, of the digits' middles instead of pixels: for each slope, the
    pairs count that it brings to one level, with a bell as wide as digits jump in a row.

    Args:
        digits: At least one.
        height: Of a typical digit, in pixels.

    Returns:
        Pixels down for each pixel to the right, 0 if nothing speaks for another slope.
    """
    middles, centres = np.array([(digit.middle, digit.centre) for digit in digits]).T
    first, second = np.triu_indices(len(digits), k=1)
    down, across = middles[second] - middles[first], centres[second] - centres[first]
    jumps = (down[None, :] - SLOPES[:, None] * across[None, :]) / (JUMP * height)
    level_pairs = np.exp(-(jumps**2) / 2).sum(axis=1) - SLOPE_COST * np.abs(SLOPES)
    return float(SLOPES[level_pairs.argmax()])


def _distance(component: Component, other: Component) -> int:
    """Gap between two bounding boxes, across or down, whichever is larger."""
    across = max(component.left, other.left) - min(component.right, other.right)
    down = max(component.top, other.top) - min(component.bottom, other.bottom)
    return max(across, down, 0)


def _candidates(row: list[Component]) -> Iterator[tuple[int, int, Component]]:
    """Yield (start, stop, component) for each run row[start:stop] that could be one digit."""
    height = max(part.height for part in row)
    for start, component in enumerate(row):
        yield start, start + 1, component
        merged = component
        for stop in range(start + 2, min(start + MOST_PARTS, len(row)) + 1):
            part = row[stop - 1]
            gap, merged = part.left - merged.right, merged.merged_with(part)
            if gap > WIDEST_GAP * height or merged.width > WIDEST_DIGIT * height:
                break
            yield start, stop, merged
