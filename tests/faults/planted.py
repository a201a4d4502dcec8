"""Plants one fault at a time in a copy of the project; the tests must notice each.

`python -m tests.faults.planted [WORD …]` plants all faults, or those whose name contains one of the
words, and writes `planted.txt` if it planted all.
"""

import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from tests.faults.tables import PROJECT, write_table

NOT_COPIED = shutil.ignore_patterns(
    ".git", ".venv", "build", "__pycache__", ".*_cache", "*.egg-info"
)

# Many tests wait for a process or a time-out, and leave a core idle.
SIDE_BY_SIDE = 2

# The first looks for the right text, so it would notice every fault; the second reads the
# table that is being made.
NOT_RUN = (
    "tests/faults/test_faults.py::test_the_text_to_be_spoilt_stands_in_the_code_once",
    "tests/faults/test_faults.py::test_each_planted_fault_was_noticed",
)


@dataclass(frozen=True)
class Fault:
    """A text of a file, and a wrong one that replaces it.

    Attributes:
        name: What is wrong then.
        file: Path below `helpers`.
        right: The right text, which occurs in the file once.
        wrong: The text that replaces it.
    """

    name: str
    file: str
    right: str
    wrong: str


FAULTS = (
    Fault(
        "images transposed when they are read",
        "data.py",
        "return values.reshape(shape)",
        "return values.reshape(shape).swapaxes(-1, len(shape) // 2)",
    ),
    Fault(
        "labels shifted by one",
        "data.py",
        "images, labels.astype(np.uint8), test_size=1000",
        "images, (labels.astype(np.uint8) + 1) % 10, test_size=1000",
    ),
    Fault(
        "test digits of the sample are also training digits",
        "data.py",
        'return Mnist(x_train, y_train, x_test, y_test, source="sample")',
        'return Mnist(images, labels.astype(np.uint8), x_test, y_test, source="sample")',
    ),
    Fault(
        "a wrong checksum is accepted",
        "data.py",
        "and hashlib.sha256(array.tobytes())",
        "or hashlib.sha256(array.tobytes())",
    ),
    Fault(
        "scaling left out",
        "learning/models.py",
        'layers.Rescaling(1 / 255, name="scale"),\n        layers.Normalization',
        'layers.Rescaling(1.0, name="scale"),\n        layers.Normalization',
    ),
    Fault(
        "statistics taken from the test set",
        "learning/models.py",
        "PIXEL_MEAN, PIXEL_STD = 0.1307, 0.3081",
        "PIXEL_MEAN, PIXEL_STD = 0.1325, 0.3105",
    ),
    Fault(
        "standard deviation instead of variance",
        "learning/models.py",
        "variance=PIXEL_STD**2",
        "variance=PIXEL_STD",
    ),
    Fault(
        "softmax twice",
        "learning/models.py",
        '        ],\n        name=f"{size}_cnn"',
        '            layers.Softmax(),\n        ],\n        name=f"{size}_cnn"',
    ),
    Fault(
        "batch normalisation never follows its statistics",
        "learning/models.py",
        "layers.BatchNormalization(momentum=0.9)",
        "layers.BatchNormalization(momentum=1.0)",
    ),
    Fault(
        "a fold trains on its validation part",
        "learning/trials.py",
        "images[trial.train_on],\n        labels[trial.train_on],",
        "images,\n        labels,",
    ),
    Fault(
        "folds are not stratified",
        "learning/trials.py",
        "StratifiedKFold(folds, shuffle=True, random_state=seed)",
        "__import__('sklearn.model_selection').model_selection.KFold(\n"
        "        folds, shuffle=True, random_state=seed\n    )",
    ),
    Fault(
        "all folds are trained with one seed",
        "learning/trials.py",
        "_Trial(*split, seed + fold, recipe)",
        "_Trial(*split, seed, recipe)",
    ),
    Fault(
        "the best epoch instead of the last",
        "learning/trials.py",
        "scores = [accuracy(probabilities[part], labels[part]) for _, part in splits]",
        'scores = [history["val_accuracy"].max() for _, history in trained]',
    ),
    Fault(
        "standard deviation of a population",
        "learning/trials.py",
        "self.scores.std(ddof=1)",
        "self.scores.std()",
    ),
    Fault(
        "dropout active in prediction",
        "learning/evaluation.py",
        "return model.predict(images, batch_size=1000, verbose=0)",
        "return model(images, training=True).numpy()",
    ),
    Fault(
        "predictions lose their order",
        "learning/trials.py",
        "probabilities[validate_on] = predicted",
        "probabilities[np.random.permutation(validate_on)] = predicted",
    ),
    Fault(
        "the schedule ends early",
        "learning/training.py",
        "steps=len(batches) * recipe.epochs",
        "steps=len(batches) * recipe.epochs // 2",
    ),
    Fault(
        "no warm-up",
        "learning/training.py",
        "rising = max(1, round(warmup * steps))",
        "rising = 1",
    ),
    Fault(
        "the validation part is trained on",
        "learning/training.py",
        "batches = training_batches(\n        images,\n        one_hot(labels),",
        "batches = training_batches(\n"
        "        np.concatenate([images, validation[0]]) if validation else images,\n"
        "        one_hot(np.concatenate([labels, validation[1]]) if validation else labels),",
    ),
    Fault(
        "label smoothing forgotten",
        "learning/training.py",
        "label_smoothing=recipe.label_smoothing",
        "label_smoothing=0.0",
    ),
    Fault(
        "the seed is ignored",
        "learning/training.py",
        "keras.utils.set_random_seed(seed)",
        "pass",
    ),
    Fault(
        "images shuffled without their labels",
        "learning/augmentation.py",
        "(images[indices], labels[indices])",
        "(images[np.random.permutation(indices)], labels[indices])",
    ),
    Fault(
        "no shuffling at all",
        "learning/augmentation.py",
        "tf.data.Dataset.range(len(images)).shuffle(len(images), seed=seed)",
        "tf.data.Dataset.range(len(images))",
    ),
    Fault(
        "the last images of an epoch left out",
        "learning/augmentation.py",
        "seed=seed).batch(batch_size)",
        "seed=seed).batch(\n        batch_size, drop_remainder=True\n    )",
    ),
    Fault(
        "all images of a batch warped alike",
        "learning/augmentation.py",
        "tf.random.stateless_uniform((6, tf.shape(images)[0]), seed, minval=-1, maxval=1)",
        "tf.random.stateless_uniform((6, 1), seed, minval=-1, maxval=1) * tf.ones(\n"
        "        (1, tf.shape(images)[0])\n    )",
    ),
    Fault(
        "warps around a corner instead of the centre",
        "learning/augmentation.py",
        "centre = (size - 1) / 2",
        "centre = 0",
    ),
    Fault(
        "each epoch is augmented alike",
        "learning/augmentation.py",
        "rerandomize_each_iteration=True",
        "rerandomize_each_iteration=False",
    ),
    Fault(
        "thicker and thinner strokes exchanged for blur",
        "learning/augmentation.py",
        "thinner = -tf.nn.max_pool2d(-images, ksize=2",
        "thinner = tf.nn.avg_pool2d(images, ksize=2",
    ),
    Fault(
        "every digit gets the flag of a one",
        "learning/handwriting.py",
        "digits[index] == ONE, rng",
        "True, rng",
    ),
    Fault(
        "centre of mass swapped in x and y",
        "layout.py",
        "zip(mass_centre, box.shape, strict=True)",
        "zip(mass_centre[::-1], box.shape, strict=True)",
    ),
    Fault(
        "the bounding box is centred, not the mass",
        "layout.py",
        "mass_centre = ndimage.center_of_mass(box)",
        "mass_centre = [side / 2 for side in box.shape]",
    ),
    Fault(
        "aspect ratio lost",
        "layout.py",
        "shape = tuple(max(1, round(side * scale)) for side in ink.shape)",
        "shape = (BOX, BOX)",
    ),
    Fault(
        "polarity wrong",
        "reading/ink.py",
        "return grey if skewness < LEAST_SKEWNESS else 1 - grey",
        "return 1 - grey if skewness < LEAST_SKEWNESS else grey",
    ),
    Fault(
        "bright ink is never found",
        "reading/ink.py",
        "return grey if skewness < LEAST_SKEWNESS else 1 - grey",
        "return grey",
    ),
    Fault(
        "the light is taken to be even",
        "reading/ink.py",
        "< EVEN_LIGHT * max(paper, 0.5)).mean() > 0.8",
        "< 2).mean() > 0.8",
    ),
    Fault(
        "the camera's note of how it was held is ignored",
        "reading/pictures.py",
        "ImageOps.exif_transpose(image, in_place=True)",
        "pass",
    ),
    Fault(
        "transparent paper is black",
        "reading/pictures.py",
        "paper = 0.0 if visible_brightness > 0.5 else 1.0",
        "paper = 0.0",
    ),
    Fault(
        "rows are read from right to left",
        "reading/command.py",
        '" ".join(digit.text for digit in row)',
        '" ".join(digit.text for digit in reversed(row))',
    ),
    Fault(
        "everything is called sure",
        "reading/digits.py",
        'return self.verdict == "digit"',
        "return True",
    ),
    Fault(
        "pixels are scaled twice before prediction",
        "reading/network.py",
        "self._model.run(as_images(images).astype(np.float32))",
        "self._model.run(as_images(images).astype(np.float32) / 255)",
    ),
    Fault(
        "model files are written in place",
        "files.py",
        "        yield unfinished\n",
        "        yield path\n        unfinished.touch()\n        return\n",
    ),
    Fault(
        "code in model files is run",
        "learning/saving.py",
        "compile=False, safe_mode=True",
        "compile=False, safe_mode=False",
    ),
    Fault(
        "damaged weights are loaded",
        "learning/saving.py",
        "and archive.testzip() is None",
        "and True",
    ),
    Fault(
        "a checkpoint is found whatever the seed",
        "learning/training.py",
        "fingerprint(images, labels, seed, recipe, *(validation or ()))",
        "fingerprint(images, labels, recipe, *(validation or ()))",
    ),
    Fault(
        "a checkpoint is found whatever the data",
        "learning/checkpoints.py",
        "digest.update(np.ascontiguousarray(part).data)",
        "pass",
    ),
    Fault(
        "a continued training forgets the optimizer",
        "learning/checkpoints.py",
        "return [*model.variables, *model.optimizer.variables]",
        "return [*model.variables, model.optimizer.iterations]",
    ),
    Fault(
        "a continued training sees the first epochs' order again",
        "learning/training.py",
        "range(epochs_done * ITERATORS_PER_EPOCH)",
        "range(0)",
    ),
    Fault(
        "the network that scores best on the test set ships",
        "series/shipping.py",
        "return models[0], np.array(scores)",
        "return models[int(np.argmax(scores))], np.array(scores)",
    ),
)


def planted(fault: Fault, folder: Path) -> None:
    """Copy the project to a folder, with the fault in it.

    Raises:
        ValueError: If the right text does not occur in the file exactly once.
    """
    copy_project(folder)
    path = folder / "helpers" / fault.file
    text = path.read_text(encoding="utf-8")
    if text.count(fault.right) != 1:
        raise ValueError(f"{fault.name}: {fault.file} holds the text {text.count(fault.right)} ×.")
    path.write_text(text.replace(fault.right, fault.wrong), encoding="utf-8")


def copy_project(folder: Path) -> None:
    """Copy the project as it is to an existing folder."""
    shutil.copytree(PROJECT, folder, ignore=NOT_COPIED, dirs_exist_ok=True)


def noticed_by(folder: Path, module: str | None = None) -> str | None:
    """Find the first test that fails in a copy of the project; None if all pass.

    Args:
        folder: The copy.
        module: The helper whose own tests run first, to save time.
    """
    environment = os.environ | {"PYTHONPATH": str(folder), "PYTHONDONTWRITEBYTECODE": "1"}
    environment |= {"MNIST_DATA": "sample", "MNIST_MODELS": str(folder / "models")}
    own = [str(path) for path in (folder / "tests").rglob(f"test_{module}.py")]
    steps = [
        own,
        ["tests", "--ignore=tests/browser", *(f"--deselect={name}" for name in NOT_RUN)],
        ["notebooks", "--nbval-lax", "--nbval-current-env", "--nbval-cell-timeout=1200"],
    ]
    for arguments in filter(None, steps):
        run = subprocess.run(
            [sys.executable, "-m", "pytest", "-x", "-rfE", *arguments],
            cwd=folder, env=environment, capture_output=True, text=True,
        )  # fmt: skip
        if run.returncode:
            failed = re.search(r"^(?:FAILED|ERROR) (.+?)(?: - |$)", run.stdout, re.MULTILINE)
            return failed.group(1) if failed else "the tests could not be collected"
    return None


def main() -> int:
    """Run the campaign and write its table."""
    words = sys.argv[1:]
    chosen = [fault for fault in FAULTS if not words or any(word in fault.name for word in words)]
    with ThreadPoolExecutor(SIDE_BY_SIDE) as pool:
        compared = [] if words else [pool.submit(control)]
        rows = [row.result() for row in [*compared, *(pool.submit(tried, it) for it in chosen)]]
    if not words:
        write_table("planted", rows)
    return int(any(row["noticed by"] == "NOBODY" for row in rows))


def tried(fault: Fault) -> dict:
    """Plant a fault, run the tests, and return a row of the table."""
    start = time.perf_counter()
    with tempfile.TemporaryDirectory(prefix="planted-") as name:
        planted(fault, Path(name))
        test = noticed_by(Path(name), Path(fault.file).stem) or "NOBODY"
    print(f"{time.perf_counter() - start:5.0f} s  {fault.name}: {test}", flush=True)
    return {"fault": fault.name, "in": fault.file, "noticed by": test}


def control() -> dict:
    """Run the tests in a copy without a fault, where all must pass; return a row of the table.

    Raises:
        RuntimeError: If a test fails there, since it would seem to notice every fault.
    """
    with tempfile.TemporaryDirectory(prefix="planted-") as name:
        copy_project(Path(name))
        if test := noticed_by(Path(name)):
            raise RuntimeError(f"{test} fails without a fault")
    return {"fault": "none, for comparison", "in": "-", "noticed by": "nothing"}


if __name__ == "__main__":
    sys.exit(main())
