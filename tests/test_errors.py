from unittest.mock import Mock, call

from helpers.errors import (
    ArgumentError,
    UserError,
    ending_in_one_sentence,
    print_error,
    print_line,
)

import pytest
from IPython.core.interactiveshell import InteractiveShell


def test_a_command_ends_in_the_sentence_alone():
    with pytest.raises(SystemExit, match=r"^error: the sentence\.$"), ending_in_one_sentence():
        raise UserError("the sentence.")


def test_any_other_error_keeps_its_traceback():
    with pytest.raises(ZeroDivisionError), ending_in_one_sentence():
        1 / 0  # noqa: B018


def test_an_error_is_printed_to_the_error_stream(capsys):
    print_error(UserError("the sentence."))
    assert capsys.readouterr() == ("", "error: the sentence.\n")


def test_a_line_is_never_parted_from_its_end():
    stream = Mock()
    print_line("the sentence.", stream)
    assert [write for write in stream.write.mock_calls if write != call("")] == [
        call("the sentence.\n")
    ]


def test_a_bad_argument_is_also_a_value_error():
    with pytest.raises(ValueError, match="the sentence"):
        raise ArgumentError("the sentence.")


def test_a_notebook_shows_the_sentence_without_a_traceback(capsys):
    shell = InteractiveShell()
    shell.run_cell("from helpers.errors import UserError\nraise UserError('the sentence.')")
    shown = capsys.readouterr().out
    assert "UserError: the sentence." in shown
    assert "Traceback" not in shown and "line" not in shown
