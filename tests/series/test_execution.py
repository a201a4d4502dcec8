import asyncio
import os
import signal
import subprocess
import sys
import time
from functools import partial
from pathlib import Path
from queue import Empty
from types import SimpleNamespace

from helpers import places
from helpers.data import DataError
from helpers.facts import write_facts
from helpers.series import execution
from helpers.series.execution import (
    NotebookError,
    WatchfulChannel,
    execute,
    main,
    run_copies,
    run_in_place,
    summarise,
)

import nbformat
import pytest
import zmq
import zmq.asyncio
from jupyter_client.session import Session
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook


@pytest.fixture(autouse=True)
def made_project(monkeypatch, tmp_path):
    """A project folder of its own, whose networks are kept in `models`."""
    monkeypatch.setattr(places, "project_folder", lambda: tmp_path)
    monkeypatch.setenv("MNIST_MODELS", str(tmp_path / "models"))
    (tmp_path / "notebooks").mkdir()
    return tmp_path


def notebook(*sources):
    """A notebook of a heading and these code cells, called cell-1, cell-2 and so on."""
    cells = [new_code_cell(source, id=f"cell-{i}") for i, source in enumerate(sources, 1)]
    return new_notebook(cells=[new_markdown_cell("# Heading", id="heading"), *cells])


def write_notebook(folder, name, *sources):
    path = folder / "notebooks" / name
    nbformat.write(notebook(*sources), path)
    return path


# One notebook


def test_cells_run_in_order_in_the_notebooks_folder_and_keep_their_outputs(made_project, capsys):
    made = notebook("import os; place = os.getcwd()", "print(place); 6 * 7")
    execute(made, "01_made", is_full=False)
    _, first, second = made.cells
    assert (first.execution_count, second.execution_count) == (1, 2)
    assert second.outputs[0]["text"].strip() == str((made_project / "notebooks").resolve())
    assert second.outputs[1]["data"]["text/plain"] == "42"
    assert "execution" not in second.metadata  # no times of day in the file
    assert "language_info" not in made.metadata
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[:4] for line in lines] == [
        ["1", "of", "2", "cell-1"],
        ["2", "of", "2", "cell-2"],
    ]
    assert all(line.endswith(" s") for line in lines)


@pytest.mark.parametrize(("is_full", "data"), [(True, "full"), (False, "sample")])
def test_the_kernel_is_told_which_data_to_use(is_full, data):
    made = notebook("import os; print(os.environ['MNIST_DATA'])")
    execute(made, "01_made", is_full)
    assert made.cells[1].outputs[0]["text"] == f"{data}\n"


def test_a_failing_cell_is_named_with_its_error_in_the_copy_and_the_message(made_project, capsys):
    path = write_notebook(made_project, "01_made.ipynb", "print('fine')", "1 / 0", "print('late')")
    original = path.read_bytes()
    with pytest.raises(NotebookError, match=r"(?s)01_made, cell cell-2:.*ZeroDivisionError"):
        run_copies([path], is_full=False)
    assert path.read_bytes() == original
    copy = nbformat.read(made_project / "build" / "notebooks" / "01_made.ipynb", as_version=4)
    assert copy.cells[1].outputs[0]["text"] == "fine\n"
    assert copy.cells[2].outputs[0]["ename"] == "ZeroDivisionError"
    assert copy.cells[3].outputs == []


def test_widgets_are_not_stored(made_project):
    made = notebook(
        "import ipywidgets\nprint('kept')\nipywidgets.IntSlider()", "display(ipywidgets.Button())"
    )
    execute(made, "01_made", is_full=False)
    _, first, second = made.cells
    assert [output["output_type"] for output in first.outputs] == ["stream"]
    assert second.outputs == []
    assert "widgets" not in made.metadata


def test_sliders_run_although_they_are_not_stored(made_project):
    made = notebook(
        "from ipywidgets import interact\n_ = interact(lambda x: print(x), x=(0, 3))", "1 + 1"
    )
    execute(made, "01_made", is_full=False)
    _, slider, after = made.cells
    assert slider.outputs == []
    assert after.outputs[0]["data"]["text/plain"] == "2"
    assert "widgets" not in made.metadata


# Several notebooks, with a stand-in for the kernel


@pytest.fixture
def no_kernel(monkeypatch):
    """Replaces `execute`: a cell's output is its source; the source "fail" fails."""
    executed = []

    def stand_in(made, name, is_full, **variables):
        executed.append(name)
        for cell in made.cells:
            if cell.cell_type == "code":
                cell.outputs = [nbformat.v4.new_output("stream", text=cell.source)]
                if cell.source == "fail":
                    raise NotebookError(f"{name}, cell {cell.id}")

    monkeypatch.setattr(execution, "execute", stand_in)
    return executed


def test_copies_are_executed_in_order_and_the_notebooks_stay_as_they_were(made_project, no_kernel):
    paths = [write_notebook(made_project, name, "a") for name in ("02_b.ipynb", "01_a.ipynb")]
    originals = [path.read_bytes() for path in paths]
    seconds = run_copies(paths, is_full=False)
    assert list(seconds) == no_kernel == ["02_b", "01_a"]
    assert min(seconds.values()) >= 0
    assert [path.read_bytes() for path in paths] == originals
    copy = nbformat.read(made_project / "build" / "notebooks" / "02_b.ipynb", as_version=4)
    assert copy.cells[1].outputs[0]["text"] == "a"


def test_in_place_the_outputs_are_stored_and_a_failing_notebook_stays_as_it_was(
    made_project, no_kernel
):
    good = write_notebook(made_project, "01_good.ipynb", "a")
    bad = write_notebook(made_project, "02_bad.ipynb", "a", "fail")
    original = bad.read_bytes()
    with pytest.raises(NotebookError):
        run_in_place([good, bad])
    assert nbformat.read(good, as_version=4).cells[1].outputs[0]["text"] == "a"
    assert bad.read_bytes() == original
    kept = nbformat.read(made_project / "build" / "notebooks" / "02_bad.ipynb", as_version=4)
    assert kept.cells[1].outputs[0]["text"] == "a"


# The table at the end

FIGURES = {"folds_of_the_quick_recipe": {"mean": 0.99321, "std": 0.00084}, "test_accuracy": 0.9957}


def test_the_table_gives_the_figures_of_the_data_that_was_used(made_project):
    write_facts(FIGURES, made_project / "models" / "full" / "evaluation.json")
    rows = dict(
        line.split("  ", 1) for line in summarise(True, {"01_a": 30, "02_b": 60}).split("\n")
    )
    table = {name.strip(): value.strip() for name, value in rows.items()}
    assert table["data"] == "full MNIST, 70,000 digits"
    assert (table["time 01_a"], table["time 02_b"]) == ("30 s", "60 s")
    assert table["time in all"] == "1.5 min"
    assert table["5 folds, quick recipe"] == "99.32% ± 0.08% (mean ± std)"
    assert table["test accuracy"] == "99.57%"
    assert table["trained network"] == str(Path("models/full/digits.keras"))
    assert table["executed notebooks"] == str(Path("build/notebooks"))


def test_the_table_says_when_the_sample_was_used(made_project):
    write_facts(FIGURES, made_project / "models" / "sample" / "evaluation.json")
    assert "sample of 5,000 digits" in summarise(False, {"01_a": 1})


# The command


@pytest.fixture
def command(monkeypatch, no_kernel):
    """Runs the command on data that is there without loading any."""

    def run(*arguments, is_full=False):
        monkeypatch.setattr(sys, "argv", ["execution", *map(str, arguments)])
        monkeypatch.setattr(execution, "load_mnist", lambda full: SimpleNamespace(is_full=is_full))
        main()

    return run


@pytest.mark.parametrize(("is_full", "kind"), [(True, "full"), (False, "sample")])
def test_all_notebooks_run_in_order_on_one_kind_of_data(
    made_project, no_kernel, command, monkeypatch, capsys, is_full, kind
):
    for name in ("02_b.ipynb", "01_a.ipynb", "scratch.ipynb"):
        write_notebook(made_project, name, "a")
    kinds = []
    run_one = execution.execute

    def evaluate(made, name, is_full):
        run_one(made, name, is_full)
        kinds.append(is_full)
        write_facts(FIGURES, made_project / "models" / kind / "evaluation.json")

    monkeypatch.setattr(execution, "execute", evaluate)
    command(is_full=is_full)
    assert no_kernel == ["01_a", "02_b"]
    assert kinds == [is_full, is_full]
    assert "99.57%" in capsys.readouterr().out


def test_figures_of_an_earlier_run_are_never_shown_as_this_ones(made_project, command):
    write_facts(FIGURES, made_project / "models" / "sample" / "evaluation.json")
    write_notebook(made_project, "01_a.ipynb", "a")
    with pytest.raises(SystemExit, match=r"error: .*evaluation\.json is not a readable JSON file"):
        command()


def test_a_failing_notebook_ends_the_command_with_its_name(made_project, no_kernel, command):
    write_notebook(made_project, "01_a.ipynb", "fail")
    write_notebook(made_project, "02_b.ipynb", "a")
    with pytest.raises(SystemExit, match="error: 01_a, cell cell-1"):
        command()
    assert no_kernel == ["01_a"]


def test_chosen_notebooks_alone_are_run_without_a_table(made_project, no_kernel, command, capsys):
    write_notebook(made_project, "01_a.ipynb", "a")
    command(write_notebook(made_project, "02_b.ipynb", "a"))
    assert no_kernel == ["02_b"]
    assert "test accuracy" not in capsys.readouterr().out


def test_chosen_notebooks_leave_the_figures_of_an_earlier_run(made_project, command):
    write_facts(FIGURES, made_project / "models" / "sample" / "evaluation.json")
    command(write_notebook(made_project, "02_b.ipynb", "a"))
    assert (made_project / "models" / "sample" / "evaluation.json").is_file()


def test_a_file_that_is_no_notebook_is_named(made_project, command):
    (made_project / "notebooks" / "01_a.ipynb").write_text("{")
    with pytest.raises(SystemExit, match=r"01_a\.ipynb is not a readable notebook"):
        command()


def test_without_notebooks_the_command_says_where_to_run_it(made_project, command):
    with pytest.raises(SystemExit, match=r"There are no notebooks in .* clone of the project"):
        command()


def test_outputs_are_stored_in_place_on_the_full_set_only(made_project, monkeypatch):
    path = write_notebook(made_project, "01_a.ipynb", "a")
    original = path.read_bytes()

    def no_full_set(full):
        assert full
        raise DataError("no mirror gave the full set")

    monkeypatch.setattr(execution, "load_mnist", no_full_set)
    monkeypatch.setattr(sys, "argv", ["execution", "--in-place", str(path)])
    with pytest.raises(SystemExit, match="error: no mirror gave the full set"):
        main()
    assert path.read_bytes() == original


# Interruptions

SLEEPING = """import os, time
from functools import partial
from pathlib import Path
Path({begun!r}).write_text(str(os.getpid()))
time.sleep(600)
"""


@pytest.mark.skipif(os.name == "nt", reason="other signals there")
@pytest.mark.parametrize("sent", [signal.SIGINT, signal.SIGTERM], ids=["Ctrl-C", "terminated"])
def test_an_interruption_ends_the_kernel_and_says_where_it_was(made_project, sent):
    begun = made_project / "begun"
    path = write_notebook(made_project, "01_a.ipynb", "1", SLEEPING.format(begun=str(begun)))
    with subprocess.Popen(
        [sys.executable, "-m", "helpers.series.execution", str(path)],
        cwd=places.PACKAGE.parent, env=os.environ | {"MNIST_DATA": "sample"},
        stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True,
        # A shell starts what it runs in the background deaf to Ctrl-C.
        preexec_fn=partial(signal.signal, signal.SIGINT, signal.SIG_DFL),
    ) as running:  # fmt: skip
        while not begun.exists() or not begun.read_text():
            assert running.poll() is None
            time.sleep(0.05)
        running.send_signal(sent)
        _, told = running.communicate(timeout=120)
    assert running.returncode == 130
    assert told == (
        "error: interrupted in 01_a, cell cell-2; the same command starts over, and trainings "
        "resume after their last finished epoch.\n"
    )
    with pytest.raises(ProcessLookupError):
        os.kill(int(begun.read_text()), 0)


def test_a_message_is_found_though_the_news_of_its_arrival_got_lost():
    async def get_it():
        with zmq.asyncio.Context() as context, context.socket(zmq.PAIR) as socket:
            socket.bind("inproc://kernel")
            with zmq.Context.shadow(context.underlying).socket(zmq.PAIR) as kernel:
                kernel.connect("inproc://kernel")
                session = Session(key=b"key")
                waiting = asyncio.ensure_future(WatchfulChannel(socket, session).get_msg(60))
                await asyncio.sleep(0.1)
                session.send(kernel, "execute_reply")
                # What sending does: it asks for the socket's state, and thereby takes the news.
                assert zmq.Socket.shadow(socket.underlying).get(zmq.EVENTS) & zmq.POLLIN
                return await asyncio.wait_for(waiting, 20)

    assert asyncio.run(get_it())["msg_type"] == "execute_reply"


def test_nobody_waits_for_a_message_longer_than_asked():
    async def get_none():
        with zmq.asyncio.Context() as context, context.socket(zmq.PAIR) as socket:
            await WatchfulChannel(socket, Session(key=b"key")).get_msg(0)

    with pytest.raises(Empty):
        asyncio.run(get_none())
