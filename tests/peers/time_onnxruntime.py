"""Times a network under onnxruntime on one thread, in the rounds that benches/tract_vs_onnxruntime.rs asks for.

usage: time_onnxruntime.py NETWORK.onnx SIDE

Says its version first. Then, for every number of runs on standard input, the mean time of a run in microseconds.
"""

import sys
import time

import numpy
import onnxruntime


def main() -> None:
    network, side = sys.argv[1], int(sys.argv[2])
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    options.inter_op_num_threads = 1
    session = onnxruntime.InferenceSession(network, options, providers=["CPUExecutionProvider"])
    noise = numpy.random.default_rng(1).standard_normal((1, 1, side, side)).astype(numpy.float32)
    feed = {session.get_inputs()[0].name: noise}
    print(onnxruntime.__version__, flush=True)
    for line in sys.stdin:
        runs = int(line)
        began = time.perf_counter_ns()
        for _ in range(runs):
            session.run(None, feed)
        print((time.perf_counter_ns() - began) / runs / 1000, flush=True)


main()
