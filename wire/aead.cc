#include "wire/aead.h"

#include <cstring>
#include <variant>

#include "wire/aead_openssl.h"
#include "wire/base/check.h"
#ifdef STARLING_HAVE_IPSEC_MB
#include "wire/aead_ipsec_mb.h"
#endif

namespace starling {
namespace {

constexpr std::size_t block_bytes = 16;
constexpr std::size_t prefix_bytes = 1 + nonce_bytes;  // version and nonce
constexpr const char* layer_name = "encryption";

#ifdef STARLING_HAVE_IPSEC_MB
using AnyEngine = std::variant<OpensslGcm, IpsecMbGcm>;
#else
using AnyEngine = std::variant<OpensslGcm>;
#endif

AnyEngine make_engine([[maybe_unused]] Cipher::Engine wanted) {
#ifdef STARLING_HAVE_IPSEC_MB
  if (wanted != Cipher::Engine::openssl && IpsecMbGcm::available()) return IpsecMbGcm();
#endif
  return OpensslGcm();
}

std::size_t padding_for(unsigned version, std::size_t plain_bytes) {
  return version == 0 ? block_bytes - plain_bytes % block_bytes : 0;
}

// The padding's length; 0 when no encoder writes such a plaintext.
std::size_t padding_of(Bytes plain) {
  if (plain.empty() || plain.size() % block_bytes != 0) return 0;
  const std::size_t count = std::to_integer<std::size_t>(plain.back());
  if (count < 1 || count > block_bytes) return 0;
  const bool uniform =
      std::ranges::all_of(plain.last(count), [&](std::byte pad) { return pad == plain.back(); });
  return uniform ? count : 0;
}

std::unexpected<WireError> failure(WireFault fault, const char* field = "") {
  return std::unexpected(WireError{layer_name, field, fault, 0});
}

}  // namespace

struct Cipher::Impl {
  AnyEngine engine;
  std::size_t key_count = 0;

  template <class Engine>
  static bool decrypt_with_any(Engine& engine, std::size_t key_count, const Nonce& nonce,
                               Bytes associated, Bytes sealed, MutableBytes output,
                               std::span<const std::byte, gcm_tag_bytes> tag) {
    const bool in_place = sealed.data() == output.data();
    for (std::size_t key = 0; key < key_count; ++key) {
      if (engine.decrypt(key, nonce, associated, sealed, output.data(), tag)) return true;
      // GCM encrypts by XOR with a key stream: the same key turns its garbage back into the
      // ciphertext, which the next key needs.
      std::array<std::byte, gcm_tag_bytes> unused;
      if (in_place) engine.encrypt(key, nonce, {}, output, output.data(), unused);
    }
    // Nothing that failed authentication stays readable.
    if (!in_place) std::memset(output.data(), 0, output.size());
    return false;
  }
};

Cipher::Cipher(const Keyring& keyring, Engine engine)
    : impl_(std::make_unique<Impl>(Impl{make_engine(engine)})) {
  rekey(keyring);
}
Cipher::~Cipher() = default;
Cipher::Cipher(Cipher&&) noexcept = default;
Cipher& Cipher::operator=(Cipher&&) noexcept = default;

void Cipher::reserve(std::size_t keys) {
  std::visit([&](auto& engine) { engine.reserve(keys); }, impl_->engine);
}

void Cipher::rekey(const Keyring& keyring) {
  std::visit([&](auto& engine) { engine.rekey(keyring.keys()); }, impl_->engine);
  impl_->key_count = keyring.keys().size();
}

bool Cipher::enabled() const {
  return impl_->key_count > 0;
}

std::string_view Cipher::engine_name() const {
  return std::visit([](const auto& engine) { return engine.name; }, impl_->engine);
}

std::size_t Cipher::sealed_size(unsigned version, std::size_t plain_bytes) {
  return plain_bytes + padding_for(version, plain_bytes) + encrypt_overhead_v1;
}

std::size_t Cipher::seal(unsigned version, const Nonce& nonce, Bytes associated, Bytes plain,
                         MutableBytes output) {
  CHECK(enabled());
  CHECK(version <= 1);
  const std::size_t size = sealed_size(version, plain.size());
  if (size > output.size()) return 0;

  const std::size_t padding = padding_for(version, plain.size());
  const MutableBytes body = output.subspan(prefix_bytes, plain.size() + padding);
  const auto tag = output.subspan(prefix_bytes + body.size()).first<gcm_tag_bytes>();
  Bytes input = plain;
  if (padding > 0) {
    if (!plain.empty()) std::memmove(body.data(), plain.data(), plain.size());
    std::ranges::fill(body.last(padding), static_cast<std::byte>(padding));
    input = body;
  }
  std::visit([&](auto& engine) { engine.encrypt(0, nonce, associated, input, body.data(), tag); },
             impl_->engine);
  output[0] = static_cast<std::byte>(version);
  std::ranges::copy(nonce, output.begin() + 1);
  return size;
}

Decoded<Bytes> Cipher::open(Bytes sealed, Bytes associated, MutableBytes output) {
  if (!enabled()) return failure(WireFault::no_key);
  if (sealed.empty()) return failure(WireFault::truncated);
  const unsigned version = std::to_integer<unsigned>(sealed[0]);
  if (version > 1) return failure(WireFault::unsupported, "version");
  const std::size_t least = version == 0 ? encrypt_overhead_v0_max : encrypt_overhead_v1;
  if (sealed.size() < least) return failure(WireFault::truncated);

  const std::size_t body_bytes = sealed.size() - encrypt_overhead_v1;
  if (output.size() < body_bytes) return failure(WireFault::no_space);
  Nonce nonce;
  std::ranges::copy(sealed.subspan(1, nonce_bytes), nonce.begin());
  const Bytes body = sealed.subspan(prefix_bytes, body_bytes);
  const MutableBytes plain = output.first(body_bytes);
  const auto tag = sealed.last<gcm_tag_bytes>();
  const bool authentic = std::visit(
      [&](auto& engine) {
        return Impl::decrypt_with_any(engine, impl_->key_count, nonce, associated, body, plain,
                                      tag);
      },
      impl_->engine);
  if (!authentic) return failure(WireFault::mismatch);

  std::size_t padding = 0;
  if (version == 0) {
    padding = padding_of(plain);
    if (padding == 0) return failure(WireFault::mismatch, "padding");
  }
  if (body_bytes == padding) return failure(WireFault::malformed, "plaintext");
  return Bytes(plain).first(body_bytes - padding);
}

}  // namespace starling
