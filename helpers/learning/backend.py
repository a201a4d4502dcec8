"""Imports TensorFlow and Keras once, quietly, for every module that needs them.

TensorFlow 2.21 writes remarks about GPUs and processor features before its log level takes
effect (tensorflow/tensorflow#100442), and a notebook would keep them in its outputs. So a
notebook imports from `helpers` first and Keras after that.
"""

from helpers.quiet import silenced_native_stderr

with silenced_native_stderr():
    import keras
    import tensorflow as tf
    from keras import layers

# A notebook builds many small networks in one process on purpose, so advice about
# retracing does not belong on its error stream.
tf.get_logger().setLevel("ERROR")

__all__ = ["keras", "layers", "tf"]
