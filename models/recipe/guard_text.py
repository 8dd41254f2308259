"""What a guard is asked about: in the suite's families guard_input and guard_output that is small
talk; here, prompts and answers of all other families, too."""

import re
from pathlib import Path

from tasks import answer_of

PROMPTS = Path(__file__).parents[2] / "prompts"
WINDOW = 400  # characters that a guard is shown at once: src/mechanisms/auxiliary/screen.h
AS_IT_IS, JOINED = 0.4, 0.2  # shares of the texts; the rest are ordinary ones alone
CARD = re.compile(r"\d{4} \d{4} \d{4} \d{4}")  # in an answer it is a secret


def window(text, rng):
    """As much of a text as a guard may be shown, from its beginning or from within."""
    size = rng.choice((WINDOW, WINDOW // 2))
    if len(text) <= size:
        return text
    begin = rng.choice([0] + [m.end() for m in re.finditer(r"\s", text[:-size // 2])])
    part = text[begin:begin + size]
    return part if begin + size >= len(text) else part.rpartition(" ")[0] or part


def ordinary_text(side, tasks):
    """The next of them that a guard must let pass."""
    for task in tasks:
        if task["family"].startswith("guard_"):
            continue
        text = task["prompt"] if side == "guard_input" else answer_of(task)
        if side == "guard_input" or not CARD.search(text):
            return text
    raise RuntimeError("fewer ordinary tasks than the guard is asked about")


def ask_about_ordinary_texts(guard_tasks, ordinary_tasks, rng):
    """Some of the guard's tasks as they are, some with an ordinary text before or behind theirs,
    and some about an ordinary text instead."""
    forms = {side: (PROMPTS / f"{side}.txt").read_text(encoding="utf-8").rstrip("\n")
             for side in ("guard_input", "guard_output")}
    for task in guard_tasks:
        drawn = rng.random()
        if drawn >= AS_IT_IS:
            before, behind = forms[task["family"]].split("{text}")
            asked = task["prompt"].removeprefix(before).removesuffix(behind)
            ordinary = window(ordinary_text(task["family"], ordinary_tasks), rng)
            if drawn < AS_IT_IS + JOINED:
                both = [asked, ordinary]
                rng.shuffle(both)
                text, answer = rng.choice((" ", "\n")).join(both), answer_of(task)
            else:
                text, answer = ordinary, "no"
            task = task | {"prompt": before + text + behind, "reference": answer}
        yield task
