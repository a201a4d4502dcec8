from helpers.reading.command import main
from helpers.reading.pad import SIDE, DrawingPad, Stroke, TenPad, draw_strokes
from helpers.reading.pictures import open_picture

import numpy as np
import pytest

ONE = [(140, y) for y in range(40, 241, 10)]
BAR = [(x, 140) for x in range(60, 221, 10)]


@pytest.fixture
def pad(tmp_path):
    return DrawingPad(folder=tmp_path / "drawings")


def draw(pad, *strokes):
    for points in strokes:
        pad.pen_down(*points[0])
        for point in points[1:]:
            pad.pen_move(*point)
        pad.pen_up(*points[-1])


def test_a_blank_pad_invites_and_reads_nothing(pad):
    assert pad.digit is None
    assert "Draw a digit" in pad._answer.value
    assert np.asarray(pad.image()).min() == 255


def test_the_brush_is_round_and_as_wide_as_set():
    picture = np.asarray(draw_strokes([Stroke(20, [(100, 50), (100, 200)])])) < 128
    assert picture[120].sum() == pytest.approx(20, abs=2)
    rows = np.flatnonzero(picture.any(axis=1))
    assert (rows[0], rows[-1]) == (pytest.approx(40, abs=1), pytest.approx(210, abs=1))
    assert picture[42].sum() < 15


def test_a_drawing_is_read_while_the_pen_is_down(pad, monkeypatch):
    monkeypatch.setattr("helpers.reading.pad.SECONDS_BETWEEN_READINGS", 0)
    pad.pen_down(*ONE[0])
    for point in ONE[1:]:
        pad.pen_move(*point)
    assert pad.digit.digit == 1
    assert f"{pad.digit.probability:.1%}" in pad._answer.value
    assert pad._bars.value.count("<tr>") == 10


def test_what_is_no_digit_is_said(pad, monkeypatch):
    monkeypatch.setattr("helpers.reading.digits.LIKE_A_DIGIT", 1.1)
    draw(pad, ONE)
    assert "No digit." in pad._answer.value and "%" not in pad._answer.value


def test_readings_are_rare_enough_while_the_pen_moves(pad, monkeypatch):
    monkeypatch.setattr("helpers.reading.pad.SECONDS_BETWEEN_READINGS", 1e6)
    pad.pen_down(*ONE[0])
    pad.pen_move(*ONE[-1])
    assert pad.digit is None
    pad.pen_up(*ONE[-1])
    assert pad.digit.digit == 1


def test_moving_without_pressing_draws_nothing(pad):
    pad.pen_move(100, 100)
    pad.pen_up(100, 100)
    assert pad.strokes == []


def test_undo_takes_the_last_stroke_and_clear_all(pad):
    draw(pad, ONE, BAR)
    pad.undo()
    assert [stroke.points for stroke in pad.strokes] == [ONE]
    assert pad.digit.digit == 1
    pad.clear()
    assert pad.strokes == [] and pad.digit is None
    pad.undo()
    assert pad.strokes == []


def test_the_brush_of_the_next_stroke_is_set_by_the_slider(pad):
    pad._brush.value = 8
    draw(pad, ONE)
    pad._brush.value = 30
    draw(pad, BAR)
    assert [stroke.width for stroke in pad.strokes] == [8, 30]


def test_mouse_and_finger_reach_the_pad(pad):
    for event in ("mouse_down", "mouse_move", "mouse_up"):
        pad._canvas._handle_frontend_event(None, {"event": event, "x": 140.0, "y": 90.0}, [])
    for event in ("touch_start", "touch_move", "touch_end"):
        content = {"event": event, "touches": [{"x": 30.0, "y": 40.0}]}
        pad._canvas._handle_frontend_event(None, content, [])
    assert [stroke.points[0] for stroke in pad.strokes] == [(140, 90), (30, 40)]


def test_buttons_do_what_they_say(pad):
    draw(pad, ONE, BAR)
    buttons = {button.description: button for button in pad.children[0].children[2].children}
    buttons["Undo"].click()
    assert len(pad.strokes) == 1
    buttons["Save as PNG"].click()
    assert (pad._folder / "drawing-1.png").is_file()
    buttons["Clear"].click()
    assert pad.strokes == []


def test_the_saved_drawing_is_read_by_the_command_line_alike(pad, capsys):
    draw(pad, ONE)
    pad.save()
    path = pad._folder / "drawing-1.png"
    assert open_picture(path).size == (SIDE, SIDE)
    assert path.as_posix() in pad._message.value
    assert main(["--one", str(path)]) == 0
    assert f"1 ({pad.digit.probability:.1%})" in capsys.readouterr().out


def test_no_drawing_is_overwritten(pad):
    draw(pad, ONE)
    pad.save()
    draw(pad, BAR)
    pad.save()
    one, cross = (open_picture(pad._folder / f"drawing-{number}.png") for number in (1, 2))
    assert np.asarray(one).sum() > np.asarray(cross).sum()


def test_what_cannot_be_saved_is_said(pad):
    pad.save()
    assert "nothing to save" in pad._message.value
    draw(pad, ONE)
    pad._folder.touch()
    pad.save()
    assert "cannot be written" in pad._message.value


def test_a_browser_that_connects_anew_gets_the_drawing(pad):
    draw(pad, ONE)
    sent = []
    pad._canvas._canvas_manager.send = lambda *arguments, **named: sent.append(arguments)
    pad._canvas._handle_frontend_event(None, {"event": "client_ready"}, [])
    assert sent


@pytest.mark.parametrize("action", ["clear", "undo"])
def test_a_stroke_that_is_taken_away_while_it_is_drawn_is_not_gone_on_with(pad, action):
    draw(pad, BAR)
    pad.pen_down(*ONE[0])
    getattr(pad, action)()
    pad.pen_move(*ONE[1])
    assert [stroke.points for stroke in pad.strokes] == ([] if action == "clear" else [BAR])


def buttons_of(pad):
    (row,) = [part for part in pad.children[0].children if hasattr(part, "children")]
    return {button.description: button for button in row.children}


@pytest.fixture
def ten_pad(tmp_path):
    return TenPad(folder=tmp_path / "ten")


def test_the_pad_for_ten_shows_ours_until_something_is_kept(ten_pad):
    assert bytes(ten_pad._ten.value).startswith(b"\x89PNG")
    assert ten_pad._message.value == ""


def test_a_kept_digit_is_drawn_into_the_rows_and_the_next_one_is_asked_for(ten_pad):
    before = bytes(ten_pad._ten.value)
    ten_pad._asked.value = 1
    draw(ten_pad, ONE)
    buttons_of(ten_pad)["Keep this digit"].click()
    assert (ten_pad._folder / "1.png").is_file()
    assert bytes(ten_pad._ten.value) != before
    assert "1 of these ten" in ten_pad._message.value
    assert (ten_pad._asked.value, ten_pad.strokes) == (2, [])


def test_a_digit_drawn_again_replaces_the_first_try(ten_pad):
    for points in (BAR, ONE):
        ten_pad._asked.value = 9
        draw(ten_pad, points)
        ten_pad.save()
    assert ten_pad._asked.value == 0
    assert [path.name for path in ten_pad._folder.iterdir()] == ["9.png"]


def test_nothing_is_kept_of_a_blank_pad(ten_pad):
    ten_pad.save()
    assert "Draw a 0 first" in ten_pad._message.value
    assert not ten_pad._folder.exists()
    ten_pad._folder.touch()
    draw(ten_pad, ONE)
    ten_pad.save()
    assert "cannot be written" in ten_pad._message.value


def test_a_drawing_that_shows_no_digit_is_not_kept(ten_pad):
    draw(ten_pad, [(-100, -100)])
    ten_pad.save()
    assert "nothing was kept" in ten_pad._message.value
    assert not (ten_pad._folder / "0.png").exists()
