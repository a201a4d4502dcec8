"""The code behind the notebooks, in three rooms, with what they share beside them.

    learning    arrays to a trained, judged and saved network (TensorFlow)
    reading     a picture file to its digits (LiteRT, never TensorFlow)
    series      the commands of the Makefile that run and publish the series

    data        MNIST, loaded and verified         plots      figures of several notebooks
    companions  three digits, in every notebook    layout     how MNIST places a digit
    scoreboard  the table that grows               exercises  marks a reader's function
    checks, errors, facts, files, places, quiet

Importing `helpers` imports none of them.
"""

import os

# TensorFlow and Keras read these when they are first imported, so they are set here, before
# either. Level 3 keeps remarks about GPUs and processor features out of the notebooks.
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ.setdefault("KERAS_BACKEND", "tensorflow")
