#include "agent/durations.h"

#include <array>
#include <cmath>
#include <cstdint>
#include <optional>

#include "agent/go_text.h"

namespace starling::agent {
namespace {

struct Unit {
  std::string_view name;
  std::int64_t nanoseconds;
};
constexpr std::array<Unit, 8> units{{{"ns", 1},
                                     {"us", 1'000},
                                     {"\u00b5s", 1'000},
                                     {"\u03bcs", 1'000},
                                     {"ms", 1'000'000},
                                     {"s", 1'000'000'000},
                                     {"m", 60'000'000'000},
                                     {"h", 3'600'000'000'000}}};

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

// A number with its fraction, in units of `nanoseconds` each.
struct Amount {
  std::uint64_t whole = 0;
  std::uint64_t fraction = 0;
  double scale = 1;  // what `fraction` is to be divided by
};

// The leading number of `text`, taken off it; nullopt when there is none or it does not fit.
std::optional<Amount> take_amount(std::string_view& text) {
  constexpr std::uint64_t limit = std::uint64_t{1} << 63;
  Amount amount;
  bool digits = false;
  for (; !text.empty() && is_digit(text[0]); text.remove_prefix(1), digits = true) {
    if (amount.whole > limit / 10) return std::nullopt;
    amount.whole = amount.whole * 10 + static_cast<std::uint64_t>(text[0] - '0');
    if (amount.whole > limit) return std::nullopt;
  }
  if (!text.empty() && text[0] == '.') {
    text.remove_prefix(1);
    for (; !text.empty() && is_digit(text[0]); text.remove_prefix(1), digits = true) {
      if (amount.fraction > (limit - 10) / 10) continue;  // further digits change nothing
      amount.fraction = amount.fraction * 10 + static_cast<std::uint64_t>(text[0] - '0');
      amount.scale *= 10;
    }
  }
  if (!digits) return std::nullopt;
  return amount;
}

// `value` nanoseconds in units of 10^digits ns, without trailing zeros.
std::string decimal(std::uint64_t value, unsigned digits) {
  std::uint64_t power = 1;
  for (unsigned i = 0; i < digits; ++i) power *= 10;
  std::string out = std::to_string(value / power);
  std::string fraction = std::to_string(value % power);
  fraction.insert(0, digits - fraction.size(), '0');
  while (!fraction.empty() && fraction.back() == '0') fraction.pop_back();
  return fraction.empty() ? out : out + "." + fraction;
}

}  // namespace

std::expected<Duration, std::string> parse_duration(std::string_view text) {
  const std::string quoted = go_quote(text);
  const auto invalid = [&] { return std::unexpected("time: invalid duration " + quoted); };
  std::string_view rest = text;
  const bool negative = rest.starts_with('-');
  if (negative || rest.starts_with('+')) rest.remove_prefix(1);
  if (rest == "0") return Duration::zero();
  if (rest.empty()) return invalid();

  constexpr std::uint64_t limit = std::uint64_t{1} << 63;
  std::uint64_t total = 0;
  while (!rest.empty()) {
    if (rest[0] != '.' && !is_digit(rest[0])) return invalid();
    const std::optional<Amount> amount = take_amount(rest);
    if (!amount) return invalid();
    std::size_t unit_bytes = 0;
    while (unit_bytes < rest.size() && rest[unit_bytes] != '.' && !is_digit(rest[unit_bytes])) {
      ++unit_bytes;
    }
    if (unit_bytes == 0) return std::unexpected("time: missing unit in duration " + quoted);
    const std::string_view name = rest.substr(0, unit_bytes);
    rest.remove_prefix(unit_bytes);
    std::int64_t unit = 0;
    for (const Unit& known : units) {
      if (known.name == name) unit = known.nanoseconds;
    }
    if (unit == 0) {
      return std::unexpected("time: unknown unit " + go_quote(name) + " in duration " + quoted);
    }
    const auto unit_ns = static_cast<std::uint64_t>(unit);
    if (amount->whole > limit / unit_ns) return invalid();
    std::uint64_t part = amount->whole * unit_ns;
    if (amount->fraction > 0) {
      part += static_cast<std::uint64_t>(static_cast<double>(amount->fraction) *
                                         (static_cast<double>(unit) / amount->scale));
    }
    if (part > limit || total + part > limit) return invalid();
    total += part;
  }
  if (negative && total == limit) return Duration(INT64_MIN);
  if (total >= limit) return invalid();
  const auto value = static_cast<std::int64_t>(total);
  return Duration(negative ? -value : value);
}

std::string format_duration(Duration value) {
  if (value == Duration::zero()) return "0s";
  const bool negative = value < Duration::zero();
  const auto raw = static_cast<std::uint64_t>(value.count());
  const std::uint64_t ns = negative ? 0 - raw : raw;
  const std::string sign = negative ? "-" : "";
  if (ns < 1'000) return sign + std::to_string(ns) + "ns";
  if (ns < 1'000'000) return sign + decimal(ns, 3) + "\u00b5s";
  if (ns < 1'000'000'000) return sign + decimal(ns, 6) + "ms";
  const std::uint64_t minutes = ns / 60'000'000'000;
  std::string out = sign;
  if (minutes >= 60) out += std::to_string(minutes / 60) + "h";
  if (minutes > 0) out += std::to_string(minutes % 60) + "m";
  return out + decimal(ns % 60'000'000'000, 9) + "s";
}

}  // namespace starling::agent
