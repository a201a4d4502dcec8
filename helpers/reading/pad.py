"""Pads to draw on: one reads a digit while it is being drawn, one collects your ten.

Mouse, pen or finger draw on a canvas in the browser. The strokes are kept here and drawn a
second time with Pillow, so the network reads exactly the picture that "Save" writes.
`helpers.reading.reader` does the reading.
"""

import html
import io
import os
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path

from helpers import places
from helpers.errors import reason
from helpers.files import atomic_write
from helpers.plots import plot_answers
from helpers.reading.digits import Digit
from helpers.reading.network import Network
from helpers.reading.pictures import PictureError
from helpers.reading.preparation import prepare_digit
from helpers.reading.reader import DigitReader
from helpers.reading.ten import load_ten

import ipywidgets as widgets
import matplotlib.pyplot as plt
import numpy as np
from ipycanvas import Canvas, hold_canvas
from PIL import Image, ImageDraw

SIDE = 280  # pixels of the pad, ten for each of the network's
BRUSH_WIDTHS = (4, 44)  # pixels of the pad
INK, PAPER = "#000000", "#ffffff"
# A pen moves about sixty times a second; reading a third of its moves is enough to follow it.
SECONDS_BETWEEN_READINGS = 0.05
INVITATION = "Draw a digit."


@dataclass
class Stroke:
    """What was drawn between pen down and pen up.

    Attributes:
        width: Width of the brush in pixels of the pad.
        points: Positions of the pen, (x, y) in pixels of the pad from its top left corner.
    """

    width: int
    points: list[tuple[float, float]] = field(default_factory=list)


def draw_strokes(strokes: list[Stroke]) -> Image.Image:
    """Draw strokes with a round brush, black on white.

    Returns:
        A grey picture, `SIDE` × `SIDE`.
    """
    picture = Image.new("L", (SIDE, SIDE), PAPER)
    pen = ImageDraw.Draw(picture)
    for stroke in strokes:
        pen.line(stroke.points, fill=INK, width=stroke.width)
        for x, y in stroke.points:
            pen.circle((x, y), stroke.width / 2, fill=INK)
    return picture


class DrawingPad(widgets.HBox):
    """The pad with its buttons, and beside it what the network reads.

    Attributes:
        strokes: The strokes in the order in which they were drawn.
        digit: What was read, which may be called no digit; None while no ink stands out.
    """

    def __init__(self, reader: DigitReader | None = None, folder: Path | None = None):
        """Lay out a blank pad.

        Args:
            reader: Reads the drawings; by default with the network that ships.
            folder: Where "Save" puts them, created when needed; by default `build/drawings`.
        """
        self.strokes: list[Stroke] = []
        self.digit: Digit | None = None
        self._reader = reader or DigitReader()
        self._folder = folder or places.build_folder() / "drawings"
        self._is_down = False
        self._read_at = 0.0
        self._canvas = self._blank_canvas()
        self._brush = widgets.IntSlider(
            20, *BRUSH_WIDTHS, description="brush", continuous_update=False
        )
        self._answer, self._bars, self._message = (widgets.HTML() for _ in range(3))
        self._seen = widgets.Image(
            format="png",
            layout=widgets.Layout(width="112px", height="112px", border="1px solid #888888"),
        )
        super().__init__([self._left_side(), self._right_side()])
        self._read()

    def _blank_canvas(self) -> Canvas:
        canvas = Canvas(
            width=SIDE,
            height=SIDE,
            layout=widgets.Layout(border="1px solid #888888", width=f"{SIDE}px"),
        )
        canvas.line_cap = "round"
        canvas.on_mouse_down(self.pen_down)
        canvas.on_mouse_move(self.pen_move)
        canvas.on_mouse_up(self.pen_up)
        canvas.on_mouse_out(self.pen_up)
        canvas.on_touch_start(lambda touches: self.pen_down(*touches[0]))
        canvas.on_touch_move(lambda touches: self.pen_move(*touches[0]))
        canvas.on_touch_end(lambda touches: self.pen_up())
        canvas.on_touch_cancel(lambda touches: self.pen_up())
        # A browser that reconnects, after a reload, gets an empty canvas.
        canvas.on_client_ready(self._draw_all)
        return canvas

    def _left_side(self) -> widgets.Widget:
        buttons = _buttons({"Clear": self.clear, "Undo": self.undo, "Save as PNG": self.save})
        return widgets.VBox([self._canvas, self._brush, buttons, self._message])

    def _right_side(self) -> widgets.Widget:
        seen = widgets.VBox([self._seen, widgets.HTML("<small>what the network sees</small>")])
        layout = widgets.Layout(margin="0 0 0 24px")
        return widgets.VBox([self._answer, self._bars, seen], layout=layout)

    def pen_down(self, x: float, y: float) -> None:
        """Begin a stroke with the current brush."""
        self._is_down = True
        self.strokes.append(Stroke(self._brush.value))
        self.pen_move(x, y)

    def pen_move(self, x: float, y: float) -> None:
        """Continue the stroke if the pen is down."""
        if not self._is_down:
            return
        points = self.strokes[-1].points
        points.append((x, y))
        with hold_canvas():
            self._canvas.line_width = self.strokes[-1].width
            self._canvas.stroke_style = INK
            self._canvas.stroke_line(*points[-2 if len(points) > 1 else -1], x, y)
        if time.monotonic() - self._read_at > SECONDS_BETWEEN_READINGS:
            self._read()

    def pen_up(self, x: float = 0, y: float = 0) -> None:
        """End the stroke; the place where the pen is lifted adds nothing."""
        if self._is_down:
            self._is_down = False
            self._read()

    def clear(self) -> None:
        """Remove all strokes, even one that is being drawn."""
        self._is_down = False
        self.strokes.clear()
        self._draw_all()

    def undo(self) -> None:
        """Remove the last stroke, even while it is being drawn."""
        self._is_down = False
        del self.strokes[-1:]
        self._draw_all()

    def save(self) -> None:
        """Write the drawing to the folder as PNG, under the next free number."""
        if not self.strokes:
            self._message.value = "There is nothing to save yet."
            return
        numbered = (self._folder / f"drawing-{number}.png" for number in count(1))
        path = next(path for path in numbered if not os.path.exists(path))
        if not self._is_written(path):
            return
        command = html.escape(places.reading_command(path))
        self._message.value = f"Saved. Read it with<br><code>{command}</code>"

    def _is_written(self, path: Path) -> bool:
        """Write the drawing as PNG, or say why it cannot be written."""
        try:
            with atomic_write(path) as unfinished:
                self.image().save(unfinished, "PNG")
        except OSError as error:
            self._message.value = html.escape(f"{path} cannot be written: {reason(error)}.")
            return False
        return True

    def image(self) -> Image.Image:
        """The drawing as it is saved and read: grey, `SIDE` × `SIDE`, black on white."""
        return draw_strokes(self.strokes)

    def _draw_all(self) -> None:
        with hold_canvas():
            self._canvas.clear()
            self._canvas.stroke_style = INK
            for stroke in self.strokes:
                self._canvas.line_width = stroke.width
                for start, end in zip(
                    [stroke.points[0], *stroke.points], stroke.points, strict=False
                ):
                    self._canvas.stroke_line(*start, *end)
        self._read()

    def _read(self) -> None:
        self.digit, note = None, INVITATION
        if self.strokes:
            try:
                (self.digit,) = self._reader.read(self.image(), single=True)
            except PictureError:
                note = "No digit found."
        pixels = self.digit.pixels if self.digit else np.zeros((28, 28), np.uint8)
        probabilities = self.digit.probabilities if self.digit else np.zeros(10)
        self._answer.value = _answer_html(self.digit, note)
        self._bars.value = _bars_html(probabilities)
        self._seen.value = _png(pixels)
        self._message.value = ""
        # Counted from the end of a reading, or a slow one would fall behind the pen.
        self._read_at = time.monotonic()


class TenPad(DrawingPad):
    """Collects the reader's ten digits, and shows how each of them is read, in two ways."""

    def __init__(self, reader: DigitReader | None = None, folder: Path | None = None):
        """Lay out a blank pad that asks for a 0, and the ten as they are so far.

        Args:
            reader: Its network reads the ten; by default one that has seen nothing but MNIST.
            folder: Where the drawings are kept; by default `build/ten`.
        """
        self._asked = widgets.Dropdown(options=range(10), description="draw a")
        self._ten = widgets.Image(format="png", layout=widgets.Layout(max_width="100%"))
        reader = reader or DigitReader(Network(places.MNIST_ONLY_LITERT))
        super().__init__(reader, folder or places.ten_folder())
        self.layout = widgets.Layout(flex_flow="row wrap", align_items="flex-start")
        self._show_ten()

    def _left_side(self) -> widgets.Widget:
        keep = {"Keep this digit": self.save, "Undo": self.undo, "Clear": self.clear}
        parts = [self._asked, self._canvas, self._brush, _buttons(keep), self._message]
        return widgets.VBox(parts)

    def _right_side(self) -> widgets.Widget:
        return self._ten

    def save(self) -> None:
        """Keep the drawing as the digit that was asked for, and ask for the next one."""
        if not self.strokes:
            self._message.value = f"Draw a {self._asked.value} first."
            return
        try:
            prepare_digit(self.image())
        except PictureError:  # Kept, it would stop every notebook.
            self._message.value = "No digit found, so nothing was kept."
            return
        path = self._folder / f"{self._asked.value}.png"
        if not self._is_written(path):
            return
        self.clear()
        self._show_ten()
        self._asked.value = (self._asked.value + 1) % 10

    def _show_ten(self) -> None:
        ten = load_ten(self._folder)
        rows = {"squeezed": ten.squeezed, "prepared": ten.prepared}
        predict = self._reader.network.predict
        figure = plot_answers(rows, {name: predict(images) for name, images in rows.items()}, 0.62)
        file = io.BytesIO()
        figure.savefig(file, format="png")
        plt.close(figure)
        self._ten.value = file.getvalue()
        drawn = sum(ten.yours)
        self._message.value = f"{drawn} of these ten are yours." if drawn else ""

    def _read(self) -> None:
        """Read nothing before a digit is kept."""
        self._message.value = ""


def _buttons(actions: dict[str, Callable[[], None]]) -> widgets.HBox:
    buttons = []
    for name, action in actions.items():
        button = widgets.Button(description=name, layout=widgets.Layout(width="auto"))
        button.on_click(lambda _, action=action: action())
        buttons.append(button)
    return widgets.HBox(buttons)


def _answer_html(digit: Digit | None, note: str) -> str:
    if digit is None:
        return f'<div class="pad-answer" style="height:56px;line-height:56px">{note}</div>'
    if digit.verdict == "no digit":
        return _answer_html(None, "No digit.")
    words = f"{digit.probability:.1%}{'' if digit.is_sure else ', unsure'}"
    return (
        '<div class="pad-answer" style="height:56px;line-height:56px">'
        f'<b style="font-size:48px">{digit.digit}</b> {words}</div>'
    )


def _bars_html(probabilities: np.ndarray) -> str:
    rows = "".join(
        f"<tr><td>{digit}</td>"
        f'<td style="width:160px"><div style="background:#0173b2;height:12px;'
        f'width:{100 * probability:.1f}%"></div></td>'
        f'<td style="text-align:right;width:56px">{probability:.1%}</td></tr>'
        for digit, probability in enumerate(probabilities)
    )
    return f'<table style="line-height:15px">{rows}</table>'


def _png(pixels: np.ndarray) -> bytes:
    # Enlarged here to keep the pixels sharp; a browser would blur them.
    enlarged = Image.fromarray(pixels).resize((112, 112), Image.Resampling.NEAREST)
    file = io.BytesIO()
    enlarged.save(file, "PNG")
    return file.getvalue()
