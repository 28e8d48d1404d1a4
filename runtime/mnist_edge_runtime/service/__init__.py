"""Run as a service: answer pictures over HTTP, and watch folders for new pictures, and cameras for numbers."""

__all__ = [
    "access",
    "address",
    "app",
    "camera",
    "folder_watcher",
    "frame_reader",
    "frame_sources",
    "limits",
    "observer",
    "page",
    "reading_rules",
    "region",
    "server",
    "stopping",
    "token",
    "workers",
]
