"""Tell what a file is by its first bytes, whatever its name: a picture that can be read, or what else."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass
from importlib.util import find_spec

__all__ = [
    "HEAD",
    "NAMES",
    "PICTURE_SUFFIXES",
    "FileKind",
    "counted",
    "gif_palette",
    "kind_of",
]

HEAD = 512  # bytes at the start of a file that are enough to tell its kind

# Names that promise a picture: a file with one of them that is none is an error, not something to be left out.
PICTURE_SUFFIXES = (
    *(".png", ".jpg", ".jpeg", ".jpe", ".jfif", ".mpo", ".bmp", ".dib", ".webp", ".tif", ".tiff", ".gif", ".avif"),
    *(".pgm", ".ppm", ".pbm", ".pnm", ".npy"),
)
NAMES = "PNG, JPEG, BMP, WebP, TIFF, GIF, AVIF, PGM, PPM, PBM or .npy"

_TO_JPEG = "convert it to JPEG or PNG"


@dataclass(frozen=True)
class FileKind:
    """A kind of file.

    Attributes:
        name: as a person knows it, such as "PNG" or "git-lfs pointer".
        decoder: Pillow's name of the picture format, "PPM" also for the pictures of netpbm, "NPY" for arrays of numpy;
            empty for what no decoder here reads.
        advice: what to do with a file that is not read.
        needs: the module without which Pillow does not read it; empty where there is none.
    """

    name: str
    decoder: str = ""
    advice: str = ""
    needs: str = ""

    @property
    def is_picture(self) -> bool:
        """Whether `image_io.load_picture` reads it; a Pillow without WebP or AVIF then says so itself."""
        return bool(self.decoder) and (not self.needs or find_spec(self.needs) is not None)


_HEIC = FileKind(
    "HEIC",
    "HEIF",
    f"{_TO_JPEG}, or install pillow-heif; an iPhone takes JPEGs with Settings, Camera, Formats, Most Compatible",
    "pillow_heif",
)
_AVIF = FileKind("AVIF", "AVIF")
_EXPORT_PAGE = "save the page that you want read as PNG"
_FRAME = "save a frame of it as PNG"
_UNPACK = "unpack it first"
_PULL = "fetch the file that it stands for with: git lfs pull"

_EMPTY = FileKind("empty")
_UNKNOWN = FileKind("unknown")
_TEXT = FileKind("text")

# Each: where the bytes stand, the bytes, the kind; the first row that matches counts.
_SIGNATURES: tuple[tuple[int, bytes, FileKind], ...] = (
    (0, b"\x89PNG", FileKind("PNG", "PNG")),
    (0, b"\xff\xd8\xff", FileKind("JPEG", "JPEG")),
    (0, b"GIF87a", FileKind("GIF", "GIF")),
    (0, b"GIF89a", FileKind("GIF", "GIF")),
    (8, b"CR\x02\0", FileKind("camera raw picture", advice=_TO_JPEG)),
    (0, b"II*\0", FileKind("TIFF", "TIFF")),
    (0, b"MM\0*", FileKind("TIFF", "TIFF")),
    (0, b"II+\0", FileKind("TIFF", "TIFF")),
    (0, b"MM\0+", FileKind("TIFF", "TIFF")),
    (0, b"\x93NUMPY", FileKind(".npy", "NPY")),
    (0, b"\0\0\0\x0cjP  ", FileKind("JPEG 2000", advice=_TO_JPEG)),
    (0, b"\xff\x4f\xff\x51", FileKind("JPEG 2000", advice=_TO_JPEG)),
    (0, b"\0\0\0\x0cJXL ", FileKind("JPEG XL", advice=_TO_JPEG)),
    (0, b"\xff\x0a", FileKind("JPEG XL", advice=_TO_JPEG)),
    (0, b"8BPS", FileKind("Photoshop picture", advice=_TO_JPEG)),
    (0, b"gimp xcf", FileKind("GIMP picture", advice=_TO_JPEG)),
    (0, b"qoif", FileKind("QOI", advice=_TO_JPEG)),
    (0, b"v/1\x01", FileKind("OpenEXR", advice=_TO_JPEG)),
    (0, b"#?RADIANCE", FileKind("Radiance HDR", advice=_TO_JPEG)),
    (0, b"FUJIFILM", FileKind("camera raw picture", advice=_TO_JPEG)),
    (0, b"IIRO", FileKind("camera raw picture", advice=_TO_JPEG)),
    (0, b"IIU\0", FileKind("camera raw picture", advice=_TO_JPEG)),
    (0, b"\0\0\x01\0", FileKind("Windows icon", advice=_TO_JPEG)),
    (128, b"DICM", FileKind("DICOM", advice=_TO_JPEG)),
    (0, b"%PDF", FileKind("PDF", advice=_EXPORT_PAGE)),
    (0, b"%!PS", FileKind("PostScript", advice=_EXPORT_PAGE)),
    (0, b"AT&TFORM", FileKind("DjVu", advice=_EXPORT_PAGE)),
    (0, b"\x1a\x45\xdf\xa3", FileKind("Matroska or WebM video", advice=_FRAME)),
    (0, b"\0\0\x01\xba", FileKind("MPEG video", advice=_FRAME)),
    (0, b"ID3", FileKind("MP3 sound")),
    (0, b"OggS", FileKind("Ogg sound or video")),
    (0, b"PK\x03\x04", FileKind("ZIP", advice=_UNPACK)),
    (0, b"PK\x05\x06", FileKind("ZIP", advice=_UNPACK)),
    (0, b"\x1f\x8b", FileKind("gzip", advice=_UNPACK)),
    (0, b"BZh", FileKind("bzip2", advice=_UNPACK)),
    (0, b"\xfd7zXZ\0", FileKind("xz", advice=_UNPACK)),
    (0, b"\x28\xb5\x2f\xfd", FileKind("zstd", advice=_UNPACK)),
    (0, b"7z\xbc\xaf\x27\x1c", FileKind("7z", advice=_UNPACK)),
    (0, b"Rar!", FileKind("RAR", advice=_UNPACK)),
    (257, b"ustar", FileKind("tar", advice=_UNPACK)),
    (4, b"TFL3", FileKind("TFLite model")),
    (0, b"\x89HDF", FileKind("HDF5")),
    (0, b"\0\0\x08\x03", FileKind("IDX file of images")),
    (0, b"\0\0\x08\x01", FileKind("IDX file of labels")),
    (0, b"\x7fELF", FileKind("program")),
    (0, b"MZ", FileKind("program")),
    (0, b"\xcf\xfa\xed\xfe", FileKind("program")),
    (0, b"SQLite format 3", FileKind("SQLite")),
    (0, b"\xd0\xcf\x11\xe0", FileKind("Office or thumbnail file of Windows")),
    (0, b"\0\x05\x16\x07", FileKind("metadata of macOS")),
    (0, b"version https://git-lfs", FileKind("git-lfs pointer", advice=_PULL)),
)
_RIFF = {
    b"WEBP": FileKind("WebP", "WEBP"),
    b"AVI ": FileKind("AVI video", advice=_FRAME),
    b"WAVE": FileKind("WAV sound"),
}
_BRANDS = {
    **dict.fromkeys((b"avif", b"avis"), _AVIF),
    **dict.fromkeys((b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"mif1", b"msf1"), _HEIC),
    b"crx ": FileKind("camera raw picture", advice=_TO_JPEG),
    b"qt  ": FileKind("QuickTime video", advice=_FRAME),
}
_MP4 = FileKind("MP4 video", advice=_FRAME)
_NETPBM = {
    **dict.fromkeys(b"14", FileKind("PBM", "PPM")),
    **dict.fromkeys(b"25", FileKind("PGM", "PPM")),
    **dict.fromkeys(b"36", FileKind("PPM", "PPM")),
}
_BMP_HEADERS = (12, 16, 40, 52, 56, 64, 108, 124)  # bytes of the header that follows the first 14
_MARKUP = (
    (re.compile(rb"<svg\b", re.I), FileKind("SVG", advice="save it as PNG")),
    (
        re.compile(rb"<(!doctype\s+html|html|head|body)\b", re.I),
        FileKind("HTML page", advice="save the picture itself"),
    ),
    (re.compile(rb"\A<\?xml\b", re.I), FileKind("XML")),
    (re.compile(rb"\A[\[{]"), FileKind("JSON")),
)


def kind_of(start: bytes) -> FileKind:
    """Return the kind of the file that begins with `start`, its first `HEAD` bytes or all that it has."""
    if not start:
        return _EMPTY
    for place, signature, kind in _SIGNATURES:
        if start.startswith(signature, place):
            return kind
    if start[4:8] == b"ftyp":
        return _by_brand(start)
    if start.startswith(b"RIFF"):
        return _RIFF.get(start[8:12], _UNKNOWN)
    if re.match(rb"P[1-6]\s+[\d#]", start):
        return _NETPBM[start[1]]
    if start.startswith(b"BM") and int.from_bytes(start[14:18], "little") in _BMP_HEADERS:
        return FileKind("BMP", "BMP")
    return _by_text(start)


def _by_brand(start: bytes) -> FileKind:
    """Return the kind of a file of ISO/IEC 14496-12 by its brands, of which the first is the main one."""
    size = int.from_bytes(start[:4], "big")
    brands = [start[8:12], *(start[at : at + 4] for at in range(16, min(size, len(start)), 4))]
    # "mif1" leaves open which coding follows; AVIF names itself beside it.
    if brands[0] == b"mif1" and any(_BRANDS.get(brand) is _AVIF for brand in brands):
        return _AVIF
    return _BRANDS.get(brands[0], _MP4)


def _by_text(start: bytes) -> FileKind:
    if start.startswith((b"\xff\xfe", b"\xfe\xff")):
        return _TEXT
    try:
        text = start.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        if len(start) < HEAD or error.start < HEAD - 3:
            return _UNKNOWN
        text = start[: error.start].decode("utf-8-sig")  # a character was cut at the end
    if any(ord(character) < 32 and character not in "\t\n\r\f\x1b" for character in text):
        return _UNKNOWN
    content = text.lstrip().encode()
    return next((kind for pattern, kind in _MARKUP if pattern.search(content)), _TEXT)


def gif_palette(flags: int) -> int:
    """Return the size in bytes of a palette that the flags of a GIF promise."""
    return 3 << (flags & 7) + 1 if flags & 0x80 else 0


def counted(kinds: Counter[str]) -> str:
    """Return how many files there are of each kind, the most frequent first, such as "3 PDF, 1 HEIC"."""
    return ", ".join(f"{count:,} {name}" for name, count in kinds.most_common())
