"""SCRAM-SHA-256 (RFC 7677), the client's side, without channel binding; for passwords of ASCII characters."""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets


class Scram:
    """One authentication: `first()`, then `answer(challenge)`, then `check(proof of the server)`."""

    def __init__(self, password: str) -> None:
        self._password = password.encode("ascii")
        self._nonce = base64.b64encode(secrets.token_bytes(18)).decode()
        self._first_bare = f"n=,r={self._nonce}"
        self._server_signature = b""

    def first(self) -> bytes:
        return f"n,,{self._first_bare}".encode()

    def answer(self, challenge: bytes) -> bytes:
        given = _attributes(challenge)
        if not given["r"].startswith(self._nonce):
            raise ConnectionError("the server's nonce does not continue ours")
        salted = hashlib.pbkdf2_hmac("sha256", self._password, base64.b64decode(given["s"]), int(given["i"]))
        final = f"c=biws,r={given['r']}"
        signed = f"{self._first_bare},{challenge.decode()},{final}".encode()
        client_key = _hmac(salted, b"Client Key")
        signature = _hmac(hashlib.sha256(client_key).digest(), signed)
        self._server_signature = _hmac(_hmac(salted, b"Server Key"), signed)
        proof = bytes(a ^ b for a, b in zip(client_key, signature, strict=True))
        return f"{final},p={base64.b64encode(proof).decode()}".encode()

    def check(self, final: bytes) -> None:
        if base64.b64decode(_attributes(final)["v"]) != self._server_signature:
            raise ConnectionError("the server does not know the password")


def _attributes(message: bytes) -> dict[str, str]:
    return dict(part.split("=", 1) for part in message.decode().split(","))


def _hmac(key: bytes, data: bytes) -> bytes:
    return hmac.new(key, data, "sha256").digest()
