"""Convert any picture to the 28 x 28 image that the networks were trained on."""

__all__ = [
    "connected_components",
    "file_kinds",
    "filters",
    "grayscale",
    "image_io",
    "mnist",
    "pillow_decoder",
    "segmentation",
]
