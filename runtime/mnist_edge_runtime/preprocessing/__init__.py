"""Convert any picture to the 28 x 28 image that the networks were trained on."""

__all__ = [
    "connected_components",
    "edge_sharpness",
    "file_kinds",
    "grayscale",
    "histogram",
    "image_io",
    "jpeg_stream",
    "mnist",
    "npy",
    "page_segmentation",
    "pillow_decoder",
    "pixel_rows",
    "png_writer",
    "reduction",
    "regular_files",
    "segmentation",
    "text_lines",
]
