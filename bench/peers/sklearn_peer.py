#!/usr/bin/env python3
"""scikit-learn: MLPClassifier with adam, an epoch at a time by partial_fit."""
import warnings

import common

o = common.arguments()
import numpy as np  # noqa: E402
from sklearn.neural_network import MLPClassifier  # noqa: E402

warnings.filterwarnings("ignore")
row = o.row
x, y = common.data(row)
y = y.ravel()
hidden = [units for units, _ in common.layers(row["arch"])[:-1]]
model = MLPClassifier(hidden, solver="adam", batch_size=row["batch"], max_iter=1, shuffle=True, alpha=0, random_state=0)
classes = np.unique(y)
if o.mode == "train":
    common.turns(lambda: model.partial_fit(x, y, classes=classes))
else:
    model.partial_fit(x[:256], y[:256], classes=classes)
    if o.mode == "predict":
        common.turns(lambda: model.predict_proba(x))
    else:
        common.turns(lambda: model.predict_proba(x[:1]), common.fastest(300))
