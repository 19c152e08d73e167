#!/usr/bin/env python3
"""scikit-learn: MLPClassifier with adam, an epoch at a time by partial_fit; frozen layers are run once by hand."""
import pickle
import warnings

import common

o = common.arguments()
import numpy as np  # noqa: E402
from sklearn.neural_network import MLPClassifier  # noqa: E402

warnings.filterwarnings("ignore")
row = o.row
x, y = common.data(o)
y = y.ravel()
if row["add"]:
    x = common.features(o, x)
hidden = [units for units, _ in common.layers(row["add"] or row["arch"])[:-1]]
model = MLPClassifier(hidden, solver="adam", batch_size=row["batch"], max_iter=1, shuffle=True, alpha=0, random_state=0)
classes = np.unique(y)


def save(path):
    with open(path, "wb") as file:
        pickle.dump(model, file)


if o.mode == "train":
    common.train(o, lambda: model.partial_fit(x, y, classes=classes), save)
else:
    model.partial_fit(x[:256], y[:256], classes=classes)
    common.predict(o, model.predict_proba, x, 300)
