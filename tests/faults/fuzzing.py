"""Damages pictures and model files at random; each must be read, or refused in one sentence.

`python -m tests.faults.fuzzing` tries 20,000 pictures and 1,000 model files, and limits time and
memory; `make test` tries a few. Hypothesis does the damage and shrinks what it finds.
"""

import io
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path

from helpers.places import PRETRAINED_LITERT
from helpers.reading.pictures import PictureError, open_picture
from helpers.reading.reader import DigitReader
from tests.faults.tables import PROJECT, write_table

import numpy as np
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st
from PIL import Image, ImageDraw

SEED = 0
PICTURES, MODELS = 20_000, 1_000
LONGEST_SECONDS, MOST_MEGABYTES = 2.0, 500
# Bytes with which sizes and offsets overflow.
EXTREMES = (b"\x00", b"\xff", b"\x7f", b"\x80\x00", b"\xff\xff\xff\xff", b"\x7f\xff\xff\xff")


def drawn_seven(mode: str = "L") -> Image.Image:
    """Draw a dark seven on light paper, 60 × 80."""
    picture = Image.new("L", (60, 80), 235)
    pen = ImageDraw.Draw(picture)
    pen.line([(12, 14), (42, 16), (24, 66)], fill=40, width=7, joint="curve")
    return picture.convert(mode)


def whole_pictures() -> dict[str, bytes]:
    """Pack the pictures to damage, by format and mode."""
    wide = Image.fromarray(np.asarray(drawn_seven(), np.uint16) * 257)
    packed = {
        "PNG": [drawn_seven(), drawn_seven("RGBA"), drawn_seven("P"), drawn_seven("1"), wide],
        "JPEG": [drawn_seven(), drawn_seven("RGB"), drawn_seven("CMYK")],
        "GIF": [drawn_seven("P")],
        "BMP": [drawn_seven(), drawn_seven("RGB")],
        "TIFF": [drawn_seven(), drawn_seven("F"), drawn_seven("CMYK"), wide],
        "WEBP": [drawn_seven("RGB")],
        "PPM": [drawn_seven()],
        "JPEG2000": [drawn_seven()],
        "AVIF": [drawn_seven("RGB")],
    }
    pictures = {}
    for picture_format, variants in packed.items():
        for picture in variants:
            content = io.BytesIO()
            picture.save(content, picture_format)
            pictures[f"{picture_format} {picture.mode}"] = content.getvalue()
    return pictures


@st.composite
def damaged(draw: Callable, contents: dict[str, bytes]) -> tuple[str, bytes]:
    """Draw a name, and its content after one to six cuts, changes, repetitions or insertions."""
    name = draw(st.sampled_from(sorted(contents)))
    content = bytearray(contents[name])
    for _ in range(draw(st.integers(1, 6))):
        # Half of the damage is near the beginning, which holds sizes and types.
        ends = st.sampled_from([64, len(content)])
        place = draw(st.integers(0, min(draw(ends), len(content))))
        match draw(st.integers(0, 4)):
            case 0:
                del content[place : place + draw(st.integers(1, 400))]
            case 1:
                content[place : place + 1] = draw(st.binary(min_size=1, max_size=1))
            case 2:
                extreme = draw(st.sampled_from(EXTREMES))
                content[place : place + len(extreme)] = extreme
            case 3:
                content[place:place] = content[place : place + draw(st.integers(1, 400))]
            case 4:
                del content[place:]
    return name, bytes(content)


def read_damaged_pictures(count: int, reader: DigitReader) -> list[dict]:
    """Read damaged pictures; whatever cannot be read must raise a `PictureError`.

    Returns:
        A row for each kind of picture: how many there were, how many were read and how many
        refused, and the longest processor time of one.

    Raises:
        Exception: Any other error, as Hypothesis reports it.
    """
    tried: Counter[str] = Counter()
    read: Counter[str] = Counter()
    longest: dict[str, float] = {}

    @seed(SEED)
    @settings(
        max_examples=count, deadline=None, database=None, phases=[Phase.generate, Phase.shrink],
        suppress_health_check=list(HealthCheck),
    )  # fmt: skip
    @given(damaged(whole_pictures()))
    def is_read_or_refused(picture: tuple[str, bytes]) -> None:
        name, content = picture
        start = time.thread_time()  # not the clock of a shared machine
        try:
            reader.read(open_picture(io.BytesIO(content), "picture"))
            read[name] += 1
        except PictureError as error:
            assert "\n" not in str(error) and str(error).endswith("."), error
        seconds = time.thread_time() - start
        tried[name] += 1
        longest[name] = max(longest.get(name, 0.0), seconds)
        assert seconds < LONGEST_SECONDS, f"{name} took {seconds:.1f} s"

    is_read_or_refused()
    return [
        {
            "kind": name,
            "tried": tried[name],
            "read": read[name],
            "refused": tried[name] - read[name],
            "longest": f"{longest[name]:.2f} s",
        }
        for name in sorted(tried)
    ]


# Loads model files one after another, and prints the name of each before it does.
LOADER = """
import sys
from pathlib import Path
from helpers.errors import ModelFileError
from helpers.reading.network import Network
import numpy as np
for path in sorted(Path(sys.argv[1]).iterdir()):
    print(path.name, flush=True)
    try:
        Network(path).predict(np.zeros((1, 28, 28)))
        print("loaded")
    except ModelFileError as error:
        assert str(path) in str(error)
        print("refused")
"""


def load_damaged_models(count: int) -> list[dict]:
    """Load damaged LiteRT files in a separate process, which must not crash.

    Returns:
        One row: how many there were, how many could be loaded and how many were refused.
    """
    rng = np.random.default_rng(SEED)
    whole = PRETRAINED_LITERT.read_bytes()
    with tempfile.TemporaryDirectory() as name:
        for number in range(count):
            content = bytearray(whole)
            if number % 4 == 0:
                del content[rng.integers(len(content)) :]
            else:
                # Most of the file is weights; the last part describes them.
                for place in rng.integers(len(content) * 98 // 100, len(content), number % 8):
                    content[place] = rng.integers(256)
            (Path(name) / f"{number:04}.tflite").write_bytes(content)
        run = subprocess.run(
            [sys.executable, "-c", LOADER, name], cwd=PROJECT, capture_output=True, text=True
        )
    lines = run.stdout.splitlines()
    if run.returncode:
        raise AssertionError(f"{lines[-1]}: the process ended with {run.returncode}: {run.stderr}")
    return [
        {
            "kind": "LiteRT file",
            "tried": count,
            "read": lines.count("loaded"),
            "refused": lines.count("refused"),
        }
    ]


def most_megabytes() -> float:
    """The peak memory of this process, in MB (10^6 bytes)."""
    scale = 1 if sys.platform == "darwin" else 1024
    import resource  # Unix only

    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * scale / 1e6


def main() -> int:
    """Run the campaign and write its table."""
    rows = read_damaged_pictures(PICTURES, DigitReader())
    megabytes = most_megabytes()
    rows += load_damaged_models(MODELS)
    rows.append({"kind": f"most memory: {megabytes:.0f} MB, limit {MOST_MEGABYTES} MB"})
    columns = ("kind", "tried", "read", "refused", "longest")
    write_table("fuzzing", [{name: row.get(name, "") for name in columns} for row in rows])
    return int(megabytes > MOST_MEGABYTES)


if __name__ == "__main__":
    sys.exit(main())
