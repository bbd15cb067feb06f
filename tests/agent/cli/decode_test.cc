#include "tests/agent/cli/replay.h"

namespace starling::agent::cli {
namespace {

Outcome decode(const std::vector<std::string>& arguments) {
  return run_command(decode_command(), arguments);
}

TEST(DecodeCommand, ShowsADatagram) {
  const Outcome outcome = decode({"--udp", "0b81a55365714e6f07"});
  EXPECT_EQ(outcome.status, 0);
  EXPECT_EQ(outcome.out,
            "{\n  \"transport\": \"udp\",\n  \"bytes\": 9,\n  \"layers\": [],\n  \"messages\": [\n"
            "    {\n      \"type\": \"nackResp\",\n      \"SeqNo\": 7\n    }\n  ]\n}\n");
  EXPECT_EQ(outcome.err, "");
}

TEST(DecodeCommand, SaysWhatIsBad) {
  const Outcome outcome = decode({"-tcp=0a0000"});
  EXPECT_EQ(outcome.status, 1);
  EXPECT_EQ(outcome.err, "Bad stream: encryption: length: truncated at byte 1\n");
  const auto printed = nlohmann::json::parse(outcome.out);
  EXPECT_EQ(printed["error"]["layer"], "encryption");
  EXPECT_EQ(printed["error"]["field"], "length");
  EXPECT_EQ(printed["error"]["offset"], 1);
}

TEST(DecodeCommand, ComplainsInJsonWhereThatIsWanted) {
  const Outcome bad = decode({"-format=json", "-tcp=0a0000"});
  EXPECT_EQ(bad.err, "{\"error\":\"Bad stream: encryption: length: truncated at byte 1\"}\n");
  EXPECT_EQ(nlohmann::json::parse(bad.out)["error"]["layer"], "encryption");
  EXPECT_EQ(decode({"-format=json", "-udp=0x"}).err,
            "{\"error\":\"Error decoding: not hexadecimal\"}\n");
  const auto file = decode({"-format=json", "-pcap=/nonexistent"});
  EXPECT_TRUE(file.err.starts_with("{\"error\":\"Error reading capture: ")) << file.err;
}

TEST(DecodeCommand, KeysAndLabel) {
  const auto vectors =
      nlohmann::json::parse(std::ifstream(STARLING_SOURCE_DIR "/tests/vectors/memberlist.json"));
  for (const auto& vector : vectors["vectors"]) {
    if (vector["id"] != "label-enc-v1-ping") continue;
    // The recorded key, 000102...0f.
    const Outcome outcome =
        decode({"-key", "AAECAwQFBgcICQoLDA0ODw==", "-label", "blue", "-udp", vector["hex"]});
    EXPECT_EQ(outcome.status, 0) << outcome.err;
    const auto printed = nlohmann::json::parse(outcome.out);
    EXPECT_EQ(printed["layers"][0]["label"], "blue");
    EXPECT_EQ(printed["messages"][0]["SourceAddr"], "10.0.0.1");
    return;
  }
  FAIL() << "no such vector";
}

TEST(DecodeCommand, RefusesWrongUse) {
  EXPECT_EQ(decode({}).status, 1);
  EXPECT_EQ(decode({"-udp", "00", "-tcp", "00"}).status, 1);
  EXPECT_EQ(decode({"-udp", "0x"}).err, "Error decoding: not hexadecimal\n");
  EXPECT_TRUE(decode({"-key", "AAAA", "-udp", "00"}).out.starts_with("Invalid key 1: "));
  EXPECT_TRUE(decode({"-port", "70000", "-udp", "00"}).out.starts_with("Invalid port: 70000"));
  EXPECT_TRUE(decode({"-pcap", "/nonexistent"}).err.starts_with("Error reading capture: "));
}

}  // namespace
}  // namespace starling::agent::cli
