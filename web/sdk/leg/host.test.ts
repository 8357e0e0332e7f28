import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import type { StoredLeg } from "../calls/context.ts";
import { Refusal } from "../errors.ts";
import { FakePeerConnection, stubMedia } from "../testing/peer.ts";
import { FakeChannels, FakeLocks } from "../testing/profile.ts";
import { connect, FakePage, greet, ringing, turn } from "../testing/wire.ts";
import type { CallLeg, Snapshot, User } from "../wire.gen.ts";

beforeEach(() => {
	vi.useFakeTimers();
	stubMedia();
});
afterEach(() => {
	vi.useRealTimers();
	vi.unstubAllGlobals();
});

const bob: User = { id: "bob", name: "Bob" };
const id = ringing().id;

/** The call in which Bob takes part with a leg in a tab. */
function joined(tab: string, leg = "leg-1"): Snapshot {
	const where = { tab, device: "dev", device_name: "" };
	return ringing({
		state: "active",
		cseq: 5,
		participants: ringing().participants.map((p) =>
			p.user === "bob"
				? { ...p, state: "joined", acted_at: where, leg: { id: leg, state: "up", ...where } }
				: p,
		),
	});
}

const granted = (tab: string, secret: string): CallLeg => ({ call: joined(tab), leg: "leg-1", secret });

/** Until the lazily loaded part has come and has done what there was to do. */
async function settle(ms = 0): Promise<void> {
	for (let n = 0; n < 20; n++) {
		await vi.dynamicImportSettled();
		await turn();
		await vi.advanceTimersByTimeAsync(ms / 20);
	}
}

/** A page of Bob that has answered the call and hosts its leg, with the secret "one". */
async function hosting() {
	const page = new FakePage();
	const { client } = await connect(page);
	await greet(page, { user: bob, calls: [ringing()] });
	const answering = client.calls.answer(id);
	await settle();
	page.wire.answer("call.answer", granted(client.tabId, "one"));
	return { page, client, leg: await answering };
}

/** The connection is lost and another one made, while the server keeps the leg. */
async function reconnect(page: FakePage, tab: string): Promise<void> {
	page.wire.end(1006);
	await settle(1000);
	await greet(page, { user: bob, calls: [joined(tab)] });
	await settle();
}

describe("a request whose answer is lost", () => {
	it.each(["call.start", "call.answer"] as const)(
		"%s is repeated as it was, and the new secret counts",
		async (method) => {
			const page = new FakePage();
			const { client } = await connect(page);
			const calls = method === "call.answer" ? [ringing()] : [];
			await greet(page, { user: bob, calls });
			const begun =
				method === "call.start"
					? client.calls.start({ to: "alice" }, { media: "audio" })
					: client.calls.answer(id, { camera: false });
			await settle();
			const first = page.wire.last(method).params;
			page.wire.end(1006);
			expect(page.wire.sent.filter((f) => f.method === "leg.offer")).toEqual([]);

			await settle(1000);
			// The server has carried it out: the call is live, with a leg in this tab that no connection holds.
			await greet(page, { user: bob, calls: [joined(client.tabId)] });
			await settle();
			expect(page.wire.last(method).params).toEqual(first);
			expect(
				client.calls.views.map((v) => v.here),
				"shown as a call of this tab meanwhile",
			).toEqual([true]);
			page.wire.answer(method, granted(client.tabId, "second-secret"));
			const leg = await begun;
			await settle();
			expect(leg.id).toBe("leg-1");
			expect(page.wire.last("leg.offer").params).toMatchObject({ leg: "leg-1", secret: "second-secret" });
			expect(page.wire.all("call.resume"), "nothing else binds the leg").toEqual([]);
		},
	);

	it("the answer to the offer that went with call.answer is used, and none is sent again", async () => {
		const page = new FakePage();
		const { client } = await connect(page);
		await greet(page, { user: bob, calls: [ringing()] });
		const begun = client.calls.answer(id, { camera: false });
		await settle();
		const pc = FakePeerConnection.made.at(-1);
		expect(page.wire.last("call.answer").params).toMatchObject({ sdp: pc?.localDescription?.sdp });
		page.wire.answer("call.answer", { ...granted(client.tabId, "one"), sdp: "the answer" });
		await begun;
		await settle();
		expect(pc?.remoteDescription).toEqual({ type: "answer", sdp: "the answer" });
		expect(page.wire.all("leg.offer")).toEqual([]);
	});

	it.each(["before", "after"])(
		"what the server says of the leg right %s the reply is not lost",
		async (when) => {
			const page = new FakePage();
			const { client } = await connect(page);
			await greet(page, { user: bob, calls: [ringing()] });
			const begun = client.calls.answer(id);
			await settle();
			const slots = [{ mid: "1", participant: "alice", source: "camera", id: 1 }];
			const notification = { method: "slots", params: { call: id, slots } };
			const granting = { ...granted(client.tabId, "one"), sdp: "the answer" };
			const reply = { id: page.wire.last("call.answer").id, result: granting };
			page.wire.say(...(when === "before" ? [notification, reply] : [reply, notification]));
			const leg = await begun;
			await settle();
			expect(leg.remotes.get("alice")?.camera, "Alice's picture").toBeDefined();
		},
	);

	it("what is told of the leg while the browser still makes its local description is not lost", async () => {
		const page = new FakePage();
		const { client } = await connect(page);
		await greet(page, { user: bob, calls: [ringing()] });
		let described = () => {};
		FakePeerConnection.describing = new Promise((resolve) => {
			described = resolve;
		});
		const begun = client.calls.answer(id);
		await settle();
		page.wire.answer("call.answer", { ...granted(client.tabId, "one"), sdp: "the answer" });
		const leg = await begun;
		page.wire.say({
			method: "slots",
			params: { call: id, slots: [{ mid: "1", participant: "alice", source: "camera", id: 1 }] },
		});
		await settle();
		described();
		FakePeerConnection.describing = undefined;
		await settle();
		expect(leg.remotes.get("alice")?.camera, "Alice's picture").toBeDefined();
	});

	it("a repeated first offer keeps what the transceivers receive", async () => {
		const { page, leg } = await hosting();
		await settle();
		page.wire.say({
			method: "slots",
			params: { call: id, slots: [{ mid: "1", participant: "alice", source: "camera", id: 1 }] },
		});
		expect(leg.remotes.get("alice")?.camera).toBeDefined();
		page.wire.refuse("leg.offer", "busy", 100);
		await settle(200);
		expect(page.wire.all("leg.offer")).toHaveLength(2);
		expect(leg.remotes.get("alice")?.camera, "Alice's picture").toBeDefined();
	});

	it("that the server refuses for too many peers says so as long as it lasts, and reports it once", async () => {
		const { page, client, leg } = await hosting();
		const errors: Error[] = [];
		client.on("error", (err) => errors.push(err));
		await settle();
		expect(leg.refused).toBeUndefined();
		for (let n = 0; n < 3; n++) {
			page.wire.refuse("leg.offer", "too_many_peers");
			await settle(5000);
			expect(leg.refused).toBeInstanceOf(Refusal);
			expect(leg.refused?.code).toBe("too_many_peers");
		}
		expect(errors).toEqual([leg.refused]);
		page.wire.answer("leg.offer", { sdp: "the answer" });
		await settle();
		expect(leg.refused).toBeUndefined();
	});

	it.each(["call.start", "call.answer", "call.move"] as const)(
		"%s is repeated as it was while the server is busy, for it may have been carried out",
		async (method) => {
			const page = new FakePage();
			const { client } = await connect(page);
			const calls = { "call.start": [], "call.answer": [ringing()], "call.move": [joined("another-tab")] };
			await greet(page, { user: bob, calls: calls[method] });
			const begin = {
				"call.start": () => client.calls.start({ to: "alice" }, { media: "audio" }),
				"call.answer": () => client.calls.answer(id),
				"call.move": () => client.calls.moveHere(id),
			};
			const begun = begin[method]();
			await settle();
			const first = page.wire.last(method).params;
			page.wire.refuse(method, "busy", 1000);
			await settle(900);
			expect(page.wire.all(method), "not before the time that the server named").toHaveLength(1);
			await settle(200);
			expect(page.wire.all(method).map((f) => f.params)).toEqual([first, first]);
			page.wire.answer(method, granted(client.tabId, "second-secret"));
			await settle();
			expect((await begun).id).toBe("leg-1");
		},
	);

	it("of a call that a limit forbids fails at once, and hanging up is repeated until it is allowed", async () => {
		const page = new FakePage();
		const { client } = await connect(page);
		await greet(page, { user: bob, calls: [joined("another-tab")] });
		const begun = client.calls.start({ to: "alice" }, { media: "audio" });
		await settle();
		page.wire.refuse("call.start", "rate_limited", 20_000);
		await expect(begun, "the user is told").rejects.toMatchObject({ code: "rate_limited" });
		const hungUp = client.calls.hangUp(id);
		await settle();
		page.wire.refuse("call.leave", "rate_limited", 400);
		await settle(500);
		expect(page.wire.all("call.leave")).toHaveLength(2);
		page.wire.answer("call.leave", {});
		await hungUp;
	});

	it.each(["busy", "internal"])(
		"call.resume of a hosted leg is repeated after %s, and the leg stays",
		async (code) => {
			const { page, client } = await hosting();
			await reconnect(page, client.tabId);
			page.wire.refuse("call.resume", code, 300);
			await settle(400);
			expect(client.calls.active?.media).not.toBe("closed");
			expect(page.wire.all("call.resume").map((f) => f.params)).toMatchObject([
				{ secret: "one" },
				{ secret: "one" },
			]);
			page.wire.answer("call.resume", granted(client.tabId, "two"));
			await settle();
			expect(client.calls.active?.id).toBe("leg-1");
		},
	);

	it("call.resume is answered by leg_unknown then, and the leg's own tab takes it again", async () => {
		const { page, client } = await hosting();
		await reconnect(page, client.tabId);
		expect(page.wire.last("call.resume").params).toMatchObject({ secret: "one" });
		// It was resumed, but the new secret never came.
		await reconnect(page, client.tabId);
		page.wire.refuse("call.resume", "leg_unknown");
		await settle();
		page.wire.answer("call.move", granted(client.tabId, "three"));
		await settle();
		expect(client.calls.active?.id).toBe("leg-1");
		expect(
			JSON.parse(page.sessionStorage.getItem(`carillon:http://server.test:bob:legs`) ?? "[]"),
		).toMatchObject([{ leg: "leg-1", secret: "three" }]);
	});
});

describe("a leg", () => {
	it("hands lossy data to every listener though one of them throws, and passes over what is no JSON", async () => {
		const { leg } = await hosting();
		await settle();
		const thrown: (() => void)[] = [];
		vi.stubGlobal("queueMicrotask", (run: () => void) => thrown.push(run));
		const heard: unknown[] = [];
		leg.onLossy(() => {
			throw new Error("of the page");
		});
		const stop = leg.onLossy((data) => heard.push(data));
		const channel = FakePeerConnection.made.at(-1)?.channels.get("lossy");
		for (const data of ['{"x":1}', "no JSON", '{"x":2}']) channel?.onmessage?.({ data });
		stop();
		channel?.onmessage?.({ data: '{"x":3}' });
		expect(heard).toEqual([{ x: 1 }, { x: 2 }]);
		expect(thrown, "each shows as an uncaught error of the page").toHaveLength(3);
		expect(thrown[0]).toThrow("of the page");
	});
});

describe("a page that finds a leg in its storage", () => {
	const stored: StoredLeg = {
		tab: "tab-of-the-old-page",
		call: id,
		leg: "leg-1",
		secret: "kept",
		microphone: true,
		camera: false,
		devices: {},
	};
	const key = "carillon:http://server.test:bob:legs";

	/** The page after a reload, or a copy: the lock of the stored tab is still held by the old page. */
	async function reloaded({ livesElsewhere = false } = {}) {
		const [locks, channels] = [new FakeLocks(), new FakeChannels()];
		let release = () => {};
		void locks.of("old").request(`tab:${stored.tab}`, () => new Promise<void>((done) => (release = done)));
		const page = Object.assign(new FakePage(), {
			locks: locks.of("new"),
			channel: (name: string) => channels.create(name),
		});
		page.sessionStorage.setItem("carillon:tab", stored.tab);
		page.sessionStorage.setItem(key, JSON.stringify([stored]));
		if (livesElsewhere) {
			const original = channels.create("carillon:tabs");
			original.onmessage = ({ data }) => "asks" in data && original.postMessage({ lives: data.asks });
		}
		const { client } = await connect(page);
		await vi.advanceTimersByTimeAsync(700);
		await turn();
		await greet(page, { user: bob, calls: [joined(stored.tab)] });
		await settle();
		return { page, client, release };
	}

	it("resumes it when the old page's lock comes late, under its new tab id", async () => {
		const { page, client, release } = await reloaded();
		expect(client.tabId).not.toBe(stored.tab);
		await settle(1500);
		expect(page.wire.all("call.resume")).toEqual([]);
		expect(JSON.parse(page.sessionStorage.getItem(key) ?? "[]"), "another reload would not lose it").toEqual([
			stored,
		]);
		release();
		await settle();
		expect(page.wire.last("call.resume").params).toEqual({ call: id, leg: "leg-1", secret: "kept" });
		page.wire.refuse("call.resume", "leg_in_use", 500);
		await settle(600);
		expect(page.wire.all("call.resume"), "the server learns late of the old page's end").toHaveLength(2);
		page.wire.answer("call.resume", granted(client.tabId, "new"));
		await settle();
		expect(client.calls.active?.id).toBe("leg-1");
		expect(JSON.parse(page.sessionStorage.getItem(key) ?? "[]")).toMatchObject([
			{ tab: page.sessionStorage.getItem("carillon:tab"), secret: "new" },
		]);
	});

	it("asks again when the server is busy", async () => {
		const { page, client, release } = await reloaded();
		release();
		await settle();
		page.wire.refuse("call.resume", "busy", 300);
		await settle(400);
		page.wire.answer("call.resume", granted(client.tabId, "new"));
		await settle();
		expect(client.calls.active?.id).toBe("leg-1");
	});

	it("forgets it when the page that it is a copy of goes", async () => {
		const { page, client, release } = await reloaded({ livesElsewhere: true });
		await settle(4000);
		expect(client.calls.views.map((v) => v.here)).toEqual([false]);
		release();
		await settle(2000);
		expect(page.wire.all("call.resume")).toEqual([]);
		expect(page.sessionStorage.getItem(key)).toBeNull();
	});

	it("forgets it when the call is over before it is known whose it is", async () => {
		const { page, release } = await reloaded();
		const call = { ...joined(stored.tab), state: "ended", cseq: 9, reason: "completed" };
		page.wire.say({ method: "call", params: { age_ms: 0, call } });
		await settle();
		expect(page.sessionStorage.getItem(key)).toBeNull();
		release();
		await settle(1000);
		expect(page.wire.all("call.resume")).toEqual([]);
	});
});
