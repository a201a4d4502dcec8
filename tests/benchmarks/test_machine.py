import os

from benchmarks.machine import in_fresh_process, machine, peak_memory_mb

import numpy as np
import pytest


@pytest.mark.skipif(os.name == "nt", reason="not known there")
def test_the_memory_of_a_process_grows_with_what_it_holds():
    before, after = in_fresh_process(peaks_without_and_with_a_large_array)
    assert 150 < after - before < 250


def peaks_without_and_with_a_large_array():
    before = peak_memory_mb()
    array = np.ones(25_000_000)  # 200 MB
    return before, peak_memory_mb() + 0 * array[0]


def test_a_fresh_process_is_another_one():
    assert in_fresh_process(os.getpid) != os.getpid()


def test_the_machine_is_described_with_versions():
    described = machine()
    assert described["cores"] == os.cpu_count()
    assert described["processor"] and described["tensorflow"]
