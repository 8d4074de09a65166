"""`palaver worker --metrics-port`."""

import socket

import httpx
import pytest

from api.cli.worker import serving_metrics
from api.kit.settings import SettingsError


def test_a_worker_serves_its_metrics_while_it_runs() -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
        refused = pytest.raises(SettingsError, match=f"127.0.0.1:{port}")
        with refused, serving_metrics("127.0.0.1", port):
            pass
    with serving_metrics("127.0.0.1", port), httpx.Client(trust_env=False) as http:
        response = http.get(f"http://127.0.0.1:{port}/metrics")
    assert "palaver_deliveries_dead" in response.text
