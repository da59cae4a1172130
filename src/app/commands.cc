// The only file that sees CLI11: it turns words into calls of the functions in command_local.h and
// command_remote.h.
#include "app/commands.h"

#include <CLI/CLI.hpp>

#include "app/command_local.h"
#include "app/command_remote.h"
#include "app/exit_codes.h"
#include "app/nearest.h"
#include "app/version.h"

namespace sluice::app {
namespace {

constexpr const char* kFooter =
    "\nThe gateway is found by --addr, SLUICE_ADDR or `sluice context set`, the token by --token-file, "
    "SLUICE_TOKEN or "
    "the same.\nExit codes: 0 done, 1 the answer is no, 2 usage, 3 no valid token, 4 forbidden, 5 not found, "
    "6 conflict, "
    "7 gateway not\nreachable; `record verify` adds its verdicts from 20 on (docs/cli.md).";

// Everything that options write into; one for the life of the process.
struct Words {
  commands::Remote remote;
  std::string output;
  InitOptions init;
  bool save_context = false;
  std::string config;
  std::string file;
  commands::PrincipalOptions principal;
  commands::TokenOptions token;
  commands::ConnectionOptions connection;
  commands::ExplainOptions explain;
  commands::SearchOptions search;
  commands::VerifyOptions verify;
  std::map<std::string, std::string> filters;
  std::string id;
  std::string text;
  std::string role;
  std::string credential;
  bool end_sessions = false;
  std::string forget;
  std::string group;
  std::string state;
  std::string format = "text";
  std::string folder = "policy";
  std::vector<std::string> files;
  std::function<int()> action;

  Output form() const { return output == "json" ? Output::json : Output::table; }
};

class Grammar {
 public:
  explicit Grammar(Words& words) : words_(words) {
    root.require_subcommand(1);
    root.footer(kFooter);
    root.set_help_all_flag("--help-all", "Help of all commands");
    root.fallthrough();
    root.add_option("--addr", words_.remote.flags.address,
                    "Address of the admin API (http://127.0.0.1:8640)");
    root.add_option("--token-file", words_.remote.flags.token_file,
                    "File that holds the token; readable by you only");
    root.add_option("--ca-file", words_.remote.flags.ca_file, "Root certificates for the admin API, in PEM");
    root.add_option("-o,--output", words_.output, "table or json")->check(CLI::IsMember({"table", "json"}));
    add_gateway();
    add_principals();
    add_tokens();
    add_connections();
    add_reviews();
    add_policy();
    add_sessions();
    add_record();
  }

  CLI::App root{"Sluice: an access gateway for vector databases", "sluice"};

 private:
  using Action = std::function<int()>;

  CLI::App* noun(const char* name, const char* help) {
    auto* out = root.add_subcommand(name, help);
    out->require_subcommand(1);
    out->fallthrough();
    return out;
  }
  CLI::App* verb(CLI::App* parent, const char* name, const char* help, Action action) {
    auto* out = parent->add_subcommand(name, help);
    out->fallthrough();
    out->callback([this, action = std::move(action)] { words_.action = action; });
    return out;
  }

  void add_gateway() {
    auto& w = words_;
    auto* init =
        verb(&root, "init", "Make a data folder: keys, certificate, starter policy, first administrator",
             [&] { return commands::init(w.init, w.save_context, w.form()); });
    init->add_option("--data", w.init.data, "The folder; made when it is missing")->required();
    init->add_option("--admin", w.init.administrator, "Name of the first administrator")
        ->capture_default_str();
    init->add_option("--name", w.init.names, "Another host name or address for the certificate");
    init->add_option("--port", w.init.port, "Port for PostgreSQL clients")->capture_default_str();
    init->add_option("--admin-port", w.init.admin_port, "Port of the admin API")->capture_default_str();
    init->add_flag("--save-context", w.save_context, "Save address and token for further commands");

    auto* serve = verb(&root, "serve", "Run the gateway", [&] { return commands::serve(w.config); });
    serve->add_option("--config", w.config, "Settings file")->required();

    auto* config = noun("config", "Check, print and describe settings");
    verb(config, "check", "Check a settings file", [&] { return commands::config_check(w.config); })
        ->add_option("file", w.config, "Settings file")
        ->required();
    verb(config, "print", "Every setting as in force",
         [&] { return commands::config_print(w.config, w.form()); })
        ->add_option("file", w.config, "Settings file")
        ->required();
    verb(config, "schema", "JSON Schema of the settings file", commands::config_schema);
    verb(config, "docs", "docs/configuration.md", commands::config_docs);

    verb(&root, "status", "The gateway in one view", [&] { return commands::status(w.remote); });
    verb(&root, "me", "Who the token speaks for", [&] { return commands::me(w.remote); });
    verb(&root, "doctor", "Look for what usually is wrong", [&] {
      return commands::doctor(w.config, w.remote.flags);
    })->add_option("--config", w.config, "Settings file of a gateway on this machine");
    verb(&root, "openapi", "docs/openapi.json: the admin API described", commands::openapi);
    verb(&root, "docs", "docs/cli.md", [] {
      std::fputs(command_page().c_str(), stdout);
      return 0;
    });
    verb(&root, "version", "Version and libraries", [&] { return commands::version(w.form()); });

    auto* context = noun("context", "Where the gateway is and who you are, for further commands");
    verb(context, "set", "Save --addr, --token-file (or SLUICE_TOKEN) and --ca-file",
         [&] { return commands::context_set(w.remote.flags); });
    verb(context, "show", "What is saved; never the token", commands::context_show);
  }

  CLI::App* named(CLI::App* parent, const char* name, const char* help, std::string& target, const char* what,
                  Action action) {
    auto* out = verb(parent, name, help, std::move(action));
    out->add_option("name", target, what)->required();
    return out;
  }

  void add_principals() {
    auto& w = words_;
    auto* principal = noun("principal", "People and machines");
    const auto options = [&](CLI::App* command) {
      command->add_option("--kind", w.principal.kind, "human or machine");
      command->add_option("--group", w.principal.groups, "A group; may be given again");
      command->add_option("--role", w.principal.roles,
                          "admin, auditor, approver or member; may be given again");
      command->add_option("--claim", w.principal.claims, "NAME=VALUE; may be given again");
      command->add_option("--owner", w.principal.owner, "Who answers for a machine");
    };
    options(named(principal, "create", "Create a principal", w.principal.name, "Its name",
                  [&] { return commands::principal_create(w.remote, w.principal); }));
    auto* update = named(principal, "update", "Change what is given; lists replace", w.principal.name,
                         "Its name", [&] { return commands::principal_update(w.remote, w.principal); });
    options(update);
    update->add_flag("--no-groups", w.principal.no_groups, "Take out of all groups");
    update->add_flag("--no-roles", w.principal.no_roles, "Take all roles away");
    verb(principal, "list", "All principals", [&] {
      return commands::principal_list(w.remote, w.group);
    })->add_option("--group", w.group, "Only of this group");
    for (const auto& [name, help] : {std::pair{"show", "One principal"},
                                     {"disable", "End all sessions and accept no token"},
                                     {"enable", "Accept tokens again"},
                                     {"delete", "Delete it and its tokens"}}) {
      named(principal, name, help, w.principal.name, "Its name", [&w, action = std::string(name)] {
        return commands::principal_act(w.remote, w.principal.name, action);
      });
    }
  }

  void add_tokens() {
    auto& w = words_;
    auto* token = noun("token", "Credentials of principals");
    auto* create = verb(token, "create", "Issue a token; printed this once",
                        [&] { return commands::token_create(w.remote, w.token); });
    create->add_option("--principal", w.token.principal, "Whom it speaks for")->required();
    create->add_option("--ttl", w.token.ttl, "How long it lives: 12h, 30d (the default) or never");
    create->add_option("--label", w.token.label, "A word to know it by");
    verb(token, "list", "All tokens; never their secrets", [&] {
      return commands::token_list(w.remote, w.token.principal);
    })->add_option("--principal", w.token.principal, "Only of this principal");
    verb(token, "revoke", "Revoke a token and end its sessions",
         [&] { return commands::token_revoke(w.remote, w.id); })
        ->add_option("id", w.id, "Its id, or the whole token")
        ->required();
  }

  void add_connections() {
    auto& w = words_;
    auto* connection = noun("connection", "Ways to upstream databases");
    const auto options = [&](CLI::App* command, bool creating) {
      auto* host = command->add_option("--host", w.connection.host, "Host name or address");
      auto* database = command->add_option("--database", w.connection.database, "Database on it");
      auto* roles =
          command->add_option("--role", w.connection.roles,
                              "ALIAS=USER:KIND:REFERENCE, where KIND is file, env, command or none; may be "
                              "given again");
      if (creating) {
        host->required();
        database->required();
        roles->required();
      }
      command->add_option("--port", w.connection.port, "Port (5432)");
      command->add_option("--system", w.connection.system, "Database system (postgres)");
      command->add_option("--tls", w.connection.tls,
                          "disable, require, verify_ca or verify_full (the default)");
      command->add_option("--tls-ca-file", w.connection.ca_file,
                          "Root certificates, in PEM, on the gateway's host");
      command->add_option("--group", w.connection.groups,
                          "Who may use the roles: GROUP, or ALIAS:GROUP for one role");
    };
    options(
        named(connection, "add", "Register a connection", w.connection.name, "What clients ask for as dbname",
              [&] { return commands::connection_add(w.remote, w.connection); }),
        true);
    options(named(connection, "update", "Change what is given; roles replace", w.connection.name, "Its name",
                  [&] { return commands::connection_update(w.remote, w.connection); }),
            false);
    verb(connection, "list", "All connections", [&] { return commands::connection_list(w.remote); });
    for (const auto& [name, help] :
         {std::pair{"show", "One connection"},
          {"test", "Dial and log in with each role"},
          {"functions", "Functions of its database, and which the policy vouches for"},
          {"disable", "End its sessions and accept none"},
          {"enable", "Accept sessions again"},
          {"delete", "Delete it and end its sessions"}}) {
      named(connection, name, help, w.connection.name, "Its name", [&w, action = std::string(name)] {
        return commands::connection_act(w.remote, w.connection.name, action);
      });
    }
    named(connection, "names", "What is masked because of what it was called before", w.connection.name,
          "Its name", [&] { return commands::connection_names(w.remote, w.connection.name, w.forget); })
        ->add_option(
            "--forget", w.forget,
            "What this relation or column (public.docs.contact) was called before: masks hold for its "
            "present name only");
    auto* rotate = named(connection, "rotate", "Take a role's credential from elsewhere, or read it again",
                         w.connection.name, "Its name", [&] {
                           return commands::connection_rotate(w.remote, w.connection.name, w.role,
                                                              w.credential, w.end_sessions);
                         });
    rotate->add_option("--role", w.role, "The role's alias")->required();
    rotate->add_option("--credential", w.credential,
                       "KIND:REFERENCE; without it the old source is read again");
    rotate->add_flag(
        "--end-sessions", w.end_sessions,
        "End the connection's open sessions too; without it they go on, and new ones use the new credential");
  }

  void add_reviews() {
    auto& w = words_;
    auto* review = noun("review", "What waits for a second person");
    verb(review, "list", "Reviews, newest first", [&] {
      return commands::review_list(w.remote, w.state);
    })->add_option("--state", w.state, "pending, approved, rejected, expired or used");
    const auto with_id = [&](const char* name, const char* help, Action action) {
      auto* out = verb(review, name, help, std::move(action));
      out->add_option("id", w.id, "The review's id")->required();
      return out;
    };
    with_id("show", "One review", [&] { return commands::review_show(w.remote, w.id); });
    with_id("approve", "Approve it", [&] {
      return commands::review_decide(w.remote, w.id, true, w.text);
    })->add_option("--comment", w.text, "Shown to the requester");
    with_id("reject", "Reject it", [&] {
      return commands::review_decide(w.remote, w.id, false, w.text);
    })->add_option("--comment", w.text, "Shown to the requester");
  }

  void add_policy() {
    auto& w = words_;
    auto* policy = noun("policy", "Rules: check and test files, see and reload what is in force");
    verb(policy, "check", "Check a folder of policy files",
         [&] { return commands::policy_check(w.folder, w.form()); })
        ->add_option("folder", w.folder, "The folder")
        ->capture_default_str();
    auto* test = verb(policy, "test", "Ask a folder of policy files the questions of case files",
                      [&] { return commands::policy_test(w.folder, w.files, w.format); });
    test->add_option("--policy", w.folder, "The folder")->capture_default_str();
    test->add_option("--format", w.format, "text, tap or junit")
        ->check(CLI::IsMember({"text", "tap", "junit"}));
    test->add_option("cases", w.files, "Case files")->required();
    verb(policy, "schema", "JSON Schema of policy files", commands::policy_schema);
    verb(policy, "show", "The policy in force", [&] { return commands::policy_show(w.remote); });
    verb(policy, "reload", "Read the policy folder again", [&] { return commands::policy_reload(w.remote); });
    auto* explain = verb(policy, "explain", "What would be decided, and why",
                         [&] { return commands::policy_explain(w.remote, w.explain); });
    explain->add_option("--as", w.explain.principal, "The principal")->required();
    explain->add_option("--connection", w.explain.connection, "The connection")->required();
    explain->add_option("--role", w.explain.role, "The role's alias");
    explain->add_option("--client", w.explain.client, "The client's address");
    explain->add_option("statement", w.explain.statement, "The statement")->required();
  }

  // `operations`: what only an operation has can be asked for too.
  void add_search(CLI::App* command, bool operations) {
    auto& w = words_;
    const auto add = [&](const char* option, const char* key, const char* help) {
      command->add_option(option, w.search.query[key], help);
    };
    add("--principal", "principal", "Of this principal");
    add("--connection", "connection", "On this connection");
    if (operations) {
      add("--collection", "collection", "That touched this table");
      add("--verb", "verb", "search, fetch, scroll, write, ...");
      add("--decision", "decision", "permit, deny or review");
      add("--text", "text", "Words of the statement");
      add("--record-id", "record_id", "That were sent this record");
      add("--session", "session", "Of this session");
    }
    add("--from", "from", "Not before this time (2026-01-31T12:00:00Z)");
    add("--to", "to", "Before this time");
    command->add_option("--limit", w.search.limit, "At most so many")->capture_default_str();
  }

  void add_sessions() {
    auto& w = words_;
    auto* sessions = noun("sessions", "Live and recorded sessions");
    verb(sessions, "live", "Who is connected now", [&] { return commands::sessions_live(w.remote); });
    add_search(verb(sessions, "list", "Recorded sessions, newest first",
                    [&] { return commands::sessions_list(w.remote, w.search); }),
               false);
    add_search(verb(sessions, "search", "Recorded operations, newest first",
                    [&] { return commands::sessions_search(w.remote, w.search); }),
               true);
    const auto with_id = [&](const char* name, const char* help, Action action) {
      auto* out = verb(sessions, name, help, std::move(action));
      out->add_option("id", w.id, "The session's id")->required();
      return out;
    };
    with_id("show", "One recorded session", [&] { return commands::sessions_show(w.remote, w.id); });
    with_id("replay", "Every entry of a session, in order",
            [&] { return commands::sessions_replay(w.remote, w.id, w.search.limit); })
        ->add_option("--limit", w.search.limit, "At most so many")
        ->capture_default_str();
    with_id("export", "A bundle that proves itself to whoever has the public key", [&] {
      return commands::sessions_export(w.remote, w.id, w.file);
    })->add_option("--file", w.file, "Where to; without it: standard output");
    with_id("kill", "End a live session", [&] {
      return commands::sessions_kill(w.remote, w.id, w.text);
    })->add_option("--reason", w.text, "Recorded, and shown to the client");
  }

  void add_record() {
    auto& w = words_;
    auto* record = noun("record", "The record of all operations");
    verb(record, "status", "State of the record", [&] { return commands::record_status(w.remote); });
    auto* events = verb(record, "events",
                        "What the gateway itself did, newest first: policies, tokens, reviews, changes",
                        [&] { return commands::record_events(w.remote, w.text, w.search.limit); });
    events->add_option("--kind", w.text,
                       "policy_loaded, token_issued, token_revoked, review_decided, admin_action, ...");
    events->add_option("--limit", w.search.limit, "At most so many")->capture_default_str();
    auto* verify =
        verb(record, "verify", "Check the record: by the gateway, or offline with --dir or --bundle", [&] {
          if (!w.verify.bundle.empty()) return commands::record_verify_bundle(w.verify);
          return w.verify.folder.empty() ? commands::record_verify(w.remote)
                                         : commands::record_verify_offline(w.verify);
        });
    auto* dir = verify->add_option("--dir", w.verify.folder,
                                   "Folder of the record: check it here, without the gateway");
    verify->add_option("--bundle", w.verify.bundle, "File of an exported session: check it here")
        ->excludes(dir);
    verify->add_flag("--events", w.verify.events, "With --bundle: print what is in it");
    verify->add_option("--key", w.verify.keys, "Verifier key (keys/record.pub) or a file that holds it");
    verify->add_option("--checkpoint", w.verify.checkpoints, "File of checkpoints kept elsewhere");
  }

  Words& words_;
};

void describe(const CLI::App& command, const std::string& path, std::string& out) {
  const auto children = command.get_subcommands([](const CLI::App*) { return true; });
  const auto name = path.empty() ? command.get_name() : path + " " + command.get_name();
  if (children.empty()) {
    out += fmt::format("\n### `{}`\n\n{}.\n", name, command.get_description());
    bool first = true;
    for (const auto* option : command.get_options()) {
      if (option->get_name() == "--help" || option->get_name() == "-h,--help") continue;
      if (std::exchange(first, false)) out += "\n";
      out += fmt::format("* `{}`{}: {}\n", option->get_name(false, true),
                         option->get_required() ? " (required)" : "", option->get_description());
    }
    return;
  }
  if (!path.empty()) out += fmt::format("\n## {}\n\n{}.\n", command.get_name(), command.get_description());
  for (const auto* child : children) describe(*child, name, out);
}

// What to say when the words end at a noun, or go on with what is none of its verbs; empty: neither is so.
std::string without_command(const CLI::App& root) {
  const CLI::App* at = &root;
  std::string path = "sluice";
  while (!at->get_subcommands().empty()) {
    at = at->get_subcommands().back();
    path += " " + at->get_name();
  }
  const auto children = at->get_subcommands([](const CLI::App*) { return true; });
  if (children.empty() || at->count("--help") + root.count("--help-all") > 0) return {};
  std::vector<std::string_view> names;
  for (const auto* child : children) names.push_back(child->get_name());
  const auto words = root.remaining(true);
  const auto wrong = std::ranges::find_if(words, [](const auto& word) { return !word.starts_with('-'); });
  if (wrong == words.end()) {
    return fmt::format("{} needs one of: {}\nRun `{} --help` for what they do.\n", path,
                       fmt::join(names, ", "), path);
  }
  const auto near = nearest(*wrong, names);
  return fmt::format("{} has no command \"{}\"{}\nIt has: {}\n", path, *wrong,
                     near ? fmt::format("; did you mean \"{}\"?", *near) : "", fmt::join(names, ", "));
}

constexpr std::string_view kPageHead = R"(# Command line

<!-- Written by `sluice docs` from src/app/commands.cc. Do not edit. -->

`sluice <noun> <verb>`. Commands that change or show a running gateway speak to its admin API and nothing else; what they
may do is what the token's principal may do.

| Where | From | | |
|---|---|---|---|
| address of the gateway | `--addr` | `SLUICE_ADDR` | `sluice context set` |
| token | `--token-file` | `SLUICE_TOKEN` | `sluice context set` |
| root certificates | `--ca-file` | `SLUICE_CA_FILE` | `sluice context set` |

The first that is given counts; without any, the address is `http://127.0.0.1:8640`. A token is never sent over plain HTTP
to another machine. `-o json` prints JSON instead of tables.

## Exit codes

| Code | Meaning |
|---|---|
| 0 | done |
| 1 | it ran, and the answer is no: a test failed, a policy has errors, something is not in order |
| 2 | the command line, or what it names, makes no sense |
| 3 | no token, or not a valid one |
| 4 | forbidden |
| 5 | not found |
| 6 | conflict: exists already, or changed meanwhile |
| 7 | the gateway does not answer |
| 20 … 28 | `record verify --dir`: altered, out of order, missing segment, truncated, bad checkpoint, forked, unsettled, missing shard, unreadable |
)";

}  // namespace

std::string command_page() {
  Words words;
  const Grammar grammar{words};
  std::string out{kPageHead};
  std::string single;
  std::string nouns;
  for (const auto* child : grammar.root.get_subcommands([](const CLI::App*) { return true; })) {
    const bool is_noun = !child->get_subcommands([](const CLI::App*) { return true; }).empty();
    describe(*child, "sluice", is_noun ? nouns : single);
  }
  return out + "\n## The gateway\n" + single + nouns;
}

int run(int argc, char** argv) {
  Words words;
  Grammar grammar{words};
  try {
    grammar.root.parse(argc, argv);
  } catch (const CLI::ParseError& e) {
    if (const auto incomplete = without_command(grammar.root); !incomplete.empty()) {
      std::fputs(incomplete.c_str(), stderr);
      return static_cast<int>(Exit::usage);
    }
    const int code = grammar.root.exit(e);
    return code == 0 ? 0 : static_cast<int>(Exit::usage);
  }
  words.remote.output = words.form();
  return words.action ? words.action() : static_cast<int>(Exit::usage);
}

}  // namespace sluice::app
