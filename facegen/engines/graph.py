"""An ONNX graph while it is put together."""

from __future__ import annotations

from typing import Any

import numpy as np

from facegen.optional import require


class Graph:
    """Nodes and constants, and a name for each of what they give.

    A graph inside another one, such as what `Scan` does for each frame, sees what is outside of it: its constants stand
    among those of the outermost.

    Args:
        outside: the graph that this one is inside of.
    """

    def __init__(self, outside: Graph | None = None) -> None:
        self.helper, self.numpy = require("onnx.helper", "onnx"), require("onnx.numpy_helper", "onnx")
        self.nodes: list[Any] = []
        self.constants: list[Any] = [] if outside is None else outside.constants
        self.mark = "value" if outside is None else "inner"

    def constant(self, array: np.ndarray) -> str:
        """Keep an array, and give its name."""
        name = f"constant_{len(self.constants)}"
        self.constants.append(self.numpy.from_array(np.ascontiguousarray(array), name))
        return name

    def add(self, kind: str, *inputs: str | np.ndarray, output: str = "", **attributes: Any) -> str:
        """Add a node.

        Args:
            kind: of the node, an operator of ONNX.
            inputs: names, or arrays that become constants.
            output: the name of what it gives, where others have to know it.
            attributes: of the operator.

        Returns:
            The name of what it gives.
        """
        names = [each if isinstance(each, str) else self.constant(each) for each in inputs]
        output = output or f"{self.mark}_{len(self.nodes)}"
        self.nodes.append(self.helper.make_node(kind, names, [output], **attributes))
        return output

    def inner_graph(self, taken: tuple[str, list[int]], given: tuple[str, list[int]]) -> Any:
        """These nodes as the graph of an operator such as `Scan`, from one float32 input to one output.

        Args:
            taken, given: the name and shape of each.
        """
        floats = require("onnx", "onnx").TensorProto.FLOAT
        ends = [self.helper.make_tensor_value_info(name, floats, shape) for name, shape in (taken, given)]
        return self.helper.make_graph(self.nodes, "frame", ends[:1], ends[1:])
