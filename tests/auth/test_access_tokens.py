"""Which access tokens are believed: one that is right, and others with one thing wrong each."""

import base64
import hashlib
import hmac
import json
from typing import Any

import jwt

from api.auth.tokens import RefreshToken
from api.kit.db.ids import make_id
from api.kit.services import Services
from api.kit.signing import Signer
from tests.client import Client, expect, expect_problem
from tests.conftest import MovableClock


def encode(part: bytes) -> str:
    return base64.urlsafe_b64encode(part).rstrip(b"=").decode()


def forge(
    key: bytes, header: dict[str, Any], claims: dict[str, Any], digest: Any = "sha256"
) -> str:
    """Write a token by hand: the library refuses to write most of the wrong ones."""
    signed = f"{encode(json.dumps(header).encode())}.{encode(json.dumps(claims).encode())}"
    return f"{signed}.{encode(hmac.digest(key, signed.encode(), digest))}"


async def expect_refused(client: Client, authorization: str, case: str) -> None:
    refused = await client.get("/v1/me", headers={"Authorization": authorization})
    assert refused.status_code == 401, case
    expect_problem(refused, 401, "not_authenticated")
    assert refused.headers["www-authenticate"] == "Bearer"


async def test_a_token_with_anything_wrong_is_refused(client: Client, services: Services) -> None:
    max_, lee = await client.join("max"), await client.join("lee")
    token = str(max_.tokens["access_token"])
    claims = jwt.decode(token, options={"verify_signature": False})
    others = jwt.decode(lee.tokens["access_token"], options={"verify_signature": False})
    header = jwt.get_unverified_header(token)
    assert header == {"alg": "HS256", "typ": "at+jwt"}
    key = services.signer.key_for("access-token")
    right = forge(key, header, claims)
    expect(await client.get("/v1/me", headers={"Authorization": f"Bearer {right}"}), 200)
    expect(await client.get("/v1/me", headers={"Authorization": f"bearer {right}"}), 200)

    unsigned = forge(key, header | {"alg": "none"}, claims).rpartition(".")[0] + "."
    head, _, tail = right.split(".")
    tampered = f"{head}.{encode(json.dumps(claims | {'sub': lee.id}).encode())}.{tail}"
    wrong = {
        "no algorithm": unsigned,
        "another algorithm": forge(key, header | {"alg": "HS512"}, claims, hashlib.sha512),
        "an algorithm that lies": forge(key, header | {"alg": "RS256"}, claims),
        "another type": forge(key, header | {"typ": "JWT"}, claims),
        "no type": forge(key, {"alg": "HS256"}, claims),
        "another secret": forge(Signer("another secret").key_for("access-token"), header, claims),
        "the key of another purpose": forge(services.signer.key_for("cursor"), header, claims),
        "tampered": tampered,
        "cut": right[:-1],
        "oversized": forge(key, header, claims | {"more": "x" * 1024}),
        "another issuer": forge(key, header, claims | {"iss": "elsewhere"}),
        "another audience": forge(key, header, claims | {"aud": "elsewhere"}),
        "the login of somebody else": forge(key, header, claims | {"sid": others["sid"]}),
        "a login that never was": forge(key, header, claims | {"sid": str(make_id())}),
        "no id": forge(key, header, claims | {"sid": "1"}),
        "no time": forge(key, header, claims | {"exp": "tomorrow"}),
        "expired": forge(key, header, claims | {"exp": claims["iat"]}),
        "a refresh token": max_.tokens["refresh_token"],
        "not a token": "x",
        **{
            f"no {name}": forge(key, header, {k: v for k, v in claims.items() if k != name})
            for name in claims
        },
    }
    for case, forged in wrong.items():
        await expect_refused(client, f"Bearer {forged}", case)
    for other in (f"Basic {right}", "Bearer", right, f"Bearer {right} {right}"):
        await expect_refused(client, other, other[:10])


async def test_a_token_is_good_for_ten_minutes(client: Client, clock: MovableClock) -> None:
    max_ = await client.join("max")
    clock.advance(minutes=9, seconds=55)
    expect(await max_.client.get("/v1/me"), 200)
    clock.advance(seconds=6)
    expect_problem(await max_.client.get("/v1/me"), 401, "not_authenticated")
    # Nor does it stand in the way of its own replacement.
    renewed = await max_.client.post(
        "/v1/sessions/refresh", {"refresh_token": max_.tokens["refresh_token"]}
    )
    token = expect(renewed, 201)["access_token"]
    expect(await Client(client.http, token).get("/v1/me"), 200)


async def test_a_token_holds_nothing_that_is_private(client: Client) -> None:
    max_ = await client.join("max")
    claims = jwt.decode(max_.tokens["access_token"], options={"verify_signature": False})
    assert claims.keys() == {"iss", "aud", "sub", "sid", "iat", "exp"}
    assert (claims["sub"], claims["exp"] - claims["iat"]) == (max_.id, 600)
    refresh = RefreshToken.parse(max_.tokens["refresh_token"])
    assert str(refresh.session_id) == claims["sid"]
    assert len(refresh.secret) == 32
