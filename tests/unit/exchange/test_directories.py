"""What the service trusts about a file that a client wrote: nothing."""

from __future__ import annotations

import os
import resource
import socket
from pathlib import Path

import numpy as np
import pytest

from bshm_bridge.errors import Exhausted, InvalidInput
from bshm_bridge.exchange.buffers import Buffers
from bshm_bridge.exchange.directories import NONCE_FILE, PrivateDirectory
from bshm_bridge.exchange.leases import SLOTS, Leases


@pytest.fixture
def directory(tmp_path: Path) -> PrivateDirectory:
    return PrivateDirectory(tmp_path / "lease")


def reason_of(directory: PrivateDirectory, name: str, size: int) -> str:
    with pytest.raises(InvalidInput) as caught:
        directory.take(name, size, Buffers())
    return caught.value.reason


def test_directory_and_nonce_are_private(directory: PrivateDirectory) -> None:
    assert directory.path.stat().st_mode & 0o777 == 0o700
    assert (directory.path / NONCE_FILE).stat().st_mode & 0o777 == 0o600
    assert (directory.path / NONCE_FILE).read_bytes() == directory.nonce


def test_a_plain_file_is_read_and_removed(directory: PrivateDirectory) -> None:
    (directory.path / "0.in").write_bytes(b"pixels")
    assert directory.take("0.in", 6, Buffers()).tobytes() == b"pixels"
    assert not (directory.path / "0.in").exists()


def test_what_was_read_does_not_change_when_the_client_goes_on_writing(
    directory: PrivateDirectory,
) -> None:
    path = directory.path / "0.in"
    with path.open("wb+") as file:
        file.write(b"before")
        file.flush()
        copy = directory.take("0.in", 6, Buffers())
        file.seek(0)
        file.write(b"after!")
        file.flush()
    assert copy.tobytes() == b"before"


@pytest.mark.parametrize("size", [0, 5, 7, 2**40])
def test_another_size_than_announced_is_refused(directory: PrivateDirectory, size: int) -> None:
    (directory.path / "0.in").write_bytes(b"pixels")
    assert reason_of(directory, "0.in", size) == "size-mismatch"


def test_links_pipes_sockets_and_folders_are_refused(
    directory: PrivateDirectory, tmp_path: Path
) -> None:
    secret = tmp_path / "secret"
    secret.write_bytes(b"secret")
    (directory.path / "symlink").symlink_to(secret)
    os.link(secret, directory.path / "hardlink")
    os.mkfifo(directory.path / "pipe")
    (directory.path / "folder").mkdir()
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(os.path.relpath(directory.path / "socket"))
    listener.close()
    for name in ("symlink", "hardlink", "pipe", "folder", "socket", "missing"):
        assert reason_of(directory, name, 6) == "bad-slot", name


def test_the_directory_stays_ours_when_its_path_is_replaced(
    directory: PrivateDirectory, tmp_path: Path
) -> None:
    moved = tmp_path / "moved"
    (directory.path / "0.in").write_bytes(b"pixels")
    directory.path.rename(moved)
    directory.path.mkdir()
    (directory.path / "0.in").write_bytes(b"forged")
    assert directory.take("0.in", 6, Buffers()).tobytes() == b"pixels"


def test_results_are_written_one_after_the_other_over_an_old_link(
    directory: PrivateDirectory, tmp_path: Path
) -> None:
    victim = tmp_path / "victim"
    victim.write_bytes(b"untouched")
    (directory.path / "0.out").symlink_to(victim)
    directory.put("0.out", [np.arange(3, dtype=np.uint8), np.array([7], np.uint16)])
    assert (directory.path / "0.out").read_bytes() == b"\x00\x01\x02\x07\x00"
    assert victim.read_bytes() == b"untouched"


def test_a_full_disk_is_a_sentence(directory: PrivateDirectory) -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1000, hard))
    try:
        with pytest.raises(Exhausted) as caught:
            directory.put("0.out", [np.zeros(5000, np.uint8)])
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert caught.value.reason == "disk-full"
    assert not (directory.path / "0.out").exists()
    directory.put("0.out", [np.zeros(5000, np.uint8)])


def test_a_lease_ends_with_all_that_is_in_it(tmp_path: Path) -> None:
    leases = Leases(tmp_path / "home", None)
    lease = leases.open()
    path = lease.directories[0].path
    (path / "0.in").write_bytes(b"x")
    leases.close(lease)
    assert not path.exists()
    assert lease.ended.is_set()
    with pytest.raises(InvalidInput) as caught:
        leases.find(lease.name)
    assert caught.value.reason == "lease-ended"


def test_slots_need_the_nonce_and_serve_one_job_at_a_time(tmp_path: Path) -> None:
    lease = Leases(tmp_path / "home", None).open()
    nonce = lease.directories[0].nonce
    for arguments, reason in [
        ((0, 0, b"guess"), "bad-nonce"),
        ((1, 0, nonce), "bad-slot"),
        ((-1, 0, nonce), "bad-slot"),
        ((0, SLOTS, nonce), "bad-slot"),
    ]:
        with pytest.raises(InvalidInput) as caught:
            lease.slot(*arguments)
        assert caught.value.reason == reason
    slot = lease.slot(0, 3, nonce)
    with pytest.raises(InvalidInput) as caught:
        lease.slot(0, 3, nonce)
    assert caught.value.reason == "slot-busy"
    slot.release()
    lease.slot(0, 3, nonce)


def test_leftovers_are_swept_and_those_of_others_stay(tmp_path: Path) -> None:
    shared = tmp_path / "shm"
    shared.mkdir()
    mine = Leases(tmp_path / "a", shared).open()
    other = Leases(tmp_path / "b", shared).open()
    Leases(tmp_path / "a", shared).sweep()
    assert not any(directory.path.exists() for directory in mine.directories)
    assert all(directory.path.exists() for directory in other.directories)
