"""The code that the notebooks share, one module a theme.

Each notebook writes its subject out once, step by step; what several notebooks or
`predict.py` need again lives here, and the tests hold the two versions together.

For the notebooks:

    data           MNIST from a file, the cache, a mirror, or the built-in sample
    handwriting    digits drawn anew with other pens, ones with a flag
    augmentation   random warps and strokes, and the stream of training batches
    models         the networks of the series, and what they cost
    training       the recipe: optimizer, schedule, epochs
    checkpoints    trainings that are taken up again after an interruption
    muon           the optimizer Muon, for the kernels of convolutions
    progress       how far one training is, or several, in a notebook or on a terminal
    evaluation     cross-validation, sweeps, confidence interval, calibration
    saving         model files loaded safely, exported to LiteRT, described
    images         picture files and their brightness
    ink            ink told from paper, strokes from dirt
    preparation    one digit, prepared the way MNIST was prepared
    segmentation   several digits in one picture, in reading order
    prediction     digits read from pictures with LiteRT, without TensorFlow
    records        what was read as JSON, and the file it is added to
    showing        a picture with what was found in it
    pad            a pad to draw on, read while it is drawn
    command        the command line of `predict.py`
    companions     three digits that come along through the series
    plots          the figures that more than one notebook draws

Under them:

    backend        TensorFlow and Keras, imported without their start-up remarks
    quiet          a block of code whose native error stream is discarded
    files          files that are there whole or not at all

For the commands of the Makefile:

    environment    makes `.venv` and installs the pinned packages
    execution      runs the notebooks in order and stores their outputs
    pages          the series as static pages, to be read without Jupyter
    pretraining    trains the network that ships in `helpers/pretrained/`

Importing `helpers` imports none of them: `predict.py` starts fast because it
never touches TensorFlow.
"""

import os

# Read by TensorFlow and Keras when they are first imported, hence here, in the one
# place that comes before both. Level 3 keeps remarks about missing GPUs and
# processor features out of the notebooks' outputs.
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ.setdefault("KERAS_BACKEND", "tensorflow")
