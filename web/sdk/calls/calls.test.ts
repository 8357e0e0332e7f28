import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { connect, FakePage, greet, ringing, synced, turn } from "../testing/wire.ts";
import type { User, Where } from "../wire.gen.ts";

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

const bob: User = { id: "bob", name: "Bob" };
const phone: Where = { tab: "tab-phone", device: "dev-phone", device_name: "Chrome on Android" };

const called = (s: object, ageMs = 0) => ({ method: "call", params: { age_ms: ageMs, call: s } });

/** Bob's tab, and the events that it was told of, in order. */
async function tab(page = new FakePage()) {
	const { client } = await connect(page);
	const events: string[] = [];
	client.on("call:incoming", (r) => events.push(`ring ${r.from.user}${r.waiting ? " waiting" : ""}`));
	client.on("call:ringend", (e) => events.push(`end ${e.reason}${e.sameDevice ? " here" : ""}`));
	client.on("call:elsewhere", (v) => events.push(`elsewhere ${v.where?.device_name}`));
	client.on("call:ended", (e) => events.push(`over ${e.reason}`));
	return { client, page, events };
}

const change = (s = ringing(), changes: object = {}, call: object = {}) => ({
	...s,
	...call,
	participants: s.participants.map((p) => (p.user === "bob" ? { ...p, ...changes } : p)),
});

describe("calls", () => {
	it("ring when synced and not before, and the server is told", async () => {
		const { client, page, events } = await tab();
		await greet(page, { user: bob, calls: [change(ringing(), { state: "invited" })] }, false);
		expect(events).toEqual([]);
		page.wire.say(synced());
		expect(events).toEqual(["ring alice"]);
		await turn();
		expect(page.wire.last("call.ringing").params).toEqual({ call: ringing().id });
		expect(client.calls.rings).toHaveLength(1);
	});

	it("that ring are told as ringing though the server had no time at first", async () => {
		const { page } = await tab();
		await greet(page, { user: bob, calls: [change(ringing(), { state: "invited" })] });
		page.wire.refuse("call.ringing", "busy", 400);
		await vi.advanceTimersByTimeAsync(450);
		expect(page.wire.all("call.ringing")).toHaveLength(2);
	});

	it("do not ring when the catch-up ends what the greeting began", async () => {
		const { page, events } = await tab();
		await greet(page, { user: bob });
		page.wire.end(1006);
		await vi.advanceTimersByTimeAsync(1000);
		await greet(page, { user: bob, calls: [ringing()], resumed: true }, false);
		page.wire.say(
			called(change(ringing(), { state: "missed" }, { state: "ended", reason: "cancelled", cseq: 3 })),
		);
		page.wire.say(synced());
		expect(events).toEqual([]);
	});

	it("fall silent when another tab answers, and say which device", async () => {
		const { client, page, events } = await tab();
		await greet(page, { user: bob });
		page.wire.say(called(ringing()));
		page.wire.say(
			called(
				change(
					ringing(),
					{ state: "joining", acted_at: phone, leg: { id: "l", state: "answering", ...phone } },
					{ state: "connecting", cseq: 3 },
				),
			),
		);
		expect(events).toEqual(["ring alice", "end answered_elsewhere", "elsewhere Chrome on Android"]);
		expect(client.calls.views[0]).toMatchObject({ here: false, phase: "connecting", sameDevice: false });
	});

	it("believe only the newest snapshot", async () => {
		const { page, events } = await tab();
		await greet(page, { user: bob });
		page.wire.say(called(ringing({ cseq: 5 })));
		page.wire.say(
			called(change(ringing(), { state: "missed" }, { state: "ended", reason: "cancelled", cseq: 6 })),
		);
		page.wire.say(called(ringing({ cseq: 5 })));
		expect(events).toEqual(["ring alice", "end cancelled"]);
	});

	it("stop by themselves 3 s after their time", async () => {
		const { page, events } = await tab();
		await greet(page, { user: bob, ping_ms: 10_000_000 });
		page.wire.say(called(ringing({ remaining_ms: 10_000 }), 4000));
		await vi.advanceTimersByTimeAsync(8900);
		expect(events).toEqual(["ring alice"]);
		await vi.advanceTimersByTimeAsync(200);
		expect(events).toEqual(["ring alice", "end no_answer"]);
	});

	it("do not ring with less than 3 s left", async () => {
		const { page, events } = await tab();
		await greet(page, { user: bob });
		page.wire.say(called(ringing({ remaining_ms: 10_000 }), 7100));
		expect(events).toEqual([]);
	});

	it("that a new greeting no longer has are over", async () => {
		const { page, events } = await tab();
		await greet(page, { user: bob });
		page.wire.say(called(ringing()));
		page.wire.end(1006);
		await vi.advanceTimersByTimeAsync(1000);
		await greet(page, { user: bob, resumed: false });
		expect(events).toEqual(["ring alice", "end expired"]);
	});

	it("wait silently while I am in another", async () => {
		const { client, page, events } = await tab();
		const running = change(
			ringing({ id: "first" }),
			{ state: "joined", acted_at: phone },
			{ state: "active", active_ms: 5000 },
		);
		await greet(page, { user: bob, calls: [running] });
		expect(client.calls.views[0]?.activeSince).toBe(performance.now() - 5000);
		page.wire.say(called(ringing()));
		expect(events).toContain("ring alice waiting");
	});

	it("are silenced in this profile only, and declined for the user", async () => {
		const { client, page, events } = await tab();
		await greet(page, { user: bob });
		page.wire.say(called(ringing()));
		client.calls.silence(ringing().id);
		expect(client.calls.rings[0]?.silenced).toBe(true);
		expect(page.wire.sent.filter((f) => f.method?.startsWith("call."))).toHaveLength(0);
		void client.calls.decline(ringing().id);
		await turn();
		expect(page.wire.last("call.decline").params).toEqual({ call: ringing().id });
		const acted = { tab: client.tabId, device: client.deviceId, device_name: "" };
		page.wire.say(
			called(
				change(
					ringing(),
					{ state: "declined", acted_at: acted },
					{ state: "ended", reason: "declined", cseq: 9 },
				),
			),
		);
		expect(events).toEqual(["ring alice", "end declined"]);
	});

	it("are not muted later by a request that a limit forbade, when they may have been unmuted since", async () => {
		const { client, page } = await tab();
		await greet(page, {
			user: bob,
			calls: [change(ringing(), { state: "joined", acted_at: phone })],
		});
		const muted = client.calls.setMicrophone(ringing().id, false);
		await turn();
		page.wire.refuse("call.state", "rate_limited", 400);
		await expect(muted).rejects.toMatchObject({ code: "rate_limited" });
		await vi.advanceTimersByTimeAsync(1000);
		expect(page.wire.all("call.state")).toHaveLength(1);
	});

	it("are told by the caller's tab from calling to the end", async () => {
		const page = new FakePage();
		const { client } = await connect(page);
		const phases: (string | undefined)[] = [];
		client.on("calls", () => phases.push(client.calls.views[0]?.phase));
		await greet(page, {});
		phases.length = 0;
		page.wire.say(
			called(change(ringing(), { state: "invited" })),
			called(change(ringing(), { state: "ringing" }, { cseq: 3 })),
			called(change(ringing(), { state: "joining" }, { cseq: 4, state: "connecting" })),
			called(change(ringing(), { state: "joined" }, { cseq: 5, state: "active" })),
			called(change(ringing(), { state: "left" }, { cseq: 6, state: "ended", reason: "completed" })),
		);
		expect(phases).toEqual(["calling", "ringing", "connecting", "connecting", undefined]);
	});

	it("are brought up to date by what changed, and asked for when changes are missing", async () => {
		const { client, page } = await tab();
		const running = change(ringing(), { state: "joined", acted_at: phone }, { state: "active", cseq: 5 });
		await greet(page, { user: bob, calls: [running] });
		const part = (from: number, cseq: number, changes: object) => {
			const call = change(running, changes, { cseq });
			return {
				method: "call",
				params: { from, age_ms: 0, call: { ...call, participants: call.participants.slice(1) } },
			};
		};
		const shown = () => client.calls.views[0];
		page.wire.say(part(5, 6, { state: "joined", held: true, acted_at: phone }));
		expect(shown()).toMatchObject({ phase: "held", others: [{ user: "alice" }] });
		page.wire.say(
			part(7, 8, { state: "joined", acted_at: phone }),
			part(8, 9, { state: "joined", acted_at: phone }),
		);
		expect(shown()?.phase, "nobody knows what was missed").toBe("held");
		await turn();
		expect(page.wire.all("call.get").map((f) => f.params)).toEqual([{ call: ringing().id }]);
		page.wire.answer("call.get", { age_ms: 0, call: { ...running, cseq: 9 } });
		await turn();
		expect(shown()).toMatchObject({ phase: "active", call: { cseq: 9 } });
	});

	it("that ended before they could be asked for are over", async () => {
		const { page, events } = await tab();
		await greet(page, { user: bob, calls: [ringing()] });
		page.wire.say({
			method: "call",
			params: {
				from: 5,
				age_ms: 0,
				call: { ...ringing(), cseq: 6, state: "ended", reason: "cancelled", participants: [] },
			},
		});
		await turn();
		page.wire.refuse("call.get", "call_ended");
		await turn();
		expect(events).toEqual(["ring alice", "end cancelled"]);
	});

	it("need a secure page", async () => {
		const page = new FakePage();
		Object.assign(page, { secure: false });
		const { client } = await connect(page);
		expect(client.calls.available).toEqual({ ok: false, reason: "calls_need_https" });
		await expect(client.calls.start({ to: "bob" }, { media: "audio" })).rejects.toMatchObject({
			code: "calls_need_https",
		});
	});
});
