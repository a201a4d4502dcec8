"""The campaigns of `tests.faults` in brief."""

import re
import signal
from collections import Counter
from pathlib import Path

from helpers.reading.reader import DigitReader
from tests.faults import fuzzing, killing, planted
from tests.faults.planted import FAULTS
from tests.faults.tables import PROJECT

import numpy as np
import pytest

# Planted faults


@pytest.mark.parametrize("fault", FAULTS, ids=[fault.name for fault in FAULTS])
def test_the_text_to_be_spoilt_stands_in_the_code_once(fault):
    text = (PROJECT / "helpers" / fault.file).read_text(encoding="utf-8")
    assert text.count(fault.right) == 1
    assert fault.wrong != fault.right
    compile(text.replace(fault.right, fault.wrong), fault.file, "exec")


def test_names_are_given_once():
    assert [
        name for name, count in Counter(fault.name for fault in FAULTS).items() if count > 1
    ] == []


def test_each_planted_fault_was_noticed():
    table = (Path(planted.__file__).parent / "planted.txt").read_text(encoding="utf-8")
    for fault in FAULTS:
        row = rf"^ *{re.escape(fault.name)} +{re.escape(fault.file)} +(.+)$"
        (noticed_by,) = re.findall(row, table, re.MULTILINE)
        ((file, test),) = re.findall(r"^((?:tests|notebooks)/\S+?)::(\w+)", noticed_by)
        assert (PROJECT / file).exists(), fault.name
        assert test == "Cell" or f"def {test}(" in (PROJECT / file).read_text(encoding="utf-8")


# Kills

needs_sigkill = pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="needs SIGKILL")


@needs_sigkill
def test_what_is_killed_and_repeated_ends_as_if_nothing_had_been():
    # Less work than in the campaign, whose folds are trainings, too.
    shorter = killing.TRAINING.replace("epochs=6", "epochs=3")
    (row,) = killing.kill_and_repeat(shorter, 1, np.random.default_rng(4))
    assert row["ended the same"] and row["cleaned up"]


@needs_sigkill
def test_a_saving_that_is_killed_leaves_a_whole_network():
    rows = killing.kill_while_saving(2, np.random.default_rng(0))
    assert [row["whole"] for row in rows] == [True, True]


# Damage


def test_damaged_pictures_are_read_or_refused():
    rows = fuzzing.read_damaged_pictures(300, DigitReader())
    assert sum(row["tried"] for row in rows) >= 300
    assert 0 < sum(row["read"] for row in rows) < sum(row["tried"] for row in rows)


def test_damaged_models_are_loaded_or_refused():
    (row,) = fuzzing.load_damaged_models(40)
    assert row["read"] + row["refused"] == 40
    assert row["refused"] > 0
