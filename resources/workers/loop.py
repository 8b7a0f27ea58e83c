"""What every worker program shares: questions and answers as lines of JSON, and an end when nobody is left to answer.

A worker reads one question a line from standard input and writes one answer a line to a pipe of its own; whatever a
library prints goes to standard error. Belongs here: this exchange. What is asked and answered is each worker's.
"""

import json
import os
import sys
import threading
import time
from collections.abc import Callable
from typing import Any

Handler = Callable[[dict[str, Any]], dict[str, Any]]
_LOOK_SECONDS = 1.0


def serve(start: Callable[[dict[str, Any]], tuple[dict[str, Any], Handler]]) -> None:
    """Load by the first question, answer every further one; an error is an answer with its kind and text.

    `start` takes the settings and returns what it says of what it loaded, and the handler of questions.
    """
    answers = os.fdopen(os.dup(sys.stdout.fileno()), "w", encoding="utf-8")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
    threading.Thread(target=_end_with_parent, args=(os.getppid(),), daemon=True).start()

    def answer(body: dict[str, Any]) -> None:
        answers.write(json.dumps(body) + "\n")
        answers.flush()

    handler: Handler | None = None
    for line in sys.stdin:
        question = json.loads(line)
        try:
            if handler is None:
                loaded, handler = start(question)
                answer({"ok": loaded, "memory": memory()})
            else:
                answer({"ok": handler(question)})
        except Exception as error:  # the boundary of a process: what went wrong travels as text
            answer({"error": f"{type(error).__name__}: {error}", "kind": type(error).__name__})


def memory() -> dict[str, Any]:
    """GiB resident in this process and on its device, and what it runs on; torch is asked only if it is loaded."""
    with open("/proc/self/statm", encoding="ascii") as file:
        used = int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 2**30
    found = {"device": "cpu", "memory_used": used, "vram_used": 0.0, "vram_free": 0.0}
    torch = sys.modules.get("torch")
    if torch is not None and torch.cuda.is_available():
        free, total = torch.cuda.mem_get_info()
        found.update(device="cuda", vram_used=(total - free) / 2**30, vram_free=free / 2**30)
    return found


def _end_with_parent(parent: int) -> None:
    """A parent that was killed cannot say goodbye: this process must not keep its model."""
    while os.getppid() == parent:
        time.sleep(_LOOK_SECONDS)
    os._exit(1)
