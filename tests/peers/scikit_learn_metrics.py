"""Figures of a set of answers by scikit-learn, for the test of the trainer's own.

usage: scikit_learn_metrics.py < answers.json > figures.json

In: truths and predicted (label indices), scores (a row of probabilities a face). Every label must occur in truths.
"""

import json
import sys

import numpy
from sklearn import metrics


def calibration_error(truths, predicted, confidence, bins=15):
    """No part of scikit-learn: written down once more, after Guo et al. 2017."""
    edges = numpy.linspace(0, 1, bins + 1)
    bin_of = numpy.clip(numpy.digitize(confidence, edges, right=True), 1, bins)
    right = truths == predicted
    inside = [bin_of == number for number in range(1, bins + 1)]
    return sum(abs(confidence[i].mean() - right[i].mean()) * i.mean() for i in inside if i.any())


def main() -> None:
    asked = json.load(sys.stdin)
    truths, predicted = (numpy.array(asked[name]) for name in ("truths", "predicted"))
    scores = numpy.array(asked["scores"], dtype=numpy.float64)
    labels = list(range(scores.shape[1]))
    confusion = metrics.confusion_matrix(truths, predicted, labels=labels)
    hits = confusion.diagonal()
    false_positives = (confusion.sum(0) - hits) / (confusion.sum() - confusion.sum(1))
    areas = [metrics.roc_auc_score(truths == label, scores[:, label]) for label in labels]
    precision, recall, f1, support = metrics.precision_recall_fscore_support(
        truths, predicted, labels=labels, zero_division=0
    )
    figures = {
        "accuracy": metrics.accuracy_score(truths, predicted),
        "macro_f1": metrics.f1_score(truths, predicted, labels=labels, average="macro", zero_division=0),
        "weighted_f1": metrics.f1_score(truths, predicted, labels=labels, average="weighted", zero_division=0),
        "weighted_precision": metrics.precision_score(
            truths, predicted, labels=labels, average="weighted", zero_division=0
        ),
        "true_positive_rate": metrics.balanced_accuracy_score(truths, predicted),
        "false_positive_rate": false_positives.mean(),
        # Of scores that sum to 1 only nearly, so not with multi_class="ovr", which insists.
        "roc_auc": numpy.mean(areas),
        "expected_calibration_error": calibration_error(truths, predicted, scores.max(1)),
    }
    per_class = [
        {
            "precision": precision[label],
            "recall": recall[label],
            "false_positive_rate": false_positives[label],
            "f1": f1[label],
            "roc_auc": areas[label],
            "support": int(support[label]),
        }
        for label in labels
    ]
    json.dump({"figures": figures, "per_class": per_class, "confusion": confusion.tolist()}, sys.stdout)


main()
