#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# seeds.sh FOLDER: the torture messages behind the selector byte of txn_fuzz.cpp, and some lives of machines.
set -eu
out=$1
torture=$(cd "$(dirname "$0")/../../tests/torture" && pwd)
for file in "$torture"/rfc*/*.sip; do
  { printf '\000'; cat "$file"; } >"$out/$(basename "$file" .sip)-0"
done
printf '\001\001\001\000\001\001\001\002' >"$out/client-accepted"
printf '\001\001\001\000\001\001\001\006\001\003' >"$out/client-cancelled"
printf '\002\001\001\000\001\005\001\001\001\002' >"$out/server-completed"
printf '\003\001\001\200\001\300\002\201\001' >"$out/choice"
