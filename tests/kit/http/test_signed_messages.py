"""Signatures of messages, verified by the library that receivers use."""

import base64
from datetime import UTC, datetime, timedelta

import pytest
from standardwebhooks import Webhook, WebhookVerificationError

from api.kit.http.signed_messages import make_secret, sign_message

BODY = b'{"type": "comment.created"}'


def test_each_secret_in_use_verifies_and_no_other() -> None:
    old, new, other = (make_secret() for _ in range(3))
    now = datetime.now(UTC)
    headers = sign_message([new, old], message_id="evt_1", sent_at=now, body=BODY)
    assert headers["webhook-id"] == "evt_1"
    for secret in (old, new):
        Webhook(secret).verify(BODY, headers)
    with pytest.raises(WebhookVerificationError):
        Webhook(other).verify(BODY, headers)
    with pytest.raises(WebhookVerificationError):
        Webhook(new).verify(BODY + b" ", headers)
    with pytest.raises(WebhookVerificationError):
        Webhook(new).verify(BODY, headers | {"webhook-id": "evt_2"})
    late = sign_message([new], message_id="evt_1", sent_at=now - timedelta(hours=1), body=BODY)
    with pytest.raises(WebhookVerificationError):
        Webhook(new).verify(BODY, late)


def test_a_secret_has_the_length_that_the_specification_asks_for() -> None:
    secret = make_secret()
    assert secret.startswith("whsec_")
    assert 24 <= len(base64.b64decode(secret.removeprefix("whsec_"), validate=True)) <= 64
