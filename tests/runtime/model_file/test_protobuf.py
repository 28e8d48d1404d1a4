from __future__ import annotations

import onnx
import pytest
from mnist_edge_runtime.model_file import protobuf

METADATA_PROPS = 14


@pytest.mark.parametrize("length", [0, 1, 127, 128, 300, 16_383, 16_384, 100_000])
def test_an_entry_is_what_onnx_itself_writes(length: int) -> None:
    value = "x" * length
    model = onnx.ModelProto()
    model.metadata_props.add(key="labels", value=value)

    entry = protobuf.metadata_entry(METADATA_PROPS, b"labels", value.encode())

    if length:  # onnx leaves an empty value out; both forms mean the same
        assert entry == model.SerializeToString()
    assert onnx.ModelProto.FromString(entry) == model


def test_entries_are_read_back_in_order_with_their_places() -> None:
    values = [b"", b"one", b"x" * 200]
    entries = [protobuf.metadata_entry(number, b"key", value) for number, value in enumerate(values, start=1)]

    found = protobuf.fields(b"".join(entries))

    assert [field.number for field in found] == [1, 2, 3]
    assert [field.start for field in found] == [0, len(entries[0]), len(entries[0] + entries[1])]
    assert [[part.value for part in protobuf.fields(field.value)] for field in found] == [
        [b"key", value] for value in values
    ]


def test_the_fields_of_a_real_model_are_found() -> None:
    model = onnx.helper.make_model(onnx.helper.make_graph([], "empty", [], []), producer_name="a test")

    found = protobuf.fields(model.SerializeToString(deterministic=True))

    assert {field.number: field.value for field in found if field.value} == {
        onnx.ModelProto.PRODUCER_NAME_FIELD_NUMBER: b"a test",
        onnx.ModelProto.GRAPH_FIELD_NUMBER: model.graph.SerializeToString(),
        onnx.ModelProto.OPSET_IMPORT_FIELD_NUMBER: model.opset_import[0].SerializeToString(),
    }


@pytest.mark.parametrize(
    ("message", "expected"),
    [
        (b"\x08\x96\x01", [(1, 0, b"", 150)]),
        (b"\x09" + bytes(8), [(1, 0, b"", 0)]),
        (b"\x0d" + bytes(4), [(1, 0, b"", 0)]),
        (b"\x0a\x02ab\x12\x01c", [(1, 0, b"ab", 0), (2, 4, b"c", 0)]),
        (b"\x82\x7d\x01x", [(2000, 0, b"x", 0)]),
        (b"", []),
    ],
    ids=["varint", "64 bits", "32 bits", "bytes", "a large number", "nothing"],
)
def test_every_wire_type_is_stepped_over(message: bytes, expected: list[tuple[int, int, bytes, int]]) -> None:
    assert protobuf.fields(message) == expected


@pytest.mark.parametrize(
    "message",
    [
        b"\x0a\x05ab",
        b"\x0a",
        b"\x09" + bytes(7),
        b"\x0d" + bytes(3),
        b"\x08\x80",
        b"\x08" + b"\xff" * 11,
        b"\x0b",
        b"\x0f\x00",
        b"\x0a\x01a\x0a\x02b",
    ],
    ids=[
        "bytes cut short",
        "no length",
        "64 bits cut short",
        "32 bits cut short",
        "varint cut short",
        "varint without end",
        "group",
        "unknown wire type",
        "second field cut short",
    ],
)
def test_bytes_that_are_no_whole_message_are_refused(message: bytes) -> None:
    with pytest.raises(ValueError, match="byte"):
        protobuf.fields(message)
