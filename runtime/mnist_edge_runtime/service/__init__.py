"""Run as a service: answer pictures over HTTP, and watch folders for new pictures."""

__all__ = ["access", "address", "app", "inbox", "limits", "server", "token", "workers"]
