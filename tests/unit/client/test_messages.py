"""What the client writes by hand is what protobuf would have written."""

from __future__ import annotations

import os

import pytest

from bridge_client.client import CHUNK
from bridge_client.messages import chunk_message
from bshm.bridge.v1 import matting_pb2 as pb


@pytest.mark.parametrize("size", [1, 127, 128, 16383, 16384, CHUNK - 1, CHUNK])
def test_a_chunk_is_the_message_that_protobuf_makes(size: int) -> None:
    part = os.urandom(size)
    assert chunk_message(memoryview(part)) == pb.MatteRequest(chunk=part).SerializeToString()
