"""Runs inside GIMP with windows: evaluates what a test sends, until it says stop.

`arguments`: socket (path). A request is one line of JSON, {"code": …}; the code is run as a
function's body, and what it returns is the answer's "value".
"""

import hashlib
import json
import os
import re
import socket
import subprocess
import textwrap
import time
import traceback

import gi

gi.require_version("Atspi", "2.0")
from gi.repository import Atspi

Atspi.init()
NONE = Gegl.AbyssPolicy.NONE


def nodes(top=None):
    """Yield everything below a widget, or on the whole desktop, that is there right now."""
    waiting = [Atspi.get_desktop(0) if top is None else top]
    while waiting:
        node = waiting.pop(0)
        try:
            yield node
            children = [node.get_child_at_index(i) for i in range(node.get_child_count())]
        except GLib.Error:  # it has gone meanwhile
            continue
        waiting += [child for child in children if child is not None]


def described(node):
    """Return role and name; translated names have their key in brackets at the end."""
    try:
        return node.get_role_name(), re.sub(r"\([A-Z]\)", "", node.get_name() or "")
    except GLib.Error:  # it has gone meanwhile
        return "", ""


def find(role, name, top=None, seconds=60.0):
    """Return the widget of a role and name, waiting until it is there.

    Of labels, a part of the text is enough.
    """
    deadline = time.monotonic() + seconds
    while True:
        for node in nodes(top):
            found_role, found_name = described(node)
            fits = name in found_name if role == "label" else name in ("", found_name)
            if found_role == role and fits:
                return node
        if time.monotonic() > deadline:
            screenshot(arguments["socket"] + ".png")
            raise LookupError(f"no {role} {name!r} in {windows()}")
        time.sleep(0.1)


def until(condition, seconds=60.0):
    """Wait for what a widget's action brings about: it is not there when `press` returns."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.05)


def windows():
    return [
        described(node)
        for app in nodes()
        if described(app)[0] == "application"
        for node in [app.get_child_at_index(i) for i in range(app.get_child_count())]
        if node is not None
    ]


def showing(node):
    return node.get_state_set().contains(Atspi.StateType.SHOWING)


def sensitive(node):
    return node.get_state_set().contains(Atspi.StateType.SENSITIVE)


def press(node):
    until(lambda: sensitive(node))  # menus follow the image a moment later
    assert node.get_action_iface().do_action(0), described(node)


def menu(*names):
    """Choose an entry of the image window's menus."""
    node = find("menu bar", "")
    for number, name in enumerate(names):
        role = "menu" if number < len(names) - 1 else "menu item"
        node = find(role, name, node)
    press(node)


def step(name):
    """Choose Undo or Redo in the Edit menu, whatever they say they undo."""
    for node in nodes(find("menu", "Edit", find("menu bar", ""))):
        role, label = described(node)
        if role == "menu item" and label.startswith(name) and label != "Undo History":
            return press(node)
    raise LookupError(name)


def screenshot(path):
    subprocess.run(["scrot", "--overwrite", path], check=True)


def window_id(title):
    found = subprocess.run(
        ["xdotool", "search", "--sync", "--onlyvisible", "--name", title],
        check=True,
        capture_output=True,
        text=True,
        timeout=120,
    )
    return found.stdout.split()[-1]


def window_screenshot(title, path, size=None):
    window = window_id(title)
    if size:
        command = ["xdotool", "windowsize", "--sync", window, *map(str, size)]
        subprocess.run(command, check=True, timeout=120)
    subprocess.run(["xdotool", "windowactivate", "--sync", window], check=True, timeout=120)
    subprocess.run(["xdotool", "mousemove", "1270", "890"], check=True)  # no tooltip
    time.sleep(1)
    subprocess.run(["scrot", "--overwrite", "--focused", "--border", path], check=True)


def pixels(drawable, form=None):
    area = Gegl.Rectangle.new(0, 0, drawable.get_width(), drawable.get_height())
    return bytes(drawable.get_buffer().get(area, 1.0, form, NONE))


def digest(drawable):
    return hashlib.sha256(pixels(drawable)).hexdigest()


def everything(image):
    """Return what an undo must bring back: layers with pixels and masks, and the selection."""
    layers = [
        [
            layer.get_id(),
            layer.get_name(),
            layer.get_visible(),
            *layer.get_offsets()[1:],
            digest(layer),
            layer.get_mask() and digest(layer.get_mask()),
        ]
        for layer in image.get_layers()
    ]
    active = [layer.get_id() for layer in image.get_selected_layers()]
    return [layers, sorted(active), digest(image.get_selection())]


def close_messages():
    """Close GIMP's windows that tell something."""
    for node in list(nodes()):
        if described(node) in (("dialog", "GIMP Message"), ("dialog", "GIMP 消息")):
            press(find("button", "", node))


def clipboard():
    """Return the clipboard's text, through a program of its own."""
    code = (
        "import gi; gi.require_version('Gtk', '3.0'); from gi.repository import Gtk, Gdk;"
        "print(Gtk.Clipboard.get(Gdk.SELECTION_CLIPBOARD).wait_for_text())"
    )
    done = subprocess.run(["python3", "-c", code], capture_output=True, text=True, timeout=120)
    return done.stdout


def open_picture(path, width, height, offset=(0, 0)):
    """Show a new image with one layer, from a file of RGB u8 pixels: image, layer, display."""
    image = Gimp.Image.new(width, height, Gimp.ImageBaseType.RGB)
    layer = Gimp.Layer.new(
        image, "portrait", width, height, Gimp.ImageType.RGBA_IMAGE, 100.0, Gimp.LayerMode.NORMAL
    )
    image.undo_disable()
    image.insert_layer(layer, None, 0)
    layer.set_offsets(*offset)
    buffer = layer.get_buffer()
    with open(path, "rb") as file:
        buffer.set(Gegl.Rectangle.new(0, 0, width, height), "R'G'B' u8", file.read())
    buffer.flush()
    image.undo_enable()
    image.clean_all()
    display = Gimp.Display.new(image)
    Gimp.displays_flush()
    return image, layer, display


def evaluate(code):
    scope = globals()
    exec("def _body():\n" + textwrap.indent(textwrap.dedent(code), "    "), scope)
    return scope["_body"]()


server = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
server.bind(arguments["socket"] + ".new")
server.listen(1)
os.rename(arguments["socket"] + ".new", arguments["socket"])  # there only when it answers
connection, _address = server.accept()
with connection, connection.makefile("rw") as stream:
    for line in stream:
        try:
            answer = {"value": evaluate(json.loads(line)["code"])}
        except Exception:
            answer = {"error": traceback.format_exc()}
        stream.write(json.dumps(answer) + "\n")
        stream.flush()
