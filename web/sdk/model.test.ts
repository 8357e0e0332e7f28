/** Whatever is lost, late, told twice or out of order on the way: in the end a tab has what the server has. */
import fc from "fast-check";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { TabClient } from "./client.ts";
import { holdsLater, mostTime } from "./testing/property.ts";
import { FakeServer } from "./testing/server.ts";
import { calls, FakePage, synced, turn, welcome } from "./testing/wire.ts";
import { ignore } from "./wait.ts";
import type { Change, Frame, Hello } from "./wire.gen.ts";

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

const rooms = ["c", "d"] as const;
const room = fc.constantFrom(...rooms);
const which = fc.nat(20);

type Step =
	/** Something changes, and is told of: the notification is on its way. */
	| { do: "post"; room: string; sender: string; kind: "text" | "call" }
	| { do: "edit" | "read"; room: string; which: number }
	| { do: "rename"; room: string }
	/** Retention removes the first messages, which is told to nobody. */
	| { do: "expire"; room: string; most: number }
	| { do: "set"; key: string; value: number | null }
	/** The user does something in this tab. */
	| { do: "send" | "look"; room: string }
	/** The server reads what a request asks for, and the answer is on its way. */
	| { do: "answer"; which: number }
	/** One of the frames that are on their way arrives, gets lost, comes twice, or says only that there is something. */
	| { do: "deliver" | "lose" | "repeat" | "strip"; which: number }
	| { do: "wait"; ms: number }
	/** The connection is lost. It comes back to a greeting that resumes, or to one that does not. */
	| { do: "cut"; resume: boolean }
	/** What is stored now is kept aside. */
	| { do: "save" }
	/** The server comes back with what was kept aside, and goes on from there before the tab is back. */
	| { do: "restore"; posts: number };

const step: fc.Arbitrary<Step> = fc.oneof(
	{ weight: 8, arbitrary: fc.record({ do: fc.constant("deliver" as const), which }) },
	{ weight: 6, arbitrary: fc.record({ do: fc.constant("answer" as const), which }) },
	{
		weight: 2,
		arbitrary: fc.record({
			do: fc.constantFrom("lose" as const, "repeat" as const, "strip" as const),
			which,
		}),
	},
	{
		weight: 6,
		arbitrary: fc.record({
			do: fc.constant("post" as const),
			room,
			sender: fc.constantFrom("alice", "bob"),
			kind: fc.constantFrom("text" as const, "text" as const, "call" as const),
		}),
	},
	{ weight: 5, arbitrary: fc.record({ do: fc.constantFrom("edit" as const, "read" as const), room, which }) },
	{ weight: 1, arbitrary: fc.record({ do: fc.constant("rename" as const), room }) },
	{
		weight: 1,
		arbitrary: fc.record({ do: fc.constant("expire" as const), room, most: fc.integer({ min: 1, max: 4 }) }),
	},
	{
		weight: 1,
		arbitrary: fc.record({
			do: fc.constant("set" as const),
			key: fc.constantFrom("a", "b"),
			value: fc.option(fc.nat(9)),
		}),
	},
	{ weight: 2, arbitrary: fc.record({ do: fc.constantFrom("send" as const, "look" as const), room }) },
	{
		weight: 4,
		arbitrary: fc.record({ do: fc.constant("wait" as const), ms: fc.constantFrom(10, 100, 300, 1500) }),
	},
	{ weight: 1, arbitrary: fc.record({ do: fc.constant("cut" as const), resume: fc.boolean() }) },
	{ weight: 1, arbitrary: fc.record({ do: fc.constant("save" as const) }) },
	{
		weight: 1,
		arbitrary: fc.record({ do: fc.constant("restore" as const), posts: fc.nat(4) }),
	},
);

class World {
	readonly page = new FakePage();
	readonly client = new TabClient({ server: "http://server.test", token: "t" }, this.page, calls);
	#tags = 0;
	readonly server = new FakeServer(rooms, () => (++this.#tags).toString(16).padStart(16, "0"));
	/** Frames of the server on their way, in no order. */
	#onTheirWay: object[] = [];
	/** The rest of the greeting, which comes in its order. */
	#greeting: object[] = [];
	/** Of the frames of this connection, how many the server has looked at. */
	#requests: Frame[] = [];
	#seen = 0;
	#renamed = 0;
	#saved = this.server.saved();

	async begin(): Promise<void> {
		this.client.connect();
		await turn();
		await this.#greet(false);
		await this.#finishGreeting();
		void this.client.messages.open({ conversation: "c" }).catch(() => {});
		await turn();
	}

	async take(s: Step): Promise<void> {
		const { server, client } = this;
		switch (s.do) {
			case "post":
				return this.#tell(server.post(s.room, s.sender, s.kind));
			case "edit":
				return this.#tell(...server.edit(s.room, s.which));
			case "read":
				return this.#tell(...server.read(s.room, s.which));
			case "rename":
				return this.#tell(server.rename(s.room, `name ${++this.#renamed}`));
			case "expire":
				return server.expire(s.room, s.most);
			case "set":
				return this.#tell(server.set(s.key, s.value));
			case "send":
				client.messages.send({ conversation: s.room }, { text: "mine" });
				return turn();
			case "look":
				return client.messages.shown(s.room, client.conversations.get(s.room)?.last_seq ?? 0);
			case "answer":
				this.#answer(s.which);
				return;
			case "deliver": {
				// A page of the greeting, or one of the others.
				const next = s.which % 2 === 0 ? this.#greeting.shift() : undefined;
				const frame = next ?? this.#pick(s.which);
				if (frame) this.page.wire.say(frame);
				return turn();
			}
			case "lose":
				this.#pick(s.which, isChange);
				return;
			case "repeat": {
				const frame = this.#pick(s.which, isChange);
				if (frame) this.#onTheirWay.push(frame, frame);
				return;
			}
			case "strip": {
				const frame = this.#pick(s.which, isChange) as { params: Change } | undefined;
				if (!frame) return;
				const { feed, pos } = frame.params;
				this.#onTheirWay.push({ method: "change", params: { feed, pos } });
				return;
			}
			case "wait":
				await vi.advanceTimersByTimeAsync(s.ms);
				return;
			case "cut":
				return this.#cut(s.resume);
			case "save":
				this.#saved = server.saved();
				return;
			case "restore":
				this.#saved();
				for (let n = 0; n < s.posts; n++) server.post(n % 2 === 0 ? "c" : "d", "bob");
				return this.#cut(false); // it has another opening
		}
	}

	/** Everything arrives, and each node has found by its sweep what it had not told. */
	async settle(): Promise<void> {
		await this.#finishGreeting();
		while (this.#onTheirWay.length > 0) this.page.wire.say(this.#onTheirWay.shift() as object);
		for (const { id, pos } of this.server.feeds)
			this.page.wire.say({ method: "change", params: { feed: id, pos } });
		await this.#quiet();
		// What retention removed is shown until a head says so.
		for (const [id, { floor }] of this.server.rooms) {
			if (this.client.conversations.get(id)?.floor?.seq !== floor?.seq)
				ignore(this.client.conversations.fetch(id));
		}
		await this.#quiet();
	}

	/** Until nobody asks for anything any more. */
	async #quiet(): Promise<void> {
		for (let quiet = 0; quiet < 30; ) {
			await vi.advanceTimersByTimeAsync(500);
			while (this.#answer(0)) quiet = 0;
			while (this.#onTheirWay.length > 0) this.page.wire.say(this.#onTheirWay.shift() as object);
			await turn();
			quiet++;
		}
	}

	async #cut(resume: boolean): Promise<void> {
		this.#onTheirWay = [];
		this.page.wire.end(1006);
		await vi.advanceTimersByTimeAsync(30_000);
		await this.#greet(resume);
	}

	async #greet(resume: boolean): Promise<void> {
		const { wire } = this.page;
		wire.onopen?.(undefined as never);
		await turn();
		const hello = wire.last("hello").params as Hello;
		const { pages, at, ...w } = this.server.greet(hello, resume);
		this.#requests = [];
		this.#seen = wire.sent.length;
		wire.answer("hello", welcome(w));
		this.#greeting = [...pages.map((params) => ({ method: "greeting", params })), synced({ at })];
		await turn();
	}

	async #finishGreeting(): Promise<void> {
		for (const frame of this.#greeting.splice(0)) this.page.wire.say(frame);
		await turn();
	}

	#tell(...changes: Change[]): void {
		for (const params of changes) this.#onTheirWay.push({ method: "change", params });
	}

	#answer(which: number): boolean {
		const { sent } = this.page.wire;
		this.#requests.push(...sent.slice(this.#seen).filter((f) => f.id !== undefined && f.method !== "hello"));
		this.#seen = sent.length;
		const [request] = this.#requests.splice(which % Math.max(1, this.#requests.length), 1);
		if (!request?.method) return false;
		const { result, told } = this.server.answer(request.method as never, request.params);
		this.#onTheirWay.push({ id: request.id, result: structuredClone(result) });
		this.#tell(...told);
		return true;
	}

	#pick(which: number, kind: (frame: object) => boolean = () => true): object | undefined {
		const some = this.#onTheirWay.filter(kind);
		const frame = some[which % Math.max(1, some.length)];
		if (frame) this.#onTheirWay.splice(this.#onTheirWay.indexOf(frame), 1);
		return frame;
	}
}

const isChange = (frame: object): boolean => "method" in frame && frame.method === "change";

/** What is known of the server's state, on either side. */
function known({ client, server }: World) {
	const { conversations, messages, objects } = client;
	const tab = rooms.map((id) => {
		const c = conversations.get(id);
		const { rows } = messages.transcript({ conversation: id });
		const stored = rows.filter((r) => r.message.seq > 0).map((r) => `${r.message.seq} ${r.message.text}`);
		return {
			id,
			pos: c?.pos,
			name: c?.name,
			last: c?.last,
			unread: c?.unread,
			mine: c?.mine,
			stored,
			waiting: rows.length - stored.length,
		};
	});
	const truth = rooms.map((id, i) => {
		const room = server.rooms.get(id);
		const head = room?.head();
		const shown = tab[i]?.stored.length ?? 0;
		const stored = (room?.messages ?? []).slice(shown > 0 ? -shown : Number.POSITIVE_INFINITY);
		return {
			id,
			pos: head?.pos,
			name: head?.name,
			last: head?.last,
			unread: server.unread(id),
			mine: head?.mine,
			stored: stored.map((m) => `${m.seq} ${m.text}`),
			waiting: 0,
		};
	});
	return {
		tab: { tab, objects: new Map([...objects.all()].map(([key, o]) => [key, o.value])) },
		truth: { tab: truth, objects: server.objects() },
	};
}

test("a tab ends equal to the server", { timeout: mostTime }, async () => {
	await holdsLater(fc.array(step, { minLength: 30, maxLength: 150, size: "max" }), async (steps) => {
		const world = new World();
		await world.begin();
		for (const s of steps) await world.take(s);
		await world.settle();
		const { tab, truth } = known(world);
		world.client.close();
		expect(tab).toEqual(truth);
	});
});
