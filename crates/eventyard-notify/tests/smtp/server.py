"""A mail server for the tests: tells on standard output what happens, one JSON object a line.

It refuses as it is told: `--refuse rcpt:451:2` answers the first two RCPT commands with 451. The steps are
connect, mail, rcpt and data.
"""

import argparse
import asyncio
import json
import logging
import ssl
import warnings

from aiosmtpd.smtp import SMTP, AuthResult, LoginPassword

# Broken connections and logins in clear text are what the tests are about.
logging.disable(logging.CRITICAL)
warnings.simplefilter("ignore")

options = argparse.ArgumentParser()
options.add_argument("--port", type=int, default=0)
options.add_argument("--certificate")
options.add_argument("--key")
options.add_argument("--tls", choices=["none", "starttls", "required"], default="none")
options.add_argument("--login", help="user:password")
options.add_argument("--refuse", action="append", default=[])
options = options.parse_args()

refusals = {}
for text in options.refuse:
    step, code, count = text.split(":")
    refusals[step] = [code, int(count)]


def tell(**what):
    print(json.dumps(what), flush=True)


def refusal(step):
    code, left = refusals.get(step, [None, 0])
    if left == 0:
        return None
    refusals[step][1] -= 1
    tell(refused=step)
    return f"{code} not now: {step}"


class Handler:
    async def handle_MAIL(self, server, session, envelope, address, mail_options):
        if answer := refusal("mail"):
            return answer
        envelope.mail_from = address
        return "250 OK"

    async def handle_RCPT(self, server, session, envelope, address, rcpt_options):
        if answer := refusal("rcpt"):
            return answer
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server, session, envelope):
        if answer := refusal("data"):
            return answer
        tell(
            mail=envelope.content.decode("utf-8"),
            sender=envelope.mail_from,
            to=envelope.rcpt_tos,
            hello=session.host_name,
            encrypted=session.ssl is not None or options.tls == "required",
            login=session.auth_data.login.decode() if session.authenticated else None,
        )
        return "250 taken"


class Server(SMTP):
    def connection_made(self, transport):
        # STARTTLS makes the connection once more.
        if self.transport is None:
            tell(connected=True)
        super().connection_made(transport)

    async def _handle_client(self):
        if answer := refusal("connect"):
            await self.push(answer)
            self.transport.close()
            return
        await super()._handle_client()


def authenticate(server, session, envelope, mechanism, data):
    ok = isinstance(data, LoginPassword) and [data.login, data.password] == [
        part.encode() for part in options.login.split(":")
    ]
    return AuthResult(success=ok, handled=ok, auth_data=data if ok else None)


def server():
    return Server(
        Handler(),
        hostname="mail.test",
        tls_context=context if options.tls == "starttls" else None,
        require_starttls=options.tls == "starttls",
        authenticator=authenticate if options.login else None,
        auth_required=bool(options.login),
        auth_require_tls=options.tls == "starttls",
    )


context = None
if options.certificate:
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(options.certificate, options.key)


async def main():
    listening = await asyncio.get_running_loop().create_server(
        server,
        "127.0.0.1",
        options.port,
        ssl=context if options.tls == "required" else None,
    )
    tell(port=listening.sockets[0].getsockname()[1])
    await listening.serve_forever()


asyncio.run(main())
