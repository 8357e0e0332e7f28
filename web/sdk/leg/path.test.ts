import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import type { LegContext } from "../calls/context.ts";
import { Refusal, Unanswered } from "../errors.ts";
import { FakePeerConnection } from "../testing/peer.ts";
import { MediaPath } from "./path.ts";

beforeEach(() => {
	vi.useFakeTimers();
	FakePeerConnection.made = [];
	vi.stubGlobal("RTCPeerConnection", FakePeerConnection);
	vi.stubGlobal("RTCRtpReceiver", {});
});
afterEach(() => {
	vi.useRealTimers();
	vi.unstubAllGlobals();
});

const servers = [
	{ urls: ["turn:a?transport=udp", "turn:a?transport=tcp"], username: "u", credential: "c" },
	{ urls: ["turns:b"], username: "u", credential: "c" },
];

/** A media path that has begun, with a server that answers each offer. */
async function begin() {
	const states: string[] = [];
	const server = { lost: 0, offers: 0, refusal: undefined as Refusal | undefined };
	const told: (string | undefined)[] = [];
	const socket = {
		welcome: { ice_servers: servers },
		request: async () => {
			server.offers++;
			if (server.lost-- > 0) throw new Unanswered("leg.offer");
			if (server.refusal) throw server.refusal;
			return { sdp: "a=fingerprint:sha-256 AA" };
		},
	};
	const path = new MediaPath({
		ctx: { socket, relayOnly: false, singleLayer: false, error: vi.fn() } as unknown as LegContext,
		untilBound: async () => ({ call: "c", leg: "l", secret: "s" }),
		equip: async () => {},
		described: () => {},
		stateChanged: (s) => states.push(s),
		refused: (why) => told.push(why?.code),
		statsRead: () => {},
		legGone: () => states.push("gone"),
	});
	path.start();
	await vi.advanceTimersByTimeAsync(50);
	const newest = () => {
		const pc = FakePeerConnection.made.at(-1);
		if (!pc) throw new Error("no PeerConnection was made");
		return pc;
	};
	return { path, states, told, server, newest, made: FakePeerConnection.made };
}

const urls = (pc: FakePeerConnection) => pc.config.iceServers?.map((s) => s.urls);

describe("before the first media", () => {
	it("a connection that does not come up is built anew with the next way, and never restarted", async () => {
		const { made, path } = await begin();
		await vi.advanceTimersByTimeAsync(12_500);
		expect(made.map(urls)).toEqual([
			[["turn:a?transport=udp", "turn:a?transport=tcp"], ["turns:b"]],
			[["turn:a?transport=tcp"]],
			[["turns:b"]],
		]);
		expect(made.map((pc) => pc.closed)).toEqual([true, true, false]);
		expect(made.map((pc) => pc.restarts)).toEqual([0, 0, 0]);
		path.close();
	});

	it("a connection that failed is built anew at once", async () => {
		const { made, newest, path } = await begin();
		newest().becomes("failed");
		await vi.advanceTimersByTimeAsync(50);
		expect(made).toHaveLength(2);
		expect(newest().restarts).toBe(0);
		path.close();
	});

	it("a new socket finds a connection that is not up, and has it built anew", async () => {
		const { made, path } = await begin();
		path.rebound(false);
		await vi.advanceTimersByTimeAsync(50);
		expect(made).toHaveLength(2);
		path.close();
	});

	it("an offer whose answer was lost is repeated for the same connection", async () => {
		const { made, server, path, newest } = await begin();
		server.lost = 1;
		newest().becomes("failed");
		await vi.advanceTimersByTimeAsync(20);
		path.rebound(false);
		await vi.advanceTimersByTimeAsync(500);
		expect(made).toHaveLength(2);
		expect(newest().signalingState).toBe("stable");
		path.close();
	});
});

describe("while the server takes no offer", () => {
	const tooMany = new Refusal("too_many_peers", "You have too many calls and streams open.");

	/** A media path whose connection has failed, and whose offers the server refuses from then on. */
	async function refused(why: Refusal) {
		const leg = await begin();
		leg.server.refusal = why;
		leg.server.offers = 0;
		leg.told.length = 0;
		leg.newest().becomes("failed");
		await vi.advanceTimersByTimeAsync(50);
		expect(leg.server.offers).toBe(1);
		return leg;
	}

	it("offers come later and later, and it is told why", async () => {
		const { server, told, path, made } = await refused(tooMany);
		const after = made.length;
		await vi.advanceTimersByTimeAsync(16_000);
		expect(server.offers, "at 0, 1, 3, 7 and 15 s").toBe(5);
		await vi.advanceTimersByTimeAsync(60_000);
		expect(server.offers, "every 15 s from then on").toBe(9);
		expect(new Set(told)).toEqual(new Set(["too_many_peers"]));
		expect(made, "another connection would be refused as well").toHaveLength(after);
		path.close();
	});

	it("the first offer that is taken ends that", async () => {
		const { server, told, path, newest } = await refused(tooMany);
		server.refusal = undefined;
		await vi.advanceTimersByTimeAsync(1100);
		expect(told).toEqual(["too_many_peers", undefined]);
		expect(newest().signalingState).toBe("stable");
		path.close();
	});

	it("another server process is asked at once", async () => {
		const { server, path } = await refused(tooMany);
		await vi.advanceTimersByTimeAsync(7500);
		const before = server.offers;
		server.refusal = undefined;
		path.rebound(true);
		await vi.advanceTimersByTimeAsync(50);
		expect(server.offers).toBe(before + 1);
		path.close();
	});

	it("a refusal that passes at once is not told, and the time it names is kept", async () => {
		const { server, told, path } = await refused(new Refusal("busy", "Come back.", 200));
		server.refusal = undefined;
		await vi.advanceTimersByTimeAsync(100);
		expect(server.offers).toBe(1);
		await vi.advanceTimersByTimeAsync(150);
		expect(server.offers).toBe(2);
		expect(told).toEqual([undefined]);
		path.close();
	});

	it("nothing is offered for a leg that is over", async () => {
		const { server, path } = await refused(tooMany);
		path.close();
		await vi.advanceTimersByTimeAsync(60_000);
		expect(server.offers).toBe(1);
	});
});

describe("after the first media", () => {
	it("ICE is restarted when the network falls silent, and the connection is built anew only when that does not help", async () => {
		const { made, newest, states, path } = await begin();
		newest().becomes("connected");
		await vi.advanceTimersByTimeAsync(5000);
		newest().talking = false;
		await vi.advanceTimersByTimeAsync(3000);
		expect(made.map((pc) => pc.restarts)).toEqual([1]);
		expect(states).toEqual(["up", "reconnecting"]);
		await vi.advanceTimersByTimeAsync(3000);
		expect(made.map((pc) => pc.restarts)).toEqual([2]);
		await vi.advanceTimersByTimeAsync(3000);
		expect(made).toHaveLength(2);
		path.close();
	});

	it("a connection that failed is restarted once, and again after 3 s", async () => {
		const { made, newest, path } = await begin();
		newest().becomes("connected");
		newest().becomes("failed");
		await vi.advanceTimersByTimeAsync(2500);
		expect(made.map((pc) => pc.restarts)).toEqual([1]);
		await vi.advanceTimersByTimeAsync(1500);
		expect(made.map((pc) => pc.restarts)).toEqual([2]);
		path.close();
	});

	it("a new socket leaves a connection alone through which something arrives", async () => {
		const { made, newest, path } = await begin();
		newest().becomes("connected");
		await vi.advanceTimersByTimeAsync(5000);
		path.rebound(false);
		await vi.advanceTimersByTimeAsync(50);
		expect(made.map((pc) => pc.restarts)).toEqual([0]);
		path.rebound(true);
		await vi.advanceTimersByTimeAsync(50);
		expect(made, "another server process knows nothing of it").toHaveLength(2);
		path.close();
	});
});
