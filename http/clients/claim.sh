#!/bin/sh
# Claims a device: claim.sh URL E-MAIL PASSWORD DEVICE SECRET
set -eu
url=$1 email=$2 password=$3 device=$4 secret=$5

json() { printf '"%s"' "$(printf %s "$1" | sed 's/[\\"]/\\&/g')"; }
encoded() { printf %s "$1" | od -An -v -tx1 | tr -d ' \n' | sed 's/../%&/g'; }

token=$(curl -sS --fail "$url/api/auth/login" -H 'Content-Type: application/json' \
  -d "{\"username\": $(json "$email"), \"password\": $(json "$password")}" |
  sed 's/.*"token":"\([^"]*\)".*/\1/')

# One key for all attempts: an answer that was lost is given again. curl waits as Retry-After says.
headers=$(mktemp)
trap 'rm -f "$headers"' EXIT
curl -sS --retry 5 --retry-max-time 30 -D "$headers" "$url/api/customer/device/$(encoded "$device")/claim" \
  -H "X-Authorization: Bearer $token" -H "Idempotency-Key: $(date +%s)-$$" \
  -H 'Content-Type: application/json' -d "{\"secretKey\": $(json "$secret")}"
echo
sed -n 's/\r$//; s/^claim-refusal: */refused: /Ip' "$headers"
