# The driver lets go of the camera, breaks the stream, and will not start it again at first.
mien run --source camera --frames 32 --panel fb --config /tmp/plain.toml --json - > /out/faults.jsonl 2> /out/faults.txt &
mien=$!
await has_lines /out/faults.jsonl 8
control /dev/video0 disconnect=1
await has_lines /out/faults.jsonl 16
control /dev/video0 inject_fatal_streaming_error=1
await has_lines /out/faults.jsonl 24
control /dev/video0 inject_vidioc_streamon_error=1
control /dev/video0 inject_fatal_streaming_error=1
wait $mien
echo "exit $?" >> /out/faults.txt
screenshot screen
