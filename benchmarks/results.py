"""The tables in `results/`: one CSV file for each kind of measurement.

New rows of an entry replace its older ones. `benchmarks.entries` says what they mean.
"""

from pathlib import Path

from helpers.files import atomic_write

import pandas as pd

RESULTS = Path(__file__).parent / "results"


def store(entry: str, tables: dict[str, list[dict]], folder: Path = RESULTS) -> None:
    """Store the rows of an entry in the tables, replacing its older ones.

    Args:
        entry: Its name, for the first column.
        tables: Rows for each table, a file `<name>.csv` of the folder.
        folder: Where the tables are.
    """
    for name, rows in tables.items():
        path = folder / f"{name}.csv"
        new = pd.DataFrame(rows)
        new.insert(0, "entry", entry)
        if path.is_file():
            older = pd.read_csv(path)
            new = pd.concat([older[older["entry"] != entry], new], ignore_index=True)
        with atomic_write(path) as unfinished:
            new.to_csv(unfinished, index=False, float_format="%.6g")


def load(name: str, folder: Path = RESULTS) -> pd.DataFrame:
    """Read a table, with the column "entry" first."""
    return pd.read_csv(folder / f"{name}.csv")
