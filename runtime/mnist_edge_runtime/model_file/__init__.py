"""The model file: payload, contract and golden vectors, all checked before an engine sees a byte."""

__all__ = ["contract", "flatbuffer", "golden", "sealed_model", "signature", "size_in_c"]
