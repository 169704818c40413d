"""Claims a device: python3 claim.py URL E-MAIL PASSWORD DEVICE SECRET"""
import json
import sys
import time
import urllib.error
import urllib.parse
import urllib.request
import uuid

ATTEMPTS = 5


def post(url, body, headers):
    """Status, headers and JSON of the answer. Asks again after 503, 429, and when no answer came."""
    headers = {"Content-Type": "application/json", **headers}
    request = urllib.request.Request(url, json.dumps(body).encode(), headers)
    for attempt in range(1, ATTEMPTS + 1):
        try:
            with urllib.request.urlopen(request, timeout=10) as answer:
                return answer.status, answer.headers, json.load(answer)
        except urllib.error.HTTPError as answer:
            if answer.code not in (429, 503) or attempt == ATTEMPTS:
                return answer.code, answer.headers, json.load(answer)
            time.sleep(int(answer.headers.get("Retry-After", 1)))
        except OSError:
            if attempt == ATTEMPTS:
                raise
            time.sleep(1)


def claim(url, email, password, device, secret):
    status, _, tokens = post(f"{url}/api/auth/login", {"username": email, "password": password}, {})
    if status != 200:
        return tokens["message"]
    name = urllib.parse.quote(device, safe="")
    # One key for all attempts: an answer that was lost is given again.
    headers = {"X-Authorization": f"Bearer {tokens['token']}", "Idempotency-Key": str(uuid.uuid4())}
    status, told, answer = post(f"{url}/api/customer/device/{name}/claim", {"secretKey": secret}, headers)
    if status == 200:
        return answer["response"]  # SUCCESS; answer["device"] is the device
    if isinstance(answer, str):
        return f"{answer} {told.get('Claim-Refusal', '')}".strip()  # FAILURE or CLAIMED, and why
    return answer["message"]


print(claim(*sys.argv[1:]))
