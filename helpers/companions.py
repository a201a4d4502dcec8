"""Three digits that accompany the reader through the series: easy, ambiguous, yours.

They were drawn for this project, so no network has learned from them, and none is chosen
by them. The third is a photo, squeezed here to 28 × 28 as most people would do it.
Notebook 08 shows what becomes of it once it is prepared the way MNIST was.
"""

from pathlib import Path

from helpers import places

import numpy as np
import pandas as pd
from PIL import Image

COMPANIONS = ("easy", "ambiguous", "yours")
PHOTO = "seven.png"


def load_companions() -> np.ndarray:
    """Load the three companions.

    Returns:
        (3, 28, 28, 1) uint8, 0 to 255: a 3, a 4 that may be a 9, and a 7.

    Raises:
        UserError: If the project's pictures are not there.
    """
    folder = places.images_folder()
    prepared = [_grey(folder / f"{name}.png") for name in COMPANIONS[:2]]
    squeezed = _grey(folder / PHOTO).resize((28, 28))
    return np.stack([np.asarray(image) for image in (*prepared, squeezed)])[..., np.newaxis]


def _grey(path: Path) -> Image.Image:
    with Image.open(path) as image:
        return image.convert("L")


def tabulate_companions(probabilities: np.ndarray, measure: str = "probability") -> pd.DataFrame:
    """List how the three were read: the answer and the runner-up, each with its probability.

    Args:
        probabilities: (n, 10) for the first n of `COMPANIONS`, rows sum to 1.
        measure: What the table calls these numbers.

    Returns:
        A row for each of them: "read as", `measure`, "or as", and "its " with `measure` (both
        numbers 0 to 1, two decimals).
    """
    ranked = probabilities.argsort(axis=1)[:, ::-1]
    ranked_probabilities = np.take_along_axis(probabilities, ranked, axis=1).round(2)
    return pd.DataFrame(
        {
            "read as": ranked[:, 0],
            measure: ranked_probabilities[:, 0],
            "or as": ranked[:, 1],
            f"its {measure}": ranked_probabilities[:, 1],
        },
        index=COMPANIONS[: len(probabilities)],
    )
