"""The keys of Web Push: of this service (VAPID, RFC 8292), and of browsers (RFC 8291)."""

import base64
import binascii
from datetime import datetime, timedelta
from urllib.parse import urlsplit

import http_ece
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from py_vapid import Vapid02

from api.kit.settings import Settings
from api.kit.signing import Signer

POINT_SIZE = 65
SECRET_SIZE = 16
# The order of P-256: private keys are 1 to this, without it (FIPS 186-5).
_ORDER = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
# RFC 8292 allows a day.
_TOKEN_LIFETIME = timedelta(hours=12)


def make_private_key(signer: Signer) -> ec.EllipticCurvePrivateKey:
    """Return the key of this service, derived from its secret.

    From 512 bits, so that no key is noticeably likelier than another.
    """
    number = int.from_bytes(signer.key_for("vapid-1") + signer.key_for("vapid-2"))
    return ec.derive_private_key(number % (_ORDER - 1) + 1, ec.SECP256R1())


def get_public_key(signer: Signer) -> bytes:
    """Return the public key of this service, as an uncompressed point."""
    return to_point(make_private_key(signer).public_key())


def make_authorization(settings: Settings, signer: Signer, endpoint: str, now: datetime) -> str:
    """Return the header that proves to a push service who sends: a signed token for its origin."""
    parts = urlsplit(endpoint)
    claims = {
        "aud": f"{parts.scheme}://{parts.netloc}",
        "exp": int((now + _TOKEN_LIFETIME).timestamp()),
        "sub": _name_contact(settings),
    }
    headers: dict[str, str] = Vapid02(make_private_key(signer)).sign(claims)
    return headers["Authorization"]


def encrypt(content: bytes, *, p256dh: bytes, auth: bytes) -> bytes:
    """Return content that only the browser can read, in the coding aes128gcm."""
    encrypted: bytes = http_ece.encrypt(
        content,
        private_key=ec.generate_private_key(ec.SECP256R1()),
        dh=p256dh,
        auth_secret=auth,
        version="aes128gcm",
    )
    return encrypted


def to_point(key: ec.EllipticCurvePublicKey) -> bytes:
    """Return a public key as an uncompressed point."""
    return key.public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)


def parse_public_key(text: str) -> bytes:
    """Return the point that a browser calls `p256dh`. Raises ValueError."""
    point = _decode(text)
    if len(point) != POINT_SIZE:
        raise ValueError("not an uncompressed point of P-256")
    ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), point)
    return point


def parse_secret(text: str) -> bytes:
    """Return the secret that a browser calls `auth`. Raises ValueError."""
    secret = _decode(text)
    if len(secret) != SECRET_SIZE:
        raise ValueError("not 16 bytes")
    return secret


def encode(content: bytes) -> str:
    """Return bytes in Base64 for URLs, without padding."""
    return base64.urlsafe_b64encode(content).rstrip(b"=").decode()


def _decode(text: str) -> bytes:
    """Return the bytes of Base64 in either alphabet, padded or not. Raises ValueError."""
    plain = text.rstrip("=").replace("-", "+").replace("_", "/")
    try:
        return base64.b64decode(plain + "=" * (-len(plain) % 4), validate=True)
    except binascii.Error as error:
        raise ValueError("not Base64") from error


def _name_contact(settings: Settings) -> str:
    """Return where a push service writes about trouble: to the sender of mails, or to the site."""
    if settings.mail_from is not None:
        return f"mailto:{settings.mail_from.rpartition('<')[2].rstrip('>')}"
    host = urlsplit(settings.public_url or "").hostname
    return f"https://{host}" if host and "." in host else "mailto:palaver@localhost"
