"""Muon, the optimizer, for the kernels of convolutions.

Keras brings Muon for matrices and hands everything else, kernels of convolutions
included, to AdamW. This module adds that case, and leaves the dense layer to AdamW,
as is advised for a network's last one.
"""

import math

from helpers.backend import keras


@keras.saving.register_keras_serializable("helpers")
class ConvolutionMuon(keras.optimizers.Muon):
    """Muon for convolutions, AdamW for all the rest (dense layers, biases, normalisation).

    After Jordan et al., "Muon: an optimizer for hidden layers in neural networks",
    2024: the running average of the gradients is replaced by the orthogonal matrix
    next to it, so that a step changes the kernel in all directions alike instead of
    mostly in the few strongest ones. A kernel (rows, columns, channels in, channels
    out) counts as a matrix with one column for each filter, as in that work. Steps
    are scaled as in Liu et al., "Muon is scalable for LLM training", 2025
    (arXiv:2502.16982), so that AdamW's learning rates and weight decay fit.

    Arguments are those of `keras.optimizers.Muon`.
    """

    def _should_use_adamw(self, variable):
        return len(variable.shape) != 4

    def zeropower_via_newtonschulz5(self, x, steps):
        """Orthogonalise a kernel, (rows, columns, channels in, channels out), as a matrix."""
        matrix = keras.ops.reshape(x, (-1, x.shape[-1]))
        return keras.ops.reshape(super().zeropower_via_newtonschulz5(matrix, steps), x.shape)

    def lr_adjust(self, x):
        """Scale a step by the root of the longer side of the kernel's matrix, and by `rms_rate`."""
        if self.rms_rate is None:
            return x
        return x * math.sqrt(max(math.prod(x.shape[:-1]), x.shape[-1])) * self.rms_rate
