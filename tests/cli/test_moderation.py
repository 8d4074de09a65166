"""`palaver moderation ...`: what an operator does without a user interface."""

from tests.cli.conftest import Run
from tests.client import Client, expect, expect_problem


async def test_an_operator_moderates(client: Client, palaver: Run) -> None:
    author, reader = await client.join("olga"), await client.join("anna")
    article = (await author.post_article())["id"]
    comment = (await author.reply(article, "Buy watches."))["id"]
    assert "Nothing waits." in (await palaver("moderation", "queue")).out
    path = f"/v1/comments/{comment}"
    expect(await reader.client.post(f"{path}/reports", {"reason": "spam"}), 201)
    shown = (await palaver("moderation", "queue", "--order", "worst")).out
    assert comment in shown
    assert "olga: Buy watches." in shown
    removed = await palaver("moderation", "remove", comment, "--reason", "spam")
    assert (removed.code, removed.out) == (0, f"{comment}: removed\n")
    expect_problem(await client.get(path), 404, "comment_not_found")
    again = await palaver("moderation", "remove", comment, "--reason", "spam")
    assert again.code == 1
    assert "Action not possible" in again.err
    assert (await palaver("moderation", "restore", comment)).code == 0
    assert expect(await client.get(path), 200)["state"] == "visible"
    assert (await palaver("moderation", "approve", comment)).code == 0


async def test_an_operator_bans_and_lifts_the_ban(client: Client, palaver: Run) -> None:
    person = await client.join("olga")
    assert (await palaver("moderation", "ban", "olga", "--reason", "abuse")).code == 0
    assert (await person.client.get("/v1/me")).status_code == 401
    again = await client.log_in("olga")
    refused = await again.client.post("/v1/articles", {"title": "Hello"})
    expect_problem(refused, 403, "account_banned")
    assert (await palaver("moderation", "unban", "olga")).code == 0
    await again.post_article()
