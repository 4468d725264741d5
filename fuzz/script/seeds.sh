#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# seeds.sh FOLDER: our configurations and those of the family behind the selector bytes of script_fuzz.cpp, and small
# pieces of both dialects.
set -eu
out=$1
top=$(cd "$(dirname "$0")/../.." && pwd)
for file in "$top"/etc/*.cfg "$top"/tests/golden/*/*.cfg "$top"/tests/configs/*/*.cfg; do
  base=$(basename "$file" .cfg)
  for selector in 2 7; do
    { printf "\\00$selector"; cat "$file"; } >"$out/$base-$selector"
  done
done
n=0
while IFS= read -r line; do
  [ -n "$line" ] || continue
  n=$((n + 1))
  printf '%s' "$line" | sed 's/^S /\x08/; s/^K /\x09/; s/^F /\x03/; s/^X /\x04/' >"$out/piece-$n"
done <"$(dirname "$0")/pieces.txt"
