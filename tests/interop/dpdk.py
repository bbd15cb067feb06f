"""Starling with its datagrams on a DPDK device, serf on kernel sockets, two network namespaces and a virtual cable between them.

Needs root. What DPDK or this kernel cannot do here is skipped with the reason. Everything lives in the two namespaces and goes
with them.
"""
import contextlib
import json
import os
import pathlib
import secrets

from basics import expect_events_once, expect_query_answered, expect_tags
from harness import Failure, Skip, Space, answers_queries, check, detection_bound, expect, expect_equal, new_key

PREFIX_BITS = 24
AF_PACKET = "--no-huge --vdev=net_af_packet0,iface={iface},blocksz=4096,framesz=2048,framecnt=512,qpairs=1,qdisc_bypass=1"
AF_PACKET_PAIRS = AF_PACKET.replace("qpairs=1", "qpairs=2")
AF_XDP = "--vdev=net_af_xdp0,iface={iface},start_queue=0,queue_count=1"
TAP = "--vdev=net_tap0,iface={tap}"
HUGE_PAGES = pathlib.Path("/proc/sys/vm/nr_hugepages")


class Cable:
    """Namespaces "star" and "serf", each with its end of a veth pair. The star's address is on its end, or on a TAP device."""

    def __init__(self, stage, tap=False):
        mark = secrets.token_hex(3)
        self.stage = stage
        self.spaces = {side: Space(stage, side) for side in ("star", "serf")}
        self.iface = {side: f"v{mark}{side[1]}" for side in self.spaces}
        self.address = {"star": "10.78.0.1", "serf": "10.78.0.2"}
        self.tap = f"t{mark}" if tap else None
        self.spaces["star"].cable_to(self.spaces["serf"], self.iface["star"], self.iface["serf"])
        self.spaces["serf"].ip(f"addr add {self.address['serf']}/{PREFIX_BITS} dev {self.iface['serf']}")
        owner = self.iface["star"]
        if tap:
            # What DPDK hands to the kernel must be whole: the other end has to finish its checksums.
            self.spaces["serf"].run("ethtool", "-K", self.iface["serf"], "tx", "off")
            self.spaces["star"].ip(f"tuntap add dev {self.tap} mode tap multi_queue")
            self.spaces["star"].ip(f"link set {self.tap} up")
            # The kernel takes from the cable only what comes by the TAP: a packet from the cable itself has the wrong source.
            self.spaces["star"].run("sysctl", "-q", "-w", f"net.ipv4.conf.{owner}.rp_filter=1")
            owner = self.tap
        self.spaces["star"].ip(f"addr add {self.address['star']}/{PREFIX_BITS} dev {owner}")

    def agent(self, side, dpdk, name=None, lanes=1, **options):
        extra = []
        if side == "star":
            extra = ["-io=dpdk", f"-lanes={lanes}", "-dpdk-args=" + dpdk.format(iface=self.iface["star"], tap=self.tap)]
        return self.stage.agent("starling" if side == "star" else "serf", name or side, address=self.address[side],
                                rpc="127.0.0.1:7373", prefix=self.spaces[side].prefix, args=extra, **options)


def start(agent, join=()):
    """As start(), but a machine that has not what DPDK needs is no failure of ours."""
    try:
        agent.start(join=join)
    except Failure:
        log = agent.log()
        for missing in ("failed to parse device", "Cannot open shared", "EAL: Cannot", "built without DPDK"):
            if missing in log:
                raise Skip(f"DPDK: {agent.log_tail()[:200]}") from None
        raise


def pair(stage, dpdk, first, tap=False, **options):
    """(star, serf), the second one joined to the first, both alive for each other."""
    cable = Cable(stage, tap)
    star, serf = cable.agent("star", dpdk, **options), cable.agent("serf", dpdk, **options)
    order = [star, serf] if first == "star" else [serf, star]
    start(order[0])
    start(order[1], join=[order[0]])
    stage.expect_all_alive([star, serf])
    expect("dpdk" in star.log() and "IO: 'dpdk'" in star.log(), f"the start-up line names DPDK: {star.log()[:600]}")
    return star, serf


def counters(star):
    return {name: int(value) for name, value in json.loads(star.do("info", "-format=json"))["starling"].items() if value.isdigit()}


def probes_both_ways(stage, star, serf):
    """Starling's pings are acked and serf's are answered, and nobody needs another way round."""
    before = counters(star)

    def both():
        now = counters(star)
        return all(now[name] >= before[name] + 3 for name in ("acks_received", "pings_answered")), now
    stage.wait("three probes each way", both, 20)
    now = counters(star)
    for name in ("stream_pings_sent", "suspicions_started", "packets_dropped"):
        expect_equal(now[name], 0, name)
    for words in ("Failed ping", "Suspect ", "Refuting"):
        expect(words not in serf.log(), f"serf complains: {words}")


def events_both_ways(stage, star, serf):
    star.do("event", "-coalesce=false", "from-star", "over dpdk")
    serf.do("event", "-coalesce=false", "from-serf", "over sockets")
    expect_events_once(stage, [star, serf], [("from-star", "over dpdk;"), ("from-serf", "over sockets;")])


FIRST = {"serf-joins": ("star",), "starling-joins": ("serf",)}


@check(120, FIRST)
def af_packet_life(stage, first):
    """Join, tags, probes, events and a query over a packet socket that shares the interface with the kernel."""
    star, serf = pair(stage, AF_PACKET, first, tags={"role": "one", "padding": "x" * 300})
    probes_both_ways(stage, star, serf)
    star.do("tags", "-set", "role=star")
    serf.do("tags", "-set", "role=serf")
    for agent in (star, serf):
        expect_tags(stage, [star, serf], agent.name, {"role": agent.name, "padding": "x" * 300})
    events_both_ways(stage, star, serf)
    if answers_queries("starling"):
        for asked in (star, serf):
            expect_query_answered([star, serf], asked)


@check(90)
def af_packet_ipv6(stage):
    """The same over IPv6: the kernel's neighbour discovery instead of ARP."""
    cable = Cable(stage)
    for side, address in (("star", "fd78::1"), ("serf", "fd78::2")):
        cable.spaces[side].ip(f"-6 addr add {address}/64 dev {cable.iface[side]} nodad")
        cable.address[side] = f"[{address}]"
    star, serf = cable.agent("star", AF_PACKET), cable.agent("serf", AF_PACKET)
    start(star)
    start(serf)
    star.do("join", "[fd78::2]:7946")
    stage.expect_all_alive([star, serf])
    expect_equal(serf.members()["star"]["addr"], "[fd78::1]:7946", "the star's address at serf")
    probes_both_ways(stage, star, serf)
    events_both_ways(stage, star, serf)


@check(120, {"qpairs-2": (AF_PACKET_PAIRS,), "qpairs-1": (AF_PACKET,)})
def af_packet_two_lanes(stage, dpdk):
    """Two lanes: each with a queue pair of its own, or both with the only one. An ack finds the lane that waits for it."""
    star, serf = pair(stage, dpdk, "star", lanes=2)
    layout = "2 receive queues for 2 lanes" if dpdk == AF_PACKET_PAIRS else "1 receive queue for 2 lanes"
    expect(layout in star.log(), f"the start-up line tells the layout: {star.log()[:600]}")
    probes_both_ways(stage, star, serf)
    star.do("tags", "-set", "role=star")
    expect_tags(stage, [star, serf], "star", {"role": "star"})
    events_both_ways(stage, star, serf)
    star.do("leave")
    star.expect_exit(0, 12)
    stage.expect_status([serf], "star", "left", 10)


@check(90)
def af_packet_encrypted(stage):
    star, serf = pair(stage, AF_PACKET, "star", key=new_key(16))
    probes_both_ways(stage, star, serf)
    events_both_ways(stage, star, serf)


@check(90, {"star": ("star",), "serf": ("serf",)})
def af_packet_killed(stage, victim):
    """A crash on either side is seen as failed by the other; a restart as alive, in spite of what was cached about it."""
    star, serf = pair(stage, AF_PACKET, "star")
    dead, watcher = (star, serf) if victim == "star" else (serf, star)
    dead.kill()
    stage.expect_status([watcher], dead.name, "failed", detection_bound("lan", 2))
    start(dead, join=[watcher])
    stage.expect_all_alive([star, serf], 35)


@check(90, {"star": ("star",), "serf": ("serf",)})
def af_packet_leaves(stage, leaver):
    """A graceful leave is left and not failed."""
    star, serf = pair(stage, AF_PACKET, "star")
    gone, watcher = (star, serf) if leaver == "star" else (serf, star)
    gone.do("leave")
    gone.expect_exit(0, 12)
    stage.expect_status([watcher], gone.name, "left", 10)
    expect(("member-failed", gone.name) not in watcher.member_events(), "the leaver was never failed")


@check(90)
def af_packet_new_mac(stage):
    """A peer whose MAC changes is found again without a restart."""
    star, serf = pair(stage, AF_PACKET, "star")
    cable_of_serf = serf.prefix[3]
    done = stage.run(["ip", "-n", cable_of_serf, "-j", "link", "show", "type", "veth"])
    iface = json.loads(done.stdout)[0]["ifname"]
    for words in (f"link set {iface} down", f"link set {iface} address 02:00:00:00:77:01", f"link set {iface} up"):
        expect_equal(stage.run(["ip", "-n", cable_of_serf, *words.split()]).returncode, 0, words)
    before = counters(star)["acks_received"]
    stage.wait("acks from the new address", lambda: ((seen := counters(star)["acks_received"]) >= before + 5, seen), 60)
    stage.expect_all_alive([star, serf], 35)


@check(90)
def tap_exception_path(stage):
    """The kernel hears the wire by a TAP device only: ARP and TCP go over it, datagrams by DPDK."""
    star, serf = pair(stage, f"{AF_PACKET} {TAP}", "star", tap=True)
    expect("the rest to the kernel by net_tap0" in star.log(), f"the start-up line names the TAP: {star.log()[:600]}")
    probes_both_ways(stage, star, serf)
    events_both_ways(stage, star, serf)
    star.do("leave")
    star.expect_exit(0, 12)
    stage.expect_status([serf], "star", "left", 10)


@contextlib.contextmanager
def huge_pages(pages):
    """At least so many free huge pages; what there was before comes back afterwards."""
    before = HUGE_PAGES.read_text()
    HUGE_PAGES.write_text(str(int(before) + pages))
    try:
        yield int(HUGE_PAGES.read_text()) - int(before)
    finally:
        HUGE_PAGES.write_text(before)


@check(120)
def af_xdp_with_tap(stage):
    """AF_XDP takes every packet off the interface; the kernel gets its part back by a TAP device."""
    if os.geteuid() != 0:
        raise Skip("AF_XDP needs root")
    with huge_pages(64) as granted:
        if granted < 64:
            raise Skip(f"AF_XDP wants huge pages, and the kernel gave {granted} of 64")
        try:
            star, serf = pair(stage, f"{AF_XDP} {TAP}", "star", tap=True)
        except Failure as failure:
            log = (stage.folder / "star/log").read_text(errors="replace")
            if "net_af_xdp" in log and "started" not in log and "Failed to start" in log:
                raise Skip(f"AF_XDP: {log.strip().splitlines()[-1][:200]}") from None
            raise failure
        expect("huge pages" in star.log(), "the start-up line names the huge pages")
        probes_both_ways(stage, star, serf)
        events_both_ways(stage, star, serf)
        star.do("leave")
        star.expect_exit(0, 12)
        stage.expect_status([serf], "star", "left", 10)
        # The pages must be free again before they are given back.
        stage.close()
