#!/usr/bin/env python3
"""Writes the seed corpora of the pg_*_fuzz targets: one file per message, as real clients and servers send them.

Run it in this folder; it only adds or overwrites its own files. What a fuzzer finds later is committed beside them.
"""
import pathlib
import struct

CORPUS = pathlib.Path(__file__).parent / "corpus"


def text(value):
    return value.encode() + b"\0"


def message(kind, body=b""):
    return kind.encode() + struct.pack("!i", len(body) + 4) + body


def packet(code, body=b""):
    return struct.pack("!iI", len(body) + 8, code) + body


def values(*cells):
    out = struct.pack("!H", len(cells))
    for cell in cells:
        out += struct.pack("!i", -1) if cell is None else struct.pack("!i", len(cell)) + cell
    return out


def field(name, table, column, kind, size, fmt):
    return text(name) + struct.pack("!IhIhiH", table, column, kind, size, -1, fmt)


def settings(**pairs):
    return b"".join(text(k) + text(v) for k, v in pairs.items()) + b"\0"


def write(target, seeds):
    folder = CORPUS / target
    folder.mkdir(parents=True, exist_ok=True)
    for name, data in seeds.items():
        (folder / name).write_bytes(data)


VERSION_30, VERSION_32 = 3 << 16, 3 << 16 | 2
psql = settings(user="alice", database="docs", application_name="psql", client_encoding="UTF8")
write("pg_startup", {
    "ssl_request": packet(1234 << 16 | 5679),
    "gssenc_request": packet(1234 << 16 | 5680),
    "cancel_request_30": packet(1234 << 16 | 5678, struct.pack("!II", 4660, 0xDEADBEEF)),
    "cancel_request_32": packet(1234 << 16 | 5678, struct.pack("!I", 4660) + bytes(range(32))),
    "startup_psql": packet(VERSION_30, psql),
    "startup_32": packet(VERSION_32, settings(**{"user": "bob", "_pq_.command": "on"})),
    "startup_jdbc": packet(VERSION_30, settings(user="app", database="docs", client_encoding="UTF8", DateStyle="ISO",
                                                TimeZone="UTC", extra_float_digits="2")),
    "startup_replication": packet(VERSION_30, settings(user="r", replication="database", options="-c role=x")),
    "startup_twice": packet(VERSION_30, settings(user="a", User="b")),
    "startup_v2": packet(2 << 16, b"\0" * 288),
    "tls": bytes.fromhex("16030100c4010000c00303"),
    "http": b"GET / HTTP/1.1\r\n\r\n",
})

bind_text = text("p1") + text("s1") + struct.pack("!H", 0) + values(b"abc", None) + struct.pack("!H", 0)
bind_binary = text("") + text("") + struct.pack("!HH", 1, 1) + values(struct.pack("!i", 42)) + struct.pack("!HH", 1, 1)
parse = text("s1") + text("SELECT id FROM docs ORDER BY embedding <-> $1 LIMIT 10") + struct.pack("!HI", 1, 0)
execute = text("p1") + struct.pack("!i", 100)
write("pg_frontend", {
    "query": message("Q", text("SELECT 1; SELECT 2")),
    "parse": message("P", parse),
    "bind_text": message("B", bind_text),
    "bind_binary": message("B", bind_binary),
    "describe": message("D", b"S" + text("s1")),
    "execute": message("E", execute),
    "close": message("C", b"P" + text("p1")),
    "flush": message("H"),
    "sync": message("S"),
    "terminate": message("X"),
    "copy": message("d", b"1\thello\n") + message("c"),
    "copy_fail": message("f", text("aborted")),
    "password": message("p", text("slc_0123456789")),
    "sasl_initial": message("p", text("SCRAM-SHA-256") + struct.pack("!i", 9) + b"n,,n=,r=x"),
    "sasl_none": message("p", text("SCRAM-SHA-256") + struct.pack("!i", -1)),
    "function_call": message("F", struct.pack("!IHHH", 1234, 0, 0, 0)),
    "pipeline": message("P", parse) + message("B", bind_text) + message("E", execute) + message("S"),
    "length_3": b"Q" + struct.pack("!i", 3),
    "length_negative": b"Q" + struct.pack("!i", -1),
    "after_nul": message("Q", text("SELECT 1") + text("DROP TABLE t")),
})

row_description = struct.pack("!H", 2) + field("id", 16384, 1, 23, 4, 0) + field("email", 0, 0, 25, -1, 1)
error = b"SERROR\0VERROR\0C23502\0Mnull value in column \"id\"\0DFailing row contains (null, a).\0sp\0tdocs\0cid\0\0"
write("pg_backend", {
    "ok": message("R", struct.pack("!I", 0)),
    "cleartext": message("R", struct.pack("!I", 3)),
    "md5": message("R", struct.pack("!I", 5) + b"salt"),
    "sasl": message("R", struct.pack("!I", 10) + text("SCRAM-SHA-256-PLUS") + text("SCRAM-SHA-256") + b"\0"),
    "sasl_continue": message("R", struct.pack("!I", 11) + b"r=abc,s=QSXCR+Q6sek8bf92,i=4096"),
    "sasl_final": message("R", struct.pack("!I", 12) + b"v=rmF9pqV8S7suAoZWja4dJRkFsKQ="),
    "session": message("K", struct.pack("!II", 1, 2)) + message("S", text("client_encoding") + text("UTF8"))
               + message("Z", b"I"),
    "key_32": message("K", struct.pack("!I", 1) + bytes(range(32))),
    "rows": message("T", row_description) + message("D", values(b"42", None)) + message("C", text("SELECT 1"))
            + message("Z", b"I"),
    "error": message("E", error) + message("Z", b"E"),
    "error_bare": message("E", b"SERROR\0Mno\0\0"),
    "notice": message("N", b"SNOTICE\0VNOTICE\0C00000\0Mhello\0\0"),
    "extended": message("1") + message("2") + message("t", struct.pack("!HII", 2, 23, 25)) + message("n")
                + message("s") + message("3") + message("I"),
    "copy_in": message("G", struct.pack("!BHHH", 0, 2, 0, 0)),
    "copy_out": message("H", struct.pack("!BHH", 1, 1, 1)) + message("d", b"PGCOPY\n\xff\r\n\0") + message("c"),
    "copy_both": message("W", struct.pack("!BH", 0, 0)),
    "notification": message("A", struct.pack("!I", 9) + text("channel") + text("payload")),
    "negotiate": message("v", struct.pack("!II", VERSION_30, 1) + text("_pq_.command")),
    "function": message("V", struct.pack("!i", 2) + b"hi"),
    "length_below_minus_one": message("D", struct.pack("!Hi", 1, -2)),
    "columns_that_are_not_there": message("D", struct.pack("!H", 65535)),
})

NONCE = "rOprNGfwEbeRWgbNEkqO"
write("pg_scram", {
    "server": f"r={NONCE}x,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=1\nv=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=".encode(),
    "server_error": f"r={NONCE}x,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=1\ne=invalid-proof".encode(),
    "server_huge": f"r={NONCE}x,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4294967295".encode(),
    "server_extension": f"m=x,r={NONCE}x,s=AAAA,i=1".encode(),
    "client": b"n,,n=,r=abc\nc=biws,r=abcserver-nonce,p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=",
    "client_y": b"y,,n=a=2Cb,r=abc\nc=eSws,r=abcserver-nonce,p=AAAA",
    "client_plus": b"p=tls-server-end-point,,n=,r=abc\nc=cD10bHMtc2VydmVyLWVuZC1wb2ludCwsAgIC,r=abcserver-nonce,p=AAAA",
    "verifier": b"SCRAM-SHA-256$4096:W22ZaJ0SNY7soEsUEjb6gQ==$WG5d8oPm3OtcPnkdi4Uo7BkeZkBFzpcXkuLmtbsT4qY=:"
                b"wfPLwcE6nTWhTAmQ7tl2KeoiWGPlZqQxSrmfPwDl2dU=",
})


# Whole sessions: which of exchange_fuzz's two policies, then who says what.
STRICT, LENIENT = b"\0", b"\1"


def says(who, *messages):
    data = b"".join(messages)
    return who.encode() + struct.pack("!H", len(data)) + data


def query(sql):
    return message("Q", text(sql))


def complete(tag):
    return message("C", text(tag))


def prepared(sql, *values_, rows=0):
    arguments = struct.pack("!H", 0) + values(*values_) + struct.pack("!H", 0)
    return (message("P", text("") + text(sql) + struct.pack("!H", 0)) + message("B", text("") + text("") + arguments)
            + message("D", b"P" + text("")) + message("E", text("") + struct.pack("!i", rows)) + message("S"))


docs = struct.pack("!H", 2) + field("id", 16384, 1, 23, 4, 0) + field("title", 16384, 3, 25, -1, 0)
keyed = struct.pack("!H", 3) + field("slc_key_1", 16384, 1, 23, 4, 0) + docs[2:]
rows = message("T", docs) + message("D", values(b"1", b"a")) + message("D", values(b"2", None))
many = message("T", docs) + b"".join(message("D", values(str(i).encode(), b"x")) for i in range(60))
ready, in_transaction, failed = message("Z", b"I"), message("Z", b"T"), message("Z", b"E")
bound = message("1") + message("2")
path = bound + message("D", values(b"public")) + complete("SELECT 1") + message("3") + message("3") + ready
refused = message("E", b"SERROR\0VERROR\0C42601\0Msyntax error\0\0")
write("exchange", {
    "select": STRICT + says("c", query("SELECT id, title FROM docs WHERE id = 1")) + says("s", rows, complete("SELECT 2"), ready),
    "select_in_pieces": LENIENT + says("c", query("SELECT id, title FROM docs")[:9]) + says("c", query("SELECT id, title FROM docs")[9:])
                        + says("s", rows[:50]) + says("s", rows[50:], complete("SELECT 2"), ready),
    "too_many": STRICT + says("c", query("SELECT id, title FROM docs LIMIT 15")) + says("s", many, complete("SELECT 60"), ready),
    "masked": STRICT + says("c", query("SELECT id, email FROM docs ORDER BY embedding <-> '[1,2,3,4]' LIMIT 5"))
              + says("s", message("T", keyed), message("D", values(b"1", b"1", b"***")), complete("SELECT 1"), ready),
    "denied": STRICT + says("c", query("SELECT secret FROM secrets")) + says("s", refused, ready),
    "review": STRICT + says("c", query("SELECT title FROM docs LIMIT 40")) + says("t", b"h") + says("s", refused, ready),
    "clamped": STRICT + says("c", prepared("SELECT id FROM docs ORDER BY embedding <-> $1 LIMIT 500", b"[1,2,3,4]"))
               + says("s", bound, rows, complete("SELECT 2"), ready),
    "extended": LENIENT + says("c", prepared("SELECT id, title FROM docs WHERE id = $1", b"1"))
                + says("s", bound, rows, complete("SELECT 2"), ready),
    "suspended": LENIENT + says("c", prepared("SELECT id, title FROM docs", rows=2)) + says("s", bound, rows, message("s"), ready),
    "transaction": LENIENT + says("c", query("BEGIN")) + says("s", complete("BEGIN"), in_transaction)
                   + says("c", query("INSERT INTO docs(id) VALUES (1)")) + says("s", complete("INSERT 0 1"), in_transaction)
                   + says("c", query("bad")) + says("s", refused, failed) + says("c", query("ROLLBACK"))
                   + says("s", complete("ROLLBACK"), ready),
    "copy_in": LENIENT + says("c", query("COPY docs FROM STDIN")) + says("s", message("G", struct.pack("!BHH", 0, 1, 0)))
               + says("c", message("d", b"1\thello\n"), message("c")) + says("s", complete("COPY 1"), ready),
    "copy_out": LENIENT + says("c", query("COPY (SELECT id FROM docs) TO STDOUT"))
                + says("s", message("H", struct.pack("!BHH", 0, 1, 0)), message("d", b"1\n"), message("c"), complete("COPY 1"), ready),
    "names": LENIENT + says("c", query("PREPARE p AS SELECT id FROM docs; EXECUTE p; DEALLOCATE p"))
             + says("s", complete("PREPARE"), rows, complete("SELECT 2"), complete("DEALLOCATE"), ready),
    "cursor": LENIENT + says("c", query("BEGIN; DECLARE c CURSOR FOR SELECT id FROM docs; FETCH 1 FROM c; CLOSE c; COMMIT")),
    "path": LENIENT + says("C", query("SELECT id FROM docs")) + says("s", path) + says("s", rows, complete("SELECT 2"), ready),
    "schema": LENIENT + says("c", query("CREATE TABLE t(id int)")) + says("s", complete("CREATE TABLE"), ready)
              + says("C", query("SELECT * FROM t")) + says("s", path),
    "set": LENIENT + says("c", query("SET search_path TO public; SHOW search_path; RESET ALL")),
    "cancel": LENIENT + says("c", query("SELECT pg_sleep(1)")) + says("t", b"c") + says("s", refused, ready) + says("t", b"p"),
    "server_gone": LENIENT + says("c", query("SELECT 1")) + says("s", rows) + says("t", b"x"),
    "many_statements": STRICT + says("c", query("SELECT 1; SELECT id FROM pairs WHERE a = 1 AND b = 2;; SELECT count(*) FROM docs")),
    "unasked": STRICT + says("s", message("A", struct.pack("!I", 9) + text("channel") + text("payload")),
                             message("N", b"SNOTICE\0VNOTICE\0C00000\0Mhello\0\0"), message("S", text("TimeZone") + text("UTC"))),
    "answers_nothing": STRICT + says("s", rows, complete("SELECT 2"), ready),
    "long_row": LENIENT + says("c", query("SELECT id, title FROM docs"))
                + says("s", message("T", docs), message("D", values(b"1", b"x" * 2000))[:600])
                + says("s", message("D", values(b"1", b"x" * 2000))[600:], complete("SELECT 1"), ready),
    "terminate": LENIENT + says("c", message("X")),
    "sync_only": STRICT + says("c", message("S"), message("H"), message("S")) + says("s", ready, ready),
})
