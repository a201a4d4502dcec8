"""Muon, the optimizer, for the kernels of convolutions.

Keras provides Muon for matrices and leaves everything else, kernels of convolutions
included, to AdamW. This module adds that case, and leaves the dense layer to AdamW, as
Muon's authors advise for the last layer.
"""

import math

from helpers.learning.backend import keras, tf


@keras.saving.register_keras_serializable("helpers")
class ConvolutionMuon(keras.optimizers.Muon):
    """Muon for convolutions, AdamW for the rest (dense layers, biases, normalisation).

    After Jordan et al., "Muon: an optimizer for hidden layers in neural networks",
    2024: the running average of the gradients is replaced by the nearest orthogonal
    matrix, so that a step changes the kernel equally in all directions instead of mostly
    in the few strongest ones. A kernel (rows, columns, channels in, channels
    out) is treated as a matrix with one column for each filter, as in that work. Steps
    are scaled as in Liu et al., "Muon is scalable for LLM training", 2025
    (arXiv:2502.16982), so that AdamW's learning rates and weight decay fit.

    Arguments are those of `keras.optimizers.Muon`.
    """

    # Keras offers no public way to choose, so this overrides a private method of 3.15.
    def _should_use_adamw(self, variable: keras.Variable) -> bool:
        return len(variable.shape) != 4

    def zeropower_via_newtonschulz5(self, x: tf.Tensor, steps: int) -> tf.Tensor:
        """Orthogonalise a kernel, (rows, columns, channels in, channels out), as a matrix."""
        matrix = keras.ops.reshape(x, (-1, x.shape[-1]))
        return keras.ops.reshape(super().zeropower_via_newtonschulz5(matrix, steps), x.shape)

    def lr_adjust(self, x: tf.Tensor) -> tf.Tensor:
        """Scale a step by the root of the longer side of the kernel's matrix, and by `rms_rate`."""
        if self.rms_rate is None:
            return x
        return x * math.sqrt(max(math.prod(x.shape[:-1]), x.shape[-1])) * self.rms_rate
