"""Check and measure this host: self-test, doctor, benchmark."""

__all__ = ["benchmark", "doctor", "needs", "selftest", "turn_process"]
