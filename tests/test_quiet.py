import os
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor

from helpers.quiet import silenced_native_stderr

import pytest


def test_native_remarks_are_discarded_inside_the_block_only(capfd):
    os.write(2, b"before\n")
    with silenced_native_stderr():
        os.write(2, b"inside\n")
    os.write(2, b"after\n")
    assert capfd.readouterr().err == "before\nafter\n"


def test_standard_output_is_left_alone(capfd):
    with silenced_native_stderr():
        os.write(1, b"a result\n")
    assert capfd.readouterr().out == "a result\n"


def test_an_exception_passes_and_the_error_stream_is_back(capfd):
    with pytest.raises(ValueError, match="a reason"), silenced_native_stderr():
        raise ValueError("a reason")
    os.write(2, b"after\n")
    assert capfd.readouterr().err == "after\n"


def test_threads_do_not_take_the_error_stream_from_each_other(capfd):
    def silence_for(seconds):
        with silenced_native_stderr():
            time.sleep(seconds)

    with ThreadPoolExecutor(2) as executor:
        list(executor.map(silence_for, [0.05, 0.02, 0.04, 0.01]))
    os.write(2, b"after\n")
    assert capfd.readouterr().err == "after\n"


def test_no_file_descriptor_stays_open():
    def next_descriptor():
        descriptor = os.dup(2)
        os.close(descriptor)
        return descriptor

    before = next_descriptor()
    with silenced_native_stderr():
        pass
    assert next_descriptor() == before


def test_tensorflow_and_keras_are_imported_without_a_word():
    code = (
        "from helpers.learning.backend import keras, tf\n"
        "print(keras.backend.backend(), tf.constant(2))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.startswith("tensorflow tf.Tensor(2")
    assert done.stderr == ""
