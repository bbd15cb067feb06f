#include "agent/hosted_members.h"

#include <gtest/gtest.h>

#include "tests/agent/temporary_folder.h"

namespace starling::agent {
namespace {

std::string list_error_of(const std::string& text) {
  const auto members = read_hosted_members(text);
  return members ? "" : members.error();
}

TEST(HostedMembers, PrefixAndCount) {
  const auto few = read_hosted_members("gw:12");
  ASSERT_TRUE(few) << few.error();
  ASSERT_EQ(few->size(), 12U);
  EXPECT_EQ(few->front().name, "gw-0001");
  EXPECT_EQ(few->back().name, "gw-0012");
  EXPECT_TRUE(few->front().tags.empty());
  const auto many = read_hosted_members("a:b:10000");
  ASSERT_TRUE(many) << many.error();
  EXPECT_EQ(many->front().name, "a:b-00001");
  EXPECT_EQ(many->back().name, "a:b-10000");
  EXPECT_EQ(list_error_of("gw:0"), "the count in \"gw:0\" must be 1 to 1048575");
  EXPECT_EQ(list_error_of("gw:99999999999999999999999"),
            "the count in \"gw:99999999999999999999999\" must be 1 to 1048575");
  EXPECT_EQ(list_error_of(":5"), "\":5\" has no prefix before the colon");
  EXPECT_EQ(list_error_of("gw:x"), "open gw:x: no such file or directory");
  EXPECT_EQ(list_error_of("./gw:5"), "open ./gw:5: no such file or directory");
}

TEST(HostedMembers, File) {
  const TemporaryFolder folder;
  const auto members = read_hosted_members(folder.write("h", R"([
    {"name": "one"},
    {"name": "two", "tags": {"role": "web"}, "advertise": "10.0.0.2:99"},
    {"name": "three", "advertise": "10.0.0.3"}])"));
  ASSERT_TRUE(members) << members.error();
  ASSERT_EQ(members->size(), 3U);
  EXPECT_EQ((*members)[0].name, "one");
  EXPECT_EQ((*members)[1].tags, (Tags{{"role", "web"}}));
  EXPECT_EQ((*members)[2].advertise, "10.0.0.3");
  EXPECT_TRUE(read_hosted_members(folder.write("empty", "[]"))->empty());
}

TEST(HostedMembers, ErrorsNameFileElementAndField) {
  const TemporaryFolder folder;
  const auto error_in = [&](const std::string& json) {
    const std::string path = folder.write("h", json);
    const std::string error = list_error_of(path);
    EXPECT_TRUE(error.starts_with(path + ": ")) << error;
    return error.substr(std::min(path.size() + 2, error.size()));
  };
  EXPECT_EQ(error_in("["), "not JSON");
  EXPECT_EQ(error_in("{}"), "expected an array of members");
  EXPECT_EQ(error_in(R"([{"name":"a"}, "b"])"), "element 2, which must be an object, is a string");
  EXPECT_EQ(error_in(R"([{"tags":{}}])"), "element 1, field \"name\": missing or empty");
  EXPECT_EQ(error_in(R"([{"name":""}])"), "element 1, field \"name\": missing or empty");
  EXPECT_EQ(error_in(R"([{"name":5}])"),
            "element 1, field \"name\": expected a string, got number");
  EXPECT_EQ(error_in(R"([{"name":"a","tags":["x"]}])"),
            "element 1, field \"tags\": expected an object, got array");
  EXPECT_EQ(error_in(R"([{"name":"a","tags":{"x":1}}])"),
            "element 1, field \"tags.x\": expected a string, got number");
  EXPECT_EQ(error_in(R"([{"name":"a","addr":"x"}])"),
            "element 1, field \"addr\": there is no such field");
  EXPECT_EQ(error_in(R"([{"name":"a"},{"name":"b","advertise":"host"}])"),
            "element 2, field \"advertise\": \"host\" is not an IP address");
  EXPECT_EQ(error_in(R"([{"name":"a","advertise":"10.0.0.1:0"}])"),
            "element 1, field \"advertise\": port 0 cannot be advertised");
  EXPECT_EQ(error_in(R"([{"name":"a"},{"name":"b"},{"name":"a"}])"),
            "element 3, field \"name\": \"a\" is the name of element 1, too");
}

TEST(HostedMembers, EndpointTakesWhatIsLeftOutFromTheOwn) {
  const Endpoint own{IpAddress::v4(10, 0, 0, 1), 7946};
  EXPECT_EQ(hosted_endpoint("", own), own);
  EXPECT_EQ(hosted_endpoint("10.0.0.2", own), (Endpoint{IpAddress::v4(10, 0, 0, 2), 7946}));
  EXPECT_EQ(hosted_endpoint("10.0.0.2:5", own), (Endpoint{IpAddress::v4(10, 0, 0, 2), 5}));
  EXPECT_EQ(hosted_endpoint("[::1]:5", own)->address.bytes().size(), 16U);
  EXPECT_FALSE(hosted_endpoint("10.0.0.2:99999", own));
  EXPECT_FALSE(hosted_endpoint("localhost:1", own));
}

}  // namespace
}  // namespace starling::agent
