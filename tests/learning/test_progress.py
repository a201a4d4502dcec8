import time
from types import SimpleNamespace

from helpers.learning import progress
from helpers.learning.progress import Progress, ReportedProgress, watched

import pytest


@pytest.fixture
def clock(monkeypatch):
    """A clock that stands still unless a test moves it."""
    clock = SimpleNamespace(now=100.0)
    monkeypatch.setattr(progress.time, "perf_counter", lambda: clock.now)
    return clock


@pytest.fixture
def shown(monkeypatch):
    """Collects what a notebook would show."""
    lines = []
    handle = SimpleNamespace(update=lambda line: lines.append(repr(line)))
    monkeypatch.setattr(progress, "in_notebook", lambda: True)
    monkeypatch.setattr(progress, "display", lambda line, display_id: handle)
    return lines


def started(label="training", epochs=4, steps=10):
    callback = Progress(label)
    callback.set_params({"epochs": epochs, "steps": steps})
    callback.on_train_begin()
    return callback


def test_outside_a_notebook_there_is_one_line_after_each_epoch(clock, capsys):
    callback = started("fold 1 of 5", epochs=2)
    for epoch in range(2):
        callback.on_epoch_begin(epoch)
        for batch in range(10):
            clock.now += 3
            callback.on_train_batch_end(batch)
        callback.on_epoch_end(epoch, {})
    assert capsys.readouterr().out.splitlines() == [
        "fold 1 of 5: 1.0 of 2 epochs, 30 s, about 30 s left",
        "fold 1 of 5: 2.0 of 2 epochs, 60 s",
    ]


def test_in_a_notebook_the_line_counts_parts_of_epochs(clock, shown, capsys):
    callback = started(epochs=4)
    for epoch in range(2):
        callback.on_epoch_begin(epoch)
    clock.now += 15
    callback.on_train_batch_end(4)  # batches count from 0: 5 of 10 are done
    assert shown == ["training: 1.5 of 4 epochs, 15 s, about 25 s left"]
    assert capsys.readouterr().out == ""


def test_epochs_of_an_earlier_run_do_not_make_this_one_look_faster(clock, capsys):
    callback = started(epochs=4)
    callback.on_epoch_begin(2)
    clock.now += 10
    callback.on_epoch_end(2, {})
    assert capsys.readouterr().out == "training: 3.0 of 4 epochs, 10 s, about 10 s left\n"


def test_in_a_notebook_the_line_renews_itself_at_most_once_a_second(clock, shown):
    callback = started(epochs=1, steps=100)
    callback.on_epoch_begin(0)
    for batch in range(100):
        clock.now += 0.1
        callback.on_train_batch_end(batch)
    assert 5 <= len(shown) <= 10


def test_in_a_notebook_the_last_line_says_that_all_is_done(clock, shown):
    callback = started(epochs=4)
    callback.on_epoch_begin(3)
    clock.now += 80
    callback.on_epoch_end(3, {})
    assert shown[-1] == "training: 4.0 of 4 epochs, 80 s"


# Several trainings in other processes


@pytest.fixture
def reported(tmp_path):
    """A training of 4 epochs that reports to a file of this name."""
    callback = ReportedProgress(tmp_path / "report")
    callback.set_params({"epochs": 4, "steps": 10})
    return callback


def test_a_reported_training_writes_the_share_that_is_done(reported, clock, capsys):
    reported.on_train_begin()
    reported.on_epoch_begin(1)
    clock.now += 2
    reported.on_train_batch_end(4)
    assert progress._read_shares(reported.path) == (1.5 / 4, 1 / 4)
    reported.on_epoch_end(1)
    assert progress._read_shares(reported.path) == (2 / 4, 1 / 4)
    reported.finish()
    assert progress._read_shares(reported.path) == (2 / 4, 1 / 4)  # what it reported last
    assert capsys.readouterr().out == ""


def test_a_reported_training_writes_its_scores(reported, clock):
    reported.on_train_begin()
    for epoch, score in enumerate((0.5, 0.75)):
        reported.on_epoch_begin(epoch)
        reported.on_epoch_end(epoch, {"val_accuracy": score, "loss": 1.0})
    assert progress._read_scores(reported.path) == {1: 0.5, 2: 0.75}


def test_a_training_that_was_done_before_it_began_is_reported_as_such(reported):
    reported.finish()
    assert progress._read_shares(reported.path) == (1, 1)


def test_a_report_that_nobody_can_read_does_no_harm(tmp_path):
    ReportedProgress(tmp_path / "folder of another machine" / "report").finish()


def test_one_line_shows_several_trainings_together(monkeypatch, shown):
    monkeypatch.setattr(progress, "REFRESH_SECONDS", 0.01)
    with watched(2, "cross-validation", "folds") as reports:
        reports[0].write_text("1.0 1.0")
        reports[1].write_text("0.5 0.0")
        deadline = time.monotonic() + 120
        while not any("1.5 of 2 folds" in line for line in shown) and time.monotonic() < deadline:
            time.sleep(0.01)
    assert any(line.startswith("cross-validation: 1.5 of 2 folds") for line in shown)
    assert shown[-1].startswith("cross-validation: 2.0 of 2 folds")
    assert not reports[0].exists()


def test_scores_are_handed_on_once_for_each_change(monkeypatch, shown):
    monkeypatch.setattr(progress, "REFRESH_SECONDS", 0.01)
    seen = []
    with watched(2, "cross-validation", "folds", seen.append) as reports:
        deadline = time.monotonic() + 120
        for text, count in (("1 0.5\n", 1), ("1 0.5\n2 0.75\n", 2)):
            # Replaced in one go, as no half-written line is looked for here.
            whole = reports[1].with_suffix(".whole")
            whole.write_text(text)
            whole.replace(reports[1].with_suffix(".scores"))
            while len(seen) < count and time.monotonic() < deadline:
                time.sleep(0.01)
        time.sleep(0.05)
    assert seen == [[{}, {1: 0.5}], [{}, {1: 0.5, 2: 0.75}]]


@pytest.mark.parametrize("text", [None, "", "0.2"], ids=["missing", "empty", "half-written"])
def test_a_report_that_cannot_be_read_counts_as_nothing_done(tmp_path, text):
    report = tmp_path / "report"
    if text is not None:
        report.write_text(text)
    assert progress._read_shares(report) == (0, 0)


def test_trainings_that_fail_are_not_called_done(shown):
    with pytest.raises(ValueError, match="broken"), watched(2, "training", "seeds"):
        raise ValueError("broken")
    assert not any("2.0 of 2" in line for line in shown)


@pytest.mark.parametrize(
    ("shell", "expected"),
    [(None, False), (SimpleNamespace(), False), (SimpleNamespace(kernel=object()), True)],
    ids=["plain Python", "IPython on a terminal", "a kernel"],
)
def test_only_a_kernel_counts_as_a_notebook(monkeypatch, shell, expected):
    monkeypatch.setattr(progress, "get_ipython", lambda: shell)
    assert progress.in_notebook() is expected
