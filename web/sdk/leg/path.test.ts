import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import type { LegContext } from "../calls/context.ts";
import { Unanswered } from "../errors.ts";
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
	const server = { lost: 0 };
	const socket = {
		welcome: { ice_servers: servers },
		request: async () => {
			if (server.lost-- > 0) throw new Unanswered("leg.offer");
			return { sdp: "a=fingerprint:sha-256 AA" };
		},
	};
	const path = new MediaPath({
		ctx: { socket, relayOnly: false, singleLayer: false, error: vi.fn() } as unknown as LegContext,
		untilBound: async () => ({ call: "c", leg: "l", secret: "s" }),
		equip: async () => {},
		described: () => {},
		stateChanged: (s) => states.push(s),
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
	return { path, states, server, newest, made: FakePeerConnection.made };
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
