// SPDX-License-Identifier: Apache-2.0
#include "shm/segment.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <mutex>
#include <string>

#include "shm/slot.h"
#include "shm/test_world.h"
#include "shm/timers.h"

namespace ser::shm {
namespace {

struct Virtual {
  virtual ~Virtual() = default;
};
static_assert(!Storable<Virtual> && !Storable<std::string> && !Storable<std::mutex> && !Storable<void (*)()>);
static_assert(Storable<std::uint64_t> && Storable<std::atomic<std::uint32_t>> && Storable<WorkerSlot*>);

TEST(Segment, SeveralLiveSideBySide) {
  auto one = Segment::create(small_segment());
  auto two = Segment::create(small_segment());
  ASSERT_TRUE(one);
  ASSERT_TRUE(two);
  EXPECT_EQ(reinterpret_cast<std::uintptr_t>(one->base()), kSegmentBase);
  EXPECT_NE(one->base(), two->base());
  EXPECT_EQ(one->header().magic, SegmentHeader::kMagic);
  EXPECT_NE(one->header().branch_key.k0, two->header().branch_key.k0);
  EXPECT_TRUE(one->contains(one->base(), one->size()));
  EXPECT_FALSE(one->contains(one->base(), one->size() + 1));
  EXPECT_FALSE(one->contains(two->base()));
  EXPECT_FALSE(one->contains(one->base() - 1));
}

TEST(Segment, TheServersSizeMaps) {
  auto segment = Segment::create({});
  ASSERT_TRUE(segment);
  EXPECT_GE(segment->size(), std::size_t{1} << 30);
  auto heap = Heap::create(*segment);
  ASSERT_TRUE(heap);
  EXPECT_EQ(segment->header().limit, memory_limit());
  Actor self = Actor::system();
  EXPECT_NE(heap->alloc(self, 10'000'000, 0), nullptr);
}

TEST(Segment, ImpossibleSizeIsAnError) {
  const auto segment = Segment::create({.size = std::size_t{1} << 60, .min_size = std::size_t{1} << 59});
  ASSERT_FALSE(segment);
  EXPECT_EQ(segment.error().code, Errc::system);
}

TEST(Segment, ReserveIsBoundedAlignedAndZero) {
  auto segment = Segment::create(small_segment());
  ASSERT_TRUE(segment);
  auto* bytes = static_cast<char*>(segment->reserve(100, 64));
  ASSERT_NE(bytes, nullptr);
  EXPECT_EQ(reinterpret_cast<std::uintptr_t>(bytes) % 64, 0U);
  EXPECT_EQ(std::count(bytes, bytes + 100, '\0'), 100);
  EXPECT_EQ(segment->reserve(segment->size()), nullptr);
  EXPECT_EQ(segment->reserve(SIZE_MAX), nullptr);
}

TEST(Segment, RootsByName) {
  auto segment = Segment::create(small_segment());
  ASSERT_TRUE(segment);
  void* root = segment->reserve(64);
  EXPECT_EQ(segment->root("tm"), nullptr);
  EXPECT_TRUE(segment->set_root("tm", root));
  EXPECT_FALSE(segment->set_root("tm", root));
  EXPECT_EQ(segment->root("tm"), root);
  for (unsigned i = 1; i < SegmentHeader::kMaxRoots; ++i)
    EXPECT_TRUE(segment->set_root(std::to_string(i), root));
  EXPECT_FALSE(segment->set_root("one too many", root));
}

/// A folder with files as the kernel would show them.
class FakeKernel {
 public:
  FakeKernel() {
    std::string name = (std::filesystem::temp_directory_path() / "ser_limit_XXXXXX").string();
    x_root = ::mkdtemp(name.data());
    paths = {x_root + "/cgroup", x_root + "/self", x_root + "/meminfo"};
    write("meminfo", "MemFree: 1 kB\nMemTotal:       1000000 kB\n");
  }
  FakeKernel(const FakeKernel&) = delete;
  FakeKernel& operator=(const FakeKernel&) = delete;
  ~FakeKernel() { std::filesystem::remove_all(x_root); }
  void write(const std::string& file, const std::string& text) const {
    const std::filesystem::path path = std::filesystem::path(x_root) / file;
    std::filesystem::create_directories(path.parent_path());
    std::ofstream(path) << text;
  }
  MemoryPaths paths;

 private:
  std::string x_root;
};

TEST(MemoryLimit, MachineWhenThereIsNoGroup) {
  const FakeKernel kernel;
  EXPECT_EQ(memory_limit(kernel.paths), 1000000ULL * 1024 / 5 * 4);
}

TEST(MemoryLimit, TightestOfTheUnifiedTree) {
  const FakeKernel kernel;
  kernel.write("self", "0::/system.slice/ser.service\n");
  kernel.write("cgroup/system.slice/ser.service/memory.max", "max\n");
  EXPECT_EQ(memory_limit(kernel.paths), 1000000ULL * 1024 / 5 * 4);
  kernel.write("cgroup/system.slice/memory.max", "100000000\n");
  EXPECT_EQ(memory_limit(kernel.paths), 80'000'000U);
  kernel.write("cgroup/system.slice/ser.service/memory.max", "50000000\n");
  EXPECT_EQ(memory_limit(kernel.paths), 40'000'000U);
}

TEST(MemoryLimit, OldHierarchyAndContainers) {
  const FakeKernel kernel;
  kernel.write("self", "9:name=systemd:/\n4:cpu,memory:/docker/abc\n0::/\n");
  kernel.write("cgroup/memory/memory.limit_in_bytes",
               "200000000\n");  // the group's own path is not visible inside
  EXPECT_EQ(memory_limit(kernel.paths), 160'000'000U);
  kernel.write("cgroup/memory/memory.limit_in_bytes", "9223372036854771712\n");
  EXPECT_EQ(memory_limit(kernel.paths), 1000000ULL * 1024 / 5 * 4);
}

TEST(MemoryLimit, NothingReadable) {
  EXPECT_EQ(memory_limit({"/nonexistent", "/nonexistent", "/nonexistent"}), std::uint64_t{512} << 20);
}

}  // namespace
}  // namespace ser::shm
