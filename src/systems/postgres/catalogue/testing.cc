#include "systems/postgres/catalogue/testing.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cstdio>
#include <cstdlib>

namespace sluice::postgres::testing {
namespace {

struct BuiltinType {
  const char* name;
  Oid oid;
  Oid array;
  char category;
  TypeKind kind = TypeKind::base;
};

// pg_type.dat; oids are the same in every version.
constexpr BuiltinType kTypes[] = {
    {"bool", 16, 1000, 'B'},
    {"bytea", 17, 1001, 'U'},
    {"char", 18, 1002, 'Z'},
    {"name", 19, 1003, 'S'},
    {"int8", 20, 1016, 'N'},
    {"int2", 21, 1005, 'N'},
    {"int4", 23, 1007, 'N'},
    {"text", 25, 1009, 'S'},
    {"oid", 26, 1028, 'N'},
    {"xid", 28, 1011, 'U'},
    {"json", 114, 199, 'U'},
    {"xml", 142, 143, 'U'},
    {"point", 600, 1017, 'G'},
    {"float4", 700, 1021, 'N'},
    {"float8", 701, 1022, 'N'},
    {"money", 790, 791, 'N'},
    {"inet", 869, 1041, 'I'},
    {"bpchar", 1042, 1014, 'S'},
    {"varchar", 1043, 1015, 'S'},
    {"date", 1082, 1182, 'D'},
    {"time", 1083, 1183, 'D'},
    {"timestamp", 1114, 1115, 'D'},
    {"timestamptz", 1184, 1185, 'D'},
    {"interval", 1186, 1187, 'T'},
    {"timetz", 1266, 1270, 'D'},
    {"bit", 1560, 1561, 'V'},
    {"varbit", 1562, 1563, 'V'},
    {"numeric", 1700, 1231, 'N'},
    {"regclass", 2205, 2210, 'N'},
    {"uuid", 2950, 2951, 'U'},
    {"tsvector", 3614, 3643, 'U'},
    {"jsonb", 3802, 3807, 'U'},
    {"int4range", 3904, 3905, 'R', TypeKind::range},
    {"record", 2249, 2287, 'P', TypeKind::pseudo},
};

constexpr const char* kVectorFunctions[] = {
    "avg",
    "binary_quantize",
    "cosine_distance",
    "halfvec",
    "hamming_distance",
    "inner_product",
    "jaccard_distance",
    "l1_distance",
    "l2_distance",
    "l2_norm",
    "l2_normalize",
    "subvector",
    "sum",
    "vector",
    "vector_dims",
    "vector_negative_inner_product",
    "vector_norm",
};
constexpr const char* kVectorOperators[] = {
    "<->", "<#>", "<=>", "<+>", "<~>", "<%>", "+", "-", "*", "||", "=", "<>", "<", "<=", ">", ">=",
};

[[noreturn]] void give_up(std::string_view what, std::string_view line) {
  fmt::print(stderr, "testing::catalogue: {}: \"{}\"\n", what, line);
  std::abort();
}

std::vector<std::string_view> split(std::string_view text, char at) {
  std::vector<std::string_view> parts;
  int depth = 0;
  std::size_t begin = 0;
  for (std::size_t i = 0; i <= text.size(); ++i) {
    if (i < text.size() && text[i] == '(') ++depth;
    if (i < text.size() && text[i] == ')') --depth;
    if (i < text.size() && (text[i] != at || depth > 0)) continue;
    auto part = text.substr(begin, i - begin);
    while (part.starts_with(' ')) part.remove_prefix(1);
    while (part.ends_with(' ')) part.remove_suffix(1);
    if (!part.empty()) parts.push_back(part);
    begin = i + 1;
  }
  return parts;
}

class Reader {
 public:
  Reader() {
    contents_.server_version = 150020;
    contents_.database = "app";
    contents_.role = "app";
    contents_.default_search_path = {"public"};
    contents_.builtin_routines = {{1291, "suppress_redundant_updates_trigger"},
                                  {3752, "tsvector_update_trigger"},
                                  {3753, "tsvector_update_trigger_column"}};
    contents_.schemas = {"pg_catalog", "information_schema", "public"};
    contents_.vector_schema = "public";
    contents_.fingerprint = "test";
    for (const auto& each : kTypes)
      add_type("pg_catalog", each.name, each.oid, each.array, each.category, each.kind);
    for (const char* name : {"vector", "halfvec", "sparsevec"}) {
      Oid oid = next_oid();
      add_type("public", name, oid, next_oid(), 'U', TypeKind::base);
      contents_.types[contents_.types.size() - 2].extension = "vector";
    }
    for (const char* name : kVectorFunctions) add_routine(contents_.functions, "public", name, "vector");
    for (const char* name : kVectorOperators) add_routine(contents_.operators, "public", name, "vector");
    for (const char* line :
         {"pg_catalog.pg_class(oid oid pk, relname name, relnamespace oid)",
          "pg_catalog.pg_type(oid oid pk, typname name)", "pg_catalog.pg_namespace(oid oid pk, nspname name)",
          "pg_catalog.pg_attribute(attrelid oid, attname name)",
          "pg_catalog.pg_statistic(starelid oid, stavalues1 text[])",
          "pg_catalog.pg_stats(tablename name, most_common_vals text[])",
          "pg_catalog.pg_stat_activity(pid int4, query text)",
          "information_schema.columns(table_name name, column_name name)"}) {
      read_table(line, RelationKind::table);
      contents_.relations.back().system = true;
    }
  }

  void read_line(std::string_view line) {
    auto take = [&](std::string_view word) {
      if (!line.starts_with(word)) return false;
      line.remove_prefix(word.size());
      return true;
    };
    if (take("index ")) return read_index(line);
    if (take("view ")) return read_view(line, RelationKind::view);
    if (take("lineage ")) return read_lineage(line);
    if (take("matview ")) return read_view(line, RelationKind::materialized_view);
    if (take("foreign ")) return read_table(line, RelationKind::foreign_table);
    if (take("partitioned ")) return read_table(line, RelationKind::partitioned_table);
    if (take("sequence ")) return read_table(line, RelationKind::sequence);
    if (take("child ")) return read_child(line);
    if (take("check ")) return read_constraint(line, ConstraintKind::check);
    if (take("computed ")) return read_constraint(line, ConstraintKind::computed);
    if (take("key ")) return read_constraint(line, ConstraintKind::key);
    if (take("reference ")) return read_reference(line);
    if (take("trigger ")) return read_trigger(line);
    if (take("function ")) return read_routine(contents_.functions, line);
    if (take("operator ")) return read_routine(contents_.operators, line);
    if (take("domain ")) return read_domain(line);
    if (take("enum ")) return read_enum(line);
    read_table(line, RelationKind::table);
  }

  std::shared_ptr<const Catalogue> finish() { return Catalogue::make(std::move(contents_)); }

 private:
  Oid next_oid() { return next_oid_++; }

  void add_type(std::string schema, std::string name, Oid oid, Oid array, char category, TypeKind kind) {
    Type type;
    type.oid = oid;
    type.schema = schema;
    type.name = name;
    type.category = category;
    type.kind = kind;
    contents_.types.push_back(type);
    Type list;
    list.oid = array;
    list.schema = std::move(schema);
    list.name = "_" + name;
    list.category = 'A';
    list.element = oid;
    contents_.types.push_back(list);
  }

  void add_routine(std::vector<RoutineEntry>& to, std::string_view schema, std::string_view name,
                   std::string_view extension) {
    RoutineEntry entry;
    entry.oid = next_oid();
    entry.schema = schema;
    entry.name = name;
    entry.extension = extension;
    entry.c_language = !extension.empty();
    to.push_back(std::move(entry));
  }

  std::pair<std::string, std::string> read_name(std::string_view text) {
    auto dot = text.find('.');
    if (dot == text.npos) give_up("a name needs its schema", text);
    std::string schema(text.substr(0, dot));
    if (std::ranges::find(contents_.schemas, schema) == contents_.schemas.end())
      contents_.schemas.push_back(schema);
    return {schema, std::string(text.substr(dot + 1))};
  }

  Relation& relation(std::string_view name) {
    for (Relation& each : contents_.relations) {
      if (each.qualified_name() == name) return each;
    }
    give_up("no such relation yet", name);
  }

  Type& type(std::string_view name) {
    bool array = name.ends_with("[]");
    Oid element = array ? type(name.substr(0, name.size() - 2)).oid : 0;
    for (Type& each : contents_.types) {
      bool same =
          array ? each.element == element : each.name == name || each.schema + "." + each.name == name;
      if (same) return each;
    }
    give_up("no such type", name);
  }

  Column read_column(Relation& to, std::string_view text) {
    auto words = split(text, ' ');
    if (words.size() < 2) give_up("a column needs a type", text);
    Column column;
    column.attnum = static_cast<std::int16_t>(to.columns.size() + 1);
    column.name = words[0];
    std::string_view type_text = words[1];
    if (auto open = type_text.find('('); open != type_text.npos) {
      std::string_view number = type_text.substr(open + 1, type_text.size() - open - 2);
      std::from_chars(number.data(), number.data() + number.size(), column.typmod);
      type_text = type_text.substr(0, open);
      if (type_text == "varchar" || type_text == "bpchar") column.typmod += 4;  // VARHDRSZ
    }
    column.type = type(type_text).oid;
    std::string_view previous;
    for (std::size_t i = 2; i < words.size(); ++i) {
      std::string_view word = words[i];
      if (word == "pk") {
        to.primary_key.push_back(column.attnum);
        column.not_null = true;
      } else if (word == "null") {
        column.not_null = previous == "not";
      } else if (word == "unique") {
        add_index(to, "btree", {column.attnum}, true, false);
      } else if (word == "moves") {
        column.has_default = column.default_moves = true;
      } else if (word == "hidden") {
        column.readable = false;
      } else if (word == "from") {  // generated from <column>
        column.generated = true;
        column.computed_from.push_back(to.column(words.at(++i))->attnum);
      }
      previous = word;
    }
    return column;
  }

  void add_index(Relation& to, std::string_view method, std::vector<std::int16_t> columns, bool unique,
                 bool primary) {
    Index index;
    index.oid = next_oid();
    index.name = fmt::format("{}_{}", to.name, index.oid);
    index.method = method;
    index.key = columns;
    index.columns = std::move(columns);
    index.unique = unique;
    index.primary = primary;
    if (unique) {
      Constraint key;
      key.name = index.name;
      key.kind = ConstraintKind::key;
      key.columns = key.plain = index.columns;
      to.constraints.push_back(std::move(key));
    }
    to.indexes.push_back(std::move(index));
  }

  // The rest after the closing parenthesis.
  std::string_view read_relation(std::string_view line, RelationKind kind) {
    auto open = line.find('(');
    auto close = line.find(") reads");
    if (close == line.npos) close = line.rfind(')');
    if (open == line.npos || close == line.npos) give_up("a relation needs its columns", line);
    Relation made;
    made.oid = next_oid();
    std::tie(made.schema, made.name) = read_name(line.substr(0, open));
    made.kind = kind;
    for (auto part : split(line.substr(open + 1, close - open - 1), ',')) {
      Column column = read_column(made, part);
      made.columns.push_back(std::move(column));
    }
    if (!made.primary_key.empty()) add_index(made, "btree", made.primary_key, true, true);
    contents_.relations.push_back(made);
    Oid row = next_oid();
    add_type(made.schema, made.name, row, next_oid(), 'C', TypeKind::composite);
    contents_.types[contents_.types.size() - 2].relation = made.oid;
    return line.substr(close + 1);
  }

  void read_table(std::string_view line, RelationKind kind) { read_relation(line, kind); }

  void read_view(std::string_view line, RelationKind kind) {
    auto words = split(read_relation(line, kind), ' ');
    Oid made = contents_.relations.back().oid;
    contents_.relations.back().view.problem = "its definition is not known";
    for (std::size_t i = 1; i < words.size(); ++i) {
      Oid source = relation(words[i]).oid;
      std::ranges::find(contents_.relations, made, &Relation::oid)->reads.push_back(source);
    }
  }

  ColumnOrigin origin(std::string_view name) {
    const auto dot = name.rfind('.');
    const Relation& of = relation(name.substr(0, dot));
    const Column* column = of.column(name.substr(dot + 1));
    if (column == nullptr) give_up("no such column", name);
    return {of.oid, column->attnum};
  }

  void read_lineage(std::string_view line) {
    auto words = split(line, ' ');
    Relation& view = relation(words[0]);
    view.view.problem.clear();
    view.view.columns.resize(view.columns.size());
    std::string_view place;
    for (std::size_t i = 1; i < words.size(); ++i) {
      if (words[i] == "rows" || words[i] == "always") {
        place = words[i];
      } else if (place == "rows") {
        view.view.rows.push_back({origin(words[i]), RowUse::condition});
      } else if (place == "always") {
        view.view.always_read.push_back({.origins = {origin(words[i])}, .bare = false, .functions = {}});
      } else {
        const auto sign = words[i].find_first_of("=~");
        if (sign == words[i].npos) give_up("a column and its origins", words[i]);
        const Column* column = view.column(words[i].substr(0, sign));
        if (column == nullptr) give_up("no such column", words[i]);
        ViewColumn& made = view.view.columns[static_cast<std::size_t>(column->attnum) - 1];
        made.bare = words[i][sign] == '=';
        for (auto name : split(words[i].substr(sign + 1), ',')) made.origins.push_back(origin(name));
        std::ranges::sort(made.origins);
      }
    }
  }

  void read_index(std::string_view line) {
    auto words = split(line, ' ');
    if (words.size() != 2) give_up("index: <relation> <method>(<columns>)", line);
    Relation& to = relation(words[0]);
    auto open = words[1].find('(');
    std::vector<std::int16_t> columns;
    std::vector<std::int16_t> computed_key;
    for (auto name : split(words[1].substr(open + 1, words[1].size() - open - 2), ',')) {
      const bool computed = name.ends_with("()");
      const Column* column = to.column(computed ? name.substr(0, name.size() - 2) : name);
      if (column == nullptr) give_up("index on an unknown column", line);
      columns.push_back(column->attnum);
      computed_key.push_back(computed ? std::int16_t{0} : column->attnum);
    }
    add_index(to, words[1].substr(0, open), std::move(columns), false, false);
    to.indexes.back().key = std::move(computed_key);
  }

  // "name(a, b)": the numbers of these columns.
  static std::vector<std::int16_t> columns_in(const Relation& of, std::string_view text) {
    std::vector<std::int16_t> numbers;
    auto open = text.find('(');
    for (auto name : split(text.substr(open + 1, text.rfind(')') - open - 1), ',')) {
      const Column* column = of.column(name);
      if (column == nullptr) give_up("no such column", text);
      numbers.push_back(column->attnum);
    }
    return numbers;
  }

  void read_constraint(std::string_view line, ConstraintKind kind) {
    auto words = split(line, ' ');
    Relation& to = relation(words.at(0));
    Constraint made;
    made.name = words.at(1).substr(0, words[1].find('('));
    made.kind = kind;
    made.columns = columns_in(to, words[1]);
    if (kind == ConstraintKind::key) made.plain = made.columns;
    if (words.size() > 2 && words[2] == "changes") {
      made.foreseeable = false;
    } else if (words.size() > 3 && words[2] == "calls") {
      for (const RoutineEntry& function : contents_.functions) {
        if (function.schema + "." + function.name == words[3]) made.calls.push_back(function.oid);
      }
    } else if (words.size() > 2) {
      for (std::int16_t each : columns_in(to, words[2])) made.columns.push_back(each);
    }
    to.constraints.push_back(std::move(made));
  }

  void read_reference(std::string_view line) {
    auto words = split(line, ' ');
    Relation& from = relation(words.at(0).substr(0, words[0].find('(')));
    const Relation& to = relation(words.at(1).substr(0, words[1].find('(')));
    Constraint made;
    made.name = from.name + "_fkey";
    made.kind = ConstraintKind::foreign_key;
    made.columns = columns_in(from, words[0]);
    made.referenced = to.oid;
    made.referenced_columns = columns_in(to, words[1]);
    if (words.size() > 2 && words[2] == "cascade") made.on_delete = ForeignKeyAction::cascade;
    if (words.size() > 2 && words[2] == "set_null") made.on_delete = ForeignKeyAction::set_null;
    from.constraints.push_back(std::move(made));
  }

  void read_trigger(std::string_view line) {
    auto words = split(line, ' ');
    if (words.size() != 5) give_up("trigger: <relation> <name> <events> calls <function>(<arguments>)", line);
    Trigger made;
    made.name = words[1];
    for (auto event : split(words[2], ',')) {
      made.events |= event == "insert"   ? kTriggerInsert
                     : event == "delete" ? kTriggerDelete
                     : event == "update" ? kTriggerUpdate
                                         : kTriggerTruncate;
    }
    const std::string_view name = words[4].substr(0, words[4].find('('));
    if (name.size() < words[4].size()) {
      for (auto argument : split(words[4].substr(name.size() + 1, words[4].size() - name.size() - 2), ','))
        made.arguments.emplace_back(argument);
    }
    for (const RoutineEntry& function : contents_.functions) {
      if (function.schema + "." + function.name == name) made.function = function.oid;
    }
    for (const auto& [oid, builtin] : contents_.builtin_routines) {
      if ("pg_catalog." + builtin == name) made.function = oid;
    }
    relation(words[0]).triggers.push_back(std::move(made));
  }

  void read_child(std::string_view line) {
    auto words = split(line, ' ');
    if (words.size() != 3) give_up("child: <relation> of <parent>", line);
    Relation& parent = relation(words[2]);
    Relation made = parent;
    made.oid = next_oid();
    std::tie(made.schema, made.name) = read_name(words[0]);
    made.parents = {parent.oid};
    made.children.clear();
    parent.children.push_back(made.oid);
    contents_.relations.push_back(std::move(made));
  }

  void read_routine(std::vector<RoutineEntry>& to, std::string_view line) {
    auto words = split(line, ' ');
    auto [schema, name] = read_name(words[0]);
    add_routine(to, schema, name, "");
    if (words.size() > 1 && words[1] == "row") to.back().takes_row = true;
    if (words.size() > 2 && words[1] == "extension") {
      to.back().extension = words[2];
      to.back().c_language = true;
    }
  }

  void read_domain(std::string_view line) {
    auto words = split(line, ' ');
    auto [schema, name] = read_name(words[0]);
    Oid base = type(words[1]).oid;
    char category = type(words[1]).category;
    Oid oid = next_oid();
    add_type(schema, name, oid, next_oid(), category, TypeKind::domain);
    Type& made = contents_.types[contents_.types.size() - 2];
    made.base = base;
    made.vouched = words.size() < 3 || words[2] != "check";
  }

  void read_enum(std::string_view line) {
    auto words = split(line, ' ');
    auto [schema, name] = read_name(words[0]);
    Oid oid = next_oid();
    add_type(schema, name, oid, next_oid(), 'E', TypeKind::enumeration);
    contents_.types[contents_.types.size() - 2].first_label = words.at(1);
  }

  CatalogueContents contents_;
  Oid next_oid_ = kFirstNormalOid;
};

}  // namespace

std::shared_ptr<const Catalogue> catalogue(std::string_view description) {
  Reader reader;
  for (auto line : split(description, '\n')) reader.read_line(line);
  return reader.finish();
}

std::shared_ptr<const Catalogue> sample_catalogue() {
  static const auto shared = catalogue(R"(
    public.pgbench_accounts(aid int4 pk, bid int4, abalance int4, filler bpchar(84))
    public.pgbench_branches(bid int4 pk, bbalance int4, filler bpchar(88))
    public.pgbench_tellers(tid int4 pk, bid int4, tbalance int4, filler bpchar(84))
    public.pgbench_history(tid int4, bid int4, aid int4, delta int4, mtime timestamp, filler bpchar(22))
    public.docs(id int4 pk, tenant text, title text, email text, ssn text, salary int4, note jsonb, embedding vector(4))
    index public.docs hnsw(embedding)
    public.sink(id int4 not null, data text, v vector(4))
    view public.docs_v(id int4, contact text, e2 vector(4)) reads public.docs
    matview public.docs_mv(id int4, contact text) reads public.docs
    function public.f_email
  )");
  return shared;
}

}  // namespace sluice::postgres::testing
