"""Asking a computation questions: what differs, why a gradient is missing, what the formula is."""
