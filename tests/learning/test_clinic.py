"""Each patient is sick in the way it should be, and the notebook's examinations tell them apart."""

from helpers.data import Mnist
from helpers.errors import ArgumentError
from helpers.learning import clinic as clinic_module
from helpers.learning.backend import keras
from helpers.learning.clinic import DISEASES, Clinic, disease_of
from helpers.places import project_folder

import nbformat
import numpy as np
import pandas as pd
import pytest

SHIFTED = "labels shifted by one"
TRANSPOSED = "images transposed"
TWICE = "pixels normalised twice"
SOFTMAXES = "softmax twice"
TOO_FAST = "learning rate 100 times too high"
SORTED = "digits sorted, not shuffled"
LEAK = "validation digits in training"
DEAD = "neurons dead from the start"
EXAMINATIONS = (
    "confusion", "loss-at-start", "by-heart", "arriving", "dead", "first-step", "overlap", "outside"
)  # fmt: skip


@pytest.fixture(scope="module")
def ward(sample):
    """Every disease and the control, trained for a few epochs."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(clinic_module, "EPOCHS", 4)
        clinic = Clinic(sample)
        patients = {disease_of(number): clinic.admit(number) for number in range(1, 9)}
        return patients | {"control": clinic.control()}


@pytest.fixture(scope="module")
def examine(sample, ward):
    """The functions that notebook 10 teaches, without what it prints with them."""
    path = project_folder() / "notebooks" / "10_clinic.ipynb"
    cells = {cell.id: cell.source for cell in nbformat.read(path, as_version=4).cells}
    names = {"np": np, "pd": pd, "keras": keras, "mnist": sample}
    for cell in EXAMINATIONS:
        exec(cells[cell].split("\n\n\nprint")[0], names)
    return names


@pytest.fixture(scope="module")
def found(ward, examine):
    """For each disease what the examinations find."""
    return pd.DataFrame(
        {
            disease: {
                "at the start": examine["loss_at_start"](patient),
                "by heart": examine["by_heart"](patient)[0],
                "deviation": examine["arriving"](patient).std(),
                "dead": examine["dead_neurons"](patient.fresh_model(), patient),
                "step": examine["first_step"](patient),
                "overlap": examine["overlap"](patient),
                "labels": len(set(patient.y_learn[:32])),
                "validation": patient.history["val_accuracy"].iloc[-1],
                "outside": examine["right_outside"](patient),
            }
            for disease, patient in ward.items()
        }
    ).T


def alone(which):
    """The names for which a condition holds."""
    return set(which.index[which])


def test_numbers_one_to_eight_have_each_disease_once():
    assert {disease_of(number) for number in range(1, 9)} == set(DISEASES)


def test_new_patients_have_any_disease():
    assert {disease_of(number) for number in range(9, 80)} == set(DISEASES)


def test_the_control_is_healthy(found):
    healthy = found.loc["control"]
    assert healthy["by heart"] < 0.2 and healthy["step"] < 0.1 and healthy["dead"] < 7
    assert 2.2 < healthy["at the start"] < 4.5 and healthy["validation"] > 0.75
    assert abs(healthy["validation"] - healthy["outside"]) < 0.06


@pytest.mark.parametrize(
    ("finding", "is_out_of_order", "diseases"),
    [
        ("validation", lambda share: share < 0.05, {SHIFTED}),
        ("deviation", lambda deviation: deviation < 0.1, {TWICE}),
        ("by heart", lambda loss: (loss > 1.46) & (loss < 1.7), {SOFTMAXES}),
        ("by heart", lambda loss: ~(loss < 0.3), {SOFTMAXES, TWICE, DEAD, TOO_FAST}),
        ("step", lambda step: ~(step < 0.5), {TOO_FAST}),
        ("labels", lambda count: count == 1, {SORTED}),
        ("overlap", lambda count: count > 0, {LEAK}),
        ("dead", lambda count: count == 64, {DEAD}),
        ("at the start", lambda loss: abs(loss - np.log(10)) < 1e-4, {DEAD}),
    ],
)
def test_a_finding_tells_its_disease_from_all_others(found, finding, is_out_of_order, diseases):
    assert alone(is_out_of_order(found[finding])) == diseases


def test_two_diseases_show_outside_only(found):
    healthy_curve = found[found["validation"] > 0.75]
    assert alone(healthy_curve["outside"] < 0.5) == {TRANSPOSED}
    assert found["overlap"][LEAK] == 1000
    assert found["validation"][LEAK] > found["outside"][LEAK] + 0.03


def test_shifted_labels_teach_the_next_digit(ward, examine):
    patient = ward[SHIFTED]
    answers = examine["answers_of"](patient)
    assert np.mean(answers == (patient.y_judge + 1) % 10) > 0.7


def test_two_softmaxes_are_never_sure(ward):
    patient = ward[SOFTMAXES]
    assert patient.model.predict(patient.x_judge, verbose=0).max() < np.e / (np.e + 9) + 1e-4


def test_a_patient_reads_new_digits_by_its_own_program(ward, sample):
    pixels = sample.x_train[sample.judge]
    control = ward["control"]
    by_model = control.model.predict(pixels[..., np.newaxis], verbose=0).argmax(axis=1)
    np.testing.assert_array_equal(control.read(pixels), by_model)
    assert abs(ward[TWICE].x_learn).max() < 3
    twice = ward[TWICE]
    as_handed_over = (pixels[..., np.newaxis] / np.float32(255) - 0.1307) / 0.3081
    expected = twice.model.predict(as_handed_over, verbose=0).argmax(axis=1)
    np.testing.assert_array_equal(twice.read(pixels), expected)


def test_a_fresh_model_has_the_weights_from_before_the_training(ward):
    for patient in ward.values():
        first, second = patient.fresh_model().get_weights(), patient.fresh_model().get_weights()
        for before, again in zip(first, second, strict=True):
            np.testing.assert_array_equal(before, again)


def test_nobody_learns_from_the_digits_kept_outside(ward, sample):
    outside = {image.tobytes() for image in sample.x_train[sample.judge]}
    for disease, patient in ward.items():
        if disease not in (TRANSPOSED, TWICE):
            assert not outside & {image.tobytes() for image in patient.x_learn}


@pytest.fixture
def quick(sample, monkeypatch):
    monkeypatch.setattr(clinic_module, "EPOCHS", 1)
    monkeypatch.setattr(clinic_module, "LEARNED", 64)
    monkeypatch.setattr(clinic_module, "JUDGED", 32)
    return Clinic(sample)


def test_a_patient_is_trained_once(quick):
    assert quick.admit(4) is quick.admit(4)
    assert quick.control() is quick.control()
    assert not np.array_equal(quick.admit(4).x_learn, quick.admit(9).x_learn)


def test_a_training_of_your_own_is_healthy_but_for_its_digits(quick, sample):
    own = quick.own(sample.x_train[:64], np.zeros(64, int), sample.x_train[:9], sample.y_train[:9])
    assert own.x_learn.shape == (64, 28, 28, 1) and not own.y_learn.any()
    np.testing.assert_array_equal(
        own.fresh_model().get_weights()[0], quick.control().fresh_model().get_weights()[0]
    )


def test_a_diagnosis_is_marked(quick):
    for number in (*range(1, 9), 30):
        for disease in quick.diseases:
            verdict = quick.diagnose(number, disease)
            assert verdict.startswith("Right" if disease == disease_of(number) else "No. With")


def test_an_unknown_disease_is_awaited(quick):
    verdict = quick.diagnose(1, "the flu")
    assert verdict.startswith("Your turn") and all(name in verdict for name in quick.diseases)


@pytest.mark.parametrize("number", [0, -1, 1.5, "1"])
def test_there_is_no_patient_without_a_number(quick, number):
    with pytest.raises(ArgumentError, match="number of a patient"):
        quick.admit(number)
    with pytest.raises(ArgumentError, match="number of a patient"):
        quick.diagnose(number, SHIFTED)


def test_unusable_digits_of_your_own_are_refused(quick, sample):
    with pytest.raises(ArgumentError):
        quick.own(sample.x_train[:4] / 255, sample.y_train[:4], sample.x_train, sample.y_train)


def test_the_sample_is_enough(sample):
    assert isinstance(sample, Mnist)
    assert sample.learn.sum() >= clinic_module.LEARNED + clinic_module.JUDGED
