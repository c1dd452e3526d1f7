"""What grpclib raises, as the client's exceptions."""

from __future__ import annotations

import asyncio
import socket
from pathlib import Path
from typing import Any

import pytest
from grpclib.client import Channel

from bridge_client.calls import Calls, opened, unary
from bridge_client.connection import Connection
from bridge_client.errors import ServiceLost
from bshm.bridge.v1 import matting_pb2 as pb


def test_a_connection_that_is_lost_as_it_is_made_is_a_lost_service(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    connect = Channel._create_connection

    async def connect_and_lose(channel: Channel) -> Any:
        protocol = await connect(channel)
        protocol.connection_lost(None)
        return protocol

    monkeypatch.setattr(Channel, "_create_connection", connect_and_lose)

    async def ask() -> None:
        calls = Calls(Connection(f"unix:{tmp_path / 'socket'}", "token", 1, "0", 1))
        try:
            await unary(calls.get_status, pb.GetStatusRequest(), calls.metadata)
        finally:
            calls.close()

    with socket.socket(socket.AF_UNIX) as service:
        service.bind(str(tmp_path / "socket"))
        service.listen()
        with pytest.raises(ServiceLost, match="please try again"):
            asyncio.run(ask())


def test_a_bug_in_the_caller_is_no_lost_service(tmp_path: Path) -> None:
    async def ask() -> None:
        calls = Calls(Connection(f"unix:{tmp_path / 'socket'}", "token", 1, "0", 1))
        async with opened(calls.matte, calls.metadata, None):
            raise AttributeError("a bug", name="colour", obj=None)

    with pytest.raises(AttributeError, match="a bug"):
        asyncio.run(ask())
