#include "io/sockets/ports.h"

#include "tests/io/conformance/waiting.h"

namespace starling::io {

namespace {

INSTANTIATE_TEST_SUITE_P(Sockets, WaitConformance, testing::Values(sockets_kind()), name_of);

}  // namespace

}  // namespace starling::io
