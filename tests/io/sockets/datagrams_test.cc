#include "io/sockets/datagrams.h"

#include "tests/io/conformance/datagrams.h"

namespace starling::io {

namespace {

INSTANTIATE_TEST_SUITE_P(Sockets, DatagramConformance, testing::Values(sockets_kind()), name_of);

}  // namespace

}  // namespace starling::io
