#include "io/uring/streams.h"

#include "tests/io/conformance/streams.h"

namespace starling::io {

namespace {

INSTANTIATE_TEST_SUITE_P(Uring, StreamConformance, testing::Values(uring_kind()), name_of);

}  // namespace

}  // namespace starling::io
