// SPDX-License-Identifier: Apache-2.0
// StoreTrap: ends this process at a certain store into the segment. Clang calls it before each store
// (-fsanitize-coverage=trace-stores), so no place has to be marked and none can be forgotten. Included by one
// file of a program.
#pragma once
#include <unistd.h>

#include <cstddef>
#include <cstdint>

namespace ser {

/// Counts the stores of this process into the segment and ends it at the one that is asked for.
struct StoreTrap {
  const char* begin = nullptr;
  std::size_t size = 0;
  std::int64_t left = -1;  ///< below 0: not armed
  static constexpr int kDied = 42;

  void store(const void* at) noexcept {
    if (left < 0) return;
    if (static_cast<std::size_t>(static_cast<const char*>(at) - begin) >= size) return;
    if (left-- == 0) ::_exit(kDied);
  }
};

inline StoreTrap trap;

}  // namespace ser

extern "C" {
void __sanitizer_cov_store1(void* at) {
  ser::trap.store(at);
}
void __sanitizer_cov_store2(void* at) {
  ser::trap.store(at);
}
void __sanitizer_cov_store4(void* at) {
  ser::trap.store(at);
}
void __sanitizer_cov_store8(void* at) {
  ser::trap.store(at);
}
void __sanitizer_cov_store16(void* at) {
  ser::trap.store(at);
}
}
