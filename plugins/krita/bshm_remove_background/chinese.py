"""Simplified Chinese, keyed by the English sentence."""

from __future__ import annotations

CHINESE: dict[str, str] = {
    " px": " 像素",
    "A selection says roughly where the subject is. A paint layer named “trimap” says "
    "it exactly: white is subject, black is background, the rest is to be found out.": (
        "用选区大致指出主体的位置。名为“trimap”的颜料图层可精确指定："
        "白色为主体，黑色为背景，其余部分自动求出。"
    ),
    "Automatic": "自动",
    "Background Removed": "已移除背景",
    "Before and after": "处理前后",
    "Cancel": "取消",
    "Cancel Remove Background": "取消移除背景",
    "Cancelled: nothing was changed.": "已取消：没有任何改动。",
    "Cancelled: {done} of {total} were done before.": (
        "已取消：共 {total} 个，此前完成了 {done} 个。"
    ),
    "Choose a layer with pixels first.": "请先选择一个有像素的图层。",
    "Clean edge colours": "净化边缘颜色",
    "Copies what a bug report needs.": "复制报告问题所需的信息。",
    "Copy Diagnostics": "复制诊断信息",
    "Done.": "完成。",
    "Downloading {model} …": "正在下载 {model}…",
    "Edge shift": "边缘移动",
    "Existing mask": "已有蒙版",
    "Feather": "羽化",
    "Finding the subject …": "正在寻找主体…",
    "Frees the edge colours of a cut-out of the old background.": "去除抠图边缘残留的旧背景颜色。",
    "Getting the result …": "正在取回结果…",
    "Gives each layer a transparency mask instead of those it has. One undo per layer "
    "brings the old ones back; the layer's pixels are not changed.": (
        "为每个图层添加透明度蒙版，替换已有的蒙版。每个图层撤销一次即可恢复旧蒙版；"
        "图层像素不会改变。"
    ),
    "Gives each layer a transparency mask. One undo per layer removes it; "
    "the layer's pixels are not changed.": (
        "为每个图层添加透明度蒙版。每个图层撤销一次即可移除；图层像素不会改变。"
    ),
    "Keep, and hide more": "保留，并隐藏更多",
    "Krita could not convert the layer's colours.": "Krita 无法转换图层的颜色。",
    "Krita could not read the layer “{name}”.": "Krita 无法读取图层“{name}”。",
    "Krita did not accept a mask on the layer “{name}”.": "Krita 未能在图层“{name}”上添加蒙版。",
    "Krita did not accept the new layer.": "Krita 未能添加新图层。",
    "Krita did not replace the mask of the layer “{name}”.": "Krita 未能替换图层“{name}”的蒙版。",
    "Layer {number} of {total}: {layer}": "第 {number} 个，共 {total} 个：{layer}",
    "Loading {model} …": "正在加载 {model}…",
    "Model": "模型",
    "New cut-out layer": "新建抠图图层",
    "No model was loaded.": "没有已加载的模型。",
    "Open an image first.": "请先打开一幅图像。",
    "Output": "输出",
    "Preparing the layer …": "正在准备图层…",
    "Puts a cut-out above each layer. One undo removes it; the layer itself is not changed.": (
        "在每个图层上方放置抠图。撤销一次即可移除；图层本身不会改变。"
    ),
    "Reading the layer …": "正在读取图层…",
    "Refining the edges …": "正在细化边缘…",
    "Release GPU Memory": "释放显存",
    "Released: {names}.": "已释放：{names}。",
    "Remove Background": "移除背景",
    "Remove Background of All Selected Layers": "移除所有选中图层的背景",
    "Replace": "替换",
    "Selection": "选区",
    "Selection shows the subject": "选区指示主体",
    "Selects the subject. Krita does not record this in its history: "
    "use Select › Deselect to drop the selection.": (
        "选中主体。Krita 不会将此记入历史：请用“选择 › 取消选择”来取消选区。"
    ),
    "Sending the layer …": "正在发送图层…",
    "Service: busy with {editor}": "服务：正在为 {editor} 工作",
    "Service: ending": "服务：正在结束",
    "Service: loading {model}": "服务：正在加载 {model}",
    "Service: off (it starts when needed)": "服务：未运行（需要时自动启动）",
    "Service: on, no model loaded": "服务：运行中，未加载模型",
    "Service: ready": "服务：就绪",
    "Service: starting": "服务：正在启动",
    "Service: working": "服务：工作中",
    "Service: {problem}": "服务：{problem}",
    "Starting the service …": "正在启动服务…",
    "The diagnostics are on the clipboard.": "诊断信息已复制到剪贴板。",
    "The group “{name}” is in pass-through mode, where Krita ignores masks: "
    "switch that off and try again.": (
        "图层组“{name}”处于穿透模式，Krita 会忽略其蒙版：请关闭穿透模式后重试。"
    ),
    "The image was closed: nothing was changed.": "图像已关闭：没有任何改动。",
    "The layer “{name}” has several transparency masks: merge or delete some, "
    "or choose to keep existing masks.": (
        "图层“{name}”有多个透明度蒙版：请合并或删除一些，或选择保留已有蒙版。"
    ),
    "The layer “{name}” is empty, or all of it outside the image.": (
        "图层“{name}”是空的，或完全位于图像之外。"
    ),
    "The layer “{name}” is locked: unlock it and try again.": "图层“{name}”已锁定：请解锁后重试。",
    "The layer “{name}” was deleted: nothing was changed.": "图层“{name}”已被删除：没有任何改动。",
    "The layer “{name}” tells subject and background apart for other layers: "
    "choose the photo's layer.": (
        "图层“{name}”用来为其他图层区分主体和背景：请选择照片所在的图层。"
    ),
    "The mask was changed by hand or removed.": "蒙版已被手动修改或移除。",
    "The trimap layer was followed.": "已按 trimap 图层处理。",
    "Transparency mask": "透明度蒙版",
    "Unloads the model; the next time it is loaded again.": "卸载模型；下次使用时会重新加载。",
    "Waiting …": "正在等待…",
    "Waiting: {count} ahead …": "正在等待：前面还有 {count} 个…",
    "Warming up {model} …": "正在预热 {model}…",
    "Working …": "正在处理…",
    "the model": "模型",
    "{done} of {total} done.": "已完成 {done} 个，共 {total} 个。",
    "{layer}: {problem}": "{layer}：{problem}",
    "{name} without background": "{name}（无背景）",
    "{total} of {total} done.": "{total} 个全部完成。",
}

# What the service and its client say in English, by their stable reason.
REASONS: dict[str, str] = {
    "bad-chain": "这两个模型不能组合使用：请选择其他模型。",
    "bad-format": "服务无法使用这种像素格式。",
    "cannot-start": "无法启动 bshm 服务：请在终端运行 bshm doctor 查看原因。",
    "deadline": "处理超时：请重试。",
    "engine-hung": "模型没有响应，已被停止：请重试。",
    "exhausted": "服务正忙或图层过大：请稍后重试。",
    "fallback": "未安装 BSHM，使用了内置方法（安装：bshm models pull bshm）。",
    "gpu-out-of-memory": "显存不足：请释放显存或关闭其他程序后重试。",
    "inference-failed": "模型处理失败：请重试，或选择其他模型。",
    "layer-empty": "图层完全透明：没有可处理的内容。",
    "matte-empty": "没有找到主体：请大致选中主体后重试。",
    "needs-trimap": "该模型需要三分图：请绘制名为“trimap”的图层，或选择其他模型。",
    "no-gpu": "此模型不能使用显卡：请将设备设为自动。",
    "no-person-found": "没有找到人物：请大致选中主体后重试。",
    "not-installed": (
        "此用户尚未安装 bshm 服务：请用 pip install bshm-bridge 安装，运行一次 bshm serve 后重试。"
    ),
    "not-ready": "模型尚未就绪：请在终端运行 bshm doctor 查看原因。",
    "not-running": "bshm 服务没有运行：请用 bshm serve 启动。",
    "out-of-memory": "内存不足：请关闭其他程序后重试。",
    "protocol-mismatch": (
        "插件与服务的版本不匹配：请更新较旧的一方（bshm plugins install 可更新插件），"
        "然后运行 bshm stop。"
    ),
    "queue-full": "等待的任务太多：请稍后重试。",
    "runtime-missing": "缺少运行此模型所需的环境：请在终端运行 bshm doctor。",
    "service-lost": "bshm 服务在处理时停止了：没有任何改动，请重试。",
    "service-missing": "没有运行 bshm 服务，也无法启动它。",
    "temporal-model": "该模型用于视频，不接受选区或三分图：请选择其他模型。",
    "too-large": "图层过大：请缩小后重试。",
    "unauthenticated": "服务拒绝了此插件：请运行 bshm stop 后重试。",
    "unavailable": "服务正在关闭：请重试。",
    "unknown-model": "没有这个模型：请在列表中选择其他模型。",
    "worker-crashed": "模型进程意外结束：请重试。",
    "worker-killed": "模型进程被系统结束，可能是内存不足：请关闭其他程序后重试。",
    "bug": "插件出现问题：请复制诊断信息。",
}
