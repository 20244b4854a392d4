"""Speed against PyTorch and NumPy: ``python -m benchmarks``; ``README.md`` here says how to read it."""
