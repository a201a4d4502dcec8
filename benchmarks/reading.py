"""Measures what reading pictures costs and loses: `python -m benchmarks.reading`, 20 minutes.

Six questions, each with a table in `results/`: how many of MNIST's test digits are misread
once they are turned into pictures; how much time and memory `predict.py` takes, against the
same with TensorFlow; how many pictures a second it reads, and whether its memory grows with
their number; what a large photo takes; what a large folder takes, also if the run is killed
half way and resumed; whether the exported network answers like the Keras model. Nothing is
chosen by any of them. Linux and macOS only.
"""

import argparse
import io
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from benchmarks.machine import machine
from benchmarks.results import store
from helpers import places
from helpers.data import Mnist, load_mnist
from helpers.errors import ending_in_one_sentence
from helpers.learning.evaluation import predict_probabilities
from helpers.learning.saving import load_model
from helpers.places import MODEL_FILE, PRETRAINED_FOLDER
from helpers.reading.reader import DigitReader

import numpy as np
import pandas as pd
from PIL import Image
from scipy import ndimage
from skimage.morphology import skeletonize

PROJECT = places.project_folder()
PREDICT = [sys.executable, str(PROJECT / "predict.py")]
# The same command line in a process that imports TensorFlow, as most tutorials do.
PREDICT_WITH_TENSORFLOW = [
    sys.executable,
    "-c",
    "import tensorflow, sys\n"
    "from helpers.reading.command import main\n"
    "sys.exit(main(sys.argv[1:]))",
]
# A small process in between: on Linux, the peak memory of a process is at least that of its
# parent, and this one holds TensorFlow.
LAUNCHER = """
import resource, subprocess, sys, time
start = time.perf_counter()
status = subprocess.run(sys.argv[1:], stdout=subprocess.DEVNULL).returncode
if status not in (0, 1):  # 1: a picture could not be read
    sys.exit(status)
print(time.perf_counter() - start, resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)
"""
REPEATS = 7
FEW, MANY, FOLDER = 1_000, 10_000, 20_000
PAPER, INK = 200, 40  # grey levels of the pasted digits
# Width, height, digits, and width of their strokes in pixels of a photo.
PHOTOS = ((1280, 1280, 1, 8), (1280, 1280, 6, 8), (4000, 3000, 6, 16))


def as_in_mnist(digit: np.ndarray) -> Image.Image:
    """Draw the digit as it is in MNIST: white on black, 28 × 28."""
    return Image.fromarray(digit)


def inverted(digit: np.ndarray) -> Image.Image:
    """Draw it black on white."""
    return Image.fromarray(255 - digit)


def pasted_at_ten_times_its_size(digit: np.ndarray) -> Image.Image:
    """Draw it dark on grey paper, 280 × 280 on a page of 400 × 400."""
    enlarged = Image.fromarray(digit).resize((280, 280), Image.Resampling.BICUBIC)
    ink = np.pad(np.asarray(enlarged, float), 60) / 255
    return Image.fromarray(np.round(PAPER + (INK - PAPER) * ink).astype(np.uint8))


PICTURES = (as_in_mnist, inverted, pasted_at_ten_times_its_size)


def measure_path(mnist: Mnist, reader: DigitReader) -> list[dict]:
    """Read the test set directly, and each digit as a picture file in several forms.

    A picture counts as right only if exactly one digit is found, and it is the right one.
    """
    directly = reader.network.predict(mnist.x_test).argmax(axis=1) == mnist.y_test
    wrong_of = {"the network alone": int((~directly).sum())}
    for picture in PICTURES:
        wrong_of[picture.__name__.replace("_", " ")] = sum(
            not is_read(reader, picture(digit), label)
            for digit, label in zip(mnist.x_test, mnist.y_test, strict=True)
        )
    least = wrong_of["the network alone"]
    return [
        {"form": form, "wrong": wrong, "points lost": 100 * (wrong - least) / len(mnist.y_test)}
        for form, wrong in wrong_of.items()
    ]


def is_read(reader: DigitReader, picture: Image.Image, label: int) -> bool:
    """Whether a picture, written as PNG and read again, shows this one digit."""
    file = io.BytesIO()
    picture.save(file, "PNG")
    digits = reader.read_file("digit", file).digits
    return [digit.digit for digit in digits] == [label]


def measure_start() -> list[dict]:
    """Time the whole process for one picture, alternately with and without TensorFlow."""
    commands = {"predict.py": PREDICT, "with TensorFlow": PREDICT_WITH_TENSORFLOW}
    runs: dict[str, list[tuple[float, float]]] = {name: [] for name in commands}
    for _ in range(REPEATS):
        for name, command in commands.items():
            runs[name].append(run([*command, str(PROJECT / "images" / "seven.png")]))
    rows = [
        dict(zip(("seconds", "memory (MB)"), np.median(runs[name], axis=0), strict=True))
        | {"process": name}
        for name in commands
    ]
    for row in rows:
        row["times as fast"] = rows[1]["seconds"] / row["seconds"]
        row["share of memory"] = row["memory (MB)"] / rows[1]["memory (MB)"]
    return rows


def measure_many(mnist: Mnist) -> list[dict]:
    """Read a thousand and ten thousand pictures of 28 × 28 to 500 × 500 in one call."""
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        write_pictures(mnist, MANY, Path(folder))
        few = [str(path) for path in sorted(Path(folder).iterdir())[:FEW]]
        for count, pictures in ((FEW, few), (MANY, [folder])):
            seconds, megabytes = run([*PREDICT, "--json", *pictures])
            rows.append(
                {
                    "pictures": count,
                    "pictures a second": count / seconds,
                    "memory (MB)": megabytes,
                }
            )
    return rows


def measure_photos(mnist: Mnist, reader: DigitReader) -> list[dict]:
    """Time photos with thin strokes, from the file to the digits; the fastest of several runs."""
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        for width, height, digits, stroke in PHOTOS:
            path = Path(folder) / "photo.jpg"
            thin_photo(mnist.x_test[:digits], width, height, stroke).save(path, quality=92)
            reader.read_file(str(path))
            rows.append(
                {
                    "pixels": f"{width} × {height}",
                    "digits": digits,
                    "found": len(reader.read_file(str(path)).digits),
                    "seconds": min(seconds_to_read(reader, path) for _ in range(REPEATS)),
                }
            )
    return rows


def seconds_to_read(reader: DigitReader, path: Path) -> float:
    """Read a file and say how long it took."""
    start = time.perf_counter()
    reader.read_file(str(path))
    return time.perf_counter() - start


def thin_photo(digits: np.ndarray, width: int, height: int, stroke: float) -> Image.Image:
    """Draw digits in a row, with strokes of a few pixels, on grainy paper whose light falls off.

    Args:
        digits: (n, 28, 28) uint8.
        width: Of the photo in pixels.
        height: Likewise.
        stroke: Width of the strokes in pixels.

    Returns:
        A picture in colours.
    """
    side = min(int(0.9 * width / len(digits)), int(0.8 * height))
    lines = np.zeros((height, width), bool)
    for number, digit in enumerate(digits):
        drawn = Image.fromarray(digit).resize((side, side), Image.Resampling.BICUBIC)
        left = round((number + 0.5) * width / len(digits) - side / 2)
        top = (height - side) // 2
        lines[top : top + side, left : left + side] = skeletonize(np.asarray(drawn) > 127)
    ink = np.clip(stroke / 2 + 0.5 - ndimage.distance_transform_edt(~lines), 0, 1)
    grain = np.random.default_rng(0).normal(0, 3, ink.shape)
    grey = (PAPER + (INK - PAPER) * ink) * np.linspace(1, 0.6, width) + grain
    return Image.fromarray(np.clip(grey, 0, 255).astype(np.uint8)).convert("RGB")


def measure_folder(mnist: Mnist) -> list[dict]:
    """Read a folder of twenty thousand into a file: in one go, and killed half way.

    The time for a million is extrapolated from that.
    """
    with tempfile.TemporaryDirectory() as name:
        folder, whole, broken = (Path(name) / part for part in ("pictures", "whole", "broken"))
        folder.mkdir()
        write_pictures(mnist, FOLDER, folder)
        seconds, megabytes = run([*PREDICT, "--output", str(whole), str(folder)])
        before = read_and_kill(folder, broken, FOLDER // 2)
        rest_seconds, rest_megabytes = run([*PREDICT, "--output", str(broken), str(folder)])
        same = whole.read_bytes() == broken.read_bytes()
    rows: list[dict[str, Any]] = [
        {"run": "in one go", "pictures": FOLDER, "seconds": seconds, "memory (MB)": megabytes},
        {
            "run": "after a kill",
            "pictures": FOLDER - before,
            "seconds": rest_seconds,
            "memory (MB)": rest_megabytes,
            "same records": same,
        },
    ]
    for row in rows:
        row["hours for a million"] = 1e6 * row["seconds"] / row["pictures"] / 3600
    return rows


def read_and_kill(folder: Path, output: Path, count: int) -> int:
    """Read a folder into a file until it has so many lines; kill, and count the whole lines."""
    with subprocess.Popen([*PREDICT, "--output", str(output), str(folder)]) as process:
        while not output.exists() or output.read_bytes().count(b"\n") < count:
            if process.poll() is not None:
                raise RuntimeError(f"predict.py ended too early, with {process.returncode}.")
            time.sleep(0.02)
        process.kill()
    return output.read_bytes().count(b"\n")


def write_pictures(mnist: Mnist, count: int, folder: Path) -> None:
    """Write test digits, black on white, 28 × 28 to 500 × 500, as PNG, repeated if necessary."""
    rng = np.random.default_rng(0)
    for number in range(count):
        side = int(np.exp(rng.uniform(np.log(28), np.log(500))))
        digit = mnist.x_test[number % len(mnist.x_test)]
        picture = inverted(digit).resize((side, side), Image.Resampling.BICUBIC)
        picture.save(folder / f"{number:05}.png")


def run(command: Sequence[str]) -> tuple[float, float]:
    """Run a command to its end.

    Returns:
        Seconds, and its peak memory in MB (10^6 bytes).
    """
    launched = [sys.executable, "-c", LAUNCHER, *command]
    done = subprocess.run(launched, cwd=PROJECT, capture_output=True, text=True, check=True)
    seconds, memory = done.stdout.split()
    scale = 1 if sys.platform == "darwin" else 1024
    return float(seconds), int(memory) * scale / 1e6


def measure_export(mnist: Mnist, reader: DigitReader) -> list[dict]:
    """Compare the exported network with the Keras model on the whole test set."""
    model = load_model(PRETRAINED_FOLDER / MODEL_FILE)
    original = predict_probabilities(model, mnist.x_test)
    exported = reader.network.predict(mnist.x_test)
    same = original.argmax(axis=1) == exported.argmax(axis=1)
    difference = np.abs(original - exported).max()
    return [{"same digit": int(same.sum()), "largest difference": float(difference)}]


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure, store and print: `python -m benchmarks.reading [TABLE …]`."""
    reader = DigitReader()
    measures: dict[str, Callable[[Mnist], list[dict]]] = {
        "path": lambda mnist: measure_path(mnist, reader),
        "start": lambda mnist: measure_start(),
        "many": measure_many,
        "photos": lambda mnist: measure_photos(mnist, reader),
        "folder": measure_folder,
        "export": lambda mnist: measure_export(mnist, reader),
    }
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.reading",
        description="Measure what reading pictures costs and loses.",
    )
    parser.add_argument("tables", nargs="*", metavar="TABLE", help=f"of {', '.join(measures)}")
    names = parser.parse_args(arguments).tables or list(measures)
    if unknown := [name for name in names if name not in measures]:
        parser.error(f"there is no table {unknown[0]!r}; choose from {', '.join(measures)}")
    with ending_in_one_sentence():
        mnist = load_mnist(full=True)
    for name in names:
        rows = measures[name](mnist)
        print(pd.DataFrame(rows).round(4).to_string(index=False), end="\n\n", flush=True)
        store("reading", {f"reading_{name}": [row | machine() for row in rows]})


if __name__ == "__main__":
    main()
