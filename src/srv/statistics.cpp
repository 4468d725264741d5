// SPDX-License-Identifier: Apache-2.0
#include "srv/statistics.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <cstdio>
#include <cstring>

namespace ser::srv {

namespace {

constexpr StatisticLine kLines[] = {
    {"core.rcv_requests{worker=\"N\"}", "Requests received by the datagram worker of slot N."},
    {"core.rcv_replies{worker=\"N\"}", "Responses received by the datagram worker of slot N."},
    {"shm.limit", "Bytes the shared segment may use."},
    {"shm.committed", "Bytes of the shared segment that are backed by memory."},
    {"shm.used", "Bytes of the shared segment in cells that are in use."},
    {"shm.cells", "Cells of the shared segment in use."},
    {"shm.used{owner=\"NAME\"}", "Bytes in use by one owner."},
    {"dns.cached", "Answers of name servers that are remembered."},
    {"timer.armed", "Timers that are armed."},
    {"core.quarantined", "Kinds of messages that are dropped now because they have killed workers."},
    {"core.quarantined{fingerprint=\"F\",stage=\"S\",deaths=\"D\"}",
     "Seconds for which messages that look like F are still dropped; 0: their deaths are only counted."},
    {"core.started", "Seconds since 1970 at the start."},
};

}  // namespace

std::span<const StatisticLine> further_statistics() noexcept {
  return kLines;
}

std::string statistics_text(const Shared& shared) {
  std::string text;
  const auto entries = shared.counters.entries();
  for (std::size_t i = 1; i < entries.size(); ++i) {
    const CounterId id{static_cast<std::uint16_t>(i)};
    text += fmt::format("{}.{} {}\n", entries[i].group, entries[i].name, shared.pages->sum(id));
  }
  for (std::uint16_t slot = 0; slot < shared.slots->size(); ++slot) {
    const shm::WorkerSlot* worker = shared.slots->slot(slot);
    if (worker == nullptr || worker->kind.load(std::memory_order_relaxed) != shm::WorkerKind::datagram)
      continue;
    const Counters page = shared.pages->page(slot);
    text += fmt::format("core.rcv_requests{{worker=\"{}\"}} {}\n", slot + 1,
                        page.value(shared.core.received_requests));
    text += fmt::format("core.rcv_replies{{worker=\"{}\"}} {}\n", slot + 1,
                        page.value(shared.core.received_replies));
  }
  const shm::HeapUse use = shared.heap->use();
  text += fmt::format("shm.limit {}\nshm.committed {}\nshm.used {}\nshm.cells {}\n", use.limit, use.committed,
                      use.used, use.cells);
  for (std::uint32_t i = 0; i < shared.heap->account_count(); ++i) {
    const auto id = static_cast<shm::AccountId>(i);
    text += fmt::format("shm.used{{owner=\"{}\"}} {}\n", shared.heap->account_name(id),
                        shared.heap->account_use(id).bytes);
  }
  text += fmt::format("dns.cached {}\ntimer.armed {}\ncore.started {}\n", shared.dns.size(),
                      shared.timers->armed(), shared.pages->started());
  const Instant now = shared.clock->now();
  text += fmt::format("core.quarantined {}\n", shared.quarantine->size(now));
  for (const crash::QuarantineListed& one : shared.quarantine->list(now)) {
    text += fmt::format("core.quarantined{{fingerprint=\"0x{:016x}\",stage=\"{}\",deaths=\"{}\"}} {}\n",
                        one.fingerprint, to_string(one.stage), one.deaths, one.seconds_left);
  }
  return text;
}

bool write_statistics_file(const std::string& path, const std::string& text, std::string& error) {
  const std::string temporary = path + ".new";
  ::unlink(temporary.c_str());
  const Fd fd(::open(temporary.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0644));
  if (!fd || ::write(fd.get(), text.data(), text.size()) != static_cast<ssize_t>(text.size()) ||
      std::rename(temporary.c_str(), path.c_str()) != 0) {
    error = fmt::format("cannot write statistics to '{}': {}", path, std::strerror(errno));
    ::unlink(temporary.c_str());
    return false;
  }
  return true;
}

}  // namespace ser::srv
