// SPDX-License-Identifier: Apache-2.0
#include "net/dns_questions.h"

#include <algorithm>

namespace ser::net {

namespace {

constexpr std::uint32_t kHostsTtl = 300;
constexpr Instant kHostsCheck = 1'000'000'000;
constexpr Instant kSecond = 1'000'000'000;

std::string key_of(const DnsName& name, DnsType type) {
  std::string key(name.view());
  key.push_back(' ');
  key.append(to_string(type));
  return key;
}

}  // namespace

void DnsQuestions::start() {
  x_started = true;
  x_cache.repair();
  x_hosts_checked = 0;
  for (auto& [key, kept] : x_kept) kept.next = 0;
  refresh();
}

void DnsQuestions::forget() noexcept {
  x_started = false;
  x_pending.clear();
}

Result<void> DnsQuestions::request(std::string_view text, DnsType type) {
  DnsName name;
  if (!name.assign(text) || parse_ip(text)) {
    ++x_stats.refused;
    return {Errc::syntax, "not a host name"};
  }
  if (!x_started) return {Errc::refused, "the resolver is not started"};
  DnsAnswer known;
  if (x_cache.find(name.view(), type, x_clock.now(), known) == DnsFreshness::fresh) return {};
  return ask(name, type);
}

Result<void> DnsQuestions::keep_fresh(std::string_view text, DnsType type) {
  Kept kept;
  if (!kept.name.assign(text) || parse_ip(text)) return {Errc::syntax, "not a host name"};
  if (x_kept.size() >= kMaxKept) return {Errc::too_many, "too many names to keep fresh"};
  kept.type = type;
  const bool added = x_kept.emplace(key_of(kept.name, type), kept).second;
  if (added && x_started) refresh();
  return {};
}

Result<void> DnsQuestions::ask(const DnsName& name, DnsType type) {
  DnsAnswer answer;
  if (answer_from_hosts(name, type, answer)) {
    settle(name, type, answer, kHostsTtl, x_options.stale_ttl);
    return {};
  }
  std::string key = key_of(name, type);
  if (x_pending.count(key) != 0) {
    ++x_stats.joined;
    return {};
  }
  if (x_pending.size() >= x_options.max_pending) {
    ++x_stats.refused;
    return {Errc::too_many, "too many DNS queries are running"};
  }
  x_pending.insert(std::move(key));
  ++x_stats.queries;
  x_transport.ask(name, type);
  return {};
}

bool DnsQuestions::answer_from_hosts(const DnsName& name, DnsType type, DnsAnswer& answer) {
  if (x_options.hosts_file.empty()) return false;
  const Instant now = x_clock.now();
  if (x_hosts_checked == 0 || now - x_hosts_checked >= kHostsCheck) {
    x_hosts.refresh(x_options.hosts_file);
    x_hosts_checked = now;
  }
  return x_hosts.answer(name.view(), type, answer);
}

void DnsQuestions::answered(const DnsName& name, DnsType type, const DnsAnswer& answer) {
  x_pending.erase(key_of(name, type));
  switch (answer.status) {
    case DnsStatus::ok: {
      ++x_stats.answers;
      const std::uint32_t ttl = std::max(x_options.min_ttl, std::min(answer.ttl, x_options.max_ttl));
      return settle(name, type, answer, ttl, x_options.stale_ttl);
    }
    case DnsStatus::no_data:
    case DnsStatus::no_name: {
      ++x_stats.negative;
      const std::uint32_t given = answer.ttl == 0 ? x_options.negative_ttl : answer.ttl;
      return settle(name, type, answer, std::max(x_options.min_ttl, std::min(given, x_options.negative_ttl)),
                    0);
    }
    case DnsStatus::failure:
      ++x_stats.failures;
      return settle(name, type, answer, x_options.failure_ttl, 0);
  }
}

void DnsQuestions::settle(const DnsName& name, DnsType type, const DnsAnswer& answer, std::uint32_t ttl,
                          std::uint32_t stale) {
  const Instant now = x_clock.now();
  x_cache.store(name.view(), type, answer, ttl, stale, now);
  const auto kept = x_kept.find(key_of(name, type));
  if (kept != x_kept.end()) {
    kept->second.next = now + std::max(1U, ttl) * kSecond;
    x_transport.refresh_moved();
  }
  if (x_observer != nullptr) x_observer->on_resolved(name.view(), type, answer.status);
}

Instant DnsQuestions::next_refresh() const noexcept {
  Instant first = kNever;
  if (!x_started) return first;
  for (const auto& [key, kept] : x_kept) first = std::min(first, kept.next);
  return first;
}

void DnsQuestions::refresh() {
  const Instant now = x_clock.now();
  for (auto& [key, kept] : x_kept) {
    if (kept.next > now) continue;
    // Until the answer comes; also when the question cannot be asked now.
    kept.next = now + std::max(1U, x_options.failure_ttl) * kSecond;
    if (const auto asked = ask(kept.name, kept.type); !asked) {
      LOG(x_logger, notice, "DNS: {} not asked: {}", kept.name.view(), asked.error().what);
    }
  }
  x_transport.refresh_moved();
}

}  // namespace ser::net
