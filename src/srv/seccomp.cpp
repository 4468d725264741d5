// SPDX-License-Identifier: Apache-2.0
#include "srv/seccomp.h"

#include <fcntl.h>
#include <seccomp.h>

#include <cerrno>
#include <memory>
#include <type_traits>

namespace ser::srv {

namespace {

struct Release {
  void operator()(void* context) const noexcept { ::seccomp_release(context); }
};

/// Collects the rules; the first that fails is kept.
class Filter {
 public:
  Filter() noexcept
      : x_context(::seccomp_init(SCMP_ACT_ALLOW)), x_status(x_context == nullptr ? -ENOMEM : 0) {}

  void forbid(int call, std::uint32_t action) noexcept {
    if (x_status == 0) x_status = ::seccomp_rule_add_array(x_context.get(), action, call, 0, nullptr);
  }
  /// When `mask` of the argument is `value`.
  void forbid(int call, std::uint32_t action, unsigned argument, unsigned mask, unsigned value) noexcept {
    const scmp_arg_cmp test = {argument, SCMP_CMP_MASKED_EQ, mask, value};
    if (x_status == 0) x_status = ::seccomp_rule_add_array(x_context.get(), action, call, 1, &test);
  }
  /// Opening for anything but reading; `argument` holds the flags.
  void forbid_writing(int call, unsigned argument) noexcept {
    constexpr std::uint32_t kAction = SCMP_ACT_ERRNO(EPERM);
    for (const unsigned how : {unsigned{O_WRONLY}, unsigned{O_RDWR}})
      forbid(call, kAction, argument, O_ACCMODE, how);
    for (const unsigned flag : {unsigned{O_CREAT}, unsigned{O_TRUNC}})
      forbid(call, kAction, argument, flag, flag);
  }
  Result<void> load() noexcept {
    if (x_status == 0) x_status = ::seccomp_load(x_context.get());
    if (x_status == 0) return {};
    return {Errc::system, "cannot set the filter of system calls (worker_seccomp)",
            static_cast<std::uint32_t>(-x_status)};
  }

 private:
  std::unique_ptr<std::remove_pointer_t<scmp_filter_ctx>, Release> x_context;
  int x_status;
};

}  // namespace

Result<void> forbid_system_calls() noexcept {
  Filter filter;
  for (const int call : {SCMP_SYS(execve), SCMP_SYS(execveat), SCMP_SYS(ptrace), SCMP_SYS(process_vm_readv),
                         SCMP_SYS(process_vm_writev)})
    filter.forbid(call, SCMP_ACT_TRAP);
  filter.forbid_writing(SCMP_SYS(open), 1);
  filter.forbid_writing(SCMP_SYS(openat), 2);
  for (const int call : {SCMP_SYS(creat), SCMP_SYS(truncate)}) filter.forbid(call, SCMP_ACT_ERRNO(EPERM));
  for (const int call : {SCMP_SYS(openat2), SCMP_SYS(io_uring_setup)})
    filter.forbid(call, SCMP_ACT_ERRNO(ENOSYS));
  return filter.load();
}

}  // namespace ser::srv
