#!/usr/bin/env python3
"""PyTorch: eager or --compile; --cached: the frozen layers are run once (W1), as a careful user would do."""
import common

o = common.arguments(compile="torch.compile", cached="features of the frozen layers kept")
import torch  # noqa: E402

torch.set_num_threads(o.threads)
torch.manual_seed(0)
row = o.row
ACTIVATIONS = {"relu": torch.nn.ReLU}


def network(specs, width, given=()):
    parts = []
    for k, (units, activation) in enumerate(common.layers(specs)):
        dense = torch.nn.Linear(width, units)
        if given:
            with torch.no_grad():
                dense.weight.copy_(torch.from_numpy(given[k][0].T))
                dense.bias.copy_(torch.from_numpy(given[k][1]))
        parts.append(dense)
        width = units
        if activation in ACTIVATIONS:
            parts.append(ACTIVATIONS[activation]())
    return torch.nn.Sequential(*parts), width  # the last activation is part of the loss


x, y = (torch.from_numpy(a) for a in common.data(o))
model, width = network(row["arch"], row["in"], common.pretrained(o))
whole = live = model
if row["add"]:
    model.requires_grad_(False)
    live, _ = network(row["add"], width)
    whole = torch.nn.Sequential(model, live)
    if o.cached:
        with torch.no_grad():
            x = model(x)
        model = live
    else:
        model = whole
if o.mode != "train":
    model = torch.nn.Sequential(model, torch.nn.Softmax(-1)).eval()
run = torch.compile(model, mode="max-autotune-no-cudagraphs") if o.compile else model


def train():
    loss_of = torch.nn.CrossEntropyLoss() if row["classes"] > 1 else torch.nn.BCEWithLogitsLoss()
    # fused is the fastest of Adam's forms on a CPU at every size of the table
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

    common.train(o, epoch, lambda path: torch.save(whole.state_dict(), path))


def infer(rows):
    with torch.inference_mode():
        return run(rows)


if o.mode == "train":
    train()
else:
    common.predict(o, infer, x)
