"""What the library costs, compared with the least that any client could do. Run as `python -m benchmarks`."""
