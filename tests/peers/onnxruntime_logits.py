"""Logits of a network by onnxruntime, for the parity test.

usage: onnxruntime_logits.py NETWORK.onnx SIDE < tensors > logits

Both are f32, little-endian, one after the other: tensors of SIDE x SIDE values, one logit a label.
"""

import sys

import numpy
import onnxruntime


def main() -> None:
    network, side = sys.argv[1], int(sys.argv[2])
    session = onnxruntime.InferenceSession(network, providers=["CPUExecutionProvider"])
    name = session.get_inputs()[0].name
    tensors = numpy.frombuffer(sys.stdin.buffer.read(), dtype="<f4").reshape(-1, 1, 1, side, side)
    for tensor in tensors:
        (logits,) = session.run(None, {name: tensor})
        sys.stdout.buffer.write(logits.astype("<f4").tobytes())


main()
