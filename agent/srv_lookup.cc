#include "agent/srv_lookup.h"

#include <algorithm>
#include <array>
#include <tuple>

#include <arpa/nameser.h>
#include <netdb.h>
#include <netinet/in.h>
#include <resolv.h>

namespace starling::agent {
namespace {

// A resolver's state, closed at the end.
class Query {
 public:
  Query() : ready_(res_ninit(&state_) == 0) {}
  ~Query() {
    if (ready_) res_nclose(&state_);
  }
  Query(const Query&) = delete;
  Query& operator=(const Query&) = delete;

  bool ready() const { return ready_; }
  void ask_only(const Endpoint& server) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(server.port);
    std::ranges::copy(server.address.bytes().first(4),
                      reinterpret_cast<std::byte*>(&address.sin_addr));
    state_.nscount = 1;
    state_.nsaddr_list[0] = address;
    state_.retrans = 1;
    state_.retry = 2;
  }
  int run(const char* name, std::span<unsigned char> room) {
    return res_nquery(&state_, name, ns_c_in, ns_t_srv, room.data(), static_cast<int>(room.size()));
  }
  int problem() const { return state_.res_h_errno; }

 private:
  struct __res_state state_ {};
  bool ready_;
};

}  // namespace

bool is_service_name(std::string_view host) {
  const std::size_t dot = host.find("._");
  return host.starts_with('_') && dot != std::string_view::npos &&
         host.find('.', dot + 2) != std::string_view::npos;
}

std::optional<std::vector<ServicePlace>> read_service_answer(Bytes answer) {
  ns_msg message;
  const auto* const bytes = reinterpret_cast<const unsigned char*>(answer.data());
  if (ns_initparse(bytes, static_cast<int>(answer.size()), &message) != 0) return std::nullopt;
  std::vector<ServicePlace> places;
  const int count = ns_msg_count(message, ns_s_an);
  for (int i = 0; i < count && places.size() < service_places_max; ++i) {
    ns_rr record;
    if (ns_parserr(&message, ns_s_an, i, &record) != 0) return std::nullopt;
    if (ns_rr_type(record) != ns_t_srv || ns_rr_rdlen(record) < 7) continue;
    const unsigned char* const data = ns_rr_rdata(record);
    std::array<char, NS_MAXDNAME> host;
    if (dn_expand(ns_msg_base(message), ns_msg_end(message), data + 6, host.data(),
                  static_cast<int>(host.size())) < 0) {
      return std::nullopt;
    }
    places.push_back({.host = host.data(),
                      .port = static_cast<std::uint16_t>(ns_get16(data + 4)),
                      .priority = static_cast<std::uint16_t>(ns_get16(data)),
                      .weight = static_cast<std::uint16_t>(ns_get16(data + 2))});
  }
  // Names and ports decide where the records leave it open, so that the order is always the same.
  std::ranges::sort(places, {}, [](const ServicePlace& place) {
    return std::tuple(place.priority, -static_cast<int>(place.weight), std::string_view(place.host),
                      place.port);
  });
  return places;
}

std::expected<std::vector<ServicePlace>, std::string> look_up_service(
    const std::string& name, std::optional<Endpoint> server) {
  const auto failed = [&](std::string_view why) {
    return std::unexpected("lookup " + name + ": " + std::string(why));
  };
  Query query;
  if (!query.ready()) return failed("no resolver");
  if (server) query.ask_only(*server);
  std::vector<unsigned char> room(NS_MAXMSG);
  const int size = query.run(name.c_str(), room);
  if (size < 0) {
    const int problem = query.problem();
    return failed(problem == HOST_NOT_FOUND || problem == NO_DATA ? "no such host"
                                                                  : hstrerror(problem));
  }
  const auto length = std::min(room.size(), static_cast<std::size_t>(size));
  auto places = read_service_answer(std::as_bytes(std::span(room).first(length)));
  if (!places) return failed("cannot unmarshal DNS message");
  // A single "." says that the service is not there.
  std::erase_if(*places, [](const ServicePlace& place) { return place.host.empty(); });
  if (places->empty()) return failed("no such host");
  return std::move(*places);
}

}  // namespace starling::agent
