"""What training needs beyond the core: PyTorch, and the package ``onnx`` to write what was trained."""

from __future__ import annotations

from deixis.errors import MissingExtra


def require_torch(doing: str = "Training networks") -> None:
    """Says nothing where PyTorch is installed.

    Args:
        doing: what needs it, at the beginning of the message.

    Raises:
        MissingExtra: it is not.
    """
    try:
        import torch  # noqa: F401
    except ImportError as error:
        raise MissingExtra("learned", "torch", doing) from error


def require_onnx() -> None:
    """Says nothing where the package ``onnx`` is installed, which PyTorch's exporter needs.

    Raises:
        MissingExtra: it is not.
    """
    try:
        import onnx  # noqa: F401
    except ImportError as error:
        raise MissingExtra("export", "onnx", "Writing a network as an ONNX file") from error
