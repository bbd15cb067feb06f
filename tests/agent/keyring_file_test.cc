#include "agent/keyring_file.h"

#include "tests/agent/temporary_folder.h"

namespace starling::agent {
namespace {

constexpr std::string_view key_a = "MDEyMzQ1Njc4OWFiY2RlZg==";  // 16 bytes
constexpr std::string_view key_b = "ZmVkY2JhOTg3NjU0MzIxMA==";

TEST(DecodeKey, LengthAndAlphabet) {
  EXPECT_EQ(as_text(decode_key(key_a)->bytes()), "0123456789abcdef");
  EXPECT_EQ(decode_key("MTIz").error(), "key size must be 16, 24 or 32 bytes");
  EXPECT_EQ(decode_key("zzz").error(), "illegal base64 data at input byte 0");
}

TEST(KeyringFile, FirstIsPrimary) {
  const TemporaryFolder folder;
  const std::string path =
      folder.write("k", "[\"" + std::string(key_a) + "\", \"" + std::string(key_b) + "\"]");
  const auto keyring = read_keyring_file(path);
  ASSERT_TRUE(keyring) << keyring.error();
  EXPECT_EQ(keyring->keys().size(), 2U);
  EXPECT_EQ(as_text(keyring->primary().bytes()), "0123456789abcdef");
}

TEST(KeyringFile, Errors) {
  const TemporaryFolder folder;
  EXPECT_EQ(read_keyring_file("/nope").error(), "stat /nope: no such file or directory");
  const std::string path = folder.write("k", "[]");
  EXPECT_EQ(read_keyring_file(path).error(), "Keyring file contains no keys");
  const auto wrong = [&](const std::string& text) {
    folder.write("k", text);
    return read_keyring_file(path).error();
  };
  const std::string start = "Failed to decode keyring file: " + path + ": ";
  EXPECT_EQ(wrong("{"), start + "not JSON");
  EXPECT_EQ(wrong("{}"), start + "not an array");
  EXPECT_EQ(wrong("[1]"), start + "key 1 is not a string");
  EXPECT_EQ(wrong("[\"MTIz\"]"), start + "key 1: key size must be 16, 24 or 32 bytes");
}

TEST(KeyringFile, WrittenAsSerfDoes) {
  const TemporaryFolder folder;
  const std::string path = folder.write("k", "[]");
  std::filesystem::permissions(path, std::filesystem::perms(0644));
  Keyring keyring;
  ASSERT_TRUE(keyring.add(*decode_key(key_b)) && keyring.add(*decode_key(key_a)) &&
              keyring.use(*decode_key(key_a)));
  const auto written = write_keyring_file(path, keyring);
  ASSERT_TRUE(written) << written.error();
  EXPECT_EQ(folder.read("k"),
            "[\n  \"" + std::string(key_a) + "\",\n  \"" + std::string(key_b) + "\"\n]");
  EXPECT_EQ(std::filesystem::status(path).permissions(), std::filesystem::perms(0600));
  const auto again = read_keyring_file(path);
  ASSERT_TRUE(again) << again.error();
  EXPECT_TRUE(std::ranges::equal(again->keys(), keyring.keys()));
  EXPECT_EQ(write_keyring_file("/nope/k", keyring).error(),
            "Failed to write keyring file: open /nope/k: no such file or directory");
}

}  // namespace
}  // namespace starling::agent
