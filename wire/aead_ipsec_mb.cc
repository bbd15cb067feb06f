#include "wire/aead_ipsec_mb.h"

#include <intel-ipsec-mb.h>
#include <openssl/crypto.h>

#include <vector>

#include "wire/base/check.h"

namespace starling {
namespace {

struct FreeManager {
  void operator()(IMB_MGR* manager) const { free_mb_mgr(manager); }
};
using Manager = std::unique_ptr<IMB_MGR, FreeManager>;

Manager make_manager() {
  Manager manager(alloc_mb_mgr(0));
  if (manager) init_mb_mgr_auto(manager.get(), nullptr);
  return manager;
}

// One expanded key and the routines of its size.
struct Schedule {
  gcm_key_data data;
  aes_gcm_enc_dec_t encrypt;
  aes_gcm_enc_dec_t decrypt;
};

const std::uint8_t* octets(const std::byte* bytes) {
  return reinterpret_cast<const std::uint8_t*>(bytes);
}
std::uint8_t* octets(std::byte* bytes) {
  return reinterpret_cast<std::uint8_t*>(bytes);
}

}  // namespace

struct IpsecMbGcm::State {
  std::vector<Schedule> schedules;
  gcm_context_data context{};
  // Needed for making schedules only, and a quarter of a megabyte: kept where keys may change.
  Manager kept;

  ~State() { forget(); }
  void forget() {
    OPENSSL_cleanse(schedules.data(), schedules.size() * sizeof(Schedule));
    OPENSSL_cleanse(&context, sizeof context);
    schedules.clear();
  }
  // Growing would leave copies of keys behind.
  void make_room(std::size_t keys) {
    if (keys <= schedules.capacity()) return;
    forget();
    schedules = std::vector<Schedule>();
    schedules.reserve(keys);
  }
};

bool IpsecMbGcm::available() {
  const Manager manager = make_manager();
  if (!manager || imb_get_errno(manager.get()) != 0) return false;
  // Without AES instructions the library emulates them, slower than OpenSSL.
  constexpr std::uint64_t needed = IMB_FEATURE_AESNI | IMB_FEATURE_PCLMULQDQ;
  return (manager->features & needed) == needed;
}

IpsecMbGcm::IpsecMbGcm() : state_(std::make_unique<State>()) {}
IpsecMbGcm::~IpsecMbGcm() = default;
IpsecMbGcm::IpsecMbGcm(IpsecMbGcm&&) noexcept = default;
IpsecMbGcm& IpsecMbGcm::operator=(IpsecMbGcm&&) noexcept = default;

void IpsecMbGcm::reserve(std::size_t keys) {
  if (!state_->kept) state_->kept = make_manager();
  std::vector<Schedule> before(state_->schedules);
  state_->make_room(keys);
  state_->schedules.assign(before.begin(), before.end());
  OPENSSL_cleanse(before.data(), before.size() * sizeof(Schedule));
}

void IpsecMbGcm::rekey(std::span<const AesKey> keys) {
  state_->forget();
  if (keys.empty()) return;
  state_->make_room(keys.size());
  state_->schedules.resize(keys.size());
  Manager lent;
  if (!state_->kept) lent = make_manager();
  IMB_MGR* const manager = state_->kept ? state_->kept.get() : lent.get();
  CHECK(manager != nullptr);
  for (std::size_t i = 0; i < keys.size(); ++i) {
    Schedule& schedule = state_->schedules[i];
    const void* raw = keys[i].bytes().data();
    switch (keys[i].bytes().size()) {
      case 16:
        IMB_AES128_GCM_PRE(manager, raw, &schedule.data);
        schedule.encrypt = manager->gcm128_enc;
        schedule.decrypt = manager->gcm128_dec;
        break;
      case 24:
        IMB_AES192_GCM_PRE(manager, raw, &schedule.data);
        schedule.encrypt = manager->gcm192_enc;
        schedule.decrypt = manager->gcm192_dec;
        break;
      default:
        IMB_AES256_GCM_PRE(manager, raw, &schedule.data);
        schedule.encrypt = manager->gcm256_enc;
        schedule.decrypt = manager->gcm256_dec;
        break;
    }
  }
}

std::size_t IpsecMbGcm::keys() const {
  return state_->schedules.size();
}

void IpsecMbGcm::encrypt(std::size_t key, const Nonce& nonce, Bytes associated, Bytes plain,
                         std::byte* output, std::span<std::byte, gcm_tag_bytes> tag) {
  const Schedule& schedule = state_->schedules[key];
  schedule.encrypt(&schedule.data, &state_->context, octets(output), octets(plain.data()),
                   plain.size(), octets(nonce.data()), octets(associated.data()), associated.size(),
                   octets(tag.data()), tag.size());
}

bool IpsecMbGcm::decrypt(std::size_t key, const Nonce& nonce, Bytes associated, Bytes sealed,
                         std::byte* output, std::span<const std::byte, gcm_tag_bytes> tag) {
  const Schedule& schedule = state_->schedules[key];
  std::array<std::byte, gcm_tag_bytes> computed;
  schedule.decrypt(&schedule.data, &state_->context, octets(output), octets(sealed.data()),
                   sealed.size(), octets(nonce.data()), octets(associated.data()),
                   associated.size(), octets(computed.data()), computed.size());
  return CRYPTO_memcmp(computed.data(), tag.data(), tag.size()) == 0;
}

}  // namespace starling
