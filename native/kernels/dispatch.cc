#include "dispatch.h"

#if defined(_MSC_VER) && !defined(__clang__) && defined(_M_X64)
#include <immintrin.h>
#include <intrin.h>
#endif

namespace gradstep {
namespace {

struct Cpu {
  bool avx2 = false, avx512 = false;
};

#if (defined(__GNUC__) || defined(__clang__)) && defined(__x86_64__)
// These builtins also ask the operating system whether it saves the wide registers (XGETBV).
Cpu detect() {
  __builtin_cpu_init();
  Cpu cpu;
  cpu.avx2 = __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
  cpu.avx512 = cpu.avx2 && __builtin_cpu_supports("avx512f") &&
               __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512bw") &&
               __builtin_cpu_supports("avx512vl");
  return cpu;
}
#elif defined(_MSC_VER) && defined(_M_X64)
Cpu detect() {
  int leaf1[4], leaf7[4];
  __cpuid(leaf1, 1);
  __cpuidex(leaf7, 7, 0);
  const auto has = [](int word, unsigned mask) {
    return (static_cast<unsigned>(word) & mask) == mask;
  };
  Cpu cpu;
  if (!has(leaf1[2], 1u << 27)) return cpu;  // OSXSAVE
  const auto saved = static_cast<int>(_xgetbv(0));
  cpu.avx2 = has(saved, 0x6) && has(leaf1[2], 1u << 12) && has(leaf7[1], 1u << 5);
  cpu.avx512 =
      cpu.avx2 && has(saved, 0xe6) && has(leaf7[1], 1u << 16 | 1u << 17 | 1u << 30 | 1u << 31);
  return cpu;
}
#else
Cpu detect() { return {}; }
#endif

struct Supported {
  const KernelTable* tables[5] = {};

  Supported() {
    const Cpu cpu = detect();
    int count = 0;
    if (cpu.avx512 && kAvx512Table) tables[count++] = kAvx512Table;
    if (cpu.avx2 && kAvx2Table) tables[count++] = kAvx2Table;
    if (kNeonTable) tables[count++] = kNeonTable;
    tables[count] = kScalarTable;
  }
};

}  // namespace

const KernelTable* const* supportedTables() {
  static const Supported supported;
  return supported.tables;
}

}  // namespace gradstep
