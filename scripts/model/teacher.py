"""The teacher: all-MiniLM-L6-v2 as an ONNX graph with int8 weights, so that teaching takes minutes."""

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
import onnxruntime
from onnx import TensorProto, helper, numpy_helper
from tokenizers import Tokenizer

MICROSOFT = "com.microsoft"
BATCH = 32
EPSILON = 1e-12
Arrays = dict[str, np.ndarray]


class Graph:
    """Nodes and constants of a graph in the making; each node is called by what it gives."""

    def __init__(self) -> None:
        self.nodes: list[Any] = []
        self.constants: list[Any] = []

    def constant(self, name: str, value: np.ndarray) -> str:
        """A value by name."""
        self.constants.append(numpy_helper.from_array(np.ascontiguousarray(value), name))
        return name

    def node(self, kind: str, inputs: Iterable[str], name: str, **more: Any) -> str:
        """What is done to others."""
        self.nodes.append(helper.make_node(kind, list(inputs), [name], name=name, **more))
        return name

    def linear(self, x: str, weight: np.ndarray, bias: np.ndarray, name: str) -> str:
        """X times a matrix of int8 with a scale a column, what goes in quantised as it comes."""
        scale = (np.maximum(np.abs(weight).max(0), 1e-9) / 127).astype(np.float32)
        short = np.clip(np.rint(weight / scale), -127, 127).astype(np.int8)
        inputs = (
            x,
            self.constant(f"{name}.weight", short),
            self.constant(f"{name}.scale", scale),
            self.constant(f"{name}.zero", np.zeros(len(scale), np.int8)),
            self.constant(f"{name}.bias", bias),
        )
        return self.node("DynamicQuantizeMatMul", inputs, name, domain=MICROSOFT)

    def normalised(self, x: str, weight: np.ndarray, bias: np.ndarray, name: str) -> str:
        """Layer normalisation."""
        inputs = (
            x,
            self.constant(f"{name}.weight", weight),
            self.constant(f"{name}.bias", bias),
        )
        return self.node("LayerNormalization", inputs, name, axis=-1, epsilon=EPSILON)


def embedded(graph: Graph, weights: Arrays) -> str:
    """Words, their places and the one kind of sentence, added and normalised."""
    at = "embeddings"
    words = graph.constant("words", weights[f"{at}.word_embeddings.weight"])
    places = graph.constant("places", weights[f"{at}.position_embeddings.weight"])
    kind = graph.constant("kind", weights[f"{at}.token_type_embeddings.weight"][0])
    graph.node("Gather", (words, "input_ids"), "word")
    graph.node("Shape", ("input_ids",), "length", start=1, end=2)
    first = graph.constant("first", np.array([0], np.int64))
    graph.node("Slice", (places, first, "length", first), "place")
    graph.node("Add", ("word", "place"), "placed")
    graph.node("Add", ("placed", kind), "sum")
    norm = f"{at}.LayerNorm"
    return graph.normalised("sum", weights[f"{norm}.weight"], weights[f"{norm}.bias"], "embedded")


def layer(graph: Graph, weights: Arrays, number: int, x: str, heads: int) -> str:
    """One layer: attention, then the wide part, each added to what came in and normalised."""
    at = f"encoder.layer.{number}"

    def part(name: str) -> tuple[np.ndarray, np.ndarray]:
        return weights[f"{at}.{name}.weight"].T, weights[f"{at}.{name}.bias"]

    def of(name: str) -> str:
        return f"{number}.{name}"

    split = [
        graph.linear(x, *part(f"attention.self.{n}"), of(n)) for n in ("query", "key", "value")
    ]
    graph.node(
        "MultiHeadAttention", (*split, "", "mask"), of("mixed"), domain=MICROSOFT, num_heads=heads
    )
    graph.linear(of("mixed"), *part("attention.output.dense"), of("out"))
    graph.node("Add", (of("out"), x), of("kept"))
    inner = graph.normalised(of("kept"), *part("attention.output.LayerNorm"), of("inner"))
    graph.linear(inner, *part("intermediate.dense"), of("wide"))
    graph.node("Gelu", (of("wide"),), of("bent"), approximate="none")
    graph.linear(of("bent"), *part("output.dense"), of("narrow"))
    graph.node("Add", (of("narrow"), inner), of("told"))
    return graph.normalised(of("told"), *part("output.LayerNorm"), of("state"))


def session(weights: Arrays, heads: int, layers: int) -> Any:
    """The teacher, ready to run: token ids and mask to the last states."""
    weights = {name: value.astype(np.float32) for name, value in weights.items()}
    graph = Graph()
    graph.node("Cast", ("attention_mask",), "mask", to=TensorProto.INT32)
    x = embedded(graph, weights)
    for number in range(layers):
        x = layer(graph, weights, number, x, heads)
    graph.node("Identity", (x,), "states")
    shape = ["batch", "length"]
    inputs = [
        helper.make_tensor_value_info(name, TensorProto.INT64, shape)
        for name in ("input_ids", "attention_mask")
    ]
    output = helper.make_tensor_value_info("states", TensorProto.FLOAT, [*shape, "width"])
    made = helper.make_model(
        helper.make_graph(graph.nodes, "teacher", inputs, [output], graph.constants),
        opset_imports=[helper.make_opsetid("", 20), helper.make_opsetid(MICROSOFT, 1)],
        ir_version=10,
    )
    options = onnxruntime.SessionOptions()
    options.enable_cpu_mem_arena = False
    return onnxruntime.InferenceSession(
        made.SerializeToString(), options, providers=["CPUExecutionProvider"]
    )


def taught(model: Any, tokenizer: Tokenizer, texts: Sequence[str], length: int) -> np.ndarray:
    """The teacher's unit vector of each text, of its first `length` tokens; float16."""
    tokenizer.enable_truncation(length)
    tokenizer.no_padding()
    ids = [each.ids for each in tokenizer.encode_batch(list(texts))]
    order = sorted(range(len(ids)), key=lambda place: len(ids[place]))
    made = np.zeros((len(ids), 384), np.float16)
    for start in range(0, len(order), BATCH):
        places = order[start : start + BATCH]
        batch = np.zeros((len(places), len(ids[places[-1]])), np.int64)
        mask = np.zeros_like(batch)
        for row, place in enumerate(places):
            batch[row, : len(ids[place])] = ids[place]
            mask[row, : len(ids[place])] = 1
        states = model.run(None, {"input_ids": batch, "attention_mask": mask})[0]
        mean = (states * mask[:, :, None]).sum(1) / mask.sum(1, keepdims=True)
        made[places] = mean / np.linalg.norm(mean, axis=1, keepdims=True)
    return made
