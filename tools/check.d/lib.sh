# SPDX-License-Identifier: Apache-2.0
# Sourced by the steps: build one preset, run its tests.

# build_preset PRESET [targets...]: configures (quickly when nothing changed) and builds.
build_preset() {
  local preset=$1
  shift
  cmake --preset "$preset" >"build/check/configure-$preset.log" 2>&1 || {
    cat "build/check/configure-$preset.log"
    return 1
  }
  if [ $# -gt 0 ]; then
    nice cmake --build --preset "$preset" --target "$@"
  else
    nice cmake --build --preset "$preset"
  fi
}

# run_tests PRESET [ctest arguments...]: the last line tells how many.
run_tests() {
  local preset=$1 out
  shift
  out=build/check/ctest-$preset.log
  ctest --test-dir "build/$preset" --output-on-failure --no-tests=error --timeout 300 -j "$(nproc)" "$@" >"$out" 2>&1
  local code=$?
  # Figures of passed tests are noise; a failure shows everything.
  if [ $code -ne 0 ]; then cat "$out"; else
    echo "= $(sed -n 's/^100% tests passed, 0 tests failed out of \(.*\)/\1 test programs/p' "$out")"
  fi
  return $code
}
