// What an inbound stream delivers, collected. For tests only.
#pragma once

#include "core/stream/message_reader.h"
#include "tests/support/message_json.h"

namespace starling::test {

// Encodes everything again, so that the result is one message whatever the pieces were.
class CollectingSink : public InboundSink {
 public:
  bool on_push_pull_header(const PushPullHeader& header) override {
    return append(header, SignedStyle::signed_form);
  }
  bool on_node(const NodeState& state) override { return append(state); }
  bool on_user_state(Bytes part) override { return append_bytes(part); }
  bool on_user_message_header(const UserHeader& header) override {
    return append(header, SignedStyle::signed_form);
  }
  bool on_user_bytes(Bytes part) override { return append_bytes(part); }
  bool on_ping(const Ping& ping) override { return append(ping); }
  bool on_ack(const Ack& ack) override { return append(ack); }
  bool on_error_message(const ErrorMessage& message) override { return append(message); }

  const ByteVector& collected() const { return collected_; }
  nlohmann::json described() const { return describe(collected_, Carrier::stream); }
  std::size_t calls() const { return calls_; }
  // From this call on the sink refuses.
  void refuse_at(std::size_t call) { refuse_at_ = call; }

 private:
  template <class Part, class... Style>
  bool append(const Part& part, Style... style) {
    ByteVector room(70'000);
    Writer out(room);
    encode(part, out, style...);
    return append_bytes(out.written());
  }
  bool append_bytes(Bytes bytes) {
    collected_.insert(collected_.end(), bytes.begin(), bytes.end());
    return calls_++ != refuse_at_;
  }

  ByteVector collected_;
  std::size_t calls_ = 0;
  std::size_t refuse_at_ = SIZE_MAX;
};

}  // namespace starling::test
