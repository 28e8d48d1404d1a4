"""The engines that can run a model file."""

__all__ = ["availability", "base", "loader", "registry", "tensor_codec"]
