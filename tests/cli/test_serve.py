"""`palaver serve` with nothing set: a real process, its own servers, and its data afterwards."""

import os
import re
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import psutil

from tests.client import PASSWORD, expect

ENDS_IN = 60  # seconds; it takes less than one, but on a busy machine a test must not fail for that


@contextmanager
def serving(folder: Path, output: list[str]) -> Iterator[tuple["subprocess.Popen[str]", str]]:
    """Run `palaver serve` on a free port; yield it and its address, and collect what it says."""
    environment = {
        name: value for name, value in os.environ.items() if not name.startswith("PALAVER_")
    }
    command = [sys.executable, "-c", "from api.cli.main import main; main()", "serve"]
    with subprocess.Popen(
        command,
        env=environment | {"PALAVER_PORT": "0", "PYTHONPATH": str(Path(__file__).parents[2])},
        cwd=folder,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    ) as process:
        try:
            assert process.stdout is not None
            greeting = None
            while greeting is None:
                line = process.stdout.readline()
                assert line, f"it ended: {output}"
                output.append(line)
                greeting = re.search(r"serves on (http://\S+)", line)
            yield process, greeting[1]
            # Whoever used it has told it to end.
            output += process.stdout
            process.wait(timeout=ENDS_IN)
        finally:
            process.kill()


def find_servers(folder: Path) -> list[str]:
    """Return the names of processes that work in a folder."""
    return [
        process.info["name"]
        for process in psutil.process_iter(["name", "cwd"])
        if process.info["cwd"] and Path(process.info["cwd"]).is_relative_to(folder)
    ]


def test_it_says_where_it_is_answers_ends_and_finds_its_data_again() -> None:
    with tempfile.TemporaryDirectory(prefix="palaver-test-") as name:
        folder = Path(name).resolve()
        said: list[str] = []
        with serving(folder, said) as (process, url), httpx.Client(base_url=url) as http:
            root = http.get("/")
            assert (root.status_code, root.headers["location"]) == (307, "/docs")
            assert "swagger" in expect_page(http.get("/docs"))
            page = {"Origin": "http://localhost:5173"}
            allowed = http.get("/v1/articles", headers=page).headers
            assert allowed["access-control-allow-origin"] == page["Origin"]
            account = {"handle": "max", "email": "max@example.com", "password": PASSWORD}
            expect(http.post("/v1/users", json=account), 201)
            login = {"login": "max", "password": PASSWORD}
            token = expect(http.post("/v1/sessions", json=login), 201)["access_token"]
            mine = {"Authorization": f"Bearer {token}"}
            article = expect(http.post("/v1/articles", json={"title": "Kept"}, headers=mine), 201)
            process.send_signal(signal.SIGINT)
        assert process.returncode == 0, said
        assert f"docs: {url}/docs" in "".join(said)
        assert f"The data is in {folder / '.palaver'}\n" in said
        assert said[-1] == f"Palaver has stopped. The data is in {folder / '.palaver'}\n"
        assert "Traceback" not in "".join(said)
        assert find_servers(folder) == []

        with serving(folder, said) as (process, url), httpx.Client(base_url=url) as http:
            assert expect(http.get("/v1/articles/kept"), 200) == article
            # The secret was kept too: who was logged in still is.
            assert expect(http.get("/v1/me", headers=mine), 200)["handle"] == "max"
            # A second one on the same folder goes on when the first has stopped.
            with serving(folder, said) as (second, other), httpx.Client(base_url=other) as more:
                assert expect(more.get("/v1/articles/kept"), 200) == article
                process.send_signal(signal.SIGTERM)
                assert process.wait(timeout=ENDS_IN) in (-signal.SIGTERM, 128 + signal.SIGTERM)
                draft = {"title": "Written later"}
                expect(more.post("/v1/articles", json=draft, headers=mine), 201)
                second.send_signal(signal.SIGINT)
            assert second.returncode == 0, said
        assert find_servers(folder) == []


def expect_page(response: httpx.Response) -> str:
    assert response.status_code == 200
    assert response.headers["content-type"].startswith("text/html")
    return response.text
