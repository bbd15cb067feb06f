#include "agent/name_vote.h"

#include <array>
#include <utility>

#include "agent/tag_sets.h"
#include "wire/serf_messages.h"

namespace starling::agent {

namespace {

constexpr std::string_view vote_name = "_serf_conflict";

// The four bytes of an IPv4 address mapped into IPv6, else the address as it is.
Bytes plain(const IpAddress& address) {
  constexpr std::array<std::byte, 12> prefix{
      std::byte{0}, std::byte{0}, std::byte{0}, std::byte{0}, std::byte{0},    std::byte{0},
      std::byte{0}, std::byte{0}, std::byte{0}, std::byte{0}, std::byte{0xff}, std::byte{0xff}};
  const Bytes bytes = address.bytes();
  const bool mapped = bytes.size() == 16 && equal(bytes.first(prefix.size()), prefix);
  return mapped ? bytes.subspan(prefix.size()) : bytes;
}

}  // namespace

bool same_address(const IpAddress& one, const IpAddress& other) {
  return equal(plain(one), plain(other));
}

std::string conflict_answer(const MembersMirror& members, std::string_view name) {
  // A row is at most a name, the metadata and small numbers.
  std::array<std::byte, 4096> room;
  Writer out(room);
  const std::optional<MemberView> member = members.find(name);
  if (!member) {
    encode(ConflictResponse{.address = {}, .name = {}, .tags = {}}, {}, out);
    return std::string(as_text(out.written()));
  }
  const Tags owned = decode_tags(member->tags);
  std::vector<Tag> tags;
  for (const auto& [key, value] : owned) tags.push_back({key, value});
  encode(ConflictResponse{.known = true,
                          .address = member->endpoint.address.bytes(),
                          .port = member->endpoint.port,
                          .name = member->name,
                          .versions = member->versions,
                          .status = static_cast<std::int64_t>(member->status),
                          .tags = {}},
         tags, out);
  return out.ok() ? std::string(as_text(out.written())) : std::string();
}

std::expected<void, std::string> VoteCount::add(std::string_view payload) {
  if (payload.empty() || payload.front() != static_cast<char>(SerfType::conflict_response)) {
    return std::unexpected("Invalid conflict query response type: " +
                           std::to_string(payload.empty() ? 0 : int{payload.front()}));
  }
  Scratch scratch;
  const auto member = decode_conflict_response(as_bytes(payload).subspan(1), scratch);
  if (!member) {
    return std::unexpected("Failed to decode conflict query response: " +
                           std::string(to_text(member.error().fault)));
  }
  ++responses_;
  if (same_address(IpAddress(member->address), own_.address) && member->port == own_.port) {
    ++matching_;
  }
  return {};
}

NameVote::NameVote(QueryDesk& desk, const MembersMirror& members, Log& log, Options options,
                   std::function<void(const std::string& name)> on_lost)
    : desk_(desk),
      members_(members),
      log_(log),
      options_(std::move(options)),
      on_lost_(std::move(on_lost)) {
  desk_.on_internal(std::string(vote_name),
                    [this](const SeenQuery& query, const QueryDesk::Responder& respond) {
                      answer(query, respond);
                    });
}

bool NameVote::ours(std::string_view name) const {
  return name == options_.own_name || options_.hosts(name);
}

void NameVote::on_conflict(const Event& event) {
  if (!options_.enabled || !ours(event.name)) return;
  if (running_.size() == votes_max || running_.contains(event.name)) return;
  const std::string name(event.name);
  const std::optional<MemberView> row = members_.find(name);
  if (name != options_.own_name && !row) return;  // on its way out
  running_.insert(name);
  const auto votes =
      std::make_shared<VoteCount>(name == options_.own_name ? options_.own : row->endpoint);
  QueryParams params;
  params.name = vote_name;
  params.payload = name;
  QueryCallbacks callbacks;
  callbacks.on_response = [this, votes](std::string_view, std::string_view payload) {
    if (const auto added = votes->add(payload); !added)
      log_.refused("vote-answer").err("serf: {}", added.error());
  };
  callbacks.on_done = [this, name, votes] { count(name, *votes); };
  desk_.ask(std::move(params), std::move(callbacks), [this, name](const std::string& error) {
    if (error.empty()) return;
    running_.erase(name);
    log_.refused("vote-failed").err("serf: Failed to start name resolution query: {}", error);
  });
}

void NameVote::count(const std::string& name, const VoteCount& votes) {
  running_.erase(name);
  if (votes.won()) {
    log_.told("vote-result")
        .info("serf: majority in name conflict resolution [{} / {}]", votes.matching(),
              votes.responses());
    return;
  }
  if (name == options_.own_name) {
    log_.told("vote-result")
        .warn("serf: minority in name conflict resolution, quiting [{} / {}]", votes.matching(),
              votes.responses());
  } else {
    log_.told("vote-result")
        .warn("serf: minority in name conflict resolution of hosted member {} [{} / {}]", name,
              votes.matching(), votes.responses());
  }
  on_lost_(name);
}

void NameVote::answer(const SeenQuery& query, const QueryDesk::Responder& respond) {
  // Every member hosted here has a vote but the one whose name it is about.
  const std::string vote = conflict_answer(members_, query.payload);
  respond.for_hosted(vote, query.payload);
  if (query.payload == options_.own_name) return;
  log_.told("vote-query").debug("serf: Got conflict resolution query for '{}'", query.payload);
  respond(vote, [this](const std::string& error) {
    if (!error.empty())
      log_.refused("vote-failed").err("serf: Failed to respond to conflict query: {}", error);
  });
}

}  // namespace starling::agent
