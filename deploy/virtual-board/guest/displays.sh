# The test card on the framebuffer; on displays that hang on wires, a reading first and then the card.
told test-display test-display
settings wires <<'END'
[panel-oled]
device = "/dev/i2c-0"
[panel-spi]
width = 128
height = 64
dc-pin = 6
reset-pin = 7
clock-hz = 1000000
END
for panel in oled spi; do
  if [ -e /dev/i2c-0 ] && [ -e /dev/spidev0.0 ]; then
    told $panel run --source /out/seen-640x480.yuyv --panel $panel --config /tmp/wires.toml --json /out/$panel.jsonl
    told $panel-card test-display --panel $panel --config /tmp/wires.toml
  fi
done
