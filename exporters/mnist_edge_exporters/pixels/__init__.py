"""Find out how a network reads its pixels and the order of its labels, and put the layers in front that it needs."""

__all__ = ["apply", "check", "readings"]
