#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Seeds of the script fuzz target: every configuration of the tests, once for each selector.
set -eu
out=$1
root=$(cd "$(dirname "$0")/../.." && pwd)
for file in "$root"/tests/golden/*/*.cfg "$root"/tests/configs/*/*.cfg; do
  for selector in 0 1 2 3 4 5; do
    { printf '%b' "\\00$selector"; cat "$file"; } > "$out/$(basename "$file").$selector"
  done
done
