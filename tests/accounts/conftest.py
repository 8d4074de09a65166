"""Accounts are the subject here, so people sign up and log in over HTTP, passwords and all."""

import pytest

from tests.client import Client


@pytest.fixture
def client(client: Client) -> Client:
    return Client(client.http)
