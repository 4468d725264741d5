// SPDX-License-Identifier: Apache-2.0
// Fingerprint: what a message looks like, from its raw bytes, so that one that kills a worker is known again.
#pragma once
#include <cstdint>
#include <string_view>

#include "base/endpoint.h"
#include "base/hash.h"

namespace ser::crash {

/// A keyed hash of method or status class, the sequence of header field names (any case, compact form as the
/// long one, unknown ones by their first 64 bytes) and the source's IP address. Not of its port: phones and
/// their routers change it from one message to the next. Not of values: a client that retries writes a new
/// Call-ID, branch and tag. Works on any bytes; linear, no allocation. Never 0.
///
/// The key is the segment's, made at each start: fingerprints of two runs of the server cannot be compared.
std::uint64_t fingerprint(const HashKey& key, std::string_view bytes, const IpAddress& source) noexcept;

}  // namespace ser::crash
