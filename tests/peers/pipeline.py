"""The pipeline of most projects: OpenCV reads and finds faces (Haar), ONNX Runtime classifies, OpenCV draws. One thread.

    pipeline.py VIDEO MODEL default|tuned

`default` is OpenCV's own detector settings on the whole frame; `tuned` the quickest that still finds the faces: half the
size, larger steps, small faces left out. Prints the median of each stage in ms and the frames a second as JSON.
"""
import json, statistics, sys, time

import cv2
import numpy as np
import onnxruntime

video, model, mode = sys.argv[1:]
cv2.setNumThreads(1)
options = onnxruntime.SessionOptions()
options.intra_op_num_threads = options.inter_op_num_threads = 1
session = onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])
entry = session.get_inputs()[0]
side = entry.shape[-1]
cascade = cv2.CascadeClassifier(cv2.data.haarcascades + "haarcascade_frontalface_default.xml")
LABELS = ["angry", "disgust", "fear", "happy", "sad", "surprise", "neutral", "contempt"]


def find(gray):
    if mode == "default":
        return cascade.detectMultiScale(gray)
    small = cv2.resize(gray, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA)
    return [2 * face for face in cascade.detectMultiScale(small, scaleFactor=1.2, minNeighbors=3, minSize=(40, 40))]


capture = cv2.VideoCapture(video)
stages = {name: [] for name in ("decode", "detect", "classify", "draw", "total")}
faces_seen = 0
while True:
    began = time.perf_counter()
    read, frame = capture.read()
    if not read:
        break
    gray = cv2.cvtColor(frame, cv2.COLOR_BGR2GRAY)
    decoded = time.perf_counter()
    faces = find(gray)
    found = time.perf_counter()
    said = []
    for x, y, width, height in faces:
        crop = cv2.resize(gray[y : y + height, x : x + width], (side, side)).astype(np.float32) / 255
        (logits,) = session.run(None, {entry.name: crop[None, None]})
        said.append(LABELS[int(logits.argmax())])
    classified = time.perf_counter()
    for (x, y, width, height), word in zip(faces, said):
        cv2.rectangle(frame, (x, y), (x + width, y + height), (0, 255, 0), 2)
        cv2.putText(frame, word, (x, y - 8), cv2.FONT_HERSHEY_SIMPLEX, 0.8, (0, 255, 0), 2)
    drawn = time.perf_counter()
    faces_seen += len(faces)
    moments = (began, decoded, found, classified, drawn)
    for name, start, end in zip(stages, moments, moments[1:]):
        stages[name].append(1000 * (end - start))
    stages["total"].append(1000 * (drawn - began))

warm = {name: times[5:] for name, times in stages.items()}
print(
    json.dumps(
        {
            "frames": len(warm["total"]),
            "faces_per_frame": faces_seen / len(stages["total"]),
            "fps": 1000 * len(warm["total"]) / sum(warm["total"]),
            "median_ms": {name: round(statistics.median(times), 3) for name, times in warm.items()},
        }
    )
)
