#include "cli/trainer_process.h"

#include <fcntl.h>
#include <spdlog/fmt/fmt.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <boost/json/parse.hpp>
#include <cerrno>
#include <csignal>
#include <system_error>

#include "cli/find_trainer.h"

namespace lichen::cli {
namespace {

Error failed(const std::string& what, int code) {
  return {Errc::storage, what + ": " + std::generic_category().message(code)};
}

/// A process with its standard output at the end of a pipe.
struct Child {
  pid_t pid = -1;
  int output = -1;
};

/// In the new process, between fork and exec: no allocation, no lock.
[[noreturn]] void become(char* const* arguments, int output, pid_t parent) {
  ::dup2(output, STDOUT_FILENO);
  ::setpgid(0, 0);  // a terminal's Ctrl-C does not reach it twice
  // It does not outlive a parent that is killed, whose next run may begin at once.
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (::getppid() == parent) ::execv(arguments[0], arguments);
  ::_exit(127);
}

/// Has to be called on a thread that lives as long as the process is to.
Result<Child> start(std::vector<std::string> command) {
  std::array<int, 2> pipe{};
  if (::pipe2(pipe.data(), O_CLOEXEC) != 0) return std::unexpected(failed("a pipe", errno));
  std::vector<char*> arguments;
  for (std::string& argument : command) arguments.push_back(argument.data());
  arguments.push_back(nullptr);
  const pid_t parent = ::getpid();
  const pid_t pid = ::fork();
  if (pid == 0) become(arguments.data(), pipe[1], parent);
  const int error = errno;
  ::close(pipe[1]);
  if (pid > 0) return Child{.pid = pid, .output = pipe[0]};
  ::close(pipe[0]);
  return std::unexpected(failed(command.front() + " cannot be run", error));
}

/// Until the other end is closed.
std::string read_all(int file) {
  std::string text;
  std::array<char, 4'096> buffer;
  for (;;) {
    const ssize_t count = ::read(file, buffer.data(), buffer.size());
    if (count < 0 && errno == EINTR) continue;
    if (count <= 0) return text;
    text.append(buffer.data(), static_cast<std::size_t>(count));
  }
}

int wait_for(pid_t pid) {
  int status = 0;
  while (::waitpid(pid, &status, 0) < 0 && errno == EINTR) {
  }
  return status;
}

}  // namespace

Result<boost::json::object> run_trainer(const std::vector<std::string>& arguments,
                                        const std::stop_token& stop) {
  const auto trainer = find_trainer();
  if (!trainer) return std::unexpected(trainer.error());
  std::vector<std::string> command = {trainer->string(), "train"};
  command.insert(command.end(), arguments.begin(), arguments.end());
  command.insert(command.end(), {"--json", "-"});
  const auto child = start(std::move(command));
  if (!child) return std::unexpected(child.error());
  std::string output;
  {
    const std::stop_callback interrupt(stop, [pid = child->pid] { ::kill(pid, SIGINT); });
    output = read_all(child->output);
  }
  ::close(child->output);
  const int status = wait_for(child->pid);
  if (stop.stop_requested()) return fail(Errc::cancelled, "the training was interrupted");
  if (!WIFEXITED(status) || WEXITSTATUS(status) != 0) {
    return fail(Errc::upstream,
                WIFEXITED(status)
                    ? fmt::format("lichen-distill ended with status {}", WEXITSTATUS(status))
                    : fmt::format("signal {} ended lichen-distill", WTERMSIG(status)));
  }
  boost::system::error_code error;
  const boost::json::value report = boost::json::parse(output, error);
  if (error || !report.is_object()) {
    return fail(Errc::internal, "lichen-distill gave no report");
  }
  return report.get_object();
}

}  // namespace lichen::cli
