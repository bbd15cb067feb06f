#include "agent/go_errors.h"

#include <cerrno>

#include <gtest/gtest.h>

namespace starling::agent {
namespace {

TEST(GoErrors, Texts) {
  EXPECT_EQ(go_error_text(ECONNREFUSED), "connection refused");
  EXPECT_EQ(go_error_text(EADDRINUSE), "address already in use");
  EXPECT_EQ(go_error_text(EADDRNOTAVAIL), "cannot assign requested address");
  EXPECT_EQ(go_error_text(ENOENT), "no such file or directory");
}

}  // namespace
}  // namespace starling::agent
