#include "agent/cli/go_value.h"

#include <gtest/gtest.h>

#include "agent/rpc_messages.h"

namespace starling::agent::cli {
namespace {

TEST(GoValue, MemberEventAsSerfShowsIt) {
  std::string record;
  append(record, MemberEventRecord{.event = "member-update",
                                   .members = {{.name = "a",
                                                .address = IpAddress::v4(127, 66, 0, 1),
                                                .port = 7946,
                                                .tags = {{"role", "web"}, {"x", "1"}},
                                                .status = "alive",
                                                .versions = {}}}});
  EXPECT_EQ(*format_event(as_bytes(record)),
            "\tEvent: \"member-update\"\n"
            "\tMembers: []interface {}{map[interface {}]interface {}{\"Addr\":[]uint8{0x7f, 0x42, "
            "0x0, 0x1}, \"DelegateCur\":5, \"DelegateMax\":5, \"DelegateMin\":2, \"Name\":\"a\", "
            "\"Port\":0x1f0a, \"ProtocolCur\":2, \"ProtocolMax\":5, \"ProtocolMin\":1, "
            "\"Status\":\"alive\", \"Tags\":map[interface {}]interface {}{\"role\":\"web\", "
            "\"x\":\"1\"}}}\n");
}

TEST(GoValue, NilAndLargeNumbers) {
  std::string record;
  append(record, UserEventRecord{.time = 128, .name = "n", .payload = "", .coalesce = true});
  EXPECT_EQ(*format_event(as_bytes(record)),
            "\tCoalesce: true\n\tEvent: \"user\"\n\tLTime: 0x80\n\tName: \"n\"\n"
            "\tPayload: <nil>\n");
}

TEST(GoValue, WrongInputIsAnError) {
  EXPECT_FALSE(format_event(as_bytes("\x81\xa1x\xc1")));
  EXPECT_FALSE(format_event(as_bytes("\x05")));
  std::string deep = "\x81\xa1x";
  deep.append(100, '\x91');
  deep += '\x01';
  EXPECT_FALSE(format_event(as_bytes(deep)));
}

}  // namespace
}  // namespace starling::agent::cli
