"""`python -m sandbox`: everybody who is imitated, on one port of this machine."""

import argparse
import secrets
import signal
import socket
import sys
import threading
from pathlib import Path

from sandbox.bricklink import BrickLink
from sandbox.brickognize import Brickognize
from sandbox.brickowl import BrickOwl
from sandbox.brikick import Brikick
from sandbox.central_bank import CentralBank
from sandbox.clock import Clock
from sandbox.dumps import Dumps
from sandbox.market.notices import Courier
from sandbox.pictures import Pictures
from sandbox.rebrickable import KEY, Rebrickable
from sandbox.sellers import World
from sandbox.server import Sandbox
from sandbox.state import State, StateError
from sandbox.steering import Steering, demo
from sandbox.switches import Switches


def main() -> int:
    """Serve until asked to stop."""
    parser = argparse.ArgumentParser(prog="python -m sandbox", description=__doc__)
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on (%(default)s)")
    parser.add_argument("--port", type=int, default=0, help="port to listen on; 0 takes a free one")
    parser.add_argument(
        "--fd", type=int, metavar="N", help="descriptor of a socket that listens, in place of host and port"
    )
    parser.add_argument("--token", default="", help="of the control API; made up where none is given")
    parser.add_argument("--seed", type=int, default=0, help="of the faults (%(default)s)")
    parser.add_argument(
        "--rebrickable-rate", type=float, default=1.0, help="calls a second that Rebrickable takes (%(default)s)"
    )
    parser.add_argument(
        "--profile", choices=demo.PROFILES, default="empty", help="what the demo's stores begin with (%(default)s)"
    )
    parser.add_argument("--state", type=Path, metavar="FILE", help="what is remembered; gone at the end without it")
    parser.add_argument(
        "--origin", action="append", default=[], metavar="URL",
        help="further address that callers of BrickLink may have signed, such as https://sandbox.example",
    )  # fmt: skip
    options = parser.parse_args()
    token = options.token or secrets.token_urlsafe(16)
    try:
        world = World(State(options.state), Clock(), Switches())
    except StateError as error:
        parser.error(str(error))
    bricklink, brickowl = BrickLink(world, origins=options.origin), BrickOwl(world)
    services = (
        Rebrickable(per_second=options.rebrickable_rate), Brickognize(), bricklink, brickowl, Brikick(world),
        CentralBank(), Dumps(), Pictures(),
    )  # fmt: skip
    steering = Steering(world, profile=options.profile, forget=(bricklink.guard.nonces.clear, brickowl.buckets.clear))
    listener = None if options.fd is None else socket.socket(fileno=options.fd)
    server = Sandbox(
        (options.host, options.port), services=services, token=token, seed=options.seed, listener=listener,
        commands=(steering,), clock=world.clock,
    )  # fmt: skip

    def stop(*_: object) -> None:
        # From another thread: serve_forever, which this handler interrupts, must go on to see it.
        threading.Thread(target=server.shutdown).start()

    courier = Courier(world)
    courier.start()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, stop)
    sys.stdout.write(f"sandbox at {server.url}, control token {token}, Rebrickable key {KEY}\n")
    for service in services:
        sys.stdout.write(f"  {service.name}: {server.url}{service.prefix}, or by the host {', '.join(service.hosts)}\n")
    sys.stdout.flush()
    server.serve_forever()
    server.server_close()
    courier.stop()
    world.state.close()
    return 0


if __name__ == "__main__":
    sys.exit(main())
