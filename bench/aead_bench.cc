// Sealing and opening a packet, by the best engine of this machine and by OpenSSL. The name after
// the slash is the engine; in front of it stands the name in peers/codec.
#include "bench/counters.h"
#include "bench/samples.h"
#include "core/base/rng.h"
#include "wire/aead.h"
#include "wire/base/check.h"

namespace starling::bench {
namespace {

struct Case {
  Cipher::Engine engine;
  std::size_t key_bytes;
  std::size_t plain_bytes;
};

Cipher cipher_of(const Case& one) {
  Keyring keyring;
  const ByteVector key(one.key_bytes, std::byte{7});
  CHECK(keyring.add(*AesKey::from(key)).has_value());
  return Cipher(keyring, one.engine);
}

// A new nonce for each packet, as in a node.
void seal(benchmark::State& state, const Case& one) {
  Cipher cipher = cipher_of(one);
  state.SetLabel(std::string(cipher.engine_name()));
  const ByteVector plain(one.plain_bytes);
  ByteVector sealed(Cipher::sealed_size(1, plain.size()));
  Rng rng(1);
  const Meter meter(state, 1);
  for (auto _ : state) {
    Nonce nonce;
    rng.fill(nonce);
    CHECK(cipher.seal(1, nonce, {}, plain, sealed) == sealed.size());
  }
}

void open(benchmark::State& state, const Case& one) {
  Cipher cipher = cipher_of(one);
  state.SetLabel(std::string(cipher.engine_name()));
  const ByteVector plain(one.plain_bytes);
  ByteVector sealed(Cipher::sealed_size(1, plain.size()));
  CHECK(cipher.seal(1, Nonce{}, {}, plain, sealed) == sealed.size());
  ByteVector back(plain.size());
  const Meter meter(state, 1);
  for (auto _ : state) {
    const auto opened = cipher.open(sealed, {}, back);
    CHECK(opened.has_value() && opened->size() == plain.size());
  }
}

const bool registered = [] {
  for (const std::size_t key_bytes : {16, 32}) {
    for (const std::size_t plain_bytes : {64, 512, 1400}) {
      for (const Cipher::Engine engine : {Cipher::Engine::best, Cipher::Engine::openssl}) {
        const Case one{engine, key_bytes, plain_bytes};
        const std::string before = "aes" + std::to_string(key_bytes * 8) + "_gcm_";
        const std::string after = "_" + std::to_string(plain_bytes) +
                                  (engine == Cipher::Engine::openssl ? "/openssl" : "");
        benchmark::RegisterBenchmark((before + "encrypt" + after).c_str(),
                                     [one](benchmark::State& state) { seal(state, one); });
        benchmark::RegisterBenchmark((before + "decrypt" + after).c_str(),
                                     [one](benchmark::State& state) { open(state, one); });
      }
    }
  }
  return true;
}();

}  // namespace
}  // namespace starling::bench
