from tests.client import Client

async def test_probe(client: Client) -> None:
    max_ = await client.join("max")
    big = b'{"title": "' + b"x" * 65600 + b'"}'
    async def chunks():
        for i in range(0, len(big), 1000):
            yield big[i:i+1000]
    J={"content-type": "application/json"}
    for who in (client, max_.client):
        for what, r in {
            "post": await who.request("POST", "/v1/articles", content=big, headers=J),
            "post chunked": await who.request("POST", "/v1/articles", content=chunks(), headers=J),
            "get": await who.request("GET", "/v1/articles", content=big, headers=J),
            "delete": await who.request("DELETE", "/v1/sessions/current", content=big, headers=J),
            "get after": await who.request("GET", "/v1/me"),
            "post wrong type": await who.request("POST", "/v1/articles", content=big, headers={"content-type": "text/plain"}),
            "404": await who.request("POST", "/v1/nope", content=big),
            "405": await who.request("PUT", "/v1/articles", content=big),
        }.items():
            print(what, r.status_code, r.headers.get("content-type"), r.text[:100])
