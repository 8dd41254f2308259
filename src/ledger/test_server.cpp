#include "ledger/test_server.h"

#include <fcntl.h>
#include <grp.h>
#include <pwd.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <sstream>
#include <stdexcept>
#include <thread>

namespace lichen::ledger {
namespace {

namespace fs = std::filesystem;
using namespace std::chrono_literals;

/// The folder of PostgreSQL's programs: Debian's newest, or wherever PATH has them; empty: none.
fs::path find_programs() {
  std::vector<std::pair<int, fs::path>> found;
  std::error_code error;
  for (const auto& entry : fs::directory_iterator("/usr/lib/postgresql", error)) {
    if (fs::exists(entry.path() / "bin/initdb")) {
      found.emplace_back(std::atoi(entry.path().filename().c_str()), entry.path() / "bin");
    }
  }
  if (!found.empty()) return std::ranges::max(found).second;
  const char* path = std::getenv("PATH");
  std::istringstream folders(path == nullptr ? "" : path);
  for (std::string folder; std::getline(folders, folder, ':');) {
    if (fs::exists(fs::path(folder) / "initdb") && fs::exists(fs::path(folder) / "postgres")) {
      return folder;
    }
  }
  return {};
}

/// Whom the server belongs to where we are root.
const passwd* other_user() {
  if (geteuid() != 0) return nullptr;
  const passwd* user = getpwnam("postgres");
  return user != nullptr ? user : getpwnam("nobody");
}

constexpr const char* kSettings = R"(
listen_addresses = ''
fsync = off                # processes die in these tests, machines do not
shared_buffers = 16MB
max_connections = 60
autovacuum = off
restart_after_crash = off
)";

/// Everybody may come in; `locked` needs a password.
constexpr const char* kAccess = R"(
local all locked scram-sha-256
local all all    trust
)";

}  // namespace

TestServer* TestServer::get() {
  static const fs::path programs = find_programs();
  static const std::unique_ptr<TestServer> server(programs.empty() ? nullptr
                                                                   : new TestServer(programs));
  return server.get();
}

TestServer::TestServer(fs::path programs) : programs_(std::move(programs)) {
  std::string name = (fs::temp_directory_path() / "lichen_pg_XXXXXX").string();
  if (mkdtemp(name.data()) == nullptr) throw std::runtime_error("no temporary folder");
  folder_ = name;
  if (const passwd* user = other_user()) {
    if (chown(name.c_str(), user->pw_uid, user->pw_gid) != 0) {
      throw std::runtime_error("cannot give the folder away");
    }
  }
  const pid_t made = spawn("initdb", {"-D", folder_ / "data", "-U", "owner", "-A", "trust", "-E",
                                      "UTF8", "--locale=C", "--no-sync", "--no-instructions"});
  int status = 0;
  waitpid(made, &status, 0);
  if (status != 0) throw std::runtime_error("initdb failed, see " + (folder_ / "log").string());
  std::ofstream(folder_ / "data/postgresql.conf", std::ios::app) << kSettings;
  std::ofstream(folder_ / "data/pg_hba.conf") << kAccess;
  start();
  const auto roles = connect().script(
      "CREATE ROLE locked LOGIN PASSWORD 'open sesame'; CREATE ROLE poor LOGIN;"
      "GRANT CREATE ON DATABASE postgres TO locked");
  if (!roles) throw std::runtime_error(roles.error().detail);
}

TestServer::~TestServer() {
  if (server_ != 0) {
    ::kill(server_, SIGINT);  // without waiting for those who are connected
    waitpid(server_, nullptr, 0);
  }
  std::error_code error;
  fs::remove_all(folder_, error);
}

Server TestServer::database(const std::string& user) const {
  return {.url = "postgresql://" + user + "@/postgres?host=" + folder_.string()};
}

Connection TestServer::connect() const {
  Result<Connection> connection = Connection::open(database(), 10s);
  if (!connection) throw std::runtime_error(connection.error().detail);
  return *std::move(connection);
}

void TestServer::start() {
  server_ = spawn("postgres", {"-D", folder_ / "data", "-k", folder_});
  const auto deadline = std::chrono::steady_clock::now() + 30s;
  while (true) {
    Result<Connection> connection = Connection::open(database(), 10s);
    if (connection) return;
    if (waitpid(server_, nullptr, WNOHANG) == server_) {
      // What is left of the one before it may still hold its memory.
      server_ = spawn("postgres", {"-D", folder_ / "data", "-k", folder_});
    }
    if (std::chrono::steady_clock::now() > deadline) {
      throw std::runtime_error("the server does not start: " + connection.error().detail);
    }
    std::this_thread::sleep_for(20ms);
  }
}

void TestServer::kill() {
  for (const pid_t process : processes()) ::kill(process, SIGKILL);
  waitpid(server_, nullptr, 0);
  server_ = 0;
}

void TestServer::suspend() {
  for (const pid_t process : processes()) ::kill(process, SIGSTOP);
}

void TestServer::resume() {
  for (const pid_t process : processes()) ::kill(process, SIGCONT);
}

std::vector<pid_t> TestServer::processes() const {
  std::vector<pid_t> all = {server_};
  const std::string id = std::to_string(server_);
  std::ifstream children("/proc/" + id + "/task/" + id + "/children");
  for (pid_t child = 0; children >> child;) all.push_back(child);
  return all;
}

pid_t TestServer::spawn(const std::string& program, std::vector<std::string> arguments) const {
  const passwd* user = other_user();
  const std::string path = programs_ / program, log = folder_ / "log";
  std::vector<char*> words = {const_cast<char*>(path.c_str())};
  for (std::string& argument : arguments) words.push_back(argument.data());
  words.push_back(nullptr);
  const pid_t child = fork();
  if (child != 0) return child;
  if (user != nullptr) {
    if (setgroups(0, nullptr) != 0 || setgid(user->pw_gid) != 0 || setuid(user->pw_uid) != 0) {
      _exit(126);
    }
  }
  prctl(PR_SET_PDEATHSIG, SIGQUIT);  // goes when the tests do, however they end
  umask(077);
  const int out = ::open(log.c_str(), O_WRONLY | O_CREAT | O_APPEND, 0600);
  dup2(out, STDOUT_FILENO);
  dup2(out, STDERR_FILENO);
  if (chdir(folder_.c_str()) == 0) execv(path.c_str(), words.data());
  _exit(127);
}

void ServerTest::SetUp() {
  server_ = TestServer::get();
  if (server_ == nullptr) {
    GTEST_SKIP() << "PostgreSQL's server is not installed (Debian: postgresql-15)";
  }
  const auto dropped = server_->connect().script("DROP SCHEMA IF EXISTS lichen CASCADE");
  ASSERT_TRUE(dropped) << dropped.error().detail;
}

}  // namespace lichen::ledger
