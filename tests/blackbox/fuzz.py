"""What the tests of published contracts share: requests that fit a contract and requests that do not, made by schemathesis,
the same on every run; and how each operation answered.

Valid names and bodies are mostly replaced by such as can be carried out, so that answers come from behind the first check.
"""

import zlib
from collections import Counter, defaultdict

import schemathesis
from hypothesis import HealthCheck, settings
from programs import ROOT


class Fuzz:
    """Of one contract. `coverage` configures the phase of that name, which is off unless it is given."""

    def __init__(self, name, seed=20_261_121, examples=12, coverage=None):
        # The file that the server serves, as another test holds.
        self.schema = schemathesis.openapi.from_path(ROOT / f"contracts/{name}.json", config=schemathesis.Config.from_dict({
            "seed": seed,
            "generation": {"mode": "all", "max-examples": examples, "database": "none", "with-security-parameters": False},
            "phases": {"coverage": coverage or {"enabled": False}, "stateful": {"enabled": False}},
        }))
        self.settings = settings(max_examples=examples, deadline=None, derandomize=True, database=None,
                                 suppress_health_check=list(HealthCheck))
        self.answers = defaultdict(Counter)

    def cases(self, test):
        """Has a test called with each request, as its `case`."""
        return self.schema.parametrize()(self.settings(test))

    def call(self, case, url, **more):
        """The answer, whose status is counted."""
        answer = case.call(base_url=url, allow_redirects=False, timeout=60, **more)
        self.answers[case.operation.label][answer.status_code] += 1
        return answer

    def reached(self, platform, good=(200,), never=()):
        """With its seed each operation succeeds sometimes, but those that `never` can: otherwise nothing was tried behind
        its first check. Nothing broke, and nobody was turned away for asking too often."""
        labels = [operation.ok().label for operation in self.schema.get_all_operations()]
        counts = {label: dict(self.answers[label]) for label in labels}
        missed = {label: statuses for label, statuses in counts.items() if label not in never and not statuses.keys() & set(good)}
        assert not missed, f"{missed} of {counts}"
        assert not {label: statuses for label, statuses in counts.items() if 429 in statuses}, counts
        assert "panicked" not in platform.output()


def mostly(value):
    """Three times in four, the same for the same value."""
    return zlib.crc32(str(value).encode("utf-8", "surrogatepass")) % 4 > 0


def lead(parameters, existing):
    """Names in a path or a query, which mostly lead to what `existing` tells for them."""
    if not parameters or not mostly(parameters):
        return parameters
    known = existing()
    return {name: known.get(name, value) for name, value in parameters.items()}


def amended(body, members):
    """A body with these members; `None` takes one away."""
    return {name: value for name, value in {**body, **members}.items() if value is not None}


def unbroken(answer, case):
    """Nothing went wrong inside."""
    assert answer.status_code < 500, f"{case.operation.label}: {answer.status_code} {answer.text} for {answer.request.body!r:.2000}"
