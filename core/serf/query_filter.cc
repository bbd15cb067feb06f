#include "core/serf/query_filter.h"

namespace starling {

bool node_filter_matches(const NodeFilter& filter, std::string_view self) {
  bool found = false;
  const bool readable =
      filter.names.for_each([&](Bytes name) { found = found || as_text(name) == self; });
  return readable && found;
}

}  // namespace starling
