#include "agent/swarm/acts.h"

#include <charconv>
#include <optional>

#include "agent/durations.h"

namespace starling::agent::swarm {
namespace {

struct Word {
  std::string_view word;
  ActKind kind;
};
constexpr Word words[] = {
    {"kill", ActKind::kill},   {"kill-engine", ActKind::kill_engine},
    {"churn", ActKind::churn}, {"partition", ActKind::partition},
    {"loss", ActKind::loss},   {"update", ActKind::update},
    {"leave", ActKind::leave}, {"wait", ActKind::wait},
};

std::string_view trimmed(std::string_view text) {
  const std::size_t first = text.find_first_not_of(" \t\n");
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(" \t\n") - first + 1);
}

template <class Number>
std::optional<Number> number_from(std::string_view text) {
  Number value{};
  const char* const end = text.data() + text.size();
  const auto [at, error] = std::from_chars(text.data(), end, value);
  if (error != std::errc() || at != end) return std::nullopt;
  return value;
}

std::optional<std::string> read_length(std::string_view text, Act& act) {
  const auto length = parse_duration(text);
  if (!length) return length.error();
  // A day is longer than anybody waits, and far from the ends of the clock.
  if (*length <= Duration::zero() || *length > std::chrono::hours(24)) {
    return "the time must be above 0 and at most 24h";
  }
  act.length = *length;
  return std::nullopt;
}

std::optional<std::string> read_count(std::string_view text, Act& act) {
  const auto count = number_from<std::uint32_t>(text);
  if (!count || *count == 0) return "needs a number of members above 0";
  act.count = *count;
  return std::nullopt;
}

// RATE/s:LENGTH
std::optional<std::string> read_churn(std::string_view text, Act& act) {
  const std::size_t colon = text.find(':');
  std::string_view rate = text.substr(0, colon);
  if (colon == std::string_view::npos || !rate.ends_with("/s")) return "needs RATE/s:TIME";
  rate.remove_suffix(2);
  const auto value = number_from<double>(rate);
  if (!value || !(*value > 0) || *value > 1e6) return "the rate must be above 0 and at most 1e6/s";
  act.rate = *value;
  return read_length(text.substr(colon + 1), act);
}

// PROBABILITY or PERCENT%, then perhaps :LENGTH
std::optional<std::string> read_loss(std::string_view text, Act& act) {
  const std::size_t colon = text.find(':');
  std::string_view share = text.substr(0, colon);
  const bool percent = share.ends_with('%');
  if (percent) share.remove_suffix(1);
  const auto value = number_from<double>(share);
  const double probability = value.value_or(-1) / (percent ? 100 : 1);
  if (!(probability > 0) || !(probability < 1)) return "needs a probability between 0 and 1";
  act.probability = probability;
  if (colon == std::string_view::npos) return std::nullopt;
  return read_length(text.substr(colon + 1), act);
}

std::optional<std::string> read_arguments(std::string_view rest, Act& act) {
  switch (act.kind) {
    case ActKind::kill:
    case ActKind::update:
    case ActKind::leave:
      return read_count(rest, act);
    case ActKind::kill_engine:
      if (!rest.empty()) return "takes no argument";
      return std::nullopt;
    case ActKind::churn:
      return read_churn(rest, act);
    case ActKind::loss:
      return read_loss(rest, act);
    case ActKind::partition:
    case ActKind::wait:
      return read_length(rest, act);
  }
  return std::nullopt;
}

}  // namespace

std::string_view to_text(ActKind kind) {
  for (const Word& word : words) {
    if (word.kind == kind) return word.word;
  }
  return "?";
}

std::expected<std::vector<Act>, std::string> parse_acts(std::string_view script) {
  std::vector<Act> acts;
  while (!script.empty()) {
    const std::size_t end = std::min(script.find(';'), script.size());
    const std::string_view text = trimmed(script.substr(0, end));
    script.remove_prefix(std::min(end + 1, script.size()));
    if (text.empty()) continue;
    if (acts.size() == acts_max) {
      return std::unexpected("more than " + std::to_string(acts_max) + " acts");
    }
    const std::size_t space = std::min(text.find(' '), text.size());
    Act act{.text = std::string(text)};
    bool known = false;
    for (const Word& word : words) {
      if (text.substr(0, space) != word.word) continue;
      act.kind = word.kind;
      known = true;
    }
    if (!known) return std::unexpected("act \"" + act.text + "\": no such act");
    if (const auto wrong = read_arguments(trimmed(text.substr(space)), act)) {
      return std::unexpected("act \"" + act.text + "\": " + *wrong);
    }
    acts.push_back(std::move(act));
  }
  return acts;
}

}  // namespace starling::agent::swarm
