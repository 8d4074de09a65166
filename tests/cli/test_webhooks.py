"""`palaver webhooks`: what the operator sees of webhooks, and switches off."""

from collections.abc import Awaitable, Callable

from tests.cli.conftest import Run
from tests.client import Client, Person, expect


async def test_webhooks_are_listed_and_disabled(
    palaver: Run, client: Client, make_staff: Callable[[str], Awaitable[Person]]
) -> None:
    admin = (await make_staff("admin")).client
    body = {"url": "https://93.184.215.14/hook", "event_types": ["comment.created"]}
    created = expect(await admin.post("/v1/webhooks", body), 201)
    listed = (await palaver("webhooks", "list")).out
    assert listed == f"{created['id']}  staff-admin  enabled  {body['url']}\n"
    for _ in range(2):
        disabled = (await palaver("webhooks", "disable", created["id"])).out
        assert "disabled (requested)" in disabled
    read = expect(await admin.get(f"/v1/webhooks/{created['id']}"), 200)
    assert read["disabled_reason"] == "requested"
    unknown = await palaver("webhooks", "disable", "0198f2c5-6f7a-7c3e-9d2b-3a1f5e8c7b60")
    assert "Webhook not found" in unknown.err
    assert unknown.code == 1
