"""Which operators a model file may hold, read from its bytes before any engine sees them.

Allowed is what computes tensors from tensors and gives the same answer every time. Left out are custom operators and
those of other domains (foreign code), tables, variables and random numbers (answers that depend on more than the
image), and strings. Weights must lie in the file itself: a model that names other files could read any of them.

Sources: https://github.com/google-ai-edge/LiteRT, tflite/converter/schema/schema.fbs;
https://github.com/onnx/onnx, onnx/onnx.proto; https://flatbuffers.dev/internals.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import NamedTuple

from ..errors import ModelError
from . import protobuf

__all__ = ["ONNX", "TFLITE", "check"]

# fmt: off
TFLITE: Mapping[int, str] = {
    0: "ADD", 1: "AVERAGE_POOL_2D", 2: "CONCATENATION", 3: "CONV_2D", 4: "DEPTHWISE_CONV_2D", 5: "DEPTH_TO_SPACE",
    6: "DEQUANTIZE", 8: "FLOOR", 9: "FULLY_CONNECTED", 11: "L2_NORMALIZATION", 12: "L2_POOL_2D",
    13: "LOCAL_RESPONSE_NORMALIZATION", 14: "LOGISTIC", 16: "LSTM", 17: "MAX_POOL_2D", 18: "MUL", 19: "RELU",
    20: "RELU_N1_TO_1", 21: "RELU6", 22: "RESHAPE", 23: "RESIZE_BILINEAR", 24: "RNN", 25: "SOFTMAX",
    26: "SPACE_TO_DEPTH", 27: "SVDF", 28: "TANH", 34: "PAD", 35: "UNIDIRECTIONAL_SEQUENCE_RNN", 36: "GATHER",
    37: "BATCH_TO_SPACE_ND", 38: "SPACE_TO_BATCH_ND", 39: "TRANSPOSE", 40: "MEAN", 41: "SUB", 42: "DIV", 43: "SQUEEZE",
    44: "UNIDIRECTIONAL_SEQUENCE_LSTM", 45: "STRIDED_SLICE", 46: "BIDIRECTIONAL_SEQUENCE_RNN", 47: "EXP", 48: "TOPK_V2",
    49: "SPLIT", 50: "LOG_SOFTMAX", 52: "BIDIRECTIONAL_SEQUENCE_LSTM", 53: "CAST", 54: "PRELU", 55: "MAXIMUM",
    56: "ARG_MAX", 57: "MINIMUM", 58: "LESS", 59: "NEG", 60: "PADV2", 61: "GREATER", 62: "GREATER_EQUAL",
    63: "LESS_EQUAL", 64: "SELECT", 65: "SLICE", 66: "SIN", 67: "TRANSPOSE_CONV", 69: "TILE", 70: "EXPAND_DIMS",
    71: "EQUAL", 72: "NOT_EQUAL", 73: "LOG", 74: "SUM", 75: "SQRT", 76: "RSQRT", 77: "SHAPE", 78: "POW", 79: "ARG_MIN",
    80: "FAKE_QUANT", 81: "REDUCE_PROD", 82: "REDUCE_MAX", 83: "PACK", 84: "LOGICAL_OR", 85: "ONE_HOT",
    86: "LOGICAL_AND", 87: "LOGICAL_NOT", 88: "UNPACK", 89: "REDUCE_MIN", 90: "FLOOR_DIV", 91: "REDUCE_ANY",
    92: "SQUARE", 93: "ZEROS_LIKE", 94: "FILL", 95: "FLOOR_MOD", 96: "RANGE", 97: "RESIZE_NEAREST_NEIGHBOR",
    98: "LEAKY_RELU", 99: "SQUARED_DIFFERENCE", 100: "MIRROR_PAD", 101: "ABS", 102: "SPLIT_V", 103: "UNIQUE",
    104: "CEIL", 105: "REVERSE_V2", 106: "ADD_N", 107: "GATHER_ND", 108: "COS", 109: "WHERE", 110: "RANK", 111: "ELU",
    112: "REVERSE_SEQUENCE", 113: "MATRIX_DIAG", 114: "QUANTIZE", 115: "MATRIX_SET_DIAG", 116: "ROUND",
    117: "HARD_SWISH", 118: "IF", 119: "WHILE", 122: "SCATTER_ND", 123: "SELECT_V2", 124: "DENSIFY", 125: "SEGMENT_SUM",
    126: "BATCH_MATMUL", 128: "CUMSUM", 130: "BROADCAST_TO", 131: "RFFT2D", 132: "CONV_3D", 133: "IMAG", 134: "REAL",
    135: "COMPLEX_ABS", 140: "REDUCE_ALL", 141: "CONV_3D_TRANSPOSE", 145: "BROADCAST_ARGS", 147: "BUCKETIZE",
    150: "GELU", 151: "DYNAMIC_UPDATE_SLICE", 152: "RELU_0_TO_1", 153: "UNSORTED_SEGMENT_PROD",
    154: "UNSORTED_SEGMENT_MAX", 155: "UNSORTED_SEGMENT_SUM", 156: "ATAN2", 157: "UNSORTED_SEGMENT_MIN", 158: "SIGN",
    159: "BITCAST", 160: "BITWISE_XOR", 161: "RIGHT_SHIFT", 203: "DILATE", 205: "REDUCE_WINDOW",
}
# fmt: on

_ONNX_NAMES = """
Abs Acos Acosh Add And ArgMax ArgMin Asin Asinh Atan Atanh Attention AveragePool BatchNormalization BitShift
BitwiseAnd BitwiseNot BitwiseOr BitwiseXor Cast CastLike Ceil Celu Clip Concat Constant ConstantOfShape Conv
ConvInteger ConvTranspose Cos Cosh CumSum DepthToSpace DequantizeLinear Div Dropout DynamicQuantizeLinear Einsum Elu
Equal Erf Exp Expand EyeLike Flatten Floor GRU Gather GatherElements GatherND Gelu Gemm GlobalAveragePool
GlobalLpPool GlobalMaxPool Greater GreaterOrEqual GridSample GroupNormalization HardSigmoid HardSwish Hardmax
Identity If InstanceNormalization IsInf IsNaN LRN LSTM LayerNormalization LeakyRelu Less LessOrEqual Log LogSoftmax
Loop LpNormalization LpPool MatMul MatMulInteger Max MaxPool Mean MeanVarianceNormalization Min Mish Mod Mul Neg
NonZero Not OneHot Or PRelu Pad Pow QLinearConv QLinearMatMul QuantizeLinear RMSNormalization RNN Range Reciprocal
ReduceL1 ReduceL2 ReduceLogSum ReduceLogSumExp ReduceMax ReduceMean ReduceMin ReduceProd ReduceSum ReduceSumSquare
Relu Reshape Resize ReverseSequence Round Scan ScatterElements ScatterND Selu Shape Shrink Sigmoid Sign Sin Sinh
Size Slice Softmax Softplus Softsign SpaceToDepth Split Sqrt Squeeze Sub Sum Swish Tan Tanh ThresholdedRelu Tile
TopK Transpose Trilu Unsqueeze Upsample Where Xor
"""
ONNX = frozenset(_ONNX_NAMES.split())

_MOST_CODES = 1000  # there are 210 builtin operators
_DEEPEST = 16  # graphs inside graphs, such as the bodies of loops


def check(payload: bytes, format: str) -> None:
    """Refuse a model whose operators are not all allowed, or whose weights lie outside of it.

    Args:
        payload: the plain model.
        format: "tflite" or "onnx".

    Raises:
        ModelError: such a model, or bytes that are none.
    """
    try:
        objections = sorted(set(_tflite(payload) if format == "tflite" else _onnx(payload)))
    except ValueError as error:
        raise ModelError(f"it is no {format} model ({error}); export it again") from None
    if objections:
        raise ModelError(f"the model is refused before an engine is made: {'; '.join(objections)}")


class _Table(NamedTuple):
    """A table of a flatbuffer: all its bytes, and where the table begins."""

    data: bytes
    start: int

    def place(self, slot: int) -> int | None:
        """Return where field number `slot` lies, None where the table leaves it out."""
        vtable = self.start - _integer(self.data, self.start, 4, signed=True)
        entry = 4 + 2 * slot
        offset = _integer(self.data, vtable + entry, 2) if entry < _integer(self.data, vtable, 2) else 0
        return self.start + offset if offset else None

    def integer(self, slot: int, size: int) -> int:
        place = self.place(slot)
        return 0 if place is None else _integer(self.data, place, size, signed=True)

    def tables(self, slot: int) -> Iterator[_Table]:
        """Yield the tables that a vector holds."""
        place = self.place(slot)
        if place is None:
            return
        vector = _follow(self.data, place)
        for index in range(_integer(self.data, vector, 4)):
            yield _Table(self.data, _follow(self.data, vector + 4 + 4 * index))


def _tflite(payload: bytes) -> Iterator[str]:
    """Yield what is wrong with a TFLite model."""
    if payload[4:8] != b"TFL3":
        raise ValueError("the identifier TFL3 is missing")
    model = _Table(payload, _follow(payload, 0))
    # Field numbers of Model, OperatorCode and Buffer.
    count = 0
    for count, operator in enumerate(model.tables(1), start=1):
        if count > _MOST_CODES:
            raise ValueError(f"more than {_MOST_CODES} operators")
        # Numbers above 127 stand in a field of their own; old files have the other one alone.
        code = max(operator.integer(0, 1), operator.integer(3, 4))
        if code not in TFLITE:
            yield "it has a custom operator" if code == 32 else f"operator {code} is not allowed"
    if not count:
        raise ValueError("it names no operators")
    if any(model.place(slot) is not None for slot in (8, 9)):
        yield "its weights lie in other files"
    if any(buffer.integer(1, 8) > 1 for buffer in model.tables(4)):
        yield "its weights lie outside of the model"


def _follow(data: bytes, place: int) -> int:
    return place + _integer(data, place, 4)


def _integer(data: bytes, place: int, size: int, *, signed: bool = False) -> int:
    if not 0 <= place <= len(data) - size:
        raise ValueError(f"an offset leads to byte {place} of {len(data)}")
    return int.from_bytes(data[place : place + size], "little", signed=signed)


def _onnx(payload: bytes) -> Iterator[str]:
    """Yield what is wrong with an ONNX model; readers merge parts that appear twice, so every one is looked at."""
    fields = protobuf.fields(payload)
    graphs = [field.value for field in fields if field.number == 7]
    if not graphs:
        raise ValueError("it has no graph")
    if any(field.number in (20, 25) for field in fields):
        yield "it has training steps or functions of its own"
    for graph in graphs:
        yield from _graph(graph, _DEEPEST)


def _graph(graph: bytes, depth: int) -> Iterator[str]:
    if not depth:
        raise ValueError(f"graphs more than {_DEEPEST} deep inside each other")
    for field in protobuf.fields(graph):
        if field.number == 1:
            yield from _node(field.value, depth)
        elif field.number == 5:
            yield from _tensor(field.value)
        elif field.number == 15:
            yield from _sparse(field.value)


def _node(node: bytes, depth: int) -> Iterator[str]:
    fields = protobuf.fields(node)
    for field in fields:
        if field.number == 7 and field.value not in (b"", b"ai.onnx"):
            yield f"operators of the domain {_text(field.value)} are not allowed"
        elif field.number == 4 and field.value.decode(errors="replace") not in ONNX:
            yield f"operator {_text(field.value)} is not allowed"
        elif field.number == 5:
            yield from _attribute(field.value, depth)


def _attribute(attribute: bytes, depth: int) -> Iterator[str]:
    for field in protobuf.fields(attribute):
        if field.number in (6, 11):
            yield from _graph(field.value, depth - 1)
        elif field.number in (5, 10):
            yield from _tensor(field.value)
        elif field.number in (22, 23):
            yield from _sparse(field.value)


def _sparse(tensor: bytes) -> Iterator[str]:
    for field in protobuf.fields(tensor):
        if field.number in (1, 2):
            yield from _tensor(field.value)


def _tensor(tensor: bytes) -> Iterator[str]:
    if any(field.number == 13 or (field.number == 14 and field.integer) for field in protobuf.fields(tensor)):
        yield "its weights lie in other files"


def _text(value: bytes) -> str:
    """Return a name out of an unchecked file so that it can be printed."""
    return ascii(value[:60].decode(errors="replace"))
