"""What screening holds of an imported thread: hidden with the same transaction, never rejected."""

from typing import Any

from sqlalchemy import text

from api.kit.services import Services
from tests.client import Client, flatten
from tests.screening.rules import add_rules, change_settings, list_decisions
from tests.transfer.conftest import SLUG, BringIn


async def test_what_is_found_in_an_import_is_hidden_and_its_replies_stay(
    client: Client, services: Services, thread: dict[str, Any], bring_in: BringIn
) -> None:
    thread["comments"][0]["body"] += " You zwibbel!"
    thread["comments"][5]["body"] = "https://one.example"
    thread["comments"][6]["body"] += " gronk"
    await add_rules(services, ("word", "zwibbel", "reject"), ("word", "gronk", "flag"))
    await change_settings(services, max_links=0)
    report = await bring_in(thread)
    assert (report.added, report.held) == (8, 2)
    nodes = flatten((await client.tree(SLUG, sort="old"))["data"])
    # The first one has replies: it is a placeholder. The sixth has none: it is not in the tree.
    assert [node["state"] for node in nodes] == ["hidden", *["visible"] * 6]
    assert "zwibbel" not in str(nodes)
    decisions = await list_decisions(services)
    assert [(one["outcome"], one["phase"]) for one in decisions] == [
        ("hold", "words"),
        ("hold", "links"),
        ("flag", "words"),
    ]
    async with services.database.read_session() as session:
        asked = await session.scalars(
            text("SELECT payload FROM events WHERE type = 'review_requested' ORDER BY id")
        )
    assert [len(one["comment_ids"]) for one in asked] == [1, 2]
