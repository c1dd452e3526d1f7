from __future__ import annotations

import io

import pytest

from bshm_worker.frames import LIMIT, BrokenStream, read_frame, write_frame


def test_messages_come_back_in_order_and_the_end_is_none() -> None:
    stream = io.BytesIO()
    for message in ({"op": "a"}, {"text": "–" * 300}):
        write_frame(stream, message)
    stream.seek(0)
    assert read_frame(stream) == {"op": "a"}
    assert read_frame(stream) == {"text": "–" * 300}
    assert read_frame(stream) is None


@pytest.mark.parametrize(
    "data",
    [b"\0", b"\0\0\0\5abc", b"\xff\xff\xff\xff", b"\0\0\0\2{]", b"\0\0\0\2[]", b"\0\0\0\1\xff"],
)
def test_what_is_not_a_message_is_a_broken_stream(data: bytes) -> None:
    with pytest.raises(BrokenStream):
        read_frame(io.BytesIO(data))


def test_a_message_over_the_limit_is_not_sent() -> None:
    with pytest.raises(ValueError, match="limit"):
        write_frame(io.BytesIO(), {"x": "x" * LIMIT})
