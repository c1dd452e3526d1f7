"""The gRPC service: calls in, scheduling and pixels behind."""
