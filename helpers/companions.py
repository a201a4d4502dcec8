"""Three digits that come along through the series: an easy one, an ambiguous one, yours.

They were drawn for this project, so no network has learned from them. The third is a
photo, here squeezed to 28 × 28 as most people would do it; what becomes of it once it
is prepared the way MNIST was is the subject of notebook 07. No network is trained or
chosen by them.
"""

from pathlib import Path

import numpy as np
import pandas as pd
from PIL import Image

COMPANIONS = ("easy", "ambiguous", "yours")
PHOTO = "seven.png"


def load_companions(folder: Path) -> np.ndarray:
    """Read the three from the folder `images`.

    Returns:
        (3, 28, 28, 1) uint8, 0 to 255: a 3, a 4 that may be a 9, and a 7.
    """
    prepared = [Image.open(folder / f"{name}.png") for name in COMPANIONS[:2]]
    squeezed = Image.open(folder / PHOTO).convert("L").resize((28, 28))
    return np.stack([np.asarray(image) for image in (*prepared, squeezed)])[..., np.newaxis]


def tabulate_companions(probabilities: np.ndarray) -> pd.DataFrame:
    """Tell how the three were read: the answer, and the runner-up, each with its probability.

    Args:
        probabilities: (3, 10), rows sum to 1.

    Returns:
        A row for each of `COMPANIONS`: "read as", "probability", "or as", "its
        probability" (both 0 to 1, two decimals).
    """
    ranked = probabilities.argsort(axis=1)[:, ::-1]
    ranked_probabilities = np.take_along_axis(probabilities, ranked, axis=1).round(2)
    return pd.DataFrame(
        {
            "read as": ranked[:, 0],
            "probability": ranked_probabilities[:, 0],
            "or as": ranked[:, 1],
            "its probability": ranked_probabilities[:, 1],
        },
        index=COMPANIONS,
    )
