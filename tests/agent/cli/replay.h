// A recorded conversation with a real agent, played back to one of our commands.
//
// Loads an exchange of tests/vectors/serf-rpc.json, answers on a loopback socket with the recorded
// bytes, keeps what the command sent, and runs the command with its arguments. One thread serves.
#pragma once

#include <cstdlib>
#include <fstream>
#include <sstream>
#include <string>
#include <thread>

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>
#include <nlohmann/json.hpp>

#include "agent/cli/command.h"

namespace starling::agent::cli {

inline std::string from_hex(const std::string& hex) {
  std::string out;
  for (std::size_t i = 0; i + 1 < hex.size(); i += 2) {
    out += static_cast<char>(std::strtoul(hex.substr(i, 2).c_str(), nullptr, 16));
  }
  return out;
}

inline nlohmann::json rpc_exchange(std::string_view name) {
  std::ifstream file(STARLING_SOURCE_DIR "/tests/vectors/serf-rpc.json");
  const nlohmann::json all = nlohmann::json::parse(file);
  for (const nlohmann::json& exchange : all["exchanges"]) {
    if (exchange["name"] == name) return exchange;
  }
  ADD_FAILURE() << "no exchange " << name;
  return {};
}

// Sends `answer` to the first client, reads `expect_bytes` or until the client is done.
class OneShotServer {
 public:
  OneShotServer(std::string answer, std::size_t expect_bytes)
      : listener_(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_in here{};
    here.sin_family = AF_INET;
    here.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    EXPECT_EQ(bind(listener_, reinterpret_cast<sockaddr*>(&here), sizeof here), 0);
    EXPECT_EQ(listen(listener_, 1), 0);
    socklen_t size = sizeof here;
    getsockname(listener_, reinterpret_cast<sockaddr*>(&here), &size);
    port_ = ntohs(here.sin_port);
    thread_ = std::thread([this, answer = std::move(answer), expect_bytes] {
      const int client = accept(listener_, nullptr, nullptr);
      if (client < 0) return;
      static_cast<void>(send(client, answer.data(), answer.size(), MSG_NOSIGNAL));
      char room[4096];
      while (received_.size() < expect_bytes) {
        const ssize_t count = recv(client, room, sizeof room, 0);
        if (count <= 0) break;
        received_.append(room, static_cast<std::size_t>(count));
      }
      close(client);
    });
  }
  ~OneShotServer() {
    finish();
    close(listener_);
  }
  OneShotServer(const OneShotServer&) = delete;
  OneShotServer& operator=(const OneShotServer&) = delete;

  std::string address() const { return "127.0.0.1:" + std::to_string(port_); }
  // What the client sent; call after the client has ended.
  const std::string& received() {
    finish();
    return received_;
  }

 private:
  void finish() {
    if (thread_.joinable()) {
      shutdown(listener_, SHUT_RDWR);  // in case nobody came
      thread_.join();
    }
  }
  int listener_;
  unsigned port_ = 0;
  std::string received_;
  std::thread thread_;
};

struct Outcome {
  int status = -1;
  std::string out;
  std::string err;
  std::string sent;
};

inline Outcome run_command(const Command& command, const std::vector<std::string>& arguments) {
  std::ostringstream out;
  std::ostringstream err;
  Console console{.out = out, .err = err};
  const int status = command.run(arguments, console);
  return {status, out.str(), err.str(), {}};
}

// Runs `command` with the recorded arguments against the recorded answers.
inline Outcome replay(const nlohmann::json& exchange, const Command& command) {
  OneShotServer server(from_hex(exchange["response_stream_hex"]),
                       from_hex(exchange["request_stream_hex"]).size());
  std::vector<std::string> arguments{"-rpc-addr=" + server.address()};
  for (std::size_t i = 2; i < exchange["command"].size(); ++i) {
    arguments.push_back(exchange["command"][i]);
  }
  Outcome outcome = run_command(command, arguments);
  outcome.sent = server.received();
  return outcome;
}

// Status, output and request bytes are all as recorded.
inline void expect_same(std::string_view name, const Command& command) {
  const nlohmann::json exchange = rpc_exchange(name);
  const Outcome outcome = replay(exchange, command);
  EXPECT_EQ(outcome.status, exchange["exit"].get<int>()) << name;
  EXPECT_EQ(outcome.out, exchange["stdout"].get<std::string>()) << name;
  EXPECT_EQ(outcome.err, "") << name;
  EXPECT_EQ(outcome.sent, from_hex(exchange["request_stream_hex"])) << name;
}

}  // namespace starling::agent::cli
