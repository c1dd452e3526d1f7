"""The service as a process: start, end, rights, and what others may do to it."""

from __future__ import annotations

import ipaddress
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

import grpc
import psutil
import pytest
import requests
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha.proto_reflection_descriptor_database import (
    ProtoReflectionDescriptorDatabase,
)
from prometheus_client.parser import text_string_to_metric_families

from bridge_client import (
    BridgeClient,
    Cancellation,
    Cancelled,
    MatteOptions,
    NotAllowed,
    ProtocolMismatch,
    ServiceLost,
    ServiceMissing,
    TimedOut,
)
from bridge_client.connection import Connection, connection_file, read_connection, write_connection
from bridge_client.launcher import write_launch_file
from bshm.bridge.v1 import matting_pb2 as pb
from bshm.bridge.v1 import matting_pb2_grpc as rpc

from .conftest import RunningService, environment, figure, gray, rgb

Start = Callable[..., RunningService]
# Large enough to keep the classic engine busy for seconds.
SLOW_PICTURE, SLOW_SELECTION = figure(1400, 1000)
PICTURE, SELECTION = figure()


def wait_until(condition: Callable[[], object], seconds: float = 30) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.02)


def matte_slowly(service: RunningService, result: list[object], **options: object) -> None:
    try:
        result.append(
            service.client().matte(
                rgb(SLOW_PICTURE),
                hint=gray(SLOW_SELECTION),
                **options,  # type: ignore[arg-type]
            )
        )
    except Exception as error:
        result.append(error)


def test_a_second_service_says_that_one_is_running(service: RunningService) -> None:
    second = subprocess.run(
        [sys.executable, "-m", "bshm_bridge", "serve"],
        env=environment(service.home),
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert second.returncode == 4
    assert "running already" in second.stderr
    assert len(second.stderr.splitlines()) == 1
    assert service.client().status().pid == service.process.pid


def test_files_of_the_service_are_for_its_owner_alone(service: RunningService) -> None:
    run = service.home / "run"
    assert run.stat().st_mode & 0o777 == 0o700
    assert connection_file(service.home).stat().st_mode & 0o777 == 0o600
    assert (service.home / "logs").stat().st_mode & 0o777 == 0o700


def test_a_connection_file_that_others_may_read_is_not_trusted(tmp_path: Path) -> None:
    write_connection(tmp_path, Connection("127.0.0.1:1", "token", 1, "0", 1))
    assert read_connection(tmp_path) is not None
    connection_file(tmp_path).chmod(0o644)
    assert read_connection(tmp_path) is None


def test_without_the_token_every_call_but_health_is_refused(service: RunningService) -> None:
    with grpc.insecure_channel(
        service.endpoint, options=[("grpc.default_authority", "localhost")]
    ) as channel:
        stub = rpc.MattingStub(channel)
        calls = [
            lambda meta: stub.GetStatus(pb.GetStatusRequest(), metadata=meta),
            lambda meta: list(stub.OpenExchange(pb.OpenExchangeRequest(), metadata=meta)),
            lambda meta: list(stub.Matte(iter([pb.MatteRequest()]), metadata=meta)),
            lambda meta: stub.ReleaseModel(pb.ReleaseModelRequest(), metadata=meta),
            lambda meta: stub.Shutdown(pb.ShutdownRequest(), metadata=meta),
            lambda meta: list(
                ProtoReflectionDescriptorDatabase(channel)._stub.ServerReflectionInfo(
                    iter([]), metadata=meta
                )
            ),
        ]
        for call in calls:
            for meta in ((), (("authorization", "Bearer guess"),), (("authorization", ""),)):
                with pytest.raises(grpc.RpcError) as caught:
                    call(meta)
                assert caught.value.code() is grpc.StatusCode.UNAUTHENTICATED
                assert ("bshm-reason", "unauthenticated") in [
                    (entry.key, entry.value) for entry in caught.value.trailing_metadata()
                ]
        health = health_pb2_grpc.HealthStub(channel)
        for name in ("", "bshm.bridge.v1.Matting"):
            answer = health.Check(health_pb2.HealthCheckRequest(service=name))
            assert answer.status == health_pb2.HealthCheckResponse.SERVING


def test_reflection_tells_the_service_to_who_has_the_token(service: RunningService) -> None:
    from grpc_reflection.v1alpha import reflection_pb2, reflection_pb2_grpc

    with grpc.insecure_channel(
        service.endpoint, options=[("grpc.default_authority", "localhost")]
    ) as channel:
        request = reflection_pb2.ServerReflectionRequest(list_services="")
        meta = (("authorization", f"Bearer {service.connection.token}"),)
        stub = reflection_pb2_grpc.ServerReflectionStub(channel)
        answer = next(iter(stub.ServerReflectionInfo(iter([request]), metadata=meta)))
        names = [entry.name for entry in answer.list_services_response.service]
    assert "bshm.bridge.v1.Matting" in names


def test_a_wrong_token_is_a_sentence_in_the_client(service: RunningService, tmp_path: Path) -> None:
    real = service.connection
    write_connection(
        tmp_path, Connection(real.endpoint, "wrong", real.pid, real.version, real.protocol)
    )
    with pytest.raises(NotAllowed, match="bshm stop"):
        BridgeClient("test", tmp_path).status()


def test_a_token_that_was_replaced_meanwhile_is_read_again(
    service: RunningService, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A new service listens at the address of a killed one before it writes its own token."""
    real = service.connection
    stale = Connection(real.endpoint, "of the killed one", 1, real.version, real.protocol)
    read = iter([stale, real])
    monkeypatch.setattr("bridge_client.client.read_connection", lambda home: next(read, real))
    started: list[Path] = []

    def start(home: Path) -> subprocess.Popen[bytes]:
        started.append(home)
        return subprocess.Popen([sys.executable, "-c", ""])

    status = BridgeClient("test", service.home, start=start).status(start=True)
    assert status.pid == real.pid
    assert started == [service.home]


def test_a_client_never_meets_a_killed_services_token(start_service: Start) -> None:
    refused: list[NotAllowed] = []
    over = threading.Event()

    def ask(client: BridgeClient) -> None:
        while not over.is_set():
            try:
                client.status()
            except NotAllowed as error:
                refused.append(error)
            except (ServiceLost, ServiceMissing):
                pass

    service = start_service()
    asking = threading.Thread(target=ask, args=(service.client(),))
    asking.start()
    try:
        for _ in range(4):
            service.process.kill()
            service.process.wait()
            assert connection_file(service.home).exists()
            service = start_service()
    finally:
        over.set()
        asking.join(30)
    assert not refused


def test_another_protocol_number_is_a_sentence(service: RunningService, tmp_path: Path) -> None:
    real = service.connection
    write_connection(
        tmp_path, Connection(real.endpoint, real.token, real.pid, "9.9", real.protocol + 1)
    )
    with pytest.raises(ProtocolMismatch, match="update the plugin"):
        BridgeClient("test", tmp_path).status()


@pytest.mark.skipif(os.name != "posix" or os.geteuid() != 0, reason="needs root to be another user")
def test_another_user_can_neither_read_the_token_nor_reach_the_socket(
    service: RunningService,
) -> None:
    script = (
        "import os, socket, sys\n"
        "os.setgid(65534); os.setuid(65534)\n"
        "for attempt in (lambda: open(sys.argv[1]), "
        "lambda: socket.socket(socket.AF_UNIX).connect(sys.argv[2])):\n"
        "    try:\n"
        "        attempt()\n"
        "    except PermissionError:\n"
        "        continue\n"
        "    sys.exit('let in')\n"
    )
    paths = [str(connection_file(service.home)), service.endpoint.removeprefix("unix:")]
    done = subprocess.run([sys.executable, "-c", script, *paths], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


@pytest.mark.skipif(os.name != "posix" or os.geteuid() != 0, reason="needs root to be another user")
def test_another_user_who_reaches_the_port_is_refused(start_service: Start) -> None:
    service = start_service("--tcp")
    script = (
        "import os, sys, grpc\n"
        "from bshm.bridge.v1 import matting_pb2 as pb, matting_pb2_grpc as rpc\n"
        "os.setgid(65534); os.setuid(65534)\n"
        "try:\n"
        "    rpc.MattingStub(grpc.insecure_channel(sys.argv[1])).GetStatus(pb.GetStatusRequest())\n"
        "except grpc.RpcError as error:\n"
        "    print(os.geteuid(), error.code().name)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script, service.endpoint], capture_output=True, text=True, timeout=60
    )
    assert done.stdout.split() == ["65534", "UNAUTHENTICATED"], done.stderr


@pytest.mark.parametrize("arguments", [(), ("--tcp",)])
def test_nothing_listens_beyond_loopback(start_service: Start, arguments: tuple[str, ...]) -> None:
    service = start_service(*arguments)
    process = psutil.Process(service.process.pid)
    listening = [c for c in process.net_connections("inet") if c.status == psutil.CONN_LISTEN]
    assert len(listening) == (1 if arguments else 0)
    for connection in listening:
        address = ipaddress.ip_address(connection.laddr.ip)
        assert (getattr(address, "ipv4_mapped", None) or address).is_loopback
    assert service.client().status().pid == service.process.pid


def test_two_tcp_services_do_not_share_a_port(start_service: Start, tmp_path: Path) -> None:
    first = start_service("--tcp", home=tmp_path / "a")
    second = start_service("--tcp", home=tmp_path / "b")
    assert first.endpoint != second.endpoint
    assert first.client().status().pid == first.process.pid
    assert second.client().status().pid == second.process.pid


def test_sigterm_finishes_the_running_job_first(start_service: Start) -> None:
    service = start_service()
    result: list[object] = []
    thread = threading.Thread(target=matte_slowly, args=(service, result))
    thread.start()
    wait_until(lambda: service.client().status().jobs)
    service.process.send_signal(signal.SIGTERM)
    thread.join(120)
    assert not isinstance(result[0], Exception), result
    assert service.process.wait(60) == 0
    assert not connection_file(service.home).exists()


def test_a_second_sigterm_does_not_wait_for_the_job(start_service: Start) -> None:
    service = start_service()
    result: list[object] = []
    thread = threading.Thread(target=matte_slowly, args=(service, result))
    thread.start()
    wait_until(lambda: service.client().status().jobs)
    service.process.send_signal(signal.SIGTERM)
    wait_until(lambda: service.client().status().draining)
    service.process.send_signal(signal.SIGTERM)
    assert service.process.wait(60) == 0
    thread.join(60)
    assert isinstance(result[0], ServiceLost), result


def test_a_stopped_service_is_missing_and_says_so(start_service: Start) -> None:
    service = start_service()
    service.client().shutdown()
    assert service.process.wait(60) == 0
    with pytest.raises(ServiceMissing, match="bshm serve"):
        service.client().status()


def test_a_draining_service_is_seen_and_is_not_asked_for_more(start_service: Start) -> None:
    service = start_service()
    result: list[object] = []
    thread = threading.Thread(target=matte_slowly, args=(service, result))
    thread.start()
    wait_until(lambda: service.client().status().jobs)
    service.client().shutdown()
    status = service.client().status()
    assert status.draining
    assert status.pid == service.process.pid
    thread.join(120)
    assert not isinstance(result[0], Exception), result
    assert service.process.wait(60) == 0


def test_a_killed_service_is_lost_and_the_next_request_starts_another(
    start_service: Start,
) -> None:
    service = start_service()
    write_launch_file(service.home)
    result: list[object] = []
    thread = threading.Thread(target=matte_slowly, args=(service, result))
    thread.start()
    wait_until(lambda: "inference" in [job.stage for job in service.client().status().jobs])
    service.process.kill()
    thread.join(60)
    assert isinstance(result[0], ServiceLost)
    assert "please try again" in str(result[0])

    client = BridgeClient("test", service.home)
    try:
        matte = client.matte(rgb(PICTURE), hint=gray(SELECTION))
        assert (matte.alpha.width, matte.alpha.height) == PICTURE.shape[1::-1]
        assert client.status().pid != service.process.pid
    finally:
        client.shutdown()


def test_a_killed_services_leftovers_are_swept_by_the_next(start_service: Start) -> None:
    service = start_service()
    result: list[object] = []
    thread = threading.Thread(target=matte_slowly, args=(service, result))
    thread.start()
    wait_until(lambda: service.client().status().jobs)
    service.process.kill()
    thread.join(60)
    places = [Path("/dev/shm"), service.home / "run" / "exchange"]
    before = {path for place in places for path in place.glob("bshm-*")}
    assert before
    start_service().client().status()
    after = {path for place in places for path in place.glob("bshm-*")}
    assert not {path for path in before & after if path.is_relative_to(service.home)}
    assert len(after) < len(before)


def test_cancel_reaches_the_service_as_a_cancelled_job(start_service: Start) -> None:
    service = start_service()
    for exchange in (True, False):
        cancel = Cancellation()
        cancelled = service.client().status().cancelled
        seen: list[str] = []

        def report(step: object, cancel: Cancellation = cancel, seen: list[str] = seen) -> None:
            seen.append(step.detail)  # type: ignore[attr-defined]
            if "inference" in seen:
                cancel.cancel()

        with pytest.raises(Cancelled):
            service.client(exchange=exchange).matte(
                rgb(SLOW_PICTURE), hint=gray(SLOW_SELECTION), progress=report, cancel=cancel
            )
        wait_until(lambda: not service.client().status().jobs)
        wait_until(lambda before=cancelled: service.client().status().cancelled == before + 1)  # type: ignore[misc]


def test_a_client_that_disappears_frees_its_job_and_its_lease(start_service: Start) -> None:
    service = start_service()
    script = (
        "import sys; sys.path[:0] = sys.argv[2:]\n"
        "from pathlib import Path\n"
        "from bridge_client import BridgeClient, Pixels\n"
        "size = 1400, 1000\n"
        "noise = bytes(i * i % 251 for i in range(1400)) * 3000\n"
        "hint = Pixels((bytes(400) + bytes([255]) * 600 + bytes(400)) * 1000, *size, 'GRAY')\n"
        "BridgeClient('test', Path(sys.argv[1])).matte(Pixels(noise, *size, 'RGB'), hint=hint)\n"
    )
    client = subprocess.Popen(
        [sys.executable, "-c", script, str(service.home), *sys.path], stderr=subprocess.DEVNULL
    )
    wait_until(lambda: service.client().status().jobs)
    client.kill()
    client.wait()
    wait_until(lambda: not service.client().status().jobs)
    assert service.client().status().cancelled == 1
    leases = service.home / "run" / "exchange"
    wait_until(lambda: not list(leases.iterdir()))


def test_a_deadline_is_kept(start_service: Start) -> None:
    service = start_service()
    with pytest.raises(TimedOut):
        service.client().matte(rgb(SLOW_PICTURE), hint=gray(SLOW_SELECTION), timeout=0.7)
    wait_until(lambda: not service.client().status().jobs)


def test_an_idle_service_ends_by_itself(start_service: Start) -> None:
    service = start_service("--idle-exit", "1")
    assert service.process.wait(60) == 0


def test_an_idle_model_is_unloaded(start_service: Start) -> None:
    service = start_service("--idle-unload", "0.5")
    service.client().matte(rgb(PICTURE), hint=gray(SELECTION))
    wait_until(lambda: {m.state for m in service.client().status().models} == {"absent"})
    service.client().matte(rgb(PICTURE), hint=gray(255 - SELECTION))


def test_release_unloads_now(service: RunningService) -> None:
    picture = PICTURE.copy()
    picture[0, 0] = 11
    service.client().matte(rgb(picture), hint=gray(SELECTION))
    assert service.client().release() == ["classic"]
    assert service.client().release() == []


def test_garbage_on_the_socket_does_not_harm_the_service(service: RunningService) -> None:
    for garbage in (b"", b"GET / HTTP/1.1\r\n\r\n", bytes(range(256)) * 64):
        with socket.socket(socket.AF_UNIX) as raw:
            raw.connect(service.endpoint.removeprefix("unix:"))
            raw.sendall(garbage)
    options = MatteOptions(refinement="fast")
    service.client().matte(rgb(PICTURE), hint=gray(SELECTION), options=options)


def test_metrics_are_told_on_loopback(start_service: Start) -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    service = start_service("--metrics-port", str(port))
    matte = service.client().matte(rgb(PICTURE), hint=gray(SELECTION))
    text = requests.get(f"http://127.0.0.1:{port}/metrics", timeout=10).text
    assert 'bshm_jobs_total{outcome="done"} 1.0' in text
    families = {family.name: family for family in text_string_to_metric_families(text)}
    told = {s.labels["stage"]: s.value for s in families["bshm_stage_seconds"].samples}
    for stage in ("queue", "transfer", "decode", "fit", "inference", "refine", "encode"):
        assert told[stage] == pytest.approx(matte.timings[stage], abs=1e-4), stage
    assert 'bshm_models_loaded{model="classic"} 1.0' in text
    listening = psutil.Process(service.process.pid).net_connections("inet")
    assert {c.laddr.ip for c in listening if c.status == psutil.CONN_LISTEN} == {"127.0.0.1"}


def test_a_model_that_cannot_be_preloaded_is_said_at_once(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "bshm_bridge", "serve", "--preload", "clasic"],
        env=environment(tmp_path),
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == 4
    assert done.stderr.splitlines() == [
        "bshm: There is no model named “clasic”: `bshm models list` shows them. "
        "Did you mean “classic”?"
    ]


def test_a_preloaded_model_is_ready_before_the_first_job(start_service: Start) -> None:
    service = start_service("--preload", "classic")
    wait_until(lambda: "ready" in [model.state for model in service.client().status().models])
    assert service.client().status().done == 0
