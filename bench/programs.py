"""Starting the programs that bench/ measures: for turns, or once from start to end."""
import json
import os
import subprocess
import time

HERE = os.path.dirname(os.path.abspath(__file__))
DEFAULT_PYTHON = os.path.join(os.environ.get("XDG_CACHE_HOME", os.path.expanduser("~/.cache")), "inarch/bench/bin/python")
PAUSE = 0.3  # s; threads of the program before may spin for so long after its unit


class Runner:
    """A program that waits for "go"."""

    def __init__(self, command, env):
        self.process, self.failure = None, None
        try:
            self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                            stderr=subprocess.PIPE, text=True, env=env)
        except OSError as error:
            self.failure = str(error)

    def ready(self):
        return self.process and any(line == "ready\n" for line in self.process.stdout)

    def why(self):
        lines = [] if self.failure else self.process.stderr.read().strip().splitlines()
        return self.failure or (lines[-1] if lines else "no reason given")

    def go(self):
        self.process.stdin.write("go\n")
        self.process.stdin.flush()
        line = self.process.stdout.readline()
        if not line:
            raise RuntimeError(self.why())
        answer = json.loads(line)
        return answer.get("seconds", answer.get("gflops"))

    def end(self):
        self.process.stdin.close()
        self.process.terminate()
        self.process.wait()


def environment(threads, more=()):
    env = {k: v for k, v in os.environ.items() if not k.startswith("OPENBLAS_")}
    for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "POLARS_MAX_THREADS"):
        env[name] = str(threads)
    env.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    return {**env, **dict(more)}


def confined(command, threads):
    """On the first `threads` CPUs this process may use: some frameworks take no other hint."""
    cpus = sorted(os.sched_getaffinity(0))[:threads]
    return ["taskset", "-c", ",".join(map(str, cpus)), *command] if len(cpus) < os.cpu_count() else command


def ours(o, given, *flags):
    """inarch_bench, ready to be started as Runner(*ours(...))."""
    return confined([o.bench, *given, "--threads", str(o.threads), *flags], o.threads), environment(o.threads)


def peer(o, which, work):
    """A peer: (program and flags, environment) for one row. Those in C lie beside the Python that runs the others."""
    (program, *flags), env = which
    if program.endswith(".py"):
        command = [o.python, f"{HERE}/peers/{program}", json.dumps(work)]
    else:
        command = [os.path.join(os.path.dirname(o.python), program), work["name"], "--rows", str(work["rows"])]
    return confined([*command, "--threads", str(o.threads), *flags], o.threads), environment(o.threads, env)


def once(command, env=None):
    """(seconds, peak kB, standard output) of a whole process. It fails with RuntimeError. The peak is at least that of
    this process, which therefore stays small."""
    begun = time.perf_counter()
    child = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=env)
    out, why = child.stdout.read(), child.stderr.read()
    _, status, usage = os.wait4(child.pid, 0)
    took = time.perf_counter() - begun
    child.returncode = status
    if status:
        lines = why.decode(errors="replace").strip().splitlines()
        raise RuntimeError(lines[-1] if lines else f"{command[0]} failed")
    return took, usage.ru_maxrss, out.decode()


def verdict(o, met):
    if o.scale < 1:
        return "not judged on fewer rows"
    return "met" if met else "NOT met"
