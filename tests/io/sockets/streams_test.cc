#include "io/sockets/streams.h"

#include "tests/io/conformance/streams.h"

namespace starling::io {

namespace {

INSTANTIATE_TEST_SUITE_P(Sockets, StreamConformance, testing::Values(sockets_kind()), name_of);

}  // namespace

}  // namespace starling::io
