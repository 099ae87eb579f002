# What a frame costs in instructions: the clock of this board moves on by a nanosecond with each.
for _ in $(seq 12); do
  cat /input/mjpeg/1.jpg >> /tmp/clip.mjpeg
  cat /input/face.yuyv >> /tmp/clip-640x480.yuyv
done
told bench-mjpeg bench --source /tmp/clip.mjpeg --panel null:800x480 --config /tmp/plain.toml --json /out/bench-mjpeg.json
told bench-yuyv bench --source /tmp/clip-640x480.yuyv --panel none --config /tmp/plain.toml --json /out/bench-yuyv.json
