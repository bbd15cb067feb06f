#include "agent/key_manager.h"

#include <algorithm>
#include <array>
#include <utility>
#include <vector>

#include "agent/go_text.h"
#include "agent/keyring_file.h"
#include "wire/serf_messages.h"

namespace starling::agent {
namespace {

std::string query_name(std::string_view what) {
  return std::string(internal_query_prefix) + std::string(what);
}

// The type byte is dropped unseen, as Serf does; nullopt: no key of any kind can be read.
std::optional<std::string> key_in(std::string_view query) {
  if (query.empty()) return std::nullopt;
  Scratch scratch;
  const auto request = decode_key_request(as_bytes(query.substr(1)), scratch);
  if (!request) return std::nullopt;
  return std::string(as_text(request->key));
}

std::string encoded(const KeyResponse& response, std::span<const std::string_view> keys = {}) {
  // A key of 32 bytes takes 46; names and message add less than 256.
  std::vector<std::byte> room(512 + response.message.size() + keys.size() * 64);
  Writer out{MutableBytes(room)};
  encode(response, keys, out);
  CHECK(out.ok());
  return std::string(as_text(out.written()));
}

// "[8 132 ...]", as Go prints bytes.
std::string go_bytes(std::string_view bytes) {
  std::string text = "[";
  for (const char c : bytes) {
    if (text.size() > 1) text += ' ';
    text += std::to_string(static_cast<unsigned char>(c));
  }
  return text + "]";
}

Keyring changed(Keyring keyring, KeyChange change, const AesKey& key) {
  switch (change) {
    case KeyChange::install:
      static_cast<void>(keyring.add(key));
      break;
    case KeyChange::use:
      static_cast<void>(keyring.use(key));
      break;
    case KeyChange::remove:
      static_cast<void>(keyring.remove(key));
      break;
  }
  return keyring;
}

}  // namespace

KeyManager::KeyManager(QueryDesk& desk, MembersMirror& members, Log& log, Apply apply,
                       Options options)
    : desk_(desk),
      members_(members),
      log_(log),
      apply_(std::move(apply)),
      options_(std::move(options)) {
  for (const KeyChange change : key_changes) {
    desk_.on_internal(query_name(to_text(change)), [this, change](const SeenQuery& query,
                                                                  QueryDesk::Responder respond) {
      if (changes_.size() == changes_max) {
        return respond.for_everybody(encoded({.message = "too many keys are being changed"}));
      }
      changes_.push_back({change, query.payload, respond});
      if (changes_.size() == 1) begin_next_change();
    });
  }
  desk_.on_internal(
      query_name("list-keys"),
      [this](const SeenQuery&, QueryDesk::Responder respond) { answer_list(respond); });
}

void KeyManager::begin_next_change() {
  const OwnChange& own = changes_.front();
  const std::optional<std::string> raw = key_in(own.query);
  if (!raw) {
    log_.refused("key-request").err("serf: Failed to decode key request");
    return end_change("");  // Serf's answer has no words either
  }
  log_.told("key-query").info("serf: Received {} query", to_text(own.change));
  const std::optional<AesKey> key = AesKey::from(as_bytes(*raw));
  std::string problem;
  if (options_.keyring.empty()) {
    problem = "No keyring to modify (encryption not enabled)";
  } else if (!key && own.change == KeyChange::install) {
    problem = "key size must be 16, 24 or 32 bytes";
  } else if (!key && own.change == KeyChange::use) {
    problem = "Requested key is not in the keyring";
  }
  if (!problem.empty()) {
    log_.refused("key-request").err("serf: {}", problem);
    return end_change(problem);
  }
  const auto succeed = [this] {
    changes_.front().respond.for_everybody(encoded({.result = true}));
    changes_.pop_front();
    if (!changes_.empty()) begin_next_change();
  };
  if (!key) return succeed();  // what is not there is removed
  apply_(own.change, *key, [this, succeed, key = *key](const std::string& error) {
    if (!error.empty()) {
      log_.refused("key-request")
          .err("serf: Failed to {}: {}", to_text(changes_.front().change), error);
      return end_change(error);
    }
    options_.keyring = changed(options_.keyring, changes_.front().change, key);
    if (!options_.keyring_file.empty()) {
      if (const auto written = write_keyring_file(options_.keyring_file, options_.keyring);
          !written) {
        log_.refused("keyring-file").err("serf: {}", written.error());
        return end_change(written.error());
      }
    }
    succeed();
  });
}

void KeyManager::end_change(const std::string& error) {
  changes_.front().respond.for_everybody(encoded({.message = error}));
  changes_.pop_front();
  if (!changes_.empty()) begin_next_change();
}

void KeyManager::answer_list(const QueryDesk::Responder& respond) const {
  log_.told("key-query").info("serf: Received list-keys query");
  if (options_.keyring.empty()) {
    return respond.for_everybody(encoded({.message = "Keyring is empty (encryption not enabled)"}));
  }
  std::vector<std::string> texts;
  for (const AesKey& key : options_.keyring.keys()) {
    texts.push_back(base64_encode(as_text(key.bytes())));
  }
  const std::vector<std::string_view> keys(texts.begin(), texts.end());
  KeyResponse response{.primary_key = keys.front(), .result = true};
  std::string answer = encoded(response, keys);
  // As Serf cuts it: from what may fit at most downwards; the same for all members hosted here.
  std::size_t count = std::min(keys.size(), options_.response_bytes_max / 25);
  while (!respond.fits(answer.size()) && count > 0) {
    const std::string message =
        fmt::format("truncated key list response, showing first {} of {} keys", count, keys.size());
    response.message = message;
    answer = encoded(response, std::span(keys).first(count));
    response.message = {};
    --count;
  }
  respond.for_everybody(answer);
}

void KeyManager::change(KeyChange change, const std::string& base64_key, Done done) {
  const auto raw = base64_decode(base64_key);
  if (!raw) return done({}, raw.error());
  std::vector<std::byte> room(64 + raw->size());
  Writer out{MutableBytes(room)};
  encode(KeyRequest{as_bytes(*raw)}, out);
  ask({.name = query_name(to_text(change)),
       .payload = std::string(as_text(out.written())),
       .lists = false,
       .done = std::move(done)});
}

void KeyManager::list(Done done) {
  std::array<std::byte, 16> room;
  Writer out{MutableBytes(room)};
  encode(KeyRequest{}, out);
  ask({.name = query_name("list-keys"),
       .payload = std::string(as_text(out.written())),
       .lists = true,
       .done = std::move(done)});
}

void KeyManager::ask(Question question) {
  questions_.push_back(std::move(question));
  if (questions_.size() == 1) ask_next();
}

void KeyManager::ask_next() {
  const Question& question = questions_.front();
  outcome_ = {};
  if (question.lists) outcome_.keys.emplace();
  ticket_ = 0;
  const std::uint64_t number = ++asked_;
  const QueryTicket ticket = desk_.ask(
      {.name = question.name, .payload = question.payload},
      {.on_ack = {},
       .on_response = [this](std::string_view from,
                             std::string_view payload) { on_response(from, payload); },
       .on_done =
           [this] {
             ticket_ = 0;
             const std::uint64_t answered = outcome_.num_resp, nodes = outcome_.num_nodes;
             end_question(outcome_.num_err != 0
                              ? fmt::format("{}/{} nodes reported failure", outcome_.num_err, nodes)
                          : answered != nodes
                              ? fmt::format("{}/{} nodes reported success", answered, nodes)
                              : std::string());
           }},
      [this](const std::string& error) {
        if (!error.empty()) return end_question(error);
        // memberlist's living members; whoever leaves is one still.
        outcome_.num_nodes = members_
                                 .list([](const MemberView& member) {
                                   return member.status == MemberStatus::alive ||
                                          member.status == MemberStatus::leaving;
                                 })
                                 .size();
      });
  if (asked_ == number) ticket_ = ticket;  // else it was refused at once
}

void KeyManager::on_response(std::string_view from, std::string_view payload) {
  ++outcome_.num_resp;
  const std::string member(from);
  const auto wrong = [&](std::string message) {
    ++outcome_.num_err;
    outcome_.messages[member] = std::move(message);
  };
  if (payload.empty() || payload.front() != static_cast<char>(SerfType::key_response)) {
    wrong("Invalid key query response type: " + go_bytes(payload));
  } else if (const auto response = decode_key_response(as_bytes(payload.substr(1))); !response) {
    wrong("Failed to decode key query response: " + go_bytes(payload));
  } else {
    if (!response->result) wrong(std::string(response->message));
    if (response->result && !response->message.empty()) {
      outcome_.messages[member] = response->message;
      log_.refused("key-answer").warn("serf: {}", response->message);
    }
    if (outcome_.keys) {
      response->keys.for_each([&](Bytes key) { ++(*outcome_.keys)[std::string(as_text(key))]; });
    }
  }
  if (outcome_.num_resp != outcome_.num_nodes) return;
  if (ticket_ != 0) desk_.forget(std::exchange(ticket_, 0));
  end_question(outcome_.num_err == 0 ? std::string()
                                     : fmt::format("{}/{} nodes reported failure", outcome_.num_err,
                                                   outcome_.num_nodes));
}

void KeyManager::end_question(const std::string& error) {
  ++asked_;
  const Question question = std::move(questions_.front());
  questions_.pop_front();
  const KeyOutcome outcome = std::exchange(outcome_, {});
  question.done(outcome, error);
  if (!questions_.empty()) ask_next();
}

}  // namespace starling::agent
