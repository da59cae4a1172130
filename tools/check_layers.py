#!/usr/bin/env python3
"""Proves that dependencies point down.

Every rule of "Layers" in ARCHITECTURE.md is a line of the tables below, with its reason. Run without arguments over src/,
it prints each `#include` or call that breaks a rule and exits 1. `--self-test` checks the checker itself.
"""

from __future__ import annotations

import re
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
SOURCE = ROOT / "src"

# What a folder may include of ours. `core` includes nothing.
LAYERS: dict[str, set[str]] = {
    "core": set(),
    "model": {"core"},
    "wire": {"core"},
    "net": {"core"},
    "identity": {"core", "model"},
    "policy": {"core", "model"},
    "masking": {"core", "model"},
    "budget": {"core", "model"},
    "review": {"core", "model"},
    "record": {"core", "model"},
    "systems": {"core", "model", "wire"},
    "gate": {"core", "model", "identity", "policy", "masking", "budget", "review", "record"},
    "store": {"core", "model", "identity", "review", "record", "budget"},
    "proxy": {"core", "model", "wire", "net", "identity", "policy", "masking", "budget", "review", "record", "gate", "systems"},
    "admin": {"core", "model", "wire", "net", "identity", "policy", "budget", "review", "record", "gate", "systems", "store"},
    "app": {"core", "model", "wire", "net", "identity", "policy", "masking", "budget", "review", "record", "gate",
            "systems", "store", "proxy", "admin"},
}  # fmt: skip

# Folders within one layer that build on each other: what each of them may include of its siblings.
SUB_LAYERS: dict[str, dict[str, set[str]]] = {
    # What a statement means is understood without knowing how it would be rewritten, and the other way round.
    "systems/postgres": {
        "sql": set(),
        "catalogue": {"sql"},
        "describe": {"sql", "catalogue"},
        "rewrite": {"sql", "catalogue"},
    },
}

# Third-party headers that only some folders may see, and why.
EXTERNAL: list[tuple[str, set[str], str]] = [
    (r"boost/asio", {"net", "proxy", "admin", "app"}, "sockets live in one thin layer"),
    (r"boost/beast", {"admin", "proxy"}, "HTTP is spoken by the sessions and the admin API"),
    (r"sqlite3\.h", {"store"}, "state is behind interfaces"),
    (r"libpq-fe\.h", {"store"}, "state is behind interfaces"),
    (r"openssl/", {"core/crypto", "net"}, "cryptography has two doors"),
    (r"sodium\.h", {"core"}, "cryptography has two doors"),
    (r"curl/", {"app", "admin"}, "outgoing HTTP is not for the data path"),
    (r"yaml-cpp/", {"policy", "app"}, "YAML is for operators' files"),
    (r"pg_query|nodes/|parser/parser|postgres\.h", {"systems/postgres/sql/pg_tree"},
     "PostgreSQL's own headers stay in one place"),
    (r"hs/hs\.h", {"masking"}, "what looks into values knows neither sockets nor systems"),
    (r"CLI/", {"app"}, "the command line is the app's"),
]

# Code that only some files may contain, and why.
CALLS: list[tuple[str, set[str], str]] = [
    (r"system_clock::now\(|steady_clock::now\(", {"core/clock.cc", "net/event.cc"}, "time is a parameter"),
    (r"(?<![\w:])throw\s", {"app"}, "failures are Results; a refusal is a Decision"),
    (r"\.reveal\(\)", {"identity", "proxy/pg", "app", "admin", "wire/pg/scram", "core/secret"},
     "every use of a credential is looked at"),
]

INCLUDE = re.compile(r'^\s*#\s*include\s+([<"])([^">]+)[">]', re.MULTILINE)
COMMENT = re.compile(r"//[^\n]*|/\*.*?\*/", re.DOTALL)
STRING = re.compile(r'"(?:\\.|[^"\\\n])*"')


def allowed(relative: str, places: set[str]) -> bool:
    return any(relative == place or relative.startswith((place + "/", place + ".")) or relative.startswith(place) and "/" in place for place in places)  # fmt: skip


def below(path: str, folder: str) -> str:
    """The sub-folder of `folder` that `path` is in; empty: it is elsewhere."""
    rest = path.removeprefix(folder + "/")
    return rest.split("/")[0] if rest != path and "/" in rest else ""


def problems_of(relative: str, text: str) -> list[str]:
    """`relative` is the path below src/."""
    folder = relative.split("/")[0]
    if "/" not in relative:
        folder = "app"  # main.cc
    is_test = relative.endswith("_test.cc") or "/testing" in relative
    found = []
    code = COMMENT.sub("", text)
    for match in INCLUDE.finditer(code):
        quote, header = match.groups()
        target = header.split("/")[0]
        if quote == '"' and target in LAYERS and target != folder and target not in LAYERS[folder]:
            found.append(f"{relative}: {folder} may not include {header}")
        for layer, rules in SUB_LAYERS.items():
            of, to = below(relative, layer), below(header, layer)
            if quote == '"' and of in rules and to in rules and to != of and to not in rules[of]:
                found.append(f"{relative}: {layer}/{of} may not include {header}")
        for pattern, places, why in EXTERNAL:
            if re.match(pattern, header) and not allowed(relative, places) and not is_test:
                found.append(f"{relative}: <{header}> is not for here: {why}")
    bare = STRING.sub('""', code)
    for pattern, places, why in CALLS:
        if re.search(pattern, bare) and not allowed(relative, places) and not is_test:
            found.append(f"{relative}: {pattern} is not for here: {why}")
    return found


def self_test() -> None:
    assert problems_of("core/a.h", '#include "model/ids.h"')
    assert problems_of("wire/pg/a.cc", '#include "model/ids.h"')
    assert problems_of("policy/a.cc", '#include "review/review.h"')
    assert problems_of("gate/a.cc", "#include <boost/asio/post.hpp>")
    assert problems_of("systems/postgres/describe/a.cc", "#include <pg_query.h>")
    assert not problems_of("systems/postgres/sql/pg_tree_expr.cc", "#include <pg_query.h>")
    assert problems_of("systems/postgres/describe/a.cc", '#include "systems/postgres/rewrite/rewrite.h"')
    assert problems_of("systems/postgres/catalogue/a.h", '#include "systems/postgres/describe/describe.h"')
    assert not problems_of("systems/postgres/rewrite/deparse/a.cc", '#include "systems/postgres/sql/visit.h"')
    assert not problems_of("proxy/pg/session/a.cc", '#include "gate/gate.h"\n#include <boost/asio/post.hpp>')
    assert problems_of("record/a.cc", "auto t = std::chrono::system_clock::now();")
    assert not problems_of("record/a.cc", "// std::chrono::system_clock::now() is core's")
    assert problems_of("gate/a.cc", 'throw std::runtime_error("x");')


def main() -> int:
    self_test()
    if "--self-test" in sys.argv:
        return 0
    unknown = {p.name for p in SOURCE.iterdir() if p.is_dir()} - LAYERS.keys()
    found = [f"src/{name}: a folder without a rule in tools/check_layers.py" for name in sorted(unknown)]
    files = sorted(p for p in SOURCE.rglob("*") if p.suffix in {".h", ".cc"})
    for path in files:
        found += problems_of(path.relative_to(SOURCE).as_posix(), path.read_text(encoding="utf-8"))
    for line in found:
        print(line)
    print(f"layers: {len(files)} files, {len(found)} broken rules")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
