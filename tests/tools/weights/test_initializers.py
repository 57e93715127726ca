"""Initialisers of ONNX files, read without the package onnx; broken and foreign files are refused."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from deixis.errors import InputFault
from deixis.tools.weights.initializers import parse_initializers, read_initializers

onnx = pytest.importorskip("onnx")


def model(arrays: dict[str, np.ndarray]) -> bytes:
    tensors = [onnx.numpy_helper.from_array(array, name) for name, array in arrays.items()]
    node = onnx.helper.make_node("some.Kind", ["x"], ["y"], kernel=[3, 3], name="n")
    graph = onnx.helper.make_graph([node], "g", [], [], tensors)
    return onnx.helper.make_model(graph, producer_name="elsewhere").SerializeToString()


ARRAYS = {
    "a.weight": np.arange(24, dtype=np.float32).reshape(2, 3, 4),
    "half": np.array([0.5, -1.0, 65504.0], dtype=np.float16),
    "whole": np.array([[-3, 2**40]], dtype=np.int64),
    "scalar": np.array(7.0, dtype=np.float64),
    "empty": np.zeros((0, 4), dtype=np.float32),
}


def test_every_array_comes_back_as_it_was_stored():
    found = parse_initializers(model(ARRAYS))
    assert list(found) == list(ARRAYS)
    for name, array in ARRAYS.items():
        assert found[name].dtype == array.dtype
        assert np.array_equal(found[name], array)


@given(st.integers(0, 600))
def test_a_file_that_breaks_off_is_refused_or_whole(cut):
    whole = model(ARRAYS)
    try:
        found = parse_initializers(whole[:cut] if cut < len(whole) else whole)
    except ValueError:
        return
    assert all(np.array_equal(found[name], ARRAYS[name]) for name in found)


@given(st.binary(max_size=200))
def test_any_other_bytes_are_refused_with_a_value_error_and_nothing_else(noise):
    try:
        found = parse_initializers(noise)
    except ValueError as error:
        assert str(error)
    else:
        assert found, "a message without weights is refused"


@pytest.mark.parametrize(
    "broken",
    [
        onnx.TensorProto(name="w", data_type=1, dims=[4], raw_data=b"\0" * 12),
        onnx.TensorProto(name="w", data_type=1, dims=[2], float_data=[1.0, 2.0]),
        onnx.TensorProto(name="w", data_type=8, dims=[1], string_data=[b"x"]),
        onnx.TensorProto(name="w", data_type=1, dims=[1] * 9, raw_data=b"\0" * 4),
        onnx.TensorProto(name="w", data_type=1, dims=[-1, -3], raw_data=b"\0" * 12),
    ],
)
def test_weights_that_are_not_what_they_say_are_refused(broken):
    graph = onnx.helper.make_graph([], "g", [], [], [broken])
    with pytest.raises(ValueError, match="'w'"):
        parse_initializers(onnx.helper.make_model(graph).SerializeToString())


def test_the_error_of_a_file_names_it_and_the_cure(tmp_path):
    path = tmp_path / "net.onnx"
    path.write_bytes(model(ARRAYS)[:-9])
    with pytest.raises(InputFault, match=r"net\.onnx.*deixis models pull") as caught:
        read_initializers(path)
    assert caught.value.code == "weights.onnx_file.unreadable"
    with pytest.raises(InputFault):
        read_initializers(tmp_path / "absent.onnx")
