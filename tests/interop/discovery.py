"""Members that find each other by multicast DNS and by DNS, in network namespaces of their own. Needs root."""
import json
import pathlib
import shutil
import sys
import time

from harness import KINDS, Space, check, expect, expect_equal

PAIRS = {f"{one}-{other}": (one, other) for one in KINDS for other in KINDS if "starling" in (one, other)}


def two_spaces(stage):
    """Two namespaces with addresses 10.79.0.1 and .2 on interfaces called cable; (space, address) each."""
    spaces = [Space(stage, side) for side in "ab"]
    spaces[0].cable_to(spaces[1], "cable", "cable")
    addresses = ["10.79.0.1", "10.79.0.2"]
    for space, address in zip(spaces, addresses):
        space.ip(f"addr add {address}/24 dev cable")
        space.ip("route add default dev cable")
    # Serf gives up asking when its IPv6 address cannot be used yet.
    for space in spaces:
        def settled(space=space):
            done = stage.run(["ip", "-n", space.name, "-6", "addr", "show", "dev", "cable", "tentative"])
            return not done.stdout.strip(), done.stdout
        stage.wait(f"the IPv6 address of {space.name} is usable", settled, 10)
    return list(zip(spaces, addresses))


@check(60, PAIRS)
def discover(stage, first, second):
    """Two agents with one cluster name join without being told an address; a third of another name stays alone."""
    agents = []
    places = two_spaces(stage)
    for name, kind, (space, address), cluster in (("one", first, places[0], "here"), ("two", second, places[1], "here")):
        agents.append(stage.started(kind, name, address=address, rpc="127.0.0.1:7373", prefix=space.prefix,
                                    args=[f"-discover={cluster}", "-iface=cable"]))
    stage.expect_all_alive(agents)
    other = stage.started("starling", "other", address="127.0.0.9", rpc="127.0.0.1:7374",
                          prefix=places[0][0].prefix, args=["-discover=elsewhere", "-mdns-iface=cable"])
    time.sleep(2)
    expect_equal(set(other.members()), {"other"}, "who the stranger knows")
    expect_equal(set(agents[0].members()), {"one", "two"}, "who the first knows")


class NameServer:
    """A namespace whose only name server answers from a zone that can be changed."""

    ADDRESS = "127.0.0.53"

    def __init__(self, stage):
        space = Space(stage, "dns")
        # `ip netns exec` shows these files in the place of /etc's.
        folder = pathlib.Path("/etc/netns") / space.name
        folder.mkdir(parents=True)
        stage.at_end(lambda: shutil.rmtree(folder))
        (folder / "resolv.conf").write_text(f"nameserver {self.ADDRESS}\noptions timeout:1 attempts:2\n")
        (folder / "nsswitch.conf").write_text("hosts: files dns\n")
        self.prefix = space.prefix
        self.zone = stage.folder / "zone.json"
        self.serve({})
        server = pathlib.Path(__file__).with_name("dns_server.py")
        stage.spawn([*self.prefix, sys.executable, str(server), self.ADDRESS, str(self.zone)], "name-server")

    def serve(self, zone):
        fresh = self.zone.with_suffix(".new")
        fresh.write_text(json.dumps(zone))
        fresh.replace(self.zone)


SERVICE = "_serf._tcp.cluster.test"


def zone_of(**ports):
    """A zone in which the service is at these names and ports; one is at 127.0.0.11, two at .12."""
    addresses = {"one": "127.0.0.11", "two": "127.0.0.12"}
    zone = {SERVICE: {"SRV": [[10, 5, port, f"{name}.cluster.test"] for name, port in ports.items()]}}
    return zone | {f"{name}.cluster.test": {"A": [addresses[name]]} for name in ports}


@check(60)
def join_by_service(stage):
    """The name of a DNS service leads to a serf and a starling that do not know of each other, on ports of their own."""
    names = NameServer(stage)
    where = {"prefix": names.prefix}
    one = stage.started("serf", "one", address="127.0.0.11", args=["-bind=127.0.0.11:8101"], **where)
    two = stage.started("starling", "two", address="127.0.0.12", args=["-bind=127.0.0.12:8102"], **where)
    names.serve(zone_of(one=8101, two=8102))
    three = stage.started("starling", "three", address="127.0.0.13", **where)
    expect_equal(three.do("join", SERVICE).strip(), "Successfully joined cluster by contacting 2 nodes.", "what join says")
    stage.expect_all_alive([one, two, three])
    refused = three.cli("join", "_nothing._tcp.cluster.test")
    expect_equal(refused.returncode, 1, "joining a service that does not exist")
    expect("no such host" in refused.stdout, f"it says {refused.stdout!r}")


@check(60)
def retry_join_by_service(stage):
    """A service is looked up in every try: at first it does not exist, then it is on a port where nobody listens."""
    names = NameServer(stage)
    where = {"prefix": names.prefix}
    one = stage.started("serf", "one", address="127.0.0.11", args=["-bind=127.0.0.11:8101"], **where)
    late = stage.started("starling", "late", address="127.0.0.13", config={"retry_interval": "500ms"},
                         args=[f"-retry-join={SERVICE}"], **where)

    def expect_logged(text):
        stage.wait(f"{late.name} logs {text!r}", lambda: (text in late.log(), late.log_tail()), 15)
    expect_logged("no such host")
    names.serve(zone_of(one=8999))
    expect_logged("connection refused")
    expect_equal(set(late.members()), {"late"}, "who it knows until then")
    names.serve(zone_of(one=8101))
    stage.expect_all_alive([one, late])
