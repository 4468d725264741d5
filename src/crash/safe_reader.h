// SPDX-License-Identifier: Apache-2.0
// SafeReader: reads memory that may not be readable.
#pragma once
#include <cstddef>

#include "base/fd.h"

namespace ser::crash {

/// Through a pipe: write(2) refuses an address that cannot be read where a load would raise SIGSEGV. Not
/// process_vm_readv(2), which sandboxes forbid. Not thread-safe.
class SafeReader {
 public:
  /// Without descriptors left it reads nothing.
  SafeReader() noexcept;
  /// False: not all of it could be read; `to` holds anything then. Two system calls for each 4 KiB.
  bool copy(void* to, const void* from, std::size_t bytes) const noexcept;

 private:
  Fd x_reader;
  Fd x_writer;
};

}  // namespace ser::crash
