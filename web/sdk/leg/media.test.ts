import { afterEach, describe, expect, it, vi } from "vitest";
import { DeviceError } from "../errors.ts";
import { capture, reason } from "./devices.ts";
import { plan } from "./plan.ts";
import { type Arrivals, nothingArrivedYet, observe } from "./silence.ts";
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
		let arrivals: Arrivals = nothingArrivedYet(0);
		let count = 0;
		const at: number[] = [];
		for (let t = 500; t <= seconds * 1000; t += 500) {
			if (heard(t)) count++;
			const verdict = observe(arrivals, count, lost(t), t);
			arrivals = verdict.arrivals;
			if (verdict.restart) at.push(t);
		}
		return at;
	}

	it("restarts ICE after 2 s, then less and less often", () => {
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

	it("is not broken by counters that fall when ICE drops a candidate pair", () => {
		let arrivals: Arrivals = nothingArrivedYet(0);
		arrivals = observe(arrivals, 100, false, 500).arrivals;
		expect(observe(arrivals, 40, false, 2500).restart).toBe(true);
		const lower = observe(arrivals, 40, false, 1000).arrivals;
		expect(observe(lower, 50, false, 2500).restart, "it grows from there").toBe(false);
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

type Report = [string, Record<string, unknown>][];

/** What the browsers' reports say of one connection, cut down to what is read of them; `at` is in seconds. */
const reports = {
	/** Chromium 156, and any browser built on libwebrtc: the transport counts, and a pair counts its STUN answers. */
	chromium: (media: number, answers: number): Report => [
		[
			"T01",
			{
				type: "transport",
				bytesReceived: media,
				bytesSent: media / 2,
				packetsReceived: media / 100,
				selectedCandidatePairId: "CP1",
			},
		],
		[
			"CP1",
			{
				type: "candidate-pair",
				state: "succeeded",
				nominated: true,
				bytesReceived: media,
				bytesSent: media / 2,
				responsesReceived: answers,
				currentRoundTripTime: 0.004,
				localCandidateId: "L1",
			},
		],
		["L1", { type: "local-candidate", candidateType: "host", protocol: "udp" }],
		["IT01A", { type: "inbound-rtp", kind: "audio", mid: "2", bytesReceived: media, packetsReceived: 1 }],
	],
	/** Firefox 153: the transport has no counters. The pair counts, and has a STUN answer every five seconds. */
	firefox: (media: number, answers: number): Report => [
		["b66cdf4c", { type: "inbound-rtp", kind: "audio", mid: "2", bytesReceived: media, packetsReceived: 1 }],
		[
			"d59b2537",
			{
				type: "candidate-pair",
				state: "succeeded",
				nominated: true,
				selected: true,
				bytesReceived: media,
				bytesSent: media / 2,
				responsesReceived: answers,
				currentRoundTripTime: 0.004,
				localCandidateId: "2db0b08e",
			},
		],
		["2db0b08e", { type: "local-candidate", candidateType: "host", protocol: "udp" }],
		["8918358b", { type: "transport", dtlsState: "connected", selectedCandidatePairId: "d59b2537" }],
	],
	/** Firefox before it had transports. */
	firefoxWithoutTransport: (media: number, answers: number): Report =>
		reports.firefox(media, answers).filter(([, s]) => s.type !== "transport"),
	/** Safari 18: as Chromium, but without the codecs and with fewer figures in a pair. */
	safari: (media: number, answers: number): Report =>
		reports.chromium(media, answers).map(([id, s]) => {
			const { bytesSent: _, ...pair } = s;
			return [id, s.type === "candidate-pair" ? pair : s];
		}),
};

describe.each(Object.entries(reports))("statistics of %s", (_, report) => {
	/** Reads twice a second, and says when ICE would be restarted. */
	function restarts(seconds: number, media: (at: number) => number, answers: (at: number) => number) {
		let arrivals: Arrivals = nothingArrivedYet(0);
		const at: number[] = [];
		for (let t = 500; t <= seconds * 1000; t += 500) {
			const verdict = observe(arrivals, read(report(media(t), answers(t)), t).arrived, false, t);
			arrivals = verdict.arrivals;
			if (verdict.restart) at.push(t);
		}
		return at;
	}

	it("leave a call alone in which media flows", () => {
		expect(
			restarts(
				60,
				(t) => t * 10,
				() => 1,
			),
		).toEqual([]);
	});

	it("show within 2 s that nothing arrives", () => {
		expect(
			restarts(
				8,
				(t) => Math.min(t, 5000),
				() => 1,
			)[0],
		).toBe(7000);
	});

	it("are rates, a round trip and the way the media takes", () => {
		const one = read(report(10_000, 1), 0);
		const two = read(report(20_000, 1), 1000);
		expect(summary(two, one)).toMatchObject({ sendKbps: 40, receiveKbps: 80, rttMs: 4, path: "udp" });
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
