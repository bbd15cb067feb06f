#include "io/uring/datagrams.h"

#include "tests/io/conformance/datagrams.h"

namespace starling::io {

namespace {

INSTANTIATE_TEST_SUITE_P(Uring, DatagramConformance, testing::Values(uring_kind()), name_of);

}  // namespace

}  // namespace starling::io
