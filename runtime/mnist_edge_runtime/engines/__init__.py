"""The engines that run model files, one row of a table each."""

__all__ = ["availability", "base", "litert", "loader", "onnxruntime", "registry", "tensor_codec"]
