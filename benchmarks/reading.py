"""What reading pictures costs and loses: `python -m benchmarks.reading`, about twenty minutes.

Five questions, one table each in `results/`: how many of MNIST's test digits are
misread once they have been turned into pictures; how long `predict.py` takes and how
much memory, against the same with TensorFlow; how many pictures a second it reads, and
whether its memory grows with their number; what a large folder takes, also when the
reading is killed half way and taken up again; whether the exported network answers like
the Keras model that it comes from. Nothing is chosen by any of them. Linux and macOS only.
"""

import argparse
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from benchmarks.measuring import machine
from benchmarks.results import store
from helpers.data import DataError, Mnist, load_mnist
from helpers.images import ImageError, read_image
from helpers.prediction import DigitReader
from helpers.saving import MODEL_FILE, PRETRAINED_FOLDER, load_model

import numpy as np
import pandas as pd
from PIL import Image

PROJECT = Path(__file__).parent.parent
PREDICT = [sys.executable, str(PROJECT / "predict.py")]
# The same command line, in a process that has TensorFlow in it, as most tutorials' has.
PREDICT_WITH_TENSORFLOW = [
    sys.executable,
    "-c",
    "import tensorflow, sys; from helpers.command import main; sys.exit(main(sys.argv[1:]))",
]
# A small process in between: on Linux, the peak memory of a process is never less than
# that of the one that started it, and this one has TensorFlow in it.
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


def as_png(digit: np.ndarray) -> Image.Image:
    """The digit as MNIST has it: white on black, 28 × 28."""
    return Image.fromarray(digit)


def inverted(digit: np.ndarray) -> Image.Image:
    """Black on white."""
    return Image.fromarray(255 - digit)


def pasted_at_ten_times_its_size(digit: np.ndarray) -> Image.Image:
    """Dark on grey paper, 280 × 280 on a page of 400 × 400."""
    enlarged = Image.fromarray(digit).resize((280, 280), Image.Resampling.BICUBIC)
    ink = np.pad(np.asarray(enlarged, float), 60) / 255
    return Image.fromarray(np.round(PAPER + (INK - PAPER) * ink).astype(np.uint8))


PICTURES = (as_png, inverted, pasted_at_ten_times_its_size)


def measure_path(mnist: Mnist, reader: DigitReader) -> list[dict]:
    """Read the test set directly, and each digit as a picture file in several forms.

    A picture counts as right only if exactly one digit is found, and it is the right one.
    """
    directly = reader.predict(mnist.x_test).argmax(axis=1) == mnist.y_test
    rows = [{"form": "the network alone", "wrong": int((~directly).sum())}]
    for picture in PICTURES:
        wrong = sum(
            not is_read(reader, picture(digit), label)
            for digit, label in zip(mnist.x_test, mnist.y_test, strict=True)
        )
        rows.append({"form": picture.__name__.replace("_", " "), "wrong": wrong})
    for row in rows:
        row["points lost"] = 100 * (row["wrong"] - rows[0]["wrong"]) / len(mnist.y_test)
    return rows


def is_read(reader: DigitReader, picture: Image.Image, label: int) -> bool:
    """Whether a picture, written as PNG and read again, shows this one digit."""
    with tempfile.TemporaryFile() as file:
        picture.save(file, "PNG")
        file.seek(0)
        try:
            digits = reader.read(read_image(file, "digit"))
        except ImageError:
            return False
    return [digit.digit for digit in digits] == [label]


def measure_start() -> list[dict]:
    """Time the whole process for one picture, with and without TensorFlow, in turn."""
    commands = {"predict.py": PREDICT, "with TensorFlow": PREDICT_WITH_TENSORFLOW}
    runs = {name: [] for name in commands}
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


def measure_folder(mnist: Mnist) -> list[dict]:
    """Read a folder of twenty thousand into a file: in one go, and killed half way.

    What a million would take is computed from that.
    """
    with tempfile.TemporaryDirectory() as name:
        folder, whole, broken = (Path(name) / part for part in ("pictures", "whole", "broken"))
        folder.mkdir()
        write_pictures(mnist, FOLDER, folder)
        seconds, megabytes = run([*PREDICT, "--output", str(whole), str(folder)])
        before = read_and_kill(folder, broken, FOLDER // 2)
        rest_seconds, rest_megabytes = run([*PREDICT, "--output", str(broken), str(folder)])
        same = whole.read_bytes() == broken.read_bytes()
    rows = [
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
                raise RuntimeError(f"predict.py ended with {process.returncode}, too early.")
            time.sleep(0.2)
        process.kill()
    return output.read_bytes().count(b"\n")


def write_pictures(mnist: Mnist, count: int, folder: Path) -> None:
    """Write test digits, black on white, 28 × 28 to 500 × 500, as PNG; over and over if need be."""
    rng = np.random.default_rng(0)
    for number in range(count):
        side = int(np.exp(rng.uniform(np.log(28), np.log(500))))
        digit = mnist.x_test[number % len(mnist.x_test)]
        picture = inverted(digit).resize((side, side), Image.Resampling.BICUBIC)
        picture.save(folder / f"{number:05}.png")


def run(command: Sequence[str]) -> tuple[float, float]:
    """Run a command to its end.

    Returns:
        Seconds, and the most memory that it held, in MB (10^6 bytes).
    """
    launched = [sys.executable, "-c", LAUNCHER, *command]
    done = subprocess.run(launched, cwd=PROJECT, capture_output=True, text=True, check=True)
    seconds, memory = done.stdout.split()
    scale = 1 if sys.platform == "darwin" else 1024
    return float(seconds), int(memory) * scale / 1e6


def measure_export(mnist: Mnist, reader: DigitReader) -> list[dict]:
    """Compare the exported network with the Keras model on the whole test set."""
    model = load_model(PRETRAINED_FOLDER / MODEL_FILE)
    original = model.predict(mnist.x_test[..., None], batch_size=1000, verbose=0)
    exported = reader.predict(mnist.x_test)
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
        "folder": measure_folder,
        "export": lambda mnist: measure_export(mnist, reader),
    }
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.reading", description=__doc__.split(":")[0] + "."
    )
    parser.add_argument("tables", nargs="*", metavar="TABLE", help=f"of {', '.join(measures)}")
    names = parser.parse_args(arguments).tables or list(measures)
    if unknown := [name for name in names if name not in measures]:
        parser.error(f"there is no table {unknown[0]!r}; choose from {', '.join(measures)}")
    os.environ["MNIST_DATA"] = "full"
    try:
        mnist = load_mnist()
    except DataError as error:
        sys.exit(f"error: {error}")
    for name in names:
        rows = measures[name](mnist)
        print(pd.DataFrame(rows).round(4).to_string(index=False), end="\n\n", flush=True)
        store("reading", {f"reading_{name}": [row | machine() for row in rows]})


if __name__ == "__main__":
    main()
