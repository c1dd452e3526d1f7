from __future__ import annotations

import zlib
from collections.abc import Callable
from dataclasses import replace
from typing import Any, cast

import pytest

from bridge_client import Matte, MatteOptions, Pixels, Progress
from krita.bshm_remove_background.colours import ColourSpace, WireFormat
from krita.bshm_remove_background.controller import Controller, State
from krita.bshm_remove_background.host import (
    Applied,
    Area,
    CutOut,
    LayerProblem,
    Snapshot,
    Target,
)
from krita.bshm_remove_background.live import LiveEdges
from krita.bshm_remove_background.requests import Product, finish_matte, matte_request
from krita.bshm_remove_background.settings import Settings
from krita.bshm_remove_background.trimap import Trimap
from krita.bshm_remove_background.worker import Failure, Request, Worker

SPACE = ColourSpace("RGBA", "U8", "sRGB-elle-V2-srgbtrc.icc")
WIRE = WireFormat("BGRA", "u8", False)
AREA = Area(-3, 5, 4, 2)
PIXELS = bytes(range(32))


class RecordingHost:
    """Keeps what it is told in place of an editor."""

    def __init__(self, *targets: Target) -> None:
        self.chosen = list(targets)
        self.done: list[tuple[Any, ...]] = []
        self.problems: dict[str, str] = {}
        self.mask_is_ours = True

    def targets(self, every_selected: bool) -> list[Target]:
        if not self.chosen:
            raise LayerProblem("Open an image first.")
        return self.chosen if every_selected else self.chosen[:1]

    def snapshot(self, target: Target, settings: Settings, frame: int | None) -> Snapshot:
        if target.name in self.problems:
            raise LayerProblem(self.problems[target.name])
        return Snapshot(AREA, PIXELS, SPACE, WIRE)

    def add_mask(
        self, target: Target, area: Area, alpha: bytes, settings: Settings
    ) -> Applied | None:
        self.done.append(("mask", target.name, area, alpha, settings.existing))
        return Applied(target, "mask id", area, alpha)

    def add_layer(self, target: Target, cut_out: CutOut) -> None:
        self.done.append(("layer", target.name, cut_out))

    def add_animation(self, target: Target, frames: dict[int, CutOut]) -> None:
        self.done.append(("animation", target.name, frames))

    def select(self, target: Target, area: Area, alpha: bytes) -> None:
        self.done.append(("selection", target.name, area, alpha))

    def change_mask(self, applied: Applied, alpha: bytes) -> Applied | None:
        if not self.mask_is_ours:
            return None
        self.done.append(("change", alpha))
        return replace(applied, alpha=alpha)


class PendingJob:
    def __init__(self, arguments: dict[str, Any]) -> None:
        self.arguments = arguments
        self.request = Request()

    def pixels_and_options(self) -> tuple[Pixels, MatteOptions]:
        pixels, options = self.arguments["make"]()
        return pixels, options["options"]

    def progress(self, step: Progress) -> None:
        self.arguments["on_progress"](step)

    def answer(self, alpha: bytes = b"\x10" * 8, remembered: str = "") -> None:
        pixels = Pixels(alpha, 4, 2, "GRAY")
        matte = Matte(pixels, None, "classic", "classic", "CPU", remembered=remembered)
        self.arguments["on_done"](self.arguments["finish"](matte))

    def fail(self, sentence: str, reason: str) -> None:
        self.arguments["on_failed"](Failure(sentence, reason))


class HeldWorker:
    """Holds requests until the test answers them."""

    def __init__(self) -> None:
        self.jobs: list[PendingJob] = []

    def matte(self, make: Callable[[], Any], **arguments: Any) -> Request:
        job = PendingJob({"on_progress": print, "make": make, **arguments})
        self.jobs.append(job)
        return job.request


def layer(name: str, frames: tuple[int, ...] = ()) -> Target:
    return Target("document", f"id of {name}", name, frames)


def parts(
    *targets: Target, settings: Settings | None = None
) -> tuple[Controller, RecordingHost, Any]:
    host, worker = RecordingHost(*targets), HeldWorker()
    controller = Controller(host, cast(Worker, worker), settings or Settings())
    return controller, host, worker


def test_layer_goes_out_as_it_lies_and_mask_comes_back_at_its_place() -> None:
    controller, host, worker = parts(layer("a"))
    controller.remove_background()
    pixels, options = worker.jobs[0].pixels_and_options()
    assert (pixels.width, pixels.height, pixels.layout, pixels.depth) == (4, 2, "BGRA", "u8")
    assert bytes(pixels.data) == PIXELS
    assert options == MatteOptions()
    worker.jobs[0].answer(b"\x00\x01\x02\x03\x04\x05\x06\x07")
    assert host.done == [("mask", "a", AREA, b"\x00\x01\x02\x03\x04\x05\x06\x07", "intersect")]
    assert controller.state.phase == "done"


def test_second_click_while_working_does_nothing() -> None:
    controller, _, worker = parts(layer("a"))
    controller.remove_background()
    controller.remove_background()
    assert len(worker.jobs) == 1


def test_batch_goes_on_after_a_layer_that_cannot_be_done_and_says_so() -> None:
    controller, host, worker = parts(layer("a"), layer("b"), layer("c"))
    host.problems["a"] = "The layer “a” is empty."
    controller.remove_background(every_selected=True)
    worker.jobs[0].fail("No person found.", "no-person-found")
    worker.jobs[1].answer()
    assert [done[1] for done in host.done] == ["c"]
    assert controller.state.phase == "failed"
    assert controller.state.message == ("1 of 3 done. The layer “a” is empty. b: No person found.")


@pytest.mark.parametrize("reason", ["service-lost", "not-installed", "unauthenticated", "bug"])
def test_batch_ends_where_no_other_layer_could_do_better(reason: str) -> None:
    controller, _, worker = parts(layer("a"), layer("b"))
    controller.remove_background(every_selected=True)
    worker.jobs[0].fail("It stopped.", reason)
    assert len(worker.jobs) == 1
    assert (controller.state.phase, controller.state.message) == ("failed", "It stopped.")
    controller.remove_background()
    worker.jobs[1].answer()
    assert (controller.state.phase, controller.state.message) == ("done", "Done.")


def test_result_that_was_on_its_way_when_cancelled_is_not_applied() -> None:
    controller, host, worker = parts(layer("a"), layer("b"))
    controller.remove_background(every_selected=True)
    worker.jobs[0].answer()
    controller.cancel()
    worker.jobs[1].answer()
    assert [done[1] for done in host.done] == ["a"]
    assert controller.state.phase == "cancelled"
    assert controller.state.message == "Cancelled: 1 of 2 were done before."


def test_cancel_reaches_the_request() -> None:
    controller, _, worker = parts(layer("a"))
    controller.remove_background()
    told: list[str] = []

    class Told:
        def cancel(self) -> None:
            told.append("cancel")

    worker.jobs[0].request.watch(Told())
    controller.cancel()
    assert told == ["cancel"]
    worker.jobs[0].fail("Cancelled.", "cancelled")
    assert controller.state.message == "Cancelled: nothing was changed."


def test_listener_sees_each_step_of_a_batch() -> None:
    controller, _, worker = parts(layer("a"), layer("b"))
    seen: list[State] = []
    controller.listen(seen.append)
    controller.remove_background(every_selected=True)
    worker.jobs[0].progress(Progress("queued", position=3))
    assert (seen[-1].phase, seen[-1].index, seen[-1].total) == ("working", 0, 2)
    assert seen[-1].progress.position == 3
    worker.jobs[0].answer()
    assert (seen[-1].index, seen[-1].layer, seen[-1].progress) == (1, "b", None)
    controller.forget(seen.append)
    worker.jobs[1].answer()
    assert seen[-1].phase == "working"


def test_selection_output_selects() -> None:
    controller, host, worker = parts(layer("a"), settings=Settings(output="selection"))
    controller.remove_background()
    worker.jobs[0].answer(b"\x22" * 8)
    assert host.done == [("selection", "a", AREA, b"\x22" * 8)]


def test_cut_out_has_the_layers_colours_and_the_mattes_opacity() -> None:
    controller, host, worker = parts(layer("a"), settings=Settings(output="layer"))
    controller.remove_background()
    _, options = worker.jobs[0].pixels_and_options()
    assert options.foreground
    worker.jobs[0].answer(b"\xff" * 8)
    (kind, _, cut_out), *_ = host.done
    assert kind == "layer"
    assert (cut_out.area, cut_out.space, bytes(cut_out.data)) == (AREA, SPACE, PIXELS)


def test_animated_layer_becomes_one_animated_cut_out_whatever_the_output() -> None:
    controller, host, worker = parts(layer("a", frames=(0, 7)), layer("b"))
    controller.remove_background(every_selected=True)
    worker.jobs[0].answer(b"\xff" * 8)
    assert host.done == []
    worker.jobs[1].answer(b"\x00" * 8)
    (kind, _, frames), *_ = host.done
    assert kind == "animation"
    assert list(frames) == [0, 7]
    assert bytes(frames[0].data)[3::4] == PIXELS[3::4]
    assert bytes(frames[7].data)[3::4] == b"\0" * 8
    worker.jobs[2].answer()
    assert [done[0] for done in host.done] == ["animation", "mask"]


def test_animation_that_lacks_a_frame_is_given_up_and_the_next_layer_done() -> None:
    controller, host, worker = parts(layer("a", frames=(0, 7, 9)), layer("b"))
    controller.remove_background(every_selected=True)
    worker.jobs[0].answer()
    worker.jobs[1].fail("No person found.", "no-person-found")
    worker.jobs[2].answer()
    assert [done[:2] for done in host.done] == [("mask", "b")]
    assert "a: No person found." in controller.state.message


def test_frames_wait_compressed() -> None:
    snapshot = Snapshot(AREA, bytes(32), SPACE, WIRE)
    matte = Matte(Pixels(bytes(8), 4, 2, "GRAY"), None, "classic", "classic", "CPU")
    product = finish_matte(matte, snapshot, Settings(output="layer"), compress=True)
    assert product.cut_out is not None
    assert zlib.decompress(product.cut_out.data) == bytes(32)


def test_small_matte_keeps_its_shape_and_place() -> None:
    width, height = 600, 300
    rows = [bytes([255]) * 300 + bytes(300) for _ in range(150)] + [bytes(600)] * 150
    snapshot = Snapshot(Area(0, 0, width, height), bytes(width * height * 4), SPACE, WIRE)
    matte = Matte(Pixels(b"".join(rows), width, height, "GRAY"), None, "m", "e", "CPU")
    small = finish_matte(matte, snapshot, Settings()).small
    assert (small.width, small.height) == (200, 100)
    assert small.data[: small.width] == b"\xff" * 100 + bytes(100)
    assert small.data[-small.width :] == bytes(200)


def test_deep_cut_out_asks_for_a_deep_matte_and_a_mask_does_not() -> None:
    deep = Snapshot(AREA, bytes(128), SPACE, WireFormat("RGBA", "f32", True))
    assert matte_request(deep, Settings(output="layer"))[1]["options"].depth == "u16"
    assert matte_request(deep, Settings())[1]["options"].depth == "u8"
    assert matte_request(deep, Settings())[0].linear


def test_changed_settings_are_kept_once_and_shown() -> None:
    kept: list[Settings] = []
    controller = Controller(RecordingHost(), cast(Worker, HeldWorker()), Settings(), kept.append)
    controller.change_settings(Settings(feather=2.0))
    controller.change_settings(Settings(feather=2.0))
    assert kept == [Settings(feather=2.0)]


class TestLiveEdges:
    def parts(self) -> tuple[Controller, LiveEdges, RecordingHost, Any]:
        controller, host, worker = parts(layer("a"))
        controller.remove_background()
        worker.jobs[0].answer()
        host.done.clear()
        return controller, LiveEdges(controller, host, worker), host, worker

    def test_asks_fast_while_dragging_and_best_at_the_end(self) -> None:
        _, live, host, worker = self.parts()
        live.drag(Settings(edge_shift=1.0))
        live.drag(Settings(edge_shift=2.0))
        live.drag(Settings(edge_shift=3.0))
        assert len(worker.jobs) == 2
        worker.jobs[1].answer(b"\x01" * 8)
        live.release(Settings(edge_shift=3.5, feather=1.0))
        worker.jobs[2].answer(b"\x03" * 8)
        worker.jobs[3].answer(b"\x04" * 8)
        asked = [job.pixels_and_options()[1] for job in worker.jobs[1:]]
        assert [(one.edge_shift, one.feather, one.refinement) for one in asked] == [
            (1.0, 0.0, "fast"),
            (3.0, 0.0, "fast"),
            (3.5, 1.0, "best"),
        ]
        assert host.done == [("change", bytes([value]) * 8) for value in (1, 3, 4)]
        assert live.settled

    def test_names_what_the_service_remembers_so_that_the_layer_need_not_travel(self) -> None:
        controller, host, worker = parts(layer("a"))
        controller.remove_background()
        worker.jobs[0].answer(remembered="first")
        live = LiveEdges(controller, host, worker)
        for number, (told, then) in enumerate([("first", ""), ("first", "second"), ("second", "")]):
            live.drag(Settings(edge_shift=1.0 + number))
            job = worker.jobs[1 + number]
            assert job.arguments["make"]()[1]["remembered"] == told
            job.answer(remembered=then)

    def test_does_nothing_without_a_mask_that_was_just_made(self) -> None:
        controller, host, worker = parts(layer("a"))
        live = LiveEdges(controller, host, worker)
        live.drag(Settings(edge_shift=1.0))
        assert worker.jobs == []

    def test_answer_for_an_older_mask_is_dropped(self) -> None:
        controller, live, host, worker = self.parts()
        live.drag(Settings(edge_shift=1.0))
        controller.remove_background()
        worker.jobs[1].answer(b"\x01" * 8)
        worker.jobs[2].answer(b"\x02" * 8)
        assert [done[0] for done in host.done] == ["mask"]

    def test_lets_go_of_a_mask_that_somebody_painted_on(self) -> None:
        controller, live, host, worker = self.parts()
        host.mask_is_ours = False
        live.release(Settings(feather=1.0))
        worker.jobs[1].answer()
        assert controller.result is None
        assert "by hand" in controller.state.message
        live.release(Settings(feather=2.0))
        assert len(worker.jobs) == 2

    def test_failure_is_one_sentence_and_ends_nothing(self) -> None:
        controller, live, _, worker = self.parts()
        live.release(Settings(feather=1.0))
        worker.jobs[1].fail("The service stopped.", "service-lost")
        assert controller.state.message == "The service stopped."
        assert live.settled
        live.release(Settings(feather=2.0))
        worker.jobs[2].answer()
        assert live.updates == 1


def test_product_does_not_hold_the_mattes_pixels_twice() -> None:
    matte = Matte(Pixels(b"\x10" * 8, 4, 2, "GRAY"), None, "classic", "classic", "CPU")
    product: Product = finish_matte(matte, Snapshot(AREA, PIXELS, SPACE, WIRE), Settings())
    assert product.alpha == b"\x10" * 8
    assert product.matte.alpha.data == b""


def test_followed_trimap_is_part_of_the_state() -> None:
    controller, host, worker = parts(layer("a"))
    place = Area(AREA.x, AREA.y, 1, 1)
    snapshot = Snapshot(AREA, PIXELS, SPACE, WIRE, trimap=Trimap(b"\xff" * 4, 4, place, AREA))
    host.snapshot = lambda *_: snapshot  # type: ignore[method-assign]
    controller.remove_background()
    assert worker.jobs[0].arguments["make"]()[1]["trimap"].data == b"\xff" + b"\x80" * 7
    worker.jobs[0].answer()
    assert controller.state.trimap


def test_message_about_a_layer_goes_when_another_image_is_looked_at() -> None:
    controller, _, worker = parts()
    controller.remove_background()
    controller.moved_on()
    assert controller.state == State()
    assert worker.jobs == []
    controller, _, worker = parts(layer("a"))
    controller.remove_background()
    worker.jobs[0].fail("The service stopped.", "service-lost")
    controller.moved_on()
    assert controller.state.message == "The service stopped."
