"""The networks of the series, from one layer to the one that ships, and what they cost.

Every network takes raw pixels, (n, 28, 28, 1) in 0 to 255, and returns ten
probabilities an image. Scaling and standardising are its first layers, so that
whoever loads a saved model cannot forget them. How a network is trained is the
business of `helpers.training`.
"""

import math
import random

from helpers.backend import keras, layers

import pandas as pd

IMAGE_SHAPE = (28, 28, 1)
CLASSES = 10

# Mean and standard deviation of the pixels of the full training set, in 0 to 1.
PIXEL_MEAN, PIXEL_STD = 0.1307, 0.3081


# The convolutions of our network, block by block: filters, and whether the map keeps
# its size ("same") or loses its rim ("valid").
NETWORKS = {
    "small": (
        ((24, "same"),),
        ((32, "valid"), (48, "valid")),
        ((64, "same"),),
    ),
    "large": (
        ((32, "same"),),
        ((48, "same"), (48, "valid"), (64, "same")),
        ((72, "same"), (96, "same")),
    ),
}


def normalisation_layers() -> list[layers.Layer]:
    """The layers that turn pixels in 0 to 255 into values of mean 0 and standard deviation 1."""
    return [
        layers.Rescaling(1 / 255, name="scale"),
        layers.Normalization(mean=PIXEL_MEAN, variance=PIXEL_STD**2, name="standardise"),
    ]


def build_softmax_regression() -> keras.Model:
    """Softmax regression: one weight for each pixel and class. 7,850 parameters."""
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
    """A perceptron with one hidden layer of `hidden` ReLU units."""
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
    """The network of the project that this series grew out of. 159,254 parameters.

    Its layers are written here from its published description; it divides pixels
    by 255 and does not standardise them.
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
    """The network of this series: three blocks of convolutions, each closed by pooling.

    Whatever is computed for each value of a feature map (pooling, normalisation,
    ReLU) takes about as long on a processor as the convolutions. So batch
    normalisation and ReLU come after the pooling that closes a block, when a quarter
    of the values is left, and the other convolutions go without normalisation.

    Args:
        size: "small" trains in a minute or two, "large" is worth ten; see `NETWORKS`.
        dropout: Share of the last feature map that is zeroed during training; of the
            map before the last block it is half as much.
        seed: Decides initial weights and dropout; by default Keras draws that from
            Python's own `random`, as `keras.utils.set_random_seed` has set it, but
            any other thread may draw from it meanwhile.

    Raises:
        KeyError: If there is no network of this size.
    """
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
    # As Keras itself draws, so that one seed gives one network either way.
    return chance and chance.randint(1, 10**9)


def _block(
    convolutions: tuple[tuple[int, str], ...], chance: random.Random | None
) -> list[layers.Layer]:
    def convolution(filters, padding, **options):
        kernel = keras.initializers.HeUniform(_draw(chance))
        return layers.Conv2D(filters, 3, padding=padding, kernel_initializer=kernel, **options)

    *plain, (filters, padding) = convolutions
    return [
        *(convolution(count, rim, activation="relu") for count, rim in plain),
        # No bias: batch normalisation subtracts the mean and adds an offset of its own.
        convolution(filters, padding, use_bias=False),
        layers.MaxPooling2D(),
        # Training is short: statistics with the default momentum of 0.99 would lag behind.
        layers.BatchNormalization(momentum=0.9),
        layers.ReLU(),
    ]


def multiply_adds(layer: layers.Layer) -> int:
    """Multiply-adds that one layer spends on one image; 0 unless it is dense or convolutional."""
    if isinstance(layer, layers.Conv2D):
        positions = math.prod(layer.output.shape[1:3])
        return positions * math.prod(layer.kernel.shape)
    if isinstance(layer, layers.Dense):
        return math.prod(layer.kernel.shape)
    return 0


def receptive_fields(model: keras.Model) -> list[int | None]:
    """How many input pixels, along one side, a value after each layer can depend on.

    Computed from kernel sizes and strides layer by layer, as in Araujo et al.,
    "Computing receptive fields of convolutional neural networks", Distill 2019.

    Returns:
        A number for each layer of the sequential model; None from the first
        layer on that flattens the image, since there every value sees all of it.
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
