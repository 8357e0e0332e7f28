import { afterEach, describe, expect, it, vi } from "vitest";
import { DeviceError } from "../errors.ts";
import { capture, reason } from "./devices.ts";
import { plan } from "./plan.ts";
import { type Ear, hear, listening } from "./silence.ts";
import { read, summary } from "./stats.ts";

describe("a device that cannot be had", () => {
	it.each([
		["NotAllowedError", "refused"],
		["SecurityError", "refused"],
		["NotFoundError", "none_found"],
		["OverconstrainedError", "none_found"],
		["NotReadableError", "in_use"],
		["AbortError", "in_use"],
		["TypeError", "failed"],
	])("for %s is %s", (name, want) => {
		expect(reason(Object.assign(new Error(), { name }))).toBe(want);
	});
});

class Track {
	stopped = false;
	constructor(readonly kind: string) {}
	stop(): void {
		this.stopped = true;
	}
}

/** A browser that has what it is given and refuses the rest with the named errors. */
function browser(refuse: { audio?: string; video?: string }, before = async () => {}) {
	const tracks: Track[] = [];
	const getUserMedia = vi.fn(async (c: { audio: unknown; video: unknown }) => {
		await before();
		const name = (c.audio && refuse.audio) || (c.video && refuse.video);
		if (name) throw Object.assign(new Error(), { name });
		const got = [...(c.audio ? [new Track("audio")] : []), ...(c.video ? [new Track("video")] : [])];
		tracks.push(...got);
		return {
			getTracks: () => got,
			getAudioTracks: () => got.filter((t) => t.kind === "audio"),
			getVideoTracks: () => got.filter((t) => t.kind === "video"),
		};
	});
	vi.stubGlobal("navigator", { mediaDevices: { getUserMedia } });
	return { tracks, getUserMedia };
}

describe("capturing", () => {
	afterEach(() => void vi.unstubAllGlobals());
	const both = { microphone: true, camera: true };
	const forever = new AbortController().signal;

	it("asks for both with one prompt", async () => {
		const { getUserMedia } = browser({});
		const got = await capture(both, {}, forever);
		expect(Object.keys(got).sort()).toEqual(["camera", "microphone"]);
		expect(getUserMedia).toHaveBeenCalledTimes(1);
	});

	it("goes on by voice without the camera, and says why", async () => {
		browser({ video: "NotReadableError" });
		const got = await capture(both, {}, forever);
		expect(got.microphone).toBeDefined();
		expect(got.problem).toMatchObject({ source: "camera", reason: "in_use" });
	});

	it("fails without a microphone, and blames it", async () => {
		browser({ audio: "NotFoundError" });
		const err = await capture(both, {}, forever).catch((e) => e);
		expect(err).toBeInstanceOf(DeviceError);
		expect(err).toMatchObject({ source: "microphone", reason: "none_found" });
	});

	it("gives back what arrives after it was called off", async () => {
		const stop = new AbortController();
		const { tracks } = browser({}, async () => stop.abort());
		await expect(capture(both, {}, stop.signal)).rejects.toThrow();
		expect(tracks).toHaveLength(2);
		expect(tracks.every((t) => t.stopped)).toBe(true);
	});
});

describe("silence", () => {
	/** Runs at two looks a second; `heard` says whether something arrived since the last. */
	function restarts(
		seconds: number,
		heard: (t: number) => boolean,
		lost: (t: number) => boolean = () => false,
	) {
		let ear: Ear = listening(0);
		let count = 0;
		const at: number[] = [];
		for (let t = 500; t <= seconds * 1000; t += 500) {
			if (heard(t)) count++;
			const verdict = hear(ear, count, lost(t), t);
			ear = verdict.ear;
			if (verdict.restart) at.push(t);
		}
		return at;
	}

	it("restarts ICE after 2 s, then with patience", () => {
		expect(restarts(20, (t) => t <= 5000)).toEqual([7000, 10_000, 13_000, 19_000]);
	});

	it("restarts at once when the browser says that the connection is lost", () => {
		expect(
			restarts(
				6,
				(t) => t <= 5000,
				(t) => t > 5000,
			)[0],
		).toBe(5500);
	});

	it("is not suspected in a call that is quiet by nature", () => {
		expect(restarts(60, (t) => t % 2500 === 0)).toEqual([]);
	});

	it("is over when something is heard", () => {
		expect(restarts(30, (t) => t <= 5000 || t > 8000)).toEqual([7000]);
	});
});

describe("the ways to the server", () => {
	const servers = [
		{ urls: ["turn:a?transport=udp", "turn:a?transport=tcp"], username: "u", credential: "c" },
		{ urls: ["turns:b"], username: "u", credential: "c" },
	];

	it("are all at once, then TURN by TCP, then by TLS", () => {
		const ways = plan(servers, false);
		expect(ways.map((w) => w.iceTransportPolicy)).toEqual(["all", "relay", "relay"]);
		expect(ways.map((w) => w.iceServers?.map((s) => s.urls))).toEqual([
			[["turn:a?transport=udp", "turn:a?transport=tcp"], ["turns:b"]],
			[["turn:a?transport=tcp"]],
			[["turns:b"]],
		]);
	});

	it("are relays only when that is wanted, and one when there is no TURN", () => {
		expect(plan(servers, true)[0]?.iceTransportPolicy).toBe("relay");
		expect(plan([], false)).toHaveLength(1);
	});
});

describe("statistics", () => {
	const report = (received: number, lost: number, frames: number): [string, unknown][] => [
		[
			"t",
			{
				id: "t",
				type: "transport",
				bytesSent: 0,
				bytesReceived: received,
				packetsReceived: 1,
				selectedCandidatePairId: "p",
			},
		],
		["p", { id: "p", type: "candidate-pair", localCandidateId: "l", currentRoundTripTime: 0.02 }],
		["l", { id: "l", type: "local-candidate", candidateType: "relay", relayProtocol: "tls" }],
		[
			"v",
			{
				id: "v",
				type: "inbound-rtp",
				kind: "video",
				packetsReceived: received / 100,
				packetsLost: lost,
				framesDecoded: frames,
			},
		],
	];

	it("are rates between two readings, and the way the media takes", () => {
		const one = read(report(10_000, 0, 30), 0);
		const two = read(report(20_000, 25, 60), 1000);
		expect(summary(two, one)).toMatchObject({
			receiveKbps: 80,
			loss: 0.2,
			framesDecoded: 60,
			framesPerSecond: 30,
			rttMs: 20,
			path: "relay_tls",
		});
	});
});
