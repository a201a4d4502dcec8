"""Writes the results of the campaigns as text tables beside them."""

import os
import platform
from datetime import date
from importlib.metadata import version
from pathlib import Path

import pandas as pd

PROJECT = Path(__file__).parent.parent.parent


def write_table(name: str, rows: list[dict]) -> None:
    """Write the table of a campaign, headed by command, date, machine and versions."""
    head = [
        f"python -m tests.faults.{name}, {date.today():%Y-%m-%d}",
        f"{platform.machine()}, {os.cpu_count()} cores, {platform.system()}, "
        f"Python {platform.python_version()}, TensorFlow {version('tensorflow')}, "
        f"Keras {version('keras')}, Pillow {version('pillow')}",
    ]
    texts = pd.DataFrame(rows).astype(str)
    padded = texts.apply(lambda column: column.str.ljust(column.str.len().max()))
    table = padded.to_string(index=False, justify="left")
    lines = [line.rstrip() for line in table.splitlines()]
    path = Path(__file__).parent / f"{name}.txt"
    path.write_text("\n".join([*head, "", *lines]) + "\n", encoding="utf-8")
