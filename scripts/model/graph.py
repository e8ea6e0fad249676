"""The table in 8 bits: as arrays, as the graph that the start is kept as, and back."""

import io

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper


def quantised(rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Rows in 8 bits, and by what each is to be multiplied."""
    scale = np.maximum(np.abs(rows).max(1, keepdims=True), 1e-9) / 127
    short = np.clip(np.rint(rows / scale), -127, 127).astype(np.int8)
    return short, scale.astype(np.float32)


def array(values: np.ndarray) -> bytes:
    """An array as numpy keeps it in a file."""
    content = io.BytesIO()
    np.save(content, values)
    return content.getvalue()


def graph(rows: np.ndarray) -> bytes:
    """Token ids to rows of an int8 table, scaled by row: the pooling is fastembed's."""
    short, scale = quantised(rows)
    # Marks weigh nothing but count in the mean, which normalisation undoes; an empty text stays finite.
    tensors = [
        numpy_helper.from_array(short, "table"),
        numpy_helper.from_array(scale, "scale"),
        numpy_helper.from_array(np.full(rows.shape[1], 1e-6, np.float32), "floor"),
    ]
    nodes = [
        helper.make_node("Gather", ["table", "input_ids"], ["short"]),
        helper.make_node("Cast", ["short"], ["wide"], to=TensorProto.FLOAT),
        helper.make_node("Gather", ["scale", "input_ids"], ["by"]),
        helper.make_node("Mul", ["wide", "by"], ["scaled"]),
        helper.make_node("Add", ["scaled", "floor"], ["last_hidden_state"]),
    ]
    inputs = [
        helper.make_tensor_value_info(name, TensorProto.INT64, ["batch", "length"])
        for name in ("input_ids", "attention_mask", "token_type_ids")
    ]
    output = helper.make_tensor_value_info(
        "last_hidden_state", TensorProto.FLOAT, ["batch", "length", rows.shape[1]]
    )
    made = helper.make_graph(nodes, "static", inputs, [output], tensors)
    model = helper.make_model(
        made, opset_imports=[helper.make_opsetid("", 17)], ir_version=9, producer_name="mcp_memory"
    )
    return model.SerializeToString(deterministic=True)


def rows_of(content: bytes) -> np.ndarray:
    """The table in a graph, at full width again."""
    stored = {
        each.name: numpy_helper.to_array(each)
        for each in onnx.load_model_from_string(content).graph.initializer
    }
    return stored["table"].astype(np.float32) * stored["scale"]
