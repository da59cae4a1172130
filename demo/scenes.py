"""The scenes of the demo, in order. Each shows what is done, what the client sees, and the record of it, and stops the
demo when something else happens than it promises.
"""

from __future__ import annotations

import os
import re
import select
import shlex
import shutil
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import psycopg
from screen import Screen
from stage import CAST, UPSTREAM_USER, Stage, Unexpected, short

PATIENCE = 20  # seconds until a scene gives up on what should take one

SEARCH = """\
SELECT id, 1 - (embedding <=> :'question') AS score, customer_name, email, title
  FROM support_docs ORDER BY embedding <=> :'question' LIMIT {limit};"""


class Play:
    def __init__(self, stage: Stage, screen: Screen) -> None:
        self.stage = stage
        self.screen = screen
        self.question = stage.question
        self.found = 0  # the id of the document that the first search finds

    def run(self) -> None:
        self.introduce()
        for number, (title, scene) in enumerate(self.scenes(), start=1):
            self.screen.title(f"{number}  {title}")
            scene()
            self.stage.check_alive()

    def scenes(self) -> list[tuple[str, Callable[[], None]]]:
        return [
            ("A search is answered, with masked fields", self.masked_search),
            ("The same search by somebody who may see more", self.unmasked_search),
            ("A top-k of 5,000 is refused", self.refused_search),
            ("A bulk read waits for a second person", self.held_read),
            ("An export is blocked", self.blocked_export),
            ("Ways around the mask lead nowhere", self.ways_around),
            ("A changed policy takes effect in the middle of a session", self.changed_policy),
            ("A revoked token ends its sessions", self.revoked_token),
            ("The record proves itself", self.verified_record),
            ("Who has ever been sent this record?", self.who_was_sent),
        ]

    # -- before the first scene ------------------------------------------------------------------------------

    def introduce(self) -> None:
        stage, screen = self.stage, self.screen
        screen.title("Sluice in front of PostgreSQL with pgvector")
        screen.say(
            f"A PostgreSQL of its own holds 343 support documents with embeddings, and the customers' names, addresses "
            f"and numbers beside them (nobody in there exists). Its password for {UPSTREAM_USER} is known to Sluice "
            f"alone: people connect to Sluice, with tokens. This is how it was set up:"
        )
        screen.blank()
        screen.command("admin", f"sluice init --data sluice --port {stage.port} --admin-port {stage.admin_port}")
        screen.command(
            "admin", "rm sluice/policy/* && cp demo/policy/*.yaml sluice/policy/   # instead of the starter's"
        )
        screen.command("admin", f"install -m 600 password sluice/credentials/{UPSTREAM_USER}")
        screen.command("admin", "sluice serve --config sluice/sluice.yaml &")
        add, rest = stage.connection_command()[:3], stage.connection_command()[3:]
        half = rest.index("--role")
        screen.command(
            "admin",
            f"sluice {' '.join(add)} {' '.join(rest[:half])} \\\n    {' '.join(rest[half:])}",
        )
        for person in CAST:
            screen.command(
                "admin", f"sluice principal create {person.name} {' '.join(person.options)}   # {person.is_}"
            )
        screen.command("admin", "sluice token create --principal ana --ttl 12h   # and so on")
        screen.result(short(stage.token("ana")))
        screen.say("Clients stay what they are. In ana's terminal there are libpq's own settings, and her token:")
        screen.blank()
        screen.command(
            "ana",
            f"export PGHOST=127.0.0.1 PGPORT={stage.port} PGDATABASE=docs PGUSER=app PGPASSWORD={short(stage.token('ana'))} \\\n"
            f"       PGSSLMODE=verify-full PGSSLROOTCERT=sluice/tls/server.crt",
        )
        screen.blank()
        screen.note(
            f"To type along in another terminal:  cd {stage.folder} && . ./ana.env   (or ben.env, dora.env, admin.env)"
        )

    # -- the scenes ------------------------------------------------------------------------------------------

    def masked_search(self) -> None:
        self.screen.say(
            f"ana asks: “{self.question['text']}”. Her question goes as an embedding (384 numbers) to a k-NN search."
        )
        self.screen.blank()
        seen = self.search("ana", limit=5)
        self.expect(seen, r"\(5 rows\)", r"\| +0\.\d+ \| \*\*\* +\| \*\*\*")
        first = re.search(r"^ *(\d{4}) \|", seen, re.MULTILINE)
        if not first:
            raise Unexpected(f"The search found nothing:\n{seen}")
        self.found = int(first[1])
        self.screen.aside(
            "Names and addresses were masked inside the database, by a rewritten statement; ranking and scores are the "
            "true ones. This is what the record says of it:"
        )
        self.record_of("ana")

        self.screen.say("A service does the same with psycopg, its own token, and parameters:")
        self.screen.blank()
        statement = "SELECT id, title, email FROM support_docs ORDER BY embedding <=> %s::vector LIMIT 1"
        self.screen.command("svc-rag", f'db.execute("{statement}", [question]).fetchone()', prompt=" >>>")
        with self.stage.connect("svc-rag") as connection:
            row = connection.execute(statement.encode(), [self.question["embedding"]]).fetchone()
        shown = self.stage.seen_by("svc-rag", repr(row))
        self.screen.result(shown)
        self.expect(shown, rf"\({self.found}, ", r"'\*\*\*'")

    def unmasked_search(self) -> None:
        self.screen.say(
            "dora, of group dpo, is excepted from the rule hide-identity-fields. The embedding stays inside for her, too."
        )
        self.screen.blank()
        seen = self.search("dora", limit=3)
        self.expect(seen, r"\(3 rows\)", rf"^ *{self.found} \|", r"@\w+\.example\.com")
        statement = f"SELECT id, email, embedding FROM support_docs WHERE id = {self.found};"
        seen = self.psql("dora", statement)
        self.expect(seen, r"@\w+\.example\.com", r"\(1 row\)")
        if re.search(r"\[-?0\.\d{4}", seen):
            raise Unexpected(f"An embedding left the database:\n{seen}")
        self.record_of("dora")

    def refused_search(self) -> None:
        seen = self.search("ana", limit=5000)
        self.expect(seen, r"ERROR:.*at most 100 documents", r"DETAIL:.*top-k")
        self.screen.aside(
            "A refusal is an ordinary PostgreSQL error (SQLSTATE 42501), and the session goes on. The statement never reached the database."
        )
        self.record_of("ana", "--decision", "deny")

    def held_read(self) -> None:
        statement = "SELECT id, product, title, email FROM support_docs ORDER BY id LIMIT 300;"
        self.screen.command("ana", "psql")
        self.screen.command("docs", statement, prompt="=>")
        waiting = self.stage.psql_process("ana", statement)
        try:
            review, notice = self._until_noticed(waiting)
            self.screen.result(notice)
            self.screen.aside("ana's psql waits. Meanwhile ben looks at what is asked of him:")
            seen = self.sluice("ben", "review", "list", "--state", "pending")
            self.expect(seen, review, "ana", "bulk-needs-a-second-person")
            self.sluice(
                "ben",
                "review",
                "approve",
                review,
                "--comment",
                "agreed with the auditors",
                grep="^state|approver=",
            )
            self.screen.aside("And psql goes on by itself:")
            rows, _ = waiting.communicate(timeout=PATIENCE)
        finally:
            waiting.kill()
            waiting.wait()
        rows = self.stage.seen_by("ana", rows)
        self.screen.result(rows, most=9)
        self.expect(rows, r"\(300 rows\)", r"\*\*\*")
        self.record_of("ana")

    def _until_noticed(self, process: subprocess.Popen[str]) -> tuple[str, str]:
        """The review's id and all that psql has printed once it has shown the notice of the review whole."""
        assert process.stdout
        notice = ""
        while not re.search(r"^HINT:.*\n", notice, re.MULTILINE):
            ready, _, _ = select.select([process.stdout], [], [], PATIENCE)
            # Not readline(): what it reads ahead select() does not see.
            more = os.read(process.stdout.fileno(), 4096).decode() if ready else ""
            if not more:
                raise Unexpected(f"psql was not held for a review. It printed:\n{notice}")
            notice += more
        found = re.search(r"review approve (\S+)", notice)
        if not found:
            raise Unexpected(f"The notice does not name a review:\n{notice}")
        return found[1], notice

    def blocked_export(self) -> None:
        seen = self.psql("ana", r"\copy support_docs TO 'documents.csv' CSV")
        self.expect(seen, "ERROR:.*Exports go through data-security", "DETAIL:.*no-export", "HINT:")
        self.record_of("ana", "--verb", "export")

    def ways_around(self) -> None:
        self.screen.say(
            "Columns can be renamed, wrapped, compared, sorted by, and made to show up in errors. The expressions "
            "run on masked values, so all that comes out is the mask."
        )
        self.screen.blank()
        around = f"""\
SELECT row_to_json(d) ->> 'email' AS from_json, d::text LIKE '%@%.example.com%' AS in_row
  FROM support_docs d WHERE id = {self.found};
SELECT count(*) AS found FROM support_docs WHERE email LIKE '%@%';
SELECT min(e) AS first, max(e) AS last FROM (SELECT lower(email) AS e FROM support_docs) s;
SELECT ssn::integer FROM support_docs WHERE id = {self.found};"""
        seen = self.psql("ana", around, most=26)
        self.expect(
            seen, r"\*\*\* +\| f", r"WARNING:", r"^ +0$", r"\*\*\* +\| \*\*\*", r"ERROR: +invalid text representation$"
        )
        self.record_of("ana")

    def changed_policy(self) -> None:
        file = self.stage.policy_folder / "30-titles.yaml"
        statement = "SELECT id, product, title FROM support_docs WHERE id = 1017"
        self.screen.say("ana's program has an open connection (psycopg):")
        self.screen.blank()
        with self.stage.connect("ana") as connection:

            def ask() -> str:
                return self.stage.seen_by("ana", repr(connection.execute(statement.encode()).fetchone()))

            self.screen.command("ana", f'db.execute("{statement}").fetchone()', prompt=" >>>")
            before = ask()
            self.screen.result(before)

            rule = (
                "{match: {collection: public.support_docs}, mask: [{fields: [title], with: redact}], name: hide-titles}"
            )
            self.screen.command("admin", f"cat > policy/{file.name} <<< 'rules: [{rule}]'")
            try:
                file.write_text(f"rules: [{rule}]\n")
                seconds, after = self._until_changed(ask, before)
                self.screen.command("ana", "db.execute(…).fetchone()", prompt=" >>>")
                self.screen.result(after)
                self.expect(after, r"'\*\*\*'")
                self.screen.aside(
                    f"The same session, {seconds:.1f} s later. A file with a mistake changes nothing, and is said where:"
                )

                broken = rule.replace("with: redact", "with: redcat")
                self.screen.command("admin", f"sed -i s/redact/redcat/ policy/{file.name}")
                file.write_text(f"rules: [{broken}]\n")
                seen = self.sluice("admin", "policy", "check", "sluice/policy", status=1)
                self.expect(seen, rf"{file.name}:1:\d+: error")
                self._until_seen(file.name, "policy", "show")
                self.expect(ask(), r"'\*\*\*'")  # still the older policy
            finally:
                file.unlink()
            _, again = self._until_changed(ask, after)
            if again != before:
                raise Unexpected(f"The title did not come back: {again}")
        self.screen.command("admin", f"rm policy/{file.name}")
        self.screen.command("ana", "db.execute(…).fetchone()", prompt=" >>>")
        self.screen.result(again)
        self.record_of("ana")

    def _until_changed(self, ask: Callable[[], str], before: str) -> tuple[float, str]:
        """How long it took until `ask` answered something else than `before`, and what.

        What was under way at the very moment of the change is stopped; the session goes on, so ask again.
        """
        began = time.monotonic()
        now = before
        while now == before:
            if time.monotonic() - began > PATIENCE:
                raise Unexpected(f"A changed policy made no difference for {PATIENCE} s: {now}")
            time.sleep(0.05)
            try:
                now = ask()
            except psycopg.Error as stopped:
                if "changed" not in (stopped.diag.message_primary or ""):
                    raise
        return time.monotonic() - began, now

    def _until_seen(self, pattern: str, *arguments: str) -> None:
        deadline = time.monotonic() + PATIENCE
        while not re.search(pattern, self.stage.sluice("admin", *arguments)):
            if time.monotonic() > deadline:
                raise Unexpected(f"`sluice {' '.join(arguments)}` says nothing of {pattern} after {PATIENCE} s.")
            time.sleep(0.1)

    def revoked_token(self) -> None:
        token = self.stage.new_token("ana", label="ana's laptop")
        self.screen.say("ana's laptop has a token of its own, and an open session. It gets lost.")
        self.screen.blank()
        with self.stage.connect("ana", token) as connection:
            connection.execute(b"SELECT count(*) FROM support_docs")
            live = self.sluice("admin", "sessions", "live")
            self.expect(live, r"\bana\b")
            began = time.monotonic()
            self.sluice("admin", "token", "revoke", token[4:12], grep="^(id|state|label)")
            ready, _, _ = select.select([connection.fileno()], [], [], PATIENCE)
            seconds = time.monotonic() - began
            if not ready:
                raise Unexpected(f"The session of a revoked token still stands after {PATIENCE} s.")
            self.screen.command("ana", 'db.execute("SELECT count(*) FROM support_docs")', prompt=" >>>")
            try:
                connection.execute(b"SELECT count(*) FROM support_docs")
            except psycopg.OperationalError as error:
                self.screen.result(f"{type(error).__name__}: {error}")
            else:
                raise Unexpected("The session of a revoked token still answers.")
        self.screen.aside(f"The session was over {seconds:.1f} s after the command was given. The record knows why:")
        session = self.stage.sluice("admin", "sessions", "list", "--principal", "ana", "--limit", "1", "-o", "json")
        found = re.search(r'"(?:session|id)": "([0-9a-f]{16})"', session)
        if not found:
            raise Unexpected(f"The record does not list the session:\n{session}")
        seen = self.sluice("admin", "sessions", "show", found[1], grep="principal|token|started|ended|end_reason")
        self.expect(seen, "revoked")

    def verified_record(self) -> None:
        seen = self.sluice("admin", "record", "verify")
        self.expect(seen, r"intact: +true")
        self.screen.say(
            "Somebody with write access to the disk copies the record, and changes one byte of one statement:"
        )
        self.screen.blank()
        copy = self.stage.folder / "record-copy"
        shutil.copytree(self.stage.data / "record", copy)
        offline = ["record", "verify", "--dir", "record-copy", "--key", "sluice/keys/record.pub"]
        self.stage.sluice("auditor", *offline)  # the copy is as good as the original
        segment, at = _find_in_record(copy, b"LIMIT 300")
        at += len("LIMIT ")
        overwrite = f"printf 1 | dd conv=notrunc bs=1 seek={at} of={shlex.quote(os.fspath(segment.relative_to(self.stage.folder)))}"
        subprocess.run(["sh", "-c", overwrite], cwd=self.stage.folder, stderr=subprocess.DEVNULL, check=True)
        self.screen.command("somebody", f"cp -r sluice/record record-copy\n{overwrite}   # 300 becomes 100")
        seen = self.sluice("auditor", *offline, status=20)
        self.expect(seen, "altered")
        self.screen.aside(
            "The verifier needs the folder and the public key, and names the entry. Its exit code is 20: altered."
        )

    def who_was_sent(self) -> None:
        seen = self.sluice("admin", "sessions", "search", "--record-id", str(self.found), "--limit", "10")
        self.expect(seen, r"\bana\b", r"\bdora\b", r"\bsvc-rag\b")
        self.screen.aside(
            "A reply is recorded with the ids of the records in it, or with the mark that they are unknown (where "
            "no key is in its rows). And what exactly was svc-rag shown?"
        )
        operation = re.search(r"([0-9a-f]{16})-\d+ +svc-rag\b", seen)
        if not operation:
            raise Unexpected(f"The search does not name svc-rag's session:\n{seen}")
        seen = self.sluice("admin", "sessions", "replay", operation[1], grep="outcome|status|record_ids|rows:", whole=True)
        self.expect(seen, rf'"id":"{self.found}"', r'"\*\*\*"')

    # -- what scenes share -----------------------------------------------------------------------------------

    def search(self, who: str, limit: int) -> str:
        statement = SEARCH.format(limit=limit)
        self.screen.command(who, 'psql --set=question="$question"')
        self.screen.command("docs", statement, prompt="=>")
        seen = self.stage.psql(who, statement, question=self.question["embedding"])
        self.screen.result(seen)
        return seen

    def psql(self, who: str, statements: str, most: int = 14) -> str:
        self.screen.command(who, "psql")
        self.screen.command("docs", statements, prompt="=>")
        seen = self.stage.psql(who, statements)
        self.screen.result(seen, most)
        return seen

    def sluice(self, who: str, *arguments: str, status: int = 0, grep: str = "", whole: bool = False) -> str:
        """A command and what it printed; `whole`: with nothing cut."""
        command = shlex.join(["sluice", *arguments])
        self.screen.command(who, f"{command} | grep -E {shlex.quote(grep)}" if grep else command)
        seen = self.stage.sluice(who, *arguments, status=status)
        kept = "\n".join(line for line in seen.splitlines() if re.search(grep, line))
        self.screen.result(kept, whole=whole)
        return kept

    def record_of(self, who: str, *conditions: str) -> None:
        """The newest recorded operation of `who` (that meets `conditions`)."""
        newest = ["sessions", "search", "--principal", who, *conditions, "--limit", "1", "-o", "json"]
        seen = self.sluice("admin", *newest, grep="verb|statement|decision|rule|review|records|ids")
        self.expect(seen, '"verb": ', '"decision": ')

    def expect(self, seen: str, *patterns: str) -> None:
        for pattern in patterns:
            if not re.search(pattern, seen, re.MULTILINE):
                raise Unexpected(f"Expected to see /{pattern}/ here:\n{seen.rstrip()}")


def _find_in_record(record: Path, text: bytes) -> tuple[Path, int]:
    for segment in sorted(file for file in record.rglob("*") if file.is_file()):
        at = segment.read_bytes().find(text)
        if at >= 0:
            return segment, at
    raise Unexpected(f"{text!r} is not in the record.")
