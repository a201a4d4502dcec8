"""The table that grows through the series: every classifier, and how it reads the reader's ten.

Each row says what it was scored on: the validation part, which had no part in making the
classifier; one row, in notebook 06, the test set; and one, in notebook 08, digits that it has
learned from.
The rows of earlier notebooks are those of the run whose outputs are stored (`scoreboard.csv`),
or of the reader's own run if there was one with the same data and the same ten digits. So no
notebook depends on another.
"""

import hashlib
import os
from collections.abc import Callable

from helpers import places
from helpers.data import Mnist
from helpers.facts import FactsError, read_facts, write_facts
from helpers.reading.ten import TenDigits, load_ten

import numpy as np
import pandas as pd

STORED_ROWS = places.PACKAGE / "scoreboard.csv"
COLUMNS = ("right (%)", "scored on", "your ten, squeezed", "your ten, prepared")
NEW = "  ← new"  # after the name of a row that this notebook adds
# Maps (n, 28, 28, 1) uint8 to digits (n,) or probabilities (n, 10).
Classifier = Callable[[np.ndarray], np.ndarray]


class Scoreboard:
    """The rows of the notebooks before this one, and those that it adds."""

    def __init__(self, mnist: Mnist, notebook: int, ten: TenDigits | None = None):
        """Take the rows of the notebooks before.

        Args:
            mnist: Its digits `mnist.judge` score every classifier that is added.
            notebook: The number of this notebook.
            ten: The reader's ten digits; by default as `load_ten` finds them.
        """
        self._notebook = notebook
        self._ten = ten or load_ten()
        self._images = mnist.x_train[mnist.judge][..., np.newaxis]
        self._labels = mnist.y_train[mnist.judge]
        self._rows = _stored_rows() | _own_rows(self._key())
        self._rows = {name: row for name, row in self._rows.items() if row[0] < notebook}

    def add(
        self,
        name: str,
        classifier: Classifier,
        test: tuple[np.ndarray, np.ndarray] | None = None,
        *,
        has_learned: bool = False,
    ) -> pd.DataFrame:
        """Score a classifier on the validation digits and on the ten, and add its row.

        Args:
            name: What the table calls it.
            classifier: Maps (n, 28, 28, 1) uint8 images to digits or probabilities.
            test: Images and labels of the test set, to score it on them instead of the
                validation digits; for notebook 06.
            has_learned: Whether it has learned from the digits that score it. The row says so.

        Returns:
            What `excerpt` shows, the new row included.
        """
        images, labels = test or (self._images, self._labels)
        right = 100 * np.mean(_digits(classifier(images)) == labels)
        on_ten = [
            f"{np.sum(_digits(classifier(images)) == np.arange(10))} of 10"
            for images in (self._ten.squeezed, self._ten.prepared)
        ]
        kind = "digits it learned from" if has_learned else "validation digits"
        scored_on = f"{len(labels):,} {'test digits' if test else kind}"
        self._rows[name] = (self._notebook, round(float(right), 1), scored_on, *on_ten)
        self._keep()
        return self.excerpt()

    def excerpt(self) -> pd.DataFrame:
        """The first row, the last one of the notebooks before, and the new ones, marked as new.

        A row with "…" stands for those between. The index is for the eye; see `table` for values.
        """
        table = self.table()
        is_new = [self._rows[name][0] == self._notebook for name in table.index]
        table.index = pd.Index(
            [f"{name}{NEW}" if new else name for name, new in zip(table.index, is_new, strict=True)]
        )
        before = is_new.count(False)
        if before < 4:  # Nothing to gain: the row with "…" would take the place of one.
            return table
        gap = pd.DataFrame("", [f"… {before - 2} more"], table.columns)
        return pd.concat([table[:1].astype(object), gap, table[before - 1 :].astype(object)])

    def table(self) -> pd.DataFrame:
        """All rows so far: the share read right, on what, and how many of the ten."""
        rows = sorted(self._rows.items(), key=lambda row: row[1][0])
        return pd.DataFrame(
            [row[1:] for _, row in rows], columns=COLUMNS, index=[name for name, _ in rows]
        )

    def _key(self) -> str:
        """Tells data and ten digits apart, whose rows must not be mixed."""
        content = self._ten.squeezed.tobytes() + self._images.tobytes()
        return hashlib.sha256(content).hexdigest()

    def _keep(self) -> None:
        if os.environ.get("MNIST_TEN") == "shipped":
            return
        new = {name: row for name, row in self._rows.items() if row[0] == self._notebook}
        rows = _own_rows(self._key()) | new
        write_facts({"key": self._key(), "rows": rows}, places.build_folder() / "scoreboard.json")


def _digits(answers: np.ndarray) -> np.ndarray:
    answers = np.asarray(answers)
    return answers.argmax(axis=1) if answers.ndim > 1 else answers


def _stored_rows() -> dict[str, tuple]:
    rows = pd.read_csv(STORED_ROWS, index_col="classifier")
    return dict(zip(rows.index, rows.itertuples(index=False, name=None), strict=True))


def _own_rows(key: str) -> dict[str, tuple]:
    """The rows that the reader's own runs have kept for the same data and digits."""
    if os.environ.get("MNIST_TEN") == "shipped":
        return {}
    try:
        kept = read_facts(places.build_folder() / "scoreboard.json")
        return {name: tuple(row) for name, row in kept["rows"].items() if kept["key"] == key}
    except (FactsError, KeyError, TypeError, AttributeError):
        return {}  # None were kept, or the file is damaged.
