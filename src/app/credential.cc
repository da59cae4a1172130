#include "app/credential.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <sstream>

#include "app/files.h"
#include "core/clock.h"

extern char** environ;

namespace sluice::app {
namespace {

bool is_below(const std::filesystem::path& path, const std::filesystem::path& folder) {
  const auto relative = path.lexically_relative(folder);
  return !relative.empty() && *relative.begin() != "..";
}

Result<Secret> from_file(const std::string& reference, const CredentialRules& rules) {
  std::error_code error;
  const auto folder = rules.data / "credentials";
  // Links are followed before the check, so that one cannot lead into the data folder.
  const auto path = std::filesystem::weakly_canonical(folder / reference, error);
  if (error) return fail(Errc::unavailable, "credential file {}: {}", reference, error.message());
  const auto data = std::filesystem::weakly_canonical(rules.data, error);
  if (error) return fail(Errc::unavailable, "data folder: {}", error.message());
  if (is_below(path, data) && !is_below(path, data / "credentials")) {
    return fail(Errc::forbidden, "credential file {} is one of the gateway's own files", reference);
  }
  return read_private_file(path, kMaxCredentialBytes);
}

Result<Secret> from_environment(const std::string& name) {
  const char* value = std::getenv(name.c_str());
  if (value == nullptr || *value == '\0')
    return fail(Errc::not_found, "environment variable {} is not set", name);
  if (std::strlen(value) > kMaxCredentialBytes) {
    return fail(Errc::too_large, "environment variable {} is longer than {} bytes", name,
                kMaxCredentialBytes);
  }
  return Secret{std::string(value)};
}

// A child in a process group of its own, whose standard output is a pipe to us.
class Child {
 public:
  static Result<Child> start(std::vector<std::string> words) {
    int ends[2];
    if (::pipe2(ends, O_CLOEXEC) != 0) return fail(Errc::unavailable, "no pipe: {}", std::strerror(errno));
    std::vector<char*> arguments;
    for (auto& word : words) arguments.push_back(word.data());
    arguments.push_back(nullptr);
    posix_spawn_file_actions_t actions;
    posix_spawnattr_t attributes;
    posix_spawn_file_actions_init(&actions);
    posix_spawnattr_init(&attributes);
    posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0);
    posix_spawn_file_actions_adddup2(&actions, ends[1], 1);
    posix_spawn_file_actions_addopen(&actions, 2, "/dev/null", O_WRONLY, 0);
    posix_spawnattr_setflags(&attributes,
                             POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSIGMASK);
    sigset_t none;
    sigset_t all;
    sigemptyset(&none);
    sigfillset(&all);
    posix_spawnattr_setsigmask(&attributes, &none);
    posix_spawnattr_setsigdefault(&attributes, &all);
    pid_t pid = -1;
    const int problem = ::posix_spawnp(&pid, arguments[0], &actions, &attributes, arguments.data(), environ);
    posix_spawn_file_actions_destroy(&actions);
    posix_spawnattr_destroy(&attributes);
    ::close(ends[1]);
    if (problem != 0) {
      ::close(ends[0]);
      return fail(Errc::unavailable, "credential command {}: {}", words[0], std::strerror(problem));
    }
    return Child{pid, ends[0]};
  }
  Child(Child&& other) noexcept
      : pid_(std::exchange(other.pid_, -1)), output_(std::exchange(other.output_, -1)) {}
  Child& operator=(Child&&) = delete;
  ~Child() {
    if (pid_ > 0) {
      ::kill(-pid_, SIGKILL);  // the group: what the command started goes with it
      wait();
    }
    if (output_ >= 0) ::close(output_);
  }

  // Reads to the end of the output, or fails at the time-out or the size.
  Result<std::string> read(std::chrono::milliseconds limit) {
    const SystemClock clock;
    const auto end = clock.steady() + limit;
    std::string out;
    char chunk[1024];
    while (true) {
      const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(end - clock.steady()).count();
      if (left <= 0) return fail(Errc::timed_out, "it took longer than {} ms", limit.count());
      pollfd waiting{output_, POLLIN, 0};
      if (::poll(&waiting, 1, static_cast<int>(left)) <= 0) continue;
      const auto n = ::read(output_, chunk, sizeof chunk);
      if (n < 0 && errno == EINTR) continue;
      if (n < 0) return fail(Errc::unavailable, "{}", std::strerror(errno));
      if (n == 0) return out;
      out.append(chunk, static_cast<std::size_t>(n));
      if (out.size() > kMaxCredentialBytes)
        return fail(Errc::too_large, "it wrote more than {} bytes", kMaxCredentialBytes);
    }
  }

  // The exit status; -1 when a signal ended it.
  int wait() {
    int status = 0;
    while (::waitpid(pid_, &status, 0) < 0 && errno == EINTR) {
    }
    pid_ = -1;
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
  }

 private:
  Child(pid_t pid, int output) : pid_(pid), output_(output) {}
  pid_t pid_;
  int output_;
};

Result<Secret> from_command(const std::string& line, const CredentialRules& rules) {
  if (!rules.commands) {
    return fail(Errc::forbidden,
                "credentials from commands are off; admin.credential_commands turns them on");
  }
  std::istringstream in{line};
  std::vector<std::string> words;
  for (std::string word; in >> word;) words.push_back(word);
  if (words.empty()) return fail(Errc::invalid_argument, "the credential command is empty");
  const auto name = words[0];
  TRY(auto child, Child::start(std::move(words)));
  auto output = child.read(rules.timeout);
  if (!output) return fail(output.error().code, "credential command {}: {}", name, output.error().detail);
  if (const int status = child.wait(); status != 0) {
    return fail(Errc::unavailable, "credential command {} ended with status {}", name, status);
  }
  if (output->ends_with('\n')) output->pop_back();
  if (output->empty()) return fail(Errc::unavailable, "credential command {} wrote nothing", name);
  return Secret{std::move(*output)};
}

}  // namespace

Result<Secret> resolve_credential(const CredentialSource& source, const CredentialRules& rules) {
  switch (source.kind) {
    case CredentialSource::Kind::none: return Secret{};
    case CredentialSource::Kind::file: return from_file(source.reference, rules);
    case CredentialSource::Kind::environment: return from_environment(source.reference);
    case CredentialSource::Kind::command: return from_command(source.reference, rules);
  }
  return fail(Errc::internal, "a credential of an unknown kind");
}

}  // namespace sluice::app
