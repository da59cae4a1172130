#!/usr/bin/env python3
"""Writes the seed corpus of admin_fuzz: a request for each route of docs/openapi.json, and some of another kind.

Run it in this folder; it only adds or overwrites its own files. What a fuzzer finds later is committed beside them.
"""

import json
import pathlib

HERE = pathlib.Path(__file__).parent
CORPUS = HERE / "corpus" / "admin"
OPENAPI = json.loads((HERE.parent / "docs" / "openapi.json").read_text(encoding="utf-8"))

BODIES = {
    "/api/v1/principals": {"name": "bob", "kind": "machine", "groups": ["rag"], "roles": [], "owner": "ana"},
    "/api/v1/principals/{name}": {"groups": ["rag", "dpo"], "disabled": True},
    "/api/v1/tokens": {"principal": "ana", "ttl": "12h"},
    "/api/v1/connections": {
        "name": "docs",
        "host": "db.example",
        "database": "app",
        "roles": [
            {
                "alias": "reader",
                "upstream_user": "app_ro",
                "groups": ["rag"],
                "credential": {"kind": "file", "reference": "app_ro"},
            }
        ],
    },
    "/api/v1/policy/explain": {"principal": "ana", "connection": "docs", "role": "reader", "statement": "SELECT 1"},
}
QUERIES = "limit=5&cursor=abc&principal=ana&text=a+b%26c&from=2026-01-05T09:30:00Z"
NAMES = {"{name}": "ana", "{id}": "abc"}


def request(method: str, target: str, body: bytes = b"", token: str = "root", headers: str = "") -> bytes:
    kind = f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n" if body else ""
    bearer = f"Authorization: Bearer {token}\r\n" if token else ""
    return f"{method} {target} HTTP/1.1\r\nHost: h\r\n{bearer}{kind}{headers}\r\n".encode() + body


def main() -> None:
    CORPUS.mkdir(parents=True, exist_ok=True)
    for path, methods in OPENAPI["paths"].items():
        target = path
        for name, value in NAMES.items():
            target = target.replace(name, value)
        for method in methods:
            if method not in {"get", "post", "put", "patch", "delete"}:
                continue
            body = json.dumps(BODIES.get(path, {})).encode() if method in {"post", "put", "patch"} else b""
            name = f"{method}{path}".replace("/api/v1", "").replace("/", "_").replace("{", "").replace("}", "")
            (CORPUS / name).write_bytes(request(method.upper(), target, body))
    others = {
        "query": request("GET", f"/api/v1/operations?{QUERIES}"),
        "member": request("GET", "/api/v1/me", token="ana"),
        "pipelined": request("GET", "/healthz") + request("GET", "/readyz", token=""),
        "chunked": b"POST /api/v1/tokens HTTP/1.1\r\nHost: h\r\nAuthorization: Bearer root\r\n"
        b"Content-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n11\r\n{\"principal\":\"ana\r\n2\r\n\"}\r\n0\r\n\r\n",
        "both_lengths": b"POST /api/v1/tokens HTTP/1.1\r\nHost: h\r\nContent-Length: 2\r\n"
        b"Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        "twice": b"GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n",
        "encoded_slash": request("GET", "/api/v1/principals/a%2Fb"),
        "if_match": request("PATCH", "/api/v1/principals/ana", b'{"groups":[]}', headers='If-Match: "1"\r\n'),
        "deep": request("POST", "/api/v1/tokens", b'{"a":' * 40 + b"1" + b"}" * 40),
        "repeated_key": request("POST", "/api/v1/tokens", b'{"principal":"ana","principal":"root"}'),
        "old_http": b"GET /healthz HTTP/1.0\r\n\r\n",
        "http2": b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    }
    for name, data in others.items():
        (CORPUS / name).write_bytes(data)


if __name__ == "__main__":
    main()
