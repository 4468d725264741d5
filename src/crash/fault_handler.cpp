// SPDX-License-Identifier: Apache-2.0
#include "crash/fault_handler.h"

#include <dlfcn.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <ucontext.h>
#include <unistd.h>
#include <unwind.h>

#include <algorithm>
#include <iterator>

#include "base/fd.h"

namespace ser::crash {

using shm::FaultCause;
using shm::FaultReport;
using shm::WorkerSlot;

namespace {

constexpr int kSignals[] = {SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGABRT, SIGSYS};
constexpr unsigned kPatience = 1;  // seconds

/// The alternate stack is aligned to its size, and this lies at its beginning: the handler finds it from the
/// address of its own frame, so that nothing global is needed.
constexpr std::size_t kStackBytes = std::size_t{128} * 1024;
struct StackBase {
  WorkerSlot* slot;
  pid_t pid;
};

struct Registers {
  std::uint64_t instruction = 0;
  std::uint64_t stack = 0;
};

Registers registers_of(const void* context) noexcept {
  const mcontext_t& machine = static_cast<const ucontext_t*>(context)->uc_mcontext;
#if defined(__x86_64__)
  return {static_cast<std::uint64_t>(machine.gregs[REG_RIP]),
          static_cast<std::uint64_t>(machine.gregs[REG_RSP])};
#elif defined(__aarch64__)
  return {machine.pc, machine.sp};
#else
  return {};
#endif
}

struct Walk {
  FaultReport* report;
  std::uint64_t from;  ///< frames before this one are the handler's
  bool begun;
};

_Unwind_Reason_Code take_frame(_Unwind_Context* context, void* argument) {
  auto& walk = *static_cast<Walk*>(argument);
  const auto address = static_cast<std::uint64_t>(_Unwind_GetIP(context));
  walk.begun = walk.begun || address == walk.from;
  if (!walk.begun) return _URC_NO_REASON;
  const std::uint32_t n = walk.report->frame_count.load(std::memory_order_relaxed);
  if (n >= FaultReport::kMaxFrames || (n != 0 && address == 0)) return _URC_END_OF_STACK;
  walk.report->frames[n] = address;
  // One by one: what was found counts even if the next step is the last.
  walk.report->frame_count.store(n + 1, std::memory_order_release);
  return _URC_NO_REASON;
}

_Unwind_Reason_Code skip_frame(_Unwind_Context* /*context*/, void* /*argument*/) {
  return _URC_NO_REASON;
}

/// A jump to an address that is no code: nothing can be unwound from there, but a call has left its return
/// address on the stack.
void take_caller(FaultReport& report, const Registers& at) noexcept {
#if defined(__x86_64__)
  report.frames[0] = at.instruction;
  report.frame_count.store(1, std::memory_order_release);
  if (at.stack % sizeof(std::uint64_t) != 0) return;
  report.frames[1] = *reinterpret_cast<const std::uint64_t*>(at.stack);
  report.frame_count.store(2, std::memory_order_release);
#else
  report.frames[0] = at.instruction;
  report.frame_count.store(1, std::memory_order_release);
#endif
}

StackBase& stack_base() noexcept {
  const auto here = reinterpret_cast<std::uintptr_t>(__builtin_frame_address(0));
  return *reinterpret_cast<StackBase*>(here & ~(kStackBytes - 1));
}

bool is_from_outside(const siginfo_t& info, pid_t self) noexcept {
  return info.si_code <= 0 && info.si_pid != self;
}

void on_fault(int signal, siginfo_t* info, void* context) {
  const StackBase& base = stack_base();
  // A child of the worker (a module's popen) has this handler and shares the slot, and is not meant.
  if (base.pid == ::getpid()) {
    ::signal(SIGALRM, SIG_DFL);
    ::alarm(kPatience);
    const bool outside = signal != SIGSYS && is_from_outside(*info, base.pid);
    write_report(*base.slot, signal, info->si_code, signal == SIGSYS ? info->si_call_addr : info->si_addr,
                 context, outside ? FaultCause::outside : FaultCause::fault);
    ::alarm(0);
  }
  die_of(signal);
}

}  // namespace

void write_report(WorkerSlot& slot, int signal, int code, const void* address, const void* context,
                  FaultCause cause) noexcept {
  FaultReport& report = slot.fault;
  const Registers at = registers_of(context);
  report.signal = signal;
  report.code = code;
  report.address = code > 0 ? reinterpret_cast<std::uint64_t>(address) : 0;
  report.stack_pointer = at.stack;
  report.frame_count.store(0, std::memory_order_relaxed);
  // What is certain first: the walk goes over memory that may have been the reason.
  report.cause.store(cause, std::memory_order_release);
  // The unwinder would read the code at an address that no object has, to see whether it is a signal frame.
  dl_find_object object{};
  Walk walk = {&report, at.instruction, false};
  if (::_dl_find_object(reinterpret_cast<void*>(at.instruction), &object) == 0)
    _Unwind_Backtrace(take_frame, &walk);
  if (report.frame_count.load(std::memory_order_relaxed) == 0) take_caller(report, at);
}

void die_of(int signal) noexcept {
  ::signal(signal, SIG_DFL);
  sigset_t only;
  sigemptyset(&only);
  sigaddset(&only, signal);
  ::syscall(SYS_tgkill, ::getpid(), ::syscall(SYS_gettid), signal);
  ::sigprocmask(SIG_UNBLOCK, &only, nullptr);
  ::_exit(128 + signal);  // only where the signal is ignored or blocked from above
}

Result<void> FaultHandler::install(WorkerSlot& slot) noexcept {
  // Twice the size, to cut an aligned piece out of it; only what is touched is memory.
  void* at = ::mmap(nullptr, 2 * kStackBytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (at == MAP_FAILED) return errno_error("no memory for the stack of the fault handler");
  x_stack = static_cast<char*>(at);
  const auto first = reinterpret_cast<std::uintptr_t>(at);
  auto* aligned = reinterpret_cast<char*>((first + kStackBytes - 1) & ~(kStackBytes - 1));
  new (aligned) StackBase{&slot, ::getpid()};
  stack_t stack = {};
  // Above the first page, which holds the base: a handler that needs more must not write over it.
  constexpr std::size_t kGuard = 4096;
  stack.ss_sp = aligned + kGuard;
  stack.ss_size = kStackBytes - kGuard;
  if (::sigaltstack(&stack, nullptr) != 0) return errno_error("no stack for the fault handler");
  // Whatever the unwinder and the dynamic linker do once they do now.
  _Unwind_Backtrace(skip_frame, nullptr);
  struct sigaction action = {};
  action.sa_sigaction = on_fault;
  action.sa_flags = SA_SIGINFO | SA_ONSTACK;
  // A second fault inside of the handler is fatal at once: the kernel does not wait for a blocked one.
  sigemptyset(&action.sa_mask);
  for (const int signal : kSignals) sigaddset(&action.sa_mask, signal);
  for (const int signal : kSignals) {
    if (::sigaction(signal, &action, nullptr) != 0) return errno_error("cannot set a fault handler");
  }
  return {};
}

FaultHandler::~FaultHandler() {
  if (x_stack == nullptr) return;
  for (const int signal : kSignals) ::signal(signal, SIG_DFL);
  stack_t off = {};
  off.ss_flags = SS_DISABLE;
  ::sigaltstack(&off, nullptr);
  ::munmap(x_stack, 2 * kStackBytes);
}

}  // namespace ser::crash
