"""People who want the same name at the same moment, in rounds on open connections."""

import asyncio

from sqlalchemy import text

from api.kit.services import Services
from tests.client import PASSWORD, Client, expect, expect_problem
from tests.warm import warm_pools

ROUNDS = 3


async def test_of_twenty_who_want_a_handle_one_gets_it(client: Client, services: Services) -> None:
    await warm_pools(services)
    for turn in range(ROUNDS):
        responses = await asyncio.gather(
            *(
                client.post(
                    "/v1/users",
                    # Half of them want what only looks the same.
                    {
                        "handle": ("modern", "rnodern")[number % 2] + "abc"[turn],
                        "email": f"{turn}-{number}@example.com",
                        "password": PASSWORD,
                    },
                )
                for number in range(20)
            )
        )
        assert sorted(response.status_code for response in responses) == [201] + [409] * 19
        for response in responses:
            if response.status_code == 409:
                expect_problem(response, 409, "handle_taken")
    async with services.database.read_session() as session:
        for table in ("users", "handles", "events"):
            assert await session.scalar(text(f"SELECT count(*) FROM {table}")) == ROUNDS


async def test_of_five_with_one_address_one_logs_in_by_it(
    client: Client, services: Services
) -> None:
    await warm_pools(services)
    for turn in range(ROUNDS):
        address = f"us-{turn}@example.com"
        people = [(f"person-{turn}-{number}", f"password {number}") for number in range(5)]
        responses = await asyncio.gather(
            *(
                client.post("/v1/users", {"handle": handle, "email": address, "password": password})
                for handle, password in people
            )
        )
        for response in responses:
            expect(response, 201)
        by_address = [
            await client.post("/v1/sessions", {"login": address, "password": password})
            for _, password in people
        ]
        statuses = sorted(response.status_code for response in by_address)
        assert statuses == [201, 401, 401, 401, 401]


async def test_of_eight_who_rename_themselves_alike_one_succeeds(
    client: Client, services: Services
) -> None:
    people = [await client.join() for _ in range(8)]
    await warm_pools(services)
    for turn in range(ROUNDS):
        # Whoever looks the same as their own former handle may have it: so another one each time.
        handle = "modern" + "abc"[turn]
        responses = await asyncio.gather(
            *(
                person.client.patch("/v1/me", {"handle": handle}, headers={"If-Match": "*"})
                for person in people
            )
        )
        assert sorted(response.status_code for response in responses) == [200] + [409] * 7
        [winner] = [response.json() for response in responses if response.status_code == 200]
        assert expect(await client.get(f"/v1/users/{handle}"), 200)["id"] == winner["id"]
