"""Tasks of suite_generator (docs/suite.md)."""

import json
import subprocess


def generate(generator, split, seed, first, count, weights=None, levels=None, families=None):
    """Yields tasks as dictionaries."""
    command = [generator, "--split", split, "--seed", str(seed), "--from", str(first),
               "--count", str(count)]
    if levels:
        command += ["--levels", levels]
    if families:
        command += ["--families", ",".join(families)]
    if weights:
        command += ["--weights", ",".join(f"{name}:{weight}" for name, weight in weights.items())]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, encoding="utf-8") as process:
        for line in process.stdout:
            yield json.loads(line)
    if process.returncode:
        raise RuntimeError(f"{' '.join(command)} ended with {process.returncode}")


def answer_of(task):
    return task.get("answer", task["reference"])
