# A camera that compresses, played by a loop that puts one file after the other into it.
modprobe v4l2loopback video_nr=10 card_label=Compressed exclusive_caps=1
await test -c /dev/video10
control /dev/video10 keep_format=1
v4l2-ctl -d /dev/video10 --set-fmt-video-out width=640,height=480,pixelformat=MJPG
while :; do
  for picture in /input/mjpeg/*.jpg; do
    dd if="$picture" bs=1M 2> /dev/null
    usleep 30000
  done
done > /dev/video10 &
player=$!
shows_something() {
  v4l2-ctl -d /dev/video10 --stream-mmap --stream-count 1 --stream-to /tmp/one.jpg > /dev/null 2>&1
  [ -s /tmp/one.jpg ]
}
await shows_something
told mjpeg run --source /dev/video10 --frames 16 --config /tmp/plain.toml --json /out/mjpeg.jsonl
kill $player
