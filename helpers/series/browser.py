"""Writes the networks for the pad of the site, which runs them in the browser.

The pad is plain JavaScript (`site/_static/pad`). It loads one script: for each network a list of
layers, and their weights in half precision, as text, so that it works from a file as well as from a
server.
"""

import base64
import json
from pathlib import Path

from helpers.errors import ModelFileError
from helpers.files import atomic_write
from helpers.learning.backend import keras, layers
from helpers.learning.likeness import LEAST_PROBABILITY
from helpers.reading import LIKE_A_DIGIT, SURE

import numpy as np

WEIGHTS_SCRIPT = "weights.js"
# What does nothing once a network is trained.
IDLE = (layers.InputLayer, layers.Dropout)

Layer = tuple[dict, list[np.ndarray]]


def describe_layer(layer: layers.Layer) -> Layer:
    """Describe a layer for the browser, and list its weights in the order of its computation.

    Raises:
        ModelFileError: If the pad knows no such layer.
    """
    match layer:
        case layers.Rescaling():
            return {"kind": "affine", "count": 1}, _halves([layer.scale], [layer.offset])
        case layers.Normalization():
            mean, variance = (np.ravel(part) for part in (layer.mean, layer.variance))
            factor = 1 / np.sqrt(variance)
            return {"kind": "affine", "count": len(factor)}, _halves(factor, -mean * factor)
        case layers.BatchNormalization():
            factor, shift = _folded(layer)
            return {"kind": "affine", "count": len(factor)}, _halves(factor, shift)
        case layers.Conv2D() if layer.strides == (1, 1):
            size, _, channels, filters = layer.kernel.shape
            described = {"kind": "convolution", "size": size, "channels": channels}
            described |= {"filters": filters, "padding": layer.padding}
            return described | _activation(layer), _halves(*_kernel_and_bias(layer))
        case layers.Dense():
            inputs, outputs = layer.kernel.shape
            described = {"kind": "dense", "inputs": inputs, "outputs": outputs}
            return described | _activation(layer), _halves(*_kernel_and_bias(layer))
        case layers.MaxPooling2D() if layer.pool_size == layer.strides:
            return {"kind": "pooling", "size": layer.pool_size[0]}, []
        case layers.ReLU():
            return {"kind": "relu"}, []
        case layers.Flatten():
            return {"kind": "flatten"}, []
    raise ModelFileError(f"The pad of the site knows no layer like {layer.name}.")


def _kernel_and_bias(layer: layers.Layer) -> tuple[np.ndarray, np.ndarray]:
    kernel = np.asarray(layer.kernel)
    return kernel, np.asarray(layer.bias) if layer.use_bias else np.zeros(kernel.shape[-1])


def _activation(layer: layers.Layer) -> dict:
    return {"activation": layer.activation.__name__}


def _folded(layer: layers.BatchNormalization) -> tuple[np.ndarray, np.ndarray]:
    """Batch normalisation as it is after training: one factor and one shift for each channel."""
    mean, variance = np.asarray(layer.moving_mean), np.asarray(layer.moving_variance)
    scale = 1 / np.sqrt(variance + layer.epsilon)
    scale = scale * np.asarray(layer.gamma) if layer.scale else scale
    shift = -mean * scale
    return scale, shift + np.asarray(layer.beta) if layer.center else shift


def _halves(*parts: np.ndarray | list[float]) -> list[np.ndarray]:
    return [np.asarray(part, "<f2") for part in parts]


def write_networks(
    model_files: dict[str, Path], folder: Path, heads: dict[str, Path] | None = None
) -> Path:
    """Write the script from which the pad takes its networks.

    Args:
        model_files: By name, sequential models of the series, in Keras' format.
        folder: Where the script goes.
        heads: By the name of its network, the head that tells digits from what is none.

    Returns:
        Its path.

    Raises:
        ModelFileError: If the pad knows no layer of some kind in one of them.
    """
    networks = {name: _network(model_file) for name, model_file in model_files.items()}
    for name, head in (heads or {}).items():
        networks[name]["head"] = _described(head) | {"leastProbability": LEAST_PROBABILITY}
    folder.mkdir(parents=True, exist_ok=True)
    with atomic_write(folder / WEIGHTS_SCRIPT) as unfinished:
        unfinished.write_text(f"var digitNetworks = {json.dumps(networks)};\n", encoding="utf-8")
    return folder / WEIGHTS_SCRIPT


def _network(model_file: Path) -> dict:
    return _described(model_file) | {"sure": SURE, "likeADigit": LIKE_A_DIGIT}


def _described(model_file: Path) -> dict:
    model = keras.saving.load_model(model_file)
    described = [describe_layer(layer) for layer in model.layers if not isinstance(layer, IDLE)]
    weights = b"".join(part.tobytes() for _, parts in described for part in parts)
    return {
        "layers": [layer for layer, _ in described],
        "weights": base64.b64encode(weights).decode("ascii"),
    }
