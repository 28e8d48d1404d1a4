"""Turn a Keras model into TFLite and ONNX files that are proven to answer as it does."""
