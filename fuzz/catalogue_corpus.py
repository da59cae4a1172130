#!/usr/bin/env python3
"""Writes the seed corpus of catalogue_fuzz: what servers, honest ones and others, answer to the catalogue queries.

Run it in this folder; it only adds or overwrites its own files. What a fuzzer finds later is committed beside them.
"""
import pathlib

CORPUS = pathlib.Path(__file__).parent / "corpus" / "catalogue"



def tree(*columns, where="<>", extra=""):
    """A view's definition: each column is (its number, the relation that it comes from, its number there)."""
    relations = sorted({relation for _, relation, _ in columns})
    entries = " ".join(f"{{RANGETBLENTRY :rtekind 0 :relid {relation}}}" for relation in relations)
    targets = " ".join(f"{{TARGETENTRY :expr {var(relations.index(relation) + 1, number)} :resno {at} :ressortgroupref {at}}}"
                       for at, relation, number in columns)
    text = f"({{QUERY :commandType 1 :rtable ({entries}) :jointree {{FROMEXPR :quals {where}}} :targetList ({targets}){extra}}})"
    return text.replace(" ", "\u00a0")


def var(entry, number, up=0):
    return f"{{VAR :varno {entry} :varattno {number} :varlevelsup {up}}}"


# In the order of the queries (systems/postgres/catalogue/queries.h); fields as there, "-" is null.
HONEST = {
    "staleness": ["1:2|3:4"],
    "server": ["150020 app svc public"],
    "schemas": ["path public", "schema public", "schema ext"],
    "relations": [
        "16400 public docs p 12 false false false",
        "16401 public docs_1 r -1 true false false",
        "16402 public docs_v v -1 false true false",
        "16403 public docs_mv m 5 false false false",
        "16404 public comp c 0 false false false",
        "16405 public far f 0 false false false",
        "1259 pg_catalog pg_class r 400 false false true",
    ],
    "columns": [
        "16400 1 id 23 -1 true false true false true -",
        "16400 2 email 25 -1 true false false false true -",
        "16400 3 salary 23 -1 false false false true true -",
        "16400 4 note 3802 -1 false false false false true -",
        "16400 5 embedding 16430 7 false false false false true -",
        "16400 6 low 25 -1 false true false true true 2",
        "16400 7 c 16434 -1 false false false false false -",
        "16400 8 m 16433 -1 false false false false true -",
        "16401 1 id 23 -1 true false true false true -",
        "16401 3 email 16432 -1 false false false false true -",
        "16401 4 note 114 -1 false false false false true -",
        "16402 1 id 23 -1 false false false false true -",
        "16402 2 email 25 -1 false false false false true -",
        "16404 1 inner 25 -1 false false false false true -",
        "16405 1 email 1043 24 false false false false true -",
    ],
    "indexes": [
        "16400 16410 docs_pkey btree true true 1 1",
        "16400 16411 docs_low btree false false 0 0\u00a03\u00a03",
        "16400 16412 docs_hnsw hnsw false false 5 5",
    ],
    "inheritance": ["16401 16400"],
    "views": ["16402 relid 16400", "16402 funcid 16420", "16403 relid 16402"],
    "view_trees": ["16402 " + tree((1, 16400, 1), (2, 16400, 2)), "16403 " + tree((1, 16402, 1), (2, 16402, 2))],
    "types": [
        "20 pg_catalog int8 b N 0 -1 0 0 false - - -",
        "23 pg_catalog int4 b N 0 -1 0 0 false - - -",
        "25 pg_catalog text b S 0 -1 0 0 false - - -",
        "114 pg_catalog json b U 0 -1 0 0 false - - -",
        "3802 pg_catalog jsonb b U 0 -1 0 0 false - - -",
        "1009 pg_catalog _text b A 0 -1 25 0 false - - -",
        "1043 pg_catalog varchar b S 0 -1 0 0 false - - -",
        "16430 public vector b U 0 -1 0 0 false vector - -",
        "16431 public odd b U 0 -1 0 0 false - - -",
        "16432 public dd d S 25 -1 0 0 true - - -",
        "16433 public mood e E 0 -1 0 0 false - - sad",
        "16434 public comp c C 0 -1 0 16404 false - - -",
    ],
    "checks": ["16432 {FUNCEXPR\u00a0:funcid\u00a016420}"],
    "functions": ["16420 public f_email - false true false 23\u00a016433 sql - aa", "16421 public cosine vector true false false - c - -",
                  "16422 public total - true false false 23 internal 16420\u00a00 -"],
    "builtin_routines": ["870 lower false", "65 int4eq false", "2803 pg_sleep true"],
    "operators": ["16440 public <=> vector true 16421", "16441 public = - false 16420"],
    "constraints": [
        "16400 docs_salary c 1\u00a03 - false 0 - a a",
        "16400 docs_email k 1\u00a02 2 true 0 - a a",
        "16401 docs_1_id f 1 - false 16400 1 c n",
        "16400 \u00a0 p 0\u00a01 - false 0 - a a",
    ],
    "triggers": ["16400 stamp 16420 23"],
}


def row(text):
    return "\t".join("\\N" if field == "-" else field.replace("\u00a0", " ") for field in text.split(" "))


def answers(own=True, **changed):
    pages = ["\n".join(row(text) for text in rows) for rows in (HONEST | changed).values()]
    return ("o" + "\f".join(["", *pages, ""])) if own else ("s" + "\f".join(pages))


def beside(what, *rows):
    return {what: [*HONEST[what], *rows]}


seeds = {
    "honest": answers(),
    "in_a_transaction": answers(own=False),
    "empty": answers(**{what: [] for what in HONEST if what not in ("staleness", "server")}),
    "no_server": answers(server=[]),
    "two_servers": answers(**beside("server", "1 a b -")),
    "relation_twice": answers(**beside("relations", "16400 public other r 0 false false false")),
    "constraints_of_nobody": answers(constraints=["9 a c 1 - false 0 - a a", "16400 b f 1 - false 9 1 a a"], triggers=["9 t 1 4"]),
    "constraints_of_themselves": answers(constraints=["16400 a f 1\u00a02 - false 16400 2\u00a01 c c", "16400 b f 0 - false 16400 0 n d",
                                                      "16400 c c 0 - false 0 - a a", "16400 d k -7\u00a032767 9 true 0 - a a"]),
    "longer_on_the_other_side": answers(constraints=["16400 a f 1 - false 16401 1\u00a03\u00a04 ? ?"]),
    "name_twice": answers(**beside("relations", "16999 public docs v 0 false false false")),
    "parts_of_nobody": answers(columns=["9 1 a 23 -1 true false false false true -"], inheritance=["9 8"], views=["9 relid 8"]),
    "circle_of_children": answers(inheritance=["16401 16400", "16400 16401", "16402 16401", "16400 16400"]),
    "circle_of_views": answers(views=["16402 relid 16403", "16403 relid 16402"]),
    "circle_of_definitions": answers(views=["16402 relid 16403", "16403 relid 16402"],
                                     view_trees=["16402 " + tree((1, 16403, 1)), "16403 " + tree((1, 16402, 1))]),
    "definition_twice": answers(**beside("view_trees", "16402 " + tree((1, 16400, 1)))),
    "definition_too_long": answers(view_trees=["16402 -"]),
    "definition_of_no_view": answers(view_trees=["16400 " + tree((1, 16400, 1))]),
    "definition_that_filters": answers(view_trees=["16402 " + tree((1, 16400, 1), where=var(1, 2))]),
    "definition_that_groups": answers(view_trees=["16402 " + tree((1, 16400, 1), extra=" :groupClause ({SORTGROUPCLAUSE "
                                                                                       ":tleSortGroupRef 1})")]),
    "definition_of_columns_that_are_not_there": answers(view_trees=["16402 " + tree((1, 16400, 99), (2, 9, -3), (3, 9, 0))]),
    "definition_with_a_join": answers(view_trees=["16402 " + tree((1, 16400, 1), where=(
        "{JOINEXPR :quals {SUBLINK :subselect {QUERY :commandType 1 :rtable ({RANGETBLENTRY :rtekind 2 :joinaliasvars ("
        + var(1, 1) + ")}) :targetList ({TARGETENTRY :expr " + var(1, 1, 1) + " :resno 1})}}}"))]),
    "definition_that_is_none": answers(view_trees=["16402 ({QUERY"]),
    "check_that_is_none": answers(checks=["16432 {", "16433 ()", "9 -"]),
    "circle_of_checks": answers(checks=["16432 {COERCETODOMAIN\u00a0:resulttype\u00a016432}"]),
    "aggregate_of_itself": answers(functions=["16420 public f_email - false true false 23 sql 16420 aa"]),
    "circle_of_domains": answers(**beside("types", "17000 public a d S 17001 -1 0 0 false - - -",
                                          "17001 public b d S 17000 -1 0 0 false - - -"),
                                 columns=["16400 1 id 17000 -1 true false false false true -",
                                          "16400 2 email 17001 -1 true false false false true -"]),
    "circle_of_arrays": answers(**beside("types", "17000 public a b A 0 -1 17000 0 false - - -"),
                                columns=["16400 1 id 17000 -1 true false false false true -",
                                         "16400 4 note 17000 -1 true false false false true -"]),
    "composite_of_itself": answers(columns=["16404 1 inner 16434 -1 false false false false true -",
                                            "16400 7 c 16434 -1 false false false false true -"]),
    "column_of_no_type": answers(columns=["16400 1 id 9 -1 true false false false true -",
                                          "16400 2 email 0 -1 true false false false true -",
                                          "16400 4 note 4294967295 -1 true false false false true -"]),
    "child_of_another_type": answers(**beside("columns", "16401 5 embedding 25 -1 false false false false true -"),
                                     inheritance=["16401 16400"]),
    "json_in_one_text_in_the_other": answers(columns=["16400 1 id 23 -1 true false false false true -",
                                                      "16400 4 note 3802 -1 false false false false true -",
                                                      "16401 4 note 9 -1 false false false false true -"]),
    "key_of_no_column": answers(indexes=["16400 16410 docs_pkey btree true true 99\u00a0-7\u00a00 99\u00a032767"]),
    "generated_from_itself": answers(columns=["16400 1 id 23 -1 true true false true true 1\u00a02",
                                              "16400 2 email 25 -1 true true false true true 1"]),
    "names_that_are_sql": answers(relations=['16400 public docs r 0 false false false'],
                                  columns=['16400 1 id 23 -1 true false false false true -',
                                           '16400 2 "x";-- 25 -1 true false false false true -',
                                           "16400 3 e'\\ 25 -1 true false false false true -",
                                           "16400 4 email 25 -1 true false false false true -"]),
    "not_utf8": answers(columns=["16400 1 id 23 -1 true false false false true -",
                                 "16400 2 \udcff\udcfe 25 -1 true false false false true -"]),
    "a_name_with_no_text": answers(columns=["16400 1  23 -1 true false false false true -"]),
    "numbers_beyond": answers(relations=["4294967296 public docs r 99999999999999999999 false false false"]),
    "kinds_unknown": answers(relations=["16400 public docs ? 0 false false false"]),
    "system_by_its_word": answers(relations=["16400 public docs r 0 false false true"]),
    "mask_on_the_search_path": answers(schemas=["path pg_temp", "path  ", "path public", "path pg_catalog"]),
}

CORPUS.mkdir(parents=True, exist_ok=True)
for name, text in seeds.items():
    (CORPUS / name).write_bytes(text.encode("utf-8", "surrogateescape"))
