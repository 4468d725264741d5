#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# seeds.sh FOLDER: the torture messages behind selector bytes of srv_fuzz.cpp, and some command lines.
set -eu
out=$1
torture=$(cd "$(dirname "$0")/../../tests/torture" && pwd)
for file in "$torture"/rfc*/*.sip; do
  base=$(basename "$file" .sip)
  for selector in 1 2 3 4 5 6 7; do
    { printf "\\00$selector"; cat "$file"; } >"$out/$base-$selector"
  done
  { printf '\205'; cat "$file"; } >"$out/$base-unchecked"
done
printf '\000-f\n/etc/ser/ser.cfg\n-DDE\n-l\nudp:127.0.0.1:5060\n-n\n4\n--modparam=a:b:s:c\n-A\nX=1' >"$out/words-1"
printf '\000-vhc\n--help\n--atexit=no\n-m64\n-M8\n-w/tmp\n--dialect=ser\n--lis=x\n-1' >"$out/words-2"
