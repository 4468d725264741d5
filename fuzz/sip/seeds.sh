#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# seeds.sh FOLDER: the torture messages behind the selector bytes of sip_fuzz.cpp, and some URIs and credentials.
set -eu
out=$1
torture=$(cd "$(dirname "$0")/../../tests/torture" && pwd)
for file in "$torture"/rfc*/*.sip; do
  base=$(basename "$file" .sip)
  for selector in 0 1 3 5 6; do
    { printf "\\00$selector"; cat "$file"; } >"$out/$base-$selector"
  done
done
n=0
for text in 'sip:alice:pw@Example.com:5070;transport=tcp;lr?a=b&c=d|sip:%61lice@example.com' \
  'sip:[2001:db8::1]:5060;maddr=[::1]|sips:[2001:db8:::192.0.2.1]' 'tel:+1-201-555;ext=5;phone-context=+1|tel:+1201555' \
  'urn:service:sos|http://a'; do
  n=$((n + 1))
  printf '\002%s' "$text" >"$out/uri-$n"
done
printf '\004Digest username="a\\"b", realm="r", nonce="n", uri="sip:x", response="0", algorithm=SHA-256-sess, qop=auth, nc=00000001, cnonce="c"' \
  >"$out/auth-1"
printf '\004Digest realm="r", domain="sip:x", qop="auth,auth-int", nonce="n", opaque="", stale=TRUE, userhash=true' >"$out/auth-2"
for status in '200 OK' '486 Busy Here'; do
  {
    printf '\007INVITE sip:b@h SIP/2.0\r\nVia: SIP/2.0/UDP p;branch=z9hG4bK1, SIP/2.0/UDP u\r\nRoute: <sip:r;lr>\r\nf: <sip:a@h>;tag=1\r\n'
    printf 'To: <sip:b@h>\r\ni: id\r\nCSeq: 1 INVITE\r\n\r\n\000'
    printf 'SIP/2.0 %s\r\nVia: SIP/2.0/UDP p\r\nRecord-Route: <sip:p2>, <sip:p1;lr>\r\nFrom: <sip:a@h>;tag=1\r\nTo: <sip:b@h>;tag=2\r\n' "$status"
    printf 'Call-ID: id\r\nCSeq: 1 INVITE\r\nContact: <sip:b@c>\r\n\r\n'
  } >"$out/derive-${status%% *}"
done
