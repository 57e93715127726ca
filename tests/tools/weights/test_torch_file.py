from __future__ import annotations

import io
import pickle
import zipfile
from pathlib import Path

import numpy as np
import pytest

from deixis.errors import InputFault
from deixis.tools.weights.torch_file import read_state_dict

torch = pytest.importorskip("torch")


def save(path: Path, value: object) -> Path:
    torch.save(value, path)
    return path


def archive(path: Path, program: bytes, storages: dict[str, bytes] | None = None) -> Path:
    with zipfile.ZipFile(path, "w") as out:
        out.writestr("archive/data.pkl", program)
        for key, raw in (storages or {}).items():
            out.writestr(f"archive/data/{key}", raw)
    return path


def refused(path: Path) -> str:
    with pytest.raises(InputFault) as caught:
        read_state_dict(path)
    assert caught.value.code == "weights.torch_file.unreadable"
    return caught.value.message


@pytest.mark.parametrize(
    "tensor",
    [
        torch.arange(24, dtype=torch.float32).reshape(2, 3, 4),
        torch.arange(24, dtype=torch.float64).reshape(4, 6).T,
        torch.arange(10, dtype=torch.int64)[3:7],
        torch.arange(10, dtype=torch.float16)[::3],
        torch.tensor(7, dtype=torch.int32),
        torch.zeros(0, 3),
        torch.ones(1).expand(4, 5),
        torch.tensor([True, False]),
    ],
    ids=lambda t: f"{t.dtype}-{tuple(t.shape)}",
)
def test_tensors_come_back_bit_by_bit(tmp_path: Path, tensor: torch.Tensor) -> None:
    path = save(tmp_path / "a.pt", {"one": tensor, "two": torch.nn.Parameter(torch.ones(2))})
    found = read_state_dict(path)
    assert found["one"].dtype == tensor.numpy().dtype
    assert found["one"].shape == tuple(tensor.shape)
    assert found["one"].tobytes() == np.ascontiguousarray(tensor.numpy()).tobytes()
    assert found["two"].tolist() == [1, 1]
    assert found["one"].flags.c_contiguous
    assert found["one"].flags.owndata


class Touch:
    """What a hostile file does: a pickle that calls a function when it is loaded."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[object, tuple[Path]]:
        return (Path.touch, (self.path,))


def test_no_pickled_call_is_made(tmp_path: Path) -> None:
    mark = tmp_path / "called"
    program = pickle.dumps({"w": Touch(mark)})
    pickle.loads(program)
    assert mark.exists(), "the program does what it says under an ordinary unpickler"
    mark.unlink()
    refused(archive(tmp_path / "evil.pt", program))
    assert not mark.exists()


@pytest.mark.parametrize(
    "program",
    [
        b"cos\nsystem\n(S'true'\ntR.",
        b"cbuiltins\neval\n(S'1'\ntR.",
        b"ctorch\nload\n.",
        b"ctorch._utils\n_rebuild_tensor_v2\n(I1\nI2\nI3\nI4\ntR.",
        b"ctorch\nFloatStorage\n(tR.",
        b"ccollections\nOrderedDict.fromkeys\n(tR.",
        b"(lp0\n.",
        b"",
        b"\x80\x05\x95",
        b"}S'w'\nI3\ns.",
        b"ctorch\nFloatStorage\n}S'dtype'\nS'O'\nsb.",
        b"ctorch._utils\n_rebuild_tensor_v2\n(N}S'__defaults__'\n(I1\ntstb.",
    ],
)
def test_other_programs_are_refused(tmp_path: Path, program: bytes) -> None:
    assert "evil.pt" in refused(archive(tmp_path / "evil.pt", program))


class Rebuild:
    """A tensor with free numbers, pickled under PyTorch's own names."""

    def __init__(self, length: int, offset: int, shape: tuple[int, ...], strides: tuple[int, ...]) -> None:
        self.length, self.rest = length, (offset, shape, strides, False, {})


def program_of(tensor: Rebuild) -> bytes:
    class Pickler(pickle.Pickler):
        def persistent_id(self, value: object) -> object:
            return ("storage", torch.FloatStorage, "0", "cpu", tensor.length) if value == "here" else None

        def reducer_override(self, value: object) -> object:
            if isinstance(value, Rebuild):
                return (torch._utils._rebuild_tensor_v2, ("here", *value.rest))
            return NotImplemented

    out = io.BytesIO()
    Pickler(out, protocol=2).dump({"w": tensor})
    return out.getvalue()


def test_a_hand_made_tensor_is_read(tmp_path: Path) -> None:
    raw = np.arange(4, dtype="<f4").tobytes()
    path = archive(tmp_path / "ok.pt", program_of(Rebuild(4, 1, (3,), (1,))), {"0": raw})
    assert read_state_dict(path)["w"].tolist() == [1, 2, 3]


@pytest.mark.parametrize(
    "tensor",
    [
        Rebuild(4, 2, (3,), (1,)),
        Rebuild(4, 0, (2,), (9,)),
        Rebuild(4, -1, (3,), (1,)),
        Rebuild(4, 0, (4,), (-1,)),
        Rebuild(8, 0, (8,), (1,)),
        Rebuild(4, 0, (2**40,), (0,)),
        Rebuild(4, 0, (2, 2), (1,)),
        Rebuild(4, 0, (1,) * 9, (0,) * 9),
    ],
    ids=["past the end", "stride past the end", "negative offset", "negative stride", "longer than the file",
         "huge", "ranks differ", "many dimensions"],
)  # fmt: skip
def test_a_tensor_cannot_reach_outside_its_storage(tmp_path: Path, tensor: Rebuild) -> None:
    raw = np.arange(4, dtype="<f4").tobytes()
    assert refused(archive(tmp_path / "bad.pt", program_of(tensor), {"0": raw}))


def test_not_an_archive(tmp_path: Path) -> None:
    path = tmp_path / "x.pt"
    path.write_bytes(b"not a zip")
    refused(path)
    with zipfile.ZipFile(path, "w") as out:
        out.writestr("readme", "no tensors")
    assert "data.pkl" in refused(path)


def test_truncated_file(tmp_path: Path) -> None:
    path = save(tmp_path / "a.pt", {"w": torch.ones(1000)})
    path.write_bytes(path.read_bytes()[:1500])
    assert refused(path)


@pytest.mark.shared
def test_mn04_as_torch_reads_it(shared: Path) -> None:
    path = shared / "weights/audio/mn04_as_mAP_432.pt"
    found, wanted = read_state_dict(path), torch.load(path, weights_only=True, map_location="cpu")
    assert list(found) == list(wanted)
    for name, tensor in wanted.items():
        assert found[name].dtype == tensor.numpy().dtype
        assert found[name].shape == tuple(tensor.shape)
        assert found[name].tobytes() == tensor.numpy().tobytes(), name
