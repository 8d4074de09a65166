"""A name that leads to a public address when it is entered, and elsewhere when it is used."""

from collections.abc import Sequence
from dataclasses import replace

import pytest

from api.kit.http.outgoing import OutgoingClient
from api.kit.services import Services
from api.kit.settings import Settings
from api.main import make_services
from tests.client import Client, expect
from tests.conftest import MovableClock
from tests.servers import running_server
from tests.webhooks.conftest import EVERY_TYPE
from tests.working import work_off


@pytest.fixture
def services(settings: Settings, clock: MovableClock, _emptied: None) -> Services:
    """As they ship, but for what a name server says: public at first, then this machine."""
    asked: list[str] = []

    async def rebind(host: str, port: int) -> Sequence[str]:
        asked.append(host)
        return ["93.184.215.14"] if len(asked) == 1 else ["127.0.0.1"]

    return replace(make_services(settings, clock), outgoing=OutgoingClient(resolve=rebind))


@pytest.mark.parametrize("settings", [{"outgoing_allow_private": False}], indirect=True)
async def test_each_delivery_checks_where_a_name_leads(
    client: Client, services: Services, admin: Client
) -> None:
    async with running_server() as inside:
        body = {"url": f"https://rebinding.example:{inside.port}/", "event_types": EVERY_TYPE}
        path = f"/v1/webhooks/{expect(await admin.post('/v1/webhooks', body), 201)['id']}"
        await (await client.join()).post_article()
        await work_off(services)
        tested = expect(await admin.post(f"{path}/test"), 200)
        log = expect(await admin.get(f"{path}/deliveries"), 200)["data"]
        assert [one["type"] for one in log] == ["webhook.test", "article.created"]
        assert tested == log[0]
        for attempt in log:
            assert attempt["error"] == "the name leads to an address that is not public"
            assert attempt["status"] is None
        assert inside.connections == 0
