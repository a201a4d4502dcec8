"""Imports TensorFlow and Keras once, quietly, for every module that needs them.

TensorFlow 2.21 writes remarks about missing GPUs and processor features before
its log level takes effect (tensorflow/tensorflow#100442), and a notebook would
keep them in its outputs. A notebook therefore imports from `helpers` first and
Keras after that.
"""

from helpers.quiet import silenced_native_stderr

with silenced_native_stderr():
    import keras
    import tensorflow as tf
    from keras import layers

# Many small networks in one process are what a notebook wants, not a sign of a mistake:
# no advice about retracing on the error stream.
tf.get_logger().setLevel("ERROR")

__all__ = ["keras", "layers", "tf"]
