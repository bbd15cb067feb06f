#include "io/memory/ports.h"

#include "tests/io/conformance/waiting.h"

namespace starling::io {

namespace {

INSTANTIATE_TEST_SUITE_P(Memory, WaitConformance, testing::Values(memory_kind()), name_of);

}  // namespace

}  // namespace starling::io
