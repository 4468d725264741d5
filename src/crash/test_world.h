// SPDX-License-Identifier: Apache-2.0
// For tests: a directory for crash files, a worker with a message in hand, and the recorder that finds it.
#pragma once
#include <fcntl.h>

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "crash/recorder.h"
#include "shm/test_world.h"

namespace ser::crash::testing {

inline constexpr std::string_view kMessage =
    "INVITE sip:bob@example.com SIP/2.0\r\nVia: SIP/2.0/UDP 192.0.2.7;branch=z9hG4bKx\r\nTo: "
    "<sip:b@b>\r\n\r\n";

/// A directory that goes with the object.
class TemporaryDirectory {
 public:
  TemporaryDirectory() {
    std::string name = (std::filesystem::temp_directory_path() / "ser-crash-XXXXXX").string();
    EXPECT_NE(::mkdtemp(name.data()), nullptr);
    x_path = name;
    x_fd = Fd(::open(name.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  }
  TemporaryDirectory(const TemporaryDirectory&) = delete;
  TemporaryDirectory& operator=(const TemporaryDirectory&) = delete;
  ~TemporaryDirectory() { std::filesystem::remove_all(x_path); }
  int fd() const { return x_fd.get(); }
  const std::filesystem::path& path() const { return x_path; }
  std::vector<std::string> names() const {
    std::vector<std::string> all;
    for (const auto& entry : std::filesystem::directory_iterator(x_path))
      all.push_back(entry.path().filename().string());
    std::sort(all.begin(), all.end());
    return all;
  }
  std::string read(const std::string& name) const {
    std::ifstream in(x_path / name, std::ios::binary);
    return {std::istreambuf_iterator<char>(in), {}};
  }

 private:
  std::filesystem::path x_path;
  Fd x_fd;
};

/// Slot 0 holds a datagram worker's batch of one.
struct CrashWorld : shm::World {
  CrashWorld() : actor(worker(0)) {
    slot().spill = static_cast<char*>(segment.reserve(shm::kSpillBytes * shm::kRxBatch, shm::kPage));
    receive(kMessage);
  }
  shm::WorkerSlot& slot() const { return *slots.slot(0); }
  /// As the datagram worker leaves it while the script runs.
  void receive(std::string_view bytes) {
    shm::RxEntry& entry = slot().rx.entries[0];
    entry.block = static_cast<char*>(heap.alloc(actor, shm::kRxBlock, 0));
    const std::size_t in_block = std::min(bytes.size(), shm::kRxBlock - 1);
    std::memcpy(entry.block, bytes.data(), in_block);
    std::memcpy(slot().spill, bytes.data() + in_block, bytes.size() - in_block);
    entry.length = static_cast<std::uint32_t>(bytes.size());
    entry.socket = 0;
    entry.from = {IpAddress::v4(192, 0, 2, 7), 5070};
    entry.to = {IpAddress::v4(192, 0, 2, 1), 5060};
    place = static_cast<SourcePlace*>(heap.alloc(actor, sizeof(SourcePlace), 0));
    *place = {12, 1};
    slot().script.store(place);
    slot().rx_index.store(0);
    slot().rx.count.store(1);
    slot().rx.next.store(1);
    slot().stage.store(shm::Stage::script);
  }
  Death death(int signal) const { return {actor.id(), shm::WorkerKind::datagram, 4711, signal, 0, false}; }
  Recorded record(const Death& death) {
    RecorderContext context{segment, heap,   slots,     quarantine,      CrashDirectory(directory.fd(), 3),
                            key,     clock,  "ser 1.2", "/usr/sbin/ser", "/etc/ser/ser.cfg",
                            scripts, sockets};
    slots.mark_dead(death.worker.slot, death.signal);
    Recorder recorder(context);
    Recorded recorded = recorder.examine(death, reaper);
    recorder.write(recorded);
    return recorded;
  }
  CrashFile file(const Recorded& recorded) const {
    auto parsed = parse_crash_file(directory.read(recorded.name));
    EXPECT_TRUE(parsed) << parsed.error().what << " at " << parsed.error().offset;
    return parsed ? *parsed : CrashFile{};
  }

  shm::Actor actor;
  shm::Actor reaper = worker(7);
  TemporaryDirectory directory;
  TestClock clock;
  HashKey key{1, 2};
  Quarantine quarantine = *Quarantine::create(segment, {});
  std::vector<std::string> scripts{"a.cfg", "b.cfg"};
  std::vector<std::string> sockets{"udp:192.0.2.1:5060"};
  SourcePlace* place = nullptr;
};

}  // namespace ser::crash::testing
