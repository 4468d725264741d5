#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# seeds.sh FOLDER: our flow files behind the selector bytes of flow_fuzz.cpp, their steps, and torture messages.
set -eu
out=$1
top=$(cd "$(dirname "$0")/../.." && pwd)
for file in "$top"/tests/flows/*.flow "$top"/tests/golden/flow/*.flow "$top"/examples/*.flow; do
  base=$(basename "$file" .flow)
  { printf '\000'; cat "$file"; } >"$out/$base-read"
  { printf '\003'; sed -n '/^scenario/,$p' "$file"; } >"$out/$base-run"
done
for file in "$top"/tests/torture/rfc*/*.sip; do
  { printf '\001'; cat "$file"; } >"$out/$(basename "$file" .sip)-message"
done
