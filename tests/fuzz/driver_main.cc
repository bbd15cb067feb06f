// Runs a fuzz target without libFuzzer: every corpus file as it is, then seeded mutations of them.
//
//   NAME_fuzz CORPUS [--runs N] [--seconds S] [--seed N]
//
// CORPUS is a folder, or one file to be run once. The run ends after N mutations or S seconds,
// whichever comes first. Mutation i depends on the seed and i alone. When the target stops the
// program, the input is saved to fuzz-crash-SEED-I in the working folder and the names are printed:
// the same seed, or the file, shows the failure again.
#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <csignal>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <random>
#include <string>
#include <string_view>
#include <vector>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);
extern "C" __attribute__((weak)) void __sanitizer_set_death_callback(void (*callback)());

namespace {

using Input = std::vector<std::uint8_t>;

constexpr std::size_t input_bytes_max = 4096;

struct Options {
  std::string corpus;
  std::uint64_t runs = 20'000;
  std::uint64_t seed = 1;
  double seconds = 2;
};

// What the crash handler may touch: prepared before each run, only read afterwards.
const Input* current_input = nullptr;
char crash_file[96];

void save_input() {
  if (current_input == nullptr) return;
  const int file = ::open(crash_file, O_WRONLY | O_CREAT | O_TRUNC, 0644);
  if (file < 0) return;
  const bool saved = ::write(file, current_input->data(), current_input->size()) ==
                     static_cast<ssize_t>(current_input->size());
  ::close(file);
  const std::string_view message = saved ? "input saved to " : "input not saved to ";
  for (const std::string_view part :
       {message, std::string_view(crash_file), std::string_view("\n")})
    if (::write(STDERR_FILENO, part.data(), part.size()) < 0) return;
  current_input = nullptr;
}

void on_signal(int signal) {
  save_input();
  std::signal(signal, SIG_DFL);
  std::raise(signal);
}

void run(const Input& input, std::uint64_t seed, std::uint64_t index) {
  std::snprintf(crash_file, sizeof crash_file, "fuzz-crash-%llu-%llu",
                static_cast<unsigned long long>(seed), static_cast<unsigned long long>(index));
  // A copy of exactly the right size, so that a sanitizer sees every read past the end.
  const Input copy(input.begin(), input.end());
  current_input = &copy;
  LLVMFuzzerTestOneInput(copy.data(), copy.size());
  current_input = nullptr;
}

class Mutator {
 public:
  Mutator(std::uint64_t seed, std::uint64_t index) {
    std::seed_seq words{seed, seed >> 32, index, index >> 32};
    generator_.seed(words);
  }

  Input mutate(const std::vector<Input>& corpus) {
    Input input = pick(corpus);
    for (std::size_t i = below(6) + 1; i > 0; --i) change(input, corpus);
    if (input.size() > input_bytes_max) input.resize(input_bytes_max);
    return input;
  }

 private:
  std::size_t below(std::size_t bound) {
    return bound == 0 ? 0 : static_cast<std::size_t>(generator_() % bound);
  }
  const Input& pick(const std::vector<Input>& corpus) { return corpus[below(corpus.size())]; }
  std::uint8_t byte() { return static_cast<std::uint8_t>(generator_()); }

  void change(Input& input, const std::vector<Input>& corpus) {
    // Bytes that start or end something in the formats at hand.
    static constexpr std::uint8_t special[] = {0x00, 0x01, 0x7f, 0x80, 0x81, 0x90, 0x91, 0xa0,
                                               0xbf, 0xc0, 0xc1, 0xc4, 0xc7, 0xcb, 0xcf, 0xd3,
                                               0xd9, 0xda, 0xdb, 0xdc, 0xdd, 0xde, 0xdf, 0xff};
    const std::size_t at = below(input.size());
    const auto position = [&](std::size_t index) {
      return input.begin() + static_cast<std::ptrdiff_t>(index);
    };
    switch (below(9)) {
      case 0:
        if (!input.empty()) input[at] ^= static_cast<std::uint8_t>(1U << below(8));
        break;
      case 1:
        if (!input.empty()) input[at] = byte();
        break;
      case 2:
        if (!input.empty()) input[at] = special[below(sizeof special)];
        break;
      case 3:
        input.insert(position(at), special[below(sizeof special)]);
        break;
      case 4:
        input.insert(position(at), below(16) + 1, byte());
        break;
      case 5:
        input.erase(position(at),
                    position(at + below(std::min<std::size_t>(input.size() - at, 8) + 1)));
        break;
      case 6:
        input.resize(at);
        break;
      case 7: {  // a piece of itself again
        const std::size_t bytes = below(std::min<std::size_t>(input.size() - at, 64) + 1);
        const Input piece(position(at), position(at + bytes));
        input.insert(position(below(input.size() + 1)), piece.begin(), piece.end());
        break;
      }
      default: {  // the end of another input
        const Input& other = pick(corpus);
        input.resize(at);
        input.insert(input.end(), other.begin() + static_cast<std::ptrdiff_t>(below(other.size())),
                     other.end());
        break;
      }
    }
  }

  std::mt19937_64 generator_;
};

Input read_file(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  return Input(std::istreambuf_iterator<char>(file), {});
}

bool parse(int argument_count, char** arguments, Options& options) {
  for (int i = 1; i < argument_count; ++i) {
    const std::string argument = arguments[i];
    if (!argument.starts_with("--")) {
      options.corpus = argument;
    } else if (++i == argument_count) {
      return false;
    } else if (argument == "--runs") {
      options.runs = std::strtoull(arguments[i], nullptr, 10);
    } else if (argument == "--seconds") {
      options.seconds = std::strtod(arguments[i], nullptr);
    } else if (argument == "--seed") {
      options.seed = std::strtoull(arguments[i], nullptr, 10);
    } else {
      return false;
    }
  }
  return !options.corpus.empty();
}

}  // namespace

int main(int argument_count, char** arguments) {
  Options options;
  if (!parse(argument_count, arguments, options)) {
    std::fprintf(stderr, "usage: %s CORPUS [--runs N] [--seconds S] [--seed N]\n", arguments[0]);
    return 2;
  }
  for (const int signal : {SIGABRT, SIGSEGV, SIGBUS, SIGFPE, SIGILL})
    std::signal(signal, on_signal);
  if (__sanitizer_set_death_callback != nullptr) __sanitizer_set_death_callback(save_input);

  std::vector<std::filesystem::path> paths;
  if (std::filesystem::is_directory(options.corpus)) {
    for (const auto& entry : std::filesystem::directory_iterator(options.corpus)) {
      paths.push_back(entry.path());
    }
    std::sort(paths.begin(), paths.end());
  } else {
    paths.push_back(options.corpus);
    options.runs = 0;
  }
  std::vector<Input> corpus;
  for (const auto& path : paths) corpus.push_back(read_file(path));
  if (corpus.empty()) {
    std::fprintf(stderr, "%s: no inputs\n", options.corpus.c_str());
    return 2;
  }
  std::uint64_t index = 0;
  for (const Input& input : corpus) run(input, options.seed, index++);

  const auto start = std::chrono::steady_clock::now();
  const auto elapsed = [&] {
    return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  };
  std::uint64_t runs = 0;
  for (; runs < options.runs; ++runs) {
    if (runs % 64 == 0 && elapsed() > options.seconds) break;
    run(Mutator(options.seed, runs).mutate(corpus), options.seed, index++);
  }
  std::printf("%zu corpus inputs and %llu mutations with seed %llu in %.1f s\n", corpus.size(),
              static_cast<unsigned long long>(runs), static_cast<unsigned long long>(options.seed),
              elapsed());
  return 0;
}
