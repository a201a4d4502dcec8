"""How a notebook reads: words, visible code, figures, answers, counted from the stored file.

`python -m tests.project.pace` prints the table, one notebook a column; `test_pace.py` holds the
notebooks that are written to the rules of the page to its floors.
"""

import re
import statistics
from pathlib import Path

import nbformat
import pandas as pd

NOTEBOOKS = Path(__file__).parents[2] / "notebooks"
# A number in the text that comes from the stored run: `80.8<!--run:id-of-the-cell-->`.
FROM_A_RUN = re.compile(r"(\d[\d,.]*)<!--run:([a-z0-9-]+)-->")
NUMBER = re.compile(r"\d[\d,]*(?:\.\d+)?")
LEVELS = {"questions": "", "predict": "Predict first", "build": "Build it", "open": "Challenge"}


def words_of(text):
    """Count the words that a reader sees: no folded solution, no address, no code block."""
    text = re.sub(r"(<summary>.*?</summary>).*?</details>", r"\1", text, flags=re.DOTALL)
    text = re.sub(r"```.*?```|<!--.*?-->|<[^>]+>", " ", text, flags=re.DOTALL)
    text = re.sub(r"\]\([^)]*\)", " ", text)
    return len(re.findall(r"\S*\w\S*", text))


def is_hidden(cell):
    return cell.metadata.get("jupyter", {}).get("source_hidden", False)


def visible_code(notebook):
    """The number of lines of each code cell whose source is not folded."""
    cells = [cell for cell in notebook.cells if cell.cell_type == "code" and not is_hidden(cell)]
    return [len(cell.source.splitlines()) for cell in cells]


def printed(cell):
    """What a code cell printed or returned, as text."""
    parts = [output.get("text", "") for output in cell.get("outputs", [])]
    for output in cell.get("outputs", []):
        parts += [text for kind, text in output.get("data", {}).items() if kind.startswith("text/")]
    return "\n".join(parts)


def has_figure(cell):
    return any("image/png" in output.get("data", {}) for output in cell.get("outputs", []))


def words_before(notebook, is_reached):
    """Count the words above the first code cell for which a condition holds."""
    words = 0
    for cell in notebook.cells:
        if cell.cell_type == "code" and is_reached(cell):
            return words
        if cell.cell_type == "markdown":
            words += words_of(cell.source)
    return None


def exercises(notebook):
    """The text of the exercises, whatever cells it is spread over."""
    texts = [cell.source for cell in notebook.cells if cell.cell_type == "markdown"]
    first = next(place for place, text in enumerate(texts) if "## Exercises" in text)
    return "\n\n".join(texts[first:-1])


def exercises_by_level(notebook):
    """Count the numbered exercises below each heading."""
    counts, level = dict.fromkeys(LEVELS, 0), "questions"
    for line in exercises(notebook).splitlines():
        if line.startswith("### "):
            level = next(name for name, heading in LEVELS.items() if heading == line[4:])
        counts[level] += bool(re.match(r"\*\*\d\.", line))
    return counts


def truth_values(notebook):
    """The printed lines that say nothing but True or False."""
    lines = [line for cell in notebook.cells for line in printed(cell).splitlines()]
    return [line for line in lines if re.search(r"\b(True|False)\W*$", line)]


def measure(notebook):
    """Everything that the storyboard's table "side by side" asks for."""
    code = visible_code(notebook)
    texts = [words_of(cell.source) for cell in notebook.cells if cell.cell_type == "markdown"]
    return {
        "words in all": sum(texts),
        "words before the first figure": words_before(notebook, has_figure),
        "words before a prediction": words_before(
            notebook, lambda cell: re.search(r"predict|nearest_mean\(", cell.source)
        ),
        "longest text cell (words)": max(texts),
        "visible code, median (lines)": statistics.median(code),
        "visible code, longest (lines)": max(code),
        "lines that are True or False": len(truth_values(notebook)),
        "figures": sum(map(has_figure, notebook.cells)),
        "interactive cells": sum(
            bool(re.search(r"interact\(|Pad\(|Slider\(", cell.source))
            for cell in notebook.cells
            if cell.cell_type == "code" and not re.search(r"^class ", cell.source)
        ),
        **{f"exercises: {name}": count for name, count in exercises_by_level(notebook).items()},
    }


def main():
    """Print the table."""
    paths = sorted(NOTEBOOKS.glob("[0-9][0-9]_*.ipynb"))
    columns = {path.stem[:2]: measure(nbformat.read(path, as_version=4)) for path in paths}
    print(pd.DataFrame(columns).to_string())


if __name__ == "__main__":
    main()
