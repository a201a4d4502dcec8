"""Draws what is no digit, and digits with other pens, so that a head can learn to tell them apart.

All of it comes from what everybody has: signs of the fonts that Matplotlib brings, random lines,
and MNIST's training digits, halved, joined, turned or mirrored where that makes no digit. Most of
it is redrawn along its middle with a pen of random width. All of it is prepared like the ink of
a picture. `helpers.learning.likeness` learns from it; `benchmarks.refusing` judges by other
pictures.

The steps map "ink", (112, 112) float from 0 paper to 1 ink, to ink.
"""

import unicodedata
from collections.abc import Callable
from functools import cache
from pathlib import Path

from helpers.layout import BOX, SIZE, crop_to_ink
from helpers.learning.handwriting import ONE, redraw
from helpers.reading.preparation import prepare_strokes

import matplotlib
import numpy as np
from matplotlib.ft2font import FT2Font
from PIL import Image, ImageDraw, ImageFont
from scipy import ndimage
from scipy.interpolate import make_interp_spline
from skimage.morphology import skeletonize

ENLARGED = 4
SIDE = ENLARGED * SIZE  # pixels
LEAST_INK = 40  # pixels; less is nothing that anybody would read
PENS = (4, 16)  # pixels of width
REDRAWN = 0.75  # share that a pen draws; the rest keeps the strokes of its font or of MNIST
FLAGGED = 0.5  # share of the ones that get a flag
BLURRED, BLUR = 0.3, (0.5, 4)  # share of all, and by how many pixels

FONT_FOLDER = Path(matplotlib.get_data_path()) / "fonts" / "ttf"
FONTS = (
    "DejaVuSans.ttf", "DejaVuSans-Oblique.ttf", "DejaVuSerif.ttf", "DejaVuSerif-Italic.ttf",
    "STIXGeneral.ttf", "STIXGeneralItalic.ttf",
)  # fmt: skip
FONT_SIZES = (50, 80)  # pixels
# By the first word of their Unicode names. One script is drawn as often as another, however many
# signs it has. What is no letter counts as one script.
SCRIPTS = (
    "LATIN", "GREEK", "CYRILLIC", "ARMENIAN", "GEORGIAN", "ARABIC", "HEBREW", "TIFINAGH", "LAO",
    "NKO", "COPTIC",
)  # fmt: skip
LETTERS, SYMBOLS = ("Lu", "Ll", "Lo"), ("Sm", "Sc")  # categories of Unicode

# Alone, handwritten, and with any accent these may be a digit, so they are left out: nobody could
# say which answer is right. By the digit that most people would read.
LOOK_ALIKES = {
    0: "OoQDØøƟΟοθΘϴОоӨөѲѳՕօסםⵔⵕⵁⵙهةߋ∅⊘⊖ᴏ",
    1: "IilıjJ|¦ƖǀɩΙιІіЈјӀӏӏוזןا⁄∕∖∣⎜⎟⎢⎥⎪∫⌠⌡ⵏⵊߊך",
    2: "ZzƵƶƧƨƻΖζշʓ∂ຂ",
    3: "ƷʒƐɛεϵЗзӠӡЭэɜȜȝՅვჳ∋",
    4: "YyΥγУуЧчӋӌЦцվՎկԿɥ",
    5: "SsЅѕƼƽՏƾ$ֆ§",
    6: "bGCcBЬьБбҌҍЪъƄƅϬϭδσճծნხხծʚᲫẟ",
    7: "TtГгΓר7דΤТт7¬⌐⁊ՐղԴ",
    8: "BΒВвβßȢȣ∞&ϑზჵ∝ϐ",
    9: "gqaɡɋρpPΡРрαϙϥցգքወوففقمეƍל",
}
# Parts of digits that are none themselves: (digit, part).
HALVES = (
    (0, "top"), (0, "bottom"), (2, "left"), (2, "bottom"), (3, "left"), (4, "top"), (5, "left"),
    (5, "top"), (5, "right"), (6, "top"), (7, "left"), (8, "left"),
)  # fmt: skip
HALF: dict[str, tuple[slice, slice]] = {
    "top": (slice(SIDE // 2), slice(None)),
    "bottom": (slice(SIDE // 2, None), slice(None)),
    "left": (slice(None), slice(SIDE // 2)),
    "right": (slice(None), slice(SIDE // 2, None)),
}
# By quarter turns, the digits that are none then; likewise mirrored.
TURNED = {1: (2, 3, 4, 5, 6, 7, 9), 2: (3, 4, 7), 3: (2, 3, 4, 5, 6, 7, 9)}
MIRRORED = (3, 4, 6, 7, 9)


@cache
def signs() -> dict[str, list[tuple[str, str]]]:
    """List the signs to draw: by script, pairs of a font and a sign."""
    left_out = set("".join(LOOK_ALIKES.values()))
    found: dict[str, list[tuple[str, str]]] = {}
    for font in FONTS:
        for sign in map(chr, FT2Font(FONT_FOLDER / font).get_charmap()):
            script = _script(sign)
            if script and left_out.isdisjoint((sign, _bare(sign))):
                found.setdefault(script, []).append((font, sign))
    return found


def _script(sign: str) -> str | None:
    kind, name = unicodedata.category(sign), unicodedata.name(sign, "?").split()[0]
    if kind in LETTERS and name in SCRIPTS:
        return name
    return "symbols" if kind in SYMBOLS else None


def _bare(sign: str) -> str:
    """A sign without accents, hooks, bars and the like."""
    bare = unicodedata.normalize("NFKD", sign)[0]
    try:
        return unicodedata.lookup(unicodedata.name(bare).split(" WITH ")[0])
    except KeyError:  # There is none.
        return bare


class Draughtsman:
    """Draws one picture after the other, at random.

    Attributes:
        kinds: Ways to draw what is no digit, with the share of each.
    """

    def __init__(self, images: np.ndarray, labels: np.ndarray, seed: int):
        """Take digits to work with.

        Args:
            images: (n, 28, 28) uint8, 0 background to 255 ink, some of each digit.
            labels: (n,) integers.
            seed: Decides what is drawn.
        """
        self.rng = np.random.default_rng(seed)
        self.images = images
        self.of_digit = [np.flatnonzero(labels == digit) for digit in range(10)]
        self.kinds: dict[Callable[[], np.ndarray], float] = {
            self.sign: 0.58,
            self.two_signs: 0.05,
            self.sign_in_a_frame: 0.05,
            self.line: 0.07,
            self.strokes: 0.09,
            self.half: 0.05,
            self.two_digits: 0.04,
            self.turned: 0.07,
        }

    def outlier(self) -> np.ndarray:
        """Draw what is no digit, prepared: (28, 28) uint8."""
        kinds = list(self.kinds)
        while True:
            kind = kinds[self.rng.choice(len(kinds), p=list(self.kinds.values()))]
            ink = self.by_a_hand(kind())
            if np.count_nonzero(ink > 0.5) >= LEAST_INK:
                return prepare_strokes(ink, ink > 0.5)

    def digit(self, image: np.ndarray, label: int) -> np.ndarray:
        """Draw a digit of MNIST once more, half of the ones with a flag: (28, 28) uint8."""
        if label == ONE and self.rng.random() < FLAGGED:
            image = redraw(image, flagged=True, rng=self.rng)
        ink = self.by_a_hand(enlarged(image), strength=0.6)
        if np.count_nonzero(ink > 0.5) < LEAST_INK:
            return image
        return prepare_strokes(ink, ink > 0.5)

    def by_a_hand(self, ink: np.ndarray, strength: float = 1.0) -> np.ndarray:
        """Warp ink, mostly redraw it with a pen, and sometimes blur it."""
        ink = fitted(warped(ink, strength, self.rng))
        if self.rng.random() < REDRAWN:
            ink = drawn(skeletonize(ink > 0.5), self.rng)
        if self.rng.random() < BLURRED:
            ink = ndimage.gaussian_filter(ink, self.rng.uniform(*BLUR))
            ink = ink / max(ink.max(), 1e-6)
        return ink

    def sign(self) -> np.ndarray:
        """Print a sign of a font."""
        by_script = signs()
        script = by_script[str(self.rng.choice(list(by_script)))]
        font, sign = script[self.rng.integers(len(script))]
        return printed(font, sign, int(self.rng.integers(*FONT_SIZES)))

    def two_signs(self) -> np.ndarray:
        """Print two signs side by side."""
        return _beside(self.sign(), self.sign(), int(self.rng.integers(24, 44)))

    def sign_in_a_frame(self) -> np.ndarray:
        """Draw a ring or a box around a small sign."""
        picture = Image.fromarray(self.sign()).resize((SIDE // 2, SIDE // 2))
        frame = Image.new("F", (SIDE, SIDE))
        frame.paste(picture, (SIDE // 4, SIDE // 4))
        left, top = self.rng.integers(8, 28, 2)
        pen, box = ImageDraw.Draw(frame), (left, top, SIDE - left, SIDE - top)
        outline = pen.ellipse if self.rng.random() < 0.5 else pen.rectangle
        outline(box, outline=1, width=4)
        return np.asarray(frame)

    def line(self) -> np.ndarray:
        """Scribble: one smooth line through six to thirteen places."""
        return self._spline(int(self.rng.integers(6, 14)))

    def strokes(self) -> np.ndarray:
        """Draw three to six strokes, straight or bent, from anywhere to anywhere."""
        parts = [self._spline(int(self.rng.integers(2, 4))) for _ in range(self.rng.integers(3, 7))]
        return np.max(parts, axis=0)

    def half(self) -> np.ndarray:
        """Cut a digit into halves and take one that is none."""
        digit, part = HALVES[self.rng.integers(len(HALVES))]
        ink = np.zeros((SIDE, SIDE), np.float32)
        ink[HALF[part]] = self._any_of(digit)[HALF[part]]
        return ink

    def two_digits(self) -> np.ndarray:
        """Put two digits side by side, near enough to touch."""
        first, second = (self._any_of(digit) for digit in self.rng.integers(0, 10, 2))
        return _beside(first, second, int(self.rng.integers(20, 36)))

    def turned(self) -> np.ndarray:
        """Turn or mirror a digit so that it is none."""
        turns = int(self.rng.integers(0, 4))
        digit = int(self.rng.choice(TURNED.get(turns, MIRRORED)))
        ink = self._any_of(digit)
        return np.rot90(ink, turns) if turns else ink[:, ::-1]

    def _any_of(self, digit: int) -> np.ndarray:
        return enlarged(self.images[self.rng.choice(self.of_digit[digit])])

    def _spline(self, places: int) -> np.ndarray:
        through = self.rng.uniform(0.12, 0.88, (places, 2)) * SIDE
        line = make_interp_spline(np.arange(places), through, k=min(3, places - 1))
        along = np.round(line(np.linspace(0, places - 1, 1500))).astype(int)
        path = np.zeros((SIDE, SIDE), bool)
        path[tuple(np.clip(along, 0, SIDE - 1).T)] = True
        return ndimage.binary_dilation(path, iterations=2).astype(np.float32)


def printed(font: str, sign: str, size: int) -> np.ndarray:
    """Print a sign of a font in the middle."""
    picture = Image.new("L", (SIDE, SIDE))
    face = ImageFont.truetype(FONT_FOLDER / font, size)
    ImageDraw.Draw(picture).text((SIDE / 2, SIDE / 2), sign, fill=255, font=face, anchor="mm")
    return np.asarray(picture, np.float32) / 255


def enlarged(image: np.ndarray) -> np.ndarray:
    """Turn (28, 28) uint8 into ink."""
    picture = Image.fromarray(image).resize((SIDE, SIDE), Image.Resampling.BICUBIC)
    return np.asarray(picture, np.float32) / 255


def warped(ink: np.ndarray, strength: float, rng: np.random.Generator) -> np.ndarray:
    """Turn, shear and stretch the whole, and shake each part by itself."""
    matrix = np.eye(2) + strength * rng.uniform(-0.25, 0.25, (2, 2))
    shake = [
        np.asarray(Image.fromarray(part).resize((SIDE, SIDE), Image.Resampling.BICUBIC))
        for part in rng.normal(0, 4 * strength, (2, 5, 5)).astype(np.float32)
    ]
    middle = (SIDE - 1) / 2
    grid = np.mgrid[:SIDE, :SIDE] - middle
    places = np.tensordot(matrix, grid, axes=1) + middle + shake
    return ndimage.map_coordinates(ink, places, order=1)


def fitted(ink: np.ndarray) -> np.ndarray:
    """Scale to the box that MNIST's digits fill, in the middle; blank ink stays as it is."""
    if ink.max() <= 0.5:
        return ink
    picture = Image.fromarray(crop_to_ink(np.where(ink > 0.1, ink, 0)))
    scale = ENLARGED * BOX / max(picture.size)
    width, height = (max(1, round(scale * side)) for side in picture.size)
    whole = Image.new("F", (SIDE, SIDE))
    box = picture.resize((width, height), Image.Resampling.BILINEAR)
    whole.paste(box, ((SIDE - width) // 2, (SIDE - height) // 2))
    return np.asarray(whole)


def drawn(path: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Draw along a path, (112, 112) bool, with a round pen of random width."""
    distance = ndimage.distance_transform_edt(~path)
    return np.clip(rng.uniform(*PENS) / 2 + 0.5 - distance, 0, 1).astype(np.float32)


def _beside(left: np.ndarray, right: np.ndarray, apart: int) -> np.ndarray:
    """Move two inks away from the middle, half as far as they shall be apart."""
    return np.maximum(np.roll(left, -apart // 2, axis=1), np.roll(right, apart // 2, axis=1))


def draw_outliers(images: np.ndarray, labels: np.ndarray, count: int, seed: int) -> np.ndarray:
    """Draw what is no digit.

    Args:
        images: Digits for what is made of digits, (n, 28, 28) uint8.
        labels: Their labels, (n,) integers.
        count: How many pictures.
        seed: Decides what is drawn.

    Returns:
        (count, 28, 28) uint8, 0 background to 255 ink, prepared like pictures of digits.
    """
    draughtsman = Draughtsman(images, labels, seed)
    return np.stack([draughtsman.outlier() for _ in range(count)])


def redraw_digits(images: np.ndarray, labels: np.ndarray, seed: int) -> np.ndarray:
    """Draw each digit once more, warped a little, with a pen of another width.

    Args:
        images: (n, 28, 28) uint8, 0 background to 255 ink.
        labels: (n,) integers.
        seed: Decides how.

    Returns:
        (n, 28, 28) uint8, prepared like pictures of digits.
    """
    draughtsman = Draughtsman(images, labels, seed)
    return np.stack(
        [draughtsman.digit(image, label) for image, label in zip(images, labels, strict=True)]
    )
