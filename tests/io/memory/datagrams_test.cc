#include "io/memory/datagrams.h"

#include "tests/io/conformance/datagrams.h"

namespace starling::io {

namespace {

INSTANTIATE_TEST_SUITE_P(Memory, DatagramConformance, testing::Values(memory_kind()), name_of);

}  // namespace

}  // namespace starling::io
