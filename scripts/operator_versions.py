"""Probe which versions of each TFLite operator an interpreter knows, and write the exporters' table of them.

    python scripts/operator_versions.py

Each operator and version is put into an otherwise empty model, which does not load where the interpreter lacks that
kernel. Run it where both engines are installed, after adding a version of one of them.
"""

from __future__ import annotations

import json
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path

TABLE = Path(__file__).parent.parent / "exporters" / "mnist_edge_exporters" / "parity" / "operator_versions.json"
ENGINES = {"litert": "ai_edge_litert.interpreter", "tflite-runtime": "tflite_runtime.interpreter"}
HIGHEST = 20

# Runs in a process without TensorFlow, which cannot be loaded beside tflite-runtime.
PROBE = """
import json, sys
from importlib import import_module
interpreter = import_module(sys.argv[1]).Interpreter
known = {}
for name, versions in json.load(sys.stdin).items():
    for number, model in enumerate(versions, start=1):
        try:
            interpreter(model_content=bytes.fromhex(model))
            known[name] = number
        except (ValueError, RuntimeError) as error:
            if not any(text in str(error) for text in ("Didn't find op", "builtin_code out of range")):
                raise
json.dump(known, sys.stdout)
"""


def model(code: int, number: int) -> bytes:
    """Return a model that names one operator and does nothing."""
    import flatbuffers
    from ai_edge_litert import schema_py_generated as schema

    operator = schema.OperatorCodeT()
    operator.builtinCode, operator.deprecatedBuiltinCode, operator.version = code, min(code, 127), number
    graph = schema.SubGraphT()
    graph.tensors, graph.inputs, graph.outputs, graph.operators = [], [], [], []
    whole = schema.ModelT()
    whole.version, whole.operatorCodes, whole.subgraphs, whole.buffers = 3, [operator], [graph], [schema.BufferT()]
    builder = flatbuffers.Builder(1024)
    builder.Finish(whole.Pack(builder), file_identifier=b"TFL3")
    return bytes(builder.Output())


def main() -> None:
    """Probe the engines that are installed and merge what they say into the table."""
    from ai_edge_litert import schema_py_generated as schema

    operators = {name: code for name, code in vars(schema.BuiltinOperator).items() if isinstance(code, int)}
    special = ("CUSTOM", "DELEGATE", "PLACEHOLDER_FOR_GREATER_OP_CODES")
    models = {
        name: [model(code, number).hex() for number in range(1, HIGHEST + 1)]
        for name, code in operators.items()
        if name not in special
    }
    table = json.loads(TABLE.read_text()) if TABLE.exists() else {}
    for engine, library in ENGINES.items():
        result = subprocess.run(
            [sys.executable, "-c", PROBE, library], input=json.dumps(models), capture_output=True, text=True, check=True
        )
        table[f"{engine}=={version(engine if engine != 'litert' else 'ai-edge-litert')}"] = json.loads(result.stdout)
    TABLE.write_text(json.dumps(table, indent=1, sort_keys=True) + "\n")


if __name__ == "__main__":
    main()
