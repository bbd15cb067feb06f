#include "agent/mdns_message.h"

#include <algorithm>
#include <array>

#include "agent/go_text.h"

namespace starling::agent {
namespace {

constexpr std::size_t name_bytes_max = 255;
constexpr std::size_t label_bytes_max = 63;
constexpr std::uint16_t class_in = 1;
constexpr std::uint32_t ttl_seconds = 120;
constexpr std::uint16_t srv_priority = 10, srv_weight = 1;

class DnsReader {
 public:
  explicit DnsReader(Bytes packet) : packet_(packet) {}

  bool ok() const { return ok_; }
  std::size_t at() const { return at_; }
  void go_to(std::size_t at) { at_ = at; }
  std::uint8_t u8() {
    if (at_ >= packet_.size()) ok_ = false;
    return ok_ ? std::to_integer<std::uint8_t>(packet_[at_++]) : std::uint8_t{0};
  }
  std::uint16_t u16() {
    const unsigned high = u8();
    return static_cast<std::uint16_t>(high << 8 | u8());
  }
  void skip(std::size_t bytes) {
    if (packet_.size() - at_ < bytes) ok_ = false;
    if (ok_) at_ += bytes;
  }
  Bytes bytes(std::size_t count) {
    const std::size_t from = at_;
    skip(count);
    return ok_ ? packet_.subspan(from, count) : Bytes{};
  }
  // A name, in lower case. Pointers lead backwards, so that it ends.
  std::string name() {
    std::string text;
    std::size_t end = 0;  // behind the name where it stands; 0: no pointer yet
    std::size_t lowest = at_;
    for (;;) {
      const unsigned length = u8();
      if (!ok_) return {};
      if (length == 0) break;
      if (length >= 0xc0) {
        const std::size_t to = (length & 0x3f) << 8 | u8();
        if (end == 0) end = at_;
        if (!ok_ || to >= lowest) return fail();
        lowest = to;
        at_ = to;
        continue;
      }
      if (length > label_bytes_max) return fail();
      const Bytes label = bytes(length);
      if (text.size() + label.size() + 1 > name_bytes_max) return fail();
      if (!text.empty()) text += '.';
      text += as_text(label);
    }
    if (end != 0) at_ = end;
    return to_lower(text);
  }

 private:
  std::string fail() {
    ok_ = false;
    return {};
  }
  Bytes packet_;
  std::size_t at_ = 0;
  bool ok_ = true;
};

bool is_known(DnsType type) {
  return type == DnsType::a || type == DnsType::ptr || type == DnsType::txt ||
         type == DnsType::aaaa || type == DnsType::srv;
}

// The data of a record; false when it does not fit its length.
bool read_data(DnsReader& in, std::size_t length, MdnsRecord& record) {
  const std::size_t end = in.at() + length;
  switch (record.type) {
    case DnsType::ptr:
      record.target = in.name();
      break;
    case DnsType::srv:
      in.skip(4);
      record.port = in.u16();
      record.target = in.name();
      break;
    case DnsType::a:
    case DnsType::aaaa:
      if (length != (record.type == DnsType::a ? 4 : 16)) return false;
      record.address = IpAddress(in.bytes(length));
      break;
    default:
      while (in.ok() && in.at() < end) {
        const std::string_view text = as_text(in.bytes(in.u8()));
        if (!record.text.empty()) record.text += '|';
        record.text += text;
      }
      break;
  }
  return in.ok() && in.at() == end;
}

class DnsWriter {
 public:
  std::vector<std::byte> bytes;
  bool ok = true;

  void u8(unsigned value) { bytes.push_back(static_cast<std::byte>(value)); }
  void u16(unsigned value) {
    u8(value >> 8);
    u8(value & 0xff);
  }
  void u32(std::uint32_t value) {
    u16(value >> 16);
    u16(value & 0xffff);
  }
  void text(std::string_view value) {
    for (const char c : value) u8(static_cast<unsigned char>(c));
  }
  // Its labels, and then a pointer or the end.
  void name(std::string_view value, std::optional<std::size_t> pointer = std::nullopt) {
    if (value.size() + 2 > name_bytes_max) ok = false;
    while (!value.empty()) {
      const std::string_view label = value.substr(0, value.find('.'));
      if (label.empty() || label.size() > label_bytes_max) ok = false;
      u8(static_cast<unsigned>(label.size()));
      text(label);
      value.remove_prefix(std::min(label.size() + 1, value.size()));
    }
    if (pointer) {
      u16(0xc000U | static_cast<unsigned>(*pointer));
    } else {
      u8(0);
    }
  }
  void header(std::uint16_t id, unsigned flags, unsigned questions, unsigned answers) {
    u16(id);
    u16(flags);
    u16(questions);
    u16(answers);
    u32(0);
  }
  // What follows a record's name; the length is filled in by end_data().
  void begin_data(DnsType type) {
    u16(static_cast<unsigned>(type));
    u16(class_in);
    u32(ttl_seconds);
    u16(0);
    data_ = bytes.size();
  }
  void end_data() {
    const std::size_t length = bytes.size() - data_;
    bytes[data_ - 2] = static_cast<std::byte>(length >> 8);
    bytes[data_ - 1] = static_cast<std::byte>(length & 0xff);
  }

 private:
  std::size_t data_ = 0;
};

std::string_view without_last_dot(std::string_view name) {
  return name.ends_with('.') ? name.substr(0, name.size() - 1) : name;
}

}  // namespace

std::optional<MdnsMessage> decode_mdns(Bytes packet) {
  DnsReader in(packet);
  MdnsMessage message;
  message.id = in.u16();
  message.response = (in.u16() & 0x8000) != 0;
  const std::size_t questions = in.u16();
  const std::size_t answers = in.u16();
  const std::size_t authorities = in.u16();
  const std::size_t records = answers + authorities + in.u16();
  if (!in.ok() || questions > MdnsMessage::records_max || records > MdnsMessage::records_max) {
    return std::nullopt;
  }
  for (std::size_t i = 0; i < questions; ++i) {
    MdnsQuestion question;
    question.name = in.name();
    question.type = static_cast<DnsType>(in.u16());
    in.skip(2);
    if (!in.ok()) return std::nullopt;
    message.questions.push_back(std::move(question));
  }
  for (std::size_t i = 0; i < records; ++i) {
    MdnsRecord record;
    record.name = in.name();
    record.type = static_cast<DnsType>(in.u16());
    in.skip(6);  // class and time to live
    const std::size_t length = in.u16();
    if (!in.ok()) return std::nullopt;
    if (!is_known(record.type)) {
      in.skip(length);
    } else if (read_data(in, length, record)) {
      const bool counts = i < answers || i >= answers + authorities;
      if (counts) message.records.push_back(std::move(record));
      continue;
    } else {
      return std::nullopt;
    }
    if (!in.ok()) return std::nullopt;
  }
  return message;
}

std::string mdns_service(std::string_view cluster) {
  return "_serf_" + std::string(cluster) + "._tcp.local";
}

std::vector<std::byte> encode_mdns_query(std::uint16_t id, std::string_view service) {
  DnsWriter out;
  out.header(id, 0, 1, 0);
  out.name(service);
  out.u16(static_cast<unsigned>(DnsType::ptr));
  out.u16(class_in);
  return out.ok ? out.bytes : std::vector<std::byte>{};
}

std::vector<std::byte> encode_mdns_answer(const MdnsInstance& instance) {
  DnsWriter out;
  constexpr unsigned answer_and_authoritative = 0x8400;
  out.header(0, answer_and_authoritative, 0, 4);
  const std::size_t service = out.bytes.size();
  out.name(instance.service);
  out.begin_data(DnsType::ptr);
  const std::size_t name = out.bytes.size();
  out.name(without_last_dot(instance.instance), service);
  out.end_data();

  out.name({}, name);
  out.begin_data(DnsType::srv);
  out.u16(srv_priority);
  out.u16(srv_weight);
  out.u16(instance.port);
  const std::size_t host = out.bytes.size();
  out.name(without_last_dot(instance.host));
  out.end_data();

  const bool v4 = instance.address.bytes().size() == 4;
  out.name({}, host);
  out.begin_data(v4 ? DnsType::a : DnsType::aaaa);
  for (const std::byte each : instance.address.bytes()) out.bytes.push_back(each);
  out.end_data();

  out.name({}, name);
  out.begin_data(DnsType::txt);
  const std::string_view text = std::string_view(instance.text).substr(0, 255);
  out.u8(static_cast<unsigned>(text.size()));
  out.text(text);
  out.end_data();
  const std::size_t whole =
      without_last_dot(instance.instance).size() + 1 + instance.service.size() + 2;
  return out.ok && whole <= name_bytes_max ? out.bytes : std::vector<std::byte>{};
}

}  // namespace starling::agent
