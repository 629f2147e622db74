# A FastAPI route with a dependency that awaits the verification of an HS256 token.
import asyncio
import base64
import hashlib
import hmac
import json
import os
import resource
import sys
import time

import uvicorn
from fastapi import Depends, FastAPI, HTTPException, Request
from pydantic import BaseModel

settings = json.loads(sys.argv[1])
SECRET = settings["sharedSecret"].encode()
app = FastAPI()
requests = 0


class Operation(BaseModel):
    query: str


def decode(part):
    return base64.urlsafe_b64decode(part + "=" * (-len(part) % 4))


async def verify(token):
    try:
        header, payload, signature = token.split(".")
        expected = hmac.new(SECRET, f"{header}.{payload}".encode(), hashlib.sha256).digest()
        claims = json.loads(decode(payload))
        is_valid = (
            json.loads(decode(header))["alg"] == "HS256"
            and hmac.compare_digest(expected, decode(signature))
            and claims["iss"] == settings["issuer"]
            and claims["aud"] == settings["audience"]
            and claims["exp"] > time.time()
        )
    except (ValueError, KeyError):
        is_valid = False
    if not is_valid:
        raise HTTPException(status_code=401, detail="Not signed in")
    return claims


async def caller(request: Request):
    global requests
    requests += 1
    authorization = request.headers.get("authorization", "")
    return await verify(authorization.removeprefix("Bearer "))


@app.post("/graphql")
async def secure_data(operation: Operation, user: dict = Depends(caller)):
    return {"data": {"secureData": {"message": "Secure data access granted"}}}


def usage():
    used = resource.getrusage(resource.RUSAGE_SELF)
    with open("/proc/self/statm") as statm:
        rss = int(statm.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    return {
        "requests": requests,
        "cpuMicros": round((used.ru_utime + used.ru_stime) * 1e6),
        "rssBytes": rss,
    }


def send(value):
    print(json.dumps({"result": value}), flush=True)


def handle_command():
    if sys.stdin.readline() == "":
        os._exit(0)  # the benchmark has ended
    send(usage())


@app.on_event("startup")
async def read_commands():
    asyncio.get_running_loop().add_reader(sys.stdin, handle_command)


async def main():
    config = uvicorn.Config(app, port=0, access_log=False, log_level="warning")
    server = uvicorn.Server(config)
    serving = asyncio.create_task(server.serve())
    while not server.started:
        await asyncio.sleep(0.01)
    send({"port": server.servers[0].sockets[0].getsockname()[1]})
    await serving


asyncio.run(main())
