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

DeathCount Quarantine::note_death(shm::Actor& self, std::uint64_t fingerprint, shm::Stage stage,
                                  Instant now) noexcept {
  constexpr std::uint32_t kWaitMs = 20;
  const shm::LockGuard guard(x_table->writing, self, shm::LockLevel::module, kWaitMs);
  return guard.owns() ? count(fingerprint, stage, now) : DeathCount{};
}

DeathCount Quarantine::count(std::uint64_t fingerprint, shm::Stage stage, Instant now) noexcept {
  QuarantineEntry& entry = place_for(fingerprint, stage);
  std::uint32_t deaths = entry.deaths.load(kRelaxed);
  if (is_over(entry, now)) {
    deaths = 0;
    entry.until.store(0, std::memory_order_release);
  }
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

std::vector<QuarantineKept> Quarantine::keep() const {
  std::vector<QuarantineKept> all;
  for (const QuarantineEntry& entry : x_table->entries) {
    all.push_back({entry.fingerprint.load(kRelaxed), entry.stage.load(kRelaxed), entry.deaths.load(kRelaxed),
                   entry.last.load(kRelaxed), entry.until.load(kRelaxed)});
  }
  return all;
}

void Quarantine::restore(const std::vector<QuarantineKept>& kept, Instant now) noexcept {
  QuarantineEntry* place = &x_table->entries[0];
  for (std::size_t i = 0; i < std::min(kept.size(), QuarantineTable::kMax); ++i) {
    const QuarantineKept& one = kept[i];
    const bool in_force = one.until != 0;
    const bool sound = one.fingerprint != 0 && one.deaths != 0 && to_string(one.stage) != "?" &&
                       one.last > 0 && one.last <= now &&
                       (!in_force || one.until == one.last + x_limits.time);
    if (!sound) continue;
    place->stage.store(one.stage, kRelaxed);
    place->deaths.store(one.deaths, kRelaxed);
    place->last.store(one.last, kRelaxed);
    place->fingerprint.store(one.fingerprint, std::memory_order_release);
    if (in_force && x_table->active_until.load(kRelaxed) < one.until) x_table->active_until.store(one.until);
    place->until.store(one.until, std::memory_order_release);
    ++place;
  }
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
