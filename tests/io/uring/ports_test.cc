#include "io/uring/ports.h"

#include "tests/io/conformance/waiting.h"

namespace starling::io {

namespace {

INSTANTIATE_TEST_SUITE_P(Uring, WaitConformance, testing::Values(uring_kind()), name_of);

}  // namespace

}  // namespace starling::io
