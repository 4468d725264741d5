// SPDX-License-Identifier: Apache-2.0
#include "crash/quarantine.h"

#include <algorithm>

namespace ser::crash {

namespace {
constexpr auto kRelaxed = std::memory_order_relaxed;
constexpr Instant kSecond = 1'000'000'000;
}  // namespace

Result<Quarantine> Quarantine::create(shm::Segment& segment, const QuarantineLimits& limits) noexcept {
  auto* table = segment.reserve_object<QuarantineTable>();
  if (table == nullptr) return {Errc::no_space, "segment too small for the quarantine"};
  return Quarantine(*table, limits);
}

bool Quarantine::holds(std::uint64_t fingerprint, Instant now) const noexcept {
  for (const QuarantineEntry& entry : x_table->entries) {
    // In this order: of an entry that is being replaced the new time is seen only with the new fingerprint.
    if (entry.fingerprint.load(std::memory_order_acquire) != fingerprint) continue;
    if (now < entry.until.load(kRelaxed)) return true;
  }
  return false;
}

bool Quarantine::is_over(const QuarantineEntry& entry, Instant now) const noexcept {
  const Instant since = std::max(entry.last.load(kRelaxed), entry.until.load(kRelaxed));
  return now - since > x_limits.time;
}

QuarantineEntry& Quarantine::place_for(std::uint64_t fingerprint, shm::Stage stage) noexcept {
  QuarantineEntry* oldest = &x_table->entries[0];
  for (QuarantineEntry& entry : x_table->entries) {
    if (entry.fingerprint.load(kRelaxed) == fingerprint && entry.stage.load(kRelaxed) == stage) return entry;
    if (entry.last.load(kRelaxed) < oldest->last.load(kRelaxed)) oldest = &entry;
  }
  // Out of force first, in force last: dying between two of these stores leaves an entry that counts nothing.
  oldest->until.store(0, std::memory_order_release);
  oldest->fingerprint.store(0, std::memory_order_release);
  oldest->deaths.store(0, std::memory_order_release);
  oldest->last.store(0, std::memory_order_release);
  oldest->stage.store(stage, std::memory_order_release);
  oldest->fingerprint.store(fingerprint, std::memory_order_release);
  return *oldest;
}

DeathCount Quarantine::note_death(std::uint64_t fingerprint, shm::Stage stage, Instant now) noexcept {
  QuarantineEntry& entry = place_for(fingerprint, stage);
  std::uint32_t deaths = is_over(entry, now) ? 0 : entry.deaths.load(kRelaxed);
  if (deaths != UINT32_MAX) ++deaths;
  entry.deaths.store(deaths, std::memory_order_release);
  entry.last.store(now, std::memory_order_release);
  if (x_limits.deaths == 0 || deaths < x_limits.deaths) return {deaths, false};
  const Instant until = now + x_limits.time;
  // Before the entry: readers who look too early find nothing, readers who do not look would find nothing
  // ever.
  if (x_table->active_until.load(kRelaxed) < until)
    x_table->active_until.store(until, std::memory_order_release);
  entry.until.store(until, std::memory_order_release);
  return {deaths, true};
}

unsigned Quarantine::size(Instant now) const noexcept {
  return static_cast<unsigned>(
      std::count_if(std::begin(x_table->entries), std::end(x_table->entries), [&](const auto& entry) {
        return entry.fingerprint.load(kRelaxed) != 0 && now < entry.until.load(kRelaxed);
      }));
}

std::vector<QuarantineListed> Quarantine::list(Instant now) const {
  std::vector<QuarantineListed> all;
  for (const QuarantineEntry& entry : x_table->entries) {
    const std::uint64_t fingerprint = entry.fingerprint.load(kRelaxed);
    if (fingerprint == 0 || entry.deaths.load(kRelaxed) == 0 || is_over(entry, now)) continue;
    const Instant left = std::clamp<Instant>(entry.until.load(kRelaxed) - now, 0, x_limits.time);
    all.push_back({fingerprint, entry.stage.load(kRelaxed), entry.deaths.load(kRelaxed),
                   static_cast<std::uint32_t>((left + kSecond - 1) / kSecond)});
  }
  return all;
}

}  // namespace ser::crash
