// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <unistd.h>

#include <cerrno>
#include <utility>

#include "base/result.h"

namespace ser {

/// An owned file descriptor: closed on destruction.
class Fd {
 public:
  Fd() noexcept = default;
  explicit Fd(int fd) noexcept : x_fd(fd) {}
  Fd(Fd&& other) noexcept : x_fd(std::exchange(other.x_fd, -1)) {}
  Fd& operator=(Fd&& other) noexcept {
    if (this != &other) {
      reset();
      x_fd = std::exchange(other.x_fd, -1);
    }
    return *this;
  }
  ~Fd() { reset(); }
  int get() const noexcept { return x_fd; }
  explicit operator bool() const noexcept { return x_fd >= 0; }
  int release() noexcept { return std::exchange(x_fd, -1); }
  void reset() noexcept {
    if (x_fd >= 0) ::close(std::exchange(x_fd, -1));
  }

 private:
  int x_fd = -1;
};

/// The current errno as an Error. `what` is static text.
inline Error errno_error(const char* what) noexcept {
  return {Errc::system, static_cast<std::uint32_t>(errno), what};
}

}  // namespace ser
