"""Takes the lines of ruled or squared paper out of the ink, and leaves the writing on them.

Thin lines from one side of the picture to the other, at least two of them side by side, are
paper: writing leaves gaps. The Hough transform finds them (Duda and Hart, "Use of the Hough
transformation to detect lines and curves in pictures", 1972). Then each is followed on its own,
since paper is bent and seen at an angle. What lies under a line is filled in from both of its
sides, along the directions in which they agree, so that strokes cross the gap and paper does, too.
"""

from dataclasses import dataclass

import numpy as np
from scipy import ndimage
from skimage.transform import hough_line, hough_line_peaks

# Smaller pictures hold a digit or two, and no lines that are worth a search.
LEAST_SIDE = 80
FEWEST = 2  # parallel lines
STEEPEST = 0.1  # radians by which they may be turned against the picture
# Share of the columns in which a line must be seen, and share in which a straight one near it
# must have its upper edge: less, for writing hides the edge, and the line may be bent.
LEAST_COVERAGE, LEAST_EDGE = 0.8, 0.35
MOST_EDGES = 0.12  # share of the pixels; a texture has more
# Shares of the picture's longer side.
BENT = 0.01  # distance of a line from the straight one near it
THICKEST = 0.02
ROUNDS, DEGREE = 5, 3  # in which a polynomial is fitted to a line
# Where a line has this share of its strongest ink, what is under it cannot be seen.
LEAST_HIDDEN = 0.15
DIRECTIONS = 12  # in which to look from a hidden pixel
FARTHEST = 12  # pixels
AGREEMENT = 0.3  # difference in ink of two ends of one stroke
NOWHERE = 1e6  # the distance of what is not in sight


@dataclass(frozen=True)
class Line:
    """A line that runs from left to right.

    Attributes:
        middles: (width,) float, its middle in each column, in pixels from the top; it may leave
            the picture.
        profile: (2 n + 1,) float, its ink from n pixels above its middle to n below.
    """

    middles: np.ndarray
    profile: np.ndarray

    @property
    def thickness(self) -> float:
        """Its ink across, divided by its strongest, in pixels."""
        return float(self.profile.clip(0).sum() / max(self.profile.max(), 1e-6))

    def covered(self, height: int) -> np.ndarray:
        """Where it hides what is under it: (height, width) bool."""
        covered = np.zeros((height, len(self.middles)), bool)
        around = _around(len(self.profile) // 2)
        rows = np.round(self.middles).astype(int) + around[:, None]
        columns = np.broadcast_to(np.arange(len(self.middles)), rows.shape)
        ink = np.interp(rows - self.middles, around, self.profile, left=0, right=0)
        hides = (ink > LEAST_HIDDEN * self.profile.max()) & (rows >= 0) & (rows < height)
        covered[rows[hides], columns[hides]] = True
        return covered


def _around(reach: int) -> np.ndarray:
    return np.arange(-reach, reach + 1)


def without_lines(ink: np.ndarray, level: float) -> np.ndarray:
    """Take the lines of the paper out of the ink.

    Args:
        ink: (height, width) float, about 0 on paper.
        level: The ink from which on a pixel may belong to a line.

    Returns:
        The same shape and dtype; `ink` itself if there are no lines.
    """
    if min(ink.shape) < LEAST_SIDE:
        return ink
    across, down = find_lines(ink, level), find_lines(ink.T, level)
    if max(len(across), len(down)) < FEWEST:
        return ink
    height, width = ink.shape
    covered = [line.covered(height) for line in across]
    covered += [line.covered(width).T for line in down]
    return fill(ink, np.logical_or.reduce(covered))


def find_lines(ink: np.ndarray, level: float) -> list[Line]:
    """Find the lines that run from left to right, unless they are hardly any.

    Args:
        ink: (height, width) float, about 0 on paper.
        level: The ink from which on a pixel may belong to a line.
    """
    marked = ink > level
    edges = marked[1:] & ~marked[:-1]
    crossed = (edges.sum(axis=0) >= FEWEST).mean()
    if crossed < LEAST_COVERAGE or edges.mean() > MOST_EDGES:
        return []
    reach = max(2, round(BENT * max(ink.shape)))
    followed = (_followed(ink, middles, level, reach) for middles in _straight(edges, reach))
    thickest = max(3.0, THICKEST * max(ink.shape))
    return [
        line
        for line in followed
        if _is_seen(_near(ink, line.middles, 1), level).mean() > LEAST_COVERAGE
        and line.thickness < thickest
    ]


def _straight(edges: np.ndarray, reach: int) -> list[np.ndarray]:
    """Straight lines near which many edges lie: the row of each in each column."""
    columns = np.arange(edges.shape[1])
    # From one angle to the next, the ends of a line move by a pixel.
    steps = round(STEEPEST * len(columns) / 2)
    angles = np.pi / 2 + np.linspace(-STEEPEST, STEEPEST, 2 * steps + 1)
    votes, angles, distances = hough_line(edges, angles)
    votes = ndimage.convolve1d(votes.astype(float), np.ones(reach + 1), axis=0)
    _, *peaks = hough_line_peaks(
        votes, angles, distances, reach + 3, steps, threshold=LEAST_EDGE * len(columns)
    )
    return [
        (distance - columns * np.cos(angle)) / np.sin(angle)
        for angle, distance in zip(*peaks, strict=True)
    ]


def _followed(ink: np.ndarray, middles: np.ndarray, level: float, reach: int) -> Line:
    """Follow a line that is nowhere far from a straight one, and measure its ink."""
    columns, around = np.arange(ink.shape[1]), _around(reach)
    for _ in range(ROUNDS):
        near = _near(ink, middles, reach)
        near[near < level] = 0
        masses = near.sum(axis=0)
        usual = np.median(masses[masses > 0]) if masses.any() else 0
        alone = np.abs(masses - usual) < usual / 2  # no writing on it
        if np.count_nonzero(alone) <= DEGREE:
            break
        aside = around @ near[:, alone] / masses[alone]
        middles = middles + np.polynomial.Polynomial.fit(columns[alone], aside, DEGREE)(columns)
    near = _near(ink, middles, reach)
    seen = _is_seen(near[reach - 1 : reach + 2], level)
    return Line(middles, np.median(near[:, seen], axis=1) if seen.any() else near.max(axis=1))


def _near(ink: np.ndarray, middles: np.ndarray, reach: int) -> np.ndarray:
    """The ink around a line, between pixels where need be: (2 reach + 1, width) float."""
    rows = middles + _around(reach)[:, None]
    columns = np.broadcast_to(np.arange(ink.shape[1]), rows.shape)
    return ndimage.map_coordinates(ink, [rows, columns], order=1, mode="constant")


def _is_seen(near: np.ndarray, level: float) -> np.ndarray:
    return near.max(axis=0) > level


def fill(ink: np.ndarray, hidden: np.ndarray) -> np.ndarray:
    """Fill in hidden pixels between the nearest visible ones on both sides.

    Of all directions through a pixel, those count most in which both sides have the same ink
    and are near: along a stroke that crosses the gap, and along the paper beside it.

    Args:
        ink: (height, width) float.
        hidden: (height, width) bool, True on the pixels to fill in.

    Returns:
        The same shape and dtype; 0 where nothing visible is within `FARTHEST` pixels.
    """
    places = np.nonzero(hidden)
    total, weights = np.zeros((2, len(places[0])))
    for angle in np.pi * np.arange(DIRECTIONS) / DIRECTIONS:
        step = np.array([np.sin(angle), np.cos(angle)])
        ahead, to_ahead = _nearest_visible(ink, hidden, places, step)
        behind, to_behind = _nearest_visible(ink, hidden, places, -step)
        length = to_ahead + to_behind
        weight = (np.exp(-(((ahead - behind) / AGREEMENT) ** 2)) + 1e-4) / length**2
        total += weight * (ahead * to_behind + behind * to_ahead) / length
        weights += weight
    filled = ink.copy()
    filled[places] = total / weights
    return filled


def _nearest_visible(
    ink: np.ndarray, hidden: np.ndarray, places: tuple[np.ndarray, ...], step: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """The ink of the nearest visible pixel from each place in one direction, and its distance."""
    values, distances = np.zeros(len(places[0])), np.full(len(places[0]), NOWHERE)
    waiting = np.arange(len(places[0]))
    for distance in range(1, FARTHEST + 1):
        there = tuple(
            np.clip(side[waiting] + by, 0, most - 1)
            for side, by, most in zip(
                places, np.round(distance * step).astype(int), ink.shape, strict=True
            )
        )
        seen = ~hidden[there]
        found = waiting[seen]
        values[found], distances[found] = ink[there][seen], distance
        waiting = waiting[~seen]
    return values, distances
