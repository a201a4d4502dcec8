"""From arrays to a trained, judged and saved network, on TensorFlow and Keras.

Nothing here opens a picture file: that is `helpers.reading`. This package offers
its functions by name; each module says what it does and what it leaves to others.
"""

from helpers.learning.augmentation import (
    affine_matrices,
    random_affine,
    random_thickness,
    training_batches,
)
from helpers.learning.checkpoints import removed_when_done
from helpers.learning.clinic import Clinic
from helpers.learning.evaluation import (
    accuracy,
    accuracy_interval,
    average_over_shifts,
    expected_calibration_error,
    predict_over_shifts,
    predict_probabilities,
)
from helpers.learning.handwriting import redraw, redraw_some
from helpers.learning.light import random_light
from helpers.learning.live import LiveFigure
from helpers.learning.models import (
    build_cnn,
    build_multilayer_perceptron,
    build_published_cnn,
    build_softmax_regression,
    layer_table,
    normalisation_layers,
)
from helpers.learning.muon import ConvolutionMuon
from helpers.learning.progress import Progress
from helpers.learning.saving import export_litert, load_model, save_model
from helpers.learning.training import BEST, QUICK, Recipe, history_frame, one_cycle, train
from helpers.learning.trials import CrossValidation, cross_validate, stratified_folds, sweep

__all__ = [
    "BEST",
    "QUICK",
    "Clinic",
    "ConvolutionMuon",
    "CrossValidation",
    "LiveFigure",
    "Progress",
    "Recipe",
    "accuracy",
    "accuracy_interval",
    "affine_matrices",
    "average_over_shifts",
    "build_cnn",
    "build_multilayer_perceptron",
    "build_published_cnn",
    "build_softmax_regression",
    "cross_validate",
    "expected_calibration_error",
    "export_litert",
    "history_frame",
    "layer_table",
    "load_model",
    "normalisation_layers",
    "one_cycle",
    "predict_over_shifts",
    "predict_probabilities",
    "random_affine",
    "random_light",
    "random_thickness",
    "redraw",
    "redraw_some",
    "removed_when_done",
    "save_model",
    "stratified_folds",
    "sweep",
    "train",
    "training_batches",
]
