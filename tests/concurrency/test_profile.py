"""One person's profile, edited from several devices at the same moment."""

import asyncio

from tests.client import Client, expect, expect_problem

ROUNDS, DEVICES = 8, 8


async def test_of_edits_that_saw_the_same_profile_one_wins(client: Client) -> None:
    max_ = await client.join("max")
    # Else the first round waits for connections, one after the other, instead of racing.
    await asyncio.gather(
        *(max_.client.patch("/v1/me", {}, headers={"If-Match": "*"}) for _ in range(DEVICES))
    )
    for turn in range(ROUNDS):
        seen = (await max_.client.get("/v1/me")).headers["etag"]
        responses = await asyncio.gather(
            *(
                max_.client.patch(
                    "/v1/me", {"display_name": f"Max {turn} {device}"}, headers={"If-Match": seen}
                )
                for device in range(DEVICES)
            )
        )
        won = [response for response in responses if response.status_code == 200]
        assert len(won) == 1, [response.status_code for response in responses]
        for response in responses:
            if response is not won[0]:
                expect_problem(response, 412, "precondition_failed")
        now = await max_.client.get("/v1/me")
        assert expect(now, 200) == won[0].json()
        assert now.headers["etag"] == won[0].headers["etag"]
