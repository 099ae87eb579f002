# The kernel's test camera: node 0 captures what node 1 is given.
modprobe vivid n_devs=1 node_types=0x101 num_inputs=1 input_types=0x3 num_outputs=1 output_types=0x1
await test -c /dev/video1
v4l2-ctl -d /dev/video1 --set-dv-bt-timings index=0
v4l2-ctl -d /dev/video0 --set-dv-bt-timings index=0
control /dev/video0 osd_text_mode=2
control /dev/video0 loop_video=1
# A fault of the camera ends the player too.
while :; do
  v4l2-ctl -d /dev/video1 --set-fmt-video-out width=640,height=480,pixelformat=YUYV \
    --stream-out-mmap --stream-from /input/face.yuyv --stream-loop
  sleep 0.2
done > /dev/null 2>&1 &
shows_the_face() {
  v4l2-ctl -d /dev/video0 --set-fmt-video width=640,height=480,pixelformat=YUYV \
    --stream-mmap --stream-count 1 --stream-to /tmp/seen.yuyv > /dev/null 2>&1
  # Without a player the camera shows noise.
  v4l2-ctl -d /dev/video0 --stream-mmap --stream-count 1 --stream-to /tmp/again.yuyv > /dev/null 2>&1
  cmp -s /tmp/seen.yuyv /tmp/again.yuyv
}
await shows_the_face
cp /tmp/seen.yuyv /out/seen-640x480.yuyv

told list-cameras list-cameras
for format in yuyv uyvy nv12 grey; do
  # Looking at every frame, so that each reading can be held against that of a single picture.
  printf '[camera]\nformat = "%s"\n[detect]\nevery = 1\n' $format | settings $format
  told $format run --source /dev/video0 --frames 4 --config /tmp/$format.toml --json /out/$format.jsonl
done
# One that this camera has not.
printf '[camera]\nformat = "mjpeg"\n' | settings mjpeg
told no-mjpeg run --source camera --frames 5 --config /tmp/mjpeg.toml
told doctor doctor
# In use by somebody else.
# It says something for every frame; asking the camera instead could take it from the one that is to hold it.
v4l2-ctl -d /dev/video0 --stream-mmap --stream-count 100000 > /tmp/holder.txt 2>&1 &
holder=$!
await grep -q '<' /tmp/holder.txt
told busy run --source camera --frames 1 --config /tmp/plain.toml
kill $holder
wait $holder
