"""Faults planted in derivatives, to count how many of them a gradient checker finds and names."""
