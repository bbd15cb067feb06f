#include "io/memory/streams.h"

#include "tests/io/conformance/streams.h"

namespace starling::io {

namespace {

INSTANTIATE_TEST_SUITE_P(Memory, StreamConformance, testing::Values(memory_kind()), name_of);

}  // namespace

}  // namespace starling::io
