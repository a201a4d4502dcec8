import hashlib
import json

from helpers.facts import FactsError, read_facts, sha256, write_facts

import numpy as np
import pytest


def test_the_checksum_is_the_one_that_everybody_computes(tmp_path):
    (tmp_path / "file").write_bytes(b"abc")
    assert sha256(tmp_path / "file") == hashlib.sha256(b"abc").hexdigest()
    assert sha256(tmp_path / "file").startswith("ba7816bf")


def test_figures_are_read_back_as_written(tmp_path):
    facts = {"mean": 0.99321, "scores": [0.1, 1], "note": "28 × 28 pixels", "seed": 0}
    write_facts(facts, tmp_path / "new" / "card.json")
    assert read_facts(tmp_path / "new" / "card.json") == facts
    assert json.loads((tmp_path / "new" / "card.json").read_text(encoding="utf-8")) == facts


def test_figures_that_cannot_be_written_leave_the_older_ones(tmp_path):
    path = tmp_path / "card.json"
    write_facts({"seed": 0}, path)
    with pytest.raises(TypeError):
        write_facts({"seed": 1, "scores": np.zeros(3)}, path)
    assert read_facts(path) == {"seed": 0}


@pytest.mark.parametrize("content", [None, "", '{"mean": 0.9'], ids=["missing", "empty", "broken"])
def test_unreadable_figures_are_named(tmp_path, content):
    path = tmp_path / "evaluation.json"
    if content is not None:
        path.write_text(content)
    with pytest.raises(FactsError, match="is not a readable JSON file") as caught:
        read_facts(path)
    assert str(path) in str(caught.value)
