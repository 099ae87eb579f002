"""Waits until the board says SHOWN, then has QEMU take a picture of its display."""
import json, os, socket, sys, time

out, board = sys.argv[1], int(sys.argv[2])
while True:
    os.kill(board, 0)
    console = os.path.join(out, "console.txt")
    if os.path.exists(console) and b"SHOWN" in open(console, "rb").read():
        break
    time.sleep(0.1)
link = socket.socket(socket.AF_UNIX)
link.connect(os.path.join(out, "qmp"))
file = link.makefile("rw")
file.readline()
for command in (
    {"execute": "qmp_capabilities"},
    {"execute": "screendump", "arguments": {"filename": os.path.join(out, "display.png"), "format": "png"}},
):
    file.write(json.dumps(command) + "\n")
    file.flush()
    while "return" not in (answer := json.loads(file.readline())):
        if "error" in answer:
            sys.exit(str(answer))
