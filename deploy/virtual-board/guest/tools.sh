# What the parts share.

# Settings for mien: LINES on standard input, and the bundle of the board where it has one.
#   settings NAME
settings() {
  if [ -d /input/bundle ]; then echo 'bundle = "/input/bundle"'; fi > "/tmp/$1.toml"
  cat >> "/tmp/$1.toml"
}
settings plain < /dev/null

# Runs mien; what it tells goes to /out/NAME.txt, with its exit code behind.
#   told NAME ARGUMENTS...
told() {
  name=$1
  shift
  mien "$@" > "/out/$name.txt" 2>&1
  echo "exit $?" >> "/out/$name.txt"
  echo "$(cut -d ' ' -f 1 /proc/uptime)   $name" >> /out/times.txt
}

# Waits until a command succeeds, a minute at most.
await() {
  for _ in $(seq 600); do
    "$@" && return
    sleep 0.1
  done
  echo "waited in vain: $*" >&2
}

# Whether a file has so many lines.
has_lines() { [ "$(wc -l < "$1")" -ge "$2" ]; }

# A setting of a video device.
#   control DEVICE NAME=VALUE
control() { v4l2-ctl -d "$1" --set-ctrl "$2"; }

# Has a picture taken of the display.
screenshot() {
  echo "SCREENSHOT $1" > /dev/console
  read -r -t 30 _ < /dev/console || echo "no picture $1" >&2
}
