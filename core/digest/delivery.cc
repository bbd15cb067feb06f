#include "core/digest/delivery.h"

#include <algorithm>

namespace starling {

namespace {

// One burst: this many datagrams of records, or rows wanted, which the peer answers with as many.
constexpr std::uint32_t burst_messages = 16;
constexpr std::uint32_t burst_wants = 512;
// Rows that other lanes are asked to send: about as many datagrams as above.
constexpr std::uint32_t burst_rows_of_others = 256;
// Rows looked up at a time: a burst may become longer by them.
constexpr std::size_t step = 32;

// The rows that a burst wants, sent as messages of the permitted length.
class Wants {
 public:
  Wants(const SyncHeader& header, SyncOutbox& out) : header_(header), out_(out) {}

  void add(Symbol symbol) {
    writer_.u64(to_number(symbol));
    ++count_;
    if (writer_.room() == 0) flush();
  }
  void flush() {
    if (writer_.size() == 0) return;
    out_.send(header_, SyncWant{.symbols = SyncSymbols(writer_.written())});
    writer_.rewind(0);
  }
  std::uint32_t count() const { return count_; }

 private:
  SyncHeader header_;
  SyncOutbox& out_;
  std::array<std::byte, sync_want_symbols_max * sync_symbol_bytes> symbols_;
  Writer writer_{symbols_};
  std::uint32_t count_ = 0;
};

}  // namespace

void Delivery::begin(std::span<Difference> differences) {
  std::ranges::sort(differences, {}, &Difference::symbol);
  differences_ = differences;
  at_ = 0;
}

// Symbols of one name stand together. If we have a row of the name it is sent, and the peer's is
// not asked for: if it is newer the peer will say so.
void Delivery::send_burst(const SyncHeader& header, SyncOutbox& out) {
  RecordSender sender(out, header, 0);
  Wants wants(header, out);
  RecordSource& source = out.source();
  std::size_t rows_of_others = 0;
  while (!done() && sender.sent() < burst_messages && wants.count() < burst_wants &&
         rows_of_others < burst_rows_of_others) {
    std::array<Symbol, step> ours;
    std::size_t ours_count = 0;
    while (!done() && ours_count < step && wants.count() < burst_wants) {
      const std::uint32_t name = name_part(differences_[at_].symbol);
      const std::size_t first = at_;
      bool have = false;
      for (; !done() && name_part(differences_[at_].symbol) == name; ++at_) {
        have |= differences_[at_].holder == Holder::ours;
      }
      for (const Difference& difference : differences_.subspan(first, at_ - first)) {
        if (difference.holder == Holder::theirs && !have) wants.add(difference.symbol);
        if (difference.holder == Holder::theirs) continue;
        // More rows than this share 24 bits of their names' hashes: only somebody who chose them.
        if (ours_count < step) ours[ours_count++] = difference.symbol;
      }
    }
    const std::span<const Symbol> own =
        source.keep_own(std::span(ours).first(ours_count), header, out.to());
    rows_of_others += ours_count - own.size();
    send_records_of(own, source, sender);
  }
  sender.finish(false);
  wants.flush();
}

}  // namespace starling
