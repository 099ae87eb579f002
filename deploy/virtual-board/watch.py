"""Keeps the virtual board company: when it says `SCREENSHOT name`, has QEMU take a picture of its display, and answers."""
import json, os, socket, sys, time

out = sys.argv[1]


def connect(name):
    """QEMU makes its sockets a moment after it was started."""
    for _ in range(200):
        try:
            link = socket.socket(socket.AF_UNIX)
            link.connect(os.path.join(out, name))
            return link.makefile("rwb", buffering=0)
        except OSError:
            time.sleep(0.05)
    sys.exit(f"no {name}")


def command(qmp, name, **arguments):
    qmp.write(json.dumps({"execute": name, "arguments": arguments}).encode() + b"\n")
    while "return" not in (answer := json.loads(qmp.readline())):
        if "error" in answer:
            sys.exit(str(answer))


console, qmp = connect("console"), connect("qmp")
qmp.readline()
command(qmp, "qmp_capabilities")
while line := console.readline():
    word, _, name = line.decode(errors="replace").strip().partition(" ")
    if word == "SCREENSHOT":
        command(qmp, "screendump", filename=os.path.join(out, name + ".png"), format="png")
        console.write(b"taken\n")
