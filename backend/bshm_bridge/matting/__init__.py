"""Pixel work on arrays: no gRPC, no files, no processes."""
