"""Where digits that touch could be cut apart, and whether they should be.

A network that reads two digits at once says whether there are two, and which (see
`helpers.learning.pairs`). They could be cut along seams: paths from top to bottom through as little
ink as possible, one in each narrow band. Dynamic programming finds them, as in Avidan and Shamir,
"Seam carving for content-aware image resizing", 2007. The cut is made where both sides, each read
alone, give the digits that were read in the pair.

What is wide enough for three is first cut by reading alone: the best sequence of pieces that all
are like a digit, as in LeCun et al., "Gradient-based learning applied to document recognition",
1998.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from helpers.reading.ink import TOUCHING

import numpy as np
from PIL import Image
from scipy import ndimage

# All lengths are shares of the component's height.
SPACING = 0.05  # from band to band
REACH = 0.1  # by which a seam may leave the middle of its band
LEAST_PIECE = 0.12  # width beside the first and the last band
NARROWEST = 0.5  # width of two digits
WIDEST = 1.2  # width of one
THREE = 1.7  # least width at which there may be one between two others
MOST = 3.5  # anything wider is no digits, but a line or a drawing
LOW = 0.75  # height of a piece
# A seam costs the ink that it crosses, and this much for each step to the side, so that it turns
# around a stroke but does not follow each of its pixels.
TURN = 0.08
ROWS = 40  # enough to see where strokes lie; seams in more would only take longer
FORBIDDEN = 1e6
# A piece of a cut digit below this share of its area is a scrap of its neighbour.
SCRAP = 0.1

# From the first on, a component is certainly one digit, and nobody asks whether there are two;
# from the second on, there certainly are two. Chosen with networks that had not seen the digits:
# of 10,000 that stood alone, three were cut, or thirteen in pictures as small as MNIST's.
SURE_OF_ONE, SURE_OF_TWO = 0.8, 0.85
# Where there may be three digits or more: the least probability and likeness of a piece. It
# scores the logarithm of its probability and half of that of its likeness, less `OF_LOW` times
# the share of the height that it lacks.
LEAST_PROBABILITY, LEAST_LIKENESS = 0.8, 0.7
OF_LOW = 2.5
# A probability below this is as good as none.
LEAST_AGREEMENT = 1e-3


@dataclass(frozen=True)
class Piece:
    """What lies between two of the places where a component could be cut.

    Attributes:
        start: The place at its left; 0 is the left end of the component.
        stop: The place at its right.
        strokes: (height, width) bool, its pixels in the component's bounding box.
    """

    start: int
    stop: int
    strokes: np.ndarray

    @property
    def box(self) -> tuple[int, int, int, int]:
        """Top, left, bottom, right in pixels of the component's box."""
        rows = np.flatnonzero(self.strokes.any(axis=1))
        columns = np.flatnonzero(self.strokes.any(axis=0))
        return int(rows[0]), int(columns[0]), int(rows[-1]) + 1, int(columns[-1]) + 1


def could_be_two(sure_of_one: float, height: int, width: int) -> bool:
    """Whether a component could be two digits or more: if not, asking further takes time only.

    Args:
        sure_of_one: How sure it is that the whole is one digit, 0 to 1.
        height: Of the whole in pixels.
        width: Likewise.
    """
    is_one = sure_of_one > SURE_OF_ONE and not could_be_three(height, width)
    return NARROWEST * height < width < MOST * height and not is_one


def could_be_three(height: int, width: int) -> bool:
    """Whether a component is wide enough for three digits."""
    return width >= THREE * height


def is_readable(probability: float, likeness: float) -> bool:
    """Whether a piece is read with certainty and like a digit: a letter has no such halves."""
    return probability >= LEAST_PROBABILITY and likeness >= LEAST_LIKENESS


def score(piece: Piece, probability: float, likeness: float) -> float:
    """How likely a piece is a digit: at most 0.

    Args:
        piece: Of a component.
        probability: Of what is read in it.
        likeness: How much the piece is like a digit, above 0 to 1.
    """
    top, _, bottom, _ = piece.box
    lack = max(0.0, LOW - (bottom - top) / len(piece.strokes))
    return float(np.log(probability) + np.log(likeness) / 2) - OF_LOW * lack


def agreement(probabilities: np.ndarray, expected: np.ndarray) -> float:
    """How well a piece agrees with what was read in the pair, in logarithms: at most 0.

    Args:
        probabilities: Of the piece alone, (10,).
        expected: Of one digit of the pair, (10,).
    """
    return float(np.log(probabilities[expected.argmax()] + LEAST_AGREEMENT))


def best_sequence(
    scores: dict[tuple[int, int], float], crossed: np.ndarray
) -> tuple[float, list[tuple[int, int]]]:
    """Find the sequence of pieces from end to end with the best sum of scores, less its cuts.

    Args:
        scores: Of the pieces, by the places at their left and right.
        crossed: (places,) float, the ink that is crossed at each place, 0 at both ends.

    Returns:
        The sum, and the pieces from left to right; minus infinity and none if no sequence
        reaches the right end.
    """
    best: dict[int, tuple[float, list[tuple[int, int]]]] = {0: (0.0, [])}
    for start, stop in sorted(scores, key=lambda ends: (ends[1], ends[0])):
        if start in best:
            before, pieces = best[start]
            reached = before + scores[start, stop] - float(crossed[start])
            if reached > best.get(stop, (-np.inf, []))[0]:
                best[stop] = (reached, [*pieces, (start, stop)])
    return best.get(len(crossed) - 1, (-np.inf, []))


def pieces_between(strokes: np.ndarray, numbers: np.ndarray) -> Iterator[Piece]:
    """Cut a component at all of its places, and yield what could be a digit.

    Args:
        strokes: (height, width) bool, the component in its bounding box.
        numbers: From `cut_up`.
    """
    height, width = strokes.shape
    last = int(numbers.max()) + 1
    for start in range(last):
        for stop in range(start + 1, last + 1):
            is_inside = start > 0 and stop < last
            if (start, stop) == (0, last) or (is_inside and width < THREE * height):
                continue
            part = _without_scraps(strokes & (numbers >= start) & (numbers < stop))
            if part.any():
                piece = Piece(start, stop, part)
                _, left, _, right = piece.box
                if right - left <= WIDEST * height:
                    yield piece


def _without_scraps(strokes: np.ndarray) -> np.ndarray:
    labels, count = ndimage.label(strokes, structure=TOUCHING)
    areas = np.bincount(labels[strokes], minlength=count + 1)
    return (areas >= max(SCRAP * areas.max(), 1))[labels]


def ink_crossed(strokes: np.ndarray, numbers: np.ndarray) -> np.ndarray:
    """The share of the height in which each place runs through ink.

    Args:
        strokes: (height, width) bool, the component in its bounding box.
        numbers: From `cut_up`.

    Returns:
        (places,) float, 0 to 1, the two ends among them.
    """
    both = strokes[:, :-1] & strokes[:, 1:]
    before, after = numbers[:, :-1][both], numbers[:, 1:][both]
    places = np.arange(int(numbers.max()) + 2)[:, None]
    return ((before < places) & (places <= after)).sum(axis=1) / len(strokes)


def cut_up(strokes: np.ndarray) -> np.ndarray:
    """Number the pixels of a component by the seams to the left of them.

    Args:
        strokes: (height, width) bool, the component in its bounding box.

    Returns:
        (height, width) int, from 0; neighbours in a row may differ by more than 1, for seams
        may meet.
    """
    height, width = strokes.shape
    columns = max(3, round(width * ROWS / height))
    coarse = Image.fromarray(strokes.astype(np.float32)).resize(
        (columns, ROWS), Image.Resampling.BOX
    )
    seams = find_seams(np.asarray(coarse))
    rows = np.arange(height) * ROWS // height
    edges = (seams[:, rows] + 0.5) * width / columns
    return (np.arange(width) + 0.5 > edges[:, :, None]).sum(axis=0)


def find_seams(ink: np.ndarray) -> np.ndarray:
    """Find the cheapest seam of each band.

    Args:
        ink: (height, width) float, 0 paper to 1 ink.

    Returns:
        (n, height) int, the column of each seam in each row, from left to right without
        crossing; n is 0 for a component too narrow to be two digits.
    """
    height, width = ink.shape
    first, last = LEAST_PIECE * height, width - 1 - LEAST_PIECE * height
    # Wide components have pieces between any two places, so many that fewer places must do.
    spacing = SPACING * height * (1 if width < THREE * height else 2.5)
    middles = np.linspace(first, last, max(0, int((last - first) / spacing) + 1))
    if not len(middles):
        return np.zeros((0, height), int)
    aside = np.abs(np.arange(width) - middles[:, None])
    # Where nothing is crossed, a seam runs straight down the middle.
    cost = np.where(aside <= REACH * height, 0.002 * aside / height, FORBIDDEN)
    total = cost + ink[0]
    steps = np.zeros((height, *total.shape), int)
    for row in range(1, height):
        wide = np.pad(total, ((0, 0), (1, 1)), constant_values=FORBIDDEN)
        ways = np.stack([wide[:, :-2] + TURN, wide[:, 1:-1], wide[:, 2:] + TURN])
        steps[row] = ways.argmin(axis=0) - 1
        total = ways.min(axis=0) + cost + ink[row]
    seams = np.zeros((len(middles), height), int)
    seams[:, -1] = total.argmin(axis=1)
    for row in range(height - 1, 0, -1):
        here = seams[:, row]
        seams[:, row - 1] = here + steps[row][np.arange(len(here)), here]
    return np.maximum.accumulate(seams, axis=0)
