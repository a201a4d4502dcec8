"""Gives the pages of the site what three sliders show in a running notebook.

Every frame is made beforehand, by the notebook's own cells, and all frames of a slider go into its
page as one picture; `site/_static/sliders.js` shows one at a time. The frames of the film of
learning are kept in `site/film`, for they need full MNIST and a training. After a change of
notebook 04, film anew: `python -m helpers.series.sliders`.
"""

import ast
import base64
import io
import json
import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from html import escape
from itertools import product
from pathlib import Path
from typing import Any

from helpers import places
from helpers.data import load_mnist
from helpers.errors import UserError, ending_in_one_sentence
from helpers.files import atomic_write
from helpers.reading import load_ten

import matplotlib.pyplot as plt
import nbformat
import numpy as np
from PIL import Image

PICTURE_FILE, SHARES_FILE = "weights.png", "right.json"
# Around each picture of 28 × 28: a line, and between two of them paper. All in pixels.
LINE, GAP = 1, 2
LINE_GREY, WHITE = 128, 255
LEVELS = 17
PLACE = re.compile(r'<div id="slider-([\w-]+)"></div>')


@dataclass(frozen=True)
class Knob:
    """A slider: its label, its first and last value, and where it stands at first."""

    label: str
    first: int
    last: int
    start: int


@dataclass(frozen=True)
class Frames:
    """All that one cell shows, for each place of its knobs.

    Attributes:
        knobs: One or two; the last one turns fastest.
        picture: All frames, one below the other.
        alt: What a frame shows, in words.
        captions: A line for each frame.
        probabilities: (frames, 10), 0 to 1, drawn as bars; empty without bars.
        columns: What stands above the columns of a frame, from left to right.
    """

    knobs: tuple[Knob, ...]
    picture: Image.Image
    alt: str
    captions: Sequence[str]
    probabilities: np.ndarray = field(default_factory=lambda: np.zeros((0, 10)))
    columns: Sequence[object] = ()


def names_of(notebook: str, cells: Iterable[str], **given: object) -> dict[str, Any]:
    """Run some cells of a notebook, after the imports of its cell "setup".

    Args:
        notebook: The first two digits of its file name.
        cells: Their ids.
        given: What else they need, by name.

    Returns:
        What they define, by name.
    """
    (path,) = (places.project_folder() / "notebooks").glob(f"{notebook}_*.ipynb")
    sources = {cell.id: cell.source for cell in nbformat.read(path, as_version=4).cells}
    setup = ast.parse(sources["setup"])
    setup.body = [node for node in setup.body if isinstance(node, ast.Import | ast.ImportFrom)]
    names: dict[str, Any] = {}
    exec(compile(setup, path.name, "exec"), names)
    names |= given
    for cell in cells:
        exec(compile(sources[cell], f"{path.name}, {cell}", "exec"), names)
    return names


# --- the three ------------------------------------------------------------------------------------


def film_of_learning() -> Frames:
    """The weights of notebook 04 after each step, from the film that is kept.

    Raises:
        UserError: If it is not there.
    """
    folder = film_folder()
    try:
        shares = json.loads((folder / SHARES_FILE).read_text(encoding="utf-8"))
        with Image.open(folder / PICTURE_FILE) as opened:
            picture = opened.copy()
    except OSError as error:
        raise UserError(f"{error.filename} is missing: python -m helpers.series.sliders") from error
    return Frames(
        (Knob("step", 0, len(shares) - 1, 0),),
        picture,
        "Ten squares of 28 × 28 weights, one for each digit; white is 0, red speaks for the digit, "
        "blue against it",
        [
            f"Step {step}: {share:.1%} of the validation digits are right."
            for step, share in enumerate(shares)
        ],
        columns=range(10),
    )


def walk_through_the_preparation() -> Frames:
    """The ten digits that ship, after each step of notebook 08, and how they are read."""
    cells = ("grey", "paper-zero", "strokes-only", "in-a-box", "in-balance", "prepare-with")
    names = names_of("08", cells)
    steps, pictures = names["STEPS"], load_ten(places.images_folder() / "none").pictures
    done = ["squeezed", *(step.__name__.replace("_", " ") for step in steps)]
    places_of_knobs = list(product(range(10), range(len(done))))
    pixels = np.stack(
        [names["prepare_with"](steps[:count], pictures[digit]) for digit, count in places_of_knobs]
    )
    said = names["Network"](names["MNIST_ONLY_LITERT"]).predict(pixels)
    return Frames(
        (Knob("digit", 0, 9, 7), Knob("steps", 0, len(steps), len(steps))),
        Image.fromarray(pixels.reshape(-1, 28)),
        "The picture as the network gets it, 28 × 28 pixels",
        [
            f"{'Up to: ' if count else ''}{done[count]}. {in_words(probabilities)}"
            for (_, count), probabilities in zip(places_of_knobs, said, strict=True)
        ],
        said,
    )


def between_4_and_9() -> Frames:
    """The gap of an ambiguous 4, closed pixel by pixel, and how the network reads it."""
    names = names_of("08", ["closing"])
    closing, chances = names["closing"], names["chances"]
    return Frames(
        (Knob("pixels", 0, len(closing) - 1, 5),),
        Image.fromarray(closing.reshape(-1, 28)),
        "A digit between 4 and 9, 28 × 28 pixels",
        [
            f"{count} {'pixel' if count == 1 else 'pixels'} of the gap closed. {in_words(said)}"
            for count, said in enumerate(chances)
        ],
        chances,
    )


# The cells whose slider the site shows: by notebook and id.
SLIDERS: dict[tuple[str, str], Callable[[], Frames]] = {
    ("04_learning_by_hand", "film-slider"): film_of_learning,
    ("08_predicting", "walk-through"): walk_through_the_preparation,
    ("08_predicting", "closing-slider"): between_4_and_9,
}


def in_words(probabilities: np.ndarray) -> str:
    """How a picture was read."""
    return f"Read as {probabilities.argmax()}, {probabilities.max():.0%}."


# --- pictures -------------------------------------------------------------------------------------


def below_each_other(frames: np.ndarray) -> np.ndarray:
    """Lay out weights for one picture.

    Args:
        frames: (frames, 10, 28, 28) uint8.

    Returns:
        (height, width) uint8: a frame to a row, a line around each 28 × 28, paper between them.
    """
    line = [(0, 0), (0, 0), (LINE, LINE), (LINE, LINE)]
    framed = np.pad(frames, line, constant_values=LINE_GREY)
    framed = np.pad(framed, [(0, 0), (0, 0), (0, GAP), (0, GAP)], constant_values=WHITE)
    count, columns, height, width = framed.shape
    rows = framed.transpose(0, 2, 1, 3).reshape(count * height, columns * width)
    return np.ascontiguousarray(rows[:, :-GAP])


def draw_weights(levels: np.ndarray) -> Image.Image:
    """Colour weights from blue over white to red: 0 to 16; besides, 255 is white, 128 grey."""
    colours = np.full((256, 3), WHITE)
    colours[:LEVELS] = np.round(255 * plt.get_cmap("RdBu_r", LEVELS)(np.arange(LEVELS))[:, :3])
    colours[LINE_GREY] = LINE_GREY
    picture = Image.fromarray(levels, "L")
    picture.putpalette(colours.astype(np.uint8).tobytes())
    return picture


def levels_of(weights: np.ndarray) -> np.ndarray:
    """Round weights to colours as the figures of notebook 04 do.

    Args:
        weights: (784, 10).

    Returns:
        (10, 28, 28) uint8, 0 to 16; 8 is no weight.
    """
    limit = 0.7 * np.abs(weights).max() or 1
    shares = (weights.T.reshape(10, 28, 28) / limit + 1) / 2
    return np.clip(shares * LEVELS, 0, LEVELS - 1).astype(np.uint8)


# --- pages ----------------------------------------------------------------------------------------


def marked(notebook: nbformat.NotebookNode, name: str) -> nbformat.NotebookNode:
    """Mark where the frames go on a page, as an output of each cell that has some.

    Args:
        notebook: A notebook as it is stored; its cells are changed.
        name: The stem of its file name.
    """
    for cell in notebook.cells:
        if (name, cell.id) in SLIDERS:
            place = f'<div id="slider-{cell.id}"></div>'
            cell.outputs = [nbformat.v4.new_output("display_data", {"text/html": place})]
    return notebook


def fill(page: Path) -> None:
    """Write the frames into a page, wherever a place is marked."""
    text = page.read_text(encoding="utf-8")
    filled = PLACE.sub(lambda place: as_html(SLIDERS[page.stem, place.group(1)](), place), text)
    if filled != text:
        page.write_text(filled, encoding="utf-8")


def as_html(frames: Frames, place: re.Match) -> str:
    """Write frames as a part of a page: what it shows at first is there without any script."""
    name, count = place.group(1), len(frames.captions)
    width, height = frames.picture.width, frames.picture.height // count
    start = 0
    for knob in frames.knobs:
        start = start * (knob.last - knob.first + 1) + knob.start - knob.first
    knobs = "".join(
        f'<label>{knob.label} <input type="range" min="{knob.first}" max="{knob.last}" '
        f'value="{knob.start}"></label>'
        for knob in frames.knobs
    )
    columns = "".join(f"<span>{escape(str(column))}</span>" for column in frames.columns)
    bars = "".join(f"<li><span></span>{digit}</li>" for digit in range(10))
    told = {
        "captions": frames.captions,
        "probabilities": np.round(frames.probabilities.astype(float), 3).tolist(),
    }
    return f"""
<div class="slider" id="slider-{name}">
  <div class="shown">
    <div class="picture" style="width: {_zoomed(width)}px">
      <div class="columns" aria-hidden="true">{columns}</div>
      <img src="{_as_address(frames.picture)}" alt="{escape(frames.alt)}"
        style="aspect-ratio: {width} / {height}; object-position: 0 {100 * start / (count - 1)}%">
    </div>
    {f'<ol class="bars" aria-hidden="true">{bars}</ol>' if len(frames.probabilities) else ""}
  </div>
  {knobs}
  <output>{escape(frames.captions[start])}</output>
  <script type="application/json">{json.dumps(told)}</script>
</div>"""


def _zoomed(width: int) -> int:
    """A width on the screen: each pixel of a frame takes as many as there is room for."""
    return width * max(1, min(6, 640 // width))


def _as_address(picture: Image.Image) -> str:
    file = io.BytesIO()
    picture.save(file, "PNG", optimize=True)
    return f"data:image/png;base64,{base64.b64encode(file.getvalue()).decode('ascii')}"


# --- the film -------------------------------------------------------------------------------------


def film_folder() -> Path:
    """Where the film of learning is kept."""
    return places.project_folder() / "site" / "film"


def shoot_film(folder: Path) -> None:
    """Let notebook 04 learn on full MNIST, and keep what its slider shows.

    Raises:
        DataError: If there is no full MNIST.
    """
    digits = names_of("04", ["digits"], mnist=load_mnist(full=True))
    true = np.eye(10)[digits["y"]]
    names = names_of("04", ("softmax", "learn", "film-scores"), **digits, true=true)
    film = names["film"]
    shares = [names["share_right"](names["x_held"] @ weights, names["y_held"]) for weights in film]
    levels = np.stack([levels_of(weights) for weights in film])
    with atomic_write(folder / PICTURE_FILE) as unfinished:
        draw_weights(below_each_other(levels)).save(unfinished, optimize=True)
    with atomic_write(folder / SHARES_FILE) as unfinished:
        unfinished.write_text(json.dumps([round(float(share), 4) for share in shares]) + "\n")


def main() -> None:
    """Film anew: `python -m helpers.series.sliders`."""
    with ending_in_one_sentence():
        places.require_project()
        shoot_film(film_folder())


if __name__ == "__main__":
    main()
