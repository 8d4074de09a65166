"""What imports what, and what is installed: layers hold, and every package is pinned."""

import re
import tomllib

import pytest
from importlinter import api as _configured  # noqa: F401 - it configures what use_cases needs
from importlinter.application.use_cases import lint_imports
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from tests.architecture.source import ROOT

RUN, DEV, BUILD = "requirements/run.txt", "requirements/dev.txt", "requirements/build.txt"
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
WANTED = {
    RUN: PROJECT["project"]["dependencies"],
    DEV: [
        *PROJECT["project"]["dependencies"],
        *PROJECT["dependency-groups"]["dev"],
    ],
    BUILD: [*PROJECT["dependency-groups"]["build"], *PROJECT["build-system"]["requires"]],
}
# One pin as pip reads it: the requirement, and at least one hash.
PIN = re.compile(r"(?P<requirement>[^\s-][^\n]*?)(?P<hashes>(?: +--hash=sha256:[0-9a-f]{64})+)")


def test_the_layers_hold() -> None:
    assert lint_imports(str(ROOT / "pyproject.toml"), cache_dir=None, no_logo=True)


@pytest.mark.parametrize("path", [RUN, DEV, BUILD])
def test_every_dependency_is_pinned(path: str) -> None:
    pins = _read_pins(path)
    for requirement in map(Requirement, WANTED[path]):
        versions = pins.get(canonicalize_name(requirement.name))
        assert versions, f"{path} lacks {requirement.name}; run: make lock"
        assert all(requirement.specifier.contains(version) for version in versions)


def test_what_is_tested_is_what_runs() -> None:
    run, dev = _read_pins(RUN), _read_pins(DEV)
    assert {name: dev.get(name) for name in run} == run


def _read_pins(path: str) -> dict[str, set[str]]:
    """Return the versions of each package: a version may depend on the platform.

    Every line that is not a comment is a pin with hashes, so no line can name an index or a link.
    """
    pins: dict[str, set[str]] = {}
    text = (ROOT / path).read_text(encoding="utf-8").replace("\\\n", "")
    for line in text.splitlines():
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        pin = PIN.fullmatch(line.rstrip())
        assert pin, f"{path}: no exact pin with hashes: {line}"
        requirement = Requirement(pin["requirement"].strip())
        (specifier,) = requirement.specifier
        assert specifier.operator == "==", line
        assert requirement.url is None, line
        pins.setdefault(canonicalize_name(requirement.name), set()).add(specifier.version)
    return pins
