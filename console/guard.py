"""What stands before every page: who may ask, and what the browser may do with the answer."""

from __future__ import annotations

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

LOOPBACK_NAMES = ("127.0.0.1", "localhost", "[::1]")

SECURITY_HEADERS = {
    "content-security-policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; "
        "connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    ),
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "referrer-policy": "no-referrer",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "permissions-policy": "camera=(), geolocation=(), microphone=()",
}


def is_loopback(host: str) -> bool:
    """Whether an address to listen on is reached from this machine only."""
    return host in ("localhost", "::1") or host.startswith("127.")


class Guard:
    """Refuses foreign host names on loopback and sets the security headers on every answer.

    A page elsewhere can let its own name resolve to 127.0.0.1 and read the console through the
    visitor's browser (DNS rebinding); it cannot change the Host header: that is what is checked.
    `app.state.hosts` holds the names allowed; None allows all (a console bound to the network).
    """

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return

        async def guarded(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in SECURITY_HEADERS.items():
                    headers[name] = value
                if "cache-control" not in headers:
                    headers["cache-control"] = "no-store"
            await send(message)

        allowed = getattr(scope["app"].state, "hosts", LOOPBACK_NAMES)
        if allowed is not None and _name(Headers(scope=scope).get("host", "")) not in allowed:
            refusal = PlainTextResponse(
                "this console answers to 127.0.0.1 and localhost only: open it by one of these\n",
                421,
            )
            await refusal(scope, receive, guarded)
            return
        await self.app(scope, receive, guarded)


def _name(host: str) -> str:
    """The Host header without its port."""
    if host.startswith("["):
        return host.partition("]")[0].lower() + "]"
    return host.rpartition(":")[0].lower() if ":" in host else host.lower()
