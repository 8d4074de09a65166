"""People who want the same name at the same moment."""

import asyncio

from sqlalchemy import text

from api.kit.services import Services
from tests.client import PASSWORD, Client, expect, expect_problem


async def test_of_twenty_who_want_a_handle_one_gets_it(client: Client, services: Services) -> None:
    answers = await asyncio.gather(
        *(
            client.post(
                "/v1/users",
                # Half of them want what only looks the same.
                {
                    "handle": ("modern", "rnodern")[number % 2],
                    "email": f"{number}@example.com",
                    "password": PASSWORD,
                },
            )
            for number in range(20)
        )
    )
    assert sorted(answer.status_code for answer in answers) == [201] + [409] * 19
    for answer in answers:
        if answer.status_code == 409:
            expect_problem(answer, 409, "handle_taken")
    async with services.database.read_session() as session:
        for table in ("users", "handles", "events"):
            assert await session.scalar(text(f"SELECT count(*) FROM {table}")) == 1


async def test_of_five_with_one_address_one_logs_in_by_it(client: Client) -> None:
    people = [(f"person-{number}", f"password {number}") for number in range(5)]
    answers = await asyncio.gather(
        *(
            client.post(
                "/v1/users", {"handle": handle, "email": "us@example.com", "password": password}
            )
            for handle, password in people
        )
    )
    for answer in answers:
        expect(answer, 201)
    by_address = [
        await client.post("/v1/sessions", {"login": "us@example.com", "password": password})
        for _, password in people
    ]
    assert sorted(answer.status_code for answer in by_address) == [201, 401, 401, 401, 401]


async def test_of_two_who_rename_themselves_alike_one_succeeds(client: Client) -> None:
    one, other = await client.join("one"), await client.join("other")
    answers = await asyncio.gather(
        *(
            person.client.patch("/v1/me", {"handle": "modern"}, headers={"If-Match": "*"})
            for person in (one, other)
        )
    )
    assert sorted(answer.status_code for answer in answers) == [200, 409]
    [winner] = [answer.json() for answer in answers if answer.status_code == 200]
    assert expect(await client.get("/v1/users/modern"), 200)["id"] == winner["id"]
