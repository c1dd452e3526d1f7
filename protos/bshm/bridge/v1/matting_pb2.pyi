from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from typing import ClassVar as _ClassVar, Iterable as _Iterable, Mapping as _Mapping, Optional as _Optional, Union as _Union

CHANNEL_DEPTH_F16: ChannelDepth
CHANNEL_DEPTH_F32: ChannelDepth
CHANNEL_DEPTH_U16: ChannelDepth
CHANNEL_DEPTH_U8: ChannelDepth
CHANNEL_DEPTH_UNSPECIFIED: ChannelDepth
CHANNEL_LAYOUT_BGR: ChannelLayout
CHANNEL_LAYOUT_BGRA: ChannelLayout
CHANNEL_LAYOUT_GRAY: ChannelLayout
CHANNEL_LAYOUT_GRAYA: ChannelLayout
CHANNEL_LAYOUT_RGB: ChannelLayout
CHANNEL_LAYOUT_RGBA: ChannelLayout
CHANNEL_LAYOUT_UNSPECIFIED: ChannelLayout
DESCRIPTOR: _descriptor.FileDescriptor
PRIORITY_BATCH: Priority
PRIORITY_INTERACTIVE: Priority
PRIORITY_UNSPECIFIED: Priority
REFINEMENT_BEST: Refinement
REFINEMENT_FAST: Refinement
REFINEMENT_UNSPECIFIED: Refinement
TRANSFER_ENCODED: Transfer
TRANSFER_LINEAR: Transfer
TRANSFER_UNSPECIFIED: Transfer

class Exchange(_message.Message):
    __slots__ = ["directories", "lease", "slots"]
    DIRECTORIES_FIELD_NUMBER: _ClassVar[int]
    LEASE_FIELD_NUMBER: _ClassVar[int]
    SLOTS_FIELD_NUMBER: _ClassVar[int]
    directories: _containers.RepeatedCompositeFieldContainer[ExchangeDirectory]
    lease: str
    slots: int
    def __init__(self, lease: _Optional[str] = ..., directories: _Optional[_Iterable[_Union[ExchangeDirectory, _Mapping]]] = ..., slots: _Optional[int] = ...) -> None: ...

class ExchangeDirectory(_message.Message):
    __slots__ = ["nonce", "path"]
    NONCE_FIELD_NUMBER: _ClassVar[int]
    PATH_FIELD_NUMBER: _ClassVar[int]
    nonce: str
    path: str
    def __init__(self, path: _Optional[str] = ..., nonce: _Optional[str] = ...) -> None: ...

class ExchangeSlot(_message.Message):
    __slots__ = ["directory", "lease", "nonce", "slot"]
    DIRECTORY_FIELD_NUMBER: _ClassVar[int]
    LEASE_FIELD_NUMBER: _ClassVar[int]
    NONCE_FIELD_NUMBER: _ClassVar[int]
    SLOT_FIELD_NUMBER: _ClassVar[int]
    directory: int
    lease: str
    nonce: bytes
    slot: int
    def __init__(self, lease: _Optional[str] = ..., directory: _Optional[int] = ..., slot: _Optional[int] = ..., nonce: _Optional[bytes] = ...) -> None: ...

class GetStatusRequest(_message.Message):
    __slots__ = []
    def __init__(self) -> None: ...

class GetStatusResponse(_message.Message):
    __slots__ = ["default_model", "default_reason", "draining", "exchange", "jobs", "max_pixels", "memory", "models", "pid", "protocol", "totals", "uptime", "version"]
    DEFAULT_MODEL_FIELD_NUMBER: _ClassVar[int]
    DEFAULT_REASON_FIELD_NUMBER: _ClassVar[int]
    DRAINING_FIELD_NUMBER: _ClassVar[int]
    EXCHANGE_FIELD_NUMBER: _ClassVar[int]
    JOBS_FIELD_NUMBER: _ClassVar[int]
    MAX_PIXELS_FIELD_NUMBER: _ClassVar[int]
    MEMORY_FIELD_NUMBER: _ClassVar[int]
    MODELS_FIELD_NUMBER: _ClassVar[int]
    PID_FIELD_NUMBER: _ClassVar[int]
    PROTOCOL_FIELD_NUMBER: _ClassVar[int]
    TOTALS_FIELD_NUMBER: _ClassVar[int]
    UPTIME_FIELD_NUMBER: _ClassVar[int]
    VERSION_FIELD_NUMBER: _ClassVar[int]
    default_model: str
    default_reason: str
    draining: bool
    exchange: bool
    jobs: _containers.RepeatedCompositeFieldContainer[JobStatus]
    max_pixels: int
    memory: int
    models: _containers.RepeatedCompositeFieldContainer[ModelStatus]
    pid: int
    protocol: int
    totals: Totals
    uptime: float
    version: str
    def __init__(self, version: _Optional[str] = ..., protocol: _Optional[int] = ..., pid: _Optional[int] = ..., uptime: _Optional[float] = ..., draining: bool = ..., models: _Optional[_Iterable[_Union[ModelStatus, _Mapping]]] = ..., jobs: _Optional[_Iterable[_Union[JobStatus, _Mapping]]] = ..., memory: _Optional[int] = ..., exchange: bool = ..., max_pixels: _Optional[int] = ..., totals: _Optional[_Union[Totals, _Mapping]] = ..., default_model: _Optional[str] = ..., default_reason: _Optional[str] = ...) -> None: ...

class Inline(_message.Message):
    __slots__ = []
    def __init__(self) -> None: ...

class JobStatus(_message.Message):
    __slots__ = ["age", "client", "height", "model", "priority", "stage", "width"]
    AGE_FIELD_NUMBER: _ClassVar[int]
    CLIENT_FIELD_NUMBER: _ClassVar[int]
    HEIGHT_FIELD_NUMBER: _ClassVar[int]
    MODEL_FIELD_NUMBER: _ClassVar[int]
    PRIORITY_FIELD_NUMBER: _ClassVar[int]
    STAGE_FIELD_NUMBER: _ClassVar[int]
    WIDTH_FIELD_NUMBER: _ClassVar[int]
    age: float
    client: str
    height: int
    model: str
    priority: Priority
    stage: str
    width: int
    def __init__(self, client: _Optional[str] = ..., model: _Optional[str] = ..., stage: _Optional[str] = ..., priority: _Optional[_Union[Priority, str]] = ..., width: _Optional[int] = ..., height: _Optional[int] = ..., age: _Optional[float] = ...) -> None: ...

class Loading(_message.Message):
    __slots__ = ["fraction", "model", "stage"]
    FRACTION_FIELD_NUMBER: _ClassVar[int]
    MODEL_FIELD_NUMBER: _ClassVar[int]
    STAGE_FIELD_NUMBER: _ClassVar[int]
    fraction: float
    model: str
    stage: str
    def __init__(self, stage: _Optional[str] = ..., fraction: _Optional[float] = ..., model: _Optional[str] = ...) -> None: ...

class MatteEvent(_message.Message):
    __slots__ = ["chunk", "loading", "queued", "result", "running"]
    CHUNK_FIELD_NUMBER: _ClassVar[int]
    LOADING_FIELD_NUMBER: _ClassVar[int]
    QUEUED_FIELD_NUMBER: _ClassVar[int]
    RESULT_FIELD_NUMBER: _ClassVar[int]
    RUNNING_FIELD_NUMBER: _ClassVar[int]
    chunk: bytes
    loading: Loading
    queued: Queued
    result: Result
    running: Running
    def __init__(self, queued: _Optional[_Union[Queued, _Mapping]] = ..., loading: _Optional[_Union[Loading, _Mapping]] = ..., running: _Optional[_Union[Running, _Mapping]] = ..., result: _Optional[_Union[Result, _Mapping]] = ..., chunk: _Optional[bytes] = ...) -> None: ...

class MatteHeader(_message.Message):
    __slots__ = ["client", "client_id", "exchange", "frame", "hint", "inline", "options", "pixels", "protocol", "remembered", "trimap"]
    CLIENT_FIELD_NUMBER: _ClassVar[int]
    CLIENT_ID_FIELD_NUMBER: _ClassVar[int]
    EXCHANGE_FIELD_NUMBER: _ClassVar[int]
    FRAME_FIELD_NUMBER: _ClassVar[int]
    HINT_FIELD_NUMBER: _ClassVar[int]
    INLINE_FIELD_NUMBER: _ClassVar[int]
    OPTIONS_FIELD_NUMBER: _ClassVar[int]
    PIXELS_FIELD_NUMBER: _ClassVar[int]
    PROTOCOL_FIELD_NUMBER: _ClassVar[int]
    REMEMBERED_FIELD_NUMBER: _ClassVar[int]
    TRIMAP_FIELD_NUMBER: _ClassVar[int]
    client: str
    client_id: str
    exchange: ExchangeSlot
    frame: VideoFrame
    hint: Plane
    inline: Inline
    options: MatteOptions
    pixels: Plane
    protocol: int
    remembered: str
    trimap: Plane
    def __init__(self, protocol: _Optional[int] = ..., client: _Optional[str] = ..., client_id: _Optional[str] = ..., pixels: _Optional[_Union[Plane, _Mapping]] = ..., hint: _Optional[_Union[Plane, _Mapping]] = ..., trimap: _Optional[_Union[Plane, _Mapping]] = ..., frame: _Optional[_Union[VideoFrame, _Mapping]] = ..., remembered: _Optional[str] = ..., inline: _Optional[_Union[Inline, _Mapping]] = ..., exchange: _Optional[_Union[ExchangeSlot, _Mapping]] = ..., options: _Optional[_Union[MatteOptions, _Mapping]] = ...) -> None: ...

class MatteOptions(_message.Message):
    __slots__ = ["depth", "device", "edge_shift", "engine", "feather", "fill_holes", "foreground", "model", "priority", "refinement", "remove_specks"]
    DEPTH_FIELD_NUMBER: _ClassVar[int]
    DEVICE_FIELD_NUMBER: _ClassVar[int]
    EDGE_SHIFT_FIELD_NUMBER: _ClassVar[int]
    ENGINE_FIELD_NUMBER: _ClassVar[int]
    FEATHER_FIELD_NUMBER: _ClassVar[int]
    FILL_HOLES_FIELD_NUMBER: _ClassVar[int]
    FOREGROUND_FIELD_NUMBER: _ClassVar[int]
    MODEL_FIELD_NUMBER: _ClassVar[int]
    PRIORITY_FIELD_NUMBER: _ClassVar[int]
    REFINEMENT_FIELD_NUMBER: _ClassVar[int]
    REMOVE_SPECKS_FIELD_NUMBER: _ClassVar[int]
    depth: ChannelDepth
    device: str
    edge_shift: float
    engine: str
    feather: float
    fill_holes: int
    foreground: bool
    model: str
    priority: Priority
    refinement: Refinement
    remove_specks: int
    def __init__(self, model: _Optional[str] = ..., engine: _Optional[str] = ..., device: _Optional[str] = ..., refinement: _Optional[_Union[Refinement, str]] = ..., depth: _Optional[_Union[ChannelDepth, str]] = ..., foreground: bool = ..., edge_shift: _Optional[float] = ..., feather: _Optional[float] = ..., fill_holes: _Optional[int] = ..., remove_specks: _Optional[int] = ..., priority: _Optional[_Union[Priority, str]] = ...) -> None: ...

class MatteRequest(_message.Message):
    __slots__ = ["chunk", "header"]
    CHUNK_FIELD_NUMBER: _ClassVar[int]
    HEADER_FIELD_NUMBER: _ClassVar[int]
    chunk: bytes
    header: MatteHeader
    def __init__(self, header: _Optional[_Union[MatteHeader, _Mapping]] = ..., chunk: _Optional[bytes] = ...) -> None: ...

class ModelStatus(_message.Message):
    __slots__ = ["device", "engine", "installed", "licence", "message", "name", "needs_trimap", "state", "temporal", "title", "worker_memory", "worker_pid"]
    DEVICE_FIELD_NUMBER: _ClassVar[int]
    ENGINE_FIELD_NUMBER: _ClassVar[int]
    INSTALLED_FIELD_NUMBER: _ClassVar[int]
    LICENCE_FIELD_NUMBER: _ClassVar[int]
    MESSAGE_FIELD_NUMBER: _ClassVar[int]
    NAME_FIELD_NUMBER: _ClassVar[int]
    NEEDS_TRIMAP_FIELD_NUMBER: _ClassVar[int]
    STATE_FIELD_NUMBER: _ClassVar[int]
    TEMPORAL_FIELD_NUMBER: _ClassVar[int]
    TITLE_FIELD_NUMBER: _ClassVar[int]
    WORKER_MEMORY_FIELD_NUMBER: _ClassVar[int]
    WORKER_PID_FIELD_NUMBER: _ClassVar[int]
    device: str
    engine: str
    installed: bool
    licence: str
    message: str
    name: str
    needs_trimap: bool
    state: str
    temporal: bool
    title: str
    worker_memory: int
    worker_pid: int
    def __init__(self, name: _Optional[str] = ..., title: _Optional[str] = ..., installed: bool = ..., engine: _Optional[str] = ..., device: _Optional[str] = ..., state: _Optional[str] = ..., message: _Optional[str] = ..., worker_memory: _Optional[int] = ..., worker_pid: _Optional[int] = ..., needs_trimap: bool = ..., licence: _Optional[str] = ..., temporal: bool = ...) -> None: ...

class Notice(_message.Message):
    __slots__ = ["message", "reason"]
    MESSAGE_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    message: str
    reason: str
    def __init__(self, reason: _Optional[str] = ..., message: _Optional[str] = ...) -> None: ...

class OpenExchangeRequest(_message.Message):
    __slots__ = []
    def __init__(self) -> None: ...

class Plane(_message.Message):
    __slots__ = ["depth", "height", "icc_profile", "layout", "row_stride", "transfer", "width"]
    DEPTH_FIELD_NUMBER: _ClassVar[int]
    HEIGHT_FIELD_NUMBER: _ClassVar[int]
    ICC_PROFILE_FIELD_NUMBER: _ClassVar[int]
    LAYOUT_FIELD_NUMBER: _ClassVar[int]
    ROW_STRIDE_FIELD_NUMBER: _ClassVar[int]
    TRANSFER_FIELD_NUMBER: _ClassVar[int]
    WIDTH_FIELD_NUMBER: _ClassVar[int]
    depth: ChannelDepth
    height: int
    icc_profile: bytes
    layout: ChannelLayout
    row_stride: int
    transfer: Transfer
    width: int
    def __init__(self, width: _Optional[int] = ..., height: _Optional[int] = ..., layout: _Optional[_Union[ChannelLayout, str]] = ..., depth: _Optional[_Union[ChannelDepth, str]] = ..., row_stride: _Optional[int] = ..., transfer: _Optional[_Union[Transfer, str]] = ..., icc_profile: _Optional[bytes] = ...) -> None: ...

class Queued(_message.Message):
    __slots__ = ["position"]
    POSITION_FIELD_NUMBER: _ClassVar[int]
    position: int
    def __init__(self, position: _Optional[int] = ...) -> None: ...

class ReleaseModelRequest(_message.Message):
    __slots__ = ["model"]
    MODEL_FIELD_NUMBER: _ClassVar[int]
    model: str
    def __init__(self, model: _Optional[str] = ...) -> None: ...

class ReleaseModelResponse(_message.Message):
    __slots__ = ["released"]
    RELEASED_FIELD_NUMBER: _ClassVar[int]
    released: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, released: _Optional[_Iterable[str]] = ...) -> None: ...

class Result(_message.Message):
    __slots__ = ["cached", "device", "engine", "foreground", "matte", "model", "notices", "remembered", "timings"]
    CACHED_FIELD_NUMBER: _ClassVar[int]
    DEVICE_FIELD_NUMBER: _ClassVar[int]
    ENGINE_FIELD_NUMBER: _ClassVar[int]
    FOREGROUND_FIELD_NUMBER: _ClassVar[int]
    MATTE_FIELD_NUMBER: _ClassVar[int]
    MODEL_FIELD_NUMBER: _ClassVar[int]
    NOTICES_FIELD_NUMBER: _ClassVar[int]
    REMEMBERED_FIELD_NUMBER: _ClassVar[int]
    TIMINGS_FIELD_NUMBER: _ClassVar[int]
    cached: bool
    device: str
    engine: str
    foreground: Plane
    matte: Plane
    model: str
    notices: _containers.RepeatedCompositeFieldContainer[Notice]
    remembered: str
    timings: _containers.RepeatedCompositeFieldContainer[StageTime]
    def __init__(self, matte: _Optional[_Union[Plane, _Mapping]] = ..., foreground: _Optional[_Union[Plane, _Mapping]] = ..., model: _Optional[str] = ..., engine: _Optional[str] = ..., device: _Optional[str] = ..., notices: _Optional[_Iterable[_Union[Notice, _Mapping]]] = ..., timings: _Optional[_Iterable[_Union[StageTime, _Mapping]]] = ..., cached: bool = ..., remembered: _Optional[str] = ...) -> None: ...

class Running(_message.Message):
    __slots__ = ["fraction", "stage"]
    FRACTION_FIELD_NUMBER: _ClassVar[int]
    STAGE_FIELD_NUMBER: _ClassVar[int]
    fraction: float
    stage: str
    def __init__(self, stage: _Optional[str] = ..., fraction: _Optional[float] = ...) -> None: ...

class ShutdownRequest(_message.Message):
    __slots__ = []
    def __init__(self) -> None: ...

class ShutdownResponse(_message.Message):
    __slots__ = []
    def __init__(self) -> None: ...

class StageTime(_message.Message):
    __slots__ = ["seconds", "stage"]
    SECONDS_FIELD_NUMBER: _ClassVar[int]
    STAGE_FIELD_NUMBER: _ClassVar[int]
    seconds: float
    stage: str
    def __init__(self, stage: _Optional[str] = ..., seconds: _Optional[float] = ...) -> None: ...

class Totals(_message.Message):
    __slots__ = ["cancelled", "done", "failed", "timings"]
    CANCELLED_FIELD_NUMBER: _ClassVar[int]
    DONE_FIELD_NUMBER: _ClassVar[int]
    FAILED_FIELD_NUMBER: _ClassVar[int]
    TIMINGS_FIELD_NUMBER: _ClassVar[int]
    cancelled: int
    done: int
    failed: int
    timings: _containers.RepeatedCompositeFieldContainer[StageTime]
    def __init__(self, done: _Optional[int] = ..., failed: _Optional[int] = ..., cancelled: _Optional[int] = ..., timings: _Optional[_Iterable[_Union[StageTime, _Mapping]]] = ...) -> None: ...

class VideoFrame(_message.Message):
    __slots__ = ["last", "number", "video"]
    LAST_FIELD_NUMBER: _ClassVar[int]
    NUMBER_FIELD_NUMBER: _ClassVar[int]
    VIDEO_FIELD_NUMBER: _ClassVar[int]
    last: bool
    number: int
    video: str
    def __init__(self, video: _Optional[str] = ..., number: _Optional[int] = ..., last: bool = ...) -> None: ...

class ChannelLayout(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = []

class ChannelDepth(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = []

class Transfer(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = []

class Refinement(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = []

class Priority(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = []
