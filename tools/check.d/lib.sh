# SPDX-License-Identifier: Apache-2.0
# Sourced by the steps: build one preset, run its tests.

# build_preset PRESET [targets...]: configures (quickly when nothing changed) and builds. One at a time in a folder: a step
# that runs beside the others may need the same one.
build_preset() {
  local lock
  exec {lock}>"build/check/$1.lock"
  flock "$lock"
  build_preset_alone "$@"
  local code=$?
  exec {lock}>&-
  return $code
}

build_preset_alone() {
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

# run_tests PRESET [ctest arguments...]: a passed run prints one line with the number of tests, a failed one everything.
run_tests() {
  local preset=$1 out code
  shift
  out=build/check/ctest-$preset.log
  ctest --test-dir "build/$preset" --verbose --no-tests=error --timeout 300 -j "$(nproc)" "$@" >"$out" 2>&1
  code=$?
  if [ $code -ne 0 ]; then
    # What failed, without the hundreds of lines of what passed and of where ctest looked.
    grep -vE '^(tmp/|Looked in|Constructing|Done const|Updating|Added|Checking|test [0-9]+$)|^/?[^ ]*_test$|^[0-9]+: (\[ +(OK|RUN) +\]|\[-+\]|Running main|$)' "$out"
    return $code
  fi
  awk '/^[0-9]+: \[  PASSED  \] [0-9]+ test/ { n += $5 } /^[0-9]+: Ran [0-9]+ test/ { n += $3 } / Passed / { p += 1 }
    END { printf "= %d tests in %d programs\n", n, p }' "$out"
}
