#!/usr/bin/env python3
"""PyTorch: eager or --compile; --cached: the frozen layers are run once (W1), as a careful user would do."""
import common

o = common.arguments(compile="torch.compile", cached="features of the frozen layers kept")
import torch  # noqa: E402

torch.set_num_threads(o.threads)
torch.manual_seed(0)
row = o.row
ACTIVATIONS = {"relu": torch.nn.ReLU}


def network(specs, width):
    parts = []
    for units, activation in common.layers(specs):
        parts.append(torch.nn.Linear(width, units))
        width = units
        if activation in ACTIVATIONS:
            parts.append(ACTIVATIONS[activation]())
    return torch.nn.Sequential(*parts), width  # the last activation is part of the loss


x, y = (torch.from_numpy(a) for a in common.data(row))
model, width = network(row["arch"], row["in"])
live = model
if row["add"]:
    model.append(torch.nn.ReLU()) if not isinstance(model[-1], torch.nn.ReLU) else None
    model.requires_grad_(False)
    live, _ = network(row["add"], width)
    if o.cached:
        with torch.no_grad():
            x = model(x)
        model = live
    else:
        model = torch.nn.Sequential(model, live)
if o.mode != "train":
    model = torch.nn.Sequential(model, torch.nn.Softmax(-1)).eval()
run = torch.compile(model, mode="max-autotune-no-cudagraphs") if o.compile else model


def train():
    loss_of = torch.nn.CrossEntropyLoss() if row["classes"] > 1 else torch.nn.BCEWithLogitsLoss()
    # foreach or fused: whichever is faster for this size
    adam = torch.optim.Adam(live.parameters(), lr=1e-3, eps=1e-7, fused=True)
    batch = row["batch"]

    def epoch():
        total = torch.zeros(())
        right = torch.zeros((), dtype=torch.int64)
        order = torch.randperm(len(x))
        for at in range(0, len(x), batch):
            rows = order[at:at + batch]
            t = y[rows]
            z = run(x[rows])
            loss = loss_of(z, t)
            adam.zero_grad(set_to_none=True)
            loss.backward()
            adam.step()
            with torch.no_grad():
                total += loss * len(rows)
                right += ((z.argmax(1) == t) if row["classes"] > 1 else ((z > 0) == (t > 0.5))).sum()
        return total.item(), right.item()

    common.turns(epoch)


def predict(n, seconds=None):
    state = {"at": 0}

    def unit():
        with torch.inference_mode():
            if n == 1:
                state["at"] = (state["at"] + 1) % 64
                return run(x[state["at"]:state["at"] + 1])
            return [run(x[at:at + n]) for at in range(0, len(x), n)]

    common.turns(unit, seconds)


if o.mode == "train":
    train()
elif o.mode == "predict":
    predict(1000)
else:
    predict(1, common.fastest(500))
