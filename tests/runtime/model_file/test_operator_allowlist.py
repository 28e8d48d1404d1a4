from __future__ import annotations

import onnx
from mnist_edge_runtime.model_file import operator_allowlist


def test_the_tables_names_are_the_fields() -> None:
    from tensorflow.lite.python import schema_py_generated as schema

    known = {code: name for name, code in vars(schema.BuiltinOperator).items() if isinstance(code, int)}
    assert {code: known[code] for code in operator_allowlist.TFLITE} == operator_allowlist.TFLITE
    assert {schema.name for schema in onnx.defs.get_all_schemas() if not schema.domain} >= operator_allowlist.ONNX
