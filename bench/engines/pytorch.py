"""torch on the CPU: bidirectional LSTM, GRU or RNN (tanh); a training step is forward, backward with the gradient of
the input, and plain gradient descent. Requests and answers as in serve.h: task=layer, task=version."""
import statistics
import sys
import time

import torch

NETS = dict(lstm=torch.nn.LSTM, gru=torch.nn.GRU, simple_rnn=torch.nn.RNN)


def sample(request, step):
    clock = time.process_time if request.get("clock", "cpu") == "cpu" else time.perf_counter
    budget, least = float(request.get("ms", 40)) / 1e3, int(request.get("min", 2))
    step()
    times, start = [], time.perf_counter()
    while len(times) < least or time.perf_counter() - start < budget:
        before = clock()
        step()
        times.append((clock() - before) * 1e3)
    return "%.6f %.6f %d" % (statistics.median(times), min(times), len(times))


def layer_step(request):
    number = lambda key, otherwise: int(request.get(key, otherwise))
    batch, steps, features, units = number("B", 32), number("T", 100), number("F", 64), number("U", 128)
    cell, sequences = request.get("cell", "lstm"), number("rs", 1)
    torch.manual_seed(0)
    net = NETS[cell](features, units, bidirectional=True, batch_first=True)
    x = torch.randn(batch, steps, features)

    def forward():
        y, state = net(x)
        if sequences:
            return y
        h = state[0] if cell == "lstm" else state
        return torch.cat([h[0], h[1]], 1)

    def infer():
        with torch.inference_mode():
            forward()

    def train():
        x.grad = None
        for weight in net.parameters():
            weight.grad = None
        forward().backward(gradient)
        with torch.no_grad():
            for weight in net.parameters():
                weight -= 1e-4 * weight.grad

    if not number("train", 0):
        return infer
    x.requires_grad_(True)
    gradient = torch.randn((batch, steps, 2 * units) if sequences else (batch, 2 * units)) * 1e-3
    return train


def answer(request):
    if request.get("task") == "version":
        return torch.__version__
    torch.set_num_threads(int(request.get("threads", 1)))
    torch.set_flush_denormal(True)
    return sample(request, layer_step(request))


torch.set_num_interop_threads(1)
for line in sys.stdin:
    try:
        print("ok", answer(dict(word.split("=", 1) for word in line.split())), flush=True)
    except Exception as problem:
        print("error", str(problem).replace("\n", " "), flush=True)
