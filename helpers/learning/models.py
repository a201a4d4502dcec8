"""The networks of the series, from one layer to the one that ships, and what they cost.

Every network takes raw pixels, (n, 28, 28, 1) in 0 to 255, and returns ten
probabilities per image. Scaling and standardising are its first layers, so that nobody
who loads a saved model can forget them. `helpers.learning.training` trains them.
"""

import math
import random

from helpers.checks import CLASSES, check_number
from helpers.errors import ArgumentError
from helpers.layout import SIZE
from helpers.learning.backend import keras, layers

import pandas as pd

IMAGE_SHAPE = (SIZE, SIZE, 1)

# Mean and standard deviation of the pixels of the full training set, in 0 to 1.
PIXEL_MEAN, PIXEL_STD = 0.1307, 0.3081


# The convolutions of our network, block by block: filters, and whether the map keeps
# its size ("same") or loses its rim ("valid").
NETWORKS = {
    "tiny": (
        ((8, "same"),),
        ((12, "same"), (16, "valid")),
        ((14, "same"), (14, "same")),
    ),
    "small": (
        ((24, "same"),),
        ((32, "valid"), (48, "valid")),
        ((64, "same"),),
    ),
    "large": (
        ((32, "same"),),
        ((48, "same"), (56, "valid"), (80, "same")),
        ((96, "same"), (112, "same")),
    ),
}


def normalisation_layers() -> list[layers.Layer]:
    """Make the layers that turn pixels, 0 to 255, into values of mean 0 and deviation 1."""
    return [
        layers.Rescaling(1 / 255, name="scale"),
        layers.Normalization(mean=PIXEL_MEAN, variance=PIXEL_STD**2, name="standardise"),
    ]


def build_softmax_regression() -> keras.Model:
    """Build softmax regression: one weight for each pixel and class. 7,850 parameters."""
    return keras.Sequential(
        [
            layers.Input(IMAGE_SHAPE),
            *normalisation_layers(),
            layers.Flatten(),
            layers.Dense(CLASSES, activation="softmax"),
        ],
        name="softmax_regression",
    )


def build_multilayer_perceptron(hidden: int = 128) -> keras.Model:
    """Build a perceptron with one hidden layer of `hidden` ReLU units."""
    return keras.Sequential(
        [
            layers.Input(IMAGE_SHAPE),
            *normalisation_layers(),
            layers.Flatten(),
            layers.Dense(hidden, activation="relu"),
            layers.Dense(CLASSES, activation="softmax"),
        ],
        name="multilayer_perceptron",
    )


def build_published_cnn() -> keras.Model:
    """Build the network of the project that this series grew out of. 159,254 parameters.

    Its layers follow its published description (github.com/Joy2469/
    Deep-Learning-MNIST---Handwritten-Digit-Recognition); it divides pixels by 255 and
    does not standardise them.
    """
    relu = {"activation": "relu", "kernel_initializer": "he_uniform"}
    return keras.Sequential(
        [
            layers.Input(IMAGE_SHAPE),
            layers.Rescaling(1 / 255, name="scale"),
            layers.Conv2D(32, 3, **relu),
            layers.MaxPooling2D(),
            layers.Conv2D(64, 3, **relu),
            layers.Conv2D(64, 3, **relu),
            layers.MaxPooling2D(),
            layers.Flatten(),
            layers.Dense(100, **relu),
            layers.Dense(CLASSES, activation="softmax"),
        ],
        name="published_cnn",
    )


def build_cnn(size: str = "small", dropout: float = 0.3, seed: int | None = None) -> keras.Model:
    """Build the network of this series: three blocks of convolutions, each ending in pooling.

    On a processor, what is computed for each value of a feature map (pooling,
    normalisation, ReLU) takes about as long as the convolutions. So batch normalisation
    and ReLU follow the pooling that ends a block, when a quarter of the values is left,
    and the other convolutions go without normalisation.

    Args:
        size: "small" trains in a minute or two, "large" takes about six. "tiny" shows how few
            parameters suffice, 7,892. See `NETWORKS`.
        dropout: Share of the last feature map that is zeroed during training, 0 to below
            1; half as much of the map before the last block.
        seed: Decides initial weights and dropout. By default Keras draws it from Python's
            `random`, seeded by `keras.utils.set_random_seed`; but any other thread may
            draw from that meanwhile.

    Raises:
        ArgumentError: If there is no network of this size, or dropout is out of range.
    """
    if size not in NETWORKS:
        raise ArgumentError(f"There is no network {size!r}; choose from {', '.join(NETWORKS)}.")
    check_number(dropout, "dropout", 0, 1, below=True)
    first, middle, last = NETWORKS[size]
    chance = None if seed is None else random.Random(seed)
    return keras.Sequential(
        [
            layers.Input(IMAGE_SHAPE),
            *normalisation_layers(),
            *_block(first, chance),
            *_block(middle, chance),
            layers.Dropout(dropout / 2, seed=_draw(chance)),
            *_block(last, chance),
            layers.Flatten(),
            layers.Dropout(dropout, seed=_draw(chance)),
            layers.Dense(
                CLASSES,
                activation="softmax",
                kernel_initializer=keras.initializers.GlorotUniform(_draw(chance)),
            ),
        ],
        name=f"{size}_cnn",
    )


def _draw(chance: random.Random | None) -> int | None:
    # The way Keras itself draws, so that a seed gives the same network either way.
    return None if chance is None else chance.randint(1, 10**9)


def _block(
    convolutions: tuple[tuple[int, str], ...], chance: random.Random | None
) -> list[layers.Layer]:
    def convolution(filters: int, padding: str, **options: object) -> layers.Layer:
        kernel = keras.initializers.HeUniform(_draw(chance))
        return layers.Conv2D(filters, 3, padding=padding, kernel_initializer=kernel, **options)

    *plain, (filters, padding) = convolutions
    return [
        *(convolution(count, rim, activation="relu") for count, rim in plain),
        # No bias, since batch normalisation subtracts the mean and adds its own offset.
        convolution(filters, padding, use_bias=False),
        layers.MaxPooling2D(),
        # In so short a training, statistics with the default momentum of 0.99 would lag.
        layers.BatchNormalization(momentum=0.9),
        layers.ReLU(),
    ]


def multiply_adds(layer: layers.Layer) -> int:
    """Multiply-adds of one layer for one image; 0 unless it is dense or convolutional."""
    if isinstance(layer, layers.Conv2D):
        positions = math.prod(layer.output.shape[1:3])
        return positions * math.prod(layer.kernel.shape)
    if isinstance(layer, layers.Dense):
        return math.prod(layer.kernel.shape)
    return 0


def receptive_fields(model: keras.Model) -> list[int | None]:
    """Count the input pixels, along one side, on which a value after each layer depends.

    Computed from kernel sizes and strides layer by layer, as in Araujo et al.,
    "Computing receptive fields of convolutional neural networks", Distill 2019.

    Returns:
        A number for each layer of the sequential model; None from the layer that
        flattens the image on, after which every value sees all of it.
    """
    fields: list[int | None] = []
    field, step = 1, 1
    for layer in model.layers:
        if (fields and fields[-1] is None) or isinstance(layer, layers.Flatten):
            fields.append(None)
            continue
        if isinstance(layer, layers.Conv2D | layers.MaxPooling2D):
            kernel = layer.kernel_size if isinstance(layer, layers.Conv2D) else layer.pool_size
            field += (kernel[0] - 1) * step
            step *= layer.strides[0]
        fields.append(field)
    return fields


def layer_table(model: keras.Model) -> pd.DataFrame:
    """List the layers of a sequential model with their sizes and costs.

    Returns:
        A row for each layer, indexed by its kind, with the columns "output"
        (shape without the batch), "parameters", "multiply-adds" (an image) and
        "receptive field" (pixels along one side; 28 where the whole image counts).
    """
    rows = [
        {
            "layer": type(layer).__name__,
            "output": " × ".join(str(size) for size in layer.output.shape[1:]),
            "parameters": layer.count_params(),
            "multiply-adds": multiply_adds(layer),
            "receptive field": IMAGE_SHAPE[0] if field is None else min(field, IMAGE_SHAPE[0]),
        }
        for layer, field in zip(model.layers, receptive_fields(model), strict=True)
    ]
    return pd.DataFrame(rows).set_index("layer")
