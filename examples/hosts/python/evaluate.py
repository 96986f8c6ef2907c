"""Reads records as JSON lines and prints the resulting incidents, one JSON object per line.

    python evaluate.py MODULE LOG [SETTINGS.json]
"""

import json
import sys
import threading
from itertools import islice

from wasmtime import Config, Engine, Store, WasmtimeError
from wasmtime.component import Component, Linker, Record, Variant

BATCH = 512  # Lines per batch.
SECONDS = 60  # Time limit of a call.
MEMORY = 1 << 30  # Memory limit of the module, in bytes.

PACKAGE, VERSION = "backchannel:detection", "0.1.0"
SEVERITIES = ["info", "low", "medium", "high", "critical"]


def record(**fields):
    """A record of the contract: `first_line` is its field `first-line`."""
    made = Record()
    for name, value in fields.items():
        setattr(made, name.replace("_", "-"), value)
    return made


class Module:
    """A module in its sandbox: no imports, with limits on memory and time."""

    def __init__(self, path):
        config = Config()
        config.epoch_interruption = True
        self.engine = Engine(config)
        self.store = Store(self.engine)
        self.store.set_limits(memory_size=MEMORY)
        # The engine's clock ticks once a second, as long as this program runs.
        self.ended = threading.Event()
        threading.Thread(target=self._tick, daemon=True).start()
        with open(path, "rb") as file:
            component = Component(self.engine, file.read())
        self.store.set_epoch_deadline(SECONDS + 1)
        # An empty linker: the module has no access to the machine.
        self.instance = Linker(self.engine).instantiate(self.store, component)

    def _tick(self):
        while not self.ended.wait(1):
            self.engine.increment_epoch()

    def call(self, interface, function, *arguments):
        """Calls a function of the contract. Returns the value of a result; raises its error."""
        within = self.instance.get_export_index(self.store, f"{PACKAGE}/{interface}@{VERSION}")
        index = within and self.instance.get_export_index(self.store, function, within)
        called = index and self.instance.get_func(self.store, index)
        if called is None:
            raise RuntimeError(f"the module has no {interface} {function}")
        self.store.set_epoch_deadline(SECONDS + 1)
        answer = called(self.store, *arguments)
        called.post_return(self.store)
        # The binding tags a result only where both of its cases are of one Python type (two records).
        if isinstance(answer, Variant) and answer.tag in ("ok", "err"):
            if answer.tag == "err":
                raise ValueError(str(vars(answer.payload)))
            return answer.payload
        return answer

    def open(self, interface, *given):
        """Opens a resource. The result is either the resource, or a list of errors in the settings."""
        answer = self.call(interface, f"[static]{interface}.open", *given)
        if isinstance(answer, list):
            raise ValueError("; ".join(f"{mistake.pointer}: expected {mistake.allowed}" for mistake in answer))
        return answer


class Pipeline:
    """A detector, and the correlator that joins its findings into incidents."""

    def __init__(self, module, settings):
        self.module = module
        # None: the settings baked into the module, otherwise the defaults.
        self.detector = module.open("detector", settings, None)
        self.correlator = module.open("correlator", settings)

    def evaluate(self, log, first_line, text):
        batch = record(input=log, format="auto", host="", first_line=first_line, data=text)
        self.take(
            self.module.call("detector", "[method]detector.evaluate", self.detector, Variant("text", batch))
        )

    def end(self):
        self.take(self.module.call("detector", "[method]detector.flush", self.detector))

    def take(self, evaluation):
        for skipped in evaluation.skipped:
            print(f"{skipped.input}:{skipped.line}: {skipped.reason}", file=sys.stderr)
        documents = [finding.document for finding in evaluation.findings]
        given = (documents, evaluation.signals, evaluation.activity)
        self.module.call("correlator", "[method]correlator.observe", self.correlator, *given)

    def incidents(self):
        """Incidents, escalated ones first, then by severity, then by id."""
        listed = self.module.call("correlator", "[method]correlator.incidents", self.correlator)
        last = {incident.id: incident for incident in listed}
        # Incidents that were merged into another one are left out.
        for incident in listed:
            for gone in json.loads(incident.document)["supersedes"]:
                last.pop(gone, None)
        order = lambda incident: (-incident.tier, -SEVERITIES.index(incident.severity), incident.id)
        return [incident.document for incident in sorted(last.values(), key=order)]


def main():
    if len(sys.argv) not in (3, 4):
        sys.exit("usage: python evaluate.py MODULE LOG [SETTINGS.json]")
    path, log = sys.argv[1:3]
    settings = open(sys.argv[3], encoding="utf-8").read() if len(sys.argv) == 4 else None
    pipeline = Pipeline(Module(path), settings)
    first_line = 1
    # Bytes that are not valid UTF-8 are replaced: text is passed as UTF-8.
    with open(log, encoding="utf-8", errors="replace", newline="\n") as lines:
        while batch := list(islice(lines, BATCH)):
            pipeline.evaluate(log, first_line, "".join(batch))
            first_line += len(batch)
    pipeline.end()
    sys.stdout.reconfigure(encoding="utf-8")
    for document in pipeline.incidents():
        print(document)


if __name__ == "__main__":
    try:
        main()
    except WasmtimeError as error:
        # A back trace of the module comes first; the cause is the last line.
        sys.exit(f"evaluate: the module failed: {str(error).strip().splitlines()[-1].strip()}")
    except (OSError, RuntimeError, ValueError) as error:
        sys.exit(f"evaluate: {error}")
