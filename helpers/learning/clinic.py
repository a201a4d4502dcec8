"""Trainings that fail, to practise finding the cause: the patients of notebook 10.

Each patient is a small network whose training has one disease, a mistake that people make and
that raises no error. Which number has which disease is not written down here: a hash decides
it. The clinic hands out everything that an examination needs, and marks the diagnosis; the
examinations themselves are the notebook's.
"""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass, replace

from helpers.checks import CLASSES, as_images, as_labels, check_number
from helpers.data import Mnist
from helpers.learning.backend import keras, layers
from helpers.learning.models import IMAGE_SHAPE, PIXEL_MEAN, PIXEL_STD, normalisation_layers
from helpers.learning.training import history_frame

import numpy as np
import pandas as pd

# How many digits each training learns from, and is judged by.
LEARNED, JUDGED = 2000, 1000
EPOCHS, BATCH, HIDDEN = 12, 32, 64
LEARNING_RATE = 0.05
# It decides which number has which disease. It was chosen so that the notebook meets 1 to 8 in an
# order that suits its text.
SALT = "ward 14737"


@dataclass(frozen=True)
class Training:
    """What goes into a training; a disease changes some of it.

    Attributes:
        x_learn: Images to learn from, (n, 28, 28, 1), in the order in which they are stored.
        y_learn: Their labels, (n,) integers.
        x_judge: Images to validate on.
        y_judge: Their labels.
        learning_rate: Of plain stochastic gradient descent.
        hidden_bias: Where the biases of the hidden neurons start.
        softmaxes: How often the softmax is applied.
        shuffled: Whether each epoch draws a new order.
        prepare: What the program does to raw images before it hands them to its network.
    """

    x_learn: np.ndarray
    y_learn: np.ndarray
    x_judge: np.ndarray
    y_judge: np.ndarray
    learning_rate: float = LEARNING_RATE
    hidden_bias: float = 0.0
    softmaxes: int = 1
    shuffled: bool = True
    prepare: Callable[[np.ndarray], np.ndarray] = lambda images: images


@dataclass(frozen=True)
class Disease:
    """A mistake in a training.

    Attributes:
        spoil: Makes it, in a healthy training.
        sign: What an examination finds then.
        cure: What to do.
        line: How it looks in a program.
    """

    spoil: Callable[[Training], Training]
    sign: str
    cure: str
    line: str


def _shift_labels(healthy: Training) -> Training:
    return replace(healthy, y_learn=(healthy.y_learn + 1) % CLASSES)


def _transpose(healthy: Training) -> Training:
    x_learn, x_judge = (images.swapaxes(1, 2) for images in (healthy.x_learn, healthy.x_judge))
    return replace(healthy, x_learn=x_learn, x_judge=x_judge)


def _standardise(images: np.ndarray) -> np.ndarray:
    return (np.asarray(images, np.float32) / 255 - PIXEL_MEAN) / PIXEL_STD


def _normalise_again(healthy: Training) -> Training:
    x_learn, x_judge = map(_standardise, (healthy.x_learn, healthy.x_judge))
    return replace(healthy, x_learn=x_learn, x_judge=x_judge, prepare=_standardise)


def _sort(healthy: Training) -> Training:
    order = np.argsort(healthy.y_learn, kind="stable")
    x_learn, y_learn = healthy.x_learn[order], healthy.y_learn[order]
    return replace(healthy, x_learn=x_learn, y_learn=y_learn, shuffled=False)


def _learn_the_judges(healthy: Training) -> Training:
    x_learn = np.concatenate([healthy.x_learn, healthy.x_judge])
    y_learn = np.concatenate([healthy.y_learn, healthy.y_judge])
    order = np.random.default_rng(0).permutation(len(x_learn))
    return replace(healthy, x_learn=x_learn[order], y_learn=y_learn[order])


DISEASES = {
    "labels shifted by one": Disease(
        _shift_labels,
        "each digit would be read as the next one, and the labels would not fit the images",
        "Read images and labels from the same place, and look at some together.",
        "labels = [ord(character) - 47 for character in text]  # 48 is the code of 0",
    ),
    "images transposed": Disease(
        _transpose,
        "the images that go in would lie on their side, mirrored",
        "Swap rows and columns back where the file is read.",
        'loadmat(path)["images"].reshape(-1, 28, 28)  # MATLAB writes column by column',
    ),
    "pixels normalised twice": Disease(
        _normalise_again,
        "the pixels that reach the network would all be nearly the same number",
        "Normalise in one place, best inside the model.",
        "model.fit((images / 255 - 0.1307) / 0.3081, …), and the same two layers in the model",
    ),
    "softmax twice": Disease(
        lambda healthy: replace(healthy, softmaxes=2),
        "one batch could not be learned to a loss below 1.46",
        "Take one softmax away, or tell the loss that it gets scores.",
        'Dense(10, activation="softmax"), and a loss with from_logits=True',
    ),
    "learning rate 100 times too high": Disease(
        lambda healthy: replace(healthy, learning_rate=100 * healthy.learning_rate),
        "the first step would be longer than the weights themselves",
        "Divide the learning rate by ten until the loss falls.",
        "SGD(learning_rate=5)",
    ),
    "digits sorted, not shuffled": Disease(
        _sort,
        "the first batch would hold one digit only",
        "Shuffle before each epoch.",
        "model.fit(images, labels, shuffle=False), from files that lie in ten folders",
    ),
    "validation digits in training": Disease(
        _learn_the_judges,
        "digits to judge by would also be among those to learn from",
        "Split first, prepare afterwards, and count what is in both parts.",
        "model.fit(images, labels, validation_data=(images[:1000], labels[:1000]))",
    ),
    "neurons dead from the start": Disease(
        lambda healthy: replace(healthy, hidden_bias=-100.0),
        "the hidden neurons would answer to no image even before the first step",
        "Start the weights as Keras does: small and random, the biases at 0.",
        'Dense(64, "relu", bias_initializer=Constant(-100))',
    ),
}


@dataclass(frozen=True)
class Patient:
    """A training, with all that an examination may look at.

    Attributes:
        number: Its number; 0 is the healthy one.
        x_learn: Images to learn from, as they were handed to the network, (n, 28, 28, 1).
        y_learn: Their labels, (n,) integers.
        x_judge: Images to validate on, likewise.
        y_judge: Their labels.
        model: The trained network; its layers "flatten" and "hidden" have these names.
        history: A row for each epoch: "epoch", "loss", "accuracy", "val_loss", "val_accuracy".
    """

    number: int
    x_learn: np.ndarray
    y_learn: np.ndarray
    x_judge: np.ndarray
    y_judge: np.ndarray
    model: keras.Model
    history: pd.DataFrame
    _training: Training

    def fresh_model(self) -> keras.Model:
        """Build the network as it was before its training, compiled with the same recipe."""
        return _build(self._training, seed=self.number)

    def read(self, images: np.ndarray) -> np.ndarray:
        """Read digits as this program does in use, whatever it does to them first.

        Args:
            images: (n, 28, 28) or (n, 28, 28, 1), 0 to 255.

        Returns:
            The answers, (n,) integers.
        """
        prepared = self._training.prepare(as_images(images))
        return self.model.predict(prepared, batch_size=1000, verbose=0).argmax(axis=1)


class Clinic:
    """Admits patients, and marks diagnoses. The digits of `mnist.judge` stay outside."""

    def __init__(self, mnist: Mnist):
        """Open the clinic.

        Args:
            mnist: Patients learn from `mnist.learn`, and are validated on other digits of it.
        """
        self._images = mnist.x_train[mnist.learn][..., np.newaxis]
        self._labels = mnist.y_train[mnist.learn]
        self._patients: dict[int, Patient] = {}

    @property
    def diseases(self) -> list[str]:
        """The names by which `diagnose` knows them, in alphabetical order."""
        return sorted(DISEASES)

    def control(self) -> Patient:
        """Train the same small network without any disease, to compare with."""
        return self._train(0, self._healthy(0))

    def admit(self, number: int) -> Patient:
        """Train a patient, in a few seconds; the second time it is there at once.

        Args:
            number: 1 or more. Numbers 1 to 8 have a different disease each; any further
                one is a new patient with one of them.

        Raises:
            ArgumentError: If it is not a whole number from 1.
        """
        check_number(number, "the number of a patient", 1, whole=True)
        spoil = DISEASES[disease_of(number)].spoil
        return self._train(number, spoil(self._healthy(number)))

    def own(
        self, x_learn: np.ndarray, y_learn: np.ndarray, x_judge: np.ndarray, y_judge: np.ndarray
    ) -> Patient:
        """Train the healthy network on digits of your own choice.

        Args:
            x_learn: Images to learn from, (n, 28, 28) or (n, 28, 28, 1), 0 to 255.
            y_learn: Their labels, (n,) integers.
            x_judge: Images to validate on.
            y_judge: Their labels.

        Raises:
            ArgumentError: If images or labels are unusable.
        """
        x_learn, x_judge = as_images(x_learn), as_images(x_judge)
        y_learn, y_judge = as_labels(y_learn, len(x_learn)), as_labels(y_judge, len(x_judge))
        return _trained(0, Training(x_learn, y_learn, x_judge, y_judge))

    def diagnose(self, number: int, disease: str) -> str:
        """Mark a diagnosis.

        Args:
            number: Of the patient.
            disease: One of `diseases`.

        Returns:
            If it is right, the cure and a line of a program with this mistake; else what speaks
            against it.

        Raises:
            ArgumentError: If the number is not a whole number from 1.
        """
        check_number(number, "the number of a patient", 1, whole=True)
        if disease not in DISEASES:
            return f"Your turn: name one of: {'; '.join(self.diseases)}."
        if disease == disease_of(number):
            found = DISEASES[disease]
            return (
                f"Right, patient {number} has: {disease}. {found.cure}\nIn a program: {found.line}"
            )
        return f"No. With {disease}, {DISEASES[disease].sign}."

    def _healthy(self, number: int) -> Training:
        order = np.random.default_rng(number).permutation(len(self._images))
        learn, judge = order[:LEARNED], order[LEARNED : LEARNED + JUDGED]
        return Training(
            self._images[learn], self._labels[learn], self._images[judge], self._labels[judge]
        )

    def _train(self, number: int, training: Training) -> Patient:
        if number not in self._patients:
            self._patients[number] = _trained(number, training)
        return self._patients[number]


def disease_of(number: int) -> str:
    """Say which disease a patient has: 1 to 8 have one each, a hash decides about the others."""
    if number <= len(DISEASES):
        return sorted(DISEASES, key=_hashed)[number - 1]
    return sorted(DISEASES)[int.from_bytes(_hashed(str(number))) % len(DISEASES)]


def _hashed(text: str) -> bytes:
    return hashlib.sha256(f"{SALT}: {text}".encode()).digest()


def _build(training: Training, seed: int) -> keras.Model:
    keras.utils.set_random_seed(seed)
    hidden_bias = keras.initializers.Constant(training.hidden_bias)
    model = keras.Sequential(
        [
            layers.Input(IMAGE_SHAPE),
            *normalisation_layers(),
            layers.Flatten(name="flatten"),
            layers.Dense(HIDDEN, "relu", bias_initializer=hidden_bias, name="hidden"),
            layers.Dense(CLASSES, name="scores"),
            *(layers.Softmax() for _ in range(training.softmaxes)),
        ]
    )
    optimizer = keras.optimizers.SGD(training.learning_rate)
    model.compile(optimizer, "sparse_categorical_crossentropy", metrics=["accuracy"])
    return model


def _trained(number: int, training: Training) -> Patient:
    model = _build(training, seed=number)
    fitted = model.fit(
        training.x_learn,
        training.y_learn,
        validation_data=(training.x_judge, training.y_judge),
        validation_batch_size=1000,
        batch_size=BATCH,
        epochs=EPOCHS,
        shuffle=training.shuffled,
        verbose=0,
    )
    return Patient(
        number,
        training.x_learn,
        training.y_learn,
        training.x_judge,
        training.y_judge,
        model,
        history_frame(fitted.history),
        training,
    )
