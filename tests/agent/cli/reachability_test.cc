#include "agent/members_mirror.h"
#include "tests/agent/cli/replay.h"
#include "tests/agent/member_event.h"

namespace starling::agent::cli {
namespace {

TEST(ReachabilityCommand, AsRecorded) {
  expect_same("cli:reach", reachability_command());
  // The recorded times of the verbose form differ.
  const nlohmann::json exchange = rpc_exchange("cli:reach_v");
  const Outcome outcome = replay(exchange, reachability_command());
  EXPECT_EQ(outcome.status, 0);
  EXPECT_TRUE(
      outcome.out.starts_with("Total members: 3, live members: 3\n"
                              "Starting reachability test...\n"
                              "\tAck from 'a'\n"));
  EXPECT_NE(outcome.out.find("\nQuery time: 0."), std::string::npos);
  EXPECT_TRUE(outcome.out.ends_with(" sec\nSuccessfully contacted all live nodes\n"));
}

// Members a, b alive and c failed; acks come from these.
Outcome run_with(const std::vector<std::string>& acks) {
  MembersMirror members;
  members.apply(joined("a"));
  members.apply(joined("b"));
  members.apply(member_event("c", MemberStatus::failed, MemberEventKind::failed));
  std::string bytes;
  append(bytes, ResponseHeader{.error = "", .sequence = 1});
  append(bytes, ResponseHeader{.error = "", .sequence = 2});
  append_members_header(bytes, 3);
  for (MembersMirror::Listing listing = members.list(); listing.left() > 0;) {
    append_member(bytes, listing.next());
  }
  append(bytes, ResponseHeader{.error = "", .sequence = 3});
  for (const std::string& from : acks) {
    append(bytes, ResponseHeader{.error = "", .sequence = 3});
    append(bytes, QueryRecord{.from = from, .payload = {}, .type = "ack"});
  }
  append(bytes, ResponseHeader{.error = "", .sequence = 3});
  append(bytes, QueryRecord{.from = {}, .payload = {}, .type = "done"});
  OneShotServer server(bytes, SIZE_MAX);
  return run_command(reachability_command(), {"-rpc-addr=" + server.address()});
}

TEST(ReachabilityCommand, NamesWhoIsMissing) {
  const Outcome outcome = run_with({"a"});
  EXPECT_EQ(outcome.status, 1);
  EXPECT_TRUE(
      outcome.out.starts_with("Total members: 3, live members: 2\nStarting reachability test...\n"
                              "Received less acks than live nodes! Missing acks from:\n\tb\n"));
  EXPECT_EQ(std::ranges::count(outcome.out, '*'), 5);
}

TEST(ReachabilityCommand, NamesWhoIsTooMany) {
  const Outcome outcome = run_with({"a", "b", "c"});
  EXPECT_EQ(outcome.status, 1);
  EXPECT_NE(
      outcome.out.find("Received more acks than live nodes! Acks from non-live nodes:\n\tc\n"),
      std::string::npos);
}

TEST(ReachabilityCommand, NoticesWhoAnswersTwice) {
  const Outcome outcome = run_with({"a", "a"});
  EXPECT_EQ(outcome.status, 1);
  EXPECT_NE(outcome.out.find("Duplicate response from 'a'\n"), std::string::npos);
  EXPECT_NE(outcome.out.find("Successfully contacted all live nodes\n"), std::string::npos);
}

}  // namespace
}  // namespace starling::agent::cli
