// What a stream message does to the shard while it is being read.
//
// protocol/memberlist sections 7.2 and 10.6, protocol/serf section 7. Entries are merged as they
// arrive, in bounded memory: every one is a statement that gossip might have brought as well, so a
// stream that breaks off in the middle has done no harm. From an entry on that does not
// fit the versions of the cluster nothing more is merged; it is still answered, as Go does.
#pragma once

#include "core/shard/node.h"
#include "core/stream/inbound.h"

namespace starling {

// Lives for one chunk of one session; what must last is in the Session.
class MergeSink final : public InboundSink {
 public:
  MergeSink(Node& node, Instant now, Session& session)
      : node_(node), now_(now), session_(session) {}

  bool on_push_pull_header(const PushPullHeader& header) override;
  bool on_node(const NodeState& state) override;
  bool on_user_state(Bytes part) override;
  bool on_user_message_header(const UserHeader& header) override;
  bool on_user_bytes(Bytes part) override;
  bool on_ping(const Ping& ping) override;
  bool on_ack(const Ack& ack) override;
  bool on_error_message(const ErrorMessage& message) override;
  void expect_nodes(std::span<const NodeState> nodes) override;

  // What the Serf state calls (see SerfStateSink).
  void on_member_clock(LamportTime time);
  void on_event_clock(LamportTime time);
  void on_query_clock(LamportTime time);
  void on_left_member(std::string_view name);
  void on_status(std::string_view name, LamportTime time);
  void on_event(const UserEvent& event);

 private:
  void pass_on(const NodeState& state);

  Node& node_;
  Instant now_;
  Session& session_;
};

// A state that is merge number `epoch` lists the member as left.
void list_as_left(Node& node, std::uint32_t epoch, std::string_view name, NameHash hash);
// ... and gives it a status time.
struct ListedStatus {
  std::string_view name;
  NameHash hash;
  LamportTime time;
};
void apply_listed_status(Node& node, Instant now, std::uint32_t epoch, const ListedStatus& status);

}  // namespace starling
