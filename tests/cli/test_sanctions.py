"""`palaver moderation ...`: sanctions without a user interface."""

from tests.cli.conftest import Outcome, Run
from tests.cli.test_commands import expect_refusal
from tests.client import Client, expect, expect_problem


async def test_ban_and_unban(client: Client, palaver: Run) -> None:
    lee = await client.join("lee")
    outcome = await palaver("moderation", "ban", "lee", "--reason", "spam", "--message", "Enough.")
    assert outcome.code == 0
    assert outcome.out.endswith(": ban of lee.\n")
    expect_problem(await lee.client.get("/v1/me"), 401, "not_authenticated")
    again = await client.log_in("lee")
    refused = await again.client.post("/v1/articles", {"title": "New"})
    problem = expect_problem(refused, 403, "account_banned")
    assert (problem["reason"], problem["message"]) == ("spam", "Enough.")
    expect_refusal(await palaver("moderation", "ban", "lee"), "Already restricted")
    lifted = await palaver("moderation", "unban", "lee")
    assert lifted == Outcome(0, "The ban of lee is lifted.\n", "")
    await again.post_article()
    expect_refusal(await palaver("moderation", "unban", "lee"), "Sanction not found")


async def test_silence_unsilence_and_warn(client: Client, palaver: Run) -> None:
    lee = await client.join("lee")
    outcome = await palaver("moderation", "silence", "lee", "--days", "2")
    assert outcome.code == 0
    refused = await lee.client.post("/v1/articles", {"title": "New"})
    assert expect_problem(refused, 403, "account_silenced")["ends_at"]
    assert (await palaver("moderation", "unsilence", "lee")).code == 0
    await lee.post_article()
    assert (await palaver("moderation", "warn", "lee", "--message", "Please.")).code == 0
    told = expect(await lee.client.get("/v1/me/sanctions"), 200)["data"]
    assert [one["kind"] for one in told] == ["warning", "silence"]
    nobody = await palaver("moderation", "warn", "nobody", "--message", "Please.")
    expect_refusal(nobody, "Person not found")
